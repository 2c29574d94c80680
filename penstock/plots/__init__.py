"""plotly figures out of plain arrays."""

__all__: list[str] = []
