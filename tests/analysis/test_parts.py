from __future__ import annotations

import dataclasses
import threading

import pytest
import torch

from distill import AudioCorpus, CodeParts, Codes, LoadedVQModel, entry_sound
from distill.analysis import entry_sounds
from distill.analysis.sound import code_sounds as parts_module
from distill.analysis.sound.sound_cache import SoundCache
from distill.codebook import NO_CODE
from distill.errors import CodesError, PartError


@pytest.fixture(scope="module")
def codes(model: LoadedVQModel, corpus: AudioCorpus) -> Codes:
    return model.encode(corpus.waveforms[0] * 0.5, corpus.sample_rate)


@pytest.fixture
def parts(model: LoadedVQModel, codes: Codes) -> CodeParts:
    return CodeParts(model, codes)


def only(codes: Codes, levels: list[int]) -> Codes:
    indices = torch.full_like(codes.indices, NO_CODE)
    indices[levels] = codes.indices[levels]
    return dataclasses.replace(codes, indices=indices)


def test_the_whole_is_what_the_model_decodes(
    parts: CodeParts, model: LoadedVQModel, codes: Codes
) -> None:
    assert torch.equal(parts.whole(), model.decode(codes)[0])
    assert parts.sample_rate == model.sample_rate


def test_a_row_is_that_level_with_no_code_at_the_others(
    parts: CodeParts, model: LoadedVQModel, codes: Codes
) -> None:
    for level in range(codes.levels):
        assert torch.equal(parts.row(level), model.decode(only(codes, [level]))[0])


def test_levels_add_up_from_the_first(parts: CodeParts, model: LoadedVQModel, codes: Codes) -> None:
    assert torch.equal(parts.upto(1), parts.row(0))
    assert torch.equal(parts.upto(2), model.decode(only(codes, [0, 1]))[0])
    assert torch.equal(parts.upto(3), parts.whole())


def test_a_cell_is_its_entry_alone_held_and_as_loud_as_the_sound(
    parts: CodeParts, model: LoadedVQModel, codes: Codes
) -> None:
    entry = int(codes.indices[1, 4])
    cell = parts.cell(1, 4)
    assert cell.shape == (14 * 1024,)  # 14 steps of 1024 samples: 0.3 s
    assert cell.dtype == torch.float32
    torch.testing.assert_close(cell, entry_sound(model, 1, entry) * codes.peak)


def test_a_cell_is_heard_through_the_vocoder_as_its_entry_and_nothing_else(
    model: LoadedVQModel, codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[torch.Tensor] = []

    def vocoder(mel: torch.Tensor, samples: int) -> torch.Tensor:
        heard.append(mel)
        return torch.zeros(samples)

    monkeypatch.setattr(model, "vocoder", vocoder)
    for level in range(codes.levels):
        CodeParts(model, codes).cell(level, 4)
        alone = torch.full((codes.levels, 14), NO_CODE)
        alone[level] = codes.indices[level, 4]
        torch.testing.assert_close(heard.pop(), model.mel_of(alone))


def test_a_column_is_all_levels_of_a_step(
    parts: CodeParts, model: LoadedVQModel, codes: Codes
) -> None:
    column = parts.column(4)
    assert column.shape == parts.cell(0, 4).shape
    assert not torch.equal(column, parts.cell(0, 4))
    again = dataclasses.replace(codes, indices=codes.indices[:, 4:5].expand(-1, codes.steps))
    assert torch.equal(CodeParts(model, again).column(0), column)


def test_held_sounds_begin_and_end_in_silence(parts: CodeParts) -> None:
    for sound in (parts.cell(0, 0), parts.column(0)):
        assert sound[0] == sound[-1] == 0


def test_steps_can_be_heard_by_themselves(parts: CodeParts, codes: Codes) -> None:
    assert len(parts.row(0, 2, 5)) == 3 * 1024
    assert len(parts.whole(3)) == codes.samples - 3 * 1024
    assert len(parts.upto(2, 0, 1)) == 1024


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda parts: parts.cell(3, 0), "level=3: expected 0 to 2"),
        (lambda parts: parts.cell(-1, 0), "level=-1: expected 0 to 2"),
        (lambda parts: parts.cell(0, 29), "step=29: expected 0 to 28"),
        (lambda parts: parts.column(-1), "step=-1: expected 0 to 28"),
        (lambda parts: parts.row(7), "level=7: expected 0 to 2"),
        (lambda parts: parts.upto(0), "levels=0: expected 1 to 3, how many to hear"),
        (lambda parts: parts.upto(4), "levels=4: expected 1 to 3, how many to hear"),
        (lambda parts: parts.row(0, 5, 5), "steps 5 to 5: expected a stretch within 0 to 29"),
        (lambda parts: parts.whole(0, 30), "steps 0 to 30: expected a stretch within 0 to 29"),
    ],
)
def test_what_is_not_there_is_named(parts: CodeParts, ask, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PartError, match=message) as caught:
        ask(parts)
    assert isinstance(caught.value, IndexError)


def test_codes_of_another_model_are_refused(model: LoadedVQModel, codes: Codes) -> None:
    small = Codes(torch.zeros(4, 5, dtype=torch.long), 16, 1024 / 48_000, 5000, 48_000)
    with pytest.raises(CodesError, match=r"codes of 4 levels × 16 entries; this model has 3 × 16"):
        CodeParts(model, small)
    slower = dataclasses.replace(codes, step_seconds=0.01)
    with pytest.raises(
        CodesError, match=r"48000 Hz in steps of 10 ms; this model works at 48000 Hz in steps of 21"
    ):
        CodeParts(model, slower)
    with pytest.raises(CodesError, match="29 steps make 58 frames; 999999 samples need 1954"):
        CodeParts(model, dataclasses.replace(codes, samples=999_999))


@pytest.mark.parametrize("samples", [1, 100, 511, 512, 1024, 1500])
def test_a_sound_shorter_than_a_step_or_little_longer_is_heard(
    model: LoadedVQModel, samples: int
) -> None:
    parts = CodeParts(model, model.encode(torch.ones(samples) * 0.1, 48_000))
    assert len(parts.whole()) == len(parts.row(2)) == samples
    assert len(parts.cell(0, 0)) == len(parts.column(0)) == 14 * 1024
    for step in range(parts.codes.steps):
        assert len(parts.whole(step, step + 1)) >= 1


def test_silence_stays_silent(model: LoadedVQModel) -> None:
    parts = CodeParts(model, model.encode(torch.zeros(5000), 48_000))
    for sound in (parts.cell(0, 0), parts.column(1), parts.row(1), parts.whole()):
        assert torch.equal(sound, torch.zeros_like(sound))


def test_another_rate_is_heard_at_the_models(model: LoadedVQModel) -> None:
    parts = CodeParts(model, model.encode(torch.randn(8000) * 0.1, 16_000))
    assert len(parts.whole()) == 24_000


def test_hours_are_heard_in_stretches(model: LoadedVQModel) -> None:
    steps = 3 * 3600 * 48_000 // 1024
    indices = torch.randint(0, 16, (3, steps), generator=torch.Generator().manual_seed(0))
    codes = Codes(indices, 16, 1024 / 48_000, steps * 1024 - 1, 48_000)
    parts = CodeParts(model, codes)
    with pytest.raises(
        PartError, match=r"3 h 0 min at once: at most 15 min 0 s can be heard at once; give start"
    ):
        parts.row(0)
    assert len(parts.row(0, steps - 10)) == 10 * 1024 - 1
    assert len(parts.cell(2, steps - 1)) == 14 * 1024


def test_a_grid_with_no_code_at_all_is_heard(model: LoadedVQModel) -> None:
    codes = Codes(torch.full((3, 20), NO_CODE), 16, 1024 / 48_000, 20_000, 48_000)
    assert torch.isfinite(CodeParts(model, codes).cell(1, 3)).all()


def test_what_was_asked_before_is_not_made_again(
    model: LoadedVQModel, codes: Codes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    real = parts_module.held_sounds

    def counted(*arguments: object) -> torch.Tensor:
        made.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(parts_module, "held_sounds", counted)
    same = dataclasses.replace(codes, indices=codes.indices[:, :1].expand(-1, codes.steps))
    parts = CodeParts(model, same)
    sounds = [parts.cell(0, step) for step in range(10)]
    assert len(made) == 1
    assert all(sound is sounds[0] for sound in sounds)


def test_an_edited_grid_never_plays_the_sound_of_the_old_one(
    model: LoadedVQModel, codes: Codes
) -> None:
    parts = CodeParts(model, codes)
    heard = {key: sound.clone() for key, sound in _sounds(parts).items()}
    grid = codes.indices
    grid[:, :4] = (grid[:, :4] + 1) % codes.codebook_size
    codes.indices[:] = grid  # a copy is changed, the codes are not
    assert torch.equal(codes.indices, parts.codes.indices)
    for key, sound in _sounds(parts).items():
        assert torch.equal(sound, heard[key]), key
    edited = codes.with_indices(grid)
    for key, sound in _sounds(CodeParts(model, edited)).items():
        assert not torch.equal(sound, heard[key]), key


def _sounds(parts: CodeParts) -> dict[str, torch.Tensor]:
    return {
        "cell": parts.cell(0, 2),
        "column": parts.column(2),
        "row": parts.row(1),
        "upto": parts.upto(2),
        "whole": parts.whole(),
    }


def test_the_cache_lets_go_of_what_was_used_least_recently() -> None:
    cache = SoundCache(3 * 400)
    made: list[str] = []

    def ask(key: str, samples: int = 100) -> None:
        def make() -> torch.Tensor:
            made.append(key)
            return torch.zeros(samples)

        cache.get(key, make)

    for key in "abcadab":
        ask(key)
    assert made == ["a", "b", "c", "d", "b"]
    ask("huge", 1000)
    ask("huge", 1000)
    assert made[5:] == ["huge", "huge"]
    ask("b")
    assert made[7:] == []


def test_threads_may_ask_at_once(parts: CodeParts) -> None:
    found: list[torch.Tensor] = []
    threads = [
        threading.Thread(target=lambda: found.append(parts.row(0).clone()), name="asking")
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(len(sound) == parts.codes.samples for sound in found)


def test_entries_are_heard_one_by_one_or_together(model: LoadedVQModel) -> None:
    together = entry_sounds(model, 2, [3, 0, 3], seconds=0.1)
    assert together.shape == (3, 5 * 1024)
    torch.testing.assert_close(together[0], together[2])
    alone = entry_sound(model, 2, 0, seconds=0.1)
    # Sums of a batch round differently, and the phases that are searched make more of it.
    torch.testing.assert_close(together[1], alone, rtol=0, atol=1e-3)
    assert len(entry_sound(model, 0, 0, seconds=0.0)) == 1024


@pytest.mark.parametrize(
    ("level", "entries", "message"),
    [
        (3, [0], "level=3: expected 0 to 2"),
        (0, [16], "entry=16: expected 0 to 15"),
        (0, [-1], "entry=-1: expected 0 to 15"),
        (0, [], "no entries given: expected at least one"),
    ],
)
def test_entries_that_do_not_exist_are_named(
    model: LoadedVQModel, level: int, entries: list[int], message: str
) -> None:
    with pytest.raises(PartError, match=message):
        entry_sounds(model, level, entries)
