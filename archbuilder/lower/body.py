"""Lowers bodies: step by step, each taking the value before it unless it names others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from weakref import proxy

from archbuilder.graph.graph import Graph, Node, Output, Turn, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape
from archbuilder.language.formula import Formula
from archbuilder.language.models import Loop, Step
from archbuilder.lower.application import Application
from archbuilder.lower.arguments import Arguments, Given
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.calls import OUTER, Calls, finished
from archbuilder.lower.evaluation import Evaluation, GiveUp, TooLarge
from archbuilder.lower.frame import POISON, UNKNOWN, Builder, Frame, origin_of
from archbuilder.lower.inputs import inputs_of
from archbuilder.lower.library import Library
from archbuilder.lower.loops import turns_of
from archbuilder.lower.naming import Naming, Words
from archbuilder.lower.plain import PlainSteps
from archbuilder.lower.restride import restride_of
from archbuilder.lower.sequences import Sequences
from archbuilder.lower.site import Site
from archbuilder.lower.slots import Slot
from archbuilder.lower.targets import Steps, Targets
from archbuilder.lower.uses import Target
from archbuilder.parameters import describe


class Bodies:
    """Lowers the bodies of one network.

    `outputs` are its further outputs, `kept` what held tensors keep from the input for which the network was written:
    `kept_before` are those of another lowering, for that input.
    """

    def __init__(
        self,
        library: Library,
        arguments: Arguments,
        evaluation: Evaluation,
        root: Builder,
        kept_before: Sequence[Any] | None = None,
    ) -> None:
        self.arguments = arguments
        self.evaluation = evaluation
        self.root = root
        self.targets = Targets(library, evaluation)
        self.naming = Naming(evaluation)
        self.bounds = Bounds(evaluation)
        self.application = Application(evaluation)
        walk = proxy(self)  # held weakly, all that a lowering made is freed as soon as it ends
        parts = self.targets, arguments, self.application, self.bounds
        self.plain = PlainSteps(*parts) if arguments.trace is None else None  # a trace is told of every decision
        self.calls = Calls(walk, arguments, evaluation, library, self.naming, self.bounds)
        self.sequences = Sequences(walk, self.calls, self.application, arguments, evaluation, self.naming, self.bounds)
        self.outputs: list[Output] = []
        self.kept: list[Any] = []
        self._kept_before = kept_before

    # ---- steps --------------------------------------------------------------------------------------------------

    def steps(self, body: Steps, frame: Frame) -> None:
        """Lowers the steps of a body into the frame."""
        if isinstance(body, list):
            number = 0
            for step in body:
                number += self.step(str(number), step, frame)
            return
        plain = None if frame.is_special else self.plain
        for name, step in body.items():
            if plain is None or plain.lower(name, step, frame) is None:
                self._any(name, step, frame)

    def step(self, key: str, step: Step, frame: Frame) -> bool:
        """Lowers one step; whether it takes a number in a list."""
        taken = None if self.plain is None or frame.is_special else self.plain.lower(key, step, frame)
        return self._any(key, step, frame) if taken is None else taken

    def _any(self, key: str, step: Step, frame: Frame) -> bool:
        """Lowers a step of any kind; whether it takes a number in a list."""
        name, reporter = key, self.evaluation.reporter
        frame.key = key
        if reporter.diagnostics and reporter.is_full:
            raise TooLarge
        try:
            if step.loop is not None:
                self._loop(step.loop, step, frame)
                return True
            if step.block is None and step.is_nothing:
                return False
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
            numbers = turns_of(loop, step, frame, self.evaluation)
        except GiveUp:
            for name in step.body if isinstance(step.body, dict) else ():
                frame.values[name.partition("$")[0].rstrip(".")] = POISON  # what speaks of them stays silent
            frame.current = POISON
            return
        frame.builder.loops.append(len(numbers))
        for number in numbers:
            self.bounds.count(frame, step)  # a turn takes time, whatever it makes
            inner = self._turn(frame, loop.variable, number)
            inner.turns = (*frame.turns, Turn(loop.header, loop.variable, number))
            self.steps(step.body if isinstance(step.body, dict) else {}, inner)
            frame.current = inner.current

    def _turn(self, frame: Frame, variable: str, number: int) -> Frame:
        """The frame of one turn of a loop, or of one repeat."""
        inner = frame.with_variable(variable, number)
        if self.arguments.trace is not None:
            self.arguments.trace.turned(inner.variables, frame.variables, variable)
        return inner

    def _placed(self, name: str, step: Step, frame: Frame) -> bool:
        present = step.when
        if present is not True:
            present = self.evaluation.evaluate(present, frame, step.place_at("when"))
            if type(present) is not bool:
                message = f"`when` must be true or false, got {describe(present)}"
                help = "compare it, as in `when: $(stride != 1)`"
                self.evaluation.error(frame, "bad-value", message, step.place_at("when"), help)
                raise GiveUp
        if not present:
            self._check_left_out(step, frame)
        target = self.targets.find(step, frame) if present else None
        if target is None:
            return self._left_out(name, step, frame)
        takes_values = not isinstance(target, Target) or target.takes_values
        if not takes_values and step.from_ is not None:
            self._refuse("from", "here: this step takes no value", step, frame)
        inputs = inputs_of(step, frame, self.evaluation) if takes_values else ()
        if POISON in inputs:
            self.naming.check_written(name, frame, step)
            self._check_all_the_same(target, step, frame)
            raise GiveUp
        site = Site(name, step, frame, inputs)
        value = self._use(site, target) if isinstance(target, Target) else self._own_body(site, target)
        if step.output is not None:
            self._note_output(site, value)
        if inputs and step.output is None:
            _set(frame, name, value)
        else:  # it stands beside the chain
            frame.values[name] = value
        return True

    def _note_output(self, site: Site, value: Value) -> None:
        """A further output of the network."""
        name, step, frame, _ = site
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
            self.sequences.depth(step, frame)
        if isinstance(target, Target):
            self.arguments.resolve(target, frame, UNKNOWN)
        elif not isinstance(target, Slot):
            apart = Frame(
                Builder(frame.builder.input), frame.variables, frame.defaults, POISON, frame.used_at, frame.block,
                origins=frame.origins, used_block=frame.used_block,
            )  # fmt: skip
            self.steps(target, apart)

    def _check_left_out(self, step: Step, frame: Frame) -> None:
        """A use that is left out must be one: of a block that there is, with parameters that it has."""
        if type(step.block) is str and not (step.place is not None and step.place.source.shipped):
            target = self.targets.find(step, frame)
            if isinstance(target, Target):
                self.arguments.readings.said_by(target, frame)

    def _left_out(self, name: str, step: Step, frame: Frame) -> bool:
        """A step that is left out hands on its first input. In a list later steps move up, unless `else` keeps its place."""
        inputs = inputs_of(step, frame, self.evaluation, first_only=True)
        if POISON in inputs:
            raise GiveUp
        stays = step.else_ is not None
        frame.values[name] = value = self._stand_in(Site(name, step, frame, inputs), stays=stays)
        if step.output is None:  # a further output stands beside the chain
            frame.current = value
        return stays

    def _stand_in(self, site: Site, *, stays: bool = True) -> Value:
        """What hands on the first value that a step takes, in its place. With `stays` it is a module of its own."""
        name, step, frame, (value, *_) = site
        self.bounds.count(frame, step)
        child = self.naming.child(name, frame, step, claim=stays)
        node = Node(child, None, (value,), frame.builder.shape_of(value), step.place, replaced=stays)
        return self._append(name, node, step, frame)

    # ---- steps with a body of their own -------------------------------------------------------------------------

    def _own_body(self, site: Site, body: Slot | Steps) -> Value:
        """A step with steps of its own: a child module, or with `inline` children of this one."""
        step, frame = site.step, site.frame
        if step.arguments:
            key = next(iter(step.arguments))
            message = f"`{key}` has no meaning beside `body`"
            self.evaluation.error(frame, "unknown-parameter", message, step.place_of_key(key), "remove it")
        if step.inline:
            for word in ("rename", "register"):
                self._refuse(word, "beside `inline`: the children belong to the enclosing block", step, frame)
            return self._inline(body, self._only(site), frame)
        if step.depth is not None:
            return self._sequence(site, body)
        return self._add(site, self.unnamed(body, site.shape(), frame, step))

    def _only(self, site: Site) -> Value:
        if len(site.inputs) != 1:
            message = f"inline steps take one value, got {len(site.inputs)}"
            self.evaluation.error(site.frame, "bad-input", message, site.step.place_at("from"))
            raise GiveUp
        return site.inputs[0]

    def _sequence(self, site: Site, target: Target | Slot | Steps) -> Value:
        """A step with `depth`: an `nn.Sequential` of that many repeats."""
        runs = self.sequences.runs(site, target)
        numbering = site.frame.numbering
        if numbering is None:
            return self._add(site, self.sequences.sequence(site, target, runs))
        if site.step.names is not None:
            message = "`names` has no effect beside `sequential`, which numbers the repeats"
            place = site.step.place_of_key("names")
            self.evaluation.error(site.frame, "no-effect", message, place, "remove one of them")
        return self.sequences.numbered(site, runs, numbering)

    def _inline(self, body: Slot | Steps, value: Value, frame: Frame) -> Value:
        """Lowers steps into the graph at hand."""
        values: dict[str, Value] = {}
        for steps, variables, origins in self.targets.layers(body, frame):
            inner = Frame(
                frame.builder, variables, frame.defaults, value, frame.used_at, frame.block, values, origins,
                frame.rename, frame.rules, frame.numbering, inlined=True, used_block=frame.used_block,
            )  # fmt: skip
            self.steps(steps, inner)
            value = inner.current
        if value == POISON:
            raise GiveUp
        return value

    def unnamed(self, body: Slot | Steps, shape: Shape, frame: Frame, step: Step) -> Graph:
        """The graph of a body that is no block's."""
        builder = Builder(shape)
        inner = Frame(
            builder, frame.variables, frame.defaults, OUTER, frame.used_at, frame.block, origins=frame.origins,
            rename=step.rename or {}, rules=frame.rules and frame.rules.inside(shape), used_block=frame.used_block,
        )  # fmt: skip
        with self.bounds.inside(frame, step):
            if isinstance(body, Slot):
                inner.current = self._inline(body, OUTER, inner)
            else:
                self.steps(body, inner)
        if inner.current == POISON:
            raise GiveUp
        words = Words(step.rename or {}, tuple(step.register_ or ()))
        self.naming.check_words(words, inner, frame, step, listed=isinstance(body, list))
        return finished("", inner, listed=isinstance(body, list), register=words.register)

    # ---- uses of blocks -----------------------------------------------------------------------------------------

    def _use(self, site: Site, target: Target) -> Value:
        step, frame, definition = site.step, site.frame, target.definition
        is_op = isinstance(definition, type)
        if is_op and (step.rename or step.register_ or step.inline):  # an op has no children that could be named
            for word in ("rename", "register", "inline"):
                self._refuse(word, f"on `{target.name}`, which has no steps inside", step, frame)
        if step.depth is not None:
            return self._sequence(site, target)
        if isinstance(definition, type):
            return self._op(site, target, definition)
        if step.inline:
            value = self.calls.inline(target, definition, self._only(site), frame)
            if self.arguments.trace is not None and frame.builder is self.root:
                self.arguments.trace.inlined(site.name, step, frame)
            return value
        restride = restride_of(target, frame, site.inputs, 0)
        return self._add(site, self.calls.graph(target, definition, site.shape(), frame, step, restride=restride))

    def _op(self, site: Site, target: Target, op_type: type[Op]) -> Value:
        name, step, frame, inputs = site
        restride = restride_of(target, frame, inputs, 0)
        shape = frame.builder.shape_of(inputs[0]) if inputs else None
        given = self.arguments.resolve(target, frame, shape, restride=restride)
        if restride is not None and restride.leaves_out:
            return self._stand_in(site)
        if op_type.kept is not None:
            given = self._with_kept(given, op_type.kept)
        op, shape = self.application.apply(op_type, given, inputs, step, frame)
        left_out = op.does_nothing
        claim = not left_out and not (frame.inlined and not op.is_module)
        child = self.naming.child(name, frame, step, claim=claim)
        if op.holds_tensor and not child.isidentifier():
            message = f"a {op_type.name} cannot be called `{child}`: it is an attribute of the block that holds it"
            help = "call the step by a word of letters, digits and underscores"
            self.evaluation.error(frame, "bad-name", message, step.name_place, help)
            raise GiveUp
        self.bounds.count(frame, step)
        return self._append(name, Node(child, None if left_out else op, inputs, shape, step.place), step, frame)

    def _refuse(self, word: str, why: str, step: Step, frame: Frame) -> None:
        """Reports a word of a step that means nothing where it stands."""
        said = {"from": step.from_, "rename": step.rename, "register": step.register_, "inline": step.inline}
        if said[word]:
            message = f"`{word}` has no effect {why}"
            self.evaluation.error(frame, "no-effect", message, step.place_of_key(word), "remove it")

    def _with_kept(self, given: Given, key: str) -> Given:
        """What a block holds has the size that it has for the spec's own input, whatever the input at hand."""
        value = given.values[key]
        if self._kept_before is not None and len(self.kept) < len(self._kept_before):
            value = self._kept_before[len(self.kept)]
        self.kept.append(value)
        return replace(given, values={**given.values, key: value})

    # ---- nodes --------------------------------------------------------------------------------------------------

    def _add(self, site: Site, graph: Graph) -> Value:
        name, step, frame, inputs = site
        child = self.naming.child(name, frame, step, claim=True)
        self.bounds.count(frame, step)
        return self._append(name, Node(child, graph, inputs, graph.output_shape, step.place), step, frame)

    def _append(self, name: str, node: Node, step: Step, frame: Frame) -> Value:
        node = node._replace(origin=origin_of(step, frame))
        if self.arguments.trace is not None:
            self.arguments.trace.placed(name, [node], step, frame)
        return frame.builder.add(node)


def _set(frame: Frame, name: str, value: Value) -> None:
    frame.values[name] = value
    frame.current = value
