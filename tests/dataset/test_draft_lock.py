"""Two processes over one dataset: each commits its own edits only, and one at a time edits."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import time
import warnings

import pytest

import penstock
from penstock.errors import DraftHeldError
from tests.dataset.peers import Peer

AGES = [0, 0, 0, 0]


@pytest.fixture
def path(tmp_path):
    ds = penstock.empty(tmp_path / "shared")
    ds.create_tensor("age")
    ds.extend({"age": AGES})
    ds.commit("start")
    return ds.path


@pytest.fixture(scope="module")
def lasting_peer():
    """One process for the tests that do not end it."""
    peer = Peer()
    yield peer
    peer.end()


@pytest.fixture
def peer(lasting_peer, path):
    lasting_peer(f"ds = penstock.load({path!r})")
    yield lasting_peer
    lasting_peer("ds.take_over(); ds.discard_edits()")
    lasting_peer("del ds")


@pytest.fixture
def mortal(path):
    peer = Peer()
    peer(f"ds = penstock.load({path!r})")
    yield peer
    peer.kill()


def loaded(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return penstock.load(path, **options)


def committed(path):
    """Return the ages of the last commit, whoever has edits."""
    ds = loaded(path, read_only=True)
    return penstock.load(path, version=ds.commit_id).age.numpy().ravel().tolist()


# ---- who may edit ------------------------------------------------------------------------------


def test_an_edit_is_refused_while_another_process_has_edits(path, peer):
    ds = penstock.load(path)
    peer("ds.age[0] = 5")
    with pytest.raises(DraftHeldError) as raised:
        ds.age[1] = 7
    assert (raised.value.holder.pid, raised.value.path, raised.value.branch) == (peer.pid, path, "main")
    assert isinstance(raised.value, PermissionError)
    assert (ds.num_edits, ds.age.numpy().ravel().tolist()) == (0, AGES)


def test_the_refusal_says_who_edits_since_when_and_what_to_do(path, peer):
    ds = penstock.load(path)
    peer("ds.age[0] = 5")
    with pytest.raises(DraftHeldError) as raised:
        ds.age[1] = 7
    text = str(raised.value)
    assert re.search(
        rf"process {peer.pid} on {re.escape(os.uname().nodename)}, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", text
    )
    assert all(words in text for words in ("wait", "ds.checkout(name, create=True)", "ds.take_over()"))


@pytest.mark.parametrize("ends", ["ds.commit('five')", "ds.discard_edits()", "ds.reset()", "ds.age[0] = 5; del ds"])
def test_an_edit_is_possible_again_once_the_other_process_has_none(path, lasting_peer, ends):
    lasting_peer(f"ds = penstock.load({path!r}); ds.age[0] = 5")
    ds = loaded(path)
    lasting_peer(ends)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the edits that nobody has any more
        ds.age[1] = 7
    assert ds.num_edits == 1


def test_a_refused_value_leaves_the_draft_to_others(path, peer):
    ds = penstock.load(path)
    with pytest.raises(penstock.errors.SampleError):
        ds.age[1] = "seven"
    assert peer("ds.age[0] = 5") is None


def test_samples_are_appended_and_committed_while_another_process_edits(path, peer):
    ds = penstock.load(path)
    peer("ds.age[0] = 5")
    ds.append({"age": 9})
    ds.commit("nine")
    assert committed(path) == [0, 0, 0, 0, 9]
    peer("ds.commit('five')")
    assert committed(path) == [5, 0, 0, 0, 9]


def test_two_handles_of_one_process_both_edit(path, peer):
    one, two = penstock.load(path), penstock.load(path)
    one.age[0] = 1
    two.age[1] = 2
    one.commit("one")
    assert peer("ds.age[2] = 3")[0] == "DraftHeldError"
    two.commit("two")
    assert peer("ds.refresh(); ds.age[2] = 3") is None
    assert committed(path) == [1, 2, 0, 0]


def test_a_link_to_the_folder_is_the_same_dataset(path, peer, tmp_path):
    (tmp_path / "link").symlink_to(path)
    one, two = penstock.load(path), penstock.load(tmp_path / "link")
    one.age[0] = 1
    two.age[1] = 2
    one.commit("one")
    assert peer("ds.age[2] = 3")[0] == "DraftHeldError"
    two.commit("two")


def test_a_dataset_that_is_only_read_keeps_nobody_from_editing(path, peer):
    dead = penstock.load(path)
    dead.age[0] = 5
    del dead
    ds = penstock.load(path)
    assert ds.age.numpy().ravel().tolist() == [5, 0, 0, 0]
    peer(f"ds = penstock.load({path!r})")
    assert peer("ds.age[1] = 7") is None


# ---- what is shown -----------------------------------------------------------------------------


def test_edits_of_another_process_are_named_and_shown(path, peer):
    peer("ds.age[0] = 5")
    with pytest.warns(UserWarning, match=rf"process {peer.pid} on"):
        ds = penstock.load(path)
    assert (ds.num_edits, ds.has_changes, ds.age.numpy().ravel().tolist()) == (1, True, [5, 0, 0, 0])
    assert ds.draft_holder.pid == peer.pid


@pytest.mark.parametrize(
    "step",
    [
        lambda ds: ds.commit("mine"),
        lambda ds: ds.commit("mine", rows=[0]),
        lambda ds: ds.age.__setitem__(0, 7),
        lambda ds: ds.discard_edits(),
        lambda ds: ds.discard_edits("age", [0]),
    ],
    ids=["commit", "commit of a sample", "edit", "discard", "discard of a sample"],
)
def test_shown_edits_of_another_process_are_not_committed_or_dropped_here(path, peer, step):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    with pytest.raises(DraftHeldError):
        step(ds)
    assert (ds.num_edits, committed(path)) == (1, AGES)


def test_reset_leaves_shown_edits_of_another_process(path, peer):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    ds.append({"age": 9})
    ds.reset()
    assert ds.age.numpy().ravel().tolist() == [5, 0, 0, 0]
    peer("ds.commit('five')")
    assert committed(path) == [5, 0, 0, 0]


def test_a_commit_beside_shown_edits_has_only_what_was_appended_here(path, peer):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    ds.append({"age": 9})
    ds.commit("nine")
    assert committed(path) == [0, 0, 0, 0, 9]
    assert ds.age.numpy().ravel().tolist() == [5, 0, 0, 0, 9]


@pytest.mark.parametrize("read_only", [True, False])
def test_edits_of_another_process_are_read_again_by_refresh(path, peer, read_only):
    peer("ds.age[0] = 5")
    ds = loaded(path, read_only=read_only)
    assert ds.age.numpy().ravel().tolist() == [5, 0, 0, 0]
    peer("ds.age[0] = 6; ds.commit('six')")
    ds.refresh()
    assert (ds.num_edits, ds.age.numpy().ravel().tolist()) == (0, [6, 0, 0, 0])


def test_a_copy_in_another_process_shows_what_its_dataset_shows(path, peer):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    assert peer(f"__import__('pickle').loads({pickle.dumps(ds)!r}).age.numpy().ravel().tolist()") == [5, 0, 0, 0]


def test_no_process_is_named_where_none_has_edits(path, peer):
    ds = penstock.load(path)
    peer("ds.age[0] = 5; ds.commit('five')")
    assert ds.draft_holder is None


# ---- a branch of one's own, and taking over ----------------------------------------------------


def test_another_branch_is_edited_meanwhile(path, peer):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    ds.checkout("mine", create=True)
    ds.age[1] = 7
    ds.commit("seven")
    peer("ds.commit('five')")
    assert (ds.age.numpy().ravel().tolist(), committed(path)) == ([0, 7, 0, 0], [5, 0, 0, 0])


def test_a_draft_without_an_owner_is_the_first_ones_who_edits_it(path, peer):
    dead = penstock.load(path)
    dead.age[0] = 5
    del dead
    ds = penstock.load(path)
    peer(f"ds = penstock.load({path!r})")
    peer("ds.age[1] = 7")
    with pytest.raises(DraftHeldError):
        ds.commit("five")
    ds.checkout("mine", create=True)
    assert ds.num_edits == 0
    peer("ds.commit('both')")
    assert committed(path) == [5, 7, 0, 0]


def test_edits_are_taken_over(path, peer):
    peer("ds.age[0] = 5; ds.age[1] = 6")
    ds = loaded(path)
    assert ds.take_over() == 2
    ds.age[1] = 7
    ds.commit("both")
    assert committed(path) == [5, 7, 0, 0]


def test_edits_of_a_tensor_that_is_new_here_are_taken_over(path, peer):
    ds = penstock.load(path)
    peer("_ = ds.create_tensor('size')")
    peer("ds.size[0] = 1.5")
    with pytest.raises(DraftHeldError):
        ds.age[0] = 5
    assert ds.take_over() == 1
    assert ds.size[0].numpy() == 1.5


@pytest.mark.parametrize("step", ["ds.age[2] = 1", "ds.commit('five')", "ds.discard_edits()"])
def test_the_process_whose_edits_were_taken_over_is_refused(path, peer, step):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    ds.take_over()
    assert peer(step)[0] == "DraftHeldError"
    ds.commit("taken")
    assert committed(path) == [5, 0, 0, 0]


def test_edits_that_were_taken_over_and_discarded_do_not_come_back(path, peer):
    peer("ds.age[0] = 5")
    ds = loaded(path)
    ds.take_over()
    ds.discard_edits()
    peer("ds.age[1] = 7; ds.commit('seven')")
    assert committed(path) == [0, 7, 0, 0]


def test_edits_in_a_block_that_others_took_over_from_are_not_lost(path, peer):
    ds = penstock.load(path)
    peer("ds.take_over()")
    peer("ds.discard_edits()")
    with ds:
        ds.age[0] = 5
        peer("ds.take_over()")
        assert peer("ds.age[1] = 7; ds.commit('seven')") is None
    assert committed(path) == [0, 7, 0, 0]
    ds.refresh()
    ds.commit("five")
    assert committed(path) == [5, 7, 0, 0]


# ---- processes that end ------------------------------------------------------------------------


@pytest.mark.slow
def test_the_commit_after_a_killed_process_has_no_edits_of_its(path, mortal):
    ds = penstock.load(path)
    mortal("ds.age[0] = 5")
    mortal.kill()
    with pytest.warns(UserWarning, match="another process left uncommitted edits"):
        ds.age[1] = 7
    ds.commit("seven")
    assert committed(path) == [0, 7, 0, 0]
    again = penstock.load(path)
    assert (again.num_edits, again.age.numpy().ravel().tolist()) == (1, [5, 7, 0, 0])


@pytest.mark.slow
def test_a_kernel_that_is_started_again_finds_its_draft_though_its_children_still_run(path, mortal):
    mortal("import os, time")
    mortal("ds.age[0] = 5")
    child = mortal("os.fork() or time.sleep(600)")
    try:
        mortal.kill()
        ds = penstock.load(path)
        assert (ds.draft_holder, ds.num_edits) == (None, 1)
        ds.age[1] = 6
        ds.commit("both")
    finally:
        os.kill(child, 9)
    assert committed(path) == [5, 6, 0, 0]


def test_a_forked_child_reads_and_cannot_edit_and_frees_nothing_of_its_parent(path, peer):
    ds = penstock.load(path)
    ds.age[0] = 5
    receiver, sender = multiprocessing.get_context("fork").Pipe()

    def work():
        try:
            ds.age[1] = 7
        except penstock.errors.StorageError as error:
            sender.send((ds.age.numpy().ravel().tolist(), "forked" in str(error)))

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    assert receiver.poll(60)
    assert receiver.recv() == ([5, 0, 0, 0], True)
    child.join(60)
    assert peer("ds.age[1] = 7")[0] == "DraftHeldError"


# ---- at the same moment ------------------------------------------------------------------------


def test_only_one_of_two_processes_that_begin_at_once_edits(path, peer):
    ds, ages = penstock.load(path), list(AGES)
    for turn in range(1, 11):
        start = time.time() + 0.02
        peer.send(f"import time; time.sleep(max(0, {start!r} - time.time())); ds.refresh(); ds.age[0] = {turn}")
        time.sleep(max(0, start - time.time()))
        ds.refresh()
        try:
            ds.age[1] = turn
        except DraftHeldError:
            here = False
        else:
            here = True
        there = peer.answer() is None
        assert here != there
        assert ds.commit(f"turn {turn}") if here else peer(f"ds.commit('turn {turn}')")
        ages[1 if here else 0] = turn
        assert committed(path) == ages
