"""What an expression yields, and how that reads in a message."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Type", "described"]

_WORDS = {
    "bool": "boolean", "int": "integer", "float": "number", "text": "text", "json": "JSON value", "time": "time",
    "null": "NULL",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """The type of an expression.

    `kind` is bool, int, float, text, json, time or null; `rank` the dimensions
    of a row's value (0 for one value); `single` says that every row holds
    exactly one element though the tensor stores arrays.
    """

    kind: str
    rank: int = 0
    class_names: tuple[str, ...] | None = None
    single: bool = False

    @property
    def scalar(self) -> bool:
        """Return whether a row's value can be compared directly."""
        return self.rank == 0 or self.single

    @property
    def numeric(self) -> bool:
        """Return whether arithmetic is allowed."""
        return self.kind in {"bool", "int", "float"}

    @property
    def described(self) -> str:
        """The type in a user's words."""
        if self.class_names is not None:
            return "class label" if self.scalar else "class labels"
        return _WORDS[self.kind] if self.scalar else f"array of {_WORDS[self.kind]}s"


def described(type_: Type) -> str:
    """Return a type in a user's words, with its article."""
    words = type_.described
    if words in {"text", "NULL", "class labels"}:
        return words
    return f"an {words}" if words[0] in "ai" else f"a {words}"
