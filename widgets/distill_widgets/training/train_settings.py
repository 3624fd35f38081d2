"""TrainSettings: what is asked of a training, by clicking."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets

from distill.codebook.labels import level_labels
from distill.config import VQVAEConfig, get_adaptive_vqvae_config
from distill.config.fields import range_of
from distill.config.start import BASE, DEFAULT_START, NOTHING
from distill.errors import ConfigError
from distill.models.device import available_devices
from distill.models.start import base_paths
from distill.training.run.start import RunStart
from distill_widgets.page.controls import Sentence, labelled, named, row, set_options
from distill_widgets.page.typed_path import typed_path
from distill_widgets.page.view import View
from distill_widgets.training.corpus_reader import Reading

MINUTES, EPOCHS = "minutes", "epochs"
_AUTOMATIC = "auto"
_SIZES = (16, 32, 64, 128, 256, 512, 1024)
_DEFAULTS = VQVAEConfig()
_EPOCHS = 100.0
_PRESETS, _OWN = VQVAEConfig.presets, ""
_LEVELS, _COMMITMENT = (range_of(VQVAEConfig, name) for name in ("levels", "commitment_weight"))
_TRADES = (
    (2, "the smallest codes, and a rough sketch of the sound"),
    (4, "small codes that are easy to look into, without the finest detail"),
    (6, "finer detail for more bits; a small corpus may leave the last levels unused"),
    (8, "fine detail and many bits; needs many sounds"),
    (16, "the finest detail and the most bits; needs many sounds and the longest training"),
)


def _described(preset: str) -> str:
    bits = VQVAEConfig(**VQVAEConfig.preset(preset)).bits_per_second
    return f"{preset}: {bits:,.0f} bit/s"


class TrainSettings(View):
    """Levels, codebook, commitment, start, budget and device; fits itself to a corpus.

    What somebody has set by hand stays when the corpus changes.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._reading: Reading | None = None
        self._showing = False
        self._budgets: dict[str, float | None] = {MINUTES: None, EPOCHS: None}
        self.preset = labelled(
            ipywidgets.Dropdown,
            "Preset",
            options=[("as set below", _OWN), *((_described(name), name) for name in _PRESETS)],
        )
        self.levels = labelled(
            ipywidgets.IntSlider,
            "Levels",
            value=_DEFAULTS.levels,
            min=_LEVELS.low,
            max=_LEVELS.high,
        )
        self.trade = Sentence()
        self.codebook = labelled(
            ipywidgets.Dropdown,
            "Codebook",
            options=[("automatic", _AUTOMATIC), *((f"{size} entries", size) for size in _SIZES)],
        )
        self.commitment = labelled(
            ipywidgets.FloatText, "Commitment", value=_DEFAULTS.commitment_weight, step=0.05
        )
        self.commitment_says = Sentence(
            "How strongly the encoder is held to its entries; more is steadier, and blunter. From "
            "the base it stays as it is."
        )
        self.budget = labelled(ipywidgets.FloatText, "Budget", value=1.0)
        self.unit = named(
            ipywidgets.Dropdown(options=[MINUTES, EPOCHS], layout=ipywidgets.Layout(width="110px")),
            "unit of the budget",
        )
        found = available_devices()
        self.device = labelled(
            ipywidgets.Dropdown,
            "Device",
            options=[(f"automatic ({found[0]})", _AUTOMATIC), *((name, name) for name in found)],
        )
        self.budget.layout.width = "300px"
        offered = [BASE] if all(path.exists() for path in base_paths()) else []
        self.start = labelled(
            ipywidgets.Combobox, "Start from", options=[*offered, NOTHING], value=DEFAULT_START
        )
        self.start_says = Sentence(
            "The path of a model of yours, to learn on from it; "
            + ("base, which comes with distill and knows sound in general; " if offered else "")
            + "none begins at random."
        )
        self.start_remark = Sentence()
        controls = (
            self.preset, self.levels, self.trade, self.codebook, self.commitment,
            self.commitment_says, self.start, self.start_says, self.start_remark,
            row(self.budget, self.unit), self.device,
        )  # fmt: skip
        super().__init__(controls, "distill-settings")
        self.budget.observe(self._on_budget, "value")
        self.unit.observe(self._on_unit, "value")
        self.preset.observe(self._on_preset, "value")
        self.start.observe(lambda _: self._remark(), "value")
        for control in (self.levels, self.codebook):
            control.observe(self._on_size, "value")
        self.fit(None)

    def fit(self, reading: Reading | None) -> None:
        """Fits what is automatic to a corpus; None where there is none yet."""
        with self._lock:
            self._reading = reading
            size = f" ({self._adaptive(reading).codebook_size})" if reading else ""
            options = [(f"automatic{size}", _AUTOMATIC), *self.codebook.options[1:]]
            with self._shown():
                set_options(self.codebook, options, self.codebook.value)
            self._show_budget()
            self._explain()

    def config(self, reading: Reading) -> VQVAEConfig:
        """What is set, for the sounds of a reading.

        Raises:
            ConfigError: a setting that cannot be.
        """
        weight = self.commitment.value
        if not _COMMITMENT.holds(weight):
            raise ConfigError(f"a commitment of {weight:g}: expected a number from {_COMMITMENT}")
        overrides = {"commitment_weight": weight, **self._budget()}
        if self.codebook.value != _AUTOMATIC:
            overrides["codebook_size"] = self.codebook.value
        return self._adaptive(reading, **overrides)

    @property
    def start_from(self) -> str | None:
        """What the model starts from; None where that was left to distill."""
        value = self.start.value.strip()
        if value in ("", DEFAULT_START):
            return None
        return str(typed_path(value)) if value.startswith("~") else value

    def _adaptive(self, reading: Reading | None, **overrides: Any) -> VQVAEConfig:
        files, seconds = (reading.files, reading.seconds) if reading else (1, 2.0)
        settings = {"levels": self.levels.value, **overrides}
        return get_adaptive_vqvae_config(
            files, seconds, preset=self.preset.value or None, **settings
        )

    def _budget(self) -> dict[str, float]:
        amount, unit = self.budget.value, self.unit.value
        whole = math.isfinite(amount) and amount == int(amount)
        if not math.isfinite(amount) or amount <= 0:
            raise ConfigError(f"a budget of {amount:g} {unit}: expected more than 0")
        if unit == MINUTES:
            return {"max_seconds": 60 * amount}
        if not whole:
            raise ConfigError(f"a budget of {amount:g} epochs: expected a whole number")
        return {"max_epochs": int(amount)}

    def _sized(self) -> VQVAEConfig:
        chosen = self.codebook.value
        size = {} if chosen == _AUTOMATIC else {"codebook_size": chosen}
        return self._adaptive(self._reading, **size)

    def _remark(self) -> None:
        """Says where the base does not fit what is set: that shows in what is heard."""
        with self._lock:
            is_base = self.start_from is None
            remark = RunStart.chosen(None, self._sized()).remark if is_base else ""
            self.start_remark.say(f"So it {remark}. That takes longer to learn." if remark else "")

    def _explain(self) -> None:
        config = self._sized()
        bits = f"{config.bits_per_second:,.0f} bit/s"
        sum_ = (
            f"{config.levels} × {math.log2(config.codebook_size):g} bits × "
            f"{config.step_rate_hz:.1f} steps a second"
        )
        trade = next(words for most, words in _TRADES if config.levels <= most)
        names = ", ".join(level_labels(config.levels))
        self.trade.say(f"{bits} = {sum_}. {names}: {trade}.")
        self._remark()

    def _show_budget(self) -> None:
        """The budget in the unit chosen: as somebody set it, or as it fits the corpus."""
        fitting = {
            MINUTES: round((self._adaptive(self._reading).max_seconds or 60) / 60, 1),
            EPOCHS: _EPOCHS,
        }
        unit = self.unit.value
        with self._shown():
            self.budget.value = self._budgets[unit] or fitting[unit]

    @contextlib.contextmanager
    def _shown(self) -> Iterator[None]:
        """What changes here, nobody set by hand."""
        self._showing = True
        try:
            yield
        finally:
            self._showing = False

    def _on_preset(self, _change: Any) -> None:
        """Shows a preset where it can be changed."""
        with self._lock:
            if self._showing or self.preset.value == _OWN:
                return
            settings = VQVAEConfig.preset(self.preset.value)
            with self._shown():
                self.levels.value = settings["levels"]
                self.codebook.value = settings["codebook_size"]
            self._explain()

    def _on_size(self, _change: Any) -> None:
        """A size that is set by hand is no preset's any more."""
        with self._lock:
            if self._showing:
                return
            self.preset.value = _OWN
            self._explain()

    def _on_budget(self, change: Any) -> None:
        with self._lock:
            if not self._showing:
                self._budgets[self.unit.value] = change["new"]

    def _on_unit(self, _change: Any) -> None:
        with self._lock:
            self._show_budget()
