"""A result in plain words praises nothing that could be guessed."""

from sslstudio.engine.evaluate.plain_verdict import plain_verdict
from sslstudio.engine.runs.metrics import ClassLine, FinetuneMetrics, PartResult, ScoreInterval


def result(
    value: float,
    low: float,
    high: float,
    *,
    gap: tuple[float, float, float] | None = None,
    recalls: tuple[float, ...] = (0.9, 0.9),
) -> FinetuneMetrics:
    score: ScoreInterval = {"value": value, "low": low, "high": high, "n": 80}
    lines: list[ClassLine] = [{"name": f"class {number}", "n": 40, "recall": one} for number, one in enumerate(recalls)]
    difference: ScoreInterval | None = {"value": gap[0], "low": gap[1], "high": gap[2], "n": 80} if gap else None
    return {
        "job": "finetune", "kind": "classification", "classes": ["class 0", "class 1"], "n_train": 20, "n_test": 80,
        "headline": "balanced_accuracy", "baseline": {"balanced_accuracy": 0.5}, "difference": difference,
        "parts": {"pretrained": {"scores": {"balanced_accuracy": score}, "confusion": [], "per_class": lines}},
        "verdict": "", "notes": [],
    }  # fmt: skip


def test_what_could_be_guessed_is_not_praised() -> None:
    said = plain_verdict(result(0.55, 0.45, 0.64, gap=(0.1, 0.05, 0.15)))
    assert not said.useful
    assert said.next == "label"
    assert "cannot be told from guessing" in said.guessing
    assert (said.worth, said.weakest) == ("", "")
    assert said.next_step == "Label 20 more pictures of each class, then learn again."


def test_a_good_result_leads_to_new_pictures() -> None:
    said = plain_verdict(result(0.9, 0.84, 0.95, gap=(0.08, 0.02, 0.14)))
    assert said.useful
    assert said.score.startswith("It puts 90% of the pictures into the right class (likely between 84% and 95%)")
    assert said.worth == "Against a network that knew nothing before your labels: +8 points."
    assert (said.next, said.next_step) == ("use", "Let it answer new pictures.")


def test_the_hardest_class_is_named_with_what_to_do() -> None:
    said = plain_verdict(result(0.7, 0.61, 0.78, gap=(0.01, -0.05, 0.07), recalls=(0.98, 0.42)))
    assert said.weakest == "Hardest: class 1, of which 42% are found."
    assert said.next_step == "Label 20 more pictures of class 1, then learn again."
    assert "cannot be told" in said.worth
    assert plain_verdict(result(0.7, 0.61, 0.78, gap=(-0.08, -0.12, -0.02))).worth.endswith("is better: -8 points.")
    assert plain_verdict(result(0.7, 0.61, 0.78)).worth == ""


def test_own_pictures_are_praised_only_above_general_weights() -> None:
    def beside(low: float, high: float) -> FinetuneMetrics:
        made = result(0.8, 0.75, 0.85, gap=(0.3, 0.2, 0.4))
        score: ScoreInterval = {"value": (low + high) / 2, "low": low, "high": high, "n": 80}
        general: PartResult = {"scores": {"balanced_accuracy": score}, "confusion": [], "per_class": []}
        return {**made, "parts": {**made["parts"], "general": general}}

    assert plain_verdict(beside(0.5, 0.7)).worth.endswith("would get 60%: your own pictures helped.")
    assert plain_verdict(beside(0.7, 0.8)).worth.endswith("whether your own pictures helped cannot be told.")
    assert plain_verdict(beside(0.9, 0.98)).worth.endswith("gets 94%, which is better.")
    assert "general" not in plain_verdict(beside(0.5, 0.7), own=False).worth
