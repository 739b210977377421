"""Pools that do not fit: features on disk, and ten million items on a device."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from inputs import CLASSES, FEATURES
from table import Row, count

LABELS, PICKS, HEADS = 1_000, 20, 16
BLOCK = 100_000
REPEATS = 5
#: METHODS by what they are asked: probabilities, or those of every head.
STRATEGIES = (
    "least_confident",
    "margin",
    "entropy",
    "bald",
    "epig",
    "vote_entropy",
    "consensus_entropy",
    "max_disagreement",
    "variation_ratio",
    "expected_gradient_length",
    "batch_bald",
)
MOST_GB, MOST_RATIO = 2.0, 1.5


class AnonymousPeak:
    """The largest anonymous resident memory while it is open, in MB above that at the start.

    Pages of a mapped file are the system's to drop, and are not counted.
    """

    def __enter__(self) -> AnonymousPeak:
        self._stop = threading.Event()
        self._first = self._most = self._now()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._most = max(self._most, self._now())

    @property
    def mb(self) -> float:
        return self._most - self._first

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            self._most = max(self._most, self._now())

    @staticmethod
    def _now() -> float:
        with contextlib.suppress(OSError), open("/proc/self/status") as file:
            for line in file:
                if line.startswith("RssAnon"):
                    return int(line.split()[1]) / 1024
        import psutil

        return psutil.Process().memory_info().rss / 2**20


def _learner(device: str) -> tuple[Any, Any]:
    """A fitted ensemble and the rows it was fitted on."""
    from alwidgets.learners import HeadEnsemble

    rng = np.random.default_rng(0)
    X = rng.standard_normal((LABELS, FEATURES), dtype=np.float32)
    y = (X @ rng.standard_normal((FEATURES, CLASSES), dtype=np.float32)).argmax(axis=1)
    return HeadEnsemble(members=HEADS, device=device).fit(X, y, classes=CLASSES), (X, y)


def _asked(strategy: str, learner: Any, features: Any, y: Any) -> Any:
    """The first rows are labelled, all others are candidates."""
    from alwidgets.strategies import select

    return select(
        strategy,
        learner=learner,
        features=features,
        candidates=np.arange(LABELS, len(features)),
        labelled=np.arange(LABELS),
        labels=y,
        n_classes=CLASSES,
        n=PICKS,
        seed=0,
    )


def memory(n: int = 1_000_000) -> Iterator[Row]:
    """Margin over a memory-mapped float16 file, then a session on it: what they add to memory."""
    from sessions import sessions

    learner, (X, y) = _learner("cpu")
    group = f"memory-mapped, {count(n)} x {FEATURES}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        shape = (n, FEATURES)
        file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
        rng = np.random.default_rng(1)
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            file[start : start + size] = rng.standard_normal((size, FEATURES), dtype=np.float32)
        file[:LABELS] = X
        file.flush()
        del file
        features = np.load(path, mmap_mode="r")
        _asked("margin", learner, features[: 4 * LABELS], y)
        with AnonymousPeak() as added:
            begin = time.perf_counter()
            _asked("margin", learner, features, y)
            seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        for start in range(0, n, BLOCK):
            np.asarray(features[start : start + BLOCK]).view(np.uint16).max()
        read = time.perf_counter() - begin
        del features
        # The file is the dear part, so what is done with it is done here.
        whole = list(sessions(path))
    size = n * FEATURES * 2 / 1e9
    note = f"{size:.1f} GB on disk, 16 heads, pick {PICKS}"
    yield Row(
        group,
        "margin",
        seconds,
        "s",
        note,
        bar=f"{MOST_GB:g} GB",
        met=added.mb < MOST_GB * 1024,
        mb=added.mb,
    )
    yield Row(group, "one read of the file", read, "s", "by numpy, once it has been read before")
    yield from whole


def device(name: str, n: int = 10_000_000) -> Iterator[Row]:
    """Scoring and picking on a device, beside one read of the features there."""
    import torch

    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SystemExit(
            "error: DEVICE=cuda was asked for, and torch finds no CUDA device here: run it on a "
            "machine with one, and with a torch that was built for it."
        )
    where = torch.device(name)
    card = torch.cuda.get_device_name(where) if where.type == "cuda" else "the processor"

    def wait() -> None:
        if where.type == "cuda":
            torch.cuda.synchronize(where)

    def seconds(run: Callable[[], Any]) -> float:
        run()
        wait()
        times = []
        for _ in range(REPEATS):
            begin = time.perf_counter()
            run()
            wait()
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    learner, (X, y) = _learner(name)
    features = torch.empty(n, FEATURES, dtype=torch.float16, device=where)
    draw = torch.Generator(device=where).manual_seed(0)
    for start in range(0, n, BLOCK):
        part = features[start : start + BLOCK]
        part.copy_(torch.randn(part.shape, generator=draw, device=where))
    features[:LABELS] = torch.from_numpy(X).to(features)
    size = features.numel() * features.element_size()
    group = f"{card}, {count(n)} x {FEATURES}"

    sums = seconds(lambda: features.view(-1).sum(dtype=torch.float32))
    copies = seconds(_copying(features))
    read = min(sums, copies / 2)
    note = f"{size / read / 1e9:.0f} GB/s: a sum took {sums:.4f} s, a copy {copies:.4f} s"
    yield Row(group, "one read of the features", read, "s", note)
    for strategy in STRATEGIES:
        runs = (
            ("select", lambda s=strategy: _asked(s, learner, features, y)),
            ("functions", _plainly(strategy, learner, features)),
        )
        for kind, run in runs:
            if run is None:
                continue
            if where.type == "cuda":
                torch.cuda.reset_peak_memory_stats(where)
                held = torch.cuda.memory_allocated(where)
            try:
                took = seconds(run)
            except Exception as error:  # noqa: BLE001 - one strategy, not the whole table
                text = f"{type(error).__name__}: {error}".splitlines()[0][:120]
                yield Row(group, f"{strategy}, {kind}", None, note=text)
                continue
            added = None
            if where.type == "cuda":
                added = (torch.cuda.max_memory_allocated(where) - held) / 2**20
            ratio = took / read
            yield Row(
                group,
                f"{strategy}, {kind}",
                took,
                "s",
                f"{ratio:.2f} reads",
                bar=f"{MOST_RATIO:g} reads",
                met=ratio <= MOST_RATIO,
                mb=added,
            )


def _copying(features: Any) -> Callable[[], Any]:
    """Copies a tenth ten times: a whole second copy may not fit."""
    part = features[: max(1, len(features) // 10)]
    target = part.clone()

    def run() -> None:
        for at in range(10):
            source = features[at * len(part) : (at + 1) * len(part)]
            target.copy_(source)

    return run


def _plainly(strategy: str, learner: Any, features: Any) -> Callable[[], Any] | None:
    """The public functions in a loop over chunks, without what ``select`` adds."""
    import torch

    from alwidgets import strategies

    score = getattr(strategies, strategy, None)
    if not callable(score) or strategy == "batch_bald":
        return None
    chunk = 262_144
    targets = learner.posterior(features[:200]) if strategy == "epig" else None

    def of(part: Any) -> Any:
        if strategy in ("least_confident", "margin", "entropy"):
            return score(learner.predict_proba(part))
        if strategy == "expected_gradient_length":
            return score(learner.predict_proba(part), learner.embed(part))
        if strategy == "epig":
            return score(learner.posterior(part), targets)
        return score(learner.posterior(part))

    def run() -> Any:
        found = torch.cat([of(part) for part in features.split(chunk)])
        return torch.topk(found, PICKS).indices.cpu()

    return run
