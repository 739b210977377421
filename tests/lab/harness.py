"""A real JupyterLab and a real Chromium for the tests.

    with Lab(folder, chromium) as lab, lab.open(["x = 1", "x"]) as notebook:
        notebook.run_all()
        assert notebook.value("x") == 1

The server listens on a free port of the loopback, has its configuration, data and settings in
`folder` and nothing of the user's, and ends with its kernels on leaving, or when this process dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import nbformat
import warm
from page import Notebook
from playwright.sync_api import Browser, sync_playwright

START_SECONDS = 120

#: WebGL without a graphics card, and no traffic of the browser's own.
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-quic",
    # A page that is not in front keeps its clock.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    # WebGL is drawn by SwiftShader then, but not the page too: a frame in ms, not in tens.
    "--disable-gpu-compositing",
]

SERVER_ARGS = [
    "--no-browser",
    "--allow-root",
    "--ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--ServerApp.iopub_data_rate_limit=1e12",
    # A kernel that was killed is started again at once, however often that happens.
    "--AsyncIOLoopKernelRestarter.time_to_dead=0.5",
    "--AsyncIOLoopKernelRestarter.restart_limit=1000",
    "--LabApp.news_url=",
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--expose-app-in-browser",
]

#: The kernel as it is installed, and one of warm.py.
INSTALLED, WARM = "python3", "warm"

#: Runs what follows, and has the system end it when the process that started it dies.
TIED = (
    "import ctypes, os, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, 15)\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Lab:
    """JupyterLab and a browser.

    Parameters
    ----------
    folder : Path
        Empty; holds notebooks, databases, settings and the server's log.
    chromium : str
        Path of the browser.
    """

    def __init__(self, folder: Path, chromium: str) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.token = secrets.token_hex(8)
        self.url = ""
        self.opened: list[Notebook] = []
        self._chromium = chromium
        self._warms = sys.platform == "linux"
        self._server: subprocess.Popen[bytes] | None = None
        self._browser: Browser | None = None
        self._leave = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.notebooks.mkdir(parents=True)
        try:
            if self._warms:
                self._warm_kernels()
            self._start_server()
            self._start_browser()
        except BaseException:
            self._leave.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.close()

    @property
    def log(self) -> str:
        """What the server and the kernels wrote."""
        return (self.folder / "server.log").read_text(errors="replace")

    # ------------------------------------------------------------------ notebooks

    def open(
        self,
        source: Sequence[str] | Path,
        *,
        name: str = "test",
        size: tuple[int, int] = (1400, 1000),
        kernel: str = WARM,
    ) -> Notebook:
        """Open a notebook in a folder, a browser profile and a kernel of its own.

        Parameters
        ----------
        source : sequence of str, or Path
            Code cells, or a notebook to copy.
        name : str
        size : (width, height)
            Of the window, in pixels.
        kernel : str
            Of code cells: INSTALLED where it matters that a kernel is a new process.
        """
        folder = self.notebooks / f"{name}-{secrets.token_hex(3)}"
        folder.mkdir(parents=True)
        path = folder / (source.name if isinstance(source, Path) else f"{name}.ipynb")
        if isinstance(source, Path):
            shutil.copyfile(source, path)
        else:
            nbformat.write(notebook_of(source, kernel if self._warms else INSTALLED), path)
        assert self._browser is not None
        profile = self._browser.new_context(viewport={"width": size[0], "height": size[1]})
        notebook = Notebook(self, profile, path)
        self.opened.append(notebook)
        try:
            notebook.load(new=True)
        except BaseException:
            notebook.close()
            raise
        return notebook

    def end_kernels(self, path: Path) -> None:
        """End the kernel of a notebook."""
        wanted = path.relative_to(self.notebooks).as_posix()
        for session in self.ask("GET", "sessions"):
            if session["path"] == wanted:
                self.ask("DELETE", f"sessions/{session['id']}")

    def ask(self, method: str, what: str, timeout: float = 20) -> Any:
        """Ask the server's REST interface."""
        request = urllib.request.Request(
            f"{self.url}/api/{what}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
            data=b"" if method == "POST" else None,
        )
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            body = reply.read()
        return json.loads(body) if body else None

    # ------------------------------------------------------------------ start and end

    def _warm_kernels(self) -> None:
        name = f"alwidgets-{secrets.token_hex(8)}"
        spec = self.folder / "data/kernels" / WARM / "kernel.json"
        spec.parent.mkdir(parents=True)
        spec.write_text(json.dumps(warm.kernel_spec(name)))
        process = self._start("-P", warm.__file__, "serve", name)
        self._leave.callback(process.wait)
        self._leave.callback(process.kill)

    def _start_server(self) -> None:
        quiet = self.folder / "settings/@jupyterlab/apputils-extension"
        quiet.mkdir(parents=True)
        (quiet / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        # Otherwise each page asks yarn whether JupyterLab should be built anew.
        page = self.folder / "config/labconfig/page_config.json"
        page.parent.mkdir(parents=True)
        page.write_text(json.dumps({"buildCheck": False, "buildAvailable": False}))
        for _ in range(3):  # another process may take the port in between
            port = _free_port()
            self.url = f"http://127.0.0.1:{port}"
            self._server = self._start(
                *("-m", "jupyterlab"),
                *SERVER_ARGS,
                f"--port={port}",
                f"--IdentityProvider.token={self.token}",
                f"--ServerApp.root_dir={self.notebooks}",
            )
            if self._answers():
                self._leave.callback(self._stop_server)
                return
            self._stop_server()
        raise RuntimeError(f"JupyterLab did not start. Its log ends with:\n{self.log[-3000:]}")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Python; what it writes goes to the log."""
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", TIED, sys.executable, *arguments],
                env=self._environment(),
                cwd=self.notebooks,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "IPYTHON", "JPY_", "PYTEST"))
        }
        for kind in ("config", "data", "runtime"):
            env[f"JUPYTER_{kind.upper()}_DIR"] = str(self.folder / kind)
        env["JUPYTERLAB_SETTINGS_DIR"] = str(self.folder / "settings")
        env["JUPYTERLAB_WORKSPACES_DIR"] = str(self.folder / "workspaces")
        env["ALWIDGETS_CACHE"] = str(self.folder / "cache")
        # Each kernel would compile the package's sources anew.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env["IPYTHONDIR"] = str(self.folder / "ipython")
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", "")])
        return env

    def _answers(self) -> bool:
        assert self._server is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._server.poll() is None:
            try:
                self.ask("GET", "status", timeout=2)
                return True
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        return False

    def _stop_server(self) -> None:
        server = self._server
        if server is None:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self.ask("POST", "shutdown", timeout=5)  # ends the kernels, too
            server.wait(10)
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if server.poll() is None:
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(server.pid, sign)  # a session of its own: pid and group are one
                    server.wait(5)
        self._server = None

    def _start_browser(self) -> None:
        playwright = self._leave.enter_context(sync_playwright())
        self._browser = playwright.chromium.launch(
            executable_path=self._chromium, headless=True, args=CHROMIUM_ARGS
        )
        self._leave.callback(self._browser.close)


def notebook_of(cells: Sequence[str], kernel: str = INSTALLED) -> Any:
    """Return a notebook of code cells."""
    v4 = nbformat.v4
    spec = {"name": kernel, "display_name": "Python 3", "language": "python"}
    return v4.new_notebook(
        cells=[v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec}
    )


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])
