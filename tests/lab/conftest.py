"""One JupyterLab and one browser for all tests here; a notebook for each test that asks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from browser import find  # noqa: E402
from harness import Lab  # noqa: E402
from page import Notebook  # noqa: E402

Open = Callable[..., Notebook]

#: Pictures that the tests take; git ignores it.
SCREENSHOTS = HERE.parent / "screenshots"

failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember whether a test failed, for a picture of the page."""
    report = yield
    item.stash[failed] = report.failed or item.stash.get(failed, False)
    return report


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, and a browser."""
    with Lab(tmp_path_factory.mktemp("lab"), find()) as lab:
        yield lab


@pytest.fixture
def opened(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open notebooks that are closed after the test."""
    notebooks: list[Notebook] = []

    def open_one(source: Sequence[str] | Path, **options: Any) -> Notebook:
        notebooks.append(lab.open(source, name=request.node.originalname, **options))
        return notebooks[-1]

    yield open_one
    for number, notebook in enumerate(notebooks):
        if request.node.stash.get(failed, False):
            path = SCREENSHOTS / f"failed-{request.node.name}-{number}.png"
            with contextlib.suppress(Error):
                notebook.screenshot(path)
            print(f"Picture: {path}", "Console:", *notebook.console[-30:], sep="\n")
        notebook.close()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a figure that was measured, whether or not output is captured."""
    plugins = request.config.pluginmanager
    terminal, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(f"    {text}")

    return say
