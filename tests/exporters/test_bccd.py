"""Blood cells in the VOC format: out as they came in, and edits that change their objects alone."""

from __future__ import annotations

from xml.etree.ElementTree import parse

import numpy as np
import pytest

import penstock

HEAD = ["folder", "filename", "source", "size", "segmented"]
OBJECT = ["name", "pose", "truncated", "difficult", "bndbox"]
CORNERS = ["xmin", "ymin", "xmax", "ymax"]


@pytest.fixture(scope="module")
def imported(shared_data, tmp_path_factory):
    dest = tmp_path_factory.mktemp("bccd") / "ds"
    return penstock.from_voc(shared_data / "bccd/BCCD", dest, progress=False).path


@pytest.fixture
def ds(imported):
    ds = penstock.load(imported)
    yield ds
    ds.reset()


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.real_data
@pytest.mark.slow
def test_bccd_comes_back_byte_for_byte(shared_data, ds, tmp_path):
    report = penstock.to_voc(ds, tmp_path / "out", images="copy", progress=False)
    assert (report.num_samples, report.num_objects, report.issues) == (364, 4888, ())
    assert contents(tmp_path / "out") == contents(shared_data / "bccd/BCCD")


def objects_in(folder):
    """Return name and corners of each object, by file and place."""
    found = {}
    for path in sorted((folder / "Annotations").glob("*.xml")):
        for at, one in enumerate(parse(path).getroot().iter("object")):
            found[path.stem, at] = one.findtext("name"), [int(one.findtext(f"bndbox/{side}")) for side in CORNERS]
    return found


@pytest.mark.real_data
@pytest.mark.slow
def test_forty_edits_change_forty_objects(shared_data, ds, tmp_path):
    rng = np.random.default_rng(7)
    before = objects_in(shared_data / "bccd/BCCD")
    expected = dict(before)
    keys = list(before)
    names = ds.categories.info.class_names
    row_of = {ds.source_id[row].numpy().item(): row for row in range(len(ds))}
    for number, key in enumerate(rng.choice(len(keys), 40, replace=False).tolist()):
        file, at = keys[key]
        row = row_of[file]
        if number % 2:
            labels = ds.categories[row].numpy().copy()
            labels[at] = (labels[at] + 1) % len(names)
            ds.categories[row] = labels
            expected[file, at] = names[labels[at]], expected[file, at][1]
        else:
            boxes = ds.boxes[row].numpy().copy()
            boxes[at] = [10, 20, 30 + number, 40]
            ds.boxes[row] = boxes
            expected[file, at] = expected[file, at][0], [11, 21, 40 + number, 60]
    penstock.to_voc(ds, tmp_path / "out", progress=False)
    found = objects_in(tmp_path / "out")
    assert found == expected
    assert sum(found[key] != before[key] for key in keys) == 40
    changed = {
        name
        for name, text in contents(tmp_path / "out").items()
        if text != (shared_data / "bccd/BCCD" / name).read_bytes()
    }
    assert changed == {f"Annotations/{key[0]}.xml" for key in keys if found[key] != before[key]}


@pytest.mark.real_data
def test_a_new_export_has_the_layout_of_the_devkit(ds, tmp_path):
    small = ds[:4]
    penstock.to_coco(small, tmp_path / "coco", images="copy", progress=False)
    again = penstock.from_coco(tmp_path / "coco", None, tmp_path / "again", progress=False)
    penstock.to_voc(again, tmp_path / "voc", images="copy", progress=False)
    lists = sorted((tmp_path / "voc/ImageSets/Main").glob("*.txt"))
    ids = sorted(line for path in lists for line in path.read_text().splitlines())
    assert ids == sorted(path.stem for path in (tmp_path / "voc/Annotations").iterdir())
    for name in ids:
        root = parse(tmp_path / f"voc/Annotations/{name}.xml").getroot()
        assert [child.tag for child in root if child.tag != "object"] == HEAD
        assert [child.tag for child in root.find("size")] == ["width", "height", "depth"]
        assert (tmp_path / "voc/JPEGImages" / root.findtext("filename")).is_file()
        for one in root.iter("object"):
            assert [child.tag for child in one] == OBJECT
            assert [child.tag for child in one.find("bndbox")] == CORNERS
    assert objects_in(tmp_path / "voc") == objects_in_dataset(small)


def objects_in_dataset(view):
    """Return name and corners of each object of a view, by file and place."""
    names = view.categories.info.class_names
    found = {}
    for row in range(len(view)):
        pairs = zip(view.categories[row].numpy().tolist(), view.boxes[row].numpy().astype(int).tolist(), strict=True)
        for at, (label, (x, y, width, height)) in enumerate(pairs):
            found[view.source_id[row].numpy().item(), at] = names[label], [x + 1, y + 1, x + width, y + height]
    return found


@pytest.mark.real_data
@pytest.mark.slow
def test_the_source_scores_ap_1_against_the_export(shared_data, ds, tmp_path):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    penstock.to_voc(ds, tmp_path / "out", progress=False)
    truth, found = COCO(), COCO()
    truth.dataset = as_coco(objects_in(shared_data / "bccd/BCCD"))
    truth.createIndex()
    results = [{**one, "score": 1.0} for one in as_coco(objects_in(tmp_path / "out"))["annotations"]]
    found = truth.loadRes(results)
    scored = COCOeval(truth, found, "bbox")
    scored.params.maxDets = [100, 100, 100]
    scored.evaluate()
    scored.accumulate()
    precision = scored.eval["precision"]
    assert precision[precision > -1].min() == pytest.approx(1)


def as_coco(objects):
    names = sorted({name for name, _ in objects.values()})
    images = sorted({file for file, _ in objects})
    return {
        "images": [{"id": at, "width": 640, "height": 480} for at, _ in enumerate(images)],
        "categories": [{"id": at, "name": name} for at, name in enumerate(names)],
        "annotations": [
            {
                "id": number + 1,
                "image_id": images.index(file),
                "category_id": names.index(name),
                "bbox": [left, top, right - left + 1, bottom - top + 1],
                "area": (right - left + 1) * (bottom - top + 1),
                "iscrowd": 0,
            }
            for number, ((file, _), (name, (left, top, right, bottom))) in enumerate(objects.items())
        ],
    }
