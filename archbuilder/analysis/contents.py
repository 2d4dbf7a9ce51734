"""What stands in a stage as papers write it: the layers on its way, one over the other, and how often."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from archbuilder.graph.graph import INPUT, Graph, Node
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Streams

Lines: TypeAlias = tuple[str, ...]


class Run(NamedTuple):
    """Layers in order, each in a few words ("3×3, 64"), that are there `times` times; a block if `is_block`."""

    lines: Lines
    times: int = 1
    is_block: bool = True


class Contents:
    """What stands in the stages of networks; a block that is called often is looked through once."""

    def __init__(self) -> None:
        self._known: dict[Graph, Lines | None] = {}

    def of_nodes(self, nodes: Iterable[Node]) -> list[Run]:
        """What some steps of a network are, those that are alike together."""
        found: list[Run] = []
        for run in (run for node in nodes for run in self._of_node(node)):
            if found and not (run.is_block or found[-1].is_block):
                found[-1] = Run(found[-1].lines + run.lines, 1, is_block=False)
            elif found and found[-1].lines == run.lines:
                found[-1] = run._replace(times=found[-1].times + run.times)
            else:
                found.append(run)
        return found

    def _of_node(self, node: Node) -> list[Run]:
        body = node.body
        if isinstance(body, Graph):
            if not body.definition and body.listed:
                return self.of_nodes(body.nodes * node.count if len(body.nodes) * node.count < _MANY else body.nodes)
            lines = self.of_graph(body)
            if lines == () and not _has_layers(body):
                return []
            lines = lines or (body.definition or "steps",)
            return [Run(lines, node.count, is_block=len(lines) > 1 or node.count > 1)]
        line = layer(node, strides=True) if body is not None else None
        return [Run((line,) * node.count, 1, is_block=False)] if line else []

    def of_graph(self, graph: Graph) -> Lines | None:
        """The layers on the way through a block that has the most of them; None where there is no such way, since there are
        several values at once, or more than one of the ways side by side has layers."""
        if graph not in self._known:
            self._known[graph] = self._way(graph)
        return self._known[graph]

    def _way(self, graph: Graph) -> Lines | None:
        found: dict[int, Lines | None] = {INPUT: None if isinstance(graph.input, Streams) else ()}
        for number, node in enumerate(graph.nodes):
            found[number] = self._behind(graph, node, [found[value.node] for value in node.inputs])
        return found[graph.output.node]

    def _behind(self, graph: Graph, node: Node, before: list[Lines | None]) -> Lines | None:
        """The layers on the longest way to what a node gives."""
        body, way = node.body, before[0] if before else ()
        if isinstance(body, Op) and body.joins:
            known = [each for each in before if each is not None]
            with_layers = {each for each in known if each}
            if len(known) < len(before) or (len(with_layers) > 1 and not body.sums):
                return None
            return max(known, key=len)
        if way is None or isinstance(node.shape, Streams) or any(value.item is not None for value in node.inputs):
            return None
        if isinstance(body, Graph):
            inner = self.of_graph(body)
            if inner == () and body.definition and _has_layers(body):
                inner = (body.definition,)  # a gate, say, whose layers are beside the way
            return None if inner is None or len(way) + len(inner) * node.count > _MANY else way + inner * node.count
        line = layer(node, strides=False) if body is not None else None
        return (*way, *[line] * node.count) if line else way


def _has_layers(graph: Graph) -> bool:
    return any(op.counts_as_layer for _, _, op in graph.ops())


_MANY: Final = 40
"""More layers of one block than these are not listed."""


def layer(node: Node, *, strides: bool) -> str | None:
    """A layer in a few words, as papers have it: "3×3, 64"; None for what goes without saying, or has no weights and keeps the
    size of a map."""
    op = node.body
    if not isinstance(op, Op):
        return None
    if op.role == "linear":
        return f"{node.shape.channels}-d fc" if not isinstance(node.shape, Streams) else "fc"
    if op.role == "convolution" and op.window is not None and not isinstance(node.shape, Streams):
        kernel = "×".join(map(str, op.window.kernel))
        groups, channels = getattr(op, "groups", 1), getattr(op, "in_channels", 0)
        kind = "dw " if groups == channels > 1 else ""
        parts = f", C={groups}" if groups > 1 and not kind else ""
        return f"{kind}{kernel}, {node.shape.channels}{parts}{_stride(op) if strides else ''}"
    if op.role == "pooling" and strides:
        return (
            f"{'×'.join(map(str, op.window.kernel))} {op.name.replace('_', ' ')}{_stride(op)}"
            if op.window
            else op.label()
        )
    return op.label() if op.role == "attention" and op.counts_as_layer else None


def _stride(op: Op) -> str:
    stride = op.window.stride if op.window is not None else (1, 1)
    if set(stride) == {1}:
        return ""
    return f", stride {'×'.join(map(str, dict.fromkeys(stride)))}"
