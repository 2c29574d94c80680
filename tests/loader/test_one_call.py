"""The playbook's one-call form."""

from __future__ import annotations

import pytest
import torch

from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.loader.chain._one_call import one_call


def test_playbook_call(table):
    loader = one_call(
        Loader(table, seed=1), "pytorch", num_workers=0, shuffle=True,
        transform=lambda sample: (torch.from_numpy(sample["images"]), sample["labels"]),
        tensors=["images", "labels"], batch_size=16, collate_fn=lambda batch: tuple(zip(*batch, strict=True)),
    )  # fmt: skip
    images, labels = next(iter(loader))
    assert len(images) == len(labels) == 16
    order = [sample["index"] for batch in Loader(table, seed=1).shuffle().batch(16) for sample in batch]
    assert [int(image[0, 0, 0]) for image in images] == order[:16]


def test_defaults_are_batches_of_one_in_order(table):
    assert [batch["index"].tolist() for batch in one_call(Loader(table), "numpy")] == [[row] for row in range(50)]


def test_batch_size_none_gives_single_samples(table):
    sample = next(iter(one_call(Loader(table), "pytorch", batch_size=None)))
    assert sample["images"].shape == (12, 16, 3)
    assert sample["index"] == 0
    assert len(one_call(Loader(table), "pytorch", batch_size=None)) == 50


def test_options_of_the_chain_and_of_the_framework_pass(table):
    loader = one_call(
        Loader(table), "numpy", batch_size=20, drop_last=True, offset=5, transform=lambda s, k: {"k": k},
        transform_kwargs={"k": 3}, return_index=True, num_threads=1,
    )  # fmt: skip
    batches = list(loader)
    assert len(batches) == 2
    assert batches[0]["index"][0] == 5
    assert set(batches[0]["k"].tolist()) == {3}


def test_unknown_option_is_told_with_the_nearest(table):
    with pytest.raises(LoaderError, match="did you mean 'num_threads'"):
        one_call(Loader(table), "pytorch", num_thread=3)
