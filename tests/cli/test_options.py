"""Wrong specs, wrong usage, and what is said about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archbuilder import SpecError
from archbuilder.cli import reports
from archbuilder.cli.options import check_with_variants

from .conftest import GOOD, Run

COMMANDS = ["check", "summary", "render", "build", "export", "list", "show"]


def test_errors_are_printed_with_places_from_here(run: Run, bad: Path) -> None:
    for word in ("bad.yaml", str(bad), "./bad.yaml"):
        result = run("check", word)
        assert result.exit_code == 1
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert re.match(r"bad\.yaml:3:19: error\[unknown-block\]: .*`basik`", lines[0])
        assert lines[1:3] == ["    3 |   layer1: {block: basik, width: 8}", "      |                   ^^^^^"]
        assert lines[-1] == "2 errors in bad.yaml"


def test_paths_elsewhere_stay_whole(run: Run, bad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = bad.parent / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert run("check", bad).stderr.splitlines()[-1] == f"2 errors in {bad}"


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "list"])
def test_every_command_says_what_is_wrong_with_a_spec(run: Run, bad: Path, command: str) -> None:
    arguments = ["--resolved"] if command == "show" else []
    result = run(command, "bad.yaml", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("bad.yaml:3:19: error[")
    assert sorted(path.name for path in bad.parent.iterdir()) == ["bad.yaml"]


@pytest.mark.parametrize("word", ["basic", "conv", "hr_module"])
@pytest.mark.parametrize(
    "words",
    [
        "show --resolved",
        "show --why width",
        "show --set width=3",
        "check",
        "summary",
        "render",
        "build",
        "export",
        "diff resnet18",
    ],
)
def test_a_block_is_called_one_where_a_network_is_meant(run: Run, words: str, word: str) -> None:
    result = run(*words.split(), word)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"there is no network called `{word}` (" in result.stderr
    kind = "an op" if word == "conv" else "a block"
    advice = f"`archbuilder show {word}` prints it, `archbuilder block {word}` tries it"
    assert result.stderr.endswith(f"\n  help: `{word}` is {kind}: {advice}\n")


@pytest.mark.parametrize("words", ["check", "summary", "show", "show --resolved", "block basic --set width=8 --spec"])
def test_a_folder_without_a_slash_is_called_one(run: Run, good: Path, words: str) -> None:
    (good.parent / "nets").mkdir()
    result = run(*words.split(), "nets")
    assert result.exit_code == 1
    assert "there is no network called `nets`" in result.stderr
    assert result.stderr.endswith("\n  help: `nets` is a folder: name a .yaml file in it\n")
    good.rename(good.parent / "nets" / "tiny.yaml")
    assert run(*words.split(), "nets").stderr.endswith(
        "\n  help: `nets` is a folder: name a .yaml file in it, as in `nets/tiny.yaml`\n"
    )


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("resnet5O", "there is no network called `resnet5O` (did you mean `resnet50`?)"),
        ("tinny.yaml", "there is no file tinny.yaml\n  help: did you mean `tiny.yaml`?"),
        ("tiny", "help: there is a file of that name: write `./tiny.yaml`"),
        ("nowhere/net.yaml", "there is no file nowhere/net.yaml\n  help: there is no folder nowhere"),
        ("./", "help: known here: "),
        ("", "there is no network called ``"),
        ("\x1b[2J", "there is no network called `\\u001b[2J`"),
    ],
)
def test_unknown_specs_come_with_a_hint(run: Run, good: Path, word: str, message: str) -> None:
    result = run("summary", word)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("setting", "marked"),
    [
        ("head=null", "head"),
        ("nothing=False", "nothing"),
        ("stem={x: {block: basic}}", "stem"),
        ("layer1.width=", "layer1.width"),
        ("layer1.width=~", "~"),
        ("layer1.width=  ~  ", "~"),
        ("layer1.width=[1,2]", "["),
        ("layer1.width={a:  3}", "{"),
        ("layer1.width=1.50", "1.50"),
        ("layer1.width=-0x10", "-0x10"),
        ("layer1.width='x y'", "'x y'"),
        ('layer1.width="\\x41"', '"\\x41"'),
        ("layer1.norm.eps=true", "true"),
        ("layer1.width=# none", "layer1.width"),
        ("layer1={block: basic, width:  16, widht: 8}", "widht"),
        ("layer1={block: basic, width: [1,  2]}", "["),
        ("layer1={block: basic, width: 8, conv: {kernel: [5]}}", "kernel"),
        ("layer1.width=[1", ""),
    ],
)
@pytest.mark.parametrize("command", ["check", "summary"])
def test_a_setting_is_quoted_as_it_was_typed(run: Run, good: Path, command: str, setting: str, marked: str) -> None:
    result = run(command, "tiny.yaml", "--set", setting)
    name, said = setting.partition("=")[0], result.stderr.splitlines()
    assert said[0].startswith(f"--set {name}:1:")
    assert said[1] == f"    1 | {setting}".rstrip()
    start = (setting.rindex(marked) if marked != name else 0) if marked else len(setting.partition("#")[0])
    assert said[2] == f"      | {' ' * start}{'^' * max(1, len(marked))}"


def test_a_setting_of_a_block_is_quoted_as_it_was_typed(run: Run) -> None:
    assert "    1 | width=0x10 \n" not in run("block", "basic", "--set", "width=0x10").stderr
    assert "\n    1 | width=~\n      |       ^\n" in run("block", "basic", "--set", "width=~").stderr
    assert (
        "  --set layer1.width=0x10  "
        in run("show", "resnet18", "--why", "layer1.0.conv1.width", "--set", "layer1.width=0x10").stdout
    )


@pytest.mark.parametrize(
    ("words", "option", "message"),
    [
        (
            "render --style volumes --depth layer",
            "--depth",
            "has no effect beside --style volumes, which shows its maps",
        ),
        (
            "render --style volumes --show table",
            "--show",
            "has no effect beside --style volumes, which shows a whole network",
        ),
        ("render --focus layer1 --definition basic", "--focus", "has no effect beside --definition"),
        ("render --focus layer1 --show table", "--show", "has no effect beside --focus"),
        ("render --format dot --width column", "--width", "has no effect beside DOT, which has no layout"),
        ("render -o net.mmd --style volumes", "--style", "has no effect beside Mermaid, which has a layout of its own"),
        ("render --depth deep", "--depth", "'deep' is not one of 'model', 'stage', 'block', 'layer'."),
        ("summary --format xml", "--format", "'xml' is not one of 'table', 'markdown', 'csv', 'json', 'latex'."),
        ("compare --format dot", "--format", "dot is for graphs, and a plot is none: write one of svg, png, pdf, tikz"),
        ("compare -o net.mmd", "-o", "mermaid is for graphs, and a plot is none: write one of svg, png, pdf, tikz"),
        (
            "diff resnet34 -o net.dot",
            "-o",
            "dot is for graphs, and a difference is none: write one of svg, png, pdf, tikz",
        ),
    ],
)
def test_options_that_do_not_go_together_are_named(
    run: Run, tmp_path: Path, words: str, option: str, message: str
) -> None:
    result = run(*words.split(), "resnet18")
    assert result.exit_code == 2
    said = re.sub(r"[\s│]+", " ", result.stderr.partition("Invalid value for ")[2])
    assert said.startswith(f"'{option}': {message} ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["check"],
        ["summary"],
        ["summary", "resnet50", "--depth", "deep"],
        ["summary", "resnet50", "--format", "xml"],
        ["summary", "resnet50", "--set", "classes"],
        ["summary", "resnet50", "--set", "=3"],
        ["summary", "resnet50", "--set", "classes=1\nlayer1: 3"],
        *(
            ["summary", "resnet50", "--input", size]
            for size in ("3x224", "224", "0x1x1", "3x-1x3", "3x9999999999x1", "axbxc")
        ),
        ["render", "resnet50", "-o", "picture.gif"],
        ["render", "resnet50", "-o", "picture"],
        ["build", "resnet50", "--image", "nowhere.png"],
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "") if arguments else (2, result.stdout)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("clases=10", "--set clases:1:1: error[unknown-set]: .*`clases`"),
        ("classes=[1", r"--set classes:1:11: error\[yaml\]: "),
        ("layer3.depth=many", "error"),
        ("layer9.depth=3", "error"),
        ("#=1", "error"),
        ("classes=!!python/object:os.system x", "error"),
    ],
)
def test_a_wrong_setting_is_a_wrong_spec(run: Run, setting: str, message: str) -> None:
    result = run("summary", "resnet50", "--set", setting)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.search(message.replace("error[unknown-set]", r"error\[unknown-set\]"), result.stderr)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("classes=12", "linear 12 "),
        ("classes=1_0", "linear 10 "),
        ("stem.conv1.kernel=[3, 5]", "conv 3×5/2"),
        ("layer1.block=basic", "basic ×3"),
    ],
)
def test_settings_are_read_as_yaml(run: Run, setting: str, said: str) -> None:
    result = run("summary", "resnet50", "--set", setting.removeprefix("stem."))
    assert result.exit_code == 0, result.stderr
    assert said in result.stdout


def test_files_that_cannot_be_read_are_no_tracebacks(run: Run, tmp_path: Path) -> None:
    assert run("check", "x" * 300 + ".yaml").stderr.startswith("error")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "binary.yaml").write_bytes(b"\xff\x00")
    for name in ("loop.yaml", "folder.yaml", "binary.yaml"):
        for command in ("check", "show"):
            if (command, name) != ("show", "binary.yaml"):
                result = run(command, name)
                assert (result.exit_code, result.stdout) == (1, "")
                assert "error" in result.stderr
    assert "help: it is a link that leads nowhere" in run("check", "loop.yaml").stderr


HOSTILE = GOOD.replace("name: tiny", 'name: "\\x1b]0;x\\x07 [red]\\u202e../../etc/x"').replace("layer1", '"a\\x1b[2J"')


@pytest.mark.parametrize("command", ["check", "summary", "show", "render", "export"])
def test_a_spec_cannot_command_the_terminal(run: Run, good: Path, command: str) -> None:
    good.write_text(HOSTILE, "utf-8")
    result = run(command, "tiny.yaml")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", result.output)
    assert all(path.parent == good.parent for path in good.parent.rglob("*"))


def test_every_help_shows_an_example(run: Run) -> None:
    for command in COMMANDS:
        result = run(command, "--help")
        assert result.exit_code == 0
        assert f"Example: archbuilder {command}" in result.stdout
        assert "--set" in result.stdout
        assert result.stdout == run(command, "-h").stdout
    assert all(command in run("--help").stdout for command in COMMANDS)


def test_version(run: Run) -> None:
    from archbuilder import __version__

    assert run("--version").stdout == f"archbuilder {__version__}\n"


class Terminal:
    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    for name, value in {"TERM": "xterm", **environment}.items():
        monkeypatch.setenv(name, value)
    if "NO_COLOR" not in environment:
        monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    reports.complain("no")
    assert terminal.text == ("\033[1;31merror:\033[0m no\n" if coloured else "error: no\n")


def test_terminals_are_spared_control_characters_of_a_shown_text(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archbuilder.cli import facts

    good.write_text(f"# \x1b[2J\u202e\ttab\n{GOOD}", "utf-8")
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    facts.show(str(good))
    assert terminal.text == f"# \\u001b[2J\\u202e\ttab\n{GOOD}"


VARIANTS = """\
name: series
input: {size: 32}
PARAMETERS
defaults: {norm: {eps: 0.1}, DEFAULTS}
stages:
  a: {block: conv, kernel: 3, width: 8, GROUPS}
  b: {block: basic, width: 8}
default: small
variants:
  small: {}
  large: {stages: {a: {width: 16}, b: {depth: 2}}}
  wide: {stages: {b: {width: 32}, c: {block: dropout, rate: 0.5}}}
"""


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        ({"GROUPS": "groups: 7"}, ["`groups` (7) does not divide the 3 channels of the input"]),
        ({"DEFAULTS": "upsample: {factor: 2}"}, ["`factor` of `upsample` has no effect: no use of `upsample` here takes it"]),
        ({"PARAMETERS": "parameters: {idle: 1}"}, ["the parameter `idle` has no effect: nothing uses `$idle`"]),
        ({"PARAMETERS": "blocks: {idle: {body: [norm]}}"}, ["the block `idle` has no effect: nothing uses it"]),
        ({"DEFAULTS": "dropout: {rate: 0.5}"}, ["`rate` of `dropout` has no effect: no use of `dropout` here takes it"]),
        ({"DEFAULTS": "dropout: {rate: 0.5}", ", rate: 0.5": ""}, []),  # one variant uses it
    ],
)  # fmt: skip
def test_what_variants_share_is_said_once(words: dict[str, str], messages: list[str], tmp_path: Path) -> None:
    text = VARIANTS
    for word in ("PARAMETERS", "DEFAULTS", "GROUPS"):
        text = text.replace(word, words.get(word, ""))
    for old, new in words.items():
        text = text.replace(old, new)
    path = tmp_path / "series.yaml"
    path.write_text(text, "utf-8")
    found: list[str] = []
    try:
        check_with_variants(str(path), {}, None)
    except SpecError as error:
        found = [diagnostic.message for diagnostic in error.diagnostics]
    assert found == messages


EXTENDING = """\
name: m
extends: base.yaml
SAID
DEFAULT
variants:
  plain: {stages: {b: {depth: 1}}}
  other: {stages: {OTHER}}
"""
BASE = """\
name: base
input: {size: 32}
parameters: {width: 8}
defaults: {norm: {eps: 0.1}}
blocks:
  mine: {parameters: {width: channels}, body: [{block: conv, kernel: 3, width: $width}]}
stages:
  a: {block: conv, kernel: 3, width: $width}
  b: {block: mine, width: 8}
"""


@pytest.mark.parametrize("default", ["", "default: plain"])
@pytest.mark.parametrize(
    ("said", "other", "idle"),
    [
        ("parameters: {k: 3}", "b: {depth: $k}", "the parameter `k` has no effect: nothing uses `$k`"),
        (
            "defaults: {dropout: {rate: 0.5}}",
            "d: {block: dropout}",
            "`rate` of `dropout` has no effect: no use of `dropout` here takes it",
        ),
        (
            "blocks: {two: {parameters: {width: channels}, body: [{block: conv, kernel: 3, width: $width}]}}",
            "b: {block: two}",
            "the block `two` has no effect: nothing uses it",
        ),
    ],
)
def test_what_a_spec_with_a_base_says_for_its_variants(
    said: str, other: str, idle: str, default: str, tmp_path: Path
) -> None:
    (tmp_path / "base.yaml").write_text(BASE, "utf-8")
    path = tmp_path / "series.yaml"

    def messages(inside: str) -> list[str]:
        text = EXTENDING.replace("SAID", said).replace("DEFAULT", default).replace("OTHER", inside)
        path.write_text(text, "utf-8")
        try:
            check_with_variants(str(path), {}, None)
        except SpecError as error:
            return [diagnostic.message for diagnostic in error.diagnostics]
        return []

    assert messages(other) == []  # one of them speaks of it
    assert messages("") == [idle]
