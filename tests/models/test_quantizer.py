from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from distill.errors import NonFiniteError, ShapeError, UninitialisedError
from distill.models import QuantizerWrapper
from distill.models.vqvae import quantizer as quantizer_module
from distill.models.vqvae.joint_fit import thinned


def latents(batch: int = 4, steps: int = 64, seed: int = 0) -> Tensor:
    return torch.randn(batch, 8, steps, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def quantizer() -> QuantizerWrapper:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=3, codebook_size=16)
    wrapper.train()(latents())
    return wrapper


def test_shapes_are_levels_by_steps(quantizer: QuantizerWrapper) -> None:
    output = quantizer.eval()(latents(2, 10))
    assert output.quantized.shape == (2, 8, 10)
    assert output.indices.shape == (2, 3, 10)
    assert output.commitment.shape == (3,)


def naive(latent: Tensor, books: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A greedy residual quantizer: indices (level, step) and commitment (level,)."""
    residual, chosen, commitment = latent.T.numpy().copy(), [], []
    for book in books:
        nearest = ((residual[:, None] - book[None]) ** 2).sum(-1).argmin(1)
        chosen.append(nearest)
        commitment.append(((residual - book[nearest]) ** 2).mean())
        residual -= book[nearest]
    return np.stack(chosen), np.array(commitment)


def test_training_quantizes_greedily(quantizer: QuantizerWrapper) -> None:
    latent = latents(1, 20, seed=1)
    indices, commitment = naive(latent[0], quantizer.codebooks.numpy())
    output = quantizer.train()(latent)
    assert np.array_equal(output.indices[0].numpy(), indices)
    np.testing.assert_allclose(output.commitment.detach().numpy(), commitment, rtol=1e-4)


def test_encoding_looks_ahead_and_is_never_further_from_the_latent(
    quantizer: QuantizerWrapper,
) -> None:
    latent = latents(1, 200, seed=1)
    books = quantizer.codebooks.numpy()
    greedy, _ = naive(latent[0], books)
    output = quantizer.eval()(latent)
    target = latent[0].T.numpy()

    def errors(indices: np.ndarray) -> np.ndarray:
        total = sum(book[index] for book, index in zip(books, indices, strict=True))
        return ((target - total) ** 2).sum(-1)

    searched = errors(output.indices[0].numpy())
    np.testing.assert_allclose(
        output.quantized[0].T.numpy(),
        sum(book[i] for book, i in zip(books, output.indices[0].numpy(), strict=True)),
        rtol=1e-4,
        atol=1e-5,
    )
    assert searched.mean() < errors(greedy).mean()


def test_no_code_depends_on_its_neighbours(quantizer: QuantizerWrapper) -> None:
    quantizer.train()(latents())
    quantizer.eval()
    latent = latents(batch=3, steps=1500)
    whole = quantizer(latent)
    for batch, start, stop in ((0, 0, 1), (1, 3, 300), (2, 1, 258), (2, 0, 1500)):
        part = quantizer(latent[batch : batch + 1, :, start:stop])
        assert torch.equal(part.indices, whole.indices[batch : batch + 1, :, start:stop])
        assert torch.equal(part.quantized, whole.quantized[batch : batch + 1, :, start:stop])


def test_the_commitment_in_eval_is_the_squared_distance_of_each_level(
    quantizer: QuantizerWrapper,
) -> None:
    latent = latents(1, 30, seed=2)
    output = quantizer.eval()(latent)
    residual, expected = latent[0].T.numpy().copy(), []
    for book, index in zip(quantizer.codebooks.numpy(), output.indices[0].numpy(), strict=True):
        expected.append(((residual - book[index]) ** 2).mean())
        residual -= book[index]
    np.testing.assert_allclose(output.commitment.numpy(), expected, rtol=1e-4)


def test_no_code_contributes_exactly_nothing(quantizer: QuantizerWrapper) -> None:
    nothing = quantizer.embed(torch.full((1, 3, 5), -1))
    assert torch.equal(nothing, torch.zeros(3, 1, 8, 5))
    zero_entry = quantizer.embed(torch.zeros(1, 3, 5, dtype=torch.long))
    assert zero_entry.abs().sum() > 0


def test_embed_sums_to_what_forward_quantized(quantizer: QuantizerWrapper) -> None:
    output = quantizer.eval()(latents(2, 7))
    torch.testing.assert_close(quantizer.embed(output.indices).sum(0), output.quantized)


def test_eval_before_training_is_refused_and_changes_nothing() -> None:
    wrapper = QuantizerWrapper(dim=8, levels=2, codebook_size=16).eval()
    with pytest.raises(UninitialisedError, match=r"codebooks are empty: train the model"):
        wrapper(latents())
    assert not wrapper.initialised


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_bad_numbers_never_reach_the_codebooks(quantizer: QuantizerWrapper, bad: float) -> None:
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    latent = latents()
    latent[1, 2, 3] = bad
    with pytest.raises(NonFiniteError, match="NaN or Inf in the latent"):
        quantizer.train()(latent)
    for name, value in quantizer.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_unguarded_it_takes_any_latents_and_is_guarded_afterwards(
    quantizer: QuantizerWrapper,
) -> None:
    bad = torch.full((1, 8, 4), float("nan"))
    with quantizer.train().unguarded():
        assert torch.isnan(quantizer(bad).commitment).all()
    with pytest.raises(NonFiniteError):
        quantizer(bad)


def test_eval_leaves_the_codebooks_alone(quantizer: QuantizerWrapper) -> None:
    before = quantizer.codebooks.clone()
    quantizer.eval()(latents(seed=5))
    assert torch.equal(quantizer.codebooks, before)


def test_dead_entries_are_replaced_and_counted() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=16, decay=0.5)
    wrapper.train()(latents())
    assert wrapper.replaced.tolist() == [0]
    far, replaced = torch.full((1, 8, 64), 100.0) + latents(1, 64), 0
    for _ in range(6):  # entries near the origin starve
        wrapper(far)
        replaced += int(wrapper.replaced)
    assert replaced >= 15
    wrapper.eval()(far)
    assert wrapper.replaced.tolist() == [0]
    assert (wrapper.codebooks[0].norm(dim=1) > 100).sum() >= 15


def test_a_fair_code_is_not_churned() -> None:
    """With a fixed threshold of 2 hits, 288 positions on 256 entries re-rolled 65 % a step."""
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=256)
    wrapper.train()(latents(32, 64))
    replaced = 0
    for seed in range(20):
        wrapper(latents(6, 48, seed=seed))
        replaced += int(wrapper.replaced)
    assert replaced / 20 < 0.1 * 256


def test_dead_code_fraction_zero_replaces_nothing() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=16, decay=0.5, dead_code_fraction=0)
    wrapper.train()(latents())
    for _ in range(6):
        wrapper(torch.full((1, 8, 64), 100.0) + latents(1, 64))
        assert wrapper.replaced.tolist() == [0]


def test_codebooks_that_follow_slowly_keep_what_few_latents_need() -> None:
    far = torch.full((1, 8, 64), 100.0)
    moved = {}
    for share in (0.0, 0.25, 1.0):
        torch.manual_seed(0)
        wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=16, decay=0.5)
        wrapper.follow_slowly(share)
        wrapper.train()(latents())
        before = wrapper.codebooks
        replaced = 0
        for _ in range(6):
            wrapper(far + latents(1, 64))
            replaced += int(wrapper.replaced)
        assert (replaced > 0) == (share == 1.0)
        moved[share] = (wrapper.codebooks - before).norm(dim=-1)[0] > 1e-3
    assert [int(moved[share].sum()) for share in (0.0, 0.25)] == [0, 1]
    assert moved[1.0].sum() > 1


def test_codebooks_that_are_frozen_learn_nothing() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=2, codebook_size=16, decay=0.5, dead_code_fraction=1.0)
    wrapper.freeze()
    wrapper.initialise(latents(4, 64))
    before = {name: value.clone() for name, value in wrapper.state_dict().items()}
    wrapper.train()
    for _ in range(3):
        wrapper(100 + latents(1, 64))
        assert wrapper.replaced.tolist() == [0, 0]
    after = wrapper.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_entries_that_are_kept_are_kept_for_thousands_of_steps() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=2, codebook_size=16, decay=0.5)
    wrapper.follow_slowly(0.25)
    wrapper.initialise(latents(4, 64), batch_steps=64)
    before = wrapper.codebooks
    wrapper.train()
    for _ in range(2000):  # always one entry of each level
        wrapper(latents(1, 1))
    moved = (wrapper.codebooks - before).norm(dim=-1) / before.norm(dim=-1)
    assert (moved < 0.01).sum(dim=-1).tolist() == [15, 15]


def test_one_hit_moves_an_entry_that_is_kept_little() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=16, decay=0.97)
    wrapper.follow_slowly(0.25)
    wrapper.initialise(latents(4, 64), batch_steps=64)
    wrapper.train()
    for _ in range(1000):  # always one entry
        wrapper(latents(1, 1).expand(1, 8, 64))
    kept = wrapper.codebooks[0]
    entry = (int(wrapper(latents(1, 1).expand(1, 8, 64)).indices[0, 0, 0]) + 1) % 16
    batch = latents(1, 1).expand(1, 8, 64).clone()
    batch[0, :, 0] = 1.01 * kept[entry]
    assert int(wrapper(batch).indices[0, 0, 0]) == entry
    assert 0 < (wrapper.codebooks[0, entry] - kept[entry]).norm() < 1e-3 * kept[entry].norm()


def test_what_the_library_filled_alone_is_kept_without_harm() -> None:
    torch.manual_seed(0)
    wrapper = QuantizerWrapper(dim=8, levels=2, codebook_size=64, decay=0.5).train()
    wrapper.follow_slowly(0.25)
    for _ in range(3):  # many entries are never hit
        wrapper(latents(1, 16))
        assert torch.isfinite(wrapper.codebooks).all()


@pytest.mark.parametrize("entries", [1024, 65_536])
def test_the_background_is_no_more_than_can_be_compared(
    entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill.models.vqvae.quantizer._MOST_DISTANCES", 100 * entries)
    compared: list[int] = []

    def made(points: torch.Tensor, _weights: torch.Tensor, count: int) -> torch.Tensor:
        compared.append(len(points))
        return torch.zeros(count, 8)

    monkeypatch.setattr("distill.models.vqvae.quantizer.k_means", made)
    wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=entries)
    wrapper.initialise(latents(4, 64), background=torch.randn(5000, 8))
    assert compared == [86 + 25]  # every third latent, and a quarter of what may be compared


def test_codebooks_are_made_from_the_background_too() -> None:
    near, far = latents(4, 64), torch.full((8 * 16, 8), 100.0)
    for background, reached in ((None, False), (far, True)):
        torch.manual_seed(0)
        wrapper = QuantizerWrapper(dim=8, levels=1, codebook_size=16)
        wrapper.initialise(near, background=background)
        assert bool((wrapper.codebooks > 50).any()) == reached


@pytest.mark.parametrize(("positions", "count"), [(40, 40), (128, 128), (5000, 128)])
def test_the_background_counts_for_some_latents_an_entry(positions: int, count: int) -> None:
    wrapper = QuantizerWrapper(dim=8, levels=2, codebook_size=16)
    wrapper.initialise(latents(4, 64), background=torch.randn(positions, 8))
    for layer in wrapper.residual_vq.layers:
        assert float(layer._codebook.cluster_size.sum()) == pytest.approx(4 * 64 + count, rel=1e-4)


def test_utilization_of_codes(quantizer: QuantizerWrapper) -> None:
    indices = torch.zeros(2, 3, 50, dtype=torch.long)
    indices[:, 1] = torch.arange(50) % 16
    health = quantizer.get_codebook_utilization(indices)
    assert [level.dead_codes for level in health] == [15, 0, 15]
    assert health[1].perplexity == pytest.approx(16, rel=0.01)
    assert health[0].verdict == "collapsing"
    assert health[1].verdict == "healthy"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda q: q(torch.zeros(2, 5, 9)), r"latent \(2, 5, 9\): expected \(batch, 8, steps\)"),
        (lambda q: q(torch.zeros(8, 9)), r"latent \(8, 9\)"),
        (
            lambda q: q.embed(torch.zeros(1, 2, 5, dtype=torch.long)),
            r"indices \(1, 2, 5\): expected \(batch, 3, steps\)",
        ),
        (
            lambda q: q.embed(torch.full((1, 3, 5), 16)),
            r"codes from 16 to 16: expected -1 to 15",
        ),
        (lambda q: q.embed(torch.full((1, 3, 5), -2)), r"codes from -2"),
    ],
)
def test_wrong_shapes_are_named(quantizer: QuantizerWrapper, call: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(quantizer)  # type: ignore[operator]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda q: pickle.loads(pickle.dumps(q))])
def test_a_copy_learns_for_itself(
    duplicate: Callable[[QuantizerWrapper], QuantizerWrapper],
) -> None:
    """What a copy replaces are its own entries, counted by itself."""
    original = QuantizerWrapper(
        dim=4, levels=2, codebook_size=16, decay=0.5, dead_code_fraction=0.9
    ).train()
    noise = torch.Generator().manual_seed(0)
    original(torch.randn(2, 4, 16, generator=noise))
    before = {name: value.clone() for name, value in original.state_dict().items()}
    counts, made, replaced = original.replaced, duplicate(original), 0
    for _ in range(20):
        made(torch.randn(2, 4, 8, generator=noise))
        replaced += int(made.replaced.sum())
    assert replaced > 0
    assert torch.equal(original.replaced, counts)
    for name, value in original.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_k_means_compares_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    latent = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0))
    some = thinned(latent, 60)
    assert some.shape == (1, 4, 50)
    columns = {tuple(column) for column in latent.transpose(1, 2).reshape(-1, 4).tolist()}
    assert {tuple(column) for column in some[0].T.tolist()} <= columns
    assert thinned(latent, 150) is latent
    seen = []
    monkeypatch.setattr(quantizer_module, "_MOST_DISTANCES", 8 * 60)
    monkeypatch.setattr(
        quantizer_module, "thinned", lambda *given: seen.append(given[1]) or thinned(*given)
    )
    quantizer = QuantizerWrapper(dim=4, levels=2, codebook_size=8)
    quantizer.initialise(latent)
    assert quantizer.initialised and seen == [60]
