"""How fast photographs become pixels, beside bare simplejpeg; and how soon a training has its first batch.

python -m tests.benchmarks.bench_ingest --pictures 1000 --runs 5
"""

import argparse
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.dataset.loader import Order, Pictures
from sslstudio.engine.images.cache.pixel_cache import StreamingCache, build_cache
from sslstudio.engine.images.cache.reader import cores
from sslstudio.engine.images.index import scan
from sslstudio.engine.pretraining.preview import PuzzlesReady, preview_puzzles
from sslstudio.engine.pretraining.run import FIRST_PICTURES
from sslstudio.engine.training.config import DataConfig, PretrainConfig
from sslstudio.engine.training.session import open_session
from tests.benchmarks.bench_kit import Figures, clock, medians, photographs, show


def bare(folder: Path, count: int, side: int) -> float:
    """Pictures a second of simplejpeg alone on all cores, scaled as far as it can."""
    import simplejpeg

    def decode(path: Path) -> None:
        simplejpeg.decode_jpeg(path.read_bytes(), "RGB", min_height=side, min_width=side)

    files = sorted(folder.rglob("*.jpg"))[:count]
    with clock() as seconds, ThreadPoolExecutor(cores()) as pool:
        list(pool.map(decode, files))
        return len(files) / seconds()


def cached(folder: Path, count: int, side: int, cache: Path) -> float:
    """Pictures a second into a cache that was empty."""
    index = scan(folder, cache)
    index = index.subset(index.paths[:count])
    with clock() as seconds:
        to_end(build_cache(index, side, cache_dir=cache))
        return count / seconds()


def first_batch(folder: Path, side: int, batch: int) -> tuple[float, float]:
    """Seconds from the folder to the first batch of a training, and until all is read."""
    control, device = RunControl(), devices.choose("cpu")
    config = DataConfig(folder=str(folder), side=side)
    with clock() as seconds:
        session = to_end(open_session(config, device, control, early=True))
        with closing(session.cache):
            pictures = Pictures(session.cache, session.split.train, device)
            order = Order(len(pictures), batch, 0)
            to_end(pictures.read_first(order, FIRST_PICTURES, control))
            pictures.take(order.batch(0))
            first = seconds()
            assert isinstance(session.cache, StreamingCache)
            session.cache.unreadable()  # waits for the last
            return first, seconds()


def first_puzzle(folder: Path, side: int) -> float:
    """Seconds from the folder to the first puzzles on the screen."""
    config = PretrainConfig(out="unused", task="jigsaw", data=DataConfig(folder=str(folder), side=side))
    with clock() as seconds:
        for said in preview_puzzles(config, 4, 0, RunControl()):
            if isinstance(said, PuzzlesReady):
                return seconds()
    raise AssertionError("a preview ends with puzzles")


def one_run(folder: Path, options: argparse.Namespace) -> Figures:
    with tempfile.TemporaryDirectory() as place:
        os.environ["SSLSTUDIO_CACHE"] = place
        alone = bare(folder, options.decoded, options.side)
        ours = cached(folder, options.decoded, options.side, Path(place) / "one")
        puzzle = first_puzzle(folder, options.side)
        batch, everything = first_batch(folder, options.side, options.batch)
    return {
        "bare simplejpeg, pictures a second": alone,
        "into the cache, pictures a second": ours,
        "into the cache / bare simplejpeg (at least 0.85)": ours / alone,
        "folder to first puzzles, seconds": puzzle,
        "folder to first batch, seconds (under 5)": batch,
        "folder to full cache, seconds": everything,
        "full cache / all pictures by bare simplejpeg": everything * alone / options.pictures,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000, help="in the folder")
    parser.add_argument("--folders", type=int, default=10)
    parser.add_argument("--decoded", type=int, default=400, help="of them, for the pictures a second")
    parser.add_argument("--size", type=int, nargs=2, default=(4032, 3024), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--side", type=int, default=96, help="of the squares in the cache")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        make = partial(photographs, count=options.pictures, folders=options.folders, size=tuple(options.size))
        folder = make(Path(place))
        one_run(folder, argparse.Namespace(**{**vars(options), "decoded": 8}))  # warms the disk cache and the imports
        runs = [one_run(folder, options) for _ in range(options.runs)]
    about = {name: value for name, value in vars(options).items() if name != "out"}
    show("ingest", medians(runs), options.runs, about, options.out)


if __name__ == "__main__":
    main()
