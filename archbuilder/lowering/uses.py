"""What a step stands for, and the parts of lowering it that need no other step: an op applied, a block's frame, its graph."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from archbuilder.diagnostics import Note, note_at
from archbuilder.graph.graph import Graph, Node, Value
from archbuilder.graph.op import Op, OpError, ShapesDiffer
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition
from archbuilder.language.rules import Numbering
from archbuilder.language.table import key_place, value_place
from archbuilder.language.words import STEP
from archbuilder.lowering.arguments import check_use, resolve
from archbuilder.lowering.effects import report_beside_body
from archbuilder.lowering.frame import OUTER, Builder, Frame, Made, Scope, Site, Slot, Use
from archbuilder.lowering.lowering import GiveUp, Lowering, Target
from archbuilder.lowering.naming import name_child
from archbuilder.lowering.plans import BodyPlan, DefinitionPlan, StepPlan
from archbuilder.parameters import describe
from archbuilder.plugin.registry import REGISTRY

# ---- what a step stands for -----------------------------------------------------------------------------------------


_OWN_SCOPE: Final[tuple[Scope | None, ...]] = (None,)


def target_of(lowering: Lowering, plan: StepPlan, frame: Frame) -> Target | Slot | BodyPlan | None:
    """The block, the slot or the steps that a step stands for; None for an empty slot.

    Raises:
        GiveUp: if there is no such block; the reason is reported.
    """
    known = lowering.targets.get(plan)
    if known is not None:
        return known
    if plan.body is not None:
        return plan.body if isinstance(plan.body, BodyPlan) else _steps_in_slot(lowering, plan, plan.body, frame)
    steps: tuple[StepPlan, ...] = (plan,)
    scopes = _OWN_SCOPE
    named = plan.block if type(plan.block) is not Formula else _named(lowering, plan, frame, None)
    while isinstance(named, Slot):
        if named.text.name is not None:
            named = named.text.name
            continue
        inner = _use_in_slot(lowering, plan, named, frame)
        steps, scopes = (*steps, inner), (*scopes, named.scope)
        named = _named(lowering, inner, frame, named.scope)
    if named is None:
        return None
    definition = lowering.library.find(named) if isinstance(named, str) else None
    if definition is None:
        _report_no_block(lowering, named, steps[-1], scopes[-1] or frame.scope, frame)
        raise GiveUp
    if isinstance(definition.definition, BlockDefinition):
        table = definition.definition.table
        if table is not None and table.broken:
            raise GiveUp
    in_slots = tuple(zip(steps[1:], scopes[1:], strict=True))
    target = Target(lowering.library.use(str(named), definition, steps), scopes, in_slots)
    if type(plan.block) is str:
        lowering.targets[plan] = target
    return target


def check_left_out(
    lowering: Lowering, plan: StepPlan, frame: Frame, *, inside: bool = False, whole: bool = True
) -> bool:
    """Looks at a step that is left out, or a loop without turns, or at what stands `inside` these, where more names are known;
    whether its keys mean something. What is in a slot is not `whole`: the block with the slot says more of it."""
    if plan.is_broken or (plan.place is not None and plan.place.source.shipped):
        return True
    if plan.body is not None and plan.step.arguments:
        report_beside_body(lowering, plan.step, frame)
        return False
    for step in plan.body.steps if isinstance(plan.body, BodyPlan) else ():
        with suppress(GiveUp):
            check_left_out(lowering, step, frame, inside=True, whole=whole)
    target = target_of(lowering, plan, frame) if type(plan.block) is str else None
    return not isinstance(target, Target) or check_use(lowering, target, frame, names=not inside, whole=whole)


def _report_no_block(lowering: Lowering, named: Any, plan: StepPlan, scope: Scope, frame: Frame) -> None:
    """There is no such block, which is told where its name is written; of a plugin that is not there nothing is known."""
    if lowering.library.incomplete:
        return
    place, notes, cause = plan.step.place_at("block"), list[Note](), ("block", named)
    if not isinstance(named, str):
        message = f"`block` must be a block's name, got {describe(named)}"
        lowering.error(frame, "unknown-block", message, place)
        return
    for name in sorted(plan.block.names) if type(plan.block) is Formula else ():
        notes += note_at(f"`{name}` is given here", scope.written(name))
    if notes and plan.block.bare:
        is_slot = isinstance(scope.variables.get(plan.block.bare), Slot)
        place, notes = notes[0].place, [*note_at("it is used here", None if is_slot else place)]
    message, help = f"there is no block {describe(named)}", partial(lowering.library.advice_for, named)
    lowering.error(frame, "unknown-block", message, place, help, tuple(notes), cause)


def _use_in_slot(lowering: Lowering, plan: StepPlan, slot: Slot, frame: Frame) -> StepPlan:
    """The use of a block that a slot holds."""
    inner = slot.text.use(lowering.reporter)
    if inner is None or inner.is_broken:
        raise GiveUp
    if inner.block is None:
        taker = min(plan.step.block.names) if type(plan.step.block) is Formula and plan.step.block.names else "block"
        message, help = f"`{taker}` takes a block, got steps", "define them as a block in `blocks`, and name it here"
        lowering.error(frame, "bad-slot", message, inner.step.place_of_key("body"), help)
        raise GiveUp
    for word in STEP:
        if not word.in_slots and word.name in (inner.step.table or ()):
            message = f"`{word.name}` has no effect in a slot: the block that has the slot says where this stands"
            lowering.error(frame, "no-effect", message, inner.step.place_of_key(word.name), "remove it")
    return inner


def _named(lowering: Lowering, plan: StepPlan, frame: Frame, scope: Scope | None) -> Any:
    """What stands behind `block`: a name, a slot, or nothing."""
    if type(plan.block) is not Formula:
        return plan.block
    return lowering.evaluate(plan.block, frame, plan.step.place_at("block"), scope)


def _steps_in_slot(lowering: Lowering, plan: StepPlan, body: str, frame: Frame) -> Slot | None:
    slot = lowering.evaluate(body, frame, plan.step.place_at("body"))
    if slot is None or (isinstance(slot, Slot) and slot.is_empty):
        return None
    if not isinstance(slot, Slot) or slot.text.name is not None:
        message = f"`body` takes steps, or a parameter of type steps, got {describe(body)}"
        lowering.error(frame, "bad-value", message, plan.step.place_at("body"))
        raise GiveUp
    return slot


def layers_of(lowering: Lowering, slot: Slot) -> list[tuple[BodyPlan, Scope | None]]:
    """The steps in a slot; where it is laid over another one, each step keeps the variables of its own place.

    Raises:
        GiveUp: if something in them is wrong; that is reported.
    """
    stack = [slot]
    while stack[-1].below is not None:
        stack.append(stack[-1].below)
    bodies = [(each.text.body(lowering.reporter), each.scope) for each in reversed(stack)]
    if any(body is None for body, _ in bodies):
        raise GiveUp
    found = [(body, scope) for body, scope in bodies if body is not None]
    if len(found) == 1:
        return found
    owners: dict[str, tuple[StepPlan, Scope | None]] = {}
    for body, scope in found:
        owners.update({str(step.origin.key): (step, scope) for step in body.steps})
    return [(BodyPlan((step,), listed=False), scope) for step, scope in owners.values()]


# ---- ops ------------------------------------------------------------------------------------------------------------


def apply_op(
    lowering: Lowering, op_type: type[Op], use: Use, site: Site, shapes: tuple[Shape, ...]
) -> tuple[Op, Shape]:
    """The op for values of these shapes, and the shape of what it gives; the same one for equal ones.

    Raises:
        GiveUp: if it does not fit; the reason is reported.
    """
    if len(shapes) != 1 or op_type.inputs != (1, 1):
        _check_count(lowering, op_type, shapes, site)
    key = (op_type, *use.values.values(), shapes)
    known = lowering.ops.get(key)
    if known is not None:
        return known
    try:
        if op_type.name in REGISTRY.entries:
            from archbuilder.lowering.python import op_of_plugin
            from archbuilder.plugin.probe import probed

            with op_of_plugin(lowering, op_type, site.frame, site.plan.place):
                return probed(op_type, use.values, shapes)
        lowering.ops[key] = made = op_type.applied(use.values, shapes)
        return made
    except OpError as error:
        _report_misfit(lowering, error, use, site)
        raise GiveUp from None


def _check_count(lowering: Lowering, op_type: type[Op], shapes: tuple[Shape, ...], site: Site) -> None:
    count, (least, most) = len(shapes), op_type.inputs
    if op_type.joins and count < 2:
        listed = isinstance(shapes[0], Streams) if shapes else False
        if not (listed or any(name.endswith("*") for name in site.plan.inputs or ())):
            least = 2
    if count < least or (most is not None and count > most):
        wanted = str(least) if least == most else f"{least} or more"
        message = f"`{op_type.name}` takes {wanted} value{'s' * (wanted != '1')}, got {count}"
        advice = "name them in `from`, as in `from: [left, right]`" if least > 1 else None
        if advice is not None and count == 1 and isinstance(shapes[0], Streams):
            advice = f"take its parts, as in `from: {site.frame.builder.origin_of(site.inputs[0])}.*`"
        lowering.error(site.frame, "bad-input", message, site.plan.step.place_at("from"), advice)
        raise GiveUp


def _report_misfit(lowering: Lowering, error: OpError, use: Use, site: Site) -> None:
    notes: tuple[Note, ...] = ()
    code, builder, inputs = "bad-shape", site.frame.builder, site.inputs
    if isinstance(error, ShapesDiffer):
        code = "shapes-differ"
        ends = [inputs[number] for number in (error.first, error.second)]
        texts = [f"{builder.shape_of(value)} comes from `{builder.origin_of(value)}`" for value in ends]
        notes = (Note(", ".join(texts)),)
    help = error.help
    several = next((value for value in inputs if isinstance(builder.shape_of(value), Streams)), None)
    if help is not None and several is not None and not site.plan.shipped:
        help = help.replace("`from: parts.", f"`from: {builder.origin_of(several)}.")
    origin = use.origin(error.parameter) if error.parameter is not None else None
    place = origin if origin is not None and not origin.source.shipped else site.plan.place
    lowering.error(site.frame, code, str(error), place, help, notes)


def use_of_op(lowering: Lowering, target: Target, op_type: type[Op], frame: Frame, input: Shape | None) -> Use:
    """A use of an op. What a block holds has the size that it has for the spec's own input, whatever the input at hand.

    Raises:
        GiveUp: if something is wrong; that is reported.
    """
    parameter, sizes = op_type.size_parameter, lowering.sizes
    if parameter is None:
        return resolve(lowering, target, frame, input)
    lowering.holds_sizes, usual, position = True, sizes.coming(of_call=False), len(sizes.found)
    sizes.found.append(None)  # what is wrong with it for this input need not be for the spec's own
    use = resolve(lowering, target, frame, input, {} if usual is None else {parameter: usual})
    use.fixed = {}  # it comes from where it is written, as ever
    sizes.found[position] = use.values[parameter]
    return use


# ---- blocks ---------------------------------------------------------------------------------------------------------


def frame_of_block(lowering: Lowering, use: Use, builder: Builder, input: Value) -> Frame:
    """The frame in which a block's body is lowered: its parameters, and what it derives from them.

    Raises:
        GiveUp: if a derived value has no value; that is reported.
    """
    frame, definition = use.frame, use.plan.definition.definition
    variables: dict[str, Any] = {**use.values, "input": builder.shape_of(input)}
    place = use.plan.steps[0].place
    used_at = frame.used_at if place is None or place.source.shipped else place
    used_block = frame.used_block if used_at is frame.used_at else use.plan.name
    scope = Scope(variables, use, coming=getattr(definition, "let", {}))
    inner = Frame(builder, scope, use.defaults, input, used_at, use.plan.name, used_block)
    inner.repeat = frame.repeat
    if isinstance(definition, BlockDefinition):
        for name, written in definition.let.items():
            at = value_place(definition.let, name) or definition.place_at("let")
            if name in variables:
                at = key_place(definition.let, name) or at
                message = f"`{name}` is the name of a parameter here"
                lowering.error(inner, "shadowed", message, at, "give the derived value another name")
                raise GiveUp
            variables[name] = lowering.evaluate(written, inner, at)
    return inner


def graph_of_body(frame: Frame, *, listed: bool, register: tuple[str, ...]) -> Graph:
    """The graph of a body that is no block's."""
    builder = frame.builder
    return Graph(
        "", builder.input, tuple(builder.nodes), frame.current, _bindings(frame), listed=listed,
        register=frame.modules(register), loops=tuple(builder.loops),
    )  # fmt: skip


def graph_of_block(lowering: Lowering, use: Use, inner: Frame, register: tuple[str, ...]) -> Graph:
    """The graph of a block whose body is lowered."""
    plan, builder = use.plan.definition, inner.builder
    definition = plan.definition
    variables = inner.scope.variables
    listed, layers = False, None
    if isinstance(definition, BlockDefinition):
        listed = isinstance(definition.body, list)
        layers = definition.layers
        register = inner.modules(register or definition.register_ or ())
        names = (*definition.parameters, *definition.let)
        formulas = _formulas_of(plan, definition)
        loops: tuple[int | str, ...] = tuple(builder.loops)
        help = definition.help
        if type(layers) is Formula:
            layers = _count_of_layers(lowering, definition, layers, inner)
    else:
        names, formulas = tuple(use.values), {}
        loops = tuple(node.name for node in builder.nodes)
        help, layers = getattr(definition, "help", ""), getattr(definition, "layers", None)
    bindings = {name: variables[name] for name in names}
    bindings = {name: value.written if isinstance(value, Slot) else value for name, value in bindings.items()}
    return Graph(
        use.plan.name, builder.input, tuple(builder.nodes), inner.current, bindings, formulas, listed=listed, register=register,
        help=help, loops=loops, layers=layers,
    )  # fmt: skip


def _formulas_of(plan: DefinitionPlan, definition: BlockDefinition) -> dict[str, str]:
    """The expressions by which a block computes what nobody gives it."""
    defaults = {parameter.name: parameter.default for parameter in plan.computed}
    return {name: value for name, value in {**defaults, **definition.let}.items() if type(value) is Formula}


def _count_of_layers(lowering: Lowering, definition: BlockDefinition, layers: Formula, inner: Frame) -> int:
    """How many layers a block says that it counts for."""
    place = definition.place_at("layers")
    count = lowering.evaluate(layers, inner, place)
    if type(count) is not int or count < 0:
        lowering.error(inner, "bad-value", f"`layers` must be a whole number, got {describe(count)}", place)
        raise GiveUp
    return count


# ---- nodes ----------------------------------------------------------------------------------------------------------


def add_node(lowering: Lowering, site: Site, node: Node, uses: tuple[Use, ...]) -> Value:
    """Adds a node that a step has become; notes what it was made of."""
    lowering.made[node] = tuple.__new__(Made, (site, uses, 1, 0, False))  # as `site` makes its own
    return site.frame.builder.add(node)


def add_stand_in(lowering: Lowering, site: Site, *, stays: bool, missing: Op | None = None) -> Value:
    """What hands on the first value that a step takes, in its place. With `stays` it is a module of its own; `missing` is what
    it stands for, where others must know of that."""
    plan, _, frame, (value, *_), _ = site
    name = name_child(lowering, site, claim=stays)
    lowering.count(frame, plan.place)
    lowering.note_absent(plan, frame)
    shape = frame.builder.shape_of(value)
    node = Node(name, None, (value,), shape, plan.place, replaced=stays, origin=site.origin, missing=missing)
    made = add_node(lowering, site, node, ())
    if not stays:
        frame.builder.left_out.add(made)
    return made


def add_graph(lowering: Lowering, site: Site, graph: Graph, uses: tuple[Use, ...], repeats: int = 1) -> Value:
    """A child that is a graph of its own, of `repeats` children where the step has `depth`."""
    plan, _, frame, inputs, _ = site
    name = name_child(lowering, site, claim=True)
    lowering.count(frame, plan.place)
    node = Node(name, graph, inputs, graph.output_shape, plan.place, origin=site.origin)
    lowering.made[node] = Made(site, uses, repeats, 0, in_sequence=plan.depth is not None)
    return frame.builder.add(node)


@dataclass(slots=True)
class Repeats:
    """Equal repeats, one behind the other."""

    body: Op | Graph
    shape: Shape
    count: int


def sequence_of(runs: list[Repeats], site: Site, names: tuple[str, ...]) -> Graph:
    """The repeats of a step as the graph of an `nn.Sequential`; without `names` they are numbered."""
    nodes: list[Node] = []
    first, before = 0, OUTER
    for run in runs:
        own = names[first : first + run.count]
        name = own[0] if own else str(first)
        place = site.plan.place
        nodes.append(Node(name, run.body, (before,), run.shape, place, run.count, own, origin=site.origin))
        before = Value(len(nodes) - 1)
        first += run.count
    return Graph("", site.shape(), tuple(nodes), before, _bindings(site.frame), listed=True)


def _bindings(frame: Frame) -> dict[str, Any]:
    """The variables that a body sees; what is in a slot as it is written."""
    return {name: value.written if isinstance(value, Slot) else value for name, value in frame.scope.variables.items()}


def add_numbered(
    lowering: Lowering, site: Site, runs: list[Repeats], uses: tuple[Use, ...], numbering: Numbering
) -> Value:
    """Repeats that are numbered through with the steps around them, without a level of their own."""
    plan, _, frame, inputs, _ = site
    depth, first = sum(run.count for run in runs), 0
    for run in runs:
        names = numbering.take(site.name, run.count)
        frame.builder.taken.update(names)
        all_names = names if run.count > 1 else ()
        node = Node(names[0], run.body, inputs, run.shape, plan.place, run.count, all_names, origin=site.origin)
        inputs = (frame.builder.add(node),)
        lowering.made[node] = Made(site, uses, depth, first)
        first += run.count
    return inputs[0]
