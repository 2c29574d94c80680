"""The columns of a SELECT's result: its items bound and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from penstock.tql.binding._binder import Binder
from penstock.tql.binding._comparing import of_field
from penstock.tql.pipeline._stages import Output, bound_error
from penstock.tql.pipeline._tree import columns_in
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import quote_name
from penstock.tql.values._relations import Bound, Field, Stage

__all__ = ["OutputList", "star_of"]

_Named = dict[str, tuple[Output, ast.Item]]


@dataclass(frozen=True, slots=True, eq=False)
class OutputList:
    """Binds the items of a SELECT over one source; each is bound by `trying`, which may keep its error and go on."""

    text: str
    binder: Binder
    source: Stage
    trying: Callable[[Callable[[], object]], None]

    def of(self, node: ast.Select, extras: tuple[Field | None, ...]) -> tuple[Output, ...]:
        """Return the output columns: the items of the list, and the columns that other clauses add."""
        named: _Named = {}
        for item in node.items:
            self.trying(partial(self._add_item, item, named))
        for extra in filter(None, extras):
            named[extra.name] = (Output(extra, of_field(extra, (node.start, node.end))), node.items[0])
        return tuple(output for output, _ in named.values())

    def _add_item(self, item: ast.Item, named: _Named) -> None:
        expression = item.expression
        if isinstance(expression, ast.Star):
            if item.alias:
                raise bound_error(self.text, "* cannot have a name", item, "name single columns instead")
            self._add_star(item, named)
            return
        if isinstance(expression, ast.Index) and isinstance(expression.operand, ast.Star):
            self._add_sliced_star(item, expression, named)
            return
        name = item.alias or self._implied_name(item)
        held = named.get(name)
        if held is not None and not isinstance(star_of(held[1].expression), ast.Star):
            message = f"two output columns are called {name!r}"
            raise bound_error(
                self.text,
                message,
                item,
                f"rename one of them: {self._source(expression)} as {quote_name(name + '_2')}",
            )
        bound = self.binder.bind(expression)
        if isinstance(expression, ast.Column) or not held:
            named.pop(name, None)
        named[name] = (self._output(name, bound, item), item)

    def _add_star(self, item: ast.Item, named: _Named) -> None:
        for each in self.binder.scope.visible():
            if each.name in named:
                places = [f"{other.qualifier}.{other.name}" for other in self.source.fields if other.name == each.name]
                raise bound_error(
                    self.text, f"* has two columns called {each.name!r}: {', '.join(places)}", item,
                    "list the columns you want",
                )  # fmt: skip
            if self.binder.grouped and each.pixels:
                continue
            node = ast.Column(parts=_parts(each, self.source), start=item.start, end=item.end)
            bound = (
                self.binder.bind(node) if self.binder.grouped else of_field(each, (item.start, item.end), unseen=True)
            )
            named[each.name] = (self._output(each.name, bound, item), item)

    def _add_sliced_star(self, item: ast.Item, index: ast.Index, named: _Named) -> None:
        for each in self.binder.scope.visible():
            column = ast.Column(parts=_parts(each, self.source), start=item.start, end=item.end)
            bound = self.binder.bind(replace(index, operand=column))
            named[each.name] = (self._output(each.name, bound, item), item)

    def _output(self, name: str, bound: Bound, item: ast.Item) -> Output:
        passed = bound.key.startswith("field ")
        if bound.pixels and not passed:
            hint = f"reduce it: mean({self._source(item.expression)})"
            raise bound_error(self.text, "a computed image cannot be a column of the result", item, hint)
        if passed and len(bound.fields) == 1 and bound.fields[0].tensor:
            one = bound.fields[0]
            return Output(Field(name=name, table=one.table, tensor=one.tensor), bound)
        return Output(Field(name=name, known_type=bound.fields[0].type if passed else bound.type), bound)

    def _implied_name(self, item: ast.Item) -> str:
        if isinstance(item.expression, ast.Column):
            return item.expression.parts[-1]
        names = list(dict.fromkeys(column.parts[-1] for column in columns_in(item.expression)))
        if len(names) == 1:
            return names[0]
        message = f"{self._source(item.expression)} needs a name"
        raise bound_error(self.text, message, item, f"write {self._source(item.expression)} as name")

    def _source(self, node: ast.Node) -> str:
        return self.text[node.start : node.end]


def _parts(each: Field, source: Stage) -> tuple[str, ...]:
    shared = sum(other.name == each.name for other in source.fields) > 1
    return (each.qualifier, each.name) if shared and each.qualifier else (each.name,)


def star_of(node: ast.Expression) -> ast.Expression:
    """Return what is sliced, ``*`` in ``*[0:3]``; another expression as it is."""
    return node.operand if isinstance(node, ast.Index) else node
