"""A network that was written with nothing but `docs/language.md`, `docs/blocks.md` and the paper's table, held against timm's.

It is ResNet-RS-50 (arXiv:2103.07579), in `specs/resnet/resnetrs50.yaml`. The digest was taken from timm 1.0.31, of the lines
"key (sizes)" of `timm.create_model("resnetrs50").state_dict()`, in order; with timm's weights both gave the same outputs.
"""

import hashlib

import archbuilder
from archbuilder.graph.ops.activation import DropPath
from tests.networks import op_at

DIGEST = "598141dfacd4b3eb8023e301321ec05119a507a8159ba1f50f3b1dd09d03c7b1"


def test_keys_and_shapes_are_those_of_timm() -> None:
    state = archbuilder.summarize(archbuilder.lower("resnetrs50")).state
    text = "\n".join(f"{key} {shape}" for key, shape in state.items())
    assert len(state) == 402
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_it_is_what_the_paper_says() -> None:
    graph = archbuilder.lower("resnetrs50")
    assert [str(tap_shape) for tap_shape in (graph.input, *(graph.shape_of(tap.value) for tap in graph.taps))] == [
        "3×160×160", "64×80×80", "256×40×40", "512×20×20", "1024×10×10", "2048×5×5",
    ]  # fmt: skip
    assert op_at(graph, "dropout").rate == 0.25
    dropping = archbuilder.check("resnetrs50", {"drop_path": 0.1}).graph
    assert isinstance(op_at(dropping, "layer4.1.drop_path"), DropPath)
