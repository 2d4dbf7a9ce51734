"""What became of each tensor of a checkpoint and of a model, and what is said where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from archbuilder.analysis.table import aligned
from archbuilder.diagnostics import printable, shorten

_SHOWN = 12
_WIDEST = 120
"""So much of a name is shown; a file may have any."""

Fate: TypeAlias = Literal["loaded", "adapted", "new", "left out"]
"""`new` are tensors of the model that the file has nothing for; `left out` those of the file that the model has no place for."""


@dataclass(frozen=True)
class Wishes:
    """What may be otherwise than in the file."""

    head: Literal["new"] | None = None
    channels: Literal["adapt"] | None = None
    partial: bool = False
    prefix: str | None = None

    def __post_init__(self) -> None:
        for name, value, word in (("head", self.head, "new"), ("channels", self.channels, "adapt")):
            if value not in (None, word):
                raise ValueError(f'`{name}` is "{word}" or left out, got {value!r}')


class Row(NamedTuple):
    """A tensor under its name in the model, or in the file if it was left out: what became of it, and why."""

    key: str
    fate: Fate
    reason: str = ""


@dataclass(frozen=True, repr=False)
class Report:
    """What was loaded from where. `str` is a table of it, one line for all tensors of which the same is to be said."""

    source: str
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(keys)} {fate}" for fate, keys in self._by_fate().items() if keys)
        return f"Report({self.source}: {counts})"

    def __str__(self) -> str:
        groups: dict[tuple[Fate, str], list[str]] = {}
        order = ("loaded", "adapted", "new", "left out")
        for row in sorted(self.rows, key=lambda row: order.index(row.fate)):
            groups.setdefault((row.fate, row.reason), []).append(row.key)
        lines = [(fate, str(len(keys)), _in_short(keys), reason) for (fate, reason), keys in groups.items()]
        return aligned((self.source, "tensors", "", ""), lines, right=(1,))

    def _by_fate(self) -> dict[Fate, list[str]]:
        return {"loaded": self.loaded, "adapted": self.adapted, "new": self.new, "left out": self.left_out}

    def _of(self, fate: Fate) -> list[str]:
        return [row.key for row in self.rows if row.fate == fate]

    @property
    def loaded(self) -> list[str]:
        """The model's tensors that are the file's."""
        return self._of("loaded")

    @property
    def adapted(self) -> list[str]:
        """Those that were made of the file's."""
        return self._of("adapted")

    @property
    def new(self) -> list[str]:
        """Those that are as they were."""
        return self._of("new")

    @property
    def left_out(self) -> list[str]:
        """The file's tensors that were not used."""
        return self._of("left out")


def _in_short(keys: list[str]) -> str:
    shown = [shorten(key, _WIDEST) for key in (keys if len(keys) <= 2 else (keys[0], keys[-1]))]
    return (", " if len(keys) <= 2 else " ... ").join(shown)


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or does not fit a model. `missing`, `unexpected`, `misshapen` and `mistyped` list keys."""

    def __init__(
        self,
        message: str,
        *,
        missing: Sequence[str] = (),
        unexpected: Sequence[str] = (),
        misshapen: Sequence[str] = (),
        mistyped: Sequence[str] = (),
        unreadable: Sequence[str] = (),
        advice: Sequence[str] = (),
    ) -> None:
        self.missing, self.unexpected = list(missing), list(unexpected)
        self.misshapen, self.mistyped = list(misshapen), list(mistyped)
        lines = [printable(line) for line in message.split("\n")]
        for title, keys in (
            ("missing in the file", self.missing),
            ("not in the model", self.unexpected),
            ("of another shape", self.misshapen),
            ("of another kind of number", self.mistyped),
            ("not plain", list(unreadable)),
        ):
            if keys:
                lines.append(f"  {title} ({len(keys)}):")
                lines += [f"    {printable(shorten(key, _WIDEST))}" for key in keys[:_SHOWN]]
                lines += [f"    ... and {len(keys) - _SHOWN} more"] if len(keys) > _SHOWN else []
        super().__init__("\n".join([*lines, *(f"  help: {each}" for each in advice)]))
