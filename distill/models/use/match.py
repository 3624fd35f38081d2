"""Checks that what a model is to decode is such as it makes."""

from __future__ import annotations

from typing import Any, Protocol

from distill.audio.spectrogram import LogMel
from distill.encoded.sound import EncodedSound
from distill.names import printable

_SHOWN = 8
_STEP_TOLERANCE = 1e-6


class Decoder(Protocol):
    """A model in use, as far as an encoded sound is compared with it; see `LoadedModel`."""

    @property
    def spectrogram(self) -> LogMel:
        """Its own."""

    @property
    def config(self) -> Any:
        """Of an autoencoder."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def digest(self) -> str:
        """Takes a while: asked for only where a sound says who made it."""


def check_kind(encoded: object, expected: type[EncodedSound]) -> None:
    """Checks that somebody gave an encoded sound, and of this family.

    Args:
        encoded: to be decoded.
        expected: the family's own kind.

    Raises:
        DistillError: of the family's class: something else.
    """
    if not isinstance(encoded, expected):
        raise expected.file.error(
            f"a {type(encoded).__name__} where {expected.file.called} were expected: what `encode` "
            f"returns, or {expected.__name__}.load(path)"
        )


def check_maker(decoder: Decoder, encoded: EncodedSound) -> None:
    """Checks that the model itself made what it is to decode, where that is known.

    Args:
        decoder: the model.
        encoded: to be decoded.

    Raises:
        DistillError: of the family's class: another model made it.
    """
    if encoded.made_by and encoded.made_by != decoder.digest:
        maker = called(encoded.model_name, encoded.made_by)
        raise encoded.file.error(
            f"{encoded.file.called} of the model {maker}; this model is "
            f"{called(decoder.name, decoder.digest)}: decode them with the one that made them, or "
            "hear what another makes of them (--force, in Python force=True)"
        )


def check_rate(decoder: Decoder, encoded: EncodedSound, *, any_steps: bool = False) -> None:
    """Checks that a sound was encoded at the rate of the model.

    Args:
        decoder: the model.
        encoded: to be decoded.
        any_steps: look at the sample rate alone.

    Raises:
        DistillError: of the family's class: another sample rate, or steps of another length.
    """
    sample_rate, step_s = decoder.config.spectrogram.sample_rate, 1 / decoder.config.step_rate_hz
    same_steps = any_steps or abs(encoded.step_seconds / step_s - 1) <= _STEP_TOLERANCE
    if encoded.sample_rate != sample_rate or not same_steps:
        raise encoded.file.error(
            f"{encoded.file.called} at {encoded.sample_rate} Hz in steps of "
            f"{1000 * encoded.step_seconds:.4g} ms; this model works at {sample_rate} Hz in steps "
            f"of {1000 * step_s:.4g} ms: use the model that made them"
        )


def check_length(decoder: Decoder, encoded: EncodedSound) -> None:
    """Checks that there are steps enough for the whole sound.

    Args:
        decoder: the model.
        encoded: to be decoded.

    Raises:
        DistillError: of the family's class: too few.
    """
    frames = decoder.spectrogram.frames(encoded.samples)
    made = encoded.steps * decoder.config.stride
    if made < frames:
        raise encoded.file.error(
            f"{encoded.steps} steps make {made} frames; {encoded.samples} samples need {frames}"
        )


def called(name: str, digest: str) -> str:
    """A model as messages name it: by its name and the beginning of its digest."""
    return f"{printable(name or 'unnamed')!r} ({digest[:_SHOWN]})"
