"""The emitted source: whole texts for a few networks, and the facts that hold for all of them.

After a change that is meant, `ARCHBUILDER_GOLDEN=write pytest tests/pytorch/test_source.py` writes the texts anew; the
difference is to be read as a reviewer would.
"""

from __future__ import annotations

import ast
import builtins
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archbuilder
from archbuilder.language.networks import network_names
from archbuilder.lowering.naming import objection
from archbuilder.pytorch.classes import plan_network
from tests.properties.emitted_syntax import check_source
from tests.properties.interpreter import Interpreter
from tests.properties.test_valid import randomise

GOLDEN = Path(__file__).parent / "golden"
HEAD = "name: net\ninput: {channels: 4, size: 8}\n"

VARIANT = """\
name: small_resnet_se
class: ResNet
help: a small ResNet with squeeze and excitation in two stages, which drops its paths
parameters: {classes: 10}
input: {channels: 3, size: 32}
defaults: {drop_path: {rate: 0.2}, conv: {init: kaiming_fan_out}, basic: {zero_init: true}}
stem:
  conv1: {block: conv, width: 16, kernel: 3}
  bn1: norm
  relu: activation
stages:
  layer1: {block: basic, width: 16, depth: 2}
  layer2: {block: basic, width: 32, depth: 3, stride: 2, after_last_norm: {se: squeeze_excite}}
  layer3: {block: basic, width: 64, depth: 2, stride: 2, after_last_norm: {se: {block: squeeze_excite, ratio: 4}}}
head:
  avgpool: global_pool
  fc: {block: linear, width: $classes}
"""

NETWORKS = {
    "resnet50": None,
    "res2net50_26w_4s": None,
    "preact_resnet164": None,
    "d2l_resnet18": None,
    "small_resnet_se": VARIANT,
    "densenet121": None,
    "googlenet": None,
    "mobilenet_v3_small": None,
    "hrnet_w18_small": None,
}


def source_of(text: str) -> str:
    return archbuilder.to_source(archbuilder.check("net.yaml", text=text).graph)


def built(text: str) -> nn.Module:
    """The module of a spec, which computes what its graph says."""
    network = archbuilder.check("net.yaml", text=text)
    check_source(archbuilder.to_source(network.graph))
    module = archbuilder.build(network.architecture).eval()
    assert list(module.state_dict()) == list(network.summary.state)
    randomise(module)
    images = torch.rand(2, *network.summary.input_shape)
    with torch.no_grad():
        torch.testing.assert_close(module(images), Interpreter(module.state_dict()).graph(network.graph, images))
    return module


def classes_in(source: str) -> list[str]:
    return [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]


SHARED = "".join(f"  b{number}: {{body: [b{number - 1}, b{number - 1}]}}\n" for number in range(1, 29))
NESTED = {
    "lists": f"stages:\n  a: {'[' * 30}{{block: basic, width: 16}}{']' * 30}\n",
    "bodies that are repeated": f"stages:\n  a: {'{body: [norm, ' * 9}norm{'], depth: 2}' * 9}\n",
    "blocks that double": f"blocks:\n  b0: {{body: [norm]}}\n{SHARED}stages: {{a: b28}}\n",
}


# ---- whole texts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_text(name: str) -> None:
    text = NETWORKS[name]
    source = archbuilder.to_source(archbuilder.lower(name)) if text is None else source_of(text)
    path = GOLDEN / f"{name}.py.txt"
    if os.environ.get("ARCHBUILDER_GOLDEN") == "write":
        path.write_text(source, "utf-8")
    assert source == path.read_text("utf-8")


def test_resnet50_has_two_classes() -> None:
    source = (GOLDEN / "resnet50.py.txt").read_text("utf-8")
    assert classes_in(source) == ["Bottleneck", "ResNet"]
    assert "DropPath" not in source
    assert "attention" not in source, "a part that no instance has is not emitted"


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("densenet121", ["DenseLayer", "DenseTransition", "DenseNet"]),
        ("mobilenet_v3_small", ["SqueezeExcite", "V3", "V3_2", "MobileNetV3"]),
        ("googlenet", ["BasicConv", "Inception", "InceptionAuxiliary", "GoogLeNetOutput", "GoogLeNet"]),
        (
            "hrnet_w18_small",  # one for any number of streams
            [
                "StreamSequential", "Bottleneck", "HrDown", "HrTransition", "HrTransition2", "Basic", "HrModule",
                "HighResolutionNet",
            ],
        ),
    ],
)  # fmt: skip
def test_one_class_for_each_block(name: str, classes: list[str]) -> None:
    source = (GOLDEN / f"{name}.py.txt").read_text("utf-8")
    assert classes_in(source) == classes
    assert "archbuilder" not in source, "an exported file needs torch alone"


@pytest.mark.parametrize("name", network_names())
def test_an_argument_is_what_the_spec_calls_it(name: str) -> None:
    """Arguments are parameters of the block, or values that it derives; a literal that differs has its attribute's name."""
    network = plan_network(archbuilder.lower(name))
    unnamed = {each.name for plan in (*network.plans, network.root) for each in plan.arguments if each.source is None}
    assert unnamed <= {"drop_path_rate", "gate"}  # a rate grows with the depth; whether a slot is filled is a flag


def test_streams_are_written_in_loops() -> None:
    source = (GOLDEN / "hrnet_w18_small.py.txt").read_text("utf-8")
    assert len(source.splitlines()) < 250
    assert "branches = [branch(x[i]) for i, branch in enumerate(self.branches)]" in source
    assert 'getattr(self, "' not in source
    assert "nn.ModuleList([nn.Identity()])" not in source


def test_a_step_of_a_loop_that_is_never_there_hands_on_what_it_takes() -> None:
    """With a stride, the parts of a Res2Net block are not added to one another: a convolution takes its part alone."""
    text = HEAD + "stages:\n  one: {block: res2net, width: 64, stride: 2, scale: 3}\n"
    assert "conv(parts[i])" in source_of(text)
    built(text)


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "hrnet_w18_small"])
def test_the_root_takes_the_parameters_of_the_network(name: str) -> None:
    source = archbuilder.to_source(archbuilder.lower(name))
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    with torch.device("meta"):
        module = namespace[classes_in(source)[-1]](classes=10)
    expected = archbuilder.check(name, overrides={"parameters.classes": 10}).summary.state
    assert {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()} == expected


def test_drop_rates_grow_over_the_whole_network() -> None:
    module = built(VARIANT)
    rates = [each.rate for each in module.modules() if type(each).__name__ == "DropPath"]
    assert rates == pytest.approx([0.2 * number / 6 for number in range(7)])


# ---- classes -----------------------------------------------------------------------------------------------------

PARTS = """
blocks:
  part:
    parameters: {second: true, third: false, rungs: 2}
    body:
      one: {block: conv, kernel: 3}
      two: {block: norm, when: $second}
      three: {block: norm, when: $third}
      for i in rungs:
        rung$i: {block: subsample, stride: 1}
"""


def test_a_part_that_no_instance_has_is_not_emitted() -> None:
    module = built(f"{HEAD}{PARTS}stages: {{a: part, b: {{block: part, third: false}}}}")
    assert [name for name, _ in module.a.named_children()] == ["one", "two"]


def test_a_part_that_some_have_is_an_identity_in_the_others() -> None:
    module = built(
        f"{HEAD}{PARTS}stages: {{a: part, b: {{block: part, second: false}}, c: {{block: part, third: true}}}}"
    )
    assert type(module.a) is type(module.b) is type(module.c)
    kinds = [[type(child).__name__ for child in each.children()] for each in (module.a, module.b, module.c)]
    assert kinds == [
        ["Conv2d", "BatchNorm2d", "Identity"],
        ["Conv2d", "Identity", "Identity"],
        ["Conv2d", "BatchNorm2d", "BatchNorm2d"],
    ]


def test_a_part_of_several_values_that_some_have() -> None:
    """An identity would hand on all of them, not the first: these instances need classes of their own."""
    module = built(
        HEAD
        + """
blocks:
  join: {body: {sum: {block: add, from: input.*}, conv: {block: conv, kernel: 3}}}
  b:
    parameters: {on: true}
    body:
      norm: norm
      joined: {block: join, from: [norm, input], when: $on}
      sum: {block: add, from: [joined, input]}
stages: {one: b, two: {block: b, on: false}, three: b}
"""
    )
    assert type(module.one) is type(module.three)
    assert type(module.one) is not type(module.two)


def test_one_class_for_each_block_and_loop_count() -> None:
    source = source_of(
        f"{HEAD}{PARTS}stages: {{a: part, b: {{block: part, rungs: 3}}, c: {{block: part, second: false}}}}"
    )
    assert classes_in(source) == ["PartOf2", "PartOf3", "Net"]
    source = source_of(f"{HEAD}{PARTS}stages: {{a: {{block: part, rungs: 3}}}}")
    assert classes_in(source) == ["Part", "Net"]


LOOPS = """
blocks:
  v3:
    parameters: {a: 2, b: 2, kind: relu}
    body:
      for i in a:
        a$i: {block: conv, width: 4, kernel: 1}
      for i in b:
        b$i: {block: conv, width: 4, kernel: 3}
      act: {block: activation, kind: $kind}
"""


@pytest.mark.parametrize(
    ("uses", "classes"),
    [
        (["{b: 3}", "{b: 1}"], ["V3Of3", "V3Of1"]),
        (["{a: 3, b: 2}", "{a: 3, b: 4}", "{a: 1, b: 4}"], ["V3Of3By2", "V3Of3By4", "V3Of1By4"]),
        (["{kind: relu}", "{kind: gelu}", "{kind: silu}"], ["V3", "V3_2", "V3_3"]),
        (["{a: 3, kind: relu}", "{a: 3, kind: gelu}", "{a: 1}"], ["V3Of3", "V3Of3_2", "V3Of1"]),
    ],
)
def test_classes_of_one_block_are_named_after_what_tells_them_apart(uses: list[str], classes: list[str]) -> None:
    steps = ", ".join(f"s{number}: {{block: v3, {use[1:]}" for number, use in enumerate(uses))
    built(f"{HEAD}{LOOPS}stages: {{{steps}}}")
    assert classes_in(source_of(f"{HEAD}{LOOPS}stages: {{{steps}}}")) == [*classes, "Net"]


LISTED = """
blocks:
  b:
    parameters: {times: 1, gate: true}
    body:
      list:
        - {block: conv, width: "$(4 * times)", kernel: 1, init: ones, when: $(times != 1)}
        - norm
        - {block: conv, width: 4, kernel: 3, init: zeros}
        - {block: channel_shuffle, groups: 2, when: $gate}
stages: {one: b, two: {block: b, times: 2, gate: false}, three: {block: b, times: 3}, four: {block: b, times: 2}}
"""


def test_a_part_of_a_list_that_some_leave_out_is_a_choice_of_one_class() -> None:
    """Those behind it move up, as their keys do; and each is drawn as the spec says."""
    module = built(HEAD + LISTED)
    assert [type(module.get_submodule(name)).__name__ for name in ("one", "two", "three", "four")] == ["B"] * 4
    kinds = [[type(part).__name__[:4] for part in each.list] for each in (module.one, module.two, module.three)]
    assert kinds == [["Batc", "Conv", "Chan"], ["Conv", "Batc", "Conv"], ["Conv", "Batc", "Conv", "Chan"]]
    source = source_of(HEAD + LISTED)
    assert "*([nn.Conv2d(4, 4 * times, kernel_size=1, bias=False)] if times != 1 else [])," in source
    assert "*([nn.ChannelShuffle(2)] if gate else [])," in source
    module.reset_parameters()
    drawn = {name: value.unique().tolist() for name, value in module.named_parameters() if name.endswith("weight")}
    assert drawn == {
        "one.list.0.weight": [1], "one.list.1.weight": [0],
        "two.list.0.weight": [1], "two.list.1.weight": [1], "two.list.2.weight": [0],
        "three.list.0.weight": [1], "three.list.1.weight": [1], "three.list.2.weight": [0],
        "four.list.0.weight": [1], "four.list.1.weight": [1], "four.list.2.weight": [0],
    }  # fmt: skip


def test_lists_of_other_kinds_are_classes_of_their_own() -> None:
    text = HEAD + LISTED.replace("- norm", "- {block: activation, kind: $('relu' if times < 3 else 'gelu')}")
    assert classes_in(source_of(text)) == ["B", "B2", "Net"]
    built(text)


def test_a_class_has_arguments_for_what_differs_and_no_more() -> None:
    source = source_of(f"{HEAD}stages: {{a: {{block: basic, width: 8}}, b: {{block: basic, width: 16}}}}")
    basic = ast.parse(source).body[-2]
    assert isinstance(basic, ast.ClassDef)
    start = next(node for node in basic.body if isinstance(node, ast.FunctionDef))
    assert [argument.arg for argument in start.args.args] == ["self", "in_channels", "width"]


def signatures(source: str) -> dict[str, list[str]]:
    """The arguments of each class's constructor, as written."""
    found = {}
    for node in ast.parse(source).body:
        for part in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                found[node.name] = ast.unparse(part.args).split(", ")[1:]
    return found


WIDENED = """
blocks:
  wide:
    parameters: {times: 4}
    body:
      more: {block: conv, width: $(input.channels * times), kernel: 1}
      less: {block: conv, width: "$(input.channels // 2)", kernel: 1}
      same: {block: conv, width: $(input.channels), kernel: 1}
stages: {a: wide, c: {block: conv, width: 6, kernel: 1}, b: wide}
"""


def test_a_multiple_of_another_argument_is_no_argument() -> None:
    built(HEAD + WIDENED)
    source = source_of(HEAD + WIDENED)
    assert signatures(source)["Wide"] == ["in_channels: int"]
    assert "nn.Conv2d(in_channels, in_channels * 4, kernel_size=1, bias=False)" in source
    assert "nn.Conv2d(in_channels * 4, in_channels // 2, kernel_size=1, bias=False)" in source


def test_what_differs_in_a_formula_is_an_argument_under_its_own_name() -> None:
    text = HEAD + WIDENED.replace("b: wide", "b: {block: wide, times: 3}")
    built(text)
    assert signatures(source_of(text))["Wide"] == ["in_channels: int", "times: int"]


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_whatever_is_nested_is_short_and_compiles(text: str) -> None:
    """2 to the power of 28 norms are 28 lines: equal neighbours stand once, and what is long has a class."""
    source = source_of(HEAD + text)
    check_source(source)
    assert len(source.splitlines()) < 200


def test_no_argument_or_variable_hides_a_builtin() -> None:
    text = f"""{HEAD}
blocks:
  b:
    parameters: {{max: 3, on: true}}
    body:
      map: {{block: conv, width: 4, kernel: $max}}
      sum: {{block: add, from: [map, input], when: $on}}
      all: {{block: multiply, from: [sum, map]}}
      last: {{block: add, from: [all, sum, all]}}
stages: {{one: b, two: {{block: b, max: 5, on: false}}}}
"""
    built(text)
    source = source_of(text)
    named = [
        node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and "Store" in ast.dump(node)
    ]
    named += [node.arg for node in ast.walk(ast.parse(source)) if isinstance(node, ast.arg)]
    assert {"sum_", "max_"} <= set(named)
    assert not set(named) & set(dir(builtins))


def test_an_argument_has_one_type_where_some_instances_have_no_use_for_it() -> None:
    text = f"""{HEAD}
blocks:
  b:
    parameters: {{on: true, inner: 1}}
    body:
      a: {{block: conv, width: $(inner + 4), kernel: 1, when: $on}}
      c: {{block: conv, width: 4, kernel: 3}}
      drop: {{block: drop_path, rate: 0.5, when: $on}}
stages: {{one: b, two: {{block: b, inner: 3}}, three: {{block: b, on: false}}}}
"""
    built(text)
    arguments = signatures(source_of(text))["B"]
    assert {"inner: int", "on: bool=False", "drop_rate: float=0.0"} == set(arguments)
    assert "None" not in "".join(arguments)


def test_blocks_of_blocks_with_drop_path_inside() -> None:
    """The blocks that drop their path are counted in order of execution, however deep they stand."""
    module = built(
        HEAD
        + """
defaults: {drop_path: {rate: 0.4}}
blocks:
  inner:
    body:
      conv: {block: conv, kernel: 3}
      drop: drop_path
      sum: {block: add, from: [drop, input]}
  outer:
    parameters: {n: 1}
    body:
      first: inner
      rest: {block: inner, depth: $n}
      act: activation
stages:
  a: {block: outer, depth: 2}
  b: {block: outer, n: 3}
"""
    )
    rates = {name: each.rate for name, each in module.named_modules() if type(each).__name__ == "DropPath"}
    order = ["a.0.first", "a.0.rest.0", "a.1.first", "a.1.rest.0", "b.first", "b.rest.0", "b.rest.1", "b.rest.2"]
    assert rates == pytest.approx({f"{path}.drop": 0.4 * number / 7 for number, path in enumerate(order)})


def test_two_paths_of_one_block_are_dropped_each_at_its_rate() -> None:
    module = built(
        f"{HEAD}blocks:\n  b:\n    body:\n      one: {{block: drop_path, rate: 0.1, schedule: constant}}\n"
        "      two: {block: drop_path, rate: 0.4}\n      c: {block: conv, kernel: 3}\nstages: {s: {block: b, depth: 3}}"
    )
    assert [unit.one.rate for unit in module.s] == pytest.approx([0.1, 0.1, 0.1])
    assert [unit.two.rate for unit in module.s] == pytest.approx([0.0, 0.2, 0.4])


def test_a_container_is_registered_where_its_first_child_is() -> None:
    """A step that is left out opens no container."""
    module = built(
        f"{HEAD}stages:\n  f.a: {{block: norm, when: false}}\n  between: norm\n  f.b: {{block: conv, kernel: 3}}\n"
    )
    assert [name for name, _ in module.named_children()] == ["between", "f"]


def test_a_step_that_is_left_out_may_have_another_ones_name() -> None:
    """The block's own `drop_path` is not there at rate 0; the slot's step of that name is."""
    module = built(f"{HEAD}stages: {{a: {{block: basic, width: 4, after_last_norm: {{drop_path: norm}}}}}}")
    assert isinstance(module.a.drop_path, nn.BatchNorm2d)


# ---- forward -----------------------------------------------------------------------------------------------------


def forward_of(source: str, name: str) -> list[str]:
    (made,) = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
    (forward,) = (part for part in made.body if isinstance(part, ast.FunctionDef) and part.name == "forward")
    return [ast.unparse(line) for line in forward.body]


def test_of_several_values_that_are_joined_each_has_a_name() -> None:
    text = f"""{HEAD}
blocks:
  b:
    body:
      one: {{block: conv, width: 4, kernel: 1}}
      two: {{block: conv, from: input, width: 4, kernel: 3}}
      three: {{block: conv, from: input, width: 4, kernel: 5}}
      sum: {{block: add, from: [one, two, three]}}
      conv: {{block: conv, width: 4, kernel: 1}}
      short: {{block: add, from: [conv, input]}}
stages: {{a: b}}
"""
    built(text)
    assert forward_of(source_of(text), "B") == [
        "one = self.one(x)",
        "two = self.two(x)",
        "three = self.three(x)",
        "return self.conv(one + two + three) + x",
    ]


@pytest.mark.parametrize(
    "reads",
    [
        "channel_pool",
        "{block: channel_pool, first: max}",
        "{block: global_pool, kind: avg_and_max, keep: true}",
    ],
)
@pytest.mark.parametrize("behind", ["", "  last: {block: activation, kind: gelu}\n"])
def test_what_an_op_reads_twice_is_computed_once(reads: str, behind: str) -> None:
    steps = "stem:\n  conv: {block: conv, width: 8, kernel: 3}\n  norm: norm\n"
    module = built(f"{HEAD}{steps}  pool: {reads}\n{behind}")
    module.train()(torch.rand(2, 4, 8, 8))
    assert module.get_submodule("norm").num_batches_tracked == 1


# ---- in place ----------------------------------------------------------------------------------------------------


def in_place(text: str, name: str = "act") -> bool:
    return bool(built(HEAD + text).get_submodule(name).inplace)


def test_in_place_where_nothing_else_reads_the_input() -> None:
    assert in_place("stages: {conv: {block: conv, kernel: 3}, act: activation}")
    assert in_place("stages: {norm: norm, act: activation}")
    assert in_place("stages: {norm: norm, sum: {block: add, from: [norm, input]}, act: activation}")


@pytest.mark.parametrize(
    "text",
    [
        "stages: {act: activation}",
        "stages: {conv: {block: conv, kernel: 3}, act: activation, sum: {block: add, from: [act, conv]}}",
        "stages: {conv: {block: conv, kernel: 3}, act: activation}\nfeatures: [conv]",
        "stages: {conv: {block: conv, kernel: 3}, gone: {block: norm, when: false}, act: activation}\nfeatures: [gone]",
        "stages: {norm: norm, parts: {block: split, parts: 2}, act: {block: activation, from: parts.0}}",
        "stages: {pool: {block: subsample, stride: 1}, act: activation}",
        "stages: {inside: {body: {conv: {block: conv, kernel: 3}}}, act: activation}",
        "stages: {norm: norm, drop: {block: dropout, rate: 0.5}, act: activation}",
    ],
)
def test_not_in_place(text: str) -> None:
    assert not in_place(text)


def test_not_in_place_in_any_instance_if_not_in_all() -> None:
    module = built(
        f"{HEAD}blocks: {{b: {{parameters: {{on: true}}, body: {{norm: {{block: norm, when: $on}}, act: activation}}}}}}\n"
        "stages: {one: b, two: {block: b, on: false}}"
    )
    assert not module.one.act.inplace
    assert not module.two.act.inplace


def test_not_in_place_below_a_hooked_tap() -> None:
    """What a hook sees at a tap is not overwritten afterwards."""
    module = built(f"{HEAD}stages: {{conv: {{block: conv, kernel: 3}}, act: activation}}\nfeatures: [conv]")
    seen: list[Tensor] = []
    module.conv.register_forward_hook(lambda *call: seen.append(call[-1]))
    module(torch.rand(1, 4, 8, 8))
    assert (seen[0] < 0).any()


# ---- names -------------------------------------------------------------------------------------------------------


def attributes_of_modules() -> set[str]:
    found: set[str] = set()
    for module in (nn.Module(), nn.Sequential(), nn.ModuleList(), nn.ModuleDict()):
        found |= {*dir(module), *vars(module)}
    return found


def test_no_step_is_called_like_what_a_module_has() -> None:
    assert [name for name in sorted(attributes_of_modules()) if objection(name) is None] == []
    root = archbuilder.build("resnet18")
    own = {name for name in vars(type(root)) if not name.startswith("__")} | {"spec"}
    assert [name for name in sorted(own) if objection(name) is None] == []


@pytest.mark.parametrize(
    "block", ["nn", "tensor", "drop_Path", "layer_norm2d", "module", "net", "ordered_dict", "super", "_", "class", "x1"]
)
def test_a_block_may_be_called_anything(block: str) -> None:
    """Whatever its name makes as a class's, it hides nothing that the source uses itself."""
    module = built(
        f"{HEAD}defaults: {{drop_path: {{rate: 0.1}}, norm: {{kind: layer}}}}\n"
        f"blocks: {{{block}: {{body: {{c: {{block: conv, kernel: 3}}, n: norm, d: drop_path, "
        "s: {block: add, from: [d, input]}}}}\n"
        f"stages: {{one: {block}, two: {{block: {block}, depth: 2}}}}"
    )
    assert type(module.one) is type(module.two[0])


@pytest.mark.parametrize(
    "step",
    ["x", "out", "super", "range", "Tensor", "functional", "B", "Net", "DropPath", "getattr", "on", "on_", "_on"],
)
def test_a_step_may_be_called_like_a_variable(step: str) -> None:
    text = f"""{HEAD}
blocks:
  b:
    parameters: {{on: true, parts: 2}}
    body:
      {step}: {{block: norm, when: $on}}
      other: {{block: add, from: [{step}, input], when: $on}}
      repeated: {{body: [{{block: conv, kernel: 3}}], depth: 3}}
      p: {{block: split, parts: $parts}}
      all: {{block: concat, from: p.*}}
stages: {{one: b, two: {{block: b, on: false, parts: 4}}, three: {{block: b, parts: 4}}}}
"""
    built(text)


@pytest.mark.parametrize(
    "name",
    [
        "training",
        "forward",
        "parameters",
        "half",
        "self",
        "super",
        "_",
        "__x",
        "_x",
        "B",
        "Conv",
        "nn",
        "range",
        "x",
        "lambda_",
        "p",
    ],
)
def test_a_parameter_may_be_called_like_what_a_module_has(name: str) -> None:
    """Stored under another name where its own would hide something; the loop's `_` hides no argument."""
    definition: dict[str, Any] = {
        "p": {"block": "split", "parts": f"$({name})"},
        "all": {"block": "concat", "from": "p.*"},
        "convs": {"body": [{"block": "conv", "kernel": 3, "width": f"$({name} * 4)"}], "depth": 3},
        "back": {"block": "conv", "kernel": 1, "width": 4},
    }
    module = built(
        f"{HEAD}blocks: {{b: {{parameters: {{{name}: 2}}, body: {definition!r}}}}}\n"
        f"stages: {{one: b, two: {{block: b, {name}: 4}}}}"
    )
    assert module.one.training is False
    assert sum(1 for _ in module.one.parameters()) == 4


@pytest.mark.parametrize("name", ["module", "path", "reset", "x", "out", "Bottleneck", "nn", "Tensor", "object"])
def test_the_root_may_be_called_like_a_variable(name: str) -> None:
    """The root's own weights are drawn by a rule that speaks of its class."""
    built(
        f"class: {name}\n{HEAD}stages:\n  conv: {{block: conv, kernel: 3, init: zeros}}\n"
        "  stage: {block: bottleneck, width: 16}\n  last: {block: conv, kernel: 3, init: {normal: 0.5}}\n"
    )


SLOTS_BESIDE_A_VALUE = """\
name: net
input: {size: 32}
blocks:
  gate: {body: {down: {block: conv, kernel: 1, width: 8}}}
stages:
  first: {block: bottleneck, width: 8}
  second: {block: basic, width: 8, shortcut: null, after_last_norm: {se: squeeze_excite}}
  third: {block: basic, width: 8, after_last_norm: {gate: {block: gate}}}
"""


def test_a_flag_does_not_take_the_name_of_a_value_that_is_needed_too() -> None:
    built(SLOTS_BESIDE_A_VALUE)
    source = source_of(SLOTS_BESIDE_A_VALUE)
    assert "shortcut: str | None," in source
    assert "shortcut: bool" not in source
