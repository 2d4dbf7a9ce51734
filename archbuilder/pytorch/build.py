"""A checked spec -> an ordinary `nn.Module`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from zlib import crc32

from archbuilder.diagnostics import Diagnostic, SpecError, shorten, suggest
from archbuilder.graph.bounds import refuse_to_build
from archbuilder.graph.cut import cut
from archbuilder.graph.graph import Graph, Tap, Value
from archbuilder.graph.head import Head, body_of, first_layer, head_of, with_classes
from archbuilder.graph.shapes import Map, Streams, dimensions
from archbuilder.language.models import Architecture
from archbuilder.pytorch.source import source_of

INSTALL = 'building a network needs torch: pip install "archbuilder-torch[torch]"'

Features: TypeAlias = str | int | Iterable[str | int] | Mapping[str, str] | Mapping[int, str]
"""Names of steps, or one name; numbers of the feature maps that a network offers; or other names for maps, by one of these."""

if TYPE_CHECKING:
    from torch import nn

    from archbuilder.pytorch.network import Network


@dataclass(frozen=True)
class AsBuilt:
    """How a module was made: it keeps no graph, but can have it lowered again, to show itself and to be taken apart."""

    lower: Callable[[], Graph]
    features: Features | None
    head: Head | None
    classes: int | None = None
    """How many it was given after it was built; None where they are those of the spec."""
    pooled: bool = True
    checksum: int | None = None
    alone: bool = False
    """Whether it is a block by itself, which its spec, a network with the block in it, does not make again."""
    parts: dict[str, nn.Module] = field(default_factory=dict, compare=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "parts": {}}

    def graph(self) -> Graph:
        """The whole network, for its classes."""
        graph = self.lower()
        return graph if self.classes is None or self.head is None else with_classes(graph, self.head, self.classes)

    def graph_of(self, module: nn.Module) -> Graph | None:
        """The graph that a module was made from; None if it has become another one since, as torch shows it, or its spec
        means something else by now: a plugin of another text, say."""
        from archbuilder.pytorch.emitted import class_of

        if _checksum(module) != self.checksum:
            return None
        graph = self.returned()
        return graph if class_of(*source_of(graph)) is type(module) else None

    def returned(self) -> Graph:
        """The network as it is by now: without its head, or cut down to its feature maps."""
        if not self.pooled and self.head is not None:
            return body_of(self.graph(), self.head)
        return _cut(self.graph(), self.features)

    def made(self) -> dict[str, Any]:
        """What is to be known to make it again, beside its spec."""
        asked: Any = [self.features] if isinstance(self.features, str | int) else self.features
        called = list(asked.values()) if isinstance(asked, Mapping) else None
        features = None if asked is None else list(asked)
        return {"features": features, "called": called, "classes": self.classes, "pooled": self.pooled}

    def part(self, name: str, graph: Callable[[], Graph]) -> nn.Module:
        """The module of a part of the network, without memory."""
        if name not in self.parts:
            self.parts[name] = _empty(graph())
        return self.parts[name]

    def reset(self, module: Network, classes: int, *, pooled: bool) -> None:
        """Makes a network one for so many classes; the layer that is new is drawn as torch draws it."""
        from archbuilder.pytorch.network import adopt, become, fill

        made = replace(self, classes=classes, pooled=pooled, parts={})
        empty, whole = _empty(made.returned()).train(module.training), self.part("as it is", self.returned)
        known = _checksum(module) == self.checksum
        adopt(empty, module, whole, anew=self.head.path if self.head is not None else "")
        fill(empty, like=module)
        become(module, empty, whole)
        module._as_built = replace(made, checksum=_checksum(module) if known else None)  # noqa: SLF001 -- ours, not torch's


def _empty(graph: Graph) -> nn.Module:
    """A module that has its shapes, and no memory for its weights."""
    import torch

    from archbuilder.pytorch.emitted import class_of
    from archbuilder.pytorch.foreign import has_foreign
    from archbuilder.pytorch.redrawn import WithoutMemory, forget

    kind = class_of(*source_of(graph))
    if has_foreign(graph):
        with torch.random.fork_rng(devices=[]):
            return forget(kind())
    with WithoutMemory():
        return kind()


def module_maker(
    architecture: Architecture,
    graph: Graph,
    features: Features | None = None,
    lower: Callable[[], Graph] | None = None,
    *,
    alone: bool = False,
) -> Callable[..., Network]:
    """What makes the network as a module, freshly initialised, at each call; with `empty=True` without memory, unless somebody
    else's modules are in it, which may compute when they are made. It holds on to the spec, which the module keeps as `.spec`,
    and to none of the graph: its memory can be free before the weights need theirs.

    Args:
        architecture: the spec.
        graph: the spec, lowered.
        features: names of steps, or one name, whose maps the module returns instead of its output; or other names for them,
            by those of the steps.
        lower: what gives the graph once more, for a module that shows itself.
        alone: whether the graph is that of a block by itself.

    Raises:
        SpecError: if no feature is named, or one that is none of the network's steps, or a module of a plugin is not as declared.
        TypeError: if `features` is something else than names.
        TooManyStepsError: if it has too many steps.
        ModuleNotFoundError: if torch is not installed.
    """
    if isinstance(features, Iterable) and not isinstance(features, str | Mapping):
        features = tuple(features)  # what can be gone through once is asked for again
    graph = _cut(graph, features)
    try:
        import torch  # noqa: F401 -- asked first, so that the message says what to do
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(INSTALL, name="torch") from None
    from archbuilder.pytorch.emitted import class_of
    from archbuilder.pytorch.foreign import check_modules, has_foreign
    from archbuilder.pytorch.redrawn import redrawn_dimensions

    refuse_to_build(graph)
    check_modules(graph)
    head = head_of(graph) if features is None else None
    making = AsBuilt(lower, copy(features), head, alone=alone) if lower is not None else None
    facts = {"spec": architecture, **_facts(architecture, graph, head)}
    whole = has_foreign(graph)
    return partial(_made, class_of(*source_of(graph)), redrawn_dimensions(graph), facts, making, whole=whole)


def _cut(graph: Graph, features: Features | None) -> Graph:
    return graph if features is None else cut(graph, _taps(graph, features))


def _facts(architecture: Architecture, graph: Graph, head: Head | None) -> dict[str, Any]:
    """What a module knows of itself, beside its spec."""
    last = graph.shape_of(head.given) if head is not None else graph.output_shape
    channels = 0 if isinstance(last, Streams) else last.channels
    classes = head.classes if head is not None else 0
    facts: dict[str, Any] = {
        "_classifier": head,
        "num_classes": classes,
        "num_features": channels,
        "in_chans": graph.input.channels if isinstance(graph.input, Map) else 0,
        "head_hidden_size": head.hidden if head is not None else channels,
        "pretrained_cfg": _pretrained_cfg(architecture, graph, head, last),
    }
    found = {graph.shape_of(tap.value) for tap in graph.returned}
    widths = {shape.channels for shape in found if isinstance(shape, Map)}
    return facts | ({"out_channels": widths.pop()} if len(widths) == 1 else {})


def _pretrained_cfg(architecture: Architecture, graph: Graph, head: Head | None, last: Any) -> dict[str, Any]:
    """What the weights of a network expect of a picture, and which layers depend on it, in timm's words."""
    wanted, given = architecture.input, graph.input
    channels = given.channels if isinstance(given, Map) else 0
    mean, std = wanted.statistics(channels)
    classifying = {"classifier": head.path} if head is not None else {}
    pooled = {"pool_size": (last.height, last.width)} if isinstance(last, Map) else {}
    return {
        "architecture": graph.name, "num_classes": head.classes if head is not None else 0,
        "input_size": dimensions(given) if isinstance(given, Map) else None, "fixed_input_size": False,
        "mean": tuple(mean), "std": tuple(std), "crop_pct": wanted.crop, "interpolation": wanted.interpolation,
        "first_conv": first_layer(graph), **pooled, **classifying,
    }  # fmt: skip


def _made(
    kind: type[nn.Module],
    redrawn: frozenset[int],
    facts: Mapping[str, Any],
    making: AsBuilt | None,
    *,
    whole: bool,
    empty: bool = False,
) -> Network:
    from archbuilder.pytorch.network import FeatureInfo
    from archbuilder.pytorch.redrawn import PassingOver, WithoutMemory

    with WithoutMemory() if empty and not whole else PassingOver(redrawn):
        module = cast("Network", kind())
    vars(module).update(facts)
    module.pretrained_cfg = dict(
        module.pretrained_cfg
    )  # its own, as the next: who changes it changes no other network's
    module.feature_info = FeatureInfo(dict(info) for info in module.feature_info)
    if making is not None:
        module._as_built = replace(making, checksum=_checksum(module), parts={})  # noqa: SLF001 -- ours, not torch's
    return module


def _checksum(module: nn.Module) -> int:
    """A number that changes with what torch says of a module."""
    return crc32(repr(module).encode())


def _taps(graph: Graph, features: Features) -> list[Tap]:
    """The values of some steps as feature maps, each once, under the names that they are returned as."""
    given: object = [features] if isinstance(features, str | Integral) else features
    names: list[Any] = [*given] if isinstance(given, Iterable) else []
    told = given.values() if isinstance(given, Mapping) else ()
    if (
        not isinstance(given, Iterable)
        or not all(isinstance(name, str | Integral) and not isinstance(name, bool) for name in names)
        or not all(isinstance(name, str) for name in told)
    ):
        example = "names of steps, as in ['layer2', 'layer4'], or numbers of feature maps, as in [1, -1]"
        raise TypeError(f"`features` are {example}, not {shorten(repr(features))}")
    if not names:
        message, help = "no feature map is asked for", "name at least one step, or leave `features` out"
        raise SpecError([Diagnostic("unknown-feature", message, help=help)])
    found = [_tap(graph, name if isinstance(name, str) else int(name)) for name in names]
    taps = list(dict.fromkeys(found))
    if isinstance(given, Mapping):
        taps = [tap._replace(name=other) for tap, other in zip(found, told, strict=True)]
    if twice := [name for name, count in Counter(tap.name for tap in taps).items() if count > 1]:
        message, help = f"two feature maps are to be called `{twice[0]}`", "give each a name of its own"
        raise SpecError([Diagnostic("unknown-feature", message, help=help)])
    return taps


def _tap(graph: Graph, name: str | int) -> Tap:
    """The value of a step, by its name in the spec, by that of its module, or by its number among the feature maps that are
    offered."""
    if isinstance(name, int):
        count = len(graph.taps)
        if -count <= name < count:
            return graph.taps[name]
        offered = ", ".join(f"{number} {tap.name}" for number, tap in enumerate(graph.taps))
        message = f"there is no feature map number {name}"
        raise SpecError([Diagnostic("unknown-feature", message, help=f"there are {offered or 'none'}")])
    known = next(
        (tap for tap in graph.taps if tap.name == name and graph.steps.get(name, tap.value) == tap.value), None
    )
    if known is not None:
        return known
    modules = {node.all_names()[-1]: Value(number) for number, node in enumerate(graph.nodes)}  # the last of repeats
    named = {each: value for each, value in {**modules, **graph.steps}.items() if "~" not in each}
    several = {each: len(shape) for each, value in named.items() if isinstance(shape := graph.shape_of(value), Streams)}
    parts = {f"{each}.{item}": Value(named[each].node, item) for each in several for item in range(several[each])}
    values = {each: value for each, value in {**parts, **named}.items() if isinstance(graph.shape_of(value), Map)}
    of, _, item = name.rpartition(".")
    meant = f"{of}.{several[of] + int(item)}" if of in several and re.fullmatch(r"-[1-9]\d{0,8}", item) else name
    if meant in values:
        return Tap(name, values[meant], graph.reduction(values[meant]))
    message, help = f"there is no step `{name}` that gives a feature map", suggest(name, values)
    if name in several:
        message, help = f"`{name}` is no feature map but the parts of one", f"take one of them, as in {name}.0"
    elif of in several:
        help = f"`{of}` has {several[of]} parts, {of}.0 to {of}.{several[of] - 1}"
    raise SpecError([Diagnostic("unknown-feature", message, help=help)])
