"""What is not YAML, in words for the author of a spec: what is wrong, where, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import yaml

from archbuilder.diagnostics import Place, Reporter, Source

_MAXIMUM_SEARCHED: Final = 2_000
"""So much of a line is looked through for what may have been meant."""

_EXPRESSION_IN_FLOW: Final = re.compile(r"[{\[,:]\s{0,9}\$\([^)]{0,400}(,|\[|: )")
_KEY: Final = re.compile(r":(\s|\Z)")
_LAST_WORD: Final = re.compile(r"[^\s,{}\[\]]+\s*\Z")
_BRACKETS: Final = re.compile(r"""[{}\[\]]|(?<=[\s,{\[:])("(\\.|[^"\\])*"|'[^']*'|#[^\n]*)""")
"""What opens or closes a map or a list in brackets; quoted texts and comments are taken whole."""
_IN_EXPRESSION: Final = re.compile(r"""[()\[\]}]|,\s*(?:[\w.-]+:(?=\s)|\$)|'[^']*'""")
"""What opens or closes something in an expression, or stands behind one that is not closed; texts in it are taken whole."""


class _Stop(NamedTuple):
    """Where a parser can go no further: what stands before that in its line, what this mostly means, and what the parser says."""

    place: Place
    before: str
    message: str
    help: str | None
    error: yaml.MarkedYAMLError

    @property
    def text(self) -> str:
        """The text from there on, to the end of the line."""
        return self.place.source.line(self.place.line)[self.place.column - 1 :][:_MAXIMUM_SEARCHED]


_Advice: TypeAlias = tuple[str, str | None] | tuple[str, str | None, Place] | None
"""What is wrong and what to write, and where, unless it is where the parser stopped. None: what it mostly means."""


def report_syntax(error: yaml.MarkedYAMLError, source: Source, reporter: Reporter) -> None:
    """Reports what a parser could not read."""
    problem = (error.problem or "").strip()
    began = "end of stream" in problem or "could not find expected ':'" in problem
    mark = (error.context_mark if began else None) or error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    while line > 1 and not source.line(line).strip():  # behind the end
        line -= 1
        column = len(source.line(line)) + 1
    place, before = Place(source, line, column, column + 1), source.line(line)[: column - 1]
    found = (row for row in _SYNTAX if row[0] in problem)
    _, message, help, look = next(found, ("", f"this is not YAML: {problem}", None, None))
    if _EXPRESSION_IN_FLOW.search(source.line(line)[:_MAXIMUM_SEARCHED]):
        help = 'an expression with a comma, a bracket or a colon inside {...} needs double quotes: "$(...)"'
    elif "\t" in source.line(line)[:column]:
        message, help = "YAML does not allow tabs here", "indent with spaces"
    elif look is not None and (advice := look(_Stop(place, before[-_MAXIMUM_SEARCHED:], message, help, error))):
        message, help, *other = advice
        (place,) = other or (place,)
    reporter.error("yaml", message, place, help=help)


def _line_before(source: Source, line: int) -> int:
    """The number of the last line before one that is neither blank nor a comment; 0 if there is none."""
    return next((each for each in range(line - 1, 0, -1) if source.line(each).lstrip()[:1] not in ("", "#")), 0)


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _on_colon(stop: _Stop) -> _Advice:
    """A further `: `. Where the line has no other one, it goes on with a text that began before it."""
    source, line = stop.place.source, _line_before(stop.place.source, stop.place.line)
    if _KEY.search(stop.before) or not line:
        return None
    while not _KEY.search(text := source.line(line)):
        above = _line_before(source, line)
        is_first = not above or source.line(above).rstrip().endswith(":")
        if is_first or _indent(source.line(above)) >= _indent(text):
            place = Place(source, line, _indent(text) + 1, _indent(text) + 2)
            return "expected a key and `:` here", "write `key: value`, with a space behind the colon", place
        line = above
    where = f"begin this line in the same column as the key of line {line}"
    return stop.message, f"{where}, or {stop.help}"


def _on_entry(stop: _Stop) -> _Advice:
    """Something else than a comma, or what closes, in a map or a list in brackets."""
    if stop.before.endswith("$") and stop.text.startswith("{"):
        inside = stop.text.partition("}")[0].strip("{ ")
        return "an expression has no braces", f"write `${inside}`" if re.fullmatch(r"\w+", inside) else "write `$(...)`"
    opened = stop.error.context_mark
    if opened is None or stop.help is None:
        return None
    rest = stop.help.partition(",")[2]
    if not _is_closed(stop.place.source, opened.line, opened.column):
        line = f" of line {opened.line + 1}" if opened.line + 1 != stop.place.line else ""
        return stop.message, f"{stop.help.removesuffix(rest)[:-1]}{line},{rest}"
    word = _LAST_WORD.search(stop.before[-100:]) if stop.text.startswith(":") else None
    return stop.message, f"put a comma {f'before `{word[0].strip()}`' if word else 'or a colon before it'},{rest}"


def _is_closed(source: Source, line: int, column: int) -> bool:
    """Whether the bracket that stands there is closed further on."""
    opened: list[str] = []
    for found in _BRACKETS.finditer("\n".join(source.lines[line:]), column):
        if found[0] in ("{", "["):
            opened.append(found[0])
        elif found[0] in ("}", "]"):
            if not opened or opened.pop() + found[0] not in ("{}", "[]"):
                return False
            if not opened:
                return True
    return False


def closed_expression(line: str) -> str | None:
    """The expression that begins a line, inside a map or a list in brackets, with the brackets that it lacks; None if it is
    closed before the next key, the next expression or what closes that map or list, or if none of these is in the line."""
    lacking = ""
    for found in _IN_EXPRESSION.finditer(line[:_MAXIMUM_SEARCHED]):
        if found[0] in ("(", "["):
            lacking = {"(": ")", "[": "]"}[found[0]] + lacking
        elif found[0] == lacking[:1]:
            lacking = lacking[1:]
            if not lacking:
                return None
        elif not found[0].startswith("'"):
            return line[: found.start()].rstrip() + lacking
    return None


def _on_no_value(stop: _Stop) -> _Advice:
    if stop.text.startswith(","):
        return stop.message, "remove the comma, or write a value before it"
    return _on_end(stop) if "flow" not in str(stop.error.context) else None


def _on_end(stop: _Stop) -> _Advice:
    if stop.text.startswith(("}", "]")):
        return "this closes nothing", "remove it, or put the whole text in quotes"
    return None


def _on_line(stop: _Stop) -> _Advice:
    """Something else than the next key of a map, or the next `-` of a list; the line may be indented well."""
    if stop.before.strip(" -"):
        help = "remove the comma" if stop.text.startswith(",") else "remove it, or put the whole text in quotes"
        return _on_end(stop) or ("nothing can follow the value here", help)
    began = stop.error.context_mark
    if not stop.text.startswith("- "):
        if began and "mapping" not in str(stop.error.context) and began.column == stop.place.column - 1:
            return "a key cannot stand among the `-` of a list", "write `- ` before it, or keys for all of them"
        return _on_end(stop)
    source = stop.place.source
    if source.line(_line_before(source, stop.place.line)).lstrip().startswith("- "):
        return f"{_UNLIKE} of its list", _SAME_DASHES
    return "a `-` cannot stand among the keys of a map", "write `key: value`, or `- ` before all of them"


def _on_second(stop: _Stop) -> _Advice:
    """Something behind the map that the text was."""
    source, above = stop.place.source, _line_before(stop.place.source, stop.place.line)
    if source.line(above).startswith("%"):
        return "a `%` cannot begin a line", "remove it", Place(source, above, 1, 2)
    line = next(at for at, text in enumerate(source.lines, start=1) if text.lstrip()[:1] not in ("", "#"))
    if _indent(source.line(line)) >= stop.place.column:
        return None
    return _on_end(stop) or ("the spec ends before this", "write one map, with each of its keys in a line of its own")


_UNLIKE: Final = "this line is indented unlike the others"
_SAME_KEYS: Final = "begin all keys of a map in the same column"
_SAME_DASHES: Final = "begin all `-` of a list in the same column"
_QUOTES: Final = "put the text in quotes"

_SYNTAX: Final[tuple[tuple[str, str, str | None, Callable[[_Stop], _Advice] | None], ...]] = (
    (
        "',' or '}'",
        "expected `,` or `}` here",
        "close the `{`, or put a text with `,` `{` `}` or `: ` in it in quotes",
        _on_entry,
    ),
    (
        "',' or ']'",
        "expected `,` or `]` here",
        "close the `[`, or put a text with `,` `[` `]` or `: ` in it in quotes",
        _on_entry,
    ),
    ("expected key", f"{_UNLIKE} of its map", _SAME_KEYS, _on_line),
    ("'-' indicator", f"{_UNLIKE} of its list", _SAME_DASHES, _on_line),
    ("expected <block end>", _UNLIKE, _SAME_KEYS, _on_line),
    ("document start", _UNLIKE, _SAME_KEYS, _on_second),
    ("unexpected ':'", "a `:` is not expected here", "write `key: value`, with a space behind the colon", None),
    ("mapping values are not allowed", "a `:` is not expected here", "put a text with `: ` in it in quotes", _on_colon),
    (
        "could not find expected ':'",
        "expected a key and `:` here",
        "write `key: value`, with a space behind the colon",
        None,
    ),
    ("cannot start any token", "this character cannot begin a value", _QUOTES, None),
    ("unexpected end of stream", "this quote is never closed", None, None),
    ("node content", "a value is missing here", "close every `{` and `[`", _on_no_value),
    (
        "sequence entries are not allowed",
        "a list cannot begin here",
        "write each `- ` in a line of its own, or the list as [a, b]",
        None,
    ),
    ("alphabetic or numeric", "a name is missing here, behind `&` or `*`", _QUOTES, None),
    ("expected a comment or a line break", "a text with `|` or `>` before it begins in the next line", _QUOTES, None),
    ("chomping or", "a text with `|` or `>` before it begins in the next line", _QUOTES, None),
    ("expected comment or line break", "a text with `|` or `>` before it begins in the next line", _QUOTES, None),
    (
        "unknown escape",
        "in double quotes a `\\` begins an escape, and there is none like this",
        "put the text in single quotes",
        None,
    ),
)
"""What YAML's parsers say, what that mostly means for the author of a spec, what to write, and what else it may mean."""
