from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from penstock.errors import DatasetError, PenstockError, SampleError
from penstock.storage import column_names, table_of
from penstock.table._stored import cells_of_columns
from penstock.table.drafts._edited import sample_of_cell
from penstock.tensors import TensorSpec, decode_json, encode_sample, make_spec, with_type


def _nested(depth: int, kind: type) -> object:
    value: object = kind()
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


class _Unreadable:
    """A value of another library that fails however it is looked at."""

    def __repr__(self):
        raise RuntimeError("no text")

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")

    def __iter__(self):
        raise RuntimeError("no items")


def _cycle() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


LONE = "caf\udce9.jpg"  # as os.listdir gives the name b"caf\xe9.jpg"

REFUSED = [
    ("text", {}, LONE, "lone surrogate"),
    ("text", {}, "\ud800", "lone surrogate"),
    ("text", {}, np.str_(LONE), "lone surrogate"),
    ("text", {}, b"bytes", "Expected a str"),
    ("json", {}, LONE, "lone surrogate"),
    ("json", {}, {"a": [LONE]}, "lone surrogate"),
    ("json", {}, {LONE: 1}, "lone surrogate"),
    ("json", {}, _nested(100_000, list), "nested too deep"),
    ("json", {}, _nested(100_000, dict), "nested too deep"),
    ("json", {}, _nested(700, list), "nested"),
    ("json", {}, _cycle(), "nested too deep|Circular"),
    ("json", {}, {1: "a", "1": "b"}, "two keys"),
    ("json", {}, {"a": float("nan")}, "Expected a JSON value"),
    ("json", {}, np.longdouble("1e4000"), "Expected a JSON value"),
    ("json", {}, {"a": {1, 2}}, "set is not a JSON value"),
    ("json", {}, {(1, 2): 3}, "Expected a JSON value"),
    ("class_label", {}, b"ab", "an ordered list"),
    ("class_label", {}, {"a": 1}, "an ordered list"),
    ("class_label", {}, {1, 2}, "an ordered list"),
    ("class_label", {}, [2**31], "Expected 0 to"),
    ("class_label", {}, [2**63], "too large"),
    ("class_label", {}, np.array([2**63], np.uint64), "class index 9223372036854775808"),
    ("class_label", {}, [1.5], "class names or indices"),
    ("class_label", {}, [True], "class names or indices"),
    ("class_label", {}, [math.inf], "class names or indices"),
    ("bbox", {}, [[0, 0, 1, 1e39]], "largest value of float32"),
    ("bbox", {}, [[0, 0, 1, math.nan]], "finite"),
    ("bbox", {}, [["0", "0", "1", "1"]], "Expected numbers"),
    ("bbox", {"dtype": "float16"}, [[0, 0, 1, 70_000]], "largest value of float16"),
    ("embedding", {}, [1e39], "largest value of float32"),
    ("embedding", {}, [10**30, 10**400], "too large"),
    ("embedding", {"dtype": "float16"}, np.array([70_000.0]), "largest value of float16"),
    ("embedding", {"dtype": "float16"}, np.array([70_000], np.int64), "largest value of float16"),
    ("generic", {"dtype": "float32"}, 1e39, "largest value of float32"),
    ("generic", {"dtype": "float16"}, [1.0, 65_520.0], "largest value of float16"),
    ("generic", {"dtype": "float16"}, 2**63, "largest value of float16|represent exactly"),
    ("generic", {"dtype": "uint8"}, -1, "values that uint8 can hold"),
    ("generic", {"dtype": "uint8"}, 256, "values that uint8 can hold"),
    ("generic", {"dtype": "int8"}, 128, "values that int8 can hold"),
    ("generic", {"dtype": "int64"}, 2**63, "values that int64 can hold"),
    ("generic", {"dtype": "int64"}, float(2**63), "values that int64 can hold"),
    ("generic", {"dtype": "uint64"}, float(2**64), "values that uint64 can hold"),
    ("generic", {"dtype": "int64"}, math.nan, "values that int64 can hold"),
    ("generic", {"dtype": "int64"}, math.inf, "values that int64 can hold"),
    ("generic", {"dtype": "int64"}, 1.5, "values that int64 can hold"),
    ("generic", {"dtype": "bool"}, 2, "values that bool can hold"),
    ("generic", {}, [[1, 2], [3]], "unequal lengths"),
    ("generic", {}, np.longdouble(1), "at most 64 bits"),
    ("generic", {}, 1j, "Expected numbers"),
    ("generic", {}, np.datetime64("2020-01-01"), "Expected numbers"),
    ("generic", {}, _nested(900, list), "regular array"),
    ("segment_mask", {"dtype": "uint8"}, np.full((2, 2), 300), "values that uint8 can hold"),
    ("segment_mask", {}, np.full((2, 2), -1), "values that uint16 can hold"),
    ("image", {}, "a\0b", "not a valid file name"),
    ("image", {}, "\ud800", "not a valid file name"),
    *(
        (htype, {}, _Unreadable(), "_Unreadable")
        for htype in ("text", "json", "bbox", "generic", "class_label", "image")
    ),
]


@pytest.mark.parametrize(("htype", "options", "value", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_stored_is_refused_in_words(htype, options, value, words):
    with pytest.raises(SampleError, match=words) as caught:
        encode_sample(make_spec("values", htype, **options), value)
    assert " at 0x" not in str(caught.value)
    assert "codec can't" not in str(caught.value)


ODD = [
    None, "", "a\0b", "\ufeffbom", "\uffff\U0010ffff", "a\r\n\x1b[31m", np.str_("np"), "x" * 100_000,
    0, -1, True, np.True_, 255, 256, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, 10**400,
    0.5, -0.0, math.nan, math.inf, -math.inf, 65_504.0, 1e39, 1e308, 5e-324, np.float16(1.5), np.float32(0.1),
    np.longdouble(1) / 3, 1j, Decimal("1.5"), Fraction(1, 3), np.datetime64("NaT"), np.timedelta64(1, "s"),
    [], [[]], [[], []], [1], [1, 2, 3], [1, None], [None], ["1"], [[1, 2], [3, 4]], [1, [2]], range(3), (1, 2),
    {"a": 1}, {}, {1: 2}, {True: 1, "true": 2}, {"a": np.int64(5)}, {"a": np.array([1, 2])}, {"a": (1, 2)}, {"\0": "\0"},
    [2**63], [-1], [10**30], [1, 2, 3, 4], [[1, 2, 3, 4]], [[1, 2, 3, 4], [5, 6, 7, 8]], [["a", "b", "c", "d"]],
    np.zeros(0), np.zeros((0, 4)), np.zeros((2, 0)), np.array(5), np.array([1, 2], ">i4"), np.arange(10)[::2],
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array([1, 2], object), np.array([1, "a"], object),
    np.array("zero-d"), np.array(["a", "b"]), np.array([b"a"]), np.array([1 + 2j]), np.array([300], np.int64),
    np.array([2**63], np.uint64), np.array([1e39]), np.array([True, False]), np.ma.array([1, 2], mask=[0, 1]),
    np.ones((2, 2), bool), np.ones((2, 2), np.uint8), np.full((2, 2), 70_000), memoryview(b"abc"), object(), int, ...,
]  # fmt: skip

KINDS = [
    ("generic", {}), ("generic", {"dtype": "uint8"}), ("generic", {"dtype": "int64"}), ("generic", {"dtype": "uint64"}),
    ("generic", {"dtype": "float16"}), ("generic", {"dtype": "float64"}), ("generic", {"dtype": "bool"}), ("text", {}),
    ("json", {}), ("class_label", {}), ("class_label", {"class_names": ["a", "b"]}), ("bbox", {}),
    ("bbox", {"dtype": "float16"}), ("embedding", {}), ("embedding", {"dtype": "float16"}), ("binary_mask", {}),
    ("segment_mask", {}), ("segment_mask", {"dtype": "uint64"}),
]  # fmt: skip


def _stored(spec: TensorSpec, value: object) -> object:
    """The sample after it was a cell and a column."""
    table = table_of(np.arange(1), {spec: [encode_sample(spec, value)]})
    return sample_of_cell(spec, cells_of_columns(spec, {name: table[name] for name in column_names(spec)}, 1)[0])


def _is_equal(spec: TensorSpec, value: object, stored: object) -> bool:
    if value is None or stored is None:
        return value is None and (stored is None or len(stored) == 0)
    if spec.htype == "text":
        return str(value) == stored
    if spec.htype == "json":
        return stored == _as_json(value)
    if spec.htype == "class_label":
        named = [spec.class_names.index(entry) if isinstance(entry, str) else int(entry) for entry in np.ravel(value)]
        return stored.tolist() == named
    given = np.asarray(value, object if np.asarray(value).dtype == object else None)
    given = given.reshape(stored.shape) if spec.htype == "bbox" and given.size == stored.size else given
    if spec.htype == "binary_mask":
        given = given != 0
    if given.shape != stored.shape:
        return False
    digits = {"float16": 1e-3, "float32": 1e-6}.get(spec.dtype, 0)
    pairs = zip(given.ravel().tolist(), stored.ravel().tolist(), strict=True)
    return all(_close(one, two, digits) for one, two in pairs)


def _close(given: object, stored: object, digits: float) -> bool:
    given = float(given) if isinstance(stored, float) else given
    both_nan = isinstance(stored, float) and math.isnan(stored) and math.isnan(given)
    least = 1e-7 if digits else 0
    return both_nan or given == stored or (digits and math.isclose(given, stored, rel_tol=digits, abs_tol=least))


def _as_json(value: object) -> object:
    if isinstance(value, dict):
        return {"true" if key is True else str(key): _as_json(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return float(value) if isinstance(value, np.floating) else getattr(value, "item", lambda: value)()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("htype", "options"), KINDS, ids=lambda value: str(value))
def test_every_odd_value_is_stored_equal_or_refused(htype, options):
    accepted = 0
    for value in ODD:
        spec = with_type(make_spec("values", htype, **options), [value])
        try:
            stored = _stored(spec, value) if spec.is_typed else encode_sample(spec, value).value
        except PenstockError:
            continue
        accepted += 1
        if not spec.is_typed:
            assert value is None
        elif isinstance(value, np.datetime64) and htype == "json":
            assert stored is None
        else:
            assert _is_equal(spec, value, stored), f"{value!r} came back as {stored!r}"
    assert accepted >= 2


def test_a_class_name_that_utf8_cannot_hold_is_refused():
    with pytest.raises((DatasetError, SampleError), match="lone surrogate"):
        make_spec("labels", "class_label", class_names=["cat", LONE])


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "1" * 5000, ""], ids=["deep", "cut", "long number", "empty"])
def test_stored_json_that_cannot_be_read_is_an_error_of_ours(text):
    with pytest.raises(SampleError, match=r"a stored JSON value of 'notes' cannot be read"):
        decode_json(TensorSpec(name="notes", htype="json"), text)
