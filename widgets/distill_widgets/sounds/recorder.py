"""Recorder: the browser's microphone as raw samples, trimmed on the page and handed over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import traitlets
from torch import Tensor

from distill.arrays import as_int, as_sound
from distill.errors import AudioFileError
from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.messages import RecordedFacts
from distill_widgets.page.page_code import page_code, page_styles
from distill_widgets.sounds.uploads import MOST_BYTES, Uploads

LONGEST_S = 300
"""Of a recording: the page stops by itself."""
_RATES_HZ = (8_000, 192_000)
_SAMPLE_BYTES = 4


@dataclass(frozen=True)
class Recording:
    """What somebody has recorded."""

    name: str
    """As it was typed; empty where nobody asked for one."""
    waveform: Tensor
    """(samples,) float32."""
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.waveform) / self.sample_rate


class Recorder(LiveWidget):
    """Records, shows the level, stops, trims, plays, and hands over.

    Args:
        use: gets what was recorded and says what was done with it; a DistillError or OSError says
            why nothing was, and the page keeps the recording.
        action: what the button says that hands it over.
        is_named: whether people give it a name.
    """

    _css = page_styles("page/style.css", "sounds/sounds.css", "sounds/recorder.css")
    _esm = page_code("sounds/recorder.js")
    action = traitlets.Unicode("").tag(sync=True)
    is_named = traitlets.Bool(True).tag(sync=True)
    longest_s = traitlets.Int(LONGEST_S).tag(sync=True)
    most_bytes = traitlets.Int(MOST_BYTES).tag(sync=True)

    def __init__(
        self, use: Callable[[Recording], str], *, action: str = "Save", is_named: bool = True
    ) -> None:
        super().__init__(action=action, is_named=is_named)
        self._use, self._using = use, threading.Lock()
        self._uploads = Uploads(self)
        self.command("recorded", self._on_recorded)

    def finish(self) -> None:
        """Removes what pages have sent."""
        self._uploads.forget()

    def _on_recorded(self, command: dict[str, Any]) -> Mapping[str, Any]:
        file = self._uploads.take(command.get("upload"))
        try:
            data = file.path.read_bytes()
        finally:
            file.folder.cleanup()
        sound = _checked(data, command.get("rate"), str(command.get("name", "")))
        with self._using:
            facts: RecordedFacts = {"said": self._use(sound)}
        return facts


def _checked(data: bytes, rate: object, name: str) -> Recording:
    """Samples of a page as a recording.

    Raises:
        AudioFileError: no such rate, no whole samples, too many, or silence.
        ShapeError: samples that are no numbers.
    """
    least, most = _RATES_HZ
    found = as_int(rate)
    if found is None or not least <= found <= most:
        raise AudioFileError(f"the recording: expected a rate of {least} to {most} Hz")
    if len(data) % _SAMPLE_BYTES or len(data) > _SAMPLE_BYTES * found * (LONGEST_S + 1):
        raise AudioFileError(f"the recording: expected samples of up to {LONGEST_S} s")
    waveform = as_sound(torch.from_numpy(np.frombuffer(data, "<f4").astype(np.float32)))
    if not float(waveform.abs().max()):
        raise AudioFileError(
            "nothing but silence was recorded: look whether the microphone is muted, here or in "
            "the system"
        )
    return Recording(name, waveform.clamp(-1, 1), found)
