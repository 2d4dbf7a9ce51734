"""Which of a network's parameters its expressions use."""

from __future__ import annotations

from typing import Any

from archbuilder.spec.formula import Formula
from archbuilder.spec.models import Architecture, Step


def names_used(architecture: Architecture) -> set[str]:
    """The names that the expressions of a network speak of, those inside its own blocks left out."""
    names: set[str] = set()
    parts = (architecture.parameters, architecture.defaults, architecture.features, *architecture.sections().values())
    for part in parts:
        _collect(part, names)
    return names


def _collect(value: Any, names: set[str]) -> None:
    if isinstance(value, Formula):
        names |= value.names
    elif isinstance(value, str):
        if "$" in value:
            names |= Formula(value).names
    elif isinstance(value, dict):
        for key, each in value.items():
            _collect(key, names)
            _collect(each, names)
    elif isinstance(value, list):
        for each in value:
            _collect(each, names)
    elif isinstance(value, Step):
        _collect_step(value, names)


def _collect_step(step: Step, names: set[str]) -> None:
    for part in (step.block, step.from_, step.when, step.depth, step.names, step.body, step.arguments):
        _collect(part, names)
    if step.loop is not None:
        _collect([step.loop.start, step.loop.stop], names)
