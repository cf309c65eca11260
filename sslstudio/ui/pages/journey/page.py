"""The simple way on one page: what is wanted, which pictures, one button, and what happens now."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from sslstudio.engine.core.events import Preparing
from sslstudio.engine.images.index import printable
from sslstudio.ui.background import jobs
from sslstudio.ui.base import app_settings
from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.gallery.model import GalleryItem
from sslstudio.ui.gallery.view import GalleryView
from sslstudio.ui.operations import projects as project_operations
from sslstudio.ui.operations.pictures import Seen
from sslstudio.ui.operations.projects import Recent
from sslstudio.ui.pages.journey.controller import BUSY, JourneyController, Stage
from sslstudio.ui.pages.journey.goal_card import GoalCard, draw_classes, draw_map, draw_masks
from sslstudio.ui.pages.journey.words import describe
from sslstudio.ui.pages.page import Page
from sslstudio.ui.plots.scatter_map import EmbeddingMap
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.buttons import offer
from sslstudio.ui.widgets.choice_box import RoomyBox
from sslstudio.ui.widgets.collapsible import Fold
from sslstudio.ui.widgets.layout import (
    Card,
    Notice,
    button,
    clear,
    column,
    make_scrollable,
    retitle,
    row,
    symbol,
    text,
    wrap_layout,
)
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:
    from sslstudio.engine.clinic.journey import Goal

SHOWN = 60  # thumbnails
RECENT = 3
TICK_MS = 1000
MINUTES = (None, 5.0, 30.0, 120.0, 480.0)


class JourneyPage(Page):
    """Goal, pictures, Learn, result."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, "", "")
        self.journey = JourneyController(workspace)
        self.faces = QStackedWidget()
        self.content.addWidget(self.faces, 1)
        self._add_goals()
        self._add_pictures()
        self._add_opening()
        self._add_work()
        self._add_footer()
        self._ticking = QTimer(self, interval=TICK_MS)
        self._ticking.timeout.connect(self._tick)
        workspace.opening.connect(self._show_opening)
        workspace.call_on(Change.PICTURES, self._take_pictures)
        workspace.call_on(Change.ENGINE, self.refresh)
        self.journey.changed.connect(self.refresh)
        workspace.runner.started.connect(lambda _: self.refresh())
        workspace.runner.ended.connect(lambda _: self.refresh())
        self._take_pictures()

    # --- the faces

    def _add_goals(self) -> None:
        titles = self._goal_titles()
        told = {
            "classes": self.tr("Each picture gets one name: cat or dog, sound or ill, part 1, 2 or 3."),
            "masks": self.tr("The outline of every cell, leaf or crack is found in each picture."),
            "explore": self.tr("Pictures that look alike are laid side by side on a map. Nothing has to be named."),
        }
        draws = {"classes": draw_classes, "masks": draw_masks, "explore": draw_map}
        self.goals = {
            name: GoalCard(titles[name], told[name], draws[name], partial(self._choose_goal, name)) for name in titles
        }
        self.recent = QVBoxLayout()
        self.recent.setSpacing(2)
        cards = row(*((card, 1) for card in self.goals.values()), gap=16)
        self.asking = wrap_layout(column(None, cards, 14, self.recent, None, None, gap=6))
        self.faces.addWidget(make_scrollable(self.asking))
        op = partial(project_operations.read_recent, app_settings.recent_folders())
        jobs.run(op, self._show_recent, partial(dialogs.tell_error, self), owner=self)

    def _goal_titles(self) -> "dict[Goal, str]":
        return {
            "classes": self.tr("Sort pictures into classes"),
            "masks": self.tr("Mark things in pictures"),
            "explore": self.tr("Just explore what is there"),
        }

    def _add_pictures(self) -> None:
        self.drop = QFrame()
        self.drop.setObjectName("drop")
        heading = text(self.tr("Drop a folder with your pictures here"), "title", wrap=False)
        told = text(self.tr("Nothing leaves this computer, and your folder is never changed."), "subtitle", wrap=False)
        self.choose = button(self.tr("Choose a folder…"), self.choose_folder, "primary", "folder")
        self.sample = button(self.tr("Try with the sample"), self.workspace.open_sample, icon="shapes")
        self.sample.setToolTip(self.tr("Draws 2,400 small pictures of shapes, with names and outlines."))
        file = button(self.tr("Open a file…"), self.workspace.wants_file.emit, "link")
        file.setToolTip(self.tr("A zip file with pictures, a table or COCO file with their labels, a project."))
        inside = column(
            None, row(None, symbol("drop", "accent", 64), None), 8, row(None, heading, None), row(None, told, None), 14,
            row(None, self.choose, self.sample, file, None, gap=12), None, gap=8,
        )  # fmt: skip
        inside.setContentsMargins(28, 24, 28, 24)
        self.drop.setLayout(inside)
        self.faces.addWidget(self.drop)

    def _add_opening(self) -> None:
        self.opening_bar = QProgressBar()
        self.opening_bar.setTextVisible(False)
        self.opening_bar.setFixedWidth(380)
        self.opening_said = text("", "muted", wrap=False)
        cancel = button(self.tr("Cancel"), self.workspace.cancel_opening, icon="cross")
        inner = column(self.opening_bar, self.opening_said, 8, row(cancel, None), gap=8)
        self.opening = wrap_layout(column(None, row(None, inner, None), None))
        self.faces.addWidget(self.opening)

    def _add_work(self) -> None:
        self.now, self.next = text("", "heading"), text("")
        self.detail = text("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.wrong = Notice()
        self.facts = column(gap=5)
        self.reasons = text("")
        self.why = Fold(self.tr("Why so?"), self.reasons)
        self.card = Card(gap=8).add(self.now, self.bar, self.detail, self.facts, self.next, self.why, self.wrong)
        self.gallery = GalleryView()
        self.map = EmbeddingMap()
        self.sight = QStackedWidget()
        for one in (self.gallery, self.map):
            self.sight.addWidget(one)
        self.work = wrap_layout(column(self.card, (Card(margin=12).add((self.sight, 1)), 1), gap=14))
        self.faces.addWidget(self.work)

    def _add_footer(self) -> None:
        self.back = button(self.tr("Something else"), lambda: self.journey.choose(None), "link", "back")
        self.back.setToolTip(self.tr("Choose again what you want."))
        self.other = button(self.tr("Other pictures…"), self._other_pictures, "link", "folder")
        self.learn = button(self.tr("Learn"), self.start_run, "primary", "play")
        self.label = button(self.tr("Label pictures"), lambda: self.workspace.wants_page.emit("label"), icon="pencil")
        self.label.setToolTip(self.tr("A label is what you say a picture shows, or where in it."))
        self.enough = button(self.tr("Enough, go on"), self.journey.go_on, icon="next")
        self.enough.setToolTip(self.tr("Ends this step here and takes the next one with what it has learnt."))
        self.stop = button(self.tr("Stop"), self.journey.stop, icon="stop")
        self.details = button(self.tr("Show all about it"), self._show_details, icon="chart")
        self.details.setToolTip(self.tr("All figures, single pictures, and the way to use it: in the expert pages."))
        self.use = button(self.tr("New pictures"), self._use, "primary", "next")
        self.use.setToolTip(self.tr("Choose a folder, and it says for each picture there what it has learnt."))
        self.time = RoomyBox()
        self.time.setAccessibleName(self.tr("How long it may take"))
        for minutes in MINUTES:
            said = formatting.duration(60.0 * minutes) if minutes else self.tr("as long as it needs")
            self.time.addItem(said, minutes)
        self.time.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.time.currentIndexChanged.connect(self._take_time)
        self.time_title = text(self.tr("Time:"), "muted", wrap=False)
        self.end_with(
            self.use, self.learn, self.label, self.enough, self.stop, self.details, None, self.time_title, self.time
        )
        for one in (self.other, self.back):
            self.corner.addWidget(one)
        self._footer.removeWidget(self.copy)
        self.copy.hide()

    # --- what a person does

    def _choose_goal(self, goal: "Goal") -> None:
        self.journey.choose(goal)
        if self.workspace.recognised is None:
            self.choose.setFocus()

    def choose_folder(self) -> None:
        """Ask for a folder and open it."""
        start = self.workspace.folder.parent if self.workspace.folder else None
        folder = dialogs.choose_folder(self, self.tr("Choose the folder with your pictures"), start)
        if folder is not None:
            self.workspace.open_folder(folder)

    def _other_pictures(self) -> None:
        self.choose_folder()

    def _take_time(self) -> None:
        self.journey.minutes = self.time.currentData()

    def start_run(self) -> None:
        """Learn."""
        self.journey.learn()

    def toggle_pause(self) -> None:
        """Pause, or go on."""
        self.workspace.runner.toggle_pause()

    def _show_details(self) -> None:
        self.workspace.wants_expert.emit("results" if self.journey.goal != "explore" else "pretext")

    def _use(self) -> None:
        self.workspace.wants_use = True
        self.workspace.wants_expert.emit("results")

    def show_drop(self, hot: bool) -> None:
        """Show that it can be dropped here."""
        self.drop.setProperty("hot", hot)
        set_role(self.drop, "hot" if hot else "")

    # --- what is shown

    def _show_recent(self, projects: list[Recent]) -> None:
        if projects:
            self.recent.addWidget(text(self.tr("Go on with"), "field", wrap=False))
        for one in projects[:RECENT]:
            again = button(printable(one.name)[:48], partial(self.workspace.open_folder, one.folder), "link", "folder")
            again.setToolTip(printable(str(one.folder)))
            self.recent.addLayout(row(again, text(one.opened, "muted", wrap=False), None))

    def _show_opening(self, said: Preparing | Seen | None) -> None:
        if isinstance(said, Seen):
            self.opening_said.setText(self.tr("{0} so far").format(formatting.count(said.pictures)))
        elif said is not None:
            self.opening_said.setText(formatting.render(said.stage))
            self.opening_bar.setRange(0, said.total)
            self.opening_bar.setValue(said.done)
            self.title.setText(printable(self.workspace.opening_name) or self.tr("Your pictures"))
            self.subtitle.setText(self.tr("is being opened"))
        if said is None:
            self.refresh()
        else:
            self._face(self.opening)

    def _take_pictures(self) -> None:
        recognised = self.workspace.recognised
        if recognised is not None:
            index = recognised.pictures
            items = [GalleryItem(index.file(path), printable(path).rpartition("/")[2]) for path in index.first(SHOWN)]
            self.gallery.show_items(items)
        self.refresh()

    def _face(self, face: QWidget) -> None:
        for number in range(self.faces.count()):
            one = self.faces.widget(number)
            if one is not None and (one is face or one.isAncestorOf(face)):
                self.faces.setCurrentIndex(number)
        self.footer.setVisible(face is self.work)

    def refresh(self) -> None:
        """The face and the words that fit."""
        if self.faces.currentWidget() is self.opening and self.workspace.opening_name:
            return
        workspace, goal = self.workspace, self.journey.goal
        if goal is None:
            known = workspace.recognised is not None
            self.title.setText(self.tr("What do you want from these pictures?") if known
                               else self.tr("What do you want to do?"))  # fmt: skip
            self.subtitle.setText(self.tr("One choice, then your pictures, then one button."))
            self._face(self.asking)
        elif workspace.recognised is None:
            self.title.setText(self._goal_titles()[goal])
            self.subtitle.setText(self.tr("Which pictures? A few dozen will do; hundreds are better."))
            self._face(self.drop)
        else:
            self._show_work(goal)
            self._face(self.work)
        self._offer()

    def _show_work(self, goal: "Goal") -> None:
        workspace, journey = self.workspace, self.journey
        assert workspace.recognised is not None
        count = formatting.count(len(workspace.recognised.pictures), self.tr("picture"), self.tr("pictures"))
        labelled = sum(journey.labels().values())
        said = self.tr("{0} of them labelled").format(formatting.count(labelled)) if goal != "explore" else ""
        self.title.setText(printable(workspace.project.name if workspace.project else ""))
        self.subtitle.setText(formatting.facts_line([self._goal_titles()[goal], count, said]))
        words = describe(journey)
        self.now.setText(words.now)
        self.next.setText(words.next)
        self.next.setVisible(bool(words.next))
        self.detail.setText(words.detail)
        self.detail.setVisible(bool(words.detail))
        done, total = journey.far
        self.bar.setVisible(journey.stage in BUSY)
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self._fill(self.facts, words.facts)
        reasons = [formatting.render(one) for one in journey.plan.reasons] if journey.plan else []
        self.reasons.setText("\n".join(reasons))
        self.why.setVisible(journey.plan is not None and bool(journey.plan.reasons))
        warning = journey.plan.warning if journey.plan is not None else ""
        self.wrong.say(journey.error or formatting.render(warning))
        self._show_map()

    def _show_map(self) -> None:
        alike, recognised = self.journey.alike, self.workspace.recognised
        if alike is None or recognised is None:
            self.sight.setCurrentWidget(self.gallery)
        elif self.sight.currentWidget() is not self.map:
            index = recognised.pictures
            items = [GalleryItem(index.file(path), printable(path).rpartition("/")[2]) for path in alike.paths]
            of = recognised.classes.of if recognised.classes else {}
            self.map.show_points(alike.places, [of[path] + 1 if path in of else 0 for path in alike.paths], items)
            self.sight.setCurrentWidget(self.map)

    def _fill(self, layout: QVBoxLayout, said: list[str]) -> None:
        items = (layout.itemAt(number) for number in range(layout.count()))
        shown = [one.text() for item in items if item is not None and isinstance(one := item.widget(), QLabel)]
        if shown != said:
            clear(layout)
            for sentence in said:
                layout.addWidget(text(sentence))

    def _offer(self) -> None:
        """The one button that leads on, and what else can be done now."""
        journey, runner = self.journey, self.workspace.runner
        working = self.faces.currentWidget() is self.work
        busy = journey.stage in BUSY
        to_label = working and journey.stage is Stage.LABELS
        for one in (self.learn, self.time, self.time_title):
            one.setVisible(working and not busy and not to_label)
        retitle(self.learn, self.tr("Learn again") if journey.stage is Stage.DONE else self.tr("Learn"))
        other = self.tr("Another training goes on. Wait until it has ended.") if runner.active and not busy else ""
        failed = self.workspace.engine_error
        offer(self.learn, unless=other or (dialogs.error_text(failed) if failed is not None else ""))
        self.label.setVisible(working and journey.goal in ("classes", "masks"))
        done = working and journey.stage is Stage.DONE and journey.goal != "explore"
        uses = done and journey.verdict is not None and journey.verdict.next == "use"
        self.details.setVisible(done)
        self.use.setVisible(uses)
        asks = journey.verdict is not None and journey.verdict.next == "label" and journey.goal != "explore"
        asks = asks and not journey.all_labelled
        wants_labels = to_label or (asks and not busy)
        learns = not wants_labels and not uses
        for one, role, icon in ((self.label, wants_labels, "pencil"), (self.learn, learns, "play")):
            set_role(one, "primary" if role else "plain")
            tint(one, icon, "accent_text" if role else "text")
        self.enough.setVisible(working and journey.stage is Stage.LEARNING)
        early = journey.plan is not None and journey.seconds < 60.0 * journey.plan.useful_after
        after = formatting.duration(60.0 * journey.plan.useful_after) if journey.plan is not None else ""
        saving = self.tr("It is being saved.") if runner.stopping else ""
        offer(self.enough, unless=saving or (self.tr("Useful from about {0} on.").format(after) if early else ""))
        self.stop.setVisible(working and busy)
        offer(self.stop, unless=saving)
        self.back.setVisible(journey.goal is not None and not busy)
        self.other.setVisible(working and not busy)
        if busy and not self._ticking.isActive():
            self._ticking.start()
        elif not busy:
            self._ticking.stop()

    def _tick(self) -> None:
        if self.journey.stage in (Stage.LEARNING, Stage.TUNING) and not self.workspace.runner.paused:
            self.journey.seconds += TICK_MS / 1000
        self.refresh()

    def finish(self) -> None:
        """The window closes."""
        self.map.finish()
        super().finish()
