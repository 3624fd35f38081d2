from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from distill import (
    AudioCorpus,
    LoadedVQModel,
    mel_distance,
    rate_distortion,
    stft_distance,
)
from distill.analysis import RateReport
from distill.audio import TWO_SCALES
from distill.codebook import NO_CODE, entropy_bits


@pytest.fixture(scope="module")
def few(corpus: AudioCorpus) -> AudioCorpus:
    return dataclasses.replace(corpus, files=corpus.files[:3], waveforms=corpus.waveforms[:3])


@pytest.fixture(scope="module")
def report(model: LoadedVQModel, few: AudioCorpus) -> RateReport:
    return rate_distortion(model, few, progress=False)


def test_distances_are_those_of_what_the_first_levels_decode_to(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus
) -> None:
    for file, sound in enumerate(few.waveforms):
        codes = model.encode(sound, few.sample_rate)
        for levels in (1, 2, 3):
            indices = codes.indices.clone()
            indices[levels:] = NO_CODE
            made, _ = model.decode(dataclasses.replace(codes, indices=indices))
            found = report.files[file]
            two = mel_distance(sound, made, 48_000, TWO_SCALES)
            assert found.two_scale_mel[levels - 1] == pytest.approx(two, rel=1e-3)
            assert found.mel[levels - 1] == pytest.approx(
                mel_distance(sound, made, 48_000), rel=1e-3
            )
            assert found.stft[levels - 1] == pytest.approx(stft_distance(sound, made), rel=1e-3)


def test_the_floor_is_the_vocoder_alone(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus
) -> None:
    sound = few.waveforms[1]
    made = model.vocoder(model.spectrogram(sound), len(sound))
    assert report.files[1].floor["mel"] == pytest.approx(
        mel_distance(sound, made, 48_000), rel=1e-3
    )
    assert report.floor["mel"] == pytest.approx(np.mean([f.floor["mel"] for f in report.files]))
    assert all(report.floor[name] < getattr(report, name)[-1] for name in report.metrics)


def test_means_are_over_files(report: RateReport) -> None:
    for metric in report.metrics:
        rows = [getattr(file, metric) for file in report.files]
        np.testing.assert_allclose(getattr(report, metric), np.mean(rows, axis=0))
        assert getattr(report, metric).shape == (3,)


def test_bits_are_nominal_and_those_of_all_codes_together(
    report: RateReport, model: LoadedVQModel, few: AudioCorpus
) -> None:
    np.testing.assert_allclose(report.nominal_bps, [187.5, 375, 562.5])
    grids = [model.encode(sound, 48_000).indices for sound in few.waveforms]
    counts = torch.stack([torch.bincount(row, minlength=16) for row in torch.cat(grids, dim=1)])
    expected = entropy_bits(counts).cumsum(0) * model.vqvae_config.step_rate_hz
    np.testing.assert_allclose(report.entropy_bps, expected)
    assert (report.entropy_bps <= report.nominal_bps).all()


def test_the_worst_come_first(report: RateReport) -> None:
    worst = report.worst(2)
    assert len(worst) == 2
    assert worst[0].two_scale_mel[-1] == max(file.two_scale_mel[-1] for file in report.files)
    assert worst[0].two_scale_mel[-1] >= worst[1].two_scale_mel[-1]
    assert len(report.worst()) == 3
    assert report.worst(0) == ()
    assert report.files[worst[0].file] is worst[0]


def test_loudness_does_not_change_what_is_measured_of_codes(
    model: LoadedVQModel, few: AudioCorpus, report: RateReport
) -> None:
    quiet = dataclasses.replace(few, waveforms=tuple(w * 0.5 for w in few.waveforms))
    found = rate_distortion(model, quiet, progress=False)
    np.testing.assert_allclose(found.entropy_bps, report.entropy_bps)


def test_silence_and_very_short_sounds_have_numbers(model: LoadedVQModel, few: AudioCorpus) -> None:
    odd = dataclasses.replace(few, waveforms=(torch.zeros(4000), torch.ones(1), few.waveforms[2]))
    found = rate_distortion(model, odd, progress=False)
    for metric in found.metrics:
        assert np.isfinite(getattr(found, metric)).all()
    assert not found.files[0].mel.any()  # silence comes back as silence


def test_it_says_what_it_found(report: RateReport) -> None:
    lines = repr(report).splitlines()
    assert lines[0].startswith("RateReport of 'trained' on 3 files, ")
    assert " ".join(lines[1].split()) == "levels bit/s entropy bit/s two-scale mel mel STFT"
    assert [line.split()[0] for line in lines[2:]] == ["1", "1–2", "1–3", "vocoder"]
    assert lines[4].split()[3] == "562"
    assert report.files[0].name in report._repr_html_()


def test_a_bar_is_shown_only_where_asked_for(
    model: LoadedVQModel, few: AudioCorpus, capsys: pytest.CaptureFixture[str]
) -> None:
    one = dataclasses.replace(few, files=few.files[:1], waveforms=few.waveforms[:1])
    rate_distortion(model, one, progress=False)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")
