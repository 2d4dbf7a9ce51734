"""What a notebook shows of a network, in whichever form it is at hand: its picture or its table, and always a line of text."""

from __future__ import annotations

import copy
import io
import pickle
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import archbuilder
import archbuilder.notebook
from archbuilder.plugin import Builder, Value, block
from archbuilder.plugin.registry import REGISTRY

SPEC = "name: net\ninput: {size: 32}\nstages: {layer1: {block: basic, width: 8, depth: 2}}\nhead: {pool: global_pool}\n"
FACTS = "net: 4 layers, 2,048 parameters, 2.02 MMACs, 3×32×32 -> 8"
TEXT, TABLE, PICTURE = "text/plain", "text/html", "image/svg+xml"


def bundle(shown: Any, **asked: Any) -> dict[str, str]:
    return shown._repr_mimebundle_(**asked)


def forms() -> dict[str, Any]:
    """One network in each form that has a picture, by what the line calls it."""
    checked = archbuilder.check("net.yaml", text=SPEC)
    return {
        "Architecture": archbuilder.load("net.yaml", text=SPEC),
        "Checked": checked,
        "Graph": checked.graph,
        "Net": archbuilder.build("net.yaml", text=SPEC),
    }


FORMS = forms()


@pytest.mark.parametrize("name", FORMS)
def test_each_form_of_a_network_is_one_line_and_one_picture(name: str) -> None:
    picture = archbuilder.render(FORMS["Graph"]).decode()
    assert bundle(FORMS[name]) == {TEXT: f"{name}({FACTS})", PICTURE: picture}


def test_a_summary_is_one_line_and_its_table() -> None:
    summary = archbuilder.check("net.yaml", text=SPEC).summary
    assert bundle(summary) == {TEXT: f"Summary({FACTS})", TABLE: f"<pre>{summary}</pre>"}


@pytest.mark.parametrize("shown", [*FORMS.values(), FORMS["Checked"].summary], ids=[*FORMS, "Summary"])
def test_nothing_is_given_that_was_not_asked_for(shown: Any) -> None:
    whole = bundle(shown)
    for kind in whole:
        assert bundle(shown, include={kind}) == {kind: whole[kind]}
        assert bundle(shown, include=[kind], exclude=[kind]) == {}
        assert bundle(shown, exclude={kind}) == {other: whole[other] for other in whole if other != kind}
    assert bundle(shown, include={"image/png"}) == {}


def test_nothing_is_drawn_that_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archbuilder.notebook, "render", lambda *_, **__: pytest.fail("this draws"))
    for name, shown in FORMS.items():
        assert bundle(shown, include={TEXT}) == {TEXT: f"{name}({FACTS})"}
        assert bundle(shown, exclude={PICTURE}) == {TEXT: f"{name}({FACTS})"}


def test_a_terminal_of_ipython_asks_for_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not say so when it asks, and would throw the picture away."""
    shell = SimpleNamespace(display_formatter=SimpleNamespace(active_types=[TEXT]))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert list(bundle(FORMS["Graph"])) == [TEXT]
    shell.display_formatter.active_types = [TEXT, PICTURE]
    assert list(bundle(FORMS["Graph"])) == [TEXT, PICTURE]
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert list(bundle(FORMS["Graph"])) == [TEXT, PICTURE]


# ---- where something is missing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [archbuilder.DrawingError, ModuleNotFoundError])
def test_what_cannot_be_drawn_is_a_line_that_says_why(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("there is no Graphviz\nto lay the drawing out")

    monkeypatch.setattr(archbuilder.notebook, "render", fail)
    for name, shown in FORMS.items():
        why = "no picture: there is no Graphviz to lay the drawing out"
        assert bundle(shown) == {TEXT: f"{name}({FACTS})\n{why}"}
        assert bundle(shown, include={PICTURE}) == {}


def test_an_architecture_that_does_not_hold_is_a_line_that_says_where() -> None:
    wrong = archbuilder.load("net.yaml", text=SPEC.replace("width: 8", "widht: 8, width: 8"))
    assert bundle(wrong) == {TEXT: "Architecture('net')\nno picture: net.yaml:3:33: `basic` has no parameter `widht`"}
    assert bundle(wrong, include={PICTURE}) == {}
    two = archbuilder.load("net.yaml", text=SPEC.replace("basic", "basik").replace("global_pool", "globel_pool"))
    line, why = bundle(two)[TEXT].splitlines()
    assert line == "Architecture('net')"
    assert why == "no picture: net.yaml:3:26: there is no block `basik` (and 1 more mistake)"


# ---- what others say ------------------------------------------------------------------------------------------------

HOSTILE = "</pre><script>alert(1)</script>\x1b[31m\n\u202e"


def test_hostile_names_are_escaped() -> None:
    checked = archbuilder.check({"name": HOSTILE, "stages": {"a": "norm"}})
    for shown in (checked, checked.summary, checked.graph, checked.architecture):
        found = bundle(shown)
        assert found[TEXT].count("\n") == 0
        for text in (*found.values(), repr(shown)):
            assert not {"\x1b", "\u202e"} & set(text)
        for kind in found.keys() - {TEXT}:
            assert "<script" not in found[kind]
            assert found[kind].count("</pre>") == (kind == TABLE)


def test_a_long_name_makes_no_long_line() -> None:
    checked = archbuilder.check({"name": "x" * 5000, "stages": {"a": "norm"}})
    for shown in (checked, checked.summary, checked.graph, checked.architecture):
        assert len(bundle(shown)[TEXT]) < 200
        assert len(repr(shown)) < 200


# ---- graphs of other kinds ------------------------------------------------------------------------------------------


def test_a_graph_inside_of_another_shows_itself_too() -> None:
    inner = archbuilder.lower("resnet18").nodes[4].body
    assert isinstance(inner, archbuilder.Graph)
    found = bundle(inner)
    assert found[TEXT] == "Graph(basic ×2: 4 layers, 147,968 parameters, 462 MMACs, 64×56×56 -> 64×56×56)"
    assert found[PICTURE] == archbuilder.render(inner).decode()


def test_a_backbone_shows_what_it_computes() -> None:
    model = archbuilder.build("resnet18", features=["layer1", "layer2"])
    found = bundle(model)
    assert found[TEXT] == "ResNet(resnet18: 9 layers, 683,072 parameters, 991 MMACs, 3×224×224 -> 64×56×56, 128×28×28)"
    assert "layer3" not in found[PICTURE]


def test_a_block_by_itself_shows_what_went_in() -> None:
    checked = archbuilder.check_block("basic", {"width": 8}, (16, 8, 8))
    assert bundle(archbuilder.block("basic", width=8, input=(16, 8, 8))) == {
        TEXT: repr(checked).replace("Checked", "Basic"),
        PICTURE: archbuilder.render(checked.graph).decode(),
    }


def test_parameters_and_channels_are_those_that_were_given() -> None:
    model = archbuilder.build("resnet18", classes=7, channels=1)
    assert "1×224×224 -> 7)" in bundle(model, include={TEXT})[TEXT]


# ---- built models ---------------------------------------------------------------------------------------------------


def test_torch_shows_and_stores_a_model_as_ever() -> None:
    model = archbuilder.build("net.yaml", text=SPEC)
    namespace: dict[str, Any] = {}
    exec(archbuilder.to_source(FORMS["Graph"]), namespace)
    exported = namespace["Net"]()
    assert repr(model) == repr(exported)
    assert list(model.state_dict()) == list(exported.state_dict())
    assert not hasattr(exported, "_repr_mimebundle_")


@pytest.mark.parametrize("again", ["copy", "pickle", "save"])
def test_a_copy_shows_itself_too(again: str) -> None:
    model = archbuilder.build("resnet18", features={"layer1": "out"})
    file = io.BytesIO()
    torch.save(model, file)
    made = {
        "copy": lambda: copy.deepcopy(model),
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "save": lambda: torch.load(io.BytesIO(file.getvalue()), weights_only=False),
    }[again]()
    assert bundle(made) == bundle(model)


CHANGES = {
    "a head": lambda model: setattr(model, "fc", nn.Linear(512, 5)),
    "an activation": lambda model: setattr(model, "relu", nn.GELU()),
    "a number": lambda model: setattr(model.layer1[0].conv1, "stride", (2, 2)),
    "a module more": lambda model: model.add_module("extra", nn.BatchNorm2d(3)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_was_changed_shows_itself_as_torch_does(change: str) -> None:
    """The picture is that of the spec, and would not be true."""
    model = archbuilder.build("resnet18").eval().to(torch.float64).requires_grad_(False)
    model.fc.weight.zero_()
    assert bundle(model, include={TEXT})
    CHANGES[change](model)
    assert bundle(model) == {}


def test_a_model_that_its_class_makes_is_shown_by_torch() -> None:
    made = type(archbuilder.build("resnet18"))
    assert bundle(made()) == {}
    assert bundle(made(classes=7)) == {}


def define(name: str, op: str) -> None:
    """Defines a block in Python that is one op, as a cell of a notebook does; and again, as one that is run again."""

    def one(build: Builder, x: Value) -> Value:
        return build(op, x, name="it")

    block(name)(one)


@pytest.fixture
def model_of_a_plugin() -> Iterator[nn.Module]:
    define("mine", "norm")
    yield archbuilder.build({"name": "net", "stages": {"a": "mine"}})
    REGISTRY.drop(__name__)


def test_a_model_whose_block_was_defined_anew_is_shown_by_torch(model_of_a_plugin: nn.Module) -> None:
    define("mine", "norm")
    assert PICTURE in bundle(model_of_a_plugin)
    define("mine", "activation")
    assert bundle(model_of_a_plugin) == {}


def test_a_model_whose_block_is_no_more_says_so(model_of_a_plugin: nn.Module) -> None:
    REGISTRY.drop(__name__)
    assert bundle(model_of_a_plugin)[TEXT] == f"{model_of_a_plugin!r}\nno picture: there is no block `mine`"


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_a_scripted_model_shows_itself_as_torch_does() -> None:
    scripted = torch.jit.script(archbuilder.build("net.yaml", text=SPEC))
    assert getattr(scripted, "_repr_mimebundle_", dict)() == {}


@pytest.mark.parametrize("name", ["_repr_mimebundle_", "_as_built"])
def test_no_step_takes_the_name_by_which_a_model_is_shown(name: str) -> None:
    with pytest.raises(archbuilder.SpecError, match=name):
        archbuilder.lower({"name": "net", "stages": {name: "norm"}})
