"""What other codecs make of the sounds that `benchmarks/quality.py` judges by: Opus and Codec 2.

    apt-get install opus-tools codec2
    python benchmarks/anchors.py
    python benchmarks/anchors.py --data spoken_digits --kbits 6 12
    python benchmarks/anchors.py --visqol   # also as an ear, see ear.py

A row a rate: the distances of `quality.py`, and the bits of the files against what was asked for.
Opus is a general codec of 48 kHz; Codec 2 is for speech at 8 kHz, so its distances count what is
missing above 4 kHz too. Their programs are run; one that is not installed is left out and named.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from common import held_out_split, parser, recordings, report, save
from ear import RATE, Ear, visqol
from quality import QUOTED, distances, held_out_sounds, means

from distill import make_demo_corpus, read_audio, write_audio

_SPEECH_HZ = 8_000
_SPEECH_BITS = (1200, 3200)
_LONGEST_LAG_S = 0.1

Coder = Callable[[Path, Path], Path]
"""Takes a WAV file of 48 kHz and a folder; makes `made.wav` there and returns the coded file."""


def opus(kbits: float) -> Coder:
    def code(sound: Path, folder: Path) -> Path:
        coded = folder / "coded.opus"
        _run("opusenc", "--quiet", "--bitrate", kbits, sound, coded)
        _run("opusdec", "--quiet", "--float", "--rate", RATE, coded, folder / "made.wav")
        return coded

    return code


def codec2(bits: int) -> Coder:
    def code(sound: Path, folder: Path) -> Path:
        raw, coded = folder / "sound.raw", folder / "coded.c2"
        raw.write_bytes(_samples(read_audio(sound, _SPEECH_HZ)[0]))
        _run("c2enc", bits, raw, coded)
        _run("c2dec", bits, coded, raw)
        made = torch.frombuffer(bytearray(raw.read_bytes()), dtype=torch.int16)
        write_audio(folder / "made.wav", made / 2**15, _SPEECH_HZ)
        return coded

    return code


def judge(
    name: str, code: Coder, sounds: Sequence[torch.Tensor], ear: Ear | None
) -> dict[str, Any]:
    """Distances and bits over all sounds."""
    pairs, bits = [], 0
    for sound in sounds:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            coded = code(write_audio(folder / "sound.wav", sound, RATE), folder)
            bits += 8 * coded.stat().st_size
            pairs.append((sound, _beside(sound, read_audio(folder / "made.wav", RATE)[0])))
    two, seven, stft = means([distances(*pair) for pair in pairs])
    seconds = sum(map(len, sounds)) / RATE
    return {
        "codec": name,
        "two-scale mel": two,
        "mel": seven,
        "STFT": stft,
        **({} if ear is None else {"ViSQOL": ear(pairs)}),
        "bit/s in the files": round(bits / seconds),
    }


def _samples(sound: torch.Tensor) -> bytes:
    whole: bytes = (sound.clamp(-1, 1) * (2**15 - 1)).to(torch.int16).numpy().tobytes()
    return whole


def _beside(sound: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """What was made, moved to where the sound is (a speech codec is late), and as long."""
    most = int(_LONGEST_LAG_S * RATE)
    size = 2 * max(len(sound), len(made)) + most
    crossed = torch.fft.irfft(torch.fft.rfft(made, size) * torch.fft.rfft(sound, size).conj(), size)
    lag = int(crossed[:most].abs().argmax())
    moved = made[lag : lag + len(sound)]
    return torch.nn.functional.pad(moved, (0, len(sound) - len(moved)))


def _run(*command: Any) -> None:
    subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--data", default="sonic_pi", help="or spoken_digits, or demo")
    options.add_argument("--visqol", action="store_true", help="also as an ear would, see ear.py")
    options.add_argument("--kbits", type=float, nargs="+", default=[6, 8, 12, 16, 24])
    arguments = options.parse_args()
    coders = {f"Opus, {kbits:g} kbit/s asked": opus(kbits) for kbits in arguments.kbits}
    coders |= {f"Codec 2, {bits} bit/s": codec2(bits) for bits in _SPEECH_BITS}
    tools = {"Opus": "opusenc", "Codec 2": "c2enc"}
    for name, tool in tools.items():
        if shutil.which(tool) is None:
            print(f"left out: {name}, as {tool} is not installed")
            coders = {of: coder for of, coder in coders.items() if not of.startswith(name)}
    with tempfile.TemporaryDirectory() as folder:
        demo = arguments.data == "demo"
        paths = make_demo_corpus(folder) if demo else recordings(arguments.data)
        sounds = held_out_sounds(held_out_split(paths)[1])
        ear = visqol() if arguments.visqol else None
        rows = [judge(name, coder, sounds, ear) for name, coder in coders.items()]
    report("Other codecs on the held-out recordings", rows, arguments.json)
    figures = {}
    for kbits, row in zip(arguments.kbits, rows, strict=False):  # Opus has the first rows
        found = [row[column] for column in QUOTED.values() if column in row]
        figures[f"opus_{kbits:g}"] = [row["bit/s in the files"] / 1e3, *found[:3]]
        figures |= {f"opus_{kbits:g}_visqol": score for score in found[3:]}
    if "Opus" in rows[0]["codec"]:
        save(arguments, figures)


if __name__ == "__main__":
    main()
