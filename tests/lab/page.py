"""A notebook that is open in JupyterLab, and the cards in it."""

from __future__ import annotations

import ast
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Request, WebSocket
from playwright.sync_api import TimeoutError as TookTooLong

if TYPE_CHECKING:
    from harness import Lab

#: Names for the parts of JupyterLab that the scripts below work on.
HEAD = """
const app = window.jupyterapp, panel = app?.shell?.currentWidget, cells = panel?.content?.widgets;
const context = panel?.sessionContext, kernel = context?.session?.kernel;
const root = document.querySelector("[data-view=cards]");
"""
#: How often a page is loaded before it has the notebook and a kernel.
LOADS = 3
#: Seconds to wait for what comes at once on a machine with nothing else to do, and for a layout:
#: its process is the least urgent one.
PATIENCE, LAYOUT = 150, 400
#: Seconds that somebody looks at a card before a press.
LOOK = 0.6


class Notebook:
    """One notebook in one browser tab.

    Attributes
    ----------
    page : playwright Page
    cards : Cards
    path : Path
        The file; its folder is where the kernel works.
    console : list of str
        What the page wrote to the console, and errors nobody caught.
    outside : list of str
        Addresses that were asked for beyond the server.
    """

    def __init__(self, lab: Lab, profile: BrowserContext, path: Path) -> None:
        self.lab = lab
        self.path = path
        self.folder = path.parent
        self.console: list[str] = []
        self.outside: list[str] = []
        self._profile = profile
        self.turn()
        self.cards = Cards(self)

    def turn(self) -> None:
        """Go on in a new tab, of the same browser profile; `load` brings the notebook."""
        self.page = self._profile.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda e: self.console.append(f"uncaught: {e}"))
        self.page.on("request", self._requested)
        self.page.on("websocket", self._requested)

    def beside(self) -> Notebook:
        """The same notebook, as it was saved, in one more tab of the same profile."""
        other = Notebook(self.lab, self._profile, self.path)
        other.load()
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the tab and end the kernel."""
        self.lab.opened.remove(self)
        self._profile.close()
        self.lab.end_kernels(self.path)

    # ------------------------------------------------------------------ what the page said

    def _heard(self, message: ConsoleMessage) -> None:
        self.console.append(f"{message.type}: {message.text} [{message.location.get('url', '')}]")

    def _requested(self, what: Request | WebSocket) -> None:
        own = (self.lab.url, self.lab.url.replace("http:", "ws:"), "data:", "blob:")
        if not what.url.startswith(own):
            self.outside.append(what.url)

    @property
    def errors(self) -> list[str]:
        """Errors on the console."""
        return [line for line in self.console if line.startswith(("error:", "uncaught:"))]

    # ------------------------------------------------------------------ JupyterLab

    def load(self, *, new: bool = False) -> None:
        """Load the page (again); the kernel, if there is one, lives on.

        That of a new notebook, in which nothing has run, is ended where it does not answer.
        """
        where = self.path.relative_to(self.lab.notebooks).as_posix()
        for attempt in range(LOADS):
            self.page.goto(
                f"{self.lab.url}/doc/tree/{where}?token={self.lab.token}",
                wait_until="domcontentloaded",
            )
            try:
                self.until("return !!cells?.length && kernel?.status === 'idle'", seconds=60)
                return
            except TookTooLong:
                # JupyterLab now and then waits for ever for a kernel that has started.
                if attempt == LOADS - 1:
                    raise
                # Or another process took one of its ports first: it is started on these for ever.
                if new:
                    self.lab.end_kernels(self.path)

    def js(self, script: str, value: Any = None) -> Any:
        """Run a script in the page; `value` is what it is given, `return` what comes back."""
        return self.page.evaluate(f"async (value) => {{ {HEAD} {script} }}", value)

    def until(self, script: str, value: Any = None, *, seconds: float = PATIENCE) -> None:
        """Wait until a script in the page returns something true."""
        self.page.wait_for_function(
            f"(value) => {{ {HEAD} {script} }}", arg=value, timeout=seconds * 1000
        )

    def command(self, name: str, **options: Any) -> None:
        """Run one of JupyterLab's commands."""
        self.js("await app.commands.execute(value[0], value[1])", [name, options])

    @property
    def status(self) -> str | None:
        """The kernel's status as the page knows it."""
        return self.js("return kernel?.status ?? null")

    def wait_idle(self, seconds: float = PATIENCE) -> None:
        """Wait until the kernel is idle."""
        self.until("return kernel?.status === 'idle'", seconds=seconds)

    def run_all(self, *, seconds: float = LAYOUT) -> None:
        """Run all cells and wait; an error in one of them is raised here."""
        self.start("notebook:run-all-cells")
        self.wait_ran(seconds)
        for number in range(len(self.cells())):
            for output in self.outputs(number):
                if output["output_type"] == "error":
                    raise RuntimeError(
                        f"Cell {number} failed: {output['ename']}: {output['evalue']}\n"
                        + "\n".join(output["traceback"])
                    )

    def run_cell(self, number: int, *, wait: bool = True, seconds: float = LAYOUT) -> None:
        """Run one cell."""
        self.js("panel.content.activeCellIndex = value", number)
        self.start("notebook:run-cell")
        if wait:
            self.wait_ran(seconds)

    def start(self, command: str) -> None:
        """Run a command without waiting for its end; `wait_ran` does that."""
        self.js(
            "window.ran = false; app.commands.execute(value).then(() => { window.ran = true })",
            command,
        )

    def wait_ran(self, seconds: float = LAYOUT) -> None:
        """Wait for what `start` started."""
        self.until("return window.ran === true", seconds=seconds)
        self.wait_idle(seconds)

    def cells(self) -> list[tuple[str, str]]:
        """Type and source of every cell."""
        found = self.js("return cells.map(c => [c.model.type, c.model.sharedModel.getSource()])")
        return [(kind, source) for kind, source in found]

    def outputs(self, number: int) -> list[dict[str, Any]]:
        """Outputs of a cell, as the file has them."""
        return self.js("return cells[value].model.outputs?.toJSON() ?? []", number)

    def save(self) -> int:
        """Save the notebook; return the size of the file in bytes."""
        self.command("docmanager:save")
        self.until("return !panel.context.model.dirty")
        return self.path.stat().st_size

    def dismiss_dialogs(self) -> int:
        """Close JupyterLab's dialogs; return how many there were."""
        return self.js(
            "const all = [...document.querySelectorAll('.jp-Dialog')];"
            "for (const d of all) d.querySelector('.jp-Dialog-footer .jp-mod-accept')?.click();"
            "return all.length"
        )

    # ------------------------------------------------------------------ the kernel

    def value(self, expression: str) -> Any:
        """Value of a Python expression in the kernel, through JSON."""
        content = self._request("", {"v": f"__import__('json').dumps({expression})"})
        result = content["user_expressions"]["v"]
        if result["status"] != "ok":
            raise RuntimeError(f"{expression}: {result['ename']}: {result['evalue']}")
        return json.loads(ast.literal_eval(result["data"]["text/plain"]))

    def execute(self, code: str) -> None:
        """Run statements in the kernel, not in a cell."""
        content = self._request(code, {})
        if content["status"] == "error":
            raise RuntimeError("\n".join(content["traceback"]))

    def _request(self, code: str, expressions: dict[str, str]) -> dict[str, Any]:
        return self.js(
            "const f = kernel.requestExecute({code: value[0], user_expressions: value[1],"
            " store_history: false}); return (await f.done).content",
            [code, expressions],
        )

    def wait_value(
        self, expression: str, accept: Callable[[Any], bool] = bool, *, seconds: float = PATIENCE
    ) -> Any:
        """Wait until the value of an expression in the kernel is acceptable; return it."""
        return wait_for(lambda: self.value(expression), accept, seconds=seconds, what=expression)

    def restart(self) -> None:
        """Restart the kernel, as from the menu."""
        self.js("await context.restartKernel()")
        self.wait_idle()

    @property
    def pid(self) -> int:
        """Process id of the kernel."""
        return int(self.value("__import__('os').getpid()"))

    def kill(self) -> None:
        """Have the kernel die as in a crash; the server starts another."""
        os.kill(self.pid, signal.SIGKILL)

    # ------------------------------------------------------------------ the look

    def view(self, name: str) -> Locator:
        """The root of a view."""
        return self.page.locator(f'[data-view="{name}"]').first

    def screenshot(self, path: Path, what: Locator | None = None) -> Path:
        """Save a picture of the window, or of one element."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (what or self.page).screenshot(path=str(path))
        return path

    def theme(self, name: str) -> None:
        """Use "JupyterLab Light" or "JupyterLab Dark"; what has the focus keeps it."""
        self.js("window.focused = document.activeElement")
        self.command("apputils:change-theme", theme=name)
        light = "true" if name.endswith("Light") else "false"
        self.until("return document.body.dataset.jpThemeLight === value", light)
        # Until then the page is hidden, now and then for long enough to lose the focus.
        self.until("return !document.getElementById('jupyterlab-splash')")
        self.js("window.focused.focus()")


class Cards:
    """The cards of a notebook, as a person sees and uses them."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    @property
    def root(self) -> Locator:
        """The root element."""
        return self._notebook.view("cards")

    @property
    def item(self) -> str:
        """Id of the item on the card; empty if there is none."""
        return self._data("itemId")

    @property
    def unsaved(self) -> int:
        """Labels that are not acknowledged."""
        return int(self._data("unsaved"))

    @property
    def round(self) -> int:
        """Version of the model that the cards to come go by."""
        return int(self._data("round"))

    def _data(self, name: str) -> str:
        return self.root.evaluate("(root, name) => root.dataset[name] ?? ''", name)

    def focus(self) -> None:
        """Give the cards the keyboard."""
        self.root.focus()

    def press(self, key: str) -> None:
        """Press a key wherever the focus is."""
        self._notebook.page.keyboard.press(key)

    def wait_card(self, *, seconds: float = PATIENCE) -> str:
        """Wait until a card is there; return its item's id."""
        self._notebook.until("return !!root?.dataset.itemId", seconds=seconds)
        return self.item

    def look(self) -> None:
        """Look at a card that came by itself: a press that comes sooner was meant for another."""
        time.sleep(LOOK)

    def wait_saved(self, *, seconds: float = PATIENCE) -> None:
        """Wait until every label is acknowledged."""
        self._notebook.until("return root?.dataset.unsaved === '0'", seconds=seconds)

    def wait_round(self, version: int, *, seconds: float = PATIENCE) -> None:
        """Wait until the cards to come go by this version of the model, or a later one."""
        self._notebook.until(
            "return Number(root?.dataset.round) >= value", version, seconds=seconds
        )


def wait_for(
    ask: Callable[[], Any],
    accept: Callable[[Any], bool] = bool,
    *,
    seconds: float = PATIENCE,
    every: float = 0.1,
    what: str = "an answer",
) -> Any:
    """Ask again and again until the answer is acceptable; return it."""
    end = time.monotonic() + seconds
    while True:
        answer = ask()
        if accept(answer):
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {seconds:.0f} s for {what}; it is {answer!r}.")
        time.sleep(every)
