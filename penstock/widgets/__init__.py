"""Jupyter widgets over a dataset and its loader."""

__all__: list[str] = []
