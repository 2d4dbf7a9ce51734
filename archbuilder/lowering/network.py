"""Lowers a whole network: its sections in one scope, then what was said without effect, then its taps."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from archbuilder.diagnostics import Place, Reporter, nearest, note_at, shorten
from archbuilder.graph.dilation import NotKept, dilated
from archbuilder.graph.graph import Graph, Section, Tap, Value
from archbuilder.graph.shapes import Map, Shape, Streams, image
from archbuilder.graph.weights import different_weight
from archbuilder.language.formula import Formula
from archbuilder.language.models import Architecture, DepthScale, Step, WidthScale, misses_patch
from archbuilder.language.rules import DepthRule, Numbering, Rules, Sizes, WidthRule
from archbuilder.language.spoken import names_said_to_ops_alone, names_used
from archbuilder.language.table import key_place, replaced_by, value_place
from archbuilder.lowering.arguments import check_block, read_settings
from archbuilder.lowering.effects import report_idle_steps, report_unknown_names, report_unused
from archbuilder.lowering.frame import OUTER, POISON, UNKNOWN, Builder, Defaults, Frame, Scope, Setting, origin_of
from archbuilder.lowering.library import Library
from archbuilder.lowering.lowering import GiveUp, Lowering, TooLarge
from archbuilder.lowering.naming import new_names, objection
from archbuilder.lowering.plans import SettingPlan, StepPlan, plan_body
from archbuilder.lowering.steps import lower_body, lower_step
from archbuilder.lowering.uses import check_left_out
from archbuilder.lowering.wiring import advice_for, find_values
from archbuilder.parameters import describe

_STRIDING: Final = ("stem", "stages")
"""The sections for which a network's multipliers and its output stride hold, and whose maps can be taken out unasked."""


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Lets Python look for no garbage meanwhile: what a lowering makes is held to its end, so that it would find none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_no_garbage()
def lower_architecture(
    architecture: Architecture, input: tuple[int, int, int] | None = None, reporter: Reporter | None = None
) -> Graph:
    """The typed graph of a network for one size of input.

    Args:
        architecture: the network.
        input: (channels, height, width); by default what the spec says.
        reporter: mistakes that are known already, to be raised together with those found here.

    Raises:
        SpecError: with every mistake found.
        ValueError: if `input` is no size of an image.
    """
    return lower_with_record(architecture, input, reporter).graph


class Lowered(NamedTuple):
    """A network that was lowered: its graph, the variables and defaults of the network itself, and the lowering, which knows
    what each node was made of."""

    graph: Graph
    scope: Scope
    defaults: Defaults
    lowering: Lowering


@_no_garbage()
def lower_with_record(
    architecture: Architecture, input: tuple[int, int, int] | None = None, reporter: Reporter | None = None
) -> Lowered:
    """The same as `lower_architecture`, with all that was decided on the way."""
    reporter = reporter or Reporter()
    extends = value_place(architecture.table, "extends")
    reporter.home = extends if extends is not None and not extends.source.shipped else None
    shape, own = _shape(architecture, input), _shape(architecture, None)
    before = len(reporter.diagnostics)
    network = _Network(architecture, shape, reporter)
    graph = network.lower()
    if network.lowering.holds_sizes and shape != own:
        # Weights are those of the spec's own input, whatever is asked for: what a block holds has that size. With another one
        # it may not fit, which is no mistake.
        usual = _Network(architecture, own, Reporter(is_aside=True))
        if usual.lower() is not None:
            reporter.forget(before)
            network = _Network(architecture, shape, reporter, usual.lowering.sizes)
            graph = network.lower()
    if graph is not None and architecture.output_stride is not None:
        network = _Network(architecture, shape, reporter, network.lowering.sizes, usual=graph)
        graph = network.lower()
    frame = network.frame
    return Lowered(_whole(graph, reporter), frame.scope, frame.defaults, network.lowering)


@_no_garbage()
def lower_block(architecture: Architecture, input: Shape, reporter: Reporter) -> Graph:
    """The typed graph of a network that is one use of a block, which may take and give what a network does not.

    Args:
        architecture: the network.
        input: what goes into the block.
        reporter: mistakes that are known already, to be raised together with those found here.

    Raises:
        SpecError: with every mistake found.
    """
    return _whole(_Network(architecture, input, reporter).lower(is_block=True), reporter)


def _whole(graph: Graph | None, reporter: Reporter) -> Graph:
    reporter.raise_if_any()
    if graph is None:
        raise AssertionError("a network that cannot be lowered must have a diagnostic")
    return graph


class Unused(NamedTuple):
    """What came from a base and reaches nothing: by where it stands; of what has no place defaults by block, and parameters."""

    defaults: dict[str, set[str]]
    parameters: set[str]
    places: set[Place | None]


def unused_by(architecture: Architecture) -> Unused:
    """What came from a base and reaches nothing here. Nothing, where something is wrong, or variants may have a use for it."""
    reporter = Reporter(is_aside=True)
    network = _Network(architecture, _shape(architecture, None), reporter)
    network.lower()
    if reporter.diagnostics or architecture.variants:
        return Unused({}, set(), set())
    defaults = {
        block: {key for key, each in found.items() if each.plan.weak and not (each.used or each.plan.key_place)}
        for block, found in network.frame.defaults.settings.items()
    }
    weak: frozenset[str] = getattr(architecture.parameters, "weak", frozenset())
    idle = {each.place for each in network.lowering.idle.diagnostics}
    return Unused(defaults, set(weak - names_used(architecture)), idle - {None})


def _shape(architecture: Architecture, input: tuple[int, int, int] | None) -> Map:
    if input is not None:
        return image(input)
    size = architecture.input.size
    height, width = size if isinstance(size, list) else (size, size)
    return Map(architecture.input.channels, height, width)


class _Network:
    """A network being lowered for one input: what it says of all its steps is read first.

    With `usual`, the network as it is lowered without its output stride, it gets that.
    """

    def __init__(
        self,
        architecture: Architecture,
        shape: Shape,
        reporter: Reporter,
        sizes: Sizes | None = None,
        usual: Graph | None = None,
    ) -> None:
        self.architecture = architecture
        self.usual = usual
        self.reporter = reporter
        self.builder = Builder(shape)
        self.lowering = Lowering(Library.of(architecture, reporter), reporter, self.builder, Sizes(sizes))
        places: dict[str, Place | None] = {}
        variables: dict[str, Any] = {"input": shape}
        scope = Scope(variables, None, places, coming=architecture.parameters)
        self.frame = Frame(self.builder, scope, Defaults(), OUTER, rename=new_names(architecture))
        self.lowering.misses_patch = misses_patch(architecture)
        self._read_parameters(variables, places)
        self._read_defaults(scope)
        self.rules = self._read_rules()
        self.numbering = self._read_sequential()

    # ---- what is said of all steps ------------------------------------------------------------------------------

    def _read_parameters(self, variables: dict[str, Any], places: dict[str, Place | None]) -> None:
        written = self.architecture.parameters
        for name, value in written.items():
            place = value_place(written, name) or self.architecture.place_at("parameters")
            try:
                variables[name] = self.lowering.evaluate(value, self.frame, place)
                places[name] = origin_of(value, place, self.frame)
            except GiveUp:
                variables[name] = UNKNOWN

    def _read_defaults(self, scope: Scope) -> None:
        written, library = self.architecture.defaults, self.lowering.library
        settings: list[Setting] = []
        for block, values in written.items():
            key_at = key_place(written, block) or self.architecture.place_at("defaults")
            if library.find(block) is None:
                if not library.incomplete:
                    message = f"there is no block `{block}`"
                    self.reporter.error("unknown-block", message, key_at, help=library.advice_for(block))
                meant = nearest(block, library.names()) if isinstance(values, dict) else None  # more may follow from it
                if meant is None or meant in written:
                    continue
                block = meant  # noqa: PLW2901
            weak = block in getattr(written, "weak", ()) or self.architecture.is_weak("defaults")
            value_at = value_place(written, block) or key_at
            plan = SettingPlan(block, "", values, key_at, value_at, weak, replaced_by(written, block))
            settings += read_settings(self.lowering, plan, scope, self.frame)
        self.frame.defaults = Defaults().extended(settings)

    def _read_rules(self) -> Rules:
        """The multipliers."""
        scale = self.architecture.scale
        width = depth = None
        if scale is not None and scale.width is not None and (factor := self._factor(scale.width)) is not None:
            width = WidthRule(factor, scale.width.to, scale.width.keep)
        if scale is not None and scale.depth is not None and (factor := self._factor(scale.depth)) is not None:
            depth = DepthRule(factor, scale.depth.round == "ceil")
        return Rules(width, depth)

    def _factor(self, scale: WidthScale | DepthScale) -> float | None:
        if scale.table is not None and scale.table.broken:
            return None
        try:
            factor = self.lowering.evaluate(scale.by, self.frame, scale.place_at("by"))
        except GiveUp:
            return None
        if type(factor) not in (int, float) or not 0 < factor <= 1000:
            message = f"`by` must be a number above 0, 1000 at most, got {describe(factor)}"
            self.reporter.error("bad-value", message, scale.place_at("by"))
            return None
        return float(factor)

    def _read_sequential(self) -> Numbering | None:
        """The numbering of stem, stages and neck, where there is one."""
        word = self.architecture.sequential
        if word is None:
            return None
        reason = objection(word) or ("a dot would nest it" if "." in word else None)
        if reason is not None:
            place = self.architecture.place_at("sequential")
            message = f"a module cannot be called `{shorten(word)}`: {reason}"
            self.reporter.error("bad-name", message, place, help="give it another name")
        return Numbering(word) if reason is None else None

    # ---- its steps ----------------------------------------------------------------------------------------------

    def lower(self, *, is_block: bool = False) -> Graph | None:
        """The graph, or None where something is wrong. With `is_block` it may end with several values."""
        sections: list[Section] = []
        inlined: list[Section] = []
        last = [name for name in self.architecture.sections() if name in _STRIDING][-1:]
        try:
            for name, section in self.architecture.sections().items():
                start = len(self.builder.nodes)
                self._lower_section(name, section, inlined)
                sections.append(Section(name, start, len(self.builder.nodes)))
                if self.usual is not None and [name] == last and not self._keep_output_stride(self.usual):
                    return None
            self._check_unused()
        except TooLarge:
            return None
        # What stands behind a mistake was not reached; what is for one size may have no effect with another.
        is_own = is_block or self.builder.input == _shape(self.architecture, None)
        if is_own and self.usual is None and not self.reporter.diagnostics:
            report_unused(self.lowering, self.architecture, self.rules, self.numbering)
        report_unknown_names(self.architecture, self.frame, self.reporter)
        taps = taps_of(self.architecture, self.frame, self.reporter, sections, self.usual)
        self._check_end(is_block=is_block)
        if self.frame.current == POISON or self.reporter.diagnostics:
            return None
        graph = self._graph(tuple(sections), tuple(inlined), taps)
        if self.usual is not None and (key := different_weight(self.usual, graph)) is not None:
            help = "bring the map to one size before it, with `adaptive_avg_pool`"
            self._refuse_output_stride(f"the weights would be others, such as `{key}`", help)
        report_idle_steps(self.lowering, graph, taps if self.architecture.features is not None else ())
        return graph

    def _lower_section(self, name: str, section: Any, inlined: list[Section]) -> None:
        """Lowers the steps of a section; notes where those stand whose children are the network's own."""
        self.frame.rules = self.rules if name in _STRIDING and not self.rules.are_none else None
        self.frame.numbering = self.numbering if name != "head" else None
        body = plan_body({name: section} if isinstance(section, Step) else section)
        if body.listed:
            lower_body(self.lowering, body, self.frame)
            return
        self.frame.steps = body.steps
        for plan in body.steps:
            start = len(self.builder.nodes)
            lower_step(self.lowering, plan, self.frame)
            if plan.step.inline:
                inlined.append(Section(plan.origin.key, start, len(self.builder.nodes)))

    def _keep_output_stride(self, usual: Graph) -> bool:
        """Turns the strides of stem and stages that lead beyond the output stride; what is behind sees the larger maps.
        Whether that can be."""
        builder, lowering = self.builder, self.lowering
        stages = Graph("", builder.input, tuple(builder.nodes), self.frame.current)
        try:
            builder.nodes[:], origins = dilated(stages, usual, self.architecture.output_stride or 1)
        except NotKept as error:
            self._refuse_output_stride(str(error), error.help, error.node.place)
            return False
        calls = {call.graph: call for call in lowering.calls.values() if call.graph is not None}
        lowering.calls.update(
            {new: replace(calls[old], graph=new) for new, old in origins.graphs.items() if old in calls}
        )
        lowering.made.update({new: lowering.made[old] for new, old in origins.nodes.items() if old in lowering.made})
        return True

    def _refuse_output_stride(self, reason: str, help: str | None, at: Place | None = None) -> None:
        message, place = f"this output stride cannot be kept: {reason}", self.architecture.place_at("output_stride")
        self.reporter.error("bad-output-stride", message, place, help=help, notes=note_at("it is here", at))

    def _check_unused(self) -> None:
        """Looks at the network's own blocks and at what was put into slots, since the steps that use them may be left out."""
        lowering, home = self.lowering, self.architecture.place
        steps: list[tuple[StepPlan, Frame, bool]] = []
        for name, definition in lowering.library.own.items():
            plan = lowering.library.find(name)
            # A file of blocks may speak of those of another one that is not used here.
            is_own = home and definition.place and definition.place.source == home.source
            if not is_own or plan is None or plan.body is None:
                continue
            steps += [(step, self.frame, False) for step in plan.body.steps]
            for key, text in plan.slots.items():
                with suppress(GiveUp):
                    _, at = definition.default_of(key)
                    check_block(lowering, self.frame, plan.parameters[key], text.written, at)
        while lowering.new_slots:
            text, type_, frame = lowering.new_slots.pop()
            if type_ == "steps":
                body = text.body(self.reporter)
                steps += [(step, frame, True) for step in (body.steps if body is not None else ())]
            elif (use := text.use(self.reporter)) is not None:
                steps.append((use, frame, False))
        for step, frame, whole in steps:
            with suppress(GiveUp):
                check_left_out(lowering, step, frame, inside=True, whole=whole)

    def _check_end(self, *, is_block: bool) -> None:
        """A network has steps, and ends with one value."""
        architecture, end = self.architecture, self.frame.current
        if not self.builder.nodes and not self.reporter.diagnostics:
            section = next(iter(architecture.sections()), "")
            help = f"write steps in `{section}`, or give its loops a turn" if section else "add `stages`"
            self.reporter.error("empty", "this network has no steps", architecture.place_of_key(section), help=help)
        if not is_block and end != POISON and isinstance(self.builder.shape_of(end), Streams):
            last = self.builder.nodes[end.node]
            message = f"a network gives one value, and this one ends with the parts of `{last.name}`"
            self.reporter.error("bad-shape", message, last.place, help="put `concat` behind it, for example")

    def _graph(self, sections: tuple[Section, ...], inlined: tuple[Section, ...], taps: tuple[Tap, ...]) -> Graph:
        architecture, parameters = self.architecture, self.architecture.parameters
        return Graph(
            "",
            self.builder.input,
            tuple(self.builder.nodes),
            self.frame.current,
            {name: self.frame.scope.variables[name] for name in parameters},
            {name: value for name, value in parameters.items() if type(value) is Formula},
            names_said_to_ops_alone(architecture, self.lowering.library.is_op),
            register=self.frame.modules(architecture.register_ or ()),
            help=architecture.help,
            name=architecture.name,
            class_name=architecture.class_ or "",
            sections=sections,
            inlined=inlined,
            taps=taps,
            names_taps=architecture.features is not None,
            outputs=tuple(self.lowering.outputs),
            steps=dict(self.frame.values),
        )


# ---- taps -----------------------------------------------------------------------------------------------------------


def taps_of(
    architecture: Architecture, frame: Frame, reporter: Reporter, sections: Sequence[Section], usual: Graph | None
) -> tuple[Tap, ...]:
    """The feature maps that can be taken out: those that `features` names; by default the last map of each reduction that
    the network has without its output stride, as in `usual`."""
    wanted = architecture.features
    if wanted is None and usual is not None:
        return tuple(_tap(tap.value, frame, tap.name) for tap in usual.taps)
    if wanted is None:
        return _default_taps(frame, sections)
    taps: list[Tap] = []
    whole, seen = POISON not in frame.values.values(), set[str]()
    for number, name in enumerate(wanted):
        place = architecture.place_inside("features", number)
        if name in seen:
            reporter.error("duplicate", f"`{name}` is here twice", place, help="remove one of them")
            continue
        seen.add(name)
        values = find_values(name, frame)
        if values is None:
            values = _inline_values(name, frame.builder)
        if not values and whole:  # else it may be one of those that went wrong
            message = f"there is no step `{name}` to take features from"
            inline = [node.all_names()[-1] for node in frame.builder.nodes]
            reporter.error("unknown-step", message, place, help=advice_for(name, frame, inline))
        for value in (each for each in values or () if each != POISON):
            shape = frame.builder.shape_of(value)
            if isinstance(shape, Map):
                taps.append(_tap(value, frame, name if len(values or ()) == 1 else None))
                continue
            message, help = f"`{name}` gives no feature map, but {shape}", "name a step that gives a map"
            if isinstance(shape, Streams):
                message, help = f"`{name}` is no feature map but the parts of one", f"take one of them, as in {name}.0"
            reporter.error("bad-shape", message, place, help=help)
    return tuple(taps)


def _inline_values(name: str, builder: Builder) -> list[Value] | None:
    """The values of children that stand inline, by the names that they have in the module; of repeats, what the last gives."""
    prefix = name.removesuffix("*") if name.endswith(".*") else None
    nodes = [(at, node.all_names()[-1]) for at, node in enumerate(builder.nodes)]
    return [Value(at) for at, last in nodes if last == name or (prefix and last.startswith(prefix))] or None


def _tap(value: Value, frame: Frame, name: str | None = None) -> Tap:
    """A feature map. Without a `name` it is called as its module, or, where another step is called so, as its own step."""
    if name is None:
        name = frame.builder.nodes[value.node].all_names()[-1] + ("" if value.item is None else f".{value.item}")
        if frame.values.get(name, value) != value:
            name = next((step for step, each in frame.values.items() if each == value), name)
    return Tap(name, value, frame.builder.reduction(value))


def _default_taps(frame: Frame, sections: Sequence[Section]) -> tuple[Tap, ...]:
    """The last map of each reduction in stem and stages."""
    found: dict[int, Tap] = {}
    for section in sections:
        if section.name not in _STRIDING:
            continue
        for number in range(section.start, section.stop):
            node = frame.builder.nodes[number]
            if isinstance(node.shape, Map) and node.body is not None:
                tap = _tap(Value(number), frame)
                found[tap.reduction] = tap
    return tuple(found[reduction] for reduction in sorted(found))
