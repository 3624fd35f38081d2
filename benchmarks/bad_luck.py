"""Full disks and power cuts, each followed by a resume that is compared with a run left in peace.

    python benchmarks/bad_luck.py --count 1000

A disk that is full: every write of a whole tiny run goes through a counter that lets so many bytes
through and no more, swept from none to all. A power cut: at any flush, rename or removal the
machine stops; of what was not flushed any part is gone: whole files, their ends, sectors in their
middle, and renames and removals from some moment on, in each folder for itself. Then room is made,
or the machine starts again, and the run is resumed: it ends as if nothing had happened, to the last
bit, or says what was lost.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import random
import shutil
import stat
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from common import parser, save

from distill import (
    AudioCorpus,
    RunFolder,
    VQVAEConfig,
    load_model_v2,
    make_demo_corpus,
    resume_vqvae,
    train_vqvae,
)
from distill.errors import DistillError
from distill.training import VQEpochMetrics, VQStepMetrics
from distill.training.run.preparation import begin_run
from distill.training.run.request import RunRequest
from distill.training.run.writer import hold_run
from distill.training.session import training_session
from distill.training.session.session import run_session

CONFIG = VQVAEConfig(
    width=8, latent_dim=4, codebook_size=8, batch_size=2, segment_frames=16, levels=2,
    encoder_depth=1, decoder_depth=1, min_steps_per_epoch=3, max_steps=7, preview_every_epochs=1,
    preview_count=1, preview_seconds=0.1, checkpoint_every_s=0.0,
)  # fmt: skip
SECTOR = 512
STEPS = 150  # to the disk, of such a run: about
_WRONG = ("foreign", "silent", "unclear")


class PowerCut(BaseException):
    """Nothing that runs afterwards reaches the disk: what was there was noted before."""


def outcome(run: Path) -> Any:
    """Weights, and every step and epoch, as numbers."""
    model = load_model_v2(run / "model.distill").model.state_dict()
    events = RunFolder(run).read_events()[0]
    steps = [(e.step, e.loss) for e in events if isinstance(e, VQStepMetrics)]
    epochs = [(e.epoch, e.val_loss) for e in events if isinstance(e, VQEpochMetrics)]
    return {name: value.tolist() for name, value in model.items()}, steps, epochs


# --- a disk that is full ----------------------------------------------------------------------


class FullDisk:
    """Lets so many bytes through; None lets all."""

    def __init__(self, room: int | None) -> None:
        self.room, self.written = room, 0

    @contextlib.contextmanager
    def in_place(self) -> Iterator[FullDisk]:
        real = os.fdopen

        def fdopen(descriptor: int, mode: str = "r", *args: Any, **options: Any) -> Any:
            file = real(descriptor, mode, *args, **options)
            return file if "r" in mode else _Limited(file, self)

        os.fdopen = fdopen  # type: ignore[assignment]
        try:
            yield self
        finally:
            os.fdopen = real

    def take(self, count: int) -> int:
        """How many of so many bytes there is room for."""
        allowed = count if self.room is None else max(0, min(count, self.room - self.written))
        self.written += allowed
        return allowed


class _Limited:
    def __init__(self, file: Any, disk: FullDisk) -> None:
        self._file, self._disk = file, disk

    def write(self, data: Any) -> int:
        data = memoryview(data).cast("B")
        allowed = self._disk.take(len(data))
        self._file.write(data[:allowed])
        if allowed < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return allowed

    def writelines(self, parts: Any) -> None:
        for part in parts:
            self.write(part)

    def __enter__(self) -> _Limited:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def fill(corpus: AudioCorpus, run: Path, room: int, expected: Any) -> str:
    """One run on a disk with so much room; what became of it."""
    story = "trained all the same"
    with FullDisk(room).in_place():
        try:
            train_vqvae(CONFIG, corpus, run, "cpu")
        except DistillError as error:
            if "No space left" not in str(error):
                return f"unclear: {error}"
            story = "ended with one story"
        except Exception as error:
            return f"foreign: {type(error).__name__}: {error}"
    return _resumed(corpus, run, expected, story)


def _resumed(corpus: AudioCorpus, run: Path, expected: Any, story: str) -> str:
    try:
        if not RunFolder(run).is_run:
            train_vqvae(CONFIG, corpus, run, "cpu")
        elif RunFolder(run).read_state() != "finished":
            resume_vqvae(run)
        model, steps, epochs = outcome(run)
    except DistillError as error:
        return f"said: {error}"
    except Exception as error:
        return f"foreign: {type(error).__name__}: {error}"
    if model != expected[0]:
        return "silent: another model"
    if (steps, epochs) == expected[1:]:
        return story
    warned = [w for w in _warnings(run) if w.kind in ("events", "disk", "checkpoint")]
    return f"{story}, and said what is missing" if warned else "silent: another history"


def _warnings(run: Path) -> list[Any]:
    return [event for event in RunFolder(run).read_events()[0] if hasattr(event, "message")]


# --- a power cut ------------------------------------------------------------------------------


Key = tuple[int, int]
"""A file: its number on the disk, and the how-manieth of that number it is."""


class Machine:
    """Knows of a folder what has reached the disk, and stops at the n-th step on its way there."""

    def __init__(self, root: Path, stops_at: int) -> None:
        self.root, self.left = root, stops_at
        self.names: dict[Path, list[dict[str, Key]]] = {}
        """Of each folder: its listings since it was flushed, the flushed one first."""
        self.flushed: dict[Key, bytes] = {}
        self.contents: dict[Key, bytes] = {}
        """As flushed, and as last seen."""
        self.stopped = False
        self._lives: dict[int, int] = {}
        self._alive: set[int] = set()
        self._lock = threading.RLock()
        self._notice(flush_all=True)

    @contextlib.contextmanager
    def in_place(self) -> Iterator[Machine]:
        watched = ("fsync", "replace", "unlink", "rename", "mkdir", "link")
        real = {name: getattr(os, name) for name in watched}
        for name, function in real.items():
            setattr(os, name, self._watched(name, function))
        try:
            yield self
        finally:
            for name, function in real.items():
                setattr(os, name, function)

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                self._notice()
                self.left -= 1
                if self.left < 0:
                    self.stopped = True
                    raise PowerCut
                result = real(*arguments, **options)
                self._notice()
                if name == "fsync":
                    self._flush(arguments[0])
                return result

        return watched

    def _notice(self, *, flush_all: bool = False) -> None:
        if self.stopped:
            return
        alive: set[int] = set()
        for folder in [self.root, *(path for path in self.root.rglob("*") if path.is_dir())]:
            listing = {}
            for item in folder.iterdir():
                inode = item.stat().st_ino
                if inode not in self._alive and inode not in alive:
                    self._lives[inode] = self._lives.get(inode, 0) + 1
                alive.add(inode)
                key = listing[item.name] = (inode, self._lives[inode])
                if item.is_file():
                    self.contents[key] = item.read_bytes()
                    if flush_all:
                        self.flushed[key] = self.contents[key]
            # A folder that is new is there once its parent was flushed, and empty.
            known = self.names.setdefault(folder, [listing if flush_all else {}])
            if known[-1] != listing:
                known.append(listing)
        self._alive = alive

    def _flush(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            for folder, listings in self.names.items():
                with contextlib.suppress(FileNotFoundError):
                    if folder.stat().st_ino == found.st_ino:
                        self.names[folder] = listings[-1:]
            return
        lives = self._lives.get(found.st_ino, 0) + (found.st_ino not in self._alive)
        key = (found.st_ino, lives)  # one without a name is to get one
        self.contents[key] = self.flushed[key] = Path(f"/proc/self/fd/{descriptor}").read_bytes()

    def after(self, dice: random.Random, place: Path) -> None:
        """Makes the folder as it may be found afterwards."""
        self._put(self.root, place, dice)

    def _put(self, folder: Path, place: Path, dice: random.Random) -> None:
        place.mkdir()
        for name, key in dice.choice(self.names[folder]).items():
            if folder / name in self.names:
                self._put(folder / name, place / name, dice)
            else:
                (place / name).write_bytes(self._found(key, dice))

    def _found(self, key: Key, dice: random.Random) -> bytes:
        old, new = self.flushed.get(key, b""), self.contents.get(key, b"")
        if old == new:
            return new
        if dice.random() < 0.2:
            return old
        data = bytearray(new[: dice.choice([len(new), dice.randint(0, len(new))])])
        data += old[len(data) :]  # never less than was flushed
        for start in range(0, len(data), SECTOR):
            if dice.random() < 0.2:
                was = old[start : start + SECTOR]
                kept = bytearray(data[start : start + SECTOR])
                kept[:] = dice.randbytes(len(kept)) if dice.random() < 0.3 else bytes(len(kept))
                kept[: len(was)] = was
                data[start : start + SECTOR] = kept
        return bytes(data)


def cut(
    corpus: AudioCorpus, home: Path, dice: random.Random, expected: Any, many: int
) -> list[str]:
    """One power cut, and so many ways in which the disk may be found."""
    run = home / "run"
    request = RunRequest.of(CONFIG, corpus, name="run", device="cpu")
    request = request.with_corpus(corpus, corpus.split(CONFIG.validation_fraction))
    begin_run(run, request.to_dict())
    machine = Machine(run, dice.randrange(STEPS))
    with machine.in_place(), contextlib.suppress(PowerCut), hold_run(run) as folder:
        run_session(folder, corpus=corpus)
    stories = []
    for number in range(many):
        found = home / f"found-{number}"
        machine.after(dice, found)
        stories.append(_resumed(corpus, found, expected, "as if nothing had happened"))
        shutil.rmtree(found)
    shutil.rmtree(run)
    return stories


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--count", type=int, default=1000, help="power cuts")
    options.add_argument("--full", type=int, default=200, help="amounts of room")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    logging.disable()
    threading.excepthook = lambda _: None  # the trainer's other thread is cut as well
    training_session._WAITS_FOR_ROOM_S = 0.0
    dice = random.Random(arguments.seed)
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        sounds = [path for path in make_demo_corpus(home / "sounds") if "drum" in path.name][:4]
        corpus = AudioCorpus.scan(sounds, progress=False)
        with FullDisk(None).in_place() as disk:
            train_vqvae(CONFIG, corpus, home / "peace", "cpu")
        expected = outcome(home / "peace")
        full: Counter[str] = Counter()
        for number in range(arguments.full):
            room = int(disk.written * number / arguments.full) + dice.randint(0, 64)
            full[fill(corpus, home / "full", room, expected)] += 1
            shutil.rmtree(home / "full", ignore_errors=True)
        bad += report_stories(
            f"{arguments.full} disks with room for 0 to {disk.written:,} bytes", full
        )
        cuts: Counter[str] = Counter()
        while sum(cuts.values()) < arguments.count:
            many = min(3, arguments.count - sum(cuts.values()))
            cuts.update(cut(corpus, home, dice, expected, many))
        bad += report_stories(f"{arguments.count} power cuts", cuts)
    untouched = cuts["as if nothing had happened"]
    wrong = [sum(wrong_ones(stories).values()) for stories in (full, cuts)]
    save(arguments, {
        "disks": arguments.full, "disks_wrong": wrong[0],
        "cuts": arguments.count, "cuts_untouched": untouched, "cuts_wrong": wrong[1],
        "cuts_said": arguments.count - untouched - wrong[1],
    })  # fmt: skip
    sys.exit(1 if bad else 0)


def wrong_ones(stories: Counter[str]) -> Counter[str]:
    """What must not have happened."""
    return Counter({s: n for s, n in stories.items() if s.startswith(_WRONG)})


def report_stories(title: str, stories: Counter[str]) -> int:
    """Prints what happened how often; how much of it must not have."""
    wrong = wrong_ones(stories)
    print(title)
    for story, count in stories.most_common():
        print(f"  {count:6}  {story}")
    counts = [sum(n for s, n in wrong.items() if s.startswith(kind)) for kind in _WRONG]
    print("  foreign exceptions {}, silent {}, unclear {}".format(*counts))
    return sum(counts)


if __name__ == "__main__":
    main()
