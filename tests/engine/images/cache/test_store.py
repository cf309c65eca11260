"""The search for cycles is off within, and afterwards as it was before; damaged rows are no rows."""

import gc

import pytest

from sslstudio.engine.images.cache.store import Row, _row_of, garbage_collection_put_off


def test_it_is_off_within_and_on_again_even_after_an_error() -> None:
    assert gc.isenabled()
    with garbage_collection_put_off():
        with pytest.raises(KeyError), garbage_collection_put_off():
            raise KeyError(gc.isenabled())
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with garbage_collection_put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_row_with_a_damaged_value_is_none() -> None:
    whole = (b"a.png", 10, "1600000000000000000", 3, 20, 30, "", "", 7)
    assert _row_of(*whole) == Row("a.png", 10, 1_600_000_000_000_000_000, 3, 20, 30, checksum=7)
    for place, value in ((2, "1w64500000000000000"), (3, "three"), (1, None), (0, 5), (8, b"x")):
        assert _row_of(*(value if at == place else one for at, one in enumerate(whole))) is None
