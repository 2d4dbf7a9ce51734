"""Blocks in Python: a step that they make is a step like any other."""

import pytest

import archbuilder
from archbuilder import SpecError
from archbuilder.analysis.summary import summarize
from tests.networks import lowered, mistakes, modules, node_at, op_at, outline
from tests.plugin.conftest import Load

TWIN = """
class Twin(BaseModel):
    width: Channels
    stride: int = 1
    kernels: list[int] = [3, 5]


@block("twin")
def twin(build: Builder, x: Value, parameters: Twin) -> Value:
    '''Convolutions side by side.'''
    half = parameters.width // len(parameters.kernels)
    sides = [
        build("conv_norm_act", x, name=f"side{kernel}", width=half, kernel=kernel, stride=parameters.stride)
        for kernel in parameters.kernels
    ]
    return build("concat", *sides)
"""

TWIN_IN_YAML = """
blocks:
  twin_yaml:
    parameters: {width: channels, stride: 1}
    body:
      side3: {block: conv_norm_act, width: $(width // 2), kernel: 3, stride: $stride}
      side5: {block: conv_norm_act, from: input, width: $(width // 2), kernel: 5, stride: $stride}
      concat: {block: concat, from: [side3, side5]}
"""


def test_lowers_as_the_same_block_in_yaml(load: Load) -> None:
    load(TWIN)
    python = lowered("stages: {layer1: {block: twin, width: 16, depth: 3, stride: 2}}")
    yaml = lowered(TWIN_IN_YAML + "stages: {layer1: {block: twin_yaml, width: 16, depth: 3, stride: 2}}")
    assert modules(python) == modules(yaml)
    assert list(python.state()) == list(yaml.state())
    ours, theirs = (summarize(graph) for graph in (python, yaml))
    assert (ours.parameters, ours.macs, ours.output_shape) == (theirs.parameters, theirs.macs, theirs.output_shape)
    assert outline(node_at(python, "layer1.1").body) == outline(node_at(yaml, "layer1.1").body)


def test_stride_belongs_to_the_first_repeat_and_equal_repeats_are_one(load: Load) -> None:
    load(TWIN)
    graph = lowered("stages: {layer1: {block: twin, width: 16, depth: 9, stride: 2}}")
    repeats = node_at(graph, "layer1").body.nodes
    assert [(node.count, str(node.shape)) for node in repeats] == [(1, "16×16×16"), (8, "16×16×16")]


def test_equal_calls_are_one_graph(load: Load) -> None:
    load(TWIN)
    graph = lowered("stages: {a: {block: twin, width: 16}, b: {block: twin, width: 16}, c: {block: twin, width: 16}}")
    a, b, c = (node_at(graph, name).body for name in "abc")
    assert a is not b
    assert b is c


def test_defaults_reach_the_steps_inside(load: Load) -> None:
    load(TWIN)
    graph = lowered("""
        defaults: {twin: {kernels: [1, 3, 5], activation: silu}, norm: {eps: 0.01}}
        stages: {layer1: {block: twin, width: 12}}
    """)
    assert [name for name in modules(graph) if name.endswith("0")] == [f"layer1.side{kernel}.0" for kernel in (1, 3, 5)]
    assert op_at(graph, "layer1.side1.2").kind == "silu"
    assert op_at(graph, "layer1.side1.1").eps == 0.01


def test_a_multiplier_scales_its_channels(load: Load) -> None:
    load(TWIN)
    graph = lowered("scale: {width: {by: 2}}\nstages: {layer1: {block: twin, width: 16}}")
    assert str(graph.output_shape) == "32×32×32"


def test_it_can_stand_inside_blocks_of_yaml_and_of_python(load: Load) -> None:
    load(
        TWIN
        + """
@block("twice")
def twice(build: Builder, x: Value) -> Value:
    x = build("twin", x, name="first", width=x.channels * 2)
    return build("twin", x, name="second", width=x.channels, depth=2)
"""
    )
    graph = lowered("""
        stages: {layer1: {block: basic, width: 8, after_last_norm: {more: twice, less: {block: conv, width: 8, kernel: 1}}}}
    """)
    assert str(node_at(graph, "layer1.more").shape) == "16×32×32"
    assert "layer1.more.second.1.side5.0" in modules(graph)


def test_several_values_go_in_and_come_out(load: Load) -> None:
    load("""
@block("cross")
def cross(build: Builder, left: Value, right: Value) -> tuple[Value, Value]:
    return build("add", left, right), build("multiply", left, right)

@block("join")
def join(build: Builder, *xs: Value) -> Value:
    return build("concat", *xs)

@block("pick")
def pick(build: Builder, xs: Value) -> Value:
    assert len(xs) == 2 and [x.channels for x in xs] == [8, 8]
    return build("concat", xs[-1], xs[0])
""")
    graph = lowered("""
        stages:
          a: {block: conv, width: 8, kernel: 1}
          b: {block: conv, from: input, width: 8, kernel: 1}
          both: {block: cross, from: [a, b]}
          turned: {block: pick, from: both}
          all: {block: join, from: [both.0, both.1, turned]}
    """)
    assert str(node_at(graph, "both").shape) == "8×32×32 + 8×32×32"
    assert str(graph.output_shape) == "32×32×32"


def test_a_block_by_itself_is_told_the_size_of_each_value(load: Load) -> None:
    load("""
@block("cross")
def cross(build: Builder, left: Value, right: Value) -> tuple[Value, Value]:
    return build("add", left, right), build("multiply", left, right)
""")
    with pytest.raises(SpecError, match=r"in Python `input=\[\(8, 4, 4\), \(8, 4, 4\)\]`$"):
        archbuilder.check_block("cross", input=(8, 4, 4))
    archbuilder.check_block("cross", input=[(8, 4, 4), (8, 4, 4)])


def test_values_know_their_shapes(load: Load) -> None:
    load("""
@block("look")
def look(build: Builder, x: Value) -> Value:
    assert (x.channels, x.height, x.width, x.shape) == (3, 32, 32, Map(3, 32, 32))
    tokens = build("to_tokens", x)
    assert (tokens.channels, tokens.tokens, tokens.height) == (3, 1024, 32)
    pooled = build("global_pool", tokens)
    assert pooled.shape == Vector(3) and bool(pooled)
    return pooled
""")
    assert mistakes("stages: {a: {block: look}}") == []


def test_a_step_that_is_left_out_hands_on_its_input(load: Load) -> None:
    load("""
class Gated(BaseModel):
    gate: bool = False
    slot: Block = None

@block("gated")
def gated(build: Builder, x: Value, parameters: Gated) -> Value:
    y = build("conv", x, kernel=3)
    y = build("squeeze_excite", y, name="se", when=parameters.gate)
    return build("add", build(parameters.slot, y, name="slot"), x)
""")
    graph = lowered("stages: {a: {block: gated}, b: {block: gated, gate: true, slot: {block: conv, kernel: 1}}}")
    assert modules(graph)[:2] == ["a.conv", "a.add"]
    assert [name for name in modules(graph) if name.startswith("b.se")] != []
    assert op_at(graph, "b.slot").kernel == (1, 1)


def test_steps_without_a_name_are_called_as_their_block(load: Load) -> None:
    load("""
@block("three")
def three(build: Builder, x: Value) -> Value:
    for _ in range(3):
        x = build("conv", x, kernel=1)
    return x
""")
    assert modules(lowered("stages: {a: {block: three}}")) == ["a.conv", "a.conv2", "a.conv3"]


def test_children_can_be_renamed_and_stand_inline(load: Load) -> None:
    load(TWIN)
    graph = lowered("stages: {layer1: {block: twin, width: 8, inline: true, rename: {side3: narrow}}}")
    assert modules(graph) == [f"{side}.{number}" for side in ("narrow", "side5") for number in range(3)] + ["concat~1"]


def test_a_block_holds_tensors_and_drops_paths(load: Load) -> None:
    load("""
@block("scaled")
def scaled(build: Builder, x: Value) -> Value:
    scale = build("parameter", name="gamma", shape=[x.channels, 1, 1], init={"constant": 0.5})
    y = build("drop_path", build("multiply", build("conv", x, kernel=3), scale))
    return build("add", x, y)
""")
    graph = lowered("defaults: {drop_path: {rate: 0.2}}\nstages: {a: {block: scaled, depth: 3}}")
    assert [key for key, _ in graph.state()][:2] == ["a.0.gamma", "a.0.conv.weight"]
    assert graph.drop_paths == 3


def test_the_number_of_layers_can_be_said(load: Load) -> None:
    load(TWIN.replace('@block("twin")', '@block("twin", layers=1)'))
    assert summarize(lowered("stages: {a: {block: twin, width: 8, depth: 3}}")).layers == 3


def test_a_block_alone(load: Load) -> None:
    load(TWIN)
    checked = archbuilder.check_block("twin", {"width": 8}, (4, 6, 6))
    assert checked.summary.output_shape == (8, 6, 6)


def test_a_function_of_a_test_or_a_notebook_is_a_block_too() -> None:
    from pydantic import BaseModel

    from archbuilder.plugin import Builder, Value, block

    class Local(BaseModel):
        kernel: int = 3

    for _ in range(2):  # a cell that is run again replaces what it has defined

        @block("local", parameters=Local)
        def local(build: Builder, x: Value, parameters: "Local") -> Value:
            return build("conv", x, name="conv", kernel=parameters.kernel)

    assert op_at(lowered("stages: {a: {block: local}}"), "a.conv").kernel == (3, 3)
