"""Arrays as no program expects them, and everything of distill that takes arrays or places."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from distill import (
    CodeParts,
    Codes,
    Latents,
    LoadedModel,
    LoadedVAE,
    LoadedVQModel,
    SpectrogramConfig,
    mel_distance,
    principal_directions,
    stft_distance,
    write_audio,
)
from distill.analysis.latent.directions import Direction
from distill.audio.io import resample
from distill.codebook import codebook_health, count_codes, perplexity
from distill.errors import DistillError
from distill.family import family
from distill.latent.health import latent_health, latent_sums

_KINDS = [*"?bhilBHILfdgFDeO", ">f4", "<f8", ">f8", ">i2", ">i8", "<U3", "S4", "M8[s]", "V8"]
_TORCH = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int16,
    torch.int32, torch.int64, torch.uint8, torch.bool, torch.complex64, torch.float8_e4m3fn,
    torch.uint16, torch.uint32, torch.uint64,
]  # fmt: skip
_SHAPES = [
    (), (0,), (1,), (2,), (7,), (64,), (1000,), (2, 3), (3, 40), (1, 3, 9), (0, 4), (4, 0),
    (2, 500),
]  # fmt: skip
_VALUES = [
    0.0, -0.0, 0.3, 1.0, -1.0, 2.5, 1e-42, 1e-30, 1e9, 1e29, 1e38, 1e300, np.nan, np.inf, -np.inf,
]  # fmt: skip
_PLACES = [
    0, 1, -1, 3, 10**9, 10**40, 0.0, 1.0, 1.5, np.nan, np.inf, True, False, None, "1", b"1",
    np.int64(1), np.uint8(2), np.float32(1), np.bool_(True), np.array(1), np.array([1]),
    np.array(1.5), torch.tensor(1), torch.tensor([0, 1]), Fraction(2, 1), Fraction(1, 2),
    Decimal(1), 1 + 0j, [1], (0,), {}, slice(0, 1), ..., object(),
]  # fmt: skip
_RATES = [
    *_PLACES, 44_100.0, np.int64(48_000), np.float64(22_050), "44100", Fraction(88_200, 2), 8_000,
    192_000, 1e12, -48_000, 47_999,
]  # fmt: skip
Targets = list[tuple[str, Callable[[Any], Any]]]
"""What kind of thing each takes, and how it is given."""
_NO_ARRAYS = [None, 3.0, "abc", b"abc", [0.1, 0.2], (1, 2), {}, {0.5}]


@dataclass(frozen=True)
class Outcome:
    """What became of one odd input."""

    kind: str
    what: str
    foreign: BaseException | None = None
    silent: str = ""


def odd_array(random: np.random.Generator) -> Any:
    """An array, or what somebody might take for one."""
    if random.random() < 0.08:
        return _NO_ARRAYS[random.integers(len(_NO_ARRAYS))]
    shape = _SHAPES[random.integers(len(_SHAPES))]
    values = random.standard_normal(shape) * 0.3
    if random.random() < 0.5 and values.size:
        places = random.random(shape) < random.choice([0.01, 0.5, 1.0])
        values = np.where(places, _VALUES[random.integers(len(_VALUES))], values)
    if random.random() < 0.4:
        values = random.integers(-2, 10, shape)
    return _as_tensor(values, random) if random.random() < 0.4 else _as_array(values, random)


def _as_array(values: Any, random: np.random.Generator) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = np.array(values).astype(random.choice(np.array(_KINDS, object)))
    how = random.integers(8)
    if how == 0 and array.ndim:
        array = array[::-1]
    elif how == 1 and array.ndim:
        array = np.repeat(array, 2, axis=-1)[..., ::2]
    elif how == 2:
        array = np.asfortranarray(array)
    elif how == 3:
        array = np.ma.masked_array(array, mask=random.random(array.shape) < 0.3)
    elif how == 4 and array.ndim:
        array = np.moveaxis(array[..., None], -1, 0)[0]
    elif how == 5:
        array = np.broadcast_to(array, (2, *array.shape))[0]
    if random.random() < 0.3:
        array = np.array(array)
        array.flags.writeable = False
    return array


def _as_tensor(values: Any, random: np.random.Generator) -> Any:
    kind = _TORCH[random.integers(len(_TORCH))]
    with np.errstate(all="ignore"):
        whole = np.array(np.nan_to_num(np.clip(values, -2.0, 9.0)), np.int64)
    is_real = kind.is_floating_point or kind.is_complex
    tensor = torch.from_numpy(np.array(values, np.float64) if is_real else whole).to(kind)
    how = random.integers(8)
    if how == 0 and is_real:
        tensor = tensor.requires_grad_()
    elif how == 1:
        tensor = tensor.to("meta")
    elif how == 2 and kind in (torch.float32, torch.int64) and tensor.ndim:
        tensor = tensor.to_sparse()
    elif how == 3 and tensor.ndim == 2:
        tensor = tensor.T
    elif how == 4 and tensor.ndim:
        tensor = tensor.expand(2, *tensor.shape)[0]
    elif how == 5 and kind == torch.float32:
        tensor = torch.quantize_per_tensor(tensor.nan_to_num(), 0.1, 0, torch.qint8)
    return tensor


def small_model(name: str) -> LoadedModel[Any]:
    """A model of a family at 8 kHz, whose bottleneck has seen some noise."""
    torch.manual_seed(0)
    own: dict[str, Any] = {"vqvae": {"levels": 3, "codebook_size": 16}, "vae": {}}
    spectrogram = replace(SpectrogramConfig.for_rate(8_000), n_mels=16)
    config = family(name).config(width=16, latent_dim=4, spectrogram=spectrogram, **own[name])
    network = family(name).build(config)
    if name == "vqvae":
        network.initialise(torch.randn(1, 16, 400))
    else:
        network(torch.randn(4, 16, 100))  # a new VAE knows no covariance
    opened: LoadedModel[Any] = family(name).open(network.eval())
    return opened


def tries(model: LoadedModel[Any], folder: Path, count: int, seed: int = 0) -> Iterator[Outcome]:
    """Gives `count` odd arrays, places and rates to everything that takes them."""
    random = np.random.default_rng(seed)
    good = torch.randn(900, generator=torch.Generator().manual_seed(seed)) * 0.1
    of_family = _OF_FAMILIES[type(model)](model, good)
    targets = [*_any_models(model, folder, good), *of_family[0]]
    places = of_family[1]
    for _ in range(count):
        if random.random() < 0.7:
            kind, work = targets[random.integers(len(targets))]
            value = odd_array(random)
        elif random.random() < 0.6:
            kind, work = places[random.integers(len(places))]
            value = _PLACES[random.integers(len(_PLACES))]
        else:
            rate = _RATES[random.integers(len(_RATES))]
            kind, value, work = "rate", rate, lambda x: model.reconstruct(good, x)[0]
        yield _tried(kind, value, work)


def _any_models(model: LoadedModel[Any], folder: Path, good: torch.Tensor) -> Targets:
    """What takes arrays, of whatever family the model is."""
    return [
        ("waveform", lambda x: _checked(model.encode(x, model.sample_rate))),
        ("waveform", lambda x: model.latent(x, 8_000)),
        ("waveform", lambda x: model.reconstruct(x, 11_025)[0]),
        ("waveform", lambda x: write_audio(folder / "a.wav", x, 8_000)),
        ("waveform", lambda x: _any(resample(x, 8_000, 11_025))),
        ("waveform", lambda x: mel_distance(x, x, 8_000)),
        ("waveform", lambda x: stft_distance(good, x)),
        ("waveform", lambda x: _any(model.spectrogram(x))),
        ("frames", lambda x: model.vocoder(x)),
        ("encoded", lambda x: model.decode(x)[0]),
    ]


def _codes(model: LoadedVQModel, good: torch.Tensor) -> tuple[Targets, Targets]:
    codes = model.encode(good, model.sample_rate)
    parts = CodeParts(model, codes)
    return [
        ("frames", lambda x: model.indices_of(x)),
        ("frames", lambda x: model.model.encode(x)),
        ("codes", lambda x: model.decode(codes.with_indices(x))[0]),
        ("codes", lambda x: Codes(x, 16, 0.02, 100, 8_000)),
        ("codes", lambda x: model.mel_of(x)),
        ("codes", lambda x: count_codes(x, 16)),
        ("codes", lambda x: model.model.codes_to_embeddings(x)),
        ("counts", lambda x: codebook_health(x)),
        ("counts", lambda x: perplexity(x)),
    ], [
        ("place", lambda x: parts.cell(x, 0)),
        ("place", lambda x: parts.column(x)),
        ("place", lambda x: parts.row(0, x)),
        ("place", lambda x: parts.upto(x, 0, 2)),
        ("place", lambda x: Codes(codes.indices, x, 0.02, 100, 8_000)),
        ("place", lambda x: Codes(codes.indices, 16, x, 100, 8_000)),
        ("place", lambda x: Codes(codes.indices, 16, 0.02, x, 8_000)),
        ("place", lambda x: Codes(codes.indices, 16, 0.02, 100, 8_000, peak=x)),
        ("place", lambda x: Codes(codes.indices, 16, 0.02, 100, 8_000, labels=x)),
        ("place", lambda x: count_codes(codes.indices, x)),
    ]  # fmt: skip


def _latents(model: LoadedVAE, good: torch.Tensor) -> tuple[Targets, Targets]:
    latents = model.encode(good, model.sample_rate)
    values, direction = latents.values, Direction(np.full(latents.dims, 0.5), 0.5, ())
    return [
        ("latents", lambda x: model.decode(latents.with_values(x))[0]),
        ("latents", lambda x: Latents(x, 0.02, 100, 8_000)),
        ("latents", lambda x: model.mel_of(x)),
        ("latents", lambda x: direction.moved(x, 1.0)),
        ("latents", lambda x: model.interpolate(latents, x)),
        ("latents", lambda x: principal_directions(model, 1, sounds=x)),
        ("sums", lambda x: latent_sums(x, x)),
        ("sums", lambda x: latent_health({**latent_sums(_GAUSSIAN, _GAUSSIAN), "kl": x})),
    ], [
        ("place", lambda x: direction.moved(latents, x)),
        ("place", lambda x: model.mix(latents, latents, x)),
        ("place", lambda x: model.interpolate(latents, latents, x)),
        ("place", lambda x: model.sample(x, 0.1)),
        ("place", lambda x: model.sample(1, x)),
        ("place", lambda x: model.sample(1, 0.1, x)),
        ("place", lambda x: principal_directions(model, x)),
        ("place", lambda x: Latents(values, x, 100, 8_000)),
        ("place", lambda x: Latents(values, 0.02, x, 8_000)),
        ("place", lambda x: Latents(values, 0.02, 100, x)),
        ("place", lambda x: Latents(values, 0.02, 100, 8_000, peak=x)),
        ("place", lambda x: Latents(values, 0.02, 100, 8_000, made_by=x)),
        ("place", lambda x: Latents(values, 0.02, 100, 8_000, model_name=x)),
    ]  # fmt: skip


_GAUSSIAN = torch.zeros(1, 4, 9)
_OF_FAMILIES: dict[type, Callable[[Any, torch.Tensor], tuple[Targets, Targets]]] = {
    LoadedVQModel: _codes,
    LoadedVAE: _latents,
}


def _tried(kind: str, value: Any, work: Callable[[Any], Any]) -> Outcome:
    what = (
        f"{type(value).__name__} {getattr(value, 'dtype', '')} {tuple(getattr(value, 'shape', ()))}"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            made = work(value)
        except DistillError:
            return Outcome(kind, what)
        except Exception as error:
            return Outcome(kind, what, foreign=error)
    is_sound = isinstance(made, torch.Tensor) and made.is_floating_point()
    silent = "" if not is_sound or torch.isfinite(made).all() else "NaN or Inf comes out"
    return Outcome(kind, what, silent=silent)


def _any(_made: torch.Tensor) -> None:
    """NaN in, NaN out: that is no lie."""


def _checked(encoded: Codes | Latents) -> Codes | Latents:
    if isinstance(encoded, Codes):
        return encoded.with_indices(encoded.indices)
    return encoded.with_values(encoded.values)
