"""One runtime model a kernel; without its assets a sentence, no crash."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from penstock.widgets import _runtime


@pytest.fixture
def fresh():
    def clear():
        for cached in (_runtime._read_code, _runtime.read_stub, _runtime._make):
            cached.cache_clear()

    clear()
    yield
    clear()


def test_there_is_one_runtime():
    assert _runtime.runtime() is _runtime.runtime()


def test_it_holds_the_bundle_as_gzip_with_its_hash():
    runtime = _runtime.runtime()
    assert gzip.decompress(runtime.code)
    assert runtime.sha == hashlib.sha256(runtime.code).hexdigest()
    assert ".penstock" in runtime.get_state()["_css"]


def test_closing_a_widget_does_not_close_it():
    runtime = _runtime.runtime()
    runtime.close()
    assert runtime.comm is not None


def test_the_stub_is_small():
    assert len(_runtime.read_stub()) < 2000


def test_missing_assets_are_said_in_the_cell(fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(_runtime, "_STATIC", tmp_path)
    assert "make widgets" in _runtime.read_stub()
    assert _runtime.runtime().code == b""
