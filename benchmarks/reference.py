"""The libraries that the zoo's networks are compared with. They are no dependencies of the project."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

import torch
from torch import nn

import archbuilder


def reference_maker(name: str) -> Callable[[], nn.Module]:
    """What makes a network of the zoo, under its name there, in the library that its spec says it is the same as."""
    reference = archbuilder.load(name).reference
    if reference is None or reference.weights not in ("torchvision", "timm"):
        raise SystemExit(f"{name} names no library as its reference")
    models = torchvision_module()  # timm imports it
    make = models.get_model if reference.weights == "torchvision" else importlib.import_module("timm").create_model
    return partial(make, name)


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
