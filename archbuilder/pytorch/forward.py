"""The body of a `forward`: straight-line code, short chains of modules in one line, a name for what is read again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from archbuilder.pytorch.constructor import Computed
from archbuilder.pytorch.layout import WIDTH, literal, range_text, value_text
from archbuilder.pytorch.names import Locals
from archbuilder.pytorch.plans import EVERY, Item, Loop, Plan, Reference, Step, steps_in
from archbuilder.pytorch.turns import joined_turns, walked
from archbuilder.pytorch.wiring import identifier

_NESTED: Final = 3
"""How many calls stand in one line at most."""


@dataclass
class Text:
    """The text of a value; `calls` counts the calls in it, `simple` says that it needs no brackets around it."""

    text: str
    calls: int = 0
    simple: bool = True


def forward_lines(plan: Plan, access: Mapping[str, str], kept: Mapping[str, str]) -> list[str]:
    """The lines of `forward`, without indentation.

    Args:
        plan: the class.
        access: how each child is reached ("self.conv1").
        kept: how each value is reached that the constructor keeps ("self.changed").
    """
    return _Forward(plan, access, kept).lines()


class _Forward:
    def __init__(self, plan: Plan, access: Mapping[str, str], kept: Mapping[str, str]) -> None:
        self.plan, self.body = plan, plan.body
        self.access = dict(access)
        self.rows: dict[str, str] = {}
        """By name of a list of lists of modules, the one that a loop is at."""
        self.kept = kept
        self.items = joined_turns(plan.body.items)
        self.steps = tuple(steps_in(self.items))
        self.number = {step.name: at for at, step in enumerate(self.steps)}
        self.loops: dict[str | None, tuple[int, ...]] = {}
        """By step, where the loops around it end: the numbers of the steps behind them."""
        self._find_loops(self.items, ())
        self.reads = self._count_reads()
        self.last_read = self._last_reads()
        self.chain = "x" if self.last_read.get(None, -1) <= 0 else "out"
        self.names = Locals({"x", "out", *plan.taken, *(number for step in self.steps for number in step.numbers)})
        self.texts: dict[str | None, Text] = {None: Text("x")}
        self.owner: str | None = None
        """The step whose value is in the chain's variable."""
        self.written: list[str] = []
        self.ends_early = any(not always for _, _, always in self.body.outputs)

    def _find_loops(self, items: Sequence[Item], around: tuple[int, ...]) -> None:
        for item in items:
            if isinstance(item, Loop):
                end = self.number[[*steps_in([item])][-1].name] + 1
                self._find_loops(item.items, (*around, end))
            else:
                self.loops[item.name] = around

    def lines(self) -> list[str]:
        self._write(self.items, 0)
        if self.ends_early:
            self._end_early()
        self.written.append(f"return {self._result(training=True)}")
        return self.written

    def _write(self, items: Sequence[Item], depth: int) -> None:
        """Writes items that stand in so many loops."""
        pad = "    " * depth
        for item in items:
            lists = self._new_lists(item, depth)
            if not isinstance(item, Loop):
                self.written += [f"{pad}{name} = []" for name in lists]
                self._write_step(item, pad)
                continue
            head, inside = self._turns(item, depth)
            (step, *others) = item.items
            if lists and not others and isinstance(step, Step) and len(inside) == 1 and not _reads(step, step.listed):
                self.written.append(f"{pad}{lists[0]} = [{self.texts[step.name].text} {head}]")
            else:
                self.written += [*(f"{pad}{name} = []" for name in lists), f"{pad}{head}:", *inside]

    def _new_lists(self, item: Item, depth: int) -> list[str]:
        """The variables of the lists of values that begin with an item."""
        names = []
        for step in steps_in([item]):
            if step.listed and step.listed not in self.texts and len(step.numbers) == depth + 1:
                name = self.names.take(identifier(step.listed.partition("$")[0].strip(".") or "streams"))
                self.texts[step.listed] = Text(name)
                names.append(name)
        return names

    def _turns(self, loop: Loop, depth: int) -> tuple[str, list[str]]:
        """What a loop runs over, and the lines in it: lists of modules, with the number of the turn where that is needed; numbers
        where there are no such."""
        lists: dict[str, str] = {}
        for each in walked(loop, depth, self.body.order, self.steps):
            name = self.names.take(each.element)
            lists[name] = self.rows[each.label] if depth else f"self.{each.label}" if each.label else "self.values()"
            if each.is_row:
                self.rows[each.label] = name
            else:
                self.access |= {step.name: name for step in steps_in([loop]) if step.label == each.label}
        before, self.written = self.written, []
        self._write(loop.items, depth + 1)
        inside, self.written = self.written, before
        if not lists:
            return f"for {loop.variable} in {range_text(loop, self._value)}", inside
        numbered = re.search(rf"\b{loop.variable}\b", "\n".join(inside)) is not None
        elements, values = ", ".join(lists), ", ".join(lists.values())
        if len(lists) > 1:
            elements, values = f"({elements})" if numbered else elements, f"zip({values})"
        if not numbered:
            return f"for {elements} in {values}", inside
        start = "" if loop.start == 0 else f", {self._value(loop.start)}"
        return f"for {loop.variable}, {elements} in enumerate({values}{start})", inside

    def _write_step(self, step: Step, pad: str) -> None:
        number = self.number[step.name]
        if step.training_only and self.ends_early:
            self._end_early()
            self.ends_early = False
        made = self.texts[step.name] = self._computed(step)
        if step.is_tensor or self._stays_open(number, step, made):
            return
        if not step.listed or self.reads.get(step.name):
            name = self._variable(number, step)
            self.written.append(f"{pad}{name} = {made.text}")
            made = self.texts[step.name] = Text(name)
        if step.listed:
            self.written.append(f"{pad}{self.texts[step.listed].text}.append({made.text})")

    def _end_early(self) -> None:
        """What is returned in evaluation, where some outputs are for training only."""
        self.written += ["if not self.training:", f"    return {self._result(training=False)}"]

    def _result(self, *, training: bool) -> str:
        """What is returned: the output; a dict of feature maps; or the outputs that there are, the main one first."""
        outputs = [output for output in self.body.outputs if training or output[2]]
        if outputs:
            texts = [f"{name}={self._read(reference).text}" for name, reference, _ in outputs]
            return f"{self.plan.name}Output({', '.join([self._read(self.body.output).text, *texts])})"
        if not self.body.returned:
            return self._read(self.body.output).text
        pairs = [f"{literal(name)}: {self._read(reference).text}" for name, reference in self.body.returned]
        return "{" + ", ".join(pairs) + "}"

    # ---- what is read how often ---------------------------------------------------------------------------------

    def _references(self) -> list[tuple[int, int, Reference]]:
        """Each time that something is read: when it is read last, how often that counts, and what is read."""
        end = len(self.steps)
        found = [(number, reference) for number, step in enumerate(self.steps) for reference in step.inputs]
        found += [(end, reference) for _, reference in self.body.returned] or [(end, self.body.output)]
        found += [(end, reference) for _, reference, _ in self.body.outputs]
        found += [(number, reference.other) for number, reference in found if reference.other is not None]
        return [(*self._read_at(number, reference), reference) for number, reference in found]

    def _read_at(self, number: int, reference: Reference) -> tuple[int, int]:
        """What is read in a loop that it does not stand in is read until that ends. Of a part, the whole needs a name."""
        around = self.loops[self.steps[number].name] if number < len(self.steps) else ()
        beyond = around[len(self.loops.get(reference.name, ())) :]
        return (beyond[0] if beyond else number), (1 if reference.item is None and not beyond else 2)

    def _count_reads(self) -> dict[str | None, int]:
        reads: dict[str | None, int] = {}
        for _, times, reference in self._references():
            reads[reference.name] = reads.get(reference.name, 0) + times
        for step in self.steps:
            if step.expression is not None and step.flag is not True:
                name = step.inputs[0].name
                reads[name] = reads.get(name, 0) + 1
        return reads

    def _last_reads(self) -> dict[str | None, int]:
        last: dict[str | None, int] = {}
        for number, _, reference in self._references():
            last[reference.name] = max(last.get(reference.name, -1), number)
        return last

    # ---- names --------------------------------------------------------------------------------------------------

    def _stays_open(self, number: int, step: Step, made: Text) -> bool:
        """Whether a value is written where it is read: at once, once, in a line that is not yet full."""
        if step.listed or self.reads.get(step.name, 0) != 1 or self.last_read.get(step.name) != number + 1:
            return False
        if self.body.outputs and number + 1 == len(self.steps):
            return False  # of several outputs, each has a name
        if step.is_call or made.calls >= _NESTED or len(made.text) > WIDTH // 2 or step.flag is not True:
            return number + 1 == len(self.steps)
        if number + 1 == len(self.steps):
            return True
        if self.steps[number + 1].training_only != step.training_only:
            return False
        follower = self.steps[number + 1]
        if sum(reference.name is not None for reference in follower.inputs) > 1:
            return False  # of several values that are joined, each has a name
        if self._says_twice(follower, step.name):
            return False  # it would be computed twice
        return not follower.is_call and follower.flag is True and all(r.other is None for r in follower.inputs)

    def _says_twice(self, reader: Step, name: str) -> bool:
        """Whether the text of a step has a value that it reads more than once."""
        if reader.expression is None:
            return False
        mark = "\0"
        inputs = [Text(mark if reference.name == name else "") for reference in reader.inputs]
        return self._expression(reader, inputs).count(mark) > 1

    def _variable(self, number: int, step: Step) -> str:
        """The chain's variable where it is free and the value is read once, else a name of the step's own."""
        free = self.owner is None or self.last_read.get(self.owner, -1) <= number
        if self.chain == "x" and self.last_read.get(None, -1) > number:
            free = False
        last = self.last_read.get(step.name, -1)
        reader = self.steps[last] if 0 <= last < len(self.steps) else None
        together = len(reader.inputs) if reader is not None else 1
        apart = together > 2 or (step.is_call and (last > number + 1 or together > 1))
        if self.reads.get(step.name, 0) <= 1 and free and not apart and "." not in step.label:
            self.owner = step.name
            return self.chain
        return self.names.take(identifier(step.label))

    # ---- text ---------------------------------------------------------------------------------------------------

    def _computed(self, step: Step) -> Text:
        if step.is_tensor:
            return Text(self.access[step.name])
        inputs = [self._read(reference) for reference in step.inputs]
        calls = 1 + sum(text.calls for text in inputs)
        if step.made is not None:
            joint = ", ".join(text.text for text in inputs)
            if len(inputs) > 1 and not step.spreads:
                joint = f"[{joint}]" if step.is_call else f"({joint})"
            return Text(f"{self.access[step.name]}({joint})", calls)
        made = self._expression(step, inputs)
        if isinstance(step.flag, Computed):
            other = f"[{inputs[0].text}]" if step.at_times_several else inputs[0].text
            made = f"{made} if {self._value(step.flag)} else {other}"
            return Text(made, calls, simple=False)
        return Text(made, calls, simple=not (" + " in made or " * " in made))

    def _expression(self, step: Step, inputs: list[Text]) -> str:
        if step.expression is None:
            raise TypeError("a step has a module or an expression")
        bracketed = [text.text if text.simple else f"({text.text})" for text in inputs]
        values = {key: self._value(value) for key, value in step.expression.values}
        together = self._list(inputs, step.inputs)
        every = any(reference.item == EVERY for reference in step.inputs)
        return step.expression.template.format(
            *bracketed,
            sum=f"sum_of({together})" if every else " + ".join(bracketed),
            product=" * ".join(bracketed),
            all=together,
            **values,
        )

    @staticmethod
    def _list(inputs: Sequence[Text], references: Sequence[Reference]) -> str:
        """Values as a list; those that are lists are put together with them."""
        parts = []
        for whole, run in groupby(zip(inputs, references, strict=True), key=lambda pair: pair[1].item == EVERY):
            texts = [text.text for text, _ in run]
            parts += texts if whole else [f"[{', '.join(texts)}]"]
        return " + ".join(parts)

    def _value(self, value: Any) -> str:
        return value.in_words(self.kept) if isinstance(value, Computed) else value_text(value, 0)

    def _read(self, reference: Reference) -> Text:
        text = self.texts[reference.name]
        if reference.item not in (None, EVERY):
            text = Text(f"{text.text}[{self._value(reference.item)}]")
        if reference.other is None:
            return text
        if not isinstance(reference.flag, Computed):
            return text if reference.flag else self._read(reference.other)
        other = self._read(reference.other)
        chosen = f"{text.text} if {self._value(reference.flag)} else {other.text}"
        return Text(chosen, text.calls, simple=False)


def _reads(step: Step, name: str) -> bool:
    """Whether a step reads a value."""
    return any(reference.name == name for reference in step.inputs)
