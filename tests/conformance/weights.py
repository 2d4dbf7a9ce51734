"""Weights and inputs that anyone can regenerate: a splitmix64 stream per tensor, seeded by the tensor's name.

Everything is int64, which wraps around modulo 2**64 as the definition asks; only right shifts need care, since torch's
keep the sign.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from zlib import crc32

import torch
from torch import Tensor


def _signed(number: int) -> int:
    """The int64 with the same 64 bits."""
    return number - 2**64 if number >= 2**63 else number


_GOLDEN = _signed(0x9E3779B97F4A7C15)
_MIX_1 = _signed(0xBF58476D1CE4E5B9)
_MIX_2 = _signed(0x94D049BB133111EB)


def _shift_right(z: Tensor, bits: int) -> Tensor:
    """A logical shift: the sign bits that torch shifts in are masked off."""
    return (z >> bits) & (2 ** (64 - bits) - 1)


def uniform(name: str, count: int) -> Tensor:
    """`count` doubles in [0, 1), the same on every machine for the same name."""
    z = torch.arange(1, count + 1, dtype=torch.int64).mul_(_GOLDEN).add_(crc32(name.encode()))
    z.bitwise_xor_(_shift_right(z, 30)).mul_(_MIX_1)
    z.bitwise_xor_(_shift_right(z, 27)).mul_(_MIX_2)
    z.bitwise_xor_(_shift_right(z, 31))
    return _shift_right(z, 11).double().mul_(2.0**-53)


def weight(key: str, shape: Sequence[int]) -> Tensor:
    """The value of one entry of a `state_dict`, by its key and shape."""
    if not shape:  # num_batches_tracked
        return torch.tensor(0)
    u = uniform(key, math.prod(shape)).reshape(tuple(shape))
    if len(shape) > 1:
        u = (2 * u - 1) * math.sqrt(3 / math.prod(shape[1:]))
    elif key.endswith(("running_var", "weight")):
        u = 0.5 + u
    else:
        u = 0.4 * u - 0.2
    return u.float()


def weights(state: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """A whole `state_dict` from its keys and shapes."""
    return {key: weight(key, shape) for key, shape in state.items()}


def image(shape: Sequence[int]) -> Tensor:
    """The input of a vector: rounded to float32 first, then doubled."""
    return (2 * uniform("input", math.prod(shape)) - 1).float().reshape(tuple(shape)).double()
