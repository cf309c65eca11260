"""A form made from a config class: titles, limits, choices and help all come from its `option(...)` declarations."""

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.engine.core.config import BaseConfig, Value, options_of
from sslstudio.ui.forms.editors import Editor, SwitchEditor, editor_for
from sslstudio.ui.forms.reset_row import ResetRow
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import clear, column, held, text


class ConfigForm(QWidget):
    """Edits a config. Advanced options are folded away; `changed` follows every edit by hand or by `show_config`."""

    changed = Signal()

    def __init__(self, *, folding: bool = True, resetting: bool = True) -> None:
        super().__init__()
        self._folding, self._resetting = folding, resetting
        self._shown: BaseConfig = BaseConfig()
        self._editors: dict[str, Editor] = {}
        self._quiet = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)

    def show_config(self, config: BaseConfig, only: Collection[str] | None = None) -> None:
        """Make the form of this config, for all of its options or `only` some; the others keep their values."""
        clear(self._layout)
        self._shown, self._editors = config, {}
        plain: list[Editor] = []
        advanced: list[Editor] = []
        for field in options_of(type(config)):
            if only is not None and field.name not in only:
                continue
            editor = editor_for(field)
            self._editors[field.name] = editor
            (advanced if field.about.advanced else plain).append(editor)
        self._lay_out(plain, advanced)
        self._set(config)

    def _lay_out(self, plain: list[Editor], advanced: list[Editor]) -> None:
        for editor in plain:
            self._layout.addWidget(self._line(editor))
        if advanced and not self._folding:
            for editor in advanced:
                self._layout.addWidget(self._line(editor))
        elif advanced:
            inside = held(column(*(self._line(editor) for editor in advanced), gap=14))
            self._layout.addWidget(Fold(self.tr("More options"), inside))
        if self._resetting and self._editors:
            self._layout.addWidget(ResetRow(self.values, self.reset, self.restore))
        elif self._resetting:
            self._layout.addWidget(text(self.tr("There is nothing to set here."), "muted"))
        if self._resetting:
            self._layout.addStretch(1)
        for editor in self._editors.values():
            editor.changed.connect(self._edited)

    def _line(self, editor: Editor) -> QWidget:
        about = editor.field.about
        pieces: list[QWidget] = (
            [] if isinstance(editor, SwitchEditor) else [text(formatting.told(about.title), "field", wrap=False)]
        )
        pieces.append(editor)
        if about.help:
            pieces.append(text(formatting.told(about.help), "small"))
        return held(column(*pieces, gap=5))

    def values(self) -> dict[str, Value]:
        """The values of the form's options by name."""
        return {name: editor.value() for name, editor in self._editors.items()}

    def config(self) -> BaseConfig:
        """The config as it is set. Raises ConfigError when values do not go together."""
        return self._shown.replace(**self.values())

    def reset(self) -> None:
        """Every option of the form back to its default."""
        defaults = type(self._shown)()
        self._set(self._shown.replace(**{name: getattr(defaults, name) for name in self._editors}))

    def restore(self, values: Mapping[str, Any]) -> None:
        """Values that the form had before."""
        self._set(self._shown.replace(**values))

    def editor(self, name: str) -> Editor:
        """The editor of one option."""
        return self._editors[name]

    def _set(self, config: BaseConfig) -> None:
        self._quiet = True
        for name, editor in self._editors.items():
            editor.set_value(getattr(config, name))
        self._quiet = False
        self.changed.emit()

    def _edited(self) -> None:
        if not self._quiet:
            self.changed.emit()
