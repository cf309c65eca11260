"""How the C library keeps memory for the tensors of a CPU.

A training step takes and gives back the same few hundred blocks again and again. glibc hands each large one back to the
system at once and takes it anew, a page at a time and filled with zeros, for which all cores wait. It also gives each
thread an arena of its own, whose size is limited, so that the same training was slower on a thread of the window than
on the command line. See mallopt(3) and malloc_trim(3); what it brings: tests/benchmarks/bench_memory.py.
"""

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8  # malloc.h
CORES_AN_ARENA = 8  # threads that share one hardly wait for each other; many cores would
_SAID = ("MALLOC_", "GLIBC_TUNABLES")  # what people set who want it otherwise


def keep_for_reuse() -> bool:
    """Freed blocks stay with this process, in one arena (on many cores, a few), until `give_back`.

    Best called before there are threads. False where the C library is not glibc, or where the environment says how it
    shall keep memory.
    """
    if any(name.startswith(_SAID) for name in os.environ):
        return False
    library = _glibc()
    arenas = max(1, (os.cpu_count() or 1) // CORES_AN_ARENA)
    return library is not None and all(
        [library.mallopt(what, value) for what, value in ((_ARENA_MAX, arenas), (_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1))]
    )


def give_back() -> None:
    """Let the system have what was kept and is not in use."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
