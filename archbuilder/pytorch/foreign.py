"""Holds modules that somebody else has written against what their ops say of them."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import Tensor, nn

from archbuilder.diagnostics import INTERRUPTS, Diagnostic, Note, SpecError
from archbuilder.graph.answers import Construct
from archbuilder.graph.graph import Graph, Node
from archbuilder.graph.shapes import Shape, Streams, dimensions, in_parts
from archbuilder.plugin.loading import described
from archbuilder.plugin.opaque import ModuleOp
from archbuilder.plugin.registry import REGISTRY

_BATCH = 2


class _MisfitError(Exception):
    """A module is not what its op says. `help` says what would be."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.help = help


def has_foreign(graph: Graph) -> bool:
    """Whether something of a network is made by what somebody else has written."""
    return any(op.needs for _, _, op in graph.ops())


def check_modules(graph: Graph) -> None:
    """Makes each foreign module of a network once, runs it, and compares its state and its output with what was declared.

    Raises:
        SpecError: with every module that is different.
    """
    wrong: list[Diagnostic] = []
    seen: set[Any] = set()
    for around, node, op in graph.ops():
        shapes = tuple(around.shape_of(value) for value in node.inputs)
        if not isinstance(op, ModuleOp) or (op, shapes) in seen:
            continue
        seen.add((op, shapes))
        try:
            _check(op, shapes, node.shape)
        except _MisfitError as error:
            wrong.append(_diagnostic(error, node, op))
    if wrong:
        raise SpecError(wrong)


def _diagnostic(error: _MisfitError, node: Node, op: ModuleOp) -> Diagnostic:
    entry = REGISTRY.entries.get(op.name)
    notes = (Note(f"`{op.name}` is declared here", entry.place),) if entry is not None else ()
    return Diagnostic("module-differs", str(error), node.place, error.help, notes)


def _check(op: ModuleOp, inputs: tuple[Shape, ...], output: Shape) -> None:
    where, name = op.source
    try:
        made = getattr(importlib.import_module(where), name)
    except INTERRUPTS:
        raise
    except BaseException as error:  # noqa: BLE001 -- whatever a user's file raises
        raise _MisfitError(
            f"`from {where} import {name}` raised {described(error)}", "put its folder on PYTHONPATH"
        ) from None
    try:
        module, found = _run(made, op.emit(), inputs, "meta")
    except INTERRUPTS:
        raise
    except BaseException:  # noqa: BLE001 -- not all can be run without numbers
        try:
            with torch.random.fork_rng(devices=[]):
                module, found = _run(made, op.emit(), inputs, "cpu")
        except INTERRUPTS:
            raise
        except BaseException as error:  # noqa: BLE001 -- whatever a user's module raises
            given = ", ".join(str(shape) for shape in inputs)
            raise _MisfitError(f"`{name}`, made and run on {given}, raised {described(error)}") from None
    _compare_outputs(op, found, output)
    _compare_states(op, module)


def _run(made: Any, call: Construct, inputs: tuple[Shape, ...], device: str) -> tuple[nn.Module, Any]:
    with torch.device(device), torch.no_grad():
        module = made(**dict(call.keywords)).eval()
        return module, module(*(_tensor(shape) for shape in inputs))


def _tensor(shape: Shape) -> Any:
    if isinstance(shape, Streams):
        return tuple(_tensor(each) for each in shape)
    return torch.zeros(_BATCH, *dimensions(shape))


def _compare_outputs(op: ModuleOp, found: Any, output: Shape) -> None:
    declared = [dimensions(each) for each in in_parts(output)]
    several = list(found) if isinstance(found, tuple | list) else [found]
    given = [tuple(each.shape[1:]) if isinstance(each, Tensor) else type(each).__name__ for each in several]
    if given != declared or isinstance(found, tuple | list) != isinstance(output, Streams):
        expected, got = (" + ".join(_sizes(each) for each in shapes) for shapes in (declared, given))
        message = f"`{op.source[1]}` gives {got} here, its shape rule says {expected}"
        raise _MisfitError(message, "correct the rule, or the module")


def _compare_states(op: ModuleOp, module: nn.Module) -> None:
    found = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    declared = {tensor.name: tensor.shape for tensor in op.state()}
    trained = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    first: dict[int, str] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        if first.setdefault(id(tensor), name) != name:
            message = (
                f"`{op.source[1]}` keeps one tensor as `{first[id(tensor)]}` and as `{name}`, which files take for two"
            )
            raise _MisfitError(message, "keep it once, and use it in both places")
    if list(found.items()) != list(declared.items()):
        shown = ", ".join(f'"{name}": {_declared(sizes, name in trained)}' for name, sizes in found.items())
        stored, said = (_listed(state) for state in (found, declared))
        message = f"`{op.source[1]}` stores {stored}, its declaration says {said}"
        raise _MisfitError(message, f"for these parameters `state` has to give {{{shown}}}")
    for tensor in op.state():
        if tensor.trained != (tensor.name in trained):
            kind = "a parameter" if tensor.name in trained else "a buffer"
            help = f'"{tensor.name}": {_declared(tensor.shape, tensor.name in trained)}'
            raise _MisfitError(f"`{tensor.name}` of `{op.source[1]}` is {kind}, which `state` does not say", help)


def _declared(sizes: tuple[int, ...], trained: bool) -> str:
    return str(sizes) if trained else f'Tensor("", {sizes}, trained=False)'


def _listed(state: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {_sizes(sizes)}" for name, sizes in state.items()) or "nothing"


def _sizes(shape: Any) -> str:
    return "×".join(str(size) for size in shape) or "one number" if isinstance(shape, tuple) else str(shape)
