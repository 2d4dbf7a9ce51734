"""Prints, as JSON, all that archbuilder makes of some specs without torch. A program: it runs here and in a browser's Python."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import archbuilder
from archbuilder import Checked

NETWORKS = (
    "resnet50",
    "resnext50_32x4d",
    "vgg16_bn",
    "googlenet",
    "densenet121",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "convnext_tiny",
    "hrnet_w18",
    "pvt_v2_b0",
)

DRAWN = ("svg", "tikz", "mermaid", "dot")
"""The formats in which they are drawn: the texts. What writes PNG and PDF is not here."""

PRODUCTS: dict[str, Callable[[Checked], str]] = {
    "check": lambda checked: f"{checked!r} {checked.sizes}",
    "shown": lambda checked: checked.graph._repr_mimebundle_(include={"text/plain"})["text/plain"],
    "graph": lambda checked: str(checked.graph),
    "summary": lambda checked: str(checked.summary),
    "layers": lambda checked: "\n".join(map(repr, checked.summary.rows("layer"))),
    "source": lambda checked: archbuilder.to_source(checked.graph),
    "spec": lambda checked: archbuilder.dump(checked.architecture),
    "page": lambda checked: archbuilder.render_page(checked.architecture),
    "difference": lambda checked: str(archbuilder.diff(checked.architecture, "resnet50d")),
    **{
        format: lambda checked, format=format: archbuilder.render(checked.graph, format=format).decode()
        for format in DRAWN
    },
}

OWN = """
name: own  # größer: the place of a mistake counts characters, not bytes
parameters: {classes: 10}
input: {size: [48, 96]}
blocks:
  pair:
    parameters: {width: 8}
    body:
      a: {block: conv_norm_act, width: $width}
      b: {block: conv_norm_act, width: $(width * 2), kernel: 1}
stages:
  layer1: {block: pair, width: 8, depth: 2}
  layer2: {block: basic, width: 32, stride: 2}
head: {pool: global_pool, fc: {block: linear, width: $classes}}
"""

WRONG = (
    OWN.replace("basic", "basik")
    .replace("$(width * 2)", "$(width *)")
    .replace("$classes", "$clases")
    .replace("a:", "ä:")
)


def report(text: str) -> str:
    """What is said of a spec that is wrong."""
    try:
        archbuilder.check("own.yaml", text=text)
    except archbuilder.SpecError as error:
        return str(error)
    return ""


def products() -> dict[str, dict[str, str]]:
    """What is made of each network, each under its name; and what is said of a wrong one."""
    networks = {name: archbuilder.check(name) for name in NETWORKS}
    networks["own.yaml"] = archbuilder.check("own.yaml", text=OWN)
    made = {name: {what: make(each) for what, make in PRODUCTS.items()} for name, each in networks.items()}
    return {**made, "wrong": {"report": report(WRONG)}}


print(json.dumps({"torch": "torch" in sys.modules, "platform": sys.platform, "products": products()}))  # noqa: T201 -- a program
