"""The body of a `forward`: straight-line code, short chains of modules in one line, a name for what is read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from archbuilder.pytorch.constructor import Computed
from archbuilder.pytorch.layout import WIDTH, literal, value_text
from archbuilder.pytorch.names import Locals
from archbuilder.pytorch.plans import Item, Loop, LoopStep, Plan, PlannedStep, Reference
from archbuilder.pytorch.wiring import identifier

_NESTED: Final = 3
"""How many calls stand in one line at most."""


@dataclass
class Text:
    """The text of a value; `calls` counts the calls in it, `simple` says that it needs no brackets around it."""

    text: str
    calls: int = 0
    simple: bool = True


def forward_lines(plan: Plan, access: dict[str, str], flags: dict[str, str]) -> list[str]:
    """The lines of `forward`, without indentation.

    Args:
        plan: the class.
        access: how each child is reached ("self.conv1").
        flags: how each flag is reached ("self.changed").
    """
    return _Forward(plan, access, flags).lines()


class _Forward:
    def __init__(self, plan: Plan, access: dict[str, str], flags: dict[str, str]) -> None:
        self.plan = plan
        self.access = access
        self.flags = flags
        self.reads = self._count_reads()
        self.last_read = self._last_reads()
        self.chain = "x" if self.last_read.get(None, -1) <= 0 else "out"
        self.names = Locals({"x", "out", *plan.taken})
        self.texts: dict[str | None, Text] = {None: Text("x")}
        self.owner: str | None = None
        """The step whose value is in the chain's variable."""
        self.written: list[str] = []

    def lines(self) -> list[str]:
        ends_early = any(not always for _, _, always in self.plan.outputs)
        for number, step in enumerate(self.plan.steps):
            if step.training_only and ends_early:
                self._end_early()
                ends_early = False
            made = self._computed(step)
            if step.is_tensor:
                self.texts[step.name] = made
                continue
            if self._stays_open(number, step, made):
                self.texts[step.name] = made
                continue
            name = self._variable(number, step)
            self.written.append(f"{name} = {made.text}")
            self.texts[step.name] = Text(name)
        if ends_early:
            self._end_early()
        self.written.append(f"return {self._result(training=True)}")
        return self.written

    def _end_early(self) -> None:
        """What is returned in evaluation, where some outputs are for training only."""
        self.written += ["if not self.training:", f"    return {self._result(training=False)}"]

    def _result(self, *, training: bool) -> str:
        """What is returned: the output; a dict of feature maps; or the outputs that there are, the main one first."""
        outputs = [output for output in self.plan.outputs if training or output[2]]
        if outputs:
            texts = [f"{name}={self._read(reference).text}" for name, reference, _ in outputs]
            return f"{self.plan.name}Output({', '.join([self._read(self.plan.output).text, *texts])})"
        if not self.plan.returned:
            return self._read(self.plan.output).text
        pairs = [f"{literal(name)}: {self._read(reference).text}" for name, reference in self.plan.returned]
        return "{" + ", ".join(pairs) + "}"

    # ---- what is read how often ---------------------------------------------------------------------------------

    def _references(self) -> list[tuple[int, Reference]]:
        found = [(number, reference) for number, step in enumerate(self.plan.steps) for reference in step.inputs]
        end = len(self.plan.steps)
        found += [(end, reference) for _, reference in self.plan.returned] or [(end, self.plan.output)]
        found += [(end, reference) for _, reference, _ in self.plan.outputs]
        others = [(number, reference.other) for number, reference in found if reference.other is not None]
        return [*found, *others]

    def _count_reads(self) -> dict[str | None, int]:
        reads: dict[str | None, int] = {}
        for _, reference in self._references():
            # A part that is read takes the whole along, so that has a name.
            reads[reference.name] = reads.get(reference.name, 0) + (1 if reference.item is None else 2)
        for step in self.plan.steps:
            if step.expression is not None and step.flag is not True:
                name = step.inputs[0].name
                reads[name] = reads.get(name, 0) + 1
        return reads

    def _last_reads(self) -> dict[str | None, int]:
        last: dict[str | None, int] = {}
        for number, reference in self._references():
            last[reference.name] = max(last.get(reference.name, -1), number)
        return last

    # ---- names --------------------------------------------------------------------------------------------------

    def _stays_open(self, number: int, step: PlannedStep, made: Text) -> bool:
        """Whether a value is written where it is read: at once, once, in a line that is not yet full."""
        if self.reads.get(step.name, 0) != 1 or self.last_read.get(step.name) != number + 1:
            return False
        if self.plan.outputs and number + 1 == len(self.plan.steps):
            return False  # of several outputs, each has a name
        if step.is_call or made.calls >= _NESTED or len(made.text) > WIDTH // 2 or step.flag is not True:
            return number + 1 == len(self.plan.steps)
        if number + 1 == len(self.plan.steps):
            return True
        if self.plan.steps[number + 1].training_only != step.training_only:
            return False
        follower = self.plan.steps[number + 1]
        if sum(reference.name is not None for reference in follower.inputs) > 1:
            return False  # of several values that are joined, each has a name
        return not follower.is_call and follower.flag is True and all(r.other is None for r in follower.inputs)

    def _variable(self, number: int, step: PlannedStep) -> str:
        """The chain's variable where it is free and the value is read once, else a name of the step's own."""
        free = self.owner is None or self.last_read.get(self.owner, -1) <= number
        if self.chain == "x" and self.last_read.get(None, -1) > number:
            free = False
        last = self.last_read.get(step.name, -1)
        reader = self.plan.steps[last] if 0 <= last < len(self.plan.steps) else None
        together = len(reader.inputs) if reader is not None else 1
        apart = together > 2 or (step.is_call and (last > number + 1 or together > 1))
        if self.reads.get(step.name, 0) <= 1 and free and not apart and "." not in step.name:
            self.owner = step.name
            return self.chain
        return self.names.take(identifier(step.name))

    # ---- text ---------------------------------------------------------------------------------------------------

    def _computed(self, step: PlannedStep) -> Text:
        if step.is_tensor:
            return Text(self.access[step.name])
        inputs = [self._read(reference) for reference in step.inputs]
        calls = 1 + sum(text.calls for text in inputs)
        if step.made is not None:
            joint = ", ".join(text.text for text in inputs)
            plain = len(inputs) == 1 or step.spreads
            return Text(f"{self.access[step.name]}({joint if plain else f'({joint})'})", calls)
        made = self._expression(step, inputs)
        if isinstance(step.flag, Computed):
            made = f"{made} if {self.flags[step.flag.text]} else {inputs[0].text}"
            return Text(made, calls, simple=False)
        return Text(made, calls, simple=not (" + " in made or " * " in made))

    def _expression(self, step: PlannedStep, inputs: list[Text]) -> str:
        if step.expression is None:
            raise TypeError("a step has a module or an expression")
        bracketed = [text.text if text.simple else f"({text.text})" for text in inputs]
        values = {key: self._value(value) for key, value in step.expression.values}
        return step.expression.template.format(
            *bracketed,
            sum=" + ".join(bracketed),
            product=" * ".join(bracketed),
            all=", ".join(text.text for text in inputs),
            **values,
        )

    def _value(self, value: object) -> str:
        return self.flags[value.text] if isinstance(value, Computed) else value_text(value, 0)

    def _read(self, reference: Reference) -> Text:
        text = self.texts[reference.name]
        if reference.item is not None:
            text = Text(f"{text.text}[{reference.item}]")
        if reference.other is None:
            return text
        if not isinstance(reference.flag, Computed):
            return text if reference.flag else self._read(reference.other)
        other = self._read(reference.other)
        chosen = f"{text.text} if {self.flags[reference.flag.text]} else {other.text}"
        return Text(chosen, text.calls, simple=False)


# ---- classes with loops ---------------------------------------------------------------------------------------------


def loop_lines(items: Sequence[Item], output: str, *, inside: bool = False) -> Iterator[str]:
    """The lines of a `forward` with loops, without indentation, the last one giving `output`.

    Values that only the next step takes are written where that takes them. `inside` says that these are lines of a loop.
    """
    before = ""
    for item in items:
        if isinstance(item, Loop):
            yield f"for {item.variable} in {item.bounds[1]}:"
            yield from (f"    {name} = []" for name in item.fresh)
            yield from (f"    {line}" for line in loop_lines(item.items, "", inside=True))
            before = ""
            continue
        value = _value_in_loop(item, before if item.takes_before and before else "")
        before = ""
        if item.listed and not item.goes_on:
            yield f"{item.variable}.append({value})"
        elif item.goes_on and not item.listed and value.count("(") <= _NESTED and " if " not in value:
            before = value
        elif item.variable == output and item is items[-1]:
            output = value
        else:
            name = before = "out" if inside else item.variable
            yield f"{name} = {value}"
            if item.listed:
                yield f"{item.variable}.append({name})"
    if output:
        yield f"return {output}"


def _value_in_loop(step: LoopStep, before: str) -> str:
    """What a step computes; `before` is the text of the value before it, if it takes that."""
    inputs = (before, *step.inputs[1:]) if before else step.inputs
    if step.expression is not None:
        value = step.expression.template.format(
            *inputs,
            sum=_joined(inputs, " + "),
            product=_joined(inputs, " * "),
            all=", ".join(inputs),
            **{key: literal(value) for key, value in step.expression.values},
        )
    elif step.made is not None:
        joint = ", ".join(inputs)
        value = f"{step.keeper}({joint if len(inputs) == 1 else f'({joint})'})"
    else:
        return inputs[0]
    has_identity = step.made is not None and step.container != "self"
    return value if step.condition is None or has_identity else f"{value} if {step.condition[1]} else {inputs[0]}"


def _joined(inputs: Sequence[str], sign: str) -> str:
    """Values joined by a sign; those of a list are summed from the first on."""
    if len(inputs) == 1 and inputs[0].startswith("*"):
        name = inputs[0][1:]
        return f"sum({name}[1:], {name}[0])"
    return sign.join(inputs)
