"""Several tasks on one encoder: every part is passed on, the losses are balanced as told, errors name the culprit."""

import math

import pytest
import torch
from torch import Tensor

from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.core.config import Overrides, Value, with_texts
from sslstudio.engine.core.errors import ConfigError, TaskDoesNotFit
from sslstudio.engine.models.encoders import Encoder, EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import TASKS, Batch, PretextTask
from sslstudio.engine.tasks.byol import Byol
from sslstudio.engine.tasks.multitask import Multitask, MultitaskConfig

TWO = MultitaskConfig(tasks=("jigsaw", "vicreg"))


def make(config: MultitaskConfig = TWO) -> tuple[Multitask, Encoder]:
    encoder = build_encoder(EncoderConfig().resolve(accelerated=False, side=96), seed=0)
    with seed_init(0, "task"):
        task = Multitask(config, encoder.spec)
    task.attach(encoder)
    return task, encoder


def noise(count: int, side: int = 48) -> Tensor:
    coarse = torch.randint(0, 256, (count, 3, 12, 12), dtype=torch.uint8, generator=generator(0, "noise"))
    return coarse.repeat_interleave(side // 12, 2).repeat_interleave(side // 12, 3)


def test_the_loss_is_the_mean_in_units_of_the_first_ones() -> None:
    task, encoder = make()
    guess = math.log(1 / TASKS["jigsaw"](TASKS["jigsaw"].Config(), encoder.spec).chance()["accuracy"])
    first = task(encoder, task.make_batch(noise(6), generator(1)))
    begun = float(first.metrics["vicreg_loss"])
    assert float(first.loss.detach()) == pytest.approx((float(first.metrics["jigsaw_loss"]) / guess + 1) / 2, rel=1e-4)
    second = task(encoder, task.make_batch(noise(6), generator(2)))
    values = second.metrics
    wanted = (float(values["jigsaw_loss"]) / guess + float(values["vicreg_loss"]) / begun) / 2
    assert float(second.loss.detach()) == pytest.approx(wanted, rel=1e-4)
    assert float(values["vicreg_loss"]) != pytest.approx(begun, rel=1e-4)


def test_the_first_loss_is_remembered_with_the_weights_and_not_taken_from_an_evaluation() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(6), generator(1))
    task.eval(), encoder.eval()
    task(encoder, batch)
    assert task.scale.isnan().tolist() == [False, True]
    task.train(), encoder.train()
    task(encoder, batch)
    assert not task.scale.isnan().any()
    other, _ = make()
    other.load_state_dict(task.state_dict())
    assert torch.equal(other.scale, task.scale)


def test_each_task_answers_as_it_would_by_itself() -> None:
    task, encoder = make()
    batch = task.make_batch(noise(4), generator(1))
    result = task(encoder, batch)
    jigsaw = task.tasks["jigsaw"]
    assert isinstance(jigsaw, PretextTask)
    own = Batch(
        {key.removeprefix("jigsaw/"): value for key, value in batch.inputs.items() if key.startswith("jigsaw/")},
        {key.removeprefix("jigsaw/"): value for key, value in batch.targets.items() if key.startswith("jigsaw/")},
    )
    alone = jigsaw(encoder, own)
    assert float(alone.loss.detach()) == pytest.approx(float(result.metrics["jigsaw_loss"]), rel=1e-4)
    assert float(alone.metrics["accuracy"]) == float(result.metrics["jigsaw_accuracy"])
    assert torch.equal(alone.answers["permutation"], result.answers["jigsaw/permutation"])
    assert task.chance() == {"jigsaw_accuracy": jigsaw.chance()["accuracy"]}


def test_with_a_share_of_the_pictures_each_task_is_given_others() -> None:
    task, encoder = make(MultitaskConfig(tasks=("jigsaw", "vicreg", "context_prediction"), pictures=1 / 3, whole=False))
    images = noise(12)
    given = task.member_pictures(images)
    assert [*given] == ["jigsaw", "vicreg", "context_prediction"]
    assert torch.equal(torch.cat([*given.values()]), images)
    batch = task.make_batch(images, generator(1))
    assert batch.inputs["jigsaw/tiles"].shape[0] == batch.inputs["vicreg/views"].shape[0] == 4
    puzzles = task.preview(images, batch, task(encoder, batch), 6)
    assert [puzzle.label.partition(":")[0] for puzzle in puzzles] == [
        "Jigsaw puzzle", "VICReg", TASKS["context_prediction"].title,
    ] * 2  # fmt: skip


def test_tasks_that_compare_are_given_whole_batches_and_the_others_their_share() -> None:
    tasks = ("jigsaw", "vicreg", "context_prediction")
    task, encoder = make(MultitaskConfig(tasks=tasks, pictures=1 / 3))
    images = noise(12)
    batch = task.make_batch(images, generator(1))
    assert batch.inputs["vicreg/views"].shape[0] == 12
    assert batch.inputs["jigsaw/tiles"].shape[0] == batch.inputs["context_prediction/patches"].shape[0] == 4
    assert len(task.preview(images, batch, task(encoder, batch), 12)) == 12
    before, _ = make(MultitaskConfig(tasks=tasks, pictures=1 / 3, whole=False))
    halved = before.make_batch(images, generator(1))
    assert torch.equal(halved.inputs["jigsaw/tiles"], batch.inputs["jigsaw/tiles"])


def test_the_tasks_take_the_options_that_are_given_them() -> None:
    given: dict[str, dict[str, Value]] = {
        "context_prediction": {"pairs": "centre"},
        "jigsaw": {"gap": 0.1},
        "rotation": {"size": 0.9},
    }
    config = MultitaskConfig(tasks=("jigsaw", "context_prediction"), settings=Overrides(given))
    task, _ = make(config)
    assert task.members()["context_prediction"].config.pairs == "centre"
    assert task.members()["jigsaw"].config.gap == 0.1
    assert with_texts(TWO, {"settings": "jigsaw.gap=0.1"}).options_of("jigsaw") == task.members()["jigsaw"].config
    with pytest.raises(ConfigError, match="gapp"):
        with_texts(TWO, {"settings": "jigsaw.gapp=0.1"})
    with pytest.raises(ConfigError, match="together they take"):
        MultitaskConfig(tasks=("jigsaw", "vicreg"), settings=Overrides({"jigsaw": {"gap": 0.5, "jitter": 0.5}}))


def test_a_teacher_is_met_and_moved() -> None:
    task, encoder = make(MultitaskConfig(tasks=("vicreg", "byol")))
    byol = task.tasks["byol"]
    assert isinstance(byol, Byol)
    before = byol.teacher.get_parameter("encoder.conv1.weight").clone()
    with torch.no_grad():
        encoder.get_parameter("conv1.weight").add_(1.0)
    task.after_step(encoder, 0.0)
    assert torch.allclose(byol.teacher.get_parameter("encoder.conv1.weight"), before + 0.01, atol=1e-5)


def test_every_task_is_prepared() -> None:
    task, _ = make(MultitaskConfig(tasks=("vicreg", "simclr")))
    task.prepare(noise(8) // 4)
    for name in ("vicreg", "simclr"):
        assert float(task.get_buffer(f"tasks.{name}.views.mean").max()) < 0.2


def test_a_task_that_does_not_fit_is_named_and_what_is_left_is_said() -> None:
    grey = noise(8)[:, :1].expand(-1, 3, -1, -1)
    with pytest.raises(
        TaskDoesNotFit,
        match=r"(?s)1 of the 3 tasks cannot use these pictures\. .*colorization:.*tasks = 'jigsaw,vicreg'",
    ):
        Multitask.check(MultitaskConfig(tasks=("jigsaw", "colorization", "vicreg")), grey)
    with pytest.raises(TaskDoesNotFit, match="Only 'jigsaw' is left"):
        Multitask.check(MultitaskConfig(tasks=("jigsaw", "colorization")), grey)
    Multitask.check(TWO, grey)


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ("jigsaw,rotaton", "Did you mean 'rotation'"),
        ("jigsaw,multitask", "'multitask' cannot be used"),
        ("jigsaw", "two or more"),
        ("jigsaw,jigsaw", "two or more"),
        ("", "two or more"),
    ],
)
def test_names_are_checked(tasks: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        with_texts(MultitaskConfig(), {"tasks": tasks})


def test_blanks_between_names_do_not_matter() -> None:
    assert with_texts(TWO, {"tasks": " jigsaw , vicreg,"}) == TWO
