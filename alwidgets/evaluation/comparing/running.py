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
from alwidgets.evaluation.comparing.playing import play
from alwidgets.evaluation.comparing.run import Begun, News, Point, Run
from alwidgets.learners.many import recipe_of
from alwidgets.threads import available_cores, one_thread

log = logging.getLogger(__name__)

State: TypeAlias = Literal["running", "paused", "stopped", "failed", "done"]

#: Runs that go on side by side: more make the products larger, and the wait for the first one.
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
    begun : iterable of Begun
        That are under way.
    material : Material, optional
        Without it nothing can be played.
    kept : path, optional
        File that runs are kept in as they come; those in it go on where they were.
    workers : int, optional
    device : str
    """

    def __init__(
        self,
        plan: Plan,
        about: dict[str, Any],
        runs: Iterable[Run] = (),
        begun: Iterable[Begun] = (),
        *,
        material: Material | None = None,
        kept: str | os.PathLike[str] | None = None,
        workers: int | None = None,
        device: str = "auto",
    ) -> None:
        self.plan, self.about = plan, about
        self.runs: dict[Arm, Run] = {run.arm: run for run in runs}
        self.error: Exception | None = None
        self._material, self._workers, self._device = material, workers, device
        self._path, self._kept = kept, None if kept is None else Kept(kept, about)
        self._under_way: dict[Arm, Begun] = {one.arm: one for one in begun}
        if self._kept is not None:
            wanted = set(plan.arms)
            self.runs |= {run.arm: run for run in self._kept.runs if run.arm in wanted}
            self._under_way |= {one.arm: one for one in self._kept.begun if one.arm in wanted}
        self._points: dict[Arm, list[float]] = {}
        self._take_up()
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
            self._take_up()
            self._begun, self._had = time.monotonic(), self.progress[0]
            self.state = "running"
            workers = self._workers
            if workers is None:
                workers = available_cores() if background or not self._batched(missing) else 0
            lots = self._lots(missing, max(1, workers))
            try:
                if background or workers:
                    self._crew = Crew(
                        self.plan,
                        self._material,
                        lots,
                        self._under_way,
                        max(1, workers),
                        self._device,
                        on_news=self._take,
                        on_end=self._end,
                    )
            except BaseException:
                self._finish("failed")
                raise
        self._tell()
        if self._crew is None:
            self._play_here(lots)
        elif not background:
            try:
                self.wait()
            except BaseException:
                # Whoever interrupts it gets nothing to stop the workers with.
                self.stop()
                raise

    def pause(self) -> Self:
        """Hold every run before its next round; `resume` lets them go on."""
        with self._lock:
            if self.state != "running":
                return self
            self.state = "paused"
            self._go.clear()
            crew = self._crew
        # Not with the lock held: the crew waits for it when it has news.
        if crew is not None:
            crew.pause()
        self._tell()
        return self

    def resume(self) -> Self:
        """Go on after a pause, a stop or an error, from where it was."""
        with self._lock:
            paused = self.state == "paused"
            if paused:
                self.state = "running"
                self._go.set()
            crew = self._crew
        if paused:
            if crew is not None:
                crew.resume()
            self._tell()
        elif self.state in ("stopped", "failed"):
            self.start(background=True)
        return self

    def stop(self) -> Self:
        """End it; what was played stays, `resume` goes on from there."""
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
        """Runs that go on together: of one learner, those of a seed beside each other.

        Those that were under way go on with others that were as far.
        """
        assert self._material is not None
        numbers = self._material.n_pool * (
            self._material.features.shape[1] + len(self._material.classes)
        )
        alike: dict[tuple[str, int], list[Arm]] = {}
        for arm in arms:
            alike.setdefault((arm.learner, len(self._points.get(arm, []))), []).append(arm)
        lots: list[list[Arm]] = []
        for (name, _), mine in alike.items():
            size = 1
            if recipe_of(self.plan.learners[name]) is not None:
                size = min(LOT, math.ceil(len(mine) / workers), max(1, HELD // numbers))
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

        device = resolve_device(self._device, ComparisonError)
        with tqdm(total=total, initial=done, desc="Comparing", unit="rounds", delay=1.0) as bar:
            try:
                with one_thread():
                    for lot in lots:
                        play(
                            self.plan,
                            self._material,
                            lot,
                            self._take,
                            device=device,
                            check=check,
                            begun={a: self._under_way[a] for a in lot if a in self._under_way},
                        )
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

    def _take_up(self) -> None:
        """What was played of the runs that are not over is what they can go on from."""
        self._under_way = {a: one for a, one in self._under_way.items() if a not in self.runs}
        self._points = {arm: list(one.figures) for arm, one in self._under_way.items()}

    def _take(self, news: News) -> None:
        runs = [new for new in news if isinstance(new, Run)]
        with self._lock:
            if self._kept is not None and runs:
                self._kept.add(runs)
            for new in news:
                if isinstance(new, Point):
                    self._points.setdefault(new.arm, []).append(new.figure)
                elif isinstance(new, Begun):
                    self._under_way[new.arm] = new
            for run in runs:
                self.runs[run.arm] = run
                self._points.pop(run.arm, None)
                self._under_way.pop(run.arm, None)
            if self._kept is not None:
                self._kept.keep(self._under_way.values())
        self._tell()

    def _end(self, error: Exception | None) -> None:
        self.error = error
        self._finish("done" if error is None else "failed")

    def _finish(self, state: State) -> None:
        with self._lock:
            self.state = state
            self._crew = None
            if self._kept is not None:
                self._kept.keep(self._under_way.values(), now=True)
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
