"""CodebookExplorer: an atlas to look at and to listen to."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import traitlets

from distill.analysis.atlas.atlas import CodebookAtlas
from distill.models.use.loaded import LoadedVQModel
from distill.words import duration
from distill_widgets.inside.atlas_pages import AtlasPages
from distill_widgets.page.live_widget import LiveWidget
from distill_widgets.page.messages import ExplorerFacts
from distill_widgets.page.page_code import page_code
from distill_widgets.page.palette import level_colour
from distill_widgets.page.plotly_js import plotly_version, serve_plotly
from distill_widgets.page.saved import with_saved_html


class CodebookExplorer(LiveWidget):
    """The entries of every level: a map, their use, what stands together, and files alike.

    A click on an entry plays it and lists the moments of the corpus that come nearest to it, read
    from their files when they are played. Quiet entries are brought to a common peak.

    Args:
        atlas: of a corpus, by `build_atlas` or `CodebookAtlas.load`.
        model: the model it should be of; checked, and asked how its levels are called now.
        name: the title; default says the model and the corpus.

    Raises:
        ModelTypeError: a model without codebooks; says what serves it.
        AtlasModelError: an atlas of another model; the message says which.

    Example:
        `CodebookExplorer(build_atlas(model, corpus))`, as the last line of a cell.
    """

    _esm = page_code("inside/codebook_explorer.js")
    name = traitlets.Unicode("").tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    plotly_version = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, atlas: CodebookAtlas, model: LoadedVQModel | None = None, *, name: str | None = None
    ) -> None:
        if model is not None:
            atlas.check_model(model)
        self.atlas = atlas
        title = (
            f"Codebooks of {atlas.model.name}: {len(atlas.files)} files, "
            f"{duration(float(atlas.file_seconds.sum()))}"
        )
        super().__init__(
            name=title if name is None else name,
            facts=_facts(atlas, atlas.labels if model is None else model.level_labels),
            plotly_version=plotly_version(),
        )
        pages = AtlasPages(atlas)
        for kind in ("level", "map", "entry", "sound", "usage", "pairs", "files", "names"):
            self.answer(kind, getattr(pages, kind))
        serve_plotly(self)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return with_saved_html(super()._repr_mimebundle_(**options), self.atlas._repr_html_())

    def __repr__(self) -> str:
        return f"CodebookExplorer({self.name})\n{self.atlas!r}"


def _facts(atlas: CodebookAtlas, labels: tuple[str, ...]) -> ExplorerFacts:
    return {
        "labels": list(labels),
        "levels": atlas.levels,
        "entries": atlas.entries,
        "files": len(atlas.files),
        "methods": ["pca", "umap"] if find_spec("umap") else ["pca"],
        "colours": [level_colour(level) for level in range(atlas.levels)],
    }
