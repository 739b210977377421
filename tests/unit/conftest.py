"""What several unit tests need."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder, of this test alone; it is not made yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ALWIDGETS_CACHE", str(folder))
    return folder
