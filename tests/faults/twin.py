"""A dataset and its model, changed together and compared."""

from __future__ import annotations

import penstock
from tests.faults.model import Model

CLASSES = ["cat", "kitten", "dog", "bus", "car"]


def samples_of(ds):
    """Return what the readers show of a dataset of the model's tensors, a dict a sample."""
    columns = {
        "key": [array.tolist() for array in ds.key.numpy(aslist=True)],
        "age": [array.tolist() for array in ds.age.numpy(aslist=True)],
        "note": list(ds.note.data()["value"]),
        "labels": [list(names) for names in ds.labels.data()["text"]],
    }
    plain = {name: [_plain(value) for value in values] for name, values in columns.items()}
    return [dict(zip(plain, cells, strict=True)) for cells in zip(*plain.values(), strict=True)]


def _plain(value):
    return value if isinstance(value, (str, list)) else int(value)


class Twin:
    """A dataset and its model."""

    def __init__(self, path):
        self.ds = penstock.empty(path)
        with self.ds:
            self.ds.create_tensor("key", dtype="int64")
            self.ds.create_tensor("age", dtype="int64")
            self.ds.create_tensor("note", htype="text")
            self.ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
        self.model = Model(CLASSES)
        self.done = []

    def extend(self, rng, count, names):
        made = []
        for _ in range(count):
            key = self.model.fresh_key()
            labels = [str(name) for name in rng.choice(names, rng.integers(0, 3))]
            made.append({"key": key, "age": int(rng.integers(100)), "note": f"note {key}", "labels": labels})
        self.done.append(("extend", made))
        self.ds.extend({name: [sample[name] for sample in made] for name in ("key", "age", "note", "labels")})
        self.model.extend(made)

    def assign(self, rng):
        index = int(rng.integers(len(self.model.now.order)))
        tensor = str(rng.choice(["age", "note", "labels"]))
        value = self._another(rng, index, tensor)
        self.done.append(("assign", index, tensor, value))
        self.ds[tensor][index] = value
        self.model.assign(self.model.now.order[index], tensor, value)

    def _another(self, rng, index, tensor):
        """Return a value the sample does not have, neither stored nor in the draft."""
        model = self.model.now
        key = model.order[index]
        held = [model.cell(key, tensor), model.stored[key][tensor]]
        while True:
            value = {
                "age": int(rng.integers(100, 200)),
                "note": f"edited {rng.integers(50)}",
                "labels": [str(name) for name in rng.choice(model.names(), rng.integers(0, 3))],
            }[tensor]
            if ([model.class_of(name) for name in value] if tensor == "labels" else value) not in held:
                return value

    def pop(self, rng):
        index = int(rng.integers(len(self.model.now.order)))
        self.done.append(("pop", index))
        self.ds.pop(index)
        self.model.pop(index)

    def add_class(self, name):
        self.done.append(("add_class", name))
        self.ds.labels.add_class(name)
        self.model.add_class(name)

    def rename_class(self, old, new):
        self.done.append(("rename_class", old, new))
        self.ds.labels.rename_class(old, new)
        self.model.rename_class(old, new)

    def merge_classes(self, names, into):
        self.done.append(("merge_classes", names, into))
        self.ds.labels.merge_classes(names, into)
        self.model.merge_classes(names, into)

    def commit(self, message):
        self.done.append(("commit", message))
        commit = self.ds.commit(message)
        self.model.commit(commit, message)
        return commit

    def commit_some(self, message, rows):
        self.done.append(("commit_some", message, rows))
        commit = self.ds.commit(message, rows=rows)
        self.model.commit(commit, message, {self.model.now.order[row] for row in rows})

    def checkout(self, name, *, create=False):
        self.done.append(("checkout", name, create))
        self.ds.checkout(name, create=create)
        if create:
            self.model.branch(name)
        self.model.at = name
