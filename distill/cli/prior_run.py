"""The run of `distill train-prior`: begun, or taken up where an earlier one was left."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from distill.cli.boundary import echo
from distill.cli.live import TrainingDisplay
from distill.config.start import BASE
from distill.models.use.loaded import LoadedVQModel
from distill.names import printable
from distill.training.fronts import resume
from distill.training.run import states
from distill.training.run.folder import RunFolder
from distill.training.run.request import RunRequest
from distill.training.runner import TrainingRunner
from distill.training.session.result import TrainingResult
from distill.training.session.signals import stopped_by_signals

STOPPING = "Stopping after this step; the prior is kept …\n"


def result_of_earlier(
    run: Path,
    codec: LoadedVQModel,
    folder: Path,
    settings: Mapping[str, Any],
    start: str | None = None,
    *,
    as_json: bool,
) -> TrainingResult | None:
    """What an earlier run of the same command left behind; one that was broken off is resumed.

    Args:
        run: its folder.
        codec: the model whose codes are to be learned.
        folder: of the sounds.
        settings: those that were asked for.
        start: likewise; see `train_prior`.
        as_json: say nothing on the way.

    Returns:
        None where nothing is there, or anything else.

    Raises:
        DistillError: see `resume`.
    """
    place = RunFolder(run)
    if not place.is_run or not _is_same(place, codec.digest, folder, settings, start):
        return None
    state = place.read_state()
    if state not in states.ENDED:
        return None
    if state == states.FINISHED:
        _say(
            f"{printable(run)}: has learned this prior already; --overwrite learns it anew", as_json
        )
        runner = TrainingRunner.attach(run)
        try:
            return runner.wait()
        finally:
            runner.close()
    _say(f"{printable(run)}: {state}; resuming it", as_json)
    past = place.read_events()[0]
    with stopped_by_signals(STOPPING) as cancel, TrainingDisplay(past, quiet=as_json) as display:
        return resume(run, display.update, cancel, progress=not as_json)


def command_for_its_model(run: Path) -> str:
    """The command that puts what a run has learned into its model; "" for what is no prior.

    Raises:
        RunFolderError: its request cannot be read.
    """
    request = RunRequest.from_dict(RunFolder(run).read_request())
    if not request.codec:
        return ""
    source = (*request.folders, *request.sources)[0]
    places = [shlex.quote(printable(place)) for place in (source, run)]
    return f"distill train-prior MODEL {places[0]} --out {places[1]}"


def _is_same(
    place: RunFolder, codec: str, folder: Path, settings: Mapping[str, Any], start: str | None
) -> bool:
    request = RunRequest.from_dict(place.read_request())
    searched = {os.path.realpath(source) for source in (*request.folders, *request.sources)}
    return (
        request.codec == codec
        and os.path.realpath(folder) in searched
        and (start in (None, request.start.model) or (start == BASE and request.start.remark != ""))
        and all(getattr(request.config, name) == value for name, value in settings.items())
    )


def _say(text: str, as_json: bool) -> None:
    if not as_json:
        echo(text)
