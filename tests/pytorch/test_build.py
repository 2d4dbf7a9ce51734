"""What is refused before anything is built: it would end in an error of torch's, or of Python's."""

from __future__ import annotations

import pytest
import torch

import archbuilder
from archbuilder import SpecError

HEAD = "name: net\ninput: {channels: 3, size: 8}\n"


def with_init(init: str) -> archbuilder.Architecture:
    return archbuilder.check(
        "net.yaml", text=f"{HEAD}stages: {{conv: {{block: conv, kernel: 3, init: {init}}}}}"
    ).architecture


@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("{normal: -1}", "`normal` of `init` must be at least 0, got -1.0"),
        ("{uniform: -0.5}", "`uniform` of `init` must be at least 0, got -0.5"),
        ("{truncated_normal: -0.02}", "`truncated_normal` of `init` must be more than 0, got -0.02"),
        ("{truncated_normal: 0}", "`truncated_normal` of `init` must be more than 0, got 0.0"),
        ("{uniform: 3.0e+38}", "`uniform` of `init` must be no further from 0 than 1e+38, got 3e+38"),
        ("{constant: -1.0e+300}", "`constant` of `init` must be no further from 0 than 1e+38, got -1e+300"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_check(init: str, message: str) -> None:
    with pytest.raises(SpecError) as error:
        with_init(init)
    assert [diagnostic.message for diagnostic in error.value.diagnostics] == [f"{message} (in `conv`)"]


@pytest.mark.parametrize("init", ["{normal: 0}", "{uniform: 0}", "{constant: -1}", "{uniform: 1.0e+38}"])
def test_the_last_that_can_be_drawn(init: str) -> None:
    assert torch.isfinite(archbuilder.build(with_init(init)).conv.weight).all()


@pytest.mark.parametrize("eps", ["0", "1.0e-300"])
@pytest.mark.parametrize("kind", ["batch", "group, groups: 2", "layer"])
def test_norms_that_are_built_train(kind: str, eps: str) -> None:
    text = f"name: net\ninput: {{channels: 4, size: 3}}\nstages: {{a: {{block: norm, kind: {kind}, eps: {eps}}}}}"
    if (kind, eps) == ("batch", "0"):
        with pytest.raises(SpecError, match="`eps` of batch norm must be more than 0, got 0"):
            archbuilder.build("net", text=text)
        return
    model = archbuilder.build("net", text=text)
    given = model(torch.rand(2, 4, 3, 3))
    given.sum().backward()
    assert torch.isfinite(given).all()


def test_no_feature_map_is_asked_for() -> None:
    with pytest.raises(SpecError, match="no feature map is asked for") as error:
        archbuilder.build("resnet18", features=[])
    assert "name at least one step" in str(error.value)
