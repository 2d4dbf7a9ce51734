"""Graphs -> classes: one class per block definition, with arguments for exactly what differs between its instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, Final

from archbuilder.graph.answers import Construct
from archbuilder.graph.graph import Graph, graphs_in
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Streams
from archbuilder.language.formula import Formula
from archbuilder.pytorch.chains import gather_chains
from archbuilder.pytorch.constructor import ABSENT, CannotUnify, Constructor, is_literal
from archbuilder.pytorch.formulas import BLOCK_CHANNELS, IN_CHANNELS, Unsaid, names_in, parse, same
from archbuilder.pytorch.instances import Instance, calls, drop_rates, is_chain, root_instance
from archbuilder.pytorch.loops import LoopPlanner
from archbuilder.pytorch.members import Member, Sources
from archbuilder.pytorch.names import ClassNames, camel_case, counted
from archbuilder.pytorch.plans import Network, Plan
from archbuilder.pytorch.steps import plan_in_turn
from archbuilder.pytorch.views import View, scope_of

_LONGEST_INLINE: Final = 1000
"""How many calls a Sequential has at most that stands where it is called. Chains of chains double with each level."""


def plan_network(graph: Graph, taken: Iterable[str] = ()) -> Network:
    """The classes of a network; names that are `taken` mean something else in its source."""
    return _Planner(frozenset(taken)).network(graph)


class _Planner:
    """Plans classes bottom-up: first all instances of each block are gathered, then each block is made a class."""

    def __init__(self, taken: frozenset[str]) -> None:
        self.taken = taken
        self.groups: dict[Any, list[Instance]] = {}
        self.keys: dict[Instance, Any] = {}
        self.labels: dict[Any, str] = {}
        self.made: dict[Instance, tuple[Construct, Sources]] = {}
        self.planned: set[Any] = set()
        self.plans: list[Plan] = []
        self.heights: dict[int, int] = {}
        self.lengths: dict[int, int] = {}
        self.names = ClassNames(taken)

    def network(self, graph: Graph) -> Network:
        root = root_instance(gather_chains(graph), drop_rates(graph.whole or graph))
        root_name = self.names.take(graph.class_name or camel_case(graph.name) or "Network")
        if graph.outputs:
            while f"{root_name}Output" in self.names.taken:
                root_name = self.names.take(root_name)
            self.names.taken.add(f"{root_name}Output")
        self.gather(root, root_name)
        for _, instances in calls(root):
            for instance in instances:
                self.plan_needed(instance)
        plan = self.unify([root], root_name, free_parameters(root.graph))
        return Network(plan, self.plans, root, {instance: made.callee for instance, (made, _) in self.made.items()})

    def gather(self, instance: Instance, owner: str) -> None:
        """Notes every instance of every graph that needs a class."""
        for node, instances in calls(instance):
            for inner in instances:
                if inner in self.keys:
                    continue
                if self.stands_inline(inner.graph) and not _has_loops(inner.graph):
                    self.keys[inner] = None
                    self.gather(inner, owner)
                    continue
                label = inner.graph.definition or f"{owner}_{node.name}"
                counts = inner.graph.loops if inner.graph.is_computed else ()
                key = (label, counts, self.height(inner.graph) if _is_recursive(inner.graph) else 0)
                self.keys[inner] = key
                self.labels[key] = label
                self.groups.setdefault(key, []).append(inner)
                self.gather(inner, label)

    def stands_inline(self, graph: Graph) -> bool:
        """Whether a graph needs no class: a Sequential that is not too long to be read where it is called."""
        return is_chain(graph) and self.length(graph) <= _LONGEST_INLINE

    def length(self, graph: Graph) -> int:
        """How many calls the expression has that makes a chain."""
        if id(graph) not in self.lengths:
            inner = [node.body for node in graph.nodes if isinstance(node.body, Graph)]
            self.lengths[id(graph)] = len(graph.nodes) + sum(
                self.length(body) for body in inner if self.stands_inline(body)
            )
        return self.lengths[id(graph)]

    def height(self, graph: Graph) -> int:
        """How deep classes nest in a graph."""
        if id(graph) not in self.heights:
            inner = [self.height(node.body) for node in graph.nodes if isinstance(node.body, Graph)]
            self.heights[id(graph)] = 1 + max(inner, default=0)
        return self.heights[id(graph)]

    def plan_needed(self, instance: Instance) -> None:
        """Plans the class of an instance and, before it, the classes that it uses."""
        key = self.keys[instance]
        if key is not None and key in self.planned:
            return
        if key is not None:
            self.planned.add(key)
        for member in self.groups[key] if key is not None else [instance]:
            for _, instances in calls(member):
                for inner in instances:
                    self.plan_needed(inner)
        if key is not None:
            self.plan_group(key)

    def plan_group(self, key: Any) -> None:
        """One class for all instances of a block; several where they differ in more than values."""
        for instances in _by_kind_of_input(self.groups[key]):
            often = any(count != 1 for instance in instances for count in instance.graph.loops)  # once is no loop
            looped = often and any(_has_loops(instance.graph) for instance in instances)
            plan = self.attempt(instances, looped=True) if looped else None
            if plan is not None:
                self.add(replace(plan, name=self.names.take(camel_case(self.labels[key]))), instances)
            else:
                self.plan_in_turn(key, instances)

    def plan_in_turn(self, key: Any, instances: list[Instance]) -> None:
        """Classes in which loops are written out: one for all instances that differ in no more than values."""
        by_counts: dict[Any, list[Instance]] = {}
        for instance in instances:
            by_counts.setdefault(instance.graph.loops, []).append(instance)
        for counts, alike in by_counts.items():
            if all(self.stands_inline(instance.graph) for instance in alike):
                self.keys.update(dict.fromkeys(alike, None))  # what is in them stands where they are called
                continue
            name, left = camel_case(self.labels[key]) + counted(counts, list(by_counts)), alike
            while left:
                plan, together, left = self.largest(left)
                self.add(replace(plan, name=self.names.take(name)), together)

    def add(self, plan: Plan, instances: list[Instance]) -> None:
        """Takes a class for some instances."""
        self.plans.append(plan)
        for number, instance in enumerate(instances):
            self.made[instance] = _call_of(plan, number)

    def largest(self, instances: list[Instance]) -> tuple[Plan, list[Instance], list[Instance]]:
        """As many instances as go into one class with the first, and the others; and that class, without a name."""
        plan = self.attempt(instances)
        if plan is not None:
            return plan, instances, []
        together, apart = instances[:1], []
        plan = self.unify(together, "")
        for instance in instances[1:]:
            larger = self.attempt([*together, instance])
            if larger is None:
                apart.append(instance)
            else:
                plan = larger
                together.append(instance)
        return plan, together, apart

    def attempt(self, instances: list[Instance], *, looped: bool = False) -> Plan | None:
        """The class of some instances, if they differ in no more than values; with loops, if these can say it."""
        try:
            return self.unify(instances, "", looped=looped)
        except (CannotUnify, Unsaid):
            return None

    def call_of(self, instance: Instance) -> tuple[Construct, Sources] | None:
        """The call that makes an instance, and what its arguments are in the spec; None for what needs no class."""
        return self.made[instance] if self.keys.get(instance) is not None else None

    def members_of(
        self, instances: list[Instance], free: AbstractSet[str] = frozenset()
    ) -> tuple[list[Member], Constructor]:
        """Instances whose class is to be planned, and its constructor, which takes the names that are `free`."""
        scopes = [scope_of(instance.graph) for instance in instances]
        same_input = all(same(scope.get(BLOCK_CHANNELS), scope.get(IN_CHANNELS)) for scope in scopes)
        views = [
            View.own(instance.graph, same_input=same_input or bool(instance.graph.definition)) for instance in instances
        ]
        constructor = Constructor(views, instances[0].graph.formulas, free)
        pairs = zip(instances, views, strict=True)
        return [Member(instance, view, self.call_of) for instance, view in pairs], constructor

    # ---- one class ----------------------------------------------------------------------------------------------

    def unify(
        self, instances: list[Instance], name: str, free: AbstractSet[str] = frozenset(), *, looped: bool = False
    ) -> Plan:
        """The class of some instances; names that are `free` are arguments whatever they are.

        Raises:
            CannotUnify: if they differ in more than values.
            Unsaid: if loops cannot say what is in them.
        """
        first = instances[0].graph
        members, constructor = self.members_of(instances, free)
        body = LoopPlanner(members, constructor).body() if looped else plan_in_turn(members, constructor)
        several = isinstance(first.output_shape, Streams)
        return Plan(name, first.help, body, constructor.ordered(), constructor.lines(), several, self.taken)


def free_parameters(graph: Graph) -> frozenset[str]:
    """The parameters of a network that its class can take as arguments: all that follows from them is said in its source.

    They are said to ops alone, each of which says what its call takes of them, and behind these there are ops only.
    """
    told = list(_told_to_ops(graph))
    free = {name for name in graph.free if is_literal(graph.bindings[name]) and name in {each for each, *_ in told}}
    return frozenset(free - {name for name, op, parameter in told if op is None or not _takes(op, parameter)})


def _told_to_ops(graph: Graph) -> Iterator[tuple[str, Op | None, str]]:
    """Each name that a node's step speaks of: with its op, None where a block stands behind it, and the op's parameter."""
    before_blocks = _before_blocks(graph)
    for number, node in enumerate(graph.nodes):
        if isinstance(node.body, Graph):
            yield from _told_to_ops(node.body) if not node.body.definition and is_chain(node.body) else ()
        if not isinstance(node.body, Op) or node.origin is None:
            continue
        for parameter, value in node.origin.arguments.items():
            for name in value.names if isinstance(value, Formula) else ():
                yield name, None if number in before_blocks else node.body, parameter


def _before_blocks(graph: Graph) -> set[int]:
    """The nodes whose value goes to a block, by whatever way."""
    found: set[int] = set()
    for number, node in reversed(list(enumerate(graph.nodes))):
        if number in found or isinstance(node.body, Graph):
            found.update(value.node for value in node.inputs)
    return found


def _takes(op: Op, parameter: str) -> bool:
    """Whether the call that an op is made by says what it takes of a parameter."""
    made = op.emit()
    values = made.keywords if isinstance(made, Construct) else made.values
    texts = [text for sources in made.sources.values() for text in sources]
    texts += [key for key, _ in values if key not in made.sources]
    return any(parameter in names_in(tree) for text in texts if (tree := parse(text)) is not None)


def _call_of(plan: Plan, number: int) -> tuple[Construct, Sources]:
    """The call that makes instance `number` of a class; what that does not use is left to its default."""
    keywords = tuple((each.name, each.values[number]) for each in plan.arguments if each.values[number] is not ABSENT)
    return Construct(plan.name, (), keywords), {each.name: each.source for each in plan.arguments}


def _has_loops(graph: Graph) -> bool:
    """Whether a block's own text has loops."""
    turns = (node.origin.turns for node in graph.nodes if node.origin is not None and node.origin.own)
    return bool(graph.definition) and not graph.is_computed and any(turns)


def _by_kind_of_input(instances: list[Instance]) -> list[list[Instance]]:
    """Instances that take one value, and those that take several."""
    several = [isinstance(instance.graph.input, Streams) for instance in instances]
    parts = [
        [each for each, is_several in zip(instances, several, strict=True) if is_several is kind]
        for kind in (False, True)
    ]
    return [part for part in parts if part]


def _is_recursive(graph: Graph) -> bool:
    """Whether a block stands somewhere in itself."""
    name = graph.definition
    return bool(name) and any(inner.definition == name for inner in graphs_in(graph) if inner is not graph)
