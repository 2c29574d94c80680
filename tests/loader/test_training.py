"""A training run killed with SIGKILL goes on to the same losses."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.real_data]
TRAIN = Path(__file__).with_name("train.py")
STEPS = 60


def start(data, checkpoint, pause=0.0):
    return subprocess.Popen([sys.executable, TRAIN, data / "mnist", checkpoint, str(STEPS), str(pause)])


def losses(checkpoint):
    return torch.load(checkpoint)["losses"]


def test_killed_run_resumed_gives_the_losses_of_the_uninterrupted_one(shared_data, tmp_path):
    whole, killed = tmp_path / "whole.pt", tmp_path / "killed.pt"
    uninterrupted = start(shared_data, whole)
    stops = sorted(random.sample(range(2, STEPS - 2), 2))
    for stop in stops:
        run = start(shared_data, killed, pause=0.02)
        while not (killed.exists() and len(losses(killed)) >= stop):
            assert run.poll() is None, "the run ended before it was killed"
            time.sleep(0.005)
        run.kill()
        run.wait()
    assert len(losses(killed)) < STEPS, stops
    assert start(shared_data, killed).wait(120) == 0
    assert uninterrupted.wait(120) == 0
    assert losses(killed) == losses(whole), stops
    assert len(losses(whole)) == STEPS
    assert sum(losses(whole)[-10:]) < 0.8 * sum(losses(whole)[:10])
