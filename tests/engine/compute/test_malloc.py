"""Memory that a step has given back is there for the next one, and for the system afterwards."""

import os
import platform
import subprocess
import sys

import pytest

from sslstudio.engine.compute import malloc

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
STEPS = """
import resource, sys, threading
import torch
from sslstudio.engine.compute.malloc import give_back, keep_for_reuse

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def held():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def step():
    blocks = [torch.ones(count) for count in (40_000_000, 10_000_000, 4_000_000, 4_000_000)]  # 160, 40, 16 and 16 MB
    return float(blocks[0][-1])

kept = keep_for_reuse() if sys.argv[1] == "kept" else False
counts = []

def work():
    for _ in range(int(sys.argv[2])):
        before = faults()
        step()
        counts.append(faults() - before)

worker = threading.Thread(target=work)
worker.start()
worker.join()
after = held()
give_back()
print(kept, counts[-1], after, held())
"""


def run(code: str, *arguments: str, **environment: str) -> str:
    """What a process of its own prints, whose environment says no more about memory than is given here."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env={**plain, **environment}, check=True, capture_output=True, text=True).stdout


def outcome(way: str) -> tuple[bool, int, int, int]:
    """Whether memory is kept; pages that the last of 20 steps had to be given; bytes held after it, and in the end."""
    kept, pages, after, end = run(STEPS, way, "20").split()
    return kept == "True", int(pages), int(after), int(end)


@glibc
def test_a_step_is_given_no_pages_that_the_one_before_has_had_and_in_the_end_the_system_has_them() -> None:
    kept, pages, after, end = outcome("kept")
    assert kept
    assert pages < 1000
    assert after - end > 200e6
    _, plainly, _, _ = outcome("plain")
    assert plainly > 20_000  # else the C library does by itself what the module is for, and it can go


@glibc
@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_what_the_environment_says_about_memory_stands(name: str) -> None:
    asked = "from sslstudio.engine.compute.malloc import keep_for_reuse; print(keep_for_reuse())"
    assert run(asked) == "True\n"
    assert run(asked, **{name: ""}) == "False\n"


class _Library:
    """A C library that writes down what it is told."""

    def __init__(self) -> None:
        self.told: dict[int, int] = {}

    def mallopt(self, what: int, value: int) -> int:
        self.told[what] = value
        return 1


@pytest.mark.parametrize(("cores", "arenas"), [(None, 1), (2, 1), (8, 1), (16, 2), (64, 8)])
def test_many_cores_share_a_few_arenas(cores: int | None, arenas: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    library = _Library()
    monkeypatch.setattr(malloc, "_glibc", lambda: library)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert malloc.keep_for_reuse()
    assert library.told[malloc._ARENA_MAX] == arenas
