"""Runs that go on, here or in worker processes: paused, stopped, resumed, kept as they come."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal, Self, TypeAlias

from alwidgets.devices import resolve_device
from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing.crew import Crew
from alwidgets.evaluation.comparing.kept import Kept
from alwidgets.evaluation.comparing.material import Material
from alwidgets.evaluation.comparing.plan import Arm, Plan
from alwidgets.evaluation.comparing.playing import Point, Run, play
from alwidgets.learners.many import recipe_of
from alwidgets.threads import available_cores, one_thread

log = logging.getLogger(__name__)

State: TypeAlias = Literal["running", "paused", "stopped", "failed", "done"]

#: Runs that go on side by side: more make the products larger, and what a kill loses, too.
LOT = 32
#: Numbers of the pools and their logits that these may hold together.
HELD = 200_000_000


class _Stopped(Exception):
    """Raised in a run that should end."""


class Running:
    """The runs of a comparison and how they go on.

    Parameters
    ----------
    plan : Plan
    about : dict
        Of the plan, the data and the versions, as a file says it.
    runs : iterable of Run
        That are over.
    material : Material, optional
        Without it nothing can be played.
    kept : path, optional
        File that runs are kept in as they come; those in it are over.
    workers : int, optional
    device : str
    """

    def __init__(
        self,
        plan: Plan,
        about: dict[str, Any],
        runs: Iterable[Run] = (),
        material: Material | None = None,
        *,
        kept: str | os.PathLike[str] | None = None,
        workers: int | None = None,
        device: str = "auto",
    ) -> None:
        self.plan, self.about = plan, about
        self.runs: dict[Arm, Run] = {run.arm: run for run in runs}
        self.error: Exception | None = None
        self._material, self._workers, self._device = material, workers, device
        self._path, self._kept = kept, None if kept is None else Kept(kept, about)
        if self._kept is not None:
            wanted = set(plan.arms)
            self.runs |= {run.arm: run for run in self._kept.runs if run.arm in wanted}
        self._points: dict[Arm, list[float]] = {}
        self._crew: Crew | None = None
        self._lock = threading.RLock()
        self._over, self._go = threading.Event(), threading.Event()
        self._go.set()
        self._stopping = False
        self._listeners: list[Callable[[], None]] = []
        self._begun, self._had = time.monotonic(), 0
        missing = len(self.runs) < len(plan.arms)
        self.state: State = "stopped" if missing else "done"

    # ------------------------------------------------------------------ going on

    def start(self, *, background: bool) -> None:
        """Play what is missing, in processes of its own or here and now."""
        if self._material is None:
            raise ComparisonError(
                "A file holds no features: rerun(pool, truth) plays a comparison from it again."
            )
        with self._lock:
            missing = [arm for arm in self.plan.arms if arm not in self.runs]
            if not missing:
                self._finish("done")
                return
            if self.state in ("running", "paused"):
                return
            if self._kept is None and self._path is not None:
                self._kept = Kept(self._path, self.about)
            self.error, self._stopping = None, False
            self._over.clear()
            self._go.set()
            self._points = {}
            self._begun, self._had = time.monotonic(), self.progress[0]
            self.state = "running"
            workers = self._workers
            if workers is None:
                workers = available_cores() if background or not self._batched(missing) else 0
            lots = self._lots(missing, max(1, workers))
            if background or workers:
                self._crew = Crew(
                    self.plan,
                    self._material,
                    lots,
                    max(1, workers),
                    self._device,
                    on_points=self._take_points,
                    on_runs=self._take_runs,
                    on_end=self._end,
                )
        self._tell()
        if self._crew is None:
            self._play_here(lots)
        elif not background:
            self.wait()

    def pause(self) -> Self:
        """Hold every run before its next round; `resume` lets them go on."""
        with self._lock:
            if self.state == "running":
                self.state = "paused"
                self._go.clear()
                if self._crew is not None:
                    self._crew.pause()
        self._tell()
        return self

    def resume(self) -> Self:
        """Go on after a pause, a stop or an error; runs that were over are not played again."""
        with self._lock:
            paused = self.state == "paused"
            if paused:
                self.state = "running"
                self._go.set()
                if self._crew is not None:
                    self._crew.resume()
        if paused:
            self._tell()
        elif self.state in ("stopped", "failed"):
            self.start(background=True)
        return self

    def stop(self) -> Self:
        """End it; runs that are over stay, the others can be played later: `resume`."""
        with self._lock:
            if self.state not in ("running", "paused"):
                return self
            self._stopping = True
            self._go.set()
            crew, self._crew = self._crew, None
        if crew is not None:
            crew.end()
            self._finish("stopped")
        return self

    def wait(self, timeout: float | None = None) -> Self:
        """Wait until it is over, with a bar of its progress; an error that ended it is raised.

        Parameters
        ----------
        timeout : float, optional
            Seconds.
        """
        from tqdm.auto import tqdm  # type: ignore[import-untyped]

        until = math.inf if timeout is None else time.monotonic() + timeout
        done, total = self.progress
        with tqdm(total=total, initial=done, desc="Comparing", unit="rounds", delay=1.0) as bar:
            while not self._over.wait(0.1) and time.monotonic() < until:
                if self.state == "paused":
                    break
                _move(bar, self.progress[0])
            _move(bar, self.progress[0])
        if self.error is not None:
            raise self.error
        return self

    @property
    def playable(self) -> bool:
        """Whether what is missing can be played: a file holds no features."""
        return self._material is not None

    @property
    def progress(self) -> tuple[int, int]:
        """Rounds played, and all of them."""
        with self._lock:
            each = len(self.plan.counts)
            going = sum(len(p) for arm, p in self._points.items() if arm not in self.runs)
            return len(self.runs) * each + going, len(self.plan.arms) * each

    @property
    def seconds_left(self) -> float | None:
        """About how long it still takes; None while nobody knows."""
        done, total = self.progress
        passed, played = time.monotonic() - self._begun, done - self._had
        if self.state != "running" or played <= 0:
            return None
        return passed / played * (total - done)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a function, on any thread, whenever something is new; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    # ------------------------------------------------------------------ inside

    def _batched(self, arms: list[Arm]) -> bool:
        return all(
            recipe_of(self.plan.learners[name]) is not None for name in {a.learner for a in arms}
        )

    def _lots(self, arms: list[Arm], workers: int) -> list[list[Arm]]:
        """Runs that go on together: of one learner, those of a seed beside each other."""
        assert self._material is not None
        lots: list[list[Arm]] = []
        for name, learner in self.plan.learners.items():
            mine = [arm for arm in arms if arm.learner == name]
            size = 1
            if recipe_of(learner) is not None:
                numbers = self._material.n_pool * (
                    self._material.features.shape[1] + len(self._material.classes)
                )
                size = min(LOT, math.ceil(len(mine) / workers), max(1, HELD // numbers))
            size = max(1, size)
            lots += [mine[at : at + size] for at in range(0, len(mine), size)]
        return lots

    def _play_here(self, lots: list[list[Arm]]) -> None:
        assert self._material is not None
        from tqdm.auto import tqdm

        done, total = self.progress

        def check() -> None:
            _move(bar, self.progress[0])
            self._go.wait()
            if self._stopping:
                raise _Stopped

        def report(new: Point | Run) -> None:
            if isinstance(new, Run):
                self._take_runs([new])
            else:
                self._take_points([new])

        device = resolve_device(self._device, ComparisonError)
        with tqdm(total=total, initial=done, desc="Comparing", unit="rounds", delay=1.0) as bar:
            try:
                with one_thread():
                    for lot in lots:
                        play(self.plan, self._material, lot, report, device=device, check=check)
                _move(bar, self.progress[0])
            except _Stopped:
                self._finish("stopped")
                return
            except BaseException as error:
                stopped = isinstance(error, KeyboardInterrupt)
                self.error = None if stopped else error  # type: ignore[assignment]
                self._finish("stopped" if stopped else "failed")
                raise
        self._finish("done")

    def _take_points(self, points: list[Point]) -> None:
        with self._lock:
            for point in points:
                self._points.setdefault(point.arm, []).append(point.figure)
        self._tell()

    def _take_runs(self, runs: list[Run]) -> None:
        with self._lock:
            if self._kept is not None:
                self._kept.add(runs)
            self.runs |= {run.arm: run for run in runs}
        self._tell()

    def _end(self, error: Exception | None) -> None:
        self.error = error
        self._finish("done" if error is None else "failed")

    def _finish(self, state: State) -> None:
        with self._lock:
            self.state = state
            self._crew = None
            self._points = {}
            if self._kept is not None:
                self._kept.close()
                self._kept = None
            self._over.set()
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            try:
                listener()
            except Exception:
                log.exception("a view of a comparison failed")


def _move(bar: Any, done: int) -> None:
    """Bring a bar to where it should be; an update by nothing would draw it once more."""
    if done > bar.n:
        bar.update(done - bar.n)
