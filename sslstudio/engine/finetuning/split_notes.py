"""What is said of a result's test pictures: what belongs together, what pretraining saw, and near copies."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor

from sslstudio.engine.compute import device as devices
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.engine.dataset.drawn_split import DrawnFor
from sslstudio.engine.dataset.loader import Pictures
from sslstudio.engine.dataset.near_duplicates import copies_among
from sslstudio.engine.finetuning.labelled import Labelled, labels_of
from sslstudio.engine.images.multi_folder import root_of
from sslstudio.engine.labels.drawn_test import FEWEST
from sslstudio.engine.labels.picture_choices import excluded_words
from sslstudio.engine.models.encoders.general import find_general, is_general
from sslstudio.engine.runs.run_folder import RunFolder
from sslstudio.engine.training.config import FinetuneConfig, PretrainConfig
from sslstudio.engine.training.session import Session

CHUNK = 512  # pictures that are looked at for near copies at once
SHOWN = 64  # pixels of a side that are enough for it


def note_split(
    config: FinetuneConfig, source: PretrainConfig | None, session: Session, labelled: Labelled
) -> list[Message]:
    """What is to be known of how the test pictures were kept apart; `source`: the pretraining that it starts from."""
    notes = []
    if is_general(config.source):
        notes.append(
            Message(
                "The general weights were learnt from photographs of {dataset}, with their labels. Whether some of the "
                "test pictures are among them is not known here.",
                dataset=find_general(config.source).dataset,
            )
        )
    notes += note_drawn(config, session, labelled.test)
    if out := len(session.recognised.excluded):
        notes.append(excluded_words(out))
    if not config.data.groups:
        notes.append(
            Message(
                "The split does not know patients, slides or videos: if several pictures come from one of "
                "them, the result is too good. Say which belong together by the option 'Keep together'."
            )
        )
    seen: set[str] = set()
    if source is not None:
        theirs = root_of(Path(source.data.folder)).resolve()
        known = {theirs / path for path in (RunFolder(Path(config.source)).split_table() or {"train": []})["train"]}
        root = session.recognised.pictures.root.resolve()
        seen = {path for path in session.cache.index.paths if (root / path) in known}
        count = sum(path in seen for path in labelled.test)
        notes.append(
            Message(
                "{count:,} of the {test:,} test pictures were seen in pretraining, without their labels.",
                count=count,
                test=len(labelled.test),
            )
            if count
            else Message("No test picture was seen in pretraining.")
        )
    if config.watch:  # a cell of a comparison is not looked at alone: the comparison looks at its split once
        notes.append(_note_copies(session, labelled, seen))
    return notes


def note_drawn(config: FinetuneConfig, session: Session, tested: Sequence[str]) -> list[Message]:
    """Where pictures were suggested to be labelled: how the test pictures were chosen, and what that leaves out."""
    if session.recognised.drawn is None:
        return []
    what = DrawnFor(session.recognised.drawn, config.kind)
    labels, names = labels_of(session, config)
    old = sum(what.is_old(path) for path in tested)
    drawn = len(tested) - old
    notes = [
        Message(
            "Pictures were suggested to be labelled. {drawn:,} of the {test:,} test pictures were drawn at random, "
            "before anything was suggested: only such a test tells how it is on all pictures.{old}",
            drawn=drawn,
            test=len(tested),
            old=Message(" {old:,} had their labels before: how they were chosen is not known here.", old=old)
            if old
            else NOTHING,
        )
    ]
    if drawn < FEWEST:
        notes.append(
            Message(
                "{drawn:,} {drawn:plural(picture|pictures)} drawn at random {drawn:plural(has|have)} a label: too few "
                "for a test that says much. Label on in the suggested order: one of {every} is drawn at random.",
                drawn=drawn,
                every=what.drawn.every,
            )
        )
    missing = sorted(set(labels.values()) - {labels[path] for path in tested})
    if missing and config.kind == "classification":
        notes.append(
            Message("Not tested: no picture of {names:and} was drawn at random yet.", names=[names[m] for m in missing])
        )
    parts = session.split
    out = len(labels.keys() - {*parts.train, *parts.validation, *parts.test})
    if out:
        notes.append(
            Message(
                "{out:,} labelled {out:plural(picture|pictures)} {out:plural(serves|serve)} for nothing: suggested, "
                "and of one group with test pictures.",
                out=out,
            )
        )
    return notes


def _note_copies(session: Session, labelled: Labelled, seen: set[str]) -> Message:
    """How many test pictures look almost like one that was trained on: with its label, or `seen` in pretraining."""
    taught = sorted({*labelled.train, *seen}.difference(labelled.test))
    device = devices.choose("cpu")
    tested, others = (Pictures(session.cache, paths, device) for paths in (labelled.test, taught))
    found = copies_among(_shown(tested), _shown(others))
    if not found:
        return Message("No test picture has a near copy among the pictures trained on.")
    first = min(found)
    return Message(
        "{count:,} of the {test:,} test pictures {count:plural(has|have)} a near copy among the pictures trained on, "
        "for example {one} and {other}: the result is too good by what they give away.",
        count=len(found),
        test=len(tested),
        one=tested.paths[first],
        other=others.paths[found[first]],
    )


def _shown(pictures: Pictures) -> Iterator[Tensor]:
    """Chunks uint8 (n, 3, s, s), as small as still shows a near copy."""
    for chunk in pictures.chunks(CHUNK):
        images = pictures.only(chunk)
        step = max(1, images.shape[-1] // SHOWN)
        yield images[..., ::step, ::step]
