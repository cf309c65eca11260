"""Pickles from strangers: arrays of numbers and plain values (dictionaries, lists, words, numbers), nothing else.

A pickle names functions, which loading it calls. None of those it names is called here: the few that numpy writes have
stand-ins, which check what they are given; every other name is refused. Python's own slow unpickler is used, because
the fast one can be made to take memory by a number in the file.
"""

import pickle
import re
from collections.abc import Callable
from math import prod
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

_NUMBERS: Final = re.compile(r"[|<>=]?[biuf](1|2|4|8)")


def load_plain(stream: IO[bytes]) -> Any:
    """What the pickle holds; an array of objects comes as the list of them, one without dimensions as its object.

    Raises ValueError for anything else than plain values, and for a pickle that is damaged.
    """
    try:
        return _plain(_Plain(stream).load())
    except ValueError:
        raise
    except Exception as error:  # a damaged pickle raises whatever its bytes happen to mean
        raise ValueError(f"{type(error).__name__}: {error}") from error


class _Dtype:
    """Stands for numpy.dtype: what its name and byte order say."""

    def __init__(self, name: str, *_: object) -> None:
        self.name = str(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.name = state[1] + self.name

    def real(self) -> np.dtype[Any]:
        """Of numbers only."""
        if not _NUMBERS.fullmatch(self.name):
            raise ValueError(f"values of the type {self.name[:20]!r}")
        return np.dtype(self.name)


class _Array:
    """Stands for numpy.ndarray."""

    values: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, columns_first, content = state
        self.values = _array(content, dtype, shape, "F" if columns_first else "C")


def _array(content: Any, dtype: Any, shape: Any, order: str) -> Any:
    if not isinstance(dtype, _Dtype) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError("an array without a type")
    if dtype.name.startswith("O") and isinstance(content, list):
        return content if shape else content[0]
    found: NDArray[Any] = np.frombuffer(bytes(content) if isinstance(content, bytes | bytearray) else b"", dtype.real())
    if found.size != prod(shape):
        raise ValueError("an array of another size than it says")
    return found.reshape(shape, order="F" if order == "F" else "C")


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.values = _array(content, dtype, shape, order)
    return array


def _scalar(dtype: Any, content: Any = b"") -> Any:
    return _array(content, dtype, (), "C")[()]


def _names_only(*_: object) -> None:
    raise ValueError("an array made in a way that numpy does not write")


_STAND_INS: Final[dict[str, Callable[..., Any]]] = {
    "multiarray._reconstruct": _reconstruct, "multiarray.scalar": _scalar, "numeric._frombuffer": _from_buffer,
    "numpy.dtype": _Dtype, "numpy.ndarray": _names_only,
}  # fmt: skip


class _Plain(pickle._Unpickler):  # private, and the same in every Python so far
    def find_class(self, module: str, name: str) -> Any:
        """A stand-in. Raises ValueError for every other name."""
        known = f"{module.removeprefix('numpy._core.').removeprefix('numpy.core.')}.{name}"
        if not module.startswith("numpy") or known not in _STAND_INS:
            raise ValueError(f"it would call {module[:40]}.{name[:40]}")
        return _STAND_INS[known]

    def persistent_load(self, pid: Any) -> Any:
        """Nothing lies outside."""
        raise ValueError("it refers to something outside of the file")


def _plain(value: Any) -> Any:
    """Arrays in the place of their stand-ins, as deep as lists and dictionaries go. What stands in several places is
    gone through once: a few bytes can name a list of lists that names each of its own twice, and so on. Raises
    RecursionError."""
    done: dict[int, Any] = {}

    def go(value: Any) -> Any:
        if isinstance(value, _Array):
            return go(value.values)
        if not isinstance(value, dict | list):
            return value
        if id(value) not in done:
            if isinstance(value, list):
                done[id(value)] = [go(one) for one in value]
            else:
                done[id(value)] = {key: go(one) for key, one in value.items()}
        return done[id(value)]

    return go(value)
