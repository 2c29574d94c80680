"""signal(...) in TQL, by hand counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.errors import QueryBindError, QuerySyntaxError
from penstock.tql import complete

# newest run: rows 2 to 5 have losses 3, 5 (after 1, mean 3), NaN, 2; older run: row + 0.5
CASES = [
    ("signal('loss') > 2.5", [2, 3]),
    ("signal('loss') is null", [0, 1]),
    ("not signal('loss') > 2.5", [0, 1, 4, 5]),
    ("signal('loss', 'mean') = 3", [2, 3]),
    ("signal('loss', 'count') = 2", [3]),
    ("signal('loss', 'count') = 0", [0, 1]),
    ("signal('loss', 'position') = 4", [3]),
    ("signal('loss', run => 'older') < 2", [0, 1]),
    ("signal('loss', 'last', run => 'older') > signal('loss')", [5]),
    ("signal('hit') = 1", [3]),
    ("kind = 'cat' and signal('loss') = 3", [2]),
    ("SIGNAL('loss') between 1 and 2", [5]),
]


@pytest.mark.parametrize(("condition", "rows"), CASES)
def test_conditions(ages: penstock.Dataset, condition: str, rows: list[int]) -> None:
    assert ages.query(f"select * where {condition}").indices.tolist() == rows


@pytest.mark.parametrize("engine", ["threads", "processes"])
def test_an_engine_gives_the_same_rows(ages: penstock.Dataset, engine: str) -> None:
    query = "select * where signal('loss') > 2.5 and kind = 'dog'"
    assert ages.query(query, engine=engine).indices.tolist() == [3]


def test_order_weights_and_columns(ages: penstock.Dataset) -> None:
    ordered = ages.query("select * order by signal('loss') desc limit 3")
    assert ordered.indices.tolist() == [3, 2, 5]  # NaN, then NULL come last
    drawn = ages.query("select * where signal('loss') is not null and age != 5 sample by signal('loss') limit 4000")
    counts = np.bincount(drawn.indices, minlength=6)
    assert counts[[0, 1, 4]].tolist() == [0, 0, 0]
    np.testing.assert_allclose(counts[[2, 3, 5]] / 4000, [0.3, 0.5, 0.2], atol=0.04)
    weighed = ages.query("select * sample by max_weight(signal('loss') > 2.5: 3, True: 1) limit 10")
    assert len(weighed) == 10
    table = ages.query("select age, signal('loss', 'mean') as m where signal('loss') > 2.5").pandas()
    assert table["m"].tolist() == [3.0, 3.0]


def test_views_edits_pops_and_appends_keep_the_numbers(ages: penstock.Dataset) -> None:
    view = ages.query("select * where age > 3")
    assert view.query("select * where signal('loss') > 2.5").indices.tolist() == [3]
    ages.pop(0)
    ages.append({"age": 9, "kind": [0], "note": "g"})
    assert ages.query("select * where signal('loss') > 2.5").indices.tolist() == [1, 2]
    assert ages.query("select * where signal('loss') is null").indices.tolist() == [0, 5]
    assert view.query("select * where signal('loss') > 2.5").indices.tolist() == [3]


def test_a_new_run_is_seen_by_the_next_query(ages: penstock.Dataset) -> None:
    assert len(ages.query("select * where signal('loss') > 2.5")) == 2
    with ages.start_run("newest") as run:
        run.record(np.array([0]), None, {"loss": np.array([9.0])})
    assert ages.query("select * where signal('loss') > 2.5").indices.tolist() == [0]
    assert ages.query("select * where signal('loss', run => 'newer') > 2.5").indices.tolist() == [2, 3]
    ages.runs.delete("newest")
    assert ages.query("select * where signal('loss') > 2.5").indices.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("signal('los')", "did you mean 'loss'"),
        ("signal(loss)", "write 'loss'"),
        ("signal('loss', 'avg')", "'avg' is not kept of a signal"),
        ("signal('loss', run => 'olde')", "did you mean 'older'"),
        ("signal('loss', 'last', 'older')", "run => 'baseline'"),
        ("signal('loss', epoch => 2)", "no argument 'epoch'"),
        ("power(age, 2, run => 'older')", "no argument 'run'"),
        ("signal(age)", "write 'age'"),
        ("signal(3)", "must be a text"),
        ("signal()", "takes 1 to"),
    ],
)
def test_errors_say_what_is_there(ages: penstock.Dataset, call: str, message: str) -> None:
    with pytest.raises(QueryBindError, match=message):
        ages.query(f"select * where {call} > 1")


def test_without_runs_a_query_says_how_to_record_one(tmp_path: Path) -> None:
    ds = penstock.empty(tmp_path / "set")
    ds.create_tensor("age")
    ds.append({"age": 1})
    with pytest.raises(QueryBindError, match=r"loader\.record"):
        ds.query("select * where signal('loss') > 1")


def _offered(ds: penstock.Dataset, text: str) -> list[str]:
    from penstock.dataset.samples._content import content_of

    return [offer.insert for offer in complete(text, len(text), content_of(ds).table)]


def test_completion_inside_the_quotes(ages: penstock.Dataset) -> None:
    start = "select * where signal("
    assert _offered(ages, start + "'") == ["'hit'", "'loss'"]
    assert _offered(ages, start + "'lo") == ["'loss'"]
    assert _offered(ages, start) == ["'hit'", "'loss'"]
    assert _offered(ages, start + "'loss', '")[:3] == ["'last'", "'mean'", "'count'"]
    assert _offered(ages, start + "'loss', run => '") == ["'newer'", "'older'"]
    assert "'loss'" not in _offered(ages, start + "'loss') = '")


def test_a_run_that_is_named_twice_is_refused(ages: penstock.Dataset) -> None:
    with pytest.raises(QuerySyntaxError, match="run is given twice"):
        ages.query("select * where signal('loss', run => 'newer', run => 'older') > 1")
