"""The op table: every op there is. A new op is a class in `ops/` and a line here."""

from __future__ import annotations

from typing import Final

from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import Activation, Dropout, DropPath
from archbuilder.graph.ops.combine import Add, Concat, Flatten, Identity, Multiply, PadChannels, Split
from archbuilder.graph.ops.normalisation import Norm
from archbuilder.graph.ops.pooling import AveragePool, GlobalPool, MaxPool, Subsample
from archbuilder.graph.ops.weighted import Convolution, Linear

OPS: Final[dict[str, type[Op]]] = {
    op.name: op
    for op in (
        Convolution,
        Linear,
        Norm,
        Activation,
        Dropout,
        DropPath,
        MaxPool,
        AveragePool,
        GlobalPool,
        Subsample,
        Add,
        Multiply,
        Concat,
        Split,
        PadChannels,
        Flatten,
        Identity,
    )
}
