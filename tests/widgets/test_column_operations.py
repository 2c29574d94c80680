"""Columns as the browser asks for them: names, profiles, a click on a bar, pages of rows."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.widgets import Explorer
from penstock.widgets._page_table import page_columns
from tests.widgets.conftest import FrontEnd, RpcError

NUM_ROWS = 300


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    numbers = np.arange(NUM_ROWS)
    return penstock.from_arrays(
        {
            "age": numbers % 96,
            "huge": numbers + 2**60,
            "view": [None if i % 10 == 0 else ("PA", "AP", "it's")[i % 3] for i in range(NUM_ROWS)],
            "labels": [["cat"] if i % 2 else ["cat", "dog", "dog"] for i in range(NUM_ROWS)],
            "vectors": [np.arange(1 + i % 3, dtype=float) for i in range(NUM_ROWS)],
        },
        tmp_path_factory.mktemp("columns") / "table.penstock",
        htypes={"vectors": "generic"},
        progress=False,
    )


@pytest.fixture
def browser(table):
    explorer = Explorer(table)
    yield FrontEnd(explorer)
    explorer.close()


def profile(browser, name):
    result = browser.ask("columns.profile", names=[name])[0]
    return result["profiles"][0] | {"data": result["data"]}


def click(browser, name, first, last=None):
    found = profile(browser, name)
    query = browser.ask("hello")[0]["query"]["text"]
    last = first if last is None else last
    text = browser.ask("columns.filter", text=query, name=name, first=first, last=last, data=found["data"])[0]["text"]
    browser.ask("query.run", text=text)
    return text


def test_columns_are_the_tensors_without_images(front):
    listed = front.ask("columns.list")[0]
    assert [column["name"] for column in listed["columns"]] == ["boxes", "labels"]


def test_columns_of_a_projection_are_what_it_selects(browser):
    browser.ask("query.run", text="select view, age * 2 as double, age where age < 10")
    listed = browser.ask("columns.list")[0]
    assert [(one["name"], one["shown"]) for one in listed["columns"]][1:] == [
        ("double", "computed by the query"),
        ("age", "generic"),
    ]
    rows = browser.ask("table.rows", start=0, stop=3, names=["double", "age"])[0]["rows"]
    assert [row["cells"] for row in rows] == [[0, 0], [2, 1], [4, 2]]
    found = profile(browser, "double")
    assert (found["num_pool"], any(found["selectable"])) == (listed["num_rows"], False)


def test_a_profile_counts_the_pool_among_all_samples(browser, table):
    browser.ask("query.run", text="select * where age >= 50")
    ages = table.age.numpy()
    found = profile(browser, "age")
    raw, pool = ([bar[key] for bar in found["bars"]] for key in ("raw", "pool"))
    assert raw == np.histogram(ages, bins=np.arange(0, 101, 5))[0].tolist()
    assert pool == np.histogram(ages[ages >= 50], bins=np.arange(0, 101, 5))[0].tolist()
    assert (found["num_raw"], found["num_pool"]) == (NUM_ROWS, int((ages >= 50).sum()))


def test_a_profile_follows_the_query(browser):
    first = [bar["pool"] for bar in profile(browser, "view")["bars"]]
    browser.ask("query.run", text="select * where age = 5")
    second = [bar["pool"] for bar in profile(browser, "view")["bars"]]
    assert (sum(first), sum(second)) == (NUM_ROWS, 4)


def test_a_click_selects_the_samples_of_the_bar(browser):
    bar = profile(browser, "view")["bars"][2]
    assert bar["label"] == "it's"
    assert click(browser, "view", 2) == "select * where view = 'it''s'"
    assert browser.ask("hello")[0]["query"]["pool_size"] == bar["raw"]
    assert profile(browser, "view")["selected"] == [2, 2]


def test_a_click_on_another_bar_takes_the_place_of_the_first(browser):
    click(browser, "age", 2)
    assert click(browser, "age", 4, 5) == "select * where age between 20 and 29"
    assert click(browser, "age", 4, 5) == "select *"


def test_missing_values_can_be_selected(browser):
    found = profile(browser, "view")
    assert found["bars"][-1] == {"label": "missing", "special": "missing", "raw": 30, "pool": 30}
    assert click(browser, "view", len(found["bars"]) - 1) == "select * where view is null"
    assert browser.ask("hello")[0]["query"]["pool_size"] == 30


def test_classes_are_counted_once_a_sample(browser):
    assert [(bar["label"], bar["raw"]) for bar in profile(browser, "labels")["bars"]] == [("cat", 300), ("dog", 150)]


def test_lists_are_counted_by_length(browser):
    found = profile(browser, "vectors")
    assert (found["kind"], [bar["raw"] for bar in found["bars"]]) == ("length", [100, 100, 100])
    assert click(browser, "vectors", 0, 1) == "select * where length(vectors) between 1 and 2"
    assert browser.ask("hello")[0]["query"]["pool_size"] == 200


def test_numbers_that_a_browser_would_round_are_text(browser):
    rows = browser.ask("table.rows", start=1, stop=2, names=["huge", "age"])[0]["rows"]
    assert rows[0]["cells"] == [str(2**60 + 1), 1]
    facts = {fact["name"]: fact["value"] for fact in profile(browser, "huge")["facts"]}
    assert facts["max"] == f"{2**60 + NUM_ROWS - 1:,}"


def test_rows_are_those_of_the_grid_in_its_order(browser):
    browser.ask("query.run", text="select * where age < 3 order by age desc")
    result = browser.ask("table.rows", start=0, stop=100, names=["age", "view", "labels"])[0]
    assert [row["cells"][0] for row in result["rows"]] == [2] * 4 + [1] * 4 + [0] * 4
    assert result["rows"][0]["cells"] == [2, "it's", "cat, dog, dog"]
    assert [row["position"] for row in result["rows"]] == list(range(12))
    assert [row["row"] for row in result["rows"]][:2] == [2, 98]


def test_a_table_result_has_pages_and_profiles_without_samples(browser):
    browser.ask("query.run", text="select age, count(*) as n group by age")
    listed = browser.ask("columns.list")[0]
    assert ([column["name"] for column in listed["columns"]], listed["num_rows"]) == (["age", "n"], 96)
    rows = browser.ask("table.rows", start=94, stop=200, names=["n", "age"])[0]["rows"]
    assert rows == [
        {"position": i, "row": i, "uid": None, "edited": False, "held": False, "cells": [3, i]} for i in (94, 95)
    ]
    found = profile(browser, "n")
    assert [(bar["label"], bar["pool"]) for bar in found["bars"]] == [("3", 84), ("4", 12)]
    assert not any(found["selectable"])


def test_profiles_are_plain_json(browser):
    names = [column["name"] for column in browser.ask("columns.list")[0]["columns"]]
    json.dumps(browser.ask("columns.profile", names=names)[0], allow_nan=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "none"}, "is not a column"),
        ({"first": 5, "last": 4}, "got bars 5 to 4"),
        ({"last": 200}, "got bars 0 to 200"),
        ({"data": "older"}, "the data has changed"),
        ({"text": "select"}, "expected"),
    ],
    ids=["unknown column", "backwards", "past the end", "outdated", "broken query"],
)
def test_a_click_that_means_nothing_is_refused(browser, arguments, words):
    good = {"text": "select *", "name": "age", "first": 0, "last": 0, "data": profile(browser, "age")["data"]}
    with pytest.raises(RpcError, match=words):
        browser.ask("columns.filter", **(good | arguments))


def test_a_column_computed_by_the_query_cannot_be_selected(browser):
    browser.ask("query.run", text="select age * 2 as double")
    found = profile(browser, "double")
    with pytest.raises(RpcError, match="cannot select these values of 'double'"):
        browser.ask("columns.filter", text="select *", name="double", first=0, last=0, data=found["data"])


def test_too_long_a_page_is_refused(browser):
    with pytest.raises(RpcError, match="a page has 0 to 256 rows"):
        browser.ask("table.rows", start=0, stop=257, names=[])


def test_edits_are_in_the_profile_at_once(tmp_path):
    ds = penstock.from_arrays({"labels": ["cat", "dog", "cat"], "age": [1, 2, 3]}, tmp_path / "d", progress=False)
    browser = FrontEnd(Explorer(ds))
    assert [bar["raw"] for bar in profile(browser, "labels")["bars"]] == [2, 1]
    uid = browser.ask("table.rows", start=0, stop=1, names=[])[0]["rows"][0]["uid"]
    browser.ask("edit.labels", uid=uid, labels=[1])
    assert [(bar["label"], bar["raw"]) for bar in profile(browser, "labels")["bars"]] == [("dog", 2), ("cat", 1)]
    assert browser.ask("table.rows", start=0, stop=1, names=["labels"])[0]["rows"][0] | {"uid": ""} == {
        "position": 0, "row": 0, "uid": "", "edited": True, "held": False, "cells": ["dog"],
    }  # fmt: skip


def test_a_page_without_a_kernel_has_profiles_and_the_first_rows(table):
    explorer = Explorer(table, query="select * where age < 50")
    kept = page_columns(explorer._ask)
    explorer.close()
    assert [column["name"] for column in kept["list"]["columns"]] == list(table.tensors)
    assert [one["name"] for one in kept["profiles"]] == list(table.tensors)
    assert not any(any(one["selectable"]) for one in kept["profiles"])
    assert [row["cells"][0] for row in kept["rows"]] == [age for age in table.age.numpy().tolist() if age < 50]


@pytest.fixture
def aged(tmp_path):
    """Six samples: two labels each or fewer, an age that is missing once."""
    labels = [["cat", "dog"], ["cat"], [], ["dog"], ["dog", "dog", "cat"], ["cat"]]
    data = {"labels": labels, "age": [30, 10, None, 20, 10, 50], "name": list("cabfed")}
    ds = penstock.from_arrays(data, tmp_path / "d", progress=False)
    return FrontEnd(Explorer(ds))


def column(front, name, by, *, descending=False):
    front.ask("grid.sort", sort=by, descending=descending)
    return [row["cells"][0] for row in front.ask("table.rows", start=0, stop=100, names=[name])[0]["rows"]]


@pytest.mark.parametrize(
    ("name", "by", "ascending", "descending"),
    [
        ("age", "tensor:age", [10, 10, 20, 30, 50, None], [50, 30, 20, 10, 10, None]),
        ("name", "column:name", list("abcdef"), list("fedcba")),
        (
            "labels",
            "column:labels",
            ["", "cat", "dog", "cat", "cat, dog", "dog, dog, cat"],
            ["dog, dog, cat", "cat, dog", "cat", "dog", "cat", ""],
        ),
    ],
    ids=["numbers", "texts", "lists by how many"],
)
def test_a_column_orders_the_samples(aged, name, by, ascending, descending):
    assert column(aged, name, by) == ascending
    assert column(aged, name, by, descending=True) == descending


def test_a_computed_column_orders_the_samples_of_the_pool(aged):
    aged.ask("query.run", text="select name, age * -1 as back where age is not null")
    assert column(aged, "back", "column:back") == [-50, -30, -20, -10, -10]
    assert column(aged, "name", "column:back") == list("dcfae")


def test_a_table_result_is_ordered_by_its_columns(aged):
    query = "select age, count(name) as n group by age"
    before = aged.ask("query.run", text=query)[0]["grid"]["token"]
    rows = aged.ask("table.rows", start=0, stop=9, names=["age"])[0]["rows"]
    assert column(aged, "n", "column:n", descending=True) == [2, 1, 1, 1, 1]
    assert column(aged, "age", "column:age") == [10, 20, 30, 50, None]
    grid = aged.ask("grid.sort", sort="column:age", descending=True)[0]["grid"]
    assert grid["token"] != before
    assert column(aged, "age", "query") == [row["cells"][0] for row in rows]
    assert [row["row"] for row in rows] == [0, 1, 2, 3, 4]


def test_the_order_by_a_column_ends_with_the_column(aged):
    aged.ask("query.run", text="select *, age * 2 as twice")
    assert column(aged, "twice", "column:twice") == [20, 20, 40, 60, 100, None]
    grid = aged.ask("query.run", text="select *")[0]["grid"]
    assert (grid["sort"], grid["descending"]) == ("query", False)


def test_a_column_that_is_not_shown_orders_nothing(aged):
    with pytest.raises(RpcError, match="'nothing'"):
        aged.ask("grid.sort", sort="column:nothing")


def bars(front, name):
    found = profile(front, name)
    return {bar["label"]: (bar["raw"], bar["pool"]) for bar in found["bars"] if bar["raw"]} | {
        "": (found["num_raw"], found["num_pool"])
    }


def test_profiles_count_what_the_filter_shows(aged):
    dog = 1
    aged.ask("grid.filter", classes=[dog], how="any", states=[])
    assert bars(aged, "labels") == {"dog": (3, 3), "cat": (4, 2), "no class": (1, 0), "": (6, 3)}
    aged.ask("query.run", text="select * where age > 15")
    assert bars(aged, "labels") == {"dog": (3, 2), "cat": (4, 1), "no class": (1, 0), "": (6, 2)}
    aged.ask("grid.filter", classes=[], how="any", states=["unlabeled"])
    assert bars(aged, "labels")[""] == (6, 0)


def test_profiles_count_the_selected_samples_when_only_those_are_shown(aged):
    aged.ask("select.set", intervals=[[0, 2]])
    aged.ask("grid.filter", classes=[], how="any", states=["selected"])
    assert bars(aged, "labels") == {"cat": (4, 2), "dog": (3, 1), "no class": (1, 0), "": (6, 2)}


def test_profiles_leave_held_samples_out(aged):
    aged.ask("grid.filter", classes=[], how="any", states=["unlabeled"])
    uid = aged.ask("table.rows", start=0, stop=1, names=[])[0]["rows"][0]["uid"]
    assert bars(aged, "labels")[""] == (6, 1)
    aged.ask("edit.labels", uid=uid, labels=[0])
    assert bars(aged, "labels")[""] == (6, 0)
