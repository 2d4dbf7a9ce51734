"""Asks an op of a plugin all that will be asked of it later, so that its mistakes come out now, and numbers that are none."""

from __future__ import annotations

from typing import Any

from archbuilder.graph.answers import Construct, Expression, Memory, Tensor
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Held, Map, Shape, Streams, Tokens, Vector
from archbuilder.parameters import MAXIMUM_INTEGER
from archbuilder.plugin.registry import PluginError


def probed(op_type: type[Op], given: dict[str, Any], inputs: tuple[Shape, ...]) -> tuple[Op, Shape]:
    """An op, and the shape that it gives.

    Raises:
        PluginError: if a rule of it gives what cannot be. What else they raise comes out as it is.
    """
    op = op_type.told(given, inputs)
    output = op.infer(inputs)
    _check_shape(op.name, output)
    _check_state(op.name, op.state())
    _check_macs(op.name, op.macs(output))
    _check_memory(op.name, op.memory(inputs, output), len(inputs))
    _ = op.does_nothing, op.window
    _check_kind(
        f"`emit` of `{op.name}` gave", op.emit(), Construct | Expression, "return a Construct, or an Expression"
    )
    _check_kind(f"the label of `{op.name}` is", op.label(), str, "return a few words")
    op.check_drawn()
    return op, output


def _check_shape(op: str, found: Any) -> None:
    for each in found if isinstance(found, Streams) and found else (found,):
        if isinstance(each, Streams) and each:
            _check_shape(op, each)
        elif not isinstance(each, Map | Vector | Tokens | Held):
            help = "return a Map, a Vector, Tokens, or Streams of these, as in x._replace(channels=64)"
            raise PluginError(f"the shape rule of `{op}` gave {found!r}", help)
        elif not _is_possible(each):
            raise PluginError(f"the shape rule of `{op}` gave {each!r}", "its sizes must be whole numbers from 1")


def _is_possible(shape: Map | Vector | Tokens | Held) -> bool:
    if isinstance(shape, Tokens):
        return _are_whole((shape.extra,), least=0) and _are_whole((shape.height, shape.width, shape.channels))
    return bool(shape.sizes) and _are_whole(shape.sizes) if isinstance(shape, Held) else _are_whole(shape)


def _check_state(op: str, found: Any) -> None:
    for tensor in found:
        if not (isinstance(tensor, Tensor) and isinstance(tensor.name, str)):
            raise PluginError(f"the state of `{op}` has {tensor!r}", 'as in (Tensor("weight", (64, 3, 7, 7)),)')
        if not _are_whole(tensor.shape, least=0):
            message = f"the state of `{op}` says {tensor.shape!r} of `{tensor.name}`"
            raise PluginError(message, "write its sizes: (64, 3, 7, 7)")


def _check_macs(op: str, found: Any) -> None:
    if found is not None and not _are_whole((found,), least=0):
        raise PluginError(
            f"the MACs of `{op}` are {found!r}", "return a whole number, or None where they are not known"
        )


def _check_memory(op: str, found: Any, inputs: int) -> None:
    help = "return Memory(keeps=(0,)) where the first input is kept, or None where it is not known"
    _check_kind(f"the memory of `{op}` is", found, Memory | None, help)
    if found is not None and not (
        _are_whole(found.keeps, least=0)
        and all(_are_whole(each, least=0) and len(each) == 3 for each in found.keeps_for)
        and all(kept < inputs for kept in (*found.keeps, *(each[0] for each in found.keeps_for)))
        and all(first < end <= inputs for _, first, end in found.keeps_for)
        and _are_whole((found.keeps_beside, found.beside), least=0)
    ):
        raise PluginError(f"the memory of `{op}` is {found!r}", help)


def _check_kind(what: str, found: Any, kind: Any, help: str) -> None:
    if not isinstance(found, kind):
        raise PluginError(f"{what} {found!r}", help)


def _are_whole(sizes: Any, least: int = 1) -> bool:
    return isinstance(sizes, tuple) and all(type(size) is int and least <= size <= MAXIMUM_INTEGER for size in sizes)
