"""torchvision, the reference of the benchmarks. It is no dependency of the project."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch


def torchvision_module(name: str = "torchvision.models") -> ModuleType:
    """A module of torchvision, also beside a torch that its compiled operators were not made for.

    PyPI's wheel expects a CUDA build. Only the detection operators are compiled, so declaring the two that Python code
    refers to while it is imported is enough for everything else.
    """
    try:
        return importlib.import_module(name)
    except RuntimeError:  # "operator torchvision::nms does not exist"
        for operator in ("nms", "qnms"):
            torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
        for half_loaded in [module for module in sys.modules if module.partition(".")[0] == "torchvision"]:
            del sys.modules[half_loaded]
        return importlib.import_module(name)
