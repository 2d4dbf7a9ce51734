"""Calls of blocks: the graph of a definition for some parameters and an input, made once for equal calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any, Final, Protocol

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.graph.table import GATHER
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition, Step
from archbuilder.language.table import key_place, value_place
from archbuilder.lower.arguments import Arguments, Given
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import POISON, Builder, Frame
from archbuilder.lower.library import Block, Library
from archbuilder.lower.naming import Naming, Words
from archbuilder.lower.references import advice_for, find_values
from archbuilder.lower.restride import Restride, check_dilation, restride_of
from archbuilder.lower.slots import Slot
from archbuilder.lower.targets import Steps
from archbuilder.lower.uses import Target
from archbuilder.parameters import describe
from archbuilder.plugin.registry import PythonBlock

OUTER: Final = Value(INPUT)
"""What goes into a graph of its own."""


class Walk(Protocol):
    """Lowers steps into a frame."""

    def steps(self, body: Steps, frame: Frame) -> None:
        """Lowers the steps of a body."""

    def step(self, key: str, step: Step, frame: Frame) -> bool:
        """Lowers one step; whether it takes a number in a list."""

    def unnamed(self, body: Slot | Steps, shape: Shape, frame: Frame, step: Step) -> Graph:
        """The graph of a body that is no block's."""


class _NoGraph(Enum):
    """What stands for a graph that there is not."""

    OPEN = auto()
    """It is being lowered."""
    FAILED = auto()
    """Something in it is wrong."""


@dataclass
class Calls:
    """Lowers calls of blocks. One for each lowering."""

    walk: Walk
    arguments: Arguments
    evaluation: Evaluation
    library: Library
    naming: Naming
    bounds: Bounds
    _made: dict[Any, Graph | _NoGraph] = field(default_factory=dict)

    def graph(
        self,
        target: Target,
        definition: Block,
        shape: Shape,
        frame: Frame,
        step: Step,
        fixed: Mapping[str, Any] | None = None,
        restride: Restride | None = None,
    ) -> Graph:
        """The graph of a block for these parameters and this input; the same one for equal calls.

        Raises:
            GiveUp: if something in it is wrong; all of it is reported.
        """
        given = self.arguments.resolve(target, frame, shape, fixed, restride)
        words = self.naming.words(target, given)
        key = (id(definition), tuple(given.values.values()), given.defaults, shape, words.identity)
        graph = self._made.get(key)
        if graph is _NoGraph.OPEN:
            message = f"the block `{target.name}` uses itself"
            help = "use another block here, or let it end: count a parameter down and say `when`"
            self.evaluation.error(frame, "endless-block", message, step.place_at("block"), help)
            raise GiveUp
        if graph is None:
            self._made[key] = _NoGraph.OPEN
            graph = self._lowered(target, definition, given, shape, frame, step, words) or _NoGraph.FAILED
            self._made[key] = graph
        if not isinstance(graph, Graph):
            raise GiveUp  # reported, once
        if restride is not None:
            check_dilation(target, graph.nodes, restride, frame, self.evaluation)
        if self.arguments.trace is not None:
            self.arguments.trace.called(graph, given.values)
        return graph

    def inline(self, target: Target, definition: Block, value: Value, frame: Frame) -> Value:
        """Lowers a block's steps into the graph at hand; the value that they give.

        Raises:
            GiveUp: if something in it is wrong; all of it is reported.
        """
        step, start = target.uses[0][0], len(frame.builder.nodes)
        restride = restride_of(target, frame, (value,), 0)
        given = self.arguments.resolve(target, frame, frame.builder.shape_of(value), restride=restride)
        inner = self._frame_of(target, definition, given, frame.builder, value, frame)
        words = self.naming.words(target, given)
        inner.rename = {**frame.rename, **words.rename}
        inner.numbering = frame.numbering
        inner.inlined = True
        if words.register:
            message = "`register` has no effect beside `inline`: the children belong to the enclosing block"
            self.evaluation.error(frame, "no-effect", message, step.place_at("register"), "remove it")
        with self.bounds.inside(frame, step):
            self._fill(definition, inner)
        self.naming.check_words(words._replace(register=()), inner, frame, step, listed=False)
        if inner.current == POISON:
            raise GiveUp
        if restride is not None:
            check_dilation(target, frame.builder.nodes[start:], restride, frame, self.evaluation)
        return inner.current

    def _lowered(
        self, target: Target, definition: Block, given: Given, shape: Shape, frame: Frame, step: Step, words: Words
    ) -> Graph | None:
        """The graph of a block, or None where something in it is wrong."""
        try:
            inner = self._frame_of(target, definition, given, Builder(shape), OUTER, frame)
            inner.rename = words.rename
            with self.bounds.inside(frame, step):
                self._fill(definition, inner)
        except GiveUp:
            return None
        listed = isinstance(definition, BlockDefinition) and isinstance(definition.body, list)
        self.naming.check_words(words, inner, frame, step, listed=listed)
        if inner.current == POISON:
            return None
        if isinstance(definition, PythonBlock):
            graph = finished(target.name, inner, register=words.register, bindings=given.values, help=definition.help)
            return replace(graph, layers=definition.layers, loops=tuple(node.name for node in graph.nodes))
        bindings = {name: inner.variables[name] for name in (*definition.parameters, *definition.let)}
        self.naming.check_register(definition, inner)
        register = words.register or tuple(definition.register_ or ())
        layers = definition.layers
        if type(layers) is Formula:
            layers = self._count_of_layers(definition, layers, inner)
        graph = finished(target.name, inner, listed=listed, register=register, bindings=bindings, help=definition.help)
        graph = replace(graph, formulas=_formulas(definition))
        return graph if layers is None else replace(graph, layers=layers)

    def _count_of_layers(self, definition: BlockDefinition, layers: Formula, inner: Frame) -> int:
        """How many layers a block says that it counts for."""
        place = definition.place_at("layers")
        count = self.evaluation.evaluate(layers, inner, place)
        if type(count) is not int or count < 0:
            message = f"`layers` must be a whole number, got {describe(count)}"
            self.evaluation.error(inner, "bad-value", message, place)
            raise GiveUp
        return count

    def _frame_of(
        self, target: Target, definition: Block, given: Given, builder: Builder, input: Value, frame: Frame
    ) -> Frame:
        """The frame in which a definition's body is lowered: its parameters, and what it derives from them."""
        variables: dict[str, Any] = {**given.values, "input": builder.shape_of(input)}
        place = target.uses[0][0].place
        used_at = frame.used_at if place is None or place.source.shipped else place
        inner = Frame(builder, variables, given.defaults, input, used_at, target.name, origins=given.origins)
        inner.used_block = frame.used_block if used_at is frame.used_at else target.name
        if self.arguments.trace is not None:
            self.arguments.trace.entered(variables, given.values)
        if isinstance(definition, BlockDefinition):
            self._derive(definition, inner, variables)
        return inner

    def _derive(self, definition: BlockDefinition, inner: Frame, variables: dict[str, Any]) -> None:
        """Computes what a block derives from its parameters."""
        for name, written in definition.let.items():
            at = value_place(definition.let, name) or definition.place_at("let")
            if name in variables:
                message = f"`{name}` is the name of a parameter here"
                at = key_place(definition.let, name) or at
                self.evaluation.error(inner, "shadowed", message, at, "give the derived value another name")
                raise GiveUp
            variables[name] = self.evaluation.evaluate(written, inner, at)

    def _fill(self, definition: Block, inner: Frame) -> None:
        """Lowers what a block consists of into a frame."""
        if isinstance(definition, PythonBlock):
            from archbuilder.lower.python import Functions

            names = Functions(self.walk.step, self.evaluation, self.library).run(definition, inner)
            _give([value for name in names for value in find_values(name, inner) or ()], definition.place, inner)
            return
        self.walk.steps(definition.body, inner)
        if definition.return_ is not None:
            self._return(definition, inner)

    def _return(self, definition: BlockDefinition, inner: Frame) -> None:
        """Finds the values that a block returns."""
        found: list[Value] = []
        for number, name in enumerate(definition.return_ or ()):
            values = find_values(str(name), inner)
            if values is None:
                choices = advice_for(str(name), inner)
                message = f"there is no step `{name}` to return"
                place = definition.place_inside("return", number)
                self.evaluation.error(inner, "unknown-step", message, place, choices)
                values = [POISON]
            found += values
        _give(found, definition.place, inner)


def _formulas(definition: BlockDefinition) -> dict[str, str]:
    """The expressions by which a block computes what nobody gives it."""
    defaults = {name: parameter.default for name, parameter in definition.parameters.items()}
    return {name: value for name, value in {**defaults, **definition.let}.items() if type(value) is Formula}


def _give(found: list[Value], place: Place | None, inner: Frame) -> None:
    """Makes values a block's output: several as a list of streams."""
    if POISON in found or len(found) == 1:
        inner.current = POISON if POISON in found else found[0]
        return
    shapes = Streams(inner.builder.shape_of(value) for value in found)
    inner.current = inner.builder.add(Node("streams", GATHER, tuple(found), shapes, place))


def finished(
    definition: str,
    frame: Frame,
    *,
    register: tuple[str, ...],
    listed: bool = False,
    bindings: dict[str, Any] | None = None,
    help: str = "",
) -> Graph:
    """The graph of the nodes that were made in a frame."""
    builder = frame.builder
    return Graph(
        definition,
        builder.input,
        tuple(builder.nodes),
        frame.current,
        bindings or {},
        listed=listed,
        register=register,
        loops=tuple(builder.loops),
        help=help,
    )
