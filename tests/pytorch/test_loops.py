"""Blocks with loops: whatever a loop is like, the module of its class computes what the graph says.

Most of these are written as loops in the source. Where that cannot say it, they are written out turn by turn.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.properties.loops import specs_with_loops
from tests.pytorch.test_source import built

LOOPS = {
    "a convolution that some turns lack": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4, when: $(i < 2)}
        r.$i: activation
      sum: {block: add, from: r.*}""",
    "a convolution in the middle that is not there": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4, when: $(i != 1)}
        r.$i: activation
      sum: {block: add, from: r.*}""",
    "a part read by a number": """
      parts: {block: split, parts: 2}
      for i in n:
        c.$i: {block: conv, kernel: 3, from: parts.1, width: 4}
      sum: {block: add, from: c.*}
      join: {block: concat, from: [sum, parts.0]}""",
    "numbered from one": """
      for i in 1 .. n + 1:
        p.$i: {block: multiply, from: [input, input]}
      for k in n:
        c.$k: {block: conv, kernel: 1, from: p.$(k + 1), width: 4}
      sum: {block: add, from: c.*}""",
    "a turn that reads the one before": """
      for i in n:
        s.$i: {block: add, from: [input, c.$(i - 1)], when: $(i > 0)}
        c.$i: {block: conv, kernel: 3, width: 4}
      sum: {block: add, from: c.*}""",
    "lists of lists in two loops": """
      for i in n:
        for k in 2:
          a.$i.$k: {block: conv, kernel: 1, from: input, width: 4}
      for i in 0 .. n:
        s.$i: {block: add, from: a.$i.*}
      sum: {block: add, from: s.*}""",
    "lists of lists in one loop": """
      for i in n:
        for k in i + 2:
          a.$i.$k: {block: conv, kernel: 1, from: input, width: 4}
        s.$i: {block: add, from: a.$i.*}
        r.$i: activation
      sum: {block: add, from: r.*}""",
    "one of a list of lists": """
      for i in n:
        for k in 2:
          a.$i.$k: {block: conv, kernel: 1, from: input, width: 4}
        s.$i: {block: add, from: a.$i.*}
      sum: {block: add, from: [s.*, a.0.*]}""",
    "a product of a list": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4}
      product: {block: multiply, from: c.*}""",
    "a sum of a list and a value": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4}
      one: {block: conv, kernel: 1, from: input, width: 4}
      sum: {block: add, from: [c.*, one]}""",
    "all of one input": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4}
      sum: {block: concat, from: [c.*, input.*]}""",
    "a variable like a word of Python's": """
      for len in n:
        c.$len: {block: conv, kernel: 3, from: input, width: 4, groups: $(2 if len > 0 else 1)}
      sum: {block: add, from: c.*}""",
    "what stands before the loop is read in it and behind": """
      first: {block: conv, kernel: 3, width: 4}
      for i in n:
        c.$i: {block: conv, kernel: 3, from: first, width: 4}
        r.$i: activation
      sum: {block: add, from: r.*}
      last: {block: add, from: [sum, first]}""",
    "two lists of lists": """
      for i in n:
        for k in 2:
          a.$i.$k: {block: conv, kernel: 1, from: input, width: 4}
          b.$i.$k: {block: add, from: [a.$i.$k, input]}
        c.$i: {block: concat, from: [a.$i.*, b.$i.*]}
        d.$i: {block: conv, kernel: 1, width: $(4 * (i + 2))}
      sum: {block: concat, from: d.*}""",
    "a loop behind a loop in a loop": """
      for i in n:
        a.$i: {block: conv, kernel: 1, from: input, width: 4}
        for k in 2:
          b.$i.$k: {block: conv, kernel: 1, from: a.$i, width: 4}
        s.$i: {block: add, from: [a.$i, b.$i.*]}
        r.$i: activation
      sum: {block: add, from: r.*}""",
    "a parameter like what a module has": """
      for i in training:
        c.$i: {block: conv, kernel: 3, from: input, width: 4}
      sum: {block: add, from: c.*}""",
    "an expression with a number of the turn": """
      for i in n:
        c.$i: {block: pad_channels, from: input, width: $(4 + 2 * i)}
      sum: {block: concat, from: c.*}""",
    "an expression that is there in some turns": """
      for i in n:
        c.$i: {block: conv, kernel: 3, from: input, width: 4}
        a.$i: {block: add, from: [c.$i, input], when: $(i > 0)}
      sum: {block: add, from: [a.*, c.*]}""",
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS)
def test_a_loop_computes_what_the_graph_says(body: str) -> None:
    parameter = "training" if "in training" in body else "n"
    built(f"""\
name: net
input: {{channels: 4, size: 8}}
blocks:
  b:
    parameters: {{{parameter}: 2}}
    body: {body}
stages:
  one: b
  between: {{block: conv, kernel: 1, width: 4}}
  two: {{block: b, {parameter}: 3}}
""")


@given(specs_with_loops())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_any_loop_computes_what_the_graph_says(text: str) -> None:
    built(text)


@pytest.mark.slow
@given(specs_with_loops())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_loops_compute_what_the_graph_says(text: str) -> None:
    built(text)
