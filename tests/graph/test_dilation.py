"""An output stride keeps maps large and changes no pixel: every k-th one is that of the network as it is written."""

from __future__ import annotations

import json
import random
from pathlib import Path
from textwrap import dedent
from time import process_time
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from archbuilder import Architecture, Graph, build, catalogue, check
from archbuilder.graph.table import OPS
from archbuilder.language.networks import network_names
from tests.conformance.measure import sample_errors
from tests.conformance.weights import image, weights
from tests.docs.pages import FOLDER
from tests.networks import lowered, mistakes, op_at, outline

# ---- what must hold, and how it is measured -------------------------------------------------------------------------


def filled(model: nn.Module) -> nn.Module:
    """The model in double precision, with weights that leave nothing at zero and let no map fade."""
    generator = torch.Generator().manual_seed(1)
    model.double().eval()
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            drawn = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            if "pos_embed" in name:
                tensor.fill_(0.1)  # positions are interpolated: equal ones stay what they are
            elif tensor.ndim > 1:
                tensor.copy_((2 * drawn - 1) * (3 / tensor[0].numel()) ** 0.5)
            elif tensor.is_floating_point():
                tensor.copy_(drawn + 0.5 if name.endswith(("weight", "running_var")) else 0.4 * drawn - 0.2)
    return model


def tensors_of(inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
    return inputs[0] if isinstance(inputs[0], tuple) else inputs


def see_the_same(usual: nn.Module, dilated: nn.Module) -> None:
    """Gates and attention look at all pixels of a map, and of a larger one at more. Here they are given those that are in the
    usual map, so that all else can be compared."""
    sizes: dict[str, list[torch.Size]] = {}

    def note(name: str) -> Any:
        return lambda _, inputs: sizes.__setitem__(name, [each.shape for each in tensors_of(inputs)])

    def thin_out(name: str, first: int, axes: tuple[int, int]) -> Any:
        def hook(_: nn.Module, inputs: tuple[Any, ...]) -> Any:
            found = list(tensors_of(inputs))
            for at, size in enumerate(sizes[name][first:], first):
                for axis in axes:
                    whole = found[at].shape[axis]
                    step = next(step for step in (1, 2, 4, 8) if -(-whole // step) == size[axis])
                    found[at] = found[at].index_select(axis, torch.arange(0, found[at].shape[axis], step))
            return (tuple(found),) if isinstance(inputs[0], tuple) else tuple(found)

        return hook

    looking = {"AdaptiveAvgPool2d": (0, (2, 3)), "Attention": (1, (1, 2))}
    for name, module in usual.named_modules():
        if type(module).__name__ in looking:
            module.register_forward_pre_hook(note(name))
            other = dilated.get_submodule(name)
            other.register_forward_pre_hook(thin_out(name, *looking[type(module).__name__]))


def difference(network: str | Architecture, stride: int, size: tuple[int, int] = (64, 96), **overrides: Any) -> float:
    """How far every k-th pixel of the last map with an output stride is from that without it, in shares of the largest."""
    taps = [check(network, {**overrides, **more}).graph.taps[-1] for more in ({}, {"output_stride": stride})]
    last, step = taps[0].name, taps[0].reduction // taps[1].reduction
    usual = filled(build(network, features=[last], **overrides))
    dilated = filled(build(network, features=[last], output_stride=stride, **overrides))
    dilated.load_state_dict(usual.state_dict(), strict=True)
    see_the_same(usual, dilated)
    channels = next(each for each in usual.parameters() if each.ndim == 4).shape[1]
    image = torch.rand(2, channels, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        wanted, found = (model(image)[last] for model in (usual, dilated))
    found = found[:, :, ::step, ::step]
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.abs().max())


# ---- the zoo --------------------------------------------------------------------------------------------------------

EVERY_DAY = {
    "resnet18", "skresnet18", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x1_0", "squeezenet1_1", "googlenet",
    "regnet_y_800mf", "densenet121", "pvt_v2_b0", "pvt_v1_tiny", "cifar_resnet20",
}  # fmt: skip
"""Networks small enough for every day, of each kind one."""
POOLS_AS_TIMM = {
    "resnet50d", "resnetrs50", "res2net50d", "res2net50_26w_4s", "res2net50_26w_8s", "res2net50_48w_2s", "res2net101_26w_4s",
    "res2next50",
}  # fmt: skip
"""Their average pools take pixels next to each other, as timm's do (`dilates: false`): right up to the second stride turned."""


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize(
    "name",
    [
        name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow)
        for name in network_names()
        if not name.startswith("hrnet")
    ],
)
def test_every_kth_pixel_is_that_of_the_network_as_written(name: str) -> None:
    assert difference(name, 16 if name in POOLS_AS_TIMM else 8, (64, 96)) < 1e-12


DILATED = json.loads((Path(__file__).parent / "dilated.json").read_text("utf-8"))
"""torchvision 0.28.0's resnet50 with `replace_stride_with_dilation`, and timm 1.0.31's other networks with `output_stride`:
the stride and the dilation of each convolution that has one, and what comes out for the weights and the picture of the
conformance vectors."""
FIGURES = [(name, stride) for name, found in DILATED.items() for stride in found]


@pytest.mark.parametrize(("name", "stride"), FIGURES)
def test_strides_and_dilations_are_those_of_timm_and_torchvision(name: str, stride: str) -> None:
    graph = check(name, {"output_stride": int(stride)}).graph
    with torch.device("meta"):
        model = build(name, output_stride=int(stride))
    paths = [path for path, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    for attribute in ("stride", "dilation"):
        found = {path: getattr(op_at(graph, path), attribute) for path in paths}
        wanted = DILATED[name][stride][attribute]
        assert {path: pair for path, pair in found.items() if pair != (1, 1)} == {
            path: (size, size) for path, size in wanted.items()
        }


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        (name, stride) if name in EVERY_DAY and stride == "8" else pytest.param(name, stride, marks=pytest.mark.slow)
        for name, stride in FIGURES
    ],
)
def test_what_is_computed_is_that_of_timm_and_torchvision(name: str, stride: str) -> None:
    model = build(name, output_stride=int(stride)).eval()
    model.load_state_dict(weights({key: list(value.shape) for key, value in model.state_dict().items()}))
    with torch.no_grad():
        found = model.double()(image([1, 3, 64, 96]))
    assert not list(sample_errors("output", found, DILATED[name][stride]["output"]))


@pytest.mark.parametrize("name", ["resnet18", "resnet50d", "vgg16_bn", "densenet121"])
def test_taps_are_one_for_each_stage(name: str) -> None:
    usual, graph = check(name).graph, check(name, {"output_stride": 8}).graph
    assert [tap.name for tap in graph.taps] == [tap.name for tap in usual.taps]
    assert [tap.reduction for tap in graph.taps] == [min(tap.reduction, 8) for tap in usual.taps]
    assert list(graph.state()) == list(usual.state())


# ---- blocks ---------------------------------------------------------------------------------------------------------

LAYER = {"kind": "layer"}
STRIDING: dict[str, dict[str, Any]] = {
    "basic": {},
    "bottleneck": {},
    "bottleneck ": {"stride_in": "conv1"},
    "bottleneck  ": {"groups": 2, "after_conv2": {"blur": {"block": "avg_pool", "kernel": 3}}},
    "res2net": {"inner": 16, "shortcut": "avg_project"},
    "sk_basic": {},
    "selective_kernel": {},
    "preact_basic": {"shortcut": "pad"},
    "preact_bottleneck": {},
    "inverted_residual": {},
    "mbconv": {"kernel": 5},
    "shuffle_unit": {},
    "regnet_block": {"group_width": 4, "se_ratio": 0.25},
    "conv_norm_act": {},
    "conv_norm": {"kernel": [3, 5]},
    "conv_bn": {},
    "basic_conv": {"kernel": 3},
    "cn_downsample": {},
    "vgg_stage": {"convs": 2},
    "dense_transition": {},
    "deep_stem": {},
    "project": {},
    "project_only": {},
    "avg_project": {},
    "pad": {},
    "hr_down": {"steps": 1},
    "patch_embed": {"kernel": 3, "norm": LAYER},
    "pvt_stage": {"blocks": 2, "heads": 2, "reduction": 2, "expand": 2, "norm": LAYER},
    "pvt_v1_stage": {"number": 1, "blocks": 1, "heads": 2, "reduction": 2, "expand": 2, "patch": 2, "norm": LAYER},
}
"""Every shipped block that strides, with what it must be told, and some things that it can be."""
POOLS_NEXT_TO_EACH_OTHER = ("res2net", "avg_project")


def test_every_block_with_a_stride_is_here() -> None:
    blocks = [each for each in catalogue() if each.kind == "block"]
    striding = {each.name for each in blocks if any(parameter.name == "stride" for parameter in each.parameters)}
    assert striding <= {name.strip() for name in STRIDING}


def chain(*stages: str, blocks: str = "", size: tuple[int, int] = (64, 96)) -> Architecture:
    """A network that strides by 4 before these stages, with one more convolution behind them."""
    text = f"name: net\ninput: {{channels: 3, size: {list(size)}}}\n{blocks}\n"
    text += "stem: {first: {block: conv_norm_act, width: 16, kernel: 5, stride: 4}}\nstages:\n"
    text += "".join(f"  s{number}: {stage}\n" for number, stage in enumerate(stages))
    return check("net.yaml", text=f"{text}  last: {{block: conv_norm_act, width: 8, kernel: 3}}\n").architecture


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("name", STRIDING)
def test_blocks(name: str) -> None:
    block, told = name.strip(), STRIDING[name]
    (takes,) = [{parameter.name for parameter in each.parameters} for each in catalogue() if each.name == block]
    uses = []
    for width in (16, 32, 32):
        known = {"width": width, "stride": 2, **told}
        use = json.dumps({"block": block, **{key: value for key, value in known.items() if key in {*takes, "norm"}}})
        uses.append(f"[{use}, to_map]" if block == "patch_embed" else use)
    limit = 16 if block in POOLS_NEXT_TO_EACH_OTHER or told.get("shortcut") in POOLS_NEXT_TO_EACH_OTHER else 8
    assert difference(chain(*uses), limit) < 1e-12


OWN = {
    "stride behind the window": "[{block: conv, width: $width, kernel: 3}, {block: conv, width: $width, kernel: 1, stride: 2}]",
    "stride between windows": "[{block: conv, width: $width, kernel: 5}, {block: max_pool, kernel: 2, stride: 2}, "
    "{block: conv, kernel: 3}]",
    "blocks inside that say stride": "{a: {block: basic, width: $width}, b: {block: basic, width: $width, stride: 2}}",
    "one block that holds many": "{down: {block: conv_norm_act, width: $width, stride: 2}, "
    "rest: {block: bottleneck, width: $width, depth: 3}}",
    "steps inline": "{a: {block: inverted_residual, width: $width, stride: 2, inline: true}, b: {block: conv, kernel: 3}}",
    "repeats": "{a: {depth: 2, body: [{block: conv, width: $width, kernel: 3, stride: $(2 - repeat)}, {block: norm}]}}",
    "a loop": "{for i in 2: {c$i: {block: conv, width: $width, kernel: 3, stride: $(1 + i)}}}",
    "what is in a slot": "{a: {block: bottleneck, width: $width, stride: 2, shortcut: pad, "
    "after_conv2: {c: {block: conv, kernel: 3, group_width: 1}}}}",
    "one axis after the other": "[{block: conv, width: $width, kernel: 3, stride: [2, 1]}, "
    "{block: max_pool, kernel: [1, 3], stride: [1, 2]}]",
    "an own dilation": "[{block: conv, width: $width, kernel: 3, stride: 2, dilation: 2}, {block: conv, kernel: 3, dilation: 3}]",
    "parts that stride by themselves": "{s: {block: split, parts: 2}, a: {block: conv, from: s.0, width: $width, kernel: 3, "
    "stride: 2}, b: {block: avg_pool, from: s.1, kernel: 2, stride: 2}, c: {block: concat, from: [a, b]}}",
    "weights of branches": "{a: {block: conv, width: $width, kernel: 3, stride: 2}, b: {block: conv, width: $width, from: input, "
    "kernel: 1, stride: 2}, s: {block: softmax, from: [a, b]}, c: {block: multiply, from: [a, s.1]}}",
    "streams": "{a: {block: conv, width: $width, kernel: 3, stride: 2}, b: {block: streams, from: [a, a]}, "
    "c: {block: conv, from: b.1, kernel: 3}, d: {block: add, from: [c, b.0]}}",
}


@pytest.mark.parametrize("body", OWN.values(), ids=OWN)
def test_own_blocks(body: str) -> None:
    """The stride stands anywhere in them, and none has a parameter `dilation`."""
    blocks = f"blocks: {{mine: {{parameters: {{width: 16}}, body: {body}}}}}"
    assert difference(chain("mine", "mine", "{block: mine, width: 32}", blocks=blocks), 8) < 1e-12


def seen_as_a_whole() -> str:
    """What the page says of that which sees more pixels where there are more."""
    page = (FOLDER / "language.md").read_text("utf-8").partition("\n### output_stride\n")[2]
    return page.partition("\nSome things see more pixels")[2].partition("\nWhat cannot be kept")[0]


@pytest.mark.parametrize("kind", next(each.choices for each in OPS["norm"].parameters if each.name == "kind"))
def test_a_norm_over_the_whole_map_is_told(kind: str) -> None:
    norms = f"{{kind: {kind}{', groups: 2' if kind == 'group' else ''}}}"
    basic = "{block: basic, width: 8, stride: 2}"
    is_exact = difference(chain(basic, basic, blocks=f"defaults: {{norm: {norms}}}"), 8) < 1e-12
    assert is_exact != (f"`norm` with `kind: {kind}`" in seen_as_a_whole())


def test_what_takes_a_whole_map_is_told() -> None:
    told = seen_as_a_whole()
    whole = {name for name, op in OPS.items() if op.lies_over == 0 or (op.lies_over and op.role == "attention")}
    assert whole == {name for name in OPS if f"`{name}`" in told and name not in ("norm", "avg_pool")}


def test_of_a_stride_only_what_is_beyond_is_turned() -> None:
    network = chain(
        "{block: conv, width: 16, kernel: 7, stride: 6}", "{block: conv, width: 16, kernel: 3, stride: [2, 1]}"
    )
    graph = check(network, {"output_stride": 8}).graph
    assert convolutions(graph) == {"0": (4, 1), "s0": (2, 1), "s1": (1, 3)}
    assert [op_at(graph, "s1").stride, op_at(graph, "last.0").dilation] == [(1, 1), (6, 3)]
    assert (
        difference(chain("{block: conv, width: 16, kernel: 7, stride: 4}", "{block: basic, width: 16, stride: 2}"), 8)
        < 1e-12
    )


# ---- blocks made up -------------------------------------------------------------------------------------------------

HALVING = (
    "{block: conv, width: W, kernel: 3, stride: 2}",
    "{block: conv, width: W, kernel: 1, stride: 2}",
    "{block: conv, width: W, kernel: 5, stride: 2, padding: 2}",
    "{block: conv, width: W, kernel: [3, 1], stride: 2}",
    "{block: conv, width: W, kernel: 3, stride: 2, dilation: 2}",
    "{block: basic, width: W, stride: 2}",
    "{block: bottleneck, width: W, stride: 2, stride_in: conv1}",
    "{block: shuffle_unit, width: W, stride: 2}",
    "{block: max_pool, kernel: 3, stride: 2}",
    "{block: max_pool, kernel: 2, stride: 2, ceil: true}",
    "{block: avg_pool, kernel: 2, stride: 2, ceil: true, count_padding: false}",
    "{block: avg_pool, kernel: 3, stride: 2}",
    "{block: avg_pool, kernel: 3, stride: 2, count_padding: false}",
    "{block: conv, width: W, kernel: 3, stride: 2, padding: same}",
    "{block: conv, width: W, kernel: 4, stride: 2, padding: same, standardize: 1.0e-5}",
    "{block: conv, width: W, kernel: 3, stride: 2, standardize: 1.0e-5}",
    "{block: max_pool, kernel: 3, stride: 2, padding: same}",
    "{block: avg_pool, kernel: 3, stride: 2, padding: same, count_padding: false}",
    "subsample",
)
"""Steps that give every second pixel, of an odd number one more."""
HALVING_EVEN = (
    "{block: conv, width: W, kernel: 2, stride: 2, padding: 0}",
    "{block: conv, width: W, kernel: 4, stride: 2, padding: 1}",
    "{block: max_pool, kernel: 2, stride: 2}",
    "{block: max_pool, kernel: 3, stride: 2, padding: 0, ceil: true}",
    "{block: avg_pool, kernel: 2, stride: 2}",
    "{block: avg_pool, kernel: 4, stride: 2, padding: 1}",
    "{block: avg_pool, kernel: 2, stride: 2, padding: same}",
    "{block: conv, width: W, kernel: 2, stride: 2, padding: same}",
    "{block: vgg_stage, width: W, convs: 1}",
    "dense_transition",
)
"""The same for an even number of pixels alone."""
KEEPING = (
    "{block: conv, kernel: 3}",
    "{block: conv, kernel: 5, group_width: 1}",
    "{block: conv, kernel: 3, dilation: 2}",
    "{block: conv, kernel: [1, 7]}",
    "{block: conv, kernel: 2, padding: same}",
    "{block: conv, kernel: 4, padding: same, dilation: 2}",
    "{block: conv, kernel: 3, padding: same}",
    "{block: conv, kernel: 3, padding: same, standardize: 1.0e-5}",
    "{block: pad_pixels, above: 1, below: -1, left: -1, right: 1}",
    "{block: rescale, scale: 2.0}",
    "{block: max_pool, kernel: 3}",
    "{block: avg_pool, kernel: 3, count_padding: false}",
    "{block: conv_norm_act, width: W}",
    "{block: basic, width: W, depth: 2}",
    "squeeze_excite",
    "norm",
    "activation",
)


def steps_of(draw: random.Random, halving: tuple[str, ...], *, strides: bool) -> list[str]:
    """Some steps, one of which strides; behind it one with the block's width, so that branches fit each other."""
    steps = draw.choices(KEEPING, k=draw.randrange(3))
    if strides:
        steps.insert(draw.randrange(len(steps) + 1), draw.choice(halving))
    steps.append("{block: conv_norm, width: W, kernel: 3}")
    return [step.replace("W", draw.choice(("$width", "$(width // 2)"))) for step in steps[:-1]] + [
        steps[-1].replace("W", "$width")
    ]


def made_up(seed: int, halving: tuple[str, ...]) -> str:
    """The text of three blocks: a chain that strides somewhere, branches that all do, and one that holds both kinds."""
    draw = random.Random(seed)
    line = f"[{', '.join(steps_of(draw, halving, strides=True))}]"
    branches = [f"{{from: input, body: [{', '.join(steps_of(draw, halving, strides=True))}]}}" for _ in range(2)]
    first, second = steps_of(draw, halving, strides=False), steps_of(draw, halving, strides=False)
    inner = draw.choice(("line", "fork"))
    return f"""blocks:
  line: {{parameters: {{width: channels}}, body: {line}}}
  fork: {{parameters: {{width: channels}}, body: {{a: {branches[0]}, b: {branches[1]}, c: {{block: add, from: [a, b]}}}}}}
  nest: {{parameters: {{width: channels}}, body: [{first[-1]}, {{block: {inner}, width: $width}}, {second[0]}]}}
"""


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("seed", [*range(12), 307])  # the last one: `same` in one use of a class, margins in another
@pytest.mark.parametrize("even", [True, False])
def test_blocks_made_up(seed: int, even: bool) -> None:
    check_made_up(seed, even=even)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_many_blocks_made_up() -> None:
    for seed in range(12, 300):
        check_made_up(seed, even=seed % 2 == 0)


def check_made_up(seed: int, *, even: bool) -> None:
    draw = random.Random(seed)
    blocks = made_up(seed, (*HALVING, *HALVING_EVEN) if even else HALVING)
    size = (64, 96) if even else (draw.randrange(40, 80), draw.randrange(40, 80))
    stages = [f"{{block: {draw.choice(('line', 'fork', 'nest'))}, width: {draw.choice((16, 24))}}}" for _ in range(3)]
    spare = "{when: false, body: [{block: line, width: 8}, {block: fork, width: 8}, {block: nest, width: 8}]}"  # all are used
    found = difference(chain(*stages, spare, blocks=blocks, size=size), 8, size)
    assert found < 1e-12, f"seed {seed}, size {size}: {found}\n{blocks}{stages}"


# ---- what is kept beside the maps -----------------------------------------------------------------------------------


def convolutions(graph: Graph) -> dict[str, tuple[int, int]]:
    """Stride and dilation of each convolution, by the name of its step."""
    return {node.name: (op.stride[0], op.dilation[0]) for _, node, op in graph.ops() if op.name == "conv"}


def test_pools_stay_and_what_follows_is_dilated() -> None:
    graph = lowered("""
        output_stride: 8
        stages:
          a: {block: conv, width: 8, kernel: 3, stride: 8}
          pool: {block: max_pool, kernel: 2, stride: 2}
          b: [{block: conv, width: 8, kernel: 3}, {block: conv, width: 8, kernel: 3, stride: 2}]
          c: {block: dense_layer, growth: 4}
        """)
    assert outline(graph) == [
        "a: conv 3×3/8 -> 8×4×4",
        "pool: max pool 2×2 -> 8×4×4",
        "b: steps -> 8×4×4",
        "c: dense_layer -> 12×4×4",
    ]
    assert [op_at(graph, path).dilation[0] for path in ("b.0", "b.1", "c.conv2")] == [2, 2, 4]


def test_a_stride_that_comes_back_is_no_reduction() -> None:
    """A map that is made smaller and larger again beside the way is left as it is."""
    body = """body: {
        gate: {body: [{block: max_pool, kernel: 2, stride: 2}, {block: conv, kernel: 3}, upsample]},
        out: {block: multiply, from: [input, gate]}}"""
    stages = "stages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, b: mine}"
    text = f"output_stride: 8\nblocks: {{mine: {{{body}}}}}\n{stages}"
    assert convolutions(lowered(text)) == {"a": (8, 1), "1": (1, 1)}
    down = text.replace("b: mine", "b: {block: conv, width: 8, kernel: 3, stride: 2}, c: mine")
    assert mistakes(down) == [
        "1: this output stride cannot be kept: `c.gate.2`: this makes a map larger again whose stride would become dilation"
    ]


def test_strides_on_the_way_to_no_map_take_up_what_was_turned_before() -> None:
    """Keys of an attention and auxiliary heads see the pixels that they see in the network as it is written."""
    text = """
        output_stride: 8
        defaults: {norm: {kind: layer}}
        blocks:
          aux: {body: [{block: avg_pool, kernel: 3, stride: 2}, {block: conv, kernel: 3}, flatten, {block: linear, width: 5}]}
        stages:
          a: {block: conv, width: 8, kernel: 3, stride: 8}
          b: {block: conv, width: 8, kernel: 3, stride: 2}
          aux: {block: aux, output: training}
          tokens: to_tokens
          c: {block: pvt_block, heads: 2, reduction: 2, expand: 1}
        """
    graph = lowered(text)
    assert [str(node.shape) for node in graph.nodes if node.name in ("b", "aux")] == ["8×4×4", "5"]
    assert (op_at(graph, "c.attn.sr").stride, op_at(graph, "c.attn.sr").dilation) == ((4, 4), (2, 2))
    assert list(graph.state()) == list(lowered(text.replace("output_stride: 8", "")).state())


def test_a_neck_and_a_head_take_larger_maps_as_they_come() -> None:
    graph = lowered("""
        output_stride: 8
        stages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, b: {block: conv, width: 8, kernel: 3, stride: 4}}
        neck: {c: {block: conv, width: 8, kernel: 3}, d: {block: conv, width: 8, kernel: 3, stride: 2}}
        """)
    assert convolutions(graph) == {"a": (8, 1), "b": (1, 1), "c": (1, 1), "d": (2, 1)}


def test_weights_stay_where_a_stage_strides_and_keeps_its_width() -> None:
    text = "stages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, b: {block: basic, width: 8, stride: 2}}"
    graph = lowered(f"output_stride: 8\n{text}")
    assert list(graph.state()) == list(lowered(text).state())
    assert convolutions(graph) == {"a": (8, 1), "conv1": (1, 1), "conv2": (1, 2), "0": (1, 1)}


# ---- what cannot be kept is an error --------------------------------------------------------------------------------

CANNOT = {
    "weights": (
        "stages: {a: {block: conv, width: 8, kernel: 3, stride: 16}, b: flatten, c: {block: linear, width: 2}}",
        "the weights would be others: `b` gives 128, not 32",
    ),
    "streams that are coarser": (
        """
        stages:
          a: {block: conv, width: 8, kernel: 3, stride: 8}
          t: {block: hr_transition, streams: 2}
          m: hr_module
          c: {block: conv, from: m.0, kernel: 1}
        """,
        "`m.fuse_layers.0.1.2`: this makes a map larger again whose stride would become dilation",
    ),
    "pixels of an edge": (
        "stages: {a: {block: conv, width: 8, kernel: 3, stride: 16}, b: {block: conv, kernel: 3, padding_mode: reflect}}",
        "`b`: `padding_mode: reflect` takes pixels of a map's edge, and those of a larger map are others",
    ),
    "means beyond a margin": (
        "stages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, b: {block: avg_pool, kernel: 3, stride: 2, ceil: true}}",
        "`b`: the mean of a window that reaches beyond the margin cannot be had here",
    ),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_kept_is_an_error(name: str) -> None:
    text, reason = CANNOT[name]
    (mistake,) = mistakes(f"output_stride: 8\n{dedent(text)}")
    assert mistake == f"1: this output stride cannot be kept: {reason}"


STRIDED, LARGER = "{block: conv, kernel: 3, stride: 2}", "{block: upsample, factor: 2}"


def doubled(body: str, levels: int) -> str:
    """Blocks of which each has the one before it twice."""
    blocks = "".join(f"  b{n}: {{body: [b{n - 1}, b{n - 1}]}}\n" for n in range(1, levels))
    return f"blocks:\n  b0: {{body: [{body}]}}\n{blocks}"


def in_time(text: str, seconds: float = 4) -> str | Graph:
    """What comes of a text: a graph, or the one mistake in it, without its place."""
    started = process_time()
    text = f"output_stride: 8\n{text}"
    found = mistakes(text)
    result = found[0].partition(": ")[2] if found else lowered(text)
    assert process_time() - started < seconds
    return result


def test_graphs_that_share_parts_are_gone_through_once() -> None:
    stages = (
        "stages: {a: {block: conv, width: 4, kernel: 3, stride: 8}, b: {block: conv, kernel: 3, stride: 2}, c: b29}"
    )
    graph = in_time(doubled("{block: conv, kernel: 3}", 30) + stages)
    assert isinstance(graph, Graph)
    assert {op.dilation[0] for _, _, op in graph.ops()} == {1, 2}


@pytest.mark.parametrize("levels", [12, 30])
@pytest.mark.parametrize(
    "body", [f"{STRIDED}, {LARGER}", f"{LARGER}, {STRIDED}", f"{STRIDED}, {STRIDED}, {LARGER}, {LARGER}"]
)
def test_what_comes_back_may_do_so_as_often_as_it_likes(body: str, levels: int) -> None:
    graph = in_time(doubled(body, levels) + f"stages: {{a: b{levels - 1}}}")
    assert isinstance(graph, Graph)
    assert {op.dilation[0] for _, _, op in graph.ops() if op.window} == {1}


def test_a_loop_may_do_so_too() -> None:
    graph = in_time(f"stages: {{for i in 1100: {{c$i: {STRIDED}, u$i: {LARGER}}}}}")
    assert isinstance(graph, Graph)
    assert graph.output_shape == graph.input


PIXELS = f"{2**53:,}"
BEYOND = f"strides of more than {PIXELS} in all would become dilation"
TOO_FAR = f"more than {PIXELS} pixels become one, and no stride is here that can become dilation"
CUT = "{block: max_pool, kernel: 33, stride: 1, padding: 0}"
FAR = f"c$i: {STRIDED}, d$i: {STRIDED}, u$i: {LARGER}"
ENDLESS = {
    "strides": (f"stages: {{for i in 1100: {{c$i: {STRIDED}}}}}", f"`c56`: {BEYOND}"),
    "strides that double": (doubled(STRIDED, 30) + "stages: {a: b29}", f"`a{'.0' * 23}.1.1.1.0.0.0.0`: {BEYOND}"),
    "strides beside enlarged maps": (f"stages: {{for i in 1500: {{{FAR}}}}}", f"`u1449`: {TOO_FAR}"),
    "maps of ever smaller pixels": (
        doubled(f"{LARGER}, {CUT}, {'norm, ' * 40}", 30) + "stages: {a: b29}",
        "with it this network has more than 20,000 different steps",
    ),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_would_have_no_end_is_an_error(kind: str) -> None:
    text, reason = ENDLESS[kind]
    assert in_time(text) == f"this output stride cannot be kept: {reason}"


def test_a_stride_without_parts_is_found_to_have_none() -> None:
    stages = f"stages: {{c: {{block: conv, kernel: 3, stride: {2**53 - 111}}}}}"
    assert isinstance(in_time(stages), Graph)


def test_expressions_in_a_neck_see_the_larger_maps() -> None:
    graph = lowered("""
        output_stride: 8
        stages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, b: {block: conv, width: 8, kernel: 3, stride: 4}}
        neck:
          pool: {block: global_pool, keep: true}
          back: {block: upsample, factor: $(b.height)}
          out: {block: concat, from: [b, back]}
        """)
    assert str(graph.output_shape) == "16×4×4"


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_what_torch_has_no_module_for_is_scripted_and_exported() -> None:
    """Margins that differ, and pools that are dilated."""
    model = build(
        chain(
            "{block: conv, width: 16, kernel: 2, stride: 2, padding: 0}",
            "{block: conv, width: 16, kernel: 3, stride: 2}",
            "{block: conv, width: 16, kernel: 2, stride: 2, padding: 0}",
            "{block: max_pool, kernel: 3}",
            "{block: avg_pool, kernel: 3, count_padding: false}",
        ),
        output_stride=8,
    ).eval()
    kinds = {type(module).__name__ for module in model.modules()}
    assert kinds >= {"PaddedConv2d", "PaddedMaxPool2d", "PaddedAvgPool2d"}
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        wanted = model(images)
        assert torch.equal(torch.jit.script(model)(images), wanted)
        assert torch.equal(torch.export.export(model, (images,)).module()(images), wanted)
