"""Which values a step takes and gives, what the names of values mean, and how often a step stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, NoReturn

from archbuilder.diagnostics import Place, nearest, note_at, suggest
from archbuilder.graph.graph import Node, Output, Value
from archbuilder.graph.shapes import Streams
from archbuilder.graph.table import GATHER
from archbuilder.language.dotted import number_in
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition, Loop
from archbuilder.language.table import value_place
from archbuilder.language.values import MAXIMUM_REPEATS
from archbuilder.lowering.frame import POISON, Frame, Site, Slot
from archbuilder.lowering.lowering import GiveUp, Lowering
from archbuilder.lowering.plans import BodyPlan, StepPlan
from archbuilder.lowering.uses import check_left_out
from archbuilder.parameters import describe

_PART: Final = re.compile(r"\.(-?[0-9]+|\*)\Z")


def inputs_of(lowering: Lowering, plan: StepPlan, frame: Frame, *, first_only: bool = False) -> tuple[Value, ...]:
    """The values that a step takes.

    Raises:
        GiveUp: if it names one that there is not; that is reported.
    """
    if plan.inputs is None:
        return (frame.current,)
    found: list[Value] = []
    names: Sequence[Any] = ()
    for number, written in enumerate(plan.inputs):
        name: Any = written
        if first_only and number and (type(written) is Formula or "." in written):
            continue  # it may be there in another turn
        if type(written) is Formula:
            name = lowering.evaluate(written, frame, _place_of_input(plan, number))
        names = name if isinstance(name, (list, tuple)) and name else [name]
        for each in names:
            if not isinstance(each, str):
                _report_no_name(lowering, plan, number, name, frame)
                raise GiveUp
            values = find_values(each, frame)
            if values is None:
                _report_no_step(lowering, plan, number, each, frame)
            found += values if values and not (first_only and number) else []
        if len(found) > MAXIMUM_REPEATS:
            message = f"a step takes at most {MAXIMUM_REPEATS:,} values"
            lowering.error(frame, "too-large", message, _place_of_input(plan, number))
            raise GiveUp
    if not found and not first_only:  # each step of the names is left out
        _report_no_step(lowering, plan, len(plan.inputs) - 1, names[-1], frame)
    lowering.count_taken(frame, plan.place, len(found))
    return tuple(found) or (frame.current,)


def _report_no_step(lowering: Lowering, plan: StepPlan, number: int, name: str, frame: Frame) -> NoReturn:
    message, help = f"there is no step `{name}` before this one", partial(_advice_for_input, plan, name, frame)
    cause = (frame.block, _PART.sub("", name))
    lowering.error(frame, "unknown-step", message, _place_of_input(plan, number), help, cause=cause)
    raise GiveUp


def _advice_for_input(plan: StepPlan, name: str, frame: Frame) -> str | None:
    if name == plan.name:
        return "this is the step itself: name the one whose value it takes"
    if any(each.name == name and not each.is_nothing for each in frame.steps):
        return f"`{name}` is written further down: move it up, before this step"
    return advice_for(name, frame)


def _report_no_name(lowering: Lowering, plan: StepPlan, number: int, value: Any, frame: Frame) -> None:
    written = (plan.inputs or [])[number]
    advice = f"write {str(written).removeprefix('$')}, without the `$`"
    if type(value) in (int, float, bool):
        advice = "name a step; a part of what one gives is `step.0`"
    if isinstance(value, Slot):
        advice = f"use it in a step of its own, {{block: {written}}}, and name that"
    message = f"`from` takes names of steps, got {describe(value)}"
    lowering.error(frame, "bad-value", message, _place_of_input(plan, number), advice)


def _place_of_input(plan: StepPlan, number: int) -> Place | None:
    """Where the name of one of a step's inputs is written."""
    step = plan.step
    listed = step.table.get("from") if step.table is not None else None
    return value_place(listed, number) or step.place_at("from")


def only_input(lowering: Lowering, site: Site) -> Value:
    """The one value that a step takes which stands inline.

    Raises:
        GiveUp: if it takes several; that is reported.
    """
    if len(site.inputs) != 1:
        message = f"inline steps take one value, got {len(site.inputs)}"
        lowering.error(site.frame, "bad-input", message, site.plan.step.place_at("from"))
        raise GiveUp
    return site.inputs[0]


def refuse_word(lowering: Lowering, word: str, why: str, plan: StepPlan, frame: Frame) -> None:
    """Reports a word of a step that means nothing where it stands."""
    step = plan.step
    said = {"from": step.from_, "rename": step.rename, "register": step.register_, "inline": step.inline}
    if said[word]:
        message = f"`{word}` has no effect {why}"
        lowering.error(frame, "no-effect", message, step.place_of_key(word), "remove it")


def find_values(name: str, frame: Frame) -> list[Value] | None:
    """The values that a name stands for; None if there are none.

    `conv1` is a step's value, `input` the body's own; `parts.0` a part of a value (`parts.-1` the last), or the step of
    that name; `acts.*` all parts, or all steps of these names in order, without those that are left out.
    """
    value = _value_called(name, frame)
    if value is not None:
        return [value]
    if frame.values.may_have(name):
        return [POISON]
    if name == "*":
        return list(frame.values.values()) or None
    whole, dot, part = name.rpartition(".")
    if part == "*":
        steps = frame.steps_in(whole)
        return _parts(whole, frame) if steps is None else [frame.values[each] for each in steps]
    number = number_in(part)
    if not dot or number is None or frame.is_inside(whole, part):
        return None
    steps = frame.steps_in(whole) if number < 0 else None
    if steps:
        value = frame.values[steps[max(number, -len(steps))]]
        return [value] if value == POISON or number >= -len(steps) else None
    parts = _parts(whole, frame)
    if parts is None or parts == [POISON]:
        return parts
    return [parts[number]] if -len(parts) <= number < len(parts) else None


def advice_for(name: str, frame: Frame, others: Iterable[str] = ()) -> str | None:
    """What to write instead of a name that stands for nothing, where there are those of steps, and others."""
    whole, _, part = name.rpartition(".")
    parts = _parts(whole, frame) if whole else None
    known = ["input", *(each for each in frame.values if each not in ("?", "")), *others]
    prefixes = dict.fromkeys(each.rpartition(".")[0] for each in known if "." in each)
    if part == "*" and whole in prefixes:
        return f"each step of `{name}` is left out here; say `when` of this one too"
    if parts and parts != [_value_called(whole, frame)]:
        return f"`{whole}` has {len(parts)} parts, {whole}.0 to {whole}.{len(parts) - 1}"
    if whole and _value_called(whole, frame) is not None:
        return f"`{whole}` is one value; only what `split` gives has parts" if part.isdigit() else f"write `{whole}`"
    is_part = part == "*" or number_in(part) is not None
    near = nearest(whole, [*known, *prefixes]) if whole and is_part else None
    return f"did you mean `{near}.{part}`?" if near is not None else suggest(name, known)


def _value_called(name: str, frame: Frame) -> Value | None:
    """The value of the step of this name, or the body's own `input`; None if there is no such step."""
    return frame.input if name == "input" else frame.values.get(name)


def _parts(name: str, frame: Frame) -> list[Value] | None:
    value = _value_called(name, frame)
    if value is None:
        return None
    if value == POISON:
        return [POISON]
    shape = frame.builder.shape_of(value)
    if not isinstance(shape, Streams):
        return [value]  # one value is a list of one
    known = frame.builder.parts
    if value not in known:
        known[value] = [Value(value.node, number) for number in range(len(shape))]
    return known[value]


# ---- what it gives --------------------------------------------------------------------------------------------------


def note_output(lowering: Lowering, site: Site, value: Value, output: str) -> None:
    """A further output of the network."""
    plan, name, frame, _, _ = site
    if frame.block or frame.builder is not lowering.root:
        message = "`output` is for steps of the network itself, not inside a block"
        help = "say it of the step of the network that takes the value"
        lowering.error(frame, "bad-output", message, plan.step.place_at("output"), help)
        raise GiveUp
    if not name.isidentifier() or name.startswith("_") or name in ("output", "Tensor"):
        message = f"an output cannot be called `{name}`: it is a field of a named tuple, beside `output`"
        help = "call the step by a word of letters, digits and underscores that begins with a letter"
        lowering.error(frame, "bad-name", message, plan.name_place, help)
        raise GiveUp
    lowering.outputs.append(Output(name, value, output == "always"))


def give_returned(lowering: Lowering, definition: BlockDefinition, inner: Frame) -> None:
    """Makes the values that a block says it returns its output."""
    found: list[Value] = []
    for number, name in enumerate(definition.return_ or ()):
        values = find_values(str(name), inner)
        if not values:
            place = definition.place_inside("return", number)
            message = f"there is no step `{name}` to return"
            lowering.error(inner, "unknown-step", message, place, partial(advice_for, str(name), inner))
            values = [POISON]
        found += values
    give(found, definition.place, inner)


def give(found: list[Value], place: Place | None, inner: Frame) -> None:
    """Makes values the output of a body: several as a list of streams."""
    if POISON in found or len(found) == 1:
        inner.current = POISON if POISON in found else found[0]
        return
    shapes = Streams(inner.builder.shape_of(value) for value in found)
    inner.current = inner.builder.add(Node("streams", GATHER, tuple(found), shapes, place))


# ---- how often ------------------------------------------------------------------------------------------------------


def is_present(lowering: Lowering, plan: StepPlan, frame: Frame) -> bool:
    """Whether a step is there; of one that is not, what it uses is looked at all the same.

    Raises:
        GiveUp: if that is not known, or what it uses is wrong; the reason is reported.
    """
    place = plan.step.place_at("when")
    present = lowering.evaluate(plan.when, frame, place)
    if type(present) is not bool:
        message, name = f"`when` must be true or false, got {describe(present)}", getattr(plan.when, "bare", None)
        help = (
            "write true or false there"
            if name and isinstance(present, str)
            else "compare it, as in `when: $(stride != 1)`"
        )
        notes = note_at(f"`{name}` is given here", frame.scope.written(name)) if name else ()
        lowering.error(frame, "bad-value", message, place, help, notes)
        raise GiveUp
    if not present and not check_left_out(lowering, plan, frame):
        raise GiveUp
    return bool(present)


def turns_of(lowering: Lowering, plan: StepPlan, loop: Loop, frame: Frame) -> range | None:
    """The numbers that a loop runs over; None if it cannot run, which is reported."""
    at = plan.name_place
    try:
        start, stop = (lowering.evaluate(bound, frame, at) for bound in (loop.start, loop.stop))
    except GiveUp:
        return None
    wrong = [bound for bound in (start, stop) if type(bound) is not int]
    if wrong:
        lowering.error(frame, "bad-loop", f"a loop runs over whole numbers, got {describe(wrong[0])}", at)
    elif stop - start > MAXIMUM_REPEATS:
        message = f"a loop has at most {MAXIMUM_REPEATS:,} turns, this one has {stop - start:,}"
        lowering.error(frame, "bad-loop", message, at)
    elif loop.variable in (*frame.scope.variables, "repeat", "here"):
        message = f"`{loop.variable}` is the name of another variable here"
        lowering.error(frame, "shadowed", message, at, "give the loop's variable another name")
    else:
        return range(start, stop)
    return None


def poison(body: BodyPlan, frame: Frame) -> None:
    """Stands for the steps of a loop that cannot run, so that what speaks of them stays silent."""
    for step in body.steps:
        if step.loop is not None and isinstance(step.body, BodyPlan):
            poison(step.body, frame)
        else:
            frame.values.poison(str(step.name))
    frame.current = POISON


def depth_of(lowering: Lowering, plan: StepPlan, frame: Frame) -> int:
    """How many repeats a step says it has.

    Raises:
        GiveUp: if that is no such number; that is reported.
    """
    place = plan.step.place_at("depth")
    depth = lowering.evaluate(plan.depth, frame, place)
    if type(depth) is not int or not 1 <= depth <= MAXIMUM_REPEATS:
        message = f"`depth` must be a whole number from 1 to {MAXIMUM_REPEATS:,}, got {describe(depth)}"
        lowering.error(frame, "bad-value", message, place)
        raise GiveUp
    return depth
