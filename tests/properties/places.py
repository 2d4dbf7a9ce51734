"""What the places of a spec's text mean: which are steps, uses of blocks, defaults, expressions.

It is read off the tree that PyYAML makes of the text, not off anything of this project's, so that it can agree with nothing by
mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from archbuilder import catalogue, load

SECTIONS = ("stem", "stages", "neck", "head")
STEP_WORDS = (
    "block", "body", "from", "when", "else", "depth", "names", "inline", "rename", "register", "output", "before", "after",
)  # fmt: skip


@dataclass
class Use:
    """A step, or what stands in a slot. `block` is the name of its block where that is written, `where` what is around it."""

    name: str
    key: Any
    node: Any
    block: Any
    entries: list[tuple[Any, Any]]
    where: str
    body: list[Use] = field(default_factory=list)
    around: list[Use] = field(default_factory=list)

    def value(self, word: str) -> Any:
        return next((value for key, value in self.entries if key.value == word), None)


@dataclass
class Spec:
    """A spec as a tree of places."""

    name: str
    text: str
    root: Any = None
    tops: list[tuple[Any, Any]] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    defaults: list[tuple[Any, Any, str]] = field(default_factory=list)
    definitions: list[tuple[Any, Any, str]] = field(default_factory=list)
    expressions: list[tuple[Any, str]] = field(default_factory=list)
    bodies: list[list[Use]] = field(default_factory=list)
    loops: list[tuple[Any, str]] = field(default_factory=list)
    variants: list[tuple[Any, Any]] = field(default_factory=list)
    words: set[str] = field(default_factory=set)

    def line(self, index: int) -> int:
        return self.text.count("\n", 0, index) + 1

    def top(self, word: str) -> Any:
        return next((value for key, value in self.tops if key.value == word), None)

    # ---- reading ------------------------------------------------------------------------------------------------

    def read(self) -> Spec:
        self.root = yaml.compose(self.text)
        self.words = set(re.findall(r"[\w.-]+", self.text)) | set(re.findall(r"\w+", self.text)) | names_of_base(self)
        self._network(self.root, "")
        seen: set[int] = set()
        self.uses = [use for use in self.uses if not (id(use.node) in seen or seen.add(id(use.node)))]  # type: ignore[func-returns-value]
        return self

    def _network(self, node: Any, variant: str) -> None:
        for key, value in entries_of(node):
            if not variant:
                self.tops.append((key, value))
            where = variant or key.value
            if key.value in SECTIONS:
                if is_use(value):
                    self._step(key.value, key, value, variant or "section", [])
                else:
                    self._body(value, variant or "section")
            elif key.value == "defaults":
                self._defaults(value, variant or "defaults")
            elif key.value == "blocks":
                for name, definition in entries_of(value):
                    self.definitions.append((name, definition, variant or "block"))
                    self._definition(definition)
            elif key.value == "variants" and not variant:
                for name, inner in entries_of(value):
                    self.variants.append((name, inner))
                    self._network(inner, "variant")
            else:
                self._scalars(value, where if key.value in ("parameters", "expect", "scale") else "")

    def _definition(self, node: Any) -> None:
        for key, value in entries_of(node):
            if key.value == "body":
                self._body(value, "block")
            elif key.value in ("parameters", "let", "layers"):
                self._scalars(value, "block")

    def _body(self, node: Any, where: str, around: list[Use] | None = None) -> list[Use]:
        found: list[Use] = []
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value.startswith("for "):
                    self.loops.append((key, where))
                    found += self._body(value, "loop", around)
                else:
                    found.append(self._step(key.value, key, value, where, around or []))
        elif isinstance(node, yaml.SequenceNode):
            found += [
                self._step(str(number), each, each, where, around or []) for number, each in enumerate(node.value)
            ]
        self.bodies.append(found)
        return found

    def _step(self, name: str, key: Any, node: Any, where: str, around: list[Use]) -> Use:
        use = Use(name, key, node, None, entries_of(node), where, around=around)
        if isinstance(node, yaml.ScalarNode) and node.value and node.tag != "tag:yaml.org,2002:null":
            use.block = node
        self.uses.append(use)
        if isinstance(node, yaml.SequenceNode):
            use.body = self._body(node, where, [*around, use])
        for word, value in use.entries:
            if word.value == "block":
                use.block = value if isinstance(value, yaml.ScalarNode) else None
            if word.value == "body":
                use.body = self._body(value, where, [*around, use])
            elif word.value not in STEP_WORDS and is_use(value) and isinstance(value, yaml.MappingNode):
                self._step(word.value, word, value, "slot", [*around, use])
            elif word.value not in STEP_WORDS and is_body(value):
                self._body(value, "slot", [*around, use])
            else:
                self._scalars(value, where)
        return use

    def _defaults(self, node: Any, where: str) -> None:
        for key, value in entries_of(node):
            self.defaults.append((key, value, where))
            for word, inner in entries_of(value):
                if is_body(inner) and word.value not in blocks():
                    self._body(inner, "default slot")
                else:
                    self._scalars(inner, where)
            if isinstance(value, yaml.ScalarNode):
                self._scalars(value, where)

    def _scalars(self, node: Any, where: str) -> None:
        if isinstance(node, yaml.ScalarNode):
            if "$" in node.value and where:
                self.expressions.append((node, where))
        elif node is not None:
            for each in node.value:
                for part in each if isinstance(each, tuple) else (each,):
                    self._scalars(part, where)


def entries_of(node: Any) -> list[tuple[Any, Any]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def is_use(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) or any(
        key.value == "block" and isinstance(value, yaml.ScalarNode) for key, value in entries_of(node)
    )


def is_body(node: Any) -> bool:
    """Whether a map holds steps: each is a known block's name, or a map with a block or a body."""
    steps = entries_of(node)
    return bool(steps) and all(
        (isinstance(value, yaml.ScalarNode) and value.value in blocks())
        or any(key.value in ("block", "body") for key, _ in entries_of(value))
        for _, value in steps
    )


@cache
def blocks() -> dict[str, Any]:
    return {entry.name: {parameter.name: parameter for parameter in entry.parameters} for entry in catalogue()}


def names_of_base(spec: Spec) -> set[str]:
    """The names of the steps and parameters that a spec has from its base."""
    base = next((value.value for key, value in entries_of(spec.root) if key.value == "extends"), None)
    if base is None:
        return set()
    network = load(base)
    names = {name for section in network.sections().values() if isinstance(section, dict) for name in section}
    return {*names, *network.parameters}
