"""Specs as models of timm: `timm.create_model("archbuilder_resnet18", num_classes=10)`. Imported where timm is installed."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import nullcontext
from dataclasses import fields
from typing import Any

import torch

from benchmarks.reference import torchvision_module

torchvision_module()  # timm imports it

from timm.models import build_model_with_cfg, register_model  # noqa: E402
from timm.models._pretrained import DefaultCfg, PretrainedCfg  # noqa: E402

import archbuilder  # noqa: E402

default_cfgs: dict[str, DefaultCfg] = {}
"""Where timm looks for what weights expect of a picture."""


def give(spec: str, **feature_cfg: Any) -> None:
    """Makes a spec known to timm; `feature_cfg` says how timm takes feature maps out of it."""
    name = f"archbuilder_{spec}"
    known = {field.name for field in fields(PretrainedCfg)} - {"architecture"}
    facts = archbuilder.build(spec).pretrained_cfg
    cfg = PretrainedCfg(**{key: value for key, value in facts.items() if key in known})
    default_cfgs[name] = DefaultCfg(tags=deque([""]), cfgs={"": cfg})

    def make(
        num_classes: int = 1000,
        in_chans: int = 3,
        global_pool: str | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
    ) -> archbuilder.Network:
        with torch.device(device) if device is not None else nullcontext():
            model = archbuilder.build(spec, channels=in_chans).to(dtype=dtype)
        if (num_classes, global_pool) != (model.num_classes, None):
            model.reset_classifier(num_classes, global_pool)
        return model

    def entry(pretrained: bool = False, **words: Any) -> Any:
        return build_model_with_cfg(make, name, pretrained, feature_cfg=dict(feature_cfg), **words)

    entry.__name__ = name
    setattr(sys.modules[__name__], name, register_model(entry))


give("resnet18")  # its maps are those of its children
give("densenet121", feature_cls="fx")
give("hrnet_w18_small", feature_cls="fx")
give("pvt_v2_b0", feature_cls="hook", out_indices=(0, 1, 2, 3))
give("regnet_y_800mf", feature_cls="hook")
