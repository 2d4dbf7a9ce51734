"""The memory of networks, held against what torch has: what it keeps for the gradient, and what there is at once in inference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archbuilder
from archbuilder.analysis import records
from archbuilder.analysis.memory import Walk
from archbuilder.analysis.receptive import Fields
from archbuilder.analysis.summary import DEPTHS, Depth, Summary
from archbuilder.analysis.table import stage_table
from archbuilder.graph.shapes import dimensions
from archbuilder.pytorch.build import module_maker
from archbuilder.tasks.checking import check
from tests.memory import kept_by, peak_of
from tests.networks import HEAD, lowered

FAST = ["cifar_resnet20", "mobilenet_v3_small", "squeezenet1_1", "resnet18"]
FAMILIES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in (
        "resnet50", "hrnet_w18", "pvt_v2_b1", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mobilenet_v2",
        "pvt_v1_tiny", "pvt_v2_b2_li", "regnet_y_800mf", "res2net50_26w_4s", "resnetrs50", "resnext50_32x4d", "seresnet50",
        "shufflenet_v2_x1_0", "vgg16", "vgg16_bn", str(Path(__file__).parents[2] / "examples" / "unet_resnet18.yaml"),
    )),
    ("resnet50", {"output_stride": 8}),
    ("mobilenet_v2", {"output_stride": 16}),
    ("hrnet_w18", {"input.size": 96}),
    ("pvt_v2_b1", {"input.size": 320}),
]  # fmt: skip


def torchs(spec: str, settings: dict[str, Any], *, images: int = 1, text: str | None = None) -> tuple[int, int]:
    """What torch keeps in training, and has at once in inference, in bytes."""
    checked = check(spec, settings, text=text)
    model = module_maker(checked.architecture, checked.graph)()
    x = torch.rand(images, *dimensions(checked.graph.input))
    held = [*model.parameters(), *model.buffers()]
    kept = kept_by(lambda: model.train()(x), held)
    return kept, peak_of(lambda: model.eval()(x), [x], held)


def summary_of(spec: str, settings: dict[str, Any]) -> Summary:
    return archbuilder.check(spec, settings).summary


@pytest.mark.parametrize("name", FAST)
def test_memory_is_what_torch_has(name: str) -> None:
    summary = summary_of(name, {})
    kept, peak = torchs(name, {})
    assert summary.training_memory == pytest.approx(kept, rel=0.001)
    assert summary.inference_memory == pytest.approx(peak, rel=0.001)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), FAMILIES, ids=str)
def test_memory_of_each_family_is_what_torch_has(name: str, settings: dict[str, Any]) -> None:
    summary = summary_of(name, settings)
    kept, peak = torchs(name, settings)
    assert summary.training_memory == pytest.approx(kept, rel=0.001)
    assert summary.inference_memory == pytest.approx(peak, rel=0.03)


STEPS = {
    "layers": """
        a: {block: conv, width: 8, kernel: 3}
        b: {block: conv, width: 4, kernel: 3}
        c: {block: conv, kernel: 1}""",
    "norms": """
        a: {block: conv, width: 8, kernel: 3}
        b: norm
        c: activation
        d: {block: conv, kernel: 1}""",
    "read twice": """
        a: {block: conv, width: 8, kernel: 3}
        b: {block: conv, kernel: 3}
        c: {block: add, from: [a, b]}""",
    "kept by two": """
        a: {block: conv, kernel: 1}
        b: {block: conv, kernel: 3}
        c: {block: conv, from: a, kernel: 3}
        d: {block: add, from: [b, c]}""",
    "a relu that is read": """
        a: {block: conv, kernel: 1}
        b: activation
        c: {block: conv, kernel: 1}
        d: {block: add, from: [b, c]}""",
    "a relu of what is read": """
        a: {block: conv, kernel: 1}
        b: activation
        c: {block: conv, kernel: 1, from: a}
        d: {block: add, from: [b, c]}""",
    "a copy for relu6": """
        a: {block: conv, kernel: 1}
        b: norm
        c: {block: activation, kind: relu6}
        d: {block: conv, kernel: 1}""",
    "parts": """
        a: {block: conv, width: 8, kernel: 3}
        b: {block: split, parts: 2}
        c: {block: conv, from: b.0, kernel: 3}
        d: {block: concat, from: [c, b.1]}""",
    "pools": """
        a: {block: conv, kernel: 3}
        b: {block: max_pool, kernel: 2, stride: 2}
        c: {block: conv, kernel: 1}
        d: {block: avg_pool, kernel: 3}""",
    "nothing that is trained": """
        a: {block: max_pool, kernel: 3}
        b: activation
        c: {block: avg_pool, kernel: 3}""",
    "trained late": """
        a: activation
        b: {block: max_pool, kernel: 3}
        c: {block: conv, kernel: 3}
        d: activation""",
    "a gate": """
        a: {block: conv, width: 8, kernel: 3}
        b: squeeze_excite
        c: {block: conv, kernel: 1}""",
    "dropout": """
        a: {block: conv, kernel: 3}
        b: {block: dropout, rate: 0.5}
        c: {block: conv, kernel: 1}""",
    "tokens": """
        a: {block: conv, width: 8, kernel: 3}
        b: to_tokens
        c: {block: norm, kind: layer}
        d: {block: linear, width: 24}
        e: {block: split, parts: 3}
        f: {block: attention, heads: 2, from: [e.0, e.1, e.2]}
        g: {block: linear, width: 8}
        h: {block: activation, kind: gelu}
        i: to_map""",
    "repeats": """
        a: {block: conv, width: 8, kernel: 3}
        b: {block: basic, width: 8, depth: 5}
        c: {block: bottleneck, width: 32, depth: 3}""",
    "sums of three": """
        a: {block: conv, kernel: 3}
        b: {block: conv, kernel: 3}
        c: {block: add, from: [input, a, b]}""",
    "padding": """
        a: {block: conv, width: 8, kernel: 4, stride: 2, padding: same}
        b: {block: max_pool, kernel: 3, stride: 2, padding: same}""",
    **{
        f"{mode} around {what}": f"""
        {before}b: {{block: conv, width: 8, kernel: 3, padding_mode: {mode}}}
        c: {{block: conv, width: 8, kernel: 3, padding_mode: {mode}, depth: 2}}"""
        for mode in ("reflect", "replicate", "circular")
        for what, before in (
            ("an image", ""),
            ("what nothing trained gives", "a: {block: max_pool, kernel: 3}\n        "),
            ("a layer's map", "a: {block: conv, kernel: 3}\n        "),
            ("a norm's map", "a: norm\n        "),
        )
    },
    "steps under one name": """
        features.0: {block: conv, width: 8, kernel: 3}
        features.1: {block: conv, kernel: 3}
        features.2: {block: conv, kernel: 3}
        features.3: {block: conv, kernel: 3}""",
    "steps under one name that are read from outside": """
        features.0: {block: basic, width: 8}
        features.1: {block: basic, width: 8}
        features.2: {block: basic, width: 8}
        last: {block: add, from: [features.1, features.2]}""",
    "decoder": """
        a: {block: basic, width: 8}
        b: {block: basic, width: 16, stride: 2}
        c: {block: upsample, kind: bilinear}
        d: {block: concat, from: [c, a]}
        e: {block: conv, width: 4, kernel: 3}""",
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_memory_of_steps_is_what_torch_has(steps: str) -> None:
    text = f"{HEAD}stages: {steps}"
    summary = archbuilder.summarize(lowered(text))
    kept, peak = torchs("net", {}, text=text)
    assert summary.training_memory == kept
    assert summary.inference_memory == pytest.approx(peak, abs=8)


@pytest.mark.parametrize("factors", ["[input, a]", "[a, input]", "[a, a]", "[input, input]"])
def test_of_a_product_each_factor_is_kept_for_the_gradients_of_the_others(factors: str) -> None:
    steps = f"{{a: {{block: conv, kernel: 3}}, b: {{block: multiply, from: {factors}}}, c: {{block: conv, from: b, kernel: 1}}}}"
    steps = steps if "a" in factors else steps.replace("a: {block: conv, kernel: 3}, ", "")
    text = f"{HEAD}stages: {steps}"
    assert archbuilder.summarize(lowered(text)).training_memory == torchs("net", {}, text=text)[0]


def test_training_grows_with_the_images_but_for_what_norms_know_of_all() -> None:
    one, two = (torchs("cifar_resnet20", {}, images=images)[0] for images in (1, 2))
    channels = sum(
        each.num_features for each in archbuilder.build("cifar_resnet20").modules() if isinstance(each, nn.BatchNorm2d)
    )
    assert 2 * one - two == 4 * 2 * channels


@pytest.mark.parametrize("name", ["resnet50", "hrnet_w18", "pvt_v2_b1", "googlenet", "densenet121", "preact_resnet164"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_what_is_kept_adds_up(name: str, depth: Depth) -> None:
    summary = summary_of(name, {})
    rows = summary.rows(depth)
    below = [*(row.level for row in rows[1:]), 0]
    assert sum(row.training_memory or 0 for row in rows if row.level == 0) == summary.training_memory
    leaves = (row.training_memory or 0 for row, after in zip(rows, below, strict=True) if after <= row.level)
    assert sum(leaves) == summary.training_memory


def test_what_several_keep_belongs_to_the_first() -> None:
    rows = archbuilder.summarize(lowered(f"stages: {STEPS['kept by two']}")).rows()
    image = 4 * 3 * 32 * 32
    assert [row.training_memory for row in rows] == [image, image, 0, 0]


def test_what_only_training_computes_is_not_there_in_inference() -> None:
    aux = "aux: {block: conv, from: a, width: 512, kernel: 3, output: training}"
    usual, more = (
        lowered(f"stages: {{a: {{block: conv, width: 8, kernel: 3}}, {each}b: {{block: conv, from: a, kernel: 3}}}}")
        for each in ("", f"{aux}, ")
    )
    without, beside = archbuilder.summarize(usual), archbuilder.summarize(more)
    assert beside.inference_memory == without.inference_memory
    assert beside.training_memory == without.training_memory


def test_memory_is_computed_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("asked for")

    monkeypatch.setattr(Walk, "network", refuse)
    monkeypatch.setattr(Fields, "through", refuse)
    checked = archbuilder.check("resnet18")
    stage_table(checked.summary)
    with pytest.raises(AssertionError, match="asked for"):
        _ = checked.summary.training_memory
    with pytest.raises(AssertionError, match="asked for"):
        _ = checked.summary.stages[0].receptive_field


def test_memory_in_tables() -> None:
    summary = summary_of("resnet50", {})
    said = "11.8 MB at once in inference, 86.1 MB kept in training (for one image as float32; beside 102 MB of parameters, and"
    assert f"memory       {said}" in str(summary)
    data = json.loads(records.as_json(summary, "stage"))
    assert (data["inference_memory"], data["training_memory"], data["receptive_field"]) == (11_841_536, 86_121_984, 427)
    assert [row["training_memory"] for row in data["rows"]] == [row.training_memory for row in summary.stages]
