"""Processes forked while a dataset is open: they read it, with loaders of their own, and never wait for ever."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest

import penstock
from penstock.tensors import encode_image

pytestmark = pytest.mark.slow

SCRIPT = """
import multiprocessing, os, sys, threading, warnings
warnings.simplefilter("error")
import numpy as np
import penstock
from penstock.errors import PenstockError

def children(*steps):
    '''Run each step in a forked child; tell how it ended, 7 after an error.'''
    for step in steps:
        pid = os.fork()
        if pid == 0:
            try:
                step()
                os._exit(0)
            except BaseException as error:
                print(step.__name__, repr(error), flush=True)
                os._exit(7)
        print(step.__name__, os.waitpid(pid, 0)[1] >> 8, flush=True)

path = sys.argv[1]
ds = penstock.load(path)
rows = list(range(0, 40, 5))

def shades(dataset):
    return [int(image[0, 0, 0]) for image in dataset.images[:].numpy(aslist=True)]

def shade(sample):
    return {"shade": sample["images"][0, 0, 0]}

assert shades(ds[rows]) == rows
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """40 images whose pixels say which row they are."""
    path = tmp_path_factory.mktemp("forked") / "shades.penstock"
    ds = penstock.empty(path)
    ds.create_tensor("images", htype="image")
    ds.create_tensor("labels", htype="class_label", class_names=["even", "odd"])
    images = [encode_image(np.full((6, 8, 3), row, np.uint8), "png") for row in range(40)]
    ds.extend({"images": images, "labels": [row % 2 for row in range(40)]})
    ds.commit("shades")
    return path


def run(path, body):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + textwrap.dedent(body), str(path)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_children_read_datasets_views_and_loaders_that_were_read_before(path):
    body = """
        view = ds.query("select * where contains(labels, 'odd')")
        loader = ds.dataloader(seed=1).shuffle().batch(4).numpy(num_threads=2)
        iterator = iter(loader)
        order = [row for batch in ds.dataloader(seed=1).shuffle().batch(4).numpy() for row in batch["index"].tolist()]
        taken = next(iterator)["index"].tolist()

        def samples():
            assert shades(ds[rows]) == rows

        def a_view():
            assert shades(view) == list(range(1, 40, 2))
            assert len(ds.query("select * where contains(labels, 'even')")) == 20

        def the_iterator_under_way():
            assert taken + [row for batch in iterator for row in batch["index"].tolist()] == order

        def a_new_epoch():
            assert sorted(row for batch in loader for row in batch["index"].tolist()) == list(range(40))

        def a_new_loader():
            chain = view.dataloader().transform(shade).batch(20)
            assert next(iter(chain.numpy(num_threads=2)))["shade"].tolist() == list(range(1, 40, 2))

        children(samples, a_view, the_iterator_under_way, a_new_epoch, a_new_loader)
        assert taken + [row for batch in iterator for row in batch["index"].tolist()] == order
        print("parent")
    """
    names = ["samples", "a_view", "the_iterator_under_way", "a_new_epoch", "a_new_loader"]
    assert run(path, body) == [*(f"{name} 0" for name in names), "parent"]


def test_children_of_a_loader_with_workers_have_workers_of_their_own(path):
    body = """
        loader = ds.dataloader().transform(shade).batch(4).numpy(num_workers=1)
        iterator = iter(loader)
        taken = [next(iterator)["shade"].tolist()]

        def rest():
            return [batch["shade"].tolist() for batch in iterator]

        def the_iterator_under_way():
            assert sum(taken + rest(), []) == list(range(40))

        def a_new_epoch():
            assert sum([batch["shade"].tolist() for batch in loader], []) == list(range(40))
            loader.close()

        children(the_iterator_under_way, a_new_epoch)
        assert sum(taken + rest(), []) == list(range(40))
        loader.close()
        print("parent")
    """
    assert run(path, body) == ["the_iterator_under_way 0", "a_new_epoch 0", "parent"]


def test_a_forked_pool_works_on_datasets_and_views(path):
    body = """
        view = ds[rows]

        def of_row(row):
            return int(ds.images[row].numpy()[0, 0, 0])

        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.map(of_row, rows) == rows, pool.map(shades, [view, ds[rows]]) == [rows, rows])
            print(pool.map(len, [ds]))
    """
    assert run(path, body) == ["True True", "[40]"]


def test_a_spawned_process_takes_datasets_and_views(path):
    body = """
        import penstock.dataset
        from operator import methodcaller
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(pool.map(len, [ds, ds[rows]]))
            print(pool.map(methodcaller("__getitem__", 3), [ds[rows].labels])[0].numpy().tolist())
    """
    assert run(path, body) == ["[40, 8]", "[1]"]


def test_what_cannot_be_done_in_a_child_is_refused_at_once_with_the_way_out(path):
    body = """
        def refused(step):
            try:
                step()
            except PenstockError as error:
                assert "forked" in str(error) and "spawn" in str(error), error
            else:
                raise AssertionError("not refused")

        def opening():
            refused(lambda: penstock.load(path))

        def committing():
            refused(lambda: ds.commit("from a child"))

        children(opening, committing)
    """
    assert run(path, body) == ["opening 0", "committing 0"]


def test_rows_that_wait_to_be_written_are_written_once(path, tmp_path):
    body = f"""
        other = penstock.empty({str(tmp_path / "other.penstock")!r})
        other.create_tensor("numbers", dtype="int64")
        other.extend({{"numbers": [1, 2, 3]}})

        def reading():
            assert other.numbers[:].numpy().ravel().tolist() == [1, 2, 3]
            sys.exit(0)

        def leaving():
            pid = os.fork()
            if pid == 0:
                sys.exit(0)  # runs what is to be done at exit
            os.waitpid(pid, 0)

        children(reading, leaving)
        leaving()
        other.flush()
        print(len(other), len(penstock.load(other.path)))
    """
    assert run(path, body)[-1] == "3 3"


@pytest.mark.torch
def test_torchs_own_loader_forks_over_a_dataset_that_was_read(path):
    body = """
        from torch.utils.data import DataLoader

        def collate(samples):
            return [int(sample.images.numpy()[0, 0, 0]) for sample in samples]

        batches = DataLoader(ds, batch_size=8, num_workers=2, collate_fn=collate, multiprocessing_context="fork")
        print(sum(batches, []) == list(range(40)))
    """
    assert run(path, body) == ["True"]
