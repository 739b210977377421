"""What holds for every test."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

LAB = Path(__file__).parent / "lab"


def _refuse_skip(report: Any, path: Path) -> None:
    """Turn a skip in tests/lab into a failure: without a browser nothing there has been seen."""
    if report.skipped and not hasattr(report, "wasxfail") and path.is_relative_to(LAB):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nA browser test must run: a skip here counts as a failure."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Look at every phase of every test."""
    report = yield
    _refuse_skip(report, item.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Look at modules that skip themselves as a whole."""
    report = yield
    path = getattr(collector, "path", None)
    if path is not None:
        _refuse_skip(report, path)
    return report


@pytest.fixture
def selects() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    asked: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(sa.Engine, "before_cursor_execute", note)
