"""What pages send: commands, questions and files, as their JavaScript does."""

from __future__ import annotations

import itertools
import json

from .node_page import say

numbers = itertools.count()


def command(widget, kind: str, **fields: object) -> dict[str, object]:
    """The answer to a command of a page."""
    key = json.dumps({"act": f"a-{next(numbers)}", **fields})
    say(widget, {"type": kind, "key": key, "client": "page"})
    return answers(widget, kind, key)[-1]


def ask(widget, kind: str, key: str, *buffers: bytes) -> dict[str, object]:
    say(widget, {"type": kind, "key": key, "client": f"page-{next(numbers)}"}, buffers)
    return answers(widget, kind, key)[-1]


def answers(widget, kind: str, key: str) -> list[dict[str, object]]:
    """All that was answered to a question, the last one last."""
    sent = [message for message, _ in widget.comm.custom]
    return [one for one in sent if (one["type"], one.get("key")) == (kind, key)]


def sent(widget, data: bytes, name: str = "my kick.wav", piece: int = 10_000) -> int:
    """Sends a file as pages do; its number."""
    number = command(widget, "upload", name=name, bytes=len(data))["upload"]
    for at in range(0, len(data), piece):
        answer = ask(widget, "piece", f"{number}/{at}", data[at : at + piece])
        assert "error" not in answer, answer
    return number
