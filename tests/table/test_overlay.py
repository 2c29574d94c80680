from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import DatasetError, ImageDecodeError, LinkError, SampleIndexError, TensorNotFoundError
from penstock.tensors import decode_image, encode_image


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for index in range(6):
        (folder / f"{index}.png").write_bytes(encode_image(np.full((3 + index, 4), index, np.uint8)))
    return folder


@pytest.fixture
def ds(tmp_path, files):
    dataset = penstock.empty(tmp_path / "ds")
    dataset.create_tensor("images", htype="link[image]")
    dataset.create_tensor("labels", htype="class_label", class_names=["a", "b", "c"])
    dataset.create_tensor("note", htype="text")
    for index in range(6):
        dataset.append(
            {"images": penstock.link(files / f"{index}.png"), "labels": [index % 3] * (index % 2), "note": f"n{index}"}
        )
    dataset.commit("start")
    return dataset


def test_take_keeps_order_and_repeats(ds):
    taken = content_of(ds).table.take(np.array([4, 1, 4, 0]), ["images", "labels", "note"])
    assert [int(decode_image(image)[0, 0, 0]) for image in taken["images"]] == [4, 1, 4, 0]
    assert [labels.tolist() for labels in taken["labels"]] == [[], [1], [], []]
    assert taken["note"] == ["n4", "n1", "n4", "n0"]
    assert content_of(ds).table.take(np.array([], np.int64), ["images", "note"]) == {"images": [], "note": []}


@pytest.mark.parametrize(("rows", "message"), [([1, 6], "row 6 does not exist"), ([-1], "row -1")], ids=str)
def test_take_checks_rows(ds, rows, message):
    with pytest.raises(SampleIndexError, match=message):
        content_of(ds).table.take(np.array(rows), ["labels"])


def test_take_checks_names(ds):
    with pytest.raises(TensorNotFoundError, match="did you mean 'labels'"):
        content_of(ds).table.take(np.array([1]), ["label"])


def test_images_are_no_column(ds):
    with pytest.raises(DatasetError, match="as a column"):
        content_of(ds).table.column("images")


def test_what_was_taken_may_be_changed_without_harm(ds):
    content_of(ds).table.take(np.array([1]), ["labels"])["labels"][0][:] = 2
    assert content_of(ds).table.take(np.array([1]), ["labels"])["labels"][0].tolist() == [1]
    with pytest.raises(ValueError, match="read-only"):
        content_of(ds).table.column("labels").values[0] = 2


def test_what_was_read_from_the_draft_may_be_changed_without_harm(tmp_path):
    ds = penstock.empty(tmp_path / "vectors")
    ds.create_tensor("vector", htype="embedding")
    ds.extend({"vector": [[1, 2], [3, 4]]})
    ds.vector[1] = [5, 6]
    ds.vector[1].numpy()[:] = 0
    assert ds.vector.numpy().tolist() == [[1, 2], [5, 6]]


def test_edits_lie_over_the_stored_column_alone(ds):
    before = content_of(ds).table
    ds.labels[2] = [0, 2]
    ds.labels[1] = []
    after = content_of(ds).table
    assert before.column("labels").offsets.tolist() == [0, 0, 1, 1, 2, 2, 3]
    column = after.column("labels")
    assert [column.row(row).tolist() for row in range(6)] == [[], [], [0, 2], [0], [], [2]]
    assert after.edited_rows("labels").tolist() == [1, 2]
    assert after.revision("note") == before.revision("note")
    assert after.revision("labels") != before.revision("labels")
    assert after.tensors["labels"].length_max == 2


def test_shapes_that_were_not_recorded_are_read_without_decoding(tmp_path, files):
    ds = penstock.empty(tmp_path / "lazy")
    ds.create_tensor(
        "images", htype="link[image]", verify=False, create_shape_tensor=False, create_sample_info_tensor=False
    )
    for index in range(3):
        ds.append({"images": penstock.link(files / f"{index}.png")})
    ds.append({"images": penstock.link(tmp_path / "missing.png")})
    assert content_of(ds).table.shapes("images").tolist() == [[3, 4, 1], [4, 4, 1], [5, 4, 1], [-1, -1, -1]]
    ds.images[3] = penstock.link(files / "5.png")
    assert content_of(ds).table.shapes("images")[3].tolist() == [8, 4, 1]


def test_a_broken_link_costs_its_own_sample_alone(ds, files):
    (files / "2.png").unlink()
    (files / "3.png").write_bytes(b"not an image at all")
    (files / "4.png").write_bytes((files / "4.png").read_bytes()[:40])
    images = content_of(ds).table.take(np.arange(6), ["images"])["images"]
    with pytest.raises(LinkError, match=r"2.png' does not exist"):
        decode_image(images[2])
    with pytest.raises(LinkError, match=r"3.png' is not an image"):
        decode_image(images[3])
    with pytest.raises(ImageDecodeError):
        decode_image(images[4])
    assert [decode_image(images[row]).shape[0] for row in (0, 1, 5)] == [3, 4, 8]
    assert [problem.row for problem in ds.verify().problems] == [2, 3, 4]


def test_links_stay_inside_the_folders_they_were_added_from(ds, files, tmp_path, monkeypatch):
    secret = tmp_path / "elsewhere" / "secret.png"
    secret.parent.mkdir()
    secret.write_bytes(encode_image(np.zeros((2, 2), np.uint8)))
    (files / "0.png").unlink()
    (files / "0.png").symlink_to(secret)
    with pytest.raises(LinkError, match="outside the folders that this dataset may read"):
        ds.images[0].numpy()
    monkeypatch.setenv("PENSTOCK_LINK_ROOTS", os.pathsep.join([str(tmp_path / "elsewhere"), "/nowhere"]))
    fresh = penstock.load(ds.path)
    assert fresh.images[0].numpy().shape == (2, 2, 1)
    with pytest.raises(LinkError, match="outside"):
        fresh.images[1].numpy()


def test_a_link_to_no_image_is_refused_when_added(ds, tmp_path):
    text = tmp_path / "passwords"
    text.write_text("root:x:0:0")
    with pytest.raises(LinkError, match="is not an image"):
        ds.append({"images": penstock.link(text), "labels": None, "note": None})
    with pytest.raises(LinkError, match="does not exist"):
        ds.images[0] = penstock.link(tmp_path / "none.png")
    assert len(ds) == 6


def test_many_threads_read_the_same_table(ds):
    def read(seed):
        rows = np.random.default_rng(seed).integers(0, 6, 20)
        taken = content_of(ds).table.take(rows, ["images", "note"])
        assert taken["note"] == [f"n{row}" for row in rows]
        return [int(decode_image(image)[0, 0, 0]) for image in taken["images"]] == rows.tolist()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(64)))


def test_a_table_travels_to_another_process_with_its_draft(ds, tmp_path):
    ds.labels[0] = ["c", "c"]
    (tmp_path / "table.pickle").write_bytes(pickle.dumps(content_of(ds).table))
    code = (
        "import pickle, sys, numpy as np\n"
        f"table = pickle.loads(open({str(tmp_path / 'table.pickle')!r}, 'rb').read())\n"
        "taken = table.take(np.array([5, 0]), ['images', 'labels'])\n"
        "print(table.version, len(taken['images'][0]) > 0, taken['labels'][1].tolist())"
    )
    seen = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    assert seen == f"{ds.version} True [2, 2]"


def test_positions_follow_identity(ds):
    uids = content_of(ds).table.uids(np.array([4, 2]))
    ds.pop(3)
    assert content_of(ds).table.positions(np.array([*uids, 12345])).tolist() == [3, 2, -1]


@pytest.fixture
def pictures(tmp_path):
    dataset = penstock.empty(tmp_path / "pictures")
    dataset.create_tensor("images", htype="image", sample_compression="png")
    dataset.create_tensor("labels", htype="class_label", class_names=["a", "b"])
    for part in range(2):  # two files
        with dataset:
            rows = range(4 * part, 4 * part + 4)
            dataset.extend({"images": [np.full((3, 4 + row, 3), row, np.uint8) for row in rows], "labels": [[0]] * 4})
        dataset.commit(f"part {part}")
    return dataset


def test_views_are_the_bytes_that_take_copies(pictures):
    rows = np.array([5, 0, 5, 7, 3])
    copied, lent = (
        take(rows, ["labels", "images"])
        for take in (content_of(pictures).table.take, content_of(pictures).table.take_views)
    )
    assert list(lent) == ["labels", "images"]
    assert [bytes(view) for view in lent["images"]] == list(copied["images"])
    assert all(isinstance(view, memoryview) and view.readonly for view in lent["images"])
    assert [label.tolist() for label in lent["labels"]] == [[0]] * 5
    empty = content_of(pictures).table.take_views(np.array([], np.int64), ["images"])
    assert empty == {"images": []}
    with pytest.raises(SampleIndexError):
        content_of(pictures).table.take_views(np.array([8]), ["images"])
    with pytest.raises(TensorNotFoundError):
        content_of(pictures).table.take_views(np.array([0]), ["image"])


def test_views_show_edits_that_are_not_committed(pictures):
    pictures.images[2] = np.full((3, 3, 3), 200, np.uint8)
    lent = content_of(pictures).table.take_views(np.array([1, 2]), ["images"])["images"]
    assert [int(decode_image(image)[0, 0, 0]) for image in lent] == [1, 200]


def test_a_missing_image_has_no_view(tmp_path):
    dataset = penstock.empty(tmp_path / "some")
    dataset.create_tensor("images", htype="image", sample_compression="png")
    dataset.create_tensor("labels", htype="class_label", class_names=["a"])
    with dataset:
        dataset.append({"images": np.zeros((2, 2, 3), np.uint8), "labels": [0]})
        dataset.append({"images": None, "labels": [0]})
    dataset.commit("one is missing")
    lent = content_of(dataset).table.take_views(np.array([1, 0]), ["images"])["images"]
    assert lent[0] is None
    assert decode_image(lent[1]).shape == (2, 2, 3)
