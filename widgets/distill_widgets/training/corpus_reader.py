"""Reads the sounds of a folder behind the page, for as long as somebody wants to know."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from distill.audio.corpus import AudioCorpus, find_files
from distill.audio.report import as_html
from distill.errors import CorpusError
from distill.markup import Markup
from distill_widgets.page.live_widget import in_colab

MOST_FILES, MOST_BYTES = 1000, 1 << 30
"""What is read without asking: somebody may only be passing through their home folder."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What was found in a folder."""

    folder: Path
    files: int = 0
    """Usable ones; 0 with `trouble` or `question`."""
    seconds: float = 0.0
    report: Markup = field(default_factory=Markup)
    trouble: str = ""
    """Why nothing there can be used."""
    question: str = ""
    """What to know before so much is read; it was not."""
    corpus: AudioCorpus | None = field(default=None, compare=False, repr=False)
    """Its sounds, for a trainer that is started with them; None once they are let go of. Up to
    2 GiB of them lie in memory, what is beyond is mapped from the cache."""

    def without_sounds(self) -> Reading:
        """The same, but for the sounds."""
        return dataclasses.replace(self, corpus=None)


def read_folder(folder: Path, cancel_event: threading.Event, *, however_large: bool) -> Reading:
    """Reads a folder; nothing is raised, trouble is reported in the reading."""
    try:
        if not however_large and (question := _question(folder, cancel_event)):
            return Reading(folder, question=question)
        corpus = AudioCorpus.scan(folder, progress=False, cancel_event=cancel_event)
    except (CorpusError, OSError) as error:
        return Reading(folder, trouble=str(error))
    except Exception as error:  # whatever a decoder does, the page must not wait for ever
        _log.exception("%s could not be read", folder)
        return Reading(folder, trouble=f"{folder}: could not be read ({error})")
    return Reading(
        folder,
        len(corpus),
        corpus.seconds,
        as_html(corpus.files, corpus.refusals, corpus.sample_rate),
        corpus=corpus,
    )


class CorpusReader:
    """Reads one folder at a time; a newer request ends an older reading.

    In Colab, where nothing that a thread says arrives, it reads at once.

    Args:
        report: gets a reading that is still wanted, with the lock held.
        lock: of whoever wants it: what they request cannot change while it is reported.
    """

    def __init__(self, report: Callable[[Reading], None], lock: threading.RLock) -> None:
        self._report, self._lock = report, lock
        self._cancel = threading.Event()
        self._threads: list[threading.Thread] = []

    def read(self, folder: Path, *, however_large: bool = False) -> None:
        """Begins to read, in place of whatever was wanted before."""
        with self._lock:
            self.cancel()
            cancel = self._cancel = threading.Event()
            if in_colab():
                self._read(folder, cancel, however_large)
                return
            thread = threading.Thread(
                target=self._read,
                args=(folder, cancel, however_large),
                name="distill-corpus-reader",
                daemon=True,
            )
            self._threads = [thread, *(old for old in self._threads if old.is_alive())]
            thread.start()

    def cancel(self) -> None:
        """Nothing is wanted any more."""
        with self._lock:
            self._cancel.set()

    def close(self) -> None:
        """Cancels, and returns when no thread reads any more; not with the lock held."""
        self.cancel()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _read(self, folder: Path, cancel: threading.Event, however_large: bool) -> None:
        reading = read_folder(folder, cancel, however_large=however_large)
        with self._lock:
            if not cancel.is_set():
                self._report(reading)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone, or not for us: reading it says so
        return 0


def _question(folder: Path, cancel_event: threading.Event) -> str:
    paths, _ = find_files(folder, cancel_event)
    size = sum(map(_size, paths))
    if len(paths) <= MOST_FILES and size <= MOST_BYTES:
        return ""
    return f"{len(paths):,} sound files, {size / 1e9:.1f} GB: reading them takes a while."
