"""A checked spec -> an ordinary `nn.Module`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from zlib import crc32

from archbuilder.diagnostics import Diagnostic, SpecError, shorten, suggest
from archbuilder.graph.bounds import refuse_to_build
from archbuilder.graph.cut import cut
from archbuilder.graph.graph import Graph, Tap, Value
from archbuilder.graph.shapes import Map
from archbuilder.language.models import Architecture
from archbuilder.pytorch.source import source_of

INSTALL = 'building a network needs torch: pip install "archbuilder-torch[torch]"'

Features: TypeAlias = str | Sequence[str] | Mapping[str, str]
"""Names of steps, or one name; or other names for their maps, by those of the steps."""

if TYPE_CHECKING:
    from torch import nn

    class Network(nn.Module):
        """What is known of a built network before it is there, for type checkers: beside what each module has."""

        spec: Architecture
        _as_built: AsBuilt
        feature_info: list[dict[str, Any]]

        def __getattr__(self, name: str) -> Any: ...


@dataclass(frozen=True)
class AsBuilt:
    """How a module was made: it keeps no graph, but can have it lowered again, to show itself."""

    lower: Callable[[], Graph]
    features: Features | None
    checksum: int

    def graph_of(self, module: nn.Module) -> Graph | None:
        """The graph that a module was made from; None if it has become another one since, as torch shows it, or its spec
        means something else by now: a plugin of another text, say."""
        from archbuilder.pytorch.emitted import class_of

        if _checksum(module) != self.checksum:
            return None
        graph = _cut(self.lower(), self.features)
        return graph if class_of(*source_of(graph)) is type(module) else None


def module_maker(
    architecture: Architecture,
    graph: Graph,
    features: Features | None = None,
    lower: Callable[[], Graph] | None = None,
) -> Callable[[], Network]:
    """What makes the network as a module, freshly initialised, at each call. It holds on to the spec, which the module keeps
    as `.spec`, and to none of the graph: its memory can be free before the weights need theirs.

    Args:
        architecture: the spec.
        graph: the spec, lowered.
        features: names of steps, or one name, whose maps the module returns instead of its output; or other names for them,
            by those of the steps.
        lower: what gives the graph once more, for a module that shows itself.

    Raises:
        SpecError: if no feature is named, or one that is none of the network's steps, or a module of a plugin is not as declared.
        TypeError: if `features` is something else than names.
        TooManyStepsError: if it has too many steps.
        ModuleNotFoundError: if torch is not installed.
    """
    graph = _cut(graph, features)
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
    return partial(_made, class_of(*source_of(graph)), redrawn_dimensions(graph), architecture, copy(features), lower)


def _cut(graph: Graph, features: Features | None) -> Graph:
    return graph if features is None else cut(graph, _taps(graph, features))


def _made(
    kind: type[nn.Module],
    redrawn: frozenset[int],
    architecture: Architecture,
    features: Features | None,
    lower: Callable[[], Graph] | None,
) -> Network:
    from archbuilder.pytorch.redrawn import PassingOver

    with PassingOver(redrawn):
        module = cast("Network", kind())
    module.spec = architecture
    module.feature_info = [
        dict(info) for info in module.feature_info
    ]  # its own: who changes it changes no other network's
    if lower is not None:
        module._as_built = AsBuilt(lower, features, _checksum(module))  # noqa: SLF001 -- ours, not torch's
    return module


def _checksum(module: nn.Module) -> int:
    """A number that changes with what torch says of a module."""
    return crc32(repr(module).encode())


def _taps(graph: Graph, features: Features) -> list[Tap]:
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
