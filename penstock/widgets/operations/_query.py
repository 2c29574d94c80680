"""Operations on the query: run it, help to write it, turn sliders and presets into text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock import tql
from penstock.errors import ViewNotFoundError
from penstock.tql.syntax import _ast as ast
from penstock.widgets.operations._describe import clause_infos, session_state
from penstock.widgets.requests import _checks as check
from penstock.widgets.requests._rpc import Call, Operations, Reply, operation
from penstock.widgets.session._query_run import Mode
from penstock.widgets.session._session import Session

__all__ = ["MODE", "QUERY", "SEED", "WEIGHTS", "QueryOperations"]

MODE = check.choice("iid", "deck", "once")
SEED = check.integer(0, 2**53 - 1)
MAX_CLAUSES = 4096
WEIGHTS = check.array(check.number(0, 1e300), MAX_CLAUSES)
QUERY = check.text()
_CLASS = check.integer(0, 2**31 - 1)


class QueryOperations(Operations):
    """Answers about the query of one session.

    Parameters
    ----------
    session : Session
        What the widget shows.
    draft : callable
        Returns the text in the editor that has not run.
    """

    def __init__(self, session: Session, draft: Callable[[], str]) -> None:
        self.session = session
        self._draft = draft

    def query_reply(self, **more: Any) -> Reply:
        """Return all that is shown: dataset, query, grid, and the query's statistics as buffers."""
        state, buffers = session_state(self.session)
        return Reply(result={**state, **more}, buffers=buffers)

    @operation("hello", lane="read")
    def hello(self, _call: Call) -> Reply:
        """Say what is open."""
        draft = self._draft()
        self.session.look_soon()
        return self.query_reply(
            draft=draft if draft and draft != self.session.query else None,
            history=self.session.history,
            views=self.saved_views(),
        )

    @operation("query.run", text=QUERY, mode=check.maybe(MODE), seed=check.maybe(SEED))
    def run(self, call: Call, *, text: str, mode: Mode | None, seed: int | None) -> Reply:
        """Run a query; an error leaves everything as it was."""
        self.session.run_query(text, mode=mode, seed=seed, cancelled=call.cancelled.is_set, origin=call.view)
        return self.query_reply(history=self.session.history)

    @operation("query.lint", lane="read", text=QUERY)
    def lint(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Say what is wrong, and where the weights stand."""
        run = self.session.run
        found = [
            {"from": d.start, "to": d.end, "severity": d.severity, "message": d.message, "fix": d.fix}
            for d in tql.lint(text, run.table)
        ]
        if any(diagnostic["severity"] == "error" for diagnostic in found):
            return {"diagnostics": found, "clauses": None, "combine": None}
        sample = tql.parse(text).sample
        combine = None
        if sample is not None:
            combine = sample.weight.combine if isinstance(sample.weight, ast.Weights) else "max"
        clauses = clause_infos(text, run.table, run.labels) if sample is not None else []
        return {"diagnostics": found, "clauses": clauses, "combine": combine}

    @operation("query.complete", lane="read", text=QUERY, position=check.integer(0, check.MAX_QUERY_CHARACTERS))
    def complete(self, _call: Call, *, text: str, position: int) -> dict[str, Any]:
        """Offer what can stand at the caret."""
        offers = tql.complete(text, position, self.session.run.table)
        return {
            "completions": [
                {"label": o.label, "insert": o.insert, "kind": o.kind, "detail": o.detail, "from": o.start, "to": o.end}
                for o in offers
            ]
        }

    @operation("query.explain", lane="read", text=QUERY)
    def explain(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Count the rows each clause leaves."""
        funnel = tql.explain(text, self.session.run.table).funnel
        return {"funnel": [{"label": label, "rows": int(rows)} for label, rows in funnel]}

    @operation("query.format", lane="read", text=QUERY)
    def format(self, _call: Call, *, text: str) -> dict[str, Any]:
        """Lay the query out."""
        return {"text": tql.format_query(text)}

    @operation("clause.add", lane="read", text=QUERY, class_index=_CLASS, weight=check.number(0, 1e300))
    def add_clause(self, _call: Call, *, text: str, class_index: int, weight: float) -> dict[str, Any]:
        """Weigh one more class."""
        run = self.session.run
        if run.labels is None or class_index >= len(run.class_names):
            raise check.BadRequestError(f"there is no class {class_index}; the dataset has {len(run.class_names)}")
        condition = class_condition(run.labels, run.class_names[class_index])
        return {"text": tql.add_clause(text, condition, weight)}

    @operation("clause.remove", lane="read", text=QUERY, clause=check.integer(0, MAX_CLAUSES))
    def remove_clause(self, _call: Call, *, text: str, clause: int) -> dict[str, Any]:
        """Drop a clause; without clauses there is no SAMPLE BY."""
        return {"text": tql.remove_clause(text, clause)}

    @operation("weights.set", weights=WEIGHTS, text=QUERY, mode=check.maybe(MODE), seed=check.maybe(SEED))
    def set_weights(
        self, call: Call, *, weights: list[float], text: str, mode: Mode | None, seed: int | None
    ) -> dict[str, Any]:
        """Take the weights the sliders came to rest at."""
        by_row = self.session.run.spec.expression is not None  # such weights have no sliders
        self.session.set_weights(None if by_row else weights, text=text, mode=mode, seed=seed, origin=call.view)
        return {}

    @operation("views.save", message=check.text(2000))
    def save_view(self, _call: Call, *, message: str) -> dict[str, Any]:
        """Keep what the query gives under an id."""
        self.session.view.save_view(message)
        return {"views": self.saved_views()}

    @operation("views.open", id=check.text(200))
    def open_view(self, call: Call, *, id: str) -> Reply:  # noqa: A002  the contract's name
        """Run the query of a saved view on the data as it is now."""
        found = next((view for view in self.session.dataset.get_views() if view.id == id), None)
        if found is None:
            raise ViewNotFoundError(f"no saved view {id!r}", hint="it may have been deleted")
        if not found.query_string:
            raise ViewNotFoundError(f"view {id!r} comes from no query", hint="open it in Python: ds.load_view(id)")
        self.session.run_query(found.query_string, seed=found.seed, cancelled=call.cancelled.is_set, origin=call.view)
        return self.query_reply(history=self.session.history)

    def saved_views(self) -> list[dict[str, Any]]:
        """Return the dataset's saved views, the newest first."""
        return [
            {"id": v.id, "message": v.message, "query": v.query_string or "", "num_samples": v.num_samples}
            for v in self.session.dataset.get_views()
        ]


def class_condition(tensor: str, name: str) -> str:
    """Return the TQL condition that a sample has a class.

    Examples
    --------
    >>> class_condition("labels", "baker's yeast")
    "contains(labels, 'baker''s yeast')"
    """
    return f"contains({tql.quote_name(tensor)}, {tql.quote_text(name)})"
