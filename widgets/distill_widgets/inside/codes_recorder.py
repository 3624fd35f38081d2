"""CodesRecorder: speak, sing or strike something, and see and hear it as codes."""

from __future__ import annotations

from distill.models.use.bottlenecks import check_codebooks
from distill.models.use.loaded import LoadedVQModel
from distill.words import counted, duration
from distill_widgets.inside.codes_view import CodesView
from distill_widgets.page.controls import close_all, receiving
from distill_widgets.page.view import View
from distill_widgets.sounds.recorder import Recorder, Recording


class CodesRecorder(View):
    """A recorder, and below it the codes of what was recorded last; nothing is written.

    Args:
        model: a trained one.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.

    Example:
        CodesRecorder(model)
    """

    _recorder: Recorder | None = None  # until the constructor has come that far

    def __init__(self, model: LoadedVQModel) -> None:
        check_codebooks(model, "CodesRecorder")
        self._model, self._count = model, 0
        self.view: CodesView | None = None
        """Codes of what was recorded last; `view.codes` to go on with."""
        self.recorder = Recorder(self._show, action="Show its codes", is_named=False)
        self._recorder = self.recorder
        super().__init__([self.recorder], "distill-card")

    def close(self) -> None:
        """Ends it on every page."""
        if self._recorder is not None:
            self._recorder.finish()
        super().close()

    def _show(self, recording: Recording) -> str:
        self._count += 1
        sound = recording.waveform, recording.sample_rate
        view, before = CodesView(self._model, sound, name=f"recording {self._count}"), self.view
        self.view = receiving(view)
        self.children = [self.recorder, view]
        if before is not None:
            close_all([before])
        steps = counted(view.codes.steps, "step")
        return f"recording {self._count}: {duration(recording.seconds)}, {steps} of codes"

    def __repr__(self) -> str:
        return f"CodesRecorder({self.view!r})" if self.view else "CodesRecorder(nothing yet)"
