"""Looking inside a model: its atlas, a click to its sound, what its bits buy, a folder of models.

python benchmarks/analysis.py
python benchmarks/analysis.py --model choir.distill
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from common import parser, recordings, report, save

from distill import (
    AudioCorpus,
    CodebookAtlas,
    CodeParts,
    LoadedVQModel,
    ModelLibrary,
    VQVAEConfig,
    build_atlas,
    edit_metadata,
    load_model_v2,
    rate_distortion,
    train_vqvae,
)

MODELS, CLICKS, CLICK_LIMIT = 200, 100, "0.150"


def took_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def clicks(works: Sequence[Callable[[], object]]) -> tuple[float, float, float]:
    """First, median and worst of many different clicks, in seconds."""
    first, *rest = map(took_s, works)
    return first, statistics.median(rest), max(rest)


def trained(corpus: AudioCorpus, folder: Path) -> Path:
    """3 × 256 entries, learned for a moment: what follows takes the same time after an hour."""
    config = VQVAEConfig(
        stride=2, levels=3, codebook_size=256, max_steps=60, preview_every_epochs=0
    )
    return train_vqvae(config, corpus, folder / "run", "cpu").model_path


def click_rows(path: Path, sound: torch.Tensor) -> list[dict[str, Any]]:
    """Each kind of click on a model just loaded, no two on the same codes: nothing is known yet."""
    rows = []
    for kind in ("cell", "column"):
        model = load_model_v2(path)  # anew: the first click pays for what is made once
        parts = CodeParts(model, model.encode(sound, 48_000))
        works = different_clicks(parts, kind)[:CLICKS]
        first, median, worst = clicks(works)
        again, name = took_s(works[0]), f"click on a {kind}"
        rows += [
            row(f"{name}, the first", first),
            row(f"{name}, median of {len(works) - 1}", median, CLICK_LIMIT),
            row(f"{name}, the slowest", worst, CLICK_LIMIT),
            row(f"{name}, asked again", again, CLICK_LIMIT),
        ]
    return rows


def different_clicks(parts: CodeParts, kind: str) -> list[Callable[[], object]]:
    """Clicks in a grid that ask for different codes each."""
    grid = parts.codes.indices
    if kind == "column":
        steps = {tuple(column): step for step, column in enumerate(grid.T.tolist())}
        return [partial(parts.column, step) for step in steps.values()]
    places = {
        (level, code): step
        for level, codes in enumerate(grid.tolist())
        for step, code in enumerate(codes)
    }
    return [partial(parts.cell, level, step) for (level, _), step in places.items()]


def row(what: str, seconds: float, limit: str = "-") -> dict[str, Any]:
    return {"what": what, "s": seconds, "to stay below": limit}


def stretch_row(model: LoadedVQModel, sound: torch.Tensor) -> dict[str, Any]:
    parts = CodeParts(model, model.encode(sound, 48_000))
    return row(f"a row of {len(sound) / 48_000:.0f} s", took_s(lambda: parts.row(1)))


def library_rows(path: Path, folder: Path) -> list[dict[str, Any]]:
    folder.mkdir()
    for number in range(MODELS):
        (folder / f"{number:03}.distill").write_bytes(path.read_bytes())
    library: list[ModelLibrary] = []
    return [
        row(f"list {MODELS} models", took_s(lambda: library.append(ModelLibrary(folder)))),
        row(f"list {MODELS} models again", took_s(library[0].refresh)),
        row("rename one", took_s(lambda: edit_metadata(folder / "000.distill", name="renamed"))),
    ]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--model", type=Path, help="a trained one; default one of 60 steps")
    arguments = options.parse_args()
    corpus = AudioCorpus.scan(recordings(), progress=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = arguments.model or trained(corpus, folder)
        model = load_model_v2(path)
        levels, entries = model.shape
        atlas: list[CodebookAtlas] = []
        what = f"atlas of {len(corpus)} files, {corpus.seconds:.0f} s, {levels} × {entries} entries"
        taken = took_s(lambda: atlas.append(build_atlas(model, corpus, progress=False)))
        saved, sound = folder / "atlas.npz", torch.cat(corpus.waveforms)[: 60 * 48_000]
        rows = [
            row(what, taken, "30"),
            row("save it", took_s(lambda: atlas[0].save(saved))),
            row("load it", took_s(lambda: CodebookAtlas.load(saved))),
            *click_rows(path, sound),
            stretch_row(model, sound),
            row(
                "rate_distortion of all files",
                took_s(lambda: rate_distortion(model, corpus, progress=False)),
            ),
            *library_rows(path, folder / "models"),
        ]
        megabytes = saved.stat().st_size / 1e6
    report("Looking inside a model", rows, arguments.json)
    print(f"the file of the atlas: {megabytes:.1f} MB")
    save(arguments, {"atlas_s": rows[0]["s"]})


if __name__ == "__main__":
    main()
