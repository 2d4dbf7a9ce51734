"""Weights that torch draws when it makes a module and that the network draws anew right after: their first numbers are
passed over instead of computed.

Drawing is most of what making a network takes. The generator still ends where two draws leave it: so one seed gives the
same weights here, in the exported file, and in a network of torchvision's whose modules stand in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

from archbuilder.graph.graph import Graph
from archbuilder.pytorch.initialise import DEFAULT

_LARGEST = 12
"""Numbers are passed over in runs of powers of two, up to this one: few enough to stay in a core's cache."""
_DRAWS = frozenset("fill_ kaiming_normal_ kaiming_uniform_ normal_ ones_ uniform_ zero_ zeros_".split())  # noqa: SIM905
"""What draws a tensor in place."""
_TORCHS_SLOPE = math.sqrt(5)
"""By which a draw of torch's own is known: convolutions and linear layers ask `kaiming_uniform_` for this slope."""


def redrawn_dimensions(graph: Graph) -> frozenset[int]:
    """How many dimensions weights have that are all drawn anew: 4 for those of convolutions, 2 for those of linear layers.

    Nothing is known of what somebody else's module holds: where there is one, no weight counts as such.
    """
    drawn, kept = set[int](), set[int]()
    for _, _, op in graph.ops():
        if op.needs:
            return frozenset()
        own = {each.tensor for each in op.initialise() if each.kind != DEFAULT}
        for tensor in op.state():
            (drawn if tensor.name in own else kept).add(len(tensor.shape))
    return frozenset(drawn - kept)


class PassingOver(TorchFunctionMode):
    """While a network is made: torch's own draw of such weights leaves them as they are and moves the generator on."""

    def __init__(self, dimensions: frozenset[int]) -> None:
        super().__init__()
        self._dimensions = dimensions
        # An integer of 64 bits takes two numbers of the generator, one of 8 bits takes one.
        runs = [torch.empty(1 << power, dtype=torch.int64, device="cpu") for power in range(_LARGEST, -1, -1)]
        self._runs = [*((2 * run.numel(), run) for run in runs), (1, torch.empty(1, dtype=torch.uint8, device="cpu"))]

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is nn.init.kaiming_uniform_ and kwargs["a"] == _TORCHS_SLOPE:
            tensor = kwargs["tensor"]
            if tensor.dim() in self._dimensions and _takes_one_number_each(tensor):
                self._pass_over(tensor.numel())
                return tensor
        return func(*args, **kwargs)

    def _pass_over(self, numbers: int) -> None:
        """Moves torch's generator on by this many numbers of 32 bits."""
        for length, run in self._runs:
            times, numbers = divmod(numbers, length)
            for _ in range(times):
                run.random_()


class WithoutMemory(DeviceContext):
    """While a network is made on the meta device: nothing is drawn, since there is nowhere to write it."""

    def __init__(self) -> None:
        super().__init__(torch.device("meta"))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") in _DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return super().__torch_function__(func, types, args, kwargs)  # type: ignore[no-untyped-call]


def forget(module: nn.Module) -> nn.Module:
    """A module that has been made, without the memory of its parameters and buffers."""
    for each in module.modules():
        stores: Any = (each._parameters, each._buffers)  # noqa: SLF001
        for stored in stores:
            for name, tensor in stored.items():
                stored[name] = None if tensor is None else _like(tensor)
    return module


def _like(tensor: Tensor) -> Tensor:
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def _takes_one_number_each(tensor: Tensor) -> bool:
    """Whether drawing a tensor evenly takes one number of 32 bits of the CPU's generator for each element."""
    return tensor.device.type == "cpu" and tensor.dtype is torch.float32
