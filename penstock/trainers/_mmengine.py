"""Resume in the middle of an epoch under mmengine."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from penstock.trainers._position import checked, in_use, state_of

__all__ = ["MMEngineResume"]


class MMEngineResume(Hook):  # type: ignore[misc]  # mmengine is optional and not loaded for types
    """Puts the place of a loader or a sampler into checkpoints; mmengine begins a half done epoch again by itself.

    Checkpoints at the end of an epoch need none of this, and an `IterBasedTrainLoop` is left alone: it reads all
    batches before the checkpoint again.

    Parameters
    ----------
    loader : Loader, TorchSampler or TorchBatchSampler
        The runner's dataloader, or what it was given.

    Raises
    ------
    LoaderError
        If it is something else.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = checked(loader)
        self._num_batches = 0

    def before_train_epoch(self, runner: Any) -> None:  # noqa: ARG002  mmengine's signature
        """Begin to count anew."""
        self._num_batches = 0

    def after_train_iter(self, runner: Any, *_: object, **__: object) -> None:  # noqa: ARG002  mmengine's signature
        """Count a batch."""
        self._num_batches += 1

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Save the place behind the batches that were trained on."""
        if not _reads_again(runner):
            checkpoint["penstock"] = state_of(runner.train_loop.dataloader, self._loader, self._num_batches)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Go on there."""
        if "penstock" in checkpoint and not _reads_again(runner):
            in_use(runner.train_loop.dataloader, self._loader).load_state_dict(checkpoint["penstock"])


def _reads_again(runner: Any) -> bool:
    return hasattr(runner.train_loop, "dataloader_iterator")
