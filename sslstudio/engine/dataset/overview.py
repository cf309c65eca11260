"""What is in a folder, in figures and words, before anything is trained on it."""

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.file_parts import FIRST, choose_parts, left_out_words, left_over
from sslstudio.engine.dataset.groups import suggest_groups
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache
from sslstudio.engine.images.index import scan
from sslstudio.engine.images.multi_folder import Album
from sslstudio.engine.labels.recognise import recognising
from sslstudio.engine.labels.roles import OF_FOLDERS, Role, place_among
from sslstudio.engine.labels.types import Recognised

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
            "side": self.cache.side,
            "left_out": [vars(one) for one in left_over(index.left)],
            "left_out_in_words": self.left_out(),
            "classes": self.classes,
            "classes_found_in": classes.found_in if classes else None,
            "masks": len(masks.of) if masks else 0,
            "mask_classes": list(masks.names) if masks else [],
            "given_split": dict(Counter(self.recognised.given_split.values())),
            "roles": [one.to_json() for one in self.recognised.roles],
            "groups": len(set(self.recognised.groups.values())),
            "excluded": list(self.recognised.excluded),
            "label_sources": [vars(one) for one in self.recognised.candidates],
            "notes": self.notes(),
            "suggested_groups": suggest_groups(index.paths),
        }

    def _median_size(self) -> list[int]:
        return [int(median(self.cache.sizes[:, 0].tolist())), int(median(self.cache.sizes[:, 1].tolist()))]

    def notes(self) -> list[str]:
        """What the recognition of labels has to say."""
        masks, classes = self.recognised.masks, self.recognised.classes
        return [*self.recognised.notes, *(classes.notes if classes else ()), *(masks.notes if masks else ())]

    def left_out(self) -> list[Message]:
        """What of the pictures is not used, in sentences."""
        sizes = [(int(height), int(width)) for height, width in self.cache.sizes.tolist()]
        return left_out_words(self.cache.index, sizes, self.cache.side)

    def lines(self) -> list[Message]:
        """For people."""
        facts = self.to_json()
        height, width = facts["median_size"]
        lines = [
            Message(
                "{n:,} pictures in {folder}, typically {width} x {height} pixels",
                n=facts["pictures"],
                folder=self.folder,
                width=width,
                height=height,
            )
        ]
        if isinstance(root := self.cache.index.root, Album):
            each = self.cache.index.counts()
            counted = [Message("{name} {n:,}", name=name, n=each.get(name, 0)) for name in root.folders]
            lines.append(Message("Folders: {counted}", counted=counted))
        if self.classes:
            counts = [Message("{name} {n:,}", name=name, n=count) for name, count in self.classes.items()]
            lines.append(
                Message("Classes from {found_in}: {counts}", found_in=facts["classes_found_in"], counts=counts)
            )
        if facts["masks"]:
            lines.append(Message("Masks for {n:,} pictures: {names}", n=facts["masks"], names=facts["mask_classes"]))
        if not self.classes and not facts["masks"]:
            lines.append(Message("No labels were recognised: pretraining needs none."))
        if facts["given_split"]:
            lines.append(
                Message(
                    "The folders say: {parts}",
                    parts=[Message("{n:,} for {part}", n=n, part=part) for part, n in facts["given_split"].items()],
                )
            )
        lines += role_lines(self.recognised.roles)
        lines += [Message("Note: {note}", note=note) for note in [*self.left_out(), *self.notes()]]
        if facts["suggested_groups"]:
            lines.append(
                Message(
                    "Pictures may belong together; keep them so with: --groups '{rule}'",
                    rule=facts["suggested_groups"],
                )
            )
        if facts["ignored"]:
            kinds = [
                Message("{suffix} {n:,}", suffix=suffix or Message("no suffix"), n=count)
                for suffix, count in facts["ignored"].items()
            ]
            lines.append(Message("Other files, left alone: {kinds}", kinds=kinds))
        return lines + self._unreadable_lines()

    def _unreadable_lines(self) -> list[Message]:
        broken = self.cache.index.unreadable
        if not broken:
            return [Message("Every picture can be read.")]
        lines = [Message("{n:,} {n:plural(file|files)} cannot be read:", n=len(broken))]
        lines += [Message("  {path}: {reason}", path=one.path, reason=one.reason) for one in broken[:LISTED]]
        if len(broken) > LISTED:
            lines.append(Message("  and {n:,} more (all of them with --json)", n=len(broken) - LISTED))
        return lines


def role_lines(told: Sequence[Role]) -> list[Message]:
    """The tree of roles, for a terminal: one line a folder, file or column, indented as it lies."""
    if not told:
        return []
    lines = [Message("What is what (change it with --role PATH=ROLE):")]
    listed = {one.path for one in told}
    for one in told:
        above, name = place_among(one.path, listed)
        deep = (above.count("/") + 1 if above else 0) + bool(one.path)
        mark = "/" if one.choices == OF_FOLDERS and one.path else ""
        lines.append(
            Message(
                "{indent}{name}{mark}  {role} ({n:,}): {reason}",
                indent="  " * (deep + 1), name=name or ".", mark=mark, role=one.title, n=one.count, reason=one.reason,
            )
        )  # fmt: skip
    return lines


def look_at(
    folder: Path,
    labels_file: str,
    side: int,
    control: RunControl,
    roles: Mapping[str, str] | None = None,
    channels: str = "",
    pages: str = FIRST,
) -> Generator[Preparing, None, Overview]:
    """Read every picture of a folder once (into the cache of this `side`) and recognise its labels. `channels` and
    `pages`: see `choose_parts`."""
    yield Preparing(stage=Message("Looking for pictures"), done=0, total=0)
    recognised = choose_parts((yield from recognising(scan(folder), labels_file, roles)), channels, pages)
    cache = yield from build_cache(recognised.pictures, side, control=control)
    return Overview(folder, recognised, cache)
