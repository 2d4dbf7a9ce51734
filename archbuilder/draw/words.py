"""The words in a picture: names, shapes, widths and counts, each as short as it can be."""

from __future__ import annotations

from typing import Final

from archbuilder.analysis.numbers import abbreviate
from archbuilder.analysis.summary import Row
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens

_MAXIMUM_LINES: Final = 5


def channels_of(op: Op, before: Shape, after: Shape) -> str:
    """The channels of a convolution, before and after."""
    if op.role == "convolution" and isinstance(before, Map) and isinstance(after, Map):
        return f"{before.channels} → {after.channels}"
    return ""


def span(node: Node) -> str:
    """The names of a node's repeats: "1–5"."""
    names = node.shown_names()
    return names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}"


def repeats_of(node: Node) -> int:
    """How many blocks a stage has."""
    if isinstance(node.body, Graph) and not node.body.definition and node.body.listed:
        return node.count * sum(inner.count for inner in node.body.nodes if inner.body is not None)
    return node.count


def shape_label(shape: Shape) -> str:
    """A shape at an edge; of several streams the first and the last."""
    if isinstance(shape, Streams) and len(shape) > 2:
        return f"{shape[0]} … {shape[-1]}"
    return str(shape)


def widths_of(row: Row | None) -> list[str]:
    """The inner and the output width of a block, and its stride; of a block over streams, how many there are."""
    if row is None:
        return []
    before, after = row.input_shape, row.output_shape
    if isinstance(before, Streams) or isinstance(after, Streams):
        counts = [len(shape) if isinstance(shape, Streams) else 1 for shape in (before, after)]
        return [f"{counts[1]} streams" if counts[0] == counts[1] else f"{counts[0]} → {counts[1]} streams"]
    if not (isinstance(before, Map | Tokens) and isinstance(after, Map | Tokens)):
        return []
    narrower = row.inner_width not in (None, after.channels)
    width = f"inner {row.inner_width} → {after.channels}" if narrower else f"{after.channels} channels"
    down, across = _ratio(before.height, after.height), _ratio(before.width, after.width)
    if (down, across) == (1, 1):
        return [width]
    return [f"{width} · stride {down if down == across else f'{down}×{across}'}"]


def facts_of(row: Row | None) -> tuple[str, ...]:
    """What a row of the summary costs."""
    if row is None:
        return ()
    counts = ((row.parameters, "params"), (row.macs, "MACs"))
    return tuple(f"{abbreviate(count)} {unit}" for count, unit in counts if count != 0)


def _ratio(before: int, after: int) -> int:
    return max(1, round(before / after)) if after else 1


def at_most(lines: list[str]) -> list[str]:
    """Some lines, and how many more there are."""
    if len(lines) <= _MAXIMUM_LINES:
        return lines
    return [*lines[: _MAXIMUM_LINES - 1], f"and {len(lines) - _MAXIMUM_LINES + 1} more"]
