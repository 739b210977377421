"""Find a Chromium for the tests in tests/lab, or install one: prints the path it chose.

In this order: the one named in ALWIDGETS_CHROMIUM; one on the PATH; Playwright's own, if it is
there; Playwright's own, downloaded; Debian's package, where the machine is a Debian and the user is
root. Each is started once before it is chosen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.installing import install_package, run, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HINT = (
    "No Chromium was found, and none could be installed. Install Chromium or Google Chrome and "
    "have it on the PATH (on Debian: apt-get install chromium), or name one in ALWIDGETS_CHROMIUM."
)


class NoBrowserError(RuntimeError):
    """There is no browser that starts."""


def starts(path: str) -> bool:
    """Say whether the browser starts: one whose libraries are missing does not."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{path} does not start: {error}")
        return False
    if done.returncode:
        said = done.stderr.strip().splitlines()
        say(f"{path} does not start: {said[-1] if said else f'exit status {done.returncode}'}")
    return done.returncode == 0


def on_path() -> str | None:
    """Return the first browser on the PATH that starts."""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path is not None and starts(path)), None)


def of_playwright() -> str | None:
    """Return Playwright's own browser, where it was downloaded and starts."""
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True)
    path = done.stdout.strip()
    return path if path and Path(path).exists() and starts(path) else None


def find() -> str:
    """Return the path of a Chromium that starts, installing one if need be.

    Raises
    ------
    NoBrowserError
        The one named does not start, or none could be found or installed.
    """
    named = os.environ.get("ALWIDGETS_CHROMIUM")
    if named:
        if starts(named):
            return named
        raise NoBrowserError(
            f"ALWIDGETS_CHROMIUM={named} is not a browser that starts. Unset or mend it."
        )
    path = on_path() or of_playwright()
    if path is None and run(sys.executable, "-m", "playwright", "install", "chromium"):
        path = of_playwright()
    if path is None and install_package("chromium"):
        path = on_path()
    if path is None:
        raise NoBrowserError(HINT)
    return path


if __name__ == "__main__":
    try:
        print(find())
    except NoBrowserError as error:
        sys.exit(f"error: {error}")
