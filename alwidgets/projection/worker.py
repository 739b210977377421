"""The process that runs UMAP: ``python -m alwidgets.projection.worker``, started by `LayoutWorker`.

It reads jobs from stdin and answers on stdout, both as frames. It is the least urgent process of
the machine, and it is gone as soon as the one that started it is, also in the middle of a fit.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from alwidgets.projection.frames import read_frame, write_frame
from alwidgets.projection.linear import fit_square, lie_down, pca

Job = tuple[dict[str, Any], NDArray[np.float32]]
#: Report progress: a fraction of 0 to 1, or None where there is none to tell, and words.
Report = Callable[[float | None, str], None]

log = logging.getLogger(__name__)

#: Fewer items than this have no neighbourhoods to keep.
SMALLEST = 4


class EpochReport:
    """The file that UMAP's progress bar is written to: turns ``12/200`` into a fraction."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def write(self, text: str) -> None:
        """Take what the bar draws."""
        match = re.search(r"(\d+)/(\d+)", text)
        if match and int(match[2]):
            fraction = int(match[1]) / int(match[2])
            self._report(fraction, f"Arranging the map… {round(100 * fraction)} %")

    def flush(self) -> None:
        """Nothing is held back."""


def arrange(
    features: NDArray[np.float32], seed: int, n_neighbors: int, min_dist: float, report: Report
) -> NDArray[np.float32]:
    """UMAP coordinates (n, 2) in [-1, 1]; PCA's for fewer than 4 items, zeros where all are equal.

    The layout starts from PCA (Kobak & Linderman, Nature Biotechnology 2021): as good as a
    spectral start, and the map that is on screen unfolds instead of being dealt anew.
    """
    start = pca(features, seed)
    if len(features) < SMALLEST or not start.any():
        return start
    import umap

    report(None, "Looking for neighbours…")
    model = umap.UMAP(
        n_neighbors=max(2, min(n_neighbors, len(features) - 1)),
        min_dist=min_dist,
        init=np.ascontiguousarray(start * 10, dtype=np.float32),
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
        tqdm_kwds={
            "file": EpochReport(report),
            "bar_format": "{n_fmt}/{total_fmt} ",
            "mininterval": 0.2,
            "disable": False,
        },
    )
    coords = np.asarray(model.fit_transform(features), dtype=np.float32)
    if not np.isfinite(coords).all():
        raise ValueError("UMAP gave coordinates that are not finite")
    return fit_square(lie_down(coords))


def prewarm(stop: Callable[[], bool]) -> None:
    """Compile what a fit needs, for small and for large pools, unless a job is already waiting."""
    import umap

    rows = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    for large in (False, True):
        if stop():
            return
        umap.UMAP(
            n_neighbors=5,
            n_epochs=2,
            init=np.ascontiguousarray(rows[:, :2]),
            random_state=0,
            n_jobs=1,
            force_approximation_algorithm=large,
        ).fit(rows)


def die_with_parent() -> None:
    """Leave at once when stdin is closed at the other end or the parent is another one.

    A Python thread alone would have to wait for the interpreter's lock, which compiled code holds
    for seconds; so what waits is compiled as well and does without the lock.
    """
    if os.name != "posix":
        return
    import numba

    parent = os.getppid()
    libc = ctypes.CDLL(None)
    poll, getppid, leave = libc.poll, libc.getppid, libc._exit
    poll.argtypes, poll.restype = (ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int), ctypes.c_int
    getppid.argtypes, getppid.restype = (), ctypes.c_int
    leave.argtypes, leave.restype = (ctypes.c_int,), None

    # With its signature, so that it is compiled now: the thread only has to begin.
    @numba.njit("void(int32[::1])", nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
    def wait(watched: NDArray[np.int32]) -> None:  # pragma: no cover - compiled
        # struct pollfd {int fd; short events, revents;} for fd 0: with no events asked for, only
        # a hang-up is reported, so jobs that lie in the pipe are left alone.
        while poll(watched.ctypes, 1, 1000) <= 0 and getppid() == parent:
            pass
        leave(0)

    watched = np.zeros(2, dtype=np.int32)
    threading.Thread(target=wait, args=(watched,), name="parent", daemon=True).start()


def receive(stream: BinaryIO, jobs: queue.Queue[Job]) -> None:
    """Put the jobs that come into the queue; leave when no more can come."""
    status = 1
    try:
        while True:
            header, table = read_frame(stream)
            if header.get("type") == "umap" and table is not None:
                jobs.put((header, table))
    except EOFError:
        status = 0
    except Exception:
        log.exception("what came is not a job")
    finally:
        os._exit(status)


class Replies:
    """Writes answers; progress at most some times a second."""

    def __init__(self, stream: BinaryIO, every: float = 0.2) -> None:
        self._stream, self._every = stream, every
        self._last = (0.0, "")

    def progress(self, job: int, fraction: float | None, text: str) -> None:
        """Say how far a job is."""
        now = time.monotonic()
        if fraction is not None and now - self._last[0] < self._every and self._last[1] != "":
            return
        self._last = (now, text)
        self.send({"type": "progress", "job": job, "fraction": fraction, "text": text})

    def send(self, header: dict[str, Any], table: NDArray[np.float32] | None = None) -> None:
        """Write one frame."""
        shape = None if table is None else (table.shape[0], table.shape[1])
        write_frame(self._stream, header, shape, () if table is None else (table,))


def work(jobs: queue.Queue[Job], replies: Replies, idle: float) -> None:
    """Run jobs one after another until none has come for `idle` seconds."""
    while True:
        try:
            header, table = jobs.get(timeout=idle)
        except queue.Empty:
            return
        job = int(header["job"])

        def report(fraction: float | None, text: str, job: int = job) -> None:
            replies.progress(job, fraction, text)

        try:
            coords = arrange(
                table,
                int(header["seed"]),
                int(header["n_neighbors"]),
                float(header["min_dist"]),
                report,
            )
        except Exception as error:
            log.exception("a layout failed")
            reason = f"{type(error).__name__}: {error}"
            replies.send({"type": "error", "job": job, "text": reason})
        else:
            replies.send({"type": "done", "job": job}, coords)


def yield_to_others() -> None:
    """Make this the least urgent process: whoever labels goes first."""
    if hasattr(os, "nice"):
        os.nice(10)
    # Where Linux groups processes by session, niceness counts within the group only.
    group = Path("/proc/self/autogroup")
    if group.exists():
        try:
            group.write_text("10")
        except OSError:
            log.debug("the group's niceness stays as it is", exc_info=True)


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=120.0, help="seconds without a job")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield_to_others()
    # What libraries print must not end up between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    replies = Replies(answers)
    jobs: queue.Queue[Job] = queue.Queue()
    threading.Thread(
        target=receive, args=(sys.stdin.buffer, jobs), name="receive", daemon=True
    ).start()
    die_with_parent()
    prewarm(lambda: not jobs.empty())
    work(jobs, replies, options.idle)
    # Not sys.exit: the threads that wait would have to be woken first.
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
