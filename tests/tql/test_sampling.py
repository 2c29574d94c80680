"""SAMPLE BY: the cases of the specification, the seams to penstock.sampling, and what a slider costs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from penstock.errors import QueryBindError, QueryEvaluationError, TQLError
from penstock.sampling import Clause, SamplingSpec
from penstock.table import ArrayTable
from penstock.tql import bind_sampling, parse_sampling, run
from penstock.tql.values._memo import memo_of
from tests.tql.conftest import cases, small_table

CASES = cases("sampling.tsv")
SEED = "max_weight(contains(findings, 'Hernia'): 20, contains(findings, 'Mass'): 8, label = 'dog': 5, score > 1: 2, True: 1)"


def row_weights(result) -> list[float]:
    return result.plan.weights[result.plan.strata.ids].tolist()


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_sampling_gives_the_stated_result(table, case):
    _, query, kind, *expected = case
    if kind == "error":
        with pytest.raises(TQLError) as caught:
            run(query, table)
        assert all(words in str(caught.value) for words in expected)
        assert caught.value.start < caught.value.end
        return
    result = run(query, table)
    rows = result.selection.rows.tolist()
    if kind == "weights":
        assert row_weights(result) == json.loads(expected[0])
    elif kind == "rows":
        assert rows == json.loads(expected[0])
    elif kind == "rows once":
        assert sorted(rows) == json.loads(expected[0])
        assert all(words in result.warnings[0] for words in expected[1:])
        assert len(result.warnings) == len(expected) - 1
    elif kind == "rows among":
        assert set(rows) <= set(json.loads(expected[0]))
        assert len(rows) == int(expected[1])
    else:
        assert len(rows) == int(expected[0])


def test_every_sampling_case_of_the_specification_is_there():
    named = {case[0].rstrip("ab") for case in CASES}
    # S16 and S22 compare two runs, below
    assert {f"S{number}" for number in range(1, 23)} - named == {"S16", "S22"}


@pytest.mark.statistical
@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S6", "S7", "S18", "S20"])
def test_draws_follow_the_weights(table, name):
    case = next(case for case in CASES if case[0] == name)
    query = case[1].removesuffix(" limit 200000") + " limit 200000"
    result = run(query, table, seed=5)
    weights = np.array(json.loads(case[3]), float)
    share = weights / weights.sum()
    counts = np.bincount(result.selection.rows, minlength=6)
    # four standard deviations of the binomial
    assert (np.abs(counts - 200_000 * share) <= 4 * np.sqrt(200_000 * share * (1 - share))).all()


def test_the_same_seed_draws_the_same_rows_another_seed_others(table):
    query = "select * sample by 1 limit 60"
    assert run(query, table, seed=1).selection.rows.tolist() == run(query, table, seed=1).selection.rows.tolist()
    assert run(query, table, seed=1).selection.rows.tolist() != run(query, table, seed=2).selection.rows.tolist()


def test_weights_times_a_thousand_draw_the_same(table):
    small = run("select * sample by max_weight(label = 'car': 20, True: 1) limit 1000", table, seed=3)
    large = run("select * sample by max_weight(label = 'car': 20000, True: 1000) limit 1000", table, seed=3)
    assert small.selection.rows.tolist() == large.selection.rows.tolist()


def test_more_draws_than_rows_are_independent_not_tiled():
    table = ArrayTable({"id": np.arange(1000)})
    rows = run("select * sample by 1 limit 10000", table, seed=1).selection.rows
    assert len(np.unique(rows)) > 990
    assert (rows[:1000] != rows[1000:2000]).mean() > 0.99


def test_all_zero_weights_fail_at_once():
    table = ArrayTable({"id": np.arange(1_000_000)})
    with pytest.raises(QueryEvaluationError, match="all weights are zero"):
        run("select * sample by max_weight(id == -1: 1)", table)


# -- pool, plan and selection -------------------------------------------------------------


@pytest.fixture
def sampled(table):
    return run("select * where id > 2 sample by max_weight(label = 'car': 3, True: 1) limit 50", table, seed=7)


def test_pool_is_before_sampling(sampled):
    assert sampled.pool.tolist() == [3, 4, 5]
    assert sampled.plan.strata.num_rows == 3


def test_selection_is_after_sampling(sampled):
    drawn = sampled.plan.stream().epoch(0)
    assert len(drawn) == 50
    assert sampled.selection.rows.tolist() == sampled.pool[drawn].tolist()


def test_plan_has_the_clauses_of_the_query(sampled):
    assert sampled.plan.spec.weights == (3.0, 1.0)
    assert [clause.expression for clause in sampled.plan.spec.clauses] == ["label = 'car'", "True"]


def test_a_step_after_sampling_is_frozen(table):
    result = run("select * from (select * sample by 1 limit 9) where id >= 0", table, seed=7)
    assert result.plan is None
    assert result.pool.tolist() == result.selection.rows.tolist()
    assert len(result.pool) == 9


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_mode_goes_into_the_spec(table, mode):
    result = run("select * sample by max_weight(label = 'car': 3, True: 1)", table, mode=mode)
    assert result.plan.spec.mode == mode
    assert result.plan.spec.replace == (mode != "once")


def test_rows_that_repeat_are_not_dealt(table):
    rows = np.array([1, 1, 2])
    assert run("select * sample by 1", table, rows=rows).selection.rows.tolist()
    with pytest.raises(QueryEvaluationError, match="more than once"):
        run("select * sample by 1", table, rows=rows, mode="deck")


def test_labels_of_the_plan_are_asked_for_or_those_of_the_clauses(table):
    by_clause = run("select * sample by max_weight(contains(findings, 'Mass'): 2, True: 1)", table)
    assert by_clause.plan.strata.labels.tensor == "findings"
    first = run("select * sample by max_weight(id > 1: 2, True: 1)", table)
    assert first.plan.strata.labels.tensor == "label"
    asked = run("select * sample by max_weight(id > 1: 2, True: 1)", table, labels="findings")
    assert asked.plan.strata.labels.tensor == "findings"
    # No_Finding 1, Hernia 3, Mass 3, Edema 0 in the six rows
    assert asked.plan.strata.labels.instances.tolist() == [1, 3, 3, 0]


# -- bind_sampling and parse_sampling -----------------------------------------------------


def test_binding_a_spec_gives_the_strata_of_the_query(table):
    spec = parse_sampling(SEED)
    strata = bind_sampling(spec, table, np.array([1, 4, 5]))
    # row 1: Hernia, Mass, dog; row 4: Hernia, dog, score 2; row 5: Hernia, Mass
    weights = strata.with_spec(spec).weights
    assert weights[strata.ids].tolist() == [20, 20, 20]
    assert strata.num_rows == 3
    whole = run(f"select * sample by {SEED}", table).plan
    assert bind_sampling(spec, table).with_spec(spec).weights.tolist() == whole.weights.tolist()


@pytest.mark.parametrize("text", ["score + 2", "max_weight(id = 0: id + 3, True: 1)", "my_weight"])
def test_a_weight_that_differs_from_row_to_row_stays_an_expression(text):
    table = ArrayTable({"id": np.arange(3), "score": np.array([0.5, 1, 2]), "my_weight": np.array([0.5, 0, 3])})
    spec = parse_sampling(text, seed=2)
    assert (spec.expression, spec.clauses) == (text, ())
    assert SamplingSpec.from_json(spec.to_json()) == spec
    strata = bind_sampling(spec, table)
    expected = {"score + 2": [2.5, 3, 4], "my_weight": [0.5, 0, 3]}.get(text, [3, 1, 1])
    assert strata.with_spec(spec).weights[strata.ids].tolist() == expected


def test_a_spec_that_does_not_fit_the_table_names_the_clause(table):
    spec = SamplingSpec(clauses=(Clause("contains(findings, 'Hernai')", 1),))
    with pytest.raises(QueryBindError, match="Hernia") as caught:
        bind_sampling(spec, table)
    assert caught.value.text == "contains(findings, 'Hernai')"


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("max_weight(a: 1) replace false", {"mode": "once", "replace": False, "size": None}),
        ("sample by max_weight(a: 1) limit 7", {"size": 7, "replace": True}),
        ("select * where b sample by sum_weight(a: 1, True: 2)", {"combine": "sum", "weights": (1.0, 2.0)}),
        ("product_weight(a: 2, cap => 3)", {"combine": "product", "cap": 3.0}),
        ("3", {"weights": (3.0,)}),
    ],
)
def test_parse_sampling_reads(text, facts):
    spec = parse_sampling(text)
    assert {name: getattr(spec, name) for name in facts} == facts


def test_a_size_beside_the_text_counts_before_its_limit():
    assert parse_sampling("max_weight(True: 1) limit 7", size=9).size == 9


# -- weights by class ---------------------------------------------------------------------

CLASS_WEIGHTS = {"Hernia": 20.0, "Mass": 5.0}


@pytest.mark.parametrize(
    ("combine", "expected"),
    # findings [0], [1, 2], [2], [], [1], [2, 1]; classes that are not named weigh 1
    [
        ("max", [1, 20, 5, 0, 20, 20]),
        ("sum", [1, 25, 5, 0, 20, 25]),
        ("product", [1, 100, 5, 1, 20, 100]),
    ],
)
def test_a_table_of_class_weights_is_one_term(combine, expected, table):
    query = f"select * sample by {combine}_weight(classes(findings, $w))"
    result = run(query, table, params={"w": CLASS_WEIGHTS})
    assert row_weights(result) == expected
    spec = result.plan.spec
    assert spec.weights == (1.0, 20.0, 5.0, 1.0)
    strata = bind_sampling(spec, table)
    assert strata.with_spec(spec).weights[strata.ids].tolist() == expected


def test_a_table_of_class_weights_is_its_clauses_written_out(table):
    short = run("select * sample by max_weight(classes(findings, $w), True: 1)", table, params={"w": CLASS_WEIGHTS})
    assert parse_sampling(short.plan.spec.to_tql()) == short.plan.spec
    long = run(f"select * sample by {short.plan.spec.to_tql()}", table)
    assert short.selection.rows.tolist() == long.selection.rows.tolist()
    assert short.plan.strata.fingerprint == long.plan.strata.fingerprint


def test_a_weight_that_differs_from_row_to_row_keeps_the_table_beside_it(table):
    query = "select * sample by max_weight(classes(findings, $w), True: id + 1)"
    spec = run(query, table, params={"w": CLASS_WEIGHTS}).plan.spec
    assert spec.clauses == ()
    assert spec.tables == (("w", (1.0, 20.0, 5.0, 1.0)),)


def test_a_table_of_class_weights_is_checked(table):
    query = "select * sample by max_weight(classes(findings, $w))"
    with pytest.raises(QueryBindError, match="Hernai"):
        run(query, table, params={"w": {"Hernai": 1}})
    with pytest.raises(QueryBindError, match="must have weights for 4 classes"):
        run(query, table, params={"w": [1, 2]})
    with pytest.raises(QueryBindError, match="finite number >= 0"):
        run(query, table, params={"w": [1, -2, 3, 4]})


# -- what a slider costs ------------------------------------------------------------------


def test_a_changed_weight_evaluates_no_mask():
    table = small_table()
    run(f"select * sample by {SEED}", table)
    before = memo_of(table).evaluations
    run(f"select * sample by {SEED.replace('20', '3.5')}", table)
    bind_sampling(parse_sampling(SEED), table)
    assert memo_of(table).evaluations == before


def test_a_changed_clause_evaluates_one_mask():
    table = small_table()
    run(f"select * sample by {SEED}", table)
    before = memo_of(table).evaluations
    run(f"select * sample by {SEED.replace('score > 1', 'score > 0.75')}", table)
    assert memo_of(table).evaluations == before + 1


def test_only_named_tensors_are_read():
    class Watched(ArrayTable):
        read: list[str] = []  # noqa: RUF012  one table in this test

        def column(self, tensor):
            self.read.append(tensor)
            return super().column(tensor)

    table = Watched({"a": np.arange(3), "b": np.arange(3), "label": [0, 1, 0]}, class_names={"label": ["x", "y"]})
    run("select * where a > 1", table)
    assert set(Watched.read) == {"a"}


@pytest.mark.statistical
def test_draws_of_draws_are_uniform():
    table = ArrayTable({"id": np.arange(6)})
    counts = np.zeros(6)
    for seed in range(1500):
        rows = run("select * from (select * sample by 1 limit 6) sample by 1 limit 1", table, seed=seed).selection.rows
        counts[rows[0]] += 1
    # 1500 independent choices of one row in six; four standard deviations
    assert (np.abs(counts - 250) < 4 * np.sqrt(1500 * 5 / 36)).all()


def test_a_sampled_operand_of_a_union_is_the_frozen_view_of_the_same_seed(table):
    alone = run("select * sample by 1 limit 4", table, seed=5).selection.rows
    found = run("(select * sample by 1 limit 4) union all (select * where id > 99)", table, seed=5).selection.rows
    assert found.tolist() == sorted(alone.tolist())
