"""Noise and almost-queries: only TQL errors, never an internal one."""

from __future__ import annotations

import random

import pytest

from penstock import tql
from penstock.errors import QueryCancelledError, TQLError
from tests.tql.conftest import cases, outcome, small_table

WORDS = [
    "select",
    "select",
    "select",
    "*",
    "*",
    ",",
    "from",
    "where",
    "where",
    "expand",
    "by",
    "group",
    "by",
    "having",
    "ungroup",
    "order",
    "by",
    "arrange",
    "limit",
    "offset",
    "sample",
    "by",
    "union",
    "except",
    "intersect",
    "all",
    "distinct",
    "as",
    "and",
    "or",
    "not",
    "in",
    "in",
    "between",
    "like",
    "ilike",
    "is",
    "null",
    "case",
    "when",
    "then",
    "else",
    "end",
    "cast",
    "join",
    "left",
    "cross",
    "on",
    "using",
    "with",
    "asc",
    "desc",
    "nulls",
    "first",
    "last",
    "overlap",
    "true",
    "false",
    "array",
    "timestamp",
    "date",
    "replace",
    "percent",
    "split",
    "at",
    "max_weight",
    "sum_weight",
    "product_weight",
    "classes",
    "(",
    "(",
    "(",
    ")",
    ")",
    ")",
    "[",
    "]",
    ":",
    ",",
    ".",
    ";",
    "=",
    "==",
    "!=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "||",
    "=>",
    "id",
    "id",
    "label",
    "findings",
    "findings",
    "name",
    "v",
    "v",
    "boxes",
    "score",
    "meta",
    '"stuff/kind"',
    "'car'",
    "'Hernia'",
    "'a'",
    "'*a*'",
    "'2024-01-02'",
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "1e3",
    "$p",
    "?",
    "contains",
    "any",
    "all",
    "shape",
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "unique",
    "data",
    "random",
    "row_number",
    "keys",
    "length",
    "lower",
    "coalesce",
    "clip",
    "l2_norm",
    "cosine_similarity",
    "logical_and",
    "int",
    "text",
    "float",
    "t",
    "a",
    "x",
    "--",
    "#",
    "/*",
    "*/",
]


def noise(rng: random.Random) -> str:
    return bytes(rng.randrange(256) for _ in range(rng.randrange(60))).decode("utf-8", "replace")


def soup(rng: random.Random) -> str:
    head = rng.choice(["", "select ", "select * where ", "select * order by ", "select * sample by ", "select id, "])
    return head + " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 14)))


@pytest.mark.slow
@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
def test_random_bytes_only_ever_raise_tql_errors(count):
    rng = random.Random(20240102)
    for _ in range(count):
        text = noise(rng)
        found = outcome(lambda text=text: tql.parse(text))
        if isinstance(found, TQLError):
            assert 0 <= found.start <= found.end <= max(len(text), 1)
            assert str(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_random_words_only_ever_raise_tql_errors(seed):
    rng = random.Random(seed)
    table = small_table()
    found = [outcome(lambda: tql.run(soup(rng), table, params={"p": 1})) for _ in range(3_000)]
    assert sum(isinstance(each, tql.QueryResult) for each in found) > 5
    assert not any("numpy" in str(each) for each in found if isinstance(each, Exception))


def mutated(rng: random.Random, text: str) -> str:
    tokens = text.split(" ")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(tokens))
        kind = rng.randrange(3)
        if kind == 0:
            tokens[at] = rng.choice(WORDS)
        elif kind == 1:
            tokens.insert(at, rng.choice(WORDS))
        elif len(tokens) > 1:
            del tokens[at]
    return " ".join(tokens)


@pytest.mark.slow
def test_queries_with_a_slip_only_ever_raise_tql_errors():
    rng = random.Random(7)
    table = small_table()
    queries = [case[1] for name in ("cases.tsv", "sampling.tsv") for case in cases(name)]
    for query in queries:
        for _ in range(25):
            text = mutated(rng, query)
            found = outcome(lambda text=text: tql.run(text, table))
            assert isinstance(found, Exception | tql.QueryResult)
            tql.tokens(text)
            tql.lint(text, table)


@pytest.mark.slow
def test_language_services_take_any_text(table):
    rng = random.Random(3)
    for make in (noise, soup):
        for _ in range(1_500):
            text = make(rng)
            place = rng.randrange(len(text) + 1)
            tql.lint(text, table)
            tql.complete(text, place, table)
            tql.hover(text, place, table)
            tql.tokens(text)


def test_cancelling_ends_a_query(table):
    with pytest.raises(QueryCancelledError):
        tql.run("select * where id > 1", table, cancel=lambda: True)
