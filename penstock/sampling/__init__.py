"""Which rows, how often; numpy only, usable without a dataset."""

__all__: list[str] = []
