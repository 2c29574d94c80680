"""What a user holds: Dataset, View, edits, commits, saved views."""

__all__: list[str] = []
