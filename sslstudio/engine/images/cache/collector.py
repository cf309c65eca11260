"""Python's search for cycles, put off where very many objects without any are made at once: it would go through all of
them again and again, the longer the more there are."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[None]:
    """Within it nothing is searched, in any thread; not for long, and not around a `yield` of a generator."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
