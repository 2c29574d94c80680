"""`loader.with_weights`: every form of weights, from the next epoch on, behind all draws of the epochs before."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from penstock.errors import LoaderStateError, QueryBindError, SamplingError
from penstock.loader import Loader
from penstock.sampling import Clause, SamplingPlan, SamplingSpec, Strata
from penstock.table import ArrayTable

N = 60
HARD = np.where(np.arange(N) < 6, 1.0, 0.0)


@pytest.fixture(scope="module")
def table():
    return ArrayTable(
        {"labels": (np.arange(N) < 6).astype(int), "hard": HARD}, class_names={"labels": ["often", "rare"]}
    )


def uniform(table, *, mode="iid", size=None, batch=7, drop_last=False):
    chain = Loader(table, seed=5).sample_by(np.ones(N), mode=mode, size=size)
    return chain.batch(batch, drop_last).numpy(tensors=["labels"])


def rows(loader):
    return [row for batch in loader for row in batch["index"].tolist()]


def plan(weights=HARD, **options):
    return Strata.from_weights(weights).with_spec(SamplingSpec(**{"seed": 5, **options}))


def a_tensor():
    torch = pytest.importorskip("torch")
    return torch.tensor(HARD, requires_grad=True)


FORMS = {
    "array": lambda: HARD,
    "list": lambda: HARD.tolist(),
    "tuple": lambda: tuple(HARD),
    "integers": lambda: HARD.astype(int),
    "torch": a_tensor,
    "tensor of the dataset": lambda: "hard",
    "expression": lambda: "max_weight(labels == 'rare': 1)",
    "spec of an expression": lambda: SamplingSpec(expression="hard * 2"),
    "spec of other clauses": lambda: SamplingSpec(clauses=(Clause("labels == 'rare'", 2),)),
    "plan": plan,
    "plan of another seed": lambda: plan(seed=99),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_weights_of_every_form_hold_from_the_next_epoch_on(table, form):
    loader = uniform(table)
    first = rows(loader)
    loader.with_weights(form())
    for _ in range(3):
        drawn = rows(loader)
        assert len(drawn) == N
        assert max(drawn) < 6
    assert max(first) >= 6


def test_the_stream_goes_on_behind_the_words_of_the_epochs_before(table):
    """Positions 60..179 of the new stream follow positions 0..59 of the old: both read the words of their position."""
    loader = uniform(table)
    first = rows(loader)
    rest = [rows(loader.with_weights(HARD)), rows(loader), rows(loader.with_weights(np.ones(N)))]
    assert first == plan(np.ones(N)).stream().slice(0, 60).tolist()
    assert rest[:2] == [plan().stream().slice(a, a + 60).tolist() for a in (60, 120)]
    assert rest[2] == plan(np.ones(N)).stream().slice(180, 240).tolist()
    assert rest[2] != first


def test_dropped_draws_are_not_skipped(table):
    loader = uniform(table, drop_last=True)
    rows(loader)
    assert rows(loader.with_weights(HARD)) == plan().stream().slice(56, 112).tolist()


def test_epochs_without_replacement_between_do_not_bring_words_back(table):
    loader = uniform(table)
    rows(loader)
    rows(loader)
    rows(loader.with_weights(plan(np.ones(N), mode="once", size=10)))
    rows(loader.with_weights(np.arange(1.0, N + 1).tolist()))
    assert loader.weights.mode == "once"
    rows(loader.with_weights(plan(np.ones(N))))
    drawn = rows(loader)
    assert drawn == plan(np.ones(N)).stream().slice(180, 240).tolist()


def test_orders_keyed_by_the_epoch_go_on_counting(table):
    loader = uniform(table, mode="once", size=20)
    rows(loader)
    drawn = rows(loader.with_weights(np.arange(1.0, N + 1)))
    spec = SamplingSpec(seed=5, mode="once", size=20)
    assert drawn == Strata.from_weights(np.arange(1.0, N + 1)).with_spec(spec).stream().epoch(1).tolist()


def test_options_of_the_draws_stay_with_an_array(table):
    loader = uniform(table, mode="deck", size=24)
    loader.with_weights(HARD)
    assert (loader.weights.mode, len(rows(loader))) == ("deck", 24)


def test_options_of_the_draws_come_with_a_plan(table):
    loader = uniform(table, mode="deck", size=24)
    loader.with_weights(plan(np.ones(N), size=11))
    assert (loader.weights.mode, loader.weights.seed, len(rows(loader))) == ("iid", 5, 11)


def test_the_epoch_under_way_is_not_touched(table):
    loader = uniform(table)
    iterator = iter(loader)
    given = next(iterator)["index"].tolist()
    loader.with_weights(HARD)
    given += [row for batch in iterator for row in batch["index"].tolist()]
    assert given == plan(np.ones(N)).stream().slice(0, 60).tolist()
    assert max(rows(loader)) < 6


def test_a_look_ahead_in_mid_epoch_is_of_the_new_weights(table):
    loader = uniform(table)
    iterator = iter(loader)
    next(iterator)
    loader.with_weights(plan(size=21))
    seen = loader.preview()["index"].tolist()
    promised = [row for batch in loader.batch_sampler for row in batch] if hasattr(loader, "batch_sampler") else None
    list(iterator)
    drawn = rows(loader)
    assert drawn[:7] == seen
    assert promised in (None, drawn)
    assert len(drawn) == 21


REFUSED = {
    "the spec of a plan of an array": (lambda: plan().spec, "says nothing about weights.*pass the plan"),
    "a spec of an unknown tensor": (lambda: SamplingSpec(expression="soft * 2"), "unknown column 'soft'"),
    "too few": (lambda: HARD[:5], r"shape \(5,\) for 60 samples"),
    "a plan of others": (lambda: plan(np.ones(7)), "weights of 7 samples; 60"),
    "all zero": (lambda: np.zeros(N), "nothing can be drawn"),
    "negative": (lambda: -HARD - 1, "is not valid"),
    "no weights": (lambda: object(), "of type object"),
}


@pytest.mark.parametrize(("weights", "message"), REFUSED.values(), ids=REFUSED)
def test_what_says_nothing_or_is_of_other_samples_is_refused_before_anything_changes(table, weights, message):
    loader, other = uniform(table), uniform(table)
    rows(loader), rows(other)
    with pytest.raises((SamplingError, QueryBindError), match=message):
        loader.with_weights(weights())
    assert rows(loader) == rows(other)


def test_a_plan_of_other_rows_is_refused(table):
    strata = Strata.from_weights(np.ones(N), rows=np.arange(N)[::-1])
    with pytest.raises(SamplingError, match="of other rows"):
        uniform(table).with_weights(strata.with_spec(SamplingSpec()))


RESUMED = {
    "given by with_weights": lambda table: uniform(table).with_weights(HARD),
    "built with the weights": lambda table: Loader(table, seed=5).sample_by(HARD).batch(7).numpy(tensors=["labels"]),
}


@pytest.mark.parametrize("make", RESUMED.values(), ids=RESUMED)
@pytest.mark.parametrize("delivered", [0, 1, 8, 9], ids=["at the border", "one", "eight", "all"])
def test_a_state_after_new_weights_resumes_under_the_same_weights(table, make, delivered):
    loader = uniform(table)
    iterator = iter(loader)
    next(iterator)
    loader.with_weights(HARD)
    list(iterator)
    second = iter(loader) if delivered else None
    for _ in range(delivered):
        next(second)
    state = json.loads(json.dumps(loader.state_dict()))
    expected = [row for batch in second for row in batch["index"].tolist()] if second else []
    expected += rows(loader)
    resumed = make(table)
    resumed.load_state_dict(state)
    got = rows(resumed)
    assert (got if len(got) >= len(expected) else got + rows(resumed)) == expected


def test_a_state_of_other_weights_is_refused_with_the_way_out(table):
    loader = uniform(table)
    rows(loader)
    rows(loader.with_weights(HARD))
    with pytest.raises(LoaderStateError, match=r"the sampling .*has changed.*call with_weights before load_state_dict"):
        uniform(table).load_state_dict(loader.state_dict())


def test_weights_given_after_a_resume_in_mid_epoch_wait_for_its_end(table):
    loader = uniform(table)
    iterator = iter(loader)
    next(iterator)
    state = loader.state_dict()
    rest = [row for batch in iterator for row in batch["index"].tolist()]
    resumed = uniform(table)
    resumed.load_state_dict(state)
    resumed.with_weights(HARD)
    assert rows(resumed) == rest
    assert rows(resumed) == plan().stream().slice(60, 120).tolist()


def test_a_plan_is_what_is_drawn(table):
    loader = uniform(table).with_weights(plan())
    assert isinstance(loader._parts.cursor.pool.plan, SamplingPlan)
    rows(loader)
    assert loader.audit().passed


def test_a_pickled_loader_draws_by_the_weights_of_now(table):
    loader = uniform(table)
    rows(loader)
    copy = pickle.loads(pickle.dumps(loader.with_weights(HARD)))
    assert copy.weights == loader.weights
    assert max(rows(copy)) < 6


def test_a_state_fits_a_loader_pickled_after_new_weights(table):
    loader = uniform(table)
    rows(loader)
    loader.with_weights(HARD)
    iterator = iter(loader)
    next(iterator)
    copy = pickle.loads(pickle.dumps(loader))
    copy.load_state_dict(loader.state_dict())
    assert rows(copy) == [row for batch in iterator for row in batch["index"].tolist()]
