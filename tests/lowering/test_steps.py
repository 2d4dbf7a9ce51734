"""Bodies and steps: order, wiring, names, conditions, repeats, loops and slots (rules 1 to 9 and 14 of the language)."""

from pathlib import Path

import pytest

from archbuilder import check, summarize
from archbuilder.graph.graph import Graph
from tests.networks import lowered, mistakes, modules, node_at, op_at, outline


def body(graph: Graph, path: str) -> Graph:
    found = node_at(graph, path).body
    assert isinstance(found, Graph)
    return found


def children(graph: Graph) -> list[str]:
    """The children of a network, in order of registration."""
    return list(dict.fromkeys(key.split(".")[0] for key, _ in graph.state()))


# ---- rules 1 and 2: bodies and steps


def test_a_map_names_its_children_and_a_list_numbers_them() -> None:
    graph = lowered("""
        stem: [{block: conv, width: 8, kernel: 3}, norm, activation]
        stages:
          one: [norm, {block: conv, kernel: 1}]
          two: {body: {bn: norm, conv: {block: conv, kernel: 1}}}
        """)
    assert modules(graph) == ["0", "1", "2", "one.0", "one.1", "two.bn", "two.conv"]


def test_a_dot_nests() -> None:
    graph = lowered("stages: {features.conv0: {block: conv, width: 8, kernel: 3}, features.norm0: norm, 7: norm}")
    assert [key for key, _ in graph.state()][:2] == ["features.conv0.weight", "features.norm0.weight"]
    assert children(graph) == ["features", "7"]


def test_a_section_may_be_one_use_of_a_block() -> None:
    graph = lowered("stem: {block: deep_stem, width: 32}\nhead: global_pool")
    assert outline(graph) == ["stem: deep_stem -> 32×16×16", "head: global avg pool -> 32"]


def test_sections_are_one_scope() -> None:
    graph = lowered("""
        stem: {conv: {block: conv, width: 8, kernel: 3}}
        stages: {bn: norm}
        neck: {relu: activation}
        head: {sum: {block: add, from: [conv, relu]}}
        """)
    assert [section.name for section in graph.sections] == ["stem", "stages", "neck", "head"]
    assert node_at(graph, "sum").inputs[0].node == 0


# ---- rule 3: wiring


def test_each_step_takes_the_one_before_unless_it_names_others() -> None:
    graph = lowered("""
        stages:
          a: {block: conv, width: 8, kernel: 3}
          b: {block: conv, kernel: 3}
          c: {block: conv, from: a, kernel: 3}
          sum: {block: add, from: [b, c]}
          both: {block: concat, from: [sum, input]}
        """)
    assert [[value.node for value in node.inputs] for node in graph.nodes] == [[-1], [0], [0], [1, 2], [3, -1]]
    assert str(graph.output_shape) == "11×32×32"


def test_input_is_the_bodys_own() -> None:
    graph = lowered("""
        stages:
          conv: {block: conv, width: 8, kernel: 3}
          residual: {body: {conv: {block: conv, kernel: 3}, sum: {block: add, from: [conv, input]}}}
        """)
    inner = body(graph, "residual")
    assert [value.node for value in inner.nodes[-1].inputs] == [0, -1]
    assert str(inner.input) == "8×32×32"


def test_parts_of_a_split() -> None:
    graph = lowered("""
        stages:
          conv: {block: conv, width: 12, kernel: 3}
          parts: {block: split, parts: 3}
          first: {block: norm, from: parts.0}
          last: {block: norm, from: parts.-1}
          all: {block: concat, from: [parts.*, first, last]}
        """)
    assert [value.item for value in node_at(graph, "all").inputs] == [0, 1, 2, None, None]
    assert node_at(graph, "last").inputs[0].item == 2
    assert str(graph.output_shape) == "20×32×32"


def test_a_star_is_all_steps_of_a_name() -> None:
    graph = lowered("""
        stages:
          for i in 3:
            branch.$i: {block: conv, from: input, width: $(4 + i), kernel: 1}
          all: {block: concat, from: branch.*}
        """)
    assert str(graph.output_shape) == "15×32×32"


# ---- rule 4: when and else


@pytest.mark.parametrize(("stride", "present"), [(1, False), (2, True)])
def test_a_step_that_is_left_out_hands_on_its_first_input(stride: int, present: bool) -> None:
    graph = lowered(f"""
        parameters: {{stride: {stride}}}
        stages:
          conv: {{block: conv, width: 8, kernel: 3, stride: $stride}}
          pooled: {{block: avg_pool, from: [input], kernel: 2, stride: 2, when: $(stride == 2)}}
          after: {{block: conv, width: 8, kernel: 1}}
          sum: {{block: add, from: [conv, after]}}
        """)
    assert ("pooled" in modules(graph)) is present
    assert str(graph.output_shape) == ("8×16×16" if present else "8×32×32")
    assert str(node_at(graph, "after").inputs) == "(Value(node=1, item=None),)"


def test_in_a_list_later_steps_move_up_unless_else_keeps_the_place() -> None:
    graph = lowered("""
        stages:
          a: [{block: dropout, when: false}, norm]
          b: [{block: dropout, when: false, else: identity}, norm]
        """)
    assert modules(graph) == ["a.0", "b.1"]
    assert [key for key, _ in graph.state()][0::5] == ["a.0.weight", "b.1.weight"]


# ---- rule 8: depth


def test_without_depth_there_is_no_index_level() -> None:
    graph = lowered("stages: {a: {block: basic, width: 8}, b: {block: basic, width: 8, depth: 1}}")
    keys = [key for key, _ in graph.state()]
    assert "a.conv1.weight" in keys
    assert "b.0.conv1.weight" in keys


def test_the_stride_belongs_to_the_first_repeat() -> None:
    graph = lowered("stages: {layer1: {block: basic, width: 8, depth: 3, stride: 2}}")
    assert [op_at(graph, f"layer1.{number}.conv1").stride for number in range(3)] == [(2, 2), (1, 1), (1, 1)]
    assert str(graph.output_shape) == "8×16×16"


def test_equal_repeats_are_one_node() -> None:
    graph = lowered("stages: {layer1: {block: basic, width: 8, depth: 200, stride: 2}}")
    first, rest = body(graph, "layer1").nodes
    assert (first.count, rest.count, rest.all_names()[:2]) == (1, 199, ("1", "2"))
    assert summarize(graph).layers == 400


def test_repeats_that_are_equal_from_the_first_are_one_node() -> None:
    graph = lowered(
        "stem: {c: {block: conv, width: 8, kernel: 3}}\nstages: {layer1: {block: basic, width: 8, depth: 5}}"
    )
    (node,) = body(graph, "layer1").nodes
    assert (node.count, node.all_names()) == (5, ("0", "1", "2", "3", "4"))


def test_a_step_with_a_body_and_an_op_repeat_too() -> None:
    graph = lowered("""
        stages:
          conv: {block: conv, kernel: 3, stride: 2, depth: 2}
          pair: {body: {conv: {block: conv, kernel: 3}, bn: norm}, depth: 2}
        """)
    assert modules(graph) == ["conv.0", "conv.1", "pair.0.conv", "pair.0.bn", "pair.1.conv", "pair.1.bn"]
    assert str(graph.output_shape) == "3×16×16"


def test_growing_repeats_are_separate() -> None:
    graph = lowered("""
        blocks:
          grow:
            parameters: {by: 4}
            body: {conv: {block: conv, width: $by, kernel: 3}, all: {block: concat, from: [input, conv]}}
        stages: {dense: {block: grow, depth: 3}}
        """)
    assert [str(node.shape) for node in body(graph, "dense").nodes] == ["7×32×32", "11×32×32", "15×32×32"]


def test_repeat_counts_and_names() -> None:
    graph = lowered("""
        stages:
          layer1: {block: conv, kernel: 1, width: $(8 * (repeat + 1)), depth: 3, names: unit$(repeat + 1)}
        """)
    assert modules(graph) == ["layer1.unit1", "layer1.unit2", "layer1.unit3"]
    assert [op_at(graph, path).out_channels for path in modules(graph)] == [8, 16, 24]


def test_depth_can_be_computed() -> None:
    graph = lowered("parameters: {blocks: 2}\nstages: {layer1: {block: basic, width: 8, depth: $(blocks * 2)}}")
    assert summarize(graph).layers == 8


# ---- rule 9: for


def test_a_loop_repeats_steps_in_place() -> None:
    graph = lowered("""
        parameters: {widths: [8, 16]}
        stages:
          for i in len(widths):
            conv$(i + 1): {block: conv, width: "$(widths[i])", kernel: 3}
            bn$(i + 1): norm
        """)
    assert outline(graph)[::2] == ["conv1: conv 3×3 -> 8×32×32", "conv2: conv 3×3 -> 16×32×32"]
    assert modules(graph) == ["conv1", "bn1", "conv2", "bn2"]


def test_a_loop_from_to_and_in_a_loop() -> None:
    graph = lowered("""
        stages:
          for i in 1 .. 3:
            for j in i:
              conv$i$j: {block: conv, kernel: 1}
        """)
    assert modules(graph) == ["conv10", "conv20", "conv21"]


def test_a_loop_may_be_empty() -> None:
    assert modules(
        lowered("parameters: {n: 0}\nstages: {for i in n: {conv$i: {block: conv, kernel: 1}}, bn: norm}")
    ) == ["bn"]


def test_two_loops_of_one_header_are_a_duplicate_key() -> None:
    text = """
        stages:
          for i in 2: {a$i: norm}
          for i in 2: {b$i: norm}
        """
    assert mistakes(text) == ["3: `for i in 2` is here twice; the first is in line 4"]


# ---- rule 7: slots


def test_a_slot_takes_a_name_a_use_or_null() -> None:
    shortcuts = {
        "avg_project": ["0", "1", "2"],
        "{block: conv, kernel: 1}": [""],
        "{block: avg_project, norm: {eps: 0.1}}": ["0", "1", "2"],
    }
    for written, expected in shortcuts.items():
        graph = lowered(f"stages: {{layer1: {{block: basic, width: 8, stride: 2, shortcut: {written}}}}}")
        found = [path.partition("downsample")[2].strip(".") for path in modules(graph) if "downsample" in path]
        assert found == expected
    plain = lowered("stages: {layer1: {block: basic, width: 8, stride: 2, shortcut: null}}")
    assert [name for name in modules(plain) if "downsample" in name or "sum" in name] == []


def test_steps_in_a_slot_see_the_place_where_they_are_written() -> None:
    graph = lowered("""
        parameters: {inner: 5}
        stages:
          layer1:
            block: bottleneck
            width: 64
            after_last_norm:
              down: {block: conv, width: $inner, kernel: 1}
              up: {block: conv, width: $(here.channels + 59), kernel: 1}
        """)
    assert op_at(graph, "layer1.down").out_channels == 5  # not the bottleneck's own `inner`, which is 16
    assert op_at(graph, "layer1.up").out_channels == 64


def test_a_slot_of_an_own_block() -> None:
    graph = lowered("""
        blocks:
          wrap:
            parameters: {unit: block, first: steps}
            body: {pre: {body: $first, inline: true}, unit: {block: $unit, width: 8}}
        stages:
          a: {block: wrap, unit: basic, first: {bn: norm}}
          b: {block: wrap, unit: {block: conv, kernel: 5}, first: {}}
          c: {block: wrap, unit: {block: conv, kernel: 3}, first: null}
        """)
    assert [path for path in modules(graph) if path[0] in "bc"] == ["b.unit", "c.unit"]
    assert "a.bn" in modules(graph)
    assert op_at(graph, "b.unit").kernel == (5, 5)


def test_the_default_of_a_slot_may_be_another_slot() -> None:
    graph = lowered("""
        blocks:
          twice:
            parameters:
              first: {type: block, default: norm}
              second: {type: block, default: $first}
              early: {type: steps, default: null}
              late: {type: steps, default: $early}
            body: {pre: {body: $early}, a: {block: $first}, b: {block: $second}, post: {body: $late}}
        stages:
          usual: twice
          both: {block: twice, first: {block: norm, eps: 0.5}}
          one: {block: twice, second: activation}
          inner: {block: twice, early: {act: activation}}
        """)
    assert op_at(graph, "usual.b").name == "norm"
    assert (op_at(graph, "both.a").eps, op_at(graph, "both.b").eps) == (0.5, 0.5)
    assert (op_at(graph, "one.a").name, op_at(graph, "one.b").name) == ("norm", "activation")
    assert [name for name in modules(graph) if name.endswith(".act")] == ["inner.pre.act", "inner.post.act"]


# ---- rule 6: blocks of one's own


def test_parameters_types_defaults_and_let() -> None:
    graph = lowered("""
        blocks:
          pair:
            help: two convolutions
            parameters:
              width: channels
              ratio: 0.5
              kind: {choices: [relu, silu], default: relu}
              inner: {type: channels, default: $(round(width * ratio))}
            let: {doubled: $(inner * 2)}
            body:
              conv1: {block: conv, width: $doubled, kernel: 3}
              act: {block: activation, kind: $kind}
              conv2: {block: conv, width: $width, kernel: 3}
        stages:
          a: {block: pair, width: 16}
          b: {block: pair, width: 16, ratio: 2.0, kind: silu}
          c: {block: pair, width: 16, inner: 3}
        """)
    assert [op_at(graph, f"{name}.conv1").out_channels for name in "abc"] == [16, 64, 6]
    assert [op_at(graph, f"{name}.act").kind for name in "abc"] == ["relu", "silu", "relu"]
    assert body(graph, "a").bindings == {"width": 16, "ratio": 0.5, "kind": "relu", "inner": 8, "doubled": 16}
    assert body(graph, "a").help == "two convolutions"


def test_a_default_can_ask_for_what_goes_in() -> None:
    graph = lowered("""
        blocks:
          same:
            parameters: {width: {type: channels, default: $(input.channels * 2)}}
            body: [{block: conv, width: $width, kernel: 1}]
        stages: {a: same, b: same}
        """)
    assert str(graph.output_shape) == "12×32×32"


def test_equal_calls_are_one_graph() -> None:
    graph = lowered("stages: {a: {block: basic, width: 8}, b: {block: basic, width: 8}, c: {block: basic, width: 8}}")
    assert node_at(graph, "b").body is node_at(graph, "c").body
    assert node_at(graph, "a").body is not node_at(graph, "b").body


# ---- rule 14: names only


def test_the_order_in_which_a_use_writes_its_parameters_means_nothing() -> None:
    graph = lowered("""
        blocks:
          mine:
            parameters: {width: channels, kernel: int}
            body: {conv: {block: conv, width: $width, kernel: $kernel}}
        stages:
          one: {block: mine, width: 3, kernel: 5}
          two: {block: mine, kernel: 3, width: 5}
          three: {block: mine, kernel: 5, width: 3}
        """)
    convolutions = [op_at(graph, f"{name}.conv") for name in ("one", "two", "three")]
    assert [(op.out_channels, op.kernel) for op in convolutions] == [(3, (5, 5)), (5, (3, 3)), (3, (5, 5))]


def test_inline_children_belong_to_the_parent() -> None:
    graph = lowered("""
        stages:
          own: {body: {conv: {block: conv, width: 8, kernel: 3}, bn: norm}, inline: true}
          unit: {block: basic, width: 8, inline: true}
        """)
    assert modules(graph)[:4] == ["conv", "bn", "conv1", "bn1"]


def test_rename() -> None:
    graph = lowered("""
        rename: {stem: backbone}
        stages:
          stem.conv: {block: conv, width: 8, kernel: 3}
          layer1: {block: basic, width: 16, rename: {downsample: shortcut, conv2: second}}
        """)
    assert modules(graph)[0] == "backbone.conv"
    assert {path.split(".")[1] for path in modules(graph)[1:]} >= {"shortcut", "second", "conv1"}


def test_renamed_steps_keep_their_name_for_from() -> None:
    graph = lowered("""
        rename: {a: first}
        stages: {a: {block: conv, width: 3, kernel: 1}, b: norm, sum: {block: add, from: [a, b]}}
        """)
    assert modules(graph) == ["first", "b", "sum"]


def test_register_changes_the_order_of_registration_alone() -> None:
    text = "stages: {layer1: {block: basic, width: 16, stride: 2REGISTER}}"
    plain = lowered(text.replace("REGISTER", ""))
    registered = lowered(text.replace("REGISTER", ", register: [downsample, conv2]"))
    assert children(body(registered, "layer1")) == ["downsample", "conv2", "conv1", "bn1", "bn2"]
    assert children(body(plain, "layer1")) == ["conv1", "bn1", "conv2", "bn2", "downsample"]
    assert modules(plain) == modules(registered)
    assert dict(plain.state()) == dict(registered.state())


@pytest.mark.parametrize("first", ["b", "c"])
def test_register_takes_the_names_of_modules_and_those_of_their_steps(first: str) -> None:
    conv = "{block: conv, width: 4, kernel: 1}"
    network = f"rename: {{b: c}}\nregister: [{first}]\nstages: {{a: {conv}, b: {conv}}}"
    assert children(lowered(network)) == ["c", "a"]
    step = f"stages: {{s: {{rename: {{b: c}}, register: [{first}], body: {{a: {conv}, b: {conv}}}}}}}"
    assert children(body(lowered(step), "s")) == ["c", "a"]
    own = f"blocks: {{x: {{register: [b], body: {{a: {conv}, b: {conv}}}}}}}\nstages: {{s: {{block: x, rename: {{b: {first}}}}}}}"
    assert children(body(lowered(own), "s")) == [first, "a"]


def test_register_of_the_network() -> None:
    graph = lowered("register: [b]\nstages: {a: norm, b: norm, c: norm}")
    assert children(graph) == ["b", "a", "c"]


# ---- rule 12: taps


def test_taps_are_the_last_map_of_each_reduction() -> None:
    graph = lowered("""
        stem:
          conv1: {block: conv, width: 8, kernel: 3, stride: 2}
          bn1: norm
          relu: activation
          pool: {block: max_pool, kernel: 3, stride: 2}
        stages:
          layer1: {block: basic, width: 8, depth: 2}
          layer2: {block: basic, width: 16, stride: 2}
          layer3: {block: basic, width: 16}
        head: {pooled: global_pool}
        """)
    assert [(tap.name, tap.reduction) for tap in graph.taps] == [("relu", 2), ("layer1", 4), ("layer3", 8)]


def test_features_names_them() -> None:
    graph = lowered("stages: {a: norm, b: {block: conv, kernel: 3, stride: 4}, c: norm}\nfeatures: [a, b]")
    assert [(tap.name, tap.reduction) for tap in graph.taps] == [("a", 1), ("b", 4)]


# ---- mistakes: all in one run, each cause once


def test_mistakes_of_equal_calls_are_reported_once() -> None:
    text = """
        blocks: {pair: {body: [{block: conv, kernal: 3}]}}
        stages: {a: {block: pair, depth: 3}, b: pair, c: pair}
        """
    assert len(mistakes(text)) == 1


def test_mistakes_in_all_sections_are_reported() -> None:
    text = """
        stem: {a: {block: conv, kernel: 3, x: 1}}
        stages: {b: {block: conv, kernel: 3, y: 1}}
        head: {c: {block: linear, width: 0}, d: unheard}
        expect: {layers: 3}
        """
    assert mistakes(text) == [
        "1: `conv` has no parameter `x`",
        "2: `conv` has no parameter `y`",
        "3: `width` must be a number of channels, 1 or more, got 0 (in `linear`)",
        "3: there is no block `unheard`",
    ]


def test_a_further_output_that_is_left_out_stays_beside_the_chain() -> None:
    text = """
        name: net
        extends: resnet18
        neck: {aux: {from: layer2, output: training, when: WHEN, body: [global_pool, {block: linear, width: 10}]}}
        """
    left_out, there = (lowered(text.replace("WHEN", word)) for word in ("false", "true"))
    assert [graph.nodes[-1].body.in_channels for graph in (left_out, there)] == [512, 512]
    assert left_out.outputs == ()


def test_new_steps_may_name_each_other_whatever_comes_first(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("""\
name: net
extends: resnet18
stem:
  x: {block: norm, before: y}
  y: {block: activation, before: bn1}
  z: {block: activation, after: x}
""")
    assert [node.name for node in check(tmp_path / "net.yaml").graph.nodes][:6] == [
        "conv1",
        "x",
        "z",
        "y",
        "bn1",
        "relu",
    ]


def test_patches_put_steps_into_inner_bodies_and_loops() -> None:
    graph = lowered("""
        blocks:
          gated: {extends: regnet_block, body: {f: {body: {gate: {block: squeeze_excite, ratio: 2, before: c}}}}}
          ladder: {extends: res2net, body: {"for i in scale - 1": {more.$i: {block: norm, after: convs.$i}}}}
        stages: {a: {block: gated, width: 16, group_width: 8}, b: {block: ladder, width: 64}}
        """)
    assert [node.name for node in node_at(graph, "a.f").body.nodes if node.body] == ["a", "b", "gate", "c"]
    names = [path for path in modules(graph) if path.startswith("b.")]
    assert names.index("b.more.0") == names.index("b.convs.0") + 1


def test_the_gate_of_an_inverted_residual_is_any_block() -> None:
    graph = lowered("""
        stages:
          a: {block: mbconv, width: 16, gate: efficient_channel_attention}
          b: {block: mbconv, width: 16, gate: {block: squeeze_excite, ratio: 2}}
          c: {block: mbconv, width: 16, squeeze: 3}
        """)
    assert op_at(graph, "a.block.2.conv").kernel == 3
    assert [op_at(graph, f"{path}.fc1").out_channels for path in ("b.block.2", "c.block.2")] == [48, 3]


# ---- what names of values mean


def test_what_is_left_out_is_not_among_those_of_its_name() -> None:
    graph = lowered("""
        stages:
          for i in 3: {b.$i: {block: conv, kernel: 1, from: input, when: $(i != 1)}}
          sum: {block: add, from: b.*}
        """)
    assert [value.node for value in node_at(graph, "sum").inputs] == [0, 2]


def test_what_does_nothing_is_there_all_the_same() -> None:
    graph = lowered("""
        stages:
          for i in 2: {b.$i: {block: dropout, rate: $(0.5 * i), from: input}}
          for j in 2: {b.j$j: {block: conv, kernel: 1, from: input, when: false, else: identity}}
          sum: {block: add, from: b.*}
        """)
    assert len(node_at(graph, "sum").inputs) == 4


def test_all_of_a_name_are_left_out() -> None:
    found = mistakes("""
        stages:
          a: norm
          for i in 2: {b.$i: {block: norm, when: false}}
          sum: {block: add, from: b.*}
        """)
    assert found == ["4: there is no step `b.*` before this one"]


def test_all_of_a_name_are_left_out_beside_others() -> None:
    graph = lowered("""
        stages:
          a: norm
          for i in 2: {b.$i: {block: conv, kernel: 1, when: false}}
          c: {block: conv, kernel: 1, from: input}
          sum: {block: add, from: [a, b.*, c]}
          gone: {block: add, from: [b.*, a], when: false}
        """)
    assert [value.node for value in node_at(graph, "sum").inputs] == [0, 3]
    assert mistakes("stages: {a: norm, for i in 2: {b.$i: {block: norm, when: false}}}\nfeatures: [b.*]") == [
        "2: there is no step `b.*` to take features from"
    ]


def test_the_last_of_a_loop() -> None:
    graph = lowered("""
        stages:
          for i in 3: {b.$i: norm}
          sum: {block: add, from: [b.-1, b.-3, b.0]}
        """)
    assert [value.node for value in node_at(graph, "sum").inputs] == [2, 0, 0]


def test_the_last_of_a_loop_in_an_expression() -> None:
    graph = lowered("""
        stages:
          for i in 3: {b.$i: {block: conv, kernel: 1, width: $(4 + i)}}
          c: {block: conv, kernel: 1, width: $(b.-1.channels * 2 - b.-3.channels)}
          parts: {block: split, parts: 2}
          d: {block: conv, kernel: 1, from: parts.-1, width: $(parts.-1.channels + c.-1.channels)}
        """)
    assert [node_at(graph, name).shape.channels for name in ("c", "d")] == [8, 12]
    assert mistakes("stages: {b: norm, c: {block: conv, kernel: 1, width: $(b.-2.channels)}}") == [
        "1: there is no element -2 in a list of 1"
    ]


def test_a_single_value_is_its_own_first_part() -> None:
    graph = lowered("stages: {b: norm, c: {block: add, from: [b.0, b.-1, input.0]}}")
    assert [value.node for value in node_at(graph, "c").inputs] == [0, 0, -1]
    assert mistakes("stages: {b: norm, c: {block: norm, from: b.1}}") == ["1: there is no step `b.1` before this one"]


@pytest.mark.parametrize("inside", ["{block: basic, width: 16, depth: 2}", "[norm, norm]"])
def test_what_is_inside_a_step_is_no_part_of_its_value(inside: str) -> None:
    spec = f"stages:\n  b: {inside}\n  c: STEP\n"
    assert mistakes(spec.replace("STEP", "{block: norm, from: b.0}")) == ["3: there is no step `b.0` before this one"]
    (found,) = mistakes(spec.replace("STEP", "{block: conv, kernel: 3, width: $(b.0.channels)}"))
    assert found == "3: `b.0` is inside `b`, so it is no value here"


def test_from_takes_a_list_of_names_that_is_computed() -> None:
    graph = lowered("""
        blocks:
          own:
            parameters: {terms: {type: [string], default: [a, b]}}
            body: {a: norm, b: norm, c: {block: add, from: $terms}}
        stages: {x: own, y: {block: own, terms: [b, input, a]}}
        """)
    assert [value.node for value in node_at(body(graph, "x"), "c").inputs] == [0, 1]
    assert [value.node for value in node_at(body(graph, "y"), "c").inputs] == [1, -1, 0]
    assert mistakes("parameters: {terms: [1, 2]}\nstages: {a: norm, c: {block: add, from: $terms}}") == [
        "2: `from` takes names of steps, got [1, 2]"
    ]


def test_expressions_speak_of_steps_with_dots() -> None:
    graph = lowered("""
        stem: {stem.conv1: {block: conv, kernel: 3, width: 8}}
        stages:
          stages.0: {block: conv, kernel: 3, width: $(2 * stem.conv1.channels)}
          stages.1: {block: conv, kernel: 3, width: "$(max(stages.0.channels, 1.5))", when: "$('a.0' != 'a.__0')"}
          halves: {block: split, parts: 2}
          last: {block: conv, kernel: 1, from: halves.1, width: $(halves.1.channels + input.0.channels)}
        """)
    assert [node_at(graph, path).shape.channels for path in ("stages.0", "stages.1", "last")] == [16, 16, 11]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("stem.conv9.channels", "`stem.conv9` is not known in this expression"),
        ("stem.conv1.chanels", "a value has .channels, .height, .width, .tokens, not .chanels"),
        ("stages.0.channels", "`stages.0` is not known in this expression"),
        ("stem.conv1.1.channels", "there is no element 1 in a list of 1"),
    ],
)
def test_expressions_speak_of_steps_with_dots_that_are_not_there(expression: str, message: str) -> None:
    spec = f"stages:\n  stem.conv1: norm\n  a: {{block: conv, kernel: 3, width: $({expression})}}\n"
    assert mistakes(spec) == [f"3: {message}"]


def test_a_parameter_may_be_a_list() -> None:
    graph = lowered("""
        blocks:
          own:
            parameters: {rates: [6, 12, 18], shares: {default: [1, 0.5]}, kinds: [relu, silu]}
            body:
              for i in len(rates): {c.$i: {block: conv, kernel: 3, from: input, dilation: "$(rates[i])"}}
              all: {block: concat, from: c.*}
              drop: {block: dropout, rate: "$(shares[1])"}
              act: {block: activation, kind: "$(kinds[1])"}
        stages: {a: own, b: {block: own, rates: [3], kinds: [relu, gelu]}}
        """)
    assert [op_at(graph, path).dilation[0] for path in ("a.c.0", "a.c.2", "b.c.0")] == [6, 18, 3]
    assert op_at(graph, "b.act").kind == "gelu"
