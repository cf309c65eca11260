"""The ladder of verdicts: what a fine-tuning shows, asked in an order in which a later answer needs the ones before it.

    better than guessing?   trained long enough?   did pretraining help?   which class is the problem?

Each rung has one sentence and one next step. Nothing is praised that the interval of the baseline covers: while the
first rung does not hold, the later ones are not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sslstudio.engine.core.messages import NOTHING, Message, join, plain
from sslstudio.engine.evaluate.arms import FROM_SCRATCH, GENERAL, PRETRAINED
from sslstudio.engine.evaluate.intervals import wilson
from sslstudio.engine.evaluate.verdict import TITLES
from sslstudio.engine.labels.mask_names import name_class
from sslstudio.engine.runs.metrics import (
    FinetuneMetrics,
    Metrics,
    PartResult,
    PretrainMetrics,
    ScoreInterval,
    interval_of,
)
from sslstudio.engine.verdicts.effort import Effort, Trained, times_longer

State = Literal["good", "bad", "open"]
Name = Literal["guessing", "length", "pretraining", "classes"]
GOOD: State = "good"
BAD: State = "bad"
OPEN: State = "open"
QUESTIONS: Mapping[str, Message] = {
    "guessing": Message("Better than guessing?"),
    "length": Message("Trained long enough?"),
    "pretraining": Message("Did pretraining help?"),
    "classes": Message("Which class is the problem?"),
}
FOUND_WELL = 0.8  # share of a class that is found from which on it is no problem
MORE_LABELS = 20  # that are asked for at once: an evening's work of a few minutes
FEW_TESTED = 10  # test pictures of a class under which its share is mostly luck


@dataclass(frozen=True)
class Rung:
    """One question. `state`: good, bad, or open (not known, or not asked). `then`: the next step, '' for none."""

    name: Name
    state: State
    said: Message
    then: Message = NOTHING

    @property
    def question(self) -> Message:
        """What is asked, for people."""
        return QUESTIONS[self.name]


@dataclass(frozen=True)
class Ladder:
    """The rungs in order."""

    rungs: tuple[Rung, ...]

    @property
    def decisive(self) -> Rung:
        """The first rung that does not hold; else the first one, which then is the news."""
        return next((rung for rung in self.rungs if rung.state == BAD), self.rungs[0])

    @property
    def then(self) -> Message:
        """The one next step: of the rung that does not hold, else of the last one that has any."""
        if self.decisive.then:
            return self.decisive.then
        return next((rung.then for rung in reversed(self.rungs) if rung.then), NOTHING)

    @property
    def in_short(self) -> Message:
        """Headline and next step."""
        if not self.then:
            return self.decisive.said
        return join([self.decisive.said, Message("Next: {then}", then=self.then)])


def judge(metrics: Metrics, effort: Effort | None = None) -> Ladder:
    """The ladder of a run of either job."""
    if metrics["job"] == "pretrain":
        return climb_pretraining(metrics, effort)
    return climb(metrics, effort)


def climb(metrics: FinetuneMetrics, effort: Effort | None = None) -> Ladder:
    """The ladder of a fine-tuning. effort: how long was trained; None where that is not known."""
    guessing = _guessing(metrics, effort)
    if guessing.state != GOOD:
        later = Message("Not asked: first it has to be better than guessing.")
        rest: list[Name] = ["pretraining", "classes"]
        return Ladder((guessing, _length(effort), *(Rung(name, OPEN, later) for name in rest)))
    length = _length(effort)
    return Ladder((guessing, length, _pretraining(metrics), _classes(metrics)))


def climb_pretraining(metrics: PretrainMetrics, effort: Effort | None) -> Ladder:
    """The rungs that a pretraining by itself can answer: long enough, and worth anything against untrained features."""
    return Ladder((_length(effort), _worth(metrics)))


def main_part(metrics: FinetuneMetrics) -> str:
    """The arm that is judged: the pretrained one where there is one."""
    return PRETRAINED if PRETRAINED in metrics["parts"] else next(iter(metrics["parts"]))


# --- better than guessing?


def _guessing(metrics: FinetuneMetrics, effort: Effort | None) -> Rung:
    headline = metrics["headline"]
    scores = metrics["parts"][main_part(metrics)]["scores"]
    value, low, high = interval_of(scores[headline])
    baseline = metrics["baseline"].get(headline)
    if baseline is None or not low <= high:  # nan, too
        return Rung("guessing", OPEN, Message("There are too few test pictures to tell."), _label_for_test())
    figures = Message(
        "{title} {value:score} (95 % interval {low:score} to {high:score}), and always answering the most frequent "
        "class gets {baseline:score}",
        title=TITLES.get(headline, plain(headline)),
        value=value,
        low=low,
        high=high,
        baseline=baseline,
    )
    fewer = _fewer_pixels(scores, metrics["baseline"])
    if low > baseline and not fewer:
        return Rung("guessing", GOOD, Message("Better than guessing: {figures}.", figures=figures))
    if fewer and low > baseline:
        said = join([Message("Not clearly better than guessing: {figures}.", figures=figures), fewer])
    else:
        said = join([Message("No better than guessing: {figures}.", figures=figures), fewer])
    return Rung("guessing", BAD, said, _out_of_guessing(metrics, effort))


def _fewer_pixels(scores: Mapping[str, ScoreInterval], baseline: Mapping[str, float | None]) -> Message:
    right, guessed = scores.get("pixel_accuracy"), baseline.get("pixel_accuracy")
    if right is None or guessed is None or not interval_of(right)[2] < guessed:
        return NOTHING
    return Message(
        "Only {value:score} of the pixels are right, {guessed:score} by that answer alone.",
        value=interval_of(right)[0],
        guessed=guessed,
    )


def _out_of_guessing(metrics: FinetuneMetrics, effort: Effort | None) -> Message:
    """The step most likely to help: longer, where it was short; weights that do better here; else more labels."""
    length = _length(effort)
    if length.state == BAD:
        return length.then
    headline, parts, guessed = metrics["headline"], metrics["parts"], metrics["baseline"].get(metrics["headline"])
    general = interval_of(parts[GENERAL]["scores"][headline]) if GENERAL in parts else None
    if general is not None and guessed is not None and general[1] > guessed:
        return Message("Fine-tune from general weights, which reach {value:score} here.", value=general[0])
    return Message("Label {more} more pictures of each class, then fine-tune again.", more=MORE_LABELS)


# --- trained long enough?


def _length(effort: Effort | None) -> Rung:
    if effort is None or (effort.pretraining is None and not effort.wanted):
        return Rung("length", OPEN, Message("No record says how long was trained."))
    if effort.pretraining is not None and effort.pretraining.short:
        return _short(effort.pretraining)
    if effort.cut_short:
        said = Message(
            "The fine-tuning made {made:,} of the {wanted:,} steps that these labels can use.",
            made=effort.made,
            wanted=effort.wanted,
        )
        return Rung("length", BAD, said, Message("Fine-tune again with more time."))
    if effort.pretraining is None:
        said = Message(
            "Yes: {made:,} steps, of {wanted:,} that these labels can use.", made=effort.made, wanted=effort.wanted
        )
        return Rung("length", GOOD, said)
    passes, steps = effort.pretraining.passes, effort.pretraining.steps
    said = Message("Long enough to be judged: {passes:,.0f} passes, {steps:,} steps.", passes=passes, steps=steps)
    return Rung("length", GOOD, said)


def _short(done: Trained) -> Rung:
    said = Message(
        "The pretraining was too short: {passes:,.0f} {passes:plural(pass|passes)} over the pictures, {steps:,} "
        "{steps:plural(step|steps)}; nothing to conclude.",
        passes=round(done.passes),
        steps=done.steps,
    )
    if done.seconds > 0:
        time = done.seconds * times_longer(done.passes, done.steps)
        return Rung("length", BAD, said, Message("Pretrain for about {time:duration} or more.", time=time))
    return Rung("length", BAD, said, Message("Pretrain longer."))


def _worth(metrics: PretrainMetrics) -> Rung:
    probe = metrics.get("probe")
    if not probe or not probe["verdict"]:
        said = Message("Not known yet: too few labels to compare it with an untrained network.")
        return Rung("pretraining", OPEN, said, Message("Label some pictures, then fine-tune."))
    states: Mapping[str, State] = {"helps": GOOD, "harms": BAD}
    state = states.get(probe["verdict"], BAD)
    then = Message("Fine-tune from it.") if state == GOOD else Message("Pretrain longer, or choose another task.")
    text = probe["text"]
    return Rung("pretraining", state, text if isinstance(text, Message) else plain(str(text)), then)


# --- did pretraining help?


def _pretraining(metrics: FinetuneMetrics) -> Rung:
    if PRETRAINED not in metrics["parts"]:
        said = Message("Nothing was pretrained, so there is nothing to compare.")
        return Rung("pretraining", OPEN, said, Message("Pretrain on your pictures, then fine-tune from that."))
    gap = metrics["difference"]
    if gap is None:
        said = Message("It was not compared with not pretraining.")
        return Rung("pretraining", OPEN, said, Message("Fine-tune again with “Compare with scratch” ticked."))
    arm = metrics.get("compared_with", FROM_SCRATCH)
    whom = Message("learning from scratch") if arm == FROM_SCRATCH else Message("untrained features")
    _, low, high = interval_of(gap)
    if low > 0:
        return _against_general(metrics, Message("Higher than {whom} ({gap})", whom=whom, gap=_gap_words(gap)))
    says = Message("No: lower than {whom} ({gap}).", whom=whom, gap=_gap_words(gap))
    if not high < 0:
        says = Message("No difference to {whom} can be told from chance ({gap}).", whom=whom, gap=_gap_words(gap))
    return Rung("pretraining", BAD, says, Message("Pretrain longer or with another task, or use no pretraining."))


def _gap_words(gap: ScoreInterval) -> Message:
    value, low, high = interval_of(gap)
    return Message("{gap:points}, 95 % interval {low:signed} to {high:signed}", gap=value, low=low, high=high)


def _against_general(metrics: FinetuneMetrics, higher: Message) -> Rung:
    if GENERAL not in metrics["parts"]:
        said = Message("{higher}. It was not compared with general weights.", higher=higher)
        return Rung("pretraining", GOOD, said, _be_sure())
    low, high, general = _gap_to_general(metrics)
    if low > 0:
        said = Message("{higher}, and than {general}.", higher=higher, general=general)
        return Rung("pretraining", GOOD, said, _be_sure())
    said = Message("{higher}, but no difference can be told from {general}.", higher=higher, general=general)
    if high < 0:
        said = Message("{higher}, but lower than {general}.", higher=higher, general=general)
    return Rung("pretraining", BAD, said, Message("Fine-tune from general weights, or pretrain on from them."))


def _be_sure() -> Message:
    return Message("Compare several draws of labels, to be sure of it.")


def _gap_to_general(metrics: FinetuneMetrics) -> tuple[float, float, Message]:
    """The ends of the difference to general weights: paired where it was kept, else from the two intervals, which is
    wider, so that it claims less."""
    headline, kept = metrics["headline"], metrics.get("differences", {}).get(GENERAL)
    ours = interval_of(metrics["parts"][PRETRAINED]["scores"][headline])
    theirs = interval_of(metrics["parts"][GENERAL]["scores"][headline])
    _, low, high = interval_of(kept) if kept is not None else (0.0, ours[1] - theirs[2], ours[2] - theirs[1])
    said = Message(
        "general weights ({value:score}, difference {low:signed} to {high:signed})",
        value=theirs[0],
        low=low,
        high=high,
    )
    return low, high, said


# --- which class is the problem?


def _classes(metrics: FinetuneMetrics) -> Rung:
    content, names = metrics["parts"][main_part(metrics)], metrics["classes"]
    masks = metrics["kind"] == "segmentation"
    shares = _found_shares(content)
    if not shares:
        return Rung("classes", OPEN, Message("There is no test picture of any class."), _label_for_test())
    worst = min(shares, key=lambda number: shares[number])
    share, tested = shares[worst], sum(content["confusion"][worst])
    name = name_class(names[worst]) if masks else plain(names[worst])
    if share >= FOUND_WELL:
        said = Message("None: the weakest, {name}, is found to {share:.0%}.", name=name, share=share)
        return Rung("classes", GOOD, said, Message("Predict new pictures with it."))
    said = join([_weakest(name, share, tested, masks), _taken_for(content, worst, names, masks)])
    if not masks and tested < FEW_TESTED:
        return Rung("classes", BAD, said, Message("Label more of {name} for the test: {n} are too few.", name=name,
                                                  n=tested))  # fmt: skip
    return Rung("classes", BAD, said, Message("Label {more} more of {name}.", more=MORE_LABELS, name=name))


def _found_shares(content: PartResult) -> dict[int, float]:
    """Class number -> the share of it that is found (recall), of those that have test pictures."""
    totals = {number: sum(row) for number, row in enumerate(content["confusion"])}
    return {number: content["confusion"][number][number] / total for number, total in totals.items() if total}


def _weakest(name: Message, share: float, tested: int, masks: bool) -> Message:
    if masks:
        return Message("{name}: {share:.0%} of its pixels found.", name=name, share=share)
    low, high = wilson(share, tested)
    return Message(
        "{name}: {share:.0%} found ({low:.0%} to {high:.0%}, n = {n}).", name=name, share=share, low=low, high=high,
        n=tested,
    )  # fmt: skip


def _taken_for(content: PartResult, worst: int, names: list[str], masks: bool) -> Message:
    """What it is taken for most, where it is."""
    row = {number: count for number, count in enumerate(content["confusion"][worst]) if number != worst and count}
    if not row:
        return NOTHING
    most = max(row, key=lambda number: row[number])
    other = name_class(names[most]) if masks else plain(names[most])
    return Message("Most often taken for {other}.", other=other)


def _label_for_test() -> Message:
    return Message("Label more pictures for the test.")
