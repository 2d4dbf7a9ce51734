"""A graph as readable Python source that needs torch alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from archbuilder.diagnostics import Diagnostic, SpecError
from archbuilder.graph.bounds import refuse_too_many, steps_in
from archbuilder.graph.graph import INPUT, Graph, Value, expect_graph
from archbuilder.graph.helpers import HELPERS, names_bound
from archbuilder.graph.shapes import Map
from archbuilder.pytorch.classes import plan_network
from archbuilder.pytorch.folding import folded
from archbuilder.pytorch.formulas import quoted
from archbuilder.pytorch.initialise import initialisation_lines
from archbuilder.pytorch.layout import literal
from archbuilder.pytorch.names import RESERVED
from archbuilder.pytorch.plans import Network
from archbuilder.pytorch.writer import Writer, docstring, output_class

OWN_IMPORTS = ("import math",)
"""What the source imports itself, wherever something in it needs that."""
OWN_HELPERS: Final = {
    "round_to": '''def round_to(value: float, divisor: int, keep: float = 0.9) -> int:
    """The multiple of `divisor` nearest to a value, never below `keep` of it."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < keep * value else nearest''',
    "sum_of": '''def sum_of(values: list[Tensor]) -> Tensor:
    """The sum of several values."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total''',
    "StreamSequential": '''class StreamSequential(nn.Sequential):
    """A Sequential of modules that take several values at once."""

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        for module in self:
            x = module(x)
        return x''',
}
"""What constructors and `forward` call of ours, beside what ops need: the language's `round_to`; and what Python's `sum`
and torch's Sequential do, in words that TorchScript understands."""
_RESET = '''
    def reset_parameters(self) -> None:
        """Draws all parameters anew, after `to_empty` for example."""
        for module in self.modules():
            reset = getattr(module, "reset_parameters", None)
            if module is not self and callable(reset):
                reset()'''


def to_source(graph: Graph) -> str:
    """The network as a Python module: its classes, the root last. Running it needs torch alone.

    Raises:
        TooManyStepsError: if it drops paths, each at a rate of its own, in too many steps.
    """
    expect_graph(graph)
    return source_of(graph)[0]


def source_of(graph: Graph) -> tuple[str, str]:
    """The source, and the name of the root class in it."""
    if graph.drop_paths:  # each has a rate of its own
        refuse_too_many(steps_in(graph.whole or graph), "written")
    needs = needs_of(graph)
    network = plan_network(graph, needs.names)
    writer = Writer()
    classes = [_without_mark(writer.class_text(plan, [])) for plan in network.plans]
    classes += [output_class(network.root)] if network.root.body.outputs else []
    classes.append(_root(network, graph, writer))
    body = folded("\n\n\n".join(classes))
    helpers = [text for name, text in OWN_HELPERS.items() if f"{name}(" in body]
    helpers += [text for name, text in HELPERS.items() if name in needs.helpers]
    body = "\n\n\n".join([*helpers, *needs.definitions, body])
    return f"{_header(graph, body, needs.imports)}\n\n\n{body}\n", network.root.name


def _header(graph: Graph, body: str, imports: list[str]) -> str:
    title = docstring(f"{graph.name}: {graph.help}" if graph.help else graph.name)
    lines = [title, ""]
    if "math." in body:
        lines += ["import math"]
    if "OrderedDict(" in body:
        lines += ["from collections import OrderedDict"]
    if "NamedTuple)" in body:
        lines += ["from typing import NamedTuple"]
    lines += [""] if len(lines) > 2 else []
    if "torch." in body:
        lines += ["import torch"]
    lines += ["from torch import Tensor, nn" if "Tensor" in body else "from torch import nn"]
    if "functional." in body:
        lines += ["from torch.nn import functional"]
    lines += ["", *imports] if imports else []
    return "\n".join(lines)


def _without_mark(text: str) -> str:
    return text.replace("    <initialise>\n", "")


def _root(network: Network, graph: Graph, writer: Writer) -> str:
    """The root class: with its feature maps, and how its weights are drawn."""
    text = writer.class_text(network.root, [*_feature_info(graph), ""])
    drawing = initialisation_lines(network)
    reset = _RESET + ("\n        self.initialize_weights()" if drawing else "")
    methods = reset
    if drawing:
        body = "\n".join(f"        {line}" for line in drawing)
        help = '        """Draws weights as the network\'s authors did, where that is not torch\'s way."""'
        methods += f"\n\n    def initialize_weights(self) -> None:\n{help}\n{body}"
    start = "        self.initialize_weights()\n" if drawing else ""
    if network.root.body.sequential:
        return f"{text}\n{start.rstrip()}{methods}" if start else f"{text}\n{methods}"
    return text.replace("    <initialise>\n", start) + f"\n{methods}"


def _feature_info(graph: Graph) -> list[str]:
    """The feature maps that can be taken from the network, as a list of dicts."""
    lines = ["    feature_info = ["]
    for tap in graph.taps:
        shape = graph.shape_of(tap.value)
        channels = shape.channels if isinstance(shape, Map) else 0
        module = graph.module_of(tap.value) or _step_of(graph, tap.value)
        entry = f'"num_chs": {literal(channels)}, "reduction": {literal(tap.reduction)}, "module": {quoted(module)}'
        lines.append(f"        {{{entry}}},")
    return [*lines, "    ]"]


def _step_of(graph: Graph, value: Value) -> str:
    """The step that gives a value which is no module's."""
    name = graph.nodes[value.node].shown_names()[-1] if value.node != INPUT else "input"
    return name if value.item is None else f"{name}.{value.item}"


@dataclass
class Needs:
    """What ops need in the source beside torch: import lines, definitions of their own, and the names that these make known."""

    imports: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)
    """The names of those definitions that are ours."""


def needs_of(graph: Graph) -> Needs:
    """What the ops of a network need.

    Raises:
        SpecError: if they use a name that the source uses itself.
    """
    needs = Needs()
    for _, node, op in graph.ops():
        needs.helpers.update(op.helpers)
        for text in (each.strip() for each in op.needs):
            if text in (*needs.imports, *needs.definitions, *OWN_IMPORTS):
                continue
            bound = names_bound(text)
            if clash := bound & RESERVED:
                message = f"`{op.name}` calls something `{min(clash)}`, which is a name of the emitted source's own"
                raise SpecError([Diagnostic("bad-plugin", message, node.place, "give it another name in the plugin")])
            needs.names |= bound
            (needs.imports if text.startswith(("import ", "from ")) else needs.definitions).append(text)
    return needs
