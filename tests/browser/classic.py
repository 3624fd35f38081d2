"""The classic Notebook 6.5, which Colab's page is derived from, with Colab's kernel behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page

from .harness import Notebook, Server, running_server

PATIENCE_S = 180  # other tests run beside these
ERRORS = """() => Jupyter.notebook.get_cells().flatMap((cell) => cell.output_area?.outputs ?? [])
    .filter((output) => output.output_type === 'error')
    .map((output) => `${output.ename}: ${output.evalue}`)"""
RUNS = """(text) => Jupyter.notebook.get_cells()
    .some((cell) => cell.input_prompt_number === '*' && cell.get_text().includes(text))"""
ALL_RAN = """() => Jupyter.notebook.get_cells().every((cell) =>
    cell.cell_type !== 'code' || Number.isInteger(cell.input_prompt_number))"""
ONE_MORE = """() => {
    const cell = Jupyter.notebook.insert_cell_at_bottom('code');
    cell.set_text('"this one too"');
    cell.execute();
}"""
LAST_RAN = "() => Number.isInteger(Jupyter.notebook.get_cells().at(-1).input_prompt_number)"
IS_OPEN = """() => window.Jupyter?.notebook?._fully_loaded
    && Jupyter.notebook.kernel?.is_connected() && Jupyter.notebook.kernel.widget_manager"""
IS_READY = "() => Object.keys(Jupyter.notebook.kernel.info_reply).length > 0"


def is_here() -> bool:
    """Whether this environment has the classic Notebook."""
    try:
        return version("notebook").startswith("6.")
    except PackageNotFoundError:
        return False


@contextlib.contextmanager
def serve_classic(home: Path) -> Iterator[Server]:
    """A classic Notebook; `home` is an empty folder."""
    options = ["--NotebookApp.token={token}", "--NotebookApp.notebook_dir={folder}"]
    with running_server(home, "notebook", options) as found:
        yield found


class ClassicNotebook(Notebook):
    """A notebook open in a page of Notebook 6."""

    def goto(self, page: Page) -> None:
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(f"{self.server.url}/notebooks/{self.name}?token={self.server.token}")
        page.wait_for_function(IS_OPEN)

    def run_all(self) -> None:
        self.page.wait_for_function(IS_READY)
        self.page.evaluate("() => Jupyter.notebook.execute_all_cells()")

    def save(self) -> dict[str, Any]:
        self.page.evaluate("() => Jupyter.notebook.save_notebook()")
        return nbformat.read(self.server.folder / self.name, as_version=4)

    def runs(self, text: str) -> bool:
        """Whether a cell with this text has begun, or waits for its turn, and has not ended."""
        return self.page.evaluate(RUNS, text)

    def wait_for(self, *what: Any, timeout_s: float = PATIENCE_S) -> str:
        return super().wait_for(*what, timeout_s=timeout_s)

    def wait_until_all_ran(self) -> None:
        """Waits for the last cell; none may have raised."""
        self.page.wait_for_function(ALL_RAN)
        assert self.page.evaluate(ERRORS) == []

    def wait_until_free(self) -> None:
        """Waits until the kernel takes another cell: a page that was reloaded does not know which
        cell runs, and says of it for ever that it does.
        """
        self.page.evaluate(ONE_MORE)
        self.page.wait_for_function(LAST_RAN)

    def output(self) -> str:
        return "\n".join(self.page.locator(".output_subarea").all_inner_texts())
