from __future__ import annotations

import json
import math

import numpy as np
import pytest

from distill import (
    CheckpointEvent,
    PreviewEvent,
    ResumeEvent,
    TrainingCompleteEvent,
    TrainingFailedEvent,
    VQEpochMetrics,
    VQMetricsHistory,
    VQStepMetrics,
    WarningEvent,
)
from distill.codebook import LevelHealth
from distill.training import PreviewPair
from distill.training.watch.event_lines import (
    Gaps,
    call_back,
    event_from_dict,
    event_to_dict,
    event_to_line,
    events_from_lines,
)

HEALTH = (LevelHealth(0, "Structure", 16, 100, 0.5, 0.5, 6.0, 2.6, 8, 0.1),)


def step(number: int, **fields: object) -> VQStepMetrics:
    values = {
        "epoch": number // 10, "step": number, "loss": 1 / (number + 1), "reconstruction": 0.5,
        "commitment": 0.1, "learning_rate": 1e-3, "gradient_norm": 1.0,
        "progress": (number + 1) / 100, "elapsed_s": (number + 1) * 0.5, "health": (),
    }  # fmt: skip
    return VQStepMetrics(**{**values, **fields})  # type: ignore[arg-type]


def epoch(number: int, train: float, val: float, is_best: bool) -> VQEpochMetrics:
    return VQEpochMetrics(
        epoch=number, step=10 * (number + 1), train_loss=train, train_reconstruction=train,
        train_commitment=0.1, val_loss=val, val_reconstruction=val, val_commitment=0.2,
        is_best=is_best, progress=0.1 * (number + 1), elapsed_s=5.0 * (number + 1), health=HEALTH,
    )  # fmt: skip


EVENTS = [
    step(0),
    step(9, health=HEALTH),
    epoch(0, 0.9, 0.8, True),
    CheckpointEvent(0, 10, "checkpoints/step-000010.ckpt", True),
    PreviewEvent(0, 10, "previews/epoch-0001", (PreviewPair("kick", 0.5, "a.wav", "b.wav"),)),
    PreviewEvent(
        0, 10, "previews/epoch-0001", (PreviewPair("kick", 0.5, "a.wav", "b.wav", 2.5, 3, 1, 1.5),)
    ),
    WarningEvent(0, 10, "utilization", "level 2 uses 21 %", 1),
    TrainingCompleteEvent("max_epochs", "model.distill", 0, 0.8, 1, 10, 5.0),
    TrainingFailedEvent("TrainingError", "ten in a row", None),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_json(event: object) -> None:
    line = event_to_line(event)  # type: ignore[arg-type]
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert json.loads(line)["event"] == type(event).__name__
    assert list(events_from_lines([line])) == [event]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"event": "Nonsense"}, "event 'Nonsense': expected one of VQStepMetrics"),
        ({"epoch": 1}, "event None"),
        ({"event": "CheckpointEvent", "epoch": 1}, "event CheckpointEvent: .* missing"),
    ],
)
def test_what_is_no_event_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        event_from_dict(values)


def test_a_history_folds_events_into_curves() -> None:
    history = VQMetricsHistory()
    for event in EVENTS[:-1]:
        history.update(event)
    assert list(history.steps["step"]) == [0, 9]
    assert list(history.steps["loss"]) == [1.0, 0.1]
    assert history.last_health is not None and history.last_health.health == HEALTH
    assert history.best_epoch == 0
    assert history.curves()["val"] == [0.8]
    assert [len(x) for x in (history.previews, history.checkpoints, history.warnings)] == [2, 1, 1]
    assert history.progress == 1.0
    assert history.eta_s == 0.0


def test_eta_goes_on_at_the_pace_so_far() -> None:
    history = VQMetricsHistory()
    assert history.eta_s is None
    history.update(step(24))  # a quarter in 12.5 s
    assert history.eta_s == pytest.approx(37.5)


def test_a_history_survives_json() -> None:
    history = VQMetricsHistory()
    for event in EVENTS:
        history.update(event)
    again = VQMetricsHistory.from_json(history.to_json())
    assert again == history
    assert event_to_dict(again.epochs[0]) == event_to_dict(history.epochs[0])


@pytest.mark.parametrize("text", ["[]", '{"steps": 1}', "nonsense"])
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the JSON of a VQMetricsHistory"):
        VQMetricsHistory.from_json(text)


def test_overfitting_is_validation_worse_while_training_improves() -> None:
    history = VQMetricsHistory()
    for number, (train, val) in enumerate(
        [(1.0, 1.0), (0.8, 0.9), (0.7, 0.95), (0.6, 0.96), (0.5, 0.97)]
    ):
        assert not history.overfitting
        history.update(epoch(number, train, val, is_best=number < 2))
    assert history.overfitting


def test_a_noisy_validation_is_not_overfitting() -> None:
    history = VQMetricsHistory()
    for number, val in enumerate([1.0, 0.9, 0.95, 0.905, 0.95]):
        history.update(epoch(number, 1.0 - 0.1 * number, val, is_best=number < 2))
    assert not history.overfitting


def test_a_history_says_what_it_holds() -> None:
    history = VQMetricsHistory()
    assert repr(history) == "VQMetricsHistory(0 steps, no epoch yet)"
    history.update(epoch(0, 0.9, 0.8, True))
    assert "validation 0.8000, best 0.8000 in epoch 1" in repr(history)
    history.update(epoch(1, 0.9, math.nan, False))
    assert "validation not finite" in repr(history)


def test_a_raising_callback_is_reported_and_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_event: object) -> None:
        raise KeyError("oops")

    error = call_back(broken, EVENTS[0])
    assert isinstance(error, KeyError)
    assert "a training callback raised" in caplog.text
    assert call_back(None, EVENTS[0]) is None


def test_many_lines_at_once_fold_like_one_by_one() -> None:
    events = [step(n, health=HEALTH if n % 10 == 9 else ()) for n in range(25)]
    events.insert(10, epoch(0, 0.9, 0.8, True))  # type: ignore[arg-type]
    events.append(step(25, loss=math.nan))
    one, many = VQMetricsHistory(), VQMetricsHistory()
    for event in events:
        one.update(event)
    many.update_lines([event_to_line(event) for event in events])
    assert math.isnan(many.steps["loss"][-1])
    for name, column in one.steps.items():
        np.testing.assert_array_equal(many.steps[name], column)
    assert many.epochs == one.epochs
    assert many.last_health == one.last_health
    assert many.last_step is not None and many.last_step.step == 25


def test_columns_are_copies_that_keep_while_the_history_grows() -> None:
    history = VQMetricsHistory()
    history.update(step(0))
    column = np.asarray(history.steps["loss"])
    view = memoryview(column)
    history.update(step(1))
    history.update_lines([event_to_line(step(2))])
    assert list(view) == [1.0]
    assert list(history.steps["step"]) == [0, 1, 2]


def test_a_resumed_history_has_no_outcome_any_more() -> None:
    history = VQMetricsHistory()
    for event in EVENTS[:-1]:
        history.update(event)
    history.update(ResumeEvent(0, 10, 2))
    assert history.outcome is None
    assert [event.session for event in history.resumes] == [2]


def test_numbers_json_does_not_have_come_back_as_nan() -> None:
    line = event_to_line(step(0, gradient_norm=math.inf, loss=math.nan))
    [event] = events_from_lines([line])
    assert isinstance(event, VQStepMetrics)
    assert math.isnan(event.loss) and math.isnan(event.gradient_norm)


ODD_LINES = {
    "nonsense": b"nonsense",
    "a list": b"[1]",
    "null": b"null",
    "nothing": b"",
    "half a line": b'{"event":"WarningEvent","epo',
    "a hole": bytes(1000),
    "a step without its fields": b'{"event":"VQStepMetrics","step":1}',
    "a step with a text for a number": event_to_line(step(1)).replace(b'"loss":0.5', b'"loss":"x"'),
    "a number of 400 digits": event_to_line(step(1)).replace(b'"step":1', b'"step":' + b"1" * 400),
    "beyond a float": event_to_line(step(1)).replace(b'"loss":0.5', b'"loss":1e400'),
    "deep": b'{"event":"VQStepMetrics","step":' + b"[" * 100_000,
    "deep in another": b'{"event":"WarningEvent","message":' + b'{"a":' * 100_000,
    "no UTF-8": b'{"event":"WarningEvent","message":"\xff"}',
    "a file outside": event_to_line(CheckpointEvent(0, 1, "../x", True)),
    "a file from the root": event_to_line(CheckpointEvent(0, 1, "/x", True)),
    "no name": b'{"step":1}',
    "a number for a name": b'{"event":1}',
}  # fmt: skip


@pytest.mark.parametrize("line", ODD_LINES.values(), ids=ODD_LINES)
def test_a_line_that_is_no_event_is_passed_over_and_counted(line: bytes) -> None:
    history = VQMetricsHistory()
    lines = [event_to_line(step(0))[:-1], line, event_to_line(step(2))[:-1]]
    history.update_lines(lines)
    assert list(history.steps["step"]) == [0, 2]
    assert (history.gaps.unreadable, history.gaps.later) == (1, {})
    assert str(history.gaps).startswith(
        "1 line of the events cannot be read and are not shown (the first: "
    )
    assert str(history.gaps) in repr(history) and "not shown" in history._repr_html_()
    with pytest.raises(ValueError, match="a line that is no event"):
        list(events_from_lines([line]))


def test_events_and_fields_of_a_later_version_are_passed_over_by_name() -> None:
    history = VQMetricsHistory()
    warning = event_to_line(WarningEvent(0, 1, "disk", "full"))
    newer = [b'{"event":"GradientMap","map":[[1]]}'] * 3 + [b'{"event":"Weather"}']
    history.update_lines(
        [*newer, warning[:-2] + b',"since":{"a":[1]}}', event_to_line(step(0))[:-2] + b',"z":[]}']
    )
    assert [warning.message for warning in history.warnings] == ["full"]
    assert history.step_count == 1
    assert history.gaps.later == {"GradientMap": 3, "Weather": 1}
    assert str(history.gaps) == (
        "2 kinds of events of a later version not shown: GradientMap, Weather"
    )


def test_nothing_is_missing_of_a_whole_log() -> None:
    history = VQMetricsHistory()
    history.update_lines([event_to_line(step(0))[:-1]])
    assert not history.gaps and str(history.gaps) == ""


def test_many_forged_kinds_of_events_take_no_memory() -> None:
    gaps = Gaps()
    names = (b'{"event":"%s"}' % (b"%06d" % number * 1000) for number in range(1000))
    assert list(events_from_lines(names, gaps)) == []
    assert len(gaps.later) == 100 and max(map(len, gaps.later)) <= 60
    assert gaps.unreadable == 900


def test_a_name_that_is_no_utf_8_is_written_as_escapes() -> None:
    pair = PreviewPair("Caf\udce9", 1.0, "previews/a/00-original.wav", "previews/a/00-x.wav")
    events = [
        WarningEvent(0, 0, "corpus", "Caf\udce9.wav: silent"),
        PreviewEvent(0, 0, "previews/a", (pair,)),
    ]
    read = list(events_from_lines(map(event_to_line, events)))
    assert read[0] == WarningEvent(0, 0, "corpus", "Caf\\xe9.wav: silent")
    assert isinstance(read[1], PreviewEvent) and read[1].pairs[0].name == "Caf\\xe9"
