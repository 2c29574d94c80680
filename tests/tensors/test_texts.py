from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import SampleError
from penstock.tensors import decode_json, encode_sample, make_spec, storable_text
from penstock.tensors.wording._showing import plain_reason, shown

NOTES = make_spec("notes", "json")
PLAIN = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(value=JSON.filter(lambda value: value is not None))
def test_json_comes_back_equal(value):
    assert decode_json(NOTES, encode_sample(NOTES, value).value) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.array([[1, 2]]), [[1, 2]]),
        ({"a": np.float32(0.5)}, {"a": 0.5}),
        ([np.bool_(True), np.uint8(7)], [True, 7]),
        ((1, 2), [1, 2]),
        ([np.datetime64("2020-01-01", "ns")], [1_577_836_800_000_000_000]),
    ],
    ids=["array", "float32", "scalars", "tuple", "nanoseconds"],
)
def test_numbers_of_numpy_become_json(value, plain):
    assert decode_json(NOTES, encode_sample(NOTES, value).value) == plain


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "Out of range float values"),
        ({1: "a", "1": "b"}, "two keys of an object are"),
        ({"a": {1, 2}}, "set is not a JSON value"),
        (np.longdouble("1e4000"), "Out of range float values"),
    ],
    ids=["NaN", "equal keys", "set", "a number too large"],
)
def test_value_that_json_would_change_is_refused(value, message):
    with pytest.raises(SampleError, match=message):
        encode_sample(NOTES, value)


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_json_is_nested_500_deep_at_most():
    assert decode_json(NOTES, encode_sample(NOTES, nested(500)).value) == nested(500)
    with pytest.raises(SampleError, match=r"nested 501 .*more than 500"):
        encode_sample(NOTES, nested(501))


def test_brackets_in_texts_do_not_count_as_nesting():
    value = ["[" * 600, '"[' * 600]
    assert decode_json(NOTES, encode_sample(NOTES, value).value) == value


def test_many_lists_beside_one_another_do_not_count_as_nesting():
    value = [[]] * 2_000
    assert decode_json(NOTES, encode_sample(NOTES, value).value) == value


@settings(max_examples=60, deadline=None)
@given(text=PLAIN)
def test_text_that_utf8_holds_is_kept(text):
    assert storable_text(text, "the text") is text


@settings(max_examples=60, deadline=None)
@given(before=PLAIN, lone=st.characters(categories=["Cs"]), after=PLAIN)
def test_text_with_a_lone_surrogate_is_refused(before, lone, after):
    with pytest.raises(SampleError, match="with the lone surrogate"):
        storable_text(before + lone + after, "the text")


class Silent:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"abc", "3 bytes"),
        (bytearray(2), "2 bytes"),
        ("a\nb", r"'a\nb'"),
        (Silent(), "a value of type Silent"),
        (object(), "a value of type object"),
        (np.zeros((2, 2)), "array([[0., 0.], [0., 0.]])"),
    ],
    ids=["bytes", "bytearray", "newline", "no text", "address", "array"],
)
def test_shown_is_one_short_line(value, text):
    assert shown(value).endswith(text)


def test_shown_cuts_after_60_characters():
    assert len(shown(list(range(100)))) == 60


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RecursionError("maximum depth"), "it is nested too deep"),
        (OverflowError("x"), "a number is too large"),
        (ValueError("a\n  b at 0x7f00"), "a b"),
        (ValueError(), "ValueError"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "characters that UTF-8 cannot store"),
    ],
    ids=["recursion", "overflow", "address", "empty", "unicode"],
)
def test_plain_reason_is_one_line_of_words(error, text):
    assert text in plain_reason(error)
    assert "\n" not in plain_reason(error)
