from __future__ import annotations

import pytest

from penstock.tensors import make_spec, object_groups
from penstock.tensors._groups import group_of

SPECS = {
    spec.name: spec
    for spec in (
        make_spec("area", aligned_with="boxes"),
        make_spec("images", "image"),
        make_spec("boxes", "bbox"),
        make_spec("categories", "class_label", aligned_with="boxes"),
        make_spec("faces", "bbox"),
        make_spec("names", "json", aligned_with="faces"),
    )
}


def test_groups_are_those_of_more_than_one_tensor():
    assert object_groups(SPECS) == {"boxes": ("area", "boxes", "categories"), "faces": ("faces", "names")}


@pytest.mark.parametrize("name", ["area", "boxes", "categories"])
def test_every_member_tells_its_group(name):
    assert group_of(SPECS, name) == ("area", "boxes", "categories")


def test_tensor_that_is_alone_is_in_no_group():
    assert group_of(SPECS, "images") == ()
