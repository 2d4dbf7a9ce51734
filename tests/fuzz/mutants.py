"""Specs to begin with, and what is made of them: pieces and lines deleted, doubled, swapped, replaced, or taken from others."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

from archbuilder.language import zoo
from tests.docs.pages import fences
from tests.properties.test_broken import PIECES, SPECS, TOKENS

ROOT = Path(__file__).parents[2]
CORPUS = Path(__file__).parent / "corpus"
MAXIMUM = 20_000
"""Characters of a mutant; longer ones are tried in other tests."""


@cache
def seeds() -> tuple[str, ...]:
    """The zoo, the specs of the docs, those that are wrong, every construct of the language, and what was found before."""
    pages = [
        page for folder in (ROOT, ROOT / "docs") for page in sorted(folder.rglob("*.md")) if "." not in page.parent.name
    ]
    docs = [fence.text for page in dict.fromkeys(pages) if page.is_relative_to(ROOT / "docs") or page.parent == ROOT
            for fence in fences(page) if fence.language == "yaml"]  # fmt: skip
    files = [*zoo.all_files(), *sorted(zoo.BLOCKS.glob("*.yaml")), *sorted(CORPUS.glob("*.yaml"))]
    files += [
        path for room in ("language", "lowering") for path in sorted((ROOT / "tests" / room / "wrong").glob("*.yaml"))
    ]
    texts = [path.read_text("utf-8", errors="replace") for path in files]
    named = [text if "name:" in text else f"name: net\ninput: {{size: 16}}\n{text}" for text in docs]
    return tuple(dict.fromkeys(text for text in (*SPECS, *texts, *named) if len(text) <= MAXIMUM))


def mutant(random: Random, text: str | None = None) -> str:
    """A spec, by default one of the seeds, with a few changes."""
    text = random.choice(seeds()) if text is None else text
    for _ in range(random.choice([1, 1, 1, 2, 3, 4])):
        text = _changed(random, text)[:MAXIMUM]
    return text


def _changed(random: Random, text: str) -> str:
    in_lines = random.random() < 0.35
    pieces = text.splitlines(keepends=True) if in_lines else TOKENS.findall(text)
    if not pieces:
        return random.choice(PIECES)
    at, other = random.randrange(len(pieces)), random.randrange(len(pieces))
    match random.choice(["delete", "double", "swap", "move", "replace", "insert", "cut", "graft", "many", "steal"]):
        case "delete":
            del pieces[at]
        case "double":
            pieces.insert(at, pieces[at])
        case "swap":
            pieces[at], pieces[other] = pieces[other], pieces[at]
        case "move":
            pieces.insert(other, pieces.pop(at))
        case "replace":
            pieces[at] = random.choice(PIECES)
        case "insert":
            pieces.insert(at, random.choice(PIECES))
        case "cut":
            del pieces[min(at, other) : max(at, other)]
        case "graft":
            lines = random.choice(seeds()).splitlines(keepends=True)
            start = random.randrange(len(lines) or 1)
            pieces[at:at] = lines[start : start + random.randint(1, 5)]
        case "many":
            pieces[at:at] = [pieces[at]] * random.choice([10, 50, 200])
        case "steal":  # a word of the same text in another place
            words = [piece for piece in TOKENS.findall(text) if piece.strip()]
            pieces[at] = random.choice(words or [""])
    return "".join(pieces)
