"""Weights that depend on what training recorded, as the numbers they have now."""

from __future__ import annotations

from penstock.sampling import SamplingPlan, SamplingSpec, Strata
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._nodes import Node, children
from penstock.tql.syntax._parser import parse_expression, parse_weight

__all__ = ["depends_on_signals", "evaluated"]


def depends_on_signals(spec: SamplingSpec) -> bool:
    """Tell whether weights depend on signals, so that the same text weighs otherwise at another time.

    Examples
    --------
    >>> from penstock.sampling import Clause
    >>> depends_on_signals(SamplingSpec(clauses=(Clause("signal('loss') > 2", 3.0),)))
    True
    >>> depends_on_signals(SamplingSpec(clauses=(Clause("caption = 'signal(1)'", 3.0),)))
    False
    """
    texts = [clause.expression for clause in spec.clauses if "signal" in clause.expression.lower()]
    if any(_mentions(parse_expression(text)) for text in texts):
        return True
    written = spec.expression or ""
    return "signal" in written.lower() and _mentions(parse_weight(written))


def _mentions(node: Node) -> bool:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and node.name == "signal":
            return True
        waiting += children(node)
    return False


def evaluated(plan: SamplingPlan) -> SamplingPlan:
    """Return a plan whose weights do not change: those that depend on signals as an array, any other as it is."""
    spec = plan.spec
    if not depends_on_signals(spec):
        return plan
    strata = plan.strata
    weights = plan.weights[strata.ids]
    grouped = Strata.from_weights(weights, labels=strata.labels, rows=strata.row_numbers)
    return grouped.with_spec(spec.with_options(clauses=(), expression=None, tables=(), cap=None))
