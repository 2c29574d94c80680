from __future__ import annotations

import json

import numpy as np
import pytest

import penstock
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


def test_log_lists_the_commits(shapes, capsys):
    status, out, _ = run(capsys, "log", shapes)
    assert status == 0
    assert "import 30 samples from demo shapes" in out


@pytest.mark.parametrize("command", ["log", "verify"])
def test_a_wrong_path_is_one_line_without_traceback(tmp_path, capsys, command):
    status, out, err = run(capsys, command, tmp_path / "none")
    assert (status, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("penstock: ")


def test_import_of_a_folder_says_where_it_is(tmp_path, capsys):
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        (tmp_path / "pets" / name / "1.png").write_bytes(encode_image(np.zeros((4, 5, 3), np.uint8), "png"))
    status, out, _ = run(capsys, "import", "folder", tmp_path / "pets", tmp_path / "out")
    assert status == 0
    assert out == f"image folder, 2 images, 2 classes; ignored: 0 files\n2 samples in {tmp_path / 'out'}\n"
    assert penstock.dataset.load(tmp_path / "out").labels.info.class_names == ["cat", "dog"]


def test_import_of_a_folder_takes_the_names_of_splits(tmp_path, capsys):
    for name in ("car", "train"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "1.png").write_bytes(encode_image(np.zeros((4, 5, 3), np.uint8), "png"))
    status, _, err = run(capsys, "import", "folder", tmp_path / "in", tmp_path / "out")
    assert (status, "'train' has the name of a split" in err) == (1, True)
    status, _, _ = run(capsys, "import", "folder", tmp_path / "in", tmp_path / "out", "--splits", "")
    assert penstock.dataset.load(tmp_path / "out").labels.info.class_names == ["car", "train"]
    status, _, _ = run(capsys, "import", "folder", tmp_path / "in", tmp_path / "two", "--splits", "train,val")
    assert list(penstock.dataset.load(tmp_path / "two").tensors) == ["images", "subset", "file"]


def test_import_of_a_table_without_labels_says_what_to_give(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    status, _, err = run(capsys, "import", "table", tmp_path / "t.csv", tmp_path / "out")
    assert (status, "Expected a mapping of tensor names to columns. The columns are a, b" in err) == (1, True)


def test_import_of_a_table(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("found,file\na|b,x\nInfiltrate,y\n")
    table = tmp_path / "t.csv"
    status, _, _ = run(capsys, "import", "table", table, tmp_path / "out", "--labels", "f=found", "--rename", "a=c")
    assert status == 0
    assert penstock.dataset.load(tmp_path / "out").f.info.class_names == ["c", "b", "Infiltrate"]
    status, _, err = run(capsys, "import", "table", table, tmp_path / "two", "--labels", "found")
    assert status == 1
    assert "Expected two names separated by =" in err
    status, _, err = run(capsys, "import", "table", table, tmp_path / "two", "--labels", "f=fond")
    assert "did you mean 'found'" in err


def test_import_of_coco(tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(encode_image(np.zeros((4, 5, 3), np.uint8), "png"))
    data = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [],
        "categories": [],
    }
    (tmp_path / "x.json").write_text(json.dumps(data))
    status, _, err = run(capsys, "import", "coco", tmp_path / "x.json", tmp_path, tmp_path / "out")
    assert status == 1
    assert "b.png: the image file does not exist" in err
    assert "Hint: pass on_error='skip'" in err
    status, out, _ = run(
        capsys, "import", "coco", tmp_path / "x.json", tmp_path, tmp_path / "out", "--on-error", "skip"
    )
    assert status == 0
    assert out.splitlines()[-1].startswith("1 samples in")


@pytest.fixture
def yolo(tmp_path):
    root = tmp_path / "ds"
    for folder in ("train/images", "train/labels"):
        (root / folder).mkdir(parents=True)
    (root / "train/images/a.png").write_bytes(encode_image(np.zeros((4, 5, 3), np.uint8), "png"))
    (root / "train/labels/a.txt").write_text("0 .5 .5 .2 .2\n")
    (root / "data.yaml").write_text("train: ../train/images\nnames: [cat, dog]\n")
    (root / "README.txt").write_text("hello")
    return root


def test_a_dry_run_says_what_is_recognized(yolo, capsys):
    status, out, _ = run(capsys, "import", "auto", yolo, "--dry-run")
    assert status == 0
    assert out.splitlines() == [
        "YOLO, 1 image, 2 classes; ignored: 1 file",
        f"at: {yolo}",
        f"  ignored: {yolo}/README.txt",
    ]


def test_a_dry_run_writes_nothing(yolo, capsys):
    before = sorted(yolo.parent.rglob("*"))
    run(capsys, "import", "auto", yolo, "--dry-run")
    assert sorted(yolo.parent.rglob("*")) == before


def test_import_of_what_is_recognized(yolo, tmp_path, capsys):
    status, out, _ = run(capsys, "import", "auto", yolo, tmp_path / "out")
    assert status == 0
    lines = out.splitlines()
    assert (lines[0], lines[-1]) == (f"YOLO in {yolo}", f"1 samples in {tmp_path / 'out'}")
    assert "YOLO, 1 image, 2 classes; ignored: 1 file" in lines
    status, _, err = run(capsys, "import", "auto", yolo)
    assert (status, "Expected DEST after PATH" in err) == (1, True)


def test_an_error_that_nobody_thought_of_is_one_line(monkeypatch, capsys):
    def fail(*_args, **_kwargs):
        raise IndexError("no such\nthing")

    monkeypatch.setattr("penstock.cli._commands.load", fail)
    status, out, err = run(capsys, "log", "x")
    assert (status, out) == (1, "")
    assert err == "penstock: internal error, please report it together with the command: IndexError: no such thing\n"


def test_export_of_what_a_query_selects(shapes, tmp_path, capsys):
    command = ("export", "coco", shapes, tmp_path / "out.json", "--query", "select * limit 4")
    status, out, _ = run(capsys, *command)
    assert status == 0
    assert "4 images" in out
    assert len(json.loads((tmp_path / "out.json").read_text())["images"]) == 4
    assert run(capsys, *command)[0] == 1  # something is there now
    assert run(capsys, *command, "--overwrite")[0] == 0


def test_export_and_import_of_a_yolo_folder_by_task(shapes, tmp_path, capsys):
    command = ("export", "yolo", shapes, tmp_path / "out", "--task", "obb", "--query", "select * limit 4")
    status, out, _ = run(capsys, *command, "--images", "copy")
    assert status == 0
    assert "4 images" in out
    assert len(list((tmp_path / "out/labels").rglob("*.txt"))) == 4
    assert run(capsys, "import", "yolo", tmp_path / "out", tmp_path / "ds", "--task", "segment")[0] == 0
    assert penstock.load(tmp_path / "ds").info["source"]["task"] == "segment"


def test_without_command_the_usage_is_shown(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "dest", "options", "written"),
    [
        ("voc", "out", ("--images", "copy"), "out/JPEGImages/000000.jpg"),
        ("csv", "out.csv", (), "out.csv"),
    ],
)
def test_export_writes_each_format(shapes, tmp_path, capsys, kind, dest, options, written):
    command = ("export", kind, shapes, tmp_path / dest, "--query", "select * limit 4", *options)
    status, out, err = run(capsys, *command)
    assert (status, out.startswith("4 images, ")) == (0, True), err
    assert (tmp_path / written).exists()


def test_export_of_boxes_to_folders_says_what_to_use(shapes, tmp_path, capsys):
    status, _, err = run(capsys, "export", "folder", shapes, tmp_path / "out")
    assert (status, "the dataset has boxes" in err) == (1, True)
