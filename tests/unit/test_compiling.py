"""What numba compiled is kept: a later process compiles nothing of umap-learn again."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("umap")

#: Lay out a little with and without a layout before, and print which of umap-learn's functions were
#: compiled for it, and which were found on disk.
LAY_OUT = """
import sys
from alwidgets.projection.compiling import keep_compiled
if "keep" in sys.argv:
    assert keep_compiled() > 50
    assert keep_compiled() == 0
from alwidgets.projection.arranging import prewarm
prewarm(lambda: False)
from umap import layouts, umap_
functions = [umap_.smooth_knn_dist, umap_.compute_membership_strengths]
print(sum(sum(f.stats.cache_misses.values()) for f in functions))
print(sum(sum(f.stats.cache_hits.values()) for f in functions))
"""


def lay_out(*options: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", LAY_OUT, *options], capture_output=True, text=True, check=True
    )
    return [int(line) for line in done.stdout.split()]


def test_a_later_process_compiles_nothing_again() -> None:
    misses, hits = lay_out()  # umap-learn itself does not keep them
    assert misses >= 2
    assert hits == 0
    lay_out("keep")
    misses, hits = lay_out("keep")
    assert misses == 0
    assert hits >= 2


def test_nothing_is_kept_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.dispatcher import Dispatcher

    from alwidgets.projection.compiling import keep_compiled

    def nowhere(self: object) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(Dispatcher, "enable_caching", nowhere)
    assert keep_compiled() == 0
