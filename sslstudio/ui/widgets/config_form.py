"""A form made from a config class: titles, limits, choices and help all come from its `option(...)` declarations."""

from collections.abc import Collection

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sslstudio.engine.config import BaseConfig, options_of
from sslstudio.ui.theme import tint
from sslstudio.ui.widgets.fields import Editor, SwitchEditor, editor_for
from sslstudio.ui.widgets.layout import button, clear, column, held, row, text


class ConfigForm(QWidget):
    """Edits a config. Advanced options are folded away; `changed` follows every edit by hand or by `show_config`."""

    changed = Signal()

    def __init__(self, *, with_help: bool = True) -> None:
        super().__init__()
        self._with_help = with_help
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
        plain, advanced = [], []
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
        if advanced:
            self._add_folded(advanced)
        if self._editors:
            reset = button(self.tr("Reset to defaults"), self.reset, "link", "refresh")
            self._layout.addLayout(row(reset, None))
        else:
            self._layout.addWidget(text(self.tr("There is nothing to set here."), "muted"))
        self._layout.addStretch(1)
        for editor in self._editors.values():
            editor.changed.connect(self._edited)

    def _line(self, editor: Editor) -> QWidget:
        about = editor.field.about
        pieces: list[QWidget] = [] if isinstance(editor, SwitchEditor) else [text(about.title, "field", wrap=False)]
        pieces.append(editor)
        if self._with_help and about.help:
            pieces.append(text(about.help, "small"))
        return held(column(*pieces, gap=5))

    def _add_folded(self, editors: list[Editor]) -> None:
        inside = held(column(*(self._line(editor) for editor in editors), gap=14))
        inside.hide()
        opener = button(self.tr("More options"), lambda: unfold(inside.isHidden()), "link", "right")

        def unfold(visible: bool) -> None:
            inside.setVisible(visible)
            tint(opener, "down" if visible else "right", "accent")

        self._layout.addLayout(row(opener, None))
        self._layout.addWidget(inside)

    def config(self) -> BaseConfig:
        """The config as it is set. Raises ConfigError when values do not go together."""
        return self._shown.replace(**{name: editor.value() for name, editor in self._editors.items()})

    def reset(self) -> None:
        """Every option of the form back to its default."""
        defaults = type(self._shown)()
        self._set(self._shown.replace(**{name: getattr(defaults, name) for name in self._editors}))

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
