from __future__ import annotations

import pytest

from penstock.errors import ImporterError
from penstock.importers.files._image_files import image_under


@pytest.mark.parametrize(
    "name", ["../secret.jpg", "/etc/passwd", "a/../../b.jpg", "file:///etc/passwd", "FILE:/etc/passwd"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(ImporterError, match="is outside"):
        image_under(tmp_path / "images", name)


def test_a_link_that_the_user_made_is_inside(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "images/a.jpg").symlink_to(tmp_path / "a.jpg")
    assert image_under(tmp_path / "images", "a.jpg") == tmp_path / "images/a.jpg"


def test_absolute_paths_are_inside_the_folder_or_roots(tmp_path):
    assert image_under(tmp_path, f"{tmp_path}/a.jpg") == tmp_path / "a.jpg"
    assert image_under(tmp_path / "b", f"{tmp_path}/a.jpg", [tmp_path]) == tmp_path / "a.jpg"
