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
