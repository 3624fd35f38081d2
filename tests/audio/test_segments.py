from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from distill.audio.segments import SegmentSampler, whole_sounds

calm = settings(deadline=None)  # a busy machine is no failure

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=6)


def _numbered(sizes: list[int]) -> list[Tensor]:
    """Waveforms in which every sample tells its sound (thousands) and its place (from 1)."""
    return [1000.0 * n + torch.arange(1.0, size + 1) for n, size in enumerate(sizes)]


def _sampler(waveforms: list[Tensor], segment: int, batch: int = 8, **more: Any) -> SegmentSampler:
    return SegmentSampler(waveforms, segment_samples=segment, batch_size=batch, **more)


@calm
@given(sizes=lengths, segment=st.integers(1, 80), seed=st.integers(0, 2**31 - 1))
def test_a_crop_is_a_piece_of_one_sound_or_all_of_it_in_silence(
    sizes: list[int], segment: int, seed: int
) -> None:
    batch = _sampler(_numbered(sizes), segment, seed=seed).batch()
    assert batch.shape == (8, segment)
    for row in batch:
        sound = row[row != 0]
        size = sizes[int(sound[0]) // 1000]
        assert len(sound) == min(segment, size)
        assert torch.equal(sound.diff(), torch.ones(len(sound) - 1))
        filled = row.nonzero().flatten()
        assert int(filled[-1] - filled[0]) == len(sound) - 1
        assert 1 <= int(sound[0]) % 1000 <= size - len(sound) + 1


@pytest.mark.parametrize("size", [7, 10, 13])
def test_every_place_is_drawn_equally_often(size: int) -> None:
    batch = _sampler(_numbered([size]), 10, 8000).batch()
    leading = (batch != 0).int().argmax(dim=1)
    starts = (batch[torch.arange(8000), leading] - leading).long()
    _, uses = torch.unique(starts, return_counts=True)
    assert len(uses) == abs(size - 10) + 1
    assert uses.min() > 0.85 * 8000 / len(uses)


def test_sounds_are_drawn_by_duration_and_short_ones_as_a_segment() -> None:
    batch = _sampler(_numbered([300, 100, 20]), 100, 10_000).batch()
    drawn = batch.amax(dim=1).div(1000, rounding_mode="floor").long()
    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    torch.testing.assert_close(shares, torch.tensor([0.6, 0.2, 0.2]), atol=0.02, rtol=0)


def test_levels_are_drawn_evenly_between_minus_the_gain_and_0_db() -> None:
    batch = _sampler([torch.ones(50)], 50, 4000, gain_db=12.0).batch()
    assert torch.equal(batch.amin(dim=1), batch.amax(dim=1))
    levels_db = 20 * batch[:, 0].log10()
    assert levels_db.min() >= -12.001 and levels_db.max() <= 0
    quarters = torch.histc(levels_db, 4, -12.001, 0.0) / 4000
    torch.testing.assert_close(quarters, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_without_gain_samples_are_untouched() -> None:
    waveform = torch.rand(500)
    assert torch.isin(_sampler([waveform], 20).batch(), waveform).all()


def test_a_seed_decides_the_draws_and_nothing_else_does() -> None:
    waveforms = _numbered([500])
    first = _sampler(waveforms, 20, seed=1).batch()
    state = torch.get_rng_state()
    assert torch.equal(_sampler(waveforms, 20, seed=1).batch(), first)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(_sampler(waveforms, 20, seed=2).batch(), first)


def test_a_loaded_state_continues_the_sequence() -> None:
    waveforms = _numbered([500, 40])
    one = _sampler(waveforms, 20, gain_db=6.0, seed=1)
    one.batch()
    state = one.state_dict()
    expected = [one.batch(), one.batch(3)]
    other = _sampler(waveforms, 20, gain_db=6.0, seed=99)
    other.load_state_dict(state)
    assert torch.equal(other.batch(), expected[0])
    assert torch.equal(other.batch(3), expected[1])


@calm
@given(sizes=lengths, piece=st.integers(1, 70), room=st.integers(1, 300))
def test_whole_sounds_hold_every_sample_once(sizes: list[int], piece: int, room: int) -> None:
    waveforms = _numbered(sizes)
    seen: list[Tensor] = []
    for batch, row_lengths in whole_sounds(waveforms, piece_samples=piece, batch_samples=room):
        assert batch.shape == (len(row_lengths), max(row_lengths))
        assert len(row_lengths) == 1 or batch.numel() <= room
        assert max(row_lengths) <= piece
        for row, length in zip(batch, row_lengths, strict=True):
            assert not row[length:].any()
            seen.append(row[:length])
    assert torch.equal(torch.cat(seen).sort().values, torch.cat(waveforms))
    assert [len(row) for row in seen] == sorted(len(row) for row in seen)


def test_a_long_sound_is_cut_into_pieces_in_place() -> None:
    batches = list(whole_sounds(_numbered([25]), piece_samples=10, batch_samples=20))
    assert [lengths for _, lengths in batches] == [[5, 10], [10]]
    assert batches[0][0].tolist() == [
        [21.0, 22.0, 23.0, 24.0, 25.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [float(sample) for sample in range(1, 11)],
    ]


def test_no_sounds_make_no_batches() -> None:
    assert list(whole_sounds([], piece_samples=10, batch_samples=20)) == []
