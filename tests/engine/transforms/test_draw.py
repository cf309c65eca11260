"""Pictures for people: shades, boards and outlines are where and what they should be."""

import numpy as np
import pytest
import torch

from sslstudio.engine.transforms import draw


def plain(shade: int, height: int = 4, width: int = 4) -> draw.Picture:
    return np.full((height, width, 3), shade, dtype=np.uint8)


def test_bytes_are_taken_as_they_are_and_channels_come_last() -> None:
    tensor = torch.arange(3 * 2 * 5, dtype=torch.uint8).view(3, 2, 5)
    picture = draw.to_picture(tensor)
    assert picture.shape == (2, 5, 3)
    assert picture.dtype == np.uint8
    assert picture[1, 3].tolist() == tensor[:, 1, 3].tolist()


def test_floats_are_shades_from_0_to_1_and_the_rest_is_cut_off() -> None:
    tensor = torch.tensor([-1.0, 0.0, 0.5, 1.0, 7.0]).view(1, 1, 5)
    assert draw.to_picture(tensor)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_standardised_floats_are_spread_around_middle_grey() -> None:
    tensor = torch.tensor([-9.0, -2.5, 0.0, 2.5]).view(1, 1, 4)
    assert draw.to_picture(tensor, standardised=True)[0, :, 1].tolist() == [0, 0, 128, 255]


def test_a_picture_keeps_nothing_of_the_tensor() -> None:
    tensor = torch.zeros(3, 2, 2, dtype=torch.uint8, requires_grad=False)
    draw.to_picture(tensor)[:] = 9
    assert int(tensor.max()) == 0


@pytest.mark.parametrize(("height", "least", "factor"), [(8, 64, 8), (24, 64, 3), (64, 64, 1), (200, 64, 1)])
def test_magnified_repeats_whole_pixels(height: int, least: int, factor: int) -> None:
    picture = np.arange(height * height * 3, dtype=np.uint32).astype(np.uint8).reshape(height, height, 3)
    large = draw.magnify(picture, least)
    assert large.shape == (height * factor, height * factor, 3)
    assert (large[::factor, ::factor] == picture).all()
    assert (large[factor - 1 :: factor, factor - 1 :: factor] == picture).all()


def test_a_board_lays_tiles_row_by_row_between_gaps() -> None:
    tiles = [plain(number, 3, 5) for number in range(6)]
    picture = draw.board(tiles, columns=3, gap=2, colour=(200, 201, 202))
    assert picture.shape == (2 * 5 + 2, 3 * 7 + 2, 3)
    for number, (left, top, right, bottom) in enumerate(draw.board_boxes(tiles, 3, 2)):
        assert (picture[int(top) : int(bottom), int(left) : int(right)] == number).all()
    assert (picture[:2] == [200, 201, 202]).all()
    assert (picture[:, 7:9] == [200, 201, 202]).all()


def test_a_board_may_end_in_the_middle_of_a_row() -> None:
    picture = draw.board([plain(1), plain(2), plain(3)], columns=2, gap=1)
    assert picture.shape == (11, 11, 3)
    assert (picture[6:, 6:] == 255).all()


def test_an_outline_colours_the_inner_edge_only_and_leaves_the_picture_alone() -> None:
    picture = plain(7, 10, 12)
    drawn = draw.outline(picture, [(2, 3, 9, 8)], (1, 2, 3), width=1)
    changed = (drawn != picture).any(axis=2)
    expected = np.zeros((10, 12), dtype=bool)
    expected[3:8, 2:9] = True
    expected[4:7, 3:8] = False
    assert (changed == expected).all()
    assert (drawn[expected] == [1, 2, 3]).all()
    assert (picture == 7).all()


def test_each_box_has_its_own_colour_and_what_lies_outside_is_cut_off() -> None:
    drawn = draw.outline(plain(0, 8, 8), [(-5, -5, 3, 3), (5, 5, 20, 20)], [(10, 10, 10), (20, 20, 20)])
    assert (drawn[:3, 2] == 10).all()
    assert (drawn[5, 5:] == 20).all()
    assert (drawn[3:5] == 0).all()


def test_no_boxes_no_change() -> None:
    assert (draw.outline(plain(3), [], draw.WRONG) == 3).all()


def test_boxes_grow_with_their_picture() -> None:
    assert draw.scale_boxes([(1, 2, 3, 4)], 2.5) == [(2.5, 5, 7.5, 10)]
