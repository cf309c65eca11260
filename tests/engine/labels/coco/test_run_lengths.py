"""Run lengths are exact, and the short writing is read as COCO's own code reads it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sslstudio.engine.labels.coco.run_lengths import from_runs, lengths_in, run_lengths


@settings(deadline=None)
@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_run_lengths_are_exact(inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    runs = run_lengths(inside)
    assert sum(runs) == inside.size
    assert all(run > 0 for run in runs[1:])
    assert np.array_equal(from_runs(runs, *inside.shape), inside)


def test_runs_go_down_the_columns() -> None:
    """The example in COCO's own mask code: zeros first, column by column."""
    assert run_lengths(np.array([[0, 1, 1], [0, 0, 1]], bool)) == [2, 1, 1, 2]
    assert run_lengths(np.array([[1, 1], [1, 0]], bool)) == [0, 3, 1]


def in_short(counts: list[int]) -> str:
    """COCO's short writing of run lengths, told from the description of the format."""
    text = ""
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + bits + (32 if more else 0))
            if not more:
                break
    return text


@given(st.lists(st.integers(0, 2**40), min_size=1))
def test_the_short_writing(counts: list[int]) -> None:
    assert lengths_in(in_short(counts)) == counts


def test_the_short_writing_of_others() -> None:
    """pycocotools wrote these: 2 x 2 pixels in the corner of 5 x 5, and 10 x 30 within 480 x 640."""
    assert lengths_in("0230?") == [0, 2, 3, 2, 18]
    assert lengths_in("Tkm2:f>" + 57 * "0" + "lRP6") == [96_100, 10, *(29 * [470, 10]), 197_170]


def test_a_text_that_is_cut_off_has_no_number_for_the_rest() -> None:
    assert lengths_in("0230?")[:4] == lengths_in("0230")
    assert lengths_in("02P") == [0, 2, -1]
    assert lengths_in("") == []
