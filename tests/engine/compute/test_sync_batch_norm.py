"""Batch norm that several processes share is batch norm for a process that is alone."""

import pytest
import torch
from torch import nn

from sslstudio.engine.compute.sync_batch_norm import convert_sync_batch_norm


def norms() -> nn.ModuleList:
    return nn.ModuleList([nn.BatchNorm1d(3), nn.BatchNorm2d(3)])


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_alone_it_computes_what_it_did_and_keeps_its_names(device: str) -> None:
    plain, shared = norms(), norms()
    held = shared[1]
    convert_sync_batch_norm(shared, torch.device(device))
    assert shared[1] is held
    assert isinstance(held, nn.BatchNorm2d)
    assert isinstance(held, nn.SyncBatchNorm) == (device == "cuda"), "torch's own on CUDA"
    maps = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    for training in (True, False):
        for ours, theirs in zip(shared.train(training), plain.train(training), strict=True):
            values = maps if isinstance(theirs, nn.BatchNorm2d) else maps[..., 0, 0]
            assert torch.equal(ours(values), theirs(values))
    assert shared.state_dict().keys() == plain.state_dict().keys()
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in shared.state_dict().items())
