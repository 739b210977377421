"""What the map makes in the background at a million items, and how late others are meanwhile.

Run it with ``python tests/bench/map/colouring.py [N]``; it prints a line for each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from searching import Texts, lateness

import alwidgets as al
from alwidgets.projection.columns import column_colours
from alwidgets.projection.regions import find_regions, name_regions
from alwidgets.threads import warm_up
from alwidgets.widgets import colourings


def measure(name: str, action: Callable[[], Any]) -> None:
    """Print how long an action takes, and how late a thread that wakes every 5 ms is."""
    begin = time.perf_counter()
    late = lateness(action)
    seconds = time.perf_counter() - begin
    print(f"{name:<44}{seconds:>8.2f} s, others late: most {late.max():.0f} ms")


def main(n: int) -> None:
    """Columns, regions, scores."""
    rng = np.random.default_rng(0)
    warm_up()  # as every session does
    print(f"{n:,} items")
    measure("nothing, for 2 s", lambda: time.sleep(2))
    columns = {
        "numbers": rng.normal(size=n).tolist(),
        "5 texts": [f"w{i}" for i in rng.integers(0, 5, n)],
        "50,000 texts": [f"w{i}" for i in rng.integers(0, 50_000, n)],
        "days": [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(n)],
    }
    for name, column in columns.items():
        measure(f"column of {name}", lambda c=column: column_colours("it", c))  # type: ignore[misc]
    centres = rng.normal(size=(12, 2))
    coords = centres[rng.integers(0, 12, n)] + 0.1 * rng.normal(size=(n, 2))
    texts = Texts(n)
    found: list[Any] = []
    measure("regions", lambda: found.extend(find_regions(coords.astype(np.float32))))
    labels, regions = found
    measure(
        f"words of {len(regions)} regions",
        lambda: name_regions(labels, regions, lambda i: texts.lines[i]),
    )
    features = rng.normal(size=(n, 32)).astype(np.float32)
    side = features[:, 0] > 0
    pool = al.Pool.from_arrays(
        features, ids=range(n), metadata={f"m{i}": [0] * n for i in range(3)}
    )
    session = al.Session(pool, al.Classification(["a", "b"]))
    ids = pool.ids.take(rng.choice(n, 200, replace=False))
    for item_id in ids:
        session.record(item_id, "ab"[int(side[int(item_id)])])
    session.retrain()
    for by in ("label", "prediction", "confidence", "stream", "annotator"):
        measure(f"by {by}", lambda by=by: colourings.colours(session, by, None))  # type: ignore[misc]
    for by in ("score:margin", "score:bald", "score:density"):
        measure(
            f"by {by}",
            lambda by=by: colourings.slow_colours(session, by, lambda: time.sleep(0)),  # type: ignore[misc]
        )
    session.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
