"""ModelOfNewSounds: new sounds as files that say how they were made, and sounds made again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
from torch import Tensor

from distill.audio.io import check_place
from distill.codebook.codes import Codes
from distill.errors import CodesError, ConfigError, PriorError, RecipeError
from distill.memory import memory_for
from distill.models.prior.drawing import Drawing
from distill.models.prior.wanted import Brightness, Classes, Loudness
from distill.models.prior.whose import prior_digest
from distill.models.use.attended import attended
from distill.models.use.drawn import (
    checked_seconds,
    checked_seed,
    codes_digest,
    grid_of,
    loudness_like,
)
from distill.models.use.made_codes import prompt_grid, recipe_of
from distill.models.use.recipe import Recipe, comment_with, read_recipe
from distill.models.use.reshaping import PLACES, ReshapingModel
from distill.models.use.sounds import write_pieces
from distill.names import printable
from distill.outputs import refuse_input

Stop = Callable[[], bool]


class ModelOfNewSounds(ReshapingModel):
    """A model of codes that, with a prior, makes new sounds, and files of them."""

    def generate_file(
        self,
        path: str | os.PathLike[str],
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
        loop: bool = False,
        overwrite: bool = False,
        progress: bool = False,
        stop: Stop | None = None,
    ) -> Codes:
        """Generates a sound into a file, with the recipe that gives it again in its comment.

        Beside the codes, some megabytes an hour, only pieces of it are ever in memory.

        Args:
            path: of the sound; its ending says the format. It is marked as made by a model.
            seconds: see `generate`.
            prompt: see `generate`.
            seed: see `generate`; one that was drawn stands in the recipe.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            classes: see `generate`.
            loudness: see `generate`.
            brightness: as loudness; see `generate`.
            loop: a sound that can be repeated without a seam; see `loop`.
            overwrite: replace a file that this program did not write.
            progress: shows bars when it takes longer than half a second.
            stop: asked after every step that is drawn, and every piece that became sound. Once it
                says yes while codes are drawn, those so far become the file; once it does while
                they become sound, the file ends there. It is whole either way.

        Returns:
            Its codes; their `seconds` say how long the file has become.

        Raises:
            OutputExistsError: a file is there that this program did not write.
            AudioFileError: it cannot be written.
            DistillError: see `generate`.
        """
        check_place(path, overwrite=overwrite)
        drawing, drawn = Drawing(temperature, top_k, top_p, novelty), checked_seed(seed)
        recipe = self._recipe(
            checked_seconds(seconds), drawn, drawing, classes, loudness, brightness, prompt,
            loop_places=PLACES if loop else None,
        )  # fmt: skip
        with memory_for(printable(Path(path).name)):
            codes = self._codes_by(recipe, prompt, progress=progress, stop=stop)
            return self._file_of(path, codes, recipe, overwrite, progress=progress, stop=stop)

    def remake(
        self, path: str | os.PathLike[str], *, prompt: Codes | str | os.PathLike[str] | None = None
    ) -> tuple[Tensor, int]:
        """The sound of a file once more, as its recipe says.

        Files of `generate_file` have one, and those that `decode_file` writes of codes that were
        drawn: by `generate`, `continue_sound`, `vary`, `fill` or `loop`, and not changed since.

        On the same machine and device it is that of the file, to the last sample, before what its
        format did to it.

        Args:
            path: of the generated file.
            prompt: what the sound was made to go on from, or was made of, where that is too long
                to lie in the file: its codes, their file, or a sound file.

        Returns:
            (samples,) float32, and its sample rate.

        Raises:
            RecipeError: the file has no recipe, or one of another model, prior or prompt.
            DistillError: see `generate`, and `encode_file` for a prompt.
        """
        recipe, name = read_recipe(path), printable(Path(path).name)
        after = self._prompt_of(recipe, prompt, name)
        self._check_fits(self._samples(recipe.seconds), name, "remake_file")
        with memory_for(name), _named(name):
            codes = self._codes_by(recipe, after)
            sound, rate = self.decode_loop(codes) if recipe.loop_places else self.decode(codes)
        return sound[: recipe.kept_samples], rate

    def remake_file(
        self,
        path: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        prompt: Codes | str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        progress: bool = False,
    ) -> Codes:
        """As `remake`, into a file, in bounded memory; it says how it was made as the first does.

        Args:
            path: of the generated file.
            out: of the new one; its ending says the format.
            prompt: see `remake`.
            overwrite: replace a file that this program did not write.
            progress: shows bars when it takes longer than half a second.

        Returns:
            Its codes.

        Raises:
            OutputExistsError: a file is there that this program did not write, or it is one of
                those that are read.
            AudioFileError: it cannot be written.
            DistillError: see `remake`.
        """
        for read in (path, prompt):
            if isinstance(read, (str, os.PathLike)):
                refuse_input(out, read)
        check_place(out, overwrite=overwrite)
        recipe = read_recipe(path)
        after = self._prompt_of(recipe, prompt, printable(Path(path).name))
        with memory_for(printable(Path(out).name)), _named(printable(Path(path).name)):
            codes = self._codes_by(recipe, after, progress=progress)
            return self._file_of(out, codes, recipe, overwrite, progress=progress)

    def _codes_by(
        self,
        recipe: Recipe,
        prompt: Codes | None,
        *,
        progress: bool = False,
        stop: Stop | None = None,
    ) -> Codes:
        if recipe.loop_places:
            return self.loop(
                recipe.seconds, prompt=prompt, places=recipe.loop_places, **recipe.settings
            )
        if recipe.does != "generate":
            return self._reshaped_by(recipe, prompt)
        samples = self._samples(recipe.seconds)
        planned = recipe.planned_s or recipe.seconds
        steps = attended(
            self.generate_steps(seconds=planned, prompt=prompt, **recipe.settings),
            "Drawing codes", self._steps_of(samples), progress=progress, stop=stop,
        )  # fmt: skip
        grid = grid_of(steps, self._steps_of(samples))
        fitting = grid.shape[1] * self._step_samples - 1
        return self.codes_of(grid, min(samples, fitting), loudness_like(prompt))

    def _reshaped_by(self, recipe: Recipe, source: Codes | None) -> Codes:
        """What was made of another sound, once more."""
        if source is not None and recipe.does == "continue":
            return self.continue_sound(source, recipe.seconds, **recipe.settings)
        if source is not None and recipe.does == "vary" and recipe.keep_levels:
            return self.vary(source, recipe.keep_levels, **recipe.settings)
        if source is not None and recipe.does == "fill" and recipe.gap_s and recipe.draws:
            return self.fill(source, *recipe.gap_s, draws=recipe.draws, **recipe.settings)
        raise ConfigError(f"it lacks what {recipe.does!r} needs")

    def _heard_of(self, encoded: Codes, *, force: bool) -> Iterator[Tensor]:
        recipe = self._own_recipe(encoded)
        if recipe is not None and recipe.loop_places:
            return iter([self.decode_loop(encoded)[0]])
        return super()._heard_of(encoded, force=force)

    def _said_of(self, encoded: Codes) -> str:
        recipe = self._own_recipe(encoded)
        return self._about if recipe is None else comment_with(self._about, recipe)

    def _own_recipe(self, codes: Codes) -> Recipe | None:
        """How this model made codes; None where it did not, or where they were changed since."""
        recipe = recipe_of(codes)
        return recipe if recipe is not None and recipe.model == self.digest else None

    def _file_of(
        self,
        path: str | os.PathLike[str],
        codes: Codes,
        recipe: Recipe,
        overwrite: bool,
        *,
        progress: bool,
        stop: Stop | None = None,
    ) -> Codes:
        pieces = iter([self.decode_loop(codes)[0]]) if recipe.loop_places else None
        has_conditions = bool(self.prior.config.conditions)
        made = 0

        def counted() -> Iterator[Tensor]:
            nonlocal made
            source = pieces or self.decode_pieces(codes)
            for piece in attended(
                source, "Decoding", codes.samples, progress=progress, stop=stop, size=len
            ):
                left = (recipe.kept_samples or codes.samples) - made
                if left > 0:
                    made += min(left, len(piece))
                    yield piece[:left]

        def about() -> str:  # asked when all is made
            is_drawn = not recipe.loop_places and recipe.does == "generate"
            is_cut = is_drawn and codes.samples < self._samples(recipe.seconds)
            now = msgspec.structs.replace(
                recipe,
                seconds=codes.seconds if is_drawn else recipe.seconds,
                planned_s=recipe.seconds if is_cut and has_conditions else recipe.planned_s,
                kept_samples=made if made < codes.samples else None,
            )
            return comment_with(self._about, now)

        write_pieces(path, counted(), self.sample_rate, made_by=about, overwrite=overwrite)
        return replace(codes, samples=made)

    def _prompt_of(
        self, recipe: Recipe, prompt: Codes | str | os.PathLike[str] | None, name: str
    ) -> Codes | None:
        """The prompt of a recipe, checked as is all else that it names."""
        if recipe.model != self.digest:
            raise RecipeError(
                f"{name}: was made by the model {recipe.model[:8]}; this is {self._about}"
            )
        if recipe.prior != prior_digest(self.prior):
            raise RecipeError(
                f"{name}: was made by the prior {recipe.prior[:8]} of this model, which has "
                f"{prior_digest(self.prior)[:8]} now: open the file of the model as it was then"
            )
        if prompt is None and recipe.prompt_codes:
            return self._prompt_in(recipe, name)
        if prompt is None and recipe.prompt is not None:
            raise RecipeError(
                f"{name}: was made of another sound, which is too long to lie in it: name that one "
                "(--prompt, in Python prompt=…)"
            )
        if prompt is None:
            return None
        if recipe.prompt is None:
            raise RecipeError(f"{name}: was made without a prompt; leave it out")
        codes = self.read_prompt(prompt)
        if recipe.keep_levels:  # of the others a variation knows nothing
            codes = codes.first_levels(recipe.keep_levels)
        if codes_digest(codes) != recipe.prompt:
            raise RecipeError(
                f"{name}: goes on from another prompt than this one, or its codes were found "
                "otherwise, on another device or by another version: name them as they were saved "
                "(.npz)"
            )
        return codes

    def _prompt_in(self, recipe: Recipe, name: str) -> Codes:
        """The prompt that lies in a recipe."""
        try:
            grid = prompt_grid(recipe, self.config.codebook_size)
            codes = self.codes_of(grid, recipe.prompt_samples or 0, recipe.prompt_peak)
            self.check_codes(codes)
        except (RecipeError, CodesError) as error:
            raise RecipeError(f"{name}: its recipe cannot be read ({error})") from error
        if codes_digest(codes) != recipe.prompt:
            raise RecipeError(f"{name}: its recipe cannot be read (the prompt is another one)")
        return codes

    def read_prompt(self, prompt: Codes | str | os.PathLike[str]) -> Codes:
        """Codes of a sound to go on from: as they are, of their file (.npz), or of a sound file.

        Raises:
            CodesError: no readable file of codes.
            DistillError: see `encode_file`.
        """
        if isinstance(prompt, Codes):
            return prompt
        if Path(prompt).suffix.lower() == ".npz":
            return Codes.load(prompt)
        return self.encode_file(prompt)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """What a recipe asks and its model cannot do is the recipe's fault, and said of its file."""
    try:
        yield
    except (ConfigError, PriorError) as error:
        raise RecipeError(f"{name}: its recipe cannot be used ({error})") from error
