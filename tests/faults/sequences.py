"""Random sequences of calls on a dataset and on plain Python, all values compared after each step."""

from __future__ import annotations

import numpy as np

import penstock
from tests.faults.threeway import identified, renamed, three_way
from tests.faults.twin import CLASSES, Twin, samples_of

NUM_SEQUENCES = 312
STEPS = 18


class Sequence:
    """One sequence, drawn from its number."""

    def __init__(self, path, number):
        self.path = path
        self.rng = np.random.default_rng([77, number])
        self.twin = Twin(path)
        self.model = self.twin.model
        self.twin.extend(self.rng, 5, CLASSES)
        self.twin.commit("start")

    def run(self, steps=STEPS):
        """Return what went wrong, None if nothing."""
        for turn in range(steps):
            name = str(self.rng.choice(list(_STEPS)))
            try:
                _STEPS[name](self, turn)
                wrong = self.compare()
            except Exception as error:  # noqa: BLE001  a call that the model can do must not fail
                wrong = f"{type(error).__name__}: {error}"
            if wrong:
                return f"{wrong} after {[('start',), *self.twin.done[2:]][-6:]}"
        return None

    # ---- comparing -----------------------------------------------------------------------

    def compare(self):
        ds, model = self.twin.ds, self.model
        checks = {
            "samples": (samples_of(ds), model.now.samples()),
            "classes": (ds.labels.info.class_names, model.now.names()),
            "edits": (ds.num_edits, len(model.now.edits)),
            "changes": (ds.has_changes, model.has_changes),
            "log": ([(entry.id, entry.message) for entry in ds.log()], model.logs[model.at]),
            "branches": (sorted(ds.branches), sorted(model.branches)),
            "branch": (ds.branch, model.at),
            "tags": (ds.tags, {name: commit for name, (commit, _) in model.tags.items()}),
            "views": (sorted(view.id for view in ds.get_views()), sorted(model.views)),
        }
        for what, (found, right) in checks.items():
            if found != right:
                return f"{what}: {found}, expected {right}"
        return None

    def compare_all(self):
        """Open everything anew and compare it too; return what is wrong."""
        for name, state in self.model.branches.items():
            ds = penstock.load(self.path, version=name)
            if samples_of(ds) != state.samples() or ds.labels.info.class_names != state.names():
                return f"branch {name}: {samples_of(ds)}, expected {state.samples()}"
        for commit, state in self.model.commits.items():
            if samples_of(penstock.load(self.path, version=commit)) != state.samples():
                return f"commit {commit} differs"
        for name, (_, state) in self.model.tags.items():
            if samples_of(penstock.load(self.path, version=name)) != state.samples():
                return f"tag {name} differs"
        for name, right in self.model.views.items():
            if samples_of(self.twin.ds.load_view(name)) != right:
                return f"view {name}: {samples_of(self.twin.ds.load_view(name))}, expected {right}"
        report = self.twin.ds.verify()
        return None if report.ok else f"verify: {report}"

    # ---- steps ---------------------------------------------------------------------------

    def extend(self, turn):
        names = [*self.model.now.names(), f"new {turn % 3}"]
        self.twin.extend(self.rng, int(self.rng.integers(1, 4)), names)

    def assign(self, turn):
        if self.model.now.order and self.model.now.names():
            self.twin.assign(self.rng)

    def assign_in_with(self, turn):
        with self.twin.ds:
            for _ in range(3):
                self.assign(turn)

    def pop(self, turn):
        if self.model.now.order:
            self.twin.pop(self.rng)

    def commit(self, turn):
        if self.model.has_changes:
            self.twin.commit(f"commit {turn}")

    def commit_some(self, turn):
        state = self.model.now
        rows = [row for row in range(len(state.order)) if self.rng.random() < 0.5]
        edited = {key for key, _ in state.edits}
        if self.model.dirty[self.model.at] or any(state.order[row] in edited for row in rows):
            self.twin.commit_some(f"commit {turn}", rows)

    def branch(self, turn):
        if not self.model.has_changes:
            self.twin.checkout(f"branch {turn}", create=True)

    def checkout(self, turn):
        self.twin.checkout(str(self.rng.choice(list(self.model.branches))))

    def add_class(self, turn):
        self.twin.add_class(f"{self.model.at} added {turn}")

    def rename_class(self, turn):
        names = self.model.now.names()
        self.twin.rename_class(str(self.rng.choice(names)), f"{self.model.at} renamed {turn}")

    def merge_classes(self, turn):
        names = self.model.now.names()
        if len(names) > 2:
            chosen = [str(name) for name in self.rng.choice(names, 2, replace=False)]
            self.twin.merge_classes(chosen, chosen[1])

    def reset(self, turn):
        self.twin.done.append(("reset",))
        self.twin.ds.reset()
        self.model.reset()

    def discard_edits(self, turn):
        self.twin.done.append(("discard_edits",))
        self.twin.ds.discard_edits()
        self.model.discard_edits()

    def tag(self, turn):
        commit = str(self.rng.choice(list(self.model.commits)))
        self.twin.done.append(("tag", f"tag {turn}", commit))
        self.twin.ds.tag(f"tag {turn}", commit)
        self.model.tags[f"tag {turn}"] = (commit, self.model.commits[commit])

    def save_view(self, turn):
        if not self.model.has_changes:
            self.twin.done.append(("save_view", f"view-{turn}"))
            self.twin.ds.query("select * where age >= 50").save_view(id=f"view-{turn}")
            self.model.views[f"view-{turn}"] = [row for row in self.model.now.samples() if row["age"] >= 50]

    def reopen(self, turn):
        self.twin.done.append(("reopen",))
        self.twin.ds = penstock.load(self.path, version=self.model.at)

    def merge(self, turn):
        """Merge a new branch, made here and now, which changed what this one does not."""
        if self.model.has_changes or not self.model.now.order:
            return
        model, twin, home = self.model, self.twin, self.model.at
        base = model.now.copy()
        twin.checkout(f"side {turn}", create=True)
        twin.extend(self.rng, 1, model.now.names())
        self.assign(turn)
        twin.add_class(f"side class {turn}")
        twin.commit(f"side commit {turn}")
        theirs = model.now.copy()
        twin.checkout(home)
        twin.extend(self.rng, 1, [f"home class {turn}"])
        twin.commit(f"home commit {turn}")
        right = three_way(base, model.now, renamed(theirs, identified(base, model.now, theirs)), None)
        twin.done.append(("merge", f"side {turn}"))
        conflicts = twin.ds.merge(f"side {turn}")
        assert conflicts == [], f"conflicts {conflicts}"
        model.branches[home] = right.state
        model.commit(twin.ds.log()[0].id, f"merge side {turn}")


_STEPS = {
    name: getattr(Sequence, name)
    for name in (
        *("extend", "assign", "assign_in_with", "pop", "commit", "branch", "checkout", "add_class", "rename_class"),
        *("merge_classes", "reset", "discard_edits", "tag", "save_view", "reopen", "merge", "assign", "commit"),
        *("assign", "assign", "commit_some", "commit_some"),
    )
}


def wrong_in_sequence(path, number, steps=STEPS):
    """Run a sequence and compare everything; return what went wrong, None if nothing."""
    done = []
    try:
        sequence = Sequence(path, number)
        done = sequence.twin.done
        return sequence.run(steps) or sequence.compare_all()
    except Exception as error:  # noqa: BLE001  what cannot be read is wrong
        return f"{type(error).__name__}: {error} after {done[-6:]}"
