"""The sounds of a run: read, found anew, and told from those that have come since."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import cast

from distill.audio.corpus import AudioCorpus, Source, find_files
from distill.audio.decoded_sounds import DecodedSounds
from distill.audio.io import is_reconstruction
from distill.errors import AudioFileError, CorpusError
from distill.training.run.request import RunRequest, some_of
from distill.training.session.signals import Cancel


def with_new_sounds(request: RunRequest, *, progress: bool = False) -> RunRequest:
    """The same request, with the sounds that have come to its places since; see `new_sounds`.

    Raises:
        CorpusError: see `read_corpus`.
    """
    before = read_corpus(request, progress=progress)
    found = new_sounds(request)
    if not found:
        return request
    paths = [*(file.path for file in before.files), *found]
    corpus = AudioCorpus.scan(paths, sample_rate=before.sample_rate, progress=progress)
    return request.with_corpus(corpus, corpus.split(request.config.validation_fraction))


def new_sounds(request: RunRequest) -> list[Path]:
    """Sound files that have come to its folders since it began; they are no part of the run."""
    known = {entry.path for entry in request.corpus} | {*request.left_out, *request.sources}
    places = [place for place in (*request.sources, *request.folders) if Path(place).is_dir()]
    new: dict[Path, None] = {}
    for place in places:
        try:
            paths, _ = find_files(place)
        except CorpusError:
            continue
        new.update(dict.fromkeys(path for path in paths if str(path) not in known))
    return [path for path in new if not _is_made_by_us(path)]


def about_new_sounds(request: RunRequest) -> str:
    """One sentence about `new_sounds`; empty where there are none."""
    new = [str(path) for path in new_sounds(request)]
    if not new:
        return ""
    files = "1 new file is" if len(new) == 1 else f"{len(new)} new files are"
    return (
        f"{files} not part of this run ({some_of(new)}): to learn from them too, stop it and "
        "resume(..., new_sounds=True), or on the command line --new-sounds"
    )


def read_corpus(
    request: RunRequest,
    *,
    progress: bool,
    last_host: str = "",
    cancel: Cancel | None = None,
    decoded: DecodedSounds | None = None,
) -> AudioCorpus:
    """Reads the sounds: whatever is at `sources` the first time, the same again later.

    Args:
        request: of the run.
        progress: shows a bar.
        last_host: see `RunRequest.is_ours`.
        cancel: once set, reading ends.
        decoded: what another process has decoded of them.

    Raises:
        CorpusError: the request comes from elsewhere; nothing usable; or a sound is missing, or
            is another than it was.
    """
    request.check_ours(last_host)
    rate = request.sample_rate
    if not request.corpus:
        return AudioCorpus.scan(
            request.sources,
            sample_rate=rate,
            progress=progress,
            cancel_event=_event(cancel),
            decoded=decoded,
        )
    missing = [entry.path for entry in request.corpus if not Path(entry.path).is_file()]
    if missing:
        raise CorpusError(
            f"{some_of(missing)}: missing since the run began; put back what is missing, or say "
            "where the sounds are now: resume(..., sounds=FOLDER), or on the command line "
            "--sounds FOLDER"
        )
    paths = [entry.path for entry in request.corpus]
    corpus = AudioCorpus.scan(
        paths, sample_rate=rate, progress=progress, cancel_event=_event(cancel), decoded=decoded
    )
    found = {str(file.path): file.sha256 for file in corpus.files}
    changed = [entry.path for entry in request.corpus if found.get(entry.path) != entry.sha256]
    if changed:
        raise CorpusError(
            f"{some_of(changed)}: not the sound it was when the run began; put the old file "
            "back, or start a new run"
        )
    return corpus


def check_source(source: Source | AudioCorpus) -> None:
    """Whether there is any file to look at, before a trainer is started for it.

    Raises:
        CorpusError: a place that does not exist, or holds no file.
    """
    if isinstance(source, AudioCorpus):
        find_files(file.path for file in source.files)
    else:
        found, _ = find_files(source)
        if not found:
            AudioCorpus.scan(source, progress=False)  # raises the message people know


def _is_made_by_us(path: Path) -> bool:
    try:
        return is_reconstruction(path)
    except AudioFileError:  # reading it says why
        return False


def _event(cancel: Cancel | None) -> threading.Event | None:
    return cast("threading.Event | None", cancel)  # of which nothing but `is_set` is used
