"""What pages ask while a cell waits for a run, in kernels that would answer them afterwards."""

from __future__ import annotations

import logging
import threading
from typing import Any

from IPython.core.getipython import get_ipython

from distill.training.watch.front_ends import call_while_waiting

_ANSWERED = (
    "comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request",
)  # fmt: skip
"""All that widgets say, and what a page that is reloaded asks before it shows them."""

_NEEDED = ("dispatch_shell", "get_parent", "msg_queue", "session", "shell_handlers", "shell_stream")
_POLL_IN = 1  # zmq.POLLIN
_answering = threading.Lock()
_log = logging.getLogger(__name__)


def answer_while_a_cell_waits() -> None:
    """Has pages answered while a cell waits for a run.

    ipykernel 7 has subshells for that. ipykernel 6, as in Colab, takes a message when no cell runs:
    charts would stand still, buttons be dead, for as long as `runner.wait()` lasts.
    """
    if _kernel() is not None:
        call_while_waiting(_answer_pages)


def _kernel() -> Any | None:
    """The kernel around us, if it is one of ipykernel 6."""
    kernel = getattr(get_ipython(), "kernel", None)
    if getattr(kernel, "_supports_kernel_subshells", False):
        return None
    return kernel if all(hasattr(kernel, name) for name in _NEEDED) else None


def _answer_pages() -> None:
    kernel = _kernel()
    if kernel is None or not _runs_a_cell(kernel) or not _answering.acquire(blocking=False):
        return  # the last: an answer that waits for a run itself
    try:
        for frames in _taken(kernel):
            try:
                _answer(kernel, frames)
            except Exception:  # as the kernel does: the next message is another one
                _log.exception("a page's message could not be taken")
    finally:
        _answering.release()


def _runs_a_cell(kernel: Any) -> bool:
    """Whether what waits is a cell, in the thread that takes messages from the socket."""
    if threading.current_thread() is not threading.main_thread():
        return False
    parent = kernel.get_parent("shell") or {}
    return parent.get("header", {}).get("msg_type") == "execute_request"


def _taken(kernel: Any) -> list[Any]:
    """Takes what pages have sent out of the queue; everything else, as cells to run, stays."""
    kernel.shell_stream.flush(_POLL_IN)  # from the socket into the queue
    waiting = [kernel.msg_queue.get_nowait() for _ in range(kernel.msg_queue.qsize())]
    taken = []
    for item in waiting:
        _, dispatch, arguments = item
        if dispatch == kernel.dispatch_shell and _kind(kernel, arguments[0]) in _ANSWERED:
            taken.append(arguments[0])
        else:
            kernel.msg_queue.put_nowait(item)
    return taken


def _kind(kernel: Any, frames: Any) -> str:
    _, parts = kernel.session.feed_identities(frames, copy=False)
    return str(kernel.session.unpack(parts[1].bytes).get("msg_type"))


def _answer(kernel: Any, frames: Any) -> None:
    """Does as the kernel would, but leaves the cell the one whose output is printed."""
    idents, parts = kernel.session.feed_identities(frames, copy=False)
    message = kernel.session.deserialize(parts, content=True, copy=False)
    kernel._publish_status("busy", "shell", parent=message)
    try:
        handler = kernel.shell_handlers[message["header"]["msg_type"]]
        _complete(handler(kernel.shell_stream, idents, message))
    finally:
        kernel._publish_status("idle", "shell", parent=message)  # its page sends the next then
        kernel._publish_status("busy", "shell")  # as the cell still is


def _complete(result: Any) -> None:
    """Runs a handler that is a coroutine; those of these messages wait for nothing."""
    if hasattr(result, "send"):
        try:
            result.send(None)
        except StopIteration:
            return
        result.close()
