"""What numba compiled is kept: a later process finds it, and writes nothing anew."""

from __future__ import annotations

import subprocess
import sys

#: Lay out a little; then how many signatures of the functions were compiled for it, and how many
#: were found on disk. What is compiled and kept is a file more.
LAY_OUT = """
import importlib, sys
import umap
from numba.core.dispatcher import Dispatcher
from alwidgets.projection.compiling import MODULES, keep_compiled
if "keep" in sys.argv:
    assert keep_compiled() >= 4
    assert keep_compiled() == 0
import numpy as np
from alwidgets.projection.arranging import arrange
rows = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
arrange(rows, 0, 5, 0.5, lambda fraction, text: None)
functions = {
    id(value): value
    for module in map(importlib.import_module, MODULES)
    for value in vars(module).values()
    if isinstance(value, Dispatcher) and value.py_func.__module__ in MODULES
}
print(sum(sum(f.stats.cache_misses.values()) for f in functions.values()))
print(sum(sum(f.stats.cache_hits.values()) for f in functions.values()))
"""


#: The same with no folder to write to.
NOWHERE = """
import umap
from numba.core.dispatcher import Dispatcher
from alwidgets.projection.compiling import keep_compiled
def nowhere(self):
    raise RuntimeError("cannot cache function: no locator available")
Dispatcher.enable_caching = nowhere
print(keep_compiled())
"""


def printed(script: str, *options: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", script, *options], capture_output=True, text=True, check=True
    )
    return [int(line) for line in done.stdout.split()]


def test_a_later_process_finds_what_was_compiled_and_writes_no_more() -> None:
    misses, _ = printed(LAY_OUT)  # umap-learn itself does not keep them
    assert misses >= 2
    printed(LAY_OUT, "keep")
    misses, hits = printed(LAY_OUT, "keep")
    assert misses == 0
    assert hits >= 3


def test_nothing_is_kept_where_nothing_can_be_written() -> None:
    assert printed(NOWHERE) == [0]
