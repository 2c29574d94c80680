from __future__ import annotations

import io
from xml.etree.ElementTree import fromstring, tostring

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

import penstock
from penstock.errors import ExportError

PLAIN = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
TEXTS = st.text(PLAIN, max_size=6).filter(lambda text: not text or text.strip())
TAGS = st.sampled_from(["pose", "truncated", "difficult", "occluded", "Ä", "my-tag", "x.1", "_x", "part"])
VALUES = st.one_of(TEXTS, st.integers(-5, 5).map(str), st.sampled_from(["1.50", "007", " a ", "1e3", "-0", "nan"]))
NUMBERS = st.one_of(st.integers(1, 60).map(str), st.sampled_from(["1.5", "2.50", " 3", "12.000000001"]))


def leaf(tag, text):
    return f"<{tag}>{escaped(text)}</{tag}>" if text else f"<{tag}/>"


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@st.composite
def elements(draw):
    """One element: a text, or elements in an element, with an attribute now and then, or a comment."""
    tag = draw(TAGS)
    kind = draw(st.integers(0, 5))
    if kind < 3:
        return leaf(tag, draw(VALUES))
    if kind == 3:
        return f'<{tag} a="{escaped(draw(TEXTS))}">{escaped(draw(TEXTS))}</{tag}>'
    if kind == 4:
        return f"<!-- seen -->{leaf(tag, draw(VALUES))}"
    inner = draw(st.lists(st.tuples(TAGS, VALUES), min_size=1, max_size=3))
    return f"<{tag}>{''.join(leaf(one, text) for one, text in inner)}</{tag}>"


@st.composite
def objects(draw):
    sides = ("xmin", "ymin", "xmax", "ymax")
    low = [draw(NUMBERS), draw(NUMBERS)]
    corners = [*low, *(str(float(one) + draw(st.integers(0, 20))) if draw(st.booleans()) else one for one in low)]
    box = "".join(
        f"<{side}>{text}</{side}>" for side, text in draw(st.permutations(list(zip(sides, corners, strict=True))))
    )
    name = draw(st.text(PLAIN, min_size=1, max_size=4).filter(lambda text: text.strip()))
    parts = [leaf("name", name), f"<bndbox>{box}</bndbox>", *draw(st.lists(elements(), max_size=4))]
    return f"<object>{''.join(draw(st.permutations(parts)))}</object>"


@st.composite
def files(draw):
    head = draw(st.lists(elements(), max_size=3))
    found = draw(st.lists(objects(), max_size=3))
    body = draw(st.permutations([*head, *found, "<filename>f.png</filename>"]))
    line = draw(st.sampled_from(["", "\n", "\r\n"]))
    start = draw(st.sampled_from(["", '<?xml version="1.0" encoding="utf-8"?>', "<!-- x -->\n", "\ufeff"]))
    verified = draw(st.sampled_from(["", ' verified="yes"']))
    return f"{start}<annotation{verified}>{line}{line.join(body)}{line}</annotation>{line}"


def png(size=(64, 64)):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((*size[::-1], 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


def folder_of(root, annotations, lists=()):
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / name).mkdir(parents=True)
    for name, text in annotations.items():
        content = text if isinstance(text, bytes) else text.encode()
        (root / f"Annotations/{name}.xml").write_bytes(content)
        (root / f"JPEGImages/{name}.png").write_bytes(PNG)
    for name, text in dict(lists).items():
        path = root / f"ImageSets/{name}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    return root


def imported(root, dest, **options):
    return penstock.from_voc(root, dest, progress=False, **options)


def exported(source, dest, **options):
    return penstock.to_voc(source, dest, progress=False, **options)


def tree(text):
    """Return an annotation as lists, so that order counts and white space between elements does not."""

    def listed(element):
        children = [listed(child) for child in element]
        own = element.text or ""
        return element.tag, list(element.attrib.items()), own if not children else own.strip(), children

    return listed(fromstring(text))


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(texts=st.lists(files(), min_size=1, max_size=3))
def test_an_export_equals_its_source(texts, tmp_path_factory):
    root = tmp_path_factory.mktemp("voc")
    source = {f"ä {at}": text for at, text in enumerate(texts)}
    ds = imported(folder_of(root / "in", source), root / "ds")
    exported(ds, root / "out")
    found = {name: (root / f"out/Annotations/{name}.xml").read_bytes() for name in source}
    assert {name: tree(text) for name, text in found.items()} == {
        name: tree(text.encode()) for name, text in source.items()
    }


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(text=files(), edits=st.lists(st.sampled_from(["no", "box", "class", "gone"]), min_size=3, max_size=3))
def test_the_difference_of_an_export_is_its_edits(text, edits, tmp_path_factory):
    root = tmp_path_factory.mktemp("voc")
    ds = imported(folder_of(root / "in", {"a": text}), root / "ds")
    expected = fromstring(text.encode())
    kept, boxes, labels = [], ds.boxes[0].numpy().copy(), ds.categories[0].numpy().copy()
    for at, (one, edit) in enumerate(zip(expected.findall("object"), edits, strict=False)):
        if edit == "box":
            boxes[at] = [at, 10, 20, 30]
            for side, value in {"xmin": at + 1, "ymin": 11, "xmax": at + 20, "ymax": 40}.items():
                one.find(f"bndbox/{side}").text = str(value)
        elif edit == "class":
            labels[at] = len(ds.categories.info.class_names) - 1
            name = ds.categories.info.class_names[-1]
            one.find("name").text = one.findtext("name") if one.findtext("name").strip() == name else name
        elif edit == "gone":
            expected.remove(one)
            continue
        kept.append(at)
    ds.boxes[0], ds.categories[0] = boxes[kept], labels[kept]
    for name in ("attributes", "as_written"):
        if name in ds.tensors:
            values = ds[name][0].numpy().tolist()
            ds[name][0] = [values[at] for at in kept]
    exported(ds, root / "out")
    assert tree((root / "out/Annotations/a.xml").read_bytes()) == tree(tostring(expected, encoding="unicode"))


BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"


def thing(name, *corners, more="<difficult>0</difficult>"):
    return f"<object><name>{name}</name>{more}{BOX.format(*corners)}</object>"


def annotation(*things, more="<segmented>0</segmented>"):
    return f"<annotation><filename>f.png</filename>{more}{''.join(things)}</annotation>\n"


LISTS = {
    "Main/train": "a\n",
    "Main/val": "c\nb\n",
    "Main/trainval": "a\nb\nc\n",
    "Main/dog_train": "a  1\n",
    "Main/dog_trainval": "a  1\nb -1\nc  0\n",
    "Main/cat_val": "b\t1\r\nc -1",
    "Layout/train": "a 1\na 2\n",
    "Main/small": "c\ngone\n",
}


@pytest.fixture
def source(tmp_path):
    annotations = {
        "a": annotation(thing("dog", 1, 2, 3, 4), thing("cat", 5, 6, 7, 8)),
        "b": annotation(thing("cat", 1, 1, 64, 64)),
        "c": annotation(thing("dog", 9, 9, 9, 9, more="<difficult>1</difficult>")),
    }
    return folder_of(tmp_path / "in", annotations, LISTS)


@pytest.fixture
def ds(source, tmp_path):
    return imported(source, tmp_path / "ds")


def test_files_come_back_byte_for_byte(source, ds, tmp_path):
    report = exported(ds, tmp_path / "out", images="copy")
    assert contents(tmp_path / "out") == contents(source)
    assert report.issues == ()


def test_lists_that_do_not_overlap_are_the_splits(ds):
    assert ds.subset.info.class_names == ["train", "val"]
    assert [ds.subset[row].numpy().tolist() for row in range(3)] == [[0], [1], [1]]


def test_other_lists_are_a_tensor(ds):
    assert ds.image_sets.info.class_names == ["Layout/train", "small"]
    assert [ds.image_sets[row].numpy().tolist() for row in range(3)] == [[0], [], [1]]


def listed(folder):
    return {name: (folder / f"ImageSets/{name}.txt").read_bytes().decode() for name in LISTS}


def test_a_sample_of_another_split_moves_in_all_lists_that_follow_it(ds, tmp_path):
    ds.subset[1] = ["train"]
    exported(ds, tmp_path / "out")
    assert listed(tmp_path / "out") == {
        **LISTS,
        "Main/train": "a\nb\n",
        "Main/val": "c\n",
        "Main/dog_train": "a  1\nb -1\n",
        "Main/cat_val": "c -1",
    }


def test_the_lists_of_a_class_follow_its_objects(ds, tmp_path):
    ds.categories[1] = ["dog"]
    exported(ds, tmp_path / "out")
    changed = {"Main/dog_trainval": "a  1\nb  1\nc  0\n", "Main/cat_val": "b -1\r\nc -1"}
    assert listed(tmp_path / "out") == {**LISTS, **changed}


def test_a_renamed_class_renames_its_lists(ds, tmp_path):
    ds.categories.rename_class("dog", "hound")
    exported(ds, tmp_path / "out")
    main = tmp_path / "out/ImageSets/Main"
    assert (main / "hound_train.txt").read_text() == "a  1\n"
    assert not (main / "dog_train.txt").exists()


def test_a_view_writes_the_lists_of_its_rows(ds, tmp_path):
    exported(ds[[0, 1]], tmp_path / "out")
    assert listed(tmp_path / "out") == {
        **LISTS,
        "Main/val": "b\n",
        "Main/trainval": "a\nb\n",
        "Main/dog_trainval": "a  1\nb -1\n",
        "Main/cat_val": "b\t1",
        "Main/small": "gone\n",
    }


@pytest.mark.parametrize(
    ("edit", "row", "expected"),
    [
        (
            lambda ds: ds.boxes.__setitem__(0, [[0, 1, 3, 3], [10, 10, 5, 6]]),
            "a",
            annotation(thing("dog", 1, 2, 3, 4), thing("cat", 11, 11, 15, 16)),
        ),
        (
            lambda ds: ds.categories.__setitem__(0, ["dog", "dog"]),
            "a",
            annotation(thing("dog", 1, 2, 3, 4), thing("dog", 5, 6, 7, 8)),
        ),
        (
            lambda ds: ds.attributes.__setitem__(0, [{"difficult": 1}, {"difficult": 0, "pose": "Left"}]),
            "a",
            annotation(
                thing("dog", 1, 2, 3, 4, more="<difficult>1</difficult>"),
                f"<object><name>cat</name><difficult>0</difficult>{BOX.format(5, 6, 7, 8)}<pose>Left</pose></object>",
            ),
        ),
        (
            lambda ds: ds.image_attributes.__setitem__(
                0, {"filename": "f.png", "segmented": 1, "owner": {"name": "x"}}
            ),
            "a",
            annotation(
                more="<segmented>1</segmented>"
                + thing("dog", 1, 2, 3, 4)
                + thing("cat", 5, 6, 7, 8)
                + "<owner><name>x</name></owner>"
            ),
        ),
    ],
    ids=["box", "class", "attributes", "image attributes"],
)
def test_an_edit_changes_its_object_alone(source, ds, tmp_path, edit, row, expected):
    edit(ds)
    exported(ds, tmp_path / "out")
    found = contents(tmp_path / "out/Annotations")
    assert tree(found.pop(f"{row}.xml")) == tree(expected)
    assert found == {name: text for name, text in contents(source / "Annotations").items() if name in found}


def test_an_object_that_is_new_gets_what_objects_of_its_source_have(ds, tmp_path):
    ds.boxes[1] = [[0, 0, 64, 64], [2, 3, 4, 5]]
    ds.categories[1] = ["cat", "dog"]
    ds.attributes[1] = [{"difficult": 0}, None]
    exported(ds, tmp_path / "out")
    expected = annotation(thing("cat", 1, 1, 64, 64), thing("dog", 3, 4, 6, 8))
    assert (tmp_path / "out/Annotations/b.xml").read_text() == expected


ODD = (
    '<annotation><filename>f.png</filename><!-- by hand --><object id="7"><name>dog</name><note>n</note>'
    f"{BOX.format(1, 2, 3, 4)}<note>m</note></object>text<x>1</x><object><name> cat </name>{BOX.format(5.5, 6, 7, 8)}"
    "</object><x>2</x></annotation>"
)


@pytest.fixture
def odd(tmp_path):
    return imported(folder_of(tmp_path / "odd", {"a": ODD}), tmp_path / "odd-ds")


def test_a_file_that_only_its_text_holds_comes_back(odd, tmp_path):
    exported(odd, tmp_path / "out")
    assert (tmp_path / "out/Annotations/a.xml").read_text() == ODD


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (
            lambda ds: ds.boxes.__setitem__(0, [[0, 1, 3, 3], [9, 9, 1, 1]]),
            BOX.format(5.5, 6, 7, 8),
            BOX.format(*[10] * 4),
        ),
        (lambda ds: ds.categories.__setitem__(0, ["cat", "cat"]), "<name>dog<", "<name>cat<"),
        (lambda ds: ds.image_attributes.__setitem__(0, {**ds.image_attributes[0].numpy().item(), "x": 3}), None, None),
    ],
    ids=["box", "class", "image"],
)
def test_an_edit_in_a_file_that_only_its_text_holds_changes_that_alone(odd, tmp_path, edit, old, new):
    edit(odd)
    exported(odd, tmp_path / "out")
    found = (tmp_path / "out/Annotations/a.xml").read_text()
    expected = ODD.replace("<x>1</x>", "<x>3</x>").replace("<x>2</x>", "") if old is None else ODD.replace(old, new)
    assert tree(found) == tree(expected)


def test_boxes_are_rounded_and_reported_where_the_source_has_whole_pixels(ds, tmp_path):
    ds.boxes[1] = [[0.4, 0.5, 10.25, 20]]
    report = exported(ds, tmp_path / "out")
    assert BOX.format(1, 2, 11, 21) in (tmp_path / "out/Annotations/b.xml").read_text()
    assert report.issues == ("1 box was rounded to whole pixels",)


def test_boxes_keep_fractions_where_the_source_has_some(odd, tmp_path):
    odd.boxes[0] = [[0.4, 0.5, 10.25, 20], [0, 0, 1, 1]]
    report = exported(odd, tmp_path / "out")
    assert BOX.format(1.4, 1.5, 10.65, 20.5) in (tmp_path / "out/Annotations/a.xml").read_text()
    assert report.issues == ()


@pytest.mark.parametrize("one_based", [True, False])
def test_boxes_that_were_clipped_come_back(tmp_path, one_based):
    text = annotation(thing("dog", -3, 0, 90, 64), thing("dog", 5, 5, 5, 9))
    ds = imported(folder_of(tmp_path / "in", {"a": text}), tmp_path / "ds", one_based=one_based)
    exported(ds, tmp_path / "out")
    assert (tmp_path / "out/Annotations/a.xml").read_text() == text


def test_a_dataset_of_another_format_becomes_a_new_folder(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("images", htype="image")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("categories", htype="class_label", class_names=["a & b"], aligned_with="boxes")
    ds.create_tensor("segmentation", htype="json", aligned_with="boxes")
    ds.append({"images": PNG, "boxes": [[0, 1, 2, 3]], "categories": [0], "segmentation": [[[1, 1, 5, 1, 5, 5]]]})
    ds.append({"images": PNG, "boxes": [], "categories": [], "segmentation": []})
    report = exported(ds, tmp_path / "out", images="copy")
    assert sorted(contents(tmp_path / "out")) == [
        "Annotations/000000.xml",
        "Annotations/000001.xml",
        "ImageSets/Main/trainval.txt",
        "JPEGImages/000000.png",
        "JPEGImages/000001.png",
    ]
    assert tree((tmp_path / "out/Annotations/000000.xml").read_text()) == tree(
        "<annotation><folder>JPEGImages</folder><filename>000000.png</filename><source><database>Unknown</database></source><size><width>64</width>"
        "<height>64</height><depth>3</depth></size><segmented>0</segmented><object><name>a &amp; b</name>"
        "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox><xmin>1</xmin>"
        "<ymin>2</ymin><xmax>2</xmax><ymax>4</ymax></bndbox></object></annotation>"
    )
    assert report.issues == ("the outline of 1 object was left out",)


def test_what_voc_has_no_place_for_is_counted(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("categories", htype="class_label", class_names=["a"], aligned_with="boxes")
    ds.create_tensor("iscrowd", htype="generic", dtype="uint8", aligned_with="boxes")
    ds.create_tensor("keypoints", htype="json", aligned_with="boxes")
    ds.create_tensor("segmentation", htype="json", aligned_with="boxes")
    ds.create_tensor("score", htype="generic")
    outlines = [[[1, 1, 5, 1, 5, 5]], {"size": [9, 9], "counts": [81]}, []]
    points = [[1, 2, 2], None, None]
    boxes = [[0, 0, 2, 2]] * 3
    ds.append(
        {
            "boxes": boxes, "categories": [0, 0, 0], "iscrowd": [0, 1, 1], "keypoints": points,
            "segmentation": outlines, "score": 1.0,
        }
    )  # fmt: skip
    assert exported(ds, tmp_path / "out").issues == (
        "2 crowds were written as objects",
        "the outlines of 2 objects were left out",
        "the keypoints of 1 object were left out",
        "the tensor 'score' is not part of a VOC folder",
    )


def test_attributes_of_images_are_not_taken_for_those_of_objects(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("boxes", htype="bbox")
    ds.create_tensor("categories", htype="class_label", class_names=["a"], aligned_with="boxes")
    ds.create_tensor("attributes", htype="json")
    ds.append({"boxes": [[0, 0, 2, 2]], "categories": [0], "attributes": {"x": 1, "y": 2}})
    assert exported(ds, tmp_path / "out").issues == ("the tensor 'attributes' is not part of a VOC folder",)


def palette_png(pixels, palette, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(np.array(pixels, np.uint8))
    if palette:
        image.putpalette(palette)
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


RED_BLUE = [0, 0, 0, 255, 0, 0, 0, 0, 255]
COLORS = np.array([[[0, 0, 0], [7, 8, 9]], [[255, 1, 2], [7, 8, 9]]], np.uint8)


@pytest.mark.parametrize(
    "masks",
    [
        {"a": palette_png([[0, 1], [2, 1]], RED_BLUE), "b": palette_png([[2, 2]], RED_BLUE)},
        {"a": palette_png([[0, 1], [2, 1]], RED_BLUE, bits=2), "b": palette_png([[255, 2]], list(range(256)) * 3)},
        {"a": palette_png([[0, 1]], RED_BLUE, transparency=b"\x00\xff")},
        {"a": palette_png([[0, 1], [255, 9]], None)},
        {"a": palette_png(COLORS, None), "b": palette_png(COLORS[::-1], None)},
    ],
    ids=["palette", "two palettes", "transparent", "gray", "colors"],
)
def test_masks_come_back_with_their_pixels_and_palettes(source, tmp_path, masks):
    for folder in ("SegmentationClass", "SegmentationObject"):
        (source / folder).mkdir()
        for name, content in masks.items():
            (source / folder / f"{name}.png").write_bytes(content)
    ds = imported(source, tmp_path / "ds")
    report = exported(ds, tmp_path / "out")
    found = {name: content for name, content in contents(tmp_path / "out").items() if name.startswith("Seg")}
    assert {name: shown(content) for name, content in found.items()} == {
        f"{folder}/{name}.png": shown(content)
        for folder in ("SegmentationClass", "SegmentationObject")
        for name, content in masks.items()
    }
    assert report.issues == ()


def shown(content):
    image = Image.open(io.BytesIO(content))
    palette = None if image.palette is None else bytes(image.palette.palette)
    return image.mode, np.array(image).tolist(), palette, image.info.get("transparency")


def test_masks_are_numbers_of_classes_and_of_objects(source, tmp_path):
    for folder in ("SegmentationClass", "SegmentationObject"):
        (source / folder).mkdir()
        (source / folder / "b.png").write_bytes(palette_png([[0, 1], [2, 1]], RED_BLUE))
    ds = imported(source, tmp_path / "ds")
    assert (ds.masks.htype, ds.instance_masks.htype) == ("segment_mask", "segment_mask")
    assert ds.masks[1].numpy().tolist() == [[0, 1], [2, 1]]


def test_an_edited_mask_keeps_its_palette(source, tmp_path):
    (source / "SegmentationClass").mkdir()
    (source / "SegmentationClass/b.png").write_bytes(palette_png([[0, 1], [2, 1]], RED_BLUE))
    ds = imported(source, tmp_path / "ds")
    ds.masks[1] = np.array([[2, 2], [0, 0]])
    exported(ds, tmp_path / "out")
    assert shown((tmp_path / "out/SegmentationClass/b.png").read_bytes())[:3] == (
        "P",
        [[2, 2], [0, 0]],
        bytes(RED_BLUE),
    )


def test_several_datasets_in_one_folder_stay_apart(tmp_path):
    for home, text in (("VOC2007", thing("dog", 1, 2, 3, 4)), ("VOC2012", thing("cat", 1, 2, 3, 4))):
        folder_of(tmp_path / "in" / home, {"1": annotation(text)}, {"Main/train": "1\n"})
    ds = imported(tmp_path / "in", tmp_path / "ds")
    exported(ds, tmp_path / "out", images="copy")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_folders_of_splits_become_lists(tmp_path):
    for split in ("train", "valid"):
        folder_of(tmp_path / "in" / split, {f"{split} 1": annotation(thing("dog", 1, 2, 3, 4))})
    ds = imported(tmp_path / "in", tmp_path / "ds")
    exported(ds, tmp_path / "out", images="copy")
    assert sorted(contents(tmp_path / "out")) == [
        "Annotations/train 1.xml",
        "Annotations/valid 1.xml",
        "ImageSets/Main/train.txt",
        "ImageSets/Main/valid.txt",
        "JPEGImages/train 1.png",
        "JPEGImages/valid 1.png",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_files_of_other_encodings_come_back(tmp_path, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + annotation(thing("Käse", 1, 2, 3, 4))
    ds = imported(folder_of(tmp_path / "in", {"a": text.encode(encoding)}), tmp_path / "ds")
    exported(ds, tmp_path / "out")
    assert tree((tmp_path / "out/Annotations/a.xml").read_bytes()) == tree(text.encode(encoding))


def test_what_xml_cannot_hold_is_refused_or_reported(ds, tmp_path):
    ds.attributes[1] = [{"difficult": 0, "two words": 1, "note": "\x01"}]
    report = exported(ds, tmp_path / "out")
    assert report.issues == (
        "the attribute 'two words' of 1 images or objects cannot be written as XML",
        "the attribute 'note' of 1 images or objects cannot be written as XML",
    )
    ds.categories.rename_class("dog", "d\x02g")
    with pytest.raises(ExportError, match=r"'d\\x02g' has a character that XML cannot hold"):
        exported(ds, tmp_path / "out2")
    assert not (tmp_path / "out2").exists()


def test_a_dataset_without_boxes_says_so(tmp_path):
    ds = penstock.empty(tmp_path / "ds")
    ds.create_tensor("labels", htype="class_label")
    with pytest.raises(ExportError, match="the dataset has no boxes"):
        exported(ds, tmp_path / "out")
