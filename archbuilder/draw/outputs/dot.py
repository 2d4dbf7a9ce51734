"""A figure as DOT, for those who lay it out themselves. What comes from a spec is escaped by the package graphviz."""

from __future__ import annotations

from collections.abc import Sequence

import graphviz

from archbuilder.diagnostics import printable
from archbuilder.draw.model.figure import Box, Figure
from archbuilder.draw.model.network import Definition
from archbuilder.draw.options import Theme
from archbuilder.draw.theme import inks

_STYLES = {"main": "solid", "identity": "bold", "plain": "dotted", "projection": "dashed", "exchange": "solid"}


def to_dot(figure: Figure, definitions: Sequence[Definition], theme: Theme, title: str, facts: str) -> str:
    """The text of a directed graph from left to right, in the colours of a theme; beside it a cluster for each definition."""
    colours = inks(theme)
    label = "\\n".join(map(_escaped, (title, facts)))
    graph = graphviz.Digraph(
        graph_attr={"rankdir": "LR", "label": label, "labelloc": "t", "charset": "UTF-8", "bgcolor": colours["ground"]},
        node_attr={"shape": "box", "style": "rounded,filled", "fontname": "Arial"},
        edge_attr={"fontname": "Arial", "color": colours["line"], "fontcolor": colours["quiet"]},
    )  # fmt: skip
    _fill(graph, figure, "", colours)
    for number, each in enumerate(definitions):
        attributes = {"label": _escaped(each.title()), "style": "rounded,dashed"}
        with graph.subgraph(name=f"cluster_definition{number}", graph_attr=attributes) as inner:
            _fill(inner, each.figure, f"definition{number}_", colours)
    return str(graph.source)


def _fill(graph: graphviz.Digraph, figure: Figure, prefix: str, colours: dict[str, str]) -> None:
    """Adds the boxes of a figure and its edges; an open box is a cluster, which edges reach where values enter and leave."""
    names: dict[str, tuple[str, str]] = {}
    for number, box in enumerate(figure.boxes):
        key = f"{prefix}{number}"
        names[box.id] = key, key
        if box.is_open and box.inside is not None:
            with graph.subgraph(name=f"cluster_{key}", graph_attr={"label": _text(box), "style": "rounded"}) as inner:
                _fill(inner, box.inside, f"{key}_", colours)
            last = len(box.inside.boxes) - 1
            names[box.id] = f"{key}_0", f"{key}_{last}"
        elif box.end:
            graph.node(key, _escaped(box.name), shape="plain" if box.name else "point", fillcolor=colours["ground"])
        else:
            look = {
                "fillcolor": colours[box.role],
                "color": colours[f"{box.role} line"],
                "fontcolor": colours[f"{box.role} text"],
            }
            graph.node(key, _text(box), **({"shape": "circle"} if box.sign else {}), **look)
    for edge in figure.edges:
        label = {"label": _escaped(edge.label)} if edge.label else {}
        graph.edge(
            names[edge.source][1],
            names[edge.target][0],
            style=_STYLES[edge.kind],
            **label,
            **_ports(edge.item, edge.position),
        )


def _ports(item: int | None, position: int) -> dict[str, str]:
    """Which value it is, and which input, where there may be several."""
    tail = {} if item is None else {"taillabel": str(item)}
    return tail | ({"headlabel": str(position)} if position else {})


def _text(box: Box) -> str:
    if box.sign:
        return _escaped(box.sign)
    return "\\n".join(_escaped(line) for line in box.lines)


def _escaped(text: str) -> str:
    """A text in which nothing means anything to DOT."""
    return graphviz.escape(printable(text[:200]))
