"""What is said of the difference of two networks.

With ARCHBUILDER_GOLDEN=write in the environment the expected texts in `golden/` are written anew; read the diff.
"""

# ruff: noqa: E501 -- each line that is expected is read best as one

from __future__ import annotations

import json
import os
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import archbuilder
from archbuilder import Difference
from archbuilder.comparison.difference import difference
from archbuilder.comparison.keys import Pattern, keys_of

from .test_align import BASE, HEAD, STAGES, TAIL

GOLDEN = Path(__file__).parent / "golden"
FAMILIES = {
    "cifar": ["cifar_plain20", "cifar_plain56", "cifar_resnet56", "cifar_resnet110", "cifar_resnet1202"],
    "convnext": ["convnext_tiny", "convnext_small"],
    "densenet": ["densenet121", "densenet169", "densenet201"],
    "efficientnet": [f"efficientnet_b{size}" for size in range(8)],
    "hrnet": ["hrnet_w18_small", "hrnet_w18", "hrnet_w32", "hrnet_w48"],
    "preact": ["preact_resnet164", "preact_resnet1001"],
    "pvt": ["pvt_v1_tiny", "pvt_v2_b0", "pvt_v2_b1", "pvt_v2_b2_li"],
    "res2net": ["res2net50_48w_2s", "res2net50_26w_4s", "res2net50_26w_8s", "res2net101_26w_4s"],
    "resnet": ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
    "resnet50": ["resnet50", "resnet50d", "resnetrs50", "seresnet50", "wide_resnet50_2", "resnext50_32x4d", "res2next50"],
    "resnext": ["resnext50_32x4d", "resnext101_32x8d"],
    "vgg": ["vgg11", "vgg13", "vgg16", "vgg19", "vgg19_bn"],
}  # fmt: skip


@cache
def lowered(name: str) -> archbuilder.Graph:
    return archbuilder.lower(name)


def of_texts(a: str, b: str) -> Difference:
    return difference(*(archbuilder.lower(archbuilder.load(text=text)) for text in (a, b)))


def lines_of(found: Difference) -> list[str]:
    """What is said of the stages."""
    return str(found).split("\n\n")[1].splitlines()


@pytest.mark.parametrize("family", FAMILIES)
def test_neighbouring_sizes(family: str) -> None:
    found = [str(difference(lowered(a), lowered(b))) for a, b in pairwise(FAMILIES[family])]
    text = "\n\n\n".join(found) + "\n"
    path = GOLDEN / f"{family}.txt"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize(
    "name", ["resnet50d", "densenet121", "hrnet_w18_small", "vgg11_bn", "res2net50d", "pvt_v1_tiny"]
)
def test_nothing_differs_from_itself(name: str) -> None:
    found = archbuilder.diff(name, name)
    assert not found
    assert str(found) == f"{name} -> {name}: no difference"
    assert found.to_dict()["changes"] == []


PICTURES = {
    "mean: 0.5": "input.mean: 0.485, 0.456, 0.406 -> 0.5",
    "mean: [0.5, 0.456, 0.406]": "input.mean: 0.485, 0.456, 0.406 -> 0.5, 0.456, 0.406",
    "std: [0.5, 0.5, 0.5]": "input.std: 0.229, 0.224, 0.225 -> 0.5",
    "crop: 1": "input.crop: 0.875 -> 1.0",
    "interpolation: bicubic": "input.interpolation: bilinear -> bicubic",
}


@pytest.mark.parametrize("said", PICTURES)
def test_what_is_made_of_a_picture_is_told(said: str) -> None:
    a, b = (
        {"name": "n", "input": {"size": 32, **each}, "stages": {"a": {"block": "basic", "width": 4}}}
        for each in ({}, yaml.safe_load(said))
    )
    found = archbuilder.diff(a, b)
    assert found
    assert PICTURES[said] in str(found).splitlines()
    assert [change["what"] for change in found.to_dict()["changes"]] == [PICTURES[said].split(":")[0]]
    assert repr(found) == "Difference(n -> n: 1 change)"
    assert not archbuilder.diff(b, b)


def test_the_same_said_in_another_way_is_none() -> None:
    a, b = (
        {"name": "n", "input": {"mean": mean}, "stages": {"a": {"block": "basic", "width": 4}}}
        for mean in (0.5, [0.5] * 3)
    )
    assert not archbuilder.diff(a, b)


ONE_CHANGE = {
    "an inserted stage": (
        BASE,
        BASE.replace("  layer2:", "  middle: {block: bottleneck, width: 48, depth: 2}\n  layer2:"),
        "stage middle: added (bottleneck ×2), +5.66 K parameters, +5.41 M MACs",
    ),
    "an inserted stage, numbers going on": (
        BASE,
        HEAD
        + STAGES.replace("layer3", "layer4").replace("layer2", "layer3").replace("  layer3", "  layer2: {block: basic, width: 16}\n  layer3")
        + TAIL,
        "stage layer2: added (basic), +4.67 K parameters, +4.72 M MACs",
    ),
    "a removed stage": (
        BASE,
        BASE.replace("  layer3: {block: basic, width: 64, stride: 2, depth: 2}\n", ""),
        "stage layer3: removed (basic ×2), -132 K parameters, -8.39 M MACs",
    ),
    "a changed slot": (
        BASE,
        BASE + "defaults:\n  basic: {after_last_norm: {se: squeeze_excite}}\n",
        "stages layer1, layer2, layer3: after_last_norm nothing -> squeeze_excite, +1.74 K parameters, +1.47 K MACs",
    ),
    "a renamed stage": (
        BASE,
        BASE.replace("layer2", "middle"),
        "stage layer2: called layer2 -> middle",
    ),
    "another depth": (
        BASE,
        BASE.replace("depth: 3", "depth: 9"),
        "stage layer2: depth 3 -> 9, +111 K parameters, +28.3 M MACs",
    ),
    "another width": (
        BASE,
        BASE.replace("width: 64", "width: 96"),
        "stage layer3: width 64 -> 96, +149 K parameters, +9.50 M MACs",
    ),
    "a stride that moves to another stage": (
        BASE,
        BASE.replace("width: 32, stride: 2, depth: 3", "width: 32, depth: 3").replace("layer1: {block: basic,", "layer1: {block: basic, stride: 2,"),
        "stages layer1, layer2: stride moved from layer2 to layer1, +288 parameters, -7.01 M MACs",
    ),
    "a stride that moves within a block": (
        BASE.replace("basic", "bottleneck"),
        BASE.replace("basic", "bottleneck") + "defaults:\n  bottleneck: {stride_in: conv1}\n",
        "stages layer2, layer3: stride_in conv2 -> conv1, -197 K MACs",
    ),
    "another parameter of the network": (
        f"parameters: {{n: 2}}\n{BASE.replace('depth: 2', 'depth: $n')}",
        f"parameters: {{n: 4}}\n{BASE.replace('depth: 2', 'depth: $n')}",
        "parameter n: 2 -> 4",
    ),
    "another width of each repeat": (
        BASE.replace("width: 32,", "width: $(8 * (repeat + 1)),"),
        BASE.replace("width: 32,", "width: $(16 * (repeat + 1)),"),
        "stage layer2: width $(8 * (repeat + 1)) -> $(16 * (repeat + 1)), +41.1 K parameters, +10.5 M MACs",
    ),
    "another number of classes": (
        BASE,
        BASE.replace("width: 10}", "width: 100}"),
        "head: fc: width 10 -> 100, +5.85 K parameters, +5.76 K MACs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ONE_CHANGE)
def test_reads_as_one_change(kind: str) -> None:
    a, b, expected = ONE_CHANGE[kind]
    found = of_texts(a, b)
    assert [line for line in lines_of(found) if not line.endswith("(follows)")] == [expected]
    assert len(found.to_dict()["changes"]) == 1
    assert repr(found) == "Difference(net -> net: 1 change)"
    assert len(of_texts(b, a).to_dict()["changes"]) == 1


OWN = "name: net\ninput: {channels: 8, size: 32}\nblocks:\n  mine:\n    parameters: {width: channels}\n    body:\n"
BODY = "      a: {block: conv, kernel: 3, stride: 2, width: $width}\n      b: norm\n      c: {block: conv, kernel: 3, width: $width}\n"
USES = "stages:\n  one: {block: mine, width: 8}\n  two: {block: mine, width: 16}\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("mine", "yours", "stages one, two: mine -> yours"),
        ("      b: norm\n", "      b: norm\n      r: activation\n", "stages one, two: r: added (relu)"),
        ("      b: norm\n", "", "stages one, two: b: removed (batch norm), -48 parameters"),
        ("b: norm", "b: {block: norm, kind: group, groups: 2}", "stages one, two: b: kind batch -> group, b: groups 1 -> 2"),
        ("a: {block: conv, kernel: 3,", "a: {block: conv, kernel: 5,", "stages one, two: a: kernel 3 -> 5, +3.07 K parameters, +393 K MACs"),
    ],
)  # fmt: skip
def test_a_change_of_a_block_is_told_once(before: str, after: str, expected: str) -> None:
    text = OWN + BODY + USES
    assert lines_of(of_texts(text, text.replace(before, after))) == [expected]


def test_a_stride_moves_within_a_block_of_ones_own() -> None:
    text = OWN + BODY + USES
    moved = text.replace("stride: 2, ", "").replace(
        "c: {block: conv, kernel: 3,", "c: {block: conv, kernel: 3, stride: 2,"
    )
    (line,) = lines_of(of_texts(text, moved))
    assert line == "stages one, two: stride moved from a to c, +664 K MACs"


def test_data_is_json_with_exact_numbers() -> None:
    data = difference(lowered("resnet50"), lowered("resnet101")).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["changes"] == [
        {"stages": ["layer3"], "place": "", "what": "depth", "before": 6, "after": 23, "text": "depth 6 -> 23"}
    ]
    assert sum(stage["parameters"][1] - stage["parameters"][0] for stage in data["stages"]) == 44_549_160 - 25_557_032
    assert sum(stage["macs"][1] for stage in data["stages"]) == data["b"]["macs"]
    keys = data["keys"]
    assert keys["of_a"] == keys["fit"] + sum(each["count"] for each in (*keys["other_shape"], *keys["only_in_a"]))
    assert keys["only_in_b"] == [{"keys": "layer3.6–22.*", "count": 306}]


@pytest.mark.parametrize(("a", "b"), [("resnet34", "resnet50"), ("vgg11", "vgg13"), ("hrnet_w18_small", "hrnet_w18")])
def test_each_key_is_counted_once(a: str, b: str) -> None:
    keys = difference(lowered(a), lowered(b)).keys
    misfits, unexpected, missing = (
        sum(each.number for each in patterns) for patterns in (keys.other_shape, keys.only_in_a, keys.only_in_b)
    )
    assert (keys.of_a, keys.of_b) == (keys.fit + misfits + unexpected, keys.fit + misfits + missing)


def test_keys_in_patterns() -> None:
    shape = (4, 4)
    a = {f"a{one}.{two}.conv{three}.w": shape for one in (1, 2) for two in (0, 1) for three in (1, 2)}
    b = {key: (8, 4) if "conv2" in key else each for key, each in a.items()} | {"a1.2.conv1.w": shape, "fc.w": shape}
    keys = keys_of(a, b)
    assert keys.other_shape == (Pattern("a1–2.0–1.conv2", 4),)
    assert keys.only_in_b == (Pattern("a1.2", 1), Pattern("fc", 1))


def test_a_difference_shows_itself() -> None:
    found = of_texts(BASE, BASE.replace("width: 64", "width: 96"))
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == "Difference(net -> net: 1 change)"
    assert shown["text/html"].startswith("<pre>net -&gt; net")


def test_long_names_and_many_stages_are_told_in_short() -> None:
    long = "x" * 90
    text = "name: net\ninput: {channels: 8, size: 8}\nblocks:\n  b: {parameters: {LONG: 1}, body: {LONG: {block: conv, kernel: $LONG, width: 8}}}\n"
    text = text.replace("LONG", long) + f"stages:\n  {long}1: {{block: b}}\n  {long}2: {{block: b, {long}: 3}}\n"
    for a, b in ((text, text.replace(": 3}", ": 5}")), (text, text.replace(f"{long}1", "other"))):
        assert max(map(len, str(of_texts(a, b)).splitlines())) < 600
    steps = "name: net\ninput: {channels: 8, size: 8}\nstages:\n" + "".join(
        f"  a{number}: norm\n" for number in range(500)
    )
    (line,) = lines_of(of_texts(steps, steps.replace(": norm", ": {block: norm, eps: 0.5}")))
    assert line.startswith("stages a0, a1, a2, ")
    assert line.endswith(", a19, 480 more: eps 1e-05 -> 0.5")


@pytest.mark.parametrize("op", ["conv", "max_pool", "avg_pool"])
@pytest.mark.parametrize("kernel", [3, [1, 7]], ids=str)
def test_a_padding_that_follows_from_the_size_is_called_as_in_a_spec(op: str, kernel: Any) -> None:
    plain = {"block": op, "kernel": kernel, "stride": 2, **({"width": 4} if op == "conv" else {})}
    same = {**plain, "padding": "same"}
    networks = [{"name": "n", "input": {"size": 32}, "stages": {"a": each}} for each in (plain, same)]
    found = archbuilder.diff(*networks)
    before = "1" if kernel == 3 else "0×3"
    assert f"padding {before} -> same" in str(found)
    assert f"padding same -> {before}" in str(archbuilder.diff(*reversed(networks)))
    (change,) = found.to_dict()["changes"]
    assert change["after"] == "same" == archbuilder.why(networks[1], "a.padding").value
    assert not archbuilder.diff(networks[1], networks[1])


ORDERS = {
    "register: [fc]": "register: nothing -> fc",
    "stages: {a: {register: [bn2, conv2]}}": "stage a: register nothing -> bn2, conv2",
    "defaults: {basic: {register: [bn1]}}": "stages a, b: register nothing -> bn1",
    "stages: {b: {register: [bn2], width: 8}}": "stage b: register nothing -> bn2",
    "blocks: {mine: {register: [n]}}": "stage c: register nothing -> n",
}
IN_ORDER = (
    "name: net\ninput: {channels: 4, size: 8}\nblocks: {mine: {body: {m: {block: conv, kernel: 1}, n: norm}}}\n"
    "stages: {a: {block: basic, width: 4}, b: {block: basic, width: 8, depth: 2}, c: mine}\n"
    "head: {pool: global_pool, fc: {block: linear, width: 3}}\n"
)


@pytest.mark.parametrize("said", ORDERS)
def test_another_order_of_the_keys_is_told(said: str) -> None:
    plain = archbuilder.load(text=IN_ORDER)
    patch = yaml.safe_load(said)
    variant = archbuilder.load("net#x", text=f"{IN_ORDER}variants: {{x: {json.dumps({'name': 'net', **patch})}}}\n")
    found = archbuilder.diff(plain, variant)
    assert ORDERS[said] in lines_of(found)
    assert found.keys.fit == found.keys.of_a
    assert [*found.a.state] != [*found.b.state]
    assert not archbuilder.diff(variant, variant)
    back = archbuilder.diff(variant, plain).to_dict()["changes"]
    assert {each["what"] for each in back} == {"register"}


@pytest.mark.parametrize("said", ["register: [a]", "register: [a, b, c, pool, fc]", "stages: {a: {register: [conv1]}}"])
def test_a_register_that_changes_no_order_is_no_difference(said: str) -> None:
    patch = json.dumps({"name": "net", **yaml.safe_load(said)})
    variant = archbuilder.load("net#x", text=f"{IN_ORDER}variants: {{x: {patch}}}\n")
    assert not archbuilder.diff(archbuilder.load(text=IN_ORDER), variant)
