"""Random valid specs: each draw is the text of a small network that holds together, written in the whole language.

What is drawn keeps track of the shape at hand, so that every spec is legal; all widths are multiples of 8, so that groups of 2
fit everywhere, inner widths too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from hypothesis import strategies as st

ACTIVATIONS = [
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "silu",
    "gelu",
    "mish",
    "hard_swish",
    "hard_sigmoid",
    "sigmoid",
    "tanh",
]
CONSTANTS = [
    {"kind": "leaky_relu", "slope": 0.2},
    {"kind": "hard_sigmoid", "slope": 0.2},
    {"kind": "elu", "alpha": 0.5},
    {"kind": "gelu", "approximate": "tanh"},
    {"kind": "gelu", "approximate": "sigmoid"},
]
"""Activations with the constants that few say."""
RESIDUAL = ["basic", "bottleneck", "res2net", "preact_basic", "preact_bottleneck"]
STAGE_NAMES = [
    "layer1",
    "layer2",
    "x",
    "out",
    "super",
    "range",
    "Bottleneck",
    "features.block",
    "features.other",
    "module",
    "match",
    "_",
    "7",
]

OWN_BLOCKS: dict[str, Any] = {
    "gate": {
        "help": 'a gate, "quoted"',
        "parameters": {"squeeze": {"type": "channels", "default": "$(max(1, input.channels // 4))"}, "kind": "sigmoid"},
        "let": {"doubled": "$(squeeze * 2)"},
        "body": {
            "pool": {"block": "global_pool", "keep": True},
            "up": {"block": "conv", "kernel": 1, "width": "$doubled"},
            "down": {"block": "conv", "kernel": 1, "width": "$(input.channels)", "bias": True},
            "kind": {"block": "activation", "kind": "$kind"},
            "out": {"block": "multiply", "from": ["input", "kind"]},
        },
    },
    "spatial": {"body": {"conv": {"block": "conv", "kernel": 3, "width": 1, "bias": True}}},
    "ladder": {
        "parameters": {
            "width": "channels",
            "parts": {"type": "int", "default": 2, "min": 2, "max": 8},
            "stride": 1,
            "climb": True,
            "between": {"type": "steps", "default": None},
            "last": {"type": "block", "default": "conv_norm_act"},
        },
        "let": {"part": "$(width // parts)"},
        "register": ["acts"],
        "body": {
            "conv": {"block": "conv", "width": "$width", "kernel": [1, 3], "stride": "$stride"},
            "split": {"block": "split", "parts": "$parts"},
            "for i in parts": {
                "rung.$i": {"block": "add", "from": ["split.$i", "acts.$(i - 1)"], "when": "$(climb and i > 0)"},
                "acts.$i": {"block": "conv_norm_act", "width": "$part", "kernel": "$(3 if i % 2 == 0 else 1)"},
            },
            "all": {"block": "concat", "from": "acts.*"},
            "between": {"body": "$between", "inline": True},
            "sum": {"block": "add", "from": ["between", "conv"]},
            "last": {"block": "$last", "width": "$width"},
        },
    },
    "shrink": {
        "parameters": {
            "width": "channels",
            "stride": {"type": "size", "default": 1},
            "first": {"choices": ["pool", "conv"], "default": "conv"},
        },
        "body": [
            {"block": "avg_pool", "kernel": 3, "stride": "$stride", "when": "$(first == 'pool')", "else": "identity"},
            {"block": "conv", "kernel": 3, "width": "$width", "stride": "$(1 if first == 'pool' else stride)"},
            {"block": "norm", "when": "$(width != input.channels)"},
        ],
    },
    "dropped": {
        "parameters": {"width": "channels"},
        "body": {
            "inner": {"block": "basic", "width": "$width"},
            "drop": "drop_path",
            "sum": {"block": "add", "from": ["drop", "inner"]},
        },
    },
    "fork": {
        "parameters": {"width": "channels", "deep": False},
        "return": ["more", "right.*"],
        "body": {
            "left": {"block": "conv", "kernel": 3, "width": "$width"},
            "more": {"block": "conv_norm_act", "width": "$width", "when": "$deep"},
            "right": {"block": "split", "parts": 2, "from": "input"},
        },
    },
    "weave": {
        "return": ["out.*"],
        "parameters": {"swap": False},
        "let": {"turned": "$(len(input) - 1)"},
        "body": {
            "for i in len(input)": {
                "paths.$i": {
                    "block": "conv_norm_act",
                    "from": "input.$(turned - i if swap else i)",
                    "width": "$(input[i].channels)",
                },
            },
            "out": {"block": "streams", "from": "paths.*"},
        },
    },
    "knit": {
        "body": {
            "all": {"block": "concat", "from": "input.*"},
            "mixed": {"block": "channel_shuffle", "groups": 2},
        },
    },
    "scaled": {
        "parameters": {"scale": {"type": "bool", "default": True}, "start": {"type": "init", "default": "ones"}},
        "body": {
            "dw": {"block": "conv", "kernel": 3, "group_width": 1},
            "gamma": {"block": "parameter", "shape": ["$(input.channels)", 1, 1], "init": "$start", "when": "$scale"},
            "product": {"block": "multiply", "from": ["dw", "gamma"], "when": "$scale"},
            "sum": {"block": "add", "from": ["product", "input"]},
        },
    },
    "attend": {
        "parameters": {"heads": 2, "shift": False},
        "body": {
            "tokens": "to_tokens",
            "q": {"block": "linear", "from": "tokens"},
            "kv": {"block": "linear", "width": "$(2 * tokens.channels)", "from": "tokens"},
            "halves": {"block": "split", "parts": 2},
            "attention": {"block": "attention", "heads": "$heads", "from": ["q", "halves.0", "halves.1"]},
            "shift": {"block": "parameter", "shape": ["$(tokens.channels)"], "when": "$shift"},
            "shifted": {"block": "add", "from": ["attention", "shift"], "when": "$shift"},
            "again": {"block": "add", "from": ["shifted", "tokens"]},
            "map": "to_map",
        },
    },
    "odd-basic": {
        "extends": "basic",
        "parameters": {"kernel": 3, "gate": False},
        "body": {
            "conv2": {"kernel": "$kernel"},
            "gated": {"block": "squeeze_excite", "ratio": 4, "after": "bn2", "when": "$gate"},
        },
    },
}  # fmt: skip
"""Blocks of the spec's own; those that are used go into it."""


@dataclass
class Writer:
    """The spec at hand. `channels`, `height` and `width` are those of the value so far."""

    draw: Any
    channels: int
    height: int
    width: int
    used: set[str] = field(default_factory=set)
    favourite: str = "basic"
    inlines: int = 0
    drops: bool = False
    """Whether a step drops its path, so that a default rate has an effect."""

    # ---- values -------------------------------------------------------------------------------------------------

    def chance(self, one_in: int = 2) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def number(self, value: int) -> Any:
        """A number, as it is or as an expression."""
        return self.pick(value, value, f"$({value // 2} * 2 + {value % 2})", f"$(max({value}, 1))")

    def new_width(self) -> int:
        return self.pick(8, 16)

    def use(self, name: str) -> str:
        self.used.add(name)
        return name

    def new_stride(self) -> Any:
        """A stride that leaves at least four pixels."""
        rows = 2 if self.height >= 8 and self.chance(3) else 1
        columns = 2 if self.width >= 8 and self.chance(3) else 1
        self.height, self.width = -(-self.height // rows), -(-self.width // columns)
        return rows if rows == columns else [rows, columns]

    # ---- residual stages ----------------------------------------------------------------------------------------

    def residual(self) -> dict[str, Any]:
        block = self.favourite if self.chance() else self.pick(*RESIDUAL)
        width, before = self.new_width(), self.channels
        step: dict[str, Any] = {"block": block, "width": self.number(width)}
        stride = self.new_stride()
        if stride != 1:
            step["stride"] = stride
        if self.chance():
            step["depth"] = self.number(self.draw(st.integers(1, 3)))
            if self.chance(4):
                step["names"] = self.pick("block$repeat", "unit$(repeat + 1)")
        self.inner_widths(step, block)
        if self.chance(3) and block != "res2net":
            step["dilation"] = 2
        plain = self.shortcut(step, before, width)
        self.slots(step, block)
        if self.chance(4) and not block.startswith("preact"):
            step["zero_init"] = True
        self.words(step, plain=plain or (before == width and stride == 1))
        self.nearer(step, plain=plain)
        self.drops = self.drops or (not plain and "drop_path" not in step)
        self.channels = width
        return step

    def inner_widths(self, step: dict[str, Any], block: str) -> None:
        if block == "res2net":
            step.update(ratio=0.5, base_width=64, scale=self.pick(2, 3, 4))
            if self.chance(3):
                step["groups"] = 2
        elif block in ("bottleneck", "preact_bottleneck"):
            step.update(self.pick({"ratio": 0.5}, {"inner": 8}, {}))
            step.update(self.pick({}, {}, {"groups": 2}, {"group_width": 2}))
        if block in ("bottleneck", "res2net") and self.chance(4):
            step["stride_in"] = "conv1"

    def shortcut(self, step: dict[str, Any], before: int, width: int) -> bool:
        """Chooses what is added; whether that is nothing."""
        choices: list[Any] = ["project", "project_only", "avg_project", {"block": "conv", "kernel": 1}, None]
        choices += ["pad"] if width >= before else []
        choices += [self.use("shrink"), {"block": self.use("shrink"), "first": "pool"}]
        choices += [{"block": "project", "norm": {"eps": 0.01}}] if before != width else []
        if self.chance():
            return False
        step["shortcut"] = self.draw(st.sampled_from(choices))
        return step["shortcut"] is None

    def slots(self, step: dict[str, Any], block: str) -> None:
        steps = self.pick(
            {"se": "squeeze_excite"},
            {"se": {"block": "squeeze_excite", "ratio": 4}},
            {"gate": self.use("gate"), "drop": {"block": "dropout", "rate": 0.25}},
            {"gate": {"block": self.use("gate"), "kind": "tanh", "squeeze": 3}},
            {"conv": {"block": "conv", "kernel": 1, "width": "$(here.channels)"}},
            {"inner": {"body": [{"block": "conv", "kernel": 3}, "activation"], "depth": 2}},
            {},
        )
        if self.chance(3):
            step["after_last_conv" if block.startswith("preact") else "after_last_norm"] = steps
        if block in ("bottleneck", "res2net") and self.chance(5):
            step["after_conv2"] = {"extra": "norm"}

    def words(self, step: dict[str, Any], *, plain: bool) -> None:
        if self.chance(5):
            step["rename"] = {"conv1": "first"} if plain else {"downsample": "shortcut"}
        if self.chance(5):
            step["register"] = ["bn2", "conv2"] if step["block"] != "res2net" else ["conv3", "bns"]

    def nearer(self, step: dict[str, Any], *, plain: bool) -> None:
        """Defaults for what is inside this step only."""
        if self.chance(5):
            step["activation"] = self.pick(*ACTIVATIONS, *CONSTANTS)
        if self.chance(5):
            step["norm"] = {"eps": 0.001}
        if self.chance(5):
            step["conv"] = {"bias": True}
        if not plain and self.chance(5):
            step["drop_path"] = {"rate": 0.5, "schedule": self.pick("constant", "linear", "linear_exclusive")}

    # ---- other stages -------------------------------------------------------------------------------------------

    def simple(self) -> Any:
        width = self.new_width()
        kernel = self.pick(1, 3, [1, 3], [3, 5])
        self.channels = width
        step = {"block": "conv_norm_act", "width": self.number(width), "kernel": kernel, "stride": self.new_stride()}
        step |= self.pick({}, {"depth": 2}, {"depth": 3, "names": "c$repeat"})
        padding = {"padding": "same"} | ({"padding_mode": "circular"} if step["stride"] == 1 else {})
        standardized = {"standardize": 1e-4} | self.pick({}, padding)
        return step | self.pick({}, {}, {"conv": {"padding": "same"}}, {"conv": padding}, {"conv": standardized})

    def listed(self) -> Any:
        width = self.new_width()
        self.channels = width
        body = [{"block": "conv", "width": width, "kernel": 3, "bias": self.chance()}, "norm", "activation"]
        body += [
            {"block": "norm", "when": f"$({width} > 8)"} | self.pick({}, {"else": "identity"}),
            {"block": "dropout", "rate": 0.5},
        ]
        return self.pick(body, {"body": body}, {"body": body, "depth": 2})

    def branches(self) -> Any:
        width, before = self.new_width(), self.channels
        joined = self.pick("add", "concat", "multiply")
        body = {
            "left": {"block": "conv", "kernel": 1, "width": width},
            "right": {"block": "conv_norm_act", "width": width, "from": "input"},
            "far": {"block": "identity", "from": "left", "when": self.chance()},
            "joined": {"block": joined, "from": ["left", "right", "far"]},
            "act": {"block": "activation", "from": "joined"},
            "again": {"block": "add", "from": ["act", "joined"]},
        }
        self.channels = width * 3 if joined == "concat" else width
        extra = {"depth": 2} if self.channels == before and self.chance() else {}
        return {"body": body, **extra}

    def ladder(self) -> Any:
        width = self.new_width()
        step = {"block": self.use("ladder"), "width": width, "parts": self.pick(2, 4), "climb": self.chance()}
        step |= self.pick({}, {"depth": 2}, {"last": "deep_stem"}, {"last": {"block": "shrink", "first": "pool"}})
        step |= self.pick({}, {"between": {"gate": self.use("gate")}}, {"between": {"a": "norm", "b": "activation"}})
        if step.get("last"):
            self.use("shrink")
        if step.get("last") == "deep_stem":  # that one strides
            self.height, self.width = -(-self.height // 2), -(-self.width // 2)
        self.channels = width
        return step

    def loop(self) -> Any:
        count = self.draw(st.integers(0, 3))
        body: dict[str, Any] = {
            "first": {"block": "conv", "kernel": 1},
            f"for i in {self.pick(str(count), f'0 .. {count}', f'1 .. {count + 1}')}": {
                "convs.$i": {"block": "conv", "kernel": 3},
                "acts.$i": "activation",
                "sums.s$i": {"block": "add", "from": ["acts.$i", "first"]},
            },
            "out": {"block": "concat", "from": ["first", "sums.*"]} if count else "norm",
        }
        self.channels *= 1 + count
        return {"body": body}

    def parts(self) -> Any:
        body = {
            "parts": {"block": "split", "parts": 2},
            "one": {"block": "conv", "kernel": 3, "from": "parts.0"},
            "two": {"block": "norm", "from": "parts.-1"},
            "sum": {"block": "add", "from": ["one", "two", "parts.1"]},
            "all": {"block": "concat", "from": ["sum", "parts.*"]},
        }
        self.channels = self.channels // 2 * 3
        if self.channels % 8:
            body["even"] = {"block": "conv", "kernel": 1, "width": 8}
            self.channels = 8
        return {"body": body}

    def pool(self) -> Any:
        if min(self.height, self.width) < 8:
            return "identity"
        step = self.pick(
            {"block": "max_pool", "kernel": 3, "stride": 2},
            {"block": "avg_pool", "kernel": [3, 3], "stride": 2, "count_padding": False},
            {"block": "avg_pool", "kernel": 2, "stride": 2, "ceil": True},
            {
                "block": "avg_pool",
                "kernel": self.pick(2, 3),
                "stride": 2,
                "padding": "same",
                "count_padding": self.chance(),
            },
            {"block": "max_pool", "kernel": 3, "stride": 2, "padding": "same"},
            {"block": "subsample"},
        )
        self.height, self.width = -(-self.height // 2), -(-self.width // 2)
        return step

    def inlined(self) -> Any:
        self.inlines += 1
        number = self.inlines
        return self.pick(
            {"body": {f"in{number}a": {"block": "conv", "kernel": 1}, f"in{number}b": "activation"}, "inline": True},
            {"body": {f"in{number}": {"block": "conv", "kernel": 3}, "again": "norm"}},
        )

    def growing(self) -> Any:
        self.channels, self.drops = 24, True
        return {"block": self.pick("basic", "bottleneck"), "width": "$(8 * (repeat + 1))", "depth": 3}

    def dropped(self) -> Any:
        self.drops = True
        return {"block": self.use("dropped"), "width": self.channels}

    def streams(self) -> Any:
        width = self.new_width()
        fork = {"block": self.use("fork"), "width": width, "deep": self.chance()}
        half, self.channels = self.channels // 2, width
        if half == 0 or self.channels_are_odd(half):
            return {"block": "conv", "kernel": 1, "width": width}
        body: dict[str, Any] = {"fork": fork}
        if self.chance():
            body["woven"] = {"block": self.use("weave"), "swap": self.chance()} | self.pick({}, {"depth": 2})
        last = "woven" if "woven" in body else "fork"
        if self.chance():
            body["joined"] = {"block": "add", "from": [f"{last}.-1", f"{last}.1"]}
            body["one"] = {"block": "conv", "kernel": 1, "width": width}
            body["out"] = {"block": "add", "from": ["one", f"{last}.0"]}
        else:
            self.channels = width + 2 * half
            body["out"] = {"block": self.use("knit"), "from": self.pick(f"{last}.*", last)}
        return {"body": body}

    @staticmethod
    def channels_are_odd(half: int) -> bool:
        """Whether half the channels are none that the rest of the network could go on with."""
        return half % 4 != 0

    def softmaxed(self) -> Any:
        body = {
            "a": {"block": "conv", "kernel": 1},
            "b": {"block": "conv", "kernel": 3, "from": "input"},
            "shares": {"block": "softmax", "from": ["a", "b"]},
            "first": {"block": "multiply", "from": ["input", "shares.0"]},
            "second": {"block": "multiply", "from": ["a", "shares.1"]},
            "sum": {"block": "add", "from": ["first", "second"]},
        }
        return {"body": body}

    def scaled(self) -> Any:
        return {
            "block": self.use("scaled"),
            "scale": self.chance(3),
            "start": self.pick("zeros", {"constant": 0.1}),
        } | self.pick({}, {"depth": 2})

    def attention(self) -> Any:
        step = {"block": self.use("attend"), "heads": self.pick(1, 2, 4), "shift": self.chance()}
        told = self.pick({}, {}, {"scale": 1.0}, {"weights": "mean"}, {"cosine": True, "scale": 10.0})
        return step | ({"attention": told} if told else {})

    def pooled(self) -> Any:
        body: dict[str, Any] = self.pick({}, {"before": {"block": "conv", "kernel": 3}})
        body |= {
            "gates": self.pick(
                "channel_pool",
                {"block": "channel_pool", "first": "max"},
                {"block": "global_pool", "keep": True, "kind": self.pick("max", "sum")},
            ),
            "sigmoid": {"block": "activation", "kind": "sigmoid"},
        }
        body["out"] = {"block": "multiply", "from": ["input", "sigmoid"]}
        if "channel_pool" in str(body["gates"]):
            # A block of its own, as `scale` would multiply a width of 1 that stands in a stage.
            body["sigmoid"] = self.use("spatial")
        return {"body": body}

    def resized(self) -> Any:
        body = {
            "down": {"block": "adaptive_avg_pool", "size": self.pick(2, [3, 2])},
            "larger": {"block": "upsample", "factor": self.pick(2, [1, 3]), "kind": self.pick("nearest", "bilinear")},
            "scaled": {"block": "rescale", "scale": self.pick(0.5, [2]), "offset": self.pick(0, -1)},
            "padded": {"block": "pad_pixels", "above": self.pick(0, 1, -1), "right": 1, "value": self.pick(0, -1)},
            "again": {"block": "upsample", "factor": 1, "kind": "bicubic", "align_corners": self.chance()},
            "pool": {"block": "global_pool", "keep": True},
            "sum": {"block": "add", "from": ["input", "pool"], "spread": True},
        }
        return {"body": body}

    def extended(self) -> Any:
        width = self.new_width()
        step = {"block": self.use("odd-basic"), "width": width} | self.pick(
            {}, {"depth": 2}, {"gate": True}, {"kernel": 1}
        )
        self.channels, self.drops = width, True
        return step

    def left_out(self) -> Any:
        return {"block": "conv", "kernel": 3, "when": self.pick("$(classes > 100)", False, "$(not true)")}

    # ---- sections -----------------------------------------------------------------------------------------------

    def stem(self) -> Any:
        width = self.new_width()
        self.channels = width
        conv = {"block": "conv", "width": width, "kernel": self.pick(3, 5, [3, 1]), "stride": self.new_stride()}
        in_steps = {"conv1": conv, "bn1": "norm", "relu": "activation"}
        return self.pick(
            in_steps,
            {"body.conv": conv, "body.norm": "norm", "act": "activation"},
            [conv, "norm", "activation"],
            {"block": "conv_norm_act", "width": width},
            {"first": {"block": "deep_stem", "width": width, "stride": 1}, "norm0": "norm", "act": "activation"},
            {"0": [conv, "norm", "activation"]},
        )

    def stages(self) -> dict[str, Any]:
        names = self.draw(st.lists(st.sampled_from(STAGE_NAMES), min_size=1, max_size=5, unique=True))
        makers = [
            self.residual, self.residual, self.residual, self.simple, self.listed, self.branches, self.ladder,
            self.loop, self.parts,
            self.pool, self.inlined, self.growing, self.dropped, self.left_out,
            self.streams, self.scaled, self.attention, self.extended,
            self.softmaxed, self.pooled, self.resized,
        ]  # fmt: skip
        favourite = self.pick(*makers)  # instances of one block that differ have to share a class, or not
        return {name: (favourite if self.chance() else self.pick(*makers))() for name in names}

    def head(self) -> Any:
        size = self.channels * self.height * self.width
        return self.pick(
            {"avgpool": "global_pool", "fc": {"block": "linear", "width": "$classes"}},
            {"conv": {"block": "conv", "kernel": 1, "width": "$classes"}, "pool": "global_pool"},
            {
                "tokens": {"body": ["to_tokens", "flatten"], "when": False},
                "grid": "to_tokens",
                "narrow": {"block": "linear", "width": 8},
                "token": {"block": "parameter", "shape": [1, 1, 8], "init": {"truncated_normal": 0.02}},
                "places": {"block": "parameter", "shape": [1, "$(1 + grid.tokens)", 8], "init": {"normal": 0.02}},
                "all": {"block": "prepend_tokens", "from": ["narrow", "token"]},
                "placed": {
                    "block": "resize_tokens",
                    "grid": ["$(grid.height)", "$(grid.width)"],
                    "from": ["places", "narrow"],
                },
                "sum": {"block": "add", "from": ["all", "placed"]},
                "one_token": self.pick("take_token", "global_pool"),
                "fc": {"block": "linear", "width": "$classes"},
            },
            {
                "pool": {"block": "global_pool", "keep": True},
                "flat": "flatten",
                "norm": "norm",
                "fc": {"block": "linear", "width": "$classes"},
            },
            {"flat": "flatten", "fc": {"block": "linear", "width": "$classes", "bias": False}}
            if size < 20_000
            else {"last": "identity"},
        )


@st.composite
def specs(draw: st.DrawFn) -> str:
    """The text of a valid spec."""
    size = draw(st.one_of(st.integers(16, 33), st.tuples(st.integers(16, 33), st.integers(16, 33)).map(list)))
    rows, columns = (size, size) if isinstance(size, int) else size
    channels = draw(st.integers(1, 4))
    writer = Writer(draw, channels, rows, columns, favourite=draw(st.sampled_from(RESIDUAL)))
    spec: dict[str, Any] = {
        "name": draw(st.sampled_from(["net", "My net", "7up", "nn", "DropPath"])),
        "parameters": {"classes": draw(st.integers(2, 5))},
        "input": {"channels": channels, "size": size},
        "stem": writer.stem(),
        "stages": writer.stages(),
    }
    if writer.chance(4):
        named = {"neck_norm": "norm", "neck_act": "activation"}
        spec["neck"] = named if "0" in spec["stem"] or isinstance(spec["stem"], list) else writer.pick(["norm"], named)
    if writer.chance(5):
        also = {"also": {"block": "conv", "kernel": 1, "output": writer.pick("always", "training")}}
        spec["neck"] = {**also, **spec["neck"]} if isinstance(spec.get("neck"), dict) else also
    if writer.chance(6):
        spec["sequential"] = "features"
        for step in filter(lambda each: isinstance(each, dict), spec["stages"].values()):
            step.pop("names", None)  # the repeats are numbered
    if writer.chance(6):
        deeper = (
            {"depth": {"by": 1.5}}
            if any("depth" in step for step in spec["stages"].values() if isinstance(step, dict))
            else {}
        )
        spec["scale"] = writer.pick({"width": {"by": 2}}, {"width": {"by": "$wider", "to": 8}} | deeper)
        spec["parameters"] |= {"wider": 1.5} if "$wider" in str(spec["scale"]) else {}
    if writer.chance(5):
        spec["parameters"]["doubled"] = "$(classes * 2)"
        spec["head"] = {"pool": "global_pool", "fc": {"block": "linear", "width": "$doubled"}}
        spec["expect"] = {"output": ["$doubled"]}
    else:
        spec["head"] = writer.head()
    if (
        "$classes" not in str(spec["head"])
        and "classes" not in str(spec["stages"])
        and "doubled" not in spec["parameters"]
    ):
        del spec["parameters"]["classes"]
    if not spec["parameters"]:
        del spec["parameters"]
    spec["defaults"] = draw_defaults(writer)
    if writer.chance(4):
        spec["class"] = writer.pick("Net", "Bottleneck", "module", "Basic2")
    spec["blocks"] = blocks_of(spec)
    return yaml.safe_dump({key: value for key, value in spec.items() if value != {}}, sort_keys=False)


def texts_in(value: Any) -> list[str]:
    """The texts that are values in maps and lists."""
    if isinstance(value, dict | list):
        return [text for each in (value.values() if isinstance(value, dict) else value) for text in texts_in(each)]
    return [value] if isinstance(value, str) else []


def blocks_of(spec: dict[str, Any]) -> dict[str, Any]:
    """The own blocks that a spec uses, and those that these use: what was drawn and thrown away again may have used more."""
    used: dict[str, Any] = {}
    while True:
        said = {
            word for text in texts_in([spec, used]) for word in (re.findall(r"[\w-]+", text) if "$" in text else [text])
        }
        more = {name: definition for name, definition in OWN_BLOCKS.items() if name in said and name not in used}
        if not more:
            return {name: definition for name, definition in OWN_BLOCKS.items() if name in used}
        used |= more


def draw_defaults(writer: Writer) -> dict[str, Any]:
    """Defaults that have an effect: every stem has a convolution, a norm and an activation."""
    defaults: dict[str, Any] = {}
    if writer.chance(3):
        defaults["activation"] = writer.pick(*ACTIVATIONS)
    if writer.chance(3):
        defaults["norm"] = writer.pick(
            {"kind": "layer"}, {"kind": "group", "groups": 2}, {"momentum": 0.2}, {"eps": 0.001}
        )
    if writer.chance(3):
        defaults["conv"] = writer.pick({"init": "kaiming_fan_out"}, {"init": {"normal": 0.1}}, {"init": "zeros"})
    if writer.drops and writer.chance(2):
        defaults["drop_path"] = {"rate": 0.25} | writer.pick(
            {}, {"schedule": "constant"}, {"schedule": "linear_exclusive"}
        )
    return defaults
