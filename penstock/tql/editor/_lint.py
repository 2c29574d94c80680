"""Problems in the text of a query, and descriptions of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from penstock.errors import PenstockError, TQLError
from penstock.table import Table, class_totals
from penstock.tensors import kind_in_words, labels_in_words
from penstock.tql.binding._binder import Parameters
from penstock.tql.functions._registry import FUNCTIONS
from penstock.tql.pipeline._assembly import Assembler
from penstock.tql.pipeline._stages import Resolve
from penstock.tql.pipeline._tree import walk
from penstock.tql.pipeline.weights._weighing import WeightStep
from penstock.tql.syntax import _ast as ast
from penstock.tql.syntax._lexer import KEYWORDS, Token, tokenize
from penstock.tql.syntax._parser import parse
from penstock.tql.values._memo import memo_of
from penstock.tql.values._types import tensor_type
from penstock.tql.values._values import Value
from penstock.tql.writing._offsets import Offsets

__all__ = ["Diagnostic", "Hover", "class_counts_of", "described_tensor", "hover", "lint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """Something to mark in a text; the span is in UTF-16 units.

    Parameters
    ----------
    start, end : int
        The text it is about.
    severity : {"error", "warning"}
        Whether the query can run.
    message : str
        What is wrong.
    fix : str or None
        Text that corrects the query where it replaces the span.
    """

    start: int
    end: int
    severity: Literal["error", "warning"]
    message: str
    fix: str | None = None


def lint(
    text: str, table: Table, *, params: Parameters = None, resolve: Resolve | None = None
) -> tuple[Diagnostic, ...]:
    """Return what is wrong with a query, and what is suspicious.

    Parameters
    ----------
    text : str
        The text in an editor.
    table : Table
        The dataset.
    params : mapping or sequence, optional
        Values of parameters.
    resolve : callable, optional
        Knows the tables named after FROM.

    Returns
    -------
    tuple of Diagnostic
        Empty for a good query. Nothing is evaluated.

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> table = ArrayTable({"label": [0, 1]}, class_names={"label": ["car", "dog"]})
    >>> [found.message for found in lint("select * where label == 'cra'", table)]
    ["'cra' is not a class of label. Expected one of: car, dog. Hint: did you mean 'car'?"]
    """
    places = Offsets(text)
    try:
        query = parse(text)
    except TQLError as error:
        return (_of_error(error, places, text),)
    problems: list[TQLError] = []
    assembler = Assembler(text, table, params=params, resolve=resolve, problems=problems)
    try:
        assembler.query(query, top=True)
    except TQLError as error:
        problems.append(error)
    except (PenstockError, RecursionError) as error:
        message = "the query is nested too deeply to check here" if isinstance(error, RecursionError) else str(error)
        return (Diagnostic(start=0, end=places.to_utf16(len(text)), severity="error", message=message),)
    found = [_of_error(error, places, text) for error in problems]
    found += [_warning(places, span, message) for span, message in _suspicious(table, query, assembler.sampling)]
    return tuple(sorted(set(found), key=lambda each: (each.start, each.end, each.message)))


def _of_error(error: TQLError, places: Offsets, text: str) -> Diagnostic:
    message = f"{error.message}. Hint: {error.hint}" if error.hint else error.message
    start = min(error.start, len(text))
    end = min(max(error.end, start + 1), len(text))
    if start == end and start:
        start -= 1
    return Diagnostic(
        start=places.to_utf16(start), end=places.to_utf16(end), severity="error", message=message, fix=error.fix
    )


def _warning(places: Offsets, span: tuple[int, int], message: str) -> Diagnostic:
    return Diagnostic(start=places.to_utf16(span[0]), end=places.to_utf16(span[1]), severity="warning", message=message)


Suspicion = tuple[tuple[int, int], str]


def _suspicious(table: Table, query: ast.Query, sampling: WeightStep | None) -> Iterator[Suspicion]:
    for node in walk(query, below=ast.children):
        if _wild_text(node, table):
            span = (node.start, node.end)
            yield span, "contains treats * and ? in text literally. Hint: use like '*...*' for patterns"
    if sampling is None:
        return
    first: dict[str, int] = {}
    for number, pair in enumerate(sampling.pairs):
        held = pair.condition.constant
        if held is not None and not bool(held.data[0]):
            yield pair.span, f"{pair.source} is never true, so this weight is never used"
        if pair.condition.key in first and sampling.combine == "max":
            yield (
                pair.span,
                f"this is the same condition as clause {first[pair.condition.key] + 1}. The greater weight is used",
            )
        first.setdefault(pair.condition.key, number)


def _wild_text(node: ast.Node, table: Table) -> bool:
    match node:
        case ast.Call(name="contains", arguments=(ast.Column(parts=parts), ast.Literal(kind="text", value=needle))):
            spec = table.tensors.get(parts[-1])
            return spec is not None and spec.htype in {"text", "json"} and bool(set("*?") & set(str(needle)))
    return False


# -- hover --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hover:
    """A description of what is under the pointer; the span is in UTF-16 units.

    Parameters
    ----------
    start, end : int
        The text it is about.
    title, detail : str
        What it is, in a few words and in a sentence.
    """

    start: int
    end: int
    title: str
    detail: str


_KEYWORD_HELP = {
    "SELECT": "columns of the result; * selects all of them", "FROM": "a dataset by name, or a query in parentheses",
    "WHERE": "keeps the rows for which the condition is true", "GROUP": "makes one row for each value of the keys",
    "HAVING": "keeps the groups for which the condition is true", "UNGROUP": "turns groups back into rows",
    "ORDER": "sorts the rows; ties keep their order, NULL and NaN come last",
    "ARRANGE": "takes rows of each value in turn",
    "LIMIT": "maximum number of rows; after SAMPLE BY, the number of draws", "OFFSET": "number of rows to skip",
    "SAMPLE": "draws rows in proportion to a weight", "REPLACE": "whether a row can be drawn again (default true)",
    "EXPAND": "adds rows before and after each row", "UNION": "rows of either query",
    "EXCEPT": "rows of the left query only", "INTERSECT": "rows of both queries",
    "MAX_WEIGHT": "the weight of a row is the greatest weight of the conditions it meets, or else 0",
    "SUM_WEIGHT": "the weight of a row is the sum of the weights of the conditions it meets",
    "PRODUCT_WEIGHT": "the weight of a row is the product of the weights of the conditions it meets, or else 1",
}  # fmt: skip


def hover(text: str, position: int, table: Table) -> Hover | None:
    """Return a description of what is at a position: a tensor, a function, a class, a keyword.

    Parameters
    ----------
    text : str
        The text in an editor, valid or not.
    position : int
        Place in UTF-16 units.
    table : Table
        The dataset.

    Returns
    -------
    Hover or None

    Examples
    --------
    >>> from penstock.table import ArrayTable
    >>> hover("select * where any(v > 1)", 16, ArrayTable({"v": [[1], [2, 3]]})).title
    'any(x [, axis])'
    """
    places = Offsets(text)
    at = places.from_utf16(position)
    try:
        found = next((token for token in tokenize(text) if token.start <= at < token.end), None)
    except TQLError:
        return None
    told = None if found is None else _told(found, table)
    if found is None or told is None:
        return None
    start, end = places.to_utf16(found.start), places.to_utf16(found.end)
    return Hover(start=start, end=end, title=told[0], detail=told[1])


def _told(token: Token, table: Table) -> tuple[str, str] | None:
    name = token.text
    if token.kind == "quoted":
        name = name[1:-1].replace('""', '"')
    if token.kind == "string":
        return _told_class(name[1:-1].replace("''", "'"), table)
    if token.kind in {"name", "quoted"} and name in table.tensors:
        return name, described_tensor(table, name)
    if token.kind != "name":
        return None
    if name.lower() in FUNCTIONS:
        found = FUNCTIONS[name.lower()]
        return found.signature, found.summary
    if token.word in _KEYWORD_HELP:
        return token.word if token.word in KEYWORDS else name.lower(), _KEYWORD_HELP[token.word]
    return None


def _told_class(name: str, table: Table) -> tuple[str, str] | None:
    for tensor, spec in table.tensors.items():
        if name in spec.class_names:
            counts = class_counts_of(table, tensor)
            return (
                name,
                f"class {spec.class_names.index(name)} of {tensor}, {counts[spec.class_names.index(name)]:,} labels",
            )
    return None


def class_counts_of(table: Table, tensor: str) -> list[int]:
    """Return the number of labels of each class in the whole table, counted once."""
    key = f"counts {tensor}@{table.revision(tensor)}"
    counts: list[int] = memo_of(table).keep(key, lambda: Value(data=class_totals(table, tensor))).data.tolist()
    return counts


def described_tensor(table: Table, name: str) -> str:
    """Return a tensor's kind in a few words."""
    spec = table.tensors[name]
    kind = kind_in_words(spec)
    if spec.htype == "class_label":
        return ", ".join(filter(None, (kind, f"{len(spec.class_names)} classes", labels_in_words(spec))))
    if spec.htype == "generic":
        type_ = tensor_type(table, spec)
        shape = "one per sample" if type_.scalar else f"{type_.rank}-dimensional"
        return f"{spec.dtype}, {shape}"
    return kind
