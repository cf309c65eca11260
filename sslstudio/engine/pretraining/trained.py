"""The network of a pretraining run as its last checkpoint has it, ready to answer."""

from torch import nn

from sslstudio.engine.compute.device import Device
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.models.encoders import Encoder
from sslstudio.engine.pretraining.run import build_task
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.tasks.base import PretextTask
from sslstudio.engine.training.checkpoint import load_tensors
from sslstudio.engine.training.config import PretrainConfig

MODEL = "model."  # what the names of weights begin with in a checkpoint


def trained_task(run: RunFolder, config: PretrainConfig, device: Device) -> tuple[Encoder, PretextTask, int]:
    """Encoder and task in evaluation mode with the run's weights, and the step that they are from.

    A run that goes on can be asked too: it replaces its checkpoint in one go, at each evaluation and once a minute.
    Raises DataError when there are no weights yet, RunError when they belong to another network.
    """
    file = run.path / "last.safetensors"
    if not file.exists():
        raise DataError("{run} has no weights yet. Go on with it: sslstudio resume {run}", run=run.path)
    encoder, task = build_task(config, device)
    modules = nn.ModuleDict({"encoder": encoder, "task": task})
    tensors, meta = load_tensors(file)
    weights = {name.removeprefix(MODEL): value for name, value in tensors.items() if name.startswith(MODEL)}
    try:
        modules.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(
            "The weights in {file} belong to another network: {error}", file=file, error=str(error).splitlines()[0]
        ) from error
    modules.eval()
    return encoder, task, int(meta["step"])
