from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import ConvVQVAE, SpectrogramConfig, VQVAEConfig
from distill.errors import ShapeError
from distill.models import vqvae_loss

SMALL = {"width": 16, "latent_dim": 8, "codebook_size": 16}


def ready(**fields: int) -> ConvVQVAE:
    torch.manual_seed(0)
    model = ConvVQVAE(VQVAEConfig(**{**SMALL, **fields}))
    model.initialise(torch.randn(4, model.config.spectrogram.n_mels, 64))
    return model.eval()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 40),
    stride=st.integers(1, 5),
    levels=st.integers(1, 16),
    encoder_depth=st.integers(1, 3),
    decoder_depth=st.integers(1, 3),
)
def test_any_length_gives_a_true_grid(frames: int, **fields: int) -> None:
    model = ready(**fields)
    mel = torch.randn(2, 128, frames)
    with torch.no_grad():
        reconstruction, indices, commitment = model(mel)
    assert reconstruction.shape == mel.shape
    assert indices.shape == (2, fields["levels"], -(-frames // fields["stride"]))
    assert commitment.shape == (fields["levels"],)
    assert torch.isfinite(reconstruction).all()


def test_decoding_the_codes_is_the_reconstruction() -> None:
    model, mel = ready(), torch.randn(2, 128, 31)
    with torch.no_grad():
        reconstruction, indices, _ = model(mel)
        decoded = model.decode(model.codes_to_embeddings(indices), frames=31)
    torch.testing.assert_close(decoded, reconstruction)


def test_a_code_belongs_to_one_moment() -> None:
    """Changing one step of the grid changes the sound near that step and nowhere far."""
    model = ready()
    indices = torch.randint(0, 16, (1, 3, 100), generator=torch.Generator().manual_seed(0))
    changed = indices.clone()
    changed[0, 0, 50] = (changed[0, 0, 50] + 1) % 16
    with torch.no_grad():
        one, other = (model.decode(model.codes_to_embeddings(i)) for i in (indices, changed))
    moved = (one - other).abs().amax(dim=(0, 1)).nonzero().flatten()
    at = 50 * model.config.stride
    assert at - 40 < int(moved.min()) <= at <= int(moved.max()) < at + 40


def test_initialise_fills_codebooks_once_and_keeps_the_mode() -> None:
    model = ConvVQVAE(VQVAEConfig(**SMALL)).eval()
    model.initialise(torch.randn(4, 128, 64))
    assert model.quantizer.initialised
    assert not model.training
    before = model.quantizer.codebooks.clone()
    model.initialise(torch.randn(4, 128, 64))
    assert torch.equal(model.quantizer.codebooks, before)


@pytest.mark.slow
def test_it_overfits_one_batch() -> None:
    torch.manual_seed(0)
    model = ConvVQVAE(VQVAEConfig(**{**SMALL, "width": 32, "codebook_size": 64})).train()
    mel = torch.nn.functional.interpolate(torch.randn(2, 128, 6), 24, mode="linear")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(150):
        reconstruction, _, commitment = model(mel)
        loss, distance, _ = vqvae_loss(reconstruction, mel, commitment)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(distance.detach()))
    assert losses[-1] < 0.25 * losses[0]


@pytest.mark.parametrize("shape", [(128, 10), (2, 64, 10), (2, 128, 0)])
def test_wrong_frames_are_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"expected \(batch, 128, frames\), at least one frame"):
        ready()(torch.zeros(shape))


@settings(max_examples=30, deadline=None)
@given(
    width=st.integers(8, 20),
    encoder_depth=st.integers(1, 4),
    decoder_depth=st.integers(1, 4),
    kernel_size=st.sampled_from([1, 3, 9]),
    latent_dim=st.integers(1, 9),
    stride=st.integers(1, 5),
    levels=st.integers(1, 4),
    codebook_size=st.integers(2, 30),
    n_mels=st.integers(8, 20),
)
def test_a_config_knows_how_many_numbers_its_model_holds(n_mels: int, **shape: int) -> None:
    config = VQVAEConfig(**shape, spectrogram=SpectrogramConfig(n_mels=n_mels))
    with torch.device("meta"):
        tensors = ConvVQVAE(config).state_dict()
    assert config.parameters == sum(tensor.numel() for tensor in tensors.values())
