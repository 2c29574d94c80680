"""`.query` and `.sample_by`: live at the end of a chain, frozen before another step."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from penstock.errors import LoaderError, LoaderStateError, QueryBindError, SamplingError
from penstock.loader import Loader
from penstock.sampling import Clause, SamplingSpec
from penstock.table import ArrayTable, Selection

TEXT = "max_weight(labels == 'rare': 9, True: 1)"


@pytest.fixture(scope="module")
def skewed():
    """1000 rows, every tenth is rare."""
    labels = (np.arange(1000) % 10 == 0).astype(int)
    return ArrayTable(
        {"labels": labels, "weight": np.where(labels, 3.0, 1.0), "x": np.arange(1000.0)},
        class_names={"labels": ["often", "rare"]},
    )


def epochs(loader, count=1):
    return [[row for batch in loader for row in batch["index"].tolist()] for _ in range(count)]


def plain(loader, batch=100, **options):
    return loader.batch(batch, **options).numpy(tensors=["labels"])


def test_query_of_the_document_keeps_what_it_chooses(skewed):
    loader = plain(Loader(skewed).query("select * where labels != 'often'"))
    assert epochs(loader) == [list(range(0, 1000, 10))]


def test_queries_compose_in_order(skewed):
    loader = Loader(skewed).query("select * where x < 500").query("select * order by x desc limit 3")
    assert epochs(plain(loader)) == [[499, 498, 497]]


def test_a_union_has_a_row_of_both_sides_once(skewed):
    union = "(select * where x < 2) union (select * where labels == 'rare' limit 3)"
    assert epochs(plain(Loader(skewed).query(union))) == [[0, 1, 10, 20]]


@pytest.mark.parametrize(
    ("weights", "share"),
    [
        (TEXT, 0.5),
        ("weight", 0.25),
        ([3.0 if row % 10 == 0 else 1.0 for row in range(1000)], 0.25),
        (tuple(row % 10 == 0 for row in range(1000)), 1.0),
        (np.where(np.arange(1000) % 10 == 0, 9.0, 1.0), 0.5),
    ],
    ids=["expression", "tensor", "list", "tuple", "array"],
)
def test_sample_by_takes_every_form_of_weights_of_the_document(skewed, weights, share):
    loader = plain(Loader(skewed).sample_by(weights, size=20_000), batch=500)
    [rows] = epochs(loader)
    assert len(rows) == 20_000
    rare = np.mean(np.array(rows) % 10 == 0)
    assert abs(rare - share) < 4 * np.sqrt(share * (1 - share) / 20_000) + 1e-9
    assert loader.audit().passed


def test_size_is_the_number_of_samples_it_is_applied_to_unless_told(skewed):
    loader = Loader(skewed).query("select * where x < 300").sample_by(TEXT)
    assert len(epochs(plain(loader))[0]) == 300


def test_without_replacement_no_sample_comes_twice(skewed):
    [rows] = epochs(plain(Loader(skewed).sample_by(TEXT, replace=False, size=50)))
    assert len(rows) == len(set(rows)) == 50


def test_live_sampling_draws_anew_each_epoch(skewed):
    first, second = epochs(plain(Loader(skewed, seed=4).sample_by(TEXT)), 2)
    assert first != second


def test_a_frozen_view_is_epoch_0_of_live_sampling(skewed):
    [first] = epochs(plain(Loader(skewed, seed=4).sample_by(TEXT)))
    frozen = Loader(skewed, seed=4).sample_by(TEXT).query("select *")
    assert epochs(plain(frozen), 2) == [first, first]


def test_query_that_ends_in_sample_by_is_live(skewed):
    live = plain(Loader(skewed).query(f"select * where x < 400 sample by {TEXT}"))
    first, second = epochs(live, 2)
    assert first != second
    assert max(first + second) < 400


def test_sample_by_inside_a_subquery_is_frozen(skewed):
    inner = plain(Loader(skewed).query(f"select * from (select * sample by {TEXT} limit 50) where x >= 0"))
    assert len({tuple(rows) for rows in epochs(inner, 2)}) == 1


def test_query_after_sampling_keeps_repeats_and_order(skewed):
    chain = Loader(skewed, seed=1).sample_by(TEXT, size=3000)
    [drawn] = epochs(plain(chain))
    [kept] = epochs(plain(chain.query("select * where labels == 'rare'")))
    assert kept == [row for row in drawn if row % 10 == 0]
    assert len(set(kept)) < len(kept)


def test_seed_of_sample_by_is_the_draws_alone(skewed):
    own = epochs(plain(Loader(skewed, seed=1).sample_by(TEXT, seed=9)))
    assert own == epochs(plain(Loader(skewed, seed=2).sample_by(TEXT, seed=9)))
    assert own != epochs(plain(Loader(skewed, seed=1).sample_by(TEXT)))


def test_shuffle_changes_nothing_on_live_draws(skewed):
    live = Loader(skewed).sample_by(TEXT)
    assert epochs(plain(live.shuffle()), 2) == epochs(plain(live), 2)


def test_shuffle_permutes_a_frozen_view(skewed):
    rows = np.array([5, 5, 1, 9])
    frozen = plain(Loader(skewed, Selection(rows=rows, version="memory")).shuffle())
    many = epochs(frozen, 6)
    assert all(sorted(epoch) == [1, 5, 5, 9] for epoch in many)
    assert len({tuple(epoch) for epoch in many}) > 1


def test_dropped_draws_come_in_the_next_epoch(skewed):
    chain = Loader(skewed).sample_by(TEXT, size=70)
    whole = [row for epoch in epochs(plain(chain, batch=70), 6) for row in epoch]
    dropped = [row for epoch in epochs(plain(chain, batch=32, drop_last=True), 6) for row in epoch]
    assert len(dropped) == 6 * 64
    assert dropped == whole[: 6 * 64]


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
@pytest.mark.parametrize("stop", [1, 3, 5, 9, 14], ids=str)
def test_resume_is_exact_in_every_mode_also_in_later_epochs(skewed, mode, stop):
    def make():
        return plain(Loader(skewed, seed=3).sample_by(TEXT, size=90, mode=mode), batch=20)

    whole = [batch["index"].tolist() for loader in [make()] for _ in range(3) for batch in loader]
    loader, given = make(), []
    while len(given) < stop:
        for batch in loader:
            given.append(batch["index"].tolist())
            if len(given) == stop:
                break
    resumed = make()
    resumed.load_state_dict(loader.state_dict())
    while len(given) < len(whole):
        given += [batch["index"].tolist() for batch in resumed]
    assert given == whole


def test_loader_over_a_plan_is_live(skewed):
    chained = Loader(skewed, seed=2).sample_by(TEXT, size=300)
    plan = chained._pool.plan
    direct = Loader(skewed, Selection(rows=np.arange(1000), version="memory"), seed=2, plan=plan)
    assert epochs(plain(direct), 2) == epochs(plain(chained), 2)


def test_changed_weights_are_refused_by_name(skewed):
    state = plain(Loader(skewed).sample_by(TEXT)).state_dict()
    other = plain(Loader(skewed).sample_by(TEXT.replace("9", "8")))
    with pytest.raises(LoaderStateError, match=r"the query has changed.*9.*8"):
        other.load_state_dict(state)


@pytest.fixture
def rearmed(skewed):
    """Return the draws of an epoch in which the rare got the weight 0, and the loader."""
    loader = plain(Loader(skewed, seed=5).sample_by(TEXT, size=500))
    iterator = iter(loader)
    given = next(iterator)["index"].tolist()
    first, rest = loader.weights.clauses
    spec = loader.weights.with_options(clauses=(Clause(first.expression, 0), rest), combine="product")
    assert loader.with_weights(spec) is loader
    return given + [row for batch in iterator for row in batch["index"].tolist()], loader


def test_with_weights_leaves_the_epoch_under_way(rearmed, skewed):
    given, _ = rearmed
    assert [given] == epochs(plain(Loader(skewed, seed=5).sample_by(TEXT, size=500)))


def test_with_weights_holds_from_the_next_epoch(rearmed):
    [second] = epochs(rearmed[1])
    assert len(second) == 500
    assert all(row % 10 for row in second)


def test_with_weights_takes_a_spec_of_other_clauses(skewed):
    loader = plain(Loader(skewed).sample_by(TEXT))
    loader.with_weights(SamplingSpec(clauses=(Clause("x > 3", 1),)))
    assert min(row for batch in loader for row in batch["index"].tolist()) > 3  # x is the row


def test_with_weights_refuses_a_loader_without_weights(skewed):
    with pytest.raises(LoaderError, match="does not draw by weight"):
        plain(Loader(skewed)).with_weights(SamplingSpec())


def test_weights_set_from_another_thread_change_no_batch_until_the_epoch_ends(skewed):
    chain = Loader(skewed, seed=5).sample_by(TEXT, size=2000)
    expected = epochs(plain(chain, batch=10))[0]
    loader = plain(chain, batch=10)
    stop = threading.Event()

    def slide():
        weight = 1
        while not stop.is_set():
            weight = weight % 50 + 1
            clauses = tuple(Clause(c.expression, weight) for c in loader.weights.clauses)
            loader.with_weights(loader.weights.with_options(clauses=clauses))

    iterator = iter(loader)
    got = next(iterator)["index"].tolist()  # with the first batch the epoch has begun
    slider = threading.Thread(target=slide)
    slider.start()
    try:
        got += [row for batch in iterator for row in batch["index"].tolist()]
    finally:
        stop.set()
        slider.join()
    assert got == expected


def test_audit_compares_with_the_simultaneous_band(skewed):
    loader = plain(Loader(skewed).sample_by(TEXT, size=4000))
    epochs(loader, 2)
    audit = loader.audit()
    labels = np.array(
        [row % 10 == 0 for epoch in epochs(plain(Loader(skewed).sample_by(TEXT, size=4000)), 2) for row in epoch]
    )
    assert audit.realized.tolist() == [int((~labels).sum()), int(labels.sum())]
    assert audit.num_draws == 8000
    assert audit.expected == pytest.approx([4000, 4000])
    half = 3.4808 * np.sqrt(8000 * 0.25)
    assert audit.high - audit.expected == pytest.approx([half, half], rel=0.02)
    assert audit.passed


def test_audit_of_other_draws_than_promised_fails(skewed):
    loader = plain(Loader(skewed).sample_by(TEXT, size=4000))
    epochs(loader)
    assert loader.audit().passed
    loader._parts.cursor.tally._counts += np.array([-300, 300])
    assert not loader.audit().passed
    assert loader.audit().to_pandas()["inside"].tolist() == [False, False]


def test_audit_of_whole_passes_has_no_width(skewed):
    loader = plain(Loader(skewed).shuffle())
    epochs(loader, 3)
    audit = loader.audit()
    assert audit.realized.tolist() == [2700, 300]
    assert (audit.low == audit.high).all()
    assert audit.passed


@pytest.mark.parametrize(
    ("weights", "error", "told"),
    [
        ([1, 2, 3], SamplingError, "one weight for each sample"),
        ([-1.0] * 1000, SamplingError, "-1"),
        ([float("nan")] * 1000, SamplingError, "nan"),
        ([0.0] * 1000, SamplingError, "0"),
        ("max_weight(labels == 'raer': 2)", QueryBindError, "raer"),
        (object(), SamplingError, "object"),
    ],
    ids=["short", "negative", "nan", "zero", "class", "type"],
)
def test_bad_weights_get_one_clear_error(skewed, weights, error, told):
    with pytest.raises(error, match=told):
        next(iter(plain(Loader(skewed).sample_by(weights))))


def test_query_without_rows_of_the_dataset_is_refused(skewed):
    with pytest.raises(LoaderError, match="groups"):
        Loader(skewed).query("select labels, count(*) as n group by labels")


def test_state_after_new_weights_brings_them(skewed):
    def make():
        return plain(Loader(skewed, seed=5).sample_by(TEXT, size=300), batch=50)

    loader = make()
    epochs(loader)
    spec = loader.weights.replace_weights({loader.weights.clauses[0].expression: 2})
    loader.with_weights(spec)
    iterator = iter(loader)
    next(iterator)
    state = loader.state_dict()
    rest = [row for batch in iterator for row in batch["index"].tolist()]
    other = spec.replace_weights({spec.clauses[0].expression: 7})
    with pytest.raises(LoaderStateError, match="the sampling"):
        make().with_weights(other).load_state_dict(state)
    for resumed in (make(), make().with_weights(spec)):
        resumed.load_state_dict(state)
        assert epochs(resumed) == [rest]


def test_stats_count_batches(skewed):
    loader = plain(Loader(skewed), batch=100)
    assert len(list(loader)) == 10
    assert (loader.stats().batches, loader.stats().samples) == (10, 1000)


def test_stats_measure_who_waited(skewed):
    import time

    loader = plain(Loader(skewed), batch=100)
    for _ in loader:
        time.sleep(0.01)
    stats = loader.stats()
    assert stats.consumer_seconds >= 0.09
    assert 0 <= stats.stall_share < 1
    assert min(stats.read_seconds, stats.decode_seconds, stats.waited_seconds) > 0


@pytest.mark.parametrize("steps", [1, 3, 9, 10, 25], ids=str)
@pytest.mark.parametrize("drop_last", [False, True], ids=["whole", "dropped"])
@pytest.mark.parametrize("mode", ["iid", "deck", "once", "shuffled", "plain"])
def test_audit_passes_for_every_mode_at_any_step(skewed, mode, drop_last, steps):
    chain = Loader(skewed, seed=1)
    chain = chain.sample_by(TEXT, size=950, mode=mode) if mode in {"iid", "deck", "once"} else chain
    loader = plain(chain.shuffle() if mode == "shuffled" else chain, batch=97, drop_last=drop_last)
    given = 0
    while given < steps:
        for _ in loader:
            given += 1
            if given == steps:
                break
    audit = loader.audit()
    assert audit.passed, audit.to_pandas()
    assert audit.realized.sum() == audit.num_draws
    assert audit.expected.sum() == pytest.approx(audit.num_draws)
    if mode in {"iid", "deck", "once", "shuffled"}:
        assert (audit.high - audit.low).max() < 8 * np.sqrt(audit.num_draws)


def test_audit_of_a_resumed_deck_knows_what_was_dealt_before(skewed):
    first = plain(Loader(skewed).sample_by(TEXT, size=950, mode="deck"), batch=90)
    for _, _ in zip(range(7), first, strict=False):
        pass
    second = plain(Loader(skewed).sample_by(TEXT, size=950, mode="deck"), batch=90)
    second.load_state_dict(first.state_dict())
    epochs(second)
    assert second.audit().passed


def test_audit_without_labels_counts_draws_only():
    loader = Loader(ArrayTable({"x": np.arange(10.0)})).shuffle().batch(4).numpy()
    list(loader)
    assert loader.audit().num_draws == 10
    assert loader.audit().passed


def test_a_spec_brings_its_options(skewed):
    spec = SamplingSpec(mode="deck", seed=3, size=40)
    kept = Loader(skewed, seed=7).sample_by(spec).weights
    assert (kept.mode, kept.seed, kept.size) == ("deck", 3, 40)


def test_an_option_that_is_given_replaces_that_of_a_spec(skewed):
    spec = SamplingSpec(mode="deck", seed=3, size=40)
    given = Loader(skewed, seed=7).sample_by(spec, mode="iid", seed=9, size=50).weights
    assert (given.mode, given.seed, given.size) == ("iid", 9, 50)
    assert Loader(skewed, seed=7).sample_by(spec, replace=False).weights.mode == "once"


def test_a_plan_of_the_same_samples_is_drawn_by(skewed):
    plan = Loader(skewed).sample_by(TEXT, mode="deck", seed=4, size=60)._parts.cursor.pool.plan
    expected = epochs(plain(Loader(skewed).sample_by(TEXT, mode="deck", seed=4, size=60)), 2)
    assert epochs(plain(Loader(skewed).sample_by(plan)), 2) == expected


def test_no_weights_are_told_as_such(skewed):
    with pytest.raises(SamplingError, match="weights are None"):
        Loader(skewed).sample_by(None)
