"""The rest of the language: joins, groups, functions, parameters, views, pixels, functions of a user."""

from __future__ import annotations

import math
import threading
import tracemalloc

import numpy as np
import pytest

from penstock import tql
from penstock.errors import (
    DatasetNotFoundError,
    ImageDecodeError,
    QueryBindError,
    QueryCancelledError,
    QueryEvaluationError,
    TensorNotFoundError,
)
from penstock.table import ArrayTable
from penstock.tensors import encode_image
from penstock.tql import run
from tests.tql.conftest import cases, small_table
from tests.tql.test_cases import check

CASES = cases("more.tsv")
OTHER = ArrayTable(
    {"id": np.array([4, 5, 5, 9]), "word": ["x", "y", "z", None], "label": [0, 1, 1, 0]},
    class_names={"label": ["dog", "car"]},
)


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_query_gives_the_stated_result(table, case):
    named = {"data": table, "other": OTHER}
    check(case, lambda query: run(query, table, resolve=lambda name, _: named[name]))


# -- sources ------------------------------------------------------------------------------


def test_from_asks_for_name_and_version(table):
    asked = []

    def resolve(name, at):
        asked.append((name, at))
        return OTHER

    result = run("select * from data at 'v1' where id > 5", table, resolve=resolve)
    assert asked == [("data", "v1")]
    assert result.selection.rows.tolist() == [3]
    assert result.table is OTHER


def test_an_unknown_dataset_is_told_at_its_name(table):
    def resolve(name, at):
        raise DatasetNotFoundError(f"no dataset {name!r}", hint="did you mean 'data'?")

    with pytest.raises(QueryBindError, match="did you mean 'data'") as caught:
        run("select * from dta", table, resolve=resolve)
    assert (caught.value.start, caught.value.end) == (14, 17)


# -- views --------------------------------------------------------------------------------

VIEW = np.array([5, 0, 0, 3])


def test_a_query_over_a_view_keeps_order_and_repeats(table):
    assert run("select *", table, rows=VIEW).selection.rows.tolist() == [5, 0, 0, 3]
    assert run("select * where label = 'car' and id < 5", table, rows=VIEW).selection.rows.tolist() == [0, 0, 3]
    assert run("select * order by id", table, rows=VIEW).selection.rows.tolist() == [0, 0, 3, 5]
    assert run("select *, row_number() as n", table, rows=VIEW).columns["n"].values.tolist() == [5, 0, 0, 3]


def test_union_of_a_view_with_repeats_removes_them(table):
    found = run("select * where id < 3 union select * where id > 2", table, rows=VIEW)
    assert found.selection.rows.tolist() == [0, 3, 5]


def test_union_all_of_a_view_with_repeats_keeps_them(table):
    found = run("select * where id < 3 union all select * where id > 2", table, rows=VIEW)
    assert found.selection.rows.tolist() == [0, 0, 3, 5]


def test_selection_records_where_it_came_from(table):
    result = run("select * where id > 3", table, seed=9)
    assert (result.selection.query_string, result.selection.seed) == ("select * where id > 3", 9)
    assert result.selection.version == table.version
    assert result.selection.rows.dtype == np.int64


# -- results ------------------------------------------------------------------------------


def test_a_projection_keeps_types(table):
    columns = run("select id, label, findings, score, name where id < 2", table).columns
    assert columns["id"].values.dtype == np.int64
    assert columns["score"].values.dtype == np.float64
    assert columns["label"].values.dtype == np.int64
    assert columns["findings"].row(1).tolist() == [1, 2]


def test_a_projection_keeps_class_names(table):
    assert run("select label where id < 2", table).columns["label"].class_names == ("car", "dog", "cat")


def test_large_keys_are_not_merged():
    keys = np.array([2**24, 2**24 + 1, 2**53, 2**53 + 1])
    table = ArrayTable({"k": keys})
    assert run("select * order by k desc", table).selection.rows.tolist() == [3, 2, 1, 0]
    assert run("select k, count(*) as n group by k", table).columns["k"].values.tolist() == keys.tolist()


def test_select_star_has_no_columns_of_its_own(table):
    result = run("select *", table)
    assert result.columns is None
    assert result.names == tuple(table.tensors)


def test_groups_joins_and_values_are_no_rows(table):
    named = {"data": table}
    for query in (
        "select label group by label",
        "select a.id as i from data as a cross join data as b",
        "(select id) union all (select id)",
    ):
        result = run(query, table, resolve=lambda name, _: named[name])
        assert not result.is_rows
        assert len(result.selection) == 0
        assert result.num_rows > 0


def test_funnel_tells_every_step(table):
    query = "select distinct label where id > 0 order by id limit 4 offset 1"
    assert run(query, table).funnel == (("rows", 6), ("where id > 0", 5), ("distinct", 3), ("limit", 2))


def test_an_empty_table_can_be_queried():
    table = ArrayTable({"a": np.zeros(0), "labels": []}, class_names={"labels": ["x"]})
    for query in (
        "select *",
        "select * where a > 1 order by a",
        "select a, count(*) as n group by a",
        "select distinct a",
    ):
        assert run(query, table).num_rows == 0
    assert run("select count(*) as n", table).columns["n"].values.tolist() == [0]
    with pytest.raises(QueryEvaluationError, match="nothing to sample"):
        run("select * sample by 1", table)


# -- chance -------------------------------------------------------------------------------


def randoms(table, query, seed, name="r"):
    columns = run(query, table, seed=seed).columns
    return dict(zip(columns["id"].values.tolist(), columns[name].values.tolist(), strict=True))


def test_random_stays_with_its_row(table):
    ordered = randoms(table, "select id, random() as r order by r", 1)
    assert randoms(table, "select id, random() as r, random() as s", 1) == ordered


def test_random_follows_the_seed(table):
    query = "select id, random() as r"
    assert randoms(table, query, 1) == randoms(table, query, 1)
    assert randoms(table, query, 1) != randoms(table, query, 2)


def test_two_calls_of_random_differ(table):
    query = "select id, random() as r, random() as s"
    assert randoms(table, query, 1) != randoms(table, query, 1, "s")


@pytest.mark.statistical
def test_random_is_uniform():
    table = ArrayTable({"a": np.arange(100_000)})
    values = run("select random() as r", table, seed=3).columns["r"].values
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    # chi squared with 19 degrees of freedom: 43.8 is passed by chance once in 1000
    assert ((counts - 5000) ** 2 / 5000).sum() < 43.8


# -- parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "params", "rows"),
    [
        ("select * where id = $i", {"i": 3}, [3]),
        ("select * where label = $name", {"name": "dog"}, [1, 4]),
        ("select * where id in ($a, $b)", {"a": 1, "b": np.int64(2)}, [1, 2]),
        ("select * where id in ($many)", {"many": [1, 5]}, [1, 5]),
        ("select * where id in $many", {"many": (1, 5)}, [1, 5]),
        ("select * where label in ($many)", {"many": ["dog", "cat"]}, [1, 2, 4]),
        ("select * where id > ? and id < ?", [1, 4], [2, 3]),
        ("select * limit $n", {"n": 2}, [0, 1]),
        ("select * where name = $none", {"none": None}, []),
        ("select * where l2_norm(boxes[0], $box) = 0", {"box": np.array([3, 3, 3, 3])}, [4]),
    ],
)
def test_parameters_stand_for_values(table, query, params, rows):
    assert run(query, table, params=params).selection.rows.tolist() == rows


@pytest.mark.parametrize(
    ("query", "params", "message"),
    [
        ("select * where id = $ids", {"id": 3}, r"did you mean \$id"),
        ("select * where id = $i", None, "has no value"),
        ("select * where id = ?", [], "has no value"),
        ("select * where id = $i", {"i": object()}, "Expected a number"),
        ("select * where id = $i", {"i": "x"}, "cannot compare"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(table, query, params, message):
    with pytest.raises(QueryBindError, match=message):
        run(query, table, params=params)


# -- pixels -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images() -> ArrayTable:
    """Forty gray pictures 8 x 6 whose value is twice their number; number 7 is NULL."""
    encoded = [encode_image(np.full((8, 6, 1), number * 2, np.uint8), "png") for number in range(40)]
    return ArrayTable({"images": [None if number == 7 else data for number, data in enumerate(encoded)]})


def test_functions_see_pixels(images):
    assert run("select * where mean(images) > 75", images).selection.rows.tolist() == [38, 39]
    assert run("select * where max(images[2:4, 0, 0]) = 20", images).selection.rows.tolist() == [10]
    assert run("select * where any(images = 6)", images).selection.rows.tolist() == [3]
    means = run("select mean(images) as m, sum(images) as s limit 9", images).columns
    assert means["m"].valid.tolist() == [number != 7 for number in range(9)]
    assert means["s"].row(8).tolist() == 16 * 48
    # pictures 0 .. 39 without 7: (780 - 7) * 2 / 39
    assert run("select avg(mean(images)) as m", images).columns["m"].values.tolist() == [pytest.approx(773 * 2 / 39)]
    with pytest.raises(QueryBindError, match="reduce each image first"):
        run("select mean(images) as m group by shape(images)[0]", images)


def test_shapes_are_read_without_decoding(images):
    result = run("select shape(images)[0] as h, sample_info(images)['shape'][1] as w limit 1", images)
    assert result.columns["h"].values.tolist() == [8]
    assert result.columns["w"].values.tolist() == ["6"]
    assert run("select * where shape(images)[0] is null", images).selection.rows.tolist() == [7]


def test_pixels_report_progress(images):
    seen = []
    run("select * where mean(images) > 1", images, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_pixels_can_be_cancelled(images):
    stop = threading.Event()
    with pytest.raises(QueryCancelledError):
        run("select * where mean(images) > 2 and max(images) > 3", images, cancel=stop, progress=lambda *_: stop.set())


def test_only_rows_that_are_asked_for_are_decoded():
    good = encode_image(np.zeros((4, 4, 3), np.uint8), "png")
    table = ArrayTable({"images": [good, b"no image"], "id": np.arange(2)})
    found = run("select * from (select * where id = 0) where mean(images) = 0", table)
    assert found.selection.rows.tolist() == [0]
    with pytest.raises(ImageDecodeError) as caught:
        run("select * where mean(images) = 0", table)
    assert "sample 1 of 'images'" in caught.value.__notes__


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select images + 1 as x", "a computed image cannot be a column"),
        ("select * where images > 3", "ambiguous"),
        ("select distinct images", "DISTINCT cannot compare images"),
        ("select * order by images", "ORDER BY needs one value"),
    ],
)
def test_images_cannot_stand_everywhere(images, query, message):
    with pytest.raises(QueryBindError, match=message):
        run(query, images)


def test_a_projection_passes_images_through_by_row(images):
    result = run("select images, mean(images) as m limit 2", images)
    assert result.names == ("images", "m")
    assert set(result.columns) == {"m"}


# -- functions of a user ------------------------------------------------------------------


@pytest.fixture
def registered():
    from penstock.tql.functions._registry import FUNCTIONS

    before = dict(FUNCTIONS)
    yield
    FUNCTIONS.clear()
    FUNCTIONS.update(before)


@pytest.mark.usefixtures("registered")
def test_a_registered_function_takes_arrays_of_all_rows(table):
    calls = []

    @tql.function(returns="bool")
    def crowded(boxes, least=2):
        calls.append(type(boxes).__name__)
        return boxes.shapes[:, 0] >= least

    assert run("select * where crowded(boxes)", table).selection.rows.tolist() == [0, 3]
    assert run("select * where crowded(boxes, 3)", table).selection.rows.tolist() == [3]
    assert calls == ["Ragged", "Ragged"]
    assert crowded(table.column("boxes")).tolist() == [True, False, False, True, False, False]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[:2], "returned shape"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda x: np.array(["a"] * len(x)), "registered as float"),
    ],
)
def test_a_registered_function_that_fails_is_told_at_its_call(table, function, message):
    function.__name__ = "mine"
    tql.function(function)
    with pytest.raises(QueryEvaluationError, match=message) as caught:
        run("select * where mine(id) > 1", table)
    assert caught.value.text[caught.value.start : caught.value.end] == "mine(id)"


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("name", ["contains", "max_weight", "select", "a b"])
def test_a_function_cannot_take_a_name_of_the_language(name):
    with pytest.raises(ValueError, match=r"already|reserved"):
        tql.function(name=name)(lambda x: x)


# -- cost ---------------------------------------------------------------------------------


def test_a_product_that_is_too_large_is_refused_at_once():
    table = ArrayTable({"a": np.zeros(20_000)})
    tracemalloc.start()
    with pytest.raises(QueryEvaluationError, match="at most 50,000,000"):
        run("select x.a as b from data as x cross join data as y", table, resolve=lambda *_: table)
    with pytest.raises(QueryEvaluationError, match="at most 50,000,000"):
        run("select x.a as b from data as x join data as y on x.a = y.a", table, resolve=lambda *_: table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000  # a number for each of the 400,000,000 pairs would take 3.2 GB


def test_evaluation_in_blocks_gives_what_one_piece_gives(monkeypatch):
    from penstock.tql.values import _frames

    whole = run("select * where any(v > 1) or score > 1", small_table()).selection.rows.tolist()
    monkeypatch.setattr(_frames, "_BLOCK", 2)
    assert run("select * where any(v > 1) or score > 1", small_table()).selection.rows.tolist() == whole


@pytest.fixture
def table_and_full_memo():
    """Return a table whose memo has room for some of the fifty queries that were run."""
    from penstock.tql.values._memo import memo_of

    table = ArrayTable({"a": np.arange(1000)})
    memo = memo_of(table)
    memo.max_bytes = 20_000
    for number in range(50):
        run(f"select * where a > {number}", table)
    return table, memo


def test_the_memo_is_bounded(table_and_full_memo):
    assert table_and_full_memo[1].num_bytes <= 20_000


def test_the_memo_keeps_what_is_newest(table_and_full_memo):
    table, memo = table_and_full_memo
    before = memo.evaluations
    run("select * where a > 49", table)
    assert memo.evaluations == before


def test_the_memo_forgets_what_is_oldest(table_and_full_memo):
    table, memo = table_and_full_memo
    before = memo.evaluations
    run("select * where a > 0", table)
    assert memo.evaluations == before + 1


def test_labels_must_name_a_class_label(table):
    with pytest.raises(TensorNotFoundError):
        run("select * sample by 1", table, labels="nothing")


def test_nan_is_never_equal_not_even_to_itself(table):
    assert math.isnan(table.column("score").values[3])
    assert run("select * where is_nan(score)", table).selection.rows.tolist() == [3]
    assert run("select * where score in (0.5, 2)", table).selection.rows.tolist() == [0, 4]


def test_a_class_label_that_is_not_there_is_an_empty_sample(table):
    column = run("select findings[0] as first, count(*) as n group by findings[0]", table).columns["first"]
    # findings begin with 0, 1, 2, nothing, 1, 2
    assert [column.row(i).tolist() for i in range(len(column))] == [[0], [1], [2], []]
    assert column.class_names == ("No_Finding", "Hernia", "Mass", "Edema")


# -- random numbers -----------------------------------------------------------------------


def test_the_first_row_is_as_random_as_the_others(table):
    first = [run("select *, random() as r", table, seed=seed).columns["r"].values[0] for seed in range(200)]
    assert 0 not in first
    assert len(set(first)) == 200
    assert abs(np.mean(first) - 0.5) < 0.1  # five standard deviations of the mean of 200
