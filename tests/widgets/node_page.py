"""A page that follows a chart with the JavaScript as shipped, in node, over a mock comm."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import distill_widgets

DRIVER = Path(__file__).parents[1] / "pages" / "cursor_driver.js"


def node() -> str:
    """The program; a machine without it skips the test, CI does not."""
    found = shutil.which("node")
    if found is None and os.environ.get("CI"):
        pytest.fail("no node here: .ci/run should have installed it")
    if found is None:
        pytest.skip("no node on this machine: apt-get install nodejs")
    return found


def run_in_node(code: str) -> str:
    """What a module prints."""
    command = [node(), "--input-type=module", "--eval", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def from_page(module: str, *calls: str) -> Any:
    """What calls of a module of the pages return, as `it.name(...)`."""
    place = Path(distill_widgets.__file__).parent / module
    code = f"import * as it from {json.dumps(place.as_uri())};\n"
    return json.loads(run_in_node(f"{code}console.log(JSON.stringify([{', '.join(calls)}]));"))


def say(widget: ipywidgets.Widget, content: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
    """A custom message from a page."""
    data = {"method": "custom", "content": content}
    widget._handle_msg({"content": {"data": data}, "buffers": list(map(memoryview, buffers))})


class Node:
    """A running driver; answers one request after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self._numbers = process, itertools.count()

    def new_page(self) -> int:
        return next(self._numbers)

    def request(self, do: str, page: int, **fields: Any) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        line = json.dumps({"do": do, "page": page, **fields})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextlib.contextmanager
def running_node() -> Iterator[Node]:
    with subprocess.Popen(
        [node(), str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Node(process)  # it ends with its input


class NodePage:
    """One page that shows a LiveChart; its connection may lose messages."""

    def __init__(self, node: Node, chart: Any) -> None:
        self._node, self._number = node, node.new_page()
        self.chart, self.read, self.synced = chart, 0, False
        node.request("open", self._number, traces=chart.chart.spec["traces"])

    @property
    def state(self) -> dict[str, Any]:
        return self._node.request("state", self._number)

    @property
    def x(self) -> list[list[float]]:
        return self.state["x"]

    @property
    def y(self) -> list[list[float]]:
        return self.state["y"]

    @property
    def mean(self) -> list[list[float]]:
        return self.state["mean"]

    @property
    def epoch(self) -> str:
        return self.state["epoch"]

    @property
    def marks(self) -> int:
        return self.state["marks"]

    @property
    def layout(self) -> dict[str, Any]:
        return self.state["layout"]

    def sync(self) -> None:
        say(self.chart, self._node.request("sync", self._number))

    def arrived(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        """What has come since the last poll; what is not taken is lost."""
        new = self.chart.comm.custom[self.read :]
        self.read += len(new)
        return new

    def take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        if message["type"] != "data":
            return
        texts = [base64.b64encode(buffer).decode() for buffer in buffers]
        self.synced = self._node.request("take", self._number, message=message, buffers=texts)
        if not self.synced:
            self.sync()

    def take_all(self) -> None:
        while new := self.arrived():
            for message, buffers in new:
                self.take(message, buffers)
