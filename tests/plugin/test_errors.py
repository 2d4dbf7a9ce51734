"""What is wrong in a plugin is a diagnostic at its line, with the use of it."""

import pytest

import archbuilder
from archbuilder import Diagnostic
from archbuilder.diagnostics import Ended
from tests.plugin.conftest import START, Load

SPEC = "name: net\ninput: {size: 32}\nstages:\n  a: {block: mine%s}\n"


def diagnostics(more: str = "") -> list[Diagnostic]:
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.check("net.yaml", text=SPEC % more)
    return error.value.diagnostics


def line_of(found: Diagnostic) -> str:
    assert found.place is not None
    return found.place.source.line(found.place.line).strip()


MINE = """
class Mine(BaseModel):
    width: Channels = 8
    ratio: float = Field(0.5, gt=0)

    @model_validator(mode="after")
    def narrow(self) -> "Mine":
        assert self.width < 100, "this block is for few channels"
        return self


@block("mine")
def mine(build: Builder, x: Value, parameters: Mine) -> Value:
    {body}
"""


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('return build("cnov", x)', "unknown-block", "there is no block `cnov`"),
        ('return build("conv", x)', "missing-parameter", "`conv` needs `kernel`"),
        ('return build("conv", x, kernel=3, widht=8)', "unknown-parameter", "`conv` has no parameter `widht`"),
        ('return build("conv", x, kernel="3")', "bad-value", "`kernel` must be a whole number or a pair of them"),
        ('return build("conv", x, kernel=3, groups=2)', "bad-shape", "`groups` (2) does not divide the 3 channels"),
        ('return build("basic", x, width=8, stride="a")', "bad-value", "`stride` must be a whole number or a pair"),
        ('return build("add", x, build("conv", x, width=9, kernel=1))', "shapes-differ", "add expected equal shapes"),
        ('return build("conv", x, kernel=1, depth=0)', "bad-value", "`depth` must be a whole number from 1"),
        ('return build("conv", x, kernel=1, when=1)', "bad-value", "`when` must be true or false, got 1"),
        ('return build("conv", x, kernel=1, name="type")', "bad-name", "a step cannot be called `type`"),
        ('return build("conv", x, kernel=1, name=3)', "bad-plugin", "a step's name is a text, got 3"),
        ('return build("conv", x, kernel=1, rename=3)', "bad-plugin", "`rename` must be a map of names, got 3"),
        ('return build("conv", kernel=1)', "bad-plugin", "`conv` takes a value"),
        ('return build("conv", 64, kernel=1)', "bad-plugin", "the builder takes values, got 64"),
        ("return build(x)", "bad-plugin", "the builder takes a block's name, got <value 3×32×32>"),
        ("return x[0]", "bad-plugin", "a map of 3×32×32 is one value, not several"),
        ('return build("conv", x, kernel=x.tokens)', "bad-plugin", "a map of 3×32×32 has no tokens"),
        ('return build("split", x, parts=3).channels', "bad-plugin", "3 values together have no channels"),
        ('return build("split", x, parts=3)[3]', "bad-plugin", "`mine` raised IndexError: there are 3 values"),
        ("return None", "bad-plugin", "`mine` must return a value that the builder gave, or several, got nothing"),
        ("return 3", "bad-plugin", "`mine` must return a value that the builder gave, or several, got int 3"),
        ("return 1 / 0", "bad-plugin", "`mine` raised ZeroDivisionError: division by zero"),
        ("return mine(build, x, parameters)", "bad-plugin", "`mine` raised RecursionError"),
        ('return build("mine", x)', "endless-block", "the block `mine` uses itself"),
        (
            'return build("mine", x, width=x.channels + 1, ratio=parameters.ratio + 1)',
            "too-deep",
            "blocks stand in blocks",
        ),
    ],
)
def test_a_mistake_in_a_function(body: str, code: str, message: str, load: Load) -> None:
    load(MINE.replace("{body}", body))
    (found,) = diagnostics()
    assert (found.code, found.message[: len(message)]) == (code, message)
    if code not in ("endless-block", "too-deep") and "must return" not in message:
        assert line_of(found) == body
    notes = [str(note.place) for note in found.notes if note.place is not None]
    assert "net.yaml:4:6" in notes or code == "too-deep"  # that one is 40 blocks away from the spec


RAISED = {
    "raise SystemExit(0)": "SystemExit: 0",
    "raise GeneratorExit": "GeneratorExit",
    "raise type('Own', (BaseException,), {})('why')": "Own: why",
    "return 1 / 0": "ZeroDivisionError: division by zero",
}
"""What Python may be told to do anywhere, and what a message says of it."""

PLACES = {
    "a function": '@block("mine")\ndef mine(build: Builder, x: Value) -> Value:\n    {raises}\n',
    "a validator": MINE.replace('assert self.width < 100, "this block is for few channels"', "{raises}").replace(
        "{body}", "return x"
    ),
    "a shape rule": 'def shape(x: Map) -> Map:\n    {raises}\n\n\nmodule("mine", "layers:F", shape=shape)\n',
    "the other rules": (
        "def rule(x: Map) -> None:\n    {raises}\n\n\n"
        'module("mine", "layers:F", shape=lambda x: x, macs=rule)\n'
        'module("state", "layers:F", shape=lambda x: x, state=rule)\n'
        'module("arguments", "layers:F", shape=lambda x: x, arguments=rule)\n'
    ),
}


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("raises", RAISED)
def test_whatever_is_raised_is_a_diagnostic_and_hides_no_other(raises: str, text: str, load: Load) -> None:
    load(text.replace("{raises}", raises))
    for name in ("mine", "state", "arguments") if 'module("state"' in text else ("mine",):
        with pytest.raises(archbuilder.SpecError) as error:
            archbuilder.check("net.yaml", text=SPEC.replace("mine%s", name) + "  b: nonsense\n")
        first, second = error.value.diagnostics
        assert (first.code, first.message) == ("bad-plugin", f"`{name}` raised {RAISED[raises]}")
        assert line_of(first) == raises
        assert second.message == "there is no block `nonsense`"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, Ended])
@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_an_interrupt_of_the_user_ends_it(interrupt: type[BaseException], text: str, load: Load) -> None:
    load("from archbuilder.diagnostics import Ended\n" + text.replace("{raises}", f"raise {interrupt.__name__}"))
    with pytest.raises(interrupt):
        archbuilder.check("net.yaml", text=SPEC % "")


def test_a_step_that_is_wrong_keeps_the_rest_silent_but_the_next_mistake_is_found(load: Load) -> None:
    load(
        MINE.replace(
            "{body}",
            """
    y = build("cnov", x)
    z = build("conv", y, kernel=0)
    return build("add", z, build("conv", z, kernel=3, width=y.channels))
""",
        )
    )
    assert [(each.code, line_of(each)) for each in diagnostics()] == [
        ("unknown-block", 'y = build("cnov", x)'),
        ("bad-value", 'z = build("conv", y, kernel=0)'),
    ]


def test_two_steps_of_one_name(load: Load) -> None:
    load(MINE.replace("{body}", 'return build("conv", build("conv", x, kernel=1, name="a"), kernel=1, name="a")'))
    (found,) = diagnostics()
    assert (found.code, found.message) == ("same-name", "two steps are called `a`")


def test_a_value_of_another_block(load: Load) -> None:
    load("kept = []\n" + MINE.replace("{body}", "kept.append(x)\n    return kept[0]"))
    with pytest.raises(archbuilder.SpecError, match="this value belongs to another use of a block"):
        archbuilder.check("net.yaml", text=SPEC % "" + "  b: {block: mine, width: 9}\n")


@pytest.mark.parametrize(
    ("more", "code", "message", "column"),
    [
        (", width: 0", "bad-value", "`width` must be a number of channels, 1 or more, got 0", 27),
        (", ratio: -1.5", "bad-value", "`ratio`: Input should be greater than 0", 27),
        (", width: 100", "bad-value", "this block is for few channels", 6),
        (", widht: 8", "unknown-parameter", "`mine` has no parameter `widht`", 20),
    ],
)
def test_a_mistake_in_a_use(more: str, code: str, message: str, column: int, load: Load) -> None:
    load(MINE.replace("{body}", "return x"))
    (found,) = diagnostics(more)
    assert (found.code, found.message[: len(message)]) == (code, message)
    assert found.place is not None
    assert (found.place.source.name, found.place.line, found.place.column) == ("net.yaml", 4, column)


def test_a_function_of_two_values_needs_two(load: Load) -> None:
    load('@block("mine")\ndef mine(build: Builder, left: Value, right: Value) -> Value:\n    return left\n')
    (found,) = diagnostics()
    assert (found.code, found.message) == ("bad-input", "`mine` takes 2 values, got 1")
    assert str(found.place) == "net.yaml:4:6"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('@block("conv")\ndef f(build, x):\n    return x\n', "`conv` is an op already"),
        ('@block("3x3")\ndef f(build, x):\n    return x\n', "a block's name begins with no digit, got '3x3'"),
        (
            '@block("two words")\ndef f(build, x):\n    return x\n',
            "a block's name is made of letters, digits and underscores",
        ),
        ('@block("f")\ndef f():\n    return 1\n', "`f` takes no builder"),
        ('@block("f")\ndef f(build, x, *, y):\n    return x\n', "`f` takes values by name"),
        (
            '@block("f")\ndef f(build, x, p: Unknown):\n    return x\n',
            "`Unknown` in the annotations of `f` is not known",
        ),
        ('for _ in "ab":\n    @block("f")\n    def f(build, x):\n        return x\n', "`f` is defined in"),
        (
            "@block(True)\ndef f(build, x):\n    return x\n",
            "a block's name is made of letters, digits and underscores, got True",
        ),
        (
            '@op\n@dataclass(frozen=True)\nclass F(Op):\n    name = "f"\n    help = ""\n    parameters = ("dim",)\n',
            "the parameters of `f` have 'dim', which declares none",
        ),
        (
            '@op\n@dataclass(frozen=True)\nclass F(Op):\n    name = help = "f"\n    parameters = (Parameter("dim", "number"),)\n',
            "the parameters of `f` have Parameter(",
        ),
        (
            '@op\n@dataclass(frozen=True)\nclass F(Op):\n    name = help = "f"\n    parameters = (Parameter("d", "int", "x"),)\n',
            "the default does not fit: `d` must be a whole number, got `x`",
        ),
        *(
            (f'@op\n@dataclass(frozen=True)\nclass F(Op):\n    name = help = "f"\n    {word} = {value}\n', message)
            for word, value, message in [
                ("inputs", "3", "`inputs` of `f` cannot be 3"),
                ("inputs", "(2, 1)", "`inputs` of `f` cannot be (2, 1)"),
                ("inputs", '("1", None)', "`inputs` of `f` cannot be ('1', None)"),
                ("role", '"convolve"', "`role` of `f` cannot be 'convolve'"),
                ("joins", "1", "`joins` of `f` cannot be 1"),
                ("lies_over", '"all"', "`lies_over` of `f` cannot be 'all'"),
                ("size_parameter", '"size"', "`size_parameter` of `f` cannot be 'size'"),
                ("needs", '"import math"', "`needs` of `f` cannot be 'import math'"),
                ("fallbacks", '{"dim": "1"}', "`fallbacks` of `f` cannot be {'dim': '1'}"),
            ]
        ),
        ('block("f", layers=-1)\n', "`layers` must be a whole number, got -1"),
        ('block("f", layers=2.5)\n', "`layers` must be a whole number, got 2.5"),
        ('block("f", layers=True)\n', "`layers` must be a whole number, got true"),
        ("@op\nclass F:\n    pass\n", "`F` is no dataclass derived from Op"),
        ("@op\nclass F(Op):\n    pass\n", "`F` is no dataclass derived from Op"),
        ("@op\n@dataclass(frozen=True)\nclass F(Op):\n    help = ''\n", "the op `F` has no `name`"),
        (
            'module("f", "layers.F", shape=lambda x: x)\n',
            "a module is named as in `my_layers:CoordConv`, got `layers.F`",
        ),
        ('module("f", "layers:F", shape=lambda: 1)\n', "the shape rule takes the shapes that go in"),
    ],
)
def test_a_mistake_in_a_definition(text: str, message: str, write: Load) -> None:
    path = write(text)
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.load_plugin(path)
    (found,) = error.value.diagnostics
    assert (found.code, found.message[: len(message)]) == ("bad-plugin", message)
    assert found.place is not None
    assert found.place.source.name == str(path)
    assert found.place.line > START.count("\n")


@pytest.mark.parametrize(
    "definition",
    [
        '@block("%s")\ndef mine(build: Builder, x: Value) -> Value:\n    return x\n',
        '@op\n@dataclass(frozen=True)\nclass Mine(Op):\n    name: ClassVar[str] = "%s"\n    help: ClassVar[str] = ""\n',
        'module("%s", "layers:F", shape=lambda x: x)\n',
    ],
)
@pytest.mark.parametrize(("name", "kind"), [("basic", "a shipped block"), ("conv", "an op")])
def test_a_name_that_is_shipped_is_refused_at_once_and_harms_no_network(
    name: str, kind: str, definition: str, write: Load
) -> None:
    fine = '@block("fine")\ndef fine(build: Builder, x: Value) -> Value:\n    return x\n'
    path = write(fine + definition % name)
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.load_plugin(path)
    (found,) = error.value.diagnostics
    assert (found.code, found.message) == ("bad-plugin", f"`{name}` is {kind} already")
    assert str(found.place) == f"{path}:{START.count(chr(10)) + 4}:1"
    archbuilder.check("resnet18")
    with pytest.raises(archbuilder.SpecError, match="there is no block `fine`"):
        archbuilder.check("net.yaml", text=SPEC.replace("mine%s", "fine"))


def test_two_plugins_cannot_define_one_name(load: Load) -> None:
    text = '@block("mine")\ndef mine(build: Builder, x: Value) -> Value:\n    return x\n'
    load(text)
    with pytest.raises(archbuilder.SpecError, match=r"`mine` is defined in .*my_blocks\.py:13 already"):
        load(text, "others.py")


def test_a_spec_cannot_define_it_anew(load: Load) -> None:
    load('@block("mine")\ndef mine(build: Builder, x: Value) -> Value:\n    return x\n')
    with pytest.raises(archbuilder.SpecError, match="`mine` is defined by a plugin already"):
        archbuilder.check("net.yaml", text="blocks: {mine: {body: {a: identity}}}\n" + SPEC % "")
