"""One odd file or folder never stops a scan, whatever its name, its rights or its kind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings

from distill.audio import corpus_decoder, file_search
from distill.audio.corpus import AudioCorpus
from distill.audio.file_search import NOT_DOWNLOADED
from distill.audio.reading import decode, probe, read_part, read_pieces
from distill.errors import AudioFileError, CorpusError
from tests.audio.trees import TREES, make_tree

Tone = Callable[..., np.ndarray]
Save = Callable[..., Path]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names of bytes and pipes are not there")


def _scan(source: Any) -> AudioCorpus:
    return AudioCorpus.scan(source, sample_rate=8000, progress=False)


def _reasons(source: Any) -> list[str]:
    return [refusal.reason for refusal in _scan(source).refusals]


@pytest.mark.parametrize("name", [b"Gel\xe4ut.wav", b"\xff\xfe.wav", b"a\nb.wav", b"\x1b[31m.wav"])
def test_a_sound_of_any_name_is_used(name: bytes, tone: Tone, save: Save, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    save("plain.wav", tone()).rename(path)
    corpus = _scan(tmp_path)
    assert [file.path for file in corpus.files] == [path]
    assert probe(path).frames == len(decode(path).waveform) == read_pieces(path).samples == 1600
    assert len(read_part(path, 0, 0.1)[0]) == 800
    corpus._repr_html_().encode("utf-8")


def test_names_that_are_no_text_are_refused_by_what_can_be_shown(
    tone: Tone, save: Save, tmp_path: Path
) -> None:
    save("good.wav", tone())
    for name in (b"Caf\xe9.als", b"Caf\xe9.wav", b"Caf\xe9\x1b.mp3"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"no sound at all")
    corpus = _scan(tmp_path)
    assert len(corpus) == 1
    assert {refusal.reason.split(":")[0] for refusal in corpus.refusals} == {
        r"Caf\xe9.als", r"Caf\xe9.wav", r"Caf\xe9\x1b.mp3",
    }  # fmt: skip
    for shown in (repr(corpus), corpus._repr_html_(), *(r.reason for r in corpus.refusals)):
        shown.encode("utf-8")
        assert "\x1b" not in shown
    with pytest.raises(CorpusError, match=r"none of 3 files is usable") as error:
        _scan([refusal.path for refusal in corpus.refusals])
    str(error.value).encode("utf-8")


def test_pipes_devices_sockets_and_links_do_not_stop_or_block(
    tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = save("good.wav", tone())
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.wav")
    Path("folder.wav").mkdir()
    Path("zero.wav").symlink_to("/dev/zero")
    Path("lost.wav").symlink_to("nowhere")
    Path("round.wav").symlink_to("round.wav")
    Path("piped.wav").symlink_to("pipe.wav")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("socket.wav")
    try:
        corpus = _scan(tmp_path)
    finally:
        listener.close()
    assert [file.path for file in corpus.files] == [good]
    assert [refusal.reason for refusal in corpus.refusals] == [
        f"lost.wav: no such file; looked for {tmp_path}/lost.wav",
        "pipe.wav: a named pipe, not a file of sound",
        "piped.wav: a named pipe, not a file of sound",
        "round.wav: cannot be opened: Too many levels of symbolic links",
        "socket.wav: cannot be opened: a socket, not a file of sound",
        "zero.wav: a device, not a file of sound",
    ]


@pytest.mark.slow  # a program
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs to give up root")
def test_folders_and_files_without_rights_are_left_out_by_name(tone: Tone) -> None:
    # Not below pytest's folder, which nobody but root may enter.
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        home.chmod(0o755)
        locked = ("sounds/.Trashes", "sounds/lost+found", "sounds/list only", "sounds/enter only")
        for number, folder in enumerate(["sounds", *locked]):
            (home / folder).mkdir()
            soundfile.write(str(home / folder / "inside.wav"), tone(hz=200 + 50 * number), 8000)
        soundfile.write(str(home / "sounds/locked.wav"), tone(hz=500), 8000)
        (home / "sounds/locked.wav").chmod(0)
        for folder, mode in zip(locked, (0, 0, 0o444, 0o111), strict=True):
            (home / folder).chmod(mode)
        lines = _as_nobody(f"""
            corpus = scan({str(home / "sounds")!r})
            print([file.path.name for file in corpus.files])
            print(*sorted(refusal.reason for refusal in corpus.refusals), sep="\\n")
            try:
                scan({str(home / "sounds/lost+found/inside.wav")!r})
            except ValueError as error:
                print(type(error).__name__, error)
        """)
        assert lines == [
            "['inside.wav']",
            f"{home}/sounds/enter only: Permission denied",
            f"{home}/sounds/lost+found: Permission denied",
            "inside.wav: cannot be opened: Permission denied",
            "locked.wav: cannot be opened: Permission denied",
            f"CorpusError {home}/sounds/lost+found/inside.wav: cannot be looked at: "
            "Permission denied",
        ]


def _as_nobody(code: str) -> list[str]:
    """Runs code that scans without any rights, and returns what it prints."""
    start = """
        import os, tempfile
        from pathlib import Path
        import numpy as np, soundfile
        from distill.audio.corpus import AudioCorpus
        def scan(place):
            return AudioCorpus.scan(place, sample_rate=8000, progress=False)
        # What is imported late may lie where only root looks: once with rights, then without.
        with tempfile.TemporaryDirectory() as folder:
            soundfile.write(folder + "/a.wav", np.sin(np.arange(8000.0)), 8000)
            scan(folder)
        os.setgid(65534)
        os.setuid(65534)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(start) + textwrap.dedent(code)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_file_that_vanishes_or_changes_before_it_is_read_is_left_out(
    tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a.wav", tone())
    gone, cut = save("b.wav", tone(hz=300)), save("c.wav", tone(hz=200))
    found = file_search.find_files(tmp_path)

    def find_then_lose(*_arguments: Any) -> Any:
        gone.unlink()
        cut.write_bytes(cut.read_bytes()[:900])
        return found

    monkeypatch.setattr("distill.audio.corpus.find_files", find_then_lose)
    assert _reasons(tmp_path) == [
        f"b.wav: no such file; looked for {gone}",
        "c.wav: truncated: its header promises 0.20 s, 0.05 s are there; copy or export it again",
    ]


def test_errors_of_a_disk_are_of_that_file_only(
    tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a.wav", tone())
    save("b.wav", tone(hz=300))
    decode_open = corpus_decoder.decode_open
    errors = [OSError(5, "Input/output error"), MemoryError()]

    def fails(sound: Any, rate: int) -> Any:
        if sound.name == "b.wav":
            raise errors[0]
        return decode_open(sound, rate)

    monkeypatch.setattr(corpus_decoder, "decode_open", fails)
    assert _reasons(tmp_path) == ["b.wav: cannot be decoded here (Input/output error)"]
    errors.pop(0)
    assert _reasons(tmp_path) == ["b.wav: cannot be decoded here (MemoryError)"]


def test_placeholders_of_clouds_are_counted_and_named(
    tone: Tone, save: Save, tmp_path: Path
) -> None:
    save("a.wav", tone())
    for name in (".take1.wav.icloud", ".take2.m4a.icloud", "take3.wav.nextcloud"):
        (tmp_path / name).write_bytes(b"bplist00")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / ".folder.icloud").mkdir()
    corpus = _scan(tmp_path)
    assert [refusal.reason for refusal in corpus.refusals] == [
        "take1.wav: not downloaded, only its placeholder (iCloud) is here",
        "take2.m4a: not downloaded, only its placeholder (iCloud) is here",
        "take3.wav: not downloaded, only its placeholder (Nextcloud) is here",
    ]
    assert {refusal.kind for refusal in corpus.refusals} == {NOT_DOWNLOADED}
    assert "  refused   3 files, 3 of them not downloaded" in repr(corpus)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(CorpusError, match=r"none of 3 files is usable; 3 are not downloaded:"):
        _scan(tmp_path)


@pytest.mark.parametrize(
    "facts",
    [{"st_flags": 0x4000_0000}, {"st_file_attributes": 0x40_0020}],
    ids=["macOS", "Windows"],
)
def test_files_that_are_in_a_cloud_only_are_not_fetched(
    facts: dict[str, int], tone: Tone, save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("a.wav", tone())
    away = save("b.wav", tone(hz=300))
    stat = Path.stat

    def with_flags(path: Path, **options: Any) -> Any:
        found = stat(path, **options)
        return SimpleNamespace(**facts, st_mode=found.st_mode) if path == away else found

    monkeypatch.setattr(Path, "stat", with_flags)
    assert _reasons(tmp_path) == [
        "b.wav: not downloaded, its content is in a cloud; open it once to fetch it"
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("take.m4a", "AAC or ALAC sound, which is not read here; convert it to WAV or FLAC, in an "
         "audio editor or by `ffmpeg -i FILE FILE.wav`"),
        ("take.WMA", "Windows Media sound, which is not read here; convert it to WAV or FLAC, in "
         "an audio editor or by `ffmpeg -i FILE FILE.wav`"),
        ("take.wav.part", "a .part file: a download that has not ended"),
        ("set.als", "a .als file, not sound (.wav, .flac, .mp3 …)"),
    ],
)  # fmt: skip
def test_other_files_are_named_for_what_they_are(
    name: str, said: str, tone: Tone, save: Save, tmp_path: Path
) -> None:
    save("a.wav", tone())
    (tmp_path / name).write_bytes(b"\0\0\0\x20ftypM4A ")
    assert _reasons(tmp_path) == [f"{name}: {said}"]


def test_sound_under_another_ending_is_named(tone: Tone, save: Save, tmp_path: Path) -> None:
    save("a.wav", tone())
    save("b.wav", tone(hz=300)).rename(tmp_path / "b")
    save("c.flac", tone(hz=200)).rename(tmp_path / "c.bak")
    assert _reasons(tmp_path) == [
        "b: a file without an ending, but sound by its first bytes: rename it to end in .wav",
        "c.bak: a .bak file, but sound by its first bytes: rename it to end in .flac",
    ]


@pytest.mark.parametrize("read", [probe, decode, read_pieces])
def test_a_file_that_would_block_or_never_end_is_refused(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", Path("/dev/zero")):
        with pytest.raises(AudioFileError, match=r": a (named pipe|device), not a file of sound$"):
            read(path)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=TREES)
def test_any_tree_of_folders_is_scanned_and_accounted_for(
    tree: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    expected = make_tree(folder, tree)
    try:
        corpus = AudioCorpus.scan(folder, sample_rate=8000, progress=False, workers=1)
    except CorpusError as error:
        str(error).encode("utf-8")
        return
    assert len(corpus) + len(corpus.refusals) == expected
    f"{corpus!r}{corpus._repr_html_()}".encode()
