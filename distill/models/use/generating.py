"""GeneratingModel: new sounds from a model of codes that has a prior in its file."""

from __future__ import annotations

import itertools
import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor

from distill.codebook.codes import Codes
from distill.models.prior.drawing import Drawing
from distill.models.prior.stream import CodeStream
from distill.models.prior.wanted import Brightness, Classes, Loudness
from distill.models.prior.whose import prior_digest
from distill.models.use.drawn import (
    LONGEST_S,
    checked_seconds,
    checked_seed,
    grid_of,
    loudness_like,
)
from distill.models.use.made_codes import MadeCodes, prompt_fields
from distill.models.use.recipe import Recipe
from distill.models.use.stepped import SteppedModel

_SHORTEST_S = 1e-6
OnSound = Callable[[Tensor], object]
"""Called with pieces of a sound, (samples,) float32 each, on the CPU."""


class GeneratingModel(SteppedModel):
    """A model of codes that, with a prior, makes new sounds."""

    @abstractmethod
    def _sound_of_steps(
        self, steps: Iterator[Sequence[int]], count: int, samples: int, peak: float
    ) -> Iterator[Tensor]:
        """What steps sound like, (samples,) float32 each, in pieces as soon as they are there."""

    def generate(
        self,
        seconds: float,
        *,
        prompt: Codes | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
        on_sound: OnSound | None = None,
    ) -> Codes:
        """Codes of a sound that never was.

        Where a sound has ended before the time is up, another one begins. The last one ends as
        recordings do, where the prior knows of their position.

        Args:
            seconds: length, above 0 and up to a day.
            prompt: codes of a sound that the new one goes on from; it is no part of the result.
            seed: the same seed and settings give the same codes; None draws another each time.
            temperature: 0 takes the likeliest code each time, 1 draws as was learned.
            top_k: draws among so many of the likeliest codes only.
            top_p: draws among the likeliest codes that together have this share of the chances.
            novelty: steers away from long copies, as `prior.shared_run` finds them: 1 lets no run
                along a recording become one, 0.5 lets them be twice as long, 0 (the default) any.
            classes: the folder of recordings that it is to be like, or those that sounds are to be
                like in turn; see `prior.config.classes`. None for any.
            loudness: a level in dB beside that of your recordings on the average, or several that
                are spread evenly from begin to end. None for any.
            brightness: the mean frequency of each step in Hz, 62.5 to 16,000, or several that are
                spread evenly, as octaves are. None for any.
            on_sound: called with each piece of the sound, (samples,) float32, as soon as it is
                drawn; what is drawn does not depend on it.

        Raises:
            PriorError: see `prior`; or it was trained without the condition that is asked for.
            ConfigError: a length, seed or setting out of its range, or a class that nobody knows.
            CodesError: a prompt of another model, or without all of its levels.
        """
        samples, seed = self._samples(seconds), checked_seed(seed)
        steps = self.generate_steps(
            seconds=seconds,
            prompt=prompt,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            novelty=novelty,
            classes=classes,
            loudness=loudness,
            brightness=brightness,
        )
        peak = loudness_like(prompt)
        codes = self._codes_of_steps(steps, self._steps_of(samples), samples, peak, on_sound)
        drawing = Drawing(temperature, top_k, top_p, novelty)
        length = checked_seconds(seconds)
        recipe = self._recipe(length, seed, drawing, classes, loudness, brightness, prompt)
        return MadeCodes.of(codes, recipe)

    def generate_steps(
        self,
        *,
        seconds: float | None = None,
        prompt: Codes | None = None,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
    ) -> Iterator[tuple[int, ...]]:
        """The same step by step: a code a level each.

        Args:
            seconds: see `generate`; None: they do not end.
            prompt: see `generate`, as the others.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: see `generate`.
            loudness: see `generate`; of steps that do not end one level only.
            brightness: as loudness; see `generate`.

        Raises:
            DistillError: see `generate`; at once, not with the first step.
        """
        count = None if seconds is None else self._steps_of(self._samples(seconds))
        drawing = Drawing(temperature, top_k, top_p, novelty)
        stream = self._stream(drawing, seed, prompt, classes, loudness, brightness, count)
        return self._steps(stream, count)

    def _steps(self, stream: CodeStream, count: int | None) -> Iterator[tuple[int, ...]]:
        times = itertools.repeat(None) if count is None else itertools.repeat(None, count)
        return (stream.next() for _ in times)

    def continue_sound(
        self,
        sound: Codes | str | os.PathLike[str],
        seconds: float,
        *,
        seed: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        novelty: float = 0.0,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
        on_sound: OnSound | None = None,
    ) -> Codes:
        """A sound, and what may follow it, in one.

        Args:
            sound: its codes, or its file.
            seconds: how much is to follow.
            seed: see `generate`.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: see `generate`.
            loudness: see `generate`; of what follows.
            brightness: as loudness; see `generate`.
            on_sound: see `generate`; the sound is heard from its begin.

        Raises:
            DistillError: see `generate` and `encode_file`.
        """
        codes = sound if isinstance(sound, Codes) else self.encode_file(sound)
        seed = checked_seed(seed)
        added = self._samples(seconds)
        before = self._whole_steps(codes)
        samples = before.shape[1] * self._step_samples + added
        count = self._steps_of(samples) - before.shape[1]
        drawing = Drawing(temperature, top_k, top_p, novelty)
        stream = self._stream(drawing, seed, codes, classes, loudness, brightness, count)
        steps = itertools.chain(map(tuple, before.T.tolist()), self._steps(stream, count))
        whole, peak = before.shape[1] + count, loudness_like(codes)
        made = self._codes_of_steps(steps, whole, samples, peak, on_sound)
        length = checked_seconds(seconds)
        recipe = self._recipe(
            length, seed, drawing, classes, loudness, brightness, codes, does="continue"
        )
        return MadeCodes.of(made, recipe)

    def _recipe(
        self,
        seconds: float,
        seed: int,
        drawing: Drawing,
        classes: Classes,
        loudness: Loudness,
        brightness: Brightness,
        prompt: Codes | None,
        **more: Any,
    ) -> Recipe:
        """How a sound is made; `more` are fields of its own."""
        prior = self.prior
        wanted = prior.wanted(classes, loudness, brightness, steps=1)
        return Recipe(
            model=self.digest,
            prior=prior_digest(prior),
            seconds=min(max(seconds, _SHORTEST_S), LONGEST_S),  # of recordings it may be any
            seed=seed,
            **drawing.to_dict(),
            classes=[prior.config.classes[number - 1] for number in wanted.classes],
            loudness=list(wanted.loudness_db),
            brightness=list(wanted.brightness_hz),
            **prompt_fields(prompt),
            **more,
        )

    def _codes_of_steps(
        self,
        steps: Iterator[tuple[int, ...]],
        count: int,
        samples: int,
        peak: float,
        on_sound: OnSound | None,
    ) -> Codes:
        """So many steps as codes; heard as they come, where somebody listens."""
        steps = itertools.islice(steps, count)
        if on_sound is not None:
            drawn: list[tuple[int, ...]] = []
            for piece in self._sound_of_steps(_noted(steps, drawn), count, samples, peak):
                on_sound(piece)
            steps = itertools.chain(drawn, steps)
        return self.codes_of(grid_of(steps, count), samples, peak)

    def _stream(
        self,
        drawing: Drawing,
        seed: int | None,
        prompt: Codes | None,
        classes: Classes = None,
        loudness: Loudness = None,
        brightness: Brightness = None,
        count: int | None = None,
    ) -> CodeStream:
        """Draws from the prior, after a sound where there is one; so many steps, or no end."""
        prior, seed = self.prior, checked_seed(seed)
        before = [] if prompt is None else self._whole_steps(prompt).T.tolist()
        steps = None if count is None else len(before) + count
        wanted = prior.wanted(classes, loudness, brightness, begin=len(before), steps=steps)
        stream = CodeStream(prior.precise, drawing, seed, prior.novelty(drawing.novelty), wanted)
        for column in before:
            stream.take(column)
        return stream

    def _stream_inside(
        self,
        drawing: Drawing,
        seed: int,
        classes: Classes,
        loudness: Loudness,
        brightness: Brightness,
        begin: int,
        steps: int,
    ) -> CodeStream:
        """Draws from the prior within a sound, of whose begin and end it is told nothing.

        Args:
            drawing: how boldly.
            seed: of the draws.
            classes: what the sound is to be, of one class.
            loudness: of the steps from `begin` on.
            brightness: of these, too.
            begin: the first of these steps.
            steps: the step behind them.
        """
        prior = self.prior
        wanted = prior.wanted(
            classes, loudness, brightness, begin=begin, steps=steps
        ).within_a_sound
        return CodeStream(prior.precise, drawing, seed, prior.novelty(drawing.novelty), wanted)


def _noted(
    steps: Iterator[tuple[int, ...]], drawn: list[tuple[int, ...]]
) -> Iterator[tuple[int, ...]]:
    for step in steps:
        drawn.append(step)
        yield step
