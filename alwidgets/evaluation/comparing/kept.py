"""The file of a comparison: what was planned, then a line for every run that is over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing.plan import Arm
from alwidgets.evaluation.comparing.playing import Run

FORMAT = 1


def run_to_json(run: Run) -> dict[str, Any]:
    """A run as it is kept."""
    return {
        "learner": run.arm.learner,
        "strategy": run.arm.strategy,
        "seed": run.arm.seed,
        "figures": list(run.figures),
        "rows": list(run.rows),
        "successors": run.successors,
        "chosen": run.chosen,
        "seconds": round(run.seconds, 4),
    }


def run_of(told: dict[str, Any]) -> Run:
    """A run that was kept."""
    return Run(
        Arm(str(told["learner"]), str(told["strategy"]), int(told["seed"])),
        tuple(float(x) for x in told["figures"]),
        tuple(int(x) for x in told["rows"]),
        {str(name): float(x) for name, x in told["successors"].items()},
        {str(name): int(x) for name, x in told["chosen"].items()},
        float(told["seconds"]),
    )


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

    Raises
    ------
    ComparisonError
        If the file is of another comparison, is none, or another process writes to it.
    """

    def __init__(self, path: str | os.PathLike[str], about: dict[str, Any]) -> None:
        self.path = Path(path)
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
        head = {"alwidgets": "comparison", "format": FORMAT, "about": about}
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        _sync_folder(self.path.parent)
        return runs

    def add(self, runs: Iterable[Run]) -> None:
        """Keep runs; they are on the disk when this returns."""
        lines = "".join(json.dumps(run_to_json(run)) + "\n" for run in runs)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

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
        return head["about"], [run_of(json.loads(line)) for line in lines[1:]], end
    except (ValueError, KeyError, TypeError) as error:
        raise ComparisonError(
            f"{path} is no file of a comparison ({error}): give another out=…."
        ) from error


def _check_same(path: Path, known: dict[str, Any], about: dict[str, Any]) -> None:
    told = json.loads(json.dumps(about))
    for part in ("plan", "material"):
        differs = [k for k, v in told[part].items() if known.get(part, {}).get(k) != v]
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
