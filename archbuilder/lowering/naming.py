"""The names of a module's children: as the steps are called, renamed where the spec says so, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from archbuilder.diagnostics import Note, Place, shorten, suggest
from archbuilder.graph.names import objection_to_module
from archbuilder.language.habits import patch_of_turn
from archbuilder.language.models import Architecture, BlockDefinition
from archbuilder.language.steps import Step
from archbuilder.language.table import key_place, value_place
from archbuilder.language.words import ALWAYS_VISIBLE
from archbuilder.lowering.frame import Frame, NewName, Scope, Setting, Site, Use
from archbuilder.lowering.lowering import GiveUp, Lowering
from archbuilder.lowering.plans import StepPlan


def objection(name: str) -> str | None:
    """Why a child cannot be called so; None if it can. A dot nests."""
    for segment in name.split("."):
        if segment in ALWAYS_VISIBLE:
            return f"`{segment}` always means the value that goes in"
        if (reason := objection_to_module(segment)) is not None:
            return reason
    return None


def new_names(spoken: Architecture | Step) -> dict[str, NewName]:
    """What a network or a step says in `rename`."""
    if not spoken.rename:
        return {}
    table = spoken.table.get("rename") if spoken.table is not None else None
    return {old: NewName(new, value_place(table, old) or spoken.place) for old, new in spoken.rename.items()}


class Words(NamedTuple):
    """`rename` and `register` of a use; `settings` has where each comes from, if not from the use itself."""

    rename: Mapping[str, NewName]
    register: tuple[str, ...]
    settings: Mapping[str, Setting] = {}

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells these words from others."""
        return (tuple([(old, new.name) for old, new in self.rename.items()]), self.register)


def name_child(lowering: Lowering, site: Site, *, claim: bool) -> str:
    """The name of a step's module. With `claim` no other child may have it.

    Raises:
        GiveUp: if it cannot be called so; the reason is reported.
    """
    plan, name, frame, _, _ = site
    builder = frame.builder
    builder.known.add(name)
    place = plan.name_place
    if frame.rename:
        head, dot, tail = name.partition(".")
        renamed = frame.rename.get(name) or frame.rename.get(head)
        if renamed is not None:
            name, place = renamed.name if name in frame.rename else f"{renamed.name}{dot}{tail}", renamed.place
    if name not in lowering.checked_names:
        check_name(lowering, name, frame, place)
    if not claim:
        return builder.unlike_others(name) if frame.inlined else name
    if frame.numbering is not None:
        (name,) = frame.numbering.take(site.name)
    clash = builder.claim(name)
    if clash is not None:
        _report_clash(lowering, name, clash, frame, place)
        raise GiveUp
    return name


def _report_clash(lowering: Lowering, name: str, clash: str, frame: Frame, place: Place | None) -> None:
    place = next((new.place for new in frame.rename.values() if new.name == name), place)
    message, other = f"two steps are called `{name}`", clash
    if clash == f"{name}.*":
        other = min(taken for taken in frame.builder.taken if taken.startswith(f"{name}."))
        message = f"`{name}` cannot be a step, since `{other}` stands inside it"
    elif clash != name:
        message = f"`{name}` cannot stand inside `{clash}`, which is a step"
    node = next((node for node in frame.builder.nodes if node.name == other), None)
    made = node.origin if node is not None and node.origin is not None and node.origin.turns else None
    help = "give one of them another name"
    if made is not None and not frame.scope.turns:
        help = patch_of_turn(made.turns[0].loop, made.key)
    first = node.place if node is not None else None
    told = first is not None and place is not None and first[:2] != place[:2] and not first.source.shipped
    notes = (Note("the other one is here", first),) if told else ()
    lowering.error(frame, "same-name", message, place, help, notes)


def check_name(lowering: Lowering, name: str, frame: Frame, place: Place | None) -> None:
    """Checks that a child may be called so.

    Raises:
        GiveUp: if it may not; the reason is reported.
    """
    reason = objection(name)
    if reason is not None:
        message = f"a step cannot be called `{shorten(name)}`: {reason}"
        lowering.error(frame, "bad-name", message, place, "give it another name")
        raise GiveUp
    lowering.checked_names.add(name)


# ---- rename and register --------------------------------------------------------------------------------------------


def words_of(use: Use) -> Words:
    """`rename` and `register` of a use: its own, else those of `defaults`."""
    rename: dict[str, NewName] = {}
    register: tuple[str, ...] = ()
    for plan in reversed(use.plan.steps):
        rename.update(new_names(plan.step))
        register = tuple(plan.step.register_ or register)
    settings: dict[str, Setting] = {}
    setting = use.words.get("rename")
    if setting is not None and not setting.plan.value.keys() <= rename.keys():
        setting.mark_used()
        settings["rename"] = setting
        said = setting.plan.value
        rename = {**{str(old): NewName(str(new), value_place(said, old)) for old, new in said.items()}, **rename}
    setting = use.words.get("register")
    if setting is not None and not register:
        setting.mark_used()
        settings["register"], register = setting, tuple(str(name) for name in setting.plan.value)
    return Words(rename, register, settings)


def check_words(
    lowering: Lowering, words: Words, inner: Frame, frame: Frame, steps: Sequence[StepPlan], *, listed: bool
) -> None:
    """Names in `rename` and `register` must be those of steps, and what is numbered is registered in that order. `steps` are
    the use and those in the slots that it leads through."""
    if not words.rename and not words.register:
        return
    if words.register and listed:
        message = "`register` has no effect on a list of steps: its children are numbered"
        lowering.error(frame, "no-effect", message, _place_of_word(words, "register", None, steps), "remove it")
    names = inner.known()
    registered = names | {new.name for new in words.rename.values()}
    unknown = [("rename", name) for _, name in inner.unknown(words.rename)]
    if not listed:
        unknown += [("register", name) for _, name in inner.unknown(words.register, registered)]
    for word, name in unknown:
        message = f"there is no step `{name}` in the block to {word}"
        help = suggest(name, registered if word == "register" else names)
        lowering.error(frame, "unknown-step", message, _place_of_word(words, word, name, steps), help)


def _place_of_word(words: Words, word: str, name: str | None, steps: Sequence[StepPlan]) -> Place | None:
    """Where `rename` or `register` is written, or one of the names in it."""
    for step in (plan.step for plan in steps):
        said = step.rename if word == "rename" else step.register_
        if said and name is None:
            return step.place_of_key(word)
        if said and name in said:
            return step.place_inside(word, said.index(name) if isinstance(said, list) and name else str(name))
    setting = words.settings.get(word)
    if setting is None or name is None:
        return setting.plan.key_place if setting is not None else None
    listed = setting.plan.value
    written = [str(each) for each in listed].index(name)  # numbers are names, too
    at = key_place(listed, [*listed][written]) if isinstance(listed, dict) else value_place(listed, written)
    return at or setting.plan.value_place


def check_register(lowering: Lowering, definition: Any, inner: Frame) -> None:
    """Names in the `register` of a block must be those of its steps."""
    if not isinstance(definition, BlockDefinition) or not definition.register_:
        return
    for number, name in inner.unknown(definition.register_):
        message = f"there is no step `{name}` in this block to register"
        place = definition.place_inside("register", number)
        lowering.error(inner, "unknown-step", message, place, suggest(name, inner.known()))


# ---- repeats --------------------------------------------------------------------------------------------------------


def names_of_repeats(lowering: Lowering, site: Site, block: str | None, depth: int) -> tuple[str, ...]:
    """The names of the repeats of a step, where a template is given: by the step, or by `defaults` for the block.

    Raises:
        GiveUp: if two would have the same; the reason is reported.
    """
    step, frame = site.plan.step, site.frame
    template: Any = step.names
    scope: Scope | None = None
    place = step.place_at("names")
    if template is None and block is not None:
        setting = frame.defaults.of(block).get("names")
        if setting is None:
            return ()
        setting.mark_used()
        template, scope, place = setting.plan.value, setting.scope, setting.plan.value_place
    if template is None:
        return ()
    names = []
    for number in range(depth):
        inner = frame.with_variable("repeat", number)
        names.append(str(lowering.evaluate(template, inner, place, scope)))
    if len(set(names)) < depth:
        message = "`names` gives two repeats the same name"
        lowering.error(frame, "same-name", message, place, "use $repeat in it")
        raise GiveUp
    for each in names:
        check_name(lowering, each, frame, place)
        if "." in each:
            message = f"a repeat cannot be called `{each[:60]}`: a dot would nest it"
            lowering.error(frame, "bad-name", message, place, "leave the dot out")
            raise GiveUp
    return tuple(names)
