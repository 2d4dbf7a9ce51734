"""What a built network can do beside what its source says: timm's contract of a classifier, and its facts."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, fx, nn

import archbuilder
from archbuilder.language import zoo
from archbuilder.language.networks import variants_of
from benchmarks.reference import torchvision_module

TINY = """
name: tiny
class: Tiny
input: {channels: 3, size: 32}
parameters: {classes: 10}
stem: {conv1: {block: conv, width: 8, kernel: 3, stride: 2}, bn1: norm, relu: activation}
stages:
  layer1: {block: basic, width: 8, depth: 2}
  layer2: {block: basic, width: 16, depth: 2, stride: 2}
head: {avgpool: global_pool, fc: {block: linear, width: $classes}}
"""
LISTED = "head: {avgpool: global_pool, classifier: [{block: linear, width: 12}, activation, {block: linear, width: $classes}]}"
OWN_HEAD = """
blocks:
  my_head: {parameters: {width: channels}, body: {pool: global_pool, out: {block: linear, width: $width}}}
head: {top: {block: my_head, width: $classes}}
"""
CONVOLVED = "head: {logits: {block: conv, width: $classes, kernel: 1}, act: activation, avgpool: global_pool}"
HEADS = {"plain": "", "listed": LISTED, "in a block of its own": OWN_HEAD, "a convolution": CONVOLVED}
IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def spec(head: str = "") -> str:
    return TINY if not head else TINY.partition("head:")[0] + head


def tiny(head: str = "") -> archbuilder.Network:
    torch.manual_seed(0)
    return archbuilder.build(text=spec(head)).eval()


@pytest.fixture(params=HEADS)
def model(request: pytest.FixtureRequest) -> archbuilder.Network:
    """A network with a head of each form."""
    return tiny(HEADS[request.param])


def test_the_head_and_what_comes_before_are_the_whole(model: archbuilder.Network) -> None:
    for training in (False, True):
        model.train(training)
        torch.testing.assert_close(model.forward_head(model.forward_features(IMAGES)), model(IMAGES))
    features = model.forward_features(IMAGES)
    assert features.shape == (2, model.num_features, 8, 8)
    assert model.num_classes == 10


@torch.no_grad()
def test_another_classifier_and_none(model: archbuilder.Network) -> None:
    features = model.forward_features(IMAGES)
    before = model.forward_head(features, pre_logits=True)
    assert before.shape == (2, model.head_hidden_size)
    model.reset_classifier(7)
    assert (model.num_classes, model.pretrained_cfg["num_classes"]) == (7, 7)
    assert model(IMAGES).shape == (2, 7)
    assert model.get_classifier().weight.shape[0] == 7
    assert torch.equal(model.forward_features(IMAGES), features), "all other weights stay"
    model.reset_classifier(0)
    assert torch.equal(model(IMAGES), before)
    assert isinstance(model.get_classifier(), nn.Identity)
    model.reset_classifier(0, "")
    assert torch.equal(model(IMAGES), features)
    assert torch.equal(model.forward_head(features), features)
    model.reset_classifier(10)
    assert model(IMAGES).shape == (2, 10)
    assert list(model.state_dict()) == list(tiny_like(model).state_dict())


def tiny_like(model: archbuilder.Network) -> archbuilder.Network:
    return archbuilder.build(model.spec)


def test_a_reset_model_is_copied_saved_and_trained(model: archbuilder.Network, tmp_path: Path) -> None:
    model.reset_classifier(4)
    torch.save(model, tmp_path / "model.pt")
    twins = [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    twins.append(torch.load(tmp_path / "model.pt", weights_only=False))
    for twin in twins:
        assert torch.equal(twin(IMAGES), model(IMAGES))
        assert torch.equal(twin.forward_features(IMAGES), model.forward_features(IMAGES))
        nn.init.zeros_(twin.layer2[0].conv1.weight)
        assert not torch.equal(twin.forward_features(IMAGES), model.forward_features(IMAGES)), "it is its own"
        assert isinstance(twin, archbuilder.Network)
    model.train()(IMAGES).square().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_what_a_user_changes_is_in_the_parts_too() -> None:
    model = tiny()
    model.relu = nn.GELU()
    model.layer1[0] = nn.Identity()
    model.layer2 = nn.Sequential(nn.Conv2d(8, 5, 1))
    features = model.forward_features(IMAGES)
    assert torch.equal(features, model.layer2(model.layer1(model.relu(model.bn1(model.conv1(IMAGES))))))


def test_a_new_classifier_is_where_and_as_precise_as_the_rest() -> None:
    model = tiny().to(torch.bfloat16)
    model.register_forward_hook(lambda _module, _inputs, output: output * 0)
    model.reset_classifier(3)
    assert model.fc.weight.dtype == torch.bfloat16
    assert model(IMAGES.bfloat16()).count_nonzero() == 0, "its hooks stay"


RESETS = [[(3,)], [(0,)], [(0, "")], [(0, ""), (5,)], [(0,), (10,)]]


def add_to(module: Any) -> list[object]:
    """All that somebody can add to a module; what was added."""
    module.aux, module.scale = nn.Linear(2, 2), nn.Parameter(torch.ones(3))
    module.register_buffer("seen", torch.zeros(2))
    module.register_buffer("passing", torch.zeros(2), persistent=False)
    module.note = "mine"
    module.register_forward_hook(lambda each, _inputs, _output: setattr(each, "ran", True))
    return added_to(module)


def added_to(module: Any) -> list[object]:
    module.ran = False
    return [module.aux, module.scale, module.seen, module.passing, module.note]


@pytest.mark.parametrize("resets", RESETS, ids=str)
def test_what_a_user_added_stays(model: archbuilder.Network, resets: list[tuple[Any, ...]]) -> None:
    added = add_to(model)
    for reset in resets:
        model.reset_classifier(*reset)
    assert all(now is before for now, before in zip(added_to(model), added, strict=True))
    model(IMAGES)
    assert model.ran
    assert list(model.state_dict())[:2] == ["scale", "seen"]
    assert list(model.state_dict())[-2:] == ["aux.weight", "aux.bias"]


@pytest.mark.parametrize("resets", [[(3,)], [(0,)], [(0,), (4,)]], ids=str)
def test_what_a_user_added_to_the_head_stays(resets: list[tuple[Any, ...]]) -> None:
    model = tiny(HEADS["in a block of its own"])
    top, added = model.top, add_to(model.top)
    for reset in resets:
        model.reset_classifier(*reset)
    assert model.top is top
    assert all(now is before for now, before in zip(added_to(top), added, strict=True))
    model(IMAGES)
    assert top.ran


def test_a_name_that_is_free_again_is_the_new_layers() -> None:
    model = tiny()
    model.reset_classifier(0)
    model.fc = nn.Linear(16, 2)
    model.reset_classifier(5)
    assert model(IMAGES).shape == (2, 5)


def test_as_many_classes_get_a_new_layer_too(model: archbuilder.Network) -> None:
    before, features = model.get_classifier(), model.forward_features(IMAGES)
    model.reset_classifier(10)
    assert model.get_classifier() is not before
    assert not torch.equal(model.get_classifier().weight, before.weight)
    assert torch.equal(model.forward_features(IMAGES), features)


def test_what_is_not_trained_stays_so() -> None:
    model = tiny().train()
    model.layer1.eval()
    model.bn1.requires_grad_(False)
    model.reset_classifier(3)
    assert (model.training, model.layer1.training, model.layer1[0].training, model.layer2.training) == (
        True,
        False,
        False,
        True,
    )
    assert model.fc.training
    assert not model.bn1.weight.requires_grad


@pytest.mark.parametrize("classes", [-1, 1.0, True, "3", None])
def test_classes_are_counted(classes: object) -> None:
    with pytest.raises(ValueError, match="`num_classes` is a whole number from 0, got"):
        tiny().reset_classifier(classes)  # type: ignore[arg-type]


def test_no_classes_without_a_head() -> None:
    with pytest.raises(ValueError, match="without a head there are no classes"):
        tiny().reset_classifier(3, "")


def test_the_pool_is_the_specs() -> None:
    for pool in (None, "avg"):
        model = tiny()
        model.reset_classifier(3, pool)
        assert model(IMAGES).shape == (2, 3)


@pytest.mark.parametrize(
    "head", ["", LISTED, OWN_HEAD, CONVOLVED.replace("global_pool", "{block: global_pool, kind: sum}")]
)
@pytest.mark.parametrize("pool", ["max", "catavgmax", "nonsense", "avgpool", 3, ["avg"]])
def test_another_pool_is_refused(head: str, pool: object) -> None:
    model = tiny(head)
    before = model(IMAGES)
    with pytest.raises(
        ValueError,
        match=f"got {re.escape(repr(pool))}: another pool is a matter of the spec, which says it in its `head`",
    ):
        model.reset_classifier(3, pool)  # type: ignore[arg-type]
    assert torch.equal(model(IMAGES), before)


LINEAR, PLAIN = "{block: linear, width: 10}", TINY.replace("parameters: {classes: 10}\n", "").partition("head:")[0]
TWO = f"a: {LINEAR}, b: {{block: linear, from: p, width: 10}}"
JOINED = {
    "a sum": f"head: {{p: global_pool, {TWO}, z: {{block: add, from: [a, b]}}}}",
    "a product": f"head: {{p: global_pool, {TWO}, z: {{block: multiply, from: [a, b]}}}}",
    "in a block": f"blocks: {{mine: {{body: {{p: global_pool, {TWO}, z: {{block: add, from: [a, b]}}}}}}}}\nhead: {{top: mine}}",
}


@pytest.mark.parametrize("head", JOINED.values(), ids=JOINED)
def test_classes_of_several_layers_are_not_reset(head: str) -> None:
    model = archbuilder.build(text=PLAIN + head).eval()
    before, features = model(IMAGES), model.forward_features(IMAGES)
    torch.testing.assert_close(model.forward_head(features), before)
    said = r"the classes of this network are not those of `(top\.)?a` alone: what it gives goes into a step"
    with pytest.raises(ValueError, match=said):
        model.forward_head(features, pre_logits=True)
    for classes in (0, 3):
        with pytest.raises(ValueError, match=said):
            model.reset_classifier(classes)
    assert torch.equal(model(IMAGES), before)


OTHER_ENDS = {
    "a norm": (
        f"a: {LINEAR}, n: {{block: norm, kind: layer}}",
        "the last layer of its `head` is `n`, which is no linear",
    ),
    "in a block": (
        f"m: {{body: [{LINEAR}, {{block: norm, kind: layer}}]}}",
        r"the last layer of its `head` is `m\.1`, which is",
    ),
    "no layer": ("a: activation", "its `head` has no layer"),
    "side by side": (
        f"{TWO}, z: {{block: concat, from: [a, b]}}",
        "its `head` ends in 20, and its last layer, `a`, gives 10",
    ),
}


@pytest.mark.parametrize(("head", "reason"), OTHER_ENDS.values(), ids=OTHER_ENDS)
def test_why_a_head_is_that_of_no_classifier(head: str, reason: str) -> None:
    model = archbuilder.build(text=PLAIN + f"head: {{p: global_pool, {head}}}")
    for ask in (model.get_classifier, lambda: model.reset_classifier(3), lambda: model.forward_features(IMAGES)):
        with pytest.raises(ValueError, match=f"this network is no classifier: {reason}"):
            ask()


@pytest.mark.parametrize(
    "ask",
    [
        lambda model: model.forward_features(IMAGES),
        lambda model: model.forward_head(IMAGES),
        lambda model: model.get_classifier(),
        lambda model: model.reset_classifier(3),
        lambda model: model.set_grad_checkpointing(),
        lambda model: model.group_matcher(),
        lambda model: model.no_weight_decay(),
    ],
)
def test_what_its_class_has_made_knows_no_spec(ask: Callable[[Any], object]) -> None:
    model = type(tiny())(classes=5)
    assert model(IMAGES).shape == (2, 5)
    with pytest.raises(
        ValueError, match=r"a Tiny that its class has made knows no spec: archbuilder\.build makes one that does"
    ):
        ask(model)


SEVERAL = "head: {joined: {block: add, from: [layer2, layer2]}, pool: global_pool, fc: {block: linear, width: 3}}"
NO_CLASSIFIER = {
    "no head": TINY.partition("head:")[0].replace("parameters: {classes: 10}\n", ""),
    "a map at the end": spec("head: {mask: {block: conv, width: $classes, kernel: 1}}"),
}


@pytest.mark.parametrize("text", NO_CLASSIFIER.values(), ids=NO_CLASSIFIER)
def test_a_network_that_is_no_classifier_says_so(text: str) -> None:
    model = archbuilder.build(text=text)
    for ask in (model.get_classifier, lambda: model.reset_classifier(3), lambda: model.forward_features(IMAGES)):
        with pytest.raises(ValueError, match="this network is no classifier: it has no `head`"):
            ask()
    assert model.num_classes == 0
    assert "classifier" not in model.pretrained_cfg


def test_a_backbone_knows_its_channels() -> None:
    backbone = archbuilder.build(text=TINY, features=["layer1", "layer2"])
    assert (backbone.feature_info.channels(), backbone.feature_info.reduction()) == ([8, 16], [2, 4])
    assert backbone.feature_info.module_name(-1) == "layer2"
    assert backbone.feature_info.get_dicts(["num_chs"], [1]) == [{"num_chs": 16}]
    assert not hasattr(backbone, "out_channels"), "its maps differ"
    assert archbuilder.build(text=TINY, features=["relu", "layer1"]).out_channels == 8


@pytest.mark.parametrize(
    ("features", "names"),
    [(0, ["layer1"]), ([1, -2], ["layer2", "layer1"]), ({-1: "out"}, ["out"]), (["relu", 1], ["relu", "layer2"])],
)
def test_feature_maps_are_numbered(features: object, names: list[str]) -> None:
    assert list(archbuilder.build(text=TINY, features=features)(IMAGES)) == names


@pytest.mark.parametrize("number", [2, -3])
def test_a_number_of_no_feature_map_is_refused(number: int) -> None:
    with pytest.raises(archbuilder.SpecError, match=f"there is no feature map number {number}") as error:
        archbuilder.build(text=TINY, features=[number])
    assert "there are 0 layer1, 1 layer2" in str(error.value)


# ---- what training asks for --------------------------------------------------------------------------------------


def gradients(model: nn.Module, called: Callable[[Tensor], Tensor] | None = None) -> dict[str, Tensor]:
    model.zero_grad()
    torch.manual_seed(0)
    called = model if called is None else called
    called(IMAGES).square().mean().backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("drop", ["", "defaults: {drop_path: {rate: 0.5}}\n"])
def test_checkpointed_blocks_give_the_same_and_count_once(drop: str) -> None:
    torch.manual_seed(0)
    plain = archbuilder.build(text=TINY + drop)
    again = copy.deepcopy(plain)
    again.set_grad_checkpointing()
    expected, found = gradients(plain), gradients(again)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(dict(again.named_buffers())[name], buffer, msg=name)
    assert plain.layer1[0].bn1.num_batches_tracked == 1
    assert list(again.state_dict()) == list(plain.state_dict())
    twin = pickle.loads(pickle.dumps(copy.deepcopy(again)))
    assert twin.layer1[0].forward.module is twin.layer1[0]
    again.set_grad_checkpointing(False)
    assert "forward" not in vars(again.layer1[0])


def test_checkpointed_blocks_are_compiled() -> None:
    torch.manual_seed(0)
    plain = archbuilder.build(text=TINY)
    again = copy.deepcopy(plain)
    again.set_grad_checkpointing()
    expected = gradients(plain)
    found = gradients(again, torch.compile(again, backend="aot_eager", fullgraph=True))
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(dict(again.named_buffers())[name], buffer, msg=name)


OTHER_FORMS: dict[str, Callable[[nn.Module], Callable[[Tensor], Tensor]]] = {
    "scripted": torch.jit.script,
    "scripted in another": lambda model: torch.jit.script(nn.Sequential(model)),
    "traced": lambda model: torch.jit.trace(model, IMAGES),
    "exported": lambda model: torch.export.export(model, (IMAGES,)).module(),
    "symbolically traced": fx.symbolic_trace,
}


@pytest.mark.parametrize("form", OTHER_FORMS)
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_checkpointed_blocks_are_those_of_any_network(form: str) -> None:
    """What cannot compute a second time, or need not, gets the network without."""
    model = tiny()
    model.set_grad_checkpointing()
    assert torch.equal(OTHER_FORMS[form](model)(IMAGES), model(IMAGES))
    assert "forward" in vars(model.layer1[0]), "the network itself stays as it was"


def test_where_there_are_no_blocks_checkpointing_is_refused() -> None:
    model = archbuilder.build(
        text="name: n\ninput: {size: 8}\nstages: {conv: {block: conv, width: 4, kernel: 3}, norm: norm}"
    )
    with pytest.raises(ValueError, match="the stages of this network have no blocks"):
        model.set_grad_checkpointing()
    model.set_grad_checkpointing(False)


def test_checkpointing_keeps_less() -> None:
    def kept(model: nn.Module) -> int:
        numbers = 0

        def count(tensor: Tensor) -> Tensor:
            nonlocal numbers
            numbers += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            model(IMAGES)
        return numbers

    model = tiny().train()
    before = kept(model)
    model.set_grad_checkpointing()
    assert kept(model) < before / 2


def test_layers_are_grouped_in_order() -> None:
    model = tiny()
    groups = model.group_matcher()
    names = [name for name, _ in model.named_parameters()]

    def group(name: str) -> object:
        if re.match(groups["stem"], name):
            return "stem"
        return next((ordinal for pattern, ordinal in groups["blocks"] if re.match(pattern, name)), "head")

    found = list(dict.fromkeys(map(group, names)))
    assert found == ["stem", (0,), (1,), (2,), (3,), "head"]
    assert [ordinal for _, ordinal in model.group_matcher(coarse=True)["blocks"]] == [(0,), (1,)]


def test_tensors_that_blocks_hold_do_not_decay() -> None:
    assert tiny().no_weight_decay() == set()
    assert archbuilder.build("pvt_v1_tiny").no_weight_decay() == {
        "pos_embed1",
        "pos_embed2",
        "pos_embed3",
        "pos_embed4",
        "cls_token",
    }


# ---- what it says of itself --------------------------------------------------------------------------------------


def test_printed_it_is_a_table() -> None:
    model = tiny()
    assert str(model) == str(archbuilder.summarize(archbuilder.lower(archbuilder.load(text=TINY))))
    assert repr(model).startswith("Tiny(\n  (conv1): Conv2d(3, 8")
    model.reset_classifier(3)
    assert "linear 3" in str(model), "it is still one that a spec describes"
    model.relu = nn.GELU()
    assert str(model) == repr(model), "it is another network"
    model.reset_classifier(4)
    assert str(model) == repr(model), "still"


def test_what_a_picture_has_to_be() -> None:
    assert tiny().pretrained_cfg == {
        "architecture": "tiny",
        "num_classes": 10,
        "input_size": (3, 32, 32),
        "fixed_input_size": False,
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "crop_pct": 0.875,
        "interpolation": "bilinear",
        "first_conv": "conv1",
        "pool_size": (8, 8),
        "classifier": "fc",
    }
    said = TINY.replace("size: 32}", "size: 32, mean: 0.5, std: [0.2, 0.2, 0.4], crop: 1, interpolation: bicubic}")
    found = archbuilder.build(text=said).pretrained_cfg
    assert (found["mean"], found["std"], found["crop_pct"]) == ((0.5, 0.5, 0.5), (0.2, 0.2, 0.4), 1.0)
    assert archbuilder.build(text=said, channels=1).pretrained_cfg["std"] == (0.266667,)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("mean: []", r"`mean` must be a number, or a list of one for each channel, got \[\]"),
        ("mean: [a]", "`mean` must be a number, or a list of one for each channel"),
        ("std: 0", "`std` must be numbers above 0, got 0"),
        ("crop: 1.5", "`crop` must be a number above 0, 1 at most, got 1.5"),
        ("interpolation: lanczos", "`interpolation` must be `nearest`, `bilinear` or `bicubic`, got `lanczos`"),
    ],
)
def test_what_a_picture_cannot_be(said: str, message: str) -> None:
    with pytest.raises(archbuilder.SpecError, match=message):
        archbuilder.load(text=TINY.replace("size: 32}", f"size: 32, {said}}}"))


def test_each_model_has_facts_of_its_own() -> None:
    first, second = tiny(), tiny()
    first.pretrained_cfg["mean"] = None
    assert second.pretrained_cfg["mean"] == (0.485, 0.456, 0.406)
    assert type(first) is type(second)


def networks_of(library: str) -> list[str]:
    """The networks of the zoo whose weights are a library's."""
    names = []
    for path in zoo.all_files():
        default, variants = variants_of(path)
        names += [] if default else [path.stem]
        names += [zoo.plain_name(path.stem, variant) for variant in variants]
    references = {name: archbuilder.load(name).reference for name in names}
    return [name for name, reference in references.items() if reference and reference.weights == library]


def test_the_zoo_says_what_torchvisions_weights_expect() -> None:
    models = torchvision_module()
    wrong = []
    for name in networks_of("torchvision"):
        wanted = next(iter(models.get_model_weights(name))).transforms()
        said = archbuilder.load(name).input
        found = (said.size, round(said.size / said.crop), said.interpolation, said.mean, said.std)
        expected = (*wanted.crop_size, *wanted.resize_size, wanted.interpolation.value, wanted.mean, wanted.std)
        if found != expected:
            wrong.append(f"{name}: {found} instead of {expected}")
    assert wrong == []


def test_another_classifier_of_a_model_without_memory_is_of_its_precision() -> None:
    model = archbuilder.build("resnet18").to("meta", torch.float64)
    model.reset_classifier(2)
    assert (model.fc.weight.dtype, model.fc.weight.device.type) == (torch.float64, "meta")
