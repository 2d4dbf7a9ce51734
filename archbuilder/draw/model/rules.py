"""Boxes that a loop of a spec made, as its rule: one box for each of its steps. A loop whose turns build on each other is one
turn in a frame, repeated. So what is made by a loop of any length is drawn once, and many lines are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from archbuilder.draw.model.figure import Band, Box, Edge, Figure, Single

_FEW: Final = 3
"""Of so many turns, and no more, each is drawn, unless there are loops in the loop."""

_BEFORE: Final = "turn before"
_BEHIND: Final = "turn behind"


def by_rule(figure: Figure, *, any_use: bool) -> Figure:
    """A figure with what loops made as their rules, if these have many turns, and say all that there is to say.

    Args:
        figure: each step in each turn as a box.
        any_use: whether how many turns there are depends on the use, so that only the rule is told.
    """
    loops: dict[str, list[Box]] = {}
    for box in figure.boxes:
        if box.turns:
            loops.setdefault(box.turns[0].loop, []).append(box)
    if not any(len(box.turns) > 1 for box in figure.boxes) and not any(
        len({box.turns[0].number for box in boxes}) > _FEW for boxes in loops.values()
    ):
        return figure
    rules = _Rules(figure, any_use)
    for boxes in loops.values():
        rules.fold(boxes)
    return rules.figure() or figure


@dataclass
class _Rules:
    """A figure while loops in it become rules."""

    whole: Figure
    any_use: bool
    became: dict[str, str] = field(default_factory=dict)
    """The box that each of those became that is no longer there."""
    boxes: dict[str, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id = {box.id: box for box in self.whole.boxes}
        entries = [box.id for box in self.whole.boxes if box.end]
        self.numbers = {box.id: tuple(turn.number for turn in box.turns) for box in self.whole.boxes}
        self.numbers |= {key: (number,) for number, key in enumerate(entries)}
        self.into: dict[str, list[Edge]] = {key: [] for key in self.by_id}
        self.out: dict[str, list[Edge]] = {key: [] for key in self.by_id}
        for edge in self.whole.edges:
            self.into[edge.target].append(edge)
            self.out[edge.source].append(edge)

    def fold(self, boxes: Sequence[Box]) -> None:
        """Makes a rule of the boxes of a loop, if that can be."""
        inside = {box.id for box in boxes}
        within = [edge for box in boxes for edge in self.into[box.id] if edge.source in inside]
        if any(self.numbers[edge.source][0] != self.numbers[edge.target][0] for edge in within):
            self._ladder(boxes)
        elif all(self._is_natural(edge) for box in boxes for edge in self.into[box.id]):
            self._beside(boxes)

    def _is_natural(self, edge: Edge) -> bool:
        """Whether a box takes what has its own number: what is drawn then says which value it takes."""
        source, target = self.numbers[edge.source], self.numbers[edge.target]
        if source and self.by_id[edge.source].turns:
            return source[0] == target[0] or source[-1] == target[-1]
        number = edge.item if edge.item is not None else source[0] if self.by_id[edge.source].end else None
        several = len({each.item for each in self.out[edge.source]}) > 1 or self.by_id[edge.source].id.count(".")
        return number is None or not several or number == target[-1]

    def _leave_alike(self, group: Sequence[Box]) -> bool:
        """Whether what reads one box of a group reads all of them, in their order."""
        readers: dict[str, list[int]] = {}
        for edge in (edge for box in group for edge in self.out[box.id] if not self.by_id[edge.target].turns):
            readers.setdefault(edge.target, []).append(edge.position)
        return all(len(each) == len(group) and each == sorted(each) for each in readers.values())

    def _beside(self, boxes: Sequence[Box]) -> None:
        """Each step of a loop as one box."""
        groups: dict[object, list[Box]] = {}
        for box in boxes:
            loops = tuple(turn.loop for turn in box.turns)
            groups.setdefault((box.step, loops), []).append(box)
        if any(len({_looks(box) for box in group}) > 1 or not self._leave_alike(group) for group in groups.values()):
            return
        for group in groups.values():
            first = group[0]
            key = self._free(_plain(first.step))
            self.boxes[key] = replace(
                first, id=key, name=_plain(first.step) if first.name else "", bands=self._bands(group),
                layers=max(box.layers for box in group), is_each=True, turns=(),
                gives=first.gives if len({box.gives for box in group}) == 1 else None,
            )  # fmt: skip
            self.became |= {box.id: key for box in group}

    def _bands(self, group: Sequence[Box]) -> tuple[Band, ...]:
        first = group[0]
        if first.sign:
            return ()
        said = first.turns[-1].loop
        if not self.any_use and len(first.turns) == 1:
            said = _counted(first.turns[0].variable, [box.turns[0].number for box in group])
        every = zip(*(box.bands for box in group), strict=True)
        bands = (replace(each[0], detail=", ".join(dict.fromkeys(band.detail for band in each))) for each in every)
        return (*bands, Band(f"for {said.removeprefix('for ')}", "other"))

    def _free(self, wanted: str) -> str:
        while wanted in self.by_id or wanted in self.boxes:
            wanted += "'"
        return wanted

    # ---- loops whose turns build on each other ------------------------------------------------------------------

    def _ladder(self, boxes: Sequence[Box]) -> None:
        """The turns of a loop that are alike as one, in a frame that is repeated."""
        turns: dict[int, list[Box]] = {}
        for box in boxes:
            turns.setdefault(box.turns[0].number, []).append(box)
        if any(len(box.turns) > 1 for box in boxes):
            return
        numbers = sorted(turns)
        last = numbers[-1]
        goes_on = [(edge, box) for box in turns[last] for edge in self.into[box.id] if self._goes_on(edge)]
        carried = {(box.step, edge.position) for edge, box in goes_on}
        alike = {number: self._wiring(turns[number], carried) for number in numbers}
        start = next(number for number in numbers if all(alike[n] == alike[last] for n in range(number, last + 1)))
        leave = [self._leaving(turns[number]) for number in range(start, last + 1)]
        is_even = all(each == leave[0] for each in leave[:-1]) and (not leave[0] or leave[0] == leave[-1])
        if start < last and is_even and len({edge.source for edge, _ in goes_on}) == 1:
            run = [box for number in range(start, last + 1) for box in turns[number]]
            self._frame(run, turns[start], carried, (start, last))

    def _goes_on(self, edge: Edge) -> bool:
        """Whether an edge leads from one turn of a loop to the next one."""
        source, target = self.by_id[edge.source].turns, self.by_id[edge.target].turns
        return bool(source and target) and source[0].loop == target[0].loop and source[0].number != target[0].number

    def _wiring(self, boxes: Sequence[Box], carried: set[tuple[str, int]]) -> object:
        """What a turn is made of, and how it is wired; what is `carried` from turn to turn may be any value in the first."""
        number = boxes[0].turns[0].number
        inside = {box.id for box in boxes}

        def taken(edge: Edge, step: str) -> object:
            if (step, edge.position) in carried:
                return "before"
            if edge.source in inside:
                return self.by_id[edge.source].step
            item, source = self._number(edge), self.by_id[edge.source]
            stem = source.step if source.turns else "" if source.end else source.id
            return stem, item - number if item is not None else None

        def of(box: Box) -> object:
            wires = sorted((str(taken(edge, box.step)), edge.position, edge.kind) for edge in self.into[box.id])
            return box.step, _looks(box), wires

        return [of(box) for box in boxes]

    def _leaving(self, boxes: Sequence[Box]) -> object:
        """Where what a turn gives goes, but for the next one."""
        number = boxes[0].turns[0].number
        return [
            (box.step, edge.target, edge.position - number)
            for box in boxes
            for edge in self.out[box.id]
            if not self._goes_on(edge) and not self._is_within(edge)
        ]

    def _is_within(self, edge: Edge) -> bool:
        """Whether an edge stays in one turn."""
        return self.by_id[edge.source].turns == self.by_id[edge.target].turns != ()

    def _number(self, edge: Edge) -> int | None:
        """Which one of several values an edge takes."""
        if edge.item is not None:
            return edge.item
        numbers = self.numbers[edge.source]
        return numbers[-1] if numbers else None

    def _frame(
        self, run: Sequence[Box], first: Sequence[Box], carried: set[tuple[str, int]], numbers: tuple[int, int]
    ) -> None:
        """A box for some turns, in which the first one is drawn by its rule."""
        variable = first[0].turns[0].variable
        of = {box.id: box.step for box in run}
        ends: dict[str, Box] = {_BEFORE: Box(_BEFORE, "input", end=True, layers=1)}
        edges: dict[tuple[str, str, int], list[Edge]] = {}
        for edge in (edge for box in run for edge in self.into[box.id]):
            step = of[edge.target]
            if (step, edge.position) in carried:
                source = _BEFORE
            elif edge.source in of:
                source = of[edge.source]
            else:
                source = self._taken(edge, variable)
                ends[source] = Box(source, "input", source, end=True)
            edges.setdefault((source, step, edge.position), []).append(edge)
        last = {box.id for box in run if box.turns[0].number == numbers[1]}
        for edge in (edge for box in run for edge in self.out[box.id]):
            is_each = edge.target not in of and any(each.source not in last for each in self._out_of(run, of, edge))
            end = f"turn, {of[edge.source]}" if is_each else _BEHIND
            if edge.target not in of or (of[edge.target], edge.position) in carried:
                ends.setdefault(end, Box(end, "input", "each" if is_each else "", end=True))
                edges.setdefault((of[edge.source], end, 0), []).append(edge)
        inner = [Edge(*key[:2], None, key[2], kind=some[0].kind, each=_single(some)) for key, some in edges.items()]
        entries = {edge.source for edge in inner} & ends.keys()
        before = [end for key, end in ends.items() if key in entries]
        behind = [end for key, end in ends.items() if key not in entries]
        boxes = [replace(box, id=box.step, name=_plain(box.step) if box.name else "", turns=()) for box in first]
        name = f"for {_counted(variable, numbers)}"
        if self.any_use:
            name = first[0].turns[0].loop if numbers[0] == 0 else f"for each further {variable}"
        key = self._free(_plain(run[0].step))
        self.boxes[key] = Box(
            key, "block", name, count=numbers[1] - numbers[0] + 1, inside=Figure((*before, *boxes, *behind), tuple(inner)),
            is_open=True, layers=sum(box.layers for box in run), gives=run[-1].gives,
        )  # fmt: skip
        self.became |= {box.id: key for box in run}

    def _out_of(self, run: Sequence[Box], of: Mapping[str, str], edge: Edge) -> list[Edge]:
        """What leaves all turns of a run at the same step as an edge does."""
        alike = (box for box in run if of[box.id] == of[edge.source])
        return [each for box in alike for each in self.out[box.id] if each.target not in of]

    def _taken(self, edge: Edge, variable: str) -> str:
        """What a turn takes from outside, in words."""
        source = self.by_id[edge.source]
        if self._number(edge) is None:
            return source.name or edge.source
        shift = (self._number(edge) or 0) - self.numbers[edge.target][-1]
        which = variable if not shift else f"({variable} {'+' if shift > 0 else '−'} {abs(shift)})"
        stem = _plain(source.step).rpartition(".")[0] if source.turns else "input" if source.end else edge.source
        return f"{stem}.{which}"

    # ---- the whole ----------------------------------------------------------------------------------------------

    def figure(self) -> Figure | None:
        """The figure with rules, if there are any, and no box of it is before and behind another one."""
        if not self.became:
            return None
        self._join_ends()
        groups: dict[tuple[str, str], list[Edge]] = {}
        edges: list[Edge] = []
        for edge in self.whole.edges:
            source, target = (self.became.get(key, key) for key in (edge.source, edge.target))
            if (source, target) == (edge.source, edge.target):
                edges.append(edge)
            elif source != target:
                groups.setdefault((source, target), []).append(edge)
        for (source, target), some in groups.items():
            item = some[0].item if len({edge.item for edge in some}) == 1 else None
            position = 0 if target in self.boxes and not self.boxes[target].is_open else some[0].position
            edges.append(Edge(source, target, item, position, kind=some[0].kind, each=_single(some)))
        left = [box for box in self.whole.boxes if box.id not in self.became]
        ordered = _in_order([*left, *self.boxes.values()], edges, self._places())
        return Figure(tuple(ordered), tuple(edges)) if ordered is not None else None

    def _places(self) -> dict[str, int]:
        places: dict[str, int] = {}
        for number, box in enumerate(self.whole.boxes):
            places.setdefault(self.became.get(box.id, box.id), number)
        return places

    def _join_ends(self) -> None:
        """Ends where the values for one rule enter are one."""
        entries: dict[str, list[Box]] = {}
        for box in self.whole.boxes:
            readers = {self.became.get(edge.target, edge.target) for edge in self.out[box.id]}
            if box.end and not box.name and len(readers) == 1 and readers <= self.boxes.keys():
                entries.setdefault(readers.pop(), []).append(box)
        for ends in entries.values():
            if len(ends) > 1:
                key = self._free("inputs")
                self.boxes[key] = replace(ends[0], id=key, gives=None)
                self.became |= {end.id: key for end in ends}


def _single(edges: Iterable[Edge]) -> tuple[Single, ...]:
    return tuple(single for edge in edges for single in edge.singles())


def _plain(step: str) -> str:
    """A step's name as its rule says it, without the signs of a formula."""
    return step.replace("$", "")


def _counted(variable: str, numbers: Sequence[int]) -> str:
    first, last = min(numbers), max(numbers)
    return f"{variable} = {first}" + (f" … {last}" if last > first else "")


def _looks(box: Box) -> tuple[object, ...]:
    """How a box looks, but for the channels of its layers."""
    inside = box.inside.wiring() if box.inside is not None and not box.definition else None
    texts = tuple(band.text for band in box.bands)
    return (box.role, box.sign, box.definition, texts, box.count, box.in_training, inside)


def _in_order(boxes: Sequence[Box], edges: Sequence[Edge], places: Mapping[str, int]) -> list[Box] | None:
    """Boxes so that each stands behind what it reads, else as they stood; None if that cannot be."""
    missing = Counter(edge.target for edge in edges)
    readers: dict[str, list[str]] = {}
    for edge in edges:
        readers.setdefault(edge.source, []).append(edge.target)
    by_id = {box.id: box for box in boxes}
    ready = sorted((box.id for box in boxes if not missing[box.id]), key=lambda key: places[key])
    found: list[Box] = []
    while ready:
        key = ready.pop(0)
        found.append(by_id[key])
        for reader in readers.get(key, ()):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
        ready.sort(key=lambda each: places[each])
    return found if len(found) == len(boxes) else None
