"""How far one collection of sounds is from another, by statistics of their mel frames."""

from __future__ import annotations

import torch
from torch import Tensor

from distill.arrays import as_floats
from distill.errors import ShapeError


def mel_statistics(log_mel: Tensor, clip_frames: int) -> Tensor:
    """Means and deviations of mel bands, clip by clip.

    Args:
        log_mel: (n_mels, frames) of a sound.
        clip_frames: of a clip; what is left over at the end is left out, but of a shorter sound.

    Returns:
        (clips, 2 * n_mels).

    Raises:
        ShapeError: no frames.
    """
    frames = as_floats(log_mel, "log_mel")
    if frames.ndim != 2 or 0 in frames.shape:
        raise ShapeError(f"log_mel {tuple(frames.shape)}: expected (n_mels, frames)")
    clips = frames.unfold(1, clip_frames, clip_frames) if frames.shape[1] >= clip_frames else None
    clips = frames[:, None] if clips is None else clips
    return torch.cat([clips.mean(-1), clips.std(-1, correction=0)]).T


def kernel_distance(sounds: Tensor, reference: Tensor) -> float:
    """Squared maximum mean discrepancy of two collections: unbiased, by a Gaussian kernel.

    Args:
        sounds: (clips, features), two at least.
        reference: (clips, features), two at least; the kernel is as wide as their median distance.

    Returns:
        0 on average where both are drawn alike, so that it may be below 0; at most 2.

    Raises:
        ShapeError: other shapes, or too few clips.

    Source: Gretton et al. 2012; for generated audio, Chung et al. 2025, "KAD: No More FAD!".
    """
    ours, theirs = as_floats(sounds, "sounds").double(), as_floats(reference, "reference").double()
    if ours.ndim != 2 or theirs.ndim != 2 or ours.shape[1] != theirs.shape[1]:
        raise ShapeError(
            f"sounds {tuple(ours.shape)} and reference {tuple(theirs.shape)}: expected (clips, "
            "features) of the same features"
        )
    if min(len(ours), len(theirs)) < 2:
        raise ShapeError(f"{len(ours)} and {len(theirs)} clips: expected two or more of each")
    width = torch.pdist(theirs).median().clamp(min=1e-12)

    def likeness(one: Tensor, other: Tensor) -> Tensor:
        apart = torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist")
        return (-(apart / width).square() / 2).exp()

    def among(one: Tensor) -> Tensor:
        return (likeness(one, one).sum() - len(one)) / (len(one) * (len(one) - 1))

    return float(among(ours) + among(theirs) - 2 * likeness(ours, theirs).mean())
