"""What a step costs the CPU and the device: time of each, calls of torch, copies and waits.

On a GPU the CPU only starts kernels. As long as it is done with that before the GPU has computed them (`host` below
`device`), the GPU is never idle; each wait puts an end to the lead that the CPU has.
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch.profiler import ProfilerActivity, profile

from sslstudio.engine.compute.device import Device

STEPS = 3
COPIES = ("Memcpy HtoD", "Memcpy DtoH")  # of CUDA's own record
ASKS = ("aten::_local_scalar_dense", "aten::nonzero")  # calls of torch that wait for a number
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")  # the same in CUDA's own record
OWN = 1  # the profiler waits for the device when it ends


@dataclass(frozen=True, kw_only=True)
class StepCost:
    """Of one step: seconds until the CPU has started it (`host`) and until it is computed (`device`), calls of aten,
    copies between CPU and GPU, and times that the CPU waits for a number."""

    host: float
    device: float
    calls: float
    copies: float
    waits: float


def measure_cost(step: Callable[[], None], device: Device) -> StepCost:
    """Measure `step`, which must not wait by itself for the device at its end."""
    step()
    device.wait()
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    host = (time.perf_counter() - began) / STEPS
    device.wait()
    whole = (time.perf_counter() - began) / STEPS
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if device.handle.type == "cuda" else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the profiler's, on what it cannot see on this machine
        with profile(activities=kinds) as seen:
            for _ in range(STEPS):
                step()
        counts = {event.key: event.count / STEPS for event in seen.key_averages()}
    device.wait()
    return StepCost(
        host=host,
        device=whole,
        calls=sum(count for name, count in counts.items() if name.startswith("aten::")),
        copies=sum(count for name, count in counts.items() if name.startswith(COPIES)),
        waits=_waits(counts, device),
    )


def _waits(counts: Mapping[str, float], device: Device) -> float:
    """How often a step waits. On CUDA a number that is asked for is in both records: it is counted once."""
    if device.handle.type == "cuda":
        return max(0.0, sum(counts.get(name, 0.0) for name in WAITS) - OWN / STEPS)
    return sum(counts.get(name, 0.0) for name in ASKS) if device.accelerated else 0.0
