"""The arithmetic of sliding windows, shared by convolutions and pools."""

from __future__ import annotations

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


def slide(
    op: str,
    shape: Map,
    kernel: Pair,
    stride: Pair,
    padding: Pair | None,
    dilation: Pair = (1, 1),
    *,
    ceil: bool = False,
) -> Pair:
    """The height and width after a window has slid over a map, as torch counts; `padding` is None for `same_padding`.

    Raises:
        OpError: if the window is larger than the padded map.
    """
    if padding is None:
        return -(-shape.height // stride[0]), -(-shape.width // stride[1])
    height = _along(shape.height, kernel[0], stride[0], padding[0], dilation[0], ceil)
    width = _along(shape.width, kernel[1], stride[1], padding[1], dilation[1], ceil)
    if height < 1 or width < 1:
        needed = [dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i] for i in (0, 1)]
        raise OpError(
            f"{op} needs a map of at least {needed[0]}×{needed[1]}, got {shape.height}×{shape.width}",
            "use a larger input, a smaller kernel or fewer strides",
        )
    return height, width


def _along(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return span // stride + 1 if span >= 0 else 0
    steps = -(-span // stride) + 1
    # The last window must begin inside the map or its left padding.
    return steps - 1 if (steps - 1) * stride >= size + padding else steps
