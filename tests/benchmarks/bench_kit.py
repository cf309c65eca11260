"""What the benchmarks share: pictures to measure on, processes to measure in, and how figures are shown."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Figures = dict[str, float]


def photographs(folder: Path, *, count: int, folders: int, size: tuple[int, int], kinds: int = 12) -> Path:
    """`count` JPEGs like those of a phone, (width, height) pixels: `kinds` drawn ones under many names (hard links)."""
    originals = folder / "originals"
    originals.mkdir(parents=True)
    for number in range(kinds):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        pixels = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.int16)
        grain = rng.normal(0, 4, (size[1], size[0], 1)).astype(np.int16)
        Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(originals / f"{number}.jpg", quality=90)
    for number in range(count):
        place = folder / "photographs" / f"album {number % folders:03}"
        place.mkdir(parents=True, exist_ok=True)
        os.link(originals / f"{number % kinds}.jpg", place / f"IMG_{number:06}.jpg")
    return folder / "photographs"


@contextmanager
def place_apart(folder: Path | None) -> Iterator[tuple[Path, Path]]:
    """with place_apart(folder) as (place, pictures): a home and a cache that nobody else has; the pictures are those of
    `folder`, or 300 drawn ones."""
    from sslstudio.engine.core.control import to_end
    from sslstudio.engine.sample.make import make_sample

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the program itself sets it
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["SSLSTUDIO_HOME"] = str(place / "home")
        os.environ["SSLSTUDIO_CACHE"] = str(place / "cache")
        if folder is None:
            to_end(make_sample(place / "sample", count=300, seed=0))
        yield place, folder or place / "sample"


@contextmanager
def clock() -> Iterator[Callable[[], float]]:
    """with clock() as seconds: ...; seconds() is the time since."""
    began = time.perf_counter()
    yield lambda: time.perf_counter() - began


def peak_mb() -> float:
    """The most memory that this process has had, in MB (10^6)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def in_a_process(module: str, *arguments: str | int | Path) -> Figures:
    """The figures that a mode of a benchmark prints when it is run by itself."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def medians(runs: Sequence[Mapping[str, float]]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def show(title: str, figures: Mapping[str, float], runs: int, about: Mapping[str, Any], out: Path | None) -> None:
    """A table for people and a line of JSON for programs; also into `out`."""
    print(
        f"{title}: medians of {runs} {'run' if runs == 1 else 'runs'} on {platform.platform()}, {os.cpu_count()} cores"
    )
    for name, value in figures.items():
        print(f"  {name:<58} {value:>14,.4g}" if abs(value) < 1000 else f"  {name:<58} {value:>14,.0f}")
    said = json.dumps({"benchmark": title, "runs": runs, "about": dict(about), "figures": dict(figures)})
    print(said)
    if out is not None:
        out.write_text(said + "\n", encoding="utf-8")
