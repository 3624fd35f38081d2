"""What `distill generate` and `distill remake` do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distill.analysis.library.remake import maker_of
from distill.analysis.sound.nearest import Neighbours
from distill.arrays import as_count
from distill.cli.boundary import echo
from distill.cli.outputs import Outputs
from distill.cli.prior import beside
from distill.errors import ConfigError, OutputExistsError
from distill.models.use.drawn import checked_seconds, checked_seed
from distill.models.use.loaded import LoadedVQModel
from distill.models.use.loading import load_model_v2
from distill.names import printable
from distill.training.session.signals import StopSignals, stopped_by_signals
from distill.words import duration

_MOST_SOUNDS = 10_000
_STOPPING = (
    "Ending here; what is drawn so far becomes a file. Again: only what is sound already …\n"
)


def generate_command(
    model_path: Path,
    out: Path | None,
    *,
    seconds: float,
    count: int,
    seed: int | None,
    prompt: Path | None,
    settings: dict[str, Any],
    loop: bool,
    overwrite: bool,
    device: str,
    nearest: bool = False,
) -> bool:
    """Makes sounds, each in a file named by its seed, and says what it shares with recordings.

    Args:
        model_path: a `.distill` file with a prior.
        out: folder of the sounds; default beside the model.
        seconds: of each.
        count: how many.
        seed: of the first; the others follow.
        prompt: a file to go on from.
        settings: temperature, top_k, top_p, novelty, classes, loudness, brightness.
        loop: sounds that can be repeated without a seam.
        overwrite: replace what lies there.
        device: where the model decodes.
        nearest: say of each which recording it is nearest to.

    Returns:
        Whether all of them were made; False where a signal ended that.

    Raises:
        OutputExistsError: a file is there that this command did not make, or in place of the
            folder.
        DistillError: see `generate_file`.
    """
    number = as_count(count, "count", _MOST_SOUNDS, error=ConfigError)
    checked_seconds(seconds)
    first = checked_seed(seed, count=number)
    folder = out or beside(model_path, "generated")
    if folder.exists() and not folder.is_dir():
        raise OutputExistsError(f"{printable(folder)}: a file; name a folder for the sounds")
    model = load_model_v2(model_path, device=device)
    beginning = None if prompt is None else model.read_prompt(prompt)
    length = None if loop else seconds
    model.generate_steps(seconds=length, prompt=beginning, seed=first, **settings)  # checks them
    folder.mkdir(parents=True, exist_ok=True)
    outputs = Outputs([model_path, *([prompt] if prompt else [])], overwrite=overwrite)
    paths = {
        one: outputs.claim(folder / f"{model_path.stem}-{one:04}.wav", model_path)
        for one in range(first, first + number)
    }
    neighbours = Neighbours(model) if nearest else None
    with stopped_by_signals(_STOPPING) as signals:
        asked = {"prompt": beginning, "loop": loop, "overwrite": overwrite, **settings}
        return _make(model, paths, seconds, signals, neighbours, asked)


def _make(
    model: LoadedVQModel,
    paths: dict[int, Path],
    seconds: float,
    signals: StopSignals,
    neighbours: Neighbours | None,
    asked: dict[str, Any],
) -> bool:
    stops = _Stops(signals)
    for seed, path in paths.items():
        if signals.is_set():
            return False
        codes = model.generate_file(
            path, seconds, seed=seed, progress=True, stop=stops.next_one, **asked
        )
        echo(printable(path))
        if stops.used and codes.seconds < seconds and not asked["loop"]:
            echo(f"  interrupted: the first {duration(codes.seconds)} of {duration(seconds)}")
        echo(f"  {model.prior.shared_run(codes)}")
        if neighbours is not None:
            echo(f"  {neighbours.nearest(codes)}")
    return not signals.is_set()


class _Stops:
    """Each signal ends what is being done at the time: drawing codes, or making sound of them.

    After those of a system that may kill next, a few seconds end it, too.
    """

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals
        self.used = 0

    def next_one(self) -> bool:
        """Whether another one came, or no time is left."""
        came = len(self._signals.numbers) > self.used
        self.used += came
        return came or (self._signals.want_now and not self._signals.from_a_person)


def remake_command(
    sound: Path,
    models: Path,
    out: Path | None,
    prompt: Path | None,
    *,
    overwrite: bool,
    device: str,
) -> None:
    """Makes a generated sound once more, as its recipe says.

    Args:
        sound: the generated file.
        models: the model that made it, or a folder below which it lies.
        out: the new file; default beside the first.
        prompt: what the sound goes on from.
        overwrite: replace what lies there.
        device: where the model decodes.

    Raises:
        OutputExistsError: a file is there that this program did not make.
        DistillError: see `remake`.
    """
    inputs: Iterable[Path] = [path for path in (sound, prompt, models) if path is not None]
    target = out or sound.with_name(f"{sound.stem}.again{sound.suffix}")
    path = Outputs(inputs, overwrite=overwrite).claim(target, sound)
    model = maker_of(sound, models, device=device)
    model.remake_file(sound, path, prompt=prompt, overwrite=overwrite, progress=True)
    echo(f"{printable(path)}: as {printable(sound.name)} says it was made")
