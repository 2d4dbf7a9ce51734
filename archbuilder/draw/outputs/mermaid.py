"""A figure as a Mermaid flowchart, which READMEs on GitHub show as a drawing (mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from archbuilder.diagnostics import printable
from archbuilder.draw.model.figure import Box, Figure, every_box
from archbuilder.draw.model.network import Definition
from archbuilder.draw.options import Theme
from archbuilder.draw.theme import inks

_ARROWS: Final = {"main": "-->", "identity": "==>", "plain": "-.->", "projection": "-.->", "exchange": "-->"}
_SPECIAL: Final = re.compile(r"[^\w ×→·²³±+%,.–…()/=-]")


def to_mermaid(figure: Figure, definitions: Sequence[Definition], theme: Theme, title: str, facts: str) -> str:
    """The text of a flowchart from left to right, in the colours of a theme; beside it a subgraph for each definition."""
    lines = ["flowchart LR", f"  accTitle: {_plain(title)}", f"  accDescr: {_plain(facts)}", *_lines(figure, "n", "  ")]
    for number, each in enumerate(definitions):
        lines += [f'  subgraph d{number}["{_quoted(each.title())}"]', "    direction LR"]
        lines += [*_lines(each.figure, f"d{number}_", "    "), "  end"]
    colours = inks(theme)
    boxes = [box for each in (figure, *(each.figure for each in definitions)) for box in every_box(each.boxes)]
    for role in sorted({box.role for box in boxes if not box.end}):
        fill, line, text = (colours[ink] for ink in (role, f"{role} line", f"{role} text"))
        lines.append(f"  classDef {_class(role)} fill:{fill},stroke:{line},color:{text}")
    return "\n".join(lines) + "\n"


def _lines(figure: Figure, prefix: str, indent: str) -> Iterator[str]:
    """The nodes of a figure, which are called by their numbers, and its edges; an open box is a subgraph."""
    keys = {box.id: f"{prefix}{number}" for number, box in enumerate(figure.boxes)}
    for box in figure.boxes:
        key = keys[box.id]
        if box.is_open and box.inside is not None:
            yield f'{indent}subgraph {key}["{_text(box)}"]'
            yield from _lines(box.inside, f"{key}_", indent + "  ")
            yield f"{indent}end"
        elif box.end:
            yield f'{indent}{key}(["{_quoted(box.name or box.id)}"])'
        elif box.sign:
            yield f'{indent}{key}(("{_quoted(box.sign)}")):::{_class(box.role)}'
        else:
            yield f'{indent}{key}["{_text(box)}"]:::{_class(box.role)}'
    for edge in figure.edges:
        if edge.item is not None or edge.position:
            yield f"{indent}%% value {edge.item or 0}, input {edge.position}:"
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        yield f"{indent}{keys[edge.source]} {_ARROWS[edge.kind]}{label} {keys[edge.target]}"


def _text(box: Box) -> str:
    return "<br/>".join(_quoted(line) for line in box.lines)


def _quoted(text: str) -> str:
    """A text in quotation marks: whatever could mean something is written as a character's number."""
    return _SPECIAL.sub(lambda match: f"#{ord(match[0])};", printable(text[:200]))


def _plain(text: str) -> str:
    return _SPECIAL.sub(" ", printable(text[:200]))


def _class(role: str) -> str:
    return f"{role}Box"
