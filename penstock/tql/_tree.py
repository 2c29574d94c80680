"""Looking at the tree of a query: its columns, its aggregates."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.tql import _ast as ast
from penstock.tql._functions import AGGREGATES
from penstock.tql._relations import Field

__all__ = ["all_aggregates", "children", "columns_in"]


def children(node: object) -> Iterator[ast.Node]:
    """Return the nodes directly below a node, queries left out."""
    for name in getattr(type(node), "__dataclass_fields__", ()):
        value = getattr(node, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, tuple):
                yield from (inner for inner in each if isinstance(inner, ast.Node))
            elif isinstance(each, ast.Node) and not isinstance(each, ast.Query):
                yield each


def columns_in(node: ast.Node) -> Iterator[ast.Column]:
    """Return every column an expression names."""
    if isinstance(node, ast.Column):
        yield node
    for child in children(node):
        yield from columns_in(child)


def _sees_pixels(node: ast.Node, images: frozenset[str]) -> bool:
    """Whether an expression has the size of images: an aggregate of them has not."""
    if isinstance(node, ast.Column):
        return node.parts[-1] in images
    if isinstance(node, ast.Call) and (node.name in AGGREGATES or node.name == "shape"):
        return False
    return any(_sees_pixels(child, images) for child in children(node))


def _is_aggregate(node: ast.Node, images: frozenset[str]) -> bool:
    """Whether a call reduces rows: mean(images) reduces the pixels of each image instead."""
    if not isinstance(node, ast.Call) or node.name not in AGGREGATES or len(node.arguments) != 1:
        return False
    return not _sees_pixels(node.arguments[0], images)


def _bare_columns(node: ast.Node, images: frozenset[str]) -> bool:
    if isinstance(node, ast.Column | ast.Star):
        return True
    return not _is_aggregate(node, images) and any(_bare_columns(child, images) for child in children(node))


def _aggregates(node: ast.Node, images: frozenset[str]) -> bool:
    return _is_aggregate(node, images) or any(_aggregates(child, images) for child in children(node))


def all_aggregates(node: ast.Select, fields: tuple[Field, ...]) -> bool:
    items = [item.expression for item in node.items]
    if any(isinstance(item, ast.Column | ast.Star) for item in items):
        return False
    images = frozenset(field.name for field in fields if field.pixels)
    return all(_aggregates(item, images) and not _bare_columns(item, images) for item in items)
