from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import penstock
from penstock.dataset import load
from penstock.errors import DatasetExistsError, ImporterError
from penstock.importers import (
    demo,
    from_arrays,
    from_coco,
    from_folder,
    from_table,
    from_voc,
    from_yolo,
    import_report,
)
from penstock.tensors import decode_image, encode_image

QUIET = {"progress": False}


def picture(seed=0, side=16):
    return np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)


@pytest.fixture
def coco(tmp_path):
    """A COCO source of three images in a folder of its own."""
    root = tmp_path / "source"
    root.mkdir()
    images = []
    for number, name in enumerate(("a.png", "b.png", "c.jpg")):
        kind = "jpeg" if name.endswith("jpg") else "png"
        (root / name).write_bytes(encode_image(picture(number), kind))
        images.append({"id": number, "file_name": name, "width": 16, "height": 16})
    annotations = [
        {"id": 1, "image_id": 0, "category_id": 9, "bbox": [1, 2, 3, 4], "iscrowd": 1},
        {"id": 2, "image_id": 2, "category_id": 3, "bbox": [5.5, 6, 0, 4]},
    ]
    categories = [{"id": 9, "name": "dog"}, {"id": 3, "name": "cat"}]
    (root / "x.json").write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return root


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_coco_becomes_a_committed_dataset(coco, tmp_path):
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET)
    assert len(ds) == 3
    assert {"images", "boxes", "categories", "iscrowd", "file", "source_id", "annotation_id"} <= set(ds.tensors)
    assert ds.categories.info.class_names == ["dog", "cat"]
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[0], [], [1]]
    assert [boxes.tolist() for boxes in ds.boxes.numpy(aslist=True)] == [[[1, 2, 3, 4]], [], [[5.5, 6, 1, 4]]]
    assert [crowd.tolist() for crowd in ds.iscrowd.numpy(aslist=True)] == [[1], [], [0]]
    np.testing.assert_array_equal(ds.images[0].numpy(), picture(0))
    assert not ds.has_changes
    assert left_in(tmp_path) == ["out", "source"]


def test_image_files_are_kept_byte_for_byte(coco, tmp_path):
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", num_workers=2, **QUIET)
    assert ds.images[2].tobytes() == (coco / "c.jpg").read_bytes()
    assert ds.images[0].tobytes() == (coco / "a.png").read_bytes()


def test_report_names_what_was_repaired(coco, tmp_path):
    report = import_report(from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET))
    assert [str(issue) for issue in report.issues] == [
        "repaired: x.json, annotation 2 of c.jpg: box [5.5, 6, 0, 4] has no area and was widened to [5.5, 6, 1, 4]"
    ]
    assert report == import_report(tmp_path / "out")


def test_message_of_an_import_counts_what_was_repaired(coco, tmp_path):
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET)
    assert "import 3 samples from x.json, 0 refused, 1 repaired" in str(ds.log())


def test_links_refer_to_the_files(coco, tmp_path):
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", link=True, **QUIET)
    np.testing.assert_array_equal(ds.images[1].numpy(), picture(1))
    with pytest.raises(ImporterError, match="link=True"):
        from_coco(coco / "x.json", "s3://bucket/images", tmp_path / "out2", **QUIET)


@pytest.mark.parametrize("link", [False, True])
def test_a_missing_image_stops_an_import_that_leaves_nothing(coco, tmp_path, link):
    (coco / "b.png").unlink()
    with pytest.raises(ImporterError, match=r"b\.png: the image file does not exist"):
        from_coco(coco / "x.json", coco, tmp_path / "out", link=link, **QUIET)
    assert left_in(tmp_path) == ["source"]


@pytest.mark.parametrize("link", [False, True])
def test_a_missing_image_is_skipped_where_asked(coco, tmp_path, link):
    (coco / "b.png").unlink()
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", link=link, on_error="skip", **QUIET)
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[0], [1]]
    assert [issue.action for issue in import_report(ds).rejected] == ["rejected"]


def test_a_truncated_jpeg_stops_an_import_that_leaves_nothing(coco, tmp_path):
    (coco / "c.jpg").write_bytes((coco / "c.jpg").read_bytes()[:-100])
    with pytest.raises(ImporterError, match=r"c\.jpg: the image cannot be decoded"):
        from_coco(coco / "x.json", coco, tmp_path / "out", num_workers=2, **QUIET)
    assert left_in(tmp_path) == ["source"]


def test_a_truncated_jpeg_is_skipped_where_asked(coco, tmp_path):
    (coco / "c.jpg").write_bytes((coco / "c.jpg").read_bytes()[:-100])
    assert len(from_coco(coco / "x.json", coco, tmp_path / "out", on_error="skip", **QUIET)) == 2


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_linked_image_that_is_broken_raises_by_name_or_is_skipped(coco, tmp_path, num_workers):
    (coco / "c.jpg").write_bytes((coco / "c.jpg").read_bytes()[:-100])
    options = {"link": True, "num_workers": num_workers, **QUIET}
    with pytest.raises(ImporterError, match=r"c\.jpg: .*cannot be decoded"):
        from_coco(coco / "x.json", coco, tmp_path / "out", **options)
    assert left_in(tmp_path) == ["source"]
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", on_error="skip", **options)
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[0], []]


def test_addresses_in_the_file_are_linked_when_no_folder_is_named(coco, tmp_path):
    with pytest.raises(ImporterError, match="pass link=True to use the URLs"):
        from_coco(coco / "x.json", None, tmp_path / "out", **QUIET)
    with pytest.raises(ImporterError, match=r"'a\.png' has no coco_url"):
        from_coco(coco / "x.json", None, tmp_path / "out", link=True, **QUIET)


def test_links_name_their_credentials(coco, tmp_path):
    options = {"link": True, "verify": False, "creds_key": "my_s3", **QUIET}
    ds = from_coco(coco / "x.json", "s3://bucket/train/", tmp_path / "out", **options)
    assert ds.images.links()[0] == penstock.link("s3://bucket/train/a.png", creds_key="my_s3")


def test_an_interrupt_leaves_nothing(coco, tmp_path, monkeypatch):
    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(penstock.dataset.Dataset, "commit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET)
    assert left_in(tmp_path) == ["source"]


def test_what_is_stored_already_is_left_alone(coco, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    with pytest.raises(DatasetExistsError, match="choose another destination"):
        from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET)
    assert left_in(tmp_path / "out") == ["thesis.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_says_so(coco, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(ImporterError, match="cannot be written"):
        from_coco(coco / "x.json", coco, locked / "out", **QUIET)


def test_a_file_in_the_way_says_so(coco, tmp_path):
    with pytest.raises(ImporterError, match="cannot be written"):
        from_coco(coco / "x.json", coco, coco / "x.json" / "out", **QUIET)


def test_names_that_lead_out_of_the_folder_are_refused(coco, tmp_path):
    data = json.loads((coco / "x.json").read_text())
    data["images"][1]["file_name"] = "../secret.png"
    (coco / "x.json").write_text(json.dumps(data))
    with pytest.raises(ImporterError, match="is outside"):
        from_coco(coco / "x.json", coco, tmp_path / "out", link=True, **QUIET)


def test_wrong_options_are_refused(coco, tmp_path):
    with pytest.raises(ImporterError, match="on_error='ignore' is not valid"):
        from_coco(coco / "x.json", coco, tmp_path / "out", on_error="ignore", **QUIET)
    with pytest.raises(ImporterError, match="num_workers=-1"):
        from_coco(coco / "x.json", coco, tmp_path / "out", num_workers=-1, **QUIET)
    with pytest.raises(ImporterError, match="no import report"):
        import_report(tmp_path)


@pytest.mark.parametrize(
    "wrong", [None, 3, "", "a\0b", {}, "a" * 5000], ids=["none", "number", "empty", "nul", "no files", "long"]
)
@pytest.mark.parametrize("argument", ["annotations", "images", "roots"])
def test_arguments_that_are_no_paths_are_refused_in_words(coco, tmp_path, argument, wrong):
    arguments = {"annotations": coco / "x.json", "images": coco, "dest": tmp_path / "out", **QUIET, argument: wrong}
    with pytest.raises(ImporterError):
        from_coco(**arguments)


def test_a_name_that_leads_out_is_one_samples_fault(coco, tmp_path):
    data = json.loads((coco / "x.json").read_text())
    data["images"][1]["file_name"] = "../secret.png"
    (coco / "x.json").write_text(json.dumps(data))
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", on_error="skip", **QUIET)
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[0], [1]]


def test_boxes_are_clipped_to_the_image_where_the_file_states_no_size(coco, tmp_path):
    data = json.loads((coco / "x.json").read_text())
    for image in data["images"]:
        image.update(width=None, height=None)
    data["annotations"][0]["bbox"] = [10, 10, 60, 60]
    (coco / "x.json").write_text(json.dumps(data))
    ds = from_coco(coco / "x.json", coco, tmp_path / "out", **QUIET)
    assert ds.boxes[0].numpy().tolist() == [[10, 10, 6, 6]]


def test_addresses_of_this_machine_need_roots(coco, tmp_path):
    data = json.loads((coco / "x.json").read_text())
    for image in data["images"]:
        image["coco_url"] = f"file://{coco}/{image['file_name']}"
    (coco / "x.json").write_text(json.dumps(data))
    with pytest.raises(ImporterError, match=r"on this machine. Expected a path below images= or roots="):
        from_coco(coco / "x.json", None, tmp_path / "out", link=True, **QUIET)
    ds = from_coco(coco / "x.json", None, tmp_path / "out", link=True, roots=[coco], **QUIET)
    np.testing.assert_array_equal(ds.images[1].numpy(), picture(1))


@pytest.mark.parametrize("link", [False, True])
def test_a_farm_of_links_is_followed_where_roots_allow(coco, tmp_path, link):
    farm = tmp_path / "farm"
    farm.mkdir()
    for name in ("a.png", "b.png", "c.jpg"):
        (farm / name).symlink_to(coco / name)
    roots = [coco] if link else []
    ds = from_coco(coco / "x.json", farm, tmp_path / "out", link=link, roots=roots, **QUIET)
    np.testing.assert_array_equal(ds.images[1].numpy(), picture(1))
    assert [issue.problem for issue in import_report(ds).noted] == [
        "3 images are reached through symbolic links that point outside this folder"
    ]


@pytest.mark.parametrize("kind", ["yolo", "voc"])
def test_importers_of_boxes_link_their_images_as_well(tmp_path, kind):
    root = tmp_path / "in"
    (root / "images").mkdir(parents=True)
    (root / "images/a.png").write_bytes(encode_image(picture(), "png"))
    if kind == "yolo":
        (root / "labels").mkdir()
        (root / "labels/a.txt").write_text("0 .5 .5 .5 .25\n")
        (root / "classes.txt").write_text("cat")
    else:
        (root / "annotations").mkdir()
        (root / "annotations/a.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    ds = {"yolo": from_yolo, "voc": from_voc}[kind](root, tmp_path / "out", link=True, **QUIET)
    assert ds.images.links()[0] == penstock.link(str(root / "images/a.png"))
    np.testing.assert_array_equal(ds.images[0].numpy(), picture())


def test_several_coco_files_become_subsets_of_one_dataset(coco, tmp_path):
    data = json.loads((coco / "x.json").read_text())
    data["categories"] = [{"id": 1, "name": "cat"}, {"id": 2, "name": "bird"}]
    data["annotations"] = [{"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 1, 2, 2]}]
    data["images"] = data["images"][1:2]
    (coco / "y.json").write_text(json.dumps(data))
    ds = from_coco({"train": coco / "x.json", "val": coco / "y.json"}, coco, tmp_path / "out", **QUIET)
    assert ds.categories.info.class_names == ["dog", "cat", "bird"]
    assert [labels.tolist() for labels in ds.categories.numpy(aslist=True)] == [[0], [], [1], [2]]
    assert [subset.tolist() for subset in ds.subset.numpy(aslist=True)] == [[0], [0], [0], [1]]
    with pytest.raises(ImporterError, match="images has no 'val'"):
        from_coco({"val": coco / "y.json"}, {"train": coco}, tmp_path / "two", **QUIET)


def test_yolo_becomes_a_dataset(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / "y" / folder).mkdir(parents=True)
    (tmp_path / "y/classes.txt").write_text("cat\ndog\n")
    (tmp_path / "y/images/a.png").write_bytes(encode_image(picture(), "png"))
    (tmp_path / "y/labels/a.txt").write_text("1 0.5 0.5 0.5 0.25\n")
    ds = from_yolo(tmp_path / "y", tmp_path / "out", **QUIET)
    assert ds.boxes[0].numpy().tolist() == [[4, 6, 8, 4]]
    assert ds.categories.info.class_names == ["cat", "dog"]


def test_arrays_become_a_dataset(tmp_path):
    images = np.stack([picture(seed) for seed in range(5)])
    ds = from_arrays(
        {"images": images, "labels": [0, 1, 1, 0, 1], "score": np.arange(5.0)},
        tmp_path / "out",
        class_names=["cat", "dog"],
        **QUIET,
    )
    np.testing.assert_array_equal(ds.images[3].numpy(), images[3])
    assert ds.labels.numpy().tolist() == [[0], [1], [1], [0], [1]]
    assert ds.score.numpy().tolist() == [0, 1, 2, 3, 4]
    assert ds.labels.info.class_names == ["cat", "dog"]


def test_a_table_becomes_a_dataset(tmp_path):
    (tmp_path / "pictures/deep").mkdir(parents=True)
    (tmp_path / "pictures/deep/1.png").write_bytes(encode_image(picture(1), "png"))
    (tmp_path / "pictures/2.png").write_bytes(encode_image(picture(2), "png"))
    table = pd.DataFrame({"file": ["1.png", "2.png"], "found": ["b|a", None], "age": [3, 4], "note": ["x", None]})
    ds = from_table(
        table,
        tmp_path / "out",
        tensors={"findings": "found", "age": "age", "note": ("note", "text")},
        images="file",
        image_root=tmp_path / "pictures",
        **QUIET,
    )
    assert [labels.tolist() for labels in ds.findings.numpy(aslist=True)] == [[0, 1], []]
    assert ds.age.numpy().tolist() == [3, 4]
    np.testing.assert_array_equal(ds.images[0].numpy(), picture(1))


def test_without_tensors_the_xray_table_is_meant(tmp_path):
    table = pd.DataFrame({"Finding Labels": ["Mass|Edema", "Edema"]})
    assert from_table(table, tmp_path / "out", **QUIET).findings.info.class_names == ["Mass", "Edema"]
    with pytest.raises(ImporterError, match=r"tensors was not given.*are x, y.*tensors=\{'labels': 'y'\}"):
        from_table(pd.DataFrame({"x": [1], "y": ["a"]}), tmp_path / "two", **QUIET)


def test_a_table_row_without_image_raises_or_is_skipped(tmp_path):
    table = pd.DataFrame({"file": ["1.png", "2.png"], "found": ["a", "b"]})
    (tmp_path / "1.png").write_bytes(encode_image(picture(1), "png"))
    options = {"tensors": {"findings": "found"}, "images": "file", "image_root": tmp_path, **QUIET}
    with pytest.raises(ImporterError, match=r"no file '2\.png'"):
        from_table(table, tmp_path / "out", **options)
    assert len(from_table(table, tmp_path / "out", on_error="skip", **options)) == 1


def test_demo_is_made_once_in_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = demo(num_samples=12), demo(num_samples=12)
    assert first.path == second.path
    assert first.version == second.version
    assert str(first.path).startswith(str(tmp_path))
    assert demo(num_samples=13).path != first.path


def test_a_fresh_demo_knows_nothing_of_edits_made_before(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = demo(num_samples=12, fresh=True)
    first.labels[8] = ["Ring"]
    first.commit("sample 8 shows a ring")
    second = demo(num_samples=12, fresh=True)
    assert second.path != first.path
    assert second.labels[8].numpy().tolist() == [0]
    assert len(second.log()) == len(first.log()) - 1
    assert demo(num_samples=12).labels[8].numpy().tolist() == [0]


@pytest.mark.parametrize("number", ["12", 1.5, True, None, -3])
def test_demo_refuses_what_is_no_size(number):
    with pytest.raises(ImporterError, match="num_samples="):
        demo(num_samples=number)


def test_two_processes_that_make_the_demo_at_once_end_with_one(tmp_path):
    code = "import penstock; print(penstock.demo(num_samples=200).path)"
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert printed[0] == printed[1]
    assert len(load(printed[0].strip())) == 200
    assert not list(tmp_path.rglob("*.part"))


def test_demo_is_a_function_of_its_seed(tmp_path):
    one, other, third = (demo(tmp_path / str(n), num_samples=20, seed=seed) for n, seed in enumerate((4, 4, 5)))
    assert one.images[7].tobytes() == other.images[7].tobytes()
    assert [box.tolist() for box in one.boxes.numpy(aslist=True)] == [
        box.tolist() for box in other.boxes.numpy(aslist=True)
    ]
    assert one.images[7].tobytes() != third.images[7].tobytes()


def test_demo_holds_what_it_promises(tmp_path):
    ds = demo(tmp_path / "shapes")
    labels = ds.labels.numpy(aslist=True)
    assert np.bincount(np.concatenate(labels)).tolist() == [412, 208, 131, 54, 31, 12]
    assert [len(found) for found in labels] == [len(boxes) for boxes in ds.boxes.numpy(aslist=True)]
    assert ds.images[0].numpy().shape == (192, 192, 3)
    assert ds.labels[8].numpy().tolist() == [0]
    assert not ds.has_changes


def test_demo_refuses_an_empty_size(tmp_path):
    with pytest.raises(ImporterError, match="num_samples=0 is not valid"):
        demo(tmp_path / "shapes", num_samples=0)


@pytest.mark.real_data
def test_coco_mini_becomes_a_dataset_of_80(shared_data, tmp_path):
    root = shared_data / "coco_mini"
    ds = from_coco(root / "annotations/instances_train2017.json", root / "train2017", tmp_path / "out", **QUIET)
    assert len(ds) == 80
    assert len(ds.categories.info.class_names) == 80
    labels = ds.categories.numpy(aslist=True)
    counts = dict(zip(ds.categories.info.class_names, np.bincount(np.concatenate(labels), minlength=80), strict=True))
    assert (counts["person"], counts["book"], counts["potted plant"], counts["toaster"]) == (172, 50, 10, 1)
    assert sum(int(crowd.sum()) for crowd in ds.iscrowd.numpy(aslist=True)) == 8
    person = ds.categories.info.class_names.index("person")
    assert sum(person in found for found in labels) == 36
    with pytest.raises(ImporterError, match=r"did you mean .*train2017"):
        from_coco(root / "annotations/instances_train2017.json", root, tmp_path / "out2", **QUIET)


@pytest.mark.real_data
def test_taco_links_1500_images_that_are_elsewhere(shared_data, tmp_path):
    annotations = shared_data / "taco/annotations.json.gz"
    with pytest.raises(ImporterError, match=r"has neither 'batch_1/000006\.jpg'"):
        from_coco(annotations, tmp_path, tmp_path / "out", link=True, **QUIET)
    assert left_in(tmp_path) == []
    ds = from_coco(annotations, None, tmp_path / "out", link=True, verify=False, **QUIET)
    assert len(ds) == 1500
    assert ds.images.links()[0].url == "https://farm66.staticflickr.com/65535/33978196618_e30a59e0a8_o.png"
    counts = np.bincount(np.concatenate(ds.categories.numpy(aslist=True)), minlength=60)
    assert counts[ds.categories.info.class_names.index("Cigarette")] == 667
    assert len(import_report(ds).repaired) == 7


@pytest.mark.real_data
def test_bccd_becomes_a_dataset_of_364(shared_data, tmp_path):
    ds = from_voc(shared_data / "bccd/BCCD", tmp_path / "out", num_workers=2, **QUIET)
    assert len(ds) == 364
    counts = np.bincount(np.concatenate(ds.categories.numpy(aslist=True)))
    assert dict(zip(ds.categories.info.class_names, counts.tolist(), strict=True)) == {
        "RBC": 4155,
        "WBC": 372,
        "Platelets": 361,
    }
    assert import_report(ds).issues == ()
    assert ds.images[0].numpy().shape == (480, 640, 3)


@pytest.mark.real_data
def test_small_xrays_join_the_table(shared_data, tmp_path):
    root = shared_data / "nih/images64"
    table = pd.read_csv(shared_data / "nih/Data_Entry_2017_v2020.csv.gz")
    table = table[table["Image Index"].isin({path.name for path in root.rglob("*.png")})]
    ds = from_table(
        table,
        tmp_path / "out",
        tensors={"findings": "Finding Labels", "age": "Patient Age", "patient": "Patient ID"},
        images="Image Index",
        image_root=root,
        **QUIET,
    )
    counts = np.bincount(np.concatenate(ds.findings.numpy(aslist=True)))
    found = dict(zip(ds.findings.info.class_names, counts.tolist(), strict=True))
    assert (len(ds), found["No Finding"], found["Effusion"], found["Hernia"]) == (1000, 499, 170, 9)
    assert ds.images[0].numpy().shape[:2] == (64, 64)


@pytest.mark.real_data
def test_small_xrays_become_classes_by_split(shared_data, tmp_path):
    ds = from_folder(shared_data / "nih/images64", tmp_path / "out", **QUIET)
    assert ds.labels.info.class_names == ["0_normal", "1_abnormal"]
    assert ds.subset.info.class_names == ["test", "train", "valid"]
    assert len(ds) == 1000


@pytest.mark.real_data
def test_the_whole_nih_table_imports_in_seconds(shared_data, tmp_path):
    ds = from_table(
        shared_data / "nih/Data_Entry_2017_v2020.csv.gz",
        tmp_path / "out",
        tensors={"findings": "Finding Labels", "age": "Patient Age"},
        rename={"Infiltrate": "Infiltration"},
        **QUIET,
    )
    assert len(ds) == 112_120
    labels = ds.findings.numpy(aslist=True)
    counts = np.bincount(np.concatenate(labels))
    found = dict(zip(ds.findings.info.class_names, counts.tolist(), strict=True))
    assert (found["No Finding"], found["Infiltration"], found["Pneumonia"], found["Hernia"]) == (
        60361,
        19894,
        1431,
        227,
    )
    assert len({tuple(row) for row in labels}) == 801


@pytest.mark.real_data
def test_awkward_images_are_skipped_by_name(shared_data, tmp_path):
    ds = from_folder(shared_data / "messy/pillow", tmp_path / "out", on_error="skip", **QUIET)
    refused = {issue.source.rsplit("/", 1)[-1] for issue in import_report(ds).rejected}
    assert {"broken.png", "truncated_jpeg.jpg", "truncated_image.png", "broken_data_stream.png"} <= refused
    for row in range(len(ds)):
        assert decode_image(ds.images[row].tobytes()).ndim == 3


IMPORTS = {
    "coco": lambda coco, dest, **options: from_coco(coco / "x.json", coco, dest, **options),
    "folder": lambda coco, dest, **options: from_folder(coco, dest, **options),
    "arrays": lambda _, dest, **options: from_arrays({"images": [picture()]}, dest, **options),
}


@pytest.mark.parametrize("make", IMPORTS.values(), ids=IMPORTS)
def test_images_larger_than_allowed_are_refused(coco, tmp_path, make):
    with pytest.raises(ImporterError, match="max_image_bytes"):
        make(coco, tmp_path / "out", max_image_bytes=767, **QUIET)  # a picture has 16 x 16 x 3 = 768 bytes
    assert not (tmp_path / "out").exists()
    assert len(make(coco, tmp_path / "out", max_image_bytes=768, **QUIET)) > 0


@pytest.mark.parametrize("wrong", [0, -1, True, "1 GB"], ids=str)
@pytest.mark.parametrize("make", IMPORTS.values(), ids=IMPORTS)
def test_a_bound_that_is_no_number_of_bytes_is_refused(coco, tmp_path, make, wrong):
    with pytest.raises(ImporterError, match=f"max_image_bytes={wrong!r} is not valid. Expected a number of bytes"):
        make(coco, tmp_path / "out", max_image_bytes=wrong, **QUIET)
