"""Samples are the same bytes whichever way the kernel hands them over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import penstock
from penstock.dataset.samples import content_of
from penstock.errors import StorageError
from penstock.storage.reading import _rings


@pytest.fixture(params=["plain", "a b é#%20x"])
def ds(request, tmp_path):
    dataset = penstock.empty(tmp_path / request.param)
    dataset.create_tensor("images", htype="image", sample_compression="png")
    with dataset:
        dataset.extend({"images": [np.full((5, 4 + row, 3), row, np.uint8) for row in range(12)]})
    dataset.commit("twelve")
    return dataset


def taken(dataset):
    return content_of(dataset).table.stored.snapshot.take(np.array([0, 3, 11]), ["images"])["images"].to_pylist()


@pytest.fixture
def forbidden(monkeypatch):
    monkeypatch.setattr(_rings, "_allowed", lambda: False)


@pytest.mark.skipif(not _rings._allowed(), reason="this kernel gives the process no io_uring")
def test_rings_read_what_files_do(ds, monkeypatch):
    by_ring = taken(penstock.load(ds.path))
    handle = content_of(ds).table.stored.snapshot.handle
    assert _rings.through_rings(handle, ds.path, None).uri.startswith("file+uring://")
    monkeypatch.setattr(_rings, "_allowed", lambda: False)
    assert _rings.through_rings(handle, ds.path, None) is handle
    assert taken(penstock.load(ds.path)) == by_ring


@pytest.fixture
def edited(ds):
    """The samples before an edit on a branch, the dataset on that branch, the commit of the edit."""
    before = taken(ds)
    ds.checkout("side", create=True)
    ds.images[3] = np.zeros((9, 9, 3), np.uint8)
    return before, ds, ds.commit("edited")


def test_an_older_version_is_read_by_ring(edited):
    before, ds, _ = edited
    assert taken(ds) != before
    assert taken(penstock.load(ds.path)) == before


def test_a_branch_is_read_by_ring(edited):
    _, ds, commit = edited
    assert taken(penstock.load(ds.path, version=commit)) == taken(ds)


def test_a_ring_that_breaks_is_left_for_files(ds, monkeypatch):
    expected = taken(ds)

    class Broken:
        version = 1

        def get_fragments(self):
            return []

        def take(self, *_args, **_options):
            raise OSError("no io_uring worker threads are available")

    monkeypatch.setattr("penstock.storage.reading._stored_version.through_rings", lambda *_: Broken())
    again = penstock.load(ds.path)
    assert taken(again) == expected
    assert taken(again) == expected


@pytest.mark.usefixtures("forbidden")
def test_without_rings_samples_are_read_from_files(ds):
    assert len(taken(penstock.load(ds.path))) == 3


def test_files_that_are_gone_are_told_as_ever(ds):
    again = penstock.load(ds.path)
    for file in Path(ds.path).glob("samples.lance/data/*"):
        file.unlink()
    with pytest.raises(StorageError, match="cannot read samples of") as caught:
        taken(again)
    assert "uring" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no io_uring")
def test_asking_the_kernel_leaves_nothing_open():
    program = (
        "from os import listdir\n"
        "from penstock.storage.reading import _rings\n"
        "before = len(listdir('/proc/self/fd'))\n"
        "assert _rings._allowed() in {True, False}\n"
        "print(len(listdir('/proc/self/fd')) - before)\n"
    )
    # in a process of its own: here, threads of other tests open and close files meanwhile
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
