"""Versions on Lance, links and object stores; the only importer of Lance."""

__all__: list[str] = []
