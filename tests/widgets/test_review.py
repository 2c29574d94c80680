"""The review: what is not committed, one by one; discarded and committed in part."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.widgets.operations._editor import Chosen, Editor
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd, RpcError, labels_of

OTHER = 6
ROW = 1  # a Triangle and a Circle, each with its box


def page(front, start=0, stop=20, size=64):
    return front.ask("review.page", start=start, stop=stop, size=size)


def words(entry):
    return [f"{one['sign']} {one['text']}".strip() for one in entry["words"]]


def relabel(front, row, labels):
    """Give a sample other labels, its boxes as they are."""
    shown = front.ask("sample.get", position=row)[0]["sample"]
    return front.ask("edit.labels", uid=shown["uid"], labels=labels, boxes=shown["boxes"])[0]


def swap_first(front, ds, row):
    """Give the first object of a sample another class; return names before and after."""
    names, labels = ds.labels.info.class_names, labels_of(ds, row)
    other = (labels[0] + 1) % len(names)
    relabel(front, row, [other, *labels[1:]])
    return names[labels[0]], names[other]


def labeled(ds):
    return [row for row in range(NUM_SAMPLES) if labels_of(ds, row)]


# ---- what there is -----------------------------------------------------------------------------------


def test_a_clean_dataset_has_nothing_to_review(front):
    result, buffers = page(front)
    assert buffers == []
    assert {key: result[key] for key in ("entries", "num_edited", "num_added", "num_deleted", "others", "moved")} == {
        "entries": [],
        "num_edited": 0,
        "num_added": 0,
        "num_deleted": 0,
        "others": [],
        "moved": [],
    }


def test_an_edited_sample_is_shown_before_and_after(front, ds):
    before = labels_of(ds, ROW)
    old, new = swap_first(front, ds, ROW)
    result, buffers = page(front)
    (entry,) = result["entries"]
    assert (entry["kind"], entry["row"], entry["edited"], words(entry)) == (
        "edited",
        ROW,
        True,
        [f"- {old}", f"+ {new}"],
    )
    assert (entry["before"]["labels"], entry["after"]["labels"]) == (before, labels_of(ds, ROW))
    assert entry["before"]["image"] == entry["after"]["image"] == 0
    assert buffers[0][:2] == b"\xff\xd8"


def test_the_classes_whose_counts_moved_are_told(front, ds):
    counts = dict(zip(ds.labels.info.class_names, front.ask("hello")[0]["dataset"]["class_counts"], strict=True))
    old, new = swap_first(front, ds, ROW)
    moved = sorted(page(front)[0]["moved"])
    assert moved == sorted([[old, counts[old], counts[old] - 1], [new, counts[new], counts[new] + 1]])


def test_a_page_holds_its_part_in_the_order_of_rows(front, ds):
    for row in (9, 3, 5):
        swap_first(front, ds, row)
    result, _ = page(front, 1, 3)
    assert ([entry["row"] for entry in result["entries"]], result["num_edited"]) == ([5, 9], 3)


def test_an_edited_image_shows_the_committed_one_before(front, ds):
    ds.images[ROW] = np.zeros((40, 30, 3), np.uint8)
    front.ask("dataset.update")
    result, buffers = page(front)
    (entry,) = result["entries"]
    assert words(entry) == ["image replaced"]
    before, after = entry["before"]["image"], entry["after"]["image"]
    assert before != after
    assert buffers[before] != buffers[after]


def test_what_python_edits_is_reviewed_too(front, ds):
    moved = np.array(ds.boxes[ROW].numpy())
    moved[:, 0] += 4
    ds.boxes[ROW] = moved
    front.ask("dataset.update")
    assert words(page(front)[0]["entries"][0]) == ["box 1 moved 4 px right", "box 2 moved 4 px right"]


def test_added_and_deleted_samples_are_part_of_it(front, ds):
    gone = labels_of(ds, 5)
    ds.append({"images": np.zeros((20, 20, 3), np.uint8), "labels": [0], "boxes": [[1, 1, 5, 5]]})
    ds.pop(5)
    front.ask("dataset.update")
    result, _ = page(front)
    found = [(entry["kind"], entry["row"], entry["edited"]) for entry in result["entries"]]
    assert found == [("added", NUM_SAMPLES - 1, False), ("deleted", 5, False)]
    assert (result["entries"][0]["before"], result["entries"][1]["after"]) == (None, None)
    assert result["entries"][1]["before"]["labels"] == gone
    assert (result["num_added"], result["num_deleted"]) == (1, 1)


def test_a_deleted_sample_keeps_its_classes_when_others_are_deleted(front, ds):
    """Classes are counted anew when one is deleted."""
    ds.labels.add_class("Blob")
    ds.labels[5] = ["Blob"]
    ds.boxes[5] = [[1, 1, 5, 5]]
    ds.commit("a blob")
    row = next(row for row in range(NUM_SAMPLES) if row != 5 and "Blob" not in ds.labels[row].data()["text"])
    names = ds.labels[row].data()["text"]
    first = ds.labels.info.class_names[0]
    ds.pop(row)
    ds.labels.merge_classes([first, "Blob"], "Blob")
    front.ask("dataset.update")
    (entry,) = page(front)[0]["entries"][-1:]
    now = ds.labels.info.class_names
    assert [now[label] for label in entry["before"]["labels"]] == ["Blob" if name == first else name for name in names]


def test_class_changes_are_told(front, ds):
    names = ds.labels.info.class_names
    ds.labels.rename_class(names[0], "Disk")
    ds.labels.merge_classes([names[1], names[2]], names[2])
    ds.labels.add_class("Blob")
    ds.labels.set_class_color(names[3], "#ff0000")
    front.ask("dataset.update")
    assert sorted(page(front)[0]["others"]) == sorted(
        [
            f"class {names[0]} renamed to Disk",
            f"class {names[1]} merged into {names[2]}",
            "class Blob added",
            f"class {names[3]} recolored",
        ]
    )


def test_tensors_and_notes_are_told(front, ds):
    ds.create_tensor("score")
    ds.info["source"] = "me"
    front.ask("dataset.update")
    assert page(front)[0]["others"] == ["tensor score added", "notes changed"]


@pytest.mark.parametrize(("start", "stop"), [(5, 4), (0, 65), (-1, 4), (0, 2**60)])
def test_a_wrong_page_is_refused(front, start, stop):
    with pytest.raises(RpcError, match="BadRequest"):
        page(front, start, stop)


def test_a_page_past_the_end_is_empty(front, ds):
    swap_first(front, ds, ROW)
    assert page(front, 40, 60)[0]["entries"] == []


def test_a_dataset_that_was_never_committed_has_only_added_samples(tmp_path):
    ds = penstock.empty(tmp_path / "new")
    ds.create_tensor("labels", htype="class_label", class_names=["cat"])
    ds.extend({"labels": [["cat"], ["cat"]]})
    result, _ = page(FrontEnd(penstock.explore(ds)))
    assert [(entry["kind"], entry["row"], entry["error"]) for entry in result["entries"]] == [
        ("added", 0, "the dataset has no images"),
        ("added", 1, "the dataset has no images"),
    ]
    assert result["moved"] == [["cat", 0, 2]]


# ---- discarding ----------------------------------------------------------------------------------------


def state(ds):
    return {name: [np.asarray(value).tolist() for value in ds[name].numpy(aslist=True)] for name in ("labels", "boxes")}


@pytest.mark.parametrize("seed", range(4))
def test_an_edit_discarded_is_as_if_never_made(front, ds, seed):
    rng = np.random.default_rng(seed)
    rows = rng.choice(labeled(ds), 6, replace=False).tolist()
    for row in rows[:-1]:
        swap_first(front, ds, row)
    wanted, draft = state(ds), content_of(ds).table.draft.digest()
    swap_first(front, ds, rows[-1])
    uid = next(one["uid"] for one in page(front)[0]["entries"] if one["row"] == rows[-1])
    reply = front.ask("edit.discard", only=[uid])[0]
    assert reply["done"] == f"discarded the edits of sample {rows[-1]}"
    assert (state(ds), content_of(ds).table.draft.digest()) == (wanted, draft)
    assert penstock.load(ds.path).num_edits == ds.num_edits


def test_a_discard_of_one_can_be_undone(front, ds):
    for row in (ROW, OTHER):
        swap_first(front, ds, row)
    edited = state(ds)
    front.ask("edit.discard", only=[page(front)[0]["entries"][0]["uid"]])
    assert front.ask("hello")[0]["dataset"]["num_edits"] == 1
    front.ask("edit.undo")
    assert state(ds) == edited


@pytest.mark.parametrize("uids", [[], ["123456789"]], ids=["none", "one that is not edited"])
def test_a_discard_of_nothing_says_so(front, ds, uids):
    swap_first(front, ds, ROW)
    assert front.ask("edit.discard", only=uids)[0]["done"] == "there are no edits to discard"
    assert front.ask("hello")[0]["dataset"]["num_edits"] == 1


# ---- committing ------------------------------------------------------------------------------------------


def test_unchecked_samples_stay_in_the_draft(front, ds):
    for row in (ROW, OTHER, 7):
        swap_first(front, ds, row)
    wanted = state(ds)
    entries = page(front)[0]["entries"]
    reply = front.ask("edit.commit", message="two of three", keep=[entries[1]["uid"]])[0]
    assert reply["dataset"]["num_edits"] == 1
    assert [entry["row"] for entry in page(front)[0]["entries"]] == [OTHER]
    assert state(ds) == wanted
    committed = penstock.load(ds.path, version=ds.commit_id)
    assert [labels_of(committed, row) == labels_of(ds, row) for row in (ROW, OTHER, 7)] == [True, False, True]


def test_a_kept_edit_can_still_be_undone(front, ds):
    before = labels_of(ds, OTHER)
    for row in (ROW, OTHER):
        swap_first(front, ds, row)
    front.ask("edit.commit", message="one", keep=[page(front)[0]["entries"][1]["uid"]])
    front.ask("edit.undo")
    assert labels_of(ds, OTHER) == before
    assert front.ask("hello")[0]["dataset"]["num_edits"] == 0


def test_a_commit_of_what_was_not_shown_is_refused(front, ds):
    swap_first(front, ds, ROW)
    token = page(front)[0]["token"]
    swap_first(front, ds, OTHER)
    with pytest.raises(RpcError, match="the edits have changed since they were shown"):
        front.ask("edit.commit", message="one", token=token)
    assert ds.num_edits == 2
    assert front.ask("edit.commit", message="both", token=page(front)[0]["token"])[0]["dataset"]["num_edits"] == 0


def test_a_few_checked_ones_are_committed_alone(front, ds):
    for row in (ROW, OTHER, 7):
        swap_first(front, ds, row)
    uids = [entry["uid"] for entry in page(front)[0]["entries"]]
    front.ask("edit.commit", message="one", only=[uids[2]])
    assert [entry["row"] for entry in page(front)[0]["entries"]] == [ROW, OTHER]


def test_a_page_tells_which_marked_samples_still_are_edited(front, ds):
    for row in (ROW, OTHER):
        swap_first(front, ds, row)
    uids = [entry["uid"] for entry in page(front)[0]["entries"]]
    front.ask("edit.discard", keep=[uids[1]])
    assert front.ask("review.page", start=0, stop=0, size=64, marked=uids)[0]["marked"] == [uids[1]]


def test_all_unchecked_is_nothing_to_commit(front, ds):
    swap_first(front, ds, ROW)
    with pytest.raises(RpcError, match="none of the chosen samples is edited"):
        front.ask("edit.commit", message="none", keep=[page(front)[0]["entries"][0]["uid"]])


def test_another_session_conflicts_only_over_what_is_committed(front, ds):
    for row in (ROW, OTHER):
        swap_first(front, ds, row)
    other = penstock.load(ds.path)
    other.discard_edits()
    other.labels[ROW] = [0] * len(labels_of(other, ROW))
    other.commit("theirs")
    entries = page(front)[0]["entries"]
    keep = [entry["uid"] for entry in entries if entry["row"] == ROW]
    assert front.ask("edit.commit", message="mine", keep=keep)[0]["dataset"]["num_edits"] == 1
    with pytest.raises(RpcError) as raised:
        front.ask("edit.commit", message="the rest")
    assert [one["row"] for one in raised.value.error["conflicts"]] == [ROW]
    reply = front.ask("edit.commit", message="the rest", on_conflict="theirs")[0]
    assert reply["done"] == "kept what the other session committed; nothing else was left to commit"
    assert reply["dataset"]["num_edits"] == 0
    assert labels_of(ds, ROW) == [0] * len(labels_of(ds, ROW))


@pytest.mark.parametrize("seed", range(3))
def test_a_random_part_and_the_rest_are_what_one_commit_is(front, ds, seed):
    rng = np.random.default_rng(seed)
    for row in rng.choice(labeled(ds), 6, replace=False).tolist():
        swap_first(front, ds, row)
    wanted = state(ds)
    uids = [entry["uid"] for entry in page(front)[0]["entries"]]
    front.ask("edit.commit", message="a part", keep=[str(uid) for uid in rng.choice(uids, 3, replace=False)])
    assert state(ds) == wanted
    front.ask("edit.commit", message="the rest")
    assert state(penstock.load(ds.path, version=ds.commit_id)) == wanted


def test_python_edits_through_the_editor_take_no_token(explorer, ds):
    assert Editor(explorer.session).discard(Chosen(only=[])) == "there are no edits to discard"


def test_an_edit_that_another_session_has_stored_too_is_none_any_more(front, ds):
    rows = labeled(ds)[:2]
    for row in rows:
        relabel(front, row, [0] * len(labels_of(ds, row)))
    same, mine = rows
    other = penstock.load(ds.path)
    other.discard_edits()
    other.labels[same] = [0] * len(labels_of(other, same))
    other.commit("theirs")
    reply = front.ask("dataset.update")[0]
    assert reply["dataset"]["num_edits"] == 1
    assert [entry["row"] for entry in page(front)[0]["entries"]] == [mine]
    assert labels_of(ds, same) == [0] * len(labels_of(ds, same))


def test_what_edits_come_to_is_not_counted_among_them(front, ds):
    row = next(row for row in labeled(ds) if len(labels_of(ds, row)) > 1)
    sample = front.ask("sample.get", position=row)[0]["sample"]
    front.ask("edit.labels", uid=sample["uid"], labels=[], boxes=[])
    entry = page(front)[0]["entries"][0]
    assert entry["more"] == 0
    assert entry["words"][-1] == {"sign": "=", "text": f"{len(sample['labels'])} → 0 boxes"}
