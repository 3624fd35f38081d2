"""Checks that latents are such as a model makes."""

from __future__ import annotations

from distill.config import VAEConfig
from distill.errors import LatentsError
from distill.latent.latents import Latents
from distill.models.use.match import Maker, called


def check_latents(maker: Maker[VAEConfig], latents: Latents, *, force: bool = False) -> None:
    """Checks latents that are to be decoded; see `LoadedVAE.check_latents`.

    Args:
        maker: the model that decodes them.
        latents: to be decoded.
        force: take them although another model made them.

    Raises:
        LatentsError: no latents, of another model, with other dimensions, or too few for their
            sound.
    """
    if not isinstance(latents, Latents):
        raise LatentsError(
            f"a {type(latents).__name__} where latents were expected: what `encode` returns, or "
            "Latents.load(path)"
        )
    config, sample_rate = maker.config, maker.config.spectrogram.sample_rate
    if latents.dims != config.latent_dim:
        raise LatentsError(
            f"latents of {latents.dims} dimensions; this model has {config.latent_dim}: decode "
            "them with the model that made them"
        )
    if latents.made_by and not force and latents.made_by != (digest := maker.digest()):
        raise LatentsError(
            f"latents of the model {called(latents.model_name, latents.made_by)}; this model is "
            f"{called(maker.name, digest)}: decode them with the one that made them, or "
            "hear what another makes of them (--force, in Python force=True)"
        )
    step_s = 1 / config.step_rate_hz
    if latents.sample_rate != sample_rate or abs(latents.step_seconds / step_s - 1) > 1e-6:
        raise LatentsError(
            f"latents at {latents.sample_rate} Hz in steps of {1000 * latents.step_seconds:.4g} "
            f"ms; this model works at {sample_rate} Hz in steps of {1000 * step_s:.4g} ms: use "
            "the model that made them"
        )
    frames, made = maker.frames(latents.samples), latents.steps * config.stride
    if made < frames:
        raise LatentsError(
            f"{latents.steps} steps make {made} frames; {latents.samples} samples need {frames}"
        )
