"""One server and one browser for all tests; a notebook for each."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Iterator

import pytest
from playwright.sync_api import Browser

from .harness import CHROMIUM, Notebook, Server, chromium, serve

OPENED = pytest.StashKey[list[Notebook]]()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and os.environ.get("CI"):
        pytest.fail("no chromium here: .ci/run should have installed it")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with chromium() as opened:
        yield opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Says what the pages showed when a test failed: a missed wait says only that it was missed."""
    report = yield
    if report.when == "call" and report.failed:
        for one in item.stash.get(OPENED, []):
            report.sections.append((f"what {one.name} showed", one.shows()))
    return report


@pytest.fixture
def notebook(
    request: pytest.FixtureRequest, server: Server, browser: Browser
) -> Iterator[Callable[..., Notebook]]:
    """Opens notebooks with the cells given; closes them, and their kernels, at the end."""
    opened = request.node.stash.setdefault(OPENED, [])

    def open_notebook(*cells: str, front: str = "lab", name: str = "") -> Notebook:
        name = name or f"n{secrets.token_hex(4)}.ipynb"  # without cells: one that is there already
        opened.append(Notebook(server, browser, name, list(cells), front))
        return opened[-1]

    yield open_notebook
    for one in opened:
        one.close()
