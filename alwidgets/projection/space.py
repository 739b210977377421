"""One space of the map: its newest layout, and the work towards the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError, ProjectionError
from .jobs import Coords, Figures, LayoutJob
from .kept import Kept, LayoutCache
from .linear import fit_square, pca
from .modelspace import Stopped
from .placing import project
from .procrustes import align

log = logging.getLogger(__name__)

#: umap-learn's default of 0.1 packs a class into a dot that no lasso can part. Three times the area
#: cost 0.001 of trustworthiness (k = 15) on handwritten digits.
MIN_DIST = 0.5

Layout = Literal["pca", "umap"]
#: Of nothing.
NOTHING = (0, 0)

Change = Literal["points", "progress", "figures", "problem"]
Progress = tuple[float | None, str | None]
#: Lowest x and y, highest x and y.
Box = tuple[float, float, float, float]
#: A version of what is laid out, and how many items it has.
Edition = tuple[int, int]
#: Reads the rows to lay out and says which version they are; asks now and then whether to stop.
Read = Callable[[Callable[[], bool]], tuple[NDArray[Any], int]]


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
        on_figures: Callable[[Figures], None],
        before: Coords | None,
        span: float | None,
        still: bool,
    ) -> LayoutJob:
        """Ask for a layout."""
        ...

    def cancel(self, job: LayoutJob) -> None:
        """Give it up."""
        ...

    def start(self) -> None:
        """Be ready soon."""
        ...


class Space:
    """Lays one space out: one layout at a time, the newest version wins.

    What is asked for while a layout is under way is done once, afterwards.

    Parameters
    ----------
    newest : callable
        The version that there is to lay out, 0 while there is none, and how many items it has.
        Items only join, behind the others: of the same version they are placed on the layout that
        there is.
    read : callable
        Called off the caller's thread.
    tell : callable
        Told of each change, on any thread.
    worker : callable
        Returns who runs UMAP.
    run : callable
        Runs work in the background.
    lock : RLock
        Of the map.
    seed : int
    cache : LayoutCache, optional
        Where finished layouts are kept.
    like : callable, optional
        Returns the layout that the first one is turned like, if there is one.

    Attributes
    ----------
    coords : ndarray of float32, shape (n, 2), or None
    layout : "pca", "umap" or None
        Whose coordinates they are.
    box : (float, float, float, float) or None
        Lowest x and y and highest x and y that are to be seen: it stays while layouts go on from
        one another and fit into it, so that the map does not change its scale.
    version : int
        Of what UMAP's coordinates were made from; 0 before.
    figures : Figures or None
        Of UMAP's newest coordinates, once they are measured.
    progress : (float or None, str or None)
        How far the next layout is; (None, None) when none is under way.
    problem : AlwidgetsError or None
        Why it stays as it is.
    """

    def __init__(
        self,
        newest: Callable[[], Edition],
        read: Read,
        *,
        tell: Callable[[Space, Change], None],
        worker: Callable[[], Layouter],
        run: Callable[[Callable[[], None]], None],
        lock: threading.RLock,
        seed: int,
        cache: LayoutCache | None = None,
        like: Callable[[], Coords | None] = lambda: None,
    ) -> None:
        self._newest, self._read = newest, read
        self._tell, self._worker, self._run = tell, worker, run
        self._lock, self._seed, self._cache, self._like = lock, seed, cache, like
        self._job: LayoutJob | None = None
        self._stop: threading.Event | None = None
        self._closed = False
        # Of what is worked on, and of what was given up.
        self._under_way = self._given_up = NOTHING
        self._span: float | None = None
        self.coords: Coords | None = None
        self.layout: Layout | None = None
        self.box: Box | None = None
        self.version = 0
        self.figures: Figures | None = None
        self.progress: Progress = (None, None)
        self.problem: AlwidgetsError | None = None

    @property
    def busy(self) -> bool:
        """Whether a layout is under way."""
        return self._stop is not None

    @property
    def stopped(self) -> bool:
        """Whether the newest layout was given up, and none is under way."""
        with self._lock:
            newest = self._newest()
            return not self.busy and newest[0] > 0 and newest == self._given_up > self._made

    @property
    def _made(self) -> Edition:
        """What UMAP's coordinates are of."""
        if self.layout != "umap" or self.coords is None:
            return NOTHING
        return self.version, len(self.coords)

    def grow(self, features: NDArray[Any]) -> None:
        """Items have joined: place them, at once by PCA, by UMAP when they are placed.

        Parameters
        ----------
        features : ndarray, shape (n, d)
            Of all items, as PCA's layout was made of them.
        """
        with self._lock:
            coords = self.coords
            if coords is None or self._closed:
                return  # the first layout is of all that there are
            if self.layout == "pca" and len(coords) < len(features):
                n = len(coords)
                self.coords = np.concatenate([coords, project(features[:n], coords, features[n:])])
                self.box = _box(self.coords, self.box)
        if self.layout == "umap":
            self.look()
        else:
            self._tell(self, "points")

    def look(self, *, again: bool = False) -> None:
        """Begin a layout if there is a newer version; returns at once.

        Parameters
        ----------
        again : bool
            Also one that was given up or failed.
        """
        with self._lock:
            newest = self._newest()
            if again:
                self._given_up = NOTHING
            nothing_new = newest[0] == 0 or newest <= max(self._made, self._given_up)
            if self._closed or self.busy or nothing_new:
                return
            stop = self._stop = threading.Event()
            self._under_way, self.problem = newest, None
            self.progress = (None, "Reading the features…")
        self._run(lambda: self._lay_out(stop))

    def cancel(self) -> bool:
        """Give up what is under way, the layout stays; returns whether there was something."""
        with self._lock:
            if self._stop is None:
                return False
            self._stop.set()
            self._stop = None
            self._given_up = self._under_way
            self.progress = (None, None)
            job, self._job = self._job, None
        if job is not None:
            self._worker().cancel(job)
        return True

    def close(self) -> None:
        """Give up what is under way, for good."""
        with self._lock:
            self._closed = True
        self.cancel()

    # ------------------------------------------------------------------ in the background

    def _lay_out(self, stop: threading.Event) -> None:
        try:
            rows, version = self._read(stop.is_set)
            kept = self._kept(rows)
            if kept is not None:
                self._span = kept.figures.span
                self._take(stop, version, kept.coords)
                self._measured(stop, kept.figures)
                return
            if self.layout != "umap":
                self._first(stop, rows)
            with self._lock:
                if self._closed or stop.is_set():
                    return
                goes_on = self.layout == "umap"
                self._under_way = version, self._under_way[1]
                self._job = self._worker().umap(
                    rows,
                    seed=self._seed,
                    min_dist=MIN_DIST,
                    on_progress=lambda *progress: self._on_progress(stop, progress),
                    on_done=lambda coords: self._take(stop, version, coords),
                    on_error=lambda error: self._fail(stop, error),
                    on_figures=lambda figures: self._on_figures(stop, rows, figures),
                    before=self.coords if goes_on else self._like_of(len(rows)),
                    span=self._span if goes_on else None,
                    still=goes_on and version == self.version,
                )
        except Stopped:
            log.debug("a layout was given up")
        except AlwidgetsError as error:
            self._fail(stop, error)
        except Exception as error:  # encoders and learners may be the person's own code
            log.exception("the map could not be laid out")
            self._fail(stop, as_problem("The map could not be laid out", error))

    def _first(self, stop: threading.Event, rows: NDArray[Any]) -> None:
        """What there is at once, turned like what is on screen."""
        coords, like = pca(rows, self._seed), self._like_of(len(rows))
        if like is not None and like.any():
            coords = fit_square(align(coords, like).coords)
        with self._lock:
            if stop.is_set():
                raise Stopped
            self.coords, self.layout, self.box = coords, "pca", _box(coords)
            self.progress = (None, "Starting the layout…")
            self.problem = _sameness(coords)
        self._tell(self, "points")
        self._tell(self, "progress")
        if self.problem is not None:
            self._tell(self, "problem")

    def _like_of(self, n: int) -> Coords | None:
        """The layout to be turned like, if it is one of as many items."""
        like = self._like()
        return like if like is not None and len(like) == n else None

    def _take(self, stop: threading.Event, version: int, coords: Coords) -> None:
        with self._lock:
            if stop.is_set() or self._closed:
                return
            self._stop = self._job = None
            self.box = _box(coords, self.box if self.layout == "umap" else None)
            self.coords, self.layout, self.version = coords, "umap", version
            self.progress = (None, None)
            self.problem = _sameness(coords)
        self._tell(self, "points")
        self._tell(self, "progress")
        self.look()

    def _on_progress(self, stop: threading.Event, progress: Progress) -> None:
        with self._lock:
            if stop.is_set():
                return
            self.progress = progress
        self._tell(self, "progress")

    def _on_figures(self, stop: threading.Event, rows: NDArray[Any], figures: Figures) -> None:
        if figures.quality is None:  # the first ones; the others follow the coordinates
            self._span = figures.span
            return
        with self._lock:
            coords, former = self.coords, self.figures
        if figures.local_trust is None and former is not None and former.local_trust is not None:
            # Of items that were placed it is not measured, that of the others is what it was.
            unknown = np.full(len(rows) - len(former.local_trust), np.nan, dtype=np.float32)
            trust = np.concatenate([former.local_trust, unknown])
            figures = replace(figures, local_trust=trust)
        self._measured(stop, figures)
        if self._cache is not None and coords is not None:
            kept, cache = Kept(coords, figures), self._cache
            self._run(lambda: cache.write(cache.path(rows, **self._about), kept))

    def _measured(self, stop: threading.Event, figures: Figures) -> None:
        with self._lock:
            if stop.is_set() or self._closed:
                return
            self._span, self.figures = figures.span, figures
        self._tell(self, "figures")

    def _fail(self, stop: threading.Event, error: AlwidgetsError) -> None:
        with self._lock:
            if stop.is_set() or self._closed:
                return
            self._stop = self._job = None
            self._given_up = self._under_way
            self.problem, self.progress = error, (None, None)
        self._tell(self, "problem")
        self._tell(self, "progress")

    @property
    def _about(self) -> dict[str, Any]:
        return {"seed": self._seed, "min_dist": MIN_DIST}

    def _kept(self, rows: NDArray[Any]) -> Kept | None:
        cache = self._cache
        if cache is None or rows.ndim != 2 or not cache.has(rows.shape):
            return None
        return cache.read(cache.path(rows, **self._about), len(rows))


def _box(coords: Coords, before: Box | None = None) -> Box:
    """What holds a layout, no less than the box before."""
    low, high = coords.min(axis=0), coords.max(axis=0)
    if before is not None:
        low, high = np.minimum(low, before[:2]), np.maximum(high, before[2:])
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _sameness(coords: Coords) -> ProjectionError | None:
    """What a person should know of a map on which all lies on one point."""
    if len(coords) == 1 or coords.any():
        return None
    return ProjectionError(
        f"All {len(coords):,} items are the same here, so they lie on one point: there is nothing "
        "that tells them apart."
    )


def as_problem(what: str, error: Exception) -> ProjectionError:
    """An error for the person, of one that was not meant for them."""
    if isinstance(error, ProjectionError):
        return error
    problem = ProjectionError(f"{what}: {type(error).__name__}: {error}")
    problem.__cause__ = error
    return problem
