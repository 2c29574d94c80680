"""The kernel's colors are the query box's: one file of cases holds both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock import tql
from penstock.tql.syntax._lexer import KEYWORDS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "tokens.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["text"][:30])
def test_tokens_are_those_of_the_query_box(case):
    units = case["text"].encode("utf-16-le")
    source = {token: units[2 * token.start : 2 * token.end].decode("utf-16-le") for token in tql.tokens(case["text"])}
    assert [f"{token.kind}:{text}" for token, text in source.items()] == case["tokens"]


def test_keywords_are_those_of_the_query_box():
    assert " ".join(sorted(KEYWORDS)) == GOLDEN["keywords"]
