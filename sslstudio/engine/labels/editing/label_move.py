"""Labels that were made in the program, for pictures that lie in one of several folders from now on."""

import shutil
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from sslstudio.engine.core.atomic_files import folder_beside
from sslstudio.engine.core.errors import RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.messages import Message
from sslstudio.engine.labels.editing import files as label_files
from sslstudio.engine.labels.editing.store import Labelling

STAGE = Message("Taking over the labels")
A_STEP = 100  # masks between two events


def labels_below(source: Path, target: Path, name: str, pictures: Path) -> Generator[Preparing, None, None]:
    """Copy a folder of labels to `target`, which is whole or not there: each picture's path begins with `name` now.

    What else lies in it comes too; `source` stays as it is. Raises DataError while somebody edits it, RunError when the
    disk does not take it.
    """
    beside: Path | None = None
    try:
        beside = folder_beside(target)
        with closing(Labelling(source)) as labels:  # what the journal holds is in the files then
            known = {f"{name}/{path}": number for path, number in labels.of.items()}
            own = (label_files.LABELS, label_files.MASKS, label_files.JOURNAL, label_files.BEGUN, ".*")
            shutil.copytree(source, beside, ignore=shutil.ignore_patterns(*own), dirs_exist_ok=True)
            label_files.write_labels_table(beside / label_files.LABELS, known, labels.classes["classification"])
            masked = sorted(labels.masked)
            for done, path in enumerate(masked):
                if done % A_STEP == 0:
                    yield Preparing(stage=STAGE, done=done, total=len(masked))
                file = label_files.mask_file(beside, f"{name}/{path}")
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(label_files.mask_file(source, path), file)
        label_files.write_about(beside, pictures)
        (beside / label_files.JOURNAL).touch()  # by which it is known that somebody has labelled
        beside.rename(target)
    except OSError as error:
        raise RunError(
            "The labels could not be copied to {target}: {reason}.", target=target, reason=error.strerror or error
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
