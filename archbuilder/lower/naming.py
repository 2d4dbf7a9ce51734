"""The names of a module's children: as the steps are called, renamed where the spec says so, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from archbuilder.diagnostics import Place, suggest
from archbuilder.lower.arguments import Given
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.lower.names import objection
from archbuilder.lower.targets import Target
from archbuilder.spec.models import Step


class Words(NamedTuple):
    """`rename` and `register` of a use."""

    rename: Mapping[str, str]
    register: tuple[str, ...]

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells these words from others."""
        return (tuple(self.rename.items()), self.register)


@dataclass
class Naming:
    """Gives children their names. One for each lowering."""

    evaluation: Evaluation
    checked: set[str] = field(default_factory=set)

    def child(self, name: str, frame: Frame, place: Place | None, *, claim: bool) -> str:
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
            self.check(name, frame, place)
        if not claim:
            return builder.unlike_others(name) if frame.inlined else name
        if frame.numbering is not None:
            (name,) = frame.numbering.take()
        clash = builder.claim(name)
        if clash is not None:
            message = f"two steps are called `{name}`" if clash == name else f"`{name}` cannot stand beside `{clash}`"
            self.evaluation.error(frame, "same-name", message, place, "give one of them another name")
            raise GiveUp
        return name

    def check(self, name: str, frame: Frame, place: Place | None) -> str:
        """The name, if a child may have it."""
        reason = objection(name)
        if reason is not None:
            self.evaluation.error(frame, "bad-name", f"a step cannot be called `{name[:60]}`: {reason}", place)
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
        setting = given.words.get("rename")
        if setting is not None and not rename:
            setting.mark_used()
            rename = {str(old): str(new) for old, new in setting.value.items()}
        setting = given.words.get("register")
        if setting is not None and not register:
            setting.mark_used()
            register = tuple(str(name) for name in setting.value)
        return Words(rename, register)

    def check_words(self, words: Words, inner: Frame, frame: Frame, step: Step) -> None:
        """Names in `rename` and `register` must be those of steps."""
        known = inner.builder.known
        steps = {name.split(".")[0] for name in known} | known
        for word, names, others in (
            ("rename", words.rename, ()),
            ("register", words.register, words.rename.values()),
        ):
            for name in names:
                if name not in steps and name not in others:
                    message = f"there is no step `{name}` in the block to {word}"
                    choices = suggest(name, steps)
                    self.evaluation.error(frame, "unknown-step", message, step.place_at(word), choices)

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
        return tuple(self.check(each, frame, place) for each in names)
