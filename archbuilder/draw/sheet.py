"""The sheet: a network on a page. A row of its stages, what they cost, each of its blocks once, a table, a legend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Final, NamedTuple

from archbuilder.analysis.numbers import abbreviate, with_unit
from archbuilder.analysis.summary import Row, Summary
from archbuilder.analysis.table import field_text
from archbuilder.draw.boxes import Drafter
from archbuilder.draw.definitions import definitions_drawing
from archbuilder.draw.drawing import EDGES, PLAIN, SMALL, Drawing, as_figure, moved, wrapped
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.model.figure import SHORTCUTS, TAP, TAPS, Figure, Role, every_box
from archbuilder.draw.model.network import Definition, definitions_beneath, network_figure, one_box, rows_of, short
from archbuilder.draw.options import PIECES, WIDTHS, Piece, Width
from archbuilder.draw.scene import Anchor, Line, Part, Rectangle, Scene, Shape, Text
from archbuilder.graph.shapes import Map, Tokens

MARGIN: Final = 10.0
PAGE: Final = 700.0
"""How high a page is: what is higher is drawn densely."""
_BETWEEN: Final = 14.0
_CLOSE: Final = 8.0
_BAR: Final = 30.0
"""How wide the bar of a whole cost is in the table at least."""


class _Costly(NamedTuple):
    """One kind of cost: what it is called, the colour of its bar, and how much of it a row has."""

    name: str
    ink: str | None
    of: Callable[[Row | Summary], int | None]


_KINDS: Final = (
    _Costly("parameters", "parameters", lambda row: row.parameters),
    _Costly("MACs", "macs", lambda row: row.macs),
    _Costly("activations", "activations", lambda row: row.activations),
)


def sheet(summary: Summary, *, depth: int, width: Width, show: Sequence[Piece] | None) -> Scene:
    """A network on one sheet, as dense as it must be for its page.

    Args:
        summary: the network.
        depth: how many levels of blocks are opened in the stages; -1 for the network as one box.
        width: how wide the sheet is; it becomes as high as it must.
        show: which pieces of it are there; by default those that say something new at this depth.
    """
    made = _Sheet(summary, depth, WIDTHS[width], show)
    scene = made.scene(dense=False)
    if depth == 0 and PAGE < scene.height < 2 * PAGE:  # what is higher than two pages is none when it is dense
        dense = made.scene(dense=True)
        return dense if dense.height < scene.height else scene
    return scene


@dataclass
class _Sheet:
    """A network while its sheet is made."""

    summary: Summary
    depth: int
    wide: float
    show: Sequence[Piece] | None

    @cached_property
    def figure(self) -> Figure:
        """The network's own figure."""
        return network_figure(self.summary, depth=self.depth) if self.depth >= 0 else one_box(self.summary)

    @cached_property
    def definitions(self) -> list[Definition]:
        """What it leaves to be told."""
        return definitions_beneath(self.figure, self.summary.graph)

    def scene(self, *, dense: bool) -> Scene:
        """The sheet. A `dense` one has its costs in the table, no thumbnails, and in words what can be told so."""
        summary, show, room = self.summary, self.show, self.wide - 2 * MARGIN
        drafter = Drafter(room, has_thumbnails=not dense)
        pieces: list[Drawing] = [heading(summary.name or "network", described(summary), room)]
        if show is None or "network" in show:
            drawn = drafter.draw_wrapped(self.figure, rows_of(self.figure))
            pieces += [as_figure(drawing, "network") for drawing in drawn]
        is_open = self.depth > 1 and not drafter.closed  # then definitions say nothing new
        if show is None:
            show = [piece for piece in PIECES if piece != "definitions" or not is_open]
        with_bars = dense and {"costs", "table"} <= {*show}
        if "costs" in show and not with_bars:
            pieces.append(_costs(summary.stages, room))
        if "definitions" in show and self.definitions:
            pieces.append(definitions_drawing(self.definitions, drafter, dense=dense))
        if "table" in show:
            pieces.append(_table(summary.stages, summary, room, with_bars=with_bars))
        if "legend" in show:
            others = () if is_open and "definitions" not in show else self.definitions
            pieces.append(_legend([self.figure, *(each.figure for each in others)], room))
        between = _CLOSE if dense else _BETWEEN
        return on_page(pieces, summary.name or "network", described(summary), self.wide, between)


def on_page(pieces: Sequence[Drawing], title: str, description: str, wide: float, between: float = _BETWEEN) -> Scene:
    """Drawings under each other, as a scene that is as wide as it must be."""
    shapes: list[Shape] = []
    y = MARGIN
    for piece in pieces:
        shapes += moved(piece.shapes, MARGIN, y)
        y += piece.height + between
    wide = max(wide, *(piece.width + 2 * MARGIN for piece in pieces))
    return Scene(wide, y - between + MARGIN, tuple(shapes), title, description)


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


def costs_inside(rows: Sequence[Row], summary: Summary, room: float) -> list[Drawing]:
    """What the steps in a step cost, in shares of the whole network: a strip and a table."""
    if not rows:
        return []
    return [_costs(rows, room, summary), _table(rows, summary, room, with_bars=False, of_all=True)]


def _shares(kind: _Costly, rows: Sequence[Row], whole: Summary | None) -> list[float] | None:
    """The share that each row has of a cost, of that of the whole network if it is given; None where it is not known."""
    counts = [kind.of(row) for row in rows]
    total = None if whole is None else kind.of(whole)
    if None in counts or (whole is not None and total is None):
        return None
    known = [each or 0 for each in counts]
    return shares(known) if total is None else shares([*known, total - sum(known)])[:-1]


def _costs(rows: Sequence[Row], room: float, whole: Summary | None = None) -> Drawing:
    """A bar for each kind of cost, of which each stage has its share; every other one is hatched. Where they are steps of a
    `whole` network, what else it costs is left free."""
    start = max(width(kind.name, PLAIN) for kind in _KINDS) + 8
    shapes: list[Shape] = []
    y = 0.0
    for kind in _KINDS:
        found = _shares(kind, rows, whole)
        if found is None or not any(found):
            continue
        shapes.append(Text(start - 6, y + 8.6, kind.name, PLAIN, "quiet", anchor="end"))
        x = start
        for number, (row, share) in enumerate(zip(rows, found, strict=True)):
            wide = (room - start) * share / 100
            shapes.append(_bar(kind, row.path, share, (x, y, wide), hatched=number % 2 == 1))
            x += wide
        if whole is not None:
            left = round(100 - sum(found), 1)
            free = kind._replace(ink=None)
            shapes.append(_bar(free, "elsewhere", left, (x, y, (room - start) * left / 100), hatched=False))
        y += 21
    return Drawing(tuple(shapes), room, max(y - 3, 0))


def _bar(kind: _Costly, name: str, share: float, at: tuple[float, float, float], *, hatched: bool) -> Part:
    x, y, wide = at
    line = "ground" if kind.ink else "faint"
    shapes: list[Shape] = [Rectangle(x, y, wide, 9, kind.ink, line, 0.4, hatched=hatched)]
    label = f"{name} {share:g} %"
    for text in (label, f"{share:g} %"):
        if width(text, SMALL) + 2 <= wide:
            shapes.append(Text(x + wide / 2, y + 9 + SMALL, text, SMALL, "quiet", anchor="middle"))
            break
    return Part(tuple(shapes), f"{kind.name}: {label}", (("share", f"{share:g}"),))


# ---- the table ------------------------------------------------------------------------------------------------------


_LINES: Final = 4
"""Lines that a cell of the table has at most."""


class _Column(NamedTuple):
    """A column of the table, whose cells may have several lines, and how readily it goes where there is no room: 0 never.
    `shares` are drawn as bars of an `ink`."""

    cells: list[str]
    readiness: int
    shares: Sequence[float] = ()
    kind: _Costly = _KINDS[0]


def _table(rows: Sequence[Row], summary: Summary, room: float, *, with_bars: bool, of_all: bool = False) -> Drawing:
    """A row for each stage, or step, of which shares are `of_all`; they are `with_bars` or without. Where there is no room for
    all columns, the last ones before the shares go."""
    columns = list(_columns(rows, summary, with_bars=with_bars, of_all=of_all))
    bars = sum(len(each.shares) > 0 for each in columns)
    widths = [
        max(width(part, SMALL, bold=number == 0) for text in each.cells for part in text.split("\n")) + 9
        for number, each in enumerate(columns)
    ]
    while len(columns) > 2 and sum(widths) - 9 + _BAR * bars > room:
        gone = max(range(1, len(columns)), key=lambda at: (columns[at].readiness, at))
        del columns[gone], widths[gone]
    longest = (room + 9 - sum(widths)) / bars if bars else 0.0
    heights = [max(each.cells[line].count("\n") for each in columns) + 1 for line in range(len(rows) + 1)]
    tops = list(accumulate((9 * height for height in heights), initial=0))
    shapes: list[Shape] = []
    x = 0.0
    for number, (column, wide) in enumerate(zip(columns, widths, strict=True)):
        end = x + wide - 9
        for line, text in enumerate(column.cells):
            at: tuple[float, Anchor] = (x, "start") if number < 2 else (end, "end")
            ink, is_bold = "text" if line else "quiet", number == 0 < line
            for further, part in enumerate(text.split("\n")):
                shown, y = clipped(part, SMALL, room - 2, bold=is_bold), SMALL + tops[line] + 9 * further
                shapes.append(Text(at[0], y, shown, SMALL, ink, is_bold, at[1]))
        for line, (row, share) in enumerate(zip(rows, column.shares, strict=False)):
            bar = Rectangle(
                end + 3,
                1.8 + tops[line + 1],
                (longest - 3) * share / 100,
                6,
                column.kind.ink,
                None,
                hatched=line % 2 == 1,
            )
            shapes.append(Part((bar,), f"{column.kind.name}: {row.path} {share:g} %", (("share", f"{share:g}"),)))
        x += wide + longest * (len(column.shares) > 0)
    rule = Line(((0, SMALL + 2.6), (max(x - 9, 10), SMALL + 2.6)), "faint", 0.6)
    return Drawing((*shapes, rule), x - 9, tops[-1] - 1)


def _columns(rows: Sequence[Row], summary: Summary, *, with_bars: bool, of_all: bool) -> Iterator[_Column]:
    yield _Column(["step" if of_all else "stage", *(clipped(row.path, SMALL, 90, bold=True) for row in rows)], 0)
    if not with_bars:
        yield _Column(["block", *("\n".join(wrapped(row.label, SMALL, 110)[:_LINES]) for row in rows)], 4)
    yield _Column(["output", *(clipped(short(row.output_shape), SMALL, 90) for row in rows)], 1)
    yield _Column(["stride", *(_stride(row, summary) for row in rows)], 2)
    yield _Column(["field", *(field_text(row.receptive_field) for row in rows)], 3)
    for kind, readiness in zip(_KINDS, (0, 0, 3), strict=True):
        counts = [kind.of(row) for row in rows]
        yield _Column([kind.name, *map(abbreviate, counts)], readiness)
        found = _shares(kind, rows, summary if of_all else None)
        if found is not None:
            cells = ["%", *(f"{share:.1f}" for share in found)]
            yield _Column(cells, 0 if with_bars else readiness + 1, found if with_bars else (), kind)


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
    if any(box.is_each or box.name.startswith("for ") for box in boxes):
        items.append((_swatch("other"), "for i in n: i = 0 … n − 1, one for each"))
    if any(box.taps or box.name.startswith(TAP) for box in boxes):
        items.append((Text(6.5, 6.4, TAP, SMALL, "quiet", anchor="middle"), TAPS))
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
