"""Downloads: verified before they count, continued where they were cut, nothing half cached."""

from __future__ import annotations

import os
import resource
import socket
import threading

import pytest

from penstock.batchup.datasets import SourceFile
from penstock.batchup.datasets import mnist as mnist_module
from penstock.batchup.datasets.files._files import ensure_files
from penstock.errors import DownloadError, ImporterError
from tests.batchup.datasets import published
from tests.batchup.datasets.test_sets import ALL

CONTENT = published.pixels(5, 100_000).tobytes()


def source(address, *more, content=CONTENT):
    import hashlib

    sha256 = hashlib.sha256(content).hexdigest()
    return SourceFile("file.bin", sha256, tuple(f"{one}/file.bin" for one in (address, *more)))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_cut_download_goes_on_where_it_was_cut(tmp_path):
    with published.served({"/file.bin": CONTENT}, cut_after=30_000) as (address, asked):
        ensure_files([source(address)], tmp_path, progress=False)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert [wanted for _, wanted in asked] == [None, "bytes=30000-", "bytes=60000-", "bytes=90000-"]
    assert names_in(tmp_path) == ["file.bin"]


def test_cut_download_fails_when_the_server_cannot_continue(tmp_path):
    with (
        published.served({"/file.bin": CONTENT}, cut_after=30_000, ranges=False) as (address, _),
        pytest.raises(DownloadError, match="the connection was interrupted") as caught,
    ):
        ensure_files([source(address)], tmp_path, progress=False)
    assert not (tmp_path / "file.bin").exists()
    assert caught.value.hint == f"place 'file.bin' in {str(tmp_path)!r} by hand"


def test_later_call_continues_what_an_earlier_one_left(tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:70_000])
    with published.served({"/file.bin": CONTENT}) as (address, asked):
        ensure_files([source(address)], tmp_path, progress=False)
    assert [wanted for _, wanted in asked] == ["bytes=70000-"]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [CONTENT, CONTENT[:50] * 3, CONTENT + b"more"], ids=["whole", "wrong", "too long"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_partial_file_of_any_content_ends_with_the_right_file(left, ranges, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(left)
    with published.served({"/file.bin": CONTENT}, ranges=ranges) as (address, _):
        ensure_files([source(address)], tmp_path, progress=False)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert names_in(tmp_path) == ["file.bin"]


def download_a_wrong_file(folder):
    with published.served({"/file.bin": CONTENT[::-1]}) as (address, _):
        ensure_files([source(address)], folder, progress=False)


def test_download_of_a_wrong_file_is_refused(tmp_path):
    with pytest.raises(DownloadError, match=r"the file has the SHA-256 checksum [0-9a-f]{64}\. Expected"):
        download_a_wrong_file(tmp_path)


def test_download_of_a_wrong_file_leaves_nothing(tmp_path):
    with pytest.raises(DownloadError):
        download_a_wrong_file(tmp_path)
    assert names_in(tmp_path) == []


def test_next_address_is_tried_when_one_fails(tmp_path):
    with (
        published.served({"/file.bin": b"a page of a hotel"}) as (wrong, _),
        published.served({}) as (missing, _),
        published.served({"/file.bin": CONTENT}) as (right, _),
    ):
        ensure_files([source(wrong, missing, right)], tmp_path, progress=False)
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "reason"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_answer_of_the_server_is_in_the_error(status, reason, tmp_path):
    with (
        published.served({"/file.bin": CONTENT}, status=status) as (address, _),
        pytest.raises(DownloadError, match=f"the server returned {reason}"),
    ):
        ensure_files([source(address)], tmp_path, progress=False)
    assert names_in(tmp_path) == []


def closed_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(("dataset", "files"), ALL)
def test_dataset_fails_in_words_when_there_is_no_server(dataset, files, home):
    small = published.small(dataset, files(), closed_address())
    with pytest.raises(
        DownloadError, match=r"could not be downloaded.*the connection failed.*Connection refused"
    ) as caught:
        small(progress=False)
    assert isinstance(caught.value, OSError)
    assert all(repr(file.name) in caught.value.hint for file in small.files)
    assert [path.name for path in home.glob("data/*/*") if path.name != ".lock"] == []


@pytest.mark.parametrize(("dataset", "files"), ALL)
def test_dataset_placed_by_hand_needs_no_server(dataset, files, home):
    contents = files()
    small = published.small(dataset, contents, closed_address())
    small.folder().mkdir(parents=True)
    for name, content in contents.items():
        (small.folder() / name).write_bytes(content)
    assert len(small(0, progress=False).train_y)


@pytest.mark.parametrize(("dataset", "files"), ALL)
def test_wrong_file_placed_by_hand_is_refused_as_it_is(dataset, files, home):
    contents = files()
    with published.served(published.at_root(contents)) as (address, asked):
        small = published.small(dataset, contents, address)
        small.folder().mkdir(parents=True)
        wrong = small.folder() / list(contents)[-1]
        wrong.write_bytes(b"another file")
        with pytest.raises(DownloadError, match=r"has the SHA-256 checksum .*\. Expected"):
            small(progress=False)
    assert wrong.read_bytes() == b"another file"
    assert asked == []


def test_folder_in_place_of_a_file_is_refused(home):
    small = published.small(mnist_module.MNIST, published.mnist_files(), closed_address())
    (small.folder() / "t10k-labels-idx1-ubyte.gz").mkdir(parents=True)
    with pytest.raises(DownloadError, match="cannot be read"):
        small(progress=False)


def test_several_at_once_download_once():
    contents = published.mnist_files()
    with published.served(published.at_root(contents)) as (address, asked):
        small = published.small(mnist_module.MNIST, contents, address)
        found = []
        threads = [threading.Thread(target=lambda: found.append(small(0, progress=False))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(asked) == 4
    assert [one.train_y.tolist() for one in found] == [[0, 1, 2, 3, 4, 5, 6]] * 4


def test_data_folder_that_is_a_file_is_refused(home):
    home.write_text("not a folder")
    with pytest.raises(ImporterError, match=r"PENSTOCK_HOME is a file. Expected a folder"):
        mnist_module.MNIST()


@pytest.mark.parametrize("most_bytes", [3000, 5600], ids=["downloading", "parsing"])
def test_disk_that_takes_no_more_leaves_nothing_half_cached(most_bytes):
    contents = published.mnist_files()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with published.served(published.at_root(contents)) as (address, _):
        small = published.small(mnist_module.MNIST, contents, address)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, limit[1]))  # Python ignores the signal
        try:
            with pytest.raises(ImporterError, match="File too large"):
                small(0, progress=False)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert list(small.folder().glob("arrays-*")) == []
        assert small(0, progress=False).train_y.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", None], ids=["empty", "header cut", "cut"])
def test_damaged_array_is_named_with_what_to_remove(content):
    contents = published.mnist_files()
    with published.served(published.at_root(contents)) as (address, _):
        small = published.small(mnist_module.MNIST, contents, address)
        folder = small.fetch(progress=False)
        array = folder / "train_X_u8.npy"
        array.write_bytes(array.read_bytes()[:-1] if content is None else content)
        with pytest.raises(ImporterError, match=r"train_X_u8\.npy' is damaged") as caught:
            small()
    assert repr(str(folder)) in caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipe_in_place_of_a_file_is_refused_rather_than_waited_for(tmp_path):
    file = source("http://127.0.0.1:9")
    os.mkfifo(tmp_path / file.name)
    with pytest.raises(DownloadError, match="not a file"):
        ensure_files([file], tmp_path)
