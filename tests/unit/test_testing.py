"""What the tests lean on: no browser test is skipped, and a browser that starts is found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

SKIPS = """
import pytest

def test_called():
    pytest.skip("no browser")

@pytest.mark.skip(reason="marked")
def test_marked():
    pass

@pytest.fixture
def browser():
    pytest.skip("no browser")

def test_fixture(browser):
    pass
"""


def test_a_skip_in_lab_is_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makeconftest((TESTS / "conftest.py").read_text())
    lab = pytester.mkdir("lab")
    (lab / "test_skips.py").write_text(SKIPS)
    (lab / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    other = pytester.mkdir("other")
    (other / "test_other.py").write_text(SKIPS)
    result = pytester.runpytest_subprocess("lab", "--continue-on-collection-errors")
    outcomes = result.parseoutcomes()
    assert outcomes.get("skipped", 0) == 0
    assert outcomes["failed"] + outcomes["errors"] == 4
    result.stdout.fnmatch_lines(["*a skip here counts as a failure*"])
    assert pytester.runpytest_subprocess("other").parseoutcomes() == {"skipped": 3}


def _browser(path: Path, status: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho Chromium >&2\nexit {status}\n")
    path.chmod(0o755)
    return path


def _find(path: Path, named: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ALWIDGETS_CHROMIUM"}
    if named is not None:
        environment["ALWIDGETS_CHROMIUM"] = str(named)
    return subprocess.run(
        [sys.executable, "-m", "tests.browser"],  # as make does
        cwd=TESTS.parent,
        env={**environment, "PATH": str(path)},
        capture_output=True,
        text=True,
    )


def test_browser_that_starts_is_chosen(tmp_path: Path) -> None:
    _browser(tmp_path / "chromium", 127)
    works = _browser(tmp_path / "google-chrome", 0)
    found = _find(tmp_path)
    assert found.stdout == f"{works}\n"
    assert "chromium does not start" in found.stderr


def test_named_browser_comes_first(tmp_path: Path) -> None:
    _browser(tmp_path / "chromium", 0)
    named = _browser(tmp_path / "own" / "browser", 0)
    assert _find(tmp_path, named).stdout == f"{named}\n"
    gone = _find(tmp_path, tmp_path / "gone")
    assert gone.returncode == 1
    assert gone.stdout == ""
    assert "ALWIDGETS_CHROMIUM" in gone.stderr
