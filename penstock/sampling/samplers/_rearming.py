"""Samplers that are given other weights while they are in use."""

from __future__ import annotations

from typing import Any, Self

from penstock.errors import SamplingError
from penstock.sampling.plan._plan import SamplingPlan
from penstock.sampling.samplers._reweigh import reweighed
from penstock.sampling.streams._stream import IndexStream

__all__ = ["Reweighable"]


class Reweighable:
    """A sampler whose next epoch may draw by another plan, after all positions of the epochs before."""

    _plan: SamplingPlan | None
    _stream: IndexStream
    _continuing: bool
    _epoch: int
    _open: bool
    _waiting: SamplingPlan | None = None
    _reached: int = 0

    def with_weights(self, weights: Any) -> Self:
        """Draw by other weights from the next epoch on; the epoch under way is not touched.

        The seed stays and the stream goes on: no epoch repeats the random words of one before. A state is of the
        weights: to resume, give the same ones before `load_state_dict`. In deck mode the deal of the new weights is not
        begun anew, as a loader's is: for the draws of `Loader.with_weights`, make the sampler of its schedule.

        Parameters
        ----------
        weights : SamplingPlan, SamplingSpec, list, tuple, ndarray or Tensor of torch
            A plan of the same samples, or a spec with the current clauses, with their own mode and size; or one
            weight for each sample, drawn in the current mode and size.

        Returns
        -------
        TorchSampler or TorchBatchSampler
            This sampler.

        Raises
        ------
        SamplingError
            If this sampler was made of a stream, or the weights are of other samples or clauses, are not valid, or
            leave nothing to draw.
        """
        plan = self._waiting or self._plan
        if plan is None:
            raise SamplingError(
                "this sampler was made of a stream, which has no weights", hint="make it of a plan: TorchSampler(plan)"
            )
        self._waiting = reweighed(plan, weights)
        if self._epoch < 0 and not self._open:
            self._take_up_weights(0)
        return self

    def _take_up_weights(self, reached: int) -> None:
        """Draw by the plan that waits, from a position on that no epoch before has used."""
        if self._waiting is None:
            return
        if self._continuing:
            self._reached = max(self._reached, reached)
        self._plan, self._waiting = self._waiting, None
        self._stream = self._plan.stream()
        self._continuing = bool(getattr(self._stream, "continuing", False))
