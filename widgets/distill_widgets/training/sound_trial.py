"""SoundTrial: any sound through the weights that a run has at this moment, beside the original."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import traitlets

from distill.arrays import as_int
from distill.errors import AudioFileError, PartError, RunFolderError
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.trying import (
    SoundToTry,
    TriedSound,
    reconstructed,
    sound_to_try,
)
from distill_widgets.page.live_widget import AnsweredLater, Reply, in_colab
from distill_widgets.page.messages import AttemptFacts, OutcomeFacts
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.audio_player import (
    SOUND,
    AudioPlayer,
    Sound,
    SoundRow,
    Stage,
    wav_reply,
)
from distill_widgets.sounds.previews import SIDES
from distill_widgets.sounds.uploads import MOST_BYTES, UploadedFile, Uploads
from distill_widgets.training.attempts import Attempt, MomentWeights, preparation, trouble_of
from distill_widgets.training.recordings import Recordings

_MOST_STAGES, _MOST_ATTEMPTS = 8, 64
_ANSWERS_WITHIN_S = 0.2
_HEARD_WITHIN_S = 3.0  # a page that does not say so is gone
_FRESH_S = 10.0  # weights that were asked for while a file was sent
_MEASURING = "its distances follow"
_BUSY = "one sound is being tried already: wait until it is heard"


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
    only_answers = traitlets.Bool(False).tag(sync=True)
    """Whether nothing arrives at a page but with an answer, as in Colab."""

    def __init__(self, folder: RunFolder) -> None:
        config = RunRequest.from_dict(folder.read_request()).config
        super().__init__(self._sound_of, spectrogram=config.spectrogram, name="Tried")
        self.only_answers = in_colab()
        self._folder, self._config = folder, config.spectrogram
        self._recordings = Recordings(folder)
        self._uploads = Uploads(self, on_begin=self._ask)
        self._asked: MomentWeights | None = None
        self._numbers = itertools.count(1)
        self._attempts: dict[int, Attempt] = {}
        self._lock, self._busy = threading.Lock(), threading.Lock()
        self._working = threading.Lock()
        self._sound: SoundToTry | None = None
        self._sounds: dict[str, Sound] = {}
        self._awaited: set[str] = set()
        self._shown: tuple[tuple[SoundRow, ...], tuple[Stage, ...]] = ((), ())
        self.answer(SOUND, self._sound_or_later)
        self.answer("recordings", lambda text: (self._recordings.find(text), []))
        self.command("attempt", self._on_attempt)
        self.command("outcome", lambda command: self._outcome_of(command, "made"))
        self.command("measured", self._on_measured)
        self._preparing = preparation(config)  # while somebody looks for a file

    def finish(self) -> None:
        """Removes what pages have sent; a try under way ends by itself."""
        self._uploads.forget()
        for attempt in list(self._attempts.values()):
            attempt.heard.set()
        self._preparing.join()

    # --- what a page asks for ----------------------------------------------------------------

    def _on_attempt(self, command: dict[str, Any]) -> Mapping[str, Any]:
        if not self._busy.acquire(blocking=False):
            raise RunFolderError(_BUSY)
        try:
            read = self._reader_of(command)
            weights = self._weights_for(command)
        except BaseException:
            self._busy.release()
            raise
        number, attempt = next(self._numbers), Attempt()
        with self._lock:
            self._attempts[number] = attempt
            while len(self._attempts) > _MOST_ATTEMPTS:
                del self._attempts[next(iter(self._attempts))]
        threading.Thread(
            target=self._try, args=(number, attempt, read, weights), name="distill-try", daemon=True
        ).start()
        facts: AttemptFacts = {"number": number}
        return facts

    def _on_measured(self, command: dict[str, Any]) -> Mapping[str, Any]:
        self._attempt_of(command).heard.set()
        return self._outcome_of(command, "measured")

    def _attempt_of(self, command: dict[str, Any]) -> Attempt:
        attempt = self._attempts.get(as_int(command.get("number")) or 0)
        if attempt is None:
            raise PartError("that try is long over: try the sound again")
        return attempt

    def _outcome_of(
        self, command: dict[str, Any], wanted: Literal["made", "measured"]
    ) -> Mapping[str, Any]:
        attempt = self._attempt_of(command)
        event = attempt.made if wanted == "made" else attempt.measured
        is_done = event.wait(_ANSWERS_WITHIN_S)
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

    def _ask(self) -> None:
        """Has the trainer hand over its weights while the file is still on its way."""
        self._asked = MomentWeights(self._folder)

    def _weights_for(self, command: dict[str, Any]) -> MomentWeights:
        asked, self._asked = self._asked, None
        is_fresh = asked is not None and time.monotonic() - asked.asked_at < _FRESH_S
        return asked if asked and is_fresh and "upload" in command else MomentWeights(self._folder)

    # --- what is done in a thread ------------------------------------------------------------

    def _try(
        self,
        number: int,
        attempt: Attempt,
        read: Callable[[], SoundToTry],
        weights: MomentWeights,
    ) -> None:
        try:
            tried = self._make(number, read, weights)
        except Exception as error:  # a page that gets no answer would wait for ever
            self._give_up(number, attempt, trouble_of(error))
            return
        finally:
            self._busy.release()
            attempt.made.set()
        attempt.heard.wait(_HEARD_WITHIN_S)
        try:
            self._measure(number, tried)
        except Exception as error:
            attempt.trouble = trouble_of(error)
        finally:
            attempt.measured.set()

    def _give_up(self, number: int, attempt: Attempt, trouble: str) -> None:
        with self._lock:
            attempt.trouble = trouble
            attempt.made.set()  # from now on whoever asks for its sounds is told
            self._awaited.clear()
            if not any(_original(number) in row.keys for row in self._shown[0]):
                self._sounds.pop(_original(number), None)
        attempt.measured.set()

    def _make(
        self, number: int, read: Callable[[], SoundToTry], weights: MomentWeights
    ) -> TriedSound:
        sound = read()
        if sound is not self._sound:
            with self._lock:
                self._sounds[_original(number)] = sound.waveform.numpy(), sound.sample_rate
            self._hand_out(_original(number))
        received = weights.result()
        with self._working:
            tried = reconstructed(sound, received)
        self._add(number, tried)
        self._hand_out(_key(number))
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
                self._sounds[_original(number)] = tried.original.numpy(), rate
                keys = _original(number), "{stage}"
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

    def _hand_out(self, key: str) -> None:
        """Sends a sound that is there now to the pages that have asked for it already."""
        with self._lock:
            is_awaited, sound = key in self._awaited, self._sounds[key]
            self._awaited.discard(key)
        if is_awaited:
            self.answer_sound(key, sound)

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

    def _sound_or_later(self, key: str) -> Reply:
        """A sound; one that is being made follows as soon as it is there."""
        with self._lock:
            number = _number_in(key)
            attempt = self._attempts.get(number)
            is_under_way = attempt is not None and not attempt.made.is_set()
            can_follow = key in (_key(number), _original(number)) and key not in self._sounds
            if is_under_way and can_follow:
                self._awaited.add(key)
                raise AnsweredLater
        return wav_reply(self._sound_of(key))


def _key(number: int) -> str:
    """By which a page asks for what was made in a try."""
    return f"{number}/made"


def _number_in(key: str) -> int:
    """Of the try that a key is of; 0, which no try has, for anything else."""
    number = key.partition("/")[0]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else 0


def _original(number: int) -> str:
    """By which a page asks for the sound that was tried first then."""
    return f"{number}/original"


def _note(tried: TriedSound, measured: str) -> str:
    """What is said beside a sound."""
    instead = tried.weights.instead
    kept = f"{instead}: heard are the weights it keeps" if instead else ""
    return " · ".join(filter(None, (measured, kept, *tried.notes)))
