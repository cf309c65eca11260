"""What a person says of single pictures: that one is left out, or that some belong on one side of the split.

Such choices stand among the roles of folders and files (`labels.roles`): a/b.jpg=excluded, a/b.jpg=together:copies 3.
They count after everything is recognised: a mask whose picture is left out is no picture for that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.wanted import PAGE
from sslstudio.engine.labels.roles import EXCLUDED, TOGETHER
from sslstudio.engine.labels.types import Recognised

_SHOWN = 3  # examples named in a sentence


def is_of_picture(role: str) -> bool:
    """Whether a role speaks of a single picture."""
    return role == EXCLUDED or role.startswith(TOGETHER)


def of_pictures(choices: Mapping[str, str]) -> dict[str, str]:
    """The choices that speak of single pictures."""
    return {path: role for path, role in choices.items() if is_of_picture(role)}


def of_others(choices: Mapping[str, str]) -> dict[str, str]:
    """The choices that speak of folders, files of labels and columns."""
    return {path: role for path, role in choices.items() if not is_of_picture(role)}


def excluding(choices: Mapping[str, str], paths: Iterable[str]) -> dict[str, str]:
    """The choices with these pictures left out as well."""
    return {**choices, **dict.fromkeys(paths, EXCLUDED)}


def taking_back(choices: Mapping[str, str], paths: Iterable[str]) -> dict[str, str]:
    """The choices without what they say of these pictures."""
    gone = set(paths)
    return {path: role for path, role in choices.items() if path not in gone or not is_of_picture(role)}


def keeping_together(choices: Mapping[str, str], groups: Iterable[Iterable[str]]) -> dict[str, str]:
    """The choices with each of these groups of pictures on one side of the split; those left out stay so."""
    after = dict(choices)
    for group in groups:
        members = sorted(group)
        for path in members:
            if after.get(path) != EXCLUDED:
                after[path] = f"{TOGETHER}{members[0]}"
    return after


def together_of(choices: Mapping[str, str]) -> dict[str, str]:
    """What is to be kept on one side of the split: picture -> name of its group."""
    return {path: role.removeprefix(TOGETHER) for path, role in choices.items() if role.startswith(TOGETHER)}


def apply_choices(recognised: Recognised, choices: Mapping[str, str]) -> Recognised:
    """What was recognised, without the pictures that a person left out, and with what is to be kept together.

    choices: path -> role, those of pictures alone. Raises DataError when no picture is left.
    """
    if not choices:
        return recognised
    index = recognised.pictures
    here = index.places
    out = sorted(path for path, role in choices.items() if role == EXCLUDED and path in here)
    together = {path: name for path, name in together_of(choices).items() if path in here}
    gone = sorted(path for path in choices if path not in here and PAGE not in path)
    notes = [*_note_excluded(out), *_note_gone(gone)]
    if out:
        recognised = _without(recognised, frozenset(out))
    return replace(
        recognised,
        notes=(*recognised.notes, *notes),
        excluded=(*recognised.excluded, *out),
        together={**recognised.together, **together},
        chosen_pictures=choices,
    )


def _without(recognised: Recognised, out: frozenset[str]) -> Recognised:
    index = recognised.pictures
    rest = index.subset([path for path in index.paths if path not in out])
    if not rest.runs:
        raise DataError("Every picture in {root} is excluded. Take some of them back.", root=index.root)

    def kept(values: Mapping[str, object]) -> dict[str, object]:
        return {path: value for path, value in values.items() if path not in out}

    changes: dict[str, object] = {"pictures": rest, "given_split": kept(recognised.given_split)}
    for name in ("classes", "masks"):
        labels = getattr(recognised, name)
        if labels is not None:
            changes[name] = replace(labels, of=kept(labels.of))
    changes["groups"] = kept(recognised.groups)
    return replace(recognised, **changes)  # type: ignore[arg-type]


def excluded_words(count: int) -> Message:
    """The sentence for people."""
    return Message("{n:,} {n:plural(picture|pictures)} excluded by you.", n=count)


def _note_excluded(out: list[str]) -> list[Message]:
    return [excluded_words(len(out))] if out else []


def _note_gone(gone: list[str]) -> list[Message]:
    if not gone:
        return []
    return [
        Message(
            "{n:,} {n:plural(picture|pictures)} of which you said something {n:plural(is|are)} not here: {examples}.",
            n=len(gone),
            examples=gone[:_SHOWN],
        )
    ]
