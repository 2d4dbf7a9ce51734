"""Expressions as text: on one line where it fits, else one part a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any, Final

from archbuilder.graph.answers import Construct
from archbuilder.pytorch.constructor import CannotUnify, Computed
from archbuilder.pytorch.expressions import Chain, Conditional, Module, Run
from archbuilder.pytorch.formulas import quoted
from archbuilder.pytorch.plans import Loop

WIDTH: Final = 100


def literal(value: Any) -> str:
    """A value of an op as Python source. Nothing else can get into the text.

    Raises:
        TypeError: for a value that no op has.
    """
    if value is None or type(value) in (bool, int, float):
        return repr(value)
    if type(value) is tuple:
        inner = ", ".join(literal(each) for each in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if type(value) is str:
        return quoted(value)
    raise TypeError(f"no literal for {type(value).__name__}")


def value_text(value: Any, indent: int) -> str:
    """A literal, an argument or a module."""
    if isinstance(value, Computed):
        return value.text
    if isinstance(value, Construct | Chain | Conditional):
        return module_text(value, indent)
    return literal(value)


def module_text(made: Module, indent: int) -> str:
    """The expression that makes a module; `indent` is that of the line it stands in."""
    if isinstance(made, Conditional):
        return _choice_text(made, indent)
    if isinstance(made, Chain):
        return _chain_text(made, indent)
    parts = [value_text(value, indent + 4) for value in made.arguments]
    parts += [f"{key}={value_text(value, indent + 4)}" for key, value in made.keywords if value is not OMITTED]
    return call_text(made.callee, parts, indent)


def _choice_text(made: Conditional, indent: int) -> str:
    line = f"{module_text(made.made, indent)} if {made.flag.text} else nn.Identity()"
    if "\n" not in line and len(line) + indent <= WIDTH:
        return line
    pad = " " * (indent + 4)
    inner = module_text(made.made, indent + 4)
    return f"(\n{pad}{inner}\n{pad}if {made.flag.text}\n{pad}else nn.Identity()\n{' ' * indent})"


OMITTED: Final = object()
"""An argument that is left out because the default is meant."""


def call_text(callee: str, parts: Sequence[str], indent: int, *, last_comma: bool = True) -> str:
    """A call, its parts on one line where they fit; plain ones on a line of their own where that helps."""
    together = ", ".join(parts)
    line = f"{callee}({together})"
    if not parts or ("\n" not in line and len(line) + indent <= WIDTH):
        return line
    pad = " " * (indent + 4)
    if "\n" not in line and "(" not in together and len(pad) + len(together) <= WIDTH:
        return f"{callee}(\n{pad}{together}\n{' ' * indent})"
    lines = ",\n".join(f"{pad}{part}" for part in parts)
    return f"{callee}(\n{lines}{',' * last_comma}\n{' ' * indent})"


def _chain_text(chain: Chain, indent: int) -> str:
    if chain.names:
        return _named_chain_text(chain, indent)
    return call_text(_sequential(chain), runs_text(chain.runs, indent + 4), indent)


def _sequential(chain: Chain) -> str:
    return "StreamSequential" if chain.of_streams else "nn.Sequential"


def _named_chain_text(chain: Chain, indent: int) -> str:
    made = [run.made for run in chain.runs for _ in range(run.count)]
    pairs = [f"({quoted(name)}, {module_text(each, indent + 4)})" for name, each in zip(chain.names, made, strict=True)]
    return f"{_sequential(chain)}(OrderedDict({_list_text(pairs, indent)}))"


def _list_text(parts: Sequence[str], indent: int) -> str:
    line = f"[{', '.join(parts)}]"
    if "\n" not in line and len(line) + indent <= WIDTH:
        return line
    pad = " " * (indent + 4)
    return "[\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + "]"


def range_text(loop: Loop, text: Callable[[Any], str]) -> str:
    """The numbers that a loop runs over; `text` says one of its bounds."""
    return f"range({text(loop.stop)})" if loop.start == 0 else f"range({text(loop.start)}, {text(loop.stop)})"


def module_list_text(runs: Sequence[Run], indent: int) -> str:
    """An `nn.ModuleList`; written as a loop where all are equal."""
    together = joined(runs)
    run = together[0]
    if len(together) == 1 and isinstance(run, Run) and run.count != 1:
        loop = f"{module_text(run.made, indent + 4)} for _ in range({value_text(run.count, indent)})"
        return call_text("nn.ModuleList", [loop], indent, last_comma=False)
    varied = _varied([run.made for run in runs]) if all(run.count == 1 and run.flag is None for run in runs) else None
    if varied is not None:
        made, names, rows = varied
        numbers = ", ".join(literal(row) for row in rows)
        loop = f"{module_text(made, indent + 4)} for {', '.join(names)} in ({numbers})"
        return call_text("nn.ModuleList", [loop], indent, last_comma=False)
    return f"nn.ModuleList({_list_text([module_text(run.made, indent + 4) for run in runs], indent)})"


def _varied(modules: Sequence[Module]) -> tuple[Module, list[str], list[tuple[int, ...]]] | None:
    """Modules that differ in a few numbers, as one with names for these, and the numbers of each; None if they are no such."""
    columns: dict[tuple[int, ...], str] = {}
    if len(modules) < 3:
        return None
    try:
        made = _with_names(modules, columns, "value")
    except CannotUnify:
        return None
    rows = list(zip(*columns, strict=True))
    return (made, list(columns.values()), rows) if len(columns) > 1 else None


def _with_names(values: Sequence[Any], columns: dict[tuple[int, ...], str], hint: str) -> Any:
    """One value for several: numbers that differ get names, which are noted with their columns."""
    first = values[0]
    if all(value == first for value in values) and not isinstance(first, Computed):
        return first
    if all(type(value) is int for value in values):
        column = tuple(values)
        if column not in columns:
            if hint in columns.values():
                raise CannotUnify
            columns[column] = hint
        return Computed(columns[column], columns[column])
    if isinstance(first, Construct) and all(_is_alike(first, value) for value in values):
        positional = tuple(
            _with_names([each.arguments[at] for each in values], columns, _POSITIONAL.get(at, "value"))
            for at in range(len(first.arguments))
        )
        keywords = tuple(
            (key, _with_names([each.keywords[at][1] for each in values], columns, key))
            for at, (key, _) in enumerate(first.keywords)
        )
        return Construct(first.callee, positional, keywords)
    if isinstance(first, Chain) and all(
        isinstance(each, Chain) and len(each.runs) == len(first.runs) for each in values
    ):
        if first.names or any(run.count != 1 or run.flag is not None for each in values for run in each.runs):
            raise CannotUnify
        runs = range(len(first.runs))
        alike = [[each.runs[at].made for each in values] for at in runs]
        return Chain(tuple(Run(_with_names(each, columns, hint)) for each in alike), of_streams=first.of_streams)
    raise CannotUnify


_POSITIONAL: Final = {0: "in_channels", 1: "width"}


def _is_alike(first: Construct, other: Any) -> bool:
    """Whether two calls differ in values only."""
    if not isinstance(other, Construct) or first.callee != other.callee or len(first.arguments) != len(other.arguments):
        return False
    return [key for key, _ in first.keywords] == [key for key, _ in other.keywords]


def runs_text(runs: Sequence[Run], indent: int) -> list[str]:
    """Modules one behind the other; equal ones, or ones that differ in one number, are written once."""
    parts: list[str] = []
    for run in joined(runs):
        if isinstance(run, Run) and run.flag is not None:
            parts.append(_optional_text(run.made, run.flag, indent))
        elif isinstance(run, Run):
            many = f"range({value_text(run.count, indent)})"
            parts.append(module_text(run.made, indent) if run.count == 1 else _loop_text(run.made, "_", many, indent))
        else:
            parts.append(_loop_text(run.made, run.variable, _numbers_text(run.values, indent + 4), indent))
    return parts


def _optional_text(made: Module, flag: Computed, indent: int) -> str:
    """A module that is there where a flag is set, as an argument of a call."""
    return f"*([{module_text(made, indent)}] if {flag.text} else [])"


def _loop_text(made: Module, variable: str, values: str, indent: int) -> str:
    """Modules made in a loop, as arguments of a call."""
    line = f"*({module_text(made, indent)} for {variable} in {values})"
    if "\n" not in values and len(line.rpartition("\n")[2]) + indent <= WIDTH:
        return line
    pad = " " * (indent + 4)
    return f"*(\n{pad}{module_text(made, indent + 4)}\n{pad}for {variable} in {values}\n{' ' * indent})"


def _numbers_text(numbers: Sequence[Any], indent: int) -> str:
    """Numbers in brackets, as many in a line as fit, also where that is folded into a deeper one."""
    line = literal(tuple(numbers))
    pad = " " * (indent + 4)
    if len(line) + indent + 20 <= WIDTH:  # behind the loop's variable
        return line
    return (
        "(\n"
        + fill(line[1:-1].rstrip(","), WIDTH - 8, initial_indent=pad, subsequent_indent=pad)
        + f",\n{' ' * indent})"
    )


@dataclass
class Series:
    """Modules that differ in one number only: `made` for each of `values` as `variable`."""

    made: Module
    variable: str
    values: list[Any]


def joined(runs: Sequence[Run]) -> list[Run | Series]:
    """Runs with equal neighbours joined, and neighbours that differ in one keyword's number as a loop over it."""
    found: list[Run | Series] = []
    position = 0
    while position < len(runs):
        run = runs[position]
        series = _series(runs, position)
        if series is not None:
            found.append(series)
            position += len(series.values)
            continue
        last = found[-1] if found else None
        if isinstance(last, Run) and last.made == run.made and _can_join(last, run):
            found[-1] = Run(run.made, last.count + run.count)
        else:
            found.append(run)
        position += 1
    return found


def _can_join(left: Run, right: Run) -> bool:
    if left.flag is not None or right.flag is not None:
        return False
    return isinstance(left.count, int) and isinstance(right.count, int)


def _series(runs: Sequence[Run], start: int) -> Series | None:
    first = runs[start].made
    if runs[start].count != 1 or not isinstance(first, Construct) or start + 1 >= len(runs) or runs[start].flag:
        return None
    key = _only_difference(first, runs[start + 1])
    if key is None or any(
        isinstance(value, Computed) and re.search(rf"\b{key}\b", value.text) for _, value in first.keywords
    ):
        return None  # the loop's variable would hide an argument
    values = [dict(first.keywords)[key]]
    for run in runs[start + 1 :]:
        if _only_difference(first, run) != key:
            break
        values.append(dict(run.made.keywords)[key])  # type: ignore[union-attr]
    keywords = tuple((name, Computed(key, key) if name == key else value) for name, value in first.keywords)
    return Series(Construct(first.callee, first.arguments, keywords), key, values)


def _only_difference(first: Construct, run: Run) -> str | None:
    """The one keyword whose number differs."""
    other = run.made
    if run.count != 1 or run.flag or not isinstance(other, Construct):
        return None
    if other.callee != first.callee or other.arguments != first.arguments:
        return None
    mine, theirs = dict(first.keywords), dict(other.keywords)
    if mine.keys() != theirs.keys():
        return None
    different = [key for key in mine if mine[key] != theirs[key]]
    return different[0] if len(different) == 1 and isinstance(mine[different[0]], int | float) else None
