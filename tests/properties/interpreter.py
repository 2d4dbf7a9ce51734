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


def activated(op: Activation, x: Tensor) -> Tensor:
    """An activation, with the constants that few of them have."""
    match op.kind, op.approximate:
        case "leaky_relu", _:
            return torch.where(x > 0, x, x * (op.slope or 0.0))
        case "hard_sigmoid", _ if op.slope is not None:
            return torch.clamp(op.slope * x + 0.5, 0, 1)
        case "elu", _:
            return functional.elu(x, op.alpha)
        case "gelu", "sigmoid":
            return x * torch.sigmoid(x * 1.702)
        case "gelu", function:
            return functional.gelu(x, approximate=function or "none")
    return ACTIVATIONS[op.kind](x)


def around(
    x: Tensor, op: Convolution | MaxPool | AveragePool, dilation: tuple[int, int] = (1, 1), **how: Any
) -> Tensor:
    """A map with its padding, as much as the size at hand needs where the op says no number."""
    sides: list[int] = []
    for at in (1, 0):
        size, span = x.shape[2 + at], dilation[at] * (op.kernel[at] - 1)
        total = max((-(-size // op.stride[at]) - 1) * op.stride[at] + span + 1 - size, 0)
        sides += (total // 2, total - total // 2) if op.padding is None else (op.padding[at],) * 2
    return functional.pad(x, sides, **how)


@dataclass
class Interpreter:
    """A network in eval mode. `shapes` collects what each module puts out, `macs` what layers cost, `drops` the ops of the
    blocks that drop their path, in order of execution (none of one without a shortcut), `outputs` the further outputs that
    there are in eval mode."""

    state: Mapping[str, Tensor]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    macs: int = 0
    drops: list[list[DropPath]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def graph(self, graph: Graph, x: Any, path: str = "") -> Any:
        blocks: dict[int, list[DropPath]] = {}
        """By where a block begins that stands in this graph itself: the ops with which it drops its path."""
        values: list[Any] = []

        def read(value: Value) -> Any:
            found = x if value.node == INPUT else values[value.node]
            return found if value.item is None else found[value.item]

        for number, node in enumerate(graph.nodes):
            if isinstance(node.body, DropPath) or node.missing is not None:
                start = 0
                if graph.sections:
                    start = next((part.start for part in graph.inlined if part.start <= number < part.stop), number)
                if start not in blocks:
                    self.drops.append(blocks.setdefault(start, []))
                blocks[start] += [node.body] if isinstance(node.body, DropPath) else []
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
                if op.standardize is not None:
                    variance, mean = torch.var_mean(weight.flatten(1), 1, correction=0)
                    weight = ((weight.movedim(0, -1) - mean) / (variance + op.standardize).sqrt()).movedim(-1, 0)
                x = around(x, op, op.dilation, mode="constant" if op.padding_mode == "zeros" else op.padding_mode)
                y = functional.conv2d(x, weight, stored("bias"), op.stride, 0, op.dilation, op.groups)
                self.macs += y[0].numel() * weight[0].numel()
            case Linear():
                y = functional.linear(x, self.state[f"{path}.weight"], stored("bias"))
                self.macs += y[0].numel() * x.shape[-1]
            case ChannelConvolution():
                weight = self.state[f"{path}.weight"]
                sides, mode = (op.kernel // 2, op.kernel // 2), "circular" if op.circular else "constant"
                windows = functional.pad(x.flatten(1).unsqueeze(1), sides, mode)[:, 0].unfold(1, op.kernel, 1)
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
                y = activated(op, x)
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
            case PadPixels():
                size = x.shape[2] + op.above + op.below, x.shape[3] + op.left + op.right
                y = x.new_full((*x.shape[:2], *size), op.value)
                own = x[:, :, max(-op.above, 0) :, max(-op.left, 0) :]
                inside = y[:, :, max(op.above, 0) :, max(op.left, 0) :][:, :, : own.shape[2], : own.shape[3]]
                inside[:] = own[:, :, : inside.shape[2], : inside.shape[3]]
            case Rescale():
                form = (-1, 1, 1) if isinstance(x, Tensor) and len(op.scale) + len(op.offset) > 2 else (-1,)
                y = x * x.new_tensor(op.scale).reshape(form) + x.new_tensor(op.offset).reshape(form)
            case Flatten():
                y = x.reshape(len(x), -1)
            case MaxPool(padding=None):
                y = functional.max_pool2d(around(x, op, value=float("-inf")), op.kernel, op.stride)
            case AveragePool(padding=None):
                y = functional.avg_pool2d(around(x, op), op.kernel, op.stride)
                inside = functional.avg_pool2d(around(torch.ones_like(x), op), op.kernel, op.stride)
                y = y if op.count_padding else y / inside
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
                y = torch.stack([x.mean(1), x.amax(1)] if op.first == "mean" else [x.amax(1), x.mean(1)], 1)
            case WeightedPool():
                weights = torch.softmax(inputs[1].flatten(1), 1).view_as(inputs[1])
                y = (x * weights).sum((2, 3), keepdim=True)
                self.macs += x[0].numel()
            case Subsample():
                y = x[..., :: op.stride[0], :: op.stride[1]]
            case Upsample():
                size = tuple(each * factor for each, factor in zip(x.shape[2:], op.factor, strict=True))
                aligned = None if op.kind == "nearest" else op.align_corners
                y = functional.interpolate(x, size, mode=op.kind, align_corners=aligned)
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
                aligned = None if op.kind == "nearest" else op.align_corners
                how = {"mode": op.kind, "antialias": op.antialias}
                y = functional.interpolate(y, size=grid, align_corners=aligned, **how).movedim(1, -1)
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
        if op.cosine:
            queries, keys = ([each / each.norm(dim=-1, keepdim=True) for each in heads] for heads in (queries, keys))
        for query, key, value in zip(queries, keys, values, strict=True):
            scale = query.shape[-1] ** -0.5 if op.scale is None else op.scale
            products = query @ key.transpose(1, 2) * scale
            weights = torch.softmax(products, -1) if op.weights == "softmax" else products / products.shape[-1]
            found.append(weights @ value)
            self.macs += weights[0].numel() * (query.shape[-1] + value.shape[-1])
        return torch.cat(found, -1).unflatten(1, inputs[0].shape[1:-1])
