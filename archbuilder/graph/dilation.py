"""A network with an output stride: strides beyond it become dilation, with the same weights.

Each value lies on a grid. Where a stride was turned into dilation, the map is larger than in the network as it is written,
whose pixels lie `spacing` apart in it; an op that slides over such a map takes its window that much wider. So every k-th
pixel of what comes out is what the network as written computes, wherever in a block a stride stands.

Neck and head take the larger maps as they come, as those of the reference libraries do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

from archbuilder.graph.answers import Spread, Window
from archbuilder.graph.bounds import MAXIMUM_NODES
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op, OpError, ShapesDiffer, pair, short
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, in_parts
from archbuilder.graph.windows import Pair
from archbuilder.parameters import MAXIMUM_INTEGER

_ONE: Final[Pair] = (1, 1)
_LARGEST_PART: Final = 256
"""The largest part of a stride that stays one where the rest becomes dilation."""
Limit: TypeAlias = tuple[float, float] | None
"""How far a value may be reduced along each axis; None where no map comes of it that is to be kept large."""


class Grid(NamedTuple):
    """Where a value's pixels lie: for how many of the input's one stands, and how far apart those lie that the network has
    as it is written."""

    reduction: tuple[float, float] = (1.0, 1.0)
    spacing: Pair = _ONE


Grids: TypeAlias = "Grid | tuple[Grids, ...] | None"
"""The grid of a value, those of several streams, or None: it has no pixels, or was made of all pixels at once."""


class NotKept(Exception):
    """The output stride cannot be kept. `help` says what to write instead, `node` is the step where that shows."""

    def __init__(self, message: str, help: str | None, node: Node) -> None:
        super().__init__(message)
        self.help = help
        self.node = node


class Origins(NamedTuple):
    """Which nodes and graphs of the network as it is written the new ones stand for."""

    nodes: dict[Node, Node]
    graphs: dict[Graph, Graph]


def dilated(stages: Graph, usual: Graph, output_stride: int) -> tuple[list[Node], Origins]:
    """The nodes of a network's stem and stages, whose strides beyond the output stride have become dilation.

    Args:
        stages: the network as far as that.
        usual: the whole network as it is written: what is behind the stages takes those maps that are to be kept large.
        output_stride: for how many of the input's pixels, along each axis, one of such a map stands at most.

    Raises:
        NotKept: if that cannot be.
    """
    calls = _Calls(stages)
    body = _Body(calls, stages, stages.input, Grid(), "")
    behind = (value for node in usual.nodes[len(stages.nodes) :] for value in node.inputs)
    limit = (float(output_stride), float(output_stride))
    wanted = {value.node: limit for value in (*behind, usual.output) if value.node < len(stages.nodes)}
    limits = calls.limits(stages, wanted)
    for at, node in enumerate(stages.nodes):
        body.take(node, limits.get(at))
    return body.nodes, calls.origins


class _Calls:
    """The graphs of one network: each is gone through once for every grid on which it is called, and every limit."""

    def __init__(self, stages: Graph) -> None:
        self.origins = Origins({}, {})
        self._made: dict[tuple[Graph, Shape, Grids, Limit], tuple[Graph, Grids]] = {}
        self._limits: dict[tuple[Graph, Limit], dict[int, Limit]] = {}
        self._made_steps = self._limited_steps = len(stages.nodes)

    def made(self, graph: Graph, shape: Shape, grids: Grids, limit: Limit, path: str) -> tuple[Graph, Grids]:
        """A graph for an input on this grid, and the grid of what it gives."""
        key = (graph, shape, grids, limit)
        if key not in self._made:
            self._made_steps += len(graph.nodes)
            _refuse_too_many(self._made_steps, graph)
            body = _Body(self, graph, shape, grids, path)
            limits = self._limits_in(graph, limit)
            for at, node in enumerate(graph.nodes):
                body.take(node, limits.get(at))
            self._made[key] = body.graph(), body.grids_of(graph.output)
        return self._made[key]

    def limits(self, graph: Graph, wanted: Mapping[int, Limit]) -> dict[int, Limit]:
        """How far the value of each node, and of the input, may be reduced where those that are wanted may be so far."""
        found = dict(wanted)
        for at in range(len(graph.nodes) - 1, INPUT, -1):
            node, limit = graph.nodes[at], found.get(at)
            if limit is None:
                continue
            inputs = node.inputs
            if isinstance(node.body, Graph):
                limit = self._limits_in(node.body, limit).get(INPUT)
            elif isinstance(node.body, Op):
                inputs = inputs[: node.body.lies_over]
                limit = _times(limit, node.body.enlarges)
            for value in inputs:
                found[value.node] = _nearer(found.get(value.node), limit)
        return found

    def _limits_in(self, graph: Graph, limit: Limit) -> dict[int, Limit]:
        """The same for a graph whose output may be reduced so far."""
        key = (graph, limit)
        if key not in self._limits:
            self._limited_steps += len(graph.nodes)
            _refuse_too_many(self._limited_steps, graph)
            self._limits[key] = self.limits(graph, {graph.output.node: limit})
        return self._limits[key]


def _refuse_too_many(steps: int, graph: Graph) -> None:
    """Equal calls whose maps are reduced in other ways are no longer equal, so there may be more than one can go through."""
    if steps > MAXIMUM_NODES:
        raise NotKept(f"with it this network has more than {MAXIMUM_NODES:,} different steps", None, graph.nodes[0])


class _Body:
    """One graph, node by node, for an input of a shape and on a grid that need not be its own."""

    def __init__(self, calls: _Calls, graph: Graph, input: Shape, grids: Grids, path: str) -> None:
        self.calls, self.old, self.input, self.path = calls, graph, input, path
        self.nodes: list[Node] = []
        self.grids: dict[int, Grids] = {INPUT: grids}

    def graph(self) -> Graph:
        """What became of the graph: itself, if nothing changed."""
        if (
            all(new is old for new, old in zip(self.nodes, self.old.nodes, strict=True))
            and self.input == self.old.input
        ):
            return self.old
        bindings = self._bindings() if self.old.definition else self.old.bindings
        graph = replace(self.old, input=self.input, nodes=tuple(self.nodes), bindings=bindings)
        self.calls.origins.graphs[graph] = self.old
        return graph

    def _bindings(self) -> dict[str, Any]:
        """What a block was told, where its own words for stride and dilation say what these are here, as torchvision's
        arguments do: the stride that is left, and the dilation of what stands before it."""
        told, grids = dict(self.old.bindings), [_flat([self.grids_of(at)]) for at in (Value(INPUT), self.old.output)]
        if all(grids):
            before, after = (each[0].spacing for each in grids)
            if isinstance(stride := told.get("stride"), int | tuple):
                old = pair(stride)
                told["stride"] = short((old[0] * before[0] // after[0], old[1] * before[1] // after[1]))
            if isinstance(dilation := told.get("dilation"), int | tuple):
                old = pair(dilation)
                told["dilation"] = short((old[0] * before[0], old[1] * before[1]))
        return told

    def shape_of(self, value: Value) -> Shape:
        """The shape of a value made so far."""
        shape = self.input if value.node == INPUT else self.nodes[value.node].shape
        return shape if value.item is None or not isinstance(shape, Streams) else shape[value.item]

    def grids_of(self, value: Value) -> Grids:
        """The grid of a value made so far."""
        grids = self.grids[value.node]
        return grids if value.item is None or grids is None or isinstance(grids, Grid) else grids[value.item]

    def take(self, node: Node, limit: Limit) -> None:
        """Adds what becomes of a node whose value may be reduced so far."""
        shapes = tuple(map(self.shape_of, node.inputs))
        grids = tuple(map(self.grids_of, node.inputs))
        try:
            body, shape, after = self._body(node, shapes, grids, limit)
        except OpError as error:
            help = None if isinstance(error, ShapesDiffer) else error.help
            raise NotKept(f"`{self._path_of(node)}`: {error}", help, node) from None
        if node.count > 1 and (shape, after) != (shapes[0], grids[0]):
            message = f"the repeats of `{self._path_of(node)}` differ, on maps as small as these"
            raise NotKept(message, "use a larger input", node)
        if _channels(shape) != _channels(node.shape):
            message = f"the weights would be others: `{self._path_of(node)}` gives {shape}, not {node.shape}"
            raise NotKept(message, "bring the map to one size before it, with `adaptive_avg_pool`", node)
        new = node if body is node.body and shape == node.shape else node._replace(body=body, shape=shape)
        if new is not node:
            self.calls.origins.nodes[new] = node
        self.grids[len(self.nodes)] = after
        self.nodes.append(new)

    def _path_of(self, node: Node) -> str:
        return f"{self.path}{node.shown_names()[0]}"

    def _body(
        self, node: Node, shapes: tuple[Shape, ...], grids: tuple[Grids, ...], limit: Limit
    ) -> tuple[Op | Graph | None, Shape, Grids]:
        """What is applied instead, the shape of what it gives, and its grid."""
        if node.body is None:
            return None, shapes[0], grids[0]
        if isinstance(node.body, Graph):
            shape, inner = (shapes[0], grids[0]) if len(shapes) == 1 else (Streams(shapes), grids)
            graph, after = self.calls.made(node.body, shape, inner, limit, f"{self._path_of(node)}.")
            return graph, graph.output_shape, after
        op, after = self._op(node, node.body.for_inputs(shapes), shapes, grids, limit)
        return op, op.infer(shapes), after

    def _op(
        self, node: Node, op: Op, shapes: tuple[Shape, ...], grids: tuple[Grids, ...], limit: Limit
    ) -> tuple[Op, Grids]:
        """The op on maps that were kept large, and the grid of what it gives."""
        if op.is_known and isinstance(node.shape, Streams) and len(node.shape) == len(grids) > 1:
            return op, grids  # each stream by itself
        grid = _only(_flat(grids[: op.lies_over]))
        if grid is None or not isinstance(node.shape, Map | Tokens | Streams):
            return op, None
        at = next(number for number, each in enumerate(grids) if each is not None)
        before, after = in_parts(self.old.shape_of(node.inputs[at]))[0], in_parts(node.shape)[0]
        shape = in_parts(shapes[at])[0]
        window = op.window
        if window is not None and isinstance(shape, Map) and isinstance(before, Map) and isinstance(after, Map):
            op, grid = _slide(op, window, before, after, shape, grid, limit)
        elif not op.is_known or (op.enlarges == _ONE and _size(before) != _size(after)):
            grid = _beside(op, before, after, grid)
        elif op.enlarges != _ONE:
            if grid.spacing != _ONE:
                raise OpError("this makes a map larger again whose stride would become dilation")
            grid = grid._replace(reduction=(grid.reduction[0] / op.enlarges[0], grid.reduction[1] / op.enlarges[1]))
        if limit is not None and any(by > most for by, most in zip(grid.reduction, limit, strict=True)):
            raise OpError(f"{_pixels(grid)} become one, and no stride is here that can become dilation")
        return op, (grid,) * len(node.shape) if isinstance(node.shape, Streams) else grid


# ---- grids ----------------------------------------------------------------------------------------------------------


def _slide(op: Op, window: Window, before: Map, after: Map, shape: Map, grid: Grid, limit: Limit) -> tuple[Op, Grid]:
    """An op that slides over a map, and the grid of what it gives. `before` and `after` are what it takes and gives in the
    network as it is written.

    Of a stride that leads beyond the limit, what is beyond it is turned. Where no map comes of it that is to be kept large
    (the keys of an attention, an auxiliary head), it takes up those that were turned before it.
    """
    steps, spacings, reductions, sizes = [], [], [], []
    for axis, stride in enumerate(window.stride):
        spacing, reduction = grid.spacing[axis], grid.reduction[axis]
        if limit is None and stride > 1:
            step, after_spacing = stride * spacing, 1
        else:
            step = _kept(stride, reduction, math.inf if limit is None else limit[axis])
            after_spacing = spacing * stride // step
            if after_spacing > MAXIMUM_INTEGER:
                raise OpError(f"strides of more than {MAXIMUM_INTEGER:,} in all would become dilation")
        steps.append(step)
        spacings.append(after_spacing)
        reductions.append(reduction * step)
        usual, wanted = before[axis + 1], after[axis + 1]
        size = -(-shape[axis + 1] // steps[axis])
        lost = shape[axis + 1] - spacing * (usual - wanted)
        sizes.append(
            lost if stride == 1 else max(spacings[axis] * (wanted - 1) + 1, min(size, spacings[axis] * wanted))
        )
    after_grid = Grid((reductions[0], reductions[1]), (spacings[0], spacings[1]))
    if grid.spacing == _ONE and tuple(steps) == window.stride:
        return op, after_grid
    spread = Spread(grid.spacing, (steps[0], steps[1]), shape[1:], (sizes[0], sizes[1]), before[1:])
    return op.dilate(spread), after_grid


def _kept(stride: int, reduction: float, limit: float) -> int:
    """How much of a stride stays a stride where a map is reduced so far: the largest part that does not lead beyond the limit."""
    if stride * reduction <= limit:
        return stride
    largest = min(stride, _LARGEST_PART)
    return next((part for part in range(largest, 1, -1) if stride % part == 0 and part * reduction <= limit), 1)


def _beside(op: Op, before: Shape, after: Shape, grid: Grid) -> Grid:
    """The grid behind an op of which only the shapes are known."""
    if grid.spacing != _ONE:
        raise OpError(
            f"what `{op.name}` does with a map is not known, so it cannot stand behind a stride that becomes dilation",
            "let a larger output stride turn no stride before it, or make it an op with a `role` or a `window`",
        )
    by = [max(1, round(old / new)) for old, new in zip(_size(before), _size(after), strict=True)]
    return grid._replace(reduction=(grid.reduction[0] * by[0], grid.reduction[1] * by[1]))


def _size(shape: Shape) -> Pair:
    """Height and width of what has them."""
    return (shape.height, shape.width) if isinstance(shape, Map | Tokens) else _ONE


def _pixels(grid: Grid) -> str:
    """How many pixels of the input one stands for, along the axis where these are more."""
    count = max(grid.reduction)
    return f"{count:g} pixels" if count <= MAXIMUM_INTEGER else f"more than {MAXIMUM_INTEGER:,} pixels"


def _flat(grids: Iterable[Grids]) -> list[Grid]:
    """All grids of some values, streams among them."""
    found = [_flat(each) if not isinstance(each, Grid) else [each] for each in grids if each is not None]
    return [grid for each in found for grid in each]


def _only(grids: list[Grid]) -> Grid | None:
    """The grid that some values have in common; None if they have none."""
    if any(grid.spacing != grids[0].spacing for grid in grids):
        raise OpError("before one of its values a stride would become dilation, and not before the others")
    return grids[0] if grids else None


def _nearer(limit: Limit, other: Limit) -> Limit:
    """The stricter of two limits, along each axis."""
    if limit is None or other is None:
        return limit or other
    return min(limit[0], other[0]), min(limit[1], other[1])


def _times(limit: Limit, factor: Pair) -> Limit:
    """A limit so many times farther: of what is made larger again and again, there is none at some point."""
    if limit is None or factor == _ONE:
        return limit
    height, width = (most * by for most, by in zip(limit, factor, strict=True))
    return height if height <= MAXIMUM_INTEGER else math.inf, width if width <= MAXIMUM_INTEGER else math.inf


def _channels(shape: Shape) -> tuple[Any, ...]:
    """What weights depend on, of a shape: all but the size of maps."""
    return tuple(_channels(part) if isinstance(part, Streams) else part.channels for part in in_parts(shape))
