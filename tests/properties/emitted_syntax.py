"""The constructs that emitted source may hold. Whatever a spec says, nothing else may be in its syntax tree: a list of what is
allowed, so that what nobody thought of is refused."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from archbuilder.graph import helpers
from archbuilder.pytorch.source import OWN_HELPERS

HELPERS = {**helpers.HELPERS, **OWN_HELPERS}
IMPORTS = {
    "import math",
    "from collections import OrderedDict",
    "from typing import NamedTuple",
    "import torch",
    "from torch import Tensor, nn",
    "from torch import nn",
    "from torch.nn import functional",
}
BASES = {"nn.Module", "nn.Sequential", "nn.ModuleDict"}
METHODS = {"__init__", "forward", "reset_parameters", "initialize_weights"}
LAYERS = {
    "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "ChannelShuffle", "Conv2d", "Dropout",
    "ELU", "Flatten", "GELU", "GroupNorm", "Hardsigmoid", "Hardswish", "Identity", "LayerNorm", "LeakyReLU", "Linear",
    "MaxPool2d", "Mish", "ModuleDict", "ModuleList", "ReLU", "ReLU6", "Sequential", "SiLU", "Sigmoid", "Tanh", "Upsample",
}  # fmt: skip
MAKERS = {
    *(f"nn.{layer}" for layer in LAYERS),
    *(name for name in HELPERS if name[0].isupper()),
    "OrderedDict",
    "range",
}
"""What a constructor calls, beside the classes of the source itself."""
ARITHMETIC = {"float", "len", "max", "min", "round", "round_to", "math.floor", "math.ceil", "math.log2"}
"""What a constructor computes with."""
OPERATORS = (
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.Not, ast.USub, ast.UAdd, ast.And, ast.Or,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn,
)  # fmt: skip
FUNCTIONS = {"torch.cat", "torch.chunk", "functional.pad", "resize_tokens", "sum_of"}
"""What `forward` calls, beside the children."""
NUMBER = r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?"
DRAWN = {
    "zeros_": "",
    "ones_": "",
    "kaiming_normal_": ", mode='fan_(in|out)', nonlinearity='relu'",
    "kaiming_uniform_": ", mode='fan_(in|out)', nonlinearity='relu'",
    "normal_": f", std={NUMBER}",
    "trunc_normal_": f", std={NUMBER}",
    "uniform_": f", {NUMBER}, {NUMBER}",
    "constant_": f", {NUMBER}",
}
"""What stands behind the tensor in a call of each initialiser."""
METHODS_OF_VALUES = {
    "amax": {"dim=1, keepdim=True", "dim=(2, 3), keepdim=True"},
    "flatten": {"1, -2", "2"},
    "mean": {"dim=1", "dim=1, keepdim=True", "dim=(2, 3), keepdim=True"},
    "softmax": {"dim=0", "dim=2"},
    "sum": {"dim=(2, 3)", "dim=(2, 3), keepdim=True"},
    "transpose": {"1, 2"},
    "unsqueeze": {"3"},
}
"""The methods of a tensor that `forward` calls, and what they are told."""
ANNOTATIONS = {
    "int",
    "float",
    "bool",
    "str",
    "None",
    "Tensor",
    *(f"tuple[{', '.join(['int'] * count)}]" for count in range(1, 9)),
    "tuple[int, ...]",
    "list[Tensor]",
    "dict[str, Tensor]",
}
GLOBALS = {
    "nn", "torch", "functional", "Tensor", "OrderedDict", "NamedTuple", "super", "range", "getattr", "isinstance", "math",
    "len", "max", "min", "round", "enumerate", "zip", *HELPERS,
}  # fmt: skip

RESET = """
def reset_parameters(self) -> None:
    \"\"\"Draws all parameters anew, after `to_empty` for example.\"\"\"
    for module in self.modules():
        reset = getattr(module, "reset_parameters", None)
        if module is not self and callable(reset):
            reset()
"""
"""The one method that is the same in all sources, as far as it goes."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_LITERALS = (ast.Constant, ast.UnaryOp, ast.USub, ast.Tuple, ast.List, ast.Dict, ast.Load)


class NotAllowedError(AssertionError):
    """The source holds what the emitter may not write."""


def check_source(source: str) -> None:
    """Raises `NotAllowedError` unless the source holds only what the emitter may write."""
    if not source.isascii():
        raise NotAllowedError(
            "a character that is not ASCII"
        )  # so no name is normalised into another, nothing is turned around
    tree = ast.parse(source)
    classes: set[str] = set()
    outputs: set[str] = set()
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in HELPERS:
            if ast.dump(node) != ast.dump(ast.parse(HELPERS[node.name]).body[0]):
                refuse(node)
        elif isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["NamedTuple"]:
            if number + 2 != len(tree.body) or node.name != f"{getattr(tree.body[-1], 'name', '')}Output":
                refuse(node)
            check_output_class(node, classes)
            outputs.add(node.name)
        elif isinstance(node, ast.ClassDef):
            Class(node, classes, outputs if number + 1 == len(tree.body) else set()).check()
            classes.add(node.name)
        elif not (is_docstring(node) and number == 0) and ast.unparse(node) not in IMPORTS:
            refuse(node)


def refuse(node: ast.AST) -> NoReturn:
    raise NotAllowedError(f"line {getattr(node, 'lineno', '?')}: {type(node).__name__}: {ast.unparse(node)[:100]}")


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def check_name(node: ast.AST, name: str, taken: set[str]) -> None:
    """A name that this source makes: plain, and not that of something else."""
    if not _NAME.fullmatch(name) or name.startswith("__") or name in taken or name in ("self", "None"):
        refuse(node)


def check_output_class(node: ast.ClassDef, classes: set[str]) -> None:
    """The named tuple of several outputs: a docstring, then fields that are tensors; those for training only come last."""
    check_name(node, node.name, {*GLOBALS, *classes})
    if node.decorator_list or node.keywords or not is_docstring(node.body[0]):
        refuse(node)
    fields: list[str] = []
    optional = False
    for part in node.body[1:]:
        match part:
            case ast.AnnAssign(target=ast.Name(id=name), simple=1):
                check_name(
                    part, name, {"Tensor", *fields}
                )  # fields without a value hide nothing, those with one hide no type
                fields.append(name)
                said = ast.unparse(part).removeprefix(f"{name}: ")
                if said != "Tensor | None = None" and (said != "Tensor" or optional):
                    refuse(part)
                optional = said != "Tensor"
            case _:
                refuse(part)
    if fields[:1] != ["output"] or len(fields) < 2:
        refuse(node)


class Class:
    """A class and the classes before it, which are all that it may use; `outputs` is the tuple that it may return."""

    def __init__(self, node: ast.ClassDef, classes: set[str], outputs: set[str]) -> None:
        self.node, self.classes, self.outputs = node, classes, outputs
        self.turns: set[str] = set()
        self.modules: set[str] = set()

    def check(self) -> None:
        node = self.node
        check_name(node, node.name, {*GLOBALS, *self.classes, *self.outputs})
        if node.decorator_list or node.keywords or len(node.bases) != 1 or ast.unparse(node.bases[0]) not in BASES:
            refuse(node)
        for number, part in enumerate(node.body):
            if isinstance(part, ast.FunctionDef):
                self.method(part)
            elif (
                isinstance(part, ast.Assign)
                and ast.unparse(part.targets[0]) == "feature_info"
                and len(part.targets) == 1
            ):
                if not is_literal(part.value):
                    refuse(part)
            elif not (number == 0 and is_docstring(part)):
                refuse(part)

    def method(self, node: ast.FunctionDef) -> None:
        if node.name not in METHODS or node.decorator_list or getattr(node, "type_params", []):
            refuse(node)
        if node.name == "reset_parameters":
            self.reset_parameters(node)
            return
        arguments = node.args
        if (
            arguments.vararg
            or arguments.kwarg
            or arguments.kwonlyargs
            or arguments.posonlyargs
            or arguments.args[0].arg != "self"
        ):
            refuse(node)
        locals_: set[str] = set()
        for argument in arguments.args[1:]:
            check_name(node, argument.arg, {*GLOBALS, *self.classes, *self.outputs, *locals_})
            self.annotation(argument.annotation, ANNOTATIONS)
            locals_.add(argument.arg)
        for default in arguments.defaults:
            if not is_literal(default):
                refuse(default)
        self.annotation(node.returns, ANNOTATIONS | (self.outputs if node.name == "forward" else set()))
        body = node.body[1:] if is_docstring(node.body[0]) else node.body
        if node.name == "__init__":
            for part in body:
                self.construction(part, locals_)
        elif node.name == "forward":
            for part in body:
                self.step(part, locals_)
        else:
            for part in body:
                self.drawing(part)

    def annotation(self, node: ast.expr | None, allowed: set[str]) -> None:
        if node is None or any(part not in allowed for part in ast.unparse(node).split(" | ")):
            refuse(node or self.node)

    def reset_parameters(self, node: ast.FunctionDef) -> None:
        expected = ast.parse(RESET).body[0]
        assert isinstance(expected, ast.FunctionDef)
        rest = [ast.unparse(part) for part in node.body[len(expected.body) :]]
        same = [ast.dump(part) for part in node.body[: len(expected.body)]] == [
            ast.dump(part) for part in expected.body
        ]
        if (
            not same
            or rest not in ([], ["self.initialize_weights()"])
            or ast.dump(node.args) != ast.dump(expected.args)
        ):
            refuse(node)

    # ---- __init__ -----------------------------------------------------------------------------------------------

    def construction(self, node: ast.stmt, locals_: set[str]) -> None:  # noqa: C901 -- one case for each construct
        """A line of a constructor: values that follow from the arguments, children, stored arguments."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.computed(value, locals_)
                check_name(node, name, {*GLOBALS, *self.classes, *locals_})
                locals_.add(name)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value) if is_computed(
                value, locals_
            ):
                check_name(node, name, set())
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                check_name(node, name, set())
                self.made(value, locals_)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="self"), slice=key)], value=value) if is_key(
                key, locals_
            ):
                self.made(value, locals_)
            case ast.For(target=ast.Name(id=name), iter=ast.Call() as numbers, body=body, orelse=[]):
                self.numbers(numbers, locals_)
                check_name(node, name, {*GLOBALS, *self.classes})
                for part in body:
                    self.construction(part, locals_ | {name})
            case ast.If(test=test, body=body, orelse=[]):
                self.computed(test, locals_)
                for part in body:
                    self.construction(part, locals_)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=kept, attr="append"), args=[value], keywords=[])) if (
                is_kept(kept, locals_)
            ):
                self.made(value, locals_)
            case ast.Expr(value=ast.Call(func=function, args=arguments, keywords=[])):
                match ast.unparse(function), arguments:
                    case "super().__init__", _:
                        for argument in arguments:
                            self.made(argument, locals_)
                    case "self.initialize_weights", []:
                        pass
                    case _:
                        refuse(node)
            case _:
                refuse(node)

    def numbers(self, node: ast.Call, locals_: set[str]) -> None:
        """The numbers that a loop runs over."""
        if ast.unparse(node.func) != "range" or node.keywords:
            refuse(node)
        for part in node.args:
            if not (is_computed(part, locals_) or is_stored(part, locals_)):
                refuse(part)

    def computed(self, node: ast.AST, locals_: set[str]) -> None:
        """What a constructor computes from its arguments."""
        if not is_computed(node, locals_):
            refuse(node)

    def made(self, node: ast.AST, locals_: set[str]) -> None:  # noqa: C901 -- one case for each construct
        """What a constructor makes: modules, containers of them, and the arguments they are told."""
        if is_computed(node, locals_):
            return
        match node:
            case ast.Call(func=ast.Attribute(), args=[ast.Call(args=sizes, keywords=[]) as zeros], keywords=[]) if (
                ast.unparse(node.func) == "nn.Parameter" and ast.unparse(zeros.func) == "torch.zeros" and sizes
            ):
                for size in sizes:
                    self.computed(size, locals_)
            case ast.Call():
                called = ast.unparse(node.func)
                if called not in MAKERS | self.classes or any(keyword.arg is None for keyword in node.keywords):
                    refuse(node)
                for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                    self.made(part, locals_)
            case ast.GeneratorExp(generators=[ast.comprehension(target=target, iter=values, ifs=[], is_async=0)]):
                names = [each.id for each in (target.elts if isinstance(target, ast.Tuple) else [target])]  # type: ignore[attr-defined]
                for name in names:
                    check_name(node, name, {*GLOBALS, *self.classes, *locals_} - {"_"})  # `_` is read nowhere
                self.made(values, locals_)
                self.made(node.elt, {*locals_, *names})
            case ast.IfExp(test=test, body=body, orelse=ast.Call() as other) if ast.unparse(other) == "nn.Identity()":
                self.computed(test, locals_)
                self.made(body, locals_)
            case ast.IfExp(test=test, body=ast.List(elts=body), orelse=ast.List(elts=other)) if len(body + other) == 1:
                self.computed(test, locals_)
                self.made((body + other)[0], locals_)
            case ast.Tuple() | ast.List() | ast.Dict() | ast.Starred():
                for part in expressions_in(node):
                    self.made(part, locals_)
            case _:
                refuse(node)

    # ---- forward ------------------------------------------------------------------------------------------------

    def step(self, node: ast.stmt, locals_: set[str]) -> None:
        """A line of `forward`."""
        match node:
            case ast.For(target=target, iter=turns, body=body, orelse=[]):
                self.begin_loop(target, turns, locals_)
                for part in body:
                    self.step(part, locals_)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])) if (
                name in locals_
            ):
                self.value(value, locals_)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.value(value, locals_)
                check_name(node, name, {*GLOBALS, *self.classes, *self.outputs})
                locals_.add(name)
            case ast.Return(value=ast.Call(func=ast.Name(id=name), args=[main], keywords=others)) if (
                name in self.outputs
            ):
                self.value(main, locals_)
                for other in others:
                    if other.arg is None:
                        refuse(node)
                    self.value(other.value, locals_)
            case ast.Return(value=ast.Dict(keys=keys, values=values)) if all(key and is_literal(key) for key in keys):
                for value in values:
                    self.value(value, locals_)
            case ast.Return(value=ast.expr() as value):
                self.value(value, locals_)
            case ast.If(body=[ast.Return() as early], orelse=[]) if ast.unparse(node.test) == "not self.training":
                self.step(early, locals_)
            case _:
                refuse(node)

    def begin_loop(self, target: ast.AST, turns: ast.AST, locals_: set[str]) -> None:
        """Makes the variables of a loop known: its number, and the modules that it goes through."""
        names = [each.id for each in ast.walk(target) if isinstance(each, ast.Name)]
        for name in names:
            check_name(target, name, {*GLOBALS, *self.classes, *self.outputs})
        modules = self.turned(turns, locals_)
        locals_.update(names)
        self.turns.update(names[: len(names) - modules])
        self.modules.update(names[len(names) - modules :])

    def turned(self, turns: ast.AST, locals_: set[str]) -> int:
        """What a loop of `forward` goes through: numbers, or lists of modules; how many of its variables are modules."""
        match turns:
            case ast.Call(func=ast.Name(id="range")):
                self.numbers(turns, locals_)
                return 0
            case ast.Call(func=ast.Name(id="enumerate"), args=[lists, *start], keywords=[]):
                if not all(is_stored(each, locals_) or is_literal(each) for each in start):
                    refuse(turns)
                return self.turned(lists, locals_)
            case ast.Call(func=ast.Name(id="zip"), args=lists, keywords=[]):
                return sum(self.turned(each, locals_) for each in lists)
            case ast.Name(id=name) if name in self.modules:
                return 1
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if not name.startswith("__"):
                return 1
            case _ if ast.unparse(turns) == "self.values()":
                return 1
            case _:
                refuse(turns)

    def value(self, node: ast.AST, locals_: set[str]) -> None:
        """What is computed: children called, tensors joined."""
        if is_literal(node) or is_argument(node, locals_):
            return
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if not name.startswith("__"):
                return  # a stored argument, or a tensor of the block's own
            case ast.Call():
                self.computation(node, locals_)
            case ast.BinOp(op=ast.Add() | ast.Mult() | ast.MatMult()) | ast.Tuple() | ast.List():
                self.values(expressions_in(node), locals_)
            case ast.IfExp(test=test, body=body, orelse=other) if is_stored(test, self.turns):
                self.values([body, other], locals_)
            case ast.ListComp(elt=value, generators=[ast.comprehension(target=target, iter=turns, ifs=[], is_async=0)]):
                self.begin_loop(target, turns, locals_)
                self.value(value, locals_)
            case ast.Subscript(value=value, slice=index):
                self.value(value, locals_)
                for part in index.elts if isinstance(index, ast.Tuple) else [index]:
                    if is_stored(part, locals_):
                        continue
                    inner = expressions_in(part) if isinstance(part, ast.Slice) else [part]
                    self.values(inner, locals_)
            case _:
                refuse(node)

    def values(self, nodes: Iterable[ast.AST], locals_: set[str]) -> None:
        for node in nodes:
            self.value(node, locals_)

    def computation(self, node: ast.Call, locals_: set[str]) -> None:
        arguments = ", ".join(ast.unparse(part) for part in (*node.args, *node.keywords))
        if any(keyword.arg is None for keyword in node.keywords):
            refuse(node)
        match node.func:
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self")) as inner, attr="expand"):
                self.expanded(node, inner, locals_)
            case ast.Attribute(value=inner, attr="unbind") if arguments == "":
                if not re.fullmatch(r"torch\.stack\([^()]*\)\.softmax\(dim=0\)", ast.unparse(inner)):
                    refuse(node)
                if inner.func.value.keywords:  # type: ignore[attr-defined]
                    refuse(node)
                self.values(inner.func.value.args, locals_)  # type: ignore[attr-defined]
            case ast.Attribute(value=inner, attr=name) if arguments in METHODS_OF_VALUES.get(name, ()) and not (
                isinstance(inner, ast.Name) and inner.id == "self"
            ):
                self.value(inner, locals_)
            case ast.Name(id=name) if name in self.modules:
                self.values(node.args, locals_)
            case _ if ast.unparse(node.func) in FUNCTIONS or self.is_child(node.func, locals_):
                self.values((*node.args, *(keyword.value for keyword in node.keywords)), locals_)
            case _:
                refuse(node)

    def expanded(self, node: ast.Call, held: ast.AST, locals_: set[str]) -> None:
        """A held tensor for each image of another value."""
        match node.args:
            case [ast.Subscript(value=ast.Attribute(value=other, attr="shape")), _, _] if not node.keywords:
                if ast.unparse(node.args[0]) != f"{ast.unparse(other)}.shape[0]" or [
                    ast.unparse(each) for each in node.args[1:]
                ] != ["-1", "-1"]:
                    refuse(node)
                self.values([held, other], locals_)
            case _:
                refuse(node)

    @staticmethod
    def is_child(function: ast.AST, locals_: set[str]) -> bool:
        """Whether a child is called: by its name, and by names or numbers in containers."""
        while isinstance(function, ast.Subscript):
            place = function.slice
            known = isinstance(place, ast.Constant) and type(place.value) in (int, str)
            known = known or (isinstance(place, ast.Name) and place.id in locals_)
            if isinstance(function.value, ast.Name):
                return function.value.id == "self" and is_key(place, locals_)
            if not known:
                return False
            function = function.value
        match function:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return not name.startswith("__")
        return False

    # ---- initialize_weights -------------------------------------------------------------------------------------

    def drawing(self, node: ast.stmt) -> None:
        """A loop over modules, or over paths."""
        match node:
            case ast.For(target=ast.Name(id="module"), orelse=[]) if ast.unparse(node.iter) == "self.modules()":
                for part in node.body:
                    match part:
                        case ast.If(
                            test=ast.Call(
                                func=ast.Name(id="isinstance"), args=[ast.Name(id="module"), kind], keywords=[]
                            ),
                            orelse=[],
                        ) if ast.unparse(kind) in MAKERS - {"range", "OrderedDict"} | self.classes | {self.node.name}:
                            for inner in part.body:
                                self.guarded(inner)
                        case _:
                            refuse(part)
            case ast.For(target=ast.Name(id="path"), iter=ast.Tuple(elts=paths), body=[draw], orelse=[]):
                if not all(isinstance(path, ast.Constant) and isinstance(path.value, str) for path in paths):
                    refuse(node)
                self.drawn(draw, re.compile(r"self\.get_submodule\(path\)\.[a-z_]+|self\.get_parameter\(path\)"))
            case _:
                refuse(node)

    def guarded(self, node: ast.stmt) -> None:
        if isinstance(node, ast.If):
            if ast.unparse(node.test) != "module.bias is not None" or node.orelse or len(node.body) != 1:
                refuse(node)
            self.drawn(node.body[0], re.compile(r"module\.bias"))
        else:
            self.drawn(node, _REACHED)

    def drawn(self, node: ast.stmt, tensor: re.Pattern[str]) -> None:
        """A call of an initialiser."""
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args):
            refuse(node)
        target = ast.unparse(node.value.args[0])
        if not tensor.fullmatch(target) or ".__" in target:
            refuse(node)
        text = ast.unparse(node)
        owner = target.removesuffix(".weight")
        computed = (
            f"nn.init.normal_({target}, std=(2.0 / ({target}[0, 0].numel() * {owner}.out_channels // {owner}.groups)) ** 0.5)",
            f"nn.init.uniform_({target}, -({target}.shape[0] ** -0.5), {target}.shape[0] ** -0.5)",
        )
        if target.endswith(".weight") and text in (ast.unparse(ast.parse(each)) for each in computed):
            return
        if not any(
            re.fullmatch(f"nn\\.init\\.{name}\\({re.escape(target)}{rest}\\)", text) for name, rest in DRAWN.items()
        ):
            refuse(node)


_REACHED = re.compile(r"""module(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\]|\.get_submodule\('[A-Za-z0-9_-]+'\))+""")
"""A tensor below a module."""


def is_key(node: ast.AST, locals_: set[str]) -> bool:
    """Whether it is the name of a child: a text that is no word of Python, or the number of a turn."""
    match node:
        case ast.Constant(value=str() as name):
            return is_odd_name(name)
        case ast.JoinedStr(values=[ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None)]):
            return name in locals_
        case _:
            return False


def is_kept(node: ast.AST, locals_: set[str]) -> bool:
    """Whether it is a list of modules of the class."""
    match node:
        case ast.Name(id="self"):
            return True
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return not name.startswith("__")
        case ast.Subscript(value=value, slice=ast.Name(id=name)):
            return name in locals_ and is_kept(value, locals_)
        case _:
            return False


def is_stored(node: ast.AST, locals_: set[str]) -> bool:
    """Whether it is arithmetic with what the class has stored, and the numbers of loops."""

    class Known(ast.NodeTransformer):
        def visit_Attribute(self, inner: ast.Attribute) -> ast.AST:
            own = isinstance(inner.value, ast.Name) and inner.value.id == "self" and not inner.attr.startswith("__")
            return ast.Constant(0) if own else inner

    return not isinstance(node, ast.Slice) and is_computed(Known().visit(copy.deepcopy(node)), locals_)


def is_computed(node: ast.AST, locals_: set[str]) -> bool:
    """Whether it is arithmetic with names, numbers and words."""
    match node:
        case ast.Constant(value=value):
            return value is None or type(value) in (bool, int, float, str)
        case ast.Name(id=name):
            return name in locals_
        case ast.Call(func=function, args=arguments, keywords=[]):
            return ast.unparse(function) in ARITHMETIC and all(is_computed(each, locals_) for each in arguments)
        case ast.BinOp(op=operator) | ast.UnaryOp(op=operator) | ast.BoolOp(op=operator):
            parts = expressions_in(node)
            return isinstance(operator, OPERATORS) and all(is_computed(each, locals_) for each in parts)
        case ast.Compare(ops=operators):
            parts = expressions_in(node)
            return all(isinstance(each, OPERATORS) for each in operators) and all(
                is_computed(p, locals_) for p in parts
            )
        case ast.IfExp() | ast.Tuple() | ast.List() | ast.Subscript():
            return all(is_computed(each, locals_) for each in expressions_in(node))
        case _:
            return False


def is_literal(node: ast.AST) -> bool:
    return all(isinstance(inner, _LITERALS) for inner in ast.walk(node)) and not any(
        isinstance(inner, ast.Constant) and type(inner.value) not in (bool, int, float, str, type(None))
        for inner in ast.walk(node)
    )


def is_argument(node: ast.AST, locals_: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in locals_


def is_odd_name(name: str) -> bool:
    """A child's name that is no identifier: a number, or one with a hyphen."""
    return bool(re.fullmatch("[0-9]{1,6}|[A-Za-z_][A-Za-z0-9_]*-[A-Za-z0-9_-]*", name))


def expressions_in(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
