"""A spec cannot run code. Whoever runs the command can, for one very file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import archbuilder
from archbuilder.cli import app
from tests.plugin.conftest import Load

SPEC = """\
name: net
plugins: [./my_blocks.py]
input: {size: 32}
stages:
  layer1: {block: narrow, width: 8}
"""

PLUGIN = """
import pathlib

pathlib.Path("it_ran.txt").write_text("yes")


class Narrow(BaseModel):
    width: Channels


@block("narrow")
def narrow(build: Builder, x: Value, parameters: Narrow) -> Value:
    return build("conv", x, width=parameters.width, kernel=1)
"""

COMMANDS = (
    ("check", "net.yaml"),
    ("summary", "net.yaml"),
    ("render", "net.yaml", "-o", "net.dot"),
    ("build", "net.yaml"),
    ("export", "net.yaml"),
    ("show", "net.yaml", "--resolved"),
    ("block", "narrow", "--spec", "net.yaml", "--set", "width=8"),
)


@pytest.fixture
def spec(write: Load, tmp_path: Path) -> Path:
    write(PLUGIN)
    path = tmp_path / "net.yaml"
    path.write_text(SPEC, "utf-8")
    return path


def run(*words: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=input)


def ran() -> bool:
    return Path("it_ran.txt").exists()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_runs_what_a_spec_names(words: tuple[str, ...], spec: Path) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "net.yaml:2:11: error[plugin-not-allowed]: this spec asks for the plugin my_blocks.py"
    )
    assert "  help: it runs Python; if you trust it: --plugin my_blocks.py" in result.stderr
    assert result.stderr.count("error[") == 1
    assert not ran()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_every_command_can_allow_it(words: tuple[str, ...], spec: Path) -> None:
    result = run(*words, "--plugin", "my_blocks.py")
    assert (result.exit_code, result.stderr) == (0, "")
    assert ran()


@pytest.mark.parametrize("text", [SPEC, SPEC.replace("[./my_blocks.py]", "my_blocks.py")])
def test_python_must_allow_it_too(text: str, write: Load) -> None:
    write(PLUGIN)
    for call in (archbuilder.check, archbuilder.build):
        Path("net.yaml").write_text(text, "utf-8")
        with pytest.raises(archbuilder.SpecError, match="plugin-not-allowed"):
            call("net.yaml")
    with pytest.raises(archbuilder.SpecError, match="plugin-not-allowed"):
        archbuilder.lower(archbuilder.load("net.yaml"))
    assert not ran()
    archbuilder.load_plugin("my_blocks.py")
    assert ran()
    assert archbuilder.check("net.yaml").summary.parameters == 24


def test_another_file_of_the_same_name_is_not_meant(spec: Path, write: Load) -> None:
    write(PLUGIN, "other/my_blocks.py")
    archbuilder.load_plugin("other/my_blocks.py")
    with pytest.raises(archbuilder.SpecError, match="plugin-not-allowed"):
        archbuilder.check(spec)


def test_a_link_to_the_file_is_the_file(spec: Path) -> None:
    Path("link.yaml").write_text(SPEC.replace("./my_blocks.py", "./linked.py"), "utf-8")
    Path("linked.py").symlink_to("my_blocks.py")
    archbuilder.load_plugin("my_blocks.py")
    archbuilder.check("link.yaml")


def test_paths_are_seen_from_the_spec_that_names_them(write: Load) -> None:
    write(PLUGIN, "base/my_blocks.py")
    write("", "more.py")
    Path("base/net.yaml").write_text(SPEC, "utf-8")
    Path("wide.yaml").write_text(
        "name: wide\nextends: base/net.yaml\nplugins: [more.py]\nstages: {layer1: {width: 16}}\n", "utf-8"
    )
    result = run("check", "wide.yaml")
    assert [line.partition(": error")[0] for line in result.stderr.splitlines() if "error[" in line] == [
        "base/net.yaml:2:11",
        "wide.yaml:3:11",
    ]
    assert "--plugin base/my_blocks.py" in result.stderr
    assert run("check", "wide.yaml", "--plugin", "base/my_blocks.py", "--plugin", "more.py").exit_code == 0


def test_a_text_names_files_as_seen_from_here(spec: Path) -> None:
    assert run("check", "-", input=SPEC).exit_code == 1
    assert run("check", "-", "--plugin", "my_blocks.py", input=SPEC).exit_code == 0


def test_a_plugin_need_not_be_named_by_the_spec(spec: Path) -> None:
    spec.write_text(SPEC.replace("plugins: [./my_blocks.py]\n", ""), "utf-8")
    assert run("check", "net.yaml", "--plugin", "my_blocks.py").exit_code == 0


def test_the_rest_of_a_spec_is_checked_all_the_same(spec: Path) -> None:
    spec.write_text(
        SPEC + "  layer2: {block: conv, width: wide, kernel: 3}\n  layer3: {block: basic, from: layr}\n", "utf-8"
    )
    result = run("check", "net.yaml")
    assert "error[plugin-not-allowed]" in result.stderr
    assert "error[bad-value]: `width` must be a number of channels" in result.stderr
    assert "narrow" not in result.stderr


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[./absent.py]", "error[unknown-file]: there is no plugin absent.py"),
        ('["a\\0b.py"]', "error["),
        ("[]", "error[bad-value]"),
        ("[3]", "error[bad-value]"),
        ("{a: b}", "error[bad-value]"),
        ("$(1)", "error[bad-value]"),
        ("['x; rm -r y.py']", "error[unknown-file]: there is no plugin 'x; rm -r y.py'"),
    ],
)
def test_what_is_no_plugin_is_said(written: str, message: str, spec: Path) -> None:
    spec.write_text(SPEC.replace("[./my_blocks.py]", written), "utf-8")
    result = run("check", "net.yaml")
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("absent.py", None, "error[unknown-file]: there is no plugin absent.py"),
        ("notes.txt", "", "notes.txt:1:1: error[bad-plugin]: a plugin is a file of Python"),
        ("my-blocks.py", "", "my-blocks.py:1:1: error[bad-plugin]: a plugin is a file of Python"),
        ("colorsys.py", "", "colorsys.py:1:1: error[bad-plugin]: another module is called `colorsys` already"),
        (
            "broken.py",
            "x = 1\ndef f(:\n",
            "broken.py:2:1: error[bad-plugin]: this plugin cannot be loaded: SyntaxError",
        ),
        (
            "broken.py",
            "import nowhere\n",
            "broken.py:1:1: error[bad-plugin]: this plugin cannot be loaded: ModuleNotFoundError",
        ),
        (
            "broken.py",
            "def f():\n    1 / 0\n\nf()\n",
            "broken.py:2:5: error[bad-plugin]: this plugin cannot be loaded: Zero",
        ),
        (
            "broken.py",
            "raise SystemExit\n",
            "broken.py:1:1: error[bad-plugin]: this plugin cannot be loaded: SystemExit",
        ),
        (
            "broken.py",
            "raise GeneratorExit\n",
            "broken.py:1:1: error[bad-plugin]: this plugin cannot be loaded: GeneratorExit",
        ),
    ],
)
def test_a_file_that_cannot_be_loaded_is_said(name: str, text: str | None, message: str, spec: Path) -> None:
    if text is not None:
        Path(name).write_text(text, "utf-8")
    result = run("check", "net.yaml", "--plugin", name)
    assert (result.exit_code, result.stderr[: len(message)]) == (1, message)
    assert "Traceback" not in result.output


def test_a_plugin_that_failed_has_defined_nothing(write: Load) -> None:
    path = write(PLUGIN + "\n1 / 0\n")
    with pytest.raises(archbuilder.SpecError):
        archbuilder.load_plugin(path)
    with pytest.raises(archbuilder.SpecError, match="there is no block `narrow`"):
        archbuilder.check("net.yaml", text=SPEC.replace("plugins: [./my_blocks.py]\n", ""))


def test_a_changed_plugin_is_loaded_anew_an_equal_one_is_not(load: Load) -> None:
    path = load(PLUGIN)
    Path("it_ran.txt").unlink()
    archbuilder.load_plugin(path)
    assert not ran()
    load(PLUGIN.replace("kernel=1", "kernel=3"))
    assert archbuilder.check("net.yaml", text=SPEC).summary.parameters == 9 * 24


def test_a_resolved_spec_still_names_its_plugins(load: Load, tmp_path: Path) -> None:
    load(PLUGIN)
    Path("net.yaml").write_text(SPEC, "utf-8")
    text = archbuilder.dump(archbuilder.load("net.yaml"))
    assert str(tmp_path / "my_blocks.py") in text
    archbuilder.check("again.yaml", text=text)
