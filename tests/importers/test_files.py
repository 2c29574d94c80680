from __future__ import annotations

import pytest

from penstock.errors import ImporterError
from penstock.importers._files import ImageIndex, image_folder, image_under


def test_a_folder_one_level_off_is_named(tmp_path):
    (tmp_path / "train2017").mkdir()
    (tmp_path / "train2017/a.jpg").write_bytes(b"")
    with pytest.raises(ImporterError, match=r"did you mean .*train2017"):
        image_folder(tmp_path, ["a.jpg"])
    assert image_folder(tmp_path / "train2017", ["b.jpg", "a.jpg"]) == tmp_path / "train2017"
    with pytest.raises(ImporterError, match="no folder of images"):
        image_folder(tmp_path / "none", ["a.jpg"])


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", "file:///etc/passwd", "FILE:/etc/passwd"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(ImporterError, match="lies outside"):
        image_under(tmp_path / "images", name)


def test_a_link_that_the_user_made_is_inside(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "images/a.jpg").symlink_to(tmp_path / "a.jpg")
    assert image_under(tmp_path / "images", "a.jpg") == tmp_path / "images/a.jpg"


def test_absolute_paths_are_inside_the_folder_or_roots(tmp_path):
    assert image_under(tmp_path, f"{tmp_path}/a.jpg") == tmp_path / "a.jpg"
    assert image_under(tmp_path / "b", f"{tmp_path}/a.jpg", [tmp_path]) == tmp_path / "a.jpg"


def test_index_finds_by_path_and_by_unique_name(tmp_path):
    for name in ("a/1.png", "b/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    index = ImageIndex(tmp_path)
    assert index.find("a/1.png") == tmp_path / "a/1.png"
    assert index.find("2.png") == tmp_path / "b/2.png"
    with pytest.raises(ImporterError, match=r"2 files named '1.png'"):
        index.find("1.png")
    with pytest.raises(ImporterError, match=r"no file '3.png'"):
        index.find("3.png")
