"""Reports are true: each cause is said once, where it is, with what to write; and nothing is said of what is right."""

from pathlib import Path

import pytest

from archbuilder import SpecError, check
from tests.networks import lowered, mistakes, op_at

# ---- each cause once ----------------------------------------------------------------------------------------------

BEHIND_A_MISTAKE = [
    "b: {block: basic, width: $(8 + 8 * repeat), depth: 2}",
    "b: {block: conv, kernel: 3, width: $(8 * (repeat + 1)), depth: 2}",
    "b: {body: {x: {block: conv, kernel: 3, width: $(8 + repeat)}, y: {block: conv, kernel: 1, when: $(repeat > 0)}}, depth: 2}",
    "b: [{block: conv, kernel: 3, width: $(here.channels // 2)}, {block: norm, from: input}]",
    "b: {block: conv, kernel: 3, width: '$(len(input) + a.channels)'}",
    "b: {block: basic, width: $(a.channels), when: $(a.channels == 8)}",
    "b: {block: norm, from: a.0}",
    "b: {block: conv, kernel: 3, width: $(a.0.channels)}",
    "b: {block: conv, kernel: 3, width: '$(8 if a == null else 16)'}",
]


@pytest.mark.parametrize("step", BEHIND_A_MISTAKE)
def test_what_stands_behind_a_mistake_is_not_blamed(step: str) -> None:
    assert mistakes(f"stages:\n  a: {{block: cov}}\n  {step}\n") == ["2: there is no block `cov`"]


@pytest.mark.parametrize("loop", ["for i of 3:", "for i in $x:", "for i in 1.5:"])
def test_what_a_loop_would_have_made_is_not_missed(loop: str) -> None:
    found = mistakes(f"""
        stages:
          a: norm
          {loop}
            b.$i: norm
            for j in 2: {{c.$i.$j: norm}}
          s: {{block: add, from: [b.0, b.-1, b.*, c.0.1, a]}}
          t: {{block: conv, kernel: 1, width: $(b.0.channels + c.0.1.channels)}}
        """)
    assert [line.partition(":")[0] for line in found] == ["3"]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("parameters: {clases: 10}\nhead: {a: {block: linear, width: $classes}, b: {block: linear, width: $classes}}", "classes"),
        ("stages: {conv: norm, b: {block: norm, from: covn}, c: {block: norm, from: covn}}", "covn"),
        ("blocks: {gatd: {body: [norm]}}\nstages: {a: gated, b: gated, c: {block: gated}}", "gated"),
    ],
)  # fmt: skip
def test_what_is_misspelt_where_it_is_defined_is_reported_once(spec: str, expected: str) -> None:
    (found,) = mistakes(spec.replace("head:", "stages: {p: global_pool}\nhead:"))
    assert f"`{expected}`" in found


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ("extend: resnet18\nstages: {layer3: {depth: 8}, layer4: null}", "extends"),
        ("paramters: {wide: 8}\nstages: {a: {block: conv, kernel: 3, width: $wide}}", "parameters"),
        ("block: {own: {body: [norm]}}\nstages: {a: own}", "blocks"),
        ("stags: {a: norm}\nhead: {b: {block: norm, from: a}}", "stages"),
        ("stages: {a: {block: basic, width: 8}}\nvariant: {x: {stages: {a: {width: 16}}}}\ndefault: x", "variants"),
    ],
)
def test_a_misspelt_word_is_taken_as_it_was_meant(spec: str, word: str) -> None:
    with pytest.raises(SpecError) as raised:
        check("net.yaml", text=f"name: net\n{spec}\n")
    (found,) = raised.value.diagnostics
    assert (found.code, found.help) == ("unknown-key", f"did you mean `{word}`?")


@pytest.mark.parametrize(
    ("definition", "key", "meant", "use"),
    [
        ("{extend: global_context}", "extend", "extends", "g"),
        ("{bdy: [norm]}", "bdy", "body", "g"),
        ("{steps: [norm]}", "steps", "body", "g"),
        (
            "{extends: basic, paramters: {kernel: 5}, body: {conv1: {kernel: $kernel}}}",
            "paramters",
            "parameters",
            "{block: g, width: 8}",
        ),
    ],
)
def test_a_misspelt_word_of_a_block(definition: str, key: str, meant: str, use: str) -> None:
    with pytest.raises(SpecError) as raised:
        check("net.yaml", text=f"name: net\nblocks: {{g: {definition}}}\nstages: {{a: {use}, b: {use}}}\n")
    (found,) = raised.value.diagnostics
    assert (found.message, found.help) == (f"unknown key `{key}`", f"did you mean `{meant}`?")


# ---- nothing of what is right -------------------------------------------------------------------------------------


def test_a_default_that_reaches_some_repeats_has_an_effect() -> None:
    assert not mistakes("""
        stages:
          a: {block: conv_norm_act, width: 8}
          b: {block: inverted_residual, width: 32, depth: 3, drop_path: {rate: 0.1}}
        """)


def test_a_default_that_reaches_some_uses_of_a_block_has_an_effect() -> None:
    assert not mistakes("""
        blocks:
          own:
            parameters: {on: true}
            body:
              x: {block: conv_norm_act, width: 8, conv: {bias: true}, when: $on}
              y: {block: basic, width: 8, after_last_norm: {c: {block: conv_norm_act, width: 8, norm: {eps: 0.1}}}, when: $on}
        stages: {a: {block: own, on: false}, b: own, c: {block: own, on: false}}
        """)


def test_a_default_for_what_is_inside_that_reaches_some_uses_has_an_effect() -> None:
    assert not mistakes("""
        defaults: {inverted_residual: {drop_path: {rate: 0.1}}}
        stages: {a: {block: inverted_residual, width: 8}, b: {block: inverted_residual, width: 8}}
        """)


def test_a_default_that_reaches_no_use_has_none() -> None:
    assert mistakes(
        "stages: {a: {block: inverted_residual, width: 32, stride: 2, depth: 1, drop_path: {rate: 0.1}}}"
    ) == ["1: `rate` of `drop_path` has no effect: no use of `drop_path` here takes it"]


def test_what_a_file_writes_beside_what_it_inherits_must_have_an_effect(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "name: base\ndefaults: {basic: {zero_init: true}, norm: {eps: 0.1}}\nstages: {a: {block: basic, width: 8}}\n",
        "utf-8",
    )
    for own in (
        "{basic: {squeeze_excite: 7}}",
        "{basic: {squeeze_excite: {ratio: 7}, activation: silu}}",
        "{dropout: 0.5}",
    ):
        path = tmp_path / "net.yaml"
        for text in (f"defaults: {own}\n", f"variants: {{v: {{defaults: {own}}}}}\ndefault: v\n"):
            path.write_text(f"name: net\nextends: ./base.yaml\n{text}", "utf-8")
            with pytest.raises(SpecError, match="has no effect: no use of"):
                check(path)


def test_repeat_in_defaults_counts_the_repeats_around() -> None:
    graph = lowered("""
        defaults: {drop_path: {rate: $(0.1 * repeat), schedule: constant}, norm: {eps: $(0.1 * (repeat + 1))}}
        stages:
          a: {block: basic, width: 16, depth: 3}
          b: {body: [{block: conv, kernel: 3}, {body: [norm], depth: 2}], depth: 2}
        """)
    assert [op_at(graph, f"a.{number}.bn1").eps for number in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    assert [op_at(graph, f"a.{number}.drop_path").rate for number in (1, 2)] == pytest.approx([0.1, 0.2])
    assert [op_at(graph, f"b.1.1.{number}.0").eps for number in range(2)] == pytest.approx([0.1, 0.2])


def test_repeat_in_a_slot_of_defaults() -> None:
    graph = lowered("""
        defaults: {basic: {after_last_norm: {extra: {block: dropout, rate: $(0.1 * (repeat + 1))}}}}
        stages: {a: {block: basic, width: 16, depth: 3}}
        """)
    assert [op_at(graph, f"a.{number}.extra").rate for number in range(3)] == pytest.approx([0.1, 0.2, 0.3])


def test_repeat_where_nothing_is_repeated() -> None:
    assert mistakes("defaults: {norm: {eps: $(0.1 * repeat)}}\nstages: {a: norm}") == [
        "1: `repeat` is not known in this expression"
    ]


# ---- with what to write -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("patch", ["conv.2: {kernel: 5}", "conv.4: null", "x: {block: norm, before: conv.1}"])
def test_a_step_that_a_loop_makes_is_patched_in_the_loop(patch: str, tmp_path: Path) -> None:
    base = "name: base\nstages:\n  for i in 5: {conv.$i: {block: conv, kernel: 3, width: 8}}\n"
    (tmp_path / "base.yaml").write_text(base, "utf-8")
    path = tmp_path / "net.yaml"
    path.write_text(f"name: net\nextends: ./base.yaml\nstages: {{{patch}}}\n", "utf-8")
    with pytest.raises(SpecError) as raised:
        check(path)
    (found,) = raised.value.diagnostics
    assert found.help == (
        "`for i in 5:` makes it: write that line too, and beneath it what differs, for its step `conv.$i`"
    )
    with pytest.raises(SpecError) as raised:
        check(tmp_path / "base.yaml", {"conv.2.kernel": 5})
    assert raised.value.diagnostics[0].help == found.help
    path.write_text("name: net\nextends: ./base.yaml\nstages: {for i in 5: {conv.$i: {kernel: $(3 + 2 * (i == 2))}}}\n")
    assert [op_at(check(path).graph, f"conv.{number}").kernel for number in (1, 2)] == [(3, 3), (5, 5)]


def test_a_network_is_no_block() -> None:
    with pytest.raises(SpecError) as raised:
        check("net.yaml", text="name: net\nstages: {a: {block: resnet18}}\n")
    (found,) = raised.value.diagnostics
    assert found.message == "there is no block `resnet18`"
    assert found.help == "`resnet18` is a network, which another one can be made of: `extends: resnet18` at the top"


RENAMED = [
    ("defaults: {basic: {register: [bn1],\n  rename: {conv9: x}}}\nstages: {a: {block: basic, width: 8}}", 2),
    ("defaults: {basic: {rename: {conv9: x},\n  register: [bn1]}}\nstages: {a: {block: basic, width: 8}}", 1),
    ("defaults: {basic: {rename: {conv1: x}}}\nstages: {a: {block: basic, width: 8,\n  rename: {conv9: x}}}", 3),
    ("stages: {a: {block: basic, width: 8, shortcut: {block: project,\n  rename: {conv9: x}}}}", 2),
    ("stages: {a: {block: basic, width: 8, register: [conv1],\n  rename: {conv9: x}}}", 2),
    ("stages: {a: {body: {b: norm}, register: [b],\n  rename: {conv9: x}}}", 2),
    ("stages: {a: norm}\nregister: [a]\nrename: {conv9: x}", 3),
]


@pytest.mark.parametrize(("spec", "line"), RENAMED)
def test_a_rename_that_does_not_fit_is_reported_where_it_is(spec: str, line: int) -> None:
    (found,) = mistakes(spec)
    assert found.startswith(f"{line}: there is no step `conv9`")


# ---- also of what is not reached ----------------------------------------------------------------------------------

NOT_REACHED = [
    ("stages: {a: norm, b: {block: conv, kernal: 3, kernel: 3, when: false}}", "`conv` has no parameter `kernal`"),
    ("stages: {a: norm, b: {block: conv, width: 8, when: false}}", "`conv` needs `kernel`"),
    ("stages: {a: norm, b: {block: conv, kernel: large, when: false}}", "`kernel` must be "),
    ("stages: {a: norm, b: {block: conv, kernel: $large, when: false}}", "`large` is not known in this expression"),
    ("stages: {a: norm, b: {block: add, from: [a, c], when: false}}", "there is no step `c` before this one"),
    ("stages: {a: norm, b: {body: [cov], when: false}}", "there is no block `cov`"),
    ("stages: {a: norm, for i in 0: {b.$i: {block: norm, kidn: batch}}}", "`norm` has no parameter `kidn`"),
    ("stages: {a: norm, for i in 0: {for j in 2: {b.$i.$j: {body: [norm], depht: 2}}}}", "`depht` has no meaning"),
    ("stages: {a: {block: basic, width: 3, shortcut: {blok: conv}}}", "unknown key `blok`"),
    ("stages: {a: {block: basic, width: 3, shortcut: {block: project, norn: layer}}}", "`project` has no parameter `norn`"),
    ("blocks: {own: {body: {x: {block: norm, kidn: batch}}}}\nstages: {a: norm, b: {block: own, when: false}}", "`norm` has no"),
    ("help: not my own\nblocks: {own: {body: [norm]}}\nstages: {a: norm}", "the block `own` has no effect: nothing uses it"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "message"), NOT_REACHED)
def test_what_is_not_reached_is_looked_at(spec: str, message: str) -> None:
    (found,) = mistakes(spec)
    assert found.partition(": ")[2].startswith(message)


NOT_REACHED_AND_RIGHT = [
    "stages: {a: norm, b: {block: conv, kernel: 3, width: $(a.channels // 4), when: $(a.channels > 3)}}",
    (
        "stages: {for i in 3: {b.$i: {block: add, from: [input, c.$(i - 1)], when: $(i > 0)}, c.$i: norm}, "
        "s: {block: add, from: [c.*, b.*]}}"
    ),
    "stages:\n  a: norm\n  for i in 0:\n    b: norm\n    c.$i: {block: conv, kernel: 1, width: $(b.channels + i)}",
    "defaults: {conv: {kernel: 3}}\nstages: {a: {block: conv, width: 3}, b: {block: conv, width: 3, when: false}}",
    "blocks: {own: {body: [{block: conv, width: 3}]}}\nstages: {a: {block: own, conv: {kernel: 3}}}",
    "blocks: {own: {body: [norm]}, other: {extends: own, body: [norm, norm]}}\nstages: {a: other}",
    (
        "blocks: {own: {parameters: {width: 3, stride: 1}, body: [{block: conv, kernel: 1, width: $width, stride: $stride}]}}\n"
        "stages: {a: {block: basic, width: 3, shortcut: own}}"
    ),
]


@pytest.mark.parametrize("spec", NOT_REACHED_AND_RIGHT)
def test_nothing_is_said_of_what_is_not_reached_and_right(spec: str) -> None:
    assert not mistakes(spec)
