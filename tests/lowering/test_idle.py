"""What has an effect in some setting is no mistake, whichever the setting at hand; what has none in any is told."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from archbuilder import Diagnostic, SpecError, check, dump, load
from archbuilder.cli.options import check_with_variants
from archbuilder.tasks.checking import check_block
from tests.networks import fingerprint


def said(folder: Path, text: str, word: str = "net.yaml", **values: object) -> list[str]:
    """What the command says of a spec in a folder, each as "file:line: message"; with a name, of that spec alone."""
    (folder / "net.yaml").write_text(f"name: net\ninput: {{size: 32}}\n{dedent(text).strip()}\n", "utf-8")
    try:
        check_with_variants(str(folder / word), values, None)
    except SpecError as error:
        return [_in_short(each) for each in error.diagnostics]
    return []


def _in_short(mistake: Diagnostic) -> str:
    assert mistake.place is not None
    file = mistake.place.source.name.rpartition("/")[2]
    return f"{file}:{mistake.place.line - 2 * (file == 'net.yaml')}: {mistake.message}"


# ---- blocks ---------------------------------------------------------------------------------------------------------

NAMED = """\
blocks: {my: {body: {a: norm}}, you: {extends: my}}
stages: {a: you}

blocks: {my: {body: {a: norm}}, you: {extends: my}, they: {extends: you}}
stages: {a: they}

parameters: {n: 2}
blocks: {my2: {body: [norm]}}
stages: {a: {block: my$n}}

parameters: {n: 2}
blocks: {my2: {body: [norm]}, my3: {body: [norm]}}
stages: {a: {block: my$n}}

blocks: {my0: {body: [norm]}, my1: {body: [norm]}}
stages: {for i in 2: {a.$i: {block: my$i}}}

parameters: {n: 2}
blocks: {my2: {body: [norm]}}
stages: {a: my$n}

parameters: {s: my, n: 2}
blocks: {my2: {body: [norm]}}
stages: {a: {block: $s$n}}

parameters: {n: 2, g: my$n}
blocks: {my2: {body: [norm]}}
stages: {a: {block: $g}}

parameters: {n: 2}
blocks: {my_2_x: {body: [norm]}}
stages: {a: {block: my_$(n)_x, when: false}, b: norm}

parameters: {n: 2}
blocks: {my2: {parameters: {width: 8, stride: 1}, body: [{block: conv, kernel: 1, width: $width, stride: $stride}]}}
stages: {a: {block: basic, width: 8, shortcut: my$n}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", NAMED)
def test_a_block_is_used_that_a_text_may_come_to_name(text: str, tmp_path: Path) -> None:
    assert not said(tmp_path, text)
    again = load("again.yaml", text=dump(load(tmp_path / "net.yaml")))
    assert fingerprint(check(again).graph) == fingerprint(check(tmp_path / "net.yaml").graph)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("blocks: {my: {body: [norm]}, you: {extends: my}}\nstages: {a: norm}", "you"),
        ("parameters: {n: 2}\nblocks: {my2: {body: [norm]}, m2: {body: [norm]}}\nstages: {a: {block: my$n}}", "m2"),
        ("parameters: {n: norm}\nblocks: {my2: {body: [norm]}}\nstages: {a: {block: $n}}", "my2"),
    ],
)
def test_a_block_that_no_text_can_come_to_name(text: str, name: str, tmp_path: Path) -> None:
    assert [each.partition(": ")[2] for each in said(tmp_path, text)] == [
        f"the block `{name}` has no effect: nothing uses it"
    ]


# ---- names that no expression can speak of ----------------------------------------------------------------------------

WORDS = ["true", "null", "None", "True", "for", "if", "or", "lambda", "class"]


@pytest.mark.parametrize("word", WORDS)
def test_what_expressions_have_a_use_for_is_no_name(word: str, tmp_path: Path) -> None:
    use = f"{{block: basic, width: 8, shortcut: ${word}}}" if word in ("null", "None") else ""
    use = use or f"{{block: conv, kernel: 3, width: 8, bias: ${word}}}"
    parameter = f"parameters: {{'{word}': true}}\nstages: {{a: {use}}}"
    assert said(tmp_path, parameter) == [
        f"net.yaml:1: a parameter cannot be called `{word}`: `{word}` is a word of expressions"
    ]
    for declared in ("parameters", "let"):
        block = f"blocks: {{my: {{{declared}: {{'{word}': true}}, body: [{use}]}}}}\nstages: {{a: my}}"
        assert said(tmp_path, block) == [f"net.yaml:1: `{word}` is a word of the language"]
    loop = f"stages:\n  for {word} in 3: {{a.${word}: norm}}"
    assert said(tmp_path, loop) == [f"net.yaml:2: `{word}` is a word of the language"]


# ---- steps that are left out ------------------------------------------------------------------------------------------

OFF = """\
stages: {z: norm, a: {block: basic, width: 8, norm: {eps: 1e-3}, when: $on}}

stages: {z: norm, a: {block: basic, width: 8, after_last_norm: {d: {block: conv_norm_act, width: 8,
  norm: {eps: 0.1}}}, when: $on}}

stages: {z: norm, b: {body: {a: {block: basic, width: 8, norm: {eps: 1e-3}, when: $on}}}}

stages: {z: norm, a: {block: basic, width: 8, norm: {eps: 1e-3}, depth: 2, when: $on}}

stages: {z: norm, for i in n: {a.$i: {block: basic, width: 8, norm: {eps: 1e-3}}}}

stages: {z: norm, for i in n: {for j in 2: {a.$i.$j: {body: [{block: basic, width: 8, norm: {eps: 1e-3}}]}}}}

defaults: {dropout: 0.5}
stages: {z: norm, a: {block: dropout, when: $on}}

defaults: {norm: {eps: 0.1}}
stages: {z: {block: conv, kernel: 1, width: 8}, a: {block: basic, width: 8, when: $on}}

defaults: {basic: {norm: {eps: 0.1}}}
stages: {z: norm, for i in n: {a.$i: {block: basic, width: 8}}}

defaults: {dropout: 0.5}
stages: {z: norm, for i in n: {a.$i: dropout}}

defaults: {dropout: 0.5}
stages: {z: norm, a: {block: basic, width: 3, after_last_norm: {d: dropout}, when: $on}}

defaults: {dropout: 0.5}
blocks: {my: {body: {d: dropout}}}
stages: {z: norm, a: {block: my, when: $on}}

blocks: {my: {body: {n: norm}}}
stages: {z: norm, b: {block: basic, width: 3, after_last_norm: {c: {block: my, when: $on}}, norm: {eps: 0.1}}}

blocks: {my: {parameters: {on: true}, body: {z: norm, a: {block: basic, width: 8, norm: {eps: 1e-3}, when: $on}}}}
stages: {a: {block: my, on: $on}}

blocks: {my: {parameters: {n: 1}, body: {z: norm, for i in n: {a.$i: {block: basic, width: 8, norm: {eps: 1e-3}}}}}}
stages: {a: {block: my, n: $n}}

blocks: {my: {parameters: {g: {type: block, default: basic}, on: true}, body: {z: norm, a: {block: $g, width: 8,
  norm: {eps: 1e-3}, when: $on}}}}
stages: {a: {block: my, on: $on}}

scale: {depth: {by: 2}}
stages: {z: norm, a: {block: basic, width: 8, depth: 2, when: $on}}

scale: {width: {by: 2}}
stages: {z: norm, a: {block: basic, width: 8, when: $on}}
head: {n: norm}

scale: {width: {by: 2}, depth: {by: 2}}
stages: {z: norm, for i in n: {a.$i: {block: basic, width: 8, depth: 2}}}

scale: {depth: {by: 2}}
stages: {z: norm, b: {body: {a: {block: basic, width: 8, depth: 2, when: $on}}}}

sequential: features
stages: {a: {block: basic, width: 8, when: $on}}
head: {n: norm}

sequential: features
stages: {for i in n: {a.$i: norm}}
head: {n: norm}

stages: {a: norm, b: {block: norm, from: input}, s: {block: add, from: [a, b], when: $on}}

stages: {a: norm, b: {block: norm, from: input}, c: {block: norm, from: a}, for i in n: {s.$i: {block: add, from: [c,
  b]}}}

stages: {b.0: norm, b.1: {block: norm, from: input}, t: {block: norm, from: b.0}, s: {block: add, from: [t, b.*],
  when: $on}}

blocks: {my: {parameters: {on: true}, body: {a: norm, b: {block: norm, from: input}, s: {block: add, from: [a, b],
  when: $on}}}}
stages: {a: {block: my, on: $on}}

stages: {a: {body: {a: norm, b: {block: norm, from: input}, s: {block: add, from: [a, b], when: $on}}}}
""".rstrip().split("\n\n")


def set_to(text: str, *, on: bool) -> dict[str, str]:
    """The values of the parameters that a text speaks of."""
    values = {"on": str(on).lower(), "n": str(int(on))}
    return {name: value for name, value in values.items() if f"${name}" in text or f"in {name}:" in text}


def with_parameters(text: str, values: dict[str, str]) -> str:
    return f"parameters: {{{', '.join(f'{name}: {value}' for name, value in values.items())}}}\n{text}"


@pytest.mark.parametrize("text", OFF)
def test_a_step_that_is_left_out_may_be_there_in_another_setting(text: str, tmp_path: Path) -> None:
    whole, off = with_parameters(text, set_to(text, on=True)), set_to(text, on=False)
    assert not said(tmp_path, whole)
    assert not said(
        tmp_path, whole, **{name: value == "true" if name == "on" else int(value) for name, value in off.items()}
    )
    for default in ("", "\ndefault: y"):
        assert not said(tmp_path, f"{whole}\nvariants: {{x: {{}}, y: {{{with_parameters('', off).strip()}}}}}{default}")
    (tmp_path / "base.yaml").write_text(f"name: base\ninput: {{size: 32}}\n{whole}\n", "utf-8")
    assert not said(tmp_path, f"extends: ./base.yaml\n{with_parameters('', off)}")
    assert check("again.yaml", text=dump(load(tmp_path / "net.yaml")))
    assert not said(tmp_path, with_parameters(text, off))


TOLD = """\
# `kernel` of `max_pool`
stages: {z: {block: norm, when: false}, a: {block: basic, width: 8, max_pool: {kernel: 3}}}

# `kernel` of `max_pool`
blocks: {my: {body: [{block: basic, width: 8, max_pool: {kernel: 3}}]}}
stages: {a: my}

# `kernel` of `max_pool`
blocks: {my: {parameters: {on: true}, body: {z: {block: conv, kernel: 1, width: 8, when: $on}, a: {block: basic,
  width: 8, max_pool: {kernel: 3}}}}}
stages: {a: {block: my, on: false}}

# `rate` of `dropout`
defaults: {dropout: 0.5}
stages: {z: norm, a: {block: basic, width: 8, when: false}}

# this multiplier
scale: {depth: {by: 2}}
stages: {z: norm, a: {block: basic, width: 8, when: false}}

# this multiplier
scale: {width: {by: 2}}
stages: {z: norm}
head: {a: {block: basic, width: 8, when: false}}

# this multiplier
scale: {width: {by: 2}}
blocks: {my: {body: {z: norm, c: {block: conv, kernel: 1, width: 8, when: false}}}}
stages: {a: my}

# `b` has no effect
stages: {a: norm, b: {block: norm, from: input}, c: {block: norm, from: a}, d: {block: norm, when: false}}

# `b` has no effect
stages: {a: norm, b: {block: norm, from: input}, c: {block: add, from: [a, input], when: false}, d: {block: norm,
  from: a}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", TOLD)
def test_what_has_no_effect_in_any_setting(text: str, tmp_path: Path) -> None:
    what, _, text = text.removeprefix("# ").partition("\n")
    (found,) = said(tmp_path, text)
    assert found.partition(": ")[2].startswith(what)


# ---- what a base says, or a file of all its variants ------------------------------------------------------------------

CHANGED = """\
stages: {a: {block: inverted_residual, width: 3, drop_path: 0.1}}
---
stages: {a: {width: 16}}

parameters: {w: 3}
stages: {a: {block: inverted_residual, width: $w, drop_path: 0.1}}
---
parameters: {w: 16}

parameters: {w: 3}
stages: [{block: inverted_residual, width: $w, drop_path: 0.1}]
---
parameters: {w: 16}

parameters: {w: 3}
stages: {for i in 1: {a.$i: {body: {b: {block: inverted_residual, width: $w, drop_path: {rate: 0.1}}}}}}
---
parameters: {w: 16}

parameters: {w: 3}
blocks: {my: {parameters: {w: channels}, body: {b: {block: inverted_residual, width: $w, drop_path: {rate: 0.1}}}}}
stages: {a: {block: my, w: $w}}
---
parameters: {w: 16}

parameters: {w: 3}
blocks: {my: {parameters: {s: steps}, body: {x: {body: $s}}}}
stages: {a: {block: my, s: {c: {block: inverted_residual, width: $w, drop_path: {rate: 0.1}}}}}
---
parameters: {w: 16}

scale: {depth: {by: 2}}
stages: {z: norm, a: {block: basic, width: 8, depth: 2}}
---
stages: {a: null}

scale: {width: {by: 2}, depth: {by: 2}}
stages: {z: norm, a: {block: basic, width: 8, depth: 2}}
---
stages: {a: null}
scale: {width: null}

sequential: features
stages: {a: norm}
head: {n: norm}
---
stages: null

parameters: {act: leaky_relu}
stages: {a: {block: activation, kind: $act, slope: 0.2}}
---
parameters: {act: relu}

stages: {a: {block: conv, kernel: 1, bias: true, bias_init: zeros}}
---
stages: {a: {bias: false}}

stages: {a: {block: bottleneck, width: 64, ratio: 0.5}}
---
stages: {a: {inner: 16}}

stages: {a: {block: basic, width: 8, depth: 2, names: unit$repeat}}
---
sequential: features

parameters: {s: 2}
stages: {z: {block: basic, width: $(8 * s)}}
---
stages: {z: {width: 8}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", CHANGED)
def test_what_is_changed_may_go_unused(text: str, tmp_path: Path) -> None:
    base, _, patch = text.partition("\n---\n")
    lines = "\n".join(f"    {line}" for line in patch.splitlines())
    for default in ("", "\ndefault: x", "\ndefault: y"):
        assert not said(tmp_path, f"{base}\nvariants:\n  x: {{}}\n  y:\n{lines}{default}")
        assert check("again.yaml", text=dump(load(f"{tmp_path / 'net.yaml'}#y")))
    (tmp_path / "base.yaml").write_text(f"name: base\ninput: {{size: 32}}\n{base}\n", "utf-8")
    assert not said(tmp_path, f"extends: ./base.yaml\n{patch}")
    assert check("again.yaml", text=dump(load(tmp_path / "net.yaml")))
    assert not said(tmp_path, base)


def test_what_is_set_may_leave_the_rest_unused(tmp_path: Path) -> None:
    assert not said(tmp_path, "stages: {a: {block: inverted_residual, width: 3, drop_path: 0.1}}", **{"a.width": 16})
    assert not said(
        tmp_path, "parameters: {w: 3}\nstages: {a: {block: inverted_residual, width: $w, drop_path: 0.1}}", w=16
    )
    assert not said(
        tmp_path, "parameters: {k: leaky_relu}\nstages: {a: {block: activation, kind: $k, slope: 0.2}}", k="relu"
    )
    assert not said(tmp_path, "stages: {a: {block: bottleneck, width: 64, ratio: 0.5}}", **{"a.inner": 16})
    assert not said(
        tmp_path, "scale: {depth: {by: 2}}\nstages: {z: norm, a: {block: basic, width: 8, depth: 2}}", a=None
    )


USED_IN_ONE = """\
parameters: {s: 2}
stages: {z: {block: basic, width: 8}}
variants: {a: {stages: {z: {width: $(8 * s)}}}, b: {}}

defaults: {dropout: 0.5}
stages: {z: norm}
variants: {a: {stages: {d: dropout}}, b: {}}

blocks: {my: {body: [norm]}}
stages: {z: norm}
variants: {a: {stages: {z: my}}, b: {}}

scale: {depth: {by: 2}}
stages: {z: {block: basic, width: 8}}
variants: {a: {stages: {z: {depth: 2}}}, b: {}}

sequential: features
head: {z: norm}
variants: {a: {stages: {d: dropout}}, b: {}}

stages: {z: {block: inverted_residual, width: 8, drop_path: 0.1}}
variants: {a: {stages: {z: {width: 3}}}, b: {}}

stages: {z: {block: activation, kind: relu, slope: 0.2}}
variants: {a: {stages: {z: {kind: leaky_relu}}}, b: {}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("default", ["", "\ndefault: a", "\ndefault: b"])
@pytest.mark.parametrize("text", USED_IN_ONE)
def test_one_variant_may_use_what_a_file_says(text: str, default: str, tmp_path: Path) -> None:
    assert not said(tmp_path, text + default)
    none = text.partition("variants:")[0] + "variants: {a: {}, b: {input: {size: 64}}}" + default
    (found,) = said(tmp_path, none)
    assert "has no effect" in found
    for variant in "ab":
        assert not said(tmp_path, text, f"net.yaml#{variant}")
    if not default:  # what is written back has its variants, too
        (tmp_path / "again.yaml").write_text(dump(load(tmp_path / "net.yaml")), "utf-8")
        check_with_variants(str(tmp_path / "again.yaml"), {}, None)


OWN = """\
variants: {a: {defaults: {dropout: 0.5}}, b: {}}

variants: {a: {stages: {z: {norm: {eps: 1e-3}, max_pool: {kernel: 3}}}}, b: {}}

variants: {a: {stages: {z: {block: bottleneck, ratio: 0.5, inner: 16}}}, b: {}}

variants: {a: {scale: {depth: {by: 2}}}, b: {}}

variants: {a: {parameters: {s: 2}}, b: {}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("default", ["", "\ndefault: a", "\ndefault: b"])
@pytest.mark.parametrize("text", OWN)
def test_what_a_variant_says_itself_has_an_effect(text: str, default: str, tmp_path: Path) -> None:
    (found,) = said(tmp_path, f"stages: {{z: {{block: basic, width: 8}}}}\n{text}{default}")
    assert "has no effect" in found


MISTAKES_OF_A_BASE = """\
stages: {z: {block: basic, width: 8, rtaio: 4}}

stages: {z: {block: basic, width: 8, norm: null}}

defaults: {norm: null}
stages: {z: {block: basic, width: 8}}

stages: {y: null, z: {block: basic, width: 8}}

blocks: {my: {parameters: {k: 3}, body: [norm]}}
stages: {z: my}

blocks: {my: {let: {k: 3}, body: [norm]}}
stages: {z: my}

blocks: {my: {body: [{block: norm, kidn: batch}]}}
stages: {z: my}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("default", ["", "\ndefault: a", "\ndefault: b"])
@pytest.mark.parametrize("text", MISTAKES_OF_A_BASE)
def test_what_is_wrong_whatever_the_variant_is_told(text: str, default: str, tmp_path: Path) -> None:
    assert len(said(tmp_path, f"{text}\nvariants: {{a: {{}}, b: {{input: {{size: 64}}}}}}{default}")) == 1


# ---- one use of a block -----------------------------------------------------------------------------------------------

USED_ONCE = """\
  my: {parameters: {g: block}, body: [{block: $g, squeeze_excite: {ratio: 4}}]}
stages: {a: {block: my, g: cbam}}

  my: {parameters: {g: block}, body: {b: {block: $g, rename: {conv1: x}}}}
stages: {a: {block: my, g: norm}}

  my: {parameters: {w: channels}, body: {b: {block: inverted_residual, width: $w, drop_path: 0.1}}}
stages: {a: {block: my, w: 16}}

  my: {body: {b: {block: inverted_residual, width: 16, drop_path: 0.1}}}
stages: {a: {block: my}}

  my: {parameters: {s: {type: block, default: null}}, body: {b: {block: basic, width: 8, shortcut: $s, max_pool: {ceil: true}}}}
stages: {a: {block: my, s: project}}

  my: {parameters: {g: {type: steps, default: null}}, body: {b: {block: basic, width: 8, after_last_norm: $g, squeeze_excite: 4}}}
stages: {a: {block: my}}

  my: {parameters: {k: relu}, body: {b: {block: activation, kind: $k, slope: 0.2}}}
stages: {a: {block: my}}

  my: {parameters: {k: leaky_relu, s: 0.2}, body: {b: {block: activation, kind: $k, slope: $s}}}
stages: {a: {block: my, k: relu}}

  my: {parameters: {b: false}, body: {b: {block: conv, kernel: 1, bias: $b, bias_init: zeros}}}
stages: {a: {block: my}}

  my: {body: {b: {block: conv, kernel: 1, bias_init: zeros}}}
stages: {a: {block: my}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", USED_ONCE)
def test_what_a_block_says_need_not_have_an_effect_in_one_use(text: str, tmp_path: Path) -> None:
    blocks, _, use = text.partition("\n")
    (tmp_path / "lib.yaml").write_text(f"blocks:\n{blocks}\n", "utf-8")
    assert not said(tmp_path, f"use: lib.yaml\n{use}")
    assert not said(tmp_path, f"blocks:\n{blocks}\n{use}")


USED_BY_NONE = """\
  my: {body: {b: {block: basic, width: 16, max_pool: {kernel: 3}}}}
stages: {a: {block: my}}

  my: {parameters: {w: channels}, body: {b: {block: basic, width: $w, max_pool: {kernel: 3}}}}
stages: {a: {block: my, w: 16}}

  my: {body: {b: {block: activation, kind: silu, slope: 0.2}}}
stages: {a: {block: my}}

  my: {parameters: {k: relu, s: {type: float, default: null}}, body: {b: {block: activation, kind: $k, slope: $s}}}
stages: {a: {block: my, s: 0.3}}

  my: {parameters: {k: 1}, body: {b: {block: conv, kernel: $k, bias: false, bias_init: zeros}}}
stages: {a: {block: my}}

  my: {body: {b: {block: norm, rename: {conv1: x}}}}
stages: {a: {block: my}}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", USED_BY_NONE)
def test_what_has_no_effect_in_any_use_of_a_block(text: str, tmp_path: Path) -> None:
    blocks, _, use = text.partition("\n")
    (tmp_path / "lib.yaml").write_text(f"blocks:\n{blocks}\n", "utf-8")
    for spec in (f"use: lib.yaml\n{use}", f"blocks:\n{blocks}\n{use}"):
        (found,) = said(tmp_path, spec)
        assert "has no effect" in found


def test_another_input_may_leave_things_unused(tmp_path: Path) -> None:
    assert not said(tmp_path, "stages: {a: {block: inverted_residual, width: 3, drop_path: 0.1}}")
    assert check(tmp_path / "net.yaml", input=(16, 64, 64))
    assert check_block("inverted_residual", {"width": 64, "drop_path": 0.1})
    with pytest.raises(SpecError, match="has no effect"):
        check_block("inverted_residual", {"width": 32, "drop_path": 0.1})


ALSO_RIGHT = """\
parameters: {on: false}
stages:
  a: norm
  p: {block: global_pool, from: a}
  aux: {block: linear, width: 10, output: training, when: $on}
  b: {block: norm, from: a}

stages:
  for i in 2:
    a.$i: {block: activation, kind: "$('relu' if i == 0 else 'leaky_relu')", slope: 0.2}

stages: {a: {block: activation, kind: "$('relu' if repeat == 0 else 'leaky_relu')", slope: 0.2, depth: 2}}

blocks:
  my: {let: {y: $(2 * here.channels)}, body: [{block: conv, kernel: 1, width: $y}]}
  you: {extends: my, body: [{block: conv, kernel: 1, width: 4}]}
stages: {a: you, b: my}
""".rstrip().split("\n\n")


@pytest.mark.parametrize("text", ALSO_RIGHT)
def test_a_further_output_a_turn_and_what_a_block_inherits(text: str, tmp_path: Path) -> None:
    assert not said(tmp_path, text)
    assert check("again.yaml", text=dump(load(tmp_path / "net.yaml")))
