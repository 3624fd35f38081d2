"""Opens forged models and atlases, and lists folders that hold them: what came of each, counted.

    python benchmarks/forged_models.py                # 1 000 models of all kinds, 1 000 atlases, …
    python benchmarks/forged_models.py --count 100

Each file is wrong in one place and right in all others, its checksum included. It is opened, shown
and listed beside a good one in a process that may take 4 GB; where that dies or takes longer than a
minute for one file, it is counted and another goes on behind it.
"""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from common import Counts, counts_table, parser

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests import forged_verdicts as verdicts, forging  # noqa: E402

GOOD = ROOT / "tests" / "data" / "first_version"
LIMIT_BYTES = 4 << 30
PATIENCE_S, START_S = 60.0, 600.0
_FAULTS = {
    verdicts.FOREIGN: "foreign",
    verdicts.SILENT: "silent",
    verdicts.EXECUTED: "executed",
    verdicts.HIDDEN: "hidden",
}


def one(kind: str, number: int, folder: Path) -> list[str]:
    """Forges and tries one; returns the verdicts."""
    rng = Random(f"{kind} {number}")
    if kind == "atlas":
        path = folder / "odd.npz"
        path.write_bytes(forging.forged_atlas(rng, (GOOD / "atlas.npz").read_bytes()))
        return [verdicts.of_atlas(path)]
    path = folder / "odd.distill"
    if kind == "no file":
        forging.make_odd(rng, path)
    else:
        good = (folder / "good.distill").read_bytes()
        path.write_bytes(forging.MODELS[kind.removeprefix("model: ")](rng, good))
    try:
        opened = [] if kind == "no file" else [verdicts.of_model(path)]
        return [*opened, verdicts.of_library(folder, path)]
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


def try_all(kind: str, first: int, last: int, results: Connection) -> None:
    """Tries the files from a number to another; runs in a process of its own."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(GOOD / "finished" / "model.distill", folder / "good.distill")
        results.send((first - 1, []))  # ready: everything is imported
        for number in range(first, last):
            results.send((number, one(kind, number, folder)))


def counted(kind: str, count: int, said: Callable[[str], None]) -> Counts:
    """Everything of one kind."""
    counts, done = Counts(kind), 0
    context = multiprocessing.get_context("spawn")
    while done < count:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=try_all, args=(kind, done, count, sender))
        process.start()
        sender.close()
        done = _follow(receiver, counts, done, count, said)
        process.kill()
        process.join()
        if done < count:
            said(f"{kind} {done}: killed, or longer than {PATIENCE_S:.0f} s")
            counts.killed += 1
            counts.tried += 1
            done += 1
    return counts


def _follow(
    receiver: Connection, counts: Counts, done: int, count: int, said: Callable[[str], None]
) -> int:
    try:
        ready = receiver.poll(START_S) and receiver.recv()
        while ready and done < count and receiver.poll(PATIENCE_S):
            number, found = receiver.recv()
            done = number + 1
            counts.tried += 1
            for verdict in found:
                fault = _FAULTS.get(verdict.partition(":")[0])
                if fault:
                    said(f"{counts.kind} {number}: {verdict}")
                    setattr(counts, fault, getattr(counts, fault) + 1)
    except EOFError:
        pass
    return done


def main() -> int:
    options = parser(__doc__ or "", count=1000).parse_args()
    share = -(-options.count // len(forging.MODELS))
    kinds = {f"model: {name}": share for name in forging.MODELS}
    kinds |= {"no file": options.count // 10, "atlas": options.count}
    rows = [counted(kind, count, print) for kind, count in kinds.items() if count]
    return counts_table("Forged models and atlases", rows, options)


if __name__ == "__main__":
    sys.exit(bool(main()))
