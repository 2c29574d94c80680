"""Prose of the documentation: its width, the files it names, and the pictures of the architecture."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs/architecture.md",
    ROOT / "docs/accessibility.md",
    *sorted((ROOT / "docs/contributing").glob("*.md")),
]
WIDTH = 100
FOLDERS = ("penstock", "widgets_js", "tests", "docs", "benchmarks", "notebooks", "scripts")
FILES = {
    path.name
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and "node_modules" not in path.parts and "_build" not in path.parts
}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LAYERS = {
    contract["containers"][0]: contract["layers"] for contract in CONTRACTS if contract["type"] == "layers"
}  # fmt: skip


def name_of(page):
    return str(page.relative_to(ROOT))


def prose_of(page):
    """Return the numbered lines that are not code, tables, headings or images."""
    in_code = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith(("|", "#", "![")):
            yield number, line


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_prose_fits_the_width(page):
    assert not [(number, line) for number, line in prose_of(page) if len(line) > WIDTH]


def named_files(page):
    """Return what a page has in backticks that looks like a file or folder of the checkout."""
    spans = {span for _, line in numbered_without_code(page) for span in re.findall(r"`([^`\s]+)`", line)}
    paths = {span for span in spans if span.startswith(tuple(f"{folder}/" for folder in FOLDERS))}
    names = {span for span in spans if re.fullmatch(r"[\w-]+\.(py|tsx?|css|md|json|tsv)", span)}
    return paths, names


def numbered_without_code(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return enumerate(text.splitlines(), 1)


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_every_file_that_a_guide_names_exists(page):
    paths, names = named_files(page)
    assert paths
    assert not {path for path in paths if not (ROOT / path).exists()}
    assert not {name for name in names if name not in FILES}


def picture(number):
    """Return the lines of a picture of the architecture page."""
    return re.findall(r"^```text\n(.*?)^```", GUIDES[1].read_text(), re.MULTILINE | re.DOTALL)[number].splitlines()


def test_the_picture_of_the_rooms_is_the_contract():
    drawn = [re.split(r"\s{2,}", line.strip())[0] for line in picture(0)]
    assert drawn == LAYERS["penstock"]


def test_the_picture_of_the_sub_rooms_is_the_contracts():
    drawn = dict(line.strip().split(maxsplit=1) for line in picture(1))
    shown = {f"penstock.{room}": line.split(";")[0].split(" > ") for room, line in drawn.items()}
    contracts = {room: layers for room, layers in LAYERS.items() if room.count(".") == 1}
    assert {room: shown[room] for room in contracts} == contracts


def test_the_picture_of_the_sub_rooms_names_every_folder():
    drawn = {
        room: set(re.findall(r"\w+", line)) for room, line in (row.strip().split(maxsplit=1) for row in picture(1))
    }
    folders = {}
    for init in (ROOT / "penstock").glob("*/*/__init__.py"):
        folders.setdefault(init.parts[-3], set()).add(init.parts[-2])
    assert drawn == folders
