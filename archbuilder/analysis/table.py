"""Formats summaries: as a table for people, as Markdown, CSV and JSON."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from archbuilder.analysis.summary import Depth, Row, Summary
from archbuilder.diagnostics import printable
from archbuilder.graph.shapes import Shape, Streams

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

COUNTED = "convolutions, linear layers, matrix products; 1 MAC = 2 FLOPs"
"""What the multiply-accumulates of a summary are those of."""


def with_unit(count: int, unit: str, digits: int = 2) -> str:
    """A count with a prefix that makes it short: "4.09 GMACs"."""
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "K")):
        if count >= 10**power:
            return f"{count / 10**power:.{digits}f} {prefix}{unit}"
    return f"{count} {unit}"


def in_brief(name: str, summary: Summary) -> str:
    """A network in one line."""
    return f"{printable(name)}: fine, {summary.parameters:,} parameters, {with_unit(summary.macs, 'MACs')}"


def aligned(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Iterable[int] = (),
    width: int | None = None,
    *,
    gap: int = 2,
) -> str:
    """Columns of plain text with a gap between them, those in `right` flush right; no line is longer than `width`."""
    lines = [[printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    flush = set(right)
    texts: list[str] = []
    for line in lines:
        cells = [
            cell.rjust(w) if i in flush else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        text = (" " * gap).join(cells).rstrip()
        texts.append(text if width is None else _cut(text, width))
    return "\n".join(texts)


def stage_table(summary: Summary, width: int | None = None) -> str:
    """The table of stages: name, block, repeats, inner and output width, output shape. Where the width is not enough for
    it, blocks are shortened or left out."""
    lines = [("name", "block", "repeats", "inner", "width", "output"), *map(_stage_cells, summary.stages)]
    whole = aligned(lines[0], lines[1:], right=(2, 3, 4))
    over = max(map(len, whole.splitlines())) - width if width is not None else 0
    if over <= 0:
        return whole
    room = max(len(line[1]) for line in lines) - over
    if room < len(lines[0][1]):  # too little for a block's name
        lines = [(line[0], *line[2:]) for line in lines]
        return aligned(lines[0], lines[1:], right=(1, 2, 3), width=width, gap=1)
    lines = [(line[0], _cut(line[1], room), *line[2:]) for line in lines]
    return aligned(lines[0], lines[1:], right=(2, 3, 4))


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


_REPEATS = re.compile(r"([^,]*) ×(\d+)")


def _stage_cells(row: Row) -> tuple[str, ...]:
    repeats = _REPEATS.fullmatch(row.label)
    block, count = repeats.groups() if repeats else (row.label, "1")
    inner = str(row.inner_width) if row.inner_width is not None else "–"
    return (row.name, block, count, inner, _width(row.output_shape), str(row.output_shape))


def _width(shape: Shape) -> str:
    return " + ".join(_width(part) for part in shape) if isinstance(shape, Streams) else str(shape.channels)


def totals(summary: Summary) -> list[tuple[str, str]]:
    """The totals of a network with their units, and what is counted."""
    megabytes = summary.parameters * 4 / 1e6
    return [
        ("layers", f"{summary.layers:,} (convolutions and linear layers on the longest way)"),
        ("parameters", f"{summary.parameters:,} ({megabytes:,.1f} MB as float32); {summary.buffers:,} in buffers"),
        ("compute", f"{with_unit(summary.macs, 'MACs', 3)} ({COUNTED})"),
        ("activations", f"{summary.activations:,} (what these layers put out)"),
    ]


# ------------------------------------------------------------------------------------------------ for programs


_COUNTS = ("parameters", "buffers", "macs", "activations")


def as_json(summary: Summary, depth: Depth) -> str:
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


def as_csv(summary: Summary, depth: Depth) -> str:
    """The rows as CSV with a header; those of level 0 add up to the totals."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("path", "level", "block", "count", "input", "output", *_COUNTS))
    for row, name in _named(summary.rows(depth)):
        block, count = _counted(row, name)
        shapes = [str(shape).replace("×", "x") for shape in (row.input_shape, row.output_shape)]
        counts = [getattr(row, count) for count in _COUNTS]
        writer.writerow((printable(row.path), row.level, printable(block), count, *shapes, *counts))
    return text.getvalue().rstrip("\n")


# ------------------------------------------------------------------------------------------------ for people


def as_markdown(summary: Summary, depth: Depth) -> str:
    """The summary as a Markdown table with exact counts, and the totals."""
    lines = [
        f"**{_markdown(summary.name)}**, input {_short(summary.graph.input)}",
        "",
        "| name | block | input | output | parameters | share | MACs | share | activations |",
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row, name in _named(summary.rows(depth)):
        path = _markdown(row.path)
        if row.level == 0 and depth != "stage":
            path = f"**{path}**"
        cells = (path, _markdown(_repeated(row, name)), row.input_shape, row.output_shape, *_counts(row, summary))
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    total = _counts(summary, summary)
    lines.append(f"| {' | '.join(['**total**', '', '', '', *(f'**{cell}**' for cell in total)])} |")
    lines += ["", *(f"- {name}: {text}" for name, text in totals(summary))]
    return "\n".join(lines)


def _markdown(text: str) -> str:
    return re.sub(r"[\\`*_\[\]<>|]", r"\\\g<0>", printable(text))


def _counts(row: Row | Summary, summary: Summary) -> tuple[str, ...]:
    parameters, macs = _percent(row.parameters, summary.parameters), _percent(row.macs, summary.macs)
    return f"{row.parameters:,}", parameters, f"{row.macs:,}", macs, f"{row.activations:,}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if part else ""


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
    """How much of a table is shown; narrower terminals get less of it. `bar` and `block` are widths in characters."""

    block: int | None = None
    activations: bool = True
    bar: int = 8
    tenths: bool = True
    input: bool = True
    share: bool = True


_LAYOUTS = (
    _Layout(),
    _Layout(block=28, bar=6),
    _Layout(block=28, bar=6, activations=False),
    _Layout(block=28, bar=4, activations=False),
    _Layout(block=28, bar=4, activations=False, input=False),
    _Layout(block=22, bar=4, activations=False, input=False, tenths=False),
    _Layout(block=14, bar=4, activations=False, input=False, tenths=False),
    _Layout(block=22, bar=0, activations=False, input=False, tenths=False),
    _Layout(block=14, bar=0, activations=False, input=False, share=False),
    _Layout(block=0, bar=0, activations=False, input=False, share=False),
)


def as_table(summary: Summary, depth: Depth, width: int | None = None, colour: bool = False) -> str:
    """The summary as a table with bars for the shares, and the totals.

    Args:
        summary: what to show.
        depth: how far to go in.
        width: of the terminal; by default the table gets as wide as it likes.
        colour: whether to use a terminal's colours.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    text = io.StringIO()
    colours: Literal["standard"] | None = "standard" if colour else None
    wide = Console(file=text, width=10_000, force_terminal=colour, color_system=colours, legacy_windows=False)
    graph = summary.graph
    title = f"{printable(summary.name)}   input {_short(graph.input)}   output {_short(graph.output_shape)}"
    wide.print(Text(title, "bold"), end="\n\n")
    for layout in _LAYOUTS:
        table = _build_table(summary, depth, layout)
        if width is None or wide.measure(table).maximum <= width:
            break
    wide.print(table, width=width)
    wide.print()
    footer = Table.grid(padding=(0, 2, 0, 0))
    for name, value in totals(summary):
        footer.add_row(Text(name, "dim"), Text(value))
    wide.print(footer, width=width)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _build_table(summary: Summary, depth: Depth, layout: _Layout) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_footer=True, footer_style="bold"
    )
    macs, activations = _in_unit_of(summary.macs), _in_unit_of(summary.activations)
    table.add_column("name", "total", no_wrap=True)
    if layout.block != 0:
        table.add_column("block", max_width=layout.block, no_wrap=True, overflow="ellipsis")
    if layout.input:
        table.add_column("input", justify="right", no_wrap=True)
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("parameters", f"{summary.parameters:,}", justify="right", no_wrap=True)
    if layout.share:
        table.add_column("share", no_wrap=True)
    table.add_column("MACs", macs(summary.macs), justify="right", no_wrap=True)
    if layout.share:
        table.add_column("share", no_wrap=True)
    if layout.activations:
        table.add_column("acts", activations(summary.activations), justify="right", no_wrap=True)
    for row, name in _named(summary.rows(depth)):
        texts = {
            "name": Text("  " * row.level + printable(name)),
            "block": Text(printable(_repeated(row, name))) if layout.block != 0 else None,
            "input": Text(_short(row.input_shape)) if layout.input else None,
            "output": Text(_short(row.output_shape)),
            "parameters": Text(f"{row.parameters:,}"),
            "share of parameters": _share(row.parameters, summary.parameters, layout) if layout.share else None,
            "macs": Text(macs(row.macs)),
            "share of macs": _share(row.macs, summary.macs, layout) if layout.share else None,
            "activations": Text(activations(row.activations)) if layout.activations else None,
        }
        cells = (text for text in texts.values() if text is not None)
        table.add_row(*cells, style="bold" if row.level == 0 and depth != "stage" else "")
    return table


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


def _in_unit_of(total: int) -> Callable[[int], str]:
    """Writes counts in the one unit that suits their total, so that they can be compared and added by eye."""
    units = ((10**11, 9, "G"), (10**7, 6, "M"), (10**5, 3, "K"))
    power, unit = next(((power, unit) for least, power, unit in units if total >= least), (0, ""))
    return lambda count: (f"{count / 10**power:,.2f}{unit}" if power else f"{count:,}") if count else "–"


_EIGHTHS = " ▏▎▍▌▋▊▉"


def _share(part: int, whole: int, layout: _Layout) -> Text:
    from rich.text import Text

    eighths = round(8 * layout.bar * part / whole) if whole else 0
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    percent = 100 * part / whole if whole else 0
    share = f"{percent:.1f}%" if layout.tenths and percent < 99.95 else f"{percent:.0f}%"
    number = f"{share if part else '':>{5 if layout.tenths else 4}}"
    return Text.assemble((bar.ljust(layout.bar), "cyan"), " " if layout.tenths and layout.bar else "", number)
