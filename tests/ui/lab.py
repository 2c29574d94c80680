"""Driving a notebook in the browser by states, never by sleeping: run cells, read outputs, count cells."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

APP = "window.jupyterapp"
NOTEBOOK = """(() => { const w = window.jupyterapp.shell.currentWidget; return w.content.activeCell !== undefined ? w : w.content })()"""
KERNEL_UP = f"""() => {{ const w = {APP}?.shell.currentWidget, k = w?.sessionContext?.session?.kernel;
  return !!k && k.connectionStatus === 'connected' && k.status === 'idle' }}"""
SOURCES = f"() => Array.from({APP}.shell.currentWidget.content.model.cells, cell => cell.sharedModel.getSource())"
COUNTS = f"() => Array.from({APP}.shell.currentWidget.content.model.cells, cell => cell.executionCount ?? null)"


@dataclass
class NotebookPage:
    """One notebook open in JupyterLab or Notebook 7."""

    page: Page
    errors: list[str]

    def wait_for_kernel(self) -> None:
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.wait_for_function(KERNEL_UP, timeout=60_000)

    def command(self, name: str) -> None:
        self.page.evaluate(f"() => {{ {APP}.commands.execute({name!r}) }}")

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def run_cell(self, index: int) -> None:
        self.page.evaluate(f"(index) => {{ {APP}.shell.currentWidget.content.activeCellIndex = index }}", index)
        self.command("notebook:run-cell")

    def wait_until_run(self, index: int, timeout_ms: int = 120_000) -> None:
        """Wait until the cell's prompt shows a count: status alone lies when subshells answer."""
        done = f"""(index) => {{ const cell = {APP}.shell.currentWidget.content.widgets[index];
            return /\\[\\d+\\]/.test(cell?.promptNode?.textContent ?? cell?.node.querySelector('.jp-InputPrompt')?.textContent ?? '') }}"""
        self.page.wait_for_function(done, arg=index, timeout=timeout_ms)

    def wait_for_cells(self, count: int) -> None:
        self.page.wait_for_function(
            f"(count) => {APP}.shell.currentWidget.content.model.cells.length === count", arg=count
        )

    def output(self, index: int) -> str:
        """Text of a cell's outputs, scrolled away or not."""
        text = f"""(index) => {{ const cell = {APP}.shell.currentWidget.content.model.cells.get(index).toJSON();
            return (cell.outputs ?? []).map(o => o.text ?? o.data?.['text/plain'] ?? o.traceback ?? '').flat().join('') }}"""
        return str(self.page.evaluate(text, index))

    @property
    def sources(self) -> list[str]:
        return list(self.page.evaluate(SOURCES))

    @property
    def execution_counts(self) -> list[int | None]:
        return list(self.page.evaluate(COUNTS))

    def widget(self, test_id: str = "penstock-explorer", timeout_ms: int = 60_000) -> Locator:
        """Return a penstock view once it says that it has drawn."""
        found = self.page.locator(f"[data-testid={test_id}][data-ready='1']").first
        found.wait_for(timeout=timeout_ms)
        return found

    def expect_no_page_errors(self) -> None:
        assert self.errors == []


def watch_errors(page: Page) -> list[str]:
    """Collect uncaught errors of the page."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    return errors


__all__ = ["NotebookPage", "watch_errors"]
