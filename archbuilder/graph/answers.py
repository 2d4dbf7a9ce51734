"""What an op's answers are made of: what it stores, what it has in memory, how it slides over a map, and what computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias


class Tensor(NamedTuple):
    """A tensor that a module stores: a parameter, or a buffer."""

    name: str
    shape: tuple[int, ...]
    trained: bool = True

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


class Memory(NamedTuple):
    """What an op has in memory for one image, counted in numbers of 32 bits, as PyTorch computes it.

    `keeps` are the inputs that are kept until the gradient has been computed; so is the output if `keeps_output`, and
    `keeps_beside` numbers of its own, such as the places that a max pool found. `keeps_for` are those that are kept for
    the gradient of some inputs alone, each with the first of these and the one behind the last: no gradient comes to an image.
    `beside` is how many it has besides while it computes. A view has no memory of its own: its output is its input.
    """

    keeps: tuple[int, ...] = ()
    keeps_output: bool = False
    keeps_beside: int = 0
    beside: int = 0
    is_view: bool = False
    keeps_for: tuple[tuple[int, int, int], ...] = ()


FRESH: Final = Memory()
"""A tensor of its own, and nothing that the gradient needs."""
VIEW: Final = Memory(is_view=True)
"""Its input in another order or under another shape."""


class Window(NamedTuple):
    """How an op slides over a map, along each axis. `padding` is None where it is that with which the map's size over the
    stride comes out, rounded up: as much as the size at hand needs, and of an odd number one more behind the map."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] | None
    dilation: tuple[int, ...]


class Spread(NamedTuple):
    """A map that an output stride keeps large, and how an op slides over it: the pixels that the network has without that lie
    `spacing` apart in a map of `size`, the window goes on by `stride`, and what comes out is of size `wanted`. `usual` is the
    size of the map without the output stride."""

    spacing: tuple[int, int]
    stride: tuple[int, int]
    size: tuple[int, int]
    wanted: tuple[int, int]
    usual: tuple[int, int]


Sources: TypeAlias = Mapping[int | str, tuple[str, ...]]
"""By position or keyword of a value: the parameter of the op that it comes from, or expressions of these and of
`input.channels`, of which one gives the value. A value without any comes from the parameter of its own name, if there is one."""


@dataclass(frozen=True)
class Construct:
    """A call that makes a module: `callee(*arguments, **keywords)`. Values are literals, or constructs themselves; `sources`
    says what they follow from, so that emitted source can say the same."""

    callee: str
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    sources: Sources = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Expression:
    """A computation without a module. `template` has `{0}`, `{1}` ... for its inputs, `{all}` for a list of all of them,
    and names for its values; `sources` says what these follow from, by name."""

    template: str
    values: tuple[tuple[str, Any], ...] = ()
    sources: Sources = field(default_factory=dict, compare=False, repr=False)


class Initialisation(NamedTuple):
    """How one tensor is drawn where it differs from torch's own way: `kind` is one of `parameters.INITIALISATIONS`, or
    a kind with its number, behind which a mean may stand."""

    tensor: str
    kind: Any


def drawn(weight: Any, bias: Any) -> tuple[Initialisation, ...]:
    """How a weight and its bias are drawn, of which each may be as torch does it: "default"."""
    weights = () if weight == "default" else (Initialisation("weight", weight),)
    return weights if bias == "default" else (*weights, Initialisation("bias", bias))
