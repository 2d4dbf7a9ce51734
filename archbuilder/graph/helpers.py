"""What ops need in emitted source beside torch: the few modules and functions that torch does not have, as text, and which
names a text makes known."""

from __future__ import annotations

import ast
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
        return placed.permute(0, 2, 3, 1)
    return torch.cat([positions[:, :extra], placed.flatten(2).transpose(1, 2)], dim=1)'''

_CHANNEL_CONV: Final = '''class ChannelConv(nn.Conv1d):
    """A convolution along the channels of a map of one pixel."""

    def __init__(self, kernel_size: int) -> None:
        super().__init__(1, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1).unsqueeze(1)).transpose(1, 2).unsqueeze(3)'''

HELPERS: Final = {
    "ChannelConv": _CHANNEL_CONV,
    "Permute": _PERMUTE,
    "Attention": _ATTENTION,
    "resize_tokens": _RESIZE_TOKENS,
    "DropPath": _DROP_PATH,
    "LayerNorm2d": _LAYER_NORM_2D,
}
"""By name, in the order in which they are written."""


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
