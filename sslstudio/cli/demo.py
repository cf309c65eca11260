"""The demo: the whole job on the built-in sample, in a few minutes and without a question.

It shows every arm of a comparison: what is learnt from the sample alone, general weights, the two beside each other and
one after the other, and what needs no pretraining at all. It says which one won, whichever that is.
"""

import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from scipy.special import ndtri

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.core.messages import NOTHING, Message, join
from sslstudio.engine.evaluate.arms import PRETRAINED, arm_title
from sslstudio.engine.evaluate.scores import HEADLINE, Array, Score, difference, score
from sslstudio.engine.evaluate.verdict import BEGINNING
from sslstudio.engine.finetuning.entry import finetune
from sslstudio.engine.models.encoders import EncoderConfig
from sslstudio.engine.models.encoders.general import GENERAL
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.runs.confusions import confusions_file, read_confusions
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.sample.make import make_sample
from sslstudio.engine.training.config import DEFAULT_TASK, BudgetConfig, DataConfig, FinetuneConfig, PretrainConfig

LABELS_PER_CLASS = 10
OWN, AFTER_GENERAL = "", "-after-general"  # what the names of the runs of the two pretrainings end with
SHARES = {OWN: (0.4, 0.25), AFTER_GENERAL: (0.25, 0.1)}  # of the minutes: pretraining, fine-tuning with its twin or not
AFTER_GENERAL_TITLE = Message("General weights, then own")


@dataclass(frozen=True)
class DemoArm:
    """One arm's answers to the test pictures."""

    title: Message
    paths: tuple[str, ...]
    confusions: Array  # (n, C, C)
    score: Score


def demo_folder() -> Path:
    """Where the runs of a demo go, unless somebody says otherwise: a new folder by the clock in the user's data."""
    return _home() / "demo" / time.strftime("%Y-%m-%d_%H-%M-%S")


def _home() -> Path:
    return Path(platformdirs.user_data_dir("SSLStudio", appauthor=False))


def run_demo(out: Path, minutes: float, control: RunControl) -> Generator[Event, None, None]:
    """Draw the sample; pretrain from nothing and from general weights, fine-tune each, the first beside its twin from
    scratch and what is only read. `out`: the folder of the runs; `minutes`: of training, in all."""
    sample = _home() / "sample"
    yield from make_sample(sample)
    data = DataConfig(folder=str(sample / "images"))
    for name, (pretraining, finetuning) in SHARES.items():
        own = name == OWN
        yield from pretrain(
            PretrainConfig(
                out=str(out / f"pretrained{name}"),
                task=DEFAULT_TASK,
                data=data,
                encoder=EncoderConfig() if own else EncoderConfig(weights=GENERAL),
                budget=BudgetConfig(minutes=pretraining * minutes),
            ),
            control,
        )
        if control.stopping:
            return
        yield from finetune(
            FinetuneConfig(
                out=str(out / f"finetuned{name}"),
                source=str(out / f"pretrained{name}"),
                labels_per_class=LABELS_PER_CLASS,
                twin=own,
                general=own,
                data=data,
                budget=BudgetConfig(minutes=finetuning * minutes),
            ),
            control,
        )
        if control.stopping:
            return


def read_arms(out: Path) -> list[DemoArm]:
    """What was scored in a demo's folder, the best first. Raises RunError when a run's answers cannot be read."""
    arms = []
    for name in SHARES:
        run = RunFolder.open(out / f"finetuned{name}")
        metrics = run.finetune_metrics()
        for part in metrics["parts"] if metrics else ():
            paths, confusions = read_confusions(confusions_file(run.path, part))
            title = AFTER_GENERAL_TITLE if name == AFTER_GENERAL and part == PRETRAINED else arm_title(part)
            arms.append(DemoArm(title, paths, confusions, _headline(confusions)))
    return sorted(arms, key=lambda arm: -arm.score.value)


def _headline(confusions: Array) -> Score:
    return score("classification", confusions)[HEADLINE["classification"]]


def name_winner(arms: list[DemoArm]) -> Message:
    """Which arm did best on the same test pictures, and which others it cannot be told from (95 % interval of the
    difference, at once over all others: Bonferroni). `arms`: at least two, the best first."""
    best, others = arms[0], arms[1:]
    equal = [other for other in others if not _beats(best, other, len(others))]
    behind = [other for other in others if other not in equal]
    above, level = (join([arm.title for arm in arms], "") for arms in (behind, equal))
    return Message(
        "{measure} is highest for: {best} ({value:.3f}).{above}{level}",
        measure=BEGINNING[HEADLINE["classification"]],
        best=best.title,
        value=best.score.value,
        above=Message(" That is above: {others}.", others=above) if behind else NOTHING,
        level=Message(" These test pictures do not tell it from: {others}.", others=level) if equal else NOTHING,
    )


def _beats(best: DemoArm, other: DemoArm, times: int) -> bool:
    """Whether the whole interval lies above zero, widened for so many comparisons of one winner."""
    place = {path: number for number, path in enumerate(other.paths)}
    both = [(number, place[path]) for number, path in enumerate(best.paths) if path in place]
    if not both:
        return False
    ours, theirs = np.array(both).T
    gap = difference("classification", best.confusions[ours], other.confusions[theirs])
    wider = float(ndtri(1 - 0.025 / times) / ndtri(0.975))
    return gap.value - wider * (gap.value - gap.low) > 0
