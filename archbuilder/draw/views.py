"""What of a network is drawn: all of it, one of its steps, or one of its blocks."""

from __future__ import annotations

from typing import NamedTuple

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.summary import summarize
from archbuilder.diagnostics import suggest
from archbuilder.draw import DrawingError, Format, Piece, Style, Theme, Width
from archbuilder.draw.boxes import Drafter, Drawing
from archbuilder.draw.figure import Figure
from archbuilder.draw.network import definitions_of, network_figure, one_box, rows_of
from archbuilder.draw.scene import Scene
from archbuilder.draw.sheet import MARGIN, WIDTHS, definition_drawing, described, heading, on_page, sheet
from archbuilder.draw.wiring import figure_of
from archbuilder.graph.bounds import refuse_too_many, steps_in
from archbuilder.graph.graph import Graph


class View(NamedTuple):
    """What to draw: `levels` is how many levels of blocks are opened, -1 if the network is one box."""

    graph: Graph
    levels: int
    style: Style
    focus: str | None
    definition: str | None
    show: tuple[Piece, ...] | None
    width: Width


def scene_of(view: View) -> Scene:
    """The scene of a view.

    Raises:
        DrawingError: if there is no such step or block.
    """
    if view.levels > 1:
        refuse_too_many(steps_in(view.graph), "shown")
    room = WIDTHS[view.width] - 2 * MARGIN
    if view.definition is not None:
        found = [each for each in definitions_of(view.graph, Costs()) if each.name == view.definition]
        if not found:
            names = [each.name for each in definitions_of(view.graph, Costs())]
            raise DrawingError(_missing(f"no block `{view.definition}` is used here", suggest(view.definition, names)))
        drafter = Drafter(room)
        return on_page([definition_drawing(each, drafter) for each in found], view.definition, found[0].where(), 0)
    if view.focus is not None:
        body = _body_at(view.graph, view.focus)
        figure = figure_of(body, Costs(), depth=max(view.levels, 0))
        title = f"{view.graph.name} · {view.focus}" if view.graph.name else view.focus
        drawn: list[Drawing] = [heading(title, f"{body.input} to {body.output_shape}", room)]
        return on_page([*drawn, *Drafter(room).draw_wrapped(figure, rows_of(figure))], title, title, 0)
    summary = summarize(view.graph)
    if view.style == "volumes":
        from archbuilder.draw.volumes import volumes

        return volumes(summary, width=view.width)
    return sheet(summary, depth=view.levels, width=view.width, show=view.show)


def figure_text(view: View, format: Format, theme: Theme) -> str:
    """A view in a language that has a layout of its own."""
    title = view.definition or view.focus or view.graph.name or "network"
    if format == "dot":
        from archbuilder.draw.dot import to_dot

        return to_dot(_figure(view), theme, title)
    from archbuilder.draw.mermaid import to_mermaid

    return to_mermaid(_figure(view), theme, title)


def _figure(view: View) -> Figure:
    if view.definition is not None:
        for each in definitions_of(view.graph, Costs()):
            if each.name == view.definition:
                return each.figure
        raise DrawingError(f"no block `{view.definition}` is used here")
    if view.focus is not None:
        return figure_of(_body_at(view.graph, view.focus), Costs(), depth=max(view.levels, 0))
    summary = summarize(view.graph)
    return one_box(summary) if view.levels < 0 else network_figure(summary, depth=view.levels)


def _body_at(graph: Graph, path: str) -> Graph:
    """The graph of a step, by its path.

    Raises:
        DrawingError: if there is none, or it is one layer.
    """
    around, left = graph, path
    while True:
        names = {name: node for node in around.nodes for name in node.all_names() if node.body is not None}
        name = next(
            (name for name in sorted(names, key=len, reverse=True) if left == name or left.startswith(f"{name}.")), None
        )
        if name is None:
            raise DrawingError(_missing(f"there is no step `{path}` to look into", suggest(left, names)))
        body = names[name].body
        if not isinstance(body, Graph):
            raise DrawingError(f"`{path}` is a single layer, so there is nothing in it to draw")
        if left == name:
            return body
        around, left = body, left[len(name) + 1 :]


def _missing(message: str, help: str | None) -> str:
    return f"{message}: {help}" if help else message


__all__ = ["View", "described", "figure_text", "scene_of"]
