"""A real JupyterLab or Notebook 7, a real kernel, and a real Chromium that looks at it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Browser, Error as PlaywrightError, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("DISTILL_TEST_PICTURES", ROOT / "test-artefacts"))
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required", "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
]  # fmt: skip
LOOKS_EVERY_MS = 100
PATIENCE_S = 180.0
"""A machine with other things to do is slow; waiting longer costs nothing where it is not."""
# anywidget leaves a widget dead for good that did not begin within two seconds of its model's
# arrival; a page that shares its cores with other tests may need longer.
PATIENT = """{
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    AbortSignal.timeout = (ms) => timeout(60 * ms);
}"""

EMPTY = """
__import__("ipywidgets").Widget.close_all()
get_ipython().run_line_magic("reset", "-f")
__import__("gc").collect()
"""


@dataclass(frozen=True)
class Server:
    """A running notebook server."""

    url: str
    token: str
    folder: Path

    def api(self, path: str, method: str = "GET", body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            text = reply.read()
        return json.loads(text) if text else None


@contextlib.contextmanager
def serve(home: Path) -> Iterator[Server]:
    """JupyterLab with Notebook 7 beside it, on a port of its own; `home` is an empty folder."""
    settings = home / "config/lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    options = [
        "--IdentityProvider.token={token}", "--ServerApp.root_dir={folder}",
        "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
        "--ServerApp.jpserver_extensions={{'notebook': True}}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with running_server(home, "jupyterlab", options) as found:
        yield found


@contextlib.contextmanager
def running_server(home: Path, module: str, options: Sequence[str]) -> Iterator[Server]:
    """A notebook server, from the moment it answers; `{token}` and `{folder}` are filled in."""
    folder = home / "work"
    folder.mkdir()
    token = secrets.token_hex(8)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "widgets")]),
    }  # fmt: skip
    command = [
        sys.executable, "-m", module, "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", *(option.format(token=token, folder=folder) for option in options),
    ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    found = Server(f"http://127.0.0.1:{port}", token, folder)
    try:
        for _ in range(240):
            try:
                found.api("status")
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError((home / "log").read_text()) from None
                time.sleep(0.25)
        yield found
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def chromium(microphone: Path | None = None) -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    Args:
        microphone: a WAV file that its microphone gives again and again, without asking anybody.
    """
    fake = [
        "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        flags = [*FLAGS, *(fake if microphone else ())]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


def looked_at_calmly(page: Page) -> Page:
    """A page whose waits look ten times a second: by themselves they look at every frame, so that
    it makes sixty a second, and a tenth of a core goes into showing nothing new.
    """
    page.wait_for_function = functools.partial(  # type: ignore[method-assign]
        page.wait_for_function, polling=LOOKS_EVERY_MS
    )
    return page


@dataclass(frozen=True)
class Record:
    """What attributes have been since `Notebook.record`."""

    page: Page
    key: str

    def until(self, *values: str) -> None:
        """Waits until the attributes have had these values at one time."""
        self.page.wait_for_function(
            """([key, wanted]) => globalThis.noted[key].some(
                (had) => had.every((value, i) => value === wanted[i]))""",
            arg=[self.key, values],
        )

    def all(self) -> list[list[str]]:
        """The values at each change, the first ones first."""
        return self.page.evaluate("(key) => globalThis.noted[key]", self.key)


class Notebook:
    """A notebook open in a page.

    Args:
        server: of its kernel.
        browser: where it is opened.
        name: of its file.
        cells: its file is made with; none where it is there.
        front: "lab" or "notebook".
        page: of a lab that shows nothing, to open it in; None loads one.
    """

    def __init__(
        self,
        server: Server,
        browser: Browser,
        name: str,
        cells: list[str],
        front: str,
        page: Page | None = None,
    ) -> None:
        self.server, self.name, self.front = server, name, front
        if cells:
            self.write(cells)
        if page is not None:
            self.context, self.page = page.context, page
            self.command("docmanager:open", path=name)
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            return
        self.context = browser.new_context(viewport={"width": 1280, "height": 1700})
        self.context.add_init_script(PATIENT)
        self.page = self.open()

    def write(self, cells: list[str]) -> None:
        """The notebook's file, with these cells."""
        document = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell).strip()) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        nbformat.write(document, self.server.folder / self.name)

    def open(self) -> Page:
        """Another tab on the same notebook."""
        page = looked_at_calmly(self.context.new_page())
        page.set_default_timeout(1000 * PATIENCE_S)
        self.goto(page)
        return page

    def goto(self, page: Page) -> None:
        place = "lab/tree" if self.front == "lab" else "notebooks"
        reset = "&reset" if self.front == "lab" else ""
        page.goto(f"{self.server.url}/{place}/{self.name}?token={self.server.token}{reset}")
        page.wait_for_function("() => window.jupyterapp && window.jupyterapp.commands")
        page.wait_for_selector(".jp-Notebook .jp-Cell")

    def command(self, name: str, **arguments: Any) -> None:
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments]
        )

    def run_all(self) -> None:
        """Runs every cell as soon as there is a kernel; does not wait for them."""
        self.page.wait_for_function(
            """() => window.jupyterapp.shell.currentWidget
                ?.sessionContext?.session?.kernel?.status === 'idle'"""
        )
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
        )

    def theme(self, name: str) -> None:
        """Light or Dark."""
        self.command("apputils:change-theme", theme=f"JupyterLab {name}")
        self.page.wait_for_function(
            f"() => document.body.dataset.jpThemeLight === '{str(name == 'Light').lower()}'"
        )
        ground = "#fff" if name == "Light" else "#111"  # its style sheet has loaded
        self.page.wait_for_function(
            """(ground) => {
                const style = getComputedStyle(document.body);
                const ink = style.getPropertyValue('--jp-ui-font-color1').trim();
                const colour = style.getPropertyValue('--jp-layout-color0').trim();
                const charts = [...document.querySelectorAll('.distill-chart[data-ink]')];
                const is = colour.startsWith(ground) || (colour === 'white' && ground[1] === 'f');
                return ink && is && charts.every((e) => e.dataset.ink === ink);
            }""",
            arg=ground,
        )

    def save(self) -> dict[str, Any]:
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function(
            "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"
        )
        return nbformat.read(self.server.folder / self.name, as_version=4)

    def until(self, condition: Callable[[], Any], *, timeout_s: float = PATIENCE_S) -> None:
        """Waits until something outside of the page is so."""
        ends = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < ends, "it did not happen in time"
            self.page.wait_for_timeout(LOOKS_EVERY_MS)

    def kernel_id(self) -> str:
        for session in self.server.api("sessions"):
            if session["path"] == self.name:
                return session["kernel"]["id"]
        raise AssertionError(f"{self.name} has no kernel")

    def wait_for(
        self,
        selector: str,
        attribute: str,
        value: str | int | None = None,
        *,
        timeout_s: float = PATIENCE_S,
    ) -> str:
        """Waits until an element has an attribute (of that value, or at least that number)."""
        self.page.wait_for_function(
            """([selector, attribute, value]) => {
                const found = document.querySelector(selector)?.dataset?.[attribute];
                if (found === undefined) return false;
                if (value === null) return true;
                return typeof value === 'number' ? Number(found) >= value : found === value;
            }""",
            arg=[selector, attribute, value],
            timeout=1000 * timeout_s,
        )
        return self.read(selector, attribute)

    def read(self, selector: str, attribute: str) -> str:
        return self.page.evaluate(
            "([s, a]) => document.querySelector(s)?.dataset?.[a] ?? ''", [selector, attribute]
        )

    def record(self, selector: str, *attributes: str) -> Record:
        """Notes from now on what attributes become, for states that are over before one looks."""
        key = secrets.token_hex(4)
        self.page.evaluate(
            """([key, selector, names]) => {
                const noted = ((globalThis.noted ??= {})[key] = []);
                const note = (element) =>
                    noted.push(names.map((name) => element?.dataset[name] ?? ''));
                note(document.querySelector(selector));
                new MutationObserver((changes) => {
                    for (const element of new Set(changes.map((change) => change.target))) {
                        if (element.matches(selector)) note(element);
                    }
                }).observe(document, {
                    subtree: true, attributeFilter: names.map((name) => `data-${name}`),
                });
            }""",
            [key, selector, list(attributes)],
        )
        return Record(self.page, key)

    def picture(self, name: str, selector: str = ".distill-dashboard") -> None:
        """Keeps what it looks like, for people."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.locator(selector).first.screenshot(path=PICTURES / f"{name}.png")

    def output(self) -> str:
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())

    def shows(self) -> str:
        """The page's words and the states it has, for a test that failed."""
        try:
            return self.page.evaluate(
                """() => [...document.querySelectorAll("[class*='distill-']")]
                    .filter((element) => Object.keys(element.dataset).length)
                    .map((element) => `${element.className} ${JSON.stringify(element.dataset)}`)
                    .concat(document.querySelector('.jp-Notebook')?.innerText ?? '').join('\\n')"""
            )
        except PlaywrightError as error:
            return f"it does not answer: {error}"

    def can_serve_on(self) -> bool:
        """Whether its page is as it was when it was loaded, once it is `emptied`."""
        is_lab = self.front == "lab" and len(self.context.pages) == 1
        return is_lab and self.page.locator(".jp-Dialog").count() == 0

    def emptied(self) -> Page:
        """Its page without it, for the next one: to load the lab takes five seconds."""
        self.page.evaluate(
            "() => [...window.jupyterapp.shell.widgets('main')].forEach((one) => one.dispose())"
        )
        return self.page

    def close(self) -> None:
        """Closes its pages; its kernel goes on."""
        self.context.close()


class Kernels:
    """Kernels of notebooks that were closed, for the next ones: to start one is to load torch."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._idle: list[str] = []  # their sessions

    def lend(self, name: str) -> None:
        """A notebook that is opened next gets a kernel that is there, if there is one."""
        if self._idle:
            self._rename(self._idle.pop(), name)

    def take_back(self, name: str) -> None:
        """Empties the kernel of a notebook that was closed; one that is at work is ended."""
        for session in self._of(name):
            kernel = session["kernel"]
            if kernel["execution_state"] == "idle" and self._emptied(kernel["id"]):
                self._rename(session["id"], f"idle-{secrets.token_hex(4)}.ipynb")
                self._idle.append(session["id"])
            else:
                self._server.api(f"sessions/{session['id']}", "DELETE")

    def end(self, name: str) -> None:
        """Ends the kernel of a notebook that was closed."""
        for session in self._of(name):
            self._server.api(f"sessions/{session['id']}", "DELETE")

    def _of(self, name: str) -> list[Any]:
        return [one for one in self._server.api("sessions") if one["path"] == name]

    def _rename(self, session: str, name: str) -> None:
        place = {"path": name, "name": name, "type": "notebook"}
        self._server.api(f"sessions/{session}", "PATCH", place)

    def _emptied(self, kernel: str) -> bool:
        runtime = self._server.folder.parent / "runtime"
        client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=20)
            reply = client.execute(EMPTY, reply=True, timeout=20)
            return bool(reply["content"]["status"] == "ok")
        except (RuntimeError, TimeoutError):
            return False
        finally:
            client.stop_channels()
