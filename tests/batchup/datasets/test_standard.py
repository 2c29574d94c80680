"""Standard datasets as datasets of penstock."""

from __future__ import annotations

import numpy as np
import pytest

import penstock
from penstock.batchup.datasets import cifar100, mnist, stl, svhn, usps
from penstock.errors import DatasetExistsError, ImporterError
from tests.batchup.datasets import published
from tests.batchup.datasets.test_sets import ALL


def made(dataset, contents, *arguments, **options):
    with published.served(published.at_root(contents)) as (address, _):
        return penstock.standard(published.small(dataset, contents, address), *arguments, progress=False, **options)


def labels_of(tensor):
    return [labels.tolist() for labels in tensor.numpy(aslist=True)]


@pytest.mark.parametrize(("dataset", "files"), ALL)
def test_dataset_has_every_image_as_it_was_published(dataset, files):
    contents = files()
    with published.served(published.at_root(contents)) as (address, _):
        small = published.small(dataset, contents, address)
        ds, arrays = penstock.standard(small, progress=False), small(0, progress=False)
    images = np.concatenate([np.asarray(arrays.train_X), np.asarray(arrays.test_X)]) * 255
    assert len(ds) == len(images)
    for row, image in enumerate(images):
        assert np.array_equal(ds.images[row].numpy(), image.round().astype(np.uint8).transpose(1, 2, 0))
    assert labels_of(ds.labels) == [[label] for label in [*arrays.train_y, *arrays.test_y]]
    assert labels_of(ds.subset) == [[0]] * len(arrays.train_y) + [[1]] * len(arrays.test_y)
    assert ds.subset.info.class_names == ["train", "test"]


def test_cifar100_has_superclasses_beside_classes():
    ds = made(cifar100.CIFAR100, published.cifar100_files())
    assert labels_of(ds.coarse_labels) == [[19], [0], [10], [3]]
    assert ds.labels.info.class_names == published.NAMES_100
    assert ds.coarse_labels.info.class_names == published.NAMES_20


def test_stl_has_images_without_label_when_asked_for():
    ds = made(stl.STL, published.stl_files(), extra=True)
    assert ds.subset.info.class_names == ["train", "test", "unlabeled"]
    assert labels_of(ds.labels)[-4:] == [[0], [], [], []]


def test_svhn_has_its_further_images_when_asked_for():
    contents, more = published.svhn_files(), published.svhn_extra_files()
    with published.served(published.at_root(contents | more)) as (address, _):
        small = published.small(svhn.SVHN, contents, address)
        small.extra = published.small(svhn.SVHNExtra, more, address)
        plain, ds = penstock.standard(small, progress=False), penstock.standard(small, extra=True, progress=False)
    assert len(plain) == 6
    assert labels_of(ds.labels)[6:] == [[2], [0], [3]]
    assert ds.subset.info.class_names == ["train", "test", "extra"]


@pytest.fixture
def edited():
    contents = published.mnist_files()
    ds = made(mnist.MNIST, contents)
    ds.labels[0] = 9
    ds.commit("correct a label")
    return contents


def test_edits_stay_in_the_cached_dataset(edited):
    assert labels_of(made(mnist.MNIST, edited).labels)[0] == [9]


def test_a_new_dataset_has_no_edits_of_the_cached_one(edited, tmp_path):
    assert labels_of(made(mnist.MNIST, edited, tmp_path / "new").labels)[0] == [0]
    with pytest.raises(DatasetExistsError):
        made(mnist.MNIST, edited, tmp_path / "new")


def test_values_of_usps_from_minus_1_become_gray():
    values = np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 1, 16, 16)
    labels = np.array([1], np.int32)
    file = published.h5({"train_X": values, "train_y": labels, "test_X": values, "test_y": labels})
    ds = made(usps.USPS, {"usps.h5": file})
    assert ds.images[0].numpy().ravel().tolist() == list(range(256))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("minst", "'mnist'"),
        ("FashionMNST", "'fashion-mnist'"),
        ("cifar 1000", "'cifar100'"),
        ("imagenet", None),
        (7, None),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(name, hint):
    with pytest.raises(ImporterError, match=r"is not a standard dataset. Expected one of: cifar10, cifar100") as caught:
        penstock.standard(name)
    assert caught.value.hint == (hint and f"did you mean {hint}?")


def test_extra_is_refused_where_there_is_none():
    with pytest.raises(ImporterError, match="cifar10 has no extra samples"):
        penstock.standard("CIFAR-10", extra=True)


def test_destination_that_exists_is_refused_before_anything_is_downloaded(tmp_path, home):
    (tmp_path / "there").write_text("")
    with pytest.raises(DatasetExistsError):
        penstock.standard("mnist", dest=tmp_path / "there")
    assert not home.exists()


def test_base_of_the_standard_datasets_is_none_of_them():
    from penstock.batchup.datasets._standard_set import StandardSet

    with pytest.raises(ImporterError, match="not a standard dataset"):
        penstock.standard(StandardSet)
