"""What a folder says about its pictures: classes, masks, and parts set apart already. Every format of labels is asked.

What is taken: what somebody chose; else, of classes and of masks, what a format is most certain of; of two that are
equally certain the one that labels most pictures.
"""

import importlib
import pkgutil
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.core.registry import Registry
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.folder_words import read_parts
from sslstudio.engine.labels.mask_names import names_by_class
from sslstudio.engine.labels.picture_choices import apply_choices, of_others, of_pictures
from sslstudio.engine.labels.role_tree import groups_of, note_unmatched, set_apart, tree_of
from sslstudio.engine.labels.roles import GROUP, LABELS, check_choices
from sslstudio.engine.labels.types import (
    ASKED_FOR,
    SOURCES,
    Candidate,
    Choices,
    ClassLabels,
    Found,
    Kind,
    LabelSource,
    MaskLabels,
    Recognised,
)

FORMATS = "sslstudio.engine.labels.formats"
MADE_HERE = "sslstudio.engine.labels.editing.made_here"  # what the editor writes is a format as well


def load_sources() -> Registry[type[LabelSource]]:
    """The registry after importing every module of the formats: a new file is found without being named anywhere."""
    package = importlib.import_module(FORMATS)
    for module in pkgutil.iter_modules(package.__path__):
        inside = ".labels" if module.ispkg else ""  # where a package has its source
        importlib.import_module(f"{FORMATS}.{module.name}{inside}")
    importlib.import_module(MADE_HERE)
    return SOURCES


def recognise(index: ImageIndex, labels_file: str = "", roles: Mapping[str, str] | None = None) -> Recognised:
    """What `recognising` returns, in one go."""
    return to_end(recognising(index, labels_file, roles))


def recognising(
    index: ImageIndex, labels_file: str = "", roles: Mapping[str, str] | None = None
) -> Generator[Preparing, None, Recognised]:
    """Tell pictures from masks and find the classes and the parts that the folder gives.

    labels_file: a file or folder of any format, relative to the data folder or absolute; one made in the program holds
    all labels there are; empty: what lies beside the pictures, if it fits.
    roles: what a person said that folders, files and columns are: see `labels.roles`.
    Raises DataError when the labels asked for cannot be used. What is wrong with others is in `problems`.
    """
    check_choices(roles or {})
    chosen = of_others(roles or {})
    labels_file = labels_file or _chosen_labels(chosen)
    sources = {name: SOURCES[name]() for name in _in_order(load_sources())}
    asked = index.root / Path(labels_file).expanduser() if labels_file else None
    asked_source = max(sources, key=lambda name: sources[name].takes(asked)) if asked else ""
    among = [name for name, source in sources.items() if source.among_pictures]
    apart = set_apart(index, chosen)
    index = apart.rest
    masks = {name: sources.pop(name) for name in among}
    found = yield from _ask(masks, index, Choices(roles=chosen), asked, asked_source)
    files = frozenset[str]().union(*(one.found.files for one in found))
    pictures = index.subset([path for path in index.paths if path not in files]) if files else index
    parts = read_parts(pictures.paths, chosen)
    if asked_source in sources and sources[asked_source].complete:
        beside = {name: one for name, one in sources.items() if one.sets_apart}
        aside = yield from _ask(beside, pictures, Choices(parts=parts, roles=chosen), None, "")
        found, sources = [_without_labels(one) for one in aside], {asked_source: sources[asked_source]}
    found += yield from _ask(sources, pictures, Choices(parts=parts, roles=chosen), asked, asked_source)
    recognised = _choose(pictures, found, parts)
    groups = groups_of(pictures.paths, chosen) or _chosen_groups(found)
    told = tree_of(recognised, apart, [one.found for one in found], chosen)
    notes = (*apart.notes, *_unread(recognised), *recognised.notes, *note_unmatched(chosen, told, index))
    recognised = replace(recognised, roles=told, groups=groups, notes=notes)
    return apply_choices(recognised, of_pictures(roles or {}))


def _chosen_labels(chosen: Mapping[str, str]) -> str:
    """The file that a person said holds the labels; of files a picture ('labels/*.txt') their folder."""
    path = next((path for path, role in chosen.items() if role == LABELS), "")
    return path.rpartition("/")[0] or "." if "*" in path else path


_MAY_HOLD_LABELS = (".json", ".xml", ".geojson", ".npy", ".npz", ".mat", ".h5", ".hdf5", ".xlsx", ".xls")


def _unread(recognised: Recognised) -> Iterable[Message]:
    """Say which files may hold labels of a kind that is not read, where none were found."""
    if recognised.classes is not None or recognised.masks is not None or recognised.notes:
        return
    for suffix in _MAY_HOLD_LABELS:
        if count := recognised.pictures.ignored.get(suffix):
            yield Message(
                "{n:,} {suffix} {n:plural(file was|files were)} not read: if {n:plural(it holds|they hold)} labels, "
                "save them as COCO, YOLO, Pascal VOC, labelme, GeoJSON or CSV.",
                n=count,
                suffix=suffix,
            )


def _without_labels(answer: "_Answer") -> "_Answer":
    """What a table says of parts and groups, where the labels are others."""
    return _Answer(answer.source, replace(answer.found, labels=None, reason=NOTHING, notes=(), problem=None))


def _chosen_groups(answers: Iterable["_Answer"]) -> Mapping[str, str]:
    """The groups of a table, where somebody said which column names them."""
    for one in answers:
        if one.found.groups and any(role.chosen and role.role == GROUP for role in one.found.roles):
            return one.found.groups
    return {}


def _in_order(sources: Registry[type[LabelSource]]) -> list[str]:
    """Their names by module, what is made here last: where two formats know a folder one of them is believed, and that
    must not depend on which was imported first."""
    modules = {name: sources[name].__module__ for name in sources}
    return sorted(modules, key=lambda name: (modules[name] == MADE_HERE, modules[name], name))


@dataclass(frozen=True)
class _Answer:
    source: str
    found: Found


def _ask(
    sources: Mapping[str, LabelSource], pictures: ImageIndex, choices: Choices, asked: Path | None, asked_source: str
) -> Generator[Preparing, None, list[_Answer]]:
    answers: list[_Answer] = []
    for name, source in sources.items():
        found = source.candidates(pictures, replace(choices, asked=asked if name == asked_source else None))
        listed = (yield from found) if isinstance(found, Generator) else found
        answers += [_Answer(name, one) for one in listed]
    return answers


# Choosing


def _choose(pictures: ImageIndex, answers: Sequence[_Answer], parts: Mapping[str, str]) -> Recognised:
    found = [one.found for one in answers]
    best_classes, best_masks = _best(found, "classes"), _best(found, "masks")
    problems: dict[str, DataError] = {
        one.kind: one.problem for one in (best_classes, best_masks) if one and one.problem
    }
    problems = _why_none(found, (best_classes, best_masks)) | problems
    parts = parts or (dict(best_classes.parts) if best_classes else {}) or _parts_alone(found)
    classes = best_classes.labels if best_classes and isinstance(best_classes.labels, ClassLabels) else None
    masks = best_masks.labels if best_masks and isinstance(best_masks.labels, MaskLabels) else None
    if classes:
        classes = replace(classes, notes=(*classes.notes, *_note_others(found, best_classes)))
    if best_masks and masks and best_masks.unnamed and classes:
        masks = replace(masks, names=names_by_class(pictures.root, masks, classes) or masks.names)
    given, part_notes = _drop_unlabelled(parts, classes, masks)
    taken = (best_classes, best_masks)
    return Recognised(
        pictures,
        classes,
        masks,
        given,
        (*_notes(found, taken), *_note_others(found, best_masks), *part_notes),
        tuple(_candidates(answers, taken)),
        drawn=next((one.drawn for one in found if one.drawn is not None), None),
        problems=problems,
    )


def _parts_alone(found: Iterable[Found]) -> dict[str, str]:
    """The parts of a table whose classes are not taken, or that gives none."""
    return next((dict(one.parts) for one in found if one.parts), {})


def _why_none(found: Iterable[Found], taken: Sequence[Found | None]) -> dict[str, DataError]:
    """Why there are no labels of a kind although something looks like them."""
    kinds = {one.kind for one in taken if one and one.labels}
    why = [one for one in found if one.labels is None and one.reason and one.kind not in kinds]
    return {one.kind: DataError.of(one.reason) for one in why}


def _best(found: Iterable[Found], kind: Kind) -> Found | None:
    """The most certain; of equally certain ones that of most pictures; of these the first."""
    usable = [one for one in found if one.kind == kind and one.usable]
    best = max(usable, key=lambda one: (one.certainty, len(one.labels.of) if one.labels else 0), default=None)
    if best and best.problem and best.certainty == ASKED_FOR:
        raise best.problem
    return best


def _note_others(found: Iterable[Found], taken: Found | None) -> list[Message]:
    """Note the labels that were not taken because others were."""
    if taken is None:
        return []
    others = [one for one in found if one.kind == taken.kind and one.labels and one is not taken and one.called]
    others = [one for one in others if not one.files or not one.files <= taken.files]  # the same, told by less
    return [
        Message("There are {others} too; {taken} were taken.", others=one.called, taken=taken.itself) for one in others
    ]


def _notes(found: Iterable[Found], taken: Sequence[Found | None]) -> list[Message]:
    kinds = {one.kind for one in taken if one}
    notes: list[Message] = []
    for one in found:
        notes += one.notes
        if one.problem and not one.notes:
            notes.append(one.problem.message)
        if not one.usable and not one.notes and one.kind not in kinds and one.reason:
            notes.append(one.reason)
    return notes


def _candidates(answers: Iterable[_Answer], taken: Sequence[Found | None]) -> Iterable[Candidate]:
    for answer in answers:
        one = answer.found
        if one.labels is not None:
            yield Candidate(
                answer.source,
                one.kind,
                one.labels.found_in,
                len(one.labels.of),
                one.reason,
                one.certainty,
                any(one is other for other in taken),
            )


# Parts


def _drop_unlabelled(
    given: Mapping[str, str], classes: ClassLabels | None, masks: MaskLabels | None
) -> tuple[dict[str, str], tuple[Message, ...]]:
    """Drop the given parts that have no label at all: nothing can be tested on them."""
    labelled = {*(classes.of if classes else ()), *(masks.of if masks else ())}
    empty = sorted(set(given.values()) - {given[path] for path in labelled if path in given} - {"train"})
    if not labelled or not empty:
        return dict(given), ()
    kept = {path: part for path, part in given.items() if part not in empty}
    return kept, (
        Message(
            "The pictures in the folder for {parts:and} have no labels: they are used for pretraining only.",
            parts=empty,
        ),
    )
