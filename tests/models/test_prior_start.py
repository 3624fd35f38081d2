"""A prior to start from: what both have is taken over, and a damaged file is refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st

from distill import PriorConfig
from distill.config import VQVAEConfig
from distill.errors import ModelFileError
from distill.models.file.container import read_container, write_container
from distill.models.prior.model import CodePrior
from distill.models.prior.start import StartingPrior, base_prior_paths, write_starting_prior
from distill.models.start import StartingModel, base_paths

CODEC = "5" * 64
SMALL = {"width": 8, "code_dim": 4, "codebook_size": 6}


def prior(seed: int, **changes: object) -> CodePrior:
    """Random weights, all of them other than at the start of a training."""
    torch.manual_seed(seed)
    module = CodePrior(PriorConfig.from_dict({**SMALL, **changes}))
    for weight in module.parameters():
        torch.nn.init.normal_(weight)
    return module


@given(theirs=st.integers(1, 5), ours=st.integers(1, 5), entries=st.integers(2, 9))
@settings(max_examples=20, deadline=None)
def test_what_both_have_is_taken_over_and_all_else_stays(
    theirs: int, ours: int, entries: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("start") / "base.distill"
    base = prior(1, levels=theirs)
    write_starting_prior(path, base, CODEC, {})
    module = prior(2, levels=ours, codebook_size=entries, conditions=["loudness"])
    before = {key: weight.clone() for key, weight in module.state_dict().items()}
    start = StartingPrior.described(path)
    assert start.codec == CODEC and not start.misfit(module.config)
    start.give(module)

    both = min(theirs, ours)
    known = {key: weight.half().float() for key, weight in base.state_dict().items()}
    for key, weight in module.state_dict().items():
        part, *names = key.split(".")
        if key == "take.weight":
            columns = both * SMALL["code_dim"]
            assert torch.equal(weight[:, :columns], known[key][:, :columns])
            assert torch.equal(weight[:, columns:], before[key][:, columns:])
        else:
            of_entries = names[1:2] in (["bias"], ["free"])
            is_higher = part == "heads" and int(names[0]) >= both
            stays = part == "told" or of_entries or is_higher
            assert torch.equal(weight, (before if stays else known)[key]), key


def test_settings_that_it_cannot_serve_are_named(tmp_path: Path) -> None:
    write_starting_prior(tmp_path / "base.distill", prior(1), CODEC, {})
    start = StartingPrior.described(tmp_path / "base.distill")
    other = PriorConfig.from_dict({**SMALL, "width": 12, "layers": 2})
    assert start.misfit(other) == "width 8, here 12; layers 1, here 2"


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_that_was_changed_is_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("forged")
    written = write_starting_prior(folder / "base.distill", prior(1), CODEC, {}).read_bytes()
    place = data.draw(st.integers(0, len(written) - 1))
    forged = written[:place] + bytes([written[place] ^ data.draw(st.integers(1, 255))])
    if data.draw(st.booleans()):
        forged += written[place + 1 :]
    (folder / "forged.distill").write_bytes(forged)
    module = prior(2)
    before = {key: weight.clone() for key, weight in module.state_dict().items()}
    with pytest.raises(ModelFileError):
        StartingPrior.described(folder / "forged.distill").give(module)
    assert all(torch.equal(module.state_dict()[key], weight) for key, weight in before.items())


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_file_that_lacks_weights_or_has_others_changes_nothing(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whole files, with a checksum of their own, as somebody might have made them."""
    path = tmp_path_factory.mktemp("forged") / "base.distill"
    header, weights = read_container(write_starting_prior(path, prior(1), CODEC, {}))
    key = data.draw(st.sampled_from(sorted(weights)))
    odd = data.draw(st.sampled_from([None, torch.zeros(()), torch.zeros(3), torch.zeros(2, 2, 2)]))
    weights.pop(key)
    if odd is not None:
        weights[key] = odd
    weights |= {"heads": torch.zeros(2), "heads.².x": torch.ones(2)}
    write_container(path, weights, header.texts)
    module = prior(2)
    before = {name: weight.clone() for name, weight in module.state_dict().items()}
    with pytest.raises(ModelFileError, match="the weights"):
        StartingPrior.described(path).give(module)
    assert all(torch.equal(module.state_dict()[name], weight) for name, weight in before.items())


def test_one_that_was_replaced_meanwhile_is_refused(tmp_path: Path) -> None:
    path = write_starting_prior(tmp_path / "base.distill", prior(1), CODEC, {})
    start = StartingPrior.described(path)
    write_starting_prior(path, prior(3), CODEC, {})
    with pytest.raises(ModelFileError, match=r"base\.distill: was replaced by another one"):
        start.give(prior(2))


def test_each_base_that_is_installed_has_its_prior() -> None:
    for base, path, (stride, levels) in zip(
        base_paths(), base_prior_paths(), ((4, 6), (2, 3)), strict=True
    ):
        start = StartingPrior.described(path)
        assert start.codec == StartingModel.described(base).digest
        config = PriorConfig.for_codec(VQVAEConfig(stride=stride, levels=levels))
        assert not start.misfit(config) and start.said.levels == levels
        start.give(CodePrior(config))
        assert path.stat().st_size < 2_500_000
    digests = [StartingPrior.described(path).digest for path in base_prior_paths()]
    assert all(one != other for one, other in itertools.pairwise(digests))
