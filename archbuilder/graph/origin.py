"""What a node was made of: the step of a spec as it is written there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Turn(NamedTuple):
    """One turn of a loop: the loop as it is written (`for i in n`), its variable, and the variable's number."""

    loop: str
    variable: str
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The step of a spec that a node was made of, as it is written there.

    `key` is its name (`paths.$i` in a loop), `arguments` what it says to its block, with expressions as their text, `when`
    the condition on which it is there, `inputs` the names of the values that it takes, `block` an expression that says which
    block it uses, `depth` how often it is repeated. `turns` are those of the loops
    around it, the outermost first. `own` says whether the names in its expressions are the bindings of the graph that the
    node stands in; those of a step that stands inline are another block's.
    """

    key: str
    arguments: Mapping[str, Any]
    when: Any = True
    inputs: tuple[str, ...] | None = None
    turns: tuple[Turn, ...] = ()
    own: bool = True
    block: str | None = None
    depth: Any = None
