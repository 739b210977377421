"""How long the package takes to import."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from table import Row


def imports() -> Iterator[Row]:
    """`import alwidgets` in a fresh process, and Python's own start beside it."""

    def seconds(code: str) -> float:
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - begin)
        return min(times)

    bare = seconds("pass")
    yield Row("import", "import alwidgets", round(seconds("import alwidgets") - bare, 3), "s")
    first = "import alwidgets; alwidgets.Session"
    yield Row("import", "alwidgets.Session", round(seconds(first) - bare, 3), "s", "with torch")
    yield Row("import", "python -c pass", round(bare, 3), "s", "taken off the two above")
