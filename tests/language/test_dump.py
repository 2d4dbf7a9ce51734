"""Specs written in Python and written back: one network, however it came to be."""

import copy
import pickle
from pathlib import Path

import pytest

from archbuilder import Architecture, SpecError, check, dump, load, lower, to_source
from archbuilder.language.models import BlockDefinition, Expect, Input, Step
from archbuilder.language.networks import network_names
from tests.networks import modules

TINY = """\
name: tiny
class: Tiny
parameters: {classes: 10}
input: {channels: 3, size: [32, 48]}
defaults: {activation: silu, basic: {after_last_norm: {se: squeeze_excite}}}
blocks:
  pair:
    parameters: {width: channels, kernel: 3, mode: {choices: [once, twice], default: once, help: how often}}
    let: {inner: $(width * 2)}
    body:
      - {block: conv, width: $inner, kernel: $kernel, when: $(mode == 'twice')}
      - {block: conv, width: $width, kernel: 1}
stem: {block: pair, width: 16}
stages:
  layer1: {block: basic, width: 16, depth: 2, stride: 2}
  for i in 2:
    extra$i: [norm, activation]
  layer2: {body: {conv: {block: conv, kernel: 3}, sum: {block: add, from: [conv, input]}}}
head:
  pool: global_pool
  fc: {block: linear, width: $classes}
features: [layer1, layer2]
expect: {layers: 7}
"""


def in_python() -> Architecture:
    return Architecture(
        name="tiny",
        class_="Tiny",
        parameters={"classes": 10},
        input=Input(channels=3, size=[32, 48]),
        defaults={"activation": "silu", "basic": {"after_last_norm": {"se": "squeeze_excite"}}},
        blocks={
            "pair": BlockDefinition(
                parameters={
                    "width": "channels", "kernel": 3,
                    "mode": {"choices": ["once", "twice"], "default": "once", "help": "how often"},
                },
                let={"inner": "$(width * 2)"},
                body=[
                    Step(block="conv", width="$inner", kernel="$kernel", when="$(mode == 'twice')"),
                    Step(block="conv", width="$width", kernel=1),
                ],
            )
        },
        stem=Step(block="pair", width=16),
        stages={
            "layer1": Step(block="basic", width=16, depth=2, stride=2),
            "for i in 2": {"extra$i": ["norm", "activation"]},
            "layer2": Step(body={"conv": {"block": "conv", "kernel": 3}, "sum": {"block": "add", "from": ["conv", "input"]}}),
        },
        head={"pool": "global_pool", "fc": {"block": "linear", "width": "$classes"}},
        features=["layer1", "layer2"],
        expect=Expect(layers=7),
    )  # fmt: skip


def read(text: str) -> Architecture:
    return check("tiny.yaml", text=text).architecture


def test_python_and_yaml_give_the_same_network() -> None:
    made, written = in_python(), read(TINY)
    assert made == written
    ours, theirs = lower(made), lower(written)
    assert modules(ours) == modules(theirs)
    assert list(ours.state()) == list(theirs.state())
    assert [tap.name for tap in ours.taps] == [tap.name for tap in theirs.taps] == ["layer1", "layer2"]


def test_what_is_dumped_reads_as_the_same() -> None:
    for architecture in (in_python(), read(TINY)):
        assert read(dump(architecture)) == architecture
    assert dump(read(dump(in_python()))) == dump(in_python())


@pytest.mark.parametrize("name", network_names())
def test_every_network_of_the_zoo_dumps_and_reads_again(name: str) -> None:
    architecture = load(name)
    again = check(f"{name}.yaml", text=dump(architecture))
    assert again.architecture.name == architecture.name
    assert list(again.graph.state()) == list(lower(architecture).state())
    assert dump(again.architecture) == dump(architecture)


def test_texts_that_look_like_something_else_are_quoted() -> None:
    architecture = Architecture(
        name="yes",
        help="a: b # c",
        reference={"note": "1e3", "paper": "~"},
        stages={"10": "norm"},
        head={"null": "norm"},
    )
    again = read(dump(architecture))
    assert again == architecture
    assert (again.name, again.reference and again.reference.note) == ("yes", "1e3")


def test_an_architecture_can_be_copied_and_pickled() -> None:
    written = read(TINY)
    for copied in (copy.deepcopy(written), copy.copy(written), pickle.loads(pickle.dumps(written))):
        assert copied == written
        assert copied.place is None
        assert list(lower(copied).state()) == list(lower(written).state())


def test_an_architecture_made_in_python_may_extend_and_be_set() -> None:
    small = Architecture(name="small", extends="resnet18", stages={"layer4": None})
    assert modules(lower(small))[-2:] == ["avgpool", "fc"]
    assert str(lower(load(small, classes=7)).output_shape) == "7"


def test_mistakes_in_python_have_the_same_words(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"^error\[unknown-parameter\]: `basic` has no parameter `strid`"):
        lower(Architecture(name="wrong", stages={"layer1": Step(block="basic", width=8, strid=2)}))
    with pytest.raises(ValueError, match="expected a whole number, 1 or more, got 0"):
        Step(block="basic", depth=0)


def test_what_is_given_is_not_changed() -> None:
    given = {"conv": {"width": "$(8 * 2)"}}
    Architecture(name="net", defaults=given, stages={"a": {"block": "conv", "kernel": 3}})
    assert type(given["conv"]["width"]) is str


# ---- a dump stands alone, whatever was removed from a base ------------------------------------------------------------

BASE = """\
name: base
input: {size: 32}
parameters: {w: 16}
defaults: {basic: {zero_init: true, norm: {eps: 1e-3}}, norm: {eps: 1e-4}}
blocks:
  mine: {parameters: {k: 3}, body: {a: norm, b: {block: conv, kernel: $k}, c: activation}}
  his: {extends: mine, body: {a: null}}
  hers: {extends: basic, body: {relu1: null}}
stem: {a: norm, b: {block: mine, norm: {eps: 1e-2}}}
stages:
  s: {block: basic, width: $w, norm: {momentum: 0.2}}
  t: {block: his, depth: 2}
  u: {block: hers, width: 8}
  v: {body: {x: norm, y: activation}}
"""

OVER = [
    "",
    "defaults: {basic: null}",
    "defaults: {basic: {norm: null}}",
    "defaults: {norm: null}",
    "defaults: {basic: {}}",
    "stages: {s: null}",
    "stem: null",
    "stages: {s: {norm: null}}",
    "stem: {b: {norm: null}}",
    "stages: {v: {body: {x: null}}}",
    "stages: {s: {when: true, else: identity}}",
    "stages: {s: {when: false, else: identity}}",
    'stages: {s: {when: "$(w > 3)", else: identity}}',
    "stages: {v: {body: {x: {block: norm, when: true, else: identity}}}}",
    "stages: {v: {inline: true}}",
    "stages: {s: {depth: 1, names: u$repeat}}",
    "blocks: {mine: {body: {a: {block: norm, when: true, else: identity}}}}",
    "parameters: {w: 24}",
    "scale: {width: {by: 1}}",
    "scale: {width: {by: 2, to: 8, keep: 0.9}}",
    "scale: {depth: {by: 1, round: ceil}}",
    "input: {channels: 3}",
    "blocks: {mine: {parameters: {k: 5}}}",
    "features: [s]",
    "features: null",
    "register: [s]",
    "stages: {z: [norm, {block: norm, when: true, else: identity}]}",
    "blocks: {q: {parameters: {a: 1}, let: {b: $(a+1)}, body: [{block: conv, kernel: $(2*b-1)}]}}\nhead: {q: q}",
    "stages: {s: {inline: false}}",
    "head: {block: mine}",
    "head: {block: mine, when: true, else: identity}",
    "stages: {s: {after_last_norm: {x: {block: norm, when: true, else: identity}}}}",
    "stages: {s: {after_last_norm: null}}",
    "defaults: {basic: {after_last_norm: {x: norm}}}",
    "defaults: {basic: {shortcut: null}}",
    "expect: {output: [8, 32, 32]}",
    "sequential: f",
    "stages: {s: {block: bottleneck}}",
    'stages: {for i in 2: {"p$i": {block: norm, when: true, else: identity}}}',
    "blocks: {nn: {parameters: {s: {type: steps, default: {x: norm}}}, body: {a: {body: $s}}}}\nhead: {n: nn}",
    "blocks: {nn: {parameters: {s: {type: steps, default: {x: norm}}}, body: {a: {body: $s}, b: norm}}}\nhead: {n: {block: nn, s: null}}",  # noqa: E501
    "neck: {n: {block: norm, output: training}, m: norm}",
    "output_stride: 8",
    "stages: {k: {block: conv, kernel: 3, init: {normal: 0.01}}}",
    "stages: null\nhead: {q: norm}",
    "rename: {s: stage}",
    "register: [s, b]",
    "stages: {s: {after_last_norm: {x: {block: norm, eps: 0.1}}}, t: null, u: null}",
    "defaults: {basic: {after_last_norm: {x: norm}, norm: null}, norm: null}",
]
"""What a spec says over that base: nothing, less, or more of it."""


@pytest.mark.parametrize("over", OVER)
def test_a_dump_stands_alone(over: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE, "utf-8")
    (tmp_path / "net.yaml").write_text(f"name: net\nextends: ./base.yaml\n{over}\n", "utf-8")
    network = check(tmp_path / "net.yaml")
    text = dump(network.architecture)
    again = check("again.yaml", text=text)
    assert (again.summary.state, again.summary.macs) == (network.summary.state, network.summary.macs)
    assert to_source(again.graph) == to_source(network.graph)
    assert dump(again.architecture) == text


def test_a_dump_of_a_network_whose_base_has_no_use_for_its_defaults() -> None:
    network = check("net.yaml", text="name: net\nextends: cifar_resnet20\ndefaults: {basic: null}\n")
    assert "basic" not in dump(network.architecture).partition("stem")[0]
    assert check("again.yaml", text=dump(network.architecture)).summary.state == network.summary.state


LETTERS = "\u2028\u2029\x85\ufeff\u200b\xa0\x7f\x80\t\r\n\\"


@pytest.mark.parametrize("letter", LETTERS, ids=ascii)
def test_a_text_is_read_back_letter_by_letter(letter: str) -> None:
    for text in ("a%sb", "%s", " %s ", "a%s\nb", "%s'\"", "1%s", "a %s b" * 40):
        said = text.replace("%s", letter)
        architecture = Architecture(name="n", help=said, reference={"paper": said}, stages={"a": "norm"})
        again = load(text=dump(architecture))
        assert (again.help, again.reference and again.reference.paper) == (said, said)
        assert dump(again) == dump(architecture)
