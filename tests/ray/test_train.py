"""The recipe for Ray Train in docs/trainers.md: two workers, gloo, on CPUs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import penstock

pytestmark = [
    pytest.mark.slow,
    pytest.mark.torch,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore"),  # Ray Train warns on its own account
]


def train(config):
    """Train on one rank, and say which rows it drew."""
    from pathlib import Path

    import ray.train
    import ray.train.torch
    import torch

    import penstock

    view = penstock.load(config["dataset"], read_only=True).load_view(config["view"])
    loader = view.pytorch(
        shuffle=True, batch_size=8, tensors=["images"], resize={"images": (16, 16)}, distributed=True
    )  # fmt: skip
    torch.manual_seed(0)
    model = ray.train.torch.prepare_model(torch.nn.Linear(16 * 16 * 3, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    rows, losses = [], []
    for _ in range(2):
        for batch in loader:
            pixels = batch["images"].flatten(1) / 255
            loss = (model(pixels) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rows.append(batch["index"].tolist())
            losses.append(loss.item())
    rank = ray.train.get_context().get_world_rank()
    Path(config["out"], f"{rank}.json").write_text(json.dumps({"rows": rows, "losses": losses}))
    ray.train.report({"loss": losses[-1]})


@pytest.mark.exhaustive
def test_two_workers_train_on_the_stream_of_one(connected, tmp_path):
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    ds = penstock.demo(str(tmp_path / "ds"), num_samples=64)
    view = ds.query("select * order by random() limit 48")
    config = {"dataset": ds.path, "view": view.save_view(), "out": str(tmp_path)}
    TorchTrainer(
        train,
        train_loop_config=config,
        scaling_config=ScalingConfig(num_workers=2),
        torch_config=TorchConfig(backend="gloo"),
        run_config=RunConfig(storage_path=str(tmp_path / "runs")),
    ).fit()
    ranks = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    together = [[*first, *second] for first, second in zip(*(rank["rows"] for rank in ranks), strict=True)]
    alone = view.pytorch(shuffle=True, batch_size=16, tensors=["labels"])
    expected = [batch["index"].tolist() for _ in range(2) for batch in alone]
    assert together == expected
    for rank in ranks:
        assert np.mean(rank["losses"][-4:]) < np.mean(rank["losses"][:2])
