"""What of a network is drawn: all of it, one of its steps, or one of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.facts import rows_inside
from archbuilder.analysis.summary import summarize
from archbuilder.diagnostics import suggest
from archbuilder.draw.boxes import Drafter
from archbuilder.draw.definitions import definition_drawing, most_used
from archbuilder.draw.model.figure import Figure
from archbuilder.draw.model.network import (
    Definition,
    definitions_beneath,
    definitions_of,
    network_figure,
    one_box,
    rows_of,
)
from archbuilder.draw.model.wiring import figure_of
from archbuilder.draw.options import WIDTHS, DrawingError, Piece, Style, Width
from archbuilder.draw.scene import Scene
from archbuilder.draw.sheet import MARGIN, costs_inside, described, heading, on_page, sheet
from archbuilder.draw.volumes import volumes
from archbuilder.graph.bounds import refuse_too_many, steps_in
from archbuilder.graph.graph import Graph

if TYPE_CHECKING:
    from archbuilder.analysis.measures import Where


class View(NamedTuple):
    """What to draw: `levels` is how many levels of blocks are opened, -1 if the network is one box."""

    graph: Graph
    levels: int
    style: Style
    focus: str | None
    definition: str | None
    show: tuple[Piece, ...] | None
    width: Width

    def title(self) -> str:
        """What is drawn, in a few words."""
        return self.definition or " · ".join(filter(None, (self.graph.name or "network", self.focus)))

    def facts(self) -> str:
        """What is to be known of what is drawn, in a line."""
        if self.definition is not None:
            return self._definitions(self.definition)[0].where()
        if self.focus is not None:
            _, body = _way_to(self.graph, self.focus)
            return f"{body.input} to {body.output_shape}"
        return described(summarize(self.graph))

    def scene(self) -> Scene:
        """The drawing with places.

        Raises:
            DrawingError: if there is no such step or block.
        """
        room = WIDTHS[self.width] - 2 * MARGIN
        if self.definition is not None:
            found, drafter = self._definitions(self.definition), Drafter(room)
            return on_page([definition_drawing(each, drafter) for each in found], self.definition, self.facts(), 0)
        if self.focus is not None:
            (around, _), summary = _way_to(self.graph, self.focus), summarize(self.graph)
            facts, figure = self.facts(), self.figure()
            drawings = Drafter(room).draw_wrapped(figure, rows_of(figure))
            below = costs_inside(rows_inside(around), summary, room)
            return on_page([heading(self.title(), facts, room), *drawings, *below], self.title(), facts, 0)
        summary = summarize(self.graph)
        self._refuse_too_many()
        if self.style == "volumes":
            return volumes(summary, width=self.width)
        return sheet(summary, depth=self.levels, width=self.width, show=self.show)

    def figure(self) -> Figure:
        """The boxes and edges of the network, the step or the block.

        Raises:
            DrawingError: if there is no such step or block.
        """
        self._refuse_too_many()
        if self.definition is not None:
            return self._definitions(self.definition)[0].figure
        if self.focus is not None:
            return figure_of(_way_to(self.graph, self.focus)[1], Costs(), depth=max(self.levels, 0))
        summary = summarize(self.graph)
        return one_box(summary) if self.levels < 0 else network_figure(summary, depth=self.levels)

    def figures(self) -> tuple[Figure, list[Definition]]:
        """The same, and what a whole network leaves to be told: the blocks in its boxes.

        Raises:
            DrawingError: if there is no such step or block.
        """
        figure = self.figure()
        if self.focus is not None or self.definition is not None or self.levels > 1:
            return figure, []
        return figure, most_used(definitions_beneath(figure, self.graph))

    def _refuse_too_many(self) -> None:
        """An open block is drawn as often as it is there."""
        if self.levels > 1:
            refuse_too_many(steps_in(self.graph), "shown")

    def _definitions(self, name: str) -> list[Definition]:
        every = definitions_of(self.graph, Costs())
        found = [each for each in every if each.name == name]
        if not found:
            raise DrawingError(
                _missing(f"no block `{name}` is used here", suggest(name, [each.name for each in every]))
            )
        return found


def _way_to(graph: Graph, path: str) -> tuple[Where, Graph]:
    """The nodes that lead to a step by its path, that included, and what is in it.

    Raises:
        DrawingError: if there is none, or it is one layer.
    """
    around, left = graph, path
    way: list[tuple[Graph, int, int]] = []
    while True:
        names = {name: number for number, node in enumerate(around.nodes) for name in node.all_names() if node.body}
        name = next(
            (name for name in sorted(names, key=len, reverse=True) if left == name or left.startswith(f"{name}.")), None
        )
        if name is None:
            raise DrawingError(_missing(f"there is no step `{path}` to look into", suggest(left, names)))
        body = around.nodes[names[name]].body
        if not isinstance(body, Graph):
            raise DrawingError(f"`{path}` is a single layer, so there is nothing in it to draw")
        way.append((around, names[name], names[name] + 1))
        if left == name:
            return tuple(way), body
        around, left = body, left[len(name) + 1 :]


def _missing(message: str, help: str | None) -> str:
    return f"{message}: {help}" if help else message
