"""Copies to a GPU beside its computing: on a stream of their own, with an event that the computing waits for.

Pinned memory comes from torch's allocator for the host, which keeps blocks and gives one out again when the copy from
it has ended: a ring of them, without a ring of our own.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from sslstudio.engine.compute.device import Device


class SideStream:
    """One stream beside the main one of a CUDA device; on any other device what is made is made at once."""

    def __init__(self, device: Device) -> None:
        self.stream = torch.cuda.Stream(device.handle) if device.handle.type == "cuda" else None  # type: ignore[no-untyped-call]

    def make(self, make: Callable[[], Tensor]) -> Tensor:
        """Queue what `make` queues on the side stream. May be called on a thread of its own."""
        if self.stream is None:
            return make()
        with torch.cuda.stream(self.stream):
            return make()

    def hand_over(self, made: Tensor) -> Tensor:
        """Let the main stream wait for all that was queued, without holding up the CPU, and use the tensor."""
        if self.stream is not None:
            main = torch.cuda.current_stream(made.device)
            main.wait_event(self.stream.record_event())
            made.record_stream(main)  # or its memory could be given out again while it is read
        return made
