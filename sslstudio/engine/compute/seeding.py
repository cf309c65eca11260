"""One seed -> a generator for each use. Nothing in the engine draws from a global generator.

Each generator is derived from (seed, purpose, counters) alone, so that step 1,234 draws the same numbers
whether the run got there in one go or was killed and resumed: no generator state has to be saved.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed that depends on every part and on nothing else (not on Python's hash seed)."""
    text = repr((seed, *purpose)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def generator(seed: int, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator on `device` for one use, for example `generator(7, "batch", step)`."""
    return torch.Generator(device=device).manual_seed(derive(seed, *purpose))


@contextmanager
def seed_init(seed: int, *purpose: str | int) -> Iterator[None]:
    """Let layers built inside take their first weights from this seed; the global generator is put back after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, *purpose))
        yield
