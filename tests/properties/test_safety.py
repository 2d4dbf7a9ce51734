"""No text of a spec reaches the emitted source but as a checked identifier or an escaped literal."""

# ruff: noqa: RUF001 -- characters that look like others are what is tried here

from __future__ import annotations

from typing import Any

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import archbuilder
from archbuilder import SpecError
from archbuilder.language import zoo
from archbuilder.language.networks import network_names
from tests.properties.emitted_syntax import NotAllowedError, check_source
from tests.properties.interpreter import Interpreter
from tests.properties.judge import judge
from tests.properties.specs import specs
from tests.properties.test_valid import outputs_agree, randomise

HOSTILE = [
    # what could end a literal or a docstring, or begin a line
    '"', "'", '"""', "'''", '\\"', "\\", '\\"""', "\n", "x\nimport os", '"""\nimport os\n"""', "\\N{DIGIT ONE}",
    "\\x22\\x22\\x22",
    "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\0", "\x1b[31m", "#", "x #", "x\\", "x\\\n",
    # code
    "__import__('os').system('true')", "x: int): pass\n    #", "x); import os; (", "x = 1; y", "lambda: 0", "a b",
    "a-b", "a;b", "a,b",
    "exec", "eval", "print", "open", "<initialise>", "    <initialise>\n", "{0}", "{}", "{x.__class__}", "{sum}",
    "%s", "$x", "${x}", "f'{x}'",
    # words that Python, torch or the source itself own
    "class", "None", "True", "lambda", "__init__", "__class__", "__dict__", "__x", "__x__", "_", "__", "_x", "self",
    "super", "nn", "torch",
    "functional", "Tensor", "DropPath", "LayerNorm2d", "OrderedDict", "Bottleneck", "Net", "range", "getattr",
    "isinstance", "callable",
    "int", "bool", "tuple", "dict", "x", "out", "module", "reset", "path", "forward", "training", "parameters",
    "half", "type", "_modules",
    "_parameters", "feature_info", "initialize_weights", "reset_parameters", "register_module", "match",
    "in_channels", "width", "input",
    "here", "repeat", "conv", "add", "norm", "drop_path", "basic", "annotations", "keys", "update", "weight", "bias",
    # characters that look or are read like others
    "ｓelf", "ｉmport", "ﬁt", "µ", "ℌ", "𝐬𝐞𝐥𝐟", "ѕelf", "é", "e\u0301", "\u202eflow", "a\u2066b", "\u200b", "x\u200by",
    "²", "１", "\ufeff", "·",
    "1", "01", "1x", "0x1", "1e5", "", " ", ".", "..", "a.", ".a", "a..b", "a.b", "a.1", "-", "--1", "*", "a.*", "&a",
    "!!str x", "~", "null",
    "x" * 99, "x" * 101, "x" * 100_000,
]  # fmt: skip


def two_blocks(**changes: Any) -> dict[str, Any]:
    """A network that uses a block twice, in ways that differ, so that its class has arguments, flags and stored values."""
    block: dict[str, Any] = {
        "parameters": {"on": False, "count": 2, **changes.pop("parameters", {})},
        "let": changes.pop("let", {}),
        "body": {
            "parts": {"block": "split", "parts": "$count"},
            "joined": {"block": "concat", "from": "parts.*"},
            **changes.pop("body", {}),
            "mean": {"block": "avg_pool", "kernel": 3, "when": "$on"},
            "last": {"block": "conv", "kernel": 1, "width": 8},
            "sum": {"block": "add", "from": ["last", "input"]},
        },
        **changes.pop("block", {}),
    }
    name = changes.pop("called", "twice")
    return {
        "name": "net",
        "input": {"channels": 8, "size": 8},
        "blocks": {name: block},
        "stages": {
            "one": {"block": name, **changes.pop("one", {})},
            "two": {"block": name, "on": True, "count": 4, **changes.pop("two", {})},
        },
        **changes,
    }


def spec_with(place: str, text: str) -> dict[str, Any]:  # noqa: C901 -- one case for each place
    """A spec that has a text in a place."""
    conv = {"block": "conv", "kernel": 3}
    chosen = {**conv, "when": "$on"}
    match place:
        case "name":
            return two_blocks(name=text)
        case "class":
            return two_blocks(**{"class": text})
        case "help":
            return two_blocks(help=text)
        case "help of a block":
            return two_blocks(block={"help": text})
        case "help of a parameter":
            return two_blocks(parameters={"wide": {"default": 8, "help": text}}, body={"c": {**conv, "width": "$wide"}})
        case "reference":
            return two_blocks(reference={"paper": text, "note": text})
        case "block":
            return two_blocks(called=text)
        case "block in its own class":
            return two_blocks(called=text, **{"class": text})
        case "parameter":
            return two_blocks(
                parameters={text: 8},
                body={"c": {**conv, "width": f"$({text})"}, "d": {**conv, "width": 8}},
                one={text: 16},
            )
        case "stored parameter":
            body = {"p2": {"block": "split", "parts": f"$({text})"}, "j2": {"block": "concat", "from": "p2.*"}}
            return two_blocks(parameters={text: 2}, body=body, one={text: 8})
        case "parameter that gives a flag":
            return two_blocks(parameters={text: False}, body={"c": {**conv, "when": f"$({text})"}}, one={text: True})
        case "derived value":
            return two_blocks(
                let={text: "$(count * 3)"}, body={"c": {**conv, "width": f"$({text})"}, "d": {**conv, "width": 8}}
            )
        case "step":
            return two_blocks(body={text: conv})
        case "step of some":
            return two_blocks(body={text: chosen})
        case "added step of some":
            return two_blocks(body={"c": conv, text: {"block": "add", "from": ["c", "input"], "when": "$on"}})
        case "step with a sequence":
            return two_blocks(body={text: {"body": [{**conv, "when": "$on", "else": "identity"}], "depth": 2}})
        case "repeats of some":
            return two_blocks(body={"r": {"body": [conv], "depth": 2}, text: chosen})
        case "step in a container":
            return two_blocks(body={f"{text}.a": conv, f"{text}.b": chosen})
        case "step in numbered containers":
            return two_blocks(body={f"a.{text}": conv, "a.other": chosen})
        case "step of the network":
            return two_blocks(head={text: conv}, features=[text])
        case "renamed step":
            return two_blocks(head={"h": {"block": "basic", "width": 16, "rename": {"downsample": text}}})
        case "renamed step of the network":
            return two_blocks(rename={"one": text}, features=["one"])
        case "names of repeats":
            return two_blocks(head={"h": {**conv, "depth": 2, "names": f"{text}$repeat"}})
        case "name in a list":
            return two_blocks(head={"h": {"block": "basic", "width": 8, "register": [text, "conv2"]}})
        case "text of an op":
            return two_blocks(head={"h": {"block": "activation", "kind": text}})
        case "text of a block":
            return two_blocks(parameters={"s": text}, body={"c": {**conv, "when": "$(s == 'x')"}}, one={"s": "x"})
        case "text in an expression":
            return two_blocks(let={"t": f"$('{text}')"}, body={"c": {**conv, "when": "$(t == 'x')"}})
        case "slot":
            return two_blocks(head={"h": {"block": "basic", "width": 8, "after_last_norm": {text: conv}}})
        case "loop":
            return two_blocks(body={f"for {text} in count": {f"c.${text}": conv}})
        case "parameter of the network":
            return two_blocks() | {"parameters": {text: 8}, "head": {"h": {**conv, "width": f"$({text})"}}}
        case "variant":
            return two_blocks(variants={text: {"input": {"size": 9}}}, default=text)
        case "source":
            return two_blocks(head={"h": {"block": "concat", "from": ["two", text]}})
        case "output":
            return two_blocks(
                head={text: {**conv, "output": "training", "from": "one"}, "always": {**conv, "output": "always"}}
            )
        case "output always":
            return two_blocks(neck={text: {**conv, "output": "always"}}, head={"h": conv})
        case "tensor":
            return two_blocks(body={text: {"block": "parameter", "shape": [8, 1, 1]}, "m": times("joined", text)})
        case "tensor of some":
            tensor = {"block": "parameter", "shape": [8, 1, 1], "init": "ones", "when": "$on"}
            return two_blocks(body={text: tensor, "m": {**times("joined", text), "when": "$on"}})
        case "streams":
            streams = {"block": "streams", "from": ["input", "joined"]}
            return two_blocks(body={text: streams, "s": {"block": "add", "from": f"{text}.*"}})
    raise KeyError(place)


def times(*values: str) -> dict[str, Any]:
    """A product. A name with a dot inside a list would be a part of a value, as in any other place."""
    return {"block": "multiply", "from": list(values)}


PLACES = [
    "name", "class", "help", "help of a block", "help of a parameter", "reference", "block", "block in its own class",
    "parameter",
    "stored parameter", "parameter that gives a flag", "derived value", "step", "step of some", "added step of some",
    "step with a sequence", "repeats of some", "step in a container", "step in numbered containers",
    "step of the network",
    "renamed step", "renamed step of the network", "names of repeats", "name in a list", "text of an op",
    "text of a block",
    "text in an expression", "slot", "loop", "parameter of the network", "variant", "source",
    "output", "output always", "tensor", "tensor of some", "streams",
]  # fmt: skip


LITERALS = {"name", "help", "help of a block", "help of a parameter", "reference", "variant"}
"""Places whose texts name nothing."""


def is_safe(place: str, text: str) -> bool:
    """Whether a text was accepted in a place. Where it was, the source is plain and the network works."""
    result = judge(yaml.safe_dump(spec_with(place, text), sort_keys=False))
    if isinstance(result, SpecError):
        return False
    source = archbuilder.to_source(result.graph)
    check_source(source)
    if place in LITERALS:  # the same classes whatever the text is
        return True
    module = archbuilder.build(result.architecture).eval()
    assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == result.summary.state
    randomise(module)
    images = torch.rand(1, *result.summary.input_shape)
    interpreter = Interpreter(module.state_dict())
    with torch.no_grad():
        expected = interpreter.graph(result.graph, images)
    outputs_agree(module, interpreter, expected, images)
    return True


@pytest.mark.parametrize(("number", "place"), list(enumerate(PLACES)), ids=PLACES)
def test_some_hostile_texts(number: int, place: str) -> None:
    for text in HOSTILE[number % 12 :: 12]:
        is_safe(place, text)


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_hostile_text(place: str) -> None:
    accepted = [text for text in HOSTILE if is_safe(place, text)]
    if place in ("text of an op", "source"):
        assert accepted == (["input", "*"] if place == "source" else [])
    elif place not in ("text in an expression", "name in a list"):
        assert accepted, "a place where nothing is accepted tests little"


@given(
    st.sampled_from(PLACES),
    st.one_of(st.text(max_size=8), st.lists(st.sampled_from(HOSTILE[:-2]), max_size=3).map("".join)),
)
@settings(max_examples=150)
def test_random_text_in_any_place(place: str, text: str) -> None:
    is_safe(place, text)


@pytest.mark.slow
@given(
    st.sampled_from(PLACES),
    st.one_of(st.text(max_size=8), st.lists(st.sampled_from(HOSTILE[:-2]), max_size=3).map("".join)),
)
@settings(max_examples=10_000)
def test_random_text_in_any_place_often(place: str, text: str) -> None:
    is_safe(place, text)


# ---- what the emitter writes, and that the check can fail --------------------------------------------------------


def test_the_zoo_is_emitted_in_plain_constructs() -> None:
    assert zoo.all_files()
    for name in network_names():
        check_source(archbuilder.to_source(archbuilder.lower(name)))


@given(specs())
@settings(max_examples=40)
def test_random_specs_are_emitted_in_plain_constructs(text: str) -> None:
    network = archbuilder.check("random.yaml", text=text)
    check_source(archbuilder.to_source(network.graph))


PLAIN = '''"""net"""

from torch import Tensor, nn


class Net(nn.Module):
    feature_info = [
        {"num_chs": 4, "reduction": 1, "module": "conv"},
    ]

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv(x)
        return out + x
'''

NOT_PLAIN = {
    "an import": ("from torch import Tensor, nn", "import os\nfrom torch import Tensor, nn"),
    "an import from": ("from torch import Tensor, nn", "from os import system\nfrom torch import Tensor, nn"),
    "another name from torch": ("from torch import Tensor, nn", "from torch import Tensor, nn, load"),
    "an import inside": ("        out = ", "        import os\n        out = "),
    "a statement": ("class Net", "print()\n\n\nclass Net"),
    "a function": ("class Net", "def f(): pass\n\n\nclass Net"),
    "a second docstring": ("class Net", '"""x"""\n\n\nclass Net'),
    "a decorator": ("class Net", "@nn.Module\nclass Net"),
    "a decorated method": ("    def forward", "    @staticmethod\n    def forward"),
    "another base": ("(nn.Module)", "(nn.Module, dict)"),
    "a metaclass": ("(nn.Module)", "(nn.Module, metaclass=type)"),
    "another method": ("def forward", "def __del__"),
    "a class attribute": ("    feature_info", "    other"),
    "a call in feature_info": ('"reduction": 1', '"reduction": print()'),
    "a name in feature_info": ('"reduction": 1', '"reduction": nn'),
    "a call in a default": ("width: int = 4", "width: int = print()"),
    "an odd annotation": ("width: int", "width: print()"),
    "a dunder argument": ("width", "__width"),
    "an argument that hides a name": ("width", "super"),
    "a star": ("self, width: int = 4", "self, *width: int"),
    "eval": ("self.conv(x)", "eval('x')"),
    "getattr": ("self.conv(x)", "getattr(x, 'data')"),
    "a method of a value": ("self.conv(x)", "x.tolist()"),
    "a method of a module of torch": ("self.conv(x)", "torch.load('x')"),
    "another module of nn": ("nn.Conv2d(3", "nn.Module(3"),
    "an initialiser of nothing": ("nn.Conv2d(3", "nn.init.eye_(3"),
    "a dunder": ("self.conv(x)", "x.__class__"),
    "a dunder of self": ("self.conv(x)", "self.__dict__"),
    "a dunder call": ("self.conv(x)", "self.__repr__()"),
    "super of another method": ("super().__init__()", "super().__setattr__('a', 1)"),
    "an unknown name": ("out + x", "out + y"),
    "a builtin": ("out + x", "out + print"),
    "a lambda": ("self.conv(x)", "(lambda: x)()"),
    "a walrus": ("self.conv(x)", "(y := x)"),
    "an f-string": ("self.conv(x)", "f'{x}'"),
    "a list comprehension": ("self.conv(x)", "[y for y in x]"),
    "a condition in a comprehension": ("self.conv(x)", "self.conv(y for y in x if y)"),
    "a subtraction": ("out + x", "out - x"),
    "a comparison": ("out + x", "out < x"),
    "an assertion": ("        out =", "        assert x\n        out ="),
    "a deletion": ("        out =", "        del x\n        out ="),
    "a global": ("        out =", "        global y\n        out ="),
    "a while": ("        out =", "        while x: x\n        out ="),
    "a with": ("        out =", "        with x: x\n        out ="),
    "a try": ("        out =", "        try: x\n        except: x\n        out ="),
    "a raise": ("        out =", "        raise x\n        out ="),
    "an if": ("        out =", "        if x: x\n        out ="),
    "a loop": ("        out =", "        for y in x: y\n        out ="),
    "two targets": ("        out =", "        out = y ="),
    "an augmented assignment": ("        out =", "        x += x\n        out ="),
    "a local that hides a name": ("        out =", "        nn = x\n        out ="),
    "an attribute of another": ("        out =", "        x.data = x\n        out ="),
    "keywords from a map": ("kernel_size=1", "**{'kernel_size': 1}"),
    "bytes": ("out + x", "out + b'x'"),
    "a letter that is read as another": ("self.conv(x)", "self.ｃonv(x)"),
    "a text turned around": ('"""net"""', '"""\u202enet"""'),
    "a helper that is not ours": ("class Net", "class DropPath(nn.Module):\n    pass\n\n\nclass Net"),
    "another reset": ("    def forward", "    def reset_parameters(self) -> None:\n        print()\n\n    def forward"),
}


NOT_PLAIN |= {
    "an attribute of a value": ("self.conv(x)", "x.data"),
    "a method of a part": ("self.conv(x)", "x[0].tolist()"),
    "a method of a child": ("self.conv(x)", "self.conv.apply(x)"),
    "a part by name": ("self.conv(x)", "self[x](x)"),
    "a child by a computed name": ("self.conv(x)", "self['a' + '-b'](x)"),
    "a child by a plain name": ("self.conv(x)", "self['conv'](x)"),
    "a child by a dunder": ("self.conv(x)", "self['__dict__'](x)"),
    "a child by an odd dunder": ("self.conv(x)", "self['__a.b'](x)"),
    "a layer in forward": ("self.conv(x)", "nn.Identity()(x)"),
    "a class in forward": ("self.conv(x)", "Net()"),
    "another way to flatten": ("self.conv(x)", "x.flatten(0)"),
    "a mean into a file": ("self.conv(x)", "x.mean(dim=1, out=x)"),
    "an unbind of anything": ("self.conv(x)", "x.unbind()"),
    "an expansion of anything": ("self.conv(x)", "x.expand(2, -1, -1)"),
    "an expansion to another size": ("self.conv(x)", "self.conv.expand(x.shape[1], -1, -1)"),
    "an expansion to more": ("self.conv(x)", "self.conv.expand(x.shape[0], 2, -1)"),
    "a choice by a value": ("self.conv(x)", "x if x else x"),
    "a difference by not": ("self.conv(x)", "not x"),
    "a quotient": ("out + x", "out // 2"),
    "a slice by a call": ("self.conv(x)", "x[: print()]"),
    "a call in an early return": (
        "        out =",
        "        if not self.training:\n            return print()\n        out =",
    ),
    "another condition": ("        out =", "        if self.training:\n            return x\n        out ="),
    "an early return with an else": (
        "        out =",
        "        if not self.training:\n            return x\n        else:\n            return x\n        out =",
    ),
    "an early return behind more": (
        "        out =",
        "        if not self.training:\n            x = x\n            return x\n        out =",
    ),
    "an output class that is not there": ("return out + x", "return NetOutput(x)"),
    "an output class as a note": ("-> Tensor:", "-> NetOutput:"),
    "a return of nothing": ("return out + x", "return"),
    "a key that is computed": ("return out + x", "return {x: x}"),
    "keys from a map": ("return out + x", "return {**x}"),
    "a parameter of anything": ("nn.Conv2d(3, width, kernel_size=1)", "nn.Parameter(torch.ones(3))"),
    "a parameter without sizes": ("nn.Conv2d(3, width, kernel_size=1)", "nn.Parameter(torch.zeros())"),
    "a parameter with words": (
        "nn.Conv2d(3, width, kernel_size=1)",
        "nn.Parameter(torch.zeros(3), requires_grad=False)",
    ),
    "a parameter of a computed size": ("nn.Conv2d(3, width, kernel_size=1)", "nn.Parameter(torch.zeros(print()))"),
    "a shift": ("(3, width", "(3, width << 3"),
    "half of a call": ("(3, width", "(3, range(2) // 2"),
    "not of a call": ("(3, width", "(3, not range(2)"),
    "another choice": ("nn.Conv2d(3, width, kernel_size=1)", "nn.ReLU() if width else nn.SiLU()"),
    "a function of torch in __init__": ("nn.Conv2d(3, width, kernel_size=1)", "torch.cat([], dim=1)"),
    "a child under a plain name": (
        "self.conv = nn.Conv2d(3, width, kernel_size=1)",
        "self['conv'] = nn.ReLU()",
    ),
    "a child under a dunder": (
        "self.conv = nn.Conv2d(3, width, kernel_size=1)",
        "self['__class__'] = nn.ReLU()",
    ),
    "a helper that is a function and not ours": ("class Net", "def resize_tokens(x):\n    return x\n\n\nclass Net"),
    "another tuple": (
        "class Net",
        "class Other(NamedTuple):\n    'x'\n    output: Tensor\n    a: Tensor\n\n\nclass Net",
    ),
}

DRAWING = """
    def initialize_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, mode="fan_in", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.uniform_(module.bias, -0.1, 0.1)
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
        for path in ("conv", "a-b.0"):
            nn.init.zeros_(self.get_submodule(path).weight)
"""
OUTPUTS = '''class NetOutput(NamedTuple):
    """The main output, then the further ones."""

    output: Tensor
    edges: Tensor
    aux: Tensor | None = None


'''
FULL = (
    PLAIN.replace("class Net", OUTPUTS + "class Net").replace("-> Tensor:", "-> NetOutput:") + DRAWING
).replace(
    "        return out + x\n",
    """        y = self["a-b"]["c"][0](torch.cat([self.held.expand(x.shape[0], -1, -1), x.flatten(1, -2)], dim=1))
        first, = x
        return NetOutput(out, edges=y)
""",
).replace("        first, = x\n", """        z = torch.stack([x, y]).softmax(dim=0).unbind()
        z = (x.flatten(2) @ y.flatten(2).softmax(dim=2).transpose(1, 2)).unsqueeze(3)
        if not self.training:
            return NetOutput(out, edges=z[0])
""")  # fmt: skip

NOT_FULL = {
    "a method of the tuple": ("    edges: Tensor\n", "    edges: Tensor\n\n    def f(self): pass\n"),
    "a field of another kind": ("    edges: Tensor\n", "    edges: int\n"),
    "a field with a value": ("    edges: Tensor\n", "    edges: Tensor = print()\n"),
    "a field behind an optional one": ("    edges: Tensor\n", "    edges: Tensor | None = None\n    more: Tensor\n"),
    "a field twice": ("    edges: Tensor\n", "    aux: Tensor\n"),
    "a field that hides a name": ("    edges: Tensor\n", "    Tensor: Tensor\n"),
    "a field that is a dunder": ("    edges: Tensor\n", "    __new__: Tensor\n"),
    "no main output": ("    output: Tensor\n", ""),
    "another name for the tuple": ("class NetOutput", "class OtherOutput"),
    "a statement in the tuple": ("    edges: Tensor\n", "    edges: Tensor\n    print()\n"),
    "two main outputs": ("return NetOutput(out, edges=y)", "return NetOutput(out, out, edges=y)"),
    "a computed output": ("return NetOutput(out, edges=y)", "return NetOutput(out, edges=print())"),
    "outputs from a map": ("return NetOutput(out, edges=y)", "return NetOutput(out, **y)"),
    "a tuple in the middle": ("out = self.conv(x)", "out = NetOutput(x, edges=x)"),
    "a softmax of another dimension": ("softmax(dim=0)", "softmax(dim=1)"),
    "a stack of a call": ("torch.stack([x, y])", "torch.stack([x, print()])"),
    "a stack of another form": ("torch.stack([x, y])", "torch.stack([x, y], out=x)"),
    "an expansion of another value": ("expand(x.shape[0]", "expand(print().shape[0]"),
    "another initialiser": ("nn.init.zeros_", "nn.init.eye_"),
    "an initialiser of nothing": ("nn.init.zeros_(self.get_submodule(path).weight)", "nn.init.zeros_()"),
    "an initialiser of a call": ("self.get_submodule(path).weight", "print().weight"),
    "an initialiser of a dunder": ("module.weight, std", "module.__class__, std"),
    "an initialiser of another": ("module.weight, std", "torch.weight, std"),
    "a computed number": ("std=0.01", "std=print()"),
    "another keyword": ("std=0.01", "generator=0.01"),
    "another mode": ('"fan_in"', '"fan_on"'),
    "another guard": ("module.bias is not None", "module.bias"),
    "a guard around another": ("nn.init.uniform_(module.bias", "nn.init.uniform_(module.weight"),
    "a guard with an else": ("-0.1, 0.1)\n", "-0.1, 0.1)\n                else:\n                    print()\n"),
    "another test of a module": ("isinstance(module, nn.Linear)", "isinstance(path, nn.Linear)"),
    "another kind": ("isinstance(module, nn.Linear)", "isinstance(module, object)"),
    "a loop over others": ("self.modules()", "self.children()"),
    "a loop over computed paths": ('("conv", "a-b.0")', "print()"),
    "a path that is no text": ('("conv", "a-b.0")', '("conv", nn)'),
    "a call in a loop": ("nn.init.zeros_(self.get_submodule(path).weight)", "print(path)"),
    "a statement between": ("        for path", "        print()\n        for path"),
}


def test_plain_source_is_allowed() -> None:
    check_source(PLAIN)
    check_source(FULL)


@pytest.mark.parametrize("change", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_the_check_can_fail(change: tuple[str, str]) -> None:
    assert change[0] in PLAIN
    with pytest.raises((NotAllowedError, SyntaxError)):
        check_source(PLAIN.replace(change[0], change[1], 1))


@pytest.mark.parametrize("change", NOT_FULL.values(), ids=NOT_FULL)
def test_the_check_of_more_can_fail(change: tuple[str, str]) -> None:
    assert change[0] in FULL
    with pytest.raises((NotAllowedError, SyntaxError)):
        check_source(FULL.replace(change[0], change[1], 1))
