"""The specs of the zoo say each thing once: what is taken out of one changes its networks, or makes them impossible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archbuilder import SpecError
from archbuilder.diagnostics import Reporter
from archbuilder.language import zoo
from archbuilder.language.blocks import resolve_blocks
from archbuilder.language.files import Files
from archbuilder.language.load import Search, _override, _resolve, _settings, _validated
from archbuilder.language.merge import arrange
from archbuilder.language.networks import variants_of
from archbuilder.language.table import Table, copied_table
from archbuilder.lowering import lower_architecture
from tests.networks import fingerprint

FILES = {path.stem: path for path in zoo.all_files()}
PARTS = ("defaults", "stem", "stages", "neck", "head", "scale", "variants")
"""Where a spec says how its network is; the rest names it, or states facts of it."""

Path_ = tuple[str | int, ...]


def entries(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The path of each number, text and truth value in a map."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list) and each:
            yield from entries(each, (*path, key))
        elif isinstance(value, dict):
            yield (*path, key)


def network(path: Path, variant: str | None, without: Path_ = (), **settings: Any) -> list[str]:
    """What a file describes, with one entry taken out."""
    reporter, files = Reporter(), Files()
    table = copied_table(files.named_by_user(path, reporter))
    assert table is not None
    if without:
        container: Any = table
        for key in without[:-1]:
            container = container[key]
        del container[without[-1]]
    resolved = _resolve(table, path, variant, Search(files, reporter, ())) or Table()
    for key, value, places in _settings(settings):
        resolved = _override(resolved, key, value, places, reporter)
    architecture = _validated(arrange(resolve_blocks(resolved, reporter), reporter), reporter)
    graph = lower_architecture(architecture)
    return [*fingerprint(graph), *(str(tap) for tap in graph.taps), str(architecture.input.model_dump())]


def turned(value: Any) -> list[Any]:
    """Other values for a parameter of a network: what is said of it matters then, if at all."""
    if isinstance(value, bool):
        return [not value]
    return [value // 2] if isinstance(value, int) else [value * 1.4 or 0.1, value * 0.75]


def is_needed(path: Path, variants: list[str | None], usual: dict[str | None, list[str]], entry: Path_) -> bool:
    """Whether a network differs without an entry, as written or with another value for one of its parameters."""
    mine = [variant for variant in variants if entry[0] != "variants" or variant == entry[1]]
    try:
        if any(network(path, variant, entry) != usual[variant] for variant in mine):
            return True
        for name, value in (Files().named_by_user(path, Reporter()) or {}).get("parameters", {}).items():
            for setting in turned(value):
                if network(path, mine[0], entry, **{name: setting}) != network(path, mine[0], **{name: setting}):
                    return True
    except SpecError:
        return True
    return False


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_said_that_follows_anyway(name: str) -> None:
    path = FILES[name]
    default, keys = variants_of(path)
    variants: list[str | None] = [*keys] if keys else [default]
    usual = {variant: network(path, variant) for variant in variants}
    table = Files().named_by_user(path, Reporter()) or Table()
    said = [
        (part, *rest) for part in PARTS if isinstance(table.get(part), dict | list) for rest in entries(table[part])
    ]
    said = [entry for entry in said if "expect" not in entry]
    needless = [".".join(str(key) for key in entry) for entry in said if not is_needed(path, variants, usual, entry)]
    assert not needless, f"these follow anyway: {', '.join(needless)}"
