"""Mermaid texts, as mermaid itself reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import archbuilder
from tests.fetched import from_npm

PACKAGES = ("mermaid@12.3.0", "jsdom@29.1.1")
NETWORKS = ["resnet50", "res2net50_26w_4s", "googlenet", "hrnet_w18_small", "pvt_v2_b0", "densenet121"]
HOSTILE = 'x"]; y --> z %% <script> #quot; `a` | end subgraph & ({[]}) \\'


def test_a_small_text_as_a_whole() -> None:
    spec = "name: small\ninput: {size: 8}\nstages:\n  a: {block: basic, width: 8}\nhead: {b: global_pool}\n"
    text = archbuilder.render(archbuilder.check("net.yaml", text=spec).graph, format="mermaid", depth="block").decode()
    assert text.splitlines()[:11] == [
        "flowchart LR",
        "  accTitle: small",
        "  accDescr: 864 parameters · 52.2 KMACs · 2 layers · input 3×8×8",
        '  n0["input<br/>3×8²"]:::inputBox',
        '  subgraph n1["a<br/>basic"]',
        '    n1_0(["input"])',
        '    n1_1["conv 3×3 width<br/>batch norm<br/>relu"]:::convolutionBox',
        '    n1_2["conv 3×3 width<br/>batch norm"]:::convolutionBox',
        '    n1_3["downsample<br/>project"]:::blockBox',
        '    n1_4(("+")):::combineBox',
        '    n1_5["relu"]:::activationBox',
    ]
    assert "    n1_0 -.-> n1_3" in text
    assert "    %% value 0, input 1:\n    n1_3 -.-> n1_4" in text


@pytest.mark.slow
def test_mermaid_reads_them(tmp_path: Path) -> None:
    graphs = {name: archbuilder.lower(name) for name in NETWORKS}
    graphs["hostile"] = archbuilder.lower(
        archbuilder.Architecture(name=HOSTILE, stages={"end": "norm", "graph": "activation"})
    )
    files: list[Path] = []
    for name, graph in graphs.items():
        for depth in ("model", "stage", "block", "layer"):
            files.append(tmp_path / f"{name}-{depth}.mmd")
            files[-1].write_bytes(archbuilder.render(graph, format="mermaid", depth=depth))  # type: ignore[arg-type]
    wrong = tmp_path / "wrong.mmd"
    wrong.write_text("flowchart LR\n  a --> --> b\n", "utf-8")
    program = ["node", Path(__file__).parent / "mermaid.mjs", from_npm(*PACKAGES)]
    done = subprocess.run([*program, *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["flowchart-v2"] * len(files)), done.stderr
    assert subprocess.run([*program, wrong], capture_output=True, check=False).returncode != 0
