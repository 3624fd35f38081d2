"""`distill train-prior`, `generate` and `remake`. What needs torch is imported inside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from distill.cli.arguments import AsJson, Device, Model, Overwrite
from distill.cli.boundary import INTERRUPTED


def add_prior_commands(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command("train-prior")(train_prior)
    app.command()(generate)
    app.command()(remake)


def train_prior(
    model: Model,
    folder: Annotated[Path, typer.Argument(help="Your recordings: a folder, or one file.")],
    out: Annotated[
        Path | None, typer.Option(help="Run folder; default MODEL-prior beside the model.")
    ] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Stop after this many steps.")] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same steps: same prior.")] = None,
    conditions: Annotated[
        str | None,
        typer.Option(
            help="What generate can ask for: some of class,loudness,position,brightness; or none."
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="What it learns on from: base or none. Default base, where it fits."),
    ] = None,
    device: Device = "auto",
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier run in --out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn how your sounds go on, so that the model can make new ones; kept in MODEL."""
    from distill.cli.prior import conditions_of, train_prior_command

    asked = {"max_seconds": max_seconds, "max_steps": max_steps, "seed": seed}
    settings: dict[str, Any] = {name: x for name, x in asked.items() if x is not None}
    if conditions is not None:
        settings["conditions"] = conditions_of(conditions)
    result = train_prior_command(
        model, folder, out, settings,
        start=start, device=device, overwrite=overwrite, as_json=as_json,
    )  # fmt: skip
    if result.reason == "stopped":
        raise typer.Exit(INTERRUPTED)


def generate(
    model: Model,
    seconds: Annotated[float, typer.Option(help="Length of each sound.")] = 10.0,
    count: Annotated[int, typer.Option(help="How many sounds.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="Of the first; same seed, same sound. Default: by chance.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for them; default MODEL-generated beside the model.")
    ] = None,
    prompt: Annotated[
        Path | None, typer.Option(help="Go on from this sound file, or file of codes.")
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="0 takes the likeliest each time; 1 draws as was learned.")
    ] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many likeliest only.")] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Draw among the likeliest of this share only.")
    ] = None,
    novelty: Annotated[
        float, typer.Option(help="0 to 1: how short runs along your recordings are kept.")
    ] = 0.0,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Like the recordings in this folder; more than one: in turn."),
    ] = None,
    loudness: Annotated[
        str | None,
        typer.Option(help="In dB beside your recordings: -10, or from begin to end -40,0,-30."),
    ] = None,
    brightness: Annotated[
        str | None,
        typer.Option(help="Mean frequency in Hz: 800, or from begin to end 500,4000."),
    ] = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Sounds to be repeated without a seam.")
    ] = False,
    nearest: Annotated[
        bool, typer.Option("--nearest", help="Say which recording each sound is nearest to.")
    ] = False,
    overwrite: Overwrite = False,
    device: Device = "cpu",
) -> None:
    """Make sounds that never were, and say what each has copied."""
    from distill.cli.new_sounds import generate_command
    from distill.models.prior.wanted import typed_brightness, typed_levels

    drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "novelty": novelty}
    told = {
        "classes": classes or None,
        "loudness": typed_levels(loudness) if loudness else None,
        "brightness": typed_brightness(brightness) if brightness else None,
    }
    whole = generate_command(
        model,
        out,
        seconds=seconds,
        count=count,
        seed=seed,
        prompt=prompt,
        settings={**drawing, **told},
        loop=loop,
        nearest=nearest,
        overwrite=overwrite,
        device=device,
    )
    if not whole:
        raise typer.Exit(INTERRUPTED)


def remake(
    sound: Annotated[Path, typer.Argument(help="A file that distill generate made.")],
    model: Annotated[
        Path, typer.Option(help="The model that made it, or a folder in which to look for it.")
    ] = Path(),
    out: Annotated[
        Path | None, typer.Option(help="The new file; default SOUND.again.wav beside it.")
    ] = None,
    prompt: Annotated[
        Path | None, typer.Option(help="The sound file, or file of codes, that it goes on from.")
    ] = None,
    overwrite: Overwrite = False,
    device: Device = "cpu",
) -> None:
    """Make a generated sound again, to the last sample, as the recipe in its file says."""
    from distill.cli.new_sounds import remake_command

    remake_command(sound, model, out, prompt, overwrite=overwrite, device=device)
