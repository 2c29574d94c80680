"""Sessions that work at the same time, in threads and in processes: nothing acknowledged is lost, no error is spurious."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from contextlib import suppress

import penstock
from tests.faults.serving import ROOT, plain_environment

CLASSES = ["cat", "dog"]


def make(path, count=40):
    """Make a dataset with a commit, a tag and a view."""
    ds = penstock.empty(path)
    with ds:
        ds.create_tensor("age", dtype="int64")
        ds.create_tensor("labels", htype="class_label", class_names=CLASSES)
    ds.extend({"age": [0] * count, "labels": [["cat"], ["dog"]] * (count // 2)})
    ds.commit("start")
    ds.tag("v1")
    ds.query("select * limit 3").save_view(id="three")
    return ds


class Work:
    """What one session does over and over, and what it was told is done."""

    def __init__(self, ds, who, of):
        self.ds = ds
        self.who = who
        self.of = of
        self.appended, self.edited, self.committed = [], {}, []

    def append(self, turn):
        age = 1_000_000 * (self.who + 1) + turn
        self.ds.append({"age": age, "labels": [CLASSES[turn % 2]]})
        self.ds.flush()
        self.appended.append(age)

    def edit(self, turn):
        """Edit a sample that no other session edits, unless another process has edits: it says so then."""
        index = self.who + self.of * (turn % 8)
        age = 1_000 * (self.who + 1) + turn
        with suppress(penstock.errors.DraftHeldError):
            self.ds.age[index] = age
            self.edited[index] = age

    def commit(self, turn):
        if self.ds.has_changes:
            try:
                self.committed.append(self.ds.commit(f"{self.who}: {turn}"))
            except penstock.errors.DatasetError as error:
                if "nothing to commit" not in str(error):  # another session was faster
                    raise

    def read(self, turn):
        """Read what another session may be changing."""
        assert "v1" in self.ds.tags
        assert [view.id for view in self.ds.get_views()] == ["three"]
        assert len(self.ds.load_view("three")) == 3
        assert self.ds.branches == ["main"]
        assert self.ds.log()[-1].message == "start"
        assert len(self.ds.age.numpy()) >= 40

    def told(self):
        return {"appended": self.appended, "edited": self.edited, "committed": self.committed}


def _looped(steps, seconds, failed):
    end = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        turn += 1
        for step in steps:
            try:
                step(turn)
            except Exception as error:  # noqa: BLE001  no error is right here
                failed.append(f"{step.__name__}: {type(error).__name__}: {error}")
                return


def _in_threads(loops, seconds):
    failed = []
    threads = [threading.Thread(target=_looped, args=(steps, seconds, failed)) for steps in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def lost(path, works):
    """Name what was acknowledged and is not there; `works` are what the sessions were told."""
    ds = penstock.load(path)
    if ds.has_changes:
        ds.commit("what was left")
    ds = penstock.load(path)
    ages = ds.age.numpy().ravel().tolist()
    found = [f"an appended sample is lost: {age}" for told in works for age in told["appended"] if ages.count(age) != 1]
    for told in works:
        found += [
            f"sample {at} is {ages[int(at)]}, expected {age}"
            for at, age in told["edited"].items()
            if ages[int(at)] != age
        ]
    log = [commit.id for commit in ds.log()]
    found += [
        f"commit {commit} is not in the log" for told in works for commit in told["committed"] if commit not in log
    ]
    if len(ages) != 40 + sum(len(told["appended"]) for told in works):
        found.append(f"{len(ages)} samples")
    if not ds.verify().ok:
        found.append(f"verify: {ds.verify()}")
    return found


def one_session_in_threads(path, seconds=3):
    """Readers beside a writer on one dataset object; return what went wrong."""
    work = Work(make(path), 0, 1)
    wrong = _in_threads([[work.append, work.edit, work.commit], [work.read], [work.read]], seconds)
    return wrong or lost(path, [work.told()])


def sessions_in_threads(path, seconds=3, count=2):
    """Each thread has a session of its own; return what went wrong."""
    make(path)
    works = [Work(penstock.load(path), who, count) for who in range(count)]
    wrong = _in_threads([[work.append, work.edit, work.read, work.commit] for work in works], seconds)
    return wrong or lost(path, [work.told() for work in works])


def sessions_in_processes(path, seconds=4, count=2):
    """Each process has a session of its own; return what went wrong."""
    make(path)
    command = [sys.executable, "-W", "ignore", "-m", "tests.faults.races", str(path), str(seconds), str(count)]
    started = [
        subprocess.Popen([*command, str(who)], cwd=ROOT, env=plain_environment(), stdout=subprocess.PIPE, text=True)
        for who in range(count)
    ]
    answers = [
        json.loads(process.communicate(timeout=120)[0] or '{"failed": ["the process ended"]}') for process in started
    ]
    wrong = [error for answer in answers for error in answer["failed"]]
    return wrong or lost(path, [answer["told"] for answer in answers])


RACES = {
    "one session in threads": one_session_in_threads,
    "sessions in threads": sessions_in_threads,
    "sessions in processes": sessions_in_processes,
}


def main():
    path, seconds, count, who = sys.argv[1], *map(float, sys.argv[2:])
    work = Work(penstock.load(path), int(who), int(count))
    failed = []
    _looped([work.append, work.edit, work.read, work.commit], seconds, failed)
    print(json.dumps({"failed": failed, "told": work.told()}))


if __name__ == "__main__":
    main()
