"""One place in which points are tried, one after the other: a warm process that forks for each."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import lance.dataset
import pandas as pd
import pyarrow.ipc
import tqdm.auto

import penstock.importers
from penstock.errors import PenstockError
from tests.faults import preload
from tests.faults.afterwards import judged_by_a_newcomer, leftovers
from tests.faults.forks import forked
from tests.faults.operations import BY_NAME
from tests.faults.power import lose_power
from tests.faults.serving import serve
from tests.faults.state import ABSENT, capture, values
from tests.faults.template import TEMPLATES, make_source

_WARM = (lance.dataset, pd, pyarrow.ipc, tqdm.auto, penstock.importers)
MODES = {"kill": preload.KILL, "full": preload.FULL, "broken": preload.BROKEN}


class Place:
    """A folder with the templates, made at the very path where their copies are tried: branches hold it."""

    def __init__(self, home):
        self.home = Path(home)
        self.case = self.home / "case"
        self.path = str(self.case / "ds")
        self.switch = preload.Switch()
        self._known = {}
        self._expected = {}
        self._untouched = {}
        make_source(self.home / "source")

    # ---- templates and what is expected -------------------------------------------------

    def _template(self, name):
        kept = self.home / f"template-{name}"
        if not kept.exists():
            self._restore(None)
            _must(forked(_make, name, self.path))
            shutil.copytree(self.case, kept)
            self._known[name] = _must(forked(_commit_ids, self.path))
        return kept

    def _restore(self, template):
        kept = None if template is None else self._template(template)
        shutil.rmtree(self.case, ignore_errors=True)
        if kept is None:
            self.case.mkdir()
        else:
            shutil.copytree(kept, self.case)

    def known(self, operation):
        return self._known.get(operation.template, ())

    def expected(self, operation):
        """Return the states that are right: before, between the steps a user sees, after; and how many points."""
        if operation.name not in self._expected:
            states = [self._state_after(operation, step) for step in (_nothing, *operation.between)]
            states += [ABSENT] * operation.deletes
            self._restore(operation.template)
            said = _must(forked(self._run, operation, preload.KILL))
            if said["error"]:
                raise RuntimeError(f"it fails without any fault: {said['error']}")
            changes, syncs = said["count"]
            counts = {"kill": changes, "full": changes + syncs, "broken": changes + syncs}
            states.append(_must(forked(capture, self.path, self.known(operation))))
            self._expected[operation.name] = states, counts
        return self._expected[operation.name]

    def _state_after(self, operation, step):
        plain = operation.name not in BY_NAME or "prepare" not in _given(operation)
        if plain and step is _nothing and operation.template in self._untouched:
            return self._untouched[operation.template]
        self._restore(operation.template)
        if operation.template is not None:
            _must(forked(_prepared, operation, step, self.path))
        state = _must(forked(capture, self.path, self.known(operation)))
        if plain and step is _nothing:
            self._untouched[operation.template] = state
        return state

    # ---- one point ----------------------------------------------------------------------

    def _run(self, operation, mode, at=preload.NEVER, journal=None):
        """Do the call in this process, armed; what it says when it comes back."""
        ds = operation.open(self.path)
        told = -1 if journal is None else os.open(journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.switch.arm(self.case, mode, at, told)
        error = None
        try:
            operation.call(ds, self.path)
        except BaseException as raised:  # noqa: BLE001  a panic of the engine is one
            error = raised
        count = self.switch.disarm()
        said = {"count": count, "error": None, "raw": None, "session": None}
        if error is not None:
            said["error"] = f"{type(error).__name__}: {error}"
            said["raw"] = None if isinstance(error, PenstockError) else said["error"]
            said["session"] = None if ds is None else _session(ds)
        return said

    def point(self, operation, mode, at):
        """Try one point; return (verdict, what is wrong)."""
        allowed, _ = self.expected(operation)
        self._restore(operation.template)
        outcome, said = forked(self._run, operation, MODES[mode], at)
        if outcome in {"hung", "raised"}:
            return "else", f"{outcome} {said or ''}"
        verdict, wrong = self._judge(operation, allowed, None if outcome == "killed" else said)
        return verdict, wrong

    def _judge(self, operation, allowed, said):
        arguments = (self.path, self.known(operation), operation, allowed, said)
        outcome, judged = forked(judged_by_a_newcomer, *arguments)
        if outcome != "done":
            return "else", f"{outcome} when it was opened: {judged or ''}"
        verdict, wrong = judged
        if verdict == "else":
            return verdict, wrong
        raw = f"raw error: {said['raw']}" if said and said["raw"] else None
        return verdict, leftovers(self.case) or raw

    # ---- power loss ---------------------------------------------------------------------

    def power(self, operation, kind, at):
        """Lose power after the call (at is None), or at its n-th change."""
        allowed, _ = self.expected(operation)
        self._restore(operation.template)
        opened = self.home / "opened"
        journal = self.home / "journal"
        for old in (opened, self.home / "cut"):
            shutil.rmtree(old, ignore_errors=True)
        journal.unlink(missing_ok=True)
        if operation.template is None:
            shutil.copytree(self.case, opened)
            outcome, said = forked(self._run, operation, preload.KILL, at or preload.NEVER, journal)
        else:
            outcome, said = forked(self._run_kept, operation, at or preload.NEVER, journal, opened)
        if outcome in {"hung", "raised"}:
            return "else", f"{outcome} {said or ''}"
        cut = self.home / "cut"
        cut.mkdir()
        lose_power(opened, self.case, journal.read_text(), kind, cut)
        for kept in self.home.glob("case.gone.*"):
            kept.unlink()
        shutil.rmtree(self.case)
        cut.rename(self.case)
        done = outcome == "done"
        verdict, wrong = self._judge(operation, allowed, None)
        if verdict == "before" and done and operation.durable and allowed[0] != allowed[-1]:
            return "else", "the call returned, and is undone"
        return verdict, wrong

    def _run_kept(self, operation, at, journal, opened):
        """Do the call; what was there when it began is taken to be on the disk."""
        ds = operation.open(self.path)
        shutil.copytree(self.case, opened)
        self.switch.arm(self.case, preload.KILL, at, os.open(journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND))
        operation.call(ds, self.path)
        self._open = ds  # power fails while it is: what ends with the session would go unseen after this
        return {"count": self.switch.disarm(), "error": None, "raw": None, "session": None}


def _make(name, path):
    """Make a template; a dataset that traveled back would open itself here, and this process may open none."""
    TEMPLATES[name](path)


def _nothing(ds, path):
    pass


def _prepared(operation, step, path):
    step(operation.open(path), path)


def _given(operation):
    default = type(operation).__dataclass_fields__["prepare"].default
    return {"prepare"} if operation.prepare is not default else set()


def _commit_ids(path):
    ds = penstock.load(path)
    found = {commit.id for name in ds.branches for commit in penstock.load(path, version=name).log()}
    return frozenset(found)


def _session(ds):
    """Go on as a session does: what was not written is written now that it can be."""
    try:
        ds.flush()
        return values(ds)
    except BaseException as error:  # noqa: BLE001  a panic of the engine is one
        return f"{type(error).__name__}: {error}"


def _must(outcome):
    if outcome[0] != "done":
        raise RuntimeError(f"{outcome[0]}: {outcome[1]}")
    return outcome[1]


def main():
    place = Place(sys.argv[1])

    def answering(what, name, *rest):
        answer = getattr(place, what)(BY_NAME[name], *rest)
        return answer[1] if what == "expected" else answer

    serve(answering)


if __name__ == "__main__":
    main()
