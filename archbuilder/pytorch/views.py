"""A graph as the class around it sees it: what its values follow from, in the words of that class."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.graph.answers import Construct, Expression
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, Vector
from archbuilder.language.formula import Formula
from archbuilder.parameters import REQUIRED
from archbuilder.pytorch.formulas import (
    BLOCK_CHANNELS,
    IN_CHANNELS,
    Names,
    Tree,
    Unsaid,
    in_other_words,
    literal_tree,
    parse,
    same,
    value_of,
)

_DEEPEST: Final = 8
"""Through how many calls, one in the other, a value is followed: each asks twice, for what goes in and what comes out."""


class Given:
    """A value in the call that makes a module, and what it follows from: trees, of which one may hold in all instances.

    Two are equal if their values are.
    """

    __slots__ = ("trees", "value")

    def __init__(self, value: Any, trees: Callable[[], list[Tree]]) -> None:
        self.value, self.trees = value, trees

    def __eq__(self, other: object) -> bool:
        return same(self.value, plain(other))

    def __hash__(self) -> int:
        return hash(self.value)


def plain(value: Any) -> Any:
    """The value itself, without what it follows from."""
    return value.value if isinstance(value, Given) else value


def channels_of_shape(shape: Shape) -> int | tuple[int, ...] | None:
    """The channels of a value, or of each of several; None where it has none."""
    if isinstance(shape, Streams):
        found = [channels_of_shape(each) for each in shape]
        return tuple(each for each in found if isinstance(each, int)) if all(found) else None
    return shape.channels if isinstance(shape, Map | Vector | Tokens) else None


def scope_of(graph: Graph) -> dict[str, Any]:
    """What the names of a class mean in one of its instances."""
    scope = {name: value for name, value in graph.bindings.items() if name not in ("input", IN_CHANNELS)}
    around = graph.bindings.get("input")
    for name, shape in ((BLOCK_CHANNELS, around), (IN_CHANNELS, graph.input)):
        channels = channels_of_shape(shape) if shape is not None else None
        if channels is not None:
            scope[name] = channels
    return scope


@dataclass(eq=False)
class View:
    """A graph seen from a class: the class's own, or one that stands in it without a class of its own.

    `names` are those of the expressions in the graph, `channels` those of its input, `block_channels` what `input.channels`
    means in its expressions; each in the words of the class, None where there are none. `scope` has what these words mean
    in the instance at hand. `in_loop` says that it is a turn of a loop that stays a loop: then its variable is a
    name, and `into` says what goes into a node by what that reads.
    """

    graph: Graph
    scope: Mapping[str, Any]
    names: Names
    channels: Tree | None
    block_channels: Tree | None
    into: Callable[[Node], Tree | None] | None = None
    in_loop: bool = False
    depth: int = 0
    known: dict[Value, Tree | None] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def own(cls, graph: Graph, *, same_input: bool) -> View:
        """The view that a class has of its own graph; `same_input` says whether a body without a name takes what the block
        around it takes."""
        scope = scope_of(graph)
        own = ast.Name(IN_CHANNELS, ast.Load()) if IN_CHANNELS in scope else None
        block = own if same_input else ast.Name(BLOCK_CHANNELS, ast.Load()) if BLOCK_CHANNELS in scope else None
        return cls(graph, scope, lambda name: _name(name, scope), own, block)

    def inner(self, node: Node, graph: Graph) -> View:
        """The view of a graph that a node calls."""
        channels = self.channels_into(node) if node.inputs else None
        if not graph.definition:
            names, block = self._names_at(node), self.block_channels
        else:
            block = channels
            names = self._names_of_use(node, graph, channels)
        in_loop = self.in_loop and not graph.definition
        return View(graph, self.scope, names, channels, block, in_loop=in_loop, depth=self.depth + 1)

    def _names_of_use(self, node: Node, graph: Graph, channels: Tree | None) -> Names:
        """What the names of a block mean that a node uses: what it is told, or what that computes from it."""

        def look_up(name: str) -> Tree | None:
            if name not in graph.bindings:
                return None
            tree = self.told(node, name)
            if tree is None and name in graph.formulas:
                tree = _said(graph.formulas[name], look_up, channels)
            if tree is not None and self._is(tree, graph.bindings[name]):
                return tree
            return literal_tree(graph.bindings[name])

        return look_up

    def _names_at(self, node: Node) -> Names:
        """What names mean where a node stands: those of the graph, and the variables of the loops around it."""
        turns = {turn.variable: turn.number for turn in node.origin.turns} if node.origin is not None else {}
        if not turns or self.in_loop:
            return self.names
        return lambda name: ast.Constant(turns[name]) if name in turns else self.names(name)

    def _is(self, tree: Tree, value: Any) -> bool:
        return same(value_of(tree, self.scope), value)

    def said(self, tree: Tree) -> Tree:
        """A tree of the graph's own text in the words of the class.

        Raises:
            Unsaid: if there are none.
        """
        return in_other_words(tree, self.names, self.block_channels)

    # ---- what is said of a node ---------------------------------------------------------------------------------

    def told(self, node: Node, parameter: str) -> Tree | None:
        """What a node's step says for a parameter of its op or block; of an op that it says nothing for, the default."""
        origin = node.origin
        if origin is not None and parameter in origin.arguments:
            if not origin.own:
                return None
            tree = self.tree(node, origin.arguments[parameter])
            # The function of a block in Python computes what it says: what it hands on under its own name is known by that.
            own = self.names(parameter) if self.graph.is_computed else None
            return own if own is not None and self._is(own, origin.arguments[parameter]) else tree
        if isinstance(node.body, Op):
            default = next((each.default for each in node.body.parameters if each.name == parameter), REQUIRED)
            return literal_tree(default) if default is not REQUIRED else None
        return None

    def tree(self, node: Node, written: Any) -> Tree | None:
        """What a step has written, in the words of the class."""
        if isinstance(written, list):
            parts = [self.tree(node, each) for each in written]
            return ast.List([part for part in parts if part is not None], ast.Load()) if all(parts) else None
        if type(written) is not Formula:
            return literal_tree(written)
        return _said(written, self._names_at(node), self.block_channels)

    def condition(self, node: Node) -> list[Tree]:
        """On what it depends whether a node is there."""
        origin = node.origin
        if origin is None or not origin.own:
            return []
        found = [self.tree(node, origin.when)] if origin.when is not True else []
        if origin.block is not None:
            slot = self.tree(node, origin.block)
            found += [ast.Compare(slot, [ast.IsNot()], [ast.Constant(None)])] if slot is not None else []
        return [tree for tree in found if tree is not None]

    def choices(self, node: Node) -> list[Tree]:
        """The conditions on which it depends what a node takes: those by which it chooses, and those of what it reads."""
        origin = node.origin
        inputs = origin.inputs if origin is not None and origin.own and origin.inputs is not None else ()
        trees = [parse(text) for text in inputs if "$" in text]
        found: list[Tree] = []
        for tree in trees:
            if isinstance(tree, ast.IfExp):
                said = _worded(tree.test, self._names_at(node), self.block_channels)
                found += [said, ast.UnaryOp(ast.Not(), said)] if said is not None else []
        for value in node.inputs:
            found += self.condition(self.graph.nodes[value.node]) if value.node != INPUT else []
        return found

    def made(self, node: Node, made: Construct | Expression) -> Construct | Expression:
        """What computes a node, each value with what it follows from."""
        if isinstance(made, Expression):
            values = tuple((key, self._given(node, made.sources.get(key, (key,)), value)) for key, value in made.values)
            return Expression(made.template, values, made.sources)
        arguments = tuple(self._given(node, made.sources.get(at, ()), value) for at, value in enumerate(made.arguments))
        keywords = tuple((key, self._given(node, made.sources.get(key, (key,)), value)) for key, value in made.keywords)
        return Construct(made.callee, arguments, keywords, made.sources)

    def _given(self, node: Node, sources: tuple[str, ...], value: Any) -> Any:
        if isinstance(value, Construct):
            return self.made(node, value)
        texts = _with_fallbacks(node, sources)
        return Given(value, lambda: [tree for text in texts if (tree := self._source(node, text)) is not None])

    def _source(self, node: Node, text: str) -> Tree | None:
        channels = self.channels_into(node) if node.inputs and "input" in text else None
        return _said(text, lambda name: self.told(node, name), channels)

    # ---- channels -----------------------------------------------------------------------------------------------

    def channels_into(self, node: Node) -> Tree | None:
        """The channels of the first value that a node takes."""
        found = self.into(node) if self.into is not None else None
        return found if found is not None else self.channels_of(node.inputs[0])

    def channels_of(self, value: Value) -> Tree | None:
        """The channels of a value, found once: what joins many values asks for each of them again."""
        if value not in self.known:
            for each in self._unknown_before(
                value
            ):  # the first one first: a chain may be longer than calls can be nested
                self.known[each] = self._channels_found(each)
        return self.known[value]

    def _unknown_before(self, value: Value) -> list[Value]:
        """A value and those that lead to it, in the order of the graph, as far as they are not known yet."""
        found, open_values = {value}, [value]
        while open_values:
            last = open_values.pop()
            before = self.graph.nodes[last.node].inputs if last.node != INPUT else ()
            new = {each for each in before if each not in self.known} - found
            found |= new
            open_values += new
        return sorted(found, key=lambda each: each.node)

    def _channels_found(self, value: Value) -> Tree | None:
        if value.node == INPUT:
            if value.item is None:
                return self.channels
            own = isinstance(self.channels, ast.Name) and self.channels.id == IN_CHANNELS
            item = ast.Constant(value.item)
            return ast.Subscript(self.channels, item, ast.Load()) if own and self.channels is not None else None
        node = self.graph.nodes[value.node]
        if node.body is None:
            return self.channels_of(node.inputs[0])
        if isinstance(node.body, Graph):
            if self.depth >= _DEEPEST:
                return None
            inner = self.inner(node, node.body)
            output = node.body.output
            return inner.channels_of(output if value.item is None else Value(output.node, value.item))
        if value.item is not None and len(node.inputs) > 1:
            return self.channels_of(node.inputs[value.item])
        wanted = channels_of_shape(self.graph.shape_of(value))
        texts = _with_fallbacks(node, node.body.channels_given)
        trees = (self._channels_by(node, text) for text in texts)
        return next((tree for tree in trees if tree is not None and self._is(tree, wanted)), None)

    def _channels_by(self, node: Node, text: str) -> Tree | None:
        if text != "sum":
            return self._source(node, text)
        trees = [self.channels_of(each) for each in node.inputs]
        total = trees[0] if trees else None
        for tree in trees[1:]:
            total = ast.BinOp(total, ast.Add(), tree) if total is not None and tree is not None else None
        return total


def _with_fallbacks(node: Node, sources: tuple[str, ...]) -> list[str]:
    """What a value may follow from: what the step says, or what its op takes where the step says nothing."""
    others = node.body.fallbacks if isinstance(node.body, Op) else {}
    return [each for text in sources for each in (text, *others.get(text, ()))]


def _name(name: str, scope: Mapping[str, Any]) -> Tree | None:
    return ast.Name(name, ast.Load()) if name in scope else None


def _said(text: str, names: Names, channels: Tree | None) -> Tree | None:
    """An expression in other words, if there are some."""
    tree = parse(text)
    return _worded(tree, names, channels) if tree is not None else None


def _worded(tree: Tree, names: Names, channels: Tree | None) -> Tree | None:
    """A tree in other words, if there are some."""
    try:
        return in_other_words(tree, names, channels)
    except Unsaid:
        return None
