"""Everything that the program installs may be passed on: licences by their names, and by the texts in the wheels."""

import re

import pytest

from tests.packaging.licences import NVIDIA, PERMISSIVE, REASONED, is_choice, licences_of, needed, plain_name, texts_of

FOUND = needed()
# The first words of texts that ask that what uses them is passed on in the same way, or can be replaced in it.
STRONG = re.compile(r"GNU (AFFERO |LESSER |LIBRARY )?GENERAL PUBLIC LICENSE\s+Version [123]", re.IGNORECASE)
# Wheels with such a text in them: with the reason.
TEXTS = {
    "numpy": "libgfortran and libquadmath, under the GCC runtime library exception",
    "scipy": "libgfortran, under the GCC runtime library exception",
    "scikit-learn": "libgomp, under the GCC runtime library exception",
    "torch": "texts of tools that its build uses; libgomp under the GCC runtime library exception",
    "pillow": "liblzma, which is under 0BSD; the texts are of the tools that are built beside it and not in the wheel",
    "setuptools": "autocommand, which setuptools alone imports, as Python code that can be replaced",
}


def test_what_the_program_needs_is_found() -> None:
    assert {"torch", "pyside6-essentials", "numpy", "onnxruntime", "rich", "tqdm", "mpmath"} <= set(FOUND)


@pytest.mark.parametrize("name", sorted(FOUND))
def test_its_licence_is_on_the_list(name: str) -> None:
    """NVIDIA's libraries come with torch on Linux and are fetched by whoever installs that; no installer has them."""
    if NVIDIA.match(name):
        return
    names = licences_of(FOUND[name])
    assert names, f"{name} names no licence: look into it, and add it to REASONED"
    allowed = (*PERMISSIVE, REASONED[name][0]) if name in REASONED else PERMISSIVE
    strange = [one for one in names if one not in allowed]
    if is_choice(FOUND[name]):
        assert len(strange) < len(names), f"{name}: {names}"
    else:
        assert strange == [], f"{name}: {strange}"


def test_no_text_of_a_licence_inside_is_a_strong_one_without_a_reason() -> None:
    found = {
        name for name, one in FOUND.items()
        if name not in REASONED and any(STRONG.search(text) for text in texts_of(one).values())
    }  # fmt: skip
    assert found <= set(TEXTS), found - set(TEXTS)
    assert not any(NVIDIA.match(name) for name in TEXTS)


def test_qt_is_a_dynamic_library_that_can_be_replaced() -> None:
    """As its licence asks."""
    names = [file.name for file in FOUND["pyside6-essentials"].files or []]
    assert any(re.match(r"(lib)?Qt6Core.*(\.so|\.dll)|QtCore$", name) for name in names)


def test_names_are_compared_as_installers_do() -> None:
    assert plain_name("PySide6_Essentials") == "pyside6-essentials"
