"""A goal becomes a plan: what is learnt from, what it starts from, how long, and from when something useful is there.

Nothing is computed on pictures here: what the clinic found, how fast the machine is and how many labels there are come
in as plain facts, so that a person's one button and a test ask the same function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sslstudio.engine.clinic.recommend import UNSUITABLE, recommend
from sslstudio.engine.core.messages import NOTHING, Message

Goal = Literal["classes", "masks", "explore"]
GOALS: tuple[Goal, ...] = ("classes", "masks", "explore")
KIND = {"classes": "classification", "masks": "segmentation"}  # of a fine-tuning, as its config calls it

PASSES, LEAST_SEEN = 20, 25_600  # a pretraining is to see each picture so often, and so many in all: 400 batches of 64
USEFUL = 0.5  # share of that from which it is worth looking at: eight minutes did what an hour did (measured results)
MOST_MINUTES = 60.0  # unless a person gives more
LEAST_MINUTES = 0.05
TOO_FEW_PASSES = 3.0  # fewer teach nothing that could be told from luck
FEWEST = 50  # pictures: below it there is nothing to learn without labels
LABELS = 10  # of each class that are asked for; for masks: painted pictures in all
ENOUGH = 5  # labels of each class without which there is nothing to train and test with
FINETUNE_MINUTES, FEW_LABELS = (2.0, 5.0), 200  # for fewer labelled pictures than that, and for more
NETWORKS = 2  # are fine-tuned: the own one and its twin from scratch


@dataclass(frozen=True, kw_only=True)
class JourneyFacts:
    """What is known of pictures, labels and runs.

    pictures  that can be trained on
    grey  share of grey ones, None while nobody has looked; suits: the clinic's word by task, {} likewise
    tasks  the names of all there are
    labels  labelled pictures by class; for masks those with a mask under one name
    pretrained  whether a pretraining on these pictures has come to its end
    general  whether the general weights can be read
    """

    goal: Goal
    pictures: int
    tasks: Sequence[str]
    grey: float | None = None
    suits: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    pretrained: bool = False
    general: bool = True


@dataclass(frozen=True, kw_only=True)
class Journey:
    """What is done after *Learn*.

    task  to pretrain with, '' where there is to be no pretraining; weights: what it starts from ('' or general)
    minutes  of pretraining; useful_after: minutes from which on it is worth looking at
    passes  over the pictures that this comes to, None while no speed is known
    kind, finetune_minutes  of the fine-tuning, '' and 0 without one; the minutes are those of one of two networks
    labels_needed  what a person has to do before the fine-tuning, NOTHING where there are labels enough
    reasons  in the order in which one asks: why this task, this start, this time
    warning  that nothing can be concluded from so short a pretraining, NOTHING where it is long enough
    """

    goal: Goal
    task: str
    weights: str
    minutes: float
    useful_after: float
    passes: float | None
    kind: str
    finetune_minutes: float
    labels_needed: Message
    reasons: tuple[Message, ...]
    warning: Message = NOTHING

    @property
    def pretrains(self) -> bool:
        """Whether there is a pretraining to be made."""
        return bool(self.task)

    @property
    def seconds(self) -> float:
        """About how long all of it takes, reading the pictures apart."""
        return 60.0 * (self.minutes + NETWORKS * self.finetune_minutes)


def plan_journey(facts: JourneyFacts, speed: float | None, minutes: float | None = None) -> Journey:
    """Plan the way to a goal. speed: pictures a second of the pretraining, None where it is not known; minutes: what a
    person gives to it, None to leave that to the plan."""
    why: list[Message] = []
    task = _choose_task(facts, why)
    weights = "general" if facts.general and (task or facts.goal == "explore") else ""
    if task:
        why.append(_about_start(facts, weights))
    long, passes = _how_long(facts, speed, minutes) if task else (0.0, None)
    time = _about_time(long, passes, minutes is not None) if task else NOTHING
    why.append(time)
    needed = labels_needed(facts)
    return Journey(
        goal=facts.goal,
        task=task,
        weights=weights,
        minutes=long,
        useful_after=_useful_after(facts, speed, long),
        passes=passes,
        kind=KIND.get(facts.goal, ""),
        finetune_minutes=_finetune_minutes(facts, minutes),
        labels_needed=needed,
        reasons=tuple(one for one in why if one),
        warning=time if passes is not None and passes < TOO_FEW_PASSES else NOTHING,
    )


def _choose_task(facts: JourneyFacts, why: list[Message]) -> str:
    """The first of those that suit; '' where pretraining is not worth its time, or is done."""
    if facts.pretrained:
        why.append(Message("It has learnt from these pictures already and goes on from there."))
        return ""
    if facts.pictures < FEWEST:
        why.append(
            Message(
                "{pictures:,} {pictures:plural(picture is|pictures are)} too few to learn from without labels; "
                "{fewest} are needed. It starts from what it knows of photographs in general.",
                pictures=facts.pictures,
                fewest=FEWEST,
            )
        )
        return ""
    best = recommend(facts.tasks, facts.suits, masks=facts.goal == "masks")[0]
    if best.word == UNSUITABLE:
        why.append(Message("None of the ways to learn without labels fits these pictures, so that is left out."))
        return ""
    if facts.goal == "masks":
        why.append(
            Message(
                "First it learns from all pictures without labels: which two views show the same place of the same "
                "picture. That taught most about outlines in what was measured."
            )
        )
    else:
        why.append(
            Message(
                "First it learns from all pictures without labels: which two views come from the same picture. That "
                "taught most in what was measured."
            )
        )
    return best.task


def _about_start(facts: JourneyFacts, weights: str) -> Message:
    if not weights:
        return Message("It starts from nothing: the weights that come with the program cannot be read.")
    if facts.grey is not None and facts.grey > 0.5:
        return Message(
            "It starts from a network that knows photographs in general. {grey:.0%} of yours are grey, as scans are, "
            "so that alone would not do: it goes on learning on yours.",
            grey=facts.grey,
        )
    return Message("It starts from a network that knows photographs in general, and goes on learning on yours.")


def _wanted(facts: JourneyFacts) -> float:
    """Pictures that a pretraining is to see in all."""
    return float(max(PASSES * facts.pictures, LEAST_SEEN))


def _how_long(facts: JourneyFacts, speed: float | None, given: float | None) -> tuple[float, float | None]:
    """Minutes, and the passes over the pictures that they come to."""
    if speed is None or speed <= 0:
        return given or 10.0, None
    wanted = _wanted(facts) / speed / 60.0
    minutes = max(LEAST_MINUTES, given if given is not None else min(wanted, MOST_MINUTES))
    return minutes, 60.0 * minutes * speed / max(1, facts.pictures)


def _about_time(minutes: float, passes: float | None, given: bool) -> Message:
    seconds = 60.0 * minutes
    if passes is None:
        return Message("It takes {seconds:duration}; how far that leads here is not known yet.", seconds=seconds)
    if passes < TOO_FEW_PASSES:
        said = Message(
            "In {seconds:duration} this machine goes through the pictures {passes:.1f} times: too few to conclude "
            "anything from the result.",
            seconds=seconds,
            passes=passes,
        )
        if given:
            return said
        return Message("{said} Take fewer pictures, or give it a night.", said=said)
    return Message(
        "In {seconds:duration} this machine goes through the pictures {passes:.0f} times.",
        seconds=seconds,
        passes=passes,
    )


def _useful_after(facts: JourneyFacts, speed: float | None, minutes: float) -> float:
    if speed is None or speed <= 0:
        return USEFUL * minutes
    return min(minutes, USEFUL * _wanted(facts) / speed / 60.0)


def _finetune_minutes(facts: JourneyFacts, given: float | None) -> float:
    if facts.goal == "explore":
        return 0.0
    few, many = FINETUNE_MINUTES
    usual = few if sum(facts.labels.values()) < FEW_LABELS else many
    return max(LEAST_MINUTES, min(usual, usual if given is None else given / NETWORKS))


def labels_needed(facts: JourneyFacts) -> Message:
    """What a person has to label before anything can be learnt from labels; NOTHING where there is enough."""
    if facts.goal == "explore":
        return NOTHING
    if facts.goal == "masks":
        painted = sum(facts.labels.values())
        if painted >= ENOUGH:
            return NOTHING
        return Message(
            "Paint what you want to find in {labels} pictures ({painted} so far).", labels=LABELS, painted=painted
        )
    if len(facts.labels) < 2:
        return Message("Label {labels} pictures of each class, of two classes at least.", labels=LABELS)
    short = [name for name, count in facts.labels.items() if count < ENOUGH]
    if not short:
        return NOTHING
    return Message("Label {labels} pictures of each class. There are too few of: {short}.", labels=LABELS, short=short)
