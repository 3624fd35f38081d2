from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from distill.config import SpectrogramConfig, TrainingConfig, VAEConfig, VQVAEConfig
from distill.errors import ConfigError, DistillError

calm = settings(deadline=None)  # a busy machine is no failure

LIMITS: dict[type, dict[str, tuple[float, float]]] = {
    SpectrogramConfig: {
        "sample_rate": (4000, 384_000),
        "n_fft": (64, 16_384),
        "hop_length": (16, 8192),
        "n_mels": (8, 512),
        "f_min_hz": (0.0, 10_000.0),
        "f_max_hz": (100.0, 192_000.0),
    },
    VQVAEConfig: {
        "max_epochs": (1, 10_000_000),
        "max_steps": (1, 1_000_000_000),
        "max_seconds": (0.1, 1e7),
        "seed": (0, 2**31 - 1),
        "batch_size": (1, 4096),
        "segment_frames": (8, 8192),
        "learning_rate": (1e-7, 1.0),
        "fine_tuning_share": (1e-3, 1.0),
        "validation_fraction": (0.0, 0.5),
        "preview_seconds": (0.1, 60.0),
        "levels": (1, 16),
        "codebook_size": (2, 65_536),
        "kernel_size": (1, 63),
        "stride": (1, 16),
        "codebook_decay": (0.0, 0.9999),
        "codebook_tuning_share": (0.0, 1.0),
        "dead_code_fraction": (0.0, 1.0),
    },
    VAEConfig: {
        "latent_dim": (1, 1024),
        "kl_weight": (0.0, 1000.0),
        "kl_warmup": (0.0, 1.0),
        "free_bits": (0.0, 100.0),
    },
}
CASES = [
    (kind, name, low, high)
    for kind, fields in LIMITS.items()
    for name, (low, high) in fields.items()
]
numbers = [
    (kind, item)
    for kind in (SpectrogramConfig, TrainingConfig, VAEConfig, VQVAEConfig)
    for item in dataclasses.fields(kind)
    if item.metadata.get("kind") in (int, float)
]


@pytest.mark.parametrize(("kind", "name", "low", "high"), CASES)
def test_beyond_its_limits_a_field_is_refused_by_name(
    kind: Callable[..., Any], name: str, low: float, high: float
) -> None:
    noun = "a whole number" if isinstance(low, int) else "a number"
    step = 1 if isinstance(low, int) else 1e-9
    for value in (low - step, high + max(step, high * 1e-9 if step < 1 else 1)):
        expected = f"{name}={value!r}: expected {noun} from {low:g} to {high:g}"
        with pytest.raises(ConfigError) as caught:
            kind(**{name: value})
        assert str(caught.value) == expected


@pytest.mark.parametrize(("kind", "name", "low", "high"), CASES)
def test_at_its_limits_a_field_passes_its_own_check(
    kind: Callable[..., Any], name: str, low: float, high: float
) -> None:
    for value in (low, high):
        try:
            assert getattr(kind(**{name: value}), name) == value
        except ConfigError as error:
            assert " from " not in str(error)


@pytest.mark.parametrize(("kind", "item"), numbers, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("value", ["3", True, [3], math.nan, math.inf, None])
def test_what_is_no_number_is_refused(
    kind: Callable[..., Any], item: dataclasses.Field[Any], value: object
) -> None:
    if value is None and item.metadata["optional"]:
        assert getattr(kind(**{item.name: None}), item.name) is None
        return
    with pytest.raises(ConfigError, match=rf"^{item.name}=.*: expected a (whole )?number from "):
        kind(**{item.name: value})


@pytest.mark.parametrize("value", ["True", 1, 0.0, None, math.nan])
def test_what_is_neither_true_nor_false_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^tunes_codes=.*: expected True or False$"):
        VQVAEConfig(tunes_codes=value)  # type: ignore[arg-type]
    assert VQVAEConfig(tunes_codes=True).tunes_codes


def test_a_fraction_is_no_whole_number_but_a_whole_number_is_a_number() -> None:
    with pytest.raises(ConfigError, match=r"^levels=3\.0: expected a whole number from 1 to 16$"):
        VQVAEConfig(levels=3.0)  # type: ignore[arg-type]
    assert VQVAEConfig(learning_rate=1).learning_rate == 1


def _draw(item: dataclasses.Field[Any]) -> st.SearchStrategy[Any]:
    low, high = item.metadata["low"], item.metadata["high"]
    number = st.integers(low, high) if item.metadata["kind"] is int else st.floats(low, high)
    return st.none() | number if item.metadata["optional"] else number


def _settings(kind: type) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {}, optional={item.name: _draw(item) for owner, item in numbers if owner is kind}
    )


@calm
@given(values=_settings(TrainingConfig))
def test_training_fields_are_free_within_their_limits(values: dict[str, Any]) -> None:
    config = TrainingConfig(**values)
    assert {name: getattr(config, name) for name in values} == values


@st.composite
def spectrograms(draw: Callable[[st.SearchStrategy[Any]], Any]) -> SpectrogramConfig:
    n_fft = 2 * draw(st.integers(32, 8192))
    rate = draw(st.integers(4000, 384_000))
    low_hz = draw(st.floats(0, min(10_000, rate / 2 - 200)))
    return SpectrogramConfig(
        sample_rate=rate,
        n_fft=n_fft,
        hop_length=draw(st.integers(max(16, -(-n_fft // 128)), n_fft // 2)),
        f_min_hz=low_hz,
        f_max_hz=draw(st.none() | st.floats(low_hz + 100, rate / 2)),
    )


@calm
@given(values=_settings(VQVAEConfig), spectrogram=spectrograms())
def test_a_config_survives_json(values: dict[str, Any], spectrogram: SpectrogramConfig) -> None:
    values["kernel_size"] = values.get("kernel_size", 7) | 1
    for name, most in (("width", 256), ("codebook_size", 4096)):  # together they have a ceiling
        values[name] = min(values.get(name, most), most)
    config = VQVAEConfig(**values, spectrogram=spectrogram)
    plain = json.loads(json.dumps(config.to_dict()))
    assert VQVAEConfig.from_dict(plain) == config
    assert SpectrogramConfig.from_dict(plain["spectrogram"]) == spectrogram


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": 3}, r"^level: no such setting; did you mean levels\?$"),
        ({"xyzzy": 1}, "^xyzzy: no such setting; known: max_epochs, max_steps, max_seconds, .*"),
        (
            {"spectrogram": {"hop_lenght": 3}},
            r"^hop_lenght: no such setting; did you mean hop_length\?$",
        ),
        ({"spectrogram": {"n_mels": 0}}, "^n_mels=0: expected a whole number from 8 to 512"),
        ({"spectrogram": None}, "^spectrogram=None: expected a SpectrogramConfig"),
        ({"spectrogram": 48_000}, "^spectrogram=48000: expected a SpectrogramConfig"),
        ({"levels": 0}, "^levels=0: expected a whole number from 1 to 16$"),
        ({"kernel_size": 4}, "^kernel_size=4: expected an odd number$"),
    ],
)
def test_plain_data_is_checked_like_everything_else(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        VQVAEConfig.from_dict(values)


def test_configs_cannot_be_changed_and_errors_are_also_value_errors() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'levels'"):
        VQVAEConfig().levels = 2  # type: ignore[misc]
    assert issubclass(ConfigError, DistillError) and issubclass(ConfigError, ValueError)


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        ({}, 300.0),
        ({"max_seconds": 12.5}, 12.5),
        ({"max_epochs": 3}, None),
        ({"max_steps": 3}, None),
        ({"max_steps": 3, "max_seconds": 9.0}, 9.0),
    ],
)
def test_without_any_budget_a_run_takes_five_minutes(
    budget: dict[str, Any], seconds: float | None
) -> None:
    assert TrainingConfig(**budget).budget_s == seconds


@calm
@given(levels=st.integers(1, 16), bits=st.integers(1, 15), stride=st.integers(1, 16))
def test_bit_rate_is_levels_times_bits_times_steps(levels: int, bits: int, stride: int) -> None:
    config = VQVAEConfig(levels=levels, codebook_size=2**bits, stride=stride)
    assert config.step_rate_hz == pytest.approx(48_000 / 512 / stride)
    assert config.bits_per_second == pytest.approx(levels * bits * 48_000 / 512 / stride)


def test_numpy_numbers_become_python_numbers() -> None:
    config = VQVAEConfig(levels=np.int64(2), max_seconds=np.float32(4.0))
    assert (type(config.levels), type(config.max_seconds)) == (int, float)
    assert json.loads(json.dumps(config.to_dict()))["levels"] == 2


def test_a_number_too_long_to_be_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="levels=a number of thousands of digits: expected"):
        VQVAEConfig(levels=10**5000)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (10**400, "1" + "0" * 58 + "…"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        ("<b>\n", r"'<b>\\n'"),
        ([1] * 1000, r"\[1, 1, .*…"),
    ],
)
def test_any_value_is_shown_short(value: object, shown: str) -> None:
    for name in ("levels", "learning_rate"):
        with pytest.raises(ConfigError, match=f"{name}={shown}: expected a") as caught:
            VQVAEConfig(**{name: value})
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("values", [None, [1], "text", 3, {"spectrogram": [1]}])
def test_what_is_no_table_is_refused(values: Any) -> None:
    with pytest.raises(ConfigError, match=r"expected names and values|expected a Spec"):
        VQVAEConfig.from_dict(values)


def test_a_model_has_a_ceiling() -> None:
    wide = {"width": 2048, "encoder_depth": 32, "decoder_depth": 32}
    for values in (wide, {"levels": 8, "codebook_size": 65_536, "latent_dim": 1024}):
        with pytest.raises(
            ConfigError, match=r"a model of \d+ numbers: expected at most 268435456"
        ):
            VQVAEConfig(**values)
    VQVAEConfig(codebook_size=65_536, levels=8)
    VQVAEConfig(width=2048)


def test_windows_overlap_with_a_limit() -> None:
    SpectrogramConfig(n_fft=2048, hop_length=16)
    with pytest.raises(ConfigError, match="hop_length=16: expected at least n_fft=16384 / 128"):
        SpectrogramConfig(n_fft=16_384, hop_length=16)


def test_a_name_of_a_setting_is_shown_short() -> None:
    with pytest.raises(ConfigError, match="no such setting") as caught:
        VQVAEConfig.from_dict({"x" * 10_000 + "\n": 1})
    assert len(str(caught.value)) < 900 and "\n" not in str(caught.value)


def test_plain_training_settings_become_those_of_a_vae() -> None:
    plain = TrainingConfig(max_steps=7, seed=3)
    config = VAEConfig.of(plain)
    assert config == VAEConfig(max_steps=7, seed=3)
    assert VAEConfig.of(config) is config


def test_settings_of_another_family_do_not_become_those_of_a_vae() -> None:
    message = "settings of type VQVAEConfig: expected VAEConfig, or a plain TrainingConfig"
    with pytest.raises(ConfigError) as caught:
        VAEConfig.of(VQVAEConfig())
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", [VAEConfig, VQVAEConfig])
def test_a_model_of_any_family_has_a_ceiling(kind: type[VAEConfig] | type[VQVAEConfig]) -> None:
    with pytest.raises(ConfigError, match=r"^a model of \d+ numbers: expected at most 268435456; "):
        kind(width=2048, encoder_depth=32)
