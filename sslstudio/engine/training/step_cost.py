"""What a step costs the CPU and the device: time of each, calls of torch, copies and waits.

On a GPU the CPU only starts kernels. As long as it is done with that before the GPU has computed them (`host` below
`device`), the GPU is never idle; each wait puts an end to the lead that the CPU has.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from torch.profiler import ProfilerActivity, profile

from sslstudio.engine.compute.device import Device

STEPS = 3
COPIES = ("Memcpy HtoD", "Memcpy DtoH")  # of CUDA's own record
WAITS = ("aten::_local_scalar_dense", "aten::nonzero", "cudaStreamSynchronize", "cudaDeviceSynchronize")


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
        waits=sum(counts.get(name, 0.0) for name in WAITS) if device.accelerated else 0.0,
    )
