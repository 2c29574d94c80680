"""The seven datasets, from small files in the formats they are published in."""

from __future__ import annotations

import gzip
import re
import sys

import numpy as np
import pytest

from penstock.batchup.datasets import (
    ImageArrayUInt8ToFloat32,
    SourceFile,
    cifar10,
    cifar100,
    fashion_mnist,
    mnist,
    stl,
    svhn,
    usps,
)
from penstock.errors import ImporterError, MissingDependencyError
from tests.batchup.datasets import published

ALL = [
    pytest.param(mnist.MNIST, published.mnist_files, id="mnist"),
    pytest.param(fashion_mnist.FashionMNIST, published.mnist_files, id="fashion-mnist"),
    pytest.param(cifar10.CIFAR10, published.cifar10_files, id="cifar10"),
    pytest.param(cifar100.CIFAR100, published.cifar100_files, id="cifar100"),
    pytest.param(svhn.SVHN, published.svhn_files, id="svhn"),
    pytest.param(stl.STL, published.stl_files, id="stl"),
    pytest.param(usps.USPS, published.usps_files, id="usps"),
]


def opened(dataset, contents, *arguments, **options):
    with published.served(published.at_root(contents)) as (address, _):
        return published.small(dataset, contents, address)(*arguments, progress=False, **options)


@pytest.mark.parametrize(("dataset", "files"), ALL)
def test_dataset_needs_no_server_when_it_was_opened_before(dataset, files):
    contents = files()
    with published.served(published.at_root(contents)) as (address, asked):
        small = published.small(dataset, contents, address)
        first = small(0, progress=False)
        num_asked = len(asked)
    again = small(0, progress=False)
    assert num_asked == len(contents)
    assert np.array_equal(np.asarray(first.train_X), np.asarray(again.train_X))
    assert again.train_X.dtype == np.float32
    assert again.train_y.dtype == np.int32
    assert again.val_y.shape == (0,)
    assert again.val_X.shape == (0, *again.train_X.shape[1:])


@pytest.mark.parametrize(
    "dataset",
    [
        mnist.MNIST,
        fashion_mnist.FashionMNIST,
        cifar10.CIFAR10,
        cifar100.CIFAR100,
        svhn.SVHN,
        svhn.SVHNExtra,
        stl.STL,
        usps.USPS,
    ],
)
def test_published_files_can_be_fetched_by_checksum(dataset):
    for file in dataset.files:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.urls
        assert all(url.startswith("http") and url.endswith(f"/{file.name}") for url in file.urls)


def test_mnist_splits_the_last_training_samples_off():
    found = opened(mnist.MNIST, published.mnist_files(), n_val=2)
    images = published.pixels(1, 7, 28, 28)[:, np.newaxis]
    assert np.array_equal(found.train_X_u8, images[:5])
    assert np.array_equal(found.val_X_u8, images[5:])
    assert found.train_y.tolist() == [0, 1, 2, 3, 4]
    assert found.val_y.tolist() == [5, 6]
    assert found.test_y.tolist() == [2, 1, 0]


def test_float_images_are_in_the_range_asked_for():
    found = opened(mnist.MNIST, published.mnist_files(), n_val=0, val_lower=-1.0, val_upper=1.0)
    expected = found.train_X_u8.astype(np.float64) / 127.5 - 1
    assert np.allclose(found.train_X[np.array([6, 0])], expected[[6, 0]], atol=1e-6)


def test_what_is_assigned_to_arrays_stays_in_memory():
    contents = published.mnist_files()
    with published.served(published.at_root(contents)) as (address, _):
        small = published.small(mnist.MNIST, contents, address)
        found = small(0, progress=False)
    found.train_y[:] = 8
    assert small(0).train_y.tolist() == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("n_val", [-1, 8, 2.5, True, "2"])
def test_n_val_is_refused_when_it_is_not_a_number_of_training_samples(n_val):
    with pytest.raises(ImporterError, match="Expected an integer from 0"):
        opened(mnist.MNIST, published.mnist_files(), n_val=n_val)


def test_cifar10_joins_its_five_batches():
    found = opened(cifar10.CIFAR10, published.cifar10_files(), n_val=1)
    assert np.array_equal(found.train_X_u8[2], published.pixels(2, 2, 3072)[0].reshape(3, 32, 32))
    assert found.train_y.tolist() == [1, 8, 2, 7, 3, 6, 4, 5, 5]
    assert found.val_y.tolist() == [4]
    assert found.test_y.tolist() == [4, 2, 0]
    assert found.class_names[3] == "cat"


@pytest.fixture
def hundred():
    return opened(cifar100.CIFAR100, published.cifar100_files(), n_val=1)


def test_cifar100_has_classes(hundred):
    assert (hundred.train_y.tolist(), hundred.val_y.tolist(), hundred.test_y.tolist()) == ([99, 0], [50], [7])
    assert hundred.class_names == published.NAMES_100


def test_cifar100_has_superclasses(hundred):
    coarse = (hundred.train_y_coarse.tolist(), hundred.val_y_coarse.tolist(), hundred.test_y_coarse.tolist())
    assert coarse == ([19, 0], [10], [3])
    assert hundred.class_names_coarse == published.NAMES_20


def test_svhn_reads_label_10_as_the_digit_0():
    found = opened(svhn.SVHN, published.svhn_files(), n_val=1)
    assert (found.train_y.tolist(), found.val_y.tolist(), found.test_y.tolist()) == ([1, 0, 9], [0], [0, 5])
    assert np.array_equal(found.test_X_u8, published.pixels(2, 2, 3, 32, 32))


def test_svhn_extra_has_labels():
    assert opened(svhn.SVHNExtra, published.svhn_extra_files()).y.tolist() == [2, 0, 3]


def test_svhn_extra_has_images():
    found = opened(svhn.SVHNExtra, published.svhn_extra_files())
    assert np.array_equal(found.X_u8, published.pixels(3, 3, 3, 32, 32))


@pytest.fixture
def stl10():
    return opened(stl.STL, published.stl_files())


def test_stl_turns_columns_to_rows(stl10):
    images = published.pixels(1, 5, 3, 96, 96)
    assert np.array_equal(stl10.train_X_u8, images[[0, 2, 3]])
    assert np.array_equal(stl10.val_X_u8, images[[1, 4]])
    assert np.array_equal(stl10.unl_X_u8, published.pixels(3, 3, 3, 96, 96))


def test_stl_leaves_the_last_fold_out(stl10):
    assert [fold.tolist() for fold in stl10.tr_folds] == [[0, 1], [2, 3], [1, 4]]
    assert (stl10.train_y.tolist(), stl10.val_y.tolist(), stl10.test_y.tolist()) == ([0, 2, 3], [1, 4], [9, 0])


def test_stl_has_the_published_names(stl10):
    assert stl10.class_names == published.STL_NAMES


def test_stl_trains_on_all_when_no_fold_is_for_validation():
    found = opened(stl.STL, published.stl_files(), n_val_folds=None)
    assert found.train_y.tolist() == [0, 1, 2, 3, 4]
    assert found.val_X_u8.shape == (0, 3, 96, 96)


def test_usps_keeps_its_floats():
    found = opened(usps.USPS, published.usps_files(), n_val=1)
    assert found.train_X[0].ravel().tolist() == np.linspace(0, 1, 256, dtype=np.float32).tolist()
    assert (found.train_y.tolist(), found.val_y.tolist(), found.test_y.tolist()) == ([5, 0], [9], [3])


@pytest.mark.parametrize(
    ("dataset", "files", "name", "content"),
    [
        pytest.param(mnist.MNIST, published.mnist_files, "train-images-idx3-ubyte.gz", b"no gzip", id="idx no gzip"),
        pytest.param(mnist.MNIST, published.mnist_files, "t10k-labels-idx1-ubyte.gz", published.idx(np.zeros((3, 1), np.uint8)), id="idx axes"),
        pytest.param(mnist.MNIST, published.mnist_files, "train-images-idx3-ubyte.gz", published.idx(published.pixels(1, 6, 28, 28)), id="idx one too few"),
        pytest.param(mnist.MNIST, published.mnist_files, "train-labels-idx1-ubyte.gz", published.idx(np.zeros(7, np.uint8))[:-12], id="idx cut"),
        pytest.param(cifar10.CIFAR10, published.cifar10_files, "cifar-10-python.tar.gz", published.archive({"test_batch": b""}, "cifar"), id="batches missing"),
        pytest.param(cifar10.CIFAR10, published.cifar10_files, "cifar-10-python.tar.gz", published.cifar10_files()["cifar-10-python.tar.gz"][:3000], id="archive cut"),
        pytest.param(cifar100.CIFAR100, published.cifar100_files, "cifar-100-python.tar.gz", published.archive({"train": b"\x80\x02}.", "test": b"\x80\x02}.", "meta": b"\x80\x02}."}, "c"), id="pickles empty"),
        pytest.param(svhn.SVHN, published.svhn_files, "test_32x32.mat", b"no Matlab", id="mat"),
        pytest.param(stl.STL, published.stl_files, "stl10_binary.tar.gz", published.archive({"train_X.bin": b"1"}, "stl"), id="stl"),
        pytest.param(usps.USPS, published.usps_files, "usps.h5", b"no hdf5", id="hdf5"),
        pytest.param(usps.USPS, published.usps_files, "usps.h5", published.h5({"train_X": np.zeros(3)}), id="hdf5 arrays"),
    ],
)  # fmt: skip
def test_file_of_another_content_is_refused_before_arrays_are_kept(dataset, files, name, content, home):
    with pytest.raises(ImporterError, match="Expected"):
        opened(dataset, files() | {name: content}, 0)
    assert not list(home.glob("data/*/arrays-*"))


@pytest.mark.parametrize("function", ["os.system", "builtins.eval", "numpy.load", "numpy.core.multiarray.scalar"])
def test_pickle_that_names_a_function_is_refused_before_it_runs(function, tmp_path):
    module, name = function.rsplit(".", 1)
    evil = f"c{module}\n{name}\n(S'touch {tmp_path}/ran'\ntR.".encode()
    members = {f"data_batch_{number}": evil for number in range(1, 6)} | {"test_batch": evil}
    with pytest.raises(ImporterError, match=f"it refers to {re.escape(function)}"):
        opened(cifar10.CIFAR10, {"cifar-10-python.tar.gz": published.archive(members, "cifar")})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("dataset", "files", "package"),
    [
        pytest.param(svhn.SVHN, published.svhn_files, "scipy.io", id="scipy"),
        pytest.param(usps.USPS, published.usps_files, "h5py", id="h5py"),
    ],
)
def test_missing_package_is_named_with_how_to_install_it(dataset, files, package, monkeypatch):
    contents = files()
    monkeypatch.setitem(sys.modules, package, None)  # as Python has a package that cannot be imported
    with pytest.raises(MissingDependencyError, match="is not installed") as caught:
        opened(dataset, contents, 0)
    assert caught.value.hint == "pip install 'penstock[datasets]'"


def test_delete_cache_removes_only_what_was_downloaded():
    contents = published.mnist_files()
    with published.served(published.at_root(contents)) as (address, _):
        small = published.small(mnist.MNIST, contents, address)
        small(0, progress=False)
    edited = small.folder() / "mnist-0.penstock"
    edited.mkdir()
    mnist.delete_cache()
    assert sorted(path.name for path in small.folder().iterdir()) == [".lock", "mnist-0.penstock"]


@pytest.mark.real_data
def test_mnist_placed_by_hand_is_read(shared_data, home):
    place = home / "data" / "mnist"
    place.mkdir(parents=True)
    for file in (shared_data / "mnist").glob("*.gz"):
        (place / file.name).symlink_to(file)
    found = mnist.MNIST()
    assert np.bincount(np.concatenate([found.train_y, found.val_y])).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(found.test_y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (found.train_X.shape, found.val_X.shape, found.test_X.shape) == (
        (50000, 1, 28, 28),
        (10000, 1, 28, 28),
        (10000, 1, 28, 28),
    )
    assert found.train_X_u8[0, 0].sum() == 27525


@pytest.mark.parametrize(
    ("dataset", "arguments"),
    [
        (mnist.MNIST, {"n_val": -1}),
        (mnist.MNIST, {"n_val": 2.5}),
        (mnist.MNIST, {"val_lower": "a"}),
        (mnist.MNIST, {"val_upper": float("nan")}),
        (mnist.MNIST, {"val_upper": None}),
        (stl.STL, {"n_val_folds": "1"}),
        (stl.STL, {"val_lower": 1j}),
        (svhn.SVHNExtra, {"val_lower": float("inf")}),
        (usps.USPS, {"n_val": True}),
    ],
    ids=str,
)
def test_odd_argument_is_refused_before_anything_is_downloaded(dataset, arguments, home):
    with pytest.raises(ImporterError, match=next(iter(arguments))):
        dataset(**arguments)
    assert not home.exists()


@pytest.mark.parametrize("content", [b"", b"abc", bytes((0, 0, 8, 3)) + b"\x00"], ids=["empty", "short", "cut"])
def test_idx_file_that_is_cut_is_refused(content, tmp_path):
    from penstock.batchup.datasets._idx import read_idx

    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    with pytest.raises(ImporterError, match="cannot be parsed"):
        read_idx(tmp_path / "x.gz", 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("../../x", "00" * 32, ()),
        ("/x", "00" * 32, ()),
        ("..", "00" * 32, ()),
        ("", "00" * 32, ()),
        (None, "00" * 32, ()),
        ("x", "abc", ()),
        ("x", None, ()),
        ("x", "00" * 32, "http://127.0.0.1/x"),
        ("x", "00" * 32, (None,)),
        ("x", "00" * 32, 3),
    ],
    ids=str,
)
def test_odd_source_file_is_refused(arguments):
    with pytest.raises(ImporterError):
        SourceFile(*arguments)


def test_checksum_of_a_source_file_may_be_in_capitals():
    assert SourceFile("x", "AB" * 32, ["http://127.0.0.1/x"]) == SourceFile("x", "ab" * 32, ("http://127.0.0.1/x",))


@pytest.mark.parametrize("array", [[1, 2], None, np.array(3, np.uint8), 3], ids=repr)
def test_float_images_are_of_an_array(array):
    with pytest.raises(ImporterError, match="arr_u8"):
        ImageArrayUInt8ToFloat32(array)
