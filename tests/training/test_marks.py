from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, settings, strategies as st

from distill import ConfigError, RunFolder, RunFolderError, TrainingRunner, VQVAEConfig
from distill.errors import ForeignEntryError
from distill.own_folder import OwnFolder
from distill.training import PreviewPair
from distill.training.run.marks import Mark, change_mark, marks_in_words, read_marks
from distill.training.run.preparation import begin_run, extend_run
from distill.training.run.request import RunRequest
from distill.training.run.writer import hold_run
from distill.training.watch.event_lines import PreviewEvent


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with previews of two sounds at the third epoch."""
    request = RunRequest.of(VQVAEConfig(max_steps=3), [], name="marked", device="cpu")
    begin_run(tmp_path / "run", request.to_dict())
    pairs = tuple(PreviewPair(name, 0.5, "a.wav", "b.wav") for name in ("kick", "bell"))
    with hold_run(tmp_path / "run") as writer:
        writer.append(PreviewEvent(2, 30, "previews/epoch-0003", pairs))
    return tmp_path / "run"


def test_a_runner_keeps_marks_with_the_run(run: Path) -> None:
    runner = TrainingRunner.attach(run)
    runner.mark("kick", "good")
    runner.mark("bell", "bad", epoch=0)
    assert runner.marks == RunFolder(run).marks == {"kick": Mark("good", 2), "bell": Mark("bad", 0)}
    assert marks_in_words(runner.marks) == "bad: bell (epoch 1); good: kick (epoch 3)"
    runner.mark("kick", None)
    assert set(runner.marks) == {"bell"}
    with pytest.raises(ConfigError, match="'tom': expected the name of a sound of the prev"):
        runner.mark("tom", "good")
    with pytest.raises(ConfigError, match="mark='great': expected 'good', 'bad' or None"):
        runner.mark("bell", "great")
    assert set(runner.marks) == {"bell"}
    runner.close()
    with pytest.raises(RunFolderError, match="there is no run yet"):
        TrainingRunner().mark("kick", "good")


def test_marks_stay_when_a_run_is_resumed_and_go_when_it_is_replaced(run: Path) -> None:
    change_mark(run, "kick", "good")
    extend_run(run, {"max_steps": 9})
    with hold_run(run) as writer:
        writer.forget_previews(set())
    assert read_marks(run) == {"kick": Mark("good")}
    begin_run(run, {"name": "new"}, overwrite=True)
    assert read_marks(run) == {}


def test_two_who_mark_at_once_lose_nothing(run: Path) -> None:
    def mark(who: int) -> None:
        for number in range(10):
            change_mark(run, f"{who}-{number}", "bad")

    threads = [threading.Thread(target=mark, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_marks(run)) == 40


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=8) | st.just("kick"),
            st.sampled_from(["good", "bad", None]),
        ),
        max_size=6,
    )
)
def test_the_last_word_on_each_sound_counts(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str | None]]
) -> None:
    folder = tmp_path_factory.mktemp("marks")
    expected: dict[str, str] = {}
    for name, mark in said:
        change_mark(folder, name, mark)
        expected.pop(name, None)
        if mark is not None:
            expected[name] = mark
    assert {name: one.mark for name, one in read_marks(folder).items()} == expected


@pytest.mark.parametrize("name", ["", "x" * 4097])
def test_a_name_that_no_sound_can_have_is_refused(run: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"a name of {len(name)} characters"):
        change_mark(run, name, "good")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"kick": "good"}', '{"kick": {"mark": "fine"}}', '{"": {"mark": "bad"}}']
)
def test_a_damaged_file_is_said_and_not_written_over(
    run: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (run / "marks.json").write_text(text)
    assert RunFolder(run).marks == {}
    assert "the marks cannot be read: marks.json" in caplog.text
    with pytest.raises(RunFolderError, match=r"the mark is not kept: marks\.json: .* move that fi"):
        change_mark(run, "kick", "good")
    assert (run / "marks.json").read_text() == text


def test_a_link_in_their_place_is_not_followed(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("{}")
    (run / "marks.json").symlink_to(tmp_path / "mine")
    assert read_marks(run) == {}
    with pytest.raises(ForeignEntryError, match="a link where distill keeps a file"):
        change_mark(run, "kick", "good")
    assert (tmp_path / "mine").read_text() == "{}"


def test_a_folder_one_may_only_read_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change_mark(run, "bell", "bad")

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(OwnFolder, "open_lock", refuse)
    said = r"the mark is not kept: .*run cannot be written \(Permission denied\)"
    with pytest.raises(RunFolderError, match=said):
        change_mark(run, "kick", "good")
    assert set(read_marks(run)) == {"bell"}
