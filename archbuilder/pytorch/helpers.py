"""The few modules that torch does not have, as source; each is written into the files that use it."""

from __future__ import annotations

from typing import Final

_DROP_PATH: Final = '''class DropPath(nn.Module):
    """Drops the branch for single images in training, and scales the others up (stochastic depth)."""

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
        x = functional.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)'''

HELPERS: Final = {"DropPath": _DROP_PATH, "LayerNorm2d": _LAYER_NORM_2D}
"""By class name."""
