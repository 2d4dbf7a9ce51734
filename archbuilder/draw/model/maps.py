"""Figure -> maps: what a card of a network is made of, as the values that its steps give one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from archbuilder.draw.layout.wrap import joined_names, last_part
from archbuilder.draw.model.figure import SHORTCUTS, Box, Edge, EdgeKind, Figure, Role
from archbuilder.graph.bounds import refuse_too_many
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens

_FINISHING: Final = frozenset(("norm", "activation"))
"""What changes a value in its place: it makes no further one."""

SIGNS: Final[Mapping[str, str]] = {"+": "sum", "×": "product"}
"""What signs are called."""
_WEIGHTY: Final = frozenset(("convolution", "linear", "attention"))
_MANY: Final = 6
"""Of so many kinds of values in a row one card is made, and no more."""


@dataclass(frozen=True)
class Volume:
    """Values that follow each other and are made in the same way: `kind` names how, `shapes` are theirs.

    `ends` are the norm and the activation that end each of these steps, `active` whether there is an activation; `around` is
    what kind of shortcut leads around each, `inside` how the first is wired, if they are blocks.
    """

    kind: str
    role: Role
    shapes: tuple[Shape, ...]
    ends: tuple[str, ...] = ()
    active: bool = False
    around: tuple[EdgeKind, ...] = ("main",)
    inside: Figure | None = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """The height and width of each."""
        return size_of(self.shapes[-1])

    @property
    def words(self) -> str:
        """How they are made, and how many there are."""
        times = f" ×{len(self.shapes)}" if len(self.shapes) > 1 else ""
        return f"{self.kind}{times}" if self.kind else ""

    def is_like(self, other: Volume) -> bool:
        """Whether another one is made in the same way, and as large."""
        return (self.kind, self.role, self.ends, self.size) == (other.kind, other.role, other.ends, other.size)


def joined(volumes: Sequence[Volume]) -> Volume:
    """One volume for some that go on as the first one does."""
    shapes = tuple(shape for each in volumes for shape in each.shapes)
    return replace(volumes[0], shapes=shapes, around=tuple(kind for each in volumes for kind in each.around))


def size_of(shape: Shape) -> tuple[int, int]:
    """The height and width of a value; a vector is one pixel."""
    return (shape.height, shape.width) if isinstance(shape, Map | Tokens) else (1, 1)


def channels_of(shape: Shape) -> int:
    """The channels of a value, of several ones together."""
    return sum(map(channels_of, shape)) if isinstance(shape, Streams) else shape.channels


def volumes_in(figure: Figure) -> dict[str, tuple[Volume, ...]]:
    """What each box of a network's figure is made of; nothing, if it only names where values go or combines them.

    Raises:
        TooManyStepsError: if it is made of too many.
    """
    steps = _Steps(_closed(figure))
    made = [box for box in figure.boxes if not (box.end or box.sign or box.gives is None)]
    refuse_too_many(sum(steps.count(box) for box in made if box.role != "input"), "drawn")
    return {box.id: () for box in figure.boxes} | {box.id: steps.volumes(box) for box in made}


def _closed(figure: Figure) -> frozenset[str]:
    """The definitions that are drawn as one step: those that are, in any of their uses, more than one step after another."""
    found: set[str] = set()
    seen: set[int] = set()

    def visit(boxes: tuple[Box, ...]) -> None:
        for box in boxes:
            if box.inside is not None and id(box.inside) not in seen:
                seen.add(id(box.inside))
                if box.definition and (not is_chain(box.inside) or _is_pattern(box)):
                    found.add(box.definition)
                visit(box.inside.boxes)

    visit(figure.boxes)
    return frozenset(found)


def _is_pattern(box: Box) -> bool:
    """Whether a box is steps of several kinds, again and again."""
    return box.role == "block" and box.count > 2 and box.inside is not None and len(_kinds(box.inside)) > 1


def _kinds(figure: Figure) -> set[str]:
    """What kinds of steps there are in a figure, without those that end others."""
    kinds: set[str] = set()
    figures = {id(figure): figure}
    open_figures = [figure]
    while open_figures:
        for box in open_figures.pop().boxes:
            if box.inside is not None and id(box.inside) not in figures:
                figures[id(box.inside)] = box.inside
                open_figures.append(box.inside)
            elif box.inside is None and box.bands and box.bands[0].role not in _FINISHING:
                kinds.add(box.bands[0].text)
    return kinds


def is_chain(figure: Figure) -> bool:
    """Whether a figure is one step after the other, each of which reads only the one before, what comes from outside, and what
    it holds itself."""
    path = figure.main_path()
    place = {key: number for number, key in enumerate(path)}
    computed = {box.id for box in figure.boxes if box.end}
    for edge in figure.edges:
        if edge.source in computed:
            computed.add(edge.target)
    if any(box.id not in place for box in figure.boxes if not box.end and box.id in computed):
        return False
    return all(
        place[edge.target] == place[edge.source] + 1
        for edge in figure.edges
        if edge.source in place and edge.target in place
    )


@dataclass(frozen=True)
class _Steps:
    """Reads the steps of boxes. Definitions that are `closed` are one step."""

    closed: frozenset[str]
    known: dict[int, tuple[tuple[Box | Volume, ...], int]] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    """By the boxes' ids: what stands for them, and how many steps these are. The same box may stand at many places."""

    def count(self, box: Box) -> int:
        """How many steps a box is made of, at most."""
        if id(box) not in self.counts:
            parts, times = self._parts(box)
            self.counts[id(box)] = times * sum(self.count(part) if isinstance(part, Box) else 1 for part in parts)
        return self.counts[id(box)]

    def volumes(self, box: Box) -> tuple[Volume, ...]:
        """What a card is made of; of equal steps in a row one volume."""
        found: list[list[Volume]] = []
        every = list(self._steps(box))
        before = box.inside.boxes[0].gives if box.inside is not None and box.inside.boxes else None
        for step in every:
            if step.role in _FINISHING or _only_laid_out_anew(before, step):
                continue
            before = step.shapes[-1]
            if found and found[-1][0].is_like(step):
                found[-1].append(step)
            else:
                found.append([step])
        return tuple(map(joined, found)) or tuple(every[-1:])

    def _is_open(self, box: Box, inside: Figure) -> bool:
        """Whether a box is drawn as what is in it: a chain, or a part of a network whose layers stand one behind the other."""
        if box.definition or box.role == "block":
            return box.definition not in self.closed and is_chain(inside) and not _is_pattern(box)
        path = inside.main_path()
        return all(each.id in path for each in inside.boxes if each.layers)

    def _steps(self, box: Box) -> Iterator[Volume]:
        parts, times = self._parts(box)
        for _ in range(times):
            for part in parts:
                if isinstance(part, Box):
                    yield from self._steps(part)
                else:
                    yield part

    def _parts(self, box: Box) -> tuple[tuple[Box | Volume, ...], int]:
        """What stands for a box, and how often: a step, or the boxes in it."""
        if id(box) not in self.known:
            self.known[id(box)] = self._found_parts(box)
        return self.known[id(box)]

    def _found_parts(self, box: Box) -> tuple[tuple[Box | Volume, ...], int]:
        if box.gives is not None and _is_stream(box):
            kind = box.bands[0].text.partition(" ×")[0] if box.name else ""
            return (Volume(kind, "stage", (box.gives,)),), box.count
        if box.inside is not None and self._is_open(box, box.inside):
            by_id = {each.id: each for each in box.inside.boxes}
            path = (by_id[key] for key in box.inside.main_path())
            return tuple(each for each in path if not each.end), box.count if box.role == "block" else 1
        if box.gives is None:
            return (), 0
        return (_step(box, box.gives),), 1 if box.inside is None and box.bands and not box.name else box.count


def _is_stream(box: Box) -> bool:
    """Whether a box is one stream of a card over several."""
    last = box.inside.boxes[-2].gives if box.inside is not None and len(box.inside.boxes) > 1 else None
    return isinstance(last, Streams) or (box.role == "stage" and not box.name)


def _step(box: Box, shape: Shape) -> Volume:
    """A box that is not looked into, as one step."""
    if box.sign:
        return Volume(SIGNS.get(box.sign, box.sign), "combine", (shape,))
    if box.role == "input":
        return Volume("", "input", (shape,))
    if box.name:
        kind = box.definition or box.bands[0].text.partition(" ×")[0]
        kinds = {edge.kind for edge in box.inside.edges} if box.inside is not None else set[EdgeKind]()
        around: EdgeKind = next((each for each in SHORTCUTS if each in kinds), "main")
        return Volume(kind, "stage", (shape,), around=(around,), inside=box.inside)
    first, *others = box.bands
    ends = tuple(band.text for band in others if band.role in _FINISHING)
    return Volume(first.text, first.role, (shape,), ends, any(band.role == "activation" for band in others))


def _only_laid_out_anew(before: Shape | None, step: Volume) -> bool:
    """Whether a step only says in which order values lie, or which are left out in training: they are drawn already."""
    if step.role != "other" or before is None or isinstance(before, Streams | Held):
        return False
    return before.elements == step.shapes[0].elements


# ---- cards that go on as the one before -----------------------------------------------------------------------------


@dataclass
class Folding:
    """A figure whose cards that go on as the one before did are one card with it, and what each is made of.

    A layer without weights that stands alone belongs to the card before it, too; where cards stand in rows of one size, to the
    one behind it, so that it is in the row of what it gives. A card that is made of very much is several.
    """

    whole: Figure
    in_rows: bool
    made_of: dict[str, tuple[Volume, ...]] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    """The card that each box became a part of."""
    last: dict[str, str] = field(default_factory=dict)
    """The last one of those that a card was split into, and the edges between these."""
    further: list[Edge] = field(default_factory=list)

    def __post_init__(self) -> None:
        made_of = volumes_in(self.whole)
        before = self._only_before()
        for box in self.whole.boxes:
            card = self.inside.get(before.get(box.id, ""), "")
            joined = self._joined(card, box, made_of[box.id]) if card else None
            key = box.id if joined is None else card
            self.inside[box.id] = key
            self.boxes[key], self.made_of[key] = joined or (box, made_of[box.id])
        for key, box in self.boxes.items():
            if self.made_of[key] and not box.name and not _is_stream(box):
                self.boxes[key] = replace(box, name=last_part(box.id))
        self._split()

    @property
    def figure(self) -> Figure:
        """The figure with the cards as they are now."""
        edges = (
            edge._replace(source=self.last.get(source, source), target=target, label="")
            for edge in self.whole.edges
            if (source := self.inside[edge.source]) != (target := self.inside[edge.target])
        )
        return Figure(tuple(self.boxes.values()), (*edges, *self.further))

    def _split(self) -> None:
        """Makes several cards of those that are made of very much; the first has the name."""
        boxes, self.boxes = self.boxes, {}
        for key, box in boxes.items():
            makes = self.made_of[key]
            self.boxes[key], self.made_of[key] = box, makes[:_MANY]
            before = key
            for start in range(_MANY, len(makes), _MANY):
                part = makes[start : start + _MANY]
                after = f"{key} ({start // _MANY + 1})"
                self.boxes[after] = replace(box, id=after, name="", gives=part[-1].shapes[-1])
                self.made_of[after] = part
                self.further.append(Edge(before, after))
                self.last[key] = before = after
            if before != key:
                self.boxes[key] = replace(box, gives=makes[_MANY - 1].shapes[-1])

    def _only_before(self) -> dict[str, str]:
        """For each box that alone reads another one, that one, if it can be a part of the same card: it reads nothing else, or
        what else it reads is there before."""
        place = {box.id: number for number, box in enumerate(self.whole.boxes)}
        named = {box.id for box in self.whole.boxes if box.name}
        out = Counter(edge.source for edge in self.whole.edges)
        into: dict[str, list[str]] = {box.id: [] for box in self.whole.boxes}
        for edge in self.whole.edges:
            into[edge.target].append(edge.source)
        found: dict[str, str] = {}
        for edge in self.whole.edges:
            others = [each for each in into[edge.target] if each != edge.source]
            is_free = all(place[each] < place[edge.source] for each in others) and edge.source not in named
            if out[edge.source] == 1 and edge.kind != "exchange" and (not others or (self.in_rows and is_free)):
                found.setdefault(edge.target, edge.source)
        return found

    def _joined(self, card: str, box: Box, makes: tuple[Volume, ...]) -> tuple[Box, tuple[Volume, ...]] | None:
        """A card with a box that follows it; None if these stay apart."""
        first, before = self.boxes[card], self.made_of[card]
        if not makes or not before or _is_stream(first) or _is_stream(box) or first.in_training != box.in_training:
            return None
        if first.role == "input" or first.taps:
            return None
        step = makes[0]
        alike = box.definition == first.definition != "" and len(before) == len(makes) == 1
        if alike and box.name and first.name and before[0].is_like(step):
            run = joined((before[0], step))
            ends = first.id.partition("–")[0], box.id.rpartition("–")[2]
            name = joined_names(*map(last_part, ends))
            return replace(first, name=name, gives=box.gives, taps=box.taps), (run,)
        if not box.name and not self.in_rows and len(makes) == 1 and step.role not in _WEIGHTY and len(before) < _MANY:
            return replace(first, gives=box.gives, taps=box.taps), (*before, step)
        if not first.name and self.in_rows and before[-1].size == makes[0].size:
            return replace(first, name=box.name, gives=box.gives, taps=box.taps), (*before, *makes)
        return None
