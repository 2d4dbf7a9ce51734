"""What a block or an op can be told: its parameters, their types, defaults and bounds.

Shared by the two kinds of definition there are, ops (Python) and blocks (YAML), so that both are checked by the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


class _Required:
    """There is one of it, in copies and pickles too."""

    def __reduce__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()
"""Stands for the default of a parameter that has none."""

MAXIMUM_INTEGER: Final = 2**53
"""No size, width or count is larger; beyond it, floats and integers would part."""

MAXIMUM_DRAWN: Final = 1e38
"""No weight is drawn larger; single precision ends at three times as much."""


class ParameterError(Exception):
    """A value does not fit a parameter. The text is a bare fact: where and whose it is, the caller adds."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a block or an op.

    `type` is one of `TYPES`, `element` the type of a list's elements; where it may be `single`, a list of one may be written
    without its brackets. `null` is legal where it is the default, for slots,
    and where `optional` says so. `minimum` and `maximum` include their bound.
    """

    name: str
    type: str
    default: Any = REQUIRED
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False
    element: str = ""
    single: bool = False

    @property
    def required(self) -> bool:
        """Whether a use must give it."""
        return self.default is REQUIRED

    def check(self, value: Any) -> Any:
        """`value` in its normal form (a pair of equal numbers is the number).

        Raises:
            ParameterError: if the value is of another type, or out of bounds.
        """
        if value is None:
            if self.optional or self.default is None or self.type in SLOTS:
                return None
            raise ParameterError(f"`{self.name}` must be {self.expectation()}, not null")
        if self.type == "list":
            return self._check_list(value)
        normal = _CHECKS[self.type](value)
        if normal is _MISFIT or (self.choices and normal not in self.choices):
            raise ParameterError(f"`{self.name}` must be {self.expectation()}, got {describe(value)}")
        if self.minimum is not None or self.maximum is not None:
            self._check_bounds(normal)
        if self.type == "init":
            self._check_scale(normal)
        return normal

    def exactly(self, value: Any) -> Any:
        """A checked value as an op needs it: TorchScript takes no 1 for 1.0. Blocks have it as it was written, since widths
        may be computed from it."""
        if self.type == "float" and type(value) is int:
            return float(value)
        return tuple(map(float, value)) if self.element == "float" and value is not None else value

    def expectation(self) -> str:
        """What the parameter takes, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type == "list":
            single = f"{TYPES[self.element]}, or " if self.single else ""
            return f"{single}a list of which each is {TYPES[self.element]}"
        return TYPES[self.type]

    def _check_list(self, value: Any) -> Any:
        if self.single and not isinstance(value, list | tuple):
            value = (value,) if _CHECKS[self.element](value) is not _MISFIT else value
        if not isinstance(value, list | tuple):
            raise ParameterError(f"`{self.name}` must be {self.expectation()}, got {describe(value)}")
        checked = tuple(_CHECKS[self.element](each) for each in value)
        if _MISFIT in checked:
            wrong = value[checked.index(_MISFIT)]
            raise ParameterError(f"`{self.name}` must be {self.expectation()}, but one is {describe(wrong)}")
        for each in checked if self.element == "init" else ():
            self._check_scale(each)
        return checked

    def _check_bounds(self, value: Any) -> None:
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            if self.minimum is not None and number < self.minimum:
                raise ParameterError(f"`{self.name}` must be at least {self.minimum:g}, got {describe(value)}")
            if self.maximum is not None and number > self.maximum:
                raise ParameterError(f"`{self.name}` must be at most {self.maximum:g}, got {describe(value)}")

    def _check_scale(self, initialisation: Any) -> None:
        """Refuses a deviation or bound from which nothing can be drawn, and what single precision cannot hold."""
        if isinstance(initialisation, str):
            return
        kind, number, *mean = initialisation
        if kind == "truncated_normal" and number <= 0:
            expected = "more than 0"
        elif kind != "constant" and number < 0:
            expected = "at least 0"
        elif abs(number) > MAXIMUM_DRAWN:
            expected = f"no further from 0 than {MAXIMUM_DRAWN:g}"
        elif mean and abs(mean[0]) > MAXIMUM_DRAWN:
            kind, number, expected = "mean", mean[0], f"no further from 0 than {MAXIMUM_DRAWN:g}"
        else:
            return
        raise ParameterError(f"`{kind}` of `{self.name}` must be {expected}, got {describe(number)}")


def describe(value: Any) -> str:
    """A value as a message shows it: short, quoted as in YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"`{value[:40]}…`" if len(value) > 40 else f"`{value}`"
    if isinstance(value, dict):
        return "a map"
    if getattr(value, "is_shape", False):
        return f"a value of {value}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(describe(each) for each in value)}]" if len(value) <= 4 else "a list"
    if isinstance(value, int) and abs(value) > MAXIMUM_INTEGER:
        return "a number that is too large"
    if isinstance(value, float):
        short = f"{value:g}"
        return f"{short}.0" if short.lstrip("-").isdigit() else short
    return str(value)


_MISFIT: Final = object()


def _is_count(value: Any) -> bool:
    return type(value) is int and abs(value) <= MAXIMUM_INTEGER


def _integer(value: Any) -> Any:
    return value if _is_count(value) else _MISFIT


def _channels(value: Any) -> Any:
    return value if _is_count(value) and value >= 1 else _MISFIT


def _float(value: Any) -> Any:
    if type(value) is float:
        return value if abs(value) < float("inf") else _MISFIT
    return value if _is_count(value) else _MISFIT


def _boolean(value: Any) -> Any:
    return value if type(value) is bool else _MISFIT


def _string(value: Any) -> Any:
    return value if isinstance(value, str) else _MISFIT


def _size(value: Any) -> Any:
    if type(value) is int:
        return value if 0 <= value <= MAXIMUM_INTEGER else _MISFIT
    if isinstance(value, list | tuple) and len(value) == 2 and all(_is_count(each) and each >= 0 for each in value):
        return value[0] if value[0] == value[1] else tuple(value)
    return _MISFIT


def _padding(value: Any) -> Any:
    return value if value == "same" else _size(value)


def _initialisation(value: Any) -> Any:
    if isinstance(value, str):
        return value if value in INITIALISATIONS else _MISFIT
    if isinstance(value, dict):
        scaled = [kind for kind in value if kind != "mean"]
        kinds = CENTRED_INITIALISATIONS if "mean" in value else SCALED_INITIALISATIONS
        if len(scaled) == 1 and scaled[0] in kinds and _MISFIT not in map(_float, value.values()):
            mean = (float(value["mean"]),) if "mean" in value else ()
            return (scaled[0], float(value[scaled[0]]), *mean)
    if isinstance(value, tuple) and 2 <= len(value) <= 3 and value[0] in SCALED_INITIALISATIONS:
        return value
    return _MISFIT


def _anything(value: Any) -> Any:
    return value


INITIALISATIONS: Final = (
    "default", "kaiming_fan_in", "kaiming_fan_out", "kaiming_uniform_fan_in", "kaiming_uniform_fan_out",
    "kaiming_fan_out_per_group", "uniform_fan_out",
    "zeros", "ones",
)  # fmt: skip
LEAST_DIMENSIONS: Final = {kind: 2 for kind in INITIALISATIONS if "kaiming" in kind} | {"kaiming_fan_out_per_group": 3}
"""How many dimensions a tensor has at least that can be drawn so: one for what comes in and one for what goes out; what has
groups, a convolution's weights, has those of its window besides."""
SCALED_INITIALISATIONS: Final = ("normal", "truncated_normal", "uniform", "constant")
CENTRED_INITIALISATIONS: Final = ("normal", "truncated_normal")
"""Those that may have a mean beside their deviation."""

SLOTS: Final = ("block", "steps")
"""The types whose values are filled in by blocks; null leaves them empty."""

TYPES: Final = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "channels": "a number of channels, 1 or more",
    "size": "a whole number or a pair of them [height, width]",
    "padding": "a whole number, a pair of them [height, width], or `same`",
    "block": "a block",
    "steps": "a map of steps",
    "init": f"one of {', '.join(INITIALISATIONS)}, or {{normal: 0.02}} (likewise {', '.join(SCALED_INITIALISATIONS[1:])}), "
    "or {normal: 0.1, mean: 0.1}",
    "list": "a list",
}

_CHECKS: Final = {
    "int": _integer,
    "float": _float,
    "bool": _boolean,
    "string": _string,
    "channels": _channels,
    "size": _size,
    "padding": _padding,
    "block": _anything,
    "steps": _anything,
    "init": _initialisation,
}
