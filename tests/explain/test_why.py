"""Where values come from: the chains as a user reads them, and that they agree with the graph."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

import archbuilder
from archbuilder import Diagnostic, Graph, SpecError
from archbuilder.explain.why import explain, explain_parameter
from archbuilder.explain.words import as_text
from archbuilder.graph.graph import Node
from archbuilder.graph.op import Op
from archbuilder.lowering.library import shipped_block, shipped_names
from archbuilder.lowering.network import lower_with_record
from tests.networks import HEAD, modules

NET = """\
name: net
input: {channels: 3, size: 32}
parameters: {factor: 1.5}
scale: {width: {by: $factor}, depth: {by: $factor}}
defaults: {activation: silu, thing: {kernel: 5}}
blocks:
  thing:
    parameters:
      width: channels
      stride: 1
      kernel: {type: int, default: 3}
      shortcut: {type: block, default: project}
    let: {last: $(1 if kernel > 3 else 2)}
    body:
      conv: {block: conv, width: $width, kernel: $kernel, stride: $stride}
      act: activation
      for i in last:
        rung.$i: {block: conv, width: $(here.channels + 8 * i), kernel: 1}
      side: {block: $shortcut, from: input, width: $(2 * input.channels), when: $(stride != 1)}
      fit: {block: adaptive_avg_pool, from: rung.$(last - 1), size: ["$(side.height)", "$(side.width)"]}
      both: {block: concat, from: [fit, side]}
stages:
  one: {block: thing, width: 16, depth: 2, stride: 2, activation: gelu}
  two: {block: thing, width: 32, kernel: 3, depth: 1}
variants:
  big: {parameters: {factor: 2.0}, stages: {one: {width: 32}, two: {depth: 3, shortcut: {block: project}, stride: 2}}}
"""

CASES = {
    "one.0.conv.stride": """\
one.0.conv.stride is 2
  → $stride  net.yaml:15:67  fixed in the body of `thing`
    1                        the default of `conv`
    `stride` of `thing` at one.0 is 2
      → 2  net.yaml:23:52  the use itself
        1  net.yaml:10:15  the default of `thing`
""",
    "one.2.conv.stride": """\
one.2.conv.stride is 1
  → $stride  net.yaml:15:67  fixed in the body of `thing`
    1                        the default of `conv`
    `stride` of `thing` at one.2 is 1
      → 1                  only the first repeat has the stride
        2  net.yaml:23:52  the use itself
        1  net.yaml:10:15  the default of `thing`
""",
    "one.depth": """\
one.depth is 3
  → 2  net.yaml:23:41  the use itself
    then times 1.5, rounded up (net.yaml:4:43)
    `factor` is 1.5
      → 1.5  net.yaml:3:22  the network's `parameters`
""",
    "one.width": """\
one.width is 24
  → 16  net.yaml:23:30  the use itself
    then times 1.5, to the nearest multiple of 8 (net.yaml:4:21)
    `factor` is 1.5
      → 1.5  net.yaml:3:22  the network's `parameters`
""",
    "one.1.act.kind": """\
one.1.act.kind is gelu
  → gelu  net.yaml:23:67  the use around, one.1
    silu  net.yaml:5:24   the network's `defaults`
    relu                  the default of `activation`
""",
    "two.0.kernel": """\
two.0.kernel is 3
  → 3  net.yaml:24:42  the use itself
    5  net.yaml:5:46   the network's `defaults`
    3  net.yaml:11:36  the default of `thing`
""",
    "one.1.conv.padding": """\
one.1.conv.padding is 2
  → null  the default of `conv`
    null: zeros around the map; by default half of an odd kernel
""",
    "two.0.rung.1.width": """\
two.0.rung.1.width is 56
  → $(here.channels + 8 * i)  net.yaml:18:39  fixed in the body of `thing`
    null                                      the default of `conv`
    `here` is 48×32×32
    `i` is 1
""",
    "one.0.side.width": """\
one.0.side.width is 6
  → $(2 * input.channels)  net.yaml:19:52  fixed in the body of `thing`
    `input` is 3×32×32
""",
    "one.0.side.block": """\
one.0.side.block is project
  → $shortcut  net.yaml:19:21  fixed in the body of `thing`
    `shortcut` of `thing` at one.0 is project
      → project  net.yaml:12:40  the default of `thing`
""",
    "factor": """\
factor is 1.5
  → 1.5  net.yaml:3:22  the network's `parameters`
""",
}


def why(text: str, path: str, **overrides: Any) -> str:
    return as_text(explain_parameter("net.yaml", path, overrides, text)) + "\n"


@pytest.mark.parametrize("path", CASES)
def test_says_where_a_value_comes_from(path: str) -> None:
    assert why(NET, path) == CASES[path]


def test_tells_what_variants_bases_and_settings_have_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text(NET, "utf-8")
    Path("mine.yaml").write_text(
        dedent("""\
            name: mine
            extends: ./net.yaml#big
            defaults: {activation: relu6}
            blocks: {thing: {parameters: {kernel: 7}}}
            stages: {two: {width: 64, shortcut: {stride: 2}}}
        """),
        "utf-8",
    )
    paths = ("two.0.conv.width", "two.2.act.kind", "two.1.conv.kernel", "two.0.side.stride", "two.depth")
    explained = [as_text(explain_parameter("mine.yaml", path, {"two.width": 8, "factor": 1})) for path in paths]
    assert "\n".join(explained).replace(f"{tmp_path}/", "") + "\n" == dedent("""\
        two.0.conv.width is 8
          → $width  net.yaml:15:34  fixed in the body of `thing`
            null                    the default of `conv`
            `width` of `thing` at two.0 is 8
              → 8   --set two.width=8  the use itself
                64  mine.yaml:5:23     the use itself, replaced
                32  net.yaml:24:30     the use itself, replaced
                then times 1, to the nearest multiple of 8 (net.yaml:4:21)
                `factor` is 1
                  → 1    --set factor=1  the network's `parameters`
                    2    net.yaml:26:30  the network's `parameters`, replaced
                    1.5  net.yaml:3:22   the network's `parameters`, replaced
        two.2.act.kind is relu6
          → relu6  mine.yaml:3:24  the network's `defaults`
            silu   net.yaml:5:24   the network's `defaults`, replaced
            relu                   the default of `activation`
        two.1.conv.kernel is 3
          → $kernel  net.yaml:15:50  fixed in the body of `thing`
            `kernel` of `thing` at two.1 is 3
              → 3  net.yaml:24:42  the use itself
                5  net.yaml:5:46   the network's `defaults`
                7  mine.yaml:4:39  the default of `thing`
                3  net.yaml:11:36  the default of `thing`, replaced
        two.0.side.stride is 2
          → 2  mine.yaml:5:46              with the block in the slot
            1  blocks/shortcuts.yaml:8:37  the default of `project`
        two.depth is 3
          → 3  net.yaml:26:76  the use itself
            1  net.yaml:24:52  the use itself, replaced
            then times 1, rounded up (net.yaml:4:43)
            `factor` is 1
              → 1    --set factor=1  the network's `parameters`
                2    net.yaml:26:30  the network's `parameters`, replaced
                1.5  net.yaml:3:22   the network's `parameters`, replaced
        """)


EQUAL = """\
stages:
  one: {block: basic, width: 8}
  two: {block: basic, width: 8}
  three: {block: basic, width: $(4 + 4), shortcut: null}
"""


@pytest.mark.parametrize(("path", "line"), [("one", 4), ("two", 5), ("three", 6)])
def test_uses_that_share_a_graph_are_told_apart(path: str, line: int) -> None:
    found = explain_parameter("net.yaml", f"{path}.conv2.width", text=HEAD + EQUAL.replace("width: 8}", "width: 3}", 2))
    (inner,) = found.variables
    assert inner.path == path
    assert inner.winner is not None
    assert inner.winner.place is not None
    assert inner.winner.place.line == line


def test_output_stride_and_slots_are_told() -> None:
    stages = "stages: {layer4: {shortcut: {block: avg_project, conv: {bias: true}}}}"
    text = f"name: net\nextends: resnet50\noutput_stride: 16\n{stages}\n"
    told = {"layer4.0.conv2.stride": 1, "layer4.1.conv2.dilation": 2, "layer4.0.downsample.0.stride": 1}
    for path, value in told.items():
        found = explain_parameter("net.yaml", path, text=text)
        (remark,) = found.remarks
        assert (found.value, remark.text, remark.place and remark.place.line) == (
            value,
            f"then {value}: `output_stride: 16` turns strides into dilation",
            3,
        )
    assert explain_parameter("net.yaml", "layer4.0.conv2.dilation", text=text).remarks == ()
    found = explain_parameter("net.yaml", "layer4.0.downsample.1.bias", text=text)
    assert found.value is True
    assert [candidate.kind for candidate in found.candidates] == ["around", "default"]


MISTAKES = {
    "oen.0.conv.stride": ("1: there is no module `oen`", "did you mean `one`?"),
    "one.0.cnv.stride": ("7: there is no module `cnv` in `one.0`", "did you mean `conv`?"),
    "one.9.conv.stride": ("5: there is no module `9` in `one`", "known here: 0, 1, 2"),
    "one.0.conv.strid": ("12: `conv` at one.0.conv has no parameter `strid`", "did you mean `stride`?"),
    "one.dept": ("5: `thing` at one has no parameter `dept`", "did you mean `depth`?"),
    "one.0.depth": (
        "7: `thing` at one.0 has no parameter `depth`",
        "known here: block, kernel, shortcut, stride, width",
    ),
    "one.0.conv": ("7: `one.0.conv` is a module", "add one of its parameters, as in `one.0.conv.width`"),
    "one.0.conv.weight.shape": ("12: `one.0.conv` has no modules inside", None),
    "one.1.side.width": ("1: `one.1.side` is left out here (`when: $(stride != 1)`)", None),
    "facto": ("1: there is no module `facto`", "did you mean `factor`?"),
    "one..width": ("1: a path has a name on both sides of each dot", None),
    "": ("1: there is no module ``", "known here: factor, one, two"),
}


@pytest.mark.parametrize("path", MISTAKES)
def test_what_is_not_there_gets_a_diagnostic(path: str) -> None:
    with pytest.raises(SpecError) as caught:
        explain_parameter("net.yaml", path, text=NET)
    (mistake,) = caught.value.diagnostics
    assert mistake.place is not None
    assert (f"{mistake.place.column}: {mistake.message}", mistake.help) == MISTAKES[path]


MODULES = """
name: net
parameters: {on: false}
stages:
  own: {body: {conv: {block: conv, width: 8, kernel: 3}, norm: norm}}
  plain: {block: basic, width: 8}
  twice: {block: basic, width: 8, depth: 2}
  gone: {block: basic, width: 8, when: $on}
  norm: norm
  act: activation
  dotted.0: {block: conv, width: 8, kernel: 3}
  dotted.1: norm
"""


@pytest.mark.parametrize(
    ("path", "example"),
    [("plain", "width"), ("twice", "width"), ("norm", "kind"), ("act", "kind"), ("own.norm", "kind"), ("plain.conv1", "width"),
     ("plain.relu2", "kind"), ("twice.1", "width"), ("twice.1.bn1", "kind"), ("dotted.0", "width"), ("dotted.1", "kind")],
)  # fmt: skip
def test_a_module_is_called_one_and_the_help_mends_it(path: str, example: str) -> None:
    (mistake,) = refused(path)
    assert (mistake.message, mistake.help) == (
        f"`{path}` is a module",
        f"add one of its parameters, as in `{path}.{example}`",
    )
    explain_parameter("net.yaml", f"{path}.{example}", text=MODULES)


def test_a_module_with_steps_of_its_own_has_no_parameters() -> None:
    (mistake,) = refused("own")
    assert mistake.message == "`own` is a module with steps of its own"
    assert mistake.help == "name one of these, as in `own.conv`"
    (mistake,) = refused("gone")
    assert mistake.message == "`gone` is left out here (`when: $on`)"


def refused(path: str) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        explain_parameter("net.yaml", path, text=MODULES)
    return caught.value.diagnostics


def test_steps_that_are_no_module_go_by_their_key() -> None:
    text = HEAD + "stages:\n  one: {block: project, width: 8, inline: true}\n"
    assert archbuilder.why("vgg16", "stage1.width").value == 64
    found = explain_parameter("net.yaml", "0.width", text=text)
    assert [(each.name, each.path, each.value) for each in found.variables] == [("width", "one", 8)]
    with pytest.raises(SpecError, match="did you mean `one`"):
        explain_parameter("net.yaml", "oen.width", text=text)


def test_a_wrong_spec_says_so_first() -> None:
    with pytest.raises(SpecError) as caught:
        explain_parameter("net.yaml", "one.width", text=NET.replace("block: thing", "block: thign", 1))
    assert [mistake.code for mistake in caught.value.diagnostics] == ["unknown-block"]


def test_is_public_and_plain_data() -> None:
    found = archbuilder.why("resnet50", "layer3.depth")
    assert isinstance(found, archbuilder.Why)
    assert (found.value, found.winner) == (6, found.candidates[0])
    assert pickle.loads(pickle.dumps(found)).value == 6
    assert archbuilder.why("resnet50", "fc.width", classes=10).value == 10


# ---- it agrees with the graph ----------------------------------------------------------------------------------------

SAMPLE = (
    "resnet50",
    "resnet50d",
    "res2net50d",
    "mobilenet_v2",
    "efficientnet_b1",
    "densenet121",
    "googlenet",
    "pvt_v2_b0",
)
SAMPLE += ("hrnet_w18_small", "shufflenet_v2_x1_0", "vgg16", "regnet_y_800mf")


def nodes(graph: Graph, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Every node that is there with its path, by its first and its last repeat."""
    for node in graph.nodes:
        for name in dict.fromkeys((node.shown_names()[0], node.shown_names()[-1])):
            if node.body is not None and node.name != "streams":
                yield prefix + name, node
            if isinstance(node.body, Graph):
                yield from nodes(node.body, f"{prefix}{name}.")


def in_graph(body: Op | Graph, parameter: str) -> Any:
    """What the graph has for a parameter."""
    if isinstance(body, Graph):
        return body.bindings[parameter]
    if parameter == "width" and hasattr(body, "out_channels"):
        return body.out_channels
    return getattr(body, parameter)


def parameters_in(body: Op | Graph | None) -> list[str]:
    """The parameters whose values a graph keeps: all of a block, most of an op."""
    if isinstance(body, Graph):
        known = shipped_block(body.definition).parameters if body.definition in shipped_names() else ()
        return [name for name in body.bindings if name in known]
    names = [each.name for each in body.parameters] if body is not None else []
    return [name for name in names if hasattr(body, name) or (name == "width" and hasattr(body, "out_channels"))]


def plain(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


@pytest.mark.parametrize("name", SAMPLE)
def test_what_won_is_what_the_graph_has(name: str) -> None:
    architecture = archbuilder.load(name)
    lowered = lower_with_record(architecture)
    graph = lowered.graph
    assert modules(graph) == modules(archbuilder.lower(name))
    seen = 0
    for path, node in nodes(graph):
        body = node.body
        for parameter in parameters_in(body):
            expected = in_graph(body, parameter)
            found = explain(architecture, lowered, f"{path}.{parameter}")
            seen += 1
            kept = parameter == "width" and found.value is None  # not said: as many as come in
            assert kept or plain(found.value) == plain(expected), f"{path}.{parameter}"
            assert [candidate.won for candidate in found.candidates].count(True) == 1
            assert found.winner is found.candidates[0]
            assert as_text(found)
    assert seen > 40


# ---- beside `rename`, which may give a step the name of another one ------------------------------------------------------

RENAMED = """
name: net
input: {channels: 3, size: 16}
stages: {a: {block: basic, width: 8, stride: 2}, b: {block: basic, width: 16, stride: 2}}
"""


@pytest.mark.parametrize("said", ["{a: b, b: a}", "{a: b, b: c}", "{b: a, a: x.b}", "{a: c}", "{a: b.a, b: a}"])
def test_a_path_is_that_of_a_module_whatever_rename_calls_it(said: str) -> None:
    spec = {**yaml.safe_load(RENAMED), "rename": yaml.safe_load(said)}
    nodes = archbuilder.lower(spec).nodes
    for node, width in zip(nodes, (8, 16), strict=True):
        assert archbuilder.why(spec, f"{node.name}.width").value == width
        assert archbuilder.why(spec, f"{node.name}.conv1.width").value == width
        drawn = archbuilder.render(archbuilder.lower(spec), format="dot", focus=node.name).decode()
        assert f"to {width}×" in drawn


def test_a_path_in_a_block_is_that_of_a_module_too() -> None:
    rename = {"conv1": "conv2", "conv2": "conv1"}
    spec = {**yaml.safe_load(RENAMED), "defaults": {"basic": {"rename": rename}}}
    assert archbuilder.why(spec, "b.conv2.stride").value == 2  # the step `conv1`
    assert archbuilder.why(spec, "b.conv1.stride").value == 1


def test_a_step_that_no_module_is_called_as_goes_by_its_own_name() -> None:
    spec = {**yaml.safe_load(RENAMED), "rename": {"a": "b", "b": "c"}}
    assert archbuilder.why(spec, "a.width").value == 8
