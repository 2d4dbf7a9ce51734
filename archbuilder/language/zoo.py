"""Where specs and shipped blocks lie, and which spec a word on the command line means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).resolve().parent.parent

BLOCKS = _PACKAGE / "blocks"
"""The folder of the shipped blocks."""

_SUFFIXES = (".yaml", ".yml")


_INSIDE = _PACKAGE / "specs"
SPECS = _INSIDE if _INSIDE.is_dir() else _PACKAGE.parent / "specs"
"""The zoo: inside the package when installed, beside it in a checkout."""


@dataclass(frozen=True)
class Wanted:
    """What a word such as `resnet.yaml#50` asks for: a file, a variant in it, or a name that may be either's."""

    path: Path | None
    variant: str | None
    name: str


def parse_reference(word: str, folder: Path | None = None) -> Wanted:
    """Splits `file.yaml#variant` or `name#variant`. Paths are relative to `folder`, by default the current one."""
    base = _without_variant(word, folder or Path())
    variant = word[len(base) + 1 :]
    if base.endswith(_SUFFIXES) or "/" in base or "\\" in base:
        return Wanted((folder or Path()) / base, variant or None, base)
    sibling = (folder or Path()) / f"{base}.yaml"
    if folder is not None and is_file(sibling) and not _is_known(base):
        return Wanted(sibling, variant or None, base)
    return Wanted(None, variant or None, base)


def _without_variant(word: str, folder: Path) -> str:
    """A word up to the `#` before a variant. The names of folders and files may hold a `#`, too: what is there is meant, the
    longest first, else what ends as the name of a spec does."""
    start = max(word.rfind("/"), word.rfind("\\")) + 1
    if "#" not in word[start:]:
        return word
    ends = {each.end() for each in _SUFFIX.finditer(word, start)} if len(word) < _LONGEST_PATH else set()
    named = [word[:end] for end in sorted(ends)]
    there = (each for each in reversed([*named, *([word] if start else [])]) if is_file(folder / each))
    return next(there, named[0] if named else word[: word.index("#", start)])


_SUFFIX: Final = re.compile(r"\.ya?ml(?=#|$)")
_LONGEST_PATH: Final = 4096


def _is_known(name: str) -> bool:
    """Whether the zoo may have a network of this name."""
    path, holders = find(name)
    return path is not None or next(holders, None) is not None


def is_file(path: Path) -> bool:
    """Whether there is something to open, a pipe for example, also for what cannot be a path (too long, or with a NUL in it).
    Of a folder, opening it says what is wrong."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _index(near: str = "") -> dict[str, str]:
    """Every file of the zoo, by its name without the suffix; with `near` only those of families that it begins with."""
    found: dict[str, str] = {}
    with os.scandir(SPECS) as families:
        for family in families:
            if near.startswith(family.name) if near else family.is_dir():
                with os.scandir(family.path) as files:
                    found.update({f.name.removesuffix(".yaml"): f.path for f in files if f.name.endswith(".yaml")})
    return found


def all_files() -> list[Path]:
    """Every file of the zoo, by name."""
    return [Path(path) for _, path in sorted(_index().items())]


def find(name: str) -> tuple[Path | None, Iterator[tuple[Path, str]]]:
    """The file of the zoo that is called so; else the files that may hold it as a variant, with the variant's key.

    Most networks are in a family that their name begins with, so other families are looked into only after these.
    """
    near = _index(name) if name else {}
    found = near.get(name) or (_index().get(name) if not _fitting(name, near) else None)
    return (Path(found) if found is not None else None), _holders(name, near)


def _holders(name: str, near: dict[str, str]) -> Iterator[tuple[Path, str]]:
    tried = _fitting(name, near)
    yield from tried
    yield from (each for each in _fitting(name, _index()) if each not in tried)


def _fitting(name: str, index: dict[str, str]) -> list[tuple[Path, str]]:
    """The files whose name a network's begins with, and the rest of that ("": it is the file's own): longest name first."""
    stems = sorted((stem for stem in index if name.startswith(stem)), key=len, reverse=True)
    return [(Path(index[stem]), name.removeprefix(stem).removeprefix("_")) for stem in stems]


def plain_name(stem: str, variant: str) -> str:
    """What a variant is called by itself: `resnet` and `50` make `resnet50`, `net` and `small` make `net_small`."""
    return f"{stem}{variant}" if variant[:1].isdigit() else f"{stem}_{variant}"
