from __future__ import annotations

import json
import os

import numpy as np
import pytest

from penstock.errors import ImporterError
from penstock.importers import recognize
from penstock.importers._recognize import describe_import
from penstock.tensors import encode_image

PNG = encode_image(np.zeros((48, 64, 3), np.uint8), "png")
XML = (
    "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax>"
    "</bndbox></object></annotation>"
)
BOX = "0 .5 .5 .2 .2\n"


def coco(*names):
    images = [{"id": n, "file_name": name, "width": 64, "height": 48} for n, name in enumerate(names)]
    annotations = [{"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 5, 5]} for n in range(len(names))]
    return json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]})


def put(root, **texts):
    """Write texts and images (None) by their paths; `/` and `.` are given by a dict of a single argument."""
    for name, text in texts.pop("files").items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG if text is None else text.encode())
    return root


SETS = {
    "COCO": {"annotations/instances_val.json": coco("a.png"), "val/a.png": None},
    "COCO beside": {"x.json": coco("images/a.png"), "images/a.png": None},
    "COCO of Label Studio": {"result.json": coco("images\\a.png"), "images/a.png": None, "notes.txt": "hello"},
    "COCO of Roboflow": {
        "train/_annotations.coco.json": coco("1.png"),
        "train/1.png": None,
        "valid/_annotations.coco.json": coco("2.png"),
        "valid/2.png": None,
        "README.roboflow.txt": "hello",
    },
    "VOC": {"Annotations/a.xml": XML, "JPEGImages/a.png": None},
    "VOC of Roboflow": {"train/a.xml": XML, "train/a.png": None, "valid/b.xml": XML, "valid/b.png": None},
    "VOC of Label Studio": {"Annotations/a.xml": XML, "images/a.png": None},
    "YOLO": {"images/a.png": None, "labels/a.txt": BOX, "data.yaml": "names: [cat]"},
    "YOLO of Roboflow": {
        "train/images/a.png": None,
        "train/labels/a.txt": BOX,
        "valid/images/b.png": None,
        "valid/labels/b.txt": BOX,
        "data.yaml": "train: ../train/images\nval: ../valid/images\nnames: ['cat']\n",
    },
    "YOLO of Label Studio": {
        "images/a.png": None,
        "labels/a.txt": BOX,
        "classes.txt": "cat",
        "notes.json": '{"categories": [{"id": 0, "name": "cat"}], "info": {}}',
    },
    "YOLO of CVAT": {
        "obj_train_data/a.png": None,
        "obj_train_data/a.txt": BOX,
        "obj.names": "cat",
        "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names",
        "train.txt": "data/obj_train_data/a.png",
    },
    "folder": {"cat/a.png": None, "dog/b.png": None, "LICENSE": "MIT", "README.md": "# Pets"},
}
SETS["YOLO without a label"] = {"images/a.png": None, "data.yaml": "train: images\nnames: [cat]"}
SETS["YOLO of darknet's VOC"] = {"JPEGImages/a.JPG": None, "labels/a.TXT": BOX, "voc.names": "cat"}
NUM_IMAGES = {"COCO of Roboflow": 2, "VOC of Roboflow": 2, "YOLO of Roboflow": 2, "folder": 2}


@pytest.mark.parametrize(
    ("name", "wrapped"),
    [*((name, False) for name in SETS), *((name, True) for name in SETS if name != "folder")],
    ids=lambda value: {True: "wrapped", False: "plain"}.get(value, value),
)
def test_layouts_of_tools_are_recognized(tmp_path, name, wrapped):
    put(tmp_path / "top" / "data" if wrapped else tmp_path / "top", files=SETS[name])
    put(tmp_path / "top", files={"LICENSE.txt": "MIT", "__MACOSX/._a.png": "x", ".DS_Store": "x"})
    source = recognize(tmp_path / "top")
    assert source.kind == name.split()[0].lower()
    found = source.inspect()
    assert (found.num_images, found.num_classes) == (NUM_IMAGES.get(name, 1), 2 if name == "folder" else 1)
    assert found.num_rejected == 0
    assert {path.rsplit("/", 1)[-1] for path in found.ignored} >= {"LICENSE.txt", "__MACOSX", ".DS_Store"}


def test_what_is_recognized_reads_in_one_line(tmp_path):
    put(tmp_path, files={**SETS["COCO"], "LICENSE": "MIT", "val/b.png": None})
    assert str(recognize(tmp_path).inspect()) == "COCO instances, 1 image, 1 class; ignored: 2 files"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "second"), [("COCO of Roboflow", "valid"), ("VOC of Roboflow", "valid"), ("YOLO of Roboflow", "val")]
)
def test_a_source_makes_its_dataset_with_subsets(tmp_path, name, second):
    put(tmp_path / "in", files=SETS[name])
    source = recognize(tmp_path / "in")
    dataset = source.make(tmp_path / "out", progress=False)
    assert dataset.subset.info.class_names == ["train", second]
    assert [labels.tolist() for labels in dataset.categories.numpy(aslist=True)] == [[0], [0]]
    assert str(describe_import(dataset, source.kind)) == str(source.inspect())


def test_a_file_is_recognized_by_its_name(tmp_path):
    put(tmp_path, files={**SETS["COCO"], **SETS["YOLO"]})
    found = recognize(tmp_path / "annotations/instances_val.json")
    assert (found.kind, found.images) == ("coco", tmp_path / "val")  # images/ has a.png as well, val is its split
    assert recognize(tmp_path / "data.yaml").kind == "yolo"


def test_the_root_is_the_folder_that_holds_all(tmp_path):
    put(tmp_path / "top/pets", files={"annotations/xmls/a.xml": XML, "images/a.png": None, "images/b.png": None})
    source = recognize(tmp_path / "top")
    assert (source.kind, source.root, source.name) == ("voc", tmp_path / "top/pets", "pets")


def test_images_given_are_taken(tmp_path):
    put(tmp_path, files={"x.json": coco("a.png")})
    assert recognize(tmp_path / "x.json", tmp_path / "else").images == tmp_path / "else"
    with pytest.raises(ImporterError, match="--images FOLDER"):
        recognize(tmp_path / "x.json")


def test_images_are_found_when_the_first_are_missing(tmp_path):
    put(
        tmp_path,
        files={"x.json": coco(*(f"{n}.png" for n in range(9))), "a/8.png": None, "b/7.png": None, "b/6.png": None},
    )
    assert recognize(tmp_path / "x.json").images == tmp_path / "b"


def test_images_in_two_folders_alike_ask_for_one(tmp_path):
    put(tmp_path, files={"x.json": coco("1.png"), "a/1.png": None, "b/1.png": None})
    with pytest.raises(ImporterError, match=r"2 folders near .*x.json' contain its images: .*--images FOLDER"):
        recognize(tmp_path)


LABELME = '{"version": "5.0", "shapes": [], "imagePath": "a.png", "imageData": null}'
SEEN = {
    "LabelMe": ({"images/a.png": None, "images/a.json": LABELME}, "LabelMe JSON|same name as an image"),
    "CVAT": (
        {"images/a.png": None, "annotations.xml": '<?xml version="1.0"?><annotations></annotations>'},
        "CVAT annotations",
    ),
    "VIA": ({"a.png": None, "via.json": '{"_via_img_metadata": {}}'}, "VGG Image Annotator"),
    "CreateML": (
        {
            "train/a.png": None,
            "train/_annotations.createml.json": '[{"image":"a.png","annotations":[{"label":"x","coordinates":{}}]}]',
        },
        "CreateML",
    ),
    "Label Studio": (
        {"a.png": None, "tasks.json": '[{"annotations": [{"id": 1, "result": []}]}]'},
        "Label Studio tasks",
    ),
    "a table": ({"train/a.png": None, "train/_annotations.csv": "filename,class\na.png,cat"}, "_annotations.csv"),
    "a list": ({"x/a.png": None, "train.txt": "x/a.png 0\n"}, "it names the images"),
    "captions": ({"x/a.png": None, "x/a.txt": "a photo of a cat"}, "same name as an image"),
    "KITTI": (
        {"image_2/000000.png": None, "label_2/000000.txt": "Car 0.0 0 -1.58 587.01 173.33 614.12 200.12"},
        "same name",
    ),
    "metadata": ({"x/a.png": None, "x/metadata.jsonl": '{"file_name": "a.png", "text": "x"}'}, "JSON annotations"),
    "labels without names": ({"x/a.png": None, "x/a.txt": BOX}, "same name"),
    "masks": ({"images/a.png": None, "masks/a.png": None}, "label images"),
    "label images": ({"train/images/a.png": None, "train/labels/a.png": None}, "label images"),
    "TFRecord": ({"x/a.png": None, "x/labels.tfrecord": "x"}, "labels.tfrecord"),
    "COCO captions": (
        {"x/a.png": None, "c.json": '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}'},
        "JSON annotations",
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_images_beside_other_annotations_are_never_an_image_folder(tmp_path, name):
    files, said = SEEN[name]
    put(tmp_path, files=files)
    with pytest.raises(ImporterError, match=said):
        recognize(tmp_path)


@pytest.mark.parametrize("name", ["YOLO", "VOC"])
def test_the_folder_of_images_alone_points_to_the_dataset(tmp_path, name):
    put(tmp_path, files=SETS[name])
    with pytest.raises(ImporterError, match=f"pass the folder that contains both: {tmp_path}"):
        recognize(tmp_path / ("images" if name == "YOLO" else "JPEGImages"))


def test_an_image_folder_with_files_that_say_nothing_is_one(tmp_path):
    put(
        tmp_path,
        files={
            "cat/a.png": None,
            "requirements.txt": "numpy==2.0\n",
            "dataset.json": '{"version": 1}',
            "x.yaml": "a: 1",
        },
    )
    found = recognize(tmp_path).inspect()
    assert (found.kind, len(found.ignored)) == ("folder", 3)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none", None, "does not exist"),
        ("empty", "folder", "does not contain COCO, VOC, YOLO or a folder of images"),
        ("x.csv", "a,b", "penstock import table"),
        ("x.json", "{}", "not a COCO instances file"),
        ("x.json", "[]", "it is a list"),
        ("x.yaml", "a: 1", "has no names"),
    ],
    ids=["none", "empty", "csv", "json", "list", "yaml"],
)
def test_what_is_nothing_says_so(tmp_path, name, text, said):
    if text == "folder":
        (tmp_path / name).mkdir()
    elif text:
        put(tmp_path, files={name: text})
    with pytest.raises(ImporterError, match=said):
        recognize(tmp_path / name)


def test_two_annotation_files_that_are_no_splits_ask_for_one(tmp_path):
    put(tmp_path, files={"annotations/instances_a.json": coco("a.png"), "annotations/instances_b.json": coco("a.png")})
    with pytest.raises(ImporterError, match=r"choose one of: .*instances_a.json"):
        recognize(tmp_path)


def test_datasets_of_two_kinds_beside_each_other_ask_for_one(tmp_path):
    put(tmp_path / "one", files=SETS["VOC"])
    put(tmp_path / "two", files=SETS["COCO"])
    with pytest.raises(ImporterError, match=r"Pascal VOC in .*one.* and COCO instances in .*two"):
        recognize(tmp_path)


@pytest.mark.parametrize("change", ["edited", "added", "touched by name"])
def test_the_key_changes_with_any_file(tmp_path, change):
    put(tmp_path, files=SETS["YOLO"])
    before = recognize(tmp_path).key
    assert recognize(tmp_path).key == before
    if change == "edited":
        (tmp_path / "labels/a.txt").write_text("0 .5 .5 .3 .3 \n")
    elif change == "added":
        put(tmp_path, files={"images/b.png": None})
    else:
        status = (tmp_path / "labels/a.txt").stat()
        os.utime(tmp_path / "labels/a.txt", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert recognize(tmp_path).key != before


@pytest.mark.real_data
def test_the_real_sets_are_recognized(shared_data):
    assert recognize(shared_data / "coco_mini").images == shared_data / "coco_mini/train2017"
    assert (
        str(recognize(shared_data / "coco_mini").inspect()) == "COCO instances, 80 images, 80 classes; ignored: 3 files"
    )
    assert recognize(shared_data / "bccd").root == shared_data / "bccd/BCCD"
    assert recognize(shared_data / "nih/images64").kind == "folder"
