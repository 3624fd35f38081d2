from __future__ import annotations

import json
import math
import os
import socket
import stat
import threading
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from msgspec import Meta

from distill import checked
from distill.checked import (
    Count,
    Finite,
    Name,
    Text,
    UnixTime,
    brief,
    files as checked_files,
    parse_json,
)
from distill.errors import DistillError, OutsideDataError

needs_posix = pytest.mark.skipif(os.name == "nt", reason="named pipes and links of POSIX")


class Inner(msgspec.Struct):
    share: checked.Fraction = 0.0


class Facts(msgspec.Struct):
    epoch: Count = 0
    loss: Finite = 0.0
    name: Name = ""
    at: UnixTime = 0.0
    notes: Annotated[list[Text], Meta(max_length=3)] = []
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"epoch": 44100.0}', "epoch: expected int, got float"),
        ('{"epoch": true}', "epoch: expected int, got bool"),
        ('{"epoch": -1}', "epoch: expected int >= 0"),
        ('{"epoch": 1' + "0" * 400 + "}", "epoch: expected int <= 9007199254740992"),
        ('{"loss": 1' + "0" * 400 + "}", "loss: number out of range"),
        ('{"loss": 1e999}', "loss: number out of range"),
        ('{"loss": NaN}', "not readable as JSON"),
        ('{"loss": -Infinity}', "not readable as JSON"),
        ('{"loss": "3"}', "loss: expected float, got str"),
        ('{"loss": null}', "loss: expected float, got null"),
        ('{"at": 1e11}', "at: expected float <= 32503680000"),
        ('{"name": "' + "x" * 201 + '"}', "name: expected str of length <= 200"),
        ('{"notes": ["", "", "", ""]}', "notes: expected array of length <= 3"),
        ('{"inner": {"share": 1.5}}', "inner.share: expected float <= 1"),
        (r'{"name": "\ud800"}', "not readable as JSON"),
        (r'{"name": "\udc80"}', "not readable as JSON"),
        (b'{"name": "\xff"}', "not UTF-8"),
        ('"half \ud800"', "holds half a character at 6"),
        ('{"epoch": 1} x', "not readable as JSON"),
        ("", "not readable as JSON"),
        ("[]", "expected object, got array"),
        ("null", "expected object, got null"),
        ("[" * 100_000, "nested deeper than 64"),
        ('{"later": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested deeper than 64"),
        ('{"later": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}", "nested deeper than 64"),
        ("{}".encode("utf-16"), "not readable as JSON"),
    ],
)
def test_what_is_out_of_line_is_refused_where_it_stands(text: str | bytes, reason: str) -> None:
    with pytest.raises(OutsideDataError) as caught:
        parse_json(text, Facts, name="a.json")
    assert str(caught.value).startswith(f"a.json: {reason}")
    assert len(str(caught.value)) < 400 and str(caught.value).isprintable()


def test_what_is_in_line_is_read() -> None:
    text = '\ufeff{"epoch": 3, "loss": 1, "later": {"x": [1e9]}, "inner": {"share": 1}}'
    assert parse_json(text, Facts, name="a") == Facts(epoch=3, loss=1.0, inner=Inner(1.0))
    assert parse_json(b'{"epoch": 1, "epoch": 2}', Facts, name="a").epoch == 2
    assert parse_json('{"name": "a\\u0000\\n"}', Facts, name="a").name == "a\0\n"


def test_brackets_in_texts_are_no_nesting() -> None:
    notes = ['"' + "[" * 500, "\\" + "{" * 500, '\\"[[' * 200]
    assert parse_json(json.dumps({"notes": notes}), Facts, name="a").notes == notes


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from(["epoch", "loss", "name", "at", "notes", "inner", "other"]),
    st.booleans(),
)
def test_any_json_is_read_or_refused_as_ours(value: Any, key: str, file_names: bool) -> None:
    for text in (json.dumps(value), json.dumps({key: value})):
        try:
            read = parse_json(text, Facts, name="x", file_names=file_names)
        except OutsideDataError:
            continue
        assert 0 <= read.epoch <= 2**53 and math.isfinite(read.loss) and len(read.name) <= 200


@settings(max_examples=200, deadline=None)
@given(st.binary())
def test_any_bytes_are_refused_as_ours(data: bytes) -> None:
    for type_ in (Facts, dict[str, msgspec.Raw], list[int]):
        for file_names in (False, True):
            try:
                parse_json(data, type_, name="x", file_names=file_names)
            except OutsideDataError as error:
                assert isinstance(error, (DistillError, ValueError))


def test_names_of_files_that_are_not_utf8_are_read_where_asked_for() -> None:
    name = os.fsdecode(b"take\xff\x80.wav") if os.name != "nt" else "take\udcff\udc80.wav"
    text = json.dumps({"name": name})
    assert parse_json(text, Facts, name="a", file_names=True).name == name
    for other in (r'"\ud800"', r'"\udc7f"', r'"\udfff"', '["\\u0041", NaN]', '["\\u0041", 1e999]'):
        with pytest.raises(OutsideDataError):
            parse_json('{"name": "\\u0041", "later": ' + other + "}", Facts, name="a", file_names=1)
    with pytest.raises(OutsideDataError, match="a: epoch: expected int, got float"):
        parse_json('{"epoch": 1.0, "name": "\\u0041"}', Facts, name="a", file_names=True)


def test_unknown_fields_are_kept_byte_for_byte() -> None:
    text = b'{"epoch": 1, "later": [1.50, {"a":  "\\u00e9"}], "zz": 1e2}'
    kept = checked.unknown_fields(text, Facts)
    assert list(kept) == ["later", "zz"]
    again = msgspec.json.encode({"epoch": 2, **kept})
    assert again == b'{"epoch":2,"later":[1.50, {"a":  "\\u00e9"}],"zz":1e2}'
    with pytest.raises(OutsideDataError, match="expected object, got array"):
        checked.unknown_fields(b"[]", Facts)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"epoch": 1}')
    assert checked.read_json(path, Facts, limit=12).epoch == 1
    with pytest.raises(OutsideDataError, match=r"a\.json: 12 bytes; expected at most 11"):
        checked.read_json(path, Facts, limit=11)
    with pytest.raises(OutsideDataError, match=r"x: 12 bytes; expected at most 5"):
        parse_json(path.read_bytes(), Facts, name="x", limit=5)


def test_a_sparse_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(1 << 36)
    with pytest.raises(OutsideDataError, match=r"big\.json: 68719476736 bytes; expected at most"):
        checked.read_json(path, Facts)


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "grows"
    path.write_bytes(b"x" * 10)
    real = checked_files.open_regular

    def growing(given: Path, *, follow: bool = True) -> Any:
        file = real(given, follow=follow)
        found = os.fstat(file.fileno())
        monkeypatch.setattr(checked_files.os, "fstat", lambda _: found)
        path.write_bytes(b"x" * 100)
        return file

    monkeypatch.setattr(checked_files, "open_regular", growing)
    with pytest.raises(OutsideDataError, match="grows: grew beyond 20 bytes while it was read"):
        checked.read_bounded(path, 20)


def test_what_is_missing_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        checked.read_bounded(tmp_path / "gone", 10)


@pytest.mark.parametrize("name", ["a\0b", "half\ud800"])
def test_no_name_of_a_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutsideDataError, match="no name of a file"):
        checked.open_regular(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutsideDataError, match=f"{tmp_path.name}: a folder; expected a file"):
        checked.open_regular(tmp_path)


@needs_posix
def test_what_would_hang_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(tmp_path)  # names of sockets are short
    try:
        listener.bind("socket")
    finally:
        os.chdir(here)
        listener.close()
    for name, kind in (("pipe", "a named pipe"), ("link", "a named pipe"), ("socket", "a socket")):
        with pytest.raises(OutsideDataError, match=f"{name}: {kind}; expected a file"):
            checked.read_bounded(tmp_path / name, 10)
    with pytest.raises(OutsideDataError, match="null: a device; expected a file"):
        checked.read_bounded("/dev/null", 10)


@needs_posix
def test_a_pipe_that_takes_the_place_meanwhile_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "turns"
    os.mkfifo(path)
    kinds = iter([stat.S_IFREG])
    real = checked_files._check
    monkeypatch.setattr(checked_files, "_check", lambda path, mode: real(path, next(kinds, mode)))
    before = threading.active_count()
    with pytest.raises(OutsideDataError, match="turns: a named pipe"):
        checked.open_regular(path)
    assert threading.active_count() == before


@needs_posix
def test_links_are_followed_only_where_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"{}")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loop").symlink_to("loop")
    assert checked.read_bounded(tmp_path / "link", 2) == b"{}"
    with pytest.raises(OutsideDataError, match="link: a link; expected a file"):
        checked.read_bounded(tmp_path / "link", 2, follow=False)
    with pytest.raises(OutsideDataError, match="loop: a link; expected a file"):
        checked.read_bounded(tmp_path / "loop", 2, follow=False)
    with pytest.raises(OSError, match="loop"):
        checked.read_bounded(tmp_path / "loop", 2)


@given(st.text(), st.integers(2, 60))
def test_messages_stay_short_and_on_their_line(text: str, longest: int) -> None:
    shown = brief(text, longest)
    assert len(shown) <= longest and "\n" not in shown and "\0" not in shown
    shown.encode()


@pytest.mark.parametrize("part", ['"k%d":0', '"%d":[]', '"%d\\\\":{}'])
def test_parts_without_number_are_refused_uncounted(part: str) -> None:
    text = "{" + ",".join(part % number for number in range(1000)) + "}"
    assert len(parse_json(text, dict[str, msgspec.Raw], name="a", most=1001)) == 1000
    with pytest.raises(OutsideDataError, match="a: of more than 499 parts"):
        parse_json(text, dict[str, msgspec.Raw], name="a", most=499)


@pytest.mark.parametrize("part", ["1", "0.5", "null", " 12345", '"",1'])
def test_values_without_number_are_refused_before_they_take_memory(part: str) -> None:
    text = f"[{part}{f',{part}' * ((1 << 24) + 1)}]"
    with pytest.raises(OutsideDataError, match=r"run\.json: of more than \d+ (values|parts)"):
        parse_json(text, Any, name="run.json", limit=1 << 28)
