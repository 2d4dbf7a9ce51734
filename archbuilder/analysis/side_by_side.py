"""Writes summaries of several networks side by side: a column for each, what they are made of and what they cost row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from archbuilder.analysis.facts import Depth, Facts
from archbuilder.analysis.numbers import in_one_unit
from archbuilder.analysis.records import HEADER, as_data, in_csv, rows_of
from archbuilder.analysis.table import aligned, fits, markdown_table, named, repeated, shortened
from archbuilder.diagnostics import printable, shorten


def merged_names(columns: Sequence[Sequence[str]]) -> list[str]:
    """The names of several columns, each once, in an order that each column has; what only a later one has stands behind what
    it follows there."""
    found: list[str] = []
    for names in columns:
        known = set(found)
        new: dict[str | None, list[str]] = {}
        before: str | None = None
        for name in names:
            if name in known:
                before = name
            else:
                new.setdefault(before, []).append(name)
        found = [*new.get(None, ()), *(each for name in found for each in (name, *new.get(name, ())))]
    return found


_COUNTS: Final = (("parameters", "params"), ("macs", "MACs"), ("activations", "acts"))

_Line: TypeAlias = tuple[str, ...]


def _table(networks: Sequence[Facts], depth: Depth) -> tuple[_Line, list[_Line], list[_Line]]:
    """The header, what the networks are made of, and their figures row by row, each figure in one unit."""
    columns = [{row.path: (row, name) for row, name in named(network.rows(depth))} for network in networks]
    names = merged_names([list(column) for column in columns])
    header = ("", "", *(shorten(printable(network.name)) for network in networks))
    blocks = [{name: shorten(printable(repeated(*row))) for name, row in column.items()} for column in columns]
    figures: list[_Line] = []
    for count, title in _COUNTS:
        known = [getattr(row, count) for column in columns for row, _ in column.values()]
        totals = [getattr(network, count) for network in networks]
        letter, texts = in_one_unit([*known, *totals], max((total or 0 for total in totals), default=0))
        words = iter(texts)
        figures += _group(
            f"{letter} {title}".strip(), names, [{name: next(words) for name in column} for column in columns]
        )
        figures.append(("", "total", *words))
    figures.append(("layers", "", *(f"{network.layers:,}" for network in networks)))
    return header, list(_group("block", names, blocks)), figures


def _group(title: str, names: Sequence[str], columns: Sequence[Mapping[str, str]]) -> Iterator[_Line]:
    """The lines of one figure, with its title in the first."""
    for number, name in enumerate(names):
        yield ("" if number else title, shorten(printable(name)), *(column.get(name, "") for column in columns))


def as_text(networks: Sequence[Facts], depth: Depth, width: int | None = None) -> str:
    """The networks as a table. Where there is not enough room, what steps are is shortened, or left out; numbers never are."""
    header, blocks, figures = _table(networks, depth)
    for room in (None, 24, 16, 12, 9):
        shown = [(*row[:2], *(shortened(cell, room) for cell in row[2:])) for row in blocks]
        text = aligned(header, [*shown, *figures])
        if fits(text, width):
            return text
    return aligned(header, figures)


def as_markdown(networks: Sequence[Facts], depth: Depth) -> str:
    """The networks as a table in Markdown."""
    header, blocks, figures = _table(networks, depth)
    return "\n".join(markdown_table(header, [[cell.strip() for cell in row] for row in (*blocks, *figures)]))


def as_json(networks: Sequence[Facts], depth: Depth) -> str:
    """The networks as a list in JSON, each as it is alone."""
    return json.dumps([as_data(network, depth) for network in networks], indent=2)


def as_csv(networks: Sequence[Facts], depth: Depth) -> str:
    """The rows of all networks as CSV, with the network's name in the first column."""
    return in_csv(
        ("network", *HEADER), ((printable(each.name), *row) for each in networks for row in rows_of(each, depth))
    )
