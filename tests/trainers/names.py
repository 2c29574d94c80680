"""The rows of the table; nothing here needs torch."""

from __future__ import annotations

TRAINERS = {
    "own loop": "plain:train",
    "Accelerate": "accelerate_:train",
    "Hugging Face Trainer": "hugging_face:train",
    "Lightning Trainer": "lightning_:train",
    "Lightning Fabric": "fabric_:train",
    "mmengine Runner": "mmengine_:train",
}
KINDS = (
    "Loader",
    "DataLoader + TorchSampler",
    "DataLoader + TorchBatchSampler",
    "StatefulDataLoader + TorchSampler",
    "StatefulDataLoader + TorchBatchSampler",
)
WITH_WORKERS = ("DataLoader + TorchBatchSampler, 2 workers", "StatefulDataLoader + TorchSampler, 2 workers")
SCHEDULED = tuple(f"{kind}, a schedule" for kind in KINDS[:3])
RECORDED = tuple(f"{kind}, a schedule, recording" for kind in KINDS[:3])
