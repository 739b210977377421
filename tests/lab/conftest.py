"""One JupyterLab and one browser for all tests here; a notebook for each test that asks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error

from tests.browser import find

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from harness import Lab  # noqa: E402
from page import Notebook  # noqa: E402

Open = Callable[..., Notebook]

#: Pictures that the tests take; git ignores it.
SCREENSHOTS = HERE.parent / "screenshots"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Add the console, and a picture, of every open notebook to the report of a failure."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab is not None:
        for number, notebook in enumerate(lab.opened):
            path = SCREENSHOTS / f"failed-{item.name}-{number}.png"
            with contextlib.suppress(Error):
                notebook.screenshot(path)
            report.sections.append((f"console of {path.name}", "\n".join(notebook.console[-30:])))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let these tests take their time, each wait has an end of its own."""
    for item in items:
        if HERE in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(1_200))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, and a browser."""
    with Lab(tmp_path_factory.mktemp("lab"), find()) as lab:
        yield lab


def _opened(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Open]:
    with contextlib.ExitStack() as stack:
        name = request.node.name.removesuffix(".py").partition("[")[0]
        yield lambda source, **options: stack.enter_context(lab.open(source, name=name, **options))


@pytest.fixture
def opened(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open notebooks that are closed after the test."""
    yield from _opened(lab, request)


@pytest.fixture(scope="module")
def opened_once(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Open notebooks that are closed after the tests of the module."""
    yield from _opened(lab, request)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Print a figure that was measured, whether or not output is captured."""
    plugins = request.config.pluginmanager
    terminal, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            if terminal is None:  # in a process beside others
                print(f"    {text}", file=sys.stderr, flush=True)
                return
            terminal.ensure_newline()
            terminal.write_line(f"    {text}")

    return say
