"""What was made from what: a page to read and the same as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_report(folder: Path, record: dict[str, Any]) -> None:
    """Writes `report.json` and `report.md`."""
    (folder / "report.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    (folder / "report.md").write_text(markdown(record), encoding="utf-8")


def markdown(record: dict[str, Any]) -> str:
    """The page."""
    material, plan, curve = record["material"], record["plan"], record["curve"]
    parts = [
        "# A base to start from",
        f"{record['step']} of {plan['steps']} steps over {material['seconds'] / 60:.0f} minutes "
        f"of sound (seed {material['seed']}); digest `{record.get('digest', 'not packed')}`.",
        "## Sources",
        _table(
            ["source", "what", "licence", "package", "SHA-256"],
            [
                [
                    s["name"],
                    s["about"],
                    s["licence"],
                    s.get("package", ""),
                    s.get("sha256", "")[:16],
                ]
                for s in material["sources"]
            ],
        ),
        "## Material",
        _table(
            ["kind", "seconds"],
            [[kind, f"{seconds:.0f}"] for kind, seconds in material["seconds_by_kind"].items()],
        ),
        "## Training",
        _table(["", ""], [[name, str(value)] for name, value in plan.items()]),
        "Losses: the mean over the steps since the line above, and of the averaged model on "
        "material it does not learn from.",
        _table(
            ["step", "loss", "held out"],
            [[f"{p['step']:.0f}", f"{p['loss']:.4f}", f"{p['held_out']:.4f}"] for p in curve],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
