"""Computes what a graph says, node by node, with plain functions: the emitted classes have to agree with this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from archbuilder.graph.graph import INPUT, Graph, Node, Value
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
    PadChannels,
    Softmax,
    Split,
)
from archbuilder.graph.ops.normalisation import Norm
from archbuilder.graph.ops.pooling import (
    AdaptivePool,
    AveragePool,
    ChannelPool,
    GlobalPool,
    MaxPool,
    Subsample,
    Upsample,
    WeightedPool,
)
from archbuilder.graph.ops.tokens import Attention, HeldTensor, PrependTokens, ResizeTokens, TakeToken, ToMap, ToTokens
from archbuilder.graph.ops.weighted import ChannelConvolution, Convolution, Linear

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "mish": functional.mish,
    "hard_swish": functional.hardswish,
    "hard_sigmoid": functional.hardsigmoid,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "identity": lambda x: x,
}


@dataclass
class Interpreter:
    """A network in eval mode. `shapes` collects what each module puts out, `macs` what layers cost, `drops` the ops of the
    blocks that drop their path, in order of execution, `outputs` the further outputs that there are in eval mode."""

    state: Mapping[str, Tensor]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    macs: int = 0
    drops: list[list[DropPath]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def graph(self, graph: Graph, x: Any, path: str = "") -> Any:
        own = [node.body for node in graph.nodes if isinstance(node.body, DropPath)]
        if own:
            self.drops.append(own)
        values: list[Any] = []

        def read(value: Value) -> Any:
            found = x if value.node == INPUT else values[value.node]
            return found if value.item is None else found[value.item]

        for number, node in enumerate(graph.nodes):
            if number in graph.training_only:
                values.append(None)
                continue
            inputs = [read(value) for value in node.inputs]
            values.append(inputs[0] if node.body is None else self.node(node, inputs, path))
        self.outputs.update((output.name, read(output.value)) for output in graph.outputs if output.always)
        return read(graph.output)

    def node(self, node: Node, inputs: list[Any], path: str) -> Any:
        if isinstance(node.body, Graph):
            x: Any = inputs[0] if len(inputs) == 1 else tuple(inputs)
            for name in node.all_names():
                x = self.graph(node.body, x, f"{path}{name}.")
                self.see(f"{path}{name}", x)
            return x
        assert node.body is not None
        x = inputs
        for name in node.all_names():
            x = [self.op(node.body, x, f"{path}{name}")]
            self.see(f"{path}{name}", x[0])
        return x[0]

    def see(self, path: str, value: Any) -> None:
        if isinstance(value, Tensor):
            self.shapes[path] = tuple(value.shape[1:])

    def op(self, op: Op, inputs: list[Any], path: str) -> Any:  # noqa: C901 -- one case for each op
        x = inputs[0] if inputs else None

        def stored(name: str) -> Tensor | None:
            return self.state.get(f"{path}.{name}")

        match op:
            case Convolution():
                weight = self.state[f"{path}.weight"]
                y = functional.conv2d(x, weight, stored("bias"), op.stride, op.padding, op.dilation, op.groups)
                self.macs += y[0].numel() * weight[0].numel()
            case Linear():
                y = functional.linear(x, self.state[f"{path}.weight"], stored("bias"))
                self.macs += y[0].numel() * x.shape[-1]
            case ChannelConvolution():
                weight = self.state[f"{path}.weight"]
                windows = functional.pad(x.flatten(1), (op.kernel // 2, op.kernel // 2)).unfold(1, op.kernel, 1)
                y = (windows * weight.flatten()).sum(-1)[:, :, None, None]
                self.macs += y[0].numel() * op.kernel
            case Norm(kind="batch"):
                mean, variance = self.state[f"{path}.running_mean"], self.state[f"{path}.running_var"]
                y = functional.batch_norm(x, mean, variance, stored("weight"), stored("bias"), eps=op.eps)
            case Norm(kind="group"):
                y = functional.group_norm(x, op.groups, stored("weight"), stored("bias"), op.eps)
            case Norm(flat=True):
                y = functional.layer_norm(x, x.shape[-1:], stored("weight"), stored("bias"), op.eps)
            case Norm():  # over the channels of each pixel
                last = x.movedim(1, -1)
                y = functional.layer_norm(last, last.shape[-1:], stored("weight"), stored("bias"), op.eps).movedim(
                    -1, 1
                )
            case Activation():
                y = ACTIVATIONS[op.kind](x)
            case Dropout() | DropPath() | Identity():
                y = x
            case Add():
                y = sum(inputs[1:], start=x)
            case Multiply():
                y = x
                for other in inputs[1:]:
                    y = y * other
            case Concat():
                y = torch.cat(inputs, op.dim)
            case Split():
                y = torch.split(x, x.shape[op.dim] // op.parts, op.dim)
            case Gather():
                y = tuple(inputs)
            case Softmax():
                peak = torch.stack(inputs).amax(0)
                shares = [(each - peak).exp() for each in inputs]
                y = tuple(each / sum(shares) for each in shares)
            case ChannelShuffle():
                y = x[
                    :,
                    [
                        i * (x.shape[1] // op.groups) + j
                        for j in range(x.shape[1] // op.groups)
                        for i in range(op.groups)
                    ],
                ]
            case PadChannels():
                zeros = [x.new_zeros(len(x), count, *x.shape[2:]) for count in (op.before, op.behind)]
                y = torch.cat([zeros[0], x, zeros[1]], 1)
            case Flatten():
                y = x.reshape(len(x), -1)
            case MaxPool():
                y = functional.max_pool2d(x, op.kernel, op.stride, op.padding, ceil_mode=op.ceil)
            case AveragePool():
                y = functional.avg_pool2d(x, op.kernel, op.stride, op.padding, op.ceil, op.count_padding)
            case GlobalPool(tokens=True):
                y = x.flatten(1, -2).mean(1)
            case GlobalPool(kind="avg_and_max"):
                y = torch.stack([x.mean((2, 3)), x.amax((2, 3))], -1).unsqueeze(2)
            case GlobalPool():
                y = {"avg": torch.mean, "max": torch.amax, "sum": torch.sum}[op.kind](x, (2, 3), keepdim=op.keep)
            case AdaptivePool():
                y = functional.adaptive_avg_pool2d(x, op.size)
            case ChannelPool():
                y = torch.stack([x.mean(1), x.amax(1)], 1)
            case WeightedPool():
                weights = torch.softmax(inputs[1].flatten(1), 1).view_as(inputs[1])
                y = (x * weights).sum((2, 3), keepdim=True)
                self.macs += x[0].numel()
            case Subsample():
                y = x[..., :: op.stride[0], :: op.stride[1]]
            case Upsample():
                factor = tuple(float(each) for each in op.factor)
                y = functional.interpolate(x, scale_factor=factor, mode=op.kind)  # type: ignore[arg-type]
            case ToTokens():
                y = x.movedim(1, -1)
            case ToMap():
                y = x.movedim(-1, 1)
            case HeldTensor():
                y = self.state[path]
            case PrependTokens():
                y = torch.cat([torch.stack([inputs[1][0]] * len(x)), x.reshape(len(x), -1, x.shape[-1])], 1)
            case TakeToken():
                y = x.flatten(1, -2)[:, op.index]
            case ResizeTokens():  # the input has the size of the spec
                grid = inputs[1].shape[1:3]
                y = x[:, op.extra :].unflatten(1, (op.height, op.width)).movedim(-1, 1)
                y = functional.interpolate(y, size=grid, mode="bilinear").movedim(1, -1)
                y = torch.cat([x[:, : op.extra], y.flatten(1, 2)], 1) if op.extra else y
            case Attention():
                y = self.attention(op, inputs)
            case _:
                raise AssertionError(f"the interpreter lacks {type(op).__name__}")
        return y

    def attention(self, op: Attention, inputs: list[Any]) -> Tensor:
        """Head by head, as the formula says."""
        queries, keys, values = (each.flatten(1, -2).chunk(op.heads, -1) for each in inputs)
        found = []
        for query, key, value in zip(queries, keys, values, strict=True):
            weights = torch.softmax(query @ key.transpose(1, 2) / query.shape[-1] ** 0.5, -1)
            found.append(weights @ value)
            self.macs += weights[0].numel() * (query.shape[-1] + value.shape[-1])
        return torch.cat(found, -1).unflatten(1, inputs[0].shape[1:-1])
