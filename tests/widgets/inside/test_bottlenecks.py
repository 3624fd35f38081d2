"""Views of codes are shown models of latents, and the other way round."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from distill import build_atlas, load_model, rate_distortion
from distill.errors import ModelTypeError
from distill_widgets import CodebookExplorer, CodesView, LatentExplorer, RateView


@pytest.fixture(scope="module")
def vae(trained_vae):
    return load_model(trained_vae.model_path)


@pytest.fixture(scope="module")
def model(trained):
    return trained.load()


def test_views_of_codes_say_what_shows_a_vae(vae, model, corpus, comms):
    atlas = build_atlas(model, corpus, progress=False)
    rates = rate_distortion(model, corpus, progress=False)
    views = {
        "CodesView": lambda: CodesView(vae, corpus.files[0].path),
        "an atlas": lambda: CodebookExplorer(atlas, vae),
        "RateView": lambda: RateView(rates, vae, corpus),
    }
    for asked, show in views.items():
        said = f"^{asked} looks at the codebooks .* a VAE \\('vae'\\). LatentExplorer\\(model\\) "
        with pytest.raises(ModelTypeError, match=said):
            show()
    assert not any(comm.is_open for comm in comms)


def test_a_view_of_latents_says_what_shows_an_rvq_vae(model, corpus, comms):
    said = r"^LatentExplorer looks at .* 'trained' has none: .* CodesView\(model, sound\), Codebook"
    for sound in (None, corpus.files[0].path):
        with pytest.raises(ModelTypeError, match=said):
            LatentExplorer(model, sound)
    assert not any(comm.is_open for comm in comms)


@pytest.mark.parametrize("given", [None, "m.distill", SimpleNamespace(name="m")])
def test_what_is_no_model_in_use_is_named(given, corpus):
    for show in (LatentExplorer, CodesView):
        with pytest.raises(ModelTypeError, match=r"expected one that load_model\(path\) has open"):
            show(given, corpus.files[0].path)
