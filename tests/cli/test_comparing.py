"""diff, as a function of its arguments, and as the command of git's diff driver."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import GOOD, Run

DEEPER = GOOD.replace("depth: 2", "depth: 3")
TEXT = """\
tiny.yaml -> deeper.yaml

stage layer1: depth 2 -> 3, +1.18 K parameters, +1.18 M MACs

             tiny.yaml  deeper.yaml
layers               6            8       +2
parameters      2.67 K       3.86 K  +1.18 K
MACs            2.58 M       3.76 M  +1.18 M
activations     41.0 K       57.4 K  +16.4 K

27 of the 27 keys of a checkpoint of tiny.yaml fit deeper.yaml
  only in deeper.yaml (12): layer1.2.*
"""


@pytest.fixture
def deeper(tmp_path: Path, good: Path) -> Path:
    path = tmp_path / "deeper.yaml"
    path.write_text(DEEPER, "utf-8")
    return path


def test_diff_says_what_differs(run: Run, deeper: Path) -> None:
    result = run("diff", "tiny.yaml", "deeper.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == TEXT


def test_diff_as_json(run: Run, deeper: Path) -> None:
    data = json.loads(run("diff", "tiny.yaml", "deeper.yaml", "--format", "json").stdout)
    assert (data["a"]["name"], data["b"]["name"], data["same"]) == ("tiny.yaml", "deeper.yaml", False)
    assert [change["text"] for change in data["changes"]] == ["depth 2 -> 3"]
    assert data["keys"]["only_in_b"] == [{"keys": "layer1.2.*", "count": 12}]


def test_diff_as_markdown(run: Run, deeper: Path) -> None:
    lines = run("diff", "tiny.yaml", "deeper.yaml", "--format", "markdown").stdout.splitlines()
    assert lines[:3] == [
        "**tiny.yaml -\\> deeper.yaml**",
        "",
        "- stage layer1: depth 2 -\\> 3, +1.18 K parameters, +1.18 M MACs",
    ]
    assert "| parameters | 2.67 K | 3.86 K | +1.18 K |" in lines


def test_diff_of_a_network_and_of_it_with_values_set(run: Run) -> None:
    result = run("diff", "resnet50", "resnet50", "--set", "classes=10")
    assert result.stdout == "resnet50 -> resnet50: no difference\n"
    assert run("diff", "-", "resnet18", input=GOOD).stdout.startswith("tiny -> resnet18\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("tiny.yaml", "tiny.yaml"), 0), (("tiny.yaml", "deeper.yaml"), 1), (("tiny.yaml", "no.yaml"), 2)],
)
def test_the_exit_code_says_whether_they_differ(run: Run, deeper: Path, arguments: tuple[str, str], code: int) -> None:
    assert run("diff", *arguments, "--exit-code").exit_code == code


def test_without_it_only_what_is_wrong_fails(run: Run, deeper: Path, bad: Path) -> None:
    assert run("diff", "tiny.yaml", "deeper.yaml").exit_code == 0
    result = run("diff", "tiny.yaml", "bad.yaml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "`basik`" in result.stderr


@pytest.mark.parametrize("count", [1, 3, 8])
def test_two_are_compared(run: Run, good: Path, count: int) -> None:
    result = run("diff", *["tiny.yaml"] * count)
    assert result.exit_code == 2
    assert f"expected two specs, got {count}" in result.stderr


NAME = "<script>alert(1)</script> | `*_[x](y) \\\\\\\\input{/etc/passwd} \\u202e"


@pytest.mark.parametrize("format", ["text", "markdown", "json"])
def test_names_stay_text(run: Run, tmp_path: Path, format: str) -> None:
    (tmp_path / "odd.yaml").write_text(GOOD.replace("name: tiny", f'name: "{NAME}{"x" * 10_000}"'), "utf-8")
    output = run("diff", "odd.yaml", "resnet18", "--format", format).stdout
    assert "\u202e" not in output
    assert "\x1b" not in output
    if format == "json":
        assert json.loads(output)["a"]["name"].startswith("<script>")
    else:
        assert max(map(len, output.splitlines())) < 500
    if format == "markdown":
        assert "<script>" not in output
        assert "| `" not in output


# ---- git -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose YAML files are compared by archbuilder."""
    if shutil.which("git") is None:  # pragma: no cover -- wherever this is tested there is a repository
        pytest.fail("git is needed")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "diff.archbuilder.command", f"{sys.executable} -m archbuilder diff")
    (tmp_path / ".gitattributes").write_text("*.yaml diff=archbuilder\n", "utf-8")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "base.yaml").write_text(GOOD, "utf-8")
    (tmp_path / "specs" / "net.yaml").write_text("name: net\nextends: base.yaml\n", "utf-8")
    (tmp_path / "specs" / "old.yaml").write_text(GOOD, "utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    found = {
        **os.environ,
        **identity,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_PAGER": "cat",
    }
    found["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=found, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def test_git_shows_what_differs(repository: Path) -> None:
    (repository / "specs" / "net.yaml").write_text(
        "name: net\nextends: base.yaml\nstages: {layer1: {depth: 3}}\n", "utf-8"
    )
    (repository / "specs" / "old.yaml").unlink()
    (repository / "specs" / "new.yaml").write_text(GOOD.replace("width: 8, depth", "width: 24, depth"), "utf-8")
    git(repository, "add", "-N", "specs/new.yaml")
    output = git(repository, "diff", "--no-renames")
    assert "\nstage layer1: depth 2 -> 3, +1.18 K parameters, +1.18 M MACs\n" in f"\n{output}"
    assert "net -> net" not in output
    assert "specs/new.yaml: added, tiny: 6 layers" in output
    assert "specs/old.yaml: removed, tiny: 6 layers" in output


def test_git_shows_each_variant_that_differs(repository: Path) -> None:
    series = (
        GOOD
        + "default: a\nvariants:\n  a: {}\n  b: {stages: {layer1: {depth: 3}}}\n  c: {stages: {layer1: {depth: 4}}}\n"
    )
    path = repository / "specs" / "series.yaml"
    path.write_text(series, "utf-8")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "series")
    changed = series.replace("depth: 3", "depth: 5").replace(
        "  c: {stages: {layer1: {depth: 4}}}", "  d: {stages: {layer1: {depth: 4}}}"
    )
    path.write_text(changed, "utf-8")
    told = [line for line in git(repository, "diff").splitlines() if "specs/" in line or line.startswith("stage")]
    assert "stage layer1: depth 3 -> 5, +2.37 K parameters, +2.36 M MACs" in told
    assert any(line.startswith("specs/series.yaml") and "#b" in line for line in told)
    assert any("#c: removed" in line for line in told)
    assert any("#d: added" in line for line in told)


def test_git_goes_on_after_a_spec_that_is_wrong(repository: Path) -> None:
    (repository / "specs" / "base.yaml").write_text(GOOD.replace("basic", "basik"), "utf-8")
    (repository / "specs" / "old.yaml").write_text(DEEPER, "utf-8")
    assert "stage layer1: depth 2 -> 3" in git(repository, "diff")


def test_git_shows_a_file_that_was_renamed(repository: Path) -> None:
    (repository / "specs" / "old.yaml").rename(repository / "specs" / "renamed.yaml")
    (repository / "specs" / "renamed.yaml").write_text(DEEPER, "utf-8")
    git(repository, "add", ".")
    output = git(repository, "diff", "--cached", "-M")
    assert "stage layer1: depth 2 -> 3" in output
    assert "specs/renamed.yaml" in output


# ---- compare -------------------------------------------------------------------------------------------------------------


def test_compare_plots_networks(run: Run, good: Path) -> None:
    result = run("compare", "tiny.yaml", "resnet18")
    assert (result.exit_code, result.stdout) == (0, "wrote compared.svg\n")
    assert 'data-network="resnet18"' in Path("compared.svg").read_text("utf-8")
    assert run("compare", "tiny.yaml", "resnet18", "-o", "plot.pdf").exit_code == 0
    assert Path("plot.pdf").read_bytes().startswith(b"%PDF")


def test_compare_writes_over_no_spec(run: Run, good: Path) -> None:
    for arguments in (("resnet18", "tiny.yaml", "-o", "tiny.yaml"), ("resnet18", "-o", "plot.dot")):
        assert run("compare", *arguments).exit_code != 0
    assert good.read_text("utf-8") == GOOD


def test_diff_draws_both(run: Run, deeper: Path) -> None:
    result = run("diff", "tiny.yaml", "deeper.yaml", "-o", "both.svg", "--theme", "dark")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "wrote both.svg")
    assert Path("both.svg").read_text("utf-8").count('data-mark="changed"') == 2
    assert run("diff", "tiny.yaml", "deeper.yaml", "-o", "deeper.yaml").exit_code == 2
    assert deeper.read_text("utf-8") == DEEPER
    told = run("diff", "tiny.yaml", "deeper.yaml", "-o", "both.svg", "--format", "json").stdout
    assert json.loads(told)["same"] is False
