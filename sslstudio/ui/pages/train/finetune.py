"""The labels, and fine-tuning on a few of them beside a twin that starts from scratch."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton

from sslstudio.engine.core.errors import ConfigError, StudioError
from sslstudio.ui.background import jobs
from sslstudio.ui.base.theme import set_role, tint
from sslstudio.ui.forms.run_settings import RunSettings
from sslstudio.ui.forms.start_from import GENERAL
from sslstudio.ui.operations import runs as run_operations
from sslstudio.ui.pages.split import SplitLink
from sslstudio.ui.pages.train.curves import TwinCurves
from sslstudio.ui.pages.train.finetune_settings import SCRATCH, FinetuneSettings
from sslstudio.ui.pages.train.remembered_choices import RememberedChoices
from sslstudio.ui.pages.train.run_page import RunPage
from sslstudio.ui.pages.train.run_view import RunView
from sslstudio.ui.pages.train.source_split import SourceSplit
from sslstudio.ui.text import formatting
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.widgets.labels_view import LabelsView, lacks_labels
from sslstudio.ui.widgets.layout import Card, Notice, button, column, make_scrollable, row, text, wrap_layout
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # imports torch
    from sslstudio.engine.finetuning.warm_start import Start, choose_start
else:
    choose_start = jobs.late("sslstudio.engine.finetuning.warm_start", "choose_start")

MINUTES = 5.0
BATCH = 16  # labels are few


class FinetunePage(RunPage):
    """Labels, what to start from, and the run as it goes."""

    job = "finetune"

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace,
            self.tr("Labels and fine-tuning"),
            self.tr("A few labels turn what was learnt into answers. A twin without pretraining runs beside it."),
        )
        self.own: FinetuneSettings | None = None
        self.kept: RememberedChoices | None = None
        self._of: Path | None = None  # the folder whose runs are offered to start from
        self._listing = 0  # how often the runs are being looked for just now
        self._hurried = False  # start was asked for meanwhile
        self._queues = False  # so was the queue
        self._pretrainings: list[Any] = []
        self._again = False  # learning again was asked for before the page was ready

    def make_view(self) -> RunView:
        """Both networks in each plot."""
        return RunView(TwinCurves(), answers=False)

    def add_own(self) -> None:
        """The labels, and what it starts from."""
        workspace = self.workspace
        self.why = Notice("info")  # what it starts from this time
        self.labels_view = LabelsView()
        self.to_label = button(
            self.tr("Label some pictures"), lambda: workspace.wants_page.emit("label"), icon="pencil"
        )
        table = button(self.tr("Labels from a file…"), self.choose_table, icon="tag")
        labels = wrap_layout(column(12, Card().add(self.labels_view, row(self.to_label, table, None)), None, gap=0))
        self.view.tabs.insertTab(0, make_scrollable(labels), self.tr("Labels"))
        self.sheet.insertWidget(1, self.why)
        workspace.learn_again.connect(self.learn_again)
        workspace.queue.changed.connect(self._show_sources)

    # --- learning again

    def learn_again(self) -> None:
        """Fine-tune with the labels as they are now, from what measures better: the weights that were fine-tuned last,
        or the pretraining that they came from."""
        run = self.workspace.result
        if run is None or self.workspace.runner.active:
            return
        self._again = self.own is None or bool(self._listing)
        if self._again:
            return  # it comes after the list of the runs
        self.why.say(self.tr("Measuring what to start from…"))
        op = partial(choose_start, run, self.workspace.labels_file)
        jobs.run(op, partial(self._start_again, run), self._give_up_again, owner=self)

    def _start_again(self, run: Path, start: "Start") -> None:
        if self.own is None or self.workspace.runner.active:
            return
        kind = run_operations.run_kind(run)
        self.own.kind.setCurrentIndex(max(0, self.own.kind.findData(kind)))
        self.own.start_at(start.source)
        self.why.say(formatting.tidy(formatting.render(start.why)))
        self.start_run()

    def _give_up_again(self, error: Exception) -> None:
        self.why.say("")
        self.wrong.say(dialogs.error_text(error))

    def start_title(self) -> str:
        """What the start button says."""
        return self.tr("Start fine-tuning")

    def make_forward(self) -> QPushButton:
        """To the results."""
        return self.next_button(self.tr("Next: results"), "results")

    def prepare_settings(self) -> None:
        """What to learn and what to start from, above the common ones."""
        self.apart = SourceSplit(self._as_the_source)
        self.own = FinetuneSettings(self.apart)
        self.place_on_top(self.own)

    def make_settings(self) -> RunSettings:
        """The common settings, with what the page's own have below More options."""
        assert self.own is not None
        return RunSettings(self.devices(), minutes=MINUTES, starting=False, further=self.own.more)

    def link_settings(self, settings: RunSettings) -> None:
        """To the split, to what it starts from, and to what was chosen before."""
        assert self.own is not None
        settings.batch.editor("batch_size").set_value(BATCH)
        settings.say_below_budget(text(self.tr("For all its networks together, the twin too."), "small"))
        self.split = SplitLink(self.workspace, settings, self).split
        own = self.own
        own.source_changed.connect(self._match_source)
        self.workspace.call_on(Change.SPLIT, self._match_source)
        self.kept = RememberedChoices(self.workspace, self.job, settings, (own.form, own.more), {"kind": own.kind})

    def choose_table(self) -> None:
        """Take the labels from a CSV or COCO file; the folder is looked at again."""
        folder = self.workspace.folder
        file = dialogs.choose_file(
            self, self.tr("Labels"), self.tr("Tables and COCO files (*.csv *.tsv *.txt *.json)"), folder
        )
        if file is not None and folder is not None:
            self.workspace.open_folder(folder, str(file))

    def show_pictures(self) -> None:
        """The labels of the open folder, and the kind of answer that they allow."""
        recognised = self.workspace.recognised
        if recognised is not None and self.own is not None:
            self.labels_view.show_labels(recognised)
            self.to_label.setVisible(lacks_labels(recognised))
            self.offer()
            self.own.suit(recognised)
            if self.kept is not None:
                self.kept.show()  # which kind of answer was chosen, if one was
            if self._of == self.workspace.folder:
                self.own.keep_source(self.workspace.pretrained)
            else:
                self._of = self.workspace.folder
                self.own.forget_sources()
            self.view.tabs.setCurrentIndex(0)

    @property
    def _without_labels(self) -> bool:
        recognised = self.workspace.recognised
        return recognised is not None and recognised.classes is None and recognised.masks is None

    def lead_on(self, done: bool) -> None:
        """Without labels the way on is to make some."""
        super().lead_on(done)
        for one, role, icon in ((self.to_label, self._without_labels, "pencil"),
                                (self.start, not (done or self._without_labels), "play")):  # fmt: skip
            set_role(one, "primary" if role else "plain")
            tint(one, icon, "accent_text" if role else "text")

    def list_runs(self) -> None:
        """Look for the runs on these pictures; what there is to start from is known when all have been listed."""
        self._listing += 1
        super().list_runs()

    def tell_listing_error(self, error: Exception) -> None:
        """Say that the runs could not be looked for: nothing is started without a person who knows that."""
        self._listing -= 1
        self._hurried = self._queues = False
        super().tell_listing_error(error)

    def start_run(self) -> None:
        """Start what is set. A click that comes before the pretraining is listed waits for it, and does not start
        from scratch in silence."""
        self._hurried = bool(self._listing)
        run = self.own.run() if self.own is not None else None
        if run is not None and any(str(run) == one.config.get("out") for one in self.workspace.queue.runs):
            self.wrong.say(
                self.tr("What it starts from still waits in the queue. Add this one to the queue behind it.")
            )
        elif not self._hurried:
            super().start_run()

    def show_runs(self, runs: list[Any]) -> None:
        """Earlier fine-tunings to the list, pretrainings with weights to what can be started from."""
        super().show_runs(runs)
        self._pretrainings = [run for run in runs if run.job == "pretrain"]
        self._show_sources()
        self._listing -= 1
        if self._queues and not self._listing:
            self.add_to_queue()
        if self._hurried and not self._listing:
            self.start_run()
        elif self._again and not self._listing:
            self.learn_again()

    def _show_sources(self) -> None:
        """What there is to start from, and what will be there when what waits has run."""
        waiting = [(str(run.config.get("out", "")), formatting.render(run.title))
                   for run in self.workspace.queue.runs if run.job == "pretrain"]  # fmt: skip
        if self.own is not None:
            self.own.show_sources(self._pretrainings, self.workspace.pretrained, waiting)

    def add_to_queue(self) -> None:
        """A click that comes before the runs are listed waits for that: nothing is queued from scratch in silence."""
        self._queues = bool(self._listing)
        if not self._queues:
            super().add_to_queue()

    def config(self) -> Any:
        """The engine's FinetuneConfig as it is set. Raises ConfigError."""
        from sslstudio.engine.training.config import FinetuneConfig

        if self.workspace.taking_labels:
            raise ConfigError(self.tr("The labels are being read just now. Try again in a moment."))
        if self._without_labels:
            raise ConfigError(
                self.tr(
                    "There is nothing to learn yet. Label pictures of two classes, or choose a CSV file with labels."
                )
            )
        assert self.settings is not None
        assert self.own is not None
        settings, values = self.settings, self.own.values()
        return FinetuneConfig(
            out=str(self.workspace.new_run(values["kind"])), seed=settings.seed(), data=self.workspace.data_config(),
            encoder=settings.encoder_config(), optimiser=settings.optimiser_config(),
            budget=settings.budget.budget(), hardware=settings.hardware_config(), **values,
        )  # fmt: skip

    def _match_source(self) -> None:
        """A network that is there is taken as it is, and how its pictures were set apart is said where that differs."""
        if self.own is None or self.settings is None:
            return
        run = self.own.run()
        self.settings.forms["stem"].setVisible(run is None)
        self.settings.keep_encoder(self.own.start_from() == GENERAL)
        differing = self._split_of_source(run)
        form = self.settings.forms["data"]
        self.apart.say([formatting.render(form.editor(name).field.about.title) for name in differing])

    def _split_of_source(self, run: Path | None) -> dict[str, Any]:
        with suppress(StudioError, OSError):  # it has gone, or a value is on the way to another: said at the start
            return run_operations.find_split_of_source(run, self.workspace.data_config()) if run is not None else {}
        return {}

    def _as_the_source(self) -> None:
        """Set the pictures apart as the pretraining did. That can be undone."""
        if self.own is not None:
            self.split.set(self._split_of_source(self.own.run()))

    def expect(self, config: dict[str, Any]) -> None:
        """How many trainings share the bar."""
        self.view.parts = 2 if config.get("twin") and config.get("source") != SCRATCH else 1
