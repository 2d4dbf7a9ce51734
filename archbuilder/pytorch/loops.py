"""Classes of blocks with loops: each step is planned once, as the block wrote it, and loops stay loops.

What cannot be said so is refused with `CannotUnify`: then the class is written out turn by turn.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Expression, Op
from archbuilder.graph.origin import Origin
from archbuilder.graph.shapes import Streams
from archbuilder.language.formula import Formula
from archbuilder.pytorch.constructor import ABSENT, CannotUnify, Constructor
from archbuilder.pytorch.expressions import Module, unify_expressions, unify_modules
from archbuilder.pytorch.formulas import Tree, is_name, parse, python_text, rebuilt, value_of
from archbuilder.pytorch.instances import is_chain
from archbuilder.pytorch.members import Member
from archbuilder.pytorch.names import argument_name
from archbuilder.pytorch.plans import Item, Loop, LoopBody, LoopStep, steps_in
from archbuilder.pytorch.views import View
from archbuilder.pytorch.wiring import identifier, joint_order
from archbuilder.pytorch.written import (
    after_the_first,
    bounds_of,
    first_word,
    first_word_of,
    values_named,
    written_steps,
)

_CHAIN: Final = "out"
"""The variable of the value that the next step takes."""


@dataclass
class _Row:
    """A node of an instance, with the view that its step has of it: the variables of the loops are names there."""

    member: Member
    view: View
    node: Node
    origin: Origin


@dataclass
class LoopPlanner:
    """Plans the class of a block with loops."""

    members: list[Member]
    constructor: Constructor
    names: list[dict[str, int]] = field(init=False)
    stored: dict[str, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    instead: dict[str, str] = field(default_factory=dict)
    chain: str = _CHAIN
    sequential: bool = False

    def __post_init__(self) -> None:
        self.names = [{node.shown_names()[0]: at for at, node in enumerate(m.graph.nodes)} for m in self.members]
        self._refuse()

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

    def plan(self) -> LoopBody:
        """What the class has beside its arguments.

        Raises:
            CannotUnify: if loops cannot say it.
        """
        rows = [[self._row(member, node) for node in written_steps(member.graph)] for member in self.members]
        self.read = {first_word(text) for each in rows for row in each for text in row.origin.inputs or ()}
        sequential = self.sequential = all(is_chain(member.graph) for member in self.members)
        output, kept = ("", "") if sequential else self._output()
        self.read.add(kept)
        items = tuple(self._items([list(each) for each in rows], 0))
        containers = dict(_containers(items))
        self._check_numbers(containers)
        base = "nn.Sequential" if sequential else "nn.ModuleDict" if "self" in containers else "nn.Module"
        made = tuple((name, text) for name, text in containers.items() if name != "self")
        lists = () if sequential else tuple(self.lists)
        stored = () if sequential else tuple(self.stored)
        if {*stored} & {name.removeprefix("self.") for name in containers}:
            raise CannotUnify
        output = self.instead.get(output, output)
        reads = Counter(re.split(r"\W+", text.lstrip("*"))[0] for step in steps_in(items) for text in step.inputs)
        reads[output] += 1
        return LoopBody(base, made, lists, stored, _going_on(items, reads, inside=False), output)

    def _row(self, member: Member, node: Node) -> _Row:
        if node.origin is None or not node.origin.own:
            raise CannotUnify
        turns = {turn.variable: turn.number for turn in node.origin.turns}
        names = _with_turns(member.view, turns)
        view = replace(
            member.view, scope={**member.view.scope, **turns}, names=names, in_loop=True,
            into=lambda each: self._into(member, each),
        )  # fmt: skip
        if str(self._written(view, node.origin.key)) != node.shown_names()[0]:
            raise CannotUnify
        return _Row(member, view, node, node.origin)

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
        found = self._row(member, source).view.channels_of(value)
        variable = source.origin.turns[-1].variable
        return found and rebuilt(found, lambda each: index if is_name(each, variable) else None)

    def _before_turn(self, member: Member, node: Node, origin: Origin) -> Tree | None:
        """The channels of what the turn before gives, by the number of this one."""
        value = node.inputs[0]
        source = member.graph.nodes[value.node].origin if value.node != INPUT else None
        if source is None or source.turns == origin.turns or not source.turns:
            return None
        found = self._row(member, member.graph.nodes[value.node]).view.channels_of(value)
        variable = source.turns[-1].variable
        before = ast.BinOp(ast.Name(variable, ast.Load()), ast.Sub(), ast.Constant(1))
        return found and rebuilt(found, lambda each: before if is_name(each, variable) else None)

    @staticmethod
    def _written(view: View, text: str) -> Any:
        """What a text says in one turn of one instance."""
        scope = {**view.scope, "input": view.graph.input}
        return Formula(text).value_in(scope, None) if "$" in text else text

    # ---- the order of steps -------------------------------------------------------------------------------------

    def _items(self, turns: list[list[_Row]], depth: int) -> Iterator[Item]:
        """The items at one level, from the nodes of each turn of each instance."""
        sequences = [list(dict.fromkeys(_item_of(row, depth) for row in rows)) for rows in turns]
        order = joint_order(sequences)
        for kind, text in order:
            found = [[row for row in rows if _item_of(row, depth) == (kind, text)] for rows in turns]
            if kind == "loop":
                yield self._loop(text, found, depth)
            elif (step := self._step([row for rows in found for row in rows])) is not None:
                yield step

    def _loop(self, header: str, turns: list[list[_Row]], depth: int) -> Loop:
        """A loop, from the nodes of each turn of what is around it."""
        variable, start, stop = bounds_of(header)
        inner: list[list[_Row]] = []
        for rows in turns:
            numbers = list(dict.fromkeys(row.origin.turns[depth].number for row in rows))
            inner += [[row for row in rows if row.origin.turns[depth].number == number] for number in numbers]
            if rows and not self._runs_over(rows[0], start, stop, depth, numbers):
                raise CannotUnify
        first = next(rows[0] for rows in turns if rows)
        if not self.sequential and any(row.origin.inputs is None for row in _first_steps(inner, depth + 1)):
            raise CannotUnify  # what goes from one turn into the next has no name here
        around = {turn.variable for turn in first.origin.turns[:depth]}
        bounds = tuple(self._range(start, stop, first, around, in_forward=in_forward) for in_forward in (False, True))
        before = set(self.lists)
        items = tuple(self._items(inner, depth + 1))
        self.chain = ""
        fresh = tuple(name for name in self.lists if name not in before and name in self._fresh(first, depth, inner))
        for name in fresh:
            del self.lists[name]
        return Loop(variable, (bounds[0], bounds[1]), items, fresh)

    @staticmethod
    def _fresh(first: _Row, depth: int, turns: list[list[_Row]]) -> set[str]:
        """The lists of steps whose first number is that of this loop: `fuse_layers.$to.$of`, of the loop over `to`."""
        variable = first.origin.turns[depth].variable
        keys = [row.origin.key.split(".") for rows in turns for row in rows]
        return {argument_name(identifier(key[0])) for key in keys if len(key) == 3 and key[1] == f"${variable}"}

    def _runs_over(self, row: _Row, start: Tree, stop: Tree, depth: int, numbers: list[int]) -> bool:
        outer = {turn.variable: turn.number for turn in row.origin.turns[:depth]}
        scope = {**row.member.view.scope, **outer}
        ends = [value_of(row.view.said(tree), scope) for tree in (start, stop)]
        return all(type(end) is int for end in ends) and numbers == list(range(ends[0], ends[1]))

    def _range(self, start: Tree, stop: Tree, row: _Row, around: set[str], *, in_forward: bool) -> str:
        texts = [self._text(row.view.said(tree), around, in_forward=in_forward) for tree in (start, stop)]
        return f"range({texts[1]})" if texts[0] == "0" else f"range({', '.join(texts)})"

    def _text(self, tree: Tree, variables: set[str], *, in_forward: bool) -> str:
        """An expression in the words of a constructor, or of `forward`, where names are attributes."""
        simple = self.constructor.simple(tree)
        names = self.constructor.use(simple, variables)
        if not in_forward:
            return python_text(simple, self._rename(variables, ""))
        self.stored.update(dict.fromkeys(names))
        return python_text(simple, self._rename(variables, "self."))

    def _rename(self, variables: set[str], prefix: str) -> Any:
        python_name = self.constructor.python_name
        return lambda name: name if name in variables else prefix + python_name(name)

    # ---- one step -----------------------------------------------------------------------------------------------

    def _step(self, rows: list[_Row]) -> LoopStep | None:
        """A step; None for one that is there nowhere: whoever reads it reads what it hands on."""
        first = rows[0]
        variables = {turn.variable for turn in first.origin.turns}
        present = [row.node.body is not None for row in rows]
        self.constructor.rows = [row.view.scope for row in rows]
        self.constructor.choices = after_the_first(first.origin)
        condition = self._condition(rows, present, variables)
        made = [
            row.member.made(row.node.name, row.view) if has else ABSENT for row, has in zip(rows, present, strict=True)
        ]
        found = [each for each in made if each is not ABSENT]
        module: Module | None = None
        expression: Expression | None = None
        if found and isinstance(found[0], Expression):
            expression = self._expression(made)
        elif found:
            module = unify_modules(made, self.constructor, identifier(first.origin.key))
        if not all(self._leads(row) for row in rows if row.node.body is not None):
            raise CannotUnify
        inputs = tuple(self._input(rows, at, variables, expression) for at in range(self._width(first)))
        variable = self._variable(first.origin.key)
        listed = "$" in first.origin.key and first_word(first.origin.key) in self.read
        if not (found or listed):
            self.instead[variable] = self.chain = inputs[0]
            return None
        self.chain = _CHAIN
        keeper, container = self._place(first.origin.key, variables) if module is not None else ("", "")
        if listed:
            self.lists[variable] = None
        takes_before = first.origin.inputs is None and (inputs[0] == _CHAIN if variables else inputs[0] != "x")
        return LoopStep(keeper, container, module, expression, inputs, variable, condition, listed, takes_before)

    def _expression(self, made: Sequence[Any]) -> Expression:
        found = unify_expressions(made, self.constructor, "")
        if any(not isinstance(value, bool | int | float | str) for _, value in found.values):
            raise CannotUnify  # `forward` would need it
        return found

    def _condition(self, rows: list[_Row], present: list[bool], variables: set[str]) -> tuple[str, str] | None:
        if all(present) or not any(present):
            return None
        for row in rows:
            for tree in row.view.condition(row.node):
                simple = self.constructor.simple(tree)
                if self.constructor.gives(simple, present):
                    texts = [self._text(simple, variables, in_forward=in_forward) for in_forward in (False, True)]
                    return texts[0], texts[1]
        raise CannotUnify

    # ---- what a step takes --------------------------------------------------------------------------------------

    @staticmethod
    def _width(row: _Row) -> int:
        return 1 if row.origin.inputs is None else len(row.origin.inputs)

    def _input(self, rows: list[_Row], at: int, variables: set[str], expression: Expression | None) -> str:
        """One value that a step takes, in `forward`; a list of values has a star in front."""
        first = rows[0]
        if first.origin.inputs is None:
            return self._before_in_turn() if first.origin.turns else self._before(rows)
        text = first.origin.inputs[at]
        whole, dot, part = text.rpartition(".")
        if part == "*" and dot:
            if expression is None:
                raise CannotUnify
            return f"*{self._named(whole.split('.')[0])}"
        if "$" not in text:
            return self._named(text)
        if "$" in whole.replace("$" + next(iter(variables), ""), ""):
            raise CannotUnify
        tree = parse(part)
        if tree is None or not dot:
            raise CannotUnify
        if whole == "input" and not isinstance(first.member.graph.input, Streams):
            return "x"  # one value is a list of one
        index = self._text(first.view.said(tree), variables, in_forward=True)
        return f"{self._named(whole.split('.')[0])}[{index}]"

    def _before_in_turn(self) -> str:
        """The value before a step in the same turn of a loop."""
        if not (self.chain or self.sequential):
            raise CannotUnify  # it stands behind a loop in the loop
        return self.chain

    def _before(self, rows: list[_Row]) -> str:
        """The value before a step that stands in no loop."""
        row = rows[0]
        value = row.node.inputs[0]
        if value.node == INPUT:
            return "x"
        before = row.member.graph.nodes[value.node]
        if before.origin is None or before.origin.turns:
            raise CannotUnify
        return self._named(before.origin.key)

    def _named(self, name: str) -> str:
        variable = "x" if name == "input" else self._variable(name)
        return self.instead.get(variable, variable)

    @staticmethod
    def _variable(key: str) -> str:
        """The variable of a step, or of the list of those that a loop makes."""
        first = key.split(".", maxsplit=1)[0]
        name = "streams" if first.startswith("$") else argument_name(identifier(first))
        return f"{name}_" if name in (_CHAIN, "x") else name

    def _leads(self, row: _Row) -> bool:
        """Whether the names that a step takes lead to what its node takes."""
        if row.origin.inputs is None:
            return True
        graph = row.member.graph
        names = [self._written(row.view, text) for text in row.origin.inputs]
        numbers = self.names[self.members.index(row.member)]
        values = [value for name in names for value in values_named(str(name), numbers, graph)]
        return [graph.source_of(value) for value in values] == [graph.source_of(value) for value in row.node.inputs]

    # ---- where a module is kept ---------------------------------------------------------------------------------

    def _place(self, key: str, variables: set[str]) -> tuple[str, str]:
        """How a step's module is reached, and the list that it is appended to."""
        first, *rest = key.split(".")
        if not first.startswith("$") and not rest:
            if variables or "$" in first or not first.isidentifier():
                raise CannotUnify
            return f"self.{first}", ""
        if first.startswith("$"):
            if rest or first.removeprefix("$") not in variables:
                raise CannotUnify
            return f'self[f"{{{first[1:]}}}"]', "self"
        if not all(part.startswith("$") for part in rest) or len(rest) > 2 or not first.isidentifier():
            raise CannotUnify
        indices = [part[1:] for part in rest]
        if not all(index in variables for index in indices):
            raise CannotUnify
        places = "".join(f"[{index}]" for index in indices)
        return f"self.{first}{places}", f"self.{first}" + "".join(f"[{index}]" for index in indices[:-1])

    def _check_numbers(self, containers: dict[str, str]) -> None:
        """What stands in a list is numbered from 0 on, and in the order in which it is made."""
        for member in self.members:
            found: dict[str, list[str]] = {}
            for node in member.graph.nodes:
                is_module = isinstance(node.body, Graph) or (isinstance(node.body, Op) and node.body.is_module)
                whole, _, last = node.name.rpartition(".")
                if is_module and last.isdigit():
                    found.setdefault(whole, []).append(last)
                    outer, _, number = whole.rpartition(".")
                    if outer and number.isdigit() and number not in found.setdefault(outer, []):
                        found[outer].append(number)
            for whole, numbers in found.items():
                if whole and numbers != [str(number) for number in range(len(numbers))]:
                    raise CannotUnify

    # ---- what it gives ------------------------------------------------------------------------------------------

    def _output(self) -> tuple[str, str]:
        """What the class gives, in `forward`; and the steps whose list that is, if it is one."""
        found: set[tuple[str, str]] = set()
        for member, names in zip(self.members, self.names, strict=True):
            graph = member.graph
            last = graph.nodes[graph.output.node]
            if last.origin is not None and not last.origin.turns and graph.output.item is None:
                found.add((self._variable(last.origin.key), ""))
                continue
            given = list(last.inputs) if last.origin is None else []
            keys = {first_word_of(graph.nodes[value.node]) for value in given if value.node != INPUT}
            (key, *others) = keys or {""}
            every = [Value(at) for name, at in names.items() if first_word_of(graph.nodes[at]) == key]
            if others or given != every:
                raise CannotUnify
            found.add((f"tuple({self._variable(key)})", key))
        if len(found) != 1:
            raise CannotUnify
        return found.pop()


def _going_on(items: tuple[Item, ...], reads: Mapping[str, int], *, inside: bool) -> tuple[Item, ...]:
    """Items of which those know it whose value the next one alone takes; `reads` says how often each variable is read."""
    found: list[Item] = []
    for item, after in zip(items, (*items[1:], None), strict=True):
        if isinstance(item, Loop):
            found.append(replace(item, items=_going_on(item.items, reads, inside=True)))
            continue
        taken = after.inputs[0] if isinstance(after, LoopStep) and after.takes_before else None
        alone = inside or (taken == item.variable and reads[item.variable] == 1)
        found.append(replace(item, goes_on=taken is not None and alone))
    return tuple(found)


def _item_of(row: _Row, depth: int) -> tuple[str, str]:
    turns = row.origin.turns
    return ("loop", turns[depth].loop) if len(turns) > depth else ("step", row.origin.key)


def _first_steps(turns: list[list[_Row]], depth: int) -> Iterator[_Row]:
    """The first step of each turn, if it stands in no further loop."""
    for rows in turns:
        if rows and len(rows[0].origin.turns) == depth:
            yield rows[0]


def _with_turns(view: View, turns: dict[str, int]) -> Any:
    return lambda name: ast.Name(name, ast.Load()) if name in turns else view.names(name)


def _containers(items: tuple[Item, ...], around: str = "") -> Iterator[tuple[str, str]]:
    """The lists of modules of a class, each with the text that makes it."""
    for item in items:
        if isinstance(item, Loop):
            yield from _containers(item.items, around or item.bounds[0])
        elif item.container:
            name, _, inner = item.container.partition("[")
            yield name, f"nn.ModuleList(nn.ModuleList() for _ in {around})" if inner else "nn.ModuleList()"
