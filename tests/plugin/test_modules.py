"""Modules of one's own as ops: declared without torch, held against the real thing at build."""

import csv
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

import archbuilder
from archbuilder.analysis.summary import summarize
from archbuilder.cli import app
from tests.networks import lowered, mistakes
from tests.plugin.conftest import Load

LAYERS = '''
import torch
from torch import Tensor, nn


class CoordConv(nn.Module):
    """A convolution that also sees where it is."""

    def __init__(self, in_channels: int, width: int, kernel: int = 3) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(2))
        self.conv = nn.Conv2d(in_channels + 2, width, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        ys = torch.linspace(-1, 1, h).view(1, 1, h, 1).expand(n, 1, h, w) * self.scale[0]
        xs = torch.linspace(-1, 1, w).view(1, 1, 1, w).expand(n, 1, h, w) * self.scale[1]
        return self.conv(torch.cat([x, ys, xs], dim=1))


class Swap(nn.Module):
    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        if left.device.type == "meta":
            raise NotImplementedError("this one needs numbers")
        return right, left
'''

BLOCKS = """
class Coord(BaseModel):
    width: Channels
    kernel: int = Field(3, ge=1)


def call(x: Map, told: Coord) -> dict[str, int]:
    return {"in_channels": x.channels, "width": told.width, "kernel": told.kernel}


def shape(x: Map, told: Coord) -> Map:
    if not isinstance(x, Map):
        raise OpError(f"coord_conv takes a feature map, got {x}")
    return x._replace(channels=told.width)


def state(x: Map, told: Coord) -> dict[str, tuple[int, ...]]:
    weight = (told.width, x.channels + 2, told.kernel, told.kernel)
    return {"scale": Tensor("", (2,), trained=False), "conv.weight": weight, "conv.bias": (told.width,)}


def macs(x: Map, told: Coord) -> int:
    return x.height * x.width * (x.channels + 2) * told.width * told.kernel**2


module("coord_conv", "my_layers:CoordConv", parameters=Coord, arguments=call, shape=shape, state=state, macs=macs,
       help="a convolution that also sees where it is")
module("swap", "my_layers:Swap", shape=lambda left, right: [right, left], macs=lambda left, right: 0)
"""

STATE = (
    'for these parameters `state` has to give {"scale": Tensor("", (2,), trained=False), "conv.weight": (8, 5, 3, 3), '
    '"conv.bias": (8,)}'
)

NETWORK = """
stages:
  layer1: {block: coord_conv, width: 8}
  layer2: {block: coord_conv, width: 8, kernel: 5, depth: 2}
  other: {block: conv, from: layer1, width: 4, kernel: 1}
  swap: {block: swap, from: [layer2, other]}
  joined: {block: concat, from: swap.*}
"""
SPEC = f"name: net\ninput: {{size: 16}}{NETWORK}"


@pytest.fixture
def declared(load: Load, write: Load) -> Load:
    """Declares the modules, with something in the declaration replaced."""

    def declare(old: str = "", new: str = "") -> Path:
        write(LAYERS, "my_layers.py", start="")
        assert old in BLOCKS
        return load(BLOCKS.replace(old, new))

    return declare


def built(**parameters: object) -> torch.nn.Module:
    return archbuilder.build(archbuilder.language.load.load_architecture("net.yaml", parameters, SPEC))


def test_all_but_building_needs_no_torch_and_no_module(declared: Load) -> None:
    declared()
    Path("my_layers.py").unlink()
    summary = summarize(lowered(NETWORK))
    weights = 8 * 5 * 9 + 8, 2 * (8 * 10 * 25 + 8), 4 * 8
    assert summary.parameters == sum(weights)
    assert summary.macs == 32 * 32 * (8 * 5 * 9 + 2 * 8 * 10 * 25 + 32)
    assert str(lowered(NETWORK).output_shape) == "12×32×32"
    assert [key for key, _ in lowered(NETWORK).state()][:3] == [
        "layer1.scale",
        "layer1.conv.weight",
        "layer1.conv.bias",
    ]


def test_it_is_built_and_runs(declared: Load) -> None:
    declared()
    model = built()
    x = torch.rand(2, 3, 16, 16)
    first = model.layer1(x)
    assert torch.equal(model(x), torch.cat([model.other(first), model.layer2(first)], dim=1))
    assert list(model.state_dict()) == [key for key, _ in lowered(NETWORK).state()]
    assert type(model.layer1).__module__ == "my_layers"


def test_the_source_imports_it(declared: Load) -> None:
    declared()
    source = archbuilder.to_source(lowered(NETWORK))
    assert "\nfrom my_layers import CoordConv\nfrom my_layers import Swap\n" in source
    assert "self.layer1 = CoordConv(in_channels=3, width=8, kernel=3)" in source
    assert "self.swap(" in source
    assert "self.swap((" not in source


def test_what_stands_inside_is_not_drawn_anew(declared: Load) -> None:
    declared()
    text = SPEC.replace("stages:", "defaults: {conv: {init: ones}}\nstages:")
    model = archbuilder.build(archbuilder.language.load.load_architecture("net.yaml", {}, text))
    assert bool((model.other.weight == 1).all())
    assert not bool((model.layer1.conv.weight == 1).any())


def test_the_command_builds_it_and_compares(declared: Load) -> None:
    declared()
    Path("net.yaml").write_text(SPEC + "head: {pool: global_pool, fc: {block: linear, width: 5}}\n", "utf-8")
    result = CliRunner().invoke(app, ["build", "net.yaml", "--plugin", "my_blocks.py"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "DIFFERENT" not in result.stdout


def test_checking_it_changes_no_random_number(declared: Load) -> None:
    declared()
    torch.manual_seed(3)
    first = built().state_dict()
    torch.manual_seed(3)
    second = built().state_dict()
    torch.manual_seed(3)
    from my_layers import CoordConv  # type: ignore[import-not-found]

    assert torch.equal(first["layer1.conv.weight"], CoordConv(3, 8).conv.weight)
    assert torch.equal(first["layer2.1.conv.bias"], second["layer2.1.conv.bias"])


@pytest.mark.parametrize(
    ("old", "new", "message", "help"),
    [
        (
            "x._replace(channels=told.width)", "Map(2 * told.width, x.height, x.width)",
            "`CoordConv` gives 8×16×16 here, its shape rule says 16×16×16", "correct the rule, or the module",
        ),
        (
            ', "conv.bias": (told.width,)', "",
            "`CoordConv` stores scale 2, conv.weight 8×5×3×3, conv.bias 8, its declaration says scale 2, conv.weight 8×5×3×3",
            STATE,
        ),
        (
            'Tensor("", (2,), trained=False)', "(2,)",
            "`scale` of `CoordConv` is a buffer, which `state` does not say", '"scale": Tensor("", (2,), trained=False)',
        ),
        (", state=state", "", "`CoordConv` stores scale 2, conv.weight 8×5×3×3, conv.bias 8, its declaration says nothing", None),
        (", arguments=call", "", "`CoordConv`, made and run on 3×16×16, raised TypeError: CoordConv.__init__() missing", None),
        ("my_layers:CoordConv", "my_layers:Missing", "`from my_layers import Missing` raised AttributeError", None),
        ("my_layers:CoordConv", "nowhere:CoordConv", "`from nowhere import CoordConv` raised ModuleNotFoundError", None),
    ],
)  # fmt: skip
def test_a_module_that_is_not_as_declared_is_a_diagnostic(
    old: str, new: str, message: str, help: str | None, declared: Load
) -> None:
    path = declared(old, new)
    with pytest.raises(archbuilder.SpecError) as error:
        built()
    found = error.value.diagnostics[0]
    assert (found.code, found.message[: len(message)]) == ("module-differs", message)
    assert help is None or found.help == help
    assert str(found.place) == "net.yaml:4:11"
    assert found.notes[0].place is not None
    assert found.notes[0].place.source.name == str(path)


@pytest.mark.parametrize(
    ("old", "message"),
    [
        ("class CoordConv", "`from my_layers import CoordConv` raised SystemExit: 0"),
        ("        super()", "`CoordConv`, made and run on 3×16×16, raised SystemExit: 0"),
        ("        n, _, h", "`CoordConv`, made and run on 3×16×16, raised SystemExit: 0"),
    ],
)
def test_a_module_that_would_end_the_process_is_a_diagnostic(
    old: str, message: str, declared: Load, write: Load
) -> None:
    declared()
    indentation = old[: len(old) - len(old.lstrip())]
    write(LAYERS.replace(old, f"{indentation}raise SystemExit(0)\n{old}", 1), "my_layers.py", start="")
    with pytest.raises(archbuilder.SpecError) as error:
        built()
    assert error.value.diagnostics[0].message == message


def test_every_different_module_is_said_at_once(declared: Load) -> None:
    declared(", state=state", "")
    with pytest.raises(archbuilder.SpecError) as error:
        built()
    assert [str(each.place) for each in error.value.diagnostics] == ["net.yaml:4:11", "net.yaml:5:11"]


def test_a_wrong_use_is_found_without_the_module(declared: Load) -> None:
    declared()
    assert mistakes("stages: {a: {block: coord_conv, width: 8, kernel: 0}}") == [
        "1: `kernel` must be at least 1, got 0 (in `coord_conv`)"
    ]
    assert mistakes("stages: {a: global_pool, b: {block: coord_conv, width: 8}}") == [
        "1: coord_conv takes a feature map, got 3"
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("x._replace(channels=told.width)", "told.width", "the shape rule of `coord_conv` gave 8"),
        (
            "x._replace(channels=told.width)",
            "x.chanels",
            "`coord_conv` raised AttributeError: 'Map' object has no attribute 'chanels'",
        ),
        ('"conv.bias": (told.width,)', '"conv.bias": told.width', "the state of `coord_conv` says 8 of `conv.bias`"),
    ],
)
def test_a_rule_that_fails_is_a_diagnostic(old: str, new: str, message: str, declared: Load) -> None:
    declared(old, new)
    (found,) = mistakes("stages: {a: {block: coord_conv, width: 8}}")
    assert found.partition(": ")[2].startswith(message)


def test_one_file_may_hold_all(load: Load) -> None:
    load("""
from torch import nn

class Twice(nn.Module):
    def forward(self, x):
        return x + x

module("twice", Twice, shape=lambda x: x)
""")
    model = archbuilder.build(
        archbuilder.language.load.load_architecture("net.yaml", {}, "name: net\nstages: {a: {block: twice}}\n")
    )
    assert torch.equal(model(torch.ones(1, 3, 4, 4)), torch.full((1, 3, 4, 4), 2.0))


BOTH = """
from torch import nn

class Both(nn.Module):
    def __init__(self, kernels=(1, 3), **rest):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 4, kernel, padding=kernel // 2) for kernel in kernels)

    def forward(self, x):
        return tuple(conv(x) for conv in self.convs)

def shape(x):
    return [x._replace(channels=4), x._replace(channels=4)]

def state(x):
    weights = {"convs.0.weight": (4, 3, 1, 1), "convs.0.bias": (4,), "convs.1.weight": (4, 3, 3, 3), "convs.1.bias": (4,)}
    return weights

module("both", Both, shape=shape, state=state, SAID)
"""
SUMMED = "name: net\ninput: {size: 8}\nstages: {a: {block: both}, sum: {block: add, from: a.*}, last: {block: conv, kernel: 1}}\n"
COUNTED = 8 * 8 * 4 * (3 + 27)
REST = 8 * 8 * 4 * 4


def command(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--plugin", "my_blocks.py"])


@pytest.fixture
def both(load: Load) -> Load:
    """A module of two convolutions that gives two values, with something said of its MACs, in a spec."""

    def declare(said: str, spec: str = SUMMED) -> Path:
        Path("net.yaml").write_text(spec, "utf-8")
        return load(BOTH.replace(", SAID", f", {said}" if said else ""))

    return declare


def test_macs_that_are_not_declared_are_not_known(both: Load) -> None:
    both("")
    summary = archbuilder.check("net.yaml").summary
    assert (summary.macs, summary.activations, summary.uncounted) == (None, None, ("both",))
    assert [(row.path, row.macs) for row in summary.stages] == [("a", None), ("sum", 0), ("last", REST)]
    said = "MACs not known, `both` does not say its own"
    assert command("check", "net.yaml").stdout.endswith(f"net.yaml: fine, {summary.parameters:,} parameters, {said}\n")
    printed = command("summary", "net.yaml").stdout
    assert "compute      not known: `both` does not say its own" in printed
    assert "activations  not known" in printed
    assert "memory       not known: `both` does not say its own" in printed
    assert (summary.training_memory, summary.inference_memory, summary.stages[2].training_memory) == (None, None, None)
    assert [row.receptive_field for row in summary.stages] == [None, None, None]
    assert next(line for line in printed.splitlines() if line.startswith("total")).split()[2] == "?"
    data = json.loads(command("summary", "net.yaml", "--format", "json").stdout)
    assert (data["macs"], data["activations"], data["rows"][0]["macs"], data["rows"][2]["macs"]) == (
        None,
        None,
        None,
        REST,
    )
    rows = list(csv.DictReader(command("summary", "net.yaml", "--format", "csv").stdout.splitlines()))
    assert [row["macs"] for row in rows] == ["", "0", str(REST)]
    assert "| **?** |" in command("summary", "net.yaml", "--format", "markdown").stdout
    assert "MACs not known" in archbuilder.render(summary.graph).decode()


def test_macs_that_are_not_known_cannot_be_expected(both: Load) -> None:
    both("", SUMMED + "expect: {macs: 16384}\n")
    result = command("check", "net.yaml")
    assert result.exit_code == 1
    assert "expected 16_384 macs, they are not known: `both` does not say its own" in result.stderr


def test_build_tells_the_macs_that_a_module_does_not_say(both: Load) -> None:
    both("")
    result = command("build", "net.yaml")
    assert result.exit_code == 0, result.output
    assert f"not known  {COUNTED + REST:,}  not compared" in result.stdout
    assert f"`both` does not say its MACs: torch counts {COUNTED:,} in a\n" in result.stdout


@pytest.mark.parametrize("said", ["7", "0", str(COUNTED - 1)])
def test_build_finds_macs_that_are_wrong(said: str, both: Load) -> None:
    both(f"macs=lambda x: {said}")
    result = command("build", "net.yaml")
    assert result.exit_code == 1
    assert f"{int(said) + REST:,}" in next(line for line in result.stdout.splitlines() if line.endswith("DIFFERENT"))
    assert f"a: `both` says {int(said):,} MACs, torch counts {COUNTED:,}" in result.stderr


def test_build_finds_macs_that_are_right_equal(both: Load) -> None:
    both(f"macs=lambda x: x.height * x.width * {COUNTED // 64}")
    result = command("build", "net.yaml")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("equal\n") == 3


@pytest.mark.parametrize("given", ["[1, 3]", "(1, 3)", "[1, 3], 'sizes': [[1, 2], [3]], 'nothing': None, 'name': 'x'"])
def test_arguments_may_be_lists(given: str, both: Load) -> None:
    both(f"arguments=lambda x: {{'kernels': {given}}}")
    model = archbuilder.build("net.yaml")
    assert [conv.kernel_size for conv in model.a.convs] == [(1, 1), (3, 3)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{'kernels': {1, 3}}", "the arguments of `both` give {1, 3} for `kernels`, which the source cannot say"),
        (
            "{'kernels': [1, {'a': 2}]}",
            "the arguments of `both` give {'a': 2} for `kernels`, which the source cannot say",
        ),
        ("{'kernels': float('inf')}", "the arguments of `both` give inf for `kernels`, which the source cannot say"),
        ("{'two words': 1}", "the arguments of `both` are {'two words': 1}"),
        ("[1, 3]", "the arguments of `both` are [1, 3]"),
    ],
)
def test_an_argument_that_cannot_be_written_is_a_diagnostic(given: str, message: str, both: Load) -> None:
    both(f"arguments=lambda x: {given}")
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.check("net.yaml")
    assert [each.message for each in error.value.diagnostics] == [message]


def test_a_block_around_it_says_how_many_layers_are_inside(both: Load) -> None:
    path = both("macs=lambda x: 0")
    around = '\n@block("python", layers=2)\ndef python(build, x):\n    return build("both", x)\n'
    path.write_text(path.read_text("utf-8") + around, "utf-8")
    archbuilder.load_plugin(path)
    for name, layers in (("both", 1), ("yaml", 3), ("python", 3)):  # one is the last convolution's
        text = "blocks: {yaml: {layers: 2, body: {a: both}}}\n" if name == "yaml" else ""
        text += SUMMED.replace("block: both", f"block: {name}")
        assert archbuilder.check("net.yaml", text=text).summary.layers == layers


@pytest.mark.parametrize("said", ["'seven'", "-1", "float('nan')", "1.5", "2.0", "True"])
def test_macs_that_are_no_number_are_a_diagnostic(said: str, both: Load) -> None:
    both(f"macs=lambda x: {said}")
    with pytest.raises(archbuilder.SpecError, match="the MACs of `both` are"):
        archbuilder.check("net.yaml")


@pytest.mark.parametrize(
    "shape",
    [
        "x._replace(channels=-3)",
        "x._replace(channels=3.0)",
        "x._replace(channels=True)",
        "x._replace(height=0)",
        "x._replace(width=None)",
        "x._replace(channels=2**60)",
        "Vector(0)",
        "Tokens(8, 8, -1, 3)",
        "Tokens(8, 8, 0, 3.5)",
        "[x, x._replace(channels=3.5)]",
    ],
)
def test_sizes_are_whole_numbers_from_one(shape: str, load: Load) -> None:
    load(f'module("mine", "layers:Mine", shape=lambda x: {shape})\n')
    with pytest.raises(archbuilder.SpecError, match="the shape rule of `mine` gave") as error:
        archbuilder.check("net.yaml", text="name: net\nstages: {a: {block: mine}}\n")
    assert [each.help for each in error.value.diagnostics] == ["its sizes must be whole numbers from 1"]


@pytest.mark.parametrize("sizes", ["(1.5,)", "[-1]", "(True,)", 'Tensor("", 3)', 'Tensor("", (3.0,), trained=False)'])
def test_stored_sizes_are_whole_numbers(sizes: str, load: Load) -> None:
    load(f'module("mine", "layers:Mine", shape=lambda x: x, state=lambda x: {{"weight": {sizes}}})\n')
    with pytest.raises(archbuilder.SpecError, match=r"the state of `mine` says .* of `weight`"):
        archbuilder.check("net.yaml", text="name: net\nstages: {a: {block: mine}}\n")


STRIDED = "a: {block: conv, width: 8, kernel: 3, stride: 8}, b: {block: conv, width: 8, kernel: 3, stride: 2}"


def test_it_cannot_stand_behind_a_stride_that_becomes_dilation(load: Load) -> None:
    """What it does with a map is not known; a neck and a head take the larger map as it comes."""
    load("module('mine', 'torch.nn:Identity', shape=lambda x: x)")
    (mistake,) = mistakes(f"output_stride: 8\nstages: {{{STRIDED}, c: mine}}")
    assert mistake == (
        "1: this output stride cannot be kept: `c`: what `mine` does with a map is not known, "
        "so it cannot stand behind a stride that becomes dilation"
    )
    graph = lowered(f"output_stride: 8\nstages: {{{STRIDED}}}\nhead: {{c: mine, d: global_pool}}")
    assert [str(node.shape) for node in graph.nodes] == ["8×4×4", "8×4×4", "8×4×4", "8"]
    assert mistakes("output_stride: 8\nstages: {a: {block: conv, width: 8, kernel: 3, stride: 8}, c: mine}") == []


COMPUTING = """
import torch
from torch import Tensor, nn


class Computing(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        MADE


    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * USED
"""
COMPUTED = {
    "numbers": ("self.rates = [each.item() for each in torch.linspace(0.1, 1, 3)]", "self.rates[1]"),
    "a number of a weight": ("self.mean = float(self.conv.weight.mean())", "self.mean"),
    "a tensor that is an attribute": ("self.ones = torch.ones(channels, 1, 1)", "self.ones"),
    "a buffer that no file has": (
        'self.register_buffer("ones", torch.ones(channels, 1, 1), persistent=False)',
        "self.ones",
    ),
    "a decision": ("self.much = 2.0 if self.conv.weight.abs().sum() > 0 else 1.0", "self.much"),
    "an array": ("self.numbers = torch.arange(3.0).numpy().tolist()", "self.numbers[2]"),
}


@pytest.mark.parametrize(("made", "used"), COMPUTED.values(), ids=COMPUTED)
def test_what_a_module_computes_when_it_is_made_is_there_with_weights(
    made: str, used: str, load: Load, write: Load, tmp_path: Path
) -> None:
    write(COMPUTING.replace("MADE", made).replace("USED", used), "my_layers.py", start="")
    load("""
    module("computing", "my_layers:Computing", arguments=lambda x: {"channels": x.channels}, shape=lambda x: x,
           state=lambda x: {"conv.weight": (x.channels, x.channels, 1, 1), "conv.bias": (x.channels,)}, macs=lambda x: 0)
    """)
    head = "head: {pool: global_pool, fc: {block: linear, width: 3}}"
    text = f"name: net\ninput: {{size: 8}}\nstages: {{a: {{block: conv, width: 4, kernel: 1}}, b: computing}}\n{head}\n"
    torch.manual_seed(0)
    model, images = archbuilder.build(text=text).eval(), torch.rand(2, 3, 8, 8)
    torch.manual_seed(0)
    again = archbuilder.build(text=text, weights=model.state_dict()).eval()
    assert torch.equal(again(images), model(images))
    assert torch.equal(model.forward_head(model.forward_features(images)), model(images))
    archbuilder.save(model, tmp_path / "net.safetensors")
    model.reset_classifier(5)
    archbuilder.save(model, tmp_path / "net.safetensors")
    assert archbuilder.build(tmp_path / "net.safetensors").eval()(images).shape == (2, 5)


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("tie", ["self.b.weight = self.a.weight", "self.b = self.a"])
def test_a_tensor_under_two_names_is_refused(tie: str, trained: bool, load: Load, write: Load) -> None:
    write(
        f"""
        from torch import Tensor, nn

        class Tied(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.a, self.b = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1, bias=False)
                {tie}

            def forward(self, x: Tensor) -> Tensor:
                return self.b(self.a(x))
        """,
        "my_layers.py",
        start="import torch\n",
    )
    load(f"""
    module("tied", "my_layers:Tied", shape=lambda x: x, macs=lambda x: 0,
           state=lambda x: {{"a.weight": (4, 4, 3, 3), "b.weight": Tensor("", (4, 4, 3, 3), trained={trained})}})
    """)
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.build(text="name: net\ninput: {size: 8, channels: 4}\nstages: {b: tied}\n")
    assert "`Tied` keeps one tensor as `a.weight` and as `b.weight`" in str(caught.value)
    assert "help: keep it once, and use it in both places" in str(caught.value)
