"""Plans -> the text of classes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from textwrap import wrap
from typing import Any, Final

from archbuilder.graph.names import MODULE_ATTRIBUTES
from archbuilder.graph.op import Construct
from archbuilder.pytorch.constructor import ABSENT, Argument, Computed
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
    runs_text,
)
from archbuilder.pytorch.plans import Plan, PlannedStep, Reference

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
    names = [name for kind, name in _KINDS if kind in _types(values)]
    return " | ".join(names) + (" | None" if _spare(values) is None else "")


def _types(values: tuple[Any, ...]) -> set[type]:
    return {type(value) for value in values if value is not ABSENT}


_KINDS: Final = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (tuple, "tuple[int, int]"),
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
        base = "nn.Sequential" if plan.sequential else "nn.Module"
        lines = [f"class {plan.name}({base}):"]
        if plan.help:
            lines += [f"    {docstring(sentence(plan.help), 4)}", ""]
        lines += members
        lines += self._sequential(plan) if plan.sequential else self._module(plan, signature)
        return "\n".join(lines)

    def _sequential(self, plan: Plan) -> list[str]:
        by_name = {step.name: step for step in plan.steps}
        runs = [Run(self.shortened(by_name[name].made)) for name in plan.order]
        return ["    def __init__(self) -> None:", f"        {call_text('super().__init__', runs_text(runs, 12), 8)}"]

    def _module(self, plan: Plan, signature: Signature) -> list[str]:
        access: dict[str, str] = {}
        made = self._children(plan, access)
        stored = _stored_values(plan)
        flags = _attributes(stored, {name.split(".")[0] for name in access})
        lines: list[str] = []
        if made or signature.arguments or stored:
            lines += [f"    {_init_line(signature)}", "        super().__init__()"]
            lines += [f"        {name} = {text}" for name, text in plan.derived]
            lines += [f"        {attribute} = {text}" for text, attribute in flags.items()]
            lines += [f"        {line}" for line in made]
        lines += ["    <initialise>"]
        result = "dict[str, Tensor]" if plan.returned else _result_type(plan)
        several = any(
            reference.item is not None for step in plan.steps for reference in step.inputs if reference.name is None
        )
        given = "tuple[Tensor, ...]" if several else "Tensor"
        lines += ["", f"    def forward(self, x: {given}) -> {result}:"]
        lines += [f"        {line}" for line in forward_lines(plan, access, flags)]
        return lines

    def _children(self, plan: Plan, access: dict[str, str]) -> list[str]:
        """The lines that make a class's children; notes in `access` how each is reached."""
        by_name = {step.name: step for step in plan.steps}
        tree: dict[str, Any] = {}
        for name in plan.order:
            level = tree
            *containers, last = name.split(".")
            for container in containers:
                level = level.setdefault(container, {})
            level[last] = by_name[name]
        lines = []
        for name, branch in tree.items():
            plain = name.isidentifier()
            reach = f"self.{name}" if plain else f"getattr(self, {quoted(name)})"
            made = self._branch(branch, reach, access, 8)
            lines.append(f"self.{name} = {made}" if plain else f"self.add_module({quoted(name)}, {made})")
        return lines

    def _branch(self, branch: Any, reach: str, access: dict[str, str], indent: int) -> str:
        """A child, or a container of children."""
        if isinstance(branch, PlannedStep):
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
        if all(isinstance(inner, PlannedStep) for inner in branch.values()):
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
            return Chain(tuple(replace(run, made=self.shortened(run.made)) for run in made.runs), made.names)
        if isinstance(made, Conditional):
            return Conditional(made.flag, self.shortened(made.made))
        if not isinstance(made, Construct):
            raise TypeError("a child is made by a call, a chain or a choice")
        defaults = self._defaults(made.callee)
        nested = tuple(self._nested(value) for value in made.arguments)
        keywords = tuple((key, self._nested(value)) for key, value in made.keywords)
        kept = tuple((key, value) for key, value in keywords if not _is_default(key, value, defaults))
        return Construct(made.callee, nested, self._in_order(made.callee, kept))

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


def _result_type(plan: Plan) -> str:
    if not plan.outputs:
        return "tuple[Tensor, ...]" if plan.gives_several else "Tensor"
    always = any(always for _, _, always in plan.outputs)
    return f"{plan.name}Output" if always else f"Tensor | {plan.name}Output"


def output_class(plan: Plan) -> str:
    """The named tuple of a network that has several outputs."""
    lines = [
        f"class {plan.name}Output(NamedTuple):",
        f"    {docstring('The main output, then the further ones.', 4)}",
        "",
    ]
    lines += ["    output: Tensor"]
    ordered = sorted(plan.outputs, key=lambda output: not output[2])
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


def _stored_values(plan: Plan) -> list[Computed]:
    """The computed values that `forward` needs."""
    found: dict[str, Computed] = {}

    def note(value: Any) -> None:
        if isinstance(value, Computed):
            found.setdefault(value.text, value)

    def note_reference(reference: Reference) -> None:
        if reference.other is not None:
            note(reference.flag)

    for step in plan.steps:
        for reference in step.inputs:
            note_reference(reference)
        if step.expression is not None:
            note(step.flag)
            for _, value in step.expression.values:
                note(value)
    note_reference(plan.output)
    return list(found.values())


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
