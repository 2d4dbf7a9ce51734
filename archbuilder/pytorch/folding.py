"""Folds lines of emitted source that are too long: what stands in brackets goes on lines of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from archbuilder.pytorch.layout import WIDTH

_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_STATEMENT: Final = re.compile(r" *(return |[\w.]+ = )")
_KEYWORDS: Final = ("class ", "def ", "for ", "if ")
_WORDS: Final = (" for ", " if ", " else ", " + ")


def folded(source: str) -> str:
    """Source in which no line is too long, as far as brackets allow. What it means stays the same."""
    lines: list[str] = []
    in_docstring = False
    for line in source.split("\n"):
        marks = line.count('"""')
        lines += [line] if in_docstring or marks else _folded(line)
        in_docstring ^= marks % 2 == 1
    return "\n".join(lines)


def _folded(line: str) -> list[str]:
    """A line as several, if it is too long."""
    if len(line) <= WIDTH:
        return [line]
    own = " " * (len(line) - len(line.lstrip()))
    statement = _STATEMENT.match(line)
    value = line[statement.end() :] if statement is not None else line.lstrip()
    words = [] if value.startswith(_KEYWORDS) else _cuts(value, _WORDS)
    if words and statement is None:  # it stands in brackets
        return [text for part in _parts(value, words) for text in _folded(own + part)]
    if words and statement is not None:
        return _in_brackets(own, f"{statement[0]}(", _parts(value, words), ")")
    bracket = _bracket(line)
    if bracket is None:
        return [line]
    start, end = bracket
    return _in_brackets(own, line[: start + 1], _inside(line[start + 1 : end], len(own) + 4), line[end:])


def _in_brackets(own: str, before: str, parts: list[str], after: str) -> list[str]:
    inner = [text for part in parts for text in _folded(f"{own}    {part}")]
    return [before, *inner, *_folded(own + after)]


def _inside(text: str, indent: int) -> list[str]:
    """What stands in brackets, on lines of its own: cut at its commas, unless it is plain and fits; what has none, at the
    words of a loop, a choice or a sum."""
    commas = _cuts(text, (",",))
    if not commas:
        return _parts(text, _cuts(text, _WORDS))
    if "(" not in text and indent + len(text) <= WIDTH:
        return [text]
    return [f"{part}," for part in _parts(text, commas)]


def _bracket(line: str) -> tuple[int, int] | None:
    """Where the brackets open and close that are to be folded: those that hold most, or, in `("name", Block(...))`, those
    behind the name."""
    pairs = [(start, end) for start, end in _pairs(line) if end > start + 1]  # there is nothing to fold in `()`
    if not pairs:
        return None
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    behind = re.match(r'"[^"]*", [\w.]+', line[start + 1 : end])
    if behind is not None:
        inner = start + 1 + behind.end()
        return next((pair for pair in pairs if pair == (inner, end - 1)), (start, end))
    return start, end


def _pairs(line: str) -> list[tuple[int, int]]:
    """Where brackets open and close in a line, by where they open."""
    open_brackets: list[int] = []
    pairs: list[tuple[int, int]] = []
    for at, character in _outside_texts(line):
        if character in _CLOSING:
            open_brackets.append(at)
        elif open_brackets and character == _CLOSING[line[open_brackets[-1]]]:
            pairs.append((open_brackets.pop(), at))
    return sorted(pairs)


def _outside_texts(line: str) -> Iterator[tuple[int, str]]:
    """The characters of a line that stand in no literal text."""
    inside = escaped = False
    for at, character in enumerate(line):
        if not inside and character != '"':
            yield at, character
        if character == '"' and not escaped:
            inside = not inside
        escaped = inside and character == "\\" and not escaped


def _parts(text: str, cuts: list[int]) -> list[str]:
    """A text cut at these places, without the commas that stand there."""
    bounds = zip([0, *cuts], [*cuts, len(text)], strict=True)
    return [part for start, end in bounds if (part := text[start:end].lstrip(",").strip())]


def _cuts(text: str, words: tuple[str, ...]) -> list[int]:
    """Where one of some words stands in a text outside of all brackets."""
    depth = 0
    found: list[int] = []
    for at, character in _outside_texts(text):
        if character in _CLOSING:
            depth += 1
        elif character in _CLOSING.values():
            depth = max(0, depth - 1)  # what opened in a line before
        elif depth == 0 and text.startswith(words, at):
            found.append(at)
    return found
