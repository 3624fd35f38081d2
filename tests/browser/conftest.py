"""One server and one browser for all tests; a notebook for each, kernels and pages from one to the
next.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page

from .harness import CHROMIUM, Kernels, Notebook, Server, chromium, serve

OPENED = pytest.StashKey[list[Notebook]]()
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def kernels(server: Server) -> Kernels:
    return Kernels(server)


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone of every page hears: a second of noise that is like nothing else."""
    noise = np.random.default_rng(3).normal(size=48_000)
    smooth = np.convolve(noise, np.hanning(12), "same")
    path = tmp_path_factory.mktemp("microphone") / "noise.wav"
    soundfile.write(path, 0.5 * smooth / np.abs(smooth).max(), 48_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def browser(microphone: Path) -> Iterator[Browser]:
    if CHROMIUM is None and os.environ.get("CI"):
        pytest.fail("no chromium here: .ci/run should have installed it")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with chromium(microphone) as opened:
        yield opened


@pytest.fixture(scope="session")
def labs(browser: Browser) -> list[Page]:
    """Pages of labs that show nothing; they end with the browser."""
    return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Says what the pages showed when a test failed: a missed wait says only that it was missed."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
        for one in item.stash.get(OPENED, []):
            report.sections.append((f"what {one.name} showed", one.shows()))
    return report


@pytest.fixture
def notebook(
    request: pytest.FixtureRequest,
    server: Server,
    browser: Browser,
    kernels: Kernels,
    labs: list[Page],
) -> Iterator[Callable[..., Notebook]]:
    """Opens notebooks with the cells given, and closes them at the end.

    Their kernels and pages have served others, which have left nothing but what they loaded;
    `fresh` ones have not, and serve no others.
    """
    opened = request.node.stash.setdefault(OPENED, [])
    ended: list[str] = []

    def open_notebook(
        *cells: str, front: str = "lab", name: str = "", fresh: bool = False
    ) -> Notebook:
        name = name or f"n{secrets.token_hex(4)}.ipynb"  # without cells: one that is there already
        if fresh:
            ended.append(name)
        else:
            kernels.lend(name)
        page = labs.pop() if labs and front == "lab" and not fresh else None
        opened.append(Notebook(server, browser, name, list(cells), front, page))
        return opened[-1]

    yield open_notebook
    failed = request.node.stash.get(FAILED, False)
    for one in opened:
        serves_on = not failed and one.name not in ended
        if serves_on and one.can_serve_on():
            labs.append(one.emptied())
        else:
            one.close()
        if serves_on:
            kernels.take_back(one.name)
        else:
            kernels.end(one.name)
