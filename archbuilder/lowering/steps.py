"""Lowers steps: each takes the value before it, or those that it names, and becomes a node, an op's or a graph's.

A step is lowered in one way, whatever it is. All that calls itself in turn is in this file: steps stand in bodies, bodies
in blocks and loops, and blocks are used by steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from archbuilder.graph.graph import Graph, Node, Value, plain_node
from archbuilder.graph.names import no_name_of_tensor
from archbuilder.graph.op import Op
from archbuilder.graph.origin import Turn
from archbuilder.graph.shapes import Shape
from archbuilder.language.models import BlockDefinition, Loop
from archbuilder.language.rules import Sizes
from archbuilder.language.spoken import mentions
from archbuilder.lowering.arguments import read_values, resolve
from archbuilder.lowering.effects import report_beside_body
from archbuilder.lowering.frame import OUTER, POISON, UNKNOWN, Builder, Frame, Made, Site, Slot, Steps, Use
from archbuilder.lowering.lowering import Call, GiveUp, Lowering, Target
from archbuilder.lowering.naming import (
    Words,
    check_name,
    check_register,
    check_words,
    name_child,
    names_of_repeats,
    new_names,
    words_of,
)
from archbuilder.lowering.plans import BodyPlan, StepPlan
from archbuilder.lowering.uses import (
    Repeats,
    add_graph,
    add_node,
    add_numbered,
    add_stand_in,
    apply_op,
    check_left_out,
    frame_of_block,
    graph_of_block,
    graph_of_body,
    layers_of,
    sequence_of,
    target_of,
    use_of_op,
)
from archbuilder.lowering.wiring import (
    depth_of,
    find_values,
    give,
    give_returned,
    inputs_of,
    is_present,
    note_output,
    only_input,
    poison,
    refuse_word,
    turns_of,
)
from archbuilder.plugin.registry import PythonBlock

_NOTHING: Final[Mapping[str, Any]] = {}
_FIRST_STRIDE_ONLY: Final[Mapping[str, Any]] = {"stride": 1}
"""What is fixed in later repeats: the stride belongs to the first."""

# ---- steps ----------------------------------------------------------------------------------------------------------


def lower_body(lowering: Lowering, body: BodyPlan, frame: Frame) -> None:
    """Lowers the steps of a body into the frame."""
    number, frame.steps = 0, body.steps
    for plan in body.steps:
        number += lower_step(lowering, plan, frame, str(number) if body.listed else None)


def lower_step(lowering: Lowering, plan: StepPlan, frame: Frame, name: str | None = None) -> bool:
    """Lowers one step, under its own name or another one; whether it takes a number in a list."""
    name = name or plan.name
    try:
        if plan.loop is not None:
            _lower_loop(lowering, plan, plan.loop, frame)
            return True
        if plan.is_nothing:
            return False
        if type(name) is not str:
            name = str(lowering.evaluate(name, frame, plan.name_place))
        if not plan.is_broken:
            return _lower_present(lowering, plan, name, frame)
    except GiveUp:
        pass  # reported; what depends on the step's value stays silent
    frame.current = frame.values.poison(str(name))
    return True


def _lower_present(lowering: Lowering, plan: StepPlan, name: str, frame: Frame) -> bool:
    """Lowers a step if it is there, and hands on what it takes if not; whether it takes a number in a list."""
    present = plan.when is True or is_present(lowering, plan, frame)
    target = target_of(lowering, plan, frame) if present else None
    if target is None:
        return _leave_out(lowering, plan, name, frame)
    takes_values, in_slots = (target.plan.takes_values, target.in_slots) if isinstance(target, Target) else (True, ())
    if isinstance(target, Target) and target.plan.misses_a_word:
        resolve(lowering, target, frame, UNKNOWN)
    if not takes_values and plan.inputs is not None:
        refuse_word(lowering, "from", "here: this step takes no value", plan, frame)
    inputs = inputs_of(lowering, plan, frame) if takes_values else ()
    if POISON in inputs:
        _check_all_the_same(lowering, plan, name, target, frame)
        raise GiveUp
    site = frame.site(plan, name, inputs, in_slots)
    value = _lower_use(lowering, site, target) if isinstance(target, Target) else _lower_own(lowering, site, target)
    frame.values[name] = value
    if plan.output is not None:
        note_output(lowering, site, value, plan.output)
    elif inputs:  # what takes nothing stands beside the chain, as a further output does
        frame.current = value
    return True


def _leave_out(lowering: Lowering, plan: StepPlan, name: str, frame: Frame) -> bool:
    """A step that is left out hands on its first input. In a list later steps move up, unless `else` keeps its place."""
    inputs = inputs_of(lowering, plan, frame, first_only=True)
    if POISON in inputs:
        raise GiveUp
    stays, site = plan.step.else_ is not None, frame.site(plan, name, inputs)
    missing = _path_not_dropped(lowering, plan, frame)
    frame.values[name] = value = add_stand_in(lowering, site, stays=stays, missing=missing)
    if plan.output is None:  # a further output stands beside the chain
        frame.current = value
    return stays


def _path_not_dropped(lowering: Lowering, plan: StepPlan, frame: Frame) -> Op | None:
    """What a step that is left out would do, if it would drop a path: its block counts where rates grow from block to block."""
    definition = lowering.library.find(plan.block) if type(plan.block) is str else None
    if definition is None or definition.op is None or not definition.op.drops_path:
        return None
    target = target_of(lowering, plan, frame)
    if not isinstance(target, Target):
        return None
    op = definition.op.resolve(read_values(lowering, target, frame, UNKNOWN).values, ())
    return None if op.does_nothing else op


def _check_all_the_same(
    lowering: Lowering, plan: StepPlan, name: str, target: Target | Slot | BodyPlan, frame: Frame
) -> None:
    """Reports what is wrong in a step although nothing is known of what goes into it."""
    if name not in frame.rename:
        check_name(lowering, name, frame, plan.name_place)
    if plan.depth is not None:
        depth_of(lowering, plan, frame)
        frame = frame.with_variable("repeat", 0)
    if isinstance(target, Target):
        resolve(lowering, target, frame, UNKNOWN)
    elif isinstance(target, BodyPlan):
        builder = Builder(frame.builder.input)
        apart = Frame(builder, frame.scope, frame.defaults, POISON, frame.used_at, frame.block, frame.used_block)
        lower_body(lowering, target, apart)


# ---- loops ----------------------------------------------------------------------------------------------------------


def _lower_loop(lowering: Lowering, plan: StepPlan, loop: Loop, frame: Frame) -> None:
    body = plan.body if isinstance(plan.body, BodyPlan) else BodyPlan((), listed=False)
    numbers = None if plan.is_broken else turns_of(lowering, plan, loop, frame)
    if numbers is None:  # reported
        poison(body, frame)
        return
    frame.builder.loops.append(len(numbers))
    if not numbers:
        lowering.note_absent(plan, frame)
        check_left_out(lowering, plan, frame)
    for number in numbers:
        lowering.count(frame, plan.place)  # a turn takes time, whatever it makes
        inner = frame.with_variable(loop.variable, number, Turn(loop.header, loop.variable, number))
        lower_body(lowering, body, inner)
        frame.current = inner.current


# ---- steps with a body of their own ---------------------------------------------------------------------------------


def _lower_own(lowering: Lowering, site: Site, body: Slot | BodyPlan) -> Value:
    """A step with steps of its own: a child module, or with `inline` children of this one."""
    plan, _, frame, _, _ = site
    step = plan.step
    if step.arguments:
        report_beside_body(lowering, step, frame)
        _check_all_the_same(lowering, plan, site.name, body, frame)
        raise GiveUp
    if step.inline:
        for word in ("rename", "register"):
            refuse_word(lowering, word, "beside `inline`: the children belong to the enclosing block", plan, frame)
        return _lower_inline(lowering, body, only_input(lowering, site), frame)
    if plan.depth is not None:
        return _lower_repeats(lowering, site, body)
    return add_graph(lowering, site, _lower_unnamed(lowering, plan, body, site.shape(), frame), ())


def _lower_inline(lowering: Lowering, body: Slot | BodyPlan, value: Value, frame: Frame) -> Value:
    """Lowers steps into the graph at hand."""
    values = Steps()
    is_slot = isinstance(body, Slot)
    for steps, scope in layers_of(lowering, body) if isinstance(body, Slot) else [(body, frame.scope)]:
        inner = Frame(
            frame.builder, scope or frame.scope, frame.defaults, value, frame.used_at, frame.block, frame.used_block,
            values, frame.rename, frame.rules, frame.numbering, inlined=True, own=frame.own and not is_slot,
            repeat=frame.repeat,
        )  # fmt: skip
        lower_body(lowering, steps, inner)
        value = inner.current
    if value == POISON:
        raise GiveUp
    return value


def _lower_unnamed(lowering: Lowering, plan: StepPlan, body: Slot | BodyPlan, shape: Shape, frame: Frame) -> Graph:
    """The graph of a body that is no block's."""
    rename = new_names(plan.step)
    inner = Frame(
        Builder(shape), frame.scope, frame.defaults, OUTER, frame.used_at, frame.block, frame.used_block,
        rename=rename, rules=frame.rules, own=frame.own, repeat=frame.repeat,
    )  # fmt: skip
    with lowering.inside(frame, plan.place):
        if isinstance(body, Slot):
            inner.current = _lower_inline(lowering, body, OUTER, inner)
        else:
            lower_body(lowering, body, inner)
    if inner.current == POISON:
        raise GiveUp
    listed = isinstance(body, BodyPlan) and body.listed
    words = Words(rename, tuple(plan.step.register_ or ()))
    check_words(lowering, words, inner, frame, (plan,), listed=listed)
    return graph_of_body(inner, listed=listed, register=words.register)


# ---- uses -----------------------------------------------------------------------------------------------------------


def _lower_use(lowering: Lowering, site: Site, target: Target) -> Value:
    """A use of an op or of a block."""
    plan, frame = site.plan, site.frame
    op = target.plan.definition.op
    if op is not None and plan.says_names and type(plan.block) is str:  # an op has no children that could be named
        for word in ("rename", "register", "inline"):
            refuse_word(lowering, word, f"on `{target.plan.name}`, which has no steps inside", plan, frame)
    if plan.depth is not None:
        return _lower_repeats(lowering, site, target)
    if op is not None:
        return _lower_op(lowering, site, target, op)
    if plan.step.inline:
        value, use = _lower_block_inline(lowering, site, target)
        if frame.builder is lowering.root:
            lowering.inline[site.name] = Made(site, (use,))
        return value
    graph, use = _call(lowering, site.plan, target, frame, site.shape(), _NOTHING)
    return add_graph(lowering, site, graph, (use,))


def _lower_op(lowering: Lowering, site: Site, target: Target, op_type: type[Op]) -> Value:
    """A use of an op: one node, without a body where the op would do nothing."""
    plan, _, frame, inputs, _ = site
    shapes = tuple(map(frame.builder.shape_of, inputs))
    use = use_of_op(lowering, target, op_type, frame, shapes[0] if shapes else None)
    op, shape = apply_op(lowering, op_type, use, site, shapes)
    left_out = op.does_nothing
    child = name_child(lowering, site, claim=not left_out and not (frame.inlined and not op.is_module))
    if op.holds_tensor and not child.isidentifier():
        is_listed, is_numbered = plan.name_place == plan.place, frame.numbering is not None
        message, help = no_name_of_tensor(op_type.name, child, is_listed, is_numbered)
        lowering.error(frame, "bad-name", message, plan.name_place, help)
        raise GiveUp
    lowering.count(frame, plan.place)
    if left_out:
        node = Node(child, None, inputs, shape, plan.place, origin=site.origin)
    else:
        node = plain_node(child, op, inputs, shape, plan.place, site.origin)
    return add_node(lowering, site, node, (use,))


def _call(
    lowering: Lowering,
    plan: StepPlan,
    target: Target,
    frame: Frame,
    shape: Shape,
    fixed: Mapping[str, Any],
) -> tuple[Graph, Use]:
    """The graph of a block for a use and an input, the same one for equal calls; and the use.

    Raises:
        GiveUp: if something in it is wrong; all of it is reported.
    """
    use = resolve(lowering, target, frame, shape, fixed)
    words, repeat = words_of(use), frame.repeat if use.defaults.numbered else None
    around, sizes = lowering.sizes, Sizes(lowering.sizes.coming(of_call=True))
    key = (target.plan.definition, tuple(use.values.values()), use.defaults, shape, words.identity, repeat, sizes.usual)
    call = lowering.calls.get(key)
    if call is None:
        call, lowering.sizes = lowering.calls.setdefault(key, Call(use, sizes)), sizes
        with suppress(GiveUp):  # reported; equal calls stay silent
            call.graph = _lower_block(lowering, plan, use, shape, words)
        call.is_open, lowering.sizes = False, around
    elif call.is_open:
        message = f"the block `{target.plan.name}` uses itself"
        help = "use another block here, or let it end: count a parameter down and say `when`"
        lowering.error(frame, "endless-block", message, plan.step.place_at("block"), help)
    around.found.append(call.sizes)
    if call.graph is None:
        raise GiveUp
    return call.graph, use


def _lower_block(lowering: Lowering, plan: StepPlan, use: Use, shape: Shape, words: Words) -> Graph:
    """The graph of a block."""
    inner = frame_of_block(lowering, use, Builder(shape), OUTER)
    inner.rename = words.rename
    with lowering.inside(use.frame, plan.place):
        _fill(lowering, use, inner)
    definition = use.plan.definition.definition
    listed = isinstance(definition, BlockDefinition) and isinstance(definition.body, list)
    check_words(lowering, words, inner, use.frame, use.plan.steps, listed=listed)
    if inner.current == POISON:
        raise GiveUp
    check_register(lowering, definition, inner)
    return graph_of_block(lowering, use, inner, words.register)


def _lower_block_inline(lowering: Lowering, site: Site, target: Target) -> tuple[Value, Use]:
    """Lowers a block's steps into the graph at hand; the value that they give, and the use."""
    plan, frame, value = site.plan, site.frame, only_input(lowering, site)
    builder = frame.builder
    use = resolve(lowering, target, frame, builder.shape_of(value))
    inner = frame_of_block(lowering, use, builder, value)
    words = words_of(use)
    inner.rename = {**frame.rename, **words.rename}
    inner.numbering, inner.inlined, inner.own = frame.numbering, True, False
    if words.register:
        message = "`register` has no effect beside `inline`: the children belong to the enclosing block"
        lowering.error(frame, "no-effect", message, plan.step.place_at("register"), "remove it")
    with lowering.inside(frame, plan.place):
        _fill(lowering, use, inner)
    check_words(lowering, words._replace(register=()), inner, frame, use.plan.steps, listed=False)
    if inner.current == POISON:
        raise GiveUp
    return inner.current, use


def _fill(lowering: Lowering, use: Use, inner: Frame) -> None:
    """Lowers what a block consists of into a frame."""
    definition = use.plan.definition.definition
    if isinstance(definition, PythonBlock):
        from archbuilder.lowering.python import run_function

        names = run_function(lowering, definition, inner, lower_step)
        give([value for name in names for value in find_values(name, inner) or ()], definition.place, inner)
    elif use.plan.definition.body is not None:
        lower_body(lowering, use.plan.definition.body, inner)
        if isinstance(definition, BlockDefinition) and definition.return_ is not None:
            give_returned(lowering, definition, inner)


# ---- repeats --------------------------------------------------------------------------------------------------------


def _lower_repeats(lowering: Lowering, site: Site, target: Target | Slot | BodyPlan) -> Value:
    """A step with `depth`: an `nn.Sequential` of that many repeats, or with `sequential` as many children of this module."""
    plan, frame = site.plan, site.frame
    uses: list[Use] = []
    runs = _runs(lowering, site, target, uses)
    if frame.numbering is not None:
        if plan.step.names is not None:
            message = "`names` has no effect beside `sequential`, which numbers the repeats"
            place, weak = plan.step.place_of_key("names"), plan.step.is_weak("names")
            lowering.error(frame, "no-effect", message, place, "remove one of them", weak=weak)
        return add_numbered(lowering, site, runs, tuple(uses), frame.numbering)
    depth = sum(run.count for run in runs)
    block = target.plan.name if isinstance(target, Target) else None
    names = names_of_repeats(lowering, site, block, depth)
    lowering.count(frame, plan.place, len(names))
    return add_graph(lowering, site, sequence_of(runs, site, names), tuple(uses), repeats=depth)


def _runs(lowering: Lowering, site: Site, target: Target | Slot | BodyPlan, uses: list[Use]) -> list[Repeats]:
    """The repeats of a step, equal neighbours together; notes the uses that were lowered.

    From the second repeat on all are equal, if that keeps the shape and nothing speaks of the repeat's number: then no
    more than two are lowered, however many there are.
    """
    plan, frame = site.plan, site.frame
    depth = depth_of(lowering, plan, frame)
    if frame.rules is not None and frame.rules.depth is not None:
        depth = frame.rules.depth(depth)
        frame.rules.used.add("depth")
    numbered = frame.defaults.numbered or mentions(plan.step, "repeat")
    runs: list[Repeats] = []
    shape, made = site.shape(), 0
    while made < depth:
        lowering.count(frame, plan.place)
        repeat = site._replace(frame=frame.with_variable("repeat", made))
        body, after = _lower_repeat(lowering, repeat, target, shape, made, uses)
        count = depth - made if made > 0 and not numbered and after == shape else 1
        if runs and (runs[-1].body is body or (isinstance(body, Op) and runs[-1].body == body)):
            runs[-1].count += count
        else:
            runs.append(Repeats(body, after, count))
        shape = after
        made += count
    return runs


def _lower_repeat(
    lowering: Lowering, site: Site, target: Target | Slot | BodyPlan, shape: Shape, number: int, uses: list[Use]
) -> tuple[Op | Graph, Shape]:
    """One repeat, and what comes out of it."""
    plan, frame = site.plan, site.frame
    if not isinstance(target, Target):
        graph = _lower_unnamed(lowering, plan, target, shape, frame)
        return graph, graph.output_shape
    definition = target.plan.definition
    fixed = _FIRST_STRIDE_ONLY if number and "stride" in definition.parameters else _NOTHING
    if definition.op is None:
        graph, use = _call(lowering, plan, target, frame, shape, fixed)
        uses.append(use)
        return graph, graph.output_shape
    use = resolve(lowering, target, frame, shape, fixed)
    uses.append(use)
    alone = Frame(Builder(shape), frame.scope, frame.defaults, OUTER, frame.used_at, frame.block)
    return apply_op(lowering, definition.op, use, site._replace(frame=alone, inputs=(OUTER,)), (shape,))
