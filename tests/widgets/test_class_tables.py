"""A preset over many classes: one term of the query, its weights in a table beside the text."""

from __future__ import annotations

import ast

import numpy as np
import pytest

import penstock
from tests.widgets.conftest import FrontEnd, RpcError

NUM_CLASSES = 41
NAMES = [f"class {number}" for number in range(NUM_CLASSES)]
COUNTS = [number + 1 for number in range(NUM_CLASSES)]  # samples of each class: 1, 2, 3, ...
BALANCED = "select * sample by max_weight(classes(labels, $balanced), True: 1)"


def weight_of(number):
    """Balanced: the count of the commonest class over that of the class, six digits."""
    return float(f"{NUM_CLASSES / COUNTS[number]:.6g}")


def written_out(weights):
    pairs = [f"contains(labels, '{name}'): {weight!r}" for name, weight in zip(NAMES, weights, strict=True)]
    return f"max_weight({', '.join(pairs)}, True: 1)"


@pytest.fixture
def ds(tmp_path):
    labels = np.repeat(np.arange(NUM_CLASSES), COUNTS)
    return penstock.from_arrays(
        {"x": np.arange(float(len(labels))), "labels": labels},
        tmp_path / "many.penstock",
        class_names={"labels": NAMES},
    )


@pytest.fixture
def front(ds):
    return FrontEnd(penstock.explore(ds))


@pytest.fixture
def balanced(front):
    """The query that ran after the preset."""
    text = front.ask("clause.preset", text="select *", preset="balanced")[0]["text"]
    return front.ask("query.run", text=text)[0]["query"]


def by_label(query):
    return {clause["label"]: clause["weight"] for clause in query["clauses"]}


def move(front, label, weight):
    """Do what a slider does: the weights of all clauses, one of them another."""
    query = front.ask("hello")[0]["query"]
    weights = [weight if clause["label"] == label else clause["weight"] for clause in query["clauses"]]
    front.ask("weights.set", weights=weights, text=query["text"])


def test_a_preset_over_many_classes_is_one_term_with_a_clause_for_each_class(balanced):
    assert balanced["text"] == BALANCED
    assert by_label(balanced) == {**{name: weight_of(i) for i, name in enumerate(NAMES)}, "everything else": 1}
    assert {(clause["table"], clause["from"]) for clause in balanced["clauses"][:-1]} == {("balanced", None)}
    assert [clause["class_index"] for clause in balanced["clauses"]] == [*range(NUM_CLASSES), None]


def test_a_preset_over_few_classes_is_written_out(tmp_path):
    few = penstock.from_arrays(
        {"labels": np.arange(80) % 40}, tmp_path / "few.penstock", class_names={"labels": NAMES[:40]}
    )
    text = FrontEnd(penstock.explore(few)).ask("clause.preset", text="select *", preset="square_root")[0]["text"]
    assert text == "select *"  # all classes are as common: there is nothing to write


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_a_table_draws_as_its_clauses_written_out(front, balanced, ds, mode):
    front.ask("weights.set", weights=[c["weight"] for c in balanced["clauses"]], text=BALANCED, mode=mode)
    weights = [weight_of(number) for number in range(NUM_CLASSES)]
    size = {"size": 100} if mode == "once" else {}
    if size:
        front.widget.size = 100
    drawn = ds.sample_by(written_out(weights), mode=mode, seed=0, **size).indices
    assert front.widget.session.run.plan.stream().epoch(0).tolist() == drawn.tolist()


def test_a_slider_moves_one_class_of_a_table_and_leaves_the_text(front, balanced, ds):
    move(front, "class 3", 400)
    query = front.ask("hello")[0]["query"]
    assert query["text"] == BALANCED
    weights = [400 if number == 3 else weight_of(number) for number in range(NUM_CLASSES)]
    assert by_label(query) == {**dict(zip(NAMES, weights, strict=True)), "everything else": 1}
    assert front.widget.view.indices.tolist() == ds.sample_by(written_out(weights), seed=0).indices.tolist()


@pytest.mark.parametrize(
    "text", [BALANCED, BALANCED.replace("select *", "select * where x > 100")], ids=["the same", "another pool"]
)
def test_a_query_that_names_a_table_has_its_weights_of_now(front, balanced, text):
    move(front, "class 3", 400)
    front.ask("query.run", text="select *")
    assert by_label(front.ask("query.run", text=text)[0]["query"])["class 3"] == 400


def test_two_pools_have_two_tables(front, balanced):
    pool = "select * where x >= 1"  # without the only sample of class 0
    text = front.ask("clause.preset", text=pool, preset="balanced")[0]["text"]
    assert text == BALANCED.replace("select *", pool).replace("$balanced", "$balanced_2")
    assert by_label(front.ask("query.run", text=text)[0]["query"])["class 0"] == 1
    assert by_label(front.ask("query.run", text=BALANCED)[0]["query"])["class 0"] == weight_of(0)


def test_the_same_preset_again_is_the_same_text(front, balanced):
    assert front.ask("clause.preset", text=BALANCED, preset="balanced")[0]["text"] == BALANCED


@pytest.mark.parametrize("mode", ["iid", "deck", "once"])
def test_the_exported_cell_draws_the_same_to_the_last_bit(front, balanced, mode):
    move(front, "class 7", 1 / 3)
    front.widget.mode = mode
    front.widget.size = 64
    code = front.ask("export.code", batch_size=16, framework="numpy")[0]["code"]
    assert "max_weight(classes(labels, $balanced), True: 1)" in code
    assert "contains(" not in code
    assert max(map(len, code.splitlines())) <= 100
    names = {}
    exec(compile(code, "cell", "exec"), names)
    here = [batch["index"].tolist() for batch in front.widget.loader(16, "numpy")]
    assert [batch["index"].tolist() for batch in names["loader"]] == here
    assert len(here) == 4


def test_the_exported_table_is_a_literal_of_the_weights_of_now(front, balanced):
    move(front, "class 7", 1 / 3)
    code = front.ask("export.code", batch_size=16, framework="numpy")[0]["code"]
    dicts = [ast.literal_eval(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Dict)]
    table = next(found["balanced"] for found in dicts if "balanced" in found)
    assert table == {name: 1 / 3 if i == 7 else weight_of(i) for i, name in enumerate(NAMES)}


def test_what_is_saved_as_a_view_opens_in_another_session(front, balanced, ds):
    move(front, "class 3", 400)
    saved = front.ask("views.save", message="rare first")[0]["views"][0]["id"]
    other = FrontEnd(penstock.explore(ds))
    query = other.ask("views.open", id=saved)[0]["query"]
    assert by_label(query)["class 3"] == 400
    assert by_label(query)["class 0"] == weight_of(0)


def test_a_preset_keeps_conditions_that_are_no_class(front):
    text = "select * sample by max_weight(x > 5: 7, contains(labels, 'class 1'): 3, True: 2)"
    made = front.ask("clause.preset", text=text, preset="balanced")[0]["text"]
    assert made == "select * sample by max_weight(x > 5: 7, classes(labels, $balanced), True: 1)"
    assert by_label(front.ask("query.run", text=made)[0]["query"])["x > 5"] == 7


def test_a_condition_beside_a_table_is_moved_and_removed_by_its_place_in_the_text(front, balanced):
    text = "select * sample by max_weight(classes(labels, $balanced), x > 5: 7, True: 1)"
    query = front.ask("query.run", text=text)[0]["query"]
    weights = [9 if clause["label"] == "x > 5" else clause["weight"] for clause in query["clauses"]]
    front.ask("weights.set", weights=weights, text=text.replace("x > 5: 7", "x > 5: 9"))
    assert front.ask("hello")[0]["query"]["text"] == text.replace("x > 5: 7", "x > 5: 9")
    removed = front.ask("clause.remove", text=text, clause=NUM_CLASSES)[0]["text"]
    assert removed == BALANCED


def test_a_class_of_a_table_cannot_be_removed(front, balanced):
    with pytest.raises(RpcError, match="'class 3' is in a table"):
        front.ask("clause.remove", text=BALANCED, clause=3)


def test_python_sets_the_weights_of_a_table(front, balanced):
    weights = front.widget.weights
    weights = np.where(np.arange(len(weights)) == 5, 50, weights)
    front.widget.weights = weights
    query = front.ask("hello")[0]["query"]
    assert (query["text"], by_label(query)["class 5"]) == (BALANCED, 50)


def test_raw_and_a_table(front, balanced):
    made = front.ask("clause.preset", text=BALANCED, preset="raw")[0]["text"]
    assert {c["weight"] for c in front.ask("query.run", text=made)[0]["query"]["clauses"]} == {1}


def test_a_renamed_class_keeps_its_weight_in_a_table(front, balanced, ds):
    ds.labels.rename_class("class 0", "rarest")
    front.widget.session.follow(store=True)
    query = front.ask("hello")[0]["query"]
    assert (query["text"], by_label(query)["rarest"]) == (BALANCED, weight_of(0))


def test_merged_classes_have_the_larger_weight_in_a_table(front, balanced, ds):
    ds.labels.merge_classes(["class 0"], into="class 40")
    front.widget.session.follow(store=True)
    weights = by_label(front.ask("hello")[0]["query"])
    assert "class 0" not in weights
    assert weights["class 40"] == weight_of(0)


def test_a_new_class_weighs_one_in_a_table(front, balanced, ds):
    ds.labels.add_class("new")
    front.widget.session.follow(store=True)
    assert by_label(front.ask("hello")[0]["query"])["new"] == 1


def test_a_name_without_a_table_is_refused_with_the_place(front):
    with pytest.raises(RpcError, match=r"\$unknown must have weights for 41 classes"):
        front.ask("query.run", text="select * sample by max_weight(classes(labels, $unknown), True: 1)")


def test_lint_and_explain_know_the_tables(front, balanced):
    lint = front.ask("query.lint", text=BALANCED)[0]
    assert [d for d in lint["diagnostics"] if d["severity"] == "error"] == []
    assert len(lint["clauses"]) == NUM_CLASSES + 1
    assert front.ask("query.explain", text=BALANCED)[0]["funnel"][0]["rows"] == sum(COUNTS)


# -- which preset holds -------------------------------------------------------------------


def test_the_preset_that_holds_is_told_with_what_it_wrote(front, balanced):
    assert (balanced["preset"]["name"], balanced["preset"]["parameter"]) == ("balanced", None)
    assert balanced["preset"]["weights"] == [c["weight"] for c in balanced["clauses"]]


def test_a_moved_weight_is_told_from_what_the_preset_wrote(front, balanced):
    move(front, "class 3", 400)
    query = front.ask("hello")[0]["query"]
    changed = [
        c["label"] for c, was in zip(query["clauses"], query["preset"]["weights"], strict=True) if c["weight"] != was
    ]
    assert changed == ["class 3"]


def test_going_back_to_an_earlier_preset_tells_that_one(front, balanced):
    text = front.ask("clause.preset", text="select *", preset="repeat_factor", parameter=0.02)[0]["text"]
    query = front.ask("query.run", text=text)[0]["query"]
    assert (query["preset"]["name"], query["preset"]["parameter"]) == ("repeat_factor", 0.02)
    assert front.ask("query.run", text=BALANCED)[0]["query"]["preset"]["name"] == "balanced"


def test_no_preset_holds_where_nobody_chose_one(front):
    text = "select * sample by max_weight(contains(labels, 'class 1'): 3, True: 1)"
    assert front.ask("query.run", text=text)[0]["query"]["preset"] is None
    assert front.ask("query.run", text="select *")[0]["query"]["preset"] is None
