from __future__ import annotations

import pytest

from distill import AudioCorpus, CodebookAtlas, LoadedVQModel, build_atlas
from distill.training import TrainingResult


@pytest.fixture(scope="session")
def model(trained: TrainingResult) -> LoadedVQModel:
    """Read it, never write to it."""
    return trained.load()


@pytest.fixture(scope="session")
def atlas(model: LoadedVQModel, corpus: AudioCorpus) -> CodebookAtlas:
    return build_atlas(model, corpus, progress=False)
