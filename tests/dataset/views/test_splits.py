"""Splits and folds: by label sets as ever, by single labels, by groups; reports, leakage, views saved together."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penstock
from penstock.dataset.views import _view_records
from penstock.dataset.views.splits import _label_sets
from penstock.dataset.views.splits._label_sets import divided_by_set
from penstock.dataset.views.splits._split_units import units_with
from penstock.errors import DatasetError, LeakageError, TensorNotFoundError, UncommittedChangesError
from penstock.sampling.pool.dividing import _units
from penstock.table import Ragged

NAMES = ["a", "b", "c", "d", "e"]
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def patients(count: int) -> list[str]:
    """Patients of 1, 2, 3, 1, 2, 3, ... samples, spread over the dataset."""
    named = [f"p{number}" for number in range(count) for _ in range(number % 3 + 1)]
    return [named[at] for at in np.random.default_rng(1).permutation(len(named))[:count].tolist()]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """600 samples of 0 to 3 of 5 labels, a site of their own, a patient; the last three without patient and number."""
    rng = np.random.default_rng(0)
    ds = penstock.empty(tmp_path_factory.mktemp("splits") / "data")
    ds.create_tensor("labels", htype="class_label", class_names=NAMES)
    ds.create_tensor("site", htype="class_label", class_names=["x", "y"])
    ds.create_tensor("patient", htype="text")
    ds.create_tensor("number", dtype="float64")
    ds.create_tensor("meta", htype="json")
    labels = [
        sorted(set(rng.choice(5, rng.integers(0, 4), p=[0.6, 0.2, 0.1, 0.06, 0.04]).tolist())) for _ in range(600)
    ]
    named = patients(600)
    ds.extend(
        {
            "labels": labels,
            "site": [[int(rng.random() < 0.3)] for _ in range(600)],
            "patient": [*named[:597], None, None, None],
            "number": [*(float(name[1:]) for name in named[:597]), None, None, math.nan],
            "meta": [{"who": name} for name in named],
        }
    )
    ds.commit("made")
    return ds


@pytest.fixture
def known(data):
    """The samples with a patient."""
    return data[:597]


# ---- label sets --------------------------------------------------------------------------------------


def plain_division(column: Ragged, shares: np.ndarray, seed: int) -> list[int]:
    """The division as it was first written: a scan for each label set, in the order of random words."""
    rng = np.random.Generator(np.random.Philox(seed))
    classes = int(column.values.max()) + 1 if len(column.values) else 0
    words = np.random.Generator(np.random.Philox(0)).integers(0, 2**63, (classes, 2), np.uint64).tolist()
    sets = [sorted(set(column.row(row).tolist())) for row in range(len(column))]
    keys = [tuple(sum(words[label][side] for label in labels) % 2**64 for side in range(2)) for labels in sets]
    all_shares = np.append(shares, max(0.0, 1.0 - shares.sum()))
    part, owed = np.full(len(column), -1), np.zeros(len(all_shares))
    for key in sorted(set(keys)):
        members = rng.permutation(np.flatnonzero([each == key for each in keys]))
        owed += all_shares * len(members)
        wanted = np.clip(owed, 0, None)
        wanted *= len(members) / wanted.sum() if wanted.sum() > 0 else 1
        sizes = np.floor(wanted + 1e-9).astype(np.int64)
        sizes[np.argsort(-(wanted - sizes), kind="stable")[: len(members) - int(sizes.sum())]] += 1
        owed -= sizes
        part[members] = np.repeat([*range(len(shares)), -1], sizes)
    return part.tolist()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 70), max_size=3), max_size=30),
    st.sampled_from([[0.8, 0.1, 0.1], [0.5, 0.2], [1 / 3] * 3, [0.0, 1.0]]),
    st.integers(0, 3),
)
def test_label_sets_are_divided_as_they_always_were(rows, shares, seed):
    offsets = np.cumsum([0, *map(len, rows)])
    column = Ragged(values=np.array([label for row in rows for label in row], np.int64), offsets=offsets)
    rng = np.random.Generator(np.random.Philox(seed))
    found = divided_by_set(column, len(rows), np.array(shares), rng)
    assert found.tolist() == plain_division(column, np.array(shares), seed)


def test_thousands_of_small_label_sets_are_divided_at_once():
    column = Ragged(values=np.arange(20_000) // 2, offsets=np.arange(20_001))
    part = divided_by_set(column, 20_000, np.array([0.5, 0.5]), np.random.Generator(np.random.Philox(0)))
    assert np.bincount(part[::2] + part[1::2]).tolist() == [0, 10_000]  # one of each two


# ---- labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["iterative", "second_order"])
@pytest.mark.parametrize("seed", [0, 1])
def test_each_part_has_its_share_of_each_label(data, method, seed):
    parts = data.split(SHARES, stratify="labels", method=method, seed=seed)
    assert sorted(np.concatenate([part.indices for part in parts.values()]).tolist()) == list(range(600))
    assert parts.report.largest_deviation < 2
    counted = [sum(name in row for row in parts["val"].pandas()["labels"]) for name in parts.report.labels]
    assert counted == parts.report.counts[:, 1].tolist()


def test_pairs_of_labels_have_their_share_by_second_order(data):
    parts = data.split({"one": 0.5, "other": 0.5}, stratify="labels", method="second_order")
    both = [
        len(part.query("select * where contains(labels, 'a') and contains(labels, 'b')")) for part in parts.values()
    ]
    assert abs(both[0] - both[1]) <= 2


def test_labels_of_several_tensors_are_spread_together(data):
    report = data.split(SHARES, stratify=["labels", "site"]).report
    assert report.labels == (*(f"labels: {name}" for name in NAMES), "site: x", "site: y")
    assert report.largest_deviation < 2


def test_samples_of_no_part_are_left_out_evenly(data):
    parts = data.split({"train": 0.5, "val": 0.25}, stratify="labels", method="iterative")
    assert [len(part) for part in parts.values()] == [300, 150]
    assert parts.report.largest_deviation < 2


@pytest.mark.parametrize("options", [{}, {"stratify": "labels"}, {"group": "patient"}, {"group": "labels[0]"}])
@pytest.mark.parametrize("method", ["iterative", "second_order"])
@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_a_single_sample_are_divided(data, options, method, count):
    if "stratify" in options:
        options = {**options, "method": method}
    parts = data[:count].split({"train": 0.8, "val": 0.2}, **options)
    assert sum(map(len, parts.values())) == count
    assert parts.report.samples.sum() == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "iteratve", "stratify": "labels"}, "'iterative'"),
        ({"method": "iterative"}, "stratify="),
        ({"method": "label_sets", "stratify": "labels", "group": "patient"}, "stay together"),
        ({"stratify": ["labels", "patient"]}, "class_label"),
        ({"group": "labels"}, "values of 'labels'"),
        ({"group": ""}, "Expected the name of a tensor"),
    ],
    ids=["unknown", "nothing to spread", "sets of groups", "text", "several values", "empty"],
)
def test_what_cannot_be_divided_so_is_refused(data, options, message):
    with pytest.raises(DatasetError, match=message):
        data.split({"train": 0.5, "val": 0.5}, **options)


@pytest.mark.parametrize("shares", [{}, {"a": -0.1}, {"a": math.nan}, {"a": "x"}, [0.5, 0.5], {"a": 0.9, "b": 0.2}])
def test_shares_that_are_none_are_refused(data, shares):
    with pytest.raises(DatasetError, match="shares"):
        data.split(shares)


# ---- groups ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stratify", [None, "labels"])
@pytest.mark.parametrize("group", ["patient", "number", "meta['who']", "patient || '!'"])
def test_no_group_is_in_two_parts(known, group, stratify):
    parts = known.split(SHARES, group=group, stratify=stratify)
    named = [set(part.pandas()["patient"]) for part in parts.values()]
    assert not named[0] & named[1]
    assert not named[0] & named[2]
    assert not named[1] & named[2]
    assert sorted(np.concatenate([part.indices for part in parts.values()]).tolist()) == list(range(597))
    assert parts.report.groups.tolist() == [len(each) for each in named]
    assert [abs(len(part) - share * 597) < 2 for part, share in zip(parts.values(), SHARES.values(), strict=True)]


def test_labels_of_groups_have_their_share(known):
    parts = known.split({"train": 0.8, "val": 0.2}, group="patient", stratify="labels")
    assert parts.report.largest_deviation < 2.5
    assert abs(len(parts["val"]) - 0.2 * 597) < 2.5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=2, max_size=14), st.sampled_from([0.5, 0.8, 0.3]))
def test_sizes_of_parts_are_near_the_best_that_groups_allow(sizes, share):
    from penstock.sampling.pool.dividing._dividing import divided
    from penstock.sampling.pool.dividing._evening import evened
    from penstock.sampling.pool.dividing._units import Units

    held = np.array(sizes)
    none = np.zeros(0, np.int64)
    units = Units(sizes=held, offsets=np.zeros(len(held) + 1, np.int64), labels=none, counts=none, num_labels=0)
    shares, rng = np.array([share, 1 - share]), np.random.default_rng(0)
    part = evened(divided(units, shares, rng), held, shares, rng)
    reached = {0}
    for size in sizes:
        reached |= {each + size for each in reached}
    wanted = share * held.sum()
    best = min(abs(each - wanted) for each in reached)
    off = abs(held[part == 0].sum() - wanted)
    assert off <= best + max(pair[1] - pair[0] for pair in pairwise([0, *sorted(set(sizes))])) / 2


def test_samples_without_a_group_are_groups_of_their_own(data):
    with pytest.warns(UserWarning, match=r"3 of 600 samples have no 'patient'"):
        parts = data.split({"train": 0.5, "val": 0.5}, group="patient")
    assert parts.report.num_without_group == 3
    with pytest.warns(UserWarning, match="3 of 600 samples have no 'number'"):  # NaN is no value either
        assert data.split({"train": 0.5, "val": 0.5}, group="number").report.groups.sum() == parts.report.groups.sum()


def test_a_seed_gives_the_same_parts_and_another_others(known):
    first, again, other = (
        known.split(SHARES, group="patient", stratify="labels", seed=seed)["train"].indices.tolist()
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_an_unknown_group_is_named(data):
    with pytest.raises(TensorNotFoundError, match="patient"):
        data.split(SHARES, group="patien")


def test_repeats_of_a_sample_are_in_one_part(data):
    drawn = data.sample_by("max_weight(contains(labels, 'e'): 9, True: 1)", size=900)
    for options in ({}, {"stratify": "labels"}):
        parts = drawn.split({"train": 0.7, "val": 0.3}, **options)
        assert sum(map(len, parts.values())) == 900
        assert not set(parts["train"].indices.tolist()) & set(parts["val"].indices.tolist())
        assert abs(len(parts["val"]) - 270) < 5


# ---- folds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"stratify": "labels"}, {"group": "patient"}, {"group": "patient", "stratify": "labels"}]
)
def test_each_sample_is_validated_once_and_trained_on_otherwise(known, options):
    folds = known.folds(4, **options)
    assert len(folds) == 4
    assert sorted(np.concatenate([valid.indices for _, valid in folds]).tolist()) == list(range(597))
    for train, valid in folds:
        assert sorted([*train.indices.tolist(), *valid.indices.tolist()]) == list(range(597))
        assert abs(len(valid) - 597 / 4) < 3
        penstock.check_leakage({"train": train, "valid": valid}, group=options.get("group"))
    assert folds[-1].valid.indices.tolist() == folds[3].valid.indices.tolist()
    assert folds.report.samples.sum() == 597


@pytest.mark.parametrize(
    ("count", "options", "message"),
    [(1, {}, "2 or more"), (2.0, {}, "2 or more"), (700, {}, "600 samples"), (3, {"group": "'one'"}, "1 groups")],
)
def test_folds_that_cannot_be_made_are_refused(data, count, options, message):
    with pytest.raises(DatasetError, match=message):
        data.folds(count, **options)


# ---- reports -----------------------------------------------------------------------------------------


def test_a_report_says_what_each_part_has(known):
    report = known.split({"train": 0.8, "val": 0.2}, group="patient", stratify="labels").report
    assert "No value of 'patient' is in two parts." in repr(report)
    assert "Farthest from its share of 5 labels" in repr(report)
    assert report._repr_html_().count("<table>") == 2
    frame = report.to_pandas()
    assert frame.loc["(all)", "total"] == 597
    assert frame.loc["a", "train"] + frame.loc["a", "val"] == frame.loc["a", "total"]
    assert frame.loc["a", "val wanted"] == pytest.approx(0.2 * frame.loc["a", "total"])


# ---- leakage -----------------------------------------------------------------------------------------


def test_parts_with_a_sample_in_common_are_refused(data):
    penstock.check_leakage({"train": data[:300], "val": data[300:]})
    with pytest.raises(LeakageError, match="'train' and 'val' have 2 samples in common, such as sample 298") as caught:
        penstock.check_leakage({"train": data[:300], "other": data[500:], "val": data[298:400]})
    assert caught.value.parts == ("train", "val")


def test_parts_with_a_group_in_common_are_refused(known):
    parts = known.split({"train": 0.5, "val": 0.5})
    shared = set(parts["train"].pandas()["patient"]) & set(parts["val"].pandas()["patient"])
    with pytest.raises(LeakageError, match=f"{len(shared)} values of 'patient' in common"):
        penstock.check_leakage(parts, group="patient")


def test_samples_without_a_group_are_no_leakage(data):
    parts = {"train": data[[0, 597]], "val": data[[598, 599]]}
    penstock.check_leakage(parts, group="patient")
    penstock.check_leakage(parts, group="number")


def test_groups_of_two_datasets_are_compared_and_their_rows_are_not(data, tmp_path):
    other = penstock.empty(tmp_path / "other")
    other.create_tensor("patient", htype="text")
    other.extend({"patient": ["nobody", data["patient"][0].data()["value"]]})
    penstock.check_leakage({"train": data, "test": other[:1]}, group="patient")
    with pytest.raises(LeakageError, match="1 value of 'patient'"):
        penstock.check_leakage({"train": data, "test": other}, group="patient")


# ---- saved together ----------------------------------------------------------------------------------


def test_all_parts_are_saved_by_one_call(known, data):
    parts = known.split(SHARES, group="patient")
    ids = parts.save_views("for training", id="first")
    assert ids == {name: f"first-{name}" for name in SHARES}
    for name, part in parts.items():
        assert data.load_view(ids[name]).indices.tolist() == part.indices.tolist()
        assert data.get_view(ids[name]).message == "for training"
    with pytest.raises(DatasetError, match="already exists"):
        parts.save_views(id="first")
    data.delete_view("first-val")
    assert {"first-train", "first-test"} <= {view.id for view in data.get_views()}


def test_views_that_share_a_group_are_not_saved(known, data):
    before = len(data.get_views())
    with pytest.raises(LeakageError, match="patient"):
        data.save_views({"train": known[:300], "val": known[300:]}, group="patient")
    with pytest.raises(DatasetError, match="valid view id"):
        data.save_views({"train": known[:300], "not a name": known[300:]})
    assert len(data.get_views()) == before


def test_a_save_that_stops_half_way_leaves_no_view(known, data, monkeypatch):
    written = _view_records.write_view

    def stop(location, view_id, record, uids, rows):
        if view_id == "half-val":
            raise KeyboardInterrupt
        written(location, view_id, record, uids, rows)

    before = {view.id for view in data.get_views()}
    monkeypatch.setattr(_view_records, "write_view", stop)
    with pytest.raises(KeyboardInterrupt):
        known.split(SHARES).save_views(id="half")
    assert {view.id for view in data.get_views()} == before


def test_records_of_a_save_that_was_killed_are_no_views_and_are_swept(known, data):
    known.split({"a": 0.5, "b": 0.5}).save_views(id="whole")
    store = data._content.store
    store.location.delete(["views/killed-b.json"])
    record = _view_records.view_records(store)["whole-a"]
    _view_records.write_record(store.location, "killed-a", replace(record, together=("killed-a", "killed-b")))
    assert "killed-a" not in {view.id for view in data.get_views()}
    _view_records.sweep_views(store)
    assert "killed-a.json" not in "".join(store.location.names("views"))
    assert {"whole-a", "whole-b"} <= {view.id for view in data.get_views()}


def test_parts_of_edited_data_are_not_saved(tmp_path):
    ds = penstock.empty(tmp_path / "edited")
    ds.create_tensor("x")
    ds.extend({"x": [1, 2, 3, 4]})
    with pytest.raises(UncommittedChangesError):
        ds.split({"a": 0.5, "b": 0.5}).save_views()


@pytest.mark.parametrize("block", [1, 3, 1 << 16])
@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from([0, 1, 2, 2**63, 2**63 + 2**40, 2**64 - 1]), max_size=12))
def test_rows_by_word_are_side_by_side_whatever_the_blocks(block, words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_label_sets, "_BLOCK", block)
        order, starts = _label_sets._by_word(np.array(words, np.uint64))
    runs = [order[a:b].tolist() for a, b in pairwise([*starts.tolist(), len(words)])]
    assert sorted(runs) == sorted([[at for at, one in enumerate(words) if one == word] for word in set(words)])


@settings(deadline=None, max_examples=25)
@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=9), st.integers(1, 3))
def test_labels_of_rows_and_totals_whatever_the_blocks(rows, block):
    lengths = [len(row) for row in rows]
    column = Ragged(
        values=np.array([label for row in rows for label in row], np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
    )
    pairs = [(row, label) for row, labels in enumerate(rows) for label in sorted({*labels})]
    part = np.arange(len(rows)) % 3 - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_label_sets, "_BLOCK", block)
        patch.setattr(_units, "BLOCK", block)
        found = _label_sets.row_labels(column)
        assert list(zip(*(each.tolist() for each in found), strict=True)) == pairs
        given_rows, given_labels = units_with(column, None, len(rows)).totals(part, 2)
    assert given_rows.tolist() == [(part == 0).sum(), (part == 1).sum()]
    expected = {(label, part[row]): 0 for row, label in pairs if part[row] >= 0}
    for row, label in pairs:
        if part[row] >= 0:
            expected[label, part[row]] += 1
    assert {(a, b): given_labels[a, b] for a, b in np.argwhere(given_labels).tolist()} == expected
