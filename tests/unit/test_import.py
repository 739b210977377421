"""Importing alwidgets is quick and loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "IPython",
    "PIL",
    "alembic",
    "anywidget",
    "filelock",
    "ipywidgets",
    "numba",
    "pandas",
    "plotly",
    "psycopg",
    "pooch",
    "pyarrow",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "torch",
    "umap",
}
LONGEST = 0.3


def test_import_loads_nothing_heavy() -> None:
    ask = "import alwidgets, sys; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", ask], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "alwidgets" in loaded
    assert not loaded & HEAVY


def test_import_is_quick() -> None:
    # The best of three: on a busy machine one may wait for the disk or for its turn.
    assert min(_seconds() for _ in range(3)) < LONGEST


def _seconds() -> float:
    """Time the import as the interpreter counts it: alwidgets with all that it imports."""
    report = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import alwidgets"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    (line,) = [line for line in report.splitlines() if line.split("|")[-1].strip() == "alwidgets"]
    return int(line.split("|")[1]) / 1e6


def test_every_public_name_resolves() -> None:
    import alwidgets

    assert {"Classification", "HeadEnsemble", "LabelStore", "Pool", "Session"} <= set(
        alwidgets.__all__
    )
    assert set(alwidgets.__all__) <= set(dir(alwidgets))
    for name in alwidgets.__all__:
        assert getattr(alwidgets, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = alwidgets.nonsense
