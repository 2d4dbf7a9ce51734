"""Which names a module's child may have."""

from __future__ import annotations

import keyword
import re
from typing import Final

from archbuilder.graph.names import MODULE_ATTRIBUTES, PRIVATE_MODULE_ATTRIBUTES
from archbuilder.language.words import ALWAYS_VISIBLE

_SEGMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}\Z|[0-9]{1,6}\Z", re.ASCII)


def objection(name: str) -> str | None:
    """Why a child cannot be called so; None if it can. A dot nests."""
    for segment in name.split("."):
        if not _SEGMENT.match(segment):
            return "a name is made of letters, digits, underscores and hyphens, or is a number"
        if keyword.iskeyword(segment) or segment in ("self", "nn", "torch"):
            return f"`{segment}` is a word of Python"
        if segment in MODULE_ATTRIBUTES or segment in PRIVATE_MODULE_ATTRIBUTES or segment.startswith("__"):
            return f"`{segment}` is a method of torch's modules"
        if segment in ALWAYS_VISIBLE:
            return f"`{segment}` always means the value that goes in"
    return None
