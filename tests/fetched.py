"""What slow tests fetch from the npm registry, kept below `build/`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build" / "npm"


def from_npm(*packages: str) -> Path:
    """The folder whose `node_modules` holds some packages, each with its version. Half of a fetch is fetched again."""
    assert shutil.which("node"), "this test needs node and npm"
    assert shutil.which("npm"), "this test needs node and npm"
    folder = FOLDER / "-".join(package.replace("@", "-").replace("/", "-") for package in packages)
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        command = ["npm", "install", "--prefix", part, "--no-audit", "--no-fund", "--no-save", "--ignore-scripts"]
        subprocess.run([*command, *packages], cwd=part, check=True, capture_output=True)
        part.rename(folder)
    return folder
