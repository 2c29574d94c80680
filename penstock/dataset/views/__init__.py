"""Views: chosen and drawn samples of one version, and views that are kept."""

from penstock.dataset.views._fixed_content import FixedContent

__all__ = ["FixedContent"]
