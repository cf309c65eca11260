"""Shares become probabilities: a temperature for each part, measured on labelled validation pictures.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, arXiv:1706.04599, section 4.2. It moves no answer:
the class with the largest share stays the answer, so nothing is chosen by the validation pictures.
"""

from typing import Annotated, TypedDict

import torch
import torch.nn.functional as F
from torch import Tensor

from sslstudio.engine.core.files.checked_files import AtLeast
from sslstudio.engine.core.messages import Message
from sslstudio.engine.runs.run_folder import RunFolder

FILE = "calibration.json"
FEWEST = 30  # labelled validation pictures; fewer measure no temperature
TEMPERATURES = torch.logspace(-1.0, 1.0, 201, dtype=torch.float64)  # 0.1 to 10


class Calibration(TypedDict):
    """How a part was calibrated: on `n` pictures; the negative log-likelihood a picture `before` and `after`."""

    temperature: Annotated[float, AtLeast(0.01)]
    n: int
    before: float
    after: float


def fit_temperature(logits: Tensor, targets: Tensor) -> Calibration:
    """The temperature with which logits (n, C) are the likeliest for `targets` int64 (n,), among 201 from 0.1 to 10."""
    values = logits.double()
    losses = torch.stack([F.cross_entropy(values / temperature, targets) for temperature in TEMPERATURES])
    best = int(losses.argmin())
    return {
        "temperature": float(TEMPERATURES[best]),
        "n": len(targets),
        "before": float(F.cross_entropy(values, targets)),
        "after": float(losses[best]),
    }


def read_calibrations(run: RunFolder) -> dict[str, Calibration]:
    """What was measured of each part; empty where there was too little to measure on."""
    found: dict[str, Calibration] = run.read_json(FILE, dict[str, Calibration]) or {}
    return found


def calibration_note(n: int) -> Message:
    """What the certainties of a result are. `n`: labelled validation pictures."""
    if n >= FEWEST:
        return Message(
            "Certainties are calibrated on {n:,} validation pictures: of answers with 80 % about 80 % are right.", n=n
        )
    return Message(
        "Certainties are not calibrated, for which {n:,} labelled validation pictures are too few (at least {fewest}): "
        "they say which answers are surer than others, not how often they are right.",
        n=n,
        fewest=FEWEST,
    )
