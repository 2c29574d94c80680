"""What is settled about NULL, NaN and wildcards."""

from __future__ import annotations

import pytest

import penstock

NAN = float("nan")


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    made = penstock.empty(tmp_path_factory.mktemp("missing") / "ds")
    made.create_tensor("a", dtype="float64")
    made.create_tensor("name", htype="text")
    made.create_tensor("meta", htype="json")
    made.extend(
        {
            "a": [1.0, NAN, None, 2.0, float("inf"), None, NAN],
            "name": ["a_b", "axb", None, "ab", "a%b", "a*b", "A_B"],
            "meta": [{"v": 1}, {}, {"v": 3}, {"v": None}, {"v": 2.5}, {"v": "x"}, {"v": 2}],
        }
    )
    return made


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("where a between 0 and 5", [0, 3]),
        ("where a not between 0 and 5", [4]),
        ("where not (a between 0 and 5)", [1, 2, 4, 5, 6]),
        ("where a between 2 and 1", []),
        ("where a not between 2 and 1", [0, 3, 4]),
        ("where meta['v'] between 1 and 2", [0, 6]),
        ("where meta['v'] not between 1 and 2", [2, 4]),
        ("order by a", [0, 3, 4, 1, 2, 5, 6]),
        ("order by a desc", [4, 3, 0, 1, 2, 5, 6]),
        ("order by a nulls first", [2, 5, 1, 6, 0, 3, 4]),
        ("order by a desc nulls first", [2, 5, 1, 6, 4, 3, 0]),
        ("order by a nulls first, name desc", [5, 2, 1, 6, 0, 3, 4]),
        ("where name like 'a_b'", [0, 1, 4, 5]),
        ("where name like 'a%b'", [0, 1, 3, 4, 5]),
        ("where name like 'a\\_b'", [0]),
        ("where name like 'a\\%b'", [4]),
        ("where name like 'a\\*b'", [5]),
        ("where name not like 'a_b'", [3, 6]),
        ("where name ilike 'a_b'", [0, 1, 4, 5, 6]),
    ],
)
def test_missing_values_and_wildcards_are_as_the_docs_say(ds, query, rows):
    assert ds.query(f"select * {query}").indices.tolist() == rows
