"""Lowers a whole network: its sections in one scope, then what was said without effect."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from archbuilder.diagnostics import Note, Place, Reporter, nearest, shorten, suggest
from archbuilder.graph.graph import Graph, Section, Value, reduction_of
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, image
from archbuilder.language.formula import Formula
from archbuilder.language.models import Architecture, DepthScale, Step, WidthScale
from archbuilder.language.table import key_place, replaced_by, value_place
from archbuilder.lower.arguments import Arguments
from archbuilder.lower.body import Bodies
from archbuilder.lower.checker import Checker
from archbuilder.lower.defaults import Defaults, Setting
from archbuilder.lower.evaluation import Evaluation, GiveUp, TooLarge
from archbuilder.lower.frame import POISON, UNKNOWN, Builder, Frame
from archbuilder.lower.idle import report_idle_steps
from archbuilder.lower.library import Library
from archbuilder.lower.names import objection
from archbuilder.lower.rules import DepthRule, Numbering, Rules, StrideRule, WidthRule
from archbuilder.lower.said import Readings
from archbuilder.lower.taps import Taps
from archbuilder.lower.usage import names_used
from archbuilder.lower.uses import Written
from archbuilder.parameters import describe

if TYPE_CHECKING:
    from archbuilder.lower.trace import Trace


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
    architecture: Architecture,
    input: tuple[int, int, int] | None = None,
    reporter: Reporter | None = None,
    trace: Trace | None = None,
) -> Graph:
    """The typed graph of a network for one size of input.

    Args:
        architecture: the network.
        input: (channels, height, width); by default what the spec says.
        reporter: mistakes that are known already, to be raised together with those found here.
        trace: is told where each value comes from.

    Raises:
        SpecError: with every mistake found.
        ValueError: if `input` is no size of an image.
    """
    reporter = reporter or Reporter()
    extends = value_place(architecture.table, "extends")
    reporter.home = extends if extends is not None and not extends.source.shipped else None
    shape, own = _shape(architecture, input), _shape(architecture, None)
    network = _Network(architecture, shape, reporter, trace)
    graph = network.lower()
    strided = architecture.output_stride is not None
    if strided or (network.bodies.kept and shape != own):
        # Weights are those of the spec's own input and strides, whatever is asked for: what a block holds has that size.
        usual = _Network(architecture.model_copy(update={"output_stride": None}), own, Reporter())
        expected = usual.lower()
        if network.bodies.kept:
            graph = _Network(architecture, shape, reporter, trace, usual.bodies.kept).lower()
        if graph is not None and expected is not None:
            _check_weights(graph, expected, architecture, reporter)
    reporter.raise_if_any()
    if graph is None:
        raise AssertionError("a network that cannot be lowered must have a diagnostic")
    return graph


def lower_block(architecture: Architecture, input: Shape, reporter: Reporter) -> Graph:
    """The typed graph of a network that is one use of a block, which may take and give what a network does not.

    Args:
        architecture: the network.
        input: what goes into the block.
        reporter: mistakes that are known already, to be raised together with those found here.

    Raises:
        SpecError: with every mistake found.
    """
    graph = _Network(architecture, input, reporter, is_block=True).lower()
    reporter.raise_if_any()
    if graph is None:
        raise AssertionError("a block that cannot be lowered must have a diagnostic")
    return graph


def _check_weights(graph: Graph, expected: Graph, architecture: Architecture, reporter: Reporter) -> None:
    """Reports an output stride that changes the weights: those of the network without it would not fit."""
    found, wanted = dict(graph.state()), dict(expected.state())
    different = next((key for key in {**wanted, **found} if found.get(key) != wanted.get(key)), None)
    if different is None:
        return
    has = "has no" if different not in found else "has a new" if different not in wanted else "has another"
    message = f"this output stride changes the weights: the network {has} `{different}`"
    help = "a stage whose stride becomes dilation must change its width too, so that its shortcut stays as it is"
    reporter.error("bad-output-stride", message, architecture.place_at("output_stride"), help=help)


def unused_by(architecture: Architecture) -> tuple[dict[str, set[str]], set[str]]:
    """What came from a base and reaches nothing here: defaults by block, and parameters. Nothing, where something is wrong."""
    reporter = Reporter()
    network = _Network(architecture, _shape(architecture, None), reporter)
    network.lower()
    if reporter.diagnostics:
        return {}, set()
    settings = network.frame.defaults.settings
    defaults = {
        block: {key for key, each in found.items() if each.weak and not each.used} for block, found in settings.items()
    }
    weak: frozenset[str] = getattr(architecture.parameters, "weak", frozenset())
    return defaults, set(weak - names_used(architecture))


def _shape(architecture: Architecture, input: tuple[int, int, int] | None) -> Map:
    if input is not None:
        return image(input)
    size = architecture.input.size
    height, width = size if isinstance(size, list) else (size, size)
    return Map(architecture.input.channels, height, width)


class _Network:
    def __init__(
        self,
        architecture: Architecture,
        shape: Shape,
        reporter: Reporter,
        trace: Trace | None = None,
        kept_before: Sequence[Any] | None = None,
        *,
        is_block: bool = False,
    ) -> None:
        self.architecture = architecture
        self.is_block = is_block
        self.reporter = reporter
        self.evaluation = Evaluation(reporter)
        self.library = Library.of(architecture, reporter)
        self.readings = Readings(self.library, self.evaluation)
        arguments = Arguments(self.readings, Checker(self.library, self.evaluation), trace)
        self.builder = Builder(shape)
        self.bodies = Bodies(self.library, arguments, self.evaluation, self.builder, kept_before)
        variables: dict[str, Any] = {"input": shape}
        self.frame = Frame(self.builder, variables, Defaults(), Value(-1), None, rename=architecture.rename or {})
        self._read_parameters(variables)
        self._read_defaults()
        self.rules = self._read_rules()
        self.numbering = self._read_sequential()
        if trace is not None:
            trace.began(self.frame)

    def lower(self) -> Graph | None:
        """The graph, or None where something is wrong."""
        try:
            return self._lower()
        except TooLarge:
            return None

    def _lower(self) -> Graph | None:
        sections: list[Section] = []
        inlined: list[Section] = []
        for name, section in self.architecture.sections().items():
            start = len(self.builder.nodes)
            self.frame.rules = self.rules if name in ("stem", "stages") and not self.rules.are_none else None
            self.frame.numbering = self.numbering if name != "head" else None
            body = {name: section} if isinstance(section, Step) else section
            self._lower_section(body, inlined)
            sections.append(Section(name, start, len(self.builder.nodes)))
        self._report_unused()
        self._report_unknown_names()
        self._report_reduction(sections)
        taps = Taps(self.architecture, self.frame, self.reporter).of(sections)
        if not self.builder.nodes and not self.reporter.diagnostics:
            self.reporter.error("empty", "this network has no steps", self.architecture.place, help="add `stages`")
        if (
            not self.is_block
            and self.frame.current != POISON
            and isinstance(self.builder.shape_of(self.frame.current), Streams)
        ):
            last = self.builder.nodes[self.frame.current.node]
            message = f"a network gives one value, and this one ends with the parts of `{last.name}`"
            self.reporter.error("bad-shape", message, last.place, help="put `concat` behind it, for example")
        if self.frame.current == POISON or self.reporter.diagnostics:
            return None
        graph = Graph(
            "",
            self.builder.input,
            tuple(self.builder.nodes),
            self.frame.current,
            {name: self.frame.variables[name] for name in self.architecture.parameters},
            {name: value for name, value in self.architecture.parameters.items() if type(value) is Formula},
            register=tuple(self.architecture.register_ or ()),
            help=self.architecture.help,
            name=self.architecture.name,
            class_name=self.architecture.class_ or "",
            sections=tuple(sections),
            inlined=tuple(inlined),
            taps=taps,
            outputs=tuple(self.bodies.outputs),
            steps=dict(self.frame.values),
        )
        report_idle_steps(graph, taps if self.architecture.features is not None else (), self.reporter)
        return graph

    def _lower_section(self, body: dict[str, Step] | list[Step], inlined: list[Section]) -> None:
        """Lowers the steps of a section; notes where those stand whose children are the network's own."""
        if isinstance(body, list):
            self.bodies.steps(body, self.frame)
            return
        for name, step in body.items():
            start = len(self.builder.nodes)
            self.bodies.steps({name: step}, self.frame)
            if step.inline:
                inlined.append(Section(name, start, len(self.builder.nodes)))

    def _read_rules(self) -> Rules:
        """The multipliers and the output stride."""
        scale, stride = self.architecture.scale, self.architecture.output_stride
        width = depth = None
        if scale is not None and scale.width is not None:
            factor = self._factor(scale.width)
            width = WidthRule(factor, scale.width.to, scale.width.keep) if factor is not None else None
        if scale is not None and scale.depth is not None:
            factor = self._factor(scale.depth)
            depth = DepthRule(factor, scale.depth.round == "ceil") if factor is not None else None
        return Rules(self.builder.input, width, depth, StrideRule(stride) if stride is not None else None)

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

    def _factor(self, scale: WidthScale | DepthScale) -> float | None:
        if scale.table is not None and scale.table.broken:
            return None
        try:
            factor = self.evaluation.evaluate(scale.by, self.frame, scale.place_at("by"))
        except GiveUp:
            return None
        if type(factor) not in (int, float) or not 0 < factor <= 1000:
            message = f"`by` must be a number above 0, 1000 at most, got {describe(factor)}"
            self.reporter.error("bad-value", message, scale.place_at("by"))
            return None
        return float(factor)

    def _read_parameters(self, variables: dict[str, Any]) -> None:
        written = self.architecture.parameters
        origins: dict[str, Place | None] = {}
        self.frame.origins = origins
        for name, value in written.items():
            place = value_place(written, name) or self.architecture.place_at("parameters")
            if name in variables or name in ("here", "repeat") or not (name.isidentifier() and name.isascii()):
                help = "give it another name"
                at = key_place(written, name) or place
                self.reporter.error("bad-name", f"a parameter cannot be called `{name}`", at, help=help)
                continue
            try:
                variables[name] = self.evaluation.evaluate(value, self.frame, place)
                origins[name] = place
            except GiveUp:
                variables[name] = UNKNOWN

    def _read_defaults(self) -> None:
        written = self.architecture.defaults
        settings: list[Setting] = []
        for block, values in written.items():
            key_at = key_place(written, block) or self.architecture.place_at("defaults")
            if self.library.find(block) is None:
                if self.library.incomplete:
                    continue
                message = f"there is no block `{block}`"
                self.reporter.error("unknown-block", message, key_at, help=self.library.advice_for(block))
                continue
            weak = block in getattr(written, "weak", ()) or self.architecture.is_weak("defaults")
            value_at = value_place(written, block) or key_at
            value = Written(values, value_at, self.frame.variables, past=replaced_by(written, block))
            settings += self.readings.read_settings(block, value, key_at, weak, self.frame)
        self.frame.defaults = Defaults().extended(settings)

    def _report_unused(self) -> None:
        """A knob without effect is a mistake, where this file wrote it."""
        if self.reporter.diagnostics:
            return  # what stands behind a mistake was not reached
        self.reporter.add(self.library.idle.diagnostics)
        for setting in self.readings.settings:
            if setting.used or setting.weak:
                continue
            message = (
                f"`{setting.parameter}` of `{setting.block}` has no effect: no use of `{setting.block}` here takes it"
            )
            help = "remove it; a value that a use or a block's own body writes is stronger than a default"
            self.reporter.error("no-effect", message, setting.key_place, help=help)
        self._report_idle_scale()
        if self.numbering is not None and self.numbering.count == 0 and not self.architecture.is_weak("sequential"):
            message = "`sequential` has no effect: there is no step in `stem`, `stages` or `neck` to number"
            self.reporter.error("no-effect", message, self.architecture.place_of_key("sequential"), help="remove it")
        self._report_unused_parameters()

    def _report_idle_scale(self) -> None:
        """Multipliers that have nothing to multiply."""
        scale = self.architecture.scale
        if scale is None or self.architecture.is_weak("scale"):
            return
        for word, rule in (("width", self.rules.width), ("depth", self.rules.depth)):
            if rule is not None and word not in self.rules.used and not scale.is_weak(word):
                message = f"this multiplier has no effect: no step of `stem` and `stages` says `{word}`"
                reporter, place = self.reporter, scale.place_of_key(word)
                reporter.error("no-effect", message, place, help="remove it, or say there what is to be multiplied")

    def _report_unused_parameters(self) -> None:
        written = self.architecture.parameters
        if not written or self.architecture.is_weak("parameters"):
            return
        used = names_used(self.architecture)
        weak: frozenset[str] = getattr(written, "weak", frozenset())
        for name in written:
            if name not in used and name not in weak:
                message = f"the parameter `{name}` has no effect: nothing uses `${name}`"
                near = nearest(name, [each for each in written if each != name])
                help = f"did you mean `{near}`?" if near is not None else "use it or remove it"
                self.reporter.error("no-effect", message, key_place(written, name), help=help)

    def _report_unknown_names(self) -> None:
        known = self.builder.known | {name.split(".")[0] for name in self.builder.known}
        architecture = self.architecture
        for word, names in (("rename", architecture.rename), ("register", architecture.register_)):
            for number, name in enumerate(names or ()):
                if name not in known and name not in (architecture.rename or {}).values():
                    place = architecture.place_inside(word, name if word == "rename" else number)
                    help = suggest(name, known)
                    self.reporter.error("unknown-step", f"there is no step `{name}` to {word}", place, help=help)

    def _report_reduction(self, sections: list[Section]) -> None:
        """An output stride that the steps of stem and stages do not keep."""
        limit = self.architecture.output_stride
        if limit is None or self.reporter.diagnostics:
            return
        for number in (each for name, *span in sections if name in ("stem", "stages") for each in range(*span)):
            node = self.builder.nodes[number]
            parts = range(len(node.shape)) if isinstance(node.shape, Streams) else (None,)
            has_size = isinstance(node.shape, Map | Tokens | Streams)
            values = [Value(number, part) for part in parts] if has_size else []
            found = max((reduction_of(each, self.builder.nodes, self.builder.input) for each in values), default=0)
            if found > limit:
                name = node.shown_names()[0]
                message = f"the output stride is {found}, not {limit}: `{name}` has no stride that can become dilation"
                place = self.architecture.place_at("output_stride")
                notes = (Note("it is here", node.place),) if node.place and not node.place.source.shipped else ()
                help = "only uses of blocks with `stride` and `dilation` can keep it"
                self.reporter.error("bad-output-stride", message, place, help=help, notes=notes)
                return
