"""Networks of blocks in Python: readable source, the numbers of a module written by hand, pickles and exports."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archbuilder
from archbuilder.graph.graph import Graph
from tests.docs.pages import environment
from tests.networks import lowered
from tests.plugin.conftest import Load

BLOCKS = """
class Fork(BaseModel):
    width: Channels
    stride: int = 1
    kernels: list[int] = [3, 5]
    gate: bool = False


@block("fork")
def fork(build: Builder, x: Value, told: Fork) -> Value:
    '''Depthwise convolutions of several sizes, summed, beside a shortcut.'''
    sides = []
    for kernel in told.kernels:
        y = build("conv", x, name=f"conv{kernel}", kernel=kernel, stride=told.stride, group_width=1)
        sides.append(build("norm", y, name=f"norm{kernel}"))
    y = build("add", *sides, name="sum")
    y = build("conv", build("activation", y), name="mix", width=told.width, kernel=1, bias=True)
    y = build("squeeze_excite", y, name="gate", when=told.gate)
    changed = told.stride != 1 or x.channels != told.width
    short = build("project", x, name="short", width=told.width, stride=told.stride, when=changed)
    return build("add", y, short, name="out")
"""

NETWORK = """
parameters: {classes: 5}
stem:
  conv1: {block: conv, width: 8, kernel: 3}
stages:
  layer1: {block: fork, width: 8, depth: 2}
  layer2: {block: fork, width: 16, stride: 2, gate: true}
  layer3: {block: fork, width: 16, kernels: [1, 3, 5]}
head:
  pool: global_pool
  fc: {block: linear, width: $classes}
"""


class HandWritten(nn.Module):
    def __init__(
        self, channels: int, width: int, stride: int, kernels: tuple[int, ...], gate: nn.Module | None
    ) -> None:
        super().__init__()
        for kernel in kernels:
            conv = nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)
            self.add_module(f"conv{kernel}", conv)
            self.add_module(f"norm{kernel}", nn.BatchNorm2d(channels))
        self.kernels = kernels
        self.mix = nn.Conv2d(channels, width, 1)
        self.gate = gate or nn.Identity()
        self.short = nn.Identity()
        if stride != 1 or channels != width:
            self.short = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        sides = [getattr(self, f"norm{kernel}")(getattr(self, f"conv{kernel}")(x)) for kernel in self.kernels]
        return self.gate(self.mix(sum(sides[1:], sides[0]).relu())) + self.short(x)


def test_it_computes_what_a_hand_written_module_computes(load: Load) -> None:
    load(BLOCKS)
    model = built()
    reference = nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, 1, bias=False),
        HandWritten(8, 8, 1, (3, 5), None),
        HandWritten(8, 8, 1, (3, 5), None),
        HandWritten(8, 16, 2, (3, 5), model.layer2.gate),
        HandWritten(16, 16, 1, (1, 3, 5), None),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 5),
    )
    ours, theirs = model.state_dict(), reference.state_dict()
    assert [value.shape for value in ours.values()] == [value.shape for value in theirs.values()]
    reference.load_state_dict(dict(zip(theirs, ours.values(), strict=True)))
    x = torch.rand(2, 3, 32, 32)
    for mode in (True, False):
        assert torch.equal(model.train(mode)(x), reference.train(mode)(x))
    model(x).sum().backward()
    reference(x).sum().backward()
    pairs = zip(model.parameters(), reference.parameters(), strict=True)
    assert all(torch.equal(mine.grad, other.grad) for mine, other in pairs if mine is not other)


def built() -> nn.Module:
    text = f"name: net\ninput: {{size: 32}}{NETWORK}"
    return archbuilder.build(archbuilder.language.load.load_architecture("net.yaml", {}, text))


def test_one_class_for_what_has_the_same_steps(load: Load) -> None:
    load(BLOCKS)
    source = archbuilder.to_source(lowered(NETWORK))
    classes = [line for line in source.splitlines() if line.startswith("class ")]
    assert [line for line in classes if "Fork" in line] == ["class Fork(nn.Module):", "class Fork2(nn.Module):"]
    assert '"""Depthwise convolutions of several sizes, summed, beside a shortcut."""' in source
    assert "self.layer1 = nn.Sequential(*(Fork(width=8) for _ in range(2)))" in source
    assert "self, width: int, stride: int = 1, with_gate: bool = False, with_short: bool = False" in source


def test_other_steps_are_another_class_however_they_come_about(load: Load) -> None:
    load(BLOCKS)
    graph = lowered(NETWORK)
    loops = {node.body.loops for node in graph.nodes if isinstance(node.body, Graph) and node.body.definition == "fork"}
    assert len(loops) == 2


def test_it_is_pickled_into_a_process_without_the_plugin(load: Load) -> None:
    load(BLOCKS)
    model = built().eval()
    x = torch.rand(1, 3, 32, 32)
    Path("model.pkl").write_bytes(pickle.dumps((model, x, model(x))))
    Path("my_blocks.py").unlink()
    script = """
import pickle
model, x, y = pickle.load(open("model.pkl", "rb"))
assert (model(x) == y).all()
"""
    subprocess.run([sys.executable, "-c", script], check=True, env=environment())


def test_the_exported_source_runs_alone(load: Load) -> None:
    load(BLOCKS)
    model = built().eval()
    x = torch.rand(1, 3, 32, 32)
    Path("net.py").write_text(archbuilder.to_source(lowered(NETWORK)), "utf-8")
    torch.save({"state": model.state_dict(), "x": x, "y": model(x)}, "state.pt")
    script = """
import sys
import torch
import net
saved = torch.load("state.pt")
model = net.Net().eval()
model.load_state_dict(saved["state"])
assert torch.equal(model(saved["x"]), saved["y"])
assert not any(name.partition(".")[0] == "archbuilder" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, env={**environment(), "PYTHONPATH": "."})


@pytest.mark.parametrize("way", ["trace", "export", "compile"])
def test_torch_takes_it(way: str, load: Load) -> None:
    load(BLOCKS)
    model, x = built().eval(), torch.rand(1, 3, 32, 32)
    made = {
        "trace": lambda: torch.fx.symbolic_trace(model),
        "export": lambda: torch.export.export(model, (x,)).module(),
        "compile": lambda: torch.compile(model, fullgraph=True, backend="eager"),
    }[way]()
    assert torch.allclose(made(x), model(x), atol=1e-6)
