"""What a tournament is made of: its config, and where each of its runs is kept."""

from dataclasses import dataclass
from pathlib import Path

from sslstudio.engine.core.config import BaseConfig, Overrides, from_dict, option, section
from sslstudio.engine.core.messages import Message
from sslstudio.engine.core.migrations import unstamped
from sslstudio.engine.experiments.compare_cells import Place
from sslstudio.engine.experiments.compare_config import CompareConfig, pretraining_sections, tasks_of
from sslstudio.engine.experiments.tournament_plan import rounds
from sslstudio.engine.images.multi_folder import title_of
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.runs.experiment_folder import CONFIGS, TOURNAMENT, study_settings
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.training.config import DataConfig, HardwareConfig


@dataclass(frozen=True, kw_only=True)
class TournamentConfig(BaseConfig):
    """Which task is best for these pictures, in the time that there is."""

    out: str = option("", "Folder", "Where the tournament is kept.")
    tasks: tuple[str, ...] = option((), "Pretext tasks", "Names, separated by commas; empty: every task that suits.")
    minutes: float = option(30.0, "Minutes", "In all.", low=0.2, high=100_000)
    pretrain_settings: Overrides = option(
        Overrides(),
        "Pretraining options",
        "Options of pretraining or of one task, for example optimiser.batch_size=128 or jigsaw.permutations=504.",
        advanced=True,
        sections=pretraining_sections,
    )
    data: DataConfig = section(DataConfig)
    encoder: EncoderConfig = section(EncoderConfig)
    hardware: HardwareConfig = section(HardwareConfig)

    def title(self) -> Message:
        """What it is called, for people."""
        return Message(
            "Tournament on {folder}, {minutes:g} minutes", folder=title_of(self.data.folder), minutes=self.minutes
        )

    def runs(self) -> CompareConfig:
        """The same as what a comparison is told, which knows how to make a pretraining of it."""
        return CompareConfig(
            out=self.out,
            tasks=self.tasks or tuple(load_tasks()),
            pretrain_settings=self.pretrain_settings,
            data=self.data,
            encoder=self.encoder,
            hardware=self.hardware,
        )


def stored_tournament(out: Path) -> TournamentConfig | None:
    """What the tournament in this folder is of, None when there is none."""
    if not (out / CONFIGS[TOURNAMENT]).exists():
        return None
    return from_dict(TournamentConfig, unstamped(study_settings(out, TOURNAMENT)))


def place_of(config: TournamentConfig, number: int, task: str) -> Place:
    """Where the run of a task in round `number`, counted from 1, is kept."""
    return Place(Path(config.out) / f"round-{number}" / task)


def places_of(config: TournamentConfig) -> list[Place]:
    """Every run that there can be, but the winner's."""
    tasks = tasks_of(config.runs())
    return [place_of(config, number, task) for number in range(1, rounds(len(tasks)) + 1) for task in tasks]


def winner_place(config: TournamentConfig) -> Place:
    """Where the rest of the time of the winner is kept."""
    return Place(Path(config.out) / "winner")
