"""The tree of errors, and the sentence that names the nearest known name."""

from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core import errors

names = st.lists(st.text("abcdefghij_", min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


def subclasses(kind: type) -> set[type]:
    children: list[type] = kind.__subclasses__()
    return {below for child in children for below in {child, *subclasses(child)}}


def test_the_tree_at_the_top_of_the_file_is_the_tree_of_the_classes() -> None:
    """Each class stands below its parent in the drawing: indented by four places more."""
    assert errors.__doc__ is not None
    places = {}
    drawn: list[str] = []
    for line in errors.__doc__.splitlines():
        name = line.lstrip("│├└─ ").split(" ")[0]
        if isinstance(getattr(errors, name, None), type):
            places[name] = len(drawn), line.index(name)
            drawn.append(name)
    assert drawn[0] == "StudioError"
    ours = {kind for kind in subclasses(errors.StudioError) if kind.__module__ == errors.__name__}
    assert set(drawn) == {"StudioError"} | {kind.__name__ for kind in ours}
    for kind in ours:
        above = [name for name in drawn[: places[kind.__name__][0]] if places[name][1] < places[kind.__name__][1]]
        assert kind.__bases__[0].__name__ == above[-1]


def test_what_the_user_gave_is_told_apart_from_a_run_that_broke() -> None:
    for kind in (errors.ConfigError, errors.DataError, errors.TaskDoesNotFit):
        assert issubclass(kind, errors.InputError)
    assert not issubclass(errors.RunError, errors.InputError)
    assert not issubclass(errors.StudioError, (ValueError, OSError))


@given(names)
def test_a_known_name_is_its_own_nearest(known: list[str]) -> None:
    for name in known:
        assert errors.did_you_mean(name, known) == f"Did you mean {name!r}?"


@given(names)
def test_a_name_like_none_of_them_gets_them_all(known: list[str]) -> None:
    sentence = errors.did_you_mean("ZZZZZZZZ", known)
    assert sentence == f"Known are: {', '.join(sorted(known))}."


def test_the_nearest_of_several_is_named() -> None:
    assert (
        errors.did_you_mean("colourisation", ["jigsaw", "colorization", "rotation"]) == "Did you mean 'colorization'?"
    )
