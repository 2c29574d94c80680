from __future__ import annotations

import io
import os

import numpy as np
import pytest
from PIL import Image

from penstock.importers.files._passed_over import is_image_file, is_passed_over, list_files


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def relative(root, paths):
    return [str(path.relative_to(root)) for path in paths]


def encoded(format_, mode="RGB"):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 5, 3), 200, np.uint8)).convert(mode).save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store",
        "._a.png",
        ".ipynb_checkpoints",
        ".git",
        "__MACOSX",
        "Thumbs.db",
        "thumbs.db",
        "Desktop.ini",
        "@eaDir",
    ],
)
def test_names_that_systems_make_are_passed_over(name):
    assert is_passed_over(name)


@pytest.mark.parametrize("name", ["a.png", "macosx", "thumbs", "...and more"[3:], "desktop.ini.png"])
def test_names_that_people_give_are_not_passed_over(name):
    assert not is_passed_over(name)


@pytest.mark.parametrize(
    "format_", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000", "ICO", "SGI", "DDS", "QOI"]
)
@pytest.mark.parametrize("name", ["a", "a.dat", "a.JPG"])
def test_an_image_is_told_by_its_content(tmp_path, format_, name):
    try:
        content = encoded(format_)
    except (KeyError, OSError):
        content = encoded("PNG")  # this Pillow writes no such file
    (tmp_path / name).write_bytes(content)
    assert is_image_file(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BMW and other cars, as they were counted in the street",
        b"P1 is the first prototype",
        b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41",
        b"a,b\n1,2\n",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"PK\x03\x04",
        b"%PDF-1.7",
    ],
    ids=["empty", "text BMW", "text P1", "mp4", "csv", "wav", "zip", "pdf"],
)
def test_what_is_no_image_is_not_taken_for_one(tmp_path, content):
    (tmp_path / "a.dat").write_bytes(content)
    assert not is_image_file(tmp_path / "a.dat")


def test_a_broken_file_that_calls_itself_an_image_counts(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<html>404</html>")
    assert is_image_file(tmp_path / "a.png")


def test_camera_raw_is_no_image(tmp_path):
    (tmp_path / "a.NEF").write_bytes(encoded("TIFF"))
    assert not is_image_file(tmp_path / "a.NEF")


def test_hidden_files_are_listed_apart(tmp_path):
    touch(tmp_path, "cat/1.png", "cat/._1.png", "__MACOSX/cat/._1.png", "__MACOSX/cat/._2.png", ".DS_Store")
    found = list_files(tmp_path)
    assert relative(tmp_path, found.files) == ["cat/1.png"]
    assert [(str(path.relative_to(tmp_path)), reason) for path, reason in found.passed_over] == [
        (".DS_Store", "a hidden or system file"),
        ("__MACOSX", "a hidden or system folder with 2 files (._1.png, ._2.png)"),
        ("cat/._1.png", "a hidden or system file"),
    ]


def test_a_dataset_of_penstock_is_passed_over_as_a_whole(tmp_path):
    touch(tmp_path, "cat/1.png", "out/samples.lance/_versions/1.manifest", "out/drafts/1.arrow")
    found = list_files(tmp_path)
    assert relative(tmp_path, found.files) == ["cat/1.png"]
    assert [reason for _, reason in found.passed_over] == ["a penstock dataset"]


def test_a_hidden_root_counts(tmp_path):
    touch(tmp_path, ".cache/cat/1.png")
    assert len(list_files(tmp_path / ".cache").files) == 1


def test_links_count_as_what_they_lead_to(tmp_path):
    touch(tmp_path, "root/cat/1.png", "store/2.png", "store/3.png")
    (tmp_path / "root/dog").symlink_to(tmp_path / "store")
    (tmp_path / "root/cat/4.png").symlink_to(tmp_path / "root/cat/1.png")
    (tmp_path / "root/cat/gone.png").symlink_to(tmp_path / "nowhere.png")
    found = list_files(tmp_path / "root")
    names = ["cat/1.png", "cat/4.png", "cat/gone.png", "dog/2.png", "dog/3.png"]
    assert relative(tmp_path / "root", found.files) == names
    assert found.num_outside == 3  # both of the store, and the one that leads nowhere


def test_a_link_to_a_folder_above_ends(tmp_path):
    touch(tmp_path, "cat/1.png")
    (tmp_path / "cat/all").symlink_to(tmp_path)
    (tmp_path / "cat/self").symlink_to(tmp_path / "cat")
    found = list_files(tmp_path)
    assert relative(tmp_path, found.files) == ["cat/1.png"]
    assert {path.name for path, _ in found.passed_over} == {"all", "self"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_passed_over_unopened(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert [reason for _, reason in list_files(tmp_path).passed_over] == ["not a regular file"]
