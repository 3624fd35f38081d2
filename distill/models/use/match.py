"""Whether codes are such as a model makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distill.codebook.codes import Codes
from distill.errors import CodesError
from distill.names import printable

if TYPE_CHECKING:
    from distill.models.use.loaded import LoadedVQModel

_SHOWN = 8


def check_codes(loaded: LoadedVQModel, codes: Codes, *, force: bool = False) -> None:
    """See `LoadedVQModel.check_codes`."""
    if not isinstance(codes, Codes):
        raise CodesError(
            f"a {type(codes).__name__} where codes were expected: what `encode` returns, or "
            "Codes.load(path)"
        )
    codes.check()
    config = loaded.model.config
    if codes.levels > config.levels or codes.codebook_size != config.codebook_size:
        raise CodesError(
            f"codes of {codes.levels} levels × {codes.codebook_size} entries; this model has "
            f"{config.levels} × {config.codebook_size}: decode them with the model that made "
            "them"
        )
    if codes.made_by and codes.made_by != loaded.digest and not force:
        raise CodesError(
            f"codes of the model {_called(codes.model_name, codes.made_by)}; this model is "
            f"{_called(loaded.name, loaded.digest)}: decode them with the one that made them, or "
            "hear what another makes of them (--force, in Python force=True)"
        )
    if codes.sample_rate != loaded.sample_rate:
        step_s = 1 / config.step_rate_hz
        raise CodesError(
            f"codes at {codes.sample_rate} Hz in steps of {1000 * codes.step_seconds:.4g} ms; this "
            f"model works at {loaded.sample_rate} Hz in steps of {1000 * step_s:.4g} ms: use the "
            "model that made them"
        )
    frames, made = loaded.spectrogram.frames(codes.samples), codes.steps * config.stride
    if made < frames:
        raise CodesError(
            f"{codes.steps} steps make {made} frames; {codes.samples} samples need {frames}"
        )


def _called(name: str, digest: str) -> str:
    return f"{printable(name or 'unnamed')!r} ({digest[:_SHOWN]})"
