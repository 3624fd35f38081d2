"""ReshapingModel: sounds that are partly there: other detail, a gap filled, a loop closed."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from distill.arrays import as_count, as_float
from distill.codebook.codes import Codes
from distill.config.fields import shown
from distill.errors import CodesError, ConfigError
from distill.models.prior.drawing import Drawing
from distill.models.prior.wanted import Brightness, Classes, Loudness
from distill.models.use.drawn import checked_seconds, checked_seed, loudness_like, without_gaps
from distill.models.use.generating import GeneratingModel, OnSound
from distill.models.use.joining import likeliest_join, likeliest_round, looped, steps_of
from distill.models.use.made_codes import MadeCodes

DRAWS = 16
"""Ends of a gap that are drawn; the one after which what follows is likeliest stays."""
PLACES = 96
"""Of a loop's beginning: two seconds of them are tried."""
_MOST_DRAWS = 1000
_JOIN_S = 1.0
"""So much of a gap's end is drawn several times, and judged by so much of what follows."""
_LONGEST_LOOP_S = 600.0
_FADE_S = 0.03
_ROUNDING = 1e-6
"""Of a step: a moment that a person worked out from a number of steps is that step's."""


class ReshapingModel(GeneratingModel):
    """A model of codes that, with a prior, makes new what a sound lacks."""

    def vary(
        self,
        codes: Codes,
        keep_levels: int = 1,
        *,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: str | None = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
        on_sound: OnSound | None = None,
    ) -> Codes:
        """The same structure with other detail: keeps the first levels, draws the others anew.

        Args:
            codes: of a sound; those of the first levels suffice.
            keep_levels: how many levels stay as they are.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: the class that the detail is to be of; see `generate`.
            loudness: see `generate`; the levels that are kept have most of it.
            brightness: as loudness; see `generate`.
            on_sound: see `generate`.

        Raises:
            PriorError: see `generate`.
            ConfigError: no level is kept, or none is left to be drawn.
            CodesError: codes of another model, or without a code in a level that is kept.
        """
        self.check_codes(codes)
        most = min(codes.levels, self.config.levels - 1)
        if most < 1:
            raise ConfigError("keep_levels: this model has 1 level; vary needs two or more")
        kept = as_count(keep_levels, "keep_levels", most, error=ConfigError)
        source = codes.first_levels(kept)
        columns = without_gaps(source.indices).T.tolist()
        drawing, seed = Drawing(temperature, top_k, top_p, novelty), checked_seed(seed)
        stream = self._stream_inside(drawing, seed, classes, loudness, brightness, 0, codes.steps)
        steps = map(stream.next, columns)
        made = self._codes_of_steps(steps, codes.steps, codes.samples, codes.peak, on_sound)
        recipe = self._recipe(
            codes.seconds,
            seed,
            drawing,
            classes,
            loudness,
            brightness,
            source,
            does="vary",
            keep_levels=kept,
        )
        return MadeCodes.of(made, recipe)

    def fill(
        self,
        codes: Codes,
        start_s: float,
        end_s: float,
        *,
        draws: int = DRAWS,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: str | None = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
    ) -> Codes:
        """A sound with new codes between two moments, which join what comes after them.

        A prior knows what came before alone. So the last second of the gap is drawn several times,
        and of these ends the one stays after which the rest of the sound is likeliest.

        Args:
            codes: of a sound, all levels; steps within the gap may be without a code.
            start_s: where the gap begins; steps that it touches are drawn anew, whole.
            end_s: where it ends, up to the end of the sound.
            draws: how many ends are drawn.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: the class that the sound is to be of; see `generate`.
            loudness: of the gap; see `generate`.
            brightness: as loudness; see `generate`.

        Raises:
            PriorError: see `generate`.
            ConfigError: moments outside the sound, or in the wrong order; see `generate`.
            CodesError: codes of another model, without all levels, or without a code outside the
                gap.
        """
        self._check_whole(codes)
        first, last = self.gap_steps(codes, start_s, end_s)
        count = as_count(draws, "draws", _MOST_DRAWS, error=ConfigError)
        grid = codes.indices
        before, after = without_gaps(grid[:, :first]), without_gaps(grid[:, last:])
        drawing, seed = Drawing(temperature, top_k, top_p, novelty), checked_seed(seed)
        stream = self._stream_inside(drawing, seed, classes, loudness, brightness, first, last)
        for column in before.T.tolist():
            stream.take(column)
        join = min(self._join_steps, last - first)
        body = steps_of(stream, last - first - join, may_end=False)
        end = likeliest_join(stream, join, after.T[: self._join_steps], count, may_end=False)
        grid = torch.cat([before, body.T, end.T, after], dim=1)
        gap = float(start_s), float(end_s)
        recipe = self._recipe(
            codes.seconds, seed, drawing, classes, loudness, brightness, codes,
            does="fill", gap_s=gap, draws=count,
        )  # fmt: skip
        return MadeCodes.of(self.codes_of(grid, codes.samples, codes.peak), recipe)

    def loop(
        self,
        seconds: float,
        *,
        prompt: Codes | None = None,
        places: int = PLACES,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
    ) -> Codes:
        """Codes of a sound that ends where it begins; `decode_loop` makes sound of them, and
        `decode_file` a file.

        A second of sound, or the prompt, comes before it. Then more is drawn than is needed, and
        of all rounds in it the one stays whose beginning is likeliest behind its end.

        Args:
            seconds: length, up to 10 minutes, which becomes that of so many whole steps.
            prompt: see `generate`.
            places: how many are tried at which the round may begin, a step from each other.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: see `generate`.
            loudness: see `generate`; one level, for the whole round.
            brightness: as loudness; see `generate`.

        Returns:
            The steps of one round, and the first of them once more.

        Raises:
            DistillError: see `generate`.
        """
        if checked_seconds(seconds) > _LONGEST_LOOP_S:
            raise ConfigError(
                f"seconds={shown(repr(seconds))}: a loop is up to {_LONGEST_LOOP_S:g} s long"
            )
        steps = max(1, round(self._samples(seconds) / self._step_samples))
        count = as_count(places, "places", _MOST_DRAWS, error=ConfigError)
        drawing, seed = Drawing(temperature, top_k, top_p, novelty), checked_seed(seed)
        stream = self._stream(drawing, seed, prompt, classes, loudness, brightness)
        if prompt is None:
            steps_of(stream, self._join_steps)
        round_ = likeliest_round(stream, steps, count, self._join_steps)
        grid = torch.cat([round_, round_[:1]]).T
        codes = self.codes_of(grid, steps * self._step_samples, loudness_like(prompt))
        length = checked_seconds(seconds)
        recipe = self._recipe(
            length, seed, drawing, classes, loudness, brightness, prompt, loop_places=count
        )
        return MadeCodes.of(codes, recipe)

    def decode_loop(self, codes: Codes) -> tuple[Tensor, int]:
        """Turns a loop's codes into sound that can be repeated without a seam.

        Args:
            codes: what `loop` made.

        Returns:
            (samples,) float32 and its sample rate.

        Raises:
            CodesError: codes of another model, or codes that do not end with the step with which
                they begin.
        """
        self.check_codes(codes)
        grid = codes.indices
        round_, around = grid[:, :-1], 2 * self._join_steps
        if not round_.shape[1] or not torch.equal(grid[:, 0], grid[:, -1]):
            raise CodesError(
                "these codes do not end with the step with which they begin: make a loop with "
                "model.loop(seconds), or decode them with model.decode(codes)"
            )
        places = torch.arange(-around, round_.shape[1] + around + 1) % round_.shape[1]
        samples = (len(places) - 1) * self._step_samples
        sound, rate = self.decode(self.codes_of(round_[:, places], samples, codes.peak))
        begin, length = around * self._step_samples, round_.shape[1] * self._step_samples
        return looped(sound, begin, length, round(_FADE_S * rate)), rate

    @property
    def _join_steps(self) -> int:
        return max(1, round(_JOIN_S * self.config.step_rate_hz))

    def gap_steps(self, codes: Codes, start_s: Any, end_s: Any) -> tuple[int, int]:
        """The first step of a gap between two moments, and the first behind it.

        Args:
            codes: of the sound.
            start_s: where the gap begins.
            end_s: where it ends.

        Raises:
            ConfigError: moments outside the sound, or in the wrong order.
        """
        start, end = as_float(start_s), as_float(end_s)
        if start is None or end is None or not 0 <= start < end <= codes.seconds:
            raise ConfigError(
                f"a gap from {shown(repr(start_s))} to {shown(repr(end_s))} s: expected two "
                f"moments within the {codes.seconds:.2f} s of this sound, the earlier one first"
            )
        first = min(codes.steps - 1, int(start / codes.step_seconds + _ROUNDING))
        last = min(codes.steps, math.ceil(end / codes.step_seconds - _ROUNDING))
        return first, max(first + 1, last)
