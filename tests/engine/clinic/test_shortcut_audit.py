"""The shortcut audit catches what trained networks really rely on: a stamp in a corner, the edges of tiles."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from sslstudio.engine.clinic import alterations as alter
from sslstudio.engine.clinic.puzzle_scores import Audited, Questions
from sslstudio.engine.clinic.run import AuditDone, audit
from sslstudio.engine.clinic.shortcut_audit import Check, TaskAudit, audit_task
from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.seeding import seed_init
from sslstudio.engine.core.config import BaseConfig
from sslstudio.engine.core.control import RunControl
from sslstudio.engine.core.errors import DataError, RunError
from sslstudio.engine.core.events import Preparing
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.pretraining.run import pretrain
from sslstudio.engine.tasks.base import load_tasks
from sslstudio.engine.tasks.remedies import Fault
from sslstudio.engine.training.config import BudgetConfig, DataConfig, HardwareConfig, OptimiserConfig, PretrainConfig
from tests.support.planted import stamped, textures

SMALL = 36  # pixels


def seamed(images: Tensor) -> Tensor:
    """A bright line on each side of every cell of a 3 x 3 grid, in a colour of its own: only edges tell the place."""
    result, cell = images.clone(), images.shape[-1] // 3
    rng = torch.Generator().manual_seed(5)
    for row in range(3):
        for column in range(3):
            shade = torch.randint(0, 256, (3, 1), generator=rng).to(torch.uint8)
            top, left = row * cell, column * cell
            result[:, :, top, left : left + cell] = result[:, :, top + cell - 1, left : left + cell] = shade
            result[:, :, top : top + cell, left] = result[:, :, top : top + cell, left + cell - 1] = shade
    return result


def trained(pictures: Tensor, folder: Path, task: str, steps: int, **options: float | bool) -> Path:
    """A real run of some tens of steps."""
    (folder / "set").mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / "set" / f"{number:04}.png")
    config = PretrainConfig(
        out=str(folder / "run"),
        task=task,
        data=DataConfig(folder=str(folder / "set"), side=SMALL, validation=0.3, test=0.05),
        encoder=EncoderConfig(name="small", stem="small"),
        optimiser=OptimiserConfig(batch_size=16, learning_rate=3e-3, warmup_steps=5),
        budget=BudgetConfig(steps=steps),
        hardware=HardwareConfig(device="cpu"),
        options=load_tasks()[task].Config(**options),
    )
    for _ in pretrain(config, RunControl()):
        pass
    return folder / "run"


def audit_of(run: Path) -> AuditDone:
    done: list[AuditDone] = []

    def passing() -> Iterator[Preparing]:
        done.append((yield from audit(run, "cpu", RunControl())))

    assert [event.stage for event in passing()][-1].startswith("Asking altered puzzles")
    return done[0]


@pytest.fixture(scope="module")
def stamp_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rotation on textures that have no up and down but a stamp, with the defence against it off."""
    folder = tmp_path_factory.mktemp("stamp")
    options = {"round": False, "min_crop_side": 1.0, "size": 0.7, "mirror": False}
    return trained(stamped(textures(140, SMALL), height=3), folder, "rotation", 40, **options)


@pytest.fixture(scope="module")
def stamp_audit(stamp_run: Path) -> AuditDone:
    """What the audit says about it."""
    return audit_of(stamp_run)


@pytest.fixture(scope="module")
def edge_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Jigsaw with tiles that touch each other, on textures whose tiles differ at their edges alone."""
    options = {"gap": 0.0, "jitter": 0.0, "turn": 0.0, "min_crop_side": 1.0, "normalise": False, "grey": 0.0,
               "chroma_shift": 0.0, "permutations": 8, "initial_permutations": 8}  # fmt: skip
    return trained(seamed(textures(140, SMALL)), tmp_path_factory.mktemp("edges"), "jigsaw", 60, **options)


def by_name(part: TaskAudit) -> dict[str, Check]:
    return {check.name: check for check in part.checks}


def test_a_stamp_in_a_corner_is_what_rotation_relies_on(stamp_audit: AuditDone) -> None:
    (part,) = stamp_audit.parts
    checks = by_name(part)
    assert part.base[0] > 0.8
    for name in ("frame", "corner"):
        assert checks[name].passed is False
        assert checks[name].value < part.base[0] - 0.3
        assert checks[name].change == "rotation.round=true"
        assert checks[name].verdict in part.verdict
    assert "bottom left" in checks["corner"].title
    assert "crop" in checks["frame"].verdict
    assert checks["grey"].passed is True
    assert {"tiles", "gap"} == set(part.left_out)
    for check in part.checks:
        assert check.low <= check.value <= check.high
        assert check.n == part.n == 40
        assert check.chance == 0.25


def test_the_audit_is_kept_in_the_run_folder(stamp_run: Path, stamp_audit: AuditDone) -> None:
    kept = json.loads((stamp_run / "audit.json").read_text())
    assert kept == json.loads(json.dumps(stamp_audit.to_json()))
    assert kept["parts"][0]["checks"][0]["name"] == stamp_audit.parts[0].checks[0].name


def test_tiles_without_a_gap_are_matched_by_their_edges(edge_run: Path) -> None:
    (part,) = audit_of(edge_run).parts
    checks = by_name(part)
    assert part.base[0] > 0.7
    for name in ("rims", "large_gap"):
        assert checks[name].passed is False
        assert checks[name].value < part.base[0] - 0.3
        assert checks[name].change == "jigsaw.gap=0.1"
        assert "edges" in checks[name].verdict
    assert "no_gap" not in checks  # there was none
    assert "covered" not in part.left_out


def test_an_audit_asks_the_same_twice(stamp_run: Path, stamp_audit: AuditDone) -> None:
    assert audit_of(stamp_run) == stamp_audit


def network(task: str, **options: float | bool) -> Audited:
    """A task with random weights."""
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=SMALL), 0)
    config: BaseConfig = load_tasks()[task].Config(**options)
    with seed_init(0, "task"):
        built = load_tasks()[task](config, encoder.spec)
    built.prepare(textures(16, SMALL))
    built.attach(encoder)
    return Audited(task, config, built.eval(), encoder.eval())


@pytest.mark.parametrize("task", load_tasks().names())
def test_every_task_can_be_audited_or_says_why_not(task: str) -> None:
    """Untrained, no task relies on anything."""
    parts = network(task)
    items = list(audit_task(parts, textures(8, SMALL), devices.choose("cpu")))
    last = items[-1]
    assert isinstance(last, TaskAudit)
    assert last.task == task
    assert last.verdict.endswith(".")
    assert all(isinstance(item, Check) for item in items[:-1])
    assert items[:-1] == list(last.checks)
    if not last.metric:
        assert not parts.task.chance()
    json.dumps(last.to_json())


@pytest.mark.parametrize("task", ["jigsaw", "rotation", "context_prediction"])
def test_nothing_is_said_about_a_network_that_guesses(task: str) -> None:
    (only,) = audit_task(network(task), textures(16, SMALL), devices.choose("cpu"))
    assert isinstance(only, TaskAudit)
    assert only.verdict.startswith("Nothing to audit")
    assert not only.checks


def test_puzzles_of_altered_pictures_are_the_same_puzzles() -> None:
    questions = Questions(network("jigsaw"), textures(8, SMALL), devices.choose("cpu"), 0)
    plain = questions.batch(1, 0, alter.Alteration("none"))
    changed = questions.batch(1, 0, alter.FRAME_COVERED)
    assert torch.equal(plain.targets["permutation"], changed.targets["permutation"])
    assert torch.equal(plain.targets["boxes"], changed.targets["boxes"])
    assert not torch.equal(plain.inputs["tiles"], changed.inputs["tiles"])
    other = questions.batch(1, 1, alter.Alteration("none"))
    assert not torch.equal(plain.targets["boxes"], other.targets["boxes"])


def test_another_gap_keeps_the_weights() -> None:
    jigsaw = network("jigsaw")
    other = jigsaw.with_gap(0.4)
    assert other is not None
    assert vars(other)["config"].gap == 0.4
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in jigsaw.task.state_dict().items())
    context = network("context_prediction").with_gap(0.0)  # jitter has to go too
    assert context is not None
    assert vars(context)["config"].jitter == 0.0
    assert network("rotation").with_gap(0.1) is None


@pytest.mark.parametrize(
    ("task", "options", "fault", "change"),
    [
        ("rotation", {"round": False}, Fault.RELIES_ON_FRAME, "rotation.round=true"),
        ("rotation", {"round": True}, Fault.RELIES_ON_FRAME, "rotation.min_crop_side=0.5"),
        ("rotation", {"round": True, "min_crop_side": 0.4}, Fault.RELIES_ON_FRAME, ""),
        ("jigsaw", {}, Fault.RELIES_ON_FRAME, "jigsaw.min_crop_side=0.5"),
        ("jigsaw", {"gap": 0.0}, Fault.RELIES_ON_EDGES, "jigsaw.gap=0.1"),
        ("jigsaw", {"gap": 0.2}, Fault.RELIES_ON_EDGES, "jigsaw.gap=0.25"),
        ("jigsaw", {"gap": 0.25, "jitter": 0.5}, Fault.RELIES_ON_EDGES, ""),  # more does not fit beside the jitter
    ],
)
def test_the_change_is_one_that_is_not_made_yet(
    task: str, options: dict[str, float | bool], fault: Fault, change: str
) -> None:
    assert network(task, **options).remedy(fault) == change


def test_parts_of_several_tasks_have_no_options_to_set() -> None:
    one = network("rotation", round=False)
    assert Audited(one.name, one.options, one.task, one.encoder, settable=False).remedy(Fault.RELIES_ON_FRAME) == ""


ONES = [alter.GREY, alter.FRAME_COVERED, alter.CENTRE_COVERED, alter.MIRRORED, alter.SHIFTED, *alter.CORNERS_COVERED]


@pytest.mark.parametrize("alteration", ONES, ids=lambda one: one.name)
def test_altered_pictures_are_pictures(alteration: alter.Alteration) -> None:
    images = textures(3)
    before = images.clone()
    changed = alteration.pictures(images)
    assert changed.dtype == torch.uint8
    assert changed.shape == images.shape
    assert torch.equal(images, before)
    assert not torch.equal(changed, images)


def changed_places(alteration: alter.Alteration, images: Tensor) -> Tensor:
    return (alteration.pictures(images) != images).any(dim=1).any(dim=0)


def test_the_frame_is_a_tenth_wide_and_its_counterpart_as_large() -> None:
    images = textures(40, 100)
    frame, centre = (changed_places(one, images) for one in (alter.FRAME_COVERED, alter.CENTRE_COVERED))
    assert bool(frame[:10].all())
    assert not bool(frame[10:90, 10:90].any())
    assert int(frame.sum()) == 3600
    assert int(centre.sum()) == pytest.approx(3600, rel=0.03)
    covered = alter.FRAME_COVERED.pictures(images)[:, :, 0, 0].float()
    torch.testing.assert_close(covered, images.float().mean(dim=(2, 3)), atol=0.5, rtol=0)


def test_corners_are_where_their_names_say() -> None:
    images = textures(40, 100)
    found = {one.name: changed_places(one, images) for one in alter.CORNERS_COVERED}
    assert bool(found["corner, top right"][:30, 70:].all())
    assert bool(found["corner, bottom left"][70:, :30].all())
    assert {int(places.sum()) for places in found.values()} == {900}


def test_pictures_without_colour_have_one_shade_a_pixel() -> None:
    grey = alter.GREY.pictures(textures(3))
    assert torch.equal(grey[:, 0], grey[:, 1])
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_shifted_pictures_keep_their_content() -> None:
    images = textures(2, 100)
    moved = alter.SHIFTED.pictures(images)
    assert torch.equal(moved[:, :, 6:, 6:], images[:, :, :-6, :-6])


@pytest.mark.parametrize("change", [alter.MEAN_COLOUR.tiles, alter.RIMS.tiles])
def test_altered_tiles_keep_their_shape(change: Callable[[Tensor], Tensor]) -> None:
    tiles = torch.rand(2, 9, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert change(tiles).shape == tiles.shape
    torch.testing.assert_close(alter.MEAN_COLOUR.tiles(tiles).amax((-2, -1)), tiles.mean((-2, -1)))
    inner = slice(2, -2)
    assert torch.equal(alter.RIMS.tiles(tiles)[..., inner, inner], tiles[..., inner, inner])
    assert torch.equal(alter.RIMS.tiles(tiles)[..., 0, inner], tiles[..., 2, inner])


def test_what_is_no_pretraining_run_is_refused(tmp_path: Path, stamp_run: Path) -> None:
    with pytest.raises(DataError, match="is not a run"):
        next(audit(tmp_path, "cpu", RunControl()))
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "config.toml").write_text((stamp_run / "config.toml").read_text())
    (copy / "split.json").write_text((stamp_run / "split.json").read_text())
    with pytest.raises(DataError, match="no weights yet"):
        list(audit(copy, "cpu", RunControl()))
    (copy / "config.toml").write_text('job = "finetune"\n')
    with pytest.raises(DataError, match="fine-tuning run"):
        next(audit(copy, "cpu", RunControl()))


def test_the_audit_can_be_stopped(stamp_run: Path) -> None:
    control = RunControl()
    events = audit(stamp_run, "cpu", control)
    for event in events:
        if event.stage.startswith("Asking"):
            control.stop()
            break
    with pytest.raises(RunError, match="Stopped while asking altered puzzles"):
        list(events)
