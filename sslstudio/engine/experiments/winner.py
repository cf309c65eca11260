"""The winner of a tournament, measured again: the best of many looks better than it is on what it was chosen by."""

import json
from collections.abc import Generator
from pathlib import Path

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import holding, write_atomic
from sslstudio.engine.core.files.checked_files import read_json
from sslstudio.engine.core.messages import Message, to_stored
from sslstudio.engine.evaluate.probe_report import probed
from sslstudio.engine.experiments.experiment_run import DONE, ExperimentRun
from sslstudio.engine.experiments.tournament_config import TournamentConfig, winner_run
from sslstudio.engine.models.encoders import build_encoder
from sslstudio.engine.pretraining.online_probe import result_of
from sslstudio.engine.pretraining.probe_set import SEED, ProbeSet
from sslstudio.engine.runs.metrics import ProbeResult
from sslstudio.engine.training.checkpoint import load_encoder
from sslstudio.engine.training.config import pretrain_from_dict
from sslstudio.engine.training.session import reopen_session

MEASURED = "measured.json"


def measure_winner(config: TournamentConfig, control: RunControl) -> Generator[Preparing, None, None]:
    """Probe the winner on the test pictures, once, and write what is found: they taught and chose nothing.

    The probe is that of the rounds, taught and scored within these pictures. Nothing is written before the winner is
    done; null is, where too few of the test pictures have labels.
    """
    run, file = winner_run(config), Path(config.out) / MEASURED
    if file.exists() or run.outcome() != DONE or not control.proceed():
        return
    with holding(file.with_suffix(".lock"), timeout=-1):  # another process may be at it
        if not file.exists():
            yield from _measure(config, run, file, control)


def _measure(
    config: TournamentConfig, run: ExperimentRun, file: Path, control: RunControl
) -> Generator[Preparing, None, None]:
    own = pretrain_from_dict(run.folder.config())
    device = devices.choose(own.hardware.device, own.hardware.precision)
    session = yield from reopen_session(run.folder, own.data, device, control)
    yield Preparing(stage=Message("Measuring the winner on pictures that no choice has seen"), done=0, total=0)
    found: ProbeResult | None = None
    if session.split.test:
        looked = ProbeSet(own, session, device, session.split.test)
        trained, fresh = (build_encoder(own.encoder, own.seed).to(device.handle) for _ in range(2))
        load_encoder(trained, run.path / "last.safetensors")
        ours, theirs = looked.read(trained), looked.read(fresh)
        if looked.labels is not None and ours.counts is not None and theirs.counts is not None:
            metrics = run.folder.pretrain_metrics()
            at = (metrics["steps"] if metrics else 0, 1.0)
            look = probed(
                at, looked.labels, (ours.counts, theirs.counts), (ours.reach, theirs.reach), looked.taught, SEED
            )
            found = result_of(look)
    write_atomic(file, (json.dumps(to_stored(found), indent=1) + "\n").encode())


def measured(config: TournamentConfig) -> ProbeResult | None:
    """What was found; None as long as nothing was."""
    try:
        found: ProbeResult | None = read_json(Path(config.out) / MEASURED, ProbeResult | None)
    except FileNotFoundError:
        return None
    return found
