"""A report says what the run's files say, and holds all that it shows."""

import json
import re
from pathlib import Path
from typing import TypeVar

import pytest

from sslstudio.engine.core.catalogue import find_language
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import DataError
from sslstudio.engine.core.messages import ENGLISH, Language, Message
from sslstudio.engine.report.page import Report, page
from sslstudio.engine.report.run import write_report
from sslstudio.engine.runs.metrics import interval_of
from sslstudio.engine.runs.run_folder import RunFolder
from tests.engine.report.test_page import Reader, asks_nobody, read
from tests.engine.report.test_page import metrics as some_metrics

R = TypeVar("R")
SAME = {"Training", "Encoder", "Threads", "Dice", "F1", "IoU", "VICReg"}  # words that both languages have


def written(run: Path, out: Path, pictures: bool = True, language: Language = ENGLISH) -> str:
    steps = write_report(run, out, RunControl(), pictures=pictures, language=language)
    return to_end(steps).read_text(encoding="utf-8")


def test_a_classification_is_reported_from_its_own_files(classified: Path, sample_folder: Path, tmp_path: Path) -> None:
    text = written(classified, tmp_path / "report.html")
    reader = read(text)
    said = " ".join(reader.texts)
    metrics = RunFolder(classified).finetune_metrics()
    assert metrics is not None
    split = json.loads((classified / "split.json").read_text())
    assert asks_nobody(reader)
    assert metrics["verdict"] in said
    assert all(note in said for note in metrics["notes"])
    score = metrics["parts"]["pretrained"]["scores"]["balanced_accuracy"]
    assert f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f}, n = {score['n']})" in said
    wrong = metrics["n_test"] - sum(metrics["parts"]["pretrained"]["confusion"][k][k] for k in range(5))
    assert f"{wrong} of {metrics['n_test']} test pictures were answered wrong" in said
    assert sum(tag == "img" for tag, _ in reader.found) == min(wrong, 24) + 1  # and the sheet of puzzles
    assert f"pretrained without labels on {len(split['train'])} pictures with the pretext task “Jigsaw puzzle”" in said
    assert "Noroozi & Favaro, ECCV 2016" in said
    assert f"on {metrics['n_train']} labelled pictures (at most 3 a class, drawn at random, seed 0)" in said
    assert "sslstudio finetune" in said
    assert "--labels-per-class 3" in said
    assert "test pictures look almost like one" in said
    assert str(sample_folder.parent) not in text
    assert str(classified.parent) not in text


def test_masks_are_reported_with_the_worst_first(segmented: Path, tmp_path: Path) -> None:
    reader = read(written(segmented, tmp_path / "report.html"))
    captions = [text for text in reader.texts if text.startswith("IoU ")]
    ious = [float(caption.split()[1].rstrip(":")) for caption in captions]
    assert ious == sorted(ious)
    assert len(ious) == json.loads((segmented / "metrics.json").read_text())["n_test"]
    assert "U-Net decoder" in " ".join(reader.texts)


def test_a_pretraining_without_pictures(pretrained: Path, tmp_path: Path) -> None:
    reader = read(written(pretrained, tmp_path / "report.html", pictures=False))
    assert not [tag for tag, _ in reader.found if tag == "img"]
    assert "After 8 steps" in " ".join(reader.texts) or "steps, on" in " ".join(reader.texts)
    assert [tag for tag, _ in reader.found if tag == "polyline"]


def test_reports_overwrite_nothing_and_need_a_result(classified: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    with pytest.raises(DataError, match="exists already"):
        written(classified, tmp_path / "mine.html")
    with pytest.raises(DataError, match=r"report\.html"):
        written(classified, tmp_path / "report.pdf")
    with pytest.raises(DataError, match="is not a run"):
        written(tmp_path, tmp_path / "report.html")
    assert (tmp_path / "mine.html").read_text() == "mine"


class Pieces(Reader):
    """The texts outside what stays English, with labels of drawings and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.english: list[str] = []
        self._outside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        given = dict(attrs)
        if not self._outside and (tag in ("pre", "style") or (tag == "ol" and given.get("lang") == "en")):
            self._outside = len(self.open)
        self.texts += [said for name in ("alt", "aria-label") if (said := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) == self._outside:
            self._outside = 0
        super().handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        (self.english if self._outside else self.texts).append(data)


def pieces(text: str) -> Pieces:
    reader = Pieces()
    reader.feed(text)
    reader.close()
    return reader


@pytest.mark.parametrize("kind", ["classified", "segmented", "pretrained"])
def test_a_report_in_german_leaves_no_english(
    kind: str, pretrained: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(kind)
    english = pieces(written(run, tmp_path / "en.html"))
    spoken = pieces(written(run, tmp_path / "de.html", language=find_language("de")))
    assert spoken.found[0] == ("html", {"lang": "de"})
    said, meant = ([*one.texts, *one.english] for one in (spoken, english))
    assert len(said) == len(meant)
    configs = "".join((one / "config.toml").read_text(encoding="utf-8") for one in (run, pretrained))
    metrics = RunFolder(run).finetune_metrics()
    names = SAME | set(metrics["classes"] if metrics else ())
    both = {said for said in set(spoken.texts) & set(english.texts) if re.search("[a-z]{2}", said)}
    same = {said for said in both if said.strip() not in names and said not in configs}
    assert not {said for said in same if not re.match(r"SSL Studio|torch |IoU \d", said)}
    assert not [said for said in spoken.texts if re.search(r"\b(the|of|and|with|is|on|are|not|to)\b", said)]
    assert any("Bilder wurden auf 32 x 32 Pixel umgerechnet" in said for said in spoken.texts), "the methods"
    assert any("arXiv" in said for said in spoken.english), "works as their authors named them"
    assert {"Einstellungen", "Dasselbe noch einmal", "Womit es gemacht wurde"} <= set(spoken.texts)


def test_scores_and_notes_of_a_german_report_are_written_as_one_does_there(classified: Path, tmp_path: Path) -> None:
    said = " ".join(pieces(written(classified, tmp_path / "de.html", language=find_language("de"))).texts)
    metrics = RunFolder(classified).finetune_metrics()
    assert metrics is not None
    score = metrics["parts"]["pretrained"]["scores"]["balanced_accuracy"]
    value, low, high = (f"{100 * number:.1f}\u00a0%".replace(".", ",") for number in interval_of(score))
    assert f"{value} ({low} bis {high}, n = {score['n']})" in said
    for sentence in (metrics["verdict"], *metrics["notes"]):
        assert isinstance(sentence, Message)
        assert sentence.render(find_language("de")) in said
    assert " Punkte" in said


def test_sentences_of_an_earlier_version_stay_english() -> None:
    report = Report(
        title="A run", about="", metrics=some_metrics(), verdict="Pretraining helps.", notes=["Few pictures."]
    )
    said = pieces(page(report, find_language("de"))).texts
    assert "Pretraining helps." in said
    assert "Few pictures." in said
    assert "Ergebnisse" in said
