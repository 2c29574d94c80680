"""The few places where code of the documents is not run as it is written, each with its reason.

What holds for all of it: `deeplake` is read as `penstock`, `batchup` as `penstock.batchup`, ``hub://`` as a folder.
"""

from __future__ import annotations

import re
from typing import NamedTuple

EVERYWHERE = {r"\bdeeplake\b": "penstock", r"\bbatchup\b": "penstock.batchup", "hub://": ""}


class Excepted(NamedTuple):
    """A few characters of a document, what is read in their place (None: the block is left out), and why."""

    document: str
    written: str
    read: str | None
    reason: str


EXCEPTED = (
    Excepted("sampling", "weight_choice(", None, "a template: the word stands for max_weight or sum_weight"),
    Excepted("sampling", ".pytorch(...)", ".pytorch()", "the dots stand for arguments"),
    Excepted("batchup", "> pip install", None, "installation"),
    Excepted("batchup", "[:20000]", "[:200]", "a subset of the 300 samples that the test has"),
    Excepted("batchup", "= flip_flags[flip", "= batch_X[flip", "a wrong name: an array of flags has no width to flip"),
    Excepted("loader", "class deeplake.enterprise", None, "the class is penstock.loader.Loader"),
    Excepted("loader", "distributed: bool = False", "distributed: bool = None", "None warns where ranks share nothing"),
    Excepted("loader", "If dataset is view", None, "the lineage document shuffles a view"),
    Excepted("lineage", "pip3 install", None, "installation"),
    Excepted("lineage", "num_workers = 8", "num_workers = 1", "eight processes that import torch, on two cores"),
    Excepted("article", "wget https://", None, "a download"),
    Excepted("article", "ls data/", None, "shell, after the download"),
    Excepted("article", "tar -xzf", None, "shell, after the download"),
    Excepted("article", "rm data/", None, "shell, after the download"),
)


def as_read(document: str, text: str) -> str | None:
    """Return code of a document as it is run, or None if it is left out."""
    for excepted in EXCEPTED:
        if excepted.document == document and excepted.written in text:
            if excepted.read is None:
                return None
            text = text.replace(excepted.written, excepted.read)
    for pattern, read in EVERYWHERE.items():
        text = re.sub(pattern, read, text)
    return text
