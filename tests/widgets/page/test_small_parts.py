"""Palette, pictures, publisher, the page's code."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from distill import AudioCorpus
from distill.config import SpectrogramConfig
from distill_widgets import AudioPlayer, SoundRow
from distill_widgets.page.live_widget import (
    LiveWidget,
    receive_while_a_cell_runs,
    sendable,
)
from distill_widgets.page.page_code import page_code
from distill_widgets.page.palette import level_colour
from distill_widgets.sounds.pictures import envelope, mel_picture
from distill_widgets.training.publisher import Publisher
from distill_widgets.training.run_head import RunHead

from ..node_page import say


def test_without_its_extra_it_says_how_to_install_it():
    code = "import sys; sys.modules['anywidget'] = None; import distill_widgets"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MissingExtraError: distill_widgets needs anywidget: pip install " in done.stderr
    assert "'distill-audio[widgets]'" in done.stderr


@pytest.mark.parametrize(
    "odd", ["Gel\udce4ut", "\ud800", float("nan"), float("-inf"), {"\udce9": ["\udce9", 1.0]}]
)
def test_what_no_socket_takes_is_written_otherwise(odd, comms):
    """Half a character, or NaN, would end the connection of a page, or lose the message."""
    assert sendable({"a": odd}) != {"a": odd}
    player = AudioPlayer(lambda key: odd, name=odd if isinstance(odd, str) else "")
    player.show(
        [SoundRow(str(odd), 0.5 if not isinstance(odd, float) else odd, ("x",), ("k",))], ()
    )
    player.send({"type": "x", "odd": odd})
    json.dumps(player.get_state(), allow_nan=False).encode()
    for data, _ in player.comm.sent:
        json.dumps(data, allow_nan=False).encode()
    player.close()


@pytest.mark.parametrize("key", ["[1]", "3", '"x"', '{"a": "\\ud800"}', "[" * 100_000, "\ud800"])
def test_a_request_that_is_none_is_refused(key):
    widget = RunHead()
    widget.command("do", lambda request: pytest.fail("done"))
    say(widget, {"type": "do", "key": key})
    assert "not understood" in widget.comm.custom[-1][0]["error"]
    widget.close()


def test_eight_levels_have_eight_colours():
    assert len({level_colour(level) for level in range(8)}) == 8


def test_an_envelope_holds_the_extremes():
    waveform = np.zeros(48_000, np.float32)
    waveform[1000], waveform[40_000] = 1.0, -0.5
    values = envelope(waveform).values
    assert values.shape == (2, 240)
    assert values[1].max() == 127
    assert values[0].min() == -64
    assert values[1].argmax() == 1000 * 240 // 48_000


@pytest.mark.parametrize("samples", [0, 1, 3, 239, 241])
def test_short_sounds_have_short_envelopes(samples):
    values = envelope(np.full(samples, 0.5, np.float32)).values
    assert values.shape == (2, min(max(samples, 1), 240))


def test_a_mel_picture_is_bright_where_the_sound_is(corpus: AudioCorpus):
    rate = 48_000
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    tone[: rate // 2] = 0
    picture = mel_picture(tone, SpectrogramConfig())
    assert picture.shape == (48, 94)
    assert picture[:, :40].max() == 0
    assert picture[:, 60:90].max() == 255
    assert mel_picture(np.zeros(0, np.float32), SpectrogramConfig()).shape == (1, 1)


def test_a_publisher_ticks_wakes_and_ends(caplog):
    ticks = []

    def tick() -> float:
        ticks.append(time.monotonic())
        if len(ticks) == 1:
            raise RuntimeError("once")
        return 1.0

    publisher = Publisher(tick, period_s=30)
    with caplog.at_level(logging.ERROR):
        publisher.start()
        while not ticks:
            time.sleep(0.01)
        publisher.wake()
        while len(ticks) < 2:
            time.sleep(0.01)
    publisher.close()
    assert "a dashboard could not be updated" in caplog.text
    assert not [t for t in threading.enumerate() if t.name == "distill-publisher"]


def test_a_comm_that_prefers_a_shell_is_talked_out_of_it():
    class Odd(LiveWidget):
        _esm = page_code("training/run_head.js")

    widget = Odd()
    widget.comm._reply_subshell_for = lambda data, default: "busy"
    receive_while_a_cell_runs(widget)
    assert widget.comm._reply_subshell_for({}, "free") == "free"
    widget.close()
    receive_while_a_cell_runs(widget)


def test_a_player_sends_sounds_unchanged():
    rate = 8000
    sounds = {
        "a": np.linspace(-0.25, 0.25, rate, dtype=np.float32),
        "b": np.zeros(rate, np.float32),
    }
    player = AudioPlayer(
        lambda key: (sounds[key], rate), [SoundRow("x", 1.0, ("A", "B"), ("a", "b"))]
    )
    say(player, {"type": "sound", "key": "a"})
    [(message, [wav])] = player.comm.custom
    assert message == {"type": "sound", "key": "a"}
    samples = np.frombuffer(wav[44:], "<i2")
    assert samples.max() == round(0.25 * 32767)
    say(player, {"type": "peaks", "key": "gone"})
    assert player.comm.custom[-1][0]["error"] == "'gone'"
    sent = len(player.comm.custom)
    for client in ("one", "one", "one", "two"):  # a page that asked again while the kernel was busy
        say(player, {"type": "peaks", "key": "a", "client": client})
    assert len(player.comm.custom) == sent + 2
    for _ in range(2):  # what was refused may be there the next time
        say(player, {"type": "peaks", "key": "c", "client": "one"})
    assert player.comm.custom[-1][0]["error"] == "'c'" == player.comm.custom[-2][0]["error"]
    assert len(player.comm.custom) == sent + 4
    sounds["c"] = sounds["a"]
    say(player, {"type": "peaks", "key": "c", "client": "one"})
    assert "error" not in player.comm.custom[-1][0]
    assert repr(player) == "AudioPlayer(Listen: x)"
    player.close()


def test_whatever_goes_wrong_a_page_gets_an_answer(caplog):
    def fetch(_key: str):
        raise RuntimeError("no memory left")

    player = AudioPlayer(fetch)
    say(player, {"type": "sound", "key": "a"})
    assert player.comm.custom[-1][0]["error"] == "no memory left"
    assert "a page's question could not be answered" in caplog.text
    player.close()
