"""Looking at the tree of a query: its columns, its aggregates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.tql.functions._registry import AGGREGATES
from penstock.tql.syntax import _ast as ast
from penstock.tql.values._relations import Field

__all__ = ["all_aggregates", "columns_in", "walk"]


def _of_this_query(node: ast.Node) -> Iterator[ast.Node]:
    return (child for child in ast.children(node) if not isinstance(child, ast.Query))


def walk(
    node: ast.Node,
    enters: Callable[[ast.Node], bool] = lambda _: True,
    below: Callable[[ast.Node], Iterator[ast.Node]] = _of_this_query,
) -> Iterator[ast.Node]:
    """Return a node and all below it, from left to right, as far as `enters` allows.

    Parameters
    ----------
    node : Node
        Where to begin.
    enters : callable
        Whether to look below a node.
    below : callable
        The nodes directly below a node; by default without queries in parentheses, whose names mean other things.
    """
    left = [node]
    while left:
        found = left.pop()
        yield found
        if enters(found):
            left.extend(reversed(list(below(found))))


def columns_in(node: ast.Node) -> Iterator[ast.Column]:
    """Return every column an expression names."""
    return (found for found in walk(node) if isinstance(found, ast.Column))


def _sees_pixels(node: ast.Node, images: frozenset[str]) -> bool:
    """Return whether an expression has the size of images, unlike an aggregate of them."""

    def enters(found: ast.Node) -> bool:
        return not (isinstance(found, ast.Call) and (found.name in AGGREGATES or found.name == "shape"))

    return any(isinstance(found, ast.Column) and found.parts[-1] in images for found in walk(node, enters))


def _is_aggregate(node: ast.Node, images: frozenset[str]) -> bool:
    """Return whether a call reduces rows: mean(images) reduces the pixels of each image instead."""
    if not isinstance(node, ast.Call) or node.name not in AGGREGATES or len(node.arguments) != 1:
        return False
    return not _sees_pixels(node.arguments[0], images)


def _bare_columns(node: ast.Node, images: frozenset[str]) -> bool:
    def enters(found: ast.Node) -> bool:
        return not _is_aggregate(found, images)

    return any(isinstance(found, ast.Column | ast.Star) for found in walk(node, enters))


def _aggregates(node: ast.Node, images: frozenset[str]) -> bool:
    return any(_is_aggregate(found, images) for found in walk(node))


def all_aggregates(node: ast.Select, fields: tuple[Field, ...]) -> bool:
    items = [item.expression for item in node.items]
    if any(isinstance(item, ast.Column | ast.Star) for item in items):
        return False
    images = frozenset(field.name for field in fields if field.pixels)
    return all(_aggregates(item, images) and not _bare_columns(item, images) for item in items)
