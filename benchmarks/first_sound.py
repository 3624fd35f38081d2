"""How soon a new sound is heard in a notebook, from the press of **New sound** on.

    python benchmarks/first_sound.py [--seconds 10] [--presses 5]

A browser has a `Generator` open. Its model and prior have the sizes of a default training, and have
learned nothing: what is drawn costs the same. Beside it, how long the whole sound takes.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import torch
from common import parser, report, save

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from tests.browser.harness import Notebook, chromium, serve  # noqa: E402

CELL = """
from distill import load_model
from distill_widgets import Generator
Generator(load_model({model!r}), count=1, seconds={seconds})
"""
PRESS = """async () => {
    const pads = [...document.querySelectorAll('.distill-pad')];
    const next = 1 + Math.max(...pads.map((pad) => Number(pad.dataset.number)));
    const row = () => document.querySelector(`[data-number="${next}"] .distill-sound`)?.dataset;
    const buttons = [...document.querySelectorAll('button')];
    const began = performance.now();
    const until = (is) => new Promise((done) => {
        const look = () => is() && done(performance.now() - began);
        new MutationObserver(look).observe(document, {subtree: true, attributes: true});
    });
    const heard = until(() => row()?.status === 'playing');
    const drawn = until(() => row()?.drawn === 'true');
    buttons.find((button) => button.innerText === 'New sound').click();
    return [(await heard) / 1000, (await drawn) / 1000];
}"""


def model_file(folder: Path) -> Path:
    """A model with a prior, of the sizes that a training has that is asked for nothing else."""
    from distill import (
        ConvVQVAE,
        LoadedVQModel,
        get_adaptive_prior_config,
        get_adaptive_vqvae_config,
    )
    from distill.models.prior.model import CodePrior
    from distill.models.prior.sounds import CodedSound
    from distill.models.prior.trained import TrainedPrior, for_codec

    config = get_adaptive_vqvae_config(40, 240.0)
    module = ConvVQVAE(config)
    frames = LoadedVQModel(module).spectrogram(torch.randn(20 * config.spectrogram.sample_rate))
    module.train()(frames[None])  # the codebooks are made
    model = LoadedVQModel(module.eval())
    levels, entries = model.shape
    prior = CodePrior(get_adaptive_prior_config(config, 40, 240.0))
    sounds = (CodedSound("noise.wav", (torch.randint(0, entries, (5000, levels)).int(),)),)
    model.use_prior(
        TrainedPrior(for_codec(prior, model.codebooks), model.digest, model.name, sounds)
    )
    return model.save(folder / "sizes.distill")


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--presses", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        model = model_file(home)
        (home / "jupyter").mkdir()
        with serve(home / "jupyter") as server, chromium() as browser:
            cell = CELL.format(model=str(model), seconds=given.seconds)
            book = Notebook(server, browser, "pads.ipynb", [cell], "lab")
            book.run_all()
            book.wait_for(".distill-pads", "rows", 1)
            times = [book.page.evaluate(PRESS) for _ in range(given.presses)]
    rows = [{"heard after s": heard, "drawn after s": drawn} for heard, drawn in times]
    report(f"A new sound of {given.seconds:g} s", rows, given.json)
    heard_s, drawn_s = (statistics.median(one) for one in zip(*times, strict=True))
    print(f"median heard after {heard_s:.2f} s (at most 0.3), drawn after {drawn_s:.2f} s")
    save(given, {"heard_s": heard_s, "drawn_s": drawn_s})


if __name__ == "__main__":
    main()
