"""How a network's weights are drawn, as the lines of a method: one rule for a kind of module where all agree, else one for
a child of a class, else one for single paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archbuilder.graph.answers import Construct
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.helpers import derived_from
from archbuilder.graph.op import Op
from archbuilder.pytorch.formulas import quoted
from archbuilder.pytorch.instances import Instance, calls
from archbuilder.pytorch.layout import literal
from archbuilder.pytorch.plans import Network

DEFAULT = "default"
LACKING = "lacking"
"""Stands where a module of a kind that may have a bias has none."""
HELD = "nn.Parameter"
"""What makes a tensor that belongs to a class itself."""


@dataclass(frozen=True)
class Drawn:
    """A tensor of an op: the class that owns it, its path there, and how it is drawn. `certain` says that every instance
    of the class has it."""

    owner: str
    path: str
    callee: str
    tensor: str
    kind: Any
    certain: bool


def initialisation_lines(network: Network) -> list[str]:
    """The body of `initialize_weights`; empty where torch's own way is meant throughout."""
    every = list(dict.fromkeys(_walk(network)))
    drawn = [each for each in every if each.kind is not LACKING]
    lacking = {(each.callee, each.tensor) for each in every if each.kind is LACKING}
    lines: list[str] = []
    rules: list[tuple[str, list[str]]] = []
    single: list[tuple[str, str, Any]] = []
    for callee, tensor in dict.fromkeys((each.callee, each.tensor) for each in drawn):
        same = [each for each in drawn if (each.callee, each.tensor) == (callee, tensor)]
        kinds = {each.kind for each in same}
        if kinds == {DEFAULT}:
            continue
        if len(kinds) == 1 and callee != HELD:
            guard = [f"if module.{tensor} is not None:"] if (callee, tensor) in lacking else []
            indent = "    " if guard else ""
            rules.append((callee, [*guard, indent + _draw(f"module.{tensor}", kinds.pop())]))
            continue
        _rules_of_classes(same, rules, single)
    needy = [op.emit() for _, _, op in network.instance.graph.ops() if op.needs]
    foreign = {made.callee for made in needy if isinstance(made, Construct)}
    lines += _rule_lines(rules, sorted(foreign))
    lines += _single_lines(network, single)
    return lines


def _rules_of_classes(
    same: list[Drawn], rules: list[tuple[str, list[str]]], single: list[tuple[str, str, Any]]
) -> None:
    for owner, path in dict.fromkeys((each.owner, each.path) for each in same):
        here = [each for each in same if (each.owner, each.path) == (owner, path)]
        kinds = {each.kind for each in here}
        if kinds == {DEFAULT}:
            continue
        if len(kinds) == 1 and all(each.certain for each in here):
            rules.append((owner, [_draw(_target("module", path, here[0].tensor), kinds.pop())]))
        else:
            single += [(owner, path, here[0].tensor)]


def _rule_lines(rules: list[tuple[str, list[str]]], foreign: list[str]) -> list[str]:
    """Rules for kinds of modules; what stands inside a foreign module is its author's to draw."""
    if not rules:
        return []
    joined: dict[str, list[str]] = {}
    for name, body in rules:
        joined.setdefault(name, []).extend(body)
    lines = ["for module in self.modules():"]
    if foreign:
        kinds = foreign[0] if len(foreign) == 1 else f"({', '.join(foreign)})"
        lines.insert(0, f"foreign = [module for module in self.modules() if isinstance(module, {kinds})]")
        lines.insert(1, "inside = {inner for module in foreign for inner in module.modules() if inner is not module}")
        lines += ["    if module in inside:", "        continue"]
    for name, body in joined.items():
        lines.append(f"    if isinstance(module, {name}):")
        lines += [f"        {line}" for line in body]
    return lines


def _single_lines(network: Network, single: list[tuple[str, str, Any]]) -> list[str]:
    """Rules for single modules, by their full paths."""
    wanted = {(owner, path, tensor) for owner, path, tensor in single}
    if not wanted:
        return []
    by_kind: dict[tuple[str, Any], list[str]] = {}
    for full_path, owner, path, tensor, kind in _paths(network):
        if (owner, path, tensor) in wanted and kind != DEFAULT:
            by_kind.setdefault((tensor, kind), []).append(full_path)
    lines: list[str] = []
    for (tensor, kind), paths in by_kind.items():
        lines.append("for path in (")
        lines += [f"    {quoted(path)}," for path in paths]
        get = f"self.get_submodule(path).{tensor}" if tensor else "self.get_parameter(path)"
        lines += ["):", f"    {_draw(get, kind)}"]
    return lines


def _target(start: str, path: str, tensor: str) -> str:
    """How a tensor is reached from a module."""
    reached = _reach(start, path)
    return f"{reached}.{tensor}" if tensor else reached


def _reach(start: str, path: str) -> str:
    for part in path.split("."):
        start += f"[{part}]" if part.isdigit() else f".{part}" if part.isidentifier() else f'.get_submodule("{part}")'
    return start


def _draw(target: str, kind: Any) -> str:
    if kind in ("kaiming_fan_in", "kaiming_fan_out"):
        return f'nn.init.kaiming_normal_({target}, mode="{kind.removeprefix("kaiming_")}", nonlinearity="relu")'
    if kind in ("kaiming_uniform_fan_in", "kaiming_uniform_fan_out"):
        mode = kind.removeprefix("kaiming_uniform_")
        return f'nn.init.kaiming_uniform_({target}, mode="{mode}", nonlinearity="relu")'
    if kind == "kaiming_fan_out_per_group":
        module = target.removesuffix(".weight")
        fan_out = f"{target}[0, 0].numel() * {module}.out_channels // {module}.groups"
        return f"nn.init.normal_({target}, std=(2.0 / ({fan_out})) ** 0.5)"
    if kind == "uniform_fan_out":
        bound = f"{target}.shape[0] ** -0.5"
        return f"nn.init.uniform_({target}, -({bound}), {bound})"
    if kind in ("zeros", "ones"):
        return f"nn.init.{kind}_({target})"
    name, number, *mean = kind
    if name == "uniform":
        return f"nn.init.uniform_({target}, {literal(-number)}, {literal(number)})"
    if name == "constant":
        return f"nn.init.constant_({target}, {literal(number)})"
    function = "trunc_normal_" if name == "truncated_normal" else "normal_"
    centre = f"mean={literal(mean[0])}, " if mean else ""
    # Torch cuts at the numbers -2 and 2, wherever the mean is.
    ends = f", a={literal(mean[0] - 2)}, b={literal(mean[0] + 2)}" if name == "truncated_normal" and any(mean) else ""
    return f"nn.init.{function}({target}, {centre}std={literal(number)}{ends})"


def _walk(network: Network) -> Iterator[Drawn]:
    """Every tensor of every class, each class's instances one by one."""
    seen: set[Instance] = set()
    open_instances = [(network.instance, network.root.name)]
    names: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    found: list[Drawn] = []
    while open_instances:
        instance, owner = open_instances.pop()
        if instance in seen:
            continue
        seen.add(instance)
        counts[owner] = counts.get(owner, 0) + 1
        for path, node, classes in _inside(instance, "", network):
            open_instances += classes
            for callee, tensor, kind in _tensors(node):
                found.append(Drawn(owner, path, callee, tensor, kind, True))
                names.setdefault(f"{owner} {path} {callee}", set()).add(str(id(instance.graph)) + str(instance.rates))
    for each in found:
        certain = len(names[f"{each.owner} {each.path} {each.callee}"]) == counts[each.owner]
        yield Drawn(each.owner, each.path, each.callee, each.tensor, each.kind, certain)


def _inside(
    instance: Instance, prefix: str, network: Network
) -> Iterator[tuple[str, Node, list[tuple[Instance, str]]]]:
    """The nodes of a class with their paths, those in its Sequentials too; and the classes that they call."""
    called = {id(node): instances for node, instances in calls(instance)}
    for node in instance.graph.nodes:
        if not isinstance(node.body, Graph):
            yield prefix + node.name, node, []
            continue
        names = node.all_names()
        instances = called[id(node)]
        for number, inner in enumerate(instances):
            if inner in network.classes:
                yield prefix + names[number], node, [(inner, network.classes[inner])]
                continue
            repeats = names if len(instances) == 1 else names[number : number + 1]
            for name in repeats:
                yield from _inside(inner, f"{prefix}{name}.", network)


def _tensors(node: Node) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(node.body, Op):
        return
    made = node.body.emit()
    if not isinstance(made, Construct):
        return
    callee = derived_from(made.callee)  # a rule for those of one class of torch's holds for what derives from it
    kinds = {each.tensor: each.kind for each in node.body.initialise()}
    for tensor in node.body.state():
        if tensor.trained:
            yield callee, tensor.name, kinds.get(tensor.name, DEFAULT)
    if ("bias", False) in made.keywords:
        yield callee, "bias", LACKING


def _paths(network: Network) -> Iterator[tuple[str, str, str, str, Any]]:
    """Every tensor with its full path, the class that owns it, and its path there."""

    def walk(instance: Instance, owner: str, full: str, own: str) -> Iterator[tuple[str, str, str, str, Any]]:
        called = {id(node): instances for node, instances in calls(instance)}
        for node in instance.graph.nodes:
            if not isinstance(node.body, Graph):
                for _, tensor, kind in _tensors(node):
                    yield full + node.name, owner, own + node.name, tensor, kind
                continue
            instances = called[id(node)]
            for number, name in enumerate(node.all_names()):
                inner = instances[number if len(instances) > 1 else 0]
                if inner in network.classes:
                    yield from walk(inner, network.classes[inner], f"{full}{name}.", "")
                else:
                    yield from walk(inner, owner, f"{full}{name}.", f"{own}{name}.")

    return walk(network.instance, network.root.name, "", "")
