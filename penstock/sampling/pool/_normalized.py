"""Fields of a frozen value in their normal form."""

from __future__ import annotations

__all__ = ["set_normalized"]


def set_normalized(value: object, **fields: object) -> None:
    """Give fields of a frozen dataclass their normal form; only for its own `__post_init__`."""
    for name, field in fields.items():
        object.__setattr__(value, name, field)  # what the generated __init__ does too: nobody else has the value yet
