"""Pages in a real Chromium: what they do when somebody walks through them."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import archbuilder
from archbuilder.page.file import SCRIPT, STYLE
from archbuilder.page.picture import paths, place
from tests.fetched import from_npm
from tests.page.reading import read

pytestmark = pytest.mark.slow  # fetches what drives a browser, once, and starts one for each test

REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PACKAGES = ("playwright-core@1.65.1", "axe-core@4.14.1")
QUIET = ("--no-audit", "--no-fund", "--ignore-scripts")
HOSTILE = "<script>window.ran = 1</script>\"'><img src=x onerror='window.ran=1'> \u202eabc\u2066 " + "x" * 10_000


@cache
def chromium() -> str:
    """The Chromium of this machine."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "this test needs Chromium: apt-get install chromium"
    return found


def walk(scenario: str, page: Path, *more: Path) -> str:
    """What a scenario says."""
    done = subprocess.run(
        ["node", HERE / "browser.mjs", from_npm(*PACKAGES), scenario, page, *more],
        env=os.environ | {"CHROMIUM": chromium()}, capture_output=True, text=True, encoding="utf-8", check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@cache
def text_of(*specs: str) -> str:
    return archbuilder.render_page(*specs)


def written(folder: Path, *specs: str) -> Path:
    file = folder / f"{'-'.join(specs)}.html"
    file.write_text(text_of(*specs), "utf-8")
    return file


@pytest.mark.parametrize("scenario", ["fold", "search", "look", "colours", "phone", "accessible", "policy", "plain"])
def test_it_can_be_walked_through(scenario: str, tmp_path: Path) -> None:
    walk(scenario, written(tmp_path, "resnet50"))


def test_keys_reach_every_step(tmp_path: Path) -> None:
    walk("keys", written(tmp_path, "resnet18"))


def test_two_networks_are_side_by_side(tmp_path: Path) -> None:
    page = written(tmp_path, "resnet50", "resnet50d")
    walk("compare", page)
    walk("accessible", page)


def test_texts_stay_texts(tmp_path: Path) -> None:
    text = "input: {channels: 3, size: 32}\nstem: {conv1: {block: conv, width: 8, kernel: 3}} # " + HOSTILE
    text += f"\nhelp: {json.dumps(HOSTILE)}\nname: {json.dumps(HOSTILE)}\nhead: {{pool: global_pool}}\n"
    page = tmp_path / "hostile.html"
    page.write_text(archbuilder.render_page(archbuilder.load(f"{HOSTILE[:80]}.yaml", text=text)), "utf-8")
    walk("hostile", page)


def test_everything_is_unfolded_at_once(tmp_path: Path) -> None:
    """In the processor's time of the page's own thread, which others on a machine don't lengthen much."""
    assert float(walk("speed", written(tmp_path, "densenet201"))) < 200


def states(name: str) -> dict[str, Any]:
    """A network's data, and where everything is for states of folding: all of them where there are few, else each box alone, all,
    none, and some at random."""
    page = read(name)
    every = list(paths(page.picture))
    opened: list[list[str]] = [[], every, *([path] for path in every)]
    chance = random.Random(name)
    if len(every) <= 6:
        opened = [[path for bit, path in enumerate(every) if state >> bit & 1] for state in range(2 ** len(every))]
    else:
        opened += [[path for path in every if chance.random() < share] for share in (0.2, 0.5, 0.8) for _ in range(12)]
    found = []
    for keys in opened:
        placed = place(page.picture, keys)
        found.append(
            {"open": keys, "frames": placed.frames, "lines": placed.lines, "size": [placed.width, placed.height]}
        )
    return {"name": name, "data": page.data, "states": found}


def test_places_are_those_of_python(tmp_path: Path) -> None:
    names = [
        "resnet50",
        "hrnet_w18_small",
        "googlenet",
        "densenet121",
        str(REPO / "examples" / "unet_resnet18.yaml"),
        "vgg11",
    ]
    file = tmp_path / "states.json"
    file.write_text(json.dumps([states(name) for name in names]))
    compared = walk("places", written(tmp_path, "resnet18"), REPO / "web" / "source" / "place.js", file)
    assert int(compared) > 10_000


def test_what_runs_is_what_is_built_from_the_sources(tmp_path: Path) -> None:
    sources = tmp_path / "web"
    shutil.copytree(REPO / "web", sources, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", *QUIET], cwd=sources, check=True, capture_output=True)
    subprocess.run(["node", "build.mjs", tmp_path], cwd=sources, check=True, capture_output=True)
    for file in (SCRIPT, STYLE):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), "run `make web`"
