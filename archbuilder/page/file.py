"""Data -> a page: one file that asks for no other."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any, Final

from archbuilder.diagnostics import printable
from archbuilder.draw.options import Theme
from archbuilder.draw.theme import inks

_FOLDER: Final = Path(__file__).parent
SCRIPT: Final = _FOLDER / "page.js"
STYLE: Final = _FOLDER / "page.css"
"""What a page runs, and its style: `make web` builds both from web/."""


def written(title: str, data: Any, sheets: list[str]) -> str:
    """The text of a page: its data, and for those without JavaScript the sheets as SVG."""
    script, style = SCRIPT.read_text("utf-8"), _colours() + STYLE.read_text("utf-8")
    allowed = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = (
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{allowed}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{html.escape(printable(title))}</title>",
        f"<style>{style}</style></head>",
        '<body><main id="page" hidden></main>',
        f'<div id="sheet">{"".join(sheets)}</div>',
        f'<script type="application/json" id="data">{_as_json(data)}</script>',
        f"<script>{script}</script></body></html>",
        "",
    )
    return "\n".join(parts)


def _as_json(data: Any) -> str:
    """Data as JSON that a page may hold: nothing in it can end the element that it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _colours() -> str:
    """The colours of both themes, as variables."""
    light, dark = (_variables(theme) for theme in ("light", "dark"))
    return (
        f":root{{{light}}}@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
    )


def _variables(theme: Theme) -> str:
    found = {
        ink.replace(" ", "-"): colour for ink, colour in inks(theme).items() if not ink.endswith((" top", " side"))
    }
    return f"color-scheme:{theme};" + "".join(f"--{name}:{colour};" for name, colour in found.items())
