from __future__ import annotations

import unicodedata

import pytest

from penstock.errors import ImporterError
from penstock.importers.building._report import IssueLog
from penstock.importers.files._finder import ImageFinder, as_folders


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def find(folder, name, on_error="raise", roots=(), **options):
    log = IssueLog(on_error)
    return ImageFinder(folder, roots, log, **options).find_all([name], "x.json")[0], log.issues


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("images\\a.png", "images/a.png"),
        ("a%20b.png", "a b.png"),
        (unicodedata.normalize("NFD", "é.png"), unicodedata.normalize("NFC", "é.png")),
        (unicodedata.normalize("NFC", "é.png"), unicodedata.normalize("NFD", "é.png")),
        ("C:\\Users\\me\\sets\\a.png", "a.png"),
        ("/home/else/sets/deep/a.png", "deep/a.png"),
        ("file:///home/else/a.png", "a.png"),
        ("../../media/upload/1/a.png", "a.png"),
        ("pictures/a.png", "a.png"),
        ("./a.png", "a.png"),
    ],
)
def test_a_name_of_another_system_is_found(tmp_path, name, file):
    folder = put(tmp_path / "pictures", file)
    path, issues = find(folder, name)
    assert path == folder / file
    assert [issue.action for issue in issues] == ([] if name == "./a.png" else ["noted"])


def test_a_name_with_the_folder_of_other_images_is_not_found_by_its_last_part(tmp_path):
    folder = put(tmp_path / "train", "1.png", "2.png")
    log = IssueLog("skip")
    found = ImageFinder(folder, (), log).find_all(["2.png", "val/1.png"], "x.json")
    assert found == [folder / "2.png", folder / "val/1.png"]


@pytest.mark.parametrize(
    "name", ["../secret.png", "/etc/passwd", "a/../../b.png", "file:///etc/passwd", "..\\secret.png/../..", ""]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    put(tmp_path, "secret.png", "b.png")
    folder = put(tmp_path / "images", "a.png")
    with pytest.raises(ImporterError, match=r"is outside|is not a file name"):
        find(folder, name)
    path, issues = find(folder, name, "skip")
    assert (path, [issue.action for issue in issues]) == (None, ["rejected"])


@pytest.mark.parametrize("name", ["a\0.png", "a\ud800.png"])
def test_what_no_file_can_be_named_is_refused(tmp_path, name):
    with pytest.raises(ImporterError, match="is not a file name"):
        find(put(tmp_path, "a.png"), name)


def test_a_folder_is_not_an_image(tmp_path):
    put(tmp_path, "a.png", "deep/b.png")
    with pytest.raises(ImporterError, match="is not a file"):
        find(tmp_path, "deep")


def test_a_name_that_is_too_long_is_not_an_image(tmp_path):
    put(tmp_path, "a.png")
    log = IssueLog("skip")
    assert ImageFinder(tmp_path, (), log).find_all(["a.png", "b" * 5000], "x")[0] == tmp_path / "a.png"


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_absolute_paths_are_read_below_the_folder_or_roots(tmp_path, form):
    inside, outside = put(tmp_path / "images", "a.png"), put(tmp_path / "else", "c.png")
    assert find(inside, form.format(inside / "a.png"))[0] == inside / "a.png"
    with pytest.raises(ImporterError, match=r"is outside.*roots="):
        find(inside, form.format(outside / "c.png"))
    assert find(inside, form.format(outside / "c.png"), roots=[outside])[0] == outside / "c.png"


def test_links_of_the_user_are_followed(tmp_path):
    store, farm = put(tmp_path / "store", "a.png"), put(tmp_path / "farm", "b.png")
    (farm / "a.png").symlink_to(store / "a.png")
    (farm / "inner.png").symlink_to(farm / "b.png")
    (farm / "deep").symlink_to(store)
    log = IssueLog("raise")
    found = ImageFinder(farm, (), log).find_all(["a.png", "b.png", "inner.png", "deep/a.png"], "x.json")
    assert found == [farm / "a.png", farm / "b.png", farm / "inner.png", farm / "deep/a.png"]
    assert [issue.problem for issue in log.issues] == [
        "2 images are reached through symbolic links that point outside this folder"
    ]


def test_links_to_linked_images_must_lead_into_roots(tmp_path):
    store, farm = put(tmp_path / "store", "a.png"), tmp_path / "farm"
    farm.mkdir()
    (farm / "a.png").symlink_to(store / "a.png")
    with pytest.raises(ImporterError, match=r"is a symbolic link to .*store/a.png.*roots="):
        find(farm, "a.png", linked=True)
    assert find(farm, "a.png", roots=[store], linked=True)[0] == store / "a.png"


def test_a_folder_that_has_none_of_the_images_says_where_they_are(tmp_path):
    put(tmp_path, "train2017/a.png")
    with pytest.raises(ImporterError, match=r"has neither 'a.png'.*did you mean .*train2017"):
        find(tmp_path, "a.png")
    with pytest.raises(ImporterError, match="the image folder"):
        find(tmp_path / "none", "a.png")


def test_roots_are_folders(tmp_path):
    assert as_folders(str(tmp_path)) == (tmp_path,)
    with pytest.raises(ImporterError, match="which is not a folder"):
        as_folders([tmp_path / "none"])
