"""Uploads: a file that a page sends in pieces, into a temporary file of ours."""

from __future__ import annotations

import itertools
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distill.arrays import as_int
from distill.errors import AudioFileError, PartError
from distill.markup import shortened
from distill.names import printable
from distill_widgets.page.live_widget import LiveWidget, Reply
from distill_widgets.page.messages import UploadFacts

MOST_BYTES = 64 << 20
"""Of a file that a page sends: a minute of any recording, half an hour of MP3."""
_LONGEST_PIECE = 1 << 20
_LONGEST_NAME = 200
_FILE = "sound"


@dataclass(frozen=True)
class UploadedFile:
    """A file that has arrived whole."""

    name: str
    """What the person calls it, printable."""
    folder: tempfile.TemporaryDirectory[str]
    """Where it lies, alone; whoever took it removes that."""

    @property
    def path(self) -> Path:
        """Of the file."""
        return Path(self.folder.name) / _FILE


class Uploads:
    """Receives the files of a widget's pages, one at a time; the next one takes its place.

    How large a file may be is checked before any of it is taken. Pieces may come twice.

    Args:
        widget: whose pages send; gets the command `upload` and the question `piece`.
        most_bytes: of a file.
        on_begin: called when a page begins to send one.
    """

    def __init__(
        self,
        widget: LiveWidget,
        most_bytes: int = MOST_BYTES,
        on_begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._most_bytes, self._on_begin = most_bytes, on_begin
        self._numbers, self._lock = itertools.count(1), threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._number = self._bytes = self._received = 0
        self._name = ""
        widget.command("upload", self._begin)
        widget.answer_with("piece", self._receive)

    def take(self, number: object) -> UploadedFile:
        """Hands over a file, once, by the number that the page got for it.

        Raises:
            PartError: it did not arrive, or another one has come since.
        """
        with self._lock:
            is_whole = as_int(number) == self._number and self._received == self._bytes
            if self._folder is None or not is_whole:
                raise PartError("the file has not arrived whole: choose it again")
            file = UploadedFile(self._name, self._folder)
            self._folder, self._number, self._received = None, 0, 0
            return file

    def forget(self) -> None:
        """Removes what has arrived and was not taken."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()
        self._folder, self._number, self._received = None, 0, 0

    def _begin(self, command: dict[str, Any]) -> Mapping[str, Any]:
        size = as_int(command.get("bytes"))
        name = printable(shortened(str(command.get("name")), _LONGEST_NAME))
        if size is None or not 0 < size <= self._most_bytes:
            raise AudioFileError(
                f"{name}: expected a file of 1 byte to {self._most_bytes >> 20} MB"
            )
        with self._lock:
            self._drop()
            self._folder = tempfile.TemporaryDirectory(prefix="distill-upload-")
            (Path(self._folder.name) / _FILE).touch()
            self._number, self._bytes, self._name = next(self._numbers), size, name
            facts: UploadFacts = {"upload": self._number}
        self._on_begin()
        return facts

    def _receive(self, key: str, buffers: Sequence[Any]) -> Reply:
        number, _, offset = key.partition("/")
        with self._lock:
            if not (offset.isascii() and offset.isdecimal() and len(offset) < 12):
                raise PartError("a piece without its place: choose the file again")
            if self._folder is None or number != str(self._number):
                raise PartError("another file has come since")
            piece = bytes(buffers[0]) if buffers and len(buffers[0]) <= _LONGEST_PIECE else b""
            left = self._bytes - self._received
            if int(offset) == self._received and 0 < len(piece) <= left:
                with (Path(self._folder.name) / _FILE).open("r+b") as file:
                    file.seek(self._received)  # a full disk may have left half of this piece
                    file.write(piece)
                self._received += len(piece)
            elif int(offset) >= self._received:
                raise PartError("a piece of the file is missing: choose it again")
        return {}, []
