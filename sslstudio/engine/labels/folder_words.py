"""What the names of folders and files say: which hold pictures, masks, or a part of a data set that is set apart."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.roles import PART, above_of, chosen_for

SPLIT_WORDS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
PICTURE_WORDS = frozenset({
    "image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "input", "inputs",
    "jpegimages", "imagestr", "imagests",
})  # fmt: skip
MASK_WORDS = frozenset({
    "mask", "masks", "label", "labels", "annotation", "annotations", "seg", "segmentation", "segmentations",
    "segmentationclass", "trimap", "trimaps", "labelstr", "labelsts", "gt", "groundtruth", "groundtruths",
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


_OWNER = re.compile(
    r"(patient|pat|subject|subj|sub|case|donor|person|participant|animal|mouse|slide|specimen|biopsy|video|vid|scan|study"
    r"|series|session|volume|plate|batch|lesion|well)s?[_\- ]?\d+",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(19|20)\d\d(?P<sign>[_\-. ]?)(0?[1-9]|1[0-2])(?P=sign)([0-2]?\d|3[01])([T_\- ].*)?"
    r"|\d{1,2}[_\-.]\d{1,2}[_\-.](19|20)?\d\d|(19|20)\d\d[_\-.](0?[1-9]|1[0-2])|(day|week|month|visit)[_\- ]?\d+",
    re.IGNORECASE,
)
_ENLARGED = re.compile(r"(mag(nification)?[_\- ]?)?x?[_\- ]?\d{1,4}(\.\d)?[_\- ]?x|x[_\- ]?\d{1,4}", re.IGNORECASE)
_VIEW = re.compile(
    r"(axial|coronal|sagittal|transversal|transverse|ap|pa|lateral|frontal|od|os|t1(c|ce|w|gd)?|t2w?|flair|dwi|adc|pd|swi"
    r"|cc|mlo|oblique)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?P<letters>[A-Za-z]{1,6})[_\- ]?\d{2,}|(?P<digits>\d+)|TCGA-\w\w-\w{4}.*|[0-9a-f]{8,}(-[0-9a-f]{4,})*"
)


def kind_of_group(names: Collection[str]) -> str:
    """What folders of these names are of, where they are no classes: 'owner' (patient12), 'date', 'magnification'
    (40X), 'code' (P007, 00123: numbers of patients, most likely, below folders of other names), '' for none."""
    for kind, pattern in (("owner", _OWNER), ("date", _DATE), ("magnification", _ENLARGED)):
        if names and all(pattern.fullmatch(name) for name in names):
            return kind
    matches = [_CODE.fullmatch(name) for name in names]
    if len(names) < 3 or not all(matches):
        return ""
    letters = {match["letters"].lower() for match in matches if match and match["letters"]}
    grades = all(len(name) == 1 for name in names)  # 0 to 4 may be what was found
    return "" if len(letters) > 1 or grades else "code"


def are_views(names: Collection[str]) -> bool:
    """Whether folders are called like the views or sequences of one examination: below patients they are no classes."""
    return len(names) > 1 and all(_VIEW.fullmatch(name) for name in names)


VIEWS = Message(
    "The folders below the patients are named like the views of one examination: not taken as classes. If they are: "
    "--role '*/*=class'."
)
GROUPS = {
    "owner": Message("named like patients, slides and the like"),
    "date": Message("named like dates"),
    "magnification": Message("named like magnifications"),
    "code": Message("numbered like patients or slides, below folders of other names"),
}


def part_of_folder(folder: str) -> str | None:
    """The part that a folder of this name holds: train, validation or test."""
    return SPLIT_WORDS.get(plain_folder(folder))


def read_parts(paths: Sequence[str], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """Read the part (train, validation, test) of each picture off its folders; {} unless two parts are named. chosen:
    the roles that a person gave to folders."""
    of_folder: dict[str, str] = {}
    parts = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder not in of_folder:
            of_folder[folder] = _part_on_the_way(folder, chosen or {})
        if of_folder[folder]:
            parts[path] = of_folder[folder]
    return parts if len(set(parts.values())) >= 2 and "train" in parts.values() else {}


def _part_on_the_way(folder: str, chosen: Mapping[str, str]) -> str:
    for inner in above_of(folder):
        role = chosen_for(inner, chosen)
        part = part_of_folder(inner.rpartition("/")[2]) if role in ("", PART) else None
        if part:
            return part
    return ""


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
