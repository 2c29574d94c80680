"""One runtime model a kernel; without its assets a sentence, no crash."""

from __future__ import annotations

import gzip
import hashlib
import re

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


def test_what_is_needed_later_is_no_trait_and_of_the_same_build():
    first = gzip.decompress(_runtime.runtime().code).decode()
    later = gzip.decompress(_runtime.read_extra()).decode()
    build = re.match(r"/\*([0-9a-f]{16})\*/", later).group(1)
    assert build in first
    assert not any(value == _runtime.read_extra() for value in _runtime.runtime().get_state().values())


def test_both_files_are_read_at_one_time(fresh, monkeypatch, tmp_path):
    for name, content in (("runtime.js.gz", b"one"), ("runtime-extra.js.gz", b"two")):
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(_runtime, "_STATIC", tmp_path)
    assert _runtime.runtime().code == b"one"
    (tmp_path / "runtime-extra.js.gz").write_bytes(b"of another version")
    assert _runtime.read_extra() == b"two"


def test_a_missing_second_file_is_an_error_with_a_hint(fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(_runtime, "_STATIC", tmp_path)
    with pytest.raises(RuntimeError, match="make widgets"):
        _runtime.read_extra()


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
