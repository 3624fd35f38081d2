"""How much memory a sound takes, by its length: encode, decode and reconstruct from file to file.

Each in a process of its own; what it holds before it begins (torch, the model) is subtracted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import parser, report, save

_RATE = 44_100
_WORK = """
import resource, sys
from distill import load_model_v2, read_audio
model = load_model_v2(sys.argv[1])
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
# What libraries load at first use:
model.reconstruct_file(sys.argv[3], sys.argv[4] + ".first.wav", overwrite=True)
before = peak()
kind, sound, out = sys.argv[2], sys.argv[5], sys.argv[4]
if kind == "encode": model.encode_file(sound).save(out + ".npz")
if kind == "decode": model.decode_file(out + ".npz", out + ".made.wav")
if kind == "reconstruct": model.reconstruct_file(sound, out + ".re.wav")
if kind == "whole": model.reconstruct(*read_audio(sound))
print(before, peak())
"""


def make_sound(path: Path, seconds: int) -> Path:
    random = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", _RATE, 2, "PCM_16") as file:
        for _ in range(seconds):
            file.write(0.2 * random.standard_normal((_RATE, 2)))
    return path


def make_model(path: Path) -> Path:
    import torch

    from distill import ConvVQVAE, VQVAEConfig, save_model_v2

    torch.manual_seed(0)
    model = ConvVQVAE(VQVAEConfig())
    model.initialise(torch.randn(1, model.config.spectrogram.n_mels, 2000))
    return save_model_v2(path, model.eval())


def peak_mb(arguments: list[object]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _WORK, *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    before, after = map(int, done.stdout.split())
    unit = 1 if sys.platform == "darwin" else 1024
    return (after - before) * unit / 1e6


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--minutes", type=int, nargs="+", default=[5, 20, 60])
    options.add_argument("--whole", action="store_true", help="also whole in memory, to compare")
    chosen = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        model, first = make_model(home / "m.distill"), make_sound(home / "first.wav", 30)
        for minutes in chosen.minutes:
            sound = make_sound(home / f"{minutes}.wav", 60 * minutes)
            kinds = ["encode", "decode", "reconstruct", *(["whole"] if chosen.whole else [])]
            row: dict[str, object] = {
                "minutes": minutes, "as float32 stereo, MB": 8 * _RATE * 60 * minutes / 1e6
            }  # fmt: skip
            for kind in kinds:
                row[f"{kind}, MB more"] = peak_mb([model, kind, first, home / str(minutes), sound])
            rows.append(row)
    report("Memory beyond torch and the model", rows, chosen.json)
    longest = [value for name, value in rows[-1].items() if name.endswith(", MB more")]
    save(chosen, {"longest_mb": longest})


if __name__ == "__main__":
    main()
