"""Links between the pages lead somewhere: files, and headings by the anchors that they get."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if "_build" not in page.parts]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
INDEX = (ROOT / "docs" / "index.md").read_text()


def links_of(page):
    """Return what a page links to in this checkout, as path and anchor."""
    targets = LINK.findall(CODE.sub("`code`", page.read_text()))
    inner = [target for target in targets if not re.match(r"[a-z]+:", target)]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in map(split, inner)]


def split(target):
    return target.partition("#")


def anchors_of(page):
    """Return the anchors of the headings, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#{1,3} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = links_of(page)
    assert [path for path, _ in links if not path.exists()] == []
    headed = [(path, anchor) for path, anchor in links if anchor and path.suffix == ".md"]
    assert [(path.name, anchor) for path, anchor in headed if anchor not in anchors_of(path)] == []


def test_every_page_is_in_the_contents():
    named = set(re.findall(r"^(?:.*<)?([\w/.-]+?)>?$", INDEX, re.MULTILINE))
    pages = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES if ROOT / "docs" in page.parents}
    assert {page for page in pages if page != "index" and not page.startswith("decisions/")} <= named


def test_every_notebook_is_named():
    shown = (ROOT / "docs" / "notebooks.md").read_text()
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(re.findall(r"[\w-]+", shown))
