"""Defaults by block name, nearest wins: the network's `defaults`, and those written on a step for all inside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archbuilder.diagnostics import Place
from archbuilder.language.table import Past
from archbuilder.parameters import REQUIRED


@dataclass(eq=False)
class Setting:
    """A value for a parameter of every use of a block. `variables` are those of the place where it is written.

    `below` is the setting that it is laid over, for maps, which merge. `used` says whether it reached a block. `weaker` is
    the setting that it is nearer than, `past` are the values that this one has replaced in the text.
    """

    block: str
    parameter: str
    value: Any
    variables: Mapping[str, Any]
    key_place: Place | None
    value_place: Place | None
    weak: bool = False
    below: Setting | None = None
    used: bool = False
    past: tuple[Past, ...] = ()
    weaker: Setting | None = None
    plain: Any = REQUIRED
    """The value, checked; `REQUIRED` where it must be computed first, or does not fit."""

    def mark_used(self) -> None:
        """Notes that a block took the value."""
        setting: Setting | None = self
        while setting is not None and not setting.used:
            setting.used = True
            setting = setting.below


@dataclass(eq=False)
class Defaults:
    """The settings that hold in a body, by block and parameter."""

    settings: dict[str, dict[str, Setting]] = field(default_factory=dict)

    def of(self, block: str) -> dict[str, Setting]:
        """The settings for a block."""
        return self.settings.get(block, _NONE)

    def extended(self, nearer: list[Setting]) -> Defaults:
        """These defaults with nearer ones laid over them."""
        if not nearer:
            return self
        settings = {block: dict(parameters) for block, parameters in self.settings.items()}
        for setting in nearer:
            parameters = settings.setdefault(setting.block, {})
            below = parameters.get(setting.parameter)
            if below is not None and isinstance(below.value, dict) and isinstance(setting.value, dict):
                setting.below = below
            setting.weaker = below
            parameters[setting.parameter] = setting
        return Defaults(settings)


_NONE: dict[str, Setting] = {}
