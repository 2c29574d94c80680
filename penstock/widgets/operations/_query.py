"""Operations on the query: run it, help to write it, move its weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock import tql
from penstock.tql.syntax import _ast as ast
from penstock.widgets.operations._arguments import MODE, QUERY, SEED, WEIGHTS
from penstock.widgets.operations._describe import clause_infos, display_state, query_reply, saved_views
from penstock.widgets.queries._query_run import Mode
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._operation import Call, Reply, operation
from penstock.widgets.session._session import Session

__all__ = ["QueryOperations"]

_MAX_CONDITIONS = 100_000
_MAX_STEPS = 200_000  # characters


class QueryOperations:
    """Run the query, help to write it, move its weights.

    Parameters
    ----------
    session : Session
        What the widget shows.
    draft : callable
        Returns the text in the editor that has not run.
    """

    def __init__(self, session: Session, draft: Callable[[], str]) -> None:
        self._session = session
        self._draft = draft

    @operation("hello", lane="read")
    def hello(self, _call: Call) -> Reply:
        """Return what is open."""
        session, draft = self._session, self._draft()
        session.look_soon()
        state, buffers = display_state(session, session.display)
        more = {
            "draft": draft if draft and draft != session.query else None,
            "history": session.history,
            "views": saved_views(session),
            "weight_steps": session.weight_steps,
            "live": None if session.live is None else session.live.told,
        }
        return Reply(result=state | more, buffers=buffers)

    @operation("query.run", text=QUERY, mode=check.maybe(MODE), seed=check.maybe(SEED))
    def run(self, call: Call, *, text: str, mode: Mode | None, seed: int | None) -> Reply:
        """Run a query; an error leaves everything as it was."""
        self._session.run_query(text, mode=mode, seed=seed, cancelled=call.cancelled.is_set)
        return query_reply(self._session)

    @operation("query.without", lane="read", text=QUERY, condition=check.integer(0, _MAX_CONDITIONS))
    def without(self, _call: Call, *, text: str, condition: int) -> dict[str, Any]:
        """Drop a condition of WHERE; without conditions there is no WHERE. Nothing runs yet."""
        try:
            return {"text": tql.without_condition(text, condition)}
        except IndexError as error:
            raise check.BadRequestError(str(error)) from None

    @operation("query.narrow", text=QUERY, by=check.choice("filter", "selection"))
    def narrow(self, call: Call, *, text: str, by: Any) -> Reply:
        """Write the grid's filter, or the selection, into WHERE, and run that."""
        self._session.narrow(by, text=text, cancelled=call.cancelled.is_set)
        return query_reply(self._session)

    @operation("query.lint", lane="read", text=QUERY)
    def lint(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Say what is wrong, and where the weights stand."""
        run, tables = self._session.run, self._session.tables
        found = [
            {"from": d.start, "to": d.end, "severity": d.severity, "message": d.message, "fix": d.fix}
            for d in tql.lint(text, run.table, params=tables)
        ]
        if any(diagnostic["severity"] == "error" for diagnostic in found):
            return {"diagnostics": found, "clauses": None, "combine": None}
        sample = tql.parse(text).sample
        combine = None
        if sample is not None:
            combine = sample.weight.combine if isinstance(sample.weight, ast.Weights) else "max"
        clauses = tql.clauses(text, run.table, tables=tables) if sample is not None else ()
        return {"diagnostics": found, "clauses": clause_infos(clauses, run.labels), "combine": combine}

    @operation("query.complete", lane="read", text=QUERY, position=check.integer(0, check.MAX_QUERY_CHARACTERS))
    def complete(self, _call: Call, *, text: str, position: int) -> dict[str, Any]:
        """Offer what can stand at the caret."""
        offers = tql.complete(text, position, self._session.run.table)
        return {
            "completions": [
                {"label": o.label, "insert": o.insert, "kind": o.kind, "detail": o.detail, "from": o.start, "to": o.end}
                for o in offers
            ]
        }

    @operation("query.explain", lane="read", text=QUERY)
    def explain(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Count the rows each clause leaves."""
        funnel = tql.explain(text, self._session.run.table, params=self._session.tables).funnel
        return {"funnel": [{"label": label, "rows": int(rows)} for label, rows in funnel]}

    @operation("query.format", lane="read", text=QUERY)
    def format(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Lay the query out."""
        return {"text": tql.format_query(text)}

    @operation("weights.set", weights=WEIGHTS, text=QUERY, mode=check.maybe(MODE), seed=check.maybe(SEED))
    def set_weights(
        self, _call: Call, *, weights: list[float], text: str, mode: Mode | None, seed: int | None
    ) -> dict[str, Any]:
        """Take the weights the sliders came to rest at."""
        by_row = self._session.run.spec.expression is not None  # such weights have no sliders
        self._session.set_weights(None if by_row else weights, text=text, mode=mode, seed=seed)
        return {}

    @operation("weights.keep", steps=check.text(_MAX_STEPS))
    def keep_weights(self, _call: Call, *, steps: str) -> dict[str, Any]:
        """Keep what the browser can undo and redo of weights, for a page that is loaded again."""
        self._session.weight_steps = steps
        return {}
