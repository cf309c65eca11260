"""The only place that names a colour: one calm style, light and dark, following the system while it runs.

Series colours are those of Okabe & Ito (Color Universal Design, 2008), which people with any colour vision can tell
apart, made lighter for the dark scheme so that they stay so; what matters is never said by colour alone.
"""

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QStyleFactory, QWidget

from sslstudio.ui.base import resources

APPEARANCES = ("system", "light", "dark")


@dataclass(frozen=True)
class Colours:
    """Every colour of a scheme, as #rrggbb."""

    window: str
    side: str
    surface: str
    raised: str
    sunken: str
    field: str
    hover: str
    border: str
    strong_border: str
    field_border: str  # of what is filled in or ticked: 3 to 1 against every ground, as WCAG 1.4.11 asks
    handle: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    accent_text: str
    selection: str
    good: str
    bad: str
    warn: str
    notice: str
    notice_border: str
    series: tuple[str, ...]  # curves: first pretrained / training, second scratch / held-out
    chance: str


LIGHT = Colours(
    window="#f5f6f8", side="#eceff3", surface="#ffffff", raised="#ffffff", sunken="#eef1f4", field="#ffffff",
    hover="#f0f4f8", border="#dfe4ea", strong_border="#c0c9d2", field_border="#7a8692",
    handle="#cbd2da",
    text="#1a232d", muted="#586472", disabled="#9aa4af",
    accent="#0b66a8", accent_hover="#085389", accent_text="#ffffff", selection="#dcebf7",
    good="#007558", bad="#b04600", warn="#8a5a00", notice="#fdf5e3", notice_border="#ecd9a8",
    series=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"), chance="#6b7683",
)  # fmt: skip
DARK = Colours(
    window="#14181d", side="#191e24", surface="#1d232a", raised="#252c34", sunken="#161b20", field="#171c22",
    hover="#28303a", border="#2d353f", strong_border="#46515d", field_border="#7d8995",
    handle="#3b4651",
    text="#e8ecf0", muted="#a0abb7", disabled="#66717d",
    accent="#5cb6ea", accent_hover="#86caf1", accent_text="#0d1a24", selection="#20405a",
    good="#43cba4", bad="#ff9a55", warn="#f0c253", notice="#2c2718", notice_border="#5b4d22",
    series=("#56b4e9", "#ff8f3c", "#4de0ae", "#e59cc4", "#ffcd3d", "#a8d7ff"), chance="#97a2ae",
)  # fmt: skip


# Mask classes: background, which is left clear, then the colours that the engine writes into predicted masks.
MASKS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#cccccc")


def class_colour(number: int) -> str:
    """The colour of a class, counted from 1: that of its masks, its points, its buttons."""
    return MASKS[1 + (number - 1) % (len(MASKS) - 1)]


class Theme(QObject):
    """The scheme in force. `changed` is for what is painted by hand; the rest follows through the style sheet."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self.setObjectName("theme")
        self.colours = LIGHT
        self._appearance = "system"
        self._points = app.font().pointSizeF()
        app.setStyle(QStyleFactory.create("Fusion"))
        hints = QGuiApplication.styleHints()
        self._system = hints.colorScheme()
        hints.colorSchemeChanged.connect(self._take_system)
        self._apply()

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is in force."""
        return self.colours is DARK

    def follow(self, appearance: str) -> None:
        """system, light or dark."""
        self._appearance = appearance if appearance in APPEARANCES else "system"
        self._apply()

    def _take_system(self, scheme: Qt.ColorScheme) -> None:
        self._system = scheme
        self._apply()

    def _choose(self) -> Colours:
        if self._appearance != "system":
            return DARK if self._appearance == "dark" else LIGHT
        return DARK if self._system is Qt.ColorScheme.Dark else LIGHT

    def _apply(self) -> None:
        self.colours = self._choose()
        QApplication.setPalette(palette(self.colours))
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setStyleSheet(style_sheet(self.colours, self._points))
        self.changed.emit()


def theme() -> Theme:
    """The application's theme; made on first use."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise RuntimeError("the theme needs a QApplication")
    found = app.findChild(Theme, "theme")
    return found if found is not None else Theme(app)


def colours() -> Colours:
    """The colours in force."""
    return theme().colours


def luminance(colour: QColor) -> float:
    """Relative luminance, 0 to 1 (WCAG 2)."""
    parts = [colour.redF(), colour.greenF(), colour.blueF()]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: QColor, other: QColor) -> float:
    """How far two colours are apart, 1 to 21; texts need 4.5 (WCAG 2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(ground: QColor) -> QColor:
    """Black or white, what is read better on a ground of any shade: 4.58 at least, which softer inks do not reach."""
    return max((QColor("#000000"), QColor("#ffffff")), key=lambda ink: contrast(ink, ground))


def palette(scheme: Colours) -> QPalette:
    """What Fusion paints with where the style sheet is silent."""
    made = QPalette()
    role = QPalette.ColorRole
    for name, colour in (
        (role.Window, scheme.window), (role.WindowText, scheme.text), (role.Base, scheme.field),
        (role.AlternateBase, scheme.window), (role.Text, scheme.text), (role.Button, scheme.surface),
        (role.ButtonText, scheme.text), (role.ToolTipBase, scheme.raised), (role.ToolTipText, scheme.text),
        (role.Highlight, scheme.accent), (role.HighlightedText, scheme.accent_text), (role.Link, scheme.accent),
        (role.PlaceholderText, scheme.muted), (role.BrightText, scheme.bad), (role.Mid, scheme.border),
        (role.Accent, scheme.accent),
    ):  # fmt: skip
        made.setColor(name, QColor(colour))
    for name in (role.Text, role.WindowText, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, QColor(scheme.disabled))
    return made


def style_sheet(scheme: Colours, points: float) -> str:
    """resources/style/studio.qss with the colours and the sizes of type filled in."""
    sheet = resources.find("style/studio.qss").read_text(encoding="utf-8")
    images = resources.find("style") / ("dark" if scheme is DARK else "light")
    steps = {"small": 0.92, "lead": 1.08, "heading": 1.22, "title": 1.85, "figure": 1.55}
    sizes = {name: f"{points * factor:.1f}" for name, factor in steps.items()}
    return Template(sheet).substitute({**asdict(scheme), **sizes, "images": images.as_posix()})


class _Tint(QObject):
    """Keeps the icon of one button or label in the colour of the scheme."""

    def __init__(self, owner: QAbstractButton | QLabel, name: str, role: str, side: int) -> None:
        super().__init__(owner)
        self._owner, self._name, self._role, self._side = owner, name, role, side
        theme().changed.connect(self.paint)
        self.paint()

    def paint(self) -> None:
        scheme = colours()
        colour = str(getattr(scheme, self._role))
        if isinstance(self._owner, QLabel):
            ratio = self._owner.devicePixelRatioF()
            self._owner.setPixmap(resources.pixmap(self._name, colour, self._side, ratio))
        else:
            self._owner.setIcon(resources.icon(self._name, colour, scheme.disabled))


def tint(owner: QAbstractButton | QLabel, name: str, role: str = "text", side: int = 20) -> None:
    """Give a button or label an icon in one of the scheme's colours, now and after each change of scheme."""
    for old in owner.findChildren(_Tint, options=Qt.FindChildOption.FindDirectChildrenOnly):
        old.setParent(None)
        old.deleteLater()
    _Tint(owner, name, role, side)


def set_role(widget: QWidget, role: str) -> None:
    """Change the role that the style sheet knows a widget by."""
    widget.setProperty("role", role)
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):  # else its role is looked at when it is first shown
        widget.style().unpolish(widget)
        widget.style().polish(widget)
