"""Writes summaries of several networks as a table in LaTeX, as papers have it: a row for each stage, a column for each network,
and in the cells layers in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from archbuilder.analysis.contents import Contents, Run
from archbuilder.analysis.facts import Facts
from archbuilder.analysis.latex import UNKNOWN, escaped
from archbuilder.analysis.numbers import abbreviate
from archbuilder.analysis.side_by_side import merged_names
from archbuilder.diagnostics import printable, shorten
from archbuilder.graph.shapes import Map, Shape, Tokens, in_parts

_HEAD: Final = r"""\documentclass[border=2pt]{standalone}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage{amsmath}"""

_BRACKETS: Final = r"""% \block{a\\b}{3}: layers in brackets, one over the other, and how often they are there
\newcommand{\block}[2]{\raisebox{0pt}[\dimexpr\height+1pt\relax][\dimexpr\depth+1pt\relax]{%
  $\left[\begin{array}{c}#1\end{array}\right]\times #2$}}
% \layers{a\\b}: layers one over the other
\newcommand{\layers}[1]{\begin{tabular}{@{}c@{}}#1\end{tabular}}"""


def as_latex(networks: Sequence[Facts]) -> str:
    """A document that `pdflatex` compiles as it is; what stands between its `tabular` can be taken into another one."""
    contents = Contents()
    columns = [_cells(network, contents) for network in networks]
    rows = merged_names([[row.path for row in network.stages] for network in networks])
    lines = [
        _line("stage", "output size", [_text(network.name) for network in networks]),
        *(_stage(name, networks, columns) for name in rows),
        _line("MACs", "", [_power(network.macs) for network in networks]),
        _line("parameters", "", [_text(abbreviate(network.parameters)) for network in networks]),
    ]
    table = [
        f"\\begin{{tabular}}{{|c|c|{'c|' * len(networks)}}}",
        r"\hline",
        *(f"{line} \\\\ \\hline" for line in lines),
    ]
    document = [_HEAD, UNKNOWN, _BRACKETS, r"\renewcommand{\arraystretch}{1.2}", r"\begin{document}", *table]
    return "\n".join([*document, r"\end{tabular}", r"\end{document}"])


def _stage(name: str, networks: Sequence[Facts], columns: Sequence[dict[str, str]]) -> str:
    """The row of a stage; what is the same in networks that stand beside each other is one cell."""
    shapes = dict.fromkeys(
        _size(row.output_shape) for network in networks for row in network.stages if row.path == name
    )
    cells = []
    for cell, same in groupby(column.get(name, "") for column in columns):
        width = len(list(same))
        cells.append(f"\\multicolumn{{{width}}}{{c|}}{{{cell}}}" if width > 1 else cell)
    return " & ".join([_text(name), _layers([_text(shape) for shape in shapes]), *cells])


def _line(name: str, size: str, cells: Sequence[str]) -> str:
    return " & ".join([_text(name), _text(size), *cells])


def _cells(network: Facts, contents: Contents) -> dict[str, str]:
    """What stands in each stage of a network, by the stage's name."""
    return {row.path: _cell(contents.of_nodes(row.nodes)) for row in network.stages}


def _cell(runs: Sequence[Run]) -> str:
    if all(not run.is_block for run in runs):
        return _layers([_text(line) for run in runs for line in run.lines])
    return _layers([_block(run) if run.is_block else _layers(list(map(_text, run.lines))) for run in runs])


def _block(run: Run) -> str:
    lines = _BREAK.join(f"\\text{{{_text(line)}}}" for line in run.lines)
    return f"\\block{{{lines}}}{{{run.times}}}"


def _layers(lines: Sequence[str]) -> str:
    return lines[0] if len(lines) == 1 else f"\\layers{{{_BREAK.join(lines)}}}"


_BREAK: Final = r"\\"


def _text(text: str) -> str:
    return escaped(shorten(printable(text)))


def _size(shape: Shape) -> str:
    """A shape's height and width, as papers have them; of several, those of the first."""
    first = in_parts(shape)[0]
    return f"{first.height}×{first.width}" if isinstance(first, Map | Tokens) else "1×1"


def _power(count: int | None) -> str:
    """A count in two figures, with a power of ten."""
    if not count:
        return "?" if count is None else "0"
    mantissa, _, power = f"{count:.1e}".partition("e")
    return f"${mantissa}\\times10^{{{int(power)}}}$"
