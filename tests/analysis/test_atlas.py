from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from distill import AudioCorpus, CodebookAtlas, Codes, LoadedVQModel, VQVAEConfig, build_atlas
from distill.analysis import entry_sound, identify
from distill.audio.sound_features import brightness_hz, loudness_db
from distill.codebook import count_codes
from distill.errors import (
    AtlasError,
    AtlasModelError,
    MissingExtraError,
    PartError,
    UninitialisedError,
)
from distill.models import ConvVQVAE


@pytest.fixture(scope="module")
def encoded(model: LoadedVQModel, corpus: AudioCorpus) -> list[Codes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "refinements", 0)  # the atlas shows what the encoder means by an entry
        return [model.encode(waveform, corpus.sample_rate) for waveform in corpus.waveforms]


@pytest.fixture(scope="module")
def lonely(model: LoadedVQModel, corpus: AudioCorpus) -> CodebookAtlas:
    """Of one very short file: most entries are never used."""
    short = dataclasses.replace(
        corpus, files=corpus.files[:1], waveforms=(corpus.waveforms[0][:2500],)
    )
    return build_atlas(model, short, progress=False)


def test_it_holds_the_codes_the_model_makes(atlas: CodebookAtlas, encoded: list[Codes]) -> None:
    for file, codes in enumerate(encoded):
        np.testing.assert_array_equal(atlas.codes_of(file), codes.indices.numpy())
    assert atlas.codes.dtype == np.uint16
    assert atlas.steps == sum(codes.steps for codes in encoded)


def test_uses_are_counted_by_entry_and_by_file(atlas: CodebookAtlas, encoded: list[Codes]) -> None:
    for file, codes in enumerate(encoded):
        np.testing.assert_array_equal(
            atlas.file_counts[file], count_codes(codes.indices, 16).numpy()
        )
    np.testing.assert_array_equal(atlas.file_counts.sum(axis=0), atlas.counts)
    assert (atlas.counts.sum(axis=1) == atlas.steps).all()


def test_an_entry_sounds_as_it_does_alone(atlas: CodebookAtlas, model: LoadedVQModel) -> None:
    for level, entry in ((0, 0), (1, 7), (2, 15)):
        expected = entry_sound(model, level, entry).numpy()
        np.testing.assert_allclose(atlas.sound(level, entry), expected, rtol=1e-3, atol=1e-4)
        assert atlas.loudness_db[level, entry] == pytest.approx(loudness_db(expected), abs=0.01)
        assert atlas.brightness_hz[level, entry] == pytest.approx(
            brightness_hz(expected, 48_000), rel=1e-3
        )
    assert atlas.sounds.dtype == atlas.mels.dtype == np.float16
    assert atlas.sounds.shape == (3, 16, 14 * 1024)
    assert atlas.mels.shape == (3, 16, 128, 28)


def test_moments_are_where_an_entry_is_said(atlas: CodebookAtlas) -> None:
    for level in range(atlas.levels):
        for entry in range(atlas.entries):
            moments = atlas.moments(level, entry)
            assert bool(moments) == bool(atlas.counts[level, entry])
            distances = [moment.distance for moment in moments]
            assert distances == sorted(distances)
            for moment in moments:
                begin = round(moment.start_s / atlas.step_seconds)
                length = round(moment.seconds / atlas.step_seconds)
                assert (atlas.codes_of(moment.file)[level, begin : begin + length] == entry).all()
                assert moment.name == atlas.files[moment.file]


def test_distances_are_to_what_the_entry_stands_for(
    atlas: CodebookAtlas, model: LoadedVQModel, corpus: AudioCorpus, encoded: list[Codes]
) -> None:
    codebooks = model.model.quantizer.codebooks
    for level in range(3):
        entry = int(atlas.counts[level].argmax())
        moment = atlas.moments(level, entry)[0]
        left = model.latent(corpus.waveforms[moment.file], corpus.sample_rate).clone()
        for earlier in range(level):
            left -= codebooks[earlier][encoded[moment.file].indices[earlier]].T
        begin = round(moment.start_s / atlas.step_seconds)
        length = round(moment.seconds / atlas.step_seconds)
        apart = (left[:, begin : begin + length] - codebooks[level, entry][:, None]).norm(dim=0)
        assert moment.distance == pytest.approx(float(apart.min()), rel=1e-4)


def test_the_main_file_uses_an_entry_most(atlas: CodebookAtlas) -> None:
    for level in range(3):
        for entry in range(16):
            uses = atlas.file_counts[:, level, entry]
            main = atlas.main_file[level, entry]
            assert (main == -1) if not uses.any() else uses[main] == uses.max()


def test_neighbours_are_other_entries_of_the_level(atlas: CodebookAtlas) -> None:
    assert atlas.nearest.shape == (3, 16, 8)
    for level in range(3):
        for entry in range(16):
            first = atlas.nearest[level, entry, 0]
            apart = np.linalg.norm(atlas.embeddings[level] - atlas.embeddings[level, entry], axis=1)
            apart[entry] = np.inf
            assert apart[first] == pytest.approx(apart.min(), abs=1e-4)
            assert entry not in atlas.nearest[level, entry]


def test_an_entry_never_used_is_there_all_the_same(lonely: CodebookAtlas) -> None:
    dead = lonely.dead(1)
    assert len(dead) >= 16 - lonely.steps
    for entry in dead.tolist():
        assert lonely.moments(1, entry) == ()
        assert lonely.main_file[1, entry] == -1
        assert np.isfinite(lonely.sound(1, entry)).all()
    for name in ("loudness_db", "brightness_hz", "nearest_distances", "sounds", "mels"):
        assert np.isfinite(getattr(lonely, name)).all(), name
    assert np.isfinite(lonely.coordinates(1)).all()
    assert lonely.pairs(0, 1).sum() == lonely.steps
    assert lonely.transitions(0).sum() == lonely.steps - 1
    np.testing.assert_allclose(lonely.file_similarity(), [[1.0]])


def test_statistics_agree_with_one_another(atlas: CodebookAtlas) -> None:
    pairs = atlas.pairs(0, 2)
    np.testing.assert_array_equal(pairs.sum(axis=1), atlas.counts[0])
    np.testing.assert_array_equal(pairs.sum(axis=0), atlas.counts[2])
    np.testing.assert_array_equal(atlas.pairs(1, 1), np.diag(atlas.counts[1]))
    assert atlas.transitions(1).sum() == atlas.steps - len(atlas.files)
    ranked = atlas.rank_frequency(0)
    assert sorted(atlas.counts[0].tolist(), reverse=True) == ranked.tolist()
    assert len(atlas.dead(0)) == (ranked == 0).sum() == atlas.health[0].dead_codes
    similar = atlas.file_similarity()
    assert similar.shape == (len(atlas.files), len(atlas.files))
    np.testing.assert_allclose(np.diag(similar), 1.0)
    np.testing.assert_allclose(similar, similar.T)


def test_files_are_named_below_the_folder_they_share(
    atlas: CodebookAtlas, corpus: AudioCorpus
) -> None:
    assert atlas.files == tuple(file.path.name for file in corpus.files)
    assert atlas.paths == tuple(str(file.path) for file in corpus.files)


def test_its_health_has_the_models_labels(model: LoadedVQModel, atlas: CodebookAtlas) -> None:
    renamed = dataclasses.replace(atlas, labels=("bass", "body", "air"))
    assert [level.label for level in renamed.health] == ["bass", "body", "air"]
    assert renamed.health[2].samples == atlas.steps


def test_it_knows_its_model_whatever_its_name(
    atlas: CodebookAtlas, model: LoadedVQModel, tiny_config: VQVAEConfig
) -> None:
    atlas.check_model(model)
    assert atlas.model.is_of(model)
    atlas.check_model(LoadedVQModel(model.model, metadata={"name": "renamed"}))
    other = LoadedVQModel(ConvVQVAE(tiny_config).eval(), metadata={"name": "other"})
    digest, given = atlas.model.digest[:8], identify(other).digest[:8]
    with pytest.raises(
        AtlasModelError,
        match=rf"an atlas of the model 'trained' \({digest}\), given with the model 'other' "
        rf"\({given}\): build one of this model, or load the other",
    ):
        atlas.check_model(other)


def test_one_weight_makes_another_model(model: LoadedVQModel) -> None:
    copy = ConvVQVAE(model.vqvae_config).eval()
    copy.load_state_dict(model.model.state_dict())
    assert identify(LoadedVQModel(copy)).digest == identify(model).digest
    with torch.no_grad():
        next(copy.parameters()).view(-1)[0] += 1e-3
    assert identify(LoadedVQModel(copy)).digest != identify(model).digest


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda a: a.coordinates(3), "level=3: expected 0 to 2"),
        (lambda a: a.pairs(0, -1), "level=-1: expected 0 to 2"),
        (lambda a: a.transitions(9), "level=9: expected 0 to 2"),
        (lambda a: a.rank_frequency(3), "level=3: expected 0 to 2"),
        (lambda a: a.dead(3), "level=3: expected 0 to 2"),
        (lambda a: a.moments(0, 16), "entry=16: expected 0 to 15"),
        (lambda a: a.sound(0, -1), "entry=-1: expected 0 to 15"),
        (lambda a: a.codes_of(99), "file=99: expected 0 to 9"),
    ],
)
def test_what_is_not_there_is_named(atlas: CodebookAtlas, ask: Any, message: str) -> None:
    with pytest.raises(PartError, match=message):
        ask(atlas)


def test_an_untrained_model_is_refused(corpus: AudioCorpus, tiny_config: VQVAEConfig) -> None:
    untrained = LoadedVQModel(ConvVQVAE(tiny_config).eval())
    with pytest.raises(UninitialisedError, match="the codebooks are empty: train the model"):
        build_atlas(untrained, corpus, progress=False)


def test_more_entries_than_memory_are_refused_before_any_work(corpus: AudioCorpus) -> None:
    config = VQVAEConfig(levels=8, codebook_size=16_384, width=8, latent_dim=1)
    with pytest.raises(
        AtlasError, match=r"8 levels × 16384 entries: their sounds would take 4\.7 GB, at most 2\.1"
    ):
        build_atlas(LoadedVQModel(ConvVQVAE(config).eval()), corpus, progress=False)


def test_a_corpus_at_another_rate_is_welcome(model: LoadedVQModel, sounds_dir: Path) -> None:
    slow = AudioCorpus.scan(sounds_dir / "drum-01.wav", sample_rate=16_000, progress=False)
    found = build_atlas(model, slow, progress=False)
    assert found.codes_of(0).shape == (3, 29)
    assert found.sample_rate == 48_000


def test_it_says_what_it_is(atlas: CodebookAtlas) -> None:
    text = repr(atlas)
    assert text.startswith("CodebookAtlas of 'trained' over 10 files, ")
    assert "3 levels × 16 entries" in text
    assert "1 Structure" in text
    assert "1 Structure" in atlas._repr_html_()


def test_another_way_of_mapping_is_named(atlas: CodebookAtlas) -> None:
    with pytest.raises(AtlasError, match="method='tsne': expected 'pca' or 'umap'"):
        atlas.coordinates(0, "tsne")


def test_umap_says_what_to_install(atlas: CodebookAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(
        MissingExtraError, match=r'needs the package umap-learn: pip install "distill-audio\[umap\]'
    ) as caught:
        atlas.coordinates(0, "umap")
    assert isinstance(caught.value, ImportError)


def test_umap_gives_the_same_map_every_time(atlas: CodebookAtlas) -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    found = atlas.coordinates(0, "umap")
    assert found.shape == (16, 2) and np.isfinite(found).all()
    np.testing.assert_array_equal(found, atlas.coordinates(0, "umap"))
