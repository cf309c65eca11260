"""A pretraining by several processes, as torchrun starts them: rank 0 decides, the others follow.

Rank 0 runs `pretrain` itself: it reads, decides, writes the run folder and speaks. The others get settings, split,
weights and each step's word from it, and hand over their part of each gradient. They never touch the run folder, so
only the pictures have to be within everyone's reach.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute import process_group
from sslstudio.engine.compute.process_group import ProcessGroup, RankInfo
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.core.events import Event, Note, to_json
from sslstudio.engine.core.messages import Message, plain
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.pretraining.data_parallel import take_start
from sslstudio.engine.pretraining.run import choose_device, make_training, pretrain, resume_pretrain
from sslstudio.engine.runs.run_folder import CONFIG, EVENTS, RunFolder
from sslstudio.engine.runs.writer_lock import wait_until_free
from sslstudio.engine.training.config import PretrainConfig, pretrain_from_dict
from sslstudio.engine.training.session import open_session


def pretrain_together(config: PretrainConfig, control: RunControl, where: RankInfo) -> Iterator[Event]:
    """Run the part of this rank in a pretraining. Events come from rank 0 alone.

    After a restart of all processes by torchrun rank 0 goes on with the run folder that the start before has left.
    """
    with _noting(Path(config.out), where), process_group.join_group(where, devices.backend()) as group:
        _hear(group, Path(config.out))
        if not group.is_rank_0:
            _follow(group, control)
        elif where.restarts and (Path(config.out) / CONFIG).is_file():
            wait_until_free(Path(config.out), control)  # rank 0 may have been on another machine
            yield from _run_rank_0(group, _resume(Path(config.out), control, group))
        else:
            yield from _run_rank_0(group, pretrain(config, control, group))


def resume_together(path: Path, control: RunControl, where: RankInfo) -> Iterator[Event]:
    """Run the part of this rank in the rest of a pretraining."""
    with _noting(path, where), process_group.join_group(where, devices.backend()) as group:
        _hear(group, path)
        if group.is_rank_0:
            yield from _run_rank_0(group, _resume(path, control, group))
        else:
            _follow(group, control)


def _resume(path: Path, control: RunControl, group: ProcessGroup) -> Iterator[Event]:
    run = RunFolder.open_unfinished(path)
    if run.job != "pretrain":
        raise DataError("{path} is no pretraining: only a pretraining can be shared by several processes.", path=path)
    yield from resume_pretrain(run, pretrain_from_dict({**run.config(), "out": str(path)}), control, group)


def _run_rank_0(group: ProcessGroup, events: Iterator[Event]) -> Iterator[Event]:
    """Pass these events on. If they end before the others were told what to do, tell them that there is nothing."""
    try:
        yield from events
    except StudioError:
        if not group.began:
            group.broadcast_object(None)
            group.sound = True
        raise


@contextmanager
def _noting(run: Path, where: RankInfo) -> Iterator[None]:
    """Leave in the run why it could not go on: who looks at it later has not seen what was printed."""
    try:
        yield
    except Exception as error:
        if where.rank == 0:
            note_end(
                run, error.message if isinstance(error, StudioError) else plain(f"{type(error).__name__}: {error}")
            )
        raise


def _hear(group: ProcessGroup, run: Path) -> None:
    if group.is_rank_0 and group.watch is not None:
        group.watch.on_loss = lambda text: note_end(run, text)


def note_end(run: Path, text: Message) -> None:
    """Add to the events of a run, if it was begun, why it ended before its time."""
    if (run / CONFIG).is_file():
        with suppress(OSError), (run / EVENTS).open("a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(to_json(Note(level="warning", text=text)) + "\n")


def _follow(group: ProcessGroup, control: RunControl) -> None:
    told = group.broadcast_object(None)
    if told is None:
        return
    config = pretrain_from_dict(told["config"])
    device = choose_device(config, group)
    opening = open_session(config.data, device, control, set_apart=lambda *_: Split.from_json(told["split"]))
    while True:
        try:
            next(opening)
        except StopIteration as end:
            session = end.value
            break
    if not set(session.split.train) <= set(session.cache.index.paths):
        raise ConfigError(
            "Pictures that the run needs are missing from {folder} on the machine of process {rank}. "
            "Every machine must see the same pictures under the same path.",
            folder=config.data.folder,
            rank=group.rank + 1,
        )
    _, training = make_training(config, session, device, RunFolder(Path(config.out)), group)
    group.divide_batch(training.job.batch_size)
    take_start(group, training)
    training.follow()
