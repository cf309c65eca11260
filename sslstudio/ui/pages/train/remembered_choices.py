"""How long, which network, which settings of a page: a project keeps what differs from how the page begins."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QComboBox

from sslstudio.engine.core.errors import ConfigError
from sslstudio.ui.forms.config_form import ConfigForm
from sslstudio.ui.forms.run_settings import BudgetEditor, RunSettings
from sslstudio.ui.forms.start_from import StartFrom
from sslstudio.ui.workspace.workspace import Change, Workspace

MOST = 1_000_000  # minutes or epochs
AUTOMATIC = "automatic"  # TOML has no word for nothing
FORMS = ("encoder", "batch", "stem", "optimiser", "seed")  # not the split, which all pages share, nor the machine


class RememberedChoices(QObject):
    """Shows what the project has kept for a page when pictures are opened, and keeps what is chosen by hand.

    Made once the settings stand as the page begins. further: forms of the page's own; kinds: its boxes whose first
    choice depends on the pictures, kept from when a person has chosen.
    """

    def __init__(
        self,
        workspace: Workspace,
        job: str,
        settings: RunSettings,
        further: Sequence[ConfigForm] = (),
        kinds: Mapping[str, QComboBox] | None = None,
    ) -> None:
        super().__init__(settings)
        self._workspace, self._job, self._kinds = workspace, job, dict(kinds or {})
        own = FORMS if job == "pretrain" else FORMS[1:]  # a fine-tuning has the encoder of what it starts from
        self._forms = [settings.forms[name] for name in own] + list(further)
        self._budget: BudgetEditor = settings.budget
        self._weights: StartFrom | None = settings.weights if job == "pretrain" else None
        self._first, self._showing = self._values(), False
        self.show()
        workspace.call_on(Change.PICTURES, self.show)
        workspace.call_on(Change.CHOICES, self._show_others)
        self._listen()

    def _listen(self) -> None:
        for form in self._forms:
            form.changed.connect(self._note_choice)
        self._budget.amount.valueChanged.connect(self._note_choice)
        self._budget.unit.currentIndexChanged.connect(self._note_choice)
        if self._weights is not None:
            self._weights.changed.connect(self._note_choice)
        for name, box in self._kinds.items():
            box.activated.connect(lambda _, name=name: self._note_choice(name))

    def _values(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for form in self._forms:
            found |= {name: AUTOMATIC if value is None else value for name, value in form.values().items()}
        if self._weights is not None:
            found["weights"] = self._weights.path
        return {**found, "time": self._budget.amount.value(), "unit": str(self._budget.unit.currentData())}

    def _note_choice(self, kind: object = None) -> None:
        """Keep what differs from how the page begins."""
        if self._showing:
            return
        kept = self._workspace.choices.get(self._job, {})
        values: dict[str, Any] = {name: one for name, one in self._values().items() if one != self._first[name]}
        values |= {name: str(box.currentData()) for name, box in self._kinds.items() if name in kept or name == kind}
        self._workspace.keep_choices(self._job, values)

    def _show_others(self) -> None:
        """Something was chosen for this page on another one."""
        now = self._values()
        if any(now.get(name, one) != one for name, one in self._workspace.choices.get(self._job, {}).items()):
            self.show()

    def show(self) -> None:
        """What was kept for these pictures; the rest is as the page begins. What makes no sense any more is left out:
        somebody may have edited the file."""
        kept = self._workspace.choices.get(self._job, {})
        self._showing = True
        for form in self._forms:
            for name in form.values():
                if not self._set(form, name, kept.get(name, self._first[name])):
                    self._set(form, name, self._first[name])
        if self._weights is not None:
            self._weights.set_path(str(kept.get("weights", "")))
        self._show_budget(kept.get("time", self._first["time"]), kept.get("unit", self._first["unit"]))
        for name, box in self._kinds.items():
            if (place := box.findData(kept.get(name))) >= 0:
                box.setCurrentIndex(place)
        self._showing = False

    def _set(self, form: ConfigForm, name: str, value: Any) -> bool:
        value = None if value == AUTOMATIC else value
        try:
            form.config().replace(**{name: value})
        except (ConfigError, TypeError):
            return False
        form.editor(name).set_value(value)
        return True

    def _show_budget(self, amount: object, unit: object) -> None:
        if not isinstance(amount, (int, float)) or not 0 < amount < MOST:  # somebody may have edited the file
            return
        if unit == "epochs":
            self._budget.set_epochs(int(amount))
        else:
            self._budget.set_minutes(float(amount))
