"""The views that are kept with a dataset."""

from __future__ import annotations

from dataclasses import replace

from penstock.dataset.opened._live_content import LiveContent
from penstock.dataset.opened._opened import OpenDataset
from penstock.dataset.views._saved_views import (
    SavedView,
    SavedViews,
    delete_saved,
    open_saved,
    saved_view,
    saved_views,
)
from penstock.dataset.views._view import View
from penstock.engines import EngineOption

__all__ = ["Viewed"]


class Viewed:
    """An object with saved views."""

    _content: LiveContent
    _opened: OpenDataset

    def get_views(self) -> SavedViews:
        """Return the saved views, the newest first."""
        return saved_views(self._content)

    def get_view(self, id: str) -> SavedView:  # noqa: A002  the document's name
        """Return what is known of a saved view; `load_view` opens it.

        Raises
        ------
        ViewNotFoundError
            If there is no such view.
        """
        return saved_view(self._content, id)

    def load_view(
        self,
        id: str,  # noqa: A002  the document's name
        optimize: bool = False,
        num_workers: int = 0,
        *,
        engine: EngineOption = None,
    ) -> View:
        """Open a saved view: the rows of its commit, whatever has changed since.

        Parameters
        ----------
        id : str
            What ``save_view`` returned.
        optimize : bool
            Copy the samples beside the dataset, in the view's order and links
            resolved to images; from then on the view reads the copy.
        num_workers : int
            Threads that read while copying; of an engine, parts at the same time, where 0 means all it can.
        engine : {"threads", "processes", "ray"} or RayEngine, optional
            Where the samples are copied, part by part; by default here. The copy is the same.

        Returns
        -------
        View
            Its query is not run again.

        Raises
        ------
        ViewNotFoundError
            If there is no such view.
        EngineError
            If the engine is unknown, cannot be reached or loses its workers; there is no copy then.
        """
        found = open_saved(self._content, id, optimize=optimize, num_workers=num_workers, engine=engine)
        return View(replace(found, dataset=self))

    def delete_view(self, id: str) -> None:  # noqa: A002  the document's name
        """Delete a saved view and its copy; the samples stay in the dataset."""
        with self._opened.lock:
            self._opened.check_writable()
            delete_saved(self._content, id)
