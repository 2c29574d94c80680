"""Merges of branches that edited the same samples: objects are joined one by one, as their identity says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import penstock

_CLASSES = ["cat", "dog", "fox", "owl"]
_NAMES = ("boxes", "kinds", "area", "score", "tag", "annotation_id")
_OUTLINE = {"boxes", "area"}

# ---- random scripts against plain Python ---------------------------------------------------------
#
# An object is a dictionary of its fields. A script edits objects by where they are in the base, and adds new ones.


def _box(place):
    """Return a box far from those of other places."""
    return [100.0 * place, 0.0, 40.0, 30.0]


def _base_object(place, kind, *, with_id):
    return {
        "boxes": _box(place),
        "kinds": _CLASSES[kind],
        "area": 1200.0,
        "score": 0.25,
        "tag": None,
        "annotation_id": 10 + place if with_id else 0,
    }


def _new_object(place, kind):
    return {
        "boxes": [100.0 * place, 500.0, 40.0, 30.0],
        "kinds": _CLASSES[kind],
        "area": 7.0,
        "score": 0.5,
        "tag": ["new"],
        "annotation_id": 0,
    }


_EDITS = st.one_of(
    st.tuples(st.just("boxes"), st.sampled_from([1.0, 2.0])),  # moved by so much
    st.tuples(st.just("kinds"), st.sampled_from(_CLASSES)),
    st.tuples(st.just("area"), st.sampled_from([5.0, 6.0])),
    st.tuples(st.just("score"), st.sampled_from([0.75, 1.0])),
    st.tuples(st.just("tag"), st.sampled_from([["a"], ["b"]])),
    st.tuples(st.just("delete"), st.none()),
)
_SCRIPTS = st.tuples(
    st.lists(st.tuples(st.integers(0, 3), _EDITS), max_size=4),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=2, unique=True),
)
_SAMPLES = st.tuples(st.lists(st.integers(0, 3), max_size=4), _SCRIPTS, _SCRIPTS)


def _edited(base, script):
    """Return base objects after a script, None for deleted ones, and the new objects."""
    edits, new = script
    found = [dict(one) for one in base]
    for place, (name, value) in edits:
        if place >= len(found) or found[place] is None:
            continue
        if name == "delete":
            found[place] = None
        elif name == "boxes":
            left, top, width, height = base[place]["boxes"]
            found[place]["boxes"] = [left + value, top, width, height]
        else:
            found[place][name] = value
    return found, [_new_object(*one) for one in new]


def _changes(base, one):
    return {name for name in _NAMES if one[name] != base[name]}


def _expected(base, ours, theirs, prefer):
    """Return the merged objects, those of the base first, and the conflicts as pairs of place and tensor."""
    merged, conflicts = [], set()
    for place, was in enumerate(base):
        mine, other = ours[0][place], theirs[0][place]
        if mine is None or other is None:
            left = mine or other
            if left is not None and _changes(was, left):
                conflicts |= {(place, name) for name in _changes(was, left)}
                if (prefer == "ours") == (mine is not None):
                    merged.append(left)
            continue
        one = {}
        for names in ({"boxes", "area"}, {"kinds"}, {"score"}, {"tag"}, {"annotation_id"}):
            unlike = {name for name in names if mine[name] != other[name]}
            here, there = unlike & _changes(was, mine), unlike & _changes(was, other)
            clash = bool(here and there)
            conflicts |= {(place, name) for name in unlike if clash}
            from_theirs = prefer == "theirs" if clash else bool(there)
            one |= {name: other[name] if from_theirs and name in unlike else mine[name] for name in names}
        merged.append(one)
    new = [*ours[1], *(one for one in theirs[1] if one not in ours[1])]
    return merged, new, conflicts


def _column(objects, name):
    return np.array([one[name] for one in objects], np.float32).reshape(-1, 4) if name == "boxes" else [one[name] for one in objects]  # fmt: skip


def _dataset(path):
    ds = penstock.empty(path, overwrite=True)
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("kinds", "class_label", class_names=_CLASSES, aligned_with="boxes")
    ds.create_tensor("area", dtype="float64", aligned_with="boxes")
    ds.create_tensor("score", dtype="float64", aligned_with="boxes")
    ds.create_tensor("tag", "json", aligned_with="boxes")
    ds.create_tensor("annotation_id", dtype="int64", aligned_with="boxes")
    return ds


def _filled(path, samples):
    ds = _dataset(path)
    ds.extend({name: [_column(objects, name) for objects in samples] for name in _NAMES})
    ds.commit("base")
    return ds


def _write(ds, samples):
    for row, objects in samples.items():
        for name in _NAMES:
            ds[name][row] = _column(objects, name)
    if ds.has_changes:
        ds.commit("edits")


def _read(ds):
    values = {name: [ds[name][row].data()["value"] for row in range(len(ds))] for name in _NAMES if name != "kinds"}
    values["kinds"] = ds.kinds.data()["text"]
    found = []
    for row in range(len(ds)):
        columns = [np.asarray(values[name][row]).tolist() if name not in {"tag", "kinds"} else values[name][row] or [] for name in _NAMES]  # fmt: skip
        assert len({len(column) for column in columns}) == 1
        found.append([dict(zip(_NAMES, entries, strict=True)) for entries in zip(*columns, strict=True)])
    return found


def _two_branches(path, samples, *, with_id):
    """Return a dataset on main with the edits of one side, the other's on a branch, and what each did."""
    bases = [
        [_base_object(place, kind, with_id=with_id) for place, kind in enumerate(kinds)] for kinds, _, _ in samples
    ]
    ours, theirs = ([_edited(base, sample[at]) for base, sample in zip(bases, samples, strict=True)] for at in (1, 2))
    ds = _filled(path, bases)
    ds.checkout("side", create=True)
    _write(ds, {row: [one for one in kept if one is not None] + new for row, (kept, new) in enumerate(theirs)})
    ds.checkout("main")
    _write(ds, {row: [one for one in kept if one is not None] + new for row, (kept, new) in enumerate(ours)})
    return ds, bases, ours, theirs


def _sorted(objects):
    return sorted(objects, key=repr)


_PROPERTY = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_IGNORED = pytest.mark.filterwarnings("ignore:merge .*:UserWarning")


@pytest.mark.slow
@_IGNORED
@_PROPERTY
@given(samples=st.lists(_SAMPLES, min_size=1, max_size=25), prefer=st.sampled_from(["ours", "theirs"]))
def test_merge_is_both_scripts_and_conflicts_are_fields_that_both_set_when_objects_have_ids(tmp_path, samples, prefer):
    ds, bases, ours, theirs = _two_branches(tmp_path / "ds", samples, with_id=True)
    before = ds.commit_id
    right = [_expected(*states, prefer) for states in zip(bases, ours, theirs, strict=True)]
    report = ds.merge("side")
    assert {(one.row, one.annotation_id - 10, one.tensor) for one in report} == {
        (row, *clash) for row, (_, _, clashes) in enumerate(right) for clash in clashes
    }
    assert len({(one.row, one.annotation_id, one.tensor) for one in report}) == len(report)
    if report:
        assert ds.commit_id == before
        ds.merge("side", prefer=prefer)
    for found, (kept, new, _) in zip(_read(penstock.load(ds.path)), right, strict=True):
        assert found[: len(kept)] == kept
        assert _sorted(found[len(kept) :]) == _sorted(new)


@pytest.mark.slow
@_IGNORED
@_PROPERTY
@given(samples=st.lists(_SAMPLES, min_size=1, max_size=25))
def test_merge_into_the_other_branch_gives_the_same_objects(tmp_path, samples):
    ds, *_ = _two_branches(tmp_path / "ds", samples, with_id=True)
    conflicts = {(one.row, one.annotation_id, one.tensor, repr(one.ours), repr(one.theirs)) for one in ds.merge("side", prefer="ours")}  # fmt: skip
    here = _read(ds)
    ds, *_ = _two_branches(tmp_path / "ds", samples, with_id=True)
    ds.checkout("side")
    mirrored = {(one.row, one.annotation_id, one.tensor, repr(one.theirs), repr(one.ours)) for one in ds.merge("main", prefer="theirs")}  # fmt: skip
    assert conflicts == mirrored
    assert [_sorted(objects) for objects in here] == [_sorted(objects) for objects in _read(ds)]


@pytest.mark.slow
@_IGNORED
@_PROPERTY
@given(samples=st.lists(_SAMPLES, min_size=1, max_size=25), prefer=st.sampled_from(["ours", "theirs"]))
def test_merge_is_both_scripts_or_says_that_it_does_not_know_when_objects_have_no_ids(tmp_path, samples, prefer):
    ds, bases, ours, theirs = _two_branches(tmp_path / "ds", samples, with_id=False)
    right = [_expected(*states, prefer) for states in zip(bases, ours, theirs, strict=True)]
    report = ds.merge("side")
    unknown = {one.row for one in report if one.object is None and one.object_there is None}
    for row in unknown:  # both sides touched one object
        sides = zip(bases[row], ours[row][0], theirs[row][0], strict=True)
        assert any(was not in (mine, other) for was, mine, other in sides)
    assert len([one for one in report if one.row not in unknown]) == sum(
        len(clashes) for row, (_, _, clashes) in enumerate(right) if row not in unknown
    )
    if report:
        ds.merge("side", prefer=prefer)
    for row, (found, (kept, new, _)) in enumerate(zip(_read(penstock.load(ds.path)), right, strict=True)):
        if row not in unknown:
            assert found[: len(kept)] == kept
            assert _sorted(found[len(kept) :]) == _sorted(new)
