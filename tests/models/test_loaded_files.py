"""Files of any length through a model: the same as whole, in pieces; codes know their model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings, strategies as st

from distill import (
    Codes,
    ConvVQVAE,
    LoadedVQModel,
    SpectrogramConfig,
    VQVAEConfig,
    read_audio,
    save_model_v2,
)
from distill.audio.signal_window import Window
from distill.codebook import NO_CODE
from distill.errors import AudioFileError, CodesError, NotEnoughMemoryError, OutputExistsError
from distill.models.use import sounds as sounds_module

RATE = 8_000
LONG_S = 200


def made(seed: int = 0, **options: int) -> LoadedVQModel:
    torch.manual_seed(seed)
    spectrogram = dataclasses.replace(SpectrogramConfig.for_rate(RATE), n_mels=16)
    config = VQVAEConfig(
        width=16,
        latent_dim=4,
        codebook_size=16,
        spectrogram=spectrogram,
        **{"levels": 3, **options},
    )
    model = ConvVQVAE(config)
    model.initialise(torch.randn(1, 16, 400))
    return LoadedVQModel(model.eval(), metadata={"name": f"model {seed}"})


@pytest.fixture(scope="module")
def model() -> LoadedVQModel:
    return made()


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Longer than a piece of any stage, at another rate than the model's, in two channels."""
    path = tmp_path_factory.mktemp("long") / "long.wav"
    random = np.random.default_rng(0)
    sound = 0.3 * random.standard_normal((LONG_S * 11_025, 2)).astype(np.float32)
    sound[: 11_025 * 3] = 0
    soundfile.write(path, sound, 11_025)
    return path


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds_module, "_HELD_SAMPLES", 1000)
    monkeypatch.setattr(sounds_module, "_HELD_BYTES", 1000)


@pytest.mark.slow
@pytest.mark.usefixtures("little_memory")
def test_a_file_in_pieces_gives_what_the_whole_gives(
    model: LoadedVQModel, long_file: Path, tmp_path: Path
) -> None:
    sound, rate = read_audio(long_file)
    codes, whole = model.encode_file(long_file), model.encode(sound, rate)
    assert torch.equal(codes.indices, whole.indices)
    assert (codes.samples, codes.peak) == (whole.samples, whole.peak)
    pieces = list(model.decode_pieces(codes))
    assert len(pieces) > 5
    decoded, _ = model.decode(codes)
    assert torch.equal(torch.cat(pieces), decoded)
    reconstructed, _ = model.reconstruct(sound, rate)
    written = model.reconstruct_file(long_file, tmp_path / "made.wav")
    found, found_rate = soundfile.read(written, dtype="float32")
    assert (found_rate, len(found)) == (11_025, LONG_S * 11_025)
    subtype = soundfile.info(written).subtype
    step = {"PCM_16": 1 / 32_768, "FLOAT": 0.0}[subtype]
    assert np.abs(found - reconstructed.numpy()).max() <= step
    again = model.decode_file(codes, tmp_path / "decoded.wav")
    assert soundfile.info(again).frames == codes.samples
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decoded.wav", "made.wav"]


@settings(max_examples=30, deadline=None)
@given(samples=st.integers(1, 6000), seed=st.integers(0, 9), data=st.data())
def test_frames_in_pieces_are_those_of_the_whole(
    model: LoadedVQModel, samples: int, seed: int, data: st.DataObject
) -> None:
    sound = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    cuts = sorted(data.draw(st.sets(st.integers(1, samples), max_size=4)) | {samples})
    pieces = [sound[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]
    found = torch.cat(list(model.spectrogram.in_pieces(Window(pieces), samples)), dim=-1)
    assert torch.equal(found, model.spectrogram(sound))


def test_a_window_forgets_and_says_so() -> None:
    pieces = (torch.arange(start, start + 10) for start in range(0, 100, 10))
    window = Window(pieces)
    assert window.take(5, 25).tolist() == list(range(5, 25))
    assert window.take(5, 7).tolist() == [5, 6]
    assert window.take(40, 41).tolist() == [40]
    assert window.take(95, 200).tolist() == list(range(95, 100))
    with pytest.raises(ValueError, match="3 lies before 95, where the window begins by now"):
        window.take(3, 4)


@pytest.mark.usefixtures("little_memory")
def test_hours_never_lie_in_memory_whole(
    model: LoadedVQModel, long_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    forward = model.spectrogram.of_padded

    def noted(rows: torch.Tensor) -> torch.Tensor:
        seen.append(rows.untyped_storage().nbytes() // 4)
        return forward(rows)

    monkeypatch.setattr(model.spectrogram, "of_padded", noted)
    codes = model.encode_file(long_file)
    assert len(seen) > 1
    assert max(seen) < codes.samples


def test_running_out_of_memory_is_an_error_of_ours(
    model: LoadedVQModel, long_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate "
                           "memory: you tried to allocate 1 bytes")  # fmt: skip

    monkeypatch.setattr(model.model, "encode", full)
    with pytest.raises(NotEnoughMemoryError, match=r"^long\.wav: the memory of this machine does"):
        model.encode_file(long_file)
    with pytest.raises(MemoryError, match="the memory of this machine does not suffice"):
        model.reconstruct(torch.zeros(100), RATE)
    with pytest.raises(NotEnoughMemoryError, match=r"^long\.wav: "):
        model.reconstruct_file(long_file, tmp_path / "out.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_vocoder_of_somebody_else_gets_whole_frames(long_file: Path, tmp_path: Path) -> None:
    class Ones:
        def __call__(self, log_mel: torch.Tensor, samples: int | None = None) -> torch.Tensor:
            return torch.ones(samples or log_mel.shape[1])

    model = made()
    model.vocoder = Ones()
    codes = model.encode(torch.full((4000,), 0.5), RATE)
    path = model.decode_file(codes, tmp_path / "a.wav")
    assert np.allclose(soundfile.read(path)[0], 0.5, atol=1e-4)


def test_the_source_is_never_written_over(model: LoadedVQModel, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(1000), RATE)
    before = path.read_bytes()
    (tmp_path / "link.wav").symlink_to(path)
    for target in ("take.wav", "link.wav"):
        with pytest.raises(OutputExistsError, match="is the file that is read, and is never"):
            model.reconstruct_file(path, tmp_path / target, overwrite=True)
    (tmp_path / "other.wav").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match=r"other\.wav: is there already"):
        model.reconstruct_file(path, tmp_path / "other.wav")
    assert path.read_bytes() == before and (tmp_path / "other.wav").read_bytes() == b"mine"


def test_a_file_without_a_sample_is_refused_by_name(model: LoadedVQModel, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), RATE)
    with pytest.raises(AudioFileError, match=r"^none\.wav: "):
        model.encode_file(tmp_path / "none.wav")


# --- codes and their model ------------------------------------------------------------------------


@pytest.fixture
def codes(model: LoadedVQModel) -> Codes:
    sound = torch.randn(4000, generator=torch.Generator().manual_seed(1)) * 0.1
    return model.encode(sound, RATE)


def test_codes_of_another_model_of_the_same_shape_are_refused_by_name(
    model: LoadedVQModel, codes: Codes, tmp_path: Path
) -> None:
    other = made(1)
    read = Codes.load(codes.save(tmp_path / "a"))
    expected = (
        rf"codes of the model 'model 0' \({model.digest[:8]}\); this model is 'model 1' "
        rf"\({other.digest[:8]}\): decode them with the one that made them"
    )
    for refused in (codes, read):
        with pytest.raises(CodesError, match=expected):
            other.decode(refused)
        with pytest.raises(CodesError, match=expected):
            other.decode_file(refused, tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()
    assert len(other.decode(read, force=True)[0]) == 4000
    assert other.decode_file(read, tmp_path / "a.wav", force=True).is_file()


def test_a_renamed_model_still_knows_its_codes(
    model: LoadedVQModel, codes: Codes, tmp_path: Path
) -> None:
    from distill import edit_metadata, load_model_v2

    path = save_model_v2(tmp_path / "m.distill", model)
    edit_metadata(path, name="other name", tags=["a"])
    assert torch.equal(load_model_v2(path).decode(codes)[0], model.decode(codes)[0])


def test_fewer_levels_decode_as_such_and_more_do_not(model: LoadedVQModel, codes: Codes) -> None:
    first = codes.with_indices(codes.indices[:1])
    filled = codes.indices.clone()
    filled[1:] = NO_CODE
    expected, _ = model.decode(codes.with_indices(filled))
    assert torch.equal(model.decode(first)[0], expected)
    more = codes.with_indices(torch.cat([codes.indices, codes.indices[:1]]))
    with pytest.raises(CodesError, match="codes of 4 levels × 16 entries; this model has 3 × 16"):
        model.decode(more, force=True)


def test_codes_whose_model_nobody_knows_decode(model: LoadedVQModel, codes: Codes) -> None:
    old = dataclasses.replace(codes, made_by="", model_name="")
    assert torch.equal(made(1).decode(old)[0], made(1).decode(codes, force=True)[0])


@pytest.fixture(params=["text", "none", "tensor", "array"])
def no_codes(request: pytest.FixtureRequest, codes: Codes) -> Iterator[object]:
    yield {
        "text": "kick.npz", "none": None, "tensor": codes.indices, "array": codes.indices.numpy()
    }[request.param]  # fmt: skip


def test_what_is_no_codes_is_refused(model: LoadedVQModel, no_codes: object) -> None:
    with pytest.raises(CodesError, match="where codes were expected: what `encode` returns"):
        model.decode(no_codes)  # type: ignore[arg-type]


def test_codes_of_another_rate_are_refused(model: LoadedVQModel, codes: Codes) -> None:
    with pytest.raises(CodesError, match=r"codes at 16000 Hz in steps of .* model works at 8000"):
        model.decode(dataclasses.replace(codes, sample_rate=16_000))
