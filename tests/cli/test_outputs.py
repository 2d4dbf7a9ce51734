"""render, export and build, and how files are written."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import archbuilder
from archbuilder.cli.outputs import RefusedOutputError, write_output

from .conftest import Run

if TYPE_CHECKING:
    from torch import nn

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("suffix", "start"), [("svg", b"<"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("gv", b"digraph")]
)
def test_render_takes_the_format_from_the_name(run: Run, good: Path, suffix: str, start: bytes) -> None:
    result = run("render", "tiny.yaml", "-o", f"out.{suffix}", "--depth", "stage")
    assert (result.exit_code, result.stdout) == (0, f"wrote out.{suffix}\n")
    assert (good.parent / f"out.{suffix}").read_bytes().startswith(start)


def test_render_writes_into_this_folder_and_says_so(run: Run, good: Path) -> None:
    assert run("render", "tiny.yaml").stdout == "wrote tiny.svg\n"
    assert run("render", "tiny.yaml", "--format", "dot").stdout == "wrote tiny.dot\n"
    assert sorted(path.name for path in good.parent.iterdir()) == ["tiny.dot", "tiny.svg", "tiny.yaml"]


def test_a_dash_is_standard_output(run: Run, good: Path) -> None:
    result = run("render", "tiny.yaml", "-o", "-", "--format", "png", "--depth", "stage")
    assert result.stdout_bytes.startswith(b"\x89PNG")
    assert result.stdout_bytes.endswith(b"IEND\xaeB`\x82")
    assert run("render", "tiny.yaml", "-o", "-").stdout_bytes == archbuilder.render(
        archbuilder.lower(good), format="svg"
    )
    assert sorted(path.name for path in good.parent.iterdir()) == ["tiny.yaml"]


def test_render_makes_a_page(run: Run, good: Path) -> None:
    assert run("render", "tiny.yaml", "-o", "out.html").stdout == "wrote out.html\n"
    assert (good.parent / "out.html").read_text("utf-8") == archbuilder.render_page(good)
    assert run("render", "tiny.yaml", "--format", "html").stdout == "wrote tiny.html\n"
    settings = ("--set", "classes=7", "--input", "3x64x64")
    page = run("render", "tiny.yaml", "-o", "-", "--format", "html", *settings).stdout
    assert page == archbuilder.render_page(archbuilder.load(good, classes=7), input=(3, 64, 64))


def test_render_shows_two_specs_on_a_page(run: Run, good: Path) -> None:
    (good.parent / "other.yaml").write_text(good.read_text("utf-8").replace("depth: 2", "depth: 3"), "utf-8")
    assert run("render", "tiny.yaml", "other.yaml", "--format", "html").stdout == "wrote tiny-tiny.html\n"
    page = (good.parent / "tiny-tiny.html").read_text("utf-8")
    assert page == archbuilder.render_page(good, good.parent / "other.yaml")
    for output in ("tiny.yaml", "other.yaml"):
        result = run("render", "tiny.yaml", "other.yaml", "--format", "html", "-o", output)
        assert result.exit_code == 2, result.stdout
    assert "depth: 2" in good.read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tiny.yaml", "-o", "two.svg"], "two specs are shown on a page: end -o in .html"),
        (["--format", "html", "--depth", "block"], "has no effect on a page, whose reader chooses what is seen"),
        (["--format", "html", "--theme", "dark"], "has no effect on a page, whose reader chooses what is seen"),
        (["--format", "html", "-o", "-", "--open"], "there is no file to open: name one with -o"),
    ],
)
def test_what_makes_no_sense_with_a_page_is_said(run: Run, good: Path, arguments: list[str], message: str) -> None:
    result = run("render", "tiny.yaml", *arguments)
    assert (result.exit_code, message in " ".join(result.stderr.replace("│", "").split())) == (2, True), result.stderr
    assert [path.name for path in good.parent.iterdir()] == ["tiny.yaml"]


def test_what_was_written_can_be_opened(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    run("render", "tiny.yaml", "-o", "out.html", "--open")
    run("render", "tiny.yaml", "--open")
    assert opened == [(good.parent / name).resolve().as_uri() for name in ("out.html", "tiny.svg")]


def test_export_writes_the_source(run: Run, good: Path) -> None:
    source = archbuilder.to_source(archbuilder.lower(good))
    assert run("export", "tiny.yaml", "-o", "-").stdout == source
    assert run("export", "tiny.yaml", "-o", "model.py").stdout == "wrote model.py\n"
    assert (good.parent / "model.py").read_text("utf-8") == source
    assert run("export", "tiny.yaml").stdout == "wrote tiny.py\n"


@pytest.mark.parametrize("output", ["tiny.yaml", "./other.yml", "link.svg", "OTHER.YAML", "hard.svg"])
@pytest.mark.parametrize("command", ["render", "export"])
def test_a_spec_is_never_overwritten(run: Run, good: Path, command: str, output: str) -> None:
    for name in ("other.yml", "OTHER.YAML"):
        (good.parent / name).write_text("precious", "utf-8")
    (good.parent / "link.svg").symlink_to("other.yml")
    (good.parent / "hard.svg").hardlink_to(good)
    before = {path.name: path.read_bytes() for path in good.parent.iterdir()}
    result = run(command, "tiny.yaml", "-o", output)
    assert (result.exit_code, result.stdout) == (2, "")
    assert {path.name: path.read_bytes() for path in good.parent.iterdir()} == before


@pytest.mark.parametrize("output", ["nowhere/x.svg", "folder.svg", "tiny.yaml/x.svg"])
def test_what_cannot_be_written_is_no_traceback(run: Run, good: Path, output: str) -> None:
    (good.parent / "folder.svg").mkdir()
    result = run("render", "tiny.yaml", "-o", output, "--depth", "stage")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert not list(good.parent.glob(".archbuilder*"))


@pytest.mark.parametrize("output", ["out/", "out", ".", "new/"])
@pytest.mark.parametrize("command", ["render", "export"])
def test_a_folder_is_no_output(run: Run, good: Path, command: str, output: str) -> None:
    (good.parent / "out").mkdir()
    result = run(command, "tiny.yaml", "-o", output)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: {output} is a folder: give -o the name of a file, as in ")
    assert result.stderr.count("\n") == 1
    assert sorted(path.name for path in good.parent.rglob("*")) == ["out", "tiny.yaml"]


def test_files_are_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.svg"
    write_output(path, b"first")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~current_umask()
    path.chmod(0o640)
    write_output(path, b"second")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"second", 0o640)

    def fail(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write_output(path, b"third")
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_links_stay_links_and_devices_are_written_to(tmp_path: Path) -> None:
    (tmp_path / "link.svg").symlink_to("real.svg")
    write_output(tmp_path / "link.svg", b"x")
    assert (tmp_path / "link.svg").is_symlink()
    assert (tmp_path / "real.svg").read_bytes() == b"x"
    write_output(Path(os.devnull), b"x")
    assert not Path(os.devnull).is_file()


def test_yaml_is_refused_by_the_writer_itself(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    write_output(path, b"a new one may be written")
    with pytest.raises(RefusedOutputError):
        write_output(path, b"x")


def test_build_compares_the_module_with_the_summary(run: Run, good: Path) -> None:
    result = run("build", "tiny.yaml", "--depth", "block")
    assert result.exit_code == 0, result.stderr
    assert "Total params: 2,674" in result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["parameters", "2,674", "2,674", "equal"] in lines
    assert result.stdout.count("equal") == 3
    assert "output 10 for random numbers" in result.stdout
    assert run("build", "tiny.yaml", "--depth", "block").stdout == result.stdout


HEADS = """\
name: heads
input: {channels: 3, size: 16}
stages:
  first: {block: conv_norm_act, width: 8}
  side: {block: conv, from: first, width: 4, kernel: 3}
  plain: {block: conv, from: first, width: 2, kernel: 1, output: training}
  inner: {from: side, body: {pool: global_pool, fc: {block: linear, width: 5}}, output: training}
  on_the_path: {block: conv, from: first, width: 8, kernel: 3, output: training}
  last: {block: conv, from: on_the_path, width: 8, kernel: 3}
head: {pool: global_pool, fc: {block: linear, width: 5}}
"""


def test_build_compares_heads_for_training_by_their_parameters(run: Run) -> None:
    """They are not run, nor is a step that only feeds one; what they store counts."""
    Path("heads.yaml").write_text(HEADS, "utf-8")
    result = run("build", "heads.yaml")
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    stored = (27 * 8 + 2 * 8) + 9 * 8 * 4 + 8 * 2 + (4 * 5 + 5) + 2 * 9 * 8 * 8 + (8 * 5 + 5)
    assert ["parameters", f"{stored:,}", f"{stored:,}", "equal"] in lines
    macs = 16 * 16 * (27 * 8 + 2 * 9 * 8 * 8) + 8 * 5
    assert ["counts", "them", f"{macs:,}", f"{macs:,}", "equal"] in [line[-5:] for line in lines]
    assert result.stdout.count("equal") == 3
    assert "DIFFERENT" not in result.stdout


def test_build_runs_on_a_picture(run: Run, good: Path) -> None:
    picture = REPOSITORY / "examples" / "images" / "still-life.png"
    result = run("build", "tiny.yaml", "--image", picture, "--input", "3x48x32")
    assert result.exit_code == 0, result.stderr
    assert "output 10 for still-life.png" in result.stdout
    assert "top 5  " in result.stdout
    result = run("build", "tiny.yaml", "--image", good)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: cannot read {good}")
    assert "takes 4" in run("build", "tiny.yaml", "--image", picture, "--set", "input.channels=4").stderr


def test_build_says_that_there_is_not_enough_memory(run: Run, good: Path) -> None:
    size = "3x9999999x9999999"  # more than any process can address
    result = run("build", "tiny.yaml", "--input", size)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: there is not enough memory to build tiny and run it on {size.replace('x', '×')}: give a smaller --input\n"
    )


def test_build_says_so_where_it_ends_midway(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archbuilder.pytorch import run as running

    def fail(*arguments: object, **more: object) -> None:
        cause = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes")
        raise RuntimeError("Failed to run torchinfo.") from cause

    monkeypatch.setattr(running.torchinfo, "summary", fail)
    assert "there is not enough memory" in run("build", "tiny.yaml").stderr
    monkeypatch.setattr(running.torchinfo, "summary", lambda *_, **__: 1 / 0)
    assert isinstance(run("build", "tiny.yaml").exception, ZeroDivisionError)


def test_build_fails_where_the_module_differs(run: Run, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch import nn

    from archbuilder.pytorch import run as running

    maker = running.module_maker

    def wider(architecture: archbuilder.Architecture, graph: archbuilder.Graph) -> Callable[[], nn.Module]:
        def make() -> nn.Module:
            module = maker(architecture, graph)()
            module.fc = nn.Linear(8, 11)
            return module

        return make

    monkeypatch.setattr(running, "module_maker", wider)
    result = run("build", "tiny.yaml")
    assert result.exit_code == 1
    assert result.stdout.count("DIFFERENT") == 3
    assert "parameters: expected 2674, got 2683" in result.stderr
    assert "fc: expected 10, got 11" in result.stderr
