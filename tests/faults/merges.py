"""Random three-way merges, compared cell by cell with a model that knows samples and classes by identity."""

from __future__ import annotations

import numpy as np

import penstock
from penstock.dataset.samples import content_of
from tests.faults.threeway import identified, renamed, three_way
from tests.faults.twin import CLASSES, Twin, samples_of

NUM_MERGES = 450
RESOLUTIONS = (None, "ours", "theirs")


class Trial:
    """One history with two branches, drawn from its number, and its merges."""

    def __init__(self, path, number):
        self.path = path
        self.rng = np.random.default_rng([450, number])
        self.twin = Twin(path)
        self.model = self.twin.model
        self.twin.extend(self.rng, int(self.rng.integers(4, 9)), CLASSES)
        self.twin.commit("start")
        self.base = self.model.now.copy()
        self.uids = {}

    def run(self):
        """Return what went wrong in one merge, and in half of the trials in another one after it."""
        self._work("side", create=True)
        self.twin.checkout("main")
        self._work("main")
        wrong = self._merged("main", "side")
        if wrong or self.rng.random() < 0.5:
            return wrong
        self._work("side")
        self.twin.checkout("main")
        self._work("main")
        into, other = ("main", "side") if self.rng.random() < 0.5 else ("side", "main")
        wrong = self._merged(into, other)
        return wrong and f"in a second merge: {wrong}"

    # ---- what both sides do --------------------------------------------------------------

    def _work(self, branch, *, create=False):
        self.twin.checkout(branch, create=create)
        for _ in range(int(self.rng.integers(1, 7))):
            self._step(branch)
        if self.model.has_changes:
            self.twin.commit(f"work on {branch} {len(self.model.commits)}")
        self._note_uids()

    def _step(self, branch):
        rng, twin, names = self.rng, self.twin, self.model.now.names()
        what = rng.choice(["assign", "assign", "assign", "extend", "pop", "add", "rename", "merge"])
        if what == "extend":
            twin.extend(rng, int(rng.integers(1, 3)), [*names, "shared 1", f"{branch} only"])
        elif what == "assign" and self.model.now.order:
            twin.assign(rng)
        elif what == "pop" and len(self.model.now.order) > 2:
            twin.pop(rng)
        elif what == "add":
            self._add(rng.choice(["shared 1", "shared 2", f"{branch} adds {len(twin.done)}"]))
        elif what == "rename":
            old = str(rng.choice(names))
            self._rename(old, f"{old}!" if rng.random() < 0.3 else f"{branch} {len(twin.done)}")
        elif what == "merge" and len(names) > 3:
            gone, into = (str(name) for name in rng.choice(names, 2, replace=False))
            twin.merge_classes([gone], into)

    def _add(self, name):
        if name not in self.model.now.names():
            self.twin.add_class(str(name))

    def _rename(self, old, new):
        if new not in self.model.now.names():
            self.twin.rename_class(old, new)

    def _note_uids(self):
        table = content_of(self.twin.ds).table
        uids = table.uids(np.arange(table.num_rows)).tolist()
        self.uids.update(zip(uids, [sample["key"] for sample in samples_of(self.twin.ds)], strict=True))

    # ---- the merge -----------------------------------------------------------------------

    def _merged(self, into, other):
        """Merge `other` into `into` in both; return what differs."""
        model, twin = self.model, self.twin
        twin.checkout(into)
        ours, theirs = model.branches[into], model.branches[other]
        same = identified(self.base, ours, theirs)
        if same:
            model.branches[other] = theirs = renamed(theirs, same)
        resolution = RESOLUTIONS[int(self.rng.integers(3))]
        right = three_way(self.base, ours, theirs, resolution)
        before = (samples_of(twin.ds), twin.ds.labels.info.class_names, [entry.id for entry in twin.ds.log()])
        twin.done.append(("merge", into, other, resolution))
        told = twin.ds.merge(other, prefer=resolution)
        wrong = self._told_wrongly(told, right)
        if wrong:
            return wrong
        if told and resolution is None:
            if before != (samples_of(twin.ds), twin.ds.labels.info.class_names, [entry.id for entry in twin.ds.log()]):
                return "conflicts were told, and something was merged"
            resolution = RESOLUTIONS[int(self.rng.integers(1, 3))]
            right = three_way(self.base, ours, theirs, resolution)
            twin.ds.merge(other, prefer=resolution)
        wrong = self._differs(right, ours, theirs, told)
        self.base = theirs.copy()
        model.branches[into] = right.state
        model.commit(twin.ds.log()[0].id, "merge")
        return wrong

    def _told_wrongly(self, told, right):
        cells = {(self.uids.get(conflict.uid, conflict.uid), conflict.tensor) for conflict in told}
        names = {cell for cell in cells if cell[0] is None}
        if cells - names != right.cells:
            return f"conflicts {cells - names} were told, expected {right.cells}"
        if right.classes and not names:
            return f"classes {right.classes} were renamed or merged both ways, and no conflict was told"
        if names and not right.classes and not right.open_questions:
            return f"conflicts of classes were told, {told}; there are none"
        return None

    def _differs(self, right, ours, theirs, told):
        found = samples_of(self.twin.ds)
        expected = {sample["key"]: sample for sample in right.state.samples()}
        keys = [sample["key"] for sample in found]
        if sorted(keys) != sorted(expected):
            return f"samples {keys}, expected {list(expected)} (told {told})"
        placed = [key for key in keys if key not in right.revived]
        if placed != [key for key in expected if key not in right.revived]:
            return f"samples in the order {placed}, expected {list(expected)}"
        alike = [right.state.names()]
        if right.open_questions or right.classes:
            alike = [three_way(self.base, ours, theirs, side).state.names() for side in ("ours", "theirs")]
        names = self.twin.ds.labels.info.class_names
        if not any(sorted(names) == sorted(one) for one in alike):
            return f"classes {names}, expected {alike[0]}"
        if right.open_questions:
            return None
        wrong = [(sample, expected[sample["key"]]) for sample in found if sample != expected[sample["key"]]]
        if wrong:
            return f"sample {wrong[0][0]}, expected {wrong[0][1]} (told {told})"
        return self._done_whole()

    def _done_whole(self):
        ds = self.twin.ds
        if ds.has_changes:
            return "changes that are not committed after a merge"
        fresh = penstock.load(self.path, version=ds.branch)
        if samples_of(fresh) != samples_of(ds):
            return "opened again it holds other samples"
        report = fresh.verify()
        return None if report.ok else f"verify: {report}"


def wrong_in_merge(path, number):
    """Run a trial; return what went wrong, None if nothing."""
    done = []
    try:
        trial = Trial(path, number)
        done = trial.twin.done
        wrong = trial.run()
    except Exception as error:  # noqa: BLE001  a merge must give conflicts or a result
        wrong = f"{type(error).__name__}: {error}"
    return wrong and f"{wrong} after {done[2:]}"
