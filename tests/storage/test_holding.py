"""Who holds a draft: recorded beside it, and free once the process has ended."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from obstore.store import MemoryStore

from penstock.storage import Location, draft_lock
from penstock.storage.holding._bucket import BucketRecord
from penstock.storage.holding._folder import LEASE_S, FolderRecord
from penstock.storage.leasing._holder import Holder

ELSEWHERE = replace(Holder.here("elsewhere", locked=False), machine="another", host="another", pid=1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "drafts"


def test_the_system_frees_what_an_open_lock_held(folder):
    mine = FolderRecord(folder)
    holder = mine.write("a", None)
    other = FolderRecord(folder)
    assert (other.read(), other.is_alive(holder)) == (holder, True)
    mine.forget()
    assert not other.is_alive(holder)


@pytest.mark.parametrize(("since_s", "alive"), [(0, True), (LEASE_S + 5, False)], ids=["now", "long ago"])
def test_a_process_elsewhere_without_locks_is_gone_once_it_no_longer_renews(folder, since_s, alive):
    record = FolderRecord(folder)
    folder.mkdir()
    record.renew(ELSEWHERE)
    file = folder / ".elsewhere.holds"
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime - since_s))
    assert record.is_alive(ELSEWHERE) is alive


def test_a_process_number_that_is_given_again_is_another_process():
    here = Holder.here("a", locked=True)
    assert not here.has_ended()
    assert replace(here, started="1").has_ended()
    assert not replace(here, started="1", machine="another").has_ended()


def test_a_record_that_changed_since_it_was_seen_is_left(folder):
    first, second = FolderRecord(folder), FolderRecord(folder)
    seen = second.read()
    held = first.write("a", None)
    assert second.write("b", seen) is None
    assert second.read() == held


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff"])
def test_a_damaged_record_names_nobody(folder, content):
    folder.mkdir()
    (folder / ".holder").write_bytes(content)
    record = FolderRecord(folder)
    assert record.read() is None
    assert record.write("a", None) is not None


@pytest.fixture
def bucket():
    store = MemoryStore()
    return lambda: BucketRecord(lambda: store, "drafts/main")


def test_a_record_in_an_object_store_is_written_by_one_of_two(bucket):
    first, second = bucket(), bucket()
    seen = second.read()
    held = first.write("a", None)
    assert (second.write("b", seen), second.read()) == (None, held)


def test_a_record_in_an_object_store_is_replaced_freed_and_renewed(bucket):
    first, second = bucket(), bucket()
    held = first.write("a", None)
    over = second.write("b", held)
    first.renew(held)
    first.remove(held)
    assert second.read() == over
    second.renew(over)
    second.remove(over)
    assert first.read() is None


def test_a_process_elsewhere_is_alive_while_it_renews_its_record_in_an_object_store(bucket):
    record = bucket()
    record.write("a", None)
    assert record.is_alive(ELSEWHERE)


def test_a_record_of_an_earlier_turn_is_not_taken_for_the_present_one(tmp_path):
    class Session:
        """One who edits."""

    location, session = Location(tmp_path), Session()
    lock, other = draft_lock(location, "drafts/main"), FolderRecord(tmp_path / "drafts" / "main")
    lock.take(session)
    lock.leave(session)
    seen = other.read()  # free by now
    lock.take(session)
    assert other.write("other", seen) is None
