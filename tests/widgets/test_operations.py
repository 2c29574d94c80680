"""Every operation of the contract, over a real comm, on a real dataset."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock import tql
from penstock.tensors import decode_image
from penstock.widgets.operations._contract import all_operations
from penstock.widgets.requests._operation import operations_of
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd, RpcError, arrays_of, labels_of

PROTOCOL = Path(__file__).parents[2] / "widgets_js" / "src" / "session" / "protocol.ts"
SAMPLED = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"


def test_python_answers_exactly_the_operations_of_the_contract(explorer):
    source = PROTOCOL.read_text(encoding="utf-8")
    body = source[source.index("export interface Ops {") :]
    body = body[: body.index("\n}")]
    named = set(re.findall(r'^  "?([a-z_.]+)"?: \[', body, re.MULTILINE))
    assert named == set(operations_of(all_operations(explorer.session, draft=lambda: "")))


def test_hello_describes_the_dataset(front, ds):
    told = front.ask("hello")[0]["dataset"]
    assert (told["name"], told["num_samples"], told["num_edits"]) == ("shapes", NUM_SAMPLES, 0)
    assert told["version"] == ds.version[:7]
    assert (told["image_tensor"], told["box_tensor"], told["label_tensor"]) == ("images", "boxes", "labels")
    assert told["class_names"] == ds.labels.info.class_names
    every = np.concatenate(ds.labels.numpy(aslist=True))
    assert told["class_counts"] == np.bincount(every, minlength=len(told["class_names"])).tolist()


def test_hello_describes_the_query(front):
    result, buffers = front.ask("hello")
    query = result["query"]
    assert (query["text"], query["pool_size"], query["draws"]) == ("select *", NUM_SAMPLES, NUM_SAMPLES)
    assert (query["has_sampling"], query["clauses"]) == (False, [])
    assert result["history"] == ["select *"]
    arrays = arrays_of(query["statistics"], buffers)
    assert arrays["sizes"].sum() == NUM_SAMPLES
    assert query["statistics"]["num_clauses"] == 1


def test_the_rarest_classes_are_named(front, ds):
    result, _ = front.ask("hello")
    counts = result["dataset"]["class_counts"]
    rare = result["query"]["rare_classes"]
    assert [counts[i] for i in rare] == sorted(c for c in counts if c > 0)[:3]


def test_a_query_is_run(front, ds):
    result, buffers = front.ask("query.run", text=SAMPLED, seed=7)
    query = result["query"]
    with_boxes = sum(len(boxes) > 0 for boxes in ds.boxes.numpy(aslist=True))
    assert query["pool_size"] == with_boxes < NUM_SAMPLES
    assert query["seed"] == 7
    sizes = arrays_of(query["statistics"], buffers)["sizes"]
    assert sizes.sum() == with_boxes
    assert result["history"] == [SAMPLED, "select *"]
    assert front.widget.query == SAMPLED


def test_every_clause_of_a_query_finds_its_class(front, ds):
    clauses = front.ask("query.run", text=SAMPLED, seed=7)[0]["query"]["clauses"]
    cross = ds.labels.info.class_names.index("Cross")
    assert [(c["label"], c["class_index"], c["weight"]) for c in clauses] == [
        ("Cross", cross, 20),
        ("everything else", None, 1),
    ]


def test_every_clause_of_a_query_finds_its_literal(front):
    clauses = front.ask("query.run", text=SAMPLED, seed=7)[0]["query"]["clauses"]
    assert [SAMPLED[c["from"] : c["to"]] for c in clauses] == ["20", "1"]


WRONG_QUERY = "select * where '😀' = lables"


def test_a_wrong_query_says_where(front):
    with pytest.raises(RpcError) as caught:
        front.ask("query.run", text=WRONG_QUERY)
    error = caught.value.error
    start = len(WRONG_QUERY[: WRONG_QUERY.index("lables")].encode("utf-16-le")) // 2
    assert (error["from"], error["to"], error["line"]) == (start, start + 6, 1)


def test_a_wrong_query_changes_nothing(front):
    with pytest.raises(RpcError):
        front.ask("query.run", text=WRONG_QUERY)
    assert front.widget.query == "select *"


def test_weights_at_rest_become_literals_of_the_text(front):
    front.ask("query.run", text=SAMPLED)
    moved = SAMPLED.replace(": 20", ": 4.5")
    front.ask("weights.set", weights=[4.5, 1], text=moved)
    assert front.widget.query == moved
    assert front.widget.weights.tolist() == [4.5, 1]
    assert front.widget.spec.weights == (4.5, 1.0)


def test_weights_of_a_query_without_sampling_are_none(front):
    front.ask("weights.set", weights=[], text="select *", mode="deck")
    assert (front.widget.weights.tolist(), front.widget.mode) == ([], "deck")


def test_weights_for_another_query_are_refused(front):
    front.ask("query.run", text=SAMPLED)
    with pytest.raises(RpcError, match="run it first"):
        front.ask("weights.set", weights=[2, 1], text=SAMPLED.replace("> 0", "> 1"))
    with pytest.raises(RpcError, match="3 weights"):
        front.ask("weights.set", weights=[2, 1, 1], text=SAMPLED)


def test_options_of_the_draws_travel_with_the_weights(front):
    front.ask("query.run", text=SAMPLED)
    front.ask("weights.set", weights=[20, 1], text=SAMPLED, mode="deck", seed=9)
    assert (front.widget.mode, front.widget.seed, front.widget.spec.mode) == ("deck", 9, "deck")


def test_a_page_has_the_tiles_of_its_positions(front, ds):
    result, _ = front.ask("grid.page", start=10, stop=14, size=64)
    assert result["pool_size"] == NUM_SAMPLES
    assert [tile["position"] for tile in result["tiles"]] == [10, 11, 12, 13]
    for tile in result["tiles"]:
        row = tile["row"]
        assert row == tile["position"]
        assert tile["labels"] == labels_of(ds, row)
        assert tile["boxes"] == pytest.approx(ds.boxes[row].numpy().reshape(-1).tolist(), abs=1e-3)
        height, width = ds.images[row].shape[:2]
        assert (tile["width"], tile["height"]) == (width, height)


def test_a_page_has_an_image_of_the_size_asked_for_each_tile(front):
    result, buffers = front.ask("grid.page", start=10, stop=14, size=64)
    assert len(result["tiles"]) == 4
    for tile in result["tiles"]:
        assert max(decode_image(buffers[tile["image"]]).shape[:2]) == 64


@pytest.mark.parametrize(
    "args",
    [
        {"start": 0, "stop": 1000, "size": 64},
        {"start": 5, "stop": 4, "size": 64},
        {"start": 0, "stop": 4, "size": 100_000},
        {"start": 0, "stop": 4, "size": 64, "sort": "row"},
        {"start": -1, "stop": 4, "size": 64},
    ],
)
def test_a_page_out_of_bounds_is_refused(front, args):
    with pytest.raises(RpcError, match="BadRequest"):
        front.ask("grid.page", **args)


def test_a_page_past_the_end_is_shorter(front):
    result, _ = front.ask("grid.page", start=NUM_SAMPLES - 2, stop=NUM_SAMPLES + 20, size=32)
    assert len(result["tiles"]) == 2


def test_sorting_by_labels_puts_the_most_first(front):
    front.ask("grid.sort", sort="labels")
    result, _ = front.ask("grid.page", start=0, stop=NUM_SAMPLES, size=16)
    counts = [len(tile["labels"]) for tile in result["tiles"]]
    assert counts == sorted(counts, reverse=True)
    assert sorted(tile["row"] for tile in result["tiles"]) == list(range(NUM_SAMPLES))


def test_a_class_filter_shows_only_its_samples(front, ds):
    ring = ds.labels.info.class_names.index("Ring")
    having = [row for row in range(NUM_SAMPLES) if ring in labels_of(ds, row)]
    grid = front.ask("grid.filter", classes=[ring], how="any", states=[])[0]["grid"]
    assert (grid["filter"]["classes"], grid["size"]) == ([ring], len(having))
    tiles = front.ask("grid.page", start=0, stop=NUM_SAMPLES, size=16)[0]["tiles"]
    assert [tile["row"] for tile in tiles] == having
    assert front.ask("grid.filter", classes=[], how="any", states=[])[0]["grid"]["size"] == NUM_SAMPLES
    with pytest.raises(RpcError, match="out of range"):
        front.ask("grid.filter", classes=[99], how="any", states=[])


def test_one_sample_comes_by_position(front, ds):
    answer, buffers = front.ask("sample.get", position=5)
    sample = answer["sample"]
    assert decode_image(buffers[0]).shape == ds.images[5].numpy().shape
    assert (sample["row"], sample["labels"], sample["before"]) == (5, labels_of(ds, 5), None)


def test_one_sample_comes_by_uid(front):
    sample = front.ask("sample.get", position=5)[0]["sample"]
    assert front.ask("sample.get", uid=sample["uid"])[0]["sample"] == sample


@pytest.mark.parametrize(
    "wrong",
    [{}, {"position": 1, "uid": "1"}, {"uid": "x"}, {"position": 10**6}, {"uid": "123"}],
    ids=["nothing", "both", "uid of letters", "position too large", "unknown uid"],
)
def test_one_sample_is_refused_when_it_is_not_named_once(front, wrong):
    with pytest.raises(RpcError):
        front.ask("sample.get", **wrong)


def test_a_region_is_cut_from_the_full_image(front, ds):
    uid = front.ask("sample.get", position=5)[0]["sample"]["uid"]
    result, buffers = front.ask("sample.region", uid=uid, x=10, y=20, width=60, height=40, scale=0.5)
    assert result == {"width": 30, "height": 20}
    assert decode_image(buffers[0]).shape == (20, 30, 3)
    with pytest.raises(RpcError, match="4000000 pixels"):
        front.ask("sample.region", uid=uid, x=0, y=0, width=5000, height=5000, scale=1)


def test_a_selection_is_rows_in_python(front):
    assert front.ask("select.set", intervals=[[3, 6], [5, 8], [100, 101]])[0]["grid"]["num_selected"] == 6
    assert front.widget.selected.tolist() == [3, 4, 5, 6, 7, 100]
    assert front.widget.selection["count"] == 6
    assert len(front.widget.selection["uids"]) == 6
    with pytest.raises(RpcError):
        front.ask("select.set", intervals=[[6, 3]])
    assert front.ask("select.set", intervals=[])[0]["grid"]["num_selected"] == 0


def test_lint_marks_what_is_wrong(front):
    bad = front.ask("query.lint", text="select * whre labels == 1")[0]
    assert bad["clauses"] is None
    assert bad["diagnostics"][0]["severity"] == "error"


def test_lint_finds_the_clauses_of_what_is_right(front):
    good = front.ask("query.lint", text=SAMPLED)[0]
    assert (good["diagnostics"], good["combine"], len(good["clauses"])) == ([], "max", 2)


def test_completion_offers_the_classes(front):
    text = "select * where contains(labels, 'Cro"
    offered = front.ask("query.complete", text=text, position=len(text))[0]["completions"]
    assert "Cross" in [offer["label"] for offer in offered]


def test_explain_counts_the_rows(front):
    assert front.ask("query.explain", text="select * limit 5")[0]["funnel"][-1]["rows"] == 5


def test_format_lays_a_query_out(front):
    assert front.ask("query.format", text="select   *")[0]["text"].upper() == "SELECT *"


@pytest.fixture
def text_with_cross(front, ds):
    cross = ds.labels.info.class_names.index("Cross")
    return front.ask("clause.add", text="select *", class_index=cross, weight=20)[0]["text"]


def clauses_run(front, text):
    return [(c["label"], c["weight"]) for c in front.ask("query.run", text=text)[0]["query"]["clauses"]]


def test_a_clause_is_added_to_the_text(front, text_with_cross):
    assert clauses_run(front, text_with_cross) == [("Cross", 20), ("everything else", 1)]


def test_a_clause_is_removed_from_the_text(front, text_with_cross):
    less = front.ask("clause.remove", text=text_with_cross, clause=0)[0]["text"]
    assert clauses_run(front, less) == [("everything else", 1)]


def test_the_sampling_goes_with_its_last_clause(front, text_with_cross):
    less = front.ask("clause.remove", text=text_with_cross, clause=0)[0]["text"]
    none = front.ask("clause.remove", text=less, clause=0)[0]["text"]
    assert "sample" not in none.lower()


def test_a_clause_of_a_class_that_does_not_exist_is_refused(front):
    with pytest.raises(RpcError, match="class 99 does not exist"):
        front.ask("clause.add", text="select *", class_index=99, weight=2)


def test_what_is_drawn_is_what_the_loader_gives(front):
    front.ask("query.run", text=SAMPLED, seed=3)
    args = {"weights": [20, 1], "mode": "iid", "seed": 3}
    drawn = front.ask("plan.drawn", num_epochs=2, **args)[0]
    loader = front.widget.loader(16, "numpy", tensors=["labels"])
    first, second = ([batch["index"] for batch in loader] for _ in range(2))
    first, second = np.concatenate(first), np.concatenate(second)
    assert drawn["unique"] == [len(set(first)), len({*first, *second})]
    classes = front.widget.session.class_names
    labels = np.concatenate([labels_of(front.widget.session.dataset, int(row)) for row in first]).astype(int)
    assert drawn["counts"] == np.bincount(labels, minlength=len(classes)).tolist()
    batches = front.ask("plan.batches", batch_size=16, num_batches=3, **args)[0]["counts"]
    for number, counts in enumerate(batches):
        rows = first[number * 16 : number * 16 + 16]
        labels = np.concatenate([labels_of(front.widget.session.dataset, int(row)) for row in rows]).astype(int)
        assert counts == np.bincount(labels, minlength=len(classes)).tolist()


def test_without_sampling_every_row_comes_once(front):
    drawn = front.ask("plan.drawn", num_epochs=2, weights=[], mode="iid", seed=0)[0]
    assert drawn["unique"] == [NUM_SAMPLES, NUM_SAMPLES]
    indices = np.concatenate([batch["index"] for batch in front.widget.loader(16, "numpy", tensors=["labels"])])
    assert sorted(indices.tolist()) == list(range(NUM_SAMPLES))
    batches = front.ask("plan.batches", batch_size=16, num_batches=1, weights=[], mode="iid", seed=0)[0]["counts"]
    ds = front.widget.session.dataset
    labels = np.concatenate([labels_of(ds, int(row)) for row in indices[:16]]).astype(int)
    assert batches == [np.bincount(labels, minlength=len(front.widget.session.class_names)).tolist()]


def test_a_table_result_is_shown_read_only(front):
    query = front.ask("query.run", text="select shape(boxes)[0] as boxes_each, count(*) as n group by shape(boxes)[0]")[
        0
    ]["query"]
    assert (query["kind"], query["statistics"], query["pool_size"]) == ("table", None, 0)
    assert query["table"]["columns"] == ["boxes_each", "n"]
    with pytest.raises(RpcError, match="table"):
        front.ask("export.code", batch_size=4, framework="numpy")


@pytest.fixture
def saved_views(front):
    front.ask("query.run", text="select * limit 7", seed=5)
    return front.ask("views.save", message="seven")[0]["views"]


def test_views_are_saved(saved_views):
    assert [(view["message"], view["query"], view["num_samples"]) for view in saved_views] == [
        ("seven", "select * limit 7", 7)
    ]


def test_views_are_opened_with_their_seed(front, saved_views):
    front.ask("query.run", text="select *", seed=0)
    opened = front.ask("views.open", id=saved_views[0]["id"])[0]
    assert (opened["query"]["pool_size"], opened["query"]["seed"]) == (7, 5)


def test_a_view_that_does_not_exist_is_refused(front):
    with pytest.raises(RpcError, match="does not exist"):
        front.ask("views.open", id="nothing")


def test_a_query_that_leaves_nothing_names_the_clause(front):
    query = front.ask("query.run", text="select * where shape(boxes)[0] > 99")[0]["query"]
    assert query["pool_size"] == 0
    assert "where" in query["emptied_by"].lower()
    with pytest.raises(RpcError, match="no sample"):
        front.ask("export.code", batch_size=4, framework="numpy")


def test_all_weights_zero_is_told_not_thrown(front):
    front.ask("query.run", text=SAMPLED)
    zero = SAMPLED.replace(": 20", ": 0").replace(": 1)", ": 0)")
    front.ask("weights.set", weights=[0, 0], text=zero)
    assert front.ask("hello")[0]["query"]["text"] == zero
    with pytest.raises(RpcError, match="nothing can be drawn"):
        front.ask("export.code", batch_size=4, framework="numpy")


def test_requests_from_a_second_thread_are_answered_beside_user_code(front):
    failures = []

    def browse():
        try:
            for number in range(20):
                front.ask("weights.set", weights=[number + 1, 1], text=SAMPLED)
                front.ask("grid.page", start=number, stop=number + 4, size=32)
        except (RpcError, OSError, ValueError) as error:
            failures.append(error)

    front.ask("query.run", text=SAMPLED)
    thread = threading.Thread(target=browse)
    thread.start()
    while thread.is_alive():
        rows = [batch["index"] for batch in front.widget.loader(16, "numpy", tensors=["labels"])]
        assert sum(map(len, rows)) == front.widget.plan.num_draws
        assert front.widget.plan.probabilities.sum() > 0
    thread.join()
    assert failures == []
    assert front.widget.weights.tolist() == [20, 1]


def test_two_browsers_get_only_what_they_asked(explorer):
    first, second = FrontEnd(explorer, "aaaa"), FrontEnd(explorer, "bbbb")
    first.send("hello", {}, 1)
    second.send("grid.page", {"start": 0, "stop": 1, "size": 16}, 1)
    message, _ = first.wait_for(1)
    assert "dataset" in message
    assert "bbbb:1" in first.replies or second.wait_for(1)


def test_a_view_is_explored_on_its_own_rows(open_front, ds):
    front = open_front(ds[10:30])
    assert front.ask("hello")[0]["query"]["pool_size"] == 20
    tiles = front.ask("grid.page", start=0, stop=20, size=16)[0]["tiles"]
    assert [tile["row"] for tile in tiles] == list(range(10, 30))
    assert [tile["labels"] for tile in tiles] == [labels_of(ds, row) for row in range(10, 30)]


def test_what_cannot_be_explored_is_named():
    with pytest.raises(penstock.PenstockError, match="cannot explore a list"):
        penstock.explore([1, 2])


def test_draws_are_told_as_asked_whatever_the_mode_can_give(front):
    text = "select * sample by max_weight(contains(labels, 'Cross'): 5) replace false"
    query = front.ask("query.run", text=text)[0]["query"]
    drawable = front.widget.plan.num_drawable
    assert (query["mode"], query["draws"], front.widget.plan.num_draws) == ("once", NUM_SAMPLES, drawable)
    assert drawable < NUM_SAMPLES


def test_a_cap_on_weights_is_told(front):
    text = "select * sample by product_weight(contains(labels, 'Cross'): 5, True: 2, cap => 8)"
    query = front.ask("query.run", text=text)[0]["query"]
    assert (query["combine"], query["cap"]) == ("product", 8)
    assert front.ask("query.run", text="select *")[0]["query"]["cap"] is None


def test_a_preset_weighs_classes_by_their_frequency(front, ds):
    reply = front.ask("clause.preset", text="select *", preset="balanced")[0]
    assert "Buda" in reply["reference"]
    query = front.ask("query.run", text=reply["text"])[0]["query"]
    samples = np.zeros(len(ds.labels.info.class_names), int)
    for row in range(NUM_SAMPLES):
        samples[sorted(set(labels_of(ds, row)))] += 1
    weights = {c["class_index"]: c["weight"] for c in query["clauses"] if c["class_index"] is not None}
    assert weights == {i: pytest.approx(samples.max() / n, rel=1e-5) for i, n in enumerate(samples) if n}
    raw = front.ask("clause.preset", text=reply["text"], preset="raw")[0]["text"]
    assert {c["weight"] for c in front.ask("query.run", text=raw)[0]["query"]["clauses"]} == {1}


def test_a_preset_keeps_the_rest_of_the_query(front):
    text = "select * where shape(boxes)[0] > 0 sample by max_weight(True: 1) replace false limit 9"
    made = front.ask("clause.preset", text=text, preset="effective_number", parameter=0.9)[0]["text"]
    assert made.startswith("select * where shape(boxes)[0] > 0 sample by max_weight(")
    assert made.endswith(" replace false limit 9")


def test_wanted_shares_become_weights_that_give_them(front, ds):
    cross = ds.labels.info.class_names.index("Cross")
    targets = [{"class_index": cross, "share": 0.2}]
    reply = front.ask("targets.solve", text="select *", targets=targets, unit="instances")[0]
    front.ask("query.run", text=reply["text"])
    expected = front.widget.plan.histogram(unit="instances").expected
    assert expected[cross] / expected.sum() == pytest.approx(0.2, abs=1e-4)
    assert reply["effective_sample_size"] < NUM_SAMPLES
    assert reply["max_repeats"] > 1
    both = [{"class_index": i, "share": 0.9} for i in (0, 1)]
    with pytest.raises(RpcError, match="InfeasibleTargets"):
        front.ask("targets.solve", text="select *", targets=both, unit="instances")


@pytest.fixture
def gate(front, request):
    """Start a query, request 900, that waits for the gate."""
    started, gate = threading.Event(), threading.Event()
    name = f"gate_of_{request.node.name}"

    @tql.function(name=name)
    def wait(counts):
        started.set()
        gate.wait(20)
        return counts

    front.send("query.run", {"text": f"select * where {name}(shape(boxes)[0]) > 0 limit 3"}, 900)
    assert started.wait(20)
    yield gate
    gate.set()


@pytest.mark.usefixtures("gate")
def test_other_requests_are_answered_while_a_long_query_runs(front):
    assert front.ask("hello")[0]["query"]["text"] == "select *"
    assert len(front.ask("grid.page", start=0, stop=4, size=16)[0]["tiles"]) == 4


def test_a_long_query_can_be_cancelled(front, gate):
    front.send("cancel", {}, 900)
    gate.set()
    with pytest.raises(RpcError, match="Cancelled"):
        front.wait_for(900)
    assert front.widget.query == "select *"


def test_steps_of_weights_come_back_with_hello(front, explorer):
    assert front.ask("hello")[0]["weight_steps"] == ""
    front.ask("weights.keep", steps='[["a"], []]')
    assert FrontEnd(explorer, view="9f9f9f").ask("hello")[0]["weight_steps"] == '[["a"], []]'


def test_steps_of_weights_are_forgotten_when_a_class_is_renamed(front):
    front.ask("weights.keep", steps="[[], []]")
    front.ask("classes.rename", old="Cross", new="Plus")
    assert front.ask("hello")[0]["weight_steps"] == ""
