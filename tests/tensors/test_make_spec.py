from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DatasetError, SampleError
from penstock.tensors import HTYPES, TensorSpec, make_spec


@pytest.mark.parametrize("name", ["x", "a/b", "a b", "a.b-c", "é", "7", "a_"])
def test_name_of_letters_and_digits_is_taken(name):
    assert make_spec(name).name == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", None),
        ("a//b", "use 'a_b'"),
        (" a", "use 'a'"),
        ("a/", "use 'a'"),
        ("a$b", "use 'a_b'"),
        (3, "use '3'"),
        ("…", None),
    ],
    ids=["empty", "two slashes", "blank first", "slash last", "dollar", "number", "no letter"],
)
def test_name_that_cannot_be_stored_is_refused_with_one_that_can(name, hint):
    with pytest.raises(DatasetError, match="letters, digits and underscores") as caught:
        make_spec(name)
    assert (f"Hint: {hint}" in str(caught.value)) if hint else ("Hint" not in str(caught.value))


def test_name_of_more_than_200_characters_is_refused():
    assert make_spec("x" * 200).name == "x" * 200
    with pytest.raises(DatasetError, match="letters, digits and underscores"):
        make_spec("x" * 201)


@pytest.mark.parametrize(
    ("htype", "dtype"),
    [
        ("generic", "float64"),
        ("image", "uint8"),
        ("link[image]", "uint8"),
        ("bbox", "float32"),
        ("class_label", "int64"),
        ("text", "str"),
        ("json", "str"),
        ("embedding", "float32"),
        ("binary_mask", "bool"),
        ("segment_mask", "uint16"),
    ],
)
def test_every_kind_has_a_type_of_its_own(htype, dtype):
    assert make_spec("x", htype).dtype == dtype


@pytest.mark.parametrize(
    ("htype", "hint"),
    [("images", "image"), ("link[text]", "link[image]"), ("class-label", "class_label"), ("zzz", None)],
)
def test_unknown_kind_is_refused_with_the_nearest(htype, hint):
    with pytest.raises(DatasetError, match=r"xpected one of:? generic, image, ") as caught:
        make_spec("x", htype)
    assert (f"did you mean '{hint}'?" in str(caught.value)) is (hint is not None)


@pytest.mark.parametrize(
    ("htype", "dtype", "stored"),
    [
        ("bbox", "float64", "float64"),
        ("embedding", "float16", "float16"),
        ("segment_mask", "int32", "int32"),
        ("generic", "bool", "bool"),
        ("class_label", "uint8", "int64"),
        ("text", "U5", "str"),
        ("json", object, "str"),
        ("image", "uint8", "uint8"),
    ],
)
def test_dtype_that_goes_with_the_kind_is_taken(htype, dtype, stored):
    assert make_spec("x", htype, dtype=dtype).dtype == stored


@pytest.mark.parametrize(
    ("htype", "dtype", "message"),
    [
        ("bbox", "int32", "another kind"),
        ("generic", "U5", "use htype='text'"),
        ("generic", "longdouble", "at most 64 bits"),
        ("image", "float32", "xpected 'uint8'"),
        ("text", "int8", "xpected 'str'"),
        ("class_label", "float32", "xpected 'int64'"),
        ("binary_mask", "uint8", "xpected 'bool'"),
        ("generic", "flaot32", "xpected the name of a numpy type"),
    ],
)
def test_dtype_that_contradicts_the_kind_is_refused(htype, dtype, message):
    with pytest.raises(DatasetError, match=message):
        make_spec("x", htype, dtype=dtype)


def test_jpg_is_jpeg():
    assert make_spec("x", "image", sample_compression="jpg").sample_compression == "jpeg"


@pytest.mark.parametrize(("htype", "compression"), [("image", "gif"), ("text", "png"), ("generic", "lz4")])
def test_compression_that_images_do_not_have_is_refused(htype, compression):
    with pytest.raises(DatasetError, match="xpected 'jpeg', 'png' or 'webp' for images"):
        make_spec("x", htype, sample_compression=compression)


@pytest.mark.parametrize(
    ("htype", "names", "message"),
    [
        ("text", ["a"], "xpected htype='class_label'"),
        ("class_label", "abc", "xpected a list of names"),
        ("class_label", ["a", ""], "xpected a list of names"),
        ("class_label", ["a", 1], "xpected a list of names"),
        ("class_label", ["a", "b", "a"], "'a' twice"),
    ],
    ids=["another kind", "text", "empty name", "number", "twice"],
)
def test_class_names_that_are_not_distinct_texts_are_refused(htype, names, message):
    with pytest.raises(DatasetError, match=message):
        make_spec("x", htype, class_names=names)


def test_class_name_with_a_lone_surrogate_is_refused():
    with pytest.raises(SampleError, match="lone surrogate"):
        make_spec("x", "class_label", class_names=["caf\udce9"])


def test_form_of_boxes_that_is_unknown_is_refused():
    with pytest.raises(DatasetError, match="xpected 'xywh' or 'xyxy'"):
        make_spec("x", "bbox", coords="cxcywh")


@settings(max_examples=60, deadline=None)
@given(
    spec=st.builds(
        TensorSpec,
        name=st.text(min_size=1),
        htype=st.sampled_from(HTYPES),
        link=st.booleans(),
        class_names=st.lists(st.text(min_size=1), unique=True).map(tuple),
        coords=st.sampled_from(["xywh", "xyxy"]),
        length_min=st.none() | st.integers(0, 5),
        length_max=st.none() | st.integers(0, 5),
        ndim=st.none() | st.integers(0, 4),
        inferred=st.booleans(),
        aligned_with=st.none() | st.text(min_size=1),
    )
)
def test_spec_is_equal_after_json(spec):
    assert TensorSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize(
    ("lengths", "single"), [((1, 1), True), ((0, 1), False), ((1, 2), False), ((None, None), False)]
)
def test_labels_are_single_valued_where_every_sample_has_one(lengths, single):
    assert TensorSpec(name="x", length_min=lengths[0], length_max=lengths[1]).single_valued is single


def test_kind_of_links_is_shown_as_users_write_it():
    assert make_spec("x", "link[image]").shown_htype == "link[image]"
