"""SoundTrial: any sound through the weights that a run has at this moment, beside the original."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from operator import attrgetter
from typing import Any

import traitlets

from distill.arrays import as_int
from distill.config import AutoencoderConfig
from distill.errors import AudioFileError, DistillError, PartError, RunFolderError
from distill.names import printable
from distill.training.present_weights import WeightsRequest
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.trying import (
    SoundToTry,
    TriedSound,
    prepare,
    reconstructed,
    sound_to_try,
)
from distill_widgets.page.live_widget import in_colab
from distill_widgets.page.messages import AttemptFacts, OutcomeFacts
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.audio_player import AudioPlayer, Sound, SoundRow, Stage
from distill_widgets.sounds.previews import SIDES
from distill_widgets.sounds.uploads import MOST_BYTES, UploadedFile, Uploads
from distill_widgets.training.recordings import Recordings

_MOST_STAGES, _MOST_ATTEMPTS = 8, 64
_ANSWERS_WITHIN_S = 0.2
_MEASURING = "its distances follow"
_BUSY = "one sound is being tried already: wait until it is heard"
_log = logging.getLogger(__name__)


@dataclass
class _Attempt:
    """A try under way, or over."""

    made: threading.Event = field(default_factory=threading.Event)
    """What is heard is there, or will not be."""
    measured: threading.Event = field(default_factory=threading.Event)
    trouble: str = ""


class SoundTrial(AudioPlayer):
    """A player of one sound: what was chosen, and what the run made of it each time it was tried.

    Files come from the page, recordings from the run. The trainer hands over its weights; all else
    is done here, in a thread. A sound is heard as soon as it is made, and measured after that.

    Args:
        folder: of a run that learns from sound.
    """

    _css = page_styles(
        "page/style.css", "charts/chart.css", "sounds/sounds.css", "training/sound_trial.css"
    )
    _esm = page_code("training/sound_trial.js")
    most_bytes = traitlets.Int(MOST_BYTES).tag(sync=True)

    def __init__(self, folder: RunFolder) -> None:
        config = RunRequest.from_dict(folder.read_request()).config
        super().__init__(self._sound_of, spectrogram=config.spectrogram, name="Tried")
        self._folder, self._config = folder, config.spectrogram
        self._recordings, self._uploads = Recordings(folder), Uploads(self)
        self._numbers = itertools.count(1)
        self._attempts: dict[int, _Attempt] = {}
        self._lock, self._busy = threading.Lock(), threading.Lock()
        self._working = threading.Lock()
        self._sound: SoundToTry | None = None
        self._sounds: dict[str, Sound] = {}
        self._shown: tuple[tuple[SoundRow, ...], tuple[Stage, ...]] = ((), ())
        self.answer("recordings", lambda text: (self._recordings.find(text), []))
        self.command("attempt", self._on_attempt)
        self._preparing = threading.Thread(
            target=_prepare, args=(config,), name="distill-try-prepare", daemon=True
        )
        self._preparing.start()  # while somebody looks for a file
        self.command("outcome", partial(self._on_outcome, attrgetter("made")))
        self.command("measured", partial(self._on_outcome, attrgetter("measured")))

    def finish(self) -> None:
        """Removes what pages have sent; a try under way ends by itself."""
        self._uploads.forget()
        self._preparing.join()

    # --- what a page asks for ----------------------------------------------------------------

    def _on_attempt(self, command: dict[str, Any]) -> Mapping[str, Any]:
        if not self._busy.acquire(blocking=False):
            raise RunFolderError(_BUSY)
        try:
            read = self._reader_of(command)
        except BaseException:
            self._busy.release()
            raise
        number, attempt = next(self._numbers), _Attempt()
        with self._lock:
            self._attempts[number] = attempt
            while len(self._attempts) > _MOST_ATTEMPTS:
                del self._attempts[next(iter(self._attempts))]
        threading.Thread(
            target=self._try, args=(number, attempt, read), name="distill-try", daemon=True
        ).start()
        facts: AttemptFacts = {"number": number}
        return facts

    def _on_outcome(
        self, wanted: Callable[[_Attempt], threading.Event], command: dict[str, Any]
    ) -> Mapping[str, Any]:
        attempt = self._attempts.get(as_int(command.get("number")) or 0)
        if attempt is None:
            raise PartError("that try is long over: try the sound again")
        is_done = wanted(attempt).wait(_ANSWERS_WITHIN_S)
        if is_done:
            self._publish()  # also here: in Colab only what is sent with an answer arrives
            if attempt.trouble:
                raise RunFolderError(attempt.trouble)
        facts: OutcomeFacts = {"done": is_done}
        return facts

    def _reader_of(self, command: dict[str, Any]) -> Callable[[], SoundToTry]:
        """What reads the sound that is meant: a file that was sent, a recording, or the last one.

        Raises:
            DistillError: there is none.
        """
        if "upload" in command:
            file = self._uploads.take(command["upload"])
            return lambda: self._read_upload(file)
        if "recording" in command:
            path = self._recordings.path(command["recording"])
            return lambda: sound_to_try(path, None, self._config)
        sound = self._sound
        if sound is None:
            raise PartError("nothing was tried yet: choose a file or a recording")
        return lambda: sound

    def _read_upload(self, file: UploadedFile) -> SoundToTry:
        try:
            return sound_to_try(file.path, None, self._config, name=file.name)
        except AudioFileError as error:  # it names the file as it lies here
            reason = str(error).removeprefix(f"{file.path.name}: ")
            raise AudioFileError(f"{file.name}: {reason}") from error
        finally:
            file.folder.cleanup()

    # --- what is done in a thread ------------------------------------------------------------

    def _try(self, number: int, attempt: _Attempt, read: Callable[[], SoundToTry]) -> None:
        try:
            tried = self._make(number, read)
        except Exception as error:  # a page that gets no answer would wait for ever
            attempt.trouble = _said(error)
            attempt.measured.set()
            return
        finally:
            self._busy.release()
            attempt.made.set()
        try:
            self._measure(number, tried)
        except Exception as error:
            attempt.trouble = _said(error)
        finally:
            attempt.measured.set()

    def _make(self, number: int, read: Callable[[], SoundToTry]) -> TriedSound:
        asked = WeightsRequest(self._folder)  # the trainer answers while the sound is read
        sound = read()
        weights = asked.receive()
        with self._working:
            tried = reconstructed(sound, weights)
        self._add(number, tried)
        self._publish_by_itself()
        return tried

    def _measure(self, number: int, tried: TriedSound) -> None:
        with self._working:
            note = _note(tried, tried.distances)
        with self._lock:
            rows, stages = self._shown
            self._shown = (
                rows,
                tuple(
                    replace(stage, notes=(note,)) if stage.key == _key(number) else stage
                    for stage in stages
                ),
            )
        self._publish_by_itself()

    def _add(self, number: int, tried: TriedSound) -> None:
        """Shows what was made of a sound: of the same one as before, beside what was made then."""
        sound, weights, rate = tried.sound, tried.weights, tried.sample_rate
        label = f"kept, epoch {weights.epoch + 1}" if weights.instead else f"step {weights.step:,}"
        with self._lock:
            if sound is not self._sound:
                self._sound, self._sounds, self._shown = sound, {}, ((), ())
                self._sounds[f"{number}/original"] = tried.original.numpy(), rate
                keys = f"{number}/original", "{stage}"
                row = SoundRow(sound.name, tried.seconds, SIDES, keys)
            else:
                row = self._shown[0][0]
            before = [stage for stage in self._shown[1] if stage.label != label]
            stage = Stage(_key(number), label, (_note(tried, _MEASURING),))
            stages = [*before, stage][-_MOST_STAGES:]
            self._sounds[stage.key] = tried.made.numpy(), rate
            used = {row.keys[0], *(stage.key for stage in stages)}
            self._sounds = {key: kept for key, kept in self._sounds.items() if key in used}
            self._shown = (row,), tuple(stages)

    def _publish_by_itself(self) -> None:
        if not in_colab():
            self._publish()

    def _publish(self) -> None:
        with self._lock:
            self.show(*self._shown)

    def _sound_of(self, key: str) -> Sound:
        with self._lock:
            if key not in self._sounds:
                raise PartError("that sound is not there any more: try it again")
            return self._sounds[key]


def _prepare(config: AutoencoderConfig) -> None:
    try:
        prepare(config)
    except Exception as error:  # whoever tries a sound is told of it then
        _log.debug("what trying sounds needs could not be loaded", exc_info=error)


def _key(number: int) -> str:
    """By which a page asks for what was made in a try."""
    return f"{number}/made"


def _note(tried: TriedSound, measured: str) -> str:
    """What is said beside a sound."""
    instead = tried.weights.instead
    kept = f"{instead}: heard are the weights it keeps" if instead else ""
    return " · ".join(filter(None, (measured, kept, *tried.notes)))


def _said(error: Exception) -> str:
    """What a page is told of an error."""
    if isinstance(error, (DistillError, OSError)):
        return printable(str(error))
    _log.error("a sound could not be tried", exc_info=error)
    return printable(f"could not be tried ({error})")
