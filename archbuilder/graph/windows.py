"""The arithmetic of sliding windows, shared by convolutions and pools."""

from __future__ import annotations

from typing import NamedTuple

from archbuilder.graph.answers import Spread, Window
from archbuilder.graph.op import OpError
from archbuilder.graph.shapes import Map

Pair = tuple[int, int]


def default_padding(op: str, kernel: Pair, dilation: Pair) -> Pair:
    """Half of the (dilated) kernel, which keeps the size at stride 1.

    Raises:
        OpError: for an even kernel, which has no middle.
    """
    if is_even(kernel):
        shown = kernel[0] if kernel[0] == kernel[1] else list(kernel)
        raise OpError(
            f"{op} with an even kernel ({shown}) has no default padding", "use an odd kernel, or say its `padding`"
        )
    return (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)


def same_padding(kernel: Pair, stride: Pair, dilation: Pair) -> Pair | None:
    """TensorFlow's SAME: zeros with which a window gives the map's size over the stride, rounded up.

    None where the map's size says how many these are, one more of an odd number behind the map. An odd kernel has no other
    at stride 1 either: so the uses of a block with a stride and those without are told by the same words.
    """
    spans = dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)
    fixed = stride == (1, 1) and is_even(kernel) and spans[0] % 2 == spans[1] % 2 == 0
    return (spans[0] // 2, spans[1] // 2) if fixed or kernel == (1, 1) else None


def is_even(kernel: Pair) -> bool:
    """Whether a window has no middle."""
    return kernel[0] % 2 == 0 or kernel[1] % 2 == 0


def margins(window: Window, size: Pair) -> tuple[Pair, Pair]:
    """What a window takes before a map of this size and behind it; of an odd number that the size asks for, one more behind."""
    if window.padding is not None:
        return (window.padding[0], window.padding[1]), (window.padding[0], window.padding[1])
    missing = [_missing(window, axis, size[axis]) for axis in (0, 1)]
    before = missing[0] // 2, missing[1] // 2
    return before, (missing[0] - before[0], missing[1] - before[1])


def padded(window: Window, shape: Map, behind: Pair | None) -> int:
    """How many numbers a map has with its margins."""
    before, after = margins(window, shape[1:])
    after = behind or after
    return shape.channels * (shape.height + before[0] + after[0]) * (shape.width + before[1] + after[1])


def _missing(window: Window, axis: int, size: int) -> int:
    """How many pixels a map lacks along an axis for a window to give its size over the stride, rounded up."""
    stride, reach = window.stride[axis], window.dilation[axis] * (window.kernel[axis] - 1)
    return max(0, (-(-size // stride) - 1) * stride + reach + 1 - size)


class Widened(NamedTuple):
    """A window on a map that is kept large: its dilation, the margin before the map, and that behind it where it is another."""

    dilation: Pair
    before: Pair
    behind: Pair | None


def widened(window: Window, on: Spread, *, dilates: bool = True) -> Widened:
    """The window of an op on a map that is kept large. It begins where it does in the map without that, takes the same pixels
    (those next to it, if it does not dilate), and as many fit in as are wanted."""
    dilation, before, behind = [0, 0], [0, 0], [0, 0]
    for axis, kernel in enumerate(window.kernel):
        by, reach = on.spacing[axis] if dilates else 1, window.dilation[axis] * (kernel - 1)
        dilation[axis] = by * window.dilation[axis] if kernel > 1 else 1
        before[axis] = by * margins(window, on.usual)[0][axis]
        behind[axis] = (on.wanted[axis] - 1) * on.stride[axis] + by * reach + 1 - on.size[axis] - before[axis]
        if 0 <= before[axis] - behind[axis] < on.stride[axis]:
            behind[axis] = before[axis]  # no further window fits in
    after = None if before == behind else (behind[0], behind[1])
    return Widened((dilation[0], dilation[1]), (before[0], before[1]), after)


def halves(kernel: Pair, dilation: Pair) -> tuple[Pair, Pair]:
    """Margins before and behind the map that keep its size at stride 1; of an odd number, one more behind."""
    spans = dilation[0] * (kernel[0] - 1), dilation[1] * (kernel[1] - 1)
    return (spans[0] // 2, spans[1] // 2), (spans[0] - spans[0] // 2, spans[1] - spans[1] // 2)


def around(before: Pair, behind: Pair) -> tuple[int, int, int, int]:
    """Margins as torch's `pad` takes them: left, right, above, below."""
    return before[1], behind[1], before[0], behind[0]


def slide(
    op: str,
    shape: Map,
    kernel: Pair,
    stride: Pair,
    padding: Pair | None,
    dilation: Pair = (1, 1),
    *,
    ceil: bool = False,
    behind: Pair | None = None,
) -> Pair:
    """The height and width after a window has slid over a map, as torch counts; `padding` is None for `same_padding`, and
    `behind` is the padding behind the map, where it is not that before it.

    Raises:
        OpError: if the window is larger than the padded on.
    """
    if padding is None:
        return -(-shape.height // stride[0]), -(-shape.width // stride[1])
    rows, columns = behind or padding
    height = _along(shape.height, kernel[0], stride[0], (padding[0], rows), dilation[0], ceil)
    width = _along(shape.width, kernel[1], stride[1], (padding[1], columns), dilation[1], ceil)
    if height < 1 or width < 1:
        needed = [dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i] for i in (0, 1)]
        raise OpError(
            f"{op} needs a map of at least {needed[0]}×{needed[1]}, got {shape.height}×{shape.width}",
            "use a larger input, a smaller kernel or fewer strides",
        )
    return height, width


def _along(size: int, kernel: int, stride: int, padding: Pair, dilation: int, ceil: bool) -> int:
    span = size + sum(padding) - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1 if span >= 0 else 0
    steps = -(-span // stride) + 1
    # The last window must begin inside the map or its left padding.
    return steps - 1 if (steps - 1) * stride >= size + padding[0] else steps
