"""Source that is written for a user: it evaluates to what went in, and no line is too long to read."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.widgets.exporting._code_text import WIDTH, Name, call_text, comment_text, value_text

TEXTS = st.text(alphabet=st.sampled_from("ab '\"\\\n\té→🍣  x"), max_size=400)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text("abc", max_size=9), inner, max_size=20),
    max_leaves=40,
)


def called(source):
    arguments = {}

    def f(*args, **options):
        arguments["args"], arguments["options"] = list(args), options

    exec(source, {"f": f})
    return arguments["args"], arguments["options"]


@given(st.lists(VALUES, max_size=4), st.dictionaries(st.sampled_from(["seed", "mode", "size"]), VALUES))
def test_a_call_gets_the_arguments_that_were_written(values, options):
    assert called(call_text("f", values, options.items())) == (values, options)


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(0, 12))
def test_no_line_is_longer_than_the_width(values, indent):
    source = call_text("f", values, indent=indent)
    assert max(map(len, source.split("\n"))) <= WIDTH


@given(st.lists(st.integers(), max_size=300))
def test_a_list_of_numbers_is_the_same_list(values):
    source = value_text("rows = ", values)
    assert ast.literal_eval(source.removeprefix("rows = ")) == values
    assert max(map(len, source.split("\n"))) <= WIDTH


def test_a_variable_is_written_without_quotes():
    assert call_text("save", [Name("view"), "a"]) == "save(view, 'a')"


@pytest.mark.parametrize("count", [1, 40])
def test_a_comment_keeps_counts_together(count):
    lines = comment_text("Expected: " + ", ".join(["Circle 412 → 321"] * count)).split("\n")
    assert all(line.startswith("# ") and len(line) <= WIDTH for line in lines)
    assert sum(line.count("412 → 321") for line in lines) == count
