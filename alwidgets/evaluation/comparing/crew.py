"""The processes that play runs, each some at a time."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from alwidgets.errors import AlwidgetsError, ComparisonError, LearnerError, StrategyError
from alwidgets.evaluation.comparing import worker
from alwidgets.evaluation.comparing.material import Material
from alwidgets.evaluation.comparing.plan import Arm, Plan
from alwidgets.evaluation.comparing.run import Begun, Point, Report, Run

log = logging.getLogger(__name__)

MODULE = "alwidgets.evaluation.comparing.worker"
#: What a worker's error is raised as here.
KINDS: dict[str, type[AlwidgetsError]] = {
    "StrategyError": StrategyError,
    "LearnerError": LearnerError,
}
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Crew:
    """Some workers that share out lots of runs.

    Parameters
    ----------
    plan : Plan
    material : Material
    lots : sequence of lists of Arm
    begun : mapping of Arm to Begun
        Runs that go on where they were.
    workers : int
    device : str
    on_news : callable
        Gets what is new, on a thread of the crew's, one at a time.
    on_end : callable
        Gets None when all is played, or the error that ended it.
    """

    def __init__(
        self,
        plan: Plan,
        material: Material,
        lots: Sequence[list[Arm]],
        begun: Mapping[Arm, Begun],
        workers: int,
        device: str,
        *,
        on_news: Report,
        on_end: Callable[[Exception | None], None],
    ) -> None:
        self._lots, self._begun = deque(lots), dict(begun)
        self._on_news, self._on_end = on_news, on_end
        self._lock = threading.RLock()
        self._ended = False
        self._folder = tempfile.TemporaryDirectory(prefix="alwidgets-compare-")
        about = worker.shelve(material, Path(self._folder.name)) | {"device": device}
        self._busy: dict[_Process, list[Arm]] = {}
        try:
            for _ in range(min(workers, len(lots))):
                self._busy[_Process(self, plan, about)] = []
        except BaseException as error:
            self.end()
            if isinstance(error, OSError):
                raise ComparisonError(f"A worker process cannot be started: {error}.") from error
            raise

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        with self._lock:
            return [process.popen.pid for process in self._busy]

    def pause(self) -> None:
        """Hold every worker before its next round."""
        self._tell({"type": "pause"})

    def resume(self) -> None:
        """Let them go on."""
        self._tell({"type": "go"})

    def end(self) -> None:
        """Kill the workers; what they have not told of is lost."""
        with self._lock:
            self._ended = True
            gone, self._busy = list(self._busy), {}
        for process in gone:
            process.kill()
        self._folder.cleanup()

    def _tell(self, told: dict[str, Any]) -> None:
        with self._lock:
            for process in self._busy:
                process.write(told)

    def _next(self, process: _Process) -> None:
        """Give a worker its next lot, or send it home."""
        with self._lock:
            if self._ended:
                return
            if self._lots:
                arms = self._lots.popleft()
                self._busy[process] = arms
                begun = [self._begun[arm].to_json() for arm in arms if arm in self._begun]
                lot = {"type": "lot", "arms": [list(arm) for arm in arms], "begun": begun}
                process.write(lot)
                return
            del self._busy[process]
            last = not self._busy
        process.kill()
        if last:
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        with self._lock:
            if self._ended:
                return
        self.end()
        self._on_end(error)

    def _said(self, process: _Process, told: dict[str, Any]) -> None:
        with self._lock:
            if self._ended:
                return
            if told["type"] == "news":
                self._on_news(
                    [
                        *(Point(Arm(*p[:3]), p[3], p[4]) for p in told["points"]),
                        *(Begun.of(one) for one in told["begun"]),
                        *(Run.of(one) for one in told["runs"]),
                    ]
                )
        if told["type"] == "error":
            kind = KINDS.get(told["kind"], ComparisonError)
            self._finish(kind(told["text"]))
        elif told["type"] == "ready":
            self._next(process)

    def _gone(self, process: _Process) -> None:
        """A worker has ended without being sent home."""
        with self._lock:
            if self._ended or process not in self._busy:
                return
            arms = self._busy[process]
        status = process.popen.wait()
        how = f"signal {-status}" if status < 0 else f"status {status}"
        memory = ", perhaps for want of memory" if status == -9 else ""
        what = f" while it played {arms[0].strategy!r}, seed {arms[0].seed}" if arms else ""
        last = process.last_words()
        self._finish(
            ComparisonError(
                f"A worker process ended with {how}{memory}{what}.{last} What was played is kept: "
                "resume() goes on from there."
            )
        )


class _Process:
    """One worker, its pipes and the threads that read them."""

    def __init__(self, crew: Crew, plan: Plan, about: dict[str, Any]) -> None:
        self._crew = crew
        self.popen = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # It finds modules where this process finds them. Each computes on one core.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path),
                **dict.fromkeys(LIMITS, "1"),
            },
            # Interrupting the kernel must not reach the worker.
            start_new_session=os.name == "posix",
        )
        self._stdin = cast(BinaryIO, self.popen.stdin)
        self._writing = threading.Lock()
        self._errors = b""
        self._threads = [
            threading.Thread(target=self._tail, name="alwidgets-compare-log", daemon=True),
            threading.Thread(target=self._read, name="alwidgets-compare", daemon=True),
        ]
        self._begin = (plan, about)
        for thread in self._threads:
            thread.start()

    def write(self, told: dict[str, Any]) -> None:
        """Send a line; a worker that is gone is noticed by who reads."""
        try:
            with self._writing:
                self._stdin.write(json.dumps(told).encode() + b"\n")
                self._stdin.flush()
        except (OSError, ValueError):
            log.debug("a worker is gone", exc_info=True)

    def kill(self) -> None:
        """End it."""
        self.popen.kill()
        self.popen.wait()
        with self._writing:
            try:
                self._stdin.close()
            except OSError:
                log.debug("what was still to be written goes nowhere", exc_info=True)

    def last_words(self) -> str:
        """The last line that it wrote to stderr."""
        self._threads[0].join(1.0)
        lines = self._errors.decode("utf-8", "replace").strip().splitlines()
        return f" Its last words: {lines[-1]}." if lines else ""

    def _tail(self) -> None:
        stderr = cast(BinaryIO, self.popen.stderr)
        with stderr:
            for line in iter(stderr.readline, b""):
                self._errors = (self._errors + line)[-4_000:]

    def _read(self) -> None:
        stdout = cast(BinaryIO, self.popen.stdout)
        with stdout:
            try:
                with self._writing:
                    worker.send(self._stdin, *self._begin)
                for line in iter(stdout.readline, b""):
                    self._crew._said(self, json.loads(line))
            except (OSError, ValueError):
                log.debug("a worker has ended", exc_info=True)
        self._crew._gone(self)
