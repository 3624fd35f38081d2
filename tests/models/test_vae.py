from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import ConvVAE, SpectrogramConfig, VAEConfig, vae_loss
from distill.errors import ShapeError

SMALL = {"width": 16, "latent_dim": 8}


def ready(**fields: int) -> ConvVAE:
    torch.manual_seed(0)
    return ConvVAE(VAEConfig(**{**SMALL, **fields})).eval()


@settings(max_examples=25, deadline=None)
@given(
    frames=st.integers(1, 40),
    stride=st.integers(1, 5),
    latent_dim=st.integers(1, 9),
    encoder_depth=st.integers(1, 3),
    decoder_depth=st.integers(1, 3),
)
def test_any_length_gives_dimensions_by_steps(frames: int, **fields: int) -> None:
    model, mel = ready(**fields), torch.randn(2, 128, frames)
    for training in (True, False):
        with torch.no_grad():
            reconstruction, mean, log_variance = model.train(training)(mel)
        assert reconstruction.shape == mel.shape
        assert (
            mean.shape
            == log_variance.shape
            == (2, fields["latent_dim"], -(-frames // fields["stride"]))
        )
        assert torch.isfinite(reconstruction).all()


def test_in_use_the_mean_is_decoded() -> None:
    model, mel = ready(), torch.randn(2, 128, 31)
    with torch.no_grad():
        reconstruction, mean, _ = model(mel)
        assert torch.equal(model.encode(mel), mean)
        assert torch.equal(model.decode(mean, frames=31), reconstruction)
        assert torch.equal(model(mel)[0], reconstruction)


def test_in_training_a_sample_is_decoded() -> None:
    model, mel = ready().train(), torch.randn(2, 128, 31)
    drawn = []
    model.decoder.register_forward_pre_hook(lambda _, inputs: drawn.append(inputs[0]))
    with torch.no_grad():
        for _ in range(400):
            _, mean, log_variance = model(mel)
    samples = torch.stack(drawn)
    assert not torch.equal(samples[0], samples[1])
    spread = (log_variance / 2).exp()
    torch.testing.assert_close(
        (samples.std(dim=0) / spread).mean(), torch.tensor(1.0), atol=0.02, rtol=0
    )
    assert float(((samples.mean(dim=0) - mean) / spread).abs().mean()) < 0.06


def test_the_log_variance_is_bounded_whatever_comes() -> None:
    model = ready()
    with torch.no_grad():
        _, _, log_variance = model(torch.randn(1, 128, 8) * 1e6)
    assert float(log_variance.abs().max()) <= 8


@pytest.mark.slow
def test_it_overfits_one_batch() -> None:
    torch.manual_seed(0)
    model = ConvVAE(VAEConfig(width=32, latent_dim=16)).train()
    mel = torch.nn.functional.interpolate(torch.randn(2, 128, 6), 24, mode="linear")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(150):
        reconstruction, mean, log_variance = model(mel)
        loss, distance, _ = vae_loss(reconstruction, mel, mean, log_variance)
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
    n_mels=st.integers(8, 20),
)
def test_a_config_knows_how_many_numbers_its_model_holds(n_mels: int, **shape: int) -> None:
    config = VAEConfig(**shape, spectrogram=SpectrogramConfig(n_mels=n_mels))
    with torch.device("meta"):
        tensors = ConvVAE(config).state_dict()
    assert config.parameters == sum(tensor.numel() for tensor in tensors.values())
