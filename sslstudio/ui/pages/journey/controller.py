"""Leads from a goal to a result: looks, measures, plans, pretrains, fine-tunes, by the runner that all pages share."""

from collections import Counter
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from sslstudio.engine.core.events import Event, Preparing, RunFinished, RunStarted, StepDone
from sslstudio.engine.core.messages import NOTHING, Message
from sslstudio.ui.background import jobs
from sslstudio.ui.background.progress import Progress
from sslstudio.ui.base import app_settings
from sslstudio.ui.operations import journey as journey_operations
from sslstudio.ui.operations import pictures as picture_operations
from sslstudio.ui.operations.journey import Survey
from sslstudio.ui.widgets import dialogs
from sslstudio.ui.workspace.clinic import clinic_of
from sslstudio.ui.workspace.workspace import Change, Workspace

if TYPE_CHECKING:  # these modules import torch
    from sslstudio.engine.clinic.journey import Goal, Journey, JourneyFacts
    from sslstudio.engine.evaluate.plain_verdict import PlainVerdict
    from sslstudio.engine.finetuning.use.similarity import LookAlike
    from sslstudio.engine.launch.launcher import start_run
else:
    start_run = jobs.late("sslstudio.engine.launch.launcher", "start_run")

PAGE = "journey"  # under which a project keeps the goal
BATCH = 16  # of a fine-tuning: labels are few


class Stage(Enum):
    """Where the journey is."""

    IDLE = auto()
    LOOKING = auto()  # the clinic
    MEASURING = auto()
    LEARNING = auto()  # without labels
    LABELS = auto()  # a person is to label
    TUNING = auto()  # from labels
    MAPPING = auto()
    DONE = auto()


BUSY = (Stage.LOOKING, Stage.MEASURING, Stage.LEARNING, Stage.TUNING, Stage.MAPPING)


class JourneyController(QObject):
    """`changed` after every change of what is to be shown: `stage`, `plan`, how far it is, the result."""

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._workspace, self._runner = workspace, workspace.runner
        self.clinic = clinic_of(workspace)
        self.minutes: float | None = None  # that a person gives to it
        self.stage = Stage.IDLE
        self.plan: Journey | None = None
        self.error = ""
        self.detail = ""  # of the stage: what is read, how far
        self.far: tuple[int, int] = (0, 0)  # done, of how many; 0 where it is not known
        self.seconds = 0.0  # that the training goes on
        self.seconds_left = float("nan")
        self.stopped = False  # by a person, before its end
        self.verdict: PlainVerdict | None = None
        self.alike: LookAlike | None = None
        self._chosen: Goal | None = None  # before there are pictures
        self._progress = Progress()
        self._root: Path | None = workspace.folder
        self._pretrained: Path | None = None
        self._run: Path | None = None
        self._outcome = ""
        self._ours = ""  # the job of ours that goes on
        self._go_on = False  # a person has had enough of the learning and wants the next step
        self._job: jobs.Job | None = None
        self._next = QTimer(self, interval=0, singleShot=True)  # once every page has heard that the run has ended
        self._next.timeout.connect(self._walk)
        self._listen()

    def _listen(self) -> None:
        workspace, runner = self._workspace, self._runner
        workspace.call_on(Change.PICTURES, self._take_pictures)
        workspace.call_on(Change.ENGINE, self._take_engine)
        workspace.call_on(Change.RESULT, self._read_result)
        self.clinic.changed.connect(self._hear_clinic)
        self.clinic.progressed.connect(self._show_progress)
        runner.events.connect(self._follow)
        runner.failed.connect(self._fail)
        runner.ended.connect(self._end)

    # --- the goal

    @property
    def goal(self) -> "Goal | None":
        """What is wanted of the open pictures."""
        if self._workspace.recognised is None:
            return self._chosen
        kept = self._workspace.choices.get(PAGE, {}).get("goal")
        return kept if kept in ("classes", "masks", "explore") else None

    def choose(self, goal: "Goal | None") -> None:
        """Say what is wanted; None to be asked again."""
        if goal != self.goal:
            self.plan = None  # and what it says of time: it was made for something else
        self._chosen = goal
        if self._workspace.recognised is not None:
            self._workspace.keep_choices(PAGE, {"goal": goal} if goal else {})
        if self.stage in (Stage.DONE, Stage.LABELS):
            self._rest(Stage.IDLE)
        self._read_result()
        self.changed.emit()

    def _take_pictures(self) -> None:
        """Other pictures, or other labels for the same."""
        if self._chosen is not None and self.goal is None:
            self._workspace.keep_choices(PAGE, {"goal": self._chosen})
        root = self._workspace.folder
        if root != self._root:
            self._root, self._pretrained, self.plan, self.verdict, self.alike = root, None, None, None, None
            self.error, self.stopped = "", False
            self._rest(Stage.IDLE)
            self._read_result()
        elif self.stage is Stage.LABELS and not self.labels_needed():
            self._rest(Stage.IDLE)
        self.changed.emit()

    # --- facts

    @property
    def pictures(self) -> int:
        """How many pictures are open."""
        return len(self._workspace.recognised.pictures) if self._workspace.recognised is not None else 0

    def labels(self) -> dict[str, int]:
        """How many pictures are labelled, by class; painted ones under one name."""
        recognised = self._workspace.recognised
        if recognised is None:
            return {}
        if self.goal == "masks":
            return {"": len(recognised.masks.of)} if recognised.masks else {}
        if recognised.classes is None:
            return {}
        return dict(Counter(recognised.classes.names[number] for number in recognised.classes.of.values()))

    @property
    def all_labelled(self) -> bool:
        """Whether there is no picture left that could be labelled."""
        recognised = self._workspace.recognised
        return recognised is not None and sum(self.labels().values()) >= len(recognised.pictures)

    def _facts(self) -> "JourneyFacts":
        from sslstudio.engine.clinic.journey import JourneyFacts
        from sslstudio.engine.training.time_estimate import training_pictures

        workspace, found = self._workspace, self.clinic.found
        assert workspace.recognised is not None
        assert workspace.engine is not None
        assert self.goal is not None
        tasks = tuple(workspace.engine.tasks)
        start = next((one for one in found.clinic.findings if one.name == "start"), None) if found else None
        return JourneyFacts(
            goal=self.goal,
            pictures=training_pictures(len(workspace.recognised.pictures), workspace.data_config()),
            tasks=tasks,
            grey=start.share if start is not None else None,
            suits={task: found.clinic.suits(task).word for task in tasks} if found is not None else {},
            labels=self.labels(),
            pretrained=self._pretrained is not None,
        )

    def labels_needed(self) -> Message:
        """What a person has to label; NOTHING where there is enough or it cannot be known yet."""
        from sslstudio.engine.clinic.journey import labels_needed

        ready = self._workspace.engine is not None and self._workspace.recognised is not None and self.goal is not None
        return labels_needed(self._facts()) if ready else NOTHING

    # --- the way

    def learn(self) -> None:
        """Do what there is to do next, as far as it goes without a person."""
        if self.stage in BUSY or self.goal is None or self._workspace.recognised is None or self._runner.active:
            return
        self.error, self.stopped, self.plan, self.verdict, self.alike = "", False, None, None, None
        self._enter(Stage.LOOKING)
        self._look()

    def _look(self) -> None:
        if self._workspace.engine is None:  # it comes, or its error is told
            return
        if self.clinic.found is None and not self.clinic.under_way:
            self.clinic.ask()
        elif self.clinic.found is not None:
            self._measure()

    def _take_engine(self) -> None:
        if self.stage is Stage.LOOKING:
            if self._workspace.engine is None:
                self._rest(Stage.IDLE)
            else:
                self._look()
        self.changed.emit()

    def _hear_clinic(self) -> None:
        if self.stage is Stage.LOOKING and not self.clinic.under_way and self._workspace.engine is not None:
            self._measure()  # also where it could not look: then the plan goes without

    def _measure(self) -> None:
        from sslstudio.engine.clinic.journey import plan_journey

        self._enter(Stage.MEASURING)
        self._keep_together()
        self._workspace.stop_reading()  # it would be measured too
        draft = plan_journey(self._facts(), None, self.minutes)
        config = self._pretrain_config(draft)
        op = partial(journey_operations.survey, config, self._workspace.all_runs, draft.pretrains)
        self._job = jobs.run(op, self._plan, self._give_up, owner=self, progress=self._show_progress)

    def _keep_together(self) -> None:
        """Take over the rule by which the clinic would keep near copies on one side of the split."""
        found, values = self.clinic.found, self._workspace.data_values
        changes = [change for one in found.clinic.findings for change in one.changes] if found is not None else []
        rules = [change.partition("=")[2] for change in changes if change.startswith("data.groups=")]
        if rules and not values.get("groups"):
            self._workspace.set_data({**values, "groups": rules[0]})

    def _plan(self, found: Survey) -> None:
        from sslstudio.engine.clinic.journey import plan_journey

        self._job, self._pretrained = None, found.pretrained
        self.plan = plan_journey(self._facts(), found.speed, self.minutes)
        self._walk()

    def _walk(self) -> None:
        """The next step of the plan."""
        if self.plan is None or self._runner.active:  # then once that has ended
            return
        if self.plan.pretrains and self._pretrained is None:
            self._begin(Stage.LEARNING, "pretrain", self._pretrain_config(self.plan))
        elif self.plan.goal == "explore":
            self._map()
        elif self.labels_needed():
            self._rest(Stage.LABELS)
        else:
            self._begin(Stage.TUNING, "finetune", self._finetune_config(self.plan))

    def _begin(self, stage: Stage, job: str, config: Any) -> None:
        self._ours, self._run, self._outcome, self._go_on = job, None, "", False
        self.seconds, self.seconds_left = 0.0, float("nan")
        self._enter(stage)
        self._runner.start(job, partial(start_run, config, apart=app_settings.apart()))

    def _map(self) -> None:
        recognised = self._workspace.recognised
        assert recognised is not None
        self._enter(Stage.MAPPING)
        op = partial(picture_operations.compare_pictures, recognised.pictures, self._pretrained, ())
        self._job = jobs.run(op, self._show_map, self._give_up, owner=self, progress=self._show_progress)

    def _show_map(self, alike: "LookAlike") -> None:
        self._job, self.alike = None, alike
        self._rest(Stage.DONE)

    def stop(self) -> None:
        """Stop what goes on; what was learnt is kept."""
        self._go_on = False
        self._stop()

    def go_on(self) -> None:
        """End the learning without labels here, and take the next step with what it has learnt."""
        self._go_on = True
        self._stop()

    def _stop(self) -> None:
        if self._ours and self._runner.active:
            self._runner.stop()
        elif self.stage in BUSY:
            if self._job is not None:
                self._job.cancel()
                self._job = None
            self.stopped = True
            self._rest(Stage.IDLE)
        self.changed.emit()

    # --- configs

    def _pretrain_config(self, plan: "Journey") -> Any:
        from sslstudio.engine.models.encoders import EncoderConfig
        from sslstudio.engine.training.config import BudgetConfig, PretrainConfig

        workspace = self._workspace
        task = plan.task or workspace.task
        config = PretrainConfig(
            out=str(workspace.new_run(task)), task=task, data=workspace.data_config(),
            encoder=EncoderConfig(weights=plan.weights), budget=BudgetConfig(minutes=plan.minutes or None),
            hardware=_hardware(), options=workspace.options[task],
        )  # fmt: skip
        return self._as_the_clinic_says(config)

    def _as_the_clinic_says(self, config: Any) -> Any:
        """With the options of the task that answer what was found in the pictures."""
        from sslstudio.engine.core.config import with_settings

        if self.clinic.found is None:
            return config
        found = self.clinic.found.clinic.concerning(config.task)
        changes = [change for one in found for change in one.changes if change.startswith(f"{config.task}.")]
        return with_settings(config, changes, config.task) if changes else config

    def _finetune_config(self, plan: "Journey") -> Any:
        from sslstudio.engine.training.config import BudgetConfig, FinetuneConfig, OptimiserConfig

        workspace = self._workspace
        return FinetuneConfig(
            out=str(workspace.new_run(plan.kind)), kind=plan.kind,
            source=str(self._pretrained) if self._pretrained is not None else "general",
            data=workspace.data_config(), budget=BudgetConfig(minutes=plan.finetune_minutes),
            optimiser=OptimiserConfig(batch_size=BATCH), hardware=_hardware(),
        )  # fmt: skip

    # --- what goes on

    def _follow(self, job: str, events: list[Event]) -> None:
        if job != self._ours or self.stage not in BUSY:
            return
        for event in events:
            if isinstance(event, Preparing):
                self._show_progress(event, quietly=True)
            elif isinstance(event, RunStarted) and self._run is None:
                self._run, self.detail = Path(event.run), ""
            elif isinstance(event, StepDone):
                self.far, self.detail = (event.step, event.total_steps), ""
                self.seconds_left = event.seconds_left
            elif isinstance(event, RunFinished):
                self._outcome = event.outcome
        self.changed.emit()

    def _show_progress(self, said: Preparing, *, quietly: bool = False) -> None:
        if self.stage in BUSY:
            self.detail, self.far = self._progress.describe(said), (said.done, said.total)
            if not quietly:
                self.changed.emit()

    def _fail(self, job: str, error: Exception) -> None:
        if job == self._ours:
            self.error = dialogs.error_text(error)

    def _end(self, job: str) -> None:
        if job != self._ours:
            if self.stage in BUSY and self._job is None:
                self._next.start()
            return
        self._ours = ""
        if self._run is None or self._outcome not in ("finished", "stopped"):
            self._rest(Stage.IDLE)
            return
        self._workspace.take_outcome(job, self._run, self._outcome)
        early = self._outcome == "stopped"
        if job == "pretrain":
            self._pretrained = self._run
        if early and not self._go_on:
            self.stopped = True
            self._rest(Stage.IDLE)
        elif job == "pretrain":
            self._next.start()

    def _give_up(self, error: Exception) -> None:
        self._job, self.error = None, dialogs.error_text(error)
        self._rest(Stage.IDLE)

    # --- the result

    def _read_result(self) -> None:
        """Another fine-tuning is looked at: say in plain words what became of it."""
        run, goal = self._workspace.result, self.goal
        if run is not None and goal in ("classes", "masks"):
            op = partial(journey_operations.read_verdict, run)
            jobs.run(op, partial(self._take_verdict, run), self._give_up, owner=self)

    def _take_verdict(self, run: Path, verdict: "PlainVerdict | None") -> None:
        busy = self.stage in BUSY and self.stage is not Stage.TUNING
        if run == self._workspace.result and verdict is not None and not busy:
            self.verdict = verdict
            self._rest(Stage.DONE)

    def _enter(self, stage: Stage) -> None:
        self.stage, self.detail, self.far = stage, "", (0, 0)
        self._progress.forget()
        self.changed.emit()

    def _rest(self, stage: Stage) -> None:
        self._enter(stage)


def _hardware() -> Any:
    from sslstudio.engine.training.config import HardwareConfig

    device = app_settings.device()
    return HardwareConfig(device="auto" if device == "together" else device)
