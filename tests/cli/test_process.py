"""The command as a process: streams, pipes, signals, and what it must not import."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import BAD, GOOD

REPOSITORY = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "archbuilder"]


def environment(**more: str) -> dict[str, str]:
    left_out = ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "COLUMNS")
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm", **more}


def archbuilder(
    *arguments: str, cwd: Path, input: bytes | None = None, **more: str
) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(**more), input=input, capture_output=True, check=False)


def test_streams_and_exit_codes(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, "utf-8")
    good = archbuilder("check", "-", cwd=tmp_path, input=GOOD.encode())
    assert (good.returncode, good.stderr) == (0, b"")
    assert "8×32×32".encode() in good.stdout
    bad = archbuilder("check", "bad.yaml", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert bad.stderr.startswith(b"bad.yaml:3:19: error[unknown-block]: ")
    assert b"Traceback" not in bad.stderr
    wrong = archbuilder("check", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, b"")


def test_poor_encodings_are_no_tracebacks(tmp_path: Path) -> None:
    result = archbuilder("summary", "-", cwd=tmp_path, input=GOOD.encode(), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"8?32?32" in result.stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_empty_ones(tmp_path: Path, closed: str) -> None:
    command = f"{sys.executable} -m archbuilder check - {closed}"
    process = subprocess.run(
        command,
        shell=True,
        cwd=tmp_path,
        env=environment(),
        input=GOOD.encode(),
        capture_output=True,
        check=False,
    )
    assert process.returncode == (1 if "<" in closed else 0)
    assert b"Traceback" not in process.stderr


def with_pipe(arguments: str, text: str, cwd: Path) -> tuple[subprocess.CompletedProcess[bytes], str]:
    """The command with a pipe in the place of `{}`, as a shell's `<(...)` makes it, and the pipe's path."""
    if not Path("/dev/fd").is_dir():
        pytest.skip("needs paths of open files")
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    path = f"/dev/fd/{reading}"
    command = [*COMMAND, *arguments.format(path).split()]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, pass_fds=[reading], check=False)
    os.close(reading)
    return done, path


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ("check {}", "name    block"),
        ("summary {} --format csv", "path,level,"),
        ("show {}", "name: tiny"),
        ("show {} --why layer1.width", "layer1.width is 8"),
        ("block basic --set width=4 --spec {}", "basic   input"),
    ],
)
def test_a_pipe_is_read_as_a_file(tmp_path: Path, arguments: str, start: str) -> None:
    done, _ = with_pipe(arguments, GOOD, tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(start)


def test_variants_in_a_pipe(tmp_path: Path) -> None:
    text = GOOD + "default: a\nvariants: {a: {}, b: {stages: {layer1: {depth: 3}}}}\n"
    done, path = with_pipe("check {}", text, tmp_path)
    assert [line.partition(":")[0] for line in done.stdout.decode().splitlines()[-2:]] == [path, f"{path}#b"]
    done, _ = with_pipe("summary {}#b --format csv", text, tmp_path)
    assert done.stdout.splitlines()[2].startswith(b"layer1,0,basic,3,")


def test_what_is_wrong_in_a_pipe_has_its_place(tmp_path: Path) -> None:
    done, path = with_pipe("check {}", BAD, tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(f"{path}:3:19: error[unknown-block]: ")


def in_terminal(*arguments: str, cwd: Path, **more: str) -> str:
    """What the command writes to a terminal of 80 columns."""
    pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")
    import fcntl
    import struct
    import termios

    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen([*COMMAND, *arguments], cwd=cwd, env=environment(**more), stdout=side, stderr=side)
    os.close(side)
    text = b""
    try:
        while chunk := os.read(main, 65536):
            text += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(main)
    process.wait()
    return text.decode().replace("\r\n", "\n")


def test_terminals_get_colour_and_a_table_that_fits(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, "utf-8")
    shown = in_terminal("summary", "resnet50", cwd=tmp_path)
    plain = in_terminal("summary", "resnet50", cwd=tmp_path, NO_COLOR="1")
    assert "\033[" in shown
    assert "\033" not in plain
    assert plain == (REPOSITORY / "tests/analysis/golden/resnet50-stage-80.txt").read_text("utf-8")
    assert "\033[1;31merror[unknown-block]:\033[0m" in in_terminal("check", "bad.yaml", cwd=tmp_path)
    assert "\033" not in in_terminal("check", "bad.yaml", cwd=tmp_path, NO_COLOR="1")


HELP_AND_USAGE = [["--help"], ["check", "--help"], ["check"], ["chekc"], ["summary", "resnet50", "--depth", "deep"]]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", HELP_AND_USAGE, ids=" ".join)
def test_help_and_usage_have_colour_where_all_else_has_it(tmp_path: Path, arguments: list[str]) -> None:
    forced = {"FORCE_COLOR": "1", "GITHUB_ACTIONS": "1", "PY_COLORS": "1", "TTY_COMPATIBLE": "1"}
    piped = archbuilder(*arguments, cwd=tmp_path, **forced)
    assert b"\033" not in piped.stdout + piped.stderr
    assert b"archbuilder" in piped.stdout + piped.stderr
    assert "\033" not in in_terminal(*arguments, cwd=tmp_path, NO_COLOR="1")
    assert "\033" not in in_terminal(*arguments, cwd=tmp_path, NO_COLOR="1", **forced)
    assert "\033[" in in_terminal(*arguments, cwd=tmp_path)


def test_a_reader_that_leaves_is_no_trouble(tmp_path: Path) -> None:
    for arguments in (["summary", "cifar_resnet110", "--depth", "layer"], ["show", "resnet50"], ["--help"]):
        process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait() != 0
        assert errors == b"", arguments


def test_an_interrupt_is_quiet(tmp_path: Path) -> None:
    # Where this runs in the background, an interrupt is ignored, and a process passes that on.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{listen}; from archbuilder.cli import main; print('ready', flush=True); main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "check", "-"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)  # by now it waits for its standard input
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert (process.returncode, output, errors) == (130, b"", b"")


EARLY = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
sys.argv[0] = "archbuilder"
from archbuilder.cli import main
print("not reached")
"""


@pytest.mark.parametrize("module", ["archbuilder.analysis", "pydantic", "yaml", "archbuilder.cli", "typer"])
def test_an_interrupt_while_it_starts_is_quiet(tmp_path: Path, module: str) -> None:
    command = [sys.executable, "-c", EARLY.format(module=module)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_who_imports_the_package_keeps_what_interrupts_do(tmp_path: Path) -> None:
    code = "import signal, archbuilder; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{listen}; {code}"]
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True)


@pytest.mark.parametrize("arguments", ["", "--help", "check --help", "--version", "check resnet18", "list --blocks"])
def test_a_full_disk_is_an_error(tmp_path: Path, arguments: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    command = f"{sys.executable} -m archbuilder {arguments} > /dev/full"
    done = subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


@pytest.mark.parametrize("size", ["99999999999999999999", "-5", "0", "abc", "", "\u0665"])
def test_odd_sizes_of_a_terminal(tmp_path: Path, size: str) -> None:
    done = archbuilder("check", "--help", cwd=tmp_path, COLUMNS=size, LINES=size, TERMINAL_WIDTH=size)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"--quiet" in done.stdout


@pytest.mark.parametrize("name", ["loop.svg", f"{'a' * 300}.svg", f"{'a' * 5000}.svg"])
@pytest.mark.parametrize("command", ["render", "export"])
def test_files_that_there_cannot_be(tmp_path: Path, command: str, name: str) -> None:
    (tmp_path / "loop.svg").symlink_to("loop.svg")
    done = archbuilder(command, "resnet18", "-o", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: ")
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "loop.svg").is_symlink()


@pytest.mark.parametrize("plugin", ["loop.py", f"{'a' * 300}.py", "folder.py"])
def test_plugins_that_there_cannot_be(tmp_path: Path, plugin: str) -> None:
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "folder.py").mkdir()
    done = archbuilder("check", "resnet18", "--plugin", plugin, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error[unknown-file]: there is no plugin ")


ONE_AFTER_THE_OTHER = """
import sys
from archbuilder.cli import main
for words in {commands}:
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        assert end.code in (1, 2), words
    else:
        raise AssertionError(words)
"""


def refused(*commands: list[str], cwd: Path) -> str:
    """What is said of commands that must end with an error, all run in one new process, since each takes half a second."""
    code = ONE_AFTER_THE_OTHER.format(commands=commands)
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment(), capture_output=True, check=False)
    errors = done.stderr.decode()
    assert (done.returncode, done.stdout) == (0, b""), errors
    assert "Traceback" not in errors
    return errors


def test_a_setting_of_a_long_path(tmp_path: Path) -> None:
    starts = ["", "classes.", "defaults.", "stages.layer1.", "layer1.", "blocks."]
    errors = refused(*(["check", "resnet18", "--set", f"{start}{'a.' * 5000}a=1"] for start in starts), cwd=tmp_path)
    assert errors.count("error[too-deep]: a path has at most 40 names\n") == len(starts)


def test_nothing_that_is_given_commands_the_terminal(tmp_path: Path) -> None:
    red = "\033[31m"
    errors = refused(
        [red], ["check", f"{red}x"], ["check", f"--{red}"], ["check", "resnet18", "--set", f"{red}=1"],
        ["check", "resnet18", "--set", red], ["check", "resnet18", "--input", red],
        ["check", "resnet18", "--plugin", f"{red}.py"], ["show", f"{red}x"], ["show", "resnet18", "--why", f"{red}.x"],
        ["summary", "resnet18", "--depth", red], ["render", "resnet18", "-o", red], ["block", red],
        ["block", "basic", "--spec", red], ["build", "resnet18", "--image", red],
        cwd=tmp_path,
    )  # fmt: skip
    assert errors.count("[31m") >= 14
    assert "\033" not in errors


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; {sys.executable} -m archbuilder check ./net.yaml"
    done = subprocess.run(command, shell=True, cwd=gone, env=environment(), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


WATCHED = """
import sys
from archbuilder.cli import app

asked = set()

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            asked.add(name)
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
for arguments in {commands}:
    try:
        app(arguments)
    except SystemExit as end:
        assert end.code == 0, (arguments, end.code)
print("imported:", sorted(asked | {{"torch", "torchinfo", "torchvision", "safetensors"}} & set(sys.modules)))
"""
WITHOUT_TORCH = [
    ["check", "resnet50"],
    *(["summary", "resnet50", "--format", kind] for kind in ("table", "markdown", "csv", "json")),
    *(
        ["render", "resnet18", "--depth", "stage", "-o", f"x.{kind}"]
        for kind in ("svg", "pdf", "png", "tex", "mmd", "dot")
    ),
    ["render", "hrnet_w18_small", "--style", "volumes", "-o", "x.svg"],
    ["render", "resnet18", "--focus", "layer3", "--depth", "layer", "-o", "x.svg"],
    ["export", "resnet18", "-o", "model.py"],
    ["list"],
    ["show", "resnet50"],
    ["show", "resnet50", "--resolved"],
    ["build", "--help"],
]


def watched(commands: list[list[str]], cwd: Path, blocked: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    code = WATCHED.format(blocked=blocked, commands=commands)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False)


def test_only_build_imports_torch_and_all_else_works_without(tmp_path: Path) -> None:
    blocked = ("torch", "torchinfo", "torchvision", "safetensors")
    result = watched(WITHOUT_TORCH, tmp_path, blocked)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("imported: []\n")
    result = watched([["build", "resnet18"]], tmp_path, blocked)
    assert "(['build', 'resnet18'], 1)" in result.stderr
    assert result.stderr.startswith('error: building needs PyTorch: pip install "archbuilder-torch[torch]"\n')
    assert result.stdout == ""


def test_an_import_of_torch_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(GOOD, "utf-8")
    result = watched([["build", "tiny.yaml"]], tmp_path)
    assert result.returncode == 0, result.stderr
    assert "'torch'" in result.stdout.splitlines()[-1]
