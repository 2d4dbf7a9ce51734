"""Blocks and ops written in Python, for what YAML cannot say. A plugin is a file that uses these names; it needs no torch.

``@block`` makes a function a block, ``@op`` registers an op, ``module`` wraps an ``nn.Module`` of one's own. A spec cannot
load a plugin, it can only ask for one: whoever runs the command allows it with ``--plugin FILE``, in Python with
``archbuilder.load_plugin(FILE)``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archbuilder.graph.answers import Construct, Expression, Initialisation, Memory, Tensor
    from archbuilder.graph.op import Op, OpError, Role
    from archbuilder.graph.shapes import Map, Shape, Streams, Tokens, Vector
    from archbuilder.parameters import Parameter
    from archbuilder.plugin.define import block, op
    from archbuilder.plugin.opaque import module
    from archbuilder.plugin.registry import PluginError
    from archbuilder.plugin.signature import Block, Channels, Size
    from archbuilder.plugin.values import Builder, Value

# Looked up on first use: a check without plugins needs none of it.
_HOMES = {
    "archbuilder.graph.answers": ("Construct", "Expression", "Initialisation", "Memory", "Tensor"),
    "archbuilder.graph.op": ("Op", "OpError", "Role"),
    "archbuilder.graph.shapes": ("Map", "Shape", "Streams", "Tokens", "Vector"),
    "archbuilder.parameters": ("Parameter",),
    "archbuilder.plugin.define": ("block", "op"),
    "archbuilder.plugin.opaque": ("module",),
    "archbuilder.plugin.registry": ("PluginError",),
    "archbuilder.plugin.signature": ("Block", "Channels", "Size"),
    "archbuilder.plugin.values": ("Builder", "Value"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(home), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "Block",
    "Builder",
    "Channels",
    "Construct",
    "Expression",
    "Initialisation",
    "Map",
    "Memory",
    "Op",
    "OpError",
    "Parameter",
    "PluginError",
    "Role",
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
