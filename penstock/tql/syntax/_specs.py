"""A sampling's text as a spec, without data."""

from __future__ import annotations

import operator
from typing import Any, cast

from penstock.errors import QueryBindError
from penstock.sampling import Clause, SamplingSpec
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._parser import parse, parse_weight

__all__ = ["literal_number", "sample_of", "spec_of"]

_CALCULATED = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def literal_number(node: ast.Expression | None) -> float | None:
    """Return the number of a literal, including its sign; None for anything else."""
    if isinstance(node, ast.Literal) and node.kind in {"int", "float"}:
        return float(cast("float", node.value))
    if isinstance(node, ast.Unary) and node.operator in {"-", "+"}:
        inner = literal_number(node.operand)
        return None if inner is None else -inner if node.operator == "-" else inner
    if not isinstance(node, ast.Binary) or node.operator not in _CALCULATED:
        return None
    first, steps = ast.chain(node, lambda step: step.operator in _CALCULATED)
    value = literal_number(first)
    for step in steps:
        right = literal_number(step.right)
        if value is None or right is None or (step.operator == "/" and right == 0):
            return None
        value = _CALCULATED[step.operator](value, right)
    return value


def sample_of(text: str) -> ast.Sample | None:
    """Return the SAMPLE BY of a query or of a weight's own text."""
    first = text.lstrip().lstrip("(").lstrip()[:6].upper()
    if first in {"SELECT", "WITH\t", "WITH\n"} or first.startswith("WITH "):
        return parse(text).sample
    return parse_weight(text)


def spec_of(text: str, *, seed: int, mode: str, size: int | None) -> SamplingSpec:
    """Return the spec; what depends on rows stays an expression."""
    sample = sample_of(text)
    if sample is None:
        raise QueryBindError(
            "the query has no SAMPLE BY", text=text, start=len(text), end=len(text), expected=("SAMPLE BY",)
        )
    facts: dict[str, Any] = {
        "seed": seed,
        "mode": mode if sample.replace else "once",
        "replace": sample.replace and mode != "once",
    }
    facts["size"] = size if size is not None else _limit(sample, text)
    weight = sample.weight
    if not isinstance(weight, ast.Weights):
        number = literal_number(weight)
        if number is not None:
            return SamplingSpec(clauses=(_clause("True", number, weight, text),), **facts)
        return SamplingSpec(expression=text[weight.start : weight.end], **facts)
    cap = literal_number(weight.cap)
    numbers = [literal_number(pair.weight) for pair in weight.pairs]
    if any(number is None for number in numbers) or (weight.cap is not None and cap is None):
        source = text[weight.start : weight.end]
        return SamplingSpec(expression=source, combine=weight.combine, cap=cap, **facts)
    clauses = tuple(
        _clause(text[pair.condition.start : pair.condition.end], number or 0.0, pair, text)
        for pair, number in zip(weight.pairs, numbers, strict=True)
    )
    return SamplingSpec(clauses=clauses, combine=weight.combine, cap=cap, **facts)


def _clause(source: str, number: float, node: ast.Node, text: str) -> Clause:
    if number < 0:
        raise QueryBindError(
            f"the weight of {source} is {number:g}. Expected a finite number >= 0",
            text=text, start=node.start, end=node.end,
        )  # fmt: skip
    return Clause(source, number)


def _limit(sample: ast.Sample, text: str) -> int | None:
    if sample.limit is None:
        return None
    number = literal_number(sample.limit)
    if sample.percent or number is None or number != int(number) or number < 1:
        raise QueryBindError(
            "LIMIT after SAMPLE BY must be an integer greater than 0",
            text=text, start=sample.limit.start, end=sample.limit.end,
        )  # fmt: skip
    return int(number)
