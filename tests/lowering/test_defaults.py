"""Who wins: the definition, the network's defaults, the uses around, the use itself (rule 11 of the language)."""

from tests.networks import lowered, mistakes, op_at


def test_the_definition_is_weakest() -> None:
    graph = lowered("stages: {bn: norm, relu: activation, layer1: {block: basic, width: 8}}")
    assert op_at(graph, "bn").eps == 1e-5
    assert op_at(graph, "layer1.relu1").kind == "relu"


def test_defaults_of_the_network_reach_every_use() -> None:
    graph = lowered("""
        defaults: {norm: {eps: 1e-3}, activation: silu, basic: {zero_init: true}}
        stages: {bn: norm, layer1: {block: basic, width: 8}}
        """)
    assert op_at(graph, "bn").eps == 1e-3
    assert (op_at(graph, "layer1.bn1").eps, op_at(graph, "layer1.bn1").zero_init) == (1e-3, False)
    assert op_at(graph, "layer1.bn2").zero_init
    assert op_at(graph, "layer1.relu2").kind == "silu"


def test_the_use_around_is_stronger_the_nearest_strongest() -> None:
    graph = lowered("""
        defaults: {activation: silu}
        blocks:
          outer: {body: {a: {block: inner}, b: {block: inner, activation: gelu}}}
          inner: {body: {act: activation}}
        stages:
          plain: outer
          said: {block: outer, activation: mish}
        """)
    kinds = {path: op_at(graph, f"{path}.act").kind for path in ("plain.a", "plain.b", "said.a", "said.b")}
    assert kinds == {"plain.a": "silu", "plain.b": "gelu", "said.a": "mish", "said.b": "gelu"}


def test_the_use_itself_is_strongest() -> None:
    graph = lowered("""
        defaults: {activation: silu, bottleneck: {ratio: 0.5}}
        stages:
          relu: {block: activation, kind: tanh}
          layer1: {block: bottleneck, width: 64, ratio: 1.0}
          layer2: {block: bottleneck, width: 64}
        """)
    assert op_at(graph, "relu").kind == "tanh"
    assert [op_at(graph, f"layer{number}.conv2").out_channels for number in (1, 2)] == [64, 32]


def test_what_a_body_writes_is_fixed() -> None:
    text = """
        defaults: {conv: {kernel: 5}}
        stages: {layer1: {block: basic, width: 8}}
        """
    assert mistakes(text) == ["1: `kernel` of `conv` has no effect: no use of `conv` here takes it"]


def test_a_scalar_sets_the_first_parameter() -> None:
    assert op_at(lowered("defaults: {dropout: 0.25}\nstages: {drop: dropout}"), "drop").rate == 0.25


def test_a_setting_on_a_step_reaches_repeats_and_slots() -> None:
    graph = lowered("""
        stages:
          layer1: {block: basic, width: 8, depth: 2, stride: 2, norm: {eps: 0.5}, shortcut: avg_project}
          layer2: {block: basic, width: 16, shortcut: {block: project, norm: {eps: 0.25}}}
        """)
    paths = ("layer1.0.bn1", "layer1.1.bn2", "layer1.0.downsample.2", "layer2.bn1", "layer2.downsample.1")
    assert [op_at(graph, path).eps for path in paths] == [0.5, 0.5, 0.5, 1e-5, 0.25]


def test_parameters_that_take_null() -> None:
    graph = lowered("""
        defaults: {bottleneck: {groups: 4}}
        stages: {a: {block: bottleneck, width: 64}, b: {block: bottleneck, width: 64, groups: null}}
        """)
    assert [op_at(graph, f"{name}.conv2").groups for name in "ab"] == [4, 1]


def test_slots_of_steps_merge() -> None:
    graph = lowered("""
        defaults: {basic: {after_last_norm: {se: squeeze_excite, drop: {block: dropout, rate: 0.5}}}}
        stages:
          a: {block: basic, width: 16}
          b: {block: basic, width: 16, after_last_norm: {drop: null, extra: activation}}
        """)
    assert op_at(graph, "a.drop").rate == 0.5
    assert op_at(graph, "a.se.fc1").out_channels == 1
    assert op_at(graph, "b.se.fc1").out_channels == 1
    assert op_at(graph, "b.extra").kind == "relu"


def test_expressions_in_defaults_see_the_network_not_the_block() -> None:
    graph = lowered("""
        parameters: {width: 40}
        defaults: {bottleneck: {inner: $(width // 2)}}
        stages: {a: {block: bottleneck, width: 64}, b: {block: bottleneck, width: $width}}
        """)
    assert [op_at(graph, f"{name}.conv1").out_channels for name in "ab"] == [20, 20]


def test_rename_register_and_names_can_be_defaults() -> None:
    graph = lowered("""
        defaults: {basic: {rename: {downsample: shortcut}, register: [conv2], names: unit$repeat}}
        stages: {a: {block: basic, width: 8, depth: 2}}
        """)
    keys = [key for key, _ in graph.state()]
    assert keys[0] == "a.unit0.conv2.weight"
    assert any(key.startswith("a.unit0.shortcut.0") for key in keys)


def test_unused_defaults_are_reported_each() -> None:
    text = """
        defaults: {max_pool: {kernel: 2}, norm: {eps: 1e-3, momentum: 0.2}, linear: {bias: false, width: 3}}
        stages: {bn: {block: norm, eps: 1e-4}}
        head: {pool: global_pool, fc: {block: linear, width: 10}}
        """
    assert mistakes(text) == [
        "1: `kernel` of `max_pool` has no effect: no use of `max_pool` here takes it",
        "1: `eps` of `norm` has no effect: no use of `norm` here takes it",
        "1: `width` of `linear` has no effect: no use of `linear` here takes it",
    ]


def test_settings_from_outside_are_the_networks_strongest_defaults() -> None:
    graph = lowered("""
        defaults: {activation: silu}
        stages: {relu: activation}
        """, **{"defaults.activation": "gelu"})  # fmt: skip
    assert op_at(graph, "relu").kind == "gelu"
