from __future__ import annotations

import pytest
import torch

from distill import ConvVQVAE, LoadedVQModel, VQVAEConfig
from distill.models.use import code_pieces
from distill.models.use.code_pieces import indices_in_pieces
from distill.models.use.pieces import decode_in_pieces, encode_in_pieces


def small(**options: int) -> ConvVQVAE:
    torch.manual_seed(0)
    config = VQVAEConfig(
        width=16, latent_dim=8, levels=2, codebook_size=8, **{"stride": 2, **options}
    )
    model = ConvVQVAE(config)
    model.initialise(torch.randn(1, 128, 200))
    return model.eval()


@pytest.mark.parametrize("frames", [1, 39, 40, 41, 119, 120, 121, 333])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 1},
        {"stride": 3, "kernel_size": 3},
        {"stride": 5, "encoder_depth": 1, "decoder_depth": 1},
        {"encoder_depth": 5, "decoder_depth": 4, "kernel_size": 9},
    ],
)
@torch.no_grad()
def test_pieces_make_what_the_whole_makes(options: dict[str, int], frames: int) -> None:
    model = small(**options)
    mel = torch.randn(128, frames, generator=torch.Generator().manual_seed(1))
    latent = encode_in_pieces(model, mel, 20)
    torch.testing.assert_close(latent, model.encode(mel[None])[0], rtol=1e-4, atol=1e-5)
    indices = indices_in_pieces(model, latent, 20)
    assert torch.equal(indices, model.quantize(latent[None]).indices[0])
    embedding = model.codes_to_embeddings(indices[None])[0]
    made = decode_in_pieces(model, embedding, 20)
    torch.testing.assert_close(made, model.decode(embedding[None])[0], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_long_sound_never_goes_through_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    seen: list[int] = []
    encode = model.encode

    def noted(mel: torch.Tensor) -> torch.Tensor:
        seen.append(mel.shape[-1])
        return encode(mel)

    monkeypatch.setattr(model, "encode", noted)
    loaded = LoadedVQModel(model)
    codes = loaded.encode(torch.randn(4 * 60 * 48_000) * 0.1, 48_000)
    assert codes.steps == 11251
    assert len(seen) == 11 and max(seen) <= 2 * (code_pieces._REFINED_STEPS + 2 * 20)


@torch.no_grad()
def test_what_is_short_goes_through_whole_and_alike_to_the_bit() -> None:
    model = small()
    mel = torch.randn(128, 500)
    assert torch.equal(encode_in_pieces(model, mel), model.encode(mel[None])[0])
