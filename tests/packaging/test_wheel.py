"""The zoo and the blocks are found wherever archbuilder runs from: a wheel, a checkout, an editable install."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPO = Path(__file__).resolve().parents[2]
SUMMARY = ("-m", "archbuilder", "summary", "resnet50")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command from `cwd` with nothing of this checkout on its path; return what it printed."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, cwd=cwd, env=inherited | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def fresh_environment(folder: Path) -> Path:
    """Make a virtual environment that borrows this one's dependencies, but not its archbuilder; return its python."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    purelib = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # A path named in a .pth file is importable, but its own .pth files (this environment's editable install) are
    # not read.
    purelib.joinpath("borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def install(python: Path, *what: str | Path) -> None:
    """Install a package into the environment of `python`, and nothing besides."""
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install")
    run(*pip, "--quiet", "--no-deps", "--no-build-isolation", "--ignore-installed", *what, cwd=python.parent)


def where(python: Path, cwd: Path) -> Path:
    """Return the folder that archbuilder is imported from."""
    code = "import archbuilder, pathlib; print(pathlib.Path(archbuilder.__file__).resolve().parent)"
    return Path(run(python, "-c", code, cwd=cwd).strip())


def files(folder: str, *patterns: str) -> set[str]:
    """Return the paths under a folder of the checkout that match, relative to the checkout."""
    return {path.relative_to(REPO).as_posix() for pattern in patterns for path in REPO.joinpath(folder).rglob(pattern)}


def test_wheel_holds_zoo_and_blocks_and_works_from_any_folder(tmp_path: Path) -> None:
    # Without a flag `build` makes the sdist, and the wheel from it: what the wheel holds, the sdist held.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path / "dist", REPO, cwd=tmp_path)
    (wheel,) = tmp_path.glob("dist/archbuilder_torch-*-py3-none-any.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    zoo = {f"archbuilder/{path}" for path in files("specs", "*.yaml")}
    package = files("archbuilder", "*.py", "*.yaml", "py.typed", "*.ttf", "*.widths", "LICENSE")
    assert "archbuilder/specs/resnet/resnet.yaml" in zoo, "the zoo has moved: this test looks in the wrong place"
    assert any(path.startswith("archbuilder/blocks/") and path.endswith(".yaml") for path in package)
    assert "archbuilder/py.typed" in package
    assert "archbuilder/draw/font/LiberationSans-Bold.ttf" in package
    assert zoo | package <= held
    assert {path.split("/")[0] for path in held} == {"archbuilder", wheel.name.rsplit("-", 3)[0] + ".dist-info"}

    python = fresh_environment(tmp_path / "venv")
    install(python, wheel)
    assert not where(python, tmp_path).is_relative_to(REPO)
    assert "resnet50" in run(python, *SUMMARY, cwd=tmp_path)
    assert "resnet50" in run(python.with_name("archbuilder"), "list", cwd=tmp_path)


def test_checkout_works_from_any_folder(tmp_path: Path) -> None:
    assert "resnet50" in run(sys.executable, *SUMMARY, cwd=tmp_path, PYTHONPATH=str(REPO))


def test_editable_install_works_from_any_folder(tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "venv")
    install(python, "--editable", REPO)
    assert where(python, tmp_path) == REPO / "archbuilder"
    assert "resnet50" in run(python, *SUMMARY, cwd=tmp_path)
    assert "resnet50" in run(python.with_name("archbuilder"), "list", cwd=tmp_path)
