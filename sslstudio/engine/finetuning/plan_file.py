"""plan.json of a fine-tuning: the steps of each part, and which classes and pictures it learns from."""

from typing import TypedDict

from sslstudio.engine.core.files.checked_files import Count
from sslstudio.engine.runs.run_folder import RunFolder

FILE = "plan.json"


class FinetunePlan(TypedDict):
    """`labelled` are the pictures that are trained on, relative to the folder."""

    steps: Count
    classes: list[str]
    labelled: list[str]


def write_plan(run: RunFolder, plan: FinetunePlan) -> None:
    """Keep what was settled: a run that goes on does the same."""
    run.write_json(FILE, plan)


def read_plan(run: RunFolder) -> FinetunePlan | None:
    """What was settled, None before. Raises RunError when the file is damaged."""
    plan: FinetunePlan | None = run.read_json(FILE, FinetunePlan)
    return plan
