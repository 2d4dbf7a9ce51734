"""What a notebook shows of a network, in whichever form it is at hand: its picture or its table, and always a line of text.

`bundle` is what all of them share. It keeps to the protocol of IPython's `_repr_mimebundle_`.
"""

from __future__ import annotations

import sys
from html import escape
from typing import Any, Final

from archbuilder.analysis.summary import Summary, summarize
from archbuilder.comparison.difference import Difference
from archbuilder.diagnostics import SpecError, printable
from archbuilder.display import Kinds
from archbuilder.draw import DrawingError, render
from archbuilder.graph.graph import Graph
from archbuilder.language.models import Architecture
from archbuilder.lowering import lower_architecture
from archbuilder.tasks.checking import Checked

TEXT: Final = "text/plain"
TABLE: Final = "text/html"
PICTURE: Final = "image/svg+xml"


def bundle(shown: Any, include: Kinds, exclude: Kinds) -> dict[str, str]:
    """What a notebook shows of an object, by MIME type: for a summary its table, for a difference its text, for all else the
    picture of the network, and for all one line of text. Only what is asked for is made. What cannot be drawn has a second line
    instead, which says why.

    A model that has become another one since it was built has none of it: torch shows it.

    Args:
        shown: a network as an architecture, a graph, a summary, what `check` gives, or a built model; or a difference.
        include: the types that are asked for; all, if None.
        exclude: those that are not.
    """
    asked = {kind for kind in (TEXT, TABLE, PICTURE) if _is_asked_for(kind, include, exclude)}
    if isinstance(shown, Summary | Difference):
        made = {TEXT: repr(shown)} | ({TABLE: f"<pre>{escape(str(shown))}</pre>"} if TABLE in asked else {})
    elif not asked & {TEXT, PICTURE}:
        made = {}
    else:
        made = _line_and_picture(shown, drawn=PICTURE in asked)
    return {kind: text for kind, text in made.items() if kind in asked}


def _is_asked_for(kind: str, include: Kinds, exclude: Kinds) -> bool:
    return all(kinds is None or kind in kinds for kinds in (include, _active())) and kind not in (exclude or ())


def _active() -> Kinds:
    """The types that IPython shows where it runs. In a terminal these are texts alone, but it asks for all the same."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return None if shell is None else shell.display_formatter.active_types


def _line_and_picture(shown: Any, *, drawn: bool) -> dict[str, str]:
    try:
        graph = _graph_of(shown)
    except SpecError as error:
        return {TEXT: f"{shown!r}\n{_no_picture(_first_of(error))}"}
    if graph is None:
        return {}
    line = f"{type(shown).__name__}({summarize(graph).line})"
    if not drawn:
        return {TEXT: line}
    try:
        return {TEXT: line, PICTURE: render(graph).decode()}
    except (DrawingError, ImportError) as error:
        return {TEXT: f"{line}\n{_no_picture(str(error))}"}


def _graph_of(shown: Any) -> Graph | None:
    """The graph of a network in whichever form; None for a model that has become another one."""
    if isinstance(shown, Graph):
        return shown
    if isinstance(shown, Checked):
        return shown.graph
    if isinstance(shown, Architecture):
        return lower_architecture(shown)
    built = getattr(shown, "_as_built", None)  # who calls the class of a model gets one that knows of no spec
    return None if built is None else built.graph_of(shown)


def _first_of(error: SpecError) -> str:
    """The first mistake of a spec in a line, and how many more there are."""
    first, *others = error.diagnostics
    where = f"{first.place}: " if first.place else ""
    more = f" (and {len(others)} more mistake{'s' if len(others) > 1 else ''})" if others else ""
    return f"{where}{first.message}{more}"


def _no_picture(reason: str) -> str:
    return f"no picture: {printable(' '.join(reason.split()))}"
