"""What each built network can do beside what its source says: its facts as attributes, and timm's contract of a classifier.

The emitted text says nothing of this. A root class of it gets `Network` as one more base when it is made, and asks the graph,
lowered once more, whenever it is asked: what is a stage, where the head begins, which layer is the last.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from archbuilder.analysis.summary import summarize
from archbuilder.diagnostics import with_article
from archbuilder.display import Shown
from archbuilder.graph.graph import Graph
from archbuilder.graph.head import (
    Head,
    body_of,
    head_alone,
    held_names,
    pools_of,
    stage_names,
    stem_names,
    why_no_head,
    with_classes,
)
from archbuilder.language.models import Architecture


class FeatureInfo(list[dict[str, Any]]):
    """The feature maps that can be taken out of a network: for each its channels (`num_chs`), how far it is reduced
    (`reduction`) and whose it is (`module`). Its methods are those of timm's class of this name."""

    def get(self, key: str, idx: int | Sequence[int] | None = None) -> Any:
        """A fact of all maps, of those that are numbered, or of one."""
        if isinstance(idx, int):
            return self[idx][key]
        return [self[each][key] for each in (range(len(self)) if idx is None else idx)]

    def get_dicts(self, keys: Sequence[str] | None = None, idx: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """All facts of all maps, or only some."""
        chosen = list(self) if idx is None else [self[each] for each in idx]
        return [{key: each[key] for key in keys or each} for each in chosen]

    def channels(self, idx: int | Sequence[int] | None = None) -> Any:
        """The channels of each map."""
        return self.get("num_chs", idx)

    def reduction(self, idx: int | Sequence[int] | None = None) -> Any:
        """How much smaller than the image each map is."""
        return self.get("reduction", idx)

    def module_name(self, idx: int | Sequence[int] | None = None) -> Any:
        """The module that gives each map."""
        return self.get("module", idx)


torch.serialization.add_safe_globals([FeatureInfo])  # a list of numbers and words: files that hold one are read safely


class Making(Protocol):
    """How a network was made: it gives the graph once more, and makes modules of others."""

    @property
    def lower(self) -> Callable[[], Graph]:
        """What gives the graph as the spec has it."""

    def returned(self) -> Graph:
        """The graph of the network as it is by now."""

    def made(self) -> dict[str, Any]:
        """What is to be known to make it again, beside its spec."""

    def graph(self) -> Graph:
        """The graph that the network was made from."""

    def graph_of(self, module: nn.Module) -> Graph | None:
        """The same; None if the module has become another one since."""

    def part(self, name: str, graph: Callable[[], Graph]) -> nn.Module:
        """The module of a part of it, without memory, kept under a name."""

    def reset(self, module: Any, classes: int, *, pooled: bool) -> None:
        """Makes a network one for other classes, or one without its head."""

    @property
    def pooled(self) -> bool:
        """Whether the network has its head."""

    @property
    def alone(self) -> bool:
        """Whether it is a block by itself."""


class Network(nn.Module):
    """A network as `archbuilder.build` makes it: an ordinary `nn.Module` that knows its spec.

    It has ``spec``, the `Architecture` that it was built from, ``feature_info``, the maps that can be taken out of it, and
    ``pretrained_cfg``, what a picture has to be to be given to it. A classifier has timm's methods, and ``num_classes``,
    ``num_features``, ``head_hidden_size``, ``in_chans``; a backbone whose maps have equally many channels has ``out_channels``.
    ``print(model)`` shows its table, ``repr(model)`` what torch says of it.
    """

    if TYPE_CHECKING:  # TorchScript would read annotations that are there when the program runs
        spec: Architecture
        feature_info: FeatureInfo
        pretrained_cfg: dict[str, Any]
        num_classes: int
        num_features: int
        head_hidden_size: int
        in_chans: int
        out_channels: int
        _as_built: Making
        _classifier: Head | None

        def reset_parameters(self) -> None:
            """Draws all parameters anew."""

        def __getattr__(self, name: str) -> Any: ...

    _repr_mimebundle_ = Shown._repr_mimebundle_

    def __str__(self) -> str:
        built = self.__dict__.get("_as_built")
        graph = None if built is None else built.graph_of(self)
        return repr(self) if graph is None else str(summarize(graph))

    def forward_features(self, x: Tensor) -> Any:
        """What the network computes up to its head: the last map, before it is pooled."""
        head, graph = self._head(), self._as_built.graph
        return self._part("features", lambda: body_of(graph(), head))(x)

    def forward_head(self, x: Any, pre_logits: bool = False) -> Any:
        """What the head makes of the last map; with `pre_logits` all but its last layer."""
        head, graph = self._head(), self._as_built.graph
        if not self._as_built.pooled:
            return x
        if pre_logits:
            return self._part("pre_logits", lambda: head_alone(with_classes(graph(), head, 0), head))(x)
        return self._part("head", lambda: head_alone(graph(), head))(x)

    def get_classifier(self) -> nn.Module:
        """The last layer."""
        path = self._head().path
        return self.get_submodule(path) if self.num_classes else nn.Identity()

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Gives the network a new last layer, for so many classes; for 0 none. The other weights stay.

        Args:
            num_classes: how many.
            global_pool: "" leaves the whole head out: the network gives its last map, with no classes. None is the head as the
                spec has it, and so is the name of its pool.

        Raises:
            ValueError: if the network has no classifier, there is no head for so many classes, or its pool is another one.
        """
        head = self._head()
        if type(num_classes) is not int or num_classes < 0:
            raise ValueError(f"`num_classes` is a whole number from 0, got {num_classes!r}")
        if num_classes and global_pool == "":
            raise ValueError('without a head there are no classes: leave out `global_pool=""`, or ask for 0 classes')
        if global_pool not in (None, "") and [global_pool] != list(pools_of(self._as_built.graph(), head)):
            raise ValueError(
                f'`global_pool` is None for the head as it is, or "" for none, got {global_pool!r}: another pool is a matter of '
                "the spec, which says it in its `head`, as in {block: global_pool, kind: max}"
            )
        self._as_built.reset(self, num_classes, pooled=global_pool != "")
        self.num_classes = self.pretrained_cfg["num_classes"] = num_classes

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Lets each block of the stages be computed a second time for the gradient, instead of kept in memory. What norms
        count is counted once.

        Raises:
            ValueError: if there are no blocks.
        """
        found = [_submodule(self, name) for (name,) in stage_names(self._built().graph(), blocks=True)]
        blocks = [module for module in found if module is not None and list(module.children())]
        if enable and not blocks:
            raise ValueError("the stages of this network have no blocks: nothing of it is computed a second time")
        for module in blocks:
            vars(module).pop("forward", None)
            if enable:
                vars(module)["forward"] = Again(module)

    def __prepare_scriptable__(self) -> nn.Module:
        """What TorchScript compiles: it can compute nothing a second time, so blocks are plain there. Its tensors are these."""
        tensors = itertools.chain(self.parameters(), self.buffers())
        twin = copy.deepcopy(self, {id(each): each for each in tensors})
        for module in twin.modules():
            if isinstance(vars(module).get("forward"), Again):
                del vars(module)["forward"]
        # torch knows what it has seen by its id, which nothing else may get meanwhile.
        vars(twin)["_plain_of"] = (self,)
        return twin

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Which parameters belong to which layer, as timm's optimisers ask for it: the stem, and each block of the stages;
        with `coarse` each stage."""
        graph = self._built().graph()
        groups = enumerate(stage_names(graph, blocks=not coarse))
        return {
            "stem": _beginning(stem_names(graph)),
            "blocks": [(_beginning(names), (number,)) for number, names in groups],
        }

    def no_weight_decay(self) -> set[str]:
        """The parameters that blocks hold beside their modules: embeddings, tokens, scales."""
        return set(held_names(self._built().graph()))

    def _built(self) -> Making:
        built: Making | None = self.__dict__.get("_as_built")
        if built is None:
            name = f"{with_article(type(self).__name__)} that its class has made"
            raise ValueError(f"{name} knows no spec: archbuilder.build makes one that does")
        return built

    def _head(self) -> Head:
        built = self._built()
        if self._classifier is None:
            raise ValueError(f"this network is no classifier: {why_no_head(built.returned())}")
        return self._classifier

    def _part(self, name: str, graph: Callable[[], Graph]) -> nn.Module:
        part = self._as_built.part(name, graph)
        adopt(part, self, self._as_built.part("whole", self._as_built.graph))
        part.training = self.training
        return part


def _submodule(module: nn.Module, path: str) -> nn.Module | None:
    try:
        return module.get_submodule(path)
    except AttributeError:
        return None


def _beginning(names: Sequence[str]) -> str:
    """What the keys of these modules match."""
    escaped = (name.replace(".", r"\.") for name in names)
    return rf"^(?:{'|'.join(escaped)})(?:\.|$)" if names else r"^(?!)"


# ---- parts of a network ----------------------------------------------------------------------------------------------


def adopt(part: nn.Module, own: nn.Module, whole: nn.Module, anew: str = "") -> None:
    """Puts a network's modules and tensors into a part of it. What the part has in full is taken as it is by now, whatever was
    made of it.

    Args:
        part: the part, without memory.
        own: the network.
        whole: the network as it was made, without memory.
        anew: the path of a module that the part keeps as its own.
    """
    first, _, inner = anew.partition(".")
    stored: Any = ((part._parameters, own._parameters), (part._buffers, own._buffers))  # noqa: SLF001
    for there, here in stored:
        there.update({key: here[key] for key in there.keys() & here.keys() if _shape(there[key]) == _shape(here[key])})
    for name, child in part.named_children():
        before, now = whole._modules.get(name), own._modules.get(name)  # noqa: SLF001
        if before is None or now is None or name == anew:
            continue
        if _structure(child) == _structure(before) and name != first:
            part._modules[name] = now  # noqa: SLF001
        else:
            adopt(child, now, before, inner if name == first else "")


def _shape(tensor: Tensor | None) -> object:
    return None if tensor is None else tensor.shape


def _structure(module: nn.Module) -> object:
    """The modules in a module, and the shapes of its tensors."""
    return [name for name, _ in module.named_modules()], {
        key: value.shape for key, value in module.state_dict().items()
    }


def become(own: nn.Module, new: nn.Module, whole: nn.Module) -> None:
    """Makes a network another one, in place: what holds modules stays the object that it is, and keeps what was added to it.

    Args:
        own: the network.
        new: what it becomes, with its modules and tensors put in already.
        whole: the network as it was made, without memory.
    """
    for name, child in new.named_children():
        now, before = own._modules.get(name), whole._modules.get(name)  # noqa: SLF001
        if now is not None and now is not child and before is not None and type(now) is type(before) and now._modules:  # noqa: SLF001
            become(now, child, before)
            new._modules[name] = now  # noqa: SLF001
    kept = vars(own)["_non_persistent_buffers_set"] - vars(whole)["_buffers"].keys()
    for stored in ("_parameters", "_buffers", "_modules"):
        here, there, before = (vars(each)[stored] for each in (own, new, whole))
        vars(own)[stored] = there | {key: here[key] for key in here if key not in before and key not in there}
    vars(own)["_non_persistent_buffers_set"] = vars(new)["_non_persistent_buffers_set"] | kept
    own.__class__ = type(new)


def fill(module: nn.Module, like: nn.Module) -> None:
    """Gives what has no memory its own, and draws it as torch does, where and in the precision in which another one is. What is
    like one without memory stays without."""
    tensor = next((each for each in like.parameters() if each.is_floating_point()), torch.empty(0))
    known = set(like.modules())
    for each in module.modules():
        values = (*each.parameters(recurse=False), *each.buffers(recurse=False))
        if each in known or not any(value.is_meta for value in values):
            continue
        if not tensor.is_meta:
            each.to_empty(device=tensor.device, recurse=False)
            each.reset_parameters()  # type: ignore[operator]
        each.to(tensor.dtype)


# ---- gradient checkpointing ------------------------------------------------------------------------------------------


class Again:
    """The `forward` of a block that is computed a second time for the gradient."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, *inputs: Any) -> Any:
        forward = partial(type(self.module).forward, self.module)
        if not torch.is_grad_enabled() or torch._C._get_tracing_state() is not None:  # noqa: SLF001 -- as torch asks itself
            return forward(*inputs)
        if torch.compiler.is_compiling():  # what a compiler computes a second time, it counts once by itself
            return checkpoint(forward, *inputs, use_reentrant=False)
        return checkpoint(forward, *inputs, use_reentrant=False, context_fn=self._contexts)

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _counting_nothing(self.module)


@contextmanager
def _counting_nothing(module: nn.Module) -> Iterator[None]:
    """While a block is computed a second time: what its norms count of the batch is put back."""
    counted = [
        buffer.data for buffer in module.buffers()
    ]  # data: it is no change that a gradient would have to know of
    before = [each.clone() for each in counted]
    try:
        yield
    finally:
        for each, value in zip(counted, before, strict=True):
            each.copy_(value)
