"""A GPU that is not there: tensors of the CPU that say that they are on one, and a log of what a real one would mind.

    with pretend_gpu("cuda") as log:
        list(pretrain(config.replace(hardware=...device="cuda"), RunControl()))
    assert not log.of("mixed")

Every call of a torch function is seen (`TorchFunctionMode`). A tensor made on the device or computed from one that is
there carries a tag; what mixes tagged and untagged ones, draws from a generator of the other side, copies while the CPU
waits or asks the device for a number is noted with the line that did it. As "mps" it refuses, as Apple's GPUs do,
border padding, averages over areas that do not divide, float64, and sampling from channels-last pictures.

What it cannot show: speed, other roundings, kernels that are missing, what backward passes in C++ do.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from sslstudio.engine.dataset import prefetch
from sslstudio.engine.training.loop import Training

MIXED, GENERATOR, COPY, WAIT, HALF, AHEAD = "mixed", "generator", "copy", "wait", "half", "ahead"
ASKS = {"item", "tolist", "__bool__", "__int__", "__float__", "__index__", "cpu", "numpy", "nonzero", "bincount",
        "unique", "masked_select", "equal", "allclose", "argwhere", "__array__", "__contains__"}  # fmt: skip
MAY_MIX = {"copy_", "__setitem__", "__getitem__", "to", "type_as", "index_put_", "data", "grad", "_make_subclass",
           "__get__", "__set__"}  # fmt: skip
HELD = "_pretends"  # what a tagged tensor carries
OPTIMISER = "inside the optimiser of torch"
_autocast = torch.autocast


class RefusedByMPS(RuntimeError):
    """What Apple's GPUs would have raised (or answered wrongly in silence)."""


@dataclass
class Log:
    """What was noted: kind, details, and the lines of the program that led there."""

    events: list[tuple[str, str, str]] = field(default_factory=list)
    steps: list[list[tuple[str, str, str]]] = field(default_factory=list)

    def add(self, kind: str, detail: str) -> None:
        lines = _lines()
        if lines != OPTIMISER:  # which asks in C++ where its weights lie, and is answered the truth
            self.events.append((kind, detail, lines))

    def of(self, *kinds: str) -> list[tuple[str, str, str]]:
        """Everything of these kinds."""
        return [event for event in self.events if event[0] in kinds]

    def in_steps(self, *kinds: str, skip: int = 2) -> list[tuple[str, str, str]]:
        """What steps of the training did; the first `skip`, which set things up, left out."""
        return [event for step in self.steps[skip:] for event in step if event[0] in kinds]

    def counts(self) -> Counter[str]:
        """How often each kind was noted in the last step."""
        return Counter(kind for kind, _, _ in self.steps[-1]) if self.steps else Counter()


def _lines() -> str:
    found: list[str] = []
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(found) < 3:
        name = frame.f_code.co_filename
        if "/torch/optim/" in name or name.endswith("/clip_grad.py"):
            return OPTIMISER
        if "/sslstudio/engine/" in name:
            found.append(f"{name.split('/sslstudio/engine/')[-1]}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found) or "outside"


def held(value: object) -> bool:
    """Whether a tensor says that it is on the device."""
    return isinstance(value, torch.Tensor) and bool(value.__dict__.get(HELD))


def tag(value: torch.Tensor, on: bool = True) -> torch.Tensor:
    value.__dict__[HELD] = on
    return value


class _PretendGenerator(torch._C.Generator):
    def __new__(cls, device: object = "cpu") -> "_PretendGenerator":
        return torch._C.Generator.__new__(cls)

    def __init__(self, device: object = "cpu") -> None:
        self._says = torch.device(str(device))
        if self._says.type == "cuda":
            self._says = torch.device("cuda", 0)

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self._says


class _PretendAutocast(_autocast):
    def __init__(self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: Any = None) -> None:
        super().__init__("cpu", dtype=dtype or torch.bfloat16, enabled=enabled)


class PretendGpu(TorchFunctionMode):
    """See the module."""

    def __init__(self, kind: str, log: Log) -> None:
        super().__init__()
        self.kind, self.log = kind, log
        self.device = torch.device("cuda", 0) if kind == "cuda" else torch.device("mps")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", str(func))
        if name in ("__get__", "__set__"):
            return self._property(func, name, args, kwargs)
        if name == "__deepcopy__":
            return tag(func(*args, **kwargs), held(args[0]))
        if name in ("device", "_parse_to", "_has_compatible_shallow_copy_type"):
            return func(*args, **kwargs)
        if name == "pin_memory":
            pinned = tag(args[0].clone(), False)
            pinned.__dict__["_pinned"] = True
            return pinned
        if name == "is_pinned":
            return bool(args[0].__dict__.get("_pinned"))
        call = _Call(self, name, args, kwargs)
        call.look()
        out = func(*call.args, **call.kwargs)
        return call.tagged(out)

    def _property(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        what = getattr(getattr(func, "__self__", None), "__name__", "")
        if name == "__get__" and what in ("device", "is_cuda", "is_mps", "is_cpu"):
            on = held(args[0])
            answers = {"is_cuda": on and self.kind == "cuda", "is_mps": on and self.kind == "mps", "is_cpu": not on}
            return answers[what] if what in answers else (self.device if on else func(*args, **kwargs))
        out = func(*args, **kwargs)
        if name == "__set__" and what == "data":
            tag(args[0], held(args[1]))
        elif name == "__get__" and isinstance(out, torch.Tensor) and out is not args[0]:
            tag(out, held(args[0]))
        return out


class _Call:
    """One call of a torch function."""

    def __init__(self, mode: PretendGpu, name: str, args: Any, kwargs: dict[str, Any]) -> None:
        self.mode, self.name, self.log = mode, name, mode.log
        self.target = ""  # the side that is asked for by name
        self.args = [self._named(arg) for arg in args]
        self.kwargs = {
            key: self._named(value) if key == "device" or isinstance(value, torch.device) else value
            for key, value in kwargs.items()
        }
        flat, _ = tree_flatten((args, kwargs))
        self.tensors = [value for value in flat if isinstance(value, torch.Tensor)]
        self.on = [value for value in self.tensors if held(value)]
        self.off = [value for value in self.tensors if not held(value)]

    def _named(self, value: Any) -> Any:
        """A device by name becomes the CPU, which the call is really made on."""
        text = value.type if isinstance(value, torch.device) else value if isinstance(value, str) else ""
        if text.split(":")[0] == self.mode.kind:
            self.target = "gpu"
            return torch.device("cpu")
        if isinstance(value, torch.device) or text == "cpu":
            self.target = self.target or "cpu"
        return value

    def look(self) -> None:
        self._generator()
        self._waits()
        self._copies()
        self._mixed()
        if self.name in ("grid_sample", "affine_grid"):
            self._geometry()
        if self.mode.kind == "mps" and (self.on or self.target == "gpu"):
            self._refused()

    def _generator(self) -> None:
        rng = self.kwargs.get("generator")
        if isinstance(rng, _PretendGenerator):
            wanted = "gpu" if self.target == "gpu" or self.on else "cpu"
            if (rng.device.type != "cpu") != (wanted == "gpu"):
                self.log.add(GENERATOR, f"{self.name}: a generator of the {rng.device.type} for the {wanted}")

    def _waits(self) -> None:
        if not self.on:
            return
        asks = self.name in ASKS or (self.name == "to" and self.target == "cpu" and held(self.args[0]))
        if self.name == "where" and len(self.args) == 1:
            asks = True
        if self.name == "repeat_interleave" and len(self.tensors) > 1 and "output_size" not in self.kwargs:
            asks = True
        if self.name == "one_hot" and self.kwargs.get("num_classes", (*self.args, -1)[1]) == -1:
            asks = True
        if self.name in ("__getitem__", "__setitem__") and held(self.args[0]):
            index = self.args[1] if isinstance(self.args[1], tuple) else (self.args[1],)
            asks = any(isinstance(one, torch.Tensor) and one.dtype in (torch.bool, torch.uint8) for one in index)
        if asks:
            self.log.add(WAIT, f"{self.name} {tuple(self.tensors[0].shape)}")

    def _copies(self) -> None:
        name, args = self.name, self.args
        if name in ("tensor", "as_tensor", "asarray") and self.target == "gpu":
            self.log.add(COPY, name)
        if name == "new_tensor" and self.on:
            self.log.add(COPY, name)
        if name == "to" and self.target == "gpu" and not held(args[0]):
            async_copy = self.kwargs.get("non_blocking") and args[0].__dict__.get("_pinned")
            self.log.add(AHEAD if async_copy else COPY, f"to {tuple(args[0].shape)}")
        if name in ("__getitem__", "__setitem__") and held(args[0]):
            index = args[1] if isinstance(args[1], tuple) else (args[1],)
            off = [one for one in index if isinstance(one, list) or (isinstance(one, torch.Tensor) and one.dim()
                   and not held(one))]  # fmt: skip
            if off:
                self.log.add(COPY, f"{name}: the index is on the CPU")
        source = args[-1] if name == "__setitem__" else args[1] if name == "copy_" else None
        if isinstance(source, torch.Tensor) and source.dim() and held(args[0]) != held(source):
            quick = self.kwargs.get("non_blocking") and source.__dict__.get("_pinned")
            self.log.add(AHEAD if quick else COPY if held(args[0]) else WAIT, f"{name} {tuple(source.shape)}")

    def _mixed(self) -> None:
        others = [tuple(one.shape) for one in self.off if one.dim()]
        made_there = self.target == "gpu" and self.name not in ("to", "tensor", "as_tensor") and "like" not in self.name
        if others and ((self.on and self.name not in MAY_MIX) or (made_there and self.name not in MAY_MIX)):
            self.log.add(MIXED, f"{self.name} {others}")
        if self.name == "__getitem__" and not held(self.args[0]) and self.on:
            self.log.add(MIXED, "a tensor of the CPU, indexed by one of the device")

    def _geometry(self) -> None:
        grid = self.args[1] if self.name == "grid_sample" else self.args[0]
        if grid.dtype != torch.float32 or (self.name == "affine_grid" and torch.is_autocast_enabled("cpu")):
            self.log.add(HALF, f"{self.name} {grid.dtype}")

    def _refused(self) -> None:
        name, args, kwargs = self.name, self.args, self.kwargs
        doubles = any(one.dtype == torch.float64 for one in self.on) or torch.float64 in (kwargs.get("dtype"), *args)
        if (doubles or name == "double") and (self.on or self.target == "gpu") and not self._leaves():
            raise RefusedByMPS(f"{name}: there is no float64 on MPS")
        if name == "grid_sample":
            if kwargs.get("padding_mode") in ("border", "reflection"):
                raise RefusedByMPS("grid_sample: border padding")
            if not args[0].is_contiguous():
                raise RefusedByMPS("grid_sample of pictures in another memory format is wrong in silence")
        if name == "adaptive_avg_pool2d" or (name == "interpolate" and kwargs.get("mode") == "area"):
            size = kwargs.get("size", kwargs.get("output_size", (*args, None)[1]))
            wanted = (size, size) if isinstance(size, int) else size
            for there, asked in zip(args[0].shape[-2:], wanted, strict=True):
                if there % asked:
                    raise RefusedByMPS(f"{name} of {there} to {asked}")

    def _leaves(self) -> bool:
        return self.name in ("cpu", "numpy", "tolist", "item") or self.target == "cpu"

    def tagged(self, out: Any) -> Any:
        name = self.name
        if name in ("copy_", "__setitem__"):
            return out
        if name == "__iter__":
            return iter([tag(one, held(self.args[0])) for one in out])
        on = self.target == "gpu" or (bool(self.on) and self.target != "cpu")
        if name in ("cpu", "numpy"):
            on = False
        if name == "to" and not self.target:
            like = self.args[1] if len(self.args) > 1 and isinstance(self.args[1], torch.Tensor) else self.args[0]
            on = held(like)
        if name == "__getitem__":
            on = held(self.args[0])

        def one(value: Any) -> Any:
            if not isinstance(value, torch.Tensor):
                return value
            if any(value is given for given in self.tensors):
                if held(value) == on or name not in ("to", "cpu"):
                    return value
                value = value.clone() if on else value.detach().clone()
            return tag(value, on)

        return tree_map(one, out)


class Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the calls of aten that a step makes, its way back included."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


class _PretendStream:
    """Everything is done by the time it is asked for."""

    def __init__(self, *_: object) -> None:
        pass

    def record_event(self) -> None:
        return None

    def wait_event(self, event: object) -> None:
        return None


def _cuda_says(log: Log) -> dict[str, Callable[..., Any]]:
    none: dict[str, Callable[..., Any]] = dict.fromkeys(
        ("reset_peak_memory_stats", "empty_cache", "set_device", "ipc_collect"), lambda *_: None
    )
    zero: dict[str, Callable[..., Any]] = dict.fromkeys(
        ("memory_reserved", "memory_allocated", "max_memory_allocated"), lambda *_: 0
    )
    return {
        **none, **zero,
        "device_count": lambda: 1, "is_available": lambda: True, "get_device_name": lambda *_: "Pretend GPU",
        "get_device_capability": lambda *_: (9, 0), "get_arch_list": lambda: ["sm_90"],
        "mem_get_info": lambda *_: (139 * 2**30, 140 * 2**30),
        "Stream": _PretendStream, "current_stream": _PretendStream, "stream": lambda _: contextlib.nullcontext(),
        "synchronize": lambda *_: log.add(WAIT, "synchronize"),
    }  # fmt: skip


@contextlib.contextmanager
def pretend_gpu(kind: str = "cuda", *, roomy: bool = True) -> Iterator[Log]:
    """Within it there is a GPU of this kind ("cuda" or "mps"); `roomy`: the pictures fit onto it."""
    log = Log()
    one_step, fetch, on_gpu = Training._one_step, prefetch._Fetch.run, torch.nn.Parameter.__deepcopy__

    def step(self: Training, share: float) -> Iterator[Any]:
        before = len(log.events)
        yield from one_step(self, share)
        log.steps.append(log.events[before:])

    def run(self: Any) -> None:
        with PretendGpu(kind, log):
            fetch(self)

    def copied(self: Any, memo: Any) -> Any:
        return tag(on_gpu(self, memo), held(self))  # type: ignore[no-untyped-call]

    with contextlib.ExitStack() as stack:
        for owner, name, value in (
            (torch, "Generator", _PretendGenerator), (torch, "autocast", _PretendAutocast),
            (Training, "_one_step", step), (prefetch._Fetch, "run", run),
            (torch.nn.Parameter, "__deepcopy__", copied),
            (torch.Tensor, "record_stream", lambda tensor, stream: None),  # C++ asks first, no mode sees it
            (torch.optim.Optimizer, "_accelerator_graph_capture_health_check", lambda _: None),
            (torch.optim.Optimizer, "_cuda_graph_capture_health_check", lambda _: None),
        ):  # fmt: skip
            stack.enter_context(patch.object(owner, name, value, create=True))
        if kind == "cuda":
            for name, value in _cuda_says(log).items():
                stack.enter_context(patch.object(torch.cuda, name, value))
            if not roomy:
                stack.enter_context(patch.object(torch.cuda, "mem_get_info", lambda *_: (1000, 2000)))
        else:
            stack.enter_context(patch.object(torch.backends.mps, "is_available", lambda: True))
            for name in ("synchronize", "empty_cache"):
                stack.enter_context(patch.object(torch.mps, name, lambda: None))
        stack.enter_context(PretendGpu(kind, log))
        yield log
