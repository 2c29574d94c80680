"""Every kind of table keeps one contract: the same content, read through every member, is the same."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock
from penstock.batchup.data_source import ArrayDataSource
from penstock.dataset.samples import content_of
from penstock.errors import DatasetError, LoaderError, SampleIndexError, TensorNotFoundError
from penstock.loader.sources._first_sample import FirstSampleTable
from penstock.loader.sources._sequential import BufferedStream, SequentialTable
from penstock.loader.sources._source import SourceTable, as_table
from penstock.table import ArrayTable, OptimizedTable, OverlayTable, ProjectedTable, Ragged, RowsTable, Table
from penstock.table._fixed import FixedTable
from penstock.table.over._over import TableOver
from penstock.tensors import MAX_IMAGE_BYTES, decode_image, encode_image

IMAGES = [encode_image(np.full((3 + row, 4, 3), 20 * row, np.uint8), "png") for row in range(6)]
CONTENT: Mapping[str, list[Any]] = {
    "images": IMAGES,
    "labels": [[0], [2, 1], [], [1], [0, 1, 2], [2]],
    "single": [[0], [1], [2], [0], [1], [2]],
    "boxes": [[[0, 0, 1, 1]], [], [[1, 2, 3, 4], [5, 6, 7, 8]], [], [[0, 0, 2, 2]], []],
    "score": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
    "vector": [[row, row + 1, row + 2] for row in range(6)],
    "grid": [np.arange(2 * row).reshape(2, row) for row in range(6)],
    "maybe": [np.arange(row) if row % 2 else None for row in range(6)],
    "note": ["a", None, "", "ä\n", "e", "f"],
    "meta": [{"k": 0}, None, [], {"k": {"l": None}}, 4, "5"],
}
DTYPES = {
    "images": "uint8", "labels": "int64", "single": "int64", "boxes": "float32", "score": "float32",
    "vector": "float32", "grid": "int64", "maybe": "int64", "note": "str", "meta": "str",
}  # fmt: skip
SHAPES = {
    "images": [[3 + row, 4, 3] for row in range(6)],
    "labels": [[1], [2], [0], [1], [3], [1]],
    "single": [[1]] * 6,
    "boxes": [[1, 4], [0, 4], [2, 4], [0, 4], [1, 4], [0, 4]],
    "score": [[]] * 6,
    "vector": [[3]] * 6,
    "grid": [[2, row] for row in range(6)],
    "maybe": [[0], [1], [0], [3], [0], [5]],
    "note": [[]] * 6,
    "meta": [[]] * 6,
}
MISSING = {"maybe", "note", "meta"}
NAMES = {"labels": ("car", "bus", "dog"), "single": ("car", "bus", "dog")}
KINDS = {
    "images": "image", "labels": "class_label", "single": "class_label", "boxes": "bbox", "score": "generic",
    "vector": "embedding", "grid": "generic", "maybe": "generic", "note": "text", "meta": "json",
}  # fmt: skip
COMPUTED = ("single", "score", "maybe", "note")  # what a projection computes


def arrays() -> ArrayTable:
    columns = dict(CONTENT)
    columns["boxes"] = [np.array(boxes, np.float32).reshape(-1, 4) for boxes in CONTENT["boxes"]]
    columns["score"] = np.array(CONTENT["score"], np.float32)
    columns["vector"] = np.array(CONTENT["vector"], np.float32)
    kinds = {name: kind for name, kind in KINDS.items() if name not in NAMES}
    return ArrayTable(columns, class_names=NAMES, htypes=kinds)


def sample(row: int) -> dict[str, Any]:
    values = {name: values[row] for name, values in CONTENT.items()}
    return {**values, "images": decode_image(values["images"])}


def written(path, samples) -> penstock.Dataset:
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image", sample_compression="png")
    for name, kind in KINDS.items():
        if kind != "image":
            options = {"class_names": list(NAMES[name])} if name in NAMES else {}
            options |= {"dtype": DTYPES[name]} if kind in {"generic", "embedding"} else {}
            ds.create_tensor(name, htype=kind, **options)
    for values in samples:
        ds.append(values)
    ds.commit("all")
    return ds


def stored(path) -> OverlayTable:
    return content_of(written(path, map(sample, range(6)))).table


def drafted(path) -> OverlayTable:
    """Return a table whose rows 1 and 4 are wrong in the files and right in the draft."""
    ds = written(path, map(sample, [0, 2, 2, 3, 5, 5]))
    for row in (1, 4):
        for name, value in sample(row).items():
            ds[name][row] = value
    return content_of(ds).table


def optimized(path, rows) -> OptimizedTable:
    ds = written(path, map(sample, range(6)))
    ds[rows].save_view(id="some")
    return content_of(ds.load_view("some", optimize=True)).table


def projected(path) -> ProjectedTable:
    """A dataset with other values in some columns, for which a projection has the right ones."""
    other = {"single": [0], "score": -1.0, "maybe": np.array([9]), "note": "-"}
    source = content_of(written(path, [{**sample(row), **other} for row in range(6)])).table
    columns = {name: arrays().column(name) for name in COMPUTED}
    return ProjectedTable(source, np.arange(6), list(source.tensors), columns)


def turned(table: Table) -> RowsTable:
    """The rows of a table in the order of another, which has them turned round and some twice."""
    return RowsTable(RowsTable(table, np.array([5, 4, 4, 3, 2, 1, 0, 0])), np.array([7, 5, 4, 3, 1, 0]))


def result(table: Table) -> ArrayTable:
    """Return the table that a query with grouped results becomes."""
    names = [name for name in KINDS if name not in {"images", "meta"}]
    return ArrayTable(
        {name: table.column(name) for name in names}, class_names=NAMES, htypes={"boxes": "bbox", "vector": "embedding"}
    )


class Listed:
    """A source of arrays, of the columns that have one shape in all rows."""

    def __init__(self) -> None:
        self.columns = {name: np.array(CONTENT[name], DTYPES[name]) for name in ("single", "score", "vector")}
        self.columns["word"] = np.array([str(row) for row in range(6)], object)

    def num_samples(self) -> int:
        return 6

    def samples_by_indices(self, indices):
        return {name: column[indices] for name, column in self.columns.items()}

    def arrays(self):
        return self.columns


class Kept:
    """What all tests of this module read; each table is made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: dict[str, Table] = {}

    def __getitem__(self, kind: str) -> Table:
        if kind not in self.tables:
            self.tables[kind] = self.made(kind)
        return self.tables[kind]

    def made(self, kind: str) -> Table:
        if kind.startswith("rows of "):
            return turned(self[kind.removeprefix("rows of ")])
        make = {
            "array": lambda: arrays(),
            "result": lambda: result(self["stored"]),
            "stored": lambda: stored(self.folder / "stored"),
            "draft": lambda: drafted(self.folder / "draft"),
            "projected": lambda: projected(self.folder / "projected"),
            "optimized": lambda: optimized(self.folder / "optimized", [5, 3, 1, 0, 2, 4]),
            "optimized in part": lambda: optimized(self.folder / "part", [4, 1]),
            "source": lambda: as_table(Listed()),
            "batchup": lambda: as_table(ArrayDataSource(list(Listed().columns.values())[:3]).__drawn__(0).source),
        }
        return make[kind]()


KINDS_OF_TABLE = {
    "array": ArrayTable, "result": ArrayTable, "stored": OverlayTable, "draft": OverlayTable,
    "projected": ProjectedTable, "optimized": OptimizedTable, "optimized in part": OptimizedTable,
    "rows of array": RowsTable, "rows of draft": RowsTable, "rows of projected": RowsTable,
    "rows of optimized": RowsTable, "source": SourceTable, "batchup": SourceTable,
}  # fmt: skip
KINDS_IN_COMMON = {Table, TableOver, FixedTable, FirstSampleTable}  # what several kinds have in common
SOURCES = {"source": ["single", "score", "vector"], "batchup": ["0", "1", "2"]}
NAMES_IN_SOURCE = dict(zip(SOURCES["batchup"], SOURCES["source"], strict=True))


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Kept:
    return Kept(tmp_path_factory.mktemp("contract"))


@pytest.fixture(params=list(KINDS_OF_TABLE))
def table(kept, request) -> Table:
    found = kept[request.param]
    assert type(found) is KINDS_OF_TABLE[request.param]
    return found


def content(table: Table) -> dict[str, str]:
    """Return the name in CONTENT of each tensor."""
    return {name: NAMES_IN_SOURCE.get(name, name) for name in table.tensors if name != "word"}


def assert_sample(own: str, got: Any, row: int) -> None:
    expected = CONTENT[own][row]
    if expected is None:
        assert got is None
    elif own == "images":
        assert bytes(got) == expected
    elif own in {"note", "meta"}:
        assert got == expected
        assert type(got) is type(expected)
    else:
        assert np.asarray(got).dtype.name == DTYPES[own]
        assert list(np.shape(got)) == SHAPES[own][row]
        assert np.array_equal(got, np.asarray(expected).reshape(np.shape(got)))


ORDERS = {"order": [3, 0, 5, 1], "duplicates": [2, 2, 0, 2, 5, 0], "all": [0, 1, 2, 3, 4, 5], "one": [4], "none": []}


@pytest.mark.parametrize("rows", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("member", ["take", "take_views"])
def test_table_takes_samples_in_the_order_of_rows_with_repeats(table, member, rows):
    names = content(table)
    taken = getattr(table, member)(np.array(rows, np.int64), list(names))
    assert list(taken) == list(names)
    for name, own in names.items():
        assert len(taken[name]) == len(rows)
        for got, row in zip(taken[name], rows, strict=True):
            assert_sample(own, got, row)


@pytest.mark.parametrize("member", ["take", "take_views"])
def test_table_takes_no_tensors_when_none_is_asked_for(table, member):
    assert dict(getattr(table, member)(np.array([1, 0]), [])) == {}


def test_table_takes_tensors_in_the_order_asked_for(table):
    names = list(content(table))[::-1]
    assert list(table.take_views(np.array([1]), names)) == names


def test_table_gives_arrays_of_their_own(table):
    for name, own in content(table).items():
        first = table.take(np.array([4]), [name])[name][0]
        if isinstance(first, np.ndarray) and first.ndim:
            first[...] = 0
            assert_sample(own, table.take(np.array([4]), [name])[name][0], 4)


def test_table_reads_columns_with_dtypes_shapes_and_missing_values(table):
    for name, own in content(table).items():
        if own == "images":
            continue
        column = table.column(name)
        assert len(column) == table.num_rows == 6
        assert column.offsets.dtype == np.int64
        assert column.values.dtype == (np.dtypes.StringDType() if DTYPES[own] == "str" else DTYPES[own])
        assert column.class_names == (NAMES.get(own) if table.tensors[name].htype == "class_label" else None)
        valid = [value is not None for value in CONTENT[own]]
        assert table.has_nulls(name) == (own in MISSING)
        assert (column.valid is None) == (own not in MISSING)
        assert column.valid is None or column.valid.tolist() == valid
        if DTYPES[own] != "str":
            for row in np.flatnonzero(valid).tolist():
                assert_sample(own, column.row(row), row)


def test_table_knows_shapes_without_decoding(table):
    for name, own in content(table).items():
        shapes = table.shapes(name)
        assert shapes.dtype == np.int64
        assert shapes.shape == (6, len(SHAPES[own][0]))
        assert shapes.tolist() == SHAPES[own]


def test_table_describes_its_tensors(table):
    for name, own in content(table).items():
        spec = table.tensors[name]
        assert (spec.name, spec.dtype) == (name, DTYPES[own])
        assert spec.htype == ("generic" if isinstance(table, SourceTable) else KINDS[own])


def test_table_has_one_uid_a_row(table):
    uids = table.uids(np.arange(6))
    assert uids.dtype == np.int64
    assert len(set(uids.tolist())) == 6
    assert table.uids(np.array([3, 0, 3])).tolist() == uids[[3, 0, 3]].tolist()
    assert table.uids(np.array([], np.int64)).shape == (0,)


def test_table_has_the_same_revisions_until_something_changes(table):
    assert table.version == table.version
    assert len({table.revision(name) for name in table.tensors} - {""}) >= 1
    assert all(table.revision(name) == table.revision(name) for name in table.tensors)


def test_source_has_a_column_of_its_texts(kept):
    column = kept["source"].column("word")
    assert (column.values.dtype.kind, column.values.tolist()) == ("T", [str(row) for row in range(6)])
    assert kept["source"].take(np.array([3]), ["word"])["word"][0] == "3"


def test_table_stacks_what_has_one_shape(table):
    for name, own in content(table).items():
        if own in {"images", "note", "meta"}:
            continue
        shape = tuple(SHAPES[own][0])
        found = table.stacked(name, shape)
        assert table.stacked(name, (*shape, 7)) is None
        if own in {"single", "score", "vector"}:
            assert found.tolist() == np.array(CONTENT[own], DTYPES[own]).tolist()
        else:
            assert found is None


def test_table_bounds_its_images(table):
    assert table.max_image_bytes == MAX_IMAGE_BYTES


MEMBERS = {
    "take": lambda table, name: table.take(np.array([0]), [name]),
    "take_views": lambda table, name: table.take_views(np.array([0]), [name]),
    "column": lambda table, name: table.column(name),
    "shapes": lambda table, name: table.shapes(name),
    "revision": lambda table, name: table.revision(name),
    "has_nulls": lambda table, name: table.has_nulls(name),
    "stacked": lambda table, name: table.stacked(name, (1,)),
}


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
def test_table_names_its_tensors_when_there_is_none_of_a_name(table, member):
    with pytest.raises(TensorNotFoundError, match="scor"):
        member(table, "scor")


@pytest.mark.parametrize("member", ["take", "take_views", "uids"])
@pytest.mark.parametrize("rows", [[6], [0, -1], [2, 99, 1]], ids=["next", "negative", "far"])
def test_table_refuses_rows_that_do_not_exist(table, member, rows):
    arguments = () if member == "uids" else ([next(iter(table.tensors))],)
    with pytest.raises(SampleIndexError, match=r"row (6|-1|99) does not exist"):
        getattr(table, member)(np.array(rows), *arguments)


@pytest.mark.parametrize("member", [MEMBERS["column"], MEMBERS["has_nulls"], MEMBERS["stacked"]],
                         ids=["column", "has_nulls", "stacked"])  # fmt: skip
def test_table_has_no_column_of_images(table, member):
    if "images" in table.tensors:
        with pytest.raises(DatasetError, match=r"'images' .*Expected a tensor that is not an image or mask"):
            member(table, "images")
    else:
        assert not any(spec.is_encoded for spec in table.tensors.values())


@pytest.mark.parametrize("kind", ["stored", "draft", "optimized", "optimized in part"])
def test_table_lends_images_when_they_are_read_from_files(kept, kind):
    rows = np.array([0, 3])
    lent = kept[kind].take_views(rows, ["images", "note"])["images"]
    drafted = kind == "draft"  # bytes of a draft are in memory
    assert [type(image) for image in lent] == [bytes if drafted else memoryview] * 2


def test_optimized_table_reads_from_the_copy_alone_when_all_rows_are_copied(kept, monkeypatch):
    table = kept["optimized in part"]
    monkeypatch.setattr(table.source, "take", None)
    monkeypatch.setattr(table.source, "take_views", None)
    assert [bytes(image) for image in table.take_views(np.array([4, 1, 4]), ["images"])["images"]] == [
        IMAGES[4], IMAGES[1], IMAGES[4],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["projected", "optimized", "rows of optimized", "stored"])
def test_table_has_an_origin_with_the_same_rows(kept, kind):
    table = kept[kind]
    assert isinstance(table.origin, RowsTable if kind.startswith("rows") else OverlayTable)
    assert table.origin.uids(np.arange(6)).tolist() == table.uids(np.arange(6)).tolist()


@pytest.mark.parametrize("kind", ["stored", "draft", "projected", "optimized", "rows of draft"])
def test_table_can_be_sent_to_a_worker(kept, kind):
    sent = pickle.loads(pickle.dumps(kept[kind]))
    for name, own in content(sent).items():
        assert_sample(own, sent.take_views(np.array([4]), [name])[name][0], 4)


EMPTY = {
    "array": lambda folder: ArrayTable({name: [] for name in KINDS}, class_names=NAMES, htypes=KINDS),
    "stored": lambda folder: content_of(written(folder / "empty", [])).table,
    "rows": lambda folder: RowsTable(arrays(), np.array([], np.int64)),
    "projected": lambda folder: ProjectedTable(content_of(written(folder / "empty", [])).table, np.array([], np.int64),
                                               list(KINDS), {"score": ArrayTable({"score": []}).column("score")}),
}  # fmt: skip


@pytest.mark.parametrize("make", EMPTY.values(), ids=EMPTY)
def test_table_without_rows_has_every_member(tmp_path, make):
    table, nothing = make(tmp_path), np.array([], np.int64)
    assert table.num_rows == 0
    assert table.uids(nothing).tolist() == []
    assert {name: list(samples) for name, samples in table.take_views(nothing, list(KINDS)).items()} == {
        name: [] for name in KINDS
    }
    for name, kind in KINDS.items():
        assert table.shapes(name).shape[0] == 0
        assert table.shapes(name).ndim == 2
        if kind != "image":
            assert len(table.column(name)) == 0
    with pytest.raises(SampleIndexError, match="row 0 does not exist"):
        table.take(np.array([0]), ["score"])


class Streamed:
    """A source that is read in sequence."""

    def num_samples(self) -> int:
        return 6

    def __iter__(self):
        return ({"score": np.float32(score), "word": str(row)} for row, score in enumerate(CONTENT["score"]))


def test_sequential_table_takes_what_its_stream_came_to():
    table = as_table(Streamed())
    assert isinstance(table, SequentialTable)
    assert BufferedStream(table, 0, 0).slice(0, 3).tolist() == [0, 1, 2]
    assert table.take_views(np.array([2, 0]), ["word", "score"]) == {"word": ["2", "0"], "score": [2.5, 0.5]}
    assert table.shapes("score").shape == (6, 0)
    assert (table.has_nulls("word"), table.stacked("score", ())) == (False, None)
    assert table.uids(np.array([5, 5])).tolist() == [5, 5]


@pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)
def test_sequential_table_names_its_tensors_when_there_is_none_of_a_name(member):
    with pytest.raises(TensorNotFoundError, match="scor"):
        member(as_table(Streamed()), "scor")


def test_sequential_table_refuses_what_needs_samples_by_number():
    table = as_table(Streamed())
    with pytest.raises(LoaderError, match="the column 'score' needs samples that can be read by number"):
        table.column("score")
    with pytest.raises(LoaderError, match="row 4 needs samples that can be read by number"):
        table.take(np.array([4]), ["score"])
    with pytest.raises(SampleIndexError, match=r"row 6 does not exist. Expected 0 to 5"):
        table.take(np.array([6]), ["score"])


def test_every_kind_of_table_is_in_the_contract():
    kinds = [Table]
    for kind in kinds:
        kinds += [each for each in kind.__subclasses__() if each.__module__.startswith("penstock.")]
    assert set(kinds) == {*KINDS_OF_TABLE.values(), SequentialTable, *KINDS_IN_COMMON}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"values": np.arange(6), "shapes": np.array([[3, 2]])}, ([3, 2], True)),
        ({"values": np.arange(6), "shapes": np.array([[2, 3]])}, ([2, 3], False)),
        ({"values": np.arange(6), "shapes": np.array([[2, 3]]), "valid": np.array([False])}, (None, True)),
    ],
    ids=["another shape", "its own", "missing"],
)
def test_projected_table_computes_what_differs_from_its_source_in_anything(other, expected):
    source = ArrayTable({"grid": np.arange(6).reshape(1, 2, 3)})
    column = Ragged(offsets=np.array([0, 6]), **other)
    table = ProjectedTable(source, np.array([0]), ["grid"], {"grid": column})
    found = table.take(np.array([0]), ["grid"])["grid"][0]
    assert (None if found is None else list(found.shape)) == expected[0]
    assert (table.revision("grid") != source.revision("grid")) == expected[1]


def test_projected_tables_of_other_values_have_other_revisions():
    source = ArrayTable({"score": np.arange(2)})
    made = [
        ProjectedTable(
            source, np.arange(2), ["score"], {"score": ArrayTable({"score": np.array([7, row])}).column("score")}
        )
        for row in range(2)
    ]
    assert len({table.revision("score") for table in made}) == 2
