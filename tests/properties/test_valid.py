"""Random valid specs: what the analysis says of a network is what the built module is and does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, note, settings
from torch import Tensor, nn

import archbuilder
from archbuilder import SpecError
from archbuilder.graph.shapes import dimensions
from archbuilder.tasks.checking import Checked
from tests.properties.interpreter import Interpreter
from tests.properties.specs import specs

NAMES_OF_VALUES = """\
name: net
input: {channels: 4, size: 16}
defaults: {drop_path: {rate: $(0.1 * repeat)}, norm: {eps: $(0.1 * (repeat + 1))}}
blocks:
  skips:
    parameters: {skip: 1}
    body:
      for i in 4: {b.$i: {block: conv, kernel: 3, when: $(i != skip), from: input}}
      sum: {block: add, from: b.*}
      all: {block: concat, from: [b.*, input, sum]}
  ends:
    parameters: {n: 3, terms: {type: [string], default: [b.-1, b.0]}}
    body:
      for i in n: {b.$i: {block: conv, kernel: 3}}
      sum: {block: add, from: $terms}
      ends: {block: add, from: [b.-1, b.-2, sum.0, input.0]}
  dotted:
    parameters: {width: channels, rates: [1, 2]}
    body:
      stem.conv: {block: conv, kernel: 3, width: $width}
      parts: {block: split, parts: 2}
      for i in len(rates): {b.$i: {block: conv, kernel: 3, from: parts.1, dilation: "$(rates[i])"}}
      all: {block: concat, from: b.*}
      last: {block: conv, kernel: 1, width: $(stem.conv.channels + parts.0.channels + b.0.channels)}
stages:
  a: skips
  c: {block: skips, skip: 2}
  d: {block: skips, skip: 7}
  e: {block: conv_norm_act, width: 8, depth: 2}
  f: {block: ends, n: 4}
  g: {block: ends, terms: [input, b.1]}
  h: {block: dotted, width: 8}
  i: {block: dotted, width: 4, rates: [3, 1, 2]}
  j: {block: basic, width: 8, depth: 3}
"""
"""What names of values and of repeats may mean beside what is drawn."""


def checked(text: str) -> Checked:
    note(text)
    try:
        return archbuilder.check("random.yaml", text=text)
    except SpecError as error:
        raise AssertionError(f"a valid spec was refused:\n{error}") from None


def randomise(module: nn.Module) -> None:
    """Weights and statistics that hide nothing: no zeros, no ones, nothing equal."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                value.uniform_(0.5, 1.5, generator=generator)
                if value.dim() > 1:
                    value.sub_(1.0)
                if name.endswith("running_mean"):
                    value.sub_(1.0)


def counted(module: nn.Module, images: Tensor) -> tuple[Tensor, int, int, dict[str, tuple[int, ...]]]:
    """The main output, the multiply-accumulates and activations of layers, and all modules' shapes."""
    macs = activations = 0
    shapes: dict[str, tuple[int, ...]] = {}

    def weigh(layer: nn.Module, _given: Any, output: Tensor) -> None:
        nonlocal macs, activations
        macs += output[0].numel() * layer.get_parameter("weight")[0].numel()
        activations += output[0].numel()

    def attend(_layer: nn.Module, given: Any, output: Tensor) -> None:
        nonlocal macs, activations
        activations += output[0].numel()
        queries, keys, values = (each[0].flatten(0, -2) for each in given[0])
        macs += len(queries) * len(keys) * (queries.shape[-1] + values.shape[-1])

    def see(name: str) -> Any:
        def hook(_module: nn.Module, _given: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shapes[name] = tuple(output.shape[1:])

        return hook

    handles = []
    for name, layer in module.named_modules():
        handles.append(layer.register_forward_hook(see(name)))
        if isinstance(layer, nn.Conv2d | nn.Linear):
            handles.append(layer.register_forward_hook(weigh))
        if type(layer).__name__ in ("Attention", "ScaledAttention"):
            handles.append(layer.register_forward_hook(attend))
    with torch.no_grad():
        output = module(images)
    for handle in handles:
        handle.remove()
    return main_of(output), macs, activations, shapes


def main_of(output: Any) -> Tensor:
    """The main one of a network's outputs."""
    return output if isinstance(output, Tensor) else output.output


def values_of(output: Any) -> list[Tensor]:
    """All outputs that there are."""
    return [output] if isinstance(output, Tensor) else [each for each in output if each is not None]


def outputs_agree(module: nn.Module, interpreter: Interpreter, expected: Tensor, images: Tensor) -> None:
    """The further outputs, by name: those that are always there, and in eval mode none else."""
    with torch.no_grad():
        output = module(images)
    found = {} if isinstance(output, Tensor) else output._asdict()
    torch.testing.assert_close(found.pop("output", output), expected)
    there = {name: value for name, value in found.items() if value is not None}
    assert there.keys() == interpreter.outputs.keys()
    for name, value in there.items():
        torch.testing.assert_close(value, interpreter.outputs[name])


def analysis_is_what_is_built(text: str) -> None:
    network = checked(text)
    graph, summary = network.graph, network.summary
    source = archbuilder.to_source(graph)
    note(source)
    assert source == archbuilder.to_source(archbuilder.lower(network.architecture)), (
        "the same spec gives the same source"
    )
    module = archbuilder.build(network.architecture).eval()

    state = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    assert list(state.items()) == list(summary.state.items())
    assert sum(value.numel() for value in module.parameters()) == summary.parameters
    assert sum(value.numel() for value in module.buffers()) == summary.buffers

    randomise(module)
    module.double()
    images = torch.rand(2, *summary.input_shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    output, macs, activations, shapes = counted(module, images)
    assert tuple(output.shape[1:]) == summary.output_shape
    assert (macs, activations) == (summary.macs, summary.activations)
    for depth in ("stage", "block", "layer"):
        rows = summary.rows(depth)
        assert sum(row.parameters for row in rows if row.level == 0) == summary.parameters
        assert sum(row.macs for row in rows if row.level == 0) == summary.macs

    interpreter = Interpreter(module.state_dict())
    expected = interpreter.graph(graph, images)
    torch.testing.assert_close(output, expected, equal_nan=True)
    if not expected.isfinite().all():
        return  # products of products grow beyond all numbers: what is behind them is no number, there is no more to compare
    outputs_agree(module, interpreter, expected, images)
    assert interpreter.macs == summary.macs
    for path, shape in shapes.items():
        if path in interpreter.shapes:
            assert shape == interpreter.shapes[path], path
    for tap in graph.taps:
        assert shapes.get(tap.name, dimensions(graph.shape_of(tap.value))) == dimensions(graph.shape_of(tap.value))

    exported_is_what_is_built(source, module, images, output)
    drops_are_scheduled(module, interpreter, images)
    training_works(module, images)
    taps_are_computed(network, module, images, shapes)


def exported_is_what_is_built(source: str, module: nn.Module, images: Tensor, output: Tensor) -> None:
    """The text alone, run by itself, is the same network."""
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "exported.py", "exec"), scope)
    exported = scope[type(module).__name__]().double().eval()
    exported.load_state_dict(module.state_dict(), strict=True)
    with torch.no_grad():
        assert torch.equal(main_of(exported(images)), output)
    assert list(archbuilder.build(module.spec).state_dict()) == list(exported.state_dict()), (
        "building again changes no key"
    )


def drops_are_scheduled(module: nn.Module, interpreter: Interpreter, images: Tensor) -> None:
    """Each block drops its path as often as the schedule says, by its position in the network."""
    rates: list[float] = []
    handles = [
        each.register_forward_hook(lambda layer, *_: rates.append(layer.rate))
        for each in module.modules()
        if type(each).__name__ == "DropPath" and hasattr(each, "rate")
    ]
    with torch.no_grad():
        module(images)
    for handle in handles:
        handle.remove()
    count = len(interpreter.drops)
    expected = [op.rate_at(number, count) for number, ops in enumerate(interpreter.drops) for op in ops]
    assert sorted(rates) == pytest.approx(sorted(expected))


def training_works(module: nn.Module, images: Tensor) -> None:
    """Overwriting values in place changes no output and hinders no gradient."""
    module = copy.deepcopy(module)
    careful = copy.deepcopy(module)
    for each in careful.modules():
        if hasattr(each, "inplace"):
            each.inplace = False
    with torch.no_grad():
        for own, other in zip(values_of(module(images)), values_of(careful(images)), strict=True):
            assert torch.equal(own, other)
    gradients = []
    for each in (module, careful):
        each.train()
        torch.manual_seed(0)
        sum(value.square().mean() for value in values_of(each(images))).backward()
        gradients.append([value.grad for value in each.parameters()])
    for gradient, careful_gradient in zip(*gradients, strict=True):
        assert gradient is not None
        assert torch.equal(gradient, careful_gradient)


def taps_are_computed(network: Checked, module: nn.Module, images: Tensor, shapes: dict[str, tuple[int, ...]]) -> None:
    """A backbone gives the maps that the whole network computes on the way."""
    taps = [tap for tap in network.graph.taps if tap.name in shapes]
    if not taps:
        return
    names = [tap.name for tap in taps]
    backbone = archbuilder.build(network.architecture, features=names).double().eval()
    backbone.load_state_dict({key: value for key, value in module.state_dict().items() if key in backbone.state_dict()})
    seen: dict[str, Tensor] = {}
    for name in names:
        module.get_submodule(name).register_forward_hook(lambda *call, name=name: seen.update({name: call[-1].clone()}))
    with torch.no_grad():
        maps = backbone(images)
        module(images)
    assert list(maps) == names
    for tap in taps:
        assert torch.equal(maps[tap.name], seen[tap.name])
        assert tuple(maps[tap.name].shape[1:]) == dimensions(network.graph.shape_of(tap.value))
        info = next(info for info in module.feature_info if info["module"] == tap.name)
        assert info["num_chs"] == maps[tap.name].shape[1]


def written_again_is_the_same(text: str) -> None:
    network = checked(text)
    again = archbuilder.dump(network.architecture)
    note(again)
    other = checked(again)
    assert (other.summary.state, other.summary.macs, other.summary.layers) == (
        network.summary.state,
        network.summary.macs,
        network.summary.layers,
    )
    assert archbuilder.to_source(other.graph) == archbuilder.to_source(network.graph)
    assert archbuilder.dump(other.architecture) == again


@given(specs())
@example(NAMES_OF_VALUES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_analysis_is_what_is_built(text: str) -> None:
    analysis_is_what_is_built(text)


@given(specs())
@example(NAMES_OF_VALUES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_written_again_is_the_same(text: str) -> None:
    written_again_is_the_same(text)


@pytest.mark.slow
@given(specs())
@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
def test_many_specs(text: str) -> None:
    analysis_is_what_is_built(text)
    written_again_is_the_same(text)
