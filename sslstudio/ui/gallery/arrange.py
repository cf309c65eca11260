"""Which pictures of a gallery are shown, and in which order: worked out on a thread of its own, for there may be a
million of them."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.ui.gallery.model import GalleryItem

LABELLED, UNLABELLED, RIGHT, WRONG = "labelled", "unlabelled", "right", "wrong"  # states
NAME, CLASS, SURE, DATE, SIZE = "name", "class", "confidence", "date", "size"  # what is sorted by
_AT_ONCE = 2000  # pictures between two looks at whether anybody still waits


@dataclass(frozen=True)
class Criteria:
    """What is to be seen. Empty values ask for nothing.

    name        in the name, whatever its case
    label       the class that it is labelled with
    part        train, validation or test
    state       labelled, unlabelled, right or wrong
    excluded    the pictures that were left out, and only these
    low, high   how sure the network is, 0 to 1
    sort        by what; '' as they come
    """

    name: str = ""
    label: str = ""
    part: str = ""
    state: str = ""
    excluded: bool = False
    low: float = 0.0
    high: float = 1.0
    sort: str = ""
    downwards: bool = False

    @property
    def narrow(self) -> bool:
        """Whether some pictures are to be left out of sight."""
        asked = self.name or self.label or self.part or self.state or self.excluded
        return bool(asked) or (self.low, self.high) != (0.0, 1.0)

    def fits(self, item: GalleryItem) -> bool:
        """Whether a picture is to be seen."""
        if item.excluded is not self.excluded:
            return False
        if self.name and self.name.casefold() not in (item.file or item.path.name).casefold():
            return False
        if (self.label and item.label != self.label) or (self.part and item.part != self.part):
            return False
        sure = item.confidence
        if (self.low, self.high) != (0.0, 1.0) and (sure is None or not self.low <= sure <= self.high):
            return False
        return _STATES[self.state](item)


_STATES: dict[str, Callable[[GalleryItem], bool]] = {
    "": lambda item: True,
    LABELLED: lambda item: bool(item.label or item.labelled),
    UNLABELLED: lambda item: not (item.label or item.labelled),
    RIGHT: lambda item: item.mark == "good",
    WRONG: lambda item: item.mark == "bad",
}


def _stat(item: GalleryItem) -> os.stat_result | None:
    try:
        return os.stat(file_of(os.fspath(item.path)))
    except (OSError, ValueError):
        return None


def _date(item: GalleryItem) -> float:
    about = _stat(item)
    return about.st_mtime if about else 0.0


def _size(item: GalleryItem) -> int:
    about = _stat(item)
    return about.st_size if about else 0


KEYS: dict[str, Callable[[GalleryItem], Any]] = {
    NAME: lambda item: (item.file or item.path.name).casefold(),
    CLASS: lambda item: item.label.casefold(),
    SURE: lambda item: item.confidence if item.confidence is not None else -1.0,
    DATE: _date,
    SIZE: _size,
}


def arrange(
    items: Sequence[GalleryItem], criteria: Criteria, wanted: Callable[[], bool] = lambda: True
) -> list[int] | None:
    """The numbers of the items that are to be seen, in order; of equal ones the order stays. None where nobody waits
    for it any more."""
    found: list[tuple[Any, int]] = []
    key = KEYS.get(criteria.sort)
    for number in range(len(items)):
        if number % _AT_ONCE == 0 and not wanted():
            return None
        item = items[number]
        if criteria.fits(item):
            found.append((key(item) if key else 0, number))
    if key:
        found.sort(key=lambda one: one[0], reverse=criteria.downwards)
    elif criteria.downwards:
        found.reverse()
    return [number for _, number in found]


class Arranger(QObject):
    """Works out one order at a time; an older question is given up. `done` carries the number of the question and the
    order."""

    done = Signal(int, list)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.asked = 0
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def ask(self, items: Sequence[GalleryItem], criteria: Criteria) -> int:
        """Work it out; the answer bears the number that is returned."""
        self.asked += 1
        self._pool.start(_Arranging(self, self.asked, items, criteria))
        return self.asked

    def forget(self) -> int:
        """Nobody waits for an answer any more; returns the number of the question that comes instead."""
        self.asked += 1
        return self.asked

    def finish(self) -> None:
        """The window closes."""
        self.forget()
        self._pool.clear()
        self._pool.waitForDone()


class _Arranging(QRunnable):
    def __init__(self, arranger: Arranger, number: int, items: Sequence[GalleryItem], criteria: Criteria) -> None:
        super().__init__()
        self._arranger, self._number, self._items, self._criteria = arranger, number, items, criteria

    def run(self) -> None:
        order = arrange(self._items, self._criteria, lambda: self._arranger.asked == self._number)
        if order is not None:
            with suppress(RuntimeError):  # the view was deleted meanwhile
                self._arranger.done.emit(self._number, order)
