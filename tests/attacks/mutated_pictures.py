"""Mutates picture files of every format that the program reads, and has the program read them.

python -m tests.attacks.mutated_pictures --n 5000 --seed 1

The files are the odd ones of tests/support (JPEG, PNG, TIFF, DICOM, WebP, GIF, BMP and more). Each is damaged
in some ways and read in a process of its own: see `confined`. What the program says of a DICOM file must not hold a
name that stands in it. Exits with 1 when anything went wrong.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

from tests.attacks.confined import Outcome, Tally, confined, tell_line
from tests.attacks.damage import damage
from tests.support import odd_dicom, odd_tiff, oddities

PATIENT = b"DOE^JANE"
MOST = 4 << 20  # bytes of a file that is worth mutating


def _pictures() -> dict[str, bytes]:
    """One file of each kind, by name."""
    found: dict[str, bytes] = {}
    makers = (oddities.jpegs, oddities.pngs, oddities.small_formats, partial(odd_tiff.tiffs, oddities),
              partial(odd_dicom.dicoms, oddities))  # fmt: skip
    for make in makers:
        found |= {odd.path: odd.content for odd in make() if 0 < len(odd.content) < MOST}
    for suffix, kind in ((".jp2", "JPEG2000"), (".ppm", "PPM"), (".tga", "TGA"), (".avif", "AVIF"), (".webp", "WEBP")):
        try:
            found[f"more/picture{suffix}"] = oddities.saved(oddities.REFERENCE, kind)
        except (KeyError, OSError):  # this build of Pillow cannot write it
            continue
    return found


def _with_patient(content: bytes) -> bytes:
    """A name where texts of DICOM stand, of the same length."""
    for mark in (b"1.2.840.10008.1.2.1\0", b"MONOCHROME2 "):
        content = content.replace(mark, PATIENT.ljust(len(mark), b" "), 1)
    return content


def _read(file: Path) -> None:
    from sslstudio.engine.images.formats.decode import read_picture

    read_picture(file)


def attack(n: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> Tally:
    """Mutate `n` pictures one after the other."""
    random, tally = Random(seed), Tally()
    pictures = _pictures()
    names, contents = list(pictures), [content[: 1 << 18] for content in pictures.values()]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        _warm(folder, pictures)
        for number in range(n):
            name = random.choice(names)
            is_dicom = name.endswith(".dcm")
            content = pictures[name]
            if is_dicom and random.random() < 0.3:
                content = _with_patient(content)
            for _ in range(random.choice((1, 1, 2, 4))):
                content, how = damage(content, "picture", contents, random)
            file = folder / f"picture{Path(name).suffix}"
            file.write_bytes(content)
            outcome = confined(partial(_read, file), folder)
            if is_dicom and PATIENT.decode() in outcome.said:
                outcome = Outcome((*outcome.faults, "patient: the reason quotes the file"), outcome.said,
                                  outcome.seconds, outcome.grown)  # fmt: skip
            tally.add(f"#{number} {name}: {how}", outcome)
            if outcome.faults:
                tell(tally.told[-1])
            file.unlink()
    return tally


def _warm(folder: Path, pictures: dict[str, bytes]) -> None:
    """Load every decoder here, once, and not in each of the processes."""
    from sslstudio.engine.core.errors import StudioError

    for name, content in pictures.items():
        file = folder / f"warm{Path(name).suffix}"
        file.write_bytes(content)
        with suppress(StudioError):
            _read(file)
        file.unlink()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = attack(options.n, options.seed, tell_line)
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
