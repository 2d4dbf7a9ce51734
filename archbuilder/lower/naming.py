"""The names of a module's children: as the steps are called, renamed where the spec says so, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archbuilder.diagnostics import Note, Place, shorten, suggest
from archbuilder.language.models import BlockDefinition, Step
from archbuilder.lower.arguments import Given
from archbuilder.lower.defaults import Setting
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.lower.names import objection
from archbuilder.lower.uses import Target


class Words(NamedTuple):
    """`rename` and `register` of a use."""

    rename: Mapping[str, str]
    register: tuple[str, ...]
    setting: Setting | None = None
    """Where they come from, if not from the use itself."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells these words from others."""
        return (tuple(self.rename.items()), self.register)


@dataclass
class Naming:
    """Gives children their names. One for each lowering."""

    evaluation: Evaluation
    checked: set[str] = field(default_factory=set)

    def child(self, name: str, frame: Frame, step: Step, *, claim: bool) -> str:
        """The name of a step's module. With `claim` no other child may have it.

        Raises:
            GiveUp: if it cannot be called so; the reason is reported.
        """
        builder = frame.builder
        builder.known.add(name)
        if frame.rename:
            head, dot, tail = name.partition(".")
            name = frame.rename.get(name) or f"{frame.rename.get(head, head)}{dot}{tail}"
        if name not in self.checked:
            self.check(name, frame, step.name_place)
        if not claim:
            return builder.unlike_others(name) if frame.inlined else name
        if frame.numbering is not None:
            (name,) = frame.numbering.take()
        clash = builder.claim(name)
        if clash is not None:
            self._report_clash(name, clash, frame, step.name_place)
            raise GiveUp
        return name

    def _report_clash(self, name: str, clash: str, frame: Frame, place: Place | None) -> None:
        message, other = f"two steps are called `{name}`", clash
        if clash == f"{name}.*":
            other = min(taken for taken in frame.builder.taken if taken.startswith(f"{name}."))
            message = f"`{name}` cannot be a step, since `{other}` stands inside it"
        elif clash != name:
            message = f"`{name}` cannot stand inside `{clash}`, which is a step"
        first = next((node.place for node in frame.builder.nodes if node.name == other), None)
        told = first is not None and place is not None and first[:2] != place[:2] and not first.source.shipped
        notes = (Note("the other one is here", first),) if told else ()
        self.evaluation.error(frame, "same-name", message, place, "give one of them another name", notes)

    def check_written(self, name: str, frame: Frame, step: Step) -> None:
        """Checks the name of a step that is not lowered because what it takes went wrong."""
        if name not in frame.rename:
            self.check(name, frame, step.name_place)

    def check(self, name: str, frame: Frame, place: Place | None) -> str:
        """The name, if a child may have it."""
        reason = objection(name)
        if reason is not None:
            message = f"a step cannot be called `{shorten(name)}`: {reason}"
            self.evaluation.error(frame, "bad-name", message, place, "give it another name")
            raise GiveUp
        self.checked.add(name)
        return name

    def words(self, target: Target, given: Given) -> Words:
        """`rename` and `register` of a use: its own, else those of `defaults`."""
        rename: dict[str, str] = {}
        register: tuple[str, ...] = ()
        for step, _ in reversed(target.uses):
            rename.update(step.rename or {})
            register = tuple(step.register_ or register)
        origin = None
        setting = given.words.get("rename")
        if setting is not None and not setting.value.keys() <= rename.keys():
            setting.mark_used()
            origin = setting
            rename = {**{str(old): str(new) for old, new in setting.value.items()}, **rename}
        setting = given.words.get("register")
        if setting is not None and not register:
            setting.mark_used()
            origin, register = setting, tuple(str(name) for name in setting.value)
        return Words(rename, register, origin)

    def check_words(self, words: Words, inner: Frame, frame: Frame, step: Step, *, listed: bool) -> None:
        """Names in `rename` and `register` must be those of steps, and what is numbered is registered in that order."""
        if not words.rename and not words.register:
            return
        if words.register and listed:
            place = step.place_of_key("register") if words.setting is None else words.setting.key_place
            message = "`register` has no effect on a list of steps: its children are numbered"
            self.evaluation.error(frame, "no-effect", message, place, "remove it")
        known = inner.builder.known
        steps = {name.split(".")[0] for name in known} | known
        for word, names, others in (
            ("rename", words.rename, ()),
            ("register", words.register, words.rename.values()),
        ):
            for number, name in enumerate(names):
                if name not in steps and name not in others:
                    message = f"there is no step `{name}` in the block to {word}"
                    place = step.place_inside(word, name if word == "rename" else number)
                    if words.setting is not None and word not in (step.table or {}):
                        place = words.setting.value_place
                    self.evaluation.error(frame, "unknown-step", message, place, suggest(name, steps))

    def check_register(self, definition: BlockDefinition, inner: Frame) -> None:
        """Names in the `register` of a block must be those of its steps."""
        if not definition.register_:
            return
        known = {name.split(".")[0] for name in inner.builder.known} | inner.builder.known
        for number, name in enumerate(definition.register_):
            if name not in known:
                message = f"there is no step `{name}` in this block to register"
                place = definition.place_inside("register", number)
                self.evaluation.error(inner, "unknown-step", message, place, suggest(name, known))

    def repeats(self, step: Step, target: object, frame: Frame, depth: int) -> tuple[str, ...]:
        """The names of repeats, where a template is given.

        Raises:
            GiveUp: if two would have the same; the reason is reported.
        """
        template, variables, place = step.names, None, step.place_at("names")
        if template is None and isinstance(target, Target):
            setting = frame.defaults.of(target.name).get("names")
            if setting is None:
                return ()
            setting.mark_used()
            template, variables, place = setting.value, setting.variables, setting.value_place
        if template is None:
            return ()
        names = []
        for number in range(depth):
            inner = frame.with_variable("repeat", number)
            names.append(str(self.evaluation.evaluate(template, inner, place, variables)))
        if len(set(names)) < depth:
            message = "`names` gives two repeats the same name"
            self.evaluation.error(frame, "same-name", message, place, "use $repeat in it")
            raise GiveUp
        for each in names:
            self.check(each, frame, place)
            if "." in each:
                message = f"a repeat cannot be called `{each[:60]}`: a dot would nest it"
                self.evaluation.error(frame, "bad-name", message, place, "leave the dot out")
                raise GiveUp
        return tuple(names)
