"""Resume in the middle of an epoch under Lightning, with a plain DataLoader."""

from __future__ import annotations

from typing import Any

from penstock.errors import LoaderError
from penstock.trainers._position import checked, in_use, state_of

try:
    from lightning.pytorch import Callback
except ImportError:
    from pytorch_lightning import Callback

__all__ = ["LightningResume"]


class LightningResume(Callback):  # type: ignore[misc]  # lightning is optional and not loaded for types
    """Puts the place of a sampler into checkpoints; for a torch DataLoader, which has no state of its own.

    A penstock `Loader` and torchdata's `StatefulDataLoader` need none of this: Lightning keeps their state.

    Parameters
    ----------
    sampler : TorchSampler or TorchBatchSampler
        What the DataLoader was given.

    Raises
    ------
    LoaderError
        If it is something else; when training starts, if the DataLoader does not read by it.
    """

    def __init__(self, sampler: Any) -> None:
        self._sampler = checked(sampler)
        self._dataloader: Any = None
        self._num_batches = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning's signature
        """Begin to count."""
        self._num_batches = 0
        self._check(trainer.train_dataloader)

    def _check(self, dataloader: Any) -> None:
        # Lightning makes a TorchBatchSampler again, which then draws from the same stream
        used = in_use(dataloader, self._sampler)
        same = getattr(used, "_stream", used) is getattr(self._sampler, "_stream", self._sampler)
        if not hasattr(dataloader, "batch_sampler") or not same:
            raise LoaderError(
                f"the trainer's {type(dataloader).__name__} does not use the sampler passed to LightningResume, "
                "so it could not resume at the right position",
                hint="create the sampler once, before the Trainer, and use it in train_dataloader; "
                "if there are several DataLoaders, use a torchdata StatefulDataLoader for each",
            )

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002  Lightning's signature
        """Begin to count anew."""
        self._num_batches = 0

    def on_train_batch_end(self, trainer: Any, *_: object, **__: object) -> None:
        """Count a batch."""
        self._dataloader = trainer.train_dataloader
        self._num_batches += 1

    def state_dict(self) -> dict[str, Any]:
        """Return the place behind the batches that were trained on."""
        return state_of(self._dataloader, self._sampler, self._num_batches)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the sampler go on there."""
        self._sampler.load_state_dict(state_dict)
