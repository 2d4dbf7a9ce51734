"""archbuilder: vision networks from short YAML specs.

``load`` reads a spec, ``lower`` turns it into a typed graph, ``summarize`` and ``render`` read that graph, ``build`` makes
it a PyTorch module. Only ``build``, ``to_source`` with its checks aside, ``load_checkpoint`` and ``save`` need torch.
"""

from __future__ import annotations

from archbuilder import start as _start  # noqa: F401 -- before all else

# isort: split
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archbuilder.analysis.summary import Row, Summary, summarize
from archbuilder.diagnostics import Diagnostic, Place, SpecError
from archbuilder.display import Kinds, show_by
from archbuilder.graph.graph import Graph
from archbuilder.language.load import Spec, load_architecture
from archbuilder.language.models import Architecture
from archbuilder.lowering import lower_architecture
from archbuilder.tasks.checking import Checked, Inputs, check, check_block, lower_alone

if TYPE_CHECKING:
    from torch import nn  # noqa: TID251 -- for type checkers alone

    from archbuilder.comparison.difference import Difference
    from archbuilder.draw import DrawingError, Rendered, render, render_difference
    from archbuilder.explain.words import Why
    from archbuilder.page import render_page
    from archbuilder.plugin.loading import load_plugin
    from archbuilder.pytorch.build import Features
    from archbuilder.pytorch.checkpoint import Weights
    from archbuilder.pytorch.network import Network as Network  # not in __all__: `import *` needs no torch
    from archbuilder.pytorch.report import CheckpointError, Report
    from archbuilder.pytorch.source import to_source
    from archbuilder.tasks.catalogue import Entry, catalogue
    from archbuilder.tasks.dumping import dump

__version__ = "0.1.0"

# Looked up on first use: what only draws or writes need not be loaded to check.
_LATER = {
    "CheckpointError": "archbuilder.pytorch.report",
    "Difference": "archbuilder.comparison.difference",
    "DrawingError": "archbuilder.draw",
    "Entry": "archbuilder.tasks.catalogue",
    "Network": "archbuilder.pytorch.network",
    "Report": "archbuilder.pytorch.report",
    "Why": "archbuilder.explain.words",
    "catalogue": "archbuilder.tasks.catalogue",
    "dump": "archbuilder.tasks.dumping",
    "load_plugin": "archbuilder.plugin.loading",
    "render": "archbuilder.draw",
    "render_difference": "archbuilder.draw",
    "render_page": "archbuilder.page",
    "to_source": "archbuilder.pytorch.source",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _bundle(shown: Any, include: Kinds, exclude: Kinds) -> dict[str, str]:
    """What a notebook shows of an object."""
    from archbuilder.notebook import bundle

    return bundle(shown, include, exclude)


show_by(_bundle)


def load(spec: Spec | None = None, *, text: str | None = None, **parameters: Any) -> Architecture:
    """The validated network that a spec describes.

    Args:
        spec: a path (``net.yaml``, ``net.yaml#variant``), a zoo name (``resnet50``, ``resnet#50``), an `Architecture` made in
            Python, or a dict as YAML has it.
        text: the spec itself, in a notebook for example; `spec` is then only its name in messages, and the variant that is
            meant.
        parameters: values for the parameters that the spec declares, such as ``classes=10``.

    Raises:
        SpecError: with every mistake in the spec.
        FileNotFoundError: if there is no such file or name.
    """
    return load_architecture(spec, parameters, text)


def lower(architecture: Spec, input: tuple[int, int, int] | None = None) -> Graph:
    """The typed graph of a network.

    Args:
        architecture: what `load` gives, or any spec that it takes.
        input: (channels, height, width) of one image; by default what the spec says.

    Raises:
        SpecError: with every mistake found, a shape that does not fit for example.
        ValueError: if `input` is no size of an image.
    """
    return lower_architecture(load_architecture(architecture), input)


def diff(a: Spec, b: Spec, input: tuple[int, int, int] | None = None) -> Difference:
    """What differs between two networks: in words, stage by stage, with costs, and which keys of a checkpoint of `a` fit `b`.

    It needs no torch. What it gives is false where nothing differs, a text as `str`, and data with ``to_dict()``.

    Args:
        a: a network: what `load` gives, or any spec that it takes.
        b: another one.
        input: (channels, height, width) of one image for both; by default what each spec says.

    Raises:
        SpecError: with every mistake in one of them.
        TooManyStepsError: a `ValueError`: more differs than one can read.
    """
    from archbuilder.comparison.difference import difference

    sides = [load_architecture(each) for each in (a, b)]
    ours, theirs = (lower_architecture(each, input) for each in sides)
    return difference(ours, theirs, pictures=[each.input.of_pictures() for each in sides])


def compare(*networks: Spec, input: tuple[int, int, int] | None = None, **options: Any) -> Rendered:
    """A plot of networks, by their parameters and their multiply-accumulates, with a name at each: the bytes of a file.

    Args:
        networks: what `load` gives, or any spec that it takes.
        input: (channels, height, width) of one image for all; by default what each spec says.
        options: ``format`` ("svg", "png", "pdf", "tikz"), ``theme`` and ``width`` as `render` has them.

    Raises:
        SpecError: with every mistake in one of them.
        DrawingError: if there is nothing to be drawn, or too much.
        ValueError: for an option that is none.
    """
    from archbuilder.draw import compare as draw

    return draw([summarize(lower(each, input)) for each in networks], **options)


def why(spec: Spec, path: str, /, **parameters: Any) -> Why:
    """Why a parameter has its value: all places that set it, the strongest first, and the same for what its expression uses.

    Args:
        spec: a path, a zoo name, an `Architecture`, or a dict as YAML has it.
        path: a module's path as in the ``state_dict`` and a parameter of the block or op that stands there, such as
            ``layer3.0.conv2.stride``; ``depth`` of a repeated step, or one of the network's parameters.
        parameters: values for the parameters that the spec declares, such as ``classes=10``.

    Raises:
        SpecError: with every mistake in the spec, or because there is no such parameter.
    """
    from archbuilder.explain.why import explain_parameter

    return explain_parameter(spec, path, parameters)


def build(
    spec: Spec | None = None,
    *,
    text: str | None = None,
    features: Features | None = None,
    channels: int | None = None,
    weights: Weights | None = None,
    **parameters: Any,
) -> Network:
    """The network as an ordinary `torch.nn.Module`, freshly initialised or with weights, in training mode.

    It is a `Network`: it knows its spec and its feature maps, and a classifier has the methods of timm's models.

    Args:
        spec: a path, a zoo name, an `Architecture`, or a dict as YAML has it; or a file that `save` has written.
        text: the spec itself; `spec` is then only its name in messages, and the variant that is meant.
        features: names of steps, numbers of feature maps, or one of these; the module then returns a dict of their feature maps
            and computes nothing beyond the last. A dict says under which other names they are returned: ``{"layer4": "out"}``.
        channels: channels of the input, if not the spec's; where the spec declares a parameter ``channels``, its value.
        weights: where all weights come from, as `load_checkpoint` takes it: none is drawn then, which is faster.
        parameters: values for the parameters that the spec declares, such as ``classes=10``, and for what is in its steps; one
            that is called as an argument is set as ``**{"parameters.features": 64}``.

    Raises:
        SpecError: with every mistake in the spec, or because a feature's name is none of its steps.
        TypeError: if there is no spec, `text` is no text, or `features` is something else than names and numbers.
        CheckpointError: if the weights do not fit, or a file has no spec.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if torch is not installed; the message says what to install.
    """
    from archbuilder.pytorch.build import module_maker
    from archbuilder.pytorch.checkpoint import ask_for_torch, made_with

    then = None
    if text is None and isinstance(spec, str | Path) and str(spec).lower().endswith(".safetensors"):
        ask_for_torch()
        from archbuilder.pytorch.saving import saved_network

        text, then, kept = saved_network(Path(spec), parameters)
        weights = spec if weights is None else weights
        features, then = (kept, then) if features is None else (features, None)  # a backbone has no classes
    overrides = dict(parameters)
    if channels is not None:
        overrides["channels" if _declares(spec, text, "channels") else "input.channels"] = channels
    checked = check(spec, overrides, text=text)
    again = partial(lower_architecture, checked.architecture)
    make = module_maker(checked.architecture, checked.graph, features, again)
    del checked  # the weights can take the memory that its graph leaves
    return make() if weights is None else made_with(make, weights, then)


def _declares(spec: Spec | None, text: str | None, parameter: str) -> bool:
    """Whether a spec has a parameter; a spec that is wrong has none."""
    try:
        return parameter in load_architecture(spec, text=text).parameters
    except SpecError:
        return False


def block(
    name: str,
    /,
    *,
    input: Inputs = (64, 32, 32),
    tokens: bool = False,
    spec: str | Path | None = None,
    text: str | None = None,
    **parameters: Any,
) -> nn.Module:
    """One block by itself as a module, to try and to test it.

    Args:
        name: the block's name, shipped or of the spec's own.
        input: (channels, height, width) of what goes in; a list of these, where the block takes several values.
        tokens: whether the pixels of what goes in are tokens: the module takes (batch, height, width, channels).
        spec: a file that has the block.
        text: a spec with the block as a text, in a notebook for example; `spec` is then only its name in messages.
        parameters: what the block is told, such as ``width=64``.

    Raises:
        SpecError: with every mistake found.
        TypeError: if `text` is no text, `spec` no name, or `tokens` no truth value.
        ValueError: if `input` is no size of an image.
        ModuleNotFoundError: if torch is not installed; the message says what to install.
    """
    from archbuilder.pytorch.build import module_maker

    checked = check_block(name, parameters, input, spec, text, tokens=tokens)
    again = partial(lower_alone, checked.architecture, checked.graph.input)
    return module_maker(checked.architecture, checked.graph, lower=again, alone=True)()


def load_checkpoint(
    model: nn.Module,
    source: Weights,
    *,
    head: Literal["new"] | None = None,
    channels: Literal["adapt"] | None = None,
    partial: bool = False,
    prefix: str | None = None,
) -> Report:
    """Loads weights into a model, strictly unless told otherwise, and says what became of each tensor.

    What trainers put around a state and before its names is found (``state_dict``, ``model_ema``, ``module.``, ``backbone.``),
    as are old and authors' names of networks of the zoo. Half precision is converted. A backbone takes a whole network's
    weights. Nothing of a file is executed.

    Args:
        model: any module; most is known of what `build` has made.
        source: a file (``.pth``, ``.safetensors``, or the index of its shards), a state, ``"torchvision"``, ``"timm"``, or
            ``"hf:owner/name"``. ``"torchvision:resnet50"`` names a network, where the model's spec does not.
        head: "new" keeps the last layer of a classifier as it is.
        channels: "adapt" makes the first layer one for the model's channels, as timm does.
        partial: whether to load what fits, and leave the rest as it is.
        prefix: what stands before the names of the network that is meant, where there are several.

    Raises:
        CheckpointError: a `ValueError`: there are no weights; or with a list of what is missing, unexpected, of another
            shape or kind, and what to say. Nothing is changed then.
        TypeError: if the model is no module.
        FileNotFoundError: if there is no such file.
        ModuleNotFoundError: if torch, or the library that is asked for, is not installed; the message says what to install.
    """
    from archbuilder.pytorch.checkpoint import load_into
    from archbuilder.pytorch.report import Wishes

    return load_into(model, source, Wishes(head, channels, partial, prefix))


def save(model: nn.Module, path: str | Path) -> None:
    """Writes a network's weights and its spec into one safetensors file, of which `build` makes it again.

    Raises:
        CheckpointError: if the model was not built from a spec, is a block by itself, or is no longer what its spec says.
        TypeError: if it is no module.
        OSError: if the file cannot be written, which it names: there is no such folder, or the path is that of one.
        ModuleNotFoundError: if safetensors is not installed.
    """
    from archbuilder.pytorch.checkpoint import ask_for_model

    ask_for_model(model)
    from archbuilder.pytorch.saving import save_network

    save_network(model, path)


__all__ = [
    "Architecture",
    "Checked",
    "CheckpointError",
    "Diagnostic",
    "Difference",
    "DrawingError",
    "Entry",
    "Graph",
    "Place",
    "Report",
    "Row",
    "SpecError",
    "Summary",
    "Why",
    "block",
    "build",
    "catalogue",
    "check",
    "check_block",
    "compare",
    "diff",
    "dump",
    "load",
    "load_checkpoint",
    "load_plugin",
    "lower",
    "render",
    "render_difference",
    "render_page",
    "save",
    "summarize",
    "to_source",
    "why",
]
