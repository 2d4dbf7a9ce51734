"""The blocks there are: the shipped ones and the ops, and what each can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archbuilder.graph.table import OPS
from archbuilder.language.blocks import text_of_block
from archbuilder.lowering.library import shipped_block, shipped_names
from archbuilder.parameters import Parameter


@dataclass(frozen=True, repr=False)
class Entry:
    """A block, or an op, which is a block without a body; `text` is the block's YAML."""

    name: str
    kind: Literal["block", "op"]
    help: str
    parameters: tuple[Parameter, ...]
    text: str = ""

    def __repr__(self) -> str:
        return f"Entry({self.kind} {self.name!r})"


def catalogue() -> list[Entry]:
    """Every shipped block, by name, then every op."""
    return [entry for name in (*shipped_names(), *OPS) if (entry := find_entry(name)) is not None]


def find_entry(name: str) -> Entry | None:
    """The block or op that is called so; None if there is none."""
    if name in OPS:
        op = OPS[name]
        return Entry(name, "op", op.help, op.parameters)
    if name not in shipped_names():
        return None
    block = shipped_block(name)
    return Entry(name, "block", block.help, tuple(block.parameters.values()), text_of_block(name))
