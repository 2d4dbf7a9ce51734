"""What ops need in emitted source beside torch: the few modules and functions that torch does not have, as text, and which
names a text makes known."""

from __future__ import annotations

import ast
import re
from typing import Final

_DROP_PATH: Final = '''class DropPath(nn.Module):
    """Drops the branch for single images in training; scales the others up (stochastic depth)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if self.rate == 0.0 or not self.training:
            return x
        keep = 1.0 - self.rate
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
        return x * mask.div_(keep) if keep > 0.0 else x * mask'''

_LAYER_NORM_2D: Final = '''class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels of each pixel of a map."""

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        x = functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)'''

_PERMUTE: Final = '''class Permute(nn.Module):
    """Orders the dimensions of a tensor anew."""

    def __init__(self, *order: int) -> None:
        super().__init__()
        self.order = order

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.order)'''

_ATTENTION: Final = '''class Attention(nn.Module):
    """Scaled dot-product attention of several heads, on tokens (batch, height, width, channels) or
    (batch, tokens, channels)."""

    def __init__(self, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout

    def forward(self, x: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        queries, keys, values = (
            each.flatten(1, -2).unflatten(2, (self.heads, -1)).transpose(1, 2) for each in x
        )
        dropout = self.dropout if self.training else 0.0
        attended = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
        return attended.transpose(1, 2).flatten(2).unflatten(1, x[0].shape[1:-1])'''

_RESIZE_TOKENS: Final = '''def resize_tokens(positions: Tensor, tokens: Tensor, grid: tuple[int, int], extra: int) -> Tensor:
    """A position embedding made for `grid`, interpolated to the grid of `tokens`; the first `extra`
    stay as they are."""
    placed = positions[:, extra:].transpose(1, 2).unflatten(2, grid)
    placed = functional.interpolate(placed, size=tokens.shape[1:3], mode="bilinear")
    if extra == 0:
        return placed.permute(0, 2, 3, 1).expand(tokens.shape[0], -1, -1, -1)
    placed = torch.cat([positions[:, :extra], placed.flatten(2).transpose(1, 2)], dim=1)
    return placed.expand(tokens.shape[0], -1, -1)'''

_INTERPOLATE_TOKENS: Final = (
    _RESIZE_TOKENS.replace(
        "def resize_tokens(positions: Tensor, tokens: Tensor, grid: tuple[int, int], extra: int) -> Tensor:",
        """def interpolate_tokens(
    positions: Tensor,
    tokens: Tensor,
    grid: tuple[int, int],
    extra: int,
    mode: str,
    align_corners: bool,
    antialias: bool,
) -> Tensor:""",
    )
).replace(
    'functional.interpolate(placed, size=tokens.shape[1:3], mode="bilinear")',
    """functional.interpolate(
        placed,
        size=tokens.shape[1:3],
        mode=mode,
        align_corners=None if mode == "nearest" else align_corners,
        antialias=antialias,
    )""",
)
"""The same, with a say in how."""

_SCALED_ATTENTION: Final = '''class ScaledAttention(nn.Module):
    """Attention of several heads whose products of queries and keys are multiplied with `scale`. Their
    softmax makes the weights, or the number of keys; `cosine` brings queries and keys to length 1."""

    def __init__(
        self,
        heads: int,
        dropout: float = 0.0,
        scale: float | None = None,
        weights: str = "softmax",
        cosine: bool = False,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.scale = scale
        self.weights = weights
        self.cosine = cosine

    def forward(self, x: list[Tensor]) -> Tensor:
        queries, keys, values = [
            each.flatten(1, -2).unflatten(2, (self.heads, -1)).transpose(1, 2) for each in x
        ]
        if self.cosine:
            queries, keys = functional.normalize(queries, dim=-1), functional.normalize(keys, dim=-1)
        scale = self.scale
        if scale is None:
            scale = queries.shape[-1] ** -0.5
        dropout = self.dropout if self.training else 0.0
        if self.weights == "softmax":
            attended = functional.scaled_dot_product_attention(
                queries, keys, values, dropout_p=dropout, scale=scale
            )
        else:
            weights = queries @ keys.transpose(2, 3) * (scale / keys.shape[2])
            attended = functional.dropout(weights, dropout) @ values
        return attended.transpose(1, 2).flatten(2).unflatten(1, x[0].shape[1:-1])'''

_HARD_SIGMOID: Final = '''class HardSigmoid(nn.Module):
    """`slope` times x plus a half, between 0 and 1."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.slope + 0.5).clamp(0.0, 1.0)'''

_SIGMOID_GELU: Final = '''class SigmoidGELU(nn.Module):
    """GELU, approximated by a sigmoid."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)'''

_RESCALE: Final = '''class Rescale(nn.Module):
    """Each channel of a map times a number of its own, plus another."""

    def __init__(self, scale: tuple[float, ...], offset: tuple[float, ...]) -> None:
        super().__init__()
        self.scale = list(scale)
        self.offset = list(offset)

    def forward(self, x: Tensor) -> Tensor:
        channels = [x[:, i] * self.scale[i] + self.offset[i] for i in range(len(self.scale))]
        return torch.stack(channels, dim=1)'''

_CHANNEL_CONV: Final = '''class ChannelConv(nn.Conv1d):
    """A convolution along the channels of a map of one pixel."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__(1, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        channels = self._conv_forward(x.flatten(1).unsqueeze(1), self.weight, self.bias)
        return channels.transpose(1, 2).unsqueeze(3)'''

_PAD_SAME: Final = '''def pad_same(
    x: Tensor,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
    value: float = 0.0,
) -> Tensor:
    """A map with TensorFlow's SAME padding: a window then gives its size over the stride, rounded up.
    Of an odd number of rows or columns, one more stands behind the map."""
    missing = [0, 0]
    for axis in range(2):
        span = dilation[axis] * (kernel[axis] - 1) + 1
        missing[axis] = span - stride[axis] + -x.shape[2 + axis] % stride[axis]
        if span < stride[axis]:
            missing[axis] = max(missing[axis], 0)
    rows, columns = missing
    around = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
    return functional.pad(x, around, value=value)'''

_SAME_CONV_2D: Final = '''class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding, which depends on the size of the map."""

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == (1, 1):
            return functional.conv2d(
                x, self.weight, self.bias, 1, "same", self.dilation, self.groups
            )
        x = pad_same(x, self.kernel_size, self.stride, self.dilation)
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)'''

_SAME_MAX_POOL_2D: Final = '''class SameMaxPool2d(nn.Module):
    """The largest number in each window, with TensorFlow's SAME padding."""

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int]
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.stride = stride if isinstance(stride, tuple) else (stride, stride)

    def forward(self, x: Tensor) -> Tensor:
        x = pad_same(x, self.kernel_size, self.stride, value=float("-inf"))
        return functional.max_pool2d(x, self.kernel_size, self.stride)'''

_SAME_AVG_POOL_2D: Final = '''class SameAvgPool2d(nn.Module):
    """The mean of each window, with TensorFlow's SAME padding, whose zeros count or not."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.stride = stride if isinstance(stride, tuple) else (stride, stride)
        self.count_include_pad = count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        padded = pad_same(x, self.kernel_size, self.stride)
        means = functional.avg_pool2d(padded, self.kernel_size, self.stride)
        if self.count_include_pad:
            return means
        inside = pad_same(torch.ones_like(x[:1, :1]), self.kernel_size, self.stride)
        return means / functional.avg_pool2d(inside, self.kernel_size, self.stride)'''

_STANDARDIZED_CONV_2D: Final = '''class StandardizedConv2d(nn.Conv2d):
    """A convolution with weights that are brought to mean 0 and deviation 1 for each channel that comes
    out, and perhaps with TensorFlow's SAME padding."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        eps: float,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        same: bool = False,
        margins: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
        )
        self.eps = eps
        self.same = same
        self.margins = margins

    def forward(self, x: Tensor) -> Tensor:
        if self.same:
            x = pad_same(x, self.kernel_size, self.stride, self.dilation)
        if self.margins != (0, 0, 0, 0):
            x = functional.pad(x, self.margins)
        variance, mean = torch.var_mean(self.weight, dim=(1, 2, 3), correction=0, keepdim=True)
        weight = (self.weight - mean) * (variance + self.eps).rsqrt()
        return self._conv_forward(x, weight, self.bias)'''

_CIRCULAR_CHANNEL_CONV: Final = '''class CircularChannelConv(nn.Conv1d):
    """A convolution along the channels of a map of one pixel, the first of which follow the last."""

    def __init__(self, kernel_size: int) -> None:
        padding = kernel_size // 2
        super().__init__(1, 1, kernel_size, padding=padding, bias=False, padding_mode="circular")

    def forward(self, x: Tensor) -> Tensor:
        channels = self._conv_forward(x.flatten(1).unsqueeze(1), self.weight, self.bias)
        return channels.transpose(1, 2).unsqueeze(3)'''

_PADDED_CONV_2D: Final = '''class PaddedConv2d(nn.Conv2d):
    """A convolution with other margins behind the map than before it."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        margins: tuple[int, int, int, int],
        stride: int | tuple[int, int] = 1,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)
        self.margins = margins

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, self.margins)
        return functional.conv2d(
            x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups
        )'''

_PADDED_MAX_POOL_2D: Final = '''class PaddedMaxPool2d(nn.MaxPool2d):
    """A max pool with any margins: wider than torch has them, or others behind the map than before it."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        margins: tuple[int, int, int, int],
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__(kernel_size, stride, dilation=dilation)
        self.margins = margins

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, self.margins, value=float("-inf"))
        return functional.max_pool2d(x, self.kernel_size, self.stride, 0, self.dilation)'''

_PADDED_AVG_POOL_2D: Final = '''class PaddedAvgPool2d(nn.Module):
    """An average pool whose window may be dilated, with any margins."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
        margins: tuple[int, int, int, int],
        dilation: int | tuple[int, int] = 1,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = (
            (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        )
        self.stride = stride
        self.margins = margins
        self.dilation = dilation
        self.count_include_pad = count_include_pad

    def _sum(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        ones = x.new_ones(channels, 1, *self.kernel_size)
        x = functional.pad(x, self.margins)
        return functional.conv2d(x, ones, None, self.stride, 0, self.dilation, channels)

    def forward(self, x: Tensor) -> Tensor:
        if self.count_include_pad:
            return self._sum(x) / (self.kernel_size[0] * self.kernel_size[1])
        return self._sum(x) / self._sum(torch.ones_like(x[:1, :1]))'''

HELPERS: Final = {
    "pad_same": _PAD_SAME,
    "SameConv2d": _SAME_CONV_2D,
    "StandardizedConv2d": _STANDARDIZED_CONV_2D,
    "SameMaxPool2d": _SAME_MAX_POOL_2D,
    "SameAvgPool2d": _SAME_AVG_POOL_2D,
    "ChannelConv": _CHANNEL_CONV,
    "CircularChannelConv": _CIRCULAR_CHANNEL_CONV,
    "Permute": _PERMUTE,
    "Attention": _ATTENTION,
    "ScaledAttention": _SCALED_ATTENTION,
    "resize_tokens": _RESIZE_TOKENS,
    "interpolate_tokens": _INTERPOLATE_TOKENS,
    "HardSigmoid": _HARD_SIGMOID,
    "SigmoidGELU": _SIGMOID_GELU,
    "Rescale": _RESCALE,
    "DropPath": _DROP_PATH,
    "LayerNorm2d": _LAYER_NORM_2D,
    "PaddedConv2d": _PADDED_CONV_2D,
    "PaddedMaxPool2d": _PADDED_MAX_POOL_2D,
    "PaddedAvgPool2d": _PADDED_AVG_POOL_2D,
}
"""By name, in the order in which they are written."""


def derived_from(callee: str) -> str:
    """The class of torch's that a module is of: of a helper the one that it derives from, if that says more than `nn.Module`."""
    found = re.match(r"class \w+\((nn\.\w+)\)", HELPERS.get(callee, ""))
    return callee if found is None or found[1] == "nn.Module" else found[1]


def names_bound(text: str) -> set[str]:
    """The names that an import line or a definition makes known.

    Raises:
        SyntaxError: if it is no Python.
    """
    names: set[str] = set()
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ClassDef | ast.FunctionDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names
