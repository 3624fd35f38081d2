"""Reads odd sounds and folders of any shape: is every sample used, or is it said what is not.

    python benchmarks/odd_sounds.py                # 10 000 sounds, 1 000 folders
    python benchmarks/odd_sounds.py --count 500    # 500 sounds, 50 folders

Each sound is decoded as a corpus decodes it, in a process of its own memory limit; a process that
dies is counted, and another goes on behind it. A part-read is silent where fewer samples are used
than the file holds, and neither a refusal nor a note says so.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from common import Counts, counts_table, parser

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from hypothesis import HealthCheck, Phase, given, settings

from distill.audio.corpus import AudioCorpus, Refusal
from distill.audio.corpus_decoder import Keeper
from distill.errors import CorpusError, DistillError
from tests.audio.mutations import (
    KINDS,
    MUTATIONS,
    RATE,
    chirp,
    encoded,
    mutant,
)
from tests.audio.trees import TREES, make_tree

LIMIT_BYTES = 4 << 30
PATIENCE_S = 120.0


def decode_all(first: int, last: int, results: Connection) -> None:
    """Decodes the mutants from a number to another; runs in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    torch.set_num_threads(1)
    originals = {kind: encoded(kind, chirp()) for kind in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "odd.wav"
        keeper = Keeper(RATE, 1 << 40, Path(folder))
        for number in range(first, last):
            odd = mutant(number, originals)
            path.write_bytes(odd.data)
            results.send((number, odd.how, _verdict(keeper, path, odd.least_frames)))


def _verdict(keeper: Keeper, path: Path, least: int) -> str:
    try:
        result = keeper.load(path)
    except DistillError as error:
        return f"foreign: {error}"  # a scan would end
    except Exception as error:
        return f"foreign: {type(error).__name__}: {error}"
    if isinstance(result, Refusal):
        return "refused" if result.reason.isprintable() else f"foreign: {result.reason!r}"
    file, waveform = result
    if (
        (file.sample_rate, file.channels) == (RATE, 1)
        and len(waveform) < 0.98 * least
        and not file.notes
    ):
        return f"silent: {len(waveform)} of {least}"
    return "noted" if file.notes else "used"


def sounds(count: int) -> list[Counts]:
    rows = {how: Counts(how) for how in MUTATIONS}
    context = multiprocessing.get_context("spawn")
    number = 0
    while number < count:
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=decode_all, args=(number, count, send))
        process.start()
        send.close()
        try:
            while receive.poll(PATIENCE_S):
                number, how, verdict = receive.recv()
                rows[how].tried += 1
                rows[how].foreign += verdict.startswith("foreign")
                rows[how].silent += verdict.startswith("silent")
                if ":" in verdict:
                    print(f"{number} ({KINDS[number % len(KINDS)]}, {how}): {verdict}")
                number += 1
            process.kill()
        except EOFError:
            pass
        process.join()
        if number < count:
            how = list(MUTATIONS)[number // len(KINDS) % len(MUTATIONS)]
            rows[how].killed += 1
            print(f"{number} ({KINDS[number % len(KINDS)]}, {how}): killed")
            number += 1
    return list(rows.values())


def trees(count: int) -> Counts:
    row = Counts("trees of folders")

    @settings(
        max_examples=count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), derandomize=True,
    )  # fmt: skip
    @given(TREES)
    def scan(tree: object) -> None:
        row.tried += 1
        with tempfile.TemporaryDirectory() as folder:
            expected = make_tree(Path(folder), tree)
            try:
                corpus = AudioCorpus.scan(folder, sample_rate=RATE, progress=False, workers=1)
                said = len(corpus) + len(corpus.refusals)
                shown = f"{corpus!r}{corpus._repr_html_()}"
            except CorpusError as error:
                said, shown = expected, str(error)
            except Exception as error:
                row.foreign += 1
                print(f"tree: {type(error).__name__}: {error}")
                return
            shown.encode("utf-8")
            if said != expected:
                row.silent += 1
                print(f"tree: {said} files used or refused, {expected} are there: {tree}")

    scan()
    return row


def main() -> None:
    options = parser(__doc__ or "", count=10_000)
    asked = options.parse_args()
    began = time.perf_counter()
    rows = [*sounds(asked.count), trees(max(1, asked.count // 10))]
    print(f"{time.perf_counter() - began:.0f} s")
    sys.exit(bool(counts_table("Odd sounds", rows, asked)))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
