"""Weights that people already have: what is found of them, what is made of them, and what is said where that cannot be."""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import json
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archbuilder
from archbuilder import CheckpointError, load_checkpoint
from tests.conformance.measure import eval_errors
from tests.conformance.test_vectors import HEAVY, VECTORS
from tests.conformance.weights import weights

State = dict[str, Tensor]

TINY = """
name: tiny
input: {channels: 3, size: 32}
parameters: {classes: 10}
stem: {conv1: {block: conv, width: 8, kernel: 3, stride: 2}, bn1: norm, relu: activation}
stages: {layer1: {block: basic, width: 8}, layer2: {block: basic, width: 16, stride: 2}}
head: {avgpool: global_pool, fc: {block: linear, width: $classes}}
"""
IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def tiny(seed: int = 1, **parameters: Any) -> archbuilder.Network:
    torch.manual_seed(seed)
    return archbuilder.build(text=TINY, **parameters).eval()


@pytest.fixture(scope="module")
def trained() -> archbuilder.Network:
    """The network whose weights are in the files."""
    return tiny(0)


@pytest.fixture
def state(trained: archbuilder.Network) -> State:
    return {key: value.clone() for key, value in trained.state_dict().items()}


def assert_equal(model: nn.Module, state: State) -> None:
    own = model.state_dict()
    assert {key for key in own if not torch.equal(own[key], state[key])} == set()


def refusal(model: nn.Module, source: Any, **wishes: Any) -> str:
    """What is said where weights are refused, after which the model is as it was."""
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model, source, **wishes)
    assert_equal(model, before)
    return str(caught.value)


# ---- each family -------------------------------------------------------------------------------------------------

QUICK = ("mobilenet_v2", "squeezenet1_1")
"""The others, whose keys and outputs are compared every day too, are loaded from files in the slow run."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in VECTORS]
)
def test_a_checkpoint_as_the_reference_writes_it(name: str, tmp_path: Path) -> None:
    """Its keys, shapes and output were taken from the reference itself."""
    vector = VECTORS[name]
    save_file(weights(vector["state"]), tmp_path / "net.safetensors")
    model = archbuilder.build(name, channels=vector["input"][1], weights=tmp_path / "net.safetensors")
    assert_equal(model, weights(vector["state"]))
    if name not in HEAVY:
        assert list(eval_errors(model.double(), vector)) == []


def old_densenet(key: str) -> str:
    return re.sub(r"(norm|relu|conv)([12])\.", r"\1.\2.", key) if "denselayer" in key else key


def authors_pvt(key: str) -> str:
    """The names in the checkpoints of github.com/whai362/PVT."""
    key = key.replace("dwconv.", "dwconv.dwconv.")
    key = re.sub(r"^patch_embed\.", "patch_embed1.", key)
    key = re.sub(r"^stages\.(\d)\.downsample\.", lambda found: f"patch_embed{int(found[1]) + 1}.", key)
    key = re.sub(r"^stages\.(\d)\.blocks\.", lambda found: f"block{int(found[1]) + 1}.", key)
    return re.sub(r"^stages\.(\d)\.norm\.", lambda found: f"norm{int(found[1]) + 1}.", key)


@pytest.mark.parametrize(
    ("name", "theirs", "what"),
    [
        ("densenet121", old_densenet, "torchvision's DenseNet of before 2017"),
        ("pvt_v2_b0", authors_pvt, "the authors' PVT v2"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_names_of_others(name: str, theirs: Callable[[str], str], what: str, prefix: str) -> None:
    state = archbuilder.build(name).state_dict()
    renamed = {prefix + theirs(key): value for key, value in state.items()}
    assert renamed.keys() != {prefix + key for key in state}
    model = archbuilder.build(name)
    report = load_checkpoint(model, renamed)
    assert_equal(model, state)
    assert f"named as in {what}" in str(report)


# ---- where weights are -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["net.pth", "net.safetensors"])
def test_a_network_is_built_with_its_weights(tmp_path: Path, state: State, file: str) -> None:
    (save_file if file.endswith("s") else torch.save)(state, tmp_path / file)
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    model = archbuilder.build(text=TINY, weights=str(tmp_path / file))
    assert torch.equal(torch.random.get_rng_state(), before), "nothing is drawn"
    assert_equal(model, state)
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    torch.save({"other": 1}, tmp_path / file)
    assert_equal(model, state), "the weights are the model's own, whatever becomes of the file"
    model(IMAGES).sum().backward()


def test_old_counters_are_made(state: State) -> None:
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    model = archbuilder.build(text=TINY, weights=old)
    assert model.bn1.num_batches_tracked == 0
    assert_equal(model, state)


def test_a_backbone_is_built_with_a_whole_networks_weights(state: State) -> None:
    backbone = archbuilder.build(text=TINY, features=["layer1"], weights=state)
    assert_equal(backbone, state)
    report = load_checkpoint(archbuilder.build(text=TINY, features=["layer1"]), state)
    assert report.left_out == [key for key in state if key.startswith(("layer2", "fc"))]
    assert "beyond the model, which is a part of its spec" in str(report)


def test_shards(tmp_path: Path, state: State) -> None:
    keys = list(state)
    files = {"a-00001.safetensors": keys[:5], "a-00002.safetensors": keys[5:]}
    for name, held in files.items():
        save_file({key: state[key] for key in held}, tmp_path / name)
    index = tmp_path / "model.safetensors.index.json"
    where = {key: name for name, held in files.items() for key in held}
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}), "utf-8")
    model = tiny()
    load_checkpoint(model, index)
    assert_equal(model, state)
    index.write_text(json.dumps({"weight_map": {**where, "more": "a-00001.safetensors"}}), "utf-8")
    assert "names tensors that its shards do not hold\n  missing in the file (1):\n    more" in refusal(model, index)
    for text in ("{}", "[]", "nonsense", '{"weight_map": {"a": "../a.safetensors"}}', '{"weight_map": {"a": 1}}'):
        index.write_text(text, "utf-8")
        assert "is no index of shards: it has no `weight_map`" in refusal(model, index)


INDEX = "model.safetensors.index.json"
NO_SHARDS = {
    "itself": INDEX,
    "another index": "b.INDEX.json",
    "a name that is none": "",
    "a folder": "..",
    "a folder beside it": "b/a.bin",
    "a name that is too long": "a" * 5000,
    "a name that is too long in bytes": "语" * 100,
    "a name with a NUL": "a\0b",
    "half a character": "\ud800",
    "a name with an escape": "\x1b[2J",
    "nothing": None,
    "a list": ["a"],
}


@pytest.mark.parametrize("name", NO_SHARDS.values(), ids=NO_SHARDS.keys())
@pytest.mark.parametrize("source", ["file", "hub"])
def test_what_is_no_shard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: object, source: str) -> None:
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": {"a": name}}), "utf-8")
    assert "is no index of shards: it has no `weight_map`" in refusal_of_index(monkeypatch, tmp_path, source)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"weight_map": ' * 50_000, "[]", "null", '{"weight_map": [1]}', "\udcff"]
)
@pytest.mark.parametrize("source", ["file", "hub"])
def test_what_is_no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, source: str) -> None:
    (tmp_path / INDEX).write_text(text, "utf-8", "surrogateescape")
    assert "is no index of shards: it has no `weight_map`" in refusal_of_index(monkeypatch, tmp_path, source)


def refusal_of_index(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> str:
    """What is said of an index in a folder, or in a repository of the hub that has the same files."""
    files = [file.name for file in folder.iterdir()]
    hub = SimpleNamespace(list_repo_files=lambda _: files, hf_hub_download=lambda _, file: str(folder / file))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return refusal(tiny(), folder / INDEX if source == "file" else "hf:me/tiny")


@pytest.mark.parametrize("name", ["a" * 5000 + ".pth", "语" * 100, "a\0b", "a/" * 3000, "\ud800"])
def test_names_that_no_file_can_have(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"^there is no file .{1,250}$"):
        load_checkpoint(tiny(), name)
    with pytest.raises(FileNotFoundError, match=r"^there is no file .{1,250}$"):
        archbuilder.build(f"{name}.safetensors")


def test_no_file_says_what_could_be_meant(tmp_path: Path) -> None:
    for name, said in (
        (tmp_path, "it is a folder; name a file in it, or the index of its shards"),
        ("timm/resnet50.a1_in1k", 'of the Hugging Face hub, say "hf:timm/resnet50.a1_in1k"'),
        (tmp_path / "none.pth", "there is no file .*none.pth$"),
    ):
        with pytest.raises(FileNotFoundError, match=said):
            load_checkpoint(tiny(), name)


@pytest.mark.parametrize(
    ("source", "said"),
    [(nn.Linear(2, 2), "not a Linear: say model.state_dict"), (3, 'not a int: as in "resnet50.pth"')],
)
def test_what_are_no_weights(source: Any, said: str) -> None:
    with pytest.raises(TypeError, match=f"weights are a file, a state, or the name of a library, {said}"):
        load_checkpoint(tiny(), source)


@pytest.mark.parametrize("held", [{}, {"a": [1]}, {"state_dict": {}}])
def test_a_state_without_tensors(held: dict[str, Any]) -> None:
    assert refusal(tiny(), held).startswith("the state holds no state_dict, which is a map from names to tensors")


# ---- what trainers put around ------------------------------------------------------------------------------------


def meta() -> dict[str, Any]:
    """What stands beside weights, and is nobody's business."""
    return {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, when=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        "path": Path("x"),
        "best": np.float64(0.5),
        "space": SimpleNamespace(a=1),
    }


@pytest.mark.parametrize(
    "wrapper",
    [
        "state_dict",
        "state_dict_ema",
        "model_ema",
        "model",
        "teacher",
        "student",
        "ema_state_dict",
        "params_ema",
        "network",
    ],
)
def test_wrappers_are_opened(tmp_path: Path, state: State, wrapper: str) -> None:
    torch.save({**meta(), wrapper: state}, tmp_path / "net.pth")
    model = tiny()
    load_checkpoint(model, tmp_path / "net.pth")
    assert_equal(model, state)


def test_averages_and_teachers_come_first(tmp_path: Path, state: State) -> None:
    other = {key: torch.zeros_like(value) for key, value in state.items()}
    for held in (
        {"state_dict": other, "state_dict_ema": state},
        {"student": other, "teacher": {"module": 1, "model": state}},
    ):
        torch.save(held, tmp_path / "net.pth")
        model = tiny()
        load_checkpoint(model, tmp_path / "net.pth")
        assert_equal(model, state)


def test_lightning_and_mmengine(tmp_path: Path, state: State) -> None:
    lightning = {
        "epoch": 1,
        "pytorch-lightning_version": "2.6",
        "state_dict": {f"model.{key}": value for key, value in state.items()},
        "callbacks": {},
        "optimizer_states": [{"state": {}}],
        "hyper_parameters": argparse.Namespace(a=1),
    }
    mmengine = {
        "meta": {"dataset_meta": {"classes": ("a",)}},
        "state_dict": {
            **{f"backbone.{key}": value for key, value in state.items() if not key.startswith("fc.")},
            "head.fc.weight": torch.zeros(3, 3),
        },
    }
    for held, features in ((lightning, None), (mmengine, ["layer2"])):
        torch.save(held, tmp_path / "net.pth")
        model = archbuilder.build(text=TINY, features=features)
        report = load_checkpoint(model, tmp_path / "net.pth")
        assert_equal(model, state)
    assert report.left_out == ["head.fc.weight"]
    assert "outside of `backbone.`" in str(report)


class Wanted:
    """Somebody's own class."""


def test_a_class_that_is_nobodys_is_refused(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state, "mine": Wanted()}, tmp_path / "net.pth")
    assert "holds more than tensors (it asks for `" in refusal(tiny(), tmp_path / "net.pth")


class Hostile:
    """Runs code where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"open({str(self.trace)!r}, 'w')",)


def test_nothing_of_a_file_is_executed(tmp_path: Path, state: State) -> None:
    torch.save({"state_dict": state, **meta(), "more": Hostile(tmp_path / "trace")}, tmp_path / "net.pth")
    assert "it asks for `eval`" in refusal(tiny(), tmp_path / "net.pth")
    assert not (tmp_path / "trace").exists()


class Called(argparse.Action):
    """Called where it is unpickled, under a name that is a trainer's."""

    def __reduce__(self) -> tuple[Any, ...]:
        return np.save, ("trace.npy", 1)


def test_what_looks_like_a_trainers_is_not_called(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": state, "more": Called([], "a")}, "net.pth")
    model = tiny()
    load_checkpoint(model, "net.pth")
    assert_equal(model, state)
    assert not Path("trace.npy").exists()


@pytest.mark.parametrize(
    "prefix", ["module.", "backbone.", "encoder.", "model.", "net.", "student.", "module.backbone.", "model._orig_mod."]
)
def test_prefixes_are_found(state: State, prefix: str) -> None:
    model = tiny()
    report = load_checkpoint(model, {prefix + key: value for key, value in state.items()})
    assert_equal(model, state)
    assert f"without `{prefix}`" in str(report)


def test_of_several_networks_one_is_said(state: State) -> None:
    other = {key: value + 1 for key, value in state.items()}
    both = {**{f"student.{k}": v for k, v in other.items()}, **{f"teacher.{k}": v for k, v in state.items()}}
    said = refusal(tiny(), both)
    assert (
        said
        == 'the state holds several networks that fit: `student.` and `teacher.`; say which, as in prefix="student."'
    )
    model = tiny()
    load_checkpoint(model, both, prefix="teacher")
    assert_equal(model, state)
    assert "the state has nothing under `none.`" in refusal(tiny(), both, prefix="none.")


def test_a_prefix_that_is_not_known_is_told_of(state: State) -> None:
    foreign = {f"stuff.{key}": value for key, value in state.items()}
    assert "those are like `stuff.conv1.weight`, these like `conv1.weight`" in refusal(tiny(), foreign)
    model = tiny()
    load_checkpoint(model, foreign, prefix="stuff.")
    assert_equal(model, state)


# ---- what may be otherwise ---------------------------------------------------------------------------------------


def test_another_number_of_classes(state: State) -> None:
    model = tiny(classes=3)
    said = refusal(model, state)
    assert said.endswith('\n  help: load_checkpoint(model, ..., head="new") keeps the model\'s own `fc`')
    own = copy.deepcopy(model.fc)
    report = load_checkpoint(model, state, head="new")
    assert torch.equal(model.fc.weight, own.weight)
    assert torch.equal(model.layer2.conv1.weight, state["layer2.conv1.weight"])
    assert (report.new, report.left_out) == (["fc.weight", "fc.bias"], ["fc.weight", "fc.bias"])
    assert len(report.loaded) == len(state) - 2
    headless = {key: value for key, value in state.items() if not key.startswith("fc.")}
    assert load_checkpoint(tiny(classes=3), headless, head="new").left_out == []
    assert 'head="new"' in refusal(tiny(), headless)


def test_a_head_is_a_classifiers(state: State) -> None:
    backbone = archbuilder.build(text=TINY, features=["layer1"])
    assert 'head="new" is for classifiers that archbuilder has built, and this model is none' in refusal(
        backbone, state, head="new"
    )


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_another_number_of_channels(state: State, channels: int) -> None:
    model = tiny(channels=channels)
    said = refusal(model, state)
    assert said.endswith(
        '\n  help: load_checkpoint(model, ..., channels="adapt") makes a first layer for other channels'
    )
    report = load_checkpoint(model, state, channels="adapt")
    assert report.adapted == ["conv1.weight"]
    assert f"3 channels in the file, {channels} in the model: as timm does" in str(report)
    red, green, blue = state["conv1.weight"].unbind(1)
    expected = (
        [red + green + blue] if channels == 1 else [3 / channels * each for each in (red, green, blue) * 3][:channels]
    )
    torch.testing.assert_close(model.conv1.weight, torch.stack(expected, 1))


def test_a_grey_picture_gives_what_it_gave(state: State) -> None:
    model, expected = tiny(channels=1), tiny()
    load_checkpoint(model, state, channels="adapt")
    load_checkpoint(expected, state)
    grey = IMAGES[:, :1]
    with torch.no_grad():
        torch.testing.assert_close(model(grey), expected(grey.expand(-1, 3, -1, -1)))


def test_only_the_first_layer_is_adapted(state: State) -> None:
    wrong = {**state, "layer2.conv2.weight": state["layer2.conv2.weight"][:, :3]}
    said = refusal(tiny(), wrong, channels="adapt")
    assert "layer2.conv2.weight: (16, 3, 3, 3) in the file" in said
    assert "channels=" not in said


def test_what_fits_is_loaded(state: State) -> None:
    other = {**state, "fc.weight": torch.zeros(3, 3), "more": torch.zeros(1)}
    del other["bn1.bias"]
    said = refusal(tiny(), other)
    assert f"partial=True) loads what fits, {len(state) - 2} of {len(state)} tensors" in said
    model = tiny()
    report = load_checkpoint(model, other, partial=True)
    assert (report.new, report.left_out) == (["bn1.bias", "fc.weight"], ["more"])
    assert len(report.loaded) == len(state) - 2
    assert str(report).splitlines() == [
        "the state  tensors",
        "loaded          36  conv1.weight ... fc.bias",
        "new              1  bn1.bias                  not in the file",
        "new              1  fc.weight                 (3, 3) in the file, (10, 16) in the model",
        "left out         1  more                      not in the model",
    ]
    assert repr(report) == "Report(the state: 36 loaded, 2 new, 1 left out)"


def test_where_nothing_fits_nothing_is_loaded(state: State) -> None:
    said = refusal(tiny(), {"a.b": torch.zeros(1)}, partial=True)
    assert said.startswith("nothing in the state fits the model")
    assert "those are like `a.b`, these like `conv1.weight`" in said


@pytest.mark.parametrize("wishes", [{"head": "old"}, {"channels": 3}, {"head": True}])
def test_wishes_that_are_none(wishes: dict[str, Any], state: State) -> None:
    with pytest.raises(ValueError, match=r'is "(new|adapt)" or left out'):
        load_checkpoint(tiny(), state, **wishes)


def test_all_at_once(tmp_path: Path, state: State) -> None:
    """A trainer's file with a prefix in half precision into a network of one channel and other classes."""
    half = {f"module.{key}": value.half() if value.is_floating_point() else value for key, value in state.items()}
    torch.save({"state_dict": half, **meta()}, tmp_path / "net.pth")
    model = tiny(channels=1, classes=2)
    report = load_checkpoint(model, tmp_path / "net.pth", head="new", channels="adapt")
    assert report.adapted == ["conv1.weight"]
    assert "without `module.`, float16 in the file" in str(report)
    assert torch.equal(model.layer2.conv1.weight, state["layer2.conv1.weight"].half().float())


def test_an_optimiser_keeps_its_parameters(state: State) -> None:
    model = tiny()
    before = list(map(id, model.parameters()))
    load_checkpoint(model, state)
    assert list(map(id, model.parameters())) == before


# ---- other libraries ---------------------------------------------------------------------------------------------


def network_of(library: str, name: str = "tiny") -> archbuilder.Network:
    return archbuilder.build(text=TINY.replace("name: tiny\n", f"name: {name}\nreference: {{weights: {library}}}\n"))


def test_torchvision(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    asked: list[Any] = []

    def get_state_dict(**keywords: Any) -> State:
        asked.append(keywords)
        return state

    weights = SimpleNamespace(get_state_dict=get_state_dict)

    def of_model(name: str) -> Any:
        if name != "tiny":
            raise ValueError(name)
        return iter([weights])

    def of_name(name: str) -> Any:
        if name != "Tiny_Weights.V2":
            raise ValueError(name)
        return weights

    models = SimpleNamespace(get_model_weights=of_model, get_weight=of_name)
    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace(models=models))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    for model, source in (
        (network_of("torchvision"), "torchvision"),
        (tiny(), "torchvision:tiny"),
        (tiny(), "torchvision:Tiny_Weights.V2"),
    ):
        load_checkpoint(model, source)
        assert_equal(model, state)
    assert asked[0]["weights_only"], "what is downloaded is read as safely as a file"
    assert "torchvision has no weights called other" in refusal(tiny(), "torchvision:other")
    assert "torchvision has no weights called Other.V2" in refusal(tiny(), "torchvision:Other.V2")
    said = refusal(tiny(), "torchvision")
    assert said.startswith(
        "`tiny` does not say that it is a network of torchvision (reference: {weights: torchvision})"
    )
    assert said.endswith('say which, as in "torchvision:resnet50"')


def test_timm(monkeypatch: pytest.MonkeyPatch, state: State, trained: archbuilder.Network) -> None:
    timm = SimpleNamespace(
        is_model=lambda name: name == "tiny",
        is_model_pretrained=lambda name: name in ("tiny", "tiny.in1k"),
        create_model=lambda _name, pretrained: trained if pretrained else None,
    )
    monkeypatch.setitem(sys.modules, "timm", timm)
    for model, source in ((network_of("timm"), "timm"), (tiny(), "timm:tiny.in1k")):
        load_checkpoint(model, source)
        assert_equal(model, state)
    assert "timm has no weights called tiny.none" in refusal(tiny(), "timm:tiny.none")


def test_the_hub(monkeypatch: pytest.MonkeyPatch, state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "model.safetensors")
    torch.save(state, tmp_path / "other.pth")
    hub = SimpleNamespace(
        list_repo_files=lambda name: (
            ["README.md", "model.safetensors", "other.pth"] if name == "me/tiny" else ["a.txt"]
        ),
        hf_hub_download=lambda _name, file: str(tmp_path / file),
    )
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for source in ("hf:me/tiny", "hf:me/tiny/other.pth"):
        model = tiny()
        load_checkpoint(model, source)
        assert_equal(model, state)
    assert "me/other has no model.safetensors.index.json or" in refusal(tiny(), "hf:me/other")
    assert 'me/tiny has no x.bin: name its file, as in "hf:me/tiny/FILE"' in refusal(tiny(), "hf:me/tiny/x.bin")


@pytest.mark.parametrize(
    ("source", "module", "package"),
    [
        ("torchvision:resnet50", "torchvision", "torchvision"),
        ("timm:resnet50", "timm", "timm"),
        ("hf:timm/resnet50.a1_in1k", "huggingface_hub", "huggingface_hub"),
    ],
)
def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch, source: str, module: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, f"{module}.models", None)
    with pytest.raises(ModuleNotFoundError, match=f"needs {package}: pip install {package}"):
        load_checkpoint(tiny(), source)


# ---- one file for all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel], ids=["plain", "parallel"])
def test_a_saved_network_is_built_again(tmp_path: Path, wrap: Callable[[nn.Module], nn.Module]) -> None:
    model = tiny(classes=7).eval()
    archbuilder.save(wrap(model), tmp_path / "net.safetensors")
    again = archbuilder.build(tmp_path / "net.safetensors").eval()
    assert torch.equal(again(IMAGES), model(IMAGES))
    assert type(again) is type(model)
    assert again.spec.parameters["classes"] == 7
    assert load_file(tmp_path / "net.safetensors").keys() == model.state_dict().keys(), "others read its weights"


@pytest.mark.parametrize("features", ["layer1", ["layer1", -1], {"layer2": "out"}, {0: "first", "relu": "second"}])
def test_a_saved_backbone_is_one_again(tmp_path: Path, features: Any) -> None:
    model = archbuilder.build(text=TINY, features=features).eval()
    archbuilder.save(model, tmp_path / "net.safetensors")
    maps, expected = archbuilder.build(str(tmp_path / "net.safetensors")).eval()(IMAGES), model(IMAGES)
    assert list(maps) == list(expected)
    assert all(torch.equal(maps[name], expected[name]) for name in maps)


@pytest.mark.parametrize(("classes", "pool"), [(3, None), (0, None), (0, "")])
def test_a_saved_network_has_its_own_head(tmp_path: Path, classes: int, pool: str | None) -> None:
    model = tiny()
    model.reset_classifier(classes, pool)
    archbuilder.save(model, tmp_path / "net.safetensors")
    again = archbuilder.build(tmp_path / "net.safetensors").eval()
    assert again.num_classes == classes
    assert torch.equal(again(IMAGES), model(IMAGES))


DAMAGED_NOTES = (
    "", "{", "[]", "null", "3", f'{{"classes": {10**30}}}',
    "[" * 100_000, '{"features": ' * 50_000, "9" * 5000, '{"called": [], "features": ["layer1"]}',
    '{"classes": "x"}', '{"classes": 2.5}', '{"classes": true}', '{"classes": -1}', '{"classes": [1]}',
    '{"pooled": 3}', '{"pooled": null}', '{"classes": 5, "pooled": false}',
    '{"features": {"a": 3}}', '{"features": "layer1"}', '{"features": [null]}', '{"features": [true]}', '{"features": [["a"]]}',
    '{"called": ["a"]}', '{"called": []}', '{"called": ["a"], "features": null}', '{"called": "a", "features": ["layer1"]}',
    '{"called": ["a", "b"], "features": ["layer1"]}', '{"called": [3], "features": ["layer1"]}',
    '{"called": {"a": 1}, "features": ["layer1"]}', '{"features": ["layer1"], "classes": 5}',
)  # fmt: skip


@pytest.mark.parametrize("note", DAMAGED_NOTES, ids=lambda note: note[:40])
def test_a_damaged_note_of_how_a_network_was_made(tmp_path: Path, note: str) -> None:
    path = tmp_path / "net.safetensors"
    save_file(tiny().state_dict(), path, {"archbuilder.spec": TINY, "archbuilder.made": note})
    with pytest.raises(CheckpointError) as caught:
        archbuilder.build(path)
    said = str(caught.value)
    assert said.startswith(f"{path} says of its network what cannot be (`archbuilder.made`")
    assert said.endswith(": build(spec, weights=path) takes its weights alone")
    assert len(said) < 400
    assert archbuilder.build(text=TINY, weights=path).num_classes == 10


def test_a_saved_network_whose_blocks_hold_tensors_has_its_own_head(tmp_path: Path) -> None:
    scaled = TINY.replace("layer1: {block: basic, width: 8}", "layer1: {block: cn_block, norm: {kind: layer}}")
    model = archbuilder.build(text=scaled).eval()
    model.reset_classifier(3)
    archbuilder.save(model, tmp_path / "net.safetensors")
    assert torch.equal(archbuilder.build(tmp_path / "net.safetensors").eval()(IMAGES), model(IMAGES))


def test_what_was_saved_can_be_changed(tmp_path: Path) -> None:
    archbuilder.save(tiny(), tmp_path / "net.safetensors")
    backbone = archbuilder.build(tmp_path / "net.safetensors", features=["layer1"])
    assert list(backbone(IMAGES)) == ["layer1"]
    with pytest.raises(CheckpointError, match='head="new"'):
        archbuilder.build(tmp_path / "net.safetensors", classes=3)


RESETS = pytest.mark.parametrize(("classes", "pool"), [(3, None), (0, None), (0, "")])


@RESETS
@pytest.mark.parametrize("features", ["layer1", ["layer1", -1], {"layer2": "out"}, 0])
def test_a_network_that_was_reset_becomes_a_backbone_too(
    tmp_path: Path, classes: int, pool: str | None, features: Any
) -> None:
    model = tiny().eval()
    expected = archbuilder.build(text=TINY, features=features, weights=model.state_dict()).eval()(IMAGES)
    model.reset_classifier(classes, pool)
    archbuilder.save(model, tmp_path / "net.safetensors")
    maps = archbuilder.build(tmp_path / "net.safetensors", features=features).eval()(IMAGES)
    assert list(maps) == list(expected)
    assert all(torch.equal(maps[name], expected[name]) for name in maps)


@RESETS
@pytest.mark.parametrize("told", [{"classes": 7}, {"classes": 10}, {"fc.width": 7}], ids=str)
def test_what_asks_for_other_classes_than_a_network_was_given_is_told(
    tmp_path: Path, classes: int, pool: str | None, told: dict[str, Any]
) -> None:
    path = tmp_path / "net.safetensors"
    model = tiny()
    model.reset_classifier(classes, pool)
    archbuilder.save(model, path)
    with pytest.raises(CheckpointError) as caught:
        archbuilder.build(path, **told)
    (name,) = told
    given = f"{classes} classes" if classes else "no classes"
    assert str(caught.value).startswith(f"{path} has a network that was given {given} after it was built, ")
    assert f"(`{name}`)" in str(caught.value)
    assert "model.reset_classifier(" in str(caught.value)


def test_a_spec_that_is_told_to_have_no_classifier_is_none_where_it_was_reset(tmp_path: Path) -> None:
    model = tiny()
    model.reset_classifier(3)
    archbuilder.save(model, tmp_path / "net.safetensors")
    with pytest.raises(
        CheckpointError, match=r"was given 3 classes after it was built, and none are asked for \(`fc`\)"
    ):
        archbuilder.build(tmp_path / "net.safetensors", fc=None)


def test_what_says_nothing_of_classes_holds_beside_those_that_a_network_was_given(tmp_path: Path) -> None:
    model = tiny()
    model.reset_classifier(3)
    archbuilder.save(model, tmp_path / "net.safetensors")
    for told in ({}, {"classes": 3}, {"layer1.activation": "silu"}, {"input.size": 48}, {"layer2.stride": 1}):
        again = archbuilder.build(tmp_path / "net.safetensors", **told)
        assert again.num_classes == 3
        assert again(IMAGES).shape == (len(IMAGES), 3)
        assert again.reset_classifier(5) is None
        assert again(IMAGES).shape == (len(IMAGES), 5)


def test_a_model_that_is_no_longer_its_specs_is_not_saved(tmp_path: Path) -> None:
    model = tiny()
    model.fc = nn.Linear(16, 3)
    with pytest.raises(
        CheckpointError, match=r"no longer what its spec says: it differs in fc\.weight, fc\.bias; save its weights"
    ):
        archbuilder.save(model, tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match="a Linear has no spec that could be saved with it"):
        archbuilder.save(nn.Linear(2, 2), tmp_path / "net.safetensors")
    assert not (tmp_path / "net.safetensors").exists()


class Holder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"rgb": tiny()})


WITHOUT_SPEC: dict[str, tuple[Callable[[], Any], str]] = {
    "none of ours": (
        lambda: nn.Linear(2, 2),
        r"a Linear has no spec that could be saved with it; save its weights alone",
    ),
    "a vowel": (nn.Identity, "an Identity has no spec"),
    "an average": (
        lambda: torch.optim.swa_utils.AveragedModel(tiny()),
        (
            r"an AveragedModel has no spec that could be saved with it; its `module` has one; save that: "
            r"archbuilder\.save\(model\.module, path\), or its weights alone: torch\.save\(model\.state_dict\(\), path\)"
        ),
    ),
    "a holder": (
        Holder,
        r'its `encoder\.rgb` has one; save that: archbuilder\.save\(model\.get_submodule\("encoder\.rgb"\), path',
    ),
    "of its class": (type(tiny()), "a Tiny that its class has made has no spec"),
    "a block": (
        lambda: archbuilder.block("basic", width=64),
        "a block by itself is no network, which could be saved with its spec; save its weights alone",
    ),
    "a block without tensors": (lambda: archbuilder.block("global_pool"), "a block by itself is no network"),
}


@pytest.mark.parametrize(("make", "message"), WITHOUT_SPEC.values(), ids=WITHOUT_SPEC)
def test_a_model_that_is_none_of_a_spec_is_not_saved(tmp_path: Path, make: Callable[[], Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        archbuilder.save(make(), tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []


UNWRITABLE: dict[str, tuple[type[OSError], str]] = {
    "nowhere/net.safetensors": (FileNotFoundError, "No such file or directory"),
    "file/net.safetensors": (NotADirectoryError, "Not a directory"),
    "": (IsADirectoryError, "this is a folder; name a file in it"),
    ".": (IsADirectoryError, "this is a folder; name a file in it"),
    "folder": (IsADirectoryError, "this is a folder; name a file in it"),
    "folder/": (IsADirectoryError, "this is a folder; name a file in it"),
    "pipe": (FileExistsError, "this is there and no file"),
    f"{'n' * 300}": (OSError, "File name too long"),
}


@pytest.mark.parametrize("name", UNWRITABLE, ids=lambda name: name[:30])
def test_what_cannot_be_written_is_named_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    there = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match="Errno") as caught:
        archbuilder.save(tiny(), name)
    kind, said = UNWRITABLE[name]
    assert (type(caught.value), caught.value.strerror, caught.value.filename) == (kind, said, name)
    assert sorted(tmp_path.rglob("*")) == there
    archbuilder.save(tiny(), "n" * 255)
    assert (tmp_path / ("n" * 255)).is_file()


@pytest.mark.parametrize("model", ["net.pt", None, {"fc.weight": 1}])
def test_what_is_no_model_is_said(tmp_path: Path, model: Any) -> None:
    message = f"expected a model, as `archbuilder.build\\(spec\\)` gives, got {type(model).__name__}"
    with pytest.raises(TypeError, match=message):
        archbuilder.save(model, tmp_path / "net.safetensors")
    with pytest.raises(TypeError, match=message):
        load_checkpoint(model, {"fc.weight": torch.ones(2)})


def turned(model: Any) -> None:
    first, second = model.avgpool
    model.avgpool = nn.Sequential(OrderedDict({"1": second, "0": first}))


CHANGES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "a module": ("relu", lambda model: setattr(model, "relu", nn.SiLU())),
    "a module of the same name": ("relu", lambda model: setattr(model, "relu", type("ReLU", (nn.Sigmoid,), {})())),
    "a module in a block": ("layer1.relu1", lambda model: setattr(model.layer1, "relu1", nn.ReLU6())),
    "a number": (r"bn1\.eps", lambda model: setattr(model.bn1, "eps", 1.0)),
    "numbers": (r"conv1\.stride", lambda model: setattr(model.conv1, "stride", (1, 1))),
    "a word": (r"conv1\.padding_mode", lambda model: setattr(model.conv1, "padding_mode", "circular")),
    "one more in a row": (r"avgpool\.2", lambda model: model.avgpool.append(nn.Tanh())),
    "an order": (r"avgpool\.", turned),
    "a forward": (r"layer1\.forward", lambda model: setattr(model.layer1, "forward", lambda x: x)),
    "a shared module": (r"layer2\.bn2", lambda model: setattr(model.layer2, "bn2", model.layer2.bn1)),
    "a shared tensor": (r"layer2\.bn2", lambda model: setattr(model.layer2.bn2, "weight", model.layer2.bn1.weight)),
}


@pytest.mark.parametrize(("where", "change"), CHANGES.values(), ids=CHANGES)
def test_a_model_that_computes_something_else_is_not_saved(
    tmp_path: Path, where: str, change: Callable[[Any], object]
) -> None:
    model = tiny()
    change(model)
    with pytest.raises(CheckpointError, match=f"no longer what its spec says: it differs in {where}"):
        archbuilder.save(model, tmp_path / "net.safetensors")
    assert list(tmp_path.iterdir()) == []


SAME: dict[str, Callable[[Any], object]] = {
    "trained": lambda model: model.train(),
    "frozen": lambda model: model.requires_grad_(False),
    "half": lambda model: model.half(),
    "channels last": lambda model: model.to(memory_format=torch.channels_last),
    "checkpointed": lambda model: model.set_grad_checkpointing(),
    "with hooks": lambda model: model.layer1.register_forward_hook(print),
    "not in place": lambda model: setattr(model.relu, "inplace", False),
    "in several processes": nn.SyncBatchNorm.convert_sync_batchnorm,
    "with a note": lambda model: setattr(model.layer1, "note", "mine"),
    "compiled in part": lambda model: setattr(model, "layer1", torch.compile(model.layer1, backend="eager")),
    "asked for its parts": lambda model: model.forward_features(IMAGES),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_a_model_that_computes_what_it_did_is_saved(tmp_path: Path, change: Callable[[Any], object]) -> None:
    model = tiny()
    change(model)
    archbuilder.save(model, tmp_path / "net.safetensors")
    assert archbuilder.build(tmp_path / "net.safetensors").state_dict().keys() == tiny().state_dict().keys()


def test_a_file_without_a_spec(tmp_path: Path, state: State) -> None:
    save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(
        CheckpointError, match=r"has weights and no spec: name the spec, as in build\(spec, weights=path\)"
    ):
        archbuilder.build(tmp_path / "net.safetensors")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        archbuilder.build(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="is no safetensors file"):
        archbuilder.build(tmp_path / "bad.safetensors")


def test_a_file_is_overwritten_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    archbuilder.save(tiny(0), path)
    model = archbuilder.build(path)
    nn.init.zeros_(model.fc.weight)
    archbuilder.save(model, path)
    assert archbuilder.build(path).fc.weight.count_nonzero() == 0
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]
