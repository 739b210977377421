"""Layouts of the map: `pca` at once, UMAP by a `LayoutWorker` in a process of its own."""

from __future__ import annotations

import atexit
import logging
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ..errors import ProjectionError
from .frames import Tail, read_frame, write_frame
from .jobs import Coords, Figures, LayoutJob, ignore
from .linear import check_features, chunks, pca
from .quality import Moved, Quality

__all__ = ["LayoutJob", "LayoutWorker", "pca"]

log = logging.getLogger(__name__)

MODULE = "alwidgets.projection.worker"
REMEDY = "The map stays as it is; restart the kernel to try again."


class _Process:
    """One run of the worker, its pipes and the threads that serve them."""

    def __init__(self, command: list[str], owner: LayoutWorker) -> None:
        threads = str(max(1, (os.cpu_count() or 2) - 1))  # one core stays the kernel's
        limits = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # The worker finds modules where the kernel finds them, in the same order.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path),
                **dict.fromkeys(limits, threads),
            },
            # Interrupting the kernel must not reach the worker.
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        assert self.process.stderr is not None
        self.tail = Tail(self.process.stderr)  # type: ignore[arg-type]
        self._writing = threading.Lock()
        self._owner = weakref.ref(owner)
        self._reader = threading.Thread(target=self._read, name="alwidgets-layout", daemon=True)
        self._reader.start()

    def submit(self, job: LayoutJob) -> None:
        """Send a job from a thread of its own: the worker may still be busy starting."""
        threading.Thread(
            target=self._write, args=(job,), name="alwidgets-layout-send", daemon=True
        ).start()

    def _write(self, job: LayoutJob) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        n, d = job.features.shape
        try:
            with self._writing:
                if job.before is not None:
                    about = {"type": "before", "job": job.number}
                    write_frame(stdin, about, (len(job.before), 2), (job.before,))  # type: ignore[arg-type]
                write_frame(stdin, job.header, (n, d), chunks(job.features, 8_192))  # type: ignore[arg-type]
        except (OSError, ValueError):
            log.debug("the layout worker is gone", exc_info=True)  # the reader notices too

    def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        try:
            while True:
                header, table = read_frame(stdout)  # type: ignore[arg-type]
                owner = self._owner()
                if owner is None:
                    break
                owner._answered(header, table)
                del owner
        except (EOFError, OSError, ValueError):
            log.debug("the layout worker has ended", exc_info=True)
        stdout.close()
        owner = self._owner()
        status = self.end(patience=5.0 if owner is not None else 0.0)
        if owner is not None:
            owner._ended(self, status)

    def end(self, patience: float = 0.0) -> int:
        """Kill it if it still runs after `patience` seconds; its exit status."""
        try:
            status = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        try:
            assert self.process.stdin is not None
            self.process.stdin.close()
        except OSError:
            pass  # what was still to be written goes nowhere
        return status


class LayoutWorker:
    """UMAP in a process that is started when needed, and again after it ended.

    numba compiles for seconds and holds the interpreter's lock meanwhile; in a process of its own
    it disturbs nobody. The process is the least urgent one, leaves a core to the kernel, ends when
    the kernel does (also in the middle of a fit) and after two minutes without work.

    Parameters
    ----------
    idle : float, optional
        Seconds without a job after which the process ends.

    Notes
    -----
    Callbacks come on a thread of the worker's. Of a job that is cancelled none comes afterwards.
    """

    def __init__(self, *, idle: float = 120.0) -> None:
        self._command = [sys.executable or "", "-m", MODULE, "--idle", str(idle)]
        self._lock = threading.RLock()
        self._process: _Process | None = None
        self._jobs: dict[int, LayoutJob] = {}
        #: Jobs of which only the figures are still to come.
        self._laid_out: set[int] = set()
        self._count = 0
        self._closed = False
        _open_workers.add(self)

    @property
    def pid(self) -> int | None:
        """Process id while the process runs."""
        with self._lock:
            return None if self._process is None else self._process.process.pid

    def start(self) -> None:
        """Start the process, so that numba is compiled by the time of the first job.

        Raises
        ------
        ProjectionError
            If the worker is closed or the process cannot be started.
        """
        with self._lock:
            if self._closed:
                raise ProjectionError("The layout worker is closed. Make a new one.")
            if self._process is not None:
                return
            if not self._command[0]:
                raise ProjectionError(
                    f"Python's executable is not known (sys.executable). {REMEDY}"
                )
            try:
                self._process = _Process(self._command, self)
            except OSError as error:
                raise ProjectionError(
                    f"The layout worker cannot be started: {error}. {REMEDY}"
                ) from error

    def umap(
        self,
        features: NDArray[Any],
        *,
        seed: int,
        n_neighbors: int = 15,
        min_dist: float = 0.1,
        on_progress: Callable[[float | None, str], None],
        on_done: Callable[[Coords], None],
        on_error: Callable[[ProjectionError], None],
        on_figures: Callable[[Figures], None] = ignore,
        before: Coords | None = None,
        span: float | None = None,
        still: bool = False,
    ) -> LayoutJob:
        """Ask for a layout (McInnes, Healy & Melville 2018); returns at once.

        With the layout before and its span the new one goes on from there, in 50 short steps, and
        is turned onto it, so that points move smoothly and little; with the layout alone it is
        made from nothing and turned like it.

        Parameters
        ----------
        features : ndarray, shape (n, d)
            Finite numbers. Fewer than 4 items get PCA's layout, equal ones lie at zero.
        seed : int
            The same seed gives the same layout.
        n_neighbors, min_dist
            As in umap-learn.
        on_progress : callable of (fraction, text)
            `fraction` is 0 to 1, or None where there is none to tell.
        on_done : callable of (ndarray of float32, shape (n, 2))
            In [-1, 1]; where it goes on from another, in the frame of that.
        on_error : callable of (ProjectionError)
            Also when the process died.
        on_figures : callable of (Figures), optional
            Before `on_done` with the span and how far points moved, afterwards with all of them,
            unless they could not be measured.
        before : ndarray of float32, shape (n, 2), optional
            With the span, also of the first items alone.
        span : float, optional
            `Figures.span` of the layout before.
        still : bool, optional
            Whether those of the layout before stay where they are, and only the other items are
            placed among them.

        Returns
        -------
        LayoutJob
            What `cancel` takes.

        Raises
        ------
        ProjectionError
            If `features` is not a table, or as `start`.
        """
        check_features(features)
        with self._lock:
            self.start()
            assert self._process is not None
            self._count += 1
            job = LayoutJob(
                self._count,
                features,
                {
                    "type": "umap",
                    "job": self._count,
                    "seed": int(seed),
                    "n_neighbors": int(n_neighbors),
                    "min_dist": float(min_dist),
                    "span": span,
                    "still": still,
                },
                on_progress,
                on_done,
                on_error,
                on_figures,
                before,
            )
            self._jobs[job.number] = job
            self._process.submit(job)
        return job

    def cancel(self, job: LayoutJob) -> None:
        """Give a job up: the process is killed, and one for the remaining jobs is started."""
        with self._lock:
            if self._jobs.pop(job.number, None) is None:
                return
            self._laid_out.discard(job.number)
            process, self._process = self._process, None
            if process is not None:
                process.process.kill()
            self._send_again()

    def _drop_laid_out(self) -> None:
        """Forget those that only lack their figures: the process that had them is gone."""
        for number in self._laid_out:
            self._jobs.pop(number, None)
        self._laid_out.clear()

    def _send_again(self) -> None:
        self._drop_laid_out()
        if self._jobs:
            self.start()
            assert self._process is not None
            for job in self._jobs.values():
                self._process.submit(job)

    def close(self) -> None:
        """End the process; jobs that were not done are given up."""
        with self._lock:
            self._closed = True
            self._jobs.clear()
            process, self._process = self._process, None
        if process is not None:
            process.end()

    def _answered(self, header: dict[str, Any], table: Coords | None) -> None:
        kind, number = header.get("type"), header.get("job")
        with self._lock:
            job = self._jobs.get(number) if isinstance(number, int) else None
            is_laid_out = number in self._laid_out
            if job is not None and kind == "done":
                self._laid_out.add(job.number)
            elif job is not None and kind in ("figures", "error"):
                del self._jobs[job.number]
                self._laid_out.discard(job.number)
        if job is None:
            return
        n = len(job.features)
        if kind == "progress":
            _call(job.on_progress, header.get("fraction"), str(header.get("text")))
        elif kind == "done" and table is not None and table.shape == (n, 2):
            _call(job.on_figures, _figures(header, None))
            _call(job.on_done, table)
        elif kind == "figures":
            _call(job.on_figures, _figures(header, table))
        elif is_laid_out:
            log.warning("a layout could not be measured: %s", header.get("text"))
        else:
            reason = str(header.get("text") or "the worker gave no coordinates")
            _call(
                job.on_error, ProjectionError(f"The map could not be laid out: {reason}. {REMEDY}")
            )

    def _ended(self, process: _Process, status: int) -> None:
        with self._lock:
            if process is not self._process:
                return  # cancelled or closed
            self._process = None
            if status == 0 and self._jobs:
                # It went for want of work in the very moment that a job was sent.
                self._send_again()
                return
            self._drop_laid_out()
            lost = list(self._jobs.values())
            self._jobs.clear()
        if not lost:
            return
        how = f"signal {-status}" if status < 0 else f"status {status}"
        memory = ", perhaps for want of memory" if status == -9 else ""
        said = process.tail.text()
        last = f" Its last words: {said.splitlines()[-1]}." if said else ""
        for job in lost:
            _call(
                job.on_error,
                ProjectionError(f"The layout worker ended with {how}{memory}.{last} {REMEDY}"),
            )


def _figures(header: dict[str, Any], table: Coords | None) -> Figures:
    quality, moved = header.get("quality"), header.get("moved")
    return Figures(
        float(header["span"]),
        None if quality is None else Quality(*quality),
        None if moved is None else Moved(*moved),
        None if table is None else table[:, 0],
    )


def _call(callback: Callable[..., None], *arguments: Any) -> None:
    """Call back; what the callback raises must not end the reading thread."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a layout's callback failed")


_open_workers: weakref.WeakSet[LayoutWorker] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    # Threads that wait on a pipe would outlive the interpreter.
    for worker in list(_open_workers):
        worker.close()
