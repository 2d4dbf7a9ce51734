"""What modules give beside one tensor: several outputs, tokens with held parameters, streams, and maps at a decoder's end."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, fx, nn
from torch.utils.flop_counter import FlopCounterMode

import archbuilder
from archbuilder import SpecError

from .test_clients import run_elsewhere

REPOSITORY = Path(__file__).parents[2]

HEADS = """
name: heads
input: {channels: 3, size: 32}
stem:
  conv: {block: conv_norm_act, width: 8}
stages:
  layer1: {block: basic, width: 8, stride: 2}
  layer2: {block: basic, width: 16, stride: 2}
neck:
  edges: {block: conv, from: layer1, width: 1, kernel: 1, output: always}
  early: {from: layer1, body: {pool: global_pool, fc: {block: linear, width: 5}}, output: training}
head:
  pool: global_pool
  fc: {block: linear, width: 5}
"""


def built(text: str) -> nn.Module:
    torch.manual_seed(0)
    return archbuilder.build(archbuilder.check("net.yaml", text=text).architecture)


@pytest.fixture
def heads() -> nn.Module:
    return built(HEADS)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


# ---- several outputs ---------------------------------------------------------------------------------------------


def test_a_named_tuple_with_the_main_output_first(heads: nn.Module, images: Tensor) -> None:
    given = heads.train()(images)
    assert given._fields == ("output", "edges", "early")
    assert [tuple(each.shape) for each in given] == [(2, 5), (2, 1, 16, 16), (2, 5)]
    output, edges, early = given
    assert (given.output, given.edges, given.early) == (output, edges, early)


def test_outputs_are_read_where_nobody_knows_of_the_spec(heads: nn.Module, images: Tensor, tmp_path: Path) -> None:
    given = heads(images)
    torch.save(given, tmp_path / "given.pt")
    (tmp_path / "given.pickle").write_bytes(pickle.dumps(given))
    code = """
import pickle, torch
with open("given.pickle", "rb") as file:
    first = pickle.load(file)
second = torch.load("given.pt", weights_only=False)
for given in (first, second):
    assert given._fields == ("output", "edges", "early")
    assert all(map(torch.equal, given, first))
"""
    run_elsewhere(code, tmp_path, package=True)
    for twin in (copy.copy(given), pickle.loads(pickle.dumps(given))):
        assert type(twin) is type(given)
        assert torch.equal(twin.edges, given.edges)


def test_in_eval_what_is_always_given(heads: nn.Module, images: Tensor) -> None:
    given = heads.eval()(images)
    assert given._fields == ("output", "edges", "early")
    assert given.early is None
    torch.testing.assert_close(given.edges, heads.edges(heads.layer1(heads.conv(images))))


def test_one_output_in_eval_is_a_tensor(images: Tensor) -> None:
    model = built(HEADS.replace(", output: always", ", output: training"))
    assert isinstance(model.eval()(images), Tensor)
    assert len(model.train()(images)) == 3


ON_THE_PATH = """
name: net
input: {channels: 3, size: 8}
stages:
  a: {block: conv, width: 8, kernel: 3, output: training}
  b: {block: conv, from: a, width: 4, kernel: 3}
"""


@pytest.mark.parametrize("more", ["", "head: {pool: global_pool, fc: {block: linear, width: 5}}\n"])
def test_an_output_for_training_on_the_main_path(more: str) -> None:
    model = built(ON_THE_PATH + more)
    image = torch.rand(2, 3, 8, 8)
    given = model.train()(image)
    assert given._fields == ("output", "a")
    torch.testing.assert_close(given.a, model.a(image))
    torch.testing.assert_close(model.eval()(image), given.output)
    torch.testing.assert_close(fx.symbolic_trace(model)(image), given.output)


def test_the_input_of_the_head_as_an_output_for_training() -> None:
    text = (
        "name: net\ninput: {channels: 3, size: 8}\nstages: {a: {block: conv, width: 8, kernel: 3, output: training}}\n"
    )
    model = built(text + "head: {pool: {block: global_pool, from: a}}")
    image = torch.rand(2, 3, 8, 8)
    assert [tuple(each.shape) for each in model.train()(image)] == [(2, 8), (2, 8, 8, 8)]
    assert model.eval()(image).shape == (2, 8)


def test_an_output_for_training_on_the_main_path_beside_one_that_is_always_given() -> None:
    model = built(ON_THE_PATH + "  edges: {block: conv, from: a, width: 1, kernel: 1, output: always}\n")
    image = torch.rand(2, 3, 8, 8)
    assert all(isinstance(each, Tensor) for each in model.train()(image))
    given = model.eval()(image)
    assert given._fields == ("output", "edges", "a")
    assert given.a is None
    torch.testing.assert_close(given.edges, model.edges(model.a(image)))


def test_heads_for_training_count_as_parameters_but_not_as_work(heads: nn.Module, images: Tensor) -> None:
    summary = archbuilder.check("heads.yaml", text=HEADS).summary
    assert summary.parameters == sum(each.numel() for each in heads.parameters())
    with FlopCounterMode(display=False) as counter:
        heads.eval()(images[:1])
    assert summary.macs * 2 == counter.get_total_flops()
    without = archbuilder.check("heads.yaml", {"early": None}, text=HEADS).summary
    assert (summary.macs, summary.parameters) == (without.macs, without.parameters + 8 * 5 + 5)


def test_gradients_reach_every_head(heads: nn.Module, images: Tensor) -> None:
    sum(each.square().mean() for each in heads.train()(images)).backward()
    assert all(parameter.grad is not None for parameter in heads.parameters())


def test_googlenet_is_torchvisions_in_its_outputs() -> None:
    torch.manual_seed(0)
    model = archbuilder.build("googlenet", classes=4)
    image = torch.rand(2, 3, 64, 64)
    assert model.train()(image)._fields == ("output", "aux1", "aux2")
    assert model.eval()(image).shape == (2, 4)


def test_traced_compiled_and_exported_in_eval(heads: nn.Module, images: Tensor) -> None:
    heads.eval()
    expected = heads(images)

    def same(given: tuple[Tensor | None, ...]) -> None:
        assert given[2] is None
        torch.testing.assert_close(tuple(given[:2]), tuple(expected[:2]))

    same(fx.symbolic_trace(heads)(images))
    same(torch.compile(heads, fullgraph=True, backend="aot_eager")(images))
    program = torch.export.export(heads, (images,), dynamic_shapes={"x": {0: torch.export.Dim("batch", min=1, max=8)}})
    same(program.module()(images))


TRACING = "ignore:`torch.jit:DeprecationWarning"


@pytest.mark.filterwarnings(TRACING)
def test_saved_by_export_and_traced(tmp_path: Path) -> None:
    model = built(ON_THE_PATH.replace("output: training", "output: always")).eval()
    image = torch.rand(1, 3, 8, 8)
    expected = model(image)
    assert expected._fields == ("output", "a")
    torch.export.save(torch.export.export(model, (image,)), tmp_path / "net.pt2")
    loaded = torch.export.load(tmp_path / "net.pt2").module()(image)
    traced = torch.jit.trace(model, image)(image)
    assert type(loaded) is type(expected)
    for found in (loaded, traced):
        torch.testing.assert_close(tuple(found), tuple(expected))


@pytest.mark.filterwarnings(TRACING)
def test_a_backbone_is_saved_by_export_and_traced(tmp_path: Path) -> None:
    model = archbuilder.build("resnet18", features=["layer1", "layer2"]).eval()
    image = torch.rand(1, 3, 32, 32)
    torch.export.save(torch.export.export(model, (image,)), tmp_path / "net.pt2")
    for twin in (torch.export.load(tmp_path / "net.pt2").module(), torch.jit.trace(model, image, strict=False)):
        torch.testing.assert_close(twin(image), model(image))


def test_compiled_in_training(heads: nn.Module, images: Tensor) -> None:
    expected = heads.train()(images)
    heads.conv[1].reset_running_stats()
    for given, wanted in zip(torch.compile(heads, fullgraph=True, backend="aot_eager")(images), expected, strict=True):
        torch.testing.assert_close(given, wanted)


# ---- tokens and held parameters ----------------------------------------------------------------------------------


def test_positions_are_resized_where_the_input_has_another_size() -> None:
    torch.manual_seed(0)
    model = archbuilder.build("pvt_v1_tiny", classes=3, **{"input.size": 64}).eval()
    assert model.pos_embed1.shape == (1, 16 * 16, 64)
    assert model.pos_embed4.shape == (1, 2 * 2 + 1, 512)
    with torch.no_grad():
        usual, larger = model(torch.rand(1, 3, 64, 64)), model(torch.rand(1, 3, 96, 160))
    assert usual.shape == larger.shape == (1, 3)
    for size in ((3, 64, 64), (3, 96, 160)):
        graph = archbuilder.lower(archbuilder.load("pvt_v1_tiny", classes=3, **{"input.size": 64}), size)
        assert {key: tensor.shape for key, tensor in graph.state()} == {
            key: tuple(value.shape) for key, value in model.state_dict().items()
        }


def test_positions_at_their_own_size_are_taken_as_they_are() -> None:
    torch.manual_seed(0)
    model = archbuilder.build("pvt_v1_tiny", classes=3, **{"input.size": 64}).eval()
    traced = fx.symbolic_trace(model)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(traced(image), model(image))


HELD = """
name: held
input: {channels: 4, size: 8}
blocks:
  scaled:
    parameters: {init: 0.5}
    body:
      gamma: {block: parameter, shape: ["$(input.channels)", 1, 1], init: {constant: $init}}
      bias: {block: parameter, shape: [1], init: ones}
      conv: {block: conv, kernel: 3}
      product: {block: multiply, from: [conv, gamma]}
      sum: {block: add, from: [product, bias]}
stages: {a: {block: scaled, depth: 2}, b: {block: scaled, init: 0.25}}
"""


def test_held_parameters_come_first_and_are_drawn_as_said() -> None:
    model = built(HELD)
    assert list(model.state_dict())[:3] == ["a.0.gamma", "a.0.bias", "a.0.conv.weight"]
    assert [model.get_parameter(f"{name}.gamma").unique().tolist() for name in ("a.0", "a.1", "b")] == [
        [0.5],
        [0.5],
        [0.25],
    ]
    model(torch.rand(1, 4, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    nn.init.zeros_(model.b.gamma)
    model.reset_parameters()
    assert model.b.gamma.unique().tolist() == [0.25]


# ---- decoders and streams ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unet() -> nn.Module:
    torch.manual_seed(0)
    return archbuilder.build(REPOSITORY / "examples" / "unet_resnet18.yaml", classes=4).eval()


def test_a_decoder_gives_a_map_of_the_inputs_size(unet: nn.Module) -> None:
    with torch.no_grad():
        assert unet(torch.rand(1, 3, 64, 96)).shape == (1, 4, 64, 96)
    assert [(tap["module"], tap["num_chs"], tap["reduction"]) for tap in unet.feature_info] == [
        ("layer4", 512, 32), ("up3", 256, 16), ("up2", 128, 8), ("up1", 64, 4), ("up0", 32, 2),
    ]  # fmt: skip
    encoder = archbuilder.build("resnet18").state_dict()
    missing, unexpected = unet.load_state_dict(encoder, strict=False)
    assert unexpected == ["fc.weight", "fc.bias"]
    assert all(key.startswith(("up", "classifier")) for key in missing)


def test_a_decoder_is_what_its_steps_say(unet: nn.Module) -> None:
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        x = skip = unet.relu(unet.bn1(unet.conv1(image)))
        skips = [skip.clone()]
        x = unet.maxpool(x)
        for stage in (unet.layer1, unet.layer2, unet.layer3, unet.layer4):
            x = stage(x)
            skips.append(x)
        for up, skip in zip((unet.up3, unet.up2, unet.up1, unet.up0), reversed(skips[:-1]), strict=True):
            joined = torch.cat([nn.functional.interpolate(x, scale_factor=2), skip], dim=1)
            x = up.conv2(up.conv1(joined))
        x = nn.functional.interpolate(unet.classifier(x), scale_factor=2, mode="bilinear")
        torch.testing.assert_close(unet(image), x)


def test_a_decoder_at_a_size_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SpecError, match="concat expected maps of one size"):
        archbuilder.check(REPOSITORY / "examples" / "unet_resnet18.yaml", input=(3, 72, 72))


def test_features_of_streams() -> None:
    torch.manual_seed(0)
    names = [f"incre_modules.{number}" for number in range(4)]
    model = archbuilder.build("hrnet_w18_small").eval()
    backbone = archbuilder.build("hrnet_w18_small", features=["act1", *names]).eval()
    missing = backbone.load_state_dict(model.state_dict(), strict=False).missing_keys
    assert missing == []
    assert not hasattr(backbone, "classifier")
    assert not hasattr(backbone, "downsamp_modules")
    seen: dict[str, Tensor] = {}
    for name in ("act1", *names):
        model.get_submodule(name).register_forward_hook(lambda *call, name=name: seen.update({name: call[-1]}))
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        maps = backbone(image)
        model(image)
    assert [(name, tuple(value.shape)) for name, value in maps.items()] == [
        ("act1", (1, 64, 32, 32)), *((name, (1, 128 * 2**i, 16 // 2**i, 16 // 2**i)) for i, name in enumerate(names)),
    ]  # fmt: skip
    for name, value in maps.items():
        torch.testing.assert_close(value, seen[name], msg=name)


def test_streams_are_traced_compiled_and_exported() -> None:
    model = built("""
name: streams
input: {channels: 3, size: 32}
stem: {conv: {block: conv_norm_act, width: 8}}
stages:
  transition: {block: hr_transition, streams: 3}
  stage: {block: hr_module, blocks: 1, depth: 2}
neck: {gather: {block: hr_head, width: 16}}
head: {pool: global_pool}
""").eval()
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        expected = model(image)
        assert expected.shape == (2, 64)
        for twin in (
            fx.symbolic_trace(model),
            torch.compile(model, fullgraph=True, backend="aot_eager"),
            torch.export.export(model, (image,)).module(),
        ):
            torch.testing.assert_close(twin(image), expected)
