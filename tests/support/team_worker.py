"""One step of each task, alone or as a rank of a process group: `python -m tests.support.team_worker IMAGES OUT`."""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sslstudio.engine.compute import process_group
from sslstudio.engine.compute.process_group import ProcessGroup
from sslstudio.engine.compute.seeding import generator, seed_init
from sslstudio.engine.compute.sync_batch_norm import convert_sync_batch_norm
from sslstudio.engine.models.encoders import EncoderConfig, build_encoder
from sslstudio.engine.pretraining.data_parallel import SharedStep, states_of
from sslstudio.engine.tasks.base import load_tasks


def answered(name: str, images: Tensor, group: ProcessGroup | None) -> dict[str, Tensor]:
    """Loss, metrics, gradients and buffers after one step without an optimiser."""
    kind = load_tasks()[name]
    encoder = build_encoder(EncoderConfig(name="small", stem="small"), seed=0)
    with seed_init(0, "task"):
        task = kind(kind.Config(), encoder.spec)
    task.prepare(images)
    task.attach(encoder)
    modules = nn.ModuleDict({"encoder": encoder, "task": task}).train()
    if group is None:
        result = task(encoder, task.make_batch(images, generator(0, "puzzles")))
    else:
        convert_sync_batch_norm(modules, images.device)
        step = SharedStep(group, encoder, task)
        step.maker.make(images, generator(0, "others"))  # the first is made whole
        result = step(step.maker.make(images, generator(0, "puzzles")))
    result.loss.backward()
    if group is not None:
        group.broadcast_tensors(states_of(task))
    task.after_step(encoder, 0.5)
    found = {"loss": result.loss.detach(), **{f"metric {key}": value for key, value in result.metrics.items()}}
    for key, weight in modules.named_parameters():
        if weight.grad is not None:
            found[f"grad {key}"] = weight.grad
    found.update({f"buffer {key}": buffer for key, buffer in modules.named_buffers() if buffer.is_floating_point()})
    return {f"{name} {key}": value.detach().float().contiguous().clone() for key, value in found.items()}


def every_task(images: Tensor, group: ProcessGroup | None) -> dict[str, Tensor]:
    """What all tasks answered, as TASK KIND NAME."""
    found: dict[str, Tensor] = {}
    for name in load_tasks():
        found.update(answered(name, images, group))
    return found


def main(images: Path, out: Path) -> None:
    where = process_group.rank_info()
    assert where is not None
    torch.set_num_threads(1)
    with process_group.join_group(where, "gloo") as group:
        save_file(every_task(load_file(images)["images"], group), out / f"{where.rank}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
