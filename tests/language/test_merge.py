"""How bases and variants are laid over each other: maps merge, all else replaces, null is a value."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from archbuilder import Architecture, Graph, SpecError, check, dump, load
from archbuilder.language.models import Step

BASE = """\
name: base
class: Base
help: the base
reference: {paper: "arXiv:1512.03385"}
parameters: {classes: 10, width: 16}
input: {channels: 3, size: 32}
defaults: {conv: {init: kaiming_fan_out}, basic: {shortcut: pad}}
stem:
  conv: {block: conv, width: $width, kernel: 3}
stages:
  layer1: {block: basic, width: $width, depth: 2}
  layer2: {block: bottleneck, width: 64, stride: 2, ratio: 0.5, shortcut: project}
head:
  pool: global_pool
  fc: {block: linear, width: $classes}
expect: {layers: 9}
variants:
  wide: {parameters: {width: 32}, expect: {layers: 9}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def variant(folder: Path, text: str, **overrides: Any) -> Architecture:
    path = folder / "variant.yaml"
    path.write_text("name: variant\nextends: base.yaml\n" + dedent(text))
    return check(path, overrides).architecture


def stages(architecture: Architecture) -> dict[str, Step]:
    assert isinstance(architecture.stages, dict)
    return architecture.stages


def stage(architecture: Architecture, name: str) -> dict[str, Any]:
    step = stages(architecture)[name]
    return {"block": step.block, "depth": step.depth, **step.arguments}


def test_what_is_not_inherited(folder: Path) -> None:
    architecture = variant(folder, "")
    assert (architecture.name, architecture.help, architecture.reference, architecture.expect) == (
        "variant",
        "",
        None,
        None,
    )
    assert (architecture.variants, architecture.extends, architecture.default) == ({}, None, None)
    assert architecture.class_ == "Base"
    assert architecture.parameters == {"classes": 10, "width": 16}


def test_maps_merge(folder: Path) -> None:
    architecture = variant(folder, "input: {size: 64}\nstages: {layer1: {depth: 3}, layer3: {block: basic, width: 64}}")
    assert (architecture.input.channels, architecture.input.size) == (3, 64)
    assert stage(architecture, "layer1") == {"block": "basic", "depth": 3, "width": "$width"}
    assert list(stages(architecture)) == ["layer1", "layer2", "layer3"]


def test_a_null_step_is_gone(folder: Path) -> None:
    path = folder / "variant.yaml"
    path.write_text("name: variant\nextends: base.yaml\nstages: {layer2: null}")
    assert [node.name for node in check(path).graph.nodes] == ["conv", "layer1", "pool", "fc"]


RENAMED = """\
name: net
stages: {a: {block: conv, kernel: 3}, b: norm, c: activation, d: norm}
rename: {b: bn, d: dn}
register: [dn, bn, c, a]
"""


@pytest.mark.parametrize("way", ["extends", "variants", "set", "several"])
def test_what_a_base_renames_and_registers_may_be_gone(tmp_path: Path, way: str) -> None:
    path, overrides = tmp_path / "net.yaml", {}
    path.write_text(RENAMED)
    if way == "variants":
        path.write_text(RENAMED + "variants: {v: {stages: {b: null, c: null}}}\ndefault: v\n")
    elif way == "set":
        overrides = {"b": None, "c": None}
    else:
        own = "rename: {d: last}\nregister: [last, a]\n" if way == "several" else ""
        (tmp_path / "other.yaml").write_text(f"name: m\nextends: net.yaml\nstages: {{b: null, c: null}}\n{own}")
        path = tmp_path / "other.yaml"
    architecture = check(path, overrides).architecture
    last = "last" if way == "several" else "dn"
    assert architecture.rename == {"d": last}
    assert architecture.register_ == [last, "a"]


def test_what_a_block_registers_may_be_gone() -> None:
    blocks = (
        "mine: {body: {a: norm, b: activation, c: norm}, register: [c, b, a]}, my: {extends: mine, body: {b: null}}"
    )
    checked = check(text=f"name: net\nblocks: {{{blocks}}}\nstages: {{x: my}}")
    (node,) = checked.graph.nodes
    assert isinstance(node.body, Graph)
    assert node.body.register == ("c", "a")


def test_what_names_a_step_that_is_gone_can_be_said_anew(folder: Path) -> None:
    base = "name: base\nstages: {a: norm, b: norm, c: {block: add, from: [a, b]}}\nfeatures: [a, b]\n"
    (folder / "base.yaml").write_text(base)
    anew = ("c: {from: [a, d]}, d: {block: norm, before: c}", "c: null", "b: {when: false}")
    for stages in (f"b: null, {anew[0]}", f"b: null, {anew[1]}"):
        variant(folder, f"stages: {{{stages}}}\nfeatures: [a]\n")
    variant(folder, f"stages: {{{anew[2]}}}\n")


@pytest.mark.parametrize(
    "steps",
    [
        "parameters: {b: 1}\nstages: {a: {block: conv, kernel: $b}, b: norm, for i in b: {c$i: norm}}",
        "stages: {a: norm, b: norm, for b in 2: {c$b: {block: dropout, rate: $(b / 2)}}}",
        "stages: {a: norm, b: norm, c: {body: {b: norm, d: {block: add, from: [input, b]}}}}",
        "stages: {a: norm, b: norm, b2: {block: norm, from: a}}\nfeatures: [b2]",
    ],
)
def test_what_is_called_as_a_step_that_is_gone_is_not_that_step(folder: Path, steps: str) -> None:
    (folder / "base.yaml").write_text(f"name: base\n{steps}\n")
    assert stages(variant(folder, "stages: {b: null}"))["b"].is_nothing


def test_null_turns_an_optional_parameter_off(folder: Path) -> None:
    plain = variant(folder, "stages: {layer2: {shortcut: null}}")
    assert stage(plain, "layer2")["shortcut"] is None


def test_a_changed_block_keeps_what_the_new_one_declares(folder: Path) -> None:
    architecture = variant(folder, "stages: {layer2: {block: basic}}")
    step = stages(architecture)["layer2"]
    assert step.block == "basic"
    assert step.is_weak("ratio")  # `basic` has none: it goes unused, and is no mistake
    block = check(architecture).graph.nodes[2].body
    assert isinstance(block, Graph)
    assert block.bindings["stride"] == 2


def test_a_changed_block_does_not_excuse_what_is_written_here(folder: Path) -> None:
    with pytest.raises(SpecError, match="`basic` has no parameter `ratio`"):
        variant(folder, "stages: {layer2: {block: basic, ratio: 0.25}}")


def test_a_body_replaces_a_use(folder: Path) -> None:
    architecture = variant(folder, "stages: {layer1: {body: [norm, activation]}}")
    assert stages(architecture)["layer1"].block is None


def test_before_and_after(folder: Path) -> None:
    architecture = variant(
        folder,
        """\
        stages:
          first: {block: basic, width: 16, before: layer1}
          second: {block: basic, width: 16, after: layer1}
          third: {block: basic, width: 16, after: layer1}
          last: {block: basic, width: 64}
        """,
    )
    assert list(stages(architecture)) == ["first", "layer1", "second", "third", "layer2", "last"]


def test_a_step_can_stand_beside_one_that_is_gone(folder: Path) -> None:
    architecture = variant(folder, "stages: {layer1: null, own: {block: basic, width: 32, before: layer2}}")
    assert list(stages(architecture)) == ["layer1", "own", "layer2"]


def test_inherited_defaults_and_parameters_may_go_unused(folder: Path) -> None:
    variant(folder, "stages: {layer1: {block: bottleneck, width: 64}}\nhead: {fc: null}")


def test_own_ones_may_not(folder: Path) -> None:
    with pytest.raises(SpecError, match="`ratio` of `preact_bottleneck` has no effect"):
        variant(folder, "defaults: {preact_bottleneck: {ratio: 0.5}}")
    with pytest.raises(SpecError, match="the parameter `depth` has no effect"):
        variant(folder, "parameters: {depth: 3}")


def test_defaults_of_base_variant_and_command_line(folder: Path) -> None:
    path = folder / "variant.yaml"
    path.write_text("name: variant\nextends: base.yaml\ndefaults: {norm: {eps: 1e-3}, basic: {zero_init: true}}")
    architecture = load(path)
    assert architecture.defaults == {
        "conv": {"init": "kaiming_fan_out"}, "basic": {"shortcut": "pad", "zero_init": True}, "norm": {"eps": 1e-3},
    }  # fmt: skip
    assert load(path, **{"defaults.norm.eps": 0.5}).defaults["norm"] == {"eps": 0.5}


def test_variants_of_a_file(folder: Path) -> None:
    wide = load(f"{folder}/base.yaml#wide")
    assert wide.name == "base_wide"
    assert wide.parameters == {"classes": 10, "width": 32}
    assert wide.reference is not None
    assert wide.expect is not None
    assert load(folder / "base.yaml").name == "base"


def test_a_default_for_some_variants_only(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        dedent("""\
        name: net
        default: small
        defaults: {bottleneck: {ratio: 0.5}}
        stages: {layer1: {block: bottleneck, width: 64}}
        variants:
          small: {stages: {layer1: {block: basic}}}
          large: {}
        """)
    )
    assert check(path).summary.parameters > 0
    assert check(f"{path}#large").summary.parameters > 0


def test_the_command_line_is_stronger_than_all(folder: Path) -> None:
    architecture = load(folder / "base.yaml", **{"width": 8, "layer1.depth": 5, "layer2": None, "input.size": [32, 64]})
    assert architecture.parameters["width"] == 8
    assert stage(architecture, "layer1")["depth"] == 5
    assert stages(architecture)["layer2"].is_nothing
    assert architecture.input.size == [32, 64]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("help", "`help` cannot be set"),
        ("width.x", "`parameters.width` is not a map"),
        ("layer9.depth", "there is nothing called `layer9` to set"),
    ],
)
def test_what_cannot_be_set(folder: Path, path: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        load(folder / "base.yaml", **{path: 3})
    assert message in str(error.value)
    assert str(error.value).startswith(f"--set {path}:1:1: ")


TO_SET = "name: t\nexpect: {layers: 3}\nparameters: {n: 8}\nstages: {a: {block: basic, width: $n}}\n"


@pytest.mark.parametrize(
    ("path", "message", "help"),
    [
        ("expect.layers", "`expect` cannot be set", "write it in the spec"),
        ("expect", "`expect` cannot be set", "write it in the spec"),
        ("reference.paper", "`reference` cannot be set", "write it in the spec"),
        ("variants.b.stages.a.width", "`variants` cannot be set", "write it in the spec"),
        ("register.0", "`register` cannot be set", "write it in the spec"),
        ("use", "`use` cannot be set", "write it in the spec"),
        ("class.name", "nothing in `class` can be set", "set it as a whole, as in `class=...`"),
        ("output_stride.x", "nothing in `output_stride` can be set", "set it as a whole, as in `output_stride=...`"),
        ("input", "`input` cannot be set", "set what is in it"),
        ("stages", "`stages` cannot be set as a whole", "set what is in it, as in `stages.a`"),
        ("expct.layers", "there is nothing called `expct` to set", None),
        ("outputstride", "there is nothing called `outputstride` to set", "did you mean `output_stride`?"),
        ("qqqq", "there is nothing called `qqqq` to set", None),
        ("m.x", "there is nothing called `m` to set", None),
    ],
)
def test_what_cannot_be_set_says_what_can(path: str, message: str, help: str | None) -> None:
    with pytest.raises(SpecError) as error:
        check("net.yaml", {path: 3}, text=TO_SET)
    (mistake,) = error.value.diagnostics
    assert mistake.message == message
    if help is not None:
        assert mistake.help == help
        return
    assert mistake.help is not None
    assert mistake.help.startswith("known here: a, ")
    assert not {"name", "expect", "help", "extends"} & set(mistake.help.removeprefix("known here: ").split(", "))


def test_an_error_in_what_is_set_is_reported_there(folder: Path) -> None:
    with pytest.raises(SpecError) as error:
        check(folder / "base.yaml", {"layer1.depth": 0})
    (mistake,) = error.value.diagnostics
    assert str(mistake).splitlines()[:2] == [
        "--set layer1.depth:1:14: error[bad-value]: `depth` must be a whole number, 1 or more, got 0",
        "    1 | layer1.depth=0",
    ]


def test_bases_can_have_bases(folder: Path) -> None:
    (folder / "middle.yaml").write_text("name: middle\nextends: base.yaml#wide\ninput: {size: 64}\nhelp: in between\n")
    (folder / "variant.yaml").write_text("name: variant\nextends: middle.yaml\n")
    architecture = load(folder / "variant.yaml")
    assert (architecture.parameters["width"], architecture.input.size, architecture.help) == (32, 64, "")


def test_dump_has_the_bases_in_it(folder: Path) -> None:
    architecture = variant(folder, "stages: {layer2: {block: basic, width: 64}}\ninput: {size: 16}")
    text = dump(architecture)
    assert "extends" not in text
    assert load(architecture) == architecture
    again = check("again.yaml", text=text)
    assert list(again.graph.state()) == list(check(architecture).graph.state())
