"""What is in a folder, in figures and words, before anything is trained on it."""

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sslstudio.engine.control import RunControl
from sslstudio.engine.data.album import Album
from sslstudio.engine.data.cache import PixelCache, build_cache
from sslstudio.engine.data.groups import suggest_groups
from sslstudio.engine.data.index import scan
from sslstudio.engine.data.labels import Recognised, recognising
from sslstudio.engine.events import Preparing

LISTED = 20  # files named one by one on a terminal


@dataclass(frozen=True)
class Overview:
    """A folder that was read once through."""

    folder: Path
    recognised: Recognised
    cache: PixelCache

    @property
    def classes(self) -> dict[str, int]:
        """Class -> number of pictures."""
        found = self.recognised.classes
        if found is None:
            return {}
        counts = Counter(found.of.values())
        return {name: counts[number] for number, name in enumerate(found.names)}

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        masks, classes, index = self.recognised.masks, self.recognised.classes, self.cache.index
        return {
            "folder": str(self.folder),
            "pictures": len(index),
            "unreadable": [{"file": one.path, "reason": one.reason} for one in index.unreadable],
            "ignored": index.ignored,
            "median_size": self._median_size(),
            "classes": self.classes,
            "classes_found_in": classes.found_in if classes else None,
            "masks": len(masks.of) if masks else 0,
            "mask_classes": list(masks.names) if masks else [],
            "given_split": dict(Counter(self.recognised.given_split.values())),
            "notes": self.notes(),
            "suggested_groups": suggest_groups(index.paths),
        }

    def _median_size(self) -> list[int]:
        return [int(median(self.cache.sizes[:, 0].tolist())), int(median(self.cache.sizes[:, 1].tolist()))]

    def notes(self) -> list[str]:
        """What the recognition of labels has to say."""
        masks, classes = self.recognised.masks, self.recognised.classes
        return [*self.recognised.notes, *(classes.notes if classes else ()), *(masks.notes if masks else ())]

    def lines(self) -> list[str]:
        """For people."""
        facts = self.to_json()
        height, width = facts["median_size"]
        lines = [f"{facts['pictures']:,} pictures in {self.folder}, typically {width} x {height} pixels"]
        if isinstance(root := self.cache.index.root, Album):
            each = self.cache.index.counts()
            lines.append("Folders: " + ", ".join(f"{name} {each.get(name, 0):,}" for name in root.folders))
        if self.classes:
            counts = ", ".join(f"{name} {count:,}" for name, count in self.classes.items())
            lines.append(f"Classes from {facts['classes_found_in']}: {counts}")
        if facts["masks"]:
            lines.append(f"Masks for {facts['masks']:,} pictures: {', '.join(facts['mask_classes'])}")
        if not self.classes and not facts["masks"]:
            lines.append("No labels were recognised: pretraining needs none.")
        if facts["given_split"]:
            lines.append(
                "The folders say: " + ", ".join(f"{n:,} for {part}" for part, n in facts["given_split"].items())
            )
        lines += [f"Note: {note}" for note in self.notes()]
        if facts["suggested_groups"]:
            lines.append(f"Pictures may belong together; keep them so with: --groups '{facts['suggested_groups']}'")
        if facts["ignored"]:
            kinds = ", ".join(f"{suffix or 'no suffix'} {count:,}" for suffix, count in facts["ignored"].items())
            lines.append(f"Other files, left alone: {kinds}")
        return lines + self._unreadable_lines()

    def _unreadable_lines(self) -> list[str]:
        broken = self.cache.index.unreadable
        if not broken:
            return ["Every picture can be read."]
        lines = [f"{len(broken):,} files cannot be read:"]
        lines += [f"  {one.path}: {one.reason}" for one in broken[:LISTED]]
        if len(broken) > LISTED:
            lines.append(f"  and {len(broken) - LISTED:,} more (all of them with --json)")
        return lines


def look_at(folder: Path, labels_file: str, side: int, control: RunControl) -> Generator[Preparing, None, Overview]:
    """Read every picture of a folder once (into the cache of this `side`) and recognise its labels."""
    yield Preparing(stage="Looking for pictures", done=0, total=0)
    recognised = yield from recognising(scan(folder), labels_file)
    cache = yield from build_cache(recognised.pictures, side, control=control)
    return Overview(folder, recognised, cache)
