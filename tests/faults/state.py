"""Everything a dataset says of itself, as plain values that can be compared."""

from __future__ import annotations

import penstock
from penstock.errors import DatasetNotFoundError

ABSENT = "no dataset"


def values(ds):
    """Return every sample of every tensor."""
    return {name: _tensor(ds[name]) for name in ds.tensors}


def _tensor(tensor):
    told = {"htype": tensor.htype, "dtype": tensor.dtype, "names": tuple(tensor.info.class_names)}
    if tensor.htype in {"text", "json"}:
        return {**told, "samples": list(tensor.data()["value"])}
    samples = [(array.shape, array.tolist()) for array in tensor.numpy(aslist=True)]
    if tensor.htype == "class_label":
        samples = list(zip(samples, tensor.data()["text"], strict=True))
    return {**told, "samples": samples}


def capture(path, known=()):
    """Return what a newcomer finds at `path`; commits outside `known` are called by their messages."""
    try:
        ds = penstock.load(path)
    except DatasetNotFoundError:
        return ABSENT
    known = set(known)
    labels = {}

    def label(commit):
        return commit if commit in known or commit is None else f"new: {labels.get(commit, commit)}"

    found = {"branches": {}, "commits": {}, "tags": {}, "views": {}}
    for name in ds.branches:
        branch = penstock.load(path, version=name)
        log = list(branch.log())
        labels.update({commit.id: commit.message for commit in log})
        found["branches"][name] = {
            "log": [(label(entry.id), entry.message, label(entry.parent), entry.time.year > 2000) for entry in log],
            "head": values(branch),
            "edits": branch.num_edits,
            "changed": branch.has_changes,
        }
    for commit in labels:
        found["commits"][label(commit)] = values(penstock.load(path, version=commit))
    for name, commit in ds.tags.items():
        found["tags"][name] = (label(commit), values(penstock.load(path, version=name)))
    for view in ds.get_views():
        rows = ds.load_view(view.id)
        found["views"][view.id] = {
            "told": (view.num_samples, label(view.commit), view.message, view.query_string, view.optimized),
            "rows": values(rows),
        }
    return found


def differences(one, two, place="", most=4):
    """Name the places where two states differ, the first few."""
    if isinstance(one, dict) and isinstance(two, dict):
        found = []
        for key in [*one, *(key for key in two if key not in one)]:
            if len(found) >= most:
                break
            where = f"{place}/{key}" if place else str(key)
            if key not in one or key not in two:
                found.append(f"{where} {'missing' if key in one else 'too many'}")
            else:
                found += differences(one[key], two[key], where, most - len(found))
        return found
    if one == two:
        return []
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        at = next(index for index, pair in enumerate(zip(one, two, strict=True)) if pair[0] != pair[1])
        return [f"{place}[{at}]: {_short(one[at])} became {_short(two[at])}"]
    return [f"{place}: {_short(one)} became {_short(two)}"]


def _short(value):
    told = f"{len(value)} entries" if isinstance(value, (list, dict)) and len(value) > 6 else repr(value)
    return told if len(told) < 90 else f"{told[:87]}..."
