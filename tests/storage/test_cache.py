from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from penstock import Cache
from penstock.engines._memory import SharedMemory
from penstock.engines._messages import from_parts, load, public_parts, store
from penstock.errors import DatasetError
from penstock.storage import Location
from penstock.storage.caching._cache import chosen_cache, keep_entries, kept_entries
from penstock.storage.caching._keys import key_of

LIMIT = 64_000


def _entries(numbers, size=1000):
    return [(key_of("entry", number), bytes([number % 256]) * size) for number in numbers]


def _kept(cache, numbers):
    found = kept_entries(cache, [key_of("entry", number) for number in numbers])
    return [number for number, content in zip(numbers, found, strict=True) if content is not None]


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache", limit=LIMIT)


def _in_another_process(cache):
    """Return the same cache as a process finds it that has nothing of it in memory."""
    from penstock.storage.caching._packs import Packs

    return Packs(cache.folder)


def test_a_content_is_found_under_its_key_alone(cache):
    keep_entries(cache, _entries([1, 2]))
    found = kept_entries(cache, [key_of("entry", 2), key_of("entry", 3), key_of("entry", 1)])
    assert [content and bytes(content[:1]) for content in found] == [b"\x02", None, b"\x01"]


@pytest.mark.parametrize("content", [b"", b"\0", b"x" * 5000], ids=["empty", "zero", "long"])
def test_any_content_comes_back_in_another_process(cache, content):
    keep_entries(cache, [(key_of("one"), content)])
    assert bytes(_in_another_process(cache).get([key_of("one")])[0]) == content


def test_entries_of_another_process_are_found_while_it_runs(cache):
    other = _in_another_process(cache)
    assert other.get([key_of("entry", 1)]) == [None]
    keep_entries(cache, _entries([1]))
    other._next_look = 0.0
    assert other.get([key_of("entry", 1)])[0] == bytes([1]) * 1000


def test_the_limit_is_kept(cache):
    for number in range(300):
        keep_entries(cache, _entries([number]))
        assert cache.size <= LIMIT, number
    assert len(_kept(cache, range(300))) > 40


def test_what_was_used_least_recently_goes_first(cache):
    keep_entries(cache, _entries(range(40)))
    old = {path.name: 1_000_000 for path in cache.folder.glob("*.pack")}
    for name, seconds in old.items():
        os.utime(cache.folder / name, (seconds, seconds))
    assert _kept(cache, range(5)) == [0, 1, 2, 3, 4]
    keep_entries(cache, _entries(range(100, 140)))
    assert _kept(cache, range(5)) == [0, 1, 2, 3, 4]
    assert len(_kept(cache, range(5, 40))) < 35


def test_what_is_larger_than_the_limit_is_not_kept(cache):
    keep_entries(cache, [(key_of("large"), b"x" * LIMIT)])
    assert kept_entries(cache, [key_of("large")]) == [None]
    assert cache.size == 0


def _flip(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    "damage", [_flip, lambda content: content[:-1], lambda content: b"", lambda content: b"\0" * len(content)],
    ids=["bit", "short", "empty", "zeros"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["pack", "keys"])
def test_a_damaged_entry_is_none_and_can_be_kept_again(cache, damage, kind):
    keep_entries(cache, _entries([1]))
    file = next(cache.folder.glob(f"*.{kind}"))
    file.write_bytes(damage(file.read_bytes()))
    other = _in_another_process(cache)
    assert other.get([key_of("entry", 1)]) == [None]
    other.put(_entries([1]), LIMIT)
    assert other.get([key_of("entry", 1)])[0] == bytes([1]) * 1000


def test_a_pack_that_is_gone_is_no_error(cache):
    keep_entries(cache, _entries(range(5)))
    for file in cache.folder.glob("*.pack"):
        file.unlink()
    assert _in_another_process(cache).get([key_of("entry", 1)]) == [None]


def test_a_content_that_was_replaced_is_the_newer_one(cache):
    for content in (b"old", b"new!"):
        keep_entries(cache, [(key_of("one"), content)])
    assert kept_entries(cache, [key_of("one")])[0] == b"new!"
    assert _in_another_process(cache).get([key_of("one")])[0] == b"new!"


def test_a_cleared_cache_is_empty_and_goes_on(cache):
    keep_entries(cache, _entries(range(5)))
    cache.clear()
    assert (cache.size, _kept(cache, range(5))) == (0, [])
    keep_entries(cache, _entries([7]))
    assert _kept(cache, [7]) == [7]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    keep_entries(cache, _entries([1]))
    assert kept_entries(cache, [key_of("entry", 1)]) == [None]
    assert "no longer cached" in caplog.text


def test_the_last_of_a_disk_is_left_to_others(cache, monkeypatch):
    keep_entries(cache, _entries(range(10)))
    before = cache.size
    monkeypatch.setattr("penstock.storage.caching._packs._RESERVE", 2**62)
    keep_entries(cache, _entries(range(100, 110)))
    assert cache.size <= before
    monkeypatch.undo()
    keep_entries(cache, _entries(range(100, 110)))
    assert _kept(cache, range(100, 110)) == list(range(100, 110))


def test_a_forked_child_writes_to_a_pack_of_its_own(cache):
    keep_entries(cache, _entries([1]))
    child = os.fork()
    if child == 0:
        keep_entries(cache, _entries([2]))
        os._exit(0 if _kept(cache, [1, 2]) == [1, 2] else 1)
    assert os.waitpid(child, 0)[1] == 0
    keep_entries(cache, _entries([3]))
    assert _in_another_process(cache).get([key_of("entry", 2)])[0] == bytes([2]) * 1000


_WORK = """
import sys
from penstock import Cache
from penstock.storage.caching._cache import keep_entries, kept_entries
from penstock.storage.caching._keys import key_of
cache, first = Cache(sys.argv[1], limit=int(sys.argv[2])), int(sys.argv[3])
for round in range(5):
    for number in range(first, first + 40):
        found = kept_entries(cache, [key_of("entry", number)])[0]
        assert found is None or found == bytes([number % 256]) * 1000, number
        if found is None:
            keep_entries(cache, [(key_of("entry", number), bytes([number % 256]) * 1000)])
print("writing", flush=True)
if len(sys.argv) > 4:
    while True:
        keep_entries(cache, [(key_of("more", number), bytes(1000)) for number in range(1000)])
"""


def _process(cache, first, *rest):
    command = [sys.executable, "-c", _WORK, str(cache.folder), str(cache.limit), str(first), *rest]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])


@pytest.mark.slow
def test_processes_at_once_read_right_contents_within_the_limit(cache):
    running = [_process(cache, first) for first in (0, 20)]
    assert [process.communicate(timeout=240)[1] for process in running] == [b""] * 2
    assert cache.size <= LIMIT + 2 * LIMIT // 64


@pytest.mark.slow
def test_a_killed_process_leaves_a_cache_that_works(cache):
    with _process(cache, 0, "forever") as process:
        process.stdout.readline()
        process.kill()
    keep_entries(cache, _entries(range(50, 60)))
    assert _kept(cache, range(50, 60)) == list(range(50, 60))
    assert cache.size <= LIMIT


@pytest.mark.parametrize(
    ("text", "size"),
    [("10 GB", 10**10), ("1.5kb", 1500), ("2 MiB", 2 * 2**20), ("7", 7), (5, 5), ("1TB", 10**12), ("3 B", 3)],
)
def test_a_limit_is_a_size_in_text_or_bytes(tmp_path, text, size):
    assert Cache(tmp_path, limit=text).limit == size


@pytest.mark.parametrize("limit", [-1, True, "ten", "10 XB", "", 1.5, "-3", "1e3"], ids=repr)
def test_a_limit_that_is_no_size_is_refused(tmp_path, limit):
    with pytest.raises(DatasetError, match=r"is not valid\. Expected bytes"):
        Cache(tmp_path, limit=limit)


def test_the_environment_names_folder_and_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("PENSTOCK_CACHE_DIR", str(tmp_path / "here"))
    monkeypatch.setenv("PENSTOCK_CACHE_LIMIT", "3 MB")
    assert repr(chosen_cache(None)) == f"Cache({str(tmp_path / 'here')!r}, limit=3000000)"
    assert chosen_cache(tmp_path / "there") == Cache(tmp_path / "there", limit=3_000_000)
    assert chosen_cache(False) is None
    monkeypatch.setenv("PENSTOCK_CACHE_LIMIT", "0")
    assert chosen_cache(True) is None
    with pytest.raises(DatasetError, match=r"cache=5 is not valid\. Expected a penstock\.Cache"):
        chosen_cache(5)


def test_what_is_not_given_is_chosen_by_the_machine_that_reads_it(tmp_path, monkeypatch):
    theirs = str(tmp_path / "theirs")
    sent = [Location("s3://bucket/set", cache) for cache in (Cache(), Cache(limit=5), Cache(tmp_path / "ours"))]
    workers = [public_parts(location) for location in sent]
    memory = SharedMemory()
    local = store(sent[0], memory)
    monkeypatch.setenv("PENSTOCK_CACHE_DIR", theirs)
    monkeypatch.setenv("PENSTOCK_CACHE_LIMIT", "3 MB")
    found = [from_parts(parts).cache for parts in workers]
    assert found == [Cache(theirs, limit="3 MB"), Cache(theirs, limit=5), Cache(tmp_path / "ours", limit="3 MB")]
    assert load(memory, local).cache == sent[0].cache  # a process of this machine, whenever it was started
    memory.close()


def test_many_entries_are_found_after_they_were_sorted_in(tmp_path):
    cache = Cache(tmp_path / "cache", limit="1 GB")
    numbers = np.random.default_rng(0).permutation(10_000).tolist()
    for start in range(0, len(numbers), 1000):
        keep_entries(cache, _entries(numbers[start : start + 1000], size=3))
    assert len(_kept(cache, range(10_000))) == 10_000
    assert bytes(kept_entries(cache, [key_of("entry", 9999)])[0]) == bytes([9999 % 256]) * 3
