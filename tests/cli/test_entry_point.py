from __future__ import annotations

from importlib import metadata

from distill.cli.app import main


def test_the_installed_command_is_ours() -> None:
    scripts = metadata.entry_points(group="console_scripts", name="distill")
    assert [script.load() for script in scripts] == [main]
