"""A job whose progress a row shows, and that its button stops."""

from collections.abc import Callable
from typing import Any

from sslstudio.engine.core.control import RunControl
from sslstudio.ui.background import jobs
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.job_row import JobRow


def run_in_row(row: JobRow, op: Callable[[RunControl], Any], then: Callable[[Any], None]) -> None:
    """Run a job; what it says is shown in the row, an error too."""
    ended = False

    def end(said: str) -> None:
        nonlocal ended
        ended = True
        row.end(said)

    def done(result: Any) -> None:
        end("")
        then(result)

    def over() -> None:
        if not ended:  # it was stopped: it has neither come to its end nor failed
            row.show_stop()

    job = jobs.run(
        op, done, lambda error: end(dialogs.error_text(error)), owner=row, progress=row.show_progress, over=over
    )  # fmt: skip
    row.begin(job.cancel)
