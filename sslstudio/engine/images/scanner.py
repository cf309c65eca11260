"""One pass over the folders below a root: the names of all pictures, in runs that lie in one folder."""

import os
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.images.formats.errors import from_os
from sslstudio.engine.images.listing import Listed, Unreadable, list_folder
from sslstudio.engine.images.listing_cache import Remembered

FIRST = 60  # pictures named while a scan goes on: what a screen shows
_SAY_SECONDS = 0.1


class Found(NamedTuple):
    """How far a scan is: pictures so far, and the first of them."""

    pictures: int
    first: tuple[str, ...]


class Run(NamedTuple):
    """Pictures of one folder that follow one another: the folder ('' or with a slash at the end), and the names with a
    slash between them. A million pictures take some 15 MB this way, as objects a hundred."""

    prefix: str
    names: str
    pictures: int


class Walk:
    """One pass over a tree. Linked folders wait until all real ones are done, so that a picture keeps its real path."""

    def __init__(self, root: Path, remembered: Remembered) -> None:
        self.pictures = 0
        self.unreadable: list[Unreadable] = []
        self.ignored: Counter[str] = Counter()
        self._root = os.fspath(root)
        self._remembered = remembered
        self._seen: set[tuple[int, int]] = set()
        self._folders: deque[str] = deque([""])
        self._links: deque[str] = deque()
        self._listed: dict[str, Listed] = {}  # by prefix
        self._first: tuple[str, ...] = ()
        self._said, self._shown = 0.0, False

    def run(self) -> Iterator[Found]:
        while self._folders or self._links:
            prefix = self._folders.popleft() if self._folders else self._links.popleft()
            try:
                yield from self._list(prefix)
            except OSError as error:
                if not prefix:
                    raise DataError(
                        "The folder {root} cannot be listed: {reason}.", root=self._root, reason=from_os(error)
                    ) from error
                reason = Message("the folder cannot be listed: {reason}", reason=from_os(error))
                self.unreadable.append(Unreadable(prefix.rstrip("/"), reason))
        self._remembered.keep(self.pictures)

    def _list(self, prefix: str) -> Iterator[Found]:
        began = time.time_ns()
        about = os.stat(os.path.join(self._root, prefix))
        if (about.st_dev, about.st_ino) in self._seen:
            return
        self._seen.add((about.st_dev, about.st_ino))
        listed = self._remembered.recall(prefix, about)
        if listed is None:
            steps = list_folder(self._root, prefix)
            while True:
                try:
                    yield from self._say(prefix, next(steps).names)
                except StopIteration as end:
                    folder = end.value
                    break
            listed = self._remembered.note(prefix, about, folder, began)
        self._take(prefix, listed)
        yield from self._say(prefix, [])

    def _say(self, prefix: str, names: list[str]) -> Iterator[Found]:
        """Tell of the first pictures at once, and then ten times a second."""
        now = time.monotonic()
        full = not self._shown and len(self._first) + len(names) >= FIRST
        if full or now - self._said >= _SAY_SECONDS:
            self._said, self._shown = now, self._shown or full
            room = max(0, FIRST - len(self._first))
            more = tuple(prefix + name for name in names[:room])
            yield Found(self.pictures + len(names), self._first + more)

    def _take(self, prefix: str, folder: Listed) -> None:
        self.pictures += folder.pictures
        self._first += tuple(prefix + name for name in folder.first(FIRST - len(self._first)))
        self.unreadable += folder.unreadable
        self.ignored.update(folder.ignored)
        self._folders.extend(prefix + name + "/" for name in folder.folders)
        self._links.extend(prefix + name + "/" for name in folder.links)
        self._listed[prefix] = folder

    def runs(self) -> Iterator[Run]:
        """Everything in the order of the paths: the pictures of a folder are cut where a folder in it has its place."""
        ahead: list[str | Run] = [""]
        while ahead:
            part = ahead.pop()
            if isinstance(part, Run):
                yield part
            elif part in self._listed:
                ahead += reversed(list(self._parts(part)))

    def _parts(self, prefix: str) -> Iterator[str | Run]:
        names, count, folders, links, *_ = self._listed[prefix]
        below = folders + links
        if not below or not count:
            yield from [Run(prefix, names, count)] if count else []
            yield from sorted(f"{prefix}{name}/" for name in below)
            return
        rest, start = names.split("/"), 0
        for name in sorted(name + "/" for name in below):
            end = bisect_left(rest, name)
            if end > start:
                yield Run(prefix, "/".join(rest[start:end]), end - start)
            yield prefix + name
            start = end
        if start < count:
            yield Run(prefix, "/".join(rest[start:]), count - start)
