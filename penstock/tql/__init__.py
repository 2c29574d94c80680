"""TQL: text to rows and weights."""

__all__: list[str] = []
