"""A scene as SVG: one file that needs no other, the same bytes each time."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from hashlib import blake2s
from typing import Final

from archbuilder.diagnostics import printable
from archbuilder.draw.fonts import FAMILY, width
from archbuilder.draw.options import Theme
from archbuilder.draw.outputs.paths import HATCH_STEP, HATCH_WIDTH, Curve, dashes, hatch_ink, radius_of, stroke_of
from archbuilder.draw.scene import Circle, Dash, Ink, Line, Part, Point, Polygon, Rectangle, Scene, Shape, Text
from archbuilder.draw.theme import inks

_KEY: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""What a fact may be called, to be an attribute `data-...`."""


def to_svg(scene: Scene, theme: Theme = "light") -> str:
    """The scene as the text of an SVG.

    With the theme `auto` it has the light and the dark colours, and its viewer takes those that its user prefers.

    Raises:
        KeyError: for an ink that no theme knows.
        ValueError: for facts whose names cannot be those of attributes.
    """
    text = "\n".join((*_Writer(_NAME, theme).document(scene), ""))
    # What is looked up by its name in all of a page that holds several drawings has a name that only this one has. It is made of
    # what is written, since the last digits of places depend on Python's version.
    return text.replace(_NAME, f"scene-{blake2s(text.encode(), digest_size=4).hexdigest()}")


_NAME: Final = "\0"
"""Stands for the drawing's name until that is known: no XML document has this character."""


class _Writer:
    """Writes one scene. Its inks are attributes, or with `auto` classes, whose colours the style at its beginning says."""

    def __init__(self, name: str, theme: Theme) -> None:
        self._name = name
        self._inks = inks(theme)
        self._has_classes = theme == "auto"
        self._classes: dict[str, tuple[str, Ink]] = {}
        self._patterns: dict[str, list[str]] = {}

    def document(self, scene: Scene) -> Iterator[str]:
        ground = Rectangle(0, 0, scene.width, scene.height, fill="ground")
        body = [line for shape in (ground, *scene.shapes) for line in self._shape(shape)]
        across, down = _number(scene.width), _number(scene.height)
        said = {"title": printable(scene.title), "desc": printable(scene.description)}
        labels = " ".join(f"{self._name}-{tag}" for tag, text in said.items() if text)
        yield _tag(
            "svg",
            {"xmlns": "http://www.w3.org/2000/svg", "xml:space": "preserve", "id": self._name},
            {"width": f"{across}pt", "height": f"{down}pt", "viewBox": f"0 0 {across} {down}"},
            {"role": "img"} | ({"aria-labelledby": labels} if labels else {}),
            {"fill": "none", "stroke-linejoin": "round", "font-family": FAMILY},
            end=">",
        )
        yield from (f'<{tag} id="{self._name}-{tag}">{html.escape(text)}</{tag}>' for tag, text in said.items() if text)
        yield from self._style()
        yield from (line for lines in self._patterns.values() for line in lines)
        yield from body
        yield "</svg>"

    def _style(self) -> Iterator[str]:
        if self._classes:
            light, dark = (self._rules(inks(theme)) for theme in ("light", "dark"))
            yield f"<style>\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n</style>"

    def _rules(self, table: dict[Ink, str]) -> str:
        classes = sorted(self._classes.items())
        return "\n".join(f"#{self._name} .{each} {{ {key}: {table[ink]} }}" for each, (key, ink) in classes)

    def _shape(self, shape: Shape) -> Iterator[str]:
        match shape:
            case Part():
                yield from self._part(shape)
            case Rectangle():
                yield from self._rectangle(shape)
            case Circle():
                place = {"cx": _number(shape.x), "cy": _number(shape.y), "r": _number(shape.radius)}
                yield _tag("circle", place, self._painted(shape.fill, shape.line, shape.line_width))
            case Polygon():
                path = {"d": _outline(shape.points)}
                yield _tag("path", path, self._painted(shape.fill, shape.line, shape.line_width))
            case Line():
                yield from self._line(shape)
            case Text():
                yield from self._text(shape)

    def _part(self, part: Part) -> Iterator[str]:
        facts: dict[str, str] = {}
        for key, value in part.facts:
            if not _KEY.fullmatch(key) or f"data-{key}" in facts:
                raise ValueError(f"a part has a fact named {key!r}: expected names of its own, in words as `from-port`")
            facts[f"data-{key}"] = printable(value)
        yield _tag("g", facts, end=">")
        if title := printable(part.title):
            yield f"<title>{html.escape(title)}</title>"
        for shape in part.shapes:
            yield from self._shape(shape)
        yield "</g>"

    def _rectangle(self, shape: Rectangle) -> Iterator[str]:
        place = {"x": shape.x, "y": shape.y, "width": shape.width, "height": shape.height, "rx": radius_of(shape)}
        placed = {key: _number(value) for key, value in place.items() if value or key != "rx"}
        yield _tag("rect", placed, self._painted(shape.fill, shape.line, shape.line_width, shape.dash))
        if shape.hatched:
            yield _tag("rect", placed, {"fill": f"url(#{self._pattern(hatch_ink(shape))})"})

    def _pattern(self, ink: Ink) -> str:
        name, step = f"{self._name}-{_word(ink)}", _number(HATCH_STEP)
        if name not in self._patterns:
            turned = {"patternUnits": "userSpaceOnUse", "patternTransform": "rotate(45)"}
            across = {"d": f"M{_number(HATCH_STEP / 2)} 0V{step}"}
            self._patterns[name] = [
                _tag("pattern", {"id": name, "width": step, "height": step}, turned, end=">"),
                _tag("path", across, self._painted(None, ink, HATCH_WIDTH)),
                "</pattern>",
            ]
        return name

    def _line(self, line: Line) -> Iterator[str]:
        if (stroke := stroke_of(line)) is None:
            return
        words = [f"M{_pair(stroke.start)}"]
        for piece in stroke.pieces:
            if isinstance(piece, Curve):
                words.append(f"C{_pair(piece.first)} {_pair(piece.second)} {_pair(piece.end)}")
            else:
                words.append(f"L{_pair(piece)}")
        yield _tag("path", {"d": "".join(words)}, self._painted(None, line.ink, line.width, line.dash))
        if stroke.head:
            yield _tag("path", {"d": _outline(stroke.head)}, self._painted(line.ink, None))

    def _text(self, text: Text) -> Iterator[str]:
        written = printable(text.text)
        if not written.strip():
            return
        place = {"x": _number(text.x), "y": _number(text.y), "font-size": _number(text.size)}
        place |= {"font-weight": "bold"} if text.bold else {}
        place |= {"text-anchor": text.anchor} if text.anchor != "start" else {}
        if length := width(written, text.size, bold=text.bold):
            # Whichever font a viewer has, the text takes the room that it was given.
            place |= {"textLength": _number(length), "lengthAdjust": "spacingAndGlyphs"}
        yield f"{_tag('text', place, self._painted(text.ink, None), end='>')}{html.escape(written)}</text>"

    def _painted(self, fill: Ink | None, line: Ink | None, width: float = 0, dash: Dash = "solid") -> dict[str, str]:
        """The attributes of what is filled, and drawn around."""
        painted: dict[str, str] = {}
        for key, ink in (("fill", fill), ("stroke", line)):
            if ink and self._has_classes:
                name = f"{key}-{_word(ink)}"
                self._classes[name] = key, ink
                painted["class"] = f"{painted['class']} {name}" if "class" in painted else name
            elif ink:
                painted[key] = self._inks[ink]
        if line:
            painted["stroke-width"] = _number(width)
            if lengths := dashes(dash, width):
                painted["stroke-dasharray"] = " ".join(map(_number, lengths))
        return painted


def _word(ink: Ink) -> str:
    return ink.replace(" ", "-")


def _tag(name: str, *attributes: dict[str, str], end: str = "/>") -> str:
    pairs = [f' {key}="{html.escape(value)}"' for each in attributes for key, value in each.items()]
    return f"<{name}{''.join(pairs)}{end}"


def _outline(points: tuple[Point, ...]) -> str:
    return f"M{'L'.join(map(_pair, points))}Z"


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """A number with at most two decimals."""
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written
