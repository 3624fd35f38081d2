"""Scanning a large corpus: 10 000 short files, against reading the same bytes and nothing else.

python benchmarks/scan.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from common import parser, report, save

from distill import AudioCorpus

RATE = 44_100


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=0.5, help="of each file")
    arguments = options.parse_args()
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.files):
            sound = random.uniform(-0.5, 0.5, int(arguments.seconds * RATE)).astype("float32")
            soundfile.write(str(Path(folder) / f"{number:05}.wav"), sound, RATE)
        began = time.perf_counter()
        for path in sorted(Path(folder).iterdir()):
            soundfile.read(str(path), dtype="float32")
        bare = time.perf_counter() - began
        began = time.perf_counter()
        corpus = AudioCorpus.scan(folder, progress=False)
        scan = time.perf_counter() - began
    assert len(corpus) == arguments.files
    row = {
        "files": arguments.files, "sound s": corpus.seconds, "scan s": scan,
        "files/s": arguments.files / scan, "x real time": corpus.seconds / scan,
        "decode only s": bare, "scan / decode": scan / bare,
    }  # fmt: skip
    report("Scan, check, hash, resample and split a corpus", [row], arguments.json)
    save(arguments, {"scan_s": scan})


if __name__ == "__main__":
    main()
