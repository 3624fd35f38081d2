from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from distill import VQVAEConfig, load_model_v2
from distill.models import read_model_info
from distill.models.file.container import read_header
from distill.models.vqvae.background import read_background
from tools.base import make, material, pack
from tools.base.__main__ import main
from tools.base.learning import (
    CHECKPOINT,
    SHIPPED_ENTRIES,
    Learner,
    Learns,
    TrainingPlan,
    read_checkpoint,
    train,
)
from tools.base.material import KINDS

TINY = VQVAEConfig(
    width=16, latent_dim=8, levels=2, codebook_size=8, batch_size=4, segment_frames=8
)
PLAN = TrainingPlan(steps=5, warmup_steps=2, checkpoint_every=2, judge_every=2)


def learner(plan: TrainingPlan = PLAN, config: VQVAEConfig = TINY) -> Learner:
    draws = torch.Generator().manual_seed(1)
    sounds = [torch.randint(-9999, 9999, (9000,), generator=draws).short() for _ in range(3)]
    return Learner(config, plan, sounds[1:], sounds[:1])


def equal(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and all(equal(one[k], other[k]) for k in one | other)
    if isinstance(one, (list, tuple)):
        return isinstance(other, type(one)) and all(map(equal, one, other))
    return one == other


@pytest.fixture
def only_own_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = tuple(k for k in KINDS if k.name in {"noises", "drum-machine", "fm"})
    monkeypatch.setattr(material, "KINDS", kinds)


def ends_as_if_it_had_not_been_killed(made: Callable[[], Learns], folder: Path) -> Learns:
    """Trains in five steps, a checkpoint every second, once whole and once killed after the third;
    gives what the killed one ended as.
    """
    for name in ("whole", "killed"):
        (folder / name).mkdir()
    whole = made()
    assert [step for step, _ in train(whole, folder / "whole")] == [1, 2, 3, 4, 5]

    work = train(made(), folder / "killed")
    assert [next(work)[0] for _ in range(3)] == [1, 2, 3]
    work.close()  # the third step is lost, the second is in the checkpoint
    torch.manual_seed(99)
    again = made()
    assert [step for step, _ in train(again, folder / "killed")] == [3, 4, 5]
    assert equal(whole.state_dict(), again.state_dict())
    return again


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    again = ends_as_if_it_had_not_been_killed(learner, tmp_path)
    assert [point["step"] for point in again.state_dict()["curve"]] == [2, 4, 5]


def test_another_model_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    list(train(learner(), tmp_path))
    other = VQVAEConfig(**{**vars(TINY), "width": 24})
    with pytest.raises(ValueError, match=r"another model \(width 16, now 24\): give the same"):
        list(train(learner(config=other), tmp_path))
    with pytest.raises(ValueError, match=r"another plan \(seed 0, now 7\)"):
        list(train(learner(TrainingPlan(steps=5, warmup_steps=2, seed=7)), tmp_path))


def test_a_longer_plan_continues(tmp_path: Path) -> None:
    list(train(learner(), tmp_path))
    longer = TrainingPlan(steps=7, warmup_steps=2, checkpoint_every=2, judge_every=2)
    assert [step for step, _ in train(learner(longer), tmp_path)] == [6, 7]


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    plan = TrainingPlan(steps=100, warmup_steps=10, falling_share=0.4, learning_rate=1.0)
    assert plan.rate(0) == pytest.approx(0.1)
    assert plan.rate(30) == plan.rate(59) == 1.0
    assert plan.rate(80) == pytest.approx(0.5)
    assert 0 < plan.rate(99) < 0.03


def test_half_precision_and_full_start_alike(tmp_path: Path) -> None:
    half = TrainingPlan(steps=5, warmup_steps=2, bfloat16=True)
    losses = []
    for plan in (PLAN, half):
        one = learner(plan)
        one.begin()
        losses.append(one.learn())
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_the_averages_follow_the_weights(tmp_path: Path) -> None:
    one = learner()
    one.begin()
    before = {name: value.clone() for name, value in one.average.items()}
    for _ in range(2):
        one.learn()
    key = "decoder.0.weight"
    assert not torch.equal(one.average[key], before[key])
    assert torch.equal(one.averaged().state_dict()[key], one.average[key])
    assert not one.averaged().training


@pytest.mark.usefixtures("only_own_sound")
def test_one_call_makes_material_base_and_report(tmp_path: Path) -> None:
    path = make.make_base(tmp_path, seconds=1.5, config=TINY, training=PLAN, clip_s=0.25)
    loaded, info = load_model_v2(path), read_model_info(path)
    assert info.metadata["licence"] == "MIT"
    assert info.metadata["digest"] == loaded.digest
    provenance = info.metadata["provenance"]
    assert provenance["plan"]["steps"] == provenance["step"] == 5
    assert [source["name"] for source in provenance["material"]["sources"]] == ["own"]
    assert info.loss_curves["held_out"]

    state = read_checkpoint(tmp_path / CHECKPOINT)["average"]
    for name, value in loaded.model.state_dict().items():
        if not name.startswith("quantizer."):  # in the file they are small, and fitted anew
            assert torch.equal(value, state[name].half().to(value.dtype)), name
    assert loaded.codebooks.shape[1] == min(TINY.codebook_size, SHIPPED_ENTRIES)

    record = json.loads((tmp_path / "report.json").read_text())
    assert record["digest"] == loaded.digest and record["file_bytes"] == path.stat().st_size
    page = (tmp_path / "report.md").read_text()
    assert loaded.digest in page and "| drum-machine | " in page and "synthesis in tools" in page

    before = path.read_bytes()
    again = make.make_base(tmp_path, seconds=1.5, config=TINY, training=PLAN, clip_s=0.25)
    assert torch.equal(load_model_v2(again).model.decoder[0].weight, loaded.model.decoder[0].weight)
    assert len(before) == path.stat().st_size


@pytest.mark.usefixtures("only_own_sound")
def test_a_base_gets_a_background_of_its_material(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = learner()
    one.begin()
    base = tmp_path / "base.distill"
    digest = pack.pack(base, one.averaged(), {"curve": []})
    asked = ["--work", str(tmp_path), "--seconds", "30", "--background", str(base)]
    found = []
    for _ in range(2):
        assert main(asked) == 0
        path = tmp_path / "base-background.distill"
        assert str(path) in capsys.readouterr().out
        header = read_header(path)
        found.append(header.texts["checksum"])
        assert json.loads(header.texts["background"]) == {"model": digest}
        material_of = json.loads(header.texts["provenance"])["material"]
        assert material_of["seconds"] == 30
        latents = read_background(path)
        assert latents.shape[1] == TINY.latent_dim and latents.unique(dim=0).shape[0] > 100
    assert found[0] == found[1]


def test_what_cannot_be_shipped_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = learner()
    one.begin()
    record = {"curve": []}
    monkeypatch.setattr(pack, "LARGEST_BYTES", 10)
    with pytest.raises(ValueError, match="at most 10 can be shipped"):
        pack.pack(tmp_path / "base.distill", one.averaged(), record)
    one.average["decoder.0.weight"][0] = 1e9
    with pytest.raises(ValueError, match="does not fit half precision"):
        pack.pack(tmp_path / "base.distill", one.averaged(), record)


def test_a_missing_source_ends_the_command_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.base.licences._SOUNDS", tmp_path / "nothing")
    assert main(["--work", str(tmp_path), "--seconds", "10", "--steps", "1"]) == 1
    assert "apt-get install fluid-soundfont-gm" in capsys.readouterr().err
