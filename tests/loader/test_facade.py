"""What trainers ask a loader for: epochs, skipped batches, the randomness of collate_fn."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.engines import lease_processes
from penstock.errors import LoaderError
from penstock.loader import Loader
from penstock.table import ArrayTable

TEXT = "max_weight(labels == 'rare': 9, True: 1)"


@pytest.fixture(scope="module", autouse=True)
def processes():
    """Keep one worker process for this module's tests; each start takes a good part of a second."""
    lease = lease_processes(int, 1)
    yield
    lease.close()


def loader(mode="deck", **options):
    table = ArrayTable({"labels": np.arange(61) // 55}, class_names={"labels": ["often", "rare"]})
    return Loader(table, seed=3).sample_by(TEXT, mode=mode).batch(8).pytorch(**options)


def rows(batches):
    return [batch["index"].tolist() for batch in batches]


def drawn(epoch):
    stream = loader()._pool.plan.stream()
    return [
        stream.slice(first, min(first + 8, 61 * epoch + 61)).tolist() for first in range(61 * epoch, 61 * epoch + 61, 8)
    ]


def test_an_epoch_counts_from_its_first_batch():
    made = loader()
    dropped, kept = iter(made), iter(made)
    assert len(dropped) == 8
    dropped.close()
    assert list(dropped) == []
    assert rows(kept) == drawn(0)
    assert rows(made) == drawn(1)


@pytest.mark.parametrize("through", ["set_epoch", "sampler", "batch_sampler"])
def test_set_epoch_is_found_where_trainers_look(through):
    made = loader()
    made.set_epoch(2) if through == "set_epoch" else getattr(made, through).set_epoch(2)
    assert rows(made) == drawn(2)
    assert rows(made) == drawn(3)


@pytest.fixture
def restored():
    made, again = loader(), loader()
    next(iter(made))
    again.load_state_dict(made.state_dict())
    return again


def test_set_epoch_finishes_the_restored_epoch(restored):
    restored.set_epoch(0)
    assert rows(restored) == drawn(0)[1:]


def test_set_epoch_leaves_the_restored_epoch_when_it_names_the_next(restored):
    restored.set_epoch(1)
    assert rows(restored) == drawn(1)


@pytest.mark.filterwarnings("ignore")
def test_accelerate_skips_batches_of_one_epoch_only():
    skip = pytest.importorskip("accelerate").skip_first_batches
    made = loader(num_workers=1)
    made.set_epoch(1)
    assert rows(skip(made, 5)) == drawn(1)[5:]
    assert rows(made) == drawn(2)


def test_a_part_of_a_batch_is_refused():
    made = loader()
    batch = next(iter(made.batch_sampler))
    with pytest.raises(LoaderError, match="distributed=True"):
        made.dataset.__getitems__(batch[:3])


def mix(samples):
    return float(np.random.beta(0.4, 0.4)), len(samples)  # noqa: NPY002  what mixup does


def mix_by(samples, rng):
    return float(rng.beta(0.4, 0.4)), len(samples)


@pytest.mark.parametrize("collate_fn", [mix, mix_by])
def test_the_randomness_of_collate_fn_is_the_batchs_own(collate_fn):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002  the global state is the subject
    whole = list(loader(collate_fn=collate_fn))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002  the global state is the subject
    assert len({share for share, _ in whole}) == 8
    made = loader(collate_fn=collate_fn)
    next(iter(made))
    again = loader(collate_fn=collate_fn, num_workers=1)
    again.load_state_dict(made.state_dict())
    assert list(again) == whole[1:]
    again.close()


def test_an_epoch_that_a_trainer_leaves_early_is_warned_of_once():
    made = loader()
    for epoch in range(3):
        if epoch == 1:
            with pytest.warns(UserWarning, match="epoch 0 was left with 45 of its 61 draws not read.* size=16"):
                made.set_epoch(epoch)
        else:
            made.set_epoch(epoch)
        batches = iter(made)
        assert rows([next(batches), next(batches)]) == drawn(epoch)[:2]


def test_epochs_that_are_read_to_the_end_are_not_warned_of():
    made = loader()
    for epoch in range(3):
        made.set_epoch(epoch)
        assert rows(batch for _, batch in zip(range(8), made, strict=False)) == drawn(epoch)
