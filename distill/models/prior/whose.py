"""Whose prior it is: each knows the codes of one model, and no other may use it."""

from __future__ import annotations

import json
from pathlib import Path

from distill.errors import PriorError
from distill.models.file.digest import digest_of, part_of
from distill.models.prior.trained import TrainedPrior
from distill.models.use.match import called
from distill.names import printable


def prior_digest(prior: TrainedPrior) -> str:
    """What tells a prior from every other: SHA-256 of its weights and its codec's digest.

    Of one that knows classes also of their names: a sound is made again by them.
    """
    weights = prior.module.state_dict().items()
    names = {"classes": json.dumps(prior.config.classes)} if prior.config.classes else {}
    return digest_of(map(part_of, weights), {"codec": prior.codec_digest, **names})


def check_codec(prior: TrainedPrior, name: str, digest: str, path: Path | None) -> None:
    """Checks that a prior was made for a model.

    Args:
        prior: to be used with it.
        name: of the model.
        digest: of the model.
        path: of its file.

    Raises:
        PriorError: it was made for another; both are named.
    """
    if prior.codec_digest != digest:
        raise PriorError(
            f"this prior was made for {called(prior.codec_name, prior.codec_digest)}, and this "
            f"model is {called(name, digest)}, whose codes mean something else; {_how(path)}"
        )


def no_prior(name: str, path: Path | None) -> PriorError:
    """The error of a model that has no prior.

    Args:
        name: of the model.
        path: of its file.
    """
    return PriorError(f"{printable(name)!r} has no prior to make new sounds with; {_how(path)}")


def _how(path: Path | None) -> str:
    file = printable(path.name) if path else "MODEL"
    return (
        f"train one: distill train-prior {file} FOLDER, in Python train_prior(model, sounds, "
        "run_folder)"
    )
