"""What a corpus holds, as text for a terminal and as HTML for a notebook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from distill.audio.corpus_decoder import AudioFile
from distill.audio.file_search import NOT_DOWNLOADED, Refusal
from distill.markup import Markup
from distill.names import printable
from distill.tables import html_facts, html_list, html_page
from distill.words import duration

MOST_LISTED = 20


def nothing_usable(where: str, refusals: Sequence[Refusal]) -> str:
    """The message when a corpus would be empty."""
    if not refusals:
        return f"{where}: no files there; expected recordings (.wav, .flac, .mp3 …)"
    absent = sum(refusal.kind == NOT_DOWNLOADED for refusal in refusals)
    clouds = f"; {absent} are not downloaded" if absent else ""
    return f"{where}: none of {len(refusals)} files is usable{clouds}:\n" + "\n".join(
        _listed(refusals)
    )


def not_used(refusals: Sequence[Refusal]) -> str:
    """What is left out of a corpus, and why."""
    count = f"{len(refusals)} files are" if len(refusals) > 1 else "1 file is"
    return f"{count} not used:\n" + "\n".join(_listed(refusals))


def remarks(files: Sequence[AudioFile], refusals: Sequence[Refusal]) -> str:
    """What is left out of a corpus and why, and what was done to sounds that are used.

    Empty where all files are used as they are.
    """
    parts = [not_used(refusals)] if refusals else []
    if changed := _changed(files):
        count = f"{len(changed)} sounds are" if len(changed) > 1 else "1 sound is"
        parts.append(f"{count} used with a change:\n" + "\n".join(_cut(changed)))
    return "\n".join(parts)


def as_text(files: Sequence[AudioFile], refusals: Sequence[Refusal], sample_rate: int) -> str:
    """A few lines: what is used, what is refused and why."""
    lines = [f"AudioCorpus: {len(files)} files, {duration(_seconds(files))}"]
    lines += [f"  {name:<9} {value}" for name, value in _facts(files, refusals, sample_rate)]
    return "\n".join(lines + _cut(_changed(files)) + _listed(refusals))


def as_html(files: Sequence[AudioFile], refusals: Sequence[Refusal], sample_rate: int) -> Markup:
    """A table that needs no widget and reads in a light and a dark theme."""
    about = [("files", f"{len(files)}"), ("sound", duration(_seconds(files)))]
    rows = [*about, *_facts(files, refusals, sample_rate)]
    changed, refused = _cut(_changed(files)), _listed(refusals)
    lists = [html_list(line.strip() for line in lines) for lines in (changed, refused)]
    return html_page("", html_facts(rows), *lists)


def _seconds(files: Sequence[AudioFile]) -> float:
    return sum(file.seconds for file in files)


def _facts(
    files: Sequence[AudioFile], refusals: Sequence[Refusal], sample_rate: int
) -> Iterable[tuple[str, str]]:
    lengths = sorted(file.seconds for file in files)
    yield "lengths", f"{duration(lengths[0])} to {duration(lengths[-1])}"
    rates = Counter(file.sample_rate for file in files).most_common()
    listed = ", ".join(f"{rate / 1000:g} kHz ({count})" for rate, count in rates)
    yield "rates", f"{listed}; used at {sample_rate / 1000:g} kHz"
    channels = Counter(file.channels for file in files).most_common()
    names = {1: "mono", 2: "stereo"}
    yield "channels", ", ".join(f"{names.get(n, f'{n} channels')} ({c})" for n, c in channels)
    if changed := _changed(files):
        yield "changed", "1 file" if len(changed) == 1 else f"{len(changed)} files"
    if refusals:
        count = len(refusals)
        absent = sum(refusal.kind == NOT_DOWNLOADED for refusal in refusals)
        listed = "1 file" if count == 1 else f"{count} files"
        yield "refused", listed + (f", {absent} of them not downloaded" if absent else "")


def _changed(files: Sequence[AudioFile]) -> list[str]:
    return [
        f"    {printable(file.path.name)}: {'; '.join(file.notes)}" for file in files if file.notes
    ]


def _listed(refusals: Sequence[Refusal]) -> list[str]:
    # What is still to be downloaded is easily mended, so it is not what a long list cuts off.
    first = sorted(refusals, key=lambda refusal: refusal.kind != NOT_DOWNLOADED)
    return _cut([f"    {printable(refusal.reason)}" for refusal in first])


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - MOST_LISTED
    return lines if more <= 0 else [*lines[:MOST_LISTED], f"    … and {more} more"]
