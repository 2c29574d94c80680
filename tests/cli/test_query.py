from __future__ import annotations

import os
import subprocess
import sys

import pytest

from penstock.cli import main
from penstock.importers import demo


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    ds = demo(tmp_path_factory.mktemp("cli") / "shapes", num_samples=30)
    return str(ds.path)


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_query_prints_rows_and_how_many(shapes, capsys):
    status, out, _ = run(capsys, "query", shapes, "select * where contains(labels, 'Circle')", "--rows", 2)
    assert status == 0
    assert "labels" in out
    assert "images" not in out
    assert "more than shown" in out.splitlines()[-1]


def test_a_wrong_query_shows_the_caret_and_has_status_2(shapes, capsys):
    status, out, err = run(capsys, "query", shapes, "select * where contains(labels, 'Circl')")
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert "Circle" in lines[0]
    assert lines[1].strip() == "select * where contains(labels, 'Circl')"
    assert lines[2].index("^") == lines[1].index("'Circl'")


def test_a_closed_pipe_is_no_error(shapes):
    command = f'"{sys.executable}" -m penstock.cli query "{shapes}" "select *" --rows 1000 | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
