"""A scene as a TikZ picture: a LaTeX document that `pdflatex` compiles as it is.

A text is set in Helvetica, whose widths were those that it was laid out with; where LaTeX makes it wider, it is drawn narrower.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from archbuilder.analysis.latex import UNKNOWN, escaped
from archbuilder.diagnostics import printable, shorten
from archbuilder.draw.fonts import clipped, width
from archbuilder.draw.options import Theme
from archbuilder.draw.outputs.paths import HATCH_WIDTH, Curve, dashes, hatch_ink, hatching, radius_of, stroke_of
from archbuilder.draw.scene import Circle, Dash, Ink, Line, Part, Point, Polygon, Rectangle, Scene, Shape, Text
from archbuilder.draw.theme import inks

_LONGEST: Final = 10_000
"""Points of the longer side of a picture, and of a text: TeX counts up to 16,384. Larger pictures are made smaller."""

_COMMENT: Final = 100
"""Characters of a part's title."""

_HEAD: Final = r"""\RequirePackage{fix-cm}  % signs of any size
\documentclass[tikz]{standalone}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage{textcomp}
\usepackage{helvet}"""

_MACROS: Final = r"""
% \words[style]{x,y}{size}{room}{text}: a text, drawn narrower where it would be wider than its room
\newsavebox{\wordsbox}
\newcommand{\words}[5][]{%
  \node[inner sep=0pt, outer sep=0pt, anchor=base west, #1] at (#2) {%
    \fontfamily{phv}\fontsize{#3}{#3}\selectfont\sbox{\wordsbox}{#5}%
    \ifdim\wd\wordsbox>#4\relax\resizebox{#4}{\height}{\usebox{\wordsbox}}\else\usebox{\wordsbox}\fi};}
"""


def to_tikz(scene: Scene, theme: Theme = "light") -> str:
    """The scene as the text of a LaTeX document, in the colours of `theme`; `auto` is light."""
    return "\n".join((*_Writer(scene, theme).document(), ""))


class _Writer:
    """Writes one scene."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        self._scene = scene
        self._inks = inks(theme)
        self._used: set[Ink] = set()
        self._scale = min(1.0, _LONGEST / max(scene.width, scene.height))

    def document(self) -> Iterator[str]:
        scene = self._scene
        corners = f"(0,0) rectangle {_pair((scene.width, scene.height))}"
        body = [f"\\useasboundingbox {corners};", f"\\fill[{self._ink('ground')}] {corners};"]
        body += [line for shape in scene.shapes for line in self._shape(shape)]
        yield from (f"% {_comment(said)}" for said in (scene.title, scene.description) if said)
        yield _HEAD
        yield f"{_MACROS}{UNKNOWN}\n"
        for ink in sorted(self._used):
            yield f"\\definecolor{{{_word(ink)}}}{{HTML}}{{{self._inks[ink][1:].upper()}}}"
        unit = _number(self._scale, 4)
        yield "\n\\begin{document}"
        yield f"\\begin{{tikzpicture}}[x={unit}bp, y=-{unit}bp, line join=round]"
        yield from body
        yield "\\end{tikzpicture}\n\\end{document}"

    def _shape(self, shape: Shape) -> Iterator[str]:
        match shape:
            case Part():
                yield from (f"% {_comment(said)}" for said in (shape.title,) if said)
                for inner in shape.shapes:
                    yield from self._shape(inner)
            case Rectangle():
                yield from self._rectangle(shape)
            case Circle():
                looks = self._looks(shape.fill, shape.line, shape.line_width)
                yield f"\\path[{looks}] {_pair((shape.x, shape.y))} circle[radius={self._length(shape.radius)}];"
            case Polygon():
                looks = self._looks(shape.fill, shape.line, shape.line_width)
                yield f"\\path[{looks}] {_straight(*shape.points)} -- cycle;"
            case Line():
                yield from self._line(shape)
            case Text():
                yield from self._text(shape)

    def _rectangle(self, shape: Rectangle) -> Iterator[str]:
        looks = self._looks(shape.fill, shape.line, shape.line_width, shape.dash)
        corners = f"rounded corners={self._length(radius)}" if (radius := radius_of(shape)) else ""
        looks += f", {corners}" if corners else ""
        around = f"{_pair((shape.x, shape.y))} rectangle {_pair((shape.x + shape.width, shape.y + shape.height))};"
        yield f"\\path[{looks}] {around}"
        if shape.hatched:
            yield f"\\begin{{scope}}\\clip[{corners}] {around}"
            yield f"\\path[{self._looks(None, hatch_ink(shape), HATCH_WIDTH)}]"
            yield from (f"  {_straight(*ends)}" for ends in hatching(shape))
            yield "  ;\\end{scope}"

    def _line(self, line: Line) -> Iterator[str]:
        if (stroke := stroke_of(line)) is None:
            return
        words = [_pair(stroke.start)]
        for piece in stroke.pieces:
            if isinstance(piece, Curve):
                words.append(f".. controls {_pair(piece.first)} and {_pair(piece.second)} .. {_pair(piece.end)}")
            else:
                words.append(f"-- {_pair(piece)}")
        yield f"\\path[{self._looks(None, line.ink, line.width, line.dash)}] {' '.join(words)};"
        if stroke.head:
            yield f"\\path[{self._looks(line.ink, None)}] {_straight(*stroke.head)} -- cycle;"

    def _text(self, text: Text) -> Iterator[str]:
        written = clipped(text.text, text.size, _LONGEST, bold=text.bold)
        if not written.strip():
            return
        anchor = {"start": "", "middle": ", anchor=base", "end": ", anchor=base east"}[text.anchor]
        room = self._length(width(written, text.size, bold=text.bold))
        words = escaped(written)
        words = f"\\textbf{{{words}}}" if text.bold else words
        looks = f"text={self._ink(text.ink)}{anchor}"
        yield f"\\words[{looks}]{{{_number(text.x)},{_number(text.y)}}}{{{self._length(text.size)}}}{{{room}}}{{{words}}}"

    def _looks(self, fill: Ink | None, line: Ink | None, width: float = 0, dash: Dash = "solid") -> str:
        """The options of what is filled, and drawn around."""
        looks = [f"fill={self._ink(fill)}"] if fill else []
        if line:
            looks += [f"draw={self._ink(line)}", f"line width={self._length(width)}"]
            if lengths := dashes(dash, width):
                looks.append("dash pattern=on {} off {}".format(*map(self._length, lengths)))
        return ", ".join(looks)

    def _ink(self, ink: Ink) -> str:
        self._used.add(ink)
        return _word(ink)

    def _length(self, points: float) -> str:
        return f"{_number(points * self._scale)}bp"


def _comment(said: str) -> str:
    """What may stand behind a `%`: one line."""
    return shorten(printable(said), _COMMENT)


def _word(ink: Ink) -> str:
    """What a colour is called: a name of its own, whatever else a document defines."""
    return "ink" + "".join(part.capitalize() for part in ink.split())


def _straight(*points: Point) -> str:
    return " -- ".join(map(_pair, points))


def _pair(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _number(value: float, decimals: int = 2) -> str:
    written = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written
