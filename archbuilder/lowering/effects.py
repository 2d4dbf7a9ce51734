"""What is said and has no effect: keys that a block does not take, knobs that reach nothing, steps that nothing reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from archbuilder.diagnostics import MAXIMUM_DIAGNOSTICS, Reporter, nearest, note_at, suggest
from archbuilder.graph.graph import Graph, Tap, graphs_in
from archbuilder.graph.op import Op
from archbuilder.language.formula import Formula
from archbuilder.language.habits import advice_for_parameter, advice_for_part
from archbuilder.language.idle import report_unused_blocks, report_unused_parameters
from archbuilder.language.models import Architecture, BlockDefinition, Step
from archbuilder.language.rules import Numbering, Rules
from archbuilder.language.spoken import asks_for, names_in
from archbuilder.language.table import texts_in
from archbuilder.lowering.frame import Builder, Frame, Use
from archbuilder.lowering.lowering import Lowering
from archbuilder.lowering.plans import UsePlan
from archbuilder.parameters import SLOTS

_NOTHING: Final[Mapping[str, str]] = {}
_FLAG: Final = ((), (True, False))
"""The values of what is no flag, as far as they are known, and of what is one."""

# ---- keys of a use --------------------------------------------------------------------------------------------------


def report_keys(lowering: Lowering, plan: UsePlan, frame: Frame) -> None:
    """Reports the keys of a use that mean nothing, and what is wrong in the defaults that it gives."""
    for key, place, first in plan.twice:
        message = f"`{key}` of `{plan.name}` is set by `{frame.block}` itself"
        notes = note_at(f"`{frame.block}` sets it here", first)
        lowering.error(frame, "fixed-parameter", message, place, "remove it", notes)
    for step, keys in plan.unknown:
        words = [*plan.definition.parameters, *Step.KEYS]
        if type(step.block) is Formula and not all(nearest(key, words) for key in keys[:MAXIMUM_DIAGNOSTICS]):
            _report_misfit(lowering, plan.name, keys, step, frame)
        else:
            _report_unknown(lowering, plan, keys, step, frame)
    for fault in plan.faults:
        lowering.error(frame, *fault)


def _report_unknown(lowering: Lowering, plan: UsePlan, keys: list[str], step: Step, frame: Frame) -> None:
    """A use has keys that are no parameters of its block."""
    parameters, blocks = plan.definition.parameters, lowering.library.names()
    words, steps = [*parameters, *Step.KEYS], getattr(plan.definition.definition, "body", ())
    slots = [name for name, parameter in parameters.items() if parameter.type in SLOTS]
    for key in keys[:MAXIMUM_DIAGNOSTICS]:
        help = advice_for_parameter(key, parameters) or advice_for_part(key, blocks, slots)
        if step.from_ and step.arguments[key] is None:  # `from: a, b`, which YAML ends at the comma
            help = f"write the names as a list: `from: [{', '.join([*map(str, step.from_), key])}]`"
        if not help and isinstance(steps, dict) and key in steps:
            help = f"to change a step inside `{plan.name}`, make a block of your own that says `extends: {plan.name}`"
        # A block that is nearest may be one whose parameters it was to set inside.
        near = None if help else nearest(key, words) or nearest(key, blocks)
        help = help or (f"did you mean `{near}`?" if near else suggest(key, parameters) or "remove it")
        message = f"`{plan.name}` has no parameter `{key}`"
        notes = lowering.library.notes_on(plan.name)
        # Of a block of the user's own it may be the declaration that is misspelt: once, whoever speaks of it.
        cause = (plan.name, key) if plan.name in lowering.library.own else None
        lowering.error(frame, "unknown-parameter", message, step.place_of_key(key), help, notes, cause)


def report_beside_body(lowering: Lowering, step: Step, frame: Frame) -> None:
    """A step with a body has keys that are no words of a step: there is no block whose parameters they could be."""
    for key in list(step.arguments)[:MAXIMUM_DIAGNOSTICS]:
        message, near = f"`{key}` has no meaning beside `body`", nearest(key, [*Step.KEYS, *lowering.library.names()])
        help = f"did you mean `{near}`?" if near in Step.KEYS else "remove it"
        if near is not None and lowering.library.find(near) is not None:
            help = "defaults are said of uses of blocks: of those in `body`, or of one block that is made of it, in `blocks`"
        lowering.error(frame, "unknown-parameter", message, step.place_of_key(key), help)


def _report_misfit(lowering: Lowering, name: str, unknown: list[str], step: Step, frame: Frame) -> None:
    """The block in a slot does not take what the body that has the slot tells it."""
    library = lowering.library
    missing = " and no ".join(f"`{key}`" for key in unknown)
    slot = min(step.block.names) if isinstance(step.block, Formula) else ""
    message = f"`{name}` cannot be the `{slot}` of `{frame.block}`: it has no {missing}"
    around = library.find(frame.block)
    usual = around.parameters[slot].default if around is not None and slot in around.parameters else None
    fitting = [each for each in library.names() if _takes(lowering, each, step.arguments)]
    fitting.sort(key=lambda each: (each != usual, _count_of_parameters(lowering, each)))
    help = f"blocks that have them: {', '.join(fitting[:5])}, ..." if fitting else None
    origin = frame.scope.origin(slot)
    place = origin if origin is not None and not origin.source.shipped else step.place_at("block")
    notes = note_at(f"`{frame.block}` uses it here", step.place) if place is origin else ()
    lowering.error(frame, "bad-slot", message, place, help, notes)


def _count_of_parameters(lowering: Lowering, block: str) -> int:
    """How much a block can be told: what can be told little more than a slot tells is made for it."""
    definition = lowering.library.find(block)
    return len(definition.parameters) if definition is not None else 0


def _takes(lowering: Lowering, block: str, told: Mapping[str, Any]) -> bool:
    """Whether a block takes what it is told, and needs no more."""
    definition = lowering.library.find(block)
    parameters = definition.parameters if definition is not None else {}
    return told.keys() <= parameters.keys() and all(
        key in told for key, parameter in parameters.items() if parameter.required
    )


# ---- values of a use ------------------------------------------------------------------------------------------------


def report_idle_values(lowering: Lowering, use: Use) -> None:
    """Refuses what the use says and what means nothing beside the rest; notes which defaults were of use."""
    plan = use.plan
    for other, key in _overruled(use) if plan.definition.spoken else ():
        told = plan.told.get(other)
        place = told.place if told is not None else use.settings[other].plan.key_place
        message = f"`{other}` of `{plan.name}` has no effect beside `{key}`"
        weak = told is not None and plan.steps[told.level].step.is_weak(other)
        lowering.error(use.frame, "no-effect", message, place, "give one of them", weak=weak)
    op = plan.definition.op
    idle = op.idle(use.values) if op is not None else _NOTHING
    for key, setting in use.settings.items():
        if not setting.used and key in use.values and key not in plan.told and key not in idle:
            setting.mark_used()
    for key in idle:
        if op is not None and key in plan.told and not _is_up_to_others(use, op, key):
            message, told = f"`{key}` of `{plan.name}` has no effect {idle[key]}", plan.told[key]
            weak = plan.steps[told.level].step.is_weak(key)
            lowering.error(use.frame, "no-effect", message, told.place, "remove it", weak=weak)


def _is_up_to_others(use: Use, op: type[Op], key: str) -> bool:
    """Whether a value has an effect beside another value of what is computed, or not said, where that may be otherwise: in
    another turn, or in another use of the block, if it is the block itself that says it."""
    told, scope = use.plan.told, use.frame.scope
    is_once = scope.use is None and not scope.turns and use.frame.repeat is None
    if is_once or (scope.use is not None and any(map(scope.origin, names_in(told[key].value)))):
        return False
    free = [each for each in op.parameters if each.name not in told or type(told[each.name].value) is Formula]
    others = [(each.name, value) for each in free for value in each.choices or _FLAG[each.type == "bool"]]
    return any(name != key and key not in op.idle({**use.values, name: value}) for name, value in others)


def _overruled(use: Use) -> list[tuple[str, str]]:
    """The parameters that have no effect beside another one that is said as near, or nearer; each with that one.

    What a default says gives way to what the use says, and what a base said to all that this file says.
    """
    told, definition = use.plan.told, use.plan.definition
    taken = {key: each for key, each in use.settings.items() if key in definition.parameters and key not in told}
    if not taken:
        return list(use.plan.overruled)
    return [
        (other, key)
        for other, key in definition.overruled({*told, *taken})
        if (key in told and other in told)
        or (key in taken and not taken[key].plan.weak and (other in told or not taken[other].plan.weak))
    ]


# ---- a whole network ------------------------------------------------------------------------------------------------


def report_unused(lowering: Lowering, architecture: Architecture, rules: Rules, numbering: Numbering | None) -> None:
    """Reports each knob of a network that is right, and has no effect, where this file wrote it."""
    reporter = lowering.reporter
    reporter.add(lowering.library.unused.diagnostics)
    # One text may be used several times, in repeats for example: it has an effect if it has one in any of them.
    useful = {setting.plan.text for setting in lowering.settings if setting.used}
    idle = {each.plan: each for each in lowering.settings if not each.plan.open and each.plan.text not in useful}
    # A block may be used otherwise; of the network's own steps those may be there that a spec's own `when` leaves out.
    absent = [_named_in_absent(lowering, shipped=shipped) for shipped in (False, True)] if idle else []
    for plan, setting in idle.items():
        if plan.block not in absent[setting.scope.use is not None]:
            message = f"`{plan.parameter}` of `{plan.block}` has no effect: no use of `{plan.block}` here takes it"
            help = "remove it; a value that a use or a block's own body writes is stronger than a default"
            lowering.told(weak=plan.weak).error("no-effect", message, plan.key_place, help=help)
    _report_idle_scale(lowering, architecture, rules)
    is_idle = numbering is not None and numbering.count == 0
    if is_idle and not any(builder is lowering.root for _, builder in lowering.absent):
        message = "`sequential` has no effect: there is no step in `stem`, `stages` or `neck` to number"
        told = lowering.told(weak=architecture.is_weak("sequential"))
        told.error("no-effect", message, architecture.place_of_key("sequential"), help="remove it")
    _report_numbered(lowering, architecture, numbering.steps if numbering is not None else set())
    report_unused_parameters(architecture, reporter, lowering.idle)
    report_unused_blocks(architecture, lowering.library.own, reporter, lowering.idle)


def _report_numbered(lowering: Lowering, architecture: Architecture, numbered: set[str]) -> None:
    """Reports names of modules for steps that `sequential` numbers."""
    for word, names in (("rename", architecture.rename), ("register", architecture.register_)):
        for number, name in enumerate(names or ()):
            if name in numbered:
                message = f"`{word}` has no effect on `{name}`, which `sequential` numbers"
                place = architecture.place_inside(word, name if word == "rename" else number)
                lowering.told(weak=architecture.is_weak(word)).error("no-effect", message, place, help="remove it")


def _named_in_absent(lowering: Lowering, *, shipped: bool) -> set[str]:
    """What the steps name that are left out, those of shipped blocks too where `shipped`, and what is named in what they name."""
    plans = dict.fromkeys(plan for plan, _ in lowering.absent if shipped or not plan.shipped)
    words = texts_in([plan.step.table for plan in plans])
    left = list(words)
    while left:
        plan = lowering.library.find(left.pop())
        own = plan.definition if plan is not None else None
        found = texts_in(own.table) if isinstance(own, BlockDefinition) else set()
        left += found - words
        words |= found
    return words


def _report_idle_scale(lowering: Lowering, architecture: Architecture, rules: Rules) -> None:
    """Multipliers that have nothing to multiply."""
    scale = architecture.scale
    for word, rule in (("width", rules.width), ("depth", rules.depth)):
        if scale is not None and rule is not None and word not in rules.used:
            message = f"this multiplier has no effect: no step of `stem` and `stages` says `{word}`"
            help = "remove it, or say there what is to be multiplied"
            told = lowering.told(weak=architecture.is_weak("scale") or scale.is_weak(word))
            told.error("no-effect", message, scale.place_of_key(word), help=help)


def report_unknown_names(architecture: Architecture, frame: Frame, reporter: Reporter) -> None:
    """Reports names in a network's `rename` and `register` that none of its steps has."""
    new = (architecture.rename or {}).values()
    for word, names in (("rename", architecture.rename), ("register", architecture.register_)):
        for number, name in frame.unknown(names or (), new):
            place = architecture.place_inside(word, name if word == "rename" else number)
            help = suggest(name, [*frame.known(), *new] if word == "register" else frame.known())
            reporter.error("unknown-step", f"there is no step `{name}` to {word}", place, help=help)


def report_idle_steps(lowering: Lowering, network: Graph, taps: Sequence[Tap]) -> None:
    """Reports each step of the user's own that changes nothing: a mistake in the wiring, mostly a `from` that is missing.

    Args:
        lowering: is told, and knows what the steps that are left out would take.
        network: the network, with the blocks that it uses.
        taps: the feature maps that its spec asks for.
    """
    wanted = [network.output, *(output.value for output in network.outputs), *(tap.value for tap in taps)]
    absent: dict[Builder, list[Step]] = {}
    for plan, builder in lowering.absent:
        absent.setdefault(builder, []).append(plan.step)

    @cache
    def asks_in(builder: Builder) -> Callable[[str], bool]:
        """What the steps say that are left out of a body."""
        return asks_for(absent.get(builder, ()))

    others = [lowering.made.get(node) for node in network.nodes if node.body is None]  # outputs that are left out, too
    wanted += [made.site.inputs[0] for made in others if made is not None and made.site.plan.output is not None]
    for graph in graphs_in(network):
        own = {
            number  # of a step that is there, and was not written by this project
            for number, node in enumerate(graph.nodes)
            if node.body is not None and (node.place is None or not node.place.source.shipped)
        }
        idle = graph.unneeded(wanted if graph is network else [graph.output]) if own else own
        for number in sorted(own & idle):
            node = graph.nodes[number]
            made = lowering.made.get(node)
            if made is not None and asks_in(made.site.frame.builder)(made.site.name):
                continue
            message = f"`{node.shown_names()[0]}` has no effect: nothing takes its value"
            ways = "list it in `features`, say `output`, " if graph is network else ""
            help = f"name it in the `from` of a later step, {ways}or remove it"
            lowering.reporter.error("no-effect", message, node.place, help=help)
