"""Finds the step behind a module's path in a network that was lowered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from archbuilder.diagnostics import Diagnostic, Place, Source, SpecError, suggest
from archbuilder.graph.graph import Graph, Node
from archbuilder.lowering.frame import Made, Use
from archbuilder.lowering.lowering import Lowering
from archbuilder.parameters import Parameter


@dataclass
class Found:
    """A step, its node (None for a step that is no module), the use that stands there, and all uses on the way: each with
    its path, and with the first use of the graph that it calls, which equal uses share."""

    path: str
    node: Node | None
    made: Made
    use: Use | None
    is_repeat: bool = False
    uses: list[tuple[Use, str, Use | None]] = field(default_factory=list)

    @property
    def is_left_out(self) -> bool:
        """Whether the step is not there."""
        return self.node is not None and self.node.body is None


class Finder:
    """Finds steps of one network; who looks for many of them keeps it."""

    def __init__(self, graph: Graph, lowering: Lowering) -> None:
        self.graph, self.lowering = graph, lowering
        self.first = {call.graph: call.first for call in lowering.calls.values() if call.graph is not None}
        self._named: dict[Graph, dict[str, tuple[int, Node, int]]] = {}

    def find(self, path: str, module: str, others: Iterable[str] = ()) -> Found:
        """The step at `module`, which is the beginning of `path`.

        Args:
            path: the whole path, for messages.
            module: what to look for.
            others: what else may stand at the beginning of a path.

        Raises:
            SpecError: if there is none.
        """
        walk = _Walk(self, path, module or path)
        if path and "" in path.split("."):
            raise _error(
                "unknown-path", "a path has a name on both sides of each dot", _place(path, 0, len(path)), None
            )
        if not module:
            raise walk.unknown(self.graph, others)
        inline = self.lowering.inline.get(module)
        if inline is not None and not any(module in node.shown_names() for node in self.graph.nodes):
            return Found(module, None, inline, inline.use_of(0))
        while walk.rest:
            walk.step()
        return walk.found

    def module_alone(self, path: str) -> SpecError | None:
        """What is to be said where a path names a module, and none of its parameters; None if it does not."""
        try:
            found = self.find(path, path)
        except SpecError:
            return None
        if found.node is None or found.is_left_out:
            return left_out(found, path) if found.is_left_out else None
        message, help, body = f"`{path}` is a module", "add one of its parameters", found.node.body
        known = found.use.plan.definition.parameters if found.use is not None else ()
        example = "width" if "width" in known else next(iter(known), "block")
        if found.use is None and isinstance(body, Graph):
            message, help = f"{message} with steps of its own", "name one of these"
            example = next(name for node in body.nodes for name in node.shown_names())
        start = path.rfind(".") + 1
        place = _place(path, start, len(path) - start)
        return _error("unknown-parameter", message, place, f"{help}, as in `{path}.{example}`")

    def named(self, graph: Graph, path: str) -> tuple[str, Node, int] | None:
        """The child of a graph with whose name a path begins: the name, the child, and which of its repeats is meant."""
        if graph not in self._named:
            self._named[graph] = dict(reversed(list(self._names(graph))))
        names, parts = self._named[graph], path.split(".")
        beginnings = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        found = min(
            ((*names[name], name) for name in beginnings if name in names), default=None, key=lambda each: each[0]
        )
        return None if found is None else (found[3], found[1], found[2])

    def _names(self, graph: Graph) -> Iterator[tuple[str, tuple[int, Node, int]]]:
        """The names of a graph's children, each with its place among all, the child, and which of its repeats it is: those of
        modules before those of steps, which `rename` may have given to others, and what is there before what is left out."""
        place, made = count(), self.lowering.made
        for is_left_out in (False, True):
            nodes = [
                each for each in graph.nodes if (each.body is None) is is_left_out and (graph.listed or each in made)
            ]
            for node in nodes:
                for number, name in enumerate(node.shown_names()):
                    yield name, (next(place), node, number)
            for node in nodes:
                if node in made:
                    yield made[node].site.name, (next(place), node, 0)


class _Walk:
    def __init__(self, finder: Finder, path: str, module: str) -> None:
        self.finder, self.graph, self.lowering, self.whole = finder, finder.graph, finder.lowering, path
        self.rest, self.path = module, ""
        self.uses: list[tuple[Use, str, Use | None]] = []

    def step(self) -> None:
        """Goes on to the next step: a child of the graph at hand, with its number where it is repeated."""
        node, number = self._take(self.graph)
        made = self.lowering.made[node]
        body, is_repeat = node.body, False
        if made.in_sequence:
            is_repeat = bool(self.rest)
            if self.rest and isinstance(body, Graph):
                inner, within = self._take(body)
                names = [name for each in body.nodes for name in each.all_names()]
                node, number = inner, names.index(inner.all_names()[within])
                body = node.body
        use = made.use_of(number)
        if use is not None:
            first = self.finder.first.get(body) if isinstance(body, Graph) else None
            self.uses.append((use, self.path, first))
        self.found = Found(self.path, node, made, use, is_repeat, self.uses)
        if isinstance(body, Graph):
            self.graph = body
        elif self.rest:
            raise self._nothing_inside(node)

    def _take(self, graph: Graph) -> tuple[Node, int]:
        """The child of a graph with which the rest of the path begins, and which of its repeats is meant."""
        found = self.finder.named(graph, self.rest)
        if found is not None:
            name, node, number = found
            self.path += f".{name}" if self.path else name
            self.rest = self.rest[len(name) + 1 :]
            return node, number
        raise self.unknown(graph, ())

    def unknown(self, graph: Graph, others: Iterable[str]) -> SpecError:
        """There is no such child."""
        name = self.rest.partition(".")[0]
        names = [shown for node in graph.nodes for shown in node.shown_names()]
        inside = f" in `{self.path}`" if self.path else ""
        start = len(self.path) + 1 if self.path else 0
        place = _place(self.whole, start, len(name))
        message = f"there is no module `{name}`{inside}"
        others = others if self.path else [*self.lowering.inline, *others]
        inlined = name in self.lowering.inline and not self.path
        help = suggest(name, [*names, *others])
        if inlined:
            help = f"`{name}` stands inline: name one of its own modules"
        return _error("unknown-path", message, place, help)

    def _nothing_inside(self, node: Node) -> SpecError:
        what = "is left out here" if node.body is None else "has no modules inside"
        place = _place(self.whole, len(self.path) + 1, len(self.rest))
        return _error("unknown-path", f"`{self.path}` {what}", place, None)


def unknown_parameter(found: Found, name: str, path: str, parameters: Mapping[str, Parameter]) -> SpecError:
    """The step at a path has no such parameter."""
    if found.is_left_out:
        return left_out(found, path)
    what = f"`{found.path}`, which has steps of its own,"
    if found.use is not None:
        what = f"`{found.use.plan.name}` at {found.path}"
    words = ["block"] if found.use is not None else []
    words += ["depth"] if found.made.site.plan.depth is not None and not found.is_repeat else []
    place, help = _place(path, len(path) - len(name), len(name)), suggest(name, [*parameters, *words])
    return _error("unknown-parameter", f"{what} has no parameter `{name}`", place, help)


def left_out(found: Found, path: str) -> SpecError:
    """The step at a path is left out there, so that it has no values."""
    plan, place = found.made.site.plan, _place(path, 0, len(found.path))
    reason = f" (`when: {plan.when}`)" if plan.when is not True else ""
    return _error("unknown-path", f"`{found.path}` is left out here{reason}", place, None)


def _error(code: str, message: str, place: Place, help: str | None) -> SpecError:
    return SpecError([Diagnostic(code, message, place, help)])


def _place(path: str, start: int, length: int) -> Place:
    """A part of a path that was asked for."""
    return Place(Source("--why", path), 1, start + 1, start + length + 1)
