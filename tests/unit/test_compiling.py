"""What numba compiled is kept: a later process finds it, and writes nothing anew."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

#: Lay out a little, with and without a layout before; then how many of the functions' signatures
#: were compiled for it, how many were found on disk, and how many files there are.
LAY_OUT = """
import sys
from pathlib import Path
import umap
from umap import layouts, umap_
from alwidgets.projection.compiling import keep_compiled
if "keep" in sys.argv:
    assert keep_compiled() >= 4
    assert keep_compiled() == 0
from alwidgets.projection.arranging import prewarm
prewarm(lambda: False)
functions = [umap_.smooth_knn_dist, umap_.compute_membership_strengths, layouts.clip]
print(sum(sum(f.stats.cache_misses.values()) for f in functions))
print(sum(sum(f.stats.cache_hits.values()) for f in functions))
site = Path(umap.__file__).parents[1]
print(sum(1 for name in ("umap", "pynndescent") for _ in (site / name).rglob("*.nbc")))
"""


def lay_out(*options: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", LAY_OUT, *options], capture_output=True, text=True, check=True
    )
    return [int(line) for line in done.stdout.split()]


def test_a_later_process_finds_what_was_compiled_and_writes_nothing_anew() -> None:
    misses, hits, _ = lay_out()  # umap-learn itself does not keep them
    assert misses >= 2
    assert hits == 0
    _, _, files = lay_out("keep")
    misses, hits, then = lay_out("keep")
    assert misses == 0
    assert hits >= 2
    assert then == files


def test_nothing_is_kept_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.dispatcher import Dispatcher

    from alwidgets.projection.compiling import MODULES, keep_compiled

    for module in MODULES:
        importlib.import_module(module)

    def nowhere(self: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(Dispatcher, "enable_caching", nowhere)
    assert keep_compiled() == 0
