"""The previews of a run as rows to listen to, an epoch a stage."""

from __future__ import annotations

import threading
from pathlib import PurePosixPath

from distill.audio.io import read_audio
from distill.training.history import VQMetricsHistory
from distill.training.request import RunRequest
from distill.training.run_folder import RunFolder
from distill_widgets.audio_player import AudioPlayer, Sound, SoundRow, Stage

SIDES = ("original", "reconstruction")
_MOST_CACHED = 16


class Previews:
    """Keeps an AudioPlayer showing what a run has made so far."""

    def __init__(self, folder: RunFolder) -> None:
        """Raises:
        RunFolderError: no run is there, or it cannot be used.
        """
        self._folder = folder
        self._cache: dict[str, Sound] = {}
        self._lock = threading.Lock()
        self._shown: object = None
        self.player = AudioPlayer(
            self._fetch,
            spectrogram=RunRequest.from_dict(folder.read_request()).config.spectrogram,
            name="Previews",
            empty="The first sounds appear after some epochs, or when you press Preview now.",
        )

    def update(self, history: VQMetricsHistory) -> None:
        """Takes new previews."""
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
            Stage(event.folder, f"epoch {event.epoch + 1}")
            for event in sorted(history.previews, key=lambda event: (event.epoch, event.step))
        ]
        rows = [
            SoundRow(
                pair.name,
                pair.seconds,
                SIDES,
                (pair.original, f"{{stage}}/{PurePosixPath(pair.reconstruction).name}"),
            )
            for pair in history.previews[0].pairs  # the same sounds every time
        ]
        self.player.show(rows, stages)

    def _fetch(self, key: str) -> Sound:
        with self._lock:  # pages ask in several threads, while `update` forgets
            if key not in self._cache:
                self._cache[key] = self._read(key)
            while len(self._cache) > _MOST_CACHED:
                del self._cache[next(iter(self._cache))]
            return self._cache[key]

    def _read(self, key: str) -> Sound:
        path = (self._folder.path / key).resolve()
        if not path.is_relative_to(self._folder.previews.resolve()):
            raise KeyError(f"{key}: not a preview of {self._folder.path}")
        waveform, rate = read_audio(path)
        return waveform.numpy(), rate
