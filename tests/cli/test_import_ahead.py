"""`penstock explore PATH` says what it is about to read before it starts."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from penstock.cli._commands import _ahead, _imported
from penstock.importers import recognize


@pytest.fixture
def folder(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pets" / name / "1.png")
    return tmp_path / "pets"


def test_files_and_size_are_said_before_an_import_and_not_after_it(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _imported(recognize(folder))
    first = capsys.readouterr().out
    _imported(recognize(folder))
    again = capsys.readouterr().out
    assert re.search(r"^2 files, 0 MB\. It is imported once, into .*cache", first, re.MULTILINE)
    assert "imported once" not in again


@pytest.mark.parametrize(
    ("files", "size", "workers", "said"),
    [
        (1, 200, 2, "1 file, 0 MB."),
        (4000, 1_000_000_000, 2, "4,000 files, 1.0 GB: about 35 seconds."),  # (10 s + 60 s) / 2
        (112_120, 45_000_000_000, 8, "112,120 files, 45.0 GB: about 6 minutes."),  # (280 s + 2,700 s) / 8
    ],
)
def test_the_time_is_that_of_files_and_bytes(files, size, workers, said):
    assert _ahead(files, size, workers) == said
