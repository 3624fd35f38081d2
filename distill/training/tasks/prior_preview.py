"""Previews of a prior: held-out recordings as the codec has them, and how the prior goes on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from distill.audio.writing import wav_bytes
from distill.models.prior.drawing import Drawing
from distill.models.prior.model import CodePrior
from distill.models.prior.sounds import CodedSound
from distill.models.prior.stream import CodeStream
from distill.models.use.loaded import LoadedVQModel
from distill.own_folder import OwnFolder
from distill.training.watch.events import PreviewPair

_PEAK = 10 ** (-3 / 20)
_MADE_BY = "a preview of a training"


def write_prior_previews(
    module: CodePrior,
    codec: LoadedVQModel,
    sounds: Sequence[CodedSound],
    files: OwnFolder,
    inside: str,
    *,
    seconds: float,
) -> tuple[PreviewPair, ...]:
    """Writes each sound out of its codes, and its first half with what the prior lets follow.

    Both come out of the codec, so that what is heard is the prior alone. The draws are the same
    every time.

    Args:
        module: its mode is left as it was.
        codec: decodes.
        sounds: that the prior does not learn from.
        files: the run folder.
        inside: the folder in it, made if missing; see `write_previews`.
        seconds: longest sound.

    Raises:
        OSError: a file or the folder cannot be written.
    """
    files.make_folder(inside)
    most = max(2, int(seconds * codec.config.step_rate_hz))
    pairs = []
    for number, sound in enumerate(sounds):
        codes = sound.codes[:most]
        made = _gone_on(module, codes[: -(-len(codes) // 2)], len(codes), seed=number)
        names = {}
        for kind, grid in (("original", codes), ("reconstruction", made)):
            names[kind] = f"{inside}/{number:02}-{kind}.wav"
            with files.write(names[kind]) as file:
                file.write(wav_bytes(_heard(codec, grid), codec.sample_rate, made_by=_MADE_BY))
        length_s = _samples(codec, codes) / codec.sample_rate
        pairs.append(PreviewPair(sound.name, length_s, names["original"], names["reconstruction"]))
    return tuple(pairs)


def _gone_on(module: CodePrior, prompt: Tensor, steps: int, *, seed: int) -> Tensor:
    stream = CodeStream(module, Drawing(), seed)
    columns: list[Sequence[int]] = prompt.tolist()
    for column in columns:
        stream.take(column)
    columns += [stream.next() for _ in range(steps - len(columns))]
    return torch.tensor(columns)


def _samples(codec: LoadedVQModel, codes: Tensor) -> int:
    frames = len(codes) * codec.config.stride
    return max(1, (frames - 1) * codec.config.spectrogram.hop_length)


def _heard(codec: LoadedVQModel, codes: Tensor) -> Tensor:
    return codec.decode(codec.codes_of(codes.T, _samples(codec, codes), _PEAK))[0]
