"""The file of a comparison: what was planned, then a line for every run that is over.

Beside it, while there are some, a file of the runs under way.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing.run import Begun, Run

log = logging.getLogger(__name__)

FORMAT = 1
#: After the file of the runs under way was written, it is left alone so many times as long.
RARELY = 50
#: What the file of the runs under way begins with.
UNDER_WAY = "runs under way"
#: What data are known by; the rest of what is said of them follows.
DATA = ("pool", "test", "features", "classes", "fingerprint")


class Kept:
    """Runs in a file of JSON lines: flushed to the disk before anybody is told of them.

    A line that a kill tore is cut off when the file is opened again; the run is played anew.

    Parameters
    ----------
    path : path
    about : dict
        What was planned: a file of another plan is left alone.

    Attributes
    ----------
    runs : list of Run
        That were in the file.
    begun : list of Begun
        That were under way.

    Raises
    ------
    ComparisonError
        If the file is of another comparison, is none, or another process writes to it.
    """

    def __init__(self, path: str | os.PathLike[str], about: dict[str, Any]) -> None:
        self.path, self._about = Path(path), about
        self._due = 0.0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(f"{self.path}.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ComparisonError(
                f"{self.path} is being written by another comparison: wait for it, or give "
                "another out=…."
            ) from error
        try:
            self.runs = self._opened(about)
            self.begun = read_begun(self.path, about)
        except BaseException:
            self.close()
            raise

    def _opened(self, about: dict[str, Any]) -> list[Run]:
        runs: list[Run] = []
        if self.path.exists() and self.path.stat().st_size:
            known, runs, end = read_lines(self.path)
            if known is not None:
                _check_same(self.path, known, about)
                os.truncate(self.path, end)
                return runs
        _write(self.path, {"alwidgets": "comparison", "format": FORMAT, "about": about})
        return runs

    def add(self, runs: Iterable[Run]) -> None:
        """Keep runs; they are on the disk when this returns."""
        lines = "".join(json.dumps(run.to_json()) + "\n" for run in runs)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def keep(self, begun: Iterable[Begun], *, now: bool = False) -> None:
        """Keep the runs under way in place of those that were kept: as soon as it is due, or now.

        Written seldom enough to cost next to nothing.
        """
        wanted, started = list(begun), time.monotonic()
        if wanted == self.begun or (started < self._due and not now):
            return
        path = _beside(self.path)
        try:
            if wanted:
                arms = [one.to_json() for one in wanted]
                _write(path, {"alwidgets": UNDER_WAY, "about": self._about, "arms": arms})
            else:
                path.unlink(missing_ok=True)
            self.begun = wanted
        except OSError:
            # It goes on all the same: runs that are over have a file of their own.
            log.warning("the runs under way cannot be kept in %s", path, exc_info=True)
        ended = time.monotonic()
        self._due = ended + RARELY * (ended - started)

    def close(self) -> None:
        """Let others write."""
        self._lock.release()


def read_lines(path: Path) -> tuple[dict[str, Any] | None, list[Run], int]:
    """What a file says was planned, its runs, and where its last whole line ends.

    The plan is None where not even the first line is whole.

    Raises
    ------
    ComparisonError
        If it is no such file.
    """
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    lines = data[:end].splitlines()
    try:
        if not lines:
            # Torn in the first line, or something else altogether.
            if not data.startswith(b'{"alwidgets": "comparison"'):
                raise ValueError("no line of it is whole")
            return None, [], 0
        head = json.loads(lines[0])
        if not isinstance(head, dict) or head.get("alwidgets") != "comparison":
            raise ValueError("it does not begin as one")
        if head.get("format") != FORMAT:
            raise ValueError("it was written by another version")
        return head["about"], [Run.of(json.loads(line)) for line in lines[1:]], end
    except (ValueError, KeyError, TypeError) as error:
        raise ComparisonError(
            f"{path} is no file of a comparison ({error}): give another out=…."
        ) from error


def read_begun(path: Path, about: dict[str, Any]) -> list[Begun]:
    """The runs under way of a comparison whose file this is.

    None where other versions played them: their next round might not fit the last one.
    """
    try:
        told = json.loads(_beside(path).read_text(encoding="utf-8"))
        if told["alwidgets"] == UNDER_WAY and told["about"] == json.loads(json.dumps(about)):
            return [Begun.of(one) for one in told["arms"]]
    except (OSError, ValueError, KeyError, TypeError):
        log.debug("there are no runs under way", exc_info=True)
    return []


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.going")


def _write(path: Path, told: dict[str, Any]) -> None:
    """Put a line in place of a file: the old or the new one is on the disk, whatever happens."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def _check_same(path: Path, known: dict[str, Any], about: dict[str, Any]) -> None:
    told = json.loads(json.dumps(about))
    for part, names in (("plan", tuple(told["plan"])), ("material", DATA)):
        differs = [k for k in names if known.get(part, {}).get(k) != told[part][k]]
        if differs:
            name = differs[0]
            raise ComparisonError(
                f"{path} is of another comparison: its {name} is {_short(known[part].get(name))}, "
                f"not {_short(told[part][name])}. Give another out=…."
            )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 80 else text[:77] + "…"


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
