from __future__ import annotations

import pytest

from penstock.errors import ImporterError
from penstock.importers._folder import parse_folder


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_the_first_folder_is_the_class(tmp_path):
    touch(tmp_path, "dog/2.jpg", "cat/deep/1.PNG", "cat/0.jpg", "cat/notes.txt")
    found = parse_folder(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.images] == ["cat/0.jpg", "cat/deep/1.PNG", "dog/2.jpg"]
    assert found.class_names == ("cat", "dog")
    assert found.labels.tolist() == [0, 0, 1]
    assert found.splits is None


def test_splits_are_recognised_above_the_classes(tmp_path):
    touch(tmp_path, "train/dog/1.jpg", "val/cat/2.jpg", "val/dog/3.jpg")
    found = parse_folder(tmp_path)
    assert found.class_names == ("cat", "dog")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.split_names == ("train", "val")
    assert found.splits.tolist() == [0, 1, 1]


def test_a_flat_folder_has_no_labels(tmp_path):
    touch(tmp_path, "1.jpg", "2.jpg")
    found = parse_folder(tmp_path)
    assert found.labels is None
    assert len(found.images) == 2


def test_stray_images_empty_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(ImporterError, match="no images below"):
        parse_folder(tmp_path)
    with pytest.raises(ImporterError, match="no folder"):
        parse_folder(tmp_path / "none")
    touch(tmp_path, "1.jpg", "dog/2.jpg")
    with pytest.raises(ImporterError, match=r"1\.jpg.*lies in no class folder"):
        parse_folder(tmp_path)


@pytest.mark.real_data
def test_the_small_xrays_read_as_counted(shared_data):
    found = parse_folder(shared_data / "nih/images64")
    assert (len(found.images), found.class_names) == (1000, ("0_normal", "1_abnormal"))
    assert found.split_names == ("test", "train", "valid")
