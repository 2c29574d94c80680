"""Small files beside the samples, while other sessions open the dataset."""

from __future__ import annotations

import os

from penstock.storage import Location


def test_a_file_is_written_though_another_session_sweeps_at_that_moment(tmp_path, monkeypatch):
    location, sync, sweeps = Location(tmp_path), os.fsync, [Location(tmp_path).sweep] * 2

    def sweep_and_sync(handle):
        if sweeps:
            sweeps.pop()()
        sync(handle)

    monkeypatch.setattr(os, "fsync", sweep_and_sync)
    location.write("drafts/main/1.set", b"edit")
    assert location.read("drafts/main/1.set") == b"edit"
