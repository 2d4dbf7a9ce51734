"""Which networks there are: those of the zoo, and the variants that a file has."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archbuilder.diagnostics import Reporter
from archbuilder.language import zoo
from archbuilder.language.files import Files


def variants_of(path: Path, text: str | None = None, files: Files | None = None) -> tuple[str | None, list[str]]:
    """The default variant of a file, or of a text that is called so, and the keys of all.

    Raises:
        SpecError: if the file cannot be read as YAML.
    """
    reporter, files = Reporter(), files or Files()
    table = files.named_by_user(path, reporter) if text is None else files.of_text(str(path), text, reporter)
    reporter.raise_if_any()
    if table is None:
        return None, []
    variants = table.get("variants")
    default = table.get("default")
    return (default if isinstance(default, str) else None), list(variants) if isinstance(variants, dict) else []


def is_network(name: str) -> bool:
    """Whether a network of the zoo is called so."""
    path, holders = zoo.find(name)
    return path is not None or any(not key or key in _variants_in(each) for each, key in holders)


@cache
def _variants_in(shipped: Path) -> frozenset[str]:
    """The variants in a file of the zoo, which stays as it is."""
    return frozenset(variants_of(shipped)[1])


def network_names() -> list[str]:
    """The plain name of every network of the zoo."""
    names: list[str] = []
    for path in zoo.all_files():
        default, variants = variants_of(path)
        names += [] if default else [path.stem]
        names += [zoo.plain_name(path.stem, variant) for variant in variants]
    return sorted(names)
