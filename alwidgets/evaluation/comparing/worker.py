"""A process that plays runs: ``python -m alwidgets.evaluation.comparing.worker``, see `Crew`.

What is to be compared comes in on stdin, then commands, a line each; what is new goes out on
stdout, a line of JSON each. When stdin is closed, because whoever started it is gone, so is it.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import struct
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import cloudpickle
import numpy as np
import torch

from alwidgets.devices import resolve_device
from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing.material import Material
from alwidgets.evaluation.comparing.plan import Arm, Plan, comes_along
from alwidgets.evaluation.comparing.playing import play
from alwidgets.evaluation.comparing.run import Begun, News, Point
from alwidgets.strategies.registry import get, register

log = logging.getLogger(__name__)

#: Features and truth in a folder, each under its name.
ARRAYS = ("features", "codes", "test_features", "test_codes")
LENGTH = struct.Struct("<Q")


def send(stream: BinaryIO, plan: Plan, about: dict[str, Any]) -> None:
    """Tell a worker what is to be compared.

    Strategies and learners of one's own travel by value, from this process to its child: a file
    never holds them. So do those that were registered here under the names that the plan has.
    """
    named = [get(one) for one in plan.strategies.values() if isinstance(one, str)]
    own = [one for one in named if not comes_along(one)]
    data = cloudpickle.dumps((plan, about, own))
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[Plan, dict[str, Any]]:
    """What `send` told."""
    (length,) = LENGTH.unpack(stream.read(LENGTH.size))
    plan, about, own = cloudpickle.loads(stream.read(length))
    for strategy in own:
        register(strategy)
    return plan, about


def shelve(material: Material, folder: Path) -> dict[str, Any]:
    """Put the arrays into a folder, for all workers to map; the rest of it in JSON."""
    for name in ARRAYS:
        array = getattr(material, name)
        if array is not None:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
    return {
        "folder": str(folder),
        "classes": list(material.classes),
        "share": material.share,
        "collapsed": material.collapsed,
    }


def unshelve(about: dict[str, Any]) -> Material:
    """The material that `shelve` put there."""
    found: dict[str, Any] = {}
    for name in ARRAYS:
        path = Path(about["folder"]) / f"{name}.npy"
        found[name] = np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None
    return Material(
        classes=tuple(about["classes"]),
        share=about["share"],
        collapsed=about["collapsed"],
        **found,
    )


class _Commands:
    """Lines that come in while runs are played."""

    def __init__(self, stream: BinaryIO) -> None:
        self.lots: queue.Queue[tuple[list[Arm], dict[Arm, Begun]]] = queue.Queue()
        self._go = threading.Event()
        self._go.set()
        self._stream = stream
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def wait(self) -> None:
        """Return at once, or when a pause is over."""
        self._go.wait()

    def _read(self) -> None:
        for line in iter(self._stream.readline, b""):
            told = json.loads(line)
            if told["type"] == "pause":
                self._go.clear()
            elif told["type"] == "go":
                self._go.set()
            elif told["type"] == "lot":
                begun = [Begun.of(one) for one in told["begun"]]
                self.lots.put(([Arm(*arm) for arm in told["arms"]], {b.arm: b for b in begun}))
        # Not sys.exit: this is not the main thread, and that one computes.
        os._exit(0)


class _News:
    """What is new, told a line at a time to whoever started this process."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._news: dict[str, list[Any]] = {"points": [], "begun": [], "runs": []}

    def add(self, news: News) -> None:
        """Keep it for the next line."""
        for new in news:
            if isinstance(new, Point):
                self._news["points"].append([*new.arm, new.labels, new.figure])
            else:
                self._news["begun" if isinstance(new, Begun) else "runs"].append(new.to_json())

    def tell(self) -> None:
        """Say all that is new."""
        if any(self._news.values()):
            self.say({"type": "news", **self._news})
            self._news = {kind: [] for kind in self._news}

    def say(self, told: dict[str, Any]) -> None:
        """Send a line."""
        self._stream.write(json.dumps(told).encode() + b"\n")
        self._stream.flush()


def main() -> None:
    """Run as a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)  # whoever waits for the kernel goes first
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not end up between the lines
    plan, about = receive(sys.stdin.buffer)
    torch.set_num_threads(1)
    commands, news = _Commands(sys.stdin.buffer), _News(answers)
    material = unshelve(about)
    device = resolve_device(about["device"], ComparisonError)

    def check() -> None:
        news.tell()
        commands.wait()

    while True:
        news.say({"type": "ready"})
        arms, begun = commands.lots.get()
        try:
            play(plan, material, arms, news.add, device=device, check=check, begun=begun)
            news.tell()
        except Exception as error:  # told to whoever asked for the runs
            log.exception("runs broke off")
            news.say({"type": "error", "kind": type(error).__name__, "text": str(error)})


if __name__ == "__main__":
    main()
