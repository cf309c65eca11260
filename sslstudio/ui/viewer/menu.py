"""The menu of a thumbnail, and of the picture that is looked at closely."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from sslstudio.engine.core.control import RunControl
from sslstudio.engine.images.formats.decode import read_picture
from sslstudio.engine.images.formats.wanted import file_of
from sslstudio.ui.background import jobs
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.text import formatting
from sslstudio.ui.viewer.known import Known
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.picture import to_image


class PictureMenu(QObject):
    """Makes menus for pictures of any gallery."""

    def __init__(self, known: Known, owner: QObject) -> None:
        super().__init__(owner)
        self._known = known

    def build(self, parent: QWidget, items: Sequence[GalleryItem], look: Callable[[], object] | None) -> QMenu:
        """The menu for these pictures, the first of which is the one that was clicked. look: shows it closely."""
        menu = QMenu(parent)
        menu.setAccessibleName(self.tr("What can be done with the picture"))
        if look is not None:
            menu.addAction(self.tr("See it closely")).triggered.connect(lambda: look())
            menu.setDefaultAction(menu.actions()[0])
            menu.addSeparator()
        files = [file for file in map(self._known.file_of, items) if file]
        if files:
            self._add_labels(menu, files)
            self._add_exclusion(menu, files)
            menu.addSeparator()
        one = items[0].path
        menu.addAction(self.tr("Show in its folder")).triggered.connect(partial(show_in_folder, one))
        menu.addAction(self.tr("Copy the picture")).triggered.connect(partial(self._copy_picture, parent, one))
        paths = "\n".join(file_of(os.fspath(item.path)) for item in items)
        told = self.tr("Copy the path") if len(items) == 1 else self.tr("Copy the paths")
        menu.addAction(told).triggered.connect(lambda: QGuiApplication.clipboard().setText(paths))
        return menu

    def _add_labels(self, menu: QMenu, files: list[str]) -> None:
        inner = menu.addMenu(self.tr("Label as"))
        for name in self._known.class_names:
            action = inner.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(all(self._known.label_of(file) == name for file in files))
            action.triggered.connect(lambda _=False, name=name: self._known.label_as(files, name))
        if self._known.class_names:
            inner.addSeparator()
        none = inner.addAction(self.tr("No label"))
        none.triggered.connect(lambda: self._known.label_as(files, ""))
        none.setEnabled(any(self._known.label_of(file) for file in files))
        inner.setEnabled(bool(inner.actions()[:-1]) or none.isEnabled())

    def _add_exclusion(self, menu: QMenu, files: list[str]) -> None:
        roles = self._known.roles
        inside = [file for file in files if not roles.is_excluded(file)]
        outside = [file for file in files if roles.is_excluded(file)]
        if inside:
            many = formatting.count(len(inside), "", self.tr("pictures"))
            said = self.tr("Exclude it") if len(inside) == 1 else self.tr("Exclude {0}").format(many)
            menu.addAction(said).triggered.connect(lambda: roles.exclude(inside))
        if outside:
            many = formatting.count(len(outside), "", self.tr("pictures"))
            said = self.tr("Take it back") if len(outside) == 1 else self.tr("Take {0} back").format(many)
            menu.addAction(said).triggered.connect(lambda: roles.take_back(outside))

    def _copy_picture(self, parent: QWidget, path: Path) -> None:
        def take(pixels: object) -> None:
            QGuiApplication.clipboard().setImage(to_image(pixels))  # type: ignore[arg-type]

        jobs.run(partial(_read, path), take, partial(dialogs.tell_error, parent), owner=parent)


def _read(path: Path, control: RunControl) -> object:
    import numpy as np

    return np.asarray(read_picture(path))


def show_in_folder(path: Path) -> None:
    """Open the folder of a file in the system's own window."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(file_of(os.fspath(path))).parent)))
