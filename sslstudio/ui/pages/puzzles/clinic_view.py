"""Whether a puzzle suits the pictures: what the clinic found about it, with examples and changes that answer it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.flow import Sides
from sslstudio.ui.widgets.job_row import BusyLine
from sslstudio.ui.widgets.layout import Card, button, clear, column, row, text
from sslstudio.ui.widgets.picture import Picture

if TYPE_CHECKING:
    from sslstudio.engine.clinic.clinic import Clinic, Finding

EXAMPLE_HEIGHT, EXAMPLE_WIDTH = 128, 256  # pixels on the screen, at most
BESIDE = 520  # pixels from which on the examples lie beside what is said


class FindingView(Card):
    """One finding: what was seen, in which pictures, and a button for the changes that answer it."""

    changes_wanted = Signal(tuple)  # of texts: see `Finding.changes`

    def __init__(self, finding: "Finding", task: str, example: QImage | None) -> None:
        super().__init__(formatting.render(finding.title), margin=14, gap=8)
        said = column(text(formatting.render(finding.text)), gap=8)
        changes = finding.changes_for(task)
        if changes:
            self.answer = button(self._words(finding, task, changes), lambda: self.changes_wanted.emit(changes))
            said.addLayout(row(self.answer, None))
        said.addStretch(1)
        pieces: list[tuple[QLayout | QWidget, int]] = [(said, 1)]
        if example is not None:
            picture = Picture(least=EXAMPLE_HEIGHT, corner=4)
            wide = example.width() / max(1, example.height())
            width = min(EXAMPLE_WIDTH, round(EXAMPLE_HEIGHT * wide))
            picture.setFixedSize(width, min(EXAMPLE_HEIGHT, round(width / max(wide, 0.01))))
            picture.show_image(example, self.tr("Example pictures for: {0}").format(formatting.render(finding.title)))
            pieces.append((picture, 0))
        self.add(Sides(*pieces, least=BESIDE))

    def _words(self, finding: "Finding", task: str, changes: tuple[str, ...]) -> str:
        """What the button says: all of the changes are made together."""
        said = []
        for change in changes:
            key, _, value = change.partition("=")
            section, _, name = key.rpartition(".")
            said.append(self.tr("Set {0} to {1}").format(_title_of(section, name), value))
        words = ",\n".join(said)  # each on a line of its own: a button cannot break one
        if section in finding.tasks and section != task:  # the answer for another task comes first
            return f"{_task_title(section)}:\n{words}"
        return words


def _task_title(name: str) -> str:
    from sslstudio.engine.tasks.base import load_tasks

    return formatting.render(load_tasks()[name].title)


def _title_of(section: str, name: str) -> str:
    """An option as the forms call it, and not as the engine does."""
    from sslstudio.engine.core.config import option_at
    from sslstudio.engine.tasks.base import load_tasks
    from sslstudio.engine.training.config import PretrainConfig

    tasks = load_tasks()
    field = (
        option_at(tasks[section].Config, name) if section in tasks else option_at(PretrainConfig, f"{section}.{name}")
    )
    return f"“{formatting.render(field.about.title)}”"


class ClinicView(QWidget):
    """The verdict of the clinic on one task, and its findings. Hidden until there is something to say."""

    changes_wanted = Signal(tuple)  # of texts
    stop_wanted = Signal()
    look_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.verdict = text("", "heading", wrap=False)
        self.about = text("", "muted")
        self.start = text("", "small")
        self.busy = BusyLine(self.stop_wanted.emit, self.look_wanted.emit)
        self.findings = QVBoxLayout()
        self.findings.setSpacing(10)
        layout = column(self.verdict, self.about, self.busy, self.findings, self.start, gap=8)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setLayout(layout)

    def say_waiting(self) -> None:
        """The pictures are being looked at."""
        clear(self.findings)
        self.start.hide()
        self.verdict.setText(self.tr("Does it suit your pictures?"))
        self.about.hide()
        self.busy.wait(self.tr("Looking at them…"))

    def say_nothing(self) -> None:
        """It is not known: nobody has looked to the end."""
        clear(self.findings)
        self.about.hide()
        self.start.hide()
        self.verdict.setText(self.tr("Does it suit your pictures?"))
        self.busy.rest(self.tr("Not known."), stopped=True)

    def show_clinic(self, clinic: "Clinic", task: str, examples: Mapping[str, QImage]) -> None:
        """The findings that concern `task`, the worst first."""
        clear(self.findings)
        self.busy.rest()
        verdicts = {
            "suitable": self.tr("It suits your pictures"),
            "careful": self.tr("It may suit your pictures; see what was found"),
            "unsuitable": self.tr("It does not suit your pictures"),
        }
        suited, found = clinic.suits(task), clinic.concerning(task)
        self.verdict.setText(verdicts[suited.word])
        known = {one.text for one in found}
        self.about.setText(" ".join(formatting.render(reason) for reason in suited.reasons if reason not in known))
        self.about.setVisible(bool(self.about.text()))
        self.start.setText(" ".join(formatting.render(one.text) for one in clinic.findings if one.name == "start"))
        self.start.show()
        for finding in found:
            view = FindingView(finding, task, examples.get(finding.name))
            view.changes_wanted.connect(self.changes_wanted)
            self.findings.addWidget(view)

    @property
    def shown(self) -> list[FindingView]:
        """The findings on the screen, for tests."""
        items = (self.findings.itemAt(number) for number in range(self.findings.count()))
        return [view for item in items if item is not None and isinstance(view := item.widget(), FindingView)]
