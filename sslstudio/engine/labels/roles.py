"""What each folder, file and column of a table was taken for, and why; and what a person says that it is instead.

A choice is written PATH=ROLE: masks=masks, */*=group (each * stands for one folder), labels.csv=ignore,
labels.csv:grade=class. Paths are relative to the folder of the pictures, with / between folders. Of single pictures it
is said that they are left out, or what they belong together with: see `labels.picture_choices`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

from sslstudio.engine.core.errors import ConfigError, did_you_mean
from sslstudio.engine.core.messages import Message

# What may be chosen for a folder or a file of pictures, for a file of labels, and for a column of a table.
PICTURES, MASKS, CLASS, PART, GROUP, IGNORE = "pictures", "masks", "class", "part", "group", "ignore"
LABELS, FILE = "labels", "file"
EXCLUDED, TOGETHER = "excluded", "together:"  # of a single picture; the second is followed by the name of its group
# What is told and cannot be chosen: the program's own answers, numbers that are no classes, several labels a picture.
OWN, NUMBER, SEVERAL, OTHER = "own", "number", "several", "other"

OF_FOLDERS: Final = (PICTURES, MASKS, CLASS, PART, GROUP, IGNORE)
OF_FILES: Final = (LABELS, IGNORE)
OF_COLUMNS: Final = (CLASS, PART, GROUP, FILE, IGNORE)

TITLES: Final[Mapping[str, Message]] = {
    PICTURES: Message("pictures"),
    MASKS: Message("masks"),
    CLASS: Message("class"),
    PART: Message("part set apart"),
    GROUP: Message("group (patient, slide, day ...)"),
    IGNORE: Message("left out"),
    LABELS: Message("labels"),
    FILE: Message("file names"),
    OWN: Message("the program's own output"),
    NUMBER: Message("numbers"),
    SEVERAL: Message("one of several labels"),
    OTHER: Message("something else"),
}


@dataclass(frozen=True)
class Role:
    """What one thing in a folder was taken for.

    path     a folder ('train/cat', '' for the folder itself), folders of one level ('normal/*'), a file ('labels.csv'),
             a column ('labels.csv:split') or a kind of files ('.xml', 'hidden')
    role     one of the names above
    reason   by what it was told
    count    pictures, files or rows that it holds
    chosen   whether a person said so
    choices  what it can be changed to, () where it cannot
    """

    path: str
    role: str
    reason: Message
    count: int
    chosen: bool = False
    choices: tuple[str, ...] = ()

    @property
    def title(self) -> Message:
        """The role in words."""
        return TITLES[self.role]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "path": self.path,
            "role": self.role,
            "reason": self.reason,
            "count": self.count,
            "chosen": self.chosen,
            "choices": list(self.choices),
        }


CHOSEN: Final = Message("You said so.")
HOLDS_PICTURES: Final = Message("It holds pictures.")


def check_choices(choices: Mapping[str, str]) -> None:
    """Raises ConfigError for a role that there is not, in words."""
    known = (*OF_FOLDERS, LABELS, FILE, EXCLUDED)
    for path, role in choices.items():
        if role not in known and not role.startswith(TOGETHER):
            raise ConfigError(
                "{path}={role} names no role. {hint} A role is one of {known:or}.",
                path=path,
                role=role,
                hint=did_you_mean(role, known),
                known=known,
            )


def chosen_for(folder: str, choices: Mapping[str, str]) -> str:
    """The role that was chosen for a folder or file ('' for none): by its own name, else by a pattern whose * stand for
    one folder each."""
    return choices.get(folder) or _by_pattern(folder, tuple(choices.items())) if choices else ""


@lru_cache(maxsize=100_000)
def _by_pattern(folder: str, choices: tuple[tuple[str, str], ...]) -> str:
    parts = folder.split("/")
    for pattern, role in choices:
        wanted = pattern.rstrip("/").split("/")
        if len(wanted) == len(parts) and all(fnmatchcase(a, b) for a, b in zip(parts, wanted, strict=True)):
            return role
    return ""


def above_of(folder: str) -> list[str]:
    """'a', 'a/b' for 'a/b': a folder and those around it, the uppermost first."""
    parts = folder.split("/")
    return ["/".join(parts[: end + 1]) for end in range(len(parts))] if folder else []


def place_among(path: str, listed: Collection[str]) -> tuple[str, str]:
    """The innermost of the listed folders ('' is the whole) that a path lies in, and what the path is called in it; of
    a column the table and the column's name."""
    table, colon, column = path.partition(":")
    if colon and table in listed:
        return table, column
    above = next((one for one in reversed(above_of(path)[:-1]) if one in listed), "")
    return above, path.removeprefix(f"{above}/") if above else path


def column_choices(file: str, choices: Mapping[str, str]) -> dict[str, str]:
    """What was chosen for the columns of a table: column -> role. A table is named by its path or its name alone."""
    found: dict[str, str] = {}
    for path, role in choices.items():
        table, colon, column = path.partition(":")
        if colon and table in (file, file.rpartition("/")[2]):
            found[column] = role
    return found


def unmatched(choices: Mapping[str, str], roles: Iterable[Role], folders: Sequence[str]) -> list[str]:
    """The choices that speak of nothing that is there."""
    known = {role.path for role in roles} | set(folders)
    tables = {path.partition(":")[0].rpartition("/")[2] + ":" + path.partition(":")[2] for path in known if ":" in path}
    return [
        path
        for path in choices
        if path not in known | tables and not any(_by_pattern(one, ((path, "x"),)) for one in known)
    ]
