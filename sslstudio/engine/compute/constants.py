"""Small constant tensors, made once for each device: to make one on a GPU at each step has the CPU wait for it."""

from functools import lru_cache

import torch
from torch import Tensor


def constant(values: tuple[float, ...], device: torch.device, dtype: torch.dtype = torch.float32) -> Tensor:
    """The values (n,) on the device. It is shared: never write into it."""
    return _made(values, device, dtype)


@lru_cache(maxsize=256)
def _made(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.tensor(values, device=device, dtype=dtype)
