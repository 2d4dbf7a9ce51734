"""Formats summaries for people: as a table, and as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from archbuilder.analysis.facts import Depth, Facts, Row, unsaid
from archbuilder.analysis.numbers import abbreviate, in_one_unit, with_unit
from archbuilder.diagnostics import printable
from archbuilder.graph.shapes import Shape, Streams

if TYPE_CHECKING:
    from archbuilder.analysis.receptive import Field

COUNTED = "convolutions, linear layers, matrix products; 1 MAC = 2 FLOPs"
"""What the multiply-accumulates of a summary are those of."""


def in_brief(name: str, summary: Facts, sizes: str = "") -> str:
    """A network in one line; `sizes` is what is to be known of those that it takes."""
    compute = (
        f"MACs not known, {unsaid(summary.uncounted)}" if summary.macs is None else with_unit(summary.macs, "MACs")
    )
    return f"{printable(name)}: fine, {summary.parameters:,} parameters, {compute}{f'; for {sizes}' if sizes else ''}"


def aligned(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Iterable[int] = (),
    width: int | None = None,
    *,
    gap: int = 2,
    cut: Iterable[int] = (),
) -> str:
    """Columns of plain text with a gap between them, those in `right` flush right. Where lines would be longer than `width`,
    the columns in `cut` are shortened, one after the other; the others are whole at any width."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for column in cut if width is not None else ():
        over = sum(widths) + gap * (len(widths) - 1) - (width or 0)
        least = min(widths[column], _LEAST)
        widths[column] = max(least, widths[column] - max(0, over))
    flush = set(right)
    return "\n".join(
        (" " * gap)
        .join(_cell(cell, room, i in flush) for i, (cell, room) in enumerate(zip(line, widths, strict=True)))
        .rstrip()
        for line in lines
    )


_LEAST: Final = 5
"""Characters that a column is shortened to, at least."""


def _cell(text: str, room: int, right: bool) -> str:
    text = shortened(text, room)
    return text.rjust(room) if right else text.ljust(room)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """The lines of a table in Markdown; cells are escaped, columns in `right` flush right."""
    flush = set(right)
    rule = ["---:" if column in flush else "---" for column in range(len(header))]
    cells = [[escape_markdown(cell) for cell in row] for row in (header, *rows)]
    return [f"| {' | '.join(row)} |" for row in (cells[0], rule, *cells[1:])]


def fits(text: str, width: int | None) -> bool:
    """Whether no line is longer than a terminal is wide."""
    return width is None or max(map(len, text.splitlines())) <= width


def stage_table(summary: Facts, width: int | None = None) -> str:
    """The table of stages: name, block, repeats, inner and output width, output shape. Where the width is not enough for it,
    blocks are shortened or left out, then shapes; numbers never."""
    cells = [_stage_cells(row) for row in summary.stages]
    brief = [
        (*each[:4], _brief_width(row.output_shape), _brief(row.output_shape))
        for each, row in zip(cells, summary.stages, strict=True)
    ]
    ways = (
        (cells, (0, 1, 2, 3, 4, 5), 2),
        (cells, (0, 2, 3, 4, 5), 2),
        (cells, (0, 2, 3, 4, 5), 1),
        (brief, (0, 2, 3, 4, 5), 1),
        (cells, (0, 2, 3, 4), 1),
        (brief, (0, 2, 3, 4), 1),
    )
    for rows, columns, gap in ways:
        header, *lines = ([row[column] for column in columns] for row in (_STAGE_HEADER, *rows))
        right = [at for at, column in enumerate(columns) if column in (2, 3, 4)]
        text = aligned(header, lines, right, width, gap=gap, cut=(1,) if 1 in columns else ())
        if fits(text, width):
            break
    return text


_STAGE_HEADER: Final = ("name", "block", "repeats", "inner", "width", "output")
_REPEATS = re.compile(r"([^,]*) ×(\d+)")


def _stage_cells(row: Row) -> tuple[str, ...]:
    repeats = _REPEATS.fullmatch(row.label)
    block, count = repeats.groups() if repeats else (row.label, "1")
    inner = str(row.inner_width) if row.inner_width is not None else "–"
    return (row.name, block, count, inner, _width(row.output_shape), str(row.output_shape))


def _width(shape: Shape) -> str:
    return " + ".join(_width(part) for part in shape) if isinstance(shape, Streams) else str(shape.channels)


def _brief_width(shape: Shape) -> str:
    return f"{_width(shape[0])} + …" if isinstance(shape, Streams) and len(shape) > 1 else _width(shape)


def totals(summary: Facts, sizes: str = "") -> list[tuple[str, str]]:
    """The totals of a network with their units, and what is counted."""
    size = with_unit(summary.parameters * 4, "B") if summary.parameters else "0 B"
    compute, activations = f"not known: {unsaid(summary.uncounted)}", "not known"
    if summary.macs is not None and summary.activations is not None:
        compute = f"{with_unit(summary.macs, 'MACs')} ({COUNTED})"
        activations = f"{abbreviate(summary.activations)} (what these layers put out)"
    return [
        ("layers", f"{summary.layers:,} (convolutions and linear layers on the longest way)"),
        ("parameters", f"{summary.parameters:,} ({size} as float32); {summary.buffers:,} in buffers"),
        ("compute", compute),
        ("activations", activations),
        ("memory", _memory(summary, size)),
        ("field", _field(summary)),
        *([("sizes", sizes)] if sizes else []),
    ]


def _memory(summary: Facts, parameters: str) -> str:
    inference, training = summary.inference_memory, summary.training_memory
    if inference is None or training is None:
        return f"not known: {unsaid(summary.unmeasured)}"
    beside = f"; beside {parameters} of parameters, and in training as much of gradients" if summary.parameters else ""
    return (
        f"{with_unit(inference, 'B')} at once in inference, {with_unit(training, 'B')} kept in training "
        f"(for one image as float32{beside})"
    )


def _field(summary: Facts) -> str:
    if summary.receptive_field is None:
        return "not known"
    where = "before the head" if any(section.name == "head" for section in summary.graph.sections) else "at the output"
    if summary.receptive_field == "all":
        return f"the whole input is seen {where}"
    sides = "" if isinstance(summary.receptive_field, tuple) else " along each axis"
    return f"{field_text(summary.receptive_field)} pixels of the input{sides} {where}"


def field_text(field: Field) -> str:
    """A receptive field: "427", "31×7", "all"."""
    return "?" if field is None else "×".join(map(str, field)) if isinstance(field, tuple) else str(field)


def as_markdown(summary: Facts, depth: Depth, sizes: str = "") -> str:
    """The summary as a Markdown table, and the totals; `sizes` is what is to be known of those that it takes."""
    rows = list(named(summary.rows(depth)))
    counts = _Counts.of(summary, [row for row, _ in rows])
    lines = [
        f"**{escape_markdown(summary.name)}**, input {_short(summary.graph.input)}",
        "",
        f"| name | block | input | output | {' | '.join(_alternating(counts.headers, ('share', 'share')))} | field |",
        f"| --- | --- | --- | --- |{' ---: |' * 7}",
    ]
    for (row, name), numbers in zip(rows, counts.rows, strict=True):
        path = escape_markdown(row.path)
        if row.level == 0 and depth != "stage":
            path = f"**{path}**"
        shares = _percent(row.parameters, summary.parameters), _percent(row.macs, summary.macs)
        cells = (path, escape_markdown(repeated(row, name)), row.input_shape, row.output_shape)
        measured = (*_alternating(numbers, shares), field_text(row.receptive_field))
        lines.append(f"| {' | '.join(map(str, (*cells, *measured)))} |")
    total = (*_alternating(counts.total, ("", "")), "")
    lines.append(f"| {' | '.join(['**total**', '', '', '', *(cell and f'**{cell}**' for cell in total)])} |")
    lines += ["", *(f"- {name}: {text}" for name, text in totals(summary, sizes))]
    return "\n".join(lines)


def _alternating(counts: Sequence[str], shares: Sequence[str]) -> tuple[str, ...]:
    parameters, macs, activations, kept = (count.strip() for count in counts)
    return parameters, shares[0], macs, shares[1], activations, kept


def escape_markdown(text: str) -> str:
    """A text that stays text in Markdown, in a table too."""
    return re.sub(r"[\\`*_\[\]<>|&~]", r"\\\g<0>", printable(text))


@dataclass(frozen=True)
class _Counts:
    """The counts of a table as people read them, each column in one unit: parameters, MACs, activations, and what is kept."""

    headers: tuple[str, ...]
    rows: list[tuple[str, ...]]
    total: tuple[str, ...]

    @classmethod
    def of(cls, summary: Facts, rows: Sequence[Row]) -> _Counts:
        headers, columns = [], []
        for header, count in _COUNTS:
            total = getattr(summary, count)
            letter, texts = in_one_unit([*(getattr(row, count) for row in rows), total], total)
            headers.append(header.format(letter).strip())
            columns.append(texts)
        *lines, last = zip(*columns, strict=True)
        return cls(tuple(headers), lines, last)


_COUNTS: Final = (
    ("{} params", "parameters"),
    ("{} MACs", "macs"),
    ("{} acts", "activations"),
    ("{}B kept", "training_memory"),
)


def _percent(part: int | None, whole: int | None) -> str:
    return f"{100 * part / whole:.1f}%" if part and whole else ""


def repeated(row: Row, name: str) -> str:
    """What a row is, and how often it is there: "conv 3×3 ×2"."""
    block, count = counted(row, name)
    return row.label if row.count == 1 else f"{block} ×{count}"


def counted(row: Row, name: str) -> tuple[str, int]:
    """What a row is, and how many of it there are, those inside of a list counted: `bottleneck`, 3."""
    repeats = _REPEATS.fullmatch(row.label)
    if repeats is None:
        return row.label, row.count
    are_counted = "–" in name  # several modules in one row, and not one list that holds several
    return repeats[1], row.count if are_counted else row.count * int(repeats[2])


@dataclass(frozen=True)
class _Layout:
    """How much of a table is shown; narrower terminals get less of it. `bar` and `block` are widths in characters; `block` is
    None where blocks are whole."""

    block: int | None = None
    measured: bool = True
    activations: bool = True
    bar: int = 8
    tenths: bool = True
    input: bool = True
    output: bool = True
    share: bool = True
    brief: bool = False
    gap: int = 2


_NARROW: Final = _Layout(block=0, bar=0, measured=False, activations=False, input=False, share=False)

_LESS: Final = _Layout(block=28, bar=4, measured=False, activations=False)

_LAYOUTS: Final = (
    _Layout(),
    _Layout(block=28, bar=6),
    _Layout(block=28, bar=4),
    _Layout(block=28, bar=4, input=False),
    _Layout(block=28, bar=4, input=False, measured=False),
    replace(_LESS, bar=6),
    _LESS,
    replace(_LESS, input=False),
    replace(_LESS, input=False, block=22, tenths=False),
    replace(_LESS, input=False, block=14, tenths=False),
    replace(_LESS, input=False, block=22, bar=0, tenths=False),
    replace(_LESS, input=False, block=14, bar=0, share=False),
    _NARROW,
    replace(_NARROW, brief=True),
    replace(_NARROW, brief=True, gap=1),
    replace(_NARROW, output=False),
    replace(_NARROW, output=False, gap=1),
)


def as_table(summary: Facts, depth: Depth, width: int | None = None, colour: bool = False, sizes: str = "") -> str:
    """The summary as a table with bars for the shares, and the totals.

    Args:
        summary: what to show.
        depth: how far to go in.
        width: of the terminal; by default the table gets as wide as it likes. Numbers are whole at any width.
        colour: whether to use a terminal's colours.
        sizes: what is to be known of the sizes that it takes.
    """
    rows = list(named(summary.rows(depth)))
    for layout in _LAYOUTS:
        columns = _columns(summary, rows, layout)
        room = sum(column.room for column in columns) + layout.gap * (len(columns) - 1)
        if width is None or room <= width:
            break
    paint = _painted if colour else lambda text, _: text
    styles = ["dim", *("bold" if row.level == 0 and depth != "stage" else "" for row, _ in rows), "bold"]
    title = (
        f"{printable(summary.name)}   input {_short(summary.graph.input)}   output {_short(summary.graph.output_shape)}"
    )
    texts = [paint(line, "bold") for line in _wrapped(title, width)]
    texts.append("")
    texts += [_line(columns, at, layout.gap, style, paint) for at, style in enumerate(styles)]
    texts.append("")
    for name, text in totals(summary, sizes):
        texts += _total(name, text, width, paint)
    return "\n".join(line.rstrip() for line in texts)


@dataclass(frozen=True)
class _Column:
    """A column of a table: its cells from the header to the total, whether they are flush right, and their style."""

    cells: Sequence[str]
    right: bool = False
    style: str = ""

    @cached_property
    def room(self) -> int:
        """How wide it is."""
        return max(map(len, self.cells))


def _columns(summary: Facts, rows: list[tuple[Row, str]], layout: _Layout) -> list[_Column]:
    counts = _Counts.of(summary, [row for row, _ in rows])
    parameters, macs, activations, kept = (
        _Column((header, *texts, total), right=True)
        for header, texts, total in zip(counts.headers, zip(*counts.rows, strict=True), counts.total, strict=True)
    )
    found = [_Column(["name", *("  " * row.level + printable(name) for row, name in rows), "total"])]
    if layout.block != 0:
        blocks = [printable(repeated(row, name)) for row, name in rows]
        found.append(_Column(["block", *(shortened(each, layout.block) for each in blocks), ""]))
    shape = _brief if layout.brief else _short
    if layout.input:
        found.append(_Column(["input", *(shape(row.input_shape) for row, _ in rows), ""], right=True))
    if layout.output:
        found.append(_Column(["output", *(shape(row.output_shape) for row, _ in rows), ""], right=True))
    for column, count, whole in ((parameters, "parameters", summary.parameters), (macs, "macs", summary.macs)):
        found.append(column)
        if layout.share:
            shares = [_share(getattr(row, count), whole, layout) for row, _ in rows]
            found.append(_Column(["share", *shares, ""], style="cyan"))
    found += [activations] if layout.activations else []
    fields = ["field", *(field_text(row.receptive_field) for row, _ in rows), ""] if layout.measured else []
    return [*found, kept, _Column(fields, right=True)] if layout.measured else found


def _line(columns: list[_Column], at: int, gap: int, style: str, paint: Callable[[str, str], str]) -> str:
    """One line of a table. What a column has for a style of its own is that of its bars."""
    cells = []
    for column in columns:
        text = _cell(column.cells[at], column.room, column.right)
        bar = len(text) - len(text.lstrip(_BARS)) if column.style else 0
        cells.append(paint(text[:bar], column.style) + paint(text[bar:], style))
    return (" " * gap).join(cells).rstrip()


_CODES: Final = {"bold": "1", "dim": "2", "cyan": "36"}


def _painted(text: str, style: str) -> str:
    return f"\033[{_CODES[style]}m{text}\033[0m" if style and text.strip() else text


def _total(name: str, text: str, width: int | None, paint: Callable[[str, str], str]) -> list[str]:
    indent = 13 if width is None or width >= 40 else 2
    first, *others = _wrapped(f"{name:<{indent}}{text}" if indent == 13 else f"{name}  {text}", width, indent)
    return [paint(first[: len(name)], "dim") + first[len(name) :], *others]


def _wrapped(text: str, width: int | None, indent: int = 0) -> list[str]:
    """Lines of whole words, whatever the width; those behind the first are indented."""
    if width is None:
        return [text]
    return textwrap.wrap(
        text, max(width, indent + 1), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def shortened(text: str, width: int | None) -> str:
    """The beginning of a text; no number in it is shortened, which would make it another one."""
    if width is None or len(text) <= width:
        return text
    begun = text[: max(0, width - 1)]
    word = re.search(r"\S*$", begun)
    if word and text[len(begun)].strip() and any(letter.isdigit() for letter in word[0]):
        begun = begun[: word.start()].rstrip(" ,")
    return f"{begun}…"[:width]


def named(rows: Iterable[Row]) -> Iterator[tuple[Row, str]]:
    """Each row with its path as seen from the row that it is inside of: "convs.0" in "layer1.0"."""
    above: list[str] = []
    for row in rows:
        del above[row.level :]
        outer = f"{above[-1]}." if above else ""
        yield row, row.path.removeprefix(outer)
        above.append(row.path)


def _short(shape: Shape) -> str:
    """A shape; the many equal parts of a split in few words: "4 of 26×56×56"."""
    if isinstance(shape, Streams) and len(shape) > 1 and len(set(shape)) == 1:
        return f"{len(shape)} of {shape[0]}"
    return str(shape)


def _brief(shape: Shape) -> str:
    """A shape in fewer words: of several values that differ, the first."""
    short = _short(shape)
    return f"{shape[0]} + …" if isinstance(shape, Streams) and len(shape) > 1 and " + " in short else short


_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_BARS: Final = "█" + _EIGHTHS.strip()


def _share(part: int | None, whole: int | None, layout: _Layout) -> str:
    """A part's share of the whole as a bar and a percentage; blank where one of them is not known."""
    known = part or 0 if whole else 0
    eighths = round(8 * layout.bar * known / whole) if whole else 0
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    percent = 100 * known / whole if whole else 0
    share = f"{percent:.1f}%" if layout.tenths and percent < 99.95 else f"{percent:.0f}%"
    number = f"{share if known else '':>{5 if layout.tenths else 4}}"
    return f"{bar.ljust(layout.bar)}{' ' if layout.tenths and layout.bar else ''}{number}"
