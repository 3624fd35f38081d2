"""A run says that it met a busy machine by what the system counted, never by a clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill import AudioCorpus, train_vqvae
from distill.training.engine.contention import Contention, _round
from distill.training.watch.event_lines import WarningEvent
from tests.families import tiny


def thread(tasks: Path, number: int, ran: int, waited: int) -> None:
    (tasks / str(number)).mkdir(exist_ok=True)
    (tasks / str(number) / "schedstat").write_text(f"{ran} {waited} 7\n")


def test_what_threads_waited_for_cores_since_it_began(tmp_path: Path) -> None:
    thread(tmp_path, 1, 1000, 900)
    watched = Contention(tmp_path)
    assert watched.factor() == 1.0
    thread(tmp_path, 1, 2000, 1900)
    thread(tmp_path, 2, 1000, 3000)  # began since
    assert watched.factor() == pytest.approx((2000 + 4000) / 2000)
    assert watched.few_steps(40) == (
        "only 40 of about 120 steps, too few to judge it by: the machine was "
        "busy, other programs had the cores; resume with a larger budget goes on from here"
    )
    assert "too few" not in str(watched.few_steps(100))


@pytest.mark.parametrize("waited", [0, 100, 400])
def test_a_quiet_machine_is_no_reason(waited: int, tmp_path: Path) -> None:
    thread(tmp_path, 1, 0, 0)
    watched = Contention(tmp_path)
    thread(tmp_path, 1, 1000, waited)
    assert watched.few_steps(1) is None


def test_a_system_that_does_not_count_says_nothing(tmp_path: Path) -> None:
    assert Contention(tmp_path / "none").few_steps(3) is None
    (tmp_path / "1").mkdir()
    assert Contention(tmp_path).few_steps(3) is None
    (tmp_path / "1" / "schedstat").write_text("odd\n")
    assert Contention(tmp_path).few_steps(3) is None


@pytest.mark.parametrize(("steps", "rounded"), [(3.4, 3), (99.0, 99), (304.0, 300), (1449.0, 1400)])
def test_estimates_have_two_digits(steps: float, rounded: int) -> None:
    assert _round(steps) == rounded


@pytest.mark.parametrize(
    ("budget", "factor", "said"),
    [({"max_seconds": 0.5}, 3.0, True), ({"max_seconds": 0.5}, 1.1, False),
     ({"max_steps": 3}, 3.0, False)],
)  # fmt: skip
def test_a_time_budget_that_got_few_steps_says_so_at_its_end(
    budget: dict[str, float],
    factor: float,
    said: bool,
    corpus: AudioCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Contention, "factor", lambda self: factor)
    config = tiny("vqvae", **{"preview_every_epochs": 0, **budget})
    result = train_vqvae(config, corpus, tmp_path / "run", "cpu")
    warned = [event for event in result.history.warnings if event.kind == "busy"]
    assert [type(event) for event in warned] == ([WarningEvent] if said else [])
    if said:
        assert warned[0].message.startswith(f"only {result.steps} of about ")
