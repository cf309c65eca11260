"""What a result says in words is what its numbers say."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslstudio.engine.evaluate.scores import HEADLINE, Array, Score, one_hot_confusions
from sslstudio.engine.evaluate.verdict import FEW, summarise, verdict
from sslstudio.engine.runs.metrics import FinetuneMetrics, interval_of

NAMES = ("cat", "dog", "owl")


def confusions(n: int, wrong: int) -> Array:
    """n pictures of three classes in turn; the first `wrong` of each 100 are taken for the next class."""
    truth = [number % 3 for number in range(n)]
    guess = [(label + 1) % 3 if number % 100 < wrong else label for number, label in enumerate(truth)]
    return one_hot_confusions(truth, guess, 3)


def summary(parts: dict[str, Array], kind: str = "classification", **more: Any) -> FinetuneMetrics:
    return summarise(kind, NAMES, parts, **{"n_train": 30, "most_frequent": 1, **more})


def signed(value: float) -> str:
    """As people write it: with a sign, and a minus that is not a hyphen."""
    return ("−" if f"{value:+.3f}"[0] == "-" else "+") + f"{abs(value):.3f}"


@pytest.mark.parametrize(
    ("pretrained", "scratch", "says", "sign"),
    [
        (10, 40, "Higher with pretraining on these test pictures: ", 1),
        (40, 10, "Lower with pretraining on these test pictures: ", -1),
        (20, 20, "No difference can be told from chance: ", 0),
        (20, 21, "No difference can be told from chance: ", 1),
    ],
)
@pytest.mark.parametrize("kind", ["classification", "segmentation"])
def test_the_verdict_follows_the_interval(kind: str, pretrained: int, scratch: int, says: str, sign: int) -> None:
    n = 300 if abs(pretrained - scratch) != 1 else 100
    result = summary({"pretrained": confusions(n, pretrained), "scratch": confusions(n, scratch)}, kind)
    assert result["difference"] is not None
    difference, low, high = interval_of(result["difference"])
    assert result["verdict"].startswith(says)
    assert np.sign(difference) == sign
    headline = result["headline"]
    values = [interval_of(result["parts"][part]["scores"][headline])[0] for part in ("pretrained", "scratch")]
    assert difference == pytest.approx(values[0] - values[1])
    for number in (f"{values[0]:.3f} pretrained", f"{values[1]:.3f} from scratch", signed(difference), f"n = {n}"):
        assert number in result["verdict"]
    assert f"{signed(low)} to {signed(high)}" in result["verdict"]
    assert result["verdict"].endswith("Another draw of labels or another seed can differ.")  # it is one of each
    assert "helps" not in result["verdict"]
    assert "harms" not in result["verdict"]


@pytest.mark.parametrize(("part", "words"), [("scratch", "from scratch"), ("pretrained", "with pretraining")])
@pytest.mark.parametrize(("kind", "title"), [("classification", "Balanced accuracy"), ("segmentation", "Mean IoU")])
def test_one_network_is_held_against_guessing(kind: str, title: str, part: str, words: str) -> None:
    good, poor = summary({part: confusions(120, 10)}, kind), summary({part: confusions(100, 62)}, kind)
    assert good["difference"] is None
    assert good["verdict"].startswith(f"{title} {words}: ")
    baseline = good["baseline"][HEADLINE[kind]]
    assert f", above the {baseline:.3f} of always guessing the most frequent class." in good["verdict"]
    lacks = " It was not compared with not pretraining."
    assert good["verdict"].endswith(lacks) == poor["verdict"].endswith(lacks) == (part == "pretrained")
    if kind == "classification":  # 38 of 100 pictures are right, where guessing gives a third
        assert f", not clearly above the {baseline:.3f} of" in poor["verdict"]


PART = st.floats(0, 1, width=16)


@st.composite
def intervals(draw: st.DrawFn, names: tuple[str, ...]) -> dict[str, Score]:
    """Scores with their intervals."""
    found = {}
    for name in names:
        low, value, high = sorted(draw(st.tuples(PART, PART, PART)))
        found[name] = Score(value, low, high, 40)
    return found


@given(data=st.data(), kind=st.sampled_from(["classification", "segmentation"]))
@settings(max_examples=200, deadline=None)
def test_nothing_is_praised_that_guessing_the_most_frequent_class_gets_as_well(data: st.DataObject, kind: str) -> None:
    names = ("accuracy", "balanced_accuracy") if kind == "classification" else ("mean_iou", "pixel_accuracy")
    headline = HEADLINE[kind]
    parts = {part: data.draw(intervals(names)) for part in ("pretrained", "scratch")}
    baseline = {name: data.draw(PART) for name in names}
    low, value, high = sorted(data.draw(st.tuples(*[st.floats(-1, 1)] * 3)))
    said = verdict(headline, parts, Score(value, low, high, 40), baseline)
    ours = parts["pretrained"]
    reached = ours[headline].low <= baseline[headline]
    assert said.startswith("No better than always guessing the most frequent class, which has a ") == reached
    fewer = kind == "segmentation" and ours["pixel_accuracy"].high < baseline["pixel_accuracy"]
    assert ("Fewer pixels are right than by always guessing the most frequent class" in said) == fewer
    if reached or fewer:  # and it comes first
        assert said.index("most frequent class") < said.index("pretrained against")
        assert "Higher" not in said[: said.index("most frequent class")]
    assert ("Higher with pretraining" in said) == (low > 0 and not reached and not fewer)
    assert "helps" not in said
    alone = verdict(headline, {"pretrained": parts["pretrained"]}, None, baseline)
    assert ("not clearly above the" in alone) == (reached or fewer)
    assert alone.startswith("Fewer pixels") == fewer


def test_masks_that_are_worse_than_background_say_so_before_pretraining_is_praised() -> None:
    """The case that was praised: mean IoU 46.6 % against 41.5 % of background alone, and fewer pixels right."""
    share, pixels, scratch = Score(0.466, 0.402, 0.527, 12), Score(0.678, 0.61, 0.74, 12), Score(0.416, 0.39, 0.44, 12)
    parts = {
        "pretrained": {"mean_iou": share, "pixel_accuracy": pixels},
        "scratch": {"mean_iou": scratch, "pixel_accuracy": pixels},
    }
    said = verdict("mean_iou", parts, Score(0.05, 0.01, 0.09, 12), {"mean_iou": 0.415, "pixel_accuracy": 0.829})
    assert said.startswith("No better than always guessing the most frequent class, which has a mean IoU of 0.415: ")
    assert "Fewer pixels are right than by always guessing the most frequent class: 0.678 instead of 0.829." in said
    assert said.endswith(
        "The mean IoU is 0.466 pretrained against 0.416 from scratch: while guessing does as well, nothing follows "
        "from their difference."
    )
    assert "Higher" not in said


def test_the_summary_is_plain_and_complete() -> None:
    result = summary({"pretrained": confusions(60, 10), "scratch": confusions(60, 20)})
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert {key: result[key] for key in ("job", "kind", "classes", "n_train", "n_test", "headline")} == {
        "job": "finetune", "kind": "classification", "classes": list(NAMES), "n_train": 30, "n_test": 60,
        "headline": "balanced_accuracy",
    }  # fmt: skip
    part = result["parts"]["scratch"]
    assert part["confusion"] == confusions(60, 20).sum(0).astype(int).tolist()
    assert [row["name"] for row in part["per_class"]] == list(NAMES)
    assert set(part["scores"]) == set(result["baseline"]) == {"accuracy", "balanced_accuracy", "macro_f1"}


def test_the_baseline_guesses_the_class_that_is_frequent_in_training() -> None:
    truth = [0] * 70 + [1] * 20 + [2] * 10
    right = one_hot_confusions(truth, truth, 3)
    shares = [summary({"scratch": right}, most_frequent=guess)["baseline"]["accuracy"] for guess in range(3)]
    assert shares == pytest.approx([0.7, 0.2, 0.1])
    assert summary({"scratch": right})["baseline"]["balanced_accuracy"] == pytest.approx(1 / 3)


def test_groups_count_once() -> None:
    groups = [f"patient {number // 5}" for number in range(60)]
    parts = {"pretrained": confusions(60, 10), "scratch": confusions(60, 40)}
    alone, together = summary(parts), summary(parts, groups=groups)
    assert alone["difference"] is not None
    assert together["difference"] is not None
    assert together["difference"]["n"] == 12
    assert together["parts"]["scratch"]["scores"]["accuracy"]["n"] == 12
    assert together["n_test"] == alone["n_test"] == 60
    assert together["difference"]["value"] == pytest.approx(alone["difference"]["value"])


def test_few_test_pictures_and_the_luck_of_the_draw_are_said() -> None:
    few = summary({"scratch": confusions(FEW - 1, 10)})["notes"]
    assert len(few) == 1
    assert f"Only {FEW - 1} test pictures" in few[0]
    assert summary({"scratch": confusions(FEW, 10)})["notes"] == []
    compared = summary({"pretrained": confusions(FEW, 10), "scratch": confusions(FEW, 10)})["notes"]
    assert len(compared) == 1
    assert "not that of the draw of the 30 labelled" in compared[0]


def test_classes_with_few_test_pictures_are_named() -> None:
    truth = [0] * 60 + [1] * 9 + [2] * 2
    sure = one_hot_confusions(truth, truth, 3)
    said = summary({"scratch": sure})["notes"]
    assert [note for note in said if "Fewer than 10 test pictures of dog (9) and owl (2)" in note] == said
    assert summary({"scratch": sure}, "segmentation")["notes"] == []
    many = [str(number) for number in range(9)]
    shown = summarise("classification", many, {"scratch": one_hot_confusions(list(range(9)) * 6, [0] * 54, 9)},
                      n_train=9, most_frequent=0)  # fmt: skip
    assert "of 0 (6), 1 (6), 2 (6), 3 (6), 4 (6) and 4 more" in shown["notes"][0]


def test_pretraining_is_compared_with_the_better_of_nothing_and_untrained_features() -> None:
    """A twin from scratch that has not learnt is easy to beat: untrained features with the same read-out are not."""
    truth = [0, 1] * 40
    wrong = [1 - one for one in truth]
    answers = {"pretrained": truth[:72] + wrong[72:], "scratch": truth[:44] + wrong[44:],
               "untrained": truth[:70] + wrong[70:]}  # fmt: skip
    confusions = {arm: one_hot_confusions(truth, said, 2) for arm, said in answers.items()}
    metrics = summarise("classification", ("a", "b"), confusions, n_train=4, most_frequent=0)
    assert metrics["compared_with"] == "untrained"
    assert metrics["difference"] is not None
    assert metrics["difference"]["value"] == pytest.approx(2 / 80, abs=1e-9)
    assert "No difference" in metrics["verdict"]
    assert "with untrained features" in str(metrics["verdict"])
    del confusions["untrained"]
    metrics = summarise("classification", ("a", "b"), confusions, n_train=4, most_frequent=0)
    assert metrics["compared_with"] == "scratch"
    assert str(metrics["verdict"]).startswith("Higher with pretraining on these test pictures")
    del confusions["scratch"]
    assert summarise("classification", ("a", "b"), confusions, n_train=4, most_frequent=0)["compared_with"] == ""


@pytest.mark.parametrize(("right", "better"), [(78, True), (60, False)])
def test_general_weights_are_named_where_they_are_clearly_better(right: int, better: bool) -> None:
    truth = [0, 1] * 40
    wrong = [1 - one for one in truth]
    answers = {"pretrained": 56, "scratch": 44, "untrained": 46, "general": right, "beside": 62}
    confusions = {arm: one_hot_confusions(truth, truth[:n] + wrong[n:], 2) for arm, n in answers.items()}
    said = str(summarise("classification", ("a", "b"), confusions, n_train=4, most_frequent=0)["verdict"])
    assert f"Read from general weights it is {right / 80:.3f}, from your own beside general ones 0.775." in said
    assert ("general weights are the better start" in said) == better
