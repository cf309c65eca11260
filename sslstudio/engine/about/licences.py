"""Under which licence every part of the program stands: of its own packages and of all that these need.

The built program knows more parts than packages of Python (the system's libraries, Python itself): they are on the bill
of materials that packaging/parts.py puts into it, and the texts of all licences lie beside it.
"""

import importlib.metadata
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.files.resource_files import find_resource

OWN = "sslstudio"
BILL = "bill-of-materials.json"
TEXTS = "licences"
TEXT_FILES = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
LONGEST = 160  # letters: some packages put the whole text of their licence where its name belongs


@dataclass(frozen=True)
class Licence:
    """A package, its version and its licence; '' where the package does not say."""

    name: str
    version: str
    licence: str


def licences() -> list[Licence]:
    """Every part of the program, sorted by name; the program itself first. In a built program those on its bill, else
    every installed package that it needs, directly or not."""
    listed = _on_the_bill()
    if listed:
        return listed
    found = {_key(one.metadata["Name"]): one for one in importlib.metadata.distributions() if one.metadata["Name"]}
    names = set(_walk_needed(found))
    parts = [licence_of(found[name]) for name in sorted(names - {OWN}) if not _holds_nothing(found[name])]
    return [licence_of(found[OWN]), *parts] if OWN in names else parts


def licence_text(part: str) -> str:
    """The licence texts of a part by its name; '' where none came with it."""
    try:
        return find_resource(f"{TEXTS}/{_key(part)}.txt").read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    try:
        files = importlib.metadata.distribution(part).files or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    inside = [Path(str(file.locate())) for file in files if ".dist-info" in str(file) and TEXT_FILES.search(file.name)]
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in inside if file.is_file()]
    return "\n\n".join(texts)


def _on_the_bill() -> list[Licence]:
    """The parts that the bill of materials names; nothing where there is none, as outside of a built program."""
    try:
        bill = json.loads(find_resource(BILL).read_text(encoding="utf-8"))
        listed = [bill["metadata"]["component"], *bill["components"]]
        return [
            Licence(one["name"], one["version"], ", ".join(said["license"]["name"] for said in one["licenses"]))
            for one in listed
        ]
    except (FileNotFoundError, ValueError, KeyError):
        return []


def _walk_needed(found: dict[str, importlib.metadata.Distribution]) -> Iterator[str]:
    """Walk the names of all that is installed and needed. In a built program the own package has no metadata: all."""
    if OWN not in found:
        yield from found
        return
    waiting, seen = [OWN], {OWN}
    while waiting:
        name = waiting.pop()
        yield name
        for needed in found[name].requires or []:
            other = _key(re.split(r"[\s;<>=!~\[(]", needed, maxsplit=1)[0])
            if "extra ==" not in needed and other in found and other not in seen:
                seen.add(other)
                waiting.append(other)


def _holds_nothing(one: importlib.metadata.Distribution) -> bool:
    """A package that only names others: of it nothing is bundled."""
    files = one.files
    return files is not None and all(file.parts[0].endswith(".dist-info") for file in files)


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(one: importlib.metadata.Distribution) -> Licence:
    """What a package says of itself."""
    about = one.metadata
    given = [about[name] for name in ("License-Expression", "License") if name in about]
    said = next((str(text).strip() for text in given if text), "")
    if not said or len(said) > LONGEST or said.upper() == "UNKNOWN":
        classes = [
            line.rsplit("::", 1)[1].strip() for line in about.get_all("Classifier") or [] if "License ::" in line
        ]
        said = ", ".join(classes) or next(iter(said.splitlines()), "")[:LONGEST]
    return Licence(str(about["Name"]), one.version, said)
