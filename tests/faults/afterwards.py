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


def judged_by_a_newcomer(path, known, operation, allowed, said):
    """Open what a fault left and go on with it; return the verdict, and what is wrong.

    `said` is what the call said when it came back, None when it was killed.
    """
    state = capture(path, known)
    if state not in allowed:
        return "else", "; ".join(min((differences(right, state) for right in allowed), key=len))
    verdict = "after" if state == allowed[-1] else "before"
    if said and said["error"] is None and verdict != "after":
        return "else", "the call returned, and is not done"
    replaced = operation.deletes and verdict == "after"  # what the session had open is no more
    wrong = said and said["session"] and not replaced and _session_wrong(said["session"], allowed)
    try:
        wrong = wrong or life_goes_on(path, state, known, operation, allowed[-1])
    except Exception as error:  # noqa: BLE001  whatever it is, it is in the way
        wrong = f"afterwards {type(error).__name__}: {error}"
    return ("else", wrong) if wrong else (verdict, None)


def _session_wrong(session, allowed):
    if isinstance(session, str):
        return f"the session cannot be read any more: {session}"
    heads = [branch["head"] for state in allowed if state != ABSENT for branch in state["branches"].values()]
    found = [differences(head, session) for head in heads]
    return f"the session shows what is not there: {'; '.join(min(found, key=len))}" if all(found) else None


def life_goes_on(path, state, known, operation, after):
    """Work on what a fault left; return what does not work, None if all does."""
    if state == ABSENT:
        operation.call(None, path)
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
    log = [(commit.id if commit.id in known else None, commit.message) for commit in ds.log()]
    before = [(entry[0] if entry[0] in known else None, entry[1]) for entry in state["branches"]["main"]["log"]]
    if log != [(None, _MESSAGE), *before]:
        return f"the log afterwards: {log}, before {before}"
    if (set(ds.tags), {view.id for view in ds.get_views()}) != (set(state["tags"]), set(state["views"])):
        return f"tags and views afterwards: {ds.tags}, {ds.get_views()}"
    return None


def leftovers(case):
    """Name what lies beside the dataset, or half-written in it."""
    found = [entry.name for entry in case.iterdir() if entry.name != "ds"]
    found += [str(entry.relative_to(case)) for entry in case.rglob("*.part") if entry.parent != case]
    return f"left lying about: {', '.join(found)}" if found else None
