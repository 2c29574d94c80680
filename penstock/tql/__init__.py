"""The Tensor Query Language: text to rows and weights."""

from penstock.tql.editor._colors import ColoredToken, tokens
from penstock.tql.editor._complete import Completion, complete
from penstock.tql.editor._explain import Explanation, explain
from penstock.tql.editor._lint import Diagnostic, Hover, hover, lint
from penstock.tql.editor._renaming import rename_classes
from penstock.tql.functions._registry import function
from penstock.tql.pipeline._evaluated import depends_on_signals, evaluated
from penstock.tql.pipeline._plans import HasSampleWeights, Weights, exact_plan, make_plan, schedule_plan, spec_for
from penstock.tql.pipeline._run import QueryResult, bind_sampling, parse_sampling, run, with_class_tables
from penstock.tql.syntax._lexer import quote_name, quote_text
from penstock.tql.syntax._parser import parse
from penstock.tql.writing._clauses import ClassTables, WeightClause, add_clause, clauses, remove_clause, rewrite_weight
from penstock.tql.writing._layout import format_query
from penstock.tql.writing._unparse import unparse
from penstock.tql.writing._where import Condition, conditions, with_condition, without_condition

__all__ = [
    "ClassTables",
    "ColoredToken",
    "Completion",
    "Condition",
    "Diagnostic",
    "Explanation",
    "HasSampleWeights",
    "Hover",
    "QueryResult",
    "WeightClause",
    "Weights",
    "add_clause",
    "bind_sampling",
    "clauses",
    "complete",
    "conditions",
    "depends_on_signals",
    "evaluated",
    "exact_plan",
    "explain",
    "format_query",
    "function",
    "hover",
    "lint",
    "make_plan",
    "parse",
    "parse_sampling",
    "quote_name",
    "quote_text",
    "remove_clause",
    "rename_classes",
    "rewrite_weight",
    "run",
    "schedule_plan",
    "spec_for",
    "tokens",
    "unparse",
    "with_class_tables",
    "with_condition",
    "without_condition",
]
