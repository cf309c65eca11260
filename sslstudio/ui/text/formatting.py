"""Numbers and durations as people read them."""

import math
from html import escape

from PySide6.QtCore import QCoreApplication

from sslstudio.engine.core import messages
from sslstudio.engine.core.metrics import find_metric
from sslstudio.ui.text import translate


def tr(text: str) -> str:
    """A translated text, for functions that belong to no widget."""
    return QCoreApplication.translate("words", text)


def earlier_version(text: str) -> str:
    """What is said of a record whose sentences were kept in English only, as `text` is; '' where nothing is to be."""
    said = tr("Recorded by an earlier version: its sentences are in English.")
    return said if translate.only_english(text) else ""


def render(text: str) -> str:
    """Write a text that the engine made in the window's language; as it is where nothing is known of it."""
    return translate.render(text)


def mask_class(name: str) -> str:
    """A class of masks: those that the program has named itself are in the window's language, others as they are."""
    from sslstudio.engine.labels.mask_names import name_class

    return render(name_class(name))


def figures(said: str) -> str:
    """A number as Python writes it ('1,721.5') with the marks of the window's language."""
    return translate.figures(said)


def count(number: int, one: str = "", many: str = "") -> str:
    """1721 -> '1,721', or '1,721 pictures' when the nouns are given."""
    noun = one if number == 1 else many
    return f"{figures(f'{number:,}')} {noun}".rstrip()


def duration(seconds: float) -> str:
    """'40 s', '3 min', '2 h 5 min', '' when it is not known: the engine's rounding, in the window's language."""
    return render(messages.duration(seconds))


def time_to_go(seconds: float) -> str:
    """Say '3 min left', or a dash while it is not known."""
    said = duration(seconds)
    return tr("{0} left").format(said) if said else "–"


def percent(share: float, digits: int = 1) -> str:
    """0.815 -> '81.5 %', a dash for a number that is not one."""
    return figures(f"{100 * share:.{digits}f} %") if math.isfinite(share) else "–"


def plain_tip(said: str) -> str:
    """A tip that Qt takes for no rich text, whatever a file is called."""
    return f"<p style='white-space:pre'>{escape(said)}</p>" if "<" in said or "&" in said else said


def file_size(size: int) -> str:
    """Bytes of a file: '12.3 kB', '1.2 MB'."""
    for unit, bytes_ in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= bytes_:
            return f"{number(size / bytes_)} {unit}"
    return count(size, tr("byte"), tr("bytes"))


def number(value: float) -> str:
    """Three figures that matter: 0.0123, 1.23, 12.3, 1,230."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 3:
        return figures(f"{value:,.0f}")
    return figures(f"{value:.{max(0, 2 - size)}f}" if size >= -4 else f"{value:.1e}")


def overlap(iou: float) -> str:
    """The overlap of two masks: 'IoU 0.42', with a dash where no pixel counts."""
    return tr("IoU {0}").format(figures(f"{iou:.2f}") if math.isfinite(iou) else "–")


def metric(name: str) -> str:
    """A metric's name for people: 'balanced_accuracy' -> 'Balanced accuracy'."""
    return render(find_metric(name).title)


def value(name: str, amount: float) -> str:
    """A metric's value for people: per cent where it is a share."""
    about = find_metric(name)
    return percent(amount) if about.is_share else f"{number(amount)} {render(about.unit)}".rstrip()


def brief(name: str, amount: float) -> str:
    """A metric's value where there is little room."""
    return percent(amount, 0 if amount >= 0.1 else 1) if find_metric(name).is_share else value(name, amount)


def when_of(run: str) -> str:
    """When a run began, by the name of its folder: '11-25 19.15'. The name as it is for a part of a comparison."""
    return run[5:16] if run[:1].isdigit() else run


def tidy(sentence: str) -> str:
    """Keeps a number and its per cent sign on one line."""
    return sentence.replace(" %", "\u00a0%")


def facts_line(parts: list[str]) -> str:
    """Facts on one line, with a dot between them."""
    return "  ·  ".join(part for part in parts if part)
