"""Ops in Python: the same class as the shipped ones, with source of their own."""

import pytest

import archbuilder
from archbuilder.analysis.summary import summarize
from tests.networks import lowered, mistakes
from tests.plugin.conftest import Load

FLIP = """
@op
@dataclass(frozen=True)
class Flip(Op):
    name: ClassVar[str] = "flip"
    help: ClassVar[str] = "mirrors a map"
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("axis", "int", 3, minimum=2, maximum=3),)
    needs: ClassVar[tuple[str, ...]] = (
        '''class Mirror(nn.Module):
    \"\"\"Mirrors a map.\"\"\"

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return x.flip(self.axis)''',
    )

    axis: int

    def emit(self) -> Construct:
        return Construct("Mirror", (self.axis,))


@op
@dataclass(frozen=True)
class Halve(Op):
    name: ClassVar[str] = "halve"
    help: ClassVar[str] = "half of it"
    needs: ClassVar[tuple[str, ...]] = ("import math", '''def halve(x: Tensor) -> Tensor:
    return x * math.exp2(-1)''')

    def emit(self) -> Expression:
        return Expression("halve({0})")
"""

NETWORK = """
stages:
  flip: flip
  halve: halve
  conv: {block: conv, width: 4, kernel: 1}
  again: {block: flip, axis: 2}
"""


def test_an_op_is_like_a_shipped_one(load: Load) -> None:
    load(FLIP)
    summary = summarize(lowered(NETWORK))
    assert (summary.parameters, summary.output_shape) == (12, (4, 32, 32))
    assert mistakes("stages: {flip: {block: flip, axis: 7}}") == ["1: `axis` must be at most 3, got 7 (in `flip`)"]


def test_what_it_needs_stands_in_the_source_once(load: Load) -> None:
    load(FLIP)
    source = archbuilder.to_source(lowered(NETWORK))
    assert (source.count("class Mirror(nn.Module)"), source.count("import math"), source.count("def halve(")) == (
        1,
        1,
        1,
    )
    assert "halve = " not in source  # a local variable would hide the function
    namespace: dict[str, object] = {}
    exec(source, namespace)


def test_it_computes_what_it_says(load: Load) -> None:
    import torch

    load(FLIP)
    model = archbuilder.build(archbuilder.load_architecture("net.yaml", {}, f"name: net\ninput: {{size: 32}}{NETWORK}"))
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(model(x), model.conv(x.flip(3) / 2).flip(2), atol=1e-6)


@pytest.mark.parametrize("template", ["{0} * {0}.sigmoid()", "{0} - {all}[0].mean()", "{sum} - {product}"])
def test_what_its_template_says_twice_is_computed_once(load: Load, template: str) -> None:
    import torch

    load(FLIP.replace("halve({0})", template))
    steps = "stem: {conv: {block: conv, width: 4, kernel: 3}, norm: norm, halve: halve, last: flip}"
    model = archbuilder.build(archbuilder.load_architecture("net.yaml", {}, f"name: net\ninput: {{size: 8}}\n{steps}"))
    model(torch.rand(2, 3, 8, 8))
    assert model.norm.num_batches_tracked == 1


def test_a_name_that_the_source_uses_itself_is_refused(load: Load) -> None:
    load(FLIP.replace("Mirror", "DropPath"))
    with pytest.raises(
        archbuilder.SpecError, match="`flip` calls something `DropPath`, which is a name of the emitted source's"
    ):
        archbuilder.to_source(lowered(NETWORK))


def test_one_name_cannot_mean_two_things(load: Load) -> None:
    load(FLIP)
    other = FLIP.partition("@op\n@dataclass(frozen=True)\nclass Halve")[0].replace('"flip"', '"flap"')
    with pytest.raises(
        archbuilder.SpecError, match="`Mirror`, which `flap` needs in emitted source, is something else"
    ):
        load(other.replace("x.flip(self.axis)", "x"), "others.py")


def test_what_is_needed_must_be_python(load: Load) -> None:
    with pytest.raises(archbuilder.SpecError, match="what `halve` needs in emitted source is no Python"):
        load(FLIP.replace("import math", "import math,"))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("def infer(self, inputs):\n        return inputs[1]", "`flip` raised IndexError"),
        ("def state(self):\n        return self.nothing", "`flip` raised AttributeError"),
        ("def emit(self):\n        raise ValueError('no')", "`flip` raised ValueError: no"),
        ("def memory(self, inputs, output):\n        return inputs[1]", "`flip` raised IndexError"),
        ("@property\n    def does_nothing(self):\n        return self.nothing", "`flip` raised AttributeError"),
    ],
)
def test_a_rule_that_fails_is_a_diagnostic_at_its_line(rule: str, message: str, load: Load) -> None:
    head = "    axis: int\n\n    "
    load(FLIP.replace(f"{head}def emit(self) -> Construct:\n        return", f"{head}{rule}\n        return"))
    with pytest.raises(archbuilder.SpecError) as error:
        lowered("stages: {flip: flip}")
    (found,) = error.value.diagnostics
    assert (found.code, found.message[: len(message)]) == ("bad-plugin", message)
    assert found.place is not None
    assert found.place.source.line(found.place.line).strip() == rule.rpartition("\n")[2].strip()
    assert found.notes[0].text == "`flip` is used here"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("def infer(self, inputs):\n        return Map(-3, 8, 8)", "the shape rule of `flip` gave Map(channels=-3"),
        ("def infer(self, inputs):\n        return Streams([])", "the shape rule of `flip` gave ()"),
        ("def infer(self, inputs):\n        return 8", "the shape rule of `flip` gave 8"),
        ("def state(self):\n        return (Tensor('weight', (8.0,)),)", "the state of `flip` says (8.0,) of `weight`"),
        ("def state(self):\n        return ((8, 8),)", "the state of `flip` has (8, 8)"),
        ("def macs(self, output):\n        return 1.5", "the MACs of `flip` are 1.5"),
        ("def memory(self, inputs, output):\n        return 0", "the memory of `flip` is 0"),
        (
            "def memory(self, inputs, output):\n        return Memory(keeps=(1,))",
            "the memory of `flip` is Memory(keeps=(1,)",
        ),
        ("def memory(self, inputs, output):\n        return Memory(beside=1.5)", "the memory of `flip` is Memory("),
        *(
            (
                f"def memory(self, inputs, output):\n        return Memory(keeps_for={pairs})",
                "the memory of `flip` is Memory(",
            )
            for pairs in ("((0, 1, 2),)", "((1, 0, 1),)", "((0, 1, 1),)", "((0,),)", "(0,)", "((0, 0.5, 1),)")
        ),
        ("def label(self):\n        return None", "the label of `flip` is None"),
        ("def emit(self):\n        return 'Mirror'", "`emit` of `flip` gave 'Mirror'"),
    ],
)
def test_a_rule_that_gives_what_cannot_be_is_a_diagnostic(rule: str, message: str, load: Load) -> None:
    text = FLIP.replace("def emit", "def was") if "emit" in rule else FLIP
    load(
        "from archbuilder.plugin import Memory\n"
        + text.replace("    axis: int\n\n", f"    axis: int\n\n    {rule}\n\n")
    )
    (found,) = mistakes("stages: {flip: flip}")
    assert found.partition(": ")[2].startswith(message)


def test_what_a_tensor_of_an_op_cannot_be_drawn_by_is_refused(load: Load) -> None:
    rules = "def state(self):\n        return (Tensor('weight', (8,)),)\n\n"
    rules += "    def initialise(self):\n        return (('weight', 'kaiming_fan_in'),)"
    load(
        "from archbuilder.plugin import Tensor\n"
        + FLIP.replace("    axis: int\n\n", f"    axis: int\n\n    {rules}\n\n")
    )
    (found,) = mistakes("stages: {flip: flip}")
    assert found == "1: the weight of flip has no kaiming_fan_in initialisation: that takes 2 dimensions or more, not 1"


def test_an_op_may_refuse_its_input(load: Load) -> None:
    load(
        FLIP.replace(
            "    def emit(self) -> Construct:",
            """    def infer(self, inputs):
        raise OpError("flip takes anything else", "leave it")

    def emit(self) -> Construct:""",
        )
    )
    assert mistakes("stages: {flip: flip}") == ["1: flip takes anything else"]


@pytest.mark.parametrize(("role", "macs"), [("other", None), ("linear", None), ("shape", 0), ("activation", 0)])
def test_an_op_that_may_multiply_has_to_say_its_macs(role: str, macs: int | None, load: Load) -> None:
    load(f"""
    @op
    @dataclass(frozen=True)
    class Flip(Op):
        name: ClassVar[str] = "flip"
        help: ClassVar[str] = "mirrors a map"
        role: ClassVar[str] = "{role}"

        def emit(self):
            return Expression("{{0}}.flip(3)")
    """)
    assert archbuilder.summarize(lowered("stages: {flip: flip}")).macs == macs
