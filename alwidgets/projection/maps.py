"""The map of one pool: worked out once, shared by every view of a session."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError, ProjectionError
from .jobs import Coords, Figures
from .kept import LayoutCache
from .layout import LayoutWorker
from .modelspace import model_rows
from .outliers import knn_outlier
from .space import Box, Change, Edition, Layout, Layouter, Progress, Read, Space, as_problem

log = logging.getLogger(__name__)

Event = Literal["points", "progress", "figures", "space", "outliers", "problem"]
#: Where distances are taken: between the encoder's features, or in what the model makes of them.
SpaceName = Literal["features", "model"]
SPACES: tuple[SpaceName, ...] = get_args(SpaceName)


def in_background(work: Callable[[], None]) -> None:
    """Run `work` on a thread of its own."""
    threading.Thread(target=work, name="alwidgets-map", daemon=True).start()


@dataclass(frozen=True, eq=False)
class Model:
    """A model whose space can be laid out.

    Attributes
    ----------
    version : int
        From 1 on, higher for a newer one.
    read : callable
        What it makes of every item, (n, h) float32; asks now and then whether to stop.
    """

    version: int
    read: Callable[[Callable[[], bool]], NDArray[np.float32]]


class Map:
    """Coordinates of a pool's items: PCA's at once, UMAP's when they are there.

    There are two spaces. That of the features is laid out once. That of the model follows its
    retrainings while it is shown: each layout goes on from the one before and is turned onto it,
    so that points move smoothly and little.

    Parameters
    ----------
    features : callable returning ndarray, shape (n, d)
        Called off the caller's thread: encoding may take a while.
    seed : int, optional
        The same seed gives the same map.
    worker : Layouter, optional
        Who runs UMAP; the kernel's shared `LayoutWorker` by default.
    run : callable, optional
        Runs work in the background.
    model : callable, optional
        Returns the newest `Model`, None while there is none.
    cache : LayoutCache, optional
        Where the layout of the features is kept; nowhere by default.
    size : callable, optional
        Returns how many items there are by now; those of the first layout by default.

    Attributes
    ----------
    space : "features" or "model"
        What is shown; `show` changes it.
    revision : int
        Goes up with every layout that is shown; 0 before the first.
    outliers : ndarray of float32, shape (n,), or None
        By `knn_outlier`, after `measure_outliers`.
    measuring : bool
        Whether they are being measured.
    """

    def __init__(
        self,
        features: Callable[[], NDArray[Any]],
        *,
        seed: int = 0,
        worker: Layouter | None = None,
        run: Callable[[Callable[[], None]], None] = in_background,
        model: Callable[[], Model | None] = lambda: None,
        cache: LayoutCache | None = None,
        size: Callable[[], int] = lambda: 0,
    ) -> None:
        self._size = size
        self._features, self._seed, self._run, self._model = features, seed, run, model
        self._worker = worker
        self._lock = threading.RLock()
        self._listeners: list[Callable[[Event], None]] = []
        self._started = self._closed = False
        self._trouble: AlwidgetsError | None = None
        self._spaces: dict[SpaceName, Space] = {
            "features": self._make_space(
                lambda: (1, size()), lambda _: (features(), 1), cache=cache
            ),
            "model": self._make_space(
                lambda: (self.model_version, size()),
                self._read_model,
                like=lambda: self._spaces["features"].coords,
            ),
        }
        self.space: SpaceName = "features"
        self.revision = 0
        self.outliers: NDArray[np.float32] | None = None
        self.measuring = False

    # ------------------------------------------------------------------ what is shown

    @property
    def _shown(self) -> Space:
        """The space that is chosen, or the other one until there is something of it."""
        chosen = self._spaces[self.space]
        return chosen if chosen.coords is not None else self._spaces["features"]

    @property
    def current(self) -> tuple[Coords | None, Layout | None, int]:
        """`coords`, `layout` and `revision`, which belong together."""
        with self._lock:
            return self._shown.coords, self._shown.layout, self.revision

    @property
    def box(self) -> Box | None:
        """Lowest x and y and highest x and y that are to be seen; None before the first layout."""
        return self._shown.box

    @property
    def coords(self) -> Coords | None:
        """Coordinates, shape (n, 2): in [-1, 1], or a little beyond after a retraining."""
        return self._shown.coords

    @property
    def layout(self) -> Layout | None:
        """Whose coordinates they are: "pca" or "umap"."""
        return self._shown.layout

    @property
    def progress(self) -> Progress:
        """How far the next layout is, and in words; (None, None) when none is under way."""
        return self._spaces[self.space].progress

    @property
    def figures(self) -> Figures | None:
        """How far the layout can be trusted and how far it moved; None before it is measured."""
        return self._shown.figures

    @property
    def local_trust(self) -> NDArray[np.float32] | None:
        """Share of each item's true neighbours that are neighbours on the map, shape (n,)."""
        figures = self.figures
        return None if figures is None else figures.local_trust

    @property
    def problem(self) -> AlwidgetsError | None:
        """Why the map stays as it is."""
        return self._trouble or self._spaces[self.space].problem

    @property
    def busy(self) -> bool:
        """Whether a layout of the chosen space is under way."""
        return self._spaces[self.space].busy

    @property
    def stopped(self) -> bool:
        """Whether the newest layout of the chosen space was given up."""
        return self._started and self._spaces[self.space].stopped

    @property
    def model_version(self) -> int:
        """Version of the newest model; 0 while there is none."""
        model = self._model()
        return 0 if model is None else model.version

    # ------------------------------------------------------------------ what can be done

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
        self._spaces[self.space].look()

    def show(self, space: SpaceName) -> None:
        """Show another space, or go on with a layout of this one that was given up.

        What is shown stays until there is something of the other one.

        Raises
        ------
        ProjectionError
            If there is no such space, or no model yet.
        """
        if space not in SPACES:
            raise ProjectionError(f"There is no space {space!r}; use one of {SPACES}.")
        if space == "model" and not self.model_version:
            raise ProjectionError("There is no model yet, so there is no space of its own to show.")
        with self._lock:
            self._started, self._trouble = True, None
            before, self.space = self._shown, space
            changed = self._shown is not before
            self.revision += changed
        self._tell("space")
        if changed:
            self._tell("points")
            self._tell("figures")
        self._spaces[space].look(again=True)
        self._tell("progress")

    def refresh(self) -> None:
        """Follow the model: it may be another one. While its space is shown it is laid out."""
        self._tell("space")
        if self._started and self.space == "model":
            self._spaces["model"].look()
            self._tell("progress")

    def grow(self) -> None:
        """Place the items that have joined among the others, in the background, if any have."""
        with self._lock:
            if not self._started or self._closed:
                return
            n = self._size()
            if self.outliers is not None and len(self.outliers) < n:
                self.outliers = None  # how far out an item is depends on all of them
            coords = self.coords
            if coords is None or len(coords) >= n:
                return
        self._run(self._grow)

    def _grow(self) -> None:
        features = self._features()
        self._spaces["features"].grow(features)
        if self.space == "model":
            self._spaces["model"].look()
        self._tell("progress")

    def prepare(self) -> None:
        """Be ready for `refresh`: a retraining is under way."""
        if self._started and self.space == "model" and not self._closed:
            try:
                self._the_worker().start()
            except ProjectionError:
                log.debug("the layout worker cannot be prepared", exc_info=True)  # told later

    def cancel(self) -> None:
        """Give up the layout under way; the map keeps what it shows."""
        if self._spaces[self.space].cancel():
            self._tell("space")
            self._tell("progress")

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
        for space in self._spaces.values():
            space.close()

    # ------------------------------------------------------------------ what happens

    def _make_space(
        self,
        newest: Callable[[], Edition],
        read: Read,
        *,
        cache: LayoutCache | None = None,
        like: Callable[[], Coords | None] = lambda: None,
    ) -> Space:
        return Space(
            newest,
            read,
            tell=self._heard,
            worker=self._the_worker,
            run=self._run,
            lock=self._lock,
            seed=self._seed,
            cache=cache,
            like=like,
        )

    def _the_worker(self) -> Layouter:
        with self._lock:
            if self._worker is None:
                self._worker = shared_worker()
            return self._worker

    def _read_model(self, should_stop: Callable[[], bool]) -> tuple[NDArray[Any], int]:
        model = self._model()
        if model is None:
            raise ProjectionError("There is no model any more, so its space cannot be laid out.")
        return model.read(should_stop), model.version

    def _heard(self, space: Space, change: Change) -> None:
        """Pass on what happens in the space that is chosen."""
        with self._lock:
            chosen = self._spaces[self.space]
            if space is not chosen and (change != "points" or space is not self._shown):
                return
            if change == "points":
                self.revision += 1
            lost = change == "problem" and space.coords is None and self.space == "model"
            if lost:  # nothing of the model can be shown
                self.space, self._trouble = "features", space.problem
        self._tell(change)
        if lost:
            self._tell("space")

    def _measure(self) -> None:
        try:
            outliers = knn_outlier(self._features(), seed=self._seed)
        except Exception as error:
            log.exception("the outliers could not be measured")
            with self._lock:
                self.measuring = False
                self._trouble = as_problem("The outliers could not be measured", error)
            self._tell("problem")
        else:
            with self._lock:
                self.measuring = False
                if len(outliers) >= self._size():  # else some have joined meanwhile
                    self.outliers = outliers
            self._tell("outliers")

    def _tell(self, event: Event) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener of the map failed")


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
            found = _maps[session] = _map_of(session, seed)
        return found


def _map_of(session: Any, seed: int) -> Map:
    # The map must not keep the session that takes it along.
    pool, multilabel, asked = session.pool, session.task.multilabel, weakref.ref(session)

    def newest() -> Model | None:
        alive = asked()
        current = None if alive is None else alive.current
        if current is None or current.predictions is None:
            return None
        learner = current.learner
        return Model(
            current.version,
            lambda should_stop: model_rows(
                learner, pool.features, multilabel=multilabel, should_stop=should_stop
            ),
        )

    made = Map(
        lambda: pool.features,
        seed=seed,
        model=newest,
        cache=LayoutCache(),
        size=lambda: len(pool),
    )
    weakref.finalize(session, made.close).atexit = False
    return made
