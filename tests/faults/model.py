"""What a dataset should hold, as plain Python: samples known by a key, classes by identity, never by place."""

from __future__ import annotations

import copy
import itertools
from dataclasses import dataclass, field

TENSORS = ("key", "age", "note", "labels")


@dataclass
class State:
    """One branch: its samples, edits over them, its classes, and where merged classes went."""

    order: list = field(default_factory=list)
    stored: dict = field(default_factory=dict)
    edits: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    merged: dict = field(default_factory=dict)

    def copy(self):
        return copy.deepcopy(self)

    def cell(self, key, tensor):
        return self.edits.get((key, tensor), self.stored[key][tensor])

    def samples(self):
        """Return what readers show: a dict a sample, labels by name."""
        return [
            {
                "key": key,
                "age": self.cell(key, "age"),
                "note": self.cell(key, "note"),
                "labels": [self.classes[label] for label in self.cell(key, "labels")],
            }
            for key in self.order
        ]

    def names(self):
        return list(self.classes.values())

    def class_of(self, name):
        return next(label for label, known in self.classes.items() if known == name)

    def committed(self, keys=None):
        """Return the same with edits, or those of some samples, written into the samples."""
        made = self.copy()
        for place, value in self.edits.items():
            key, tensor = place
            if keys is None or key in keys:
                made.stored[key][tensor] = value
                del made.edits[place]
        return made

    def without_edits(self):
        made = self.copy()
        made.edits = {}
        return made


class Model:
    """Branches, commits, tags and views of a dataset."""

    def __init__(self, names):
        self._keys = itertools.count()
        self._labels = itertools.count()
        start = State(classes={next(self._labels): name for name in names})
        self.branches = {"main": start}
        self.logs = {"main": []}
        self.commits = {}
        self.tags = {}
        self.views = {}
        self.at = "main"
        self.last = {"main": start.copy()}
        self.dirty = {"main": True}

    @property
    def now(self):
        return self.branches[self.at]

    def fresh_key(self):
        return next(self._keys)

    # ---- changes of the branch that is checked out ---------------------------------------

    def extend(self, samples):
        """Add samples; a label's name that is new becomes a class."""
        for sample in samples:
            labels = [self.label(name) for name in sample["labels"]]
            self.now.order.append(sample["key"])
            self.now.stored[sample["key"]] = {**sample, "labels": labels}
        self.dirty[self.at] = True

    def label(self, name):
        if name not in self.now.names():
            self.now.classes[next(self._labels)] = name
        return self.now.class_of(name)

    def assign(self, key, tensor, value):
        self.now.edits[key, tensor] = [self.now.class_of(name) for name in value] if tensor == "labels" else value

    def pop(self, index):
        key = self.now.order.pop(index)
        del self.now.stored[key]
        self.now.edits = {place: value for place, value in self.now.edits.items() if place[0] != key}
        self.dirty[self.at] = True

    def add_class(self, name):
        self.label(name)
        self.dirty[self.at] = True

    def rename_class(self, old, new):
        self.now.classes[self.now.class_of(old)] = new
        self.dirty[self.at] = True

    def merge_classes(self, names, into):
        state, kept = self.now, self.now.class_of(into)
        for name in names:
            if name != into:
                gone = state.class_of(name)
                del state.classes[gone]
                state.merged[gone] = kept
        for cells in (*state.stored.values(),):
            cells["labels"] = [resolved(state.merged, label) for label in cells["labels"]]
        for place, value in state.edits.items():
            if place[1] == "labels":
                state.edits[place] = [resolved(state.merged, label) for label in value]
        self.dirty[self.at] = True

    def discard_edits(self):
        self.now.edits = {}

    def reset(self):
        self.branches[self.at] = self.last[self.at].copy()
        self.dirty[self.at] = False

    # ---- versions ------------------------------------------------------------------------

    @property
    def has_changes(self):
        return self.dirty[self.at] or bool(self.now.edits)

    def commit(self, commit, message, keys=None):
        self.branches[self.at] = self.now.committed(keys)
        self.last[self.at] = self.now.without_edits()
        self.commits[commit] = self.now.without_edits()
        self.logs[self.at] = [(commit, message), *self.logs[self.at]]
        self.dirty[self.at] = False

    def branch(self, name):
        self.branches[name] = self.now.copy()
        self.last[name] = self.last[self.at].copy()
        self.logs[name] = list(self.logs[self.at])
        self.dirty[name] = False
        self.at = name


def resolved(merged, label):
    """Follow a class to the one it was merged into."""
    seen = set()
    while label in merged and label not in seen:
        seen.add(label)
        label = merged[label]
    return label
