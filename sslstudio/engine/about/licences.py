"""Under which licence every part of the program stands: of its own packages and of all that these need."""

import importlib.metadata
import re
from collections.abc import Iterator
from dataclasses import dataclass

OWN = "sslstudio"
LONGEST = 160  # letters: some packages put the whole text of their licence where its name belongs


@dataclass(frozen=True)
class Licence:
    """A package, its version and its licence; '' where the package does not say."""

    name: str
    version: str
    licence: str


def licences() -> list[Licence]:
    """Every installed package that the program needs, directly or not, sorted by name; the program itself first."""
    found = {_key(one.metadata["Name"]): one for one in importlib.metadata.distributions() if one.metadata["Name"]}
    names = set(_walk_needed(found))
    parts = [_licence(found[name]) for name in sorted(names - {OWN}) if not _holds_nothing(found[name])]
    return [_licence(found[OWN]), *parts] if OWN in names else parts


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


def _licence(one: importlib.metadata.Distribution) -> Licence:
    about = one.metadata
    given = [about[name] for name in ("License-Expression", "License") if name in about]
    said = next((str(text).strip() for text in given if text), "")
    if not said or len(said) > LONGEST or said.upper() == "UNKNOWN":
        classes = [
            line.rsplit("::", 1)[1].strip() for line in about.get_all("Classifier") or [] if "License ::" in line
        ]
        said = ", ".join(classes) or next(iter(said.splitlines()), "")[:LONGEST]
    return Licence(str(about["Name"]), one.version, said)
