"""Graphs -> classes: one class per block definition, with arguments for exactly what differs between its instances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archbuilder.graph.graph import INPUT, Graph, Node, Value, children
from archbuilder.graph.op import Construct, Expression, Op
from archbuilder.graph.ops.activation import DropPath
from archbuilder.graph.shapes import Map, Streams, Vector
from archbuilder.pytorch.chains import gather_chains
from archbuilder.pytorch.expressions import (
    ABSENT,
    IDENTITY,
    Argument,
    Arguments,
    CannotUnify,
    Chain,
    Module,
    Run,
    unify_modules,
)
from archbuilder.pytorch.instances import (
    Instance,
    calls,
    count_readers,
    is_chain,
    rate_of,
    root_instance,
    works_in_place,
)
from archbuilder.pytorch.names import ClassNames, argument_name, camel_case


@dataclass(frozen=True)
class Reference:
    """What a step reads: a step's value (None: the class's input), or a part of it. Where that differs between instances,
    `other` is read unless `flag` is set."""

    name: str | None
    item: int | None = None
    flag: Argument | bool = True
    other: Reference | None = None


@dataclass(frozen=True)
class PlannedStep:
    """One step of a class: a child module or an expression, and what goes into it.

    `flag` says in which instances an expression is computed; in the others the step hands on its first input.
    """

    name: str
    made: Module | None
    expression: Expression | None
    inputs: tuple[Reference, ...]
    flag: Argument | bool = True
    is_call: bool = False
    is_tensor: bool = False
    spreads: bool = False
    training_only: bool = False


@dataclass(frozen=True)
class Plan:
    """A class to be written."""

    name: str
    help: str
    steps: tuple[PlannedStep, ...]
    output: Reference
    returned: tuple[tuple[str, Reference], ...]
    outputs: tuple[tuple[str, Reference, bool], ...]
    order: tuple[str, ...]
    arguments: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    sequential: bool = False
    gives_several: bool = False
    taken: frozenset[str] = frozenset()


@dataclass
class Network:
    """All classes of a network, those that others use first. `classes` names the class of each instance that has one."""

    root: Plan
    plans: list[Plan]
    instance: Instance
    classes: dict[Instance, str]


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
        plan = self.unify([root], root_name, Arguments(1, {}))
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
            together, apart = self.largest(left)
            name = self.names.take(camel_case(self.labels[key]))
            arguments = Arguments(len(together), _known_values(together))
            plan = self.unify(together, name, arguments)
            self.plans.append(plan)
            for number, instance in enumerate(together):
                self.made[instance] = _call_of(plan, number)
            left = apart

    def largest(self, instances: list[Instance]) -> tuple[list[Instance], list[Instance]]:
        """As many instances as go into one class with the first, and the others."""
        if self.fits(instances):
            return instances, []
        together: list[Instance] = instances[:1]
        apart: list[Instance] = []
        for instance in instances[1:]:
            (together if self.fits([*together, instance]) else apart).append(instance)
        return together, apart

    def fits(self, instances: list[Instance]) -> bool:
        try:
            self.unify(instances, "", Arguments(len(instances), _known_values(instances)))
        except CannotUnify:
            return False
        return True

    # ---- one class ----------------------------------------------------------------------------------------------

    def unify(self, instances: list[Instance], name: str, arguments: Arguments) -> Plan:
        """The class of some instances.

        Raises:
            CannotUnify: if they differ in more than values.
        """
        members = [_Member(instance, self) for instance in instances]
        wiring = _Wiring(members, arguments)
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
            _registration(members, [step.name for step in steps if step.made is not None]),
            tuple((argument, arguments.taken[argument]) for argument in arguments.ordered()),
            gives_several=isinstance(first.output_shape, Streams),
            taken=self.taken,
            sequential=len(instances) == 1 and _is_numbered_chain(first) and not (returned or first.outputs),
        )

    def step(self, name: str, members: list[_Member], arguments: Arguments, wiring: _Wiring) -> PlannedStep | None:
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
        flag = arguments.value([each is not ABSENT for each in made], identifier(name))
        return PlannedStep(name, None, Expression(first.template, values), inputs, flag)


class _Member:
    """One instance while its class is planned."""

    def __init__(self, instance: Instance, planner: _Planner) -> None:
        self.instance = instance
        self.graph = instance.graph
        self.planner = planner
        self.numbers: dict[str, int] = {}
        for number, node in enumerate(instance.graph.nodes):
            if node.name not in self.numbers or node.body is not None or node.replaced:
                self.numbers[node.name] = number  # a step that is left out may have another one's name
        self.names = [
            node.name for number, node in enumerate(instance.graph.nodes) if self.numbers[node.name] == number
        ]
        self.readers = count_readers(instance.graph)
        self.called = {id(node): instances for node, instances in calls(instance)}

    def node(self, name: str) -> Node | None:
        number = self.numbers.get(name)
        return None if number is None else self.graph.nodes[number]

    def made(self, name: str) -> Module | Expression:
        """What computes a node of this instance."""
        node = self.graph.nodes[self.numbers[name]]
        body = node.body
        if isinstance(body, Graph):
            return _module_of(self.called[id(node)][0], self.planner)
        if isinstance(body, DropPath) and self.instance.rates:
            return Construct("DropPath", (rate_of(self.instance, node),))
        if not isinstance(body, Op):
            return IDENTITY
        made = body.emit()
        taps = frozenset(self.graph.source_of(tap.value) for tap in self.graph.taps)
        if body.in_place and isinstance(made, Construct):
            in_place = works_in_place(self.graph, node, self.readers, taps)
            return Construct(made.callee, made.arguments, (*made.keywords, ("inplace", in_place)))
        return made


def _module_of(instance: Instance, planner: _Planner) -> Module:
    """The call of an instance's class, or a Sequential of what is in it."""
    if planner.keys.get(instance) is not None:
        return planner.made[instance]
    member = _Member(instance, planner)
    runs: list[Run] = []
    names: list[str] = []
    for node in instance.graph.nodes:
        if node.body is None and not node.replaced:
            continue
        names += node.all_names()
        if isinstance(node.body, Graph):
            made = [_module_of(inner, planner) for inner in member.called[id(node)]]
            runs += [Run(each, node.count if len(made) == 1 else 1) for each in made]
        else:
            computed = member.made(node.name)
            if isinstance(computed, Expression):
                raise CannotUnify
            runs.append(Run(computed, node.count))
    plain = names == [str(number) for number in range(len(names))]
    return Chain(tuple(runs), () if plain else tuple(names))


class _Wiring:
    """Which step reads which, the same for all instances as far as possible."""

    def __init__(self, members: list[_Member], arguments: Arguments) -> None:
        self.members = members
        self.arguments = arguments
        self.order = _joint_order([member.names for member in members])
        self.position = {name: number for number, name in enumerate(self.order)}

    def inputs(self, name: str) -> tuple[Reference, ...]:
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
            return Reference(*last)
        if len(distinct) != 2:
            raise CannotUnify
        (other,) = [source for source in distinct if source != last]
        hint = identifier(f"from_{last[0] or 'input'}")
        flag = self.arguments.value([ABSENT if source is None else source == last for source in sources], hint)
        return Reference(*last, flag=flag, other=Reference(*other))

    def _leads(
        self, member: _Member, start: tuple[str | None, int | None], end: tuple[str | None, int | None] | None
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


def _joint_order(orders: list[list[str]]) -> list[str]:
    """One order of all names that agrees with each.

    Raises:
        CannotUnify: if two disagree.
    """
    joint = list(orders[0])
    for order in orders[1:]:
        if order == joint:
            continue
        position = -1
        for name in order:
            if name in joint:
                if joint.index(name) <= position:
                    raise CannotUnify
                position = joint.index(name)
            else:
                position += 1
                joint.insert(position, name)
    return joint


def _registration(members: list[_Member], names: Iterable[str]) -> tuple[str, ...]:
    """The order in which a class registers its children.

    Raises:
        CannotUnify: if the instances register in different orders.
    """
    wanted = set(names)
    orders = [list(_flat(member.graph)) for member in members]
    joint = _joint_order([list(_flat(member.graph, left_out=True)) for member in members])
    if any([name for name in joint if name in set(order)] != order for order in orders):
        joint = _joint_order(orders)  # a container that a step would open if it were there
    return tuple(name for name in joint if name in wanted)


def _flat(graph: Graph, *, left_out: bool = False) -> Iterable[str]:
    """The dotted names of a graph's children in order of registration; containers are opened at their first child."""

    def walk(level: Any, prefix: str) -> Iterable[str]:
        for name, child in level.items():
            if child.node is not None:
                yield prefix + name
            yield from walk(child.inner, f"{prefix}{name}.")

    return walk(children(graph, left_out=left_out), "")


def _known_values(instances: list[Instance]) -> dict[str, tuple[Any, ...]]:
    """What the instances call their values, those that all of them have."""
    graphs = [instance.graph for instance in instances]
    known: dict[str, tuple[Any, ...]] = {}
    if all(isinstance(graph.input, Map | Vector) for graph in graphs):
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
    """The call that makes instance `number` of a class."""
    keywords = tuple((name, None if values[number] is ABSENT else values[number]) for name, values in plan.arguments)
    return Construct(plan.name, (), keywords)


def _is_numbered_chain(graph: Graph) -> bool:
    """Whether a network is itself a Sequential: numbered children, each fed by the one before."""
    names = [node.name for node in graph.nodes if node.body is not None or node.replaced]
    if names != [str(number) for number in range(len(names))]:
        return False
    return is_chain(Graph(graph.definition, graph.input, graph.nodes, graph.output, listed=True))


def _is_recursive(graph: Graph) -> bool:
    """Whether a block stands somewhere in itself."""
    seen: set[int] = set()
    open_graphs = [graph]
    while open_graphs:
        for node in open_graphs.pop().nodes:
            body = node.body
            if isinstance(body, Graph) and id(body) not in seen:
                if body.definition and body.definition == graph.definition:
                    return True
                seen.add(id(body))
                open_graphs.append(body)
    return False


def identifier(name: str) -> str:
    """A child's dotted name as a Python identifier."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return f"step_{plain}" if plain[:1].isdigit() else plain


def _hint(name: str, key: str) -> str:
    """What an argument for a value of a step could be called."""
    return key if name.isdigit() else f"{identifier(name)}_{key}"
