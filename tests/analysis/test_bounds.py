"""Networks that no machine can address are refused where they are described."""

from __future__ import annotations

from pathlib import Path

import pytest

import archbuilder


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("wide: {block: bottleneck, width: 64, ratio: 68832400.5}", "`wide` holds or puts out 1.7e+20 numbers"),
        ("up: {block: upsample, factor: 900000000}", "`up` holds or puts out 1.6e+20 numbers"),
    ],
)
def test_a_giant_is_refused_at_its_step(step: str, message: str, tmp_path: Path) -> None:
    spec = tmp_path / "giant.yaml"
    spec.write_text(f"name: giant\ninput: {{channels: 3, size: 8}}\nstages:\n  {step}\n", "utf-8")
    with pytest.raises(archbuilder.SpecError) as caught:
        archbuilder.check(spec)
    (found,) = caught.value.diagnostics
    assert found.code == "too-large"
    assert found.place is not None
    assert found.place.line == 4
    assert found.message.startswith(message)
    with pytest.raises(archbuilder.SpecError):
        archbuilder.build(spec)


def test_a_large_network_is_none(tmp_path: Path) -> None:
    spec = tmp_path / "large.yaml"
    spec.write_text(
        "name: large\ninput: {channels: 3, size: 8}\nstem:\n  conv: {block: conv, kernel: 3, width: 1000000000}\n",
        "utf-8",
    )
    assert archbuilder.check(spec).summary.parameters == 27_000_000_000
