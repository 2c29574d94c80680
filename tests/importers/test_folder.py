from __future__ import annotations

import os

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers import from_folder, import_report
from penstock.importers._folder import parse_folder
from penstock.importers.building._report import IssueLog
from penstock.tensors import encode_image

PNG = encode_image(np.full((4, 5, 3), 90, np.uint8), "png")


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG)


def parsed(root, on_error="raise", **options):
    """Return (path, class, split) of every image, and the report's lines."""
    log = IssueLog(on_error)
    found = parse_folder(root, log, **options)

    def name(indices, names, row):
        return None if indices is None or indices[row] < 0 else names[indices[row]]

    rows = [
        (
            str(path.relative_to(root)),
            name(found.labels, found.class_names, row),
            name(found.splits, found.split_names, row),
        )
        for row, path in enumerate(found.images)
    ]
    return rows, [str(issue).replace(f"{root}/", "") for issue in log.issues]


def test_the_first_folder_is_the_class(tmp_path):
    touch(tmp_path, "dog/2.jpg", "cat/deep/1.PNG", "cat/0.jpg")
    (tmp_path / "cat/notes.txt").write_text("seen at dawn")
    rows, report = parsed(tmp_path)
    assert rows == [("cat/0.jpg", "cat", None), ("cat/deep/1.PNG", "cat", None), ("dog/2.jpg", "dog", None)]
    assert report == ["ignored: cat/notes.txt: not an image"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train/dog/1.jpg", "val/cat/2.jpg"], [("dog", "train"), ("cat", "val")]),
        (["Train/dog/1.jpg", "TEST/cat/2.jpg"], [("cat", "TEST"), ("dog", "Train")]),
        (["train2017/dog/1.jpg", "val2017/cat/2.jpg"], [("dog", "train2017"), ("cat", "val2017")]),
        (["training_set/dog/1.jpg", "test_set/cat/2.jpg"], [("cat", "test_set"), ("dog", "training_set")]),
        (["train/cat/1.jpg", "train/dog/2.jpg"], [("cat", "train"), ("dog", "train")]),
        (["test/9.jpg", "train/cat/1.jpg", "train/dog/2.jpg"], [(None, "test"), ("cat", "train"), ("dog", "train")]),
        (["test/1.jpg", "train/2.jpg"], [(None, "test"), (None, "train")]),
        (["pets/train/cat/1.jpg", "pets/val/dog/1.jpg"], [("cat", "train"), ("dog", "val")]),
        (["a/b/train/cat/1.jpg", "a/b/val/dog/1.jpg"], [("cat", "train"), ("dog", "val")]),
        (["pets/test/1.jpg", "pets/train/cat/1.jpg"], [(None, "test"), ("cat", "train")]),
        (["images/train/cat/1.jpg", "images/val/dog/1.jpg"], [("cat", "train"), ("dog", "val")]),
        (["images/cat/1.jpg", "images/dog/1.jpg"], [("cat", None), ("dog", None)]),
        (["test/test/1.jpg", "train/train/1.jpg"], [(None, "test"), (None, "train")]),
        (["train/train/cat/1.jpg", "val/val/cat/1.jpg"], [("cat", "train"), ("cat", "val")]),
        (["train/cat/images/1.jpg", "val/images/2.jpg"], [("cat", "train"), (None, "val")]),
        (
            ["cat/test/1.jpg", "cat/train/1.jpg", "dog/train/1.jpg"],
            [("cat", "test"), ("cat", "train"), ("dog", "train")],
        ),
    ],
    ids=[
        "splits over classes",
        "letter case",
        "year",
        "set",
        "one split",
        "test unlabeled",
        "all unlabeled",
        "wrapped",
        "wrapped twice",
        "wrapped and unlabeled",
        "images over splits",
        "images over classes",
        "split twice",
        "split twice over classes",
        "tiny imagenet",
        "classes over splits",
    ],
)
def test_splits_are_never_classes(tmp_path, names, expected):
    touch(tmp_path, *names)
    rows, report = parsed(tmp_path)
    assert [(label, split) for _, label, split in rows] == expected
    assert report == []


def test_images_beside_splits_are_reported(tmp_path):
    touch(tmp_path, "train/cat/1.png", "val/dog/1.png", "docs/logo.png", "docs/old/logo.png", "cover.png")
    rows, report = parsed(tmp_path)
    assert [(label, split) for _, label, split in rows] == [("cat", "train"), ("dog", "val")]
    assert report == [
        "ignored: cover.png: an image next to the splits train, val",
        "ignored: docs: a folder with 2 images next to the splits train, val",
    ]


def test_images_beside_the_class_folders_of_a_split_are_refused_by_name(tmp_path):
    touch(tmp_path, "train/cat/1.png", "train/2.png", "val/3.png")
    with pytest.raises(ImporterError, match=r"2\.png: is not in a class folder, but other images in 'train' are"):
        parsed(tmp_path)
    assert [(label, split) for _, label, split in parsed(tmp_path, "skip")[0]] == [("cat", "train"), (None, "val")]


@pytest.mark.parametrize(
    "names", [["car/1.png", "bus/1.png", "train/1.png"], ["train/cat/1.png", "docs/1.png"], ["1.png", "train/1.png"]]
)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_one_folder_named_as_a_split_beside_others_asks_which_it_is(tmp_path, names, on_error):
    touch(tmp_path, *names)
    with pytest.raises(ImporterError, match=r"'train' has the name of a split, and next to it.*splits=\(\)"):
        parsed(tmp_path, on_error)


def test_splits_may_be_named(tmp_path):
    touch(tmp_path, "car/1.png", "bus/1.png", "train/1.png", "fold1/a/1.png", "fold2/b/1.png")
    assert [label for _, label, _ in parsed(tmp_path, splits=())[0]] == ["bus", "car", "fold1", "fold2", "train"]
    rows, _ = parsed(tmp_path, "skip", splits=["Fold1", "fold2"])
    assert [(label, split) for _, label, split in rows] == [("a", "fold1"), ("b", "fold2")]
    rows, report = parsed(tmp_path, splits=["train"])
    assert [(label, split) for _, label, split in rows] == [(None, "train")]
    assert len(report) == 4
    with pytest.raises(ImporterError, match="no folders named holdout"):
        parsed(tmp_path, splits=["holdout"])
    for wrong in ("train", 5, [1]):
        with pytest.raises(ImporterError, match="Expected a sequence of folder names"):
            parsed(tmp_path, splits=wrong)


def test_a_flat_folder_has_no_labels(tmp_path):
    touch(tmp_path, "1.jpg", "2.jpg")
    assert parsed(tmp_path)[0] == [("1.jpg", None, None), ("2.jpg", None, None)]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ImporterError, match=r"there are has no images.*the folder has no files"):
        parsed(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ImporterError, match=r"none' does not exist"):
        parsed(tmp_path / "none")


def test_an_image_beside_class_folders_is_refused(tmp_path):
    touch(tmp_path, "1.jpg", "dog/2.jpg")
    with pytest.raises(ImporterError, match=r"1\.jpg.*is not in a class folder"):
        parsed(tmp_path)


def test_what_is_passed_over_is_in_the_report(tmp_path):
    touch(tmp_path, "cat/1.png", "cat/._1.png", ".ipynb_checkpoints/1-checkpoint.png", "__MACOSX/cat/._1.png")
    (tmp_path / "Thumbs.db").write_bytes(b"\0")
    (tmp_path / "labels.csv").write_text("a,b")
    (tmp_path / "dog/young").mkdir(parents=True)
    rows, report = parsed(tmp_path)
    assert [row[0] for row in rows] == ["cat/1.png"]
    assert sorted(line.split(": ")[1] for line in report) == [
        ".ipynb_checkpoints",
        "Thumbs.db",
        "__MACOSX",
        "cat/._1.png",
        "dog",
        "labels.csv",
    ]


def test_links_count_as_inside(tmp_path):
    touch(tmp_path, "root/cat/1.png", "store/2.png")
    (tmp_path / "root/dog").symlink_to(tmp_path / "store")
    rows, report = parsed(tmp_path / "root")
    assert [label for _, label, _ in rows] == ["cat", "dog"]
    assert report == [
        f"noted: {tmp_path / 'root'}: 1 files are reached through symbolic links that point outside this folder"
    ]


def test_a_link_that_leads_nowhere_is_refused_by_name(tmp_path):
    touch(tmp_path, "cat/1.png")
    (tmp_path / "cat/2.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(ImporterError, match=r"2\.png: the image file does not exist"):
        from_folder(tmp_path, tmp_path.parent / "links-out", progress=False)
    ds = from_folder(tmp_path, tmp_path.parent / "links-out", progress=False, on_error="skip")
    assert [issue.source.rsplit("/", 1)[-1] for issue in import_report(ds).rejected] == ["2.png"]


def test_images_without_label_have_an_empty_one(tmp_path):
    touch(tmp_path, "in/test/9.png", "in/train/cat/1.png", "in/train/dog/1.png")
    ds = from_folder(tmp_path / "in", tmp_path / "out", progress=False)
    assert [labels.tolist() for labels in ds.labels.numpy(aslist=True)] == [[], [0], [1]]
    assert ds.labels.info.class_names == ["cat", "dog"]
    assert ds.subset.numpy().tolist() == [[0], [1], [1]]


def test_the_content_tells_an_image(tmp_path):
    touch(tmp_path, "in/cat/1", "in/cat/2.jfif", "in/cat/3.dat", "in/cat/4.jpg")
    (tmp_path / "in/cat/5.jpg").write_text("<html>404</html>")
    ds = from_folder(tmp_path / "in", tmp_path / "out", progress=False, on_error="skip")
    assert len(ds) == 4
    assert [issue.source.rsplit("/", 1)[-1] for issue in import_report(ds).rejected] == ["5.jpg"]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX alone")
def test_a_folder_whose_name_is_not_utf8_is_a_class_with_escapes(tmp_path):
    folder = os.fsencode(tmp_path) + b"/in/caf\xe9"
    os.makedirs(folder)  # noqa: PTH103  the name is bytes
    with open(folder + b"/1.png", "wb") as file:  # noqa: PTH123  the same
        file.write(PNG)
    ds = from_folder(tmp_path / "in", tmp_path / "out", progress=False)
    assert ds.labels.info.class_names == ["caf\\xe9"]
    assert len(import_report(ds).repaired) == 1


@pytest.mark.parametrize("root", [None, 3, "", b"folder", "a\0b", []])
def test_what_is_no_path_is_refused(root, tmp_path):
    with pytest.raises(ImporterError, match="Expected the path of a folder"):
        from_folder(root, tmp_path / "out", progress=False)


@pytest.mark.real_data
def test_the_small_xrays_read_as_counted(shared_data):
    found = parse_folder(shared_data / "nih/images64", IssueLog("raise"))
    assert (len(found.images), found.class_names) == (1000, ("0_normal", "1_abnormal"))
    assert found.split_names == ("test", "train", "valid")


def test_an_image_beside_class_folders_is_skipped_where_asked(tmp_path):
    touch(tmp_path, "1.jpg", "dog/2.jpg")
    assert [label for _, label, _ in parsed(tmp_path, "skip")[0]] == ["dog"]
