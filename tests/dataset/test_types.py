"""The type of a tensor is fixed by its first value: every way to give it one, read in every way."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import ConflictError, SampleError

_KINDS = {
    "int": [3, 7, None, 2**53 + 1],
    "float": [0.5, None, 2.0, -1.0],
    "bool": [True, None, False, True],
    "vector": [[1.0, 2.0], [3.0, 4.0], None, [5.0, 6.0]],
    "array": [np.arange(6).reshape(2, 3), None, np.ones((2, 3), int), np.zeros((2, 3), int)],
    "ragged": [[1, 2], [3], [], None],
    "None first": [None, 5, None, 6],
    "None first vector": [None, [1, 2], [3], None],
    "no value": [None, None, None, None],
}
_WAYS = ("appended", "appended, committed", "assigned over None", "made later, assigned", "made later, committed")
_NUMBERS = ("int", "float", "bool", "None first")


def _filled(path, way, values):
    dataset = penstock.empty(path)
    dataset.create_tensor("k", dtype="int64")
    if way.startswith("made later"):
        dataset.extend({"k": range(len(values))})
        dataset.commit("rows")
    dataset.create_tensor("b")
    if way.startswith("appended"):
        for row, value in enumerate(values):
            dataset.append({"k": row, "b": value})
    elif way == "assigned over None":
        dataset.extend({"k": range(len(values)), "b": [None] * len(values)})
        with dataset:
            dataset.b[:] = values
    else:
        for row, value in enumerate(values):
            dataset.b[row] = value
    if way.endswith("committed"):
        dataset.commit("values")
    return dataset


@pytest.fixture(scope="module", params=_KINDS, ids=[kind.replace(" ", "_") for kind in _KINDS])
def filled(request, tmp_path_factory):
    """The values, and a dataset for each way to fill it, each also opened anew."""
    values = _KINDS[request.param]
    made = [_filled(tmp_path_factory.mktemp("types") / "ds", way, values) for way in _WAYS]
    for dataset in made:
        dataset.flush()
    return request.param, values, [*made, *(penstock.load(dataset.path) for dataset in made)]


def _is(read, value):
    if value is None:
        return read is None or np.size(read) == 0
    return np.shape(read) == np.shape(value) and np.array_equal(np.asarray(read), value)


def _are(read, values):
    return len(read) == len(values) and all(_is(one, value) for one, value in zip(read, values, strict=True))


def test_first_value_fixes_dtype_and_ndim(filled):
    kind, values, datasets = filled
    given = [np.asarray(value) for value in values if value is not None and np.size(value)]
    for dataset in datasets:
        assert content_of(dataset).spec("b").is_typed == bool(given)
        if given:
            assert (dataset.b.dtype, content_of(dataset).spec("b").ndim) == (given[0].dtype.name, given[0].ndim), kind


@pytest.mark.parametrize(
    "read",
    [
        lambda ds: ds.b.numpy(aslist=True),
        lambda ds: ds.b.data()["value"],
        lambda ds: [ds.b[row].numpy() for row in range(len(ds))],
        lambda ds: [sample.numpy()["b"] for sample in ds],
        lambda ds: ds[::-1].b.numpy(aslist=True)[::-1],
        lambda ds: ds.query("select k, b where k >= 0").b.numpy(aslist=True),
        lambda ds: ds.query("select * order by k desc").b.numpy(aslist=True)[::-1],
        lambda ds: list(ds.pandas()["b"].astype(object).where(ds.pandas()["b"].notna(), None)),
        lambda ds: pickle.loads(pickle.dumps(ds)).b.numpy(aslist=True),
        lambda ds: pickle.loads(pickle.dumps(content_of(ds).table)).take(np.arange(len(ds)), ["b"])["b"],
        lambda ds: [value for batch in ds.dataloader().batch(3).numpy() for value in batch["b"]],
        lambda ds: [value.numpy() for batch in ds.dataloader().batch(3).pytorch() for value in batch["b"]],
    ],
    ids=[
        "list", "data", "one_by_one", "samples", "view", "select", "order", "pandas", "pickled", "pickled_table",
        "numpy_loader", "torch_loader",
    ],
)  # fmt: skip
def test_every_reader_gives_back_what_was_written(filled, read):
    _, values, datasets = filled
    for dataset in datasets:
        assert _are(read(dataset), values)


def test_samples_of_unlike_shapes_are_no_single_array(filled):
    kind, values, datasets = filled
    for dataset in datasets:
        if kind == "no value":
            assert dataset.b.numpy().shape == (4, 0)
        else:
            with pytest.raises(SampleError, match="Expected a single shape"):
                dataset.b.numpy()
            assert dataset[0].b.numpy().shape == np.shape(values[0] if values[0] is not None else [])


def test_shape_names_the_sides_that_all_samples_share(filled):
    kind, _, datasets = filled
    wanted = {"vector": (4, None), "array": (4, None, None), "ragged": (4, None), "None first vector": (4, None)}
    for dataset in datasets:
        assert dataset.b.shape == wanted.get(kind, (4,))
        assert [sample.shape for sample in dataset.b] == [sample.numpy().shape for sample in dataset.b]


def test_null_query_finds_the_samples_without_a_value(filled):
    _, values, datasets = filled
    for dataset in datasets:
        missing = [row for row, value in enumerate(values) if value is None]
        assert dataset.query("select * where b is null").indices.tolist() == missing


def test_queries_leave_out_samples_without_a_value(filled):
    kind, values, datasets = filled
    if kind not in _NUMBERS:
        return
    for dataset in datasets:
        larger = [row for row, value in enumerate(values) if value is not None and value > 0.5]
        assert dataset.query("select * where b > 0.5").indices.tolist() == larger
        groups = dataset.query("select b, count(*) as n group by b")
        assert sorted(groups.n.numpy().tolist()) == sorted(values.count(value) for value in dict.fromkeys(values))


def test_reports_read_it(filled, capsys):
    _, values, datasets = filled
    for dataset in datasets:
        assert dataset.verify().ok
        dataset.summary()
    edited = [row for row, value in enumerate(values) if value is not None]
    committed = datasets[_WAYS.index("made later, committed")]
    before, after = [commit.id for commit in committed.log()][::-1]
    assert committed.diff(before, after).tensors_added == ("b",)
    assigned = datasets[_WAYS.index("assigned over None")]
    assert assigned.num_edits == (len(values) if edited else 0)
    assert capsys.readouterr().out.count("generic") == 2 * len(datasets)


@pytest.mark.parametrize("kind", _KINDS)
def test_saved_view_copied_for_training_has_the_same_values(tmp_path, kind):
    dataset = _filled(tmp_path / "ds", "made later, committed", _KINDS[kind])
    view_id = dataset.query("select * where k >= 0").save_view()
    assert _are(dataset.load_view(view_id, optimize=True).b.numpy(aslist=True), _KINDS[kind])


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [(None, 2, [2, None]), (3, None, [None, 3]), (3, 2, [2, 3]), (3, 2.0, [2, 3]), (None, [1.0, 2.0], [[1, 2], None])],
    ids=["theirs", "ours", "both", "whole_float", "vector"],
)
def test_merge_takes_the_type_that_one_branch_fixed(tmp_path, ours, theirs, merged):
    dataset = _branched(tmp_path, ours, theirs)
    assert dataset.merge("side") == []
    assert _are(dataset.b.numpy(aslist=True), merged)
    assert _are(penstock.load(dataset.path).b.numpy(aslist=True), merged)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(1, 2.5), (1, [1.0, 2.0]), ([1, 2], 3)], ids=["dtype", "vector", "scalar"]
)
def test_merge_is_refused_whole_when_the_branches_fixed_other_types(tmp_path, ours, theirs):
    dataset = _branched(tmp_path, ours, theirs)
    before = dataset.version
    with pytest.raises(ConflictError, match="'b' has different types"):
        dataset.merge("side")
    assert (dataset.version, dataset.has_changes) == (before, False)
    assert _are(dataset.b.numpy(aslist=True), [None, ours])


def _branched(tmp_path, ours, theirs):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.create_tensor("b")
    dataset.extend({"k": [0, 1], "b": [None, None]})
    dataset.commit("start")
    dataset.checkout("side", create=True)
    dataset.k[1] = 9
    dataset.b[0] = theirs
    dataset.commit("theirs")
    dataset.checkout("main")
    dataset.k[0] = 8
    dataset.b[1] = ours
    dataset.commit("ours")
    return dataset


@pytest.mark.parametrize(
    ("made", "message"),
    [(("text", "generic"), "text here and generic"), (("generic", "embedding"), "generic here and embedding")],
    ids=["text", "embedding"],
)
def test_merge_refuses_two_kinds_of_tensor_with_one_name(tmp_path, made, message):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.extend({"k": [0]})
    dataset.commit("start")
    dataset.checkout("side", create=True)
    dataset.create_tensor("b", made[1])
    dataset.commit("theirs")
    dataset.checkout("main")
    dataset.create_tensor("b", made[0])
    dataset.commit("ours")
    with pytest.raises(ConflictError, match=message):
        dataset.merge("side")


def test_merge_keeps_the_values_of_a_tensor_that_both_branches_made(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.extend({"k": [0, 1, 2]})
    dataset.commit("start")
    dataset.checkout("side", create=True)
    dataset.create_tensor("b", "text")
    dataset.b[0] = "theirs"
    dataset.commit("theirs")
    dataset.checkout("main")
    dataset.create_tensor("b", "text")
    dataset.b[1] = "ours"
    dataset.commit("ours")
    assert dataset.merge("side") == []
    assert [sample.data()["value"] for sample in dataset.b] == ["theirs", "ours", None]


# ---- other kinds that infer something --------------------------------------------------------------

_OTHERS = {
    "embedding": ({"htype": "embedding"}, [[1, 2, 3], None, [4, 5, 6]], [[1, 2]]),
    "mask": ({"htype": "binary_mask"}, [np.ones((2, 3), bool), None, np.zeros((4, 4), bool)], [np.ones((2, 3, 1), bool)]),
    "layered_mask": ({"htype": "binary_mask"}, [np.ones((2, 3, 2), bool), None, np.zeros((1, 1, 0), bool)], [np.ones((2, 2), bool)]),
    "segments": ({"htype": "segment_mask", "dtype": "int32"}, [np.full((2, 2), 70_000), None, np.ones((1, 3), int)], [np.ones((2, 2, 2), int)]),
    "given_dtype": ({"dtype": "float32"}, [[0.5], None, [1.0, 2.0]], [3.0]),
}  # fmt: skip


@pytest.mark.parametrize("kind", _OTHERS)
@pytest.mark.parametrize("way", ["appended", "assigned"])
def test_first_value_fixes_dimensions_and_length_of_other_kinds(tmp_path, kind, way):
    options, values, wrong = _OTHERS[kind]
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.create_tensor("b", **options)
    if way == "appended":
        dataset.extend({"k": [0], "b": [None]})
        dataset.extend({"k": range(3), "b": values})
    else:
        dataset.extend({"k": range(4), "b": [None] * 4})
        dataset.b[1:] = values
    assert _are(dataset.b.numpy(aslist=True), [None, *values])
    dataset.commit("values")
    again = penstock.load(dataset.path)
    assert _are(again.b.numpy(aslist=True), [None, *values])
    for value in wrong:
        with pytest.raises(SampleError, match="Expected"):
            again.b[0] = value
        with pytest.raises(SampleError, match="Expected"):
            again.append({"k": 9, "b": value})


def test_label_counts_follow_assignments_to_a_tensor_made_later(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.extend({"k": [0, 1]})
    dataset.create_tensor("labels", "class_label", class_names=["cat", "dog"])
    assert (content_of(dataset).spec("labels").length_min, content_of(dataset).spec("labels").length_max) == (0, 0)
    dataset.labels[:] = ["dog", "cat"]
    assert content_of(dataset).spec("labels").single_valued
    dataset.commit("one each")
    assert penstock.load(dataset.path).query("select * where labels == 'dog'").indices.tolist() == [0]


# ---- values that are refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "lists of unequal lengths"),
        ([np.ones(2), np.ones(3)], "lists of unequal lengths"),
        ([1, [2]], "lists of unequal lengths"),
        ([1, None], "Expected numbers"),
        ("7", "Expected numbers"),
        ({"a": 1}, "Expected numbers"),
        (1j, "Expected numbers"),
        (2**70, "Expected numbers"),
        (np.longdouble(1), "at most 64 bits"),
        ([1, 2**63 + 1], "do not fit one type"),
    ],
    ids=["ragged", "arrays", "depths", "None", "text", "dict", "complex", "huge", "longdouble", "rounded"],
)
@pytest.mark.parametrize("way", ["append", "extend", "assign"])
def test_value_without_a_number_type_is_refused_before_it_fixes_the_type(tmp_path, value, message, way):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("k", dtype="int64")
    dataset.create_tensor("b")
    dataset.append({"k": 0, "b": None})
    give = {
        "append": lambda: dataset.append({"k": 1, "b": value}),
        "extend": lambda: dataset.extend({"k": [1, 2], "b": [None, value]}),
        "assign": lambda: dataset.b.__setitem__(0, value),
    }
    with pytest.raises(SampleError, match=message):
        give[way]()
    assert not content_of(dataset).spec("b").is_typed
    dataset.b[0] = [1, 2]
    assert dataset.b[0].numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [(1, [1], "Expected 0 dimensions"), ([1], 1, "Expected 1 dim"), (1, 2.5, "that int64 can hold"), (0.5, 2**53 + 1, "exactly")],
    ids=["vector", "scalar", "fraction", "rounded"],
)  # fmt: skip
@pytest.mark.parametrize("way", ["append", "assign"])
def test_value_of_another_type_is_refused_alone(tmp_path, first, second, message, way):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("b")
    dataset.append({"b": first})
    with pytest.raises(SampleError, match=message):
        dataset.append({"b": second}) if way == "append" else dataset.b.__setitem__(0, second)
    dataset.commit("first")
    assert _are(dataset.b.numpy(aslist=True), [first])


def test_whole_numbers_stay_whole_beside_unsigned_ones(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("b")
    dataset.extend({"b": [np.int64(2**53 + 1), np.uint64(5)]})
    assert dataset.b.dtype == "int64"
    assert dataset.b.numpy().tolist() == [2**53 + 1, 5]


def test_pandas_does_not_round_whole_numbers_beside_missing_ones(tmp_path):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("b")
    dataset.extend({"b": [2**53 + 1, None]})
    column = dataset.pandas()["b"]
    assert column[0] == 2**53 + 1
    assert column.isna().tolist() == [False, True]


# ---- two writers -----------------------------------------------------------------------------------


def _two(tmp_path, **options):
    one = penstock.empty(tmp_path / "ds")
    one.create_tensor("k", dtype="int64")
    one.create_tensor("b", **options)
    one.extend({"k": [0, 1, 2], "b": [None] * 3})
    one.commit("start")
    return one, penstock.load(tmp_path / "ds")


@pytest.mark.parametrize(
    ("first", "values", "stored"),
    [
        (1, [2.0, 2.5, 3], {100: 2, 102: 3}),
        (1, [[1.0, 2.0], None], {101: None}),
        ([1.0, 2.0], [3, None], {101: None}),
        (0.5, [2, 2**53 + 1], {100: 2.0}),
    ],
    ids=["fraction", "vector", "scalar", "rounded"],
)
def test_second_writer_keeps_the_appended_samples_that_fit_the_first_ones_type(tmp_path, first, values, stored):
    one, two = _two(tmp_path)
    for row, value in enumerate(values):
        two.append({"k": 100 + row, "b": value})
    one.append({"k": 50, "b": first})
    one.flush()
    with pytest.raises(ConflictError, match=f"of {len(values)} appended samples .* other {len(stored)} were stored"):
        two.flush()
    two.commit("both")
    read = dict(zip(two.k.numpy().tolist(), two.b.numpy(aslist=True), strict=True))
    assert list(read) == [0, 1, 2, 50, *stored]
    assert all(_is(read[key], value) for key, value in {**stored, 50: first}.items())


@pytest.mark.parametrize(
    ("options", "first", "wrong", "right"),
    [({}, 1, [1.0, 2.0], 3), ({}, [1.0, 2.0], 3, [4]), ({"htype": "embedding"}, [1, 2, 3], [1, 2], [4, 5, 6])],
    ids=["scalar", "vector", "embedding"],
)
def test_second_writer_is_told_the_type_that_an_assignment_fixed(tmp_path, options, first, wrong, right):
    one, two = _two(tmp_path, **options)
    one.b[0] = first
    with pytest.raises(SampleError, match="Expected"):
        two.b[1] = wrong
    two.b[1] = right
    two.k[1] = 7
    two.commit("theirs")
    assert _is(penstock.load(tmp_path / "ds").b[1].numpy(), right)
    assert two.k.numpy().tolist() == [0, 7, 2]
