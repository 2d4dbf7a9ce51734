"""What a step stands for: a block or an op, a slot's steps, or steps of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from archbuilder.diagnostics import Place, Reporter
from archbuilder.language.formula import Formula
from archbuilder.language.models import BlockDefinition, Step, validate_body, validate_step
from archbuilder.language.words import STEP
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Frame
from archbuilder.lower.library import Library
from archbuilder.lower.slots import Slot
from archbuilder.lower.uses import Target, Uses
from archbuilder.parameters import describe

Steps: TypeAlias = dict[str, Step] | list[Step]
"""A body's steps, named or numbered."""

Layer: TypeAlias = tuple[Steps, Mapping[str, Any], Mapping[str, Place | None]]
"""Steps with the variables that they see, and where these were written."""


@dataclass
class Targets:
    """Looks up what steps stand for. One for each lowering."""

    library: Library
    evaluation: Evaluation
    parsed: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    _known: dict[int, tuple[Step, Target | None]] = field(default_factory=dict)

    def find(self, step: Step, frame: Frame) -> Target | Slot | Steps | None:
        """The block, the slot or the steps that a step stands for; None for an empty slot.

        Raises:
            GiveUp: if there is no such block; the reason is reported.
        """
        if step.body is not None:
            return self._body_of(step, frame)
        known = self._known.get(id(step))
        if known is None or known[0] is not step:
            target = self._find(step, frame)
            if type(step.block) is Formula:
                return target
            known = self._known[id(step)] = (step, target)  # a plain name means the same each time
        return known[1]

    def _find(self, step: Step, frame: Frame) -> Target | None:
        uses: Uses = [(step, None)]
        place, named = None, self._named(step, frame, None)
        while isinstance(named, Slot):
            if isinstance(named.written, str):
                place, named = place or self._slot_place(step, frame), named.written
                continue
            inner: Step | None = self._read(named.written, validate_step)
            if inner is None or inner.is_broken:
                raise GiveUp
            if inner.block is None:
                self._refuse_body(step, inner, frame)
            self._refuse_words(inner, frame)
            uses.append((inner, named.variables))
            place, named = inner.place_at("block"), self._named(inner, frame, named.variables)
        if named is None:
            return None
        definition = self.library.find(named) if isinstance(named, str) else None
        if definition is None and self.library.incomplete:
            raise GiveUp
        if definition is None:
            choices: str | None = self.library.advice_for(named)
            message = f"there is no block {describe(named)}"
            if not isinstance(named, str):
                message, choices = f"`block` must be a block's name, got {describe(named)}", None
            self.evaluation.error(frame, "unknown-block", message, place or step.place_at("block"), choices)
            raise GiveUp
        if isinstance(definition, BlockDefinition) and definition.table is not None and definition.table.broken:
            raise GiveUp
        return Target(str(named), definition, uses)

    def _refuse_body(self, step: Step, inner: Step, frame: Frame) -> NoReturn:
        slot = min(step.block.names) if type(step.block) is Formula and step.block.names else "block"
        message = f"`{slot}` takes a block, got steps"
        help = "define them as a block in `blocks`, and name it here"
        self.evaluation.error(frame, "bad-slot", message, inner.place_of_key("body"), help)
        raise GiveUp

    def _refuse_words(self, inner: Step, frame: Frame) -> None:
        """What is in a slot says which block and how; where it stands is the business of the body that has the slot."""
        for word in STEP:
            if not word.in_slots and word.name in (inner.table or ()):
                message = f"`{word.name}` has no effect in a slot: the block that has the slot says where this stands"
                self.evaluation.error(frame, "no-effect", message, inner.place_of_key(word.name), "remove it")

    def _slot_place(self, step: Step, frame: Frame) -> Place | None:
        """Where the block in the slot that a step names was written."""
        names = step.block.names if type(step.block) is Formula else frozenset()
        places = (frame.origins.get(name) for name in names)
        return next((place for place in places if place is not None and not place.source.shipped), None)

    def _named(self, step: Step, frame: Frame, variables: Mapping[str, Any] | None) -> Any:
        """What stands behind `block`: a name, a slot, or nothing."""
        if type(step.block) is not Formula:
            return step.block
        return self.evaluation.evaluate(step.block, frame, step.place_at("block"), variables)

    def _body_of(self, step: Step, frame: Frame) -> Slot | Steps | None:
        body = step.body
        if isinstance(body, dict | list):
            return body
        slot = self.evaluation.evaluate(body, frame, step.place_at("body"))
        if slot is None or (isinstance(slot, Slot) and slot.is_empty):
            return None
        if not isinstance(slot, Slot) or isinstance(slot.written, str):
            message = f"`body` takes steps, or a parameter of type steps, got {describe(body)}"
            self.evaluation.error(frame, "bad-value", message, step.place_at("body"))
            raise GiveUp
        return slot

    def layers(self, body: Slot | Steps, frame: Frame) -> list[Layer]:
        """The steps of a body; where a slot is laid over another, each step keeps the variables of its own place."""
        if not isinstance(body, Slot):
            return [(body, frame.variables, frame.origins)]
        stack = [body]
        while stack[-1].below is not None:
            stack.append(stack[-1].below)
        if len(stack) == 1:
            return [(self._steps_of(body), body.variables, body.origins)]
        owners: dict[str, tuple[Step, Slot]] = {}
        for slot in reversed(stack):
            steps = self._steps_of(slot)
            if isinstance(steps, dict):
                owners.update({name: (step, slot) for name, step in steps.items()})
        return [({name: step}, slot.variables, slot.origins) for name, (step, slot) in owners.items()]

    def _steps_of(self, slot: Slot) -> Steps:
        steps = self._read(slot.written, validate_body)
        if not isinstance(steps, dict | list):
            raise GiveUp
        return steps

    def _read(self, written: Any, validate: Callable[[Any, Reporter], Any]) -> Any:
        """A step or a body that was given as a parameter, as a model; read once in a lowering."""
        known = self.parsed.get(id(written))
        if known is None:
            known = self.parsed[id(written)] = (written, validate(written, self.evaluation.reporter))
        return known[1]
