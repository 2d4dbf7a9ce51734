"""The HTML-like labels of the drawing. Every text of a spec passes `shown` on its way into one."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from archbuilder.analysis.numbers import abbreviate
from archbuilder.diagnostics import printable, shorten
from archbuilder.draw.picture import Band, Box, Group, Load, Picture
from archbuilder.draw.style import EDGES, LABEL_INK, MACS, PAINTS, PARAMETERS, SHORTCUTS, TITLE_INK, Paint

_BAR: Final = 58
"""Points of the longest bar."""

_HEADER: Final = 150
"""Points of a header, at least: the widest boxes of layers, and a little more."""

SHORTCUT_ROOM: Final = 200
"""Points of a header with a shortcut beneath it: a frame does not make room for a curve inside it, so the header does."""

_RAISED: Final = 3
"""Points above a bold line: Graphviz sets such a line that much too high in its cell."""

_NARROW: Final = 0.278
"""The width of a space, in sizes of the font; as which Graphviz counts each byte of what is not ASCII."""

_WIDTHS: Final = {"–": 0.556, "·": 0.278, "×": 0.584, "→": 1.0, "…": 1.0}
"""How wide the drawing's own signs beyond ASCII really are, in sizes of the font."""


def shown(text: str, longest: int = 40) -> str:
    """A spec's text as it may stand in a label: short, visible and escaped."""
    visible = re.sub("[\ufffe\uffff]", "\ufffd", printable(text))
    if not visible.strip():
        return "&#160;"  # Graphviz refuses a label with nothing in it
    # Graphviz reads `\N` and the like in HTML-like labels too, before it reads entities.
    return html.escape(shorten(visible, longest)).replace("\\", "&#92;")


def width_of(text: str, size: int) -> float:
    """About how many points wide Graphviz takes a text to be."""
    return size * sum(_width_of(character) for character in text)


def _width_of(character: str) -> float:
    if not character.isascii():
        return _NARROW * len(character.encode(errors="replace"))
    if character in " !'()*,-./:;I[]fijlrt|":
        return 0.3
    return 0.7 if character.isupper() else 0.556


def centred(text: str) -> str:
    """A text that comes to stand in the middle of its cell.

    A text that Graphviz takes for too wide starts too far to the left. Each space in front moves it by half its width.
    """
    excess = sum(_width_of(character) - _WIDTHS[character] for character in text if character in _WIDTHS)
    return " " * max(0, round(excess / _NARROW)) + text


def title(picture: Picture) -> str:
    """What the network is called, its totals (with the colours of their bars), and the kinds of line."""
    name = font(shown(picture.name, 80), 18, TITLE_INK, bold=True)
    cells = "".join(f'<TD>{fact}</TD><TD WIDTH="10"></TD>' for fact in _facts(picture))
    # Graphviz spreads a table over all the room there is, so what a long name leaves of it is a cell of its own.
    rest = width_of(shorten(picture.name, 80), 18) - sum(width_of(fact, 12) + 14 for fact in picture.facts)
    facts = table(f'<TR>{cells}<TD WIDTH="{max(0, round(rest))}"></TD></TR>')
    return label(table("".join(f'<TR><TD ALIGN="LEFT">{line}</TD></TR>' for line in (name, facts)), 3))


def _facts(picture: Picture) -> Iterator[str]:
    has_bars = any(box.load for box in picture.boxes())
    for fact, color in zip_longest(picture.facts, (PARAMETERS, MACS) if has_bars else ()):
        text = f"<TD>{font(shown(fact, 80), 12, LABEL_INK)}</TD>"
        square = f"<TD>{table(f'<TR>{_block(9, 9, color)}</TR>')}</TD>" if color else ""
        yield table(f"<TR>{square}{text}</TR>", 2)
    kinds = {edge.kind for edge in picture.edges}
    for kind, meaning in SHORTCUTS.items():
        if kind in kinds:
            # A stretch of line is the upper side of an otherwise invisible cell.
            style = f' STYLE="{EDGES[kind].get("style", "solid").upper()}"'
            look = f'BORDER="2"{style} SIDES="T" COLOR="{LABEL_INK}" FIXEDSIZE="TRUE" WIDTH="26" HEIGHT="3"'
            line = table(f"<TR><TD {look}></TD></TR>")
            yield table(f"<TR><TD>{line}</TD><TD>{font(meaning, 12, LABEL_INK)}</TD></TR>", 2)


def header(group: Group, paint: Paint, *, room: int = 0) -> str:
    """What a group is called, and what it costs, in the middle of so many points; the port `title` is as wide as the text."""
    kind = " ".join((*((shown(group.kind),) if group.kind else ()), *((f"×{group.count}",) if group.count > 1 else ())))
    text = font(centred(shown(group.name)), 12, paint.ink, bold=True)
    text += font(f"  {kind}", 11, paint.ink) if kind else ""
    facts = "".join(f"<TR><TD>{font(shown(fact), 10, LABEL_INK)}</TD></TR>" for fact in group.facts)
    if not group.has_entry:
        return label(table(f"<TR><TD>{text}</TD></TR>", 1))  # edges may run over it, so it is short, and in the corner
    texts = [(f"{shorten(group.name)}  {shorten(group.kind)}", 12), *((fact, 10) for fact in group.facts)]
    side = max(0, round((max(_HEADER, room) - max(width_of(*text) for text in texts)) / 2))
    edge = f'<TD WIDTH="{side}"></TD>'
    inner = table(f"<TR><TD>{text}</TD></TR>{facts}", 1)
    return label(table(f'<TR>{edge}<TD PORT="title">{inner}</TD>{edge}</TR>'))


def layers(box: Box) -> str:
    """A run of layers as a stack of pills."""
    rows = "".join(f"<TR>{_pill(band, first=number == 0)}</TR>" for number, band in enumerate(box.bands))
    if box.count > 1:
        rows += f"<TR><TD>{font(f'×{box.count}', 11, LABEL_INK, bold=True)}</TD></TR>"
    return label(f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="4">{rows}</TABLE>')


def _pill(band: Band, *, first: bool) -> str:
    paint = PAINTS[band.role]
    is_bold = band.role in ("convolution", "linear")
    text = font(centred(shown(band.text)), 11 if first else 10, paint.ink, bold=is_bold)
    if is_bold:
        text = _under_each_other(text, *([font(centred(shown(band.detail)), 10, paint.ink)] if band.detail else []))
    return f'<TD BORDER="1" STYLE="ROUNDED" BGCOLOR="{paint.fill}" COLOR="{paint.ink}" WIDTH="84">{text}</TD>'


def _under_each_other(bold: str, *others: str) -> str:
    """A bold line and others beneath it. Graphviz would set lines of one cell too close together."""
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in (bold, *others))
    return table(f'<TR><TD FIXEDSIZE="TRUE" WIDTH="1" HEIGHT="{_RAISED}"></TD></TR>{rows}')


def card(box: Box) -> str:
    """A box with a name, a few lines, and beneath it what it costs; its frame is doubled where it is repeated.

    The frame is the port `card`.
    """
    paint = PAINTS[box.role]
    lines = _under_each_other(
        *(
            font(centred(shown(band.text)), 11 if number else 13, paint.ink, bold=number == 0)
            for number, band in enumerate(box.bands)
        )
    )
    line = f'BORDER="1" STYLE="ROUNDED" COLOR="{paint.ink}"'
    cell = f'{line} BGCOLOR="{paint.fill}" CELLPADDING="7" WIDTH="112" HEIGHT="64">{lines}</TD>'
    if box.count > 1:
        cell = f'{line} CELLPADDING="3">{table(f"<TR><TD {cell}</TR>")}</TD>'
    rows = f'<TR><TD PORT="card" {cell}</TR>'
    rows += f"<TR><TD>{_bars(box.load)}</TD></TR>" if box.load else ""
    return label(table(rows, 2))


def _bars(load: Load) -> str:
    bars = ((load.parameters, load.parameter_share, PARAMETERS), (load.macs, load.mac_share, MACS))
    return table("".join(_bar(count, share, color) for count, share, color in bars), 1)


def _bar(count: int | None, share: float, color: str) -> str:
    width = max(1, round(_BAR * share))
    bar = table(f"<TR>{_block(width, 7, color)}{_block(_BAR + 4 - width, 7)}</TR>")
    number = font(abbreviate(count), 10, LABEL_INK)
    return f'<TR><TD ALIGN="LEFT">{bar}</TD><TD ALIGN="RIGHT">{number}</TD></TR>'


def edge_text(text: str) -> str:
    """What stands at an edge, a little away from it."""
    return label(f"&#160;{font(shown(text), 10, LABEL_INK)}&#160;")


def text_on_edge(text: str) -> str:
    """A node in the middle of an edge: a piece of its line, and what stands to the right of it."""
    room = round(width_of(text, 10)) + 14
    words = f'<TD BORDER="1" SIDES="L" ALIGN="LEFT" WIDTH="{room}">{font(f"  {shown(text)}", 10, LABEL_INK)}</TD>'
    return label(table(f'<TR><TD WIDTH="{room}"></TD>{words}</TR>'))


def sign(text: str) -> str:
    """The symbol in a circle."""
    return label(font(shown(text), 14, PAINTS["combine"].ink, bold=True))


def label(content: str) -> str:
    """The content as an attribute's value: the package `graphviz` tells HTML-like labels by their brackets."""
    return f"<{content}>"


def font(text: str, size: int, color: str, *, bold: bool = False) -> str:
    """Text, escaped already, in a size and a colour."""
    inner = f"<B>{text}</B>" if bold else text
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{inner}</FONT>'


def table(rows: str, padding: int = 0) -> str:
    """Rows without lines around them."""
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{rows}</TABLE>'


def _block(width: int, height: int, color: str = "") -> str:
    ground = f' BGCOLOR="{color}"' if color else ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}"{ground}></TD>'
