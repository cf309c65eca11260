"""Which device a run computes on, and in which precision."""

import os
from collections.abc import Callable, Iterator

import pytest
import torch

from sslstudio.engine.compute import device as devices
from sslstudio.engine.compute.device import Device, DeviceFound, choose, choose_for_rank, find_all
from sslstudio.engine.compute.process_group import RankInfo
from sslstudio.engine.core.errors import ConfigError
from tests.support.pretend_gpu import pretend_gpu

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


def ranks(count: int) -> list[RankInfo]:
    """The ranks of a job that all run on this machine."""
    return [RankInfo(rank, count, rank, count) for rank in range(count)]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], list[int]]]:
    """Makes a machine with so many GPUs; the list it gives takes the number of each that was set as the current one."""
    for name in ("SLURM_LOCALID", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    with pretend_gpu(), pytest.MonkeyPatch.context() as within:

        def there_are(count: int) -> list[int]:
            current: list[int] = []
            within.setattr(torch.cuda, "device_count", lambda: count)
            within.setattr(torch.cuda, "set_device", current.append)
            return current

        yield there_are


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_each_rank_takes_a_gpu_of_its_own(asked: str, gpus: Callable[[int], list[int]]) -> None:
    current = gpus(4)
    taken = [choose_for_rank(asked, "auto", rank).handle for rank in ranks(4)]
    assert taken == [torch.device("cuda", number) for number in range(4)]
    assert current == [0, 1, 2, 3]


def test_one_gpu_by_name_for_several_ranks_is_refused(gpus: Callable[[int], list[int]]) -> None:
    gpus(4)
    with pytest.raises(ConfigError, match=r"4 processes.*all of them are sent to cuda:1.*CUDA_VISIBLE_DEVICES"):
        choose_for_rank("cuda:1", "auto", ranks(4)[2])
    assert choose_for_rank("cuda:1", "auto", RankInfo(1, 2, 0, 1)).handle.index == 1, "the only rank on its machine may"


def test_slurm_may_show_each_of_its_tasks_one_gpu(
    gpus: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    current = gpus(1)
    for rank in ranks(4):
        monkeypatch.setenv("SLURM_LOCALID", str(rank.local_rank))
        assert choose_for_rank("auto", "auto", rank).handle == torch.device("cuda", 0)
    assert current == [0] * 4


def test_more_ranks_than_gpus_are_refused_inside_a_job_of_slurm_too(
    gpus: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(1)
    with pytest.raises(ConfigError, match=r"2 processes.*which has 1 GPU\."):
        choose_for_rank("auto", "auto", ranks(2)[0])
    monkeypatch.setenv("SLURM_LOCALID", "0")  # torchrun is the one task here, and its two processes see the same GPU
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "cup")
    with pytest.raises(ConfigError, match=r"2 processes.*which has 1 GPU\."):
        choose_for_rank("auto", "auto", ranks(2)[0])


def test_ranks_without_gpus_share_the_cpu() -> None:
    if not torch.cuda.is_available():
        assert [choose_for_rank("auto", "auto", rank).handle.type for rank in ranks(2)] == ["cpu", "cpu"]


GPU = Device(torch.device("cuda", 0), "GPU", torch.bfloat16)


def kernel_settings() -> tuple[bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.benchmark,
    )


def test_the_deterministic_mode_asks_for_kernels_that_add_in_one_order_and_ends_with_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = kernel_settings()
    with devices.kernels(GPU, deterministic=True):
        assert kernel_settings() == (True, True, False)
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"  # without it cuBLAS adds as it comes
    assert kernel_settings() == before
    with pytest.raises(ValueError, match="a run that fails"), devices.kernels(GPU, deterministic=True):
        raise ValueError("a run that fails")
    assert kernel_settings() == before


def test_otherwise_a_gpu_takes_the_fastest_kernels_and_a_cpu_is_left_alone() -> None:
    before = kernel_settings()
    with devices.kernels(GPU):
        assert kernel_settings() == (before[0], before[1], True)
    with devices.kernels(choose("cpu")):
        assert kernel_settings() == (before[0], before[1], False)
    assert kernel_settings() == before


def test_the_workspace_that_somebody_chose_for_cublas_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with devices.kernels(GPU, deterministic=True):
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"
