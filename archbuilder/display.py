"""What shows itself in a notebook.

The objects that do lie in rooms that know nothing of pictures. So who makes their bundles (texts and pictures, by their MIME
types) is told to this file, once, by the package.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, TypeAlias

Kinds: TypeAlias = Container[str] | None
"""MIME types that are wanted, or are not; None where nothing is said of them."""

Maker: TypeAlias = Callable[[Any, Kinds, Kinds], dict[str, str]]
"""What makes a bundle of an object, of those kinds that are included and of none that are excluded."""

_MAKERS: list[Maker] = []


class Shown:
    """An object that a notebook shows by a picture or a table, and by one line where there is room for text alone."""

    __slots__ = ()

    def _repr_mimebundle_(self, include: Kinds = None, exclude: Kinds = None, **_: object) -> dict[str, str]:
        return _MAKERS[0](self, include, exclude)


def show_by(maker: Maker) -> None:
    """Says who makes the bundles of all that shows itself."""
    _MAKERS[:] = [maker]
