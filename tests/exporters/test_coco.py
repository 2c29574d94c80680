from __future__ import annotations

import gzip
import json
import re
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

import penstock
from penstock.errors import ExportError
from penstock.exporters._images import safe_name

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8)
NUMBERS = st.one_of(st.integers(0, 90), st.floats(0, 90, allow_nan=False), st.integers(0, 9000).map(lambda n: n / 100))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def documents(draw):
    """COCO documents with unknown keys, gaps in ids, empty images, crowds, outlines and fields that only some have."""
    image_ids = draw(st.lists(st.integers(0, 10**12), min_size=1, max_size=4, unique=True))
    images = [
        {
            **draw(st.dictionaries(NAMES.map(lambda name: "x" + name), JSON, max_size=2)),
            "file_name": f"{at} ä.jpg",
            "height": 100,
            "width": 100,
            "id": image_id,
        }
        for at, image_id in enumerate(image_ids)
    ]
    category_ids = draw(st.lists(st.integers(0, 200), min_size=1, max_size=3, unique=True))
    names = draw(st.lists(NAMES.filter(str.strip), min_size=len(category_ids), max_size=len(category_ids), unique=True))
    categories = [
        {"supercategory": draw(NAMES), "id": number, "name": name}
        for number, name in zip(category_ids, names, strict=True)
    ]
    numbers = draw(st.lists(st.integers(0, 10**9), max_size=6, unique=True))
    return {
        **draw(st.fixed_dictionaries({}, optional={"info": JSON, "licenses": JSON, "x": JSON})),
        "images": images,
        "annotations": [draw(annotations(number, image_ids, category_ids)) for number in numbers],
        "categories": categories,
    }


@st.composite
def annotations(draw, number, image_ids, category_ids):
    left, top = draw(NUMBERS), draw(NUMBERS)
    entry = {
        "id": number,
        "image_id": draw(st.sampled_from(image_ids)),
        "category_id": draw(st.sampled_from(category_ids)),
        "bbox": [left, top, draw(NUMBERS), draw(NUMBERS)],
        **draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "iscrowd": st.sampled_from([0, 1]),
                    "area": NUMBERS,
                    "segmentation": st.one_of(
                        st.lists(st.lists(NUMBERS, min_size=6, max_size=6), max_size=2),
                        st.just({"size": [100, 100], "counts": [5000, 5000]}),
                        st.none(),
                    ),
                    "keypoints": st.lists(st.integers(0, 2), min_size=6, max_size=6),
                    "num_keypoints": st.integers(0, 2),
                    "attributes": JSON,
                },
            )
        ),
    }
    return dict(draw(st.permutations(list(entry.items()))))


def imported(document, folder):
    """Return the dataset of a document whose images need not exist."""
    source = folder / "source.json"
    source.write_text(json.dumps(document), encoding="utf-8")
    return penstock.from_coco(
        source, "https://images.example/", folder / "ds", link=True, verify=False, on_error="skip", progress=False
    )


def exported(source, folder, name="out.json"):
    penstock.to_coco(source, folder / name, progress=False)
    return json.loads((folder / name).read_text())


def with_order(value):
    """Return a JSON value in which objects are lists of their members, so that order counts, and 1 is not true."""
    if isinstance(value, dict):
        return [(name, with_order(one)) for name, one in value.items()]
    if isinstance(value, list):
        return [with_order(one) for one in value]
    return (isinstance(value, bool), value)


@pytest.mark.slow
@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # smaller cases would each write a dataset again
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(document=documents())
def test_an_export_equals_its_source(document, tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco")
    ds = imported(document, folder)
    refused = {int(re.findall(r"annotation (\d+)", issue.source)[0]) for issue in penstock.import_report(ds).rejected}
    kept = [one for one in document["annotations"] if one["id"] not in refused]
    found = exported(ds, folder)
    assert with_order(found) == with_order({**document, "annotations": kept})


@pytest.fixture
def document():
    return {
        "info": {"year": 2026},
        "images": [
            {"id": 20, "file_name": "b.jpg", "width": 100, "height": 80, "license": 1},
            {"id": 10, "file_name": "a.jpg", "width": 100, "height": 80, "license": 2},
        ],
        "categories": [{"id": 7, "name": "dog", "supercategory": "animal"}, {"id": 2, "name": "cat"}],
        "annotations": [
            {"id": 5, "image_id": 20, "category_id": 2, "bbox": [1.25, 2, 3, 4], "area": 9.5, "iscrowd": 0},
            {"id": 9, "image_id": 10, "category_id": 7, "bbox": [5, 6, 7, 8], "area": 50, "iscrowd": 1},
            {"id": 6, "image_id": 20, "category_id": 7, "bbox": [9, 10, 11, 12], "area": 70, "iscrowd": 0},
        ],
    }


@pytest.fixture
def ds(document, tmp_path):
    return imported(document, tmp_path)


def test_an_edited_box_changes_one_annotation(ds, document, tmp_path):
    ds.boxes[1] = np.array([[2, 2, 3, 4], [9, 10, 11, 12]], np.float32)  # image 20
    document["annotations"][0]["bbox"] = [2, 2, 3, 4]
    assert exported(ds, tmp_path) == document


def test_an_edited_class_changes_one_annotation(ds, document, tmp_path):
    ds.categories[0] = ["cat"]  # image 10
    ds.commit("relabel")
    document["annotations"][1]["category_id"] = 2
    assert exported(ds, tmp_path) == document


def test_a_renamed_class_changes_one_category(ds, document, tmp_path):
    ds.categories.rename_class("dog", "hound")
    document["categories"][0]["name"] = "hound"
    assert exported(ds, tmp_path) == document


def test_merged_classes_change_their_annotations_and_leave_one_category(ds, document, tmp_path):
    ds.categories.merge_classes(["dog"], into="cat")
    document["categories"] = document["categories"][1:]
    for entry in document["annotations"]:
        entry["category_id"] = 2
    assert exported(ds, tmp_path) == document


def test_a_new_class_gets_an_id_above_the_largest(ds, document, tmp_path):
    ds.categories.add_class("fox")
    ds.categories[0] = ["fox"]
    document["categories"].append({"id": 8, "name": "fox"})
    document["annotations"][1]["category_id"] = 8
    assert exported(ds, tmp_path) == document


def test_a_new_object_comes_last_with_an_id_above_the_largest(ds, document, tmp_path):
    row = {name: list(ds[name][0].numpy()) for name in ("boxes", "categories", "iscrowd", "annotation_id", "area")}
    row["annotation_index"] = list(ds.annotation_index[0].numpy())
    new = {"boxes": [1, 1, 2, 2], "categories": 1, "iscrowd": 0, "annotation_id": 0, "area": 4.0, "annotation_index": 0}
    for name, value in new.items():
        ds[name][0] = np.array([*row[name], value])
    added = {"id": 10, "image_id": 10, "category_id": 2, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0}
    assert exported(ds, tmp_path) == {**document, "annotations": [*document["annotations"], added]}


def test_a_view_exports_its_rows(ds, document, tmp_path):
    found = exported(ds[:1], tmp_path)
    assert [entry["id"] for entry in found["images"]] == [10]
    assert found["annotations"] == document["annotations"][1:2]


def test_a_sampled_view_is_refused_with_the_way_out(ds, tmp_path):
    view = ds.query("select * sample by max_weight(True: 1) limit 9")
    with pytest.raises(ExportError, match="occur more than once") as caught:
        penstock.to_coco(view, tmp_path / "out.json", progress=False)
    assert "view.indices" in str(caught.value)


def test_what_is_there_is_kept_unless_it_may_be_replaced(ds, tmp_path):
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(ExportError, match="already"):
        penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    assert (tmp_path / "out.json").read_text() == "mine"
    penstock.to_coco(ds, tmp_path / "out.json", overwrite=True, progress=False)
    assert json.loads((tmp_path / "out.json").read_text())["info"] == {"year": 2026}


def test_nothing_is_left_where_an_export_fails(ds, tmp_path, monkeypatch):
    monkeypatch.setattr("penstock.exporters.coco._document.CocoDocument.write", lambda self, path: 1 / 0)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ZeroDivisionError):
        penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_splits_are_written_as_the_files_they_came_from(document, tmp_path):
    other = {**document, "info": {"year": 1}}
    for name, one in (("train", document), ("val", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    ds = penstock.from_coco(
        {"train": tmp_path / "train.json", "val": tmp_path / "val.json"},
        {"train": "https://images.example/", "val": "https://images.example/"},
        tmp_path / "ds",
        link=True,
        verify=False,
        progress=False,
    )
    with pytest.raises(ExportError, match="train, val"):
        penstock.to_coco(ds, tmp_path / "out.json", progress=False)
    penstock.to_coco(ds, tmp_path / "out", progress=False)
    assert json.loads((tmp_path / "out/annotations/train.json").read_text()) == document
    assert json.loads((tmp_path / "out/annotations/val.json").read_text()) == other


def test_a_dataset_of_no_coco_file_gets_ids_from_one(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("classes", htype="class_label", class_names=["a", "b"])
    ds.append({"images": np.zeros((4, 6, 3), np.uint8), "boxes": [[1, 1, 2, 2]], "classes": ["b"]})
    assert exported(ds, tmp_path) == {
        "info": {},
        "licenses": [],
        "images": [{"id": 1, "file_name": "000000000001.png", "width": 6, "height": 4}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 1, 2, 2], "area": 4, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }


def test_images_are_written_beside_their_annotations(shared_data, tmp_path):
    source = shared_data / "coco_mini"
    annotations = source / "annotations/instances_train2017.json"
    ds = penstock.from_coco(annotations, source / "train2017", tmp_path / "ds", progress=False)
    penstock.to_coco(ds[:5], tmp_path / "out", images="copy", progress=False)
    again = penstock.from_coco(tmp_path / "out", None, tmp_path / "again", progress=False)
    names = [str(name) for name in ds.file.numpy()[:5]]
    assert [(tmp_path / "out/images" / name).read_bytes() for name in names] == [
        (source / "train2017" / name).read_bytes() for name in names
    ]
    assert again.boxes[0].numpy().tolist() == ds.boxes[0].numpy().tolist()


def stored(folder, *, coords="xywh", class_names=("a", "b")):
    """Return a dataset that was never a COCO file: one image with one box of class 1."""
    ds = penstock.empty(folder / "own")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("boxes", htype="bbox", coords=coords)
    ds.create_tensor("classes", htype="class_label", **({"class_names": list(class_names)} if class_names else {}))
    ds.create_tensor("note", htype="text")
    image = np.zeros((4, 6, 3), np.uint8)
    ds.append({"images": image, "boxes": np.array([[1, 1, 3, 4]], np.float32), "classes": [1], "note": "hi"})
    ds.commit("one")
    return ds


@pytest.mark.parametrize(("coords", "box", "area"), [("xywh", [1, 1, 3, 4], 12), ("xyxy", [1, 1, 2, 3], 6)])
def test_boxes_of_both_forms_are_written_as_coco_has_them(tmp_path, coords, box, area):
    (found,) = exported(stored(tmp_path, coords=coords), tmp_path)["annotations"]
    assert (found["bbox"], found["area"]) == (box, area)


def test_classes_without_names_are_called_by_their_numbers(tmp_path):
    found = exported(stored(tmp_path, class_names=()), tmp_path)
    assert [entry["name"] for entry in found["categories"]] == ["0", "1"]
    assert found["annotations"][0]["category_id"] == found["categories"][1]["id"]


def test_a_view_has_the_classes_of_its_own_version(ds, document, tmp_path):
    before = ds[:2]
    ds.categories.merge_classes(["dog"], into="cat")
    ds.categories.add_class("fox")
    assert exported(before, tmp_path) == document


def test_a_note_of_the_user_is_not_taken_for_a_source(tmp_path):
    ds = stored(tmp_path)
    ds.info["source"] = "my camera"
    assert exported(ds, tmp_path)["info"] == {}


def test_the_report_names_tensors_that_are_left_out(tmp_path):
    report = penstock.to_coco(stored(tmp_path), tmp_path / "out.json", progress=False)
    assert report.issues == ("the tensor 'note' is not part of a COCO file",)


def test_splits_whose_ids_are_of_different_kinds_come_back_equal(document, tmp_path):
    other = {
        **document,
        "images": [{"id": "x7", "file_name": "c.jpg", "width": 100, "height": 80}],
        "annotations": [{**document["annotations"][0], "image_id": "x7"}],
    }
    for name, one in (("train", document), ("val", other)):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    files = {name: tmp_path / f"{name}.json" for name in ("val", "train")}
    images = dict.fromkeys(files, "https://images.example/")
    ds = penstock.from_coco(files, images, tmp_path / "ds", link=True, verify=False, progress=False)
    penstock.to_coco(ds, tmp_path / "out", progress=False)
    written = [json.loads((tmp_path / "out/annotations" / path.name).read_text()) for path in files.values()]
    assert written == [other, document]


def of_splits(document, folder, *splits):
    """Return a dataset of several splits, each in a folder of its own and in a file of the same name."""
    for at, _ in enumerate(splits):
        (folder / f"{at}").mkdir()
        image = {"id": 20, "file_name": f"{at}.png", "width": 9, "height": 9}
        entry = {"id": 1, "image_id": 20, "category_id": 7, "bbox": [1, 1, 2, 2]}
        part = {**document, "images": [image], "annotations": [entry]}
        (folder / f"{at}" / "_annotations.coco.json").write_text(json.dumps(part))
        Image.new("RGB", (9, 9)).save(folder / f"{at}" / f"{at}.png")
    files = {split: folder / f"{at}" / "_annotations.coco.json" for at, split in enumerate(splits)}
    images = {split: folder / f"{at}" for at, split in enumerate(splits)}
    return penstock.from_coco(files, images, folder / "ds", progress=False)


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_splits_whose_files_have_one_name_are_all_written(document, tmp_path):
    report = penstock.to_coco(of_splits(document, tmp_path, "train", "val"), tmp_path / "out", progress=False)
    assert report.num_objects == 2
    assert files_in(tmp_path / "out") == ["annotations/instances_train.json", "annotations/instances_val.json"]


def test_a_split_does_not_lead_out_of_the_destination(document, tmp_path):
    (tmp_path / "deep").mkdir()
    ds = of_splits(document, tmp_path, "../../escaped", "val")
    before = files_in(tmp_path)
    penstock.to_coco(ds, tmp_path / "deep" / "out", images="copy", progress=False)
    written = {f"deep/out/{name}" for name in files_in(tmp_path / "deep" / "out")}
    assert set(files_in(tmp_path)) - set(before) == written
    assert "deep/out/images/escaped/0.png" in written


@pytest.mark.parametrize("name", ["..", "a/..", "/", "c:", "\\", "."])
def test_a_name_that_is_no_file_name_is_replaced(name):
    assert safe_name(name) == "unnamed"


REAL = ("coco_mini/annotations/instances_train2017.json", "coco_mini/annotations/person_keypoints_train2017.json")


@pytest.mark.parametrize("name", [*REAL, "taco/annotations.json.gz"])
def test_a_real_file_comes_back_equal(name, shared_data, tmp_path):
    content = (shared_data / name).read_bytes()
    document = json.loads(gzip.decompress(content) if name.endswith(".gz") else content)
    ds = penstock.from_coco(shared_data / name, None, tmp_path / "ds", link=True, verify=False, progress=False)
    assert with_order(exported(ds, tmp_path)) == with_order(document)


def test_a_new_object_without_an_area_gets_that_of_its_box(ds, document, tmp_path):
    new = {"boxes": [1, 1, 2, 3], "categories": 1, "iscrowd": 0, "annotation_id": 0, "area": np.nan}
    for name, value in {**new, "annotation_index": 0}.items():
        ds[name][0] = np.array([*ds[name][0].numpy(), value])
    assert exported(ds, tmp_path)["annotations"][-1]["area"] == 6


def test_objects_without_a_class_are_refused_by_sample(ds, tmp_path):
    ds.categories[1] = ["cat"]  # image 20 has two boxes
    with pytest.raises(ExportError, match="sample 1 has 2 boxes and 1 values in 'categories'"):
        penstock.to_coco(ds, tmp_path / "out.json", progress=False)


@pytest.mark.parametrize("kept", ["notes.txt", "images/a.jpg", "annotations/captions.json"])
def test_overwriting_a_folder_keeps_what_the_export_does_not_write(ds, tmp_path, kept):
    file = tmp_path / "out" / kept
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ExportError, match=re.escape(kept)):
        penstock.to_coco(ds, tmp_path / "out", overwrite=True, progress=False)
    assert file.read_text() == "mine"
    assert sorted(tmp_path.rglob("*")) == before


def test_overwriting_a_dataset_is_refused(ds, tmp_path):
    with pytest.raises(ExportError, match="Nothing was replaced"):
        penstock.to_coco(ds, tmp_path / "ds", overwrite=True, progress=False)
    assert len(penstock.load(tmp_path / "ds")) == 2


def test_a_folder_does_not_replace_a_file(ds, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportError, match="Nothing was replaced"):
        penstock.to_coco(ds, tmp_path / "out", overwrite=True, progress=False)
    assert (tmp_path / "out").read_text() == "mine"


def test_an_earlier_export_is_replaced(ds, document, tmp_path):
    penstock.to_coco(ds, tmp_path / "out", progress=False)
    ds.categories.rename_class("dog", "hound")
    penstock.to_coco(ds, tmp_path / "out", overwrite=True, progress=False)
    found = json.loads((tmp_path / "out/annotations/source.json").read_text())
    assert [entry["name"] for entry in found["categories"]] == ["hound", "cat"]


@pytest.mark.parametrize("name", ["out.json.gz", "out.txt", "out.jsonl"])
def test_a_destination_of_another_kind_of_file_is_refused(ds, tmp_path, name):
    with pytest.raises(ExportError, match=r"Expected a \.json file"):
        penstock.to_coco(ds, tmp_path / name, progress=False)


def test_a_destination_in_capitals_is_a_file(ds, tmp_path):
    penstock.to_coco(ds, tmp_path / "OUT.JSON", progress=False)
    assert (tmp_path / "OUT.JSON").is_file()


def of_file(text, folder, *, on_error="skip"):
    """Return the dataset of a file's text, whose images need not exist."""
    source = folder / "text.json"
    source.write_text(text, encoding="utf-8")
    return penstock.from_coco(
        source,
        "https://images.example/",
        folder / "of_file",
        link=True,
        verify=False,
        on_error=on_error,
        progress=False,
    )


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("place", ["images", "annotations", "categories"])
@pytest.mark.parametrize("depth", [490, 491, 700])
def test_a_key_nested_too_deep_is_left_out_and_reported(document, tmp_path, place, depth):
    document[place][0]["tree"] = nested(depth)
    ds = of_file(json.dumps(document), tmp_path)
    issues = [issue for issue in penstock.import_report(ds).issues if "'tree' is nested more than 490" in issue.problem]
    if depth > 490:
        del document[place][0]["tree"]
    assert exported(ds, tmp_path) == document
    assert len(issues) == (depth > 490)


@pytest.mark.parametrize("name", ["info", "extra"])
def test_a_header_nested_too_deep_is_left_out_and_reported(document, tmp_path, name):
    ds = of_file(json.dumps({**document, name: nested(600)}), tmp_path)
    assert exported(ds, tmp_path) == {key: value for key, value in document.items() if key != name}
    assert [issue.action for issue in penstock.import_report(ds).issues] == ["repaired"]


@pytest.mark.parametrize("own", [5, None, ["id"], {"keys": 1}, {"value": 1, "keys": 0}], ids=repr)
def test_a_key_of_an_image_named_as_ours_comes_back(document, tmp_path, own):
    document["images"][0] = {"_keys": own, **document["images"][0]}
    assert with_order(exported(imported(document, tmp_path), tmp_path)) == with_order(document)


@pytest.mark.parametrize("key", ["keys", "as_written", "attributes", "index", "segmentation "])
def test_a_key_of_an_annotation_named_as_ours_comes_back(document, tmp_path, key):
    document["annotations"][0][key] = {"bbox": [[1], [2]], "id": 1}
    assert with_order(exported(imported(document, tmp_path), tmp_path)) == with_order(document)


def with_new_object(ds, row):
    """Add an object without an id to a sample."""
    new = {"boxes": [1, 1, 2, 2], "categories": 1, "iscrowd": 0, "annotation_id": 0, "area": 4.0, "annotation_index": 0}
    for name, value in new.items():
        ds[name][row] = np.array([*ds[name][row].numpy(), value])


def test_new_ids_follow_the_dataset_whatever_the_order_of_a_view(ds, tmp_path):
    for row in (0, 1):
        with_new_object(ds, row)
    ds.commit("two more")
    found = exported(ds[[1, 0]], tmp_path)["annotations"]
    assert {entry["id"]: entry["image_id"] for entry in found[-2:]} == {10: 10, 11: 20}


SHAPES = {
    "polygons": "[[1, 2.50, 3,4,5,6], [7,8,9,1,2,3]]",
    "a flat polygon": "[1,2,3,4,5,6]",
    "no polygon": "[]",
    "null": "null",
    "exponents": "[[1e2,2,3,4,5,6E-1]]",
    "negative": "[[-1,-0.5,3,4,5,6]]",
    "run lengths": '{"size":[80,100],"counts":[0,8000]}',
    "compressed": '{"size":[80,100],"counts":"\\\\1"}',
    "deeper": "[[[1,2]],[[3,4]]]",
    "an empty polygon": "[[],[1,2,3,4,5,6]]",
}


def test_outlines_of_all_forms_come_back_side_by_side(tmp_path):
    pairs = list(product(SHAPES.values(), repeat=2))
    images = [{"id": at, "file_name": f"{at}.jpg"} for at in range(1, len(pairs) + 1)]
    entries = [
        f'{{"id": {2 * at + second}, "image_id": {at}, "segmentation" :\n {shape} , "category_id": 1, '
        '"bbox": [1, 2, 3, 4]}'
        for at, pair in enumerate(pairs, 1)
        for second, shape in enumerate(pair)
    ]
    text = document_text(images, ",\n".join(entries))
    assert with_order(exported(of_file(text, tmp_path), tmp_path)) == with_order(json.loads(text))


def document_text(images, annotations):
    categories = [{"id": 1, "name": "a"}]
    return json.dumps({"images": images, "categories": categories, "annotations": "@"}).replace(
        '"@"', f"[{annotations}]"
    )


@pytest.mark.parametrize(
    "extra",
    [
        '"attributes": {"segmentation": [[9]]}',
        '"kind": "segmentation"',
        '"note": "\\"segmentation\\": [[9]]"',
        '"segment\\u0061tions": [[9]]',
        '"note": "]],[["',
    ],
    ids=["a key inside", "a value", "a text", "an escape", "brackets"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_an_outline_is_not_confused_with_its_name_elsewhere(tmp_path, extra, is_first):
    own = '"segmentation": [[1, 2, 3, 4, 5, 6]]'
    fields = f"{extra}, {own}" if is_first else f"{own}, {extra}"
    entry = f'{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], {fields}}}'
    text = document_text([{"id": 1, "file_name": "a.jpg"}], entry)
    assert with_order(exported(of_file(text, tmp_path), tmp_path)) == with_order(json.loads(text))


@pytest.mark.parametrize(
    ("field", "number", "written"),
    [
        ("big", "1" + "0" * 40, 10**40),
        ("id", "123456789012345678901234567890", 123456789012345678901234567890),
        ("area", "1" + "0" * 30, 10**30),
        ("x", "NaN", None),
        ("x", "1e400", None),
        ("area", "Infinity", None),
        ("segmentation", "[[NaN, 1, 2, 2, 3, 3]]", [[None, 1, 2, 2, 3, 3]]),
        ("segmentation", "[[1e400, 1, 2, 2, 3, 3]]", [[None, 1, 2, 2, 3, 3]]),
    ],
)
def test_numbers_of_any_size_are_kept_and_others_are_null(document, tmp_path, field, number, written):
    document["annotations"][0][field] = written
    text = json.dumps(document | {"annotations": [{**document["annotations"][0], field: "@"}]})
    expected = {**document, "annotations": document["annotations"][:1]}
    assert exported(of_file(text.replace('"@"', number), tmp_path), tmp_path) == expected


def outlined(document, folder):
    for entry in document["annotations"]:
        entry["segmentation"] = [[1, 1, 5, 1, 5, 5]]
    del document["annotations"][1]["segmentation"]
    return imported(document, folder)


def issues_of(ds, folder):
    return penstock.to_coco(ds, folder / "out.json", progress=False).issues


def test_an_outline_that_stays_where_its_box_goes_is_reported(document, tmp_path):
    ds = outlined(document, tmp_path)
    ds.boxes[1] = np.array([[2, 2, 3, 4], [9, 10, 11, 12]], np.float32)
    assert issues_of(ds, tmp_path) == ("the box of annotation 5 was edited, but not its segmentation",)


def test_an_outline_that_is_edited_with_its_box_is_not_reported(document, tmp_path):
    ds = outlined(document, tmp_path)
    ds.boxes[1] = np.array([[2, 2, 3, 4], [9, 10, 11, 12]], np.float32)
    ds.segmentation[1] = [[[2, 2, 6, 2, 6, 6]], ds.segmentation[1].numpy().tolist()[1]]
    ds.commit("both")
    assert issues_of(ds, tmp_path) == ()


@pytest.mark.parametrize(
    ("box", "issues"),
    [([6, 6, 7, 8], ()), ([5, 6, 9, 8], ("the box of annotation 9 was edited, but not its area",))],
    ids=["moved", "resized"],
)
def test_an_area_that_stays_where_its_box_is_resized_is_reported(document, tmp_path, box, issues):
    ds = imported(document, tmp_path)
    ds.boxes[0] = np.array([box], np.float32)
    assert issues_of(ds, tmp_path) == issues


def test_an_object_that_is_deleted_is_no_edited_box(document, tmp_path):
    ds = outlined(document, tmp_path)
    for name in ("boxes", "categories", "iscrowd", "annotation_id", "area", "annotation_index"):
        ds[name][1] = ds[name][1].numpy()[1:]
    for name in ("segmentation", "as_written"):
        ds[name][1] = ds[name][1].numpy().tolist()[1:]
    assert issues_of(ds, tmp_path) == ()


LVIS = {
    "info": {"description": "LVIS v1.0", "year": 2020},
    "licenses": [{"id": 1, "name": "CC BY", "url": "http://x"}],
    "images": [
        {
            "date_captured": "2013-11-14 17:02:52",
            "neg_category_ids": [2, 7],
            "id": 9,
            "license": 4,
            "height": 80,
            "width": 100,
            "flickr_url": "http://farm7.example/a.jpg",
            "coco_url": "http://images.example/train2017/000000000009.jpg",
            "not_exhaustive_category_ids": [2],
        },
        {
            "date_captured": "2013-11-14 17:02:53",
            "neg_category_ids": [],
            "id": 25,
            "license": 4,
            "height": 80,
            "width": 100,
            "flickr_url": "http://farm7.example/b.jpg",
            "coco_url": "http://images.example/val2017/000000000025.jpg",
            "not_exhaustive_category_ids": [],
        },
    ],
    "annotations": [
        {
            "bbox": [1.5, 2.25, 30, 20.75],
            "category_id": 7,
            "image_id": 25,
            "id": 1,
            "segmentation": [[1.5, 2.25, 31.5, 2.25, 31.5, 23.0]],
            "area": 311.25,
        },
    ],
    "categories": [
        {
            "image_count": 6,
            "synonyms": ["aerosol_can", "spray_can"],
            "def": "a dispenser that holds a substance under pressure",
            "id": 2,
            "synset": "aerosol.n.02",
            "name": "aerosol_can",
            "frequency": "c",
            "instance_count": 109,
        },
        {
            "frequency": "f",
            "synset": "air_conditioner.n.01",
            "image_count": 300,
            "id": 7,
            "name": "air_conditioner",
            "synonyms": ["air_conditioner"],
            "def": "a machine that keeps air cool and dry",
            "instance_count": 1081,
        },
    ],
}
OBJECTS365 = {
    "images": [
        {"height": 80, "id": 420917, "license": 5, "width": 100, "file_name": "images/v1/patch8/a.jpg", "url": ""}
    ],
    "annotations": [
        {
            "id": 5,
            "iscrowd": 0,
            "isfake": 0,
            "area": 37.6247,
            "isreflected": 0,
            "bbox": [8.6583251953, 7.1043701172, 6.09, 6.178115],
            "image_id": 420917,
            "category_id": 84,
        }
    ],
    "categories": [{"name": "Person", "id": 84}],
    "licenses": [{"name": "", "id": 0}],
}
OPEN_IMAGES = {
    "info": {"contributor": "x"},
    "images": [
        {"id": "0001eeaf4aed83f9", "file_name": "0001eeaf4aed83f9.jpg", "width": 100, "height": 80},
        {"id": "000595fe6fee6369", "file_name": "000595fe6fee6369.jpg", "width": 100, "height": 80},
    ],
    "annotations": [
        {"id": "b-2", "image_id": "000595fe6fee6369", "category_id": "/m/0cmf2", "bbox": [2, 2, 9, 9], "IsOccluded": 1},
        {"id": "a-1", "image_id": "0001eeaf4aed83f9", "category_id": "/m/0cmf2", "bbox": [1, 1, 9, 9], "IsOccluded": 0},
    ],
    "categories": [{"id": "/m/0cmf2", "name": "Airplane"}],
}


@pytest.mark.parametrize("source", [LVIS, OBJECTS365, OPEN_IMAGES], ids=["LVIS", "Objects365", "Open Images"])
def test_files_of_other_benchmarks_come_back_equal(source, tmp_path):
    assert with_order(exported(imported(source, tmp_path), tmp_path)) == with_order(source)
