"""Source text becomes a module of Python's own kind: one for each text, with lines that tools can show."""

from __future__ import annotations

import inspect
import linecache
import pickle
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from torch import Tensor, nn

from archbuilder.pytorch.emitted import PACKAGE, class_of, module_of
from archbuilder.pytorch.network import Network

SOURCE = '''"""net"""

from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)
'''


def test_one_module_for_each_text() -> None:
    assert module_of(SOURCE) is module_of(SOURCE)
    assert module_of(SOURCE) is not module_of(SOURCE + "\n")
    name = module_of(SOURCE).__name__
    assert name.startswith(f"{PACKAGE}.m")
    assert sys.modules[name] is module_of(SOURCE)


@pytest.fixture
def busy() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy")
def test_threads_have_one_class_of_a_text() -> None:
    with ThreadPoolExecutor(8) as pool:
        for turn in range(20):
            text, together = SOURCE + f"\n\nTURN = {turn}\n", Barrier(8)

            def made(_: int, text: str = text, together: Barrier = together) -> type[nn.Module]:
                together.wait()
                return class_of(text, "Net")

            found = list(pool.map(made, range(8)))
            assert len(set(found)) == 1
            assert found[0].__bases__ == (Network, nn.Module)


def test_tools_show_its_lines() -> None:
    made = class_of(SOURCE, "Net")
    assert inspect.getsource(made).startswith("class Net(nn.Module):")
    linecache.checkcache()
    assert inspect.getsource(made.forward).strip().endswith("return self.fc(x)")
    with pytest.raises(RuntimeError) as caught:  # five numbers into a layer for two
        made()(torch.rand(1, 5))
    assert "return self.fc(x)" in "".join(traceback.format_tb(caught.tb))


def test_pickled_with_its_source() -> None:
    model = class_of(SOURCE, "Net")()
    data = pickle.dumps(model)
    assert b"return self.fc(x)" in data
    twin = pickle.loads(data)
    assert type(twin) is type(model)
    assert torch.equal(twin.fc.weight, model.fc.weight)


def test_annotations_are_those_of_the_text() -> None:
    assert inspect.signature(class_of(SOURCE, "Net").forward).return_annotation is Tensor


def test_inner_modules_are_pickled_too() -> None:
    sequence = nn.Sequential(class_of(SOURCE, "Net")(), nn.ReLU())
    assert type(pickle.loads(pickle.dumps(sequence))[0]) is class_of(SOURCE, "Net")


def test_a_class_that_is_not_there() -> None:
    with pytest.raises(AttributeError):
        class_of(SOURCE, "Other")
