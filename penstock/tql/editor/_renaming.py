"""A query after classes were renamed: the text literals that name them, replaced."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_text
from penstock.tql.syntax._nodes import Node, children
from penstock.tql.syntax._parser import parse

__all__ = ["rename_classes"]


def rename_classes(text: str, renames: Mapping[str, Mapping[str, str]]) -> str:
    """Return the query with other names for classes; the rest is kept to the letter.

    A literal names a class of a tensor where it is compared with that tensor: in ``contains(labels, 'cat')``,
    ``labels == 'cat'``, ``labels in ['cat', 'dog']``.

    Parameters
    ----------
    text : str
        A query.
    renames : mapping of str to mapping of str to str
        For each tensor, the new name of each class that has one.

    Raises
    ------
    QuerySyntaxError
        If `text` is not a query.

    Examples
    --------
    >>> rename_classes("select * where contains(labels, 'cat') and file == 'cat'", {"labels": {"cat": "lion"}})
    "select * where contains(labels, 'lion') and file == 'cat'"
    """
    spans = []
    for literal, columns in _compared(parse(text)):
        named = next((renames[name] for name in columns if name in renames), {})
        if literal.value in named:
            spans.append((literal.start, literal.end, quote_text(named[str(literal.value)])))
    for start, end, name in sorted(spans, reverse=True):
        text = text[:start] + name + text[end:]
    return text


def _compared(query: Node) -> list[tuple[ast.Literal, set[str]]]:
    """Return each text literal with the columns of the innermost expression around it that has any."""
    nodes, parents = [query], [-1]
    place = 0
    while place < len(nodes):  # a long chain of OR is deeper than Python's own recursion
        for child in children(nodes[place]):
            nodes.append(child)
            parents.append(place)
        place += 1
    columns: list[set[str]] = [{node.parts[-1]} if isinstance(node, ast.Column) else set() for node in nodes]
    for place in range(len(nodes) - 1, 0, -1):
        columns[parents[place]] |= columns[place]
    found = []
    for place, node in enumerate(nodes):
        if not isinstance(node, ast.Literal) or node.kind != "text":
            continue
        around = parents[place]
        while _compares(nodes[around]) and not columns[around]:
            around = parents[around]
        if _compares(nodes[around]):
            found.append((node, columns[around]))
    return found


def _compares(node: Node) -> bool:
    """Return whether a literal below a node can be compared with a column there: AND and OR only join."""
    return isinstance(node, ast.Expression) and not (isinstance(node, ast.Binary) and node.operator in ("and", "or"))
