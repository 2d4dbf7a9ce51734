"""Blocks in YAML cost at most twice what the same blocks cost in Python. What is compared takes turns."""

from time import perf_counter

import pytest

from archbuilder import dump
from archbuilder import load as load_network
from archbuilder.graph.graph import Graph
from archbuilder.language.load import load_architecture
from archbuilder.lowering import lower_architecture
from tests.plugin.conftest import Load

RESIDUAL = """
class Residual(BaseModel):
    width: Channels
    stride: int = 1
    dilation: int = 1
    ratio: float = 0.25
    groups: int | None = None
    group_width: int | None = None
    zero_init: bool = False


def joined(build: Builder, y: Value, x: Value, told: Residual, last: str) -> Value:
    y = build("drop_path", y, name="drop_path")
    changed = told.stride != 1 or x.channels != told.width
    short = build("project", x, name="downsample", width=told.width, stride=told.stride, when=changed)
    return build("activation", build("add", y, short, name="sum"), name=last)


@block("bottleneck_python")
def bottleneck(build: Builder, x: Value, told: Residual) -> Value:
    inner = round(told.width * told.ratio)
    y = build("conv", x, name="conv1", width=inner, kernel=1)
    y = build("activation", build("norm", y, name="bn1"), name="relu1")
    y = build("conv", y, name="conv2", width=inner, kernel=3, stride=told.stride, dilation=told.dilation,
              groups=told.groups, group_width=told.group_width)
    y = build("activation", build("norm", y, name="bn2"), name="relu2")
    y = build("conv", y, name="conv3", width=told.width, kernel=1)
    y = build("norm", y, name="bn3", zero_init=told.zero_init)
    return joined(build, y, x, told, "relu3")


@block("basic_python")
def basic(build: Builder, x: Value, told: Residual) -> Value:
    y = build("conv", x, name="conv1", width=told.width, kernel=3, stride=told.stride, dilation=told.dilation)
    y = build("activation", build("norm", y, name="bn1"), name="relu1")
    y = build("conv", y, name="conv2", width=told.width, kernel=3, dilation=told.dilation)
    y = build("norm", y, name="bn2", zero_init=told.zero_init)
    return joined(build, y, x, told, "relu2")
"""

NETWORKS = ("resnet18", "resnet50")


def in_python(name: str) -> str:
    """The network's spec with its residual blocks in Python."""
    text = dump(load_network(name))
    for block in ("bottleneck", "basic"):
        text = text.replace(f"block: {block},", f"block: {block}_python,").replace(f"{block}:", f"{block}_python:")
    return text


def graphs(name: str) -> tuple[Graph, Graph]:
    python = load_architecture("net.yaml", {}, in_python(name))
    return lower_architecture(load_network(name)), lower_architecture(python)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_networks_are_the_same(name: str, load: Load) -> None:
    load(RESIDUAL)
    yaml, python = graphs(name)
    assert any(node.body.definition.endswith("_python") for stage in python.nodes if isinstance(stage.body, Graph)
               for node in stage.body.nodes if isinstance(node.body, Graph))  # fmt: skip
    assert list(yaml.state()) == list(python.state())
    assert yaml.output_shape == python.output_shape


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_yaml_costs_at_most_twice_as_much(name: str, load: Load) -> None:
    load(RESIDUAL)
    yaml, python = load_network(name), load_architecture("net.yaml", {}, in_python(name))
    times: dict[str, list[float]] = {"yaml": [], "python": []}
    for turn in range(60):
        for key, architecture in (("yaml", yaml), ("python", python))[:: 1 if turn % 2 else -1]:
            begin = perf_counter()
            lower_architecture(architecture)
            times[key].append(perf_counter() - begin)
    best = {key: min(values) for key, values in times.items()}
    print(f"{name}: {best['yaml'] * 1e3:.2f} ms in YAML, {best['python'] * 1e3:.2f} ms in Python")  # noqa: T201
    assert best["yaml"] <= 2 * best["python"], best
