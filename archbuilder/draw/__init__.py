"""Drawings of a network, `render` makes one; of several `compare`, of two and what differs `render_difference`.

A graph becomes a `Figure` (`wiring`, `network`, `streams`), which knows no places; a layout (`grid`, `routes`, `arrange`) gives
it places; `boxes` and `sheet` make a `Scene` of placed shapes; outputs (`svg`, `png`, `pdf`, `tikz`) write that down. Mermaid
and DOT have layouts of their own, so they are written from the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from archbuilder.draw.options import (
    DEPTHS,
    FORMATS,
    PIECES,
    THEMES,
    Depth,
    DrawingError,
    Format,
    OptionError,
    Piece,
    Style,
    Theme,
    Width,
)
from archbuilder.graph.graph import Graph, expect_graph

if TYPE_CHECKING:
    from archbuilder.analysis.summary import Summary
    from archbuilder.comparison.facts import Facts
    from archbuilder.draw.scene import Scene

_LEVELS: Final[dict[Depth, int]] = {"model": -1, "stage": 0, "block": 1, "layer": 100}


class Rendered(bytes):
    """A drawing as the bytes of a file. A notebook shows it, if it is SVG or PNG."""

    format: Format

    def __new__(cls, data: bytes, format: Format) -> Self:
        """The bytes of a drawing in a format."""
        made = super().__new__(cls, data)
        made.format = format
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Rendered, (bytes(self), self.format)

    def __repr__(self) -> str:
        return f"Rendered({self.format}, {len(self):,} bytes)"

    def _repr_svg_(self) -> str | None:
        return self.decode() if self.format == "svg" else None

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.format == "png" else None


def render(
    graph: Graph,
    *,
    format: Format = "svg",
    depth: Depth = "stage",
    style: Style = "sheet",
    focus: str | None = None,
    definition: str | None = None,
    show: Sequence[Piece] | None = None,
    theme: Theme = "light",
    width: Width = "page",
) -> Rendered:
    """The drawing of a network: the bytes of a file, which a notebook shows.

    Args:
        graph: the network.
        format: what the file is; "mermaid", "dot" and "tikz" are texts (UTF-8).
        depth: how much of a network is seen. Repeats are one box.
        style: "sheet", or "volumes" for maps as boxes in perspective.
        focus: the path of a step ("layer3", "layer3.0"), to draw what is in it alone.
        definition: the name of a block, to draw its wiring alone.
        show: what there is on a sheet; by default everything, at depth "layer" no definitions.
        theme: the colours.
        width: how wide the drawing is; texts are never smaller than 6 points at that width.

    Raises:
        DrawingError: if there is no such step or block, or something said has no effect beside the rest.
        ValueError: for a word that is none of those above.
    """
    expect_graph(graph)
    pieces = tuple(("piece", piece, Piece) for piece in show or ())
    words = (("format", format, Format), ("depth", depth, Depth), ("style", style, Style), ("theme", theme, Theme))
    _refuse_unknown((*words, ("width", width, Width), *pieces))
    for word, beside in _idle(format, depth, style, focus, definition, show, width):
        raise OptionError(f"{word} has no effect beside {beside}", word)
    # Only who draws waits for what draws; commands that name a format do not.
    from archbuilder.draw.views import View

    view = View(graph, _LEVELS[depth], style, focus, definition, tuple(show) if show is not None else None, width)
    if format == "mermaid":
        from archbuilder.draw.outputs.mermaid import to_mermaid

        return Rendered(to_mermaid(*view.figures(), theme, view.title(), view.facts()).encode(), format)
    if format == "dot":
        from archbuilder.draw.outputs.dot import to_dot

        return Rendered(to_dot(*view.figures(), theme, view.title(), view.facts()).encode(), format)
    return Rendered(_written(view.scene(), format, theme), format)


def compare(
    networks: Sequence[Summary], *, format: Format = "svg", theme: Theme = "light", width: Width = "page"
) -> Rendered:
    """A plot of networks, by their parameters and their multiply-accumulates: the bytes of a file, which a notebook shows.

    Args:
        networks: their summaries.
        format: what the file is; neither "mermaid" nor "dot", which are for graphs.
        theme: the colours.
        width: how wide the plot is; it gets as high as the names want.

    Raises:
        DrawingError: if there is nothing to be drawn, or too much, or the format is for graphs.
        ValueError: for a word that is none of those above.
    """
    _refuse_unknown((("format", format, Format), ("theme", theme, Theme), ("width", width, Width)))
    _refuse_graphs(format, "a plot")
    from archbuilder.draw.plot import plot

    return Rendered(_written(plot(networks, width), format, theme), format)


def render_difference(
    difference: Facts, *, format: Format = "svg", theme: Theme = "light", width: Width = "page"
) -> Rendered:
    """Two networks under each other, with a mark at each stage that differs, and what differs in words.

    Args:
        difference: what `diff` gives.
        format: what the file is; neither "mermaid" nor "dot", which are for graphs.
        theme: the colours. Marks differ in their signs and frames, too.
        width: how wide the drawing is.

    Raises:
        DrawingError: if the format is for graphs.
        ValueError: for a word that is none of those above.
        TooManyStepsError: a `ValueError`: more differs than one can read.
    """
    _refuse_unknown((("format", format, Format), ("theme", theme, Theme), ("width", width, Width)))
    _refuse_graphs(format, "a difference")
    from archbuilder.draw.differences import both

    return Rendered(_written(both(difference, width), format, theme), format)


def _refuse_unknown(words: Iterable[tuple[str, object, object]]) -> None:
    for what, given, known in words:
        if given not in get_args(known):
            raise ValueError(f"unknown {what} {given!r}: expected one of {', '.join(get_args(known))}")


def _refuse_graphs(format: Format, what: str) -> None:
    if format in ("mermaid", "dot"):
        others = ", ".join(each for each in FORMATS if each not in ("mermaid", "dot"))
        raise OptionError(f"{format} is for graphs, and {what} is none: write one of {others}", "format")


def _idle(
    format: Format, depth: Depth, style: Style, focus: str | None, definition: str | None, show: object, width: Width
) -> Iterator[tuple[str, str]]:
    """What would not be seen in a drawing, each with what it has no effect beside."""
    places = {"mermaid": "Mermaid, which has a layout of its own", "dot": "DOT, which has no layout"}.get(format)
    if places is not None:
        yield from ((word, places) for word, said in (("show", show), ("width", width != "page")) if said)
        yield from [("style", places)] * (style != "sheet")
    said = [word for word, value in (("focus", focus), ("definition", definition), ("show", show)) if value is not None]
    if style == "volumes":
        yield from ((word, "style volumes, which shows a whole network") for word in said)
        yield from [("depth", "style volumes, which shows its maps")] * (depth != "stage")
    if focus is not None and definition is not None:
        yield "focus", "definition"
    if show is not None and (focus is not None or definition is not None):
        yield "show", said[0]


def _written(scene: Scene, format: Format, theme: Theme) -> bytes:
    """A scene in a format of placed shapes. What writes it is imported only where it is asked for."""
    if format == "svg":
        from archbuilder.draw.outputs.svg import to_svg

        return to_svg(scene, theme).encode()
    if format == "png":
        from archbuilder.draw.outputs.png import to_png

        return to_png(scene, theme)
    if format == "pdf":
        from archbuilder.draw.outputs.pdf import to_pdf

        return to_pdf(scene, theme)
    from archbuilder.draw.outputs.tikz import to_tikz

    return to_tikz(scene, theme).encode()


__all__ = [
    "DEPTHS", "FORMATS", "PIECES", "THEMES", "Depth", "DrawingError", "Format", "OptionError", "Piece", "Rendered", "Style",
    "Theme", "Width", "compare", "render", "render_difference",
]  # fmt: skip
