"""Drawings as users get them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import archbuilder
from archbuilder.draw import FORMATS, DrawingError, Format, Rendered
from tests.cli.test_process import environment

STARTS: dict[Format, bytes] = {
    "svg": b"<svg ", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "tikz": b"%", "mermaid": b"flowchart LR\n",
    "dot": b"digraph ",
}  # fmt: skip


def shares_of(svg: bytes, kind: str) -> dict[str, float]:
    """The shares in a strip of costs."""
    found: dict[str, float] = {}
    for share, title in re.findall(r'data-share="([\d.]+)">\n<title>([^<]*)</title>', svg.decode()):
        if title.startswith(f"{kind}: "):
            found[title.removeprefix(f"{kind}: ").partition(" ")[0]] = float(share)
    return found


@pytest.mark.parametrize("kind", ["parameters", "MACs", "activations"])
def test_a_step_is_drawn_with_what_it_costs_of_the_whole_network(kind: str) -> None:
    graph = archbuilder.lower("resnet50")
    whole, inside = (shares_of(archbuilder.render(graph, focus=focus), kind) for focus in (None, "layer3"))
    assert list(inside) == ["0", "1–5", "elsewhere"]
    assert round(sum(inside.values()), 6) == 100
    assert round(100 - inside["elsewhere"], 6) == pytest.approx(whole["layer3"], abs=0.1)


def test_one_of_several_equal_blocks_costs_what_one_does() -> None:
    graph = archbuilder.lower("resnet50")
    one = shares_of(archbuilder.render(graph, focus="layer3.4", depth="layer"), "parameters")
    every = shares_of(archbuilder.render(graph, focus="layer3"), "parameters")
    assert 100 - one["elsewhere"] == pytest.approx(every["1–5"] / 5, abs=0.1)


def test_what_is_there_in_training_only_has_no_macs() -> None:
    found = archbuilder.render(archbuilder.lower("googlenet"), focus="aux1")
    assert shares_of(found, "MACs") == {}
    assert shares_of(found, "parameters")["elsewhere"] < 100


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_made_and_is_the_same_again(format: Format) -> None:
    graph = archbuilder.lower("resnet18")
    made = archbuilder.render(graph, format=format)
    assert made.startswith(STARTS[format])
    assert made == archbuilder.render(graph, format=format)
    assert made.format == format


def texts(drawing: Rendered) -> list[str]:
    return [line.partition(">")[2].partition("<")[0] for line in drawing.decode().split("<text")[1:]]


def test_one_step_alone() -> None:
    shown = texts(archbuilder.render(archbuilder.lower("resnet50"), focus="layer3.0", depth="block"))
    assert shown[0] == "resnet50 · layer3.0"
    assert "conv 3×3/2" in shown
    assert "layer1" not in shown


def test_one_block_alone() -> None:
    shown = texts(archbuilder.render(archbuilder.lower("resnet50"), definition="bottleneck"))
    assert shown.count("bottleneck") == 2  # with a projection, and without
    assert "later in layer1, layer2, layer3, layer4" in shown


def test_some_pieces_alone() -> None:
    shown = texts(archbuilder.render(archbuilder.lower("resnet50"), show=["table"]))
    assert "27.8" in shown
    assert "bottleneck ×4" in shown
    assert "conv 3×3/s" not in shown


def test_a_model_is_one_box() -> None:
    graph = archbuilder.lower("resnet50")
    text = archbuilder.render(graph, format="mermaid", depth="model").decode()
    assert text.partition("subgraph")[0].count("]:::") == 1  # what is beneath defines its blocks
    assert 'n0 -->|"3×224²"| n1' in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"focus": "layer5"}, "there is no step `layer5` to look into: did you mean `layer4`?"),
        ({"focus": "layer1.7"}, "there is no step `layer1.7` to look into: known here: 0, 1, 2"),
        ({"focus": "conv1"}, "`conv1` is a single layer, so there is nothing in it to draw"),
        ({"definition": "bottlneck"}, "no block `bottlneck` is used here: did you mean `bottleneck`?"),
    ],
)
def test_what_is_not_there_cannot_be_drawn(words: dict[str, str], message: str) -> None:
    with pytest.raises(DrawingError) as error:
        archbuilder.render(archbuilder.lower("resnet50"), **words)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"style": "volumes", "focus": "layer1"},
            "focus has no effect beside style volumes, which shows a whole network",
        ),
        ({"style": "volumes", "depth": "block"}, "depth has no effect beside style volumes, which shows its maps"),
        ({"format": "mermaid", "show": ["table"]}, "show has no effect beside Mermaid, which has a layout of its own"),
        ({"format": "dot", "style": "volumes"}, "style has no effect beside DOT, which has no layout"),
        ({"focus": "layer1", "definition": "basic"}, "focus has no effect beside definition"),
        ({"focus": "layer1", "show": ["table"]}, "show has no effect beside focus"),
    ],
)
def test_what_would_not_be_seen_is_refused(words: dict[str, str], message: str) -> None:
    with pytest.raises(DrawingError) as error:
        archbuilder.render(archbuilder.lower("resnet18"), **words)  # type: ignore[arg-type]
    assert str(error.value) == message


@pytest.mark.parametrize("word", ["format", "depth", "style", "theme", "width"])
def test_unknown_words_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"unknown {word} 'odd': expected one of "):
        archbuilder.render(archbuilder.lower("resnet18"), **{word: "odd"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown piece 'odd'"):
        archbuilder.render(archbuilder.lower("resnet18"), show=["odd"])  # type: ignore[list-item]


def test_drawing_imports_only_what_it_needs(tmp_path: Path) -> None:
    code = """if True:
        import sys, archbuilder
        archbuilder.render(archbuilder.lower("resnet18"))
        print({"torch", "graphviz", "fpdf", "resvg_py", "fontTools"} & set(sys.modules))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


HOSTILE = [
    "<script>alert(1)</script>", '"]; x[shape=none', "a\"b'c&d", "%% end", "x^2_y \\end{document}", "a" * 10_000,
    "\u202eabc", "\u061c", "`id`", "A --> B",
]  # fmt: skip


@pytest.mark.parametrize("format", ["svg", "tikz", "mermaid", "dot"])
def test_a_hostile_name_is_only_text(format: Format) -> None:
    for name in HOSTILE:
        architecture = archbuilder.Architecture(name=name, stages={"a": "norm"})
        text = archbuilder.render(archbuilder.lower(architecture), format=format).decode()
        assert "<script" not in text or format in ("dot", "tikz")  # where it means nothing
        assert "\u202e" not in text
        assert "\n%% end" not in text
        assert len(text) < 60_000
