"""A form made from a config class: titles, limits, choices and help all come from its `option(...)` declarations."""

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sslstudio.engine.core.config import BaseConfig, SectionField, options_of, sections_of
from sslstudio.ui.forms.editors import Editor, SwitchEditor, editor_for
from sslstudio.ui.forms.reset_row import ResetRow
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import clear, column, text, wrap_layout


class ConfigForm(QWidget):
    """Edits a config. Advanced options are folded away; `changed` follows every edit by hand or by `show_config`."""

    changed = Signal()

    def __init__(self, *, folding: bool = True, resetting: bool = True) -> None:
        super().__init__()
        self._folding, self._resetting = folding, resetting
        self._shown: BaseConfig = BaseConfig()
        self._editors: dict[str, Editor] = {}
        self._titles: dict[str, QLabel] = {}
        self._groups: dict[str, ConfigForm] = {}
        self._quiet = False
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(14)

    def show_config(self, config: BaseConfig, only: Collection[str] | None = None) -> None:
        """Make the form of this config, for all of its options or `only` some; the others keep their values."""
        clear(self._layout)
        self._shown, self._editors, self._groups = config, {}, {}
        plain: list[Editor] = []
        advanced: list[Editor] = []
        for field in options_of(type(config)):
            if only is not None and field.name not in only:
                continue
            editor = editor_for(field)
            self._editors[field.name] = editor
            (advanced if field.about.advanced else plain).append(editor)
        groups = [
            self._group(one) for one in sections_of(type(config)) if one.about and (only is None or one.name in only)
        ]
        self._lay_out(plain, advanced, groups)
        self._set(config)

    def _group(self, section: SectionField) -> QWidget:
        """The form of a section that has a title, below its title."""
        form = ConfigForm(folding=False, resetting=False)
        form.show_config(getattr(self._shown, section.name))
        self._groups[section.name] = form
        form.changed.connect(self._tell_change)
        about = section.about
        pieces: list[QWidget] = [text(formatting.render(about.title), "field", wrap=False)] if about else []
        pieces += [text(formatting.render(about.help), "small")] if about and about.help else []
        return wrap_layout(column(*pieces, form, gap=8))

    def _lay_out(self, plain: list[Editor], advanced: list[Editor], groups: list[QWidget]) -> None:
        for editor in plain:
            self._layout.addWidget(self._line(editor))
        for group in groups:
            self._layout.addWidget(group)
        if advanced and not self._folding:
            for editor in advanced:
                self._layout.addWidget(self._line(editor))
        elif advanced:
            inside = wrap_layout(column(*(self._line(editor) for editor in advanced), gap=14))
            self._layout.addWidget(Fold(self.tr("More options"), inside))
        if self._resetting and self._editors:
            self._layout.addWidget(ResetRow(self._read_values, self.reset, self.restore))
        elif self._resetting:
            self._layout.addWidget(text(self.tr("There is nothing to set here."), "muted"))
        if self._resetting:
            self._layout.addStretch(1)
        for editor in self._editors.values():
            editor.changed.connect(self._tell_change)

    def _line(self, editor: Editor) -> QWidget:
        about = editor.field.about
        pieces: list[QWidget] = []
        if not isinstance(editor, SwitchEditor):
            self._titles[editor.field.name] = text(formatting.render(about.title), "field", wrap=False)
            pieces.append(self._titles[editor.field.name])
        pieces.append(editor)
        if about.help:
            pieces.append(text(formatting.render(about.help), "small"))
        return wrap_layout(column(*pieces, gap=5))

    def retitle(self, name: str, title: str) -> None:
        """Call an option something else, where its own name does not fit what is set beside it."""
        self._titles[name].setText(title)

    def values(self) -> dict[str, Any]:
        """The values of the form's options and groups by name."""
        groups = {name: form.config() for name, form in self._groups.items()}
        return {**{name: editor.value() for name, editor in self._editors.items()}, **groups}

    def _read_values(self) -> dict[str, Any]:
        """Read what is typed, whether it makes a config or not."""
        groups = {name: form._read_values() for name, form in self._groups.items()}
        return {**{name: editor.value() for name, editor in self._editors.items()}, **groups}

    def config(self) -> BaseConfig:
        """The config as it is set. Raises ConfigError when values do not go together."""
        return self._shown.replace(**self.values())

    def reset(self) -> None:
        """Every option of the form back to its default."""
        defaults = type(self._shown)()
        self._set(defaults)

    def restore(self, values: Mapping[str, Any]) -> None:
        """Values that the form had before."""
        self._quiet = True
        for name, value in values.items():
            if name in self._groups:
                self._groups[name].restore(value)
            else:
                self._editors[name].set_value(value)
        self._quiet = False
        self.changed.emit()

    def show_values(self, config: BaseConfig) -> None:
        """Set the options of the form as they are in a config of the class that is shown."""
        self._shown = config
        self._set(config)

    def group(self, name: str) -> "ConfigForm":
        """The form of one section."""
        return self._groups[name]

    def editor(self, name: str) -> Editor:
        """The editor of one option."""
        return self._editors[name]

    def _set(self, config: BaseConfig) -> None:
        self._quiet = True
        for name, editor in self._editors.items():
            editor.set_value(getattr(config, name))
        for name, form in self._groups.items():
            form.show_values(getattr(config, name))
        self._quiet = False
        self.changed.emit()

    def _tell_change(self) -> None:
        if not self._quiet:
            self.changed.emit()
