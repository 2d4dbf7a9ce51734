"""Graphs -> classes: one class per block definition, with arguments for exactly what differs between its instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from archbuilder.graph.graph import Graph, graphs_in
from archbuilder.graph.op import Construct, Expression, Op
from archbuilder.graph.shapes import Map, Streams, Tokens, Vector
from archbuilder.pytorch.chains import gather_chains
from archbuilder.pytorch.expressions import ABSENT, IDENTITY, Arguments, CannotUnify, unify_modules
from archbuilder.pytorch.instances import Instance, calls, is_chain, root_instance
from archbuilder.pytorch.members import Member
from archbuilder.pytorch.names import ClassNames, argument_name, camel_case, counted
from archbuilder.pytorch.plans import Network, Plan, PlannedStep, Reference
from archbuilder.pytorch.wiring import Wiring, identifier, registration


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
        self.made: dict[Instance, Construct] = {}
        self.planned: set[Any] = set()
        self.plans: list[Plan] = []
        self.heights: dict[int, int] = {}
        self.names = ClassNames(taken)

    def network(self, graph: Graph) -> Network:
        root = root_instance(gather_chains(graph))
        root_name = self.names.take(graph.class_name or camel_case(graph.name) or "Network")
        if graph.outputs:
            while f"{root_name}Output" in self.names.taken:
                root_name = self.names.take(root_name)
            self.names.taken.add(f"{root_name}Output")
        self.gather(root, root_name)
        for _, instances in calls(root):
            for instance in instances:
                self.plan_needed(instance)
        plan = self.unify([root], root_name)
        return Network(plan, self.plans, root, {instance: made.callee for instance, made in self.made.items()})

    def gather(self, instance: Instance, owner: str) -> None:
        """Notes every instance of every graph that needs a class."""
        for node, instances in calls(instance):
            for inner in instances:
                if inner in self.keys:
                    continue
                if is_chain(inner.graph):
                    self.keys[inner] = None
                    self.gather(inner, owner)
                    continue
                label = inner.graph.definition or f"{owner}_{node.name}"
                key = (label, inner.graph.loops, self.height(inner.graph) if _is_recursive(inner.graph) else 0)
                self.keys[inner] = key
                self.labels[key] = label
                self.groups.setdefault(key, []).append(inner)
                self.gather(inner, label)

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
        left = self.groups[key]
        while left:
            plan, together, apart = self.largest(left)
            plan = replace(plan, name=self.names.take(self.wanted_name(key)))
            self.plans.append(plan)
            for number, instance in enumerate(together):
                self.made[instance] = _call_of(plan, number)
            left = apart

    def wanted_name(self, key: Any) -> str:
        """What the class of a group should be called: after its block, and what tells it from the block's other groups."""
        label = self.labels[key]
        every = list(
            dict.fromkeys(loops for _, loops, _ in (each for each in self.groups if self.labels[each] == label))
        )
        return camel_case(label) + counted(key[1], every)

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

    def attempt(self, instances: list[Instance]) -> Plan | None:
        """The class of some instances, if they differ in no more than values."""
        try:
            return self.unify(instances, "")
        except CannotUnify:
            return None

    def call_of(self, instance: Instance) -> Construct | None:
        """The call that makes an instance; None for what needs no class."""
        return self.made[instance] if self.keys.get(instance) is not None else None

    # ---- one class ----------------------------------------------------------------------------------------------

    def unify(self, instances: list[Instance], name: str) -> Plan:
        """The class of some instances.

        Raises:
            CannotUnify: if they differ in more than values.
        """
        arguments = Arguments(len(instances), _known_values(instances))
        members = [Member(instance, self.call_of) for instance in instances]
        wiring = Wiring(members, arguments)
        steps = [step for child in wiring.order if (step := self.step(child, members, arguments, wiring)) is not None]
        first = members[0].graph
        idle = {first.nodes[number].name for number in first.training_only}
        steps = [step for step in steps if step.name not in idle] + [
            replace(step, training_only=True) for step in steps if step.name in idle
        ]
        returned = tuple((tap.name, wiring.value([tap.value])) for tap in first.returned)
        return Plan(
            name,
            first.help,
            tuple(steps),
            wiring.value([member.graph.output for member in members]),
            returned,
            tuple((output.name, wiring.value([output.value]), output.always) for output in first.outputs),
            registration(members, [step.name for step in steps if step.made is not None]),
            tuple((argument, arguments.taken[argument]) for argument in arguments.ordered()),
            gives_several=isinstance(first.output_shape, Streams),
            taken=self.taken,
            sequential=len(instances) == 1 and _is_numbered_chain(first) and not (returned or first.outputs),
        )

    def step(self, name: str, members: list[Member], arguments: Arguments, wiring: Wiring) -> PlannedStep | None:
        """A step that some instance has."""
        nodes = [member.node(name) for member in members]
        present = [node is not None and node.body is not None for node in nodes]
        stays = any(node is not None and node.replaced for node in nodes)
        if not any(present) and not stays:
            return None
        inputs = wiring.inputs(name)
        made = [member.made(name) if has else ABSENT for member, has in zip(members, present, strict=True)]
        if any(isinstance(each, Expression) for each in made):
            return self.expression(name, made, inputs, arguments)
        if len(inputs) > 1 and not all(present):
            raise CannotUnify  # an identity would hand on all inputs
        module = unify_modules([IDENTITY if each is ABSENT else each for each in made], arguments, identifier(name))
        is_call = any(node is not None and isinstance(node.body, Graph) for node in nodes)
        holds = any(node is not None and isinstance(node.body, Op) and node.body.holds_tensor for node in nodes)
        spreads = any(node is not None and isinstance(node.body, Op) and node.body.spreads for node in nodes)
        return PlannedStep(name, module, None, inputs, is_call=is_call, is_tensor=holds, spreads=spreads)

    def expression(
        self, name: str, made: Sequence[Any], inputs: tuple[Reference, ...], arguments: Arguments
    ) -> PlannedStep:
        found = [each for each in made if each is not ABSENT]
        first = found[0]
        if not all(isinstance(each, Expression) and each.template == first.template for each in found):
            raise CannotUnify
        values = tuple(
            (key, arguments.value([each if each is ABSENT else each.values[at][1] for each in made], _hint(name, key)))
            for at, (key, _) in enumerate(first.values)
        )
        flag = arguments.flag([each is not ABSENT for each in made], identifier(name))
        return PlannedStep(name, None, Expression(first.template, values), inputs, flag)


def _known_values(instances: list[Instance]) -> dict[str, tuple[Any, ...]]:
    """What the instances call their values, those that all of them have."""
    graphs = [instance.graph for instance in instances]
    known: dict[str, tuple[Any, ...]] = {}
    if all(isinstance(graph.input, Map | Vector | Tokens) for graph in graphs):
        known["in_channels"] = tuple(
            0 if isinstance(graph.input, Streams) else graph.input.channels for graph in graphs
        )
    for name in graphs[0].bindings:
        values = tuple(graph.bindings.get(name, ABSENT) for graph in graphs)
        if all(isinstance(value, bool | int | float | tuple) for value in values):
            own = argument_name(name)
            while own in known:
                own += "_"
            known[own] = values
    return known


def _call_of(plan: Plan, number: int) -> Construct:
    """The call that makes instance `number` of a class; what that does not use is left to its default."""
    keywords = tuple((name, values[number]) for name, values in plan.arguments if values[number] is not ABSENT)
    return Construct(plan.name, (), keywords)


def _is_numbered_chain(graph: Graph) -> bool:
    """Whether a network is itself a Sequential: numbered children, each fed by the one before."""
    names = [node.name for node in graph.nodes if node.body is not None or node.replaced]
    if names != [str(number) for number in range(len(names))]:
        return False
    return is_chain(Graph(graph.definition, graph.input, graph.nodes, graph.output, listed=True))


def _is_recursive(graph: Graph) -> bool:
    """Whether a block stands somewhere in itself."""
    name = graph.definition
    return bool(name) and any(inner.definition == name for inner in graphs_in(graph) if inner is not graph)


def _hint(name: str, key: str) -> str:
    """What an argument for a value of a step could be called."""
    return key if name.isdigit() else f"{identifier(name)}_{key}"
