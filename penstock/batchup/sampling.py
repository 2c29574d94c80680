"""Samplers: which samples make up each batch.

Every sample once a pass (`StandardSampler`), some of them (`SubsetSampler`), or drawn by weight (`WeightedSampler`,
`WeightedSubsetSampler`). A sampler is passed to a data source; `AbstractSampler` is for samplers of your own.
"""

from penstock.batchup._numbers import num_batches
from penstock.batchup.samplers._samplers import AbstractSampler, StandardSampler, SubsetSampler
from penstock.batchup.samplers._weighted import WeightedSampler, WeightedSubsetSampler

__all__ = [
    "AbstractSampler",
    "StandardSampler",
    "SubsetSampler",
    "WeightedSampler",
    "WeightedSubsetSampler",
    "num_batches",
]
