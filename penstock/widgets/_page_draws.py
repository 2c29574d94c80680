"""What a page without a kernel shows of the loader's own draws: those of the weights it was written with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penstock.widgets.operations._plan import first_draws
from penstock.widgets.session._session import Session

__all__ = ["page_draws"]

_MAX_EPOCHS = 8  # as many as the charts ask for
_MAX_DRAWS = 4_000_000
_NUM_FIRST = 12 * 256  # twelve batches of up to 256
_Ask = Callable[[str, Mapping[str, Any]], tuple[Any, Sequence[bytes]]]


def page_draws(session: Session, ask: _Ask) -> dict[str, Any] | None:
    """Return the epochs drawn and the positions of the first draws in the pool; None where nothing is drawn.

    Parameters
    ----------
    session : Session
        What the widget shows.
    ask : callable
        Answers an operation of the contract: result and buffers.
    """
    run, plan = session.run, session.run.plan
    if plan is None or run.spec.expression is not None or not len(run.pool) or not plan.total_weight > 0:
        return None
    asked = {"weights": session.weights.tolist(), "mode": session.mode, "seed": session.seed}
    epochs = max(1, min(_MAX_EPOCHS, _MAX_DRAWS // max(1, run.asked_draws)))
    drawn = ask("plan.drawn", {"num_epochs": epochs, **asked})[0]
    return {"epochs": drawn, "first": first_draws(session, _NUM_FIRST, **asked), **asked}
