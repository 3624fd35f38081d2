"""Makes the base model that the package ships, from nothing.

    apt-get install fluidsynth fluid-soundfont-gm musescore-general-soundfont flite
    python -m tools.base                          # material, training, file and report
    python -m tools.base --stride 2 --levels 3 --work OTHER  # the base of the finer presets
    python -m tools.base --seconds 60 --steps 20  # a moment's try
    python -m tools.base --pack                   # the file from the last checkpoint, as it stands
    python -m tools.base --background distill/data/base.distill  # its background alone

Killed or stopped, the same command continues: at the clip, or at the last checkpoint. To ship what
it made, put `base-STEPS.distill` into `distill/data` as `base.distill`, or as `base-fine.distill`,
and its background, `base-STEPS-background.distill`, as `base-background.distill`, or
`base-fine-background.distill`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import platformdirs
import torch

from distill.config import VQVAEConfig
from tools.base.background import make_background
from tools.base.learning import CHECKPOINT, TrainingPlan, read_checkpoint
from tools.base.make import finish, make_base, make_learner, make_sounds
from tools.base.material import plan

_CODEBOOK_SIZE = 1024
"""Four times what a user has by default: codebooks made for some sounds fit these better than any
that are made for all, so the decoder has to learn from codes as fine as theirs will be."""


def _options() -> argparse.ArgumentParser:
    default = TrainingPlan()
    work = Path(platformdirs.user_cache_dir("distill-base"))
    model = VQVAEConfig()
    options = argparse.ArgumentParser(
        prog="python -m tools.base",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--work", type=Path, default=work, help=f"folder of it all ({work})")
    options.add_argument("--seconds", type=float, default=7200.0, help="of material (%(default)s)")
    options.add_argument("--steps", type=int, default=default.steps, help="(%(default)s)")
    options.add_argument("--seed", type=int, default=default.seed, help="(%(default)s)")
    for name in ("stride", "levels"):
        options.add_argument(
            f"--{name}", type=int, default=getattr(model, name), help="(%(default)s)"
        )
    options.add_argument(
        "--falling-share",
        type=float,
        default=default.falling_share,
        help="last part of the steps, with a falling learning rate (%(default)s)",
    )
    options.add_argument(
        "--bfloat16", action="store_true", help="faster on processors with bfloat16 instructions"
    )
    options.add_argument(
        "--background", type=Path, metavar="BASE", help="no training: writes that of a base"
    )
    options.add_argument(
        "--pack", action="store_true", help="no training: writes the last checkpoint's base"
    )
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 0 where all went well."""
    options = _options().parse_args(arguments)
    torch.set_num_threads(1)  # the same sums in the same order on every machine
    training = TrainingPlan(
        steps=options.steps,
        seed=options.seed,
        falling_share=options.falling_share,
        bfloat16=options.bfloat16,
    )
    config = VQVAEConfig(codebook_size=_CODEBOOK_SIZE, stride=options.stride, levels=options.levels)
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        clips = plan(options.seconds, options.seed)
        if options.background:
            path = options.background
        elif options.pack:
            learner = make_learner(options.work / "material", clips, config, training)
            learner.load_state_dict(read_checkpoint(options.work / CHECKPOINT))
            path = finish(options.work, learner, clips)
        else:
            path = make_base(
                options.work, seconds=options.seconds, config=config, training=training
            )
        sounds_in = make_sounds(options.work, clips)
        background = make_background(path, sounds_in, clips, options.seed)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{path}\n{background}\n")
    if not options.background:
        sys.stdout.write(f"{options.work / 'report.md'}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
