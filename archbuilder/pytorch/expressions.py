"""The expressions that make a class's children, and how those of several instances become one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from archbuilder.graph.answers import Construct, Expression
from archbuilder.pytorch.constructor import ABSENT, CannotUnify, Computed, Constructor
from archbuilder.pytorch.formulas import Tree
from archbuilder.pytorch.views import Given, plain


@dataclass(frozen=True)
class Conditional:
    """A module in the instances whose flag is set, `nn.Identity()` in the others."""

    flag: Computed
    made: Module


@dataclass(frozen=True)
class Run:
    """Equal modules, one behind the other; with a `flag`, only in the instances where that is set. `conditions` are those on
    which the step is there; where it `is_left_out`, it stands for nothing."""

    made: Module
    count: Any = 1
    flag: Computed | None = None
    conditions: tuple[Tree, ...] = field(default=(), compare=False, repr=False)
    is_left_out: bool = False


@dataclass(frozen=True)
class Chain:
    """An `nn.Sequential`. `names` are its children's where they are not numbers from 0; `places` are its runs, and those of
    steps that were left out. `of_streams` says that several values at once go through it."""

    places: tuple[Run, ...]
    names: tuple[str, ...] = ()
    of_streams: bool = False

    @property
    def runs(self) -> tuple[Run, ...]:
        """What is there."""
        return tuple(run for run in self.places if not run.is_left_out)


Module: TypeAlias = Construct | Chain | Conditional

IDENTITY: Final = Construct("nn.Identity")


def unify_modules(made: Sequence[Any], constructor: Constructor, hint: str, conditions: Iterable[Tree] = ()) -> Module:
    """One expression for the modules of all instances (`ABSENT` where an instance has none).

    Args:
        made: the module of each instance.
        constructor: says values that differ.
        hint: what an argument for a part of it is called after.
        conditions: on what it may depend that some instances have an identity.

    Raises:
        CannotUnify: if they are not of one form.
    """
    present = [each for each in made if each is not ABSENT]
    real = [each for each in present if each != IDENTITY]
    if not real:
        return IDENTITY
    if len(real) == len(present):
        return _unify_present(made, constructor, hint)
    flag = constructor.flag([each if each is ABSENT else each != IDENTITY for each in made], conditions, hint)
    there = [ABSENT if each is ABSENT or each == IDENTITY else each for each in made]
    return Conditional(flag, _unify_present(there, constructor, hint))


def unify_expressions(made: Sequence[Any], constructor: Constructor, hint: str) -> Expression:
    """One expression for those of all instances (`ABSENT` where an instance has none).

    Raises:
        CannotUnify: if they are not of one form.
    """
    found = [each for each in made if each is not ABSENT]
    first = found[0]
    if not all(isinstance(each, Expression) and each.template == first.template for each in found):
        raise CannotUnify
    columns = [[each if each is ABSENT else each.values[at][1] for each in made] for at in range(len(first.values))]
    values = [
        (key, constructor.value(column, f"{hint}_{key}" if hint else key))
        for (key, _), column in zip(first.values, columns, strict=True)
    ]
    return Expression(first.template, tuple(values))


def _unify_present(made: Sequence[Any], constructor: Constructor, hint: str) -> Module:
    first = next(each for each in made if each is not ABSENT)
    if any(each is not ABSENT and type(each) is not type(first) for each in made):
        raise CannotUnify
    if isinstance(first, Construct):
        return _unify_constructs(made, first, constructor, hint)
    if isinstance(first, Chain):
        return _unify_chains(made, first, constructor, hint)
    raise CannotUnify


def _unify_constructs(made: Sequence[Any], first: Construct, constructor: Constructor, hint: str) -> Construct:
    keys = [key for each in made if each is not ABSENT for key, _ in each.keywords]
    order = sorted(dict.fromkeys(keys), key=_keyword_rank)
    for each in made:
        if each is not ABSENT and (each.callee != first.callee or len(each.arguments) != len(first.arguments)):
            raise CannotUnify
    positional = tuple(
        _unify_values(_column(made, at), constructor, f"{hint}_{_word_for(first, at)}")
        for at in range(len(first.arguments))
    )
    keywords = tuple((key, _unify_values(_keyword(made, key), constructor, f"{hint}_{key}")) for key in order)
    return Construct(first.callee, positional, keywords, first.sources)


def _word_for(made: Construct, position: int) -> str:
    """What a value without a keyword is called: as the parameter of the op that it comes from."""
    sources = made.sources.get(position, ())
    return next((text for text in sources if text.isidentifier()), "channels" if sources else "value")


def _keyword_rank(key: str) -> int:
    """Where a keyword stands in a call: as torch orders them; others keep their order, in front."""
    return _KEYWORD_ORDER.index(key) if key in _KEYWORD_ORDER else -1


_KEYWORD_ORDER: Final = (
    "kernel_size", "stride", "padding", "margins", "dilation", "groups", "ceil_mode", "bias", "padding_mode", "eps", "momentum",
)  # fmt: skip


def _column(made: Sequence[Any], number: int) -> list[Any]:
    return [each if each is ABSENT else each.arguments[number] for each in made]


def _keyword(made: Sequence[Any], key: str) -> list[Any]:
    return [each if each is ABSENT else dict(each.keywords).get(key, DEFAULTS.get(key, ABSENT)) for each in made]


DEFAULTS: Final[dict[str, Any]] = {
    "stride": 1,
    "padding": 0,
    "margins": (0, 0, 0, 0),
    "same": False,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "inplace": False,
    "eps": 1e-5,
    "momentum": 0.1,
    "ceil_mode": False,
    "count_include_pad": True,
    "padding_mode": "zeros",
    "align_corners": None,
    "negative_slope": 0.01,
    "alpha": 1.0,
    "approximate": "none",
}
"""What torch, or a helper, takes where a keyword is left out; needed where only some instances write it."""


def _unify_values(values: Sequence[Any], constructor: Constructor, hint: str) -> Any:
    if any(isinstance(value, Construct | Chain | Conditional) for value in values):
        return unify_modules(values, constructor, hint)
    if hint.endswith("_inplace"):  # in place only where every instance allows it
        return all(plain(value) is True for value in values if value is not ABSENT)
    return constructor.value(values, hint)


def _unify_chains(made: Sequence[Any], first: Chain, constructor: Constructor, hint: str) -> Chain:
    there = [each for each in made if each is not ABSENT]
    if any((each.names, each.of_streams) != (first.names, first.of_streams) for each in there):
        raise CannotUnify
    in_step = all(_kinds(each) == _kinds(first) for each in there) or first.names
    columns: list[Any] = [each if each is ABSENT else each.runs if in_step else each.places for each in made]
    (length, *others) = {len(column) for column in columns if column is not ABSENT}
    if others:
        raise CannotUnify
    rows = [[each if each is ABSENT else each[at] for each in columns] for at in range(length)]
    rows = [row for row in rows if any(isinstance(run, Run) and not run.is_left_out for run in row)]
    before: list[Any] = [0 for _ in made]
    runs = []
    for at, row in enumerate(rows):
        runs.append(_unify_runs(row, constructor, f"{hint}_{at}" if len(rows) > 1 else hint, f"{hint}_depth", before))
        before = [
            count + (plain(run.count) if isinstance(run, Run) and not run.is_left_out else 0)
            for count, run in zip(before, row, strict=True)
        ]
    return Chain(tuple(runs), first.names, first.of_streams)


def _kinds(chain: Chain) -> list[Any]:
    """What stands in a list, roughly: lists of one length and the same kinds need no look at what was left out."""
    return [run.made.callee if isinstance(run.made, Construct) else type(run.made) for run in chain.runs]


def _unify_runs(row: list[Any], constructor: Constructor, hint: str, depth: str, before: list[int]) -> Run:
    """One run for those of all instances; where an instance leaves it out, later ones move up there.

    `before` says how many of the list stand before it in each instance.
    """
    runs = [run for run in row if isinstance(run, Run)]
    conditions = [tree for run in runs for tree in run.conditions]
    presence = constructor.flag([run if run is ABSENT else not run.is_left_out for run in row], conditions, hint)
    flag = presence if isinstance(presence, Computed) else None
    given: list[Any] = [run if isinstance(run, Run) and not run.is_left_out else ABSENT for run in row]
    if flag is not None and any(run is not ABSENT and plain(run.count) != 1 for run in given):
        raise CannotUnify
    made = unify_modules([run if run is ABSENT else run.made for run in given], constructor, hint, conditions)
    counts = [run if run is ABSENT else _rest(run.count, number) for run, number in zip(given, before, strict=True)]
    return Run(made, constructor.value(counts, depth), flag)


def _rest(count: Any, before: int) -> Any:
    """How many repeats a run has: all, without those that stand before it."""
    if not isinstance(count, Given) or not before:
        return count
    subtracted = ast.Constant(before)
    return Given(count.value, lambda: [ast.BinOp(tree, ast.Sub(), subtracted) for tree in count.trees()])
