"""From labels that were corrected somewhere else to edits of the labels made in the program, by names of classes."""

from collections.abc import Iterator, Mapping

from sslstudio.engine.labels.editing.edits import Edit
from sslstudio.engine.labels.editing.store import Labelling


def name_of(store: Labelling, path: str) -> str:
    """What the class of a picture is called, '' for none."""
    known = store.classes["classification"].get(store.of.get(path, 0))
    return known.name if known else ""


def correcting(store: Labelling, labels: Mapping[str, str]) -> Iterator[Edit]:
    """The edits after which these pictures have the classes of these names ('': no label); classes that are missing are
    made. Each edit is to be applied before the next one is asked for: it builds on it.

    Raises DataError for a name that no class can have.
    """
    paths_of: dict[str, list[str]] = {}
    for path, name in labels.items():
        paths_of.setdefault(name, []).append(path)
    for name, paths in paths_of.items():
        if name and _number(store, name) is None:
            yield store.adding("classification", name)
        edit = store.labelling(paths, _number(store, name))
        if edit is not None:
            yield edit


def _number(store: Labelling, name: str) -> int | None:
    """Names that differ only in case or spaces are one class, as they are when a class is added."""
    plain = " ".join(name.split()).casefold()
    return next((one.number for one in store.names("classification") if one.name.casefold() == plain), None)


def other_labels(store: Labelling, labels: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Of labels from elsewhere those of pictures that have none in the store, and those of pictures that have another
    one there."""
    lacking, differing = {}, {}
    for path, name in labels.items():
        if name and path not in store.of:
            lacking[path] = name
        elif name and store.of[path] != _number(store, name):
            differing[path] = name
    return lacking, differing
