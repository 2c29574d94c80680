"""A widget as one file: complete, closed, and data never markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest

import penstock
from penstock.tensors import image_shape
from penstock.widgets._runtime import read_extra, runtime
from tests.widgets.conftest import NUM_SAMPLES

HOSTILE = "</script><img src=x onerror=alert(1)>&\u2028"


def content_of(page):
    return json.loads(re.search(r'id="penstock-page">(.*?)</script>', page, re.DOTALL).group(1))


def packed(page, name):
    return gzip.decompress(base64.b64decode(re.search(rf'id="penstock-{name}">(.*?)</script>', page).group(1)))


def arrays_of(page):
    """Return the header of a page's samples, its arrays by name, and the bytes after them."""
    header, data, at, found = content_of(page)["samples"], packed(page, "samples"), 0, {}
    for array in header["arrays"]:
        found[array["name"]] = np.frombuffer(data, array["dtype"], array["length"], at)
        at += found[array["name"]].nbytes
    return header, found, data[at:]


def test_the_page_holds_everything_it_shows(ds, tmp_path):
    explorer = penstock.explore(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    explorer.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    content = content_of(page)
    assert base64.b64decode(content["code"]) == runtime().code
    assert base64.b64decode(content["extra"]) == read_extra()
    hello = content["hello"]["result"]
    assert (hello["query"]["text"], hello["dataset"]["num_samples"]) == (explorer.query, NUM_SAMPLES)
    assert hello["dataset"]["read_only"]
    assert np.frombuffer(base64.b64decode(content["state"]["weights"])).tolist() == [20, 1]
    assert (hello["history"], hello["views"]) == ([explorer.query], [])
    assert len(content["tiles"]) == NUM_SAMPLES
    assert packed(page, "tiles").startswith(b"\xff\xd8")


def test_only_the_pages_own_script_may_run(ds, tmp_path):
    penstock.explore(ds).to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}' blob:" in policy
    assert "https://" not in page.replace("http://www.w3.org", "")
    assert b"https://" not in gzip.decompress(runtime().code)


def test_hostile_names_are_data(tmp_path):
    ds = penstock.from_arrays(
        {"x": np.arange(4.0), "labels": [0, 1, 0, 1]},
        tmp_path / "hostile.penstock",
        class_names={"labels": [HOSTILE, "plain"]},
    )
    penstock.explore(ds).to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert HOSTILE not in page
    assert page.count("</script>") == 4
    assert content_of(page)["hello"]["result"]["dataset"]["class_names"][0] == HOSTILE


def test_the_page_has_labels_boxes_and_a_small_thumbnail_of_every_sample(ds, tmp_path):
    x = penstock.explore(ds, query="select * where contains(labels, 'Star') order by shape(labels)[0] desc")
    x.to_html(tmp_path / "page.html", thumbnails=0)
    header, arrays, jpegs = arrays_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert (header["num_samples"], header["repeats"], header["errors"]) == (NUM_SAMPLES, False, {})
    assert header["tensors"] == [{"name": "labels", "class_names": list(x.session.class_names), "single": False}]
    assert arrays["rows"].tolist() == list(range(NUM_SAMPLES))
    assert arrays["pool"].tolist() == x.session.run.pool.tolist()
    labels = [row.tolist() for row in ds.labels.numpy(aslist=True)]
    assert arrays["labels0_lengths"].tolist() == [len(row) for row in labels]
    assert arrays["labels0"].tolist() == [index for row in labels for index in row]
    boxes = np.concatenate([row.reshape(-1) for row in ds.boxes.numpy(aslist=True)])
    assert np.allclose(arrays["boxes"], boxes, atol=1e-3)
    ends = np.cumsum(arrays["jpeg_lengths"])
    shapes = {
        image_shape(jpegs[end - length : end])[:2] for end, length in zip(ends, arrays["jpeg_lengths"], strict=True)
    }
    assert {max(shape) for shape in shapes} == {32}


def test_a_view_is_a_page_of_its_rows(ds, tmp_path):
    penstock.explore(ds[[7, 3, 50]]).to_html(tmp_path / "page.html")
    _, arrays, _ = arrays_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert (arrays["rows"].tolist(), arrays["pool"].tolist()) == ([7, 3, 50], [0, 1, 2])


def test_rows_that_repeat_are_not_queried_again(ds, tmp_path):
    penstock.explore(ds[[3, 3, 5]]).to_html(tmp_path / "page.html")
    header, arrays, _ = arrays_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert header["repeats"]
    assert arrays["rows"][arrays["pool"]].tolist() == [3, 3, 5]


@pytest.mark.parametrize(
    ("thumbnails", "large", "small"), [(7, 7, 120), ("all", 120, 120), ("none", 0, 0), (0, 0, 120)]
)
def test_how_many_thumbnails_is_chosen_and_said_with_the_size(ds, tmp_path, thumbnails, large, small):
    page = penstock.explore(ds).to_html(tmp_path / "page.html", thumbnails=thumbnails)
    assert (page.num_samples, page.num_large, page.num_small) == (NUM_SAMPLES, large, small)
    assert page.num_bytes == (tmp_path / "page.html").stat().st_size
    assert re.fullmatch(
        rf"Page\('.*page.html': \d+(\.\d)? [KM]B, 120 samples, {large} thumbnails of 160 pixels, {small} of 32 pixels\)",
        repr(page),
    )


@pytest.mark.parametrize("thumbnails", [-1, True, 2.5, "some", None])
def test_other_numbers_of_thumbnails_are_refused_before_anything_is_written(ds, tmp_path, thumbnails):
    with pytest.raises(ValueError, match="how many samples have a thumbnail"):
        penstock.explore(ds).to_html(tmp_path / "page.html", thumbnails=thumbnails)
    assert not (tmp_path / "page.html").exists()


def test_a_page_of_more_samples_has_the_first_alone(ds, tmp_path, monkeypatch):
    monkeypatch.setattr("penstock.widgets._html.MAX_SAMPLES", NUM_SAMPLES - 1)
    page = penstock.explore(ds).to_html(tmp_path / "page.html", thumbnails=5)
    content = content_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert (page.num_samples, page.num_large, content["samples"]) == (0, 5, None)
    assert len(content["tiles"]) == 5


def test_a_table_without_images_is_a_page(tmp_path):
    ds = penstock.from_arrays(
        {"x": np.arange(4.0), "labels": [0, 1, 0, 1]}, tmp_path / "d", class_names={"labels": ["a", "b"]}
    )
    page = penstock.explore(ds).to_html(tmp_path / "page.html")
    header, arrays, _ = arrays_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert header["errors"] == {str(i): "the dataset has no images" for i in range(4)}
    assert header["tensors"] == [{"name": "labels", "class_names": ["a", "b"], "single": True}]
    assert (page.num_large, page.num_small, arrays["labels0"].tolist()) == (0, 0, [0, 1, 0, 1])


def test_the_page_keeps_the_loaders_own_draws(ds, tmp_path):
    query = "select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)"
    explorer = penstock.explore(ds, query=query, seed=7)
    explorer.to_html(tmp_path / "page.html")
    kept = content_of((tmp_path / "page.html").read_text(encoding="utf-8"))["draws"]
    assert (kept["weights"], kept["mode"], kept["seed"]) == ([20, 1], "iid", 7)
    first = kept["first"]
    assert len(first) == NUM_SAMPLES
    assert kept["epochs"]["unique"][0] == len(set(first))
    labels = ds.labels.numpy(aslist=True)
    expected = np.zeros(len(ds.labels.info.class_names), int)
    for position in first:
        np.add.at(expected, np.asarray(labels[position], int), 1)
    assert kept["epochs"]["counts"] == expected.tolist()


def test_a_page_of_a_table_result_keeps_no_draws(ds, tmp_path):
    penstock.explore(ds, query="select labels[0] as k, count(boxes) as n group by labels[0]").to_html(
        tmp_path / "page.html"
    )
    assert content_of((tmp_path / "page.html").read_text(encoding="utf-8"))["draws"] is None
