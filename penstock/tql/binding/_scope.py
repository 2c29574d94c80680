"""Names an expression may use, and their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from penstock._wording import nearest
from penstock.errors import QueryBindError
from penstock.table import Table
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import needs_quotes, quote_name, quote_text
from penstock.tql.values._relations import Bound, Field

__all__ = ["Scope", "table_fields"]

_MANY = 12


def table_fields(table: Table, qualifier: str | None = None) -> dict[str, Field]:
    """Return a field for every tensor; types are determined on demand."""
    return {name: _lazy_field(table, name, qualifier) for name in table.tensors}


def _lazy_field(table: Table, name: str, qualifier: str | None) -> Field:
    return Field(name=name, qualifier=qualifier, table=table, tensor=name)


@dataclass(slots=True, eq=False)
class Scope:
    """Fields by name, and the aliases of the select list.

    `aliases` are the expressions of the same SELECT: ORDER BY, ARRANGE BY and
    SAMPLE BY see them; `hidden_aliases` exist but cannot be seen here.
    """

    fields: tuple[Field, ...]
    aliases: Mapping[str, Bound] = field(default_factory=dict)
    hidden_aliases: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()

    def field_of(self, node: ast.Column, text: str) -> Field:
        """Return the field a column names, or raise with the nearest name."""
        *qualifiers, name = node.parts
        if qualifiers and (len(qualifiers) > 1 or qualifiers[0] not in self._qualifiers()):
            self._unknown_source(node, text, ".".join(qualifiers))
        found = [
            candidate
            for candidate in self.fields
            if candidate.name == name and (not qualifiers or candidate.qualifier == qualifiers[0])
        ]
        if not found:
            self._unknown_column(node, text, name)
        if len(found) > 1:
            places = ", ".join(f"{each.qualifier}.{name}" for each in found)
            raise QueryBindError(
                f"{name!r} is in more than one source",
                text=text,
                start=node.start,
                end=node.end,
                hint=f"write {places}",
            )
        return found[0]

    def _qualifiers(self) -> set[str]:
        return {candidate.qualifier for candidate in self.fields if candidate.qualifier} | set(self.sources)

    def _unknown_source(self, node: ast.Column, text: str, name: str) -> None:
        known = sorted(self._qualifiers())
        like = nearest(name, known)
        quoted = self._unquoted(node, text)
        raise QueryBindError(
            f"unknown table {name!r}. FROM lists {', '.join(known) or 'no named source'}",
            text=text,
            start=node.start,
            end=node.start + len(name),
            suggestion=like,
            hint=quoted or (f"did you mean {like!r}?" if like else None),
        )

    def _unquoted(self, node: ast.Column, text: str) -> str | None:
        """Return the hint for a tensor name that is missing its quotes."""
        names = [
            each.name for each in self.fields if needs_quotes(each.name) and text.startswith(each.name, node.start)
        ]
        return f"quote the name of this tensor: {quote_name(max(names, key=len))}" if names else None

    def _unknown_column(self, node: ast.Column, text: str, name: str) -> None:
        names = list(dict.fromkeys(candidate.name for candidate in self.fields))
        facts = _alias_hint(name) if name in self.hidden_aliases else self._column_hint(node, text, name, names)
        shown = ", ".join(names[:_MANY]) + (", …" if len(names) > _MANY else "")
        message = f"unknown column {name!r}. Expected one of: {shown or 'none'}"
        if name in self.hidden_aliases:
            message = f"the alias {name!r} is not visible in WHERE"
        raise QueryBindError(message, text=text, start=node.start, end=node.end, **facts)  # type: ignore[arg-type]  # TQLError's own keywords

    def _column_hint(self, node: ast.Column, text: str, name: str, names: list[str]) -> dict[str, str | None]:
        if text[node.start : node.start + 1] == '"' and nearest(name, names) is None:
            quoted = quote_text(name)
            return {"hint": f"did you mean the text {quoted} in single quotes?", "fix": quoted, "suggestion": quoted}
        hint = self._unquoted(node, text)
        if hint:
            return {"hint": hint}
        like = nearest(name, names)
        if like is None:
            return {"hint": f"write text in single quotes: {quote_text(name)}"}
        return {"hint": f"did you mean {quote_name(like)}?", "suggestion": like, "fix": quote_name(like)}

    def visible(self) -> Iterable[Field]:
        """Return the fields that ``*`` takes."""
        return (candidate for candidate in self.fields if not candidate.hidden)


def _alias_hint(name: str) -> dict[str, str | None]:
    return {"hint": f"define it in a subquery: from (select ... as {quote_name(name)}) where ..."}
