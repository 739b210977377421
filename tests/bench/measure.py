"""Seconds and added memory of a function, each time in a child of this process."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

#: A quick function is repeated so often at most, and only up to so many seconds. The fastest run
#: counts: what else the machine does can only add to it.
REPEATS, ENOUGH = 15, 1.0

#: Prepares what is not measured, and returns what is.
Make = Callable[[], Callable[[], Any]]


@dataclass(frozen=True)
class Outcome:
    """What came of it; ``error`` is empty where it finished."""

    seconds: float | None = None
    mb: float | None = None
    error: str = ""
    #: Seconds after which it was stopped, where it was.
    limit: float | None = None


def peak() -> float:
    """The largest resident memory so far, MB."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 1024)


def reset_peak() -> None:
    """Let the peak start from what is resident now, where the system can (Linux)."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _limit_memory(gigabytes: float) -> None:
    """An allocation beyond what is held now and so many more GB fails, where the system can."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as file:
        held = next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmData"))
        most = held + int(gigabytes * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _child(pipe: Connection, warm: Make, make: Make, gigabytes: float) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    warnings.simplefilter("ignore")
    try:
        warm()()
        run = make()
        gc.collect()
        _limit_memory(gigabytes)
        reset_peak()
        before = peak()
        times: list[float] = []
        while len(times) < REPEATS and sum(times) < ENOUGH:
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        pipe.send(Outcome(min(times), max(0.0, peak() - before)))
    except MemoryError:
        pipe.send(Outcome(error=f"more than {gigabytes:g} GB"))
    except BaseException as error:  # noqa: BLE001 - a peer that crashes is a result
        text = f"{type(error).__name__}: {error}".splitlines()[0][:160]
        if "allocate" in text or "memory" in text.lower():
            text = f"more than {gigabytes:g} GB"
        pipe.send(Outcome(error=text))
    finally:
        pipe.close()
        os._exit(0)


def measured(make: Make, *, warm: Make | None = None, limit: float, gigabytes: float) -> Outcome:
    """Run ``make()()`` in a forked child, after ``warm()()`` on something tiny.

    The child sees the inputs of this process without a copy. This process must not have computed
    with threads before: their pools do not survive a fork.
    """
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, warm or make, make, gigabytes))
    process.start()
    there.close()
    try:
        if here.poll(limit):
            found: Outcome = here.recv()
            return found
        return Outcome(error=f"over {limit:g} s", limit=limit)
    except EOFError:
        process.join()
        return Outcome(error=f"killed, exit code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        here.close()
