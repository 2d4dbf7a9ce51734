"""Norms: batch, group and layer normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from archbuilder.graph.answers import Construct, Initialisation, Memory, Sources, Tensor, drawn
from archbuilder.graph.op import Op, OpError, Role, divisors
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens
from archbuilder.parameters import Parameter


@dataclass(frozen=True, eq=False, repr=False)
class Norm(Op):
    """Batch norm (arXiv:1502.03167), group norm (arXiv:1803.08494) or layer norm (arXiv:1607.06450) over the channels.

    On a map, layer norm normalises each pixel by itself, as ConvNeXt does (arXiv:2201.03545, section 2.6).
    """

    name: ClassVar[str] = "norm"
    help: ClassVar[str] = "a normalisation, with a learned scale and shift for each channel"
    role: ClassVar[Role] = "norm"
    follows: ClassVar[bool] = True
    telling: ClassVar[bool] = False
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {"momentum": ("0.1",), "groups": ("1", "32")}
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("kind", "string", "batch", "over what is normalised", choices=("batch", "group", "layer")),
        Parameter("eps", "float", 1e-5, "added to the variance", minimum=0),
        Parameter(
            "momentum",
            "float",
            None,
            "of the running statistics, batch norm only; by default 0.1",
            minimum=0,
            maximum=1,
        ),
        Parameter("groups", "int", None, "groups of channels, group norm only; by default 32", minimum=1),
        Parameter(
            "zero_init", "bool", False, "whether the scale begins at zero, so that a residual branch begins as nothing"
        ),
        Parameter("init", "init", "default", "how the scale is drawn; `default` is ones"),
        Parameter("bias_init", "init", "default", "how the shift is drawn; `default` is zeros"),
    )

    kind: str
    channels: int
    eps: float
    momentum: float
    groups: int
    zero_init: bool
    init: Any
    bias_init: Any
    flat: bool

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        shape, kind = inputs[0], given["kind"]
        if isinstance(shape, Streams):
            raise OpError(f"norm takes one value, got {len(shape)}", "take one of them, as in `from: parts.0`")
        if isinstance(shape, Held) and kind != "layer":
            raise OpError(f"{kind} norm takes a feature map, got a parameter of {shape}")
        if isinstance(shape, Tokens) and kind != "layer":
            raise OpError(
                f"{kind} norm takes a feature map, got {shape}", "use `kind: layer`, or put `to_map` before it", "kind"
            )
        for knob, owner in (("momentum", "batch"), ("groups", "group")):
            if given[knob] is not None and kind != owner:
                raise OpError(f"`{knob}` belongs to {owner} norm, this is {kind} norm", f"remove `{knob}`", knob)
        if kind == "batch" and given["eps"] == 0:
            raise OpError("`eps` of batch norm must be more than 0, got 0", "write a small one, such as 1e-5", "eps")
        groups = 1
        if kind == "group":
            groups = 32 if given["groups"] is None else given["groups"]
            if shape.channels % groups:
                message = f"`groups` ({groups}) does not divide the {shape.channels} channels of the input"
                raise OpError(message, f"give `groups`, one of {divisors(shape.channels)}", "groups")
        momentum = 0.1 if given["momentum"] is None else given["momentum"]
        flat = not isinstance(shape, Map)
        drawn = given["zero_init"], given["init"], given["bias_init"]
        return cls(kind, shape.channels, given["eps"], momentum, groups, *drawn, flat)

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        return {"init": "beside `zero_init`"} if given["zero_init"] else {}

    def state(self) -> tuple[Tensor, ...]:
        size = (self.channels,)
        tensors = (Tensor("weight", size), Tensor("bias", size))
        if self.kind != "batch":
            return tensors
        running = (Tensor("running_mean", size, False), Tensor("running_var", size, False))
        return (*tensors, *running, Tensor("num_batches_tracked", (), False))

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        means = {"batch": self.channels, "group": self.groups, "layer": output.elements // self.channels}[self.kind]
        return Memory(keeps=(0,), keeps_beside=2 * means, beside=0 if self.kind == "batch" else 2 * means)

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch has no layer norm over the channels of a map."""
        return ("LayerNorm2d",) if self.kind == "layer" and not self.flat else ()

    def is_fresh(self, inputs: int) -> bool:
        return True

    def emit(self) -> Construct:
        keywords: tuple[tuple[str, Any], ...] = (("eps", self.eps),) if self.eps != 1e-5 else ()
        sources: Sources = {0: ("input.channels",)}
        if self.kind == "batch":
            keywords += (("momentum", self.momentum),) if self.momentum != 0.1 else ()
            return Construct("nn.BatchNorm1d" if self.flat else "nn.BatchNorm2d", (self.channels,), keywords, sources)
        if self.kind == "layer":
            return Construct("nn.LayerNorm" if self.flat else "LayerNorm2d", (self.channels,), keywords, sources)
        return Construct(
            "nn.GroupNorm", (self.groups, self.channels), keywords, {0: ("groups",), 1: ("input.channels",)}
        )

    def initialise(self) -> tuple[Initialisation, ...]:
        return drawn("zeros" if self.zero_init else self.init, self.bias_init)

    def label(self) -> str:
        return f"{self.kind} norm"
