"""What to write instead: the advice for those who write a spec as they would write their code, or as YAML reads it otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from archbuilder.diagnostics import Place, nearest
from archbuilder.language.formula import Formula
from archbuilder.language.reader import resolve_scalar
from archbuilder.parameters import INITIALISATIONS, Parameter, ParameterError

_WIDTHS: Final = ("out_channels", "planes", "out_planes", "channels", "filters", "features", "out_features", "dim")
_INPUTS: Final = ("in_channels", "in_planes", "inplanes", "in_features", "num_features", "in_dim")

_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_WIDTHS, ("width",)),
    "kernel_size": ("kernel",),
    "expansion": ("ratio", "expand"),
    "expand_ratio": ("expand",),
    "reduction": ("ratio",),
    "reduction_ratio": ("ratio",),
    "cardinality": ("groups",),
    "p": ("rate",),
    "num_heads": ("heads",),
    "num_groups": ("groups",),
    "num_classes": ("classes",),
    "scale_factor": ("factor",),
    "output_size": ("size",),
    "mode": ("kind",),
    "negative_slope": ("slope",),
    "ceil_mode": ("ceil",),
    "count_include_pad": ("count_padding",),
    "qk_scale": ("scale",),
}
"""Parameters elsewhere, and what they may be here."""

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("repeat", "repeats", "blocks", "layers", "num_blocks", "num_layers", "number"), "depth"),
    **dict.fromkeys(("inputs", "input", "with", "source"), "from"),
    **dict.fromkeys(("if", "condition", "only"), "when"),
    "type": "block",
}
"""Words of a step elsewhere, and what they are here."""

_ACTIVATIONS: Final = {
    **{name: name for name in ("relu", "relu6", "silu", "gelu", "mish", "sigmoid", "tanh", "elu", "leaky_relu")},
    "swish": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "leakyrelu": "leaky_relu",
}
_BLOCKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("conv2d", "convolution", "conv2dlayer"), "conv"),
    **dict.fromkeys(("batchnorm2d", "batchnorm", "batch_norm", "bn"), "norm"),
    **dict.fromkeys(("layernorm", "layer_norm", "layernorm2d"), "{block: norm, kind: layer}"),
    **dict.fromkeys(("groupnorm", "group_norm"), "{block: norm, kind: group, groups: 32}"),
    **dict.fromkeys(("fc", "dense", "fully_connected"), "linear"),
    **dict.fromkeys(("maxpool2d", "maxpool"), "max_pool"),
    **dict.fromkeys(("avgpool2d", "avgpool", "averagepool"), "avg_pool"),
    **dict.fromkeys(("gap", "globalavgpool", "global_avg_pool", "adaptiveavgpool2d"), "global_pool"),
    **dict.fromkeys(("convbnrelu", "conv_bn_relu", "convbnact", "convnormact"), "conv_norm_act"),
    **dict.fromkeys(("depthwise", "depthwise_conv", "dwconv"), "{block: conv, kernel: 3, group_width: 1}"),
    **dict.fromkeys(("pointwise", "conv1x1"), "{block: conv, kernel: 1, width: ...}"),
    **dict.fromkeys(("conv3x3",), "{block: conv, kernel: 3, width: ...}"),
    **dict.fromkeys(("se", "selayer", "squeezeexcitation", "seblock"), "squeeze_excite"),
    **dict.fromkeys(("eca", "ecalayer"), "efficient_channel_attention"),
    **dict.fromkeys(("cat", "concatenate"), "concat"),
    **dict.fromkeys(("mul", "product"), "multiply"),
    **dict.fromkeys(("interpolate", "resize"), "upsample"),
    **dict.fromkeys(("basicblock",), "basic"),
    **dict.fromkeys(("bottle2neck",), "res2net"),
    **dict.fromkeys(("droppath", "stochasticdepth", "stochastic_depth"), "drop_path"),
    **dict.fromkeys(("layer_scale", "layerscale"), "a `parameter` and a `multiply`"),
    **dict.fromkeys(("none",), "null"),
    **{name: f"{{block: activation, kind: {kind}}}" for name, kind in _ACTIVATIONS.items()},
}
"""Blocks and layers elsewhere, in lower case, and how they are written here."""


def advice_for_parameter(key: str, parameters: Iterable[str]) -> str | None:
    """What to write instead of a parameter that another library has; None if it is none of those."""
    known = set(parameters)
    if key in _INPUTS:
        return "remove it: what comes in is known (in an expression it is `input.channels`)"
    if key in _WIDTHS and "width" in known:
        inner = "; the 3x3 in between has `inner`, or `ratio` of it" if "inner" in known else ""
        return f"write `width`: the number of channels that come out{inner}"
    ours = next((each for each in _PARAMETERS.get(key, ()) if each in known), None)
    if ours is not None:
        return f"write `{ours}`"
    return f"write `{_WORDS[key]}`" if key in _WORDS else None


def advice_for_turn(name: str, steps: Mapping[str, Any]) -> str | None:
    """What to write instead of a patch of a step that a loop makes, among the steps of a body; None if none makes it."""
    for header, inside in steps.items():
        if not header.startswith("for ") or not isinstance(inside, dict):
            continue
        for template in inside:
            before, dollar, _ = template.partition("$")
            if dollar and name.startswith(before) and name[len(before) :][:1].isdigit():
                return patch_of_turn(header, template)
        inner = advice_for_turn(name, inside)
        if inner is not None:
            return inner
    return None


def patch_of_turn(header: str, template: str) -> str:
    """What to write to change a step that a loop makes."""
    return f"`{header}:` makes it: write that line too, and beneath it what differs, for its step `{template}`"


def advice_for_block(name: Any) -> str | None:
    """What to write instead of a block or layer that another library has; None if it is none of those."""
    ours = _BLOCKS.get(name.lower().removeprefix("nn.")) if isinstance(name, str) else None
    if ours is None:
        return None
    return f"write {ours}" if " " in ours else f"write `{ours}`"


def advice_for_value(
    value: Any, written: Any, parameter: Parameter, visible: list[str], at: Place | None
) -> str | None:
    """What to write instead of a value that does not fit a parameter; `written` is what stands there, `visible` what names are
    known there."""
    choices = parameter.choices or (INITIALISATIONS if parameter.type == "init" else ())
    near = nearest(str(value), choices)
    if near is not None:
        return f"did you mean `{near}`?"
    if type(written) is not Formula:
        return _advice_for_literal(value, parameter, visible)
    if type(value) is float:
        return "this is a number with a fraction; use `//` or `round(...)`"
    if isinstance(value, str) and written.bare is None and not written.startswith("$("):
        return f"put all of it in brackets: $({written.removeprefix('$')})"
    is_quoted = at is not None and str(written) in at.source.line(at.line)
    return None if is_quoted else f"it is computed as `{written}`"


def _advice_for_literal(value: Any, parameter: Parameter, visible: list[str]) -> str | None:
    """The same for a value that is not computed."""
    if isinstance(value, str) and value in visible:
        return f"`${value}` is the value of that name"
    if isinstance(value, str) and parameter.type != "string":
        return "remove the quotes" if _fits(parameter, resolve_scalar(value)) else None
    if type(value) is float and parameter.type in ("int", "channels", "size"):
        if value.is_integer():
            return f"write {int(value)}"
        over = 1 / value if 0 < value < 1 else 0.5
        return f"it divides: a share of {value:g} is {round(over)}" if over.is_integer() else None
    return None


def _fits(parameter: Parameter, value: Any) -> bool:
    try:
        parameter.check(value)
    except ParameterError:
        return False
    return not isinstance(value, str)
