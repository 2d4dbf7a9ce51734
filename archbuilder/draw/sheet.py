"""The sheet: a network on a page. A row of its stages, what they cost, each of its blocks once, a table, a legend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from archbuilder.analysis.cost import Costs
from archbuilder.analysis.numbers import abbreviate, with_unit
from archbuilder.analysis.summary import Row, Summary
from archbuilder.analysis.table import field_text
from archbuilder.draw.boxes import EDGES, LARGE, PLAIN, SMALL, Drafter, Drawing, moved, wrapped
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.model.figure import SHORTCUTS, Figure, Role, every_box
from archbuilder.draw.model.network import Definition, definitions_of, network_figure, one_box, rows_of, short
from archbuilder.draw.options import PIECES, WIDTHS, Piece, Width
from archbuilder.draw.scene import Line, Part, Rectangle, Scene, Shape, Text
from archbuilder.graph.shapes import Map, Streams, Tokens

MARGIN: Final = 10.0
_WIRINGS: Final = 2
"""In how many of its wirings a block is shown on a sheet; `definition` shows them all."""
_BETWEEN: Final = 14.0


class _Costly(NamedTuple):
    """One kind of cost: what it is called, the colour of its bar, and how much of it a row has."""

    name: str
    ink: str
    of: Callable[[Row], int | None]


_KINDS: Final = (
    _Costly("parameters", "parameters", lambda row: row.parameters),
    _Costly("MACs", "macs", lambda row: row.macs),
    _Costly("activations", "activations", lambda row: row.activations),
)


def sheet(summary: Summary, *, depth: int, width: Width, show: Sequence[Piece] | None) -> Scene:
    """A network on one sheet.

    Args:
        summary: the network.
        depth: how many levels of blocks are opened in the stages; -1 for the network as one box.
        width: how wide the sheet is; it becomes as high as it must.
        show: which pieces of it are there; by default those that say something new at this depth.
    """
    room = WIDTHS[width] - 2 * MARGIN
    drafter, figure = Drafter(room), network_figure(summary, depth=depth) if depth >= 0 else one_box(summary)
    definitions = definitions_of(summary.graph, Costs())
    pieces: list[Drawing] = [heading(summary.name or "network", described(summary), room)]
    if show is None or "network" in show:
        pieces += [as_figure(drawing, "network") for drawing in drafter.draw_wrapped(figure, rows_of(figure))]
    if show is None:  # where every block is open, its definition says nothing new
        show = [piece for piece in PIECES if depth <= 1 or piece != "definitions" or drafter.closed]
    if "costs" in show:
        pieces.append(_costs(summary.stages, room))
    if "definitions" in show and definitions:
        pieces.append(_definitions(definitions, drafter))
    if "table" in show:
        pieces.append(_table(summary.stages, summary, room))
    if "legend" in show:
        pieces.append(_legend([figure, *(each.figure for each in definitions)], room))
    return on_page(pieces, summary.name or "network", described(summary), WIDTHS[width])


def on_page(pieces: Sequence[Drawing], title: str, description: str, wide: float) -> Scene:
    """Drawings under each other, as a scene that is as wide as it must be."""
    shapes: list[Shape] = []
    y = MARGIN
    for piece in pieces:
        shapes += moved(piece.shapes, MARGIN, y)
        y += piece.height + _BETWEEN
    wide = max(wide, *(piece.width + 2 * MARGIN for piece in pieces))
    return Scene(wide, y - _BETWEEN + MARGIN, tuple(shapes), title, description)


def as_figure(drawing: Drawing, name: str) -> Drawing:
    """A drawing as one part, so that a reader of the file knows what its boxes belong to."""
    return replace(drawing, shapes=(Part(drawing.shapes, "", (("figure", name),)),))


def described(summary: Summary) -> str:
    """The facts of a network in a few words."""
    layers = f"{summary.layers} layer{'' if summary.layers == 1 else 's'}"
    macs = "MACs not known" if summary.macs is None else with_unit(summary.macs, "MACs")
    return f"{abbreviate(summary.parameters)} parameters · {macs} · {layers} · input {summary.graph.input}"


def heading(name: str, facts: str, room: float) -> Drawing:
    """A title, and what is to be known."""
    name = clipped(name, 12, room, bold=True)
    shapes: list[Shape] = [Text(0, 11, name, 12, bold=True)]
    beside = width(name, 12, bold=True) + 9
    y = 11.0
    if beside + width(facts, PLAIN) > room:
        beside, y = 0.0, 22.0
    for line in wrapped(facts, PLAIN, room - beside):
        shapes.append(Text(beside, y, line, PLAIN, "quiet"))
        y += PLAIN * 1.3
    return Drawing(tuple(shapes), room, y - PLAIN * 0.8)


# ---- costs ----------------------------------------------------------------------------------------------------------


def shares(counts: Sequence[int]) -> list[float]:
    """How many percent each is of their sum, with one digit, rounded so that they add up to 100."""
    total = sum(counts)
    if not total:
        return [0.0] * len(counts)
    tenths = [1000 * count // total for count in counts]
    left = sorted(range(len(counts)), key=lambda at: -(1000 * counts[at] % total))
    for at in left[: 1000 - sum(tenths)]:
        tenths[at] += 1
    return [each / 10 for each in tenths]


def _costs(rows: Sequence[Row], room: float) -> Drawing:
    """A bar for each kind of cost, of which each stage has its share; every other one is hatched."""
    start = max(width(kind.name, PLAIN) for kind in _KINDS) + 8
    shapes: list[Shape] = []
    y = 0.0
    for kind in _KINDS:
        counts = [kind.of(row) for row in rows]
        if None in counts or not sum(each or 0 for each in counts):
            continue
        shapes.append(Text(start - 6, y + 8.6, kind.name, PLAIN, "quiet", anchor="end"))
        x = start
        for number, (row, share) in enumerate(zip(rows, shares([each or 0 for each in counts]), strict=True)):
            wide = (room - start) * share / 100
            shapes.append(_bar(kind, row, share, (x, y, wide), hatched=number % 2 == 1))
            x += wide
        y += 21
    return Drawing(tuple(shapes), room, max(y - 3, 0))


def _bar(kind: _Costly, row: Row, share: float, at: tuple[float, float, float], *, hatched: bool) -> Part:
    x, y, wide = at
    shapes: list[Shape] = [Rectangle(x, y, wide, 9, kind.ink, "ground", 0.4, hatched=hatched)]
    label = f"{row.path} {share:g} %"
    for text in (label, f"{share:g} %"):
        if width(text, SMALL) + 2 <= wide:
            shapes.append(Text(x + wide / 2, y + 9 + SMALL, text, SMALL, "quiet", anchor="middle"))
            break
    return Part(tuple(shapes), f"{kind.name}: {label}", (("share", f"{share:g}"),))


# ---- definitions ----------------------------------------------------------------------------------------------------


def _definitions(definitions: Sequence[Definition], drafter: Drafter) -> Drawing:
    """Each definition under its name, as many beside each other as there is room for."""
    shapes: list[Shape] = []
    x = y = high = 0.0
    shown = most_used(definitions)
    for number, definition in enumerate(shown):
        is_last = all(other.name != definition.name for other in shown[number + 1 :])
        further = sum(other.name == definition.name for other in definitions) - _WIRINGS
        drawn = definition_drawing(definition, drafter, further if is_last else 0)
        if x and x + drawn.width > drafter.room:
            x, y, high = 0.0, y + high + 9, 0.0
        shapes += moved(drawn.shapes, x, y)
        x, high = x + drawn.width + 22, max(high, drawn.height)
    return Drawing(tuple(shapes), drafter.room, y + high)


def most_used(definitions: Sequence[Definition]) -> list[Definition]:
    """Those wirings of each block that are used in most stages, in the order of their first use."""
    shown: list[Definition] = []
    for definition in definitions:
        alike = [other for other in definitions if other.name == definition.name]
        if definition in sorted(alike, key=lambda each: -len(each.stages))[:_WIRINGS]:
            shown.append(definition)
    return shown


def definition_drawing(definition: Definition, drafter: Drafter, further: int = 0) -> Drawing:
    """A definition: its name, where it is used, and its wiring; how many `further` ones there are that are not shown."""
    figure = definition.figure
    over_streams = any(isinstance(box.gives, Streams) and not box.end for box in figure.boxes)
    parts = drafter.draw_wrapped(figure, rows_of(figure) if over_streams else None)
    where = definition.where() + (" · stride s" if definition.strides_differ else "")
    where += f" · wired in {further} more way{'s' if further > 1 else ''} elsewhere" if further > 0 else ""
    wide = max(part.width for part in parts)
    name = clipped(definition.name, LARGE, drafter.room, bold=True)
    lines = wrapped(where, SMALL, max(wide, 150))[:3]
    shapes: list[Shape] = [Text(0, LARGE, name, LARGE, bold=True)]
    y = LARGE + 9
    for line in lines:
        shapes.append(Text(0, y, line, SMALL, "quiet"))
        wide = max(wide, width(line, SMALL))
        y += SMALL * 1.25
    y -= 2
    for part in parts:
        shapes += moved(as_figure(part, f"{definition.name}#{definition.number}").shapes, 0, y)
        y += part.height + 8
    return Drawing(tuple(shapes), max(wide, width(name, LARGE, bold=True)), y - 8)


# ---- the table ------------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Row], summary: Summary, room: float) -> Drawing:
    """A row for each stage. Where there is no room for all columns, the last ones before the shares go."""
    columns = list(_columns(rows, summary))
    widths = [
        max(width(text, SMALL, bold=number == 0) for number, text in enumerate(cells)) + 9 for _, cells in columns
    ]
    while len(columns) > 2 and sum(widths) - 9 > room:
        gone = max(range(1, len(columns)), key=lambda at: (columns[at][0], at))
        del columns[gone], widths[gone]
    shapes: list[Shape] = []
    x = 0.0
    for number, ((_, cells), wide) in enumerate(zip(columns, widths, strict=True)):
        for line, text in enumerate(cells):
            shown, ink = clipped(text, SMALL, room - 2), "text" if line else "quiet"
            if number < 2:
                shapes.append(Text(x, SMALL + line * 9, shown, SMALL, ink, number == 0 < line))
            else:
                shapes.append(Text(x + wide - 9, SMALL + line * 9, shown, SMALL, ink, anchor="end"))
        x += wide
    rule = Line(((0, SMALL + 2.6), (max(x - 9, 10), SMALL + 2.6)), "faint", 0.6)
    return Drawing((*shapes, rule), x - 9, (len(rows) + 1) * 9 - 1)


def _columns(rows: Sequence[Row], summary: Summary) -> Iterator[tuple[int, list[str]]]:
    """The columns, each with how readily it goes where there is no room: 0 never."""
    yield 0, ["stage", *(clipped(row.path, SMALL, 90, bold=True) for row in rows)]
    yield 4, ["block", *(clipped(row.label, SMALL, 110) for row in rows)]
    yield 1, ["output", *(clipped(short(row.output_shape), SMALL, 90) for row in rows)]
    yield 2, ["stride", *(_stride(row, summary) for row in rows)]
    yield 3, ["field", *(field_text(row.receptive_field) for row in rows)]
    for kind, readiness in zip(_KINDS, (0, 0, 3), strict=True):
        counts = [kind.of(row) for row in rows]
        yield readiness, [kind.name, *map(abbreviate, counts)]
        if None not in counts:
            yield readiness + 1, ["%", *(f"{share:.1f}" for share in shares([each or 0 for each in counts]))]


def _stride(row: Row, summary: Summary) -> str:
    """For how many pixels of the input one of a row's output stands."""
    whole, part = summary.graph.input, row.output_shape
    if not isinstance(whole, Map) or not isinstance(part, Map | Tokens) or not part.height:
        return "–"
    return f"{max(1, round(whole.height / part.height))}"


# ---- the legend -----------------------------------------------------------------------------------------------------

_ROLES: Final[tuple[tuple[Role, str], ...]] = (
    ("convolution", "convolution"), ("linear", "linear"), ("norm", "norm"), ("activation", "activation"),
    ("pool", "pooling, resampling"), ("attention", "attention"), ("block", "block with a definition of its own"),
)  # fmt: skip


def _legend(figures: Sequence[Figure], room: float) -> Drawing:
    """What the colours and lines that occur mean."""
    boxes = [box for figure in figures for box in every_box(figure.boxes)]
    roles = {band.role for box in boxes for band in box.bands} | {box.role for box in boxes}
    kinds = {edge.kind for figure in figures for edge in figure.edges}
    items: list[tuple[Shape, str]] = [(_swatch(role), text) for role, text in _ROLES if role in roles]
    items += [
        (Line(((0, 4), (13, 4)), "line", *EDGES[kind]), text) for kind, text in SHORTCUTS.items() if kind in kinds
    ]
    if any(box.count > 1 for box in boxes):
        items.append((_swatch("stage"), "a stack: repeats, with weights of their own"))
    if any(box.in_training for box in boxes):
        items.append((replace(_swatch("block"), line="training", dash="dashed"), "there in training only"))
    shapes: list[Shape] = []
    x, y = 0.0, 0.0
    for sample, text in items:
        wide = 17 + width(text, SMALL)
        if x and x + wide > room:
            x, y = 0.0, y + 11
        shapes += moved((sample, Text(17, 6.4, text, SMALL, "quiet")), x, y)
        x += wide + 12
    return Drawing(tuple(shapes), room, y + 8)


def _swatch(role: Role) -> Rectangle:
    return Rectangle(0, 0.5, 13, 7, role, f"{role} line", 0.7, 1.5)
