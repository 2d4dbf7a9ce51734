"""Colours: what each ink of a scene is in a theme.

Hues stay apart for the colour-blind, and a text's contrast to the fill that it stands on is at least 7.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from archbuilder.draw.options import Theme
from archbuilder.draw.scene import Ink


def inks(theme: Theme) -> dict[Ink, str]:
    """What each ink is, as `#rrggbb`."""
    return _INKS["light" if theme == "auto" else theme]


class _Paint(NamedTuple):
    """The colours of what has a role."""

    fill: str
    line: str
    text: str


def _table(plain: dict[Ink, str], roles: dict[str, _Paint]) -> dict[Ink, str]:
    """All inks of a theme: those that have no role, and five for each role. A solid has light from above, so that its top is
    brighter than its front, and its right side darker."""
    table = dict(plain)
    is_dark = plain["ground"] < "#80"
    for role, paint in roles.items():
        table |= {role: paint.fill, f"{role} line": paint.line, f"{role} text": paint.text}
        bright, dull = (paint.line, "#000000") if is_dark else ("#ffffff", paint.line)
        table[f"{role} top"] = _mixed(paint.fill, bright, 0.18 if is_dark else 0.5)
        table[f"{role} side"] = _mixed(paint.fill, dull, 0.5 if is_dark else 0.15)
    return table


def _mixed(one: str, two: str, share: float) -> str:
    """A colour on the way from one to another."""
    pairs = ((int(one[at : at + 2], 16), int(two[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


_LIGHT: Final = _table(
    {
        "ground": "#ffffff",
        "text": "#1b1f24",
        "quiet": "#353c44",
        "line": "#30363d",
        "faint": "#c4cad1",
        "parameters": "#0072b2",
        "macs": "#d55e00",
        "activations": "#009e73",
        "training": "#8c1d6b",
    },
    {
        "input": _Paint("#eef1f5", "#57606a", "#30363d"),
        "stem": _Paint("#cadaee", "#2f6f9b", "#0b3a57"),
        "stage": _Paint("#bcf0cb", "#23734a", "#063d22"),
        "neck": _Paint("#dcc6fb", "#6b4fa0", "#35225c"),
        "head": _Paint("#e6c6ce", "#96485a", "#571a2b"),
        "convolution": _Paint("#cadaee", "#2f6f9b", "#0b3a57"),
        "linear": _Paint("#e6c6ce", "#96485a", "#571a2b"),
        "norm": _Paint("#eef1f5", "#57606a", "#30363d"),
        "activation": _Paint("#f2e7c1", "#9a6a00", "#573800"),
        "pool": _Paint("#dcc6fb", "#6b4fa0", "#35225c"),
        "combine": _Paint("#ffffff", "#30363d", "#1b1f24"),
        "block": _Paint("#ffffff", "#57606a", "#1b1f24"),
        "attention": _Paint("#f5c69c", "#984a25", "#5c2408"),
        "other": _Paint("#f6f7f9", "#57606a", "#30363d"),
    },
)

_DARK: Final = _table(
    {
        "ground": "#0d1117",
        "text": "#f0f3f6",
        "quiet": "#d3dae1",
        "line": "#aab3bd",
        "faint": "#3d444d",
        "parameters": "#56b4e9",
        "macs": "#f0883e",
        "activations": "#2fbf94",
        "training": "#f0a3d6",
    },
    {
        "input": _Paint("#1b2027", "#8b949e", "#e6eaee"),
        "stem": _Paint("#124162", "#5aa7d6", "#d3e9f8"),
        "stage": _Paint("#0a3018", "#4db877", "#cbf1d8"),
        "neck": _Paint("#2b133f", "#a08fd8", "#e6defa"),
        "head": _Paint("#652c3b", "#e29aac", "#fde3e9"),
        "convolution": _Paint("#124162", "#5aa7d6", "#d3e9f8"),
        "linear": _Paint("#652c3b", "#e29aac", "#fde3e9"),
        "norm": _Paint("#1b2027", "#8b949e", "#e6eaee"),
        "activation": _Paint("#4b3b04", "#d6a52f", "#fbe6b6"),
        "pool": _Paint("#2b133f", "#a08fd8", "#e6defa"),
        "combine": _Paint("#0d1117", "#c3cad2", "#f0f3f6"),
        "block": _Paint("#0d1117", "#8b949e", "#f0f3f6"),
        "attention": _Paint("#351a07", "#e0875a", "#fbdccd"),
        "other": _Paint("#12161c", "#8b949e", "#e6eaee"),
    },
)

_WHITE: Final = _Paint("#ffffff", "#262626", "#000000")
_PALE: Final = _Paint("#ededed", "#262626", "#000000")
_GREY: Final = _Paint("#dcdcdc", "#262626", "#000000")

_PRINT: Final = _table(
    {
        "ground": "#ffffff",
        "text": "#000000",
        "quiet": "#333333",
        "line": "#1a1a1a",
        "faint": "#bdbdbd",
        "parameters": "#303030",
        "macs": "#666666",
        "activations": "#919191",
        "training": "#4d4d4d",
    },
    {
        "input": _WHITE,
        "stem": _WHITE,
        "stage": _WHITE,
        "neck": _WHITE,
        "head": _WHITE,
        "convolution": _GREY,
        "linear": _GREY,
        "norm": _WHITE,
        "activation": _PALE,
        "pool": _PALE,
        "combine": _WHITE,
        "block": _WHITE,
        "attention": _GREY,
        "other": _WHITE,
    },
)

_INKS: Final[dict[str, dict[Ink, str]]] = {"light": _LIGHT, "dark": _DARK, "print": _PRINT}
