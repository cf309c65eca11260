"""What a step costs is counted as often as it happens, on a GPU too: by CUDA's own record."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device
from sslstudio.engine.training import step_cost
from sslstudio.engine.training.step_cost import STEPS, measure_cost
from tests.support.pretend_gpu import pretend_gpu


def test_calls_of_a_step_are_counted_and_a_cpu_waits_for_nothing() -> None:
    def step() -> None:
        assert float((torch.ones(4) + 1).sum()) == 8.0

    cost = measure_cost(step, devices.choose("cpu"))
    assert cost.calls >= 4  # ones, add, sum, and the number that is asked for
    assert cost.calls == int(cost.calls), "every step is counted whole"
    assert (cost.copies, cost.waits) == (0.0, 0.0)
    assert 0 < cost.host <= cost.device


@dataclass
class _Row:
    key: str
    count: int


class _CudaRecord:
    """What the profiler says after steps on CUDA: `each` of them once a step, and its own wait when it ends."""

    each: tuple[str, ...] = ()

    def __init__(self, activities: Any) -> None:
        assert torch.profiler.ProfilerActivity.CUDA in activities

    def __enter__(self) -> "_CudaRecord":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def key_averages(self) -> list[_Row]:
        rows = [_Row(name, STEPS * self.each.count(name)) for name in dict.fromkeys(self.each)]
        return [*rows, _Row("cudaDeviceSynchronize", 1)]


FREE = ("aten::add", "aten::sum", "cudaLaunchKernel", "Memcpy HtoD (Pinned -> Device)", "cudaMemcpyAsync")
NUMBER = ("aten::item", "aten::_local_scalar_dense", "Memcpy DtoH (Device -> Pageable)", "cudaStreamSynchronize")
INDEX = ("aten::nonzero", "Memcpy DtoH (Device -> Pinned)", "cudaStreamSynchronize")


@pytest.mark.parametrize(
    ("each", "calls", "copies", "waits"),
    [(FREE, 2, 1, 0), ((*FREE, *NUMBER), 4, 2, 1), ((*FREE, *NUMBER, *NUMBER, *INDEX), 7, 4, 3)],
    ids=["a step that only starts kernels", "one that asks for a number", "one that asks for two and an index"],
)
def test_a_wait_is_counted_once_and_that_of_the_profiler_is_none(
    each: tuple[str, ...], calls: int, copies: int, waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_CudaRecord, "each", each)
    monkeypatch.setattr(step_cost, "profile", _CudaRecord)
    with pretend_gpu():
        cost = measure_cost(lambda: None, devices.choose("cuda"))
    assert (cost.calls, cost.copies, cost.waits) == (calls, copies, waits)


def test_the_time_of_the_device_goes_on_after_that_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that has a tenth of a second to compute when the CPU has started all steps."""
    monkeypatch.setattr(step_cost, "profile", _CudaRecord)
    monkeypatch.setattr(Device, "wait", lambda self: time.sleep(0.1))
    with pretend_gpu():
        cost = measure_cost(lambda: None, devices.choose("cuda"))
    assert cost.host < 0.05
    assert cost.device >= 0.1 / STEPS
