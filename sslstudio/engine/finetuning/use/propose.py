"""A fine-tuned network answers for the pictures of its project: proposals for a person to look through."""

from collections.abc import Generator, Mapping
from pathlib import Path

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.evaluate.arms import BESIDE, GENERAL
from sslstudio.engine.finetuning.use.load import load_trained
from sslstudio.engine.finetuning.use.predict import predict_folder
from sslstudio.engine.runs.metrics import FinetuneMetrics, interval_of
from sslstudio.engine.runs.proposals import Proposals, read_proposals
from sslstudio.engine.runs.run_folder import RunFolder


def propose(
    run: Path, folder: Path, out: Path, roles: Mapping[str, str], control: RunControl
) -> Generator[Preparing, None, Proposals]:
    """Answer every picture of `folder` by the arm of a run that scored best, into `out`; what was answered before is
    kept. Raises DataError when the run has no network yet, RunError when stopped."""
    opened = RunFolder.open(run)
    network = run if opened.read_json("folds.json") is None else run / "fold-1"
    trained = load_trained(network, part=best_part(opened.finetune_metrics()))
    yield from predict_folder(trained, folder, out, control, roles=roles)
    return read_proposals(out)


def best_part(metrics: FinetuneMetrics | None, *, own: bool = False) -> str:
    """The arm that scored best on the test pictures, '' where nothing is known. `own`: of those that were trained or
    read from a network of the person's own."""
    if metrics is None:
        return ""
    parts = [part for part in metrics["parts"] if not own or part not in (GENERAL, BESIDE)]
    headline = metrics["headline"]
    return max(parts, key=lambda part: interval_of(metrics["parts"][part]["scores"][headline])[0], default="")
