"""The last touches to the SVG that Graphviz writes."""

from __future__ import annotations

import html
import re
from typing import Final

from archbuilder.draw.labels import shown
from archbuilder.draw.picture import Picture
from archbuilder.draw.style import FONT, FONT_FAMILY

_FONT_ATTRIBUTE: Final = re.compile(f'font-family="{FONT}[^"]*"')


def finish(svg: bytes, picture: Picture) -> bytes:
    """Says to a screen reader what is drawn, and names fonts of the same metrics for machines without the first."""
    # In the text of an XML document a quotation mark is escaped, so only attributes match.
    text = _FONT_ATTRIBUTE.sub(f'font-family="{html.escape(FONT_FAMILY)}"', svg.decode())
    spoken = ", ".join((shown(picture.name, 80), *(shown(fact, 80) for fact in picture.facts)))
    return text.replace("<svg ", f'<svg role="img" aria-label="{spoken}" ', 1).encode()
