"""How a text is written in LaTeX, whatever is in it, so that it shows just that text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

UNKNOWN: Final = r"""% \unknown{code}: an empty box, for a character that LaTeX does not know
\newcommand{\unknown}[1]{\hbox to 1em{\hss\vrule width.05em\vbox{\hrule height.05em\vskip.6em\hrule height.05em width.6em}%
  \vrule width.05em\hss}}"""
"""What a document says that has such texts."""

_SPECIAL: Final[dict[str, str]] = {
    **{character: f"\\{character}" for character in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
    '"': r"\textquotedbl{}",
    "-": "-{}",  # two would be a dash,
    ",": ",{}",  # ... and two of these a quotation mark
    "\u00a0": "~",
}
"""What means something to LaTeX."""

_GREEK: Final = "αβγδεζηθικλμνξπρςστυφχψωϑϕΓΔΘΛΞΠΣΥΦΨΩ"
_GREEK_NAMES: Final = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma sigma tau upsilon varphi "
    "chi psi omega vartheta phi Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)

SIGNS: Final[dict[str, str]] = {
    "…": "...",
    "−": r"$-$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "↕": r"$\updownarrow$",
    "⇒": r"$\Rightarrow$",
    "⇐": r"$\Leftarrow$",
    "⇔": r"$\Leftrightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "≡": r"$\equiv$",
    "∈": r"$\in$",
    "∉": r"$\notin$",
    "∞": r"$\infty$",
    "∑": r"$\sum$",
    "∏": r"$\prod$",
    "∫": r"$\int$",
    "√": r"$\surd$",
    "∂": r"$\partial$",
    "∇": r"$\nabla$",
    "⊕": r"$\oplus$",
    "⊗": r"$\otimes$",
    "⊙": r"$\odot$",
    "∘": r"$\circ$",
    "∙": r"$\bullet$",
    "⋅": r"$\cdot$",
    "∥": r"$\parallel$",
    "\u2032": r"$'$",
    "\u2033": r"$''$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    **{"⁰⁴⁵⁶⁷⁸⁹"[k]: f"\\textsuperscript{{{digit}}}" for k, digit in enumerate("0456789")},
    **{chr(0x2080 + digit): f"\\textsubscript{{{digit}}}" for digit in range(10)},
    **{letter: f"$\\{name}$" for letter, name in zip(_GREEK, _GREEK_NAMES.split(), strict=True)},
}
"""Signs that LaTeX has under names of its own."""

_LETTERS: Final = frozenset(
    {*map(chr, range(0x20, 0x7F)), *map(chr, range(0xA1, 0x17F))} - {"\u00ad", *"ĦħĵĸĿŀŉŊŋŦŧ"}
    | set("\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2020\u2021\u2022\u2030\u2039\u203a\u20ac\u2122")
)
"""Characters that LaTeX takes as they are, and that Helvetica has."""


def escaped(text: str) -> str:
    """A text as LaTeX is to read it, so that it shows just that."""
    composed = unicodedata.normalize("NFC", text)
    words = "".join(map(_escaped, composed))
    # Of several spaces, or those at an end, LaTeX would make one or none.
    return re.sub(r"^ +| +$|(?<= ) +", lambda match: "\\ " * len(match[0]), words)


def _escaped(character: str) -> str:
    if found := _SPECIAL.get(character) or SIGNS.get(character):
        return found
    if character in _LETTERS:
        return character
    # What stands over a letter that no letter of Helvetica has cannot be set.
    return "" if unicodedata.category(character) in ("Mn", "Me") else f"\\unknown{{{ord(character):X}}}"
