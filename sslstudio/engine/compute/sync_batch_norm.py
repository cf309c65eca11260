"""Batch norm over the pictures of all ranks of a process group: torch's own on CUDA, which has no such on the CPU, else
ours.

Letters: C channels; maps are (N, C) or (N, C, H, W).
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sslstudio.engine.compute import process_group
from sslstudio.engine.compute.constants import constant
from sslstudio.engine.compute.process_group import ProcessGroup


class SharedNorm1d(nn.BatchNorm1d):
    """As its parent; in a step of a process group its statistics are those of the whole batch."""

    def forward(self, values: Tensor) -> Tensor:
        """(N, C) to (N, C)."""
        group = process_group.current()
        return super().forward(values) if group is None or not self.training else _norm(self, values, group)


class SharedNorm2d(nn.BatchNorm2d):
    """As its parent; in a step of a process group its statistics are those of the whole batch."""

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W)."""
        group = process_group.current()
        return super().forward(values) if group is None or not self.training else _norm(self, values, group)


class CudaNorm1d(nn.SyncBatchNorm, nn.BatchNorm1d):
    """Torch's, which shares its statistics in a step of a process group only: rank 0 also asks the network alone."""

    def forward(self, values: Tensor) -> Tensor:
        """(N, C) to (N, C)."""
        shared = process_group.current() is not None and self.training
        return super().forward(values) if shared else _BatchNorm.forward(self, values)


class CudaNorm2d(nn.SyncBatchNorm, nn.BatchNorm2d):
    """As `CudaNorm1d`, for maps."""

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W)."""
        shared = process_group.current() is not None and self.training
        return super().forward(values) if shared else _BatchNorm.forward(self, values)


SHARED: dict[type[nn.Module], type[nn.Module]] = {nn.BatchNorm1d: SharedNorm1d, nn.BatchNorm2d: SharedNorm2d}
ON_CUDA: dict[type[nn.Module], type[nn.Module]] = {nn.BatchNorm1d: CudaNorm1d, nn.BatchNorm2d: CudaNorm2d}


def convert_sync_batch_norm(modules: nn.Module, device: torch.device) -> None:
    """Make each batch norm inside a shared one for the device, in place: weights, names and references to them stay."""
    shared = ON_CUDA if device.type == "cuda" else SHARED
    for module in modules.modules():
        if type(module) in shared:
            module.__class__ = shared[type(module)]
            if isinstance(module, nn.SyncBatchNorm):
                module.process_group = None  # that of all


def _norm(norm: nn.BatchNorm1d | nn.BatchNorm2d, values: Tensor, group: ProcessGroup) -> Tensor:
    normed, mean, variance, count = _Normed.apply(values, norm.weight, norm.bias, norm.eps, group)
    with torch.no_grad():
        _follow(norm, mean, variance * (count / (count - 1).clamp_min(1)))
    result: Tensor = normed
    return result


def _follow(norm: nn.BatchNorm1d | nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        assert norm.momentum is not None
        norm.num_batches_tracked.add_(1)
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance, norm.momentum)


class _Normed(torch.autograd.Function):
    """Two messages a layer: moments on the way there, two sums a channel on the way back."""

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float, group: ProcessGroup
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, variance, count = _joint_moments(values, group)
        normed = torch.native_batch_norm(values, weight, bias, mean, variance, False, 0.0, eps)[0]
        ctx.save_for_backward(values, weight, mean, variance, count)
        ctx.eps = eps
        ctx.mark_non_differentiable(mean, variance, count)
        return normed, mean, variance, count

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *others: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None, None, None]:
        values, weight, mean, variance, count = ctx.saved_tensors
        like = torch.channels_last if _is_channels_last(values) else torch.contiguous_format
        grad = grad.contiguous(memory_format=like)
        scaled = torch.ones_like(mean) if weight is None else weight  # without one CUDA's kernels give no sums
        # As in evaluation, where statistics are constants: the sums over a channel of grad * normed and of grad.
        _, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            grad, values, scaled, mean, variance, None, None, False, ctx.eps, [False, True, True]
        )
        sums = torch.stack([by_weight, by_bias]).float()
        dist.all_reduce(sums)
        along, plain = sums / count
        scale = torch.rsqrt(variance + ctx.eps)
        gain = scale if weight is None else scale * weight
        slope = -gain * scale * along
        shift = -gain * plain - slope * mean
        shape = (1, -1, *[1] * (values.dim() - 2))
        through = torch.addcmul(shift.view(shape), values, slope.view(shape)).addcmul_(grad, gain.view(shape))
        taught = (None, None) if weight is None else (by_weight, by_bias)
        return through.to(values.dtype), *taught, None, None


def _is_channels_last(values: Tensor) -> bool:
    return values.dim() == 4 and values.is_contiguous(memory_format=torch.channels_last)


def _joint_moments(values: Tensor, group: ProcessGroup) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (C,), variance (C,) and count (0-dimensional) over all processes, from those of each (Chan et al., 1983)."""
    mean, variance = _moments(values)
    count = constant((values.numel() / values.shape[1],), mean.device, mean.dtype)
    own = torch.cat([mean, variance, count])
    every = [torch.empty_like(own) for _ in range(group.size)]
    dist.all_gather(every, own)
    rows = torch.stack(every)
    means, variances = rows[:, :-1].view(group.size, 2, -1).unbind(1)  # (processes, C) each
    counts = rows[:, -1:]
    count = counts.sum()
    mean = (counts * means).sum(dim=0) / count
    variance = (counts * (variances + (means - mean).square())).sum(dim=0) / count
    return mean, variance, count


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    if values.is_cpu:  # one pass, made for the layout of the maps
        mean, variance = torch.batch_norm_update_stats(values.float(), None, None, 0.0)
        return mean, variance
    dims = [0, *range(2, values.dim())]
    variance, mean = torch.var_mean(values.float(), dim=dims, correction=0)
    return mean, variance
