"""Blocks and ops written in Python, for what YAML cannot say. A plugin is a file that uses these names; it needs no torch.

``@block`` makes a function a block, ``@op`` registers an op, ``module`` wraps an ``nn.Module`` of one's own. A spec cannot
load a plugin, it can only ask for one: whoever runs the command allows it with ``--plugin FILE``, in Python with
``archbuilder.load_plugin(FILE)``.
"""

from archbuilder.graph.op import Construct, Expression, Initialisation, Op, OpError, Tensor
from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, Vector
from archbuilder.parameters import Parameter
from archbuilder.plugin.opaque import module
from archbuilder.plugin.registry import block, op
from archbuilder.plugin.signature import Block, Channels, Size
from archbuilder.plugin.values import Builder, PluginError, Value

__all__ = [
    "Block",
    "Builder",
    "Channels",
    "Construct",
    "Expression",
    "Initialisation",
    "Map",
    "Op",
    "OpError",
    "Parameter",
    "PluginError",
    "Shape",
    "Size",
    "Streams",
    "Tensor",
    "Tokens",
    "Value",
    "Vector",
    "block",
    "module",
    "op",
]
