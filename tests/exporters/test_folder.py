from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import ExportError, ImporterError


def png(shade=0):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 5, 3), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def put(root, *names):
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(number))
    return root


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def imported(root, dest, **options):
    return penstock.from_folder(root, dest, progress=False, **options)


def exported(source, dest, **options):
    return penstock.to_folder(source, dest, progress=False, **options)


@pytest.mark.parametrize(
    "names",
    [
        ["cat/1.png", "cat/day/2.png", "dog/1.png"],
        ["train/cat/1.png", "train/dog/1.png", "val/cat/1.png"],
        ["cat/train/1.png", "cat/val/1.png", "dog/train/1.png"],
        ["test/1.png", "train/ä b/1.png"],
        ["1.png", "2.png"],
    ],
    ids=["classes", "classes in splits", "splits in classes", "a split without classes", "images alone"],
)
def test_a_folder_comes_back(tmp_path, names):
    root = put(tmp_path / "in", *names)
    ds = imported(root, tmp_path / "ds")
    report = exported(ds, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(root)
    assert report.issues == ()


def test_images_without_a_class_among_others_are_left_out_and_counted(ds, tmp_path):
    ds.labels[1] = []
    report = exported(ds, tmp_path / "out")
    assert sorted(contents(tmp_path / "out")) == ["train/cat/1.png", "val/dog/3.png"]
    assert report.issues == ("1 image has no class and was left out",)


@pytest.fixture
def ds(tmp_path):
    return imported(put(tmp_path / "in", "train/cat/1.png", "train/cat/day/2.png", "val/dog/3.png"), tmp_path / "ds")


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        (
            lambda ds: ds.labels.__setitem__(1, ["dog"]),
            ["train/cat/1.png", "train/dog/day/2.png", "val/dog/3.png"],
        ),
        (
            lambda ds: ds.subset.__setitem__(0, ["val"]),
            ["train/cat/day/2.png", "val/cat/1.png", "val/dog/3.png"],
        ),
        (
            lambda ds: ds.labels.rename_class("cat", "a/b"),
            ["train/a_b/1.png", "train/a_b/2.png", "val/dog/3.png"],
        ),
    ],
    ids=["class", "split", "renamed class"],
)
def test_an_edit_moves_its_images_alone(ds, tmp_path, edit, names):
    edit(ds)
    exported(ds, tmp_path / "out")
    assert sorted(contents(tmp_path / "out")) == sorted(names)


def labeled(folder, *names):
    images = [np.full((4, 5, 3), at, np.uint8) for at in range(len(names))]
    return penstock.from_arrays({"images": images, "labels": list(names)}, folder / "labeled", progress=False)


@pytest.mark.parametrize(
    "export",
    [penstock.to_folder, lambda ds, path, **options: penstock.to_yolo(ds, path, images="copy", **options)],
    ids=["folder", "yolo"],
)
def test_classes_whose_folders_have_other_names_are_reported(tmp_path, export):
    report = export(labeled(tmp_path, "a/b", "c"), tmp_path / "out", progress=False)
    assert [issue for issue in report.issues if "'a/b'" in issue and "'a_b'" in issue]


@pytest.mark.parametrize(
    "export",
    [penstock.to_folder, lambda ds, path, **options: penstock.to_yolo(ds, path, images="copy", **options)],
    ids=["folder", "yolo"],
)
def test_classes_that_would_share_a_folder_are_refused(tmp_path, export):
    with pytest.raises(ExportError, match="distinct"):
        export(labeled(tmp_path, "a/b", "a_b"), tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_classes_without_images_are_reported(tmp_path):
    ds = labeled(tmp_path, "a", "b")
    ds.labels[1] = "a"
    assert "the class 'b' has no images, and no folder" in exported(ds, tmp_path / "out").issues


def test_a_yolo_folder_counts_the_images_that_are_written(tmp_path):
    report = penstock.to_yolo(labeled(tmp_path, "a", None), tmp_path / "out", images="copy", progress=False)
    assert (report.num_samples, report.num_objects) == (1, 1)


def test_samples_with_several_labels_are_refused(ds, tmp_path):
    ds.labels[1] = ["cat", "dog"]
    with pytest.raises(ExportError, match="1 samples have several labels in 'labels', such as sample 1") as caught:
        exported(ds, tmp_path / "out")
    assert "to_csv" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_boxes_are_refused(tmp_path):
    with pytest.raises(ExportError, match="the dataset has boxes"):
        exported(penstock.demo(tmp_path / "ds", num_samples=4), tmp_path / "out")


def test_images_of_one_name_are_refused(ds, tmp_path):
    ds.file[1] = "train/cat/1.png"
    with pytest.raises(ExportError, match=r"several images have the name 'train/cat/1.png'"):
        exported(ds, tmp_path / "out")


def test_images_must_be_written(ds, tmp_path):
    with pytest.raises(ExportError, match="Expected 'copy' or 'link'"):
        exported(ds, tmp_path / "out", images=None)


def mask_of(values, palette=(0, 0, 0, 9, 8, 7)):
    buffer = io.BytesIO()
    image = Image.fromarray(np.array(values, np.uint8))
    image.putpalette(palette)
    image.save(buffer, "PNG")
    return buffer.getvalue()


def with_masks(tmp_path, *names):
    root = put(tmp_path / "in/images", "cat/1.png", "dog/2.png")
    for name in names:
        (root.parent / "masks" / name).parent.mkdir(parents=True, exist_ok=True)
        (root.parent / "masks" / name).write_bytes(mask_of([[0, 1]]))
    return root


@pytest.mark.parametrize("name", ["cat/1.png", "1.png", "other/1.png"])
def test_masks_are_those_of_the_same_names(tmp_path, name):
    root = with_masks(tmp_path, name)
    ds = imported(root, tmp_path / "ds", masks=tmp_path / "in/masks")
    assert ds.masks.htype == "segment_mask"
    assert ds.masks[0].numpy().tolist() == [[0, 1]]
    assert ds.masks[1].numpy() is None or ds.masks[1].numpy().size == 0


def test_masks_come_back_beside_the_images(tmp_path):
    root = with_masks(tmp_path, "cat/1.png")
    ds = imported(root, tmp_path / "ds", masks=tmp_path / "in/masks")
    exported(ds, tmp_path / "out")
    found = contents(tmp_path / "out")
    assert sorted(found) == ["images/cat/1.png", "images/dog/2.png", "masks/cat/1.png"]
    image = Image.open(io.BytesIO(found["masks/cat/1.png"]))
    assert (np.array(image).tolist(), bytes(image.palette.palette)) == ([[0, 1]], bytes((0, 0, 0, 9, 8, 7)))


def test_masks_inside_the_folder_are_not_a_class(tmp_path):
    root = put(tmp_path / "in", "cat/1.png", "masks/1.png")
    (root / "masks/1.png").write_bytes(mask_of([[0, 1]]))
    ds = imported(root, tmp_path / "ds", masks=root / "masks")
    assert (len(ds), ds.labels.info.class_names) == (1, ["cat"])


def test_a_folder_without_masks_of_the_images_says_so(tmp_path):
    root = with_masks(tmp_path, "3.png")
    with pytest.raises(ImporterError, match=r"has no PNG mask with the name of an image. Expected for example '1.png'"):
        imported(root, tmp_path / "ds", masks=tmp_path / "in/masks")


@pytest.mark.real_data
@pytest.mark.slow
def test_pets_and_their_trimaps_come_back(shared_data, tmp_path):
    pets = shared_data / "pets100"
    ds = imported(pets / "images", tmp_path / "ds", masks={"trimaps": pets / "annotations/trimaps"})
    exported(ds, tmp_path / "out")
    found = contents(tmp_path / "out")
    assert len(ds) == 100
    for path in sorted((pets / "images").iterdir()):
        assert found[f"images/{path.name}"] == path.read_bytes()
        mask = Image.open(pets / f"annotations/trimaps/{path.stem}.png")
        again = Image.open(io.BytesIO(found[f"trimaps/{path.stem}.png"]))
        assert again.mode == mask.mode
        assert np.array_equal(np.array(again), np.array(mask))
