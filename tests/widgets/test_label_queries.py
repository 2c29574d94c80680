"""The queries that a page without a kernel answers: the kernel's own answers, which TypeScript is held to as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penstock.errors import TQLError
from penstock.table import ArrayTable
from penstock.tql import run

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "label_queries.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def table():
    kind = [row[0] for row in GOLDEN["kind"]]
    return ArrayTable({"labels": GOLDEN["labels"], "kind": kind}, class_names=GOLDEN["class_names"])


@pytest.mark.parametrize("case", GOLDEN["queries"], ids=lambda case: case["text"])
def test_query_about_labels_returns_the_stated_rows(table, case):
    if case["rows"] is None:
        with pytest.raises(TQLError):
            run(case["text"], table)
    else:
        assert run(case["text"], table).pool.tolist() == case["rows"]


@pytest.mark.parametrize("case", GOLDEN["sampled"], ids=lambda case: case["text"])
def test_query_about_labels_has_the_stated_strata(table, case):
    plan = run(case["text"], table, labels="labels").plan
    assert (plan.spec.size, plan.spec.combine, plan.spec.cap) == (case["draws"], case["combine"], case["cap"])
    assert {name: array.tolist() for name, array in plan.statistics().items()} == case["arrays"]
