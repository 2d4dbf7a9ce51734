"""Scenes made by hand, for the tests of what writes them down."""

from __future__ import annotations

from typing import Final, get_args

from archbuilder.draw import Theme
from archbuilder.draw.fonts import CAPITAL
from archbuilder.draw.scene import Circle, Line, Part, Polygon, Rectangle, Scene, Shape, Text

THEMES: Final[tuple[Theme, ...]] = get_args(Theme)

SMALL = Scene(
    120,
    60,
    (
        Part(
            (
                Rectangle(10, 10, 60, 30, fill="stage", line="stage line", radius=4),
                Text(40, 29, "layer1 <×3>", 10, ink="stage text", bold=True, anchor="middle"),
            ),
            title='stage "layer1" & co',
            facts=(("box", "layer1"), ("times", "3")),
        ),
        Line(((70, 25), (100, 25), (100, 55)), width=1, dash="dashed", arrow=True, radius=5),
        Rectangle(10, 46, 40, 6, fill="macs", hatched=True),
        Circle(110, 10, 5, fill="combine", line="combine line"),
        Polygon(((80, 5), (90, 5), (85, 12)), fill="pool"),
    ),
    title="small",
    description="One box.",
)
"""A little of everything."""


def _card(x: float, y: float, role: str, name: str, lines: tuple[str, ...], times: int = 1) -> Part:
    shapes: list[Shape] = [
        Rectangle(x + 3 * k, y - 3 * k, 96, 62, fill=role, line=f"{role} line", radius=5)
        for k in reversed(range(min(times, 3)))
    ]
    shapes.append(Text(x + 48, y + 18, name, 12, ink=f"{role} text", bold=True, anchor="middle"))
    shapes += [
        Text(x + 48, y + 33 + 13 * k, line, 10, ink=f"{role} text", anchor="middle") for k, line in enumerate(lines)
    ]
    if times > 1:
        shapes.append(Text(x + 106, y + 59, f"×{times}", 10, ink="quiet", bold=True))
    for k, (ink, hatched) in enumerate((("parameters", False), ("macs", True), ("activations", False))):
        shapes.append(Rectangle(x, y + 72 + 10 * k, 20 + 18 * k, 7, fill=ink, hatched=hatched))
        shapes.append(Text(x + 96, y + 78.5 + 10 * k, f"{1.5 + k:.2f}M", 9, ink="quiet", anchor="end"))
    return Part(
        tuple(shapes), title=f"{name}: {lines[0]}", facts=(("box", name), ("role", role), ("count", str(times)))
    )


def _volume(x: float, y: float, width: float, height: float, role: str) -> Part:
    deep = height / 3
    right, top = x + width, y - height
    line = f"{role} line"
    return Part(
        (
            Polygon(((x, y), (x, top), (right, top), (right, y)), role, line),
            Polygon(((x, top), (x + deep, top - deep), (right + deep, top - deep), (right, top)), role, line),
            Polygon(((right, y), (right, top), (right + deep, top - deep), (right + deep, y - deep)), role, line),
        ),
        title=f"a map {height:g} high",
    )


def demo() -> Scene:
    """All that a drawing may have: boxes, stacks, bars, shortcuts, circles, maps as volumes, texts of all kinds."""
    roles = ("input", "stem", "stage", "neck", "head")
    shapes: list[Shape] = [
        Text(20, 30, "ResNet-50 × demo: 25.6M parameters → 4.09G MACs · 224² … Größe", 16, bold=True),
        Text(20, 48, "what is quiet, 10 points, with α, ≤, é, – and – of course – an ellipsis…", 10, ink="quiet"),
        Line(((20, 58), (640, 58)), ink="faint"),
    ]
    for k, role in enumerate(roles):
        x = 20 + 128 * k
        shapes.append(_card(x, 80, role, f"layer{k}", ("64 → 256", "stride 2 · 56×56"), times=1 + k))
        if k:
            shapes.append(Line(((x - 32, 111), (x, 111)), arrow=True))
    layers = ("convolution", "norm", "activation", "pool", "linear", "attention", "block", "other")
    for k, role in enumerate(layers):
        x = 20 + 80 * k
        shapes.append(Rectangle(x, 230, 62, 26, fill=role, line=f"{role} line", radius=3))
        shapes.append(Text(x + 31, 243 + 10 * CAPITAL / 2, role, 10, ink=f"{role} text", anchor="middle"))
        if k:
            shapes.append(Line(((x - 18, 243), (x, 243)), arrow=True))
    ways = (((51, 230), (51, 205), (371, 205), (371, 230)), ((131, 256), (131, 285), (443, 285)))
    shapes.append(
        Part((Line(ways[0], dash="dashed", arrow=True, radius=8, width=1.4),), "projection", (("edge", "a"),))
    )
    shapes.append(Part((Line(ways[1], dash="dotted", arrow=True, radius=8, width=1.4),), "plain", (("edge", "b"),)))
    shapes.append(Circle(452, 285, 9, fill="combine", line="combine line", line_width=1))
    shapes.append(Text(452, 285 + 14 * CAPITAL / 2 - 0.6, "+", 14, ink="combine text", bold=True, anchor="middle"))
    shapes.append(Line(((461, 285), (560, 285), (600, 320)), width=2.2, arrow=True, radius=20, ink="training"))
    shapes.append(Text(505, 279, "training only", 10, ink="training"))
    shapes.append(Rectangle(500, 300, 60, 30, line="training", dash="dashed", radius=6))
    shapes.append(Rectangle(575, 330, 60, 20, fill="stage", line="stage line", radius=9, hatched=True))
    shapes += [_volume(30 + 80 * k, 400, 14 + 8 * k, 80 - 16 * k, roles[1 + k]) for k in range(4)]
    shapes.append(Text(360, 390, "日本 🙂 Привет Ωμέγα ½ e\u0301 b\u0331 (missing here and there)", 10))
    return Scene(680, 420, tuple(shapes), title="Demo of everything", description="Boxes, lines, bars and volumes.")


HOSTILE = (
    "<script>alert(1)</script>",
    "</title></text></svg>",
    "a\"b'c onload=x",
    "]]> <!-- --> &amp; &#0; &nbsp; &",
    "back\\slash \\\\ \\n ends with \\",
    "\\end{document}",
    "\\input{/etc/passwd} \\write18{ls} ^^5cx",
    "{[(%$#&_~^`|@!?\"'<>=;,.-/*+)]}",
    "}; \\node at (0,0) {x}; \\draw[",
    "f(x)_1^2 $\\alpha$ % gone # ~ --- -- `` '' ?` !` << >> ,,",
    "digraph { a -> b; }",
    "(unbalanced) ) ( \\) \\(",
    "100 % %s %(x)s {} {0}",
    "line\nbreak\r\n\ttab",
    "\u202eright to left\u202c \u2066x\u2069 \u061c\u200f\u200b\ufeff",
    "nul\0nul \x1b[31m \x7f\x9b",
    "\ufffe\uffff\ud800\udc00 \U000e0041",
    "日本語 🙂 👩\u200d🔬 é e\u0301 שלום العربية Привет Ωμέγα ½ ² × → · … – — “quoted” ﬁ ß Ł ő",
    "  two  spaces  ",
    " ",
    "",
    "x" * 10_000,
    "\u0301" * 300,
)
"""Texts that mean something to what a drawing is written as, or that are hard to show."""


def saying(text: str) -> Scene:
    """A scene that says a text wherever a scene can."""
    shapes = (
        Text(10, 20, text, 10),
        Text(60, 35, text, 8, bold=True, anchor="middle"),
        Text(110, 50, text, 10, anchor="end"),
    )
    return Scene(120, 60, (Part(shapes, title=text, facts=(("said", text),)),), title=text, description=text)
