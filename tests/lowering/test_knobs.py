"""No knob without effect: every parameter of every op and block is turned once, where it matters, and the graph changes.

A new parameter needs a row in `KNOBS`: the value to which it is turned, and if that means nothing in the block's usual
place, what else is said there (`Beside`).
"""

from typing import Any, NamedTuple

import pytest

from archbuilder import Graph, SpecError, check
from archbuilder.graph.table import OPS
from archbuilder.language.models import Architecture, Expect, Input, Reference, Scale, Step
from archbuilder.lowering.library import shipped_block, shipped_names
from archbuilder.lowering.plans import parameters_of
from tests.networks import fingerprint, lowered

# ---- the table ----------------------------------------------------------------------------------------------------


class Beside(NamedTuple):
    """A value that matters only beside others, or in another place; `refused` where without it the network is wrong."""

    others: dict[str, Any]
    value: Any
    refused: bool = False
    place: str | None = None


class Knobs(NamedTuple):
    """A usual place for a block, what it is told there, and to what each of its parameters is turned."""

    place: str
    told: dict[str, Any]
    turned: dict[str, Any]


LAYER_NORM = "defaults: {norm: {kind: layer}}\n"
STREAMS = """stages:
  small: {block: conv, from: input, width: 32, kernel: 3, stride: 2}
  both: {block: streams, from: [input, small]}
  use: {USE}
"""
PLACES = {
    "map": "stages: {use: {USE}}",
    "map whose stride became dilation": "output_stride: 8\nstages: {down: {block: conv, kernel: 1, stride: 16}, use: {USE}}",
    "map, layer norm": LAYER_NORM + "stages: {use: {USE}}",
    "vector": "stages: {pool: global_pool, use: {USE}}",
    "pixel": "stages: {pool: {block: global_pool, keep: true}, use: {USE}}",
    "tokens": "stages: {tokens: to_tokens, use: {USE}}",
    "class tokens and others": """stages:
  grid: to_tokens
  held: {block: parameter, shape: [1, 3, 16]}
  all: {block: prepend_tokens, from: [grid, held]}
  use: {USE}
""",
    "tokens, layer norm": LAYER_NORM + "stages: {tokens: to_tokens, use: {USE}}",
    "queries, keys and values": "stages: {tokens: to_tokens, use: {USE, from: [tokens, tokens, tokens]}}",
    "a map beside its mean": "stages: {pool: {block: global_pool, keep: true}, use: {USE, from: [input, pool]}}",
    "held, for a sum": "stages: {use: {USE}, sum: {block: add, from: [input, use]}}",
    "held, for tokens": """stages:
  tokens: to_tokens
  held: {block: parameter, shape: [1, 257, 16]}
  use: {USE, from: [held, tokens]}
""",
    "parts come out": "stages: {use: {USE}, last: {block: identity, from: use.0}}",
    "streams go in": STREAMS,
    "streams go in and come out": STREAMS + "  last: {block: identity, from: use.-1}",
}

GATE = {"se": "squeeze_excite"}
NARROW = {"se": {"block": "squeeze_excite", "ratio": 4}}
STRIDED = {"stride": 2}
WINDOW = {"kernel": 5, "stride": 2, "padding": 0, "ceil": Beside({"stride": 2, "padding": 0}, True)}
RESIDUAL = {
    "width": 32,
    "stride": 2,
    "dilation": 2,
    "shortcut": Beside(STRIDED, "avg_project"),
    "after_last_norm": GATE,
    "zero_init": True,
}
MIDDLE = {"ratio": 0.5, "inner": 8, "stride_in": Beside(STRIDED, "conv1"), "after_conv2": GATE}
PREACT = {
    **{key: RESIDUAL[key] for key in ("width", "stride", "dilation")},
    "shortcut": Beside(STRIDED, "avg_project"),
    "after_last_conv": GATE,
}
GROUPED = {"groups": 2, "group_width": 2}
PYRAMID = {"heads": 2, "reduction": 2, "expand": 3}

KNOBS = {
    "conv": Knobs(
        "map",
        {"kernel": 3},
        {
            "width": 8,
            "kernel": 5,
            "stride": 2,
            "padding": "same",
            "padding_mode": "circular",
            "standardize": 1e-6,
            "dilation": 2,
            **GROUPED,
            "bias": True,
            "init": "zeros",
            "bias_init": Beside({"bias": True}, "zeros"),
        },
    ),
    "channel_conv": Knobs("pixel", {"kernel": 3}, {"kernel": 5, "circular": True}),
    "linear": Knobs("vector", {}, {"width": 8, "bias": False, "init": {"normal": 0.1}, "bias_init": "zeros"}),
    "norm": Knobs(
        "map",
        {},
        {
            "kind": "layer",
            "eps": 0.1,
            "momentum": 0.2,
            "groups": Beside({"kind": "group", "groups": 4}, 2),
            "zero_init": True,
            "init": {"normal": 0.1, "mean": 0.1},
            "bias_init": {"normal": 0.1},
        },
    ),
    "activation": Knobs(
        "map",
        {},
        {
            "kind": "silu",
            "slope": Beside({"kind": "leaky_relu"}, 0.1),
            "alpha": Beside({"kind": "elu"}, 0.5),
            "approximate": Beside({"kind": "gelu"}, "tanh"),
        },
    ),
    "dropout": Knobs("map", {}, {"rate": 0.25}),
    "drop_path": Knobs("map", {"rate": 0.5}, {"rate": 0.25, "schedule": "constant"}),
    "max_pool": Knobs("map", {"kernel": 3}, WINDOW),
    "avg_pool": Knobs(
        "map",
        {"kernel": 3},
        {**WINDOW, "count_padding": False, "dilates": Beside({}, False, place="map whose stride became dilation")},
    ),
    "global_pool": Knobs("map", {}, {"keep": True, "kind": "max"}),
    "adaptive_avg_pool": Knobs("map", {"size": 4}, {"size": [2, 4]}),
    "channel_pool": Knobs("map", {}, {"first": "max"}),
    "weighted_pool": Knobs("map", {}, {}),
    "subsample": Knobs("map", {}, {"stride": [2, 4]}),
    "upsample": Knobs("map", {}, {"factor": 3, "kind": "bilinear", "align_corners": Beside({"kind": "bicubic"}, True)}),
    "add": Knobs("a map beside its mean", {}, {"spread": Beside({}, True, refused=True)}),
    "multiply": Knobs("map", {}, {}),
    "concat": Knobs("map", {}, {}),
    "split": Knobs("parts come out", {"parts": 2}, {"parts": 4}),
    "streams": Knobs("map", {}, {}),
    "softmax": Knobs("map", {}, {}),
    "channel_shuffle": Knobs("map", {}, {"groups": 4}),
    "pad_channels": Knobs("map", {"width": 32}, {"width": 24, "side": "behind"}),
    "pad_pixels": Knobs("map", {"below": 1}, {"above": 1, "below": 2, "left": 3, "right": 4, "value": -1}),
    "rescale": Knobs("map", {}, {"scale": 0.17, "offset": -1}),
    "flatten": Knobs("map", {}, {}),
    "identity": Knobs("map", {}, {}),
    "to_tokens": Knobs("map", {}, {}),
    "to_map": Knobs("tokens", {}, {}),
    "attention": Knobs(
        "queries, keys and values", {}, {"heads": 4, "dropout": 0.5, "scale": 1.0, "weights": "mean", "cosine": True}
    ),
    "parameter": Knobs("held, for a sum", {"shape": [16, 1, 1]}, {"shape": [1], "init": "ones"}),
    "prepend_tokens": Knobs("tokens", {}, {}),
    "take_token": Knobs("class tokens and others", {}, {"index": 2}),
    "resize_tokens": Knobs(
        "held, for tokens",
        {"grid": 16},
        {"grid": [8, 32], "kind": "bicubic", "align_corners": True, "antialias": True},
    ),
    # parts
    "conv_norm_act": Knobs("map", {"width": 16}, {"width": 8, "kernel": 5, "stride": 2, "dilation": 2, **GROUPED}),
    "deep_stem": Knobs("map", {"width": 16}, {"width": 32, "inner": 4, "stride": 1}),
    "squeeze_excite": Knobs("map", {}, {"ratio": 4, "squeeze": 8, "gate": "hard_sigmoid"}),
    # shortcuts
    "project": Knobs("map", {"width": 16}, {"width": 32, "stride": 2}),
    "project_only": Knobs("map", {"width": 16}, {"width": 32, "stride": 2}),
    "avg_project": Knobs("map", {"width": 16}, {"width": 32, "stride": 2}),
    "pad": Knobs("map", {"width": 16}, {"width": 32, "stride": 2}),
    # residual
    "basic": Knobs("map", {"width": 16}, RESIDUAL),
    "bottleneck": Knobs("map", {"width": 16}, {**RESIDUAL, **MIDDLE, **GROUPED}),
    "res2net": Knobs(
        "map",
        {"width": 64},
        {**RESIDUAL, **MIDDLE, "inner": 8, "scale": 2, "base_width": 48, "groups": 2, "group_width": 2},
    ),
    "preact_basic": Knobs("map", {"width": 16}, PREACT),
    "preact_bottleneck": Knobs("map", {"width": 16}, {**PREACT, "ratio": 0.5, "inner": 8, **GROUPED}),
    "sk_basic": Knobs("map", {"width": 16}, {key: RESIDUAL[key] for key in RESIDUAL if key != "after_last_norm"}),
    # attention
    "efficient_channel_attention": Knobs("map", {}, {"kernel": 7, "gate": "tanh", "circular": True}),
    "cbam": Knobs("map", {}, {"ratio": 4, "kernel": 5, "gate": "hard_sigmoid", "first": "max"}),
    "global_context": Knobs("map", {}, {"ratio": 4, "fuse": "scale"}),
    "conv_bn": Knobs("map", {"width": 16}, {"width": 8, "kernel": 5, "stride": 2, "dilation": 2, "active": False}),
    "selective_kernel": Knobs(
        "map", {"width": 64}, {"width": 32, "stride": 2, "dilation": 2, "branches": 4, "ratio": 2}
    ),
    # classic
    "vgg_stage": Knobs(
        "map", {"width": 16, "convs": 2}, {"width": 32, "convs": 3, "with_norm": False, "stride": 1, "dilation": 2}
    ),
    "basic_conv": Knobs("map", {"width": 16, "kernel": 3}, {"width": 32, "kernel": 5, "stride": 2, "dilation": 2}),
    "inception": Knobs(
        "map",
        {"b1": 4, "b3_reduce": 4, "b3": 4, "b5_reduce": 4, "b5": 4, "pool": 4},
        {"b1": 8, "b3_reduce": 8, "b3": 8, "b5_reduce": 8, "b5": 8, "pool": 8, "kernel5": 5, "dilation": 2},
    ),
    "inception_auxiliary": Knobs("map", {"classes": 10}, {"classes": 5, "dropout": 0.5}),
    "dense_layer": Knobs("map", {}, {"growth": 8, "bottleneck": 2, "dilation": 2}),
    "dense_transition": Knobs("map", {}, {"stride": 1}),
    "regnet_block": Knobs(
        "map",
        {"width": 16, "group_width": 8},
        {"width": 32, "group_width": 4, "stride": 2, "dilation": 2, "se_ratio": 0.25},
    ),
    "cn_block": Knobs("map, layer norm", {}, {"kernel": 5, "dilation": 2, "expand": 2, "layer_scale": 0.1}),
    "cn_downsample": Knobs("map, layer norm", {"width": 32}, {"width": 16, "stride": 1, "dilation": 2}),
    # mobile
    "conv_norm": Knobs("map", {"width": 16, "kernel": 3}, {"width": 32, "kernel": 5, "stride": 2, "dilation": 2}),
    "inverted_residual": Knobs("map", {"width": 16}, {"width": 32, "expand": 3, "stride": 2, "dilation": 2}),
    "mbconv": Knobs(
        "map",
        {"width": 16},
        {"width": 32, "expand": 3, "expanded": 40, "kernel": 5, "stride": 2, "dilation": 2, "squeeze": 8, "gate": None},
    ),
    "shuffle_unit": Knobs("map", {"width": 16}, {"width": 32, "stride": 2, "dilation": 2}),
    "fire": Knobs("map", {"squeezed": 4, "expanded": 8}, {"squeezed": 8, "expanded": 4, "dilation": 2}),
    # pyramid
    "patch_embed": Knobs(
        "map, layer norm",
        {"width": 16, "kernel": 3, "stride": 4},
        {"width": 8, "kernel": 5, "stride": 2, "padding": 0, "dilation": 2, "eps": 0.1},
    ),
    "reduced_attention": Knobs(
        "tokens, layer norm",
        {"heads": 1, "reduction": 2},
        {"heads": 2, "reduction": 4, "pooled": 4, "dropout": 0.5, "eps": 0.1},
    ),
    "pvt_mlp": Knobs(
        "tokens", {"expand": 2}, {"expand": 3, "depthwise": False, "early_activation": True, "dilation": 2}
    ),
    "pvt_block": Knobs("tokens, layer norm", {"heads": 1, "expand": 2}, {**PYRAMID, "depthwise": False, "dilation": 2}),
    "pvt_stage": Knobs(
        "map, layer norm",
        {"width": 16, "blocks": 1, "heads": 1, "reduction": 1, "expand": 2},
        {
            "width": 32,
            "blocks": 2,
            **PYRAMID,
            "stride": 4,
            "dilation": 2,
            "patches": Beside({}, False, refused=True, place="tokens, layer norm"),
        },
    ),
    "pvt_v1_stage": Knobs(
        "map, layer norm",
        {"number": 1, "width": 16, "blocks": 1, "heads": 1, "reduction": 1, "expand": 2},
        {"number": 2, "patch": 4, "width": 32, "blocks": 2, **PYRAMID, "class_token": True, "stride": 1, "dilation": 2},
    ),
    # streams
    "hr_transition": Knobs("streams go in and come out", {"streams": 2}, {"streams": 3, "width": 8}),
    "hr_down": Knobs("map", {"width": 16, "steps": 2}, {"width": 8, "steps": 1, "last_activation": True}),
    "hr_up": Knobs("map", {"width": 16, "factor": 2}, {"width": 8, "factor": 4}),
    "hr_module": Knobs("streams go in and come out", {}, {"blocks": 2, "branch": "bottleneck"}),
    "hr_head": Knobs("streams go in", {"width": 64}, {"width": 32}),
}

SHIPPED = [*OPS, *shipped_names()]
WORDS = {True: "true", False: "false", None: "null"}
ROWS = [(name, parameter) for name, knobs in KNOBS.items() for parameter in knobs.turned]


def declared(name: str) -> dict[str, Any]:
    return parameters_of(OPS[name] if name in OPS else shipped_block(name))


def written(value: Any) -> str:
    """A value as YAML writes it in a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(each) for each in value) + "]"
    return WORDS.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)


def graph_of(place: str, use: dict[str, Any]) -> Graph:
    text = PLACES[place].replace("USE", written(use)[1:-1])
    return check("knobs.yaml", text=f"name: knobs\ninput: {{channels: 16, size: 16}}\n{text}\n").graph


def test_every_parameter_has_a_row() -> None:
    assert sorted(KNOBS) == sorted(SHIPPED)
    assert {name: sorted(knobs.turned) for name, knobs in KNOBS.items()} == {
        name: sorted(declared(name)) for name in SHIPPED
    }


@pytest.mark.parametrize(("name", "parameter"), ROWS, ids=[f"{name}.{parameter}" for name, parameter in ROWS])
def test_it_changes_the_graph(name: str, parameter: str) -> None:
    place, told, turned = KNOBS[name]
    row = turned[parameter]
    row = row if isinstance(row, Beside) else Beside({}, row)
    place = row.place or place
    usual = {"block": name, **told, **row.others}
    after = fingerprint(graph_of(place, {**usual, parameter: row.value}))
    if row.refused:
        with pytest.raises(SpecError):
            graph_of(place, usual)
        return
    assert after != fingerprint(graph_of(place, usual))


# ---- the words of the language itself -----------------------------------------------------------------------------

CHAIN = "stem: {one: {block: conv, width: 16, kernel: 3}, two: norm, three: activation}"
DEEP = """stages:
  one: {block: basic, width: 16, depth: 2}
  two: {block: basic, width: 32, stride: 2}
  three: {block: basic, width: 64, stride: 2}"""
BLOCK = "blocks: {mine: {body: {conv: {block: conv, width: 8, kernel: 3}, norm: norm}}}\nstages: {one: mine}"

WORDS_OF_STEPS = {
    "block": (CHAIN, CHAIN.replace("two: norm", "two: activation")),
    "body": (CHAIN, CHAIN.replace("two: norm", "two: {body: [norm]}")),
    "from": (
        CHAIN.replace("three: activation", "three: {block: add, from: [one, two]}"),
        CHAIN.replace("three: activation", "three: {block: add, from: [two, one]}"),
    ),
    "when": (CHAIN, CHAIN.replace("two: norm", "two: {block: norm, when: false}")),
    "else": (
        CHAIN.replace("two: norm", "two: [{block: norm, when: false}, activation]"),
        CHAIN.replace("two: norm", "two: [{block: norm, when: false, else: identity}, activation]"),
    ),
    "depth": (CHAIN, CHAIN.replace("two: norm", "two: {block: norm, depth: 2}")),
    "names": (DEEP, DEEP.replace("depth: 2", "depth: 2, names: unit$repeat")),
    "inline": (DEEP, DEEP.replace("width: 16, depth: 2", "width: 16, inline: true")),
    "rename": (DEEP, DEEP.replace("depth: 2", "depth: 2, rename: {conv1: first}")),
    "register": (DEEP, DEEP.replace("depth: 2", "depth: 2, register: [conv2]")),
    "output": (CHAIN, CHAIN.replace("two: norm", "two: {block: norm, output: training}")),
}
WORDS_OF_NETWORKS = {
    "name": (CHAIN, f"name: other\n{CHAIN}"),
    "class": (CHAIN, f"class: Other\n{CHAIN}"),
    "help": (CHAIN, f"help: other words\n{CHAIN}"),
    "extends": (CHAIN, f"extends: resnet18\n{CHAIN}"),
    "parameters": (
        f"parameters: {{k: 3}}\n{CHAIN}".replace("kernel: 3", "kernel: $k"),
        f"parameters: {{k: 5}}\n{CHAIN}".replace("kernel: 3", "kernel: $k"),
    ),
    "input.channels": (CHAIN, f"input: {{channels: 4}}\n{CHAIN}"),
    "input.size": (CHAIN, f"input: {{size: 64}}\n{CHAIN}"),
    "defaults": (CHAIN, f"defaults: {{norm: {{eps: 0.1}}}}\n{CHAIN}"),
    "blocks": (BLOCK, BLOCK.replace("width: 8", "width: 9")),
    "stem": (CHAIN, CHAIN.replace("two: norm, ", "")),
    "stages": (CHAIN, CHAIN.replace("stem", "stages")),
    "neck": (CHAIN, f"{CHAIN}\nneck: activation"),
    "head": (CHAIN, f"{CHAIN}\nhead: global_pool"),
    "scale.width.by": (CHAIN, f"{CHAIN}\nscale: {{width: {{by: 1.3}}}}"),
    "scale.width.to": (f"{CHAIN}\nscale: {{width: {{by: 1.3}}}}", f"{CHAIN}\nscale: {{width: {{by: 1.3, to: 2}}}}"),
    "scale.width.keep": (
        f"{CHAIN}\nscale: {{width: {{by: 1.2}}}}",
        f"{CHAIN}\nscale: {{width: {{by: 1.2, keep: 0.6}}}}",
    ),
    "scale.depth.by": (DEEP, f"{DEEP}\nscale: {{depth: {{by: 1.6}}}}"),
    "scale.depth.round": (
        f"{DEEP}\nscale: {{depth: {{by: 1.2}}}}",
        f"{DEEP}\nscale: {{depth: {{by: 1.2, round: round}}}}",
    ),
    "sequential": (DEEP, f"{DEEP}\nsequential: features"),
    "output_stride": (
        DEEP.replace("stride: 2", "stride: 4"),
        f"{DEEP}\noutput_stride: 8".replace("stride: 2", "stride: 4"),
    ),
    "features": (CHAIN, f"{CHAIN}\nfeatures: [one]"),
    "rename": (CHAIN, f"{CHAIN}\nrename: {{one: first}}"),
    "register": (CHAIN, f"{CHAIN}\nregister: [two]"),
}
MEAN_NO_GRAPH = {
    "reference.paper", "reference.weights", "reference.note", "reference.licence",  # words for the reader, kept in the spec
    "expect.layers", "expect.parameters", "expect.macs", "expect.output",  # facts that are checked
    "input.mean", "input.std", "input.crop", "input.interpolation",  # of pictures: tests/pytorch/test_network.py
    "use", "plugins", "default", "variants",  # which file is read: tests/language
}  # fmt: skip


def test_every_word_has_a_row() -> None:
    parts: dict[str, Any] = {"input": Input, "reference": Reference, "expect": Expect}
    words = {field.alias or name for name, field in Architecture.model_fields.items()} - {*parts, "scale"}
    words |= {f"{part}.{name}" for part, model in parts.items() for name in model.model_fields}
    words |= {f"scale.{part}.{name}" for part in Scale.model_fields for name in _model_of(part).model_fields}
    assert set(WORDS_OF_NETWORKS) | MEAN_NO_GRAPH == words
    assert set(WORDS_OF_STEPS) | {"before", "after"} == {*Step.KEYS}  # those two are settled before: tests/language


def _model_of(part: str) -> Any:
    return next(each for each in Scale.model_fields[part].annotation.__args__ if each is not type(None))


@pytest.mark.parametrize(
    ("table", "word"), [(table, word) for table in (WORDS_OF_STEPS, WORDS_OF_NETWORKS) for word in table]
)
def test_a_word_changes_the_network(table: dict[str, tuple[str, str]], word: str) -> None:
    first, second = (lowered(text if text.startswith("name:") else f"name: net\n{text}") for text in table[word])
    facts = [(g.name, g.class_name, g.help, g.taps, g.outputs, g.sections, fingerprint(g)) for g in (first, second)]
    assert facts[0] != facts[1]
