"""Where boxes stand while some are open."""

from __future__ import annotations

import pytest

from archbuilder.page.picture import FRAME, place
from archbuilder.page.picture import paths as paths_of
from tests.page.reading import read


@pytest.mark.parametrize("name", ["resnet50", "hrnet_w18_small", "googlenet"])
def test_what_is_unfolded_and_folded_again_is_where_it_was(name: str) -> None:
    picture = read(name).picture
    closed = place(picture, [])
    for path in [each for each in paths_of(picture) if "." not in each]:
        assert place(picture, [path]).width >= closed.width
        assert place(picture, []) == closed


@pytest.mark.parametrize("name", ["resnet50", "hrnet_w18_small", "googlenet"])
def test_what_is_inside_stays_inside(name: str) -> None:
    picture = read(name).picture
    placed = place(picture, list(paths_of(picture)))
    for path, frame in placed.frames.items():
        around = path.rpartition(".")[0]
        if around:
            outer = placed.frames[around]
            assert outer.x + FRAME - 0.01 <= frame.x <= frame.right <= outer.right, path
            assert outer.y <= frame.y <= frame.bottom <= outer.bottom, path


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121"])
def test_boxes_beside_each_other_do_not_overlap(name: str) -> None:
    picture = read(name).picture
    placed = place(picture, list(paths_of(picture)))
    inside: dict[str, list[str]] = {}
    for path in placed.frames:
        inside.setdefault(path.rpartition(".")[0], []).append(path)
    for beside in inside.values():
        frames = [placed.frames[path] for path in beside]
        for number, one in enumerate(frames):
            for other in frames[number + 1 :]:
                apart = one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y
                assert apart or 0 in (one.width, other.width), (one, other)


def test_the_main_path_stays_straight() -> None:
    picture = read("resnet50").picture
    placed = place(picture, ["3", "3.1"])
    axes = {round(frame.axis, 6) for path, frame in placed.frames.items() if path.count(".") == 0}
    assert len(axes) == 1


def test_only_what_is_in_open_boxes_is_placed() -> None:
    picture = read("resnet18").picture
    assert all("." not in path for path in place(picture, []).frames)
    assert place(picture, ["2.1"]).frames == place(picture, []).frames  # in a box that is closed
