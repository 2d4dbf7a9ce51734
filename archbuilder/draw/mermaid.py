"""A figure as a Mermaid flowchart, which READMEs on GitHub show as a drawing (mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from archbuilder.draw.figure import Box, Edge, Figure
from archbuilder.draw.fonts import visible
from archbuilder.draw.options import Theme
from archbuilder.draw.theme import inks

_ARROWS: Final = {"main": "-->", "identity": "==>", "plain": "-.->", "projection": "-.->", "exchange": "-->"}
_SPECIAL: Final = re.compile(r"[^\w ×→·²³±+%,.–…()/=-]")


def to_mermaid(figure: Figure, theme: Theme, title: str) -> str:
    """The text of a flowchart from left to right, in the colours of a theme."""
    keys: dict[str, str] = {}
    lines = ["flowchart LR", f"  accTitle: {_plain(title)}"]
    lines += _nodes(figure, keys, "  ")
    lines += _edges(figure, keys)
    colours = inks(theme)
    for role in sorted({box.role for box in _every(figure) if not box.end}):
        fill, line, text = (colours[ink] for ink in (role, f"{role} line", f"{role} text"))
        lines.append(f"  classDef {_class(role)} fill:{fill},stroke:{line},color:{text}")
    return "\n".join(lines) + "\n"


def _every(figure: Figure) -> Iterator[Box]:
    for box in figure.boxes:
        yield box
        if box.is_open and box.inside is not None:
            yield from _every(box.inside)


def _nodes(figure: Figure, keys: dict[str, str], indent: str) -> Iterator[str]:
    for box in figure.boxes:
        key = keys[box.id] = f"n{len(keys)}"
        if box.is_open and box.inside is not None:
            inner: dict[str, str] = {}
            yield f'{indent}subgraph {key}["{_text(box)}"]'
            inside = list(_nodes(box.inside, inner, indent + "  "))
            yield from (re.sub(r"\bn(\d+)(?=[\[({]|:::)", rf"{key}_\1", line) for line in inside)
            yield from _edges(box.inside, {name: f"{key}_{at.removeprefix('n')}" for name, at in inner.items()}, indent)
            yield f"{indent}end"
        elif box.end:
            yield f'{indent}{key}(["{_quoted(box.name or box.id)}"])'
        elif box.sign:
            yield f'{indent}{key}(("{_quoted(box.sign)}")):::{_class(box.role)}'
        else:
            yield f'{indent}{key}["{_text(box)}"]:::{_class(box.role)}'


def _edges(figure: Figure, keys: dict[str, str], indent: str = "") -> Iterator[str]:
    for edge in figure.edges:
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        yield f"{indent}  {keys[edge.source]} {_ARROWS[edge.kind]}{label} {keys[edge.target]}{_which(edge)}"


def _which(edge: Edge) -> str:
    """Which value it is and which input, as a comment."""
    return "" if edge.item is None and not edge.position else f" %% value {edge.item or 0}, input {edge.position}"


def _text(box: Box) -> str:
    times = f" ×{box.count}" if box.count > 1 and box.role == "block" else ""
    lines = [box.name, *(f"{band.text} {band.detail}".strip() + times for band in box.bands)]
    return "<br/>".join(_quoted(line) for line in lines if line)


def _quoted(text: str) -> str:
    """A text in quotation marks: whatever could mean something is written as a character's number."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", visible(text[:200]))


def _plain(text: str) -> str:
    return _SPECIAL.sub(" ", visible(text[:200]))


def _class(role: str) -> str:
    return f"{role}Box"
