"""The pages of docs/reference follow from the code: functions, commands, errors, widgets."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from penstock import errors, tql, widgets
from penstock.tql.functions._registry import FUNCTIONS

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("write_reference", DOCS / "write_reference.py")
WRITER = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(WRITER)


@pytest.fixture(scope="module")
def written():
    return WRITER.pages()


@pytest.mark.parametrize("name", ["tql-functions.md", "command-line.md", "errors.md", "widgets.md"])
def test_a_page_is_what_the_script_writes(written, name):
    assert (DOCS / "reference" / name).read_text() == written[name], "run: python docs/write_reference.py"


def test_every_function_has_an_example_that_uses_it():
    examples = WRITER.examples()
    names = {name for name, found in FUNCTIONS.items() if not found.user}
    assert examples.keys() == names
    used = {name: set(re.findall(r"(\w+)\(", example)) for name, example in examples.items()}
    assert {name for name in names if name not in used[name]} == set()


def test_an_example_has_the_colors_of_a_query():
    kinds = {token.kind for example in WRITER.examples().values() for token in tql.tokens(f"select {example}")}
    assert "error" not in kinds


def test_the_errors_are_all_public_ones(written):
    assert set(re.findall(r"\*\*`(\w+)`\*\*", written["errors.md"])) == set(errors.__all__)


def test_every_public_trait_is_described(written):
    shown = set(re.findall(r"^\| `(\w+)` \|", written["widgets.md"], re.MULTILINE))
    own = widgets.Explorer.class_traits(sync=True).keys() - widgets.Explorer.mro()[-2].__dict__.keys()
    of_jupyter = {"layout", "tabbable", "tooltip", "comm", "keys", "log"}
    assert {name for name in own if not name.startswith("_")} - of_jupyter <= shown


def test_an_option_that_repeats_a_bar_stays_in_its_cell(written):
    rows = [line for line in written["command-line.md"].splitlines() if line.startswith("| `")]
    assert rows
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
