"""What Python code says to `load` and `build`, and what it gets: specs of every form, and models whose facts are their own."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import archbuilder

TEXT = """
name: net
class: Own
input: {channels: 3, size: 16}
parameters: {classes: 10}
stem: [{block: conv, width: 8, kernel: 3, stride: 2}, norm]
stages: {layer1: {block: basic, width: 8}, layer2: {block: basic, width: 16, stride: 2}}
head: {pool: global_pool, fc: {block: linear, width: $classes}}
variants: {wide: {stages: {layer2: {width: 32}}}}
"""
WRITTEN = {
    "name": "net",
    "class": "Own",
    "input": {"channels": 3, "size": 16},
    "parameters": {"classes": 10},
    "stem": [{"block": "conv", "width": 8, "kernel": 3, "stride": 2}, "norm"],
    "stages": {
        "layer1": {"block": "basic", "width": 8},
        "layer2": {"block": "basic", "width": 16, "stride": 2},
    },
    "head": {"pool": "global_pool", "fc": {"block": "linear", "width": "$classes"}},
}
IMAGES = torch.rand(2, 3, 16, 16)


def shapes(model: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in model.state_dict().items()}


def test_a_dict_and_a_text_are_specs_as_files_are() -> None:
    of_text = archbuilder.build(text=TEXT, classes=7)
    assert shapes(archbuilder.build(WRITTEN, classes=7)) == shapes(of_text)
    assert shapes(archbuilder.build(spec=WRITTEN, classes=7)) == shapes(of_text)
    assert shapes(archbuilder.build(archbuilder.load(text=TEXT, classes=7))) == shapes(of_text)
    assert shapes(archbuilder.build(archbuilder.load(WRITTEN, classes=7))) == shapes(of_text)
    assert type(of_text).__name__ == "Own"
    assert of_text.fc.out_features == 7
    assert archbuilder.summarize(archbuilder.lower(WRITTEN)).parameters == archbuilder.check(WRITTEN).summary.parameters
    assert archbuilder.build("net#wide", text=TEXT, channels=1).layer2.conv1.weight.shape == (32, 8, 3, 3)
    assert str(archbuilder.why(WRITTEN, "layer2.stride"))


def test_a_dict_is_left_as_it_is_and_may_extend() -> None:
    written = copy.deepcopy(
        {"name": "n", "extends": "resnet18", "stages": {"layer4": None}, "parameters": {"classes": 3}}
    )
    before = copy.deepcopy(written)
    model = archbuilder.build(written)
    assert written == before
    assert (model.fc.in_features, model.fc.out_features) == (256, 3)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "`name` is missing"),
        ({"name": "n", "stages": {"a": {"block": "conv", "widht": 8}}}, "`conv` has no parameter `widht`"),
        ({"name": "n", "stages": {"a": {"block": object}}}, "`block` must be a text, got <class 'object'>"),
    ],
)
def test_what_is_wrong_in_a_dict_is_a_diagnostic(written: dict[str, object], message: str) -> None:
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.load(written) and archbuilder.lower(written)
    assert message in [each.message for each in error.value.diagnostics]


def test_a_dict_that_holds_itself_is_a_diagnostic() -> None:
    written: dict[str, object] = {"name": "n"}
    written["stages"] = written
    with pytest.raises(archbuilder.SpecError, match="nests deeper than any network, or holds itself"):
        archbuilder.build(written)


@pytest.mark.parametrize("function", [archbuilder.load, archbuilder.check, archbuilder.build])
def test_no_spec_at_all_is_said(function: object) -> None:
    with pytest.raises(TypeError, match="name a spec, as in"):
        function()  # type: ignore[operator]


@pytest.mark.parametrize("function", [archbuilder.load, archbuilder.check, archbuilder.lower, archbuilder.build])
@pytest.mark.parametrize("spec", [3, [], b"x", {1}], ids=repr)
def test_what_can_be_no_spec_is_said(function: Callable[[object], object], spec: object) -> None:
    with pytest.raises(TypeError, match=f"a spec is a path, .* or a dict, got {type(spec).__name__}"):
        function(spec)


def test_a_text_needs_no_name() -> None:
    assert archbuilder.check(text=TEXT).graph.name == archbuilder.load(text=TEXT).name == "net"


@pytest.mark.parametrize("function", [archbuilder.summarize, archbuilder.render, archbuilder.to_source])
def test_what_takes_a_graph_says_so(function: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"expected a graph, as `archbuilder\.lower\(spec\)` gives, got str"):
        function("resnet18")


def test_what_takes_an_architecture_says_so() -> None:
    with pytest.raises(TypeError, match=r"expected an architecture, as `archbuilder\.load\(spec\)` gives, got dict"):
        archbuilder.dump({"name": "net"})  # type: ignore[arg-type]


def test_messages_name_a_text() -> None:
    wrong = TEXT.replace("basic", "basik")
    for name, called in ((None, "<text>"), ("net.yaml", "net.yaml"), ("net.yaml#wide", "net.yaml")):
        with pytest.raises(archbuilder.SpecError, match=f"^{called}:7:26: error"):
            archbuilder.build(name, text=wrong)


def test_each_model_has_feature_info_of_its_own() -> None:
    first, second = archbuilder.build(text=TEXT), archbuilder.build(text=TEXT)
    expected = [
        {"num_chs": 8, "reduction": 2, "module": "layer1"},
        {"num_chs": 16, "reduction": 4, "module": "layer2"},
    ]
    for info in first.feature_info:
        info["channels"] = info.pop("num_chs")
    first.feature_info.pop()
    later = archbuilder.build(text=TEXT)
    copied, unpickled = copy.deepcopy(second), pickle.loads(pickle.dumps(second))
    second.feature_info.clear()
    for model in (later, copied, unpickled):
        assert model.feature_info == expected


def test_feature_info_is_what_timm_takes() -> None:
    """The checks of `FeatureInfo` in timm 1.0."""
    for name in ("resnet18", "googlenet", "hrnet_w18_small", "pvt_v2_b0", "mobilenet_v2"):
        before = 1
        for info in archbuilder.build(name).feature_info:
            assert info["num_chs"] > 0
            assert info["reduction"] >= before
            before = info["reduction"]
            assert "module" in info


def test_feature_maps_are_returned_under_the_names_that_they_are_given() -> None:
    plain = archbuilder.build(text=TEXT, features=["layer2", "layer1"]).eval()
    named = archbuilder.build(text=TEXT, features={"layer2": "out", "layer1": "a name.with 'all'"}).eval()
    named.load_state_dict(plain.state_dict())
    maps, expected = named(IMAGES), plain(IMAGES)
    assert list(maps) == ["out", "a name.with 'all'"]
    assert all(torch.equal(one, other) for one, other in zip(maps.values(), expected.values(), strict=True))
    assert named.feature_info == plain.feature_info  # modules keep their names


@pytest.mark.parametrize("features", [{"layer1": 1}, {None: "layer1"}, 3.0, [False]])
def test_features_that_are_no_names_are_refused(features: object) -> None:
    with pytest.raises(TypeError, match="`features` are names of steps"):
        archbuilder.build(text=TEXT, features=features)  # type: ignore[arg-type]


def test_two_feature_maps_of_one_name_are_refused() -> None:
    with pytest.raises(archbuilder.SpecError, match="two feature maps are to be called `out`"):
        archbuilder.build(text=TEXT, features={"layer1": "out", "layer2": "out"})


# ---- mistakes in a dict --------------------------------------------------------------------------------------------------

PATCHES: list[dict[str, Any]] = [
    {"stages": {"layer1": {"block": "basc"}}},
    {"stages": {"layer1": {"depht": 3}}},
    {"stages": {"layer1": {"depth": "x"}}},
    {"stages": {"layer9": {"depth": 3}}},
    {"stages": {"layer1": {"groups": 2}}},
    {"head": {"fc": {"width": "$clases"}}},
    {"defaults": {"bsic": {"width": 3}}},
    {"defaults": {"basic": {"wdth": 3}}},
    {"input": {"size": -3}},
    {"input": {"sise": 3}},
    {"output_stride": "x"},
    {"scale": {"width": "x"}},
    {"foo": 3},
    {"features": ["layer9"]},
    {"expect": {"layers": 3}},
    {"blocks": {"mine": {"body": {"a": {"block": "convv"}}}}, "stages": {"layer1": {"block": "mine"}}},
]


@pytest.mark.parametrize("patch", PATCHES, ids=str)
def test_a_mistake_in_a_dict_is_not_placed_in_what_it_extends(patch: dict[str, Any]) -> None:
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.check({"name": "q", "extends": "resnet18", **patch})
    assert [each.place for each in caught.value.diagnostics] == [None] * len(caught.value.diagnostics)


def test_a_mistake_that_shows_in_what_a_dict_extends_is_its_own() -> None:
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.check({"name": "q", "extends": "resnet18", "parameters": {"classes": -3}})
    (found,) = caught.value.diagnostics
    assert str(found).startswith("<dict>:1:10: error[bad-value]: `width` must be a number of channels")
    assert "extends: resnet18" in str(found)
    assert found.notes[0].text == "it shows here"


def test_a_mistake_in_what_a_dict_extends_is_placed_there(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text("name: base\nextends: resnet18\nstages: {layer1: {block: basc}}\n", "utf-8")
    with pytest.raises(archbuilder.SpecError, match=r"base\.yaml:3:26: error\[unknown-block\]"):
        archbuilder.check({"name": "q", "extends": str(base), "stages": {"layer2": {"depth": 3}}})


def test_why_does_not_place_a_dicts_values_in_what_it_extends() -> None:
    spec = {
        "name": "q",
        "extends": "resnet18",
        "defaults": {"basic": {"zero_init": True}},
        "stages": {"layer1": {"depth": 3}},
    }
    for path in ("layer1.0.zero_init", "layer1.depth"):
        assert archbuilder.why(spec, path).candidates[0].place is None


# ---- an architecture, taken apart and changed ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet18", "hrnet_w18_small", "pvt_v1_tiny", "efficientnet_b0"])
@pytest.mark.parametrize("by", [{}, {"by_alias": True}, {"exclude_none": True}, {"exclude_unset": True}], ids=str)
def test_what_pydantic_dumps_is_the_same_architecture(name: str, by: dict[str, bool]) -> None:
    architecture = archbuilder.load(name)
    again = archbuilder.Architecture(**architecture.model_dump(**by))
    assert not archbuilder.diff(architecture, again)


CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a word": (lambda each: setattr(each, "output_stride", "q"), "`output_stride` must be 8, 16 or 32, got `q`"),
    "a number inside": (lambda each: setattr(each.input, "size", "q"), "`size` must be a whole number or a pair"),
    "numbers inside": (lambda each: setattr(each.input, "mean", "x"), "`mean` must be a number, or a list"),
    "a part": (lambda each: setattr(each, "input", 3), "`input` must be a map, got 3"),
    "a section": (lambda each: setattr(each, "stages", 3), "`stages` must be a map or a list of steps, got 3"),
    "a text": (lambda each: setattr(each.reference, "paper", 3), "`paper` must be a text, got 3"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("use", [archbuilder.check, archbuilder.lower, archbuilder.build, archbuilder.load])
def test_an_architecture_that_was_changed_is_read_anew(
    change: Callable[[Any], object], message: str, use: Callable[[Any], object]
) -> None:
    architecture = archbuilder.load("resnet18")
    change(architecture)
    with pytest.raises(archbuilder.SpecError, match=message):
        use(architecture)


def test_what_was_changed_holds_and_what_it_replaces_may_go_unused() -> None:
    architecture = archbuilder.load("mobilenet_v2")
    architecture.head, architecture.expect, architecture.output_stride, architecture.input.size = None, None, 16, 64
    graph = archbuilder.lower(architecture)
    assert (str(graph.input), str(graph.output_shape)) == ("3×64×64", "1280×4×4")


@pytest.mark.parametrize(
    "spec", [{**WRITTEN, "parameters": {"text": 8}}, archbuilder.load(text=TEXT)], ids=["dict", "model"]
)
@pytest.mark.parametrize("use", [archbuilder.build, archbuilder.load])
def test_a_text_beside_a_spec_is_refused(use: Callable[..., object], spec: Any) -> None:
    with pytest.raises(
        TypeError, match=f"there are two specs, an? {type(spec).__name__} and a `text`: give one of them"
    ):
        use(spec, text=TEXT)
    for given in ((spec,), ()):
        with pytest.raises(
            TypeError, match="`text` is a spec as a text, got 16; a parameter that is called so is set in the spec"
        ):
            use(*given, text=16)


ARGUMENTS = """
name: net
input: {channels: 3, size: 16}
parameters: {features: 8, weights: 8, spec: 8, text: 8, channels: 3}
stages:
  a: {block: conv, kernel: 3, width: $(features + channels)}
  b: {block: conv, kernel: 3, width: $(weights + spec + text)}
"""


@pytest.mark.parametrize("use", [archbuilder.build, archbuilder.load, archbuilder.check, archbuilder.check_block])
@pytest.mark.parametrize("spec", [6, 6.0, True, ["net"], (), b"net", object()], ids=lambda spec: type(spec).__name__)
def test_a_spec_beside_a_text_is_its_name(use: Callable[..., object], spec: Any) -> None:
    told = {"block": "basic"} if use is archbuilder.check_block else {}
    with pytest.raises(
        TypeError, match=r"`spec` is the name of a file or of a text, got .*; a parameter that is called so"
    ):
        use(**told, text=ARGUMENTS, spec=spec)


@pytest.mark.parametrize("name", ["features", "weights", "spec", "text", "channels"])
def test_a_parameter_that_is_called_as_an_argument_is_set_in_parameters(name: str) -> None:
    for value in (1, 6):
        model = archbuilder.build(text=ARGUMENTS, **{f"parameters.{name}": value})
        assert model.spec.parameters[name] == value
        widths = {"features": 8, "weights": 8, "spec": 8, "text": 8, "channels": 3, name: value}
        assert model.a.out_channels == widths["features"] + widths["channels"]
        assert model.b.out_channels == widths["weights"] + widths["spec"] + widths["text"]
        assert archbuilder.load(text=ARGUMENTS, **{f"parameters.{name}": value}).parameters[name] == value
        assert archbuilder.check(None, {name: value}, text=ARGUMENTS).architecture.parameters[name] == value


BLOCK = """
blocks:
  mine:
    parameters: {spec: {type: int, default: 2}, text: {type: int, default: 2}, tokens: {type: int, default: 2}}
    body: {c: {block: conv, kernel: 1, width: $(spec * text * tokens)}}
"""


@pytest.mark.parametrize(
    "given", [{"text": BLOCK, "spec": 6}, {"text": 6}, {"spec": 6}, {"text": BLOCK, "tokens": 6}], ids=str
)
@pytest.mark.parametrize("use", [archbuilder.block, archbuilder.check_block])
def test_a_parameter_of_a_block_that_is_called_as_an_argument_is_told(
    use: Callable[..., object], given: dict[str, Any]
) -> None:
    name = [*given][-1]
    with pytest.raises(TypeError, match=f"`{name}` is .*, got 6; a parameter that is called so is set in the spec"):
        use("mine", **given)
