"""Operations on what training will draw, and the code that makes it draw that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import SamplingError
from penstock.sampling import ClassCounts, IndexStream, ShuffledStream
from penstock.widgets.operations._edit import EditOperations
from penstock.widgets.operations._query import MODE, SEED, WEIGHTS
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._rpc import Call, operation
from penstock.widgets.session._export import code_of
from penstock.widgets.session._query_run import QueryRun
from penstock.widgets.session._source import same_state

__all__ = ["SessionOperations"]

_MAX_DRAWN_EPOCHS = 100
_MAX_BATCHES = 200
_BATCH_SIZE = check.integer(1, 2**20)


class SessionOperations(EditOperations):
    """All operations of the contract."""

    @operation(
        "plan.drawn",
        lane="read",
        num_epochs=check.integer(1, _MAX_DRAWN_EPOCHS),
        weights=WEIGHTS,
        mode=MODE,
        seed=SEED,
    )
    def drawn(self, call: Call, *, num_epochs: int, weights: list[float], mode: str, seed: int) -> dict[str, Any]:
        """Draw epochs from the loader's own stream: rows seen after each, instances a class in the first."""
        run = self.session.run
        stream = _stream(run, weights, mode, seed)
        identity = None if run.strata is None else run.strata.identity
        seen = np.zeros(len(run.pool), bool)  # of distinct rows, where rows repeat
        unique, counts = [], np.empty(0, np.int64)
        for epoch in range(num_epochs):
            call.check_cancelled()
            positions = stream.epoch(epoch)
            if epoch == 0:
                counts = _instances(run, positions)
            seen[positions if identity is None else identity[positions]] = True
            unique.append(int(np.count_nonzero(seen)))
            call.progress(epoch + 1, num_epochs, "drawing epochs")
        return {"unique": unique, "counts": counts.tolist()}

    @operation(
        "plan.batches",
        lane="read",
        batch_size=_BATCH_SIZE,
        num_batches=check.integer(1, _MAX_BATCHES),
        weights=WEIGHTS,
        mode=MODE,
        seed=SEED,
    )
    def batches(
        self, call: Call, *, batch_size: int, num_batches: int, weights: list[float], mode: str, seed: int
    ) -> dict[str, Any]:
        """Count the instances of each class in the first batches the loader will give."""
        run = self.session.run
        stream = _stream(run, weights, mode, seed)
        call.check_cancelled()
        stop = min(batch_size * num_batches, stream.size)
        positions = stream.slice(0, stop)
        parts = [positions[start : start + batch_size] for start in range(0, stop, batch_size)]
        return {"counts": [_instances(run, part).tolist() for part in parts]}

    @operation("export.code", batch_size=_BATCH_SIZE, framework=check.choice("pytorch", "numpy"))
    def export(self, _call: Call, *, batch_size: int, framework: str) -> dict[str, Any]:
        """Return the code of a cell that makes the loader the charts describe."""
        session, before = self.session, self.session.table
        session.follow(store=True)
        code = code_of(
            session.source, session.run, session.seed, batch_size=batch_size, drop_last=False, framework=framework
        )
        note = session.behind.message if session.behind else None
        if note is None and not same_state(before, session.table):
            note = "the dataset had changed: charts and code are of it as it is now"
        return {"code": code, "note": note}


def _stream(run: QueryRun, weights: list[float], mode: str, seed: int) -> IndexStream:
    if run.strata is None:
        raise SamplingError("the query gives a table, not samples; nothing is drawn from it")
    if not run.has_sampling:
        return ShuffledStream(len(run.pool), seed)
    if run.spec.expression is not None:
        return run.strata.with_spec(run.spec.with_options(mode=mode, seed=seed)).stream()
    if len(weights) != len(run.spec.clauses):
        raise SamplingError(f"{len(weights)} weights given; the query has {len(run.spec.clauses)} weight clauses")
    spec = run.spec.replace_weights(dict(enumerate(weights))).with_options(mode=mode, seed=seed)
    return run.strata.with_spec(spec).stream()


def _instances(run: QueryRun, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    labels: ClassCounts | None = run.strata.labels if run.strata is not None else None
    if labels is None:
        return np.zeros(0, np.int64)
    return labels.take(positions).instances
