"""Which files are sound: by their names, and by their first bytes where names lie."""

from __future__ import annotations

from pathlib import PurePath

AUDIO_EXTENSIONS = frozenset(
    {
        ".wav", ".wave", ".bwf", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".mpga",
        ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".w64", ".rf64", ".voc", ".sf",
        ".ircam", ".sph", ".nist", ".8svx", ".paf", ".pvf", ".avr",
    }
)  # fmt: skip
"""File names that are taken for sound."""

_FOREIGN_ENDINGS = {
    ".m4a": "AAC or ALAC", ".m4b": "AAC", ".m4r": "AAC", ".mp4": "AAC", ".aac": "AAC",
    ".alac": "ALAC", ".3gp": "AMR or AAC", ".amr": "AMR", ".awb": "AMR", ".wma": "Windows Media",
    ".asf": "Windows Media", ".ape": "Monkey's Audio", ".wv": "WavPack", ".tta": "True Audio",
    ".mka": "Matroska", ".mkv": "Matroska", ".webm": "WebM", ".weba": "WebM", ".ac3": "Dolby",
    ".ec3": "Dolby", ".dts": "DTS", ".dsf": "DSD", ".dff": "DSD", ".mpc": "Musepack",
    ".ra": "RealAudio", ".ram": "RealAudio", ".spx": "Speex", ".shn": "Shorten", ".tak": "TAK",
    ".ofr": "OptimFROG", ".mov": "QuickTime", ".avi": "AVI", ".gsm": "GSM", ".aa": "Audible",
    ".aax": "Audible", ".sd2": "Sound Designer II", ".ogv": "Ogg video", ".flv": "Flash video",
    ".m4v": "AAC", ".rx2": "REX", ".qcp": "Qualcomm PureVoice", ".dss": "Digital Speech Standard",
}  # fmt: skip

_UNFINISHED = {".part", ".crdownload", ".download", ".partial", ".!ut", ".opdownload"}
_PLACEHOLDERS = {
    ".icloud": "iCloud",
    ".nextcloud": "Nextcloud",
    ".owncloud": "ownCloud",
    ".cloudf": "pCloud",
}

_FOREIGN_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "AAC or ALAC"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"TTA1", "True Audio"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x0b\x77", "Dolby"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b".RMF", "RealAudio"),
    (0, b"MP+", "Musepack"),
    (0, b"MPCK", "Musepack"),
    (0, b"ajkg", "Shorten"),
    (0, b"tBaK", "TAK"),
    (8, b"AVI LIST", "AVI"),
    (28, b"Speex   ", "Speex"),
)
_OTHER_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS: `git lfs pull` fetches the sound"),
    (b"\x89PNG", "a picture (PNG), not sound"),
    (b"\xff\xd8\xff", "a picture (JPEG), not sound"),
    (b"GIF8", "a picture (GIF), not sound"),
    (b"%PDF", "a PDF, not sound"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"MThd", "MIDI: notes, not sound; play it into a WAV first"),
    (b"<!doctype html", "a web page, not sound: the download went wrong; fetch the sound again"),
    (b"<html", "a web page, not sound: the download went wrong; fetch the sound again"),
)
_SOUND_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", ".wav"),
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (8, b"AIFF", ".aiff"),
    (8, b"AIFC", ".aifc"),
    (0, b".snd", ".au"),
    (0, b"caff", ".caf"),
    (0, b"riff\x2e\x91\xcf\x11", ".w64"),
)
HEAD_BYTES = 64
"""As many of a file's first bytes are looked at here."""


def is_sound_name(name: str) -> bool:
    """Whether a file of this name is taken for sound."""
    return PurePath(name).suffix.lower() in AUDIO_EXTENSIONS


def placeholder(name: str) -> tuple[str, str] | None:
    """For a file that stands for one that is still in a cloud: the real name, and which cloud."""
    path = PurePath(name)
    cloud = _PLACEHOLDERS.get(path.suffix.lower())
    if cloud is None:
        return None
    real = path.stem.removeprefix(".") if cloud == "iCloud" else path.stem
    return (real, cloud) if real else None


def why_not(name: str, head: bytes) -> str:
    """Why a file whose name is no sound's is not used.

    Args:
        name: of the file.
        head: its first bytes, as far as they could be read.
    """
    suffix = PurePath(name).suffix
    if suffix.lower() in _UNFINISHED:
        return f"a {suffix} file: a download that has not ended"
    if kind := _FOREIGN_ENDINGS.get(suffix.lower()):
        return _convert(f"{kind} sound")
    ending = f"a {suffix} file" if suffix else "a file without an ending"
    for at, magic, right in _SOUND_MAGIC:
        if head[at : at + len(magic)] == magic:
            return f"{ending}, but sound by its first bytes: rename it to end in {right}"
    return f"{ending}, not sound (.wav, .flac, .mp3 …)"


def foreign(head: bytes) -> str:
    """Why a file that begins like this cannot be decoded here; empty where it may be.

    Args:
        head: its first `HEAD_BYTES` bytes.
    """
    for at, magic, kind in _FOREIGN_MAGIC:
        if head[at : at + len(magic)] == magic:
            return _convert(f"{kind} sound, whatever its name says")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # a frame of ADTS
        return _convert("AAC sound, whatever its name says")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, reason in _OTHER_MAGIC:
        if head.startswith(magic) or start.startswith(magic):
            return reason
    return ""


def _convert(kind: str) -> str:
    return (
        f"{kind}, which is not read here; convert it to WAV or FLAC, in an audio editor or by "
        "`ffmpeg -i FILE FILE.wav`"
    )
