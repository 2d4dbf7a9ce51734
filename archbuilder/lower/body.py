"""Lowers bodies: step by step, each taking the value before it unless it names others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from archbuilder.diagnostics import Place
from archbuilder.graph.graph import INPUT, Graph, Node, Output, Value, reduction_of
from archbuilder.graph.op import Op
from archbuilder.graph.ops.activation import DropPath
from archbuilder.graph.ops.combine import Gather
from archbuilder.graph.shapes import Map, Shape, Streams
from archbuilder.lower.application import apply_op
from archbuilder.lower.arguments import Arguments, Given
from archbuilder.lower.evaluation import Evaluation, GiveUp, TooLarge
from archbuilder.lower.frame import POISON, UNKNOWN, Builder, Frame
from archbuilder.lower.library import Block, parameters_of
from archbuilder.lower.naming import Naming, Words
from archbuilder.lower.references import advice_for, find_values
from archbuilder.lower.repeats import Run, runs_of, sequence_of
from archbuilder.lower.rules import Numbering
from archbuilder.lower.slots import Slot
from archbuilder.lower.targets import Steps, Target, Targets
from archbuilder.lower.usage import mentions
from archbuilder.parameters import describe
from archbuilder.plugin.registry import PythonBlock
from archbuilder.spec.formula import Formula
from archbuilder.spec.models import BlockDefinition, Loop, Step
from archbuilder.spec.table import key_place, value_place
from archbuilder.spec.values import MAXIMUM_REPEATS

MAXIMUM_NODES: Final = 20_000
"""Distinct nodes of a network; repeats of equal blocks count once."""
MAXIMUM_RECURSION: Final = 40
"""How deep blocks may stand in blocks."""

_INPUT: Final = Value(INPUT)


@dataclass
class Bodies:
    """Lowers the bodies of one network. Equal calls give the same graph."""

    arguments: Arguments
    evaluation: Evaluation
    targets: Targets
    naming: Naming
    memo: dict[Any, Graph | None] = field(default_factory=dict)
    root: Builder | None = None
    outputs: list[Output] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    kept_before: list[Any] | None = None
    open: set[Any] = field(default_factory=set)
    count: int = 0
    depth: int = 0

    # ---- steps --------------------------------------------------------------------------------------------------

    def steps(self, body: Steps, frame: Frame) -> None:
        """Lowers the steps of a body into the frame."""
        if isinstance(body, list):
            number = 0
            for step in body:
                number += self.step(str(number), step, frame)
            return
        for name, step in body.items():
            self.step(name, step, frame)

    def step(self, key: str, step: Step, frame: Frame) -> bool:
        """Lowers one step; whether it takes a number in a list."""
        if step.loop is not None:
            self._loop(step.loop, step, frame)
            return True
        if step.is_nothing:
            return False
        name = key
        if self.evaluation.reporter.is_full:
            raise TooLarge
        try:
            if "$" in key:
                name = str(self.evaluation.evaluate(Formula(key), frame, step.name_place))
            if not step.is_broken:
                return self._placed(name, step, frame)
        except GiveUp:
            pass  # reported; what depends on the step's value stays silent
        _set(frame, name, POISON)
        return True

    def _loop(self, loop: Loop, step: Step, frame: Frame) -> None:
        try:
            numbers = self._numbers(loop, step, frame)
        except GiveUp:
            for name in step.body if isinstance(step.body, dict) else ():
                frame.values[name.partition("$")[0].rstrip(".")] = POISON  # what speaks of them stays silent
            frame.current = POISON
            return
        frame.builder.loops.append(len(numbers))
        for number in numbers:
            self._count_node(frame, step)  # a turn takes time, whatever it makes
            inner = self._turn(frame, loop.variable, number)
            self.steps(step.body if isinstance(step.body, dict) else {}, inner)
            frame.current = inner.current

    def _turn(self, frame: Frame, variable: str, number: int) -> Frame:
        """The frame of one turn of a loop, or of one repeat."""
        inner = frame.with_variable(variable, number)
        if self.arguments.trace is not None:
            self.arguments.trace.turned(inner.variables, frame.variables, variable)
        return inner

    def _numbers(self, loop: Loop, step: Step, frame: Frame) -> range:
        """What a loop runs over."""
        at = step.name_place
        start, stop = (self.evaluation.evaluate(bound, frame, at) for bound in (loop.start, loop.stop))
        for bound in (start, stop):
            if type(bound) is not int:
                message = f"a loop runs over whole numbers, got {describe(bound)}"
                self.evaluation.error(frame, "bad-loop", message, at)
                raise GiveUp
        if stop - start > MAXIMUM_REPEATS:
            message = f"a loop has at most {MAXIMUM_REPEATS:,} turns, this one has {stop - start:,}"
            self.evaluation.error(frame, "bad-loop", message, at)
            raise GiveUp
        if loop.variable in (*frame.variables, "repeat", "here"):
            message = f"`{loop.variable}` is the name of another variable here"
            self.evaluation.error(frame, "shadowed", message, at, "give the loop's variable another name")
            raise GiveUp
        return range(start, stop)

    def _placed(self, name: str, step: Step, frame: Frame) -> bool:
        present = step.when
        if present is not True:
            present = self.evaluation.evaluate(present, frame, step.place_at("when"))
            if type(present) is not bool:
                message = f"`when` must be true or false, got {describe(present)}"
                help = "compare it, as in `when: $(stride != 1)`"
                self.evaluation.error(frame, "bad-value", message, step.place_at("when"), help)
                raise GiveUp
        target = self.targets.find(step, frame) if present else None
        if target is None:
            return self._left_out(name, step, frame)
        inputs = self._inputs(step, frame) if _takes_values(target) else ()
        if POISON in inputs:
            self.naming.check_written(name, frame, step.name_place)
            self._check_all_the_same(target, step, frame)
            raise GiveUp
        if isinstance(target, Target):
            value = self._use(name, step, target, inputs, frame)
        else:
            value = self._own_body(name, step, target, inputs, frame)
        if step.output is not None:
            self._note_output(name, step, value, frame)
        if inputs and step.output is None:
            _set(frame, name, value)
        else:  # it stands beside the chain
            frame.values[name] = value
        return True

    def _note_output(self, name: str, step: Step, value: Value, frame: Frame) -> None:
        """A further output of the network."""
        if frame.block or frame.builder is not self.root:
            message = "`output` is for steps of the network itself, not inside a block"
            help = "say it of the step of the network that takes the value"
            self.evaluation.error(frame, "bad-output", message, step.place_at("output"), help)
            raise GiveUp
        if not name.isidentifier() or name.startswith("_") or name in ("output", "Tensor"):
            message = f"an output cannot be called `{name}`: it is a field of a named tuple, beside `output`"
            help = "call the step by a word of letters, digits and underscores that begins with a letter"
            self.evaluation.error(frame, "bad-name", message, step.name_place, help)
            raise GiveUp
        self.outputs.append(Output(name, value, step.output == "always"))

    def _check_all_the_same(self, target: Target | Slot | Steps, step: Step, frame: Frame) -> None:
        """Reports what is wrong in a step although nothing is known of what goes into it."""
        if step.depth is not None:
            self._depth(step, frame)
        if isinstance(target, Target):
            self._resolve(target, frame, {}, UNKNOWN)
        elif not isinstance(target, Slot):
            apart = Frame(
                Builder(frame.builder.input), frame.variables, frame.defaults, POISON, frame.used_at, frame.block,
                origins=frame.origins, used_block=frame.used_block,
            )  # fmt: skip
            self.steps(target, apart)

    def _left_out(self, name: str, step: Step, frame: Frame) -> bool:
        """A step that is left out hands on its first input. In a list later steps move up, unless `else` keeps its place."""
        value = self._inputs(step, frame, first_only=True)[0]
        if value == POISON:
            raise GiveUp
        stays = step.else_ is not None
        self._count_node(frame, step)
        child = self.naming.child(name, frame, step.name_place, claim=stays)
        node = Node(child, None, (value,), frame.builder.shape_of(value), step.place, replaced=stays)
        _set(frame, name, self._append(name, node, step, frame))
        return stays

    def _inputs(self, step: Step, frame: Frame, *, first_only: bool = False) -> tuple[Value, ...]:
        """The values that a step takes."""
        if step.from_ is None:
            return (frame.current,)
        found: list[Value] = []
        for number, written in enumerate(step.from_[:1] if first_only else step.from_):
            listed = step.table.get("from") if step.table is not None else None
            place = value_place(listed, number) or step.place_at("from")
            name = self.evaluation.evaluate(written, frame, place)
            values = find_values(name, frame) if isinstance(name, str) else None
            if values is None:
                message = f"there is no step `{name}` before this one"
                self.evaluation.error(frame, "unknown-step", message, place, advice_for(str(name), frame))
                raise GiveUp
            found += values
            if len(found) > MAXIMUM_REPEATS:
                message = f"a step takes at most {MAXIMUM_REPEATS:,} values"
                self.evaluation.error(frame, "too-large", message, place)
                raise GiveUp
        return tuple(found)

    # ---- steps with a body of their own -------------------------------------------------------------------------

    def _own_body(self, name: str, step: Step, body: Slot | Steps, inputs: tuple[Value, ...], frame: Frame) -> Value:
        """A step with steps of its own: a child module, or with `inline` children of this one."""
        if step.arguments:
            key = next(iter(step.arguments))
            message = f"`{key}` has no meaning beside `body`"
            self.evaluation.error(frame, "unknown-parameter", message, step.place_of_key(key), "remove it")
        if step.inline:
            return self._inline(body, self._only(inputs, step, frame), frame)
        shape = _joint_shape(inputs, frame)
        if step.depth is not None:
            return self._sequence(name, step, body, inputs, frame)
        return self._add(name, step, self._unnamed(body, shape, frame, step), inputs, frame)

    def _only(self, inputs: tuple[Value, ...], step: Step, frame: Frame) -> Value:
        if len(inputs) != 1:
            message = f"inline steps take one value, got {len(inputs)}"
            self.evaluation.error(frame, "bad-input", message, step.place_at("from"))
            raise GiveUp
        return inputs[0]

    def _inline(self, body: Slot | Steps, value: Value, frame: Frame) -> Value:
        """Lowers steps into the graph at hand."""
        values: dict[str, Value] = {}
        for steps, variables, origins in self.targets.layers(body, frame):
            inner = Frame(
                frame.builder, variables, frame.defaults, value, frame.used_at, frame.block, values, origins,
                frame.rename, numbering=frame.numbering, inlined=True, used_block=frame.used_block,
            )  # fmt: skip
            self.steps(steps, inner)
            value = inner.current
        if value == POISON:
            raise GiveUp
        return value

    def _unnamed(self, body: Slot | Steps, shape: Shape, frame: Frame, step: Step) -> Graph:
        """The graph of a body that is no block's."""
        builder = Builder(shape)
        inner = Frame(
            builder, frame.variables, frame.defaults, _INPUT, frame.used_at, frame.block, origins=frame.origins,
            rename=step.rename or {}, used_block=frame.used_block,
        )  # fmt: skip
        with self._inside(frame, step):
            if isinstance(body, Slot):
                inner.current = self._inline(body, _INPUT, inner)
            else:
                self.steps(body, inner)
        if inner.current == POISON:
            raise GiveUp
        words = Words(step.rename or {}, tuple(step.register_ or ()))
        self.naming.check_words(words, inner, frame, step)
        return _finished("", inner, listed=isinstance(body, list), register=words.register)

    # ---- uses of blocks -----------------------------------------------------------------------------------------

    def _use(self, name: str, step: Step, target: Target, inputs: tuple[Value, ...], frame: Frame) -> Value:
        if step.depth is not None:
            return self._sequence(name, step, target, inputs, frame)
        if isinstance(target.definition, type):
            return self._op(name, step, target, target.definition, inputs, frame)
        if step.inline:
            value = self._inline_block(target, target.definition, self._only(inputs, step, frame), frame)
            if self.arguments.trace is not None and frame.builder is self.root:
                self.arguments.trace.inlined(name, step, frame)
            return value
        shape = _joint_shape(inputs, frame)
        graph = self._call(target, target.definition, shape, frame, step, self._strided(target, shape, frame, 0))
        return self._add(name, step, graph, inputs, frame)

    def _op(
        self, name: str, step: Step, target: Target, op_type: type[Op], inputs: tuple[Value, ...], frame: Frame
    ) -> Value:
        if step.rename or step.register_ or step.inline:
            self._refuse_words(step, target, frame)
        given = self._resolve(target, frame, {}, frame.builder.shape_of(inputs[0]) if inputs else None)
        if op_type.kept is not None:
            given = self._with_kept(given, op_type.kept)
        op, shape = apply_op(op_type, given, inputs, step, frame, self.evaluation)
        left_out = isinstance(op, DropPath) and op.rate == 0
        claim = not left_out and not (frame.inlined and not op.is_module)
        child = self.naming.child(name, frame, step.name_place, claim=claim)
        if op.holds_tensor and not child.isidentifier():
            message = f"a {op_type.name} cannot be called `{child}`: it is an attribute of the block that holds it"
            self.evaluation.error(
                frame,
                "bad-name",
                message,
                step.name_place,
                "call the step by a word of letters, digits and underscores",
            )
            raise GiveUp
        self._count_node(frame, step)
        return self._append(name, Node(child, None if left_out else op, inputs, shape, step.place), step, frame)

    def _refuse_words(self, step: Step, target: Target, frame: Frame) -> None:
        """An op has no children that could be named."""
        for key, given in (("rename", step.rename), ("register", step.register_), ("inline", step.inline)):
            if given:
                message = f"`{key}` has no effect on `{target.name}`, which has no steps inside"
                self.evaluation.error(frame, "no-effect", message, step.place_of_key(key), "remove it")

    def _with_kept(self, given: Given, key: str) -> Given:
        """What a block holds has the size that it has for the spec's own input, whatever the input at hand."""
        value = given.values[key]
        if self.kept_before is not None and len(self.kept) < len(self.kept_before):
            value = self.kept_before[len(self.kept)]
        self.kept.append(value)
        return replace(given, values={**given.values, key: value})

    def _resolve(self, target: Target, frame: Frame, fixed: Mapping[str, Any], input: Any) -> Given:
        return self.arguments.resolve(target.name, target.definition, target.uses, frame, fixed, input)

    def _call(
        self,
        target: Target,
        definition: Block,
        shape: Shape,
        frame: Frame,
        step: Step,
        fixed: Mapping[str, Any],
    ) -> Graph:
        """The graph of a block for these parameters and this input; the same one for equal calls."""
        given = self._resolve(target, frame, fixed, shape)
        words = self.naming.words(target, given)
        values = tuple(given.values.values())
        key = (id(definition), values, given.defaults, shape, words.identity)
        if key in self.open:
            message = f"the block `{target.name}` uses itself"
            help = "use another block here, or let it end: count a parameter down and say `when`"
            self.evaluation.error(frame, "endless-block", message, step.place_at("block"), help)
            raise GiveUp
        if key not in self.memo:
            self.open.add(key)
            self.memo[key] = self._definition(target, definition, given, shape, frame, step, words)
            self.open.remove(key)
        graph = self.memo[key]  # None where it went wrong, which is reported once
        if graph is None:
            raise GiveUp
        if self.arguments.trace is not None:
            self.arguments.trace.called(graph, given.values)
        return graph

    def _definition(
        self,
        target: Target,
        definition: Block,
        given: Given,
        shape: Shape,
        frame: Frame,
        step: Step,
        words: Words,
    ) -> Graph | None:
        """The graph of a block, or None where something in it is wrong."""
        try:
            inner = self._frame_of(target, definition, given, Builder(shape), _INPUT, frame)
            inner.rename = words.rename
            with self._inside(frame, step):
                self._fill(definition, inner)
        except GiveUp:
            return None
        self.naming.check_words(words, inner, frame, step)
        if inner.current == POISON:
            return None
        if isinstance(definition, PythonBlock):
            bindings, layers = given.values, definition.layers
            finished = _finished(
                target.name, inner, listed=False, register=words.register, bindings=bindings, help=definition.help
            )
            return replace(finished, layers=layers, loops=tuple(node.name for node in finished.nodes))
        bindings = {name: inner.variables[name] for name in (*definition.parameters, *definition.let)}
        register = words.register or tuple(definition.register_ or ())
        listed = isinstance(definition.body, list)
        layers = definition.layers
        if type(layers) is Formula:
            layers = self.evaluation.evaluate(layers, inner, definition.place_at("layers"))
        finished = _finished(
            target.name, inner, listed=listed, register=register, bindings=bindings, help=definition.help
        )
        return finished if layers is None else replace(finished, layers=layers)

    def _fill(self, definition: Block, inner: Frame) -> None:
        """Lowers what a block consists of into a frame."""
        if isinstance(definition, PythonBlock):
            from archbuilder.lower.python import Functions

            names = Functions(self.step, self.evaluation, self.arguments.library).run(definition, inner)
            self._give([value for name in names for value in find_values(name, inner) or ()], definition.place, inner)
            return
        self.steps(definition.body, inner)
        if definition.return_ is not None:
            self._return(definition, inner)

    def _return(self, definition: BlockDefinition, inner: Frame) -> None:
        """Finds the values that a block returns."""
        found: list[Value] = []
        for number, name in enumerate(definition.return_ or ()):
            values = find_values(str(name), inner)
            if values is None:
                choices = advice_for(str(name), inner)
                message = f"there is no step `{name}` to return"
                self.evaluation.error(
                    inner, "unknown-step", message, definition.place_inside("return", number), choices
                )
                values = [POISON]
            found += values
        self._give(found, definition.place, inner)

    @staticmethod
    def _give(found: list[Value], place: Place | None, inner: Frame) -> None:
        """Makes values a block's output: several as a list of streams."""
        if POISON in found or len(found) == 1:
            inner.current = POISON if POISON in found else found[0]
            return
        shapes = Streams(inner.builder.shape_of(value) for value in found)
        inner.current = inner.builder.add(Node("streams", Gather(), tuple(found), shapes, place))

    def _frame_of(
        self,
        target: Target,
        definition: Block,
        given: Given,
        builder: Builder,
        input: Value,
        frame: Frame,
    ) -> Frame:
        """The frame in which a definition's body is lowered: its parameters, and what it derives from them."""
        variables: dict[str, Any] = {**given.values, "input": builder.shape_of(input)}
        place = target.uses[0][0].place
        used_at = frame.used_at if place is None or place.source.shipped else place
        inner = Frame(builder, variables, given.defaults, input, used_at, target.name, origins=given.origins)
        inner.used_block = frame.used_block if used_at is frame.used_at else target.name
        if self.arguments.trace is not None:
            self.arguments.trace.entered(variables, given.values)
        if isinstance(definition, BlockDefinition):
            self._derive(definition, inner, variables)
        return inner

    def _derive(self, definition: BlockDefinition, inner: Frame, variables: dict[str, Any]) -> None:
        """Computes what a block derives from its parameters."""
        for name, written in definition.let.items():
            at = value_place(definition.let, name) or definition.place_at("let")
            if name in variables:
                message = f"`{name}` is the name of a parameter here"
                at = key_place(definition.let, name) or at
                self.evaluation.error(inner, "shadowed", message, at, "give the derived value another name")
                raise GiveUp
            variables[name] = self.evaluation.evaluate(written, inner, at)

    def _inline_block(self, target: Target, definition: Block, value: Value, frame: Frame) -> Value:
        """Lowers a block's steps into the graph at hand."""
        step = target.uses[0][0]
        given = self._resolve(target, frame, {}, frame.builder.shape_of(value))
        inner = self._frame_of(target, definition, given, frame.builder, value, frame)
        words = self.naming.words(target, given)
        inner.rename = {**frame.rename, **words.rename}
        inner.numbering = frame.numbering
        inner.inlined = True
        if words.register:
            message = "`register` has no effect beside `inline`: the children belong to the enclosing block"
            self.evaluation.error(frame, "no-effect", message, step.place_at("register"), "remove it")
        with self._inside(frame, step):
            self._fill(definition, inner)
        if inner.current == POISON:
            raise GiveUp
        return inner.current

    # ---- repeats ------------------------------------------------------------------------------------------------

    def _sequence(
        self, name: str, step: Step, target: Target | Slot | Steps, inputs: tuple[Value, ...], frame: Frame
    ) -> Value:
        """A step with `depth`: an `nn.Sequential` of that many repeats."""
        depth = self._depth(step, frame)

        if frame.rules is not None and frame.rules.depth is not None:
            depth = frame.rules.depth(depth)
            frame.rules.used.add("depth")

        def repeat(number: int, shape: Shape) -> tuple[Op | Graph, Shape]:
            self._count_node(frame, step)
            inner = self._turn(frame, "repeat", number)
            return self._repeat(step, target, shape, inner, number)

        shape = _joint_shape(inputs, frame)
        runs = runs_of(depth, shape, repeat, numbered=mentions(step, "repeat"))
        if frame.numbering is not None:
            return self._numbered(name, runs, frame.numbering, step, inputs, frame)
        names = self.naming.repeats(step, target, frame, depth)
        self._count_node(frame, step, len(names))
        return self._add(name, step, sequence_of(runs, shape, names, step.place), inputs, frame)

    def _numbered(
        self, name: str, runs: list[Run], numbering: Numbering, step: Step, inputs: tuple[Value, ...], frame: Frame
    ) -> Value:
        """Repeats that are numbered through with the steps around them, without a level of their own."""
        value: tuple[Value, ...] = inputs
        for run in runs:
            names = numbering.take(run.count)
            frame.builder.taken.update(names)
            node = Node(names[0], run.body, value, run.shape, step.place, run.count, names if run.count > 1 else ())
            value = (frame.builder.add(node),)
        if self.arguments.trace is not None:
            self.arguments.trace.placed(name, frame.builder.nodes[-len(runs) :], step, frame)
        return value[0]

    def _depth(self, step: Step, frame: Frame) -> int:
        depth = self.evaluation.evaluate(step.depth, frame, step.place_at("depth"))
        if type(depth) is not int or not 1 <= depth <= MAXIMUM_REPEATS:
            message = f"`depth` must be a whole number from 1 to {MAXIMUM_REPEATS:,}, got {describe(depth)}"
            self.evaluation.error(frame, "bad-value", message, step.place_at("depth"))
            raise GiveUp
        return depth

    def _repeat(
        self, step: Step, target: Target | Slot | Steps, shape: Shape, frame: Frame, number: int
    ) -> tuple[Op | Graph, Shape]:
        """One repeat; `stride` belongs to the first."""
        if not isinstance(target, Target):
            graph = self._unnamed(target, shape, frame, step)
            return graph, graph.output_shape
        definition = target.definition
        fixed: dict[str, Any] = {"stride": 1} if number and "stride" in parameters_of(definition) else {}
        fixed.update(self._strided(target, shape, frame, number))
        if not isinstance(definition, type):
            graph = self._call(target, definition, shape, frame, step, fixed)
            return graph, graph.output_shape
        alone = Frame(Builder(shape), frame.variables, frame.defaults, _INPUT, frame.used_at, frame.block)
        given = self._resolve(target, frame, fixed, shape)
        return apply_op(definition, given, (_INPUT,), step, alone, self.evaluation)

    def _strided(self, target: Target, shape: Shape, frame: Frame, number: int) -> dict[str, Any]:
        """The stride and dilation of a use where the network states its output stride."""
        rule = frame.rules.stride if frame.rules is not None else None
        parameters = parameters_of(target.definition)
        whole = frame.builder.input
        if rule is None or not isinstance(shape, Map) or not isinstance(whole, Map) or "stride" not in parameters:
            return {}
        read = len(self.arguments.settings)
        given = self._resolve(target, frame, {"stride": 1} if number else {}, shape)
        del self.arguments.settings[read:]  # they are read again where the block is called
        current, builder = frame.current, frame.builder
        reduction = round(whole.height / shape.height)
        if number == 0 and current != POISON and builder.shape_of(current) == shape:
            reduction = reduction_of(current, builder.nodes, whole)
        changed = rule.apply(number, given.values["stride"], reduction)
        if "dilation" in changed and "dilation" not in parameters:
            message = f"`output_stride` needs blocks that dilate; `{target.name}` has no parameter `dilation`"
            self.evaluation.error(frame, "bad-output-stride", message, target.uses[0][0].place)
            raise GiveUp
        use = target.uses[0][0]
        if "dilation" in changed and "dilation" in use.arguments:
            message = "`dilation` has no effect beside `output_stride`, which sets it here"
            self.evaluation.error(frame, "no-effect", message, use.place_of_key("dilation"), "remove one of them")
            raise GiveUp
        return changed

    # ---- nodes --------------------------------------------------------------------------------------------------

    def _add(self, name: str, step: Step, graph: Graph, inputs: tuple[Value, ...], frame: Frame) -> Value:
        child = self.naming.child(name, frame, step.name_place, claim=True)
        self._count_node(frame, step)
        return self._append(name, Node(child, graph, inputs, graph.output_shape, step.place), step, frame)

    def _append(self, name: str, node: Node, step: Step, frame: Frame) -> Value:
        if self.arguments.trace is not None:
            self.arguments.trace.placed(name, [node], step, frame)
        return frame.builder.add(node)

    def _count_node(self, frame: Frame, step: Step, count: int = 1) -> None:
        self.count += count
        if self.count > MAXIMUM_NODES:
            message = f"this network has more than {MAXIMUM_NODES:,} different steps"
            self.evaluation.error(frame, "too-large", message, step.place)
            raise TooLarge

    @contextmanager
    def _inside(self, frame: Frame, step: Step) -> Iterator[None]:
        """One level deeper in blocks."""
        if self.depth >= MAXIMUM_RECURSION:
            message = f"blocks stand in blocks more than {MAXIMUM_RECURSION} deep"
            self.evaluation.error(frame, "too-deep", message, step.place, "does a block use itself?")
            raise TooLarge
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1


def _takes_values(target: Target | Slot | Steps) -> bool:
    """Whether a step takes values at all; a held tensor does not."""
    if isinstance(target, Target) and isinstance(target.definition, type):
        return target.definition.inputs != (0, 0)
    return True


def _set(frame: Frame, name: str, value: Value) -> None:
    frame.values[name] = value
    frame.current = value


def _joint_shape(inputs: tuple[Value, ...], frame: Frame) -> Shape:
    shapes = tuple(frame.builder.shape_of(value) for value in inputs)
    return shapes[0] if len(shapes) == 1 else Streams(shapes)


def _finished(
    definition: str,
    frame: Frame,
    *,
    listed: bool,
    register: tuple[str, ...],
    bindings: dict[str, Any] | None = None,
    help: str = "",
) -> Graph:
    """The graph of the nodes that were made."""
    builder = frame.builder
    return Graph(
        definition,
        builder.input,
        tuple(builder.nodes),
        frame.current,
        bindings or {},
        listed,
        register,
        loops=tuple(builder.loops),
        help=help,
    )
