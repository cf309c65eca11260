"""A million files: scanned, scanned again with ten changes, and what a picture costs in small and large folders.

python -m tests.benchmarks.bench_folders --files 1000000 --runs 5
python -m tests.benchmarks.bench_folders --files 0 --grow 1000 10000 100000
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.images.index import scan
from tests.benchmarks.bench_kit import Figures, clock, in_a_process, medians, peak_mb, show

CHANGES = 10
HERE = "tests.benchmarks.bench_folders"


def empty_files(folder: Path, count: int, each: int) -> Path:
    """`count` empty files with the names of pictures, `each` in a folder."""
    for first in range(0, count, each):
        place = folder / f"{first // each // 100:03}" / f"{first // each:05}"
        place.mkdir(parents=True)
        for number in range(first, min(first + each, count)):
            (place / f"IMG_{number:07}.jpg").touch()
    return folder


def small_pictures(folder: Path, count: int) -> Path:
    """`count` PNG files of 16 x 16 pixels in ten class folders."""
    rng = np.random.default_rng(0)
    for number in range(count):
        place = folder / f"class {number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(place / f"{number:07}.png")
    return folder


def change(folder: Path, index_paths: list[str], run: int) -> int:
    """Ten changes all over the folder: new, removed, renamed, written again. Returns by how many files it grew."""
    step = len(index_paths) // CHANGES
    for number, path in enumerate(index_paths[:: max(1, step)][:CHANGES]):
        file = folder / path
        match number % 4:
            case 0:
                file.with_name(f"new {run} {number}.jpg").touch()
            case 1:
                file.unlink()
            case 2:
                file.rename(file.with_name(f"renamed {run} {number}.jpg"))
            case _:
                file.write_bytes(b"changed")
    kinds = [number % 4 for number in range(CHANGES)]
    return kinds.count(0) - kinds.count(1)


def scanned(folder: Path, cache: Path) -> Figures:
    """In a process of its own, because memory is measured: seconds, pictures and the peak."""
    before = peak_mb()
    with clock() as seconds:
        index = scan(folder, cache)
        took = seconds()
    return {"seconds": took, "pictures": len(index), "peak": peak_mb(), "before": before}


def million(folder: Path, cache: Path, run: int) -> Figures:
    shutil.rmtree(cache, ignore_errors=True)
    first = in_a_process(HERE, "--scan", folder, cache)
    grew = change(folder, scan(folder, cache).paths, run)
    again = in_a_process(HERE, "--scan", folder, cache)
    if again["pictures"] != first["pictures"] + grew:
        raise SystemExit(f"{again['pictures']} pictures were found where {first['pictures'] + grew} are")
    return {
        "files a second, first scan (at least 100,000)": first["pictures"] / first["seconds"],
        "peak memory, first scan, MB (under 300)": first["peak"],
        "files a second, scan after ten changes": again["pictures"] / again["seconds"],
        "peak memory, scan after ten changes, MB": again["peak"],
        "scan after ten changes / first scan (under 0.1)": again["seconds"] / first["seconds"],
    }


def costs(folder: Path, cache: Path) -> Figures:
    """Microseconds for each picture of a folder, from the first scan to an epoch, and bytes of memory."""
    import torch

    from sslstudio.engine.compute import device as devices
    from sslstudio.engine.dataset.loader import Order, Pictures
    from sslstudio.engine.dataset.split import make_split
    from sslstudio.engine.images.cache.pixel_cache import build_cache
    from sslstudio.engine.labels.recognise import recognise

    figures: Figures = {}
    torch.zeros(1)
    before = peak_mb()
    with clock() as seconds:
        index = scan(folder, cache)
        figures["scan"] = seconds()
    with clock() as seconds:
        recognised = recognise(index)
        figures["labels"] = seconds()
    labels = recognised.classes.of if recognised.classes else None
    with clock() as seconds:
        split = make_split(index.paths, labels, validation=0.1, test=0.2, seed=0)
        figures["split"] = seconds()
    with clock() as seconds:
        to_end(build_cache(index, 16, cache_dir=cache))
        figures["first reading"] = seconds()
    with clock() as seconds:
        built = to_end(build_cache(index, 16, cache_dir=cache))
        figures["second reading"] = seconds()
    with clock() as seconds:
        pictures = Pictures(built, split.train, devices.choose("cpu"))
        order = Order(len(pictures), 64, 0)
        for step in range(order.steps_per_epoch):
            pictures.take(order.batch(step))
        figures["one epoch"] = seconds()
    count = len(index)
    result = {f"{name}, us a picture": value / count * 1e6 for name, value in figures.items()}
    return {**result, "memory, bytes a picture": (peak_mb() - before) * 1e6 / count}


def growth(place: Path, counts: list[int], runs: int) -> Figures:
    figures: Figures = {}
    first: Figures = {}
    for count in counts:
        folder = small_pictures(place / f"{count}", count)
        several = []
        for run in range(runs):
            cache = place / f"cache {count} {run}"
            several.append(in_a_process(HERE, "--costs", folder, cache))
            shutil.rmtree(cache)
        each = medians(several)
        first = first or each
        figures |= {f"{count:,} pictures: {name}": value for name, value in each.items()}
        figures |= {f"{count:,} / {counts[0]:,}: {name.split(',')[0]}": each[name] / first[name] for name in each}
        shutil.rmtree(folder)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000, help="0: leave out")
    parser.add_argument("--each", type=int, default=1000, help="files in a folder")
    parser.add_argument("--grow", type=int, nargs="*", default=[], help="sizes of folders that are read and fed")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    parser.add_argument("--scan", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--costs", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scan or options.costs:
        print(json.dumps(scanned(*options.scan) if options.scan else costs(*options.costs)))
        return
    about = {"files": options.files, "each": options.each, "grow": options.grow}
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as place:
        if options.files:
            folder = empty_files(Path(place) / "files", options.files, options.each)
            with clock() as seconds:  # warms the disk cache; folders that just changed are not remembered
                while seconds() < 4:
                    scan(folder, Path(place) / "warm")
            figures |= medians([million(folder, Path(place) / "cache", run) for run in range(options.runs)])
            shutil.rmtree(folder)
        if options.grow:
            figures |= growth(Path(place), options.grow, options.runs)
    show("folders", figures, options.runs, about, options.out)


if __name__ == "__main__":
    main()
