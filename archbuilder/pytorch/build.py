"""A checked spec -> an ordinary `nn.Module`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from archbuilder.diagnostics import Diagnostic, SpecError, shorten, suggest
from archbuilder.graph.bounds import refuse_to_build
from archbuilder.graph.cut import cut
from archbuilder.graph.graph import Graph, Tap, Value
from archbuilder.graph.shapes import Map
from archbuilder.language.models import Architecture
from archbuilder.pytorch.source import source_of

INSTALL = 'building a network needs torch: pip install "archbuilder-torch[torch]"'


if TYPE_CHECKING:
    from torch import nn

    class Network(nn.Module):
        """What is known of a built network before it is there, for type checkers: beside what each module has."""

        spec: Architecture
        feature_info: list[dict[str, Any]]

        def __getattr__(self, name: str) -> Any: ...


def module_maker(
    architecture: Architecture, graph: Graph, features: str | Sequence[str] | Mapping[str, str] | None = None
) -> Callable[[], Network]:
    """What makes the network as a module, freshly initialised, at each call. It holds on to the spec, which the module keeps
    as `.spec`, and to none of the graph: its memory can be free before the weights need theirs.

    Args:
        architecture: the spec.
        graph: the spec, lowered.
        features: names of steps, or one name, whose maps the module returns instead of its output; or other names for them,
            by those of the steps.

    Raises:
        SpecError: if no feature is named, or one that is none of the network's steps, or a module of a plugin is not as declared.
        TypeError: if `features` is something else than names.
        TooManyStepsError: if it has too many steps.
        ModuleNotFoundError: if torch is not installed.
    """
    if features is not None:
        graph = cut(graph, _taps(graph, features))
    try:
        import torch  # noqa: F401 -- asked first, so that the message says what to do
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(INSTALL, name="torch") from None
    from archbuilder.pytorch.emitted import class_of
    from archbuilder.pytorch.foreign import check_modules
    from archbuilder.pytorch.redrawn import redrawn_dimensions

    refuse_to_build(graph)
    check_modules(graph)
    return partial(_made, class_of(*source_of(graph)), redrawn_dimensions(graph), architecture)


def _made(kind: type[nn.Module], redrawn: frozenset[int], architecture: Architecture) -> Network:
    from archbuilder.pytorch.redrawn import PassingOver

    with PassingOver(redrawn):
        module = cast("Network", kind())
    module.spec = architecture
    module.feature_info = [
        dict(info) for info in module.feature_info
    ]  # its own: who changes it changes no other network's
    return module


def _taps(graph: Graph, features: str | Sequence[str] | Mapping[str, str]) -> list[Tap]:
    """The values of some steps as feature maps, each once, under the names that they are returned as."""
    names: object = [features] if isinstance(features, str) else features
    told = names.values() if isinstance(names, Mapping) else ()
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in (*names, *told)):
        raise TypeError(f"`features` are names of steps, as in ['layer2', 'layer4'], not {shorten(repr(features))}")
    if not names:
        message, help = "no feature map is asked for", "name at least one step, or leave `features` out"
        raise SpecError([Diagnostic("unknown-feature", message, help=help)])
    if not isinstance(names, Mapping):
        return [_tap(graph, name) for name in dict.fromkeys(names)]
    if twice := [name for name, count in Counter(told).items() if count > 1]:
        message, help = f"two feature maps are to be called `{twice[0]}`", "give each a name of its own"
        raise SpecError([Diagnostic("unknown-feature", message, help=help)])
    return [_tap(graph, name)._replace(name=other) for name, other in names.items()]


def _tap(graph: Graph, name: str) -> Tap:
    """The value of a step, by its name in the spec or by that of its module, as a feature map."""
    known = next((tap for tap in graph.taps if tap.name == name), None)
    if known is not None:
        return known
    modules = {node.all_names()[-1]: Value(number) for number, node in enumerate(graph.nodes)}  # the last of repeats
    values = {
        each: value for each, value in {**modules, **graph.steps}.items() if isinstance(graph.shape_of(value), Map)
    }
    if name in values:
        return Tap(name, values[name], graph.reduction(values[name]))
    help = suggest(name, values)
    message = f"there is no step `{name}` that gives a feature map"
    raise SpecError([Diagnostic("unknown-feature", message, help=help)])
