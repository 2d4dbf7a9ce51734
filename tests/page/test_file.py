"""The file: what it lets run, what it says without JavaScript, how large it is, and that texts stay texts."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

import archbuilder
from archbuilder.language.load import network_names
from archbuilder.page.file import SCRIPT, STYLE
from tests.page.reading import data_in, parts_of

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "a\u202eb\u2066c\u200fd",
    "\u2028\u2029 & &amp; ]]>",
    "x" * 10_000,
]
SMALL = """
name: {name}
input: {{channels: 3, size: 32}}
stem: {{conv1: {{block: conv, width: 8, kernel: 3}}}}  # {comment}
head: {{pool: global_pool}}
"""


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture(scope="module")
def page() -> str:
    return archbuilder.render_page("resnet50")


def test_only_its_own_script_and_style_may_run(page: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy == (
        f"default-src 'none'; script-src {hash_of(script)}; style-src {hash_of(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "unsafe" not in page.partition("<style>")[0]
    assert not re.search(r"<[^>]* (style|on\w+)=", page.partition('<script type="application/json"')[0])


def test_it_asks_for_no_other_file(page: str) -> None:
    parts = parts_of(page)
    assert {tag for tag, *_ in parts.found} & {"link", "img", "iframe", "object", "embed", "base", "form"} == set()
    assert not [attributes for _, attributes, _ in parts.found if {"src", "href"} & set(attributes)]


def test_without_javascript_it_is_the_sheet(page: str) -> None:
    sheet = archbuilder.render(archbuilder.lower("resnet50")).decode()
    assert f'<div id="sheet">{sheet}</div>' in page
    assert '<main id="page" hidden></main>' in page


def test_it_is_the_same_each_time(page: str) -> None:
    assert archbuilder.render_page("resnet50") == page


def test_what_runs_is_small() -> None:
    assert SCRIPT.stat().st_size + STYLE.stat().st_size <= 80_000


@pytest.mark.parametrize(("name", "most"), [("resnet50", 200_000), ("resnet152", 300_000), ("hrnet_w48", 600_000)])
def test_a_page_is_small(name: str, most: int) -> None:
    assert len(archbuilder.render_page(name).encode()) <= most


@pytest.mark.slow
@pytest.mark.parametrize("name", network_names())
def test_any_page_of_the_zoo_is_small(name: str) -> None:
    assert len(archbuilder.render_page(name).encode()) <= 600_000


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_text_stays_a_text(text: str) -> None:
    name = text.translate({0x2028: " ", 0x2029: " "})
    architecture = archbuilder.load(archbuilder.Architecture(name=name, stages={"end": "norm"}))
    page = archbuilder.render_page(architecture)
    parts = parts_of(page)
    tags = [tag for tag, *_ in parts.found]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert not [character for character in "\u202e\u2066\u200f\u2028\u2029" if character in page]
    seen = name.translate({0x202E: "\\u202e", 0x2066: "\\u2066", 0x200F: "\\u200f"})
    assert data_in(page)["networks"][0]["name"] == seen


@pytest.mark.parametrize("text", [each for each in HOSTILE if "\u2028" not in each], ids=range(len(HOSTILE) - 1))
def test_a_text_in_a_spec_stays_a_text(text: str) -> None:
    architecture = archbuilder.load("net.yaml", text=SMALL.format(name="net", comment=text))
    data = data_in(archbuilder.render_page(architecture))
    (shown,) = [each for each in data["networks"][0]["sources"] if each["name"] == "net.yaml"]
    line = shown["text"][0][1][3]
    assert line.startswith("stem: {conv1: {block: conv, width: 8, kernel: 3}}  # " + text[:1].replace("\u202e", "\\"))
    assert len(line) <= 2_100


def test_two_networks_are_side_by_side_or_one_alone() -> None:
    both = data_in(archbuilder.render_page("resnet18", "resnet34"))
    assert [network["name"] for network in both["networks"]] == ["resnet18", "resnet34"]
    assert data_in(archbuilder.render_page("resnet18"))["pairs"] is None
    for specs in ((), ("resnet18",) * 3):
        with pytest.raises(ValueError, match="one network, or two side by side"):
            archbuilder.render_page(*specs)


def test_more_steps_than_anybody_walks_through_are_refused() -> None:
    levels = [f"  many{at}: {{body: [{', '.join([f'many{at - 1}' if at else 'activation'] * 10)}]}}" for at in range(4)]
    text = "\n".join(["name: deep", "input: {channels: 3, size: 8}", "blocks:", *levels, "stages: {all: many3}", ""])
    with pytest.raises(ValueError, match="on a page this network has 11,111 steps, and at most 10,000 are told of"):
        archbuilder.render_page(archbuilder.load("deep.yaml", text=text))


def test_a_page_names_no_folder_of_this_machine(page: str) -> None:
    names = [source["name"] for source in data_in(page)["networks"][0]["sources"]]
    assert names[0] == "resnet.yaml"
    assert not [name for name in names if name.startswith("/")]


def test_an_input_of_another_size_is_shown() -> None:
    assert "input 3×64×96" in data_in(archbuilder.render_page("resnet18", input=(3, 64, 96)))["networks"][0]["facts"]
