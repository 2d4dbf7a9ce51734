"""For which sizes of input a network is, beside the one that it was lowered for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from math import lcm, prod
from typing import Final, NamedTuple

from archbuilder.diagnostics import SpecError
from archbuilder.graph.graph import Graph, Node, graphs_in, value_of
from archbuilder.graph.shapes import Map
from archbuilder.language.models import Architecture
from archbuilder.lowering import lower_architecture

_PROBES: Final = ((127, 1), (1, 127))
"""Pixels more in height and width. Whatever is halved and doubled again, at whichever level and rounded either way, comes out
different for one of these. Where a stride is no power of two, all that may be left over of a size is tried, if it is not much."""
_TRIED: Final = 10_000
"""As much as makes so many steps to lower, all together."""

_TURNED: Final = ((0b01010101, 0b10101010), (0b10101010, 0b11111111), (0b11111111, 0b01010101))
"""Which bits of height and width, less 1, become others. On maps that an output stride keeps large, where a window begins may
depend on what a stride leaves over of the size; for one of these each stride of 2 or 4 leaves any other number."""

_ASKS: Final = re.compile(r"\.(height|width|tokens)\b")
"""What an expression that asks for a size has in it."""
_OTHERS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1.1, 1.25, 1.5, 2, 3, 4, 8, 16)
"""About so many times as large: where an expression asks for a size, these are tried too, since it may do so of any."""

_STEPS: Final = tuple(
    tuple(first * 2**at for at in range(power, -1, -1)) for first, power in ((2, 6), (3, 5), (7, 4), (5, 5), (9, 4))
)
"""Steps in which the sizes of a network may go on: in each line each is twice the next, so the smallest that fits is wanted."""
_FEW_STEPS: Final = ((128, 32),)
_LARGE: Final = 5_000
"""From how many different steps on a network is lowered a few times only."""


class Sizes(NamedTuple):
    """The sizes that a network takes: `height` and `width`, and what is a multiple of `step` pixels more; None for no other.
    `reason` is the step of the network that depends on the size, where there is one."""

    height: int
    width: int
    step: int | None = 1
    reason: str = ""

    def __str__(self) -> str:
        """What is to be known of the sizes; "" where the network takes any."""
        own = f"{self.height}×{self.width}"
        if self.step is None:
            return (
                f"{own} alone: `{self.reason}` depends on it" if self.reason else f"{own}; no other that was tried fits"
            )
        return "" if self.step == 1 else f"{own}, and others in steps of {self.step}"


def sizes_of(architecture: Architecture, graph: Graph) -> Sizes:
    """The sizes for which a network's module, as it is made for one, is the same: found by lowering it for others."""
    if not isinstance(graph.input, Map):
        return Sizes(1, 1)
    channels, height, width = graph.input
    reasons: list[str] = []

    def takes(higher: int, wider: int) -> bool:
        try:
            other = lower_architecture(architecture, (channels, height + higher, width + wider))
        except SpecError:
            return False
        difference = next(_differences(graph, other), None)
        reasons.extend([difference] if difference is not None else [])
        return difference is None

    step: int | None = 1
    count = sum(len(each.nodes) for each in graphs_in(graph))
    large = count > _LARGE
    keeps = architecture.output_stride is not None
    turned = [(_turned(height, bits), _turned(width, others)) for bits, others in _TURNED if keeps]
    strided = lower_architecture(architecture.model_copy(update={"output_stride": None})) if keeps else graph
    period = 1 if large else _period(strided, keeps=keeps)
    left = [(more, period - more) for more in range(1, period, 1 + period * count // _TRIED)]
    if not all(takes(*probe) for probe in (*_PROBES, *turned, *left)) and (keeps or not reasons):
        lines = (takewhile(lambda step: takes(step, step), line) for line in (_FEW_STEPS if large else _STEPS))
        fits = (step for line in lines for step in reversed([*line]))
        others = [(3, 2), (21, 10), *left]
        step = next((step for step in fits if all(takes(step * high, step * wide) for high, wide in others)), None)
        reasons = reasons if step is None else []
    unit = step or 1
    for times in _OTHERS if not reasons and not large and _asks_for_sizes(graph) else ():
        takes(*(unit * max(round((times - 1) * size / unit), -((size - 1) // unit)) for size in (height, width)))
    return Sizes(height, width, None, reasons[0]) if reasons else Sizes(height, width, step)


def _period(graph: Graph, *, keeps: bool) -> int:
    """After how many pixels more the same is left over of a size, where a stride or an enlargement is not one of those that
    few sizes tell all of; else 1."""
    factors = {
        factor for _, _, op in graph.ops() for factor in (*op.enlarges, *(op.window.stride if op.window else ()))
    }
    unusual = {factor for factor in factors if (factor not in (1, 2, 4) if keeps else factor & (factor - 1))}
    if not unusual:
        return 1
    maps = [value_of(number) for number, node in enumerate(graph.nodes) if isinstance(node.shape, Map)]
    strides = [op.window.stride for _, _, op in graph.ops() if op.window]
    wider = prod(lcm(*stride) // stride[0] for stride in strides)  # along the width by so much more
    return lcm(*unusual, *map(graph.reduction, maps)) * wider


def _turned(size: int, bits: int) -> int:
    """How many pixels more make some bits of a size, less 1, others."""
    return (size - 1 ^ bits) + 1 - size + 256


def _asks_for_sizes(graph: Graph) -> bool:
    """Whether anything in a network may have been computed from a size: in an expression, or by a block in Python."""
    return any(
        each.is_computed
        or any(map(_ASKS.search, each.formulas.values()))
        or any(_ASKS.search(repr(node.origin)) for node in each.nodes)
        for each in graphs_in(graph)
    )


def _differences(
    graph: Graph, other: Graph, path: str = "", seen: set[tuple[Graph, Graph]] | None = None
) -> Iterator[str]:
    """The paths of the steps in which two graphs of one network are other modules, whatever shapes go through them. Two graphs
    that are called often in each other's place are compared once, where they are called first."""
    seen = set() if seen is None else seen
    if (graph, other) in seen:
        return
    seen.add((graph, other))
    if len(graph.nodes) != len(other.nodes):
        yield path.rstrip(".") or graph.name
        return
    for node, twin in zip(graph.nodes, other.nodes, strict=True):
        here = f"{path}{node.shown_names()[0]}"
        if isinstance(node.body, Graph) and isinstance(twin.body, Graph) and node.all_names() == twin.all_names():
            yield from _differences(node.body, twin.body, f"{here}.", seen)
        elif not _is_same(node, twin):
            yield here


def _is_same(node: Node, twin: Node) -> bool:
    if (node.all_names(), node.inputs, type(node.body)) != (twin.all_names(), twin.inputs, type(twin.body)):
        return False
    if node.body is None or isinstance(node.body, Graph) or twin.body is None or isinstance(twin.body, Graph):
        return node.body is None
    return node.body.emit() == twin.body.emit() and node.body.state() == twin.body.state()
