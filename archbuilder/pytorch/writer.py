"""Plans -> the text of classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from textwrap import wrap
from typing import Any, Final

from archbuilder.graph.answers import Construct
from archbuilder.graph.names import MODULE_ATTRIBUTES
from archbuilder.pytorch.constructor import ABSENT, Argument, Computed, python_name
from archbuilder.pytorch.expressions import Chain, Conditional, Module, Run
from archbuilder.pytorch.formulas import quoted
from archbuilder.pytorch.forward import forward_lines
from archbuilder.pytorch.layout import (
    OMITTED,
    WIDTH,
    call_text,
    literal,
    module_list_text,
    module_text,
    range_text,
    runs_text,
    value_text,
)
from archbuilder.pytorch.plans import Item, Loop, Plan, Step, steps_in
from archbuilder.pytorch.turns import filling

_DEFAULT_ONE: Final = ("stride", "dilation", "groups")


@dataclass(frozen=True)
class Signature:
    """The arguments of a class's constructor: name, type, and default where there is one."""

    arguments: tuple[tuple[str, str, Any], ...]

    def defaults(self) -> dict[str, Any]:
        """The arguments that may be left out."""
        return {name: default for name, _, default in self.arguments if default is not ABSENT}


def signature_of(plan: Plan) -> Signature:
    """The constructor's arguments, those without default first."""
    found = [(each.name, _type_of(each.values), _default_of(each)) for each in plan.arguments]
    return Signature(tuple(sorted(found, key=lambda argument: argument[2] is not ABSENT)))


def _type_of(values: tuple[Any, ...]) -> str:
    lengths = {len(value) for value in values if isinstance(value, tuple)}
    if len(lengths) > 1:
        return "tuple[int, ...]"
    names = [name for kind, name in _KINDS if kind in _types(values)]
    names = [f"tuple[{', '.join(['int'] * lengths.pop())}]" if name == "tuple" else name for name in names]
    return " | ".join(names) + (" | None" if _spare(values) is None else "")


def _types(values: tuple[Any, ...]) -> set[type]:
    return {type(value) for value in values if value is not ABSENT}


_KINDS: Final = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (tuple, "tuple"),
    (str, "str"),
    (type(None), "None"),
)


def _default_of(argument: Argument) -> Any:
    name, values = argument.name, argument.values
    if argument.default is not ABSENT:
        return argument.default
    if _types(values) == {bool}:
        return False
    if name in _DEFAULT_ONE and 1 in values:
        return 1
    return _spare(values)


def _spare(values: tuple[Any, ...]) -> Any:
    """What is given where an instance uses no value at all; `ABSENT` if all use one."""
    if ABSENT not in values:
        return ABSENT
    (kind, *others) = _types(values)
    return kind() if kind in (bool, int, float) and not others else None


@dataclass
class Writer:
    """Writes classes; remembers their signatures so that calls can leave defaults out."""

    signatures: dict[str, Signature] = field(default_factory=dict)

    def class_text(self, plan: Plan, members: list[str]) -> str:
        """The text of a class; `members` are further lines of its body (attributes before, methods behind)."""
        signature = self.signatures[plan.name] = signature_of(plan)
        lines = [f"class {plan.name}({_base_of(plan)}):"]
        if plan.help:
            lines += [f"    {docstring(sentence(plan.help), 4)}", ""]
        lines += members
        lines += self._sequential(plan, signature) if plan.body.sequential else self._module(plan, signature)
        return "\n".join(lines)

    def _sequential(self, plan: Plan, signature: Signature) -> list[str]:
        derived = [f"        {name} = {text}" for name, text in plan.derived]
        lines = [f"    {_init_line(signature)}", *derived]
        if any(isinstance(each, Loop) for each in plan.body.order):
            return [
                *lines,
                "        super().__init__()",
                *(f"        {each}" for each in self._turns(plan.body.items, {}, 8)),
            ]
        runs = [Run(self.shortened(step.made)) for step in steps_in(plan.body.items) if step.made is not None]
        return [*lines, f"        {call_text('super().__init__', runs_text(runs, 12), 8)}"]

    def _module(self, plan: Plan, signature: Signature) -> list[str]:
        access: dict[str, str] = {}
        made = self._children(plan, access)
        kept = _attributes(_kept_values(plan), {reach.partition(".")[2].partition("[")[0] for reach in access.values()})
        forward = [f"        {line}" for line in forward_lines(plan, access, kept)]
        used = {text: own for text, own in kept.items() if any(re.search(rf"{own}\b", line) for line in forward)}
        lines: list[str] = []
        if made or signature.arguments or used:
            lines += [f"    {_init_line(signature)}", "        super().__init__()"]
            lines += [f"        {name} = {text}" for name, text in plan.derived]
            lines += [f"        {attribute} = {text}" for text, attribute in used.items()]
            lines += [f"        {line}" for line in made]
        lines += ["    <initialise>"]
        result = "dict[str, Tensor]" if plan.body.returned else _result_type(plan)
        steps = list(steps_in(plan.body.items))
        several = any(each.item is not None for step in steps for each in step.inputs if each.name is None)
        given = "list[Tensor]" if several else "Tensor"
        return [*lines, "", f"    def forward(self, x: {given}) -> {result}:", *forward]

    # ---- children -----------------------------------------------------------------------------------------------

    def _children(self, plan: Plan, access: dict[str, str]) -> list[str]:
        """The lines that make a class's children; notes in `access` how each is reached."""
        by_name = {step.name: step for step in steps_in(plan.body.items)}
        tree: dict[str, Any] = {}
        lists: set[str] = set()
        for each in plan.body.order:
            if isinstance(each, Loop):
                tree[f"{len(tree)} loop"] = each
                continue
            level = tree
            *containers, last = each.split(".")
            for container in containers:
                level = level.setdefault(container, {})
            level[last] = by_name[each]
        lines: list[str] = []
        for name, branch in tree.items():
            if isinstance(branch, Loop):
                lines += self._made_in_turns(branch, plan, access, lists)
                continue
            reach = f"self.{name}" if name.isidentifier() else f"self[{quoted(name)}]"
            lines.append(f"{reach} = {self._branch(branch, reach, access, 8)}")
        return lines

    def _made_in_turns(self, loop: Loop, plan: Plan, access: dict[str, str], lists: set[str]) -> list[str]:
        """The lines that make the children of a loop, and before it the lists that they are appended to."""
        made = [step for step in steps_in([loop]) if step.made is not None]
        for step in made:
            numbers = "".join(f"[{number}]" for number in step.numbers)
            access[step.name] = f"self.{step.label}{numbers}" if step.label else f'self[f"{{{step.numbers[0]}}}"]'
        (first, *others) = made
        if (
            not others
            and first in loop.items
            and first.label
            and filling(first.label, [*steps_in(plan.body.items)]) == 1
        ):
            turns = f"{module_text(self.shortened(first.made), 12)} for {loop.variable} in {range_text(loop, _bound)}"
            return [f"self.{first.label} = {call_text('nn.ModuleList', [turns], 8, last_comma=False)}"]
        lines = []
        for step in made:
            if step.label and step.label not in lists:
                lists.add(step.label)
                inner = f"nn.ModuleList() for _ in {range_text(loop, _bound)}" if len(step.numbers) > 1 else ""
                lines.append(f"self.{step.label} = nn.ModuleList({inner})")
        return [*lines, *self._turns([loop], access, 8)]

    def _turns(self, items: Sequence[Item], access: dict[str, str], indent: int) -> Iterator[str]:
        """The lines that make what is in loops; where it is not said how that is reached, it is appended to the class itself."""
        for item in items:
            if isinstance(item, Loop):
                lines = list(self._turns(item.items, access, indent + 4))
                head = [f"for {item.variable} in {range_text(item, _bound)}:"] if lines else []
                yield from (*head, *(f"    {each}" for each in lines))
            elif item.made is not None:
                text = module_text(self.shortened(item.made), indent)
                reach = access.get(item.name, "")
                yield (
                    f"{reach} = {text}"
                    if reach and not item.label
                    else f"{reach.rpartition('[')[0] or 'self'}.append({text})"
                )

    def _branch(self, branch: Any, reach: str, access: dict[str, str], indent: int) -> str:
        """A child, or a container of children."""
        if isinstance(branch, Step):
            access[branch.name] = reach
            return module_text(self.shortened(branch.made), indent)
        if list(branch) == [str(number) for number in range(len(branch))]:
            return self._list(branch, reach, access, indent)
        parts = [
            f"{quoted(name)}: {self._branch(inner, f'{reach}[{quoted(name)}]', access, indent + 4)}"
            for name, inner in branch.items()
        ]
        pad = " " * (indent + 4)
        return "nn.ModuleDict({\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + "})"

    def _list(self, branch: dict[str, Any], reach: str, access: dict[str, str], indent: int) -> str:
        if all(isinstance(inner, Step) for inner in branch.values()):
            runs = []
            for name, step in branch.items():
                access[step.name] = f"{reach}[{name}]"
                runs.append(Run(self.shortened(step.made)))
            return module_list_text(runs, indent)
        parts = [self._branch(inner, f"{reach}[{name}]", access, indent + 4) for name, inner in branch.items()]
        pad = " " * (indent + 4)
        return "nn.ModuleList([\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + "])"

    def shortened(self, made: Any) -> Module:
        """A module's expression without the arguments whose default is meant."""
        if isinstance(made, Chain):
            return replace(made, places=tuple(replace(run, made=self.shortened(run.made)) for run in made.runs))
        if isinstance(made, Conditional):
            return Conditional(made.flag, self.shortened(made.made))
        if not isinstance(made, Construct):
            raise TypeError("a child is made by a call, a chain or a choice")
        defaults = self._defaults(made.callee)
        nested = tuple(self._nested(value) for value in made.arguments)
        keywords = tuple((key, self._nested(value)) for key, value in made.keywords)
        kept = tuple((key, value) for key, value in keywords if not _is_default(key, value, defaults))
        return Construct(made.callee, nested, self._in_order(made.callee, kept), made.sources)

    def _nested(self, value: Any) -> Any:
        return self.shortened(value) if isinstance(value, Construct | Chain | Conditional) else value

    def _defaults(self, callee: str) -> dict[str, Any]:
        known = self.signatures.get(callee)
        return known.defaults() if known else {"inplace": False} if callee.startswith("nn.") else {}

    def _in_order(self, callee: str, keywords: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
        known = self.signatures.get(callee)
        if known is None:
            return keywords
        position = {name: number for number, (name, _, _) in enumerate(known.arguments)}
        return tuple(sorted(keywords, key=lambda keyword: position[keyword[0]]))


def _bound(value: Computed | int) -> str:
    """A bound of a loop in a constructor."""
    return value_text(value, 0)


def _base_of(plan: Plan) -> str:
    """What a class derives from: children whose names are no words of Python are those of a `nn.ModuleDict`."""
    if plan.body.sequential:
        return "nn.Sequential"
    steps = [step for step in steps_in(plan.body.items) if step.made is not None]
    odd = any(not (step.label or step.name).partition(".")[0].isidentifier() for step in steps)
    return "nn.ModuleDict" if odd else "nn.Module"


def _result_type(plan: Plan) -> str:
    if not plan.body.outputs:
        return "list[Tensor]" if plan.gives_several else "Tensor"
    always = any(always for _, _, always in plan.body.outputs)
    return f"{plan.name}Output" if always else f"Tensor | {plan.name}Output"


def output_class(plan: Plan) -> str:
    """The named tuple of a network that has several outputs."""
    lines = [
        f"class {plan.name}Output(NamedTuple):",
        f"    {docstring('The main output, then the further ones.', 4)}",
        "",
    ]
    lines += ["    output: Tensor"]
    ordered = sorted(plan.body.outputs, key=lambda output: not output[2])
    lines += [f"    {name}: Tensor{'' if always else ' | None = None'}" for name, _, always in ordered]
    return "\n".join(lines)


def _is_default(key: str, value: Any, defaults: dict[str, Any]) -> bool:
    if isinstance(value, Computed) or value is OMITTED or key not in defaults:
        return False
    return type(value) is type(defaults[key]) and bool(value == defaults[key])


def _attributes(stored: list[Computed], children: set[str]) -> dict[str, str]:
    """How each value that `forward` needs is reached: under its name, unless that is a child's or one of torch's own."""
    taken = children | MODULE_ATTRIBUTES
    found: dict[str, str] = {}
    for value in stored:
        own = value.name
        while own in taken:
            own += "_"
        taken |= {own}
        found[value.text] = f"self.{own}"
    return found


def _kept_values(plan: Plan) -> list[Computed]:
    """The computed values that `forward` needs, of those in loops the values in them."""
    values: list[Any] = [plan.body.output.item, plan.body.output.flag]
    for loop in _loops_in(plan.body.items):
        values += [loop.start, loop.stop]
    for step in steps_in(plan.body.items):
        for reference in step.inputs:
            values += [reference.item, reference.flag if reference.other is not None else None]
        if step.expression is not None:
            values += [step.flag, *(value for _, value in step.expression.values)]
    found: dict[str, Computed] = {}
    for value in values:
        if isinstance(value, Computed):
            parts = (
                [value]
                if value.parts is None
                else [Computed(python_name(name), python_name(name)) for name in value.parts]
            )
            found |= {part.text: part for part in parts if part.text not in found}
    return list(found.values())


def _loops_in(items: Sequence[Item]) -> Iterator[Loop]:
    for item in items:
        if isinstance(item, Loop):
            yield item
            yield from _loops_in(item.items)


def _init_line(signature: Signature) -> str:
    parts = ["self"]
    for name, kind, default in signature.arguments:
        parts.append(f"{name}: {kind}" if default is ABSENT else f"{name}: {kind} = {literal(default)}")
    return f"{call_text('def __init__', parts, 4)} -> None:"


def docstring(text: str, indent: int = 0) -> str:
    """A text as a docstring, in which nothing can end it; `indent` is that of its lines."""
    inner = quoted(" ".join(text.split()))[1:-1]
    pad = " " * indent
    lines = wrap(inner, WIDTH - indent - 6, break_long_words=False, break_on_hyphens=False) or [""]
    return f'"""{f"{chr(10)}{pad}".join(lines)}"""'


def sentence(text: str) -> str:
    """A text with a capital in front and a mark behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "\N{HORIZONTAL ELLIPSIS}")) else ".")
