from __future__ import annotations

import html
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.plots import _theme
from penstock.plots._theme import checked, color, faded, figure, shown, shown_names

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(max_examples=80, deadline=None)
@given(text=TEXTS)
def test_shown_text_has_no_markup_of_plotly(text):
    found = shown(text)
    assert not {"<", ">", "$", "\n"} & set(found)
    assert found.strip(" ") == found


@settings(max_examples=80, deadline=None)
@given(names=st.lists(TEXTS, max_size=8))
def test_shown_names_are_all_different(names):
    found = shown_names(names)
    assert len(set(found)) == len(names)


@settings(max_examples=80, deadline=None)
@given(names=st.lists(st.text("ab", min_size=1, max_size=5), unique=True, max_size=8))
def test_plain_names_are_shown_as_they_are(names):
    assert shown_names(names) == names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cat & dog", "cat &amp; dog"),
        ("  cat", "␣␣cat"),
        ("cat ", "cat␣"),
        ("   ", "␣␣␣"),
        ("", ""),
        ("cost: $5", "cost: &#36;5"),
        ("a\tb", r"a\tb"),
    ],
    ids=["ampersand", "blanks before", "blank after", "blanks alone", "empty", "dollar", "tab"],
)
def test_shown_text_by_hand(text, found):
    assert shown(text) == found


@pytest.mark.parametrize(("length", "cut"), [(60, False), (61, True)])
def test_text_is_cut_after_60_characters(length, cut):
    found = shown("x" * length)
    assert len(found) == 60
    assert found.endswith("…") is cut


def test_text_without_a_limit_is_whole():
    assert shown("x" * 500, longest=None) == "x" * 500


def test_text_is_cut_before_it_is_escaped():
    assert html.unescape(shown("&" * 100)) == "&" * 59 + "…"


def test_names_that_are_cut_alike_are_numbered():
    assert shown_names(["x" * 70 + "1", "x" * 70 + "2"]) == ["x" * 59 + "…", "x" * 59 + "… (2)"]


def test_a_name_that_looks_numbered_stays_apart():
    assert shown_names(["a (2)", "a", "a"]) == ["a (2)", "a", "a (3)"]


def test_class_24_has_the_look_of_class_0():
    looks = [color(number) for number in range(24)]
    assert len({(look["color"], look["dash"]) for look in looks}) == 24
    assert color(24) == looks[0]


@pytest.mark.parametrize(
    ("hexadecimal", "opacity", "expected"),
    [("#000000", 0.5, "rgba(0, 0, 0, 0.5)"), ("#ff8001", 1, "rgba(255, 128, 1, 1)")],
)
def test_faded_color_by_hand(hexadecimal, opacity, expected):
    assert faded(hexadecimal, opacity) == expected


@pytest.mark.parametrize(
    ("values", "shape"),
    [([1, 2], (2,)), ([[1, 2]], (1, 2)), ([[1, 2]], (None, 2)), ([[1, 2]], (None, None)), ([], (None,))],
)
def test_array_of_the_shape_wanted_becomes_floats(values, shape):
    found = checked("counts", values, shape)
    assert found.dtype == np.float64
    assert found.tolist() == values


@pytest.mark.parametrize(
    ("values", "shape", "message"),
    [
        ([1, 2, 3], (2,), r"counts has shape \(3,\)[;.] .xpected \(2\)"),
        ([1, 2], (2, None), r"counts has shape \(2,\)[;.] .xpected \(2, any\)"),
        (5, (None,), r"counts has shape \(\)[;.] .xpected \(any\)"),
    ],
    ids=["length", "dimensions", "scalar"],
)
def test_array_of_another_shape_is_refused(values, shape, message):
    with pytest.raises(ValueError, match=message):
        checked("counts", values, shape)


@pytest.mark.parametrize(("title", "top"), [(None, 16), ("Cats", 48)], ids=["no title", "title"])
def test_figure_leaves_room_for_its_title(title, top):
    layout = figure(title=title, x="class", y="count").layout
    assert (layout.title.text, layout.margin.t) == (title, top)


def test_layout_that_is_given_replaces_the_default():
    assert figure(title=None, x="x", y="y", hovermode="closest").layout.hovermode == "closest"


def test_axes_start_at_zero():
    assert figure(title=None, x="x", y="y").layout.yaxis.rangemode == "tozero"


NO_PLOTLY = """
import sys
sys.modules["plotly"] = None
from penstock.errors import MissingDependencyError
from penstock.plots import class_histogram
try:
    class_histogram(["cat"], [1])
except MissingDependencyError as error:
    print(error)
"""


def test_figure_without_plotly_names_what_installs_it():
    done = subprocess.run([sys.executable, "-c", NO_PLOTLY], capture_output=True, text=True, check=True)
    assert "pip install plotly" in done.stdout


def test_every_color_is_told_apart_from_raw_gray():
    assert _theme.RAW not in _theme.COLORS
    assert len(set(_theme.COLORS)) == len(_theme.COLORS) == 8
