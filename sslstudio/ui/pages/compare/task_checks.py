"""Which pretext tasks take part: a check box each, with the reason where one does not suit the pictures."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.layout import column, row, text

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.clinic.clinic import Clinic
    from sslstudio.ui.operations.engine import TaskFacts


class TaskChecks(QWidget):
    """Those that the clinic calls unsuitable are unchecked once, with the reason; who checks them all the same, may."""

    changed = Signal()

    def __init__(self, tasks: "dict[str, TaskFacts]", checked: Collection[str]) -> None:
        super().__init__()
        self.boxes: dict[str, QCheckBox] = {}
        self.reasons: dict[str, QLabel] = {}
        self.told = text("", "small")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(text(self.tr("Pretext tasks"), "field"))
        for name, facts in tasks.items():
            box, reason = QCheckBox(facts.title), text("", "small")
            box.setToolTip(facts.summary)
            box.setChecked(name in checked)
            box.toggled.connect(self._note_touch)
            reason.hide()
            self.boxes[name], self.reasons[name] = box, reason
            layout.addLayout(column(box, row(24, (reason, 1), gap=0), gap=1))
        layout.addWidget(self.told)
        self._touched: set[str] = set()
        self._quiet = False

    def say_waiting(self) -> None:
        """The pictures are being looked at."""
        self.told.setText(self.tr("Looking at the pictures, which tasks suit them…"))

    def show_clinic(self, clinic: "Clinic | None") -> None:
        """Take out what does not suit; None when it could not be found out. What speaks against every task (too few
        pictures, say) is no reason to prefer one: it is said once, below."""
        against = _against(clinic, list(self.boxes)) if clinic is not None else {}
        common = set.intersection(*map(set, against.values())) if len(against) == len(self.boxes) else set()
        self.told.setText(" ".join(map(formatting.render, sorted(common))))
        self._quiet = True
        for name, box in self.boxes.items():
            own = [reason for reason in against.get(name, ()) if reason not in common]
            if common and clinic is not None and name not in clinic.refusals:
                own = []
            if own and name not in self._touched:
                box.setChecked(False)
            said = own[0] if own else ""
            self.reasons[name].setText(formatting.render(said))
            self.reasons[name].setVisible(bool(said))
        self._quiet = False
        self.changed.emit()

    def chosen(self) -> list[str]:
        """The checked tasks."""
        return [name for name, box in self.boxes.items() if box.isChecked()]

    def choose(self, names: Collection[str]) -> None:
        """Check these and no others."""
        self._quiet = True
        for name, box in self.boxes.items():
            box.setChecked(name in names)
        self._touched = set(self.boxes)
        self._quiet = False
        self.changed.emit()

    def _note_touch(self) -> None:
        if not self._quiet:
            sender = self.sender()
            self._touched |= {name for name, box in self.boxes.items() if box is sender}
            self.changed.emit()


def _against(clinic: "Clinic", names: list[str]) -> dict[str, tuple[str, ...]]:
    """The reasons against each task that does not suit."""
    suited = {name: clinic.suits(name) for name in names if name in clinic.options}
    return {name: one.reasons for name, one in suited.items() if one.word == "unsuitable"}
