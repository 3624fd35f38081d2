"""Checks that codes are such as a model makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from distill.codebook.codes import Codes
from distill.config import VQVAEConfig
from distill.config.autoencoder import AutoencoderConfig
from distill.errors import CodesError
from distill.names import printable

_SHOWN = 8
_ConfigT = TypeVar("_ConfigT", bound=AutoencoderConfig)


@dataclass(frozen=True)
class Maker(Generic[_ConfigT]):
    """What codes, or latents, are compared with."""

    config: _ConfigT
    frames: Callable[[int], int]
    """Samples of a sound to its frames."""
    name: str
    digest: Callable[[], str]
    """Takes a while: asked for only where they say who made them."""


def check_codes(maker: Maker[VQVAEConfig], codes: Codes, *, force: bool = False) -> None:
    """Checks codes that are to be decoded; see `LoadedVQModel.check_codes`.

    Args:
        maker: the model that decodes them.
        codes: to be decoded.
        force: take them although another model made them.

    Raises:
        CodesError: no codes, of another model, with more levels or other codebooks, or too few for
            their sound.
    """
    if not isinstance(codes, Codes):
        raise CodesError(
            f"a {type(codes).__name__} where codes were expected: what `encode` returns, or "
            "Codes.load(path)"
        )
    config, sample_rate = maker.config, maker.config.spectrogram.sample_rate
    if codes.levels > config.levels or codes.codebook_size != config.codebook_size:
        raise CodesError(
            f"codes of {codes.levels} levels × {codes.codebook_size} entries; this model has "
            f"{config.levels} × {config.codebook_size}: decode them with the model that made "
            "them"
        )
    if codes.made_by and not force and codes.made_by != (digest := maker.digest()):
        raise CodesError(
            f"codes of the model {called(codes.model_name, codes.made_by)}; this model is "
            f"{called(maker.name, digest)}: decode them with the one that made them, or "
            "hear what another makes of them (--force, in Python force=True)"
        )
    if codes.sample_rate != sample_rate:
        step_s = 1 / config.step_rate_hz
        raise CodesError(
            f"codes at {codes.sample_rate} Hz in steps of {1000 * codes.step_seconds:.4g} ms; this "
            f"model works at {sample_rate} Hz in steps of {1000 * step_s:.4g} ms: use the model "
            "that made them"
        )
    frames, made = maker.frames(codes.samples), codes.steps * config.stride
    if made < frames:
        raise CodesError(
            f"{codes.steps} steps make {made} frames; {codes.samples} samples need {frames}"
        )


def called(name: str, digest: str) -> str:
    """A model as messages name it: by its name and the beginning of its digest."""
    return f"{printable(name or 'unnamed')!r} ({digest[:_SHOWN]})"
