"""Where an export goes: what is in the way is told in words, and nothing is left beside it."""

from __future__ import annotations

import pytest

import penstock
from penstock.errors import ExportError


@pytest.fixture(scope="module")
def ds(tmp_path_factory):
    return penstock.demo(tmp_path_factory.mktemp("demo") / "demo.penstock", num_samples=4)


def test_a_file_on_the_way_to_the_destination_is_an_error_in_words(ds, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ExportError, match="cannot be written"):
        penstock.to_coco(ds, tmp_path / "taken" / "x.json", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_folder_of_many_other_files_is_refused_without_counting_all(ds, tmp_path):
    for number in range(1001):
        (tmp_path / f"{number:04}.txt").touch()
    with pytest.raises(ExportError, match="and at least 999 more"):
        penstock.to_coco(ds, tmp_path, overwrite=True, progress=False)
    assert len(list(tmp_path.iterdir())) == 1001


def test_an_export_reports_how_far_it_is_and_stops_when_that_raises(ds, tmp_path):
    reached = []

    def report(done, total):
        reached.append((done, total))
        if len(reached) > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        penstock.to_coco(ds, tmp_path / "out", images="copy", progress=report)
    assert reached[0] == (0, 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.json", "out.yaml", "out.xml", "out.zip", "out.CSV"])
@pytest.mark.parametrize("export", [penstock.to_yolo, penstock.to_voc, penstock.to_folder])
def test_a_format_of_folders_is_not_written_to_the_name_of_a_file(ds, tmp_path, export, name):
    with pytest.raises(ExportError, match="Expected a folder"):
        export(ds, tmp_path / name, progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.yaml", "out.json.gz", "out.csv"])
def test_a_coco_file_ends_with_json(ds, tmp_path, name):
    with pytest.raises(ExportError, match=r"Expected a \.json file, or a folder"):
        penstock.to_coco(ds, tmp_path / name, progress=False)


def test_a_folder_may_have_a_point_in_its_name(ds, tmp_path):
    penstock.to_voc(ds, tmp_path / "voc.2027", progress=False)
    assert (tmp_path / "voc.2027" / "Annotations").is_dir()
