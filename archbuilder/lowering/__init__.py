"""Architecture -> Graph: the only room that knows both the spec and the graph."""

from archbuilder.lowering.network import lower_architecture, lower_block

__all__ = ["lower_architecture", "lower_block"]
