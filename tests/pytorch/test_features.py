"""Which module a feature map is named after, where several would do; and backbones of networks with several outputs."""

import numpy as np
import pytest
import torch

import archbuilder
from archbuilder import SpecError
from archbuilder.graph.graph import graphs_in

NUMBERED = """
name: net
input: {channels: 3, size: 16}
sequential: features
stem: {conv: {block: conv_norm_act, width: 8, stride: 2}}
stages: {layer1: {block: conv_norm_act, width: 8, depth: 3}}
head: {pool: global_pool}
"""
OUTPUTS = """
name: net
input: {channels: 3, size: 16}
stages:
  layer1: {block: conv_norm_act, width: 8}
  edges: {block: conv, kernel: 1, width: 2, from: layer1, output: always}
  further: {block: conv, kernel: 1, width: 4, output: training}
  layer2: {block: conv_norm_act, width: 16, stride: 2, from: layer1}
head: {pool: global_pool}
"""


def architecture(text: str) -> archbuilder.Architecture:
    return archbuilder.check("net.yaml", text=text).architecture


def test_numbered_repeats_are_named_after_the_last() -> None:
    whole = archbuilder.build(architecture(NUMBERED)).eval()
    assert [info["module"] for info in whole.feature_info] == ["features.3"]
    backbone = archbuilder.build(architecture(NUMBERED), features=["features.0", "features.3"]).eval()
    backbone.load_state_dict(whole.state_dict())
    images = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        maps = backbone(images)
        first = whole.features[0](images)
        last = whole.features(images)
    assert torch.equal(maps["features.0"], first)
    assert torch.equal(maps["features.3"], last)


@pytest.mark.parametrize("name", ["features.1", "features.2"])
def test_a_repeat_amid_others_is_no_feature_map(name: str) -> None:
    with pytest.raises(SpecError, match=f"there is no step `{name}` that gives a feature map"):
        archbuilder.build(architecture(NUMBERED), features=[name])


def test_features_of_the_spec_name_the_last_repeat() -> None:
    wanted = architecture(f"{NUMBERED}features: ['features.*']\n")
    assert [info["module"] for info in archbuilder.build(wanted).feature_info] == ["features.0", "features.3"]


def test_a_backbone_gives_no_further_outputs() -> None:
    backbone = archbuilder.build(architecture(OUTPUTS), features=["layer2"])
    maps = backbone(torch.rand(2, 3, 16, 16))
    assert {name: tuple(each.shape) for name, each in maps.items()} == {"layer2": (2, 16, 8, 8)}
    assert {key.partition(".")[0] for key in backbone.state_dict()} == {"layer1", "layer2"}


def test_further_outputs_can_be_feature_maps() -> None:
    backbone = archbuilder.build(architecture(OUTPUTS), features=["further", "edges"])
    maps = backbone(torch.rand(2, 3, 16, 16))
    assert {name: tuple(each.shape) for name, each in maps.items()} == {
        "further": (2, 4, 16, 16),
        "edges": (2, 2, 16, 16),
    }


def test_a_block_may_be_called_as_the_tuple_of_outputs() -> None:
    own = "blocks: {net_output: {body: {c: {block: conv, kernel: 1}, d: {block: add, from: [c, input]}}}}"
    text = OUTPUTS.replace(
        "further: {block: conv, kernel: 1, width: 4, ", "further: {block: net_output, from: layer1, "
    )
    model = archbuilder.build(architecture(f"{text}{own}\n"))
    outputs = model(torch.rand(2, 3, 16, 16))
    assert outputs._fields == ("output", "edges", "further")
    assert type(outputs).__name__ == "NetOutput"
    assert type(model.further).__name__ == "NetOutput2"


def test_a_list_of_one_value_is_a_list() -> None:
    stages = "{list: {block: streams, from: input}, norm: {block: norm, from: list.0}}"
    one = f"name: net\ninput: {{channels: 3, size: 4}}\nstages: {stages}\n"
    images = torch.rand(2, 3, 4, 4)
    model = archbuilder.build(architecture(one)).eval()
    torch.testing.assert_close(model(images), model.norm(images))


@pytest.mark.parametrize(
    ("name", "step", "module"),
    [("mobilenet_v2", "stage2", "features.3"), ("vgg11", "stage3", "features.10"), ("pvt_v1_tiny", "stage2", "map2")],
)
def test_a_map_goes_by_the_name_of_its_step_too(name: str, step: str, module: str) -> None:
    model = archbuilder.build(name, features=[step]).eval()
    (info,) = model.feature_info
    assert info["module"] == module
    with torch.no_grad():
        (found,) = model(torch.rand(1, 3, 64, 64)).values()
    assert found.shape[1] == info["num_chs"]
    assert 64 // found.shape[2] == info["reduction"]


def test_one_name_is_a_list_of_one() -> None:
    backbone = archbuilder.build(architecture(OUTPUTS), features="layer1")
    assert list(backbone(torch.rand(2, 3, 16, 16))) == ["layer1"]
    with pytest.raises(SpecError, match="there is no step `layer3`"):
        archbuilder.build(architecture(OUTPUTS), features="layer3")


def test_features_may_be_whatever_gives_names() -> None:
    for names in ((name for name in ["layer1"]), {"layer1": 1}.keys(), {"layer1"}):
        assert list(archbuilder.build(architecture(OUTPUTS), features=names)(torch.rand(1, 3, 32, 32))) == ["layer1"]


def test_features_may_be_whole_numbers_of_any_kind() -> None:
    (name,) = archbuilder.build(architecture(OUTPUTS), features=[1])(torch.rand(1, 3, 32, 32))
    for numbers in (np.array([1]), np.int64(1), {np.int64(1): name}):
        assert list(archbuilder.build(architecture(OUTPUTS), features=numbers)(torch.rand(1, 3, 32, 32))) == [name]


@pytest.mark.parametrize("features", [[True], ["layer1", None], 1.0, [["layer1"]]])
def test_features_are_names_or_numbers(features: object) -> None:
    said = r"`features` are names of steps, as in \['layer2', 'layer4'\], or numbers of feature maps, as in \[1, -1\], not "
    with pytest.raises(TypeError, match=said):
        archbuilder.build(architecture(OUTPUTS), features=features)  # type: ignore[arg-type]


STREAMS = """
name: n
input: {size: 32}
stem: {c: {block: conv, width: 4, kernel: 3}}
stages: {s: {block: hr_transition, streams: 3}, j: {block: hr_module, blocks: 1, depth: 2}}
neck: {k: {block: conv, from: j.0, width: 3, kernel: 1}}
"""


@pytest.mark.parametrize("name", ["c", "s.0", "s.2", "j.0", "j.2", "s.-1", "j.-3", "k"])
def test_parts_of_several_values_are_named_as_in_a_spec(name: str) -> None:
    torch.manual_seed(0)
    asked = archbuilder.build(text=STREAMS, features=[name]).eval()
    torch.manual_seed(0)
    said = archbuilder.build(text=f"{STREAMS}features: [{name}]\n", features=[0]).eval()
    images = torch.rand(2, 3, 32, 32)
    (ours,), (theirs,) = asked(images).items(), said(images).items()
    assert ours[0] == theirs[0] == name
    assert torch.equal(ours[1], theirs[1])
    assert asked.feature_info == said.feature_info


NO_MAPS = {
    "j": ("`j` is no feature map but the parts of one", "take one of them, as in j.0"),
    "j.3": ("there is no step `j.3` that gives a feature map", "`j` has 3 parts, j.0 to j.2"),
    "s.-4": ("there is no step `s.-4` that gives a feature map", "`s` has 3 parts, s.0 to s.2"),
    "s.x": ("there is no step `s.x` that gives a feature map", "`s` has 3 parts, s.0 to s.2"),
    "nope": ("there is no step `nope` that gives a feature map", "known here: c, j.0, j.1, j.2, k, s.0, s.1, s.2"),
}


@pytest.mark.parametrize("name", NO_MAPS)
def test_what_is_no_part_is_told(name: str) -> None:
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.build(text=STREAMS, features=[name])
    (found,) = caught.value.diagnostics
    assert (found.message, found.help) == NO_MAPS[name]


def test_what_is_known_has_the_names_of_the_spec() -> None:
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.build("hrnet_w18_small", features=["nope"])
    assert "~" not in str(caught.value)


# ---- beside `rename`, which may give a step the name of another one ----------------------------------------------------

TWO = """
name: net
input: {channels: 3, size: 16}
stages: {a: {block: basic, width: 8, stride: 2}, b: {block: basic, width: 16, stride: 2}}
"""
RENAMED = {
    "swapped": "rename: {a: b, b: a}",
    "one after the other": "rename: {a: b, b: c}",
    "anew": "rename: {a: c}",
    "nested": "rename: {a: b.x, b: a}",
    "swapped, and said": "rename: {a: b, b: a}\nfeatures: [a, b]",
    "dilated": "rename: {a: b, b: a}\noutput_stride: 8",
}
WIDTHS = {"a": 8, "b": 16}


@pytest.mark.parametrize("asked", [["a"], ["b"], ["a", "b"], ["b", "a"]], ids=str)
@pytest.mark.parametrize("said", RENAMED.values(), ids=RENAMED)
def test_features_name_steps_whatever_their_modules_are_called(said: str, asked: list[str]) -> None:
    plain = archbuilder.lower(archbuilder.load(text=TWO))
    graph = archbuilder.lower(archbuilder.load(text=f"{TWO}{said}\n"))
    modules = {plain.nodes[at].name: graph.nodes[at].name for at in range(2)}
    backbone = archbuilder.build(text=f"{TWO}{said}\n", features=asked)
    maps = backbone(torch.rand(1, 3, 16, 16))
    assert {name: maps[name].shape[1] for name in maps} == {name: WIDTHS[name] for name in asked}
    assert [info["num_chs"] for info in backbone.feature_info] == [WIDTHS[name] for name in asked]
    assert [info["module"] for info in backbone.feature_info] == [modules[name] for name in asked]


@pytest.mark.parametrize("said", RENAMED.values(), ids=RENAMED)
def test_numbers_of_feature_maps_go_by_their_order_whatever_their_names(said: str) -> None:
    for numbers in ([0], [1], [0, 1], [-1, 0]):
        backbone = archbuilder.build(text=f"{TWO}{said}\n", features=numbers)
        maps = backbone(torch.rand(1, 3, 16, 16))
        assert [value.shape[1] for value in maps.values()] == [[8, 16][number] for number in numbers]
        for name, value in maps.items():  # each is found again by the name that it was given
            again = archbuilder.build(text=f"{TWO}{said}\n", features=[name])(torch.rand(1, 3, 16, 16))
            assert again[name].shape == value.shape
    named = archbuilder.build(text=f"{TWO}{said}\n", features=[0, "b"])(torch.rand(1, 3, 16, 16))
    assert [value.shape[1] for value in named.values()] == [8, 16]


def test_a_step_comes_before_a_child_that_is_called_as_it() -> None:
    conv = "{block: conv, kernel: 3, width: %d, stride: 2}"
    inner = f"{{inline: true, body: {{c: {conv % 4}, d: {conv % 6}}}}}"
    text = f"name: n\ninput: {{size: 32}}\nstages: {{x: {inner}, a: {conv % 8}}}\nrename: {{a: z, c: a}}\n"
    assert [tap.name for tap in archbuilder.lower(archbuilder.load(text=text)).taps] == ["a", "d", "z"]
    (found,) = archbuilder.build(text=text, features=["a"])(torch.rand(1, 3, 32, 32)).values()
    assert found.shape[1] == 8
    with pytest.raises(SpecError, match="two feature maps are to be called `a`"):
        archbuilder.build(text=text, features=[0, "a"])


def test_one_map_that_is_asked_for_twice_is_returned_once() -> None:
    backbone = archbuilder.build(text=TWO, features=[0, "a", -2])
    assert list(backbone(torch.rand(1, 3, 16, 16))) == ["a"]
    assert backbone.feature_info.module_name() == ["a"]


@pytest.mark.parametrize("said", RENAMED.values(), ids=RENAMED)
def test_names_in_a_graph_are_plain_texts(said: str) -> None:
    inner = "defaults: {basic: {rename: {conv1: conv2, conv2: conv1}}}"
    graph = archbuilder.lower(archbuilder.load(text=f"{TWO}{said}\n{inner}\n"))
    names = [tap.name for tap in graph.taps]
    names += [name for each in graphs_in(graph) for node in each.nodes for name in (*node.all_names(), *each.register)]
    assert {type(name) for name in names} == {str}
