"""Datasets that are built in a bucket are there whole, or not at all."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.errors import DatasetExistsError, DatasetNotFoundError, StorageError
from penstock.storage import Holder, Location
from penstock.storage.writing._publishing import published

pytestmark = pytest.mark.slow  # the server takes seconds to start

_IMPORT = """
import sys
import numpy as np, penstock
penstock.from_arrays({"labels": np.arange(5)}, sys.argv[1], progress=False)
"""
_REPLACE = "import sys, penstock; penstock.empty(sys.argv[1], overwrite=True)"
_HERE = Holder.here("", locked=False)
_OVER = replace(_HERE, pid=2**22 + 1).to_bytes()  # no process has this number
_ELSEWHERE = replace(_HERE, machine="another").to_bytes()


def _arrays(dest, count=5):
    return penstock.from_arrays({"labels": np.arange(count)}, dest, progress=False)


def _killed(bucket, script, path, held):
    """Start a script, and kill it when it has asked for what the server then holds back."""
    bucket.server.set_rules({"asked": held, "hold": True, "status": 503})
    bucket.server.asked()
    process = subprocess.Popen(
        [sys.executable, "-c", script, path], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL
    )
    try:
        while not bucket.server.held():
            assert process.poll() is None, "it ended before it asked for that"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait(10)
        bucket.server.set_rules()


def test_a_killed_import_is_not_there_and_its_rest_goes(bucket):
    path = f"{bucket.url}/set"
    _killed(bucket, _IMPORT, path, r"PUT \S*/set/samples.lance/_versions")
    assert any(".new-" in name for name in bucket.names())
    with pytest.raises(DatasetNotFoundError, match="no dataset at"):
        penstock.load(path)
    ds = _arrays(path, 3)
    assert (len(ds), len(ds.log()), ds.verify().ok) == (3, 1, True)
    assert not any(".new-" in name or "claim" in name for name in bucket.names())


_COMMIT = 'import sys, penstock; ds = penstock.load(sys.argv[1]); ds.labels[1] = [4]; ds.commit("four")'


def test_a_killed_commit_leaves_the_head_and_its_edits(bucket):
    path = f"{bucket.url}/set"
    first = _arrays(path).commit_id
    _killed(bucket, _COMMIT, path, r"PUT \S*/set/samples.lance/_versions/\d")
    ds = penstock.load(path)
    assert (ds.commit_id, ds.num_edits, ds.labels[1].numpy().tolist()) == (first, 1, [4])
    ds.commit("at once")  # the lease of the dead process keeps nobody waiting
    assert [commit.message for commit in ds.log()][:1] == ["at once"]
    assert ds.verify().ok


def test_a_killed_replacement_is_completed_by_whoever_opens_it_next(bucket):
    path = f"{bucket.url}/set"
    _arrays(path)[:2].save_view(id="mine")
    _killed(bucket, _REPLACE, path, r"PUT \S*/set/samples.lance/_versions")
    ds = penstock.load(path)
    assert (len(ds), len(ds.get_views()), len(ds.log())) == (0, 0, 0)
    assert len(bucket.names()) < 6


def test_a_replacement_that_fails_before_it_is_announced_leaves_the_old_dataset(bucket):
    path = f"{bucket.url}/set"
    _arrays(path)
    before = bucket.names()
    bucket.server.set_rules({"asked": r"PUT \S*/set/\.replacing", "status": 403, "code": "AccessDenied"})
    with pytest.raises(StorageError, match="access was denied"):
        penstock.empty(path, overwrite=True)
    assert bucket.names() == before
    assert len(penstock.load(path)) == 5


def test_files_that_a_store_does_not_copy_are_sent_again(bucket, monkeypatch):
    monkeypatch.setattr("penstock.storage.writing._publishing._LARGEST_COPY", 0)
    ds = _arrays(f"{bucket.url}/set")
    assert ds.labels.numpy().ravel().tolist() == [0, 1, 2, 3, 4]
    assert ds.verify().ok


def test_an_import_that_fails_leaves_nothing(bucket):
    bucket.server.set_rules({"asked": r"PUT \S*/samples.lance/data/", "status": 403, "code": "AccessDenied"})
    with pytest.raises(StorageError, match="access was denied"):
        _arrays(f"{bucket.url}/set")
    assert bucket.names() == []


def test_of_two_imports_to_one_place_one_is_there(bucket):
    path = f"{bucket.url}/set"
    building = published(Location(path))
    penstock.empty(building.__enter__().path)
    _arrays(path, 3)
    with pytest.raises(DatasetExistsError, match="already exists"):
        building.__exit__(None, None, None)
    assert len(penstock.load(path)) == 3
    assert not any(".new-" in name for name in bucket.names())


def test_an_import_waits_for_nobody_who_takes_the_place_now(bucket):
    path = f"{bucket.url}/set"
    bucket.put("set/.claim.json", _ELSEWHERE)
    with pytest.raises(DatasetExistsError, match=r"another process is creating.*delete s3://\S+/set/\.claim\.json"):
        _arrays(path)
    bucket.put("set/.claim.json", _OVER)
    assert len(_arrays(path)) == 5
    assert "set/.claim.json" not in bucket.names()


_OWNERS = {
    "ended": _OVER,
    "elsewhere": _ELSEWHERE,
    "alive": _HERE.to_bytes(),
    "unknown": b"damaged",
}


def test_cleanup_deletes_what_nobody_goes_on_with(bucket):
    ds = _arrays(f"{bucket.url}/set")
    ds[:2].save_view(id="mine")
    ds.load_view("mine", optimize=True)
    for name, owner in _OWNERS.items():
        for place in (f".new-{name}", f"views/mine.{name}.penstock"):
            bucket.put(f"set/{place}/owner.json", owner)
            bucket.put(f"set/{place}/samples.lance/data/a.lance", b"")
    ds.cleanup()
    left = [name for name in _OWNERS if any(f".new-{name}/" in key for key in bucket.names())]
    copies = [name for name in _OWNERS if any(f"views/mine.{name}.penstock/" in key for key in bucket.names())]
    assert (left, copies) == (["elsewhere", "alive", "unknown"], ["elsewhere", "alive", "unknown"])
    ds.cleanup(timedelta(0))
    assert not any("a.lance" in key for key in bucket.names())
    assert ds.load_view("mine").labels.numpy().ravel().tolist() == [0, 1]
