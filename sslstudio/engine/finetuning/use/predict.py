"""New pictures answered by a fine-tuned run. What was answered is kept at once: a stopped prediction goes on.

predictions.csv      a row a picture, the confidence and the probability (for masks: the share) of each class
masks/, coco.json    for masks: one PNG a picture with the class numbers, and all of them as COCO
unreadable.csv       pictures that cannot be read, and why
answers.jsonl        the answers as they came, a line each; about.json: whose answers they are
"""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.core.files.atomic_files import Appender, make_folder, write_atomic
from sslstudio.engine.core.files.checked_files import read_limited
from sslstudio.engine.core.messages import Message
from sslstudio.engine.dataset.file_parts import choose_parts
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.evaluate.predict import mask_of, write_mask, write_table
from sslstudio.engine.finetuning.use.load import Trained
from sslstudio.engine.images.cache.pixel_cache import PixelCache, build_cache
from sslstudio.engine.images.index import file_at, scan
from sslstudio.engine.labels.formats.coco.writer import write_coco
from sslstudio.engine.labels.recognise import recognise
from sslstudio.engine.runs.folder_predictions import ABOUT, JOURNAL, AnswerLine, parsed, read_answers

TABLE, COCO, UNREADABLE = "predictions.csv", "coco.json", "unreadable.csv"
MASKS = "masks"
ODD_NAMES = "backslashreplace"  # lone surrogates of names that are not UTF-8 are what JSON calls them


@dataclass(frozen=True)
class Predicted:
    """What was answered: pictures in the table, those answered now, those that cannot be read, the table."""

    total: int
    new: int
    unreadable: int
    table: Path


def predict_folder(
    trained: Trained,
    folder: Path,
    out: Path,
    control: RunControl,
    separator: str = ",",
    roles: Mapping[str, str] | None = None,
) -> Generator[Preparing, None, Predicted]:
    """Predict every picture below `folder` that has no answer in `out` yet.

    `roles`: what a person said that folders are, of which some hold no pictures. `separator` of the table: with ';'
    numbers get a decimal comma, as spreadsheets in many languages want it. Raises DataError when `out` holds answers
    of another network, RunError when stopped: then what was answered is in the table, and the same call goes on there.
    """
    data = trained.config.data
    recognised = choose_parts(recognise(scan(folder), roles=roles), data.channels, data.pages)
    cache = yield from build_cache(recognised.pictures, trained.side, control=control)
    _claim(out, trained, folder)
    stamps = {path: _stamp(cache.index.root, path) for path in cache.index.paths}
    known = _known(out, stamps)
    todo = [path for path in cache.index.paths if path not in known]
    new = 0
    try:
        yield Preparing(stage=Message("Predicting"), done=len(known), total=len(stamps))
        for answers in _answers(trained, cache, todo, out, stamps, control):
            known.update(answers)
            new += len(answers)
            yield Preparing(stage=Message("Predicting"), done=len(known), total=len(stamps))
    finally:  # also when stopped or closed: what was answered is to be found in the table
        _write_table(out, trained, [known[path] for path in cache.index.paths if path in known], separator)
    if cache.index.unreadable:
        write_table(out / UNREADABLE, ["file", "reason"], [[one.path, one.reason] for one in cache.index.unreadable])
    if trained.config.kind == "segmentation":
        masks = {path: str(known[path]["mask"]) for path in cache.index.paths}
        about = Message("Predicted by {name} ({part})", name=trained.run.path.resolve().name, part=trained.part)
        yield from write_coco(out / COCO, out, masks, trained.predictor.names, about)
    return Predicted(len(known), new, len(cache.index.unreadable), out / TABLE)


def _stamp(root: Path, path: str) -> list[int]:
    """Size and time of a picture; those of no file when it has gone meanwhile, so that it is answered again."""
    try:
        file = file_at(root, path)
    except DataError:
        return [-1, 0]
    return [file.size, file.mtime_ns]


def _claim(out: Path, trained: Trained, folder: Path) -> None:
    """Make `out` this network's and these pictures'. Raises DataError when it is another's."""
    digest = hashlib.sha256(trained.weights.read_bytes()).hexdigest()
    about = {
        "run": str(trained.run.path.resolve()), "part": trained.part, "weights": digest, "kind": trained.config.kind,
        "classes": list(trained.predictor.names), "views": trained.config.views, "side": trained.side,
        "folder": str(folder.resolve()),
    }  # fmt: skip
    make_folder(out)
    file = out / ABOUT
    if file.exists():
        stored = parsed(read_limited(file).decode("utf-8", "replace"))
        if not isinstance(stored, dict) or any(stored.get(key) != about[key] for key in about if key != "run"):
            raise DataError(
                "{out} holds the answers of another network, or for other pictures. Choose another folder for these.",
                out=out,
            )
        return
    ours = [name for name in (TABLE, JOURNAL, COCO, UNREADABLE, MASKS) if (out / name).exists()]
    if ours:
        raise DataError(
            "{out} holds {ours} already, and not from here. Choose another folder for the answers.",
            out=out,
            ours=ours[0],
        )
    write_atomic(file, json.dumps(about, indent=1, ensure_ascii=False).encode(errors=ODD_NAMES))


def _known(out: Path, stamps: dict[str, list[int]]) -> dict[str, AnswerLine]:
    """Answers that are there for pictures as they are now. A torn last line goes: it would spoil the next one."""
    if (out / JOURNAL).exists():
        Appender(out / JOURNAL).close()
    return {
        line["file"]: line
        for line in read_answers(out)
        if stamps.get(line["file"]) == line.get("stamp") and ("mask" not in line or (out / line["mask"]).exists())
    }


def _answers(
    trained: Trained, cache: PixelCache, todo: Sequence[str], out: Path, stamps: dict[str, list[int]],
    control: RunControl,
) -> Generator[dict[str, AnswerLine], None, None]:  # fmt: skip
    """Answers chunk by chunk, each written down before it is handed on."""
    pictures = Pictures(cache, todo, trained.predictor.device)
    sizes = {path: (int(h), int(w)) for path, (h, w) in zip(cache.index.paths, cache.sizes, strict=True)}
    with Appender(out / JOURNAL) as journal:
        for paths, chances in trained.predictor.chunks(pictures, control):
            lines = {
                path: _answer(trained, out, path, stamps[path], chance, sizes[path])
                for path, chance in zip(paths, chances, strict=True)
            }
            said = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines.values())
            journal.append(said.encode(errors=ODD_NAMES))
            yield lines


def _answer(
    trained: Trained, out: Path, path: str, stamp: list[int], chances: Tensor, size: tuple[int, int]
) -> AnswerLine:
    if trained.config.kind == "classification":
        return {"file": path, "stamp": stamp, "chances": [round(chance, 6) for chance in chances.tolist()]}
    mask = mask_of(chances, *size)
    file = Path(MASKS) / f"{path}.png"
    write_mask(out / file, mask)
    shares = [round(float((mask == number).mean()), 6) for number in range(len(chances))]
    sure = round(float(chances.amax(dim=0).mean()), 6)  # mean over the pixels
    return {"file": path, "stamp": stamp, "mask": file.as_posix(), "confidence": sure, "shares": shares}


def _write_table(out: Path, trained: Trained, answers: Sequence[AnswerLine], separator: str) -> None:
    names = trained.predictor.names
    lines: list[list[str | float]] = []
    if trained.config.kind == "classification":
        head = ["file", "predicted", "confidence", *(f"p_{name}" for name in names)]
        for one in answers:
            best = max(one["chances"])
            lines.append([one["file"], names[one["chances"].index(best)], best, *one["chances"]])
    else:
        head = ["file", "mask", "confidence", *(f"share_{name}" for name in names)]
        lines = [[one["file"], one["mask"], one["confidence"], *one["shares"]] for one in answers]
    write_table(out / TABLE, head, lines, separator)
