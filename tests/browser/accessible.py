"""What axe-core, a keyboard and odd widths find on pages that are open already."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from .harness import PICTURES

ROOT = Path(__file__).resolve().parents[2]
OURS = ".distill"
NARROW_PX, WIDE_PX, HIGH_PX = 480, 3840, 1200

_FOUND = """async ours => {
    // The handle of ipywidgets' slider has no name, and nothing of a widget's state gives it one.
    const notTheirs = ({target}) => !String(target).includes('noUi-handle');
    const {violations} = await axe.run({include: [[ours]]}, {resultTypes: ['violations']});
    return violations
        .filter(({impact}) => impact === 'serious' || impact === 'critical')
        .flatMap(({id, nodes}) => nodes.filter(notTheirs).map(({target, any, all}) =>
            `${id}: ${target.join(' ')} ${[...any, ...all].map(({message}) => message).join('; ')}`
        ));
}"""
_UNREACHED = """ours => {
    const kinds = 'button, input, select, textarea, a[href], summary, [tabindex]';
    const shown = el => el.checkVisibility() && !el.disabled && !el.closest('.js-plotly-plot');
    const all = [...document.querySelectorAll(`${ours} :is(${kinds})`)].filter(shown);
    return all.filter(el => {
        el.focus({preventScroll: true});
        if (document.activeElement !== el) return true;
        const {outlineStyle, outlineWidth} = getComputedStyle(el);
        return el.matches(':focus-visible') && (outlineStyle === 'none' || outlineWidth === '0px');
    }).map(el => el.outerHTML.slice(0, 120));
}"""
_WIDER = """ours => {
  const scrolls = (el, root) => {
    for (let at = el.parentElement; at && at !== root; at = at.parentElement) {
        if (getComputedStyle(at).overflowX !== 'visible') return true;
    }
    return false;
  };
  return [...document.querySelectorAll(ours)].flatMap(root => {
    const right = root.getBoundingClientRect().right;
    const over = [...root.querySelectorAll('*')].filter(el => {
        const box = el.getBoundingClientRect();
        return box.width && box.right > right + 1 && !el.closest('svg') && !scrolls(el, root);
    });
    return over.map(el => `${el.tagName}.${el.className} by ${
        Math.round(el.getBoundingClientRect().right - right)} px of ${root.clientWidth}`);
  });
}"""


@functools.cache
def axe_source() -> str:
    """axe-core as package.json names it: from `node_modules`, or fetched once."""
    file = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    if shutil.which("npm") is None and not os.environ.get("CI"):
        pytest.skip("no npm on this machine: axe-core cannot be had")
    version = json.loads((ROOT / "package.json").read_text())["devDependencies"]["axe-core"]
    with tempfile.TemporaryDirectory() as scratch:
        quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "install", *quiet, f"axe-core@{version}"], cwd=scratch, check=True)
        file = Path(scratch) / "node_modules" / "axe-core" / "axe.min.js"
        return file.read_text(encoding="utf-8")


def findings(page: Page, ours: str = OURS) -> list[str]:
    """What is seriously wrong for who reads the page by ear, or sees little contrast."""
    page.evaluate(axe_source())
    found: list[str] = page.evaluate(_FOUND, ours)
    return found


def unreached(page: Page, ours: str = OURS) -> list[str]:
    """What takes no keyboard focus, or does not show that it has it."""
    page.keyboard.press("Shift")  # from here on a focus is the keyboard's
    found: list[str] = page.evaluate(_UNREACHED, ours)
    return found


def overflows(page: Page, name: str, ours: str = OURS) -> dict[int, list[str]]:
    """What reaches over the right edge of its view, by the width of the page in pixels."""
    before: Any = page.viewport_size
    # JupyterLab's own bars would leave nothing of a narrow page.
    page.evaluate("() => window.jupyterapp.shell.collapseLeft?.()")
    found: dict[int, list[str]] = {}
    for width in (NARROW_PX, WIDE_PX):
        page.set_viewport_size({"width": width, "height": HIGH_PX})
        page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))"
        )
        found[width] = page.evaluate(_WIDER, ours)
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.locator(ours).first.screenshot(path=PICTURES / f"{name}-{width}.png")
    page.set_viewport_size(before)
    return found


def check(page: Page, name: str, ours: str = OURS) -> None:
    """Nothing serious of all this is found."""
    found = {
        "axe-core": findings(page, ours),
        "keyboard": unreached(page, ours),
        "widths": [
            f"{width}: {what}"
            for width, over in overflows(page, name, ours).items()
            for what in over
        ],
    }
    assert not any(found.values()), json.dumps(found, indent=1)
