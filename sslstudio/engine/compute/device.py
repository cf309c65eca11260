"""The only place that says cuda, mps, cpu, autocast, threads or memory.

A GPU is used when it really works: its architecture is in this build of torch and one kernel ran on it. If not,
the run goes on on the CPU and the reason is said in words.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sslstudio.engine.compute.malloc import give_back, keep_for_reuse
from sslstudio.engine.compute.process_group import RankInfo
from sslstudio.engine.core.errors import ConfigError, did_you_mean
from sslstudio.engine.core.messages import NOTHING, Message, join, plain

# What torch says on each kind of device when memory runs out; only CUDA's allocator has an error class of its own.
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


@dataclass(frozen=True)
class DeviceFound:
    """A device of this machine: its torch name, its name for people, and why it cannot be used ('' when it can)."""

    name: str
    title: str
    trouble: str = ""


@dataclass(frozen=True)
class Device:
    """What a run computes on, and in which precision."""

    handle: torch.device
    title: str
    dtype: torch.dtype
    note: Message = NOTHING

    @property
    def accelerated(self) -> bool:
        """True for a GPU."""
        return self.handle.type != "cpu"

    def autocast(self) -> AbstractContextManager[object]:
        """Mixed precision for the forward pass, or nothing for float32."""
        if self.dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self.handle.type, dtype=self.dtype)

    def in_full(self) -> AbstractContextManager[object]:
        """Full precision again inside `autocast`: what makes batches and views must not round places and colours."""
        if self.dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self.handle.type, enabled=False)

    def scaler(self) -> torch.amp.GradScaler | None:
        """What keeps small gradients of float16 from becoming 0; None where nothing is to be scaled."""
        return torch.amp.GradScaler(self.handle.type) if self.dtype is torch.float16 else None

    def wait(self) -> None:
        """Return when everything queued on the device is done, so that a clock tells the truth."""
        if self.handle.type == "cuda":
            torch.cuda.synchronize(self.handle)
        elif self.handle.type == "mps":
            torch.mps.synchronize()

    def holds(self, count: int) -> bool:
        """Whether `count` bytes of pictures may stay on the device: a third of what is free."""
        if self.handle.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.handle)
            return count < free // 3
        return False  # a CPU reads the memory-mapped file; MPS shares the CPU's memory

    def bring(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor on the device; to a GPU through pinned memory, so that the copy does not hold up the CPU."""
        if self.handle.type == "cuda" and tensor.device.type == "cpu":
            return tensor.pin_memory().to(self.handle, non_blocking=True)
        return tensor.to(self.handle)

    def release(self) -> None:
        """Give back memory that is held for later, after a step that did not fit."""
        gc.collect()
        give_back()
        if self.handle.type == "cuda":
            torch.cuda.empty_cache()
        elif self.handle.type == "mps":
            torch.mps.empty_cache()

    def free_memory(self) -> int | None:
        """Bytes that can still be taken on the device; None where the system does not say."""
        if self.handle.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.handle)
            return free + torch.cuda.memory_reserved(self.handle) - torch.cuda.memory_allocated(self.handle)
        return _free_ram()

    def peak_memory(self) -> int | None:
        """The most bytes that were taken at once: on a GPU by tensors, on a CPU by this process; None: not known."""
        if self.handle.type == "cuda":
            return torch.cuda.max_memory_allocated(self.handle)
        return _peak_ram()

    def forget_peak(self) -> None:
        """Count `peak_memory` anew; a CPU's is that of the process."""
        if self.handle.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.handle)

    def fuses(self) -> bool:
        """Whether AdamW updates all weights in one pass there."""
        return self.handle.type in ("cpu", "cuda")

    @property
    def precision(self) -> str:
        """float32, bfloat16 or float16."""
        return str(self.dtype).removeprefix("torch.")

    def in_precision(self, precision: str) -> "Device":
        """The same device computing in float32, bfloat16 or float16."""
        return replace(self, dtype=PRECISIONS[precision])


def find_all() -> list[DeviceFound]:
    """Find every device of this machine, GPUs first, and try each with one real kernel."""
    return [_try_device(name) for name in _names()]


def _names() -> list[str]:
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def _try_device(name: str) -> DeviceFound:
    """Try a GPU with a real kernel, for which the driver takes some hundred MB there: only where it is used."""
    if name.startswith("cuda"):
        return _try_cuda(int(name.removeprefix("cuda:")))
    if name == "mps":
        return DeviceFound(name, Message("Apple GPU"), _try_kernel(name))
    return DeviceFound(name, Message("CPU, {cpu_count} cores", cpu_count=os.cpu_count() or 1))


def _try_cuda(number: int) -> DeviceFound:
    name = f"cuda:{number}"
    title = torch.cuda.get_device_name(number)
    major, minor = torch.cuda.get_device_capability(number)
    built = torch.cuda.get_arch_list()
    nvidia = torch.version.hip is None  # AMD's names for architectures are others
    if nvidia and built and not any(arch.endswith(f"_{major}0") or arch.endswith(f"_{major}{minor}") for arch in built):
        return DeviceFound(
            name,
            title,
            Message(
                "its architecture sm_{major}{minor} is not in this build of PyTorch ({built:words})",
                major=major,
                minor=minor,
                built=built,
            ),
        )
    return DeviceFound(name, title, _try_kernel(name))


def _try_kernel(name: str) -> Message:
    try:
        square = torch.ones(8, 8, device=name)
        return (
            NOTHING
            if float((square @ square).sum().cpu()) == 512.0
            else Message("a test computation gave a wrong result")
        )
    except RuntimeError as error:  # a driver too old, memory full, a kernel missing: torch says it as RuntimeError
        return plain(str(error).splitlines()[0])


def choose(device: str = "auto", precision: str = "auto") -> Device:
    """The device and precision for a run.

    `device`: auto, cpu, cuda, cuda:N or mps. Raises ConfigError when a device is asked for that is not there or
    does not work; auto falls back to the CPU and says why in `note`.
    """
    keep_for_reuse()  # for those who start a run without the command line
    names = _names()
    if device == "auto":
        notes: list[str] = []
        for one in map(_try_device, names):  # as far as the first that works
            if not one.trouble:
                return _with_precision(one, precision, join(notes, "semicolons"))
            notes.append(Message("{one} is not used: {trouble}", one=one.title, trouble=one.trouble))
    wanted = "cuda:0" if device == "cuda" else device
    if wanted not in names:
        raise ConfigError("There is no device {device!r} here. {hint}", device=device, hint=did_you_mean(device, names))
    asked = _try_device(wanted)
    if asked.trouble:
        raise ConfigError(
            "The device {device} ({asked}) cannot be used: {trouble}. Try --device auto.",
            device=device,
            asked=asked.title,
            trouble=asked.trouble,
        )
    return _with_precision(asked, precision, NOTHING)


def noted(device: Device, note: Message) -> Device:
    """The same device with a word on why it is this one."""
    return replace(device, note=note)


def choose_for_rank(device: str, precision: str, where: RankInfo) -> Device:
    """As `choose`, for one process of several: each on a machine takes a GPU of its own, if there are any.

    Slurm may show each of its tasks one GPU only, which is then its own, but for the processes that torchrun starts in
    such a task. Raises ConfigError when there are fewer GPUs than processes, and when all are sent to one GPU by name.
    """
    gpus = torch.cuda.device_count()
    if device.startswith("cuda:") and where.local_size > 1:
        raise ConfigError(
            "{local_size} processes were started on this machine and all of them are sent to {device}. Leave the "
            "device to the program (--device auto): each process then takes a GPU of its own. To choose which, set "
            "CUDA_VISIBLE_DEVICES.",
            local_size=where.local_size,
            device=device,
        )
    if device not in ("auto", "cuda") or not gpus:
        return choose(device, precision)
    if gpus == 1 and "SLURM_LOCALID" in os.environ and "TORCHELASTIC_RUN_ID" not in os.environ:
        torch.cuda.set_device(0)
        return choose("cuda:0", precision)
    if gpus < where.local_size:
        raise ConfigError(
            "{local_size} processes were started on this machine, which has {gpus} GPU{gpus:plural(|s)}. "
            "Start as many as it has (--nproc-per-node {gpus}), or add --device cpu.",
            local_size=where.local_size,
            gpus=gpus,
        )
    torch.cuda.set_device(where.local_rank)
    return choose(f"cuda:{where.local_rank}", precision)


def backend() -> str:
    """How processes speak to each other: always over the network, between GPUs also directly."""
    if not torch.cuda.is_available():
        return "gloo"
    return "cpu:gloo,cuda:nccl" if torch.distributed.is_nccl_available() else "cpu:gloo,cuda:gloo"


def _with_precision(one: DeviceFound, precision: str, note: Message) -> Device:
    # On CPUs bfloat16 measured 0.6 to 1.0 times the speed of float32, so auto means float32 there.
    if precision == "auto":
        precision = _cuda_precision(one.name) if one.name.startswith("cuda") else "float32"
    return Device(torch.device(one.name), one.title, PRECISIONS[precision], note)


def _cuda_precision(name: str) -> str:
    """Ampere and later compute bfloat16 in hardware; Volta and Turing (V100, T4, RTX 20) float16 only."""
    major = torch.cuda.get_device_capability(name)[0]
    return "bfloat16" if major >= 8 else "float16" if major == 7 else "float32"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice, on whichever device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in said for words in _NO_MEMORY)


def threads() -> int:
    """Threads that a CPU computes with."""
    return torch.get_num_threads()


@contextmanager
def kernels(device: Device, *, deterministic: bool = False) -> Iterator[None]:
    """Choose inside how a GPU computes: by the kernels that cuDNN finds fastest, or `deterministic` by those that add
    in the same order each time, so that the same seed gives the same weights. Puts back threads and settings after."""
    torch_says = (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled())
    cudnn_says = torch.backends.cudnn.benchmark
    with restore_threads():
        try:
            if deterministic:
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS is first used
                torch.use_deterministic_algorithms(True, warn_only=True)
            torch.backends.cudnn.benchmark = device.handle.type == "cuda" and not deterministic
            yield
        finally:
            torch.use_deterministic_algorithms(torch_says[0], warn_only=torch_says[1])
            torch.backends.cudnn.benchmark = cudnn_says


@contextmanager
def restore_threads() -> Iterator[None]:
    """Let what is done inside choose its number of threads (`use_threads`), and put back the one before it after."""
    before = threads()
    try:
        yield
    finally:
        use_threads(before)


def use_threads(count: int) -> None:
    """Compute with so many threads from now on."""
    if count != threads():
        torch.set_num_threads(count)


def _free_ram() -> int | None:
    """Bytes of memory that are left on Linux, under the limit of a container too."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        left = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None
    try:
        limit, used = (Path("/sys/fs/cgroup", name).read_text("ascii") for name in ("memory.max", "memory.current"))
        return min(left, int(limit) - int(used))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return left


def _peak_ram() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if os.uname().sysname == "Darwin" else 1024 * most
