"""Index stream to read, decode, transform, batch."""

__all__: list[str] = []
