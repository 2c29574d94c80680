"""Where work runs: threads, processes, Ray."""

__all__: list[str] = []
