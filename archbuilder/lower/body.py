"""Lowers bodies: step by step, each taking the value before it unless it names others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from archbuilder.diagnostics import Note, Place, suggest
from archbuilder.graph.graph import INPUT, Graph, Node, Value
from archbuilder.graph.op import Op, OpError
from archbuilder.graph.ops.activation import DropPath
from archbuilder.graph.ops.combine import ShapesDiffer
from archbuilder.graph.shapes import Shape, Streams
from archbuilder.lower.arguments import Arguments, Given, Uses
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import POISON, Builder, Frame
from archbuilder.lower.library import Definition
from archbuilder.lower.names import objection
from archbuilder.lower.references import find_values
from archbuilder.lower.slots import Slot
from archbuilder.lower.usage import mentions
from archbuilder.parameters import describe
from archbuilder.spec.formula import Formula
from archbuilder.spec.models import BlockDefinition, Loop, Step
from archbuilder.spec.table import value_place
from archbuilder.spec.validate import validate_body, validate_step

MAXIMUM_NODES: Final = 50_000
"""Distinct nodes of a network; repeats of equal blocks count once."""
MAXIMUM_RECURSION: Final = 40
"""How deep blocks may stand in blocks."""

_INPUT: Final = Value(INPUT)


@dataclass(frozen=True)
class Target:
    """What a step stands for, once its names are looked up: an op or a block, with its name and the uses that say how."""

    name: str
    definition: Definition
    uses: Uses


@dataclass
class Bodies:
    """Lowers the bodies of one network. Equal calls give the same graph."""

    arguments: Arguments
    evaluation: Evaluation
    memo: dict[Any, Graph | None] = field(default_factory=dict)
    parsed: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    count: int = 0
    depth: int = 0

    # ---- bodies -------------------------------------------------------------------------------------------------

    def steps(self, body: Any, frame: Frame) -> None:
        """Lowers the steps of a body into the frame."""
        if isinstance(body, list):
            number = 0
            for step in body:
                number += self.step(str(number), step, frame, None)
            return
        for name, step in body.items():
            self.step(name, step, frame, None)

    def step(self, key: str, step: Step, frame: Frame, place: Place | None) -> bool:
        """Lowers one step; whether it takes a number in a list."""
        place = step.place
        if step.loop is not None:
            self._loop(step.loop, step, frame)
            return True
        if step.is_nothing:
            return False
        try:
            name = self._name(key, frame, place)
        except GiveUp:
            frame.current = POISON
            return True
        if step.is_broken:
            self._set(frame, name, POISON)
            return True
        try:
            return self._placed(name, step, frame)
        except GiveUp:
            self._set(frame, name, POISON)
            return True

    def _loop(self, loop: Loop, step: Step, frame: Frame) -> None:
        place = step.place
        try:
            start = self.evaluation.evaluate(loop.start, frame, place)
            stop = self.evaluation.evaluate(loop.stop, frame, place)
            if type(start) is not int or type(stop) is not int or stop - start > MAXIMUM_NODES:
                got = f"{describe(start)} .. {describe(stop)}"
                self.evaluation.error(frame, "bad-loop", f"a loop runs over whole numbers, got {got}", place)
                return
            if loop.variable in frame.variables:
                self.evaluation.error(frame, "shadowed", f"`{loop.variable}` is the name of another variable here", place)
                return
        except GiveUp:
            frame.current = POISON
            return
        frame.builder.loops.append(max(0, stop - start))
        for number in range(start, stop):
            inner = frame.with_variable(loop.variable, number)
            self.steps(step.body, inner)
            frame.current = inner.current

    def _name(self, key: str, frame: Frame, place: Place | None) -> str:
        """The name of a step, its variables filled in."""
        if "$" not in key:
            return key
        return str(self.evaluation.evaluate(Formula(key), frame, place))

    def _placed(self, name: str, step: Step, frame: Frame) -> bool:
        present = step.when
        if present is not True:
            present = self.evaluation.evaluate(present, frame, step.place_at("when"))
        if type(present) is not bool:
            message = f"`when` must be true or false, got {describe(present)}"
            self.evaluation.error(frame, "bad-value", message, step.place_at("when"))
            raise GiveUp
        if not present:
            return self._absent(name, step, frame)
        target = self._target(step, frame)
        if target is None:
            return self._absent(name, step, frame)
        inputs = self._inputs(step, frame)
        if POISON in inputs:
            if isinstance(target, Target):
                self._resolve(target, frame, {}, None)
            raise GiveUp
        if isinstance(target, Target):
            value = self._use(name, step, target, inputs, frame)
        else:
            value = self._own_body(name, step, target, inputs, frame)
        self._set(frame, name, value)
        return True

    def _absent(self, name: str, step: Step, frame: Frame) -> bool:
        """A step that is left out hands on its first input. In a list, later steps move up unless `else` keeps its place."""
        value = self._inputs(step, frame, first_only=True)[0]
        if value == POISON:
            raise GiveUp
        stays = step.else_ is not None
        shape = frame.builder.shape_of(value)
        child = self._child_name(name, frame, step.place, claim=stays)
        node = Node(child, None, (value,), shape, step.place, replaced=stays)
        self._set(frame, name, frame.builder.add(node))
        return stays

    def _set(self, frame: Frame, name: str, value: Value) -> None:
        frame.values[name] = value
        frame.current = value

    # ---- inputs -------------------------------------------------------------------------------------------------

    def _inputs(self, step: Step, frame: Frame, first_only: bool = False) -> tuple[Value, ...]:
        if step.from_ is None:
            return (frame.current,)
        found: list[Value] = []
        for number, written in enumerate(step.from_):
            if first_only and found:
                break
            place = value_place(step.table.get("from"), number) if step.table is not None else None
            place = place or step.place_at("from")
            name = self.evaluation.evaluate(written, frame, place)
            values = find_values(name, frame) if isinstance(name, str) else None
            if values is None:
                known = ["input", *frame.values]
                help = suggest(str(name), known) if frame.values else "there is no step before this one but `input`"
                self.evaluation.error(frame, "unknown-step", f"there is no step `{name}` before this one", place, help)
                raise GiveUp
            found += values
        return tuple(found)

    # ---- what a step stands for ---------------------------------------------------------------------------------

    def _target(self, step: Step, frame: Frame) -> Target | Slot | list[Any] | dict[str, Any] | None:
        """The block, the slot or the steps that a step stands for; None for an empty slot."""
        if step.body is not None:
            return self._body_of(step, frame)
        place, named = None, step.block
        if type(named) is Formula:
            place = step.place_at("block")
            named = self.evaluation.evaluate(named, frame, place)
        uses: Uses = [(step, None)]
        while isinstance(named, Slot):
            slot = named
            if isinstance(slot.written, str):
                named = slot.written
                continue
            inner = self._parsed(slot.written, validate_step)
            if inner is None or inner.is_broken or inner.block is None:
                raise GiveUp
            uses.append((inner, slot.variables))
            named, place = inner.block, inner.place_at("block")
            if type(named) is Formula:
                named = self.evaluation.evaluate(named, frame, place, slot.variables)
        if named is None:
            return None
        definition = self.arguments.library.find(named) if isinstance(named, str) else None
        if definition is None:
            help = suggest(str(named), self.arguments.library.names())
            place = place or step.place_at("block")
            self.evaluation.error(frame, "unknown-block", f"there is no block {describe(named)}", place, help)
            raise GiveUp
        return Target(str(named), definition, uses)

    def _body_of(self, step: Step, frame: Frame) -> Any:
        if not isinstance(step.body, str):
            return step.body
        slot = self.evaluation.evaluate(step.body, frame, step.place_at("body"))
        if slot is None or (isinstance(slot, Slot) and slot.is_empty):
            return None
        if not isinstance(slot, Slot) or isinstance(slot.written, str):
            self.evaluation.error(frame, "bad-value", "`body` takes steps", step.place_at("body"))
            raise GiveUp
        return slot

    def _parsed(self, written: Any, validate: Any) -> Any:
        """A step or a body that was given as a parameter, as a model; read once in a lowering."""
        known = self.parsed.get(id(written))
        if known is None:
            known = self.parsed[id(written)] = (written, validate(written, self.evaluation.reporter))
        return known[1]

    # ---- unnamed bodies -----------------------------------------------------------------------------------------

    def _own_body(self, name: str, step: Step, body: Any, inputs: tuple[Value, ...], frame: Frame) -> Value:
        """A step with steps of its own: a child module of its own, or with `inline` children of this one."""
        if step.arguments:
            key = next(iter(step.arguments))
            message = f"`{key}` has no meaning beside `body`"
            self.evaluation.error(frame, "unknown-parameter", message, step.place_of_key(key))
        if step.inline:
            if len(inputs) != 1:
                self.evaluation.error(frame, "bad-input", "inline steps take one value", step.place_at("from"))
                raise GiveUp
            return self._inline(body, inputs[0], frame)
        shape = self._joint_shape(inputs, frame)
        if step.depth is not None:
            return self._sequence(name, step, body, shape, inputs, frame)
        graph = self._unnamed(body, shape, frame, step)
        return self._add_call(name, step, graph, inputs, frame)

    def _inline(self, body: Any, value: Value, frame: Frame) -> Value:
        """Lowers steps into the graph at hand."""
        values: dict[str, Value] = {}
        for steps, variables, origins in self._layers(body, frame):
            inner = Frame(
                frame.builder, variables, frame.defaults, value, frame.used_at, frame.block, values, origins,
                frame.rename,
            )  # fmt: skip
            self.steps(steps, inner)
            value = inner.current
        if value == POISON:
            raise GiveUp
        return value

    def _layers(self, body: Any, frame: Frame) -> list[tuple[Any, Any, Any]]:
        """The steps of a body with their variables; a slot laid over another keeps the variables of each."""
        if not isinstance(body, Slot):
            return [(body, frame.variables, frame.origins)]
        if body.below is None:
            return [(self._parsed(body.written, validate_body), body.variables, body.origins)]
        stack = [body]
        while stack[-1].below is not None:
            stack.append(stack[-1].below)
        owners: dict[str, tuple[Step, Slot]] = {}
        for slot in reversed(stack):
            steps = self._parsed(slot.written, validate_body)
            if not isinstance(steps, dict):
                raise GiveUp
            owners.update({name: (step, slot) for name, step in steps.items()})
        return [({name: step}, slot.variables, slot.origins) for name, (step, slot) in owners.items()]

    def _unnamed(self, body: Any, shape: Shape, frame: Frame, step: Step) -> Graph:
        builder = Builder(shape)
        inner = Frame(
            builder, frame.variables, frame.defaults, _INPUT, frame.used_at, frame.block, origins=frame.origins,
            rename=step.rename or {},
        )  # fmt: skip
        with self._inside(frame, step):
            if isinstance(body, Slot):
                inner.current = self._inline(body, _INPUT, inner)
            else:
                self.steps(body, inner)
        if inner.current == POISON:
            raise GiveUp
        register = tuple(step.register_ or ())
        return Graph(
            "",
            shape,
            tuple(builder.nodes),
            inner.current,
            listed=isinstance(body, list),
            register=register,
            loops=tuple(builder.loops),
        )

    # ---- uses of blocks -----------------------------------------------------------------------------------------

    def _use(self, name: str, step: Step, target: Target, inputs: tuple[Value, ...], frame: Frame) -> Value:
        definition = target.definition
        if step.depth is not None:
            return self._sequence(name, step, target, self._joint_shape(inputs, frame), inputs, frame)
        if isinstance(definition, type):
            return self._op(name, step, target, inputs, frame)
        if step.inline:
            return self._inline_block(target, inputs, frame)
        graph = self._call(target, self._joint_shape(inputs, frame), frame, step)
        return self._add_call(name, step, graph, inputs, frame)

    def _op(self, name: str, step: Step, target: Target, inputs: tuple[Value, ...], frame: Frame) -> Value:
        op_type = target.definition
        if not isinstance(op_type, type):
            raise GiveUp
        shapes = tuple(frame.builder.shape_of(value) for value in inputs)
        given = self._resolve(target, frame, {}, shapes[0])
        op, shape = self._applied(op_type, given, shapes, inputs, step, frame)
        left_out = isinstance(op, DropPath) and op.rate == 0
        child = self._child_name(name, frame, step.place, claim=not left_out)
        self._count(frame, step)
        return frame.builder.add(Node(child, None if left_out else op, inputs, shape, step.place))

    def _applied(
        self, op_type: type[Op], given: Given, shapes: tuple[Shape, ...], inputs: tuple[Value, ...], step: Step, frame: Frame
    ) -> tuple[Op, Shape]:
        """The op for these inputs, and the shape of what it gives."""
        least, most = op_type.inputs
        if len(shapes) < least or (most is not None and len(shapes) > most):
            wanted = str(least) if least == most else f"{least} or more"
            message = f"`{op_type.name}` takes {wanted} value{'s' * (wanted != '1')}, got {len(shapes)}"
            help = "name them in `from`, as in `from: [left, right]`" if least > 1 else None
            self.evaluation.error(frame, "bad-input", message, step.place_at("from"), help)
            raise GiveUp
        try:
            op = op_type.resolve(given.values, shapes)
            return op, op.infer(shapes)
        except OpError as error:
            self._report(error, given, inputs, step, frame)
            raise GiveUp from None

    def _report(self, error: OpError, given: Given, inputs: tuple[Value, ...], step: Step, frame: Frame) -> None:
        notes: tuple[Note, ...] = ()
        code = "bad-shape"
        if isinstance(error, ShapesDiffer):
            code = "shapes-differ"
            first, second = (inputs[number] for number in (error.first, error.second))
            builder = frame.builder
            ends = [f"{builder.shape_of(value)} comes from `{builder.origin_of(value)}`" for value in (first, second)]
            notes = (Note(", ".join(ends)),)
        place = step.place
        if error.parameter is not None:
            origin = given.origins.get(error.parameter)
            if origin is not None and not origin.source.shipped:
                place = origin
        self.evaluation.error(frame, code, str(error), place, error.help, notes)

    def _resolve(self, target: Target, frame: Frame, fixed: Mapping[str, Any], input: Any) -> Given:
        return self.arguments.resolve(target.name, target.definition, target.uses, frame, fixed, input)

    def _call(
        self, target: Target, shape: Shape, frame: Frame, step: Step, fixed: Mapping[str, Any] | None = None
    ) -> Graph:
        """The graph of a block for these parameters and this input."""
        definition = target.definition
        if not isinstance(definition, BlockDefinition):
            return self._op_alone(target, shape, frame, step, fixed or {})
        given = self._resolve(target, frame, fixed or {}, shape)
        rename, register = self._words(target, given, frame)
        key = (id(definition), tuple(given.values.values()), id(given.defaults.settings), shape, tuple(rename.items()), register)
        if key in self.memo:
            graph = self.memo[key]
        else:
            self.memo[key] = None
            graph = self.memo[key] = self._definition(target, definition, given, shape, frame, step, rename, register)
        if graph is None:
            raise GiveUp
        return graph

    def _op_alone(self, target: Target, shape: Shape, frame: Frame, step: Step, fixed: Mapping[str, Any]) -> Graph:
        """A graph of one op, for an op that is repeated."""
        builder = Builder(shape)
        inner = Frame(builder, frame.variables, frame.defaults, _INPUT, frame.used_at, frame.block, origins=frame.origins)
        inner.current = self._op("0", step, target, (_INPUT,), inner)
        return Graph("", shape, tuple(builder.nodes), inner.current, listed=True)

    def _definition(
        self,
        target: Target,
        definition: BlockDefinition,
        given: Given,
        shape: Shape,
        frame: Frame,
        step: Step,
        rename: Mapping[str, str],
        register: tuple[str, ...],
    ) -> Graph | None:
        builder = Builder(shape)
        try:
            inner = self._frame_for(target, definition, given, shape, builder, _INPUT, frame, step)
            inner.rename = rename
            with self._inside(frame, step):
                self.steps(definition.body, inner)
        except GiveUp:
            return None
        self._check_words(definition, rename, register, inner, frame, step)
        if inner.current == POISON:
            return None
        derived = (*definition.parameters, *definition.let)
        bindings = {name: inner.variables[name] for name in derived}
        return Graph(
            target.name,
            shape,
            tuple(builder.nodes),
            inner.current,
            bindings,
            isinstance(definition.body, list),
            register or tuple(definition.register_ or ()),
            help=definition.help,
            loops=tuple(builder.loops),
        )

    def _frame_for(
        self, target: Target, definition: BlockDefinition, given: Given, shape: Shape, builder: Builder, input: Value,
        frame: Frame, step: Step,
    ) -> Frame:  # fmt: skip
        """The frame in which a definition's body is lowered: its parameters, and what it derives from them."""
        variables: dict[str, Any] = {**given.values, "input": shape}
        used_at = frame.used_at
        if step.place is not None and not step.place.source.shipped:
            used_at = step.place
        inner = Frame(builder, variables, given.defaults, input, used_at, target.name, origins=given.origins)
        for name, written in definition.let.items():
            place = value_place(definition.let, name) or definition.place_at("let")
            if name in variables:
                self.evaluation.error(inner, "shadowed", f"`{name}` is the name of a parameter here", place)
                raise GiveUp
            variables[name] = self.evaluation.evaluate(written, inner, place)
        return inner

    def _inline_block(self, target: Target, inputs: tuple[Value, ...], frame: Frame) -> Value:
        definition = target.definition
        if not isinstance(definition, BlockDefinition) or len(inputs) != 1:
            self.evaluation.error(frame, "bad-input", "an inline block takes one value", target.uses[0][0].place)
            raise GiveUp
        shape = frame.builder.shape_of(inputs[0])
        given = self._resolve(target, frame, {}, shape)
        step = target.uses[0][0]
        inner = self._frame_for(target, definition, given, shape, frame.builder, inputs[0], frame, step)
        rename, _ = self._words(target, given, frame)
        inner.rename = {**frame.rename, **rename}
        with self._inside(frame, step):
            self.steps(definition.body, inner)
        if inner.current == POISON:
            raise GiveUp
        return inner.current

    # ---- repeats ------------------------------------------------------------------------------------------------

    def _sequence(
        self, name: str, step: Step, target: Any, shape: Shape, inputs: tuple[Value, ...], frame: Frame
    ) -> Value:
        """A step with `depth`: a Sequential of that many repeats; equal ones are one node with a count."""
        depth = self.evaluation.evaluate(step.depth, frame, step.place_at("depth"))
        if type(depth) is not int or not 1 <= depth <= 10_000:
            message = f"`depth` must be a whole number from 1 to 10,000, got {describe(depth)}"
            self.evaluation.error(frame, "bad-value", message, step.place_at("depth"))
            raise GiveUp
        numbered = mentions(step, "repeat")
        runs: list[tuple[Graph, int]] = []
        current, made = shape, 0
        while made < depth:
            graph = self._repeat(step, target, current, frame, made)
            count = 1
            if made > 0 and not numbered and graph.output_shape == current:
                count = depth - made
            if runs and runs[-1][0] is graph:
                runs[-1] = (graph, runs[-1][1] + count)
            else:
                runs.append((graph, count))
            current = graph.output_shape
            made += count
        names = self._repeat_names(step, target, frame, depth)
        nodes: list[Node] = []
        first = 0
        for graph, count in runs:
            own_names = names[first : first + count] if names else ()
            before = Value(len(nodes) - 1) if nodes else _INPUT
            label = own_names[0] if own_names else str(first)
            self._count(frame, step)
            nodes.append(Node(label, graph, (before,), graph.output_shape, step.place, count, own_names))
            first += count
        sequence = Graph("", shape, tuple(nodes), Value(len(nodes) - 1), listed=True)
        return self._add_call(name, step, sequence, inputs, frame)

    def _repeat(self, step: Step, target: Any, shape: Shape, frame: Frame, number: int) -> Graph:
        inner = frame.with_variable("repeat", number)
        if not isinstance(target, Target):
            return self._unnamed(target, shape, inner, step)
        fixed = {"stride": 1} if number and "stride" in _parameters(target) else {}
        return self._call(target, shape, inner, step, fixed)

    def _repeat_names(self, step: Step, target: Any, frame: Frame, depth: int) -> tuple[str, ...]:
        template, variables, place = step.names, None, step.place_at("names")
        if template is None and isinstance(target, Target):
            setting = frame.defaults.of(target.name).get("names")
            if setting is None:
                return ()
            setting.mark_used()
            template, variables, place = setting.value, setting.variables, setting.value_place
        if template is None:
            return ()
        names = []
        for number in range(depth):
            inner = frame.with_variable("repeat", number)
            names.append(str(self.evaluation.evaluate(template, inner, place, variables)))
        if len(set(names)) < depth:
            self.evaluation.error(frame, "same-name", "`names` gives two repeats the same name", place, "use $repeat in it")
            raise GiveUp
        return tuple(self._checked_name(each, frame, place) for each in names)

    # ---- names of children --------------------------------------------------------------------------------------

    def _words(self, target: Target, given: Given, frame: Frame) -> tuple[dict[str, str], tuple[str, ...]]:
        """`rename` and `register` of a use: its own, else those of `defaults`."""
        rename: dict[str, str] = {}
        register: tuple[str, ...] = ()
        for step, _ in reversed(target.uses):
            rename.update(step.rename or {})
            register = tuple(step.register_ or register)
        for word, own in (("rename", rename), ("register", register)):
            setting = given.words.get(word)
            if setting is None or own:
                continue
            setting.mark_used()
            expected = dict if word == "rename" else list
            if not isinstance(setting.value, expected):
                message = f"`{word}` must be a {'map' if word == 'rename' else 'list'} of names"
                self.evaluation.error(frame, "bad-value", message, setting.value_place)
            elif word == "rename":
                rename = {str(old): str(new) for old, new in setting.value.items()}
            else:
                register = tuple(str(name) for name in setting.value)
        return rename, register

    def _check_words(
        self, definition: BlockDefinition, rename: Mapping[str, str], register: tuple[str, ...], inner: Frame,
        frame: Frame, step: Step,
    ) -> None:  # fmt: skip
        """Names in `rename` and `register` must be those of steps."""
        steps = {name.split(".")[0] for name in inner.builder.known} | set(inner.builder.known)
        for word, names in (("rename", rename), ("register", register)):
            for name in names:
                known = steps if word == "rename" else steps | set(rename.values())
                if name not in known:
                    message = f"there is no step `{name}` in the block to {word}"
                    self.evaluation.error(frame, "unknown-step", message, step.place_at(word), suggest(name, steps))

    def _child_name(self, name: str, frame: Frame, place: Place | None, *, claim: bool) -> str:
        builder = frame.builder
        builder.known.add(name)
        if frame.rename:
            head, dot, tail = name.partition(".")
            name = frame.rename.get(name) or (f"{frame.rename.get(head, head)}{dot}{tail}")
        if name not in self.checked:
            self._checked_name(name, frame, place)
        if not claim:
            return name
        clash = builder.claim(name)
        if clash is not None:
            message = f"two steps are called `{name}`" if clash == name else f"`{name}` cannot stand beside `{clash}`"
            self.evaluation.error(frame, "same-name", message, place, "give one of them another name")
            raise GiveUp
        return name

    def _checked_name(self, name: str, frame: Frame, place: Place | None) -> str:
        reason = objection(name)
        if reason is not None:
            self.evaluation.error(frame, "bad-name", f"a step cannot be called `{name[:60]}`: {reason}", place)
            raise GiveUp
        self.checked.add(name)
        return name

    # ---- nodes --------------------------------------------------------------------------------------------------

    def _add_call(self, name: str, step: Step, graph: Graph, inputs: tuple[Value, ...], frame: Frame) -> Value:
        child = self._child_name(name, frame, step.place, claim=True)
        self._count(frame, step)
        return frame.builder.add(Node(child, graph, inputs, graph.output_shape, step.place))

    def _joint_shape(self, inputs: tuple[Value, ...], frame: Frame) -> Shape:
        shapes = tuple(frame.builder.shape_of(value) for value in inputs)
        return shapes[0] if len(shapes) == 1 else Streams(shapes)

    def _count(self, frame: Frame, step: Step) -> None:
        self.count += 1
        if self.count > MAXIMUM_NODES:
            message = f"this network has more than {MAXIMUM_NODES:,} different steps"
            self.evaluation.error(frame, "too-large", message, step.place)
            raise TooLarge

    @contextmanager
    def _inside(self, frame: Frame, step: Step) -> Iterator[None]:
        """One level deeper in blocks."""
        if self.depth >= MAXIMUM_RECURSION:
            message = f"blocks stand in blocks more than {MAXIMUM_RECURSION} deep; does one use itself?"
            self.evaluation.error(frame, "too-deep", message, step.place)
            raise TooLarge
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


class TooLarge(Exception):
    """The network passes a bound, which has been reported; nothing more can be said of it."""


def _parameters(target: Target) -> Any:
    definition = target.definition
    if isinstance(definition, BlockDefinition):
        return definition.parameters
    return {parameter.name for parameter in definition.parameters}
