"""Why a parameter has its value: the chain of places that set it, as the lowering decided."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from archbuilder.diagnostics import Reporter, SpecError
from archbuilder.explain.find import Finder, Found, left_out, unknown_parameter
from archbuilder.explain.words import Candidate, Kind, Remark, Why
from archbuilder.graph.graph import Node
from archbuilder.graph.op import Op, pair, short
from archbuilder.graph.shapes import Map, Tokens
from archbuilder.language.formula import Formula
from archbuilder.language.load import Spec, as_far_as_possible, load_architecture
from archbuilder.language.models import Architecture, BlockDefinition
from archbuilder.language.rules import DepthRule, WidthRule
from archbuilder.language.table import Past, Table, replaced_by, value_place
from archbuilder.lowering.frame import Made, Scope, Setting, Slot, Use
from archbuilder.lowering.network import Lowered, lower_with_record
from archbuilder.lowering.plans import parameters_of


def explain_parameter(
    spec: Spec, path: str, overrides: Mapping[str, Any] | None = None, text: str | None = None
) -> Why:
    """Why a parameter has its value.

    Args:
        spec: a path, a zoo name or an architecture.
        path: a module's path, a dot and a parameter of the block or op that stands there; `depth` of a repeated step; or one
            of the network's parameters.
        overrides: what to set, by dotted path.
        text: the spec's text, if it does not lie in a file.

    Raises:
        SpecError: with every mistake in the spec, or because there is no such parameter.
        FileNotFoundError: if there is no such file or name.
    """
    reporter = Reporter()
    architecture = as_far_as_possible(lambda: load_architecture(spec, overrides, text), reporter)
    return explain(architecture, lower_with_record(architecture, reporter=reporter), path)


def explain(architecture: Architecture, lowered: Lowered, path: str) -> Why:
    """Why a parameter of a network has its value.

    Args:
        architecture: the network.
        lowered: what it was lowered to.
        path: a module's path, a dot and a parameter; or one of the network's parameters alone.

    Raises:
        SpecError: if there is no such module, or no such parameter.
    """
    finder = Finder(lowered.graph, lowered.lowering)
    explainer = _Explainer(architecture, lowered)
    module, dot, name = path.rpartition(".")
    if not dot and name in architecture.parameters:
        return explainer.of_network(name)
    try:
        found = finder.find(path, module, architecture.parameters)
        explainer.enter(found)
        return explainer.of_module(found, name, path)
    except SpecError as error:
        raise finder.module_alone(path) or error from None


class Reasons:
    """The reasons of one network, for whoever wants those of many steps."""

    def __init__(self, architecture: Architecture, lowered: Lowered) -> None:
        self.architecture, self.lowered = architecture, lowered
        self._finder = Finder(lowered.graph, lowered.lowering)

    def of_step(self, path: str) -> tuple[Why, ...]:
        """Why each parameter of the step at a path has its value: how often it stands, which block it is, and the block's own.

        Raises:
            SpecError: if there is no such step.
        """
        found = self._finder.find(path, path)
        if found.is_left_out or found.use is None:
            return ()
        explainer = _Explainer(self.architecture, self.lowered)
        explainer.enter(found)
        names = ["depth"] if found.made.site.plan.depth is not None and not found.is_repeat else []
        names += ["block", *found.use.plan.definition.parameters]
        return tuple(explainer.of_module(found, name, path) for name in names)


@dataclass
class _Explainer:
    """Explains values of one network.

    `paths` says where the uses on the way stand, `around` the same of those that wrote a setting. Equal uses share a graph,
    which knows the first of them: `instead` has the one by which the way leads into it.
    """

    architecture: Architecture
    lowered: Lowered
    instead: dict[Use, Use] = field(default_factory=dict)
    paths: dict[Use, str] = field(default_factory=dict)
    around: dict[Setting, str] = field(default_factory=dict)

    def enter(self, found: Found) -> None:
        """Notes where the uses on the way stand, and those of the network that are no module."""
        inline = [(use, key, None) for key, made in self.lowered.lowering.inline.items() for use in made.uses]
        for use, path, first in (*inline, *found.uses):
            self.paths[use] = path
            self.around.update(dict.fromkeys(use.nearer, path))
            if first is not None:
                self.around.update(dict.fromkeys(first.nearer, path))
                self.instead[first] = use

    # ---- what can be asked for ----------------------------------------------------------------------------------

    def of_module(self, found: Found, name: str, path: str) -> Why:
        """A parameter of the step at a path, how often it is repeated, or which block it is."""
        made, use = found.made, found.use
        if name == "depth" and made.site.plan.depth is not None and not found.is_repeat:
            return self._depth(made, found.path)
        if name == "block" and use is not None:
            return self._block(made, use, found.path)
        parameters = use.plan.definition.parameters if use is not None else {}
        if use is None or name not in parameters:
            raise unknown_parameter(found, name, path, parameters)
        if found.is_left_out and use.plan.definition.op is None:
            raise left_out(found, path)
        why = self._of_use(use, name)
        if found.node is None:
            return why
        return self._with_output_stride(_with_op(why, found.node, name), found.node)

    def of_network(self, name: str) -> Why:
        """One of the network's parameters."""
        written, scope = self.architecture.parameters, self.lowered.scope
        own = Candidate("parameter", written[name], value_place(written, name), won=True)
        past = _past(own, replaced_by(written, name))
        variables = self._variables(written[name], scope, {})
        return Why(name, scope.variables[name], candidates=(own, *past), variables=variables)

    def _depth(self, made: Made, path: str) -> Why:
        plan, frame = made.site.plan, made.site.frame
        scope = frame.scope
        candidates = self._said(_kind(scope), plan.depth, plan.step.table, "depth", whose=_whose(scope))
        rule = frame.rules.depth if frame.rules is not None else None
        remarks, names = self._scaled_depth(rule) if rule is not None else ((), ())
        variables = self._variables(plan.depth, scope, {})
        block = made.uses[0].plan.name if made.uses else ""
        return Why("depth", made.repeats, block, path, candidates, remarks, (*variables, *names))

    def _block(self, made: Made, use: Use, path: str) -> Why:
        plan, scope = made.site.plan, made.site.frame.scope
        candidates = self._said(_kind(scope), plan.block, plan.step.table, "block", whose=_whose(scope))
        return Why("block", use.plan.name, "", path, candidates, (), self._variables(plan.block, scope, {}))

    # ---- a parameter of a use -----------------------------------------------------------------------------------

    def _of_use(self, use: Use, name: str) -> Why:
        candidates = tuple(self._candidates(use, name))
        remarks: tuple[Remark, ...] = ()
        names: tuple[Why, ...] = ()
        told, setting = use.plan.told.get(name), use.settings.get(name)
        if name in use.fixed:
            pass  # nothing that is written
        elif told is not None:
            scope = use.scopes[told.level] or use.frame.scope
            names = self._variables(told.value, scope, _met(use, told.value))
            rule = use.frame.rules.width if use.frame.rules is not None else None
            if rule is not None and told.parameter.type == "channels":
                remarks, more = self._scaled_width(rule)
                names += more
        elif setting is not None:
            names = self._variables(setting.plan.value, setting.scope, _met(use, setting.plan.value))
        else:
            default = use.plan.definition.parameters[name].default
            names = self._variables(default, Scope(use.values, use), {"input": use.input})
        path = self.paths.get(use, "")
        return Why(name, _shown(use.values[name]), use.plan.name, path, candidates, remarks, names)

    def _candidates(self, use: Use, name: str) -> Iterator[Candidate]:
        """Everything that was written for a parameter, the strongest first, which is the one that counts."""
        won = True
        if name in use.fixed:
            yield Candidate("repeat", use.fixed[name], won=True)
            won = False
        told = use.plan.told.get(name)
        if told is not None:
            scope = use.scopes[told.level] or use.frame.scope
            kind: Kind = "slot" if told.level else _kind(scope)
            table = use.plan.steps[told.level].step.table
            yield from self._said(kind, told.value, table, name, whose=_whose(scope), won=won)
            won = False
        setting = use.settings.get(name)
        while setting is not None:
            origin, whose = self._origin(setting)
            said = Candidate(origin, setting.plan.value, setting.plan.value_place, whose, won)
            yield from (said, *_past(said, setting.plan.past))
            setting, won = setting.weaker, False
        yield from self._default(use, name, won=won)

    def _said(
        self, kind: Kind, value: Any, table: Table | None, name: str, *, whose: str = "", won: bool = True
    ) -> tuple[Candidate, ...]:
        """What a step says, and what that has replaced."""
        said = Candidate(kind, value, value_place(table, name), whose, won)
        return (said, *_past(said, replaced_by(table, name)))

    def _default(self, use: Use, name: str, *, won: bool) -> Iterator[Candidate]:
        """The definition's default, if it has one."""
        definition, parameter = use.plan.definition.definition, use.plan.definition.parameters[name]
        if parameter.required:
            return
        table = definition.table if isinstance(definition, BlockDefinition) else None
        declared = table.get("parameters") if table is not None else None
        inner = declared.get(name) if isinstance(declared, Table) else None
        place = _default_of(Past(inner, value_place(declared, name))).place
        past = (*replaced_by(inner, "default"), *(_default_of(each) for each in replaced_by(declared, name)))
        said = Candidate("default", parameter.default, place, use.plan.name, won)
        yield from (said, *_past(said, past))

    def _origin(self, setting: Setting) -> tuple[Kind, str]:
        """What wrote a setting, and which block or use that speaks of."""
        if setting in self.around:
            return "around", self.around[setting]
        block = setting.plan.block
        own: Setting | None = self.lowered.defaults.of(block).get(setting.plan.parameter)
        while own is not None and own is not setting:
            own = own.weaker
        return ("defaults" if own is setting else "inside"), block

    # ---- what the network says of all its steps ---------------------------------------------------------------------

    def _scaled_width(self, rule: WidthRule) -> tuple[tuple[Remark, ...], tuple[Why, ...]]:
        scale = self.architecture.scale
        width = scale.width if scale is not None else None
        if width is None:
            return (), ()
        text = f"then times {rule.by:g}, to the nearest multiple of {rule.to}"
        return (Remark(text, width.place_at("by")),), self._variables(width.by, self.lowered.scope, {})

    def _scaled_depth(self, rule: DepthRule) -> tuple[tuple[Remark, ...], tuple[Why, ...]]:
        scale = self.architecture.scale
        depth = scale.depth if scale is not None else None
        if depth is None:
            return (), ()
        text = f"then times {rule.by:g}, rounded {'up' if rule.up else 'to the nearest whole number'}"
        return (Remark(text, depth.place_at("by")),), self._variables(depth.by, self.lowered.scope, {})

    def _with_output_stride(self, why: Why, node: Node) -> Why:
        """What the network's output stride makes of the stride, the padding or the dilation of a step that slides over a map."""
        limit, op = self.architecture.output_stride, node.body
        value = getattr(op, why.name, None)
        if limit is None or not isinstance(op, Op) or op.window is None or value in (None, why.value):
            return why
        if not isinstance(value, tuple) or (isinstance(why.value, int) and value == pair(why.value)):
            return why
        remark = Remark(
            f"then {_shown(short(value))}: `output_stride: {limit}` turns strides into dilation",
            self.architecture.place_at("output_stride"),
        )
        return replace(why, value=short(value), remarks=(*why.remarks, remark))

    # ---- variables ----------------------------------------------------------------------------------------------

    def _variables(self, value: Any, scope: Scope, met: Mapping[str, Any]) -> tuple[Why, ...]:
        """Why each name in the expressions of a value means what it does."""
        return tuple(self._variable(name, scope, met) for name in _names_in(value))

    def _variable(self, name: str, scope: Scope, met: Mapping[str, Any]) -> Why:
        counted = {"input", "repeat", *(turn.variable for turn in scope.turns)}
        if name in counted or name not in scope.variables:
            return Why(name, _shown(scope.variables.get(name, met.get(name))))
        if scope.use is None:
            return self.of_network(name)
        use = self.instead.get(scope.use, scope.use)
        definition = use.plan.definition.definition
        if name in use.plan.definition.parameters:
            return self._of_use(use, name)
        if not isinstance(definition, BlockDefinition):
            return Why(name, _shown(scope.variables[name]))
        written = definition.let[name]
        derived = Candidate("let", written, value_place(definition.let, name), use.plan.name, won=True)
        names = self._variables(written, scope, met)
        return Why(name, _shown(scope.variables[name]), use.plan.name, self.paths.get(use, ""), (derived,), (), names)


def _names_in(value: Any) -> list[str]:
    """The names that the expressions in a value speak of, in the order of the text."""
    if isinstance(value, Formula):
        starts = {name: re.search(rf"\b{re.escape(name)}\b", value) for name in sorted(value.names)}
        return sorted(starts, key=lambda name: found.start() if (found := starts[name]) else len(value))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for each in inner for name in _names_in(each)))


def _met(use: Use, value: Any) -> dict[str, Any]:
    """What the names in the expressions of a use mean, beside the variables: the shapes of steps."""
    found: dict[str, Any] = {}
    frame = use.frame
    for name in _names_in(value):
        if name == "here":
            found[name] = frame.builder.shape_of(use.here)
        elif name not in frame.scope.variables:
            with suppress(KeyError):
                found[name] = frame[name]
    return found


def _whose(scope: Scope) -> str:
    """The block whose variables a scope has; empty for those of the network."""
    return scope.use.plan.name if scope.use is not None else ""


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
