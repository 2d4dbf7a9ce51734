"""Random blocks with loops, whatever a turn may be like: what it lacks, what it reads of others, lists in it, numbers from 1."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

CHANNELS = 4
"""All values have as many, so that any of them can be added to any other. Products are few: they grow beyond all numbers."""


class Loops:
    """Writes the body of a block, line by line. `plain` are its values outside of loops, `lists` those of loops, each with the
    number that it begins with."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.plain = ["input"]
        self.lists: dict[str, int] = {}

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def write(self, depth: int, name: str, step: str) -> None:
        self.lines.append(f"{'  ' * depth}{name}: {{{step}}}")

    def body(self) -> list[str]:
        self.write(0, "first", "block: conv, kernel: 1, width: 4, bias: $on")
        self.write(0, "parts", "block: split, parts: 2")
        self.write(0, "wide", "block: concat, from: [parts.1, parts.0]")
        self.plain += ["first", "wide"]
        for number in range(self.pick(1, 2)):
            self.loop(number, self.pick("i", "len") if number == 0 else self.pick("to", "k"), self.pick(0, 0, 0, 1))
        kind = self.pick("add", "concat")
        named = [*self.plain[1:], *(f"{name}.*" for name in self.lists)]
        self.write(0, "all", f"block: {kind}, from: [{', '.join(self.draw(st.permutations(named)))}]")
        if kind != "concat":
            self.write(0, "again", f"block: add, from: [all, {self.pick('input', 'all')}]")
        return self.lines

    def loop(self, number: int, variable: str, start: int) -> None:
        bounds = f"{start} .. n + {start}" if start or number else "n"
        self.lines.append(f"for {variable} in {bounds}:")
        own: list[str] = []
        for each in range(self.pick(1, 2, 3)):
            name = f"{'abc'[each]}{number}"
            before = [f"{other}.$({variable} - {start} + {first})" for other, first in self.lists.items()]
            source = self.pick(*self.plain, *before, *(f"{other}.${variable}" for other in own))
            self.turn(name, variable, start, source, has_before=bool(own))
            own.append(name)
        self.lists |= dict.fromkeys(own, start)

    def turn(self, name: str, variable: str, start: int, source: str, *, has_before: bool) -> None:
        """One step in each turn of a loop."""
        some = self.pick("", "", f", when: $({variable} > 1)", f", when: $({variable} != 1)", ", when: $on")
        reads = "" if has_before and self.pick(True, False) else f", from: {source}"
        kind = self.pick("conv", "plain", "before", "two", "list")
        if kind == "conv":
            groups = self.pick("1", f"$(2 if {variable} > 0 else 1)")
            self.write(1, f"{name}.${variable}", f"block: conv, kernel: 3, width: 4, groups: {groups}{reads}{some}")
        elif kind == "plain":
            self.write(1, f"{name}.${variable}", f"block: {self.pick('norm', 'activation')}{reads}{some}")
        elif kind == "before":
            before = f"from: [{source}, {name}.$({variable} - 1)], when: $({variable} > {start})"
            self.write(1, f"{name}.${variable}", f"block: add, {before}")
        elif kind == "two":
            self.write(1, f"{name}.${variable}", f"block: multiply, from: [{source}, first]{some}")
        else:
            inner_variable = {"a": "p", "b": "q", "c": "r"}[name[0]]  # the same loop may not be there twice
            self.lines.append(f"  for {inner_variable} in {self.pick('2', 'n', f'{variable} + 1')}:")
            inner = self.pick("conv, kernel: 1, width: 4", "norm", "activation")
            self.write(2, f"{name}x.${variable}.${inner_variable}", f"block: {inner}, from: {source}{some}")
            joined = f"from: [{self.pick('first, ', '')}{name}x.${variable}.*, {source}]"
            self.write(1, f"{name}.${variable}", f"block: add, {joined}")


@st.composite
def specs_with_loops(draw: st.DrawFn) -> str:
    """The text of a valid spec that uses a block with loops two or three times, so that its class has to serve all of them."""
    lines = Loops(draw).body()
    uses = draw(st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=2, max_size=3))
    text = f"name: net\ninput: {{channels: {CHANNELS}, size: 5}}\nblocks:\n  b:\n    parameters: {{n: 2, on: true}}\n    body:\n"
    text += "".join(f"      {line}\n" for line in lines) + "stages:\n"
    for number, (turns, on) in enumerate(uses):
        text += f"  use{number}: {{block: b, n: {turns}, 'on': {str(on).lower()}}}\n"
        text += f"  between{number}: {{block: conv, kernel: 1, width: {CHANNELS}}}\n"
    return text
