"""What exports leave whole: the source, the dataset, other exports, and what they replace."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

import penstock
from penstock.errors import ExportError
from penstock.exporters import _exchange, _place
from penstock.importers.building._staging import sweep

LABEL = "0 0.5 0.5 0.25 0.5\n"


def png(value):
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 16, 3), value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    """A YOLO folder of two images."""
    for kind in ("images", "labels"):
        (tmp_path / f"source/{kind}/train").mkdir(parents=True)
    for at in range(2):
        (tmp_path / f"source/images/train/{at}.png").write_bytes(png(at))
        (tmp_path / f"source/labels/train/{at}.txt").write_text(LABEL)
    (tmp_path / "source/data.yaml").write_text("train: images/train\nval: images/train\nnames: [cat]\n")
    return tmp_path / "source"


@pytest.fixture
def linked(folder, tmp_path):
    return penstock.from_yolo(folder, tmp_path / "ds", link=True, progress=False)


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_links_do_not_replace_the_files_they_point_to(folder, linked):
    before = files_in(folder)
    with pytest.raises(ExportError, match="linked to"):
        penstock.to_yolo(linked, folder, images="link", overwrite=True, progress=False)
    assert files_in(folder) == before


def test_files_that_samples_are_linked_to_do_not_get_other_images(folder):
    (folder / "labels/train/0.txt").unlink()
    for at, name in ((0, "000000000001.png"), (1, "000000000000.png")):
        (folder / f"images/train/{at}.png").rename(folder / f"images/train/{name}")
    (folder / "labels/train/1.txt").unlink()
    ds = penstock.from_yolo(folder, folder.parent / "again", link=True, progress=False)
    ds.delete_tensor("file")  # images are named by their position now
    before = files_in(folder)
    with pytest.raises(ExportError, match="linked to"):
        penstock.to_yolo(ds[::-1], folder, task="detect", images="copy", overwrite=True, progress=False)
    assert files_in(folder) == before


def test_labels_can_be_replaced_beside_the_images_they_are_of(folder, linked):
    linked.categories.rename_class("cat", "lynx")
    penstock.to_yolo(linked, folder, images="copy", overwrite=True, progress=False)
    assert "lynx" in (folder / "data.yaml").read_text()
    assert (folder / "labels/train/0.txt").read_text() == LABEL
    assert linked.images[1].numpy()[0, 0].tolist() == [1, 1, 1]


@pytest.mark.parametrize("inside", ["ds/out", "ds/samples.lance/out", "ds", "."], ids=str)
def test_an_export_into_a_dataset_is_refused(linked, tmp_path, inside):
    before = files_in(tmp_path / "ds")
    with pytest.raises(ExportError, match="outside the dataset"):
        penstock.to_yolo(linked, tmp_path / inside, overwrite=True, progress=False)
    assert files_in(tmp_path / "ds") == before


@pytest.mark.parametrize("path", ["/", "//", "/..", "/tmp/.."])
def test_the_root_is_no_destination(linked, path):
    with pytest.raises(ExportError, match="below the root"):
        penstock.to_yolo(linked, path, overwrite=True, progress=False)


@pytest.mark.slow
def test_what_a_killed_export_left_goes_with_the_next(linked, tmp_path):
    code = (
        "import os, signal, penstock\n"
        "from penstock.exporters import _place\n"
        f"_place._sync = lambda part: os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
        f"penstock.to_yolo(penstock.load({str(tmp_path / 'ds')!r}), {str(tmp_path / 'out')!r}, progress=False)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert any(name.endswith(".part") for name in names_in(tmp_path))
    penstock.to_yolo(linked, tmp_path / "out", progress=False)
    assert names_in(tmp_path) == ["ds", "out", "source"]


def test_a_folder_is_put_back_when_the_export_was_killed_between_two_renames(linked, tmp_path):
    (tmp_path / ".out.0123abcd.part.old").mkdir()
    (tmp_path / ".out.0123abcd.part.old/mine.txt").write_text("x")
    with pytest.raises(ExportError, match="already exists"):
        penstock.to_yolo(linked, tmp_path / "out", progress=False)
    assert files_in(tmp_path / "out") == {"mine.txt": b"x"}


def test_an_import_beside_a_running_export_leaves_it_alone(linked, tmp_path, monkeypatch):
    monkeypatch.setattr(_place, "_check_replaced", lambda part, place: sweep(tmp_path))
    penstock.to_yolo(linked, tmp_path / "out", progress=False)
    assert sorted(files_in(tmp_path / "out")) == ["data.yaml", "labels/train/0.txt", "labels/train/1.txt"]


def test_an_import_removes_the_file_of_a_killed_export(tmp_path):
    (tmp_path / ".a.json.0123abcd.part").write_text("{")
    (tmp_path / ".b.json.0123abcd.part").write_text("{")
    with FileLock(tmp_path / ".b.json.0123abcd.part.lock"):
        sweep(tmp_path)
        assert not (tmp_path / ".a.json.0123abcd.part").exists()
        assert (tmp_path / ".b.json.0123abcd.part").exists()


@pytest.mark.parametrize("swaps", [True, False], ids=["in one step", "in two"])
def test_a_folder_is_replaced(linked, tmp_path, monkeypatch, swaps):
    if not swaps:
        monkeypatch.setattr(_exchange, "_system_call", lambda: None)
    penstock.to_yolo(linked, tmp_path / "out", progress=False)
    linked.categories.rename_class("cat", "lynx")
    penstock.to_yolo(linked, tmp_path / "out", overwrite=True, progress=False)
    assert "lynx" in (tmp_path / "out/data.yaml").read_text()
    assert names_in(tmp_path) == ["ds", "out", "source"]


def test_a_link_to_a_folder_is_replaced_and_not_what_it_points_to(linked, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/mine.txt").write_text("x")
    (tmp_path / "out").symlink_to(tmp_path / "there")
    penstock.to_yolo(linked, tmp_path / "out", overwrite=True, progress=False)
    assert not (tmp_path / "out").is_symlink()
    assert files_in(tmp_path / "there") == {"mine.txt": b"x"}


def test_of_two_exports_to_one_place_one_is_refused(linked, tmp_path, monkeypatch):
    both, found = threading.Barrier(2), []
    move = _place._move
    monkeypatch.setattr(_place, "_move", lambda *args, **options: (both.wait(30), move(*args, **options)))

    def export():
        try:
            penstock.to_coco(linked, tmp_path / "out.json", progress=False)
            found.append("written")
        except ExportError as error:
            found.append(str(error))

    threads = [threading.Thread(target=export) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text[:7] for text in found) == ["the exp", "written"]
