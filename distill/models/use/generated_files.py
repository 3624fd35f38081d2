"""GeneratedFiles: new sounds as files that say how they were made."""

from __future__ import annotations

import json
import os
from pathlib import Path

from distill.codebook.codes import Codes
from distill.models.prior.drawing import Drawing
from distill.models.prior.whose import prior_digest
from distill.models.use.drawn import checked_seed, codes_digest
from distill.models.use.reshaping import ReshapingModel
from distill.outputs import check_free


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
        overwrite: bool = False,
    ) -> Codes:
        """Generates a sound into a file, with the recipe that gives it again in its comment.

        Args:
            path: of the sound; its ending says the format. It is marked as made by a model.
            seconds: see `generate`.
            prompt: see `generate`.
            seed: see `generate`; one that was drawn stands in the recipe.
            temperature: see `generate`.
            top_k: see `generate`.
            top_p: see `generate`.
            novelty: see `generate`.
            overwrite: replace a file that this program did not write.

        Returns:
            Its codes.

        Raises:
            OutputExistsError: a file is there that this program did not write.
            AudioFileError: it cannot be written.
            DistillError: see `generate`.
        """
        seed = checked_seed(seed)
        check_free(Path(path), overwrite=overwrite)
        codes = self.generate(
            seconds,
            prompt=prompt,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            novelty=novelty,
        )
        recipe = {
            "model": self.digest,
            "prior": prior_digest(self.prior),
            "seconds": float(seconds),
            "seed": seed,
            **Drawing(temperature, top_k, top_p, novelty).to_dict(),
            **({"prompt": codes_digest(prompt)} if prompt is not None else {}),
        }
        text = f", generated: {json.dumps(recipe)}"
        self._write(path, self.decode_pieces(codes), self.sample_rate, overwrite, text)
        return codes
