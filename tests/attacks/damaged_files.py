"""Damages files of every kind that the program reads, and has the program read them.

python -m tests.attacks.damaged_files --n 2000 --seed 1

Projects, runs, comparisons, labels and predictions are those that version 0.2 has made (tests/data); label files of
other programs, archives, caches and weights are made here. Each case damages one file in one way and runs one reader or
command on it in a process of its own: see `confined`. Exits with 1 when anything went wrong.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.attacks.confined import Outcome, Tally, confined, tell_line
from tests.attacks.damage import damage
from tests.support import samples

Piece = Callable[[], object]
READ = (".toml", ".json", ".jsonl", ".csv", ".npz", ".safetensors", ".gz", ".md")


@dataclass(frozen=True)
class Case:
    """A file to damage, and what then reads it."""

    kind: str
    file: Path
    piece: Piece


class Bug(Exception):
    """The command line said that something went wrong inside the program."""


def command(*arguments: str | Path) -> None:
    """A command of the command line. Raises Bug where its boundary caught what no one had put into words."""
    from sslstudio.cli import main as cli

    said = io.StringIO()
    before, sys.stderr = sys.stderr, said
    try:
        cli.main([str(one) for one in arguments])
    except SystemExit:
        pass
    finally:
        sys.stderr = before
    if cli.BUG in said.getvalue() or "Traceback" in said.getvalue():
        log = Path(os.environ["SSLSTUDIO_LOG"]) / "sslstudio.log"
        raise Bug(said.getvalue()[-500:] + (log.read_text(errors="replace")[-3000:] if log.exists() else ""))


class World:
    """A folder with one of everything, which is put back after each case."""

    def __init__(self, root: Path) -> None:
        from tests.engine.labels.formats.test_drawn_formats import LAYOUTS

        self.place, self.kept = root / "case", root / "kept"
        samples.unpack(self.place)
        self.layouts = list(LAYOUTS)
        for name, (make, _) in LAYOUTS.items():
            (self.place / "formats" / name).mkdir(parents=True)
            make(self.place / "formats" / name)
        self._more_labels()
        self._weights()
        os.environ |= {
            "SSLSTUDIO_CACHE": str(self.place / "cache"), "SSLSTUDIO_LOG": str(self.place / "log"),
            "SSLSTUDIO_HOME": str(self.place / "home"), "HOME": str(self.place / "home"),
            "TMPDIR": str(self.place / "temporary"),
        }  # fmt: skip
        (self.place / "temporary").mkdir()
        tempfile.tempdir = str(self.place / "temporary")
        with contextlib.redirect_stdout(io.StringIO()):
            command("index", self.place / "little zoo", "--side", "16")  # fills the cache
        shutil.copytree(self.place, self.kept)

    def _more_labels(self) -> None:
        zoo, formats = self.place / "little zoo", self.place / "formats"
        pictures = sorted((zoo / "images").rglob("*.png"))[:12]
        for name in ("table", "coco"):
            (formats / name).mkdir()
            for number, picture in enumerate(pictures):
                shutil.copyfile(picture, formats / name / f"{number}.png")
        rows = "".join(f"{number}.png,{'leaf' if number % 2 else 'shell'}\n" for number in range(12))
        (formats / "table" / "labels.csv").write_text(f"file,label\n{rows}")
        content = {
            "images": [{"id": n, "file_name": f"{n}.png", "width": 96, "height": 96} for n in range(12)],
            "categories": [{"id": 1, "name": "leaf"}],
            "annotations": [
                {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "bbox": [1, 1, 9, 9], "area": 64,
                 "segmentation": [[1, 1, 9, 1, 9, 9, 1, 9]]} for n in range(12)],
        }  # fmt: skip
        (formats / "coco" / "annotations.json").write_text(json.dumps(content))
        with zipfile.ZipFile(self.place / "pictures.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for number, picture in enumerate(pictures):
                archive.write(picture, f"{number % 3}/{number}.png")

    def _weights(self) -> None:
        import torch
        from safetensors.torch import save_file

        from sslstudio.engine.models.encoders import EncoderConfig, build_encoder

        state = build_encoder(EncoderConfig(name="small", stem="small"), 0).state_dict()
        place = self.place / "weights"
        place.mkdir()
        torch.save(state, place / "weights.pt")
        torch.save({"state_dict": state}, place / "older.pth", _use_new_zipfile_serialization=False)
        save_file({name: value.contiguous() for name, value in state.items()}, place / "weights.safetensors")

    def put_back(self) -> None:
        """Undo what a case did."""
        kept, now = _files(self.kept), _files(self.place)
        for name in now.keys() - kept.keys():
            (self.place / name).unlink()
        for name in kept:
            if now.get(name) != kept[name]:
                (self.place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.kept / name, self.place / name)
        for folder in sorted((one for one in self.place.rglob("*") if one.is_dir()), reverse=True):
            if not (self.kept / folder.relative_to(self.place)).is_dir():
                folder.rmdir()


def _files(root: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file below a folder."""
    found = {}
    for place, _, names in os.walk(root):
        for name in names:
            about = os.lstat(os.path.join(place, name))
            found[os.path.relpath(os.path.join(place, name), root)] = about.st_size, about.st_mtime_ns
    return found


def _cases(world: World) -> Iterator[Case]:
    home = world.place / "home"
    zoo = home / "Projects" / "little zoo"
    for file in sorted(one for one in home.rglob("*") if one.suffix in READ and one.is_file()):
        for name, piece in _readers(file, zoo):
            yield Case(name, file, piece)
    yield Case("queue", home / "queue.json", partial(_queue, home / "queue.json"))
    for file in sorted((world.place / "predictions").glob("*.*")):
        yield Case("predictions", file, partial(_answers, world.place / "predictions"))
    for layout in (*world.layouts, "table", "coco"):
        folder = world.place / "formats" / layout
        for file in sorted(one for one in folder.rglob("*") if one.is_file() and one.suffix != ".tif"):
            if file.suffix != ".png" or layout in ("cellpose", "nnunet"):
                yield Case(f"labels {layout}", file, partial(_recognise, folder))
    for file in sorted((world.place / "cache").rglob("*")):
        if file.is_file():
            yield Case("cache", file, partial(command, "index", world.place / "little zoo", "--side", "16"))
    for file in sorted((world.place / "weights").iterdir()):
        yield Case("weights", file, partial(_weights, file))
    yield Case("archive", world.place / "pictures.zip", partial(_unpack, world.place / "pictures.zip"))


def _readers(file: Path, zoo: Path) -> Iterator[tuple[str, Piece]]:
    """What reads a file of a project or of a run."""
    if file.name.startswith("sslstudio."):
        yield "project", partial(_project, file.parent)
    if "labels" in file.relative_to(zoo.parents[1]).parts:
        yield "labelling", partial(_labelling, zoo / "labels")
    run = next((one for one in (file.parent, *file.parents) if (one / "config.toml").exists()), None)
    experiment = next((one for one in file.parents if (one / "compare.toml").exists() or
                       (one / "tournament.toml").exists()), None)  # fmt: skip
    settled = ("events.jsonl", "config.toml", "metrics.json")
    if experiment is not None and (run is None or file.name in settled):
        yield "experiment", partial(_experiment, experiment)
    if run is not None:
        yield "run", partial(_run, run)
        if file.name in settled:
            yield "runs", partial(command, "runs", run.parent)
        yield "report", partial(command, "report", run, "--out", run / "report.html")
        if file.suffix in (".safetensors", ".json", ".gz") and (run / "metrics.json").exists():
            yield "evaluate", partial(command, "evaluate", run, "--table", run / "table.csv", "--device", "cpu")
        if run.name in ("killed", "paused", "stopped twin"):
            yield "resume", partial(command, "resume", run, "--json")


def _run(path: Path) -> None:
    """All that the window reads of a run."""
    from sslstudio.engine.runs.follow import EventLog
    from sslstudio.engine.runs.label_decisions import read_decisions
    from sslstudio.engine.runs.run_folder import RunFolder, summary_of
    from sslstudio.engine.runs.summary import summary
    from sslstudio.engine.runs.test_predictions import predictions_of
    from sslstudio.engine.training.recognised_record import find_changes

    run = RunFolder(path)
    pieces: list[Piece] = [
        partial(summary_of, path), lambda: summary(run.events()), EventLog(path).new, run.metrics, run.split_table,
        partial(read_decisions, path), partial(predictions_of, path, "pretrained"), lambda: run.weights,
        lambda: find_changes(run, str(run.config().get("data", {}).get("folder", "")), ""),
        lambda: _confused(path), lambda: _costs(run),
    ]  # fmt: skip
    _each(pieces)


def _confused(path: Path) -> None:
    from sslstudio.engine.runs.confusions import where_confused

    where_confused(path, "pretrained", 0, 1)


def _costs(run: object) -> None:
    from sslstudio.engine.finetuning.costs import read_costs
    from sslstudio.engine.finetuning.plan_file import read_plan
    from sslstudio.engine.finetuning.read_out.calibration import read_calibrations
    from sslstudio.engine.runs.run_folder import RunFolder

    assert isinstance(run, RunFolder)
    _each([partial(read_costs, run), partial(read_plan, run), partial(read_calibrations, run)])


def _each(pieces: list[Piece]) -> None:
    """Each of them, also when one before is refused: then the refusal is told at the end."""
    from sslstudio.engine.core.errors import StudioError

    refused: StudioError | None = None
    for piece in pieces:
        try:
            piece()
        except StudioError as error:
            refused = refused or error
    if refused is not None:
        raise refused


def _experiment(path: Path) -> None:
    from sslstudio.engine.experiments.catalogue import list_experiments, open_experiment, stand_of

    _each([partial(list_experiments, path.parent, "compare"), partial(list_experiments, path.parent, "tournament"),
           partial(open_experiment, path), partial(stand_of, path)])  # fmt: skip


def _project(folder: Path) -> None:
    from sslstudio.engine.projects.project import find_projects, open_project

    _each([lambda: list(find_projects(folder.parent)), partial(open_project, folder)])


def _labelling(folder: Path) -> None:
    from sslstudio.engine.labels.drawn_test import read_drawn
    from sslstudio.engine.labels.editing.files import pictures_of
    from sslstudio.engine.labels.editing.start import can_begin
    from sslstudio.engine.labels.editing.store import Labelling

    _each([partial(pictures_of, folder), partial(can_begin, folder), partial(read_drawn, folder),
           lambda: Labelling(folder).close()])  # fmt: skip


def _queue(file: Path) -> None:
    from sslstudio.engine.runs.queue import RunQueue

    _each([lambda: RunQueue(file).runs])


def _answers(out: Path) -> None:
    from sslstudio.engine.runs.folder_predictions import answers_in

    answers_in(out)


def _recognise(folder: Path) -> None:
    from sslstudio.engine.images.index import scan
    from sslstudio.engine.labels.recognise import recognise

    recognise(scan(folder))


def _weights(file: Path) -> None:
    from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
    from sslstudio.engine.training.checkpoint import load_encoder

    load_encoder(build_encoder(EncoderConfig(name="small", stem="small"), 0), file)


def _unpack(file: Path) -> None:
    from sslstudio.engine.core.control import RunControl, to_end
    from sslstudio.engine.images.zip_archive import unpack

    to_end(unpack(file, file.parent / "unpacked", RunControl()))


@contextlib.contextmanager
def made_world() -> Iterator[World]:
    """A world in a folder of its own, as long as this lasts."""
    import matplotlib.font_manager  # noqa: F401  it asks another program for the fonts once
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, samples.smaller_encoder():
        yield World(Path(folder).resolve())


def attack(
    n: int, seed: int, kinds: str = "", tell: Callable[[str], None] = lambda line: None, inside: World | None = None
) -> Tally:
    """Damage `n` files one after the other; `kinds`: only those whose name holds it; `inside`: a world to use."""
    random, tally = Random(seed), Tally()
    with contextlib.nullcontext(inside) if inside else made_world() as world:
        by_kind: dict[str, list[Case]] = {}
        for case in _cases(world):
            if kinds in case.kind:
                by_kind.setdefault(case.kind, []).append(case)
        contents = [case[0].file.read_bytes()[: 1 << 20] for case in by_kind.values()]
        for number in range(n):
            case = random.choice(by_kind[random.choice(list(by_kind))])  # each kind as often as any other
            changed, how = damage(case.file.read_bytes(), case.file.name, contents, random)
            case.file.write_bytes(changed)
            name = f"#{number} {case.kind}, {case.file.relative_to(world.place)}: {how}"
            outcome: Outcome = confined(case.piece, world.place)
            tally.add(name, outcome)
            if outcome.faults:
                tell(tally.told[-1])
            world.put_back()
    return tally


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="", help="only kinds whose name holds this text")
    options = parser.parse_args()
    tally = attack(options.n, options.seed, options.kinds, tell_line)
    sys.stdout.write("\n".join(tally.lines()) + "\n")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main())
