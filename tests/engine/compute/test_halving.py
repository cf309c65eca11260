"""Less at once where memory is short, and everything in its order."""

import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.device import choose
from sslstudio.engine.compute.halving import by_smaller_chunks, in_halves

CPU = choose("cpu")


def squares_of(most: int, asked: list[int]) -> object:
    def compute(chosen: Tensor) -> Tensor:
        asked.append(len(chosen))
        if len(chosen) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return chosen.square()

    return compute


@pytest.mark.parametrize("most", [64, 2])
def test_halves_of_halves_give_all_answers_in_their_order(most: int) -> None:
    asked: list[int] = []
    numbers = torch.arange(7)
    found: list[tuple[torch.Tensor, torch.Tensor]] = list(
        in_halves(squares_of(most, asked), numbers, CPU)  # type: ignore[arg-type]
    )
    assert torch.equal(torch.cat([chosen for chosen, _ in found]), numbers)
    assert torch.equal(torch.cat([answer for _, answer in found]), numbers.square())
    assert max(len(chosen) for chosen, _ in found) <= most
    assert asked[0] == 7


def test_one_picture_that_does_not_fit_and_other_errors_are_raised() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        list(in_halves(squares_of(0, []), torch.arange(4), CPU))  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        list(in_halves(lambda chosen: [][int(chosen[0])], torch.arange(4), CPU))


def test_what_must_be_whole_is_begun_anew_with_smaller_chunks() -> None:
    sizes: list[int] = []

    def measure(size: int) -> str:
        sizes.append(size)
        if size > 20:
            raise MemoryError
        return "measured"

    assert by_smaller_chunks(measure, 64, 8, CPU) == "measured"
    assert sizes == [64, 32, 16]
    with pytest.raises(MemoryError):
        by_smaller_chunks(measure, 64, 32, CPU)
