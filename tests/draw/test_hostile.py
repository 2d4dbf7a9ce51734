"""Names that mean something to DOT, HTML or XML. Specs refuse most of them as names; a graph made by hand does not."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import graphviz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archbuilder.analysis.summary import DEPTHS, Depth
from archbuilder.draw import render
from archbuilder.draw.labels import shown
from archbuilder.graph.graph import Graph, Node, Section, Value
from archbuilder.graph.ops.combine import Add
from archbuilder.graph.ops.weighted import Convolution
from archbuilder.graph.shapes import Map

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><script>",
    'a"; b -> c; "',
    "<b>",
    "<<TABLE>>",
    "back\\slash",
    "\\N \\G \\L \\l \\n",
    "ends with \\",
    "a:b:c",
    "100 % %s %(x)s",
    "line\nbreak\r\n",
    "\u202eright to left\u202c",
    "nul\0nul",
    "&amp; &#0; &nbsp; &",
    "]]> <!-- -->  --!>",
    "\ufffe\uffff\ud800",
    "'",
    "",
    " ",
    "cluster x",
    "graph",
    "{rank=same}",
    "x" * 5000,
    "日本語 🙂 é",
]


def network(name: str) -> Graph:
    shape = Map(8, 4, 4)
    conv = Convolution(8, 8, (1, 1), (1, 1), (0, 0), (1, 1), 1, False, "default", "default")
    inner = Graph(
        name or "block",
        shape,
        (Node(name, conv, (Value(-1),), shape), Node(name, Add(), (Value(0), Value(-1)), shape)),
        Value(1),
    )
    nodes = (
        Node(name, conv, (Value(-1),), shape),
        Node(name, Graph("", shape, (Node(name, inner, (Value(-1),), shape),), Value(0)), (Value(0),), shape),
        Node(name, inner, (Value(1),), shape),
    )
    sections = (Section("stem", 0, 1), Section("stages", 1, 3))
    return Graph("", shape, nodes, Value(2), name=name, help=name, sections=sections)


def check(name: str, depth: Depth) -> None:
    graph = network(name)
    root = ET.fromstring(render(graph, depth=depth))
    allowed = {"svg", "g", "title", "polygon", "path", "text", "ellipse", "polyline"}
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= allowed
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not [key for key in attributes if key.startswith("on") or key.endswith("href")]
    # What is drawn does not depend on what it is called.
    plain = ET.fromstring(render(network("plain"), depth=depth))
    for kind in ("node", "edge", "cluster"):
        assert len(root.findall(f".//*[@class='{kind}']")) == len(plain.findall(f".//*[@class='{kind}']")), kind
    for text in root.itertext():
        assert not any(character in text for character in "\0\u202e\u202c\ufffe\uffff")


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:20])
def test_a_hostile_name_is_only_text(name: str, depth: Depth) -> None:
    check(name, depth)


@settings(max_examples=40)
@given(st.text(max_size=30), st.sampled_from(DEPTHS))
def test_no_name_is_more_than_text(name: str, depth: Depth) -> None:
    check(name, depth)


def test_what_was_written_is_shown() -> None:
    drawn = ET.fromstring(render(network('<b>"\\N" & 5 %'), depth="stage"))
    shown_texts = [(element.text or "").strip() for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert '<b>"\\N" & 5 %' in shown_texts


def test_what_cannot_be_seen_is_written_out() -> None:
    assert shown("a\0b\u202e") == "a&#92;u0000b&#92;u202e"


def test_a_label_is_never_taken_for_a_plain_string() -> None:
    assert graphviz.quoting.quote(f"<{shown('>')}>").startswith("<")
