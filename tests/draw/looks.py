"""What must hold for every drawing, looked for in the places of its shapes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

from archbuilder.draw.fonts import width
from archbuilder.draw.scene import Circle, Line, Part, Point, Rectangle, Scene, Shape, Text

SMALLEST = 6.0
CLOSE = 0.35
"""Points by which shapes may touch."""


class Area(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        return (
            self.left + CLOSE < other.right
            and other.left + CLOSE < self.right
            and self.top + CLOSE < other.bottom
            and other.top + CLOSE < self.bottom
        )

    def holds(self, other: Area) -> bool:
        return (
            self.left - CLOSE <= other.left
            and self.top - CLOSE <= other.top
            and other.right <= self.right + CLOSE
            and other.bottom <= self.bottom + CLOSE
        )


def area_of_text(text: Text) -> Area:
    wide = width(text.text, text.size, bold=text.bold)
    left = text.x - {"start": 0, "middle": wide / 2, "end": wide}[text.anchor]
    return Area(left, text.y - 0.72 * text.size, left + wide, text.y + 0.2 * text.size)


def outline(part: Part) -> Area | None:
    """The area of a box: of its rectangles and circles, not of what stands in it."""
    areas = []
    for shape in part.shapes:
        if isinstance(shape, Rectangle):
            areas.append(Area(shape.x, shape.y, shape.x + shape.width, shape.y + shape.height))
        elif isinstance(shape, Circle):
            areas.append(
                Area(*(c - shape.radius for c in (shape.x, shape.y)), *(c + shape.radius for c in (shape.x, shape.y)))
            )
    if not areas:
        return None
    return Area(
        min(a.left for a in areas), min(a.top for a in areas), max(a.right for a in areas), max(a.bottom for a in areas)
    )


def faults(scene: Scene) -> list[str]:
    """All that is wrong with how a scene looks, in words."""
    found: list[str] = []
    page = Area(0, 0, scene.width, scene.height)
    texts = [shape for shape in scene.flat() if isinstance(shape, Text)]
    areas = [area_of_text(text) for text in texts]
    found += [f"`{text.text}` is {text.size} points" for text in texts if text.size < SMALLEST]
    found += [f"`{text.text}` leaves the page" for text, area in zip(texts, areas, strict=True) if not page.holds(area)]
    for (one, first), (two, second) in combinations(list(zip(texts, areas, strict=True)), 2):
        if first.overlaps(second):
            found.append(f"`{one.text}` lies over `{two.text}` at {first}")
    for siblings in _levels(scene.shapes):
        found += _between(siblings)
    return found


def faults_of_lines(scene: Scene) -> list[str]:
    """What is wrong with the lines of boxes and edges: one runs through a text, or is that of another value as well."""
    found = [*_struck(scene)]
    for parts in _levels(scene.shapes):
        lines: dict[tuple[Point, ...], dict[str, str]] = {}
        for part in parts:
            facts = dict(part.facts)
            for line in (shape for shape in part.shapes if isinstance(shape, Line) and "to" in facts):
                other = lines.setdefault(line.points, facts)
                if [other.get(key) for key in ("from", "item")] != [facts.get(key) for key in ("from", "item")]:
                    found.append(f"{facts} lies over {other}")
    return found


def _struck(scene: Scene) -> Iterator[str]:
    pieces = [piece for line in scene.flat() if isinstance(line, Line) for piece in pairwise(line.points)]
    for text in (shape for shape in scene.flat() if isinstance(shape, Text)):
        area = area_of_text(text)
        if any(_passes(one, two, area) for one, two in pieces):
            yield f"`{text.text}` stands on a line at {area}"


def _passes(one: Point, two: Point, area: Area) -> bool:
    """Whether a piece of a line runs through an area, along it or across."""
    start, stop = 0.0, 1.0
    for at, low, high in ((0, area.left + CLOSE, area.right - CLOSE), (1, area.top + CLOSE, area.bottom - CLOSE)):
        length = two[at] - one[at]
        if not length and not low < one[at] < high:
            return False
        if length:
            near, far = sorted(((low - one[at]) / length, (high - one[at]) / length))
            start, stop = max(start, near), min(stop, far)
    return start < stop


def _levels(shapes: tuple[Shape, ...]) -> Iterator[list[Part]]:
    """The parts that stand beside each other, on every level."""
    parts = [shape for shape in shapes if isinstance(shape, Part)]
    yield parts
    for part in parts:
        yield from _levels(part.shapes)


def _between(parts: list[Part]) -> Iterator[str]:
    """What is wrong between boxes and edges of one figure."""
    boxes = {dict(part.facts)["box"]: outline(part) for part in parts if "box" in dict(part.facts)}
    known = {key: area for key, area in boxes.items() if area is not None}
    for (one, first), (two, second) in combinations(known.items(), 2):
        if first.overlaps(second):
            yield f"{one} lies over {two}"
    for part in parts:
        facts = dict(part.facts)
        for line in (shape for shape in part.shapes if isinstance(shape, Line)):
            for (x1, y1), (x2, y2) in zip(line.points, line.points[1:], strict=False):
                piece = Area(min(x1, x2) - 0.2, min(y1, y2) - 0.2, max(x1, x2) + 0.2, max(y1, y2) + 0.2)
                for key, area in known.items():
                    straight = x1 == x2 or y1 == y2
                    if (
                        straight
                        and key not in (facts.get("from"), facts.get("to"))
                        and "to" in facts
                        and piece.overlaps(area)
                    ):
                        yield f"the edge {facts} goes through {key}"
        for text in (shape for shape in part.shapes if isinstance(shape, Text)):
            area = area_of_text(text)
            own = facts.get("box")
            for key, box in known.items():
                if key == own and not box.holds(area):
                    yield f"`{text.text}` sticks out of {key}"
                elif key != own and box.overlaps(area):
                    yield f"`{text.text}` lies over {key}"


def crossings(scene: Scene) -> int:
    """How often edges of different values cross, but for those that fan out from stream to stream."""
    count = 0
    for parts in _levels(scene.shapes):
        pieces = [
            (dict(part.facts).get("from"), dict(part.facts).get("item"), one, two)
            for part in parts
            for line in part.shapes
            if isinstance(line, Line) and "from" in dict(part.facts)
            for one, two in zip(line.points, line.points[1:], strict=False)
        ]
        for (s1, i1, a, b), (s2, i2, c, d) in combinations(pieces, 2):
            if (s1, i1) != (s2, i2) and (_cross(a, b, c, d) or _cross(c, d, a, b)):
                count += 1
    return count


def _cross(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float], d: tuple[float, float]) -> bool:
    """Whether a horizontal piece crosses a vertical one."""
    if a[1] != b[1] or c[0] != d[0]:
        return False
    low, high = sorted((a[0], b[0]))
    top, bottom = sorted((c[1], d[1]))
    return low + CLOSE < c[0] < high - CLOSE and top + CLOSE < a[1] < bottom - CLOSE
