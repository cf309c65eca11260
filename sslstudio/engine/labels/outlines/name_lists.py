"""Lists of the names of classes, as programs keep them beside labels: a name a line, with numbers or colours or
neither, in YAML (data.yaml of YOLO), JSON (dataset.json of nnU-Net) or a table (class_dict.csv)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.labels.outlines.files import json_of, text_of

# By number the names count from 0; of lists that name colours, too.
OF_NUMBERS: Final = ("data.yaml", "dataset.yaml", "data.yml", "classes.txt", "obj.names")
OF_MASKS: Final = (
    "labelmap.txt", "class_names.txt", "label_colors.txt", "class_dict.csv", "codes.txt", *OF_NUMBERS, "labels.txt",
    "dataset.json",
)  # fmt: skip
_ENTRY: Final = re.compile(r"(?:\d+\s*:\s*)?(?:'[^']*'|\"[^\"]*\"|[^,\s][^,]*)")
_PART: Final = r"\s*(\d{1,3})\s*"
_BY_COLOUR: Final = (
    re.compile(rf"(?P<name>[^:]+):{_PART},{_PART},{_PART}(?::.*)?"),  # labelmap.txt of CVAT
    re.compile(rf"{_PART}[\s,;]{_PART}[\s,;]{_PART}[\s,;]\s*(?P<name>.*\D.*)"),  # label_colors.txt of CamVid
    re.compile(rf"(?P<name>[^,;]*[^\s,;\d][^,;]*)[,;]{_PART}[,;]{_PART}[,;]{_PART}"),  # class_dict.csv
)
_BY_NUMBER: Final = re.compile(r"(\d{1,5})\s*[:=,;\t ]\s*(\S.*)")
_NOT_COUNTED: Final = "__ignore__"  # labelme writes it first, for the value -1 (255)


@dataclass(frozen=True)
class NameList:
    """The names of a file by their number, and by their colour (0xRRGGBB) where it says colours."""

    file: Path
    by_number: Mapping[int, str]
    by_colour: Mapping[int, str] = field(default_factory=dict)


def read_names(file: Path) -> NameList:
    """Raises DataError where it cannot be read or names nothing."""
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def _read(file: Path, changed: int) -> NameList:
    suffix = file.suffix.lower()
    if suffix == ".json":
        found = NameList(file, _of_json(file))
    elif suffix in (".yaml", ".yml"):
        found = NameList(file, _of_yaml(text_of(file).splitlines(), file))
    else:
        lines = [line.strip() for line in text_of(file).splitlines()]
        found = _of_lines(file, [line for line in lines if line and line[0] != "#"])
    if not found.by_number and not found.by_colour:
        raise DataError("{file} names no classes.", file=file.name)
    return found


def _of_lines(file: Path, lines: list[str]) -> NameList:
    coloured = [match for line in lines for match in [_coloured(line)] if match]
    if coloured and len(coloured) >= len(lines) - 1:  # a table has a header
        by_colour: dict[int, str] = {}
        for _, colour, name in coloured:
            by_colour.setdefault(colour, name)
        return NameList(file, dict(enumerate(name for _, _, name in coloured)), by_colour)
    numbered = [match for line in lines for match in [_BY_NUMBER.fullmatch(line)] if match]
    if numbered and len(numbered) == len(lines):
        return NameList(file, {int(match[1]): match[2].strip() for match in numbered})
    if lines and lines[0] == _NOT_COUNTED:
        lines = lines[1:]
    return NameList(file, dict(enumerate(lines)))


def _coloured(line: str) -> tuple[str, int, str] | None:
    for pattern in _BY_COLOUR:
        if match := pattern.fullmatch(line):
            parts = [int(one) for one in match.groups() if one is not None and one.isdecimal()]
            if len(parts) >= 3 and max(parts[:3]) <= 255:
                return line, parts[0] << 16 | parts[1] << 8 | parts[2], match["name"].strip()
    return None


def _of_json(file: Path) -> dict[int, str]:
    content = json_of(file)
    labels = content.get("labels") if isinstance(content, dict) else None
    if not isinstance(labels, Mapping):
        return {}
    try:
        return {int(one): str(other) for one, other in labels.items()}  # version 1 of nnU-Net
    except ValueError:
        return {int(other): str(one) for one, other in labels.items() if isinstance(other, int)}


def _of_yaml(lines: list[str], file: Path) -> dict[int, str]:
    start = next((place for place, line in enumerate(lines) if line.startswith("names:")), None)
    if start is None:
        raise DataError("{file} names no classes: it has no line 'names:'.", file=file.name)
    block = [lines[start].removeprefix("names:").strip()]
    for line in lines[start + 1 :]:
        if line.strip() and line[0] not in " -\t]}#":
            break
        block.append(line.strip())
    found: dict[int, str] = {}
    for entry in _entries(block):
        number, colon, name = entry.partition(":")
        if colon and number.strip().isdecimal():
            found[int(number)] = _bare(name)
        else:
            found[len(found)] = _bare(entry)
    return found


def _entries(lines: list[str]) -> list[str]:
    """Those of a list or of numbers with names, in brackets or a line each: YAML as programs write it here."""
    block = " ".join(lines).strip()
    if block[:1] in ("[", "{"):
        return [one[0] for one in _ENTRY.finditer(block[1:].partition("]" if block[0] == "[" else "}")[0])]
    return [line.removeprefix("- ") for line in lines if line.strip(" -") and line[0] != "#"]


def _bare(name: str) -> str:
    name = name.strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"" else name
