"""Checks what a spec's author expects of the network against what the graph says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archbuilder.analysis.facts import Facts, unsaid
from archbuilder.diagnostics import Place, Reporter


def check_expectations(
    expected: Mapping[str, Any], places: Mapping[str, Place | None], summary: Facts, reporter: Reporter
) -> None:
    """Reports every expected fact (`layers`, `parameters`, `macs`, `output`) that does not hold."""
    facts: dict[str, Any] = {
        "layers": summary.layers,
        "parameters": summary.parameters,
        "macs": summary.macs,
        "output": list(summary.output_shape),
    }
    for name, wanted in expected.items():
        found = facts[name]
        if found is None:
            message = f"expected {_show(wanted)} {name}, they are not known: {unsaid(summary.uncounted)}"
            reporter.error("expectation", message, places.get(name), help="give the op `macs` in its plugin")
            continue
        if wanted != found:
            message = f"expected {_show(wanted)} {name}, the network has {_show(found)}"
            if name == "output":
                message = f"expected the output {_show(wanted)}, it is {_show(found)}"
            reporter.error(
                "expectation", message, places.get(name), help=f"write `{name}: {_show(found)}` if that is meant"
            )


def _show(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}" if value >= 10_000 else str(value)
    if isinstance(value, list):
        return f"[{', '.join(str(each) for each in value)}]"
    return str(value)
