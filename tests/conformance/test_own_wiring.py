"""A network with a wiring that no reference has, in YAML and by hand: the same keys, outputs and gradients."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archbuilder

from .weights import image, weights

SPEC = Path(__file__).parents[2] / "examples" / "own_wiring.yaml"


def conv_norm_act(inputs: int, width: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(inputs, width, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


class Fork(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.coarse = conv_norm_act(width, 2 * width, stride=2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, self.coarse(x)


class Rung(nn.Module):
    def __init__(self, narrow: int, wide: int, reach: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.full((wide, 1, 1), 0.1))
        self.fine = conv_norm_act(narrow, narrow)
        self.coarse = conv_norm_act(wide, wide, dilation=reach)
        self.down = nn.Sequential(nn.Conv2d(narrow, wide, 3, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.Sigmoid())
        self.up = nn.Sequential(
            nn.Conv2d(wide, narrow, 1, bias=False), nn.BatchNorm2d(narrow), nn.Sigmoid(), nn.Upsample(scale_factor=2)
        )

    def forward(self, streams: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        fine, coarse = self.fine(streams[0]), self.coarse(streams[1])
        return streams[0] + fine * self.up(coarse), streams[1] + coarse * self.down(fine) * self.strength


class Ladder(nn.Module):
    def __init__(self, width: int = 16, rungs: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.conv = conv_norm_act(3, width)
        self.fork = Fork(width)
        self.ladder = nn.Sequential(*(Rung(width, 2 * width, reach + 1) for reach in range(rungs)))
        self.down = conv_norm_act(width, 2 * width, stride=2)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        fine, coarse = self.ladder(self.fork(self.conv(x)))
        return self.fc(torch.cat([self.down(fine), coarse], dim=1).mean(dim=(2, 3)))


@pytest.fixture(params=[{}, {"width": 8, "rungs": 2, "classes": 3}], ids=["as written", "smaller"])
def pair(request: pytest.FixtureRequest) -> tuple[nn.Module, nn.Module]:
    """The network of the spec and the one written by hand, with the same weights."""
    own, by_hand = archbuilder.build(SPEC, **request.param), Ladder(**request.param)
    state = {key: tuple(value.shape) for key, value in by_hand.state_dict().items()}
    assert list(own.state_dict()) == list(state)
    for model in (own, by_hand):
        model.load_state_dict(weights(state), strict=True)
        model.double()
    return own, by_hand


@pytest.mark.parametrize("train", [False, True])
def test_same_outputs_and_gradients(pair: tuple[nn.Module, nn.Module], train: bool) -> None:
    x = image((2, 3, 32, 48))
    outputs = []
    for model in pair:
        output = model.train(train)(x)
        output.square().mean().backward()
        outputs.append(output)
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-12, atol=1e-12)
    own, by_hand = pair
    for (name, parameter), wanted in zip(own.named_parameters(), by_hand.parameters(), strict=True):
        assert parameter.grad is not None, name
        torch.testing.assert_close(parameter.grad, wanted.grad, rtol=1e-9, atol=1e-12, msg=name)
    for (name, buffer), wanted in zip(own.named_buffers(), by_hand.buffers(), strict=True):
        torch.testing.assert_close(buffer, wanted, msg=name)


def test_drawn_as_the_spec_says() -> None:
    model = archbuilder.build(SPEC)
    assert model.ladder[1].strength.unique().tolist() == [pytest.approx(0.1)]
    assert [rung.coarse[0].dilation for rung in model.ladder] == [(1, 1), (2, 2), (3, 3)]
