from __future__ import annotations

import dataclasses
import io
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distill import AudioCorpus, CodebookAtlas, LoadedVQModel, build_atlas
from distill.errors import AtlasModelError
from distill.models.vqvae.model import ConvVQVAE
from distill.training import TrainingResult
from distill_widgets import CodebookExplorer


@pytest.fixture(scope="module")
def model(trained: TrainingResult) -> LoadedVQModel:
    return trained.load()


@pytest.fixture(scope="module")
def atlas(model: LoadedVQModel, corpus: AudioCorpus) -> CodebookAtlas:
    return build_atlas(model, corpus, progress=False)


@pytest.fixture
def ask(atlas: CodebookAtlas, model: LoadedVQModel) -> Iterator[Any]:
    yield asking(CodebookExplorer(atlas, model))


def asking(explorer: Any) -> Any:
    """Asks as a page does; returns facts and buffers."""
    said: list[Any] = []
    explorer.send = lambda content, buffers=None: said.append((content, buffers))

    def question(kind: str, key: str = "") -> tuple[dict[str, Any], list[bytes]]:
        explorer._receive(None, {"type": kind, "key": key}, [])
        return said[-1]

    return question


def int32(buffer: bytes, *shape: int) -> np.ndarray:
    return np.frombuffer(buffer, "<i4").reshape(shape)


def test_a_level_says_its_uses(ask: Any, atlas: CodebookAtlas) -> None:
    facts, (counts, loudness, brightness, main) = ask("level", "1")
    np.testing.assert_array_equal(int32(counts, 16), atlas.counts[1])
    np.testing.assert_allclose(np.frombuffer(loudness, "<f4"), atlas.loudness_db[1])
    np.testing.assert_allclose(np.frombuffer(brightness, "<f4"), atlas.brightness_hz[1])
    np.testing.assert_array_equal(int32(main, 16), atlas.main_file[1])
    assert facts["dead"] == atlas.dead(1).tolist()
    assert facts["uses"] == atlas.steps


def test_an_entry_says_where_it_is_heard(ask: Any, atlas: CodebookAtlas) -> None:
    entry = int(atlas.counts[0].argmax())
    facts, (picture,) = ask("entry", f"0/{entry}")
    assert facts["uses"] == atlas.counts[0, entry]
    assert [m["name"] for m in facts["moments"]] == [m.name for m in atlas.moments(0, entry)]
    assert facts["near"] == atlas.nearest[0, entry].tolist()
    assert len(picture) == np.prod(facts["shape"])
    assert 0 < sum(share for _, share in facts["followers"]) <= 1.0001
    assert facts["file"] == atlas.files[atlas.main_file[0, entry]]


def test_an_entry_and_its_moments_are_heard(ask: Any, atlas: CodebookAtlas) -> None:
    entry = int(atlas.counts[2].argmax())
    for key, least_s in ((f"entry/2/{entry}", 0.25), (f"moment/2/{entry}/0", 0.05)):
        facts, (content,) = ask("sound", key)
        assert "error" not in facts
        with wave.open(io.BytesIO(content)) as file:
            assert file.getnframes() / file.getframerate() >= least_s


def test_the_use_of_all_levels_is_sorted(ask: Any, atlas: CodebookAtlas) -> None:
    _, (order, counts) = ask("usage")
    np.testing.assert_array_equal(int32(counts, 3, 16)[1], atlas.rank_frequency(1))
    np.testing.assert_array_equal(atlas.counts[1][int32(order, 3, 16)[1]], int32(counts, 3, 16)[1])


def test_pairs_and_what_follows(ask: Any, atlas: CodebookAtlas) -> None:
    facts, (table,) = ask("pairs", "0/2")
    whole = atlas.pairs(0, 2)[np.ix_(facts["rows"], facts["columns"])]
    np.testing.assert_array_equal(int32(table, 16, 16), whole)
    assert facts["total"] == atlas.steps
    a, b, times = facts["most"][0]
    assert times == atlas.pairs(0, 2).max() == atlas.pairs(0, 2)[a, b]
    facts, (table,) = ask("pairs", "1/next")
    assert int32(table, 16, 16).sum() == atlas.transitions(1).sum() == facts["total"]


def test_a_table_of_many_entries_is_cut_to_the_most_used(
    atlas: CodebookAtlas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("distill_widgets.inside.atlas_pages.MOST_ENTRIES", 4)
    facts, (table,) = asking(CodebookExplorer(atlas))("pairs", "0/1")
    assert len(facts["rows"]) == len(facts["columns"]) == 4
    assert len(table) == 4 * 4 * 4
    assert facts["rows"][0] == atlas.counts[0].argmax()


def test_files_alike(ask: Any, atlas: CodebookAtlas) -> None:
    facts, (alike,) = ask("files")
    assert facts["names"] == list(atlas.files) == ask("names")[0]["names"]
    shape = (len(atlas.files),) * 2
    np.testing.assert_allclose(
        np.frombuffer(alike, "<f4").reshape(shape), atlas.file_similarity(), atol=1e-6
    )


def test_a_map_is_made_once(ask: Any, atlas: CodebookAtlas, monkeypatch: Any) -> None:
    first = ask("map", "0/pca")[1][0]
    assert len(first) == 16 * 2 * 4
    monkeypatch.setattr(CodebookAtlas, "coordinates", lambda *_: pytest.fail("made again"))
    assert ask("map", "0/pca")[1][0] == first


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("level", "3", "level=3: expected 0 to 2"),
        ("level", "x", "'x': not something an atlas knows"),
        ("entry", "0/16", "entry=16: expected 0 to 15"),
        ("entry", "0", "'0': not something an atlas knows"),
        ("entry", "-1/0", "not something an atlas knows"),
        ("map", "0/tsne", "method='tsne': expected 'pca' or 'umap'"),
        ("pairs", "0/3", "level=3"),
        ("sound", "entry/0/99", "entry=99"),
        ("sound", "moment/0/0/99", "moment 99: entry 0 has"),
        ("sound", "what", "'what': not something an atlas knows"),
    ],
)
def test_what_an_atlas_does_not_know_is_said(ask: Any, kind: str, key: str, text: str) -> None:
    facts, buffers = ask(kind, key)
    assert text in facts["error"] and facts["key"] == key and not buffers


def test_an_entry_never_used_has_a_sound_but_no_moments(atlas: CodebookAtlas) -> None:
    unused = dataclasses.replace(
        atlas,
        counts=np.zeros_like(atlas.counts),
        main_file=np.full_like(atlas.main_file, -1),
        moment_files=np.full_like(atlas.moment_files, -1),
    )
    ask = asking(CodebookExplorer(unused))
    facts, _ = ask("entry", "0/3")
    assert (facts["uses"], facts["share"], facts["moments"], facts["file"]) == (0, 0.0, [], "")
    assert "error" not in ask("sound", "entry/0/3")[0]
    assert "moment 0: entry 3 has 0" in ask("sound", "moment/0/3/0")[0]["error"]
    assert len(ask("level", "0")[0]["dead"]) == 16


def test_a_recording_that_went_is_said(
    model: LoadedVQModel, corpus: AudioCorpus, tmp_path: Path
) -> None:
    path = Path(shutil.copy(corpus.files[0].path, tmp_path / "gone.wav"))
    atlas = build_atlas(model, AudioCorpus.scan(tmp_path, progress=False), progress=False)
    ask = asking(CodebookExplorer(atlas))
    path.unlink()
    entry = int(atlas.counts[0].argmax())
    error = ask("sound", f"moment/0/{entry}/0")[0]["error"]
    assert error.startswith("gone.wav cannot be heard: gone.wav: no such file; looked for")
    assert "error" not in ask("sound", f"entry/0/{entry}")[0]


def test_an_atlas_of_another_model_is_refused(atlas: CodebookAtlas, model: LoadedVQModel) -> None:
    other = LoadedVQModel(ConvVQVAE(model.vqvae_config).eval(), metadata={"name": "other"})
    with pytest.raises(AtlasModelError, match=r"an atlas of the model .*, given with the model "):
        CodebookExplorer(atlas, other)


def test_a_renamed_model_gives_its_new_names(atlas: CodebookAtlas, model: LoadedVQModel) -> None:
    renamed = LoadedVQModel(model.model, metadata={"level_labels": ["a", "b", "c"]})
    explorer = CodebookExplorer(atlas, renamed)
    assert explorer.facts["labels"] == ["a", "b", "c"]
    assert "CodebookExplorer(Codebooks of" in repr(explorer)


def test_opening_sends_little(atlas: CodebookAtlas) -> None:
    state = CodebookExplorer(atlas).get_state()
    state.pop("_esm"), state.pop("_css")
    assert len(str(state)) < 3000
