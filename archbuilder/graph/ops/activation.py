"""Activations, and the ops that act in training only: dropout and drop path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from archbuilder.graph.answers import VIEW, Construct, Memory
from archbuilder.graph.op import Op, OpError, Role, only_one
from archbuilder.graph.shapes import Held, Shape
from archbuilder.parameters import Parameter

_MODULES: Final = {
    "relu": "nn.ReLU",
    "relu6": "nn.ReLU6",
    "leaky_relu": "nn.LeakyReLU",
    "elu": "nn.ELU",
    "silu": "nn.SiLU",
    "gelu": "nn.GELU",
    "mish": "nn.Mish",
    "hard_swish": "nn.Hardswish",
    "hard_sigmoid": "nn.Hardsigmoid",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "identity": "nn.Identity",
}
_IN_PLACE: Final = ("relu", "relu6", "leaky_relu")
_OF_OUTPUT: Final = ("relu", "sigmoid", "tanh")
"""Those of which the gradient is computed from what they give, and not from what goes in."""
_SLOPES: Final = {"leaky_relu": 0.01, "hard_sigmoid": None}
"""The slopes that torch gives its own; that of a hard sigmoid is a sixth."""


@dataclass(frozen=True, eq=False, repr=False)
class Activation(Op):
    """A non-linearity, applied to each number by itself."""

    name: ClassVar[str] = "activation"
    help: ClassVar[str] = "a non-linearity"
    role: ClassVar[Role] = "activation"
    follows: ClassVar[bool] = True
    telling: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("kind", "string", "relu", "which one", choices=tuple(_MODULES)),
        Parameter(
            "slope",
            "float",
            None,
            "of a leaky_relu below zero, by default 0.01, or of a hard_sigmoid at zero, by default 1/6",
            minimum=0,
        ),
        Parameter("alpha", "float", 1.0, "how far below zero an elu goes"),
        Parameter(
            "approximate",
            "string",
            None,
            "by what a gelu is approximated: tanh, or x * sigmoid(1.702 x) (arXiv:1606.08415, section 2)",
            choices=("tanh", "sigmoid"),
        ),
    )
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {"slope": ("0.01",)}

    kind: str
    slope: float | None = None
    alpha: float = 1.0
    approximate: str | None = None

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        kind, slope = given["kind"], given["slope"]
        slope = _SLOPES.get(kind) if slope is None or kind not in _SLOPES else float(slope)
        alpha = float(given["alpha"]) if kind == "elu" else 1.0
        return cls(kind, slope, alpha, given["approximate"] if kind == "gelu" else None)

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        owners = {"slope": (None, tuple(_SLOPES)), "alpha": (1.0, ("elu",)), "approximate": (None, ("gelu",))}
        beside = f"beside `kind: {given['kind']}`"
        return {
            knob: beside
            for knob, (default, kinds) in owners.items()
            if given["kind"] not in kinds and given[knob] != default
        }

    @property
    def in_place(self) -> bool:  # type: ignore[override]
        """Those do of which the gradient can be told from what they give."""
        return self.kind in _IN_PLACE

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return only_one("activation", inputs[0])

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        count = output.elements
        if self.kind in _OF_OUTPUT:
            return Memory(keeps_output=True)
        if self.kind == "relu6":
            return Memory(keeps_beside=count)  # a copy, since it needs what it overwrites
        if self.approximate == "sigmoid":
            return Memory(keeps=(0,), keeps_beside=count, beside=count)
        if self.kind == "hard_sigmoid" and self.slope is not None:
            return Memory(keeps_beside=count, beside=count)
        return VIEW if self.kind == "identity" else Memory(keeps=(0,))

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """What torch has no module for."""
        made = self.emit().callee
        return () if made.startswith("nn.") else (made,)

    def emit(self) -> Construct:
        if self.kind == "leaky_relu" and self.slope != _SLOPES["leaky_relu"]:
            return Construct("nn.LeakyReLU", (), (("negative_slope", self.slope),), {"negative_slope": ("slope",)})
        if self.kind == "hard_sigmoid" and self.slope is not None:
            return Construct("HardSigmoid", (self.slope,), (), {0: ("slope",)})
        if self.kind == "elu" and self.alpha != 1.0:
            return Construct("nn.ELU", (), (("alpha", self.alpha),))
        if self.approximate == "tanh":
            return Construct("nn.GELU", (), (("approximate", self.approximate),))
        return Construct("SigmoidGELU" if self.approximate == "sigmoid" else _MODULES[self.kind])

    def label(self) -> str:
        return self.kind.replace("_", " ")


@dataclass(frozen=True, eq=False, repr=False)
class Dropout(Op):
    """Sets single numbers to zero in training (Srivastava et al. 2014)."""

    name: ClassVar[str] = "dropout"
    help: ClassVar[str] = "sets a share of the numbers to zero in training"
    role: ClassVar[Role] = "regularisation"
    follows: ClassVar[bool] = True
    telling: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("rate", "float", 0.5, "the share that is set to zero", minimum=0, maximum=1),
    )

    rate: float

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return only_one("dropout", inputs[0])

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps_beside=output.elements) if self.rate else VIEW

    def emit(self) -> Construct:
        return Construct("nn.Dropout", (), (("p", self.rate),), {"p": ("rate",)})

    def label(self) -> str:
        return f"dropout {self.rate:g}"


SCHEDULES: Final = ("constant", "linear", "linear_exclusive")


@dataclass(frozen=True, eq=False, repr=False)
class DropPath(Op):
    """Drops a residual branch for single images in training (stochastic depth, arXiv:1603.09382)."""

    name: ClassVar[str] = "drop_path"
    help: ClassVar[str] = "drops a residual branch for single images in training; at rate 0 it is not there"
    role: ClassVar[Role] = "regularisation"
    follows: ClassVar[bool] = True
    drops_path: ClassVar[bool] = True
    helpers: ClassVar[tuple[str, ...]] = ("DropPath",)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("rate", "float", 0.0, "how often, in the last block", minimum=0, maximum=1),
        Parameter(
            "schedule",
            "string",
            "linear",
            "how the rate of block i of n grows: constant, linear (rate * i / (n - 1)) or linear_exclusive (rate * i / n)",
            choices=SCHEDULES,
        ),
    )

    rate: float
    schedule: str

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        return cls(float(given["rate"]), given["schedule"])

    def remark_on(self, parameter: str) -> str:
        if parameter != "rate" or self.schedule == "constant":
            return ""
        return f"the rate of the last block; `schedule: {self.schedule}` makes it grow up to there"

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        if isinstance(inputs[0], Held):
            raise OpError(f"drop_path takes a value for each image, got a parameter of {inputs[0]}")
        return only_one("drop_path", inputs[0])

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps_beside=1) if self.rate else VIEW

    @property
    def does_nothing(self) -> bool:
        return self.rate == 0

    def rate_at(self, position: int, count: int) -> float:
        if self.schedule == "constant" or count == 1:
            return self.rate
        span = count - 1 if self.schedule == "linear" else count
        return round(self.rate * (position / span), 12)  # so that the last one's is `rate` itself, and none has a tail

    def at_rate(self, rate: float) -> Self:
        return type(self)(rate, self.schedule)

    def emit(self) -> Construct:
        return Construct("DropPath", (self.rate,), (), {0: ("rate",)})

    def label(self) -> str:
        return f"drop path {'' if self.schedule == 'constant' else 'up to '}{self.rate:g}"
