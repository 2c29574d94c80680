"""A widget as one file: complete, closed, and data never markup."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import numpy as np

import penstock
from penstock.widgets._runtime import read_extra, runtime
from tests.widgets.conftest import NUM_SAMPLES

HOSTILE = "</script><img src=x onerror=alert(1)>&\u2028"


def content_of(page):
    return json.loads(re.search(r'id="penstock-page">(.*?)</script>', page, re.DOTALL).group(1))


def test_the_page_holds_everything_it_shows(ds, tmp_path):
    explorer = penstock.explore(ds, query="select * sample by max_weight(contains(labels, 'Cross'): 20, True: 1)")
    explorer.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    content = content_of(page)
    assert base64.b64decode(content["code"]) == runtime().code
    assert base64.b64decode(content["replies"]["runtime.extra"]["buffers"][0]) == read_extra()
    hello = content["replies"]["hello"]["result"]
    assert (hello["query"]["text"], hello["dataset"]["num_samples"]) == (explorer.query, NUM_SAMPLES)
    assert hello["dataset"]["read_only"]
    assert np.frombuffer(base64.b64decode(content["state"]["weights"])).tolist() == [20, 1]
    assert len(content["tiles"]) == 48
    assert all(base64.b64decode(tile["jpeg"]).startswith(b"\xff\xd8") for tile in content["tiles"])


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
    assert page.count("</script>") == 2
    assert content_of(page)["replies"]["hello"]["result"]["dataset"]["class_names"][0] == HOSTILE
