"""What the parameters of a use become: the rules of precedence are all here.

A parameter's value is, from weakest to strongest: the definition's default, the network's `defaults`, those of the uses
around (nearest last), what the use itself says, and what is fixed whatever is said, such as stride 1 in later repeats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from archbuilder.diagnostics import Note, Place
from archbuilder.language.formula import Formula
from archbuilder.language.habits import advice_for_value
from archbuilder.language.models import BlockDefinition, Step
from archbuilder.language.spoken import names_in
from archbuilder.language.table import first_place, value_place
from archbuilder.language.words import IN_DEFAULTS
from archbuilder.lowering.effects import report_idle_values, report_keys
from archbuilder.lowering.frame import UNKNOWN, Defaults, Frame, Scope, Setting, Slot, Use, origin_of
from archbuilder.lowering.lowering import GiveUp, Lowering, Target
from archbuilder.lowering.plans import (
    COMPUTED,
    SettingPlan,
    SlotText,
    Told,
    plan_settings,
)
from archbuilder.parameters import REQUIRED, SLOTS, Parameter, ParameterError, describe

_NOTHING: Final[Mapping[str, Any]] = {}


def resolve(
    lowering: Lowering,
    target: Target,
    frame: Frame,
    input: Any,
    fixed: Mapping[str, Any] = _NOTHING,
) -> Use:
    """A use with a value for each parameter.

    Args:
        lowering: what is shared.
        target: the block or op, and what is said about it.
        frame: the body that the use stands in.
        input: the shape (or shapes) that goes in, which a default's expression may ask for.
        fixed: values that override all, such as stride 1 in the later repeats.

    Raises:
        GiveUp: if something is wrong; all of it is reported.
    """
    plan, nearer = target.plan, read_use(lowering, target, frame) if target.plan.says_more else []
    use = read_values(lowering, target, frame, input, fixed, nearer)
    lowering.settings += nearer
    if plan.told or use.settings:
        report_idle_values(lowering, use)
    if plan.definition.op is None and (use.settings or nearer):
        _give_inside(lowering, use)
    return use


def read_values(
    lowering: Lowering,
    target: Target,
    frame: Frame,
    input: Any,
    fixed: Mapping[str, Any] = _NOTHING,
    nearer: Sequence[Setting] = (),
) -> Use:
    """A use with a value for each parameter, of which nothing is said to have had an effect.

    Raises:
        GiveUp: if something is wrong; all of it is reported.
    """
    plan, scopes, _ = target
    definition, settings = plan.definition, frame.defaults.of(plan.name)
    values = dict(definition.literal)
    if plan.unknown and frame.repeat is None:
        frame = frame.with_variable("repeat", UNKNOWN)  # it may be `depth` that is misspelt
    use = Use(plan, scopes, frame, frame.current, settings, fixed, values, input, [*nearer], frame.defaults, _NOTHING)
    failed = bool(plan.unknown)
    if plan.told:
        failed |= not _take_told(lowering, use)
    if settings:
        failed |= not _take_settings(lowering, use)
    values.update(fixed)
    if failed:
        raise GiveUp
    if definition.computed:
        _take_defaults(lowering, use)
    return use


# ---- what is said ---------------------------------------------------------------------------------------------------


def read_use(lowering: Lowering, target: Target, frame: Frame) -> list[Setting]:
    """The defaults that a use gives what is inside; what is wrong in its text is reported."""
    report_keys(lowering, target.plan, frame)
    return [Setting(each, target.scopes[level] or frame.scope) for level, each in target.plan.nearer]


def check_use(lowering: Lowering, target: Target, frame: Frame, *, names: bool, whole: bool = True) -> bool:
    """Reports what is wrong in a use that is left out, as far as it is wrong whatever the values at hand; whether its keys
    mean something. With `names` those in its expressions are known here; nobody but it can say more if it is `whole`."""
    plan, scopes, _ = target
    nearer = read_use(lowering, target, frame)
    use = Use(plan, scopes, frame, frame.current, {}, {}, {}, UNKNOWN, nearer, frame.defaults, _NOTHING)
    for told in plan.told.values():
        if type(told.value) is Formula:
            if names:
                lowering.check_names(told.value, frame, told.place, scopes[told.level])
        elif told.plain is COMPUTED and not names_in(told.value):
            with suppress(GiveUp):
                _told_value(lowering, use, told)
    for parameter in plan.definition.computed if whole and not plan.unknown else ():
        if parameter.default is REQUIRED and parameter.name not in {**plan.told, **frame.defaults.of(plan.name)}:
            _report_missing(lowering, use, parameter)
    return not plan.unknown


def _take_told(lowering: Lowering, use: Use) -> bool:
    """Takes what the use itself says; whether all of it fits."""
    frame, values, fits = use.frame, use.values, True
    for key, told in use.plan.told.items():
        if key in use.fixed:
            continue
        value = told.plain
        if value is COMPUTED:
            try:
                value = _told_value(lowering, use, told)
            except GiveUp:
                fits = False
                continue
        if frame.rules is not None and "channels" in (told.parameter.type, told.parameter.element):
            value = frame.rules.scaled(value)
        values[key] = value
    return fits


def _told_value(lowering: Lowering, use: Use, told: Told) -> Any:
    frame, parameter, written = use.frame, told.parameter, told.value
    scope = use.scopes[told.level]
    if told.slot is not None:
        below = use.settings.get(parameter.name) if isinstance(written, dict) else None
        return _slot(lowering, use, parameter, told.slot, told.place, scope, below)
    if type(written) is Formula and scope is None:  # most expressions are the name of something that fits
        bare = written.bare
        value = frame.scope.variables.get(bare, UNKNOWN) if bare else written.value_in(frame, UNKNOWN)
        if value is not UNKNOWN and type(value) is not Slot and parameter.type not in SLOTS:
            try:
                return parameter.check(value)
            except ParameterError:
                pass  # reported below
    place = origin_of(written, told.place, frame)
    return checked(lowering, use, parameter, written, told.place, scope, origin=place)


def _take_settings(lowering: Lowering, use: Use) -> bool:
    """Takes the defaults of the network and of the uses around; whether all of them fit."""
    values, told, fits = use.values, use.plan.told, True
    for key, setting in use.settings.items():
        if key in told or key in use.fixed or key not in values:
            continue
        plan = setting.plan
        value = plan.plain
        if value is COMPUTED:
            try:
                value = _setting_value(lowering, use, setting)
            except GiveUp:
                fits = False
                continue
        values[key] = value
    return fits


def _setting_value(lowering: Lowering, use: Use, setting: Setting) -> Any:
    plan, parameter = setting.plan, use.plan.definition.parameters[setting.plan.parameter]
    if plan.slot is not None:
        return _slot(lowering, use, parameter, plan.slot, plan.value_place, setting.scope, setting.below)
    return checked(lowering, use, parameter, plan.value, plan.value_place, setting.scope, origin=plan.value_place)


# ---- what nobody says -----------------------------------------------------------------------------------------------


def _take_defaults(lowering: Lowering, use: Use) -> None:
    """Fills in what nobody has given, in the order of the parameters, so that each may ask for those before it.

    Raises:
        GiveUp: if something must be given; that is reported.
    """
    values, failed = use.values, False
    for parameter in use.plan.definition.computed:
        key = parameter.name
        if values[key] is COMPUTED:
            if parameter.default is REQUIRED:
                _report_missing(lowering, use, parameter)
                failed = True
            elif not failed:
                values[key] = _default_value(lowering, use, parameter)
    if failed:
        raise GiveUp


def _default_value(lowering: Lowering, use: Use, parameter: Parameter) -> Any:
    """The value of a default that has to be computed, or that fills a slot."""
    default = parameter.default
    if type(default) is not Formula:
        text = use.plan.definition.slots[parameter.name]
        return Slot(text, None if text.name is not None else Scope(use.values, use))
    scope = Scope({**use.values, "input": use.input}, use)
    if parameter.type not in SLOTS:
        value = default.value_in(scope.variables, UNKNOWN)
        if value is not UNKNOWN and type(value) is not Slot:
            try:
                return parameter.check(value)
            except ParameterError:
                pass  # reported below
    definition, step = use.plan.definition.definition, use.plan.steps[0].step
    place = definition.default_of(parameter.name)[1] if isinstance(definition, BlockDefinition) else None
    if place is None or place.source.shipped:
        place = step.place
    return checked(lowering, use, parameter, default, place, scope, origin=place, asks=step)


def _report_missing(lowering: Lowering, use: Use, parameter: Parameter) -> None:
    name, key = use.plan.name, parameter.name
    help = f"add `{key}`: {parameter.help or parameter.expectation()}"
    notes = lowering.library.notes_on(name, key)
    place = first_place(use.plan.steps[-1].step.table)  # in a slot, if the use leads through one
    lowering.error(use.frame, "missing-parameter", f"`{name}` needs `{key}`", place, help, notes)


# ---- a value for a parameter ----------------------------------------------------------------------------------------


def checked(
    lowering: Lowering,
    use: Use,
    parameter: Parameter,
    written: Any,
    place: Place | None,
    scope: Scope | None,
    *,
    origin: Place | None,
    asks: Step | None = None,
) -> Any:
    """A value for a parameter, computed and of its type.

    Args:
        lowering: what is shared.
        use: the use that the parameter belongs to.
        parameter: the parameter.
        written: the value as it stands in the text.
        place: where it stands.
        scope: where its expressions see their variables; None: in the frame of the use.
        origin: where to report a value that does not fit.
        asks: what asks for the value, where it is a definition's default.

    Raises:
        GiveUp: if it cannot be computed, or does not fit; the reason is reported.
    """
    block, frame = use.plan.name, use.frame
    if parameter.type in SLOTS and type(written) is not Formula:
        _check_slot_kind(lowering, use, parameter, written, place)
    value = lowering.evaluate(written, frame, place, scope)
    if isinstance(value, Slot):
        if parameter.type in SLOTS:
            return value
        lowering.error(frame, "bad-value", f"`{parameter.name}` of `{block}` is no block", place)
        raise GiveUp
    if parameter.type in SLOTS and not (value is None or (parameter.type == "block" and isinstance(value, str))):
        _report_kind(lowering, use, parameter, value, place)
        raise GiveUp
    try:
        return parameter.check(value)
    except ParameterError as error:
        at = origin if origin is not None and not origin.source.shipped else place
        told = asks is not None and asks.place is not None and asks.place != at
        notes = (Note(f"`{block}` is used here", asks.place),) if asks is not None and told else ()
        declared = lowering.library.notes_on(block, parameter.name) if asks is None else ()  # it stands there
        notes = (*notes, *(note for note in declared if note.place != at))
        message = f"{error} (in `{block}`)"

        def help() -> str | None:  # what is visible is asked once for all turns of a loop
            return advice_for_value(value, written, parameter, frame.visible(), at)

        lowering.error(frame, "bad-value", message, at, help, notes)
        raise GiveUp from None


def _report_kind(
    lowering: Lowering,
    use: Use,
    parameter: Parameter,
    value: Any,
    place: Place | None,
    help: str | None = None,
    notes: tuple[Note, ...] = (),
) -> None:
    expected = f"`{parameter.name}` must be {parameter.expectation()}, got {describe(value)}"
    lowering.error(use.frame, "bad-value", f"{expected} (in `{use.plan.name}`)", place, help, notes)


def _check_slot_kind(lowering: Lowering, use: Use, parameter: Parameter, value: Any, place: Place | None) -> None:
    """Refuses what no slot can hold."""
    expected: tuple[type, ...] = (str, dict) if parameter.type == "block" else (dict,)
    if value is None or isinstance(value, expected):
        return
    is_name = parameter.type == "steps" and isinstance(value, str)
    help = f"give the step a name: {{{value}: {value}}}" if is_name else None
    notes = lowering.library.notes_on(use.plan.name, parameter.name)
    _report_kind(lowering, use, parameter, value, place, help, notes)
    raise GiveUp


def _slot(
    lowering: Lowering,
    use: Use,
    parameter: Parameter,
    text: SlotText,
    place: Place | None,
    scope: Scope | None,
    below: Setting | None,
) -> Slot:
    """What is written for a slot, as a value; `below` is a setting for the same slot that it is laid over."""
    _check_slot_kind(lowering, use, parameter, text.written, place)
    check_block(lowering, use.frame, parameter, text.written, place)
    if not text.shipped and text.name is None and not text.is_checked:
        text.is_checked = True
        lowering.new_slots.append((text, parameter.type, use.frame))
    under = None
    if below is not None and parameter.type == "steps":
        below.mark_used()
        under = _setting_value(lowering, use, below)
    return Slot(text, None if text.name is not None else scope or use.frame.scope, under)


def check_block(lowering: Lowering, frame: Frame, parameter: Parameter, value: Any, place: Place | None) -> None:
    """A slot must name a block that there is, also where it is not used; steps have names of their own.

    Raises:
        GiveUp: if it does not; that is reported.
    """
    find = lowering.library.find
    if parameter.type == "steps":
        inner = value.get("block")
        if isinstance(inner, str) and (find(inner) is not None or len(value) > 1):
            message = f"`{parameter.name}` takes steps, each with a name, got one use of a block"
            help = f"give it a name: {{{inner}: {{block: {inner}}}}}"
            lowering.error(frame, "bad-slot", message, place, help)
            raise GiveUp
        return
    name = value.get("block") if isinstance(value, dict) else value
    if not isinstance(name, str) or "$" in name or find(name) is not None or lowering.library.incomplete:
        return
    place = value_place(value, "block") if isinstance(value, dict) else place
    message, advice = f"there is no block {describe(name)}", partial(lowering.library.advice_for, name)
    lowering.error(frame, "unknown-block", message, place, advice, cause=("block", name))
    raise GiveUp


# ---- defaults inside ------------------------------------------------------------------------------------------------


def _give_inside(lowering: Lowering, use: Use) -> None:
    """The defaults for what stands inside a use: those around it, what `defaults` says of its inside, and its own."""
    parameters, settings = use.plan.definition.parameters, use.settings
    use.words = {word: settings[word] for word in IN_DEFAULTS if word in settings}
    inside = tuple(each for key, each in settings.items() if key not in parameters and key not in IN_DEFAULTS)
    defaults = _defaults_inside(lowering, use.frame, inside) if inside else use.frame.defaults
    use.defaults = defaults.extended(use.nearer)


def _defaults_inside(lowering: Lowering, frame: Frame, inside: tuple[Setting, ...]) -> Defaults:
    """The defaults for what stands in a block, where `defaults` says something of it: `{mbconv: {activation: relu}}`."""
    key = (frame.defaults, inside)
    if key not in lowering.inside_defaults:
        nearer: list[Setting] = []
        for setting in inside:
            setting.mark_used()
            plan = setting.plan
            written = SettingPlan(
                plan.parameter, "", plan.value, plan.key_place, plan.value_place, plan.weak, plan.past
            )
            nearer += read_settings(lowering, written, setting.scope, frame)
        lowering.inside_defaults[key] = frame.defaults.extended(nearer)
    return lowering.inside_defaults[key]


def read_settings(lowering: Lowering, written: SettingPlan, scope: Scope, frame: Frame) -> list[Setting]:
    """The settings that a default for a block stands for, where they hold; what is wrong in them is reported."""
    plans, faults = plan_settings(written, lowering.library.find)
    for fault in faults:
        lowering.error(frame, *fault)
    settings = [Setting(plan, scope) for plan in plans]
    lowering.settings += settings
    return settings
