"""Widths and themes of which `make test` tries some and `make test-all` every one."""

from __future__ import annotations

from typing import Any

import pytest


def exhaustive(*values: Any) -> list[Any]:
    """Return values for `parametrize`, or tuples of them, that only `make test-all` tries."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.exhaustive)
        for value in values
    ]
