"""What the public objects look like in a console and in a notebook, and that their names never mean anything else."""

from __future__ import annotations

import pickle
import pkgutil
import subprocess
import sys

import pytest

import archbuilder
from archbuilder.analysis.table import as_table

SPEC = "name: net\ninput: {size: 32}\nstages: {layer1: {block: basic, width: 8, depth: 2}}\nhead: {pool: global_pool}\n"
WRONG = SPEC.replace("basic", "basik") + "# " + "x" * 10_000


def test_each_public_object_is_one_short_line_in_a_console() -> None:
    checked = archbuilder.check("net.yaml", text=SPEC)
    with pytest.raises(archbuilder.SpecError) as error:
        archbuilder.check("net.yaml", text=WRONG)
    (mistake,) = error.value.diagnostics
    assert repr(checked.summary) == "Summary(net: 4 layers, 2,048 parameters, 2.02 MMACs, 3×32×32 -> 8)"
    assert repr(checked.graph) == "Graph(net: 3×32×32 -> 8)"
    objects = [
        *(checked, checked.summary, checked.graph, checked.architecture, *checked.summary.stages, *checked.graph.nodes),
        *(mistake, mistake.place, archbuilder.why(checked.architecture, "layer1.depth"), *archbuilder.catalogue()),
        archbuilder.render(checked.graph, format="dot"),
    ]
    for each in objects:
        assert "\n" not in repr(each)
        assert len(repr(each)) < 2000, type(each)
    why = archbuilder.why(checked.architecture, "layer1.depth")
    assert repr(why) == "Why(layer1.depth = 2)"
    assert str(why).splitlines()[0] == "layer1.depth is 2"
    for each in (checked, checked.summary, checked.graph, checked.architecture, mistake.place):
        assert len(repr(each)) < 200, type(each)


def test_a_summary_is_a_table() -> None:
    summary = archbuilder.check("net.yaml", text=SPEC.replace("net", "a<b")).summary
    assert str(summary) == as_table(summary, "stage")


def test_a_drawing_is_bytes_that_a_notebook_shows() -> None:
    graph = archbuilder.lower({"name": "net", "stages": {"a": "norm"}})
    dot = archbuilder.render(graph, format="dot")
    assert (dot._repr_svg_(), dot._repr_png_()) == (None, None)
    assert repr(dot) == f"Rendered(dot, {len(dot):,} bytes)"
    assert bytes(dot).startswith(b"digraph")
    svg = archbuilder.render(graph)
    assert svg._repr_svg_() == svg.decode()
    assert pickle.loads(pickle.dumps(svg)) == svg


MODULES = [
    each.name for each in pkgutil.walk_packages(archbuilder.__path__, "archbuilder.") if "__main__" not in each.name
]

EVERY_MODULE = """
import importlib, archbuilder
for module in MODULES:
    importlib.import_module(module)
    wrong = [name for name in archbuilder.__all__ if type(getattr(archbuilder, name)).__name__ == "module"]
    assert not wrong, (module, wrong)
"""


def test_a_public_name_means_the_same_whatever_was_imported_before() -> None:
    code = EVERY_MODULE.replace("MODULES", repr(MODULES))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stderr == ""


@pytest.mark.parametrize("package", ["archbuilder", "archbuilder.plugin", "archbuilder.draw"])
def test_no_public_name_is_that_of_a_module(package: str) -> None:
    modules = {name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == package}
    names = sys.modules[package].__all__ if package in sys.modules else __import__(package, fromlist=["x"]).__all__
    assert not modules & set(names)
