"""The words of the notebook on oversampling are those of the experiment's kept results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = json.loads((ROOT / "benchmarks" / "oversampling.json").read_text())["runs"]
SETTINGS = {(run["augmentation"], run["sampling"]) for run in RUNS}
LONGER = (True, "as it is, 5 × longer")


def test_every_setting_has_the_same_ten_seeds():
    assert {(augment, how) for augment in (False, True) for how in ("as it is", "iid", "deck")} | {LONGER} == SETTINGS
    seeds = {setting: [run["seed"] for run in RUNS if _setting(run) == setting] for setting in SETTINGS}
    assert {tuple(one) for one in seeds.values()} == {tuple(range(10))}


@pytest.mark.parametrize("setting", sorted(SETTINGS), ids=lambda one: f"{one[1]}{', augmented' if one[0] else ''}")
def test_the_mean_accuracy_of_a_setting_is_in_the_conclusion(setting):
    cells = nbformat.read(ROOT / "notebooks" / "does_oversampling_help.ipynb", as_version=4).cells
    accuracies = [run["accuracy"] for run in RUNS if _setting(run) == setting]
    assert f"{mean(accuracies):.3f}" in re.findall(r"0\.\d{3}", cells[-1].source)


def _setting(run):
    return run["augmentation"], run["sampling"]
