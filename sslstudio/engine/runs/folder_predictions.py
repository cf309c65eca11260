"""The answers for new pictures as a folder of predictions keeps them, read back.

Written by `finetuning/use/predict.py`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from sslstudio.engine.core.errors import RunError, StudioError
from sslstudio.engine.core.files.checked_files import parse_json, read_json, read_limited
from sslstudio.engine.core.files.named_paths import leads_out
from sslstudio.engine.core.messages import Message

JOURNAL, ABOUT = "answers.jsonl", "about.json"


ADVICE = Message("Predict into another folder.")


class _About(TypedDict):
    classes: list[str]


class AnswerLine(TypedDict):
    """A line of answers.jsonl: a picture with its size and time, and the probability of each class; or for masks the
    file of the mask, how sure it is, and the share of the pixels of each class."""

    file: str
    stamp: NotRequired[list[int]]
    chances: NotRequired[list[float]]
    mask: NotRequired[str]
    confidence: NotRequired[float]
    shares: NotRequired[list[float]]


@dataclass(frozen=True)
class Answer:
    """What was said of a picture: class ('' for masks), how sure that is (0 to 1), mask file ('' for classes)."""

    file: str
    predicted: str
    confidence: float
    mask: str = ""


def answers_in(out: Path) -> list[Answer]:
    """The answers of a folder, the least sure first. Raises RunError when it is damaged."""
    try:
        names = read_json(out / ABOUT, _About, advice=ADVICE)["classes"]
        found = [_answer(line, names) for line in read_answers(out)]
    except (OSError, StudioError, ValueError, KeyError, IndexError) as error:
        raise RunError(
            "The answers in {out} cannot be read: {error}. Predict into another folder.", out=out, error=error
        ) from error
    return sorted(found, key=lambda one: one.confidence)


def folder_answered(place: Path) -> Path | None:
    """The folder of pictures that the newest predictions in `place` are for, if it is still there. None: there are no
    predictions."""
    found: list[tuple[float, Path]] = []
    for about in place.glob(f"*/{ABOUT}"):
        content = _about_in(about)
        folder = Path(str(content.get("folder", ""))) if isinstance(content, dict) else Path()
        if folder.is_absolute() and folder.exists():
            found.append((about.stat().st_mtime, folder))
    return max(found)[1] if found else None


def _about_in(file: Path) -> Any:
    try:
        return parse_json(read_limited(file), ABOUT)
    except (OSError, RunError):
        return None


def _answer(line: AnswerLine, names: list[str]) -> Answer:
    if "mask" in line:
        return Answer(line["file"], "", float(line["confidence"]), str(line["mask"]))
    sure = max(line["chances"])
    return Answer(line["file"], str(names[line["chances"].index(sure)]), float(sure))


def read_answers(out: Path) -> list[AnswerLine]:
    """The newest answer for each picture, as answers.jsonl has them. A line torn by a power cut counts as none."""
    file = out / JOURNAL
    if not file.exists():
        return []
    found: dict[str, AnswerLine] = {}
    for line in read_limited(file).split(b"\n")[:-1]:
        answer = parsed(line.decode("utf-8", "replace"), AnswerLine)
        if answer is not None and not leads_out(answer["file"]) and not leads_out(answer.get("mask", "x")):
            found[answer["file"]] = answer
    return list(found.values())


def parsed(text: str, kind: Any = Any) -> Any:
    """What a JSON text holds; None when it is none, or not of this kind."""
    try:
        return parse_json(text, ABOUT, kind)
    except RunError:
        return None
