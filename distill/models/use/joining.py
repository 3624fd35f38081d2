"""Drawing towards what comes after: ends that are drawn several times, and loops without a seam."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from distill.models.prior.stream import CodeStream


def steps_of(stream: CodeStream, count: int, *, may_end: bool = True) -> Tensor:
    """The next steps of a stream, (count, level) int64.

    Args:
        stream: it moves on.
        count: how many, or none.
        may_end: whether sounds may end among them.
    """
    columns = [stream.next(may_end=may_end) for _ in range(count)]
    return torch.tensor(columns, dtype=torch.int64).reshape(count, stream.levels)


def likeliest_join(
    stream: CodeStream, count: int, after: Tensor, draws: int, *, may_end: bool = True
) -> Tensor:
    """Of several draws from one place on, the one that what follows fits best.

    Args:
        stream: where it stands is where all draws begin.
        count: steps of a draw.
        after: (steps, level), what follows; with none the first draw is as good as any.
        draws: how many.
        may_end: whether sounds may end within a draw.

    Returns:
        (count, level) int64.

    Source: importance resampling from the prior, of which the likeliest is taken.
    """
    best, least = torch.empty(0), math.inf
    for _ in range(draws if len(after) else 1):
        branch = stream.branch()
        drawn = steps_of(branch, count, may_end=may_end)
        bits = branch.bits_of(after) if len(after) else 0.0
        if bits < least:
            best, least = drawn, bits
    return best


def likeliest_round(stream: CodeStream, count: int, places: int, judged: int) -> Tensor:
    """Of all rounds in what a stream draws, the one whose beginning fits best behind its end.

    Args:
        stream: it moves on.
        count: steps of a round.
        places: so many beginnings are tried, a step from each other.
        judged: so many steps of a beginning, at most.

    Returns:
        (count, level) int64.
    """
    drawn = steps_of(stream, count)
    best, least = drawn, math.inf
    for place in range(places):
        round_ = drawn[place:]
        bits = stream.bits_of(round_[:judged])
        if bits < least:
            best, least = round_, bits
        drawn = torch.cat([drawn, steps_of(stream, 1)])
    return best


def looped(sound: Tensor, begin: int, length: int, fade: int) -> Tensor:
    """One round of a sound that repeats, whose last sample leads into its first.

    A vocoder gives every round phases of its own: the end of the round fades into what came before
    it, at equal power.

    Args:
        sound: (samples,), in which there are `fade` samples before the round.
        begin: of the round.
        length: of the round, in samples.
        fade: samples over which it fades.
    """
    round_ = sound[begin : begin + length].clone()
    fade = min(fade, length // 2)
    if fade:
        ramp = torch.linspace(0.0, math.pi / 2, fade)
        round_[-fade:] = round_[-fade:] * ramp.cos() + sound[begin - fade : begin] * ramp.sin()
    return round_
