"""The receptive field: of how many pixels of a network's input, along each axis, one pixel of a value comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import gcd, lcm
from typing import Final, Literal, NamedTuple, TypeAlias

from archbuilder.graph.answers import Window
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, Vector, in_parts
from archbuilder.graph.windows import margins


class Reach(NamedTuple):
    """Which pixels those of a map come of, along one axis: by pixel the first and the last, for as many pixels as the pattern
    repeats after, and how far it goes on then."""

    spans: tuple[tuple[int, int], ...]
    step: int

    def at(self, pixel: int) -> tuple[int, int]:
        """The first and the last of those that a pixel comes of; there is no edge, so pixels may lie before and behind a map."""
        turns, place = divmod(pixel, len(self.spans))
        first, last = self.spans[place]
        return first + turns * self.step, last + turns * self.step

    def behind(self, before: Reach) -> Reach | None:
        """The same, told in the pixels of what comes `before` what it is told in; None for a pattern that is too long."""
        repeats = len(before.spans) // gcd(len(before.spans), self.step)
        count = repeats * len(self.spans)
        if count > _LONGEST:
            return None
        spans = []
        for pixel in range(count):
            first, last = self.at(pixel)
            near = range(first, min(last, first + len(before.spans) - 1) + 1)
            far = range(max(first, last - len(before.spans) + 1), last + 1)
            spans.append((min(before.at(each)[0] for each in near), max(before.at(each)[1] for each in far)))
        return Reach(tuple(spans), repeats * self.step // len(before.spans) * before.step)

    def with_other(self, other: Reach) -> Reach | None:
        """All pixels of both; None if one goes on faster than the other, or for a pattern that is too long."""
        count = lcm(len(self.spans), len(other.spans))
        if self.step * len(other.spans) != other.step * len(self.spans) or count > _LONGEST:
            return None
        both = [(self.at(pixel), other.at(pixel)) for pixel in range(count)]
        spans = tuple((min(one[0], two[0]), max(one[1], two[1])) for one, two in both)
        return Reach(spans, self.step * (count // len(self.spans)))

    @property
    def size(self) -> int:
        """Of how many pixels one comes at most."""
        return max(last - first + 1 for first, last in self.spans)


_LONGEST: Final = 1024
"""Pixels after which a pattern repeats at most."""

Places: TypeAlias = tuple[Reach, ...]
"""Which pixels those of a map come of, along one axis, in as many equal parts of the map: behind what drifts, it is not
everywhere the same. A part is large; what lies over its end sees no more than what lies in it."""
Seen: TypeAlias = tuple[Places, Places] | Literal["all"] | None
"""Of which pixels, along each axis, those of a value come; "all" of the map, or it is not known."""
Ways: TypeAlias = Mapping[int, Seen]
"""What a value sees of each part of what goes into its graph; parts of which nothing comes to it are left out."""
Field: TypeAlias = int | tuple[int, int] | Literal["all"] | None
"""A receptive field in pixels: of height and width where they differ; "all" of the input; None where it is not known."""

_ITSELF: Final[Places] = (Reach(((0, 0),), 1),)
_PIXEL: Final[Seen] = (_ITSELF, _ITSELF)


class Fields:
    """The receptive fields of a network's values. A graph that is called often is gone through once."""

    def __init__(self) -> None:
        self._known: dict[Graph, dict[int, tuple[Ways, ...]]] = {}

    def through(self, graph: Graph) -> dict[int, tuple[Ways, ...]]:
        """The ways from a graph's input to the parts of each of its values, by node."""
        found = self._known.get(graph)
        if found is None:
            starts = range(len(in_parts(graph.input)))
            found = self._known[graph] = {INPUT: tuple({start: _PIXEL} for start in starts)}
            for number, node in enumerate(graph.nodes):
                found[number] = self._behind(graph, node, [parts_of(found, value) for value in node.inputs])
        return found

    def of_graph(self, graph: Graph, count: int = 1) -> tuple[Ways, ...]:
        """The ways through a graph that is there so often, one behind the other."""
        through = parts_of(self.through(graph), graph.output)
        if count == 1:
            return through
        half = self.of_graph(graph, count // 2)
        twice = tuple(behind(ways, half) for ways in half)
        return tuple(behind(ways, twice) for ways in through) if count % 2 else twice

    def _behind(self, graph: Graph, node: Node, inputs: list[tuple[Ways, ...]]) -> tuple[Ways, ...]:
        if node.body is None:
            return inputs[0]
        if isinstance(node.body, Graph):
            before = tuple(ways for parts in inputs for ways in parts)
            return tuple(behind(ways, before) for ways in self.of_graph(node.body, node.count))
        for _ in range(node.count):
            given = _into(node.body, tuple(map(graph.shape_of, node.inputs)), node.shape, inputs)
            inputs = [given]
        return given


def parts_of(found: Mapping[int, tuple[Ways, ...]], value: Value) -> tuple[Ways, ...]:
    """The ways to the parts of a value."""
    every = found[value.node]
    return every if value.item is None or len(every) == 1 else (every[value.item],)


def behind(ways: Ways, before: tuple[Ways, ...]) -> Ways:
    """Ways from where those begin that lead to the parts `before` them."""
    return _joined({start: _told(seen, first) for start, first in before[part].items()} for part, seen in ways.items())


def field_of(parts: Iterable[Ways]) -> Field:
    """The receptive field of a value, of several parts the largest."""
    every = [seen for ways in parts for seen in ways.values()]
    if "all" in every:
        return "all"
    sizes = [(_largest(seen[0]), _largest(seen[1])) for seen in every if seen is not None and seen != "all"]
    if not every or len(sizes) < len(every):
        return None
    height, width = max(size[0] for size in sizes), max(size[1] for size in sizes)
    return height if height == width else (height, width)


def _told(seen: Seen, before: Seen) -> Seen:
    if "all" in (seen, before):
        return "all"
    if seen is None or before is None or seen == "all" or before == "all":
        return None
    return _both(*(_by_place(Reach.behind, seen[axis], before[axis]) for axis in (0, 1)))


def _joined(every: Iterable[Ways]) -> Ways:
    found: dict[int, Seen] = {}
    for ways in every:
        for start, seen in ways.items():
            found[start] = _together(found[start], seen) if start in found else seen
    return found


def _together(one: Seen, two: Seen) -> Seen:
    if "all" in (one, two):
        return "all"
    if one is None or two is None or one == "all" or two == "all":
        return None
    return _both(*(_by_place(Reach.with_other, one[axis], two[axis]) for axis in (0, 1)))


def _both(rows: Places | None, columns: Places | None) -> Seen:
    return None if rows is None or columns is None else (rows, columns)


def _by_place(join: Callable[[Reach, Reach], Reach | None], one: Places, two: Places) -> Places | None:
    """Both of them joined in each part of a map."""
    count = lcm(len(one), len(two))
    if count > _LONGEST:
        return None
    every = [join(one[at * len(one) // count], two[at * len(two) // count]) for at in range(count)]
    found = tuple(each for each in every if each is not None)
    return None if len(found) < count else found[:1] if len(set(found)) == 1 else found


def _largest(places: Places) -> int:
    return max(each.size for each in places)


# ---- what an op sees ------------------------------------------------------------------------------------------------


def _into(op: Op, shapes: tuple[Shape, ...], output: Shape, inputs: list[tuple[Ways, ...]]) -> tuple[Ways, ...]:
    """The ways to the parts that an op gives."""
    given = in_parts(output)
    flat = [
        (at, part, ways)
        for at, (shape, parts) in enumerate(zip(shapes, inputs, strict=True))
        for part, ways in zip(in_parts(shape), parts, strict=True)
    ]
    if op.is_known and isinstance(output, Streams) and len(flat) == len(given):  # each by itself
        return tuple(
            behind({0: _seen(op, at, part, to)}, (ways,)) for (at, part, ways), to in zip(flat, given, strict=True)
        )
    return (_joined(behind({0: _seen(op, at, part, given[0])}, (ways,)) for at, part, ways in flat),) * len(given)


def _seen(op: Op, at: int, shape: Shape, output: Shape) -> Seen:
    """What an op sees of one of its inputs."""
    size = _size(shape)
    if op.lies_over is not None and at >= op.lies_over:
        return "all"
    if op.window is not None:
        before, _ = margins(op.window, size)
        return _slid(op.window, 0, before[0]), _slid(op.window, 1, before[1])
    if op.enlarges != (1, 1):
        return _both(*((_drifting if op.drifts else _enlarged)(factor, op.blends) for factor in op.enlarges))
    if size == _size(output):
        return _PIXEL if op.is_known else None
    return "all" if isinstance(output, Vector) or size == (1, 1) else None


def _slid(window: Window, axis: int, before: int) -> Places:
    span = window.dilation[axis] * (window.kernel[axis] - 1)
    return (Reach(((-before, span - before),), window.stride[axis]),)


def _drifting(factor: int, blends: int) -> Places | None:
    """Interpolation that keeps the middles of the corner pixels: a new pixel lies the place of it in the map (0 to 1) times
    `factor - 1` new pixels before where it would without that, counted from the first one's middle."""
    if factor == 1 or factor > _LONGEST:
        return _enlarged(factor, blends)
    more = blends // 2
    return tuple(
        Reach(tuple(((pixel - by) // factor - more + 1, (pixel - by) // factor + more) for pixel in range(factor)), 1)
        for by in range(1, factor)
    )


def _enlarged(factor: int, blends: int) -> Places | None:
    """Interpolation to a map so many times larger: the middle of a new pixel lies in one of those before, or between two."""
    if factor > _LONGEST:
        return None
    spans = []
    for pixel in range(factor):
        twice = 2 * pixel + 1 - factor if blends > 1 else 2 * pixel  # twice its place, in new pixels
        first, between = divmod(twice, 2 * factor)
        more = blends // 2 if between and blends > 1 else 0
        spans.append((first - max(0, more - 1), first + more))
    return (Reach(tuple(spans), 1),)


def _size(shape: Shape) -> tuple[int, int]:
    """Height and width of what has them."""
    return (shape.height, shape.width) if isinstance(shape, Map | Tokens) else (1, 1)
