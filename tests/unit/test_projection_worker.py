"""UMAP in its process: what it gives, and that it goes when it should."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

import alwidgets
from alwidgets.errors import ProjectionError
from alwidgets.projection import LayoutWorker, pca
from alwidgets.projection.jobs import Figures
from alwidgets.projection.quality import displacement, quality

Array = np.ndarray[Any, Any]
#: The worker is the least urgent process of a machine that may have much else to do.
PATIENCE = 400.0
pytestmark = pytest.mark.timeout(900)


class Answers:
    """What a job's callbacks were given."""

    def __init__(self) -> None:
        self.progress: list[tuple[float | None, str]] = []
        self._end: queue.Queue[Array | ProjectionError] = queue.Queue()
        self._figures: queue.Queue[Figures] = queue.Queue()

    @property
    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_progress": lambda fraction, text: self.progress.append((fraction, text)),
            "on_done": self._end.put,
            "on_error": self._end.put,
            "on_figures": self._figures.put,
        }

    def figures(self) -> Figures:
        """Those that come before the coordinates, then all of them."""
        return self._figures.get(timeout=PATIENCE)

    @property
    def is_silent(self) -> bool:
        return self._end.empty()

    def coords(self) -> Array:
        end = self._end.get(timeout=PATIENCE)
        assert not isinstance(end, ProjectionError), end
        return end

    def error(self) -> ProjectionError:
        end = self._end.get(timeout=PATIENCE)
        assert isinstance(end, ProjectionError)
        return end


def ask(worker: LayoutWorker, features: Array, seed: int = 0, **more: Any) -> Answers:
    answers = Answers()
    worker.umap(features, seed=seed, **more, **answers.callbacks)
    return answers


@pytest.fixture(scope="module")
def worker() -> Iterator[LayoutWorker]:
    made = LayoutWorker()
    yield made
    made.close()


@pytest.fixture
def fresh() -> Iterator[LayoutWorker]:
    made = LayoutWorker()
    yield made
    made.close()


def digits(n: int = 300) -> Array:
    return load_digits().data[:n].astype(np.float32)


def until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_layout_keeps_neighbours_and_says_how_far_it_is(worker: LayoutWorker) -> None:
    features = digits()
    answers = ask(worker, features)
    coords = answers.coords()
    assert coords.shape == (300, 2)
    assert coords.dtype == np.float32
    assert np.abs(coords).max() == pytest.approx(1)
    kept = trustworthiness(features, coords, n_neighbors=10)
    assert kept > 0.95
    assert kept > trustworthiness(features, pca(features), n_neighbors=10)
    fractions = [fraction for fraction, _ in answers.progress if fraction is not None]
    assert fractions == sorted(fractions)  # how many come is a matter of time
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert (None, "Looking for neighbours…") in answers.progress
    assert any("Arranging the map… " in text and "%" in text for _, text in answers.progress)


def test_new_items_are_placed_where_those_like_them_are(worker: LayoutWorker) -> None:
    features, n = digits(400), 330
    y = load_digits().target[:400]
    laid_out = ask(worker, features[:n], min_dist=0.5)
    before, span = laid_out.coords(), laid_out.figures().span
    answers = ask(worker, features, min_dist=0.5, before=before, span=span, still=True)
    coords = answers.coords()
    assert np.array_equal(coords[:n], before)
    said = KNeighborsClassifier(5).fit(before, y[:n]).score(coords[n:], y[n:])
    possible = KNeighborsClassifier(5).fit(features[:n], y[:n]).score(features[n:], y[n:])
    assert said > possible - 0.1
    assert (None, "Placing 70 new items…") in answers.progress
    # How far the layout can be trusted is measured of all items.
    assert answers.figures().quality is None
    figures = answers.figures()
    assert figures.quality is not None
    assert figures.span == span


def test_the_same_seed_gives_the_same_layout(worker: LayoutWorker) -> None:
    one, two = ask(worker, digits(150), seed=4), ask(worker, digits(150), seed=4)
    other = ask(worker, digits(150), seed=5)
    first = one.coords()
    assert np.array_equal(first, two.coords())
    assert not np.array_equal(first, other.coords())


def test_a_layout_goes_on_from_the_one_before(worker: LayoutWorker) -> None:
    features = digits()
    answers = ask(worker, features)
    first, known = answers.coords(), answers.figures()
    assert known.span > 1
    assert (known.quality, known.moved, known.local_trust) == (None, None, None)
    measured = answers.figures()
    # Other sums of the same numbers, where the worker has another number of threads.
    assert measured.quality == pytest.approx(quality(features, first), rel=1e-3)
    assert measured.local_trust is not None
    assert 0.3 < measured.local_trust.mean() < 1
    assert measured.span == known.span

    changed = features + np.random.default_rng(0).normal(scale=1, size=features.shape)
    more = ask(worker, changed.astype(np.float32), before=first, span=known.span)
    second, moved = more.coords(), more.figures().moved
    assert moved == pytest.approx(displacement(first, second), rel=1e-4)
    assert moved is not None
    assert 0 < moved.median < 0.03
    kept, anew = more.figures().quality, quality(changed, ask(worker, changed).coords())
    assert kept is not None
    assert anew is not None
    assert kept.trustworthiness > anew.trustworthiness - 0.02
    # From nothing it would lie elsewhere.
    assert displacement(first, ask(worker, changed, seed=9).coords()).median > 2 * moved.median


def test_a_first_layout_is_turned_like_the_map(worker: LayoutWorker) -> None:
    features = digits(150)
    there = ask(worker, features).coords()
    quarter = np.stack([-there[:, 1], there[:, 0]], axis=1)
    turned = ask(worker, features, before=quarter).coords()
    assert np.abs(turned).max() == pytest.approx(1)
    for axis in range(2):
        assert np.corrcoef(turned[:, axis], quarter[:, axis])[0, 1] > 0.9


def test_a_layout_goes_on_from_one_point_and_with_few_items(worker: LayoutWorker) -> None:
    features = digits(30)
    coords = ask(worker, features, before=np.zeros((30, 2), "f4"), span=1.0).coords()
    assert np.abs(coords).max() == pytest.approx(1)
    few = ask(worker, digits(3), before=pca(digits(3)), span=1.0)
    assert np.array_equal(few.coords(), pca(digits(3)))
    assert few.figures().quality is None
    assert few.figures().local_trust is None


def test_one_direction_is_enough(worker: LayoutWorker) -> None:
    line = np.random.default_rng(0).normal(size=(60, 1)) * np.ones((1, 5))
    coords = ask(worker, line.astype(np.float32)).coords()
    assert np.isfinite(coords).all()
    found = quality(line, coords)
    assert found is not None
    assert found.trustworthiness > 0.9


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 12])
def test_small_pools(worker: LayoutWorker, n: int) -> None:
    features = digits(n)
    coords = ask(worker, features).coords()
    assert coords.shape == (n, 2)
    if n < 4:
        assert np.array_equal(coords, pca(features))


def test_equal_rows_lie_at_zero(worker: LayoutWorker) -> None:
    assert not ask(worker, np.ones((20, 4))).coords().any()


def test_doubles_and_half_precision(worker: LayoutWorker) -> None:
    features = np.repeat(digits(10), 4, axis=0).astype(np.float16)
    assert np.isfinite(ask(worker, features).coords()).all()


def test_an_error_names_the_row_and_the_worker_goes_on(worker: LayoutWorker) -> None:
    bad = digits(20)
    bad[3, 1] = np.nan
    error = ask(worker, bad).error()
    assert "Row 3" in str(error)
    assert "stays as it is" in str(error)
    assert ask(worker, digits(3)).coords().shape == (3, 2)


def test_features_that_are_no_table_are_refused_at_once(worker: LayoutWorker) -> None:
    with pytest.raises(ProjectionError, match="shape"):
        ask(worker, np.zeros((0, 2)))


def test_a_callback_that_fails_does_not_stop_the_next(worker: LayoutWorker) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("in a callback")

    worker.umap(digits(3), seed=0, on_progress=fails, on_done=fails, on_error=fails)
    assert ask(worker, digits(3)).coords().shape == (3, 2)


@pytest.mark.skipif(os.name != "posix", reason="niceness and groups are POSIX's")
def test_it_gives_way_and_hears_no_interrupt(worker: LayoutWorker) -> None:
    ask(worker, digits(3)).coords()
    assert worker.pid is not None
    assert psutil.Process(worker.pid).nice() >= 10
    assert os.getpgid(worker.pid) != os.getpgid(0)


def test_a_cancelled_job_is_silent_and_the_next_one_is_done(fresh: LayoutWorker) -> None:
    given_up = Answers()
    job = fresh.umap(digits(1_797), seed=0, **given_up.callbacks)  # type: ignore[arg-type]
    second = ask(fresh, digits(3))
    before = fresh.pid
    assert before is not None
    fresh.cancel(job)
    fresh.cancel(job)
    assert fresh.pid != before
    assert second.coords().shape == (3, 2)
    assert until(lambda: is_gone(before), 10)
    assert given_up.is_silent


def test_a_worker_that_was_killed_is_an_error_and_comes_again(fresh: LayoutWorker) -> None:
    answers = ask(fresh, digits(1_797))
    pid = fresh.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert "signal 9" in str(answers.error())
    assert ask(fresh, digits(3)).coords().shape == (3, 2)
    assert fresh.pid not in (None, pid)


def test_a_worker_that_cannot_start_tells_why(fresh: LayoutWorker) -> None:
    fresh._command = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
    error = ask(fresh, digits(5)).error()
    assert "status 1" in str(error)
    assert "no such luck" in str(error)
    fresh._command = ["/nowhere/python"]
    with pytest.raises(ProjectionError, match="cannot be started"):
        ask(fresh, digits(5))


def test_a_file_with_the_name_of_a_library_is_named(
    fresh: LayoutWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numba.py").write_text("from nowhere_at_all import jit\n")
    monkeypatch.setattr(sys, "path", [os.fspath(tmp_path), *sys.path])
    error = ask(fresh, digits(50)).error()
    assert "status 1" in str(error)
    assert "No module named 'nowhere_at_all'" in str(error)


def test_without_work_the_process_ends_and_comes_again() -> None:
    worker = LayoutWorker(idle=0.2)
    try:
        ask(worker, digits(3)).coords()
        pid = worker.pid
        assert until(lambda: worker.pid is None, PATIENCE)
        assert ask(worker, digits(3)).coords().shape == (3, 2)
        assert worker.pid != pid
    finally:
        worker.close()


def test_closing_ends_the_process(fresh: LayoutWorker) -> None:
    answers = ask(fresh, digits(1_797))
    pid = fresh.pid
    assert pid is not None
    fresh.close()
    assert is_gone(pid)
    assert answers.is_silent
    with pytest.raises(ProjectionError, match="closed"):
        fresh.start()


PARENT = """
import sys, threading
sys.path.insert(0, {root!r})
import numpy as np
from alwidgets.projection import LayoutWorker

def tell(fraction, text):
    print(worker.pid, fraction, text, flush=True)

worker = LayoutWorker()
rows = np.random.default_rng(0).normal(size=(30_000, 32)).astype("f4")
worker.umap(rows, seed=0, on_progress=tell, on_done=print, on_error=print)
threading.Event().wait()
"""


# Compiled code keeps the interpreter's lock for as long as it runs; so does a call by PyDLL.
HOLDER = """
import ctypes, time
from alwidgets.projection import worker

worker.die_with_parent()
time.sleep(0.5)
print("ready", flush=True)
ctypes.PyDLL(None).sleep(60)
"""

PARENT_OF_HOLDER = """
import subprocess, sys

child = subprocess.Popen(
    [sys.executable, "-c", {holder!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
print(child.pid, child.stdout.readline(), flush=True)
child.wait()
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@pytest.mark.parametrize("script", [PARENT, PARENT_OF_HOLDER], ids=["fit", "lock held"])
def test_it_is_gone_with_its_parent(tmp_path: Path, script: str) -> None:
    root = str(Path(alwidgets.__path__[0]).parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", script.format(root=root, holder=HOLDER)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "" if script is PARENT else root},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[0])
        time.sleep(0.3)
        assert not is_gone(pid)
    finally:
        parent.kill()
        parent.communicate()
    gone = until(lambda: is_gone(pid), 2.5)
    if not gone:
        os.kill(pid, signal.SIGKILL)
    assert gone


def test_the_worker_loads_no_torch() -> None:
    ask_for = "import alwidgets.projection.worker, sys; print('torch' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", ask_for], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "False"
