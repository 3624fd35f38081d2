"""LiveWidget: what every widget that talks with its page has in common."""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import ipywidgets
import traitlets

from distill.errors import DistillError
from distill.markup import plain
from distill_widgets.page.page_code import page_styles
from distill_widgets.page.waiting_cell import answer_while_a_cell_waits

POLL_S = 15.0
"""Between two times that a page says that it is there: JupyterLab shows the kernel as busy and as
idle again for each, anew in half a dozen places."""
COLAB_POLL_S = 1.0
WATCHED_S = 40.0
"""A page that sent nothing for this long is hidden or gone."""

SAME_QUESTION_S = 2.0
"""Pages ask again after five seconds at the earliest: what comes sooner has waited in a queue."""
_LONGEST_ECHO = 200
_MOST_DONE = 64  # answers to commands, for pages that ask again

STYLES = (
    "page/style.css", "charts/chart.css", "sounds/sounds.css", "inside/codes.css",
    "training/head.css", "training/panel.css", "inside/explorer.css", "library/models.css",
)  # fmt: skip
_UNANSWERED: tuple[Any, float] = (None, 0.0)
_log = logging.getLogger(__name__)
Reply = tuple[Mapping[str, Any], list[bytes]]
"""Facts of an answer (see `messages`), and its buffers."""
Command = Callable[[dict[str, Any]], Mapping[str, Any]]
Handler = Callable[[dict[str, Any], Sequence[Any]], None]


def in_colab() -> bool:
    """Whether the front end is Colab, where messages sent by a thread do not arrive."""
    return "google.colab" in sys.modules or _installed("google.colab")


def receive_while_a_cell_runs(widget: ipywidgets.Widget) -> None:
    """Lets a widget's callbacks run although a cell keeps the kernel busy.

    ipykernel 7 answers a widget in the shell that last sent on its comm, which is the busy one;
    the page's own choice, a subshell of its own, is the right one. A private name: where it does
    not exist nothing is needed. ipykernel 6 has no subshells: there callbacks run while a cell
    waits for a run.
    """
    answer_while_a_cell_waits()
    comm = getattr(widget, "comm", None)
    if comm is not None and hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, default: default


def sendable(part: Any) -> Any:
    """Data without what JSON or a socket does not take: half characters, NaN and infinities.

    A single one would end the connection between page and kernel, or lose the message.
    """
    if isinstance(part, str):
        try:
            part.encode()
        except UnicodeEncodeError:
            return part.encode("utf-8", "backslashreplace").decode()
        return part
    if isinstance(part, float):
        return part if math.isfinite(part) else None
    if isinstance(part, dict):
        return {sendable(key): sendable(item) for key, item in part.items()}
    if isinstance(part, (list, tuple)):
        return [sendable(item) for item in part]
    return part


class AnsweredLater(Exception):  # noqa: N818 - nothing is wrong
    """A question whose answer follows by itself, with `LiveWidget.send_answer`; pages that do not
    get it ask again.
    """


class LiveWidget(anywidget.AnyWidget):
    """A widget whose page says regularly that it is there and what it has (`sync`).

    A page that comes late, was hidden or is reloaded gets what it lacks; nothing is lost, and
    nothing is sent while nobody watches.
    """

    _css = page_styles(*STYLES)
    uid = traitlets.Unicode("").tag(sync=True)
    poll_s = traitlets.Float(POLL_S).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(
            uid=uuid.uuid4().hex, poll_s=COLAB_POLL_S if in_colab() else POLL_S, **traits
        )
        self.before_answer: Callable[[], None] | None = None
        """Called before a page's `sync` is answered, to fetch what is new."""
        self._received_at = float("-inf")
        self._handlers: dict[str, Handler] = {"sync": self._on_sync}
        self._commanding = threading.Lock()
        receive_while_a_cell_runs(self)
        self.on_msg(self._receive)

    @property
    def is_watched(self) -> bool:
        """Whether a page has said lately that it shows this."""
        return time.monotonic() - self._received_at < WATCHED_S

    def get_state(self, *args: Any, **options: Any) -> Any:
        """What a page receives when it opens this, in texts that every page takes."""
        return sendable(super().get_state(*args, **options))

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(sendable(msg), buffers)

    def _receive(self, _widget: object, message: Any, buffers: Sequence[Any]) -> None:
        self._received_at = time.monotonic()
        kind = message.get("type") if isinstance(message, dict) else None
        handler = self._handlers.get(str(kind))
        if handler is not None:  # anything else is not for us: an old page, another version
            handler(message, buffers)

    def on_receive(self, kind: str, handler: Handler) -> None:
        """Has messages of a kind given to a handler, which may run in any thread."""
        self._handlers[kind] = handler

    def answer(self, kind: str, make: Callable[[str], Reply]) -> None:
        """Answers a page's questions of a kind; it asks by a key, again until it is answered.

        Args:
            kind: the type of the question and of the answer.
            make: facts and buffers for a key; the page shows the text of what it raises, and waits
                where that is `AnsweredLater`.
        """
        self.answer_with(kind, lambda key, _buffers: make(key))

    def answer_with(self, kind: str, make: Callable[[str, Sequence[Any]], Reply]) -> None:
        """Answers questions that come with buffers; see `answer`.

        Args:
            kind: the type of the question and of the answer.
            make: facts and buffers for a key and what came with it.
        """
        last = _UNANSWERED

        def reply(message: dict[str, Any], sent: Sequence[Any]) -> None:
            nonlocal last
            asked = (message.get("key"), message.get("client"))
            if asked[1] and asked == last[0] and time.monotonic() - last[1] < SAME_QUESTION_S:
                return  # the same page has asked again while the kernel was busy
            try:
                facts, buffers = make(str(message.get("key")), sent)
            except AnsweredLater:
                return
            except Exception as error:  # a page that gets no answer would ask for ever
                if not isinstance(error, (DistillError, OSError, KeyError)):
                    _log.exception("a page's question could not be answered")
                facts, buffers = {"error": str(error)}, []
            self.send_answer(kind, message.get("key"), facts, buffers)
            # What was refused may be there in a moment: the page may ask again at once.
            last = _UNANSWERED if "error" in facts else (asked, time.monotonic())

        self.on_receive(kind, reply)

    def send_answer(
        self, kind: str, key: Any, facts: Mapping[str, Any], buffers: Sequence[bytes]
    ) -> None:
        """Answers pages that wait for this; others take no notice.

        Args:
            kind: of the question.
            key: of the question.
            facts: see `messages`.
            buffers: what travels beside them.
        """
        self.send({"type": kind, "key": key, **facts}, list(buffers))

    def command(self, kind: str, do: Command) -> None:
        """Does what a page commands, once for each command however often it arrives.

        Args:
            kind: the type of the message.
            do: gets the command and returns facts for the page; errors as in `answer`.
        """
        done: dict[str, Mapping[str, Any]] = {}

        def once(key: str) -> Reply:
            with self._commanding:
                if key not in done:
                    done[key] = _outcome(do, key)
                while len(done) > _MOST_DONE:
                    del done[next(iter(done))]
            return done.get(key, {}), []

        self.answer(kind, once)

    def _on_sync(self, _message: dict[str, Any], _buffers: Sequence[Any]) -> None:
        if self.before_answer is not None:
            self.before_answer()

    def close(self) -> None:
        """Ends the widget on every page."""
        self.before_answer = None
        super().close()
        if self.trait_has_value("layout"):  # else it would be made now, to be closed
            self.layout.close()

    def __repr__(self) -> str:
        return type(self).__name__


def _outcome(do: Command, key: str) -> Mapping[str, Any]:
    try:
        command = json.loads(key)
        key.encode()
    except (ValueError, RecursionError):  # no JSON, or half a character in a name
        return {"error": f"not understood: {plain(key, _LONGEST_ECHO)}"}
    if not isinstance(command, dict) or command != sendable(command):
        return {"error": f"not understood: {plain(key, _LONGEST_ECHO)}"}
    try:
        return do(command)
    except Exception as error:  # it is the answer too: a command is not done twice
        if not isinstance(error, (DistillError, OSError)):
            _log.exception("what a page commanded could not be done")
        return {"error": str(error)}


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
