"""Runs a built network once and compares what it does with what its graph says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import torch
import torchinfo
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archbuilder.analysis.summary import Depth
from archbuilder.graph.answers import Construct
from archbuilder.graph.graph import Graph
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape, Streams, dimensions, in_parts
from archbuilder.language.models import Input
from archbuilder.pytorch.build import module_maker
from archbuilder.tasks.checking import Checked

_TORCHINFO_DEPTH = {"stage": 1, "block": 2, "layer": 5}
_COLUMNS = ("output_size", "num_params", "mult_adds")

Shapes: TypeAlias = tuple[tuple[int, ...], ...]
"""The shape of a value without the batch, or those of several streams."""

_UNIT = re.compile(r"\(Units\.([MGT])\w+\)")
"""How torchinfo writes a unit on newer Pythons: the name of its enum's member."""


class PictureError(Exception):
    """A picture cannot be read, or not be given to this network."""


@dataclass
class Run:
    """What was seen in one forward pass, and where that differs from the summary. `macs` are those that torch counted."""

    torchinfo: str
    given: str
    parameters: int
    outputs: Shapes
    top: list[tuple[int, float]]
    macs: int
    expected_shapes: int
    equal_shapes: int
    differences: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    """What a plugin does not say of the MACs of its modules, and torch counted."""


def build_and_run(checked: Checked, image: Path | None, depth: Depth) -> Run:
    """Builds a network from a fixed seed and runs it on a picture, or on random numbers.

    Raises:
        PictureError: if the picture cannot be used.
    """
    shape = checked.summary.input_shape
    torch.manual_seed(0)
    given = _random(checked.graph.input) if image is None else read_picture(image, shape, checked.architecture.input)
    model = module_maker(checked.architecture, checked.graph)()
    layers = list(_layers(checked.graph, idle=checked.graph.training_only))
    with (
        _Watch(model) as watch,
        FlopCounterMode(display=False) as counter,
        sdpa_kernel(SDPBackend.MATH),
    ):
        info = torchinfo.summary(
            model, input_data=[given], depth=_TORCHINFO_DEPTH[depth], col_names=_COLUMNS, verbose=0
        )
    watched = [each for each in layers if each.path in watch.shapes or (each.op.state() and not each.op.holds_tensor)]
    shapes = {layer.path: layer.shapes for layer in watched}
    wrong = {path: watch.shapes.get(path) for path, shape in shapes.items() if watch.shapes.get(path) != shape}
    run = Run(
        torchinfo=_UNIT.sub(r"(\1)", str(info)),
        given="random numbers" if image is None else image.name,
        parameters=info.total_params,
        outputs=watch.outputs,
        top=watch.top,
        macs=_macs(counter, "Global"),
        expected_shapes=len(shapes),
        equal_shapes=len(shapes) - len(wrong),
    )
    run.differences += _differences(checked, run)
    run.differences += [
        f"{path}: expected {_sizes(shapes[path])}, got {_sizes(found or ())}" for path, found in wrong.items()
    ]
    _compare_macs(run, layers, counter, type(model).__name__)
    return run


def _macs(counter: FlopCounterMode, path: str) -> int:
    """The multiply-accumulates that torch counted in a module; it counts two operations for each."""
    return sum(counter.get_flop_counts().get(path, {}).values()) // 2


def _compare_macs(run: Run, layers: list[_Layer], counter: FlopCounterMode, root: str) -> None:
    """Holds what plugins say of the MACs of their modules against those that torch counted."""
    for layer in layers:
        if not layer.op.needs:
            continue
        said, counted = layer.op.macs(layer.op_shape), _macs(counter, f"{root}.{layer.path}")
        if said is None:
            run.unsaid.append(f"`{layer.op.name}` does not say its MACs: torch counts {counted:,} in {layer.path}")
        elif said != counted:
            run.differences.append(f"{layer.path}: `{layer.op.name}` says {said:,} MACs, torch counts {counted:,}")


def _random(shape: Shape) -> Tensor | tuple[Tensor, ...]:
    """Random numbers for one image; those of streams as a tuple."""
    parts = tuple(torch.rand(1, *dimensions(part)) for part in in_parts(shape))
    return parts if isinstance(shape, Streams) else parts[0]


def _differences(checked: Checked, run: Run) -> Iterator[str]:
    summary = checked.summary
    for name, expected, found in (
        ("parameters", summary.parameters, run.parameters),
        ("MACs", run.macs if summary.macs is None else summary.macs, run.macs),
        ("output", _sizes(map(dimensions, in_parts(checked.graph.output_shape))), _sizes(run.outputs)),
    ):
        if expected != found:
            yield f"{name}: expected {expected}, got {found}"


def _sizes(shapes: Iterable[tuple[int, ...]]) -> str:
    return " + ".join("×".join(str(size) for size in shape) for shape in shapes) or "nothing"


class _Layer(NamedTuple):
    """An op that is a module of its own."""

    path: str
    op: Op
    op_shape: Any
    shapes: Shapes


def _layers(graph: Graph, prefix: str = "", idle: frozenset[int] = frozenset()) -> Iterator[_Layer]:
    """The ops of a graph that are modules, down to the innermost; without those in nodes that are `idle`."""
    for number, node in enumerate(graph.nodes):
        for name in node.all_names() if number not in idle else ():
            path = f"{prefix}{name}"
            if isinstance(node.body, Graph):
                yield from _layers(node.body, f"{path}.")
            elif node.body is not None and isinstance(node.body.emit(), Construct):
                yield _Layer(path, node.body, node.shape, tuple(map(dimensions, in_parts(node.shape))))


class _Watch:
    """Sees every module's output in a forward pass, by way of hooks."""

    def __init__(self, model: nn.Module) -> None:
        self.shapes: dict[str, Shapes] = {}
        self.outputs: Shapes = ()
        self.top: list[tuple[int, float]] = []
        self._model = model
        self._handles: list[Any] = []

    def __enter__(self) -> Self:
        for path, module in self._model.named_modules():
            self._handles.append(module.register_forward_hook(self._hook(path)))
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _hook(self, path: str) -> Any:
        def see(module: nn.Module, _: Any, output: Any) -> None:
            every = _main(output)
            if not every:
                return
            self.shapes[path] = tuple(tuple(each.shape[1:]) for each in every)
            if module is self._model:
                self.outputs = self.shapes[path]
                self.top = _top(every[0][0]) if every[0].dim() == 2 else []

        return see


def _main(output: Any) -> tuple[Tensor, ...]:
    """What a module gives: a tensor, or those of several streams; without the further outputs that a named tuple has."""
    every = output if isinstance(output, tuple | list) else (output,)
    main = every[:1] if hasattr(output, "_fields") else every
    return tuple(each for each in main if isinstance(each, Tensor))


def _top(scores: Tensor, count: int = 5) -> list[tuple[int, float]]:
    shares, indices = scores.detach().softmax(0).topk(min(count, len(scores)))
    return list(zip(indices.tolist(), shares.tolist(), strict=True))


def read_picture(path: Path, shape: tuple[int, ...], input: Input) -> Tensor:
    """A picture as a batch of one: scaled as the spec says, its middle cut out, normalised.

    Raises:
        PictureError: if it cannot be read, or a network of so many channels takes no picture.
    """
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise PictureError("reading a picture needs pillow: pip install pillow") from None
    channels, height, width = shape
    if channels not in (1, 3):
        raise PictureError(f"a picture has 1 or 3 channels, this network takes {channels}")
    try:
        with Image.open(path) as picture:
            whole = (round(width / input.crop), round(height / input.crop))
            how = Image.Resampling[input.interpolation.upper()]
            plain = _in_8_bits(picture, path).convert("RGB" if channels == 3 else "L")
            scaled = ImageOps.fit(plain, whole, how)
            left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
            fitted = scaled.crop((left, top, left + width, top + height))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise PictureError(f"cannot read {path}: {error}") from None
    pixels = torch.frombuffer(bytearray(fitted.tobytes()), dtype=torch.uint8).view(height, width, channels)
    values = pixels.permute(2, 0, 1).float() / 255
    mean, deviation = (torch.tensor(each).view(-1, 1, 1) for each in input.statistics(channels))
    return ((values - mean) / deviation)[None]


def _in_8_bits(picture: Any, path: Path) -> Any:
    """A picture whose numbers go to 255: pillow takes greys of 16 bits as they are, and cuts off what is above."""
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PNG", "PPM")):
        return picture.convert("I").point(lambda value: value * (1 / 257) + 0.5)
    if picture.mode in ("I", "F"):
        raise PictureError(f"{path} does not say which of its numbers is white: save it with 8 or 16 bits")
    return picture
