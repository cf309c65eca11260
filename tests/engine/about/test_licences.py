"""Every part of the program is named with its licence."""

from sslstudio import __version__
from sslstudio.engine.about.licences import licences


def test_the_program_and_all_that_it_needs_are_named_once() -> None:
    found = licences()
    assert (found[0].name, found[0].version, found[0].licence) == ("sslstudio", __version__, "MIT")
    names = [one.name.lower() for one in found]
    assert len(names) == len(set(names))
    for name in ("torch", "torchvision", "pillow", "pyside6_essentials", "shiboken6", "sympy"):
        assert name in {one.replace("-", "_") for one in names}, name
    assert "pytest" not in names


def test_a_licence_is_a_name_and_not_its_whole_text() -> None:
    assert all(len(one.licence) <= 160 and "\n" not in one.licence for one in licences())
    assert [one.name for one in licences() if not one.licence] == []


def test_nothing_that_forbids_the_use_in_other_programs_is_needed() -> None:
    assert not [one for one in licences() if "AGPL" in one.licence or "Affero" in one.licence]
