"""What a forked child finds: free locks, and refusals where the parent's threads would be needed."""

from __future__ import annotations

import os
import threading
from functools import cached_property

import pytest

from penstock.errors import StorageError
from penstock.storage import _fork
from penstock.storage._fork import renew_in_children, renewed_lock


def in_child(step):
    """Return the exit code of a step done in a forked child."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if step() else 1)
        except BaseException:  # noqa: BLE001  nothing of the test may run in the child
            os._exit(2)
    return os.waitpid(pid, 0)[1] >> 8


@pytest.fixture
def held():
    """A function that has another thread hold a lock until the test ends."""
    done = threading.Event()
    threads = []

    def hold(lock):
        taken = threading.Event()

        def keep():
            with lock:
                taken.set()
                done.wait()

        threads.append(threading.Thread(target=keep))
        threads[-1].start()
        taken.wait()

    yield hold
    done.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("kind", [threading.Lock, threading.RLock], ids=["Lock", "RLock"])
def test_a_lock_another_thread_holds_is_free_in_a_child(kind, held):
    lock = renewed_lock(kind())
    held(lock)
    assert in_child(lambda: lock.acquire(timeout=5)) == 0


def test_a_lock_the_forking_thread_holds_stays_its_own():
    lock = renewed_lock(threading.RLock())
    with lock:
        assert in_child(lambda: lock.release() is None) == 0


def test_what_was_registered_is_renewed_in_the_child_alone():
    class Counting:
        renewed = 0

        def renew(self):
            self.renewed += 1

    counting = Counting()
    renew_in_children(counting)
    assert in_child(lambda: counting.renewed == 1) == 0
    assert counting.renewed == 0


def test_cached_properties_that_another_thread_computes_do_not_block_a_child(held):
    lock = getattr(next(v for v in vars(Kept).values() if isinstance(v, cached_property)), "lock", None)
    if lock is not None:  # up to Python 3.11
        held(lock)
    assert in_child(lambda: Kept().value == 3) == 0


class Kept:
    @cached_property
    def value(self):
        return 3


Kept.__module__ = "penstock.storage._fork"
_fork.Kept = Kept


def test_what_lives_in_the_first_process_alone_is_refused_in_children():
    own = _fork._OwnProcess("nothing can be read")
    own.check()
    own.check()

    def refused():
        try:
            own.check()
        except StorageError as error:
            return "nothing can be read" in str(error) and "spawn" in str(error)

    assert in_child(refused) == 0
    fresh = _fork._OwnProcess("nothing can be read")
    assert in_child(lambda: fresh.check() is None) == 0
