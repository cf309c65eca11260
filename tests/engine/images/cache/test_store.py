"""The search for cycles is off within, and afterwards as it was before."""

import gc

import pytest

from sslstudio.engine.images.cache.store import garbage_collection_put_off


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
