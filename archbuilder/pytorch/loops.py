"""Classes of blocks with loops: each step is planned once, as the block wrote it, and loops stay loops.

What cannot be said so is refused with `CannotUnify`: then the class is written out turn by turn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from archbuilder.graph.graph import INPUT, Node, Value, children
from archbuilder.graph.origin import Origin
from archbuilder.graph.shapes import Streams
from archbuilder.language.formula import Formula
from archbuilder.pytorch.constructor import CannotUnify, Computed, Constructor, python_name
from archbuilder.pytorch.formulas import Tree, is_name, parse, rebuilt, value_of
from archbuilder.pytorch.instances import is_chain
from archbuilder.pytorch.members import Member
from archbuilder.pytorch.plans import EVERY, Body, Item, Loop, Reference, Step, steps_in
from archbuilder.pytorch.steps import Row, plan_step, stands
from archbuilder.pytorch.views import View
from archbuilder.pytorch.wiring import joint_order
from archbuilder.pytorch.written import (
    after_the_first,
    bounds_of,
    first_word,
    list_of,
    values_named,
    written_steps,
)


@dataclass
class TurnRow(Row):
    """A row of a step in a class with loops: in its view, the variables of the loops around it are names."""

    node: Node
    origin: Origin

    @property
    def name(self) -> str:
        """The name that it has in its turn."""
        return self.node.shown_names()[0]


@dataclass
class LoopPlanner:
    """Plans the class of a block with loops.

    `names` has, for each instance, the number of the node behind each name; `keys` are those names as the block wrote them.
    `read` are the first words of what steps read by name. `lists` are the lists of values; those that began anew in each turn of
    a loop have `ended` with it. `instead` is what is read in place of a step that is nowhere, `before` what the next step of a
    turn reads if it names nothing. `numbers` are those in the names of what is appended to each list, in that order.
    """

    members: list[Member]
    constructor: Constructor
    names: list[dict[str, int]] = field(init=False)
    keys: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    instead: dict[str, Reference] = field(default_factory=dict)
    before: Reference | None = None
    lists: set[str] = field(default_factory=set)
    numbers: dict[tuple[str, int, str], dict[str, None]] = field(default_factory=dict)
    count: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.names = [{node.shown_names()[0]: at for at, node in enumerate(m.graph.nodes)} for m in self.members]
        self.sequential = all(is_chain(member.graph) for member in self.members)

    def body(self) -> Body:
        """What the class has beside its arguments.

        Raises:
            CannotUnify: if loops cannot say it.
        """
        self._refuse()
        rows = [[self._row(member, node) for node in written_steps(member.graph)] for member in self.members]
        self.keys = {row.origin.key for each in rows for row in each}
        self.read = {first_word(text) for each in rows for row in each for text in row.origin.inputs or ()}
        output = Reference(None) if self.sequential else self._output()
        if output.item == EVERY:
            self.read.add(output.name or "")
        items = tuple(self._items(rows, 0))
        self._check_numbers()
        self._check_order(step.label for step in steps_in(items) if step.made is not None)
        made = [item for item in items if any(step.made is not None for step in steps_in([item]))]
        order = tuple(item if isinstance(item, Loop) else item.name for item in made)
        return Body(items, self.instead.get(output.name or "", output), order, sequential=self.sequential)

    def _refuse(self) -> None:
        first = self.members[0].graph
        for member in self.members:
            graph = member.graph
            if graph.register or graph.outputs or graph.returned or graph.taps or graph.sections:
                raise CannotUnify
            if isinstance(graph.input, Streams) != isinstance(first.input, Streams):
                raise CannotUnify
            if any(node.replaced or node.count != 1 for node in graph.nodes):
                raise CannotUnify

    def _row(self, member: Member, node: Node) -> TurnRow:
        if node.origin is None or not node.origin.own:
            raise CannotUnify
        turns = {turn.variable: turn.number for turn in node.origin.turns}
        view = replace(
            member.view, scope={**member.view.scope, **turns}, names=_with_turns(member.view, turns), in_loop=True,
            into=lambda each: self._into(member, each),
        )  # fmt: skip
        row = TurnRow(member, view, node, node.origin)
        if str(_written(view, node.origin.key)) != row.name:
            raise CannotUnify
        return row

    # ---- channels -----------------------------------------------------------------------------------------------

    def _into(self, member: Member, node: Node) -> Tree | None:
        """The channels of what a node takes by a name with a number in it: `input.$i`, `branches.$of`."""
        origin = node.origin
        if origin is not None and origin.inputs is None and origin.turns:
            return self._before_turn(member, node, origin)
        text = origin.inputs[0] if origin is not None and origin.inputs else ""
        whole, dot, part = text.rpartition(".")
        tree = parse(part) if dot and "$" in part and "$" not in whole else None
        if tree is None or not node.inputs:
            return None
        index = self._row(member, node).view.said(tree)
        value = node.inputs[0]
        if value.node == INPUT:
            own = member.view.channels
            return ast.Subscript(own, index, ast.Load()) if own is not None and value.item is not None else own
        source = member.graph.nodes[value.node]
        if source.origin is None or not source.origin.turns:
            return None
        return self._in_turn(member, value, source.origin.turns[-1].variable, index)

    def _before_turn(self, member: Member, node: Node, origin: Origin) -> Tree | None:
        """The channels of what the turn before gives, by the number of this one."""
        value = node.inputs[0]
        source = member.graph.nodes[value.node].origin if value.node != INPUT else None
        if source is None or source.turns == origin.turns or not source.turns:
            return None
        variable = source.turns[-1].variable
        before = ast.BinOp(ast.Name(variable, ast.Load()), ast.Sub(), ast.Constant(1))
        return self._in_turn(member, value, variable, before)

    def _in_turn(self, member: Member, value: Value, variable: str, number: Tree) -> Tree | None:
        """The channels of a value of some turn of a loop, by the number of the turn."""
        found = self._row(member, member.graph.nodes[value.node]).view.channels_of(value)
        return found and rebuilt(found, lambda each: number if is_name(each, variable) else None)

    # ---- the order of steps -------------------------------------------------------------------------------------

    def _items(self, turns: list[list[TurnRow]], depth: int) -> Iterator[Item]:
        """The items at one level, from the nodes of each turn of each instance."""
        order = joint_order([list(dict.fromkeys(_item_of(row, depth) for row in rows)) for rows in turns])
        for kind, text in order:
            found = [[row for row in rows if _item_of(row, depth) == (kind, text)] for rows in turns]
            if kind == "loop":
                yield self._loop(text, found, depth)
            elif (step := self._step([row for rows in found for row in rows])) is not None:
                yield step

    def _loop(self, header: str, turns: list[list[TurnRow]], depth: int) -> Loop:
        """A loop, from the nodes of each turn of what is around it."""
        variable, start, stop = bounds_of(header)
        inner: list[list[TurnRow]] = []
        for rows in turns:
            numbers = list(dict.fromkeys(row.origin.turns[depth].number for row in rows))
            inner += [[row for row in rows if row.origin.turns[depth].number == number] for number in numbers]
            if rows and not _runs_over(rows[0], start, stop, depth, numbers):
                raise CannotUnify
        first = next(rows[0] for rows in turns if rows)
        if not self.sequential and any(row.origin.inputs is None for row in _first_steps(inner, depth + 1)):
            raise CannotUnify  # what goes from one turn into the next has no name here
        self.constructor.rows = [row.view.scope for rows in turns for row in rows[:1]]
        bounds = [self._number(first.view.said(tree)) for tree in (start, stop)]
        items = tuple(self._items(inner, depth + 1))
        self.before = None
        self.ended |= {name for name in self.lists if name != "$" and name.count("$") == depth + 1}
        return Loop(python_name(variable), bounds[0], bounds[1], items)

    def _number(self, tree: Tree) -> Computed | int:
        """A number that `forward` needs as well."""
        simple = self.constructor.simple(tree)
        if isinstance(simple, ast.Constant) and isinstance(simple.value, int):
            return simple.value
        return self.constructor.computed(simple, "", in_parts=True)

    # ---- one step -----------------------------------------------------------------------------------------------

    def _step(self, rows: list[TurnRow]) -> Step | None:
        """A step; None for one that is there nowhere: whoever reads it reads what it hands on."""
        first = rows[0]
        key, variables = first.origin.key, [turn.variable for turn in first.origin.turns]
        self.constructor.rows = [row.view.scope for row in rows]
        self.constructor.choices = after_the_first(first.origin)
        if not all(self._leads(row) for row in rows if row.is_there):
            raise CannotUnify
        inputs = self._inputs(first)
        listed = list_of(key) if "$" in key and first_word(key) in self.read else ""
        if not (stands(rows) or listed):
            self.instead[key] = self.before = inputs[0]
            return None
        name = f"{key}~{next(self.count)}" if variables else key
        step = plan_step(name, rows, inputs, self.constructor, no_module=not stands(rows))
        _check_in_forward(step)
        if variables and (step.made is not None or listed):
            step = replace(step, numbers=_numbers(key, variables), listed=listed)
            self._note(step, rows)
        elif step.made is not None and not key.isidentifier():
            raise CannotUnify
        self.before = Reference(name)
        return step

    def _note(self, step: Step, rows: list[TurnRow]) -> None:
        """Notes the numbers in the names of what is appended to lists of modules and of values."""
        if step.listed in self.ended:
            raise CannotUnify
        self.lists |= {step.listed} if step.listed else set()
        for row in rows if step.numbers else ():
            number = self.members.index(row.member)
            *outer, last = row.name.split(".")
            if step.listed:
                self.numbers.setdefault(("values", number, ".".join(outer)), {})[last] = None
            if step.made is not None and (outer or self.sequential):  # others have names, not places
                self.numbers.setdefault(("modules", number, ".".join(outer)), {})[last] = None
            if len(outer) > 1:
                self.numbers.setdefault(("lists", number, outer[0]), {})[outer[1]] = None

    def _check_numbers(self) -> None:
        """What stands in a list is numbered from 0 on, and in the order in which it is appended."""
        for (kind, *_), found in self.numbers.items():
            # Lists of lists are made before the loop, so their order is not that of what is put into them.
            numbers = sorted(found, key=int) if kind == "lists" else list(found)
            if numbers != [str(number) for number in range(len(numbers))]:
                raise CannotUnify

    def _check_order(self, labels: Iterable[str]) -> None:
        """The class registers its children in the order in which they are made: so has each instance."""
        joint = list(dict.fromkeys(label for label in labels if label))
        for member in self.members:
            own = [name for name in children(member.graph) if name in joint]
            if own != [label for label in joint if label in own]:
                raise CannotUnify

    # ---- what a step takes --------------------------------------------------------------------------------------

    def _inputs(self, row: TurnRow) -> tuple[Reference, ...]:
        """What a step takes, in the words of one of its rows."""
        if row.origin.inputs is not None:
            return tuple(self._named(text, row) for text in row.origin.inputs)
        if row.origin.turns:
            if self.before is None and not self.sequential:
                raise CannotUnify  # it stands behind a loop in the loop
            return (self.before or Reference(None),)
        value = row.node.inputs[0]
        if value.node == INPUT:
            return (Reference(None),)
        before = row.member.graph.nodes[value.node].origin
        if before is None or before.turns:
            raise CannotUnify
        return (self._named(before.key, row),)

    def _named(self, text: str, row: TurnRow) -> Reference:
        """The value of a name as a step writes it."""
        if text == "input":
            return Reference(None)
        if text in self.keys and "$" not in text:
            return self.instead.get(text, Reference(text))
        whole, _, part = text.rpartition(".")
        if whole == "input" and not isinstance(row.member.graph.input, Streams):
            return Reference(None)  # one value is a list of one
        number = None if part == EVERY else parse(part)
        if not whole or (number is None and part != EVERY):
            raise CannotUnify
        is_list = whole not in self.ended and any(list_of(key) == whole for key in self.keys if "$" in key)
        of = Reference(whole) if is_list else self._named(whole, row)
        if of.item is not None:
            raise CannotUnify
        return replace(of, item=EVERY if number is None else self._number(row.view.said(number)))

    def _leads(self, row: TurnRow) -> bool:
        """Whether the names that a step takes lead to what its node takes."""
        if row.origin.inputs is None:
            return True
        graph = row.member.graph
        names = [_written(row.view, text) for text in row.origin.inputs]
        numbers = self.names[self.members.index(row.member)]
        values = [value for name in names for value in values_named(str(name), numbers, graph)]
        return [graph.source_of(value) for value in values] == [graph.source_of(value) for value in row.node.inputs]

    # ---- what it gives ------------------------------------------------------------------------------------------

    def _output(self) -> Reference:
        """What the class gives: a step's value, or all of a list."""
        found: set[Reference] = set()
        for member in self.members:
            graph = member.graph
            last = graph.nodes[graph.output.node]
            if last.origin is not None and not last.origin.turns and graph.output.item is None:
                found.add(Reference(last.origin.key))
                continue
            lists = [_list_of_node(node) for node in graph.nodes]
            given = [value.node for value in last.inputs] if last.origin is None else []
            (name, *others) = {lists[at] if at != INPUT else "" for at in given} or {""}
            every = [at for at, each in enumerate(lists) if each == name]
            if others or not name or given != every or any(value.item is not None for value in last.inputs):
                raise CannotUnify
            found.add(Reference(name, EVERY))
        if len(found) != 1:
            raise CannotUnify
        return found.pop()


def _written(view: View, text: str) -> Any:
    """What a text says in one turn of one instance."""
    scope = {**view.scope, "input": view.graph.input}
    return Formula(text).value_in(scope, None) if "$" in text else text


def _list_of_node(node: Node) -> str:
    """The list to which the value of a node is appended; "" for one that stands in no loop, or in the turn of another one."""
    name = list_of(node.origin.key) if node.origin is not None and "$" in node.origin.key else ""
    return name if name == "$" or "$" not in name else ""


def _check_in_forward(step: Step) -> None:
    """What `forward` can say: all of a list goes where any number of values does, and no value of an expression changes with
    the turns of a loop.

    Raises:
        CannotUnify: if the step asks for more.
    """
    made = step.expression
    every = any(each.item == EVERY for each in step.inputs)
    takes_lists = made is not None and ("{all}" in made.template or made.template == "{sum}")
    if every and not (takes_lists and step.flag is True):
        raise CannotUnify
    if made is not None and any(isinstance(value, Computed) and value.parts is not None for _, value in made.values):
        raise CannotUnify


def _numbers(key: str, variables: list[str]) -> tuple[str, ...]:
    """The variables of loops that number what a step makes or gives, as Python calls them.

    Raises:
        CannotUnify: if it is numbered otherwise than by the loops around it, from the outermost on.
    """
    first, *rest = key.split(".")
    by_number = first.startswith("$")
    indices = [each.removeprefix("$") for each in ([first, *rest] if by_number else rest)]
    around, last = indices[:-1], indices[-1]
    if around != variables[: len(around)] or last not in variables or len(indices) > (1 if by_number else 2):
        raise CannotUnify
    if not (by_number or first.isidentifier()):
        raise CannotUnify
    return tuple(python_name(variable) for variable in indices)


def _runs_over(row: TurnRow, start: Tree, stop: Tree, depth: int, numbers: list[int]) -> bool:
    """Whether a loop runs over these numbers."""
    outer = {turn.variable: turn.number for turn in row.origin.turns[:depth]}
    scope = {**row.member.view.scope, **outer}
    ends = [value_of(row.view.said(tree), scope) for tree in (start, stop)]
    return all(type(end) is int for end in ends) and numbers == list(range(ends[0], ends[1]))


def _item_of(row: TurnRow, depth: int) -> tuple[str, str]:
    turns = row.origin.turns
    return ("loop", turns[depth].loop) if len(turns) > depth else ("step", row.origin.key)


def _first_steps(turns: list[list[TurnRow]], depth: int) -> Iterator[TurnRow]:
    """The first step of each turn, if it stands in no further loop."""
    for rows in turns:
        if rows and len(rows[0].origin.turns) == depth:
            yield rows[0]


def _with_turns(view: View, turns: dict[str, int]) -> Any:
    return lambda name: ast.Name(name, ast.Load()) if name in turns else view.names(name)
