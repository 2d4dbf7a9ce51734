"""Ops on tokens, and tensors that a block holds itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from archbuilder.graph.answers import FRESH, VIEW, Construct, Expression, Initialisation, Memory, Sources, Tensor
from archbuilder.graph.op import Op, OpError, Role, divisors, only_map, only_tokens, pair
from archbuilder.graph.ops.sampling import ALIGN_CORNERS
from archbuilder.graph.shapes import Held, Map, Shape, Tokens, Vector
from archbuilder.parameters import Parameter


@dataclass(frozen=True, eq=False, repr=False)
class ToTokens(Op):
    """Each pixel of a map as a token, row by row."""

    name: ClassVar[str] = "to_tokens"
    help: ClassVar[str] = "each pixel of a map as a token, row by row; the tokens remember the map's height and width"
    helpers: ClassVar[tuple[str, ...]] = ("Permute",)
    role: ClassVar[Role] = "shape"
    telling: ClassVar[bool] = False

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("to_tokens", inputs[0])
        return Tokens(shape.height, shape.width, 0, shape.channels)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Construct:
        return Construct("Permute", (0, 2, 3, 1))


@dataclass(frozen=True, eq=False, repr=False)
class ToMap(Op):
    """Tokens as the map that they came from."""

    name: ClassVar[str] = "to_map"
    help: ClassVar[str] = "tokens as the map that they came from"
    helpers: ClassVar[tuple[str, ...]] = ("Permute",)
    role: ClassVar[Role] = "shape"
    telling: ClassVar[bool] = False

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_tokens("to_map", inputs[0])
        if shape.extra:
            raise OpError(
                f"to_map takes the tokens of a map alone, got {shape.extra} more", "use it before `prepend_tokens`"
            )
        return Map(shape.channels, shape.height, shape.width)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Construct:
        return Construct("Permute", (0, 3, 1, 2))


@dataclass(frozen=True, eq=False, repr=False)
class HeldTensor(Op):
    """A trained tensor of a block's own, the same for all images."""

    name: ClassVar[str] = "parameter"
    help: ClassVar[str] = (
        "a trained tensor of the block's own, such as a layer scale; it stands beside the chain of steps"
    )
    role: ClassVar[Role] = "tensor"
    telling: ClassVar[bool] = False
    inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    holds_tensor: ClassVar[bool] = True
    size_parameter: ClassVar[str | None] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("shape", "list", element="channels", help="its sizes"),
        Parameter("init", "init", "zeros", "how it is drawn: zeros, ones, `{normal: 0.02}` or the like"),
    )

    sizes: tuple[int, ...]
    init: Any

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        if not 1 <= len(given["shape"]) <= 4:
            raise OpError("`shape` has from one to four sizes", None, "shape")
        if isinstance(given["init"], str) and given["init"] not in ("zeros", "ones"):
            raise OpError(
                f"a parameter has no {given['init']} initialisation", "write zeros, ones or {normal: 0.02}", "init"
            )
        return cls(given["shape"], given["init"])

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return Held(self.sizes)

    def state(self) -> tuple[Tensor, ...]:
        return (Tensor("", self.sizes),)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Construct:
        sources: Sources = {at: (f"shape[{at}]",) for at in range(len(self.sizes))}
        return Construct("nn.Parameter", (Construct("torch.zeros", self.sizes, (), sources),))

    def initialise(self) -> tuple[Initialisation, ...]:
        return (Initialisation("", self.init),)

    def label(self) -> str:
        return f"parameter {'×'.join(str(size) for size in self.sizes)}"


@dataclass(frozen=True, eq=False, repr=False)
class PrependTokens(Op):
    """Extra tokens before those of the grid, the same for all images: a class token."""

    name: ClassVar[str] = "prepend_tokens"
    help: ClassVar[str] = "puts held tokens [1, count, channels] before the others, such as a class token"
    role: ClassVar[Role] = "shape"
    telling: ClassVar[bool] = False
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        tokens, held = only_tokens("prepend_tokens", inputs[0]), inputs[1]
        if not isinstance(held, Held) or len(held.sizes) != 3 or held.sizes[::2] != (1, tokens.channels):
            raise OpError(f"prepend_tokens takes a parameter of [1, count, {tokens.channels}], got {held}")
        return tokens._replace(extra=tokens.extra + held.sizes[1])

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return FRESH

    def emit(self) -> Expression:
        return Expression("torch.cat([{1}.expand({0}.shape[0], -1, -1), {0}.flatten(1, -2)], dim=1)")


@dataclass(frozen=True, eq=False, repr=False)
class TakeToken(Op):
    """One token as a vector."""

    name: ClassVar[str] = "take_token"
    help: ClassVar[str] = "one token as a vector; the class token is number 0"
    role: ClassVar[Role] = "shape"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("index", "int", 0, "which one", minimum=0),)

    index: int

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_tokens("take_token", inputs[0])
        if not shape.extra:
            message = f"take_token takes tokens of which some have no place, such as a class token, got {shape}"
            raise OpError(message, "put `prepend_tokens` before it; `global_pool` gives the mean of all")
        if self.index >= shape.tokens:
            raise OpError(f"there is no token {self.index} among {shape.tokens}", None, "index")
        return Vector(shape.channels)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return VIEW

    def emit(self) -> Expression:
        return Expression("{0}[:, {index}]", (("index", self.index),))

    def label(self) -> str:
        return f"token {self.index}"


@dataclass(frozen=True, eq=False, repr=False)
class ResizeTokens(Op):
    """A position embedding on the grid of the tokens at hand: interpolated, extra tokens as they are."""

    name: ClassVar[str] = "resize_tokens"
    help: ClassVar[str] = (
        "a held embedding for each token, interpolated where the input has another size than the spec says"
    )
    role: ClassVar[Role] = "resampling"
    lies_over: ClassVar[int | None] = 2
    telling: ClassVar[bool] = False
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)
    size_parameter: ClassVar[str | None] = "grid"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("grid", "size", help="height and width of the tokens for which the embedding was made", minimum=1),
        Parameter("kind", "string", "bilinear", "how it is interpolated", choices=("nearest", "bilinear", "bicubic")),
        ALIGN_CORNERS,
        Parameter("antialias", "bool", False, "whether it is smoothed where the grid is a smaller one"),
    )

    height: int
    width: int
    extra: int
    kind: str = "bilinear"
    align_corners: bool = False
    antialias: bool = False

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        held, tokens = inputs[0], only_tokens("resize_tokens", inputs[1])
        height, width = pair(given["grid"])
        if tokens.extra:
            raise OpError("the second value of resize_tokens gives the grid; take the tokens before `prepend_tokens`")
        fits = (
            isinstance(held, Held) and len(held.sizes) == 3 and held.sizes[0] == 1 and held.sizes[1] >= height * width
        )
        if not isinstance(held, Held) or not fits or held.channels != tokens.channels:
            raise OpError(
                f"resize_tokens takes a parameter of [1, {height * width} or more, {tokens.channels}], got {held}"
            )
        idle = cls.idle(given)
        smooth = (knob not in idle and given[knob] for knob in ("align_corners", "antialias"))
        return cls(height, width, held.sizes[1] - height * width, given["kind"], *smooth)

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        idle = given["kind"] == "nearest"
        return {knob: "beside `kind: nearest`" for knob in ("align_corners", "antialias") if idle and given[knob]}

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        return only_tokens("resize_tokens", inputs[1])._replace(extra=self.extra)

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Most embeddings are interpolated in one way."""
        return (self.emit().template.partition("(")[0],)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        extra = self.extra * only_tokens("resize_tokens", output).channels
        return Memory(beside=output.elements - extra if extra else 0)

    def emit(self) -> Expression:
        values: tuple[tuple[str, Any], ...] = (("height", self.height), ("width", self.width), ("extra", self.extra))
        template = "resize_tokens({0}, {1}, ({height}, {width}), extra={extra}"
        if (self.kind, self.align_corners, self.antialias) == ("bilinear", False, False):
            return Expression(f"{template})", values)
        values += (("kind", self.kind), ("align_corners", self.align_corners), ("antialias", self.antialias))
        more = "mode={kind}, align_corners={align_corners}, antialias={antialias}"
        return Expression(f"{template.replace('resize', 'interpolate')}, {more})", values)


@dataclass(frozen=True, eq=False, repr=False)
class Attention(Op):
    """Scaled dot-product attention of several heads (arXiv:1706.03762, section 3.2)."""

    name: ClassVar[str] = "attention"
    help: ClassVar[str] = "scaled dot-product attention; takes queries, keys and values"
    role: ClassVar[Role] = "attention"
    lies_over: ClassVar[int | None] = 1
    inputs: ClassVar[tuple[int, int | None]] = (3, 3)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("heads", "int", 1, "parts of the channels that attend by themselves", minimum=1),
        Parameter(
            "dropout", "float", 0.0, "the share of weights that is set to zero in training", minimum=0, maximum=1
        ),
        Parameter(
            "scale",
            "float",
            None,
            "what products of queries and keys are multiplied with; by default 1 / √(channels of a head)",
        ),
        Parameter(
            "weights",
            "string",
            "softmax",
            "what makes weights of these products: softmax, or mean, which is their number (arXiv:1711.07971, dot product)",
            choices=("softmax", "mean"),
        ),
        Parameter("cosine", "bool", False, "whether queries and keys are brought to length 1 first"),
    )

    heads: int
    dropout: float
    channels: int
    keys: int
    scale: float | None = None
    weights: str = "softmax"
    cosine: bool = False

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        queries, keys, values = (only_tokens("attention", shape) for shape in inputs)
        heads = given["heads"]
        for shape, whose in ((queries, "queries"), (values, "values")):
            if shape.channels % heads:
                message = f"`heads` ({heads}) does not divide the {shape.channels} channels of the {whose}"
                raise OpError(message, f"use one of {divisors(shape.channels)}", "heads")
        if queries.channels != keys.channels:
            raise OpError(f"queries have {queries.channels} channels, keys {keys.channels}; they must be equal")
        if keys.tokens != values.tokens:
            raise OpError(f"there are {keys.tokens} keys and {values.tokens} values; they must be as many")
        unusual = given["scale"], given["weights"], given["cosine"]
        return cls(heads, given["dropout"], queries.channels, keys.tokens, *unusual)

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        queries, values = only_tokens("attention", inputs[0]), only_tokens("attention", inputs[2])
        return queries._replace(channels=values.channels)

    def for_inputs(self, inputs: tuple[Shape, ...]) -> Self:
        return replace(self, keys=only_tokens("attention", inputs[1]).tokens)

    def macs(self, output: Shape) -> int:
        """Queries times keys, then weights times values."""
        tokens = only_tokens("attention", output)
        return tokens.tokens * self.keys * (self.channels + tokens.channels)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        tokens, taken = only_tokens("attention", output), inputs[0].elements + inputs[1].elements
        products, sums = self.heads * tokens.tokens * self.keys, self.heads * tokens.tokens
        copies = taken * self.cosine
        lengths = 2 * self.heads * (tokens.tokens + self.keys) * self.cosine
        is_fused = self.weights == "softmax" and tokens.channels == self.channels  # torch writes no products down
        written = max(0, 2 * products - output.elements) + (inputs[0].elements if self.weights == "softmax" else 0)
        beside = copies + (sums if is_fused else written)
        if is_fused and not self.dropout:
            return Memory((0, 1, 2), keeps_output=True, keeps_beside=copies + lengths + sums, beside=beside)
        if self.weights == "softmax":
            kept = copies + lengths + taken + products * (3 if self.dropout else 1)
            return Memory(keeps=(2,), keeps_beside=kept, beside=beside)
        return Memory((0, 1, 2), keeps_beside=copies + lengths + products * (2 if self.dropout else 1), beside=beside)

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch has no attention without weights of its own."""
        return (self.emit().callee,)

    def emit(self) -> Construct:
        keywords: tuple[tuple[str, Any], ...] = (("dropout", self.dropout),)
        unusual = (("scale", self.scale), ("weights", self.weights), ("cosine", self.cosine))
        if unusual == (("scale", None), ("weights", "softmax"), ("cosine", False)):
            return Construct("Attention", (self.heads,), keywords, {0: ("heads",)})
        return Construct("ScaledAttention", (self.heads,), (*keywords, *unusual), {0: ("heads",)})

    def label(self) -> str:
        return f"attention, {self.heads} head{'s' * (self.heads > 1)}"
