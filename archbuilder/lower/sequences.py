"""Steps with `depth`: how many repeats there are, what differs in each, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

from archbuilder.graph.graph import Graph, Node, Value
from archbuilder.graph.op import Op
from archbuilder.graph.shapes import Shape
from archbuilder.language.models import Step
from archbuilder.language.values import MAXIMUM_REPEATS
from archbuilder.lower.application import Application
from archbuilder.lower.arguments import Arguments
from archbuilder.lower.bounds import Bounds
from archbuilder.lower.calls import OUTER, Calls, Walk
from archbuilder.lower.evaluation import Evaluation, GiveUp
from archbuilder.lower.frame import Builder, Frame, origin_of
from archbuilder.lower.library import parameters_of
from archbuilder.lower.naming import Naming
from archbuilder.lower.repeats import Run, runs_of, sequence_of
from archbuilder.lower.restride import restride_of
from archbuilder.lower.rules import Numbering
from archbuilder.lower.site import Site
from archbuilder.lower.slots import Slot
from archbuilder.lower.targets import Steps
from archbuilder.lower.usage import mentions
from archbuilder.lower.uses import Target
from archbuilder.parameters import describe


@dataclass
class Sequences:
    """Lowers repeats. One for each lowering."""

    walk: Walk
    calls: Calls
    application: Application
    arguments: Arguments
    evaluation: Evaluation
    naming: Naming
    bounds: Bounds

    def runs(self, site: Site, target: Target | Slot | Steps) -> list[Run]:
        """The repeats of a step, equal neighbours together.

        Raises:
            GiveUp: if something in one is wrong; all of it is reported.
        """
        step, frame = site.step, site.frame
        depth = self.depth(step, frame)
        if frame.rules is not None and frame.rules.depth is not None:
            depth = frame.rules.depth(depth)
            frame.rules.used.add("depth")

        def repeat(number: int, shape: Shape) -> tuple[Op | Graph, Shape]:
            self.bounds.count(frame, step)
            inner = frame.with_variable("repeat", number)
            if self.arguments.trace is not None:
                self.arguments.trace.turned(inner.variables, frame.variables, "repeat")
            return self._repeat(site._replace(frame=inner), target, shape, number)

        return runs_of(depth, site.shape(), repeat, numbered=mentions(step, "repeat"))

    def sequence(self, site: Site, target: Target | Slot | Steps, runs: list[Run]) -> Graph:
        """The graph of an `nn.Sequential` of the repeats."""
        names = self.naming.repeats(site.step, target, site.frame, sum(run.count for run in runs))
        self.bounds.count(site.frame, site.step, len(names))
        return sequence_of(runs, site.shape(), names, site.step.place)

    def numbered(self, site: Site, runs: list[Run], numbering: Numbering) -> Value:
        """Repeats that are numbered through with the steps around them, without a level of their own."""
        inputs, builder = site.inputs, site.frame.builder
        for run in runs:
            names = numbering.take(run.count)
            builder.taken.update(names)
            all_names = names if run.count > 1 else ()
            node = Node(
                names[0],
                run.body,
                inputs,
                run.shape,
                site.step.place,
                run.count,
                all_names,
                origin=origin_of(site.step, site.frame),
            )
            inputs = (builder.add(node),)
        if self.arguments.trace is not None:
            self.arguments.trace.placed(site.name, builder.nodes[-len(runs) :], site.step, site.frame)
        return inputs[0]

    def depth(self, step: Step, frame: Frame) -> int:
        """How many repeats a step says it has.

        Raises:
            GiveUp: if that is no such number; that is reported.
        """
        depth = self.evaluation.evaluate(step.depth, frame, step.place_at("depth"))
        if type(depth) is not int or not 1 <= depth <= MAXIMUM_REPEATS:
            message = f"`depth` must be a whole number from 1 to {MAXIMUM_REPEATS:,}, got {describe(depth)}"
            self.evaluation.error(frame, "bad-value", message, step.place_at("depth"))
            raise GiveUp
        return depth

    def _repeat(self, site: Site, target: Target | Slot | Steps, shape: Shape, number: int) -> tuple[Op | Graph, Shape]:
        """One repeat; `stride` belongs to the first."""
        _, step, frame, inputs = site
        if not isinstance(target, Target):
            graph = self.walk.unnamed(target, shape, frame, step)
            return graph, graph.output_shape
        definition = target.definition
        fixed = {"stride": 1} if number and "stride" in parameters_of(definition) else {}
        restride = restride_of(target, frame, inputs, number)
        if not isinstance(definition, type):
            graph = self.calls.graph(target, definition, shape, frame, step, fixed, restride)
            return graph, graph.output_shape
        alone = Frame(Builder(shape), frame.variables, frame.defaults, OUTER, frame.used_at, frame.block)
        given = self.arguments.resolve(target, frame, shape, fixed, restride)
        return self.application.apply(definition, given, (OUTER,), step, alone)
