"""Damaged files of a dataset: what is read is right, or an error, or verify finds it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import lance.dataset
import numpy as np
import pandas as pd
import pyarrow.ipc
import tqdm.auto

import penstock
from penstock.errors import PenstockError
from tests.faults.forks import forked
from tests.faults.serving import plain_environment, serve, shared_out
from tests.faults.state import capture, differences

_WARM = (lance.dataset, pd, pyarrow.ipc, tqdm.auto)
HOW = ("flip", "zero", "cut", "swap")
BLOCK = 512
DATA_SHARE = 4  # files of values are damaged so many times more often than others
OUTCOMES = ("same", "error", "found", "silent", "raw error", "crash")


@dataclass(frozen=True)
class Damage:
    """One damage: a file of a dataset, how, where as a share of its bytes that are not zero."""

    dataset: str
    file: str
    how: str
    at: float

    def done(self, content):
        told = np.flatnonzero(np.frombuffer(content, np.uint8))
        place = int(told[int(self.at * len(told))])
        made = bytearray(content)
        if self.how == "flip":
            made[place] ^= 1 << (place % 8)
        elif self.how == "zero":
            start = place // BLOCK * BLOCK
            made[start : start + BLOCK] = bytes(len(made[start : start + BLOCK]))
        elif self.how == "cut":
            del made[place:]
        else:
            start = place // BLOCK // 2 * 2 * BLOCK
            one, two = made[start : start + BLOCK], made[start + BLOCK : start + 2 * BLOCK]
            made[start : start + 2 * BLOCK] = two + one
        return bytes(made)


def make(path, count=16):
    """Make a dataset of every kind of tensor, with two commits, a branch, a tag, views, a copy and a draft."""
    rng = np.random.default_rng(5)
    ds = penstock.empty(path)
    with ds:
        ds.create_tensor("labels", htype="class_label", class_names=["cat", "dog", "bus"])
        ds.create_tensor("boxes", htype="bbox")
        ds.create_tensor("note", htype="text")
        ds.create_tensor("told", htype="json")
        ds.create_tensor("age", dtype="int64")
        ds.create_tensor("curve", dtype="float64")
        ds.create_tensor("vector", htype="embedding")
        ds.create_tensor("mask", htype="binary_mask")
        ds.create_tensor("parts", htype="segment_mask")
        ds.create_tensor("images", htype="image", sample_compression="png")
        ds.create_tensor("photos", htype="image", sample_compression="jpeg")
    ds.extend(_samples(rng, count))
    ds.commit("first")
    ds.tag("v1")
    ds.pop(3)
    ds.age[4] = 4_000
    ds.labels[5] = ["bus", "dog"]
    ds.extend(_samples(rng, 6))
    ds.commit("second")
    ds.query("select * where age > 500").save_view("older", id="plain")
    ds.query("select * where age < 500").save_view("younger", id="copied")
    ds.load_view("copied", optimize=True)
    ds.checkout("side", create=True)
    ds.note[2] = "on the side"
    ds.commit("third")
    ds.checkout("main")
    ds.note[1] = "a draft"
    ds.vector[2] = rng.random(8)
    ds.boxes[3] = [[1, 2, 3, 4]]
    ds.flush()


def _samples(rng, count):
    def picture():
        return rng.integers(0, 256, (2, 3, 3), np.uint8)

    numbers = range(count)
    return {
        "labels": [[int(label) for label in rng.integers(0, 3, 1 + number % 3)] for number in numbers],
        "boxes": [rng.integers(1, 99, (1 + number % 3, 4)).astype(float) for number in numbers],
        "note": [f"note {rng.integers(10**9)} of many" for _ in numbers],
        "told": [{"a": int(rng.integers(10**6)), "b": [1, 2, {"c": "d"}]} for _ in numbers],
        "age": [int(rng.integers(1_000)) for _ in numbers],
        "curve": [rng.random(5) for _ in numbers],
        "vector": [rng.random(8).astype(np.float32) for _ in numbers],
        "mask": [rng.integers(0, 2, (3, 2), np.uint8).astype(bool) for _ in numbers],
        "parts": [rng.integers(0, 9, (3, 2), np.uint8) for _ in numbers],
        "images": [picture() for _ in numbers],
        "photos": [picture() for _ in numbers],
    }


def make_plain(path, count=200):
    """Make a dataset of many small values, whose files hold little else, and a copy of some of it."""
    rng = np.random.default_rng(6)
    ds = penstock.empty(path)
    with ds:
        ds.create_tensor("labels", htype="class_label")
        ds.create_tensor("boxes", htype="bbox")
        ds.create_tensor("note", htype="text")
        ds.create_tensor("age", dtype="int64")
        ds.create_tensor("vector", htype="embedding")
    samples = {**_samples(rng, count), "labels": [[f"class {number % 7}"] for number in range(count)]}
    ds.extend({name: samples[name] for name in ("labels", "boxes", "note", "age", "vector")})
    ds.commit("first")
    ds.query("select * where age < 500").save_view("younger", id="copied")
    ds.load_view("copied", optimize=True)


MAKERS = {"every kind": make, "plain values": make_plain}


def kind_of(file):
    """Return what a file of a dataset is, by its folder."""
    path = Path(file)
    home = "copy/" if ".penstock" in file else "branch/" if "/tree/" in file else ""
    return home + (path.parent.name if len(path.parts) > 1 else path.name)


def judge(path, right):
    """Return (outcome, what) for a dataset one of whose files is damaged."""
    try:
        found = capture(path)
    except PenstockError as error:
        return "error", str(error)
    except BaseException as error:  # noqa: BLE001  a panic of the engine is one
        return "raw error", f"{type(error).__name__}: {error}"
    if repr(found) == repr(right):
        return "same", None
    wrong = "; ".join(differences(right, found)) if isinstance(found, dict) else str(found)
    try:
        return ("silent" if _all_verify(path) else "found"), wrong
    except PenstockError as error:
        return "found", f"{wrong}; verify: {error}"


def _all_verify(path):
    """Tell whether verify is content with every branch and every commit; that of the dataset covers its copies."""
    ds = penstock.load(path)
    names = [*ds.branches, *(commit.id for name in ds.branches for commit in penstock.load(path, version=name).log())]
    return ds.verify().ok and all(penstock.load(path, version=name).verify().ok for name in dict.fromkeys(names))


class Place:
    """Datasets that are damaged, looked at and repaired again and again."""

    def __init__(self, home):
        self.home = Path(home)
        self.right = {}
        for name, maker in MAKERS.items():
            outcome, told = forked(_make, maker, str(self._path(name)))
            if outcome != "done":
                raise RuntimeError(f"{outcome}: {told}")
            shutil.copytree(self._path(name), self._kept(name))
            self.right[name] = forked(capture, str(self._path(name)))[1]

    def _path(self, name):
        return self.home / "datasets" / name

    def _kept(self, name):
        return self.home / "kept" / name

    def files(self, name):
        """Return the files of a dataset that hold anything, as paths below it."""
        kept = self._kept(name)
        return sorted(str(file.relative_to(kept)) for file in kept.rglob("*") if file.is_file() and file.stat().st_size)

    def damages(self, per_kind, seed):
        """Return damages spread over every kind of file and every way, as many of each kind of file."""
        rng = np.random.default_rng(seed)
        found = []
        for name in MAKERS:
            kinds = {}
            for file in self.files(name):
                if name == "every kind" or file.endswith(".lance"):
                    kinds.setdefault(kind_of(file), []).append(file)
            for files in kinds.values():
                share = DATA_SHARE if files[0].endswith(".lance") else 1
                found += [
                    Damage(name, str(rng.choice(files)), HOW[number % len(HOW)], float(rng.random()))
                    for number in range(per_kind * share)
                ]
        return found

    def try_one(self, damage):
        """Return (outcome, what) of one damage."""
        path, kept = self._path(damage.dataset), self._kept(damage.dataset)
        content = (kept / damage.file).read_bytes()
        damaged = damage.done(content)
        if damaged == content:
            return "same", None
        (path / damage.file).write_bytes(damaged)
        outcome, told = forked(judge, str(path), self.right[damage.dataset], limit=60)
        shutil.rmtree(path)
        shutil.copytree(kept, path)
        return told if outcome == "done" else ("crash", f"{outcome}: {told}")


def _make(maker, path):
    maker(path)


def try_damages(per_kind, *, seed=0, num_workers=2, part=(0, 1)):
    """Return (kind of file, how, outcome, what) of damages of every kind of file, or of those from `part` on in steps."""
    first, step = part
    parts = shared_out(
        "tests.faults.damage",
        range(num_workers),
        lambda worker, number: worker.ask(first + step * number, step * num_workers, per_kind, seed),
        num_workers=num_workers,
        environment=plain_environment(),
    )
    return [found for part in parts for found in part]


def main():
    place = Place(sys.argv[1])

    def answering(number, workers, per_kind, seed):
        mine = place.damages(per_kind, seed)[number::workers]
        return [(kind_of(damage.file), damage.how, *place.try_one(damage)) for damage in mine]

    serve(answering)


if __name__ == "__main__":
    main()
