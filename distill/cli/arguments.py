"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(help="A trained model, .distill.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Where to write; default beside the input.")
]
Levels = Annotated[
    int | None, typer.Option("--levels", help="Use the first so many levels of codes alone.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Codes of the encoder alone: sooner, and a little worse.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what lies there; never what is read.")
]
