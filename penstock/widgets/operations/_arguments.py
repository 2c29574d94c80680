"""Checks of the arguments that several operations take."""

from __future__ import annotations

from penstock.widgets.requests import _checks as check

__all__ = ["CLASS", "MODE", "POSITION", "QUERY", "SEED", "UID", "WEIGHTS"]

MAX_CLAUSES = 4096

CLASS = check.integer(0, 2**31 - 1)
MODE = check.choice("iid", "deck", "once")
POSITION = check.integer(0, 2**53)
QUERY = check.text()
SEED = check.integer(0, 2**53 - 1)
UID = check.identity()
WEIGHTS = check.array(check.number(0, 1e300), MAX_CLAUSES)
