"""Merges of branches that edited the same samples: objects are joined one by one, as their identity says."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import penstock
from penstock.dataset.objects._joining import Version, join
from penstock.dataset.objects._objects import objects_of
from penstock.dataset.samples import content_of
from penstock.errors import ConflictError
from penstock.tensors import TensorSpec, encode_sample

_CLASSES = ["cat", "dog", "fox", "owl"]
_NAMES = ("boxes", "kinds", "area", "score", "mark", "annotation_id")
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
        "mark": None,
        "annotation_id": 10 + place if with_id else 0,
    }


def _new_object(place, kind):
    return {
        "boxes": [100.0 * place, 500.0, 40.0, 30.0],
        "kinds": _CLASSES[kind],
        "area": 7.0,
        "score": 0.5,
        "mark": ["new"],
        "annotation_id": 0,
    }


_EDITS = st.one_of(
    st.tuples(st.just("boxes"), st.sampled_from([1.0, 2.0])),  # moved by so much
    st.tuples(st.just("kinds"), st.sampled_from(_CLASSES)),
    st.tuples(st.just("area"), st.sampled_from([5.0, 6.0])),
    st.tuples(st.just("score"), st.sampled_from([0.75, 1.0])),
    st.tuples(st.just("mark"), st.sampled_from([["a"], ["b"]])),
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
        for names in ({"boxes", "area"}, {"kinds"}, {"score"}, {"mark"}, {"annotation_id"}):
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


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    ds = penstock.empty(tmp_path_factory.mktemp("objects") / "empty")
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("kinds", "class_label", class_names=_CLASSES, aligned_with="boxes")
    ds.create_tensor("area", dtype="float64", aligned_with="boxes")
    ds.create_tensor("score", dtype="float64", aligned_with="boxes")
    ds.create_tensor("mark", "json", aligned_with="boxes")
    ds.create_tensor("annotation_id", dtype="int64", aligned_with="boxes")
    ds.close()
    return ds.path


def _filled(empty, path, samples):
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(empty, path)
    ds = penstock.load(path)
    ds.extend({name: [_column(objects, name) for objects in samples] for name in _NAMES})
    ds.commit("base")
    return ds


def _write(ds, samples):
    for name in _NAMES:
        ds[name][list(samples)] = [_column(objects, name) for objects in samples.values()]
    ds.commit("edits")


def _read(ds):
    values = {name: [ds[name][row].data()["value"] for row in range(len(ds))] for name in _NAMES if name != "kinds"}
    values["kinds"] = ds.kinds.data()["text"]
    found = []
    for row in range(len(ds)):
        columns = [np.asarray(values[name][row]).tolist() if name not in {"mark", "kinds"} else values[name][row] or [] for name in _NAMES]  # fmt: skip
        assert len({len(column) for column in columns}) == 1
        found.append([dict(zip(_NAMES, entries, strict=True)) for entries in zip(*columns, strict=True)])
    return found


def _samples_of(sides):
    """Return the samples after the edits of a side."""
    return {row: [one for one in kept if one is not None] + new for row, (kept, new) in enumerate(sides)}


def _two_branches(empty, path, samples, *, with_id):
    """Return a dataset on main with the edits of one side, the other's on a branch, and what each did."""
    bases = [
        [_base_object(place, kind, with_id=with_id) for place, kind in enumerate(kinds)] for kinds, _, _ in samples
    ]
    ours, theirs = ([_edited(base, sample[at]) for base, sample in zip(bases, samples, strict=True)] for at in (1, 2))
    ds = _filled(empty, path, [*bases, []])
    ds.checkout("side", create=True)
    _write(ds, {**_samples_of(theirs), len(bases): [_new_object(1, 0)]})
    ds.checkout("main")
    _write(ds, {**_samples_of(ours), len(bases): [_new_object(0, 0)]})  # a sample that both always edit
    return ds, bases, ours, theirs


def _sorted(objects):
    return sorted(objects, key=lambda one: repr(sorted(one.items())))


_IGNORED = pytest.mark.filterwarnings("ignore:merge .*:UserWarning")
_PREFER = st.sampled_from(["ours", "theirs"])

# ---- the join of one sample ----------------------------------------------------------------------

_SPECS = {
    "boxes": TensorSpec(name="boxes", htype="bbox", dtype="float32"),
    "kinds": TensorSpec(
        name="kinds", htype="class_label", dtype="int64", class_names=tuple(_CLASSES), aligned_with="boxes"
    ),
    "area": TensorSpec(name="area", htype="generic", dtype="float64", ndim=1, aligned_with="boxes"),
    "score": TensorSpec(name="score", htype="generic", dtype="float64", ndim=1, aligned_with="boxes"),
    "mark": TensorSpec(name="mark", htype="json", aligned_with="boxes"),
    "annotation_id": TensorSpec(name="annotation_id", htype="generic", dtype="int64", ndim=1, aligned_with="boxes"),
}


def _objects(objects):
    return objects_of(_SPECS, {name: encode_sample(_SPECS[name], _column(objects, name)) for name in _NAMES})


def _flat(side):
    return [one for one in side[0] if one is not None] + side[1]


def _version(base, objects):
    after = _objects(objects)
    return Version(before=_objects(base), after=after, final=after)


def _plain(one):
    found = {
        name: value.tolist() if isinstance(value, np.generic | np.ndarray) else value for name, value in one.items()
    }
    return {**found, "kinds": _CLASSES[found["kinds"]]}


def _joined(base, ours, theirs, prefer="ours"):
    found = join(_version(base, ours), _version(base, theirs), _SPECS, prefer=prefer)
    return [_plain(one) for one in found.objects], found


def _states(sample, *, with_id):
    kinds, *scripts = sample
    base = [_base_object(place, kind, with_id=with_id) for place, kind in enumerate(kinds)]
    return base, _edited(base, scripts[0]), _edited(base, scripts[1])


_PURE = settings(max_examples=150, deadline=None)


@pytest.mark.slow
@_PURE
@given(sample=_SAMPLES, prefer=_PREFER)
def test_join_is_both_scripts_and_clashes_are_fields_that_both_set_when_objects_have_ids(sample, prefer):
    base, ours, theirs = _states(sample, with_id=True)
    kept, new, conflicts = _expected(base, ours, theirs, prefer)
    found, joined = _joined(base, _flat(ours), _flat(theirs), prefer)
    assert found[: len(kept)] == kept
    assert _sorted(found[len(kept) :]) == _sorted(new)
    assert sorted((one.base, one.tensor) for one in joined.clashes) == sorted(conflicts)


@pytest.mark.slow
@_PURE
@given(sample=_SAMPLES, prefer=_PREFER)
def test_join_is_both_scripts_or_says_that_it_does_not_know_when_objects_have_no_ids(sample, prefer):
    base, ours, theirs = _states(sample, with_id=False)
    kept, new, conflicts = _expected(base, ours, theirs, prefer)
    found, joined = _joined(base, _flat(ours), _flat(theirs), prefer)
    if any(one.tensor is None for one in joined.clashes):
        assert any(was not in (mine, other) for was, mine, other in zip(base, ours[0], theirs[0], strict=True))
        assert found == (_flat(ours) if prefer == "ours" else _flat(theirs))
        return
    assert found[: len(kept)] == kept
    assert _sorted(found[len(kept) :]) == _sorted(new)
    assert sorted((one.base, one.tensor) for one in joined.clashes) == sorted(conflicts)


@pytest.mark.slow
@_PURE
@given(sample=_SAMPLES, with_id=st.booleans())
def test_join_is_the_same_from_the_other_side(sample, with_id):
    base, ours, theirs = _states(sample, with_id=with_id)
    here, joined = _joined(base, _flat(ours), _flat(theirs), "ours")
    there, mirrored = _joined(base, _flat(theirs), _flat(ours), "theirs")
    assert _sorted(here) == _sorted(there)
    assert {(one.tensor, one.base, one.ours, one.theirs) for one in joined.clashes} == {
        (one.tensor, one.base, one.theirs, one.ours) for one in mirrored.clashes
    }


@pytest.mark.slow
@_PURE
@given(sample=_SAMPLES, order=st.randoms(use_true_random=False), with_id=st.booleans())
def test_join_of_reordered_objects_is_both_scripts_or_says_that_it_does_not_know(sample, order, with_id):
    base, ours, theirs = _states(sample, with_id=with_id)
    reordered = _flat(theirs)
    order.shuffle(reordered)
    kept, new, conflicts = _expected(base, ours, theirs, "ours")
    found, joined = _joined(base, _flat(ours), reordered)
    if with_id or all(one.tensor is not None for one in joined.clashes):
        assert _sorted(found) == _sorted([*kept, *new])
        assert sorted((one.base, one.tensor) for one in joined.clashes) == sorted(conflicts)


@pytest.mark.slow
@_PURE
@given(sample=_SAMPLES)
def test_join_of_objects_with_the_same_box_is_both_scripts_or_says_that_it_does_not_know(sample):
    kinds, *scripts = sample
    base = [{**_base_object(0, kind, with_id=False), "boxes": _box(place // 2)} for place, kind in enumerate(kinds)]
    ours, theirs = _edited(base, scripts[0]), _edited(base, scripts[1])
    kept, new, conflicts = _expected(base, ours, theirs, "ours")
    found, joined = _joined(base, _flat(ours), _flat(theirs))
    if all(one.tensor is not None for one in joined.clashes):
        assert _sorted(found) == _sorted([*kept, *new])
        assert sorted((one.base, one.tensor) for one in joined.clashes) == sorted(conflicts)


# ---- merges of datasets --------------------------------------------------------------------------

_MERGES = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.slow
@_IGNORED
@_MERGES
@given(samples=st.lists(_SAMPLES, min_size=15, max_size=30), prefer=_PREFER)
def test_merge_joins_every_sample_and_tells_every_conflict(empty, tmp_path, samples, prefer):
    ds, bases, ours, theirs = _two_branches(empty, tmp_path / "ds", samples, with_id=True)
    before = ds.commit_id
    right = [_expected(*states, prefer) for states in zip(bases, ours, theirs, strict=True)]
    report = ds.merge("side")
    assert sorted((one.row, one.annotation_id - 10, one.tensor) for one in report) == sorted(
        (row, *clash) for row, (_, _, clashes) in enumerate(right) for clash in clashes
    )
    if report:
        assert ds.commit_id == before
        ds.merge("side", prefer=prefer)
    for found, (kept, new, _) in zip(_read(penstock.load(ds.path))[:-1], right, strict=True):
        assert found[: len(kept)] == kept
        assert _sorted(found[len(kept) :]) == _sorted(new)


# ---- single cases --------------------------------------------------------------------------------


def _one_sample(path, objects, names=_NAMES):
    ds = penstock.empty(path)
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("kinds", "class_label", class_names=_CLASSES, aligned_with="boxes")
    options = {"mark": {"htype": "json"}, "annotation_id": {"dtype": "int64"}}
    for name in names:
        if name not in {"boxes", "kinds"}:
            ds.create_tensor(name, aligned_with="boxes", **options.get(name, {"dtype": "float64"}))
    ds.append({name: _column(objects, name) for name in names})
    ds.commit("base")
    return ds


def _cats(*lefts, with_id=True):
    found = [_base_object(place, 0, with_id=with_id) for place in range(len(lefts))]
    return [{**one, "boxes": [left, 0.0, 40.0, 30.0]} for one, left in zip(found, lefts, strict=True)]


def _set(ds, objects, names=_NAMES):
    for name in names:
        ds[name][0] = _column(objects, name)
    ds.commit("edits")


def _part(ds, base, ours, theirs, names=_NAMES):
    """Commit one state on main and another on the branch ``side``."""
    ds.checkout("side", create=True)
    _set(ds, theirs, names)
    ds.checkout("main")
    _set(ds, ours, names)


def test_area_here_and_box_there_of_one_object_is_a_conflict(tmp_path):
    base = _cats(0.0, 200.0)
    ds = _one_sample(tmp_path / "ds", base)
    _part(ds, base, [{**base[0], "area": 9.0}, base[1]], [{**base[0], "boxes": [5.0, 0.0, 40.0, 30.0]}, base[1]])
    report = ds.merge("side")
    assert {(one.object, one.tensor, str(one.ours), str(one.theirs), str(one.base)) for one in report} == {
        (0, "area", "9.0", "1200.0", "1200.0"),
        (0, "boxes", "[0.0, 0.0, 40.0, 30.0]", "[5.0, 0.0, 40.0, 30.0]", "[0.0, 0.0, 40.0, 30.0]"),
    }
    ds.merge("side", prefer="theirs")
    assert (_read(ds)[0][0]["boxes"][0], _read(ds)[0][0]["area"]) == (5.0, 1200.0)


def test_conflict_says_what_each_branch_did(tmp_path):
    base = _cats(0.0)
    ds = _one_sample(tmp_path / "ds", base)
    _part(ds, base, [{**base[0], "kinds": "dog"}], [{**base[0], "kinds": "fox"}])
    report = ds.merge("side")
    assert str(report[0]) == (
        "sample 0, object 0 (annotation 10): 'kinds' is 'dog' here, 'fox' there, and was 'cat' "
        "(the object was edited on both branches)"
    )
    assert repr(report).splitlines()[0] == (
        "not merged: 1 conflict. Pass prefer='ours' or prefer='theirs' to decide it; all else is joined"
    )
    assert (report[0].uid, report.merged) == (int(content_of(ds).table.stored.uids[0]), False)


def test_keys_of_one_dictionary_are_joined(tmp_path):
    base = [{**one, "mark": {"a": 1, "b": 1}} for one in _cats(0.0)]
    ds = _one_sample(tmp_path / "ds", base)
    _part(ds, base, [{**base[0], "mark": {"a": 2, "b": 1}}], [{**base[0], "mark": {"b": 3, "c": 4}}])
    (conflict,) = ds.merge("side")  # key "a": 2 here, deleted there
    assert (conflict.tensor, conflict.ours, conflict.theirs) == ("mark", {"a": 2, "b": 1}, {"b": 3, "c": 4})
    ds.merge("side", prefer="ours")
    assert _read(ds)[0][0]["mark"] == {"a": 2, "b": 3, "c": 4}


def test_class_renamed_here_and_relabeled_there_are_followed(tmp_path):
    base = _cats(0.0, 200.0, 400.0)
    ds = _one_sample(tmp_path / "ds", base)
    ds.checkout("side", create=True)
    ds.kinds.merge_classes(["cat"], into="dog")  # every class after it has another index
    ds.boxes[0] = [[1.0, 0.0, 40.0, 30.0], *_column(base, "boxes")[1:]]
    ds.commit("no cats")
    ds.checkout("main")
    ds.kinds.rename_class("owl", "bird")
    ds.kinds[0] = ["cat", "fox", "bird"]
    ds.commit("relabeled")
    assert ds.merge("side") == []
    assert ds.kinds[0].data()["text"] == ["dog", "fox", "bird"]
    assert ds.boxes[0].numpy()[:, 0].tolist() == [1.0, 200.0, 400.0]


def test_object_drawn_alike_on_both_branches_is_kept_once_and_reported(tmp_path):
    base = _cats(0.0)
    ds = _one_sample(tmp_path / "ds", base)
    _part(ds, base, [*base, _new_object(1, 1)], [*base, _new_object(2, 1), _new_object(1, 1)])
    with pytest.warns(UserWarning, match="1 object was drawn alike on both branches and kept once: sample 0"):
        report = ds.merge("side")
    assert (report, len(report.notes)) == ([], 1)
    assert _read(ds)[0] == [*base, _new_object(1, 1), _new_object(2, 1)]


def test_new_objects_with_one_id_get_another_at_export(tmp_path):
    base = _cats(0.0)
    ds = _one_sample(tmp_path / "ds", base)
    ours, theirs = ({**_new_object(place, 1), "annotation_id": 50} for place in (1, 2))
    _part(ds, base, [*base, ours], [*base, theirs])
    with pytest.warns(UserWarning, match="annotation_id 50; those of 'side' have none now"):
        assert ds.merge("side") == []
    assert [one["annotation_id"] for one in _read(ds)[0]] == [10, 50, 0]


def test_new_objects_with_one_id_in_different_samples_get_another_at_export(tmp_path):
    base = _cats(0.0)
    ds = _one_sample(tmp_path / "ds", base)
    row = {name: _column([{**_new_object(1, 1), "annotation_id": 50}], name) for name in _NAMES}
    ds.checkout("side", create=True)
    ds.append(row)
    ds.commit("theirs")
    ds.checkout("main")
    ds.append(row)
    ds.commit("ours")
    with pytest.warns(UserWarning, match="annotation_id 50"):
        ds.merge("side")
    assert [[one["annotation_id"] for one in objects] for objects in _read(ds)] == [[10], [50], [0]]


def test_objects_without_ids_that_cannot_be_told_apart_are_a_conflict_of_the_sample(tmp_path):
    names = ("boxes", "kinds")
    base = _cats(0.0, 200.0, with_id=False)
    ds = _one_sample(tmp_path / "ds", base, names)
    jumped = {**base[1], "boxes": [600.0, 0.0, 40.0, 30.0]}  # moved, or deleted and another drawn
    _part(ds, base, [base[0], jumped], [base[0], {**base[1], "kinds": "dog"}], names)
    (conflict,) = ds.merge("side")
    assert (conflict.tensor, conflict.object, conflict.object_there) == ("boxes", None, None)
    assert "it is not known which of them are the same" in conflict.reason
    ds.merge("side", prefer="theirs")
    assert (ds.boxes[0].numpy()[1, 0], ds.kinds[0].data()["text"]) == (200.0, ["cat", "dog"])


def test_reordered_objects_keep_their_order_and_the_edits_of_the_other_branch(tmp_path):
    base = _cats(0.0, 200.0, 400.0)
    ds = _one_sample(tmp_path / "ds", base)
    edited = [{**base[0], "kinds": "dog"}, *base[1:]]
    _part(ds, base, edited, [*reversed(base)])
    assert ds.merge("side") == []
    assert _read(ds)[0] == [*reversed(edited)]


@pytest.mark.parametrize("into", ["main", "side"], ids=["tensor_there", "tensor_here"])
def test_tensor_of_one_branch_is_blank_for_new_objects_of_the_other(tmp_path, into):
    base = _cats(0.0, 200.0)
    ds = _one_sample(tmp_path / "ds", base)
    ds.append({name: _column(base[:1], name) for name in _NAMES})
    ds.commit("two")
    ds.checkout("side", create=True)
    ds.create_tensor("depth", dtype="int64", aligned_with="boxes")
    ds.depth[[0, 1]] = [[3, 4], [5]]
    ds.commit("depth")
    ds.checkout("main")
    _set(ds, [base[1], _new_object(1, 1)])
    ds.append({name: _column([_new_object(2, 1)], name) for name in _NAMES})
    ds.commit("one deleted, two new")
    ds.checkout(into)
    assert ds.merge("side" if into == "main" else "main") == []
    assert [depth.tolist() for depth in ds.depth.numpy(aslist=True)] == [[4, 0], [5], [0]]
    assert [len(objects) for objects in _read(ds)] == [2, 1, 1]
    ds.boxes[0] = ds.boxes[0].numpy() + 1
    ds.commit("lengths are equal")


def test_new_object_without_a_class_that_only_the_other_branch_has_is_refused_and_nothing_changes(tmp_path):
    base = _cats(0.0)
    ds = _one_sample(tmp_path / "ds", base)
    ds.checkout("side", create=True)
    ds.create_tensor("colors", "class_label", class_names=["red"], aligned_with="boxes")
    ds.colors[0] = ["red"]
    ds.commit("colors")
    ds.checkout("main")
    _set(ds, [*base, _new_object(1, 1)])
    before = ds.version
    with pytest.raises(ConflictError, match="sample 0 has new objects without a class in 'colors'"):
        ds.merge("side")
    assert (ds.version, len(_read(ds)[0])) == (before, 2)


def test_group_of_the_other_branch_that_samples_here_do_not_fit_is_refused(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", "bbox")
    ds.create_tensor("kinds", "class_label", class_names=_CLASSES)
    ds.extend({"boxes": [[_box(0)], [_box(1)]], "kinds": [["cat"], ["cat"]]})
    ds.commit("base")
    ds.checkout("side", create=True)
    ds.align("boxes", "kinds")
    ds.commit("a group")
    ds.checkout("main")
    ds.append({"boxes": [_box(1)], "kinds": None})
    ds.commit("a box without a class")
    with pytest.raises(
        ConflictError, match=r"'boxes', 'kinds' are an object group on one branch only.* here do not fit"
    ):
        ds.merge("side")
    ds.kinds[2] = ["dog"]
    ds.commit("with a class")
    assert ds.merge("side") == []


def test_second_merge_takes_only_what_is_new(tmp_path):
    base = _cats(0.0, 200.0)
    ds = _one_sample(tmp_path / "ds", base)
    _part(ds, base, [{**base[0], "kinds": "dog"}, base[1]], [base[0], {**base[1], "kinds": "fox"}])
    assert ds.merge("side") == []
    ds.checkout("side")
    _set(ds, [{**base[0], "kinds": "owl"}, {**base[1], "kinds": "fox"}])
    ds.checkout("main")
    (conflict,) = ds.merge("side")
    assert (conflict.object, conflict.ours, conflict.theirs, conflict.base) == (0, "dog", "owl", "cat")


def test_view_and_its_optimized_copy_stay_as_they_were_and_samples_keep_their_identity(tmp_path):
    base = _cats(0.0, 200.0)
    ds = _one_sample(tmp_path / "ds", base)
    view = ds.query("select * where contains(kinds, 'cat')")
    copied = ds.load_view(view.save_view(), optimize=True)
    uids = content_of(ds).table.stored.uids.tolist()
    _part(ds, base, [{**base[0], "kinds": "dog"}, base[1]], [base[0], {**base[1], "kinds": "fox"}])
    assert ds.merge("side") == []
    assert content_of(ds).table.stored.uids.tolist() == uids
    for old in (view, copied):
        assert old.kinds.data()["text"] == [["cat", "cat"]]
    assert ds.kinds.data()["text"] == [["dog", "fox"]]


# ---- two sessions --------------------------------------------------------------------------------


def _two_sessions(path, base, ours, theirs):
    """Edit in one session over what another one commits meanwhile."""
    ds = _one_sample(path, base)
    ds.create_tensor("age", dtype="int64")
    ds.commit("age")
    ds.close()
    here, there = penstock.load(path), penstock.load(path)
    for name in _NAMES:
        here[name][0] = _column(ours, name)
    _set(there, theirs)
    return here


def test_commit_keeps_the_objects_that_another_session_committed(tmp_path):
    base = _cats(0.0, 200.0, 400.0)
    theirs = [{**base[0], "kinds": "fox"}, base[1], _new_object(1, 1)]
    here = _two_sessions(tmp_path / "ds", base, [{**base[0], "score": 1.0}, *base[1:], _new_object(2, 1)], theirs)
    here.commit("both")
    expected = [{**base[0], "kinds": "fox", "score": 1.0}, base[1], _new_object(1, 1), _new_object(2, 1)]
    assert _sorted(_read(penstock.load(here.path))[0]) == _sorted(expected)


@pytest.mark.parametrize(("on_conflict", "kind"), [("ours", "dog"), ("theirs", "fox")])
def test_commit_names_the_object_that_another_session_committed(tmp_path, on_conflict, kind):
    base = _cats(0.0, 200.0)
    ours, theirs = [base[0], {**base[1], "kinds": "dog"}], [{**base[0], "score": 1.0}, {**base[1], "kinds": "fox"}]
    here = _two_sessions(tmp_path / "ds", base, ours, theirs)
    with pytest.raises(
        ConflictError, match=r"object 1 \(annotation 11\): 'kinds' is 'dog' here, 'fox' there"
    ) as raised:
        here.commit("mine")
    (conflict,) = raised.value.conflicts
    assert (conflict.row, conflict.object, conflict.tensor, conflict.base) == (0, 1, "kinds", "cat")
    here.age[0] = 5
    here.commit("decided", on_conflict=on_conflict)
    assert _read(penstock.load(here.path))[0] == [theirs[0], {**base[1], "kinds": kind}]
