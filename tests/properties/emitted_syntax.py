"""The constructs that emitted source may hold. Whatever a spec says, nothing else may be in its syntax tree: a list of what is
allowed, so that what nobody thought of is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from archbuilder.pytorch.helpers import HELPERS

IMPORTS = {
    "from collections import OrderedDict",
    "import torch",
    "from torch import Tensor, nn",
    "from torch import nn",
    "from torch.nn import functional",
}
BASES = {"nn.Module", "nn.Sequential"}
METHODS = {"__init__", "forward", "reset_parameters", "initialize_weights"}
LAYERS = {
    "AdaptiveAvgPool2d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv2d", "Dropout", "ELU", "Flatten", "GELU", "GroupNorm",
    "Hardsigmoid", "Hardswish", "Identity", "LayerNorm", "LeakyReLU", "Linear", "MaxPool2d", "Mish", "ModuleDict", "ModuleList",
    "ReLU", "ReLU6", "Sequential", "SiLU", "Sigmoid", "Tanh",
}  # fmt: skip
INITIALISERS = {"kaiming_normal_", "zeros_", "ones_", "normal_", "trunc_normal_", "uniform_", "constant_"}
FUNCTIONS = {f"nn.{layer}" for layer in LAYERS}
FUNCTIONS |= {f"nn.init.{name}" for name in INITIALISERS}
FUNCTIONS |= {"torch.cat", "torch.chunk", "functional.pad", "OrderedDict", "super().__init__", "super", "range"}
OWN_CALLS = {"self.add_module", "self.modules", "self.get_submodule", "self.initialize_weights"}
ANNOTATIONS = {
    "int",
    "float",
    "bool",
    "str",
    "None",
    "Tensor",
    "tuple[int, int]",
    "tuple[Tensor, ...]",
    "dict[str, Tensor]",
}
GLOBALS = {"nn", "torch", "functional", "Tensor", "OrderedDict", "super", "range", "getattr", "isinstance", *HELPERS}

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
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.ClassDef):
            Class(node, classes).check()
            classes.add(node.name)
        elif not (is_docstring(node) and number == 0) and ast.unparse(node) not in IMPORTS:
            refuse(node)


def refuse(node: ast.AST) -> None:
    raise NotAllowedError(f"line {getattr(node, 'lineno', '?')}: {type(node).__name__}: {ast.unparse(node)[:100]}")


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class Class:
    """A class and the classes before it, which are all that it may use."""

    def __init__(self, node: ast.ClassDef, classes: set[str]) -> None:
        self.node, self.classes = node, classes

    def check(self) -> None:
        node = self.node
        if node.name in HELPERS:
            if ast.dump(node) != ast.dump(ast.parse(HELPERS[node.name]).body[0]):
                refuse(node)
            return
        self.name(node, node.name, {*GLOBALS, *self.classes})
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
                for inner in ast.walk(part.value):
                    if not isinstance(inner, _LITERALS):
                        refuse(inner)
            elif not (number == 0 and is_docstring(part)):
                refuse(part)

    def name(self, node: ast.AST, name: str, taken: set[str]) -> None:
        """A name that this source makes: plain, and not that of something else."""
        if not _NAME.fullmatch(name) or name.startswith("__") or name in taken or name in ("self", "None"):
            refuse(node)

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
            self.name(node, argument.arg, {*GLOBALS, *self.classes, *locals_})
            self.annotation(argument.annotation)
            locals_.add(argument.arg)
        for default in arguments.defaults:
            if not all(isinstance(inner, _LITERALS) for inner in ast.walk(default)):
                refuse(default)
        self.annotation(node.returns)
        self.block(node.body, locals_)

    def annotation(self, node: ast.expr | None) -> None:
        if node is None or any(part not in ANNOTATIONS for part in ast.unparse(node).split(" | ")):
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

    # ---- statements ---------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt], locals_: set[str]) -> None:
        for number, node in enumerate(body):
            if number == 0 and is_docstring(node):
                continue
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.expression(value, locals_)
                    self.name(node, name, {*GLOBALS, *self.classes})
                    locals_.add(name)
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
                    self.name(node, name, set())
                    self.expression(value, locals_)
                case ast.Expr(value=ast.Call() as call):
                    self.expression(call, locals_)
                case ast.Return(value=ast.expr() as value):
                    self.expression(value, locals_)
                case ast.For(target=ast.Name(id="module" | "path" as name), iter=values, orelse=[]):
                    self.expression(values, locals_)
                    self.block(node.body, {*locals_, name})
                case ast.If(
                    test=ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id="module"), kind]), orelse=[]
                ):
                    if ast.unparse(kind) not in {f"nn.{layer}" for layer in LAYERS} | self.classes | {
                        *HELPERS,
                        self.node.name,
                    }:
                        refuse(kind)
                    self.block(node.body, locals_)
                case _:
                    refuse(node)

    # ---- expressions --------------------------------------------------------------------------------------------

    def expression(self, node: ast.AST, locals_: set[str]) -> None:
        match node:
            case ast.Constant(value=value) if value is None or type(value) in (bool, int, float, str):
                return
            case ast.Name(id=name) if name in locals_ or name == "self":
                return
            case ast.Attribute(attr=name):
                if name.startswith("__"):
                    refuse(node)
                self.expression(node.value, locals_)
            case ast.Call():
                self.call(node, locals_)
            case ast.GeneratorExp(
                generators=[ast.comprehension(target=ast.Name(id=name), iter=values, ifs=[], is_async=0)]
            ):
                self.name(node, name, {*GLOBALS, *self.classes})
                self.expression(values, locals_)
                self.expression(node.elt, {*locals_, name})
            case ast.BinOp(op=ast.Add() | ast.Mult()) | ast.UnaryOp(op=ast.Not() | ast.USub()) | ast.IfExp():
                self.parts(node, locals_)
            case ast.Tuple() | ast.List() | ast.Dict() | ast.Starred() | ast.Subscript() | ast.Slice():
                self.parts(node, locals_)
            case _:
                refuse(node)

    def parts(self, node: ast.AST, locals_: set[str]) -> None:
        for part in expressions_in(node):
            self.expression(part, locals_)

    def call(self, node: ast.Call, locals_: set[str]) -> None:
        called = ast.unparse(node.func)
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.expression(part, locals_)
        if any(keyword.arg is None for keyword in node.keywords):
            refuse(node)
        if called in FUNCTIONS or called in OWN_CALLS or called in self.classes or called in HELPERS:
            return
        if called == "getattr":  # a child with a number for a name
            match node.args:
                case [ast.Name(id="self"), ast.Constant(value=str() as name)] if name.isdigit():
                    return
            refuse(node)
        function = node.func
        while isinstance(function, ast.Subscript) and isinstance(function.slice, ast.Constant):
            function = function.value
        match function:
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if not name.startswith("__"):
                return  # a child
            case ast.Attribute(attr=name, value=ast.Subscript() as inner) if not name.startswith("__"):
                self.expression(inner, locals_)  # a child of a container
            case ast.Call(func=ast.Name(id="getattr")):
                self.call(function, locals_)
            case _:
                refuse(node)


def expressions_in(node: ast.AST) -> Iterator[ast.expr]:
    return (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
