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
from archbuilder.graph.ops.combine import Add, Concat, Flatten, Identity, Multiply, PadChannels, Split
from archbuilder.graph.ops.normalisation import Norm
from archbuilder.graph.ops.pooling import AveragePool, GlobalPool, MaxPool, Subsample
from archbuilder.graph.ops.weighted import Convolution, Linear

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
    """A network in eval mode. `shapes` collects what each module puts out, `macs` what convolutions and linear layers cost,
    `drops` the ops of the blocks that drop their path, in order of execution."""

    state: Mapping[str, Tensor]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    macs: int = 0
    drops: list[list[DropPath]] = field(default_factory=list)

    def graph(self, graph: Graph, x: Any, path: str = "") -> Any:
        own = [node.body for node in graph.nodes if isinstance(node.body, DropPath)]
        if own:
            self.drops.append(own)
        values: list[Any] = []

        def read(value: Value) -> Any:
            found = x if value.node == INPUT else values[value.node]
            return found if value.item is None else found[value.item]

        for node in graph.nodes:
            inputs = [read(value) for value in node.inputs]
            values.append(inputs[0] if node.body is None else self.node(node, inputs, path))
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
        x = inputs[0]

        def stored(name: str) -> Tensor | None:
            return self.state.get(f"{path}.{name}")

        match op:
            case Convolution():
                weight = self.state[f"{path}.weight"]
                y = functional.conv2d(x, weight, stored("bias"), op.stride, op.padding, op.dilation, op.groups)
                self.macs += y[0].numel() * weight[0].numel()
            case Linear():
                y = functional.linear(x, self.state[f"{path}.weight"], stored("bias"))
                self.macs += y[0].numel() * x[0].numel()
            case Norm(kind="batch"):
                mean, variance = self.state[f"{path}.running_mean"], self.state[f"{path}.running_var"]
                y = functional.batch_norm(x, mean, variance, stored("weight"), stored("bias"), eps=op.eps)
            case Norm(kind="group"):
                y = functional.group_norm(x, op.groups, stored("weight"), stored("bias"), op.eps)
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
                y = torch.cat(inputs, 1)
            case Split():
                y = torch.split(x, x.shape[1] // op.parts, 1)
            case PadChannels():
                zeros = [x.new_zeros(len(x), count, *x.shape[2:]) for count in (op.before, op.behind)]
                y = torch.cat([zeros[0], x, zeros[1]], 1)
            case Flatten():
                y = x.reshape(len(x), -1)
            case MaxPool():
                y = functional.max_pool2d(x, op.kernel, op.stride, op.padding, ceil_mode=op.ceil)
            case AveragePool():
                y = functional.avg_pool2d(x, op.kernel, op.stride, op.padding, op.ceil, op.count_padding)
            case GlobalPool():
                y = x.mean((2, 3), keepdim=op.keep)
            case Subsample():
                y = x[..., :: op.stride[0], :: op.stride[1]]
            case _:
                raise AssertionError(f"the interpreter lacks {type(op).__name__}")
        return y
