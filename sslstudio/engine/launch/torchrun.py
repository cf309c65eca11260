"""A pretraining by several processes, as torchrun starts them: the first one leads, the others follow.

The leader is `pretrain` itself: it reads, decides, writes the run folder and speaks. The others get settings, split,
weights and each step's word from it, and hand over their part of each gradient. They never touch the run folder, so
only the pictures have to be within everyone's reach.
"""

from collections.abc import Iterator
from pathlib import Path

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute import process_group
from sslstudio.engine.compute.process_group import Place, Team
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.core.events import Event
from sslstudio.engine.pretraining.data_parallel import take_start
from sslstudio.engine.pretraining.run import chosen_device, made_ready, pretrain, resume_pretrain
from sslstudio.engine.runs.run_folder import CONFIG, RunFolder
from sslstudio.engine.runs.writer_lock import wait_until_free
from sslstudio.engine.training.config import PretrainConfig, pretrain_from_dict
from sslstudio.engine.training.session import open_session


def pretrain_together(config: PretrainConfig, control: RunControl, where: Place) -> Iterator[Event]:
    """This process's part of a pretraining. Events come from the leader alone.

    After a restart of all processes by torchrun the leader goes on with the run folder that the start before has left.
    """
    with process_group.joined(where, devices.backend()) as team:
        if not team.leads:
            _follow(team, control)
        elif where.restarts and (Path(config.out) / CONFIG).is_file():
            wait_until_free(Path(config.out), control)  # the leader may have been on another machine
            yield from _leading(team, _resumed(Path(config.out), control, team))
        else:
            yield from _leading(team, pretrain(config, control, team))


def resume_together(path: Path, control: RunControl, where: Place) -> Iterator[Event]:
    """This process's part of the rest of a pretraining."""
    with process_group.joined(where, devices.backend()) as team:
        if team.leads:
            yield from _leading(team, _resumed(path, control, team))
        else:
            _follow(team, control)


def _resumed(path: Path, control: RunControl, team: Team) -> Iterator[Event]:
    run = RunFolder.open_unfinished(path)
    if run.job != "pretrain":
        raise DataError("{path} is no pretraining: only a pretraining can be shared by several processes.", path=path)
    yield from resume_pretrain(run, pretrain_from_dict({**run.config(), "out": str(path)}), control, team)


def _leading(team: Team, events: Iterator[Event]) -> Iterator[Event]:
    """These events. If they end before the others were told what to do, the others are told that there is nothing."""
    try:
        yield from events
    except StudioError:
        if not team.met:
            team.tell(None)
        raise


def _follow(team: Team, control: RunControl) -> None:
    told = team.tell(None)
    if told is None:
        return
    config = pretrain_from_dict(told["config"])
    device = chosen_device(config, team)
    opening = open_session(config.data, device, control, told["split"])
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
            rank=team.rank + 1,
        )
    _, training = made_ready(config, session, device, RunFolder(Path(config.out)), team)
    team.divide(training.job.batch_size)
    take_start(team, training)
    training.follow()
