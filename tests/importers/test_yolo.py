from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import penstock
from penstock.errors import ImporterError
from penstock.importers.boxes._detections import judge_boxes
from penstock.importers.boxes._frames import frame_of
from penstock.importers.building._report import IssueLog
from penstock.importers.yolo._layout import is_yolo
from penstock.importers.yolo._yolo import gather_yolo
from penstock.tensors import encode_image

PNG = encode_image(np.zeros((50, 100, 3), np.uint8), "png")
BOX = "0 0.5 0.5 0.2 0.4\n"  # of a 100 × 50 image: [40, 15, 20, 20]


def put(root, *images, **texts):
    """Write images of 100 × 50 pixels, and texts by the path that `__` and `_dot_` spell."""
    for name in images:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG)
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def root(tmp_path):
    put(
        tmp_path,
        "images/train/a.png",
        "images/train/b.png",
        "images/val/c.png",
        data_dot_yaml="train: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n",
        labels__train__a_dot_txt="1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.2 0.4\n",
        labels__val__c_dot_txt="0 0.1 0.1 0.3 0.1 0.3 0.5\n",
    )
    return tmp_path


def parsed(root, on_error="raise", **options):
    log = IssueLog(on_error)
    gathered = gather_yolo(root, log, **options)
    frames = [None if image is None else frame_of(image) for image in gathered.images]
    return judge_boxes(gathered.found, frames, log)[0], log.issues


def names_of(found):
    return [found.class_names[label] for label in found.labels]


def test_fractions_become_pixels(root):
    found, issues = parsed(root, split="train")
    assert found.images == ("images/train/a.png", "images/train/b.png")
    np.testing.assert_allclose(found.boxes_xywh, [[40, 15, 20, 20], [0, 0, 20, 20]], atol=1e-4)
    assert found.labels.tolist() == [1, 0]
    assert found.class_names == ("cat", "dog")
    assert [issue.action for issue in issues] == []


def test_an_image_without_label_file_has_no_boxes(root):
    assert parsed(root, split="train")[0].offsets.tolist() == [0, 2, 2]


def test_a_polygon_becomes_its_box(root):
    found, _ = parsed(root, split="val")
    np.testing.assert_allclose(found.boxes_xywh, [[10, 5, 20, 20]], atol=1e-4)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7 .5 .5 .1 .1", "class 7 is not valid. Expected 0 to 1"),
        ("-1 .5 .5 .1 .1", "class -1 is not valid. Expected 0 to 1"),
        ("0.5 .5 .5 .1 .1", "class 0.5"),
        ("nan .5 .5 .1 .1", "class nan"),
        ("1e400 .5 .5 .1 .1", "class inf"),
        ("0 .5 .5 .1", "4 numbers"),
        ("0", "1 numbers"),
        ("0 .5 .5 .1 .1 1.9", "the score 1.9 is not valid. Expected 0 to 1"),
        ("cat .5 .5 .1 .1", "'cat' is not a number"),
        ("0,.5,.5,.1,.1", "is not a number"),
        ("0 1_0 .5 .1 .1", "is not a number"),
        ("0 1.5 .5 .1 .1", "outside its image"),
        ("0 .5 .5 -.1 .1", "negative width or height"),
        ("0 nan .5 .1 .1", "not a finite number"),
        ("0 320 240 100 50", "320 is not a fraction"),
        ("0 10 10 20 10 20 20", "10 is not a fraction"),
        ("0 .1 .1 .2 .1 .2 .2 .1", "8 numbers"),
    ],
)
def test_a_wrong_line_raises_or_is_left_out(root, line, said):
    (root / "labels/train/b.txt").write_text(f"{line}\n0 0.5 0.5 0.2 0.4\n")
    with pytest.raises(ImporterError, match=r"b.txt|b.png") as caught:
        parsed(root, split="train")
    assert said in str(caught.value)
    found, issues = parsed(root, "skip", split="train")
    assert found.labels.tolist() == [1, 0, 0]
    assert len(issues) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.txt", b"cat\ndog\n"),
        ("classes.txt", b"\xef\xbb\xbfcat\r\ndog\r\n"),
        ("labels/classes.txt", b"cat\ndog\n"),
        ("obj.names", b"cat\ndog"),
        ("classes.txt", "cat\ndog\n".encode("utf-16")),
        ("data.yaml", b"names: [cat, dog]\n"),
        ("my.yml", b"\xef\xbb\xbfnames: {'0': cat, '1': dog}\n"),
        ("data.yaml", b"names: {1: dog, 0: cat}\nnc: 2\n"),
    ],
    ids=["classes", "a mark", "in labels", "obj.names", "UTF-16", "a list", "text keys", "any order"],
)
def test_class_names_are_read_from(root, file, text):
    (root / "data.yaml").unlink()
    (root / file).write_bytes(text)
    assert parsed(root)[0].class_names == ("cat", "dog")


def test_names_are_the_text_that_is_written(root):
    (root / "data.yaml").write_text("names: [no, 1.0, 0x1F, null]\n")
    assert parsed(root)[0].class_names == ("no", "1.0", "0x1F", "null")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("classes.txt", "person\n\nbicycle\n\n"),
        ("data.yaml", "names: {0: person, 2: bicycle}"),
        ("data.yaml", "names: [person, '', bicycle]"),
    ],
    ids=["a blank line", "a missing number", "an empty name"],
)
def test_a_number_without_a_name_keeps_the_others_in_place(tmp_path, file, text):
    put(tmp_path, "images/a.png", labels__a_dot_txt="2 .5 .5 .1 .1\n1 .5 .5 .1 .1\n")
    (tmp_path / file).write_text(text)
    found, issues = parsed(tmp_path, "skip")
    assert (found.class_names, names_of(found)) == (("person", "bicycle"), ["bicycle"])
    assert "class 1 is not valid. This number has no name" in issues[0].problem


def test_a_name_that_occurs_twice_is_one_class(root):
    (root / "data.yaml").write_text("names: [cat, cat, dog]")
    found, issues = parsed(root)
    assert (found.class_names, found.labels.tolist()) == (("cat", "dog"), [0, 0, 0])
    assert [issue.action for issue in issues] == ["noted"]


def test_given_names_win(root):
    (root / "data.yaml").write_text("nc: 2")
    assert parsed(root, class_names=["x", "y"])[0].class_names == ("x", "y")
    with pytest.raises(ImporterError, match="Expected a list of names"):
        parsed(root, class_names="xy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"names: {a: cat}", "has no names"),
        (b"nc: 2", "has no names"),
        (b"names: [", "read as YAML"),
        (b"names: [[cat], dog]", "has no names"),
        (b"[" * 5000, "read as YAML"),
        (b"names: [caf\xe9]", "data.yaml is not UTF-8 text"),
        (b"names: [cat]\nkpt_shape: [17]", "kpt_shape"),
        (b"names: cat", "has no names"),
        (b"\x00\x01", "read as YAML"),
    ],
    ids=["words as keys", "no names", "cut", "lists", "nested", "Latin-1", "keypoints", "one word", "bytes"],
)
def test_a_wrong_yaml_says_so(root, text, said):
    (root / "data.yaml").write_bytes(text)
    with pytest.raises(ImporterError, match=said):
        parsed(root)


def test_a_yaml_that_is_not_the_datasets_is_passed_over(root):
    put(root, args_dot_yaml="lr0: 0.01\n", broken_dot_yaml="a: [", docker__compose_dot_yml="services: {}\n")
    found, issues = parsed(root)
    assert found.class_names == ("cat", "dog")
    assert sorted(issue.source.rsplit("/", 1)[-1] for issue in issues) == ["args.yaml", "broken.yaml", "compose.yml"]


def test_two_lists_of_different_classes_are_refused(root):
    put(root, classes_dot_txt="dog\ncat\n")
    with pytest.raises(ImporterError, match=r"data.yaml and .*classes.txt list different classes"):
        parsed(root)
    put(root, classes_dot_txt="cat\ndog\n")
    assert parsed(root)[0].class_names == ("cat", "dog")


@pytest.mark.parametrize("encoded", [b"caf\xe9\n", b"\xff\xff"])
def test_text_that_is_not_utf8_names_the_file(tmp_path, encoded):
    put(
        tmp_path,
        "images/a.png",
        "images/b.png",
        labels__a_dot_txt=encoded,
        labels__b_dot_txt=BOX,
        classes_dot_txt="cat",
    )
    with pytest.raises(ImporterError, match=r"a.txt is not UTF-8 text"):
        parsed(tmp_path)
    found, issues = parsed(tmp_path, "skip")
    assert (found.images, len(issues)) == (("images/b.png",), 1)
    put(tmp_path, classes_dot_txt=encoded)
    with pytest.raises(ImporterError, match=r"classes.txt is not UTF-8 text"):
        parsed(tmp_path, "skip")


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("[2, 2]", "0 0.5 0.5 0.2 0.4 0.45 0.35 0.55 0.65"),
        ("[2, 3]", "0 0.5 0.5 0.2 0.4 0.45 0.35 2 0.55 0.65 1"),
        ("['1', '3']", "0 0.5 0.5 0.2 0.4 0 0 0"),
        ("[2, 2]", "0 0.5 0.5 0.2 0.4"),
    ],
)
def test_a_pose_is_its_box(tmp_path, shape, line):
    put(tmp_path, "images/a.png", labels__a_dot_txt=line, data_dot_yaml=f"names: [hero]\nkpt_shape: {shape}\n")
    np.testing.assert_allclose(parsed(tmp_path)[0].boxes_xywh, [[40, 15, 20, 20]], atol=1e-4)


@pytest.mark.parametrize(
    ("config", "line", "said"),
    [
        ("names: [hero]\nkpt_shape: [2, 2]", "0 0.5 0.5 0.2 0.4 0.45 0.35", "7 numbers. Expected 9"),
        (None, "0 0.5 0.5 0.2 0.4 0.45 0.35 2 0.55 0.65 1", "Poses need a YAML file with kpt_shape"),
        (None, "0 0.5 0.5 0.2 0.4 0.45 0.35 2", "Poses need a YAML file with kpt_shape"),
    ],
)
def test_a_pose_of_another_shape_or_without_a_yaml_is_refused(tmp_path, config, line, said):
    put(tmp_path, "images/a.png", labels__a_dot_txt=line)
    put(tmp_path, **({"data_dot_yaml": config} if config else {"classes_dot_txt": "hero"}))
    with pytest.raises(ImporterError, match=said):
        parsed(tmp_path)


def test_a_rotated_box_becomes_the_box_around_it(tmp_path):
    put(tmp_path, "images/a.png", labels__a_dot_txt="0 .5 .1 .9 .5 .5 .9 .1 .5", data_dot_yaml="names: [ship]")
    found, issues = parsed(tmp_path)
    np.testing.assert_allclose(found.boxes_xywh, [[10, 5, 80, 40]], atol=1e-4)
    assert found.source.info["task"] == "obb"
    assert "may be rotated boxes or polygons" in issues[0].problem


def layout(root, kind):
    """Write one image with a box in train and one in valid, in a layout that tools write."""
    yaml = "names: [cat, dog]\n"
    if kind == "splits first":
        put(
            root, "train/images/1.png", "valid/images/1.png", train__labels__1_dot_txt=BOX, valid__labels__1_dot_txt=BOX
        )
        put(root, data_dot_yaml=f"train: ../train/images\nval: ../valid/images\ntest: ../test/images\n{yaml}")
    elif kind == "from another machine":
        put(
            root, "train/images/1.png", "valid/images/1.png", train__labels__1_dot_txt=BOX, valid__labels__1_dot_txt=BOX
        )
        put(root, data_dot_yaml=f"path: /content/x\ntrain: /content/x/train/images\nval: C:\\x\\valid\\images\n{yaml}")
    elif kind == "images first":
        put(
            root, "images/train/1.png", "images/valid/1.png", labels__train__1_dot_txt=BOX, labels__valid__1_dot_txt=BOX
        )
        put(root, data_dot_yaml=f"path: .\ntrain: images/train\nval: [images/valid]\n{yaml}")
    elif kind == "lists":
        put(root, "images/1.png", "images/2.png", labels__1_dot_txt=BOX, labels__2_dot_txt=BOX)
        put(root, train_dot_txt="./images/1.png\n", valid_dot_txt="\ufeffimages/2.png\r\n\r\n")
        put(root, data_dot_yaml=f"train: train.txt\nvalid: valid.txt\n{yaml}")
    elif kind == "CVAT":
        put(
            root,
            "obj_train_data/1.png",
            "obj_valid_data/1.png",
            obj_train_data__1_dot_txt=BOX,
            obj_valid_data__1_dot_txt=BOX,
        )
        put(
            root,
            obj_dot_names="cat\ndog\n",
            train_dot_txt="data/obj_train_data/1.png\n",
            valid_dot_txt="data/obj_valid_data/1.png",
        )
        put(
            root,
            obj_dot_data="classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n",
        )
    elif kind == "Roboflow's darknet":
        put(root, "train/1.png", "valid/1.png", train__1_dot_txt=BOX, valid__1_dot_txt=BOX)
        put(root, train___darknet_dot_labels="cat\ndog", valid___darknet_dot_labels="cat\ndog")
        (root / "train" / "_darknet.labels").write_text("cat\ndog")
        (root / "valid" / "_darknet.labels").write_text("cat\ndog")
    elif kind == "one file of names":
        put(
            root,
            "train/images/1.png",
            "valid/images/1.png",
            train__labels__1_dot_txt=BOX,
            valid__labels__1_dot_txt=BOX,
            classes_dot_txt="cat\ndog",
        )
    return root


LAYOUTS = [
    "splits first",
    "from another machine",
    "images first",
    "lists",
    "CVAT",
    "Roboflow's darknet",
    "one file of names",
]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_layouts_that_tools_write_are_read_with_their_splits(tmp_path, kind):
    found, issues = parsed(layout(tmp_path, kind))
    assert len(found) == 2
    assert [subset[:2] for subset in found.subsets] == ["tr", "va"]
    np.testing.assert_allclose(found.boxes_xywh, [[40, 15, 20, 20]] * 2, atol=1e-4)
    assert names_of(found) == ["cat", "cat"]
    assert issues == []
    assert is_yolo(tmp_path)


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_split_is_taken_alone_also_by_its_other_name(tmp_path, kind):
    found, _ = parsed(layout(tmp_path, kind), split="train")
    assert (len(found), found.subsets) == (1, None)
    assert len(parsed(tmp_path, split="valid")[0]) == 1


def test_one_split_alone_finds_its_names_above(tmp_path):
    layout(tmp_path, "splits first")
    found, _ = parsed(tmp_path / "train")
    assert (found.images, names_of(found)) == (("images/1.png",), ["cat"])


def test_the_yaml_may_be_named_in_place_of_the_folder(tmp_path):
    layout(tmp_path, "splits first")
    (tmp_path / "data.yaml").rename(tmp_path / "mine.yaml")
    assert len(parsed(tmp_path / "mine.yaml")[0]) == 2


def test_what_a_yaml_names_outside_of_the_folder_needs_roots(tmp_path):
    put(tmp_path / "else", "images/1.png", labels__1_dot_txt=BOX)
    put(tmp_path / "set", data_dot_yaml=f"train: {tmp_path}/else/images\nnames: [cat]")
    with pytest.raises(ImporterError, match=r"names '.*else/images', which is outside .*roots="):
        parsed(tmp_path / "set")
    found, _ = parsed(tmp_path / "set", roots=[tmp_path / "else"])
    np.testing.assert_allclose(found.boxes_xywh, [[40, 15, 20, 20]], atol=1e-4)


def test_a_listed_image_that_is_missing_raises_or_is_left_out(tmp_path):
    layout(tmp_path, "lists")
    (tmp_path / "images/2.png").unlink()
    with pytest.raises(ImporterError, match=r"valid.txt, 'images/2.png': this image does not exist"):
        parsed(tmp_path)
    assert len(parsed(tmp_path, "skip")[0]) == 1


def test_links_to_folders_elsewhere_are_followed(tmp_path):
    put(tmp_path / "store", "img/a.png", lab__a_dot_txt=BOX)
    root = tmp_path / "ds"
    for name, target in (("images", "img"), ("labels", "lab")):
        (root / name).mkdir(parents=True)
        (root / name / "train").symlink_to(tmp_path / "store" / target)
    put(root, data_dot_yaml="names: [cat]")
    found, issues = parsed(root)
    assert (found.images, len(found.labels)) == (("images/train/a.png",), 1)
    assert [issue.problem for issue in issues] == [
        "1 image is reached through symbolic links that point outside this folder"
    ]


def test_label_files_that_belong_to_no_image_are_ignored_by_name(root):
    put(root, labels__train__z_dot_txt=BOX, README_dot_md="hello")
    _, issues = parsed(root)
    assert [(issue.source.removeprefix(f"{root}/"), issue.problem) for issue in issues] == [
        ("README.md", "not an image or label file of the dataset"),
        ("labels/train/z.txt", "a label file that belongs to no image"),
    ]
    assert {issue.action for issue in issues} == {"ignored"}


def test_folders_that_are_no_yolo_say_so(root):
    assert is_yolo(root)
    with pytest.raises(ImporterError, match="The splits are train, val"):
        parsed(root, split="test")
    with pytest.raises(ImporterError, match="does not exist"):
        parsed(root / "none")
    (root / "data.yaml").unlink()
    with pytest.raises(ImporterError, match="no class names"):
        parsed(root)


def test_a_folder_without_images_says_so(tmp_path):
    put(tmp_path, images__a_dot_txt="", labels__a_dot_txt=BOX, classes_dot_txt="cat")
    with pytest.raises(ImporterError, match="has no images"):
        parsed(tmp_path)


def test_masks_in_labels_are_no_yolo(tmp_path):
    put(tmp_path, "images/a.png", "labels/a.png")
    assert not is_yolo(tmp_path)


def task_of(root, **options):
    return parsed(root, **options)[0].source.info["task"]


@pytest.mark.parametrize(
    ("config", "label", "options", "task"),
    [
        ("", "0 .5 .5 .1 .1\n", {}, "detect"),
        ("", "", {}, "detect"),
        ("", "0 .1 .1 .2 .1 .2 .2\n", {}, "segment"),
        ("", "0 .1 .1 .2 .1 .2 .2 .1 .2\n", {}, "obb"),
        ("", "0 .1 .1 .2 .1 .2 .2 .1 .2 .9\n", {}, "obb"),
        ("", "0 .1 .1 .2 .1 .2 .2 .1 .2\n0 .1 .1 .2 .1 .2 .2\n", {}, "segment"),
        ("", "0 .1 .1 .2 .1 .2 .2 .1 .2\n", {"task": "segment"}, "segment"),
        ("task: segment\n", "0 .1 .1 .2 .1 .2 .2 .1 .2\n", {}, "segment"),
        ("task: obb\n", "0 .1 .1 .2 .1 .2 .2 .1 .2\n", {"task": "segment"}, "segment"),
        ("task: mine\n", "0 .5 .5 .1 .1\n", {}, "detect"),
        ("kpt_shape: [2, 2]\n", "0 .5 .5 .1 .1 .1 .1 .2 .2\n", {}, "pose"),
    ],
)
def test_the_task_is_recognized(tmp_path, config, label, options, task):
    put(tmp_path, "images/a.png", labels__a_dot_txt=label, data_dot_yaml=f"names: [cat]\n{config}")
    assert task_of(tmp_path, **options) == task


def test_a_pose_needs_its_number_of_keypoints(root):
    with pytest.raises(ImporterError, match="Expected kpt_shape in the YAML"):
        parsed(root, task="pose")


def test_a_task_that_does_not_exist_is_refused(root, tmp_path):
    with pytest.raises(ImporterError, match="task='track' is not valid"):
        penstock.from_yolo(root, tmp_path / "ds", task="track")


def test_the_yaml_is_kept_with_keys_of_the_future(tmp_path):
    text = "names: {0: cat}\nkpt_shape: [1, 3]\nflip_idx: [0]\nadded: 2026-01-02\nnested: {a: [1, b]}\n"
    put(tmp_path, "images/a.png", labels__a_dot_txt="0 .5 .5 .2 .4 .1 .2 2", data_dot_yaml=text)
    (note,) = parsed(tmp_path)[0].source.info["files"]
    assert note["text"] == text
    assert note["header"] == {
        "names": {"0": "cat"},
        "kpt_shape": [1, 3],
        "flip_idx": [0],
        "added": "2026-01-02",
        "nested": {"a": [1, "b"]},
    }


@pytest.mark.parametrize(
    ("config", "line", "name", "value"),
    [
        ("", "0 .1 .1 .3 .1 .3 .5", "segmentation", [[10, 5, 30, 5, 30, 25]]),
        ("", "0 .1 .1 .3 .1 .3 .5 .1 .5", "segmentation", [[10, 5, 30, 5, 30, 25, 10, 25]]),
        ("kpt_shape: [2, 3]", "0 .5 .5 .2 .4 .45 .35 2 0 0 0", "keypoints", [45, 17.5, 2, 0, 0, 0]),
        ("kpt_shape: [2, 2]", "0 .5 .5 .2 .4 .45 .35 -1 -1", "keypoints", [45, 17.5, 2, -100, -50, 0]),
        ("", "0 .5 .5 .2 .4 .875", "score", 0.875),
        ("", "0 .1 .1 .3 .1 .3 .5 .875", "score", 0.875),
        ("kpt_shape: [1, 3]", "0 .5 .5 .2 .4 .45 .35 2 .875", "score", 0.875),
    ],
)
def test_what_a_line_has_beside_its_box_is_kept_in_pixels(tmp_path, config, line, name, value):
    put(tmp_path / "in", "images/a.png", labels__a_dot_txt=line, data_dot_yaml=f"names: [cat]\n{config}\n")
    ds = penstock.from_yolo(tmp_path / "in", tmp_path / "ds", progress=False)
    found = ds[name][0].numpy()
    assert (found.item() if found.ndim == 0 else found.tolist()) == [value]
    assert str(ds.file[0].numpy()) == "images/a.png"


@pytest.mark.parametrize("line", ["0 .5 .5 .2 .4 nan .3 2", "0 .5 .5 .2 .4 320 200 2", "0 .5 .5 .2 .4 .1 .2 inf"])
def test_a_keypoint_that_is_no_fraction_is_refused(tmp_path, line):
    put(tmp_path, "images/a.png", labels__a_dot_txt=line, data_dot_yaml="names: [cat]\nkpt_shape: [1, 3]\n")
    with pytest.raises(ImporterError, match=r"a\.txt"):
        parsed(tmp_path)


@pytest.mark.parametrize("line", ["0 .1 .1 nan .1 .3 .5", "0 .1 .1 inf .1 .3 .5"])
def test_a_polygon_that_is_not_finite_is_refused(tmp_path, line):
    put(tmp_path, "images/a.png", labels__a_dot_txt=line, data_dot_yaml="names: [cat]\n")
    with pytest.raises(ImporterError, match=r"a\.txt"):
        parsed(tmp_path)


def test_polygons_of_a_turned_image_are_turned_with_their_boxes(tmp_path):
    image = Image.new("RGB", (100, 50))
    exif = image.getexif()
    exif[0x0112] = 6  # shown turned by 90 degrees: 50 × 100
    (tmp_path / "in/images").mkdir(parents=True)
    image.save(tmp_path / "in/images/a.jpg", exif=exif)
    put(tmp_path / "in", labels__a_dot_txt="0 .1 .2 .3 .2 .3 .6\n", data_dot_yaml="names: [cat]\n")
    stored = penstock.from_yolo(tmp_path / "in", tmp_path / "stored", exif="stored", progress=False)
    assert stored.segmentation[0].numpy().item() == [[[40, 10, 40, 30, 20, 30]]]  # x = 50 - y, y = x
    np.testing.assert_allclose(stored.boxes[0].numpy(), [[20, 10, 20, 20]], atol=1e-4)
    upright = penstock.from_yolo(tmp_path / "in", tmp_path / "upright", progress=False)
    assert upright.segmentation[0].numpy().item() == [[[5, 20, 15, 20, 15, 60]]]
    for name, ds in (("one", stored), ("two", upright)):
        penstock.to_yolo(ds, tmp_path / name, progress=False)
        assert (tmp_path / name / "labels/a.txt").read_text() == "0 .1 .2 .3 .2 .3 .6\n"


def test_val_that_is_the_same_as_train_is_noted_once(root):
    put(root, data_dot_yaml="train: images/train\nval: images/train\nnames: [cat, dog]\n")
    found, issues = parsed(root)
    assert set(found.subsets) == {"train"}
    assert [issue.problem for issue in issues if issue.action == "noted"] == [
        "val is the same as train, and is not a split"
    ]
