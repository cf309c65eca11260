"""Weights that come with the program: learnt from general photographs, to start from where own pictures are few.

Each is a file in resources/weights with a card beside it (NAME.json) that says what it saw, its licence and its hash.
Wherever a run says what it starts from, `general` means the default of them and `general:NAME` a certain one. Nothing
is ever downloaded.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from sslstudio.engine.core.errors import ConfigError, DataError, did_you_mean
from sslstudio.engine.core.files.resource_files import find_resource
from sslstudio.engine.core.messages import Message

GENERAL = "general"
DEFAULT = "efficientnet_lite0"
FOLDER = "weights"


@dataclass(frozen=True)
class GeneralWeights:
    """What the card says. `encoder` is the one that they are for; `side` that of the pictures they saw, in pixels."""

    name: str
    encoder: str
    title: str
    dataset: str
    pictures: int
    classes: int
    side: int
    licence: str
    source: str
    file: str
    bytes: int
    sha256: str

    @property
    def source_name(self) -> str:
        """How a config names them."""
        return f"{GENERAL}:{self.name}"

    def about(self) -> Message:
        """What they are, in a sentence for people who choose what to start from."""
        return Message(
            "{title}, learnt from {pictures:,} photographs of {classes:,} kinds of things ({dataset}). Licence "
            "{licence}, {size:.1f} MB, part of the program.",
            title=self.title,
            pictures=self.pictures,
            classes=self.classes,
            dataset=self.dataset,
            licence=self.licence,
            size=self.bytes / 1e6,
        )

    def read(self) -> dict[str, Tensor]:
        """The tensors, float32. Raises DataError when the file is missing or not the one that the card describes."""
        try:
            content = _path(self.file).read_bytes()
        except OSError as error:
            raise DataError("The general weights {file} are missing. Install the program again.", file=self.file) from (
                error
            )
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise DataError(
                "The general weights {file} are damaged: their hash is not the one on their card. Install the program "
                "again.",
                file=self.file,
            )
        return {name: value.float() if value.is_floating_point() else value for name, value in load(content).items()}


def is_general(source: str) -> bool:
    """Whether a config starts from weights that come with the program."""
    return source.partition(":")[0] == GENERAL


def find_general(source: str) -> GeneralWeights:
    """The card of `general` or `general:NAME`. Raises ConfigError with the nearest name when there are none of it."""
    name = source.partition(":")[2] or DEFAULT
    cards = list_general()
    if name not in cards:
        raise ConfigError("There are no general weights {name!r}. {hint}", name=name, hint=did_you_mean(name, cards))
    return cards[name]


@cache
def list_general() -> dict[str, GeneralWeights]:
    """The cards of all weights that come with the program, by name."""
    cards = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(find_resource(FOLDER).glob("*.json"))]
    return {card["name"]: GeneralWeights(**card) for card in cards}


def _path(file: str) -> Path:
    return find_resource(f"{FOLDER}/{file}")
