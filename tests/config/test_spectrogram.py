from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from distill.config import SpectrogramConfig
from distill.errors import ConfigError

calm = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize("n_fft", [65, 2047])
def test_an_odd_window_is_refused(n_fft: int) -> None:
    with pytest.raises(ConfigError, match=f"^n_fft={n_fft}: expected an even number$"):
        SpectrogramConfig(n_fft=n_fft, hop_length=16)


def test_frames_that_hardly_overlap_are_refused() -> None:
    expected = (
        "^hop_length=1025: expected at most half of n_fft=2048, "
        "or the frames do not overlap enough to become sound again$"
    )
    with pytest.raises(ConfigError, match=expected):
        SpectrogramConfig(hop_length=1025)
    assert SpectrogramConfig(hop_length=1024).frame_rate_hz == 46.875


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "rate", "message"),
    [
        (0.0, 24_001.0, 48_000, r"f_max_hz=24001\.0: .* half the sample rate \(24000\)"),
        (500.0, 500.0, 48_000, r"f_max_hz=500\.0: expected above f_min_hz=500 and at most half"),
        (2_500.0, None, 4_000, r"f_max_hz=None: expected above f_min_hz=2500 and .*\(2000\)"),
    ],
)
def test_bands_lie_below_half_the_rate(
    low_hz: float, high_hz: float | None, rate: int, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        SpectrogramConfig(
            sample_rate=rate, n_fft=512, hop_length=128, f_min_hz=low_hz, f_max_hz=high_hz
        )


def test_the_top_is_half_the_rate_unless_said() -> None:
    assert SpectrogramConfig().top_hz == 24_000
    assert SpectrogramConfig(f_max_hz=8000.0).top_hz == 8000


@calm
@given(rate=st.integers(4000, 384_000))
def test_every_rate_has_windows_of_about_43_ms(rate: int) -> None:
    config = SpectrogramConfig.for_rate(rate)
    assert config.sample_rate == rate
    assert 2**-0.5 <= config.n_fft / rate / (2048 / 48_000) <= 2**0.5
    assert config.n_fft == 4 * config.hop_length
    assert config.n_fft.bit_count() == 1


def test_the_default_rate_has_the_default_spectrogram() -> None:
    assert SpectrogramConfig.for_rate(48_000) == SpectrogramConfig()


@pytest.mark.parametrize("rate", [0, 3999, 384_001])
def test_a_rate_beyond_the_limits_is_refused(rate: int) -> None:
    expected = f"^sample_rate={rate}: expected a whole number from 4000 to 384000$"
    with pytest.raises(ConfigError, match=expected):
        SpectrogramConfig.for_rate(rate)
