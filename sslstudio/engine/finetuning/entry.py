"""Fine-tuning, as everybody else starts it: one run, or one a fold when it is cross-validated.

for event in finetune(config, control): ...
"""

from collections.abc import Iterator

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.events import Event
from sslstudio.engine.finetuning.cross_validation import FOLDS_FILE, cross_validate, resume_folds
from sslstudio.engine.finetuning.run import resume_once, run_once
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import FinetuneConfig


def finetune(config: FinetuneConfig, control: RunControl) -> Iterator[Event]:
    """Run a fine-tuning from its start. Raises StudioError before anything is written."""
    return cross_validate(config, config.folds, control) if config.folds > 1 else run_once(config, control)


def resume_finetune(run: RunFolder, control: RunControl) -> Iterator[Event]:
    """Go on with a run where it stopped. Raises DataError when its labels have changed since."""
    return resume_folds(run, control) if (run.path / FOLDS_FILE).exists() else resume_once(run, control)
