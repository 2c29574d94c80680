"""Annotations exported from the browser's menu: the same files as in Python, cancelled, refused, reported."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
from penstock.widgets import Session
from penstock.widgets.exporting import _annotations as annotations
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd, RpcError

QUERY = "select * where contains(labels, 'Ring') sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds, query=QUERY))


def export(front, path, *, overwrite=False, **other):
    wanted = {"format": "coco", "path": str(path), "query_only": False, "images": None, "options": [], **other}
    return front.ask("export.annotations", overwrite=overwrite, **wanted)[0]


def formats_of(front):
    return {form["name"]: form for form in front.ask("export.formats")[0]["formats"]}


def test_formats_come_with_free_places_and_what_they_can(front, here):
    (here / "shapes.json").write_text("{}")
    coco = formats_of(front)["coco"]
    assert coco["places"] == {"file": "shapes-2.json", "folder": "shapes-coco"}
    assert coco["images"] == ["copy"]
    assert coco["why_not"] is None
    assert front.ask("export.formats")[0]["folder"] == str(here)


def test_a_format_says_why_a_dataset_cannot_be_exported(open_front, tmp_path):
    ds = penstock.empty(tmp_path / "ds.penstock")
    ds.create_tensor("score", htype="generic")
    ds.extend({"score": [1.0, 2.0]})
    ds.commit("numbers")
    assert formats_of(open_front(ds))["coco"]["why_not"] == "COCO needs class labels, which this dataset does not have"


def test_the_whole_dataset_is_exported_as_in_python_with_uncommitted_edits(front, ds, here):
    ds.labels[0] = ["Star"] * len(ds.labels[0].numpy())
    report = export(front, "mine.json")["report"]
    penstock.to_coco(ds, here / "theirs.json", progress=False)
    assert json.loads((here / "mine.json").read_text()) == json.loads((here / "theirs.json").read_text())
    assert report["num_samples"] == NUM_SAMPLES
    assert report["num_objects"] == sum(map(len, ds.labels.numpy(aslist=True)))


def test_only_what_the_query_returns_is_exported_each_sample_once(front, ds, here):
    report = export(front, "ring.json", query_only=True)["report"]
    expected = ds.query("select * where contains(labels, 'Ring')")
    assert report["num_samples"] == len(expected) > 0
    penstock.to_coco(expected, here / "theirs.json", progress=False)
    assert (here / "ring.json").read_text() == (here / "theirs.json").read_text()


@pytest.mark.parametrize("query_only", [False, True])
def test_a_frozen_view_is_exported_each_sample_once(ds, here, query_only):
    view = ds.query("select * where contains(labels, 'Ring') sample by max_weight(True: 1)")
    front = FrontEnd(penstock.explore(view))
    assert export(front, "a.json", query_only=query_only)["report"]["num_samples"] == len(np.unique(view.indices))
    code = front.ask("export.annotations_code", format="coco", path="b.json", query_only=query_only, images=None,
                     options=[])[0]["code"]  # fmt: skip
    exec(code, {})
    assert (here / "a.json").read_text() == (here / "b.json").read_text()


def test_images_are_copied_to_a_folder(front, here):
    export(front, "shapes", images="copy")
    assert len(list((here / "shapes" / "images").iterdir())) == NUM_SAMPLES


def test_what_exists_is_replaced_only_when_asked(front, here):
    export(front, "out.json", query_only=True)
    small = (here / "out.json").read_text()
    answer = export(front, "out.json")
    assert answer == {"exists": "file", "path": str(here / "out.json"), "report": None}
    assert (here / "out.json").read_text() == small
    assert export(front, "out.json", overwrite=True)["exists"] is None
    assert (here / "out.json").read_text() != small


REFUSED = {
    "no path": ({"path": "  "}, "destination is empty"),
    "unknown user": ({"path": "~nobody-here/x.json"}, "user is not known"),
    "another format": ({"path": "x.csv"}, "Expected a .json file, or a folder"),
    "images in a file": ({"path": "x.json", "images": "copy"}, "cannot be written to a single file"),
    "links to stored images": ({"path": "x", "images": "link"}, "stored in the dataset"),
    "a file for a folder": ({"path": "taken.txt/x.json"}, "cannot be written"),
    "a folder of other files": ({"path": ".", "overwrite": True}, "contains files that the export does not write"),
    "a format that is none": ({"path": "x.json", "format": "xml"}, "not a format"),
    "an option that is none": ({"path": "x.json", "options": [["a", "b"]]}, "not an option"),
}


@pytest.mark.parametrize(("args", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_written_is_refused_in_words_and_leaves_nothing(front, here, args, words):
    (here / "taken.txt").write_text("mine")
    with pytest.raises(RpcError, match=words) as refused:
        export(front, **args)
    assert "Error: [" not in str(refused.value)
    assert [path.name for path in here.iterdir()] == ["taken.txt"]
    assert [path.name for path in here.parent.iterdir() if "part" in path.name] == []


def test_an_export_that_is_canceled_leaves_nothing(front, here, monkeypatch):
    write = annotations.write_annotations

    def canceled(form, view, place, options, reached):
        def stop(done, total):
            front.receive({"v": 1, "id": f"{front.view}:99", "op": "cancel"})
            reached(done, total)

        return write(form, view, place, options, stop)

    monkeypatch.setattr("penstock.widgets.operations._plan.write_annotations", canceled)
    args = {"format": "coco", "path": "out", "query_only": False, "images": "copy", "overwrite": False, "options": []}
    front.send("export.annotations", args, 99)
    with pytest.raises(RpcError, match="Cancelled"):
        front.wait_for(99)
    assert list(here.iterdir()) == []


def test_a_query_that_returns_a_table_exports_only_the_whole_dataset(ds, here):
    front = FrontEnd(penstock.explore(ds, query="select count(*) as n group by shape(boxes)[0]"))
    with pytest.raises(RpcError, match="returns a table"):
        export(front, "a.json", query_only=True)
    assert export(front, "a.json")["report"]["num_samples"] == NUM_SAMPLES


def test_a_state_that_is_not_shown_is_not_exported(front, ds, here):
    ds.delete_tensor("labels")
    with pytest.raises(RpcError, match="does not run on the dataset as it is now"):
        export(front, "a.json")
    assert list(here.iterdir()) == []


def test_a_query_that_matches_nothing_is_refused(ds, here):
    front = FrontEnd(penstock.explore(ds, query="select * where shape(boxes)[0] > 1000"))
    with pytest.raises(RpcError, match="no sample to export"):
        export(front, "a.json", query_only=True)


@pytest.mark.parametrize("edited", [False, True], ids=["committed", "edited"])
def test_the_code_writes_the_same_file(front, ds, here, edited):
    if edited:
        ds.labels[0] = ["Ring"] * len(ds.labels[0].numpy())
        front.ask("dataset.update")
    export(front, "a.json", query_only=True)
    code = front.ask("export.annotations_code", format="coco", path="b.json", query_only=True, images=None,
                     options=[])[0]["code"]  # fmt: skip
    assert ("version=" in code) is not edited
    exec(code, {})
    assert (here / "a.json").read_text() == (here / "b.json").read_text()


def test_an_export_tells_how_far_it_is(front, here, monkeypatch):
    monkeypatch.setattr("penstock.widgets.requests._operation._PROGRESS_S", 0)
    export(front, "a.json")
    told = [event for event, _ in front.events if event["event"] == "progress"]
    assert told[-1] | {"id": None} == {
        "v": 1, "event": "progress", "id": None, "done": 0, "total": NUM_SAMPLES, "what": "exporting"
    }  # fmt: skip


def test_the_notes_of_the_dataset_are_shown_by_their_keys(front, ds):
    ds.info["source"] = {"format": "coco", "files": [{"name": "a.json", "header": {"year": 2017}}], "ids": list("abc")}
    ds.info["many"] = {str(key): key for key in range(50)}
    rows = front.ask("dataset.info")[0]["rows"]
    assert {row["name"]: row["value"] for row in rows} == {
        "source.format": "coco",
        "source.files.name": "a.json",
        "source.files.header.year": "2017",
        "source.ids": "a, b, c",
        "many": "50 entries",
    }


def test_a_sample_shows_json_by_its_keys_and_attributes_of_each_object(ds, open_front):
    ds.create_tensor("image_attributes", htype="json")
    ds.create_tensor("attributes", htype="json", aligned_with="boxes")
    ds.image_attributes[0] = {"license": 3, "it's": None}
    count = len(ds.boxes[0].numpy())
    ds.attributes[:] = [[{"pose": "Left", "truncated": True}] * len(boxes) for boxes in ds.boxes.numpy(aslist=True)]
    fields = open_front(ds).ask("sample.get", position=0)[0]["sample"]["fields"]
    assert {"name": "license", "htype": "image_attributes['license']", "value": "3"} in fields
    assert {"name": "it's", "htype": "image_attributes['it''s']", "value": "–"} in fields
    shown = next(field for field in fields if field["name"] == "attributes")
    assert shown["each"] == ["pose Left, truncated true"] * count
    assert len(Session(ds, query="select * where image_attributes['license'] = 3").view) == 1
    found = Session(ds, query="select * where contains(attributes['pose'], 'Left')").view
    assert len(found) == sum(len(boxes) > 0 for boxes in ds.boxes.numpy(aslist=True))
