"""`python -m tools.gallery`: the sounds of the site's gallery, and the page that plays them.

A model learns from four fifths of the demo corpus; of each kind of sound one that it never learned
from is shown, as it is, by the first level alone, and by all levels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import distill

PLACE = Path(__file__).resolve().parents[1] / "docs" / "gallery"
STEPS, HELD_OUT, LONGEST_S = 300, 0.2, 2.0

_HEAD = """# Gallery

Sounds that the model never learned from: a fifth of the demo corpus, held out; {steps} steps,
{bits:.0f} bit/s by all {levels} levels. A step is {step_ms:.0f} ms. Distances are explained in
[What the figures mean](../concepts/figures.md#distances). All of it is made by

```sh
python -m tools.gallery
```

| sound | original | first level, {first:.0f} bit/s | all levels, {bits:.0f} bit/s | mel (floor) |
|---|---|---|---|---|
"""
_PLAYER = '<audio controls preload="none" style="width: 9em" src="{name}"></audio>'


def main(place: Path = PLACE, steps: int = STEPS) -> None:
    """Makes sounds and page anew.

    Args:
        place: their folder.
        steps: of the training.
    """
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        distill.make_demo_corpus(Path(scratch, "sounds"))
        model, held_out = _trained(Path(scratch), steps)
        rows = [_row(model, path, place) for path in _one_of_each_kind(held_out)]
    config = model.vqvae_config
    head = _HEAD.format(
        steps=steps,
        bits=config.bits_per_second,
        first=config.bits_per_second_of(1),
        levels=config.levels,
        step_ms=1000 / config.step_rate_hz,
    )
    (place / "index.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")


def _trained(folder: Path, steps: int) -> tuple[distill.LoadedVQModel, list[Path]]:
    """The model, and the sounds that it did not learn from."""
    corpus = distill.AudioCorpus.scan(folder / "sounds")
    config = distill.get_adaptive_vqvae_config(
        len(corpus), corpus.seconds, max_steps=steps, validation_fraction=HELD_OUT
    )
    model = distill.train_vqvae(config, corpus, folder / "run", device="cpu").load()
    asked = distill.RunFolder(folder / "run").read_request()["corpus"]
    return model, [Path(sound["path"]) for sound in asked if sound["split"] == "validation"]


def _one_of_each_kind(paths: list[Path]) -> Iterator[Path]:
    """The first of each, as `bell-03`."""
    kinds: set[str] = set()
    for path in sorted(paths):
        kind = path.stem.partition("-")[0]
        if kind not in kinds:
            kinds.add(kind)
            yield path


def _row(model: distill.LoadedVQModel, path: Path, place: Path) -> str:
    """Writes a sound and what the model makes of it; a line of the table."""
    sound, rate = distill.read_audio(path)
    sound = sound[: int(LONGEST_S * rate)]
    made = {
        "original": sound,
        "first-level": model.reconstruct(sound, rate, levels=1)[0],
        "all-levels": model.reconstruct(sound, rate)[0],
    }
    frames = model.spectrogram(sound)
    floor = distill.mel_distance(sound, model.vocoder(frames, len(sound)), rate)
    far = distill.mel_distance(sound, made["all-levels"], rate)
    cells = [path.stem]
    for version, samples in made.items():
        name = f"{path.stem}-{version}.ogg"
        by = None if version == "original" else "the gallery of the site"
        distill.write_audio(place / name, samples.clamp(-1, 1), rate, made_by=by, overwrite=True)
        cells.append(_PLAYER.format(name=name))
    return f"| {' | '.join([*cells, f'{far:.2f} ({floor:.2f})'])} |"


if __name__ == "__main__":
    main()
