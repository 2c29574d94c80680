from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from penstock.cli import main
from penstock.importers import demo
from penstock.tensors import encode_image


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    ds = demo(tmp_path_factory.mktemp("cli") / "shapes", num_samples=30)
    return str(ds.path)


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_query_prints_tensors_that_are_text(shapes, capsys):
    status, out, _ = run(capsys, "query", shapes, "select * where contains(labels, 'Circle')", "--rows", 2)
    assert status == 0
    assert "labels" in out
    assert "images" not in out


def test_query_prints_how_many_rows_there_are(shapes, capsys):
    _, out, _ = run(capsys, "query", shapes, "select * where contains(labels, 'Circle')", "--rows", 2)
    assert "more than shown" in out.splitlines()[-1]


def test_a_wrong_query_has_status_2(shapes, capsys):
    status, out, _ = run(capsys, "query", shapes, "select * where contains(labels, 'Circl')")
    assert (status, out) == (2, "")


def test_a_wrong_query_shows_the_caret(shapes, capsys):
    _, _, err = run(capsys, "query", shapes, "select * where contains(labels, 'Circl')")
    lines = err.splitlines()
    assert "Circle" in lines[0]
    assert lines[1].strip() == "select * where contains(labels, 'Circl')"
    assert lines[2].index("^") == lines[1].index("'Circl'")


def test_a_closed_pipe_is_no_error(shapes):
    command = f'"{sys.executable}" -m penstock.cli query "{shapes}" "select *" --rows 1000 | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_verify_says_that_all_is_well(shapes, capsys):
    status, out, _ = run(capsys, "verify", shapes)
    assert (status, out) == (0, "30 samples read, 0 with problems\n")


def test_verify_names_a_linked_image_that_is_gone(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encode_image(np.zeros((4, 5, 3), np.uint8), "png"))
    images = [{"id": number, "file_name": name} for number, name in enumerate(("a.png", "b.png"))]
    (tmp_path / "x.json").write_text(json.dumps({"images": images, "annotations": [], "categories": []}))
    assert run(capsys, "import", "coco", tmp_path / "x.json", tmp_path, tmp_path / "out", "--link")[0] == 0
    (tmp_path / "b.png").unlink()
    status, out, _ = run(capsys, "verify", tmp_path / "out")
    assert status == 1
    assert "1 with problems" in out
    assert "b.png" in out
