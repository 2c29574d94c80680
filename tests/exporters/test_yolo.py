from __future__ import annotations

import contextlib
import io
import random

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import penstock
from penstock.errors import ExportError
from penstock.exporters.yolo._outlines import joined, mask_outlines
from penstock.tensors import encode_image
from tests.widgets.conftest import FrontEnd, wire  # noqa: F401  a fixture

MORE = pytest.mark.exhaustive
PNG = encode_image(np.zeros((50, 100, 3), np.uint8), "png")
NAMES = "names:\n  0: cat\n  1: dog\n"
SPLITS = "train: images/train\nval: images/val\n"
POSE = f"{SPLITS}kpt_shape: [2, 3]\nflip_idx: [1, 0]\nfuture: {{a: [1, x]}}\n{NAMES}"


def folder(root, config=SPLITS + NAMES, **labels):
    """Write images of 100 × 50 pixels by split and name, such as train_a, with label files; None leaves the file out."""
    for name, text in labels.items():
        split, _, stem = name.partition("_")
        for kind, suffix, content in (("images", "png", PNG), ("labels", "txt", text)):
            path = root / kind / split / f"{stem}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (root / "data.yaml").write_text(config, encoding="utf-8", newline="")
    return root


def imported(root, dest, **options):
    return penstock.from_yolo(root, dest, progress=False, **options)


def exported(source, dest, **options):
    return penstock.to_yolo(source, dest, progress=False, **options)


def texts(root):
    """Return the content of label files and data.yaml by their path."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.[ty]*") if path.is_file()}


def lines(root):
    return {(name, at): line for name, text in texts(root).items() for at, line in enumerate(text.splitlines())}


LABELS = {
    "boxes": (SPLITS + NAMES, "1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.2 0.4\n"),
    "boxes of six digits": (SPLITS + NAMES, "1 0.500000 0.512345 0.200000 0.400000\n"),
    "boxes of many digits": (SPLITS + NAMES, "1 0.12345678901234567 0.5 0.0123456789 1e-2\n"),
    "a box that reaches out": (SPLITS + NAMES, "0 0.05 0.5 0.2 0.4\n0 1.0 1.0 0.5 0.5\n"),
    "a box without area": (SPLITS + NAMES, "0 0.5 0.5 0 0.4\n"),
    "polygons": (SPLITS + NAMES, "0 0.1 0.1 0.3 0.1 0.333333 0.5\n1 .1 .1 .2 .1 .2 .2 .1 .2\n"),
    "polygons of many digits": (SPLITS + NAMES, "0 0.1234567890123 0.1 0.3 0.1 0.33333333333333 0.5\n"),
    "rotated boxes": (SPLITS + NAMES, "0 0.5 0.1 0.9 0.5 0.5 0.9 0.1 0.5\n"),
    "poses": (POSE, "0 0.5 0.5 0.2 0.4 0.45 0.35 2 0.55 0.65 1\n1 .5 .5 .2 .4 0 0 0 .5 .5 2.000000\n"),
    "poses of two numbers": (POSE.replace("3]", "2]"), "0 0.5 0.5 0.2 0.4 0.45 0.35 -1 -1\n"),
    "a pose that is only a box": (POSE, "0 0.5 0.5 0.2 0.4\n"),
    "scores": (SPLITS + NAMES, "1 0.5 0.5 0.2 0.4 0.875\n0 0.1 0.2 0.2 0.4\n"),
    "scores of polygons": (SPLITS + NAMES, "0 0.1 0.1 0.3 0.1 0.333333 0.5 0.9\n"),
    "scores of poses": (POSE, "0 0.5 0.5 0.2 0.4 0.45 0.35 0.8 0.55 0.65 0.1 0.95\n"),
    "a mix": (SPLITS + NAMES, "0 0.1 0.1 0.3 0.1 0.3 0.5\n1 0.5 0.5 0.2 0.4\n"),
    "odd spaces": (SPLITS + NAMES, " 1\t0.5  0.5 0.2 0.4 \n\n \n0 5e-1 .5 +0.2 4E-1"),
    "CR LF": (SPLITS + NAMES, "1 0.5 0.5 0.2 0.4\r\n0 0.5 0.5 0.2 0.4\r\n"),
    "no last line end": (SPLITS + NAMES, "1 0.5 0.5 0.2 0.4\n0 0.5 0.5 0.2 0.4"),
    "a mark": (SPLITS + NAMES, b"\xef\xbb\xbf1 0.5 0.5 0.2 0.4\n"),
    "classes as decimals": (SPLITS + NAMES, "1.0 0.5 0.5 0.2 0.4\n"),
    "a class of two numbers": (SPLITS + "names: [cat, cat]\n", "1 0.5 0.5 0.2 0.4\n0 0.5 0.5 0.2 0.4\n"),
    "a number without a name": (SPLITS + "names: {0: cat, 2: dog}\n", "2 0.5 0.5 0.2 0.4\n"),
    "names that YAML reads as other things": (SPLITS + "nc: 3\nnames: [no, 1.0, null]\n", "2 0.5 0.5 0.2 0.4\n"),
    "one line twice": (SPLITS + NAMES, "1 0.5 0.5 0.2 0.4\n1 0.5 0.5 0.2 0.4\n"),
}


@pytest.mark.parametrize(("config", "label"), LABELS.values(), ids=LABELS)
def test_a_folder_comes_back_equal_to_the_byte(tmp_path, config, label):
    root = folder(tmp_path / "in", config, train_a=label, train_b="", train_c=None, val_d="\n \n", val_e=label)
    exported(imported(root, tmp_path / "ds"), tmp_path / "out")
    assert texts(tmp_path / "out") == texts(root)


@pytest.mark.parametrize(("config", "label"), LABELS.values(), ids=LABELS)
def test_an_export_of_an_export_is_equal(tmp_path, config, label):
    root = folder(tmp_path / "in", config, train_a=label, val_b=label)
    exported(imported(root, tmp_path / "ds"), tmp_path / "one", images="copy")
    exported(imported(tmp_path / "one", tmp_path / "again"), tmp_path / "two", images="copy")
    assert texts(tmp_path / "two") == texts(root)
    assert (tmp_path / "two/images/train/a.png").read_bytes() == PNG


EDGES = {
    "right": "0 0.800091 0.500000 0.399818 0.400000",
    "bottom": "0 0.500000 0.918237 0.400000 0.163526",
    "both": "1 0.902042 0.800091 0.195916 0.399818",
}


@pytest.mark.parametrize("label", EDGES.values(), ids=EDGES)
def test_a_box_that_ends_at_the_edge_of_its_image_comes_back_equal(tmp_path, label):
    root = folder(tmp_path / "in", train_a=f"{label}\n")
    (root / "images/train/a.png").write_bytes(encode_image(np.zeros((640, 640, 3), np.uint8), "png"))
    exported(imported(root, tmp_path / "ds"), tmp_path / "out")
    assert texts(tmp_path / "out") == texts(root)


FRACTIONS = st.one_of(
    st.integers(0, 1000).map(lambda number: f"{number / 1000}"),
    st.floats(0, 1).map(repr),
    st.floats(0, 1).map(lambda number: f"{number:.6f}"),
    st.floats(0, 1).map(lambda number: f"{number:.4E}"),
    st.sampled_from([".5", "+0.25", "0", "1", "1.", "00.5", "5e-1"]),
)
SPACES = st.sampled_from([" ", "  ", "\t", " \t "])


@st.composite
def label_files(draw, sizes):
    """Draw the text of a label file: lines of numbers with odd spaces, blank lines, and any ends of lines."""
    found = draw(st.sampled_from(["", "\n", " \r\n"]))
    count = draw(st.integers(0, 4))
    for at in range(count):
        words = [draw(st.sampled_from(["0", "1", "1.0", "00"]))]
        words += draw(st.lists(FRACTIONS, min_size=(size := draw(st.sampled_from(sizes))), max_size=size))
        found += draw(st.sampled_from(["", " "])) + draw(SPACES).join(words) + draw(st.sampled_from(["", " ", "\t"]))
        ends = ["\n", "\r\n", "\n\n", "\n \n", "\r"]
        found += draw(st.sampled_from([*ends, ""] if at + 1 == count else ends))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes",
    [[4], pytest.param([4, 5], marks=MORE), [6, 8, 12], pytest.param([8], marks=MORE)],
    ids=["boxes", "scores", "polygons", "rotated"],
)
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # smaller cases would each write a dataset again
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_random_label_files_come_back_equal(sizes, data, tmp_path_factory):
    base = tmp_path_factory.mktemp("yolo")
    root = folder(base / "in", train_a=data.draw(label_files(sizes)), train_b=data.draw(label_files(sizes)))
    ds = imported(root, base / "ds", on_error="skip")
    refused = {issue.source for issue in penstock.import_report(ds).rejected}
    exported(ds, base / "out")
    kept = [name for name in texts(root) if not any(name.rsplit("/", 1)[-1] in source for source in refused)]
    assert {name: texts(base / "out")[name] for name in kept} == {name: texts(root)[name] for name in kept}


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_random_edits_change_their_lines_alone(data, tmp_path_factory):
    base = tmp_path_factory.mktemp("edits")
    root = folder(base / "in", train_a=data.draw(label_files([4])), train_b="1 .5 .5 .25 .5\n0 .5 .5 .25 .5")
    ds = imported(root, base / "ds", on_error="skip")
    exported(ds, base / "before")
    labels = {(row, at): int(label) for row in range(2) for at, label in enumerate(ds.categories[row].numpy())}
    chosen = data.draw(st.sets(st.sampled_from(sorted(labels)), min_size=1))
    moved = {key for key in chosen if data.draw(st.booleans())}
    for row, at in chosen:
        if (row, at) in moved:
            boxes = ds.boxes[row].numpy()
            boxes[at] = [13, 17, 29, 31] if boxes[at].tolist() != [13, 17, 29, 31] else [1, 2, 3, 4]
            ds.boxes[row] = boxes
        else:
            values = ds.categories[row].numpy()
            values[at] = 1 - values[at]
            ds.categories[row] = values
    exported(ds, base / "out")
    before, after = texts(base / "before"), texts(base / "out")
    assert before.keys() == after.keys()
    for row, name in enumerate(("labels/train/a.txt", "labels/train/b.txt")):
        old, new = ([word.split() for word in one[name].splitlines() if word.strip()] for one in (before, after))
        changed = {(row, at) for at, (one, other) in enumerate(zip(old, new, strict=True)) if one != other}
        assert changed == {key for key in chosen if key[0] == row}
        for _, at in changed - moved:
            assert (old[at][1:], int(float(new[at][0]))) == (new[at][1:], 1 - labels[row, at])


@pytest.fixture
def ds(tmp_path):
    label = "0 0.500000 0.50 0.2 0.4\n1  0.1 0.2 0.2 0.4\n1 0.7 0.7 0.1 0.1\n"
    root = folder(tmp_path / "in", train_a=label, val_b="0 .5 .5 .5 .5\n")
    return imported(root, tmp_path / "ds")


def changes(ds, tmp_path):
    """Return the lines that an export has in another way than the source, by path and place."""
    exported(ds, tmp_path / "out")
    before, after = lines(tmp_path / "in"), lines(tmp_path / "out")
    return {key: after.get(key) for key in before | after if before.get(key) != after.get(key)}


def test_a_moved_box_changes_its_line_alone(ds, tmp_path):
    boxes = ds.boxes[0].numpy()
    boxes[1] = [10, 5, 20, 20]  # from [0, 0, 20, 20] of 100 × 50
    ds.boxes[0] = boxes
    assert changes(ds, tmp_path) == {("labels/train/a.txt", 1): b"1  0.2 0.3 0.2 0.4"}


def test_a_class_changes_the_first_word_of_its_line(ds, tmp_path):
    ds.categories[0] = ["dog", "dog", "dog"]
    assert changes(ds, tmp_path) == {("labels/train/a.txt", 0): b"1 0.500000 0.50 0.2 0.4"}


def test_a_renamed_class_changes_the_yaml_alone(ds, tmp_path):
    ds.categories.rename_class("cat", "lynx")
    assert {name for name, _ in changes(ds, tmp_path)} == {"data.yaml"}
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"] == {0: "lynx", 1: "dog"}


def test_merged_classes_leave_no_gap_in_the_numbers(tmp_path):
    root = folder(tmp_path / "in", SPLITS + "nc: 3\nnames: [cat, dog, fox]\n", train_a="1 .5 .5 .5 .5\n2 .5 .5 .5 .5\n")
    ds = imported(root, tmp_path / "ds")
    ds.categories.merge_classes(["dog"], into="cat")
    report = exported(ds, tmp_path / "out")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == b"0 .5 .5 .5 .5\n1 .5 .5 .5 .5\n"
    found = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert (found["names"], found["nc"]) == (["cat", "fox"], 2)
    assert report.issues == ("'dog' is gone, so that 'fox' has a lower number",)


def test_a_new_class_gets_the_next_number(ds, tmp_path):
    ds.categories.add_class("fox")
    ds.categories[1] = ["fox"]
    assert changes(ds, tmp_path)["labels/val/b.txt", 0] == b"2 .5 .5 .5 .5"
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"] == {0: "cat", 1: "dog", 2: "fox"}


def test_a_new_object_is_a_new_line_in_the_style_of_the_file(tmp_path):
    label = "1 0.500000 0.500000 0.200000 0.400000\r\n"
    ds = imported(folder(tmp_path / "in", train_a=label), tmp_path / "ds")
    ds.boxes[0] = np.array([*ds.boxes[0].numpy(), [0, 0, 10, 10]], np.float32)
    ds.categories[0] = ["dog", "cat"]
    exported(ds, tmp_path / "out")
    added = b"0 0.050000 0.100000 0.100000 0.200000\r\n"
    assert texts(tmp_path / "out")["labels/train/a.txt"] == label.encode() + added


def test_a_deleted_object_takes_its_line_away(ds, tmp_path):
    for name in ("boxes", "categories", "as_written"):
        values = ds[name][0].numpy()
        ds[name][0] = values[1:] if values.ndim else values.item()[1:]
    exported(ds, tmp_path / "out")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == b"1  0.1 0.2 0.2 0.4\n1 0.7 0.7 0.1 0.1\n"


def test_an_image_of_another_split_moves_with_its_labels(ds, tmp_path):
    ds.subset[0] = ["val"]
    report = exported(ds, tmp_path / "out", images="copy")
    assert sorted(texts(tmp_path / "out")) == ["data.yaml", "labels/val/a.txt", "labels/val/b.txt"]
    assert (tmp_path / "out/images/val/a.png").exists()
    assert report.issues[0].startswith("there is no split for 'train'")


def test_a_polygon_that_is_edited_changes_its_line_alone(tmp_path):
    root = folder(tmp_path / "in", train_a="0 0.1 0.1 0.3 0.1 0.30 0.5\n1 .1 .1 .2 .1 .2 .2\n")
    ds = imported(root, tmp_path / "ds")
    polygons = ds.segmentation[0].numpy().item()
    assert polygons[0] == [[10, 5, 30, 5, 30, 25]]
    polygons[0][0][2] = 40
    ds.segmentation[0] = polygons
    assert changes(ds, tmp_path) == {("labels/train/a.txt", 0): b"0 0.1 0.1 0.4 0.1 0.30 0.5"}


def test_a_keypoint_that_is_edited_changes_its_line_alone(tmp_path):
    root = folder(
        tmp_path / "in", POSE, train_a="0 0.5 0.5 0.2 0.4 0.450 0.35 2 0.55 0.65 1\n0 .5 .5 .2 .4 0 0 0 0 0 0\n"
    )
    ds = imported(root, tmp_path / "ds")
    points = ds.keypoints[0].numpy().item()
    assert points[0] == [45, 17.5, 2, 55, 32.5, 1]
    points[0][3:] = [60, 30, 2]
    ds.keypoints[0] = points
    assert changes(ds, tmp_path) == {("labels/train/a.txt", 0): b"0 0.5 0.5 0.2 0.4 0.450 0.35 2 0.6 0.6 2"}


def moved_box(ds):
    boxes = ds.boxes[0].numpy()
    boxes[0, 0] -= 3
    ds.boxes[0] = boxes


def moved_vertex(ds):
    values = ds.segmentation[0].numpy().item()
    values[0][0][2] += 3
    ds.segmentation[0] = values


def moved_keypoint(ds):
    values = ds.keypoints[0].numpy().item()
    values[0][0] += 3
    ds.keypoints[0] = values


EDITS = {
    "a box": (SPLITS + NAMES, "0 0.600251 0.500000 0.594489 0.896625\n", moved_box, {1}),
    "a box of many digits": (SPLITS + NAMES, "0 0.12345678901234567 0.5 0.0123456789 1e-2\n", moved_box, {1}),
    "a vertex": (SPLITS + NAMES, "0 0.1234567890123 0.1 0.3 0.1 0.33333333333333 0.5\n", moved_vertex, {3}),
    "a vertex beside a score": (SPLITS + NAMES, "0 .1 .1 .3 0.10000000001 .3 .5 0.9123456789012\n", moved_vertex, {3}),
    "a keypoint": (POSE, "0 0.5 0.5 0.2 0.4 0.45 0.35 2 0.5500000000001 0.65 1\n", moved_keypoint, {5}),
    "a keypoint in a box that reaches out": (POSE, "0 .95 .5 .2 .4 .45 .35 2 .55 .65 1\n", moved_keypoint, {5}),
}


@pytest.mark.parametrize(("config", "label", "edit", "words"), EDITS.values(), ids=EDITS)
def test_an_edit_changes_the_numbers_of_another_value_alone(tmp_path, config, label, edit, words):
    root = folder(tmp_path / "in", config, train_a=label)
    ds = imported(root, tmp_path / "ds")
    edit(ds)
    exported(ds, tmp_path / "out")
    before, after = (one["labels/train/a.txt"].split() for one in (texts(root), texts(tmp_path / "out")))
    assert {at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new} == words


def test_a_box_moved_off_its_polygon_is_reported(tmp_path):
    ds = imported(folder(tmp_path / "in", train_a="0 0.1 0.1 0.3 0.1 0.3 0.5\n"), tmp_path / "ds")
    ds.boxes[0] = np.array([[50, 5, 20, 20]], np.float32)
    report = exported(ds, tmp_path / "out")
    assert report.issues[0] == (
        "boxes that are not around their polygon are not written, but their polygon is: 1, in 'images/train/a.png'"
    )


SOURCES = {
    "detect": "instances_train2017",
    "segment": "instances_train2017",
    "obb": "instances_train2017",
    "pose": "person_keypoints_train2017",
}


@pytest.fixture(scope="module")
def real(shared_data, tmp_path_factory):
    """Return the folder of a task made of COCO's, and the dataset it was made of."""
    made = {}

    def of(task):
        if task not in made:
            base = tmp_path_factory.mktemp(task)
            coco = shared_data / "coco_mini"
            file = coco / f"annotations/{SOURCES[task]}.json"
            ds = penstock.from_coco(file, coco / "train2017", base / "coco", progress=False)
            exported(ds, base / "yolo", task=task, images="copy")
            made[task] = base / "yolo", ds
        return made[task]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("task", SOURCES)
def test_a_folder_made_of_coco_comes_back_equal(real, task, tmp_path):
    root, _ = real(task)
    ds = imported(root, tmp_path / "ds", link=True)
    assert ds.info["source"]["task"] == task
    exported(ds, tmp_path / "out")
    assert texts(tmp_path / "out") == texts(root)


def edit_boxes(ds, row, at, rng):
    boxes = ds.boxes[row].numpy()
    boxes[at] = [rng.randint(0, 50), rng.randint(0, 50), rng.randint(1, 50), rng.randint(1, 50)]
    ds.boxes[row] = boxes


def edit_polygons(ds, row, at, rng):
    values = ds.segmentation[row].numpy().item()
    values[at][0][0] += rng.choice([-1, 1]) * 0.25
    ds.segmentation[row] = values


def edit_keypoints(ds, row, at, rng):
    values = ds.keypoints[row].numpy().item()
    values[at][:3] = [rng.randint(1, 50), rng.randint(1, 50), 1]
    ds.keypoints[row] = values


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "edit"), [("detect", edit_boxes), ("segment", edit_polygons), ("pose", edit_keypoints)]
)
def test_forty_edits_change_forty_lines(real, task, edit, tmp_path):
    root, _ = real(task)
    ds = imported(root, tmp_path / "ds", link=True)
    rng = random.Random(13)
    objects = [(row, at) for row in range(len(ds)) for at in range(len(ds.boxes[row].numpy()))]
    chosen = rng.sample(objects, 40)
    for row, at in chosen:
        edit(ds, row, at, rng)
    ds.commit("forty")
    exported(ds, tmp_path / "out")
    before, after = lines(root), lines(tmp_path / "out")
    assert before.keys() == after.keys()
    changed = {key for key in before if before[key] != after[key]}
    stems = [str(ds.file[row].numpy()).removeprefix("images/").removesuffix(".jpg") for row, _ in chosen]
    assert changed == {(f"labels/{stem}.txt", at) for stem, (_, at) in zip(stems, chosen, strict=True)}


@pytest.mark.slow
def test_boxes_of_a_yolo_folder_are_those_of_coco(real, tmp_path):
    root, ds = real("detect")
    again = imported(root, tmp_path / "ds", link=True)
    for row in range(len(ds)):
        kept = ds.iscrowd[row].numpy() == 0
        np.testing.assert_array_equal(again.boxes[row].numpy(), ds.boxes[row].numpy()[kept])
        names = [ds.categories.info.class_names[label] for label in ds.categories[row].numpy()[kept]]
        assert [again.categories.info.class_names[label] for label in again.categories[row].numpy()] == names


@pytest.mark.slow
def test_boxes_evaluated_against_their_source_give_an_average_precision_of_one(real, shared_data, tmp_path):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    root, _ = real("detect")
    ds = imported(root, tmp_path / "ds", link=True)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(shared_data / "coco_mini/annotations/instances_train2017.json"))
        ids = {entry["name"]: entry["id"] for entry in truth.dataset["categories"]}
        names = ds.categories.info.class_names
        found = [
            {
                "image_id": int(str(ds.file[row].numpy())[-16:-4]),
                "category_id": ids[names[label]],
                "bbox": box.tolist(),
                "score": 1.0,
            }
            for row in range(len(ds))
            for box, label in zip(ds.boxes[row].numpy(), ds.categories[row].numpy(), strict=True)
        ]
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == 1.0


@pytest.mark.slow
def test_keypoints_of_coco_have_their_shape_and_mirror_order(real):
    root, _ = real("pose")
    config = yaml.safe_load((root / "data.yaml").read_text())
    assert config["kpt_shape"] == [17, 3]
    assert config["flip_idx"] == [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    assert config["kpt_names"][0][:3] == ["nose", "left_eye", "right_eye"]


def of_objects(folder, segmentation, *, iscrowd=(0,), name="a.png", boxes=((10, 10, 20, 20),)):
    """Return a dataset of one image of 100 × 50 pixels with COCO's fields."""
    ds = penstock.empty(folder)
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("classes", htype="class_label", class_names=["a", "b"], aligned_with="boxes")
    ds.create_tensor("iscrowd", htype="generic", dtype="uint8", aligned_with="boxes")
    ds.create_tensor("segmentation", htype="json", aligned_with="boxes")
    ds.create_tensor("file", htype="text")
    sample = {
        "images": np.zeros((50, 100, 3), np.uint8),
        "boxes": np.array(boxes, np.float32),
        "classes": [0] * len(boxes),
        "iscrowd": np.array(iscrowd, np.uint8),
        "segmentation": segmentation,
        "file": name,
    }
    ds.append(sample)
    ds.commit("one")
    return ds


SQUARE = [10, 10, 30, 10, 30, 30, 10, 30]
MASK = {"size": [50, 100], "counts": [510, 20] + [30, 20] * 19 + [5000 - 510 - 20 - 50 * 19]}


@pytest.mark.parametrize(
    ("segmentation", "task", "line", "issue"),
    [
        ([[SQUARE]], "segment", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", ""),
        ([[SQUARE]], "obb", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", ""),
        ([None], "segment", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", "objects without a polygon"),
        ([[SQUARE[:6]]], "obb", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", "objects without a polygon of four"),
        ([[[0, 0]]], "segment", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", "objects without a polygon"),
        ([{"size": [9], "counts": "x"}], "segment", b"0 0.1 0.2 0.3 0.2 0.3 0.6 0.1 0.6\n", "run-length masks cannot"),
        ([[SQUARE]], "detect", b"0 0.2 0.4 0.2 0.4\n", "tensors that are not part"),
        ([MASK], "segment", b"0 0.1 0.2 0.1 0.6 0.3 0.6 0.3 0.2\n", "run-length masks are written"),
    ],
    ids=["polygon", "rotated", "none", "triangle", "point", "broken mask", "box", "mask"],
)
def test_objects_are_written_as_the_task_has_them(tmp_path, segmentation, task, line, issue):
    report = exported(of_objects(tmp_path / "ds", segmentation), tmp_path / "out", task=task)
    assert texts(tmp_path / "out")["labels/train/a.txt"] == line
    assert any(one.startswith(issue) for one in report.issues)


def test_crowds_are_left_out_and_reported(tmp_path):
    boxes = ((10, 10, 20, 20), (0, 0, 50, 50))
    ds = of_objects(tmp_path / "ds", [[SQUARE], None], iscrowd=(0, 1), boxes=boxes)
    report = exported(ds, tmp_path / "out", task="detect")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == b"0 0.2 0.4 0.2 0.4\n"
    assert "crowds are left out: 1, in 'images/train/a.png'" in report.issues


def test_several_polygons_become_one_whose_outline_contains_both(tmp_path):
    other = [60, 10, 80, 10, 80, 30, 60, 30]
    ds = of_objects(tmp_path / "ds", [[SQUARE, other]], boxes=((10, 10, 70, 20),))
    report = exported(ds, tmp_path / "out", task="segment")
    assert report.issues[0].startswith("objects of several polygons are written as one, joined by lines: 1")
    words = texts(tmp_path / "out")["labels/train/a.txt"].split()[1:]
    points = np.array(words, float).reshape(-1, 2) * [100, 50]
    assert {tuple(point) for point in points.tolist()} == {
        *zip(SQUARE[::2], SQUARE[1::2], strict=True),
        *zip(other[::2], other[1::2], strict=True),
    }
    assert _area(points) == pytest.approx(800)  # 20 × 20 each; the way between them has none


def _area(points):
    x, y = points.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


def test_joined_polygons_keep_their_areas():
    squares = [np.array([[x, 0.0], [x + 2, 0], [x + 2, 2], [x, 2]]) for x in (0, 5, 9)]
    assert _area(joined(squares)) == pytest.approx(12)


@pytest.mark.parametrize("turned", [{0}, {1}, {0, 2}], ids=str)
def test_polygons_that_go_around_in_different_directions_keep_their_areas(turned):
    squares = [np.array([[x, 0.0], [x + 2, 0], [x + 2, 2], [x, 2]]) for x in (0, 5, 9)]
    assert _area(joined([one[::-1] if at in turned else one for at, one in enumerate(squares)])) == pytest.approx(12)


MASKS = {
    "one pixel": (["...", ".#.", "..."], 1),
    "a line of one pixel": (["....", "####", "...."], 1),
    "stairs": (["#...", "##..", "###.", "####"], 1),
    "pixels that touch at corners": (["#..", ".#.", "..#"], 1),
    "two parts": (["##..#", "##..#"], 2),
    "a notch": (["###", "#.#", "#.#"], 1),
}


@pytest.mark.parametrize(("drawn", "parts"), MASKS.values(), ids=MASKS)
def test_the_outlines_of_a_mask_enclose_its_pixels(drawn, parts):
    mask = np.array([[pixel == "#" for pixel in row] for row in drawn])
    changes = np.flatnonzero(np.diff(mask.T.ravel(), prepend=False, append=False))
    runs = {"size": list(mask.shape), "counts": np.diff([0, *changes, mask.size]).tolist()}
    outlines = mask_outlines(runs)
    assert len(outlines) == parts
    assert sum(map(_area, outlines)) == mask.sum()


@pytest.mark.parametrize("runs", [{}, {"size": [2, 2]}, {"size": [2], "counts": [4]}, {"size": "x", "counts": "y"}])
def test_a_mask_that_cannot_be_read_has_no_outline(runs):
    assert mask_outlines(runs) is None


@pytest.mark.parametrize(
    "names",
    [
        ("a/1.png", "b/1.png"),
        ("1.png", "1.jpg"),
        ("1.png", "1.png"),
        ("images/train/1.png", "train/images/1.png"),
        ("../1.png", "/1.png"),
    ],
    ids=["folders", "suffixes", "twice", "layouts", "outside"],
)
def test_images_of_one_name_have_label_files_of_their_own(tmp_path, names):
    ds = of_objects(tmp_path / "ds", [None], name=names[0])
    ds.append({**{name: ds[name][0].numpy() for name in ds.tensors}, "file": names[1], "classes": [1]})
    exported(ds, tmp_path / "out", task="detect", images="copy")
    labels = [content for name, content in texts(tmp_path / "out").items() if name.startswith("labels/")]
    assert sorted(labels) == [b"0 0.2 0.4 0.2 0.4\n", b"1 0.2 0.4 0.2 0.4\n"]
    assert len(list((tmp_path / "out/images").rglob("*.*"))) == 2
    again = imported(tmp_path / "out", tmp_path / "again")
    assert sorted(int(again.categories[row].numpy()[0]) for row in range(2)) == [0, 1]


def test_objects_of_an_image_without_size_are_reported(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("classes", htype="class_label", class_names=["a"], aligned_with="boxes")
    ds.append({"boxes": np.array([[1, 1, 2, 2]], np.float32), "classes": [0]})
    report = exported(ds, tmp_path / "out")
    assert report.num_objects == 0
    assert report.issues[0].startswith("objects are left out because the size of their image is not known: 1")


def test_classes_become_folders_and_come_back(tmp_path):
    for name in ("train/cat/1.png", "train/dog/1.png", "val/cat/2.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(PNG)
    ds = imported(tmp_path / "in", tmp_path / "ds")
    assert ds.info["source"]["task"] == "classify"
    report = exported(ds, tmp_path / "out", images="copy")
    found = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_bytes() for path in (tmp_path / "out").rglob("*.*")
    }
    assert found == dict.fromkeys(["train/cat/1.png", "train/dog/1.png", "val/cat/2.png"], PNG)
    assert report.issues == ()
    with pytest.raises(ExportError, match="Expected images='copy' or images='link'"):
        exported(ds, tmp_path / "labels")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "track"}, "task='track' is not valid"),
        ({"task": "pose"}, "no object has keypoints"),
        ({"images": "link"}, "Expected linked images"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(tmp_path, options, message):
    ds = of_objects(tmp_path / "ds", [[SQUARE]])
    with pytest.raises(ExportError, match=message):
        exported(ds, tmp_path / "out", **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ds"]


def test_the_most_that_a_dataset_has_is_written_by_default(tmp_path):
    exported(of_objects(tmp_path / "ds", [[SQUARE]]), tmp_path / "out")
    assert len(texts(tmp_path / "out")["labels/train/a.txt"].split()) == 9
    exported(of_objects(tmp_path / "none", [None]), tmp_path / "boxes")
    assert len(texts(tmp_path / "boxes")["labels/train/a.txt"].split()) == 5


@pytest.mark.parametrize(
    "note",
    [
        "mine",
        {"format": "yolo", "task": 7, "files": [{"format": "yolo", "classes": 3, "header": 4, "text": 5, "style": 6}]},
        {"format": "yolo", "task": "segment", "files": []},
        {"format": "yolo", "files": [{"format": "yolo", "keeps_layout": True, "folders": 7, "name": "../../x"}]},
        {"format": "yolo", "files": [{"format": "yolo", "keeps_layout": True, "folders": {"": "../x"}, "text": "["}]},
    ],
)
def test_a_note_that_no_import_wrote_does_no_harm(tmp_path, note):
    ds = of_objects(tmp_path / "ds", [[SQUARE]])
    ds.info["source"] = note
    exported(ds, tmp_path / "deep/out", task="detect")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "ds"]
    (content,) = (content for name, content in texts(tmp_path / "deep/out").items() if name.endswith("a.txt"))
    assert content == b"0 0.2 0.4 0.2 0.4\n"


def test_an_object_drawn_among_scores_has_none(tmp_path, wire):  # noqa: F811  a fixture of that file
    root = folder(tmp_path / "in", train_a="0 0.5 0.5 0.2 0.4 0.875\n")
    ds = imported(root, tmp_path / "ds")
    front = FrontEnd(penstock.explore(ds))
    shown = front.ask("sample.get", position=0)[0]["sample"]
    edit = {"labels": [0, 1], "boxes": [*shown["boxes"], 10, 5, 20, 20], "sources": [0, -1]}
    front.ask("edit.labels", uid=shown["uid"], state=shown["state"], **edit)
    exported(ds, tmp_path / "out")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == b"0 0.5 0.5 0.2 0.4 0.875\n1 0.2 0.3 0.2 0.4\n"


def test_a_path_of_another_machine_is_kept_and_reported(tmp_path):
    root = folder(tmp_path / "in", f"path: /content/x\n{SPLITS}{NAMES}", train_a="0 .5 .5 .1 .1", val_b="0 .5 .5 .1 .1")
    report = exported(imported(root, tmp_path / "ds"), tmp_path / "out")
    assert texts(tmp_path / "out") == texts(root)
    assert report.issues == ("data.yaml has path: /content/x, as in the source; trainers look for the images there",)


def test_one_split_stays_where_it_is(tmp_path):
    root = folder(tmp_path / "in", train_a="0 .5 .5 .1 .1", val_b="1 .5 .5 .1 .1")
    report = exported(imported(root, tmp_path / "ds", split="val"), tmp_path / "out")
    assert texts(tmp_path / "out")["labels/val/b.txt"] == b"1 .5 .5 .1 .1"
    config = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert (config["train"], config["val"]) == ("images/val", "images/val")
    assert report.issues[0].startswith("there is no split for 'train'")


@pytest.mark.parametrize("names", ["!mine [cat, dog]", "&a [cat, dog]", "{1: dog, 0: cat}"])
def test_unusual_yaml_comes_back_and_can_be_edited(tmp_path, names):
    config = f"{SPLITS}names: {names}\nnc: 2\nkept: {{a: x}}\n"
    ds = imported(folder(tmp_path / "in", config, train_a="0 .5 .5 .1 .1", val_b=""), tmp_path / "ds")
    exported(ds, tmp_path / "out")
    assert (tmp_path / "out/data.yaml").read_text() == config
    ds.categories.rename_class("cat", "lynx")
    exported(ds, tmp_path / "renamed")
    found = yaml.safe_load((tmp_path / "renamed/data.yaml").read_text())
    assert [found["names"][number] for number in (0, 1)] == ["lynx", "dog"]
    assert (found["kept"], found["train"]) == ({"a": "x"}, "images/train")


def test_poses_of_objects_without_keypoints_are_not_visible_and_reported(tmp_path):
    ds = of_objects(tmp_path / "ds", [None, None], iscrowd=(0, 0), boxes=((10, 10, 20, 20), (0, 0, 10, 10)))
    ds.create_tensor("keypoints", htype="json", aligned_with="boxes")
    ds.keypoints[0] = [[10, 10, 2, 20, 20, 1], None]
    report = exported(ds, tmp_path / "out", task="pose")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == (
        b"0 0.2 0.4 0.2 0.4 0.1 0.2 2 0.2 0.4 1\n0 0.05 0.1 0.1 0.2 0 0 0 0 0 0\n"
    )
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text())["kpt_shape"] == [2, 3]
    assert report.issues[0] == (
        "objects have no keypoints; those they lack are written as not visible: 1, in 'images/train/a.png'"
    )


def test_boxes_of_poses_are_written_without_what_the_yaml_says_of_keypoints(tmp_path):
    label = "0 0.50 0.5 0.2 0.4 0.45 0.35 2 0.55 0.65 1\n"
    ds = imported(folder(tmp_path / "in", POSE, train_a=label, val_b=""), tmp_path / "ds")
    report = exported(ds, tmp_path / "out", task="detect")
    assert texts(tmp_path / "out")["labels/train/a.txt"] == b"0 0.5 0.5 0.2 0.4\n"
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text()) == {
        "train": "images/train",
        "val": "images/val",
        "future": {"a": [1, "x"]},
        "names": {0: "cat", 1: "dog"},
    }
    assert report.issues == ("tensors that are not part of a YOLO folder for 'detect': keypoints",)


def test_images_without_one_class_have_no_class_folder(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image", sample_compression="png")
    ds.create_tensor("labels", htype="class_label", class_names=["a/b", "c"])
    ds.create_tensor("file", htype="text")
    image = np.zeros((5, 6, 3), np.uint8)
    for labels, file in (([0], "x/1.png"), ([0], "y/1.png"), ([], "2.png"), ([0, 1], "3.png")):
        ds.append({"images": image, "labels": labels, "file": file})
    report = exported(ds, tmp_path / "out", images="copy")
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["train/a_b/1-2.png", "train/a_b/1.png"]
    assert report.num_objects == 2
    assert report.issues == (
        "the class 'a/b' is written as the folder 'a_b'",
        "there is no split for 'val' or 'test', one of which trainers need",
        "images of a name that its folder already has get another name: 1, in 'train/a_b/1.png'",
        "images without a class are left out: 1, in '2.png'",
        "images of several classes are left out: 1, in '3.png'",
        "classes without images, which have no folder: 1, in 'c'",
    )
