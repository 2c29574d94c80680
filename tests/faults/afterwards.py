"""After a fault, work goes on: edit, append, commit, verify; and nothing is left lying about."""

from __future__ import annotations

import numpy as np

import penstock
from tests.faults.state import ABSENT, capture, differences, values

_MESSAGE = "life goes on"


def _sample(tensor):
    if tensor.htype == "image":
        return np.full((2, 2, 3), 77, np.uint8)
    made = {"class_label": ["afterwards"], "bbox": [[7, 7, 7, 7]], "text": "afterwards", "json": {"a": 7}}
    return made.get(tensor.htype, 77)


def life_goes_on(path, state, known, operation, after):
    """Work on what a fault left; return what does not work, None if all does."""
    if state == ABSENT:
        operation.call(operation.open(path), path)
        state = capture(path, known)
        if state != after:
            return "done again after the fault: " + "; ".join(differences(after, state))
    ds = penstock.load(path)
    if not ds.tensors:
        ds.create_tensor("age")
    edited = "age" if "age" in ds.tensors else None
    ds.append({name: _sample(tensor) for name, tensor in ds.tensors.items()})
    if edited and len(ds) > 1:
        ds[edited][1] = 99
    expected = values(ds)
    ds.commit(_MESSAGE)
    return _kept(path, state, known, expected)


def _kept(path, state, known, expected):
    ds = penstock.load(path)
    if values(ds) != expected:
        return "what was committed afterwards is not there: " + "; ".join(differences(expected, values(ds)))
    report = ds.verify()
    if not report.ok:
        return f"verify afterwards: {report}"
    now = capture(path, known)
    log = now["branches"]["main"]["log"]
    if log[0][1] != _MESSAGE or log[1:] != state["branches"]["main"]["log"]:
        return "the log afterwards: " + "; ".join(differences(state["branches"]["main"]["log"], log[1:]))
    for kind in ("tags", "views"):
        if now[kind] != state[kind]:
            return f"{kind} afterwards: " + "; ".join(differences(state[kind], now[kind]))
    return None


def leftovers(case):
    """Name what lies beside the dataset, or half-written in it."""
    found = [entry.name for entry in case.iterdir() if entry.name != "ds"]
    found += [str(entry.relative_to(case)) for entry in case.rglob("*.part") if entry.parent != case]
    return f"left lying about: {', '.join(found)}" if found else None
