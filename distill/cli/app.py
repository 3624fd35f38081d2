"""The commands. What needs torch is imported inside them: `--help` answers at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from distill.cli.arguments import AsJson, Device, Levels, Model, Out, Overwrite, Quick
from distill.cli.boundary import INTERRUPTED, SOME_FAILED, echo, echo_json, refuse_empty_words, run
from distill.cli.prior_commands import add_prior_commands
from distill.config.fields import range_of
from distill.config.start import DEFAULT_START
from distill.config.vqvae import VQVAEConfig
from distill.errors import ConfigError
from distill.family import VQVAE, family as family_named
from distill.threads import spin_at_first
from distill.time_slices import take_short_turns
from distill.training.engine.waiting import FairWaiting

_LEVELS, _ENTRIES = (range_of(VQVAEConfig, name) for name in ("levels", "codebook_size"))
_PRESETS = ", ".join(VQVAEConfig.presets)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train a small neural codec on your own recordings.",
    epilog="Exit codes: 0 done; 1 a fault of distill itself; 2 something you gave cannot be used; "
    "3 training failed; 4 some files of several could not be used; 130 interrupted, the model is "
    "kept; 141 nobody reads what it prints.",
)


def main() -> None:
    """Runs the command line; every error becomes a line on stderr and an exit code."""
    spin_at_first()
    take_short_turns()
    with FairWaiting():
        code = run(_invoke)
    sys.exit(code)


def _invoke() -> None:
    # Not `app()`: typer would print tracebacks, and end with 1 what the user interrupts.
    refuse_empty_words(sys.argv[1:])
    command = typer.main.get_command(app)
    with command.make_context("distill", sys.argv[1:]) as context:
        command.invoke(context)


@app.command()
def train(
    folder: Annotated[
        Path | None, typer.Argument(help="Your recordings: a folder, or one file.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder, made if missing; gets model.distill.")
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="Kind of model: vqvae (the default) or vae.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"From few bits a second to many: {_PRESETS}; other options win."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Resume this run; a budget beside it is its new one.")
    ] = None,
    sounds: Annotated[
        Path | None, typer.Option(help="With --resume: where the run's sounds are now.")
    ] = None,
    new_sounds: Annotated[
        bool, typer.Option("--new-sounds", help="With --resume: learn from new files, too.")
    ] = False,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Stop after this many epochs.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Stop after this many steps.")] = None,
    rvq_levels: Annotated[int | None, typer.Option(help=f"Levels of codes, {_LEVELS}.")] = None,
    codebook_size: Annotated[int | None, typer.Option(help=f"Entries a level, {_ENTRIES}.")] = None,
    commitment_weight: Annotated[
        float | None,
        typer.Option(help="How hard sounds are held to their codes, if not from base."),
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="Default: the run folder's name.")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto (the default), cpu, cuda, cuda:1 or mps.")
    ] = None,
    devices: Annotated[
        int | None, typer.Option(help="Train on so many GPUs, or CPU processes, together.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help=f"What to learn on from: base, none, or a model of yours; default {DEFAULT_START}."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same epochs: same model.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run in --out.")] = False,
    prepare: Annotated[
        bool, typer.Option(help="Write the run folder only, for torchrun to train it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on a folder of recordings, or resume a run."""
    from distill.cli.training import prepare_command, resume_command, train_command

    budget = {"max_seconds": max_seconds, "max_epochs": epochs, "max_steps": max_steps}
    model = {
        "levels": rvq_levels,
        "codebook_size": codebook_size,
        "commitment_weight": commitment_weight,
        "seed": seed,
    }
    settings = {name: value for name, value in (budget | model).items() if value is not None}
    if resume is not None:
        fixed = [folder, out, preset, model_name, device, start, *model.values()]
        if any(value is not None for value in fixed) or overwrite:
            raise ConfigError(
                "--resume goes with --max-seconds, --epochs, --max-steps and --json, and with "
                "--family, --devices, --sounds and --new-sounds, alone"
            )
        where = {"sounds": sounds, "new_sounds": new_sounds, "devices": devices}
        result = resume_command(resume, settings | where, as_json=as_json, kind=family)
    elif sounds is not None or new_sounds:
        raise ConfigError("--sounds and --new-sounds go with --resume RUN")
    elif folder is None or out is None:
        raise ConfigError(
            "name a FOLDER of recordings and a run folder with --out, or --resume RUN"
        )
    else:
        device, family = device or "auto", family or VQVAE
        if preset is not None:
            settings = {**family_named(family).config.preset(preset), **settings}
        if prepare:
            prepare_command(
                folder,
                out,
                settings,
                kind=family,
                model_name=model_name,
                device=device,
                overwrite=overwrite,
                devices=2 if devices is None else devices,
                start=start,
            )
            return
        result = train_command(
            folder,
            out,
            settings,
            kind=family,
            model_name=model_name,
            device=device,
            overwrite=overwrite,
            as_json=as_json,
            devices=1 if devices is None else devices,
            start=start,
        )
    if result.reason == "stopped":
        raise typer.Exit(INTERRUPTED)


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(help="A folder of run folders.")],
    as_json: AsJson = False,
) -> None:
    """Show what is running, paused, finished, stopped, failed or gone."""
    from distill.names import path_to_text
    from distill.training.run.runs import list_runs

    found = list_runs(folder)
    if as_json:
        rows = [{**run.__dict__, "path": path_to_text(run.path)} for run in found]
        echo_json(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        echo(repr(found))


@app.command()
def stop(
    run: Annotated[Path, typer.Argument(help="The folder of a run that is training.")],
    now: Annotated[bool, typer.Option(help="Do not validate; keep the best so far.")] = False,
) -> None:
    """Ask a run to stop and keep its model, and wait until it has."""
    from distill.cli.training import stop_command

    echo(stop_command(run, now=now))


@app.command()
def info(model: Model, as_json: AsJson = False) -> None:
    """Say what a model is, from its header alone."""
    from distill.cli.info import describe

    (echo_json if as_json else echo)(describe(model, as_json=as_json))


@app.command()
def encode(
    model: Model,
    sounds: Annotated[Path, typer.Argument(help="A sound file, or a folder of them.")],
    out: Out = None,
    levels: Levels = None,
    quick: Quick = False,
    overwrite: Overwrite = False,
    device: Device = "cpu",
) -> None:
    """Turn sounds into codes (kick.wav into kick.wav.npz, readable by NumPy)."""
    _each_file(
        "encode", model, sounds, out, device, levels=levels, quick=quick, overwrite=overwrite
    )


@app.command()
def decode(
    model: Model,
    codes: Annotated[Path, typer.Argument(help="A file of codes (.npz), or a folder of them.")],
    out: Out = None,
    levels: Levels = None,
    overwrite: Overwrite = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also codes that another model made.")
    ] = False,
    device: Device = "cpu",
) -> None:
    """Turn codes into sounds (kick.wav.npz into kick.reconstruction.wav)."""
    _each_file("decode", model, codes, out, device, levels=levels, overwrite=overwrite, force=force)


@app.command()
def reconstruct(
    model: Model,
    sounds: Annotated[Path, typer.Argument(help="A sound file, or a folder of them.")],
    out: Out = None,
    levels: Levels = None,
    quick: Quick = False,
    overwrite: Overwrite = False,
    device: Device = "cpu",
) -> None:
    """Send sounds through the codes and back, to hear what the model keeps (.wav)."""
    _each_file(
        "reconstruct", model, sounds, out, device, levels=levels, quick=quick, overwrite=overwrite
    )


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for sounds, run and results.")] = Path(
        "distill-demo"
    ),
    max_seconds: Annotated[float, typer.Option(help="Time to train.")] = 30.0,
    device: Device = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier demo in --out.")
    ] = False,
) -> None:
    """Make 40 sounds, train on them, and reconstruct some: the whole way in a minute."""
    from distill.cli.training import demo_command

    result = demo_command(out, max_seconds, device, overwrite=overwrite)
    if result.reason == "stopped":
        raise typer.Exit(INTERRUPTED)


@app.command()
def cache(
    clear: Annotated[bool, typer.Option(help="Delete what is there.")] = False,
) -> None:
    """Show, or clear, the folder large corpora are memory-mapped from."""
    from distill.audio.cache import audio_cache_dir, audio_cache_size, clear_audio_cache
    from distill.names import printable

    folder = audio_cache_dir()
    if clear:
        echo(f"{printable(folder)}: {clear_audio_cache() / 1e6:.1f} MB set free")
    else:
        echo(f"{printable(folder)}: {audio_cache_size() / 1e6:.1f} MB")


def _each_file(
    kind: str, model: Path, source: Path, out: Path | None, device: str, **options: Any
) -> None:
    from distill.cli.files import Options, convert

    failed = convert(kind, model, source, out, device, Options(**options))
    if failed:
        raise typer.Exit(SOME_FAILED)


add_prior_commands(app)

if __name__ == "__main__":
    main()
