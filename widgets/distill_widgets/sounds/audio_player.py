"""AudioPlayer: sounds to compare, each fetched by the page when somebody presses Play."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import traitlets

from distill.config import SpectrogramConfig
from distill.markup import shortened
from distill_widgets.page.live_widget import LiveWidget, Reply
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.pictures import envelope, mel_picture
from distill_widgets.sounds.wav import wav_bytes

_log = logging.getLogger(__name__)
LONGEST_NAME = 300
SOUND = "sound"
"""What pages ask for by a key: a WAV file."""

Sound = tuple[npt.NDArray[np.float32], int]
"""(samples,) in [-1, 1], and its rate."""


@dataclass(frozen=True)
class SoundRow:
    """One sound and its versions."""

    name: str
    seconds: float
    sides: tuple[str, ...]
    """What the versions are called, as on the switch."""
    keys: tuple[str, ...]
    """What the player asks for, a side each; `{stage}` stands for the key of a stage."""


@dataclass(frozen=True)
class Stage:
    """A moment of a training whose sounds can be listened to."""

    key: str
    label: str
    notes: tuple[str, ...] = ()
    """What is said beside each row's sound of this moment, in the order of the rows."""
    distances: tuple[float | None, ...] = ()
    """How far each row's sound is from its original, in the order of the rows; None where nobody
    has measured it."""


class AudioPlayer(LiveWidget):
    """A row a sound: one player, a switch between its versions, an outline, mel pictures.

    All versions are played exactly as they are: none is made louder.

    Args:
        fetch: the sound of a key; may raise a DistillError, OSError or KeyError, which the page
            then shows.
        rows: what there is to listen to.
        stages: what the slider goes through; none, no slider.
        spectrogram: of the mel pictures.
        name: the title.
        empty: what is said while there are no rows.
    """

    _css = page_styles("page/style.css", "charts/chart.css", "sounds/sounds.css")
    _esm = page_code("sounds/audio_player.js")
    name = traitlets.Unicode("").tag(sync=True)
    rows: traitlets.List[Any] = traitlets.List().tag(sync=True)
    stages: traitlets.List[Any] = traitlets.List().tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
    plays = traitlets.Int(0).tag(sync=True)
    """How often `play` was called."""

    def __init__(
        self,
        fetch: Callable[[str], Sound],
        rows: Sequence[SoundRow] = (),
        stages: Sequence[Stage] = (),
        *,
        spectrogram: SpectrogramConfig | None = None,
        name: str = "Listen",
        empty: str = "",
    ) -> None:
        super().__init__(name=name, empty=empty)
        self._fetch, self._spectrogram = fetch, spectrogram
        self.show(rows, stages)
        self.answer(SOUND, lambda key: wav_reply(self._fetch(key)))
        self.answer("peaks", lambda key: _peaks(self._fetch(key)))
        self.answer("mel", lambda key: self._mel(self._fetch(key)))

    def show(self, rows: Sequence[SoundRow], stages: Sequence[Stage]) -> None:
        """Replaces what there is to listen to; what plays goes on where it still exists."""
        self.rows = [
            {
                "name": shortened(r.name, LONGEST_NAME),
                "seconds": r.seconds,
                "sides": list(r.sides),
                "keys": list(r.keys),
            }
            for r in rows
        ]
        self.stages = [
            {
                "key": stage.key,
                "label": stage.label,
                "notes": list(stage.notes),
                "distances": list(stage.distances),
            }
            for stage in stages
        ]

    def answer_sound(self, key: str, sound: Sound) -> None:
        """Sends a sound to the pages that wait for it.

        Args:
            key: by which they have asked.
            sound: what they are to hear.
        """
        self.send_answer(SOUND, key, *wav_reply(sound))

    def play(self) -> None:
        """Has the pages that are open play the last version of the first row, from its start: each
        in one place, however many show it.
        """
        self.plays += 1

    def _mel(self, sound: Sound) -> Reply:
        waveform, rate = sound
        config = self._spectrogram or SpectrogramConfig.for_rate(rate)
        picture = mel_picture(waveform, config)
        return {"shape": list(picture.shape)}, [picture.tobytes()]

    def __repr__(self) -> str:
        names = ", ".join(row["name"] for row in self.rows) or "nothing yet"
        return f"AudioPlayer({self.name}: {names})"


def wav_reply(sound: Sound) -> Reply:
    """The answer to a question for a sound."""
    return {}, [wav_bytes(*sound)]


def _peaks(sound: Sound) -> Reply:
    return {}, [envelope(sound[0]).values.tobytes()]
