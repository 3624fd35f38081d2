"""TrialPart: the part of a dashboard in which a sound is tried; closed it is one button."""

from __future__ import annotations

import ipywidgets

from distill.training.run.folder import RunFolder
from distill_widgets.page.controls import button, close_all, receiving, with_class
from distill_widgets.training.sound_trial import SoundTrial

_CLOSED, _OPENED = "▸ Try a sound", "▾ Try a sound"
_HINT = "any sound of yours, through the weights of this moment"


class TrialPart(ipywidgets.VBox):  # type: ignore[misc]
    """A line to open; what is below it is made, and its code sent, when somebody does.

    Args:
        folder: of a run that learns from sound.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._is_open = False
        self.trial: SoundTrial | None = None
        """What is below the line; None until it was opened."""
        self.line = button(_CLOSED, self._turn, "distill-fold", hint=_HINT)
        super().__init__([self.line])
        with_class(self, "distill-trial-part")

    def _turn(self) -> None:
        self._is_open = not self._is_open
        if self._is_open and self.trial is None:
            self.trial = receiving(SoundTrial(self._folder))
        self.line.description = _OPENED if self._is_open else _CLOSED
        self.children = [self.line, self.trial] if self._is_open else [self.line]

    def finish(self) -> None:
        """Ends what is below the line on every page, also where it is not shown."""
        if self.trial is not None:
            self.trial.finish()
            close_all([self.trial])
