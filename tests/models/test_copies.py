"""Copies of a model are models of their own: what one learns, the other does not know."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch

from distill import ConvVQVAE, LoadedVQModel, VQVAEConfig

COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "copy of a copy": lambda model: copy.deepcopy(pickle.loads(pickle.dumps(model))),
}


@pytest.fixture(params=COPIES)
def copied(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return COPIES[request.param]


def made() -> ConvVQVAE:
    torch.manual_seed(0)
    config = VQVAEConfig(
        width=8, latent_dim=4, levels=2, codebook_size=16, encoder_depth=1, decoder_depth=1,
        kernel_size=3, codebook_decay=0.5,
    )  # fmt: skip
    model = ConvVQVAE(config)
    model.initialise(torch.randn(4, 128, 64))
    return model


def train(model: ConvVQVAE) -> None:
    """Batches of nearly one and the same frame: most entries die and are replaced."""
    torch.manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    model.train()
    for _ in range(30):
        mel = 3.0 + 0.01 * torch.randn(2, 128, 16)
        reconstruction, _, commitment = model(mel)
        loss = (reconstruction - mel).abs().mean() + commitment.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()


def replaced_in(model: ConvVQVAE, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries of this very model each step replaces, as the library does it."""
    counts: list[int] = []
    books = [layer._codebook for layer in model.quantizer.residual_vq.layers]
    kind = type(books[0])
    replace = kind.replace

    def counted(book: Any, samples: torch.Tensor, batch_mask: torch.Tensor, **options: Any) -> None:
        if any(book is one for one in books):
            counts.append(int(batch_mask.sum()))
        replace(book, samples, batch_mask=batch_mask, **options)

    monkeypatch.setattr(kind, "replace", counted)
    return counts


def state(model: ConvVQVAE) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_training_a_copy_replaces_no_entry_of_the_original(
    copied: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made()
    before = state(model)
    other = copied(model)
    assert same(before, state(other))
    of_copy, of_model = replaced_in(other, monkeypatch), replaced_in(model, monkeypatch)
    train(other)
    assert sum(of_copy) > 0  # or nothing was shown
    assert of_model == []
    assert same(before, state(model))
    assert not same(before, state(other))


def test_training_the_original_leaves_a_copy_alone(
    copied: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made()
    other = copied(model)
    before = state(other)
    of_copy, of_model = replaced_in(other, monkeypatch), replaced_in(model, monkeypatch)
    train(model)
    assert sum(of_model) > 0
    assert of_copy == []
    assert same(before, state(other))


def test_a_copy_learns_what_the_original_would(copied: Callable[[Any], Any]) -> None:
    model = made()
    other = copied(model)
    train(model)
    train(other)
    assert same(state(model), state(other))


def test_a_model_in_use_is_copied_whole(copied: Callable[[Any], Any]) -> None:
    model = LoadedVQModel(made().eval(), metadata={"name": "a"})
    sound = torch.sin(torch.arange(9_000) * 0.05)
    codes, digest = model.encode(sound, 48_000), model.digest
    other = copied(model)
    assert torch.equal(other.encode(sound, 48_000).indices, codes.indices)
    assert torch.equal(other.decode(codes)[0], model.decode(codes)[0])
    assert (other.digest, other.name) == (digest, "a")
    train(other.model)
    assert model.digest == digest != other.digest
    assert torch.equal(model.encode(sound, 48_000).indices, codes.indices)
