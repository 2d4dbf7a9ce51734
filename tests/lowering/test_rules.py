"""Who wins, and how one text is laid over another: a test for each row of the tables in `docs/language.md`, by its name."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from archbuilder import Graph, SpecError, check, load
from tests.networks import fingerprint, lowered, mistakes, modules, op_at

PAGE = Path(__file__).parents[2] / "docs" / "language.md"


def test_every_rule_has_a_test() -> None:
    text = PAGE.read_text("utf-8").partition("\n## Which value wins\n")[2].partition("\n## ")[0]
    rules = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert len(rules) > 20
    assert [rule for rule in rules if f"test_{rule}" not in globals()] == []


def laid_over(folder: Path, base: str, text: str, /, **overrides: Any) -> Graph:
    """The graph of a spec that extends another one."""
    (folder / "base.yaml").write_text(f"name: base\ninput: {{channels: 16, size: 32}}\n{dedent(base)}")
    (folder / "over.yaml").write_text(f"name: over\nextends: base.yaml\n{dedent(text)}")
    return check(folder / "over.yaml", overrides).graph


def eps(graph: Graph, *paths: str) -> list[float]:
    return [op_at(graph, path).eps for path in paths]


# ---- where a parameter gets its value


def test_definition() -> None:
    assert eps(lowered("stages: {layer1: {block: basic, width: 16}, bn: norm}"), "layer1.bn1", "bn") == [1e-5, 1e-5]


def test_defaults() -> None:
    graph = lowered("defaults: {norm: {eps: 1e-4}}\nstages: {layer1: {block: basic, width: 16}, bn: norm}")
    assert eps(graph, "layer1.bn1", "bn") == [1e-4, 1e-4]


def test_inside() -> None:
    graph = lowered("""
        defaults: {norm: {eps: 1e-4}, basic: {norm: {eps: 1e-3}}, squeeze_excite: {activation: silu}}
        blocks: {pair: {body: {a: {block: basic, width: 16}, b: {block: basic, width: 16, norm: {eps: 3e-3}}}}}
        stages:
          layer1: {block: basic, width: 16, after_last_norm: {se: squeeze_excite}}
          outer: pair
          bn: norm
        """)
    assert eps(graph, "layer1.bn1", "outer.a.bn1", "outer.b.bn1", "bn") == [1e-3, 1e-3, 3e-3, 1e-4]
    assert [op_at(graph, f"layer1.{name}").kind for name in ("se.activation", "relu2")] == ["silu", "relu"]


def test_inside_the_nearest_of_several() -> None:
    graph = lowered("""
        defaults: {bottleneck: {squeeze_excite: {conv: {init: ones}, ratio: 4}}, conv: {init: zeros}, squeeze_excite: {ratio: 8}}
        stages:
          layer1: {block: bottleneck, width: 64, after_last_norm: {se: squeeze_excite}}
          se: squeeze_excite
        """)
    assert [op_at(graph, path).init for path in ("layer1.conv1", "layer1.se.fc1", "se.fc1")] == [
        "zeros",
        "ones",
        "zeros",
    ]
    assert [op_at(graph, path).out_channels for path in ("layer1.se.fc1", "se.fc1")] == [16, 8]


def test_around() -> None:
    graph = lowered("""
        defaults: {basic: {norm: {eps: 1e-3}}}
        stages: {layer1: {block: basic, width: 16, norm: {eps: 2e-3}}, layer2: {block: basic, width: 16}}
        """)
    assert eps(graph, "layer1.bn1", "layer2.bn1") == [2e-3, 1e-3]


def test_use() -> None:
    graph = lowered("defaults: {norm: {eps: 1e-4}}\nstages: {bn: {block: norm, eps: 1e-2}, other: norm}")
    assert eps(graph, "bn", "other") == [1e-2, 1e-4]


def test_scale() -> None:
    graph = lowered("""
        parameters: {by: 1.5}
        scale: {width: {by: $by}, depth: {by: 1.2}}
        stem: {conv: {block: conv, width: 10, kernel: 3}}
        stages:
          layer1: {block: basic, width: 16, depth: 3}
          layer2: {block: mbconv, width: 20, expanded: 40}
        head: {fc: {block: conv, width: 10, kernel: 1}}
        """)
    assert op_at(graph, "conv").out_channels == 16  # 15, to a multiple of 8
    assert str(graph.nodes[1].shape) == "24×32×32"
    assert "layer1.3.conv1" in modules(graph)  # 3.6, rounded up
    assert op_at(graph, "layer2.block.0.0").out_channels == 64  # 60: `expanded` is of the type channels too
    assert op_at(graph, "layer2.block.3.0").out_channels == 32  # 30
    assert op_at(graph, "fc").out_channels == 10, "the head is not scaled"


def test_scale_reaches_lists_and_bodies_of_the_sections() -> None:
    graph = lowered("""
        scale: {width: {by: 2.0}, depth: {by: 2.0}}
        stages:
          a: [{block: conv, width: 8, kernel: 3}, {block: conv, width: 8, kernel: 3, depth: 2}]
          b: {body: {c: {block: conv, width: 24, kernel: 3}}, inline: true}
        """)
    assert [op_at(graph, path).out_channels for path in ("a.0", "a.1.3", "c")] == [16, 16, 48]


def test_scale_without_effect() -> None:
    text = "scale: {width: {by: 2.0}, depth: {by: 2.0}}\nstages: {a: norm}"
    assert mistakes(text) == [
        f"1: this multiplier has no effect: no step of `stem` and `stages` says `{word}`" for word in ("width", "depth")
    ]


def test_scale_says_how_to_round() -> None:
    text = "scale: {width: {by: WIDTH}, depth: {by: 1.2, round: round}}\nstages: {layer1: {block: basic, width: 16, depth: 2}}"
    for rule, width in (("1.2", 24), ("1.2, keep: 0.8", 16), ("1.2, to: 4", 20), ("1.2, to: 1", 19)):
        graph = lowered(text.replace("WIDTH", rule))
        assert op_at(graph, "layer1.1.conv2").out_channels == width
        assert "layer1.2.conv1" not in modules(graph)


def test_repeat() -> None:
    graph = lowered("stages: {layer1: {block: basic, width: 16, depth: 3, stride: 2}}")
    assert [op_at(graph, f"layer1.{number}.conv1").stride for number in range(3)] == [(2, 2), (1, 1), (1, 1)]


RESIDUAL = """output_stride: 8
stem: {conv1: {block: conv, width: 16, kernel: 7, stride: 2}, pool: {block: max_pool, kernel: 3, stride: 2}}
stages:
  layer1: {block: basic, width: 16, depth: 2}
  layer2: {block: basic, width: 32, depth: 2, stride: 2}
  layer3: {block: basic, width: 64, depth: 2, stride: 2}
  layer4: {block: basic, width: 128, depth: 2, stride: 2}
"""


def test_output_stride() -> None:
    graph = lowered(RESIDUAL)
    paths = [f"layer{stage}.{repeat}.conv{conv}" for stage in (2, 3, 4) for repeat in (0, 1) for conv in (1, 2)]
    assert [op_at(graph, path).stride[0] for path in paths] == [2, *[1] * 11]
    assert [op_at(graph, path).dilation[0] for path in paths] == [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4]


# ---- what can be set at all


def test_fixed() -> None:
    text = "defaults: {conv: {kernel: 5}}\nstages: {layer1: {block: basic, width: 16}}"
    assert mistakes(text) == ["1: `kernel` of `conv` has no effect: no use of `conv` here takes it"]
    assert mistakes("stages: {layer1: {block: basic, width: 16, conv: {kernel: 5}}}") == [
        "1: `kernel` of `conv` has no effect: no use of `conv` here takes it"
    ]
    graph = lowered("stages: {layer1: {block: basic, width: 16, conv: {bias: true}}}")
    assert op_at(graph, "layer1.conv1").bias


def test_slot() -> None:
    text = "stages: {layer1: {block: basic, width: 16, shortcut: {block: project, width: 8}}}"
    assert mistakes(text) == ["1: `width` of `project` is set by `basic` itself"]


def test_overruled() -> None:
    text = "stages: {layer1: {block: bottleneck, width: 64, ratio: 0.5, inner: 16}}"
    assert mistakes(text) == ["1: `ratio` of `bottleneck` has no effect beside `inner`"]
    text = "stages: {layer1: {block: mbconv, width: 64, squeeze: 4, gate: null}}"
    assert mistakes(text) == ["1: `squeeze` of `mbconv` has no effect beside `gate`"]
    graph = lowered("""
        defaults: {bottleneck: {ratio: 0.5}}
        stages: {a: {block: bottleneck, width: 64, inner: 16}, b: {block: bottleneck, width: 64}}
        """)
    assert [op_at(graph, f"{name}.conv1").out_channels for name in "ab"] == [16, 32]


def test_overruled_by_what_is_not_there() -> None:
    """A parameter that means nothing beside the others of its op."""
    without = "has no effect without a bias"
    assert mistakes("stages: {a: {block: conv, kernel: 3, bias_init: zeros}}") == [
        f"1: `bias_init` of `conv` {without}"
    ]
    linear = "stages: {pool: global_pool, fc: {block: linear, bias: false, bias_init: zeros}}"
    assert mistakes(linear) == [f"1: `bias_init` of `linear` {without}"]
    text = "defaults: {conv: {bias_init: zeros}}\nstages: {a: {block: conv, kernel: 3}, b: {block: conv, kernel: 3, bias: BIAS}}"
    assert mistakes(text.replace("BIAS", "false")) == [
        "1: `bias_init` of `conv` has no effect: no use of `conv` here takes it"
    ]
    assert mistakes(text.replace("BIAS", "true")) == []


def test_unused(tmp_path: Path) -> None:
    assert mistakes("defaults: {dropout: 0.5}\nstages: {bn: norm}") == [
        "1: `rate` of `dropout` has no effect: no use of `dropout` here takes it"
    ]
    graph = laid_over(tmp_path, "defaults: {dropout: 0.5}\nhead: {drop: dropout}", "head: {drop: null, bn: norm}")
    assert modules(graph) == ["bn"]


# ---- how one text is laid over another


def test_order(tmp_path: Path) -> None:
    base = """
        defaults: {norm: {eps: 1e-2, momentum: 0.2}}
        parameters: {width: 8}
        stages: {bn: norm, conv: {block: conv, width: $width, kernel: 1}}
        """
    over = """
        defaults: {norm: {eps: 1e-3}}
        parameters: {width: 16}
        default: wide
        variants: {wide: {parameters: {width: 32}, defaults: {norm: {eps: 1e-4}}}}
        """

    def found(graph: Graph) -> tuple[float, float, int]:
        return op_at(graph, "bn").eps, op_at(graph, "bn").momentum, op_at(graph, "conv").out_channels

    assert found(laid_over(tmp_path, base, over)) == (1e-4, 0.2, 32)
    assert found(laid_over(tmp_path, base, over, **{"defaults.norm.eps": 1e-5, "width": 64})) == (1e-5, 0.2, 64)
    assert found(laid_over(tmp_path, base, over.partition("default:")[0])) == (1e-3, 0.2, 16)
    assert found(check(tmp_path / "base.yaml").graph) == (1e-2, 0.2, 8)


def test_what_is_set_is_laid_over_as_a_patch_is(tmp_path: Path) -> None:
    base = """
        parameters: {rate: 0.0}
        defaults: {activation: leaky_relu, drop_path: $rate}
        stages: {a: {block: conv_norm_act, width: 8}, n: norm, b: {block: basic, width: 8}}
        """
    patch = "defaults: {activation: {kind: silu}, drop_path: {rate: 0.1}}\nstages: {n: {eps: 0.5}}"
    values = {"defaults.activation.kind": "silu", "defaults.drop_path.rate": 0.1, "n.eps": 0.5}
    patched, put = laid_over(tmp_path, base, patch), laid_over(tmp_path, base, "", **values)
    assert fingerprint(patched) == fingerprint(put)
    assert check(tmp_path / "base.yaml", values)  # whose `rate` nothing uses now
    assert (op_at(put, "b.relu1").kind, op_at(put, "n").eps) == ("silu", 0.5)
    with pytest.raises(SpecError, match=r"--set defaults\.dropout\.rate:1:1: .* has no effect"):
        laid_over(tmp_path, base, "", **{"defaults.dropout.rate": 0.1})


STAGES = """stages:
  layer1: {block: bottleneck, width: 64, ratio: 0.5, depth: 2}
  act: activation
  layer2: {block: basic, width: 32}
"""


def test_maps(tmp_path: Path) -> None:
    graph = laid_over(tmp_path, STAGES, "stages: {layer1: {depth: 3}, layer3: {block: basic, width: 8}}")
    assert op_at(graph, "layer1.2.conv2").out_channels == 32
    assert [node.name for node in graph.nodes] == ["layer1", "act", "layer2", "layer3"]


def test_others(tmp_path: Path) -> None:
    graph = laid_over(
        tmp_path, STAGES, "stages: {act: {block: activation, kind: silu}, layer2: {width: 8}, layer1: norm}"
    )
    assert op_at(graph, "act").kind == "silu"
    assert op_at(graph, "layer2.conv1").out_channels == 8
    assert op_at(graph, "layer1").channels == 16
    graph = laid_over(
        tmp_path, "stages: {pair: [norm, activation, norm]}", "stages: {pair: [{block: activation, kind: tanh}]}"
    )
    assert modules(graph) == ["pair.0"]


def test_short(tmp_path: Path) -> None:
    graph = laid_over(tmp_path, STAGES, "stages: {act: {kind: silu}}")
    assert op_at(graph, "act").kind == "silu"


def test_null(tmp_path: Path) -> None:
    graph = laid_over(tmp_path, STAGES, "stages: {act: null, layer2: {shortcut: null}}")
    assert [node.name for node in graph.nodes] == ["layer1", "layer2"]
    assert not [path for path in modules(graph) if path.startswith(("layer2.sum", "layer2.downsample"))]


def test_block(tmp_path: Path) -> None:
    graph = laid_over(tmp_path, STAGES, "stages: {layer1: {block: basic}}")
    assert op_at(graph, "layer1.1.conv2").out_channels == 64  # width and depth stay; `basic` has no ratio


def test_kind(tmp_path: Path) -> None:
    graph = laid_over(tmp_path, STAGES, "stages: {layer1: {body: {bn: norm}}, act: [norm, activation]}")
    assert modules(graph)[:3] == ["layer1.bn", "act.0", "act.1"]
    graph = laid_over(tmp_path, "stages: {layer1: {body: {bn: norm}}}", "stages: {layer1: {block: basic, width: 8}}")
    assert "layer1.bn" not in modules(graph)


def test_place(tmp_path: Path) -> None:
    over = """
        stages:
          first: {block: norm, before: layer1}
          mid: {block: norm, after: act}
          next: {block: norm, after: act}
          last: norm
        """
    graph = laid_over(tmp_path, STAGES, over)
    assert [node.name for node in graph.nodes] == ["first", "layer1", "act", "mid", "next", "layer2", "last"]


def test_slot_steps() -> None:
    graph = lowered(
        """
        defaults: {basic: {after_last_norm: {se: squeeze_excite, drop: dropout}}}
        stages:
          a: {block: basic, width: 16}
          b: {block: basic, width: 16, after_last_norm: {drop: {block: dropout, rate: 0.1}, act: activation}}
        """
    )
    assert [path for path in modules(graph) if path in ("a.drop", "b.drop", "b.act", "a.act")] == [
        "a.drop",
        "b.drop",
        "b.act",
    ]
    assert [op_at(graph, f"{name}.drop").rate for name in "ab"] == [0.5, 0.1]


FACTS = """help: words
class: Base
reference: {paper: x}
stages: {c: {block: conv, kernel: 3}}
default: '1'
variants: {'1': {expect: {layers: 1}}, '2': {stages: {d: {block: conv, kernel: 3}}, expect: {layers: 2}}}
"""


def test_own(tmp_path: Path) -> None:
    laid_over(tmp_path, FACTS, "stages: {d: {block: conv, kernel: 3}}")
    over = load(tmp_path / "over.yaml")
    assert (over.name, over.help, over.reference, over.expect) == ("over", "", None, None)
    assert (over.variants, over.default) == ({}, None)
    assert over.class_ == "Base"


def test_variant(tmp_path: Path) -> None:
    (tmp_path / "series.yaml").write_text(f"name: series\n{FACTS}")
    second = check(f"{tmp_path / 'series.yaml'}#2").architecture
    assert (second.name, second.help, second.class_) == ("series2", "words", "Base")
    assert second.reference is not None
    assert second.expect is not None
    assert second.expect.layers == 2


def test_files(tmp_path: Path) -> None:
    for name, kernel in (("one", 3), ("two", 5)):
        (tmp_path / f"{name}.yaml").write_text(f"""\
blocks:
  unit: {{parameters: {{width: 8}}, body: {{conv: {{block: conv, width: $width, kernel: {kernel}}}, {name}: norm}}}}
  only_{name}: {{body: [norm]}}
""")
    spec = "name: user\nuse: FILES\nBLOCKSstages: {a: unit, b: only_two"

    def graph(files: str, blocks: str = "") -> Graph:
        (tmp_path / "user.yaml").write_text(f"{spec}}}".replace("FILES", files).replace("BLOCKS", blocks))
        return check(tmp_path / "user.yaml").graph

    both = graph("[one.yaml, two.yaml]")
    assert modules(both) == ["a.conv", "a.one", "a.two", "b.0"]
    assert op_at(both, "a.conv").kernel == (5, 5)
    assert op_at(graph("[two.yaml, one.yaml]"), "a.conv").kernel == (3, 3)
    own = graph("two.yaml", "blocks: {unit: {body: {conv: {kernel: 7}}}}\n")
    assert (op_at(own, "a.conv").kernel, modules(own)) == ((7, 7), ["a.conv", "a.two", "b.0"])
    spec += ", c: mine"
    laid = graph("two.yaml", "blocks: {mine: {extends: only_two, body: [activation]}}\n").nodes
    assert [node.name for node in laid] == ["a", "b", "c"]


# ---- blocks that extend blocks, by the same rules


def test_blocks_extend_blocks() -> None:
    graph = lowered("""
        blocks:
          my_gate:
            body:
              pool: {block: global_pool, keep: true}
              scale: {block: activation, kind: sigmoid}
              out: {block: multiply, from: [input, scale]}
          mine: {extends: bottleneck, body: {conv2: {kernel: 5}, gate: {block: my_gate, after: bn2}}}
          narrow: {extends: mine, parameters: {ratio: 0.125}, body: {gate: null, relu3: {kind: gelu}}}
        stages: {a: {block: mine, width: 64}, b: {block: narrow, width: 64}, c: {block: bottleneck, width: 64}}
        """)
    assert [op_at(graph, f"{name}.conv2").kernel[0] for name in "abc"] == [5, 5, 3]
    assert [op_at(graph, f"{name}.conv2").out_channels for name in "abc"] == [16, 8, 16]
    order = [path.removeprefix("a.") for path in modules(graph) if path.startswith("a.")]
    assert order[order.index("bn2") :][:3] == ["bn2", "gate.pool", "gate.scale"]
    assert "b.gate.pool" not in modules(graph)
    assert [op_at(graph, f"{name}.relu3").kind for name in "abc"] == ["relu", "gelu", "relu"]


def test_a_block_that_extends_one_patches_its_loops_and_let() -> None:
    graph = lowered("""
        blocks: {mine: {extends: res2net, body: {for i in scale - 1: {convs.$i: {kernel: 5}}}}}
        stages: {a: {block: mine, width: 64, depth: 2}}
        """)
    assert [op_at(graph, f"a.1.convs.{number}").kernel[0] for number in range(3)] == [5, 5, 5]


def test_a_default_may_become_required_and_a_parameter_new() -> None:
    text = """
        blocks: {mine: {extends: basic, parameters: {zero_init: bool, k: 5}, body: {conv2: {kernel: $k}}}}
        stages: {a: {block: mine, width: 16USE}}
        """
    assert mistakes(text.replace("USE", "")) == ["2: `mine` needs `zero_init`"]
    assert op_at(lowered(text.replace("USE", ", zero_init: true")), "a.conv2").kernel == (5, 5)


def test_defaults_for_a_block_do_not_reach_those_that_extend_it() -> None:
    """They go by name, and the name is another."""
    graph = lowered("""
        blocks: {mine: {extends: bottleneck}}
        defaults: {bottleneck: {ratio: 0.5}, mine: {ratio: 1.0}}
        stages: {a: {block: mine, width: 64}, b: {block: bottleneck, width: 64}}
        """)
    assert [op_at(graph, f"{name}.conv2").out_channels for name in "ab"] == [64, 32]


# ---- sequential


def test_sequential_numbers_stem_stages_and_neck() -> None:
    graph = lowered("""
        sequential: features
        stem: {conv: {block: conv, width: 8, kernel: 3}, act: activation}
        stages: {layer1: {block: basic, width: 8, depth: 2}, unit: {block: dense_transition, inline: true}}
        neck: {last: norm}
        head: {pool: global_pool, fc: {block: linear, width: 2}}
        """)
    children = list(dict.fromkeys(".".join(path.split(".")[:2]) for path in modules(graph)))
    assert children == [*(f"features.{number}" for number in range(9)), "pool", "fc"]
