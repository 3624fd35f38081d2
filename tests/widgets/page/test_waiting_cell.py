"""What a kernel of ipykernel 6 does with its messages while a cell waits for a run."""

from __future__ import annotations

import queue
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.session import Session

from distill.training.watch import front_ends
from distill_widgets.page import waiting_cell
from distill_widgets.page.waiting_cell import answer_while_a_cell_waits

ROOT = Path(__file__).resolve().parents[3]
CELL = {"header": {"msg_type": "execute_request"}}
IN_A_KERNEL = """
import sys, time
sys.path[:0] = {path!r}
from distill.training.watch import front_ends
from distill_widgets.page.waiting_cell import answer_while_a_cell_waits
came = []
def opened(comm, _message):
    comm.on_msg(lambda message: came.append(message["content"]["data"]))
get_ipython().kernel.comm_manager.register_target("test", opened)
answer_while_a_cell_waits()
print("waits", flush=True)
ends = time.monotonic() + 60
while not came and time.monotonic() < ends:
    time.sleep(0.05)
    front_ends.while_waiting()
print("came", came, flush=True)
"""


class Kernel:
    """As much of a kernel as is used: what arrives goes through a session into its queue."""

    def __init__(self) -> None:
        self.session = Session(key=b"key")
        self.msg_queue: queue.Queue[Any] = queue.Queue()
        self.shell_stream = SimpleNamespace(flush=self._read)
        self.shell_handlers = {
            "comm_msg": self._handle, "execute_request": self._handle,
            "comm_info_request": self._handle_slowly,
        }  # fmt: skip
        self.parent: dict[str, Any] = CELL
        self.arriving: list[Any] = []
        self.handled: list[Any] = []
        self.published: list[tuple[str, str]] = []

    def get_parent(self, channel: str) -> dict[str, Any]:
        assert channel == "shell"
        return self.parent

    def dispatch_shell(self, frames: Any) -> None:
        raise AssertionError("it would wait for the thread of the control channel")

    def send(self, kind: str, number: int) -> None:
        parts = self.session.serialize(self.session.msg(kind, {"number": number}), ident=b"page")
        self.arriving.append([SimpleNamespace(bytes=part, buffer=part) for part in parts])

    def waiting(self) -> list[str]:
        """Kinds of the messages that are left, in their order."""
        items = list(self.msg_queue.queue)
        return [waiting_cell._kind(self, frames) for _, _, (frames,) in items]

    def _read(self, _flag: int) -> None:
        for frames in self.arriving:
            self.msg_queue.put((0, self.dispatch_shell, (frames,)))
        self.arriving = []

    def _handle(self, _stream: object, idents: list[bytes], message: dict[str, Any]) -> None:
        self.handled.append((idents, message["content"]["number"]))
        front_ends.while_waiting()  # a callback that waits for a run itself

    async def _handle_slowly(self, *arguments: Any) -> None:
        self._handle(*arguments)

    def _publish_status(self, state: str, _channel: str, parent: Any = None) -> None:
        self.published.append((state, (parent or self.parent)["header"]["msg_type"]))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setattr(front_ends, "_callbacks", [])
    monkeypatch.setattr(waiting_cell, "get_ipython", lambda: SimpleNamespace(kernel=made))
    answer_while_a_cell_waits()
    return made


def test_pages_are_answered_and_cells_wait_for_their_turn(kernel: Kernel) -> None:
    for number, kind in enumerate(
        ("execute_request", "comm_msg", "execute_request", "comm_info_request", "comm_msg")
    ):
        kernel.send(kind, number)
    front_ends.while_waiting()
    assert kernel.handled == [([b"page"], 1), ([b"page"], 3), ([b"page"], 4)]
    assert kernel.waiting() == ["execute_request", "execute_request"]
    assert kernel.published[:3] == [
        ("busy", "comm_msg"), ("idle", "comm_msg"), ("busy", "execute_request"),
    ]  # fmt: skip
    front_ends.while_waiting()
    assert len(kernel.handled) == 3
    assert kernel.waiting() == ["execute_request", "execute_request"]


def test_only_a_cell_in_the_thread_of_the_socket_answers(kernel: Kernel) -> None:
    kernel.send("comm_msg", 1)
    other = threading.Thread(target=front_ends.while_waiting)
    other.start()
    other.join()
    kernel.parent = {"header": {"msg_type": "comm_msg"}}
    front_ends.while_waiting()
    kernel.parent = {}
    front_ends.while_waiting()
    assert kernel.handled == []
    kernel.parent = CELL
    front_ends.while_waiting()
    assert kernel.handled == [([b"page"], 1)]


def test_a_message_that_was_altered_is_refused(kernel: Kernel) -> None:
    kernel.send("comm_msg", 1)
    [frames] = kernel.arriving
    frames[-1].bytes = frames[-1].buffer = b'{"number": 2}'
    front_ends.while_waiting()
    assert kernel.handled == []
    kernel.send("comm_msg", 3)
    front_ends.while_waiting()
    assert kernel.handled == [([b"page"], 3)]


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])
def test_without_such_a_kernel_nothing_is_done(
    shell: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_ends, "_callbacks", [])
    monkeypatch.setattr(waiting_cell, "get_ipython", lambda: shell)
    answer_while_a_cell_waits()
    assert front_ends._callbacks == []


def test_subshells_need_no_help(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_ends, "_callbacks", [])
    kernel._supports_kernel_subshells = True
    answer_while_a_cell_waits()
    assert front_ends._callbacks == []


@pytest.mark.skipif(
    int(version("ipykernel").split(".")[0]) >= 7, reason="ipykernel 7 has subshells for that"
)
def test_a_real_kernel_takes_a_message_in_the_midst_of_a_cell() -> None:
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=240)
    try:
        client.execute(IN_A_KERNEL.format(path=[str(ROOT), str(ROOT / "widgets")]))
        printed = read_until(client, "waits")
        assert "waits" in printed
        client.execute("print('next cell')")
        for kind, content in (
            ("comm_open", {"comm_id": "c", "target_name": "test", "data": {}}),
            ("comm_msg", {"comm_id": "c", "data": {"pressed": "stop"}}),
        ):
            client.shell_channel.send(client.session.msg(kind, content))
        assert "came [{'pressed': 'stop'}]\nnext cell" in read_until(client, "next cell")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def read_until(client: Any, text: str) -> str:
    """What cells print, up to that text."""
    printed = ""
    while text not in printed:
        message = client.get_iopub_msg(timeout=240)
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
    return printed
