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
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alwidgets.projection.arranging import SMALLEST, Arranged, arrange, prewarm
from alwidgets.projection.compiling import keep_compiled
from alwidgets.projection.frames import read_frame, write_frame
from alwidgets.projection.quality import local_trust, quality

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A layout that is asked for."""

    header: dict[str, Any]
    features: NDArray[np.float32]
    before: NDArray[np.float32] | None


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
    before: tuple[Any, NDArray[np.float32] | None] = (None, None)
    try:
        while True:
            header, table = read_frame(stream)
            number = header.get("job")
            if header.get("type") == "before":
                before = (number, table)
            elif header.get("type") == "umap" and table is not None:
                jobs.put(Job(header, table, before[1] if before[0] == number else None))
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
            job = jobs.get(timeout=idle)
        except queue.Empty:
            return
        number = int(job.header["job"])
        try:
            arranged = run(job, replies)
            measure(job, arranged, replies)
        except Exception as error:
            log.exception("a layout failed")
            reason = f"{type(error).__name__}: {error}"
            replies.send({"type": "error", "job": number, "text": reason})


def run(job: Job, replies: Replies) -> Arranged:
    """Lay out, and send the coordinates."""
    header, number = job.header, int(job.header["job"])

    def report(fraction: float | None, text: str) -> None:
        replies.progress(number, fraction, text)

    arranged = arrange(
        job.features,
        int(header["seed"]),
        int(header["n_neighbors"]),
        float(header["min_dist"]),
        report,
        before=job.before,
        span=header.get("span"),
        still=bool(header.get("still")),
    )
    answer = {"type": "done", "job": number, "span": arranged.span, "moved": arranged.moved}
    replies.send(answer, arranged.coords)
    return arranged


def measure(job: Job, arranged: Arranged, replies: Replies) -> None:
    """Send how far the layout can be trusted; its coordinates are on screen meanwhile."""
    answer = {
        "type": "figures",
        "job": job.header["job"],
        "span": arranged.span,
        "moved": arranged.moved,
    }
    if len(arranged.coords) < SMALLEST or not arranged.coords.any():  # too few, or all alike
        replies.send(answer)
        return
    found = quality(job.features, arranged.coords, seed=int(job.header["seed"]))
    if arranged.neighbours is None:  # only those of the new items were looked for
        replies.send(answer | {"quality": found})
        return
    trust = local_trust(arranged.neighbours, arranged.coords)
    replies.send(answer | {"quality": found}, trust[:, None])


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
    status = 1
    try:
        die_with_parent()
        keep_compiled()
        prewarm(lambda: not jobs.empty())
        work(jobs, replies, options.idle)
        answers.flush()
        status = 0
    except Exception:
        log.exception("the worker ends")
    finally:
        # Not sys.exit: the threads that wait would have to be woken first.
        os._exit(status)


if __name__ == "__main__":
    main()
