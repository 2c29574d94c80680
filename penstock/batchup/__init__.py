"""BatchUp's names over the layers below."""

__all__: list[str] = []
