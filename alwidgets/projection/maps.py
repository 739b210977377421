"""The map of one pool: worked out once, shared by every view of a session."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError, ProjectionError
from .layout import Coords, LayoutJob, LayoutWorker, pca
from .outliers import knn_outlier

log = logging.getLogger(__name__)

#: umap-learn's default of 0.1 packs a class into a dot that no lasso can part. Three times the area
#: cost 0.001 of trustworthiness (k = 15) on handwritten digits.
MIN_DIST = 0.5

Event = Literal["points", "progress", "outliers", "problem"]


class Layouter(Protocol):
    """What a map needs of a `LayoutWorker`."""

    def umap(
        self,
        features: NDArray[Any],
        *,
        seed: int,
        min_dist: float,
        on_progress: Callable[[float | None, str], None],
        on_done: Callable[[Coords], None],
        on_error: Callable[[ProjectionError], None],
    ) -> LayoutJob:
        """Ask for a layout."""
        ...

    def cancel(self, job: LayoutJob) -> None:
        """Give it up."""
        ...


def in_background(work: Callable[[], None]) -> None:
    """Run `work` on a thread of its own."""
    threading.Thread(target=work, name="alwidgets-map", daemon=True).start()


class Map:
    """Coordinates of a pool's items: PCA's at once, UMAP's when they are there.

    Parameters
    ----------
    features : callable returning ndarray, shape (n, d)
        Called once, off the caller's thread: encoding may take a while.
    seed : int, optional
        The same seed gives the same map.
    worker : Layouter, optional
        Who runs UMAP; the kernel's shared `LayoutWorker` by default.
    run : callable, optional
        Runs work in the background.

    Attributes
    ----------
    coords : ndarray of float32, shape (n, 2), or None
        In [-1, 1].
    layout : "pca", "umap" or None
        Whose coordinates they are.
    revision : int
        Goes up with every layout; 0 before the first.
    progress : (float or None, str or None)
        How far the next layout is; (None, None) when none is under way.
    outliers : ndarray of float32, shape (n,), or None
        By `knn_outlier`, after `measure_outliers`.
    measuring : bool
        Whether they are being measured.
    problem : AlwidgetsError or None
        Why the map stays as it is.
    """

    def __init__(
        self,
        features: Callable[[], NDArray[Any]],
        *,
        seed: int = 0,
        worker: Layouter | None = None,
        run: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._features, self._seed, self._run = features, seed, run
        self._worker = worker
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Event], None]] = []
        self._started = self._closed = False
        self._job: LayoutJob | None = None
        self.coords: Coords | None = None
        self.layout: Literal["pca", "umap"] | None = None
        self.revision = 0
        self.progress: tuple[float | None, str | None] = (None, None)
        self.outliers: NDArray[np.float32] | None = None
        self.measuring = False
        self.problem: AlwidgetsError | None = None

    @property
    def current(self) -> tuple[Coords | None, Literal["pca", "umap"] | None, int]:
        """`coords`, `layout` and `revision`, which belong together."""
        with self._lock:
            return self.coords, self.layout, self.revision

    def on_change(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` on each change, on any thread; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def start(self) -> None:
        """Begin with PCA, then UMAP; a second call changes nothing."""
        with self._lock:
            if self._started or self._closed:
                return
            self._started = True
            self.progress = (None, "Reading the features…")
        self._run(self._lay_out)

    def measure_outliers(self) -> None:
        """Begin to compute `outliers`; a second call changes nothing."""
        with self._lock:
            if self.measuring or self.outliers is not None or self._closed:
                return
            self.measuring = True
        self._run(self._measure)

    def close(self) -> None:
        """Give up what is under way and forget the listeners."""
        with self._lock:
            self._closed = True
            self._listeners.clear()
            job, self._job = self._job, None
        if job is not None and self._worker is not None:
            self._worker.cancel(job)

    def _lay_out(self) -> None:
        try:
            features = self._features()
            coords = pca(features, self._seed)
            self._publish(coords, "pca", (None, "Starting the layout…"))
            worker = self._worker = self._worker or shared_worker()
            with self._lock:
                if self._closed:
                    return
                self._job = worker.umap(
                    features,
                    seed=self._seed,
                    min_dist=MIN_DIST,
                    on_progress=self._on_progress,
                    on_done=lambda umap: self._publish(umap, "umap", (None, None)),
                    on_error=self._on_error,
                )
        except AlwidgetsError as error:
            self._on_error(error)
        except Exception as error:  # an encoder is the person's own code
            log.exception("the map could not be laid out")
            self._on_error(_problem("The map could not be laid out", error))

    def _measure(self) -> None:
        try:
            outliers = knn_outlier(self._features(), seed=self._seed)
        except Exception as error:
            log.exception("the outliers could not be measured")
            with self._lock:
                self.measuring = False
                self.problem = _problem("The outliers could not be measured", error)
            self._tell("problem")
        else:
            with self._lock:
                self.outliers, self.measuring = outliers, False
            self._tell("outliers")

    def _publish(
        self,
        coords: Coords,
        layout: Literal["pca", "umap"],
        progress: tuple[float | None, str | None],
    ) -> None:
        with self._lock:
            self.coords, self.layout, self.progress = coords, layout, progress
            self.revision += 1
        self._tell("points")
        self._tell("progress")

    def _on_progress(self, fraction: float | None, text: str) -> None:
        self.progress = (fraction, text)
        self._tell("progress")

    def _on_error(self, error: AlwidgetsError) -> None:
        with self._lock:
            self.problem, self.progress = error, (None, None)
        self._tell("problem")
        self._tell("progress")

    def _tell(self, event: Event) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener of the map failed")


def _problem(what: str, error: Exception) -> ProjectionError:
    if isinstance(error, ProjectionError):
        return error
    problem = ProjectionError(f"{what}: {type(error).__name__}: {error}")
    problem.__cause__ = error
    return problem


_worker: LayoutWorker | None = None
_maps: weakref.WeakKeyDictionary[Any, Map] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def shared_worker() -> LayoutWorker:
    """The kernel's one `LayoutWorker`."""
    global _worker
    with _making:
        if _worker is None:
            _worker = LayoutWorker()
        return _worker


def shared_map(session: Any, *, seed: int = 0) -> Map:
    """The map of a session's pool: the same object for every view, gone with the session."""
    with _making:
        found = _maps.get(session)
        if found is None:
            pool = session.pool
            found = _maps[session] = Map(lambda: pool.features, seed=seed)
            weakref.finalize(session, found.close).atexit = False
        return found
