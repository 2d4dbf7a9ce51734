"""The op table: every op there is. A new op is a class in `ops/` and a line here."""

from __future__ import annotations

from typing import Final

from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import Activation, Dropout, DropPath
from archbuilder.graph.ops.combine import (
    Add,
    ChannelShuffle,
    Concat,
    Flatten,
    Gather,
    Identity,
    Multiply,
    Rescale,
    Softmax,
    Split,
)
from archbuilder.graph.ops.normalisation import Norm
from archbuilder.graph.ops.padding import PadChannels, PadPixels
from archbuilder.graph.ops.pooling import AveragePool, ChannelPool, GlobalPool, MaxPool, WeightedPool
from archbuilder.graph.ops.sampling import AdaptivePool, Subsample, Upsample
from archbuilder.graph.ops.tokens import Attention, HeldTensor, PrependTokens, ResizeTokens, TakeToken, ToMap, ToTokens
from archbuilder.graph.ops.weighted import ChannelConvolution, Convolution, Linear

OPS: Final[dict[str, type[Op]]] = {
    op.name: op
    for op in (
        Convolution,
        ChannelConvolution,
        Linear,
        Norm,
        Activation,
        Dropout,
        DropPath,
        MaxPool,
        AveragePool,
        GlobalPool,
        AdaptivePool,
        ChannelPool,
        WeightedPool,
        Subsample,
        Upsample,
        Add,
        Multiply,
        Concat,
        Split,
        Gather,
        Softmax,
        ChannelShuffle,
        PadChannels,
        PadPixels,
        Rescale,
        Flatten,
        Identity,
        ToTokens,
        ToMap,
        Attention,
        HeldTensor,
        PrependTokens,
        TakeToken,
        ResizeTokens,
    )
}

GATHER: Final[Op] = Gather()
"""What makes several values one."""
