"""Which device a run computes on, and in which precision."""

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device, DeviceFound, choose, find_all
from sslstudio.engine.core.errors import ConfigError

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
BROKEN = DeviceFound("cuda:0", "Old GPU", "its architecture sm_30 is not in this build of PyTorch (sm_90)")
CPU = DeviceFound("cpu", "CPU, 2 cores")


def test_the_cpu_is_always_found_last_and_works() -> None:
    last = find_all()[-1]
    assert last.name == "cpu"
    assert not last.trouble
    assert "core" in last.title


def test_the_cpu_computes_in_float32_unless_told_otherwise() -> None:
    device = choose("cpu")
    assert device.handle.type == "cpu"
    assert not device.accelerated
    assert (device.dtype, device.precision, device.note) == (torch.float32, "float32", "")
    with device.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    device.wait()


def test_bfloat16_is_used_where_it_is_asked_for() -> None:
    device = choose("cpu", "bfloat16")
    assert device.precision == "bfloat16"
    with device.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    assert choose("cpu", "float32").precision == "float32"


def test_a_cpu_holds_no_copy_of_the_pictures() -> None:
    assert not choose("cpu").holds(1)


def test_a_device_that_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(ConfigError, match=r"There is no device 'cuda:99' here\. .*"):
        choose("cuda:99")
    with pytest.raises(ConfigError, match=r"There is no device 'cqu' here\. Did you mean 'cpu'\?"):
        choose("cqu")


def there_are(machine: list[DeviceFound], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with these devices; the names of those that are tried are put into the list."""
    tried: list[str] = []

    def trial(name: str) -> DeviceFound:
        tried.append(name)
        return next(one for one in machine if one.name == name)

    monkeypatch.setattr(devices, "_names", lambda: [one.name for one in machine])
    monkeypatch.setattr(devices, "_try_device", trial)
    return tried


def test_a_gpu_that_does_not_work_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are([BROKEN, CPU], monkeypatch)
    device = choose("auto")
    assert device.handle.type == "cpu"
    assert device.note == f"Old GPU is not used: {BROKEN.trouble}"
    for name in ("cuda", "cuda:0"):
        with pytest.raises(ConfigError, match=r"Old GPU.*sm_30.*Try --device auto"):
            choose(name)
    assert choose("cpu").note == ""


def test_auto_takes_the_first_device_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    there_are([BROKEN, DeviceFound("mps", "Apple GPU"), CPU], monkeypatch)
    device = choose("auto")
    assert device.handle.type == "mps"
    assert device.accelerated
    assert device.precision == "float32"
    assert device.note


def test_no_device_is_tried_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = there_are([BROKEN, DeviceFound("mps", "Apple GPU"), CPU], monkeypatch)
    choose("mps")
    assert tried == ["mps"]
    tried.clear()
    choose("auto")
    assert tried == [BROKEN.name, "mps"]
    tried.clear()
    with pytest.raises(ConfigError):
        choose("cuda:7")
    assert tried == []


def test_a_kernel_on_a_device_that_is_not_there_gives_a_reason() -> None:
    if not torch.cuda.is_available():
        assert devices._try_kernel("cuda:0")
    assert devices._try_kernel("cpu") == ""


@gpu
def test_a_gpu_that_works_is_taken() -> None:
    device = choose("auto")
    assert device.handle.type == "cuda"
    assert device.accelerated
    assert device.holds(1)
    assert not device.holds(1 << 50)
    device.wait()


def test_devices_are_told_apart_by_what_they_are() -> None:
    one = Device(torch.device("cpu"), "CPU", torch.float32)
    assert one == Device(torch.device("cpu"), "CPU", torch.float32)
    assert one != Device(torch.device("cpu"), "CPU", torch.bfloat16)
