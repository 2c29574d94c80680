"""The order of a deck: blocks, deals, and what holds for any part of it."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.errors import SamplingError
from penstock.sampling import SamplingSpec, Strata
from penstock.sampling.random._philox import words
from penstock.sampling.streams._blocks import Blocks
from tests.sampling.conftest import spec_of

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mixed(word):
    """SplitMix64's finalizer, by the paper."""
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def dealt_by_hand(sizes, quotas, seed):
    """The first epoch of a deck of one block, draw by draw, as the docstrings say it."""
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    length = sum(quotas)
    keys = words(seed, (3, 0, 0), 0, length).tolist()
    order = sorted(range(length), key=lambda place: (keys[place] >> 32, place))
    owners = [number for number, quota in enumerate(quotas) for _ in range(quota)]
    of_position = [0] * length
    for slot, position in enumerate(order):
        of_position[position] = owners[slot]
    bases = words(seed, (2, 0, 0), 0, len(sizes)).tolist()
    had, rows = [0] * len(sizes), []
    for stratum in of_position:
        size, draw = sizes[stratum], had[stratum]
        had[stratum] += 1
        first = draw // size * size
        key = [mixed((bases[stratum] + (first + place) * STEP) & MASK) >> 34 for place in range(size)]
        deal = sorted(range(size), key=lambda place: (key[place], place))
        rows.append(int(offsets[stratum]) + deal[draw - first])
    return rows


@pytest.mark.parametrize("seed", [0, 7, (3 << 64) | 5])
def test_a_deck_is_the_one_of_the_docstrings(seed):
    """Fixes the stream: it may not change between versions."""
    sizes, weights = [7, 1, 30], [1.0, 5.0, 0.5]
    ids = np.repeat(np.arange(3), sizes)
    plan = Strata.from_masks([ids == number for number in range(3)], expressions="abc").with_spec(
        spec_of(dict(zip("abc", weights, strict=True)), mode="deck", size=54, seed=seed)
    )
    order = np.argsort([plan.strata.ids[np.flatnonzero(ids == number)[0]] for number in range(3)])
    own = [sizes[number] for number in order]
    rows = np.concatenate([np.flatnonzero(ids == number) for number in order])
    assert plan.stream().slice(0, 54).tolist() == rows[dealt_by_hand(own, plan.quotas(1)[0].tolist(), seed)].tolist()


@pytest.mark.parametrize("interleave", ["shuffled", "smooth"])
@pytest.mark.parametrize("sizes", [(165, 10), (3, 700, 1, 40), (2000, 900), (1, 1, 1)], ids=str)
def test_the_draws_of_a_stratum_are_whole_deals_one_after_the_other(interleave, sizes):
    ids = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.array([1.0, 16.5, 3.0, 7.0])[: len(sizes)]
    spec = SamplingSpec(mode="deck", interleave=interleave, size=500)
    stream = Strata.from_weights((weights * (1 + np.arange(len(sizes)) * 1e-9))[ids]).with_spec(spec).stream()
    drawn = stream.slice(0, 500 * 25)
    for number, size in enumerate(sizes):
        own = drawn[ids[drawn] == number]
        for deal in own[: len(own) // size * size].reshape(-1, size):
            assert len(np.unique(deal)) == size
        assert len(np.unique(own[len(own) // size * size :])) == len(own) % size


def test_deals_are_in_other_orders_each_time():
    stream = Strata.from_weights(np.ones(40)).with_spec(SamplingSpec(mode="deck", size=40)).stream()
    deals = {tuple(stream.epoch(number).tolist()) for number in range(50)}
    assert len(deals) == 50


@pytest.mark.statistical
@pytest.mark.parametrize("rows", [6, 100, 600])
def test_deals_are_uniform(rows):
    """Which row comes first, and which comes after which, over many deals; chi-square within 4 deviations."""
    stream = Strata.from_weights(np.ones(rows)).with_spec(SamplingSpec(mode="deck", size=rows)).stream()
    deals = stream.slice(0, rows * 12_000 // max(rows // 60, 1)).reshape(-1, rows)
    first = np.bincount(deals[:, 0], minlength=rows)
    cells = min(rows, 6)
    pairs = np.zeros((cells, cells))
    np.add.at(pairs, (deals[:, 0] * cells // rows, deals[:, -1] * cells // rows), 1)
    expected = (
        len(deals) * np.where(np.eye(cells) == 1, max(rows // cells - 1, 0), rows // cells) / (cells * (rows - 1))
        if rows % cells == 0
        else None
    )
    for table, mean, freedom in (
        (first, len(deals) / rows, rows - 1),
        (pairs, expected, cells**2 - 1 - cells * (rows == cells)),
    ):
        if mean is None:
            continue
        live = np.broadcast_to(mean, table.shape) > 0
        statistic = ((table - mean)[live] ** 2 / np.broadcast_to(mean, table.shape)[live]).sum()
        assert abs(statistic - freedom) < 4.5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 200_000, 1_000_003])
def test_blocks_cut_epochs_into_few_equal_parts(size):
    blocks = Blocks(size)
    begins = blocks.begin(np.arange(3 * blocks.per_epoch + 1))
    lengths = np.diff(begins)
    assert lengths.max() <= 65_536
    assert lengths.max() - lengths.min() <= 1
    assert begins[:: blocks.per_epoch].tolist() == [0, size, 2 * size, 3 * size]
    for positions in (begins[:-1], begins[1:] - 1):
        assert blocks.at(positions).tolist() == list(range(3 * blocks.per_epoch))


@pytest.mark.parametrize("stop", [1, 50_000, 65_536, 100_000, 131_072, 160_000])
def test_a_prefix_of_a_long_epoch_is_as_even_as_its_blocks(stop):
    """An epoch of 160,000 draws has three blocks; at the end of each the quotas are exact."""
    ids = np.repeat([0, 1], [90_000, 300])
    spec = spec_of({"rare": 100.0, "True": 1.0}, mode="deck", size=160_000)
    plan = Strata.from_masks({"rare": ids == 1, "True": ids >= 0}).with_spec(spec)
    rare = int((ids[plan.stream().slice(0, stop)] == 1).sum())
    share = 300 * 100 / (300 * 100 + 90_000)
    block = 160_000 / 3
    inside = stop % block
    spread = np.sqrt(inside * (block - inside) / block * share * (1 - share))
    assert abs(rare - share * stop) <= 1 + 5 * spread


def test_a_deck_of_many_row_weights_has_the_coverage_that_its_bins_tell():
    """20,000 weights: what is told before a draw, and what a browser makes of `statistics`, is what is drawn."""
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.2, 3.0, 20_000)
    plan = Strata.from_weights(weights).with_spec(SamplingSpec(mode="deck"))
    arrays = plan.statistics()
    assert len(arrays["sizes"]) == len(plan.quotas(1)[0]) <= 4096
    stream = plan.stream()
    coverage = plan.coverage(3)
    for epoch in range(3):
        assert len(np.unique(stream.slice(0, 20_000 * (epoch + 1)))) == coverage.unique[epoch]
    of_bins = np.minimum(plan.quotas(1)[0], arrays["sizes"]).sum()
    assert coverage.unique[0] == of_bins
    seen = np.bincount(stream.slice(0, 20_000 * 400), minlength=20_000)
    assert np.abs(seen / (weights / weights.sum() * 20_000 * 400) - 1).max() < plan.bin_error + 2 / seen.min()


def test_without_replacement_there_are_no_draws_beyond_an_epoch():
    plan = Strata.from_weights([1, 2, 3]).with_spec(SamplingSpec(mode="once", size=2))
    with pytest.raises(SamplingError, match="num_draws is 3; without replacement an epoch has 2 draws"):
        plan.coverage(1, num_draws=3)
