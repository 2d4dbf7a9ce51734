"""Why a parameter has its value: the chain of places that set it, as the lowering decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.op import Op, short
from archbuilder.graph.shapes import Map, Tokens
from archbuilder.language.models import Architecture, BlockDefinition
from archbuilder.language.table import Past, Table, replaced_by, value_place
from archbuilder.lower.defaults import Setting
from archbuilder.lower.library import parameters_of
from archbuilder.lower.places import Found, find, left_out, unknown_parameter
from archbuilder.lower.rules import DepthRule, WidthRule
from archbuilder.lower.slots import Slot
from archbuilder.lower.trace import Scope, Spot, Trace, Use, formula_names
from archbuilder.lower.uses import Written

Kind: TypeAlias = Literal[
    "repeat", "output_stride", "use", "body", "slot", "defaults", "inside", "around", "parameter", "let", "default"
]
"""What wrote a value: that the stride belongs to the first repeat, the network's output stride, the use itself, a block's
body, a slot's own use, the network's `defaults` (`inside`: what they say of the inside of a block), a use around, the
network's `parameters`, a block's `let`, the definition's default."""


@dataclass(frozen=True)
class Candidate:
    """A value that a parameter could have had: as it is written, where, and what wrote it. `whose` is the block, or the path
    of the use, that `kind` speaks of. `won` says whether it is the one that counts, `replaced` that a later text overwrote
    it: a variant, a spec that extends this one, `--set`."""

    kind: Kind
    text: Any
    place: Place | None = None
    whose: str = ""
    won: bool = False
    replaced: bool = False


@dataclass(frozen=True)
class Remark:
    """What happened to a value after it was chosen, in words."""

    text: str
    place: Place | None = None


@dataclass(frozen=True)
class Why:
    """Why `name` (of the block or op `block` that stands at `path`) has this value.

    `candidates` are all that was written for it, the strongest first; `variables` explains each name in the expressions of
    the one that won.
    """

    name: str
    value: Any
    block: str = ""
    path: str = ""
    candidates: tuple[Candidate, ...] = ()
    remarks: tuple[Remark, ...] = ()
    variables: tuple[Why, ...] = ()

    @property
    def winner(self) -> Candidate | None:
        """The candidate that counts; None for what nobody writes, such as the shape that comes in."""
        return next((candidate for candidate in self.candidates if candidate.won), None)


def explain(architecture: Architecture, graph: Graph, trace: Trace, path: str) -> Why:
    """Why a parameter of a network that was lowered under `trace` has its value.

    Args:
        architecture: the network.
        graph: what it was lowered to.
        trace: what was noted meanwhile.
        path: a module's path, a dot and a parameter; or one of the network's parameters alone.

    Raises:
        SpecError: if there is no such module, or no such parameter.
    """
    explainer = _Explainer(architecture, trace)
    module, dot, name = path.rpartition(".")
    if not dot and name in architecture.parameters:
        return explainer.of_network(name)
    found = find(graph, trace, path, module, architecture.parameters)
    explainer.enter(found)
    return explainer.of_module(found, name, path)


@dataclass
class _Explainer:
    architecture: Architecture
    trace: Trace
    instead: dict[int, Use] = field(default_factory=dict)
    """By the use for which a graph was lowered: the equal use by which the path leads into it."""
    paths: dict[int, str] = field(default_factory=dict)
    """Where the uses on the path stand."""

    def enter(self, found: Found) -> None:
        """Notes where the uses on the way stand, and those of the network that are no module."""
        self.paths.update((id(use), key) for key, spot in self.trace.inline.items() for use in spot.uses)
        for use, path, first in found.uses:
            self.paths[id(use)] = path
            if first is not None:
                self.instead[id(first)] = use

    # ---- what can be asked for ----------------------------------------------------------------------------------

    def of_module(self, found: Found, name: str, path: str) -> Why:
        """A parameter of the step at a path, how often it is repeated, or which block it is."""
        spot, use = found.spot, found.use
        if name == "depth" and spot.step.depth is not None and not found.is_repeat:
            return self._depth(spot, found.path)
        if name == "block" and use is not None:
            return self._block(spot, use, found.path)
        parameters = parameters_of(use.target.definition) if use is not None else {}
        if use is None or name not in parameters:
            raise unknown_parameter(found, name, path, parameters)
        if found.is_left_out and not isinstance(use.target.definition, type):
            raise left_out(found, path)
        why = self._of_use(use, name)
        return why if found.node is None else _with_op(why, found.node, name)

    def of_network(self, name: str) -> Why:
        """One of the network's parameters."""
        written = self.architecture.parameters
        scope = self.network
        own = Candidate("parameter", written[name], value_place(written, name), won=True)
        past = _past(own, replaced_by(written, name))
        variables = self._variables(written[name], scope, {})
        return Why(name, scope.variables[name], candidates=(own, *past), variables=variables)

    @property
    def network(self) -> Scope:
        """The network's own variables."""
        return next(scope for scope in self.trace.scopes.values() if scope.use is None and not scope.turns)

    def _depth(self, spot: Spot, path: str) -> Why:
        step, scope = spot.step, self.trace.scope_of(spot.variables)
        whose = scope.use.target.name if scope.use is not None else ""
        candidates = self._said(_kind(scope), step.depth, step.table, "depth", whose=whose)
        rule = spot.rules.depth if spot.rules is not None else None
        remarks, names = self._scaled_depth(rule) if rule is not None else ((), ())
        variables = self._variables(step.depth, scope, {})
        block = spot.uses[0].target.name if spot.uses else ""
        return Why("depth", spot.repeats, block, path, candidates, remarks, (*variables, *names))

    def _block(self, spot: Spot, use: Use, path: str) -> Why:
        scope = self.trace.scope_of(spot.variables)
        whose = scope.use.target.name if scope.use is not None else ""
        candidates = self._said(_kind(scope), spot.step.block, spot.step.table, "block", whose=whose)
        variables = self._variables(spot.step.block, scope, {})
        return Why("block", use.target.name, "", path, candidates, (), variables)

    # ---- a parameter of a use -----------------------------------------------------------------------------------

    def _of_use(self, use: Use, name: str) -> Why:
        resolved = use.resolved
        candidates = tuple(self._candidates(use, name))
        source = use.taken.get(name)
        remarks: tuple[Remark, ...] = ()
        names: tuple[Why, ...] = ()
        if isinstance(source, Written):
            scope = self.trace.scope_of(resolved.frame.variables if source.variables is None else source.variables)
            names = self._variables(source.value, scope, use.met)
            rule = use.rules.width if use.rules is not None else None
            if rule is not None and parameters_of(resolved.target.definition)[name].type == "channels":
                remarks, more = self._scaled_width(rule)
                names += more
        elif isinstance(source, Setting):
            names = self._variables(source.value, self.trace.scope_of(source.variables), use.met)
        elif source is None:
            default = parameters_of(resolved.target.definition)[name].default
            names = self._variables(default, Scope(resolved.values, use), {"input": resolved.input})
        path = self.paths.get(id(use), "")
        return Why(name, _shown(resolved.values[name]), resolved.target.name, path, candidates, remarks, names)

    def _candidates(self, use: Use, name: str) -> Iterator[Candidate]:
        """Everything that was written for a parameter, the strongest first; the lowering said which of them it took."""
        resolved, taken = use.resolved, use.taken.get(name)
        if name in resolved.fixed:
            yield from self._fixed(use, name, won=taken is resolved.fixed)
        written = resolved.explicit.get(name)
        if written is not None:
            yield from self._explicit(use, name, written, won=taken is written)
        setting = resolved.settings.get(name)
        while setting is not None:
            kind, whose = self._origin(setting)
            said = Candidate(kind, setting.value, setting.value_place, whose, won=taken is setting)
            yield from (said, *_past(said, setting.past))
            setting = setting.weaker
        yield from self._default(use, name, won=taken is None)

    def _fixed(self, use: Use, name: str, *, won: bool) -> Iterator[Candidate]:
        value = use.resolved.fixed[name]
        if name == "stride" and use.resolved.frame.variables.get("repeat"):
            yield Candidate("repeat", value, won=won)
            return
        limit, place = self.architecture.output_stride, self.architecture.place_at("output_stride")
        yield Candidate("output_stride", value, place, str(limit), won)

    def _explicit(self, use: Use, name: str, written: Written, *, won: bool) -> tuple[Candidate, ...]:
        resolved = use.resolved
        step, variables = next(each for each in resolved.target.uses if name in each[0].arguments)
        scope = self.trace.scope_of(resolved.frame.variables if variables is None else variables)
        kind: Kind = "slot" if step is not resolved.target.uses[0][0] else _kind(scope)
        whose = scope.use.target.name if scope.use is not None else ""
        return self._said(kind, written.value, step.table, name, whose=whose, won=won)

    def _said(
        self, kind: Kind, value: Any, table: Table | None, name: str, *, whose: str = "", won: bool = True
    ) -> tuple[Candidate, ...]:
        """What a step says, and what that has replaced."""
        said = Candidate(kind, value, value_place(table, name), whose, won)
        return (said, *_past(said, replaced_by(table, name)))

    def _default(self, use: Use, name: str, *, won: bool) -> Iterator[Candidate]:
        """The definition's default, if it has one."""
        resolved = use.resolved
        parameter = parameters_of(resolved.target.definition)[name]
        if parameter.required:
            return
        table = resolved.target.definition.table if isinstance(resolved.target.definition, BlockDefinition) else None
        declared = table.get("parameters") if table is not None else None
        inner = declared.get(name) if isinstance(declared, Table) else None
        place = _default_of(Past(inner, value_place(declared, name))).place
        past = (*replaced_by(inner, "default"), *(_default_of(each) for each in replaced_by(declared, name)))
        said = Candidate("default", parameter.default, place, resolved.target.name, won)
        yield from (said, *_past(said, past))

    def _origin(self, setting: Setting) -> tuple[Kind, str]:
        """What wrote a setting, and which block or use that speaks of."""
        use = self.trace.around.get(id(setting))
        if use is not None:
            use = self.instead.get(id(use), use)
            return "around", self.paths.get(id(use), "")
        own: Setting | None = self.trace.defaults.of(setting.block).get(setting.parameter)
        while own is not None and own is not setting:
            own = own.weaker
        return ("defaults" if own is setting else "inside"), setting.block

    # ---- multipliers --------------------------------------------------------------------------------------------

    def _scaled_width(self, rule: WidthRule) -> tuple[tuple[Remark, ...], tuple[Why, ...]]:
        scale = self.architecture.scale
        width = scale.width if scale is not None else None
        if width is None:
            return (), ()
        text = f"then times {rule.by:g}, to the nearest multiple of {rule.to}"
        return (Remark(text, width.place_at("by")),), self._variables(width.by, self.network, {})

    def _scaled_depth(self, rule: DepthRule) -> tuple[tuple[Remark, ...], tuple[Why, ...]]:
        scale = self.architecture.scale
        depth = scale.depth if scale is not None else None
        if depth is None:
            return (), ()
        text = f"then times {rule.by:g}, rounded {'up' if rule.up else 'to the nearest whole number'}"
        return (Remark(text, depth.place_at("by")),), self._variables(depth.by, self.network, {})

    # ---- variables ----------------------------------------------------------------------------------------------

    def _variables(self, value: Any, scope: Scope, met: Mapping[str, Any]) -> tuple[Why, ...]:
        """Why each name in the expressions of a value means what it does."""
        return tuple(self._variable(name, scope, met) for name in formula_names(value))

    def _variable(self, name: str, scope: Scope, met: Mapping[str, Any]) -> Why:
        if name in scope.turns or name == "input" or name not in scope.variables:
            return Why(name, _shown(scope.variables.get(name, met.get(name))))
        if scope.use is None:
            return self.of_network(name)
        use = self.instead.get(id(scope.use), scope.use)
        definition = use.target.definition
        if name in parameters_of(definition):
            return self._of_use(use, name)
        if not isinstance(definition, BlockDefinition):
            return Why(name, _shown(scope.variables[name]))
        written = definition.let[name]
        derived = Candidate("let", written, value_place(definition.let, name), use.target.name, won=True)
        path = self.paths.get(id(use), "")
        names = self._variables(written, scope, met)
        return Why(name, _shown(scope.variables[name]), use.target.name, path, (derived,), (), names)


def _kind(scope: Scope) -> Kind:
    """Whether what is written where these variables hold is fixed in a block's body, or the network's own."""
    return "use" if scope.use is None else "body"


def _default_of(declaration: Past) -> Past:
    """The default in a parameter's declaration, which may be all there is to it."""
    table = declaration.value
    if isinstance(table, Table) and "default" in table:
        return Past(table["default"], value_place(table, "default"))
    return declaration


def _past(said: Candidate, past: tuple[Past, ...]) -> list[Candidate]:
    return [Candidate(said.kind, value, place, said.whose, replaced=True) for value, place in past]


def _shown(value: Any) -> Any:
    """A value without what only the lowering knows of it."""
    return value.written if isinstance(value, Slot) else value


def _with_op(why: Why, node: Node, name: str) -> Why:
    """What the op itself makes of a value: of null, or of the rate in one block."""
    op = node.body
    if not isinstance(op, Op):
        return why
    parameter = parameters_of(type(op))[name]
    if why.value is None:
        value = getattr(op, name, None)
        if name == "width" and isinstance(node.shape, Map | Tokens):
            value = node.shape.channels
        value = short(value) if isinstance(value, tuple) and len(value) == 2 else value
        remarks = (*why.remarks, Remark(f"null: {parameter.help}")) if value is not None else why.remarks
        return Why(why.name, value, why.block, why.path, why.candidates, remarks, why.variables)
    if said := op.remark_on(name):
        remarks = (*why.remarks, Remark(said))
        return Why(why.name, why.value, why.block, why.path, why.candidates, remarks, why.variables)
    return why
