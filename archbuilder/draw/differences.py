"""Two networks under each other, with a mark at each stage that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from archbuilder.comparison.facts import Facts, Stage
from archbuilder.comparison.texts import in_a_line, in_lines
from archbuilder.draw.drawing import PLAIN, SMALL, Drawing, moved, wrapped
from archbuilder.draw.fonts import CAPITAL, width
from archbuilder.draw.options import WIDTHS, Width
from archbuilder.draw.scene import Circle, Dash, Ink, Line, Part, Rectangle, Scene, Shape, Text
from archbuilder.draw.sheet import MARGIN, heading, on_page, sheet


class _Mark(NamedTuple):
    """How a stage is marked: what is said of it, its sign ("" for none), its colour, and how its frame is drawn."""

    words: str
    sign: str
    ink: Ink
    dash: Dash


_CHANGED: Final = _Mark("changed", "≠", "macs", "dashed")
_FOLLOWS: Final = _Mark("differs because of what changed elsewhere", "", "macs", "dotted")
_REMOVED: Final = _Mark("only here", "−", "training", "solid")
_ADDED: Final = _Mark("only here", "+", "activations", "solid")
_OUT: Final = 0.7
"""How far a mark's frame is from the card that it is around."""
_SIGN: Final = 4.2


def both(facts: Facts, wide: Width) -> Scene:
    """Two networks under each other, as rows of their stages, with what differs in words above and marks at stages.

    Raises:
        TooManyStepsError: if there is too much to be read.
    """
    room = WIDTHS[wide] - 2 * MARGIN
    title, _, count = in_a_line(facts).partition(": ")
    pieces = [heading(title, count, room), *_said(facts, room)]
    marks = [(stage, mark) for stage in facts.stages if (mark := _mark_of(facts, stage)) is not None]
    for summary, side in ((facts.a, "a"), (facts.b, "b")):
        scene = sheet(summary, depth=0, width=wide, show=["network"])
        known = {part.name: mark for stage, mark in marks if (part := getattr(stage.pair, side)) is not None}
        shapes = (*scene.shapes, *_marks(scene, known))
        pieces.append(Drawing(moved(shapes, -MARGIN, -MARGIN), scene.width - 2 * MARGIN, scene.height - 2 * MARGIN))
    used = list(dict.fromkeys(mark for _, mark in marks))
    if used:
        pieces.append(_legend(used, room))
    return on_page(pieces, title, "; ".join(in_lines(facts)) or count, WIDTHS[wide])


def _said(facts: Facts, room: float) -> Iterator[Drawing]:
    """What differs, in words."""
    shapes: list[Shape] = []
    y = 0.0
    for said in in_lines(facts):
        for line in wrapped(said, PLAIN, room):
            y += PLAIN * 1.35
            shapes.append(Text(0, y, line, PLAIN))
    if shapes:
        yield Drawing(tuple(shapes), room, y)


def _mark_of(facts: Facts, stage: Stage) -> _Mark | None:
    if stage.pair.a is None or stage.pair.b is None:
        return _ADDED if stage.pair.a is None else _REMOVED
    if stage.statements or any(stage.name in repeated.stages for repeated in facts.repeated):
        return _CHANGED
    return _FOLLOWS if stage.pair.kind == "changed" else None


def _marks(scene: Scene, known: Mapping[str, _Mark]) -> Iterator[Part]:
    """The marks of the stages of one network."""
    for part in scene.parts():
        name = dict(part.facts).get("box", "")
        frames = [shape for shape in part.shapes if isinstance(shape, Rectangle)]
        if name in known and frames:
            yield _around(name, frames, known[name])


def _around(name: str, frames: list[Rectangle], mark: _Mark) -> Part:
    """A frame around a card, with a sign at its corner."""
    left, top = (min(each) - _OUT for each in ((f.x for f in frames), (f.y for f in frames)))
    right, bottom = max(f.x + f.width for f in frames) + _OUT, max(f.y + f.height for f in frames) + _OUT
    frame = Rectangle(left, top, right - left, bottom - top, None, mark.ink, 1.5, 3.0, dash=mark.dash)
    shapes: list[Shape] = [frame, *(_sign(left, top, mark) if mark.sign else ())]
    return Part(tuple(shapes), f"{name}: {mark.words}", (("mark", mark.words), ("of", name)))


def _sign(x: float, y: float, mark: _Mark) -> tuple[Shape, ...]:
    text = Text(x, y + CAPITAL * SMALL / 2, mark.sign, SMALL, bold=True, anchor="middle")
    return Circle(x, y, _SIGN, "ground", mark.ink, 1.2), text


def _legend(used: list[_Mark], room: float) -> Drawing:
    """What the marks mean."""
    shapes: list[Shape] = []
    x, y = _SIGN, PLAIN + 2
    for mark in used:
        told = mark.words if mark.words != "only here" else f"only in the {'second' if mark is _ADDED else 'first'}"
        if x + 26 + width(told, SMALL) > room:
            x, y = _SIGN, y + PLAIN * 1.7
        shapes.append(Line(((x, y), (x + 16, y)), mark.ink, 1.5, mark.dash))
        shapes += _sign(x, y, mark) if mark.sign else ()
        shapes.append(Text(x + 20, y + CAPITAL * SMALL / 2, told, SMALL, "quiet"))
        x += 34 + width(told, SMALL)
    return Drawing(tuple(shapes), room, y + PLAIN)
