"""The program's own residual blocks are torchvision's: the same names, and the same output to the last bit."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torchvision.models import resnet as theirs

from sslstudio.engine.compute.seeding import generator
from sslstudio.engine.core.files.resource_files import find_resource
from sslstudio.engine.models.encoders import ENCODERS, resnet
from sslstudio.engine.models.encoders import residual_blocks as ours

BLOCKS = ["BasicBlock", "Bottleneck"]
WITHOUT = """
import sys
sys.modules["torchvision"] = None  # an import of it fails
from sslstudio.engine.models.encoders import ENCODERS
from sslstudio.engine.models.encoders.resnet import OWN_BLOCKS
assert OWN_BLOCKS
print(*(f"{name} {len(ENCODERS[name].build(name, 'small').state_dict())}" for name in ("small", "resnet50")))
"""


def shortcut(inside: int, outside: int, stride: int) -> nn.Module | None:
    if stride == 1 and inside == outside:
        return None
    return nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", BLOCKS)
def test_names_numbers_and_gradients_are_torchvisions_to_the_last_bit(name: str, stride: int) -> None:
    made = []
    for module in (theirs, ours):
        block = getattr(module, name)
        inside, planes = 16 * block.expansion, 16
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            made.append(block(inside, planes, stride, shortcut(inside, planes * block.expansion, stride)))
    one, other = made
    assert list(one.state_dict()) == list(other.state_dict())
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())
    images = torch.randn(3, 16 * type(one).expansion, 12, 12, generator=generator(0, "blocks"))
    for training in (True, False):
        out = [block.train(training)(images.clone()) for block in made]
        assert torch.equal(*out)
        for answer in out:
            answer.square().sum().backward()
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        assert left.grad is not None
        assert right.grad is not None
        assert torch.equal(left.grad, right.grad)


@pytest.mark.parametrize("name", BLOCKS)
def test_they_are_called_as_torchvisions_because_cards_of_exports_name_them(name: str) -> None:
    block = getattr(ours, name)
    assert (block.__name__, block.expansion) == (name, getattr(theirs, name).expansion)


def test_where_torchvision_is_installed_its_own_are_used() -> None:
    assert resnet.BasicBlock is theirs.BasicBlock
    assert not resnet.OWN_BLOCKS


def test_without_torchvision_the_encoders_are_built_of_them() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = {name: len(ENCODERS[name].build(name, "small").state_dict()) for name in ("small", "resnet50")}
    assert done.stdout.split() == [word for name, count in here.items() for word in (name, str(count))]


def test_the_licence_comes_with_them() -> None:
    said = find_resource("licences/torchvision.txt").read_text(encoding="utf-8")
    assert "Copyright (c) Soumith Chintala 2016" in said
    assert "Redistributions in binary form must reproduce" in said
