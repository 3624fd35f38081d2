"""Which of several processes this one is, by what the environment says."""

from __future__ import annotations

import pytest

from distill.errors import ConfigError
from distill.training.engine.placement import Placement


def test_a_process_alone_and_those_of_torchrun() -> None:
    assert Placement.from_environment({}) == Placement(0, 1, 1)
    torchrun = {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}
    assert Placement.from_environment(torchrun) == Placement(5, 8, 4)


def test_what_is_written_is_read() -> None:
    placement = Placement(1, 2, 2, "/somewhere/meeting")
    environment = placement.environment()
    assert Placement.from_environment(environment) == placement
    assert environment["LOCAL_RANK"] == "1"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE='two': expected a whole number"),
        ({"RANK": "-1"}, "RANK='-1': expected a whole number"),
        ({"WORLD_SIZE": "0"}, "process 0 of 0"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "process 2 of 2"),
        ({"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "3"}, "process 0 of 2, 3 on this machine"),
    ],
)
def test_what_is_no_placement_is_refused(environment: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Placement.from_environment(environment)
