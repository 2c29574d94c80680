"""The exported cell makes the loader the charts describe, in any process, whatever the names."""

from __future__ import annotations

import ast
import subprocess
import sys

import numpy as np
import pytest

import penstock
from penstock.errors import SamplingError, UncommittedChangesError
from tests.widgets.conftest import NUM_SAMPLES, FrontEnd

SAMPLED = "select * where shape(boxes)[0] > 0 sample by max_weight(contains(labels, 'Cross'): 20.125, True: 1)"
NUM_BATCHES = 10
DIGEST = """
import hashlib, sys
import numpy as np
batches = []
for number, batch in enumerate(loader):
    if number == 10:
        break
    for name in sorted(batch):
        value = batch[name]
        parts = value if isinstance(value, list) else [value]
        for part in parts:
            batches.append((name, str(part.dtype), tuple(part.shape), hashlib.sha256(np.asarray(part).tobytes()).hexdigest()))
print(hashlib.sha256(repr(batches).encode()).hexdigest(), len(batches))
"""


def digest_here(loader):
    printed = []
    exec(DIGEST, {"loader": loader, "print": lambda *parts: printed.append(" ".join(map(str, parts)))})
    return printed[0]


def digest_in_a_fresh_process(code, cwd):
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + DIGEST],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("query", "options"),
    [
        pytest.param("select *", {}, marks=pytest.mark.exhaustive),
        (SAMPLED, {"seed": 7}),
        (SAMPLED + " limit 50", {"mode": "deck"}),
        pytest.param(SAMPLED, {"mode": "once", "size": 30}, marks=pytest.mark.exhaustive),
        pytest.param(
            "select * sample by sum_weight(contains(labels, 'Ring'): 3, True: 1) replace false",
            {},
            marks=pytest.mark.exhaustive,
        ),
    ],
    ids=["plain", "iid", "deck", "once", "without replacement"],
)
@pytest.mark.slow
def test_the_first_batches_of_the_cell_equal_the_loaders(ds, tmp_path, query, options):
    explorer = penstock.explore(ds, query=query, **options)
    code = explorer.export_code(4, "numpy")
    assert digest_in_a_fresh_process(code, tmp_path) == digest_here(explorer.loader(4, "numpy"))


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.exhaustive  # tests/ui compares the batches of an exported cell in a kernel
def test_a_torch_loader_is_exported_the_same(ds, tmp_path):
    pytest.importorskip("torch")
    explorer = penstock.explore(ds, query=SAMPLED, seed=2)
    assert digest_in_a_fresh_process(explorer.export_code(4), tmp_path) == digest_here(explorer.loader(4))


def test_weights_moved_by_a_slider_are_exported_to_the_last_bit(ds):
    explorer = penstock.explore(ds, query=SAMPLED)
    explorer.weights = [1 / 3, 1]
    assert explorer.weights[0] == 0.333333333333
    code = explorer.export_code(4, "numpy")
    assert "'Cross'): 0.333333333333," in code
    names = {"__name__": "cell"}
    exec(compile(code, "cell", "exec"), names)
    assert digest_here(names["loader"]) == digest_here(explorer.loader(4, "numpy"))


@pytest.fixture
def syntax_of_code(ds):
    code = penstock.explore(ds, query=SAMPLED, seed=3, mode="deck").export_code(8, "numpy")
    return list(ast.walk(ast.parse(code)))


def test_code_imports_only_penstock(syntax_of_code):
    assert [n.name for node in syntax_of_code if isinstance(node, ast.Import) for n in node.names] == ["penstock"]


def test_code_is_all_literals(ds, syntax_of_code):
    calls = [node for node in syntax_of_code if isinstance(node, ast.Call)]
    values = [value for call in calls for value in (*call.args, *(k.value for k in call.keywords))]
    assert all(isinstance(value, ast.Constant) for value in values)
    assert {ds.path and str(ds.path), ds.version, 3, "deck", 8} <= {value.value for value in values}


def test_the_same_session_exports_the_same_text(ds):
    explorer = penstock.explore(ds, query=SAMPLED)
    assert explorer.export_code() == explorer.export_code() == penstock.explore(ds, query=SAMPLED).export_code()


@pytest.mark.parametrize(
    "name", ["it's", 'say "hi"', "tab\there", "back\\slash", "line\u2028break", "''')\nraise SystemExit(3)#", "{x}%s"]
)
def test_hostile_class_names_stay_data(tmp_path, name):
    ds = penstock.from_arrays(
        {"x": np.arange(12.0), "labels": np.arange(12) % 3},
        tmp_path / "hostile.penstock",
        class_names={"labels": [name, "plain", "other"]},
    )
    front = FrontEnd(penstock.explore(ds))
    text = front.ask("clause.add", text="select *", class_index=0, weight=5)[0]["text"]
    clauses = front.ask("query.run", text=text)[0]["query"]["clauses"]
    assert clauses[0]["label"] == name
    code = front.ask("export.code", batch_size=2, framework="numpy")[0]["code"]
    names = {}
    exec(compile(code, "cell", "exec"), names)
    assert digest_here(names["loader"]) == digest_here(front.widget.loader(2, "numpy"))
    assert len(code.splitlines()) == len(code.split("\n")) - 1


@pytest.mark.parametrize("folder", ["it's here", 'a "quoted" one', "über\u2028lang", "semi;colon $(x)"])
def test_hostile_paths_stay_data(tmp_path, folder):
    (tmp_path / folder).mkdir()
    ds = penstock.from_arrays(
        {"x": np.arange(4.0), "labels": [0, 1, 0, 1]},
        tmp_path / folder / "d.penstock",
        class_names={"labels": ["a", "b"]},
    )
    explorer = penstock.explore(ds)
    names = {}
    exec(compile(explorer.export_code(2, "numpy"), "cell", "exec"), names)
    assert digest_here(names["loader"]) == digest_here(explorer.loader(2, "numpy"))


def test_uncommitted_edits_are_not_exported_but_loaded(ds):
    explorer = penstock.explore(ds)
    cross = ds.labels.info.class_names.index("Cross")
    ds.labels[0] = [cross] * len(ds.labels[0].numpy())
    with pytest.raises(UncommittedChangesError, match="commit"):
        explorer.export_code()
    batch = next(iter(explorer.loader(NUM_SAMPLES, "numpy", tensors=["labels"])))
    at = batch["index"].tolist().index(0)
    assert set(batch["labels"][at].tolist()) == {cross}
    ds.commit("mend")
    assert ds.version in explorer.export_code()


@pytest.mark.parametrize(
    "choose",
    [
        lambda ds: ds[10:40],
        lambda ds: ds[[5, 3, 9, 40]],
        lambda ds: ds.query("select * where contains(labels, 'Square')"),
    ],
    ids=["slice", "list", "query"],
)
def test_a_view_is_exported_as_its_own_rows(ds, choose):
    explorer = penstock.explore(
        choose(ds), query="select * sample by max_weight(contains(labels, 'Circle'): 3, True: 1)"
    )
    names = {}
    exec(compile(explorer.export_code(4, "numpy"), "cell", "exec"), names)
    assert digest_here(names["loader"]) == digest_here(explorer.loader(4, "numpy"))


def test_an_unknown_framework_is_named(ds):
    with pytest.raises(ValueError, match=r"'pytroch'.*pytorch"):
        penstock.explore(ds).export_code(4, "pytroch")


def test_nothing_to_draw_is_no_loader(ds):
    explorer = penstock.explore(ds, query=SAMPLED)
    explorer.weights = [0, 0]
    with pytest.raises(SamplingError, match="nothing can be drawn"):
        explorer.loader()


def test_the_view_is_epoch_0_of_the_loader(ds):
    explorer = penstock.explore(ds, query=SAMPLED, seed=5)
    drawn = np.concatenate([batch["index"] for batch in explorer.loader(16, "numpy", tensors=["labels"])])
    assert explorer.view.indices.tolist() == drawn.tolist()
