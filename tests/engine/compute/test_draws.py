"""Numbers that are drawn first are those that are drawn on the way, and what draws them can be compiled whole."""

import pytest
import torch

from sslstudio.engine.compute.draws import Listed, Note, integers, normal, order, uniform
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.tasks.base import AnyTask, load_tasks


def test_each_kind_is_drawn_from_the_generator_as_it_always_was() -> None:
    ours, theirs = generator(3), generator(3)
    assert torch.equal(uniform((2, 3), -1.0, 2.0, ours), torch.empty(2, 3).uniform_(-1.0, 2.0, generator=theirs))
    assert torch.equal(normal((4,), ours), torch.randn(4, generator=theirs))
    assert torch.equal(integers(5, (4,), ours), torch.randint(5, (4,), generator=theirs))
    assert torch.equal(order(7, ours), torch.randperm(7, generator=theirs))


def task_of(name: str) -> AnyTask:
    kind = load_tasks()[name]
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), seed=0)
    with seed_init(0, "task"):
        task = kind(kind.Config(), encoder.spec)
    task.attach(encoder)
    return task


@pytest.mark.parametrize("name", load_tasks())
def test_a_batch_of_numbers_that_were_drawn_first_is_the_same_to_the_bit(name: str) -> None:
    task = task_of(name)
    first, second = torch.randint(0, 256, (2, 4, 3, 48, 48), generator=generator(1), dtype=torch.uint8)
    note = Note(generator(5))
    task.make_batch(first, note)
    wanted = task.make_batch(second, generator(6))
    found = task.make_batch(second, Listed(Listed.draw(note.draws, generator(6)), torch.device("cpu")))
    for ours, theirs in ((found.inputs, wanted.inputs), (found.targets, wanted.targets)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
