"""Every example of the documentation is run, and every link leads somewhere."""

import math
import re
from pathlib import Path

import pytest

from tests.docs.pages import (
    FOLDER,
    PAGES,
    REFERENCE,
    ROOT,
    Fence,
    PageError,
    Runner,
    complete,
    fences,
    matches,
    nearly,
)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    Runner(tmp_path).run(fences(page), slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(fence.is_slow for fence in fences(page))], ids=name)
def test_page_does_what_it_says_in_full(page: Path, tmp_path: Path) -> None:
    Runner(tmp_path).run(fences(page), slow=True)


@pytest.mark.parametrize("page", [*PAGES, *REFERENCE], ids=name)
def test_no_fence_is_untested_by_accident(page: Path) -> None:
    unknown = [f"{fence}: {fence.language} {' '.join(fence.words)}" for fence in fences(page) if not fence.is_known]
    assert unknown == []


def test_setting_up_names_targets_that_are_there() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8")))
    for page in PAGES:
        for fence in fences(page):
            if fence.language == "sh":
                assert set(re.findall(r"(?m)^make (\w+)", fence.text)) <= targets, str(fence)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", page.read_text("utf-8"))
    headings = re.findall(r"(?m)^#+ (.*)$", prose)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, *REFERENCE, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"], ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"(?ms)^```.*?^```$", "", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", prose):
        link = target[0] or target[1]
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name(page)} links to {link}"
        assert not anchor or anchor in anchors(file), f"{name(page)} links to {link}"


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, open_pages = set[Path](), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+\.md)", page.read_text("utf-8"))
        open_pages += [(page.parent / link).resolve() for link in links if not link.startswith("http")]
    assert {*FOLDER.rglob("*.md")} <= reached


# ---- the harness itself: that it can fail ---------------------------------------------------------------------------


def run(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, "utf-8")
    blocks = [Fence(ROOT / "page.md", each.line, each.language, each.words, each.text) for each in fences(page)]
    Runner(tmp_path).run(blocks, slow=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```yaml part\nstages: {a: {block: bsic, width: 4}}\n```\n", "there is no block `bsic`"),
        ("```yaml error\nname: fine\nstages: {a: {block: basic, width: 4}}\n```\n", "should be wrong"),
        ("```python\nprint(1)\n```\n```text output\n2\n```\n", "prints\n1\n--- instead of\n2"),
        ("```python\nprint(1)\n```\n", "an output must follow"),
        ("```console\n$ archbuilder check resnet18\nresnet18: broken\n```\n", "prints\nname "),
        ("```console\n$ archbuilder check resnet18000\n```\n", "ended with 1"),
        ("```console\n$ rm -r folder\n```\n", "only archbuilder and python"),
    ],
)
def test_what_a_page_says_wrongly_is_found(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PageError, match=re.escape(message)):
        run(tmp_path, text)


def test_a_slow_block_waits_for_the_slow_run(tmp_path: Path) -> None:
    run(tmp_path, "```python slow\nraise ValueError\n```\n")


def test_outputs_are_compared_as_the_page_asks() -> None:
    assert matches("a ... c", "a b\nb c")
    assert not matches("a ... c", "a b d")
    assert nearly("accuracy 96.5 % in 10 s", "accuracy 97.1 % in 12 s", 1 / 3)
    assert not nearly("accuracy 96.5 %", "accuracy 31.1 %", 1 / 3)
    assert not nearly("accuracy 96.5 %", "loss 96.5 %", math.inf)


def test_a_part_becomes_a_whole_spec() -> None:
    assert complete("head: {fc: {block: linear, width: 10}}\n").startswith("name: example\nhead:")
    assert "stages:" in complete("defaults: {activation: silu}\n")
