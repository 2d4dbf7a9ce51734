"""Formats summaries: as a table for people, as Markdown, CSV and JSON."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from archbuilder.analysis.facts import Depth, Facts, Row, unsaid
from archbuilder.analysis.numbers import abbreviate, in_one_unit, with_unit
from archbuilder.diagnostics import printable
from archbuilder.graph.shapes import Shape, Streams

COUNTED = "convolutions, linear layers, matrix products; 1 MAC = 2 FLOPs"
"""What the multiply-accumulates of a summary are those of."""


def in_brief(name: str, summary: Facts, sizes: str = "") -> str:
    """A network in one line; `sizes` is what is to be known of those that it takes."""
    compute = f"MACs not known, {unsaid(summary)}" if summary.macs is None else with_unit(summary.macs, "MACs")
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
    text = _shortened(text, room)
    return text.rjust(room) if right else text.ljust(room)


def _fits(text: str, width: int | None) -> bool:
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
        if _fits(text, width):
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
    compute, activations = f"not known: {unsaid(summary)}", "not known"
    if summary.macs is not None and summary.activations is not None:
        compute = f"{with_unit(summary.macs, 'MACs')} ({COUNTED})"
        activations = f"{abbreviate(summary.activations)} (what these layers put out)"
    return [
        ("layers", f"{summary.layers:,} (convolutions and linear layers on the longest way)"),
        ("parameters", f"{summary.parameters:,} ({size} as float32); {summary.buffers:,} in buffers"),
        ("compute", compute),
        ("activations", activations),
        *([("sizes", sizes)] if sizes else []),
    ]


# ------------------------------------------------------------------------------------------------ for programs


_COUNTS = ("parameters", "buffers", "macs", "activations")


def as_json(summary: Facts, depth: Depth) -> str:
    """The summary as JSON; each row says its level, and those of level 0 add up to the totals."""
    import json  # here, as `csv` below: `check` prints tables and must start fast

    data = {
        "name": summary.name,
        "input": list(summary.input_shape),
        "output": list(summary.output_shape),
        "layers": summary.layers,
        **{count: getattr(summary, count) for count in _COUNTS},
        "depth": depth,
        "rows": [_json_row(row, name) for row, name in _named(summary.rows(depth))],
    }
    return json.dumps(data, indent=2)


def _json_row(row: Row, name: str) -> dict[str, Any]:
    block, count = _counted(row, name)
    return {
        "path": row.path,
        "level": row.level,
        "block": block,
        "count": count,
        "input": row.input_shape,
        "output": row.output_shape,
        **{count: getattr(row, count) for count in _COUNTS},
    }


def as_csv(summary: Facts, depth: Depth) -> str:
    """The rows as CSV with a header; those of level 0 add up to the totals."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "level", "block", "count", "input", "output", *_COUNTS))
    for row, name in _named(summary.rows(depth)):
        block, count = _counted(row, name)
        shapes = [str(shape).replace("×", "x") for shape in (row.input_shape, row.output_shape)]
        counts = [getattr(row, count) for count in _COUNTS]  # what is not known stays empty
        writer.writerow((printable(row.path), row.level, printable(block), count, *shapes, *counts))
    return text.getvalue().rstrip("\n")


# ------------------------------------------------------------------------------------------------ for people


def as_markdown(summary: Facts, depth: Depth, sizes: str = "") -> str:
    """The summary as a Markdown table, and the totals; `sizes` is what is to be known of those that it takes."""
    rows = list(_named(summary.rows(depth)))
    counted = _Counted.of(summary, [row for row, _ in rows])
    lines = [
        f"**{_markdown(summary.name)}**, input {_short(summary.graph.input)}",
        "",
        f"| name | block | input | output | {counted.headers[0]} | share | {counted.headers[1]} | share | {counted.headers[2]} |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (row, name), counts in zip(rows, counted.rows, strict=True):
        path = _markdown(row.path)
        if row.level == 0 and depth != "stage":
            path = f"**{path}**"
        shares = _percent(row.parameters, summary.parameters), _percent(row.macs, summary.macs)
        cells = (path, _markdown(_repeated(row, name)), row.input_shape, row.output_shape)
        lines.append(f"| {' | '.join(str(cell) for cell in (*cells, *_alternating(counts, shares)))} |")
    total = _alternating(counted.total, ("", ""))
    lines.append(f"| {' | '.join(['**total**', '', '', '', *(cell and f'**{cell}**' for cell in total)])} |")
    lines += ["", *(f"- {name}: {text}" for name, text in totals(summary, sizes))]
    return "\n".join(lines)


def _alternating(counts: Sequence[str], shares: Sequence[str]) -> tuple[str, ...]:
    parameters, macs, activations = (count.strip() for count in counts)
    return parameters, shares[0], macs, shares[1], activations


def _markdown(text: str) -> str:
    return re.sub(r"[\\`*_\[\]<>|]", r"\\\g<0>", printable(text))


@dataclass(frozen=True)
class _Counted:
    """The counts of a table as people read them, each column in one unit: parameters, MACs and activations."""

    headers: tuple[str, ...]
    rows: list[tuple[str, ...]]
    total: tuple[str, ...]

    @classmethod
    def of(cls, summary: Facts, rows: Sequence[Row]) -> _Counted:
        headers, columns = [], []
        for header, count in (("params", "parameters"), ("MACs", "macs"), ("acts", "activations")):
            total = getattr(summary, count)
            letter, texts = in_one_unit([*(getattr(row, count) for row in rows), total], total)
            headers.append(f"{letter} {header}".strip())
            columns.append(texts)
        *lines, last = zip(*columns, strict=True)
        return cls(tuple(headers), lines, last)


def _percent(part: int | None, whole: int | None) -> str:
    return f"{100 * part / whole:.1f}%" if part and whole else ""


def _repeated(row: Row, name: str) -> str:
    """What a row is, and how often it is there: "conv 3×3 ×2"."""
    block, count = _counted(row, name)
    return row.label if row.count == 1 else f"{block} ×{count}"


def _counted(row: Row, name: str) -> tuple[str, int]:
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
    activations: bool = True
    bar: int = 8
    tenths: bool = True
    input: bool = True
    output: bool = True
    share: bool = True
    brief: bool = False
    gap: int = 2


_NARROW: Final = _Layout(block=0, bar=0, activations=False, input=False, share=False)

_LAYOUTS: Final = (
    _Layout(),
    _Layout(block=28, bar=6),
    _Layout(block=28, bar=6, activations=False),
    _Layout(block=28, bar=4, activations=False),
    _Layout(block=28, bar=4, activations=False, input=False),
    _Layout(block=22, bar=4, activations=False, input=False, tenths=False),
    _Layout(block=14, bar=4, activations=False, input=False, tenths=False),
    _Layout(block=22, bar=0, activations=False, input=False, tenths=False),
    _Layout(block=14, bar=0, activations=False, input=False, share=False),
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
    rows = list(_named(summary.rows(depth)))
    for layout in _LAYOUTS:
        columns = _columns(summary, rows, layout)
        room = sum(max(map(len, column.cells)) for column in columns) + layout.gap * (len(columns) - 1)
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


def _columns(summary: Facts, rows: list[tuple[Row, str]], layout: _Layout) -> list[_Column]:
    counted = _Counted.of(summary, [row for row, _ in rows])
    parameters, macs, activations = (
        _Column((header, *texts, total), right=True)
        for header, texts, total in zip(counted.headers, zip(*counted.rows, strict=True), counted.total, strict=True)
    )
    found = [_Column(["name", *("  " * row.level + printable(name) for row, name in rows), "total"])]
    if layout.block != 0:
        blocks = [printable(_repeated(row, name)) for row, name in rows]
        found.append(_Column(["block", *(_shortened(each, layout.block) for each in blocks), ""]))
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
    return [*found, activations] if layout.activations else found


def _line(columns: list[_Column], at: int, gap: int, style: str, paint: Callable[[str, str], str]) -> str:
    """One line of a table. What a column has for a style of its own is that of its bars."""
    cells = []
    for column in columns:
        room = max(map(len, column.cells))
        text = _cell(column.cells[at], room, column.right)
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


def _shortened(text: str, width: int | None) -> str:
    """The beginning of a text; no number in it is shortened, which would make it another one."""
    if width is None or len(text) <= width:
        return text
    begun = text[: max(0, width - 1)]
    word = re.search(r"\S*$", begun)
    if word and text[len(begun)].strip() and any(letter.isdigit() for letter in word[0]):
        begun = begun[: word.start()].rstrip(" ,")
    return f"{begun}…"[:width]


def _named(rows: Iterable[Row]) -> Iterator[tuple[Row, str]]:
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
