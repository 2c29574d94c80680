"""Every call that writes, each as one step that must be done or not done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import penstock
from tests.faults.template import image, rows


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A call, and what it is tried on.

    `prepare` comes before it in the same session; `between` are the steps it is made of
    for a user, whose results are states of their own; `durable` calls survive a power loss, as all do that write;
    after one that `deletes` first there may be nothing for a moment.
    """

    name: str
    call: Callable
    template: str | None = "draft"
    prepare: Callable = lambda ds: None
    between: tuple[Callable, ...] = ()
    durable: bool = True
    deletes: bool = False
    branch: str | None = None

    def open(self, path):
        ds = None
        if self.template is not None:
            ds = penstock.load(path, version=self.branch)
            self.prepare(ds)
        return ds


def _flush(ds, path):
    ds.flush()


def _assign_in_with(ds, path):
    with ds:
        ds.age[1] = 601
        ds.note[1] = "in a with"
        ds.labels[[2, 3]] = [["dog"], ["kitten", "cat"]]
        ds.images[4] = image(199)


def _then_flush(step):
    def call(ds, path):
        step(ds)
        ds.flush()

    return call


def _seventy_edits(ds):
    for turn in range(70):
        ds.age[turn % 5] = turn


def _small_files(ds):
    for turn in range(10):
        ds.extend(rows(80 + turn, 1))
        ds.flush()


def _new_classes(ds):
    ds.labels.add_class("boat")
    ds.labels.rename_class("dog", "hound")
    ds.labels.merge_classes(["kitten"], "cat")


def _checkout_and(step, branch="side"):
    def call(ds, path):
        ds.checkout(branch)
        step(ds)

    return call


def _view(ds):
    return ds.query("select * where age > 5")


def _source(path):
    return Path(path).parent.with_name("source")


def _set(name, index, value):
    def step(ds):
        ds[name][index] = value

    return step


_EMPTY = {"template": None}
_CLEAN = {"template": "clean"}

ALL = [
    Operation(name="create_tensor (generic)", call=lambda ds, path: ds.create_tensor("score")),
    Operation(name="create_tensor (typed)", call=lambda ds, path: ds.create_tensor("score", dtype="float32")),
    Operation(name="create_tensor (image)", call=lambda ds, path: ds.create_tensor("thumb", htype="image")),
    Operation(
        name="create_tensor (class_label)",
        call=lambda ds, path: ds.create_tensor("kind", htype="class_label", class_names=["a", "b"]),
    ),
    Operation(
        name="append", call=_then_flush(lambda ds: ds.append({name: cells[0] for name, cells in rows(90, 1).items()}))
    ),
    Operation(name="extend", call=_then_flush(lambda ds: ds.extend({**rows(90, 2), "labels": [["boat"], ["dog"]]}))),
    Operation(name="assign", call=_then_flush(_set("age", 1, 601))),
    Operation(name="assign (again)", call=_then_flush(_set("age", 0, 600))),
    Operation(
        name="assign (labels of several)", call=_then_flush(_set("labels", slice(2, 5), [["dog"], ["cat"], ["bus"]]))
    ),
    Operation(name="assign (in a with)", call=_assign_in_with),
    Operation(name="pop", call=lambda ds, path: ds.pop(6)),
    Operation(name="pop (an edited one)", call=lambda ds, path: ds.pop(3)),
    Operation(name="add_class", call=lambda ds, path: ds.labels.add_class("boat")),
    Operation(name="rename_class", call=lambda ds, path: ds.labels.rename_class("dog", "hound")),
    Operation(name="merge_classes", call=lambda ds, path: ds.labels.merge_classes(["cat", "dog"], "dog")),
    Operation(
        name="merge_classes (clean)",
        call=lambda ds, path: ds.labels.merge_classes(["cat", "dog"], "dog"),
        **_CLEAN,
    ),
    Operation(name="commit", call=lambda ds, path: ds.commit("a new one")),
    Operation(name="commit (some edits)", call=lambda ds, path: ds.commit("a new one", rows=[2])),
    Operation(
        name="commit (rows not flushed)",
        call=lambda ds, path: ds.commit("a new one"),
        prepare=lambda ds: ds.extend(rows(90, 2)),
        between=(_flush,),
    ),
    Operation(
        name="commit (classes changed)",
        call=lambda ds, path: ds.commit("a new one"),
        prepare=_new_classes,
    ),
    Operation(
        name="commit (many small files)",
        call=lambda ds, path: ds.commit("a new one"),
        prepare=_small_files,
    ),
    Operation(name="commit (on a branch)", call=lambda ds, path: ds.commit("a new one"), branch="side"),
    Operation(
        name="commit (a new tensor)",
        call=lambda ds, path: ds.commit("a new one"),
        prepare=lambda ds: (ds.create_tensor("score"), _set("score", 2, 0.5)(ds)),
    ),
    Operation(name="merge (theirs only)", call=lambda ds, path: ds.merge("ahead"), **_CLEAN),
    Operation(name="merge (both sides)", call=lambda ds, path: ds.merge("side"), **_CLEAN),
    Operation(name="merge (prefer theirs)", call=lambda ds, path: ds.merge("clash", prefer="theirs"), **_CLEAN),
    Operation(name="merge (prefer ours)", call=lambda ds, path: ds.merge("clash", prefer="ours"), **_CLEAN),
    Operation(name="merge (conflicts told)", call=lambda ds, path: ds.merge("clash"), **_CLEAN),
    Operation(
        name="merge (into a branch)",
        call=lambda ds, path: ds.merge("main", prefer="theirs"),
        branch="clash",
        **_CLEAN,
    ),
    Operation(name="checkout (create)", call=lambda ds, path: ds.checkout("fresh", create=True), **_CLEAN),
    Operation(
        name="checkout (create on a branch)",
        call=lambda ds, path: ds.checkout("fresh", create=True),
        branch="clash",
        **_CLEAN,
    ),
    Operation(name="checkout", call=lambda ds, path: ds.checkout("side")),
    Operation(
        name="checkout (rows not flushed)",
        call=lambda ds, path: ds.checkout("side"),
        prepare=lambda ds: ds.extend(rows(90, 2)),
    ),
    Operation(name="tag", call=lambda ds, path: ds.tag("v2")),
    Operation(name="tag (of a commit)", call=lambda ds, path: ds.tag("v0", ds.log()[-1].id)),
    Operation(name="delete_tag", call=lambda ds, path: ds.delete_tag("v1")),
    Operation(name="save_view", call=lambda ds, path: _view(ds).save_view("mine", id="mine"), **_CLEAN),
    Operation(
        name="save_view (on a branch)",
        call=lambda ds, path: _view(ds).save_view("mine", id="mine"),
        branch="clash",
        **_CLEAN,
    ),
    Operation(name="load_view (optimize)", call=lambda ds, path: ds.load_view("kept", optimize=True)),
    Operation(name="delete_view", call=lambda ds, path: ds.delete_view("kept")),
    Operation(name="delete_view (copied)", call=lambda ds, path: ds.delete_view("copied")),
    Operation(name="discard_edits", call=lambda ds, path: ds.discard_edits()),
    Operation(
        name="discard_edits (not flushed)",
        call=lambda ds, path: ds.discard_edits(),
        prepare=lambda ds: ds.extend(rows(90, 2)),
        between=(_flush,),
    ),
    Operation(name="discard_edits (of a tensor)", call=lambda ds, path: ds.discard_edits("age")),
    Operation(name="discard_edits (of rows)", call=lambda ds, path: ds.discard_edits(rows=[2, 3])),
    Operation(name="reset", call=lambda ds, path: ds.reset()),
    Operation(name="reset (on a branch)", call=lambda ds, path: ds.reset(), branch="side"),
    Operation(
        name="cleanup", call=lambda ds, path: ds.cleanup(older_than=timedelta(0)), prepare=lambda ds: ds.commit("x")
    ),
    Operation(
        name="cleanup (after compact)",
        call=lambda ds, path: ds.cleanup(older_than=timedelta(0)),
        prepare=lambda ds: (ds.commit("x"), ds.compact()),
    ),
    Operation(name="cleanup (on a branch)", call=lambda ds, path: ds.cleanup(older_than=timedelta(0)), branch="side"),
    Operation(name="compact", call=lambda ds, path: ds.compact()),
    Operation(name="compact (on a branch)", call=lambda ds, path: ds.compact(), branch="side"),
    Operation(
        name="load (many draft files)", call=lambda ds, path: penstock.load(path).num_edits, prepare=_seventy_edits
    ),
    Operation(name="add_creds_key", call=lambda ds, path: ds.add_creds_key("ours")),
    Operation(name="empty", call=lambda ds, path: penstock.empty(path), **_EMPTY),
    Operation(name="empty (overwrite)", call=lambda ds, path: penstock.empty(path, overwrite=True), deletes=True),
    Operation(
        name="from_folder", call=lambda ds, path: penstock.from_folder(_source(path), path, progress=False), **_EMPTY
    ),
    Operation(name="demo", call=lambda ds, path: penstock.demo(path, num_samples=3), **_EMPTY),
    Operation(
        name="from_arrays",
        call=lambda ds, path: penstock.from_arrays(
            {"images": [image(1), image(2)], "labels": ["cat", "dog"]}, path, progress=False
        ),
        **_EMPTY,
    ),
]
BY_NAME = {operation.name: operation for operation in ALL}
