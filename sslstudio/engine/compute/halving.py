"""Less at once where memory does not suffice: for what looks at pictures without learning from them."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from torch import Tensor

from sslstudio.engine.compute.device import Device, is_out_of_memory

T = TypeVar("T")


def in_halves(compute: Callable[[Tensor], T], chosen: Tensor, device: Device) -> Iterator[tuple[Tensor, T]]:
    """What `compute` answers for the pictures of these numbers (n,): all at once, or in halves of halves where that
    does not fit, in their order. Raises the error of the device when one picture by itself does not fit."""
    answer = _answer_if_it_fits(compute, chosen)
    if answer is not None:
        yield chosen, answer[0]
        return
    device.release()  # only here: the error held what was computed
    middle = len(chosen) // 2
    yield from in_halves(compute, chosen[:middle], device)
    yield from in_halves(compute, chosen[middle:], device)


def _answer_if_it_fits(compute: Callable[[Tensor], T], chosen: Tensor) -> tuple[T] | None:
    try:
        return (compute(chosen),)
    except (RuntimeError, MemoryError) as error:
        if len(chosen) < 2 or not is_out_of_memory(error):
            raise
    return None


def by_smaller_chunks(compute: Callable[[int], T], size: int, least: int, device: Device) -> T:
    """What `compute` answers with chunks of `size` pictures, or of half as many, down to `least`: for what must be
    begun anew when a chunk does not fit. Raises the error of the device when `least` do not fit."""
    while True:
        try:
            return compute(size)
        except (RuntimeError, MemoryError) as error:
            if size // 2 < least or not is_out_of_memory(error):
                raise
        device.release()
        size //= 2
