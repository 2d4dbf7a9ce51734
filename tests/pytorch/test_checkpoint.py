"""Checkpoints: what is read, what is made of wrappers' names, and what is said of files that do not fit."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from itertools import product
from pathlib import Path
from time import process_time

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import archbuilder
from archbuilder import CheckpointError, load_checkpoint

State = dict[str, Tensor]


class Net(nn.Module):
    """A network of two stages and a head."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.fc = nn.Linear(4, classes)


@pytest.fixture
def state() -> State:
    """What is in the file."""
    torch.manual_seed(0)
    return Net().state_dict()


@pytest.fixture
def path(tmp_path: Path, state: State) -> Path:
    torch.save(state, tmp_path / "net.pth")
    return tmp_path / "net.pth"


def other(classes: int = 3) -> Net:
    """A network with weights of its own."""
    torch.manual_seed(1)
    return Net(classes)


def assert_loaded(model: nn.Module, state: State) -> None:
    own = model.state_dict()
    assert len(own) == len(state)
    for value, expected in zip(own.values(), state.values(), strict=True):
        assert torch.equal(value, expected)


def refusal(model: nn.Module, source: Path | dict[str, object]) -> CheckpointError:
    """The error where a file is refused, after which the model is as it was."""
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(model, source)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items() if not value.is_meta)
    return caught.value


# ---- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["net.pth", "net.pt", "net.bin", "net"])
def test_what_torch_saves(tmp_path: Path, state: State, name: str) -> None:
    torch.save(state, tmp_path / name)
    model = other()
    load_checkpoint(model, str(tmp_path / name))
    assert_loaded(model, state)


@pytest.mark.parametrize("name", ["net.safetensors", "NET.SAFETENSORS"])
def test_safetensors(tmp_path: Path, state: State, name: str) -> None:
    save_file(state, tmp_path / name)
    model = other()
    load_checkpoint(model, tmp_path / name)
    assert_loaded(model, state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model"])
def test_a_state_inside_of_a_checkpoint(tmp_path: Path, state: State, wrapper: str) -> None:
    torch.save({"epoch": 3, wrapper: state}, tmp_path / "net.pth")
    model = other()
    load_checkpoint(model, tmp_path / "net.pth")
    assert_loaded(model, state)


def test_a_built_network(tmp_path: Path) -> None:
    spec = archbuilder.check("net.yaml", text="name: net\nstages: {layer1: {block: basic, width: 8}}\n").architecture
    model = archbuilder.build(spec)
    torch.save(model.state_dict(), tmp_path / "net.pth")
    twin = archbuilder.build(spec)
    load_checkpoint(twin, tmp_path / "net.pth")
    assert_loaded(twin, model.state_dict())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.pth"):
        load_checkpoint(other(), tmp_path / "none.pth")


def test_files_without_counters_of_batches(tmp_path: Path, state: State) -> None:
    """As those of before PyTorch 0.4.1, some of which torchvision still publishes."""
    old = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "net.pth")
    model = other()
    load_checkpoint(model, tmp_path / "net.pth")
    assert all(torch.equal(model.state_dict()[key], value) for key, value in old.items())


class Hostile:
    """Runs a command where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.trace}",)


def test_a_hostile_pickle_is_refused(tmp_path: Path, state: State) -> None:
    torch.save({**state, "more": Hostile(tmp_path / "trace")}, tmp_path / "net.pth")
    text = str(refusal(other(), tmp_path / "net.pth"))
    assert "net.pth holds more than tensors (it asks for `posix.system`), and reading it could run code" in text
    assert text.endswith("save the weights alone: torch.save(model.state_dict(), path)")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Hostile(tmp_path / "trace"), protocol=2))
    assert "posix.system" in str(refusal(other(), tmp_path / "plain.pth"))
    assert not (tmp_path / "trace").exists()


def test_a_whole_model_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "net.pth")
    text = str(refusal(other(), tmp_path / "net.pth"))
    assert "it asks for `torch.nn.modules.container.Sequential`" in text
    assert "torch.save(model.state_dict(), path)" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "net.pth is empty; "),
        (b"hello world\n", "net.pth is no file of weights: "),
        (b"\x80", "net.pth is no file of weights: "),
        (bytes(range(256)), "net.pth is no file of weights: "),
        (b"PK\x03\x04" + bytes(100), "net.pth is no file of weights: "),
        (b"\x80\x02K\x01.", "net.pth is no file of weights: "),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "net.pth").write_bytes(data)
    text = str(refusal(other(), tmp_path / "net.pth"))
    assert said in text
    assert text.endswith("save the weights alone: torch.save(model.state_dict(), path)")


@pytest.mark.parametrize("data", [b"garbage", b"\xff" * 100, b"\x08" + bytes(7) + b"{}"])
def test_files_that_are_no_safetensors(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "net.safetensors").write_bytes(data)
    text = str(refusal(other(), tmp_path / "net.safetensors"))
    assert "net.safetensors is no safetensors file (" in text
    assert "safetensors.torch.save_file(model.state_dict(), path)" in text


@pytest.mark.parametrize("held", [[1, 2], {"a": 1}, torch.zeros(2), {"state_dict": {"a": "b"}}])
def test_files_of_something_else(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "net.pth")
    text = str(refusal(other(), tmp_path / "net.pth"))
    assert "net.pth holds no state_dict, which is a map from names to tensors; save the weights alone" in text


def in_a_ring(*words: str) -> dict[str, object]:
    """Checkpoints, each of which holds the next one, and the last one the first."""
    held: list[dict[str, object]] = [{} for _ in words]
    for number, word in enumerate(words):
        held[number][word] = held[(number + 1) % len(words)]
    return held[0]


@pytest.mark.parametrize("words", [["model"], ["state_dict", "ema"], ["net", "model", "net", "teacher"]])
def test_what_holds_itself_holds_no_state(tmp_path: Path, words: list[str]) -> None:
    torch.save(in_a_ring(*words), tmp_path / "net.pth")
    for source in (tmp_path / "net.pth", in_a_ring(*words)):
        assert "holds no state_dict, which is a map from names to tensors" in str(refusal(other(), source))


# ---- what does not fit -------------------------------------------------------------------------------------------


ODD = {
    "sparse": lambda tensor: tensor.to_sparse(),
    "meta": lambda tensor: tensor.to("meta"),
    "nested": lambda tensor: torch.nested.nested_tensor([tensor]),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("key", ["layer1.0.weight", "fc.bias"])
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_one_odd_tensor_among_good_ones_changes_nothing(tmp_path: Path, state: State, key: str, kind: str) -> None:
    torch.save({**state, key: ODD[kind](state[key])}, tmp_path / "net.pth")
    said = str(refusal(other(), tmp_path / "net.pth")).splitlines()
    assert "holds tensors that are no plain numbers in memory" in said[0]
    assert said[1:] == ["  not plain (1):", f"    {key}: {kind}"]


def test_names_in_a_file_command_no_terminal(tmp_path: Path, state: State) -> None:
    torch.save({**state, "\x1b]0;x\x07\nfc.bias": state["fc.bias"]}, tmp_path / "net.pth")
    said = str(refusal(other(), tmp_path / "net.pth"))
    assert "  not in the model (1):\n    \\u001b]0;x\\u0007\\u000afc.bias\n" in said


def test_what_does_not_fit_is_listed(tmp_path: Path, state: State) -> None:
    wrong = {**state, "fc2.weight": torch.zeros(1)}
    del wrong["layer1.1.bias"]
    torch.save(wrong, tmp_path / "net.pth")
    error = refusal(other(classes=5), tmp_path / "net.pth")
    assert str(error).splitlines() == [
        f"{tmp_path / 'net.pth'} does not fit the model",
        "  missing in the file (1):",
        "    layer1.1.bias",
        "  not in the model (1):",
        "    fc2.weight",
        "  of another shape (2):",
        "    fc.weight: (3, 4) in the file, (5, 4) in the model",
        "    fc.bias: (3,) in the file, (5,) in the model",
        "  help: load_checkpoint(model, ..., partial=True) loads what fits, 6 of 9 tensors",
    ]
    assert (error.missing, error.unexpected, len(error.misshapen)) == (["layer1.1.bias"], ["fc2.weight"], 2)
    assert isinstance(error, ValueError)
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), twin.missing) == (str(error), error.missing)


def test_long_lists_are_cut(tmp_path: Path, path: Path) -> None:
    model = nn.ModuleDict({f"layer{number}": nn.Linear(1, 1) for number in range(20)})
    lines = str(refusal(model, path)).splitlines()
    assert lines[1] == "  missing in the file (40):"
    assert lines[14] == "    ... and 28 more"


def test_one_counter_of_batches_may_not_be_missing(tmp_path: Path, state: State) -> None:
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2))
    old = {key: value for key, value in model.state_dict().items() if key != "1.num_batches_tracked"}
    torch.save(old, tmp_path / "net.pth")
    assert refusal(model, tmp_path / "net.pth").missing == ["1.num_batches_tracked"]


def test_integers_are_no_weights(tmp_path: Path, state: State) -> None:
    torch.save({key: value.int() for key, value in state.items()}, tmp_path / "net.pth")
    error = refusal(other(), tmp_path / "net.pth")
    assert "  of another kind of number (" in str(error)
    assert "fc.bias: int32 in the file, float32 in the model" in error.mistyped
    assert not any("num_batches_tracked" in each for each in error.mistyped)  # int32 into int64 is no loss


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_counts_are_converted_with_all_the_rest(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    counted = {**state, "layer1.1.num_batches_tracked": torch.tensor(96)}
    torch.save({key: value.to(dtype) for key, value in counted.items()}, tmp_path / "net.pth")
    model = other()
    load_checkpoint(model, tmp_path / "net.pth")
    assert model.state_dict()["layer1.1.num_batches_tracked"].tolist() == 96


@pytest.mark.parametrize("count", [0.5, float("inf"), float("nan")])
def test_what_is_not_whole_is_no_count(tmp_path: Path, state: State, count: float) -> None:
    torch.save({**state, "layer1.1.num_batches_tracked": torch.tensor(count)}, tmp_path / "net.pth")
    assert refusal(other(), tmp_path / "net.pth").mistyped == [
        "layer1.1.num_batches_tracked: float32 in the file, int64 in the model"
    ]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted(tmp_path: Path, state: State, dtype: torch.dtype) -> None:
    half = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    torch.save(half, tmp_path / "net.pth")
    model = other()
    load_checkpoint(model, tmp_path / "net.pth")
    assert model.fc.weight.dtype == torch.float32
    assert torch.equal(model.fc.weight, half["fc.weight"].float())


def test_a_model_without_memory_is_refused(path: Path, state: State) -> None:
    with torch.device("meta"):
        model = other()
    assert 'call model.to_empty(device="cpu") first' in str(refusal(model, path))
    model.to_empty(device="cpu")
    load_checkpoint(model, path)
    assert_loaded(model, state)


# ---- wrappers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("inside", ["", "_orig_mod.", "module."])
def test_names_of_wrapped_models(tmp_path: Path, state: State, prefix: str, inside: str) -> None:
    wrapped = {prefix + key.replace("layer1.", f"layer1.{inside}"): value for key, value in state.items()}
    torch.save(wrapped, tmp_path / "net.pth")
    model = other()
    load_checkpoint(model, tmp_path / "net.pth")
    assert_loaded(model, state)


def test_names_of_a_model_with_one_compiled_stage(tmp_path: Path, state: State) -> None:
    save_file(
        {key.replace("layer1.", "layer1._orig_mod."): value for key, value in state.items()}, tmp_path / "a.safetensors"
    )
    model = other()
    load_checkpoint(model, tmp_path / "a.safetensors")
    assert_loaded(model, state)


def parallel(model: nn.Module) -> nn.Module:
    return nn.DataParallel(model)


def compiled(model: nn.Module) -> nn.Module:
    return torch.compile(model, backend="eager")


def compiled_inside(model: nn.Module) -> nn.Module:
    model.layer1 = compiled(model.layer1)
    return model


WRAPPED: list[Callable[[nn.Module], nn.Module]] = [
    parallel,
    compiled,
    compiled_inside,
    lambda model: parallel(compiled(model)),
    lambda model: compiled(parallel(compiled_inside(model))),
]


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_wrapped_models_are_loaded_into(
    tmp_path: Path, state: State, wrap: Callable[[nn.Module], nn.Module], prefix: str
) -> None:
    torch.save({prefix + key: value for key, value in state.items()}, tmp_path / "net.pth")
    inner = other()
    load_checkpoint(wrap(inner), tmp_path / "net.pth")
    assert_loaded(inner, state)


@pytest.mark.parametrize("wrap", WRAPPED)
def test_a_wrapped_model_loads_its_own(tmp_path: Path, state: State, wrap: Callable[[nn.Module], nn.Module]) -> None:
    source = Net()
    source.load_state_dict(state)
    torch.save(wrap(source).state_dict(), tmp_path / "net.pth")
    for target in (other(), wrap(other())):
        load_checkpoint(target, tmp_path / "net.pth")
        assert_loaded(target, state)


@pytest.mark.parametrize("name", ["module", "_orig_mod"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_a_child_may_be_called_as_a_prefix(tmp_path: Path, name: str, prefix: str) -> None:
    models = [nn.ModuleDict({name: nn.Linear(2, 2)}) for _ in range(3)]
    expected = models[0].state_dict()
    torch.save({prefix + key: value for key, value in expected.items()}, tmp_path / "net.pth")
    for target in (models[1], parallel(models[2])):
        load_checkpoint(target, tmp_path / "net.pth")
        assert_loaded(target, expected)


def test_names_that_differ_by_a_prefix_alone(tmp_path: Path) -> None:
    def twice() -> nn.Module:
        return nn.ModuleDict({"fc": nn.Linear(2, 2), "module": nn.ModuleDict({"fc": nn.Linear(2, 2)})})

    expected = twice().state_dict()
    for prefix in ("", "module."):
        torch.save({prefix + key: value for key, value in expected.items()}, tmp_path / "net.pth")
        model = twice()
        load_checkpoint(model, tmp_path / "net.pth")
        assert_loaded(model, expected)


DEEP = 40_000
ODD_NAMES: dict[str, Callable[[str], list[str]]] = {
    "one of many words": lambda _: ["a." * DEEP + "a"],
    "one under many words": lambda key: ["a." * DEEP + key],
    "each under many wrappers": lambda key: ["module." * DEEP + key],
    "each under many holders": lambda key: ["model.encoder." * DEEP + key],
    "dots": lambda key: ["." * DEEP + key],
    "under many prefixes": lambda key: [
        ".".join((*words, key))
        for words in product(("model", "net", "teacher", "student", "trunk", "encoder"), repeat=4)
    ],
}


@pytest.mark.parametrize("names", ODD_NAMES)
def test_odd_names_take_no_time_and_no_room(state: State, names: str) -> None:
    started = process_time()
    odd = {name: value for key, value in state.items() for name in ODD_NAMES[names](key)}
    try:
        said = str(load_checkpoint(other(), odd))
    except CheckpointError as error:
        said = str(error)
    assert process_time() - started < 3
    assert max(map(len, said.splitlines())) < 200


def test_of_many_networks_one_is_named(state: State) -> None:
    several = {name: value for key, value in state.items() for name in ODD_NAMES["under many prefixes"](key)}
    said = str(refusal(other(), several))
    assert said == 'the state holds names under 1296 prefixes; say which, as in prefix="model.model.model.model."'
    model = other()
    load_checkpoint(model, several, prefix="net.teacher.net.net", partial=True)
    assert_loaded(model, state)


def test_messages_speak_of_plain_names(tmp_path: Path, state: State) -> None:
    torch.save({f"module.{key}": value for key, value in state.items()}, tmp_path / "net.pth")
    assert refusal(parallel(other(classes=5)), tmp_path / "net.pth").misshapen == [
        "fc.weight: (3, 4) in the file, (5, 4) in the model",
        "fc.bias: (3,) in the file, (5,) in the model",
    ]
