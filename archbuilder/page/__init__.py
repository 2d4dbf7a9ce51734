"""A page that one can walk through: a network from its stages to its layers, in one file that asks for no other.

`render_page` makes one. `picture` is what it draws and where everything is, `facts` and `texts` are what it tells, `data` writes
both down, `pairs` says which steps of two networks belong together, `file` puts all into a page with what runs there, which is
built from `web/`.
"""

from __future__ import annotations

from typing import Final

from archbuilder.analysis.summary import summarize
from archbuilder.draw import render
from archbuilder.graph.bounds import refuse_too_many, steps_in
from archbuilder.language.load import Spec, load_architecture
from archbuilder.lowering.network import lower_with_record
from archbuilder.page.data import data_of
from archbuilder.page.file import written
from archbuilder.page.pairs import rows_of
from archbuilder.page.picture import picture_of

_MAXIMUM_SPECS: Final = 2


def render_page(*specs: Spec, input: tuple[int, int, int] | None = None) -> str:
    """The text of a page that shows a network, or two side by side: one HTML file, which needs no other.

    Args:
        specs: a path, a zoo name, an `Architecture`, or a dict as YAML has it; one or two.
        input: (channels, height, width) of one image; by default what a spec says.

    Raises:
        SpecError: with every mistake found in a spec.
        FileNotFoundError: if there is no such file or name.
        TooManyStepsError: if a network has more steps than a page tells of.
        ValueError: if there are no specs, or more than two.
    """
    if not 1 <= len(specs) <= _MAXIMUM_SPECS:
        raise ValueError(f"a page shows one network, or two side by side: got {len(specs)} specs")
    architectures = [load_architecture(spec) for spec in specs]
    lowered = [lower_with_record(architecture, input) for architecture in architectures]
    for each in lowered:
        refuse_too_many(steps_in(each.graph), "told of")
    summaries = [summarize(each.graph) for each in lowered]
    pictures = [picture_of(summary) for summary in summaries]
    networks = [data_of(*each) for each in zip(architectures, lowered, summaries, pictures, strict=True)]
    pairs = rows_of(*(each.root.figure for each in pictures)) if len(pictures) > 1 else None
    sheets = [render(each.graph).decode() for each in lowered]
    title = " and ".join(each["name"] for each in networks)
    return written(title, {"networks": networks, "pairs": pairs}, sheets)


__all__ = ["render_page"]
