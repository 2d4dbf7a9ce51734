"""What torch has in memory: what it keeps for the gradient, and how much there is at once in inference."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def kept_by(compute: Callable[[], Any], held: Iterable[Tensor]) -> int:
    """The bytes that are kept for the gradient of a computation; `held` are parameters and buffers, which do not count."""
    own = {_identity(tensor) for tensor in held}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        if _identity(tensor) not in own and tensor.ndim > 0:  # numbers that a value is multiplied with are tensors too
            kept[_identity(tensor)] = tensor.untyped_storage()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        given = compute()
    del given
    return sum(storage.nbytes() for storage in kept.values())


def peak_of(compute: Callable[[], Any], inputs: Iterable[Tensor], held: Iterable[Tensor]) -> int:
    """The bytes that there are at most while something is computed without a gradient, its inputs among them."""
    with torch.no_grad(), _Live(held) as live:
        for tensor in inputs:
            live.add(tensor)
        given = compute()
    del given
    return live.most


class _Live(TorchDispatchMode):
    """Counts the bytes of all tensors that are there."""

    def __init__(self, held: Iterable[Tensor]) -> None:
        super().__init__()
        self.held = {_identity(tensor) for tensor in held}
        self.sizes: dict[int, int] = {}
        self.most = 0

    def add(self, tensor: Tensor) -> None:
        key = _identity(tensor)
        if key not in self.held and key not in self.sizes:
            storage = tensor.untyped_storage()
            self.sizes[key] = storage.nbytes()
            self.most = max(self.most, sum(self.sizes.values()))
            weakref.finalize(storage, self.sizes.pop, key)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(given):
            if isinstance(leaf, Tensor):
                self.add(leaf)
        return given


def _identity(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
