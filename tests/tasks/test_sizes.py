"""For which sizes a network is: what is said is held against the module, run at sizes that fit and at others."""

import pytest
import torch

import archbuilder
from archbuilder.tasks.sizes import Sizes

CONV = "conv: {block: conv, width: 4, kernel: 3}"
ROUND = """
stages: {down: {block: conv, width: 4, kernel: 3, stride: 2}, deep: {block: DOWN, STRIDED}}
neck: {up: {block: upsample, factor: FACTOR}, sum: {block: add, from: [up, down]}}
"""
THREE = "down: {block: max_pool, kernel: 3, stride: 3, padding: 0}, up: {block: upsample, factor: 3}"
HALVES = "a: {block: conv, width: 3, kernel: 3, stride: 2}, b: {block: avg_pool, from: input, kernel: 2, stride: 2}"
BACK = "pool: {block: global_pool, keep: true}, up: {block: upsample, factor: [$(input.height), $(input.width)]}"
POOLED = "{own: {let: {h: $(input.height // 2)}, body: {pool: {block: adaptive_avg_pool, size: $h}}}}"
DEFAULT = POOLED.replace(
    "let: {h: $(input.height // 2)}", "parameters: {h: {type: int, default: $(input.height // 8)}}"
)
PLACED = """
  tokens: to_tokens
  at: {block: parameter, shape: [1, "$(tokens.tokens)", 3]}
  placed: {block: resize_tokens, from: [at, tokens], grid: [$(tokens.height), $(tokens.width)]}
  sum: {block: add, from: [tokens, placed]}"""
GRID = "[$(tokens.height), $(tokens.width)]"
PLACE = """blocks:
  place:
    body:
      at: {block: parameter, shape: [1, "$(input.tokens)", 3]}
      placed: {block: resize_tokens, from: [at, input], grid: [$(input.height), $(input.width)]}
      sum: {block: add, from: [input, placed]}
"""
TWICE = """
  tokens: to_tokens
  first: place
  map: to_map
  pool: {block: adaptive_avg_pool, size: [24, 48]}
  again: to_tokens
  second: place
  back: to_map
  less: {block: adaptive_avg_pool, size: OTHER}
  last: to_tokens
  third: place
  more: {block: place, depth: 3}"""

CASES = {
    "any size": (f"stages: {{{CONV}, pool: {{block: max_pool, kernel: 3, stride: 2}}}}", 1),
    "a head that pools": (f"stages: {{{CONV}}}\nhead: {{pool: global_pool, fc: {{block: linear, width: 3}}}}", 1),
    "a decoder, rounded up": (ROUND.replace("DOWN, STRIDED", "conv, kernel: 3, stride: 2").replace("FACTOR", "2"), 4),
    "a decoder, rounded down": (
        ROUND.replace("DOWN, STRIDED", "max_pool, kernel: 4, stride: 4").replace("FACTOR", "4"),
        8,
    ),
    "by three": (f"stages: {{{THREE}, sum: {{block: add, from: [input, up]}}}}", 3),
    "branches that round in other ways": (f"stages: {{{HALVES}, sum: {{block: add, from: [a, b]}}}}", 2),
    "a decoder, by three and two": (
        (
            "stages: {a: {block: conv, width: 4, kernel: 3, stride: 3}, b: {block: conv, width: 4, kernel: 3, stride: 2}}\n"
            "neck: {up: {block: upsample, factor: 2}, sum: {block: add, from: [up, a]}}"
        ),
        6,
    ),
    "a flattened map": (f"stages: {{{CONV}, flat: flatten, fc: {{block: linear, width: 3}}}}", None),
    "a factor out of the size": (f"stages: {{{CONV}, {BACK}, sum: {{block: add, from: [conv, up]}}}}", None),
    "in a let of a block": (f"blocks: {POOLED}\nstages: {{a: {{block: own}}}}", None),
    "a condition on a small size": (
        "stages: {a: {block: conv, width: 4, kernel: 3, stride: 4}, b: {block: max_pool, kernel: 3, when: $(a.height > 3)}}",
        None,
    ),
    "a condition on a large size": (
        "stages: {a: {block: conv, width: 4, kernel: 3, stride: $(1 if input.height < 100 else 2)}}",
        None,
    ),
    "rounded in a default": (
        f"blocks: {DEFAULT}\nstages: {{a: own}}",
        None,
    ),
    "a condition, where others fit in steps": (
        ROUND.replace("DOWN, STRIDED", "conv, kernel: 3, stride: 2").replace("FACTOR", "2")
        + "head: {last: {block: norm, when: $(input.height < 90)}}",
        None,
    ),
    "how often": ("stages: {a: {block: conv, width: 3, kernel: 3, depth: $(input.height // 12)}}", None),
    "in a loop": (
        "stages: {c: norm, for i in c.height // 12: {a$i: {block: conv, width: 3, kernel: 3}}}",
        None,
    ),
    "held positions that are resized": (f"stages: {PLACED}", 1),
    "for a grid that is written": (f"stages: {PLACED.replace(GRID, '[24, 48]')}", 1),
    "for a grid that is written in part": (f"stages: {PLACED.replace(GRID, '[24, $(tokens.width)]')}", 1),
    "of a number that there is for its own size alone": (
        f"stages: {PLACED.replace('tokens.tokens', '1152 // (tokens.height == 24)').replace(GRID, '[24, 48]')}",
        1,
    ),
    "equal in its own size alone": (f"{PLACE}stages: {TWICE.replace('OTHER', '[4, 6]')}", 1),
    "equal in others alone": (
        f"{PLACE}stages: {TWICE.replace('[24, 48]', '[26, 49]').replace('OTHER', '[25, 49]')}",
        1,
    ),
}


def runs(model: torch.nn.Module, height: int, width: int) -> bool:
    try:
        with torch.no_grad():
            model(torch.rand(1, 3, height, width))
    except RuntimeError:
        return False
    return True


def given(text: str) -> archbuilder.Checked:
    return archbuilder.check("net.yaml", text=f"name: net\ninput: {{size: [24, 48]}}\n{text}\n")


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_sizes_is_so(case: str) -> None:
    text, step = CASES[case]
    checked = given(text)
    assert checked.sizes[:3] == (24, 48, step)
    model = archbuilder.build(checked.architecture).eval()
    assert runs(model, 24, 48)
    for steps in (1, 2, 5) if step else ():
        assert runs(model, 24 + steps * step, 48 + step)
    if step and step > 1:
        assert not all(runs(model, 24 + more, 48) for more in range(step))
        assert not all(runs(model, 24, 48 + more) for more in range(step))


@pytest.mark.parametrize("case", [case for case, (text, _) in CASES.items() if "resize_tokens" in text])
@pytest.mark.parametrize("size", [(26, 49), (25, 49), (12, 30), (48, 96)])
def test_what_is_held_is_the_same_for_every_input(case: str, size: tuple[int, int]) -> None:
    checked = given(CASES[case][0])
    other = archbuilder.check(checked.architecture, input=(3, *size))
    assert list(other.graph.state()) == list(checked.graph.state())


@pytest.mark.parametrize("size", [60, 64, 65, 66, 71])
def test_a_stride_of_three_is_seen_from_every_size(size: int) -> None:
    text, step = CASES["a decoder, by three and two"]
    sizes = archbuilder.check("net.yaml", text=f"name: net\ninput: {{size: {size}}}\n{text}").sizes
    assert sizes == (size, size, step, "")


@pytest.mark.parametrize("step", [5, 7, 9, 10, 14, 18])
def test_steps_may_be_those_of_any_usual_patch(step: int) -> None:
    stages = f"stages: {{{THREE.replace('3', str(step))}, sum: {{block: add, from: [input, up]}}}}"
    assert archbuilder.check("net.yaml", text=f"name: net\ninput: {{size: {4 * step}}}\n{stages}").sizes.step == step


def test_it_is_said_in_words() -> None:
    assert str(given(CASES["any size"][0]).sizes) == ""
    assert str(given(CASES["a decoder, rounded up"][0]).sizes) == "24×48, and others in steps of 4"
    assert str(given(CASES["a factor out of the size"][0]).sizes) == "24×48 alone: `up` depends on it"
    assert str(given(CASES["in a let of a block"][0]).sizes) == "24×48 alone: `a.pool` depends on it"
    assert str(Sizes(24, 48, None)) == "24×48; no other that was tried fits"


@pytest.mark.parametrize(
    ("name", "step"), [("resnet18", 1), ("shufflenet_v2_x1_0", 1), ("pvt_v2_b0", 1), ("hrnet_w18_small", 32)]
)
def test_networks_of_the_zoo(name: str, step: int) -> None:
    assert archbuilder.check(name).sizes == (224, 224, step, "")


SAME = """
output_stride: 8
defaults: {conv: {padding: same}}
stem: {a: {block: conv, width: 4, kernel: 3, stride: 2}, b: {block: max_pool, kernel: 3, stride: 2}}
stages: {c: {block: conv, kernel: 3, stride: 2}, d: {block: conv, kernel: 3, stride: 2}, e: {block: conv, kernel: 3}}
"""
KEPT = {
    "odd strides": SAME,
    "even kernels": SAME.replace("kernel: 3", "kernel: 4"),
    "wide strides": SAME.replace("stride: 2", "stride: 4").replace("kernel: 3", "kernel: 7"),
    "strides of three": SAME.replace("stride: 2", "stride: 3"),
    "strides of four, two and three": """
output_stride: 8
stem:
  a: {block: conv, width: 4, kernel: 3, stride: 4}
  b: {block: conv, width: 4, kernel: 4, padding: 1}
  c: {block: conv, width: 4, kernel: 3, stride: 2}
stages: {d: {block: conv, width: 4, kernel: 2, stride: 3, padding: 0}, e: {block: conv, width: 4, kernel: 3}}
""",
    "the last alone": SAME.replace("defaults: {conv: {padding: same}}\n", "").replace("d: {", "d: {padding: same, "),
    "pools that begin a further window": SAME.replace("d: {block: conv", "d: {block: max_pool, ceil: true"),
    "as ever": SAME.replace("defaults: {conv: {padding: same}}\n", ""),
}
STEPS = {"even kernels": (1, 1), "wide strides": (None, None), "strides of three": (None, None), "as ever": (1, 1)}
STEPS["strides of four, two and three"] = (12, 24)


@pytest.mark.parametrize("case", KEPT)
@pytest.mark.parametrize("size", [64, 77])
def test_a_map_that_is_kept_large_may_have_other_margins_in_other_sizes(case: str, size: int) -> None:
    """What is said of a network for one size holds for the module: made for another that fits, it is the same."""
    text = f"name: net\ninput: {{size: {size}}}\n{KEPT[case]}"

    def made_for(more: int) -> str:
        return archbuilder.to_source(archbuilder.check("net.yaml", {"input.size": size + more}, text=text).graph)

    step = archbuilder.check("net.yaml", text=text).sizes.step
    assert step == STEPS.get(case, (16, 16))[size == 77]
    for more in range(step, 100, max(step, 3)) if step else ():
        assert made_for(more) == made_for(0), more
    assert step == 1 or any(made_for(more) != made_for(0) for more in range(1, 2 * (step or 50)))
