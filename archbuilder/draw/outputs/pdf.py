"""A scene as PDF: one page as large as the drawing, its texts as text, with the letters that they need."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import BOLD, REGULAR, has, width
from archbuilder.draw.options import Theme
from archbuilder.draw.outputs.paths import (
    HATCH_WIDTH,
    ROUND,
    Curve,
    Piece,
    dashes,
    hatch_ink,
    hatching,
    radius_of,
    stroke_of,
)
from archbuilder.draw.scene import Circle, Dash, Ink, Line, Point, Polygon, Rectangle, Scene, Text
from archbuilder.draw.theme import inks

_FONT: Final = "Liberation Sans"

_LONGEST: Final = 14_400
"""Points of a page's longer side, at most, as the format has it. Larger drawings are made smaller."""

_BOX: Final = "□"

_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When a file was made is part of it; the same drawing is to be the same file each time."""


def to_pdf(scene: Scene, theme: Theme = "light") -> bytes:
    """The scene as the bytes of a PDF, in the colours of `theme`; `auto` is light, since a PDF has one set of colours."""
    page = _Page(scene, theme)
    try:
        page.draw(scene)
        return bytes(page.output())
    finally:
        page.close_fonts()


class _Page(FPDF):
    """A page for a scene."""

    def __init__(self, scene: Scene, theme: Theme) -> None:
        points = min(1.0, _LONGEST / max(scene.width, scene.height))
        super().__init__(unit=points, format=(scene.width, scene.height))
        self._inks = inks(theme)
        self._points = points
        self.set_auto_page_break(auto=False)
        self._take_fonts(scene)
        self.set_lang("en")
        self.set_creator("archbuilder")
        self.set_creation_date(_LONG_AGO)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.set_title(printable(scene.title))
        self.set_subject(printable(scene.description))

    def draw(self, scene: Scene) -> None:
        """Draws a scene on the page."""
        self.add_page()
        said = ". ".join(filter(None, (printable(scene.title), printable(scene.description))))
        # The drawing is one figure: what is said of it is read out instead of its single texts.
        with self._marked_sequence(title=printable(scene.title), alt_text=said):
            self._draw(Rectangle(0, 0, scene.width, scene.height, fill="ground"))
            for shape in scene.flat():
                self._draw(shape)

    def _take_fonts(self, scene: Scene) -> None:
        for bold in sorted({shape.bold for shape in scene.flat() if isinstance(shape, Text)}):
            self.add_font(_FONT, "B" if bold else "", BOLD if bold else REGULAR)
        for font in self._open_fonts():
            font.ttfont.recalcTimestamp = False  # else the time of writing would be in the file

    def _open_fonts(self) -> list[TTFFont]:
        return [font for font in self.fonts.values() if isinstance(font, TTFFont)]

    def close_fonts(self) -> None:
        """Closes the files of the fonts, which the library leaves open."""
        for font in self._open_fonts():
            font.ttfont.close()

    def _draw(self, shape: Rectangle | Circle | Polygon | Line | Text) -> None:
        match shape:
            case Rectangle():
                path = _box(shape.x, shape.y, shape.width, shape.height, radius_of(shape))
                self._paint(path, shape.fill, shape.line, shape.line_width, shape.dash)
                if shape.hatched:
                    lines = " ".join(f"{_pair(start)} m {_pair(end)} l" for start, end in hatching(shape))
                    self._paint(f"{path} W n {lines}", None, hatch_ink(shape), HATCH_WIDTH)
            case Circle():
                around = _box(shape.x - shape.radius, shape.y - shape.radius, *(2 * shape.radius,) * 2, shape.radius)
                self._paint(around, shape.fill, shape.line, shape.line_width)
            case Polygon():
                self._paint(_outline(shape.points), shape.fill, shape.line, shape.line_width)
            case Line():
                self._line(shape)
            case Text():
                self._text(shape)

    def _line(self, line: Line) -> None:
        if stroke := stroke_of(line):
            self._paint(_path(stroke.start, stroke.pieces), None, line.ink, line.width, line.dash)
            if stroke.head:
                self._paint(_outline(stroke.head), line.ink, None)

    def _paint(self, path: str, fill: Ink | None, line: Ink | None, width: float = 0, dash: Dash = "solid") -> None:
        """Fills a path, and draws along it. The library's own way to do so takes twenty times as long."""
        scale = f"{self._points:.4f}"
        words = ["q", scale, "0 0", f"-{scale}", "0", f"{self.h_pt:.2f} cm"]  # upside down, as scenes are
        if fill:
            words.append(f"{self._color(fill)} rg")
        if line:
            words.append(f"{self._color(line)} RG {width:.2f} w 0 J 1 j")
            if lengths := dashes(dash, width):
                words.append("[{:.2f} {:.2f}] 0 d".format(*lengths))
        self._out(" ".join((*words, path, "B" if fill and line else "f" if fill else "S" if line else "n", "Q")))

    def _color(self, ink: Ink) -> str:
        color = self._inks[ink]
        return " ".join(f"{int(color[at : at + 2], 16) / 255:.4f}" for at in (1, 3, 5))

    def _text(self, text: Text) -> None:
        written = unicodedata.normalize("NFC", printable(text.text))  # accents are not put over letters here
        length = width(written, text.size, bold=text.bold)
        at = text.x - length * {"start": 0, "middle": 0.5, "end": 1}[text.anchor]
        self.set_font(_FONT, "B" if text.bold else "", text.size * self._points)
        self.set_text_color(self._inks[text.ink])
        for is_known, run in groupby(_as_seen(written), lambda character: has(character, bold=text.bold)):
            for part in ["".join(run)] if is_known else run:
                wide = width(part, text.size, bold=text.bold)
                if is_known:
                    self.text(at, text.y, part)
                elif wide:
                    self._unknown(part, at, text, wide)
                at += wide

    def _unknown(self, character: str, x: float, text: Text, wide: float) -> None:
        """A box for a character that the font has not; who copies it from the drawing gets the character."""
        self._out(f"/Span <</ActualText <feff{character.encode('utf-16-be').hex()}>>> BDC")
        self.text(x + (wide - width(_BOX, text.size, bold=text.bold)) / 2, text.y, _BOX)
        self._out("EMC")


def _as_seen(text: str) -> str:
    """A text from left to right: where a part of it is written from right to left, its letters are turned round."""
    if any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text):
        return BidiParagraph(text, base_direction=TextDirection.LTR).get_reordered_string()
    return text


def _box(x: float, y: float, width: float, height: float, radius: float) -> str:
    if not radius:
        return f"{_pair((x, y))} {_pair((width, height))} re"
    right, bottom, hand = x + width, y + height, radius * (1 - ROUND)
    pieces = (
        (right - radius, y),
        Curve((right - hand, y), (right, y + hand), (right, y + radius)),
        (right, bottom - radius),
        Curve((right, bottom - hand), (right - hand, bottom), (right - radius, bottom)),
        (x + radius, bottom),
        Curve((x + hand, bottom), (x, bottom - hand), (x, bottom - radius)),
        (x, y + radius),
        Curve((x, y + hand), (x + hand, y), (x + radius, y)),
    )
    return f"{_path((x + radius, y), pieces)} h"


def _outline(points: tuple[Point, ...]) -> str:
    return f"{_path(points[0], points[1:])} h"


def _path(start: Point, pieces: tuple[Piece, ...]) -> str:
    words = [f"{_pair(start)} m"]
    for piece in pieces:
        if isinstance(piece, Curve):
            words.append(f"{_pair(piece.first)} {_pair(piece.second)} {_pair(piece.end)} c")
        else:
            words.append(f"{_pair(piece)} l")
    return " ".join(words)


def _pair(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"
