"""Widgets: traits in both directions, linked by a session, small in the notebook."""

from __future__ import annotations

import json

import ipywidgets
import nbclient
import nbformat
import numpy as np
import pytest
import traitlets

import penstock
from penstock.errors import DatasetError, SamplingError, TensorNotFoundError, TQLError
from penstock.widgets import Browser, CoverageView, Explorer, LabelEditor, QueryEditor, Session, WeightTuner
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd

SAMPLED = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"
PANELS = [Browser, CoverageView, Explorer, LabelEditor, QueryEditor, WeightTuner]
MAX_STATE_BYTES = 20_000


def own_state(widget):
    state = widget.get_state()
    return {name: value for name, value in state.items() if name not in {"_esm", "layout", "tooltip", "tabbable"}}


def state_bytes(widget):
    def plain(value):
        return bytes(value).hex() if isinstance(value, (bytes, memoryview)) else str(value)

    return len(json.dumps(own_state(widget), default=plain))


SOURCES = {"dataset": lambda ds: ds, "view": lambda ds: ds[:10], "session": Session}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_every_panel_opens_on_any_source(ds, panel, source):
    widget = panel(source(ds))
    assert FrontEnd(widget).ask("hello")[0]["query"]["text"] == "select *"
    assert widget._runtime is penstock.widgets._runtime.runtime()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.__name__)
def test_every_panel_is_printed_with_its_dataset(ds, panel):
    assert repr(panel(ds, seed=7)) == f"{panel.__name__}('shapes', samples={NUM_SAMPLES}, seed=7)"


def test_the_text_in_a_notebook_says_what_to_do(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert data["text/plain"] == f"{explorer!r}: run this cell to open it"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.model_id


def test_what_a_notebook_keeps_has_a_still_picture_without_scripts(explorer):
    data, _ = explorer._repr_mimebundle_()
    assert "This is a still image: run the cell to open it." in data["text/html"]
    assert "<script" not in data["text/html"]
    assert len(data["text/html"]) < 16_000


def test_freeze_needs_a_widget_that_is_on_show(explorer):
    with pytest.raises(RuntimeError, match=r"not displayed in a notebook. Hint: display it first.*to_html"):
        explorer.freeze()


def test_freeze_replaces_each_output_once(explorer, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data", lambda data, *_, **options: sent.append((data, options))
    )
    explorer._ipython_display_()
    explorer._ipython_display_()
    explorer.freeze()
    shown, again, *frozen = [options["transient"]["display_id"] for _, options in sent]
    assert shown != again
    assert frozen == [shown, again]
    assert all(options["update"] and sorted(data) == ["text/html", "text/plain"] for data, options in sent[2:])
    assert "data:image/jpeg;base64," in sent[-1][0]["text/html"]
    with pytest.raises(RuntimeError):
        explorer.freeze()


def test_assigning_a_query_runs_it(explorer):
    explorer.query = "select * limit 7"
    assert len(explorer.view) == 7
    with pytest.raises(TQLError):
        explorer.query = "select * whre"
    assert explorer.query == "select * limit 7"


def test_assigning_weights_moves_the_text(explorer):
    explorer.query = SAMPLED
    explorer.weights = [3, 0.5]
    assert explorer.query == SAMPLED.replace(": 20", ": 3").replace("True: 1", "True: 0.5")
    assert explorer.plan.spec.weights == (3.0, 0.5)
    for wrong in ([1], [1, -1], [1, np.inf], "ab"):
        with pytest.raises((SamplingError, traitlets.TraitError)):
            explorer.weights = wrong
    assert explorer.weights.tolist() == [3, 0.5]


def test_options_of_the_draws_reach_the_plan(explorer):
    explorer.query = SAMPLED
    explorer.mode, explorer.seed, explorer.size = "deck", 9, 33
    spec = explorer.spec
    assert (spec.mode, spec.seed, spec.size) == ("deck", 9, 33)
    assert len(explorer.view) == 33


def test_a_mode_that_does_not_exist_is_refused(explorer):
    with pytest.raises(traitlets.TraitError):
        explorer.mode = "dealt"


def test_traits_can_be_observed(explorer):
    heard = []
    explorer.observe(lambda change: heard.append((change["name"], change["new"])), names=["query", "seed"])
    explorer.seed = 5
    explorer.query = SAMPLED
    assert heard == [("seed", 5), ("query", SAMPLED)]


def test_traits_can_be_linked(explorer):
    field = ipywidgets.IntText()
    traitlets.link((explorer, "seed"), (field, "value"))
    field.value = 5
    explorer.query = SAMPLED
    assert explorer.spec.seed == 5


def test_widgets_can_be_put_in_boxes(explorer):
    assert ipywidgets.HBox([explorer]).children == (explorer,)


def test_what_the_browser_does_is_observed_in_python(front):
    heard = []
    front.widget.observe(lambda change: heard.append(np.asarray(change["new"]).tolist()), names="weights")
    front.ask("query.run", text=SAMPLED)
    front.ask("weights.set", weights=[2, 1], text=SAMPLED.replace(": 20", ": 2"))
    assert heard == [[20, 1], [2, 1]]


def test_the_browser_sets_the_unit(front):
    front.set_state(unit="samples")
    assert front.widget.unit == "samples"
    assert front.widget.snapshot["unit"] == "samples"


def test_the_browser_sets_the_theme(front):
    front.set_state(theme="dark")
    assert front.widget.theme == "dark"


def test_the_browser_sets_the_draft_of_the_query(front):
    front.set_state(query_draft="select * wh")
    assert front.ask("hello")[0]["draft"] == "select * wh"


def test_widgets_of_one_session_are_linked(ds):
    session = Session(ds, query=SAMPLED)
    tuner, chart = WeightTuner(session), CoverageView(session)
    tuner.weights = [5, 1]
    assert chart.weights.tolist() == [5, 1]
    assert chart.query == tuner.query == session.query
    FrontEnd(tuner).ask("query.run", text="select *")
    assert chart.query == "select *"
    assert Explorer(ds).query == "select *"


def test_selected_rows_can_be_set_from_python(explorer):
    explorer.selected = [5, 2]
    assert explorer.selected.tolist() == [5, 2]
    assert explorer.selection["count"] == 2
    with pytest.raises(penstock.PenstockError, match="row 9999"):
        explorer.selected = [9999]


@pytest.mark.parametrize(
    ("options", "error", "expected"),
    [
        ({"queri": "select *"}, TypeError, "'queri'.*did you mean 'query'"),
        ({"labels": "images"}, DatasetError, "labels=.images.. Expected a class_label tensor: labels"),
        ({"labels": "label"}, TensorNotFoundError, "did you mean .labels."),
        ({"mode": "dealt"}, SamplingError, "dealt"),
        ({"seed": -1}, penstock.PenstockError, "-1"),
        ({"size": 0}, SamplingError, "0"),
        ({"query": "selec *"}, TQLError, "selec"),
        ({"height": "tall"}, traitlets.TraitError, "height"),
        ({"unit": "boxes"}, SamplingError, "boxes"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(ds, options, error, expected):
    with pytest.raises(error, match=expected):
        penstock.explore(ds, **options)


def test_options_of_the_session_are_refused_beside_one(ds):
    with pytest.raises(TypeError, match="belongs to the session"):
        WeightTuner(Session(ds), seed=3)


def test_state_stays_small(ds):
    explorer = penstock.explore(ds, query=SAMPLED)
    explorer.selected = np.arange(NUM_SAMPLES)
    assert state_bytes(explorer) <= MAX_STATE_BYTES
    assert {"bars", "coverage"} <= set(explorer.snapshot)
    assert len(explorer.snapshot["coverage"]) == 21


@pytest.mark.slow
def test_state_stays_small_when_many_long_class_names_are_all_selected(tmp_path):
    names = [f"{i} " + "Ω'\"<b>" * 20 for i in range(1203)]
    ds = penstock.from_arrays(
        {"x": np.arange(5000.0), "labels": np.arange(5000) % 1203},
        tmp_path / "wide.penstock",
        class_names={"labels": names},
    )
    explorer = penstock.explore(ds)
    explorer.selected = np.arange(5000)
    assert explorer.selection["count"] == 5000
    assert state_bytes(explorer) <= MAX_STATE_BYTES


def test_state_holds_no_paths_pixels_or_labels(explorer, ds):
    text = json.dumps(own_state(explorer), default=lambda value: "")
    assert str(ds.path) not in text
    assert "JFIF" not in text


def test_the_snapshot_says_what_the_plan_says(ds):
    explorer = penstock.explore(ds, query=SAMPLED)
    counted = explorer.plan.histogram()
    for bar in explorer.snapshot["bars"]:
        assert bar["raw"] == counted.raw[bar["class_index"]]
        assert bar["expected"] == pytest.approx(counted.expected[bar["class_index"]], rel=1e-5)
    shares = [point["share"] for point in explorer.snapshot["coverage"]]
    assert shares[0] == 0
    assert shares == sorted(shares)


def test_a_closed_widget_is_told_nothing_more(ds):
    session = Session(ds)
    tuner = WeightTuner(session)
    tuner.close()
    session.run_query("select * limit 3")
    assert tuner.query == "select *"


@pytest.mark.slow
@pytest.mark.notebook
def test_five_widgets_put_one_bundle_into_a_notebook(demo_folder):
    panels = ["Browser", "CoverageView", "Explorer", "QueryEditor", "WeightTuner"]
    cells = [f"import penstock\nfrom penstock import widgets\nds = penstock.load({str(demo_folder)!r})"]
    cells += [f"widgets.{panel}(ds)" for panel in panels]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    done = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", store_widget_state=True).execute()
    state = json.dumps(done.metadata["widgets"])
    runtime = penstock.widgets._runtime.runtime()
    once = len(runtime.code) * 4 / 3 + len(json.dumps(runtime._css))
    assert len(state) < 1.05 * once + 5 * 6000
    assert len(state) < 300_000
    for cell, panel in zip(done.cells[1:], panels, strict=True):
        data = cell.outputs[0].data
        assert data["text/plain"] == f"{panel}('shapes', samples={NUM_SAMPLES}, seed=0): run this cell to open it"


def test_seed_none_takes_a_fresh_one_a_browser_can_hold(ds):
    first, second = penstock.explore(ds, seed=None), penstock.explore(ds, seed=None)
    assert first.seed != second.seed
    assert max(first.seed, second.seed) < 2**53
    assert f"seed={first.seed}" in first.export_code()
    with pytest.raises(SamplingError, match="a browser holds"):
        penstock.explore(ds, seed=2**60)
    with pytest.raises(SamplingError, match="a browser holds"):
        first.seed = 2**60
