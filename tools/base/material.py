"""The material: clips of many kinds, each made from its own seed, each file whole or absent."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from distill.atomic import remove_leftovers
from tools.base import textures, voices
from tools.base.files import write_sound
from tools.base.instruments import PITCHED
from tools.base.licences import FLUID, MUSESCORE, SOURCES
from tools.base.phrases import phrase
from tools.base.rooms import on_its_way
from tools.base.signals import RATE, Sound, between, normalised, place, samples
from tools.base.soundfonts import players

Maker: TypeAlias = Callable[[np.random.Generator, float], Sound]
MANIFEST = "material.json"


@dataclass(frozen=True)
class Kind:
    """A kind of material: who makes it, from which source, and its share of the whole."""

    name: str
    source: str
    share: float
    make: Maker


def _kinds() -> tuple[Kind, ...]:
    fluid, musescore = players(FLUID.path), players(MUSESCORE.path)
    shares = {"subtractive": 6.0, "fm": 6.0, "additive": 5.0, "plucked": 5.0, "struck": 6.0}
    return (
        Kind("fluid-melodic", "fluid", 17.0, fluid["melodic"]),
        Kind("musescore-melodic", "musescore", 17.0, musescore["melodic"]),
        Kind("fluid-drums", "fluid", 5.0, fluid["drums"]),
        Kind("musescore-drums", "musescore", 4.0, musescore["drums"]),
        Kind("flite", "flite", 8.0, voices.flite_speech),
        Kind("formants", "own", 5.0, voices.formants),
        *(Kind(name, "own", shares[name], partial(phrase, PITCHED[name])) for name in shares),
        Kind("noises", "own", 4.0, textures.noises),
        Kind("granular", "own", 5.0, textures.granular),
        Kind("drum-machine", "own", 7.0, textures.drum_machine),
    )


KINDS = _kinds()
_MIXED = 0.15
"""Share of clips that hold a second clip's sound as well."""


@dataclass(frozen=True)
class Clip:
    """One file of the material before it is made."""

    kind: Kind
    index: int
    seconds: float
    seed: int

    @property
    def file_name(self) -> str:
        """Kind and number."""
        return f"{self.kind.name}-{self.index:04d}.flac"


def plan(seconds: float, seed: int, clip_s: float = 10.0) -> list[Clip]:
    """Every clip of a whole of about `seconds`, every kind spread over it.

    A clip depends on its kind, its number and the seed alone: more material keeps what was there.
    """
    total = sum(kind.share for kind in KINDS)
    clips = [
        (index / count, Clip(kind, index, clip_s, seed))
        for kind in KINDS
        for count in [max(1, round(seconds * kind.share / total / clip_s))]
        for index in range(count)
    ]
    return [clip for _, clip in sorted(clips, key=lambda item: (item[0], item[1].kind.name))]


def make_clip(clip: Clip) -> Sound:
    """The sound of a clip, at a peak just under 1."""
    rng = np.random.default_rng([clip.seed, zlib.crc32(clip.kind.name.encode()), clip.index])
    sound = _at_length(clip.kind.make(rng, clip.seconds), clip.seconds)
    if rng.random() < _MIXED:
        others = [kind for kind in KINDS if kind.source == "own"]
        other = others[rng.integers(len(others))].make(rng, clip.seconds)
        sound = normalised(sound)
        place(sound, normalised(other), 0, between(rng, 0.05, 1.0))
    return on_its_way(rng, sound)


def _at_length(sound: Sound, seconds: float) -> Sound:
    canvas = np.zeros(samples(seconds))
    place(canvas, sound, 0)
    return canvas


def make_material(folder: Path, clips: list[Clip]) -> Iterator[int]:
    """Makes the clips that are not there yet, and a record of all.

    Yields:
        The number of clips that are there, after each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    for done, clip in enumerate(clips):
        path = folder / clip.file_name
        if not path.exists():
            write_sound(path, make_clip(clip))
        yield done + 1
    record = json.dumps(describe(clips), indent=1)
    (folder / MANIFEST).write_text(record, encoding="utf-8")


def describe(clips: list[Clip]) -> dict[str, Any]:
    """Sources with their licences, and seconds of each kind."""
    seconds: dict[str, float] = {}
    for clip in clips:
        seconds[clip.kind.name] = seconds.get(clip.kind.name, 0.0) + clip.seconds
    used = sorted({clip.kind.source for clip in clips})
    return {
        "seed": clips[0].seed,
        "sample_rate_hz": RATE,
        "seconds": sum(seconds.values()),
        "seconds_by_kind": seconds,
        "sources": [SOURCES[name].record() for name in used],
    }
