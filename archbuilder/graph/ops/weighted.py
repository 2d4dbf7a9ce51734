"""The ops that multiply by weights: convolution and linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Self

from archbuilder.graph.answers import Construct, Initialisation, Memory, Sources, Spread, Tensor, Window, drawn
from archbuilder.graph.op import Op, OpError, Role, only_map, pair, short, vector_or_tokens
from archbuilder.graph.shapes import Map, Shape, Tokens, Vector
from archbuilder.graph.windows import (
    Pair,
    around,
    default_padding,
    halves,
    is_even,
    margins,
    padded,
    same_padding,
    slide,
    widened,
)
from archbuilder.parameters import Parameter

PADDING_MODES: Final = ("zeros", "reflect", "replicate", "circular")
"""What stands around a map, as torch calls it."""

_LAYER: Final[Sources] = {0: ("input.channels",), 1: ("width",)}
_CONVOLUTION: Final[Sources] = {**_LAYER, "kernel_size": ("kernel",), "eps": ("standardize",)}

_INIT_HELP = "how the weights are drawn; `default` is torch's own way"


@dataclass(frozen=True, eq=False, repr=False)
class Convolution(Op):
    """2-d convolution (torch.nn.Conv2d)."""

    name: ClassVar[str] = "conv"
    channels_given: ClassVar[tuple[str, ...]] = ("width",)
    help: ClassVar[str] = "a convolution; without `width` it keeps the number of channels, without `bias` it has none"
    role: ClassVar[Role] = "convolution"
    counts_as_layer: ClassVar[bool] = True
    unset: ClassVar[Mapping[str, str]] = {"padding": "same"}
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "width": ("input.channels",),
        "padding": ("kernel // 2", "dilation * (kernel - 1) // 2"),
        "groups": ("1", "input.channels // group_width"),
    }
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("width", "channels", None, "channels of the output; by default those of the input"),
        Parameter("kernel", "size", help="size of the window", minimum=1),
        Parameter("stride", "size", 1, "step of the window", minimum=1),
        Parameter("padding", "padding", None, "zeros around the map; by default half of an odd kernel"),
        Parameter(
            "padding_mode",
            "string",
            "zeros",
            "what stands around the map: zeros, or pixels of the map itself",
            choices=PADDING_MODES,
        ),
        Parameter("dilation", "size", 1, "distance between the window's taps", minimum=1),
        Parameter("groups", "int", None, "groups that do not see each other; by default one", minimum=1),
        Parameter(
            "group_width",
            "int",
            None,
            "channels of the input in a group, instead of `groups`; 1 is depthwise",
            minimum=1,
        ),
        Parameter("bias", "bool", False, "whether a number is added to each channel"),
        Parameter(
            "standardize",
            "float",
            None,
            "added to the variance where the weights of each channel are brought to mean 0 and deviation 1 before they are used "
            "(arXiv:1903.10520)",
            minimum=0,
        ),
        Parameter("init", "init", "default", _INIT_HELP),
        Parameter("bias_init", "init", "default", "how the bias is drawn"),
    )

    in_channels: int
    out_channels: int
    kernel: Pair
    stride: Pair
    padding: Pair | None
    """None: as much as gives the map's size over the stride, rounded up; of an odd number one more behind the map."""
    dilation: Pair
    groups: int
    bias: bool
    init: Any
    bias_init: Any
    padding_mode: str = "zeros"
    standardize: float | None = None
    behind: Pair | None = None
    """The padding behind the map, where it is not that before it."""

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        channels = only_map("conv", inputs[0]).channels
        width = given["width"] or channels
        kernel, stride, dilation = pair(given["kernel"]), pair(given["stride"]), pair(given["dilation"])
        padding = _padding(given["padding"], kernel, stride, dilation)
        if padding is None and stride != (1, 1) and given["padding_mode"] != "zeros":
            message = "`padding: same` beside a stride is a padding with zeros"
            raise OpError(message, "remove `padding_mode`, or write the padding as a number", "padding_mode")
        return cls(
            channels,
            width,
            kernel,
            stride,
            padding,
            dilation,
            _groups(channels, width, given["groups"], given["group_width"]),
            given["bias"],
            given["init"],
            given["bias_init"],
            "zeros" if padding == (0, 0) else given["padding_mode"],
            given["standardize"],
        )

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        return {} if given["bias"] else {"bias_init": "without a bias"}

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("conv", inputs[0])
        self._check_margin(shape)
        window = self.kernel, self.stride, self.padding, self.dilation
        height, width = slide("conv", shape, *window, behind=self.behind)
        return Map(self.out_channels, height, width)

    def state(self) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (self.out_channels, self.in_channels // self.groups, *self.kernel))
        return (weight, Tensor("bias", (self.out_channels,))) if self.bias else (weight,)

    def macs(self, output: Shape) -> int:
        return output.elements * (self.in_channels // self.groups) * self.kernel[0] * self.kernel[1]

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        shape = only_map("conv", inputs[0])
        copy = self._copied(shape)
        keeps = () if copy else (0,)
        of_input = ((0, 0, 1),) if copy and self.padding_mode in ("reflect", "replicate") else ()
        if self.standardize is None:
            return Memory(keeps, keeps_beside=copy, beside=copy, keeps_for=of_input)
        weights, channels = self.state()[0].elements, self.out_channels
        before = copy if self._pads_by_size or self.behind is not None else 0  # what is there when weights are made
        beside = max(copy + weights + 2 * channels, before + 2 * weights + 3 * channels - output.elements)
        return Memory(keeps, keeps_beside=copy + 2 * weights + channels, beside=beside, keeps_for=of_input)

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.padding, self.dilation)

    def dilate(self, on: Spread) -> Self:
        dilation, before, behind = widened(self.window, on)
        around_it = before, behind or before
        wider = on.spacing != (1, 1) and around_it != ((0, 0), (0, 0))
        if self.padding_mode != "zeros" and (wider or behind is not None):
            message = f"`padding_mode: {self.padding_mode}` takes pixels of a map's edge, and those of a larger map are others"
            raise OpError(message, "write `padding_mode: zeros`", "padding_mode")
        torchs = on.stride == (1, 1) and around_it == halves(self.kernel, dilation)  # it calls these `same`
        if torchs and (self.padding is None or behind is not None):
            return replace(self, stride=on.stride, padding=None, dilation=dilation)
        return replace(self, stride=on.stride, padding=before, dilation=dilation, behind=behind)

    def is_fresh(self, inputs: int) -> bool:
        return True

    def emit(self) -> Construct:
        keywords: list[tuple[str, Any]] = [("kernel_size", short(self.kernel))]
        keywords += [("stride", short(self.stride))] if self.stride != (1, 1) else []
        padding = 0 if self._pads_by_size else "same" if self.padding is None else short(self.padding)
        if self.behind is not None and self.padding is not None:
            keywords += [("margins", around(self.padding, self.behind))]
        else:
            keywords += [("padding", padding)] if padding != 0 else []
        keywords += [("dilation", short(self.dilation))] if self.dilation != (1, 1) else []
        keywords += [("groups", self.groups)] if self.groups != 1 else []
        keywords += [] if self.bias else [("bias", False)]
        keywords += [("padding_mode", self.padding_mode)] if self.padding_mode != "zeros" else []
        callee = "SameConv2d" if self._pads_by_size else "nn.Conv2d" if self.behind is None else "PaddedConv2d"
        if self.standardize is not None:
            callee = "StandardizedConv2d"
            keywords += [("eps", self.standardize), *([("same", True)] if self._pads_by_size else [])]
        return Construct(callee, (self.in_channels, self.out_channels), tuple(keywords), _CONVOLUTION)

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch pads by one number, whatever the map's size, and leaves weights as they are."""
        if self.standardize is not None:
            return ("StandardizedConv2d", "pad_same")
        if self.behind is not None:
            return ("PaddedConv2d",)
        return ("SameConv2d", "pad_same") if self._pads_by_size else ()

    @property
    def _pads_by_size(self) -> bool:
        """Whether the size at hand says how many zeros there are, so that it is no convolution of torch's own."""
        is_torchs = self.stride == (1, 1) and (is_even(self.kernel) or self.padding_mode != "zeros")
        return self.padding is None and not is_torchs

    def _copied(self, shape: Map) -> int:
        """How many numbers the map has that torch makes first, with the margins that no convolution of its own has; 0 if none."""
        before, behind = margins(self.window, shape[1:])
        by_size = self._pads_by_size and (self.stride != (1, 1) or self.standardize is not None)
        if self.behind is not None or by_size or self.padding_mode != "zeros":
            return padded(self.window, shape, self.behind)
        more = behind[0] - before[0], behind[1] - before[1]
        return shape.channels * (shape.height + more[0]) * (shape.width + more[1]) if any(more) else 0

    def _check_margin(self, shape: Map) -> None:
        """Refuses to put more pixels of a map around it than it has."""
        if self.padding_mode not in ("reflect", "circular"):
            return
        spans = (step * (size - 1) for size, step in zip(self.kernel, self.dilation, strict=True))
        most = self.padding or tuple(span - span // 2 for span in spans)
        least = [margin + (self.padding_mode == "reflect") for margin in most]
        if shape.height < least[0] or shape.width < least[1]:
            size = f"{shape.height}×{shape.width}"
            message = f"`padding_mode: {self.padding_mode}` needs a map of at least {least[0]}×{least[1]}, got {size}"
            raise OpError(message, "use a larger input, or less padding", "padding_mode")

    def initialise(self) -> tuple[Initialisation, ...]:
        return drawn(self.init, self.bias_init if self.bias else "default")

    def label(self) -> str:
        kernel = f"{self.kernel[0]}×{self.kernel[1]}"
        stride = f"/{self.stride[0]}" if self.stride[0] == self.stride[1] else f"/{self.stride[0]}×{self.stride[1]}"
        details = stride if self.stride != (1, 1) else ""
        details += f" dilation {short(self.dilation)}" if self.dilation != (1, 1) else ""
        details += " same" if self.padding is None and self.stride != (1, 1) else ""
        if self.groups == self.in_channels and self.groups > 1:
            return f"depthwise {kernel}{details}"
        return f"conv {kernel}{details}" + (f" groups {self.groups}" if self.groups > 1 else "")


def _padding(given: Any, kernel: Pair, stride: Pair, dilation: Pair) -> Pair | None:
    if given == "same":
        return same_padding(kernel, stride, dilation)
    return default_padding("conv", kernel, dilation) if given is None else pair(given)


def _groups(channels: int, width: int, groups: int | None, group_width: int | None) -> int:
    if groups is not None and group_width is not None:
        raise OpError("conv takes `groups` or `group_width`, not both", "remove one of them", "groups")
    if group_width is not None:
        if channels % group_width:
            near = _nearest(channels, group_width)
            message = f"`group_width` ({group_width}) does not divide the {channels} channels of the input"
            help = f"use a width before it that is a multiple of {group_width}, such as {near}"
            raise OpError(message, help, "group_width")
        groups = channels // group_width
    if groups is None or groups == 1:
        return 1
    for count, whose in ((channels, "input"), (width, "output")):
        if count % groups:
            message = f"`groups` ({groups}) does not divide the {count} channels of the {whose}"
            before = "before it " if whose == "input" else ""
            help = f"use a width {before}that is a multiple of {groups}, such as {_nearest(count, groups)}"
            raise OpError(message, help, "groups")
    return groups


def _nearest(count: int, divisor: int) -> str:
    low = count // divisor * divisor
    return f"{low} or {low + divisor}" if low else str(divisor)


@dataclass(frozen=True, eq=False, repr=False)
class ChannelConvolution(Op):
    """A convolution along the channels of a map of one pixel, one kernel for all (arXiv:1910.03151, section 3.2)."""

    name: ClassVar[str] = "channel_conv"
    help: ClassVar[str] = "a convolution along the channels of a map of one pixel"
    lies_over: ClassVar[int | None] = 1
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("kernel", "int", help="channels that it sees, an odd number", minimum=1),
        Parameter(
            "circular", "bool", False, "whether the last channels stand before the first, and the first behind the last"
        ),
    )

    kernel: int
    circular: bool = False

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        if given["kernel"] % 2 == 0:
            raise OpError(f"channel_conv takes an odd kernel, got {given['kernel']}", None, "kernel")
        return cls(given["kernel"], given["circular"])

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = only_map("channel_conv", inputs[0])
        if (shape.height, shape.width) != (1, 1):
            raise OpError(
                f"channel_conv takes a map of one pixel, got {shape}", "put `global_pool` with `keep: true` before it"
            )
        if self.circular and shape.channels < self.kernel // 2:
            message = (
                f"a circular kernel of {self.kernel} needs at least {self.kernel // 2} channels, got {shape.channels}"
            )
            raise OpError(message, "use a smaller kernel", "kernel")
        return shape

    def state(self) -> tuple[Tensor, ...]:
        return (Tensor("weight", (1, 1, self.kernel)),)

    def macs(self, output: Shape) -> int:
        return output.elements * self.kernel

    @property
    def helpers(self) -> tuple[str, ...]:  # type: ignore[override]
        """Torch's convolve along places."""
        return (self.emit().callee,)

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        if not self.circular:
            return Memory(keeps=(0,))
        copy = output.elements + self.kernel - 1
        return Memory(keeps_beside=copy, beside=copy)

    def emit(self) -> Construct:
        return Construct(
            "CircularChannelConv" if self.circular else "ChannelConv", (self.kernel,), (), {0: ("kernel",)}
        )

    def label(self) -> str:
        return f"channel conv {self.kernel}"


@dataclass(frozen=True, eq=False, repr=False)
class Linear(Op):
    """y = W x + b (torch.nn.Linear)."""

    name: ClassVar[str] = "linear"
    channels_given: ClassVar[tuple[str, ...]] = ("width",)
    help: ClassVar[str] = "a fully connected layer, with bias unless said otherwise"
    role: ClassVar[Role] = "linear"
    counts_as_layer: ClassVar[bool] = True
    fallbacks: ClassVar[Mapping[str, tuple[str, ...]]] = {"width": ("input.channels",)}
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("width", "channels", None, "channels of the output; by default those of the input"),
        Parameter("bias", "bool", True, "whether a number is added to each channel"),
        Parameter("init", "init", "default", _INIT_HELP),
        Parameter("bias_init", "init", "default", "how the bias is drawn"),
    )

    in_channels: int
    out_channels: int
    bias: bool
    init: Any
    bias_init: Any

    @classmethod
    def resolve(cls, given: dict[str, Any], inputs: tuple[Shape, ...]) -> Self:
        channels = vector_or_tokens("linear", inputs[0]).channels
        return cls(channels, given["width"] or channels, given["bias"], given["init"], given["bias_init"])

    @classmethod
    def idle(cls, given: dict[str, Any]) -> dict[str, str]:
        return {} if given["bias"] else {"bias_init": "without a bias"}

    def infer(self, inputs: tuple[Shape, ...]) -> Shape:
        shape = inputs[0]
        return shape._replace(channels=self.out_channels) if isinstance(shape, Tokens) else Vector(self.out_channels)

    def state(self) -> tuple[Tensor, ...]:
        weight = Tensor("weight", (self.out_channels, self.in_channels))
        return (weight, Tensor("bias", (self.out_channels,))) if self.bias else (weight,)

    def macs(self, output: Shape) -> int:
        return output.elements * self.in_channels

    def is_fresh(self, inputs: int) -> bool:
        return True

    def memory(self, inputs: tuple[Shape, ...], output: Shape) -> Memory:
        return Memory(keeps=(0,))

    def emit(self) -> Construct:
        keywords = () if self.bias else (("bias", False),)
        return Construct("nn.Linear", (self.in_channels, self.out_channels), keywords, _LAYER)

    def initialise(self) -> tuple[Initialisation, ...]:
        return drawn(self.init, self.bias_init if self.bias else "default")

    def label(self) -> str:
        return f"linear {self.out_channels}"
