"""Which step of a class reads which, and in which order the steps stand and are registered."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from archbuilder.graph.graph import INPUT, Child, Graph, Node, Value, children
from archbuilder.pytorch.constructor import ABSENT, CannotUnify, Constructor
from archbuilder.pytorch.members import Member
from archbuilder.pytorch.plans import Reference


class Wiring:
    """Which step reads which, the same for all instances as far as possible."""

    def __init__(self, members: list[Member], constructor: Constructor) -> None:
        self.members = members
        self.constructor = constructor
        self.order = joint_order([member.names for member in members])
        self.position = {name: number for number, name in enumerate(self.order)}
        self.by_name = sorted(name for name in self.order if "~" not in name)
        self.instead: dict[str | None, Reference] = {}
        """What is read in place of a step that does nothing."""

    def is_alone(self, name: str) -> bool:
        """Whether a step is the only one in a list: a list of one identity would say nothing."""
        whole, dot, _ = name.rpartition(".")
        first, behind = bisect_left(self.by_name, f"{whole}."), bisect_left(self.by_name, f"{whole}/")
        return bool(dot) and behind - first == 1  # "/" is the character behind "."

    def inputs(self, name: str) -> tuple[Reference, ...]:
        """What a step reads."""
        nodes = [member.node(name) for member in self.members]
        widths = {len(node.inputs) for node in nodes if node is not None and node.body is not None}
        if len(widths) > 1:
            raise CannotUnify
        width = widths.pop() if widths else 1
        return tuple(self.value([self._input(node, number) for node in nodes]) for number in range(width))

    @staticmethod
    def _input(node: Node | None, number: int) -> Value | None:
        """An input of a node; a step that is left out still hands on its first one."""
        if node is None or (node.body is None and number > 0):
            return None
        return node.inputs[number]

    def value(self, values: Sequence[Value | None]) -> Reference:
        """The reference that leads to the right value in every instance."""
        sources = [
            None if value is None else _key(member.graph, member.graph.source_of(value))
            for member, value in zip(self.members, values, strict=True)
        ]
        distinct = list(dict.fromkeys(source for source in sources if source is not None))
        last = max(distinct, key=lambda source: self.position.get(source[0] or "", -1))
        if all(self._leads(member, last, source) for member, source in zip(self.members, sources, strict=True)):
            return self._reference(*last)
        if len(distinct) != 2:
            raise CannotUnify
        (other,) = [source for source in distinct if source != last]
        choices = [ABSENT if source is None else source == last for source in sources]
        flag = self.constructor.flag(choices, self.constructor.choices, identifier(f"from_{last[0] or 'input'}"))
        return replace(self._reference(*last), flag=flag, other=self._reference(*other))

    def _reference(self, name: str | None, item: int | None) -> Reference:
        found = self.instead.get(name, Reference(name))
        return found if item is None else replace(found, item=item)

    def _leads(
        self, member: Member, start: tuple[str | None, int | None], end: tuple[str | None, int | None] | None
    ) -> bool:
        """Whether reading `start` gives `end` in an instance, through steps that it does not have."""
        if end is None or start == end:
            return True
        name, item = start
        node = member.node(name) if name is not None else None
        if name is None or item is not None:
            return False
        if node is not None:
            return node.body is None and _key(member.graph, member.graph.source_of(node.inputs[0])) == end
        behind = self._first_input_elsewhere(name)
        return behind is not None and self._leads(member, behind, end)

    def _first_input_elsewhere(self, name: str) -> tuple[str | None, int | None] | None:
        for member in self.members:
            node = member.node(name)
            if node is not None and node.inputs:
                return _key(member.graph, node.inputs[0])
        return None


def _key(graph: Graph, value: Value) -> tuple[str | None, int | None]:
    return (None if value.node == INPUT else graph.nodes[value.node].name, value.item)


_Name = TypeVar("_Name")


def joint_order(orders: list[list[_Name]]) -> list[_Name]:
    """One order of all names that agrees with each.

    Raises:
        CannotUnify: if two disagree.
    """
    joint = orders[0]
    for order in orders[1:]:
        if order != joint:
            joint = _joined(joint, order)
    return list(joint)


def _joined(joint: list[_Name], order: list[_Name]) -> list[_Name]:
    """An order with the further names of another one, each right behind the name before it there."""
    position = {name: number for number, name in enumerate(joint)}
    last, behind = -1, defaultdict[int, list[_Name]](list)
    for name in order:
        at = position.get(name)
        if at is None:
            behind[last].append(name)
        elif at <= last:
            raise CannotUnify
        else:
            last = at
    joined = behind[-1]
    for number, name in enumerate(joint):
        joined += [name, *behind[number]]
    return joined


def registration(members: list[Member], names: Iterable[str]) -> tuple[str, ...]:
    """The order in which a class registers its children.

    Raises:
        CannotUnify: if the instances register in different orders.
    """
    wanted = set(names)
    orders = [list(_flat(children(member.graph))) for member in members]
    joint = joint_order([list(_flat(children(member.graph, left_out=True))) for member in members])
    if any(list(filter(set(order).__contains__, joint)) != order for order in orders):
        joint = joint_order(orders)  # a container that a step would open if it were there
    return tuple(name for name in joint if name in wanted)


def _flat(level: dict[str, Child], prefix: str = "") -> Iterable[str]:
    """The dotted names of a graph's children in order of registration; containers are opened at their first child."""
    for name, child in level.items():
        if child.node is not None:
            yield prefix + name
        yield from _flat(child.inner, f"{prefix}{name}.")


def identifier(name: str) -> str:
    """A child's dotted name as a Python identifier."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"step_{plain}" if plain[:1].isdigit() else plain
