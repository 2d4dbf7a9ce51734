"""Where specs and shipped blocks lie, and which spec a word on the command line means."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

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
    start = max(word.rfind("/"), word.rfind("\\")) + 1  # a folder's name may hold a `#`
    last, _, variant = word[start:].partition("#")
    base = word[:start] + last
    if base.endswith(_SUFFIXES) or "/" in base or "\\" in base:
        return Wanted((folder or Path()) / base, variant or None, base)
    sibling = (folder or Path()) / f"{base}.yaml"
    if folder is not None and is_file(sibling) and find(base) == (None, []):
        return Wanted(sibling, variant or None, base)
    return Wanted(None, variant or None, base)


def is_file(path: Path) -> bool:
    """Whether there is something to open, a pipe for example, also for what cannot be a path (too long, or with a NUL in it).
    Of a folder, opening it says what is wrong."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _index() -> dict[str, str]:
    """Every file of the zoo, by its name without the suffix."""
    found: dict[str, str] = {}
    with os.scandir(SPECS) as families:
        for family in families:
            if family.is_dir():
                with os.scandir(family.path) as files:
                    found.update({f.name.removesuffix(".yaml"): f.path for f in files if f.name.endswith(".yaml")})
    return found


def all_files() -> list[Path]:
    """Every file of the zoo, by name."""
    return [Path(path) for _, path in sorted(_index().items())]


def find(name: str) -> tuple[Path | None, list[tuple[Path, str]]]:
    """The file of the zoo that is called so; else the files that may hold it as a variant, with the variant's key, longest
    file name first."""
    index = _index()
    if name in index:
        return Path(index[name]), []
    fitting = [stem for stem in index if name.startswith(stem)]
    fitting.sort(key=len, reverse=True)
    return None, [(Path(index[stem]), name.removeprefix(stem).removeprefix("_")) for stem in fitting]


def plain_name(stem: str, variant: str) -> str:
    """What a variant is called by itself: `resnet` and `50` make `resnet50`, `net` and `small` make `net_small`."""
    return f"{stem}{variant}" if variant[:1].isdigit() else f"{stem}_{variant}"
