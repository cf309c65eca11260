"""A button with a menu of what can be taken along."""

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QPushButton

from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.widgets.layout import retitle


class ExportButton(QPushButton):
    """Opens a menu; `choices` are titles and what they do."""

    def __init__(self, title: str, choices: dict[str, Callable[[], object]]) -> None:
        super().__init__()
        retitle(self, title)
        set_role(self, "plain")
        tint(self, "folder")
        menu = QMenu(self)
        for name, call in choices.items():
            menu.addAction(name).triggered.connect(lambda _=False, call=call: call())
        self.setMenu(menu)

    def choose(self, title: str) -> None:
        """Take a choice, as a person does in the menu."""
        menu = self.menu()
        next(action for action in menu.actions() if action.text() == title).trigger()
