"""What a page asks of an atlas, by key: small answers, each made when somebody looks."""

from __future__ import annotations

import math

import numpy as np

from distill.analysis.atlas.atlas import CodebookAtlas
from distill.audio.fades import faded
from distill.audio.io import read_part
from distill.errors import AudioFileError, PartError
from distill_widgets.inside.grid_sounds import PlayedSound, common_gain
from distill_widgets.page.live_widget import Reply
from distill_widgets.page.messages import EntryFacts, LevelFacts, NamesFacts, PairsFacts, SoundFacts
from distill_widgets.sounds.pictures import brightness
from distill_widgets.sounds.sound_keys import SoundKey, sound_key
from distill_widgets.sounds.wav import wav_bytes

MOST_ENTRIES = 128
"""Rows and columns of a table of pairs: those of the entries used most."""
MOST_FILES = 120
_FOLLOWERS, _PAIRS = 5, 8
_SHORTEST_MOMENT_S = 0.4  # a step alone is too short to be recognised
_NEXT = "next"


class AtlasPages:
    """Answers about one atlas.

    Raises:
        PartError: from every method, for a key that names nothing in the atlas.
    """

    def __init__(self, atlas: CodebookAtlas) -> None:
        self._atlas = atlas
        self._maps: dict[tuple[int, str], np.ndarray] = {}
        self._transitions: dict[int, np.ndarray] = {}

    def level(self, key: str) -> Reply:
        """`LEVEL`: uses, loudness, brightness and main file of its entries, and its dead ones."""
        (level,) = self._numbers(key, 1)
        atlas = self._atlas
        facts: LevelFacts = {
            "dead": atlas.dead(level).tolist(),
            "uses": int(atlas.counts[level].sum()),
        }
        return facts, [
            atlas.counts[level].astype("<i4").tobytes(),
            atlas.loudness_db[level].astype("<f4").tobytes(),
            atlas.brightness_hz[level].astype("<f4").tobytes(),
            atlas.main_file[level].astype("<i4").tobytes(),
        ]

    def map(self, key: str) -> Reply:
        """`LEVEL/METHOD`: places of its entries on a plane, (entry, 2)."""
        number, _, method = key.partition("/")
        (level,) = self._numbers(number, 1)
        if (level, method) not in self._maps:  # UMAP takes seconds, and a page asks again meanwhile
            self._maps[level, method] = self._atlas.coordinates(level, method)
        return {}, [self._maps[level, method].astype("<f4").tobytes()]

    def entry(self, key: str) -> Reply:
        """`LEVEL/ENTRY`: what is known of it, and its mel picture."""
        level, entry = self._numbers(key, 2)
        atlas = self._atlas
        moments = atlas.moments(level, entry)
        picture = brightness(atlas.mels[level, entry].astype(np.float32))
        main = int(atlas.main_file[level, entry])
        facts: EntryFacts = {
            "uses": int(atlas.counts[level, entry]),
            "share": float(atlas.counts[level, entry] / max(1, atlas.counts[level].sum())),
            "loudness": float(atlas.loudness_db[level, entry]),
            "brightness": float(atlas.brightness_hz[level, entry]),
            "file": atlas.files[main] if main >= 0 else "",
            "near": atlas.nearest[level, entry].tolist(),
            "followers": self._followers(level, entry),
            "moments": [{"name": m.name, "start_s": m.start_s} for m in moments],
            "shape": (picture.shape[0], picture.shape[1]),
        }
        return facts, [picture.tobytes()]

    def sound(self, key: str) -> Reply:
        """An entry, or a moment of the corpus where it is heard, as WAV; see `sound_keys`.

        Raises:
            AudioFileError: the recording is not where it was.
        """
        match sound_key(key):
            case SoundKey("entry", (level, entry)):
                sound = self._entry_sound(level, entry)
            case SoundKey("moment", (level, entry, number)):
                sound = self._moment_sound(level, entry, number)
            case _:
                raise PartError(f"{key!r}: not something an atlas knows")
        facts: SoundFacts = {"louder_db": round(20 * math.log10(sound.gain))}
        return facts, [wav_bytes(sound.samples, sound.sample_rate)]

    def usage(self, _key: str) -> Reply:
        """Entries of every level, the most used first, (level, entry), and their uses."""
        order = np.argsort(-self._atlas.counts, axis=1, kind="stable")
        counts = np.take_along_axis(self._atlas.counts, order, axis=1)
        return {}, [order.astype("<i4").tobytes(), counts.astype("<i4").tobytes()]

    def pairs(self, key: str) -> Reply:
        """`A/B`: how often entries of two levels stand together; `A/next`: what follows what.

        The `MOST_ENTRIES` most used entries of each, the most used first.
        """
        first, _, second = key.partition("/")
        (a,) = self._numbers(first, 1)
        if second == _NEXT:
            table, b = self._following(a), a
        else:
            (b,) = self._numbers(second, 1)
            table = self._atlas.pairs(a, b)
        rows, columns = (
            np.argsort(-self._atlas.counts[level], kind="stable")[:MOST_ENTRIES] for level in (a, b)
        )
        top = np.argsort(-table, axis=None, kind="stable")[:_PAIRS]
        most = [
            (int(i), int(j), int(table[i, j]))
            for i, j in zip(*np.unravel_index(top, table.shape), strict=True)
            if table[i, j]
        ]
        facts: PairsFacts = {
            "rows": rows.tolist(),
            "columns": columns.tolist(),
            "most": most,
            "total": int(table.sum()),
        }
        return facts, [table[np.ix_(rows, columns)].astype("<i4").tobytes()]

    def files(self, _key: str) -> Reply:
        """How alike the first `MOST_FILES` files are, (file, file), and their names."""
        count = min(MOST_FILES, len(self._atlas.files))
        alike = self._atlas.file_similarity()[:count, :count]
        facts: NamesFacts = {"names": list(self._atlas.files[:count])}
        return facts, [alike.astype("<f4").tobytes()]

    def names(self, _key: str) -> Reply:
        """Names of all files."""
        facts: NamesFacts = {"names": list(self._atlas.files)}
        return facts, []

    def _entry_sound(self, level: int, entry: int) -> PlayedSound:
        self._check(level, entry)
        sound = self._atlas.sound(level, entry)
        gain = common_gain(sound)
        return PlayedSound(sound * np.float32(gain), self._atlas.sample_rate, gain)

    def _moment_sound(self, level: int, entry: int, number: int) -> PlayedSound:
        self._check(level, entry)
        moments = self._atlas.moments(level, entry)
        if number >= len(moments):
            raise PartError(f"moment {number}: entry {entry} has {len(moments)}")
        moment = moments[number]
        path = self._atlas.paths[moment.file]
        try:
            waveform, rate = read_part(
                path, moment.start_s, max(moment.seconds, _SHORTEST_MOMENT_S)
            )
        except AudioFileError as error:
            raise AudioFileError(f"{moment.name} cannot be heard: {error}") from error
        return PlayedSound(faded(waveform.numpy(), rate), rate)

    def _followers(self, level: int, entry: int) -> list[tuple[int, float]]:
        row = self._following(level)[entry]
        order = np.argsort(-row, kind="stable")[:_FOLLOWERS]
        return [(int(e), float(row[e] / row.sum())) for e in order if row[e]]

    def _following(self, level: int) -> np.ndarray:
        if level not in self._transitions:
            self._transitions[level] = self._atlas.transitions(level)
        return self._transitions[level]

    def _numbers(self, key: str, count: int) -> list[int]:
        """Level, entry and more from a key, checked."""
        parts = key.split("/")
        if len(parts) != count or not all(part.isdecimal() for part in parts):
            raise PartError(f"{key!r}: not something an atlas knows")
        numbers = [int(part) for part in parts]
        self._check(*numbers)
        return numbers

    def _check(self, level: int, entry: int = 0) -> None:
        for kind, number, limit in (
            ("level", level, self._atlas.levels),
            ("entry", entry, self._atlas.entries),
        ):
            if number >= limit:
                raise PartError(f"{kind}={number}: expected 0 to {limit - 1}")
