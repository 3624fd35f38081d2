"""What more recordings are worth to a prior: 1, 10 and 100 minutes of the same kinds of sound.

python benchmarks/prior_sizes.py
python benchmarks/prior_sizes.py --minutes 1 10 --steps 300 --samples 3

The demo corpus is made once for each minute, of other random numbers each time: strings, bells,
drums, breath and vowels that are alike and never the same. One codec (3 levels of 256 entries),
trained on the first minute, encodes them all; every prior starts from the base, makes as many
steps, and is judged on a minute that none of them saw.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from common import parser, report, save
from prior import bits_of_prior, counted, figure
from prior_samples import sample_rows

from distill import (
    AudioCorpus,
    LoadedVQModel,
    get_adaptive_prior_config,
    get_adaptive_vqvae_config,
    load_model_v2,
    make_demo_corpus,
    train_prior,
    train_vqvae,
)
from distill.models.prior.corpus import CodeCorpus, coded
from distill.models.prior.sounds import CodedSound

_JUDGED_SEED = 10_000
_SHOWN = ("what", "steps", "bits a step")


def kinds_of(folder: Path, seeds: range) -> AudioCorpus:
    """A minute of sound for each seed, the same kinds in the same folders."""
    for seed in seeds:
        for path in make_demo_corpus(folder / f"{seed:05}", seed=seed):
            kind = folder / path.name.partition("-")[0]
            kind.mkdir(exist_ok=True)
            path.rename(kind / f"{seed:05}-{path.name}")
        (folder / f"{seed:05}").rmdir()
    return AudioCorpus.scan(folder, progress=False)


def rows_of(
    codec: LoadedVQModel,
    corpus: AudioCorpus,
    judged: tuple[CodedSound, ...],
    run: Path,
    options: Any,
) -> tuple[list[dict[str, Any]], float]:
    """What counting and a prior make of a corpus; and how many new sounds of 100 are copies."""
    settings = get_adaptive_prior_config(
        codec.config, len(corpus), corpus.seconds,
        max_steps=options.steps, preview_every_epochs=0, conditions=(),
    )  # fmt: skip
    began = time.perf_counter()
    codes = CodeCorpus.encode(codec, corpus, copies=settings.copies, progress=False)
    encoded_s = time.perf_counter() - began
    began = time.perf_counter()
    model = train_prior(codec, codes, run, settings, "cpu").load()
    took_s = time.perf_counter() - began
    rows = counted(codec, codes.sounds, judged)
    bits = bits_of_prior(model.prior, judged)
    rows.append({"what": "prior", "steps": options.steps, "bits a step": sum(bits)})
    shown = [{name: of.get(name, 0) for name in _SHOWN} for of in rows]
    made = sample_rows(model, judged, options.samples, {"temperature 1": {}})
    title = f"{len(corpus)} recordings, {corpus.seconds / 60:.1f} min"
    copies = f"encoded with {settings.copies} copies of each in {encoded_s:.0f} s"
    report(f"{title}; {copies}, learned for {took_s:.0f} s", shown)
    report(f"{options.samples} samples of 30 s", made)
    return rows, float(made[-1]["% copies"])


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--minutes", type=int, nargs="+", default=[1, 10, 100])
    options.add_argument("--steps", type=int, default=800)
    options.add_argument("--codec-steps", type=int, default=200)
    options.add_argument("--samples", type=int, default=10)
    arguments = options.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = kinds_of(folder / "first", range(1))
        config = get_adaptive_vqvae_config(
            len(first), first.seconds, stride=2, levels=3, codebook_size=256,
            max_steps=arguments.codec_steps, preview_every_epochs=0,
        )  # fmt: skip
        codec = load_model_v2(train_vqvae(config, first, folder / "codec", "cpu").model_path)
        held_out = kinds_of(folder / "judged", range(_JUDGED_SEED, _JUDGED_SEED + 1))
        judged = coded(codec, held_out.waveforms, [x.path.name for x in held_out.files], 0)
        for minutes in arguments.minutes:
            corpus = kinds_of(folder / f"{minutes}", range(minutes))
            run = folder / f"prior-{minutes}"
            rows, copies = rows_of(codec, corpus, judged, run, arguments)
            figures |= {f"{figure(of)}_of_{minutes}": of["bits a step"] for of in rows}
            figures[f"copies_of_{minutes}"] = copies
    save(arguments, figures)


if __name__ == "__main__":
    main()
