"""Numbers and durations as people read them."""

import math
import re

from PySide6.QtCore import QCoreApplication

from sslstudio.engine import durations
from sslstudio.ui import translate

_SCORE = r"(?<![\d.,])([+\u2212]?)(0{mark}\d{{3}}|1{mark}000)(?!\d)"  # as the engine's sentences write it
RAN = "Ran "


def tr(text: str) -> str:
    """A translated text, for functions that belong to no widget."""
    return QCoreApplication.translate("words", text)


def told(text: str) -> str:
    """A text that the engine made, in the window's language; as it is where nothing is known of it."""
    return translate.told(text)


def summed_up(sentence: str) -> str:
    """What became of a run, whose parts are texts of their own: 'Ran 3 s, best at epoch 84, nothing lost.'"""
    ran, *others = sentence.removesuffix(".").split(", ")
    if ran.startswith(RAN):  # else the time in it is found first: '{0} h {1} min'
        ran = tr("Ran {0}").format(told(ran.removeprefix(RAN)))
    return ", ".join([told(ran), *map(told, others)]) + "." if sentence else ""


def mask_class(name: str) -> str:
    """A class of masks: those that the program has named itself are in the window's language, others as they are."""
    own = {"background": tr("background"), "object": tr("object")}
    return own.get(name) or (told(name) if re.fullmatch(r"class \d+", name) else name)


def fact(said: str) -> str:
    """A fact on a run, which may be a row of mask classes."""
    names = said.split(", ")
    return ", ".join(map(mask_class, names)) if names[0] == "background" else told(said)


def puzzle_label(label: str) -> str:
    """The pseudo label of a puzzle, which begins with the title of its task where there are several."""
    return translate.under_title(label)


def figures(said: str) -> str:
    """A number as Python writes it ('1,721.5') with the marks of the window's language."""
    return translate.figures(said)


def count(number: int, one: str = "", many: str = "") -> str:
    """1721 -> '1,721', or '1,721 pictures' when the nouns are given."""
    noun = one if number == 1 else many
    return f"{figures(f'{number:,}')} {noun}".rstrip()


def duration(seconds: float) -> str:
    """'40 s', '3 min', '2 h 5 min', '' when it is not known: the engine's rounding, in the window's language."""
    return told(durations.duration(seconds))


def left(seconds: float) -> str:
    """'3 min left', or a dash while it is not known."""
    said = duration(seconds)
    return tr("{0} left").format(said) if said else "–"


def percent(share: float, digits: int = 1) -> str:
    """0.815 -> '81.5 %', a dash for a number that is not one."""
    return figures(f"{100 * share:.{digits}f} %") if math.isfinite(share) else "–"


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
    known = {
        "accuracy": tr("Accuracy"),
        "balanced_accuracy": tr("Balanced accuracy"),
        "macro_f1": tr("Mean F1"),
        "mean_iou": tr("Overlap (mean IoU)"),
        "mean_dice": tr("Mean Dice"),
        "pixel_accuracy": tr("Pixels right"),
        "loss": tr("Loss"),
        "explained": tr("Explained (0: guessing the mean)"),
        "beyond_blur": tr("Beyond a smooth fill"),
        "spread": tr("Spread of the answers"),
    }
    return known.get(name, name.replace("_", " ").capitalize())


def is_share(name: str) -> bool:
    """Whether a metric lies between 0 and 1 and reads best in per cent."""
    return any(part in name for part in ("accuracy", "iou", "dice", "f1", "recall", "precision", "top"))


def scores(sentence: str) -> str:
    """A sentence of the engine about scores, with its figures as the tables beside it have them: 0.271 is 27.1 %, and
    a difference of +0.058 is +5.8 points (said once, before its interval)."""
    signed = 0

    def in_percent(found: re.Match[str]) -> str:
        nonlocal signed
        sign, share = found.groups()
        said = figures(f"{100 * float(share.replace(',', '.')):.1f}")
        if not sign:
            return f"{said} %"
        signed += 1
        return tr("{0} points").format(sign + said) if signed == 1 else sign + said

    mark = re.escape(figures("0.5")[1])  # the other one is that of thousands
    return re.sub(_SCORE.format(mark=mark), in_percent, sentence)


def value(name: str, amount: float) -> str:
    """A metric's value for people: per cent where it is a share."""
    return percent(amount) if is_share(name) else number(amount)


def brief(name: str, amount: float) -> str:
    """A metric's value where there is little room."""
    return percent(amount, 0 if amount >= 0.1 else 1) if is_share(name) else number(amount)


def when_of(run: str) -> str:
    """When a run began, by the name of its folder: '11-25 19.15'. The name as it is for a part of a comparison."""
    return run[5:16] if run[:1].isdigit() else run


def tidy(sentence: str) -> str:
    """Keeps a number and its per cent sign on one line."""
    return sentence.replace(" %", "\u00a0%")


def facts_line(parts: list[str]) -> str:
    """Facts on one line, with a dot between them."""
    return "  ·  ".join(part for part in parts if part)
