"""What all nodes of a query's tree have in common, and ways through the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["LeftDeep", "Node", "chain", "children"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node with a span ``[start, end)`` in code points; the span does not affect equality."""

    start: int = field(compare=False, default=0)
    end: int = field(compare=False, default=0)


class LeftDeep:
    """A node that grows to the left without bound: ``a or b or c``.

    It is compared, hashed and shown step by step, where recursion would end at some
    hundred operands. `left` and `right` are its operands.
    """

    __slots__ = ()

    def facts(self) -> tuple[object, ...]:
        """Return what tells one step from another, apart from `left`."""
        return tuple(
            getattr(self, each.name)
            for each in fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
            if each.compare and each.name != "left"
        )

    def __eq__(self, other: object) -> bool:
        mine: object = self
        while isinstance(mine, LeftDeep):
            if type(mine) is not type(other) or mine.facts() != other.facts():
                return False
            mine, other = mine.left, other.left  # type: ignore[attr-defined]  # every subclass has it
        return not isinstance(other, LeftDeep) and mine == other

    def __hash__(self) -> int:
        first, steps = chain(self)
        return hash((first, tuple(step.facts() for step in steps)))

    def __repr__(self) -> str:
        first, steps = chain(self)
        tails = ["".join(f", {name}={getattr(step, name)!r}" for name in _shown(step)) for step in steps]
        heads = "".join(f"{type(step).__name__}(left=" for step in reversed(steps))
        return heads + repr(first) + "".join(f"{tail})" for tail in tails)


def _shown(step: object) -> list[str]:
    return [each.name for each in fields(step) if each.name != "left"]  # type: ignore[arg-type]  # a dataclass


def chain(node: object, follows: Callable[[Any], bool] = lambda _: True) -> tuple[Any, list[Any]]:
    """Return the leftmost operand of a left-deep node, and the steps on it, the innermost first.

    Parameters
    ----------
    node : Node
        Any node; one that is not left-deep is its own leftmost operand.
    follows : callable
        Whether a left-deep node belongs to the chain.
    """
    steps: list[Any] = []
    while isinstance(node, LeftDeep) and follows(node):
        steps.append(node)
        node = node.left  # type: ignore[attr-defined]  # every subclass has it
    return node, steps[::-1]


def children(node: Node) -> Iterator[Node]:
    """Return the nodes directly below a node, from left to right; queries in parentheses are among them."""
    for name in node.__dataclass_fields__:  # `fields` would make a new tuple for each node
        yield from _nodes_in(getattr(node, name))


def _nodes_in(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _nodes_in(each)
