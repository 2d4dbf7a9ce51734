"""What differs between two networks, and how that is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from archbuilder.analysis.summary import summarize
from archbuilder.comparison.align import align
from archbuilder.comparison.facts import Facts
from archbuilder.comparison.texts import as_data, as_markdown, as_text, in_a_line
from archbuilder.display import Shown
from archbuilder.graph.graph import Graph

Format: TypeAlias = Literal["text", "markdown", "json"]
"""What a difference is written as."""


class Difference(Shown, Facts):
    """What differs between two networks. `str` and notebooks say it in words, `to_dict` has it as data; one that is empty is
    false.

    `pair` says which part of the one is which of the other, `stages` what differs in each stage, `keys` what becomes of a
    checkpoint of the first network in the second one.
    """

    def __repr__(self) -> str:
        return f"Difference({in_a_line(self)})"

    def __str__(self) -> str:
        return as_text(self)

    def shown(self, format: Format = "text", width: int | None = None) -> str:
        """The difference as text, no wider than a terminal where its table can be made so; as JSON or as Markdown."""
        if format == "json":
            return json.dumps(self.to_dict(), indent=2)
        return as_markdown(self) if format == "markdown" else as_text(self, width)

    def to_dict(self) -> dict[str, Any]:
        """The difference as data that JSON can have, with exact numbers."""
        return as_data(self)


def difference(
    a: Graph,
    b: Graph,
    names: tuple[str, str] | None = None,
    pictures: Sequence[Mapping[str, Any]] = ({}, {}),
) -> Difference:
    """What differs between two networks.

    Args:
        a: a network.
        b: another one.
        names: what they are called, if not by their own names.
        pictures: what each expects of a picture, in the words of its `input`.
    """
    return Difference(summarize(a), summarize(b), align(a, b, pictures), names or (a.name, b.name))
