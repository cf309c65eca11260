"""The tree of roles: what every folder, file and column that was found is taken for. And what is set apart before any
format is asked: what a person left out, small copies of pictures, and the program's own output."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.index import HIDDEN, HIDDEN_FOLDER, SYSTEM_FOLDER, ImageIndex
from sslstudio.engine.labels import roles
from sslstudio.engine.labels.folder_words import folder_words, stem_of
from sslstudio.engine.labels.roles import Role, above_of, chosen_for
from sslstudio.engine.labels.types import Found, Recognised

SMALL_COPIES = frozenset({
    "thumb", "thumbs", "thumbnail", "thumbnails", "preview", "previews", "visualization", "visualizations",
    "visualisation", "overlay", "overlays",
})  # fmt: skip
DRAWN_OVER = ("visualization", "visualisation", "overlay", "thumbnails")
JOURNAL, OWN_MASKS = "answers.jsonl", "masks"  # what predictions are beside, and where their masks lie
LISTED = 12  # folders of one kind in one folder that are told one by one; more are told as one line, with *


@dataclass(frozen=True)
class SetApart:
    """The pictures that formats are asked about, and the folders that are none of them: folder -> role, why."""

    rest: ImageIndex
    folders: Mapping[str, Role]
    notes: tuple[Message, ...]


def set_apart(index: ImageIndex, chosen: Mapping[str, str]) -> SetApart:
    """Leave out the folders that are no pictures of the set. Raises DataError when none is left."""
    counts = _counts(index)
    out: dict[str, Role] = {}
    for folder in counts:
        for inner in above_of(folder):
            if inner in out:
                break
            role = _left_out(inner, index, counts, chosen)
            if role is not None:
                out[inner] = role
                break
    if not out:
        return SetApart(index, {}, ())
    below = Counter[str]()
    for folder, count in counts.items():
        below[next((inner for inner in above_of(folder) if inner in out), "")] += count
    out = {folder: _with_count(role, below[folder]) for folder, role in out.items()}
    prefixes = tuple(f"{folder}/" for folder in out)
    rest = index.subset([path for path in index.paths if not path.startswith(prefixes)])
    if not rest.runs:
        raise DataError(
            "Every picture in {root} is left out: {folders}. Leave fewer out.", root=index.root, folders=list(out)[:5]
        )
    notes = [
        Message("{n:,} {n:plural(file|files)} in {folder} left out. {reason}", n=role.count, folder=folder,
                reason=role.reason)
        for folder, role in out.items()
    ]  # fmt: skip
    return SetApart(rest, out, tuple(notes))


def _counts(index: ImageIndex) -> dict[str, int]:
    counts: dict[str, int] = {}
    for run in index.runs:
        folder = run.prefix.rstrip("/")
        counts[folder] = counts.get(folder, 0) + run.pictures
    return counts


def _with_count(role: Role, count: int) -> Role:
    return replace(role, count=count)


def _left_out(folder: str, index: ImageIndex, counts: Mapping[str, int], chosen: Mapping[str, str]) -> Role | None:
    said = chosen_for(folder, chosen)
    if said:
        return Role(folder, said, roles.CHOSEN, 0, True, roles.OF_FOLDERS) if said == roles.IGNORE else None
    name = folder.rpartition("/")[2]
    if name == OWN_MASKS and index.ignored.get(".jsonl"):
        above = folder.rpartition("/")[0]
        if ((index.root / above if above else index.root) / JOURNAL).exists():
            why = Message("This program predicted them: its own answers are no labels.")
            return Role(folder, roles.OWN, why, 0, choices=roles.OF_FOLDERS)
    if _is_called_copies(name) and _has_the_same_elsewhere(folder, index, counts):
        why = Message("Its files are called like pictures elsewhere: small copies, or drawn over.")
        return Role(folder, roles.IGNORE, why, 0, choices=roles.OF_FOLDERS)
    return None


def _is_called_copies(name: str) -> bool:
    return bool(set(folder_words(name)) & SMALL_COPIES) or name.lower().endswith(DRAWN_OVER)


def _has_the_same_elsewhere(folder: str, index: ImageIndex, counts: Mapping[str, int]) -> bool:
    if len(counts) > 1000:  # nobody keeps thumbnails of a thousand folders beside them by hand
        return False
    here = [stem_of(path) for path in index.paths if path.startswith(f"{folder}/")]
    others = {stem_of(path) for path in index.paths if not path.startswith(f"{folder}/")}
    return bool(here) and sum(stem in others for stem in here) >= 0.9 * len(here)


def groups_of(paths: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The group of each picture by the folders that a person said are groups; {} without any."""
    if roles.GROUP not in chosen.values():
        return {}
    of_folder: dict[str, str] = {}
    found = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in of_folder:
            grouped = [one for one in above_of(folder) if chosen_for(one, chosen) == roles.GROUP]
            of_folder[folder] = "/".join(one.rpartition("/")[2] for one in grouped)
        if of_folder[folder]:
            found[path] = of_folder[folder]
    return found


def tree_of(
    recognised: Recognised, apart: SetApart, found: Sequence[Found], chosen: Mapping[str, str]
) -> tuple[Role, ...]:
    """Every role, in the order of the paths: folders first, then files with their columns, then what is left alone."""
    every = [role for one in found for role in _as_taken(one, recognised)]
    told: dict[str, Role] = {}
    for role in every:
        before = told.get(role.path, role)
        said = before.role == role.role and role.reason == roles.HOLDS_PICTURES  # the other says more
        if role.choices == roles.OF_FOLDERS and before.role in (role.role, roles.PICTURES) and not said:
            told[role.path] = role
    tables = [role for role in every if role.choices != roles.OF_FOLDERS]
    folders = {**_default_folders(recognised.pictures, chosen), **told, **apart.folders}
    lines = _merge_siblings([folders[path] for path in sorted(folders)])
    if not tables:
        tables = [Role(one.labels.found_in, roles.LABELS, one.reason, len(one.labels.of)) for one in found
                  if one.labels and not one.roles]  # fmt: skip
    known = Counter[str]()
    for role in {role.path: role for role in tables if ":" not in role.path}.values():
        known[f".{role.path.rpartition('.')[2].lower()}"] += role.count if "*" in role.path else 1
    rest = [(suffix, count - known[suffix]) for suffix, count in recognised.pictures.ignored.items()]
    ignored = [_ignored(suffix, count) for suffix, count in rest if count > 0]
    by_path = {role.path: role for role in tables}
    by_path |= {role.path: role for role in reversed(tables) if role.role != roles.OTHER}  # a file of several formats
    return (*lines, *by_path.values(), *ignored)


def _as_taken(found: Found, recognised: Recognised) -> Iterable[Role]:
    """The roles that a format told, as they are now: what says classes is something else where others were taken."""
    taken = recognised.classes if found.kind == "classes" else recognised.masks
    if found.labels is None or taken is None or found.labels.found_in == taken.found_in:
        yield from found.roles
        return
    why = Message("The classes come from the {found_in}.", found_in=taken.found_in)
    if found.kind == "masks":
        why = Message("The masks come from the {found_in}.", found_in=taken.found_in)
    for one in found.roles:
        if one.role in (roles.CLASS, roles.LABELS) and ":" not in one.path:
            yield replace(one, role=roles.OTHER if one.role == roles.LABELS else roles.PICTURES, reason=why)
        else:
            yield one


def _default_folders(pictures: ImageIndex, chosen: Mapping[str, str]) -> dict[str, Role]:
    """Every folder that holds pictures, with the pictures below it."""
    below = Counter[str]()
    for folder, count in _counts(pictures).items():
        for inner in ["", *above_of(folder)]:
            below[inner] += count
    why, here = roles.HOLDS_PICTURES, Message("The folder that was opened.")
    return {
        folder: Role(folder, roles.PICTURES, why if folder else here, count, choices=roles.OF_FOLDERS if folder else ())
        for folder, count in below.items()
    }


def _merge_siblings(lines: Sequence[Role]) -> Iterable[Role]:
    """Tell many folders of one kind in one folder as one line (normal/*)."""
    alike: dict[tuple[str, str, Message, bool], list[Role]] = {}
    for one in lines:
        alike.setdefault((one.path.rpartition("/")[0], one.role, one.reason, one.chosen), []).append(one)
    many = {key: found for key, found in alike.items() if len(found) > LISTED and found[0].path}
    gone = {one.path for found in many.values() for one in found}
    merged: list[Role] = []
    done: set[tuple[str, str, Message, bool]] = set()
    for one in lines:
        key = (one.path.rpartition("/")[0], one.role, one.reason, one.chosen)
        if key in many and key not in done:
            done.add(key)
            above = f"{key[0]}/" if key[0] else ""
            total = sum(each.count for each in many[key])
            reason = Message("{n:,} folders, {first} ... {reason}", n=len(many[key]), reason=one.reason,
                             first=one.path.rpartition("/")[2])  # fmt: skip
            merged.append(Role(f"{above}*", one.role, reason, total, one.chosen, one.choices))
        elif one.path not in gone and not any(parent in gone for parent in above_of(one.path)[:-1]):
            merged.append(one)
    return merged


def _ignored(suffix: str, count: int) -> Role:
    reasons = {
        HIDDEN: Message("Files whose name begins with a point, such as ._1.jpg: systems keep their own there."),
        HIDDEN_FOLDER: Message("Their names begin with a point: programs keep their own there."),
        SYSTEM_FOLDER: Message("Storage boxes and systems keep small copies and deleted files there."),
    }
    return Role(suffix, roles.IGNORE, reasons.get(suffix, Message("No pictures that are read.")), count)


def note_unmatched(chosen: Mapping[str, str], told: Sequence[Role], index: ImageIndex) -> list[Message]:
    """Say which choices speak of nothing that is there."""
    if not chosen:
        return []
    folders = {inner for run in index.runs for inner in above_of(run.prefix.rstrip("/"))}
    gone = roles.unmatched(chosen, told, sorted(folders))
    return [Message("Nothing here is called {path}: the role for it has no effect.", path=path) for path in gone]
