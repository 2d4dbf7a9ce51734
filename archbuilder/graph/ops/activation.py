"""Activations, and the ops that act in training only: dropout and drop path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from archbuilder.graph.op import Construct, Op, OpError, Role, only_one
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
    )

    kind: str

    @property
    def in_place(self) -> bool:  # type: ignore[override]
        """Those do of which the gradient can be told from what they give."""
        return self.kind in _IN_PLACE

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return only_one("activation", inputs[0])

    def emit(self) -> Construct:
        return Construct(_MODULES[self.kind])

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
