"""A batch that two processes answer together teaches what it teaches one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from sslstudio.engine.compute.process_group import ProcessGroup, RankInfo
from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.control import to_end
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.index import scan
from sslstudio.engine.pretraining.data_parallel import ShareMaker, own_rows_of
from sslstudio.engine.tasks.base import load_tasks
from tests.engine.compute.test_draws import task_of
from tests.support.process_team import run_team
from tests.support.team_worker import every_task

PICTURES = 7  # not the same number for each


@pytest.fixture(scope="module")
def answers(sample_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Tensor]]:
    """What one process, and each of two, find."""
    folder = tmp_path_factory.mktemp("team")
    cache = to_end(build_cache(scan(sample_folder), 48))
    images = cache.pixels()[:PICTURES].contiguous()
    save_file({"images": images}, folder / "images.safetensors")
    codes = run_team(
        ["-m", "tests.support.team_worker", str(folder / "images.safetensors"), str(folder)], 2, folder / "log"
    )
    said = [Path(f"{folder}/log-{rank}.err").read_text() for rank in (0, 1)]
    assert codes == [0, 0], said
    return [every_task(images, None), *(load_file(folder / f"{rank}.safetensors") for rank in (0, 1))]


def of_task(answers: dict[str, Tensor], task: str, kind: str) -> dict[str, Tensor]:
    return {name: value for name, value in answers.items() if name.startswith(f"{task} {kind}")}


@pytest.mark.parametrize("task", load_tasks().names())
def test_two_processes_find_the_loss_and_gradient_of_one(task: str, answers: list[dict[str, Tensor]]) -> None:
    alone, first, second = answers
    for found in (first, second):
        torch.testing.assert_close(of_task(found, task, "loss"), of_task(alone, task, "loss"), rtol=1e-5, atol=1e-5)
        ours, wanted = of_task(found, task, "grad"), of_task(alone, task, "grad")
        assert ours.keys() == wanted.keys()
        whole = torch.cat([value.flatten() for value in wanted.values()]).norm()
        assert whole > 0
        for name in wanted:
            assert (ours[name] - wanted[name]).norm() < 2e-3 * whole, name


@pytest.mark.parametrize("task", load_tasks().names())
def test_what_a_step_leaves_in_buffers_is_the_same_everywhere(task: str, answers: list[dict[str, Tensor]]) -> None:
    alone, first, second = answers
    ours = of_task(first, task, "buffer")
    assert all(torch.equal(ours[name], second[name]) for name in ours)
    torch.testing.assert_close(ours, of_task(alone, task, "buffer"), rtol=1e-4, atol=1e-5)


def test_accuracy_is_that_of_the_whole_batch(answers: list[dict[str, Tensor]]) -> None:
    alone, first, _ = answers
    for task in ("jigsaw", "simclr", "rotation"):
        name = f"{task} metric accuracy"
        assert float(first[name]) == pytest.approx(float(alone[name]), abs=1e-6)


def test_each_process_asks_its_own_pictures() -> None:
    ranks = [ProcessGroup(RankInfo(rank, 3, rank, 3)) for rank in range(3)]
    for one in ranks:
        one.divide_batch(7)
    assert sum(one.weight for one in ranks) == pytest.approx(1)
    for rows in (torch.arange(7), torch.arange(14), torch.arange(28), torch.arange(5)):
        assert torch.equal(torch.cat([one.own_rows(rows) for one in ranks]), rows)
    doubled = torch.arange(7).repeat_interleave(2)
    parts = [set(one.own_rows(doubled).tolist()) for one in ranks]
    assert sum(len(part) for part in parts) == 7, "rows of a picture stay together"


MIXED = ("rotation", "multitask")  # rows in a drawn order; pictures that go round among tasks


@pytest.mark.parametrize("task", load_tasks().names())
def test_the_share_of_a_rank_is_its_rows_of_the_whole_batch(task: str) -> None:
    images = torch.randint(0, 256, (PICTURES, 3, 48, 48), generator=generator(0), dtype=torch.uint8)
    asked = task_of(task)
    asked.prepare(images)
    for rank in (0, 1):
        group = ProcessGroup(RankInfo(rank, 2, rank, 2))
        maker = ShareMaker(group, asked)
        maker.make(images.flip(0), generator(0, "others"))
        share = maker.make(images, generator(0, "puzzles"))
        assert maker.makes_shares(images)
        if task in MIXED:
            continue
        rows = own_rows_of(group, asked.make_batch(images, generator(0, "puzzles")))
        for ours, theirs in ((share.inputs, rows.inputs), (share.targets, rows.targets)):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the numbers that operations write."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.written = 0

    def __torch_dispatch__(self, func: object, types: object, args: Any = (), kwargs: Any = None) -> object:
        found = func(*args, **(kwargs or {}))  # type: ignore[operator]
        self.written += found.numel() if isinstance(found, Tensor) else 0
        return found


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("task", MIXED)
def test_shares_of_a_mixed_batch_are_together_the_whole(task: str, size: int) -> None:
    """Each question of the whole batch is asked by one rank, and making a share takes a share of the work."""
    images = torch.randint(0, 256, (PICTURES, 3, 48, 48), generator=generator(0), dtype=torch.uint8)
    asked = task_of(task)
    asked.prepare(images)
    shares, rng = [], generator(0, "puzzles")
    with Counting() as whole:
        wanted = asked.make_batch(images, rng)
    for rank in range(size):
        maker = ShareMaker(ProcessGroup(RankInfo(rank, size, rank, size)), asked)
        maker.make(images.flip(0), generator(0, "others"))
        ours = generator(0, "puzzles")
        with Counting() as alone:
            shares.append(maker.make(images, ours))
        assert torch.equal(ours.get_state(), rng.get_state()), "all draw what one process draws"
        assert alone.written < 0.75 * whole.written
    for kind in ("inputs", "targets"):
        for name, rows in getattr(wanted, kind).items():
            joined = torch.cat([getattr(share, kind)[name] for share in shares])
            asks = [torch.tensor(sorted(one.flatten().tolist() for one in part.float())) for part in (joined, rows)]
            torch.testing.assert_close(*asks, rtol=1e-4, atol=1e-4)


def test_a_batch_too_small_for_the_group_is_refused_in_words() -> None:
    with pytest.raises(ConfigError, match="3 pictures cannot be divided among 4 processes"):
        ProcessGroup(RankInfo(0, 4, 0, 4)).divide_batch(3)
