"""timm's own tests of its models, for specs that are given to timm as models."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
VERSION = "1.0.31"
MODELS = 5
CASES = 8
"""forward, backward, default_cfgs, torchscript, forward_features, forward_fx, backward_fx and forward_fx_torchscript. timm
leaves its own HRNet and DenseNet out of some of them by their names, which are not those of ours."""
CONFTEST = "import tests.pytorch.timm_models\n"
MARKERS = ("base", "cfg", "torchscript", "features", "fxforward", "fxbackward", "timeout(s)")


def pip(*words: str, cwd: Path) -> None:
    run = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    subprocess.run(run, cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def timm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with timm, what it needs beside torch, and its tests of models."""
    folder = tmp_path_factory.mktemp("timm")
    pip("install", "--quiet", "--no-deps", "--target", "packages", f"timm=={VERSION}", cwd=folder)
    pip("install", "--quiet", "--target", "packages", "huggingface_hub", cwd=folder)
    pip("download", "--quiet", "--no-deps", "--no-binary", "timm", f"timm=={VERSION}", cwd=folder)  # has the tests
    with tarfile.open(next(folder.glob("timm-*.tar.gz"))) as archive:
        text = archive.extractfile(f"timm-{VERSION}/tests/test_models.py")
        assert text is not None
        (folder / "test_models.py").write_bytes(text.read())
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    (folder / "pytest.ini").write_text("\n    ".join(("[pytest]\nmarkers =", *MARKERS)) + "\n", "utf-8")
    return folder


def test_specs_pass_timms_tests_of_models(timm: Path) -> None:
    paths = os.pathsep.join([str(ROOT), str(timm / "packages")])
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:warnings", "-k", "archbuilder", "test_models.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=timm,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"(?m)^(\d+) passed, \d+ deselected", run.stdout)
    assert run.returncode == 0, run.stdout
    assert found is not None, run.stdout  # none failed, and none was left out
    assert int(found[1]) == MODELS * CASES
