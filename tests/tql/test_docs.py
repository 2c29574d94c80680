"""Every example of the documentation, and every query of the pages it follows, runs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from penstock import tql
from penstock.errors import QueryBindError
from penstock.table import ArrayTable
from penstock.tensors import encode_image
from tests.tql.conftest import cases

PAGE = Path(__file__).parents[2] / "docs" / "tql.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def page_table() -> ArrayTable:
    """Eight rows with the tensors the page names."""
    count = 8
    rng = np.random.default_rng(0)
    return ArrayTable(
        {
            "images": [encode_image(np.full((4, 6, 3), 30 * number, np.uint8), "png") for number in range(count)],
            "categories": [[0], [0, 1], [1], [2, 3], [], [3, 3], [0, 2], [1, 2]],
            "boxes": [
                rng.integers(0, 200, (len(row), 4)) for row in [[0], [0, 1], [1], [2, 3], [], [3, 3], [0, 2], [1]]
            ],
            "label": [0, 1, 0, 1, 0, 1, 0, 1],
            "name": [f"IMG_{number}.jpg" for number in range(count)],
            "score": np.linspace(0, 1, count),
            "embedding": rng.normal(size=(count, 3)),
            "taken": [f"2024-0{number + 1}-15" for number in range(count)],
            "meta": [{"camera": {"iso": 100 * number}} if number else {} for number in range(count)],
        },
        class_names={"categories": ["car", "bus", "truck", "person"], "label": ["day", "night"]},
        htypes={"boxes": "bbox", "embedding": "embedding"},
    )


@pytest.mark.parametrize("query", EXAMPLES)
def test_every_query_of_the_page_runs(page_table, query):
    assert tql.lint(query, page_table) == ()
    assert tql.run(query, page_table).num_rows > 0 or "offset" in query or "shape(boxes)[0] > 2" in query


def test_the_page_shows_many_queries():
    assert len(EXAMPLES) >= 30


def test_the_error_on_the_page_is_what_is_said(page_table):
    shown = re.search(r"```text\n(.*?)```", TEXT, re.DOTALL).group(1)
    with pytest.raises(QueryBindError) as caught:
        tql.run("select * where contains(categories, 'bsu')", page_table)
    assert str(caught.value) == shown.rstrip("\n")


@pytest.fixture(scope="module")
def documents_table() -> ArrayTable:
    names = {
        "findings": ["Hernia", "Pneumonia", "Fibrosis", "Edema", "Emphysema", "No Finding"],
        "categories": ["car", "bus", "truck", "bicycle", "motorcycle", "traffic light", "stop sign"],
        "labels": [str(number) for number in range(10)],
    }
    columns = {
        "findings": [[0], [1, 2], [5], [5]],
        "categories": [[0, 1], [4], [], [6, 6]],
        "labels": [5, 6, 1, 0],
    }
    return ArrayTable(columns, class_names=names)


@pytest.mark.parametrize("case", cases("documents.tsv"), ids=lambda case: case[0])
def test_every_query_of_the_documents_runs(documents_table, case):
    assert tql.run(case[1], documents_table).num_rows > 0


def test_the_documents_queries_give_what_their_pages_say(documents_table):
    rows = {case[0]: tql.run(case[1], documents_table).selection.rows.tolist() for case in cases("documents.tsv")}
    assert rows["not five"] == [1, 2, 3]
    assert rows["two classes"] == [0, 1]
    assert rows["seven classes"] == [0, 1, 3]
    assert set(rows["digits"]) <= {0, 1}
