"""What specs become, as text: each shipped block by itself, and a network of each family, compared line by line.

``ARCHBUILDER_REGENERATE=1 pytest tests/lowering/test_graphs.py`` writes the texts in `graphs/` anew. Read what changes as the
network's author would: is it what the spec says?
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

import archbuilder
from archbuilder import Graph, check_block
from archbuilder.language.networks import network_names
from archbuilder.lowering.library import shipped_names
from tests.wrong_specs import REGENERATE

FOLDER = Path(__file__).parent / "graphs"
SPECS = Path(__file__).parents[2] / "specs"


class Alone(NamedTuple):
    """What a block is told, what goes into it, and the defaults around it."""

    told: dict[str, Any] = {}  # noqa: RUF012 -- nobody writes into it
    input: Any = (64, 32, 32)
    tokens: bool = False
    around: str = ""


LAYER_NORM = "defaults: {norm: {kind: layer}}"
TOKENS = (64, 14, 14)
STREAMS = [(16, 32, 32), (32, 16, 16)]
HEADS = {"heads": 2, "reduction": 2, "expand": 4}
WIDER = Alone({"width": 128, "stride": 2})

BLOCKS = {
    "avg_project": WIDER,
    "basic": WIDER,
    "basic_conv": Alone({"width": 128}),
    "bottleneck": WIDER,
    "cbam": Alone(),
    "cn_block": Alone(around=LAYER_NORM),
    "cn_downsample": Alone({"width": 128}, around=LAYER_NORM),
    "conv_bn": WIDER,
    "conv_norm": WIDER,
    "conv_norm_act": Alone({"width": 128, "group_width": 16}),
    "deep_stem": Alone({"width": 64}, (3, 32, 32)),
    "dense_layer": Alone(),
    "dense_transition": Alone(),
    "efficient_channel_attention": Alone(),
    "fire": Alone({"squeezed": 16, "expanded": 64}),
    "global_context": Alone(),
    "hr_down": Alone({"width": 128, "steps": 2}),
    "hr_head": Alone({"width": 32}, STREAMS),
    "hr_module": Alone({"blocks": 2}, STREAMS),
    "hr_transition": Alone({"streams": 3}, STREAMS),
    "hr_up": Alone({"width": 32, "factor": 4}),
    "inception": Alone({"b1": 64, "b3_reduce": 96, "b3": 128, "b5_reduce": 16, "b5": 32, "pool": 32}),
    "inception_auxiliary": Alone({"classes": 10}),
    "inverted_residual": WIDER,
    "mbconv": Alone({"width": 64, "kernel": 5}),
    "pad": WIDER,
    "patch_embed": Alone({"width": 64, "kernel": 7, "stride": 4}, (3, 32, 32), around=LAYER_NORM),
    "preact_basic": WIDER,
    "preact_bottleneck": WIDER,
    "project": WIDER,
    "project_only": WIDER,
    "pvt_block": Alone(HEADS, TOKENS, tokens=True, around=LAYER_NORM),
    "pvt_mlp": Alone({"expand": 4}, TOKENS, tokens=True),
    "pvt_stage": Alone({"width": 128, "blocks": 2, **HEADS}, around=LAYER_NORM),
    "pvt_v1_stage": Alone(
        {"number": 4, "width": 128, "blocks": 2, "class_token": True, **HEADS, "reduction": 1}, around=LAYER_NORM
    ),
    "reduced_attention": Alone({"heads": 2, "reduction": 2}, TOKENS, tokens=True, around=LAYER_NORM),
    "regnet_block": Alone({"width": 64, "group_width": 16, "se_ratio": 0.25}),
    "res2net": WIDER,
    "selective_kernel": Alone({"width": 64}),
    "shuffle_unit": WIDER,
    "sk_basic": WIDER,
    "squeeze_excite": Alone(),
    "vgg_stage": Alone({"width": 128, "convs": 2}),
}

NETWORKS = {
    "cifar": "cifar_resnet20",
    "convnext": "convnext_tiny",
    "densenet": "densenet121",
    "googlenet": "googlenet",
    "hrnet": "hrnet_w18_small",
    "mobile": "mobilenet_v3_small",
    "preact": "preact_resnet164",
    "pvt": "pvt_v1_tiny",
    "regnet": "regnet_y_800mf",
    "res2net": "res2net50d",
    "resnet": "resnet50",
    "resnext": "resnext50_32x4d",
    "senet": "skresnet18",
    "tutorials": "d2l_resnet18",
    "vgg": "vgg11_bn",
    "wide_resnet": "wide_resnet50_2",
}
"""By family: the folders of `specs/`."""


def compare(name: str, graph: Graph) -> None:
    golden, text = FOLDER / f"{name}.txt", str(graph)
    if REGENERATE:
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block(name: str) -> None:
    told, input, tokens, around = BLOCKS[name]
    compare(name, check_block(name, told, input, text=around or None, tokens=tokens).graph)


@pytest.mark.parametrize("family", NETWORKS)
def test_a_network(family: str) -> None:
    compare(NETWORKS[family], archbuilder.lower(NETWORKS[family]))


def test_every_block_and_family_is_here() -> None:
    assert set(BLOCKS) == set(shipped_names())
    assert set(NETWORKS) == {path.name for path in SPECS.iterdir() if path.is_dir()}
    assert set(NETWORKS.values()) <= set(network_names())
    assert {path.stem for path in FOLDER.iterdir()} == {*BLOCKS, *NETWORKS.values()}


@pytest.mark.parametrize("name", ["hrnet_w18_small", "googlenet"])
def test_equal_networks_have_one_text(name: str) -> None:
    text = str(archbuilder.lower(name))
    assert text == str(archbuilder.lower(name))
    assert " object at " not in text
    assert str(SPECS.parent) not in text
