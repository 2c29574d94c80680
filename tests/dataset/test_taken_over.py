"""What a session takes over from the version before equals what a fresh session reads, whatever happened between."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import PenstockError
from penstock.table.drafts._pairs import Pairs, pairs_of

QUERIES = (
    "select * where contains(labels, 'b')",
    "select * where any(labels == 'a') or score > 0.5",
    "select * where not contains(labels, 'c') and note like '%x%'",
    "select * where kind == 'one' and row_number() > 3",
)
NAMES = ["a", "b", "c"]


class History:
    """Random steps on a small dataset, each flushed on its own, so that it lies in many files."""

    def __init__(self, path, seed):
        self.rng = np.random.default_rng(seed)
        self.ds = penstock.empty(path)
        self.ds.create_tensor("labels", "class_label", class_names=NAMES)
        self.ds.create_tensor("kind", "class_label", class_names=["one", "two"])
        self.ds.create_tensor("score")
        self.ds.create_tensor("note", "text")
        self.ds.create_tensor("boxes", "bbox")
        self.ds.create_tensor("images", "image")
        for _ in range(3):
            self.append()
        self.commits = [self.ds.commit("start")]
        self.branches = 0

    def step(self):
        steps = (self.append, self.edit, self.edit, self.edit, self.pop, self.commit, self.commit)
        odd = (self.pop_many, self.reset, self.branch, self.merge_classes, self.add_tensor, self.other, self.rename)
        chosen = self.rng.choice([*steps, *odd])
        with suppress(PenstockError):  # nothing to commit, or a class that is gone
            chosen()
        return chosen.__name__

    def sample(self):
        rng = self.rng
        classes = len(self.ds.labels.info.class_names)
        found = {
            "labels": rng.integers(0, classes, rng.integers(0, 3)),
            "kind": [int(rng.integers(0, 2))],
            "score": None if rng.random() < 0.2 else float(rng.random()),
            "note": None if rng.random() < 0.2 else "".join(rng.choice(list("xyz"), 2)),
            "boxes": rng.integers(1, 9, (int(rng.integers(0, 3)), 4)).astype(np.float32),
            "images": np.full((2, 2), rng.integers(0, 4), np.uint8),
        }
        return {name: found.get(name) for name in self.ds.tensors}

    def append(self):
        for _ in range(self.rng.integers(1, 4)):
            self.ds.append(self.sample())
        self.ds.flush()

    def edit(self):
        if len(self.ds):
            name = self.rng.choice([name for name in self.ds.tensors if name != "extra"])
            self.ds[name][int(self.rng.integers(len(self.ds)))] = self.sample()[name]

    def pop(self):
        if len(self.ds) > 2:
            self.ds.pop(int(self.rng.integers(len(self.ds))))

    def pop_many(self):
        if len(self.ds) > 6:
            self.ds.pop(self.rng.choice(len(self.ds), 3, replace=False))

    def commit(self):
        self.commits.append(self.ds.commit("step"))

    def reset(self):
        self.ds.reset()

    def branch(self):
        self.commit()
        self.branches += 1
        self.ds.checkout(f"side{self.branches}", create=True)
        self.edit()
        self.append()
        self.commit()
        self.ds.checkout("main")
        self.edit()
        self.commit()
        self.ds.merge(f"side{self.branches}", prefer="ours")
        self.commits.append(self.ds.commit_id)

    def merge_classes(self):
        names = self.ds.labels.info.class_names
        if len(names) > 2:
            self.ds.labels.merge_classes([names[0]], into=names[1])

    def rename(self):
        self.ds.labels.add_class(f"new{self.rng.integers(10**9)}")

    def add_tensor(self):
        if "extra" in self.ds.tensors:
            self.ds.delete_tensor("extra")
        else:
            self.ds.create_tensor("extra", "class_label", class_names=["x"])

    def other(self):
        """Let another session commit an edit and delete a sample; it would take over what is edited here."""
        if self.ds.num_edits:
            return
        other = penstock.load(self.ds.path)
        other.score[0] = 0.75
        other.pop(len(other) - 1)
        other.commit("by another session")
        self.ds.refresh()


def answer(ds, query):
    try:
        return ds.query(query).indices.tolist()
    except PenstockError as error:
        return str(error)


def content(table):
    found = {}
    for name, spec in table.tensors.items():
        if not spec.is_encoded:
            column = table.column(name)
            shapes = None if column.shapes is None else column.shapes.tolist()
            valid = None if column.valid is None else column.valid.tolist()
            found[name] = (repr(column.values.tolist()), column.offsets.tolist(), shapes, valid, column.class_names)
    return found


def assert_equals_a_fresh_session(ds):
    table, fresh = content_of(ds).table, content_of(penstock.load(ds.path, read_only=True)).table
    assert table.stored.uids.tolist() == fresh.stored.uids.tolist()
    assert content(table) == content(fresh)
    assert dict(table.tensors) == dict(fresh.tensors)
    rows = np.arange(table.num_rows)[::-1]
    assert table.positions(table.uids(rows)).tolist() == rows.tolist()
    assert table.positions(np.array([5], np.int64)).tolist() == [-1]


def samples_of(table):
    taken = table.take(np.arange(table.num_rows), list(table.stored.specs))
    uids = table.uids(np.arange(table.num_rows)).tolist()
    specs = table.stored.specs
    return {uid: {name: repr(_plain(specs[name], taken[name][row])) for name in specs} for row, uid in enumerate(uids)}


def _plain(spec, value):
    if spec.htype == "class_label":
        return [spec.class_names[label] for label in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def assert_pairs_are_those_of_uids(ds, one, two):
    before, after = (content_of(penstock.load(ds.path, version=commit)).table for commit in (one, two))
    fast, plain = pairs_of(before, after), Pairs(before, after)
    assert fast.added.tolist() == plain.added.tolist()
    assert fast.removed.tolist() == plain.removed.tolist()
    diff, then, now = ds.diff(one, two), samples_of(before), samples_of(after)
    uids = after.uids(np.arange(after.num_rows)).tolist()
    for name in set(before.stored.specs) & set(after.stored.specs):
        unlike = [row for row, uid in enumerate(uids) if uid in then and then[uid][name] != now[uid][name]]
        found = diff.edited.get(name, np.empty(0)).tolist()
        if before.stored.specs[name].class_names == after.stored.specs[name].class_names:
            assert found == unlike, name


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_session_equals_a_fresh_one_after_every_step(tmp_path, seed):
    history = History(tmp_path / "ds", seed)
    for _ in range(10):
        for query in QUERIES:
            answer(history.ds, query)
        history.step()
        fresh = penstock.load(history.ds.path, read_only=True)
        for query in QUERIES:
            assert answer(history.ds, query) == answer(fresh, query)
        assert_equals_a_fresh_session(history.ds)
    for one, two in zip(history.commits, history.commits[1:], strict=False):
        assert_pairs_are_those_of_uids(history.ds, one, two)
    assert_pairs_are_those_of_uids(history.ds, history.commits[0], history.commits[-1])
