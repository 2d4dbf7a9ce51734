"""What needs no torch works in a browser: Pyodide's Python, under node, makes of the zoo's networks what this one makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any

import pytest

from tests.fetched import from_npm

pytestmark = pytest.mark.slow  # fetches Pyodide, once (14 MB), and starts it

REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PYODIDE = "314.0.7"
"""The version of npm's `pyodide`: the Python is that of its first number."""
COMPILED = "pydantic_core"
"""The one package that is no Python, and has a wheel for Pyodide on PyPI; in the version that is installed here."""
PURE = ("annotated-types", "graphviz", "pydantic", "pyyaml", "typing-extensions", "typing-inspection")
"""What else archbuilder needs without its command, for drawings that are text: Python alone, and taken from here."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def fetch_compiled(pyodide: Path, folder: Path) -> None:
    """Puts the wheel of what is compiled for a Pyodide into a folder."""
    about = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"]
    platform = f"pyemscripten_{about['abi_version']}_{about['arch']}"
    release = about["python"].rpartition(".")[0]
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps")
    target = ("--platform", platform, "--python-version", release, "--implementation", "cp", "--only-binary", ":all:")
    run(*pip, *target, "--dest", folder, f"{COMPILED}=={version(COMPILED)}", cwd=folder)


def pack(archive: Path) -> None:
    """Writes what is Python alone of the packages that are installed here."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in PURE:
            for file in distribution(name).files or ():
                if file.suffix == ".py":
                    packed.write(file.locate(), file.as_posix())


def products_there(folder: Path) -> dict[str, Any]:
    """What Pyodide's Python makes, with the wheel that users install."""
    pyodide = from_npm(f"pyodide@{PYODIDE}") / "node_modules" / "pyodide"
    fetch_compiled(pyodide, folder)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, REPO, cwd=folder)
    pack(folder / "pure.zip")
    program = (HERE / "browser.mjs", pyodide, HERE / "products.py", folder / "pure.zip")
    return json.loads(run("node", *program, *folder.glob("*.whl"), cwd=folder))


def test_a_browser_makes_what_is_made_here(tmp_path: Path) -> None:
    here = json.loads(run(sys.executable, HERE / "products.py", cwd=tmp_path, PYTHONPATH=str(REPO)))
    there = products_there(tmp_path)
    assert (here["platform"], there["platform"]) == (sys.platform, "emscripten")
    assert not there["torch"]
    assert here["products"].keys() == there["products"].keys()
    assert len(here["products"]) == 12  # ten of the zoo, one of a text, and a text that is wrong
    for network, made in here["products"].items():
        for product, text in made.items():
            assert there["products"][network][product] == text, (network, product)
            assert text, (network, product)


def test_nothing_hangs_on_the_hashes_of_texts(tmp_path: Path) -> None:
    """Which differ from one start of Python to the next."""
    first, second = (
        run(sys.executable, HERE / "products.py", cwd=tmp_path, PYTHONPATH=str(REPO), PYTHONHASHSEED=seed)
        for seed in "12"
    )
    assert first == second
