"""The same answers whatever the engine: rows, identities, order, counts, reports."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import penstock
from penstock.dataset.samples import content_of
from penstock.engines import ProcessEngine, RayEngine, ThreadEngine
from penstock.storage import Location, Snapshot

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]

QUERIES = {
    "condition": "select * where contains(labels, 'a')",
    "several": "select * where contains(labels, 'a') and age > 60 or row_number() < 10 and length(labels) = 0",
    "text": "select * where name like 'n1%' and uid() > 0",
    "unions": "(select * where contains(labels, 'b') limit 10) union (select * where age < 30)",
    "random": "select * where random() < .1 and age > 50",
    "sample by": "select * where contains(labels, 'e') sample by max_weight(contains(labels, 'f'): 20, True: 1) limit 50",
    "group by": "select length(labels) as n, count(*) as rows where age > 50 group by length(labels)",
}
WEIGHTS = "max_weight(contains(labels, 'a'): 20, age > 60: 3, True: 1)"


class Counted:
    """An engine that counts the bytes of what comes back."""

    def __init__(self, engine):
        self.engine = engine
        self.sizes = []

    def map(self, task, items, *, num_workers=0):
        for result in self.engine.map(task, items, num_workers=num_workers):
            self.sizes.append(len(pickle.dumps(result)))
            yield result


@pytest.fixture(scope="module", params=["threads", pytest.param("processes", marks=pytest.mark.exhaustive), "ray"])
def engine(request):
    if request.param == "ray":
        request.getfixturevalue("connected")
        yield RayEngine()
    else:
        with {"threads": ThreadEngine, "processes": ProcessEngine}[request.param]() as made:
            yield made


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("penstock.tql.pipeline._over_parts.LABEL_ROWS", 777)
    monkeypatch.setattr("penstock.dataset._verify._ENCODED_ROWS", 20)
    monkeypatch.setattr("penstock.dataset._verify._COLUMN_ROWS", 50)
    monkeypatch.setattr("penstock.dataset.views._materialize._FEWEST", 16)
    monkeypatch.setattr("penstock.importers.building._over._FEWEST_IMAGES", 10)
    monkeypatch.setattr("penstock.importers.building._over._FEWEST", 40)
    monkeypatch.setattr("penstock.importers.building._over.CHUNK", 8)


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """2,997 rows with labels that repeat, an edit that is not committed and three rows popped."""
    path, rng, count = str(tmp_path_factory.mktemp("labels") / "ds"), np.random.default_rng(0), 3000
    ds = penstock.empty(path)
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=list("abcdef"))
        ds.create_tensor("age")
        ds.create_tensor("name", htype="text")
        ds.extend(
            {
                "labels": [rng.integers(0, 6, rng.integers(0, 4)) for _ in range(count)],
                "age": list(rng.normal(50, 10, count)),
                "name": [f"n{number}" for number in range(count)],
            }
        )
    ds.commit("rows")
    ds.pop([3, 1000, 2500])
    ds.labels[7] = ["a", "a", "f"]
    ds.flush()
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """148 images, committed twice, with two equal saved views in another order."""
    path = str(tmp_path_factory.mktemp("pictures") / "ds")
    ds = penstock.demo(path, num_samples=150)
    ds.pop([3, 77])
    ds.commit("two less")
    ds.query("select * order by random()").save_view(id="here")
    return path


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_has_the_same_rows(engine, labels, query):
    here, there = (penstock.load(labels).query(query, engine=one) for one in (None, engine))
    assert there.indices.tolist() == here.indices.tolist()


@pytest.mark.parametrize("weights", [WEIGHTS, None], ids=["weights", "every row"])
def test_a_plan_has_the_same_counts_and_stream(engine, labels, weights):
    here, there = (penstock.load(labels).plan(weights, engine=one) for one in (None, engine))
    for name in ("sizes", "matches"):
        np.testing.assert_array_equal(getattr(there.strata, name), getattr(here.strata, name), strict=True)
    for name in ("offsets", "classes", "strata", "rows_with_class", "instances", "instances_squared"):
        sums = [getattr(one.strata.class_sums, name) for one in (there, here)]
        np.testing.assert_array_equal(*sums, strict=True)
    for name in ("offsets", "strata", "counts", "rows"):
        values = [getattr(one.strata.class_values, name) for one in (there, here)]
        np.testing.assert_array_equal(*values, strict=True)
    np.testing.assert_array_equal(there.histogram().high, here.histogram().high)
    np.testing.assert_array_equal(there.coverage(3).unique, here.coverage(3).unique)
    assert there.strata.labels.num_unlabeled == here.strata.labels.num_unlabeled
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(there)).stream().epoch(1), here.stream().epoch(1))
    assert there.strata.fingerprint == here.strata.fingerprint


def test_nothing_of_the_size_of_the_pool_comes_back_for_its_counts(engine, labels):
    counted, packed = Counted(engine), Counted(engine)
    penstock.load(labels).plan(WEIGHTS, engine=counted).coverage(3)
    assert len(counted.sizes) == 4  # parts of 777 rows
    assert max(counted.sizes) < 6_000  # 2 clauses and 6 classes in 4 strata, whatever the rows
    penstock.load(labels).query(QUERIES["condition"], engine=packed)
    assert max(packed.sizes) < 777 / 8 + 200  # a bit for each row, and numpy's words about the array


def test_verify_reports_the_same(engine, pictures, tmp_path):
    import shutil

    damaged = shutil.copytree(pictures, tmp_path / "damaged")
    largest = max((damaged / "samples.lance" / "data").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 3] ^= 255
    content[len(content) // 2] ^= 255
    largest.write_bytes(content)
    for path in (pictures, damaged):
        here, there = (penstock.load(path, read_only=True).verify(engine=one) for one in (None, engine))
        assert there == here
    assert not here.ok


def test_a_copy_of_a_view_has_the_same_rows_and_identities(engine, pictures, request):
    ds = penstock.load(pictures)
    view_id = f"there-{request.node.callspec.id}"
    ds.load_view("here").save_view(id=view_id)
    here = ds.load_view("here", optimize=True, num_workers=4)
    there = ds.load_view(view_id, optimize=True, num_workers=4, engine=engine)
    assert there.indices.tolist() == here.indices.tolist()
    first, second = (_copied(ds, name) for name in ("here", view_id))
    names = sorted(first.columns - {"_spare"})
    assert second.columns == first.columns
    assert second.read(names).equals(first.read(names))  # uids among them


def _copied(ds, view_id) -> Snapshot:
    return content_of(ds.load_view(view_id)).table.copy.stored.snapshot


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.exhaustive)])
def there(request, tmp_path):
    """Where the engine imports to: a folder, or a bucket."""
    return str(tmp_path) if request.param == "folder" else f"{request.getfixturevalue('bucket').url}/sets"


def _imported(make, engine, tmp_path, there):
    found = [make(place, engine=one) for place, one in ((f"{tmp_path}/here", None), (f"{there}/there", engine))]
    assert not [name for name in _names_in(there) if ".new-" in name]  # it was built aside
    assert found[1].verify(engine=engine).ok
    return found


def _names_in(place):
    if "://" in place:
        return Location(place).everything()
    return sorted(str(path) for path in Path(place).rglob("*"))


def _check_same(here, there):
    assert list(there.tensors) == list(here.tensors)
    tables = [content_of(ds).table for ds in (here, there)]
    rows = np.arange(len(here))
    for name in here.tensors:
        assert tables[1].tensors[name] == tables[0].tensors[name]
        for first, second in zip(*(table.cells(rows, [name])[name] for table in tables), strict=True):
            np.testing.assert_equal(second.value, first.value)
            assert (second.shape, second.digest) == (first.shape, first.digest)
    reports = [penstock.import_report(ds) for ds in (here, there)]
    assert reports[1] == reports[0]
    assert len(np.unique(tables[1].uids(rows))) == len(rows)
    return tables[1].uids(rows)


@pytest.mark.exhaustive
@pytest.mark.real_data
def test_coco_imports_the_same(engine, shared_data, tmp_path, there):  # with links in the playbook
    source = shared_data / "coco_mini"

    def make(dest, **options):
        return penstock.from_coco(
            source / "annotations" / "instances_train2017.json",
            source / "train2017",
            dest,
            progress=False,
            **options,
        )

    uids = _check_same(*_imported(make, engine, tmp_path, there))
    if isinstance(engine, ThreadEngine):
        return
    again = make(str(tmp_path / "again"), engine="threads")
    np.testing.assert_array_equal(content_of(again).table.uids(np.arange(80)), uids)


def test_a_table_imports_the_same(engine, tmp_path, there):
    frame = pd.DataFrame(
        {
            "Finding Labels": ["Mass|Hernia", "Hernia", "Edema", ""] * 50,
            "age": [None, 2.5, 3, 4] * 50,
            "who": ["x", None, "y", "z"] * 50,
            "when": pd.date_range("2020", periods=200),
        }
    )

    def make(dest, **options):
        return penstock.from_table(frame, dest, tensors={"findings": "Finding Labels"}, progress=False, **options)

    _check_same(*_imported(make, engine, tmp_path, there))


@pytest.fixture
def folder(tmp_path):
    for number in range(60):
        path = tmp_path / "images" / "abc"[number % 3] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), number * 4, np.uint8)).save(path)
    (tmp_path / "images" / "b" / "40.jpg").write_bytes(b"\xff\xd8 broken")
    return tmp_path / "images"


def test_a_folder_imports_the_same_and_reports_what_it_left_out(engine, folder, tmp_path, there):
    def make(dest, **options):
        return penstock.from_folder(folder, dest, on_error="skip", progress=False, **options)

    here, found = _imported(make, engine, tmp_path, there)
    _check_same(here, found)
    assert len(found) == 59


def test_an_import_fails_as_it_does_here_and_leaves_nothing(engine, folder, there):
    told, before = [], _names_in(there)
    for one in (None, engine):
        with pytest.raises(penstock.errors.ImporterError) as raised:
            penstock.from_folder(folder, f"{there}/ds", progress=False, engine=one)
        told.append(str(raised.value))
    assert told[1] == told[0]
    assert _names_in(there) == before


def test_a_query_fails_as_it_does_here(engine, labels):
    told = []
    for one in (None, engine):
        with pytest.raises(penstock.errors.TQLError) as raised:
            penstock.load(labels).query("select * where age > 3 and age[1] > 2", engine=one)
        told.append(str(raised.value))
    assert told[1] == told[0]


@pytest.mark.exhaustive
def test_a_dataset_in_a_bucket_answers_as_in_a_folder(engine, labels, pictures, bucket):
    for source, name in ((labels, "labels"), (pictures, "pictures")):
        for file in Path(source).rglob("*"):
            if file.is_file():
                bucket.put(f"{name}/{file.relative_to(source)}", file.read_bytes())
    here, there = penstock.load(labels, read_only=True), penstock.load(f"{bucket.url}/labels", read_only=True)
    for query in QUERIES.values():
        assert there.query(query, engine=engine).indices.tolist() == here.query(query).indices.tolist()
    streams = [one.plan(WEIGHTS, engine=with_one).stream() for one, with_one in ((here, None), (there, engine))]
    np.testing.assert_array_equal(streams[1].epoch(1), streams[0].epoch(1))
    here, there = penstock.load(pictures), penstock.load(f"{bucket.url}/pictures")
    assert there.verify(engine=engine) == here.verify()
    copies = [
        one.load_view("here", optimize=True, engine=with_one) for one, with_one in ((here, None), (there, engine))
    ]
    snapshots = [content_of(one).table.copy.stored.snapshot for one in copies]
    names = sorted(snapshots[0].columns - {"_spare"})
    assert snapshots[1].read(names).equals(snapshots[0].read(names))  # uids among them
    largest = max(bucket.names("pictures/samples.lance/data/"), key=lambda name: len(bucket.get(name)))
    content = bytearray(bucket.get(largest))
    content[len(content) // 3] ^= 255
    bucket.put(largest, bytes(content))
    reports = [penstock.load(f"{bucket.url}/pictures", read_only=True).verify(engine=one) for one in (None, engine)]
    assert reports[1] == reports[0]
    assert not reports[0].ok
