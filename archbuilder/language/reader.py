"""YAML text -> tables with places, within bounds, whatever the text is.

Read from the parser's events with a stack of our own: composing nested nodes would recurse, and let a small text
crash the process or fill the memory. Scalars are those of YAML 1.2: `1e-5` is a number, `no` and `off` are texts, `0755`
is seven hundred and fifty-five. Underscores between digits are read as in Python (`25_557_032`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, BinaryIO, Final

import yaml

from archbuilder.diagnostics import Place, Reporter, Source, shorten
from archbuilder.language.syntax import closed_expression, report_syntax
from archbuilder.language.table import Items, Table

MAXIMUM_CHARACTERS: Final = 250_000
MAXIMUM_NESTING: Final = 40
MAXIMUM_VALUES: Final = 20_000
"""Maps, lists and scalars of one file, those behind aliases counted as often as they are used."""

MAXIMUM_BYTES: Final = 4 * MAXIMUM_CHARACTERS
"""A character has at most four."""

_PIECE: Final = 1 << 14
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """The rest of the text cannot be read; the reason has been reported."""


def read_bytes(stream: BinaryIO) -> bytes:
    """All that a stream has; where this is more than a spec may have, `MAXIMUM_BYTES` and one more.

    In pieces: memory for the most that may come would be taken at once, and is a thousand times what a spec needs.
    """
    pieces, left = list[bytes](), MAXIMUM_BYTES + 1
    while left and (piece := stream.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def read_yaml(source: Source, reporter: Reporter) -> Table | None:
    """The map that a text holds; None where there is none, with the reasons in `reporter`."""
    if len(source.text) > MAXIMUM_CHARACTERS:
        reporter.error(
            "too-large",
            f"this text has {len(source.text):,} characters; at most {MAXIMUM_CHARACTERS:,} are read",
            Place(source, 1, 1, 2),
        )
        return None
    root = _read(source, reporter)
    if root is None or isinstance(root, Table):
        return root
    reporter.error(
        "not-a-map",
        "a spec is a map of sections (name, input, stages, ...)",
        getattr(root, "place", None) or Place(source, 1, 1, 2),
        help="begin with a line such as `name: my-network`",
    )
    return None


_SPACES: Final = dict.fromkeys(map(ord, "\x85\u2028\u2029"), " ")
"""What ended a line before YAML 1.2, so that its parsers count more lines than an editor shows."""
_FOREIGN: Final = re.compile(f"{yaml.reader.Reader.NON_PRINTABLE.pattern}|\ufeff")
"""What no YAML holds; the last may only begin it."""


def _read(source: Source, reporter: Reporter) -> Any:
    source = replace(source, text=source.text.removeprefix("\ufeff"))
    foreign = _FOREIGN.search(source.text)
    if foreign is not None:
        reporter.error("yaml", "this character is not allowed in YAML", source.place(foreign.start()))
        return None
    builder = _Builder(source, reporter)
    try:
        root = builder.read(_LOADER(source.text.translate(_SPACES)))
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        if not builder.trapped:  # what YAML says behind a split expression comes from that
            report_syntax(error, source, reporter)
        return None
    if root is None:
        reporter.error("empty", "this spec is empty", Place(source, 1, 1, 2), help="see `archbuilder show resnet50`")
        return None
    return None if builder.trapped else root


# ---- scalars ---------------------------------------------------------------------------------------------------------

_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*\Z", re.ASCII)
_BASED = re.compile(r"0(o[0-7]+|x[0-9a-fA-F]+)\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z", re.ASCII)
_MAXIMUM_DIGITS = 300


def resolve_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar.

    Raises:
        ValueError: for a number of more than 300 digits, or one that is not finite.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) > _MAXIMUM_DIGITS and (_FLOAT.match(text) or _BASED.match(text)):
        raise ValueError(f"this number has more than {_MAXIMUM_DIGITS} digits")
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.match(text):
        number = float(text)
        if abs(number) == float("inf"):
            raise ValueError("this number is too large")
        return number
    return text


def plain_value(value: Any, depth: int = 0) -> Any:
    """A value that Python code gives, with numbers of other libraries (NumPy's) as Python's own, in lists and maps too.

    Raises:
        ValueError: if it is nested deeper than a text could be.
    """
    if depth > MAXIMUM_NESTING:
        raise ValueError(f"maps and lists are nested more than {MAXIMUM_NESTING} deep")
    if isinstance(value, bool | str) or type(value) in (int, float):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, dict):
        return {key: plain_value(each, depth + 1) for key, each in value.items()}
    return [plain_value(each, depth + 1) for each in value] if isinstance(value, list | tuple) else value


# ---- maps and lists --------------------------------------------------------------------------------------------------

_NO_KEY: Final = object()
_ITEM: Final = object()


@dataclass(slots=True)
class _Open:
    """A container that is being read. `key` is the key whose value comes next: `_NO_KEY` where a key does, `_ITEM` in a list."""

    container: Any
    key: Any
    anchor: str | None = None
    flow: bool = False
    before: int = 0
    key_place: Place | None = None
    height: int = 1
    """How deep it nests, as far as it was read."""


@dataclass(slots=True)
class _Builder:
    source: Source
    reporter: Reporter
    top: _Open = field(default_factory=lambda: _Open(Items(), _ITEM))
    """The innermost container; the outermost is a list of what the file holds, one map."""
    around: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int, int]] = field(default_factory=dict)
    values: int = 0
    trapped: bool = False
    """Whether a value could not be read, so that the rest would be misunderstood."""

    def read(self, loader: Any) -> Any:
        """Takes every event of a parser; what they hold. Asking for the next one is all that is done: `yaml.parse` asks twice."""
        next_event, handlers, end = loader.get_event, _HANDLERS, yaml.StreamEndEvent
        try:
            while (kind := type(event := next_event())) is not end:
                if kind in handlers:
                    handlers[kind](self, event)
            return self.top.container[0] if self.top.container else None
        finally:
            loader.dispose()

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        line, column, last = start.line + 1, start.column + 1, end.column + 1
        if end.line >= line:
            last = len(self.source.line(line)) + 1
        if last <= column:
            last = column + 1
        # There is one for every value: `tuple.__new__` makes it in half the time.
        return tuple.__new__(Place, (self.source, line, column, last))

    def stop(self, code: str, message: str, place: Place, help: str | None = None) -> _Stop:
        self.reporter.error(code, message, place, help=help)
        return _Stop()

    def document(self, event: Any) -> None:
        if self.top.container:
            place = self.place(event)
            raise self.stop("yaml", "a file holds one spec; this `---` begins another", place)

    def count(self, event: Any, values: int = 1) -> None:
        self.values += values
        if self.values > MAXIMUM_VALUES:
            message = f"this text holds more than {MAXIMUM_VALUES:,} values (those behind aliases count each time)"
            raise self.stop("too-large", message, self.place(event))

    def scalar(self, event: Any) -> None:
        self.values += 1
        if self.values > MAXIMUM_VALUES:
            self.count(event, 0)
        place = self.place(event)
        if event.tag is not None:
            self.refuse_tag(event, place)
        top, value = self.top, event.value
        if top.key is _NO_KEY:
            if value == "<<":
                message, help = "YAML merge keys (`<<`) are not part of the language", "use `extends` or `defaults`"
                raise self.stop("yaml", message, place, help)
            top.key, top.key_place = value, place
            return
        if not event.style:
            if not value and top.key_place is not None:
                place = top.key_place  # nothing is written
            if top.flow and value[:1] in ("$", "("):
                self.catch_split_text(value, place)
            try:
                value = resolve_scalar(value)
            except ValueError as error:
                self.reporter.error("bad-number", str(error), place)
                self.trapped = True
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        self.add(value, place)

    def catch_split_text(self, text: str, place: Place) -> None:
        """Inside `{...}` and `[...]` YAML ends a plain text at a comma, wherever that stands."""
        if text.count("(") <= text.count(")"):
            return
        self.trapped = True
        what, help = "expression", 'put the expression in double quotes: "$(...)"'
        message = "YAML ends this {} at its comma, bracket or brace"
        if text[0] == "(":
            what, help = "text", "write a pair as [3, 3], and put a text in quotes"
        elif closed := closed_expression(self.source.line(place.line)[place.column - 1 :]):
            message = "this {} lacks a closing bracket"
            help = (
                f'write "{shorten(closed)}", in double quotes'
                if re.search(r"[],[]", closed)
                else f"write `{shorten(closed)}`"
            )
        self.reporter.error(f"split-{what}", f"{message.format(what)}: `{shorten(text)}`", place, help=help)

    def refuse_tag(self, event: Any, place: Place) -> None:
        if event.tag is not None and event.tag != "!":
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self.stop("yaml-tag", f"tags such as `{shorten(tag)}` have no meaning in a spec", place, "remove it")

    def open(self, event: Any) -> None:
        self.count(event)
        place = self.place(event)
        self.refuse_tag(event, place)
        if len(self.around) >= MAXIMUM_NESTING:
            raise self.stop("too-deep", f"maps and lists are nested more than {MAXIMUM_NESTING} deep", place)
        if self.top.key is _NO_KEY:
            raise self.stop("bad-key", "a key must be a word, not a map or a list", place)
        self.around.append(self.top)
        container, key = (Table(place), _NO_KEY) if type(event) is yaml.MappingStartEvent else (Items(place), _ITEM)
        self.top = _Open(container, key, event.anchor, bool(event.flow_style), self.values)

    def close(self, event: Any) -> None:
        done, self.top = self.top, self.around.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.container, self.values - done.before + 1, done.height)
        self.add(done.container, done.container.place, done.height)

    def alias(self, event: Any) -> None:
        place = self.place(event)
        known = self.anchors.get(event.anchor)
        if known is None:
            raise self.stop("yaml", f"there is no anchor `&{event.anchor}` before this alias", place)
        value, size, height = known
        self.count(event, size)
        if len(self.around) + height > MAXIMUM_NESTING:
            raise self.stop("too-deep", f"maps and lists are nested more than {MAXIMUM_NESTING} deep", place)
        if self.top.key is _NO_KEY:
            raise self.stop("bad-key", "a key must be written out, not taken from an anchor", place)
        self.add(value, place, height)

    def add(self, value: Any, place: Place | None, height: int = 0) -> None:
        top = self.top
        if height >= top.height:
            top.height = height + 1
        container, key = top.container, top.key
        if key is _ITEM:
            container.append(value)
            container.places.append(place)
            return
        top.key = _NO_KEY
        if key in container:
            first = container.key_places[key]
            line = f"line {first.line}" if first else "above"
            message = f"`{key}` is here twice; the first is in {line}"
            help = "call the variable of one of the loops otherwise" if str(key).startswith("for ") else None
            self.reporter.error("duplicate-key", message, top.key_place, help=help)
            self.trapped = True
            return
        container[key] = value
        container.key_places[key] = top.key_place
        container.value_places[key] = place


_HANDLERS: Final = {
    yaml.DocumentStartEvent: _Builder.document,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.MappingStartEvent: _Builder.open,
    yaml.SequenceStartEvent: _Builder.open,
    yaml.MappingEndEvent: _Builder.close,
    yaml.SequenceEndEvent: _Builder.close,
    yaml.AliasEvent: _Builder.alias,
}
