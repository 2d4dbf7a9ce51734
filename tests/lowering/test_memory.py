"""What a lowering leaves behind: nothing, but what is read off the shipped blocks."""

import gc

import pytest

import archbuilder


def analyse(name: str) -> None:
    archbuilder.summarize(archbuilder.lower(archbuilder.load(name)))


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "hrnet_w18", "googlenet", "pvt_v2_b0"])
def test_all_is_freed_at_once(name: str) -> None:
    analyse(name)  # reads the shipped blocks
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        analyse(name)
        assert len(gc.get_objects()) == before, "something is kept, or stands in a circle that only a collection opens"
    finally:
        gc.enable()
