"""Training the base: one long run over the material, which resumes exactly at any checkpoint."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from distill.atomic import remove_leftovers, write_atomically
from distill.audio.segments import SegmentSampler
from distill.audio.spectrogram import LogMel
from distill.config import VQVAEConfig
from distill.models.losses import vqvae_loss
from distill.models.vqvae.model import ConvVQVAE

CHECKPOINT = "training.pt"
SHIPPED_ENTRIES = 64
"""Of each codebook in the file; they would be half of it otherwise, and nobody starts with them."""
_FULL_SCALE = 32_767.0
_KMEANS_BATCHES = 5
_SPARE_SAMPLES = 511  # one hop less one: the segment has exactly its number of frames


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How something is trained; all of it is in every checkpoint."""

    steps: int
    seed: int = 0
    learning_rate: float = 2e-3
    warmup_steps: int = 200
    falling_share: float = 0.4
    """The last part of the steps, over which the learning rate falls to 0."""
    checkpoint_every: int = 200
    judge_every: int = 1000

    def rate(self, step: int) -> float:
        """The learning rate of a step: rising, level, falling."""
        rising = (step + 1) / self.warmup_steps if self.warmup_steps else 1.0
        falling = (self.steps - step) / max(1.0, self.falling_share * self.steps)
        return self.learning_rate * min(1.0, rising, falling)


@dataclass(frozen=True, kw_only=True)
class TrainingPlan(Plan):
    """How the base is trained."""

    steps: int = 24_000
    average_decay: float = 0.999
    """Of the moving average of all weights, which is what the base is made of."""
    mixed_share: float = 0.2
    """Of the segments, those that sound together with another one."""
    bfloat16: bool = False
    """Convolutions in half precision: a third less time where a processor knows it."""


class Learns(Protocol):
    """What `train` takes: all that a next step depends on."""

    step: int

    @property
    def plan(self) -> Plan:
        """How it is trained."""
        ...

    @property
    def config(self) -> Any:
        """Of the model."""
        ...

    def begin(self) -> None:
        """What is done before the first step."""
        ...

    def learn(self) -> float:
        """One step; its loss."""
        ...

    def judge(self) -> None:
        """Notes how good it is by now."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Everything; tensors and plain data alone."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues exactly where another one was."""
        ...


class Learner:
    """Model, optimiser, averages and random numbers: all that a next step depends on.

    Args:
        config: of the model; its batch size, segment length, gain and clipping count too.
        plan: of the training.
        sounds: (samples,) int16 each, to learn from.
        held: likewise, to judge by.
    """

    def __init__(
        self,
        config: VQVAEConfig,
        plan: TrainingPlan,
        sounds: Sequence[Tensor],
        held: Sequence[Tensor],
    ) -> None:
        torch.manual_seed(plan.seed)
        self.config, self.plan, self.step = config, plan, 0
        self.model, self.log_mel = ConvVQVAE(config).train(), LogMel(config.spectrogram)
        self.average: dict[str, Tensor] = {}
        self.curve: list[dict[str, float]] = []
        self._recent: list[float] = []
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=plan.learning_rate, weight_decay=config.weight_decay
        )
        self._sampler = self._sampling(sounds, seed=plan.seed)
        self._mixer = torch.Generator().manual_seed(plan.seed + 1)
        self._held = self._sampling(held, seed=0).batch(128) / _FULL_SCALE

    def _sampling(self, sounds: Sequence[Tensor], seed: int) -> SegmentSampler:
        frames, hop = self.config.segment_frames, self.config.spectrogram.hop_length
        return SegmentSampler(
            sounds,
            segment_samples=(frames - 1) * hop + min(_SPARE_SAMPLES, hop - 1),
            batch_size=self.config.batch_size,
            gain_db=self.config.augment_gain_db,
            seed=seed,
        )

    def _segments(self, size: int | None = None) -> Tensor:
        batch = self._sampler.batch(size) / _FULL_SCALE
        mixed = torch.rand(len(batch), 1, generator=self._mixer) < self.plan.mixed_share
        level = torch.rand(len(batch), 1, generator=self._mixer)
        return batch + mixed * level * batch.roll(1, dims=0)

    def begin(self) -> None:
        """Fills the codebooks from the first segments."""
        self.model.initialise(
            self.log_mel(self._segments(_KMEANS_BATCHES * self.config.batch_size))
        )
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """The reconstruction and the commitment; the codebooks always in full precision."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.bfloat16):
            latent = self.model.encode(mel)
        result = self.model.quantize(latent.float())
        with torch.autocast("cpu", torch.bfloat16, enabled=self.plan.bfloat16):
            made = self.model.decode(result.quantized, frames=mel.shape[-1])
        return made.float(), result.commitment

    def learn(self) -> float:
        """One step; its loss."""
        mel = self.log_mel(self._segments())
        made, commitment = self.forward(mel)
        weight = self.config.commitment_weight
        loss, _, _ = vqvae_loss(made, mel, commitment, commitment_weight=weight)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        for group in self._optimizer.param_groups:
            group["lr"] = self.plan.rate(self.step)
        self._optimizer.step()
        self.step += 1
        self._follow()
        self._recent.append(float(loss.detach()))
        return self._recent[-1]

    @torch.no_grad()
    def _follow(self) -> None:
        # Early averages follow faster, or they would hold the first random weights for long.
        decay = min(self.plan.average_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    @torch.no_grad()
    def judge(self) -> None:
        """Notes the mean loss since the last time, and the averaged model's on what is held out."""
        judged = self.averaged()
        with torch.random.fork_rng(devices=[]):
            mel = self.log_mel(self._held)
            made, _, commitment = judged(mel)
        _, distance, _ = vqvae_loss(made, mel, commitment)
        point = {
            "step": float(self.step),
            "loss": math.fsum(self._recent) / max(1, len(self._recent)),
            "held_out": float(distance),
        }
        self._recent.clear()
        self.curve.append(point)

    def averaged(self) -> ConvVQVAE:
        """A model of the averaged weights, in eval mode."""
        with torch.random.fork_rng(devices=[]):
            model = ConvVQVAE(self.config)
        model.load_state_dict(self.average)
        return model.eval()

    def to_ship(self) -> ConvVQVAE:
        """The averaged model with small codebooks, of material it did not learn from: whoever
        starts with it makes their own.
        """
        entries = min(self.config.codebook_size, SHIPPED_ENTRIES)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.plan.seed)
            model = ConvVQVAE(replace(self.config, codebook_size=entries))
            layers = {k: v for k, v in self.average.items() if not k.startswith("quantizer.")}
            model.load_state_dict(layers, strict=False)
            model.initialise(self.log_mel(self._held))
        return model.eval()

    def state_dict(self) -> dict[str, Any]:
        """Everything; tensors and plain data alone."""
        return {
            "config": self.config.to_dict(),
            "plan": asdict(self.plan),
            "step": self.step,
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizer": self._optimizer.state_dict(),
            "sampler": self._sampler.state_dict(),
            "mixer": self._mixer.get_state(),
            "torch": torch.get_rng_state(),
            "recent": list(self._recent),
            "curve": self.curve,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues exactly where another learner with the same sounds was."""
        self.step, self.curve, self._recent = state["step"], state["curve"], state["recent"]
        self.model.load_state_dict(state["model"])
        self.average = state["average"]
        self._optimizer.load_state_dict(state["optimizer"])
        self._sampler.load_state_dict(state["sampler"])
        self._mixer.set_state(state["mixer"])
        torch.set_rng_state(state["torch"])


def train(learner: Learns, folder: Path) -> Iterator[tuple[int, float]]:
    """Trains to the end of the plan, from the last checkpoint where there is one.

    Yields:
        Steps done and the loss of the last, after each.

    Raises:
        ValueError: the checkpoint is of another model or another plan.
    """
    remove_leftovers(folder)
    path = folder / CHECKPOINT
    if path.exists():
        learner.load_state_dict(_checked(read_checkpoint(path), learner, path))
    else:
        learner.begin()
    every = learner.plan.checkpoint_every
    while learner.step < learner.plan.steps:
        loss = learner.learn()
        ends = learner.step == learner.plan.steps
        if ends or learner.step % learner.plan.judge_every == 0:
            learner.judge()
        if ends or learner.step % every == 0:
            _write_checkpoint(path, learner)
        yield learner.step, loss


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint's state; nothing in it is executed."""
    return torch.load(path, weights_only=True)


def _write_checkpoint(path: Path, learner: Learns) -> None:
    memory = io.BytesIO()
    torch.save(learner.state_dict(), memory)
    with write_atomically(path) as file:
        file.write(memory.getbuffer())


def _checked(state: dict[str, Any], learner: Learns, path: Path) -> dict[str, Any]:
    may_change = {"steps", "falling_share", "checkpoint_every", "judge_every"}
    for name, found, expected in (
        ("model", state["config"], learner.config.to_dict()),
        ("plan", state["plan"], asdict(learner.plan)),
    ):
        other = [
            f"{key} {found.get(key)!r}, now {expected[key]!r}"
            for key in expected
            if found.get(key) != expected[key] and not (name == "plan" and key in may_change)
        ]
        if other:
            raise ValueError(
                f"{path}: trained with another {name} ({'; '.join(other)}): "
                "give the same options, or another --work folder"
            )
    return state
