"""Numbers as people read them: in three figures, with a letter for thousands, millions and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_LETTERS: Final = "KMGTPE"


def abbreviate(count: int | None) -> str:
    """A count in three figures: "25.6 M"; "?" where it is not known."""
    if count is None:
        return "?"
    power = _power_of(count)
    return f"{_figures(count / 1000**power)} {_LETTERS[power - 1]}" if power else str(count)


def rounded(count: float) -> str:
    """A round count, as short as it can be: "20 M"."""
    power = _power_of(round(count))
    return f"{count / 1000**power:g} {_LETTERS[power - 1]}" if power else f"{count:g}"


def with_unit(count: int, unit: str) -> str:
    """A count in three figures with its unit: "4.09 GMACs"."""
    text = abbreviate(count)
    return f"{text}{unit}" if count >= 1000 else f"{text} {unit}"


def in_one_unit(counts: Sequence[int | None], total: int | None) -> tuple[str, list[str]]:
    """Counts in the one unit that suits their total, in three figures, and flush right at the decimal point: the unit's
    letter, which is "" for ones, and the texts. None is "?" and 0 "–"."""
    power = _power_of(max(total or 0, *(count or 0 for count in counts)))
    texts = [_in_unit(count, power) for count in counts]
    places = max(len(text.partition(".")[2]) for text in texts)
    flush = [text + " " * (places - len(text.partition(".")[2]) + ("." not in text and places > 0)) for text in texts]
    return _LETTERS[power - 1] if power else "", flush


def _power_of(count: int) -> int:
    """By which power of a thousand a count is divided, so that three figures show it."""
    power = 0
    while power < len(_LETTERS) and count >= (999.5 * 1000**power if power else 1000):
        power += 1
    return power


def _in_unit(count: int | None, power: int) -> str:
    if not count:
        return "?" if count is None else "–"
    if not power:
        return f"{count:,}"
    value = count / 1000**power
    return _figures(value) if value >= 0.001 else "<0.001"


_BOUNDS: Final = (99.95, 9.995, 0.9995, 0.09995, 0.009995)
"""What is less than one of these has one more digit behind the point."""


def _figures(value: float) -> str:
    """A number in three figures, without an exponent."""
    return f"{value:,.{sum(value < bound for bound in _BOUNDS)}f}"
