"""What the names of folders and files say: which hold pictures, masks, or a part of a data set that is set apart."""

import re
from collections.abc import Sequence
from functools import lru_cache

SPLIT_WORDS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
PICTURE_WORDS = frozenset({
    "image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "input", "inputs",
    "jpegimages",
})  # fmt: skip
MASK_WORDS = frozenset({
    "mask", "masks", "label", "labels", "annotation", "annotations", "seg", "segmentation", "segmentations",
    "segmentationclass", "gt", "groundtruth", "groundtruths",
})  # fmt: skip


@lru_cache(maxsize=100_000)
def folder_words(name: str) -> tuple[str, ...]:
    """Lower-case words of a folder name: 'Train_Masks' -> ('train', 'masks'), 'ground_truth' -> ('groundtruth',)."""
    return tuple(
        word for word in re.split(r"[_\-. ]+", re.sub(r"ground[_\- ]truth", "groundtruth", name.lower())) if word
    )


@lru_cache(maxsize=100_000)
def plain_folder(name: str) -> str:
    """A folder name without the words for pictures and masks; '' when nothing else is in it."""
    words = folder_words(name)
    if not set(words) <= PICTURE_WORDS | MASK_WORDS | SPLIT_WORDS.keys():
        return name.lower()  # with_mask and no_mask are classes of people's faces
    return "_".join(word for word in words if word in SPLIT_WORDS)


def part_of_folder(folder: str) -> str | None:
    """The part that a folder of this name holds: train, validation or test."""
    return SPLIT_WORDS.get(plain_folder(folder))


def read_parts(paths: Sequence[str]) -> dict[str, str]:
    """Read the part (train, validation, test) of each picture off its folders; {} unless two parts are named."""
    parts = {}
    for path in paths:
        found = [part for name in folders_of(path) if (part := part_of_folder(name))]
        if found:
            parts[path] = found[0]
    return parts if len(set(parts.values())) >= 2 and "train" in parts.values() else {}


def folders_of(path: str) -> tuple[str, ...]:
    """('a', 'b') for a/b/1.png. Text only: pathlib takes seconds for a hundred thousand paths."""
    return tuple(path.split("/")[:-1])


def name_of(path: str) -> str:
    """1.png for a/b/1.png."""
    return path.rpartition("/")[2]


def stem_of(path: str) -> str:
    """1 for a/b/1.png."""
    name = name_of(path)
    return name.rpartition(".")[0] or name


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts 'stage 2' before 'stage 10'."""
    pieces = re.split(r"(\d+)", name.casefold())
    return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece)
