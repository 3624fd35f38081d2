"""The previews of a run as rows to listen to, an epoch a stage."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePosixPath

from distill.audio.io import probe, read_audio
from distill.errors import AudioFileError, ForeignEntryError, RunFolderError
from distill.markup import shortened
from distill.names import printable
from distill.opened_folder import OpenedFolder
from distill.training.run.folder import RunFolder
from distill.training.run.layout import MARKS, PREVIEWS
from distill.training.run.marks import Mark, change_mark
from distill.training.run.request import RunRequest
from distill.training.watch.history import MetricsHistory
from distill.training.watch.preview_distances import distances_of
from distill_widgets.page.messages import MarkFacts
from distill_widgets.sounds.audio_player import LONGEST_NAME, Sound, SoundRow, Stage
from distill_widgets.sounds.preview_player import PreviewPlayer

SIDES = ("original", "reconstruction")
_MOST_CACHED = 16
_LONGEST_S = 90.0  # a run makes them of at most a minute; packed silence of hours is small


class Previews:
    """Keeps a player showing what a run has made so far, and what somebody found of it.

    Args:
        folder: of the run.

    Raises:
        RunFolderError: no run is there, or it cannot be used.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._cache: dict[str, Sound] = {}
        self._lock = threading.Lock()
        self._shown: object = None
        self._epochs: dict[str, int] = {}  # by the key of a stage
        self._names: dict[str, str] = {}  # of sounds, by what is shown of them
        self._marks_file: object = None
        self.player = PreviewPlayer(
            self._fetch,
            self._mark,
            spectrogram=RunRequest.from_dict(folder.read_request()).config.spectrogram,
            name="Previews",
            empty="The first sounds appear after some epochs, or when you press Preview now.",
        )

    def update(self, history: MetricsHistory) -> None:
        """Takes new previews and marks."""
        self._take_marks()
        shown = [(event.folder, event.epoch) for event in history.previews]
        if shown == self._shown:
            return
        self._shown = shown
        with self._lock:
            self._cache.clear()  # an epoch that is done again after a crash has new files
        if not history.previews:
            self.player.show((), ())
            return
        stages = [
            Stage(
                event.folder,
                f"epoch {event.epoch + 1}",
                tuple(distances_of([pair]) for pair in event.pairs),
                tuple(pair.mel for pair in event.pairs),
            )
            for event in sorted(history.previews, key=lambda event: (event.epoch, event.step))
        ]
        self._epochs = {event.folder: event.epoch for event in history.previews}
        pairs = history.previews[0].pairs  # the same sounds every time
        self._names = {shortened(pair.name, LONGEST_NAME): pair.name for pair in pairs}
        rows = [
            SoundRow(
                pair.name,
                pair.seconds,
                SIDES,
                (pair.original, f"{{stage}}/{PurePosixPath(pair.reconstruction).name}"),
            )
            for pair in pairs
        ]
        self.player.show(rows, stages)

    def _take_marks(self) -> None:
        """Shows what this dashboard, or another, has marked, where the file has changed."""
        written = self._written()
        if written != self._marks_file:
            self._marks_file = written
            self._show_marks(self._folder.marks)

    def _written(self) -> object:
        try:
            found = (self._folder.path / MARKS).lstat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _mark(self, name: str, mark: str | None, stage: str) -> None:
        full, epoch = self._names.get(name, name), self._epochs.get(stage)
        self._show_marks(change_mark(self._folder.path, full, mark, epoch=epoch))

    def _show_marks(self, marks: Mapping[str, Mark]) -> None:
        self.player.show_marks({name: _facts(one) for name, one in marks.items()})

    def _fetch(self, key: str) -> Sound:
        with self._lock:  # pages ask in several threads, while `update` forgets
            if key not in self._cache:
                self._cache[key] = self._read(key)
            while len(self._cache) > _MOST_CACHED:
                del self._cache[next(iter(self._cache))]
            return self._cache[key]

    def _read(self, key: str) -> Sound:
        return preview_sound(self._folder, key)


def _facts(mark: Mark) -> MarkFacts:
    return {"mark": mark.mark} if mark.epoch is None else {"mark": mark.mark, "epoch": mark.epoch}


def preview_sound(folder: RunFolder, name: str) -> Sound:
    """A sound of a run, from its own folder of previews: its log may name any file.

    Args:
        folder: of the run.
        name: relative to it, with `/`.

    Raises:
        RunFolderError: another file, a link or a pipe, or it is not there.
        AudioFileError: it cannot be read.
    """
    shown = printable(name)
    try:
        with OpenedFolder(folder.path) as own:
            if not name.startswith(f"{PREVIEWS}/") or not own.check(name):
                raise RunFolderError(f"{shown}: not a preview of {printable(folder.path)}")
    except ForeignEntryError:
        raise
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{shown}: not a preview of {printable(folder.path)}") from error
    seconds = probe(folder.path / name).seconds
    if seconds > _LONGEST_S:
        raise AudioFileError(
            f"{shown}: {seconds:.0f} s long; a preview has at most {_LONGEST_S:.0f}"
        )
    waveform, rate = read_audio(folder.path / name)
    return waveform.numpy(), rate
