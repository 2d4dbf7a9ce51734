"""Colours and fonts. The hues stay apart for the colour-blind; a text's contrast to its ground is at least 7."""

from __future__ import annotations

from typing import Final, NamedTuple

from archbuilder.draw.picture import EdgeKind, Role


class Paint(NamedTuple):
    """The colours of a box: its ground, and its line and text."""

    fill: str
    ink: str


PAINTS: Final[dict[Role, Paint]] = {
    "input": Paint("#e8eaed", "#30363d"),
    "stem": Paint("#cfe5f3", "#0b3a57"),
    "stage": Paint("#bfe3d8", "#07402f"),
    "neck": Paint("#e4def2", "#3b2a63"),
    "head": Paint("#f0d6e4", "#5a1f40"),
    "convolution": Paint("#cfe5f3", "#0b3a57"),
    "linear": Paint("#f0d6e4", "#5a1f40"),
    "norm": Paint("#e8eaed", "#3a4149"),
    "activation": Paint("#fbe3b3", "#5c3b00"),
    "pool": Paint("#e4def2", "#3b2a63"),
    "combine": Paint("#ffffff", "#1b1f24"),
    "block": Paint("#ffffff", "#1b1f24"),
    "other": Paint("#f6f7f9", "#30363d"),
}
FRAMES: Final[dict[Role, Paint]] = {
    "stem": Paint("#f3f9fc", "#0b3a57"),
    "stage": Paint("#eef8f4", "#07402f"),
    "neck": Paint("#f8f6fc", "#3b2a63"),
    "head": Paint("#fcf4f8", "#5a1f40"),
    "block": Paint("#ffffff", "#57606a"),
}
OTHER_FRAME: Final = Paint("#fafbfc", "#30363d")

CARDS: Final[frozenset[Role]] = frozenset(("input", "stem", "stage", "neck", "head"))
"""Boxes that are drawn large, with a name and a few lines; the others are layers."""

EDGES: Final[dict[EdgeKind, dict[str, str]]] = {
    "main": {},
    "identity": {"penwidth": "2.2"},
    "plain": {"penwidth": "2.2", "style": "dotted"},
    "projection": {"penwidth": "1.8", "style": "dashed"},
}

SHORTCUTS: Final[dict[EdgeKind, str]] = {
    "identity": "identity shortcut",
    "plain": "shortcut without parameters",
    "projection": "projection shortcut",
}
"""What the legend calls the edges that are drawn in a way of their own."""

TITLE_INK: Final = "#1b1f24"
LABEL_INK: Final = "#424a53"
PARAMETERS: Final = "#0072b2"
MACS: Final = "#d55e00"

FONT: Final = "Arial"
"""Graphviz knows its metrics; what stands in for it where it is missing (Arimo, Liberation Sans) has the same."""
FONT_FAMILY: Final = "Arial,Arimo,'Liberation Sans',Helvetica,sans-serif"
