"""What is said about a spec that is wrong: where, what, why, and what to write instead.

A diagnostic is data. It is made where the fault is found and printed in one place, `format_diagnostic`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

MAXIMUM_DIAGNOSTICS = 100
"""More than these are not collected: a file with so many faults is no spec."""


_LINE_END: Final = re.compile(r"\r\n?|\n")
"""What ends a line, in YAML as in editors."""


class Ended(SystemExit):
    """The process is asked to end, by a signal. What a user's Python raises itself, SystemExit included, is a mistake in it."""


INTERRUPTS: Final = (KeyboardInterrupt, Ended)
"""What ends whatever is under way, a user's Python too."""


@dataclass(frozen=True)
class Source:
    """A text that was read, and what it is called in messages."""

    name: str
    text: str
    shipped: bool = False

    def __repr__(self) -> str:
        return f"Source({self.name!r})"

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return _LINE_END.split(self.text)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty where there is none."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def place(self, offset: int) -> Place:
        """Where the character stands that has `offset` characters before it."""
        before = _LINE_END.split(self.text[:offset])
        column = len(before[-1]) + 1
        return Place(self, len(before), column, column + 1)

    def __reduce__(self) -> tuple[type[Source], tuple[str, str, bool]]:
        return Source, (self.name, self.text, self.shipped)


class Place(NamedTuple):
    """A stretch of one line of a source. `line` and `column` count from 1; `end` is the column behind the last character."""

    source: Source
    line: int
    column: int
    end: int

    def __repr__(self) -> str:
        return f"Place({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Note:
    """A further fact that belongs to a diagnostic, with the place it speaks of."""

    text: str
    place: Place | None = None


def note_at(text: str, place: Place | None) -> tuple[Note, ...]:
    """A note on a place, if it is in a text of the user's own."""
    return (Note(text, place),) if place is not None and not place.source.shipped else ()


@dataclass(frozen=True)
class Diagnostic:
    """One mistake. `code` is stable and names the kind of mistake; `message` says what is wrong, `help` what to write instead."""

    code: str
    message: str
    place: Place | None = None
    help: str | None = None
    notes: tuple[Note, ...] = ()

    def __str__(self) -> str:
        return format_diagnostic(self)


class SpecError(Exception):
    """A spec is wrong. `diagnostics` lists every mistake that was found, in the order of the text."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(diagnostics, key=_position)
        super().__init__("\n".join(format_diagnostic(diagnostic) for diagnostic in self.diagnostics))

    def __reduce__(self) -> tuple[type[SpecError], tuple[list[Diagnostic]]]:
        return SpecError, (self.diagnostics,)


class TooManyStepsError(ValueError):
    """A network has more steps than one can read, or build; the message says what to do."""


Help: TypeAlias = "str | Callable[[], str | None] | None"
"""What to write instead; of a mistake that may be known already, how that is found: a suggestion takes its time."""


@dataclass
class Reporter:
    """Collects diagnostics, each cause once."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    home: Place | None = None
    """Where a mistake is reported that shows in a shipped text: the line of the user's spec that brings it in."""
    is_aside: bool = False
    """Whether what it collects may be of no interest, so that having enough of it ends nothing."""
    _seen: dict[tuple[object, ...], None] = field(default_factory=dict)

    def error(
        self,
        code: str,
        message: str,
        place: Place | None = None,
        *,
        help: Help = None,
        notes: tuple[Note, ...] = (),
    ) -> None:
        """Adds a mistake, unless the same one at the same place is known already, be it with other numbers: in another turn
        of a loop.

        Raises:
            SpecError: with all there are, once there are so many that nobody would read more: looking on would be in vain.
        """
        if self.home is not None and place is not None and place.source.shipped:
            place, notes = self.home, (*notes, Note("it shows here", place))
        key = (code, place[1:], place.source.name, re.sub(r"\d+", "#", message)) if place else (code, message)
        if key in self._seen or len(self.diagnostics) >= MAXIMUM_DIAGNOSTICS:
            return
        self._seen[key] = None
        self.diagnostics.append(Diagnostic(code, message, place, help() if callable(help) else help, notes))
        if len(self.diagnostics) == MAXIMUM_DIAGNOSTICS and not self.is_aside:
            raise SpecError(self.diagnostics)

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Adds mistakes found elsewhere."""
        for diagnostic in diagnostics:
            self.error(
                diagnostic.code, diagnostic.message, diagnostic.place, help=diagnostic.help, notes=diagnostic.notes
            )

    def forget(self, known: int) -> None:
        """Takes back what was reported behind the first `known` mistakes: it was none."""
        del self.diagnostics[known:]
        self._seen = dict.fromkeys([*self._seen][:known])

    def raise_if_any(self) -> None:
        """Raises `SpecError` if something was reported."""
        if self.diagnostics:
            raise SpecError(self.diagnostics)


def _position(diagnostic: Diagnostic) -> tuple[str, int, int]:
    place = diagnostic.place
    return (place.source.name, place.line, place.column) if place else ("", 0, 0)


_UNSEEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""The kinds of characters, as Unicode has them, that are not seen, or that turn or break what stands around them."""


def printable(text: str) -> str:
    """`text` with characters that are not seen, control and bidirectional ones among them, written as escapes.

    So a spec cannot command a terminal, or make a line read as another one. What no XML document may hold is an escape too.
    """
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN and character not in "\ufffe\uffff":
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def shorten(text: str, width: int = 60) -> str:
    """`text` in at most `width` characters, its middle left out where it is longer."""
    return text if len(text) <= width else f"{text[: width // 2]}…{text[-(width // 2 - 1) :]}"


_QUOTED, _LINE = 200, 1000
"""So many characters of a name, and of all that is said at once, are printed."""


def readable(text: str) -> str:
    """`text` as it is printed: of names in it, which may be as long as a text, as much as one reads."""
    cut = re.sub("`([^`]*)`", lambda found: f"`{shorten(found[1], _QUOTED)}`", text)
    return printable(shorten(cut, _LINE))


_MAXIMUM_CHOICES = 1000
"""Of more names than these, the nearest would take too long to find."""
_COMPARED = 60
"""So much of a name is compared."""
_TRIED = 100
"""Of many names that may be near, so many are compared letter by letter, those first that have most letters in common."""


def nearest(name: str, choices: Iterable[str], cutoff: float = 0.65) -> str | None:
    """The choice that a name is nearest to, whatever its capitals; None if none is near."""
    by_lower: dict[str, str] = {}
    for choice in islice(choices, _MAXIMUM_CHOICES):
        by_lower.setdefault(choice.lower(), choice)
    written = name[:_COMPARED].lower()
    if len(by_lower) > _TRIED:
        by_lower = {each: by_lower[each] for each in sorted(by_lower, key=_letters_unlike(written))[:_TRIED]}
    found = difflib.get_close_matches(written, [each for each in by_lower if len(each) <= 2 * _COMPARED], 5, cutoff)
    if not found:
        return None
    return by_lower[
        min(found, key=lambda each: (_slips(written, each), len(each) != len(written), each[0] != written[0]))
    ]


def _slips(written: str, meant: str) -> int:
    """How many letters were left out, added, replaced or swapped with the next one (Damerau's distance)."""
    before: list[int] = []
    above = list(range(len(meant) + 1))
    for row, letter in enumerate(written, start=1):
        this = [row]
        for column, other in enumerate(meant, start=1):
            best = min(above[column] + 1, this[-1] + 1, above[column - 1] + (letter != other))
            is_swap = row > 1 < column and written[row - 2] == other and meant[column - 2] == letter
            this.append(min(best, before[column - 2] + 1) if is_swap else best)
        before, above = above, this
    return above[-1]


def _letters_unlike(wanted: str) -> Callable[[str], int]:
    """How many letters one of two names has and the other has not, and how much longer one is."""
    letters = set(wanted)

    def count(name: str) -> int:
        return len(letters.symmetric_difference(name[:_COMPARED])) + abs(len(name) - len(wanted))

    return count


def with_article(name: str) -> str:
    """A name behind "a" or "an"."""
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def suggest(name: str, choices: Iterable[str]) -> str | None:
    """The help for an unknown name: the nearest choice if one is near, else all of them."""
    known = sorted({str(choice) for choice in islice(choices, _MAXIMUM_CHOICES)})
    if not known:
        return None
    if "$" in name and not any("$" in each for each in known):
        return "an expression cannot be used here"
    near = nearest(name, known) or next((each for each in known if len(each) > 2 and name.startswith(each)), None)
    if near is not None:
        return f"did you mean `{near}`?"
    listed = ", ".join(known[:25])
    return f"known here: {listed}" + (", ..." if len(known) > 25 else "")


def format_diagnostic(diagnostic: Diagnostic) -> str:
    """The diagnostic as text: `file:line:column: error[code]: message`, the line quoted and marked, notes and help."""
    head = f"error[{diagnostic.code}]: {readable(diagnostic.message)}"
    lines = [f"{printable(str(diagnostic.place))}: {head}" if diagnostic.place else head]
    lines += _quote(diagnostic.place)
    for note in diagnostic.notes:
        where = f"{printable(str(note.place))}: " if note.place else ""
        lines.append(f"  note: {where}{readable(note.text)}")
    if diagnostic.help:
        lines.append(f"  help: {readable(diagnostic.help)}")
    return "\n".join(lines)


_MARGIN = 60


def _quote(place: Place | None) -> list[str]:
    if place is None:
        return []
    text = place.source.line(place.line).replace("\t", "→")
    if not text.strip():
        return []
    # A very long line is cut around the marked stretch.
    start = max(0, place.column - 1 - _MARGIN) if len(text) > 2 * _MARGIN else 0
    end = min(max(place.end, place.column + 1) - 1, start + 2 * _MARGIN)
    before = printable(text[start : place.column - 1])
    marked = printable(text[place.column - 1 : end])
    after = printable(text[end : start + 2 * _MARGIN])
    number = str(place.line)
    return [
        f"{number:>5} | {before}{marked}{after}".rstrip(),
        f"      | {' ' * _columns(before)}{'^' * max(1, _columns(marked))}",
    ]


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: most characters one; two, as Unicode has it, those that are wide; none those
    that are put onto the one before, as accents and the inner letters of Korean syllables are."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
