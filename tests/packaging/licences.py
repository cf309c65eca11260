"""What the program needs installed, and under which licences: by names in the metadata, and by the texts inside."""

import importlib.metadata as metadata
import re
import tomllib
from importlib.metadata import Distribution
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
EXTRAS = frozenset({"export", "timm", "fast"})  # what people install; the others are for those who work on the program

# Names that metadata uses, of licences that ask for no more than that they are named.
PERMISSIVE = (
    "MIT", "MIT-CMU", "MIT License", "HPND", "0BSD", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSD License",
    "BSD 3-Clause License", "3-Clause BSD License", "Apache-2.0", "Apache 2.0", "Apache-2.0 WITH LLVM-exception",
    "Apache Software License", "BSL-1.0", "Zlib", "CC0-1.0", "PSF-2.0", "Python Software Foundation License",
    "Unlicense", "ISC License (ISCL)",
)  # fmt: skip

# Others, each with the reason why it may be there.
REASONED = {
    "pyside6-essentials": ("LGPL-3.0-only", "Qt is loaded as dynamic libraries, which anybody may replace."),
    "shiboken6": ("LGPL-3.0-only", "As Qt, whose binding it carries."),
    "tqdm": ("MPL-2.0", "Used as it is; its files are not changed. torch and timm ask for it."),
    "certifi": ("MPL-2.0", "Used as it is: a list of certificates, which timm's libraries ask for."),
}
# torch brings these on Linux; they are not in what the program's installers carry.
NVIDIA = re.compile(r"nvidia-[\w-]+|cuda-[\w-]+|triton\Z")


def wanted_first() -> list[Requirement]:
    """What pyproject.toml asks for, extras included."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    texts = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    return [Requirement(text) for text in texts]


def needed() -> dict[str, Distribution]:
    """All that is installed for the program and its extras, by name; what is not installed here is left out."""
    found: dict[str, Distribution] = {}
    todo = [(one.name, frozenset(one.extras)) for one in wanted_first()]
    asked: set[tuple[str, frozenset[str]]] = set()
    while todo:
        name, extras = todo.pop()
        if (name, extras) in asked:
            continue
        asked.add((name, extras))
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[plain_name(name)] = one
        for text in one.requires or []:
            wanted = Requirement(text)
            if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
                todo.append((wanted.name, frozenset(wanted.extras)))
    return found


def plain_name(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _field(one: Distribution, name: str) -> str:
    return str(one.metadata[name]).strip() if name in one.metadata else ""


def licences_of(one: Distribution) -> list[str]:
    """The names of its licences in its metadata: an expression, classifiers, or a short line."""
    said, short = _field(one, "License-Expression"), _field(one, "License")
    if not said and short and "\n" not in short and len(short) < 80:
        said = short
    if said:
        return [part.strip(" ()") for part in re.split(r"\bAND\b|\bOR\b", said) if part.strip(" ()")]
    classifiers = one.metadata.get_all("Classifier") or []
    classified = [name.rpartition(" :: ")[2] for name in classifiers if name.startswith("License")]
    return [name for name in classified if name != "OSI Approved"]


def is_choice(one: Distribution) -> bool:
    """Whether one of its licences may be chosen."""
    said = _field(one, "License-Expression") or _field(one, "License")
    return " OR " in said and " AND " not in said


def texts_of(one: Distribution) -> dict[str, str]:
    """The texts of licences that it carries, by path."""
    found = {}
    for file in one.files or []:
        if re.search(r"licen[cs]e|copying|notice", file.name.lower()) and file.suffix in ("", ".txt", ".md", ".rst"):
            place = Path(str(file.locate()))
            if place.is_file():
                found[str(file)] = place.read_text("utf-8", errors="replace")
    return found
