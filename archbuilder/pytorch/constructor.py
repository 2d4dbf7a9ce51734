"""How a class's constructor says the values that its instances need: literals, expressions of its arguments, arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.pytorch.formulas import (
    BLOCK_CHANNELS,
    IN_CHANNELS,
    Tree,
    Unsaid,
    is_function,
    literal_tree,
    names_in,
    parse,
    python_text,
    same,
    simplified,
    value_of,
)
from archbuilder.pytorch.names import argument_name
from archbuilder.pytorch.views import Given, View, plain

ABSENT: Final = object()
"""Stands where an instance has nothing, so that any value would do."""


class CannotUnify(Exception):
    """Instances differ in more than values; they need classes of their own."""


@dataclass(frozen=True)
class Computed:
    """A value that a constructor computes from its arguments: as text, and what it is called where it has to be kept.

    What changes with the turns of a loop cannot be kept. Its `tree` is computed again where it is needed, and its `parts` are
    kept: the names in it beside those of loops.
    """

    text: str
    name: str
    tree: Tree | None = field(default=None, compare=False, repr=False)
    parts: tuple[str, ...] | None = None

    def in_words(self, kept: Mapping[str, str]) -> str:
        """Its text where what is kept is reached by other words."""
        if self.tree is None or self.parts is None:
            return kept[self.text]
        parts = self.parts
        return python_text(self.tree, lambda name: kept[python_name(name)] if name in parts else python_name(name))


@dataclass(frozen=True)
class Argument:
    """An argument of a constructor: its name there, its value in each instance, and what the spec calls it, if it does."""

    name: str
    values: tuple[Any, ...]
    source: str | None = None
    default: Any = ABSENT


@dataclass
class Constructor:
    """The arguments of a class, and what is computed from them, found by asking for values.

    `views` are those of the instances; `formulas` the expressions by which the block computes some of its names; `free` the
    names that are arguments although all instances have one value for them, as the parameters of a network are. `choices` are
    the conditions by which the step at hand chooses what it takes. `rows` are what names mean wherever the values at hand are
    needed: in each instance, or in each turn of a loop of each instance.
    """

    views: list[View]
    formulas: Mapping[str, str]
    free: AbstractSet[str]
    choices: list[Tree] = field(default_factory=list)
    rows: list[Mapping[str, Any]] = field(default_factory=list)
    arguments: dict[str, Argument] = field(default_factory=dict)
    derived: dict[str, Tree] = field(default_factory=dict)
    _known: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        first = self.views[0].scope
        self.rows = [view.scope for view in self.views]
        self._known = {
            name: value for name, value in first.items() if name not in self.free and self._is_same(name, value)
        }

    def _is_same(self, name: str, value: Any) -> bool:
        return all(name in view.scope and same(view.scope[name], value) for view in self.views)

    # ---- values -------------------------------------------------------------------------------------------------

    def value(self, values: Sequence[Any], hint: str) -> Any:
        """A literal, if the values of all instances agree; else an expression that gives them; else an argument."""
        given = [plain(value) for value in values if value is not ABSENT]
        alike = all(same(value, given[0]) for value in given)
        part = len(given) < len(
            values
        )  # a stride of shortcuts that some lack follows `stride`, though all there are have 2
        if alike and not (self.free or part):
            return given[0]
        trees = [tree for value in values if isinstance(value, Given) for tree in value.trees()]
        if alike and not part:
            trees = [tree for tree in trees if any(name in self.free for name in names_in(tree))]
        wanted = [value if value is ABSENT else plain(value) for value in values]
        computed = self.expression(trees, wanted, hint)
        if computed is None and not alike:
            computed = self.expression(self._chosen(trees), wanted, hint)
        if computed is not None or alike:
            return given[0] if computed is None else computed
        if not all(isinstance(value, int | float | str | tuple | None) for value in given):
            raise CannotUnify
        return self._argument(wanted, hint)

    def _chosen(self, trees: list[Tree]) -> Iterator[Tree]:
        """One of two trees, by what the step chooses what it takes."""
        distinct = list({ast.unparse(tree): tree for tree in trees}.values())
        for choice in self.choices:
            for one in distinct:
                yield from (ast.IfExp(choice, one, other) for other in distinct if other is not one)

    def expression(self, trees: Iterable[Tree], values: Sequence[Any], hint: str) -> Computed | None:
        """The first of some trees that gives the right value in every instance, or the whole number that stands for it."""
        tried: set[str] = set()
        whole: Tree | None = None
        for tree in trees:
            simple = self.simple(tree)
            text = ast.unparse(simple)
            if text in tried or isinstance(simple, ast.Constant):
                continue
            tried.add(text)
            if not all(map(self._can_be_known, names_in(simple))):
                continue
            if self.gives(simple, values):
                return self.computed(simple, hint)
            if whole is None and _gives(simple, self.rows, values, _stands_for):
                whole = ast.Call(ast.Name("float", ast.Load()), [simple], [])
        return None if whole is None else self.computed(whole, hint)

    def simple(self, tree: Tree) -> Tree:
        """A tree in which what all instances have in common is computed."""
        return simplified(tree, self._known)

    def gives(self, tree: Tree, values: Sequence[Any]) -> bool:
        """Whether a tree gives the right value wherever one is needed."""
        return _gives(tree, self.rows, values)

    def computed(self, tree: Tree, hint: str, *, in_parts: bool = False) -> Computed:
        """A simple tree as the constructor's text, which then knows its names. It is kept `in_parts` where a loop needs it."""
        turning = {name for scope in self.rows for name in scope.keys() - self.views[0].scope.keys()}
        found = list(names_in(tree))
        names = [name for name in found if name not in turning]
        for name in names:
            self._need(name)
        text = python_text(tree, python_name)
        if in_parts or len(names) < len(found):
            return Computed(text, "", tree, tuple(names))
        return Computed(text, python_name(tree.id) if isinstance(tree, ast.Name) else argument_name(hint))

    def flag(self, values: Sequence[Any], trees: Iterable[Tree], name: str) -> Any:
        """Whether a part is there: true or false, if all instances agree, else an expression or an argument."""
        there = [value for value in values if value is not ABSENT]
        if all(same(value, there[0]) for value in there):
            return there[0]
        trees = list(trees)
        computed = self.expression(trees, values, f"with_{name}")
        if computed is not None:
            return computed
        slot = _slot_in(trees)  # which gives its name to the flag, unless that may be needed for its own value
        return self._argument(values, f"with_{name}" if slot is None or self._can_be_known(slot) else slot)

    # ---- names --------------------------------------------------------------------------------------------------

    def _can_be_known(self, name: str) -> bool:
        """Whether a constructor can be told the values of a name; what is in a slot cannot be written there."""
        return all(is_literal(scope.get(name)) for scope in self.rows)

    def _need(self, name: str) -> None:
        """Makes a name of the block known in the constructor: computed where its formula holds, else an argument."""
        if name in self.derived or name in self.arguments:
            return
        values = [view.scope.get(name, ABSENT) for view in self.views]
        formula = self.formulas.get(name)
        tree = self._by_formula(formula, values) if formula is not None else None
        if tree is None:
            default = values[0] if name in self.free else ABSENT
            self.arguments[name] = Argument(python_name(name), tuple(values), name, default)
            return
        for other in names_in(tree):
            self._need(other)
        self.derived[name] = tree

    def _by_formula(self, formula: str, values: Sequence[Any]) -> Tree | None:
        """The formula of a name, if that gives the right value in every instance, and something varies in it."""
        tree, view = parse(formula), self.views[0]
        if tree is None:
            return None
        try:
            simple = self.simple(view.said(tree))
        except Unsaid:
            return None
        holds = _gives(simple, [each.scope for each in self.views], values)
        return simple if not isinstance(simple, ast.Constant) and holds else None

    def _argument(self, values: Sequence[Any], hint: str) -> Computed:
        """An argument for what no expression gives: it has the name of what it is for."""
        if len(values) != len(self.views):
            raise CannotUnify  # an argument has one value in each instance
        name, number = argument_name(hint), 2
        wanted = name
        taken = {each.name: each.values for each in self.arguments.values()} | dict.fromkeys(
            (python_name(each) for each in self.derived), ()
        )
        while name in taken and not agree(values, taken[name]):
            name, number = f"{wanted}{number}", number + 1
        before = taken.get(name) or (ABSENT,) * len(values)
        joined = tuple(new if old is ABSENT else old for old, new in zip(before, values, strict=True))
        self.arguments[f"={name}"] = Argument(name, joined)
        return Computed(name, name)

    def ordered(self) -> tuple[Argument, ...]:
        """All arguments: the channels first, then those of the block in its own order, then the others."""
        own = [IN_CHANNELS, BLOCK_CHANNELS, *self.views[0].graph.bindings]
        rank = {name: at for at, name in enumerate(dict.fromkeys(own))}
        return tuple(self.arguments[key] for key in sorted(self.arguments, key=lambda key: rank.get(key, len(rank))))

    def lines(self) -> tuple[tuple[str, str], ...]:
        """What is computed before anything is made: names, each with its expression."""
        return tuple((python_name(name), python_text(tree, python_name)) for name, tree in self.derived.items())


def python_name(name: str) -> str:
    """What a class calls something that its block calls `name`."""
    return argument_name(f"{name}_" if is_function(name) else name)


def _gives(
    tree: Tree, scopes: Sequence[Mapping[str, Any]], values: Sequence[Any], fits: Callable[[Any, Any], bool] = same
) -> bool:
    """Whether a tree gives, in each of some scopes, the value that is needed there."""
    return all(
        value is ABSENT or fits(value_of(tree, scope), value) for scope, value in zip(scopes, values, strict=True)
    )


def _stands_for(found: Any, needed: Any) -> bool:
    """Whether a number is the one that is needed, written as a whole one or not: a block's `rate: 0` is 0.0 to an op."""
    return type(needed) is float and type(found) in (int, float) and bool(found == needed)


def _slot_in(trees: list[Tree]) -> str | None:
    """The slot on which it depends whether a part is there: a class is told so by its name, since it cannot be told a block."""
    for tree in trees:
        if isinstance(tree, ast.Compare) and isinstance(tree.left, ast.Name) and isinstance(tree.ops[0], ast.IsNot):
            return tree.left.id
    return None


def is_literal(value: Any) -> bool:
    """Whether a value can be written in a call: a number, a text, true, false, nothing, or several of these."""
    return literal_tree(value) is not None or (isinstance(value, tuple) and all(map(is_literal, value)))


def agree(values: Sequence[Any], known: Sequence[Any]) -> bool:
    """Whether two rows of values are equal wherever both have one."""
    pairs = zip(values, known, strict=True)
    return bool(known) and all(value is ABSENT or other is ABSENT or same(value, other) for value, other in pairs)
