"""What to write instead: the advice for those who write a spec as they would write their code, or as YAML reads it otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from archbuilder.diagnostics import Place, nearest
from archbuilder.language.arithmetic import FormulaError
from archbuilder.language.formula import Formula
from archbuilder.language.reader import resolve_scalar
from archbuilder.parameters import INITIALISATIONS, Parameter, ParameterError, describe

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
    **dict.fromkeys(("scale", "scale_factor"), ("factor",)),
    "output_size": ("size",),
    "mode": ("kind",),
    "negative_slope": ("slope",),
    "ceil_mode": ("ceil",),
    "pad": ("padding",),
    "downsample": ("shortcut",),
    "zero_init_residual": ("zero_init",),
    "count_include_pad": ("count_padding",),
    "qk_scale": ("scale",),
}
"""Parameters elsewhere, and what they may be here."""

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("repeat", "repeats", "blocks", "layers", "num_blocks", "num_layers", "number"), "depth"),
    **dict.fromkeys(("inputs", "input", "with", "source"), "from"),
    **dict.fromkeys(("if", "condition", "only"), "when"),
    **dict.fromkeys(("type", "op", "layer", "module"), "block"),
    **dict.fromkeys(("steps", "modules", "sequence"), "body"),
}
"""Words of a step elsewhere, and what they are here."""

_BUNDLES: Final = ("parameters", "params", "args", "arguments", "kwargs", "options")
"""Words behind which parameters stand elsewhere; here they stand right in the step."""

_REMOVALS: Final = ("delete", "remove", "_delete_", "removed", "skip")
"""Words that remove a step elsewhere."""

_ACTIVATIONS: Final = {
    **{name: name for name in ("relu", "relu6", "silu", "gelu", "mish", "sigmoid", "tanh", "elu", "leaky_relu")},
    "swish": "silu",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "leakyrelu": "leaky_relu",
    "lrelu": "leaky_relu",
}
_BATCH_NORMS: Final = ("batchnorm2d", "batchnorm", "batch_norm", "bn")
_LAYER_NORMS: Final = ("layernorm", "layer_norm", "layernorm2d")
_GROUP_NORMS: Final = ("groupnorm", "group_norm")
_CHOICES: Final[Mapping[str, str]] = {
    **_ACTIVATIONS,
    **dict.fromkeys(_BATCH_NORMS, "batch"),
    **dict.fromkeys((*_LAYER_NORMS, "ln"), "layer"),
    **dict.fromkeys((*_GROUP_NORMS, "gn"), "group"),
    **dict.fromkeys(("kaiming_normal", "kaiming_normal_", "he_normal"), "kaiming_fan_in"),
    **dict.fromkeys(("kaiming_uniform", "kaiming_uniform_", "he_uniform"), "kaiming_uniform_fan_in"),
}
"""Values elsewhere, in lower case, and which of those that a parameter takes they are here."""
_BLOCKS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("conv2d", "convolution", "conv2dlayer"), "conv"),
    **dict.fromkeys(_BATCH_NORMS, "norm"),
    **dict.fromkeys(_LAYER_NORMS, "{block: norm, kind: layer}"),
    **dict.fromkeys(_GROUP_NORMS, "{block: norm, kind: group, groups: 32}"),
    **dict.fromkeys(("act", "act_layer"), "activation"),
    **dict.fromkeys(("norm_layer",), "norm"),
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
    if key in _BUNDLES:
        return f"write what is in `{key}` right beside `block`"
    if key in _REMOVALS:
        return "a step that a base has is removed by null, as in `layer4: null`"
    if key == "name":
        return "the name of a step is its key, as in `conv1: {block: conv, ...}`"
    return f"write `{_WORDS[key]}`" if key in _WORDS else None


def advice_for_part(key: str, blocks: Collection[str], slots: Iterable[str]) -> str | None:
    """What to write instead of a parameter that is a block here, or elsewhere; None if it is none of those."""
    part = key if key in blocks else _BLOCKS.get(key.lower())
    if part not in blocks:
        return None
    behind = f", or put it into one of the slots: {', '.join(f'`{slot}`' for slot in slots)}" if slots else ""
    return f"`{part}` is a block: write it as a step of its own{behind}"


def advice_for_loop(variable: str, turns: str) -> str:
    """What to write instead of a loop over a `range`, as Python has it; nothing if it is none."""
    found = re.fullmatch(r"range\s*\((.{0,400})\)", turns.strip())
    bounds = [each.strip() for each in _COMMA.split(found[1])] if found else []
    if len(bounds) not in (1, 2):
        return "a loop counts by one: compute in its steps, as in `$(2 * i)`" if bounds else ""
    return f"write `for {variable} in {' .. '.join(bounds)}:`"


_COMMA: Final = re.compile(r",(?![^(\[]*[)\]])")
"""A comma that stands in no brackets."""

_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("integer", "int8", "int16", "int32", "int64", "uint8", "long"), "int"),
    **dict.fromkeys(("float16", "float32", "float64", "bfloat16", "double"), "float"),
    **dict.fromkeys(("boolean",), "bool"),
    **dict.fromkeys(("str", "text"), "string"),
    **dict.fromkeys(("nn.module", "callable"), "block"),
    **dict.fromkeys(("number", "list", "tuple", "array"), ""),
}
"""Types elsewhere, in lower case, and what they are here; nothing where they may be several."""


def type_elsewhere(name: Any) -> str | None:
    """The type of parameters for which another language has this word, nothing if it may be several; None if none has it."""
    return _TYPES.get(name.lower()) if isinstance(name, str) else None


def lacks_brackets(text: Any, names: Collection[str]) -> bool:
    """Whether a text would be an expression of numbers, or of names that are known, if it stood in `$(...)`."""
    if not isinstance(text, str) or "$" in text or not _OPERATOR.search(text) or _NUMBER.fullmatch(text):
        return False
    return _is_computed_from(text, names, at_least=0)


_OPERATOR: Final = re.compile(r"[-+*/%<>=]|\w\(")
_NUMBER: Final = re.compile(r"[-+]?[\d_.]*([eE][-+]?\d*)?")


def word_of_step(key: str, value: Any) -> str | None:
    """The word `block` or `body` where a step has another library's word for it; None if it has not."""
    word = "body" if key == "layers" and isinstance(value, dict | list) else _WORDS.get(key)
    return word if word in ("block", "body") else None


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
    before, _, behind = str(name).partition(":")
    if before and behind:
        return f"a colon needs a space behind it: `{before}: {behind}`"
    ours = _BLOCKS.get(name.lower().removeprefix("nn.")) if isinstance(name, str) else None
    if ours is None:
        return None
    return f"write {ours}" if " " in ours else f"write `{ours}`"


_SECTIONS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("layers", "backbone", "body", "model", "modules", "network"), ("stages", "`stages`")),
    **dict.fromkeys(("classifier", "classification_head", "top"), ("head", "`head`")),
    **dict.fromkeys(("base", "_base_", "parent", "inherits", "inherit"), ("extends", "`extends`")),
    **dict.fromkeys(("in_channels", "in_chans"), ("input", "`input: {channels: ...}`")),
    **dict.fromkeys(("image_size", "img_size", "resolution"), ("input", "`input: {size: ...}`")),
    **dict.fromkeys(
        ("classes", "num_classes"), ("parameters", "`parameters: {classes: ...}`, and `$classes` where it is meant")
    ),
    **dict.fromkeys(("height", "width", "shape"), ("size", "`size: [height, width]`, and `channels`")),
}
"""Words at the top of a spec, or of its input, elsewhere; the word here, and what to write."""


def advice_for_word(key: str, words: Collection[str]) -> str | None:
    """What to write instead of a word at the top of a spec, or of its `input`, given the words that there are; None if it is no
    other library's."""
    word, written = _SECTIONS.get(key, ("", ""))
    return f"write {written}" if word in words else None


def word_elsewhere(key: str, value: Any, words: Collection[str]) -> str | None:
    """The word at the top of a spec, or of a block, for which another library has this key; None if it is none of those, or if
    more than the word has to be changed."""
    word, written = _SECTIONS.get(key, ("", ""))
    meant = (word if written == f"`{word}`" else None, word_of_step(key, value))
    return next((each for each in meant if each in words), None)


def advice_for_value(
    value: Any, written: Any, parameter: Parameter, visible: list[str], at: Place | None
) -> str | None:
    """What to write instead of a value that does not fit a parameter; `written` is what stands there, `visible` what names are
    known there."""
    choices = parameter.choices or (INITIALISATIONS if parameter.type == "init" else ())
    near = _CHOICES.get(str(value).lower())
    near = near if near in choices else nearest(str(value), choices)
    if near is not None:
        return f"did you mean `{near}`?"
    if type(written) is not Formula:
        return _advice_for_literal(value, parameter, visible)
    if getattr(value, "is_shape", False):
        return f"for its channels write $({written.bare or 'x'}.channels)"
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
    meant = next((each for each in _meant(value) if _fits(parameter, each)), None)
    if meant is not None:
        return f"write {_written(meant)}"
    if isinstance(value, str) and parameter.type != "string":
        if _fits(parameter, resolve_scalar(value)):
            return "remove the quotes"
        return f"put it in brackets: $({value})" if _is_computed_from(value, visible) else None
    if type(value) is float and parameter.type in ("int", "channels", "size"):
        if value.is_integer():
            return f"write {int(value)}"
        over = 1 / value if 0 < value < 1 else 0.5
        return f"it divides: a share of {value:g} is {round(over)}" if over.is_integer() else None
    return None


_TRUE: Final = ("true", "yes", "on", "y", "1")
_FALSE: Final = ("false", "no", "off", "n", "0", "none")
_PAIR: Final = re.compile(r"\(?\s*(\d{1,6})\s*[x×,]\s*(\d{1,6})\s*\)?")


def _meant(value: Any) -> Iterator[Any]:
    """What a value may stand for that other languages, or older YAML, would take."""
    if isinstance(value, list) and len(value) == 1:
        yield value[0]
    word = str(value).lower() if isinstance(value, str | int) else ""
    if word in _TRUE:
        yield True
    if word in _FALSE:
        yield False
    if isinstance(value, str):
        pair = _PAIR.fullmatch(value)
        yield from ([int(each) for each in pair.groups()],) if pair else ()
        yield from ("same",) if word == "same" else ()
        yield from (0,) if word == "valid" else ()


def _written(value: Any) -> str:
    """A value as YAML writes it, a pair of equal numbers as one."""
    if isinstance(value, list):
        return str(value[0]) if value[0] == value[1] else str(value)
    return describe(value)


def _is_computed_from(text: str, visible: Collection[str], *, at_least: int = 1) -> bool:
    """Whether a text would be an expression of names that are known, if it had its dollar."""
    try:
        names = Formula(f"$({text})").names
    except FormulaError:
        return False
    return len(names) >= at_least and names <= set(visible)


def _fits(parameter: Parameter, value: Any) -> bool:
    try:
        parameter.check(value)
    except ParameterError:
        return False
    return not isinstance(value, str) or parameter.type == "padding"
