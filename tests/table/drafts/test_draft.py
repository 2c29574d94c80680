from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.table.drafts._draft import Draft
from penstock.tensors import Cell

CELLS = st.builds(lambda number: Cell(value=np.array([number])), st.integers(0, 3))
EDITS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 4), CELLS), max_size=8)
FAST = settings(max_examples=80, deadline=None)


def drafted(edits: list) -> Draft:
    draft = Draft()
    for tensor, uid, cell in edits:
        draft = draft.with_edits(tensor, {uid: cell})
    return draft


def values(draft: Draft) -> dict:
    return {(name, uid): int(cell.value[0]) for name, edits in draft.edits.items() for uid, cell in edits.items()}


@FAST
@given(edits=EDITS)
def test_the_last_edit_of_a_sample_wins(edits):
    assert values(drafted(edits)) == {(tensor, uid): int(cell.value[0]) for tensor, uid, cell in edits}


@FAST
@given(edits=EDITS, data=st.data())
def test_digest_does_not_depend_on_the_order_of_different_edits(edits, data):
    unique = list({(tensor, uid): (tensor, uid, cell) for tensor, uid, cell in edits}.values())
    assert drafted(unique).digest() == drafted(data.draw(st.permutations(unique))).digest()


@FAST
@given(edits=EDITS)
def test_digest_is_that_of_the_last_edits_alone(edits):
    last = list({(tensor, uid): (tensor, uid, cell) for tensor, uid, cell in edits}.values())
    for tensor in (None, "a", "b"):
        assert drafted(edits).digest(tensor) == drafted(last).digest(tensor)


@FAST
@given(edits=EDITS, uids=st.sets(st.integers(0, 4)))
def test_draft_without_some_samples_has_the_digest_of_the_others(edits, uids):
    left = [(tensor, uid, cell) for tensor, uid, cell in edits if uid not in uids]
    found = drafted(edits).without(uids)
    assert values(found) == values(drafted(left))
    assert found.digest() == drafted(left).digest()


@pytest.mark.parametrize(
    ("cell", "other"),
    [
        (Cell(value=b"a"), Cell(value=b"b")),
        (Cell(value=None), Cell(value=b"")),
        (Cell(value=np.zeros(6), shape=(2, 3)), Cell(value=np.zeros(6), shape=(3, 2))),
        (Cell(value="s3://x", creds_key="a"), Cell(value="s3://x", creds_key="b")),
    ],
    ids=["value", "missing", "shape", "credentials"],
)
def test_digest_tells_edits_apart(cell, other):
    assert Draft().with_edits("a", {1: cell}).digest() != Draft().with_edits("a", {1: other}).digest()


def test_draft_without_edits_has_an_empty_digest():
    assert (Draft().digest(), Draft().digest("a"), bool(Draft()), len(Draft())) == ("", "", False, 0)


def test_draft_counts_a_sample_once_for_each_tensor():
    cell = Cell(value=b"x")
    assert len(Draft().with_edits("a", {1: cell, 2: cell}).with_edits("b", {1: cell})) == 3


def test_draft_without_one_tensor_keeps_the_others():
    cell = Cell(value=b"x")
    draft = Draft().with_edits("a", {1: cell}).with_edits("b", {1: cell})
    assert list(draft.without(None, "a").edits) == ["b"]
    assert not draft.without(None)


def test_a_new_edit_leaves_the_draft_it_was_made_from():
    before = Draft().with_edits("a", {1: Cell(value=b"x")})
    before.with_edits("a", {2: Cell(value=b"y")})
    assert list(before.edits["a"]) == [1]
