"""What people do with a module, done with a built one: nothing of it may need to know that a spec was there."""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import torch
from torch import Tensor, fx, nn

import archbuilder
from benchmarks.reference import torchvision_module

from . import workers

REPOSITORY = Path(__file__).parents[2]
STAGES = ["layer2", "layer4"]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return archbuilder.build("resnet18", classes=10).eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def stage_maps(model: nn.Module, images: Tensor, stages: list[str] = STAGES) -> dict[str, Tensor]:
    """What the full model computes there, seen by hooks."""
    seen: dict[str, Tensor] = {}
    twin = copy.deepcopy(model)  # the model itself stays without hooks
    for stage in stages:
        twin.get_submodule(stage).register_forward_hook(lambda *call, stage=stage: seen.update({stage: call[-1]}))
    with torch.no_grad():
        twin(images)
    return seen


def assert_maps_equal(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert list(got) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, msg=name)


def run_elsewhere(code: str, cwd: Path, *, package: bool) -> None:
    """Runs Python code in a new process far from the sources; `package` says whether it may see archbuilder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if package:
        environment["PYTHONPATH"] = str(Path(archbuilder.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# ---- copies ------------------------------------------------------------------------------------------------------


def test_deepcopy(model: nn.Module, images: Tensor) -> None:
    twin = copy.deepcopy(model)
    before = model(images)
    assert torch.equal(twin(images), before)
    nn.init.zeros_(twin.conv1.weight)
    assert torch.equal(model(images), before)
    assert isinstance(twin, archbuilder.Network)
    assert type(twin.layer1[0]).__bases__ == (nn.Module,), "a block is no network, copied or not"


def test_pickle_into_a_process_without_the_spec(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text((REPOSITORY / "examples" / "fashion_resnet.yaml").read_text("utf-8"), "utf-8")
    torch.manual_seed(0)
    model = archbuilder.build(spec).eval()
    spec.unlink()
    images = torch.rand(2, 1, 28, 28)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    torch.save(model, tmp_path / "model.pt")
    torch.save((images, model(images), list(model.feature_info)), tmp_path / "expected.pt")
    code = """
import pickle, torch
images, expected, feature_info = torch.load("expected.pt")
with open("model.pickle", "rb") as file:
    first = pickle.load(file)
second = torch.load("model.pt", weights_only=False)
for model in (first, second):
    assert torch.equal(model(images), expected)
    assert model.feature_info == feature_info
    assert not model.training
assert type(first) is type(second), "the same source is the same class"
"""
    run_elsewhere(code, tmp_path, package=True)


# ---- what torch does with a module -------------------------------------------------------------------------------


def test_forward_hooks(model: nn.Module, images: Tensor) -> None:
    calls: list[str] = []
    leaves = [name for name, module in model.named_modules() if not any(True for _ in module.children())]
    for name in leaves:
        model.get_submodule(name).register_forward_hook(lambda *_, name=name: calls.append(name))
    model(images)
    assert sorted(calls) == sorted(leaves), "every leaf is called, and once"
    model.layer4.register_forward_hook(lambda _module, _input, output: torch.zeros_like(output))
    assert torch.equal(model(images), model.fc.bias.expand(4, 10)), "a hook may replace a stage's output"


def test_compile(model: nn.Module, images: Tensor) -> None:
    model.train()
    twin = copy.deepcopy(model)
    expected = model(images)
    output = torch.compile(twin, fullgraph=True, backend="aot_eager")(images)
    torch.testing.assert_close(output, expected)
    expected.square().mean().backward()
    output.square().mean().backward()
    for (name, parameter), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(other.grad, parameter.grad, msg=name)


def test_export(model: nn.Module, images: Tensor) -> None:
    program = torch.export.export(model, (images,))
    torch.testing.assert_close(program.module()(images), model(images))
    assert program.state_dict.keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "shufflenet_v2_x1_0",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("res2net50_26w_4s", "skresnet18", "hrnet_w18_small")),
    ],
)
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_scripted(name: str) -> None:
    """TorchScript follows loops through lists of modules, and lists of values."""
    network = archbuilder.build(name).eval()
    pictures = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(network)(pictures), network(pictures))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_gates_are_scripted() -> None:
    gates = "after_last_norm: {a: squeeze_excite, b: cbam, c: global_context, d: efficient_channel_attention}"
    network = archbuilder.build(text=f"name: net\nstages: {{a: {{block: basic, width: 16, {gates}}}}}\n").eval()
    pictures = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(torch.jit.script(network)(pictures), network(pictures))


def test_symbolic_trace(model: nn.Module, images: Tensor) -> None:
    traced = fx.symbolic_trace(model)
    assert torch.equal(traced(images), model(images))
    assert traced.state_dict().keys() == model.state_dict().keys()


def test_a_traced_model_is_pickled(model: nn.Module, images: Tensor, tmp_path: Path) -> None:
    traced = fx.symbolic_trace(model)
    torch.save(traced, tmp_path / "traced.pt")
    expected = model(images)
    for twin in (pickle.loads(pickle.dumps(traced)), torch.load(tmp_path / "traced.pt", weights_only=False)):
        assert torch.equal(twin(images), expected)


def test_channels_last(model: nn.Module, images: Tensor) -> None:
    expected = model(images)
    model = model.to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(images.to(memory_format=torch.channels_last)), expected)
    for name, value in stage_maps(model, images.to(memory_format=torch.channels_last), ["layer1", "layer3"]).items():
        assert value.is_contiguous(memory_format=torch.channels_last), name


def test_autocast(model: nn.Module, images: Tensor) -> None:
    expected = model(images)
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(images)
    assert output.dtype == torch.bfloat16
    output.float().square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        output = copy.deepcopy(model).eval()(images)
    assert output.isfinite().all()
    assert expected.dtype == torch.float32


def test_spawned_data_loader(model: nn.Module, images: Tensor) -> None:
    loader = torch.utils.data.DataLoader(
        workers.Predictions(model, images), batch_size=2, num_workers=2, multiprocessing_context="spawn"
    )
    torch.testing.assert_close(torch.cat(list(loader)), model(images).detach())


@pytest.mark.slow
def test_two_processes_on_gloo(model: nn.Module, images: Tensor, tmp_path: Path) -> None:
    torch.multiprocessing.spawn(workers.average_gradients, (model, images, tmp_path), nprocs=2)
    halves = [copy.deepcopy(model).train() for _ in range(2)]
    for half, part in zip(halves, images.chunk(2), strict=True):
        half(part).square().mean().backward()
    gradients = [torch.load(tmp_path / f"gradients{rank}.pt") for rank in range(2)]
    for name, _ in model.named_parameters():
        mean = (halves[0].get_parameter(name).grad + halves[1].get_parameter(name).grad) / 2
        assert torch.equal(gradients[0][name], gradients[1][name]), name
        torch.testing.assert_close(gradients[0][name], mean, msg=name, rtol=1e-3, atol=1e-5)


def test_meta_device_then_reset(model: nn.Module, images: Tensor) -> None:
    with torch.device("meta"):
        late = archbuilder.build("resnet18", classes=10)
    assert all(value.is_meta for value in late.state_dict().values())
    late.to_empty(device="cpu")
    for value in late.state_dict().values():
        value.fill_(float("nan") if value.is_floating_point() else -1)  # what nobody resets will be seen
    torch.manual_seed(1)
    late.reset_parameters()
    for (name, value), expected in zip(late.state_dict().items(), model.state_dict().values(), strict=True):
        assert value.isfinite().all(), name
        if expected.double().std(correction=0) == 0 or not expected.is_floating_point():
            assert torch.equal(value, expected), name
        elif value.numel() >= 1000:
            assert abs(value.std() / expected.std() - 1) < 0.1, name
            assert abs(value.mean()) < 0.2 * value.std(), name
    assert late.eval()(images).isfinite().all()


# ---- its parts ---------------------------------------------------------------------------------------------------


def test_children_in_order_give_the_maps(model: nn.Module, images: Tensor) -> None:
    """As torchvision's IntermediateLayerGetter goes through a model: by its direct children, one after the other."""
    x, seen = images, {}
    with torch.no_grad():
        for name, child in model.named_children():
            x = child(x)
            if name in STAGES:
                seen[name] = x
            if name == STAGES[-1]:
                break
    assert_maps_equal(seen, stage_maps(model, images))


def test_intermediate_layer_getter(model: nn.Module, images: Tensor) -> None:
    getter = torchvision_module("torchvision.models._utils").IntermediateLayerGetter(
        model, {name: name for name in STAGES}
    )
    with torch.no_grad():
        assert_maps_equal(getter(images), stage_maps(model, images))


class DirectChildren(fx.Tracer):
    """Keeps the direct children of the root whole, so that a stage is one node."""

    def is_leaf_module(self, module: nn.Module, qualified_name: str) -> bool:
        return "." not in qualified_name


def test_traced_and_cut(model: nn.Module, images: Tensor) -> None:
    cut = fx.GraphModule(model, DirectChildren().trace(model))
    nodes = {str(node.target): node for node in cut.graph.nodes if node.op == "call_module"}
    cut.graph.output_node().args = ({name: nodes[name] for name in STAGES},)
    cut.graph.eliminate_dead_code()
    assert [node.target for node in cut.graph.nodes if node.op == "call_module"][-1] == STAGES[-1]
    cut.recompile()
    with torch.no_grad():
        assert_maps_equal(cut(images), stage_maps(model, images))


def test_create_feature_extractor(model: nn.Module, images: Tensor) -> None:
    create = torchvision_module("torchvision.models.feature_extraction").create_feature_extractor
    extractor = create(model, {name: name for name in STAGES})
    with torch.no_grad():
        assert_maps_equal(extractor(images), stage_maps(model, images))


def test_grad_cam(model: nn.Module, images: Tensor) -> None:
    """Through a pool and one linear layer, the gradient of a class at a map is that class's weights over the area."""
    seen: dict[str, Tensor] = {}
    model.layer4.register_forward_hook(lambda _module, _input, output: seen.update(map=output))
    model.layer4.register_full_backward_hook(lambda _module, _input, output: seen.update(gradient=output[0]))
    model(images)[:, 3].sum().backward()
    heat = (seen["gradient"].mean((2, 3), keepdim=True) * seen["map"]).sum(1).relu()
    assert heat.shape == (4, 2, 2)
    assert heat.max() > 0
    torch.testing.assert_close(heat, torch.einsum("c,nchw->nhw", model.fc.weight[3] / 4, seen["map"]).relu())


@pytest.mark.parametrize("stages", [STAGES, ["layer1"], ["layer3"]], ids="+".join)
def test_backbone(model: nn.Module, images: Tensor, stages: list[str]) -> None:
    backbone = archbuilder.build("resnet18", features=stages).eval()
    state = model.state_dict()
    beyond = tuple(
        f"{name}." for name in ["layer1", "layer2", "layer3", "layer4", "fc"] if name > stages[-1] or name == "fc"
    )
    kept = [key for key in state if not key.startswith(beyond)]
    assert list(backbone.state_dict()) == kept
    backbone.load_state_dict({key: state[key] for key in kept}, strict=True)
    maps = backbone(images)
    assert type(maps) is dict
    assert_maps_equal(maps, stage_maps(model, images, stages))
    assert [tap["module"] for tap in backbone.feature_info] == stages
    for tap, value in zip(backbone.feature_info, maps.values(), strict=True):
        assert (tap["num_chs"], tap["reduction"]) == (value.shape[1], 64 // value.shape[2])
    assert [name for name, _ in backbone.named_children()][-1] == stages[-1]


# ---- its source --------------------------------------------------------------------------------------------------


def test_exported_file_needs_torch_alone(tmp_path: Path) -> None:
    graph = archbuilder.lower(archbuilder.load("resnet50", classes=10))
    (tmp_path / "model.py").write_text(archbuilder.to_source(graph), "utf-8")
    torch.manual_seed(0)
    model = archbuilder.build("resnet50", classes=10).eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.save((images, model(images), model.state_dict(), list(model.feature_info)), tmp_path / "expected.pt")
    code = """
import sys, torch
from model import ResNet
images, expected, state, feature_info = torch.load("expected.pt")
model = ResNet().eval()
assert list(model.state_dict()) == list(state)
model.load_state_dict(state, strict=True)
with torch.no_grad():
    torch.testing.assert_close(model(images), expected)
assert model.feature_info == feature_info
assert not [name for name in sys.modules if name.partition(".")[0] in ("archbuilder", "yaml", "pydantic")]
"""
    run_elsewhere(code, tmp_path, package=False)


def test_source_is_at_hand(model: nn.Module) -> None:
    assert inspect.getsource(type(model)).startswith("class ResNet(nn.Module):")
    assert "def forward(self" in inspect.getsource(type(model.layer1[0]))
    assert inspect.getsource(type(model)) in archbuilder.to_source(
        archbuilder.lower(archbuilder.load("resnet18", classes=10))
    )


def test_tracebacks_show_the_source(model: nn.Module) -> None:
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 5") as raised:
        model(torch.zeros(1, 5, 64, 64))
    frames = [frame for frame in traceback.extract_tb(raised.value.__traceback__) if frame.name == "forward"]
    assert "self.conv1(" in str(frames[0].line), "the first is the network's own; the others are torch's"
