"""What the browser is told: the dataset, the query that ran, samples, statistics. Plain JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock import tql
from penstock.dataset.samples import content_of
from penstock.sampling import SamplingPlan
from penstock.storage import Holder, decoded
from penstock.table import OverlayTable, Ragged, all_bounds, class_colors_of, class_totals
from penstock.tensors import TensorSpec, first_tensor, kind_in_words, labels_in_words
from penstock.widgets.editing._objects import object_group
from penstock.widgets.editing._sample import edited_uids
from penstock.widgets.grid._order import scalar_tensors
from penstock.widgets.queries._query_run import QueryRun
from penstock.widgets.requests._operation import Reply
from penstock.widgets.session._display import Display
from penstock.widgets.shapes._skeletons import skeletons

if TYPE_CHECKING:
    from penstock.widgets.session._session import Session

__all__ = [
    "cell_text",
    "classes_fixed",
    "clause_infos",
    "data_token",
    "dataset_info",
    "display_state",
    "exact_cell",
    "grid_state",
    "query_reply",
    "query_state",
    "saved_views",
    "shown_kind",
    "statistics",
    "table_rows",
]

_MAX_TABLE_ROWS = 200
_MAX_CELL_CHARACTERS = 200
_NUM_RARE = 3
_EXACT = 2**53


def shown_kind(spec: TensorSpec) -> str:
    """Return a tensor's kind in words, such as ``class label, 1–5 per sample``."""
    return ", ".join(filter(None, (kind_in_words(spec), labels_in_words(spec))))


def clause_infos(clauses: Sequence[tql.WeightClause], labels: str | None) -> list[dict[str, Any]]:
    """Return the weight clauses of a query, each with the class it is about and where its number stands."""
    return [
        {
            "expression": clause.expression,
            "label": clause.label,
            "class_index": clause.class_index if clause.tensor == labels else None,
            "weight": clause.weight if math.isfinite(clause.weight) else 1.0,
            "from": clause.start,
            "to": clause.end,
            "table": clause.table,
        }
        for clause in clauses
    ]


def dataset_info(session: Session, display: Display) -> dict[str, Any]:
    """Return the `DatasetInfo` of the contract: of the state that is displayed, whatever was written since."""
    run = display.run
    dataset, table = session.dataset, run.table
    names = run.class_names
    counts = _totals(run)
    done, undone = session.edits.done, session.edits.undone
    label, behind, group = table.stored.label, display.behind, object_group(table, run.labels)
    branch = table.stored.snapshot.branch
    return {
        "name": session.name,
        "version": label[:7],
        "branch": "main" if branch is None else decoded(branch),
        "num_samples": table.num_rows,
        "num_edits": len(edited_uids(table)),
        "uncommitted": bool(table.draft) or "+" in label,
        "read_only": dataset.read_only or display.holder is not None,
        "opened": session.source.kind,
        "tensors": [{"name": n, "htype": t.htype, "shown": shown_kind(t)} for n, t in table.tensors.items()],
        "scalar_tensors": scalar_tensors(table),
        "image_tensor": first_tensor(table.tensors, "image"),
        "box_tensor": first_tensor(table.tensors, "bbox"),
        "label_tensor": run.labels,
        "paired": group is not None and group.paired,
        "single_label": _single_label(run) and not (group is not None and group.paired),
        "class_names": list(names),
        "class_counts": counts.tolist(),
        "skeletons": skeletons(dataset, table, run.labels),
        "class_colors": _class_colors(run),
        "classes_fixed": classes_fixed(session, table, run.labels),
        "can_undo": done[-1].name if done else None,
        "can_redo": undone[-1].name if undone else None,
        "signals": _signals(run),
        "holder": _holder(display.holder),
        "behind": None if behind is None else {"message": behind.message, "remedy": behind.remedy},
    }


def _totals(run: QueryRun) -> NDArray[np.int64]:
    """Return the labels of each class in the whole dataset."""
    if run.labels is None:
        return np.zeros(len(run.class_names), np.int64)
    pool = None if run.strata is None else run.strata.labels
    if run.every_row and pool is not None and pool.tensor == run.labels:
        return pool.instances
    return class_totals(run.table, run.labels)


def _signals(run: QueryRun) -> dict[str, Any] | None:
    signals = run.signals
    if signals is None:
        return None
    return {"run": signals.run, "names": list(signals.names), "stale": int(signals.stale.sum())}


def _holder(holder: Holder | None) -> dict[str, Any] | None:
    """Return the other process that edits, as the browser names it."""
    if holder is None:
        return None
    return {"program": holder.program, "pid": holder.pid, "host": holder.host, "since": holder.since}


def _single_label(run: QueryRun) -> bool:
    """Tell whether a sample has one label at most, so that a class takes the place of the one before."""
    if run.labels is None:
        return False
    column = run.table.column(run.labels)
    return len(column) > 0 and all_bounds([column.offsets])[1] == 1


def grid_state(display: Display) -> dict[str, Any]:
    """Return the `GridState` of the contract."""
    return {
        "rev": display.revision,
        "filter": {
            "classes": list(display.filter.classes),
            "how": display.filter.how,
            "states": list(display.filter.states),
        },
        "sort": display.order.by,
        "descending": display.order.descending,
        "size": len(display.positions),
        "held": len(display.held),
        "stale": display.stale,
        "token": display.token,
        "data": data_token(display.run.table) + (f":{display.run.signals.token}" if display.run.signals else ""),
        "selection": [list(pair) for pair in display.selection.intervals],
        "num_selected": len(display.selection.uids),
    }


def data_token(table: OverlayTable) -> str:
    """Return a text that changes when samples may have."""
    snapshot = table.stored.snapshot
    return f"{snapshot.branch}:{snapshot.version}:{table.version}"


def display_state(session: Session, display: Display) -> tuple[dict[str, Any], list[bytes]]:
    """Return the `Display` of the contract, and the buffers of the query's statistics."""
    state, buffers = query_state(display.run, mode=session.mode, seed=session.seed)
    state["preset"] = _preset(session, display.run)
    return {"dataset": dataset_info(session, display), "query": state, "grid": grid_state(display)}, buffers


def query_reply(session: Session) -> Reply:
    """Return the answer to a query that ran; views that did not ask take it as news."""
    state, buffers = display_state(session, session.display)
    return Reply(result=state | {"history": session.history}, buffers=buffers, news="query")


def saved_views(session: Session) -> list[dict[str, Any]]:
    """Return the dataset's saved views, the newest first."""
    return [
        {"id": v.id, "message": v.message, "query": v.query_string or "", "num_samples": v.num_samples}
        for v in session.dataset.get_views()
    ]


def statistics(plan: SamplingPlan | None) -> tuple[dict[str, Any] | None, list[bytes]]:
    """Return a `StatisticsHeader` and its arrays, in the header's order."""
    if plan is None:
        return None, []
    strata, arrays = plan.strata, plan.statistics()
    header = {
        "num_rows": strata.num_rows,
        "num_strata": strata.num_strata,
        "num_classes": strata.labels.num_classes if strata.labels else 0,
        "num_clauses": strata.num_clauses,
        "arrays": [{"name": n, "dtype": a.dtype.name, "length": len(a)} for n, a in arrays.items()],
        "level": strata.level,
        "bin_error": plan.bin_error,
    }
    return header, [np.ascontiguousarray(array).tobytes() for array in arrays.values()]


def query_state(run: QueryRun, *, mode: str, seed: int) -> tuple[dict[str, Any], list[bytes]]:
    """Return a `QueryState` of the contract and its statistics' buffers."""
    result, plan, spec = run.result, run.plan, run.spec
    header, buffers = statistics(plan)
    funnel = [{"label": label, "rows": int(rows)} for label, rows in result.funnel]
    state = {
        "text": run.text,
        "kind": "rows" if result.is_rows else "table",
        "num_rows": run.num_rows,
        "pool_size": len(run.pool),
        "draws": run.asked_draws,
        "ms": round(run.seconds * 1000, 3),
        "combine": spec.combine,
        "cap": spec.cap,
        "replace": spec.replace,
        "mode": mode,
        "seed": seed,
        "clauses": clause_infos(run.clauses, run.labels) if run.has_sampling else [],
        "conditions": [{"text": one.text, "from": one.start, "to": one.end} for one in tql.conditions(run.text)],
        "has_sampling": run.has_sampling,
        "funnel": funnel,
        "emptied_by": next((step["label"] for step in funnel if step["rows"] == 0), None),
        "rare_classes": _rare_classes(plan),
        "statistics": header,
        "table": None if result.is_rows else table_rows(result.columns or {}),
        "warnings": list(run.warnings),
        "followed": _followed(run),
    }
    return state, buffers


def classes_fixed(session: Session, table: OverlayTable, labels: str | None) -> str | None:
    """Return why classes cannot be added, renamed, merged, deleted or recolored; None where they can."""
    read_only = content_of(session.dataset).opened.working.read_only
    if labels is None:
        return "the dataset has no class labels"
    if session.source.view is not None:
        return "a view is open, and classes belong to the whole dataset"
    if read_only is not None:
        return f"the dataset is read-only: {read_only}"
    if not table.tensors[labels].class_names and len(table.column(labels).values):
        return f"the classes of {labels!r} have no names, only numbers"
    return None


def _class_colors(run: QueryRun) -> dict[str, str]:
    """Return the classes that have a color of their own: by index as text, as JSON has it."""
    if run.labels is None:
        return {}
    colors = class_colors_of(run.table, run.labels)
    return {str(index): colors[name] for index, name in enumerate(run.class_names) if name in colors}


def _preset(session: Session, run: QueryRun) -> dict[str, Any] | None:
    """Return what the weights come from: the preset, and what it wrote for each clause."""
    clauses = run.clauses if run.has_sampling else ()
    preset = session.presets.of(clauses)
    if preset is None or not clauses:
        return None
    weights = [preset.weights.get(clause.expression) for clause in clauses]
    return {"name": preset.name, "parameter": preset.parameter, "weights": weights}


def _followed(run: QueryRun) -> dict[str, Any] | None:
    followed = run.followed
    if followed is None:
        return None
    classes = None if followed.classes is None else list(followed.classes)
    return {"number": followed.number, "renames": [list(pair) for pair in followed.renames], "classes": classes}


def _rare_classes(plan: SamplingPlan | None) -> list[int]:
    if plan is None:
        return []
    counts = plan.strata.labels.instances if plan.strata.labels else np.empty(0)
    present = np.flatnonzero(counts > 0)
    return [int(index) for index in present[np.argsort(counts[present], kind="stable")][:_NUM_RARE]]


def table_rows(columns: Mapping[str, Ragged]) -> dict[str, Any]:
    """Return the first rows of a table result as text and numbers."""
    names = list(columns)
    num_rows = min((len(column) for column in columns.values()), default=0)
    rows = [[cell_text(columns[name], i) for name in names] for i in range(min(num_rows, _MAX_TABLE_ROWS))]
    return {"columns": names, "rows": rows}


def cell_text(column: Ragged, index: int) -> str | float | int | None:
    """Return a value of a column as the browser shows it: a number, or short text; None where there is none."""
    if column.valid is not None and not column.valid[index]:
        return None
    value = column.row(index)
    if column.class_names is not None:
        return _short(
            ", ".join(column.class_names[i] if 0 <= i < len(column.class_names) else str(i) for i in value.flat)
        )
    if value.size == 1:
        scalar = value.reshape(-1)[0].item() if hasattr(value.reshape(-1)[0], "item") else value.reshape(-1)[0]
        if isinstance(scalar, float) and not math.isfinite(scalar):
            return str(scalar)
        return scalar if isinstance(scalar, (int, float)) and not isinstance(scalar, bool) else _short(str(scalar))
    return _short(np.array2string(value, threshold=20, precision=4, separator=", ").replace("\n", " "))


def exact_cell(column: Ragged, index: int) -> str | float | int | None:
    """Return the same, a number that a browser would round as text."""
    value = cell_text(column, index)
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CELL_CHARACTERS else text[: _MAX_CELL_CHARACTERS - 1] + "…"
