"""Which build of PyTorch fits a card and its driver.

NVIDIA's rules: a build with CUDA 13 needs a driver of 580 or newer and a card of capability 7.5 or newer (Turing);
one with CUDA 12 runs with every driver of 525 (Windows: 528) or newer, and PyTorch's builds with CUDA 12.6 hold kernels
for cards down to 5.0 (Maxwell), those with 12.8 for 7.0 to 12.0 (Blackwell). Sources: CUDA Toolkit release notes,
tables of driver versions; PyTorch's RELEASE.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import Message
from sslstudio.engine.gpu_part.card import Card

INDEX = "https://download.pytorch.org/whl"
DOWNLOAD, UNPACKED = 3_500_000_000, 7_000_000_000  # bytes, about: what people are told, and what must be free


@dataclass(frozen=True)
class Build:
    """A kind of builds of PyTorch: its name at the index, the oldest driver, the oldest and newest capability."""

    name: str
    driver: int
    oldest: tuple[int, int]
    newest: tuple[int, int]


BUILDS = (  # the first that fits is taken
    Build("cu130", 580, (7, 5), (12, 1)),
    Build("cu128", 525, (7, 0), (12, 0)),
    Build("cu126", 525, (5, 0), (9, 0)),
)


@dataclass(frozen=True)
class Plan:
    """What is fetched for which card. `version`: '2.13.0+cu130'; `mirror`: instead of PyTorch's own index; `folder`: of
    wheels, instead of any network."""

    card: Card
    build: Build
    version: str
    mirror: str = ""
    folder: Path | None = None

    @property
    def index(self) -> str:
        """Where it is fetched from."""
        return f"{(self.mirror or INDEX).rstrip('/')}/{self.build.name}"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"torch-{self.version}"

    def about(self) -> Message:
        """What would happen, for people who are about to say yes."""
        if self.folder is not None:
            return Message(
                "For {card}: PyTorch {version} from {folder}. About {unpacked:.0f} GB are needed on the disk; nothing "
                "is fetched from the network.",
                card=self.card.name,
                version=self.version,
                folder=self.folder,
                unpacked=UNPACKED / 1e9,
            )
        return Message(
            "For {card}: PyTorch {version} from {index}. About {download:.1f} GB are fetched, and {unpacked:.0f} GB "
            "are needed on the disk.",
            card=self.card.name,
            version=self.version,
            index=self.index,
            download=DOWNLOAD / 1e9,
            unpacked=UNPACKED / 1e9,
        )


def make_plan(cards: Sequence[Card], version: str, mirror: str = "", folder: Path | None = None) -> Plan:
    """The plan for the best of these cards; `version` is that of the program's own PyTorch ('2.13.0+cpu').

    Raises DataError, in words, when there is no card, the driver is too old, or no build has kernels for the card.
    """
    if not cards:
        raise DataError(
            "No NVIDIA card was found: nvidia-smi, which comes with the driver, is not there or does not answer. "
            "Install the driver of the card first. Without a card everything works on the CPU."
        )
    card = max(cards, key=lambda one: (one.capability, one.memory))
    held = [build for build in BUILDS if build.oldest <= card.capability <= build.newest]
    if not held:
        raise DataError(
            "There is no build of PyTorch for {card} (compute capability {major}.{minor}). Known are cards from "
            "{oldest} to {newest}. Trainings go on on the CPU.",
            card=card.name,
            major=card.capability[0],
            minor=card.capability[1],
            oldest=_dotted(min(build.oldest for build in BUILDS)),
            newest=_dotted(max(build.newest for build in BUILDS)),
        )
    fits = [build for build in held if build.driver <= card.driver[0]]
    if not fits:
        raise DataError(
            "The driver of {card} is version {driver}, and PyTorch needs {needed} or newer. Update the driver, then "
            "try again.",
            card=card.name,
            driver=".".join(map(str, card.driver)),
            needed=min(build.driver for build in held),
        )
    return Plan(card, fits[0], f"{version.partition('+')[0]}+{fits[0].name}", mirror.strip(), folder)


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"
