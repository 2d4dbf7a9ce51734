"""A use of a block: what it is a use of, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from archbuilder.diagnostics import Place
from archbuilder.language.models import Step
from archbuilder.language.table import Past
from archbuilder.lower.defaults import Setting
from archbuilder.lower.library import Definition

Uses: TypeAlias = list[tuple[Step, Mapping[str, Any] | None]]
"""A use of a block; behind it, where the block came through a slot, the slot's own use. Each with its variables (None:
those of the frame)."""


@dataclass(frozen=True)
class Target:
    """A block or an op: its name, its definition, and the uses that say how."""

    name: str
    definition: Definition
    uses: Uses

    @property
    def takes_values(self) -> bool:
        """Whether it takes values at all; a held tensor does not."""
        return not isinstance(self.definition, type) or self.definition.inputs != (0, 0)


class Written(NamedTuple):
    """A value in the text of a spec: where it stands, and the variables that its expressions see."""

    value: Any
    place: Place | None
    variables: Mapping[str, Any] | None = None
    below: Setting | None = None
    past: tuple[Past, ...] = ()
