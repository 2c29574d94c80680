"""Looking into a condition."""

from __future__ import annotations

from penstock.tql.syntax import _ast as ast

__all__ = ["tested"]


def tested(node: ast.Expression) -> ast.Expression:
    """Return what a condition is about: the operand that has several elements."""
    match node:
        case ast.Binary(left=operand):
            return operand
        case (
            ast.Unary(operand=operand)
            | ast.InList(operand=operand)
            | ast.InQuery(operand=operand)
            | ast.Between(operand=operand)
            | ast.Like(operand=operand)
            | ast.IsNull(operand=operand)
            | ast.Index(operand=operand)
            | ast.Cast(operand=operand)
        ):
            return operand
        case ast.Case(operand=ast.Expression() as operand):
            return operand
    return node
