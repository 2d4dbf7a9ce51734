"""Formats summaries for programs: as JSON and as CSV, with exact numbers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from archbuilder.analysis.facts import Depth, Facts, Row
from archbuilder.analysis.table import counted, field_text, named
from archbuilder.diagnostics import printable

_COUNTS: Final = ("parameters", "buffers", "macs", "activations")
_MEASURES: Final = ("training_memory", "receptive_field")


def as_json(summary: Facts, depth: Depth) -> str:
    """The summary as JSON; each row says its level, and those of level 0 add up to the totals."""
    return json.dumps(as_data(summary, depth), indent=2)


def as_data(summary: Facts, depth: Depth) -> dict[str, Any]:
    """The summary as data that JSON can have."""
    return {
        "name": summary.name,
        "input": list(summary.input_shape),
        "output": list(summary.output_shape),
        "layers": summary.layers,
        **{count: getattr(summary, count) for count in (*_COUNTS, "inference_memory", *_MEASURES)},
        "depth": depth,
        "rows": [_json_row(row, name) for row, name in named(summary.rows(depth))],
    }


def _json_row(row: Row, name: str) -> dict[str, Any]:
    block, count = counted(row, name)
    return {
        "path": row.path,
        "level": row.level,
        "block": block,
        "count": count,
        "input": row.input_shape,
        "output": row.output_shape,
        **{count: getattr(row, count) for count in (*_COUNTS, *_MEASURES)},
    }


def as_csv(summary: Facts, depth: Depth) -> str:
    """The rows as CSV with a header; those of level 0 add up to the totals. What is not known stays empty."""
    return in_csv(HEADER, rows_of(summary, depth))


HEADER: Final = ("path", "level", "block", "count", "input", "output", *_COUNTS, *_MEASURES)


def in_csv(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Some rows as CSV, the header first."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([tuple(header), *rows])
    return text.getvalue().rstrip("\n")


def rows_of(summary: Facts, depth: Depth) -> Iterator[tuple[Any, ...]]:
    """The rows of a summary, each with a value for every word of `HEADER`."""
    for row, name in named(summary.rows(depth)):
        block, count = counted(row, name)
        shapes = [str(shape).replace("×", "x") for shape in (row.input_shape, row.output_shape)]
        counts = [getattr(row, count) for count in (*_COUNTS, "training_memory")]
        field = "" if row.receptive_field is None else field_text(row.receptive_field).replace("×", "x")
        yield printable(row.path), row.level, printable(block), count, *shapes, *counts, field
